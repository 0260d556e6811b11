#include "fixture.h"

#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#include "base/fault.h"

static const struct column columns[] = {
    {.name = {"id", 2},
     .type = TYPE_INTEGER,
     .index = 0,
     .primary_key = true,
     .auto_increment = true},
    {.name = {"text", 4}, .type = TYPE_TEXT, .index = 1, .nullable = true},
};
static const struct shape shape = {{"t", 1}, columns, 2, 0};

static int set_up(void **state)
{
    fixture_setup(state);
    create(((struct fixture *)*state)->store, &shape);
    return 0;
}
#define test_with_table(test) cmocka_unit_test_setup_teardown(test, set_up, fixture_teardown)

static void add(struct store *s, int64_t key, const char *text)
{
    assert_int_equal(insert(s, &shape, ROW(INTEGER(key), value_text(str_of(text)))), 0);
}

static void rolled_back_rows_are_gone(void **state)
{
    struct fixture *f = *state;
    store_rollback(f->store);
    assert_int_equal(store_begin(f->store, STORE_WRITE), 0);
    add(f->store, 1, "a");
    store_rollback(f->store);
    assert_holds(f->store, &shape, "");
    assert_int_equal(store_begin(f->store, STORE_WRITE), 0);
    add(f->store, 2, "b");
    assert_int_equal(store_commit(f->store), 0);
    assert_holds(f->store, &shape, "2|b;");
}

static void savepoints_nest(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(store_begin(f->store, STORE_WRITE), 0);
    add(f->store, 1, "a");
    assert_int_equal(store_savepoint(f->store), 0);
    add(f->store, 2, "b");
    assert_int_equal(store_savepoint(f->store), 0);
    add(f->store, 3, "c");
    assert_int_equal(store_rollback_to(f->store), 0);
    add(f->store, 4, "d");
    assert_int_equal(store_release(f->store), 0);
    assert_int_equal(store_savepoint(f->store), 0);
    add(f->store, 5, "e");
    assert_int_equal(store_rollback_to(f->store), 0);
    assert_int_equal(store_commit(f->store), 0);
    assert_holds(f->store, &shape, "1|a;2|b;4|d;");
}

static void a_refused_row_leaves_the_transaction_as_it_was(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(store_begin(f->store, STORE_WRITE), 0);
    add(f->store, 1, "a");
    assert_int_equal(store_savepoint(f->store), 0);
    assert_int_equal(insert(f->store, &shape, ROW(INTEGER(1), NONE)), STORE_NOT_UNIQUE);
    assert_int_equal(store_rollback_to(f->store), 0);
    add(f->store, 2, "b");
    assert_int_equal(store_commit(f->store), 0);
    assert_holds(f->store, &shape, "1|a;2|b;");
}

static void a_reader_sees_one_moment_from_begin_to_end(void **state)
{
    struct fixture *f = *state;
    struct store *reader = fixture_open(f, STORE_READ);
    add(f->store, 1, "a");
    assert_int_equal(store_begin(reader, STORE_READ), 0);
    assert_holds(reader, &shape, "1|a;");
    add(f->store, 2, "b");
    assert_holds(reader, &shape, "1|a;");
    assert_int_equal(store_begin(f->store, STORE_WRITE), 0);
    add(f->store, 3, "c");
    assert_holds(reader, &shape, "1|a;");
    assert_int_equal(store_commit(f->store), 0);
    assert_int_equal(store_checkpoint(f->store), 0);
    assert_holds(reader, &shape, "1|a;");
    assert_int_equal(store_commit(reader), 0);
    assert_holds(reader, &shape, "1|a;2|b;3|c;");
    store_close(reader);
}

static void a_reader_cannot_write(void **state)
{
    struct fixture *f = *state;
    struct store *reader = fixture_open(f, STORE_READ);
    assert_true(insert(reader, &shape, ROW(NONE, NONE)) < 0);
    store_close(reader);
    assert_holds(f->store, &shape, "");
}

static void one_process_may_write(void **state)
{
    struct fixture *f = *state;
    const struct store_settings *settings = &f->database.settings;
    struct store *second = NULL;
    assert_int_equal(store_open(settings, STORE_WRITE, &second), STORE_LOCKED);
    assert_int_equal(store_open(settings, STORE_SCHEMA, &second), STORE_LOCKED);
    assert_null(second);
    store_close(f->store);
    assert_int_equal(store_open(settings, STORE_WRITE, &f->store), 0);
}

static void the_file_is_its_owner_s_alone(void **state)
{
    struct fixture *f = *state;
    struct stat status;
    char log[96];
    add(f->store, 1, "a");
    snprintf(log, sizeof(log), "%s-wal", f->database.file);
    assert_int_equal(stat(f->database.file, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_equal(stat(log, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
}

static void a_reader_needs_a_file(void **state)
{
    struct fixture *f = *state;
    char path[96];
    struct store *s = NULL;
    snprintf(path, sizeof(path), "%s-none", f->database.file);
    struct store_settings settings = {.filename = str_of(path)};
    assert_true(store_open(&settings, STORE_READ, &s) < 0);
    assert_null(s);
    assert_int_not_equal(access(path, F_OK), 0);
    store_close(NULL);
}

static void what_is_no_database_is_a_fault(void **state)
{
    struct fixture *f = *state;
    store_close(f->store);
    f->store = NULL;
    FILE *file = fopen(f->database.file, "w");
    for (size_t i = 0; i < 4096; i++)
        fputc('x', file);
    fclose(file);
    assert_true(store_open(&f->database.settings, STORE_WRITE, &f->store) < 0);
    assert_non_null(strstr(fault_text(), "not a database"));
    assert_null(f->store);
}

static void closing_undoes_what_is_open(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(store_begin(f->store, STORE_WRITE), 0);
    add(f->store, 1, "a");
    store_close(f->store);
    f->store = fixture_open(f, STORE_WRITE);
    assert_holds(f->store, &shape, "");
}

static void report_one(void *context, struct str finding)
{
    (void)finding;
    ++*(int *)context;
}

static void check_finds_rows_that_refer_to_nothing(void **state)
{
    struct fixture *f = *state;
    const struct reference reference = {STR("t"), STR("id"), ON_DELETE_NO_ACTION};
    const struct column child_columns[] = {
        {.name = STR("id"), .type = TYPE_INTEGER, .index = 0, .auto_increment = true},
        {.name = STR("of"),
         .type = TYPE_INTEGER,
         .index = 1,
         .nullable = true,
         .reference = &reference}};
    const struct shape child = {STR("child"), child_columns, 2, 0};
    int findings = 0;
    create(f->store, &child);
    assert_int_equal(store_check(f->store, report_one, &findings), 0);
    assert_int_equal(findings, 0);

    sqlite3 *other;
    assert_int_equal(sqlite3_open(f->database.file, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "INSERT INTO child VALUES (1, 99)", NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(other);
    assert_int_equal(store_check(f->store, report_one, &findings), 0);
    assert_int_equal(findings, 1);
}

/* SQLite then ends the transaction by itself, and what comes after must not be committed alone. A
 * limit on the size of files stands for the full disk; rows spill once they outgrow the page cache.
 */
static void a_full_disk_loses_the_whole_transaction(void **state)
{
    enum { LARGE = 1 << 20, FILE_MAX = 8 << 20 };
    struct fixture *f = *state;
    struct rlimit before, small;
    char *large = arena_alloc(f->arena, LARGE);
    memset(large, 'x', LARGE);
    const struct value row[] = {NONE, value_text((struct str){large, LARGE})};
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    small = (struct rlimit){FILE_MAX, before.rlim_max};

    assert_int_equal(store_begin(f->store, STORE_WRITE), 0);
    add(f->store, 1, "a");
    setrlimit(RLIMIT_FSIZE, &small);
    int rc = 0;
    for (size_t i = 0; i < 32 && rc == 0; i++)
        rc = insert(f->store, &shape, row);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_true(rc < 0);
    assert_true(insert(f->store, &shape, ROW(NONE, TEXT("b"))) < 0);
    assert_true(store_commit(f->store) < 0);
    assert_holds(f->store, &shape, "");
    add(f->store, 3, "c");
    assert_holds(f->store, &shape, "3|c;");
}

/* ---- the write-ahead log ---- */

struct reading {
    struct store *stores[2];
    atomic_bool over;
};

/* There is no moment without a reader: each begins before the other ends, and commits lie between.
 */
static void *read_always(void *context)
{
    struct reading *r = context;
    int rc = store_begin(r->stores[0], STORE_READ);
    for (size_t i = 1; rc == 0 && !r->over; i++) {
        nanosleep(&(struct timespec){.tv_nsec = 20 * 1000 * 1000}, NULL);
        rc = store_begin(r->stores[i % 2], STORE_READ);
        store_rollback(r->stores[(i + 1) % 2]);
    }
    store_rollback(r->stores[0]);
    store_rollback(r->stores[1]);
    return rc == 0 ? r : NULL;
}

static int64_t log_size(const struct fixture *f)
{
    struct stat status;
    char path[96];
    snprintf(path, sizeof(path), "%s-wal", f->database.file);
    assert_int_equal(stat(path, &status), 0);
    return status.st_size;
}

static void the_log_stays_small_although_somebody_always_reads(void **state)
{
    enum { LARGE = 1 << 20, ROWS = 80, LOG_SIZE_MAX = 40 << 20 };
    struct fixture *f = *state;
    struct reading reading = {{fixture_open(f, STORE_READ), fixture_open(f, STORE_READ)}, false};
    char *large = arena_alloc(f->arena, LARGE);
    memset(large, 'x', LARGE);
    const struct value row[] = {INTEGER(1), value_text((struct str){large, LARGE})};
    pthread_t thread;
    void *read_well;

    assert_int_equal(pthread_create(&thread, NULL, read_always, &reading), 0);
    for (size_t i = 0; i < ROWS; i++) {
        assert_int_equal(insert(f->store, &shape, row), 0);
        assert_int_equal(store_delete(f->store, &shape, &expr_true, 0, NULL, NULL), 0);
        assert_int_equal(store_checkpoint(f->store), 0);
    }
    reading.over = true;
    pthread_join(thread, &read_well);
    assert_non_null(read_well);
    store_close(reading.stores[0]);
    store_close(reading.stores[1]);
    assert_in_range(log_size(f), 0, LOG_SIZE_MAX);
}

/* It holds up the writer for a moment, once, and not before each transaction. */
static void a_long_read_keeps_the_log_and_nobody_waits_for_it_twice(void **state)
{
    enum { LARGE = 20 << 20 };
    struct fixture *f = *state;
    struct store *reader = fixture_open(f, STORE_READ);
    char *large = arena_alloc(f->arena, LARGE);
    memset(large, 'x', LARGE);
    const struct value row[] = {NONE, value_text((struct str){large, LARGE})};

    add(f->store, 1, "a");
    assert_int_equal(store_begin(reader, STORE_READ), 0);
    assert_int_equal(insert(f->store, &shape, row), 0);
    for (size_t i = 0; i < 1000; i++) /* not one second each */
        assert_int_equal(store_checkpoint(f->store), 0);
    assert_holds(reader, &shape, "1|a;");
    store_rollback(reader);
    add(f->store, 3, "b");
    add(f->store, 4, "c");
    assert_in_range(log_size(f), 0, LARGE);
    store_close(reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_table(rolled_back_rows_are_gone),
        test_with_table(savepoints_nest),
        test_with_table(a_refused_row_leaves_the_transaction_as_it_was),
        test_with_table(a_reader_sees_one_moment_from_begin_to_end),
        test_with_table(a_reader_cannot_write),
        test_with_table(one_process_may_write),
        test_with_table(closing_undoes_what_is_open),
    };
    const struct CMUnitTest sqlite_s_own[] = {
        test_with_table(the_file_is_its_owner_s_alone),
        test_with_table(a_reader_needs_a_file),
        test_with_table(what_is_no_database_is_a_fault),
        test_with_table(check_finds_rows_that_refer_to_nothing),
        test_with_table(a_full_disk_loses_the_whole_transaction),
        test_with_table(the_log_stays_small_although_somebody_always_reads),
        test_with_table(a_long_read_keeps_the_log_and_nobody_waits_for_it_twice),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return failed || database_on_postgres() ? failed
                                            : cmocka_run_group_tests(sqlite_s_own, NULL, NULL);
}
