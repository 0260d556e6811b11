#ifndef TESTS_NET_WEBSOCKET_CLIENT_H
#define TESTS_NET_WEBSOCKET_CLIENT_H

/* A client that speaks WebSocket, on top of the fixture's clients. */

#include "fixture.h"

static const char handshake[] = "GET /websocket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
                                "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
static const uint8_t mask[4] = {1, 2, 3, 4};

/* `event` is the latest that came. */
struct client {
    int fd;
    struct websocket_decoder decoder;
    struct buf input;
    struct websocket_event event;
    struct buf data; /* of the event */
};

static inline void client_open(struct client *k, int fd)
{
    k->fd = fd;
    websocket_decoder_init(&k->decoder, WEBSOCKET_CLIENT, 1 << 24);
    buf_init(&k->input, SIZE_MAX);
    buf_init(&k->data, SIZE_MAX);
}

static inline void client_close(struct client *k)
{
    websocket_decoder_deinit(&k->decoder);
    buf_deinit(&k->input);
    buf_deinit(&k->data);
    close(k->fd);
}

/* The first bytes of what came are done with. */
static inline void client_drop(struct client *k, size_t size)
{
    k->input.len -= size;
    if (size > 0)
        memmove(k->input.at, k->input.at + size, k->input.len);
}

static inline void client_upgraded(struct client *k)
{
    static const char end[] = "\r\n\r\n";

    client_expect(k->fd, &k->input, end);
    assert_true(str_starts_with(buf_str(&k->input), STR("HTTP/1.1 101 ")));
    const char *at = memmem(k->input.at, k->input.len, end, 4);
    client_drop(k, (size_t)(at + 4 - k->input.at));
}

static inline void client_start(struct client *k)
{
    f.upgrade = true;
    start();
    client_open(k, client_connect());
    client_say(k->fd, handshake);
    client_upgraded(k);
}

static inline void client_frame(struct client *k, enum websocket_opcode opcode, const char *text)
{
    struct buf b;

    buf_init(&b, SIZE_MAX);
    websocket_put_masked(&b, opcode, str_of(text), mask);
    client_put(k->fd, b.at, b.len);
    buf_deinit(&b);
}

/* One event, if it came whole. */
static inline bool client_got(struct client *k)
{
    size_t done = 0;

    client_take(k->fd, &k->input);
    k->event.kind = WEBSOCKET_NEED_MORE;
    while (done < k->input.len && k->event.kind == WEBSOCKET_NEED_MORE)
        done +=
            websocket_decoder_feed(&k->decoder, k->input.at + done, k->input.len - done, &k->event);
    if (k->event.kind != WEBSOCKET_NEED_MORE) {
        buf_clear(&k->data);
        buf_put_str(&k->data, k->event.data);
    }
    client_drop(k, done);
    return k->event.kind != WEBSOCKET_NEED_MORE;
}

static inline void client_expect_event(struct client *k, enum websocket_event_kind kind,
                                       const char *data)
{
    UNTIL(client_got(k));
    assert_int_equal(k->event.kind, kind);
    assert_int_equal(k->data.len, strlen(data));
    assert_true(str_equal(buf_str(&k->data), str_of(data)));
}

static inline void client_expect_goodbye(struct client *k, uint16_t code)
{
    UNTIL(client_got(k));
    assert_int_equal(k->event.kind, WEBSOCKET_GOT_CLOSE);
    assert_int_equal(k->event.code, code);
}

/* The payload of a close frame with a code. */
static inline void client_goodbye(struct client *k, uint16_t code)
{
    char payload[3] = {(char)(code >> 8), (char)(code & 0xff), 0};
    struct buf b;

    buf_init(&b, SIZE_MAX);
    websocket_put_masked(&b, WEBSOCKET_CLOSE, (struct str){payload, 2}, mask);
    client_put(k->fd, b.at, b.len);
    buf_deinit(&b);
}

static inline void send_text(struct connection *c, const char *text)
{
    struct frame *frame = websocket_frame(WEBSOCKET_TEXT, str_of(text));

    connection_send(c, frame);
    frame_unref(frame);
}

#endif
