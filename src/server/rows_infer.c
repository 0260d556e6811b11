/*
 * From values to fields: a type is a candidate until a value contradicts it; the first candidate of
 * the table that is left at the end is the field's type.
 */
#include <stdio.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/text.h"
#include "server/rows_file.h"

enum { STRING_MAX = 255 };

/* Digits as a number is written: no leading zeros, so that "004" stays what it is. */
static bool is_plain_number(struct str s)
{
    size_t at = s.len > 0 && s.at[0] == '-' ? 1 : 0;
    if (at == s.len)
        return false;
    return !(s.at[at] == '0' && s.len > at + 1 && s.at[at + 1] != '.') && s.at[at] != '.' &&
           s.at[0] != '+';
}

static bool fits_integer(const json_t *v, struct str s, bool textual)
{
    int64_t number;
    if (json_is_integer(v))
        return json_integer_value(v) >= INT32_MIN && json_integer_value(v) <= INT32_MAX;
    return textual && is_plain_number(s) && str_to_int64(s, &number) == 0 && number >= INT32_MIN &&
           number <= INT32_MAX;
}

static bool fits_big_integer(const json_t *v, struct str s, bool textual)
{
    int64_t number;
    return json_is_integer(v) || (textual && is_plain_number(s) && str_to_int64(s, &number) == 0);
}

static bool fits_float(const json_t *v, struct str s, bool textual)
{
    double number;
    return json_is_number(v) || (textual && is_plain_number(s) && str_to_double(s, &number) == 0);
}

static bool fits_boolean(const json_t *v, struct str s, bool textual)
{
    return json_is_boolean(v) ||
           (textual && (str_equal_nocase(s, STR("true")) || str_equal_nocase(s, STR("false"))));
}

static bool fits_uuid(const json_t *v, struct str s, bool textual)
{
    (void)textual;
    return json_is_string(v) && text_is_uuid(s);
}

static bool fits_date(const json_t *v, struct str s, bool textual)
{
    char text[CLOCK_TEXT_MAX];
    (void)textual;
    return json_is_string(v) && s.len == 10 && clock_read_date(s, text) == 0;
}

static bool fits_date_time(const json_t *v, struct str s, bool textual)
{
    char text[CLOCK_TEXT_MAX];
    (void)textual;
    return json_is_string(v) && s.len == 19 && clock_read_date_time(s, text) == 0;
}

static bool fits_timestamp(const json_t *v, struct str s, bool textual)
{
    char text[CLOCK_TEXT_MAX];
    (void)textual;
    return json_is_string(v) && s.len > 19 && clock_read_timestamp(s, text) == 0;
}

static bool fits_string(const json_t *v, struct str s, bool textual)
{
    (void)textual;
    return !json_is_object(v) && !json_is_array(v) && text_length(s) <= STRING_MAX;
}

static bool fits_text(const json_t *v, struct str s, bool textual)
{
    (void)s;
    (void)textual;
    return !json_is_object(v) && !json_is_array(v);
}

static const struct candidate {
    const char *type;
    bool (*fits)(const json_t *value, struct str text, bool textual);
    const char *special;
} candidates[] = {
    {"boolean", fits_boolean, "cast-boolean"},
    {"integer", fits_integer, NULL},
    {"bigInteger", fits_big_integer, NULL},
    {"float", fits_float, NULL},
    {"uuid", fits_uuid, NULL},
    {"date", fits_date, NULL},
    {"dateTime", fits_date_time, NULL},
    {"timestamp", fits_timestamp, NULL},
    {"string", fits_string, NULL},
    {"text", fits_text, NULL},
    {"json", NULL, "cast-json"}, /* holds anything */
};

struct guess {
    unsigned left; /* bit i: candidates[i] is not contradicted */
    size_t present;
    bool unique;
    struct map seen;
    struct guess *next; /* in the order of first appearance */
    const char *name;
};

static void note(struct guess *g, const json_t *value, bool textual)
{
    if (json_is_null(value))
        return;
    g->present++;
    struct str s = json_str(value);
    for (size_t i = 0; i < COUNT_OF(candidates); i++)
        if (candidates[i].fits && !candidates[i].fits(value, s, textual))
            g->left &= ~(1u << i);
    if (!g->unique)
        return;
    AUTO(arena_free) struct arena *scratch = arena_new();
    g->unique = map_put(&g->seen, json_text(scratch, value), g) == NULL;
}

static struct guess *find_guess(struct arena *a, struct map *by_name, struct guess ***tail,
                                const char *name)
{
    struct guess *g = map_get(by_name, str_of(name));
    if (g)
        return g;
    g = ARENA_NEW(a, struct guess);
    *g = (struct guess){.left = (1u << COUNT_OF(candidates)) - 1, .unique = true, .name = name};
    map_init(&g->seen);
    map_put(by_name, str_of(name), g);
    **tail = g;
    *tail = &g->next;
    return g;
}

static const struct candidate *settle(const struct guess *g)
{
    if (g->present == 0)
        return &candidates[8]; /* nothing but nulls: a string */
    for (size_t i = 0; i < COUNT_OF(candidates); i++)
        if (g->left & (1u << i))
            return &candidates[i];
    return &candidates[COUNT_OF(candidates) - 1];
}

static bool may_be_key(const struct guess *g, size_t rows)
{
    static const char *const types[] = {"integer", "bigInteger", "uuid", "string"};
    if (!g->unique || g->present != rows || rows == 0)
        return false;
    for (size_t i = 0; i < COUNT_OF(types); i++)
        if (strcmp(settle(g)->type, types[i]) == 0)
            return true;
    return false;
}

static json_t *field_body(const struct guess *g, size_t rows, bool key)
{
    const struct candidate *c = settle(g);
    bool number = strcmp(c->type, "integer") == 0 || strcmp(c->type, "bigInteger") == 0;
    json_t *special = c->special ? json_pack("[s]", c->special) : json_null();
    json_t *schema = json_pack("{s:b,s:b,s:b}", "is_nullable", !key && g->present < rows,
                               "is_primary_key", key, "has_auto_increment", key && number);
    return json_pack("{s:s,s:s,s:{s:o},s:o}", "field", g->name, "type", c->type, "meta", "special",
                     special, "schema", schema);
}

static json_t *collection_body(struct guess *first, size_t rows, struct str collection,
                               const struct guess *key)
{
    json_t *fields = json_array();
    for (const struct guess *g = first; g; g = g->next)
        json_array_append_new(fields, field_body(g, rows, g == key));
    return json_pack("{s:s%,s:{},s:{},s:o}", "collection", collection.at, collection.len, "meta",
                     "schema", "fields", fields);
}

json_t *rows_file_infer(struct rows_file *f, struct arena *a, struct str collection, struct str key)
{
    struct guess *first = NULL, **tail = &first;
    struct map by_name;
    size_t index, rows = json_array_size(f->rows);
    json_t *row, *value;
    const char *name;
    map_init(&by_name);
    json_array_foreach(f->rows, index, row)
    {
        json_object_foreach(row, name, value)
        {
            note(find_guess(a, &by_name, &tail, name), value, f->textual);
        }
    }
    const struct guess *found = map_get(&by_name, key.at ? key : STR("id"));
    json_t *body = NULL;
    if (key.at && (!found || !may_be_key(found, rows)))
        fprintf(stderr,
                "rowcast: \"%.*s\" cannot be the key: values are missing, double or of a "
                "type that no key can have\n",
                STR_ARG(key));
    else
        body = collection_body(first, rows, collection,
                               found && may_be_key(found, rows) ? found : NULL);
    for (struct guess *g = first; g; g = g->next)
        map_deinit(&g->seen);
    map_deinit(&by_name);
    if (body)
        arena_on_free(a, json_release, body);
    return body;
}
