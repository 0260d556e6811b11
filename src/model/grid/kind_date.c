#include "model/grid/kind_internal.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/zone.h"

/*
 * Dates and moments (baserow.md 7.3).
 *
 * A field that tells the time keeps moments; one that does not keeps days. Between the two stand
 * the clocks of the field's zone (date_force_timezone, else UTC): people are shown what they show,
 * and what comes without an offset is what they show.
 */

enum { MINUTE_MS = 60 * 1000, HOUR_MS = 60 * MINUTE_MS, DAY_MS = 24 * HOUR_MS };

static int64_t wall_of(const struct grid_field *f, int64_t moment_ms)
{
    return f->settings.zone ? zone_wall(f->settings.zone, moment_ms) : moment_ms;
}

static int64_t moment_of(const struct grid_field *f, int64_t wall_ms)
{
    return f->settings.zone ? zone_moment(f->settings.zone, wall_ms) : wall_ms;
}

static int64_t midnight(int64_t ms)
{
    int64_t rest = ms % DAY_MS;
    return ms - (rest < 0 ? rest + DAY_MS : rest);
}

/* A point in time, as people see it and as it is. */
struct point {
    int64_t wall_ms, moment_ms;
};

/* A cell's. Days have no moment of their own: theirs is the midnight that people see. */
static bool point_of(const struct grid_field *f, const struct value *cell, struct point *point_out)
{
    int64_t ms;
    if (cell->kind != VALUE_TEXT || clock_parse_ms(cell->text, &ms) != 0)
        return false;
    if (f->column->type == TYPE_DATE)
        *point_out = (struct point){ms, moment_of(f, ms)};
    else
        *point_out = (struct point){wall_of(f, ms), ms};
    return true;
}

static struct value cell_of(struct arena *a, const struct grid_field *f, const struct point *p)
{
    char text[CLOCK_TEXT_MAX];
    int64_t moment_ms = f->settings.time ? p->moment_ms : moment_of(f, midnight(p->wall_ms));

    if (f->column->type == TYPE_DATE)
        clock_write_date(p->wall_ms, text);
    else if (f->column->type == TYPE_DATE_TIME)
        clock_write_date_time(moment_ms, text);
    else
        clock_write_timestamp(moment_ms, text);
    return value_text(arena_str(a, str_of(text)));
}

bool date_convert(struct arena *a, const struct grid_field *before, const struct grid_field *after,
                  const struct value *cell, struct value *value_out)
{
    struct point p;
    if (!point_of(before, cell, &p))
        return false;
    /* A day is one wherever it is looked at from. */
    if (before->column->type == TYPE_DATE || !before->settings.time)
        p = (struct point){midnight(p.wall_ms), moment_of(after, midnight(p.wall_ms))};
    else
        p.wall_ms = wall_of(after, p.moment_ms);
    *value_out = cell_of(a, after, &p);
    return true;
}

/* ---- to JSON and text ---- */

/* "2025-10-01T12:00:00Z"; a fraction has six digits and is there when it is not zero. */
static void put_moment(struct buf *b, int64_t ms)
{
    char text[CLOCK_TEXT_MAX];
    clock_write_date_time(ms, text);
    buf_put_str(b, str_of(text));
    int rest = clock_fields_of(ms).millisecond;
    if (rest > 0)
        buf_printf(b, ".%03d000", rest);
    buf_put_char(b, 'Z');
}

static void write_date(struct buf *b, const struct grid_field *f, const struct value *cell)
{
    struct point p;
    char text[CLOCK_TEXT_MAX];
    if (!point_of(f, cell, &p)) {
        buf_put_lit(b, "null");
        return;
    }
    buf_put_char(b, '"');
    if (f->settings.time) {
        put_moment(b, p.moment_ms);
    } else {
        clock_write_date(p.wall_ms, text);
        buf_put_str(b, str_of(text));
    }
    buf_put_char(b, '"');
}

static void put_time(struct buf *b, const struct grid_field *f, const struct clock_fields *at)
{
    if (f->settings.twelve)
        buf_printf(b, " %02d:%02d %s", at->hour % 12 == 0 ? 12 : at->hour % 12, at->minute,
                   at->hour < 12 ? "AM" : "PM");
    else
        buf_printf(b, " %02d:%02d", at->hour, at->minute);
}

static void put_offset(struct buf *b, int64_t offset_ms)
{
    int64_t minutes = (offset_ms < 0 ? -offset_ms : offset_ms) / MINUTE_MS;
    buf_printf(b, " %c%02d:%02d", offset_ms < 0 ? '-' : '+', (int)(minutes / 60),
               (int)(minutes % 60));
}

static void put_date_text(struct buf *b, const struct grid_field *f, const struct value *cell)
{
    struct point p;
    if (!point_of(f, cell, &p))
        return;
    struct clock_fields at = clock_fields_of(p.wall_ms);
    if (str_equal(f->settings.format, STR("EU")))
        buf_printf(b, "%02d/%02d/%04d", at.day, at.month, at.year);
    else if (str_equal(f->settings.format, STR("US")))
        buf_printf(b, "%02d/%02d/%04d", at.month, at.day, at.year);
    else
        buf_printf(b, "%04d-%02d-%02d", at.year, at.month, at.day);
    if (!f->settings.time)
        return;
    put_time(b, f, &at);
    if (f->settings.show_zone)
        put_offset(b, p.wall_ms - p.moment_ms);
}

/* ---- from text ---- */

/* What was found in a text, word by word. */
struct found {
    int numbers[3]; /* of the date, without the month that was named */
    size_t widths[3], count;
    int month; /* named; 0: it was not */
    bool has_time, has_offset;
    int64_t time_ms, offset_ms;
};

static bool take(struct str *rest, char c)
{
    if (rest->len == 0 || rest->at[0] != c)
        return false;
    *rest = str_skip(*rest, 1);
    return true;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static struct str take_while(struct str *rest, bool (*belongs)(char c))
{
    struct str word = {rest->at, 0};
    while (word.len < rest->len && belongs(rest->at[word.len]))
        word.len++;
    *rest = str_skip(*rest, word.len);
    return word;
}

static bool take_number(struct str *rest, size_t width_max, int max, int *number_out)
{
    int64_t number;
    struct str digits = take_while(rest, is_digit);
    if (digits.len == 0 || digits.len > width_max || str_to_int64(digits, &number) != 0 ||
        number > max)
        return false;
    *number_out = (int)number;
    return true;
}

/* " pm" behind a time of twelve hours. */
static bool take_half(struct str *rest, int64_t *hour)
{
    struct str after = *rest;
    while (take(&after, ' '))
        ;
    struct str word = take_while(&after, is_letter);
    bool pm = str_equal_nocase(word, STR("pm"));
    if (!pm && !str_equal_nocase(word, STR("am")))
        return false;
    if (*hour < 1 || *hour > 12)
        return false;
    *hour = *hour % 12 + (pm ? 12 : 0);
    *rest = after;
    return true;
}

/* The hour is read; what follows it is the rest of a time. */
static bool take_time(struct str *rest, int64_t hour, struct found *f)
{
    int minute = 0, second = 0;
    int64_t fraction_ms = 0, unit_ms = 100;

    if (take(rest, ':') && !take_number(rest, 2, 59, &minute))
        return false;
    if (take(rest, ':') && !take_number(rest, 2, 59, &second))
        return false;
    if (take(rest, '.'))
        for (; rest->len > 0 && is_digit(rest->at[0]); *rest = str_skip(*rest, 1), unit_ms /= 10)
            fraction_ms += (rest->at[0] - '0') * unit_ms;
    take_half(rest, &hour);
    if (f->has_time || hour > 23)
        return false;
    f->has_time = true;
    f->time_ms = hour * HOUR_MS + minute * MINUTE_MS + second * 1000 + fraction_ms;
    return true;
}

static bool take_offset(struct str *rest, struct found *f)
{
    bool behind = rest->at[0] == '-';
    int hour, minute = 0;
    *rest = str_skip(*rest, 1);
    struct str digits = {rest->at, rest->len < 2 ? rest->len : 2};
    if (!take_number(&digits, 2, 23, &hour))
        return false;
    *rest = str_skip(*rest, 2);
    take(rest, ':');
    if (rest->len > 0 && is_digit(rest->at[0]) && !take_number(rest, 2, 59, &minute))
        return false;
    f->has_offset = true;
    f->offset_ms = (behind ? -1 : 1) * ((int64_t)hour * HOUR_MS + (int64_t)minute * MINUTE_MS);
    return true;
}

static bool is_prefix_of(struct str word, const char *name)
{
    struct str whole = str_of(name);
    return word.len >= 3 && word.len <= whole.len &&
           str_equal_nocase(word, (struct str){whole.at, word.len});
}

static bool take_word(struct str *rest, struct found *f)
{
    static const char *const months[] = {"january",   "february", "march",    "april",
                                         "may",       "june",     "july",     "august",
                                         "september", "october",  "november", "december"};
    static const char *const days[] = {"sunday",   "monday", "tuesday", "wednesday",
                                       "thursday", "friday", "saturday"};
    static const char *const fillers[] = {"st", "nd", "rd", "th", "of", "at", "t", "sept"};
    struct str word = take_while(rest, is_letter);

    for (size_t i = 0; i < COUNT_OF(months); i++) {
        if (is_prefix_of(word, months[i]) || (i == 8 && str_equal_nocase(word, STR("sept")))) {
            bool first = f->month == 0;
            f->month = (int)i + 1;
            return first;
        }
    }
    for (size_t i = 0; i < COUNT_OF(days); i++)
        if (is_prefix_of(word, days[i]))
            return true;
    for (size_t i = 0; i < COUNT_OF(fillers); i++)
        if (str_equal_nocase(word, str_of(fillers[i])))
            return true;
    if (str_equal_nocase(word, STR("z")) || str_equal_nocase(word, STR("utc")) ||
        str_equal_nocase(word, STR("gmt"))) {
        f->has_offset = true;
        return true;
    }
    return false;
}

static bool take_digits(struct str *rest, struct found *f)
{
    struct str before = *rest;
    int number;
    if (!take_number(rest, 4, 9999, &number))
        return false;
    size_t width = before.len - rest->len;
    int64_t hour = number;
    struct str after = *rest;
    if ((rest->len > 0 && rest->at[0] == ':') || take_half(&after, &hour))
        return take_time(rest, number, f);
    if (f->count == COUNT_OF(f->numbers))
        return false;
    f->numbers[f->count] = number;
    f->widths[f->count++] = width;
    return true;
}

static bool find_parts(struct str text, struct found *f)
{
    while (text.len > 0) {
        char c = text.at[0];
        bool good = true;
        if (is_digit(c))
            good = take_digits(&text, f);
        else if (is_letter(c))
            good = take_word(&text, f);
        else if ((c == '+' || c == '-') && f->has_time)
            good = take_offset(&text, f);
        else if (strchr(" ,/.-\t", c))
            text = str_skip(text, 1);
        else
            good = false;
        if (!good)
            return false;
    }
    return true;
}

static int whole_year(int number, size_t width)
{
    enum { CENTURY_TURN = 69 }; /* as strptime(3) has it */
    return width > 2 ? number : number + (number < CENTURY_TURN ? 2000 : 1900);
}

static bool exists(int year, int month, int day)
{
    char text[64], canonical[CLOCK_TEXT_MAX];
    snprintf(text, sizeof(text), "%04d-%02d-%02d", year, month, day);
    return clock_read_date(str_of(text), canonical) == 0;
}

/* Which number is the day: the year comes first where it has four digits, else last; between day
 * and month the field's format decides, unless only one of the two makes a date. */
static bool date_of(const struct grid_field *field, const struct found *f, int64_t *ms_out)
{
    size_t count = f->count + (f->month > 0);
    if (count != 3)
        return false;

    bool year_first = f->widths[0] > 2;
    size_t year_at = year_first ? 0 : f->count - 1;
    int year = whole_year(f->numbers[year_at], f->widths[year_at]);
    int a = f->numbers[year_first ? 1 : 0], b = f->month;
    int day = a, month = b;
    if (f->month == 0) {
        b = f->numbers[year_first ? 2 : 1];
        bool day_first = !year_first && str_equal(field->settings.format, STR("EU"));
        day = day_first ? a : b;
        month = day_first ? b : a;
        if (month > 12) {
            int other = day;
            day = month;
            month = other;
        }
    }
    if (!exists(year, month, day))
        return false;
    *ms_out = clock_date_ms(year, month, day);
    return true;
}

/* In a text that clock_parse_ms() reads: date, then perhaps time, then perhaps offset. */
static bool has_offset(struct str iso)
{
    enum { DATE_LENGTH = 10 };
    for (size_t i = DATE_LENGTH; i < iso.len; i++)
        if (strchr("Zz+-", iso.at[i]))
            return true;
    return false;
}

static bool parse_point(const struct grid_field *f, struct str text, struct point *point_out)
{
    struct found found = {.count = 0};
    int64_t ms;
    bool offset;

    if (clock_parse_ms(text, &ms) == 0) {
        offset = has_offset(text);
    } else if (find_parts(text, &found) && date_of(f, &found, &ms)) {
        offset = found.has_time && found.has_offset;
        ms += found.time_ms - found.offset_ms;
    } else {
        return false;
    }
    if (ms < CLOCK_MS_MIN || ms > CLOCK_MS_MAX)
        return false;
    if (offset)
        *point_out = (struct point){wall_of(f, ms), ms};
    else
        *point_out = (struct point){ms, moment_of(f, ms)};
    return true;
}

static bool parse_date(struct arena *a, const struct grid_field *f, struct str text,
                       struct value *value_out)
{
    struct point p;
    if (!parse_point(f, text, &p))
        return false;
    *value_out = cell_of(a, f, &p);
    return true;
}

static int read_date(struct tx *tx, const struct grid_field *f, const json_t *json,
                     struct value *value_out, struct kind_mistake *m)
{
    struct str text = str_trim(json_str(json));
    if (json_is_string(json) && text.len == 0)
        return 0;
    if (!json_is_string(json) || !parse_date(tx->arena, f, text, value_out))
        return kind_mistaken(m, tx->arena, "invalid",
                             "The provided string could not be converted to a date.");
    return 0;
}

const struct kind_values date_values = {
    read_date,
    write_date,
    put_date_text,
    parse_date,
};
