#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/text.h"

#include <math.h>

static struct arena *arena;

static int make_arena(void **state)
{
    (void)state;
    arena = arena_new();
    return 0;
}

static int free_arena(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

/* Reads and writes again. */
static const char *again(struct str text)
{
    json_t *value;

    assert_int_equal(json_read_in(arena, text, &value, NULL), 0);
    return json_text(arena, value).at;
}

static void any_json_value_is_read_and_written_back_compactly(void **state)
{
    (void)state;
    static const struct {
        const char *text, *written;
    } cases[] = {
        {"null", "null"},
        {" true\n", "true"},
        {"false", "false"},
        {"0", "0"},
        {"-12", "-12"},
        {"9223372036854775807", "9223372036854775807"},
        {"-9223372036854775808", "-9223372036854775808"},
        {"1.5", "1.5"},
        {"1.0", "1"},
        {"1e2", "100"},
        {"\"\"", "\"\""},
        {"\"a\\u00e4\\/\\n\"", "\"a\xc3\xa4/\\n\""},
        {"\"\\ud83d\\ude00\"", "\"\xf0\x9f\x98\x80\""},
        {"[]", "[]"},
        {"[ 1 , [ 2 ] ]", "[1,[2]]"},
        {"{}", "{}"},
        {"{ \"b\" : 1, \"a\" : { \"\" : null } }", "{\"b\":1,\"a\":{\"\":null}}"},
        {"{\"a\":1,\"b\":2,\"a\":3}", "{\"a\":3,\"b\":2}"},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_string_equal(again(str_of(cases[i].text)), cases[i].written);
}

static void what_is_no_json_is_refused_with_a_reason(void **state)
{
    (void)state;
    static const struct str cases[] = {
        STR_NULL_INIT,
        STR_INIT(""),
        STR_INIT(" "),
        STR_INIT("nul"),
        STR_INIT("1 2"),
        STR_INIT("[1,]"),
        STR_INIT("{\"a\"}"),
        STR_INIT("{a:1}"),
        STR_INIT("'a'"),
        STR_INIT("01"),
        STR_INIT("+1"),
        STR_INIT("NaN"),
        STR_INIT("[1"),
        STR_INIT("\"a"),
        STR_INIT("\"\n\""),
        STR_INIT("\"\xff\""),
        STR_INIT("\"\\x\""),
        STR_INIT("\"\\ud800\""),
        STR_INIT("\"\\u00\""),
        STR_INIT("]"),
        STR_INIT("1\0"),
        STR_INIT("\"a\0b\""),
        STR_INIT("\"\\u0000\""),
        STR_INIT("//\n1"),
        STR_INIT("{\"\\u0000\":1}"),
        STR_INIT("{1:2}"),
        STR_INIT("\xef\xbb\xbf"
                 "1"),
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        json_t *value = NULL;
        struct str reason = STR_NULL;
        assert_int_equal(json_read(arena, cases[i], &value, &reason), JSON_MALFORMED);
        assert_null(value);
        assert_true(reason.len > 0);
        assert_int_equal(json_read(NULL, cases[i], &value, NULL), JSON_MALFORMED);
    }
}

static void numbers_that_do_not_fit_are_refused_and_not_rounded(void **state)
{
    (void)state;
    static const struct str cases[] = {
        STR_INIT("9223372036854775808"),
        STR_INIT("[-9223372036854775809]"),
        STR_INIT("{\"id\": 123456789012345678901234567890}"),
        STR_INIT("1e999"),
        STR_INIT("-1e999"),
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        json_t *value;
        struct str reason;
        assert_int_equal(json_read(arena, cases[i], &value, &reason), JSON_MALFORMED);
        assert_true(str_starts_with(reason, STR("number out of range at line 1 column ")));
    }
}

/* `depth` brackets around nothing, objects and arrays by turns. */
static struct str nested(int depth)
{
    struct buf b;

    buf_init(&b, SIZE_MAX);
    for (int i = 0; i < depth; i++)
        buf_put_str(&b, i % 2 ? STR("{\"]}\\\"[{\":") : STR("["));
    if (depth % 2 == 0)
        buf_put_lit(&b, "0");
    for (int i = depth - 1; i >= 0; i--)
        buf_put_char(&b, i % 2 ? '}' : ']');
    struct str text = arena_str(arena, buf_str(&b));
    buf_deinit(&b);
    return text;
}

static void nesting_ends_at_one_hundred(void **state)
{
    (void)state;
    json_t *value;
    struct str reason;

    assert_int_equal(json_read_in(arena, nested(99), &value, NULL), 0);
    assert_int_equal(json_read_in(arena, nested(100), &value, NULL), 0);
    assert_int_equal(json_read(arena, nested(101), &value, &reason), JSON_MALFORMED);
    assert_true(str_equal(reason, STR("nesting deeper than 100")));
    assert_int_equal(json_read(arena, nested(100000), &value, NULL), JSON_MALFORMED);
}

static void many_brackets_side_by_side_are_not_deep(void **state)
{
    (void)state;
    struct buf b;
    json_t *value;

    buf_init(&b, SIZE_MAX);
    buf_put_char(&b, '[');
    for (int i = 0; i < 200; i++)
        buf_put_lit(&b, "[{}],");
    buf_put_lit(&b, "\"[[\\\\\"]");
    assert_int_equal(json_read_in(arena, buf_str(&b), &value, NULL), 0);
    assert_int_equal(json_array_size(value), 201);
    buf_deinit(&b);
}

static void members_are_found_or_absent(void **state)
{
    (void)state;
    json_t *v;

    assert_int_equal(json_read_in(arena, STR("{\"s\":\"text\",\"e\":\"\",\"n\":1}"), &v, NULL), 0);
    assert_true(str_equal(json_get_str(v, "s"), STR("text")));
    assert_non_null(json_get_str(v, "e").at);
    assert_null(json_get_str(v, "n").at);
    assert_null(json_get_str(v, "x").at);
    assert_int_equal(json_integer_value(json_get(v, "n")), 1);
    assert_null(json_get(v, "x"));
    assert_null(json_get(json_get(v, "n"), "x"));
    assert_null(json_get(NULL, "x"));
    assert_null(json_str(NULL).at);
}

static void truth_is_that_of_javascript(void **state)
{
    (void)state;
    static const char *const truthy[] = {"true",  "1",         "-1", "0.5",
                                         "\"0\"", "\"false\"", "[]", "{}"};
    static const char *const falsy[] = {"false", "null", "0", "-0", "0.0", "-0.0", "\"\""};
    json_t *v;

    for (size_t i = 0; i < COUNT_OF(truthy); i++) {
        assert_int_equal(json_read_in(arena, str_of(truthy[i]), &v, NULL), 0);
        assert_true(json_truthy(v));
    }
    for (size_t i = 0; i < COUNT_OF(falsy); i++) {
        assert_int_equal(json_read_in(arena, str_of(falsy[i]), &v, NULL), 0);
        assert_false(json_truthy(v));
    }
    assert_false(json_truthy(NULL));
}

static struct str written_str(struct str s)
{
    struct buf b;

    buf_init(&b, SIZE_MAX);
    json_put_str(&b, s);
    struct str text = arena_str(arena, buf_str(&b));
    buf_deinit(&b);
    return text;
}

static void every_character_reads_back_at_every_place(void **state)
{
    (void)state;
    for (int c = 1; c < 0x80; c++) {
        for (size_t at = 0; at < 17; at++) {
            char text[17];
            json_t *v;
            memset(text, 'x', sizeof(text));
            text[at] = (char)c;
            struct str s = {text, sizeof(text)};
            assert_int_equal(json_read(NULL, written_str(s), &v, NULL), 0);
            assert_true(str_equal(json_str(v), s));
            json_unref(v);
        }
    }
}

static void strings_are_escaped_where_they_must_be(void **state)
{
    (void)state;
    static const struct {
        struct str text, written;
    } cases[] = {
        {STR_NULL_INIT, STR_INIT("\"\"")},
        {STR_INIT("plain"), STR_INIT("\"plain\"")},
        {STR_INIT("\"\\/"), STR_INIT("\"\\\"\\\\/\"")},
        {STR_INIT("\b\f\n\r\t"), STR_INIT("\"\\b\\f\\n\\r\\t\"")},
        {STR_INIT("\0\x01\x1f\x7f"), STR_INIT("\"\\u0000\\u0001\\u001f\x7f\"")},
        {STR_INIT("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"),
         STR_INIT("\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"")},
        {STR_INIT("a\xff\xc3"), STR_INIT("\"a\xef\xbf\xbd\xef\xbf\xbd\"")},
        {STR_INIT("\xed\xa0\x80"), STR_INIT("\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"")},
        {STR_INIT("12345678\"12345678\xe2\x82\xac"
                  "123456789"),
         STR_INIT("\"12345678\\\"12345678\xe2\x82\xac"
                  "123456789\"")},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct str written = written_str(cases[i].text);
        assert_true(str_equal(written, cases[i].written));
        assert_true(text_is_utf8(written));
    }
}

static void a_string_may_fill_its_buffer_exactly(void **state)
{
    (void)state;
    struct buf b;

    buf_init(&b, 6);
    json_put_str(&b, STR("a\\b"));
    assert_false(b.failed);
    assert_int_equal(b.len, 6);
    buf_clear(&b);
    json_put_str(&b, STR("a\\bc"));
    assert_true(b.failed);
    buf_clear(&b);
    json_put_str(&b, STR("abcde"));
    assert_true(b.failed);
    assert_int_equal(b.len, 0);
    buf_deinit(&b);
}

static void doubles_are_written_as_json_numbers(void **state)
{
    (void)state;
    static const struct {
        double number;
        const char *text;
    } cases[] = {
        {0, "0"},
        {-0.0, "0"},
        {42, "42"},
        {-42, "-42"},
        {0.1, "0.1"},
        {999999999999999, "999999999999999"},
        {-999999999999999, "-999999999999999"},
        {1e15, "1e+15"},
        {1.25e-7, "1.25e-07"},
        {0.1 + 0.2, "0.30000000000000004"},
        {INFINITY, "null"},
        {-INFINITY, "null"},
        {NAN, "null"},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct buf b;
        json_t *v;
        buf_init(&b, SIZE_MAX);
        json_put_double(&b, cases[i].number);
        assert_true(str_equal(buf_str(&b), str_of(cases[i].text)));
        assert_int_equal(json_read(NULL, buf_str(&b), &v, NULL), 0);
        if (isfinite(cases[i].number))
            assert_true(json_number_value(v) == cases[i].number);
        json_unref(v);
        buf_deinit(&b);
    }
}

static void no_value_is_written_as_null(void **state)
{
    (void)state;
    assert_string_equal(json_text(arena, NULL).at, "null");
}

static void a_borrowed_value_dies_with_its_arena(void **state)
{
    (void)state;
    struct arena *own = arena_new();
    json_t *v;

    assert_int_equal(json_read_in(own, STR("[\"kept\"]"), &v, NULL), 0);
    json_incref(v);
    assert_int_equal(v->refcount, 2);
    arena_free(own);
    assert_int_equal(v->refcount, 1);
    json_unref(v);
    json_unref(NULL);

    v = NULL;
    assert_int_equal(json_read_in(arena, STR("["), &v, NULL), JSON_MALFORMED);
    assert_null(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_json_value_is_read_and_written_back_compactly),
        cmocka_unit_test(what_is_no_json_is_refused_with_a_reason),
        cmocka_unit_test(numbers_that_do_not_fit_are_refused_and_not_rounded),
        cmocka_unit_test(nesting_ends_at_one_hundred),
        cmocka_unit_test(many_brackets_side_by_side_are_not_deep),
        cmocka_unit_test(members_are_found_or_absent),
        cmocka_unit_test(truth_is_that_of_javascript),
        cmocka_unit_test(every_character_reads_back_at_every_place),
        cmocka_unit_test(strings_are_escaped_where_they_must_be),
        cmocka_unit_test(a_string_may_fill_its_buffer_exactly),
        cmocka_unit_test(doubles_are_written_as_json_numbers),
        cmocka_unit_test(no_value_is_written_as_null),
        cmocka_unit_test(a_borrowed_value_dies_with_its_arena),
    };
    return cmocka_run_group_tests(tests, make_arena, free_arena);
}
