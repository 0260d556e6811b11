#ifndef MODEL_HIDDEN_H
#define MODEL_HIDDEN_H

/*
 * Hidden columns: what every users' table has behind its declared columns, and no dialect shows as
 * a field (field_hidden). They have no rows in directus_fields: the catalogue appends them, and
 * whoever makes a users' table makes them with it. Filled by rows_insert() and rows_update() for
 * all dialects.
 */

#include "model/catalogue.h"

enum hidden {
    HIDDEN_ORDER,      /* rowcast_order: where the row stands; a double, indexed */
    HIDDEN_CREATED_ON, /* timestamps; null: not known */
    HIDDEN_CREATED_BY, /* users' UUIDs; null: nobody's, or not known */
    HIDDEN_UPDATED_ON, /* the same of the last change; at first, of the making */
    HIDDEN_UPDATED_BY,
    HIDDEN_NUMBER, /* rowcast_number: the row's integer; only where the key is no whole number */
    HIDDEN_COUNT
};
/* The definition; its index is the caller's. Lives for good. Any thread. */
const struct column *hidden_column(enum hidden which);
/* Of a table; NULL: it has none (system tables; a number where the key is one). */
static inline const struct column *table_hidden(const struct table *t, enum hidden which)
{
    size_t at = t->declared + (size_t)which;
    return t->declared > 0 && at < t->shape.count ? &t->shape.columns[at] : NULL;
}
/* Does a row of a table with this key need a number beside it? */
bool hidden_number_needed(const struct column *key);
/* Appends them to the declared columns of a table, for which there is room; returns how many
 * columns there are then. */
size_t hidden_append(struct column *columns, size_t declared, const struct column *key);

#endif
