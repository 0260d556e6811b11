#ifndef MODEL_GRID_ORDER_H
#define MODEL_GRID_ORDER_H

/*
 * Where rows stand (baserow.md 7.2): a double each, whole for rows that were appended, else the
 * simplest fraction between those of the neighbours. A table whose orders leave no room is numbered
 * anew, from 1.
 */

#include "model/grid/grid.h"

enum { ORDER_FULL = 1 };
/* The simplest fraction strictly between the two: of the least denominator, at most 10 million. 0,
 * or ORDER_FULL: no double of that kind lies there. */
int order_between(double low, double high, double *between_out);

/* As it is told: "1.50000000000000000000". */
void order_put(struct buf *b, double order);

/*
 * Places for `count` rows that are to stand one after another directly before the row of that
 * integer. REFUSED GRID_NO_ROW. *renumbered_out: all rows of the table got new orders to make
 * room, and what was read of them before is old.
 */
int order_before(struct tx *tx, const struct grid_table *t, int64_t before, double *places_out,
                 size_t count, bool *renumbered_out);

#endif
