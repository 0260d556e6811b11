#include "wire/websocket.h"

#include <assert.h>

#include "base/text.h"

/*
 *   HEAD ──header whole and sound──► PAYLOAD     HEAD     d->head is being filled
 *     ▲                                 │        PAYLOAD  d->in_payload: payload_left bytes to come
 *     └──────────last byte──────────────┤        CLOSED   d->closed: nothing is read any more
 *                                       └─close frame, or anything wrong─► CLOSED
 *
 * A data frame's payload is unmasked where it lies. A message that begins and ends in the same
 * input is handed out from there; any other is gathered in d->message. Control frames may stand
 * between fragments, so they have a place of their own.
 */

enum {
    FIN_BIT = 0x80,
    RESERVED_BITS = 0x70,
    OPCODE_BITS = 0x0f,
    CONTROL_BIT = 0x08,
    MASK_BIT = 0x80,
    SIZE_BITS = 0x7f,
    SIZE_16 = 126, /* the size follows in 2 bytes */
    SIZE_64 = 127, /* in 8 */
    CONTROL_BYTES_MAX = 125,
};

void websocket_decoder_init(struct websocket_decoder *d, enum websocket_role role,
                            size_t message_bytes_max)
{
    *d = (struct websocket_decoder){
        .message_bytes_max = message_bytes_max,
        .client = role == WEBSOCKET_CLIENT,
    };
    buf_init(&d->message, message_bytes_max);
}

void websocket_decoder_deinit(struct websocket_decoder *d)
{
    buf_deinit(&d->message);
}

static void drop_message(struct websocket_decoder *d)
{
    buf_deinit(&d->message);
    buf_init(&d->message, d->message_bytes_max);
}

static void fail(struct websocket_decoder *d, uint16_t code, struct websocket_event *event_out)
{
    drop_message(d);
    d->closed = true;
    *event_out = (struct websocket_event){.kind = WEBSOCKET_FAILED, .code = code};
}

/* The header ---------------------------------------------------------------------------------- */

static size_t size_bytes(const struct websocket_decoder *d)
{
    uint8_t size = d->head[1] & SIZE_BITS;
    return size == SIZE_16 ? 2 : size == SIZE_64 ? 8 : 0;
}

/* The header's whole size as far as it can be told. */
static size_t head_size_wanted(const struct websocket_decoder *d)
{
    if (d->head_size < 2)
        return 2;
    return 2 + size_bytes(d) + (d->head[1] & MASK_BIT ? 4 : 0);
}

static size_t read_head(struct websocket_decoder *d, const char *input, size_t size)
{
    size_t used = 0;
    while (used < size && d->head_size < head_size_wanted(d))
        d->head[d->head_size++] = (uint8_t)input[used++];
    return used;
}

static bool is_control(const struct websocket_decoder *d)
{
    return d->opcode & CONTROL_BIT;
}

/* A control frame stands alone; a continuation needs a message to continue; a new message must
 * not begin inside another (section 5.4). */
static bool frame_fits(const struct websocket_decoder *d)
{
    switch (d->opcode) {
    case WEBSOCKET_CLOSE:
    case WEBSOCKET_PING:
    case WEBSOCKET_PONG:
        return d->fin && d->payload_size <= CONTROL_BYTES_MAX;
    case WEBSOCKET_CONTINUATION:
        return d->message_opcode != 0;
    case WEBSOCKET_TEXT:
    case WEBSOCKET_BINARY:
        return d->message_opcode == 0;
    default:
        return false;
    }
}

/* The size must take the shortest form, and its top bit is 0 (section 5.2). */
static bool read_size(struct websocket_decoder *d)
{
    size_t bytes = size_bytes(d);
    uint64_t size = bytes ? 0 : d->head[1] & SIZE_BITS;
    for (size_t i = 0; i < bytes; i++)
        size = size << 8 | d->head[2 + i];
    d->payload_size = d->payload_left = size;
    return bytes == 0 || (bytes == 2 && size >= SIZE_16) ||
           (bytes == 8 && size > UINT16_MAX && size <= INT64_MAX);
}

/* Takes the complete header apart. Returns 0, or the code to fail with. */
static uint16_t open_frame(struct websocket_decoder *d)
{
    bool masked = d->head[1] & MASK_BIT;
    d->fin = d->head[0] & FIN_BIT;
    d->opcode = d->head[0] & OPCODE_BITS;
    if (d->head[0] & RESERVED_BITS || masked == d->client || !read_size(d) || !frame_fits(d))
        return WEBSOCKET_PROTOCOL_ERROR;
    if (!is_control(d)) {
        if (d->payload_size > d->message_bytes_max - d->message.len)
            return WEBSOCKET_TOO_BIG;
        if (d->opcode != WEBSOCKET_CONTINUATION)
            d->message_opcode = d->opcode;
    }
    if (masked)
        memcpy(d->mask, &d->head[d->head_size - 4], 4);
    d->mask_at = 0;
    d->control_size = 0;
    d->head_size = 0;
    d->in_payload = true;
    return 0;
}

/* The payload --------------------------------------------------------------------------------- */

/* Unmasks the next piece of payload and counts it. */
static size_t take_payload(struct websocket_decoder *d, char *input, size_t size)
{
    if (size > d->payload_left)
        size = (size_t)d->payload_left;
    if (!d->client) {
        websocket_mask(input, size, d->mask, d->mask_at);
        d->mask_at = (uint8_t)((d->mask_at + size) & 3);
    }
    d->payload_left -= size;
    d->in_payload = d->payload_left > 0;
    return size;
}

/* Section 5.5.1: nothing, or a code and a reason in UTF-8. */
static void finish_close(struct websocket_decoder *d, struct str payload,
                         struct websocket_event *event_out)
{
    uint16_t code = WEBSOCKET_NO_STATUS;
    if (payload.len == 1) {
        fail(d, WEBSOCKET_PROTOCOL_ERROR, event_out);
        return;
    }
    if (payload.len >= 2) {
        code = (uint16_t)(d->control[0] << 8 | d->control[1]);
        payload = str_skip(payload, 2);
        if (!websocket_close_code_valid(code)) {
            fail(d, WEBSOCKET_PROTOCOL_ERROR, event_out);
            return;
        }
        if (!text_is_utf8(payload)) {
            fail(d, WEBSOCKET_INVALID_TEXT, event_out);
            return;
        }
    }
    drop_message(d);
    d->closed = true;
    *event_out =
        (struct websocket_event){.kind = WEBSOCKET_GOT_CLOSE, .code = code, .data = payload};
}

static size_t read_control(struct websocket_decoder *d, char *input, size_t size,
                           struct websocket_event *event_out)
{
    size_t used = take_payload(d, input, size);
    if (used > 0)
        memcpy(d->control + d->control_size, input, used);
    d->control_size = (uint8_t)(d->control_size + used);
    if (d->in_payload)
        return used;

    struct str payload = {(const char *)d->control, d->control_size};
    if (d->opcode == WEBSOCKET_CLOSE)
        finish_close(d, payload, event_out);
    else
        *event_out = (struct websocket_event){
            .kind = d->opcode == WEBSOCKET_PING ? WEBSOCKET_GOT_PING : WEBSOCKET_GOT_PONG,
            .data = payload,
        };
    return used;
}

static size_t read_data(struct websocket_decoder *d, char *input, size_t size,
                        struct websocket_event *event_out)
{
    size_t used = take_payload(d, input, size);
    bool text = d->message_opcode == WEBSOCKET_TEXT;
    if (text && used > 0)
        d->utf8_state = text_utf8_feed(d->utf8_state, input, used);
    if (d->utf8_state == TEXT_UTF8_INVALID) {
        fail(d, WEBSOCKET_INVALID_TEXT, event_out); /* at once: section 8.1, Autobahn 6.4 */
        return used;
    }

    bool last = d->fin && !d->in_payload;
    bool whole = last && used == d->payload_size && d->message.len == 0;
    if (!whole)
        buf_put(&d->message, input, used);
    assert(!d->message.failed); /* open_frame() checked the limit */
    if (!last)
        return used;

    if (d->utf8_state != 0) {
        fail(d, WEBSOCKET_INVALID_TEXT, event_out);
        return used;
    }
    d->message_opcode = 0;
    *event_out = (struct websocket_event){
        .kind = WEBSOCKET_GOT_MESSAGE,
        .binary = !text,
        .data = whole ? (struct str){input, used} : buf_str(&d->message),
    };
    return used;
}

size_t websocket_decoder_feed(struct websocket_decoder *d, char *input, size_t size,
                              struct websocket_event *event_out)
{
    size_t used = 0;
    *event_out = (struct websocket_event){.kind = WEBSOCKET_NEED_MORE};
    if (d->message_opcode == 0 && d->message.capacity > 0)
        drop_message(d); /* handed out by the feed before */
    while (!d->closed && event_out->kind == WEBSOCKET_NEED_MORE) {
        if (!d->in_payload) {
            used += read_head(d, input + used, size - used);
            if (d->head_size < head_size_wanted(d))
                break;
            uint16_t code = open_frame(d);
            if (code) {
                fail(d, code, event_out);
                break;
            }
        }
        used += is_control(d) ? read_control(d, input + used, size - used, event_out)
                              : read_data(d, input + used, size - used, event_out);
        if (d->in_payload)
            break;
    }
    return used;
}
