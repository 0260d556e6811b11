#ifndef NET_INTERNAL_H
#define NET_INTERNAL_H

/*
 * What the files of net share, and nobody else includes.
 *
 * The order of things. The loop tells of a socket (connection.c): output goes on (output.c), input
 * is read and cut into requests or messages (input.c, http_side.c, websocket_side.c). What the
 * floor above then asks for is only noted, and the connection goes into net's `pending` list. At
 * the end of the turn (net.c) each pending connection takes up input that had to wait, writes its
 * output and is settled: connection_settle() alone draws the conclusions - what to poll for, which
 * time-out to run (timeout.c), whether it is time to move on to LINGERING or CLOSED. It runs only
 * at the top of a turn's events, so a callback never finds its connection gone.
 */

#include "base/attr.h"
#include "net/address.h"
#include "net/connection.h"
#include "net/list.h"

enum connection_state {
    CONNECTION_HTTP,
    CONNECTION_WEBSOCKET,
    CONNECTION_CLOSING,
    CONNECTION_LINGERING,
    CONNECTION_CLOSED,
    CONNECTION_STATE_COUNT
};

/* One list each: all its connections wait equally long, so the order of arming is the order of
 * expiry. */
enum timeout_kind {
    TIMEOUT_IDLE,
    TIMEOUT_HEAD,
    TIMEOUT_PING,
    TIMEOUT_PONG,
    TIMEOUT_LINGER, /* last: the others may lead to it */
    TIMEOUT_KIND_COUNT,
    TIMEOUT_NONE = TIMEOUT_KIND_COUNT
};

/* Bytes that were read but must wait to be parsed. */
struct held_input {
    size_t from, size;
    char bytes[];
};

struct connection {
    uv_poll_t poll;
    struct net *net;
    void *user;
    uint64_t id;
    struct list all;     /* in net.all until CLOSED */
    struct list pending; /* in net.pending while the end of the turn has work for it */
    struct list timed;   /* in net.timeouts[timeout].waiting, unless timeout is NONE */
    uint64_t deadline_ms;
    struct outbox outbox;
    struct frame *pong;        /* owed to the peer, while its socket takes no more */
    struct http_decoder *http; /* from the first byte to the upgrade */
    struct held_input *held;   /* while there is some, nothing more is read */
    int fd;
    uint16_t unanswered; /* requests */
    uint16_t bad_status; /* input ended in something that is no request; 0 when not */
    uint8_t state, timeout, reason;
    uint8_t polled;     /* the events asked of the loop */
    bool websocket : 1; /* was upgraded */
    bool paused : 1;    /* by the floor above */
    bool blocked : 1;   /* the socket takes no more: wait until it is writable */
    bool full : 1;      /* more was queued than may wait: see ops->drained */
    bool ended : 1;     /* the peer's FIN was read */
    bool broken : 1;    /* the socket failed */
    bool awaiting_pong : 1;
    bool upgrade_asked : 1; /* by the latest request: what follows may be no HTTP */
    bool continue_owed : 1; /* "100 Continue", once the earlier requests are answered */
    bool peer_done : 1;     /* WebSocket: nothing more is expected (close frame, or nonsense) */
    struct address address;
    struct websocket_decoder ws; /* since the upgrade */
};
/* Idle connections are counted in ten thousands. */
_Static_assert(sizeof(struct connection) <= 640, "an idle connection stays small");

enum { LISTENERS_MAX = 4 };
struct listener {
    uv_poll_t poll;
    struct net *net;
    int fd;
};

struct net {
    struct loop *loop;
    struct net_limits limits;
    struct connection_ops ops;
    void *user;
    struct net_stats stats;
    struct list all, pending;
    uint64_t last_id;
    size_t alive_count; /* connections whose memory is not freed yet */

    struct listener listeners[LISTENERS_MAX];
    size_t listener_count;
    int port;
    int reserve_fd; /* given up to accept and turn away when files run out */
    struct timer accept_again;

    struct {
        struct list waiting; /* struct connection.timed, the earliest deadline first */
        uint64_t after_ms;   /* 0: never */
    } timeouts[TIMEOUT_KIND_COUNT];
    struct timer sweep;
    uint64_t sweep_due_ms; /* UINT64_MAX: not running */

    bool stopping, freeing;
    void (*stopped)(void *context);
    void *stopped_context;
    struct timer shutdown;
    unsigned handle_count; /* listeners and timers not yet closed */

    struct frame *ping, *go_on; /* ready to send: an empty ping; "100 Continue" */
    char input[NET_INPUT_SIZE]; /* what is being read, by whoever reads */
};

/* net.c */
void net_mark(struct connection *c); /* the end of this turn has work for it */
void net_handle_closed(struct net *n);
void net_connection_freed(struct net *n);

/* listener.c */
void listeners_stop(struct net *n);
void listeners_retry(void *net); /* timer */

/* connection.c */
void connection_open(struct net *n, int fd, const struct address *address); /* takes fd */
void connection_settle(struct connection *c);
void connection_tear_down(struct connection *c, enum net_close_reason reason);
bool connection_is_open(const struct connection *c); /* HTTP or WEBSOCKET */
void connection_become_websocket(struct connection *c);
/* Closing with another code than the reason's; `text` goes into the close frame. */
void connection_close_with(struct connection *c, enum net_close_reason reason, uint16_t code,
                           struct str text);

/* input.c */
bool input_wanted(const struct connection *c);   /* should the socket be read? */
bool input_parsable(const struct connection *c); /* may bytes be cut into requests or messages? */
void input_read(struct connection *c);
void input_resume(struct connection *c);
void input_drop_held(struct connection *c);

/* http_side.c, websocket_side.c: read up to one event; return how many bytes were consumed */
size_t http_side_feed(struct connection *c, struct str input);
void http_side_turn_away(struct connection *c); /* bad_request, once it is its turn */
bool http_side_half_read(const struct connection *c);
size_t websocket_side_feed(struct connection *c, char *input, size_t size);
void websocket_side_ping(struct connection *c);
void websocket_side_pong(struct connection *c); /* what is owed, once the socket takes it */

/* output.c */
void output_push(struct connection *c, struct frame *frame); /* no limit, any state */
void output_write(struct connection *c);
void output_review(struct connection *c); /* after it: has a full outbox drained? */

/* timeout.c */
void timeouts_init(struct net *n);
void timeout_review(struct connection *c);  /* runs the one that its state asks for, or goes on */
void timeout_restart(struct connection *c); /* the same, from now */
void timeout_forget(struct connection *c);
void timeouts_sweep(void *net); /* timer */

#endif
