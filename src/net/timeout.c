#include "net/internal.h"

/*
 * Time-outs of all connections with one timer.
 *
 * There are few kinds, and within a kind everybody waits equally long. So each kind is a list in
 * order of arming, which is the order of expiry: arming appends, activity moves to the end, both in
 * constant time and without touching the timer. The timer fires at the earliest deadline it knows
 * of; when that was put off meanwhile, it finds nothing to do and looks for the next.
 */

static void sweep_at(struct net *n, uint64_t due_ms)
{
    uint64_t now = uv_now(loop_uv(n->loop));

    if (due_ms >= n->sweep_due_ms)
        return;
    n->sweep_due_ms = due_ms;
    timer_start(&n->sweep, due_ms > now ? due_ms - now : 0, 0);
}

void timeouts_init(struct net *n)
{
    const struct net_limits *limits = &n->limits;

    n->timeouts[TIMEOUT_IDLE].after_ms = limits->idle_ms_max;
    n->timeouts[TIMEOUT_HEAD].after_ms = limits->head_ms_max;
    n->timeouts[TIMEOUT_PING].after_ms = limits->ping_ms;
    n->timeouts[TIMEOUT_PONG].after_ms = limits->pong_ms_max;
    /* Not even a limit of 0 may mean to linger for ever. */
    n->timeouts[TIMEOUT_LINGER].after_ms = limits->linger_ms_max > 0 ? limits->linger_ms_max : 1;
    for (size_t kind = 0; kind < TIMEOUT_KIND_COUNT; kind++)
        list_init(&n->timeouts[kind].waiting);
    n->sweep_due_ms = UINT64_MAX;
}

/* Which one should run now? */
static enum timeout_kind timeout_wanted(const struct connection *c)
{
    switch (c->state) {
    case CONNECTION_HTTP:
        if (c->blocked)
            return TIMEOUT_IDLE;
        if (input_parsable(c) && http_side_half_read(c))
            return TIMEOUT_HEAD;
        return c->unanswered == 0 ? TIMEOUT_IDLE : TIMEOUT_NONE;
    case CONNECTION_WEBSOCKET:
        if (!input_wanted(c))
            return TIMEOUT_NONE; /* we do not listen, so silence proves nothing */
        return c->awaiting_pong ? TIMEOUT_PONG : TIMEOUT_PING;
    case CONNECTION_CLOSING:
    case CONNECTION_LINGERING:
        return TIMEOUT_LINGER;
    default:
        return TIMEOUT_NONE;
    }
}

static void timeout_arm(struct connection *c, enum timeout_kind kind)
{
    struct net *n = c->net;

    c->timeout = (uint8_t)kind;
    if (kind == TIMEOUT_NONE || n->timeouts[kind].after_ms == 0)
        return;
    c->deadline_ms = uv_now(loop_uv(n->loop)) + n->timeouts[kind].after_ms;
    list_append(&n->timeouts[kind].waiting, &c->timed);
    sweep_at(n, c->deadline_ms);
}

void timeout_forget(struct connection *c)
{
    list_remove(&c->timed);
    c->timeout = TIMEOUT_NONE;
}

void timeout_restart(struct connection *c)
{
    list_remove(&c->timed);
    timeout_arm(c, timeout_wanted(c));
}

void timeout_review(struct connection *c)
{
    if (timeout_wanted(c) != c->timeout)
        timeout_restart(c);
}

static void timeout_expire(struct connection *c, enum timeout_kind kind)
{
    switch (kind) {
    case TIMEOUT_IDLE:
        /* A peer that does not even read its answers will not read a goodbye. */
        if (c->blocked)
            connection_tear_down(c, NET_CLOSE_PEER_SLOW);
        else
            connection_close(c, NET_CLOSE_PEER_IDLE);
        break;
    case TIMEOUT_HEAD:
        c->bad_status = 408;
        net_mark(c);
        break;
    case TIMEOUT_PING:
        websocket_side_ping(c);
        break;
    case TIMEOUT_PONG:
        connection_close(c, NET_CLOSE_PEER_SILENT);
        break;
    default:
        connection_tear_down(c, (enum net_close_reason)c->reason);
        break;
    }
    connection_settle(c);
}

static struct connection *timeout_first(const struct net *n, enum timeout_kind kind)
{
    const struct list *waiting = &n->timeouts[kind].waiting;

    return list_empty(waiting) ? NULL : CONTAINER_OF(waiting->next, struct connection, timed);
}

void timeouts_sweep(void *net)
{
    struct net *n = net;
    uint64_t now = uv_now(loop_uv(n->loop));
    struct connection *c;

    n->sweep_due_ms = UINT64_MAX;
    for (enum timeout_kind kind = 0; kind < TIMEOUT_KIND_COUNT; kind++) {
        while ((c = timeout_first(n, kind)) && c->deadline_ms <= now) {
            timeout_forget(c);
            timeout_expire(c, kind);
        }
    }
    for (enum timeout_kind kind = 0; kind < TIMEOUT_KIND_COUNT; kind++) {
        if ((c = timeout_first(n, kind)))
            sweep_at(n, c->deadline_ms);
    }
}
