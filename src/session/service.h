#ifndef SESSION_SERVICE_H
#define SESSION_SERVICE_H

/*
 * The service: what all sessions of one process share (model, hub, workers, sessions) and the
 * hops of a request:
 *
 *   loop ── request ──► preparer ── slow work done ──────────► loop: on to its lane
 *        ├─ request ──► readers ─── done request ────────────► loop: its session
 *        └─ request ──► writer ──── batch of done requests ──► loop: hub, then sessions
 *
 * The writer gathers the requests that wait (up to a bound), runs each in a savepoint of one
 * transaction, commits once and posts the whole batch back. On the loop, for each request of the
 * batch in order: its reply is queued, then its commit is published by the hub and told to the
 * dialects. So a client sees its reply first and then the event, always, and everyone sees events
 * in commit order.
 */

#include "live/hub.h"
#include "loop/loop.h"
#include "model/model.h"
#include "net/connection.h"
#include "session/session.h"

struct service_settings {
    unsigned readers;        /* threads; 2 */
    size_t writer_batch_max; /* requests in one transaction; 1,024 */
    size_t writer_queue_max; /* waiting writes past which new ones get 503; 65,536 */
    size_t reader_queue_max; /* 65,536 */
    /* Each may take a tenth of a second: who would outwait its patience is told at once; 256. */
    size_t preparer_queue_max;
    unsigned session_requests_max; /* in flight on one connection; then its reading pauses; 256 */
    unsigned subscriptions_max;    /* on one connection, and as many channels; 1,000 */
    int64_t login_stall_ms;        /* LOGIN_STALL_TIME, 500 */
};

struct service;
/*
 * Starts the threads. Settings and the list of dialects are copied; the rest is borrowed for the
 * service's life. One dialect claims nothing (serves == NULL) and has the rest. 0, or a fault with
 * its words. `net` is made afterwards, with service_connection_ops() and the service as
 * its user.
 */
int service_new(struct loop *l, struct model *m, const struct service_settings *settings,
                const struct dialect *const *dialects, size_t dialect_count,
                struct service **service_out);
/*
 * On the loop's thread, while the loop does not run, with every connection closed. Requests that
 * are still in flight are finished first (the loop turns for them), then the threads are joined.
 * Accepts NULL.
 */
void service_free(struct service *s);

const struct connection_ops *service_connection_ops(void); /* user of net: the service */
struct model *service_model(const struct service *s);
struct hub *service_hub(const struct service *s);
const struct service_settings *service_settings(const struct service *s);
const struct catalogue *
service_catalogue(const struct service *s); /* as of the hub's place in the journal; loop thread */

struct service_stats {
    uint64_t requests, refused, faults, batches, batched_requests, writer_queue, reader_queue;
    size_t sessions;
};
void service_stats(const struct service *s, struct service_stats *stats_out);

#endif
