#include "unit/model/core.h"

#include <errno.h>
#include <pthread.h>
#include <sys/stat.h>

#include "model/instance.h"

/* ---- acts ---- */

static int make_notes(struct instance *in, struct tx *tx)
{
    struct str name;
    return schema_create_collection(
        tx,
        json_of(in, "{\"collection\":\"notes\",\"fields\":[{\"field\":\"text\",\"type\":"
                    "\"string\"}]}"),
        &name);
}

static int add_note(struct instance *in, struct tx *tx)
{
    const struct table *notes = catalogue_table(tx->catalogue, STR("notes"));
    struct item_key key;

    assert_non_null(notes);
    return items_create(tx, notes, json_of(in, "{\"text\":\"hello\"}"), &key);
}

static int add_and_refuse(struct instance *in, struct tx *tx)
{
    assert_int_equal(add_note(in, tx), 0);
    return refuse(tx, PROBLEM_INVALID_PAYLOAD, "On second thoughts");
}

static int add_and_fault(struct instance *in, struct tx *tx)
{
    assert_int_equal(add_note(in, tx), 0);
    return FAULT(EIO);
}

static int make_and_refuse(struct instance *in, struct tx *tx)
{
    assert_int_equal(make_notes(in, tx), 0);
    return refuse(tx, PROBLEM_INVALID_PAYLOAD, "On second thoughts");
}

static int do_nothing(struct instance *in, struct tx *tx)
{
    (void)in;
    (void)tx;
    return 0;
}

static int add_role(struct instance *in, struct tx *tx)
{
    struct item_key key;
    return items_create(tx, system_table(SYSTEM_ROLES), json_of(in, "{\"name\":\"Editor\"}"), &key);
}

static int make_replies(struct instance *in, struct tx *tx)
{
    struct str name, field;

    assert_int_equal(make_notes(in, tx), 0);
    assert_int_equal(
        schema_create_collection(tx,
                                 json_of(in, "{\"collection\":\"replies\",\"fields\":[{"
                                             "\"field\":\"note\",\"type\":\"integer\"}]}"),
                                 &name),
        0);
    return schema_create_relation(tx,
                                  json_of(in, "{\"collection\":\"replies\",\"field\":\"note\","
                                              "\"related_collection\":\"notes\"}"),
                                  &name, &field);
}

/* References are not checked before the commit while tables are made. */
static int add_lost_reply(struct instance *in, struct tx *tx)
{
    const struct table *replies = catalogue_table(tx->catalogue, STR("replies"));
    const struct assignment lost = {table_field(replies, STR("note"))->column, value_integer(7)};

    assert_int_equal(add_role(in, tx), 0);
    return store_insert(tx->store, &replies->shape, &lost, 1, NULL, NULL);
}

static int64_t count_notes(struct instance *in)
{
    AUTO(arena_free) struct arena *arena = arena_new();
    struct tx tx = {.arena = arena};
    struct reader *reader;
    int64_t count = -1;

    assert_int_equal(reader_open(in->model, &reader), 0);
    assert_int_equal(reader_begin(reader, &tx), 0);
    const struct table *notes = catalogue_table(tx.catalogue, STR("notes"));
    if (notes) {
        struct select all = {.shape = &notes->shape, .limit = -1};
        assert_int_equal(store_count(tx.store, &all, &count), 0);
    }
    reader_end(reader);
    reader_close(reader);
    return count;
}

static void count_finding(void *context, struct str finding)
{
    (void)finding;
    ++*(int *)context;
}

static struct model_check check(struct instance *in)
{
    struct model_check check = {0};
    int told = 0;

    assert_int_equal(model_check(in->model, in->arena, count_finding, &told, &check), 0);
    assert_int_equal(told, check.findings);
    return check;
}

/* Changes the file of a stopped instance, as an accident would. */
static void tamper(struct instance *in, int (*act)(struct store *s, struct arena *a))
{
    struct store *store;

    assert_int_equal(store_open(&in->settings.store, STORE_WRITE, &store), 0);
    assert_int_equal(store_begin(store, STORE_SCHEMA), 0);
    assert_int_equal(act(store, in->arena), 0);
    assert_int_equal(store_commit(store), 0);
    store_close(store);
}

/* ---- tests ---- */

static void a_first_start_makes_an_instance_that_passes_its_check(void **state)
{
    struct instance *in = *state;
    struct model_check found = check(in);

    assert_int_equal(found.findings, 0);
    assert_true(found.entries > 0);
    assert_int_equal(found.first, 1);
    assert_int_equal(found.last, found.entries);
    assert_int_equal(found.commits, 1);
    assert_int_equal(found.epoch.len, 36);
}

static void what_was_written_is_there_after_a_restart(void **state)
{
    struct instance *in = *state;

    assert_int_equal(run(in, WRITER_SCHEMA, make_notes), 0);
    assert_int_equal(run(in, WRITER_ROWS, add_note), 0);
    struct journal_state before = state_of(in);
    instance_stop(in);
    instance_start(in);
    struct journal_state after = state_of(in);
    assert_int_equal(count_notes(in), 1);
    assert_true(str_equal(before.epoch, after.epoch));
    assert_int_equal(before.head, after.head);
    assert_int_equal(before.commits, after.commits);
    assert_int_equal(check(in).findings, 0);
}

static void a_second_process_is_locked_out(void **state)
{
    struct instance *in = *state;
    struct model *second;

    assert_int_equal(model_open(&in->settings, &second), STORE_LOCKED);
}

static void a_refused_request_leaves_no_trace_in_its_batch(void **state)
{
    struct instance *in = *state;

    assert_int_equal(run(in, WRITER_SCHEMA, make_notes), 0);
    struct journal_state before = state_of(in);
    assert_int_equal(writer_begin(in->writer, WRITER_ROWS), 0);
    assert_int_equal(run_in_batch(in, add_note), 0);
    assert_int_equal(in->commit->number, before.commits + 1);
    assert_int_equal(run_in_batch(in, add_and_refuse), REFUSED);
    assert_int_equal(in->problem.kind, PROBLEM_INVALID_PAYLOAD);
    assert_null(in->commit);
    assert_true(run_in_batch(in, add_and_fault) < 0);
    assert_int_equal(run_in_batch(in, add_note), 0);
    assert_int_equal(in->commit->number, before.commits + 2);
    assert_int_equal(in->commit->changes[0]->sequence, before.head + 2);
    assert_int_equal(writer_commit(in->writer), 0);
    assert_int_equal(count_notes(in), 2);
    assert_int_equal(state_of(in).head, before.head + 2);
    assert_int_equal(check(in).findings, 0);
}

static void a_batch_that_is_rolled_back_never_ran(void **state)
{
    struct instance *in = *state;

    assert_int_equal(run(in, WRITER_SCHEMA, make_notes), 0);
    struct journal_state before = state_of(in);
    assert_int_equal(writer_begin(in->writer, WRITER_ROWS), 0);
    assert_int_equal(run_in_batch(in, add_note), 0);
    writer_rollback(in->writer);
    assert_int_equal(count_notes(in), 0);
    assert_int_equal(run(in, WRITER_ROWS, add_note), 0);
    assert_int_equal(in->commit->number, before.commits + 1);
    assert_int_equal(state_of(in).head, before.head + 1);
    assert_int_equal(check(in).findings, 0);
}

static off_t size_of(const char *path, const char *suffix)
{
    char name[128];
    struct stat st;

    snprintf(name, sizeof(name), "%s%s", path, suffix);
    return stat(name, &st) == 0 ? st.st_size : -1;
}

static void a_batch_in_which_nothing_changed_does_not_touch_the_disk(void **state)
{
    struct instance *in = *state;
    off_t file = size_of(in->database.file, ""), log = size_of(in->database.file, "-wal");

    assert_int_equal(run(in, WRITER_ROWS, do_nothing), 0);
    assert_null(in->commit);
    assert_int_equal(size_of(in->database.file, ""), file);
    assert_int_equal(size_of(in->database.file, "-wal"), log);
    assert_int_equal(run(in, WRITER_ROWS, add_role), 0);
    assert_true(size_of(in->database.file, "-wal") > log); /* else the above shows nothing */
}

static void a_new_catalogue_is_published_when_it_is_durable(void **state)
{
    struct instance *in = *state;
    AUTO(catalogue_unref) struct catalogue *before = model_catalogue(in->model);

    assert_int_equal(writer_begin(in->writer, WRITER_SCHEMA), 0);
    assert_int_equal(run_in_batch(in, make_notes), 0);
    assert_ptr_equal(in->commit->catalogue, before);
    assert_non_null(in->commit->catalogue_after);
    assert_non_null(catalogue_table(in->commit->catalogue_after, STR("notes")));
    AUTO(catalogue_unref) struct catalogue *meanwhile = model_catalogue(in->model);
    assert_ptr_equal(meanwhile, before);
    assert_int_equal(writer_commit(in->writer), 0);
    AUTO(catalogue_unref) struct catalogue *after = model_catalogue(in->model);
    assert_ptr_equal(after, in->commit->catalogue_after);
    assert_int_equal(state_of(in).catalogue_version, after->version);
}

static void later_requests_of_a_batch_see_the_catalogue_of_the_earlier(void **state)
{
    struct instance *in = *state;

    assert_int_equal(run(in, WRITER_SCHEMA, make_notes), 0);
    assert_int_equal(writer_begin(in->writer, WRITER_ROWS), 0);
    assert_int_equal(run_in_batch(in, add_role), 0);
    AUTO(catalogue_unref) struct catalogue *brought = catalogue_ref(in->commit->catalogue_after);
    assert_int_equal(run_in_batch(in, add_note), 0);
    assert_ptr_equal(in->commit->catalogue, brought);
    assert_null(in->commit->catalogue_after);
    assert_int_equal(writer_commit(in->writer), 0);
}

static void a_catalogue_version_is_never_given_twice(void **state)
{
    struct instance *in = *state;

    assert_int_equal(writer_begin(in->writer, WRITER_SCHEMA), 0);
    assert_int_equal(run_in_batch(in, make_notes), 0);
    int64_t undone = in->commit->catalogue_after->version;
    writer_rollback(in->writer);
    assert_int_equal(run(in, WRITER_SCHEMA, make_and_refuse), REFUSED);
    assert_int_equal(run(in, WRITER_SCHEMA, make_notes), 0);
    assert_true(in->commit->catalogue_after->version > undone);
    assert_int_equal(check(in).findings, 0);
}

static void a_commit_says_who_when_and_from_where(void **state)
{
    struct instance *in = *state;

    in->caller.origin = 42;
    assert_int_equal(run(in, WRITER_ROWS, add_role), 0);
    assert_int_equal(in->commit->origin, 42);
    assert_null(in->commit->user.at); /* the instance itself */
    assert_true(in->commit->time_ms > 1600000000000);
    assert_int_equal(in->commit->count, 1);
    assert_int_equal(in->commit->changes[0]->kind, CHANGE_CREATE);
    assert_true(system_is(in->commit->changes[0]->table, SYSTEM_ROLES));
}

static void a_reader_keeps_its_moment(void **state)
{
    struct instance *in = *state;
    struct tx tx = {.arena = in->arena};
    struct reader *reader;
    int64_t count;

    assert_int_equal(run(in, WRITER_SCHEMA, make_notes), 0);
    assert_int_equal(reader_open(in->model, &reader), 0);
    assert_int_equal(reader_begin(reader, &tx), 0);
    int64_t head = tx.head;
    assert_int_equal(run(in, WRITER_ROWS, add_note), 0);
    const struct table *notes = catalogue_table(tx.catalogue, STR("notes"));
    struct select all = {.shape = &notes->shape, .limit = -1};
    assert_int_equal(store_count(tx.store, &all, &count), 0);
    assert_int_equal(count, 0);
    reader_end(reader);
    assert_int_equal(reader_begin(reader, &tx), 0);
    assert_int_equal(tx.head, head + 1);
    assert_int_equal(store_count(tx.store, &all, &count), 0);
    assert_int_equal(count, 1);
    reader_end(reader);
    reader_close(reader);
}

/* ---- tables that change under a reader ---- */

static int delete_notes(struct instance *in, struct tx *tx)
{
    (void)in;
    return schema_delete_collection(tx, STR("notes"));
}

static int delete_text(struct instance *in, struct tx *tx)
{
    (void)in;
    return schema_delete_field(tx, STR("notes"), STR("text"));
}

static int make_text(struct instance *in, struct tx *tx)
{
    struct str field;
    return schema_create_field(tx, STR("notes"),
                               json_of(in, "{\"field\":\"text\",\"type\":\"string\"}"), &field);
}

static int prune_all(struct instance *in)
{
    in->settings.journal_retention_ms = -1000;
    int rc = writer_prune(in->writer);
    in->settings.journal_retention_ms = 86400000;
    return rc;
}

struct shift {
    enum writer_kind kind;
    int (*act)(struct instance *in, struct tx *tx);
};

static int count_hello(void *context, const struct value *row)
{
    const struct value hello = value_text(STR("hello"));

    *(int *)context += value_equal(&row[1], &hello);
    return 0;
}

/* One note says hello when the read begins. It is read after `acts`: what the read ends with. */
static int read_across(struct instance *in, const struct shift *acts, size_t count, bool pruned,
                       enum store_trouble *trouble_out)
{
    struct tx tx = {.arena = in->arena};
    struct reader *reader;
    int hellos = 0;

    assert_int_equal(reader_open(in->model, &reader), 0);
    assert_int_equal(reader_begin(reader, &tx), 0);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(run(in, acts[i].kind, acts[i].act), 0);
    if (pruned)
        assert_int_equal(prune_all(in), 0);
    const struct table *notes = catalogue_table(tx.catalogue, STR("notes"));
    struct select all = {.shape = &notes->shape, .limit = -1};
    int rc = store_select(tx.store, &all, count_hello, &hellos);
    if (rc == 0)
        rc = reader_finish(reader);
    else
        reader_end(reader);
    *trouble_out = rc < 0 ? reader_trouble(reader) : STORE_SOUND;
    assert_true(rc < 0 || hellos == 1);
    reader_close(reader);
    return rc;
}

static void a_read_that_tables_changed_under_gives_no_wrong_answer(void **state)
{
    static const struct shift field[] = {{WRITER_SCHEMA, delete_text}, {WRITER_SCHEMA, make_text}};
    static const struct shift table[] = {{WRITER_SCHEMA, delete_notes},
                                         {WRITER_SCHEMA, make_notes}};
    struct instance *in = *state;
    enum store_trouble trouble;

    for (int i = 0; i < 2; i++) {
        if (i == 0)
            assert_int_equal(run(in, WRITER_SCHEMA, make_notes), 0);
        assert_int_equal(run(in, WRITER_ROWS, add_note), 0);
        int rc = read_across(in, i == 0 ? field : table, 2, false, &trouble);
        assert_int_equal(rc < 0, database_on_postgres());
        assert_int_equal(trouble, database_on_postgres() ? STORE_CONFLICT : STORE_SOUND);
        if (i == 0)
            assert_int_equal(run(in, WRITER_SCHEMA, delete_notes), 0);
        if (i == 0)
            assert_int_equal(run(in, WRITER_SCHEMA, make_notes), 0);
    }
}

/* A new role brings a new catalogue, and leaves tables as they are; unless nothing tells so. */
static void a_read_that_others_changed_under_counts(void **state)
{
    static const struct shift role = {WRITER_ROWS, add_role};
    struct instance *in = *state;
    enum store_trouble trouble;

    assert_int_equal(run(in, WRITER_SCHEMA, make_notes), 0);
    assert_int_equal(run(in, WRITER_ROWS, add_note), 0);
    assert_int_equal(read_across(in, NULL, 0, false, &trouble), 0);
    assert_int_equal(read_across(in, &role, 1, false, &trouble), 0);
    int rc = read_across(in, &role, 1, true, &trouble);
    assert_int_equal(rc < 0, database_on_postgres());
}

static void a_batch_that_cannot_be_committed_never_ran(void **state)
{
    struct instance *in = *state;

    assert_int_equal(run(in, WRITER_SCHEMA, make_replies), 0);
    AUTO(catalogue_unref) struct catalogue *before = model_catalogue(in->model);
    struct journal_state kept = state_of(in);
    assert_int_equal(run(in, WRITER_SCHEMA, add_lost_reply), STORE_FOREIGN_KEY);
    AUTO(catalogue_unref) struct catalogue *after = model_catalogue(in->model);
    assert_ptr_equal(after, before);
    assert_int_equal(state_of(in).head, kept.head);
    assert_int_equal(run(in, WRITER_ROWS, add_note), 0);
    assert_int_equal(in->commit->changes[0]->sequence, kept.head + 1);
    assert_int_equal(check(in).findings, 0);
}

static void a_commit_that_was_there_after_all_is_caught_up_with(void **state)
{
    struct instance *in = *state;
    struct store *store = in->model->store;
    struct journal_state moved = state_of(in);

    moved.catalogue_version += 5; /* as a commit would leave it that was reported as failed */
    assert_int_equal(store_begin(store, STORE_WRITE), 0);
    assert_int_equal(journal_state_write(store, &moved), 0);
    assert_int_equal(store_commit(store), 0);
    assert_int_equal(run(in, WRITER_ROWS, do_nothing), 0);
    AUTO(catalogue_unref) struct catalogue *caught_up = model_catalogue(in->model);
    assert_int_equal(caught_up->version, moved.catalogue_version);
    assert_int_equal(run(in, WRITER_ROWS, add_role), 0);
    assert_true(in->commit->catalogue_after->version > moved.catalogue_version);
    assert_int_equal(count_notes(in), -1); /* readers go on */
}

/* Reads until told to stop; says how often rows and catalogue did not fit together. */
struct watch {
    struct instance *in;
    atomic_bool stop;
    int misfits;
};

static void *watch_roles(void *context)
{
    struct watch *w = context;
    struct select all = {.shape = &system_table(SYSTEM_ROLES)->shape, .limit = -1};
    struct reader *reader;
    int64_t count = -1;

    if (reader_open(w->in->model, &reader) != 0)
        return NULL;
    do {
        AUTO(arena_free) struct arena *arena = arena_new();
        struct tx tx = {.arena = arena};
        if (reader_begin(reader, &tx) != 0 || store_count(tx.store, &all, &count) != 0 ||
            count != (int64_t)tx.catalogue->role_count)
            w->misfits++;
        reader_end(reader);
    } while (!atomic_load(&w->stop));
    reader_close(reader);
    return NULL;
}

static void readers_never_see_rows_and_catalogue_apart(void **state)
{
    struct instance *in = *state;
    struct watch watch = {.in = in};
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, watch_roles, &watch), 0);
    for (int i = 0; i < 50; i++)
        assert_int_equal(run(in, WRITER_ROWS, add_role), 0);
    atomic_store(&watch.stop, true);
    pthread_join(thread, NULL);
    assert_int_equal(watch.misfits, 0);
}

static void pruning_drops_what_is_past_its_retention(void **state)
{
    struct instance *in = *state;
    struct journal_state before = state_of(in);

    assert_int_equal(writer_prune(in->writer), 0);
    assert_int_equal(check(in).entries, before.head);
    in->settings.journal_retention_ms = -1000; /* everything is too old */
    assert_int_equal(writer_prune(in->writer), 0);
    struct model_check found = check(in);
    assert_int_equal(found.entries, 0);
    assert_int_equal(found.findings, 0);
    assert_int_equal(state_of(in).head, before.head);
    in->settings.journal_retention_ms = 86400000;
    assert_int_equal(run(in, WRITER_ROWS, add_role), 0);
    assert_int_equal(in->commit->changes[0]->sequence, before.head + 1);
    assert_int_equal(check(in).findings, 0);
}

static int set_format(struct store *s, struct arena *a, int64_t format)
{
    struct journal_state state;

    int rc = journal_state_read(s, a, &state);
    state.format = format;
    return rc ? rc : journal_state_write(s, &state);
}

static int set_newer_format(struct store *s, struct arena *a)
{
    return set_format(s, a, 4);
}

static int set_known_format(struct store *s, struct arena *a)
{
    return set_format(s, a, 3);
}

static void data_of_a_newer_version_is_not_opened(void **state)
{
    struct instance *in = *state;

    instance_stop(in);
    tamper(in, set_newer_format);
    assert_true(model_open(&in->settings, &in->model) < 0);
    assert_non_null(strstr(fault_text(), "newer version"));
    tamper(in, set_known_format);
    instance_start(in);
}

static int drop_second_entry(struct store *s, struct arena *a)
{
    return store_delete(s, &system_table(SYSTEM_JOURNAL)->shape,
                        system_test(a, SYSTEM_JOURNAL, "sequence", OP_EQ, value_integer(2)), 0,
                        NULL, NULL);
}

static int move_head(struct store *s, struct arena *a)
{
    struct journal_state state;

    int rc = journal_state_read(s, a, &state);
    state.head++;
    return rc ? rc : journal_state_write(s, &state);
}

static int drop_notes(struct store *s, struct arena *a)
{
    (void)a;
    return store_drop_table(s, STR("notes"));
}

static void a_check_finds_a_gap_a_wrong_head_and_a_missing_table(void **state)
{
    struct instance *in = *state;

    assert_int_equal(run(in, WRITER_SCHEMA, make_notes), 0);
    instance_stop(in);
    tamper(in, drop_second_entry);
    instance_start(in);
    int64_t findings = check(in).findings;
    assert_true(findings > 0);
    instance_stop(in);
    tamper(in, move_head);
    instance_start(in);
    assert_int_equal(check(in).findings, findings + 1);
    instance_stop(in);
    tamper(in, drop_notes);
    instance_start(in);
    assert_int_equal(check(in).findings, findings + 2);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, instance_setup, instance_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_first_start_makes_an_instance_that_passes_its_check),
        CASE(what_was_written_is_there_after_a_restart),
        CASE(a_second_process_is_locked_out),
        CASE(a_refused_request_leaves_no_trace_in_its_batch),
        CASE(a_batch_that_is_rolled_back_never_ran),
        CASE(a_new_catalogue_is_published_when_it_is_durable),
        CASE(later_requests_of_a_batch_see_the_catalogue_of_the_earlier),
        CASE(a_catalogue_version_is_never_given_twice),
        CASE(a_commit_says_who_when_and_from_where),
        CASE(a_reader_keeps_its_moment),
        CASE(a_read_that_tables_changed_under_gives_no_wrong_answer),
        CASE(a_read_that_others_changed_under_counts),
        CASE(a_batch_that_cannot_be_committed_never_ran),
        CASE(a_commit_that_was_there_after_all_is_caught_up_with),
        CASE(readers_never_see_rows_and_catalogue_apart),
        CASE(pruning_drops_what_is_past_its_retention),
        CASE(data_of_a_newer_version_is_not_opened),
        CASE(a_check_finds_a_gap_a_wrong_head_and_a_missing_table),
    };
    const struct CMUnitTest sqlite_s_own[] = {
        CASE(a_batch_in_which_nothing_changed_does_not_touch_the_disk),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return failed || database_on_postgres() ? failed
                                            : cmocka_run_group_tests(sqlite_s_own, NULL, NULL);
}
