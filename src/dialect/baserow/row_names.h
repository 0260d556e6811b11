#ifndef DIALECT_BASEROW_ROW_NAMES_H
#define DIALECT_BASEROW_ROW_NAMES_H

/* How clients name fields (9.7). */

#include "dialect/baserow/rest.h"
#include "model/grid/grid.h"

/* Whether keys are names: a flag in the query, with or without a value. */
bool row_names_wanted(const json_t *query);
/* A field as clients name it: "field_31" or "31", or by its name. NULL: none. */
const struct grid_field *row_names_field(const struct grid_table *t, struct str name,
                                         bool user_names);

#endif
