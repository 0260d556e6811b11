#include "net/internal.h"

#include <errno.h>

#include "base/mem.h"

/*
 * Input: read into net's one buffer, parsed there. Parsing stops where the floor above has enough
 * for now (see input_parsable); the rest of that one read is held, and the socket is not read again
 * until it is parsed, so a connection holds at most NET_INPUT_SIZE bytes and the peer's own socket
 * buffer does the waiting.
 */

bool input_parsable(const struct connection *c)
{
    switch (c->state) {
    case CONNECTION_HTTP:
        return !c->paused && !c->upgrade_asked && c->bad_status == 0 && !c->net->stopping &&
               c->unanswered < NET_PIPELINED_MAX && !connection_is_full(c);
    case CONNECTION_WEBSOCKET:
        return !c->paused;
    case CONNECTION_CLOSING:
        return c->websocket && !c->peer_done; /* for the peer's close frame */
    default:
        return false;
    }
}

bool input_wanted(const struct connection *c)
{
    if (c->ended || c->held)
        return false;
    return !connection_is_open(c) || input_parsable(c);
}

static size_t input_parse(struct connection *c, char *bytes, size_t size)
{
    size_t done = 0;

    while (done < size && input_parsable(c)) {
        if (c->state == CONNECTION_HTTP)
            done += http_side_feed(c, (struct str){bytes + done, size - done});
        else
            done += websocket_side_feed(c, bytes + done, size - done);
    }
    return done;
}

/* Is there somebody left who could want the bytes later? */
static bool input_worth_holding(const struct connection *c)
{
    return (connection_is_open(c) && c->bad_status == 0) || input_parsable(c);
}

static void input_hold(struct connection *c, const char *bytes, size_t size)
{
    c->held = mem_alloc(sizeof(struct held_input) + size);
    c->held->size = size;
    memcpy(c->held->bytes, bytes, size);
}

void input_read(struct connection *c)
{
    struct net *n = c->net;

    if (!input_wanted(c))
        return;
    ssize_t got = recv(c->fd, n->input, sizeof(n->input), 0);
    if (got < 0) {
        c->broken = errno != EAGAIN && errno != EINTR;
        return;
    }
    if (got == 0) {
        c->ended = true;
        return;
    }
    size_t size = (size_t)got;
    c->awaiting_pong = false;
    size_t done = input_parse(c, n->input, size);
    if (done < size && input_worth_holding(c))
        input_hold(c, n->input + done, size - done);
    /* The time for a request runs from its first byte on; all others from the latest input. Input
     * that is only dropped buys no time. */
    if (connection_is_open(c) && c->timeout != TIMEOUT_HEAD)
        timeout_restart(c);
}

void input_resume(struct connection *c)
{
    struct held_input *held = c->held;

    if (!held || !input_parsable(c))
        return;
    c->held = NULL;
    held->from += input_parse(c, held->bytes + held->from, held->size - held->from);
    if (held->from < held->size && input_worth_holding(c))
        c->held = held;
    else
        mem_free(held);
}

void input_drop_held(struct connection *c)
{
    mem_free(c->held);
    c->held = NULL;
}
