#ifndef MODEL_GRID_NEWS_H
#define MODEL_GRID_NEWS_H

/*
 * News: what a commit's changes alone do not tell and messages of the grid need (commit->news).
 *
 * Gathered by the writer at the end of each request, inside its transaction (news_gather): links of
 * the rows that changed, rows of other tables that are told because of them, entries of history.
 * Nothing is gathered for tables without links, which nothing links to and which keep no history.
 * Immutable afterwards, in the commit's arena; any thread.
 */

#include "model/commit.h"
#include "model/grid/links.h"

/* How an operation is told, other than by its kind. Set while it is done (news_note). */
enum note_kind {
    NOTE_PLAIN,
    NOTE_BEFORE,     /* rows were made before the row `row` */
    NOTE_MOVED,      /* only their order: updated_field_ids is [] */
    NOTE_RESTORED,   /* from the trash: nobody is excluded */
    NOTE_BULK,       /* not row by row: table_updated with force_table_refresh */
    NOTE_RENUMBERED, /* all rows of the table have new orders: row_orders_recalculated. No change */
};
struct note {
    enum note_kind kind;
    unsigned operation; /* of the commit */
    const struct table *table;
    int64_t row;
    const struct column_set *fields; /* bit i: table's grid field i was asked for; NULL: unknown */
    struct note *next;
};
void news_note(struct tx *tx, enum note_kind kind, unsigned operation, const struct table *table,
               int64_t row, const struct column_set *fields);
const struct note *news_find(const struct commit *c, unsigned operation); /* NULL: plain */

/* A row that is told of because of another one (14.4), as it is now. */
struct aside_row {
    const struct value *row;    /* by column index */
    const struct value *before; /* the same: only links or names in it have changed */
};
struct aside {
    const struct grid_table *table;
    const struct aside_row *rows;
    size_t count;
    bool many;                /* more than a message may tell: the table is to be read anew */
    struct column_set fields; /* bit i: grid field i of the table may read otherwise now */
    struct links *links_before, *links;
    struct aside *next;
};

struct history_entry; /* history.h */

struct news {
    struct note *notes;               /* latest first */
    const struct note **by_operation; /* the latest of each; NULL: none */
    unsigned operations;              /* so many have a place there */
    struct aside *asides;             /* in the order in which they are told */
    /* Of the rows that the commit changed, by table. */
    struct news_links {
        const struct grid_table *table;
        struct links *before, *after;
        struct column_set fields; /* bit i: links of grid field i changed */
        struct news_links *next;
    } * links;
    const struct history_entry *const *history;
    size_t history_count;
};
const struct news_links *news_links_of(const struct commit *c, const struct grid_table *t);

/* For the writer, when a request is done and before its changes go to the journal. */
int news_gather(struct tx *tx);

/* Most rows of one other table that are told one by one.
 * BASEROW_DEPENDANT_ROWS_REALTIME_UPDATE_LIMIT */
enum { ASIDE_ROWS_MAX = 200 };

#endif
