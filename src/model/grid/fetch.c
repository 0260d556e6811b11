#include "model/grid/fetch.h"

#include <stdlib.h>

/* Statements name at most so many values; more are asked for in several. */
enum { VALUES_PER_STATEMENT = 1000 };

struct taking {
    struct arena *arena;
    struct fetched *rows;
    size_t width;
};

static int take(void *context, const struct value *row)
{
    const struct taking *t = context;
    struct fetched *rows = t->rows;

    if (rows->count == rows->capacity) {
        size_t capacity = rows->capacity ? rows->capacity * 2 : 16;
        const struct value **at = ARENA_ARRAY(t->arena, const struct value *, capacity);
        if (rows->count > 0)
            memcpy(at, rows->at, rows->count * sizeof(*at));
        rows->at = at;
        rows->capacity = capacity;
    }
    rows->at[rows->count++] = value_copy_row(t->arena, row, t->width);
    return 0;
}

int fetch(struct tx *tx, struct arena *a, const struct select *select, struct fetched *rows)
{
    struct select s = *select;
    struct taking t = {
        .arena = a, .rows = rows, .width = s.outputs ? s.output_count : s.shape->count};

    s.now_ms = tx->now_ms;
    return store_select(tx->store, &s, take, &t);
}

int fetch_in(struct tx *tx, struct arena *a, const struct select *select,
             const struct column *column, const struct value *values, size_t count,
             struct fetched *rows)
{
    int rc = 0;

    for (size_t at = 0; at < count && rc == 0; at += VALUES_PER_STATEMENT) {
        struct select s = *select;
        size_t some = count - at < VALUES_PER_STATEMENT ? count - at : VALUES_PER_STATEMENT;
        const struct expr *among = expr_test(tx->arena, column, OP_IN, &values[at], some);
        s.where = s.where ? expr_and(tx->arena, s.where, among) : among;
        rc = fetch(tx, a, &s, rows);
    }
    return rc;
}

const struct column *fetch_id_column(const struct grid_table *t)
{
    const struct column *number = table_hidden(t->table, HIDDEN_NUMBER);
    return number ? number : table_key(t->table);
}

static int compare_values(const void *a, const void *b)
{
    return value_compare(a, b);
}

size_t fetch_distinct(struct value *values, size_t count)
{
    size_t kept = 0;

    if (count > 1)
        qsort(values, count, sizeof(*values), compare_values);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || !value_equal(&values[kept - 1], &values[i]))
            values[kept++] = values[i];
    return kept;
}

/* ---- by integers ---- */

static int fetch_by_id(struct tx *tx, const struct grid_table *t, const int64_t *ids, size_t count,
                       struct fetched *rows)
{
    const struct select all = {.shape = &t->table->shape, .limit = -1};
    struct value *values = ARENA_ARRAY(tx->arena, struct value, count);

    for (size_t i = 0; i < count; i++)
        values[i] = value_integer(ids[i]);
    count = fetch_distinct(values, count);
    return fetch_in(tx, tx->arena, &all, fetch_id_column(t), values, count, rows);
}

static const struct value *row_of(const struct grid_table *t, int64_t id,
                                  const struct fetched *rows)
{
    for (size_t i = 0; i < rows->count; i++)
        if (grid_row_id(t, rows->at[i]) == id)
            return rows->at[i];
    return NULL;
}

int fetch_rows(struct tx *tx, const struct grid_table *t, const int64_t *ids, size_t count,
               const struct value ***rows_out)
{
    const struct value **rows = ARENA_ARRAY(tx->arena, const struct value *, count);
    struct fetched found = {0};
    struct buf missing;

    int rc = fetch_by_id(tx, t, ids, count, &found);
    if (rc != 0)
        return rc;
    buf_init(&missing, SIZE_MAX);
    for (size_t i = 0; i < count; i++) {
        rows[i] = row_of(t, ids[i], &found);
        if (!rows[i])
            buf_printf(&missing, "%s%lld", missing.len > 0 ? ", " : "", (long long)ids[i]);
    }
    struct str told = arena_str(tx->arena, buf_str(&missing));
    buf_deinit(&missing);
    *rows_out = rows;
    if (told.len == 0)
        return 0;
    refuse(tx, PROBLEM_UNPROCESSABLE, "%s", GRID_NO_ROW);
    tx->problem->value = told;
    return REFUSED;
}
