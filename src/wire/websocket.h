#ifndef WIRE_WEBSOCKET_H
#define WIRE_WEBSOCKET_H

/*
 * WebSocket framing (RFC 6455): bytes in, messages and control frames out; no I/O; input may be
 * split anywhere. Works on the server's side (peers must mask) and the client's (tests, benches).
 * No extension is negotiated, so the reserved bits are refused.
 *
 * A decoder holds no buffer while no message is half-read, so an idle connection costs its struct.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/frame.h"
#include "base/str.h"

enum websocket_opcode {
    WEBSOCKET_CONTINUATION = 0,
    WEBSOCKET_TEXT = 1,
    WEBSOCKET_BINARY = 2,
    WEBSOCKET_CLOSE = 8,
    WEBSOCKET_PING = 9,
    WEBSOCKET_PONG = 10
};

/* Close codes, RFC 6455 section 7.4.1 and the IANA registry. */
enum websocket_close {
    WEBSOCKET_NORMAL = 1000,
    WEBSOCKET_GOING_AWAY = 1001,
    WEBSOCKET_PROTOCOL_ERROR = 1002,
    WEBSOCKET_UNSUPPORTED_DATA = 1003,
    WEBSOCKET_NO_STATUS = 1005, /* never sent */
    WEBSOCKET_ABNORMAL = 1006,  /* never sent */
    WEBSOCKET_INVALID_TEXT = 1007,
    WEBSOCKET_POLICY_VIOLATION = 1008,
    WEBSOCKET_TOO_BIG = 1009,
    WEBSOCKET_INTERNAL_ERROR = 1011,
    WEBSOCKET_TRY_AGAIN_LATER = 1013,
};

enum websocket_role { WEBSOCKET_SERVER, WEBSOCKET_CLIENT };

struct websocket_decoder {
    struct buf message; /* fragments of the message that is half-read */
    size_t message_bytes_max;
    uint64_t payload_left; /* of the current frame */
    uint64_t payload_size;
    uint32_t utf8_state;
    uint8_t mask[4];
    uint8_t mask_at;  /* next mask byte to use */
    uint8_t head[14]; /* bytes of the header read so far */
    uint8_t head_size;
    uint8_t control_size;   /* bytes of the control payload read so far */
    uint8_t opcode;         /* of the current frame */
    uint8_t message_opcode; /* of the message that is half-read; 0 when none is */
    bool in_payload, fin, client, closed;
    uint8_t control[125];
};

enum websocket_event_kind {
    WEBSOCKET_NEED_MORE,
    WEBSOCKET_GOT_MESSAGE, /* text (valid UTF-8) or binary, whole */
    WEBSOCKET_GOT_PING,
    WEBSOCKET_GOT_PONG,
    WEBSOCKET_GOT_CLOSE, /* code: WEBSOCKET_NO_STATUS when the frame had none */
    WEBSOCKET_FAILED,    /* the peer broke the protocol or a limit: close with `code` */
};
struct websocket_event {
    enum websocket_event_kind kind;
    bool binary;
    struct str data; /* message, ping or pong payload, close reason; valid until the next feed */
    uint16_t code;
};

void websocket_decoder_init(struct websocket_decoder *d, enum websocket_role role,
                            size_t message_bytes_max);
void websocket_decoder_deinit(struct websocket_decoder *d);
/*
 * Reads up to one event. `input` is unmasked in place, hence not const. Returns how many bytes were
 * consumed; call again with the rest until the event is WEBSOCKET_NEED_MORE. A message that lies
 * whole in `input` is not copied. After GOT_CLOSE or FAILED nothing more is read.
 */
size_t websocket_decoder_feed(struct websocket_decoder *d, char *input, size_t size,
                              struct websocket_event *event_out);

enum { WEBSOCKET_HEAD_MAX = 14 };
/* Writes the header of one unfragmented frame; returns its size. mask NULL: unmasked (server). */
size_t websocket_head(uint8_t *at, enum websocket_opcode opcode, size_t payload_size,
                      const uint8_t *mask);
/* A server's frame, ready to share: header and payload. */
struct frame *websocket_frame(enum websocket_opcode opcode, struct str payload);
struct frame *websocket_frame_2(enum websocket_opcode opcode, struct str first,
                                struct str second); /* payload in two parts */
/* NO_STATUS: empty payload. A reason past 123 bytes is cut between characters. */
struct frame *websocket_close_frame(uint16_t code, struct str reason);
/* A client's masked frame appended to a buffer. */
void websocket_put_masked(struct buf *b, enum websocket_opcode opcode, struct str payload,
                          const uint8_t mask[4]);
void websocket_mask(char *at, size_t size, const uint8_t mask[4], size_t offset);

bool websocket_close_code_valid(uint16_t code); /* may a peer send it? section 7.4 */

/* Sec-WebSocket-Accept for a key (section 4.2.2), 28 characters and NUL. */
enum { WEBSOCKET_ACCEPT_SIZE = 29 };
void websocket_accept(struct str key, char *accept_out);

struct http_request;
enum websocket_upgrade {
    WEBSOCKET_UPGRADE_OK,
    WEBSOCKET_UPGRADE_NONE,
    WEBSOCKET_UPGRADE_BAD,
    WEBSOCKET_UPGRADE_VERSION
};
/* Does the request ask for WebSocket, and well (section 4.2.1)? BAD: answer 400; VERSION: 426 with
 * "Sec-WebSocket-Version: 13". */
enum websocket_upgrade websocket_check_upgrade(const struct http_request *r);
struct frame *websocket_upgrade_response(const struct http_request *r); /* 101 */
/* A refusal is the bare status line, and the connection closes. Only who speaks another version is
 * told which one we do (section 4.4), and who came at a bad time when to come again. */
struct frame *websocket_refusal(int status);

#endif
