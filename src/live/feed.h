#ifndef LIVE_FEED_H
#define LIVE_FEED_H

/*
 * The inside of the hub: its feeds, by key and by table, and what it needs while it publishes.
 *
 *   hub ──► topics by table name ──► plain feeds: looked at for every change of the table
 *    │                          └──► index: found by the value of one column (feed_index.h)
 *    └────► feeds by key ──► followers (subscriptions), in the order they came
 *
 * A feed lives from its first follower to its last. It holds a principal of those it speaks for:
 * with it the catalogue and the grant that its query points into. So a feed belongs to one
 * catalogue; after a change its followers are bound again, and it goes with the last of them.
 */

#include "live/feed_index.h"
#include "live/hub.h"

/* All feeds of one table, by its name. */
struct topic {
    struct feed *plain; /* the feeds that no index holds */
    struct feed_index index;
    size_t feed_count;
};

struct feed {
    struct arena *arena; /* the feed itself lies in it */
    struct str key;
    struct topic *topic;
    const struct feed_ops *ops;
    struct principal *principal;
    struct query query;
    bool has_query;
    struct column_set condition; /* the columns that query.where reads */
    bool moving;                 /* query.where uses $NOW: rows come and go by themselves */
    struct column_set readable;  /* asked for and granted, on some rows at least */
    bool masked;                 /* one of them only on some rows */
    struct subscription *first, *last;
    size_t follower_count;

    struct feed *next, *previous; /* among the topic's plain feeds */
    struct indexed indexed;       /* its place in the topic's index */

    /* While a group of changes is told: those that the index says concern this feed. */
    uint64_t round;
    size_t hit_first, hit_last;
    struct feed *next_hit;
};

struct change_list {
    const struct change **at;
    size_t count, capacity;
};
void change_list_push(struct change_list *l, const struct change *change);

/* One change that the index found for a feed; `next` counts from 1, 0 ends. */
struct hit {
    const struct change *change;
    size_t next;
};

struct hub {
    struct model *model;
    struct map topics; /* by table name */
    struct map feeds;  /* by key */
    struct hub_stats stats;

    /* While publishing; the memory is kept for the next time. */
    const struct commit *commit; /* NULL: not publishing */
    int64_t now_ms;
    struct change_list rest, group, mine; /* changes not told yet; told now; told to one feed */
    struct change_list enters, stays, leaves, alike; /* alike: of stays, told in one event */
    struct hit *hits;
    size_t hit_count, hit_capacity;
    uint64_t round;
    struct buf body;
};

/* feed.c: the feed for this query, found or made. The query's memory is copied. */
struct feed *feed_take(struct hub *h, const struct query *query, const struct feed_ops *ops,
                       bool has_query, const struct principal *principal);
void feed_follow(struct hub *h, struct feed *f, struct subscription *s);
void feed_leave(struct hub *h, struct subscription *s); /* frees the feed with its last follower */

/* project.c: tells a feed of changes of its table, all of one operation and of one kind. */
void feed_tell(struct hub *h, struct feed *f, const struct change *const *changes, size_t count);

#endif
