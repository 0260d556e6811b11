#ifndef MODEL_GRID_MAKING_H
#define MODEL_GRID_MAKING_H

/*
 * What the files that make and change tables and fields share.
 *
 *   tables.c   tables: made, named, ordered, deleted; table_copy.c duplicates them with their rows,
 *              duplicate.c whole applications; import.c brings rows into them
 *   fields.c   fields: made, deleted, made primary; field_update.c changes and field_copy.c
 *              duplicates them
 *   draft.c    what a body says of a field, and the row of directus_fields that it becomes
 *   junction.c tables of links, and the fields on both their sides
 *   convert.c  cells of one field as cells of another one; links.h has no part in it
 *
 * A field with `unique_with_empty` has a unique column in which an empty cell is null, whatever the
 * empty cell of its kind is otherwise (kind_empty()). "field_constraints" stands in its settings.
 */

#include "model/grid/fields.h"
#include "model/schema/rows.h"
#include "model/workspace/internal.h"

/* So many rows may a table have in directus_fields, its key and its trash among them: hidden
 * columns, and one for a conversion, find room beside their columns. Of fields that are shown there
 * are SCHEMA_FIELDS_MAX at most. */
enum { FIELD_ROWS_MAX = COLUMNS_MAX - HIDDEN_COUNT - 1 };

/* ---- draft.c ---- */

/* A field as it is to be. */
struct field_draft {
    struct str name, description; /* to show; description absent: none */
    const struct kind *kind;
    json_t *settings; /* as they are stored; the request's */
    int64_t order;
    bool indexed, primary;

    /* What follows from these (draft_finish). */
    struct kind_settings decoded;
    struct column column;
    bool has_column;
    const char *special;
};

/* The next option's number, read when it is needed and written when it has moved. */
struct choice_counter {
    int64_t next, read; /* 0: not read yet */
};
int choices_begin(struct tx *tx, struct choice_counter *counter);
int choices_end(struct tx *tx, const struct choice_counter *counter);

/* GRID_NAME_…; `except`: the field that bears it, NULL: none does. */
int draft_check_name(struct tx *tx, const struct grid_table *t, struct str name,
                     const struct grid_field *except);
/* "Name" for 1, "Name 2", …: cut, ahead of the number, to so many characters. */
struct str draft_numbered_name(struct arena *a, struct str name, unsigned number,
                               size_t characters_max);
/* "Name", "Name 2", …, of 255 characters at most. */
struct str draft_free_name(struct tx *tx, const struct grid_table *t, struct str name);
/* Under this key of a body; also as text. */
bool draft_boolean(struct arena *a, const json_t *body, const char *key, bool otherwise);
/* Reads a body over the field that there is (NULL: a new one) into a zeroed draft. Keys of links
 * are read by link_read(). */
int draft_read(struct tx *tx, const struct grid_table *t, const struct grid_field *before,
               const json_t *body, struct field_draft *d);
/* Settings and column of a field as it is. */
void draft_of_field(struct tx *tx, const struct grid_field *f, struct field_draft *d);
/* Gives the options of a select field numbers of their own, for another field than they were of. */
int draft_renumber_choices(struct tx *tx, struct field_draft *d);
void draft_finish(struct tx *tx, struct field_draft *d);
void draft_set(struct field_draft *d, const char *key, json_t *value); /* takes the reference */
/* Puts the draft into a row of directus_fields. Its column's name is set. */
void draft_to_row(struct tx *tx, const struct field_draft *d, struct value *row);

/* ---- fields.c ---- */

/* The rows of directus_fields of a table, the trashed ones too. */
int field_rows(struct tx *tx, const struct table *table, struct system_rows *rows_out);
/* A name for a column that no column of these has. */
struct str field_slug(struct tx *tx, const struct table *table, const struct system_rows *rows,
                      struct str name);
/* The last place among them; the next is one more. */
int64_t field_last_order(const struct system_rows *rows);
/* The row of a field; a fault where there is none. */
int field_row(struct tx *tx, int64_t id, const struct value **row_out);
/* Inserts the row of a field; its number is the row's key where that is set. */
int field_insert(struct tx *tx, const struct table *table, const struct field_draft *d,
                 struct str slug, int64_t id, int64_t *id_out);
/* Adds a column behind all others. */
int field_add_column(struct tx *tx, const struct table *table, const struct column *column);
/* Makes a drafted field with its column, the cells that the server makes, and its links. */
struct link_draft;
int field_make(struct tx *tx, const struct grid_table *t, struct field_draft *d,
               const struct link_draft *link, int64_t *id_out, int64_t *related_out);
/* Marks it as trashed: the column and its cells stay. */
int field_trash(struct tx *tx, const struct grid_field *f);
/* A refusal of the store for a column as one of the grid: GRID_CONSTRAINT_HELD. */
int field_refuse(struct tx *tx, int rc);
/* Cells that the server makes by itself: numbers in the order of rows, UUIDs. `name` is what the
 * column will be called. */
int field_fill(struct tx *tx, const struct table *table, const struct kind *kind,
               const struct column *column, struct str name);

/* Other fields of the table that changed along: `related`, if it is one of these; 0: none. */
void field_note_related(struct tx *tx, int64_t table, int64_t related, struct grid_fields *out);

/* Links from the table to itself, which show its primary field and change with it. */
void field_note_links(struct tx *tx, const struct grid_table *t, struct grid_fields *out);

/* ---- tables.c ---- */

/* The row of directus_collections of a table that is about to be made, the application's last. */
struct value *table_new_row(struct tx *tx, int64_t application, struct str slug, struct str name);
/* Calls `page` until there is no more, each time with another arena in tx->arena. */
int table_in_pages(struct tx *tx, int (*page)(struct tx *tx, void *context, bool *more_out),
                   void *context);
/* Each row of the table will be a step (progress.h). */
int table_expect_rows(struct tx *tx, const struct table *table);

/* ---- table_copy.c ---- */

/* Tables that are duplicated together, by id. `to` is filled in as they are made. */
struct table_copies {
    const int64_t *from;
    int64_t *to;
    size_t count;
};
/* Each of its rows and links will be a step (progress.h). */
int table_copy_expect(struct tx *tx, const struct grid_table *t);
/* Makes the i-th under that name, with its fields and rows. */
int table_copy(struct tx *tx, const struct table_copies *copies, size_t i, int64_t application,
               struct str name);
/* Its links, when all of them are made. */
int table_copy_links(struct tx *tx, const struct table_copies *copies, size_t i);

/* ---- junction.c ---- */

/* What a body says of a link. */
struct link_draft {
    const struct grid_table *target;
    bool related; /* there is to be a field on the other side */
};
int link_read(struct tx *tx, const struct grid_table *t, const struct grid_field *before,
              const json_t *body, struct field_draft *d, struct link_draft *link_out);

struct junction {
    struct str name, near, far; /* of the table and its columns */
};
/* Makes the table of links of a field; tx->catalogue has it. */
int junction_make(struct tx *tx, const struct grid_table *near, const struct grid_table *far,
                  struct str slug, struct junction *junction_out);
/* Of a table: a name that none has, be it in the trash. */
struct str table_slug(struct tx *tx, struct str name);
/* "id", a whole number that counts by itself. */
struct column table_number_key(void);
/* The row of directus_fields of a column that is nobody's field. */
struct value *plain_field_row(struct tx *tx, struct str table, const struct column *c);
/* For good. */
int junction_drop(struct tx *tx, struct str name);
struct junction junction_of(const struct grid_link *link);
/* Puts the keys of a link into a draft's settings. */
void link_settle(struct field_draft *d, const struct grid_table *target, const struct junction *j,
                 int64_t related);
/* Makes the field on the other side of a link of `id`, named like its table; its number is `own`
 * (0: the next). */
int link_make_related(struct tx *tx, const struct grid_table *t, int64_t id,
                      const struct link_draft *link, const struct junction *j, int64_t own,
                      int64_t *related_out);
/* Sets the field on the other side in a field's settings; 0: none. */
int link_set_related(struct tx *tx, int64_t id, int64_t related);

/* ---- convert.c ---- */

/* A column's definition in a table that is being changed. */
struct cells {
    const struct grid_field *field;
    const struct column *column; /* NULL: links */
};
/* Cells of one field become cells of another one of the same rows, some hundred rows at a time.
 * `shape` has both columns. */
int convert_cells(struct tx *tx, const struct shape *shape, const struct cells *from,
                  const struct cells *to);
/* Options that the cells need and `to` lacks are added to the draft's settings (10.2). */
int convert_new_choices(struct tx *tx, const struct shape *shape, const struct cells *from,
                        const struct cells *to, struct field_draft *d);

#endif
