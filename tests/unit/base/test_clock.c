#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/clock.h"

#define HOUR_MS INT64_C(3600000)
#define DAY_MS (24 * HOUR_MS)

typedef int read_function(struct str s, char *text_out);

/* What the function makes of a text; "-" when it refuses. */
static const char *as_read(read_function *read, const char *text)
{
    static char canonical[CLOCK_TEXT_MAX];

    memset(canonical, 'x', sizeof(canonical));
    int rc = read(str_of(text), canonical);
    if (rc == 0)
        return canonical;
    assert_int_equal(rc, CLOCK_INVALID);
    assert_int_equal(canonical[0], 'x');
    return "-";
}

static void each_type_takes_its_part_of_a_moment(void **state)
{
    (void)state;
    static const struct {
        const char *text, *date, *time, *date_time, *timestamp;
    } cases[] = {
        {"2024-01-02", "2024-01-02", "-", "2024-01-02T00:00:00", "2024-01-02T00:00:00.000Z"},
        {"2024-01-02T10:11:12", "2024-01-02", "10:11:12", "2024-01-02T10:11:12",
         "2024-01-02T10:11:12.000Z"},
        {"2024-01-02 10:11", "2024-01-02", "10:11:00", "2024-01-02T10:11:00",
         "2024-01-02T10:11:00.000Z"},
        {"2024-01-02t10:11:12.5z", "2024-01-02", "10:11:12", "2024-01-02T10:11:12",
         "2024-01-02T10:11:12.500Z"},
        {"2024-01-02T10:11:12,0459999Z", "2024-01-02", "10:11:12", "2024-01-02T10:11:12",
         "2024-01-02T10:11:12.045Z"},
        {"2024-01-02T10:11:12.99999999999999999999999999", "2024-01-02", "10:11:12",
         "2024-01-02T10:11:12", "2024-01-02T10:11:12.999Z"},
        {"2024-01-02T01:00:00+02:00", "2024-01-02", "01:00:00", "2024-01-02T01:00:00",
         "2024-01-01T23:00:00.000Z"},
        {"2024-12-31T23:30:00-0130", "2024-12-31", "23:30:00", "2024-12-31T23:30:00",
         "2025-01-01T01:00:00.000Z"},
        {"2024-01-02 10:11:12.25+00", "2024-01-02", "10:11:12", "2024-01-02T10:11:12",
         "2024-01-02T10:11:12.250Z"},
        {"2024-01-02T10:11Z", "2024-01-02", "10:11:00", "2024-01-02T10:11:00",
         "2024-01-02T10:11:00.000Z"},
        {"1969-12-31T23:59:59.999Z", "1969-12-31", "23:59:59", "1969-12-31T23:59:59",
         "1969-12-31T23:59:59.999Z"},
        {"10:11:12", "-", "10:11:12", "-", "-"},
        {"10:11", "-", "10:11:00", "-", "-"},
        {"23:59:59.999+02:00", "-", "23:59:59", "-", "-"},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_string_equal(as_read(clock_read_date, cases[i].text), cases[i].date);
        assert_string_equal(as_read(clock_read_time, cases[i].text), cases[i].time);
        assert_string_equal(as_read(clock_read_date_time, cases[i].text), cases[i].date_time);
        assert_string_equal(as_read(clock_read_timestamp, cases[i].text), cases[i].timestamp);
    }
}

static void what_is_no_moment_is_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        " ",
        "now",
        "2024",
        "2024-01",
        "2024-1-2",
        "24-01-02",
        "02024-01-02",
        "2024/01/02",
        "20240102",
        "2024-00-01",
        "2024-13-01",
        "2024-01-00",
        "2024-01-32",
        "2024-04-31",
        "2023-02-29",
        "1800-02-29",
        "1900-02-29",
        "2100-02-29",
        "2024-02-30",
        "0000-01-01",
        "-001-01-01",
        "+2024-01-02",
        " 2024-01-02",
        "2024-01-02 ",
        "2024-01-02T",
        "2024-01-02Z",
        "2024-01-02T10",
        "2024-01-02T10:",
        "2024-01-02T10:1",
        "2024-01-02T10:11:",
        "2024-01-02T10:11:1",
        "2024-01-02T24:00:00",
        "2024-01-02T23:60:00",
        "2024-01-02T23:59:60",
        "2024-01-02T10:11:12.",
        "2024-01-02T10:11:12.Z",
        "2024-01-02T10:11:12ZZ",
        "2024-01-02T10:11:12 Z",
        "2024-01-02T10:11:12+",
        "2024-01-02T10:11:12+2",
        "2024-01-02T10:11:12+02:",
        "2024-01-02T10:11:12+02:0",
        "2024-01-02T10:11:12+24:00",
        "2024-01-02T10:11:12+02:60",
        "2024-01-02T10:11:12+02000",
        "2024-01-02T10:11:12 UTC",
        "2024-01-02  10:11:12",
        "2024-01-02T-1:00:00",
        "24:00",
        "1:00",
        "10:60",
        "10:11:60",
        "10:11:12.",
        "10:11 ",
        "2024-01-0\xc3\xa4",
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_string_equal(as_read(clock_read_date, cases[i]), "-");
        assert_string_equal(as_read(clock_read_time, cases[i]), "-");
        assert_string_equal(as_read(clock_read_date_time, cases[i]), "-");
        assert_string_equal(as_read(clock_read_timestamp, cases[i]), "-");
    }
    int64_t ms;
    assert_int_equal(clock_parse_ms(STR_NULL, &ms), CLOCK_INVALID);
}

static void leap_years_follow_the_gregorian_rule(void **state)
{
    (void)state;
    assert_string_equal(as_read(clock_read_date, "2024-02-29"), "2024-02-29");
    assert_string_equal(as_read(clock_read_date, "2000-02-29"), "2000-02-29");
    assert_string_equal(as_read(clock_read_date, "0004-02-29"), "0004-02-29");
    assert_string_equal(as_read(clock_read_date, "1600-02-29"), "1600-02-29");
}

static void the_calendar_ends_at_both_ends(void **state)
{
    (void)state;
    int64_t ms;

    assert_int_equal(clock_parse_ms(STR("0001-01-01"), &ms), 0);
    assert_true(ms == CLOCK_MS_MIN);
    assert_int_equal(clock_parse_ms(STR("9999-12-31T23:59:59.999Z"), &ms), 0);
    assert_true(ms == CLOCK_MS_MAX);
    assert_int_equal(clock_parse_ms(STR("0001-01-01T00:00:00+00:01"), &ms), CLOCK_INVALID);
    assert_int_equal(clock_parse_ms(STR("9999-12-31T23:59:59-00:01"), &ms), CLOCK_INVALID);
    assert_string_equal(as_read(clock_read_date_time, "0001-01-01T00:00:00+00:01"),
                        "0001-01-01T00:00:00");

    char text[CLOCK_TEXT_MAX];
    clock_write_timestamp(INT64_MIN, text);
    assert_string_equal(text, "0001-01-01T00:00:00.000Z");
    clock_write_timestamp(INT64_MAX, text);
    assert_string_equal(text, "9999-12-31T23:59:59.999Z");
}

static void known_moments_have_known_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {
        {"1970-01-01", 0},
        {"1970-01-01T00:00:00.001Z", 1},
        {"1969-12-31T23:59:59.999Z", -1},
        {"2000-03-01", INT64_C(951868800000)},
        {"2038-01-19T03:14:08Z", INT64_C(2147483648000)},
        {"2024-01-02T10:11:12.345+02:00", INT64_C(1704183072345)},
        {"1582-10-04", INT64_C(-12220243200000)}, /* proleptic: no days are missing */
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t ms;
        assert_int_equal(clock_parse_ms(str_of(cases[i].text), &ms), 0);
        assert_true(ms == cases[i].ms);
    }
}

/* Walks the whole calendar day by day, by counting, against what is written. */
static void every_day_of_the_calendar_is_the_one_after_the_day_before(void **state)
{
    (void)state;
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t ms = CLOCK_MS_MIN;
    int weekday = 1; /* 0001-01-01 was a Monday */

    for (int year = 1; year <= 9999; year++) {
        bool leap = year % 400 == 0 || (year % 4 == 0 && year % 100 != 0);
        int year_day = 1;
        for (int month = 1; month <= 12; month++) {
            int length = lengths[month - 1] + (leap && month == 2);
            for (int day = 1; day <= length; day++, ms += DAY_MS, year_day++) {
                struct clock_fields f = clock_fields_of(ms + DAY_MS - 1);
                if (f.year != year || f.month != month || f.day != day || f.weekday != weekday ||
                    f.year_day != year_day || f.millisecond != 999)
                    fail_msg("%04d-%02d-%02d", year, month, day);
                weekday = (weekday + 1) % 7;
            }
        }
    }
    assert_true(ms == CLOCK_MS_MAX + 1);
}

static void written_months_read_back(void **state)
{
    (void)state;
    for (int64_t ms = CLOCK_MS_MIN; ms < CLOCK_MS_MAX; ms += 29 * DAY_MS + 12345678) {
        char text[CLOCK_TEXT_MAX];
        int64_t again;
        clock_write_timestamp(ms, text);
        assert_int_equal(strlen(text), 24);
        assert_int_equal(clock_parse_ms(str_of(text), &again), 0);
        assert_true(again == ms);
    }
}

static void fields_tell_time_and_week(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int weekday, year_day, iso_week;
    } cases[] = {
        {"2024-01-01", 1, 1, 1},   {"2021-01-03", 0, 3, 53},   {"2021-01-04", 1, 4, 1},
        {"2024-12-30", 1, 365, 1}, {"2020-12-31", 4, 366, 53}, {"2023-01-01", 0, 1, 52},
        {"1970-01-01", 4, 1, 1},   {"9999-12-31", 5, 365, 52}, {"0001-01-01", 1, 1, 1},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t ms;
        assert_int_equal(clock_parse_ms(str_of(cases[i].text), &ms), 0);
        struct clock_fields f = clock_fields_of(ms);
        assert_int_equal(f.weekday, cases[i].weekday);
        assert_int_equal(f.year_day, cases[i].year_day);
        assert_int_equal(f.iso_week, cases[i].iso_week);
    }
    struct clock_fields f = clock_fields_of(-1);
    assert_int_equal(f.hour, 23);
    assert_int_equal(f.minute, 59);
    assert_int_equal(f.second, 59);
    assert_int_equal(f.millisecond, 999);
}

static void each_form_is_written(void **state)
{
    (void)state;
    char text[CLOCK_TEXT_MAX];
    int64_t ms = INT64_C(1704190272045);

    clock_write_date(ms, text);
    assert_string_equal(text, "2024-01-02");
    clock_write_time(ms, text);
    assert_string_equal(text, "10:11:12");
    clock_write_date_time(ms, text);
    assert_string_equal(text, "2024-01-02T10:11:12");
    clock_write_timestamp(ms, text);
    assert_string_equal(text, "2024-01-02T10:11:12.045Z");
    clock_write_moment(ms, text);
    assert_string_equal(text, "2024-01-02T10:11:12.045000Z");
    clock_write_moment(ms - 45, text);
    assert_string_equal(text, "2024-01-02T10:11:12Z");
    clock_write_moment(INT64_MAX, text);
    assert_string_equal(text, "9999-12-31T23:59:59.999000Z");
}

static void shifts_are_read_with_sign_number_and_unit(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int32_t months;
        int64_t ms;
    } cases[] = {
        {"-1 day", 0, -DAY_MS},
        {"+2 hours", 0, 2 * HOUR_MS},
        {"-30 minutes", 0, -HOUR_MS / 2},
        {"1 mo", 1, 0},
        {"-2months", -2, 0},
        {"3 mth", 3, 0},
        {"1 yr", 12, 0},
        {"-10 YEARS", -120, 0},
        {"7", 0, 7 * DAY_MS},
        {"+1", 0, DAY_MS},
        {" 1w ", 0, 7 * DAY_MS},
        {"5 m", 0, HOUR_MS / 12},
        {"1.5 hours", 0, HOUR_MS * 3 / 2},
        {".5 d", 0, DAY_MS / 2},
        {"1.001 s", 0, 1001},
        {"1.9 months", 1, 0},
        {"10 ms", 0, 10},
        {"10 msec", 0, 10},
        {"0", 0, 0},
        {"99999999999999999999 years", 12 * 9999, 0},
        {"-99999999999999999999 w", 0, CLOCK_MS_MIN - CLOCK_MS_MAX},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct clock_shift shift;
        assert_int_equal(clock_read_shift(str_of(cases[i].text), &shift), 0);
        assert_int_equal(shift.months, cases[i].months);
        assert_true(shift.ms == cases[i].ms);
    }

    static const char *const refused[] = {
        "",        "-",    "day",     "1 fortnight", "1 day ago", "--1 day", "1..5 h", "1e3 s",
        "one day", "0x10", "- 1 day", "1,5 h",       ".",         "+ ",      "nan",    "inf s",
    };
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        struct clock_shift shift = {5, 5};
        assert_int_equal(clock_read_shift(str_of(refused[i]), &shift), CLOCK_INVALID);
        assert_int_equal(shift.months, 5);
    }
}

/* A moment, moved and written. */
static const char *shifted(const char *text, int32_t months, int64_t shift_ms)
{
    static char moved[CLOCK_TEXT_MAX];
    int64_t ms;

    assert_int_equal(clock_parse_ms(str_of(text), &ms), 0);
    clock_write_timestamp(clock_shift(ms, (struct clock_shift){months, shift_ms}), moved);
    return moved;
}

static void months_move_by_the_calendar(void **state)
{
    (void)state;
    assert_string_equal(shifted("2024-01-31T10:00:00Z", 1, 0), "2024-02-29T10:00:00.000Z");
    assert_string_equal(shifted("2023-01-31", 1, 0), "2023-02-28T00:00:00.000Z");
    assert_string_equal(shifted("2024-02-29", 12, 0), "2025-02-28T00:00:00.000Z");
    assert_string_equal(shifted("2024-02-29", -48, 0), "2020-02-29T00:00:00.000Z");
    assert_string_equal(shifted("2024-01-15", -1, 0), "2023-12-15T00:00:00.000Z");
    assert_string_equal(shifted("2024-12-15", 1, 0), "2025-01-15T00:00:00.000Z");
    assert_string_equal(shifted("1969-12-31T23:59:59.999Z", 2, 1), "1970-03-01T00:00:00.000Z");
    assert_string_equal(shifted("2024-03-01", 0, -1), "2024-02-29T23:59:59.999Z");
}

static void a_shift_stays_within_the_calendar(void **state)
{
    (void)state;
    static const char first[] = "0001-01-01T00:00:00.000Z", last[] = "9999-12-31T23:59:59.999Z";

    assert_string_equal(shifted("0001-02-01", -1, 0), "0001-01-01T00:00:00.000Z");
    assert_string_equal(shifted("0001-01-31", -1, 0), first);
    assert_string_equal(shifted("9999-11-30", 1, 0), "9999-12-30T00:00:00.000Z");
    assert_string_equal(shifted("9999-12-01", 1, 0), last);
    assert_string_equal(shifted("2024-01-01", INT32_MAX, 0), last);
    assert_string_equal(shifted("2024-01-01", INT32_MIN, 0), first);
    assert_string_equal(shifted("2024-01-01", 0, INT64_MAX), last);
    assert_string_equal(shifted("2024-01-01", 0, INT64_MIN), first);
}

static void durations_of_settings_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {
        {"15m", HOUR_MS / 4},
        {"7d", 7 * DAY_MS},
        {"1d", DAY_MS},
        {"10s", 10000},
        {"500", 500},
        {"2h", 2 * HOUR_MS},
        {"0", 0},
        {"1.5h", HOUR_MS * 3 / 2},
        {"2 days", 2 * DAY_MS},
        {" 10 S ", 10000},
        {"250ms", 250},
        {"1w", 7 * DAY_MS},
        {"1y", DAY_MS * 1461 / 4},
        {"12 months", DAY_MS * 1461 / 4},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t ms = -1;
        assert_int_equal(clock_read_duration(str_of(cases[i].text), &ms), 0);
        assert_true(ms == cases[i].ms);
    }

    static const char *const refused[] = {"",
                                          "m",
                                          "-5m",
                                          "+5m",
                                          "5 x",
                                          "5m5s",
                                          "1e3",
                                          "9e9y",
                                          "99999y",
                                          "15 min utes",
                                          "9999999999999999999999"};
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        int64_t ms = -1;
        assert_int_equal(clock_read_duration(str_of(refused[i]), &ms), CLOCK_INVALID);
        assert_true(ms == -1);
    }
}

static void the_clocks_run(void **state)
{
    (void)state;
    int64_t before = clock_monotonic_ms();

    assert_true(clock_now_ms() > INT64_C(1600000000000));
    assert_true(clock_monotonic_ms() >= before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_type_takes_its_part_of_a_moment),
        cmocka_unit_test(what_is_no_moment_is_refused),
        cmocka_unit_test(leap_years_follow_the_gregorian_rule),
        cmocka_unit_test(the_calendar_ends_at_both_ends),
        cmocka_unit_test(known_moments_have_known_numbers),
        cmocka_unit_test(every_day_of_the_calendar_is_the_one_after_the_day_before),
        cmocka_unit_test(written_months_read_back),
        cmocka_unit_test(fields_tell_time_and_week),
        cmocka_unit_test(each_form_is_written),
        cmocka_unit_test(shifts_are_read_with_sign_number_and_unit),
        cmocka_unit_test(months_move_by_the_calendar),
        cmocka_unit_test(a_shift_stays_within_the_calendar),
        cmocka_unit_test(durations_of_settings_are_read),
        cmocka_unit_test(the_clocks_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
