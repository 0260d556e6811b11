#ifndef MODEL_COUNTER_H
#define MODEL_COUNTER_H

/*
 * Numbers that the model gives to rows by itself: their place (HIDDEN_ORDER), their integer
 * (HIDDEN_NUMBER), and those of autonumber fields. Counted up from the highest there is, in memory
 * of the one writer, which forgets its counts when another process has written. A number that goes
 * with the last row is noted down in an option of the table (counter_leave), so that it is nobody
 * else's afterwards.
 */

#include "model/model.h"

struct counters;
struct counters *counters_new(void);
void counters_free(struct counters *c); /* accepts NULL */
void counters_forget(struct counters *c);
/* A transaction begins; what was counted in one, or a part of it, is undone with that. */
void counters_begin(struct counters *c);
void counters_undo(struct counters *c);

/* The next number of a column of whole numbers or of places (above every one there is). A write. */
int counter_next(struct tx *tx, const struct table *table, const struct column *column,
                 int64_t *next_out);
/* A row was given this value otherwise: counting goes on behind it. */
void counter_raise(struct tx *tx, const struct table *table, const struct column *column,
                   const struct value *value);
/* The column's cells were all made anew: counting goes on behind the highest of them (null: none),
 * whatever a column of this name had counted before. A write; 0 or a fault. */
int counter_restart(struct tx *tx, const struct table *table, const struct column *column,
                    const struct value *highest);
/* The row with this value goes: no later one gets it. A write; 0 or a fault. */
int counter_leave(struct tx *tx, const struct table *table, const struct column *column,
                  const struct value *value);

#endif
