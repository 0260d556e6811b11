#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "wire/http.h"
#include "wire/websocket.h"

static void masking_equals_the_definition_at_any_offset(void **state)
{
    (void)state;
    static const uint8_t mask[4] = {0x01, 0x80, 0xff, 0x5a};
    for (size_t size = 0; size <= 40; size++) {
        for (size_t offset = 0; offset < 8; offset++) {
            char *bytes = malloc(size + 1);
            assert_non_null(bytes);
            for (size_t i = 0; i < size; i++)
                bytes[i] = (char)(i * 7);
            websocket_mask(bytes, size, mask, offset);
            for (size_t i = 0; i < size; i++)
                assert_int_equal((uint8_t)bytes[i], (uint8_t)(i * 7) ^ mask[(i + offset) % 4]);
            free(bytes);
        }
    }
}

static void check_head(size_t payload_size, const uint8_t *mask, struct str expected)
{
    uint8_t head[WEBSOCKET_HEAD_MAX];
    assert_int_equal(websocket_head(head, WEBSOCKET_TEXT, payload_size, mask), expected.len);
    assert_memory_equal(head, expected.at, expected.len);
}

static void headers_take_the_shortest_form(void **state)
{
    (void)state;
    check_head(0, NULL, STR("\x81\x00"));
    check_head(125, NULL, STR("\x81\x7d"));
    check_head(126, NULL, STR("\x81\x7e\x00\x7e"));
    check_head(65535, NULL, STR("\x81\x7e\xff\xff"));
    check_head(65536, NULL, STR("\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00"));
    check_head(1, (const uint8_t *)"mask", STR("\x81\x81mask"));
    check_head(65536, (const uint8_t *)"mask", STR("\x81\xff\x00\x00\x00\x00\x00\x01\x00\x00mask"));
}

static void check_frame(struct frame *frame, struct str expected)
{
    assert_int_equal(frame->size, expected.len);
    assert_memory_equal(frame->bytes, expected.at, expected.len);
    frame_unref(frame);
}

static void frames_hold_header_and_payload(void **state)
{
    (void)state;
    check_frame(websocket_frame(WEBSOCKET_TEXT, STR("hi")), STR("\x81\x02hi"));
    check_frame(websocket_frame(WEBSOCKET_PONG, STR_NULL), STR("\x8a\x00"));
    check_frame(websocket_frame_2(WEBSOCKET_BINARY, STR("ab"), STR("c")), STR("\x82\x03"
                                                                              "abc"));
}

static void close_frames_hold_code_and_reason(void **state)
{
    (void)state;
    check_frame(websocket_close_frame(WEBSOCKET_NO_STATUS, STR("unsaid")), STR("\x88\x00"));
    check_frame(websocket_close_frame(WEBSOCKET_NORMAL, STR_NULL), STR("\x88\x02\x03\xe8"));
    check_frame(websocket_close_frame(WEBSOCKET_TOO_BIG, STR("big")), STR("\x88\x05\x03\xf1"
                                                                          "big"));
}

static void long_close_reasons_are_cut_between_characters(void **state)
{
    (void)state;
    char reason[200];
    memset(reason, 'a', sizeof(reason));
    struct frame *frame = websocket_close_frame(1000, (struct str){reason, 123});
    assert_int_equal(frame->size, 2 + 125);
    frame_unref(frame);
    frame = websocket_close_frame(1000, (struct str){reason, 124});
    assert_int_equal(frame->size, 2 + 125);
    frame_unref(frame);
    memcpy(reason + 121, "\xe2\x82\xac", 3); /* would be cut after its second byte */
    frame = websocket_close_frame(1000, (struct str){reason, 124});
    assert_int_equal(frame->size, 2 + 2 + 121);
    frame_unref(frame);
}

static void a_client_frame_reads_back_on_the_server(void **state)
{
    (void)state;
    struct buf b;
    struct websocket_decoder d;
    struct websocket_event e;
    buf_init(&b, SIZE_MAX);
    websocket_put_masked(&b, WEBSOCKET_TEXT, STR("Hello"), (const uint8_t *)"\x37\xfa\x21\x3d");
    /* RFC 6455 section 5.7. */
    assert_memory_equal(b.at, "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", 11);
    websocket_decoder_init(&d, WEBSOCKET_SERVER, 5);
    assert_int_equal(websocket_decoder_feed(&d, b.at, b.len, &e), b.len);
    assert_int_equal(e.kind, WEBSOCKET_GOT_MESSAGE);
    assert_true(str_equal(e.data, STR("Hello")));
    websocket_decoder_deinit(&d);
    buf_deinit(&b);

    buf_init(&b, 10); /* one byte too few */
    websocket_put_masked(&b, WEBSOCKET_TEXT, STR("Hello"), (const uint8_t *)"mask");
    assert_true(b.failed);
    assert_int_equal(b.len, 0);
    buf_deinit(&b);
}

/* The handshake ------------------------------------------------------------------------------- */

static const struct http_limits limits = {4096, 1024, 20, 64};

static struct http_request *read_request(const char *text)
{
    size_t consumed;
    struct http_decoder *d = http_decoder_new(&limits);
    assert_int_equal(http_decoder_feed(d, str_of(text), &consumed), HTTP_REQUEST);
    struct http_request *r = http_decoder_take(d);
    http_decoder_free(d);
    return r;
}

static void check_upgrade(const char *text, enum websocket_upgrade expected)
{
    struct http_request *r = read_request(text);
    assert_int_equal(websocket_check_upgrade(r), expected);
    http_request_free(r);
}

#define GET "GET /chat HTTP/1.1\r\nHost: a\r\n"
#define UPGRADE "Upgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n"
#define KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define VERSION "Sec-WebSocket-Version: 13\r\n"

static void good_upgrades_are_told_from_bad_ones(void **state)
{
    (void)state;
    check_upgrade(GET UPGRADE KEY VERSION "\r\n", WEBSOCKET_UPGRADE_OK);
    check_upgrade(GET "\r\n", WEBSOCKET_UPGRADE_NONE);
    check_upgrade(GET "Upgrade: h2c\r\nConnection: Upgrade\r\n" KEY VERSION "\r\n",
                  WEBSOCKET_UPGRADE_NONE);
    check_upgrade(GET "Upgrade: websocket\r\n" KEY VERSION "\r\n", WEBSOCKET_UPGRADE_NONE);
    check_upgrade(GET UPGRADE VERSION "\r\n", WEBSOCKET_UPGRADE_BAD);
    check_upgrade(GET UPGRADE KEY "\r\n", WEBSOCKET_UPGRADE_BAD);
    check_upgrade(GET UPGRADE VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=\r\n\r\n",
                  WEBSOCKET_UPGRADE_BAD);
    check_upgrade(GET UPGRADE VERSION "Sec-WebSocket-Key: dGhlIHNhb?BsZSBub25jZQ==\r\n\r\n",
                  WEBSOCKET_UPGRADE_BAD);
    check_upgrade(GET UPGRADE VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQAA\r\n\r\n",
                  WEBSOCKET_UPGRADE_BAD);
    check_upgrade("POST / HTTP/1.1\r\nHost: a\r\n" UPGRADE KEY VERSION "\r\n",
                  WEBSOCKET_UPGRADE_BAD);
    check_upgrade(GET UPGRADE KEY VERSION "Content-Length: 1\r\n\r\nx", WEBSOCKET_UPGRADE_BAD);
    check_upgrade(GET UPGRADE KEY "Sec-WebSocket-Version: 8\r\n\r\n", WEBSOCKET_UPGRADE_VERSION);
}

static void the_response_accepts_the_key(void **state)
{
    (void)state;
    struct http_request *r = read_request(GET UPGRADE KEY VERSION "\r\n");
    struct frame *frame = websocket_upgrade_response(r);
    struct str text = {frame->bytes, frame->size};
    assert_true(str_starts_with(text, STR("HTTP/1.1 101 Switching Protocols\r\n")));
    assert_true(str_contains(text, STR("\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n")));
    assert_true(
        str_ends_with(/* RFC 6455 section 1.3 */
                      text, STR("\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")));
    assert_false(str_contains(text, STR("Content-Length")));
    frame_unref(frame);
    http_request_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(masking_equals_the_definition_at_any_offset),
        cmocka_unit_test(headers_take_the_shortest_form),
        cmocka_unit_test(frames_hold_header_and_payload),
        cmocka_unit_test(close_frames_hold_code_and_reason),
        cmocka_unit_test(long_close_reasons_are_cut_between_characters),
        cmocka_unit_test(a_client_frame_reads_back_on_the_server),
        cmocka_unit_test(good_upgrades_are_told_from_bad_ones),
        cmocka_unit_test(the_response_accepts_the_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
