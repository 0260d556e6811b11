#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "wire/http.h"

static void assert_str(struct str actual, const char *expected)
{
    assert_non_null(actual.at);
    assert_int_equal(actual.len, strlen(expected));
    assert_memory_equal(actual.at, expected, actual.len);
}

static const struct http_header headers[] = {
    {{"Accept", 6}, {"text/html;level=1, application/json ; q=0.5", 43}},
    {{"Accept-Encoding", 15}, {"deflate;q=0, br;q=0.000 , gzip;q=0.001", 38}},
    {{"accept-ENCODING", 15}, {"zstd; Q = 0, lzma;q=1;x=y,", 26}},
    {{"Cookie", 6}, {"a=1; session = \"quoted\" ; empty=; noequals; eq=a=b", 50}},
    {{"cookie", 6}, {"a=second; late=2", 16}},
    {{"X-Blank", 7}, {"  ", 2}},
};
static const struct http_request request = {.headers = headers, .header_count = COUNT_OF(headers)};

static void headers_are_found_without_case(void **state)
{
    (void)state;
    assert_str(http_header_get(&request, "ACCEPT"), "text/html;level=1, application/json ; q=0.5");
    assert_str(http_header_get(&request, "x-blank"), "");
    assert_null(http_header_get(&request, "accep").at);
    assert_null(http_header_get(&(struct http_request){0}, "accept").at);
}

static void lists_are_searched_in_all_headers_of_the_name(void **state)
{
    (void)state;
    assert_true(http_header_lists(&request, "accept", STR("TEXT/html")));
    assert_true(http_header_lists(&request, "accept", STR("application/json")));
    assert_false(http_header_lists(&request, "accept", STR("application")));
    assert_false(http_header_lists(&request, "absent", STR("x")));
    assert_true(http_header_lists(&request, "accept-encoding", STR("gzip")));
    assert_true(http_header_lists(&request, "accept-encoding", STR("lzma")));
}

static void what_has_quality_0_is_not_listed(void **state)
{
    (void)state;
    assert_false(http_header_lists(&request, "accept-encoding", STR("deflate")));
    assert_false(http_header_lists(&request, "accept-encoding", STR("br")));
    assert_false(http_header_lists(&request, "accept-encoding", STR("zstd")));
}

static void cookies_are_found_by_name(void **state)
{
    (void)state;
    assert_str(http_cookie_get(&request, "a"), "1");
    assert_str(http_cookie_get(&request, "session"), "quoted");
    assert_str(http_cookie_get(&request, "empty"), "");
    assert_str(http_cookie_get(&request, "eq"), "a=b");
    assert_str(http_cookie_get(&request, "late"), "2");
    assert_null(http_cookie_get(&request, "noequals").at);
    assert_null(http_cookie_get(&request, "SESSION").at);
    assert_null(http_cookie_get(&(struct http_request){0}, "a").at);
}

static void check_decoded(const char *input, enum http_decode_flags flags, const char *expected)
{
    AUTO(arena_free) struct arena *a = arena_new();
    struct str decoded = STR_NULL;
    assert_int_equal(http_percent_decode(a, str_of(input), flags, &decoded), expected != NULL);
    if (expected)
        assert_str(decoded, expected);
    else
        assert_null(decoded.at);
}

static void percent_escapes_are_decoded(void **state)
{
    (void)state;
    check_decoded("", HTTP_DECODE_PATH, "");
    check_decoded("a%20b%2Fc%2f", HTTP_DECODE_PATH, "a b/c/");
    check_decoded("%c3%A4", HTTP_DECODE_PATH, "\xc3\xa4");
    check_decoded("a+b", HTTP_DECODE_PATH, "a+b");
    check_decoded("a+b%2B", HTTP_DECODE_QUERY, "a b+");
    check_decoded("%25%32%30", HTTP_DECODE_QUERY, "%20");
}

static void bad_escapes_are_told(void **state)
{
    (void)state;
    check_decoded("%", HTTP_DECODE_PATH, NULL);
    check_decoded("a%2", HTTP_DECODE_PATH, NULL);
    check_decoded("%g0", HTTP_DECODE_PATH, NULL);
    check_decoded("%0g", HTTP_DECODE_PATH, NULL);
    check_decoded("%%20", HTTP_DECODE_QUERY, NULL);
    check_decoded("%+1", HTTP_DECODE_QUERY, NULL);

    AUTO(arena_free) struct arena *a = arena_new();
    struct str decoded;
    for (size_t len = 1; len <= 3; len++) /* a view: what is behind its end does not count */
        assert_int_equal(
            http_percent_decode(a, (struct str){"%41", len}, HTTP_DECODE_PATH, &decoded), len == 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_are_found_without_case),
        cmocka_unit_test(lists_are_searched_in_all_headers_of_the_name),
        cmocka_unit_test(what_has_quality_0_is_not_listed),
        cmocka_unit_test(cookies_are_found_by_name),
        cmocka_unit_test(percent_escapes_are_decoded),
        cmocka_unit_test(bad_escapes_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
