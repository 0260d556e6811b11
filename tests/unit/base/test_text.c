#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"

static const struct str valid[] = {
    STR_INIT(""),
    STR_INIT("plain ASCII that is longer than one machine word"),
    STR_INIT("\x7f"),
    STR_INIT("\xc2\x80"),
    STR_INIT("\xdf\xbf"),
    STR_INIT("\xe0\xa0\x80"),
    STR_INIT("\xed\x9f\xbf"),
    STR_INIT("\xee\x80\x80"),
    STR_INIT("\xef\xbf\xbf"),
    STR_INIT("\xf0\x90\x80\x80"),
    STR_INIT("\xf4\x8f\xbf\xbf"),
    STR_INIT("12345678\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80 after"),
    STR_INIT("a\0b"),
};

static const struct str invalid[] = {
    STR_INIT("\x80"), /* a tail without a head */
    STR_INIT("\xbf"),
    STR_INIT("\xc0\x80"), /* overlong */
    STR_INIT("\xc1\xbf"),
    STR_INIT("\xe0\x9f\xbf"),
    STR_INIT("\xf0\x8f\xbf\xbf"),
    STR_INIT("\xed\xa0\x80"), /* surrogates */
    STR_INIT("\xed\xbf\xbf"),
    STR_INIT("\xf4\x90\x80\x80"), /* past U+10FFFF */
    STR_INIT("\xf5\x80\x80\x80"),
    STR_INIT("\xff"),
    STR_INIT("\xfe"),
    STR_INIT("\xc3"
             "a"), /* cut short by another character */
    STR_INIT("\xe2\x82"
             "a"),
    STR_INIT("\xe2\xc2\x80"),
    STR_INIT("\xf0\x9f\x98"
             "a"),
    STR_INIT("12345678\xff"),
    STR_INIT("1234567\xc3(23456789"),
};

static const struct str cut[] = {
    STR_INIT("\xc3"),     STR_INIT("\xe2"),         STR_INIT("\xe2\x82"),
    STR_INIT("\xf0\x9f"), STR_INIT("\xf0\x9f\x98"), STR_INIT("abc\xc3"),
};

static void only_rfc_3629_is_utf8(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(valid); i++)
        assert_true(text_is_utf8(valid[i]));
    for (size_t i = 0; i < COUNT_OF(invalid); i++)
        assert_false(text_is_utf8(invalid[i]));
    for (size_t i = 0; i < COUNT_OF(cut); i++)
        assert_false(text_is_utf8(cut[i]));
    assert_true(text_is_utf8(STR_NULL));
}

static void plain_text_is_utf8_without_nul(void **state)
{
    (void)state;
    assert_true(text_is_plain(STR("a\xc3\xa4")));
    assert_true(text_is_plain(STR("")));
    assert_true(text_is_plain(STR_NULL));
    assert_false(text_is_plain(STR("a\0b")));
    assert_false(text_is_plain(STR("\0")));
    assert_false(text_is_plain(STR("a\xff")));
}

static uint32_t feed_in_two(struct str s, size_t at)
{
    uint32_t state = text_utf8_feed(0, s.at, at);
    return text_utf8_feed(state, s.at + at, s.len - at);
}

static void any_split_gives_the_same_answer(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(valid); i++)
        for (size_t at = 0; at <= valid[i].len; at++)
            assert_int_equal(feed_in_two(valid[i], at), 0);
    for (size_t i = 0; i < COUNT_OF(invalid); i++)
        for (size_t at = 0; at <= invalid[i].len; at++)
            assert_int_equal(feed_in_two(invalid[i], at), TEXT_UTF8_INVALID);
    for (size_t i = 0; i < COUNT_OF(cut); i++)
        for (size_t at = 0; at <= cut[i].len; at++) {
            uint32_t end = feed_in_two(cut[i], at);
            assert_int_not_equal(end, 0);
            assert_int_not_equal(end, TEXT_UTF8_INVALID);
        }
}

static size_t encode(uint32_t point, char *to)
{
    if (point < 0x80) {
        to[0] = (char)point;
        return 1;
    }
    if (point < 0x800) {
        to[0] = (char)(0xc0 | point >> 6);
        to[1] = (char)(0x80 | (point & 0x3f));
        return 2;
    }
    if (point < 0x10000) {
        to[0] = (char)(0xe0 | point >> 12);
        to[1] = (char)(0x80 | (point >> 6 & 0x3f));
        to[2] = (char)(0x80 | (point & 0x3f));
        return 3;
    }
    to[0] = (char)(0xf0 | point >> 18);
    to[1] = (char)(0x80 | (point >> 12 & 0x3f));
    to[2] = (char)(0x80 | (point >> 6 & 0x3f));
    to[3] = (char)(0x80 | (point & 0x3f));
    return 4;
}

static void every_code_point_is_a_sequence_and_no_surrogate_is(void **state)
{
    (void)state;
    char bytes[5] = {0};

    for (uint32_t point = 0; point <= 0x110000; point++) {
        size_t size = encode(point, bytes);
        bool exists = (point < 0xd800 || point > 0xdfff) && point <= 0x10ffff;
        if (text_utf8_sequence(bytes, size) != (exists ? size : 0))
            fail_msg("U+%04X", point);
        if (size > 1 && text_utf8_sequence(bytes, size - 1) != 0)
            fail_msg("U+%04X cut short", point);
    }
    assert_int_equal(text_utf8_sequence("ab", 2), 1);
    assert_int_equal(text_utf8_sequence("", 0), 0);
}

static void length_counts_code_points(void **state)
{
    (void)state;
    assert_int_equal(text_length(STR_NULL), 0);
    assert_int_equal(text_length(STR("abc")), 3);
    assert_int_equal(text_length(STR("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80")), 3);
}

static void folding_lowers_each_code_point(void **state)
{
    (void)state;
    static const struct {
        struct str text, folded;
    } cases[] = {
        {STR_INIT("Hello, WORLD 0@[`{"), STR_INIT("hello, world 0@[`{")},
        {STR_INIT("\xc3\x84\xc3\x96"), STR_INIT("\xc3\xa4\xc3\xb6")}, /* Ä Ö */
        {STR_INIT("\xce\xa3\xcf\x82"),
         STR_INIT("\xcf\x83\xcf\x82")},                   /* Σ ς: one to one, no context */
        {STR_INIT("\xd0\x96"), STR_INIT("\xd0\xb6")},     /* Ж */
        {STR_INIT("\xc3\x9f"), STR_INIT("\xc3\x9f")},     /* ß stays */
        {STR_INIT("\xc8\xba"), STR_INIT("\xe2\xb1\xa5")}, /* Ⱥ grows by a byte */
        {STR_INIT("\xe2\x84\xaa"), STR_INIT("k")},        /* the Kelvin sign shrinks */
        {STR_INIT("\xf0\x90\x90\x80"), STR_INIT("\xf0\x90\x90\xa8")}, /* Deseret */
        {STR_INIT("A\xff"
                  "B\xc3"),
         STR_INIT("a\xff"
                  "b\xc3")}, /* no UTF-8: as it is */
        {STR_INIT("A\0B"), STR_INIT("a\0b")},
        {STR_INIT(""), STR_INIT("")},
    };
    AUTO(arena_free) struct arena *a = arena_new();

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct str folded = text_fold(a, cases[i].text);
        assert_true(str_equal(folded, cases[i].folded));
        assert_true(str_equal(text_fold(a, folded), folded));
        assert_non_null(folded.at);
    }
    assert_null(text_fold(a, STR_NULL).at);
}

static void long_text_folds_like_short_text(void **state)
{
    (void)state;
    AUTO(arena_free) struct arena *a = arena_new();
    struct buf text, folded;

    buf_init(&text, SIZE_MAX);
    buf_init(&folded, SIZE_MAX);
    for (int lead = 0; lead < 4; lead++) { /* so that a piece can end anywhere in a sequence */
        buf_clear(&text);
        buf_clear(&folded);
        buf_printf(&text, "%.*s", lead, "XXX");
        buf_printf(&folded, "%.*s", lead, "xxx");
        for (int i = 0; i < 400; i++) {
            buf_put_lit(&text, "X\xc8\xba"); /* three bytes to four */
            buf_put_lit(&folded, "x\xe2\xb1\xa5");
            assert_true(str_equal(text_fold(a, buf_str(&text)), buf_str(&folded)));
        }
    }
    assert_true(text_contains_folded(buf_str(&text), buf_str(&folded)));
    buf_put_lit(&text, "Needle");
    assert_true(text_contains_folded(buf_str(&text), STR("\xe2\xb1\xa5needle")));
    assert_false(text_contains_folded(buf_str(&text), STR("needles")));
    buf_deinit(&text);
    buf_deinit(&folded);
}

static void a_folded_needle_is_found_in_any_case(void **state)
{
    (void)state;
    assert_true(text_contains_folded(STR("Der \xc3\x84rger"), STR("\xc3\xa4rg")));
    assert_true(text_contains_folded(STR("abc"), STR("abc")));
    assert_true(text_contains_folded(STR("abc"), STR("")));
    assert_true(text_contains_folded(STR_NULL, STR("")));
    assert_false(text_contains_folded(STR("abc"), STR("abcd")));
    assert_false(text_contains_folded(STR_NULL, STR("a")));
}

static void folding_respects_a_ceiling(void **state)
{
    (void)state;
    struct buf b;

    buf_init(&b, 3);
    text_put_folded(&b, STR("ABC"));
    assert_false(b.failed);
    buf_clear(&b);
    text_put_folded(&b, STR("ABCD"));
    assert_true(b.failed);
    buf_deinit(&b);
}

static void a_uuid_is_told_from_what_is_none(void **state)
{
    (void)state;
    assert_true(text_is_uuid(STR("01234567-89ab-cdef-0123-456789abcdef")));
    assert_true(text_is_uuid(STR("01234567-89AB-CDEF-0123-456789ABCDEF")));
    assert_false(text_is_uuid(STR("01234567-89ab-cdef-0123-456789abcde")));
    assert_false(text_is_uuid(STR("01234567-89ab-cdef-0123-456789abcdef0")));
    assert_false(text_is_uuid(STR("01234567-89ab-cdef-0123-456789abcdeg")));
    assert_false(text_is_uuid(STR("0123456789abcdef-0123-456789abcdef----")));
    assert_false(text_is_uuid(STR("012345678-9ab-cdef-0123-456789abcdef")));
    assert_false(text_is_uuid(STR("{1234567-89ab-cdef-0123-456789abcde}")));
    assert_false(text_is_uuid(STR_NULL));
}

static void digests_match_their_standards(void **state)
{
    (void)state;
    static const uint8_t sha1_abc[SHA1_SIZE] = {0xa9, 0x99, 0x3e, 0x36, 0x47, 0x06, 0x81,
                                                0x6a, 0xba, 0x3e, 0x25, 0x71, 0x78, 0x50,
                                                0xc2, 0x6c, 0x9c, 0xd0, 0xd8, 0x9d};
    char hex[SHA256_HEX_SIZE];
    uint8_t sha1[SHA1_SIZE];

    text_sha256_hex(STR("abc"), hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    text_sha256_hex(STR_NULL, hex);
    assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    text_sha1(STR("abc"), sha1);
    assert_memory_equal(sha1, sha1_abc, SHA1_SIZE);
}

static void base64_pads_the_end_only(void **state)
{
    (void)state;
    static const struct {
        struct str bytes, text; /* RFC 4648 section 10 */
    } cases[] = {
        {STR_INIT(""), STR_INIT("")},
        {STR_INIT("f"), STR_INIT("Zg==")},
        {STR_INIT("fo"), STR_INIT("Zm8=")},
        {STR_INIT("foo"), STR_INIT("Zm9v")},
        {STR_INIT("foob"), STR_INIT("Zm9vYg==")},
        {STR_INIT("\xfb\xff"), STR_INIT("+/8=")},
        {STR_INIT("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
         STR_INIT("YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFh")},
        {STR_INIT("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
         STR_INIT("YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYQ==")},
    };
    struct buf b;

    buf_init(&b, SIZE_MAX);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        buf_clear(&b);
        text_put_base64(&b, cases[i].bytes.at, cases[i].bytes.len);
        assert_true(str_equal(buf_str(&b), cases[i].text));
    }
    buf_deinit(&b);
}

static void a_word_stands_alone(void **state)
{
    (void)state;
    static const struct {
        const char *text, *word;
        bool has;
    } cases[] = {
        {"red car", "red", true},
        {"Bored", "red", false},
        {"reddish", "red", false},
        {"bored red", "red", true},
        {"(RED)", "red", true},
        {"red_car", "red", false},
        {"red2", "red", false},
        {"\xc3\x84rger", "rger", false},
        {"\xc3\x84rger", "\xc3\xa4rger", true},
        {"a red car", "red car", true},
        {"c++ rules", "c++", true},
        {"c++11", "c++", false},
        {"", "red", false},
        {"red", "", false},
        {"", "", true},
        {"- -", "", true},
        {"r\xc3\xa9s", "r", false},
        {"aa aab", "aa", true},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        if (text_has_word(str_of(cases[i].text), str_of(cases[i].word)) != cases[i].has)
            fail_msg("\"%s\" in \"%s\"", cases[i].word, cases[i].text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_rfc_3629_is_utf8),
        cmocka_unit_test(plain_text_is_utf8_without_nul),
        cmocka_unit_test(any_split_gives_the_same_answer),
        cmocka_unit_test(every_code_point_is_a_sequence_and_no_surrogate_is),
        cmocka_unit_test(length_counts_code_points),
        cmocka_unit_test(folding_lowers_each_code_point),
        cmocka_unit_test(long_text_folds_like_short_text),
        cmocka_unit_test(a_folded_needle_is_found_in_any_case),
        cmocka_unit_test(folding_respects_a_ceiling),
        cmocka_unit_test(a_uuid_is_told_from_what_is_none),
        cmocka_unit_test(a_word_stands_alone),
        cmocka_unit_test(digests_match_their_standards),
        cmocka_unit_test(base64_pads_the_end_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
