/*
 * From values to fields: a type is a candidate until a value contradicts it; the first candidate of
 * the table that is left at the end is the field's type.
 */
#include <stdio.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"
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

/* More digits than any integer has are a name of something, and a double would round it. */
static bool fits_float(const json_t *v, struct str s, bool textual)
{
    int64_t whole;
    double number;
    return json_is_number(v) ||
           (textual && is_plain_number(s) && str_to_int64(s, &whole) != STR_OUT_OF_RANGE &&
            str_to_double(s, &number) == 0);
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

enum { STRING = 8, JSON = 10 };
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
    [STRING] = {"string", fits_string, NULL},
    {"text", fits_text, NULL},
    [JSON] = {"json", NULL, "cast-json"}, /* holds anything */
};

/* What is known of one field. */
struct guess {
    const char *name;
    unsigned left; /* bit i: candidates[i] is not contradicted */
    size_t present;
    struct guess *next; /* in the order of first appearance */
};

struct guesses {
    struct arena *arena;
    size_t rows;
    bool textual;
    struct guess *first, **tail;
    struct map by_name;
};

static struct guess *find_guess(struct guesses *all, const char *name)
{
    struct guess *g = map_get(&all->by_name, str_of(name));
    if (g)
        return g;
    g = ARENA_NEW(all->arena, struct guess);
    *g = (struct guess){.name = name, .left = (1u << COUNT_OF(candidates)) - 1};
    map_put(&all->by_name, str_of(name), g);
    *all->tail = g;
    all->tail = &g->next;
    return g;
}

static void note(struct guess *g, const json_t *value, bool textual)
{
    if (json_is_null(value))
        return;
    g->present++;
    struct str s = json_str(value);
    for (size_t i = 0; i < COUNT_OF(candidates); i++)
        if (candidates[i].fits && (g->left & (1u << i)) && !candidates[i].fits(value, s, textual))
            g->left &= ~(1u << i);
}

static void note_all(struct guesses *all, const struct rows_file *f)
{
    size_t index;
    json_t *row, *value;
    const char *name;
    for (size_t i = 0; i < f->name_count; i++)
        find_guess(all, f->names[i]);
    json_array_foreach(f->rows, index, row)
    {
        json_object_foreach(row, name, value)
        {
            note(find_guess(all, name), value, all->textual);
        }
    }
}

static const struct candidate *settle(const struct guess *g)
{
    if (g->present == 0)
        return &candidates[STRING];
    size_t i = 0;
    while (i < JSON && !(g->left & (1u << i)))
        i++;
    return &candidates[i];
}

/* ---- the key ---- */

static bool is_number(const struct guess *g)
{
    const char *type = settle(g)->type;
    return strcmp(type, "integer") == 0 || strcmp(type, "bigInteger") == 0;
}

static bool all_different(const struct rows_file *f, const char *name)
{
    struct map seen = {0};
    size_t index;
    json_t *row;
    bool different = true;
    json_array_foreach(f->rows, index, row)
    {
        AUTO(arena_free) struct arena *scratch = arena_new();
        if (map_put(&seen, json_text(scratch, json_object_get(row, name)), row)) {
            different = false;
            break;
        }
    }
    map_deinit(&seen);
    return different;
}

static bool may_be_key(const struct guesses *all, const struct rows_file *f, const struct guess *g)
{
    const char *type = settle(g)->type;
    bool fits = is_number(g) || strcmp(type, "uuid") == 0 || strcmp(type, "string") == 0;
    return fits && g->present == all->rows && all_different(f, g->name);
}

/* ---- the collection ---- */

static json_t *field_body(const struct guesses *all, const struct guess *g, bool key)
{
    const struct candidate *c = settle(g);
    json_t *special = c->special ? json_pack("[s]", c->special) : json_null();
    return json_pack("{s:s,s:s,s:{s:o},s:{s:b,s:b,s:b}}", "field", g->name, "type", c->type, "meta",
                     "special", special, "schema", "is_nullable", !key && g->present < all->rows,
                     "is_primary_key", key, "has_auto_increment", key && is_number(g));
}

static json_t *collection_body(const struct guesses *all, struct str collection,
                               const struct guess *key)
{
    json_t *fields = json_array();
    for (const struct guess *g = all->first; g; g = g->next)
        json_array_append_new(fields, field_body(all, g, g == key));
    json_t *body = json_pack("{s:s%,s:{},s:{},s:o}", "collection", collection.at, collection.len,
                             "meta", "schema", "fields", fields);
    if (!body)
        mem_exhausted();
    arena_on_free(all->arena, json_release, body);
    return body;
}

static json_t *infer(struct guesses *all, const struct rows_file *f, struct str collection,
                     struct str key)
{
    note_all(all, f);
    const struct guess *found = map_get(&all->by_name, key.at ? key : STR("id"));
    if (!all->first) {
        fputs("rowcast: there is no item, so nothing tells the fields of the collection\n", stderr);
        return NULL;
    }
    if ((key.at && !found) || (found && !may_be_key(all, f, found))) {
        fprintf(stderr,
                "rowcast: \"%.*s\" cannot be the key: values are missing, double or of a type "
                "that no key can have; --key FIELD names another\n",
                STR_ARG(key.at ? key : STR("id")));
        return NULL;
    }
    return collection_body(all, collection, found);
}

json_t *rows_file_infer(const struct rows_file *f, struct arena *a, struct str collection,
                        struct str key)
{
    struct guesses all = {
        .arena = a, .rows = json_array_size(f->rows), .textual = f->name_count > 0};
    all.tail = &all.first;
    json_t *body = infer(&all, f, collection, key);
    map_deinit(&all.by_name);
    return body;
}
