#include "fixture.h"

static const struct column word_columns[] = {
    {.name = {"id", 2}, .type = TYPE_UUID, .index = 0, .primary_key = true},
    {.name = {"text", 4}, .type = TYPE_STRING, .index = 1, .nullable = true, .length_max = 5},
    {.name = {"place", 5}, .type = TYPE_INTEGER, .index = 2, .nullable = true},
    {.name = {"order", 5}, .type = TYPE_FLOAT, .index = 3, .nullable = true},
    {.name = {"number", 6},
     .type = TYPE_BIG_INTEGER,
     .index = 4,
     .default_value = {.kind = VALUE_INTEGER}},
    {.name = {"mail", 4}, .type = TYPE_STRING, .index = 5, .nullable = true, .unique = true},
    {.name = {"price", 5},
     .type = TYPE_DECIMAL,
     .index = 6,
     .nullable = true,
     .precision = 10,
     .scale = 2},
    {.name = {"open", 4}, .type = TYPE_BOOLEAN, .index = 7, .nullable = true},
    {.name = {"at", 2}, .type = TYPE_TIMESTAMP, .index = 8, .nullable = true},
    {.name = {"data", 4}, .type = TYPE_JSON, .index = 9, .nullable = true},
};
static const struct shape words = {{"words", 5}, word_columns, 10, 0};
static const struct column *const id = &word_columns[0], *const text = &word_columns[1],
                                  *const place = &word_columns[2], *const order = &word_columns[3],
                                  *const number = &word_columns[4], *const mail = &word_columns[5],
                                  *const price = &word_columns[6];

static struct value key(struct fixture *f, int i)
{
    return value_text(arena_printf(f->arena, "00000000-0000-4000-8000-%012d", i));
}

static void add(struct fixture *f, int i, const char *word)
{
    const struct assignment assignments[] = {{id, key(f, i)}, {text, value_text(str_of(word))}};
    assert_int_equal(store_insert(f->store, &words, assignments, 2, NULL, NULL), 0);
}

static int set_up(void **state)
{
    fixture_setup(state);
    struct fixture *f = *state;
    create(f->store, &words);
    add(f, 1, "b");
    add(f, 2, "A");
    add(f, 3, "a");
    add(f, 4, "b");
    return 0;
}
#define test_with_words(test) cmocka_unit_test_setup_teardown(test, set_up, fixture_teardown)

#define assert_column(f, c, expected) check_column((f), (c), (expected), __FILE__, __LINE__)
static void check_column(struct fixture *f, const struct column *c, const char *expected,
                         const char *file, int line)
{
    const struct output output = {c, NULL};
    check_selects(
        f->store,
        &(struct select){.shape = &words, .outputs = &output, .output_count = 1, .limit = -1},
        expected, file, line);
}

/* ---- numbers ---- */

static void rows_are_numbered_by_orders_and_then_by_key(void **state)
{
    struct fixture *f = *state;
    const struct order by_text[] = {{.column = text}};
    const struct order folded[] = {{.column = text, .folded = true, .descending = true}};
    assert_int_equal(store_renumber(f->store, &words, place, by_text, 1), 0);
    assert_column(f, place, "3;1;2;4;");
    assert_int_equal(store_renumber(f->store, &words, order, folded, 1), 0);
    assert_column(f, order, "1;4;3;2;");
    assert_int_equal(store_renumber(f->store, &words, number, NULL, 0), 0);
    assert_column(f, number, "1;2;3;4;");
    assert_int_equal(store_renumber(f->store, &words, price, folded, 1), 0);
    assert_column(f, price, "1;4;3;2;");
}

static void a_column_can_be_numbered_by_itself(void **state)
{
    struct fixture *f = *state;
    const struct value keys[] = {key(f, 1), key(f, 2), key(f, 4)};
    const struct value values[] = {REAL(2.5), REAL(2.25), REAL(1e9)};
    const struct order by[] = {{.column = order}};
    assert_int_equal(store_assign_each(f->store, &words, order, keys, values, 3), 0);
    assert_int_equal(store_renumber(f->store, &words, order, by, 1), 0);
    assert_column(f, order, "3;2;1;4;");
    assert_int_equal(store_renumber(f->store, &words, order, by, 1), 0);
    assert_column(f, order, "3;2;1;4;");
}

static void numbering_knows_ranks_and_masks(void **state)
{
    struct fixture *f = *state;
    const struct value keys[] = {key(f, 1), key(f, 2), key(f, 3), key(f, 4)};
    const struct value values[] = {INTEGER(10), INTEGER(20), INTEGER(30), INTEGER(40)};
    static const int64_t ranks[] = {40, 10, 30};
    const struct order by[] = {
        {.column = number,
         .mask = expr_test(f->arena, id, OP_NEQ, &keys[3], 1),
         .ranks = ranks,
         .rank_count = 3,
         .descending = true},
    };
    assert_int_equal(store_assign_each(f->store, &words, number, keys, values, 4), 0);
    assert_int_equal(store_renumber(f->store, &words, place, by, 1), 0);
    assert_column(f, place, "2;3;1;4;");
}

static void a_table_without_rows_is_numbered(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(store_delete(f->store, &words, NULL, 0, NULL, NULL), 0);
    assert_int_equal(store_renumber(f->store, &words, place, NULL, 0), 0);
    assert_column(f, place, "");
}

/* ---- a value for each ---- */

static void each_row_gets_its_own_value_of_any_type(void **state)
{
    struct fixture *f = *state;
    const struct {
        unsigned column;
        struct value values[3];
        const char *expected;
    } cases[] = {
        {1, {TEXT("x"), NONE, TEXT("")}, "x;A;-;;"},
        {2, {INTEGER(7), INTEGER(-1), NONE}, "7;-;-1;-;"},
        {3, {NONE, REAL(0.5), REAL(3)}, "-;-;0.5;3;"},
        {4, {INTEGER(INT64_MAX), INTEGER(5), INTEGER(6)}, "9223372036854775807;0;5;6;"},
        {6, {REAL(1.25), NONE, REAL(2)}, "1.25;-;-;2;"},
        {7, {NONE, INTEGER(1), INTEGER(0)}, "-;-;1;0;"},
        {8, {TEXT("2026-11-22T00:00:00.000Z"), NONE, NONE}, "2026-11-22T00:00:00.000Z;-;-;-;"},
        {9, {TEXT("[1]"), TEXT("{}"), NONE}, "[1];-;{};-;"},
    };
    const struct value keys[] = {key(f, 1), key(f, 3), key(f, 4)};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct column *c = &word_columns[cases[i].column];
        assert_int_equal(store_assign_each(f->store, &words, c, keys, cases[i].values, 3), 0);
        assert_column(f, c, cases[i].expected);
    }
}

static void keys_that_no_row_has_are_passed_over(void **state)
{
    struct fixture *f = *state;
    const struct value keys[] = {key(f, 9), key(f, 2)}, values[] = {INTEGER(1), INTEGER(2)};
    assert_int_equal(store_assign_each(f->store, &words, place, keys, values, 2), 0);
    assert_int_equal(store_assign_each(f->store, &words, place, NULL, NULL, 0), 0);
    assert_column(f, place, "-;2;-;-;");
}

static void a_value_that_does_not_fit_is_refused(void **state)
{
    struct fixture *f = *state;
    const struct value keys[] = {key(f, 1), key(f, 2)};
    const struct value long_text[] = {TEXT("12345"), TEXT("123456")};
    const struct value nulls[] = {INTEGER(1), NONE};
    const struct value twice[] = {TEXT("x"), TEXT("x")};
    assert_int_equal(store_assign_each(f->store, &words, text, keys, long_text, 2), STORE_RANGE);
    assert_detail(f->store, "words", "text");
    assert_int_equal(store_assign_each(f->store, &words, number, keys, nulls, 2), STORE_NULL);
    assert_int_equal(store_assign_each(f->store, &words, mail, keys, twice, 2), STORE_NOT_UNIQUE);
    assert_detail(f->store, "words", "mail");
    assert_column(f, text, "b;A;a;b;");
}

/* Below, at and above the rows of one statement. */
static void any_number_of_rows_is_assigned(void **state)
{
    struct fixture *f = *state;
    enum { ROWS = 1030 };
    static const size_t counts[] = {1, 3, 511, 512, 513, 1024, 1025, ROWS};
    struct value keys[ROWS], values[ROWS];
    assert_int_equal(store_begin(f->store, STORE_WRITE), 0);
    for (int i = 0; i < ROWS; i++) {
        keys[i] = key(f, 100 + i);
        add(f, 100 + i, "w");
    }
    for (size_t k = 0; k < COUNT_OF(counts); k++) {
        struct value least, greatest;
        int64_t written;
        const struct value base = INTEGER((int64_t)k * 10000);
        for (int i = 0; i < ROWS; i++)
            values[i] = INTEGER((int64_t)k * 10000 + i + 1);
        assert_int_equal(store_assign_each(f->store, &words, number, keys, values, counts[k]), 0);
        const struct expr *of_this = expr_test(f->arena, number, OP_GT, &base, 1);
        assert_int_equal(
            store_count(f->store, &(struct select){.shape = &words, .where = of_this}, &written),
            0);
        assert_int_equal(written, counts[k]);
        assert_int_equal(store_maximum(f->store, &words, number, of_this, &greatest), 0);
        assert_int_equal(store_minimum(f->store, &words, number, of_this, &least), 0);
        assert_value(least, values[0]);
        assert_value(greatest, values[counts[k] - 1]);
    }
    assert_int_equal(store_commit(f->store), 0);
}

/* ---- extremes ---- */

static void the_greatest_and_the_least_value_are_found(void **state)
{
    struct fixture *f = *state;
    const struct value keys[] = {key(f, 1), key(f, 2), key(f, 3)};
    const struct value reals[] = {REAL(-0.5), REAL(10), REAL(9)};
    const struct value big[] = {INTEGER(INT64_MIN), INTEGER(INT64_MAX), INTEGER(9)};
    const struct value small[] = {INTEGER(1), INTEGER(10), INTEGER(9)};
    const struct value b = TEXT("b");
    const struct expr *only_b = expr_test(f->arena, text, OP_EQ, &b, 1);
    struct value v;
    assert_int_equal(store_maximum(f->store, &words, order, NULL, &v), 0);
    assert_value(v, NONE);
    assert_int_equal(store_assign_each(f->store, &words, order, keys, reals, 3), 0);
    assert_int_equal(store_assign_each(f->store, &words, price, keys, reals, 3), 0);
    assert_int_equal(store_assign_each(f->store, &words, number, keys, big, 3), 0);
    assert_int_equal(store_assign_each(f->store, &words, place, keys, small, 3), 0);
    const struct {
        const struct column *column;
        struct value least, greatest;
    } cases[] = {{order, REAL(-0.5), REAL(10)},
                 {price, REAL(-0.5), REAL(10)},
                 {number, INTEGER(INT64_MIN), INTEGER(INT64_MAX)},
                 {place, INTEGER(1), INTEGER(10)}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(store_minimum(f->store, &words, cases[i].column, NULL, &v), 0);
        assert_value(v, cases[i].least);
        assert_int_equal(store_maximum(f->store, &words, cases[i].column, NULL, &v), 0);
        assert_value(v, cases[i].greatest);
    }
    assert_int_equal(store_maximum(f->store, &words, order, only_b, &v), 0);
    assert_value(v, REAL(-0.5));
    assert_int_equal(store_maximum(f->store, &words, order, &expr_false, &v), 0);
    assert_value(v, NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_words(rows_are_numbered_by_orders_and_then_by_key),
        test_with_words(a_column_can_be_numbered_by_itself),
        test_with_words(numbering_knows_ranks_and_masks),
        test_with_words(a_table_without_rows_is_numbered),
        test_with_words(each_row_gets_its_own_value_of_any_type),
        test_with_words(keys_that_no_row_has_are_passed_over),
        test_with_words(a_value_that_does_not_fit_is_refused),
        test_with_words(any_number_of_rows_is_assigned),
        test_with_words(the_greatest_and_the_least_value_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
