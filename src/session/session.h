#ifndef SESSION_SESSION_H
#define SESSION_SESSION_H

/*
 * A session: one connected client, from accept to close. Its identity, its requests in flight, its
 * subscriptions. The loop thread's; other threads only see requests.
 *
 * Requests are answered in the order they came. Requests of one lane run together (writes share a
 * commit); a request of another lane waits until those before it are answered, so a client that
 * does not wait still reads what it wrote.
 */

#include <stdatomic.h>
#include <stdbool.h>

#include "base/arena.h"
#include "base/frame.h"
#include "base/json.h"
#include "live/hub.h"
#include "loop/loop.h"
#include "model/access/access.h"
#include "model/model.h"
#include "net/connection.h"
#include "wire/http.h"

struct connection;
struct request;
struct service;
struct session;

/* Where a request runs. */
enum lane {
    LANE_LOOP,   /* at once on the loop thread: in memory only (tx without store) */
    LANE_READ,   /* on a reader */
    LANE_WRITE,  /* on the writer, in a savepoint */
    LANE_SCHEMA, /* on the writer, alone in its transaction */
};

/*
 * What a dialect does with one kind of request; constant. `run` is where the lane says. It and
 * `prepare` may run again, as if they had not before (request_rewind): when the store's transaction
 * came to nothing, and an upgrade when access changed meanwhile. So what they leave behind is
 * outside the store only what may be left twice. On LANE_LOOP nobody looks at HTTP credentials: the
 * principal is the public.
 */
struct handler {
    const char *name; /* for logs */
    enum lane lane;
    /* Slow work ahead of a read or a write (password hashes), on a reader of its own; NULL: none.
     * Skipped unless `wants_prepare`. */
    int (*prepare)(struct request *r, struct tx *tx);
    /* On the loop, when all before it are answered: notes what `run` needs of the session. True:
     * there is nothing to run. NULL: nothing. */
    bool (*begin)(struct request *r);
    /* The work: 0 with the reply in r->reply; REFUSED or a fault: `fail` makes the reply. */
    int (*run)(struct request *r, struct tx *tx);
    /* Makes r->reply from r->problem (kind set; INTERNAL for a fault). Any thread, no tx. NULL: it
     * is only used for tasks (service.h). */
    void (*fail)(struct request *r);
    /* On the loop, when the result of a read or a write is 0 and what it wrote is durable, before
     * the reply, whether or not the client is still there: for what leaves the store for good
     * (mail), and for work that begins with it. NULL: nothing. */
    void (*stored)(struct request *r);
    /* On the loop, after the reply was queued and before the commit is published; NULL: nothing.
     * Not called when the client has gone. */
    void (*done)(struct request *r);
};

/* A request on its way. Made on the loop thread, owned by one thread at a time, freed by session.
 */
struct request {
    struct mail mail;
    struct session *session; /* loop thread only; the session outlives its requests */
    struct arena *arena;
    const struct handler *handler;
    void *command;             /* the dialect's decoded wish, in the arena */
    struct http_request *http; /* NULL: a WebSocket message; freed with the request */
    struct str token;          /* HTTP: credentials to authenticate first; absent: public */
    bool anonymous;            /* HTTP: do not even look at credentials (/server/ping) */
    /* HTTP: finds who asks in the dialect's own way, in place of `token` (a new reference), and may
     * refuse for any reason that comes before the work itself. Worker; NULL: by `token`. */
    int (*admit)(struct request *r, struct tx *tx, struct principal **principal_out);
    bool wants_prepare;
    struct principal
        *principal; /* who acts: WebSocket: the session's; HTTP: found by the worker. A reference */
    struct caller caller;
    struct prepared *prepared;
    struct problem problem;
    size_t bytes;           /* of the message or the body that it came as */
    struct frame *reply;    /* NULL: nothing is sent */
    bool keep_alive;        /* HTTP */
    int64_t stall_until_ms; /* monotonic: the reply waits until then; 0: no */
    bool prompt;            /* set by run: the reply does not wait after all */
    struct commit *commit;  /* set by the writer */
    int result;             /* of run */
    /* ---- session's ---- */
    struct request *next; /* in the session's order */
    uint8_t state;
    atomic_bool abandoned; /* the client has gone: a reader need not begin; any thread */
};

/* What a dialect provides (declared here, filled above). A connection's HTTP requests may be of
 * several; a socket is of the one that upgraded it. */
struct dialect {
    const char *name;
    /* Is the request for this dialect? By its path. NULL: whatever no other one claims. The first
     * that says so has it. */
    bool (*serves)(const struct http_request *http);
    /* Both turn input into a request and submit it (session_request, session_submit), always
     * exactly one. */
    void (*http)(struct session *s, struct http_request *http); /* take */
    void (*message)(struct session *s, struct str text, bool binary);
    /* Answers what could not be parsed as HTTP: that of the dialect that claims nothing is asked;
     * others may have NULL. */
    struct frame *(*bad_http)(int status);
    /* A commit at its place, after feeds and before sight follows it: what is told on channels.
     * Catalogue and principals of the service are still those from before the commit. NULL:
     * nothing. */
    void (*committed)(struct service *v, const struct commit *commit, int64_t now_ms);
    /* A socket of this dialect is gone, and it listens no more: frees session_state(), which is
     * NULL if it was never set. Once for each session_upgraded(). NULL: there is none. */
    void (*closed)(struct session *s);
    /* What is to be done now and then: tasks of the system (service.h), at the start and then each
     * chores_interval_ms; not again while the last turn is under way. Ended by NULL; NULL: none. */
    const struct handler *const *chores;
};

/* A new request of this session: arena, principal (WebSocket) and caller are set. */
struct request *session_request(struct session *s, const struct handler *handler);
/* Hands it on; from here it is session's. */
void session_submit(struct session *s, struct request *r);

struct service *session_service(const struct session *s);
/* The request was an upgrade that succeeded: from here the session speaks WebSocket as `principal`
 * (takes a reference of its own). Called from handler->done. */
void session_upgraded(struct session *s, struct principal *principal);
const struct principal *
session_principal(const struct session *s); /* WebSocket; as of the hub's place */
/* Drops the subscriptions and closes the connection; replies not sent yet are lost, writes not
 * started yet still happen. */
void session_close(struct session *s, enum net_close_reason reason);

/* What a dialect keeps of a socket, from session_upgraded() on: its own memory, freed by
 * dialect->closed. After session_close() it is still there, until the connection has closed. */
void session_set_state(struct session *s, void *state);
void *session_state(const struct session *s);
/* The number that commits of this client carry as their origin (caller.origin of its requests); at
 * first the connection's. */
void session_set_origin(struct session *s, uint64_t origin);
uint64_t session_origin(const struct session *s);
/* Queues one frame for a socket (the caller keeps its reference); nothing when it is closing. */
void session_send(struct session *s, struct frame *frame);

/*
 * Channels: names that sockets listen to ("user/UUID", "table/7"), in order of listening. Made with
 * the first listener, gone with the last. A session that closes listens no more. Loop thread.
 */
enum { CHANNEL_NAME_MAX = 255 };
/* 0; again, or when it is closing: nothing. REFUSED: the name is longer, or it listens to
 * subscriptions_max channels. */
int session_listen(struct session *s, struct str channel);
void session_unlisten(struct session *s, struct str channel);
bool session_listens(const struct session *s, struct str channel);
/* Is it worth anything to tell on this channel? Somebody listens, or may come back to ask what it
 * missed. */
bool service_is_heard(const struct service *v, struct str channel);
bool service_is_any_heard(const struct service *v); /* on any channel there is */
/* One frame to all who listen, but to those of this origin (0: to all). `event` is the number under
 * which it can be heard later; 0: it cannot. */
void service_tell(struct service *v, struct str channel, struct frame *frame, uint64_t but_origin,
                  int64_t event);
/* Each session that listened when this began, and still does at its turn; fn may unlisten and close
 * any, and let any listen. */
void service_each(struct service *v, struct str channel,
                  void (*fn)(struct session *s, void *context), void *context);

/*
 * Events: what is told with a number, so that a client that was cut can hear what it missed.
 *
 * Numbers rise from frame to frame; one frame that is told on many channels has one number. They
 * come from the journal: a commit owns EVENTS_PER_CHANGE of them for each of its changes, from
 * service_event_first() to service_event_last().
 *
 * Channels remember their last events, within the service's bounds (memory_... of
 * service_settings), also for a while after the last listener has left; which channels remember
 * from when on is known, so what cannot be told again is never passed over. What was before
 * (another process, an earlier start) only the journal can tell. Loop thread.
 */
enum { EVENTS_PER_CHANGE = 1024 };
int64_t service_event_first(const struct commit *commit);
int64_t service_event_last(const struct commit *commit);
/* The last number of all that was published, or of what was in the journal at the start; 0: it was
 * empty. */
int64_t service_event_head(const struct service *v);
/* Something was told on the channel that cannot be told again: it remembers nothing up to here. */
void service_forget(struct service *v, struct str channel, int64_t event);

/* From this event on everything is remembered of all channels that the session listens to. */
int64_t session_remembers_from(const struct session *s);
struct replay {
    int64_t after; /* the last event that the client knows */
    int64_t
        proven; /* up to here nothing concerned it, as somebody else has found out; 0: unknown */
    size_t count_max, bytes_max;
};
enum replay_outcome {
    REPLAY_DONE,
    REPLAY_UNKNOWN,  /* the channels do not remember that far back */
    REPLAY_TOO_MUCH, /* of events or bytes */
};
/*
 * Sends what was told after that event on the channels that the session listens to now, but for
 * what was not for its origin: all of it in its order, or nothing. A session that was held is not
 * any more when it is REPLAY_DONE.
 */
enum replay_outcome session_replay(struct session *s, const struct replay *replay);
/*
 * Events wait, until session_replay or session_release: what a client missed is to come before what
 * is told now. For so long at most; 0: until somebody lets it go. What has no number does not wait.
 */
void session_hold(struct session *s, uint64_t for_ms);
/* Sends what waited; accepts one that is not held. */
void session_release(struct session *s);

/*
 * Subscriptions of a session, told apart by collection and uid (absent uid: one more name). Adding
 * one that is there replaces it. On the loop thread, from handler->run of LANE_LOOP. 0, or REFUSED
 * (FORBIDDEN, INVALID_QUERY, LIMIT_EXCEEDED; tx->problem).
 */
int session_subscribe(struct session *s, struct tx *tx, const struct feed_ops *ops,
                      struct str collection, json_t *query, struct str uid, struct str tail);
void session_unsubscribe(struct session *s, struct str uid); /* absent: all */

#endif
