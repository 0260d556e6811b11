#include "fixture.h"

static const struct column people_columns[] = {
    {.name = {"id", 2},
     .type = TYPE_INTEGER,
     .index = 0,
     .primary_key = true,
     .auto_increment = true},
    {.name = {"name", 4}, .type = TYPE_STRING, .index = 1, .length_max = 10},
    {.name = {"mail", 4}, .type = TYPE_STRING, .index = 2, .nullable = true, .unique = true},
    {.name = {"score", 5},
     .type = TYPE_FLOAT,
     .index = 3,
     .nullable = true,
     .default_value = {.kind = VALUE_REAL, .real = 0.1}},
};
static const struct shape people = {{"people", 6}, people_columns, 4, 0};

static const struct reference to_people = {{"people", 6}, {"id", 2}, ON_DELETE_RESTRICT};
static const struct reference to_note = {{"notes", 5}, {"id", 2}, ON_DELETE_CASCADE};
static const struct column note_columns[] = {
    {.name = {"id", 2}, .type = TYPE_STRING, .index = 0, .primary_key = true},
    {.name = {"by", 2},
     .type = TYPE_INTEGER,
     .index = 1,
     .nullable = true,
     .reference = &to_people},
    {.name = {"under", 5},
     .type = TYPE_STRING,
     .index = 2,
     .nullable = true,
     .reference = &to_note},
};
static const struct shape notes = {{"notes", 5}, note_columns, 3, 0};

static int set_up(void **state)
{
    fixture_setup(state);
    struct fixture *f = *state;
    create(f->store, &people);
    create(f->store, &notes);
    return 0;
}
#define test_with_tables(test) cmocka_unit_test_setup_teardown(test, set_up, fixture_teardown)

static const struct expr *by_id(struct fixture *f, int64_t id)
{
    const struct value v = INTEGER(id);
    return expr_test(f->arena, &people_columns[0], OP_EQ, &v, 1);
}

static const struct expr *not_by_id(struct fixture *f, int64_t id)
{
    const struct value v = INTEGER(id);
    return expr_test(f->arena, &people_columns[0], OP_NEQ, &v, 1);
}

static void add_people(struct store *s)
{
    assert_int_equal(insert(s, &people, ROW(NONE, TEXT("ann"), TEXT("a@x"), REAL(3))), 0);
    assert_int_equal(insert(s, &people, ROW(NONE, TEXT("bob"), NONE, NONE)), 0);
    assert_int_equal(insert(s, &people, ROW(NONE, TEXT("cid"), NONE, REAL(1.5))), 0);
}

static void an_insert_tells_the_stored_row_with_key_and_defaults(void **state)
{
    struct fixture *f = *state;
    struct rows rows;
    const struct assignment name[] = {{&people_columns[1], TEXT("ann")}};
    rows_start(&rows, 4);
    assert_int_equal(store_insert(f->store, &people, name, 1, rows_take, &rows), 0);
    assert_int_equal(store_insert(f->store, &people, name, 1, rows_take, &rows), 0);
    assert_rows(&rows, "1|ann|-|0.1;2|ann|-|0.1;");
}

static void an_explicit_key_moves_the_counter_beyond_it(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(insert(f->store, &people, ROW(INTEGER(40), TEXT("ann"), NONE, NONE)), 0);
    assert_int_equal(store_delete(f->store, &people, by_id(f, 40), 0, NULL, NULL), 0);
    assert_int_equal(insert(f->store, &people, ROW(NONE, TEXT("bob"), NONE, NONE)), 0);
    assert_holds(f->store, &people, "41|bob|-|-;");
}

static void updates_tell_rows_after_and_deletes_before(void **state)
{
    struct fixture *f = *state;
    struct rows rows;
    const struct assignment set[] = {{&people_columns[3], REAL(7)},
                                     {&people_columns[1], TEXT("new")}};
    add_people(f->store);
    rows_start(&rows, 4);
    assert_int_equal(store_update(f->store, &people, set, 2, by_id(f, 2), 0, rows_take, &rows), 0);
    assert_int_equal(store_update(f->store, &people, set, 0, by_id(f, 1), 0, rows_take, &rows), 0);
    assert_int_equal(store_delete(f->store, &people, by_id(f, 2), 0, rows_take, &rows), 0);
    assert_int_equal(store_delete(f->store, &people, by_id(f, 2), 0, rows_take, &rows), 0);
    assert_rows(&rows, "2|new|-|7;1|ann|a@x|3;2|new|-|7;");
    assert_holds(f->store, &people, "1|ann|a@x|3;3|cid|-|1.5;");
}

static void nulls_come_first_ascending_and_last_descending(void **state)
{
    struct fixture *f = *state;
    const struct output names[] = {{&people_columns[1], NULL}};
    struct order order = {.column = &people_columns[3]};
    struct select select = {.shape = &people,
                            .outputs = names,
                            .output_count = 1,
                            .limit = -1,
                            .orders = &order,
                            .order_count = 1};
    add_people(f->store);
    assert_selects(f->store, &select, "bob;cid;ann;");
    order.descending = true;
    assert_selects(f->store, &select, "ann;cid;bob;");
    select.limit = 1;
    select.offset = 1;
    assert_selects(f->store, &select, "cid;");
    select.limit = 0;
    assert_selects(f->store, &select, "");
    select.limit = -1;
    assert_selects(f->store, &select, "cid;bob;");
}

static void a_mask_hides_values_and_their_order(void **state)
{
    struct fixture *f = *state;
    const struct expr *mask = not_by_id(f, 1);
    const struct output outputs[] = {{&people_columns[1], NULL}, {&people_columns[3], mask}};
    const struct order order = {.column = &people_columns[3], .mask = mask, .descending = true};
    add_people(f->store);
    const struct select select = {.shape = &people,
                                  .outputs = outputs,
                                  .output_count = 2,
                                  .limit = -1,
                                  .orders = &order,
                                  .order_count = 1};
    assert_selects(f->store, &select, "cid|1.5;ann|-;bob|-;");
}

static void count_ignores_limit_and_offset(void **state)
{
    struct fixture *f = *state;
    int64_t count = 0;
    struct select select = {.shape = &people, .limit = 1, .offset = 2};
    add_people(f->store);
    assert_int_equal(store_count(f->store, &select, &count), 0);
    assert_int_equal(count, 3);
    select.where = by_id(f, 1);
    assert_int_equal(store_count(f->store, &select, &count), 0);
    assert_int_equal(count, 1);
}

static int stop_at_second(void *context, const struct value *row)
{
    (void)row;
    return ++*(int *)context == 2 ? 77 : 0;
}

static void a_row_function_can_stop_a_read(void **state)
{
    struct fixture *f = *state;
    int seen = 0;
    struct select select = {.shape = &people, .limit = -1};
    add_people(f->store);
    assert_int_equal(store_select(f->store, &select, stop_at_second, &seen), 77);
    assert_int_equal(seen, 2);
    assert_selects(f->store, &select, "1|ann|a@x|3;2|bob|-|-;3|cid|-|1.5;");
}

static void a_write_is_done_in_full_though_its_row_function_stops(void **state)
{
    struct fixture *f = *state;
    int seen = 0;
    add_people(f->store);
    assert_int_equal(store_delete(f->store, &people, NULL, 0, stop_at_second, &seen), 77);
    assert_int_equal(seen, 2);
    assert_holds(f->store, &people, "");
}

static void a_value_told_twice_is_not_unique(void **state)
{
    struct fixture *f = *state;
    add_people(f->store);
    assert_int_equal(insert(f->store, &people, ROW(NONE, TEXT("dan"), TEXT("a@x"), NONE)),
                     STORE_NOT_UNIQUE);
    assert_detail(f->store, "people", "mail");
    assert_int_equal(insert(f->store, &people, ROW(INTEGER(1), TEXT("dan"), NONE, NONE)),
                     STORE_NOT_UNIQUE);
    assert_detail(f->store, "people", "id");
    const struct assignment set[] = {{&people_columns[2], TEXT("a@x")}};
    assert_int_equal(store_update(f->store, &people, set, 1, by_id(f, 2), 0, NULL, NULL),
                     STORE_NOT_UNIQUE);
    assert_int_equal(insert(f->store, &notes, ROW(TEXT("k"), NONE, NONE)), 0);
    assert_null(store_detail(f->store).table.at);
    assert_int_equal(insert(f->store, &notes, ROW(TEXT("k"), NONE, NONE)), STORE_NOT_UNIQUE);
    assert_detail(f->store, "notes", "id");
}

static void null_is_refused_where_none_may_be(void **state)
{
    struct fixture *f = *state;
    add_people(f->store);
    assert_int_equal(insert(f->store, &people, ROW(NONE, NONE, NONE, NONE)), STORE_NULL);
    assert_detail(f->store, "people", "name");
    assert_int_equal(insert(f->store, &notes, ROW(NONE, NONE, NONE)), STORE_NULL);
    assert_detail(f->store, "notes", "id");
    const struct assignment set[] = {{&people_columns[1], NONE}};
    assert_int_equal(store_update(f->store, &people, set, 1, NULL, 0, NULL, NULL), STORE_NULL);
}

static void references_must_exist_and_restrict_or_cascade(void **state)
{
    struct fixture *f = *state;
    add_people(f->store);
    assert_int_equal(insert(f->store, &notes, ROW(TEXT("a"), INTEGER(9), NONE)), STORE_FOREIGN_KEY);
    assert_null(store_detail(f->store).table.at);
    assert_int_equal(insert(f->store, &notes, ROW(TEXT("a"), INTEGER(1), NONE)), 0);
    assert_int_equal(insert(f->store, &notes, ROW(TEXT("b"), INTEGER(1), TEXT("a"))), 0);
    assert_int_equal(store_delete(f->store, &people, by_id(f, 1), 0, NULL, NULL),
                     STORE_FOREIGN_KEY);
    const struct value a = TEXT("a");
    assert_int_equal(store_delete(f->store, &notes,
                                  expr_test(f->arena, &note_columns[0], OP_EQ, &a, 1), 0, NULL,
                                  NULL),
                     0);
    assert_holds(f->store, &notes, "");
    assert_int_equal(store_delete(f->store, &people, by_id(f, 1), 0, NULL, NULL), 0);
}

static void values_that_do_not_fit_the_column_are_refused(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(insert(f->store, &people, ROW(NONE, TEXT("0123456789"), NONE, NONE)), 0);
    assert_int_equal(insert(f->store, &people, ROW(NONE, TEXT("0123456789x"), NONE, NONE)),
                     STORE_RANGE);
    assert_detail(f->store, "people", "name");
    assert_int_equal(insert(f->store, &people, ROW(TEXT("x"), TEXT("a"), NONE, NONE)), STORE_RANGE);
    const struct assignment set[] = {{&people_columns[3], TEXT("x")}};
    assert_int_equal(store_update(f->store, &people, set, 1, NULL, 0, NULL, NULL), STORE_RANGE);
    assert_detail(f->store, "people", "score");
}

static void a_hundred_thousand_keys_may_be_asked_for(void **state)
{
    enum { COUNT = 100000 };
    struct fixture *f = *state;
    struct value *ids = ARENA_ARRAY(f->arena, struct value, COUNT);
    for (size_t i = 0; i < COUNT; i++)
        ids[i] = INTEGER((int64_t)i + 2);
    add_people(f->store);
    const struct select select = {.shape = &people,
                                  .where =
                                      expr_test(f->arena, &people_columns[0], OP_IN, ids, COUNT),
                                  .limit = -1};
    assert_selects(f->store, &select, "2|bob|-|-;3|cid|-|1.5;");
}

static void a_thousand_conditions_may_stand_in_a_chain(void **state)
{
    enum { COUNT = 4096 };
    struct fixture *f = *state;
    const struct expr **items = ARENA_ARRAY(f->arena, const struct expr *, COUNT);
    for (size_t i = 0; i < COUNT; i++)
        items[i] = not_by_id(f, (int64_t)i + 2);
    add_people(f->store);
    const struct select select = {
        .shape = &people, .where = expr_all(f->arena, EXPR_AND, items, COUNT), .limit = -1};
    assert_selects(f->store, &select, "1|ann|a@x|3;");
}

/* The deepest trees that the store promises to run: at each level a deep item, one that is as wide
 * as it may be, and a negation; below, a mask as deep as the rest allows. */
static const struct expr *deep(struct fixture *f, const struct expr *bottom, unsigned depth)
{
    const struct expr *x = bottom;
    while (x->depth < depth) {
        const struct expr *items[9] = {x};
        for (int64_t i = 1; i < 9; i++)
            items[i] = not_by_id(f, i + 1);
        x = expr_all(f->arena, x->kind == EXPR_AND ? EXPR_OR : EXPR_AND, items, COUNT_OF(items));
    }
    return x;
}

static void conditions_may_nest_to_their_limit(void **state)
{
    struct fixture *f = *state;
    const struct operand name = {.value = TEXT("A")};
    const struct expr *mask = deep(f, by_id(f, 1), EXPR_DEPTH_MAX / 2);
    const struct expr *bottom =
        expr_test_operands(f->arena, &people_columns[1], mask, OP_NISTARTS_WITH, &name, 1);
    const struct expr *masked = deep(f, bottom, EXPR_DEPTH_MAX);
    const struct expr *plain = deep(f, by_id(f, 1), EXPR_DEPTH_MAX);
    int64_t count;
    add_people(f->store);
    assert_int_equal(masked->depth, EXPR_DEPTH_MAX);
    const struct expr *const all[] = {plain, masked};
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        const struct select select = {.shape = &people, .where = all[i]};
        assert_int_equal(store_count(f->store, &select, &count), 0);
    }
}

static void more_statements_than_are_kept_all_work(void **state)
{
    struct fixture *f = *state;
    add_people(f->store);
    for (size_t round = 0; round < 2; round++) {
        const struct expr *x = &expr_true;
        for (size_t i = 0; i < 150; i++) {
            const struct value v = INTEGER((int64_t)i + 2);
            x = expr_and(f->arena, x, expr_test(f->arena, &people_columns[0], OP_LT, &v, 1));
            const struct select select = {.shape = &people, .where = x, .limit = -1};
            assert_selects(f->store, &select, "1|ann|a@x|3;");
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_tables(an_insert_tells_the_stored_row_with_key_and_defaults),
        test_with_tables(an_explicit_key_moves_the_counter_beyond_it),
        test_with_tables(updates_tell_rows_after_and_deletes_before),
        test_with_tables(nulls_come_first_ascending_and_last_descending),
        test_with_tables(a_mask_hides_values_and_their_order),
        test_with_tables(count_ignores_limit_and_offset),
        test_with_tables(a_row_function_can_stop_a_read),
        test_with_tables(a_write_is_done_in_full_though_its_row_function_stops),
        test_with_tables(a_value_told_twice_is_not_unique),
        test_with_tables(null_is_refused_where_none_may_be),
        test_with_tables(references_must_exist_and_restrict_or_cascade),
        test_with_tables(values_that_do_not_fit_the_column_are_refused),
        test_with_tables(a_hundred_thousand_keys_may_be_asked_for),
        test_with_tables(a_thousand_conditions_may_stand_in_a_chain),
        test_with_tables(conditions_may_nest_to_their_limit),
        test_with_tables(more_statements_than_are_kept_all_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
