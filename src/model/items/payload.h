#ifndef MODEL_ITEMS_PAYLOAD_H
#define MODEL_ITEMS_PAYLOAD_H

/*
 * A client's payload: JSON object → assignments, with presets, special flags, types, required
 * fields and validation (directus.md F.5, G.4, G.5).
 */

#include "model/access/access.h"
#include "model/model.h"

struct payload {
    const json_t *merged; /* presets under what was submitted */
    struct assignment *assignments;
    size_t count;
    struct column_set submitted;       /* columns in `merged` */
    struct column_set permitted_check; /* columns the client itself sent: these need permission */
};
/*
 * kind: CHANGE_CREATE or CHANGE_UPDATE. Unknown keys are ignored for admins, refused for others.
 * 0, REFUSED (INVALID_PAYLOAD, FORBIDDEN, FAILED_VALIDATION, VALUE_TOO_LONG, …), or a fault.
 */
int payload_read(struct tx *tx, const struct table *table, const struct grant *grant,
                 enum change_kind kind, const json_t *json, struct payload *payload_out);

/* Does the server give the column a value of its own, whoever writes the row: a stamp, or a new
 * UUID where none is `given`? Then it is in *value_out. */
bool payload_stamp(struct tx *tx, const struct field *field, enum change_kind kind, bool given,
                   struct value *value_out);

/* True when writing this payload needs a slow password hash: then payload_prepare on a reader
 * first. */
bool payload_needs_preparing(const struct table *table,
                             const json_t *json); /* object or array of them */
int payload_prepare(struct tx *tx, const struct table *table, const json_t *json);

#endif
