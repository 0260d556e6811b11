#ifndef DIALECT_BASEROW_LISTS_H
#define DIALECT_BASEROW_LISTS_H

/* Short lists that are searched and sorted in memory, as `?search=` and `?sorts=` say (9.3). */

#include "dialect/baserow/rest.h"

/* A column of rows of one kind. Tables of them end with a row without a name. */
struct list_column {
    const char *name; /* in `sorts` */
    struct str (*text)(const void *row);
    bool searched;
};
enum { LIST_COLUMNS_MAX = 4 };

/* The rules of a list's query string. */
extern const struct rule list_rules[];

/*
 * Leaves the rows that have the searched text in a searched column, in any case, and puts them in
 * the order that is asked for, else leaves them in theirs. `sorts` is "+name,-email"; a blank is a
 * plus that was not escaped. Works in place; REFUSED when it cannot be sorted by that.
 */
int list_select(struct tx *tx, const json_t *asked, const struct list_column *columns,
                const void **rows, size_t *count);

#endif
