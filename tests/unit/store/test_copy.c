#include "fixture.h"

#include <sys/stat.h>

#include "base/fault.h"
#include "store/files.h"

/* Counters of keys on both stores, and what only SQLite has: a file that is copied. */

static const struct column columns[] = {
    {.name = {"id", 2},
     .type = TYPE_INTEGER,
     .index = 0,
     .primary_key = true,
     .auto_increment = true},
    {.name = {"text", 4}, .type = TYPE_TEXT, .index = 1, .nullable = true},
};
static const struct shape things = {{"things", 6}, columns, 2, 0};
static const struct shape others = {{"it's \"other\"", 12}, columns, 2, 0};

static int set_up(void **state)
{
    fixture_setup(state);
    create(((struct fixture *)*state)->store, &things);
    return 0;
}
#define test_with_table(test) cmocka_unit_test_setup_teardown(test, set_up, fixture_teardown)

/* ---- counters ---- */

static int64_t last_key(struct store *s, const struct shape *shape)
{
    int64_t key = -1;
    assert_int_equal(store_last_key(s, shape, &key), 0);
    return key;
}

static void raise_to(struct store *s, const struct shape *shape, int64_t key)
{
    assert_int_equal(store_begin(s, STORE_SCHEMA), 0);
    assert_int_equal(store_raise_last_key(s, shape, key), 0);
    assert_int_equal(store_commit(s), 0);
}

static int take_key(void *context, const struct value *row)
{
    *(int64_t *)context = row[0].integer;
    return 0;
}

static int64_t next_key(struct store *s, const struct shape *shape)
{
    int64_t key = -1;
    assert_int_equal(store_insert(s, shape, NULL, 0, take_key, &key), 0);
    return key;
}

static void a_counter_is_at_the_highest_key_ever_given(void **state)
{
    struct fixture *f = *state;
    struct store *s = f->store;

    assert_int_equal(last_key(s, &things), 0);
    assert_int_equal(next_key(s, &things), 1);
    assert_int_equal(next_key(s, &things), 2);
    assert_int_equal(last_key(s, &things), 2);
    assert_int_equal(insert(s, &things, ROW(INTEGER(40), NONE)), 0);
    assert_int_equal(last_key(s, &things), 40);
    assert_int_equal(insert(s, &things, ROW(INTEGER(30), NONE)), 0);
    assert_int_equal(last_key(s, &things), 40);
    assert_int_equal(store_delete(s, &things, &expr_true, 0, NULL, NULL), 0);
    assert_int_equal(last_key(s, &things), 40);
}

static void a_counter_is_raised_and_never_lowered(void **state)
{
    struct fixture *f = *state;
    struct store *s = f->store;

    raise_to(s, &things, 0);
    assert_int_equal(next_key(s, &things), 1);
    raise_to(s, &things, 10);
    assert_int_equal(last_key(s, &things), 10);
    raise_to(s, &things, 10);
    raise_to(s, &things, 9);
    assert_int_equal(last_key(s, &things), 10);
    assert_int_equal(next_key(s, &things), 11);
    raise_to(s, &things, 12);
    assert_int_equal(next_key(s, &things), 13);
}

static void each_table_counts_for_itself_whatever_its_name(void **state)
{
    struct fixture *f = *state;
    struct store *s = f->store;

    create(s, &others);
    raise_to(s, &others, 5);
    assert_int_equal(last_key(s, &others), 5);
    assert_int_equal(last_key(s, &things), 0);
    assert_int_equal(next_key(s, &others), 6);
    assert_int_equal(next_key(s, &things), 1);
}

/* ---- a file ---- */

/* In the folder of the database; removed by whoever names it. */
static struct str beside(struct fixture *f, const char *name)
{
    return arena_printf(f->arena, "%s/%s", f->database.folder, name);
}

static bool exists(struct str path)
{
    return access(path.at, F_OK) == 0;
}

static struct store *open_file(struct str path)
{
    struct store *s = NULL;
    const struct store_settings settings = {.client = STORE_SQLITE, .filename = path};
    assert_int_equal(store_open(&settings, STORE_WRITE, &s), 0);
    return s;
}

static void write_text(struct str path, const char *text)
{
    FILE *file = fopen(path.at, "we");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void a_backup_holds_what_was_committed_beside_a_writer(void **state)
{
    struct fixture *f = *state;
    struct str path = beside(f, "copy");
    if (database_on_postgres())
        return;

    assert_int_equal(insert(f->store, &things, ROW(NONE, TEXT("kept"))), 0);
    assert_int_equal(store_begin(f->store, STORE_WRITE), 0);
    assert_int_equal(insert(f->store, &things, ROW(NONE, TEXT("not yet"))), 0);
    struct store *reader = fixture_open(f, STORE_READ);
    assert_int_equal(store_backup(reader, path), 0);
    store_close(reader);
    assert_int_equal(store_commit(f->store), 0);

    struct stat status;
    assert_int_equal(stat(path.at, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    struct store *copy = open_file(path);
    assert_holds(copy, &things, "1|kept;");
    assert_int_equal(last_key(copy, &things), 1);
    store_close(copy);
    store_remove_files(path);
}

static void a_backup_replaces_nothing(void **state)
{
    struct fixture *f = *state;
    struct str path = beside(f, "copy");
    if (database_on_postgres())
        return;

    write_text(path, "mine");
    assert_int_equal(store_backup(f->store, path), STORE_EXISTS);
    char text[8] = "";
    FILE *file = fopen(path.at, "re");
    assert_int_equal(fread(text, 1, sizeof(text) - 1, file), 4);
    fclose(file);
    assert_string_equal(text, "mine");
    unlink(path.at);
}

static void a_backup_that_cannot_be_is_a_fault_and_leaves_nothing(void **state)
{
    struct fixture *f = *state;

    if (database_on_postgres()) {
        assert_true(store_backup(f->store, STR("/tmp/never")) < 0);
        assert_non_null(strstr(fault_text(), "pg_dump"));
        assert_false(exists(STR("/tmp/never")));
        return;
    }
    assert_true(store_backup(f->store, beside(f, "nowhere/copy")) < 0);
}

static void a_database_gets_a_name_that_is_free_with_nothing_beside_it(void **state)
{
    struct fixture *f = *state;
    struct str passing = beside(f, "passing"), name = beside(f, "name");
    if (database_on_postgres())
        return;

    assert_int_equal(store_backup(f->store, passing), 0);
    struct store *s = open_file(passing);
    assert_int_equal(insert(s, &things, ROW(NONE, TEXT("x"))), 0);
    store_close(s);
    write_text(name, "mine");
    assert_int_equal(store_publish_file(passing, name), STORE_EXISTS);
    assert_true(exists(passing));
    unlink(name.at);

    assert_int_equal(store_publish_file(passing, name), 0);
    assert_false(exists(passing));
    assert_false(exists(beside(f, "passing-lock")));
    s = open_file(name);
    assert_holds(s, &things, "1|x;");
    store_close(s);
    store_remove_files(name);
    assert_true(store_publish_file(passing, name) < 0); /* it is not there any more */
}

/* What lies in the log would be lost. */
static void a_database_with_a_log_beside_it_gets_no_name(void **state)
{
    struct fixture *f = *state;
    struct str passing = beside(f, "passing"), name = beside(f, "name");
    if (database_on_postgres())
        return;

    assert_int_equal(store_backup(f->store, passing), 0);
    struct store *s = open_file(passing);
    assert_int_equal(insert(s, &things, ROW(NONE, TEXT("in the log"))), 0);
    assert_true(store_publish_file(passing, name) < 0);
    assert_false(exists(name));
    store_close(s);
    store_remove_files(passing);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_table(a_counter_is_at_the_highest_key_ever_given),
        test_with_table(a_counter_is_raised_and_never_lowered),
        test_with_table(each_table_counts_for_itself_whatever_its_name),
        test_with_table(a_backup_holds_what_was_committed_beside_a_writer),
        test_with_table(a_backup_replaces_nothing),
        test_with_table(a_backup_that_cannot_be_is_a_fault_and_leaves_nothing),
        test_with_table(a_database_gets_a_name_that_is_free_with_nothing_beside_it),
        test_with_table(a_database_with_a_log_beside_it_gets_no_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
