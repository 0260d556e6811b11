#include "store/form.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"

bool form_fits(const struct form *f, const struct column *c)
{
    switch (c->type) {
    case TYPE_DATE:
    case TYPE_DATE_TIME:
    case TYPE_TIMESTAMP:
        return f->pattern != NULL;
    case TYPE_INTEGER:
    case TYPE_BIG_INTEGER:
    case TYPE_FLOAT:
    case TYPE_DECIMAL:
        return f->pattern == NULL;
    default:
        return false;
    }
}

/* ---- numbers ---- */

/* A number of 15 significant digits, as both stores hold it: digit i stands for 10^(top - i). */
enum { DIGITS = 15 };
struct digits {
    char at[DIGITS + 1]; /* one more than there are: room for a carry in front */
    size_t count;
    int top;
    bool negative;
};

static struct digits digits_of(double number)
{
    char text[40]; /* "-1.23456789012345e+308" */
    struct digits d = {.count = DIGITS, .negative = number < 0};
    snprintf(text, sizeof(text), "%.*e", DIGITS - 1, fabs(number));
    d.at[0] = text[0];
    memcpy(d.at + 1, text + 2, DIGITS - 1);
    d.top = (int)strtol(text + DIGITS + 2, NULL, 10);
    return d;
}

/* Leaves so many digits, the last of them rounded half away from zero. */
static void keep(struct digits *d, int kept)
{
    if (kept >= (int)d->count)
        return;
    bool up = kept >= 0 && d->at[kept] >= '5';
    d->count = kept > 0 ? (size_t)kept : 0;
    for (size_t i = d->count; up && i > 0; i--) {
        char *digit = &d->at[i - 1];
        up = *digit == '9';
        *digit = up ? '0' : (char)(*digit + 1);
    }
    if (up) {
        memmove(d->at + 1, d->at, d->count);
        d->at[0] = '1';
        d->count++;
        d->top++;
    }
}

static char digit_at(const struct digits *d, int place)
{
    int i = d->top - place;
    return i >= 0 && i < (int)d->count ? d->at[i] : '0';
}

static bool is_zero(const struct digits *d)
{
    for (size_t i = 0; i < d->count; i++)
        if (d->at[i] != '0')
            return false;
    return true;
}

static struct str real_text(double number, unsigned decimals, char *text_out)
{
    struct digits d = digits_of(number);
    char *to = text_out;
    keep(&d, d.top + 1 + (int)decimals);
    if (d.negative && !is_zero(&d))
        *to++ = '-';
    for (int place = d.top > 0 ? d.top : 0; place >= -(int)decimals; place--) {
        if (place == -1)
            *to++ = '.';
        *to++ = digit_at(&d, place);
    }
    return (struct str){text_out, (size_t)(to - text_out)};
}

static struct str integer_text(int64_t number, unsigned decimals, char *text_out)
{
    int length = snprintf(text_out, FORM_TEXT_MAX, "%lld", (long long)number);
    if (decimals > 0)
        length += snprintf(text_out + length, FORM_DECIMALS_MAX + 2, ".%0*d", (int)decimals, 0);
    return (struct str){text_out, (size_t)length};
}

/* ---- moments ---- */

/* How a part is written; `width` digits, or AM and PM. */
static const struct part {
    const char *name;
    int width;
} parts[] = {{"YYYY", 4}, {"HH24", 2}, {"HH12", 2}, {"DD", 2}, {"MM", 2}, {"MI", 2}, {"AM", 0}};
enum { YEAR, HOUR_24, HOUR_12, DAY, MONTH, MINUTE, NOON };

static int number_of(const struct clock_fields *f, size_t part)
{
    switch (part) {
    case YEAR:
        return f->year;
    case HOUR_24:
        return f->hour;
    case HOUR_12:
        return (f->hour + 11) % 12 + 1;
    case DAY:
        return f->day;
    case MONTH:
        return f->month;
    default:
        return f->minute;
    }
}

static size_t part_at(const char *pattern)
{
    size_t i = 0;
    while (i < COUNT_OF(parts) && strncmp(pattern, parts[i].name, strlen(parts[i].name)) != 0)
        i++;
    return i;
}

static struct str moment_text(const struct form *f, struct str moment, char *text_out)
{
    int64_t ms;
    if (clock_parse_ms(moment, &ms) != 0)
        return STR_NULL;
    struct clock_fields fields = clock_fields_of(f->clock ? zone_wall(f->clock, ms) : ms);
    char *to = text_out;
    for (const char *at = f->pattern; *at;) {
        size_t part = part_at(at);
        if (part == COUNT_OF(parts)) {
            *to++ = *at++;
            continue;
        }
        if (part == NOON)
            to += snprintf(to, 3, "%s", fields.hour < 12 ? "AM" : "PM");
        else
            to += snprintf(to, 8, "%0*d", parts[part].width, number_of(&fields, part));
        at += strlen(parts[part].name);
    }
    return (struct str){text_out, (size_t)(to - text_out)};
}

/* ---- */

enum { DATE_LEN = 10 };

struct str form_text(const struct form *f, const struct value *v, char *text_out)
{
    switch (v->kind) {
    case VALUE_INTEGER:
        return f->pattern ? STR_NULL : integer_text(v->integer, f->decimals, text_out);
    case VALUE_REAL:
        return f->pattern ? STR_NULL : real_text(v->real, f->decimals, text_out);
    case VALUE_TEXT:
        break;
    case VALUE_NULL:
        return STR_NULL;
    }
    if (!f->pattern)
        return STR_NULL;
    struct form plain = *f;
    if (v->text.len == DATE_LEN) /* a day is that day everywhere */
        plain.clock = NULL;
    return moment_text(&plain, v->text, text_out);
}

const struct form *form_copy(struct arena *a, const struct form *f)
{
    struct form *copy = ARENA_NEW(a, struct form);
    *copy = *f;
    copy->zone = arena_str(a, f->zone);
    copy->clock = f->clock ? zone_copy(a, f->clock) : NULL;
    return copy;
}
