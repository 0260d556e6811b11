#include "net/internal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/mem.h"

void net_mark(struct connection *c)
{
    if (c->state == CONNECTION_CLOSED || !list_empty(&c->pending))
        return;
    list_append(&c->net->pending, &c->pending);
    loop_at_end(c->net->loop);
}

static void connection_end_turn(struct connection *c)
{
    input_resume(c);
    http_side_turn_away(c);
    websocket_side_pong(c);
    /* What the callbacks above queued leaves now; marks from here on are for the next turn. */
    list_remove(&c->pending);
    output_write(c);
    output_review(c);
    connection_settle(c);
}

/* A frame for thousands of sockets meets thousands of cold connections: each is fetched while the
 * one before it is sent. */
static void fetch_ahead(struct list *next)
{
    const struct connection *c = CONTAINER_OF(next, struct connection, pending);

    PREFETCH(&c->pending);
    PREFETCH(&c->outbox);
    PREFETCH(&c->fd);
}

/* The loop's flush. Connections that are marked meanwhile wait for the next turn, so that each turn
 * ends. */
static void net_end_turn(void *context)
{
    struct net *n = context;
    struct list turn;

    list_take_all(&n->pending, &turn);
    while (!list_empty(&turn)) {
        fetch_ahead(turn.next->next);
        connection_end_turn(CONTAINER_OF(turn.next, struct connection, pending));
    }
}

static void net_stopped(struct net *n)
{
    void (*stopped)(void *context) = n->stopped;

    n->stopped = NULL;
    timer_stop(&n->shutdown);
    if (stopped)
        stopped(n->stopped_context);
}

void net_connection_freed(struct net *n)
{
    n->alive_count--;
    if (n->stopping && n->alive_count == 0)
        net_stopped(n);
}

/* The time for a graceful end is over (or there was nothing to end). */
static void net_cut_all(void *context)
{
    struct net *n = context;

    while (!list_empty(&n->all))
        connection_tear_down(CONTAINER_OF(n->all.next, struct connection, all), NET_CLOSE_SHUTDOWN);
    if (n->alive_count == 0)
        net_stopped(n);
}

static void net_timer(struct net *n, struct timer *t, void (*fire)(void *net))
{
    timer_init(t, n->loop, fire, n);
    n->handle_count++;
}

int net_new(struct loop *l, const struct net_limits *limits, const struct connection_ops *ops,
            void *user, struct net **net_out)
{
    int reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    if (reserve_fd < 0)
        return FAULT_BECAUSE(errno, "cannot open /dev/null");
    struct net *n = MEM_NEW(struct net);
    n->loop = l;
    n->limits = *limits;
    n->ops = *ops;
    n->user = user;
    n->reserve_fd = reserve_fd;
    n->ping = websocket_frame(WEBSOCKET_PING, STR_NULL);
    n->go_on = frame_from(STR("HTTP/1.1 100 Continue\r\n\r\n"), STR_NULL);
    list_init(&n->all);
    list_init(&n->pending);
    net_timer(n, &n->accept_again, listeners_retry);
    net_timer(n, &n->sweep, timeouts_sweep);
    net_timer(n, &n->shutdown, net_cut_all);
    timeouts_init(n);
    loop_set_flush(l, net_end_turn, n);
    *net_out = n;
    return 0;
}

void net_handle_closed(struct net *n)
{
    n->handle_count--;
    if (n->freeing && n->handle_count == 0)
        mem_free(n);
}

static void on_timer_closed(void *context)
{
    net_handle_closed(context);
}

void net_free(struct net *n)
{
    if (!n)
        return;
    assert(n->alive_count == 0 && !n->freeing);
    n->freeing = true;
    loop_set_flush(n->loop, NULL, NULL);
    listeners_stop(n);
    timer_close(&n->accept_again, on_timer_closed);
    timer_close(&n->sweep, on_timer_closed);
    timer_close(&n->shutdown, on_timer_closed);
    if (n->reserve_fd >= 0)
        close(n->reserve_fd);
    frame_unref(n->ping);
    frame_unref(n->go_on);
}

void net_shutdown(struct net *n, void (*done)(void *context), void *context)
{
    assert(!n->stopping);
    n->stopping = true;
    n->stopped = done;
    n->stopped_context = context;
    listeners_stop(n);
    for (struct list *at = n->all.next; at != &n->all; at = at->next) {
        struct connection *c = CONTAINER_OF(at, struct connection, all);
        if (connection_is_websocket(c) && n->ops.leave)
            n->ops.leave(c);
        else if (c->unanswered == 0)
            connection_close(c, NET_CLOSE_SHUTDOWN);
    }
    timer_start(&n->shutdown, n->alive_count > 0 ? n->limits.linger_ms_max : 0, 0);
}

void *net_user(const struct net *n)
{
    return n->user;
}

const struct net_stats *net_stats(const struct net *n)
{
    return &n->stats;
}

int net_port(const struct net *n)
{
    return n->port;
}
