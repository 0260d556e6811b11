#ifndef MODEL_SCHEMA_SCHEMA_H
#define MODEL_SCHEMA_SCHEMA_H

/*
 * Collections, fields and relations: read as the wire shows them, made and changed as SQL tables
 * (directus.md D.8 to D.10). Writing needs an admin and a WRITER_SCHEMA transaction. Each change is
 * recorded as changes of the rows of directus_collections, directus_fields, directus_relations.
 */

#include "model/model.h"

/* Objects as D.8, D.9 and D.10 show them, appended as JSON. Only what the principal may see. */
int schema_write_collections(struct tx *tx, struct buf *b); /* list */
int schema_write_collection(struct tx *tx, struct str collection,
                            struct buf *b); /* FORBIDDEN if none */
int schema_write_fields(struct tx *tx, struct str collection, struct buf *b); /* absent: of all */
int schema_write_field(struct tx *tx, struct str collection, struct str field, struct buf *b);
int schema_write_relations(struct tx *tx, struct str collection, struct buf *b); /* absent: all */
int schema_write_relation(struct tx *tx, struct str collection, struct str field, struct buf *b);

int schema_create_collection(struct tx *tx, const json_t *body, struct str *name_out);
int schema_update_collection(struct tx *tx, struct str collection, const json_t *body);
int schema_delete_collection(struct tx *tx, struct str collection);
int schema_create_field(struct tx *tx, struct str collection, const json_t *body,
                        struct str *name_out);
int schema_update_field(struct tx *tx, struct str collection, struct str field, const json_t *body);
int schema_delete_field(struct tx *tx, struct str collection, struct str field);
int schema_create_relation(struct tx *tx, const json_t *body, struct str *collection_out,
                           struct str *field_out);
int schema_update_relation(struct tx *tx, struct str collection, struct str field,
                           const json_t *body);
int schema_delete_relation(struct tx *tx, struct str collection, struct str field);

#endif
