#include "net/internal.h"

enum { PONGS_QUEUED_MAX = 16 }; /* frames waiting, past which only the latest ping is answered */

/* A peer that keeps up gets a pong for each ping; one that does not read, or sends a flood, gets
 * one for the latest (RFC 6455 section 5.5.3 allows it). So pings cannot make us hoard. */
static void got_ping(struct connection *c, struct str payload)
{
    if (c->state != CONNECTION_WEBSOCKET)
        return;
    AUTO(frame_unref) struct frame *pong = websocket_frame(WEBSOCKET_PONG, payload);
    if (!c->pong && !c->blocked && c->outbox.count < PONGS_QUEUED_MAX) {
        output_push(c, pong);
        return;
    }
    frame_unref(c->pong);
    c->pong = frame_ref(pong);
    net_mark(c);
}

static void got_close(struct connection *c, uint16_t code)
{
    c->peer_done = true;
    connection_close_with(c, NET_CLOSE_PEER_CLOSED, code, STR_NULL);
    net_mark(c);
}

/* The decoder reads nothing more, so there is no close frame to wait for. */
static void failed(struct connection *c, uint16_t code)
{
    enum net_close_reason reason = code == WEBSOCKET_INVALID_TEXT ? NET_CLOSE_PEER_TEXT
                                   : code == WEBSOCKET_TOO_BIG    ? NET_CLOSE_PEER_TOO_BIG
                                                                  : NET_CLOSE_PEER_PROTOCOL;

    c->peer_done = true;
    connection_close_with(c, reason, code, str_of(net_close_reason_text(reason)));
    net_mark(c);
}

size_t websocket_side_feed(struct connection *c, char *input, size_t size)
{
    struct websocket_event event;
    size_t consumed = websocket_decoder_feed(&c->ws, input, size, &event);

    switch (event.kind) {
    case WEBSOCKET_GOT_MESSAGE:
        if (c->state == CONNECTION_WEBSOCKET)
            c->net->ops.message(c, event.data, event.binary);
        break;
    case WEBSOCKET_GOT_PING:
        got_ping(c, event.data);
        break;
    case WEBSOCKET_GOT_CLOSE:
        got_close(c, event.code);
        break;
    case WEBSOCKET_FAILED:
        failed(c, event.code);
        break;
    case WEBSOCKET_GOT_PONG: /* any input shows life */
    case WEBSOCKET_NEED_MORE:
        break;
    }
    return consumed;
}

void websocket_side_ping(struct connection *c)
{
    c->awaiting_pong = true;
    output_push(c, c->net->ping);
}

void websocket_side_pong(struct connection *c)
{
    if (!c->pong || c->blocked)
        return;
    output_push(c, c->pong);
    frame_unref(c->pong);
    c->pong = NULL;
}
