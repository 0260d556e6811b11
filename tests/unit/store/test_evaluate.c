#include "check.h"

#include "store/expr.h"

static const struct column columns[] = {
    {.name = {"number", 6}, .type = TYPE_INTEGER, .index = 0},
    {.name = {"text", 4}, .type = TYPE_STRING, .index = 1},
    {.name = {"at", 2}, .type = TYPE_TIMESTAMP, .index = 2},
    {.name = {"real", 4}, .type = TYPE_FLOAT, .index = 3},
};
static const struct column *const number = &columns[0], *const text = &columns[1],
                                  *const at = &columns[2], *const real = &columns[3];

/* Truth tables are read at a glance or not at all. */
#define F TRUTH_FALSE
#define T TRUTH_TRUE
#define U TRUTH_UNKNOWN

enum { NOW_MS = 0 }; /* 1970-01-01T00:00:00.000Z */

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

/* An expression that is true, false or unknown on any row. */
static const struct expr *sure(struct arena *a, enum truth t)
{
    const struct value one = INTEGER(1), none = NONE;
    if (t == TRUTH_UNKNOWN)
        return expr_test(a, number, OP_LT, &none, 1);
    return expr_test(a, number, t == TRUTH_TRUE ? OP_EQ : OP_NEQ, &one, 1);
}

static void logic_has_three_values(void **state)
{
    static const struct {
        enum truth x, y, both, either;
    } table[] = {
        {F, F, F, F}, {F, T, F, T}, {F, U, F, U}, {T, F, F, T}, {T, T, T, T},
        {T, U, U, T}, {U, F, F, U}, {U, T, U, T}, {U, U, U, U},
    };
    const struct value row[] = {INTEGER(1), NONE, NONE, NONE};
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        const struct expr *x = sure(*state, table[i].x), *y = sure(*state, table[i].y);
        assert_int_equal(expr_evaluate(expr_and(*state, x, y), row, NOW_MS), table[i].both);
        assert_int_equal(expr_evaluate(expr_or(*state, x, y), row, NOW_MS), table[i].either);
    }
    for (int t = F; t <= U; t++) {
        const struct expr *x = sure(*state, (enum truth)t);
        assert_int_equal(expr_matches(x, row, NOW_MS), t == T);
    }
    assert_true(expr_matches(&expr_true, row, NOW_MS));
    assert_false(expr_matches(&expr_false, row, NOW_MS));
}

/* One operator with its operands on a cell that fulfils it, one that does not, null and "". */
struct meaning {
    enum operator op;
    struct value operands[3];
    size_t count;
    struct value yes, no;
    enum truth on_null, on_empty;
};

static void check_meanings(struct arena *a, const struct column *c, const struct meaning *meanings,
                           size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct meaning *m = &meanings[i];
        const struct expr *x = expr_test(a, c, m->op, m->operands, m->count);
        const struct value cells[] = {m->yes, m->no, NONE, TEXT("")};
        const enum truth expected[] = {TRUTH_TRUE, TRUTH_FALSE, m->on_null, m->on_empty};
        size_t cell_count = types[c->type].kind == VALUE_TEXT ? 4 : 3;
        for (size_t k = 0; k < cell_count; k++) {
            struct value row[COUNT_OF(columns)] = {{0}};
            row[c->index] = cells[k];
            enum truth t = expr_evaluate(x, row, NOW_MS);
            if (t != expected[k])
                print_error("%s on cell %zu gives %d\n", operators[m->op].name, k, (int)t);
            assert_int_equal(t, expected[k]);
        }
    }
}

static void every_operator_means_what_it_says_on_text(void **state)
{
    const struct meaning meanings[] = {
        {OP_EQ, {TEXT("\xc3\xa4")}, 1, TEXT("\xc3\xa4"), TEXT("\xc3\x84"), U, F},
        {OP_NEQ, {TEXT("a")}, 1, TEXT("A"), TEXT("a"), U, T},
        {OP_LT, {TEXT("b")}, 1, TEXT("a"), TEXT("b"), U, T},
        {OP_LTE, {TEXT("b")}, 1, TEXT("b"), TEXT("b0"), U, T},
        {OP_GT, {TEXT("b")}, 1, TEXT("b0"), TEXT("b"), U, F},
        {OP_GTE, {TEXT("b")}, 1, TEXT("b"), TEXT("a"), U, F},
        {OP_IN, {TEXT("b"), TEXT("a")}, 2, TEXT("a"), TEXT("c"), U, F},
        {OP_NIN, {TEXT("b"), TEXT("a")}, 2, TEXT("c"), TEXT("b"), U, T},
        {OP_BETWEEN, {TEXT("b"), TEXT("c")}, 2, TEXT("c"), TEXT("c0"), U, F},
        {OP_NBETWEEN, {TEXT("b"), TEXT("c")}, 2, TEXT("a"), TEXT("b"), U, T},
        {OP_EMPTY, {NONE}, 0, TEXT(""), TEXT(" "), T, T},
        {OP_NEMPTY, {NONE}, 0, TEXT(" "), TEXT(""), F, F},
        {OP_NNULL, {NONE}, 0, TEXT("a"), NONE, F, T},
        {OP_CONTAINS, {TEXT("b")}, 1, TEXT("abc"), TEXT("aBc"), U, F},
        {OP_NCONTAINS, {TEXT("b")}, 1, TEXT("aBc"), TEXT("abc"), U, T},
        {OP_ICONTAINS, {TEXT("\xc3\x84")}, 1, TEXT("x\xc3\xa4x"), TEXT("xax"), U, F},
        {OP_STARTS_WITH, {TEXT("a")}, 1, TEXT("ab"), TEXT("Ab"), U, F},
        {OP_NSTARTS_WITH, {TEXT("a")}, 1, TEXT("Ab"), TEXT("ab"), U, T},
        {OP_ISTARTS_WITH, {TEXT("A")}, 1, TEXT("ab"), TEXT("ba"), U, F},
        {OP_NISTARTS_WITH, {TEXT("A")}, 1, TEXT("ba"), TEXT("ab"), U, T},
        {OP_ENDS_WITH, {TEXT("b")}, 1, TEXT("ab"), TEXT("aB"), U, F},
        {OP_NENDS_WITH, {TEXT("b")}, 1, TEXT("aB"), TEXT("ab"), U, T},
        {OP_IENDS_WITH, {TEXT("B")}, 1, TEXT("ab"), TEXT("ba"), U, F},
        {OP_NIENDS_WITH, {TEXT("B")}, 1, TEXT("ba"), TEXT("ab"), U, T},
    };
    check_meanings(*state, text, meanings, COUNT_OF(meanings));
}

static void every_operator_means_what_it_says_on_numbers(void **state)
{
    const struct meaning meanings[] = {
        {OP_EQ, {INTEGER(5)}, 1, INTEGER(5), INTEGER(6), U, F},
        {OP_LT, {REAL(5.5)}, 1, INTEGER(5), INTEGER(6), U, F},
        {OP_LTE, {INTEGER(5)}, 1, INTEGER(5), INTEGER(6), U, F},
        {OP_GT, {INTEGER(5)}, 1, INTEGER(6), INTEGER(5), U, F},
        {OP_GTE, {INTEGER(5)}, 1, INTEGER(5), INTEGER(4), U, F},
        {OP_IN, {INTEGER(9), INTEGER(1), TEXT("5")}, 3, INTEGER(5), INTEGER(6), U, F},
        {OP_NIN, {INTEGER(9), INTEGER(1), INTEGER(5)}, 3, INTEGER(6), INTEGER(1), U, F},
        {OP_BETWEEN, {INTEGER(-1), INTEGER(1)}, 2, INTEGER(-1), INTEGER(2), U, F},
        {OP_NBETWEEN, {INTEGER(-1), INTEGER(1)}, 2, INTEGER(-2), INTEGER(1), U, F},
        {OP_NNULL, {NONE}, 0, INTEGER(0), NONE, F, F},
    };
    check_meanings(*state, number, meanings, COUNT_OF(meanings));
    const struct value row[] = {NONE, NONE, NONE, REAL(0.5)};
    const struct value half = TEXT("0.5");
    assert_true(expr_matches(expr_test(*state, real, OP_EQ, &half, 1), row, NOW_MS));
}

static void a_null_among_the_operands_leaves_the_answer_open(void **state)
{
    const struct value list[] = {INTEGER(1), NONE}, low[] = {NONE, INTEGER(5)};
    const struct value ranges[] = {INTEGER(5), NONE};
    const struct expr *in = expr_test(*state, number, OP_IN, list, 2);
    const struct expr *nin = expr_test(*state, number, OP_NIN, list, 2);
    const struct expr *below = expr_test(*state, number, OP_BETWEEN, low, 2);
    const struct expr *outside = expr_test(*state, number, OP_NBETWEEN, ranges, 2);
    const struct value one[] = {INTEGER(1)}, nine[] = {INTEGER(9)};
    assert_int_equal(expr_evaluate(in, one, NOW_MS), TRUTH_TRUE);
    assert_int_equal(expr_evaluate(in, nine, NOW_MS), TRUTH_UNKNOWN);
    assert_int_equal(expr_evaluate(nin, one, NOW_MS), TRUTH_FALSE);
    assert_int_equal(expr_evaluate(nin, nine, NOW_MS), TRUTH_UNKNOWN);
    assert_int_equal(expr_evaluate(below, one, NOW_MS), TRUTH_UNKNOWN);
    assert_int_equal(expr_evaluate(below, nine, NOW_MS), TRUTH_FALSE);
    assert_int_equal(expr_evaluate(outside, one, NOW_MS), TRUTH_TRUE);
    assert_int_equal(expr_evaluate(outside, nine, NOW_MS), TRUTH_UNKNOWN);
}

static void every_value_of_a_long_list_is_found(void **state)
{
    enum { COUNT = 1000 };
    struct value list[COUNT];
    for (size_t i = 0; i < COUNT; i++)
        list[i] = INTEGER((int64_t)((i * 7919) % COUNT) * 2);
    const struct expr *in = expr_test(*state, number, OP_IN, list, COUNT);
    for (int64_t i = -1; i <= 2 * COUNT; i++) {
        const struct value row[] = {INTEGER(i)};
        assert_int_equal(expr_matches(in, row, NOW_MS), i >= 0 && i < 2 * COUNT && i % 2 == 0);
    }
}

static void a_masked_column_is_null_unless_the_mask_is_true(void **state)
{
    const struct operand five = {.value = TEXT("a")};
    static const enum truth expected[] = {
        [TRUTH_FALSE] = TRUTH_UNKNOWN, [TRUTH_TRUE] = TRUTH_TRUE, [TRUTH_UNKNOWN] = TRUTH_UNKNOWN};
    const struct value row[] = {INTEGER(1), TEXT("a"), NONE, NONE};
    for (int t = TRUTH_FALSE; t <= TRUTH_UNKNOWN; t++) {
        const struct expr *mask = sure(*state, (enum truth)t);
        const struct expr *eq = expr_test_operands(*state, text, mask, OP_EQ, &five, 1);
        const struct expr *is_null = expr_test_operands(*state, text, mask, OP_NULL, NULL, 0);
        assert_int_equal(expr_evaluate(eq, row, NOW_MS), expected[t]);
        assert_int_equal(expr_matches(is_null, row, NOW_MS), t != TRUTH_TRUE);
    }
}

static void now_takes_the_form_of_the_column(void **state)
{
    const struct operand later = {.now = true, .shift = {.months = 1, .ms = 1}};
    static const struct {
        enum type_id type;
        const char *text;
    } cases[] = {
        {TYPE_DATE, "1970-02-01"},
        {TYPE_TIME, "00:00:00"},
        {TYPE_DATE_TIME, "1970-02-01T00:00:00"},
        {TYPE_TIMESTAMP, "1970-02-01T00:00:00.001Z"},
        {TYPE_STRING, "1970-02-01T00:00:00.001Z"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct column c = {.type = cases[i].type};
        assert_text(operand_value(&later, &c, NOW_MS, *state).text, cases[i].text);
    }
    assert_value(operand_value(&later, number, NOW_MS, *state),
                 INTEGER(31 * INT64_C(86400000) + 1));
    assert_value(operand_value(&later, real, NOW_MS, *state), REAL(31 * 86400000.0 + 1));
}

static void now_is_the_moment_of_the_question(void **state)
{
    const struct operand hour_ago = {.now = true, .shift = {.ms = -3600000}};
    const struct expr *recent = expr_test_operands(*state, at, NULL, OP_GT, &hour_ago, 1);
    const struct expr *listed = expr_test_operands(*state, at, NULL, OP_IN, &hour_ago, 1);
    const struct expr *like = expr_test_operands(*state, text, NULL, OP_ICONTAINS, &hour_ago, 1);
    const struct value row[] = {NONE, TEXT("at 1970-01-01t00:00:00.000z"),
                                TEXT("1970-01-01T00:00:00.000Z"), NONE};
    assert_true(expr_matches(recent, row, 3599999));
    assert_false(expr_matches(recent, row, 3600000));
    assert_false(expr_matches(listed, row, 3599999));
    assert_true(expr_matches(listed, row, 3600000));
    assert_true(expr_matches(like, row, 3600000));
}

static void what_reaches_into_another_table_is_unknown(void **state)
{
    static const struct shape others = {{"others", 6}, columns, 4, 0};
    const struct subselect all = {&others, number, NULL};
    const struct value row[] = {INTEGER(1), NONE, NONE, NONE};
    for (int negated = 0; negated < 2; negated++) {
        const struct expr *x = expr_among(*state, number, &all, negated);
        assert_int_equal(expr_evaluate(x, row, NOW_MS), U);
        assert_int_equal(expr_evaluate(expr_or(*state, x, sure(*state, T)), row, NOW_MS), T);
        assert_int_equal(expr_evaluate(expr_or(*state, x, sure(*state, F)), row, NOW_MS), U);
        assert_int_equal(expr_evaluate(expr_and(*state, x, sure(*state, F)), row, NOW_MS), F);
        assert_int_equal(expr_evaluate(expr_and(*state, x, sure(*state, T)), row, NOW_MS), U);
    }
}

#define test_with_arena(test) cmocka_unit_test_setup_teardown(test, with_arena, free_arena)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_arena(logic_has_three_values),
        test_with_arena(every_operator_means_what_it_says_on_text),
        test_with_arena(every_operator_means_what_it_says_on_numbers),
        test_with_arena(a_null_among_the_operands_leaves_the_answer_open),
        test_with_arena(every_value_of_a_long_list_is_found),
        test_with_arena(a_masked_column_is_null_unless_the_mask_is_true),
        test_with_arena(now_takes_the_form_of_the_column),
        test_with_arena(now_is_the_moment_of_the_question),
        test_with_arena(what_reaches_into_another_table_is_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
