#include "fixture.h"

/* Transactions in haste: what is inserted is told at once, and what is refused at the end. On
 * SQLite there is no haste: each insert is told what came of it, as ever. */

static const struct column columns[] = {
    {.name = {"id", 2},
     .type = TYPE_INTEGER,
     .index = 0,
     .primary_key = true,
     .auto_increment = true},
    {.name = {"name", 4}, .type = TYPE_STRING, .index = 1, .length_max = 10, .unique = true},
    {.name = {"score", 5},
     .type = TYPE_DECIMAL,
     .index = 2,
     .nullable = true,
     .default_value = {.kind = VALUE_REAL, .real = 0.25}},
};
static const struct shape people = {{"people", 6}, columns, COUNT_OF(columns), 0};

static int set_up(void **state)
{
    fixture_setup(state);
    struct fixture *f = *state;
    create(f->store, &people);
    return 0;
}
#define test_with_table(test) cmocka_unit_test_setup_teardown(test, set_up, fixture_teardown)

static int add(struct store *s, const char *name, struct rows *rows)
{
    const struct assignment assignment = {&columns[1], value_text(str_of(name))};
    return store_insert(s, &people, &assignment, 1, rows ? rows_take : NULL, rows);
}

static void begin(struct fixture *f)
{
    assert_int_equal(store_begin(f->store, STORE_HASTE), 0);
}

static void the_row_is_told_with_key_and_defaults_and_is_there(void **state)
{
    struct fixture *f = *state;
    struct rows rows;
    rows_start(&rows, 3);
    begin(f);
    assert_int_equal(add(f->store, "ann", &rows), 0);
    assert_int_equal(add(f->store, "bob", &rows), 0);
    assert_rows(&rows, "1|ann|0.25;2|bob|0.25;");
    assert_holds(f->store, &people, "1|ann|0.25;2|bob|0.25;");
    assert_int_equal(store_commit(f->store), 0);
    assert_holds(f->store, &people, "1|ann|0.25;2|bob|0.25;");
}

static void keys_go_on_in_any_kind_of_transaction(void **state)
{
    struct fixture *f = *state;
    begin(f);
    assert_int_equal(add(f->store, "a", NULL), 0);
    assert_int_equal(insert(f->store, &people, ROW(INTEGER(10), TEXT("b"), NONE)), 0);
    assert_int_equal(add(f->store, "c", NULL), 0);
    assert_int_equal(store_commit(f->store), 0);
    assert_int_equal(add(f->store, "d", NULL), 0); /* by itself */
    begin(f);
    assert_int_equal(add(f->store, "e", NULL), 0);
    assert_int_equal(store_commit(f->store), 0);
    assert_holds(f->store, &people, "1|a|0.25;10|b|-;11|c|0.25;12|d|0.25;13|e|0.25;");

    int64_t last = 0;
    assert_int_equal(store_last_key(f->store, &people, &last), 0);
    assert_int_equal(last, 13);
}

/* Counted by the transaction that came to nothing, and by nobody else. */
static void keys_of_what_came_to_nothing_are_given_again(void **state)
{
    struct fixture *f = *state;
    begin(f);
    assert_int_equal(add(f->store, "a", NULL), 0);
    store_rollback(f->store);
    begin(f);
    assert_int_equal(add(f->store, "b", NULL), 0);
    assert_int_equal(store_commit(f->store), 0);
    assert_holds(f->store, &people, "1|b|0.25;");
}

static void a_savepoint_undoes_its_inserts_alone(void **state)
{
    struct fixture *f = *state;
    begin(f);
    assert_int_equal(store_savepoint(f->store), 0);
    assert_int_equal(insert(f->store, &people, ROW(INTEGER(1), TEXT("a"), NONE)), 0);
    assert_int_equal(store_release(f->store), 0);
    assert_int_equal(store_savepoint(f->store), 0);
    assert_int_equal(insert(f->store, &people, ROW(INTEGER(2), TEXT("b"), NONE)), 0);
    assert_int_equal(store_rollback_to(f->store), 0);
    assert_int_equal(store_commit(f->store), 0);
    assert_holds(f->store, &people, "1|a|-;");
}

/* What came of it: an outcome at once, or a conflict that undoes all. */
static void check_refusal(struct fixture *f, int outcome, int rc)
{
    if (!database_on_postgres()) {
        assert_int_equal(rc, outcome);
        store_rollback(f->store);
        return;
    }
    assert_int_equal(rc, 0);
    assert_true(store_commit(f->store) < 0);
    assert_int_equal(store_trouble(f->store), STORE_CONFLICT);
}

static void what_is_refused_undoes_all_and_is_told_by_another_try(void **state)
{
    struct fixture *f = *state;
    const struct {
        int outcome;
        const char *name;
        struct value score;
    } refused[] = {{STORE_NOT_UNIQUE, "there", NONE}, {STORE_NULL, NULL, NONE}};
    assert_int_equal(add(f->store, "there", NULL), 0);
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        struct value name = refused[i].name ? value_text(str_of(refused[i].name)) : value_null();
        begin(f);
        assert_int_equal(add(f->store, "new", NULL), 0);
        check_refusal(f, refused[i].outcome,
                      insert(f->store, &people, ROW(INTEGER(50), name, refused[i].score)));
        assert_holds(f->store, &people, "1|there|0.25;");

        assert_int_equal(store_begin(f->store, STORE_WRITE), 0);
        assert_int_equal(insert(f->store, &people, ROW(INTEGER(50), name, refused[i].score)),
                         refused[i].outcome);
        assert_detail(f->store, "people", "name");
        store_rollback(f->store);
    }
    begin(f); /* the connection is as good as before */
    assert_int_equal(add(f->store, "last", NULL), 0);
    assert_int_equal(store_commit(f->store), 0);
    assert_holds(f->store, &people, "1|there|0.25;2|last|0.25;");
}

/* A statement that is waited for hears of those before it. */
static void a_later_statement_tells_too(void **state)
{
    struct fixture *f = *state;
    int64_t count;
    if (!database_on_postgres())
        return; /* as above: told at once */
    begin(f);
    assert_int_equal(add(f->store, "a", NULL), 0);
    assert_int_equal(add(f->store, "a", NULL), 0);
    assert_true(store_count(f->store, &(struct select){.shape = &people}, &count) < 0);
    assert_int_equal(store_trouble(f->store), STORE_CONFLICT);
    assert_true(store_commit(f->store) < 0);
    assert_holds(f->store, &people, "");
}

/* After the highest key that there can be comes none, and not the lowest. */
static void no_key_that_is_given_ends_the_count(void **state)
{
    static const struct column key[] = {{.name = {"id", 2},
                                         .type = TYPE_BIG_INTEGER,
                                         .index = 0,
                                         .primary_key = true,
                                         .auto_increment = true}};
    static const struct shape counted = {{"counted", 7}, key, 1, 0};
    const int64_t highest = STORE_GIVEN_KEY_MAX;
    const enum store_access accesses[] = {STORE_HASTE, STORE_WRITE};
    struct fixture *f = *state;
    create(f->store, &counted);
    for (size_t i = 0; i < COUNT_OF(accesses); i++) {
        assert_int_equal(store_begin(f->store, accesses[i]), 0);
        assert_int_equal(insert(f->store, &counted, ROW(INTEGER(INT64_MAX))), STORE_RANGE);
        assert_detail(f->store, "counted", "id");
        store_rollback(f->store);
        assert_int_equal(store_begin(f->store, accesses[i]), 0);
        assert_int_equal(insert(f->store, &counted, ROW(INTEGER(highest + 1))), STORE_RANGE);
        store_rollback(f->store);
    }
    begin(f);
    assert_int_equal(insert(f->store, &counted, ROW(INTEGER(highest))), 0);
    assert_int_equal(insert(f->store, &counted, ROW(NONE)), 0);
    assert_int_equal(store_commit(f->store), 0);
    assert_holds(f->store, &counted, "9223372032559808511;9223372032559808512;");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_table(the_row_is_told_with_key_and_defaults_and_is_there),
        test_with_table(keys_go_on_in_any_kind_of_transaction),
        test_with_table(keys_of_what_came_to_nothing_are_given_again),
        test_with_table(a_savepoint_undoes_its_inserts_alone),
        test_with_table(what_is_refused_undoes_all_and_is_told_by_another_try),
        test_with_table(a_later_statement_tells_too),
        test_with_table(no_key_that_is_given_ends_the_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
