#ifndef MODEL_GRID_GRID_H
#define MODEL_GRID_GRID_H

/*
 * The grid: tables as people in a workspace see them (baserow.md 7.9, 10; decision 13).
 *
 * Beside each users' table of the catalogue stands a grid_table: number, name to show, place in an
 * application, and its fields in the order in which they are shown. A field shows a column of its
 * own, one of the hidden columns that every users' table has (hidden.h), or a link. What it
 * means and how it is told is its kind (kind.h). Tables and fields that were made by other means
 * have all of it too, derived from their columns.
 *
 * - grid.c, load.c: the catalogue's part, read from the rows of directus_collections and
 *   directus_fields
 * - kind*.c: kinds of fields: settings, values in and out, conversion
 * - tables.c, fields.c: making, changing, ordering tables and fields; convert.c: their values
 * - rows.c: making, changing, moving, deleting rows; order.c: where they stand
 * - links.c: rows that rows are linked to
 * - cells.c: what is asked of one field: its different values, whether a password is right
 * - query.c: lists; filter.c: the filters of section 11
 * - news.c: what a commit's changes alone do not tell (struct news)
 * - trash.c, history.c, tokens.c
 *
 * Functions that act check what the principal's user may do: membership counts, and nothing else.
 */

#include "model/grid/kind.h"
#include "model/hidden.h"
#include "model/workspace/workspace.h"

/* Rows of another table, or of the same one. */
struct grid_link {
    const struct grid_table *target;
    /* A table with a row for each link. NULL: the field's own column refers to one row. */
    const struct table *junction;
    const struct column *near, *far;  /* of the junction: this row's key, the other row's key */
    const struct grid_field *related; /* of the target: the same links from there; NULL: none */
};

struct grid_field {
    int64_t id;
    const struct grid_table *table;
    struct str name;        /* to show; unique in its table */
    struct str description; /* absent: none */
    const struct kind *kind;
    struct kind_settings settings;
    const struct column *column;  /* its own or a hidden one; NULL: a link through a junction */
    const struct grid_link *link; /* KIND_LINK_ROW; else NULL */
    int64_t order;
    bool primary;
    bool read_only; /* its kind is, or it is the table's key */
};

struct grid_table {
    int64_t id; /* of the table in all dialects */
    int64_t order;
    struct str name;
    const struct application *application;
    bool placed; /* there by somebody's will; false: it is where all others are */
    const struct table *table;
    const struct grid_field *fields; /* the primary first, then by order, id */
    size_t field_count;
    const struct grid_field *primary; /* never NULL */
};

struct grid;
/* In the catalogue; NULL: none. Junctions and what lies in the trash are not there. */
const struct grid_table *grid_table(const struct catalogue *c, int64_t id);
const struct grid_table *grid_table_of(const struct catalogue *c, const struct table *t);
const struct grid_field *grid_field(const struct catalogue *c, int64_t id);
const struct grid_field *grid_table_field(const struct grid_table *t, int64_t id);
const struct grid_field *grid_table_field_named(const struct grid_table *t, struct str name);
/* Those of an application, by order, id. */
const struct grid_table *const *grid_tables(const struct catalogue *c, int64_t application,
                                            size_t *count_out);
/* Fields of other tables, and of this one, whose links lead to it. */
const struct grid_field *const *grid_links_to(const struct catalogue *c, const struct grid_table *t,
                                              size_t *count_out);
/* Is it a junction? Then whose; `far_out` is the field's own `far` seen from `near_out`'s table.
 * Either of a pair of related fields may be found. NULL: it is none. */
const struct grid_field *grid_junction_field(const struct catalogue *c, const struct table *t);

/* The row's integer: its key, or its hidden number. Of a row of t->table by column index. */
int64_t grid_row_id(const struct grid_table *t, const struct value *row);
/* Where it stands, as it is told: "1.50000000000000000000". */
void grid_put_order(struct buf *b, const struct grid_table *t, const struct value *row);

/* The table, if the principal's user is a member of its workspace. REFUSED GRID_NO_TABLE,
 * WORKSPACE_NOT_MEMBER. */
int grid_find(struct tx *tx, int64_t id, const struct grid_table **table_out);
int grid_find_field(struct tx *tx, int64_t id, const struct grid_field **field_out);
int grid_find_application(struct tx *tx, int64_t id, const struct application **application_out);

/* Why a wish was refused: tx->problem->reason is one of these words (kind UNPROCESSABLE), value
 * what its text has a place for. Beside those of workspace.h. */
#define GRID_NO_TABLE "no table"
#define GRID_NO_FIELD "no field"
#define GRID_NO_ROW "no row" /* value: "1, 2" */
#define GRID_ROWS_TWICE "rows not unique"
#define GRID_FOREIGN_TABLE "table of another application"
#define GRID_FOREIGN_FIELD "field of another table"
#define GRID_NAME_TAKEN "field name taken"
#define GRID_NAME_RESERVED "field name reserved"
#define GRID_NAME_BLANK "field name blank"
#define GRID_NAME_LONG "field name too long"
#define GRID_TOO_MANY_FIELDS "too many fields"
#define GRID_PRIMARY_STAYS "primary field stays"
#define GRID_PRIMARY_ALREADY "primary already"
#define GRID_NOT_PRIMARY "kind cannot be primary"
#define GRID_KIND_UNKNOWN "kind unknown"
#define GRID_KIND_FIXED "kind cannot be changed"
#define GRID_LINK_NO_TABLE "link without a table"
#define GRID_LINK_FOREIGN "link to another database"
#define GRID_LINK_SELF_RELATED "self link with a related field"
#define GRID_CONSTRAINT_HELD "existing data breaks the constraint"
#define GRID_CONSTRAINT_BROKEN "new data breaks the constraint"
#define GRID_CONSTRAINT_UNKNOWN "no such constraint"
#define GRID_CONSTRAINT_DEFAULT "constraint does not go with a default"
#define GRID_INDEX_UNSUPPORTED "kind cannot be indexed"
#define GRID_CHOICE_UNKNOWN "no such option" /* value: the option */
#define GRID_CHOICE_FOREIGN "option of another field"
#define GRID_ZONE_SHIFT "dates do not move with their zone"
#define GRID_VALUES_UNSUPPORTED "kind has no single values"

/*
 * A value that does not fit: PROBLEM_FAILED_VALIDATION with a violation each, of which `type` is
 * the code of 8.4, `substring` the sentence, `field` the key as the client wrote it, and `item` its
 * place in a batch (-1: no batch). All that are wrong are told at once.
 */
void grid_refuse_value(struct tx *tx, int64_t item, struct str field, const char *code,
                       const char *sentence, ...) PRINTF_LIKE(5, 6);

#endif
