#ifndef MODEL_GRID_GATHER_H
#define MODEL_GRID_GATHER_H

/* What news.c and asides.c share. */

#include "model/grid/news.h"
#include "model/grid/past.h"

/* Are changes of this kind told row by row? Those that only bring clients to read anew are not. */
bool news_is_told(const struct commit *c, const struct change *change);

/* Finds the rows that are told of because of what the commit changed; into news->asides. */
int asides_gather(struct tx *tx, const struct past *past, struct news *news);

#endif
