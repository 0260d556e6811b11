#include "base/map.h"
#include "model/grid/fetch.h"
#include "model/grid/import.h"
#include "model/grid/making.h"

/*
 * Rows that are told apart by some of their cells. A page of keys finds, by one statement, the rows
 * that have the first cell of one of them; the other cells are compared here.
 */

struct matching {
    const struct grid_table *table;
    const struct grid_import *import;
    const struct grid_field **fields; /* that identify */
    int64_t *ids;                     /* by place */
    size_t next;
    struct map taken; /* rows that were matched, by their integers' bytes */
};

/* Rows with equal cells, lowest number first. */
struct matches {
    struct match {
        int64_t id;
        struct match *next;
    } * first, **end;
};

static struct value settle(const struct grid_field *f, struct value cell)
{
    return kind_is_empty(f, &cell) ? value_null() : cell;
}

/* Null for what is empty, or is no value of the field: no row has it. */
static int read_part(struct tx *tx, const struct grid_field *f, const json_t *json,
                     struct value *cell_out)
{
    struct kind_mistake mistake;

    *cell_out = value_null();
    if (!json || json_is_null(json))
        return 0;
    if (f->kind->flags & KIND_READ_ONLY) { /* a number that was counted, a UUID */
        struct str text = json_is_string(json) ? json_str(json) : json_text(tx->arena, json);
        *cell_out = settle(f, kind_parse(tx->arena, f, text));
        return 0;
    }
    int rc = kind_read(tx, f, json, cell_out, &mistake);
    if (rc == REFUSED)
        *tx->problem = (struct problem){.kind = PROBLEM_NONE};
    *cell_out = rc == 0 ? settle(f, *cell_out) : value_null();
    return rc < 0 ? rc : 0;
}

static struct str key_of(struct arena *a, const struct value *cells, size_t count)
{
    struct buf b;

    buf_init(&b, SIZE_MAX);
    for (size_t i = 0; i < count; i++)
        value_put_key(&b, &cells[i]);
    struct str key = arena_str(a, buf_str(&b));
    buf_deinit(&b);
    return key;
}

/* ---- rows that are there ---- */

static struct str key_of_row(struct arena *a, const struct matching *m, const struct value *row)
{
    size_t count = m->import->identifying_count;
    struct value *cells = ARENA_ARRAY(a, struct value, count);

    for (size_t i = 0; i < count; i++)
        cells[i] = settle(m->fields[i], row[m->fields[i]->column->index]);
    return key_of(a, cells, count);
}

/* By their cells. */
static int read_candidates(struct tx *tx, const struct matching *m, struct value *firsts,
                           size_t count, struct map *candidates)
{
    const struct order order = {.column = fetch_id_column(m->table)};
    const struct select select = {
        .shape = &m->table->table->shape, .orders = &order, .order_count = 1, .limit = -1};
    struct fetched rows = {0};

    count = fetch_distinct(firsts, count);
    int rc = fetch_in(tx, tx->arena, &select, m->fields[0]->column, firsts, count, &rows);
    for (size_t i = 0; i < rows.count && rc == 0; i++) {
        struct str key = key_of_row(tx->arena, m, rows.at[i]);
        struct match *match = ARENA_NEW(tx->arena, struct match);
        struct matches *matches = map_get(candidates, key);
        if (!matches) {
            matches = ARENA_NEW(tx->arena, struct matches);
            matches->end = &matches->first;
            map_put(candidates, key, matches);
        }
        match->id = grid_row_id(m->table, rows.at[i]);
        *matches->end = match;
        matches->end = &match->next;
    }
    return rc;
}

/* The first that no row before has taken; 0: there is none. */
static int64_t take_match(struct matching *m, const struct matches *matches)
{
    for (const struct match *match = matches ? matches->first : NULL; match; match = match->next) {
        const struct str id = {(const char *)&match->id, sizeof(match->id)};
        if (!map_put(&m->taken, id, m))
            return match->id;
    }
    return 0;
}

/* ---- page by page ---- */

enum { PAGE_ROWS = 500 };

static int match_page(struct tx *tx, void *context, bool *more_out)
{
    struct matching *m = context;
    size_t parts = m->import->identifying_count, all = json_array_size(m->import->keys);
    size_t from = m->next, end = all - from > PAGE_ROWS ? from + PAGE_ROWS : all, count = 0;
    struct value *cells = ARENA_ARRAY(tx->arena, struct value, (end - from) * parts);
    struct value *firsts = ARENA_ARRAY(tx->arena, struct value, end - from);
    struct map candidates = {0};
    int rc = 0;

    for (size_t i = 0; i < (end - from) * parts && rc == 0; i++) {
        const json_t *key = json_array_get(m->import->keys, from + i / parts);
        rc = read_part(tx, m->fields[i % parts], json_array_get(key, i % parts), &cells[i]);
        if (i % parts == 0 && !value_is_null(&cells[i]))
            firsts[count++] = cells[i];
    }
    if (rc == 0 && count > 0)
        rc = read_candidates(tx, m, firsts, count, &candidates);
    for (size_t i = 0; i < end - from && rc == 0; i++)
        if (!value_is_null(&cells[i * parts]))
            m->ids[from + i] =
                take_match(m, map_get(&candidates, key_of(tx->arena, &cells[i * parts], parts)));
    map_deinit(&candidates);
    m->next = end;
    *more_out = end < all;
    return rc;
}

int import_match(struct tx *tx, const struct grid_table *t, const struct grid_import *import,
                 int64_t **ids_out)
{
    struct matching m = {
        .table = t,
        .import = import,
        .fields = ARENA_ARRAY(tx->arena, const struct grid_field *, import->identifying_count),
        .ids = ARENA_ARRAY(tx->arena, int64_t, json_array_size(import->rows)),
    };
    int rc = 0;

    for (size_t i = 0; i < import->identifying_count; i++)
        m.fields[i] = grid_table_field(t, import->identifying[i]);
    if (import->identifying_count > 0 && json_array_size(import->keys) > 0)
        rc = table_in_pages(tx, match_page, &m);
    map_deinit(&m.taken);
    if (rc == 0)
        *ids_out = m.ids;
    return rc;
}
