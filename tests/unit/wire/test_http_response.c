#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <zlib.h>

#include "wire/http.h"

/* The response's text, its Date cut out after a look at its form. */
static void check(const struct http_response *response, const char *expected)
{
    AUTO(frame_unref) struct frame *frame = http_response_frame(response);
    struct buf text;
    buf_init(&text, SIZE_MAX);
    const char *date = memmem(frame->bytes, frame->size, "Date: ", 6);
    assert_non_null(date);
    const size_t line = strlen("Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
    assert_memory_equal(date + 9, ", ", 2);
    assert_memory_equal(date + line - 6, " GMT\r\n", 6);
    buf_put(&text, frame->bytes, (size_t)(date - frame->bytes));
    buf_put(&text, date + line, frame->size - (size_t)(date + line - frame->bytes));
    buf_put_char(&text, '\0');
    assert_string_equal(text.at, expected);
    buf_deinit(&text);
}

static void a_response_is_written_whole(void **state)
{
    (void)state;
    const struct http_header more[] = {{STR("X-A"), STR("1")}, {STR("X-B"), STR("")}};
    check(&(struct http_response){.status = 200,
                                  .content_type = STR("application/json"),
                                  .headers = more,
                                  .header_count = 2,
                                  .body = STR("{}"),
                                  .close = true},
          "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
          "X-A: 1\r\nX-B: \r\nConnection: close\r\n\r\n{}");
    check(&(struct http_response){.status = 404},
          "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    check(&(struct http_response){.status = 299},
          "HTTP/1.1 299 Unknown\r\nContent-Length: 0\r\n\r\n");
}

static void head_tells_the_length_without_the_body(void **state)
{
    (void)state;
    check(&(struct http_response){.status = 200, .body = STR("body"), .omit_body = true},
          "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n");
}

static void some_statuses_have_no_body_and_no_length(void **state)
{
    (void)state;
    check(&(struct http_response){.status = 100, .body = STR("x")},
          "HTTP/1.1 100 Continue\r\n\r\n");
    check(&(struct http_response){.status = 204, .body = STR("x")},
          "HTTP/1.1 204 No Content\r\n\r\n");
    check(&(struct http_response){.status = 304, .body = STR("x")},
          "HTTP/1.1 304 Not Modified\r\n\r\n");
    check(&(struct http_response){.status = 200, .body = STR("x"), .no_length = true},
          "HTTP/1.1 200 OK\r\n\r\nx");
}

static void statuses_have_their_texts(void **state)
{
    (void)state;
    assert_string_equal(http_status_text(101), "Switching Protocols");
    assert_string_equal(http_status_text(431), "Request Header Fields Too Large");
    assert_string_equal(http_status_text(505), "HTTP Version Not Supported");
    assert_string_equal(http_status_text(0), "Unknown");
}

static void check_gzip(struct str body)
{
    struct buf packed;
    buf_init(&packed, SIZE_MAX);
    buf_put_lit(&packed, "before");
    assert_true(http_gzip(body, &packed));
    assert_memory_equal(packed.at, "before", 6);
    assert_true(packed.len - 6 < body.len);

    char *unpacked = malloc(body.len + 1);
    assert_non_null(unpacked);
    z_stream z = {.next_in = (Bytef *)packed.at + 6,
                  .avail_in = (uInt)packed.len - 6,
                  .next_out = (Bytef *)unpacked,
                  .avail_out = (uInt)body.len + 1};
    assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
    assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
    assert_int_equal(z.total_out, body.len);
    assert_memory_equal(unpacked, body.at, body.len);
    inflateEnd(&z);
    free(unpacked);
    buf_deinit(&packed);
}

static void gzip_packs_what_gets_smaller(void **state)
{
    (void)state;
    static char zeros[100000];
    check_gzip((struct str){zeros, 100});
    check_gzip((struct str){zeros, sizeof(zeros)});
    check_gzip(
        STR("[{\"id\":1,\"name\":\"a\"},{\"id\":2,\"name\":\"b\"},{\"id\":3,\"name\":\"c\"}]"));
}

static void gzip_leaves_what_does_not(void **state)
{
    (void)state;
    struct buf packed;
    buf_init(&packed, SIZE_MAX);
    assert_false(http_gzip(STR_NULL, &packed));
    assert_false(http_gzip(STR("a"), &packed));
    assert_false(http_gzip(STR("abcdefghijklmnopqrstuvwxyz"), &packed));
    assert_int_equal(packed.len, 0);
    buf_deinit(&packed);
    buf_init(&packed, 10);
    static char zeros[100];
    assert_false(http_gzip((struct str){zeros, sizeof(zeros)}, &packed));
    buf_deinit(&packed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_response_is_written_whole),
        cmocka_unit_test(head_tells_the_length_without_the_body),
        cmocka_unit_test(some_statuses_have_no_body_and_no_length),
        cmocka_unit_test(statuses_have_their_texts),
        cmocka_unit_test(gzip_packs_what_gets_smaller),
        cmocka_unit_test(gzip_leaves_what_does_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
