#ifndef NET_CONNECTION_H
#define NET_CONNECTION_H

/*
 * One client's socket: HTTP/1.1 first, WebSocket after an upgrade. Knows nothing of data.
 *
 *   HTTP ──► WEBSOCKET       HTTP       requests in, answered in order
 *    │ │         │ │         WEBSOCKET  messages both ways
 *    │ └─►CLOSING◄─┘ │       CLOSING    nothing is delivered or queued any more; output drains,
 *    │      │  │     │                  and a WebSocket awaits the peer's close frame
 *    │   LINGERING   │       LINGERING  FIN sent; input is dropped until the peer's FIN, so that
 *    │      ▼  ▼     │                  no reset overtakes our last words
 *    └───► CLOSED ◄──┘       CLOSED     ops->closed was called; the memory goes with this turn
 *
 * Input is read into a buffer that all connections of a loop share; a connection keeps only what is
 * half-read. Output waits in an outbox of references to frames; at the end of a loop turn each
 * connection with output gets all of it in one writev. Everything here is the loop thread's.
 * `user` is the floor above's (a session). After ops->closed the connection is gone.
 *
 * Functions of this header may be called from within the callbacks, for any connection. They only
 * note what is to be done; no callback is ever called from inside one of them.
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

/* Every reason to close a connection: name, WebSocket close code, whose fault, text (it goes into
 * the close frame). Each has a counter. 1006: no close frame. */
#define NET_CLOSE_REASONS(X)                                                                       \
    X(PEER_CLOSED, 1000, "peer", "the peer closed")                                                \
    X(PEER_VANISHED, 1006, "peer", "the connection was cut")                                       \
    X(PEER_PROTOCOL, 1002, "peer", "the peer broke the protocol")                                  \
    X(PEER_TEXT, 1007, "peer", "text was not UTF-8")                                               \
    X(PEER_DATA, 1003, "peer", "a message was no JSON object")                                     \
    X(PEER_TOO_BIG, 1009, "peer", "a message was too big")                                         \
    X(PEER_SLOW, 1013, "peer", "the peer does not read")                                           \
    X(PEER_SILENT, 1001, "peer", "no answer to a ping")                                            \
    X(PEER_IDLE, 1001, "peer", "nothing was asked for too long")                                   \
    X(REVOKED, 1008, "server", "access was taken away")                                            \
    X(DONE, 1000, "server", "the response was the last one")                                       \
    X(ENDED, 1000, "server", "")                                                                   \
    X(SHUTDOWN, 1001, "server", "the server is going away")                                        \
    X(FAULT, 1011, "server", "an internal error")
enum net_close_reason {
#define X(name, code, whose, text) NET_CLOSE_##name,
    NET_CLOSE_REASONS(X)
#undef X
        NET_CLOSE_REASON_COUNT
};
const char *net_close_reason_name(enum net_close_reason reason); /* "PEER_SLOW"; for log, metrics */
const char *net_close_reason_text(enum net_close_reason reason);

/* What the floor above fills in. */
struct connection_ops {
    void (*opened)(struct connection *c);
    /* A whole request; take it. Several may come before the first is answered (pipelining), at most
     * NET_PIPELINED_MAX; after an upgrade request none comes until that one is answered. */
    void (*request)(struct connection *c, struct http_request *request);
    /* What came is no request (400, 413, 414, 431, 501, 505) or did not come whole in time (408),
     * and all before it are answered: send a response with that status, then connection_close(c,
     * NET_CLOSE_PEER_PROTOCOL). NULL: a bare response is sent. */
    void (*bad_request)(struct connection *c, int status);
    /* A whole message; borrowed until return. */
    void (*message)(struct connection *c, struct str text, bool binary);
    /* The last word: drop everything that names c. Nothing is called for c after it. */
    void (*closed)(struct connection *c, enum net_close_reason reason);
    /* The server is going away: connection_close(c, NET_CLOSE_SHUTDOWN) once every answer that this
     * WebSocket still waits for is sent. NULL: it is closed at once. */
    void (*leave)(struct connection *c);
    /* What waits to be sent was more than outbox_bytes_max, and is not any more. NULL: nobody wants
     * to know. */
    void (*drained)(struct connection *c);
};

enum { NET_PIPELINED_MAX = 64 }; /* unanswered requests; further ones wait unread */
enum { NET_INPUT_SIZE = 65536 }; /* one read; also the most that is kept unparsed */

struct net_limits {
    struct http_limits http;
    size_t message_bytes_max; /* WebSocket; past it 1009 */
    size_t outbox_bytes_max;  /* WebSocket: see connection_send; HTTP: past it no request is read */
    unsigned connections_max; /* past it: accepted, answered with 503 and closed */
    uint64_t idle_ms_max;     /* HTTP: without a request, or without progress of output; 0: never */
    uint64_t head_ms_max; /* from the first byte of a request to its last (slow loris); 0: never */
    uint64_t ping_ms;     /* WebSocket: ping after this long without input; 0: never */
    uint64_t pong_ms_max; /* and close when nothing came after that much more; 0: never */
    uint64_t
        linger_ms_max; /* CLOSING: how long output may stand still, then the peer stay silent */
};

struct net_stats {
    uint64_t accepted, refused; /* since the start; refused: past connections_max or out of files */
    uint64_t open, websockets;  /* now */
    uint64_t frames_sent, bytes_sent, closed_by[NET_CLOSE_REASON_COUNT]; /* since the start */
};

/* `limits` and `ops` are copied. Takes the loop's flush. 0 or a fault. */
int net_new(struct loop *l, const struct net_limits *limits, const struct connection_ops *ops,
            void *user, struct net **net_out);
/* All connections closed (net_shutdown). Accepts NULL. The memory goes in a later turn of the loop,
 * or in loop_free. */
void net_free(struct net *n);
void *net_user(const struct net *n);
const struct net_stats *net_stats(const struct net *n);
/*
 * Binds and listens: an IPv4 or IPv6 literal, or "localhost" (127.0.0.1, and ::1 where the machine
 * has it). Port 0 chooses one; net_port tells. 0 or a fault with its words. May be called again for
 * another address.
 */
int net_listen(struct net *n, const char *host, int port);
int net_port(const struct net *n); /* of the first address; 0 before net_listen */
/* Stops accepting, closes every WebSocket with 1001 (ops->leave says when) and every HTTP
 * connection after its open requests; `done` is called when none is left, in a later turn; what is
 * left after linger_ms_max is cut. Once. */
void net_shutdown(struct net *n, void (*done)(void *context), void *context);

struct net *connection_net(const struct connection *c);
void connection_set_user(struct connection *c, void *user);
void *connection_user(const struct connection *c);
/* The peer's, as text: "127.0.0.1". Valid until the next call on this thread: copy it. */
struct str connection_address(const struct connection *c);
uint64_t connection_id(const struct connection *c);       /* never reused */
size_t connection_queued(const struct connection *c);     /* bytes waiting to be sent */
bool connection_is_full(const struct connection *c);      /* these are more than outbox_bytes_max */
bool connection_is_websocket(const struct connection *c); /* since its upgrade, for good */

/*
 * Queues bytes to send; takes a reference of its own. HTTP: responses must come in request order.
 * A WebSocket that has more than outbox_bytes_max waiting, and whose socket takes no more, is
 * closed with PEER_SLOW and what waits is dropped: a slow peer costs at most that limit and one
 * frame. Does nothing once closing began.
 */
void connection_send(struct connection *c, struct frame *frame);
/* The response to the oldest open request was sent; keep_alive false closes after it drained (DONE;
 * later requests on the connection are dropped). */
void connection_responded(struct connection *c, bool keep_alive);
/* Turns into a WebSocket: the request was an upgrade and websocket_upgrade_response was sent. Takes
 * the place of connection_responded; bytes behind the request are the WebSocket's. */
void connection_upgrade(struct connection *c);
/* Sends a close frame (WebSocket) with the reason's code, drains and closes. The first call's
 * reason counts; later ones do nothing. */
void connection_close(struct connection *c, enum net_close_reason reason);
/* Pauses and resumes reading: back-pressure while too many requests are in flight. At most one read
 * that was under way is kept; nothing is delivered meanwhile. */
void connection_pause(struct connection *c);
void connection_resume(struct connection *c);

#endif
