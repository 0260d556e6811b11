#include "fuzz.h"

#include <assert.h>

#include "base/mem.h"
#include "wire/http.h"
#include "wire/websocket.h"

/*
 * The HTTP decoder: what it hands out is clean and within the limits, and does not depend on how
 * the input was split. Limits are small, so that short inputs reach them.
 */

static const struct http_limits limits = {
    .head_bytes_max = 256, .target_bytes_max = 64, .header_count_max = 8, .body_bytes_max = 32};

static void put_clean(struct buf *t, struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        assert(s.at[i] != '\0' && s.at[i] != '\r' && s.at[i] != '\n');
    buf_put_str(t, s);
    buf_put_char(t, '\n');
}

static void check_request(struct buf *t, const struct http_request *r)
{
    struct str decoded;
    assert(r->target.len > 0 && r->target.len <= limits.target_bytes_max);
    assert(r->header_count <= limits.header_count_max && r->body.len <= limits.body_bytes_max);
    assert(r->path.len > 0 && !memchr(r->path.at, '\0', r->path.len));
    assert(!(r->keep_alive && r->http_1_0 && !http_header_get(r, "connection").at));
    put_clean(t, r->method_name);
    put_clean(t, r->target);
    put_clean(t, r->query);
    for (size_t i = 0; i < r->header_count; i++) {
        assert(r->headers[i].name.len > 0);
        put_clean(t, r->headers[i].name);
        put_clean(t, r->headers[i].value);
    }
    buf_put_str(t, r->path);
    buf_put_str(t, r->body);
    http_cookie_get(r, "a");
    http_header_lists(r, "accept-encoding", STR("gzip"));
    http_percent_decode(r->arena, r->query, HTTP_DECODE_QUERY, &decoded);
    if (websocket_check_upgrade(r) == WEBSOCKET_UPGRADE_OK)
        frame_unref(websocket_upgrade_response(r));
}

/* Decodes in pieces of `step` bytes and writes what came out. */
static void decode(struct str input, size_t step, struct buf *t)
{
    struct http_decoder *d = http_decoder_new(&limits);
    bool open = true;
    while (open && input.len > 0) {
        size_t consumed, size = step < input.len ? step : input.len;
        char *piece = mem_alloc(size); /* of exactly its size, so that reading past it shows */
        memcpy(piece, input.at, size);
        enum http_decoded decoded = http_decoder_feed(d, (struct str){piece, size}, &consumed);
        mem_free(piece);
        assert(consumed <= size);
        assert(decoded == HTTP_REQUEST || decoded == HTTP_BAD || consumed == size);
        input = str_skip(input, consumed);
        if (decoded == HTTP_BAD) {
            assert(strcmp(http_status_text(http_decoder_status(d)), "Unknown") != 0);
            buf_put_lit(t, "bad");
            open = false;
        }
        if (decoded == HTTP_REQUEST) {
            struct http_request *r = http_decoder_take(d);
            check_request(t, r);
            open = !r->upgrade;
            http_request_free(r);
        }
    }
    http_decoder_free(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t steps[] = {1, 3, 16};
    struct str input = {(const char *)data, size};
    struct buf whole, split;
    buf_init(&whole, SIZE_MAX);
    buf_init(&split, SIZE_MAX);
    decode(input, SIZE_MAX, &whole);
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        buf_clear(&split);
        decode(input, steps[i], &split);
        assert(str_equal(buf_str(&whole), buf_str(&split)));
    }
    buf_deinit(&whole);
    buf_deinit(&split);
    return 0;
}
