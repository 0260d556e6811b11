#include "model/grid/kind_internal.h"

#include <inttypes.h>

/* Cells and fields as row history tells them (baserow.md 5.8): what a cell names is told by its id,
 * and what the ids stood for then is in the metadata. */

#define DATED (KIND_BIT(KIND_DATE) | KIND_BIT(KIND_CREATED_ON) | KIND_BIT(KIND_LAST_MODIFIED))

static void write_ids(struct buf *b, struct str rest)
{
    const char *separator = "";
    int64_t id;
    buf_put_char(b, '[');
    for (; ids_next(&rest, &id); separator = ",")
        buf_printf(b, "%s%" PRId64, separator, id);
    buf_put_char(b, ']');
}

void kind_write_history(struct buf *b, const struct grid_field *f, const struct value *cell)
{
    const struct member *m;
    if (value_is_null(cell)) {
        kind_write(b, f, cell);
        return;
    }
    switch (f->kind->id) {
    case KIND_SINGLE_SELECT:
        buf_put_int(b, cell->integer);
        return;
    case KIND_MULTIPLE_SELECT:
    case KIND_MULTIPLE_COLLABORATORS:
        write_ids(b, cell->text);
        return;
    case KIND_CREATED_BY:
    case KIND_LAST_MODIFIED_BY:
        m = field_member_by_user(f, cell->text);
        if (m)
            buf_put_int(b, m->account);
        else
            buf_put_lit(b, "null");
        return;
    default:
        kind_write(b, f, cell);
    }
}

/* ---- metadata ---- */

/* Which settings are told of which kinds. */
static const struct told {
    unsigned kinds;
    const char *prefix; /* of the keys */
} told[] = {
    {KIND_BIT(KIND_NUMBER), "number_"},
    {KIND_BIT(KIND_LONG_TEXT), "long_text_"},
    {DATED, "date_"},
    {KIND_BIT(KIND_DURATION), "duration_"},
    {KIND_BIT(KIND_RATING), "style"},
    {KIND_BIT(KIND_RATING), "color"},
    {KIND_BIT(KIND_RATING), "max_value"},
};

static void put_settings(struct buf *b, const struct grid_field *f, const char *prefix)
{
    void *at = json_object_iter((json_t *)(uintptr_t)f->settings.json);
    for (; at; at = json_object_iter_next((json_t *)(uintptr_t)f->settings.json, at)) {
        struct str key = str_of(json_object_iter_key(at));
        if (!str_starts_with(key, str_of(prefix)) || str_equal(key, STR("number_default")))
            continue;
        buf_put_char(b, ',');
        json_put_str(b, key);
        buf_put_char(b, ':');
        json_put_value(b, json_object_iter_value(at));
    }
}

static void put_choice(struct buf *b, const struct grid_field *f, int64_t id)
{
    const struct choice *c = settings_choice(&f->settings, id);
    if (!c)
        return;
    if (b->at[b->len - 1] != '{')
        buf_put_char(b, ',');
    buf_printf(b, "\"%" PRId64 "\":{\"id\":%" PRId64 ",\"value\":", id, id);
    json_put_str(b, c->value);
    buf_put_lit(b, ",\"color\":");
    json_put_str(b, c->color);
    buf_put_char(b, '}');
}

static void put_person(struct buf *b, const struct grid_field *f, int64_t id)
{
    const struct member *m = field_member(f, id);
    if (!m)
        return;
    if (b->at[b->len - 1] != '{')
        buf_put_char(b, ',');
    buf_printf(b, "\"%" PRId64 "\":{\"id\":%" PRId64 ",\"name\":", id, id);
    json_put_str(b, m->name);
    buf_put_char(b, '}');
}

static bool names_id(const struct value *cell, int64_t id)
{
    int64_t one;
    if (!cell || value_is_null(cell))
        return false;
    if (cell->kind == VALUE_INTEGER)
        return cell->integer == id;
    for (struct str rest = cell->text; ids_next(&rest, &one);)
        if (one == id)
            return true;
    return false;
}

/* What the cells name, each once: the second's where the first does not name it too. */
static void put_named(struct buf *b, const struct grid_field *f, const struct value *cells[2],
                      void (*put)(struct buf *b, const struct grid_field *f, int64_t id))
{
    buf_put_char(b, '{');
    for (int i = 0; i < 2; i++) {
        const struct value *cell = cells[i];
        int64_t id;
        if (!cell || value_is_null(cell))
            continue;
        if (cell->kind == VALUE_INTEGER) {
            if (i == 0 || !names_id(cells[0], cell->integer))
                put(b, f, cell->integer);
            continue;
        }
        for (struct str rest = cell->text; ids_next(&rest, &id);)
            if (i == 0 || !names_id(cells[0], id))
                put(b, f, id);
    }
    buf_put_char(b, '}');
}

void kind_put_history_metadata(struct buf *b, const struct grid_field *f,
                               const struct value *before, const struct value *after)
{
    const struct value *cells[2] = {before, after};
    buf_printf(b, "\"id\":%" PRId64 ",\"type\":\"%s\"", f->id, f->kind->name);
    for (size_t i = 0; i < COUNT_OF(told); i++)
        if (told[i].kinds & KIND_BIT(f->kind->id))
            put_settings(b, f, told[i].prefix);
    if (f->kind->id == KIND_SINGLE_SELECT || f->kind->id == KIND_MULTIPLE_SELECT) {
        buf_put_lit(b, ",\"select_options\":");
        put_named(b, f, cells, put_choice);
    } else if (f->kind->id == KIND_MULTIPLE_COLLABORATORS) {
        buf_put_lit(b, ",\"collaborators\":");
        put_named(b, f, cells, put_person);
    }
}
