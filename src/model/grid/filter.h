#ifndef MODEL_GRID_FILTER_H
#define MODEL_GRID_FILTER_H

/*
 * Filters of lists and views (baserow.md 11): a type, a field and a text → a condition. One table
 * of filter types says which kinds each goes with, and how it is built.
 */

#include "model/grid/grid.h"

struct filter_type;
const struct filter_type *filter_type_find(struct str name); /* NULL: unknown */
bool filter_type_fits(const struct filter_type *type, const struct grid_field *f);
/* The condition; what the value cannot mean follows section 11 (matches everything or nothing).
 * Reads names of linked tables where the filter is on those. 0 or a fault. */
int filter_build(struct tx *tx, const struct filter_type *type, const struct grid_field *f,
                 struct str value, const struct expr **where_out);
/* The condition of a search over all fields that are searched; an exact row id matches too. */
const struct expr *filter_search(struct tx *tx, const struct grid_table *t, struct str term);

#endif
