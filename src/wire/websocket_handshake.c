#include "wire/websocket.h"

#include <assert.h>

#include "base/text.h"
#include "wire/http.h"

void websocket_accept(struct str key, char *accept_out)
{
    uint8_t digest[SHA1_SIZE];
    struct buf text;
    buf_init(&text, 1024);
    buf_put_str(&text, key);
    buf_put_lit(&text, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    assert(!text.failed); /* websocket_check_upgrade() saw a key of 24 characters */
    text_sha1(buf_str(&text), digest);
    buf_clear(&text);
    text_put_base64(&text, digest, sizeof(digest));
    assert(text.len == WEBSOCKET_ACCEPT_SIZE - 1);
    memcpy(accept_out, text.at, text.len);
    accept_out[text.len] = '\0';
    buf_deinit(&text);
}

/* 16 bytes in base64: 22 characters and two of padding. */
static bool is_key(struct str key)
{
    if (key.len != 24 || !str_ends_with(key, STR("==")))
        return false;
    for (size_t i = 0; i < 22; i++) {
        char c = key.at[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '+' || c == '/'))
            return false;
    }
    return true;
}

enum websocket_upgrade websocket_check_upgrade(const struct http_request *r)
{
    if (!r->upgrade || !http_header_lists(r, "upgrade", STR("websocket")))
        return WEBSOCKET_UPGRADE_NONE;
    struct str version = http_header_get(r, "sec-websocket-version");
    if (r->method != HTTP_GET_ || r->body.len > 0 || !version.at ||
        !is_key(http_header_get(r, "sec-websocket-key")))
        return WEBSOCKET_UPGRADE_BAD;
    return str_equal(version, STR("13")) ? WEBSOCKET_UPGRADE_OK : WEBSOCKET_UPGRADE_VERSION;
}

struct frame *websocket_upgrade_response(const struct http_request *r)
{
    char accept[WEBSOCKET_ACCEPT_SIZE];
    websocket_accept(http_header_get(r, "sec-websocket-key"), accept);
    const struct http_header headers[] = {
        {STR("Upgrade"), STR("websocket")},
        {STR("Connection"), STR("Upgrade")},
        {STR("Sec-WebSocket-Accept"), str_of(accept)},
    };
    return http_response_frame(&(struct http_response){
        .status = 101,
        .headers = headers,
        .header_count = COUNT_OF(headers),
    });
}

struct frame *websocket_refusal(int status)
{
    const char *header = status == 426   ? "Sec-WebSocket-Version: 13\r\n"
                         : status == 503 ? "Retry-After: 1\r\n"
                                         : "";
    char head[96];
    int size = snprintf(head, sizeof(head), "HTTP/1.1 %d %s\r\n%s\r\n", status,
                        http_status_text(status), header);
    return frame_from((struct str){head, (size_t)size}, STR_NULL);
}
