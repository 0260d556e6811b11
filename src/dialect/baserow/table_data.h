#ifndef DIALECT_BASEROW_TABLE_DATA_H
#define DIALECT_BASEROW_TABLE_DATA_H

/* Data that a table is made with (9.5): an array of arrays of values. */

#include "dialect/baserow/rest.h"
#include "model/grid/fields.h"

/* The body is the array of rows alone, its limits are those of a request, or those of a job. */
enum table_data_limit { TABLE_DATA_AT_ONCE, TABLE_DATA_JOB };

/*
 * `name`, `data` and `first_row_header` of a body as a draft; without data the default table. Names
 * that are missing become "Field 1", …; short rows count as padded. REFUSED with the codes of 9.5.
 */
int table_data_read(struct tx *tx, const json_t *data, enum table_data_limit limit,
                    struct grid_draft *draft_out);
/* Are these rows for a table that is there, within the limits of a job? REFUSED likewise. */
int table_data_check(struct tx *tx, const json_t *rows);

#endif
