#include "fuzz.h"

#include <assert.h>

#include "base/mem.h"
#include "base/text.h"
#include "wire/websocket.h"

/*
 * The WebSocket decoder, in both roles: messages are within the limit and text is UTF-8, nothing
 * comes after an end, and what comes out does not depend on how the input was split.
 */

enum { MESSAGE_BYTES_MAX = 300 };

static void check_event(const struct websocket_decoder *d, const struct websocket_event *e,
                        struct buf *t)
{
    switch (e->kind) {
    case WEBSOCKET_GOT_MESSAGE:
        assert(e->data.len <= MESSAGE_BYTES_MAX);
        assert(e->binary || text_is_utf8(e->data));
        break;
    case WEBSOCKET_GOT_PING:
    case WEBSOCKET_GOT_PONG:
        assert(e->data.len <= 125);
        break;
    case WEBSOCKET_GOT_CLOSE:
        assert(e->code == WEBSOCKET_NO_STATUS || websocket_close_code_valid(e->code));
        assert(e->data.len <= 123 && text_is_utf8(e->data) && d->closed);
        break;
    case WEBSOCKET_FAILED:
        assert(websocket_close_code_valid(e->code) && d->closed);
        break;
    case WEBSOCKET_NEED_MORE:
        return;
    }
    buf_printf(t, "%d %d %u ", e->kind, e->binary, e->code);
    buf_put_str(t, e->data);
    buf_put_lit(t, "\n");
}

static void decode(enum websocket_role role, struct str input, size_t step, struct buf *t)
{
    struct websocket_decoder d;
    struct websocket_event e;
    websocket_decoder_init(&d, role, MESSAGE_BYTES_MAX);
    while (input.len > 0) {
        size_t at = 0, size = step < input.len ? step : input.len;
        char *piece = mem_alloc(size); /* of exactly its size, so that reading past it shows */
        memcpy(piece, input.at, size);
        do {
            bool closed = d.closed;
            at += websocket_decoder_feed(&d, piece + at, size - at, &e);
            assert(at <= size && (!closed || e.kind == WEBSOCKET_NEED_MORE));
            check_event(&d, &e, t);
        } while (e.kind != WEBSOCKET_NEED_MORE);
        assert(at == size || d.closed);
        mem_free(piece);
        input = str_skip(input, size);
    }
    assert(d.message.len <= MESSAGE_BYTES_MAX);
    websocket_decoder_deinit(&d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t steps[] = {1, 3, 16};
    struct str input = {(const char *)data, size};
    struct buf whole, split;
    buf_init(&whole, SIZE_MAX);
    buf_init(&split, SIZE_MAX);
    for (int role = WEBSOCKET_SERVER; role <= WEBSOCKET_CLIENT; role++) {
        buf_clear(&whole);
        decode((enum websocket_role)role, input, SIZE_MAX, &whole);
        for (size_t i = 0; i < COUNT_OF(steps); i++) {
            buf_clear(&split);
            decode((enum websocket_role)role, input, steps[i], &split);
            assert(str_equal(buf_str(&whole), buf_str(&split)));
        }
    }
    buf_deinit(&whole);
    buf_deinit(&split);
    return 0;
}
