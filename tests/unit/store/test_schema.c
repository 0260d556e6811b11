#include "fixture.h"

/* people ◄── notes.by (set null), notes.under ──► notes (cascade) */
static const struct column people_columns[] = {
    {.name = {"id", 2},
     .type = TYPE_INTEGER,
     .index = 0,
     .primary_key = true,
     .auto_increment = true},
    {.name = {"name", 4}, .type = TYPE_STRING, .index = 1, .nullable = true, .indexed = true},
    {.name = {"age", 3}, .type = TYPE_STRING, .index = 2, .nullable = true},
};
static const struct shape people = {{"people", 6}, people_columns, 3, 0};

static const struct reference to_people = {{"people", 6}, {"id", 2}, ON_DELETE_SET_NULL};
static const struct reference to_note = {{"notes", 5}, {"id", 2}, ON_DELETE_CASCADE};
static const struct column note_columns[] = {
    {.name = {"id", 2},
     .type = TYPE_INTEGER,
     .index = 0,
     .primary_key = true,
     .auto_increment = true},
    {.name = {"by", 2},
     .type = TYPE_INTEGER,
     .index = 1,
     .nullable = true,
     .reference = &to_people},
    {.name = {"under", 5},
     .type = TYPE_INTEGER,
     .index = 2,
     .nullable = true,
     .reference = &to_note},
};
static const struct shape notes = {{"notes", 5}, note_columns, 3, 0};

static int set_up(void **state)
{
    fixture_setup(state);
    struct store *s = ((struct fixture *)*state)->store;
    create(s, &people);
    create(s, &notes);
    assert_int_equal(insert(s, &people, ROW(NONE, TEXT("ann"), TEXT("30"))), 0);
    assert_int_equal(insert(s, &people, ROW(NONE, TEXT("bob"), TEXT("31"))), 0);
    assert_int_equal(insert(s, &people, ROW(NONE, NONE, NONE)), 0);
    assert_int_equal(insert(s, &notes, ROW(NONE, INTEGER(1), NONE)), 0);
    assert_int_equal(insert(s, &notes, ROW(NONE, INTEGER(2), INTEGER(1))), 0);
    return 0;
}
#define test_with_tables(test) cmocka_unit_test_setup_teardown(test, set_up, fixture_teardown)

static const struct expr *by_id(struct fixture *f, int64_t id)
{
    const struct value v = INTEGER(id);
    return expr_test(f->arena, &people_columns[0], OP_EQ, &v, 1);
}

/* A copy of the shape with one more, changed or taken-away column; `from` follows. */
struct change {
    struct column columns[8];
    struct str from[8];
    struct shape after;
};

static void start(struct change *change, const struct shape *before)
{
    *change = (struct change){.after = *before};
    change->after.columns = change->columns;
    for (size_t i = 0; i < before->count; i++) {
        change->columns[i] = before->columns[i];
        change->from[i] = before->columns[i].name;
    }
}

static struct column *append(struct change *change, struct column c)
{
    c.index = (unsigned)change->after.count++;
    change->columns[c.index] = c;
    return &change->columns[c.index];
}

static int alter(struct store *s, const struct shape *before, const struct change *change)
{
    assert_int_equal(store_begin(s, STORE_SCHEMA), 0);
    int rc = store_alter_table(s, before, &change->after, change->from);
    if (rc == 0)
        assert_int_equal(store_commit(s), 0);
    else
        store_rollback(s); /* keeps the detail, which a statement would clear */
    return rc;
}

/* Which column it is, SQLite does not know. */
#define assert_refused_table(s, of_table) assert_text(store_detail(s).table, (of_table))

/* References are in force: a note of nobody is refused, and deleting cascades. */
static void assert_enforced(struct fixture *f)
{
    assert_int_equal(insert(f->store, &notes, ROW(NONE, INTEGER(99), NONE)), STORE_FOREIGN_KEY);
    assert_int_equal(store_delete(f->store, &people, by_id(f, 1), 0, NULL, NULL), 0);
    assert_holds(f->store, &notes, "1|-|-;2|2|1;");
    assert_int_equal(store_delete(f->store, &notes, by_id(f, 1), 0, NULL, NULL), 0);
    assert_holds(f->store, &notes, "");
}

static size_t count_indexes(struct fixture *f)
{
    static const struct column type = {.name = {"type", 4}, .type = TYPE_TEXT};
    static const struct shape sqlite = {{"sqlite_schema", 13}, &type, 1, 0};
    static const struct column schema = {.name = {"schemaname", 10}, .type = TYPE_TEXT};
    static const struct shape postgres = {{"pg_indexes", 10}, &schema, 1, 0};
    const bool on_postgres = f->database.settings.client == STORE_POSTGRES;
    const struct value v = value_text(str_of(on_postgres ? f->database.schema : "index"));
    const struct select select = {
        .shape = on_postgres ? &postgres : &sqlite,
        .where = expr_test(f->arena, on_postgres ? &schema : &type, OP_EQ, &v, 1),
        .limit = -1};
    int64_t count = 0;
    assert_int_equal(store_count(f->store, &select, &count), 0);
    return (size_t)count;
}

/* ---- tables ---- */

static void tables_exist_without_regard_to_case(void **state)
{
    struct fixture *f = *state;
    bool exists;
    assert_int_equal(store_table_exists(f->store, STR("PEOPLE"), &exists), 0);
    assert_true(exists);
    assert_int_equal(store_table_exists(f->store, STR("peopl"), &exists), 0);
    assert_false(exists);

    const struct shape upper = {STR("PEOPLE"), people_columns, 3, 0};
    assert_int_equal(store_begin(f->store, STORE_SCHEMA), 0);
    assert_int_equal(store_create_table(f->store, &upper), STORE_EXISTS);
    assert_detail(f->store, "PEOPLE", "");
    store_rollback(f->store);
}

static void two_columns_of_one_name_are_refused(void **state)
{
    struct fixture *f = *state;
    struct change change;
    start(&change, &people);
    append(&change, (struct column){.name = STR("NAME"), .type = TYPE_TEXT, .nullable = true});
    assert_int_equal(alter(f->store, &people, &change), STORE_EXISTS);
    assert_detail(f->store, "people", "NAME");
    assert_holds(f->store, &people, "1|ann|30;2|bob|31;3|-|-;");
}

static void odd_names_are_only_names(void **state)
{
    struct fixture *f = *state;
    const struct column columns[] = {
        {.name = STR("a.b \"c\"; --"), .type = TYPE_STRING, .index = 0, .primary_key = true},
        {.name = STR("select"), .type = TYPE_TEXT, .index = 1, .indexed = true, .unique = true}};
    const struct shape odd = {STR("order.by '\"?1"), columns, 2, 0};
    create(f->store, &odd);
    assert_int_equal(insert(f->store, &odd, ROW(TEXT("k"), TEXT("v"))), 0);
    assert_int_equal(insert(f->store, &odd, ROW(TEXT("k"), TEXT("w"))), STORE_NOT_UNIQUE);
    assert_detail(f->store, "order.by '\"?1", "a.b \"c\"; --");
    assert_holds(f->store, &odd, "k|v;");

    const struct shape with_nul = {{"a\0b", 3}, columns, 2, 0};
    assert_int_equal(store_begin(f->store, STORE_SCHEMA), 0);
    assert_true(store_create_table(f->store, &with_nul) < 0);
    store_rollback(f->store);
}

static void a_table_that_is_referred_to_cannot_be_dropped(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(store_begin(f->store, STORE_SCHEMA), 0);
    assert_int_equal(store_drop_table(f->store, STR("people")), 0);
    assert_int_equal(store_commit(f->store), STORE_FOREIGN_KEY);
    assert_refused_table(f->store, "notes");
    assert_holds(f->store, &people, "1|ann|30;2|bob|31;3|-|-;");
    assert_enforced(f);

    assert_int_equal(store_begin(f->store, STORE_SCHEMA), 0);
    assert_int_equal(store_drop_table(f->store, STR("notes")), 0);
    assert_int_equal(store_drop_table(f->store, STR("people")), 0);
    assert_int_equal(store_commit(f->store), 0);
}

static void references_are_in_force_again_after_a_rollback(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(store_begin(f->store, STORE_SCHEMA), 0);
    assert_int_equal(store_drop_table(f->store, STR("people")), 0);
    store_rollback(f->store);
    assert_enforced(f);
}

/* ---- alterations ---- */

static void a_plain_column_is_appended(void **state)
{
    struct fixture *f = *state;
    struct change change;
    start(&change, &people);
    append(&change, (struct column){
                        .name = STR("born"), .type = TYPE_DATE, .nullable = true, .indexed = true});
    size_t indexes = count_indexes(f);
    assert_int_equal(alter(f->store, &people, &change), 0);
    assert_holds(f->store, &change.after, "1|ann|30|-;2|bob|31|-;3|-|-|-;");
    assert_int_equal(count_indexes(f), indexes + 1);
    assert_int_equal(insert(f->store, &change.after, ROW(NONE, NONE, NONE, TEXT("2024-01-02"))), 0);
    assert_holds(f->store, &change.after, "1|ann|30|-;2|bob|31|-;3|-|-|-;4|-|-|2024-01-02;");
    assert_enforced(f);
}

static void a_new_column_is_filled_with_its_default(void **state)
{
    struct fixture *f = *state;
    struct change change;
    start(&change, &people);
    append(&change,
           (struct column){.name = STR("score"), .type = TYPE_FLOAT, .default_value = REAL(0.1)});
    assert_int_equal(alter(f->store, &people, &change), 0);
    assert_holds(f->store, &change.after, "1|ann|30|0.1;2|bob|31|0.1;3|-|-|0.1;");
    assert_enforced(f);
}

static void a_new_column_without_default_may_not_demand_a_value(void **state)
{
    struct fixture *f = *state;
    struct change change;
    start(&change, &people);
    append(&change, (struct column){.name = STR("score"), .type = TYPE_FLOAT});
    assert_int_equal(alter(f->store, &people, &change), STORE_NULL);
    assert_detail(f->store, "people", "score");
    assert_holds(f->store, &people, "1|ann|30;2|bob|31;3|-|-;");
    assert_enforced(f);
}

static void values_are_converted_to_a_new_type(void **state)
{
    struct fixture *f = *state;
    struct change change;
    start(&change, &people);
    change.columns[2].type = TYPE_INTEGER;
    assert_int_equal(alter(f->store, &people, &change), 0);
    const struct value limit = INTEGER(31);
    const struct select select = {.shape = &change.after,
                                  .where =
                                      expr_test(f->arena, &change.columns[2], OP_LT, &limit, 1),
                                  .limit = -1};
    assert_selects(f->store, &select, "1|ann|30;");
    assert_enforced(f);
}

static void a_value_that_does_not_convert_refuses_the_change(void **state)
{
    struct fixture *f = *state;
    struct change change;
    start(&change, &people);
    change.columns[1].type = TYPE_INTEGER;
    assert_int_equal(alter(f->store, &people, &change), STORE_RANGE);
    assert_detail(f->store, "people", "name");
    assert_holds(f->store, &people, "1|ann|30;2|bob|31;3|-|-;");
    change.columns[1].type = TYPE_STRING;
    change.columns[1].length_max = 2;
    assert_int_equal(alter(f->store, &people, &change), STORE_RANGE);
    change.columns[1].length_max = 3;
    assert_int_equal(alter(f->store, &people, &change), 0);
    assert_holds(f->store, &change.after, "1|ann|30;2|bob|31;3|-|-;");
    assert_enforced(f);
}

static void constraints_are_checked_against_the_rows(void **state)
{
    struct fixture *f = *state;
    struct change change;
    start(&change, &people);
    change.columns[1].nullable = false;
    assert_int_equal(alter(f->store, &people, &change), STORE_NULL);
    assert_detail(f->store, "people", "name");
    assert_int_equal(insert(f->store, &people, ROW(NONE, TEXT("ann"), NONE)), 0);
    start(&change, &people);
    change.columns[1].unique = true;
    assert_int_equal(alter(f->store, &people, &change), STORE_NOT_UNIQUE);
    assert_detail(f->store, "people", "name");
    change.columns[1].unique = false;
    change.columns[2].unique = true; /* nulls are not equal */
    assert_int_equal(alter(f->store, &people, &change), 0);
    assert_int_equal(insert(f->store, &people, ROW(NONE, NONE, TEXT("30"))), STORE_NOT_UNIQUE);
    assert_enforced(f);
}

static void columns_go_move_and_change_their_name(void **state)
{
    struct fixture *f = *state;
    struct change change;
    start(&change, &people);
    change.after.count = 2;
    change.columns[1] = people_columns[2];
    change.columns[1].index = 1;
    change.columns[1].name = STR("years");
    change.from[1] = STR("age");
    assert_int_equal(alter(f->store, &people, &change), 0);
    assert_holds(f->store, &change.after, "1|30;2|31;3|-;");
    assert_enforced(f);
}

static void a_table_that_refers_to_itself_is_changed(void **state)
{
    struct fixture *f = *state;
    struct change change;
    start(&change, &notes);
    append(&change,
           (struct column){.name = STR("done"), .type = TYPE_BOOLEAN, .default_value = INTEGER(0)});
    assert_int_equal(alter(f->store, &notes, &change), 0);
    assert_holds(f->store, &change.after, "1|1|-|0;2|2|1|0;");
    assert_int_equal(insert(f->store, &change.after, ROW(NONE, NONE, INTEGER(77), INTEGER(0))),
                     STORE_FOREIGN_KEY);
    assert_enforced(f);
}

static void a_changed_table_does_not_give_a_key_again(void **state)
{
    struct fixture *f = *state;
    struct change change;
    start(&change, &people);
    change.columns[2].type = TYPE_INTEGER;
    assert_int_equal(store_delete(f->store, &people, by_id(f, 3), 0, NULL, NULL), 0);
    assert_int_equal(alter(f->store, &people, &change), 0);
    assert_int_equal(insert(f->store, &change.after, ROW(NONE, TEXT("dan"), NONE)), 0);
    assert_holds(f->store, &change.after, "1|ann|30;2|bob|31;4|dan|-;");
}

static void a_reference_is_added_only_if_it_holds(void **state)
{
    struct fixture *f = *state;
    struct change change;
    start(&change, &people);
    change.columns[2].type = TYPE_INTEGER;
    assert_int_equal(alter(f->store, &people, &change), 0);
    const struct shape before = change.after;
    struct column before_columns[3];
    memcpy(before_columns, change.columns, sizeof(before_columns));
    const struct shape integers = {before.name, before_columns, 3, 0};
    change.columns[2].reference = &to_note;
    assert_int_equal(store_begin(f->store, STORE_SCHEMA), 0);
    assert_int_equal(store_alter_table(f->store, &integers, &change.after, change.from), 0);
    assert_int_equal(store_commit(f->store), STORE_FOREIGN_KEY);
    assert_refused_table(f->store, "people");
    assert_holds(f->store, &integers, "1|ann|30;2|bob|31;3|-|-;");
    assert_enforced(f);
}

static void an_index_comes_and_goes_without_a_rebuild(void **state)
{
    struct fixture *f = *state;
    struct change change;
    size_t indexes = count_indexes(f);
    start(&change, &people);
    change.columns[1].indexed = false;
    assert_int_equal(alter(f->store, &people, &change), 0);
    assert_int_equal(count_indexes(f), indexes - 1);
    struct change back;
    start(&back, &people);
    assert_int_equal(alter(f->store, &change.after, &back), 0);
    assert_int_equal(count_indexes(f), indexes);
    back.columns[2].length_max = 9;
    assert_int_equal(alter(f->store, &people, &back), 0);
    assert_int_equal(count_indexes(f), indexes);
}

static void a_refused_change_leaves_the_rest_of_the_transaction(void **state)
{
    struct fixture *f = *state;
    struct change change;
    start(&change, &people);
    change.columns[1].type = TYPE_UUID;
    assert_int_equal(store_begin(f->store, STORE_SCHEMA), 0);
    assert_int_equal(insert(f->store, &people, ROW(NONE, TEXT("dan"), NONE)), 0);
    assert_int_equal(store_alter_table(f->store, &people, &change.after, change.from), STORE_RANGE);
    assert_int_equal(insert(f->store, &people, ROW(NONE, TEXT("eve"), NONE)), 0);
    assert_int_equal(store_commit(f->store), 0);
    assert_holds(f->store, &people, "1|ann|30;2|bob|31;3|-|-;4|dan|-;5|eve|-;");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_tables(tables_exist_without_regard_to_case),
        test_with_tables(two_columns_of_one_name_are_refused),
        test_with_tables(odd_names_are_only_names),
        test_with_tables(a_table_that_is_referred_to_cannot_be_dropped),
        test_with_tables(references_are_in_force_again_after_a_rollback),
        test_with_tables(a_plain_column_is_appended),
        test_with_tables(a_new_column_is_filled_with_its_default),
        test_with_tables(a_new_column_without_default_may_not_demand_a_value),
        test_with_tables(values_are_converted_to_a_new_type),
        test_with_tables(a_value_that_does_not_convert_refuses_the_change),
        test_with_tables(constraints_are_checked_against_the_rows),
        test_with_tables(columns_go_move_and_change_their_name),
        test_with_tables(a_table_that_refers_to_itself_is_changed),
        test_with_tables(a_changed_table_does_not_give_a_key_again),
        test_with_tables(a_reference_is_added_only_if_it_holds),
        test_with_tables(an_index_comes_and_goes_without_a_rebuild),
        test_with_tables(a_refused_change_leaves_the_rest_of_the_transaction),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
