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
int record_by_id(struct tx *tx, enum system_table which, int64_t id, const struct value **row_out);
/* The user of that e-mail, whatever its case, other than `except` (an id; absent: nobody). */
int record_find_email(struct tx *tx, struct str email, struct str except,
                      const struct value **row_out);

struct assignment record_set(enum system_table which, const char *column, struct value value);
int record_insert(struct tx *tx, enum system_table which, const struct assignment *assignments,
                  size_t count);
/* The same; *row_out is the row as stored. */
int record_create(struct tx *tx, enum system_table which, const struct assignment *assignments,
                  size_t count, const struct value **row_out);
int record_update(struct tx *tx, enum system_table which, const struct value *row,
                  const struct assignment *assignments, size_t count);
/* With what refers to the rows: it goes as well, or forgets them, as its reference says. */
int record_delete(struct tx *tx, enum system_table which, const struct system_rows *rows);

/* Active users with an admin's policy, by e-mail. */
int record_admins(struct tx *tx, struct system_rows *rows_out);
/* Is there an active user with an admin's policy, besides `except` (an id; absent: nobody)? */
int record_admin_remains(struct tx *tx, struct str except, bool *remains_out);

#endif
