#ifndef DIALECT_BASEROW_ROW_QUERY_H
#define DIALECT_BASEROW_ROW_QUERY_H

/* The query string of lists of rows (9.7). */

#include "dialect/baserow/row_names.h"
#include "model/grid/rows.h"

struct row_query {
    const struct grid_table *table;
    bool user_names;          /* keys are names of fields */
    struct column_set fields; /* those that are told */
    struct grid_joins joins;
    struct grid_query list; /* without limit and offset */
};
/* All of it; what is wrong is REFUSED in the order in which it stands in 9.7. */
int row_query_read(struct request *r, struct tx *tx, const struct grid_table *t,
                   struct row_query *query_out);

/* ---- row_filters.c ---- */

/* The condition of `filters`, or of `filter__{field}__{type}`. */
int row_filters_read(struct request *r, struct tx *tx, const struct grid_table *t, bool user_names,
                     const struct expr **where_out);

#endif
