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
    /* What channels remember of events; a channel that nobody listens to remembers for so long. */
    size_t memory_bytes_max; /* 0: nothing; 64 MiB */
    int64_t memory_age_max_ms, memory_absence_max_ms;
    int64_t chores_interval_ms; /* between two turns of the dialects' chores; 0: no chores */
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

/*
 * Tasks: requests of the server's own, which come by no connection and are answered to nobody: the
 * steps of a job, what falls due. A task takes its handler's lane like any request, is run again
 * where the store's transaction came to nothing, and its commit is published like any other.
 * Loop thread.
 *
 *     struct request *r = service_task(v, &import_step, principal);
 *     if (!r)
 *         return; // the server is stopping
 *     r->command = …; // in r->arena, or longer lived than the task
 *     service_submit(r);
 *
 * Who acts is the principal (its own reference is taken; from `done` of the request that asked for
 * the work: r->principal), brought up to date when the task runs: REFUSED, INVALID_CREDENTIALS,
 * when the user is gone by then. NULL: the system, an admin without a user. r->caller.origin may be
 * set, so that a client does not hear of what it began.
 *
 * The handler's `fail` may be NULL. Its `done` is called always, on the loop, never from within
 * service_submit(), before the commit is published: r->result says how it went (faults are in the
 * log already, a refusal is in r->problem; UNAVAILABLE: the store was away, and whether the change
 * was made need not be known). It may submit the next task; work that is long is so cut into short
 * transactions, between which others write.
 *
 * No queue's bound refuses a task, so who makes tasks bounds how many there are at a time.
 * LANE_LOOP is none of theirs. service_free() finishes those under way, and service_task() gives
 * NULL then.
 *
 * What a dialect has to do now and then is a row of its `chores` (session.h).
 */
struct request *service_task(struct service *v, const struct handler *handler,
                             const struct principal *principal);
void service_submit(struct request *task); /* takes it over */

struct service_stats {
    uint64_t requests, refused, faults, batches, batched_requests, writer_queue, reader_queue;
    size_t sessions;
};
void service_stats(const struct service *s, struct service_stats *stats_out);

#endif
