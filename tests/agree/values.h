#ifndef AGREE_VALUES_H
#define AGREE_VALUES_H

/*
 * Random values of every type: few enough that they meet, and those at which an end could err. They
 * come as clients write them, and become values by type_read.
 */

#include "store/expr.h"

/* New texts for the values that follow. */
void values_shuffle(struct arena *a);
/* A value that the column may hold; null now and then where it may be null. */
struct value random_cell(struct arena *a, const struct column *c);
/* One to compare with: mostly of the column's type, also of others, of none, and relative to now.
 */
struct operand random_operand(struct arena *a, const struct column *c, enum operator op);

#endif
