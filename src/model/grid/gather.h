#ifndef MODEL_GRID_GATHER_H
#define MODEL_GRID_GATHER_H

/* What news.c and asides.c share. */

#include "model/grid/news.h"
#include "model/grid/past.h"

/* Finds the rows that are told of because of what the commit changed; into news->asides. */
int asides_gather(struct tx *tx, const struct past *past, struct news *news);

#endif
