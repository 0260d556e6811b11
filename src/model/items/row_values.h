#ifndef MODEL_ITEMS_ROW_VALUES_H
#define MODEL_ITEMS_ROW_VALUES_H

/* What the model puts into users' rows besides what it is given: for rows.c. */

#include "model/items/rows.h"

struct row_values {
    const struct assignment *at;
    size_t count;
};
/* The assignments of a new row, with those of its hidden columns, and of fields that count or are
 * UUIDs, unless they are among them. In tx->arena. 0 or a fault. */
int row_values_insert(struct tx *tx, const struct table *table, const struct assignment *given,
                      size_t count, struct row_values *values_out);
/* The same of rows that change: when they did, and by whom. */
void row_values_update(struct tx *tx, const struct table *table, const struct assignment *given,
                       size_t count, struct row_values *values_out);

/* Before rows go: numbers that no later row may have are noted down where nothing else tells of
 * them any more. 0 or a fault. */
int row_values_delete(struct tx *tx, const struct rows *rows);

#endif
