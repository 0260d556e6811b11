#ifndef MODEL_GRID_UNIQUE_H
#define MODEL_GRID_UNIQUE_H

/*
 * The constraint unique_with_empty: no two rows have the same value in a field, unless it is empty
 * (baserow.md 10.1). Asked before rows are written; there is one writer at a time.
 */

#include "model/grid/inputs.h"

/* REFUSED GRID_CONSTRAINT_BROKEN. */
int unique_check(struct tx *tx, const struct drafts *drafts);

#endif
