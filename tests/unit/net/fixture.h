#ifndef TESTS_NET_FIXTURE_H
#define TESTS_NET_FIXTURE_H

/*
 * A net on a real loop, and clients on real loopback sockets, in one thread: the test turns the
 * loop step by step until what it waits for has come, so nothing depends on the speed of the
 * machine. `floor` plays the floor above: it notes what it is told and does what its switches say.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "net/connection.h"

enum { REQUESTS_MAX = 128, CLIENTS_MAX = 128, PATIENCE_MS = 20000 };

struct floor {
    struct loop *loop;
    struct net *net;
    struct net_limits limits;
    struct connection_ops ops;

    bool answer;        /* each request at once, with its target as the body */
    bool upgrade;       /* each upgrade request at once */
    bool close_message; /* each message, with REVOKED */
    bool close_opened;  /* each connection, at once */
    bool pause_message; /* after each message */
    bool echo;          /* each message */

    unsigned opened, closed, bad_requests, requests, messages, drained, stopped;
    int bad_status;
    struct connection *connection; /* the latest; NULL when it closed */
    enum net_close_reason reason;  /* of the latest to close */
    char targets[REQUESTS_MAX][32];
    struct frame *upgrade_response; /* to the latest upgrade request */
    struct str body;                /* of the latest request; a copy */
    char body_bytes[64];
    struct buf text; /* of all messages */
    bool binary;
};

static struct floor f;
static struct buf got; /* by the client that the test is about */

static inline void answer(struct connection *c, const char *text, bool keep_alive)
{
    struct http_response response = {.status = 200, .body = str_of(text), .close = !keep_alive};
    struct frame *frame = http_response_frame(&response);

    connection_send(c, frame);
    connection_responded(c, keep_alive);
    frame_unref(frame);
}

static inline void on_opened(struct connection *c)
{
    f.opened++;
    f.connection = c;
    connection_set_user(c, &f);
    if (f.close_opened)
        connection_close(c, NET_CLOSE_REVOKED);
}

static inline void upgrade(struct connection *c)
{
    connection_send(c, f.upgrade_response);
    connection_upgrade(c);
}

static inline void on_request(struct connection *c, struct http_request *request)
{
    char *target = f.targets[f.requests % REQUESTS_MAX];

    assert_ptr_equal(connection_user(c), &f);
    snprintf(target, sizeof(f.targets[0]), "%.*s", STR_ARG(request->target));
    size_t size = request->body.len < sizeof(f.body_bytes) ? request->body.len : 0;
    if (size > 0)
        memcpy(f.body_bytes, request->body.at, size);
    f.body = (struct str){f.body_bytes, request->body.len};
    f.requests++;
    if (request->upgrade) {
        frame_unref(f.upgrade_response);
        f.upgrade_response = websocket_upgrade_response(request);
        if (f.upgrade)
            upgrade(c);
    } else if (f.answer) {
        answer(c, target, request->keep_alive);
    }
    http_request_free(request);
}

static inline void on_bad_request(struct connection *c, int status)
{
    struct http_response response = {.status = status, .body = STR("bad"), .close = true};
    struct frame *frame = http_response_frame(&response);

    f.bad_requests++;
    f.bad_status = status;
    connection_send(c, frame);
    frame_unref(frame);
    connection_close(c, NET_CLOSE_PEER_PROTOCOL);
}

static inline void on_message(struct connection *c, struct str text, bool binary)
{
    f.messages++;
    f.binary = binary;
    buf_put_str(&f.text, text);
    if (f.echo) {
        struct frame *frame = websocket_frame(WEBSOCKET_TEXT, text);
        connection_send(c, frame);
        frame_unref(frame);
    }
    if (f.pause_message)
        connection_pause(c);
    if (f.close_message)
        connection_close(c, NET_CLOSE_REVOKED);
}

static inline void on_closed(struct connection *c, enum net_close_reason reason)
{
    f.closed++;
    f.reason = reason;
    if (f.connection == c)
        f.connection = NULL;
    /* None of these may do anything any more. */
    connection_close(c, NET_CLOSE_FAULT);
    connection_responded(c, true);
    connection_upgrade(c);
    connection_pause(c);
    connection_resume(c);
}

static inline void on_drained(struct connection *c)
{
    assert_false(connection_is_full(c));
    f.drained++;
}

static inline void on_stopped(void *context)
{
    (void)context;
    f.stopped++;
}

/* Defaults that no test runs into by accident; a test changes them before start(). */
static inline int set_up(void **state)
{
    (void)state;
    f = (struct floor){
        .ops = {on_opened, on_request, on_bad_request, on_message, on_closed,
                .drained = on_drained},
        .limits = {.http = {8192, 4096, 64, 1 << 20},
                   .message_bytes_max = 1 << 20,
                   .outbox_bytes_max = 1 << 20,
                   .connections_max = CLIENTS_MAX,
                   .idle_ms_max = 60000,
                   .head_ms_max = 60000,
                   .pong_ms_max = 60000,
                   .linger_ms_max = 60000},
    };
    f.loop = loop_new();
    buf_init(&f.text, SIZE_MAX);
    buf_init(&got, SIZE_MAX);
    return 0;
}

static inline void start(void)
{
    assert_int_equal(net_new(f.loop, &f.limits, &f.ops, &f, &f.net), 0);
    assert_ptr_equal(net_user(f.net), &f);
    assert_int_equal(net_listen(f.net, "127.0.0.1", 0), 0);
    assert_true(net_port(f.net) > 0);
}

static inline void turn(void)
{
    uv_run(loop_uv(f.loop), UV_RUN_NOWAIT);
}

/* A few turns: for what must not happen. */
static inline void turns(void)
{
    for (int i = 0; i < 20; i++) {
        turn();
        poll(NULL, 0, 1);
    }
}

/* Turns the loop until the condition holds; it is evaluated once a turn. */
#define UNTIL(condition)                                                                           \
    do {                                                                                           \
        int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;                                     \
        for (unsigned count = 0; !(condition); count++) {                                          \
            turn();                                                                                \
            poll(NULL, 0, count % 8 == 7);                                                         \
            if (clock_monotonic_ms() > until_ms)                                                   \
                fail_msg("waited in vain for: %s", #condition);                                    \
        }                                                                                          \
    } while (0)

static inline int tear_down(void **state)
{
    (void)state;
    if (f.net && f.stopped == 0) {
        f.limits.linger_ms_max = 0;
        net_shutdown(f.net, on_stopped, NULL);
        /* Clients that a test left open are cut by it. */
        for (int fd = 3; fd < 1024; fd++) {
            struct sockaddr_in to;
            socklen_t size = sizeof(to);
            if (getpeername(fd, (struct sockaddr *)&to, &size) == 0 && to.sin_family == AF_INET &&
                ntohs(to.sin_port) == net_port(f.net))
                close(fd);
        }
        UNTIL(f.stopped == 1);
    }
    if (f.net)
        assert_int_equal(net_stats(f.net)->open, 0);
    net_free(f.net);
    loop_free(f.loop);
    frame_unref(f.upgrade_response);
    buf_deinit(&f.text);
    buf_deinit(&got);
    return 0;
}

/* Clients ------------------------------------------------------------------------------------- */

static inline int client_connect_with(int receive_buffer)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)net_port(f.net)),
                             .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_true(fd >= 0);
    if (receive_buffer > 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

static inline int client_connect(void)
{
    return client_connect_with(0);
}

static inline void client_put(int fd, const char *bytes, size_t size)
{
    int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;

    while (size > 0) {
        ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);
        assert_true(sent > 0 || errno == EAGAIN);
        assert_true(clock_monotonic_ms() < until_ms);
        if (sent > 0) {
            bytes += sent;
            size -= (size_t)sent;
        } else {
            turn();
        }
    }
}

static inline void client_say(int fd, const char *text)
{
    client_put(fd, text, strlen(text));
}

/* Appends what has come; false after the server's FIN, or a reset. */
static inline bool client_take(int fd, struct buf *into)
{
    char bytes[65536];
    ssize_t count = recv(fd, bytes, sizeof(bytes), 0);

    if (count > 0)
        buf_put(into, bytes, (size_t)count);
    return count > 0 || (count < 0 && errno == EAGAIN);
}

static inline bool got_text(int fd, struct buf *into, const char *text)
{
    client_take(fd, into);
    return str_contains(buf_str(into), str_of(text));
}

/* Waits until the text came; what came goes on in `into`. */
static inline void client_expect(int fd, struct buf *into, const char *text)
{
    UNTIL(got_text(fd, into, text));
}

static inline void client_expect_end(int fd, struct buf *into)
{
    UNTIL(!client_take(fd, into));
}

/* Closes with a reset. */
static inline void client_reset(int fd)
{
    struct linger now = {1, 0};

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
