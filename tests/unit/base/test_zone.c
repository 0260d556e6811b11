#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <time.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/zone.h"

#define HOUR_MS INT64_C(3600000)

static const struct zone *load(struct arena *a, const char *name)
{
    const struct zone *z;
    assert_int_equal(zone_load(a, str_of(name), &z), 0);
    return z;
}

static int64_t at(const char *text)
{
    int64_t ms;
    assert_int_equal(clock_parse_ms(str_of(text), &ms), 0);
    return ms;
}

static void clocks_show_what_the_zone_says(void **state)
{
    (void)state;
    static const struct {
        const char *zone, *moment, *wall;
    } cases[] = {
        {"", "2024-07-01T12:00:00Z", "2024-07-01T12:00:00Z"},
        {"UTC", "2024-07-01T12:00:00Z", "2024-07-01T12:00:00Z"},
        {"Europe/Amsterdam", "2024-01-01T12:00:00Z", "2024-01-01T13:00:00Z"},
        {"Europe/Amsterdam", "2024-03-31T00:59:59.999Z", "2024-03-31T01:59:59.999Z"},
        {"Europe/Amsterdam", "2024-03-31T01:00:00Z", "2024-03-31T03:00:00Z"},
        {"Europe/Amsterdam", "2024-10-27T00:59:59Z", "2024-10-27T02:59:59Z"},
        {"Europe/Amsterdam", "2024-10-27T01:00:00Z", "2024-10-27T02:00:00Z"},
        {"Europe/Amsterdam", "2080-07-01T12:00:00Z", "2080-07-01T14:00:00Z"},
        {"America/New_York", "2025-03-09T06:59:59Z", "2025-03-09T01:59:59Z"},
        {"America/New_York", "2025-03-09T07:00:00Z", "2025-03-09T03:00:00Z"},
        {"Australia/Sydney", "2025-01-01T00:00:00Z", "2025-01-01T11:00:00Z"},
        {"Australia/Sydney", "2025-07-01T00:00:00Z", "2025-07-01T10:00:00Z"},
        {"Asia/Kolkata", "2025-07-01T00:00:00Z", "2025-07-01T05:30:00Z"},
        {"America/Sao_Paulo", "2018-11-04T02:59:59Z", "2018-11-03T23:59:59Z"},
        {"America/Sao_Paulo", "2018-11-04T03:00:00Z", "2018-11-04T01:00:00Z"},
        {"Etc/GMT+5", "2025-07-01T05:00:00Z", "2025-07-01T00:00:00Z"},
    };
    AUTO(arena_free) struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_int_equal(zone_wall(load(a, cases[i].zone), at(cases[i].moment)), at(cases[i].wall));
}

static void a_wall_time_is_the_first_moment_that_shows_it(void **state)
{
    (void)state;
    static const struct {
        const char *zone, *wall, *moment;
    } cases[] = {
        {"UTC", "2024-07-01T00:00:00Z", "2024-07-01T00:00:00Z"},
        {"Europe/Amsterdam", "2024-07-01T00:00:00Z", "2024-06-30T22:00:00Z"},
        {"Europe/Amsterdam", "2024-10-27T02:30:00Z", "2024-10-27T00:30:00Z"},  /* shown twice */
        {"Europe/Amsterdam", "2024-03-31T02:30:00Z", "2024-03-31T01:00:00Z"},  /* leapt over */
        {"America/Sao_Paulo", "2018-11-04T00:00:00Z", "2018-11-04T03:00:00Z"}, /* a day at one */
        {"America/Havana", "2024-11-03T00:00:00Z", "2024-11-03T04:00:00Z"},
        {"Pacific/Apia", "2011-12-30T12:00:00Z", "2011-12-30T10:00:00Z"}, /* a day that was not */
    };
    AUTO(arena_free) struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_int_equal(zone_moment(load(a, cases[i].zone), at(cases[i].wall)),
                         at(cases[i].moment));
}

/* Each hour of a hundred years, as the C library has it. */
static void zones_agree_with_the_c_library(void **state)
{
    (void)state;
    static const char *const names[] = {"Europe/Amsterdam",  "America/New_York", "Australia/Sydney",
                                        "Africa/Casablanca", "America/Santiago", "Europe/Dublin",
                                        "Asia/Tehran",       "Asia/Kathmandu",   "Pacific/Chatham"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        AUTO(arena_free) struct arena *a = arena_new();
        const struct zone *z = load(a, names[i]);
        setenv("TZ", names[i], 1);
        tzset();
        for (int64_t ms = at("1920-01-01"); ms < at("2100-01-01"); ms += 7 * HOUR_MS) {
            struct tm tm;
            time_t second = ms / 1000;
            localtime_r(&second, &tm);
            if (zone_wall(z, ms) - ms != tm.tm_gmtoff * INT64_C(1000))
                fail_msg("%s at %lld", names[i], (long long)second);
        }
    }
    unsetenv("TZ");
    tzset();
}

static void a_name_that_is_no_zone_is_unknown(void **state)
{
    (void)state;
    static const char *const names[] = {
        "Mars/Olympus",  "../../../etc/passwd",
        "/etc/passwd",   "Europe",
        "zone.tab",      "right/Europe/Paris",
        "Europe/Paris ", "europe paris",
        "tzdata.zi",     "a-name-longer-than-any-name-of-a-zone/that-there-could-be/anywhere"};
    AUTO(arena_free) struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const struct zone *z = NULL;
        assert_int_equal(zone_load(a, str_of(names[i]), &z), ZONE_UNKNOWN);
        assert_null(z);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clocks_show_what_the_zone_says),
        cmocka_unit_test(a_wall_time_is_the_first_moment_that_shows_it),
        cmocka_unit_test(zones_agree_with_the_c_library),
        cmocka_unit_test(a_name_that_is_no_zone_is_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
