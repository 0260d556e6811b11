#ifndef MODEL_ITEMS_ITEMS_H
#define MODEL_ITEMS_ITEMS_H

/*
 * Items: rows of any table, read and changed on behalf of tx->principal. What clients change goes
 * this way, but for structure (schema.h); what the model changes of itself goes records.h's. Each
 * change is recorded in the commit with its images, effects of references (set null, cascade)
 * included.
 */

#include "model/commit.h"
#include "model/items/query.h"
#include "model/model.h"

/* Rows come as q->outputs say. 0, REFUSED, a fault, or what `row` returned. */
int items_read(struct tx *tx, const struct query *q, store_row_fn *row, void *context);
int items_count(struct tx *tx, const struct query *q, enum query_meta what, int64_t *count_out);
/* The whole rows as JSON: `[{…},{…}]`; or of the one row `{…}`, REFUSED FORBIDDEN when there is
 * none. */
int items_write_list(struct tx *tx, const struct query *q, struct buf *b);
int items_write_one(struct tx *tx, const struct query *q, struct buf *b);

/* The table by its wire name if the principal may do `action` there at all; else REFUSED,
 * FORBIDDEN. */
int items_table(struct tx *tx, struct str collection, enum action action,
                const struct table **table_out);

/* A key from JSON or from text of a URL: one that cannot be a key is FORBIDDEN (directus.md section
 * 0). */
int items_key(struct tx *tx, const struct table *table, const json_t *json,
              struct item_key *key_out);
int items_key_text(struct tx *tx, const struct table *table, struct str text,
                   struct item_key *key_out);
/* Keys that a query selects for an action (update or delete by query). */
int items_keys(struct tx *tx, const struct query *q, struct item_key **keys_out, size_t *count_out);

/* May one request change so many items (MAX_BATCH_MUTATION)? Updates and deletes ask by themselves;
 * what they and items_create see one by one may be one batch to the client. */
int items_check_batch(struct tx *tx, size_t count);
/* One row from an object. One operation. */
int items_create(struct tx *tx, const struct table *table, const json_t *payload,
                 struct item_key *key_out);
/* The same payload on every key, all or nothing: one that is missing or not permitted refuses all.
 * One operation. */
int items_update(struct tx *tx, const struct table *table, const struct item_key *keys,
                 size_t count, const json_t *payload);
/* One operation. Missing keys: FORBIDDEN, except for admins, who may delete what is not there. */
int items_delete(struct tx *tx, const struct table *table, const struct item_key *keys,
                 size_t count);
/* A singleton's one row: updated, or created when there is none. */
int items_upsert_singleton(struct tx *tx, const struct table *table, const json_t *payload,
                           struct item_key *key_out);

#endif
