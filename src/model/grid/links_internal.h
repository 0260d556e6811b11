#ifndef MODEL_GRID_LINKS_INTERNAL_H
#define MODEL_GRID_LINKS_INTERNAL_H

/* What links.c, wishes.c and news.c share. */

#include "model/grid/links.h"
#include "model/grid/past.h"

/* links_read() of the moment before the commit: rows as they were then. `past` NULL: now. */
int links_read_past(struct tx *tx, struct arena *a, const struct grid_table *table,
                    const struct value *const *rows, size_t count, const struct column_set *only,
                    const struct past *past, struct links **links_out);

/* Do the cells of the row read the same, name for name? */
bool links_equal(const struct link_cell *a, const struct link_cell *b);

#endif
