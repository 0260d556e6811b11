#ifndef MODEL_ITEMS_RECORDS_H
#define MODEL_ITEMS_RECORDS_H

/*
 * Rows of system tables that the model reads and changes of itself: log-ins, sessions, effects of
 * rules. No permissions, no payloads; each change is recorded in the commit, with its effects.
 */

#include "model/model.h"
#include "model/system.h"

/* The first row with that text in that column, whole, secrets included; NULL: none. */
int record_find(struct tx *tx, enum system_table which, const char *column, struct str value,
                const struct value **row_out);
/* The user of that e-mail, whatever its case, other than `except` (an id; absent: nobody). */
int record_find_email(struct tx *tx, struct str email, struct str except,
                      const struct value **row_out);

struct assignment record_set(enum system_table which, const char *column, struct value value);
int record_insert(struct tx *tx, enum system_table which, const struct assignment *assignments,
                  size_t count);
int record_update(struct tx *tx, enum system_table which, const struct value *row,
                  const struct assignment *assignments, size_t count);
int record_delete(struct tx *tx, enum system_table which, const struct system_rows *rows);

/* Is there an active user with an admin's policy, besides `except` (an id; absent: nobody)? */
int record_admin_remains(struct tx *tx, struct str except, bool *remains_out);

#endif
