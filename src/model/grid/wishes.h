#ifndef MODEL_GRID_WISHES_H
#define MODEL_GRID_WISHES_H

/*
 * Wishes: what clients want rows to be linked to (baserow.md 10.4, 10.7), for many rows at once.
 * links_parse() and links_set() (links.h) are the same for one row.
 */

#include "model/grid/links.h"

struct link_wish {
    const json_t *json; /* what was sent */
    struct value *keys; /* of the target's rows, each once */
    size_t count;
    struct kind_mistake mistake; /* code NULL: none */
    struct value row_key;        /* whose links these are to be; for wishes_grant() */
};
/* Finds the keys, or a mistake, of each wish for one field: two statements at most. 0 or a fault.
 * A text is a row's name, or else its integer. Lives in the arena. */
int wishes_resolve(struct tx *tx, const struct grid_field *f, struct link_wish *wishes,
                   size_t count);
/* Makes the links of these rows, by a field with a junction, exactly those that are wished for.
 * *changed_out: they were others. 0, REFUSED, a fault. */
int wishes_grant(struct tx *tx, const struct grid_field *f, const struct link_wish *wishes,
                 size_t count, bool *changed_out);

#endif
