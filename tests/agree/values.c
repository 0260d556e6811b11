#include "values.h"

#include <float.h>
#include <math.h>

#include "base/json.h"
#include "base/text.h"
#include "dice.h"

uint64_t dice_seed;

/* ---- texts ---- */

/* What texts are made of: pairs of cases in ASCII and beyond (Turkish i, three sigmas, sharp s, the
 * signs for Angstrom and Kelvin, Georgian, Cherokee, Deseret), marks that combine, both ends of
 * what UTF-8 writes in three bytes and in four, and what a pattern, an array or a number could be.
 */
/* clang-format off */
static const char *const pieces[] = {
    "a", "A", "b", "B", "i", "I", "k", "K", "s", "SS", "z",
    "\xc3\xa4", "\xc3\x84", "\xc3\xa5", "\xc3\x85", "\xe2\x84\xab", /* ä Ä å Å, and Å as a sign */
    "\xe2\x84\xaa",                                /* K as a sign */
    "\xc3\x9f", "\xe1\xba\x9e",                    /* ß ẞ */
    "\xc4\xb0", "\xc4\xb1",                        /* İ ı */
    "\xce\xa3", "\xcf\x83", "\xcf\x82",            /* Σ σ ς */
    "\xe1\xb2\x90", "\xe1\x83\x90", "\xe1\x82\xa0", /* Ა ა Ⴀ */
    "\xe1\x8e\xa0", "\xea\xad\xb0",                /* Ꭰ ꭰ */
    "\xf0\x90\x90\x80", "\xf0\x90\x90\xa8",        /* 𐐀 𐐨 */
    "e\xcc\x81", "\xc3\xa9", "\xcc\x88",           /* é as two and as one, a mark alone */
    "\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbd", "\xef\xbf\xbf",
    "\xf0\x90\x80\x80", "\xf0\x9f\x98\x80", "\xf4\x8f\xbf\xbf",
    "\x01", "\x7f", "\n", "\t", " ", "%", "_", "\\", "'", "\"", ",", "{", "}",
    "null", "NULL", "0", "1", "9", "10", ".5", "e1", "-",
};
/* clang-format on */

enum { TEXTS = 24, PIECES_MAX = 5, LONG_PIECES = 1500, LONG_TEXTS = 2 };
static struct str texts[TEXTS + LONG_TEXTS]; /* the last are long */

static struct str make_text(struct arena *a, size_t count)
{
    struct buf b;
    buf_init(&b, SIZE_MAX);
    for (size_t i = 0; i < count; i++)
        buf_put_str(&b, str_of(PICK(pieces)));
    struct str text = arena_str(a, b.len ? buf_str(&b) : STR(""));
    buf_deinit(&b);
    return text;
}

void values_shuffle(struct arena *a)
{
    for (size_t i = 0; i < TEXTS; i++)
        texts[i] = make_text(a, below(PIECES_MAX));
    for (size_t i = 0; i < LONG_TEXTS; i++)
        texts[TEXTS + i] = make_text(a, LONG_PIECES);
    texts[0] = STR("");
}

/* Where code point `index` begins. */
static size_t offset_of(struct str s, size_t index)
{
    size_t at = 0;
    while (index-- > 0)
        at += text_utf8_sequence(s.at + at, s.len - at);
    return at;
}

static struct str part_of(struct str s)
{
    size_t length = text_length(s), from = below(length + 1);
    size_t count = chance(50) ? length - from : below(length - from + 1);
    size_t start = chance(40) ? 0 : offset_of(s, from);
    size_t size = offset_of(str_skip(s, start), count);
    return (struct str){s.at + start, size};
}

/* PostgreSQL has no room for a long text in an index, and says so (STORE_RANGE). */
static struct str random_text(const struct column *c)
{
    bool may_be_long = !c->indexed && !c->unique && !c->primary_key;
    struct str text = texts[below(may_be_long && chance(15) ? COUNT_OF(texts) : TEXTS)];
    if (c->length_max && text_length(text) > c->length_max && chance(90))
        text.len = offset_of(text, c->length_max);
    return text;
}

/* ---- what clients write ---- */

static const int64_t integers[] = {0, 1, -1, 2, 9, 10, 1704153600, INT32_MAX, INT32_MIN};
static const int64_t big_integers[] = {0,
                                       1,
                                       -1,
                                       10,
                                       INT64_MAX,
                                       INT64_MIN,
                                       INT64_MAX - 1,
                                       (INT64_C(1) << 53) - 1,
                                       INT64_C(1) << 53,
                                       (INT64_C(1) << 53) + 1,
                                       -(INT64_C(1) << 53) - 1};
static const double reals[] = {0,
                               1,
                               -1,
                               0.5,
                               0.1,
                               0.3,
                               0.30000000000000004,
                               1e300,
                               -1e-300,
                               5e-324,
                               1.7976931348623157e308,
                               9.5,
                               0x1p53,
                               0x1p63,
                               -0x1p63,
                               1e15,
                               1234567.125,
                               100000000000000000000.0};
static const char *const dates[] = {"2024-01-02",
                                    "2024-02-29",
                                    "0001-01-01",
                                    "9999-12-31",
                                    "2026-11-22",
                                    "1900-02-28",
                                    "2026-11-22T23:00-05:00",
                                    "0099-12-31"};
static const char *const times[] = {"00:00:00", "10:11", "10:11:12.999", "23:59:59",
                                    "2024-01-02T23:59:59.5Z"};
static const char *const date_times[] = {"2024-01-02T10:11:12", "2024-01-02 10:11:12.987654+05:30",
                                         "0001-01-01",          "2026-11-22",
                                         "9999-12-31T23:59:59", "1582-10-10T12:00"};
static const char *const timestamps[] = {"2024-01-02T10:11:12Z",
                                         "2024-01-02T15:41:12.000+05:30",
                                         "2026-11-22",
                                         "9999-12-31T23:59:59.999Z",
                                         "0001-01-01T00:00Z",
                                         "0001-01-01T23:59:59.001+2359",
                                         "1969-12-31T23:59:59.999Z",
                                         "2024-03-10T02:30:00-08",
                                         "2024-02-29T12:00:00.1234567Z",
                                         "1883-11-18T12:03:57.5-04:56"};
static const char *const uuids[] = {
    "00000000-0000-4000-8000-000000000000", "FFFFFFFF-FFFF-4FFF-BFFF-FFFFFFFFFFFF",
    "0189abcd-0000-7000-8000-00000000000a", "0189ABCD-0000-7000-8000-00000000000A",
    "0189abcd-0000-7000-8000-00000000000b"};
static const char *const jsons[] = {"{}",
                                    "[1,2]",
                                    "\"a\"",
                                    "1",
                                    "false",
                                    "{\"b\":1,\"a\":{\"\\u00e4\":[null,1.50,\"\\u2028\\n\"]}}",
                                    "9007199254740993",
                                    "1e-7",
                                    "\"\"",
                                    "\"2024-01-02\"",
                                    "\"{\\\"a\\\":1}\""};

/* At the ends of what the column holds, between two of its values, and anywhere. */
static double random_decimal(const struct column *c)
{
    double unit = pow(10, -c->scale), limit = pow(10, c->precision - c->scale);
    const double numbers[] = {0,   unit,         1,     10,       0.5,
                              0.1, limit - unit, limit, unit / 2, limit - unit / 2};
    double number = PICK(numbers);
    if (chance(40))
        number = floor((double)dice_bits() * 0x1p-64 * pow(10, c->precision)) * unit;
    return chance(40) ? -number : number;
}

static json_t *number_json(double number)
{
    char text[STR_DOUBLE_SIZE];
    if (chance(70))
        return json_real(number);
    size_t length = str_from_double(number, text);
    return json_stringn(text, length);
}

static json_t *integer_json(int64_t number)
{
    char text[24];
    if (chance(70))
        return json_integer(number);
    snprintf(text, sizeof(text), "%lld", (long long)number);
    return json_string(text);
}

static json_t *text_json(struct str text)
{
    return json_stringn(text.at, text.len);
}

static json_t *list_json(const struct column *c)
{
    json_t *list = json_array();
    for (size_t count = below(4); count > 0; count--)
        json_array_append_new(list, text_json(random_text(c)));
    return list;
}

static json_t *random_json(struct arena *a, const struct column *c)
{
    json_t *json;
    switch (c->type) {
    case TYPE_INTEGER:
        return integer_json(PICK(integers));
    case TYPE_BIG_INTEGER:
        return integer_json(PICK(big_integers));
    case TYPE_FLOAT:
        return number_json(PICK(reals));
    case TYPE_DECIMAL:
        return number_json(random_decimal(c));
    case TYPE_BOOLEAN:
        return chance(50) ? json_boolean(chance(50)) : json_integer((json_int_t)below(2));
    case TYPE_DATE:
        return json_string(PICK(dates));
    case TYPE_TIME:
        return json_string(PICK(times));
    case TYPE_DATE_TIME:
        return json_string(PICK(date_times));
    case TYPE_TIMESTAMP:
        return json_string(PICK(timestamps));
    case TYPE_UUID:
        return json_string(PICK(uuids));
    case TYPE_JSON:
        return json_read(a, str_of(PICK(jsons)), &json, NULL) == 0 ? json : json_null();
    case TYPE_CSV:
        return chance(50) ? list_json(c) : text_json(random_text(c));
    default:
        return text_json(random_text(c));
    }
}

/* ---- values ---- */

struct value random_cell(struct arena *a, const struct column *c)
{
    enum { TRIES = 20 };
    struct value v = value_null();
    if (c->nullable && chance(20))
        return v;
    for (int i = 0; i < TRIES; i++) { /* some are out of the column's range */
        AUTO(json_unref) json_t *json = random_json(a, c);
        if (type_read(c, json, a, &v) == 0)
            break;
    }
    return v;
}

static struct value random_foreigner(struct arena *a)
{
    static const struct value values[] = {
        {.kind = VALUE_INTEGER, .integer = 2},
        {.kind = VALUE_INTEGER, .integer = -1},
        {.kind = VALUE_INTEGER, .integer = INT64_MAX},
        {.kind = VALUE_REAL, .real = 0.5},
        {.kind = VALUE_REAL, .real = -0.0},
        {.kind = VALUE_REAL, .real = 1e300},
        {.kind = VALUE_REAL, .real = -0x1p63},
        {.kind = VALUE_REAL, .real = 0x1p63},
        {.kind = VALUE_REAL, .real = 0.1 + 0.2},
        {.kind = VALUE_REAL, .real = 4503599627370497.5},
        {.kind = VALUE_REAL, .real = 1234567890.123456},
        {.kind = VALUE_TEXT, .text = {"a\0b", 3}},
        {.kind = VALUE_TEXT, .text = {"\xff", 1}},
        {.kind = VALUE_TEXT, .text = {"\xa4", 1}},
        {.kind = VALUE_NULL},
    };
    static const char *const strange[] = {"true",
                                          "false",
                                          "t",
                                          "0",
                                          "1",
                                          "0.0",
                                          "-0",
                                          "1e1",
                                          "0x10",
                                          " 1",
                                          "NaN",
                                          "Infinity",
                                          "",
                                          "2024-02-30",
                                          "24:00:00",
                                          "now",
                                          "today",
                                          "epoch",
                                          "infinity",
                                          "2024-01-02T10:11:12+24:00",
                                          "{00000000-0000-4000-8000-000000000000}",
                                          "00000000000040008000000000000000",
                                          "1e400"};
    if (chance(30))
        return PICK(values);
    if (chance(40))
        return value_text(str_of(PICK(strange)));
    const struct column other = {
        .type = (enum type_id)below(TYPE_COUNT), .precision = 15, .scale = (uint8_t)below(16)};
    return random_cell(a, &other);
}

/* For operators on text: a part of what the column may show, or pieces of their own. */
static struct value random_needle(struct arena *a, const struct column *c)
{
    if (chance(30))
        return value_text(make_text(a, below(3)));
    struct value v = random_cell(a, c);
    return v.kind == VALUE_TEXT ? value_text(part_of(v.text)) : v;
}

struct operand random_operand(struct arena *a, const struct column *c, enum operator op)
{
    if (chance(8)) {
        struct clock_shift shift = {.months = (int32_t)below(3) - 1};
        shift.ms = (int64_t)below(3) * 86400000;
        return (struct operand){.now = true, .shift = shift};
    }
    if (chance(15))
        return (struct operand){.value = random_foreigner(a)};
    if (operators[op].positive == OP_SHORTER && chance(80))
        return (struct operand){.value = value_text(arena_printf(a, "%zu", below(8)))};
    if (operators[op].match)
        return (struct operand){.value = random_needle(a, c)};
    struct value v = random_cell(a, c);
    if (v.kind == VALUE_REAL && chance(20)) /* beside a value by the least that there is */
        v.real = nextafter(v.real, chance(50) ? 0 : copysign(DBL_MAX, v.real));
    return (struct operand){.value = v};
}
