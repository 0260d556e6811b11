#ifndef SESSION_INTERNAL_H
#define SESSION_INTERNAL_H

/*
 * The inside of session and service. Everything here is the loop thread's, except what says worker.
 *
 * The state of a request, and who owns it:
 *
 *   WAITING ──► RUNNING ──► DONE ──► freed
 *      │           ▲         ▲
 *      └► PREPARING┴─────────┘
 *
 *   WAITING    the session: one of another lane is before it
 *   PREPARING  the preparer: slow work ahead of a read or a write
 *   RUNNING    a reader or the writer
 *   DONE       the session: replies before it come first
 */

#include <stdatomic.h>

#include "base/map.h"
#include "session/service.h"

enum request_state { REQUEST_WAITING, REQUEST_PREPARING, REQUEST_RUNNING, REQUEST_DONE };

/*
 * One person on one address by one static token, if any: sessions that are equal before every rule
 * share a principal, which follows the hub's place. A revoked one is in no map: it goes with its
 * last session.
 */
struct actor {
    struct principal *principal;
    size_t session_count;
    bool revoked;
    bool changed; /* while access is followed: the principal is a new one */
};

/* What is done now and then (struct dialect, chores). */
struct chores;

/* A reply that waits for its time (r->stall_until_ms); heap, goes after its timer closed. */
struct stall;
struct hold;

/* Small: an idle subscribed client costs this and its subscriptions. */
struct session {
    struct service *service;
    struct connection *connection; /* NULL: closed; requests in flight keep the session */
    const struct dialect *dialect; /* of the last HTTP request; for good once that upgraded it */
    void *state;                   /* the dialect's; of a task: the chore that it is for, or NULL */
    uint64_t origin;
    struct session *next, *previous;
    struct request *first, *last; /* in the order they came */
    struct request *waiting;      /* the first that has not started */
    struct actor *actor;          /* NULL: HTTP */
    struct followed *followed;    /* subscriptions */
    struct listener *listening;   /* to channels, the last one first */
    struct stall *stall;
    struct hold *hold;    /* events wait (replay.c); NULL: they do not */
    size_t request_bytes; /* that requests in flight came as */
    unsigned request_count;
    unsigned followed_count;
    unsigned followed_bytes; /* of all subscriptions, as the client wrote them */
    unsigned listening_count;
    unsigned holds;     /* reasons not to free it yet */
    bool task : 1;      /* the server's own: it never had a connection, and has one request */
    bool preparing : 1; /* a write is with a reader: those behind it wait */
    bool websocket : 1;
    bool closing : 1; /* closed from here; the connection may still drain */
    bool paused : 1;  /* the connection's reading is */
    bool leaving : 1; /* the server is going away: closed when the last answer is out */
    bool ahead : 1;   /* an upgrade saw a catalogue that the hub has not reached yet */
};

struct service {
    struct loop *loop;
    struct model *model;
    struct service_settings settings;
    const struct dialect **dialects;
    size_t dialect_count;
    struct hub *hub;
    struct catalogue *catalogue; /* as of the hub's place */
    int64_t commit_number;       /* of the hub's place; 0: nothing was committed yet */
    struct workers *readers, *preparer, *writer;
    struct mailbox *from_readers, *from_writer;
    struct batch *last_batch; /* an empty one, behind all that the writer posted; NULL: not yet */
    struct session *sessions;
    struct map actors;   /* by user, address and token */
    struct map channels; /* by name */
    uint64_t listener_number;
    struct memory {
        struct told *oldest, *newest;
        struct channel *longest, *shortest; /* that nobody listens to, since the longest time */
        size_t bytes;
    } memory;              /* of channels (memory.c) */
    int64_t published;     /* the journal's sequence number that the hub has reached */
    struct chores *chores; /* NULL: none */
    struct service_stats stats;
    bool draining;            /* service_free waits for the last session */
    atomic_bool away;         /* the database is; any thread (trouble.c) */
    _Atomic(int64_t) back_ms; /* monotonic, when it was back; 0: never away */
};

/* A transaction in memory, as of the hub's place. */
struct tx service_tx(const struct service *v, struct arena *arena,
                     const struct principal *principal, struct problem *problem,
                     const struct caller *caller);
const struct dialect *service_dialect(const struct service *v, const struct http_request *http);
/* The one that has what no other one claims. */
const struct dialect *service_last_dialect(const struct service *v);
/* Starts a request where its lane says, or refuses it when that queue is full. */
void service_start(struct service *v, struct request *r);
void service_rerun(struct service *v, struct request *r); /* a read that is done, once more */

/* ---- request.c ---- */
struct request *request_new(const struct handler *handler);
void request_free(struct request *r);
/* What of a request a transaction needs; reader_begin and writer_run fill in the rest. Worker. */
struct tx request_tx(struct request *r);
/* Finds who acts, for r and tx. 0, REFUSED or a fault. Worker. */
int request_authenticate(struct request *r, struct tx *tx);
/* Notes the result; anything but 0 makes the failing reply. Faults are logged here. Any thread. */
void request_settle(struct request *r, int result);
/* The same, the problem being known and logged; the reason is a constant, or absent. Any thread. */
void request_fail(struct request *r, int result, enum problem_kind kind, struct str reason);
void request_rewind(struct request *r); /* as if it had not run */

/* ---- trouble.c: what is tried again, and what is told when that does not help. Workers ---- */
enum { RERUNS_MAX = 8 };
/* How often one piece of work was run again; zeroed when it begins. */
struct patience {
    unsigned reruns;
    bool lost;        /* a connection, once */
    char reason[256]; /* why, as the store said it */
};
/* After a fault: is another try worth it? Conflicts are given a moment to pass. */
bool patience_lasts(struct patience *p, enum store_trouble trouble);
/* Answers 503, and says why. */
void trouble_refuse(struct request *r, enum store_trouble trouble);
/* Notes that the database is away; back: the writer's thread says so. The log is told once. */
void trouble_away(struct service *v, const char *reason);
void trouble_over(struct service *v);

/* ---- reader_pool.c, writer.c: the threads ---- */
int reader_pool_start(struct service *v);
int writer_start(struct service *v);
/*
 * What the writer posts: requests of one transaction, in the order of their commits; or the commits
 * of one that was in doubt, when its requests were answered before it turned out to be there.
 */
struct batch {
    struct mail mail;
    struct commit **late; /* a reference each */
    size_t late_count;
    size_t count;
    struct request *requests[];
};
struct batch *batch_new(size_t request_count);
void batch_free(struct batch *b); /* not the requests; accepts NULL */

/* ---- task.c ---- */
void task_end(struct request *r); /* it is done, and not published yet */
/* From the loop's next turn on, each chores_interval_ms; 0: never. */
void chores_start(struct service *v);
void chores_stop(struct chores *c); /* none is under way; accepts NULL */

/* ---- session.c ---- */
struct session *session_new(struct service *v); /* without a connection */
void session_open(struct service *v, struct connection *c);
void session_closed(struct session *s);
bool session_is_gone(const struct session *s); /* closed, or closing */
/* The server is going away: nothing more is read, and the last answer closes it. */
void session_leave(struct session *s);
/* Sends the replies whose turn has come. */
void session_deliver(struct session *s);
/* The same, then starts what may start; may free the session. */
void session_advance(struct session *s);

/* ---- subscriptions.c ---- */
void subscriptions_rebind(struct session *s); /* after its principal changed */
void subscriptions_drop(struct session *s);   /* all of them */

/* ---- channels.c ---- */
void channels_drop(struct session *s); /* it listens no more, and nothing waits for it */

/* ---- access.c ---- */
struct actor *actor_take(struct service *v, struct principal *principal);
void actor_leave(struct service *v, struct actor *a);
/*
 * Before a commit is published: closes every WebSocket when it is not the next one. That happens
 * when another process wrote, or when a commit was answered as failed but is there after all, and
 * the store did not say that it was in doubt; what it told nobody can say, so clients are to come
 * back and read.
 */
void access_expect(struct service *v, const struct commit *commit);
/* Moves the service to where it stands after the commit: catalogue, principals, subscriptions. */
void access_follow(struct service *v, const struct commit *commit);

#endif
