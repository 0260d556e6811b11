#include "base/zone.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"

#define SECOND_MS INT64_C(1000)
#define HOUR_S INT64_C(3600)
#define DAY_S (24 * HOUR_S)
#define DAY_MS (DAY_S * SECOND_MS)

enum { FILE_BYTES_MAX = 64 * 1024, NAME_MAX_LEN = 64, HEADER_BYTES = 44, TYPE_BYTES = 6 };

/* The day of a year on which clocks are set, and the second of it on the wall before they are. */
struct rule {
    enum { RULE_WEEKDAY, RULE_JULIAN, RULE_DAY } kind;
    int month, week, day; /* M3.5.0: the last (5) Sunday (0) of March; others: day alone */
    int64_t second;
};

/* What holds after the last moment that the file tells: "CET-1CEST,M3.5.0,M10.5.0/3". */
struct tail {
    int64_t standard_s, summer_s; /* ahead of UTC */
    bool has_summer;
    struct rule begin, end;
};

struct zone {
    const int64_t *moments; /* seconds since 1970, growing: from there on… */
    const int64_t *offsets; /* …so many seconds ahead of UTC */
    size_t count;
    int64_t first_s; /* before the first of them */
    bool has_tail;
    struct tail tail;
};

/* ---- the tail: a POSIX TZ text ---- */

static bool take(struct str *rest, char c)
{
    if (rest->len == 0 || rest->at[0] != c)
        return false;
    *rest = str_skip(*rest, 1);
    return true;
}

static bool take_number(struct str *rest, int *number_out)
{
    size_t digits = 0;
    int number = 0;
    for (; digits < rest->len && digits < 4 && rest->at[digits] >= '0' && rest->at[digits] <= '9';
         digits++)
        number = number * 10 + (rest->at[digits] - '0');
    *rest = str_skip(*rest, digits);
    *number_out = number;
    return digits > 0;
}

/* [+-]hh[:mm[:ss]] */
static bool take_time(struct str *rest, int64_t *seconds_out)
{
    int hour, minute = 0, second = 0;
    int64_t sign = take(rest, '-') ? -1 : 1;
    if (sign > 0)
        take(rest, '+');
    if (!take_number(rest, &hour) || (take(rest, ':') && !take_number(rest, &minute)) ||
        (take(rest, ':') && !take_number(rest, &second)))
        return false;
    *seconds_out = sign * (hour * HOUR_S + minute * 60 + second);
    return true;
}

/* "CET", "<+03>" */
static bool skip_abbreviation(struct str *rest)
{
    size_t length = 0;
    if (rest->len > 0 && rest->at[0] == '<') {
        const char *end = memchr(rest->at, '>', rest->len);
        length = end ? (size_t)(end - rest->at) + 1 : 0;
    } else {
        while (length < rest->len && ((rest->at[length] | 0x20) >= 'a') &&
               ((rest->at[length] | 0x20) <= 'z'))
            length++;
    }
    *rest = str_skip(*rest, length);
    return length > 0;
}

static bool take_rule(struct str *rest, struct rule *rule_out)
{
    struct rule r = {.second = 2 * HOUR_S};
    if (!take(rest, ','))
        return false;
    if (take(rest, 'M')) {
        r.kind = RULE_WEEKDAY;
        if (!take_number(rest, &r.month) || !take(rest, '.') || !take_number(rest, &r.week) ||
            !take(rest, '.') || !take_number(rest, &r.day) || r.month < 1 || r.month > 12 ||
            r.week < 1 || r.week > 5 || r.day > 6)
            return false;
    } else {
        r.kind = take(rest, 'J') ? RULE_JULIAN : RULE_DAY;
        if (!take_number(rest, &r.day) || r.day > 365 || (r.kind == RULE_JULIAN && r.day == 0))
            return false;
    }
    *rule_out = r;
    return !take(rest, '/') || take_time(rest, &rule_out->second);
}

/* POSIX tells how far UTC is ahead; a tail how far the zone is. */
static bool read_tail(struct str text, struct tail *tail_out)
{
    struct tail t = {0};
    if (!skip_abbreviation(&text) || !take_time(&text, &t.standard_s))
        return false;
    t.standard_s = -t.standard_s;
    if (text.len > 0) {
        t.has_summer = true;
        t.summer_s = -t.standard_s - HOUR_S;
        if (!skip_abbreviation(&text) ||
            (text.len > 0 && text.at[0] != ',' && !take_time(&text, &t.summer_s)) ||
            !take_rule(&text, &t.begin) || !take_rule(&text, &t.end))
            return false;
        t.summer_s = -t.summer_s;
    }
    *tail_out = t;
    return text.len == 0;
}

/* ---- the file ---- */

static int64_t read_number(const unsigned char *at, size_t bytes)
{
    uint64_t number = at[0] & 0x80 ? UINT64_MAX : 0;
    for (size_t i = 0; i < bytes; i++)
        number = number << 8 | at[i];
    return (int64_t)number;
}

/* One of the two parts of a file: the first has moments of 4 bytes, the second of 8. */
struct part {
    size_t moments, types, bytes; /* bytes: behind its header */
    size_t moment_bytes;
};

static bool read_header(struct str file, size_t moment_bytes, struct part *part_out)
{
    if (file.len < HEADER_BYTES || memcmp(file.at, "TZif", 4) != 0)
        return false;
    const unsigned char *counts = (const unsigned char *)file.at + 20;
    size_t numbers[6]; /* isut, isstd, leap seconds, moments, types, characters */
    for (size_t i = 0; i < 6; i++) {
        int64_t number = read_number(counts + 4 * i, 4);
        if (number < 0 || number > FILE_BYTES_MAX)
            return false;
        numbers[i] = (size_t)number;
    }
    *part_out = (struct part){
        .moments = numbers[3],
        .types = numbers[4],
        .moment_bytes = moment_bytes,
        .bytes = numbers[3] * (moment_bytes + 1) + numbers[4] * TYPE_BYTES + numbers[5] +
                 numbers[2] * (moment_bytes + 4) + numbers[1] + numbers[0],
    };
    return part_out->types > 0 && file.len - HEADER_BYTES >= part_out->bytes;
}

static bool read_part(struct arena *a, struct str file, const struct part *part, struct zone *z)
{
    const unsigned char *moments = (const unsigned char *)file.at + HEADER_BYTES;
    const unsigned char *kinds = moments + part->moments * part->moment_bytes;
    const unsigned char *types = kinds + part->moments;
    int64_t *at = ARENA_ARRAY(a, int64_t, part->moments + 1);
    int64_t *offsets = ARENA_ARRAY(a, int64_t, part->moments + 1);
    for (size_t i = 0; i < part->moments; i++) {
        if (kinds[i] >= part->types)
            return false;
        at[i] = read_number(moments + i * part->moment_bytes, part->moment_bytes);
        offsets[i] = read_number(types + (size_t)kinds[i] * TYPE_BYTES, 4);
        if (i > 0 && at[i] <= at[i - 1])
            return false;
    }
    z->moments = at;
    z->offsets = offsets;
    z->count = part->moments;
    z->first_s = read_number(types, 4);
    return true;
}

/* What stands between two line ends behind the second part. */
static bool read_footer(struct str text, struct zone *z)
{
    struct str line;
    if (!take(&text, '\n') || !str_next(&text, '\n', &line) || !text.at)
        return false;
    z->has_tail = line.len > 0;
    return line.len == 0 || read_tail(line, &z->tail);
}

static bool read_zone(struct arena *a, struct str file, struct zone *z)
{
    struct part part;
    if (!read_header(file, 4, &part))
        return false;
    if (file.at[4] < '2')
        return read_part(a, file, &part, z);
    file = str_skip(file, HEADER_BYTES + part.bytes);
    return read_header(file, 8, &part) && read_part(a, file, &part, z) &&
           read_footer(str_skip(file, HEADER_BYTES + part.bytes), z);
}

/* Of letters, digits and a few signs in parts that are no folders above; zones that count leap
 * seconds are none of ours. */
static bool is_name(struct str name)
{
    if (name.len > NAME_MAX_LEN || str_contains(name, STR("..")) || name.at[0] == '/' ||
        str_starts_with(name, STR("right/")))
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.at[i];
        bool letter = ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || (c >= '0' && c <= '9');
        if (!letter && !memchr("/_-+", c, 4))
            return false;
    }
    return true;
}

static const char *folder(void)
{
    const char *own = getenv("TZDIR");
    return own && *own ? own : "/usr/share/zoneinfo";
}

/* Absent when there is no such file, or it cannot be a zone's. */
static struct str read_file(struct arena *a, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return STR_NULL;
    char *bytes = arena_alloc(a, FILE_BYTES_MAX);
    size_t size = 0;
    ssize_t got = 1;
    while (size < FILE_BYTES_MAX && got > 0) {
        got = read(fd, bytes + size, FILE_BYTES_MAX - size);
        size += got > 0 ? (size_t)got : 0;
    }
    close(fd);
    return got == 0 ? (struct str){bytes, size} : STR_NULL;
}

int zone_load(struct arena *a, struct str name, const struct zone **zone_out)
{
    static const struct zone utc;
    if (name.len == 0 || str_equal(name, STR("UTC"))) {
        *zone_out = &utc;
        return 0;
    }
    if (!is_name(name))
        return ZONE_UNKNOWN;
    AUTO(arena_free) struct arena *scratch = arena_new();
    struct str path = arena_printf(scratch, "%s/%.*s", folder(), STR_ARG(name));
    struct str file = read_file(scratch, path.at);
    struct zone *z = ARENA_NEW(a, struct zone);
    if (!file.at || !read_zone(a, file, z))
        return ZONE_UNKNOWN;
    *zone_out = z;
    return 0;
}

const struct zone *zone_copy(struct arena *a, const struct zone *z)
{
    struct zone *copy = ARENA_NEW(a, struct zone);
    int64_t *moments = ARENA_ARRAY(a, int64_t, z->count + 1);
    int64_t *offsets = ARENA_ARRAY(a, int64_t, z->count + 1);
    *copy = *z;
    for (size_t i = 0; i < z->count; i++) {
        moments[i] = z->moments[i];
        offsets[i] = z->offsets[i];
    }
    copy->moments = moments;
    copy->offsets = offsets;
    return copy;
}

/* ---- what clocks show ---- */

/* The second of the year's first day, on the wall, at which the rule has clocks set. */
static int64_t rule_wall(const struct rule *r, int year)
{
    int64_t new_year = clock_date_ms(year, 1, 1) / SECOND_MS;
    bool leap = clock_date_ms(year, 3, 1) - clock_date_ms(year, 2, 28) > DAY_MS;
    if (r->kind == RULE_DAY)
        return new_year + r->day * DAY_S + r->second;
    if (r->kind == RULE_JULIAN) /* the leap day is not counted */
        return new_year + (r->day - 1 + (leap && r->day >= 60)) * DAY_S + r->second;

    int64_t first = clock_date_ms(year, r->month, 1);
    int64_t next = r->month < 12 ? clock_date_ms(year, r->month + 1, 1) : first + 31 * DAY_MS;
    int64_t day = first + (r->day - clock_fields_of(first).weekday + 7) % 7 * DAY_MS;
    day += (r->week - 1) * 7 * DAY_MS;
    while (day >= next)
        day -= 7 * DAY_MS;
    return day / SECOND_MS + r->second;
}

static int64_t tail_offset(const struct tail *t, int64_t second)
{
    if (!t->has_summer)
        return t->standard_s;
    int year = clock_fields_of((second + t->standard_s) * SECOND_MS).year;
    int64_t begin = rule_wall(&t->begin, year) - t->standard_s;
    int64_t end = rule_wall(&t->end, year) - t->summer_s;
    /* South of the equator summer holds over the new year. */
    bool summer = begin < end ? second >= begin && second < end : second >= begin || second < end;
    return summer ? t->summer_s : t->standard_s;
}

static int64_t offset_at(const struct zone *z, int64_t second)
{
    size_t first = 0, end = z->count;
    while (first < end) {
        size_t middle = first + (end - first) / 2;
        if (z->moments[middle] <= second)
            first = middle + 1;
        else
            end = middle;
    }
    if (z->has_tail && first == z->count)
        return tail_offset(&z->tail, second);
    return first > 0 ? z->offsets[first - 1] : z->first_s;
}

static int64_t offset_ms(const struct zone *z, int64_t ms)
{
    return offset_at(z, (ms >= 0 ? ms : ms - (SECOND_MS - 1)) / SECOND_MS) * SECOND_MS;
}

int64_t zone_wall(const struct zone *z, int64_t ms)
{
    return ms + offset_ms(z, ms);
}

int64_t zone_moment(const struct zone *z, int64_t wall_ms)
{
    int64_t before = offset_ms(z, wall_ms - DAY_MS), after = offset_ms(z, wall_ms + DAY_MS);
    if (offset_ms(z, wall_ms - before) == before)
        return wall_ms - before;
    if (offset_ms(z, wall_ms - after) == after)
        return wall_ms - after;
    int64_t low = wall_ms - after, high = wall_ms - before; /* the leap is after low, up to high */
    while (low + 1 < high) {
        int64_t middle = low + (high - low) / 2;
        if (offset_ms(z, middle) == before)
            low = middle;
        else
            high = middle;
    }
    return high;
}
