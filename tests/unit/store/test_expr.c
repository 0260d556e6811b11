#include "check.h"

#include "store/expr.h"

static const struct column columns[] = {
    {.name = {"id", 2}, .type = TYPE_INTEGER, .index = 0},
    {.name = {"name", 4}, .type = TYPE_STRING, .index = 1},
    {.name = {"price", 5}, .type = TYPE_FLOAT, .index = 2},
    {.name = {"at", 2}, .type = TYPE_TIMESTAMP, .index = 70},
};
static const struct column *const id = &columns[0], *const name = &columns[1],
                                  *const price = &columns[2], *const at = &columns[3];

static int with_arena(void **state)
{
    *state = arena_new();
    return 0;
}

static int free_arena(void **state)
{
    arena_free(*state);
    return 0;
}

static const struct expr *one(struct arena *a, const struct column *c, enum operator op,
                              struct value v)
{
    return expr_test(a, c, op, &v, 1);
}

#define assert_key(x, expected) check_key((x), (expected), __FILE__, __LINE__)
static void check_key(const struct expr *x, const char *expected, const char *file, int line)
{
    struct buf b;
    buf_init(&b, SIZE_MAX);
    expr_put_key(&b, x);
    check_text(buf_str(&b), expected, file, line);
    buf_deinit(&b);
}

/* ---- building ---- */

static void constants_vanish(void **state)
{
    const struct expr *x = one(*state, id, OP_EQ, INTEGER(1));
    assert_ptr_equal(expr_and(*state, x, &expr_true), x);
    assert_ptr_equal(expr_or(*state, &expr_false, x), x);
    assert_int_equal(expr_and(*state, x, &expr_false)->kind, EXPR_FALSE);
    assert_int_equal(expr_or(*state, &expr_true, x)->kind, EXPR_TRUE);
    assert_int_equal(expr_and(*state, &expr_true, &expr_true)->kind, EXPR_TRUE);
    assert_int_equal(expr_or(*state, &expr_false, &expr_false)->kind, EXPR_FALSE);
    assert_int_equal(expr_all(*state, EXPR_AND, NULL, 0)->kind, EXPR_TRUE);
    assert_int_equal(expr_all(*state, EXPR_OR, NULL, 0)->kind, EXPR_FALSE);
}

static void lists_of_one_kind_become_one(void **state)
{
    const struct expr *x = one(*state, id, OP_EQ, INTEGER(1));
    const struct expr *y = one(*state, name, OP_EQ, TEXT("a"));
    const struct expr *xy = expr_and(*state, x, y);
    const struct expr *xyx = expr_and(*state, xy, one(*state, id, OP_LT, INTEGER(9)));
    assert_int_equal(xyx->list.count, 3);
    assert_int_equal(expr_or(*state, xy, x)->list.count, 2);
}

static void a_tree_knows_its_depth_and_puts_shallow_items_first(void **state)
{
    const struct operand one_value = {.value = INTEGER(1)};
    const struct expr *test = one(*state, id, OP_EQ, INTEGER(1));
    const struct expr *both = expr_and(*state, test, one(*state, name, OP_EQ, TEXT("a")));
    const struct expr *any = expr_or(*state, both, test);
    assert_int_equal(expr_true.depth, 0);
    assert_int_equal(test->depth, 0);
    assert_int_equal(both->depth, 1);
    assert_int_equal(any->depth, 2);
    assert_ptr_equal(any->list.items[0], test);
    assert_int_equal(expr_test_operands(*state, id, any, OP_LT, &one_value, 1)->depth, 3);
    assert_int_equal(expr_copy(*state, any)->depth, 2);
}

static void comparing_with_null_asks_for_null(void **state)
{
    assert_key(one(*state, id, OP_EQ, NONE), "null(2:id)");
    assert_key(one(*state, id, OP_NEQ, NONE), "nnull(2:id)");
    assert_key(one(*state, id, OP_LT, NONE), "lt(2:id,n)");
}

static void values_take_the_kind_of_the_column(void **state)
{
    assert_key(one(*state, id, OP_EQ, TEXT("12")), "eq(2:id,i12)");
    assert_key(one(*state, id, OP_EQ, REAL(12)), "eq(2:id,i12)");
    assert_key(one(*state, id, OP_LT, REAL(1.5)), "lt(2:id,r1.5)");
    assert_key(one(*state, id, OP_EQ, TEXT("x")), "eq(2:id,n)");
    assert_key(one(*state, name, OP_EQ, INTEGER(12)), "eq(4:name,t2:12)");
    assert_key(one(*state, name, OP_EQ, REAL(0.5)), "eq(4:name,t3:0.5)");
    assert_int_equal(one(*state, price, OP_EQ, INTEGER(3))->test.operands[0].value.kind,
                     VALUE_REAL);
}

static const struct column *of_type(enum type_id type)
{
    static struct column typed[TYPE_COUNT];
    typed[type] = (struct column){.name = STR("c"), .type = type};
    return &typed[type];
}

#define UUID "0189abcd-0000-4000-8000-0000000000ef"

static void a_comparison_is_with_values_as_they_are_stored(void **state)
{
    static const struct {
        enum type_id type;
        struct str value, stored; /* absent: none of its type */
    } cases[] = {
        {TYPE_UUID, STR_INIT("0189ABCD-0000-4000-8000-0000000000EF"), STR_INIT(UUID)},
        {TYPE_UUID, STR_INIT(UUID), STR_INIT(UUID)},
        {TYPE_UUID, STR_INIT(UUID "0"), STR_NULL_INIT},
        {TYPE_UUID, STR_INIT(""), STR_NULL_INIT},
        {TYPE_DATE, STR_INIT("2024-02-29"), STR_INIT("2024-02-29")},
        {TYPE_DATE, STR_INIT("2024-02-29T23:00:00-05:00"), STR_INIT("2024-02-29")},
        {TYPE_DATE, STR_INIT("2023-02-29"), STR_NULL_INIT},
        {TYPE_DATE, STR_INIT("0000-12-31"), STR_NULL_INIT},
        {TYPE_TIME, STR_INIT("10:11"), STR_INIT("10:11:00")},
        {TYPE_TIME, STR_INIT("24:00:00"), STR_NULL_INIT},
        {TYPE_DATE_TIME, STR_INIT("2024-01-02 10:11:12.9"), STR_INIT("2024-01-02T10:11:12")},
        {TYPE_DATE_TIME, STR_INIT("10:11:12"), STR_NULL_INIT},
        {TYPE_TIMESTAMP, STR_INIT("2024-01-02T00:30+01:00"), STR_INIT("2024-01-01T23:30:00.000Z")},
        {TYPE_TIMESTAMP, STR_INIT("9999-12-31T23:30-01:00"), STR_NULL_INIT},
        {TYPE_TIMESTAMP, STR_INIT("now"), STR_NULL_INIT},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct column *c = of_type(cases[i].type);
        const struct value v = value_text(cases[i].value), null = NONE;
        struct value expected = cases[i].stored.at ? value_text(cases[i].stored) : null;
        assert_value(one(*state, c, OP_LTE, v)->test.operands[0].value, expected);
        assert_value(one(*state, c, OP_CONTAINS, v)->test.operands[0].value, v);
    }
    assert_key(one(*state, of_type(TYPE_DATE), OP_EQ, INTEGER(2024)), "eq(1:c,n)");
    assert_key(one(*state, of_type(TYPE_UUID), OP_ICONTAINS, TEXT("AB")), "icontains(1:c,t2:ab)");
    const struct value dates[] = {TEXT("2024-01-02"), TEXT("x"), TEXT("2024-01-02T05:00"), NONE};
    assert_key(expr_test(*state, of_type(TYPE_DATE), OP_IN, dates, COUNT_OF(dates)),
               "in(1:c,n,t10:2024-01-02)");
}

static void a_boolean_compares_with_0_and_1_only(void **state)
{
    const struct column *c = of_type(TYPE_BOOLEAN);
    assert_key(one(*state, c, OP_EQ, INTEGER(0)), "eq(1:c,i0)");
    assert_key(one(*state, c, OP_LT, INTEGER(1)), "lt(1:c,i1)");
    assert_key(one(*state, c, OP_LT, INTEGER(2)), "lt(1:c,n)");
    assert_key(one(*state, c, OP_GT, INTEGER(-1)), "gt(1:c,n)");
    assert_key(one(*state, c, OP_EQ, REAL(1)), "eq(1:c,i1)");
    assert_key(one(*state, c, OP_EQ, REAL(0.5)), "eq(1:c,n)");
    assert_key(one(*state, c, OP_EQ, TEXT("true")), "eq(1:c,i1)");
    assert_key(one(*state, c, OP_EQ, TEXT("false")), "eq(1:c,i0)");
    assert_key(one(*state, c, OP_EQ, TEXT("1")), "eq(1:c,i1)");
    assert_key(one(*state, c, OP_EQ, TEXT("True")), "eq(1:c,n)");
    assert_key(one(*state, id, OP_EQ, TEXT("true")), "eq(2:id,n)");
}

static void a_decimal_compares_with_fifteen_digits(void **state)
{
    const struct column *c = of_type(TYPE_DECIMAL);
    assert_value(one(*state, c, OP_EQ, REAL(0.1 + 0.2))->test.operands[0].value, REAL(0.3));
    assert_value(one(*state, c, OP_EQ, TEXT("1234567890.123456"))->test.operands[0].value,
                 REAL(1234567890.12346));
    assert_value(one(*state, c, OP_EQ, INTEGER(7))->test.operands[0].value, REAL(7));
    assert_value(one(*state, c, OP_LT, REAL(0x1.fffffffffffffp1023))->test.operands[0].value,
                 REAL(0x1.fffffffffffffp1023));
    assert_value(one(*state, price, OP_EQ, REAL(0.1 + 0.2))->test.operands[0].value,
                 REAL(0.1 + 0.2));
}

static void what_no_store_can_hold_compares_as_null(void **state)
{
    static const struct str none[] = {{"a\0b", 3}, {"\0", 1}, {"\xff", 1}, {"\xed\xa0\x80", 3}};
    const enum operator ops[] = {OP_EQ, OP_NEQ, OP_CONTAINS, OP_NISTARTS_WITH};
    for (size_t i = 0; i < COUNT_OF(none); i++)
        for (size_t k = 0; k < COUNT_OF(ops); k++)
            assert_value(one(*state, name, ops[k], value_text(none[i]))->test.operands[0].value,
                         NONE);
}

static void operators_on_text_are_unknown_on_numbers(void **state)
{
    const struct operand now = {.now = true};
    assert_key(one(*state, id, OP_CONTAINS, TEXT("1")), "contains(2:id,n)");
    assert_key(one(*state, price, OP_NENDS_WITH, REAL(5)), "nends_with(5:price,n)");
    assert_key(expr_test_operands(*state, id, NULL, OP_CONTAINS, &now, 1), "contains(2:id,n)");
}

static void now_is_null_where_it_has_no_form(void **state)
{
    const struct operand now = {.now = true};
    const enum type_id none[] = {TYPE_UUID, TYPE_BOOLEAN};
    const enum type_id some[] = {TYPE_DATE,   TYPE_TIME,    TYPE_DATE_TIME, TYPE_TIMESTAMP,
                                 TYPE_STRING, TYPE_INTEGER, TYPE_DECIMAL};
    for (size_t i = 0; i < COUNT_OF(none); i++) {
        const struct column *c = of_type(none[i]);
        const struct expr *x = expr_test_operands(*state, c, NULL, OP_NIN, &now, 1);
        assert_key(x, "nin(1:c,n)");
        assert_false(expr_uses_now(x));
    }
    for (size_t i = 0; i < COUNT_OF(some); i++)
        assert_key(expr_test_operands(*state, of_type(some[i]), NULL, OP_LT, &now, 1),
                   "lt(1:c,@0/0)");
    assert_key(expr_test_operands(*state, of_type(TYPE_UUID), NULL, OP_CONTAINS, &now, 1),
               "contains(1:c,@0/0)");
}

static void lists_are_sorted_and_told_once(void **state)
{
    const struct value values[] = {INTEGER(3), NONE, INTEGER(1), TEXT("3"), INTEGER(2), NONE};
    assert_key(expr_test(*state, id, OP_IN, values, COUNT_OF(values)), "in(2:id,n,i1,i2,i3)");
    const struct operand operands[] = {{.now = true, .shift = {1, 5}},
                                       {.value = TEXT("2024-01-02T00:00:00.000Z")},
                                       {.now = true, .shift = {0, 7}},
                                       {.now = true, .shift = {1, 5}}};
    assert_key(expr_test_operands(*state, at, NULL, OP_NIN, operands, COUNT_OF(operands)),
               "nin(2:at,t24:2024-01-02T00:00:00.000Z,@0/7,@1/5)");
}

static void an_empty_list_matches_nothing_and_excludes_nothing_but_null(void **state)
{
    assert_int_equal(expr_test(*state, id, OP_IN, NULL, 0)->kind, EXPR_FALSE);
    assert_key(expr_test(*state, id, OP_NIN, NULL, 0), "nnull(2:id)");
}

static void operands_are_folded_where_case_does_not_matter(void **state)
{
    assert_key(one(*state, name, OP_ICONTAINS, TEXT("\xc3\x84X")),
               "icontains(4:name,t3:\xc3\xa4x)");
    assert_key(one(*state, name, OP_CONTAINS, TEXT("X")), "contains(4:name,t1:X)");
}

/* ---- questions ---- */

static void keys_do_not_depend_on_order_or_repetition(void **state)
{
    const struct expr *x = one(*state, id, OP_EQ, INTEGER(1));
    const struct expr *y = one(*state, name, OP_EQ, TEXT("a"));
    const char *both = "&(eq(2:id,i1)eq(4:name,t1:a))";
    assert_key(expr_and(*state, x, y), both);
    assert_key(expr_and(*state, y, expr_and(*state, x, y)), both);
    assert_key(expr_or(*state, y, x), "|(eq(2:id,i1)eq(4:name,t1:a))");
    assert_key(&expr_true, "true");
    assert_key(&expr_false, "false");
}

static void keys_tell_masks_and_moments_apart(void **state)
{
    const struct operand now = {.now = true, .shift = {-1, 60000}};
    const struct expr *mask = one(*state, id, OP_EQ, INTEGER(1));
    assert_key(expr_test_operands(*state, at, mask, OP_LT, &now, 1),
               "lt(2:at|eq(2:id,i1),@-1/60000)");
    assert_key(expr_test_operands(*state, at, &expr_true, OP_LT, &now, 1), "lt(2:at,@-1/60000)");
}

static void columns_of_masks_count(void **state)
{
    struct column_set set = {0};
    const struct expr *mask = one(*state, name, OP_EQ, TEXT("a"));
    const struct operand now = {.now = true};
    const struct expr *x = expr_test_operands(*state, at, mask, OP_LT, &now, 1);
    assert_true(column_set_is_empty(&set));
    expr_columns(expr_or(*state, x, x), set.words, COLUMN_WORDS);
    assert_true(column_set_has(&set, name->index));
    assert_true(column_set_has(&set, at->index));
    assert_false(column_set_has(&set, id->index));
    assert_false(column_set_is_empty(&set));
}

static void now_is_found_at_any_depth(void **state)
{
    const struct operand now = {.now = true};
    const struct expr *fixed = one(*state, id, OP_EQ, INTEGER(1));
    const struct expr *x = expr_test_operands(*state, at, NULL, OP_LT, &now, 1);
    const struct operand value = {.value = INTEGER(1)};
    assert_false(expr_uses_now(&expr_true));
    assert_false(expr_uses_now(fixed));
    assert_true(expr_uses_now(expr_or(*state, fixed, x)));
    assert_true(expr_uses_now(expr_test_operands(*state, id, x, OP_LT, &value, 1)));
}

static void the_smallest_equality_is_found(void **state)
{
    const struct value ids[] = {INTEGER(1), INTEGER(2)};
    const struct expr *in = expr_test(*state, id, OP_IN, ids, 2);
    const struct expr *eq = one(*state, name, OP_EQ, TEXT("a"));
    const struct expr *lt = one(*state, price, OP_LT, REAL(1));
    const struct column *c;
    const struct operand *operands;
    size_t count;

    assert_true(expr_equality(in, &c, &operands, &count));
    assert_ptr_equal(c, id);
    assert_int_equal(count, 2);
    assert_true(
        expr_equality(expr_and(*state, lt, expr_and(*state, in, eq)), &c, &operands, &count));
    assert_ptr_equal(c, name);
    assert_int_equal(count, 1);
    assert_value(operands[0].value, TEXT("a"));

    assert_false(expr_equality(lt, &c, &operands, &count));
    assert_false(expr_equality(&expr_true, &c, &operands, &count));
    assert_false(expr_equality(expr_or(*state, eq, lt), &c, &operands, &count));
    const struct operand now = {.now = true}, a = {.value = TEXT("a")};
    assert_false(
        expr_equality(expr_test_operands(*state, at, NULL, OP_EQ, &now, 1), &c, &operands, &count));
    assert_false(
        expr_equality(expr_test_operands(*state, name, lt, OP_EQ, &a, 1), &c, &operands, &count));
}

static void a_copy_outlives_its_arena(void **state)
{
    struct arena *own = arena_new();
    const struct expr *mask = one(own, id, OP_GT, INTEGER(0));
    const struct operand a = {.value = value_text(arena_str(own, STR("a")))};
    const struct expr *x = expr_and(own, expr_test_operands(own, name, mask, OP_EQ, &a, 1),
                                    one(own, id, OP_LT, INTEGER(7)));
    const struct expr *copy = expr_copy(*state, x);
    arena_free(own);
    assert_key(copy, "&(eq(4:name|gt(2:id,i0),t1:a)lt(2:id,i7))");
    assert_ptr_equal(expr_copy(*state, &expr_true), &expr_true);
    assert_ptr_equal(expr_copy(*state, &expr_false), &expr_false);
}

/* ---- other tables ---- */

static const struct column tag_columns[] = {
    {.name = {"id", 2}, .type = TYPE_INTEGER, .index = 0},
    {.name = {"on", 2}, .type = TYPE_TIMESTAMP, .index = 130},
};
static const struct column owner = {.name = {"owner", 5}, .type = TYPE_BIG_INTEGER, .index = 65};
static const struct shape tags = {{"tags", 4}, tag_columns, 2, 0};

/* column (NOT) IN (SELECT id FROM tags WHERE where) */
static const struct expr *among(struct arena *a, const struct column *c, const struct expr *where,
                                bool negated)
{
    const struct subselect of = {&tags, &tag_columns[0], where};
    return expr_among(a, c, &of, negated);
}

static void a_key_tells_a_subselect_and_its_condition(void **state)
{
    const struct expr *tag = one(*state, &tag_columns[0], OP_GT, INTEGER(1));
    assert_key(among(*state, id, NULL, false), "among(2:id,4:tags.2:id|true)");
    assert_key(among(*state, &owner, tag, true), "namong(5:owner,4:tags.2:id|gt(2:id,i1))");
    assert_key(among(*state, id, among(*state, &tag_columns[0], tag, true), false),
               "among(2:id,4:tags.2:id|namong(2:id,4:tags.2:id|gt(2:id,i1)))");
}

static void what_no_row_is_among_vanishes(void **state)
{
    assert_int_equal(among(*state, id, &expr_false, false)->kind, EXPR_FALSE);
    assert_key(among(*state, id, &expr_false, true), "nnull(2:id)");
    assert_int_equal(among(*state, id, &expr_true, true)->kind, EXPR_AMONG);
}

static void a_subselect_is_deep_and_stands_last(void **state)
{
    const struct expr *test = one(*state, id, OP_EQ, INTEGER(1));
    const struct expr *outer = among(*state, id, NULL, false);
    const struct expr *inner = among(*state, id, among(*state, &tag_columns[0], NULL, true), false);
    const struct expr *both = expr_and(*state, outer, test);
    assert_true(inner->depth > outer->depth);
    assert_true(outer->depth > 0);
    assert_int_equal(inner->depth - outer->depth, outer->depth);
    assert_ptr_equal(both->list.items[1], outer);
    assert_int_equal(both->depth, outer->depth + 1);
}

static void reaching_is_found_at_any_depth(void **state)
{
    const struct expr *test = one(*state, id, OP_EQ, INTEGER(1));
    const struct expr *reaching = among(*state, id, NULL, true);
    const struct operand value = {.value = INTEGER(1)};
    assert_false(expr_reaches(&expr_true));
    assert_false(expr_reaches(test));
    assert_false(expr_reaches(expr_or(*state, test, expr_test(*state, name, OP_NULL, NULL, 0))));
    assert_true(expr_reaches(reaching));
    assert_true(expr_reaches(expr_or(*state, test, expr_and(*state, test, reaching))));
    assert_true(expr_reaches(expr_test_operands(*state, id, reaching, OP_EQ, &value, 1)));
    assert_false(expr_reaches(expr_test_operands(*state, id, test, OP_EQ, &value, 1)));
}

static void a_subselect_reads_one_column_of_its_row(void **state)
{
    struct column_set set = {0};
    const struct operand now = {.now = true};
    const struct expr *past = expr_test_operands(*state, &tag_columns[1], NULL, OP_LT, &now, 1);
    const struct expr *x = among(*state, &owner, past, false);
    expr_columns(x, set.words, COLUMN_WORDS);
    assert_true(column_set_has(&set, owner.index));
    assert_false(column_set_has(&set, tag_columns[0].index));
    assert_false(column_set_has(&set, tag_columns[1].index));
    assert_true(expr_uses_now(expr_and(*state, one(*state, id, OP_EQ, INTEGER(1)), x)));
    assert_false(expr_uses_now(among(*state, &owner, NULL, false)));
}

static void a_subselect_is_no_equality(void **state)
{
    const struct expr *eq = one(*state, id, OP_EQ, INTEGER(1));
    const struct expr *tag = one(*state, &tag_columns[0], OP_EQ, INTEGER(1));
    const struct column *c;
    const struct operand *operands;
    size_t count;
    assert_false(expr_equality(among(*state, id, tag, false), &c, &operands, &count));
    assert_true(
        expr_equality(expr_and(*state, among(*state, id, tag, false), eq), &c, &operands, &count));
    assert_ptr_equal(operands, eq->test.operands);
}

static void a_copy_of_a_subselect_outlives_its_arena(void **state)
{
    struct arena *own = arena_new();
    const struct expr *tag = one(own, &tag_columns[1], OP_GT, TEXT("2026-11-22T00:00:00Z"));
    const struct expr *copy = expr_copy(*state, among(own, id, tag, true));
    arena_free(own);
    assert_key(copy, "namong(2:id,4:tags.2:id|gt(2:on,t24:2026-11-22T00:00:00.000Z))");
    assert_true(copy->depth > 0);
}

#define test_with_arena(test) cmocka_unit_test_setup_teardown(test, with_arena, free_arena)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_arena(constants_vanish),
        test_with_arena(lists_of_one_kind_become_one),
        test_with_arena(a_tree_knows_its_depth_and_puts_shallow_items_first),
        test_with_arena(comparing_with_null_asks_for_null),
        test_with_arena(values_take_the_kind_of_the_column),
        test_with_arena(a_comparison_is_with_values_as_they_are_stored),
        test_with_arena(a_boolean_compares_with_0_and_1_only),
        test_with_arena(a_decimal_compares_with_fifteen_digits),
        test_with_arena(what_no_store_can_hold_compares_as_null),
        test_with_arena(operators_on_text_are_unknown_on_numbers),
        test_with_arena(now_is_null_where_it_has_no_form),
        test_with_arena(lists_are_sorted_and_told_once),
        test_with_arena(an_empty_list_matches_nothing_and_excludes_nothing_but_null),
        test_with_arena(operands_are_folded_where_case_does_not_matter),
        test_with_arena(keys_do_not_depend_on_order_or_repetition),
        test_with_arena(keys_tell_masks_and_moments_apart),
        test_with_arena(columns_of_masks_count),
        test_with_arena(now_is_found_at_any_depth),
        test_with_arena(the_smallest_equality_is_found),
        test_with_arena(a_copy_outlives_its_arena),
        test_with_arena(a_key_tells_a_subselect_and_its_condition),
        test_with_arena(what_no_row_is_among_vanishes),
        test_with_arena(a_subselect_is_deep_and_stands_last),
        test_with_arena(reaching_is_found_at_any_depth),
        test_with_arena(a_subselect_reads_one_column_of_its_row),
        test_with_arena(a_subselect_is_no_equality),
        test_with_arena(a_copy_of_a_subselect_outlives_its_arena),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
