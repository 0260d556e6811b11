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
#include "model/items/rows.h"

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

/*
 * Called by those who delete (fields.h, rows.h), who mark the item or remove its rows themselves.
 * Each puts one entry for what was asked for; `along` are fields that went with it (the other side
 * of a link), which come back with it.
 */
int trash_put_table(struct tx *tx, const struct grid_table *t, const int64_t *along, size_t count);
int trash_put_field(struct tx *tx, const struct grid_field *f, const int64_t *along, size_t count);
/* Rows as they were (`before` of each), links included. */
int trash_put_rows(struct tx *tx, const struct grid_table *t, const struct rows *rows,
                   const struct links *links);
/* By a member, and by an admin of it. */
int trash_application(struct tx *tx, int64_t id);
int trash_workspace(struct tx *tx, int64_t id);
/* The same for good, and as the system: it is emptied at once, with what lay in the trash of it. */
int trash_discard_workspace(struct tx *tx, const struct workspace *w);

/* Workspaces with something in the trash that the principal's user may see: the user is a member.
 * Trashed workspaces too, with `trashed`. */
struct trash_place {
    int64_t id;
    struct str name, type; /* type: of an application */
    bool trashed;
    struct trash_place *applications;
    size_t count;
};
int trash_places(struct tx *tx, struct trash_place **list_out, size_t *count_out);
/* Newest first; of an application, or of a whole workspace (application 0). By members. */
int trash_list(struct tx *tx, int64_t workspace, int64_t application, int64_t limit, int64_t offset,
               struct trash_entry **list_out, size_t *count_out, int64_t *total_out);
/* Everything of a workspace or an application is to be deleted for good, soon. */
int trash_empty(struct tx *tx, int64_t workspace, int64_t application);
/* Brings back; its children that were not trashed by themselves come along. TRASH_* words. */
int trash_restore(struct tx *tx, enum trash_type type, int64_t item, int64_t parent);
/* The next entry after this one that was emptied, or was put in before the moment; 0: none. */
int trash_next_due(struct tx *tx, int64_t before_ms, int64_t after, int64_t *entry_out);
/* Deletes for good what the entry stands for, as the system, in a WRITER_SCHEMA transaction. One
 * that is gone is no mistake. */
int trash_purge(struct tx *tx, int64_t entry);

#define TRASH_NO_ITEM "not in the trash"
#define TRASH_PARENT_FIRST "its parent is in the trash"
#define TRASH_PARENT_NEEDED "parent needed"
#define TRASH_PARENT_UNWANTED "parent not wanted"
#define TRASH_RELATED_TRASHED "related table is in the trash"

#endif
