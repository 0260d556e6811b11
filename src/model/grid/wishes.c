#include "model/grid/wishes.h"

#include "base/map.h"
#include "model/grid/fetch.h"
#include "model/grid/kind_internal.h"
#include "store/type.h"

/*
 * First all wishes become a list of terms: integers and texts. Then the terms are looked for
 * together, texts among the names of rows and, where they are written as numbers, among the
 * integers. A name is compared as the primary field's cell, not as its text: so the store finds it.
 */

struct term {
    size_t wish;
    struct str text; /* absent: an integer was sent */
    bool numbered, named;
    int64_t id;        /* numbered */
    struct value cell; /* named: what the primary field of a row of that name holds */
};
struct terms {
    struct arena *arena;
    struct term *at;
    size_t count, capacity;
};

static struct term *add_term(struct terms *terms, size_t wish)
{
    if (terms->count == terms->capacity) {
        size_t capacity = terms->capacity ? terms->capacity * 2 : 16;
        struct term *at = ARENA_ARRAY(terms->arena, struct term, capacity);
        if (terms->count > 0)
            memcpy(at, terms->at, terms->count * sizeof(*at));
        terms->at = at;
        terms->capacity = capacity;
    }
    struct term *t = &terms->at[terms->count++];
    *t = (struct term){.wish = wish};
    return t;
}

/* ---- what was sent ---- */

static void add_text(struct terms *terms, size_t wish, struct str text)
{
    struct term *t = add_term(terms, wish);
    t->text = text;
    t->numbered = str_to_int64(text, &t->id) == 0;
}

static void add_number(struct terms *terms, size_t wish, const json_t *json)
{
    struct term *t = add_term(terms, wish);
    t->numbered = true;
    t->id = json_integer_value(json);
}

static void add_list(struct terms *terms, size_t wish, struct str text)
{
    struct str name;
    while (names_next(terms->arena, &text, &name))
        add_text(terms, wish, name);
}

/* False: no such form is known. */
static bool add_json(struct terms *terms, size_t wish, const json_t *json)
{
    size_t index;
    json_t *item;

    if (json_is_integer(json))
        add_number(terms, wish, json);
    else if (json_is_string(json))
        add_list(terms, wish, json_str(json));
    else if (!json_is_array(json))
        return !json || json_is_null(json);
    json_array_foreach(json, index, item)
    {
        if (json_is_integer(item))
            add_number(terms, wish, item);
        else if (json_is_string(item))
            add_text(terms, wish, json_str(item));
        else
            return false;
    }
    return true;
}

static struct kind_mistake mistake(const char *code, struct str sentence)
{
    return (struct kind_mistake){.code = code, .sentence = sentence};
}

static bool takes_several(const struct grid_field *f)
{
    return f->link->junction && f->settings.several;
}

static void read_wishes(struct link_wish *wishes, size_t count, struct terms *terms)
{
    for (size_t i = 0; i < count; i++) {
        size_t from = terms->count;
        struct link_wish *w = &wishes[i];
        if (!add_json(terms, i, w->json))
            w->mistake = mistake("invalid", STR("A list of row ids or names is required."));
        if (w->mistake.code)
            terms->count = from;
        w->keys = ARENA_ARRAY(terms->arena, struct value, terms->count - from);
    }
}

/* ---- what it means ---- */

static void read_name(struct arena *a, const struct grid_field *primary, struct term *t)
{
    if (t->text.len == 0 || primary->link)
        return;
    t->cell = kind_parse(a, primary, t->text);
    t->named = !kind_is_empty(primary, &t->cell);
}

/* Rows that terms may mean, by what they are known by; of two of a name the first that stands. */
struct meanings {
    struct map by_id, by_name;
};

static int find_by_id(struct tx *tx, const struct select *all, const struct terms *terms,
                      struct map *by_id)
{
    struct value *ids = ARENA_ARRAY(tx->arena, struct value, terms->count);
    struct fetched found = {0};
    size_t count = 0;

    for (size_t i = 0; i < terms->count; i++)
        if (terms->at[i].numbered)
            ids[count++] = value_integer(terms->at[i].id);
    count = fetch_distinct(ids, count);
    int rc = fetch_in(tx, tx->arena, all, all->outputs[1].column, ids, count, &found);
    for (size_t i = 0; i < found.count && rc == 0; i++)
        map_put(by_id, value_key(tx->arena, &found.at[i][1]),
                value_copy_row(tx->arena, found.at[i], 1));
    return rc;
}

static int find_by_name(struct tx *tx, const struct select *all, const struct terms *terms,
                        struct map *by_name)
{
    struct value *cells = ARENA_ARRAY(tx->arena, struct value, terms->count);
    struct fetched found = {0};
    size_t count = 0;

    for (size_t i = 0; i < terms->count; i++)
        if (terms->at[i].named)
            cells[count++] = terms->at[i].cell;
    count = fetch_distinct(cells, count);
    int rc = fetch_in(tx, tx->arena, all, all->outputs[2].column, cells, count, &found);
    for (size_t i = 0; i < found.count && rc == 0; i++) {
        struct str name = value_key(tx->arena, &found.at[i][2]);
        if (!map_get(by_name, name))
            map_put(by_name, name, value_copy_row(tx->arena, found.at[i], 1));
    }
    return rc;
}

static int find_meanings(struct tx *tx, const struct grid_table *target, struct terms *terms,
                         struct meanings *m)
{
    const struct output outputs[] = {{.column = table_key(target->table)},
                                     {.column = fetch_id_column(target)},
                                     {.column = fetch_name_column(target)}};
    const struct order as_they_stand[] = {{.column = table_hidden(target->table, HIDDEN_ORDER)},
                                          {.column = fetch_id_column(target)}};
    const struct select all = {.shape = &target->table->shape,
                               .outputs = outputs,
                               .output_count = COUNT_OF(outputs),
                               .orders = as_they_stand,
                               .order_count = COUNT_OF(as_they_stand),
                               .limit = -1};

    for (size_t i = 0; i < terms->count; i++)
        read_name(tx->arena, target->primary, &terms->at[i]);
    int rc = find_by_id(tx, &all, terms, &m->by_id);
    return rc == 0 ? find_by_name(tx, &all, terms, &m->by_name) : rc;
}

static const struct value *meaning(struct tx *tx, const struct meanings *m, const struct term *t)
{
    const struct value id = value_integer(t->id);
    const struct value *key = NULL;

    if (t->named)
        key = map_get(&m->by_name, value_key(tx->arena, &t->cell));
    return key || !t->numbered ? key : map_get(&m->by_id, value_key(tx->arena, &id));
}

static struct str tell_unknown(struct arena *a, const struct term *t)
{
    return t->text.at ? arena_printf(a, "The row \"%.*s\" does not exist.", STR_ARG(t->text))
                      : arena_printf(a, "The row %lld does not exist.", (long long)t->id);
}

/* Each row once, by whatever it was called. `taken`: of all wishes. */
static void take_key(struct link_wish *w, size_t wish, const struct value *key, struct map *taken)
{
    struct buf name;

    buf_init(&name, SIZE_MAX);
    buf_printf(&name, "%zu/", wish);
    value_put_key(&name, key);
    if (!map_put(taken, buf_str(&name), w))
        w->keys[w->count++] = *key;
    buf_deinit(&name);
}

static void answer(struct tx *tx, const struct grid_field *f, struct link_wish *wishes,
                   size_t count, const struct terms *terms, const struct meanings *m)
{
    struct map taken = {0};

    for (size_t i = 0; i < terms->count; i++) {
        size_t wish = terms->at[i].wish;
        struct link_wish *w = &wishes[wish];
        const struct value *key = meaning(tx, m, &terms->at[i]);
        if (key)
            take_key(w, wish, key, &taken);
        else if (!w->mistake.code)
            w->mistake = mistake("does_not_exist", tell_unknown(tx->arena, &terms->at[i]));
    }
    map_deinit(&taken);
    for (size_t i = 0; i < count && !takes_several(f); i++)
        if (wishes[i].count > 1 && !wishes[i].mistake.code)
            wishes[i].mistake =
                mistake("max_length", STR("This field may be linked to one row at most."));
}

int wishes_resolve(struct tx *tx, const struct grid_field *f, struct link_wish *wishes,
                   size_t count)
{
    struct terms terms = {.arena = tx->arena};
    struct meanings m = {0};

    read_wishes(wishes, count, &terms);
    int rc = find_meanings(tx, f->link->target, &terms, &m);
    if (rc == 0)
        answer(tx, f, wishes, count, &terms, &m);
    map_deinit(&m.by_id);
    map_deinit(&m.by_name);
    return rc;
}

int links_parse(struct tx *tx, const struct grid_field *f, const json_t *json,
                struct value **keys_out, size_t *count_out, struct kind_mistake *mistake_out)
{
    struct link_wish wish = {.json = json};

    int rc = wishes_resolve(tx, f, &wish, 1);
    if (rc != 0)
        return rc;
    *mistake_out = wish.mistake;
    if (wish.mistake.code)
        return KIND_MISTAKEN;
    *keys_out = wish.keys;
    *count_out = wish.count;
    return 0;
}
