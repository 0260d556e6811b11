#ifndef MODEL_GRID_FIELDS_H
#define MODEL_GRID_FIELDS_H

/*
 * Making and changing tables and fields of the grid (baserow.md 9.5, 9.6, 10). In a WRITER_SCHEMA
 * transaction, but for what only names or orders. Each change is one of rows of
 * directus_collections, directus_fields and directus_relations, recorded in the commit; afterwards
 * tx->catalogue has it. By members; names of SQL tables and columns are slugs of the first name and
 * never change.
 */

#include "model/grid/rows.h"

/* A table with one text field for each name, the first primary, and a row for each inner array of
 * texts (NULL: none). With names NULL: the default table (9.5). Long work (progress.h). */
struct grid_draft {
    struct str name;
    const struct str *fields;
    size_t field_count;
    const json_t *rows; /* array of arrays; may be NULL */
    size_t skip;        /* so many of them are no rows (a header) */
};
int grid_table_create(struct tx *tx, int64_t application, const struct grid_draft *draft,
                      int64_t *id_out);
int grid_table_rename(struct tx *tx, int64_t id, struct str name);
int grid_table_reorder(struct tx *tx, int64_t application, const int64_t *ids, size_t count);
int grid_table_delete(struct tx *tx, int64_t id); /* to the trash */
/* A copy with fields, rows, and links to the tables that it links to (without reverse fields). Name
 * absent: "Name 2", … Long work (progress.h). */
int grid_table_duplicate(struct tx *tx, int64_t id, struct str name, int64_t *id_out);

/* All tables with their rows, named as these are, in a new application "Name 2", …, whose links
 * lead to each other. Long work. */
int grid_application_duplicate(struct tx *tx, int64_t id, int64_t *id_out);

/* `related_out`: other fields of the same table that changed with it; in the arena. */
struct grid_fields {
    const int64_t *ids;
    size_t count;
};
int grid_field_create(struct tx *tx, int64_t table, const json_t *body, int64_t *id_out,
                      struct grid_fields *related_out);
int grid_field_update(struct tx *tx, int64_t id, const json_t *body,
                      struct grid_fields *related_out);
int grid_field_delete(struct tx *tx, int64_t id,
                      struct grid_fields *related_out); /* to the trash */
/* Long work (progress.h). */
int grid_field_duplicate(struct tx *tx, int64_t id, bool with_data, int64_t *id_out);
int grid_field_make_primary(struct tx *tx, int64_t table, int64_t id,
                            struct grid_fields *related_out);

/* A name in the form of a SQL name: lower case letters, digits, underscores; at most 63 bytes, not
 * reserved, none of `taken`. Never fails: what has no letters becomes "table" or "field". */
struct str grid_slug(struct arena *a, struct str name, const char *otherwise,
                     bool (*taken)(const void *context, struct str slug), const void *context);

#endif
