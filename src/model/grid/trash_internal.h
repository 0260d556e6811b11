#ifndef MODEL_GRID_TRASH_INTERNAL_H
#define MODEL_GRID_TRASH_INTERNAL_H

/* What trash.c, restore.c and purge.c share. */

#include "model/grid/trash.h"
#include "model/items/records.h"
#include "model/workspace/internal.h"

#define TRASH_SET(column, value) record_set(SYSTEM_TRASH, (column), (value))

/* Sets the mark of a row that is trashed, or takes it away; records it. */
int trash_mark(struct tx *tx, enum system_table which, const char *mark, const struct value *row,
               bool trashed);
/* Under which a row's links lie there: of the field, and of the table that its keys are of, for it
 * may lead elsewhere by the time the row comes back. Ends with a 0. */
struct str trash_links_name(struct arena *a, const struct grid_field *f);
/* What an entry holds beside its columns; NULL: nothing. */
int trash_content(struct tx *tx, const struct value *entry, json_t **content_out);
const struct expr *trash_test(struct arena *a, const char *column, struct value value);
/* Is the principal's user a member (an admin) of the workspace, be it trashed or not? REFUSED as
 * workspace_find(). */
int trash_check_member(struct tx *tx, int64_t workspace, bool admin);

#endif
