/*
 * Two processes write to one PostgreSQL. At every moment, and at the end, the journal is dense and
 * in commit order; every row that was acknowledged is there once, and nothing else is.
 */

#include "unit/model/core.h"

#include <sys/wait.h>

enum { PROCESSES = 2, BATCHES = 60, REQUESTS_MAX = 4, NUMBERS_MAX = BATCHES * REQUESTS_MAX };

/* ---- a process that writes ---- */

/* A failure here ends the process: the test's own ways to fail belong to its parent. */
#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%d: %s: %s\n", __LINE__, #condition, fault_text());                   \
            _exit(1);                                                                              \
        }                                                                                          \
    } while (0)

struct process {
    struct instance *in;
    int index, next;
    unsigned random;
};
static struct process me;

static int add_row(struct instance *in, struct tx *tx)
{
    const struct table *rows = catalogue_table(tx->catalogue, STR("rows"));
    struct item_key key;
    json_t *json;

    MUST(rows);
    struct str text = arena_printf(tx->arena, "{\"process\":%d,\"number\":%d}", me.index, me.next);
    MUST(json_read_in(tx->arena, text, &json, NULL) == 0);
    (void)in;
    return items_create(tx, rows, json, &key);
}

static int add_row_and_refuse(struct instance *in, struct tx *tx)
{
    int rc = add_row(in, tx);
    return rc != 0 ? rc : refuse(tx, PROBLEM_INVALID_PAYLOAD, "On second thoughts");
}

static int make_table(struct instance *in, struct tx *tx)
{
    struct str name,
        text = arena_printf(tx->arena, "{\"collection\":\"extra_%d_%d\",\"schema\":{}}", me.index,
                            me.next);
    json_t *json;

    (void)in;
    MUST(json_read_in(tx->arena, text, &json, NULL) == 0);
    return schema_create_collection(tx, json, &name);
}

/* One batch of some rows; every third of them is refused. Tells which are there. */
static void write_batch(int acknowledged_fd)
{
    int numbers[REQUESTS_MAX], count = 0;

    me.random = me.random * 1103515245u + 12345u;
    MUST(writer_begin(me.in->writer, WRITER_ROWS) == 0);
    for (unsigned i = 0; i <= (me.random >> 16) % REQUESTS_MAX; i++, me.next++) {
        if (me.next % 3 == 2) {
            MUST(run_in_batch(me.in, add_row_and_refuse) == REFUSED);
            continue;
        }
        MUST(run_in_batch(me.in, add_row) == 0);
        numbers[count++] = me.next;
    }
    MUST(writer_commit(me.in->writer) == 0);
    size_t bytes = (size_t)count * sizeof(int);
    MUST(write(acknowledged_fd, numbers, bytes) == (ssize_t)bytes);
}

static void be_a_writer(struct instance *in, int index, int start_fd, int acknowledged_fd)
{
    char go;

    me = (struct process){.in = in, .index = index, .random = (unsigned)index + 1};
    MUST(model_open(&in->settings, &in->model) == 0);
    MUST(writer_open(in->model, &in->writer) == 0);
    MUST(read(start_fd, &go, 1) == 1);
    for (int batch = 0; batch < BATCHES; batch++) {
        write_batch(acknowledged_fd);
        if (batch % 20 == 10)
            MUST(run(in, WRITER_SCHEMA, make_table) == 0);
    }
    instance_stop(in);
    _exit(0);
}

/* ---- the test's process ---- */

static int make_rows(struct instance *in, struct tx *tx)
{
    struct str name;
    return schema_create_collection(
        tx,
        json_of(in, "{\"collection\":\"rows\",\"fields\":[{\"field\":\"process\",\"type\":"
                    "\"integer\"},{\"field\":\"number\",\"type\":\"integer\"}]}"),
        &name);
}

struct found {
    const struct table *rows;
    unsigned char times[PROCESSES][NUMBERS_MAX];
    int count;
};

static int take_row(void *context, const struct value *row)
{
    struct found *found = context;
    int64_t process = row[table_field(found->rows, STR("process"))->column->index].integer;
    int64_t number = row[table_field(found->rows, STR("number"))->column->index].integer;

    assert_in_range(process, 0, PROCESSES - 1);
    assert_in_range(number, 0, NUMBERS_MAX - 1);
    found->times[process][number]++;
    found->count++;
    return 0;
}

static void find_rows(struct instance *in, struct found *found)
{
    AUTO(arena_free) struct arena *arena = arena_new();
    struct tx tx = {.arena = arena};
    struct reader *reader;

    *found = (struct found){0};
    assert_int_equal(reader_open(in->model, &reader), 0);
    assert_int_equal(reader_begin(reader, &tx), 0);
    found->rows = catalogue_table(tx.catalogue, STR("rows"));
    struct select all = {.shape = &found->rows->shape, .limit = -1};
    assert_int_equal(store_select(tx.store, &all, take_row, found), 0);
    reader_end(reader);
    reader_close(reader);
}

static void show(void *context, struct str finding)
{
    (void)context;
    print_error("%.*s\n", STR_ARG(finding));
}

static struct model_check check(struct instance *in)
{
    AUTO(arena_free) struct arena *arena = arena_new();
    struct model_check check = {0};

    assert_int_equal(model_check(in->model, arena, show, NULL, &check), 0);
    assert_int_equal(check.findings, 0);
    return check;
}

static pid_t start_writer(struct instance *in, int index, const int *start, const int *acknowledged)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        be_a_writer(in, index, start[0], acknowledged[1]);
    return pid;
}

static void two_processes_keep_one_journal_dense_and_lose_nothing(void **state)
{
    struct instance *in = *state;
    int start[2], acknowledged[PROCESSES][2], status, checks = 0;
    pid_t pids[PROCESSES];
    struct found found;

    if (!database_on_postgres())
        skip(); /* SQLite's writer is alone */
    assert_int_equal(run(in, WRITER_SCHEMA, make_rows), 0);
    instance_stop(in);
    in->settings.store.shared = true;
    assert_int_equal(pipe(start), 0);
    for (int i = 0; i < PROCESSES; i++) {
        assert_int_equal(pipe(acknowledged[i]), 0);
        pids[i] = start_writer(in, i, start, acknowledged[i]);
        close(acknowledged[i][1]);
    }
    in->settings.read_only = true;
    assert_int_equal(model_open(&in->settings, &in->model), 0);
    in->writer = NULL;
    assert_int_equal(write(start[1], "go", PROCESSES), PROCESSES);
    for (int running = PROCESSES; running > 0; checks++) {
        check(in);
        for (int i = 0; i < PROCESSES; i++)
            if (pids[i] && waitpid(pids[i], &status, WNOHANG) == pids[i]) {
                assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
                pids[i] = 0;
                running--;
            }
    }
    assert_true(checks > 1);

    struct model_check end = check(in);
    assert_int_equal(end.first, 1);
    find_rows(in, &found);
    for (int i = 0; i < PROCESSES; i++) {
        int number, count = 0;
        for (; read(acknowledged[i][0], &number, sizeof(number)) == sizeof(number); count++)
            assert_int_equal(found.times[i][number], 1);
        assert_true(count > BATCHES / 2);
        found.count -= count;
        close(acknowledged[i][0]);
    }
    assert_int_equal(found.count, 0);
    close(start[0]);
    close(start[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(two_processes_keep_one_journal_dense_and_lose_nothing,
                                        instance_setup, instance_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
