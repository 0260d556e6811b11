#include "store/type.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>

#include "base/clock.h"
#include "base/text.h"
#include "store/expr.h"

/* ---- from JSON ---- */

/* What is not of the type counts as text of its own: a number as written, an object as JSON. */
static struct str text_of(const json_t *json, struct arena *a)
{
    return json_is_string(json) ? json_str(json) : json_text(a, json);
}

static int check_text(const struct column *c, struct str text)
{
    if (!text_is_plain(text))
        return TYPE_MISMATCH;
    /* A code point takes a byte at least, so that most texts need no counting. */
    bool fits =
        c->length_max == 0 || text.len <= c->length_max || text_length(text) <= c->length_max;
    return fits ? 0 : TYPE_TOO_LONG;
}

static int read_text(const struct column *c, const json_t *json, struct arena *a,
                     struct value *value_out)
{
    struct str text = text_of(json, a);
    int rc = check_text(c, text);
    if (rc)
        return rc;
    *value_out = value_text(arena_str(a, text));
    return 0;
}

/* A JSON number that is integral, or text of one. */
static int read_int64(const json_t *json, int64_t *number_out)
{
    if (json_is_integer(json)) {
        *number_out = json_integer_value(json);
        return 0;
    }
    double real;
    if (json_is_string(json)) {
        struct str text = str_trim(json_str(json));
        int rc = str_to_int64(text, number_out);
        if (rc == 0)
            return 0;
        if (rc == STR_OUT_OF_RANGE)
            return TYPE_OUT_OF_RANGE;
        if (str_to_double(text, &real) != 0)
            return TYPE_MISMATCH;
    } else if (json_is_real(json)) {
        real = json_real_value(json);
    } else {
        return TYPE_MISMATCH;
    }
    if (!isfinite(real) || real != trunc(real))
        return TYPE_MISMATCH;
    if (real < -0x1p63 || real >= 0x1p63)
        return TYPE_OUT_OF_RANGE;
    *number_out = (int64_t)real;
    return 0;
}

static int check_integer(const struct column *c, int64_t number)
{
    bool fits = c->type != TYPE_INTEGER || (number >= INT32_MIN && number <= INT32_MAX);
    return fits ? 0 : TYPE_OUT_OF_RANGE;
}

static int read_integer(const struct column *c, const json_t *json, struct arena *a,
                        struct value *value_out)
{
    (void)a;
    int64_t number;
    int rc = read_int64(json, &number);
    if (rc == 0)
        rc = check_integer(c, number);
    if (rc == 0)
        *value_out = value_integer(number);
    return rc;
}

static int read_number(const json_t *json, double *number_out)
{
    double number;
    if (json_is_number(json)) {
        number = json_number_value(json);
    } else if (json_is_string(json)) {
        int rc = str_to_double(str_trim(json_str(json)), &number);
        if (rc)
            return rc == STR_OUT_OF_RANGE ? TYPE_OUT_OF_RANGE : TYPE_MISMATCH;
    } else {
        return TYPE_MISMATCH;
    }
    if (!isfinite(number))
        return TYPE_OUT_OF_RANGE;
    *number_out = number + 0.0; /* stores keep no negative zero */
    return 0;
}

static int read_float(const struct column *c, const json_t *json, struct arena *a,
                      struct value *value_out)
{
    (void)c;
    (void)a;
    double number;
    int rc = read_number(json, &number);
    if (rc == 0)
        *value_out = value_real(number);
    return rc;
}

enum { DECIMAL_DIGITS = 15 };

static int64_t power_of_ten(int exponent)
{
    int64_t power = 1;
    while (exponent-- > 0)
        power *= 10;
    return power;
}

/*
 * Rounds to `scale` digits after the point, half away from zero, as it is written: 1.005 becomes
 * 1.01 at scale 2 although its nearest double lies below. Fifteen significant digits name every
 * decimal that a double can tell apart, so rounding works on those, as an integer.
 */
static double round_decimal(double number, int scale)
{
    char text[32]; /* -d.dddddddddddddde±ddd */
    snprintf(text, sizeof(text), "%.*e", DECIMAL_DIGITS - 1, fabs(number));
    int64_t digits = 0;
    const char *at = text;
    for (; *at != 'e'; at++)
        if (*at != '.')
            digits = digits * 10 + (*at - '0');
    int last_place = (int)strtol(at + 1, NULL, 10) - (DECIMAL_DIGITS - 1);
    int excess = -last_place - scale; /* digits behind the scale */
    if (excess <= 0)
        return value_round_decimal(number);
    if (excess > DECIMAL_DIGITS)
        return 0;
    int64_t unit = power_of_ten(excess);
    int64_t rounded = digits / unit + (digits % unit >= unit / 2 ? 1 : 0);
    double result = (double)rounded / (double)power_of_ten(scale);
    return rounded != 0 && number < 0 ? -result : result;
}

static int check_decimal(const struct column *c, double number)
{
    int precision = c->precision ? c->precision : DECIMAL_PRECISION;
    int scale = c->precision ? c->scale : DECIMAL_SCALE;
    return fabs(number) < (double)power_of_ten(precision - scale) ? 0 : TYPE_OUT_OF_RANGE;
}

static int read_decimal(const struct column *c, const json_t *json, struct arena *a,
                        struct value *value_out)
{
    (void)a;
    double number;
    int rc = read_number(json, &number);
    if (rc)
        return rc;
    number = round_decimal(number, c->precision ? c->scale : DECIMAL_SCALE);
    rc = check_decimal(c, number);
    if (rc == 0)
        *value_out = value_real(number);
    return rc;
}

static int read_boolean(const struct column *c, const json_t *json, struct arena *a,
                        struct value *value_out)
{
    (void)c;
    (void)a;
    struct str text = json_str(json);
    if (json_is_true(json) || (json_is_integer(json) && json_integer_value(json) == 1) ||
        str_equal(text, STR("true")) || str_equal(text, STR("1")))
        *value_out = value_integer(1);
    else if (json_is_false(json) || (json_is_integer(json) && json_integer_value(json) == 0) ||
             str_equal(text, STR("false")) || str_equal(text, STR("0")))
        *value_out = value_integer(0);
    else
        return TYPE_MISMATCH;
    return 0;
}

static int read_moment(const json_t *json, int (*read)(struct str s, char *text_out),
                       struct arena *a, struct value *value_out)
{
    char text[CLOCK_TEXT_MAX];
    if (!json_is_string(json) || read(json_str(json), text) != 0)
        return TYPE_MISMATCH;
    *value_out = value_text(arena_str(a, str_of(text)));
    return 0;
}

static int read_date(const struct column *c, const json_t *json, struct arena *a,
                     struct value *value_out)
{
    (void)c;
    return read_moment(json, clock_read_date, a, value_out);
}

static int read_time(const struct column *c, const json_t *json, struct arena *a,
                     struct value *value_out)
{
    (void)c;
    return read_moment(json, clock_read_time, a, value_out);
}

static int read_date_time(const struct column *c, const json_t *json, struct arena *a,
                          struct value *value_out)
{
    (void)c;
    return read_moment(json, clock_read_date_time, a, value_out);
}

static int read_timestamp(const struct column *c, const json_t *json, struct arena *a,
                          struct value *value_out)
{
    (void)c;
    return read_moment(json, clock_read_timestamp, a, value_out);
}

static int read_uuid(const struct column *c, const json_t *json, struct arena *a,
                     struct value *value_out)
{
    (void)c;
    struct str text = json_str(json);
    if (!json_is_string(json) || !text_is_uuid(text))
        return TYPE_MISMATCH;
    *value_out = value_text(text_fold(a, text));
    return 0;
}

/* Any JSON value, or text that holds one; other text is a JSON string. Kept compact. */
static int read_json(const struct column *c, const json_t *json, struct arena *a,
                     struct value *value_out)
{
    (void)c;
    AUTO(json_unref) json_t *inner = NULL;
    if (json_is_string(json) && json_read(a, json_str(json), &inner, NULL) == 0)
        json = inner;
    *value_out = value_text(json_text(a, json));
    return 0;
}

enum { CSV_SIZE_MAX = 64 * 1024 * 1024 };

static int read_csv(const struct column *c, const json_t *json, struct arena *a,
                    struct value *value_out)
{
    if (!json_is_array(json))
        return json_is_object(json) ? TYPE_MISMATCH : read_text(c, json, a, value_out);

    struct buf text;
    buf_init(&text, CSV_SIZE_MAX);
    int rc = 0;
    size_t index;
    json_t *item;
    json_array_foreach(json, index, item)
    {
        if (json_is_array(item) || json_is_object(item))
            rc = TYPE_MISMATCH;
        if (index > 0)
            buf_put_char(&text, ',');
        if (rc == 0 && !json_is_null(item))
            buf_put_str(&text, text_of(item, a));
    }
    if (text.failed)
        rc = TYPE_TOO_LONG;
    if (rc == 0)
        rc = check_text(c, buf_str(&text));
    if (rc == 0)
        *value_out = value_text(arena_str(a, buf_str(&text)));
    buf_deinit(&text);
    return rc;
}

/* ---- to JSON ---- */

static void write_text(struct buf *b, const struct value *v)
{
    json_put_str(b, v->text);
}

static void write_integer(struct buf *b, const struct value *v)
{
    buf_put_int(b, v->integer);
}

static void write_big_integer(struct buf *b, const struct value *v)
{
    const int64_t safe_max = (INT64_C(1) << 53) - 1; /* JavaScript's Number.MAX_SAFE_INTEGER */
    if (v->integer >= -safe_max && v->integer <= safe_max)
        buf_put_int(b, v->integer);
    else
        buf_printf(b, "\"%" PRId64 "\"", v->integer);
}

static void write_real(struct buf *b, const struct value *v)
{
    json_put_double(b, v->real);
}

static void write_boolean(struct buf *b, const struct value *v)
{
    buf_put_str(b, v->integer ? STR("true") : STR("false"));
}

static void write_json(struct buf *b, const struct value *v)
{
    buf_put_str(b, v->text);
}

static void write_csv(struct buf *b, const struct value *v)
{
    struct str rest = v->text, part;
    const char *separator = "";
    buf_put_char(b, '[');
    while (v->text.len > 0 && str_next(&rest, ',', &part)) {
        buf_put_str(b, str_of(separator));
        json_put_str(b, part);
        separator = ",";
    }
    buf_put_char(b, ']');
}

/* ---- the table ---- */

#define BIT(op) (UINT64_C(1) << OP_##op)
#define NULL_OPERATORS (BIT(NULL) | BIT(NNULL))
#define EMPTY_OPERATORS (BIT(EMPTY) | BIT(NEMPTY))
#define EQUAL_OPERATORS (BIT(EQ) | BIT(NEQ))
#define LIST_OPERATORS (BIT(IN) | BIT(NIN))
#define ORDER_OPERATORS (BIT(LT) | BIT(LTE) | BIT(GT) | BIT(GTE) | BIT(BETWEEN) | BIT(NBETWEEN))
#define CONTAINS_OPERATORS (BIT(CONTAINS) | BIT(NCONTAINS))
#define AFFIX_OPERATORS                                                                            \
    (BIT(STARTS_WITH) | BIT(NSTARTS_WITH) | BIT(ISTARTS_WITH) | BIT(NISTARTS_WITH) |               \
     BIT(ENDS_WITH) | BIT(NENDS_WITH) | BIT(IENDS_WITH) | BIT(NIENDS_WITH))

/* directus.md E.3, the operators of each type. */
#define FOR_TEXT                                                                                   \
    (CONTAINS_OPERATORS | BIT(ICONTAINS) | AFFIX_OPERATORS | EQUAL_OPERATORS | EMPTY_OPERATORS |   \
     NULL_OPERATORS | LIST_OPERATORS)
#define FOR_NUMBER (EQUAL_OPERATORS | ORDER_OPERATORS | NULL_OPERATORS | LIST_OPERATORS)
#define FOR_BOOLEAN (EQUAL_OPERATORS | NULL_OPERATORS)
#define FOR_UUID (EQUAL_OPERATORS | NULL_OPERATORS | LIST_OPERATORS)
#define FOR_TIMESTAMP (FOR_NUMBER | CONTAINS_OPERATORS | EMPTY_OPERATORS)
#define FOR_HASH (NULL_OPERATORS | EMPTY_OPERATORS)

/*
 * SQLite takes the affinity of a column from its declared name: all that hold text say so in it,
 * since a bare "date" or "json" would turn the text 2024 into a number. Reals are doubles on both
 * stores, that a row's image is what a later read gives.
 */
/* clang-format off */
const struct type types[TYPE_COUNT] = {
    [TYPE_STRING]      = {"string", VALUE_TEXT, "varchar(%n)", "varchar(%n) COLLATE \"C\"", FOR_TEXT, read_text, write_text},
    [TYPE_TEXT]        = {"text", VALUE_TEXT, "text", "text COLLATE \"C\"", FOR_TEXT, read_text, write_text},
    [TYPE_INTEGER]     = {"integer", VALUE_INTEGER, "integer", "integer", FOR_NUMBER, read_integer, write_integer},
    [TYPE_BIG_INTEGER] = {"bigInteger", VALUE_INTEGER, "bigint", "bigint", FOR_NUMBER, read_integer, write_big_integer},
    [TYPE_FLOAT]       = {"float", VALUE_REAL, "float", "double precision", FOR_NUMBER, read_float, write_real},
    [TYPE_DECIMAL]     = {"decimal", VALUE_REAL, "float(%p,%s)", "numeric(%p,%s)", FOR_NUMBER, read_decimal, write_real},
    [TYPE_BOOLEAN]     = {"boolean", VALUE_INTEGER, "boolean", "boolean", FOR_BOOLEAN, read_boolean, write_boolean},
    [TYPE_DATE]        = {"date", VALUE_TEXT, "date text", "date", FOR_NUMBER, read_date, write_text},
    [TYPE_TIME]        = {"time", VALUE_TEXT, "time text", "time(0)", FOR_NUMBER, read_time, write_text},
    [TYPE_DATE_TIME]   = {"dateTime", VALUE_TEXT, "datetime text", "timestamp(0)", FOR_NUMBER, read_date_time, write_text},
    [TYPE_TIMESTAMP]   = {"timestamp", VALUE_TEXT, "timestamp text", "timestamptz(3)", FOR_TIMESTAMP, read_timestamp, write_text},
    [TYPE_UUID]        = {"uuid", VALUE_TEXT, "char(36)", "uuid", FOR_UUID, read_uuid, write_text},
    [TYPE_JSON]        = {"json", VALUE_TEXT, "json text", "json", NULL_OPERATORS, read_json, write_json},
    [TYPE_CSV]         = {"csv", VALUE_TEXT, "csv text", "text COLLATE \"C\"", FOR_TEXT, read_csv, write_csv},
    [TYPE_HASH]        = {"hash", VALUE_TEXT, "varchar(%n)", "varchar(%n) COLLATE \"C\"", FOR_HASH, read_text, write_text},
};
/* clang-format on */

bool type_find(struct str name, enum type_id *type_out)
{
    for (int id = 0; id < TYPE_COUNT; id++) {
        if (str_equal(name, str_of(types[id].name))) {
            *type_out = (enum type_id)id;
            return true;
        }
    }
    return false;
}

int type_read(const struct column *c, const json_t *json, struct arena *a, struct value *value_out)
{
    if (json_is_null(json)) {
        *value_out = value_null();
        return 0;
    }
    return types[c->type].read(c, json, a, value_out);
}

int type_read_key(const struct column *c, const json_t *json, struct arena *a,
                  struct value *value_out)
{
    if (!json_is_string(json) && !json_is_number(json))
        return TYPE_MISMATCH;
    return type_read(c, json, a, value_out) == 0 ? 0 : TYPE_MISMATCH;
}

int type_check(const struct column *c, const struct value *v)
{
    if (value_is_null(v))
        return 0;
    if (v->kind != types[c->type].kind)
        return TYPE_MISMATCH;
    switch (v->kind) {
    case VALUE_TEXT:
        return check_text(c, v->text);
    case VALUE_INTEGER:
        return check_integer(c, v->integer);
    default:
        if (!isfinite(v->real))
            return TYPE_OUT_OF_RANGE;
        return c->type == TYPE_DECIMAL ? check_decimal(c, v->real) : 0;
    }
}

/* The value as JSON that the new type is to read. Text stays what it is for a type that holds any
 * text; otherwise it speaks as it does on the wire, so that csv becomes an array. */
static json_t *conversion_json(const struct column *from, const struct column *to,
                               const struct value *v, struct arena *a)
{
    if (v->kind == VALUE_REAL)
        return json_real(v->real);
    if (v->kind == VALUE_INTEGER)
        return from->type == TYPE_BOOLEAN && types[to->type].kind == VALUE_TEXT
                   ? json_boolean(v->integer)
                   : json_integer(v->integer);
    if (to->type == TYPE_STRING || to->type == TYPE_TEXT || to->type == TYPE_HASH ||
        (to->type == TYPE_CSV && from->type != TYPE_JSON))
        return json_stringn(v->text.at, v->text.len);

    struct buf text;
    buf_init(&text, SIZE_MAX);
    type_write(&text, from, v);
    json_t *json = NULL;
    if (json_read(a, buf_str(&text), &json, NULL) != 0)
        json = NULL;
    buf_deinit(&text);
    return json;
}

int type_convert(const struct column *from, const struct column *to, const struct value *v,
                 struct arena *a, struct value *value_out)
{
    if (value_is_null(v)) {
        *value_out = *v;
        return 0;
    }
    AUTO(json_unref) json_t *json = conversion_json(from, to, v, a);
    return json ? type_read(to, json, a, value_out) : TYPE_MISMATCH;
}

/* ---- references and shapes ---- */

static const char *const action_names[ON_DELETE_COUNT] = {
    [ON_DELETE_NO_ACTION] = "NO ACTION", [ON_DELETE_RESTRICT] = "RESTRICT",
    [ON_DELETE_SET_NULL] = "SET NULL",   [ON_DELETE_SET_DEFAULT] = "SET DEFAULT",
    [ON_DELETE_CASCADE] = "CASCADE",
};

const char *reference_action_name(enum reference_action action)
{
    return action_names[action];
}

bool reference_action_find(struct str name, enum reference_action *action_out)
{
    for (int action = 0; action < ON_DELETE_COUNT; action++) {
        if (str_equal_nocase(name, str_of(action_names[action]))) {
            *action_out = (enum reference_action)action;
            return true;
        }
    }
    return false;
}

const struct column *shape_column(const struct shape *s, struct str name)
{
    for (size_t i = 0; i < s->count; i++)
        if (str_equal(s->columns[i].name, name))
            return &s->columns[i];
    return NULL;
}
