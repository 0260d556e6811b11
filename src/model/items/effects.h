#ifndef MODEL_ITEMS_EFFECTS_H
#define MODEL_ITEMS_EFFECTS_H

/*
 * Effects of a delete in the tables that refer to the deleted rows: rows that go as well (cascade),
 * and references that are cleared (set null, set default).
 *
 * The store's own foreign keys would do the same, but silently: these are found before, done
 * together with the delete, and recorded as operations that follow it. Nobody needs permission
 * for them. Lives in the request's arena.
 */

#include "model/items/rows.h"

struct effects;

/* Finds all effects of deleting these rows (loaded). 0, REFUSED (more than can be told), a fault.
 */
int effects_find(struct tx *tx, struct rows *deleted, struct effects **effects_out);
/* After the rows were deleted: sees to it that the effects are in the store. 0, REFUSED, a fault.
 */
int effects_apply(struct tx *tx, struct effects *effects);
/* After the delete itself was recorded: one operation for each table and kind of effect. */
void effects_record(struct tx *tx, const struct effects *effects);

#endif
