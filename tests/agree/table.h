#ifndef AGREE_TABLE_H
#define AGREE_TABLE_H

/* Random tables, and random conditions on their rows. */

#include "store/expr.h"

enum { RANDOM_COLUMNS_MAX = 12 };
struct random_table {
    struct column columns[RANDOM_COLUMNS_MAX];
    struct shape shape;
    bool keys_count; /* no row is given a key: the store counts them */
};
/* Columns of any type, length, precision and default; a key of any type that one may have. Names
 * and defaults are the arena's. */
void random_table(struct arena *a, struct random_table *table_out);

const struct expr *random_expr(struct arena *a, const struct shape *shape, size_t depth_max);

#endif
