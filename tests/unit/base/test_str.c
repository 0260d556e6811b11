#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/str.h"

#include <float.h>
#include <math.h>

static int sign_of(int number)
{
    return (number > 0) - (number < 0);
}

static void order_is_by_bytes_and_then_by_length(void **state)
{
    (void)state;
    static const struct {
        struct str a, b;
        int sign;
    } cases[] = {
        {STR_INIT("a"), STR_INIT("b"), -1},       {STR_INIT("a"), STR_INIT("a"), 0},
        {STR_INIT("a"), STR_INIT("ab"), -1},      {STR_INIT("B"), STR_INIT("a"), -1},
        {STR_INIT(""), STR_INIT("a"), -1},        {STR_INIT(""), STR_NULL_INIT, 0},
        {STR_INIT("\xc3"), STR_INIT("z"), 1},     {STR_INIT("a\0b"), STR_INIT("a"), 1},
        {STR_INIT("a\0b"), STR_INIT("a\0c"), -1}, {STR_INIT("ab"), STR_INIT("abcd"), -1},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(sign_of(str_compare(cases[i].a, cases[i].b)), cases[i].sign);
        assert_int_equal(sign_of(str_compare(cases[i].b, cases[i].a)), -cases[i].sign);
        assert_int_equal(str_equal(cases[i].a, cases[i].b), cases[i].sign == 0);
    }
}

static void case_is_ignored_for_ascii_only(void **state)
{
    (void)state;
    assert_true(str_equal_nocase(STR("Content-TYPE"), STR("content-type")));
    assert_true(str_equal_nocase(STR("AZaz09"), STR("azAZ09")));
    assert_false(str_equal_nocase(STR("a"), STR("ab")));
    assert_false(str_equal_nocase(STR("@"), STR("`"))); /* one bit apart, as A and a are */
    assert_false(str_equal_nocase(STR("["), STR("{")));
    assert_false(str_equal_nocase(STR("\xc3\x84"), STR("\xc3\xa4")));
    assert_true(str_equal_nocase(STR_NULL, STR("")));
}

static void ends_and_middles_are_found(void **state)
{
    (void)state;
    struct str s = STR("abcabd");

    assert_true(str_starts_with(s, STR("abc")));
    assert_true(str_starts_with(s, s));
    assert_true(str_starts_with(s, STR("")));
    assert_false(str_starts_with(s, STR("abcabdx")));
    assert_false(str_starts_with(s, STR("b")));
    assert_true(str_ends_with(s, STR("abd")));
    assert_true(str_ends_with(s, s));
    assert_false(str_ends_with(s, STR("abc")));
    assert_false(str_ends_with(s, STR("xabcabd")));
    assert_true(str_contains(s, STR("cab")));
    assert_true(str_contains(s, STR("abd")));
    assert_true(str_contains(s, STR("")));
    assert_true(str_contains(STR_NULL, STR("")));
    assert_false(str_contains(s, STR("abcd")));
    assert_false(str_contains(STR_NULL, STR("a")));
}

static void trimming_takes_blanks_from_both_ends(void **state)
{
    (void)state;
    assert_true(str_equal(str_trim(STR(" \t\r\n a b \v\f")), STR("a b")));
    assert_true(str_equal(str_trim(STR("a")), STR("a")));
    assert_int_equal(str_trim(STR("  \n")).len, 0);
    assert_int_equal(str_trim(STR_NULL).len, 0);
    assert_int_equal(str_trim(STR("\xc2\xa0")).len, 2);
}

static void skipping_stops_at_the_end(void **state)
{
    (void)state;
    assert_true(str_equal(str_skip(STR("abc"), 0), STR("abc")));
    assert_true(str_equal(str_skip(STR("abc"), 2), STR("c")));
    assert_int_equal(str_skip(STR("abc"), 3).len, 0);
    assert_int_equal(str_skip(STR("abc"), 99).len, 0);
    assert_non_null(str_skip(STR("abc"), 99).at);
    assert_null(str_skip(STR_NULL, 1).at);
}

static void parts_are_cut_with_the_empty_ones(void **state)
{
    (void)state;
    struct str rest = STR("a,,b,"), part;
    static const char *const parts[] = {"a", "", "b", ""};

    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        assert_true(str_next(&rest, ',', &part));
        assert_true(str_equal(part, str_of(parts[i])));
    }
    assert_false(str_next(&rest, ',', &part));
    assert_null(rest.at);

    rest = STR("");
    assert_true(str_next(&rest, ',', &part));
    assert_int_equal(part.len, 0);
    assert_false(str_next(&rest, ',', &part));
}

static void integers_are_read_from_end_to_end(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int rc;
        int64_t number;
    } cases[] = {
        {"0", 0, 0},
        {"-0", 0, 0},
        {"+7", 0, 7},
        {"007", 0, 7},
        {"9223372036854775806", 0, INT64_MAX - 1},
        {"9223372036854775807", 0, INT64_MAX},
        {"9223372036854775808", STR_OUT_OF_RANGE, 0},
        {"-9223372036854775808", 0, INT64_MIN},
        {"-9223372036854775809", STR_OUT_OF_RANGE, 0},
        {"99999999999999999999", STR_OUT_OF_RANGE, 0},
        {"99999999999999999999x", STR_NOT_A_NUMBER, 0},
        {"", STR_NOT_A_NUMBER, 0},
        {"-", STR_NOT_A_NUMBER, 0},
        {"--1", STR_NOT_A_NUMBER, 0},
        {" 1", STR_NOT_A_NUMBER, 0},
        {"1 ", STR_NOT_A_NUMBER, 0},
        {"1.0", STR_NOT_A_NUMBER, 0},
        {"1e3", STR_NOT_A_NUMBER, 0},
        {"0x10", STR_NOT_A_NUMBER, 0},
        {"/", STR_NOT_A_NUMBER, 0},
        {":", STR_NOT_A_NUMBER, 0},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t number = 0;
        assert_int_equal(str_to_int64(str_of(cases[i].text), &number), cases[i].rc);
        assert_int_equal(number, cases[i].number);
    }
    int64_t untouched = 5;
    assert_int_equal(str_to_int64(STR_NULL, &untouched), STR_NOT_A_NUMBER);
    assert_int_equal(str_to_int64(STR("12x"), &untouched), STR_NOT_A_NUMBER);
    assert_int_equal(untouched, 5);
}

static void doubles_are_decimal_only(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int rc;
        double number;
    } cases[] = {
        {"0", 0, 0},
        {"-1.5", 0, -1.5},
        {"+1.5", 0, 1.5},
        {".5", 0, 0.5},
        {"5.", 0, 5},
        {"1e3", 0, 1000},
        {"1E+3", 0, 1000},
        {"25e-2", 0, 0.25},
        {"1.7976931348623157e308", 0, DBL_MAX},
        {"1.8e308", STR_OUT_OF_RANGE, 0},
        {"-1e999", STR_OUT_OF_RANGE, 0},
        {"1e-999", 0, 0},
        {"0.00000000000000000000000000000000000000000000000000000000000000000000000000000001", 0,
         1e-80},
        {"", STR_NOT_A_NUMBER, 0},
        {".", STR_NOT_A_NUMBER, 0},
        {"-", STR_NOT_A_NUMBER, 0},
        {"1e", STR_NOT_A_NUMBER, 0},
        {"1e+", STR_NOT_A_NUMBER, 0},
        {"e5", STR_NOT_A_NUMBER, 0},
        {"1,5", STR_NOT_A_NUMBER, 0},
        {"1.5.1", STR_NOT_A_NUMBER, 0},
        {" 1", STR_NOT_A_NUMBER, 0},
        {"1 ", STR_NOT_A_NUMBER, 0},
        {"0x10", STR_NOT_A_NUMBER, 0},
        {"inf", STR_NOT_A_NUMBER, 0},
        {"nan", STR_NOT_A_NUMBER, 0},
        {"-Infinity", STR_NOT_A_NUMBER, 0},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        double number = 0;
        assert_int_equal(str_to_double(str_of(cases[i].text), &number), cases[i].rc);
        assert_true(number == cases[i].number);
    }
    double untouched = 5, part;
    assert_int_equal(str_to_double(STR("x"), &untouched), STR_NOT_A_NUMBER);
    assert_true(untouched == 5);
    assert_int_equal(str_to_double((struct str){"1234", 2}, &part),
                     0); /* a view is not terminated */
    assert_true(part == 12);
}

static void doubles_are_written_with_the_digits_they_need(void **state)
{
    (void)state;
    static const struct {
        double number;
        const char *text;
    } cases[] = {
        {0, "0"},
        {-0.0, "0"},
        {0.1, "0.1"},
        {-1.5, "-1.5"},
        {0.1 + 0.2, "0.30000000000000004"},
        {1.0 / 3, "0.3333333333333333"},
        {123456789012345, "123456789012345"},
        {9007199254740992, "9007199254740992"},
        {1e15, "1e+15"},
        {1e300, "1e+300"},
        {DBL_MAX, "1.7976931348623157e+308"},
        {DBL_MIN, "2.2250738585072014e-308"},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char text[STR_DOUBLE_SIZE];
        double again;
        size_t len = str_from_double(cases[i].number, text);
        assert_int_equal(len, strlen(text));
        assert_int_equal(str_to_double(str_of(text), &again), 0);
        assert_true(again == cases[i].number);
        assert_string_equal(text, cases[i].text);
    }
}

static void random_doubles_read_back_the_same(void **state)
{
    (void)state;
    uint64_t bits = 1;

    for (int i = 0; i < 20000; i++) {
        char text[STR_DOUBLE_SIZE];
        double number, again;
        bits = bits * 6364136223846793005 + 1442695040888963407;
        memcpy(&number, &bits, sizeof(number));
        if (!isfinite(number))
            continue;
        struct str written = {text, str_from_double(number, text)};
        assert_int_equal(str_to_double(written, &again), 0);
        assert_true(again == number);
    }
}

static void equal_bytes_hash_alike_wherever_they_lie(void **state)
{
    (void)state;
    char bytes[64];

    for (size_t offset = 0; offset < 8; offset++) {
        memcpy(bytes + offset, "the quick brown fox", 19);
        assert_true(str_hash((struct str){bytes + offset, 19}) ==
                    str_hash(STR("the quick brown fox")));
    }
    assert_true(str_hash(STR("")) == str_hash(STR_NULL));
}

static void every_byte_and_the_length_count_in_a_hash(void **state)
{
    (void)state;
    char bytes[33] = {0};

    for (size_t len = 0; len < 32; len++) {
        uint64_t hash = str_hash((struct str){bytes, len});
        assert_true(hash != str_hash((struct str){bytes, len + 1}));
        for (size_t i = 0; i < len; i++) {
            bytes[i] = 1;
            assert_true(hash != str_hash((struct str){bytes, len}));
            bytes[i] = 0;
        }
    }
}

static void hashes_spread_evenly(void **state)
{
    (void)state;
    enum { BUCKETS = 1024, KEYS = 16 * BUCKETS };
    static unsigned low[BUCKETS], high[BUCKETS];

    for (int i = 0; i < KEYS; i++) {
        char key[16];
        uint64_t hash = str_hash((struct str){key, (size_t)snprintf(key, sizeof(key), "%d", i)});
        low[hash % BUCKETS]++;
        high[hash >> 54]++;
    }
    for (size_t i = 0; i < BUCKETS; i++) {
        assert_in_range(low[i], 0, 64); /* 16 expected; 64 are twelve deviations away */
        assert_in_range(high[i], 0, 64);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_is_by_bytes_and_then_by_length),
        cmocka_unit_test(case_is_ignored_for_ascii_only),
        cmocka_unit_test(ends_and_middles_are_found),
        cmocka_unit_test(trimming_takes_blanks_from_both_ends),
        cmocka_unit_test(skipping_stops_at_the_end),
        cmocka_unit_test(parts_are_cut_with_the_empty_ones),
        cmocka_unit_test(integers_are_read_from_end_to_end),
        cmocka_unit_test(doubles_are_decimal_only),
        cmocka_unit_test(doubles_are_written_with_the_digits_they_need),
        cmocka_unit_test(random_doubles_read_back_the_same),
        cmocka_unit_test(equal_bytes_hash_alike_wherever_they_lie),
        cmocka_unit_test(every_byte_and_the_length_count_in_a_hash),
        cmocka_unit_test(hashes_spread_evenly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
