#ifndef MODEL_GRID_HISTORY_H
#define MODEL_GRID_HISTORY_H

/*
 * Row history (baserow.md 5.8, 9.7): who changed what in a row, for as long as it is kept, which is
 * longer than the journal is. Written by the writer with the commit, as a projection of its changes
 * (history_write, called by news_gather); told on the row's page; listed.
 *
 * Kept for tables that were made in an application, and for whatever members change in others.
 */

#include "model/grid/rows.h"

struct history_entry {
    int64_t id, table, row;
    struct str text; /* the JSON of 5.8 */
};
/* Of tx->commit, into tx->commit->news. Nothing when retention is 0. */
int history_write(struct tx *tx);
/* Newest first. */
int history_list(struct tx *tx, const struct grid_table *t, int64_t row, int64_t limit,
                 int64_t offset, struct history_entry **list_out, size_t *count_out,
                 int64_t *total_out);
/* A write: drops what is older, a bounded number at a time; *more_out: there may be more. */
int history_prune(struct tx *tx, int64_t before_ms, bool *more_out);

#endif
