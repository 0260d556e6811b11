#include "base/json.h"

#include "base/mem.h"
#include "base/text.h"

#include <math.h>

enum { NESTING_MAX = 100 };

/* Reading */

/*
 * How deep the brackets nest, and no further than one past the limit. Before jansson, because its
 * own limit is 2048 calls deep. In text that is no JSON the count means nothing and does no harm.
 */
static int nesting(struct str text)
{
    int depth = 0, deepest = 0;
    bool quoted = false;

    for (size_t i = 0; i < text.len && deepest <= NESTING_MAX; i++) {
        switch (text.at[i]) {
        case '"':
            quoted = !quoted;
            break;
        case '\\':
            i += quoted;
            break;
        case '[':
        case '{':
            depth += !quoted;
            deepest = depth > deepest ? depth : deepest;
            break;
        case ']':
        case '}':
            depth -= !quoted;
            break;
        default:
            break;
        }
    }
    return deepest;
}

/* What jansson would let pass; NULL when there is nothing. */
static const char *refusal(struct str text)
{
    /* Behind a value jansson takes a NUL for the end of the text. */
    if (text.len > 0 && memchr(text.at, '\0', text.len))
        return "NUL character";
    return nesting(text) > NESTING_MAX ? "nesting deeper than 100" : NULL;
}

static struct str reason_of(struct arena *arena, const json_error_t *error)
{
    switch (json_error_code(error)) {
    case json_error_numeric_overflow:
        return arena_printf(arena, "number out of range at line %d column %d", error->line,
                            error->column);
    case json_error_null_character:
    case json_error_null_byte_in_key:
        return arena_printf(arena, "NUL character at line %d column %d", error->line,
                            error->column);
    default:
        return arena_printf(arena, "%s at line %d column %d", error->text, error->line,
                            error->column);
    }
}

int json_read(struct arena *arena, struct str text, json_t **value_out, struct str *reason_out)
{
    json_error_t error;
    const char *refused = refusal(text);

    if (refused) {
        if (reason_out)
            *reason_out = str_of(refused);
        return JSON_MALFORMED;
    }
    json_t *value = json_loadb(text.at ? text.at : "", text.len, JSON_DECODE_ANY, &error);
    if (!value) {
        if (json_error_code(&error) == json_error_out_of_memory)
            mem_exhausted();
        if (reason_out)
            *reason_out = reason_of(arena, &error);
        return JSON_MALFORMED;
    }
    *value_out = value;
    return 0;
}

int json_read_in(struct arena *arena, struct str text, json_t **value_out, struct str *reason_out)
{
    json_t *value;
    int rc = json_read(arena, text, &value, reason_out);

    if (rc != 0)
        return rc;
    arena_on_free(arena, json_release, value);
    *value_out = value;
    return 0;
}

void json_release(void *value)
{
    json_decref(value);
}

/* Looking */

struct str json_str(const json_t *value)
{
    if (!json_is_string(value))
        return STR_NULL;
    return (struct str){json_string_value(value), json_string_length(value)};
}

json_t *json_get(const json_t *object, const char *key)
{
    return json_object_get(object, key);
}

struct str json_get_str(const json_t *object, const char *key)
{
    return json_str(json_get(object, key));
}

bool json_truthy(const json_t *value)
{
    if (!value)
        return false;
    switch (json_typeof(value)) {
    case JSON_NULL:
    case JSON_FALSE:
        return false;
    case JSON_INTEGER:
        return json_integer_value(value) != 0;
    case JSON_REAL:
        return json_real_value(value) != 0;
    case JSON_STRING:
        return json_string_length(value) > 0;
    default:
        return true;
    }
}

/* Writing */

/*
 * Whether one of eight bytes is a quote, a backslash, a control character or not ASCII: each term
 * raises the top bit of a byte it is about. A borrow may raise more to the left of one, which costs
 * a look at them one by one and never hides any.
 */
static bool has_special(uint64_t word)
{
    const uint64_t ones = 0x0101010101010101, tops = 0x8080808080808080;
    uint64_t quote = word ^ (ones * '"'), backslash = word ^ (ones * '\\');

    return ((word - ones * 0x20) | (quote - ones) | (backslash - ones) | word) & tops;
}

static bool is_plain(char c)
{
    return (unsigned char)c >= 0x20 && (unsigned char)c < 0x80 && c != '"' && c != '\\';
}

/* How many bytes from here on stand for themselves; valid UTF-8 does. */
static size_t plain_run(struct str s)
{
    size_t i = 0;
    uint64_t word;

    while (i < s.len) {
        if (i + sizeof(word) <= s.len) {
            memcpy(&word, s.at + i, sizeof(word));
            if (!has_special(word)) {
                i += sizeof(word);
                continue;
            }
        }
        if (is_plain(s.at[i])) {
            i++;
            continue;
        }
        size_t length = (unsigned char)s.at[i] < 0x80 ? 0 : text_utf8_sequence(s.at + i, s.len - i);
        if (length == 0)
            break;
        i += length;
    }
    return i;
}

static void put_escaped(struct buf *b, unsigned char byte)
{
    static const char short_forms[0x20] = {
        ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};

    if (byte >= 0x80) {
        buf_put_lit(b, "\xef\xbf\xbd"); /* U+FFFD stands for each byte that belongs nowhere */
    } else if (byte >= 0x20 || short_forms[byte]) {
        buf_put_char(b, '\\');
        buf_put_char(b, byte >= 0x20 ? (char)byte : short_forms[byte]);
    } else {
        buf_printf(b, "\\u%04x", byte);
    }
}

void json_put_str(struct buf *b, struct str s)
{
    size_t run = plain_run(s);
    /* The text never gets shorter, so this asks for no more than it needs, and mostly for all. */
    char *to = buf_reserve(b, s.len + 2);

    if (!to)
        return;
    if (run == s.len) { /* as most are */
        to[0] = '"';
        if (run > 0)
            memcpy(to + 1, s.at, run);
        to[run + 1] = '"';
        b->len += run + 2;
        return;
    }
    buf_put_char(b, '"');
    while (s.len > 0) {
        buf_put(b, s.at, run);
        s = str_skip(s, run);
        if (s.len > 0) {
            put_escaped(b, (unsigned char)s.at[0]);
            s = str_skip(s, 1);
        }
        run = plain_run(s);
    }
    buf_put_char(b, '"');
}

void json_put_int(struct buf *b, int64_t number)
{
    buf_put_int(b, number);
}

void json_put_double(struct buf *b, double number)
{
    char text[STR_DOUBLE_SIZE];

    if (!isfinite(number))
        buf_put_lit(b, "null");
    else if (fabs(number) < 1e15 && trunc(number) == number)
        buf_put_int(b, (int64_t)number);
    else
        buf_put(b, text, str_from_double(number, text));
}

static void put_array(struct buf *b, const json_t *array)
{
    buf_put_char(b, '[');
    for (size_t i = 0; i < json_array_size(array); i++) {
        if (i > 0)
            buf_put_char(b, ',');
        json_put_value(b, json_array_get(array, i));
    }
    buf_put_char(b, ']');
}

static void put_object(struct buf *b, const json_t *object)
{
    /* jansson's iterators take no const object, though walking changes nothing in it. */
    json_t *walked = (json_t *)(uintptr_t)object;
    const char *separator = "";

    buf_put_char(b, '{');
    for (void *at = json_object_iter(walked); at; at = json_object_iter_next(walked, at)) {
        buf_put_str(b, str_of(separator));
        json_put_str(b, str_of(json_object_iter_key(at)));
        buf_put_char(b, ':');
        json_put_value(b, json_object_iter_value(at));
        separator = ",";
    }
    buf_put_char(b, '}');
}

void json_put_value(struct buf *b, const json_t *value)
{
    switch (value ? json_typeof(value) : JSON_NULL) {
    case JSON_OBJECT:
        put_object(b, value);
        break;
    case JSON_ARRAY:
        put_array(b, value);
        break;
    case JSON_STRING:
        json_put_str(b, json_str(value));
        break;
    case JSON_INTEGER:
        json_put_int(b, json_integer_value(value));
        break;
    case JSON_REAL:
        json_put_double(b, json_real_value(value));
        break;
    case JSON_TRUE:
        buf_put_lit(b, "true");
        break;
    case JSON_FALSE:
        buf_put_lit(b, "false");
        break;
    case JSON_NULL:
        buf_put_lit(b, "null");
        break;
    }
}

struct str json_text(struct arena *arena, const json_t *value)
{
    struct buf b;

    buf_init(&b, SIZE_MAX);
    json_put_value(&b, value);
    struct str text = arena_str(arena, buf_str(&b));
    buf_deinit(&b);
    return text;
}
