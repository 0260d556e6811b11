#ifndef MODEL_WORKSPACE_OPTIONS_H
#define MODEL_WORKSPACE_OPTIONS_H

/*
 * Options of the instance: what its staff set while it runs (settings.h of the server is what the
 * operator sets before). Names and JSON values; what they mean is the dialect's that serves them.
 */

#include "model/model.h"

/* All that were set, as one object; in the arena. */
int options_read(struct tx *tx, json_t **options_out);
/* In a write. The name has at most 64 bytes, and ends with a 0. */
int option_set(struct tx *tx, const char *name, const json_t *value);

/* Has anybody registered yet? */
int instance_has_users(struct tx *tx, bool *has_out);

#endif
