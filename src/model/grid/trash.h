#ifndef MODEL_GRID_TRASH_H
#define MODEL_GRID_TRASH_H

/*
 * The trash (baserow.md 9.13): what members deleted, until it is restored or its time is over.
 *
 * Workspaces, applications, tables and fields stay where they are, marked as trashed: the catalogue
 * leaves them out, and with them all that lies below. Rows leave their table and lie here as images
 * with their links. What is deleted for good goes by trash_purge().
 */

#include "model/grid/rows.h"

enum trash_type {
    TRASH_WORKSPACE,
    TRASH_APPLICATION,
    TRASH_TABLE,
    TRASH_FIELD,
    TRASH_ROW,
    TRASH_ROWS,
};
const char *trash_type_name(enum trash_type type); /* "rows" */
bool trash_type_find(struct str name, enum trash_type *type_out);

struct trash_entry {
    int64_t id;
    enum trash_type type;
    int64_t item, parent;                          /* parent 0: none */
    int64_t workspace, application;                /* application 0: none */
    struct str who, name, parent_name, trashed_at; /* parent_name absent: none */
    const json_t *names;                           /* rows: array of texts; NULL */
};

/* Called by those who delete. The item is marked, or its rows removed, by them. */
int trash_put(struct tx *tx, const struct trash_entry *entry, const json_t *content);
/* Newest first; of an application, or of a whole workspace (application 0). By members. */
int trash_list(struct tx *tx, int64_t workspace, int64_t application, int64_t limit, int64_t offset,
               struct trash_entry **list_out, size_t *count_out, int64_t *total_out);
/* Everything of a workspace or an application is to be deleted for good, soon. */
int trash_empty(struct tx *tx, int64_t workspace, int64_t application);
/* Brings back; its children that were not trashed by themselves come along. TRASH_* words. */
int trash_restore(struct tx *tx, enum trash_type type, int64_t item, int64_t parent);
/* Deletes for good what was emptied or is older than the moment: one item at a time, in a
 * WRITER_SCHEMA transaction. *more_out: there is more. */
int trash_purge(struct tx *tx, int64_t before_ms, bool *more_out);

#define TRASH_NO_ITEM "not in the trash"
#define TRASH_PARENT_FIRST "its parent is in the trash"
#define TRASH_PARENT_NEEDED "parent needed"
#define TRASH_PARENT_UNWANTED "parent not wanted"
#define TRASH_RELATED_TRASHED "related table is in the trash"

#endif
