#include "check.h"

#include <float.h>

#include "store/value.h"

static int order(struct value a, struct value b)
{
    assert_int_equal(value_compare(&a, &b), -value_compare(&b, &a));
    assert_int_equal(value_equal(&a, &b), value_compare(&a, &b) == 0);
    return value_compare(&a, &b);
}

static void integers_and_reals_compare_by_number(void **state)
{
    (void)state;
    assert_int_equal(order(INTEGER(1), INTEGER(2)), -1);
    assert_int_equal(order(INTEGER(-1), INTEGER(-1)), 0);
    assert_int_equal(order(REAL(1.5), REAL(1.25)), 1);
    assert_int_equal(order(INTEGER(1), REAL(1)), 0);
    assert_int_equal(order(INTEGER(1), REAL(1.5)), -1);
    assert_int_equal(order(INTEGER(-1), REAL(-1.5)), 1);
    assert_int_equal(order(INTEGER(0), REAL(-0.0)), 0);
}

static void large_integers_and_reals_compare_exactly(void **state)
{
    (void)state;
    const int64_t two_53 = INT64_C(1) << 53;
    assert_int_equal(order(INTEGER(two_53), REAL(0x1p53)), 0);
    assert_int_equal(order(INTEGER(two_53 + 1), REAL(0x1p53)), 1);
    assert_int_equal(order(INTEGER(INT64_MAX), REAL(0x1p63)), -1);
    assert_int_equal(order(INTEGER(INT64_MIN), REAL(-0x1p63)), 0);
    assert_int_equal(order(INTEGER(INT64_MIN), REAL(-DBL_MAX)), 1);
    assert_int_equal(order(INTEGER(INT64_MAX), REAL(DBL_MAX)), -1);
}

static void texts_compare_by_bytes_and_follow_numbers(void **state)
{
    (void)state;
    assert_int_equal(order(TEXT("a"), TEXT("a")), 0);
    assert_true(order(TEXT("a"), TEXT("ab")) < 0);
    assert_true(order(TEXT("B"), TEXT("a")) < 0);
    assert_true(order(TEXT("z"), TEXT("\xc3\xa4")) < 0);
    assert_true(order(TEXT(""), TEXT("a")) < 0);
    assert_true(order(INTEGER(5), TEXT("")) < 0);
    assert_true(order(REAL(5), TEXT("")) < 0);
}

static void null_equals_null_only(void **state)
{
    (void)state;
    struct value null = NONE, zero = INTEGER(0), empty = TEXT("");
    assert_true(value_equal(&null, &null));
    assert_false(value_equal(&null, &zero));
    assert_false(value_equal(&empty, &null));
}

static void a_copied_row_does_not_need_its_origin(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    char text[] = "text";
    struct value row[] = {value_text((struct str){text, 4}), NONE, TEXT(""), INTEGER(7), REAL(.5)};
    struct value *copy = value_copy_row(a, row, COUNT_OF(row));
    struct value one = value_copy(a, &row[0]);
    text[0] = 'n';
    assert_text(copy[0].text, "text");
    assert_text(one.text, "text");
    for (size_t i = 1; i < COUNT_OF(row); i++)
        assert_value(copy[i], row[i]);
    arena_free(a);
}

static void keys_are_equal_where_values_are(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    const struct value values[] = {NONE,        INTEGER(0),         INTEGER(1),     REAL(1.5),
                                   TEXT(""),    TEXT("1"),          TEXT("i1"),     REAL(1),
                                   REAL(-0.0),  INTEGER(INT64_MIN), REAL(-0x1p63),  REAL(0x1p63),
                                   REAL(1e300), REAL(0.1),          REAL(0.1 + 0.2)};
    for (size_t i = 0; i < COUNT_OF(values); i++)
        for (size_t k = 0; k < COUNT_OF(values); k++)
            assert_int_equal(str_equal(value_key(a, &values[i]), value_key(a, &values[k])),
                             value_equal(&values[i], &values[k]));
    arena_free(a);
}

static void decimals_have_fifteen_digits(void **state)
{
    (void)state;
    const struct {
        double number, rounded;
    } cases[] = {{0, 0},
                 {0.1 + 0.2, 0.3},
                 {-0.1 - 0.2, -0.3},
                 {123456789012345, 123456789012345},
                 {1234567890123456, 1234567890123460},
                 {999999999999999.9, 1e15},
                 {1e300 / 3, 3.33333333333333e299},
                 {0x1.fffffffffffffp1023, 0x1.fffffffffffffp1023}};
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_true(value_round_decimal(cases[i].number) == cases[i].rounded);
}

static void keys_in_a_row_do_not_run_together(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, SIZE_MAX);
    const struct value values[] = {TEXT("a:t1"), INTEGER(-5), NONE, REAL(.5)};
    for (size_t i = 0; i < COUNT_OF(values); i++)
        value_put_key(&b, &values[i]);
    assert_text(buf_str(&b), "t4:a:t1i-5nr0.5");
    buf_deinit(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_and_reals_compare_by_number),
        cmocka_unit_test(large_integers_and_reals_compare_exactly),
        cmocka_unit_test(texts_compare_by_bytes_and_follow_numbers),
        cmocka_unit_test(null_equals_null_only),
        cmocka_unit_test(a_copied_row_does_not_need_its_origin),
        cmocka_unit_test(keys_are_equal_where_values_are),
        cmocka_unit_test(decimals_have_fifteen_digits),
        cmocka_unit_test(keys_in_a_row_do_not_run_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
