#ifndef MODEL_GRID_FILTER_H
#define MODEL_GRID_FILTER_H

/*
 * Filters of lists and views (baserow.md 11): a type, a field and a text → a condition. One table
 * of filter types (filter.c) says which kinds each goes with, and how it is built.
 *
 * Conditions are SQL's to judge, in one statement with all others. What people see of a cell is
 * compared as follows:
 *   - numbers as their digits, with the field's decimals; without prefix, suffix and thousands;
 *   - dates in the field's format, by the clocks of its zone (else UTC);
 *   - options, people and linked rows by each one's name (not by all names as one text);
 *   - durations are found by a term that is the same duration ("1:30"), not by a part of one.
 * Booleans and passwords are not searched.
 */

#include "model/grid/grid.h"

struct filter_type;
const struct filter_type *filter_type_find(struct str name); /* NULL: unknown */
bool filter_type_fits(const struct filter_type *type, const struct grid_field *f);
/*
 * The condition; what the value cannot mean follows section 11 (matches everything or nothing).
 * Days begin and end as they do at tx->now_ms. May read the account of somebody who is no member
 * any more. 0 or a fault.
 */
int filter_build(struct tx *tx, const struct filter_type *type, const struct grid_field *f,
                 struct str value, const struct expr **where_out);
/* The condition of a search over all fields that are searched; an exact row id matches too. A blank
 * term matches everything. */
const struct expr *filter_search(struct tx *tx, const struct grid_table *t, struct str term);

#endif
