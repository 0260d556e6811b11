#include "net/internal.h"

#include <assert.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include "base/mem.h"

/*
 * The life of a connection: opened by the listener, moved along by what the peer and the floor
 * above do, settled after each event, torn down.
 *
 * The socket is watched by libuv's poll handle and read and written by us, not by its stream
 * handle: a turn's frames then leave in one system call straight from the shared frames, without a
 * request object for each write, and the handle is a third smaller.
 */

/* The moves; drawn in connection.h. */
#define TO(state) (1u << CONNECTION_##state)
static const uint8_t allowed[CONNECTION_STATE_COUNT] = {
    [CONNECTION_HTTP] = TO(WEBSOCKET) | TO(CLOSING) | TO(CLOSED),
    [CONNECTION_WEBSOCKET] = TO(CLOSING) | TO(CLOSED),
    [CONNECTION_CLOSING] = TO(LINGERING) | TO(CLOSED),
    [CONNECTION_LINGERING] = TO(CLOSED),
};
#undef TO

static const struct {
    const char *name, *text;
    uint16_t code;
} reasons[NET_CLOSE_REASON_COUNT] = {
#define X(name, code, whose, text) [NET_CLOSE_##name] = {#name, text, code},
    NET_CLOSE_REASONS(X)
#undef X
};

/* The only place that writes c->state. */
static void connection_move(struct connection *c, enum connection_state next)
{
    assert(allowed[c->state] & 1u << next);
    c->state = (uint8_t)next;
}

bool connection_is_open(const struct connection *c)
{
    return c->state == CONNECTION_HTTP || c->state == CONNECTION_WEBSOCKET;
}

static void on_poll(uv_poll_t *handle, int status, int events)
{
    struct connection *c = CONTAINER_OF(handle, struct connection, poll);

    if (status < 0) {
        c->broken = true;
    } else {
        if (events & UV_WRITABLE) {
            c->blocked = false;
            output_write(c);
            output_review(c);
        }
        if (events & UV_READABLE)
            input_read(c);
    }
    connection_settle(c);
}

static void on_closed(uv_handle_t *handle)
{
    struct connection *c = CONTAINER_OF(handle, struct connection, poll);
    struct net *n = c->net;

    http_decoder_free(c->http);
    if (c->websocket)
        websocket_decoder_deinit(&c->ws);
    mem_free(c);
    net_connection_freed(n);
}

void connection_open(struct net *n, int fd, const struct address *address)
{
    static const int on = 1;
    struct connection *c = MEM_NEW(struct connection);

    if (uv_poll_init(loop_uv(n->loop), &c->poll, fd) != 0) {
        mem_free(c);
        close(fd);
        n->stats.refused++;
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    c->net = n;
    c->fd = fd;
    c->id = ++n->last_id;
    c->state = CONNECTION_HTTP;
    c->timeout = TIMEOUT_NONE;
    c->address = *address;
    list_init(&c->pending);
    list_init(&c->timed);
    list_init(&c->all);
    list_append(&n->all, &c->all);
    outbox_init(&c->outbox);
    n->alive_count++;
    n->stats.accepted++;
    n->stats.open++;
    n->ops.opened(c);
    connection_settle(c);
}

void connection_become_websocket(struct connection *c)
{
    connection_move(c, CONNECTION_WEBSOCKET);
    c->websocket = true;
    c->net->stats.websockets++;
}

void connection_close_with(struct connection *c, enum net_close_reason reason, uint16_t code,
                           struct str text)
{
    if (!connection_is_open(c))
        return;
    if (c->state == CONNECTION_WEBSOCKET) {
        if (reason == NET_CLOSE_PEER_SLOW)
            outbox_drop_unsent(&c->outbox);
        frame_unref(c->pong);
        c->pong = NULL;
        if (code != WEBSOCKET_ABNORMAL) {
            AUTO(frame_unref) struct frame *goodbye = websocket_close_frame(code, text);
            output_push(c, goodbye);
        }
    } else {
        input_drop_held(c);
    }
    if (reason == NET_CLOSE_PEER_VANISHED)
        c->broken = true;
    c->reason = (uint8_t)reason;
    connection_move(c, CONNECTION_CLOSING);
    net_mark(c);
}

void connection_close(struct connection *c, enum net_close_reason reason)
{
    connection_close_with(c, reason, reasons[reason].code, str_of(reasons[reason].text));
}

void connection_tear_down(struct connection *c, enum net_close_reason reason)
{
    struct net *n = c->net;

    if (!connection_is_open(c))
        reason = c->reason;
    connection_move(c, CONNECTION_CLOSED);
    list_remove(&c->all);
    list_remove(&c->pending);
    timeout_forget(c);
    outbox_deinit(&c->outbox);
    frame_unref(c->pong);
    c->pong = NULL;
    input_drop_held(c);
    uv_close((uv_handle_t *)&c->poll, on_closed);
    close(c->fd);
    n->stats.open--;
    n->stats.websockets -= c->websocket;
    n->stats.closed_by[reason]++;
    n->ops.closed(c, reason);
}

/* What to wait for. Only a change costs anything. */
static void connection_poll(struct connection *c)
{
    int events = (input_wanted(c) ? UV_READABLE : 0) | (c->blocked ? UV_WRITABLE : 0);

    if (events == c->polled)
        return;
    c->polled = (uint8_t)events;
    if (events == 0)
        uv_poll_stop(&c->poll);
    else
        uv_poll_start(&c->poll, events, on_poll);
}

/* The peer will not send anything more. What it asked before is still answered. */
static void connection_peer_ended(struct connection *c)
{
    if (c->state == CONNECTION_WEBSOCKET)
        c->broken = true; /* no goodbye: cut */
    else if (c->state == CONNECTION_HTTP && c->unanswered == 0 && c->bad_status == 0)
        connection_close(c, NET_CLOSE_PEER_CLOSED);
}

static bool connection_said_all(const struct connection *c)
{
    bool goodbyes_done = !c->websocket || c->peer_done || c->ended;

    return c->state == CONNECTION_CLOSING && c->outbox.count == 0 && goodbyes_done;
}

void connection_settle(struct connection *c)
{
    if (c->state == CONNECTION_CLOSED)
        return;
    if (c->ended)
        connection_peer_ended(c);
    if (connection_said_all(c) && !c->broken && !c->ended) {
        c->broken = shutdown(c->fd, SHUT_WR) != 0;
        connection_move(c, CONNECTION_LINGERING);
    }
    bool over = c->ended && (connection_said_all(c) || c->state == CONNECTION_LINGERING);
    if (c->broken || over) {
        connection_tear_down(c, NET_CLOSE_PEER_VANISHED);
        return;
    }
    if ((c->held && input_parsable(c)) || (c->pong && !c->blocked))
        net_mark(c);
    connection_poll(c);
    timeout_review(c);
}

const char *net_close_reason_name(enum net_close_reason reason)
{
    return reasons[reason].name;
}

const char *net_close_reason_text(enum net_close_reason reason)
{
    return reasons[reason].text;
}

struct net *connection_net(const struct connection *c)
{
    return c->net;
}

void connection_set_user(struct connection *c, void *user)
{
    c->user = user;
}

void *connection_user(const struct connection *c)
{
    return c->user;
}

struct str connection_address(const struct connection *c)
{
    static _Thread_local char text[ADDRESS_TEXT_MAX];

    return address_text(&c->address, text);
}

uint64_t connection_id(const struct connection *c)
{
    return c->id;
}

size_t connection_queued(const struct connection *c)
{
    return c->outbox.bytes;
}

bool connection_is_websocket(const struct connection *c)
{
    return c->websocket;
}

void connection_pause(struct connection *c)
{
    c->paused = true;
    net_mark(c);
}

void connection_resume(struct connection *c)
{
    c->paused = false;
    net_mark(c);
}
