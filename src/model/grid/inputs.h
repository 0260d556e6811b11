#ifndef MODEL_GRID_INPUTS_H
#define MODEL_GRID_INPUTS_H

/*
 * Drafts: what rows are to be, read from what a client sent (baserow.md 9.7, 10.4). All mistakes of
 * a batch are told at once. Lives in the request's arena.
 */

#include "model/grid/rows.h"
#include "model/grid/wishes.h"

struct draft {
    struct assignment *assignments; /* by column */
    size_t count;
    struct column_set columns; /* those that the client gave */
    /* The row itself: an update has it before, both when it was written. */
    const struct value *before, *after;
};

/* The links that are wished for by one field with a junction. */
struct draft_links {
    const struct grid_field *field;
    struct link_wish *wishes;
    size_t *drafts; /* whose each wish is */
    size_t count;
    struct draft_links *next;
};

struct drafts {
    const struct grid_table *table;
    enum change_kind kind; /* create or update */
    struct draft *at;
    size_t count;
    struct column_set fields; /* bit i: the table's grid field i was asked for in one of them */
    struct draft_links *links;
};

/* `before`: of each input, for an update; NULL: rows are created. 0, REFUSED, a fault. */
int drafts_read(struct tx *tx, const struct grid_table *t, const struct grid_inputs *inputs,
                const struct value *const *before, struct drafts **drafts_out);
/* Sets a column of a draft, instead of what it has there. */
void draft_assign(struct draft *d, const struct column *column, struct value value);
/* After the rows were written: makes their links. */
int drafts_link(struct tx *tx, const struct drafts *drafts);

#endif
