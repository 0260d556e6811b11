#ifndef MODEL_GRID_FETCH_H
#define MODEL_GRID_FETCH_H

/* What the files that read and change rows share: whole rows, by key and by integer. */

#include "model/grid/grid.h"

/* Whole rows, by column index. */
struct fetched {
    const struct value **at;
    size_t count, capacity;
};
/* The rows that a statement gives, behind those that are there; in the arena. Outputs of the
 * statement, if it has any, take the places of columns. */
int fetch(struct tx *tx, struct arena *a, const struct select *select, struct fetched *rows);
/* `where` and where the column is one of the values, which may be many: in the arena. */
int fetch_in(struct tx *tx, struct arena *a, const struct select *select,
             const struct column *column, const struct value *values, size_t count,
             struct fetched *rows);
/* The rows of these integers, in their order; in tx->arena. REFUSED GRID_NO_ROW with those that are
 * not there. */
int fetch_rows(struct tx *tx, const struct grid_table *t, const int64_t *ids, size_t count,
               const struct value ***rows_out);
/* The column of the row's integer. */
const struct column *fetch_id_column(const struct grid_table *t);

/* The column of which rows have their names; a table of nothing but links has no names, and shows
 * its key. */
static inline const struct column *fetch_name_column(const struct grid_table *t)
{
    return t->primary->link ? table_key(t->table) : t->primary->column;
}

/* Sorts, and leaves each value once; returns how many are left. */
size_t fetch_distinct(struct value *values, size_t count);

#endif
