#include "model/grid/kind_internal.h"

#include <math.h>
#include <stdlib.h>

/*
 * Durations (baserow.md 10.5): cells are seconds, rounded to what the format shows. A row of the
 * table is all there is to know of a format.
 */

struct format {
    const char *name;
    unsigned places;    /* of the seconds */
    int unit;           /* seconds that the last part shown stands for: 3600, 60, 1 */
    bool hours_minutes; /* what two numbers with a colon are; else minutes and seconds */
    /* %d days, %h hours of the day, %H all hours, %M %S with two digits, %F the fraction */
    const char *shown;
};

static const struct format formats[] = {
    {"h:mm", 0, 60, true, "%H:%M"},
    {"h:mm:ss", 0, 1, false, "%H:%M:%S"},
    {"h:mm:ss.s", 1, 1, false, "%H:%M:%S.%F"},
    {"h:mm:ss.ss", 2, 1, false, "%H:%M:%S.%F"},
    {"h:mm:ss.sss", 3, 1, false, "%H:%M:%S.%F"},
    {"d h", 0, 3600, true, "%dd %hh"},
    {"d h:mm", 0, 60, true, "%dd %h:%M"},
    {"d h:mm:ss", 0, 1, false, "%dd %h:%M:%S"},
    {"d h mm", 0, 60, false, "%dd %hh %Mm"},
    {"d h mm ss", 0, 1, false, "%dd %hh %Mm %Ss"},
};

static const struct format *format_of(const struct grid_field *f)
{
    for (size_t i = 0; i < COUNT_OF(formats); i++)
        if (str_equal(f->settings.format, str_of(formats[i].name)))
            return &formats[i];
    return &formats[0];
}

/* Past this many seconds (some 30,000 years) a column of 15 digits has no room for thousandths. */
#define SECONDS_END 1e12

/* Half away from zero. Fractions are rounded as they are written, 0.15 to 0.2. */
static double round_seconds(const struct format *format, double seconds)
{
    if (format->unit > 1)
        return round(seconds / format->unit) * format->unit;
    struct value value = value_real(seconds), rounded = value;
    struct decimal d = decimal_of(&value);
    decimal_round(&d, format->places);
    decimal_cell(&(struct column){.type = TYPE_FLOAT}, &d, &rounded);
    return rounded.real;
}

bool duration_cell(const struct grid_field *f, double seconds, struct value *cell_out)
{
    if (!(fabs(seconds) < SECONDS_END)) /* it may be no number, which has no digits */
        return false;
    double rounded = round_seconds(format_of(f), seconds);
    if (!(fabs(rounded) < SECONDS_END))
        return false;
    struct value value = value_real(rounded);
    struct decimal d = decimal_of(&value);
    return decimal_cell(f->column, &d, cell_out) && type_check(f->column, cell_out) == 0;
}

/* ---- as text ---- */

static void put_part(struct buf *b, char part, const struct format *format, int64_t ms)
{
    static const int64_t minute = 60 * 1000, hour = 60 * minute, day = 24 * hour;
    int fraction = (int)(ms % 1000);
    switch (part) {
    case 'd':
        buf_put_int(b, ms / day);
        break;
    case 'h':
        buf_put_int(b, ms % day / hour);
        break;
    case 'H':
        buf_put_int(b, ms / hour);
        break;
    case 'M':
        buf_printf(b, "%02d", (int)(ms % hour / minute));
        break;
    case 'S':
        buf_printf(b, "%02d", (int)(ms % minute / 1000));
        break;
    default:
        for (unsigned i = 0; i < format->places; i++, fraction = fraction % 100 * 10)
            buf_put_char(b, (char)('0' + fraction / 100));
    }
}

static void put_duration_text(struct buf *b, const struct grid_field *f, const struct value *cell)
{
    const struct format *format = format_of(f);
    double seconds = round_seconds(format, number_of(cell));
    int64_t ms = llround(fmin(fmax(seconds, -SECONDS_END), SECONDS_END) * 1000);
    if (ms < 0) {
        buf_put_char(b, '-');
        ms = -ms;
    }
    for (const char *at = format->shown; *at; at++) {
        if (*at == '%')
            put_part(b, *++at, format, ms);
        else
            buf_put_char(b, *at);
    }
}

/* ---- from text ---- */

static bool take_number(struct str *rest, double *number_out)
{
    size_t length = 0;
    while (length < rest->len && strchr("0123456789.", rest->at[length]) && rest->at[length])
        length++;
    if (str_to_double((struct str){rest->at, length}, number_out) != 0)
        return false;
    *rest = str_skip(*rest, length);
    return true;
}

static bool take(struct str *rest, char c)
{
    if (rest->len == 0 || (rest->at[0] | 0x20) != (c | 0x20))
        return false;
    *rest = str_skip(*rest, 1);
    return true;
}

/* "1:02:03.5"; its first number is read. */
static bool take_clock(struct str *rest, const struct format *format, double first,
                       double *seconds_out)
{
    double second, third;
    if (!take_number(rest, &second))
        return false;
    if (!take(rest, ':')) {
        *seconds_out = format->hours_minutes ? first * 3600 + second * 60 : first * 60 + second;
        return true;
    }
    if (!take_number(rest, &third))
        return false;
    *seconds_out = first * 3600 + second * 60 + third;
    return true;
}

/* "1d 2h 3m 4s": great units before small ones, each at most once, a clock at the end. */
static bool read_parts(struct str text, const struct format *format, double *seconds_out)
{
    static const struct unit {
        char letter;
        int seconds;
    } units[] = {{'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}};
    size_t next = 0;
    double sum = 0, number, clock;

    while (text.len > 0) {
        if (!take_number(&text, &number))
            return false;
        if (take(&text, ':')) {
            bool read = take_clock(&text, format, number, &clock) && text.len == 0;
            *seconds_out = sum + (read ? clock : 0);
            return read;
        }
        text = str_trim(text);
        while (next < COUNT_OF(units) && !take(&text, units[next].letter))
            next++;
        if (next == COUNT_OF(units))
            return false;
        sum += number * units[next++].seconds;
        text = str_trim(text);
    }
    *seconds_out = sum;
    return true;
}

static bool read_duration_text(const struct format *format, struct str text, double *seconds_out)
{
    double seconds;
    bool negative = text.len > 0 && text.at[0] == '-';
    if (negative)
        text = str_trim(str_skip(text, 1));
    if (text.len == 0)
        return false;
    struct str rest = text;
    if (take_number(&rest, &seconds) && rest.len == 0)
        seconds *= format->unit;
    else if (!read_parts(text, format, &seconds))
        return false;
    *seconds_out = negative ? -seconds : seconds;
    return true;
}

static bool parse_duration(struct arena *a, const struct grid_field *f, struct str text,
                           struct value *value_out)
{
    (void)a;
    double seconds;
    return read_duration_text(format_of(f), text, &seconds) && duration_cell(f, seconds, value_out);
}

static int read_duration(struct tx *tx, const struct grid_field *f, const json_t *json,
                         struct value *value_out, struct kind_mistake *m)
{
    bool read = json_is_number(json)
                    ? duration_cell(f, json_number_value(json), value_out)
                    : json_is_string(json) &&
                          parse_duration(tx->arena, f, str_trim(json_str(json)), value_out);
    if (!read)
        return kind_mistaken(m, tx->arena, "invalid",
                             "The provided value cannot be converted to a duration.");
    return 0;
}

static void write_duration(struct buf *b, const struct grid_field *f, const struct value *cell)
{
    struct value seconds = value_real(round_seconds(format_of(f), number_of(cell)));
    struct decimal d = decimal_of(&seconds);
    decimal_put(b, &d, d.fraction);
}

const struct kind_values duration_values = {
    read_duration,
    write_duration,
    put_duration_text,
    parse_duration,
};
