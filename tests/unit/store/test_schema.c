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

/* ---- names ---- */

static void names_may_be_as_long_as_postgresql_keeps_them(void **state)
{
    struct fixture *f = *state;
    char table[STORE_NAME_MAX + 2], column[STORE_NAME_MAX + 2];
    memset(table, 't', sizeof(table));
    memset(column, 'c', sizeof(column));
    const struct str longest_table = {table, STORE_NAME_MAX};
    const struct reference to_itself = {longest_table, {"id", 2}, ON_DELETE_CASCADE};
    const struct column columns[] = {people_columns[0],
                                     {.name = {column, STORE_NAME_MAX},
                                      .type = TYPE_INTEGER,
                                      .index = 1,
                                      .nullable = true,
                                      .unique = true,
                                      .reference = &to_itself},
                                     {.name = {column, STORE_NAME_MAX - 1},
                                      .type = TYPE_INTEGER,
                                      .index = 2,
                                      .nullable = true,
                                      .reference = &to_itself}};
    const struct shape shape = {longest_table, columns, 3, 0};
    create(f->store, &shape);
    assert_int_equal(insert(f->store, &shape, ROW(NONE, INTEGER(1), INTEGER(1))), 0);
    assert_int_equal(insert(f->store, &shape, ROW(NONE, INTEGER(1), NONE)), STORE_NOT_UNIQUE);
    assert_true(str_equal(store_detail(f->store).column, columns[1].name));
    assert_int_equal(insert(f->store, &shape, ROW(NONE, NONE, INTEGER(9))), STORE_FOREIGN_KEY);

    const struct shape too_long = {{table, STORE_NAME_MAX + 1}, people_columns, 3, 0};
    struct change change;
    start(&change, &people);
    change.columns[2].name = (struct str){column, STORE_NAME_MAX + 1};
    assert_int_equal(alter(f->store, &people, &change), STORE_RANGE);
    assert_int_equal(store_begin(f->store, STORE_SCHEMA), 0);
    assert_int_equal(store_create_table(f->store, &too_long), STORE_RANGE);
    store_rollback(f->store);
}

static void two_columns_take_each_others_name(void **state)
{
    struct fixture *f = *state;
    struct change change;
    size_t indexes = count_indexes(f);
    start(&change, &people);
    change.columns[1].name = STR("age");
    change.columns[2].name = STR("name");
    change.columns[2].unique = true;
    change.columns[2].indexed = true;
    assert_int_equal(alter(f->store, &people, &change), 0);
    assert_holds(f->store, &change.after, "1|ann|30;2|bob|31;3|-|-;");
    assert_int_equal(insert(f->store, &change.after, ROW(NONE, TEXT("ann"), TEXT("30"))),
                     STORE_NOT_UNIQUE);
    assert_detail(f->store, "people", "name");
    assert_int_equal(count_indexes(f), indexes + 1);

    struct change back;
    start(&back, &change.after);
    back.columns[1] = people_columns[1];
    back.columns[2] = people_columns[2];
    assert_int_equal(alter(f->store, &change.after, &back), 0);
    assert_holds(f->store, &people, "1|ann|30;2|bob|31;3|-|-;");
    assert_int_equal(insert(f->store, &people, ROW(NONE, TEXT("ann"), TEXT("30"))), 0);
    assert_int_equal(count_indexes(f), indexes);
    assert_enforced(f);
}

/* ---- keys ---- */

static int64_t last_key(struct store *s, const struct shape *shape)
{
    int64_t key = -1;
    assert_int_equal(store_last_key(s, shape, &key), 0);
    return key;
}

static void raise_key(struct store *s, const struct shape *shape, int64_t key)
{
    assert_int_equal(store_begin(s, STORE_SCHEMA), 0);
    assert_int_equal(store_raise_last_key(s, shape, key), 0);
    assert_int_equal(store_commit(s), 0);
}

static void the_highest_key_that_was_given_is_known_and_only_rises(void **state)
{
    struct fixture *f = *state;
    const struct shape others = {STR("other \"people\""), people_columns, 3, 0};
    create(f->store, &others);
    assert_int_equal(last_key(f->store, &others), 0);
    assert_int_equal(last_key(f->store, &people), 3);
    assert_int_equal(store_delete(f->store, &people, by_id(f, 3), 0, NULL, NULL), 0);
    assert_int_equal(last_key(f->store, &people), 3);

    raise_key(f->store, &people, 2);
    assert_int_equal(last_key(f->store, &people), 3);
    raise_key(f->store, &people, 0);
    raise_key(f->store, &people, -7);
    assert_int_equal(last_key(f->store, &people), 3);
    raise_key(f->store, &people, 9);
    raise_key(f->store, &others, 1);
    assert_int_equal(last_key(f->store, &others), 1);
    assert_int_equal(insert(f->store, &people, ROW(NONE, NONE, NONE)), 0);
    assert_int_equal(insert(f->store, &others, ROW(NONE, NONE, NONE)), 0);
    assert_holds(f->store, &people, "1|ann|30;2|bob|31;10|-|-;");
    assert_holds(f->store, &others, "2|-|-;");
}

static void a_key_that_is_given_counts(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(insert(f->store, &people, ROW(INTEGER(20), NONE, NONE)), 0);
    assert_int_equal(insert(f->store, &people, ROW(INTEGER(10), NONE, NONE)), 0);
    assert_int_equal(insert(f->store, &people, ROW(INTEGER(-4), NONE, NONE)), 0);
    assert_int_equal(last_key(f->store, &people), 20);
    assert_int_equal(insert(f->store, &people, ROW(NONE, NONE, NONE)), 0);
    assert_holds(f->store, &people, "-4|-|-;1|ann|30;2|bob|31;3|-|-;10|-|-;20|-|-;21|-|-;");
}

/* words ◄── uses.word */
static const struct reference to_word = {{"words", 5}, {"word", 4}, ON_DELETE_CASCADE};
static const struct column word_columns[] = {
    {.name = {"word", 4}, .type = TYPE_STRING, .index = 0, .length_max = 8, .primary_key = true},
    {.name = {"rank", 4}, .type = TYPE_STRING, .index = 1, .nullable = true, .length_max = 4}};
static const struct shape words = {{"words", 5}, word_columns, 2, 0};
static const struct column use_columns[] = {
    {.name = {"id", 2}, .type = TYPE_UUID, .index = 0, .primary_key = true},
    {.name = {"word", 4},
     .type = TYPE_STRING,
     .index = 1,
     .nullable = true,
     .length_max = 8,
     .reference = &to_word}};
static const struct shape uses = {{"uses", 4}, use_columns, 2, 0};
#define USE_ID_TAIL "b8a1f9e-5d3c-4e2f-8a7b-6c5d4e3f2a1b"
#define USE_ID "0" USE_ID_TAIL

static void a_key_of_text_changes_its_length_under_references(void **state)
{
    struct fixture *f = *state;
    struct change change;
    create(f->store, &words);
    create(f->store, &uses);
    assert_int_equal(insert(f->store, &words, ROW(TEXT("one   "), TEXT("1"))), 0);
    assert_int_equal(insert(f->store, &uses, ROW(TEXT(USE_ID), TEXT("one   "))), 0);
    start(&change, &words);
    change.columns[0].length_max = 5;
    assert_int_equal(alter(f->store, &words, &change), STORE_RANGE); /* blanks count */
    assert_detail(f->store, "words", "word");
    change.columns[0].length_max = 6;
    change.columns[1].type = TYPE_INTEGER;
    change.columns[1].length_max = 0;
    assert_int_equal(alter(f->store, &words, &change), 0);
    assert_holds(f->store, &change.after, "one   |1;");

    struct change wide;
    start(&wide, &change.after);
    wide.columns[0].length_max = 0;
    assert_int_equal(alter(f->store, &change.after, &wide), 0);
    assert_int_equal(insert(f->store, &wide.after, ROW(TEXT("a longer word"), NONE)), 0);
    assert_int_equal(store_update(f->store, &uses,
                                  &(struct assignment){&use_columns[1], TEXT("none")}, 1, NULL, 0,
                                  NULL, NULL),
                     STORE_FOREIGN_KEY);
    assert_int_equal(store_delete(f->store, &words, NULL, 0, NULL, NULL), 0);
    assert_holds(f->store, &uses, "");
}

/* ---- conversion ---- */

/* Both stores give the same, because both ask type_convert(). */
static void every_type_becomes_another(void **state)
{
    static const struct {
        enum type_id from, to;
        const char *text; /* absent: `number` is the value */
        double number;
        const char *becomes;
    } conversions[] = {
        {TYPE_STRING, TYPE_DATE, "2024-01-02 10:11", 0, "2024-01-02"},
        {TYPE_TEXT, TYPE_TIME, "10:11", 0, "10:11:00"},
        {TYPE_DATE, TYPE_DATE_TIME, "2024-01-02", 0, "2024-01-02T00:00:00"},
        {TYPE_DATE_TIME, TYPE_TIMESTAMP, "2024-01-02T10:11:12", 0, "2024-01-02T10:11:12.000Z"},
        {TYPE_TIMESTAMP, TYPE_STRING, "2024-01-02T10:11:12.500Z", 0, "2024-01-02T10:11:12.500Z"},
        {TYPE_UUID, TYPE_TEXT, USE_ID, 0, USE_ID},
        {TYPE_STRING, TYPE_UUID, USE_ID, 0, USE_ID},
        {TYPE_JSON, TYPE_TEXT, "{\"a\":1}", 0, "{\"a\":1}"},
        {TYPE_CSV, TYPE_JSON, "a,b", 0, "[\"a\",\"b\"]"},
        {TYPE_TEXT, TYPE_CSV, "a,b", 0, "a,b"},
        {TYPE_FLOAT, TYPE_INTEGER, NULL, 12, "12"},
        {TYPE_FLOAT, TYPE_DECIMAL, NULL, 1.125, "1.125"},
        {TYPE_DECIMAL, TYPE_STRING, NULL, 0.5, "0.5"},
        {TYPE_STRING, TYPE_FLOAT, "0.1", 0, "0.1"},
        {TYPE_STRING, TYPE_BOOLEAN, "true", 0, "1"},
    };
    struct fixture *f = *state;
    struct column columns[COUNT_OF(conversions) + 1] = {people_columns[0]};
    struct value row[COUNT_OF(conversions) + 1] = {INTEGER(1)};
    struct str from[COUNT_OF(conversions) + 1] = {people_columns[0].name};
    struct rows expected;
    rows_start(&expected, 0);
    buf_put_char(&expected.text, '1');
    for (unsigned i = 1; i < COUNT_OF(columns); i++) {
        columns[i] = (struct column){.name = arena_printf(f->arena, "c%u", i),
                                     .type = conversions[i - 1].from,
                                     .index = i,
                                     .nullable = true};
        from[i] = columns[i].name;
        row[i] = conversions[i - 1].text ? value_text(str_of(conversions[i - 1].text))
                                         : value_real(conversions[i - 1].number);
        buf_printf(&expected.text, "|%s", conversions[i - 1].becomes);
    }
    const struct shape before = {STR("kinds"), columns, COUNT_OF(columns), 0};
    create(f->store, &before);
    assert_int_equal(insert(f->store, &before, row), 0);

    struct column changed[COUNT_OF(columns)];
    memcpy(changed, columns, sizeof(changed));
    for (size_t i = 1; i < COUNT_OF(columns); i++)
        changed[i].type = conversions[i - 1].to;
    const struct shape after = {before.name, changed, COUNT_OF(columns), 0};
    assert_int_equal(store_begin(f->store, STORE_SCHEMA), 0);
    assert_int_equal(store_alter_table(f->store, &before, &after, from), 0);
    assert_int_equal(store_commit(f->store), 0);
    buf_put(&expected.text, ";", sizeof(";"));
    assert_holds(f->store, &after, expected.text.at);
    buf_deinit(&expected.text);
}

static int sum(void *context, const struct value *row)
{
    *(int64_t *)context += value_is_null(&row[1]) ? 1000000 : row[1].integer;
    return 0;
}

/* More rows than are converted at a time, with nulls between them. */
static void all_rows_of_a_large_table_are_converted(void **state)
{
    enum { ROWS = 1201 };
    struct fixture *f = *state;
    struct change change;
    char text[16];
    int64_t total = 0;
    create(f->store, &words);
    assert_int_equal(store_begin(f->store, STORE_WRITE), 0);
    for (int i = 1; i <= ROWS; i++) {
        snprintf(text, sizeof(text), "%d", i);
        const struct value key = value_text(str_of(text));
        assert_int_equal(insert(f->store, &words, ROW(key, i % 600 == 0 ? NONE : key)), 0);
    }
    assert_int_equal(store_commit(f->store), 0);
    start(&change, &words);
    change.columns[1].type = TYPE_INTEGER;
    change.columns[1].indexed = true;
    assert_int_equal(alter(f->store, &words, &change), 0);
    assert_int_equal(
        store_select(f->store, &(struct select){.shape = &change.after, .limit = -1}, sum, &total),
        0);
    assert_int_equal(total, ROWS * (ROWS + 1) / 2 - 600 - 1200 + 2 * 1000000);

    struct change back; /* the last row of all does not fit */
    start(&back, &change.after);
    back.columns[1].type = TYPE_STRING;
    back.columns[1].length_max = 2;
    assert_int_equal(alter(f->store, &change.after, &back), STORE_RANGE);
    assert_detail(f->store, "words", "rank");
}

static void rows_are_converted_whatever_their_key_is(void **state)
{
    static const struct {
        enum type_id type;
        struct value keys[2];
        const char *holds;
    } tables[] = {
        {TYPE_BIG_INTEGER,
         {{VALUE_INTEGER, {INT64_MIN}}, {VALUE_INTEGER, {INT64_MAX}}},
         "-9223372036854775808|7|x;9223372036854775807|8|x;"},
        {TYPE_UUID,
         {{VALUE_TEXT, {.text = STR_INIT(USE_ID)}},
          {VALUE_TEXT, {.text = STR_INIT("f" USE_ID_TAIL)}}},
         USE_ID "|7|x;f" USE_ID_TAIL "|8|x;"},
        {TYPE_STRING,
         {{VALUE_TEXT, {.text = STR_INIT("'")}}, {VALUE_TEXT, {.text = STR_INIT("a\\\"")}}},
         "'|7|x;a\\\"|8|x;"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < COUNT_OF(tables); i++) {
        const struct column columns[] = {
            {.name = {"v0", 2}, .type = tables[i].type, .index = 0, .primary_key = true},
            {.name = {"v1", 2}, .type = TYPE_TEXT, .index = 1},
            {.name = {"v2", 2}, .type = TYPE_TEXT, .index = 2}};
        const struct shape before = {str_of(types[tables[i].type].name), columns, 3, 0};
        struct change change;
        create(f->store, &before);
        for (int row = 0; row < 2; row++)
            assert_int_equal(
                insert(f->store, &before,
                       ROW(tables[i].keys[row], row ? TEXT("8") : TEXT("7"), TEXT("x"))),
                0);
        start(&change, &before);
        change.columns[1].type = TYPE_INTEGER;
        assert_int_equal(alter(f->store, &before, &change), 0);
        assert_holds(f->store, &change.after, tables[i].holds);
    }
}

static void large_values_are_converted(void **state)
{
    enum { SIZE = 3 * 1024 * 1024, ROWS = 4 };
    struct fixture *f = *state;
    struct change change;
    char *text = malloc(SIZE);
    int64_t count = 0;
    memset(text, 'x', SIZE);
    struct column columns[] = {
        people_columns[0], {.name = {"note", 4}, .type = TYPE_TEXT, .index = 1, .nullable = true}};
    const struct shape large = {STR("large"), columns, 2, 0};
    create(f->store, &large);
    for (int i = 0; i < ROWS; i++)
        assert_int_equal(insert(f->store, &large, ROW(NONE, value_text((struct str){text, SIZE}))),
                         0);
    free(text);
    start(&change, &large);
    change.columns[1].type = TYPE_JSON;
    assert_int_equal(alter(f->store, &large, &change), 0);
    const struct select select = {.shape = &change.after,
                                  .where =
                                      expr_test(f->arena, &change.columns[1], OP_NNULL, NULL, 0),
                                  .limit = -1};
    assert_int_equal(store_count(f->store, &select, &count), 0);
    assert_int_equal(count, ROWS);
}

static void a_default_comes_changes_and_goes(void **state)
{
    struct fixture *f = *state;
    static const struct reference to_people_or_default = {
        {"people", 6}, {"id", 2}, ON_DELETE_SET_DEFAULT};
    struct change change;
    start(&change, &notes); /* what deleting sets is the store's default, and not ours */
    change.columns[1].reference = &to_people_or_default;
    change.columns[1].default_value = INTEGER(3);
    assert_int_equal(alter(f->store, &notes, &change), 0);
    assert_int_equal(store_delete(f->store, &people, by_id(f, 1), 0, NULL, NULL), 0);
    assert_holds(f->store, &notes, "1|3|-;2|2|1;");

    struct change next;
    start(&next, &change.after);
    next.columns[1].default_value = NONE;
    assert_int_equal(alter(f->store, &change.after, &next), 0);
    assert_int_equal(store_delete(f->store, &people, by_id(f, 3), 0, NULL, NULL), 0);
    assert_holds(f->store, &notes, "1|-|-;2|2|1;");
}

/* ---- references ---- */

static void begin_schema(struct fixture *f)
{
    assert_int_equal(store_begin(f->store, STORE_SCHEMA), 0);
}

static void tables_that_refer_to_each_other_are_made_in_any_order(void **state)
{
    struct fixture *f = *state;
    begin_schema(f);
    assert_int_equal(store_create_table(f->store, &uses), 0);
    assert_int_equal(store_create_table(f->store, &words), 0);
    assert_int_equal(insert(f->store, &words, ROW(TEXT("one"), NONE)), 0);
    assert_int_equal(insert(f->store, &uses, ROW(TEXT(USE_ID), TEXT("one"))), 0);
    assert_int_equal(store_commit(f->store), 0);
    assert_int_equal(store_update(f->store, &uses,
                                  &(struct assignment){&use_columns[1], TEXT("two")}, 1, NULL, 0,
                                  NULL, NULL),
                     STORE_FOREIGN_KEY);
}

static void a_reference_to_a_table_without_its_column_is_put_to_the_key(void **state)
{
    struct fixture *f = *state;
    static const struct reference to_key = {{"people", 6}, {NULL, 0}, ON_DELETE_SET_NULL};
    struct change change;
    start(&change, &notes);
    change.columns[1].reference = &to_key;
    assert_int_equal(alter(f->store, &notes, &change), 0);
    assert_enforced(f);
}

static void a_reference_to_what_is_no_key_is_refused(void **state)
{
    struct fixture *f = *state;
    static const struct reference broken[] = {
        {{"people", 6}, {"name", 4}, ON_DELETE_NO_ACTION},
        {{"people", 6}, {"nobody", 6}, ON_DELETE_NO_ACTION},
        {{"persons", 7}, {"id", 2}, ON_DELETE_NO_ACTION},
    };
    for (size_t i = 0; i < COUNT_OF(broken); i++) {
        struct change change;
        start(&change, &notes);
        change.columns[1].reference = &broken[i];
        begin_schema(f);
        assert_int_equal(store_alter_table(f->store, &notes, &change.after, change.from), 0);
        assert_int_not_equal(store_commit(f->store), 0);
    }
    assert_enforced(f);
}

static void a_table_that_is_made_again_is_referred_to_again(void **state)
{
    struct fixture *f = *state;
    begin_schema(f);
    assert_int_equal(store_drop_table(f->store, STR("people")), 0);
    assert_int_equal(store_create_table(f->store, &people), 0);
    assert_int_equal(insert(f->store, &people, ROW(INTEGER(1), NONE, NONE)), 0);
    assert_int_equal(insert(f->store, &people, ROW(INTEGER(2), NONE, NONE)), 0);
    assert_int_equal(store_commit(f->store), 0);
    assert_enforced(f);
}

static void a_table_is_dropped_with_what_it_was_to_refer_to(void **state)
{
    struct fixture *f = *state;
    begin_schema(f);
    assert_int_equal(store_create_table(f->store, &uses), 0);
    assert_int_equal(store_drop_table(f->store, STR("uses")), 0);
    assert_int_equal(store_commit(f->store), 0);
}

static void let_notes_refer_to_no_people(struct fixture *f)
{
    struct change change;
    start(&change, &notes);
    change.columns[1].reference = NULL;
    assert_int_equal(store_alter_table(f->store, &notes, &change.after, change.from), 0);
}

static void a_column_that_refers_no_more_lets_the_table_go(void **state)
{
    struct fixture *f = *state;
    begin_schema(f);
    let_notes_refer_to_no_people(f);
    assert_int_equal(store_drop_table(f->store, STR("people")), 0);
    assert_int_equal(store_commit(f->store), 0);
    assert_int_equal(insert(f->store, &notes, ROW(NONE, INTEGER(99), NONE)), 0);
}

static void a_column_of_a_table_that_went_can_refer_no_more(void **state)
{
    struct fixture *f = *state;
    begin_schema(f);
    assert_int_equal(store_drop_table(f->store, STR("people")), 0);
    let_notes_refer_to_no_people(f);
    assert_int_equal(store_commit(f->store), 0);
    assert_int_equal(insert(f->store, &notes, ROW(NONE, INTEGER(99), NONE)), 0);
}

static void what_is_undone_refers_to_nothing(void **state)
{
    struct fixture *f = *state;
    struct change change;
    start(&change, &people);
    change.columns[2].type = TYPE_INTEGER;
    change.columns[2].reference = &to_note; /* which its rows would not fulfil */
    begin_schema(f);
    assert_int_equal(store_savepoint(f->store), 0);
    assert_int_equal(store_alter_table(f->store, &people, &change.after, change.from), 0);
    assert_int_equal(store_rollback_to(f->store), 0);
    assert_int_equal(store_savepoint(f->store), 0);
    assert_int_equal(store_drop_table(f->store, STR("people")), 0);
    assert_int_equal(store_rollback_to(f->store), 0);
    assert_int_equal(store_savepoint(f->store), 0);
    let_notes_refer_to_no_people(f);
    assert_int_equal(store_rollback_to(f->store), 0);
    assert_int_equal(store_commit(f->store), 0);
    assert_enforced(f);
}

static void an_undone_change_keeps_what_was_to_be_referred_to(void **state)
{
    struct fixture *f = *state;
    const struct shape bare = {uses.name, use_columns, 1, 0};
    begin_schema(f);
    assert_int_equal(store_create_table(f->store, &words), 0);
    assert_int_equal(store_create_table(f->store, &uses), 0);
    assert_int_equal(store_savepoint(f->store), 0);
    assert_int_equal(store_alter_table(f->store, &uses, &bare, &use_columns[0].name), 0);
    assert_int_equal(store_rollback_to(f->store), 0);
    assert_int_equal(store_commit(f->store), 0);
    assert_int_equal(insert(f->store, &uses, ROW(TEXT(USE_ID), TEXT("none"))), STORE_FOREIGN_KEY);
}

/* SQLite asks the rows only; PostgreSQL cannot refer to a table that is not there. */
static void a_table_that_only_nulls_refer_to_is_dropped_on_sqlite(void **state)
{
    struct fixture *f = *state;
    const bool on_postgres = f->database.settings.client == STORE_POSTGRES;
    assert_int_equal(store_delete(f->store, &notes, NULL, 0, NULL, NULL), 0);
    begin_schema(f);
    assert_int_equal(store_drop_table(f->store, STR("people")), 0);
    assert_int_equal(store_commit(f->store), on_postgres ? STORE_FOREIGN_KEY : 0);
}

static void what_deleting_does_can_be_changed(void **state)
{
    struct fixture *f = *state;
    static const struct {
        enum reference_action action;
        int rc;
        const char *left;
    } actions[] = {
        {ON_DELETE_NO_ACTION, STORE_FOREIGN_KEY, "1|1|-;2|2|1;"},
        {ON_DELETE_RESTRICT, STORE_FOREIGN_KEY, "1|1|-;2|2|1;"},
        {ON_DELETE_SET_NULL, 0, "1|-|-;2|2|1;"},
        {ON_DELETE_CASCADE, 0, "1|-|-;"},
    };
    struct reference references[COUNT_OF(actions)];
    struct change changes[COUNT_OF(actions)];
    const struct shape *before = &notes;
    for (size_t i = 0; i < COUNT_OF(actions); i++) {
        references[i] = to_people;
        references[i].on_delete = actions[i].action;
        start(&changes[i], before);
        changes[i].columns[1].reference = &references[i];
        assert_int_equal(alter(f->store, before, &changes[i]), 0);
        before = &changes[i].after;
        const int64_t id = actions[i].action == ON_DELETE_CASCADE ? 2 : 1;
        assert_int_equal(store_delete(f->store, &people, by_id(f, id), 0, NULL, NULL),
                         actions[i].rc);
        assert_holds(f->store, &notes, actions[i].left);
    }
}

/* What keeps a row is asked when all has gone that goes along with it, by however many steps. */
static void what_goes_along_holds_nothing_up(void **state)
{
    struct fixture *f = *state;
    static const struct reference kept = {{"notes", 5}, {"id", 2}, ON_DELETE_NO_ACTION};
    static const struct reference along = {{"people", 6}, {"id", 2}, ON_DELETE_CASCADE};
    struct change change;
    start(&change, &notes);
    change.columns[1].reference = &along;
    change.columns[2].reference = &kept;
    assert_int_equal(alter(f->store, &notes, &change), 0);
    const struct column columns[] = {
        people_columns[0],
        {.name = {"a", 1}, .type = TYPE_INTEGER, .index = 1, .reference = &kept},
        {.name = {"person", 6}, .type = TYPE_INTEGER, .index = 2, .reference = &along}};
    const struct shape marks = {STR("marks"), columns, 3, 0};
    create(f->store, &marks);
    assert_int_equal(insert(f->store, &marks, ROW(NONE, INTEGER(2), INTEGER(2))), 0);

    assert_int_equal(store_begin(f->store, STORE_WRITE), 0);
    assert_int_equal(store_savepoint(f->store), 0);
    assert_int_equal(store_delete(f->store, &people, by_id(f, 1), 0, NULL, NULL),
                     STORE_FOREIGN_KEY); /* note 2 is under its note */
    assert_int_equal(store_rollback_to(f->store), 0);
    assert_int_equal(store_delete(f->store, &people, by_id(f, 2), 0, NULL, NULL), 0);
    assert_int_equal(insert(f->store, &marks, ROW(NONE, INTEGER(2), INTEGER(1))),
                     STORE_FOREIGN_KEY); /* at once, after a delete too */
    store_rollback(f->store);

    assert_int_equal(store_begin(f->store, STORE_WRITE), 0);
    assert_int_equal(store_delete(f->store, &people, by_id(f, 2), 0, NULL, NULL), 0);
    assert_int_equal(store_commit(f->store), 0);
    assert_holds(f->store, &notes, "1|1|-;");
    assert_holds(f->store, &marks, "");
}

static void references_that_are_there_wait_for_the_commit(void **state)
{
    struct fixture *f = *state;
    struct store *s = f->store;

    begin_schema(f);
    assert_int_equal(insert(s, &notes, ROW(INTEGER(10), INTEGER(50), INTEGER(11))), 0);
    assert_int_equal(store_savepoint(s), 0);
    assert_int_equal(insert(s, &notes, ROW(INTEGER(11), NONE, INTEGER(10))), 0);
    assert_int_equal(store_release(s), 0);
    assert_int_equal(insert(s, &people, ROW(INTEGER(50), NONE, NONE)), 0);
    assert_int_equal(store_commit(s), 0);
    assert_int_equal(insert(s, &notes, ROW(NONE, INTEGER(51), NONE)), STORE_FOREIGN_KEY);

    begin_schema(f);
    assert_int_equal(insert(s, &notes, ROW(INTEGER(12), INTEGER(51), NONE)), 0);
    assert_int_equal(store_commit(s), STORE_FOREIGN_KEY);
    assert_holds(s, &notes, "1|1|-;2|2|1;10|50|11;11|-|10;");
    assert_int_equal(insert(s, &notes, ROW(NONE, INTEGER(51), NONE)), STORE_FOREIGN_KEY);
}

/* PostgreSQL changes no table of which a check is waiting. */
static void a_table_is_changed_and_dropped_behind_rows_that_refer(void **state)
{
    struct fixture *f = *state;
    struct store *s = f->store;
    struct column wider[3];

    memcpy(wider, note_columns, sizeof(wider));
    wider[1].indexed = true;
    wider[2].type = TYPE_BIG_INTEGER;
    const struct shape after = {notes.name, wider, 3, 0};
    const struct str from[] = {STR("id"), STR("by"), STR("under")};
    begin_schema(f);
    assert_int_equal(insert(s, &notes, ROW(INTEGER(10), INTEGER(3), INTEGER(1))), 0);
    assert_int_equal(store_delete(s, &people, by_id(f, 2), 0, NULL, NULL), 0);
    assert_int_equal(store_alter_table(s, &notes, &after, from), 0);
    assert_int_equal(insert(s, &after, ROW(INTEGER(11), INTEGER(1), INTEGER(10))), 0);
    assert_int_equal(store_drop_table(s, notes.name), 0);
    assert_int_equal(store_commit(s), 0);
    assert_holds(s, &people, "1|ann|30;3|-|-;");
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
        test_with_tables(names_may_be_as_long_as_postgresql_keeps_them),
        test_with_tables(two_columns_take_each_others_name),
        test_with_tables(the_highest_key_that_was_given_is_known_and_only_rises),
        test_with_tables(a_key_that_is_given_counts),
        test_with_tables(a_key_of_text_changes_its_length_under_references),
        test_with_tables(every_type_becomes_another),
        test_with_tables(all_rows_of_a_large_table_are_converted),
        test_with_tables(rows_are_converted_whatever_their_key_is),
        test_with_tables(large_values_are_converted),
        test_with_tables(a_default_comes_changes_and_goes),
        test_with_tables(tables_that_refer_to_each_other_are_made_in_any_order),
        test_with_tables(a_reference_to_a_table_without_its_column_is_put_to_the_key),
        test_with_tables(a_reference_to_what_is_no_key_is_refused),
        test_with_tables(a_table_that_is_made_again_is_referred_to_again),
        test_with_tables(a_table_is_dropped_with_what_it_was_to_refer_to),
        test_with_tables(a_column_that_refers_no_more_lets_the_table_go),
        test_with_tables(a_column_of_a_table_that_went_can_refer_no_more),
        test_with_tables(what_is_undone_refers_to_nothing),
        test_with_tables(an_undone_change_keeps_what_was_to_be_referred_to),
        test_with_tables(a_table_that_only_nulls_refer_to_is_dropped_on_sqlite),
        test_with_tables(what_deleting_does_can_be_changed),
        test_with_tables(what_goes_along_holds_nothing_up),
        test_with_tables(references_that_are_there_wait_for_the_commit),
        test_with_tables(a_table_is_changed_and_dropped_behind_rows_that_refer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
