#include "model/grid/kind_internal.h"

#include <inttypes.h>

/*
 * Numbers, ratings, booleans, autonumbers.
 *
 * A number is handled as its digits between wire and store, so that none is lost or made up on the
 * way: whole numbers live in columns of 64 bits, others in decimals of at most 15 digits, which a
 * double tells apart exactly (value.h).
 */

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
        return (struct number_limits){places, DECIMAL_COLUMN_DIGITS, DECIMAL_COLUMN_DIGITS};
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
    if (!read_shown(f, text, &d) && decimal_read(text, &d) != 0)
        return false;
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
    if (decimal_read(text, &d) != 0)
        return false;
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
