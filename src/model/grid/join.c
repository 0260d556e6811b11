#include "model/grid/join.h"

#include <stdlib.h>

#include "model/grid/fetch.h"
#include "model/grid/rows.h"

/* ---- reading ---- */

/* The integers of all rows that the field leads to, each once. */
static size_t collect(struct tx *tx, const struct grid_rows *rows, const struct grid_field *f,
                      struct value **ids_out)
{
    size_t key = rows->table->table->shape.key, room = 0, count = 0;
    for (size_t i = 0; i < rows->count; i++)
        room += links_cell(rows->links, f, &rows->at[i][key])->count;
    struct value *ids = ARENA_ARRAY(tx->arena, struct value, room + 1);
    for (size_t i = 0; i < rows->count; i++) {
        const struct link_cell *cell = links_cell(rows->links, f, &rows->at[i][key]);
        for (size_t k = 0; k < cell->count; k++)
            ids[count++] = value_integer(cell->at[k].id);
    }
    *ids_out = ids;
    return fetch_distinct(ids, count);
}

static int compare_rows(const void *a, const void *b, void *table)
{
    int64_t left = grid_row_id(table, *(const struct value *const *)a);
    int64_t right = grid_row_id(table, *(const struct value *const *)b);
    return (left > right) - (left < right);
}

static bool has_link(const struct grid_join *join)
{
    const struct grid_table *target = join->link->link->target;
    for (size_t i = 0; i < target->field_count; i++)
        if (target->fields[i].link && column_set_has(&join->fields, (unsigned)i))
            return true;
    return false;
}

static int read_one(struct tx *tx, const struct grid_rows *rows, struct grid_join *join)
{
    const struct grid_table *target = join->link->link->target;
    const struct select all = {.shape = &target->table->shape, .limit = -1};
    struct fetched found = {0};
    struct value *ids;
    size_t count = collect(tx, rows, join->link, &ids);
    int rc = fetch_in(tx, tx->arena, &all, fetch_id_column(target), ids, count, &found);
    if (rc != 0)
        return rc;
    struct grid_table context = *target;
    if (found.count > 1)
        qsort_r(found.at, found.count, sizeof(*found.at), compare_rows, &context);
    join->rows = found.at;
    join->count = found.count;
    return has_link(join) ? links_read(tx, tx->arena, target, found.at, found.count, &join->fields,
                                       &join->links)
                          : 0;
}

int join_read(struct tx *tx, const struct grid_rows *rows, const struct grid_joins *joins)
{
    int rc = 0;
    for (size_t i = 0; i < joins->count && rc == 0; i++)
        rc = read_one(tx, rows, &joins->at[i]);
    return rc;
}

const struct grid_join *join_find(const struct grid_joins *joins, const struct grid_field *f)
{
    for (size_t i = 0; joins && i < joins->count; i++)
        if (joins->at[i].link == f)
            return &joins->at[i];
    return NULL;
}

/* ---- writing ---- */

static const struct value *row_of(const struct grid_join *join, int64_t id)
{
    size_t first = 0, end = join->count;
    while (first < end) {
        size_t middle = first + (end - first) / 2;
        int64_t found = grid_row_id(join->link->link->target, join->rows[middle]);
        if (found == id)
            return join->rows[middle];
        if (found < id)
            first = middle + 1;
        else
            end = middle;
    }
    return NULL;
}

void join_write(struct buf *b, const struct grid_join *join, const struct link_cell *cell,
                bool user_names)
{
    const struct grid_style style = {.user_names = user_names, .only = &join->fields};
    buf_put_char(b, '[');
    for (size_t i = 0; i < cell->count; i++) {
        const struct value *row = row_of(join, cell->at[i].id);
        if (i > 0)
            buf_put_char(b, ',');
        links_put_one(b, &cell->at[i]);
        if (row)
            grid_write_cells(b, join->link->link->target, row, join->links, &style);
        buf_put_char(b, '}');
    }
    buf_put_char(b, ']');
}
