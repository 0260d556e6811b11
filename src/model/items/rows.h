#ifndef MODEL_ITEMS_ROWS_H
#define MODEL_ITEMS_ROWS_H

/*
 * Rows of one table that are about to change, by key, with their images before and after.
 *
 * What items.c and effects.c share: load, write, record. Nothing here asks for permission.
 * Lives in the request's arena.
 */

#include "base/map.h"
#include "model/commit.h"
#include "model/model.h"

struct row {
    struct item_key key;
    const struct value *before, *after; /* by column index; NULL: not there */
};

struct rows {
    const struct table *table;
    struct row **list; /* in the order they were added */
    size_t count, capacity;
    struct map by_key;
};

struct rows *rows_new(struct tx *tx, const struct table *table);
/* The row of that key, added where it was not there yet. */
struct row *rows_add(struct tx *tx, struct rows *rows, const struct item_key *key);
struct row *rows_find(struct tx *tx, const struct rows *rows, const struct value *key); /* NULL */

/* Reads `before` of every row; it stays NULL where the store has none. 0 or a fault. */
int rows_load(struct tx *tx, struct rows *rows);
/* Forgets the rows that are not there. */
void rows_keep_loaded(struct rows *rows);

/* Inserts one row; *row_out is the row as stored, by column index. 0, REFUSED (a constraint), or a
 * fault. In users' tables hidden columns (hidden.h), and fields that count or are UUIDs, get the
 * values that they are not given. */
int rows_insert(struct tx *tx, const struct table *table, const struct assignment *assignments,
                size_t count, const struct value **row_out);
/* Write all rows: 0, REFUSED (a constraint), or a fault. rows_update reads `after` back, and stamps
 * users' rows unless it is given the stamps; rows_set leaves the images and the stamps alone. */
int rows_set(struct tx *tx, const struct rows *rows, const struct assignment *assignments,
             size_t count);
int rows_update(struct tx *tx, struct rows *rows, const struct assignment *assignments,
                size_t count);
int rows_delete(struct tx *tx, const struct rows *rows);

/* Records one change of the kind for each row. submitted may be NULL. */
void rows_record(struct tx *tx, const struct rows *rows, unsigned operation, enum change_kind kind,
                 const struct column_set *submitted);

/* An outcome of a statement on the table (STORE_…) as a refusal, with what the store knows of it;
 * 0 and faults pass through. */
int rows_refuse(struct tx *tx, const struct table *table, int outcome,
                const struct assignment *assignments, size_t count);

/* A text as a refusal may repeat it: no secret, and not at any length. Lives in tx->arena. */
struct str rows_tell(struct tx *tx, const struct field *field, struct str text);

#endif
