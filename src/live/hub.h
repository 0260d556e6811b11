#ifndef LIVE_HUB_H
#define LIVE_HUB_H

/*
 * The hub: takes commits in order and tells each feed what of them it may see.
 *
 * A feed is (table, permission class, query, dialect): one evaluation and one encoding per feed and
 * change, whatever the number of followers. A subscription is a client's interest: it follows a
 * feed, or none while its principal may not read the table (dormant).
 *
 * Per change and feed the row's membership before and after is told apart: enter (becomes visible),
 * stay, leave (was visible), nothing. A change that touches no column that the feed's condition
 * uses keeps the previous membership. Feeds whose condition implies `column = value` are found by
 * hash on the before and after values, so a change costs the feeds it concerns, not all feeds.
 *
 * Lives on one thread (the loop's). No sockets, no store.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/frame.h"
#include "base/json.h"
#include "base/str.h"
#include "model/access/access.h"
#include "model/commit.h"
#include "model/items/query.h"
#include "model/model.h"

struct hub;
struct feed;
struct subscription;

/*
 * What one feed is told of one operation: the rows that entered (one event each), the rows that
 * stay (one event for all of which the same fields may be seen), the rows that left or were deleted
 * (one event for all).
 */
enum event_kind { EVENT_CREATE, EVENT_UPDATE, EVENT_DELETE };
struct event {
    enum event_kind kind;
    bool moved; /* CREATE: an update brought the row in; DELETE: an update took it out */
    const struct commit *commit;
    const struct table *table;
    const struct change *const *changes; /* CREATE: exactly one */
    size_t count;
    /* Fields that every follower may see of each of these rows now: readable under grant and masks,
     * and asked for by the feed's query. Not meaningful for DELETE. */
    struct column_set visible;
    /* UPDATE: which fields may be seen of each of these rows is not what it was. */
    bool unveiled;
    int64_t now_ms; /* the moment that `visible` was judged at; for masks of single rows */
};

/* Filled by a dialect: how its clients are told. */
struct feed_ops {
    const char *dialect;
    /*
     * Writes the event's text for all followers of the feed; nothing written: nothing is sent.
     * Where feed_has_query(), they get whole rows.
     */
    void (*write)(const struct feed *feed, const struct event *event, struct buf *body_out);
    /* Makes the bytes for followers with this tail (a subscription's own part, such as its uid). */
    struct frame *(*frame)(struct str body, struct str tail);
};

/* What the feed shows, for ops->write. */
const struct query *feed_query(const struct feed *f);
bool feed_has_query(const struct feed *f);

struct subscription_ops {
    /* The frame's reference stays the hub's; take one to keep it. Must not unsubscribe inside. */
    void (*deliver)(struct subscription *s, struct frame *frame);
    /* It was bound, and binding it again was refused: the table is gone or not readable any more,
     * or the query no longer compiles. It is dormant from here. NULL: nobody wants to know. */
    void (*silenced)(struct subscription *s);
};

/* Embedded in what a client holds; zeroed, then filled by the owner up to the line. */
struct subscription {
    const struct subscription_ops *ops;
    const struct feed_ops *feed_ops;
    struct str collection; /* the owner's memory */
    json_t *query;         /* the owner's reference; NULL: none */
    struct str tail;       /* the owner's memory; empty: none */
    /* ---- the hub's ---- */
    struct feed *feed; /* NULL: dormant */
    struct subscription *next, *previous;
};

struct hub *hub_new(struct model *model);
void hub_free(struct hub *h); /* all subscriptions unbound before */

/*
 * Binds a subscription to its feed for this principal (again: rebinds, keeping its place). 0;
 * REFUSED: the principal may not read the table or the query does not compile (tx->problem says
 * why), the subscription is then dormant. tx without store: catalogue, principal, arena and problem
 * are set.
 */
int hub_bind(struct hub *h, struct subscription *s, struct tx *tx);
void hub_unbind(struct hub *h, struct subscription *s); /* accepts one that is not bound */

/* Tells all feeds of one commit. Changes of system tables reach feeds of system tables only. */
void hub_publish(struct hub *h, const struct commit *commit, int64_t now_ms);

struct hub_stats {
    uint64_t commits, changes, evaluations, encodings, deliveries;
    size_t feeds, subscriptions;
};
const struct hub_stats *hub_stats(const struct hub *h);

#endif
