#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

/*
 * Time: clocks, the textual forms that tables hold, and shifts by calendar.
 *
 * Moments are milliseconds since 1970 UTC. The canonical texts sort as they compare:
 *   date 2024-01-02 · time 10:11:12 · date-time 2024-01-02T10:11:12 · timestamp
 *   2024-01-02T10:11:12.000Z (always UTC). Years run from 0001 to 9999.
 */

#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

int64_t clock_now_ms(void);       /* wall clock */
int64_t clock_monotonic_ms(void); /* never steps back; for time-outs */

/* The first and the last moment that has a text. */
#define CLOCK_MS_MIN INT64_C(-62135596800000) /* 0001-01-01T00:00:00.000Z */
#define CLOCK_MS_MAX INT64_C(253402300799999) /* 9999-12-31T23:59:59.999Z */

enum { CLOCK_TEXT_MAX = 32 };
enum { CLOCK_INVALID = 1 };
/*
 * Each reads ISO 8601 in the forms users send (a date alone, blank or T between, seconds or not, a
 * fraction of any length, Z or an offset: +02:00, +0200, +02) and writes the canonical text,
 * cutting what it has no room for. `text_out` holds CLOCK_TEXT_MAX bytes; 0 or CLOCK_INVALID. A
 * date alone means its midnight, except to clock_read_time, which takes a time alone instead. All
 * but a timestamp keep the wall time as written and drop an offset; a timestamp without one is UTC.
 */
int clock_read_date(struct str s, char *text_out);
int clock_read_time(struct str s, char *text_out);
int clock_read_date_time(struct str s, char *text_out);
int clock_read_timestamp(struct str s, char *text_out);
/* Any of date, date-time, timestamp; what has no offset is UTC. */
int clock_parse_ms(struct str s, int64_t *ms_out);

/* A moment outside the range writes the end of the range that it is nearest to. */
void clock_write_date(int64_t ms, char *text_out);
void clock_write_time(int64_t ms, char *text_out);
void clock_write_date_time(int64_t ms, char *text_out);
void clock_write_timestamp(int64_t ms, char *text_out);
/* As others write it: 2024-01-02T10:11:12.013000Z, without a fraction that is zero. */
void clock_write_moment(int64_t ms, char *text_out);

/* The calendar's fields of a moment, UTC, for functions such as year(field). */
struct clock_fields {
    int year, month, day; /* month and day from 1 */
    int hour, minute, second, millisecond;
    int weekday;  /* 0 is Sunday */
    int year_day; /* from 1 */
    int iso_week; /* from 1: the week that has most of its days in this year (ISO 8601) */
};
struct clock_fields clock_fields_of(int64_t ms);
int64_t clock_date_ms(int year, int month, int day); /* its midnight, UTC; a date there is */

/* A shift as in $NOW(-1 day): months move by the calendar (31 Jan + 1 month = end of February). */
struct clock_shift {
    int32_t months;
    int64_t ms;
};
/*
 * Reads "+2 hours", "-30 minutes", "1 mo", "7" (days); CLOCK_INVALID when it is none
 * (directus.md E.4). Parts of months and years do not count.
 */
int clock_read_shift(struct str s, struct clock_shift *shift_out);
int64_t clock_shift(int64_t ms, struct clock_shift shift); /* stays within the range */

/*
 * Reads a duration of a setting: "15m", "7d", "10s", "500" (ms), "2h" (directus.md D.1). A year
 * counts 365.25 days and a month a twelfth of it. Never negative.
 */
int clock_read_duration(struct str s, int64_t *ms_out);

#endif
