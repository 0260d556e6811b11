#ifndef DIALECT_BASEROW_ROWS_H
#define DIALECT_BASEROW_ROWS_H

/* What the routes of rows (9.7) are made of: rows.c answers, row_bodies.c reads what was sent. */

#include "dialect/baserow/row_query.h"

/* ---- row_bodies.c ---- */

/* A row object, with what its query says; `id`: whose. 0 or REFUSED. */
int row_body_read(struct request *r, struct tx *tx, int64_t id, struct grid_inputs *inputs_out);
/* `{"items":[{…},…]}`, each with its id when they are to be found by it. */
int row_batch_read(struct request *r, struct tx *tx, bool by_id, struct grid_inputs *inputs_out);
/* `{"items":[1,2]}` */
int row_ids_read(struct request *r, struct tx *tx, const int64_t **ids_out, size_t *count_out);
/* Hashes the passwords of a body of either form. */
int row_body_prepare(struct request *r, struct tx *tx, const struct grid_table *t);

#endif
