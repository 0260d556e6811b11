#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "wire/http.h"

/*
 * Each input is decoded whole, byte by byte and cut in two at every place; what comes out must be
 * the same transcript each time. A piece is fed from a block of exactly its size, so that reading
 * past it is noticed.
 */

static const struct http_limits roomy = {
    .head_bytes_max = 4096, .target_bytes_max = 1024, .header_count_max = 20, .body_bytes_max = 64};

static void write_request(struct buf *t, const struct http_request *r)
{
    buf_printf(t, "%.*s %.*s", STR_ARG(r->method_name), STR_ARG(r->path));
    if (r->query.at)
        buf_printf(t, "?%.*s", STR_ARG(r->query));
    for (size_t i = 0; i < r->header_count; i++)
        buf_printf(t, "|%.*s=%.*s", STR_ARG(r->headers[i].name), STR_ARG(r->headers[i].value));
    if (r->body.len > 0)
        buf_printf(t, "|body:%.*s", STR_ARG(r->body));
    if (!r->keep_alive)
        buf_put_lit(t, "|last");
    if (r->upgrade)
        buf_put_lit(t, "|upgrade");
    buf_put_lit(t, "\n");
}

/* Feeds one piece; returns false when nothing is to be fed any more. */
static bool feed_piece(struct http_decoder *d, struct str piece, struct buf *t)
{
    size_t at = 0;
    while (at < piece.len) {
        size_t consumed;
        enum http_decoded decoded = http_decoder_feed(d, str_skip(piece, at), &consumed);
        at += consumed;
        if (decoded == HTTP_BAD) {
            buf_printf(t, "bad %d\n", http_decoder_status(d));
            return false;
        }
        if (decoded == HTTP_CONTINUE)
            buf_put_lit(t, "continue\n");
        if (decoded == HTTP_REQUEST) {
            struct http_request *r = http_decoder_take(d);
            bool upgrade = r->upgrade;
            write_request(t, r);
            http_request_free(r);
            if (upgrade)
                return false;
        } else {
            assert_int_equal(at, piece.len);
        }
    }
    return true;
}

/* Decodes the input in pieces of `first` and then `step` bytes. */
static char *decode(const struct http_limits *limits, struct str input, size_t first, size_t step)
{
    struct http_decoder *d = http_decoder_new(limits);
    struct buf t;
    buf_init(&t, SIZE_MAX);
    size_t size = first;
    for (bool more = true; more && input.len > 0; size = step) {
        if (size > input.len)
            size = input.len;
        char *block = mem_alloc(size);
        memcpy(block, input.at, size);
        more = feed_piece(d, (struct str){block, size}, &t);
        mem_free(block);
        input = str_skip(input, size);
        if (more && input.len == 0 && !http_decoder_idle(d))
            buf_put_lit(&t, "half\n");
    }
    http_decoder_free(d);
    buf_put_char(&t, '\0');
    return t.at;
}

static void check_bytes(const struct http_limits *limits, struct str input, const char *expected)
{
    char *text = decode(limits, input, input.len, input.len);
    assert_string_equal(text, expected);
    mem_free(text);
    text = decode(limits, input, 1, 1);
    assert_string_equal(text, expected);
    mem_free(text);
    for (size_t cut = 1; cut < input.len; cut++) {
        text = decode(limits, input, cut, input.len);
        assert_string_equal(text, expected);
        mem_free(text);
    }
}

static void check(const char *input, const char *expected)
{
    check_bytes(&roomy, str_of(input), expected);
}

#define HOST "Host: a\r\n"
#define END "\r\n"

static void a_request_comes_out_whole(void **state)
{
    (void)state;
    check("GET /items/a%20b?x=1&y=%20 HTTP/1.1\r\nHost: example.org\r\nX-Two:\t two words \t\r\n"
          "X-Empty:\r\n\r\n",
          "GET /items/a b?x=1&y=%20|Host=example.org|X-Two=two words|X-Empty=\n");
    check("SEARCH /items HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\n{}",
          "SEARCH /items|Host=a|Content-Length=2|body:{}\n");
    check("\r\n\r\nGET / HTTP/1.1\r\n" HOST END, "GET /|Host=a\n");
    check("GET / HTTP/1.1\r\nHos", "half\n");
    check("POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nab", "half\n");
    check("\r\n", "");
}

static void each_method_has_its_number(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum http_method method;
    } methods[] = {
        {"GET", HTTP_GET_},         {"HEAD", HTTP_HEAD_},     {"POST", HTTP_POST_},
        {"PUT", HTTP_PUT_},         {"PATCH", HTTP_PATCH_},   {"DELETE", HTTP_DELETE_},
        {"OPTIONS", HTTP_OPTIONS_}, {"SEARCH", HTTP_SEARCH_}, {"M-SEARCH", HTTP_OTHER_},
        {"TRACE", HTTP_OTHER_},
    };
    for (size_t i = 0; i < COUNT_OF(methods); i++) {
        struct http_decoder *d = http_decoder_new(&roomy);
        struct buf input;
        size_t consumed;
        buf_init(&input, SIZE_MAX);
        buf_printf(&input, "%s / HTTP/1.1\r\n" HOST END, methods[i].name);
        assert_int_equal(http_decoder_feed(d, buf_str(&input), &consumed), HTTP_REQUEST);
        struct http_request *r = http_decoder_take(d);
        assert_int_equal(r->method, methods[i].method);
        assert_true(str_equal(r->method_name, str_of(methods[i].name)));
        http_request_free(r);
        buf_deinit(&input);
        http_decoder_free(d);
    }
}

static void every_form_of_target_is_read(void **state)
{
    (void)state;
    check("GET http://h:1/p?q HTTP/1.1\r\n" HOST END, "GET /p?q|Host=a\n");
    check("GET http://h HTTP/1.1\r\n" HOST END, "GET /|Host=a\n");
    check("GET http://h?q HTTP/1.1\r\n" HOST END, "GET /?q|Host=a\n");
    check("OPTIONS * HTTP/1.1\r\n" HOST END, "OPTIONS *|Host=a\n");
    check("GET /a://b? HTTP/1.1\r\n" HOST END, "GET /a://b?|Host=a\n");
    check("GET /%zz HTTP/1.1\r\n" HOST END, "GET /%zz|Host=a\n");
    check("GET /%00 HTTP/1.1\r\n" HOST END, "GET /%00|Host=a\n");
    check("GET /%ff HTTP/1.1\r\n" HOST END, "GET /%ff|Host=a\n");
    check("GET /%c3%a4+ HTTP/1.1\r\n" HOST END, "GET /\xc3\xa4+|Host=a\n");
}

static void pipelined_requests_come_out_one_by_one(void **state)
{
    (void)state;
    check("POST /1 HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nabGET /2 HTTP/1.1\r\n" HOST END
          "PUT /3 HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"
          "GET /4 HTTP/1.1\r\n" HOST END,
          "POST /1|Host=a|Content-Length=2|body:ab\nGET /2|Host=a\n"
          "PUT /3|Host=a|Transfer-Encoding=chunked|body:x\nGET /4|Host=a\n");
}

static void an_untaken_request_stops_the_input(void **state)
{
    (void)state;
    struct http_decoder *d = http_decoder_new(&roomy);
    struct str input = STR("GET / HTTP/1.1\r\n" HOST END "GET /2 HTTP/1.1\r\n" HOST END);
    size_t consumed;
    assert_true(http_decoder_idle(d));
    assert_int_equal(http_decoder_feed(d, input, &consumed), HTTP_REQUEST);
    assert_int_equal(consumed, strlen("GET / HTTP/1.1\r\n" HOST END));
    input = str_skip(input, consumed);
    assert_int_equal(http_decoder_feed(d, input, &consumed), HTTP_REQUEST);
    assert_int_equal(consumed, 0);
    http_request_free(http_decoder_take(d));
    assert_true(http_decoder_idle(d));
    http_decoder_feed(d, (struct str){input.at, 1}, &consumed);
    assert_false(http_decoder_idle(d));
    http_decoder_free(d);
    http_decoder_free(NULL);
}

static void chunks_become_one_body(void **state)
{
    (void)state;
#define CHUNKED "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
#define CHUNKED_OUT "POST /|Host=a|Transfer-Encoding=chunked"
    check(CHUNKED "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", CHUNKED_OUT "|body:abcde\n");
    check(CHUNKED "0\r\n\r\n", CHUNKED_OUT "\n");
    check(CHUNKED "00A;name=\"v\"\r\n0123456789\r\n0\r\nTrailer: dropped\r\n\r\n",
          CHUNKED_OUT "|body:0123456789\n");
    check("POST / HTTP/1.1\r\n" HOST "transfer-encoding: Chunked\r\n\r\n0\r\n\r\n",
          "POST /|Host=a|transfer-encoding=Chunked\n");
    check(CHUNKED "x\r\n", "bad 400\n");
    check(CHUNKED "-1\r\n", "bad 400\n");
    check(CHUNKED "ffffffffffffffffff\r\n", "bad 400\n");
}

static void connections_last_as_long_as_agreed(void **state)
{
    (void)state;
    check("GET / HTTP/1.1\r\n" HOST "Connection: x, Close\r\n\r\n",
          "GET /|Host=a|Connection=x, Close|last\n");
    check("GET / HTTP/1.0\r\n\r\n", "GET /|last\n");
    check("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", "GET /|Connection=Keep-Alive\n");
    check("GET / HTTP/1.1\r\n" HOST "Connection: close\r\nConnection: keep-alive\r\n\r\n",
          "GET /|Host=a|Connection=close|Connection=keep-alive|last\n");
    check("CONNECT a:1 HTTP/1.1\r\n" HOST END, "CONNECT a:1|Host=a|last\n");
}

static void an_upgrade_stops_behind_its_head(void **state)
{
    (void)state;
    struct str input = STR("GET /ws HTTP/1.1\r\n" HOST
                           "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n\x81\x85");
    check_bytes(&roomy, input,
                "GET /ws|Host=a|Connection=keep-alive, Upgrade|Upgrade=websocket|upgrade\n");
    struct http_decoder *d = http_decoder_new(&roomy);
    size_t consumed;
    assert_int_equal(http_decoder_feed(d, input, &consumed), HTTP_REQUEST);
    assert_int_equal(consumed, input.len - 2);
    http_decoder_free(d);

    check("GET / HTTP/1.1\r\n" HOST "Upgrade: h2c\r\n\r\n", "GET /|Host=a|Upgrade=h2c\n");
    check("GET / HTTP/1.1\r\n" HOST "Connection: upgrade\r\n\r\n",
          "GET /|Host=a|Connection=upgrade\n");
    check("GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
          "GET /|Connection=upgrade|Upgrade=websocket|last\n");
}

static void ambiguous_framing_is_refused(void **state)
{
    (void)state;
#define POST "POST / HTTP/1.1\r\n" HOST
    check(POST "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "bad 400\n");
    check(POST "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n", "bad 400\n");
    check(POST "Content-Length: 1\r\nContent-Length: 2\r\n\r\n", "bad 400\n");
    check(POST "Content-Length: 1, 2\r\n\r\n", "bad 400\n");
    check(POST "Content-Length: +1\r\n\r\n", "bad 400\n");
    check(POST "Content-Length:\r\n\r\n", "bad 400\n");
    check(POST "Content-Length: 0x1\r\n\r\n", "bad 400\n");
    check(POST "Content-Length: 18446744073709551617\r\n\r\n", "bad 400\n");
    check(POST "Content-Length : 1\r\n\r\n", "bad 400\n");
    check(POST "Transfer-Encoding : chunked\r\n\r\n", "bad 400\n");
    check("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", "bad 400\n");
    check(POST "Transfer-Encoding: gzip\r\n\r\n", "bad 501\n");
    check(POST "Transfer-Encoding: gzip, chunked\r\n\r\n", "bad 501\n");
    check(POST "Transfer-Encoding: chunked, identity\r\n\r\n", "bad 501\n");
    check(POST "Transfer-Encoding: xchunked\r\n\r\n", "bad 501\n");
    check(POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", "bad 501\n");
    check(POST "Transfer-Encoding:\r\n\r\n", "bad 501\n");
}

static void lines_end_in_cr_and_lf_only(void **state)
{
    (void)state;
    check("GET / HTTP/1.1\n" HOST END, "bad 400\n");
    check("GET / HTTP/1.1\r\nHost: a\n\r\n", "bad 400\n");
    check("GET / HTTP/1.1\r\n" HOST "\n", "bad 400\n");
    check("GET / HTTP/1.1\r\n" HOST "\rX", "bad 400\n");
    check("GET / HTTP/1.1\r\n" HOST "A: b\rc\r\n\r\n", "bad 400\n");
    check(CHUNKED "3\r\nabcXY0\r\n\r\n", "bad 400\n");
    check(CHUNKED "3\r\nabc\n0\r\n\r\n", "bad 400\n");
    check(CHUNKED "3\rXabc\r\n0\r\n\r\n", "bad 400\n");
    check(CHUNKED "3;a\nb\r\nabc\r\n0\r\n\r\n", "bad 400\n");
    check(CHUNKED "0\r\n\rX", "bad 400\n");
    check("\nGET / HTTP/1.1\r\n" HOST END, "bad 400\n");
}

static void odd_bytes_are_refused(void **state)
{
    (void)state;
#define GET "GET / HTTP/1.1\r\n" HOST
    check(GET "A : b\r\n\r\n", "bad 400\n");
    check("GET / HTTP/1.1\r\n A: b\r\n" HOST END, "bad 400\n");
    check(GET "A(: b\r\n\r\n", "bad 400\n");
    check(GET ": b\r\n\r\n", "bad 400\n");
    check(GET "no colon\r\n\r\n", "bad 400\n");
    check(GET "A: \001b\r\n\r\n", "bad 400\n");
    check(GET "A: b\177\r\n\r\n", "bad 400\n");
    check_bytes(&roomy, STR(GET "A: \0b\r\n\r\n"), "bad 400\n");
    check_bytes(&roomy, STR(GET "A: b\0c\r\n\r\n"), "bad 400\n");
    check("GET /\t HTTP/1.1\r\n" HOST END, "bad 400\n");
    check("GET /\xc3\xa4 HTTP/1.1\r\n" HOST END, "bad 400\n");
    check("GET /#fragment HTTP/1.1\r\n" HOST END, "bad 400\n");
    check(GET "A: \xc3\xa4 b\r\n\r\n", "GET /|Host=a|A=\xc3\xa4 b\n");
    check("\x16\x03\x01\x02", "bad 400\n"); /* a TLS client */
}

static void a_folded_value_comes_out_in_one_line(void **state)
{
    (void)state;
    check(GET "A: b\r\n c\r\n\r\n", "GET /|Host=a|A=b c\n");
}

static void one_host_is_asked_for(void **state)
{
    (void)state;
    check("GET / HTTP/1.1\r\n\r\n", "bad 400\n");
    check("GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n", "bad 400\n");
    check("GET / HTTP/1.0\r\nHost: a\r\nhost: a\r\n\r\n", "bad 400\n");
    check("GET / HTTP/1.1\r\nHost:\r\n\r\n", "GET /|Host=\n");
}

static void versions_and_methods_are_known_or_refused(void **state)
{
    (void)state;
    check("GET / HTTP/2.0\r\n" HOST END, "bad 505\n");
    check("GET / HTTP/0.9\r\n" HOST END, "bad 505\n");
    check("GET /\r\n\r\n", "bad 505\n");
    check("GET / HTTP/1.2\r\n" HOST END, "GET /|Host=a\n");
    check("GET / HTTP/x\r\n" HOST END, "bad 400\n");
    check("GET / ICE/1.0\r\n" HOST END, "bad 400\n");
    check("FETCH / HTTP/1.1\r\n" HOST END, "bad 501\n");
    check("GETS / HTTP/1.1\r\n" HOST END, "bad 501\n");
    check("G / HTTP/1.1\r\n" HOST END, "bad 501\n");
    check("get / HTTP/1.1\r\n" HOST END, "bad 501\n");
    check("G@T / HTTP/1.1\r\n" HOST END, "bad 400\n");
}

static void limits_hold_to_the_byte(void **state)
{
    (void)state;
    struct str head = STR("GET /1234 HTTP/1.1\r\nHost: a\r\nA: b\r\n\r\n");
    const char *fits = "GET /1234|Host=a|A=b\n";
    struct http_limits l = {head.len, 5, 2, 4};
    check_bytes(&l, head, fits);
    l.head_bytes_max++;
    check_bytes(&l, head, fits);
    l.head_bytes_max -= 2;
    check_bytes(&l, head, "bad 431\n");
    l = (struct http_limits){head.len, 4, 2, 4};
    check_bytes(&l, head, "bad 414\n");
    l.target_bytes_max = 6;
    check_bytes(&l, head, fits);
    l.header_count_max = 1;
    check_bytes(&l, head, "bad 431\n");
    l.header_count_max = 3;
    check_bytes(&l, head, fits);
}

static void bodies_have_a_limit(void **state)
{
    (void)state;
    static const struct http_limits l = {1024, 100, 10, 4};
    check_bytes(&l, STR(POST "Content-Length: 3\r\n\r\nabc"),
                "POST /|Host=a|Content-Length=3|body:abc\n");
    check_bytes(&l, STR(POST "Content-Length: 4\r\n\r\nabcd"),
                "POST /|Host=a|Content-Length=4|body:abcd\n");
    check_bytes(&l, STR(POST "Content-Length: 5\r\n\r\n"), "bad 413\n");
    check_bytes(&l, STR(POST "Content-Length: 5\r\nExpect: 100-continue\r\n\r\n"), "bad 413\n");
    check_bytes(&l, STR(CHUNKED "2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n"), CHUNKED_OUT "|body:abcd\n");
    check_bytes(&l, STR(CHUNKED "2\r\nab\r\n3\r\ncde"), "bad 413\n");
}

static void endless_chunk_extensions_and_trailers_are_refused(void **state)
{
    (void)state;
    static const struct http_limits l = {64, 8, 10, 4};
#define FORTY "0123456789012345678901234567890123456789"
    check_bytes(&l, STR(CHUNKED "1;" FORTY "\r\na\r\n1;" FORTY "\r\nb\r\n0\r\n\r\n"),
                CHUNKED_OUT "|body:ab\n");
    check_bytes(&l, STR(CHUNKED "1;" FORTY FORTY "\r\na\r\n0\r\n\r\n"), "bad 431\n");
    check_bytes(&l, STR(CHUNKED "0\r\nA: " FORTY "\r\nB: " FORTY "\r\n\r\n"), "bad 431\n");
}

static void continue_is_asked_for_once(void **state)
{
    (void)state;
    struct http_decoder *d = http_decoder_new(&roomy);
    size_t consumed;
    struct str head = STR(POST "Expect: 100-Continue\r\nContent-Length: 2\r\n\r\n");
    assert_int_equal(http_decoder_feed(d, head, &consumed), HTTP_CONTINUE);
    assert_int_equal(consumed, head.len);
    assert_int_equal(http_decoder_feed(d, STR("a"), &consumed), HTTP_MORE);
    assert_int_equal(http_decoder_feed(d, STR("b"), &consumed), HTTP_REQUEST);
    http_request_free(http_decoder_take(d));

    /* Who sends a part of the body at once does not wait. */
    struct str eager = STR(POST "Expect: 100-continue\r\nContent-Length: 2\r\n\r\na");
    assert_int_equal(http_decoder_feed(d, eager, &consumed), HTTP_MORE);
    assert_int_equal(http_decoder_feed(d, STR("b"), &consumed), HTTP_REQUEST);
    http_request_free(http_decoder_take(d));

    struct str old = STR("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    assert_int_equal(http_decoder_feed(d, old, &consumed), HTTP_MORE);
    http_decoder_free(d);
}

static void a_refused_decoder_stays_refused(void **state)
{
    (void)state;
    struct http_decoder *d = http_decoder_new(&roomy);
    size_t consumed;
    assert_int_equal(http_decoder_feed(d, STR("@"), &consumed), HTTP_BAD);
    assert_int_equal(http_decoder_feed(d, STR(GET END), &consumed), HTTP_BAD);
    assert_int_equal(consumed, 0);
    assert_int_equal(http_decoder_status(d), 400);
    assert_false(http_decoder_idle(d));
    http_decoder_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_comes_out_whole),
        cmocka_unit_test(each_method_has_its_number),
        cmocka_unit_test(every_form_of_target_is_read),
        cmocka_unit_test(pipelined_requests_come_out_one_by_one),
        cmocka_unit_test(an_untaken_request_stops_the_input),
        cmocka_unit_test(chunks_become_one_body),
        cmocka_unit_test(connections_last_as_long_as_agreed),
        cmocka_unit_test(an_upgrade_stops_behind_its_head),
        cmocka_unit_test(ambiguous_framing_is_refused),
        cmocka_unit_test(lines_end_in_cr_and_lf_only),
        cmocka_unit_test(odd_bytes_are_refused),
        cmocka_unit_test(a_folded_value_comes_out_in_one_line),
        cmocka_unit_test(one_host_is_asked_for),
        cmocka_unit_test(versions_and_methods_are_known_or_refused),
        cmocka_unit_test(limits_hold_to_the_byte),
        cmocka_unit_test(bodies_have_a_limit),
        cmocka_unit_test(endless_chunk_extensions_and_trailers_are_refused),
        cmocka_unit_test(continue_is_asked_for_once),
        cmocka_unit_test(a_refused_decoder_stays_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
