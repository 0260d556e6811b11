#ifndef MODEL_COPY_INTERNAL_H
#define MODEL_COPY_INTERNAL_H

/* What the parts of copying share. */

#include "model/copy/copy.h"

/* Says why, and is the outcome. */
#define copy_refuse(c, ...) ((c)->reason = arena_printf((c)->arena, __VA_ARGS__), COPY_REFUSED)

/* ---- compare.c: do two stores hold the same rows in a table? ---- */

struct difference {
    struct value key;            /* of the row that is not the same; in the arena */
    const struct column *column; /* NULL: the row is on one side only */
};

enum { COMPARE_DIFFERS = 1 };
/*
 * Reads the table in the order of its key on both sides, in a transaction that is open on each, and
 * compares each value. Memory is bounded by the size of a batch and of a row. `row`, if not NULL,
 * is called for each row that is the same. 0, COMPARE_DIFFERS, or a fault.
 */
int compare_tables(struct store *from, struct store *to, const struct shape *shape,
                   struct arena *arena, void (*row)(void *context), void *context,
                   struct difference *difference_out);

#endif
