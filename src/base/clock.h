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

enum { CLOCK_TEXT_MAX = 32 };
enum { CLOCK_INVALID = 1 };
/* Each reads ISO 8601 in the forms users send (a date alone, blank or T between, fractions, Z or an
 * offset) and writes the canonical text. `text_out` holds CLOCK_TEXT_MAX bytes; 0 or CLOCK_INVALID.
 * A date-time keeps the wall time as written and drops an offset; a timestamp without one is UTC. */
int clock_read_date(struct str s, char *text_out);
int clock_read_time(struct str s, char *text_out);
int clock_read_date_time(struct str s, char *text_out);
int clock_read_timestamp(struct str s, char *text_out);
int clock_parse_ms(struct str s, int64_t *ms_out); /* any of date, date-time, timestamp; as UTC */

void clock_write_date(int64_t ms, char *text_out);
void clock_write_time(int64_t ms, char *text_out);
void clock_write_date_time(int64_t ms, char *text_out);
void clock_write_timestamp(int64_t ms, char *text_out);

/* A shift as in $NOW(-1 day): months move by the calendar (31 Jan + 1 month = end of February). */
struct clock_shift {
    int32_t months;
    int64_t ms;
};
/* Reads "+2 hours", "-30 minutes", "1 mo"; CLOCK_INVALID when it is none (directus.md E.4). */
int clock_read_shift(struct str s, struct clock_shift *shift_out);
int64_t clock_shift(int64_t ms, struct clock_shift shift);

/* Reads a duration of a setting: "15m", "7d", "10s", "500" (ms), "2h" (directus.md D.1). */
int clock_read_duration(struct str s, int64_t *ms_out);

#endif
