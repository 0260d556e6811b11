#ifndef STORE_KEPT_H
#define STORE_KEPT_H

/* Statements that a connection keeps prepared, by their text; private to the drivers. What is in an
 * entry besides is the driver's, which embeds it, frees it, and says how many there may be. */

#include "base/map.h"

struct kept {
    struct str sql; /* the entry's owner's, as long as it is kept */
    struct kept *newer, *older;
};
struct kept_list { /* a zeroed one is empty */
    struct map by_text;
    struct kept *newest, *oldest; /* by use; oldest: the one to go first */
};

struct kept *kept_find(struct kept_list *list, struct str sql); /* that is a use; NULL: none */
void kept_add(struct kept_list *list, struct kept *k); /* its text is set and not kept yet */
void kept_remove(struct kept_list *list, struct kept *k);
void kept_deinit(struct kept_list *list); /* an empty one */

#endif
