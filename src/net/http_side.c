#include "net/internal.h"

#include <assert.h>

static void http_side_continue(struct connection *c)
{
    /* An interim response belongs to its request: it must not overtake an earlier answer. */
    if (c->unanswered == 0)
        output_push(c, c->net->go_on);
    else
        c->continue_owed = true;
}

static void http_side_deliver(struct connection *c)
{
    struct http_request *request = http_decoder_take(c->http);

    c->unanswered++;
    c->upgrade_asked = request->upgrade;
    timeout_forget(c); /* the next request has a time of its own */
    c->net->ops.request(c, request);
}

size_t http_side_feed(struct connection *c, struct str input)
{
    size_t consumed = 0;

    if (!c->http)
        c->http = http_decoder_new(&c->net->limits.http);
    switch (http_decoder_feed(c->http, input, &consumed)) {
    case HTTP_MORE:
        return input.len;
    case HTTP_CONTINUE:
        http_side_continue(c);
        return consumed;
    case HTTP_REQUEST:
        http_side_deliver(c);
        return consumed;
    case HTTP_BAD:
        c->bad_status = (uint16_t)http_decoder_status(c->http);
        net_mark(c);
        return input.len;
    }
    return input.len;
}

bool http_side_half_read(const struct connection *c)
{
    return c->http && !http_decoder_idle(c->http);
}

static void send_bare_response(struct connection *c)
{
    struct http_response response = {.status = c->bad_status, .close = true};
    AUTO(frame_unref) struct frame *frame = http_response_frame(&response);

    connection_send(c, frame);
}

void http_side_turn_away(struct connection *c)
{
    if (c->state != CONNECTION_HTTP || c->bad_status == 0 || c->unanswered > 0)
        return;
    if (c->net->ops.bad_request)
        c->net->ops.bad_request(c, c->bad_status);
    else
        send_bare_response(c);
    connection_close(c, NET_CLOSE_PEER_PROTOCOL);
}

void connection_responded(struct connection *c, bool keep_alive)
{
    if (c->state != CONNECTION_HTTP)
        return;
    assert(c->unanswered > 0);
    c->unanswered--;
    c->upgrade_asked = c->upgrade_asked && c->unanswered > 0;
    if (!keep_alive)
        connection_close(c, NET_CLOSE_DONE);
    else if (c->unanswered == 0 && c->net->stopping)
        connection_close(c, NET_CLOSE_SHUTDOWN);
    else if (c->unanswered == 0 && c->continue_owed)
        output_push(c, c->net->go_on);
    c->continue_owed = c->continue_owed && c->unanswered > 0;
    net_mark(c);
}

void connection_upgrade(struct connection *c)
{
    if (c->state != CONNECTION_HTTP)
        return;
    assert(c->unanswered == 1 && c->upgrade_asked);
    c->unanswered = 0;
    c->upgrade_asked = false;
    http_decoder_free(c->http);
    c->http = NULL;
    websocket_decoder_init(&c->ws, WEBSOCKET_SERVER, c->net->limits.message_bytes_max);
    connection_become_websocket(c);
    if (c->net->stopping)
        connection_close(c, NET_CLOSE_SHUTDOWN);
    net_mark(c);
}
