#include "base/clock.h"

#include <time.h>

/*
 * All calendar arithmetic is on the proleptic Gregorian calendar, by counting days in eras of 400
 * years whose years begin in March, so that the leap day is a year's last (H. Hinnant,
 * "chrono-Compatible Low-Level Date Algorithms").
 */

#define SECOND_MS INT64_C(1000)
#define MINUTE_MS (60 * SECOND_MS)
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)

enum { YEAR_MIN = 1, YEAR_MAX = 9999, MONTHS_MAX = 12 * YEAR_MAX };

static int64_t read_clock(clockid_t id)
{
    struct timespec now;

    clock_gettime(id, &now);
    return now.tv_sec * SECOND_MS + now.tv_nsec / 1000000;
}

int64_t clock_now_ms(void)
{
    return read_clock(CLOCK_REALTIME);
}

int64_t clock_monotonic_ms(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

/* The calendar */

struct date {
    int year, month, day; /* month and day from 1 */
};

static bool is_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return days[month - 1] + (month == 2 && is_leap(year));
}

/* Days since 1970-01-01. Nothing before the year 1 comes here, so division never meets a minus. */
static int64_t days_of(struct date d)
{
    int64_t year = d.month > 2 ? d.year : d.year - 1;
    int64_t era = year / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (d.month > 2 ? d.month - 3 : d.month + 9) + 2) / 5 + d.day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return era * 146097 + day_of_era - 719468;
}

static struct date date_of(int64_t days)
{
    int64_t from_march_0 = days + 719468;
    int64_t era = from_march_0 / 146097;
    int64_t day_of_era = from_march_0 - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month_from_march = (5 * day_of_year + 2) / 153;
    int month = (int)(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);

    return (struct date){
        .year = (int)(year_of_era + era * 400 + (month <= 2)),
        .month = month,
        .day = (int)(day_of_year - (153 * month_from_march + 2) / 5 + 1),
    };
}

static int64_t clamp(int64_t number, int64_t min, int64_t max)
{
    return number < min ? min : number > max ? max : number;
}

static int64_t clamp_ms(int64_t ms)
{
    return clamp(ms, CLOCK_MS_MIN, CLOCK_MS_MAX);
}

/* Division that rounds down, so that moments before 1970 fall on the right day. */
static int64_t whole_days(int64_t ms)
{
    return (ms >= 0 ? ms : ms - (DAY_MS - 1)) / DAY_MS;
}

static int weekday_of(int64_t days)
{
    return (int)(((days + 4) % 7 + 7) % 7); /* 1970-01-01 was a Thursday */
}

/* A week belongs to the year of its Thursday. */
static int iso_week_of(int64_t days)
{
    int64_t thursday = days + 3 - (weekday_of(days) + 6) % 7;
    int64_t new_year = days_of((struct date){date_of(thursday).year, 1, 1});

    return (int)((thursday - new_year) / 7 + 1);
}

struct clock_fields clock_fields_of(int64_t ms)
{
    ms = clamp_ms(ms);
    int64_t days = whole_days(ms), rest = ms - days * DAY_MS;
    struct date d = date_of(days);

    return (struct clock_fields){
        .year = d.year,
        .month = d.month,
        .day = d.day,
        .hour = (int)(rest / HOUR_MS),
        .minute = (int)(rest / MINUTE_MS % 60),
        .second = (int)(rest / SECOND_MS % 60),
        .millisecond = (int)(rest % SECOND_MS),
        .weekday = weekday_of(days),
        .year_day = (int)(days - days_of((struct date){d.year, 1, 1}) + 1),
        .iso_week = iso_week_of(days),
    };
}

int64_t clock_date_ms(int year, int month, int day)
{
    return days_of((struct date){year, month, day}) * DAY_MS;
}

/* Writing */

/* Writes the digits of a number with leading zeros, and what follows them. Returns the end. */
static char *put_padded(char *to, int number, int width, char next)
{
    for (int i = width - 1; i >= 0; i--, number /= 10)
        to[i] = (char)('0' + number % 10);
    to[width] = next;
    return to + width + 1;
}

static char *put_date(char *to, const struct clock_fields *f, char next)
{
    to = put_padded(to, f->year, 4, '-');
    to = put_padded(to, f->month, 2, '-');
    return put_padded(to, f->day, 2, next);
}

static char *put_time(char *to, const struct clock_fields *f, char next)
{
    to = put_padded(to, f->hour, 2, ':');
    to = put_padded(to, f->minute, 2, ':');
    return put_padded(to, f->second, 2, next);
}

void clock_write_date(int64_t ms, char *text_out)
{
    struct clock_fields f = clock_fields_of(ms);

    put_date(text_out, &f, '\0');
}

void clock_write_time(int64_t ms, char *text_out)
{
    struct clock_fields f = clock_fields_of(ms);

    put_time(text_out, &f, '\0');
}

void clock_write_date_time(int64_t ms, char *text_out)
{
    struct clock_fields f = clock_fields_of(ms);

    put_time(put_date(text_out, &f, 'T'), &f, '\0');
}

void clock_write_timestamp(int64_t ms, char *text_out)
{
    struct clock_fields f = clock_fields_of(ms);
    char *fraction = put_time(put_date(text_out, &f, 'T'), &f, '.');

    *put_padded(fraction, f.millisecond, 3, 'Z') = '\0';
}

void clock_write_moment(int64_t ms, char *text_out)
{
    struct clock_fields f = clock_fields_of(ms);
    bool whole = f.millisecond == 0;
    char *fraction = put_time(put_date(text_out, &f, 'T'), &f, whole ? 'Z' : '.');

    if (!whole)
        fraction = put_padded(fraction, f.millisecond * 1000, 6, 'Z');
    *fraction = '\0';
}

/* Reading: each function cuts what it reads off the front of `rest`, or says no. */

struct moment {
    int64_t wall_ms;   /* as written, since 1970-01-01T00:00 on the same wall */
    int64_t offset_ms; /* how far that wall is ahead of UTC */
};

static bool take_char(struct str *rest, char c)
{
    if (rest->len == 0 || rest->at[0] != c)
        return false;
    *rest = str_skip(*rest, 1);
    return true;
}

static bool take_any(struct str *rest, struct str set)
{
    for (size_t i = 0; i < set.len; i++)
        if (take_char(rest, set.at[i]))
            return true;
    return false;
}

static bool is_digit(struct str rest)
{
    return rest.len > 0 && rest.at[0] >= '0' && rest.at[0] <= '9';
}

/* Exactly `width` digits that say a number from min to max. */
static bool take_number(struct str *rest, int width, int min, int max, int *number_out)
{
    int number = 0;

    for (int i = 0; i < width; i++) {
        if (!is_digit(*rest))
            return false;
        number = number * 10 + (rest->at[0] - '0');
        *rest = str_skip(*rest, 1);
    }
    if (number < min || number > max)
        return false;
    *number_out = number;
    return true;
}

static bool take_date(struct str *rest, int64_t *ms_out)
{
    struct date d;

    if (!take_number(rest, 4, YEAR_MIN, YEAR_MAX, &d.year) || !take_char(rest, '-') ||
        !take_number(rest, 2, 1, 12, &d.month) || !take_char(rest, '-') ||
        !take_number(rest, 2, 1, days_in_month(d.year, d.month), &d.day))
        return false;
    *ms_out = days_of(d) * DAY_MS;
    return true;
}

/* Digits past the third are cut, so that a moment is never rounded into the next one. */
static bool take_fraction(struct str *rest, int64_t *ms_out)
{
    int64_t unit_ms = 100;

    if (!is_digit(*rest))
        return false;
    for (; is_digit(*rest); *rest = str_skip(*rest, 1), unit_ms /= 10)
        *ms_out += (rest->at[0] - '0') * unit_ms;
    return true;
}

static bool take_time(struct str *rest, int64_t *ms_out)
{
    int hour, minute, second = 0;
    int64_t fraction_ms = 0;

    if (!take_number(rest, 2, 0, 23, &hour) || !take_char(rest, ':') ||
        !take_number(rest, 2, 0, 59, &minute))
        return false;
    if (take_char(rest, ':')) {
        if (!take_number(rest, 2, 0, 59, &second))
            return false;
        if (take_any(rest, STR(".,")) && !take_fraction(rest, &fraction_ms))
            return false;
    }
    *ms_out = hour * HOUR_MS + minute * MINUTE_MS + second * SECOND_MS + fraction_ms;
    return true;
}

/* Z, +02:00, +0200, +02 or nothing. */
static bool take_offset(struct str *rest, int64_t *ms_out)
{
    int hour, minute = 0;
    bool behind = rest->len > 0 && rest->at[0] == '-';

    if (rest->len == 0 || take_any(rest, STR("Zz"))) {
        *ms_out = 0;
        return true;
    }
    if (!take_any(rest, STR("+-")) || !take_number(rest, 2, 0, 23, &hour))
        return false;
    if ((take_char(rest, ':') || rest->len > 0) && !take_number(rest, 2, 0, 59, &minute))
        return false;
    *ms_out = (behind ? -1 : 1) * (hour * HOUR_MS + minute * MINUTE_MS);
    return true;
}

static bool read_moment(struct str s, struct moment *moment_out)
{
    int64_t date_ms, time_ms = 0, offset_ms = 0;

    if (!take_date(&s, &date_ms))
        return false;
    if (s.len > 0 &&
        (!take_any(&s, STR("Tt ")) || !take_time(&s, &time_ms) || !take_offset(&s, &offset_ms)))
        return false;
    if (s.len > 0)
        return false;
    *moment_out = (struct moment){date_ms + time_ms, offset_ms};
    return true;
}

static bool read_time_alone(struct str s, struct moment *moment_out)
{
    int64_t time_ms, offset_ms;

    if (!take_time(&s, &time_ms) || !take_offset(&s, &offset_ms) || s.len > 0)
        return false;
    *moment_out = (struct moment){time_ms, offset_ms};
    return true;
}

int clock_read_date(struct str s, char *text_out)
{
    struct moment m;

    if (!read_moment(s, &m))
        return CLOCK_INVALID;
    clock_write_date(m.wall_ms, text_out);
    return 0;
}

int clock_read_time(struct str s, char *text_out)
{
    enum { DATE_LEN = 10 };
    struct moment m;

    if (!read_time_alone(s, &m) && (s.len <= DATE_LEN || !read_moment(s, &m)))
        return CLOCK_INVALID;
    clock_write_time(m.wall_ms, text_out);
    return 0;
}

int clock_read_date_time(struct str s, char *text_out)
{
    struct moment m;

    if (!read_moment(s, &m))
        return CLOCK_INVALID;
    clock_write_date_time(m.wall_ms, text_out);
    return 0;
}

int clock_read_timestamp(struct str s, char *text_out)
{
    int64_t ms;
    int rc = clock_parse_ms(s, &ms);

    if (rc != 0)
        return rc;
    clock_write_timestamp(ms, text_out);
    return 0;
}

int clock_parse_ms(struct str s, int64_t *ms_out)
{
    struct moment m;

    if (!read_moment(s, &m))
        return CLOCK_INVALID;
    int64_t ms = m.wall_ms - m.offset_ms;
    if (ms != clamp_ms(ms))
        return CLOCK_INVALID; /* the offset leads out of the years that have a text */
    *ms_out = ms;
    return 0;
}

/* Shifts and durations */

struct unit {
    const char *name;
    int months; /* calendar units count in these, */
    int64_t ms; /* all others in these */
};

static const struct unit units[] = {
    {"ms", 0, 1},
    {"msec", 0, 1},
    {"msecs", 0, 1},
    {"millisecond", 0, 1},
    {"milliseconds", 0, 1},
    {"s", 0, SECOND_MS},
    {"sec", 0, SECOND_MS},
    {"secs", 0, SECOND_MS},
    {"second", 0, SECOND_MS},
    {"seconds", 0, SECOND_MS},
    {"m", 0, MINUTE_MS},
    {"min", 0, MINUTE_MS},
    {"mins", 0, MINUTE_MS},
    {"minute", 0, MINUTE_MS},
    {"minutes", 0, MINUTE_MS},
    {"h", 0, HOUR_MS},
    {"hr", 0, HOUR_MS},
    {"hrs", 0, HOUR_MS},
    {"hour", 0, HOUR_MS},
    {"hours", 0, HOUR_MS},
    {"d", 0, DAY_MS},
    {"day", 0, DAY_MS},
    {"days", 0, DAY_MS},
    {"w", 0, 7 * DAY_MS},
    {"week", 0, 7 * DAY_MS},
    {"weeks", 0, 7 * DAY_MS},
    {"mo", 1, 0},
    {"mth", 1, 0},
    {"mths", 1, 0},
    {"month", 1, 0},
    {"months", 1, 0},
    {"y", 12, 0},
    {"yr", 12, 0},
    {"yrs", 12, 0},
    {"year", 12, 0},
    {"years", 12, 0},
};

/* Cuts an unsigned decimal number, and the blanks behind it, off the front. */
static bool take_amount(struct str *rest, double *amount_out)
{
    size_t len = 0;

    while (len < rest->len && (is_digit(str_skip(*rest, len)) || rest->at[len] == '.'))
        len++;
    if (str_to_double((struct str){rest->at, len}, amount_out) != 0)
        return false;
    *rest = str_trim(str_skip(*rest, len));
    return true;
}

static const struct unit *find_unit(struct str name)
{
    for (size_t i = 0; i < COUNT_OF(units); i++)
        if (str_equal_nocase(name, str_of(units[i].name)))
            return &units[i];
    return NULL;
}

/* An amount of a unit, bounded by what can matter: the way from one end of the calendar to the
 * other. Halves are rounded up: 1.001 s are 1001 ms, though no double is 1.001. */
static int64_t bounded(double amount, double max)
{
    return (int64_t)((amount < max ? amount : max) + 0.5);
}

int clock_read_shift(struct str s, struct clock_shift *shift_out)
{
    const double ms_max = (double)(CLOCK_MS_MAX - CLOCK_MS_MIN);
    double amount;

    s = str_trim(s);
    int sign = s.len > 0 && s.at[0] == '-' ? -1 : 1;
    take_any(&s, STR("+-"));
    if (!take_amount(&s, &amount))
        return CLOCK_INVALID;
    const struct unit *unit = find_unit(s.len > 0 ? s : STR("days"));
    if (!unit)
        return CLOCK_INVALID;
    double months = amount < MONTHS_MAX ? (double)(int)amount * unit->months : MONTHS_MAX;
    *shift_out = (struct clock_shift){
        .months = unit->months > 0 ? sign * (int32_t)bounded(months, MONTHS_MAX) : 0,
        .ms = sign * bounded(amount * (double)unit->ms, ms_max),
    };
    return 0;
}

int64_t clock_shift(int64_t ms, struct clock_shift shift)
{
    ms = clamp_ms(ms);
    int64_t days = whole_days(ms);
    struct date d = date_of(days);
    int64_t months = d.year * INT64_C(12) + (d.month - 1) + shift.months;

    if (months < YEAR_MIN * 12)
        return CLOCK_MS_MIN;
    if (months > YEAR_MAX * 12 + 11)
        return CLOCK_MS_MAX;
    d.year = (int)(months / 12);
    d.month = (int)(months % 12) + 1;
    if (d.day > days_in_month(d.year, d.month))
        d.day = days_in_month(d.year, d.month);

    const int64_t whole_range = CLOCK_MS_MAX - CLOCK_MS_MIN;
    int64_t moved = days_of(d) * DAY_MS + (ms - days * DAY_MS);
    return clamp_ms(moved + clamp(shift.ms, -whole_range, whole_range));
}

int clock_read_duration(struct str s, int64_t *ms_out)
{
    const double month_ms = 365.25 / 12 * (double)DAY_MS;
    const double ms_max = (double)(CLOCK_MS_MAX - CLOCK_MS_MIN);
    double amount;

    s = str_trim(s);
    if (!take_amount(&s, &amount))
        return CLOCK_INVALID;
    const struct unit *unit = find_unit(s.len > 0 ? s : STR("ms"));
    if (!unit)
        return CLOCK_INVALID;
    double ms = amount * (unit->months * month_ms + (double)unit->ms);
    if (ms > ms_max)
        return CLOCK_INVALID;
    *ms_out = bounded(ms, ms_max);
    return 0;
}
