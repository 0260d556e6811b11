#include "net/internal.h"

#include <errno.h>
#include <limits.h>

enum { VECTORS_MAX = IOV_MAX };

void output_push(struct connection *c, struct frame *frame)
{
    outbox_push(&c->outbox, frame);
    net_mark(c);
}

bool connection_is_full(const struct connection *c)
{
    return c->outbox.bytes > c->net->limits.outbox_bytes_max;
}

void connection_send(struct connection *c, struct frame *frame)
{
    if (!connection_is_open(c))
        return;
    if (c->state == CONNECTION_WEBSOCKET && connection_is_full(c)) {
        /* Much was said in one turn; that is not yet the peer's fault. */
        output_write(c);
        net_mark(c);
        if (connection_is_full(c)) {
            connection_close(c, NET_CLOSE_PEER_SLOW);
            return;
        }
    }
    output_push(c, frame);
    c->full |= connection_is_full(c);
}

/* Bytes taken, or -1 and errno. `offered_out`: bytes that could have been taken. */
static ssize_t send_some(struct connection *c, size_t *offered_out)
{
    struct iovec vectors[VECTORS_MAX];
    struct msghdr message = {.msg_iov = vectors};
    size_t offered = 0;

    message.msg_iovlen = outbox_fill(&c->outbox, vectors, COUNT_OF(vectors));
    for (size_t i = 0; i < message.msg_iovlen; i++)
        offered += vectors[i].iov_len;
    *offered_out = offered;
    if (message.msg_iovlen == 1)
        return send(c->fd, vectors[0].iov_base, vectors[0].iov_len, MSG_NOSIGNAL);
    return sendmsg(c->fd, &message, MSG_NOSIGNAL);
}

static void output_gone(struct connection *c, size_t bytes)
{
    size_t frames = c->outbox.count;

    outbox_sent(&c->outbox, bytes);
    c->net->stats.frames_sent += frames - c->outbox.count;
    c->net->stats.bytes_sent += bytes;
    if (bytes > 0 && (c->timeout == TIMEOUT_IDLE || c->timeout == TIMEOUT_LINGER))
        timeout_restart(c); /* the peer reads, if slowly */
}

/* Writes until all is gone or the socket is full; connection_settle() then waits for it. */
void output_write(struct connection *c)
{
    while (c->outbox.count > 0 && !c->blocked && !c->broken) {
        size_t offered;
        ssize_t taken = send_some(c, &offered);

        if (taken < 0 && errno == EINTR)
            continue;
        if (taken < 0 && errno != EAGAIN) {
            c->broken = true;
            return;
        }
        if (taken > 0)
            output_gone(c, (size_t)taken);
        c->blocked = taken < 0 || (size_t)taken < offered;
    }
}

void output_review(struct connection *c)
{
    if (!c->full || connection_is_full(c) || !connection_is_open(c))
        return;
    c->full = false;
    if (c->net->ops.drained)
        c->net->ops.drained(c);
}
