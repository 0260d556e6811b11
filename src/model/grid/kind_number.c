#include "model/grid/kind_internal.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * Numbers, ratings, booleans, autonumbers.
 *
 * A number is handled as its digits between wire and store, so that none is lost or made up on the
 * way: whole numbers live in columns of 64 bits, others in decimals of at most 15 digits, which a
 * double tells apart exactly (value.h).
 */

/* ---- decimals ---- */

enum { EXPONENT_MAX = 100000, DOUBLE_DIGITS = 15, DECIMAL_TEXT_SIZE = DECIMAL_DIGITS_MAX + 3 };

static size_t digit_run(struct str s)
{
    size_t n = 0;
    while (n < s.len && s.at[n] >= '0' && s.at[n] <= '9')
        n++;
    return n;
}

static struct str take_digits(struct str *rest)
{
    struct str digits = {rest->at, digit_run(*rest)};
    *rest = str_skip(*rest, digits.len);
    return digits;
}

static bool take_exponent(struct str *rest, int64_t *exponent_out)
{
    *exponent_out = 0;
    if (rest->len == 0)
        return true;
    if (rest->at[0] != 'e' && rest->at[0] != 'E')
        return false;
    int rc = str_to_int64(str_skip(*rest, 1), exponent_out);
    *rest = STR("");
    if (rc == STR_OUT_OF_RANGE || *exponent_out > EXPONENT_MAX || *exponent_out < -EXPONENT_MAX)
        *exponent_out = EXPONENT_MAX;
    return rc != STR_NOT_A_NUMBER;
}

/* Which digit stands at a place, of the whole part and the fraction written one behind the other.
 */
static char digit_at(struct str whole, struct str fraction, int64_t at)
{
    if (at < 0 || at >= (int64_t)(whole.len + fraction.len))
        return '0';
    return at < (int64_t)whole.len ? whole.at[at] : fraction.at[at - (int64_t)whole.len];
}

/* Moves the point by the exponent and leaves away the zeros that say nothing. */
static int settle(struct decimal *d, struct str whole, struct str fraction, int64_t exponent)
{
    int64_t point = (int64_t)whole.len + exponent;
    int64_t first = 0, end = (int64_t)(whole.len + fraction.len);
    while (first < end && digit_at(whole, fraction, first) == '0')
        first++;
    while (end > first && digit_at(whole, fraction, end - 1) == '0')
        end--;
    if (first == end) {
        d->whole = d->fraction = 0;
        d->negative = false;
        return 0;
    }
    if (first > point)
        first = point;
    if (end < point)
        end = point;
    if (end - first > DECIMAL_DIGITS_MAX)
        return DECIMAL_HUGE;
    d->whole = (unsigned)(point - first);
    d->fraction = (unsigned)(end - point);
    for (int64_t at = first; at < end; at++)
        d->digits[at - first] = digit_at(whole, fraction, at);
    return 0;
}

int decimal_read(struct str text, struct decimal *d_out)
{
    struct str rest = text, fraction = STR("");
    int64_t exponent;
    bool negative = rest.len > 0 && rest.at[0] == '-';

    if (negative || (rest.len > 0 && rest.at[0] == '+'))
        rest = str_skip(rest, 1);
    struct str whole = take_digits(&rest);
    if (rest.len > 0 && rest.at[0] == '.') {
        rest = str_skip(rest, 1);
        fraction = take_digits(&rest);
    }
    if (whole.len + fraction.len == 0 || !take_exponent(&rest, &exponent))
        return DECIMAL_NONE;
    d_out->negative = negative;
    return settle(d_out, whole, fraction, exponent);
}

struct decimal decimal_of(const struct value *number)
{
    char text[DECIMAL_TEXT_SIZE];
    struct decimal d = {.whole = 0};
    if (number->kind == VALUE_INTEGER)
        snprintf(text, sizeof(text), "%" PRId64, number->integer);
    else
        snprintf(text, sizeof(text), "%.*e", DOUBLE_DIGITS - 1, number->real);
    int rc = decimal_read(str_of(text), &d);
    assert(rc == 0);
    (void)rc;
    return d;
}

void decimal_round(struct decimal *d, unsigned places)
{
    if (d->fraction <= places)
        return;
    unsigned kept = d->whole + places;
    bool up = d->digits[kept] >= '5';
    d->fraction = places;
    for (unsigned at = kept; up && at-- > 0;) {
        up = d->digits[at] == '9';
        d->digits[at] = up ? '0' : (char)(d->digits[at] + 1);
    }
    if (up) { /* 9.99 → 10.0: one digit more in front; the last one went */
        memmove(d->digits + 1, d->digits, kept);
        d->digits[0] = '1';
        d->whole++;
    }
    while (d->fraction > 0 && d->digits[d->whole + d->fraction - 1] == '0')
        d->fraction--;
    if (d->whole + d->fraction == 0)
        d->negative = false;
}

void decimal_put(struct buf *b, const struct decimal *d, unsigned places)
{
    if (d->negative)
        buf_put_char(b, '-');
    if (d->whole == 0)
        buf_put_char(b, '0');
    buf_put(b, d->digits, d->whole);
    if (places > 0)
        buf_put_char(b, '.');
    for (unsigned i = 0; i < places; i++)
        buf_put_char(b, i < d->fraction ? d->digits[d->whole + i] : '0');
}

bool decimal_cell(const struct column *c, const struct decimal *d, struct value *cell_out)
{
    char text[DECIMAL_TEXT_SIZE];
    int64_t whole;
    double real;

    snprintf(text, sizeof(text), "%s%.*s%s.%.*s", d->negative ? "-" : "", (int)d->whole, d->digits,
             d->whole > 0 ? "" : "0", (int)d->fraction, d->digits + d->whole);
    if (types[c->type].kind == VALUE_REAL) {
        if (str_to_double(str_of(text), &real) != 0)
            return false;
        *cell_out = value_real(real);
        return true;
    }
    struct str digits = {text, strcspn(text, ".")};
    if (d->fraction > 0 || str_to_int64(digits, &whole) != 0)
        return false;
    *cell_out = value_integer(whole);
    return true;
}

/* ---- numbers: what fits ---- */

struct number_limits {
    unsigned places, digits, whole;
};

static struct number_limits limits_of(const struct grid_field *f)
{
    const struct column *c = f->column;
    unsigned places = f->settings.decimals;
    switch (c->type) {
    case TYPE_INTEGER:
        return (struct number_limits){0, 10, 10};
    case TYPE_BIG_INTEGER:
        return (struct number_limits){0, 19, 19};
    case TYPE_DECIMAL: {
        unsigned precision = c->precision ? c->precision : DECIMAL_PRECISION;
        unsigned scale = c->precision ? c->scale : DECIMAL_SCALE;
        return (struct number_limits){places < scale ? places : scale, precision,
                                      precision - scale};
    }
    default:
        return (struct number_limits){places, DOUBLE_DIGITS, DOUBLE_DIGITS};
    }
}

/* In the order in which Baserow's serializer looks. */
static int check_digits(struct tx *tx, const struct number_limits *max, const struct decimal *d,
                        struct kind_mistake *m)
{
    if (d->whole + d->fraction > max->digits)
        return kind_mistaken(m, tx->arena, "max_digits",
                             "Ensure that there are no more than %u digits in total.", max->digits);
    if (d->fraction > max->places)
        return kind_mistaken(m, tx->arena, "max_decimal_places",
                             "Ensure that there are no more than %u decimal places.", max->places);
    if (d->whole > max->whole)
        return kind_mistaken(m, tx->arena, "max_whole_digits",
                             "Ensure that there are no more than %u digits before the decimal "
                             "point.",
                             max->whole);
    return 0;
}

/* A whole number that has few enough digits may still be too great. */
static int refuse_range(struct tx *tx, const struct column *c, const struct decimal *d,
                        struct kind_mistake *m)
{
    int64_t min = c->type == TYPE_INTEGER ? INT32_MIN : INT64_MIN;
    int64_t max = c->type == TYPE_INTEGER ? INT32_MAX : INT64_MAX;
    return kind_mistaken(m, tx->arena, d->negative ? "min_value" : "max_value",
                         "Ensure this value is %s than or equal to %" PRId64 ".",
                         d->negative ? "greater" : "less", d->negative ? min : max);
}

/* ---- numbers: the form shown to people ---- */

struct separators {
    const char *name;
    char thousands, point;
};
static struct separators separators_of(const struct grid_field *f)
{
    static const struct separators all[] = {
        {"SPACE_COMMA", ' ', ','},
        {"SPACE_PERIOD", ' ', '.'},
        {"COMMA_PERIOD", ',', '.'},
        {"PERIOD_COMMA", '.', ','},
    };
    for (size_t i = 0; i < COUNT_OF(all); i++)
        if (str_equal(f->settings.separator, str_of(all[i].name)))
            return all[i];
    return (struct separators){"", 0, '.'};
}

static void put_grouped(struct buf *b, struct str plain, struct separators with)
{
    size_t whole = digit_run(plain);
    for (size_t i = 0; i < whole; i++) {
        if (i > 0 && with.thousands && (whole - i) % 3 == 0)
            buf_put_char(b, with.thousands);
        buf_put_char(b, plain.at[i]);
    }
    if (whole < plain.len) {
        buf_put_char(b, with.point);
        buf_put_str(b, str_skip(plain, whole + 1));
    }
}

static void put_plain(struct buf *b, const struct grid_field *f, const struct value *cell)
{
    struct decimal d = decimal_of(cell);
    decimal_round(&d, f->settings.decimals);
    decimal_put(b, &d, f->settings.decimals);
}

static void put_number_text(struct buf *b, const struct grid_field *f, const struct value *cell)
{
    struct buf plain;
    buf_init(&plain, SIZE_MAX);
    put_plain(&plain, f, cell);

    struct str text = buf_str(&plain);
    if (str_starts_with(text, STR("-"))) {
        buf_put_char(b, '-');
        text = str_skip(text, 1);
    }
    buf_put_str(b, f->settings.prefix);
    put_grouped(b, text, separators_of(f));
    buf_put_str(b, f->settings.suffix);
    buf_deinit(&plain);
}

/* Thousands stand in threes, or there are none: 1.234 may be either number, 1.23 only one. */
static bool ungroup(struct str text, struct separators with, struct buf *plain)
{
    size_t group = digit_run(text);
    bool grouped = false;

    if (group == 0 && !(text.len > 0 && text.at[0] == with.point))
        return false;
    buf_put(plain, text.at, group);
    text = str_skip(text, group);
    while (with.thousands && text.len > 0 && text.at[0] == with.thousands) {
        text = str_skip(text, 1);
        if ((!grouped && group > 3) || digit_run(text) != 3)
            return false;
        grouped = true;
        buf_put(plain, text.at, 3);
        text = str_skip(text, 3);
    }
    if (text.len == 0)
        return true;
    if (text.at[0] != with.point)
        return false;
    buf_put_char(plain, '.');
    buf_put_str(plain, str_skip(text, 1));
    return true;
}

/* Takes sign, prefix, suffix and the field's separators off. */
static bool read_shown(const struct grid_field *f, struct str text, struct decimal *d_out)
{
    const struct kind_settings *s = &f->settings;
    struct buf plain;
    buf_init(&plain, SIZE_MAX);
    bool negative = str_starts_with(text, STR("-"));

    if (negative)
        text = str_skip(text, 1);
    if (s->prefix.len > 0 && str_starts_with(text, s->prefix))
        text = str_skip(text, s->prefix.len);
    if (s->suffix.len > 0 && str_ends_with(text, s->suffix))
        text.len -= s->suffix.len;
    text = str_trim(text);
    if (!negative && str_starts_with(text, STR("-"))) {
        negative = true;
        text = str_skip(text, 1);
    }
    if (negative)
        buf_put_char(&plain, '-');
    bool read =
        ungroup(text, separators_of(f), &plain) && decimal_read(buf_str(&plain), d_out) == 0;
    buf_deinit(&plain);
    return read;
}

/* ---- numbers: the four ways ---- */

static int read_number(struct tx *tx, const struct grid_field *f, const json_t *json,
                       struct value *value_out, struct kind_mistake *m)
{
    struct number_limits max = limits_of(f);
    struct decimal d;
    struct str text = json_is_number(json) ? json_text(tx->arena, json) : str_trim(json_str(json));

    int rc = text.at ? decimal_read(text, &d) : DECIMAL_NONE;
    if (rc == DECIMAL_NONE && text.at && read_shown(f, text, &d))
        rc = 0;
    if (rc == DECIMAL_HUGE)
        return kind_mistaken(m, tx->arena, "max_digits",
                             "Ensure that there are no more than %u digits in total.", max.digits);
    if (rc != 0)
        return kind_mistaken(m, tx->arena, "invalid", "A valid number is required.");
    rc = check_digits(tx, &max, &d, m);
    if (rc != 0)
        return rc;
    if (d.negative && !f->settings.negative)
        return kind_mistaken(m, tx->arena, "min_value",
                             "Ensure this value is greater than or equal to 0.");
    if (!decimal_cell(f->column, &d, value_out) || type_check(f->column, value_out) != 0)
        return refuse_range(tx, f->column, &d, m);
    return 0;
}

static void write_number(struct buf *b, const struct grid_field *f, const struct value *cell)
{
    buf_put_char(b, '"');
    put_plain(b, f, cell);
    buf_put_char(b, '"');
}

/* What people were shown goes before what programs write. */
static bool parse_number(struct arena *a, const struct grid_field *f, struct str text,
                         struct value *value_out)
{
    (void)a;
    struct decimal d;
    bool truth;
    if (!read_shown(f, text, &d) && decimal_read(text, &d) != 0) {
        if (!boolean_read(text, &truth))
            return false;
        *value_out = value_integer(truth);
        d = decimal_of(value_out);
    }
    decimal_round(&d, limits_of(f).places);
    return (!d.negative || f->settings.negative) && decimal_cell(f->column, &d, value_out);
}

const struct kind_values number_values = {
    read_number,
    write_number,
    put_number_text,
    parse_number,
};

/* ---- ratings ---- */

static int read_rating(struct tx *tx, const struct grid_field *f, const json_t *json,
                       struct value *value_out, struct kind_mistake *m)
{
    struct decimal d;
    struct str text = json_is_number(json) ? json_text(tx->arena, json) : str_trim(json_str(json));
    int rc = text.at ? decimal_read(text, &d) : DECIMAL_NONE;

    if (rc == DECIMAL_NONE || (rc == 0 && d.fraction > 0))
        return kind_mistaken(m, tx->arena, "invalid", "A valid integer is required.");
    if (rc == 0 && d.negative)
        return kind_mistaken(m, tx->arena, "min_value",
                             "Ensure this value is greater than or equal to 0.");
    if (rc != 0 || !decimal_cell(f->column, &d, value_out) ||
        value_out->integer > f->settings.stars)
        return kind_mistaken(m, tx->arena, "max_value",
                             "Ensure this value is less than or equal to %u.", f->settings.stars);
    return 0;
}

static void write_integer(struct buf *b, const struct grid_field *f, const struct value *cell)
{
    (void)f;
    buf_put_int(b, cell->integer);
}

/* More stars than there are become all of them, as when max_value is lowered. */
static bool parse_rating(struct arena *a, const struct grid_field *f, struct str text,
                         struct value *value_out)
{
    (void)a;
    struct decimal d;
    bool truth;
    if (decimal_read(text, &d) != 0) {
        if (!boolean_read(text, &truth))
            return false;
        *value_out = value_integer(truth && f->settings.stars > 0);
        return true;
    }
    decimal_round(&d, 0);
    if (d.negative)
        return false;
    if (!decimal_cell(f->column, &d, value_out) || value_out->integer > f->settings.stars)
        *value_out = value_integer(f->settings.stars);
    return true;
}

const struct kind_values rating_values = {
    read_rating,
    write_integer,
    write_integer,
    parse_rating,
};

static int read_never(struct tx *tx, const struct grid_field *f, const json_t *json,
                      struct value *value_out, struct kind_mistake *m)
{
    (void)f;
    (void)json;
    (void)value_out;
    return kind_mistaken(m, tx->arena, "read_only", "This field is read only.");
}

const struct kind_values autonumber_values = {
    read_never,
    write_integer,
    write_integer,
    NULL,
};

/* ---- booleans ---- */

bool boolean_read(struct str text, bool *truth_out)
{
    static const char *const spellings[][2] = {
        {"f", "t"}, {"false", "true"},        {"n", "y"}, {"no", "yes"}, {"off", "on"},
        {"0", "1"}, {"unchecked", "checked"},
    };
    for (size_t i = 0; i < COUNT_OF(spellings); i++) {
        for (int truth = 0; truth < 2; truth++) {
            if (str_equal_nocase(text, str_of(spellings[i][truth]))) {
                *truth_out = truth;
                return true;
            }
        }
    }
    return false;
}

static int read_boolean(struct tx *tx, const struct grid_field *f, const json_t *json,
                        struct value *value_out, struct kind_mistake *m)
{
    (void)f;
    bool truth = json_is_true(json);
    struct str text = json_is_number(json) ? json_text(tx->arena, json) : str_trim(json_str(json));
    if (!json_is_boolean(json) && (!text.at || !boolean_read(text, &truth)))
        return kind_mistaken(m, tx->arena, "invalid", "Must be a valid boolean.");
    *value_out = value_integer(truth);
    return 0;
}

static void write_boolean(struct buf *b, const struct grid_field *f, const struct value *cell)
{
    (void)f;
    buf_put_str(b, cell->integer ? STR("true") : STR("false"));
}

static bool parse_boolean(struct arena *a, const struct grid_field *f, struct str text,
                          struct value *value_out)
{
    (void)a;
    (void)f;
    bool truth;
    if (!boolean_read(text, &truth))
        return false;
    *value_out = value_integer(truth);
    return true;
}

const struct kind_values boolean_values = {
    read_boolean,
    write_boolean,
    write_boolean,
    parse_boolean,
};
