#ifndef NET_CONNECTION_H
#define NET_CONNECTION_H

/*
 * One client's socket: HTTP/1.1 first, WebSocket after an upgrade. Knows nothing of data.
 *
 *   HTTP ──upgrade──► WEBSOCKET ──► CLOSING ──► CLOSED     HTTP       requests, answered in order
 *     └───────────────────────────────┘                   WEBSOCKET  messages both ways
 *                                                          CLOSING    output drains, input ignored
 *
 * Input is read into a buffer that all connections of a loop share; a connection keeps only what is
 * half-read. Output waits in an outbox of references to frames; at the end of a loop turn each
 * connection with output gets all of it in one writev. Everything here is the loop thread's.
 * `user` is the floor above's (a session). After ops->closed the connection is gone.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/frame.h"
#include "base/str.h"
#include "loop/loop.h"
#include "net/outbox.h"
#include "wire/http.h"
#include "wire/websocket.h"

struct connection;
struct net;

/* Every reason to close a connection: name, WebSocket close code, whose fault, text. Each has a counter. */
#define NET_CLOSE_REASONS(X)                                                                       \
    X(PEER_CLOSED, 1000, "peer", "the peer closed")                                                \
    X(PEER_VANISHED, 1006, "peer", "the connection was cut")                                       \
    X(PEER_PROTOCOL, 1002, "peer", "the peer broke the protocol")                                  \
    X(PEER_TEXT, 1007, "peer", "text was not UTF-8")                                               \
    X(PEER_TOO_BIG, 1009, "peer", "a message was too big")                                         \
    X(PEER_SLOW, 1013, "peer", "the peer does not read")                                           \
    X(PEER_SILENT, 1001, "peer", "no answer to a ping")                                            \
    X(PEER_IDLE, 1001, "peer", "nothing was asked for too long")                                   \
    X(REVOKED, 1008, "server", "access was taken away")                                            \
    X(DONE, 1000, "server", "the response was the last one")                                       \
    X(SHUTDOWN, 1001, "server", "the server is going away")                                        \
    X(FAULT, 1011, "server", "an internal error")
enum net_close_reason {
#define X(name, code, whose, text) NET_CLOSE_##name,
    NET_CLOSE_REASONS(X)
#undef X
        NET_CLOSE_REASON_COUNT
};

/* What the floor above fills in. */
struct connection_ops {
    void (*opened)(struct connection *c);
    /* A whole request; take it. Several may come before the first is answered (pipelining). */
    void (*request)(struct connection *c, struct http_request *request);
    /* A whole message; borrowed until return. */
    void (*message)(struct connection *c, struct str text, bool binary);
    /* The last word: drop everything that names c. */
    void (*closed)(struct connection *c, enum net_close_reason reason);
};

struct net_limits {
    struct http_limits http;
    size_t message_bytes_max; /* WebSocket; past it 1009 */
    size_t outbox_bytes_max;  /* WebSocket; past it 1013 */
    unsigned connections_max; /* past it: accepted and closed with 503 */
    uint64_t idle_ms_max;     /* HTTP keep-alive without a request */
    uint64_t head_ms_max;     /* from the first byte of a request to its last (slow loris) */
    uint64_t ping_ms;         /* WebSocket: ping after this long without input; 0: never */
    uint64_t pong_ms_max;     /* and close when nothing came after that much more */
    uint64_t linger_ms_max;   /* CLOSING: how long output may drain */
};

struct net_stats {
    uint64_t accepted, open, websockets, frames_sent, bytes_sent, closed_by[NET_CLOSE_REASON_COUNT];
};

int net_new(struct loop *l, const struct net_limits *limits, const struct connection_ops *ops, void *user, struct net **net_out);
void net_free(struct net *n); /* all connections closed */
void *net_user(const struct net *n);
const struct net_stats *net_stats(const struct net *n);
/* Binds and listens. Port 0 chooses one; net_port tells. 0 or a fault with its words. */
int net_listen(struct net *n, const char *host, int port);
int net_port(const struct net *n);
/* Stops accepting, closes every WebSocket with 1001 and every HTTP connection after its open
 * requests; `done` is called when none is left or after at most linger_ms_max. */
void net_shutdown(struct net *n, void (*done)(void *context), void *context);

struct net *connection_net(const struct connection *c);
void connection_set_user(struct connection *c, void *user);
void *connection_user(const struct connection *c);
struct str connection_address(const struct connection *c); /* the peer's, as text: "127.0.0.1" */
uint64_t connection_id(const struct connection *c);        /* never reused */
size_t connection_queued(const struct connection *c);      /* bytes waiting to be sent */

/* Queues bytes to send; takes a reference of its own. HTTP: responses must come in request order.
 * A WebSocket past its limit is closed with PEER_SLOW (ops->closed comes later, never inside). */
void connection_send(struct connection *c, struct frame *frame);
/* The response to the oldest open request was sent; keep_alive false closes after it drained. */
void connection_responded(struct connection *c, bool keep_alive);
/* Turns into a WebSocket: the request was an upgrade and websocket_upgrade_response was sent. */
void connection_upgrade(struct connection *c);
/* Sends a close frame (WebSocket) with the reason's code, drains and closes. Safe to call twice. */
void connection_close(struct connection *c, enum net_close_reason reason);
/* Pauses and resumes reading: back-pressure while too many requests are in flight. */
void connection_pause(struct connection *c);
void connection_resume(struct connection *c);

#endif
