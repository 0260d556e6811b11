#include "wire/http.h"

void http_request_free(struct http_request *r)
{
    if (r)
        arena_free(r->arena);
}

/* Headers and cookies ------------------------------------------------------------------------- */

/* The next header of that name; `cursor` starts at 0. */
static bool next_header(const struct http_request *r, struct str name, size_t *cursor,
                        struct str *value_out)
{
    while (*cursor < r->header_count) {
        const struct http_header *header = &r->headers[(*cursor)++];
        if (str_equal_nocase(header->name, name)) {
            *value_out = str_trim(header->value);
            return true;
        }
    }
    return false;
}

struct str http_header_get(const struct http_request *r, const char *name)
{
    size_t cursor = 0;
    struct str value = STR_NULL;
    next_header(r, str_of(name), &cursor, &value);
    return value;
}

/* "q=0", "q=0.000": not wanted (RFC 9110 section 12.4.2). */
static bool is_zero_quality(struct str parameter)
{
    struct str key = STR_NULL, value = parameter;
    str_next(&value, '=', &key);
    value = str_trim(value);
    if (!str_equal_nocase(str_trim(key), STR("q")) || value.len == 0)
        return false;
    for (size_t i = 0; i < value.len; i++) {
        if (value.at[i] != '0' && value.at[i] != '.')
            return false;
    }
    return true;
}

static bool is_wanted(struct str parameters)
{
    struct str parameter;
    while (str_next(&parameters, ';', &parameter)) {
        if (is_zero_quality(parameter))
            return false;
    }
    return true;
}

bool http_header_lists(const struct http_request *r, const char *name, struct str token)
{
    struct str value;
    for (size_t cursor = 0; next_header(r, str_of(name), &cursor, &value);) {
        struct str element;
        while (str_next(&value, ',', &element)) {
            struct str listed;
            str_next(&element, ';', &listed);
            if (str_equal_nocase(str_trim(listed), token) && is_wanted(element))
                return true;
        }
    }
    return false;
}

static struct str without_quotes(struct str s)
{
    bool quoted = s.len >= 2 && s.at[0] == '"' && s.at[s.len - 1] == '"';
    return quoted ? (struct str){s.at + 1, s.len - 2} : s;
}

struct str http_cookie_get(const struct http_request *r, const char *name)
{
    struct str value, wanted = str_of(name);
    for (size_t cursor = 0; next_header(r, STR("cookie"), &cursor, &value);) {
        struct str pair, key;
        while (str_next(&value, ';', &pair)) {
            str_next(&pair, '=', &key);
            if (pair.at && str_equal(str_trim(key), wanted))
                return without_quotes(str_trim(pair));
        }
    }
    return STR_NULL;
}

/* Percent-encoding ---------------------------------------------------------------------------- */

/* The value of a hexadecimal digit, or -1. */
static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool http_percent_decode(struct arena *a, struct str s, enum http_decode_flags flags,
                         struct str *decoded_out)
{
    char *at = arena_alloc(a, s.len + 1);
    size_t len = 0;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.at[i];
        if (c == '+' && flags == HTTP_DECODE_QUERY)
            c = ' ';
        if (c == '%') {
            int high = s.len - i > 2 ? hex_value(s.at[i + 1]) : -1;
            int low = s.len - i > 2 ? hex_value(s.at[i + 2]) : -1;
            if (high < 0 || low < 0)
                return false;
            c = (char)(high << 4 | low);
            i += 2;
        }
        at[len++] = c;
    }
    *decoded_out = (struct str){at, len};
    return true;
}
