#ifndef MODEL_ITEMS_RULES_H
#define MODEL_ITEMS_RULES_H

/*
 * Rules of the system tables beyond types and constraints (directus.md D.6, D.7, B.5): called by
 * items.c around each change of a system table, and by the writer at a request's end.
 */

#include "model/commit.h"
#include "model/model.h"

/* Before a change is written: `after` is the row as it would be (NULL: delete). 0, REFUSED, or a
 * fault. */
int rules_check(struct tx *tx, enum change_kind kind, const struct table *table,
                const struct value *before, const struct value *after,
                const struct column_set *submitted, const json_t *payload);
/* After it and its operation's other changes were recorded: effects in other rows (a new password
 * ends the user's sessions, a deleted role suspends its users), recorded with their own effects.
 * 0, REFUSED, or a fault. */
int rules_effects(struct tx *tx, const struct change *change);
/* At the end of a request: what must hold of the whole (an active admin is left: 422). */
int rules_finish(struct tx *tx);
/* Does the commit change structure or access rows (reload the catalogue), or a user's identity:
 * what an open principal or a remembered credential would not notice otherwise (a new catalogue,
 * too)? */
bool rules_touch_catalogue(const struct commit *commit);
bool rules_touch_identity(const struct commit *commit);

#endif
