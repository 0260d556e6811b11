#include "fixture.h"

/*
 * Conditions that reach into another table: people, their tags through a junction, and names that
 * stand in both tables.
 */

#define KEY                                                                                        \
    {                                                                                              \
        .name = {"id", 2}, .type = TYPE_INTEGER, .index = 0, .primary_key = true                   \
    }
static const struct column people_columns[] = {
    KEY,
    {.name = {"name", 4}, .type = TYPE_STRING, .index = 1},
    {.name = {"boss", 4}, .type = TYPE_BIG_INTEGER, .index = 2, .nullable = true},
};
static const struct shape people = {{"people", 6}, people_columns, 3, 0};
static const struct column tag_columns[] = {
    KEY,
    {.name = {"name", 4}, .type = TYPE_STRING, .index = 1},
    {.name = {"at", 2}, .type = TYPE_TIMESTAMP, .index = 2, .nullable = true},
};
static const struct shape tags = {{"tags", 4}, tag_columns, 3, 0};
static const struct column tagged_columns[] = {
    KEY,
    {.name = {"person", 6}, .type = TYPE_INTEGER, .index = 1, .nullable = true},
    {.name = {"tag", 3}, .type = TYPE_INTEGER, .index = 2, .nullable = true},
};
static const struct shape tagged = {{"tagged", 6}, tagged_columns, 3, 0};

static const int64_t now_ms = INT64_C(1795305600000); /* 2026-11-22 */

/* ann: red, old; bob: red; cid: none. */
static int set_up(void **state)
{
    fixture_setup(state);
    struct fixture *f = *state;
    struct store *s = f->store;
    create(s, &people);
    create(s, &tags);
    create(s, &tagged);
    insert(s, &people, ROW(INTEGER(1), TEXT("ann"), NONE));
    insert(s, &people, ROW(INTEGER(2), TEXT("bob"), INTEGER(1)));
    insert(s, &people, ROW(INTEGER(3), TEXT("cid"), INTEGER(2)));
    insert(s, &tags, ROW(INTEGER(1), TEXT("red"), TEXT("2026-12-01T00:00:00.000Z")));
    insert(s, &tags, ROW(INTEGER(2), TEXT("old"), TEXT("2020-01-01T00:00:00.000Z")));
    insert(s, &tagged, ROW(INTEGER(1), INTEGER(1), INTEGER(1)));
    insert(s, &tagged, ROW(INTEGER(2), INTEGER(1), INTEGER(2)));
    insert(s, &tagged, ROW(INTEGER(3), INTEGER(2), INTEGER(1)));
    insert(s, &tagged, ROW(INTEGER(4), NONE, INTEGER(1)));
    return 0;
}
#define test_with_tags(test) cmocka_unit_test_setup_teardown(test, set_up, fixture_teardown)

static const struct expr *test_of(struct fixture *f, const struct column *c, enum operator op,
                                  struct value v)
{
    return expr_test(f->arena, c, op, &v, 1);
}

/* Those who have (have not) a tag that fulfils the condition. */
static const struct expr *tagged_with(struct fixture *f, const struct expr *tag, bool negated)
{
    const struct subselect of_tags = {&tags, &tag_columns[0], tag};
    const struct subselect of_tagged = {
        &tagged, &tagged_columns[1],
        tag ? expr_among(f->arena, &tagged_columns[2], &of_tags, false) : NULL};
    return expr_among(f->arena, &people_columns[0], &of_tagged, negated);
}

#define assert_names(f, where, expected) check_names((f), (where), (expected), __FILE__, __LINE__)
static void check_names(struct fixture *f, const struct expr *where, const char *expected,
                        const char *file, int line)
{
    const struct output name = {&people_columns[1], NULL};
    const struct select select = {.shape = &people,
                                  .outputs = &name,
                                  .output_count = 1,
                                  .where = where,
                                  .limit = -1,
                                  .now_ms = now_ms};
    int64_t count = -1, told = 0;
    check_selects(f->store, &select, expected, file, line);
    assert_int_equal(store_count(f->store, &select, &count), 0);
    for (const char *at = expected; *at; at++)
        told += *at == ';';
    assert_int_equal(count, told);
}

static void rows_are_found_by_what_other_tables_hold(void **state)
{
    struct fixture *f = *state;
    const struct expr *red = test_of(f, &tag_columns[1], OP_EQ, TEXT("red"));
    const struct expr *old = test_of(f, &tag_columns[1], OP_ISTARTS_WITH, TEXT("OLD"));
    assert_names(f, tagged_with(f, red, false), "ann;bob;");
    assert_names(f, tagged_with(f, old, false), "ann;");
    assert_names(f, tagged_with(f, NULL, false), "ann;bob;");
    assert_names(f, tagged_with(f, old, true), "bob;cid;");
    assert_names(f, tagged_with(f, expr_or(f->arena, red, old), true), "cid;");
    assert_names(f, expr_and(f->arena, tagged_with(f, red, false), tagged_with(f, old, true)),
                 "bob;");
    assert_names(f,
                 expr_or(f->arena, tagged_with(f, old, false),
                         test_of(f, &people_columns[1], OP_EQ, TEXT("cid"))),
                 "ann;cid;");
}

static void nulls_that_a_subselect_yields_are_left_out(void **state)
{
    struct fixture *f = *state;
    assert_names(f, tagged_with(f, NULL, true), "cid;");
    const struct expr *tag = test_of(f, &tagged_columns[2], OP_EQ, INTEGER(1));
    const struct subselect with_null = {&tagged, &tagged_columns[1], tag};
    assert_names(f, expr_among(f->arena, &people_columns[0], &with_null, true), "cid;");
}

static void a_null_column_is_neither_among_nor_not_among(void **state)
{
    struct fixture *f = *state;
    const struct column *boss = &people_columns[2];
    const struct subselect all = {&people, &people_columns[0], NULL};
    const struct subselect first = {&people, &people_columns[0],
                                    test_of(f, &people_columns[1], OP_EQ, TEXT("ann"))};
    const struct subselect none = {&people, &people_columns[0],
                                   test_of(f, &people_columns[1], OP_EQ, TEXT("zoe"))};
    assert_names(f, expr_among(f->arena, boss, &all, false), "bob;cid;");
    assert_names(f, expr_among(f->arena, boss, &all, true), "");
    assert_names(f, expr_among(f->arena, boss, &first, false), "bob;");
    assert_names(f, expr_among(f->arena, boss, &first, true), "cid;");
    assert_names(f, expr_among(f->arena, boss, &none, false), "");
    assert_names(f, expr_among(f->arena, boss, &none, true), "bob;cid;");
    const struct subselect no_rows = {&people, &people_columns[0], &expr_false};
    assert_names(f, expr_among(f->arena, boss, &no_rows, true), "bob;cid;");
    for (int negated = 0; negated < 2; negated++) {
        const struct expr *x = expr_among(f->arena, boss, &none, negated);
        assert_names(f, expr_or(f->arena, x, expr_complement(f->arena, x)), "ann;bob;cid;");
        assert_names(f, expr_and(f->arena, x, expr_complement(f->arena, x)), "");
    }
}

static void moments_and_long_lists_work_in_a_subselect(void **state)
{
    struct fixture *f = *state;
    struct value names[40];
    for (int i = 0; i < 40; i++)
        names[i] = value_text(
            arena_printf(f->arena, "red%.*s", i, "0123456789012345678901234567890123456789"));
    const struct operand now = {.now = true};
    const struct expr *past = expr_test_operands(f->arena, &tag_columns[2], NULL, OP_LT, &now, 1);
    assert_names(f, tagged_with(f, past, false), "ann;");
    assert_names(f, tagged_with(f, expr_test(f->arena, &tag_columns[1], OP_IN, names, 40), false),
                 "ann;bob;");
}

static void writes_know_conditions_that_reach(void **state)
{
    struct fixture *f = *state;
    const struct expr *red = test_of(f, &tag_columns[1], OP_EQ, TEXT("red"));
    const struct assignment name = {&people_columns[1], TEXT("new")};
    struct rows rows;
    rows_start(&rows, 3);
    assert_int_equal(
        store_update(f->store, &people, &name, 1, tagged_with(f, red, true), 0, rows_take, &rows),
        0);
    assert_int_equal(store_delete(f->store, &people,
                                  expr_and(f->arena, tagged_with(f, red, false),
                                           test_of(f, &people_columns[1], OP_EQ, TEXT("bob"))),
                                  0, rows_take, &rows),
                     0);
    assert_rows(&rows, "3|new|2;2|bob|1;");
    assert_holds(f->store, &people, "1|ann|-;3|new|2;");
}

static void a_mask_may_reach(void **state)
{
    struct fixture *f = *state;
    const struct expr *old = tagged_with(f, test_of(f, &tag_columns[1], OP_EQ, TEXT("old")), false);
    const struct output outputs[] = {{&people_columns[0], NULL}, {&people_columns[1], old}};
    const struct order order = {.column = &people_columns[1], .mask = old, .descending = true};
    assert_selects(f->store,
                   &((struct select){.shape = &people,
                                     .outputs = outputs,
                                     .output_count = 2,
                                     .orders = &order,
                                     .order_count = 1,
                                     .limit = -1}),
                   "1|ann;2|-;3|-;");
    const struct operand ann = {.value = TEXT("ann")};
    assert_names(f, expr_test_operands(f->arena, &people_columns[1], old, OP_EQ, &ann, 1), "ann;");
}

/* As many subselects within each other as the depth of a tree allows, in a list each. */
static void the_deepest_tree_is_answered(void **state)
{
    struct fixture *f = *state;
    const struct expr *x = test_of(f, &people_columns[0], OP_LTE, INTEGER(3));
    for (;;) {
        const struct subselect of = {&people, &people_columns[0], x};
        const struct expr *deeper =
            expr_among(f->arena, &people_columns[0], &of, x->depth % 16 > 8);
        deeper =
            expr_and(f->arena, deeper, test_of(f, &people_columns[1], OP_NCONTAINS, TEXT("x")));
        if (deeper->depth > EXPR_DEPTH_MAX)
            break;
        x = deeper;
    }
    while (x->depth < EXPR_DEPTH_MAX)
        x = (x->kind == EXPR_AND ? expr_or : expr_and)(
            f->arena, x, test_of(f, &people_columns[0], OP_LTE, INTEGER(3)));
    assert_int_equal(x->depth, EXPR_DEPTH_MAX);
    int64_t count = -1;
    assert_int_equal(store_count(f->store, &(struct select){.shape = &people, .where = x}, &count),
                     0);
    assert_in_range(count, 0, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_tags(rows_are_found_by_what_other_tables_hold),
        test_with_tags(nulls_that_a_subselect_yields_are_left_out),
        test_with_tags(a_null_column_is_neither_among_nor_not_among),
        test_with_tags(moments_and_long_lists_work_in_a_subselect),
        test_with_tags(writes_know_conditions_that_reach),
        test_with_tags(a_mask_may_reach),
        test_with_tags(the_deepest_tree_is_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
