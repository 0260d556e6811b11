#include "check.h"

#include <float.h>

#include "store/expr.h"

static const char *shown(const struct form *form, struct value v)
{
    static char room[FORM_TEXT_MAX + 1];
    struct str text = form_text(form, &v, room);
    if (!text.at)
        return "-";
    assert_true(text.len < FORM_TEXT_MAX);
    room[text.len] = '\0';
    return room;
}

static void numbers_have_as_many_decimals_as_are_wished(void **state)
{
    (void)state;
    static const struct {
        double number;
        unsigned decimals;
        const char *text;
    } cases[] = {
        {0, 0, "0"},
        {0, 2, "0.00"},
        {1.5, 0, "2"},
        {2.5, 0, "3"},
        {-2.5, 0, "-3"},
        {0.125, 2, "0.13"},
        {9.995, 2, "10.00"},
        {999.999, 2, "1000.00"},
        {0.04, 1, "0.0"},
        {0.05, 1, "0.1"},
        {-0.04, 1, "0.0"},
        {0.5, 0, "1"},
        {0.49, 0, "0"},
        {1e-20, 10, "0.0000000000"},
        {12.3, 2, "12.30"},
        {-1234.5678, 3, "-1234.568"},
        {1e15, 1, "1000000000000000.0"},
        {1e22, 0, "10000000000000000000000"},
        {0.1 + 0.2, 10, "0.3000000000"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_string_equal(
            shown(&(struct form){.decimals = cases[i].decimals}, value_real(cases[i].number)),
            cases[i].text);
    assert_string_equal(shown(&(struct form){.decimals = 0}, value_integer(INT64_MIN)),
                        "-9223372036854775808");
    assert_string_equal(shown(&(struct form){.decimals = 3}, value_integer(-7)), "-7.000");
    assert_int_equal(strlen(shown(&(struct form){.decimals = 10}, value_real(-DBL_MAX))), 321);
}

static void moments_are_shown_by_the_clocks_of_a_zone(void **state)
{
    (void)state;
    AUTO(arena_free) struct arena *a = arena_new();
    static const struct {
        const char *pattern, *zone, *moment, *text;
    } cases[] = {
        {"DD/MM/YYYY", "", "2025-03-01", "01/03/2025"},
        {"MM/DD/YYYY HH12:MI AM", "", "2025-03-01T00:05:59.000Z", "03/01/2025 12:05 AM"},
        {"MM/DD/YYYY HH12:MI AM", "", "2025-03-01T12:05:59.000Z", "03/01/2025 12:05 PM"},
        {"YYYY-MM-DD HH24:MI", "", "2025-03-01T13:05:00.000Z", "2025-03-01 13:05"},
        {"YYYY-MM-DD HH24:MI", "Europe/Amsterdam", "2025-06-30T23:30:00.000Z", "2025-07-01 01:30"},
        {"YYYY-MM-DD HH24:MI", "America/New_York", "2025-07-01T03:30:00", "2025-06-30 23:30"},
        {"YYYY-MM-DD", "America/New_York", "2025-07-01", "2025-07-01"}, /* a day is no moment */
        {"DD", "Asia/Tokyo", "2025-07-01T15:00:00.000Z", "02"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct form form = {.pattern = cases[i].pattern, .zone = str_of(cases[i].zone)};
        assert_int_equal(zone_load(a, form.zone, &form.clock), 0);
        const struct form *copy = form_copy(a, &form);
        assert_string_equal(shown(copy, value_text(str_of(cases[i].moment))), cases[i].text);
    }
}

static void what_is_not_of_the_form_has_no_text(void **state)
{
    (void)state;
    static const struct form number = {.decimals = 2}, day = {.pattern = "DD"};
    assert_string_equal(shown(&number, value_null()), "-");
    assert_string_equal(shown(&day, value_null()), "-");
    assert_string_equal(shown(&number, value_text(STR("5"))), "-");
    assert_string_equal(shown(&day, value_integer(5)), "-");
    assert_string_equal(shown(&day, value_text(STR("no day"))), "-");
    static const bool fits[TYPE_COUNT][2] = {
        [TYPE_INTEGER] = {true, false},   [TYPE_BIG_INTEGER] = {true, false},
        [TYPE_FLOAT] = {true, false},     [TYPE_DECIMAL] = {true, false},
        [TYPE_DATE] = {false, true},      [TYPE_DATE_TIME] = {false, true},
        [TYPE_TIMESTAMP] = {false, true},
    };
    for (int type = 0; type < TYPE_COUNT; type++) {
        const struct column c = {.type = (enum type_id)type};
        assert_int_equal(form_fits(&number, &c), fits[type][0]);
        assert_int_equal(form_fits(&day, &c), fits[type][1]);
    }
}

static void forms_are_part_of_a_condition_and_of_its_copies(void **state)
{
    (void)state;
    AUTO(arena_free) struct arena *a = arena_new();
    static const struct column c = {.name = STR_INIT("n"), .type = TYPE_DECIMAL};
    static const struct form one = {.decimals = 1}, two = {.decimals = 2};
    struct buf first, second;
    buf_init(&first, SIZE_MAX);
    buf_init(&second, SIZE_MAX);
    const struct expr *x = expr_test_form(a, &c, &one, OP_ICONTAINS, STR("5.0"));
    expr_put_key(&first, x);
    expr_put_key(&second, expr_test_form(a, &c, &two, OP_ICONTAINS, STR("5.0")));
    assert_false(str_equal(buf_str(&first), buf_str(&second)));
    buf_clear(&second);
    x = expr_copy(a, x);
    expr_put_key(&second, x);
    assert_true(str_equal(buf_str(&first), buf_str(&second)));
    const struct value five = value_real(5), half = value_real(5.5), null = value_null();
    assert_int_equal(expr_evaluate(x, &five, 0), TRUTH_TRUE);
    assert_int_equal(expr_evaluate(x, &half, 0), TRUTH_FALSE);
    assert_int_equal(expr_evaluate(x, &null, 0), TRUTH_UNKNOWN);
    assert_int_equal(expr_evaluate(expr_complement(a, x), &null, 0), TRUTH_TRUE);
    buf_deinit(&first);
    buf_deinit(&second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_have_as_many_decimals_as_are_wished),
        cmocka_unit_test(moments_are_shown_by_the_clocks_of_a_zone),
        cmocka_unit_test(what_is_not_of_the_form_has_no_text),
        cmocka_unit_test(forms_are_part_of_a_condition_and_of_its_copies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
