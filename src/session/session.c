#include "session/session.h"

#include <assert.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "session/internal.h"

/*
 * One list of requests in the order they came holds both ends of a session: replies leave at its
 * head, and `waiting` marks the first request that has not started. Those between the two run, and
 * all have the lane of the head; so the whole rule of who may start is one comparison. Every change
 * ends in session_advance, which sends what is due, starts what may start, and frees the session
 * when its connection is gone and nothing is left in flight.
 */

/* ---- replies that wait for their time ---- */

struct stall {
    struct timer timer;
    struct session *session; /* NULL: it does not wait any more */
};

static void stall_closed(void *context)
{
    mem_free(context);
}

static void stall_end(struct session *s)
{
    struct stall *stall = s->stall;

    if (!stall)
        return;
    s->stall = NULL;
    timer_stop(&stall->timer);
    timer_close(&stall->timer, stall_closed);
}

static void on_stall_over(void *context)
{
    struct stall *stall = context;
    struct session *s = stall->session;

    stall_end(s);
    session_advance(s);
}

/* True while the reply has to wait; a timer then brings the session back. */
static bool is_stalled(struct session *s, const struct request *r)
{
    int64_t left_ms = r->stall_until_ms - clock_monotonic_ms();

    if (r->stall_until_ms == 0 || r->prompt || left_ms <= 0)
        return false;
    if (!s->stall) {
        s->stall = MEM_NEW(struct stall);
        s->stall->session = s;
        timer_init(&s->stall->timer, s->service->loop, on_stall_over, s->stall);
        timer_start(&s->stall->timer, (uint64_t)left_ms, 0);
    }
    return true;
}

/* ---- life ---- */

struct session *session_new(struct service *v)
{
    struct session *s = MEM_NEW(struct session);

    s->service = v;
    s->dialect = service_last_dialect(v);
    s->next = v->sessions;
    if (s->next)
        s->next->previous = s;
    v->sessions = s;
    v->stats.sessions++;
    return s;
}

void session_open(struct service *v, struct connection *c)
{
    struct session *s = session_new(v);

    s->connection = c;
    s->origin = connection_id(c);
    connection_set_user(c, s);
}

static void session_free(struct session *s)
{
    struct service *v = s->service;

    assert(!s->followed && !s->listening && !s->stall && !s->state);
    if (s->next)
        s->next->previous = s->previous;
    if (s->previous)
        s->previous->next = s->next;
    else
        v->sessions = s->next;
    if (s->actor)
        actor_leave(v, s->actor);
    mem_free(s);
    if (--v->stats.sessions == 0 && v->draining)
        loop_stop(v->loop);
}

/* Reads that still wait for a reader are worth nothing now, and would hold up those of others. */
static void abandon(struct session *s)
{
    for (struct request *r = s->first; r; r = r->next)
        atomic_store_explicit(&r->abandoned, true, memory_order_relaxed);
}

bool session_is_gone(const struct session *s)
{
    return !s->connection || s->closing;
}

/* Only now, and not when it was closed from here: whoever did that may go on with its state. */
static void forget_state(struct session *s)
{
    if (s->websocket && s->dialect->closed)
        s->dialect->closed(s);
    s->state = NULL;
}

void session_closed(struct session *s)
{
    s->connection = NULL;
    abandon(s);
    stall_end(s);
    subscriptions_drop(s);
    channels_drop(s);
    forget_state(s);
    session_advance(s);
}

void session_close(struct session *s, enum net_close_reason reason)
{
    if (s->closing || !s->connection)
        return;
    s->closing = true;
    abandon(s);
    subscriptions_drop(s);
    channels_drop(s);
    connection_close(s->connection, reason);
}

void session_leave(struct session *s)
{
    s->leaving = true;
    session_advance(s);
}

void session_upgraded(struct session *s, struct principal *principal)
{
    assert(!s->websocket && s->connection);
    assert(principal->catalogue->version == s->service->catalogue->version);
    s->websocket = true;
    s->actor = actor_take(s->service, principal);
    connection_upgrade(s->connection);
}

/* ---- requests in ---- */

struct request *session_request(struct session *s, const struct handler *handler)
{
    assert(s->connection);
    struct request *r = request_new(handler);

    r->session = s;
    r->principal = s->actor ? principal_ref(s->actor->principal) : NULL;
    r->caller.ip = arena_str(r->arena, connection_address(s->connection));
    r->caller.origin = s->origin;
    return r;
}

void session_submit(struct session *s, struct request *r)
{
    if (r->http && !r->caller.user_agent.at) {
        struct str agent = http_header_get(r->http, "User-Agent");
        if (text_is_plain(agent)) /* a header may hold Latin-1, which no store takes */
            r->caller.user_agent = agent;
    }
    if (r->http)
        r->bytes = r->http->body.len;
    if (s->last)
        s->last->next = r;
    else
        s->first = r;
    s->last = r;
    if (!s->waiting)
        s->waiting = r;
    s->request_count++;
    s->request_bytes += r->bytes;
    s->service->stats.requests++;
    session_advance(s);
}

/* ---- replies out ---- */

/*
 * An upgrade makes its reader's finding the session's identity, so the two must speak of the same
 * moment: a finding ahead of the hub waits for it, one that was overtaken is made again. So is one
 * with a catalogue that the reader had to load itself: equal, but not the one that all others have.
 */
static bool is_upgrade(const struct request *r)
{
    return r->http && r->http->upgrade && r->result == 0 && r->handler->lane == LANE_READ;
}

static bool may_go(struct session *s, struct request *r)
{
    if (r->state != REQUEST_DONE)
        return false;
    if (session_is_gone(s))
        return true;
    if (is_stalled(s, r))
        return false;
    if (!is_upgrade(r))
        return true;

    const struct catalogue *found = r->principal->catalogue, *here = s->service->catalogue;
    s->ahead = found->version > here->version;
    if (found != here && !s->ahead)
        service_rerun(s->service, r);
    return found == here;
}

static void reply(struct session *s, struct request *r)
{
    if (r->reply)
        connection_send(s->connection, r->reply);
    if (r->handler->done)
        r->handler->done(r);
    if (!s->websocket && !session_is_gone(s))
        connection_responded(s->connection, r->keep_alive);
}

void session_deliver(struct session *s)
{
    while (s->first && may_go(s, s->first)) {
        struct request *r = s->first;
        if (s->task)
            task_end(r);
        else if (!session_is_gone(s))
            reply(s, r);
        s->first = r->next;
        if (!s->first)
            s->last = NULL;
        s->request_count--;
        s->request_bytes -= r->bytes;
        request_free(r);
    }
}

/* ---- starting ---- */

/* Answers may be large, and over HTTP a client may ask for many without taking any: so there reads
 * run one by one, and nothing starts while more waits to be sent than may. (A WebSocket that does
 * not read is closed.) */
static bool has_room_for(const struct session *s, const struct request *r)
{
    if (s->websocket || session_is_gone(s))
        return true;
    return !connection_is_full(s->connection) && (r == s->first || r->handler->lane != LANE_READ);
}

/* Requests start in order, and run together while they have the lane of the first; what looks at
 * the session as it begins waits for all before it. */
static bool may_start(const struct session *s, const struct request *r)
{
    bool together = !r->handler->begin && r->handler->lane == s->first->handler->lane;

    return !s->preparing && (r == s->first || together) && has_room_for(s, r);
}

/* When nobody waits for it any more only what leaves something behind is done. */
static bool is_pointless(const struct session *s, const struct request *r)
{
    bool leaves_something = r->handler->lane != LANE_LOOP && r->handler->lane != LANE_READ;

    return session_is_gone(s) && !s->task && !leaves_something;
}

static void start_waiting(struct session *s)
{
    while (s->waiting && may_start(s, s->waiting)) {
        struct request *r = s->waiting;
        s->waiting = r->next;
        if (is_pointless(s, r))
            r->state = REQUEST_DONE;
        else
            service_start(s->service, r);
    }
}

/* As JSON in memory a request takes several times the bytes that it came as. */
enum { REQUEST_BYTES_MAX = 4 << 20 };

/* A client that asks faster than it is answered is not read further. */
static void control_flow(struct session *s)
{
    bool full = s->leaving || s->request_count >= s->service->settings.session_requests_max ||
                s->request_bytes >= REQUEST_BYTES_MAX;

    if (!s->connection || full == s->paused)
        return;
    s->paused = full;
    if (full)
        connection_pause(s->connection);
    else
        connection_resume(s->connection);
}

void session_advance(struct session *s)
{
    do {
        session_deliver(s);
        start_waiting(s);
    } while (s->first && may_go(s, s->first));

    control_flow(s);
    if (s->leaving && !s->first && !session_is_gone(s))
        session_close(s, NET_CLOSE_SHUTDOWN);
    if (!s->connection && !s->first && s->holds == 0)
        session_free(s);
}

/* ---- what dialects ask ---- */

struct service *session_service(const struct session *s)
{
    return s->service;
}

const struct principal *session_principal(const struct session *s)
{
    assert(s->actor);
    return s->actor->principal;
}

void session_set_state(struct session *s, void *state)
{
    assert(s->websocket && s->connection);
    s->state = state;
}

void *session_state(const struct session *s)
{
    return s->state;
}

void session_set_origin(struct session *s, uint64_t origin)
{
    s->origin = origin;
}

uint64_t session_origin(const struct session *s)
{
    return s->origin;
}

void session_send(struct session *s, struct frame *frame)
{
    assert(s->websocket);
    if (!session_is_gone(s))
        connection_send(s->connection, frame);
}
