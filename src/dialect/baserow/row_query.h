#ifndef DIALECT_BASEROW_ROW_QUERY_H
#define DIALECT_BASEROW_ROW_QUERY_H

/* The query string of lists of rows (9.7). */

#include "dialect/baserow/rest.h"
#include "model/grid/rows.h"

struct row_query {
    const struct grid_table *table;
    bool user_names;          /* keys are names of fields */
    struct column_set fields; /* those that are told */
    struct grid_joins joins;
    struct grid_query list; /* without limit and offset */
};
/* Whether keys are names: a flag with or without a value. */
bool row_query_user_names(const json_t *query);
/* All of it; what is wrong is REFUSED in the order in which it stands in 9.7. */
int row_query_read(struct request *r, struct tx *tx, const struct grid_table *t,
                   struct row_query *query_out);
/* A field as clients name it: "field_31" or "31", or by its name. NULL: none. */
const struct grid_field *row_query_field(const struct grid_table *t, struct str name,
                                         bool user_names);

/* ---- row_filters.c ---- */

/* The condition of `filters`, or of `filter__{field}__{type}`. */
int row_filters_read(struct request *r, struct tx *tx, const struct grid_table *t, bool user_names,
                     const struct expr **where_out);

#endif
