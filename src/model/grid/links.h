#ifndef MODEL_GRID_LINKS_H
#define MODEL_GRID_LINKS_H

/*
 * Links: which rows a row is linked to, and what these are called.
 *
 * They are not in images. Whoever tells rows of a table with link fields reads them first, for all
 * rows together: one statement for each junction and one for each table that is linked to. A commit
 * brings them along for the rows that it changes (news.h), so that its messages need no store.
 */

#include "model/grid/grid.h"

struct linked {
    int64_t id;       /* the row's integer */
    struct value key; /* of the row */
    struct str name;  /* its primary field as text */
    double order;
};
/* The cell of a link field: in the order of the rows that are linked to. */
struct link_cell {
    const struct linked *at;
    size_t count;
};
/* Of some rows of one table: by row key and field. A NULL one has nothing. */
struct links;
const struct link_cell *links_cell(const struct links *links, const struct grid_field *f,
                                   const struct value *row_key); /* never NULL */

/* Reads those of the given rows (of table->table, by column index), for the fields in `only`
 * (NULL: all). Lives in `a`. */
int links_read(struct tx *tx, struct arena *a, const struct grid_table *table,
               const struct value *const *rows, size_t count, const struct column_set *only,
               struct links **links_out);

/* `[{"id":1,"value":"Ann","order":"1.000…"}]` */
void links_write(struct buf *b, const struct grid_field *f, const struct link_cell *cell);
void links_put_one(struct buf *b, const struct linked *linked);   /* one of them, without its end */
void links_put_text(struct buf *b, const struct link_cell *cell); /* "Ann, Bob" */
/* `[1,2]` */
void links_write_ids(struct buf *b, const struct link_cell *cell);

/* What a client sent for a link field (10.4) → keys of the target's rows, in the arena.
 * KIND_MISTAKEN with *mistake_out; REFUSED; a fault. */
int links_parse(struct tx *tx, const struct grid_field *f, const json_t *json,
                struct value **keys_out, size_t *count_out, struct kind_mistake *mistake_out);
/* Makes the links of a row exactly these; records the changes. *changed_out: they were others. */
int links_set(struct tx *tx, const struct grid_field *f, const struct value *row_key,
              const struct value *keys, size_t count, bool *changed_out);

#endif
