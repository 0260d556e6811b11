#ifndef MODEL_GRID_JOIN_H
#define MODEL_GRID_JOIN_H

/* Fields of linked rows that are told along with the links (baserow.md 9.7, `__join`). */

#include "model/grid/links.h"

struct grid_rows;
struct grid_join {
    const struct grid_field *link;
    struct column_set fields; /* bit i: grid field i of the link's target */
    /* ---- set by join_read ---- */
    const struct value *const *rows; /* of the target, by their integers */
    size_t count;
    struct links *links; /* of these rows, where a link is among the fields */
};
struct grid_joins {
    struct grid_join *at;
    size_t count;
};

/* Reads the rows that `rows` are linked to: one statement for each join, and those of links_read().
 * Into tx->arena. */
int join_read(struct tx *tx, const struct grid_rows *rows, const struct grid_joins *joins);
const struct grid_join *join_find(const struct grid_joins *joins, const struct grid_field *f);
/* As links_write(), with the fields' values behind each link's own. */
void join_write(struct buf *b, const struct grid_join *join, const struct link_cell *cell,
                bool user_names);

#endif
