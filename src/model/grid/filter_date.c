#include "model/grid/filter_internal.h"

#include "base/clock.h"
#include "base/zone.h"

/*
 * Filters of dates. Each means an interval of whole days on the clocks of a zone, [lower, upper),
 * and a place to it. Days are counted on the wall; a column of moments is compared with the moments
 * at which these days begin, a column of days with the days.
 */

#define DAY_MS INT64_C(86400000)
/* More periods than there are days with a text. */
enum { PERIODS_MAX = 9999 * 366 };

enum unit { UNIT_DAY, UNIT_WEEK, UNIT_MONTH, UNIT_YEAR };
static const struct period {
    const char *name;
    enum unit unit;
    int sign;   /* of the value's number; 0: it is not looked at */
    int offset; /* without a number */
    bool exact; /* the value is a date */
} periods[] = {
    {"today", UNIT_DAY, 0, 0, false},
    {"yesterday", UNIT_DAY, 0, -1, false},
    {"tomorrow", UNIT_DAY, 0, 1, false},
    {"this_week", UNIT_WEEK, 0, 0, false},
    {"this_month", UNIT_MONTH, 0, 0, false},
    {"this_year", UNIT_YEAR, 0, 0, false},
    {"one_week_ago", UNIT_WEEK, 0, -1, false},
    {"one_month_ago", UNIT_MONTH, 0, -1, false},
    {"one_year_ago", UNIT_YEAR, 0, -1, false},
    {"next_week", UNIT_WEEK, 0, 1, false},
    {"next_month", UNIT_MONTH, 0, 1, false},
    {"next_year", UNIT_YEAR, 0, 1, false},
    {"nr_days_ago", UNIT_DAY, -1, 0, false},
    {"nr_weeks_ago", UNIT_WEEK, -1, 0, false},
    {"nr_months_ago", UNIT_MONTH, -1, 0, false},
    {"nr_years_ago", UNIT_YEAR, -1, 0, false},
    {"nr_days_from_now", UNIT_DAY, 1, 0, false},
    {"nr_weeks_from_now", UNIT_WEEK, 1, 0, false},
    {"nr_months_from_now", UNIT_MONTH, 1, 0, false},
    {"nr_years_from_now", UNIT_YEAR, 1, 0, false},
    {"exact_date", UNIT_DAY, 0, 0, true},
};

static const struct period *period_find(struct str name)
{
    for (size_t i = 0; i < COUNT_OF(periods); i++)
        if (str_equal(name, str_of(periods[i].name)))
            return &periods[i];
    return NULL;
}

/* Midnights on the wall. */
struct interval {
    int64_t lower, upper, today;
};

static int64_t midnight(int64_t wall_ms)
{
    int64_t rest = wall_ms % DAY_MS;
    return wall_ms - (rest < 0 ? rest + DAY_MS : rest);
}

/* Where the period begins that a day is in, so many periods on. */
static int64_t period_start(int64_t day, enum unit unit, int64_t offset)
{
    struct clock_fields f = clock_fields_of(day);
    switch (unit) {
    case UNIT_DAY:
        return day + offset * DAY_MS;
    case UNIT_WEEK: /* from Monday */
        return day - (f.weekday + 6) % 7 * DAY_MS + offset * 7 * DAY_MS;
    case UNIT_MONTH:
        return clock_shift(clock_date_ms(f.year, f.month, 1),
                           (struct clock_shift){.months = (int32_t)offset});
    case UNIT_YEAR:
        break;
    }
    return clock_shift(clock_date_ms(f.year, 1, 1),
                       (struct clock_shift){.months = (int32_t)offset * 12});
}

enum reading { READ_DONE, READ_OFF, READ_NONSENSE };

static enum reading read_number(const struct period *p, struct str text, int64_t *offset_out)
{
    int64_t number = 0;
    text = str_trim(text);
    if (text.len == 0 && p->unit == UNIT_DAY)
        return READ_OFF;
    if (text.len > 0 && str_to_int64(text, &number) != 0)
        return READ_NONSENSE;
    if (number > PERIODS_MAX || number < -PERIODS_MAX)
        return READ_NONSENSE;
    *offset_out = p->sign * number;
    return READ_DONE;
}

static enum reading read_date(struct str text, int64_t *day_out)
{
    char date[CLOCK_TEXT_MAX];
    text = str_trim(text);
    if (text.len == 0)
        return READ_OFF;
    if (clock_read_date(text, date) != 0 || clock_parse_ms(str_of(date), day_out) != 0)
        return READ_NONSENSE;
    return READ_DONE;
}

static enum reading read_interval(const struct period *p, struct str text, int64_t now_wall,
                                  struct interval *i)
{
    int64_t day = midnight(now_wall), offset = p->offset;
    enum reading reading = READ_DONE;
    i->today = day;
    if (p->exact)
        reading = read_date(text, &day);
    else if (p->sign != 0)
        reading = read_number(p, text, &offset);
    i->lower = period_start(day, p->unit, offset);
    i->upper = period_start(day, p->unit, offset + 1);
    return reading;
}

/* ---- conditions ---- */

struct dating {
    struct filtering *f;
    const struct zone *zone;
};

/* The column compared with the beginning of a day. */
static const struct expr *compare(const struct dating *d, enum operator op, int64_t wall)
{
    const struct column *c = d->f->column;
    char text[CLOCK_TEXT_MAX];
    if (c->type == TYPE_DATE)
        clock_write_date(wall, text);
    else
        clock_write_timestamp(zone_moment(d->zone, wall), text);
    struct value value = value_text(str_of(text));
    return expr_test(d->f->arena, c, op, &value, 1);
}

static const struct expr *between(const struct dating *d, int64_t lower, int64_t upper)
{
    return expr_and(d->f->arena, compare(d, OP_GTE, lower), compare(d, OP_LT, upper));
}

static const struct expr *place(const struct dating *d, const struct interval *i)
{
    switch (d->f->type->place) {
    case DATE_BEFORE:
        return compare(d, OP_LT, i->lower);
    case DATE_UNTIL:
        return compare(d, OP_LT, i->upper);
    case DATE_AFTER:
        return compare(d, OP_GTE, i->upper);
    case DATE_SINCE:
        return compare(d, OP_GTE, i->lower);
    case DATE_WITHIN: /* from today on, or up to today */
        return i->today < i->upper ? between(d, i->today, i->upper)
                                   : between(d, i->lower, i->today + DAY_MS);
    case DATE_IN:
        break;
    }
    return between(d, i->lower, i->upper);
}

static const struct expr *build(struct filtering *f, struct str zone, const struct period *period,
                                struct str value)
{
    struct dating d = {.f = f};
    struct interval interval;
    if (!period || zone_load(f->arena, str_trim(zone), &d.zone) != 0)
        return &expr_false;
    switch (read_interval(period, value, zone_wall(d.zone, f->tx->now_ms), &interval)) {
    case READ_OFF:
        return NULL;
    case READ_NONSENSE:
        return &expr_false;
    case READ_DONE:
        break;
    }
    return place(&d, &interval);
}

/* ---- the values of filters ---- */

/* TIMEZONE?VALUE?OPERATOR */
const struct expr *filter_date_new(struct filtering *f)
{
    struct str rest = f->value, zone, value = STR(""), name = STR("");
    str_next(&rest, '?', &zone);
    if (!rest.at || !str_next(&rest, '?', &value) || !rest.at || !str_next(&rest, '?', &name) ||
        rest.at)
        return &expr_false;
    const struct period *period = period_find(str_trim(name));
    if (f->type->place == DATE_WITHIN && period == &periods[0])
        return &expr_false;
    return build(f, zone, period, value);
}

/* TIMEZONE?VALUE, or one of them. */
static void split_old(const struct filtering *f, struct str *zone_out, struct str *value_out)
{
    struct str rest = f->value, first;
    bool zoned = f->type->flags & FILTER_NOW;
    str_next(&rest, '?', &first);
    zoned = zoned || rest.at;
    *zone_out = zoned ? first : STR("");
    *value_out = rest.at ? rest : zoned ? STR("") : first;
    if (zone_out->len == 0)
        *zone_out = f->field->settings.timezone;
}

const struct expr *filter_date_old(struct filtering *f)
{
    struct str zone, value;
    split_old(f, &zone, &value);
    const char *period = f->type->period ? f->type->period : "exact_date";
    return build(f, zone, period_find(str_of(period)), value);
}

/* The day of the month as it is shown. */
const struct expr *filter_day_of_month(struct filtering *f)
{
    struct form *form = ARENA_NEW(f->arena, struct form);
    struct str zone, value;
    int64_t day;
    split_old(f, &zone, &value);
    value = str_trim(value);
    if (value.len == 0)
        return NULL;
    *form = (struct form){.pattern = "DD", .zone = arena_str(f->arena, str_trim(zone))};
    if (zone_load(f->arena, form->zone, &form->clock) != 0 || str_to_int64(value, &day) != 0 ||
        day < 1 || day > 31)
        return &expr_false;
    struct str shown = arena_printf(f->arena, "%02d", (int)day);
    return expr_test_form(f->arena, f->column, form, OP_STARTS_WITH, shown);
}
