#ifndef LIVE_FEED_INDEX_H
#define LIVE_FEED_INDEX_H

/*
 * Feeds of one table whose condition implies `column = one of these values`, found by hash on a
 * row's value in that column: a change costs the feeds it may concern, not all feeds.
 *
 * A zeroed struct is an empty index.
 */

#include <stdbool.h>

#include "base/buf.h"
#include "base/map.h"
#include "store/expr.h"

struct feed;

/* A feed under one value. Those with the same value form a list that begins in the column's map. */
struct index_entry {
    struct feed *feed;
    const struct value *value;
    struct index_entry *next, *previous;
};

/* A feed's place; embedded. No entries: it is in no index. */
struct indexed {
    unsigned column;
    struct index_entry *entries;
    size_t count;
};

struct column_index; /* one column's map */
struct feed_index {
    struct column_index *columns;
    size_t count;
    struct buf key; /* the latest key that was looked up */
};

void feed_index_deinit(struct feed_index *x); /* no feed left in it */

/* Puts the feed under the values that its condition demands; entries are made in the arena, and
 * values are borrowed from the condition. False: the condition demands none. */
bool feed_index_add(struct feed_index *x, struct feed *f, const struct expr *condition,
                    struct arena *a, struct indexed *place_out);
void feed_index_remove(struct feed_index *x, struct indexed *place);

/* Calls `found` for each feed that the row may concern, once for each column that finds it. */
void feed_index_find(struct feed_index *x, const struct value *row,
                     void (*found)(void *context, struct feed *f), void *context);

#endif
