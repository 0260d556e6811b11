#ifndef MODEL_SCHEMA_ROWS_H
#define MODEL_SCHEMA_ROWS_H

/*
 * What lies below all who make and change tables: the rows of directus_collections,
 * directus_fields and directus_relations, changed with their entries in the commit, and tables made
 * and altered with what the store says told to the client. For schema/ and grid/; nobody asks here
 * who may do it.
 */

#include "model/model.h"
#include "model/schema/schema.h"
#include "model/system.h"

/* Opens every change of schema.h: an admin asks, and the catalogue follows what this request did
 * before. */
int schema_begin(struct tx *tx);
/* The users' table that a change concerns: FORBIDDEN for system tables and for what is not there
 * or has no table. */
int schema_table(struct tx *tx, struct str collection, const struct table **table_out);

/* Is the body an object with no other keys than these (ended by NULL)? Else INVALID_PAYLOAD. */
int schema_check_keys(struct tx *tx, const json_t *body, const char *const *allowed);
/* A name for a table or a column: letters, digits and underscores, 63 at most, no reserved prefix.
 */
int schema_check_collection_name(struct tx *tx, struct str name);
int schema_check_field_name(struct tx *tx, struct str name);

/* A row with every column at its default; the caller's to fill. */
struct value *schema_blank(struct tx *tx, enum system_table which);
struct value *schema_copy(struct tx *tx, enum system_table which, const struct value *row);
void schema_set(enum system_table which, struct value *row, const char *column, struct value value);
/* Puts a `meta` object into a row: columns that a client may set (not `fixed`, ended by NULL);
 * unknown keys are ignored. NULL and null set nothing. */
int schema_read_meta(struct tx *tx, enum system_table which, const json_t *meta,
                     const char *const *fixed, struct value *row);

/* Each writes and records. An update that changes nothing does nothing. */
int schema_insert(struct tx *tx, enum system_table which, const struct value *row);
/* The same; *row_out is the row as stored, with the key that it was given. */
int schema_insert_row(struct tx *tx, enum system_table which, const struct value *row,
                      const struct value **row_out);
int schema_update(struct tx *tx, enum system_table which, const struct value *before,
                  const struct value *after);
/* The same, recorded even when it changes nothing: it was asked for, and is told of. */
int schema_update_asked(struct tx *tx, enum system_table which, const struct value *before,
                        const struct value *after);
int schema_delete(struct tx *tx, enum system_table which, const struct expr *where);
/* The one row with these values in two columns (the second may be NULL); NULL: none. */
int schema_find(struct tx *tx, enum system_table which, const char *column, struct str value,
                const char *column2, struct str value2, const struct value **row_out);

/* Makes a table with these columns and the hidden ones, and the rows that stand for it: one of
 * directus_collections, with the name, and one of directus_fields for each column. */
int schema_make_table(struct tx *tx, const struct value *row, struct value *const *field_rows,
                      const struct column *columns, size_t count);
/* A copy of a table's columns with room for one more, their indexes set by schema_alter. */
struct column *schema_columns(struct tx *tx, const struct table *table);
/* Makes `table` have these columns, matched by name; `field` is the one that the client changes,
 * for what it is told. */
int schema_alter(struct tx *tx, const struct table *table, struct column *columns, size_t count,
                 struct str field);
/* The same with columns matched by from[i], the name that column i had (absent: it is new). */
int schema_reshape(struct tx *tx, const struct table *table, struct column *columns, size_t count,
                   const struct str *from, struct str field);

/* Refuses with what an outcome of the store means for this field; passes 0 and faults on. */
int schema_outcome(struct tx *tx, int rc, struct str collection, struct str field);

enum { SCHEMA_FIELDS_MAX = 600 }; /* of one table; hidden columns come on top */

/*
 * A field object of a client (D.9) put into a row of directus_fields and the column that this row
 * stands for. The row is blank (then `field` and `type` are required) or a copy of the field's row.
 */
int schema_read_field(struct tx *tx, struct str collection, const json_t *body, struct value *row,
                      struct column *column_out);

#endif
