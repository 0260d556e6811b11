#include "wire/websocket.h"

#include <assert.h>

enum { FINAL = 0x80, MASKED = 0x80, CLOSE_REASON_BYTES_MAX = 123 };

void websocket_mask(char *at, size_t size, const uint8_t mask[4], size_t offset)
{
    uint8_t turned[8];
    for (size_t i = 0; i < sizeof(turned); i++)
        turned[i] = mask[(offset + i) & 3];
    uint64_t key, word;
    memcpy(&key, turned, sizeof(key));
    for (; size >= sizeof(word); at += sizeof(word), size -= sizeof(word)) {
        memcpy(&word, at, sizeof(word));
        word ^= key;
        memcpy(at, &word, sizeof(word));
    }
    for (size_t i = 0; i < size; i++)
        at[i] = (char)(at[i] ^ turned[i]);
}

static size_t put_big_endian(uint8_t *at, uint64_t number, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        at[i] = (uint8_t)(number >> 8 * (bytes - 1 - i));
    return bytes;
}

size_t websocket_head(uint8_t *at, enum websocket_opcode opcode, size_t payload_size,
                      const uint8_t *mask)
{
    size_t size = 2;
    at[0] = (uint8_t)(FINAL | opcode);
    at[1] = mask ? MASKED : 0;
    if (payload_size <= 125) {
        at[1] |= (uint8_t)payload_size;
    } else if (payload_size <= UINT16_MAX) {
        at[1] |= 126;
        size += put_big_endian(at + size, payload_size, 2);
    } else {
        at[1] |= 127;
        size += put_big_endian(at + size, payload_size, 8);
    }
    if (mask) {
        memcpy(at + size, mask, 4);
        size += 4;
    }
    return size;
}

struct frame *websocket_frame(enum websocket_opcode opcode, struct str payload)
{
    return websocket_frame_2(opcode, payload, STR_NULL);
}

static char *copy(char *at, const void *bytes, size_t size)
{
    if (size > 0)
        memcpy(at, bytes, size);
    return at + size;
}

struct frame *websocket_frame_2(enum websocket_opcode opcode, struct str first, struct str second)
{
    uint8_t head[WEBSOCKET_HEAD_MAX];
    size_t payload_size = first.len + second.len;
    size_t head_size = websocket_head(head, opcode, payload_size, NULL);
    struct frame *frame = frame_new(head_size + payload_size);
    char *at = copy(frame->bytes, head, head_size);
    at = copy(at, first.at, first.len);
    copy(at, second.at, second.len);
    return frame;
}

struct frame *websocket_close_frame(uint16_t code, struct str reason)
{
    if (code == WEBSOCKET_NO_STATUS)
        return websocket_frame(WEBSOCKET_CLOSE, STR_NULL);
    assert(websocket_close_code_valid(code));
    if (reason.len > CLOSE_REASON_BYTES_MAX) {
        reason.len = CLOSE_REASON_BYTES_MAX;
        while (reason.len > 0 && (reason.at[reason.len] & 0xc0) == 0x80)
            reason.len--; /* not inside a character */
    }
    char number[2] = {(char)(code >> 8), (char)(code & 0xff)};
    return websocket_frame_2(WEBSOCKET_CLOSE, (struct str){number, sizeof(number)}, reason);
}

void websocket_put_masked(struct buf *b, enum websocket_opcode opcode, struct str payload,
                          const uint8_t mask[4])
{
    uint8_t head[WEBSOCKET_HEAD_MAX];
    size_t head_size = websocket_head(head, opcode, payload.len, mask);
    char *at = buf_reserve(b, head_size + payload.len);
    if (!at)
        return;
    at = copy(at, head, head_size);
    copy(at, payload.at, payload.len);
    websocket_mask(at, payload.len, mask, 0);
    b->len += head_size + payload.len;
}

bool websocket_close_code_valid(uint16_t code)
{
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
           (code >= 3000 && code <= 4999);
}
