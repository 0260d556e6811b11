#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "wire/websocket.h"

/*
 * The groups are those of the Autobahn test suite. Each stream of frames is decoded whole, byte by
 * byte and cut in two at every place; the transcript of events must be the same each time. A piece
 * is fed from a block of exactly its size, so that reading past it is noticed.
 */

enum { MESSAGE_BYTES_MAX = 70000 };
static const uint8_t mask[4] = {0x37, 0xfa, 0x21, 0x3d};

/* Writing streams ----------------------------------------------------------------------------- */

enum { FIN = 0x80, RSV1 = 0x40, RSV2 = 0x20, RSV3 = 0x10 };

/* One masked frame; `first` is its first byte: flags and opcode. */
static void put_frame(struct buf *b, unsigned first, struct str payload)
{
    size_t at = b->len;
    websocket_put_masked(b, WEBSOCKET_TEXT, payload, mask);
    b->at[at] = (char)first;
}

static void put(struct buf *b, unsigned first, const char *payload)
{
    put_frame(b, first, str_of(payload));
}

static struct str repeated(struct buf *b, const char *unit, size_t size)
{
    buf_init(b, SIZE_MAX);
    while (b->len < size)
        buf_put_str(b, str_of(unit));
    return (struct str){b->at, size};
}

/* Reading them -------------------------------------------------------------------------------- */

static void write_event(struct buf *t, const struct websocket_event *e)
{
    static const char *const names[] = {
        [WEBSOCKET_GOT_PING] = "ping",
        [WEBSOCKET_GOT_PONG] = "pong",
        [WEBSOCKET_GOT_CLOSE] = "close",
        [WEBSOCKET_FAILED] = "failed",
    };
    bool message = e->kind == WEBSOCKET_GOT_MESSAGE;
    buf_printf(t, "%s", message ? (e->binary ? "binary" : "text") : names[e->kind]);
    if (e->kind == WEBSOCKET_GOT_CLOSE || e->kind == WEBSOCKET_FAILED)
        buf_printf(t, " %u", e->code);
    if (e->data.len > 200)
        buf_printf(t, " #%zu", e->data.len);
    else if (e->data.len > 0)
        buf_printf(t, " %.*s", STR_ARG(e->data));
    buf_put_lit(t, "\n");
}

static void feed_piece(struct websocket_decoder *d, char *piece, size_t size, struct buf *t)
{
    struct websocket_event e;
    size_t at = 0;
    do {
        at += websocket_decoder_feed(d, piece + at, size - at, &e);
        if (e.kind != WEBSOCKET_NEED_MORE)
            write_event(t, &e);
    } while (e.kind != WEBSOCKET_NEED_MORE);
    assert_true(at == size || d->closed);
}

static char *decode(enum websocket_role role, struct str input, size_t first, size_t step)
{
    struct websocket_decoder d;
    struct buf t;
    websocket_decoder_init(&d, role, MESSAGE_BYTES_MAX);
    buf_init(&t, SIZE_MAX);
    for (size_t size = first; input.len > 0; size = step) {
        if (size > input.len)
            size = input.len;
        char *block = mem_alloc(size);
        memcpy(block, input.at, size);
        feed_piece(&d, block, size, &t);
        mem_free(block);
        input = str_skip(input, size);
    }
    if (!d.closed && (d.message_opcode || d.head_size || d.in_payload))
        buf_put_lit(&t, "half\n");
    else
        assert_int_equal(d.message.capacity, 0); /* idle: no memory held */
    websocket_decoder_deinit(&d);
    buf_put_char(&t, '\0');
    return t.at;
}

static void check_one(enum websocket_role role, struct str input, size_t first, size_t step,
                      const char *expected)
{
    char *text = decode(role, input, first, step);
    assert_string_equal(text, expected);
    mem_free(text);
}

/* Long streams are cut only near their ends: inside the payload all places are alike. */
static void check_as(enum websocket_role role, struct buf *b, const char *expected)
{
    struct str input = buf_str(b);
    check_one(role, input, input.len, input.len, expected);
    check_one(role, input, 1, 1, expected);
    for (size_t cut = 1; cut < input.len; cut++) {
        if (cut < 200 || input.len - cut < 200)
            check_one(role, input, cut, input.len, expected);
    }
    buf_clear(b);
}

static void check(struct buf *b, const char *expected)
{
    check_as(WEBSOCKET_SERVER, b, expected);
}

static int set_up(void **state)
{
    struct buf *b = MEM_NEW(struct buf);
    buf_init(b, SIZE_MAX);
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    buf_deinit(*state);
    mem_free(*state);
    return 0;
}

/* 1 Framing ----------------------------------------------------------------------------------- */

static void autobahn_1_messages_of_every_size_form_arrive(void **state)
{
    static const size_t sizes[] = {125, 126, 127, 128, 255, 65535, 65536};
    struct buf *b = *state, payload;
    put(b, FIN | WEBSOCKET_TEXT, "");
    put(b, FIN | WEBSOCKET_BINARY, "");
    put(b, FIN | WEBSOCKET_TEXT, "*");
    check(b, "text\nbinary\ntext *\n");
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        for (unsigned opcode = WEBSOCKET_TEXT; opcode <= WEBSOCKET_BINARY; opcode++) {
            const char *kind = opcode == WEBSOCKET_TEXT ? "text" : "binary";
            char expected[256];
            struct str bytes = repeated(&payload, "*", sizes[i]);
            put_frame(b, FIN | opcode, bytes);
            if (sizes[i] > 200)
                snprintf(expected, sizeof(expected), "%s #%zu\n", kind, sizes[i]);
            else
                snprintf(expected, sizeof(expected), "%s %.*s\n", kind, STR_ARG(bytes));
            check(b, expected);
            buf_deinit(&payload);
        }
    }
}

static void a_whole_message_is_handed_out_where_it_lies(void **state)
{
    struct buf *b = *state;
    put(b, FIN | WEBSOCKET_TEXT, "in place");
    struct websocket_decoder d;
    struct websocket_event e;
    websocket_decoder_init(&d, WEBSOCKET_SERVER, MESSAGE_BYTES_MAX);
    assert_int_equal(websocket_decoder_feed(&d, b->at, b->len, &e), b->len);
    assert_int_equal(e.kind, WEBSOCKET_GOT_MESSAGE);
    assert_ptr_equal(e.data.at, b->at + 6);
    assert_int_equal(d.message.capacity, 0);
    websocket_decoder_deinit(&d);
}

/* 2 Pings and pongs --------------------------------------------------------------------------- */

static void autobahn_2_pings_and_pongs_carry_up_to_125_bytes(void **state)
{
    struct buf *b = *state, payload;
    put(b, FIN | WEBSOCKET_PING, "");
    put(b, FIN | WEBSOCKET_PING, "Hello");
    put(b, FIN | WEBSOCKET_PONG, "unsolicited");
    put_frame(b, FIN | WEBSOCKET_PING, STR("\x01\xff\xfe"));
    check(b, "ping\nping Hello\npong unsolicited\nping \x01\xff\xfe\n");

    char expected[256];
    struct str bytes = repeated(&payload, "p", 125);
    snprintf(expected, sizeof(expected), "ping %.*s\n", STR_ARG(bytes));
    put_frame(b, FIN | WEBSOCKET_PING, bytes);
    check(b, expected);
    buf_deinit(&payload);

    put_frame(b, FIN | WEBSOCKET_PING, repeated(&payload, "p", 126));
    check(b, "failed 1002\n");
    buf_deinit(&payload);
}

/* 3 Reserved bits, 4 opcodes ------------------------------------------------------------------ */

static void autobahn_3_reserved_bits_are_refused(void **state)
{
    static const unsigned opcodes[] = {WEBSOCKET_TEXT, WEBSOCKET_BINARY, WEBSOCKET_PING,
                                       WEBSOCKET_CLOSE};
    for (unsigned bits = RSV3; bits <= (RSV1 | RSV2 | RSV3); bits += RSV3) {
        for (size_t i = 0; i < COUNT_OF(opcodes); i++) {
            put(*state, FIN | WEBSOCKET_TEXT, "before");
            put(*state, FIN | bits | opcodes[i], "x");
            put(*state, FIN | WEBSOCKET_PING, "after");
            check(*state, "text before\nfailed 1002\n");
        }
    }
}

static void autobahn_4_reserved_opcodes_are_refused(void **state)
{
    static const unsigned opcodes[] = {3, 4, 5, 6, 7, 11, 12, 13, 14, 15};
    for (size_t i = 0; i < COUNT_OF(opcodes); i++) {
        put(*state, FIN | WEBSOCKET_TEXT, "before");
        put(*state, FIN | opcodes[i], i % 2 ? "x" : "");
        put(*state, FIN | WEBSOCKET_PING, "after");
        check(*state, "text before\nfailed 1002\n");
    }
}

/* 5 Fragmentation ----------------------------------------------------------------------------- */

static void autobahn_5_fragments_become_one_message(void **state)
{
    struct buf *b = *state;
    put(b, WEBSOCKET_TEXT, "frag1");
    put(b, FIN | WEBSOCKET_CONTINUATION, "frag2");
    put(b, WEBSOCKET_BINARY, "");
    put(b, WEBSOCKET_CONTINUATION, "");
    put(b, FIN | WEBSOCKET_CONTINUATION, "all");
    put(b, WEBSOCKET_TEXT, "all");
    put(b, WEBSOCKET_CONTINUATION, "");
    put(b, FIN | WEBSOCKET_CONTINUATION, "");
    put(b, WEBSOCKET_TEXT, "");
    put(b, FIN | WEBSOCKET_CONTINUATION, "");
    check(b, "text frag1frag2\nbinary all\ntext all\ntext\n");
}

static void autobahn_5_control_frames_may_stand_between(void **state)
{
    struct buf *b = *state;
    put(b, WEBSOCKET_TEXT, "f1");
    put(b, FIN | WEBSOCKET_PING, "ping 1");
    put(b, WEBSOCKET_CONTINUATION, "f2");
    put(b, FIN | WEBSOCKET_PONG, "");
    put(b, FIN | WEBSOCKET_PING, "ping 2");
    put(b, FIN | WEBSOCKET_CONTINUATION, "f3");
    check(b, "ping ping 1\npong\nping ping 2\ntext f1f2f3\n");
    put(b, WEBSOCKET_TEXT, "lost");
    put(b, FIN | WEBSOCKET_CLOSE, "");
    check(b, "close 1005\n");
}

static void autobahn_5_wrong_order_is_refused(void **state)
{
    struct buf *b = *state;
    put(b, WEBSOCKET_PING, "fragmented");
    check(b, "failed 1002\n");
    put(b, FIN | WEBSOCKET_CONTINUATION, "of nothing");
    check(b, "failed 1002\n");
    put(b, WEBSOCKET_CONTINUATION, "");
    check(b, "failed 1002\n");
    put(b, WEBSOCKET_TEXT, "one");
    put(b, FIN | WEBSOCKET_TEXT, "inside another");
    check(b, "failed 1002\n");
    put(b, FIN | WEBSOCKET_TEXT, "whole");
    put(b, FIN | WEBSOCKET_CONTINUATION, "of nothing");
    check(b, "text whole\nfailed 1002\n");
    put(b, WEBSOCKET_TEXT, "half");
    check(b, "half\n");
}

/* 6 UTF-8 ------------------------------------------------------------------------------------- */

#define KOSME "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5"

static void autobahn_6_valid_text_passes_in_any_fragments(void **state)
{
    struct buf *b = *state;
    put(b, FIN | WEBSOCKET_TEXT, "Hello-\xc2\xb5@\xc3\x9f\xc3\xb6-UTF-8!!");
    check(b, "text Hello-\xc2\xb5@\xc3\x9f\xc3\xb6-UTF-8!!\n");
    for (size_t i = 0; i < sizeof(KOSME) - 1; i++)
        put_frame(b, i ? WEBSOCKET_CONTINUATION : WEBSOCKET_TEXT, (struct str){&KOSME[i], 1});
    put(b, FIN | WEBSOCKET_CONTINUATION, "");
    check(b, "text " KOSME "\n");
    put(b, FIN | WEBSOCKET_TEXT, "\xef\xbf\xbf\xf4\x8f\xbf\xbf\xed\x9f\xbf\xee\x80\x80");
    check(b, "text \xef\xbf\xbf\xf4\x8f\xbf\xbf\xed\x9f\xbf\xee\x80\x80\n");
    put(b, FIN | WEBSOCKET_BINARY, "\xff\xfe");
    check(b, "binary \xff\xfe\n");
}

static void autobahn_6_invalid_text_is_refused(void **state)
{
    static const char *const texts[] = {
        KOSME "\xed\xa0\x80"
              "edited",     /* a surrogate */
        "\xf4\x90\x80\x80", /* past the last code point */
        "\xc0\xaf",
        "\xe0\x80\xaf", /* overlong */
        "\xf0\x80\x80\xaf",
        "\xc1\xbf", /* overlong */
        "\x80",
        "\xbf\x80", /* a continuation first */
        "\xff",
        "\xfe",                 /* never */
        "\xf8\x88\x80\x80\x80", /* five bytes */
        "\xce",
        "a\xe1\xbd", /* cut off */
        "\xce\xba\xe1",
        "\xf0\x9f\x98", /* cut off */
        "\xed\xbf\xbf", /* a surrogate */
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        put(*state, FIN | WEBSOCKET_TEXT, texts[i]);
        check(*state, "failed 1007\n");
        put(*state, WEBSOCKET_TEXT, "ok ");
        put(*state, FIN | WEBSOCKET_PING, "");
        put(*state, FIN | WEBSOCKET_CONTINUATION, texts[i]);
        check(*state, "ping\nfailed 1007\n");
    }
}

static void autobahn_6_4_invalid_text_fails_before_the_message_ends(void **state)
{
    struct buf *b = *state;
    put(b, WEBSOCKET_TEXT, KOSME "\xf4\x90");
    check(b, "failed 1007\n");
    put(b, WEBSOCKET_TEXT, KOSME "\xf4");
    put(b, WEBSOCKET_CONTINUATION, "\x90");
    check(b, "failed 1007\n");
    /* Not even the frame needs to end. */
    put(b, FIN | WEBSOCKET_TEXT,
        "ab\xff"
        "never sent");
    b->len -= strlen("never sent");
    check(b, "failed 1007\n");
}

/* 7 Close ------------------------------------------------------------------------------------- */

static void autobahn_7_close_frames_are_checked(void **state)
{
    struct buf *b = *state, payload;
    put(b, FIN | WEBSOCKET_CLOSE, "");
    put(b, FIN | WEBSOCKET_TEXT, "after");
    put(b, FIN | WEBSOCKET_PING, "after");
    check(b, "close 1005\n");
    put_frame(b, FIN | WEBSOCKET_CLOSE, STR("\x03"));
    check(b, "failed 1002\n");
    put_frame(b, FIN | WEBSOCKET_CLOSE, STR("\x03\xe8"));
    check(b, "close 1000\n");
    put_frame(b, FIN | WEBSOCKET_CLOSE,
              STR("\x03\xe8"
                  "bye \xc3\xa4"));
    check(b, "close 1000 bye \xc3\xa4\n");
    put_frame(b, FIN | WEBSOCKET_CLOSE,
              STR("\x03\xe8"
                  "\xce\xba\xed\xa0\x80"));
    check(b, "failed 1007\n");
    put_frame(b, FIN | WEBSOCKET_CLOSE,
              STR("\x03\xe8"
                  "\xce"));
    check(b, "failed 1007\n");
    put_frame(b, FIN | WEBSOCKET_CLOSE, repeated(&payload, "\x03\xe8", 126));
    check(b, "failed 1002\n");
    buf_deinit(&payload);
    put(b, WEBSOCKET_CLOSE, "");
    check(b, "failed 1002\n");
}

static void autobahn_7_close_codes_are_checked(void **state)
{
    static const uint16_t valid[] = {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010,
                                     1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999};
    static const uint16_t invalid[] = {0,    999,  1004, 1005, 1006, 1015,
                                       1016, 1100, 2000, 2999, 5000, 65535};
    char expected[32], number[2];
    for (size_t i = 0; i < COUNT_OF(valid) + COUNT_OF(invalid); i++) {
        bool good = i < COUNT_OF(valid);
        uint16_t code = good ? valid[i] : invalid[i - COUNT_OF(valid)];
        number[0] = (char)(code >> 8);
        number[1] = (char)(code & 0xff);
        put_frame(*state, FIN | WEBSOCKET_CLOSE, (struct str){number, 2});
        snprintf(expected, sizeof(expected), "%s %u\n", good ? "close" : "failed",
                 good ? code : 1002u);
        check(*state, expected);
    }
}

/* 9 Limits ------------------------------------------------------------------------------------ */

static void check_limit(size_t size, bool fragmented, const char *expected)
{
    struct buf b, payload;
    struct str bytes = repeated(&payload, "*", size);
    buf_init(&b, SIZE_MAX);
    if (fragmented) {
        put_frame(&b, WEBSOCKET_TEXT, (struct str){bytes.at, size / 2});
        put(&b, FIN | WEBSOCKET_PING, "");
        put_frame(&b, FIN | WEBSOCKET_CONTINUATION, str_skip(bytes, size / 2));
    } else {
        put_frame(&b, FIN | WEBSOCKET_TEXT, bytes);
    }
    check_one(WEBSOCKET_SERVER, buf_str(&b), b.len, b.len, expected);
    check_one(WEBSOCKET_SERVER, buf_str(&b), 1000, 1000, expected);
    check_one(WEBSOCKET_SERVER, buf_str(&b), 1, 997, expected);
    buf_deinit(&payload);
    buf_deinit(&b);
}

static void autobahn_9_the_message_limit_holds_to_the_byte(void **state)
{
    (void)state;
    check_limit(MESSAGE_BYTES_MAX - 1, false, "text #69999\n");
    check_limit(MESSAGE_BYTES_MAX, false, "text #70000\n");
    check_limit(MESSAGE_BYTES_MAX + 1, false, "failed 1009\n");
    check_limit(MESSAGE_BYTES_MAX - 1, true, "ping\ntext #69999\n");
    check_limit(MESSAGE_BYTES_MAX, true, "ping\ntext #70000\n");
    check_limit(MESSAGE_BYTES_MAX + 1, true, "ping\nfailed 1009\n");
}

static void a_message_too_big_is_refused_by_its_header(void **state)
{
    struct buf *b = *state;
    buf_put(b, "\x82\xff\x00\x00\x00\x00\x00\x01\x11\x71mask", 14); /* 70,001 bytes to come */
    check(b, "failed 1009\n");
    buf_put(b, "\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xffmask", 14);
    check(b, "failed 1009\n");
}

static void sizes_take_their_shortest_form(void **state)
{
    struct buf *b = *state;
    buf_put(b, "\x81\xfe\x00\x7dmask", 8); /* 125 in two bytes */
    check(b, "failed 1002\n");
    buf_put(b, "\x81\xff\x00\x00\x00\x00\x00\x00\xff\xffmask", 14); /* 65,535 in eight */
    check(b, "failed 1002\n");
    buf_put(b, "\x81\xff\x80\x00\x00\x00\x00\x00\x00\x01mask", 14); /* the top bit */
    check(b, "failed 1002\n");
}

/* 10 Fragments of a big message; masking; roles ----------------------------------------------- */

static void autobahn_10_a_message_of_65536_arrives_in_fragments(void **state)
{
    struct buf *b = *state, payload;
    struct str bytes = repeated(&payload, "*", 65536);
    for (size_t at = 0; at < bytes.len; at += 1300) {
        struct str rest = str_skip(bytes, at);
        bool last = rest.len <= 1300;
        if (!last)
            rest.len = 1300;
        put_frame(b, (last ? FIN : 0u) | (at ? WEBSOCKET_CONTINUATION : WEBSOCKET_TEXT), rest);
    }
    check(b, "text #65536\n");
    buf_deinit(&payload);
}

static void clients_mask_and_servers_do_not(void **state)
{
    struct buf *b = *state;
    buf_put_lit(b, "\x81\x02hi");
    check(b, "failed 1002\n");
    buf_put_lit(b, "\x81\x02hi\x89\x01p\x01\x01"
                   "a\x80\x01"
                   "b\x88\x02\x03\xe8");
    check_as(WEBSOCKET_CLIENT, b, "text hi\nping p\ntext ab\nclose 1000\n");
    put(b, FIN | WEBSOCKET_TEXT, "hi");
    check_as(WEBSOCKET_CLIENT, b, "failed 1002\n");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(autobahn_1_messages_of_every_size_form_arrive),
        TEST(a_whole_message_is_handed_out_where_it_lies),
        TEST(autobahn_2_pings_and_pongs_carry_up_to_125_bytes),
        TEST(autobahn_3_reserved_bits_are_refused),
        TEST(autobahn_4_reserved_opcodes_are_refused),
        TEST(autobahn_5_fragments_become_one_message),
        TEST(autobahn_5_control_frames_may_stand_between),
        TEST(autobahn_5_wrong_order_is_refused),
        TEST(autobahn_6_valid_text_passes_in_any_fragments),
        TEST(autobahn_6_invalid_text_is_refused),
        TEST(autobahn_6_4_invalid_text_fails_before_the_message_ends),
        TEST(autobahn_7_close_frames_are_checked),
        TEST(autobahn_7_close_codes_are_checked),
        TEST(autobahn_9_the_message_limit_holds_to_the_byte),
        TEST(a_message_too_big_is_refused_by_its_header),
        TEST(sizes_take_their_shortest_form),
        TEST(autobahn_10_a_message_of_65536_arrives_in_fragments),
        TEST(clients_mask_and_servers_do_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
