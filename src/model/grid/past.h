#ifndef MODEL_GRID_PAST_H
#define MODEL_GRID_PAST_H

/*
 * The past: rows as they were before the commit that is being made, undone from its changes. What
 * it does not name has not changed. Lives in tx->arena.
 */

#include "model/commit.h"
#include "model/model.h"

struct past_row {
    struct value key;
    const struct value *before; /* by column index; NULL: it was not there */
    const struct change *last;  /* what became of it */
    size_t place;               /* of that change, in the commit */
};
struct past_table {
    const struct table *table;
    struct past_row *rows; /* by key */
    size_t count;
    struct past_table *next; /* in the order in which they were changed first */
};
struct past {
    struct past_table *tables;
};

struct past *past_read(struct tx *tx);
/* NULL: nothing of it has changed. */
const struct past_table *past_table(const struct past *past, const struct table *table);
const struct past_row *past_row(const struct past_table *t, const struct value *key);

#endif
