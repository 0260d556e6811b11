#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "wire/letter.h"

static struct buf text;

static int setup(void **state)
{
    (void)state;
    buf_init(&text, SIZE_MAX);
    return 0;
}
static int teardown(void **state)
{
    (void)state;
    buf_deinit(&text);
    return 0;
}

static const char *write_letter(struct str name, struct str subject, struct str body)
{
    const struct letter letter = {
        .from_name = name,
        .from = STR("rowcast@example.com"),
        .to = STR("ann@example.com"),
        .subject = subject,
        .body = body,
        .id = STR("one"),
        .time_ms = INT64_C(1759579200123), /* 2025-10-04T12:00:00.123Z */
    };
    buf_clear(&text);
    letter_write(&text, &letter);
    buf_put_char(&text, '\0');
    return text.at;
}

static void assert_has(const char *whole, const char *part)
{
    if (!strstr(whole, part))
        fail_msg("no \"%s\" in:\n%s", part, whole);
}

/* How often a text stands in another one. */
static int count(const char *whole, const char *part)
{
    int found = 0;
    for (; (whole = strstr(whole, part)); whole++)
        found++;
    return found;
}

static void a_plain_letter_is_written_as_it_reads(void **state)
{
    (void)state;
    assert_string_equal(write_letter(STR(""), STR("Hello"), STR("One\nTwo")),
                        "Date: Sat, 04 Oct 2025 12:00:00 +0000\r\n"
                        "From: <rowcast@example.com>\r\n"
                        "To: <ann@example.com>\r\n"
                        "Subject: Hello\r\n"
                        "Message-ID: <one@example.com>\r\n"
                        "MIME-Version: 1.0\r\n"
                        "Auto-Submitted: auto-generated\r\n"
                        "Content-Type: text/plain; charset=utf-8\r\n"
                        "Content-Transfer-Encoding: quoted-printable\r\n"
                        "\r\n"
                        "One\r\n"
                        "Two\r\n");
}

static void a_name_is_quoted_or_encoded(void **state)
{
    (void)state;
    assert_has(write_letter(STR("A \"B\" \\C"), STR("x"), STR("")),
               "From: \"A \\\"B\\\" \\\\C\"\r\n <rowcast@example.com>\r\n");
    assert_has(write_letter(STR("\xc3\xa4"), STR("x"), STR("")),
               "From: =?utf-8?B?w6Q=?=\r\n <rowcast@example.com>\r\n");
}

static void a_line_end_in_a_name_or_a_subject_begins_no_header(void **state)
{
    (void)state;
    const char *whole =
        write_letter(STR("A\r\nBcc: x@y"), STR("B\nBcc: x@y\r\n\r\nbody"), STR("x"));
    assert_null(strstr(whole, "Bcc"));
    assert_int_equal(count(whole, "\r\n\r\n"), 1);
    whole = write_letter(STR(""), STR("=?utf-8?B?QmNj?="), STR(""));
    assert_null(strstr(whole, "QmNj?="));
}

static void
a_subject_is_plain_up_to_its_bound_and_then_in_words_that_hold_whole_characters(void **state)
{
    char subject[128];
    (void)state;
    memset(subject, 'a', sizeof(subject));
    const char *whole = write_letter(STR(""), (struct str){subject, 60}, STR(""));
    assert_null(strstr(whole, "=?"));
    whole = write_letter(STR(""), (struct str){subject, 61}, STR(""));
    assert_int_equal(count(whole, "=?utf-8?B?"), 2);
    for (size_t i = 0; i < sizeof(subject); i += 2)
        memcpy(subject + i, "\xc3\xa4", 2);
    whole = write_letter(STR(""), (struct str){subject, 78}, STR(""));
    assert_int_equal(count(whole, "=?utf-8?B?"), 3); /* 38, 38, 2: a word has room for 39 bytes */
    assert_has(whole, "w6Q=?=\r\nMessage-ID");
}

static void lines_of_any_length_and_content_are_quoted_within_their_bound(void **state)
{
    char line[200];
    (void)state;
    memset(line, 'b', sizeof(line));
    const char *body = strstr(write_letter(STR(""), STR("x"), (struct str){line, 75}), "\r\n\r\n");
    assert_null(strstr(body, "=\r\n"));
    body = strstr(write_letter(STR(""), STR("x"), (struct str){line, 76}), "\r\n\r\n");
    assert_has(body, "=\r\nb\r\n");
    assert_has(write_letter(STR(""), STR("x"), STR("a=b \n\xc3\xa4\t\r\n.")),
               "\r\n\r\na=3Db=20\r\n=C3=A4=09\r\n.\r\n");
    assert_has(write_letter(STR(""), STR("x"), STR("a\rb")), "\r\n\r\na=0Db\r\n");
}

static void only_plain_addresses_are_taken(void **state)
{
    static const char *const good[] = {"a@b", "ann.o+x@mail.example.com", "a'b@c"};
    static const char *const bad[] = {"",           "a",       "@b",       "a@",
                                      "a@b@c",      "a b@c",   "a@b\r\nc", "<a@b>",
                                      "\xc3\xa4@b", "\"a\"@b", "a@b,c@d",  "a@b>"};
    char longest[256];
    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++)
        assert_true(letter_address_is_plain(str_of(good[i])));
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        if (letter_address_is_plain(str_of(bad[i])))
            fail_msg("%s was taken", bad[i]);
    memset(longest, 'a', sizeof(longest));
    longest[1] = '@';
    assert_true(letter_address_is_plain((struct str){longest, 254}));
    assert_false(letter_address_is_plain((struct str){longest, 255}));
}

static void a_mailbox_is_an_address_with_or_without_a_name(void **state)
{
    static const struct {
        const char *text, *name, *address;
    } cases[] = {
        {" a@b ", "", "a@b"},
        {"Ann Lee <a@b>", "Ann Lee", "a@b"},
        {"\"Lee, Ann\" <a@b>", "Lee, Ann", "a@b"},
        {"<a@b>", "", "a@b"},
    };
    static const char *const bad[] = {"Ann", "a@b>", "Ann <a@b> x", "Ann <a>", "<>", ""};
    struct str name, address;
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_true(letter_read_mailbox(str_of(cases[i].text), &name, &address));
        assert_true(str_equal(name, str_of(cases[i].name)));
        assert_true(str_equal(address, str_of(cases[i].address)));
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(letter_read_mailbox(str_of(bad[i]), &name, &address));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(a_plain_letter_is_written_as_it_reads),
        TEST(a_name_is_quoted_or_encoded),
        TEST(a_line_end_in_a_name_or_a_subject_begins_no_header),
        TEST(a_subject_is_plain_up_to_its_bound_and_then_in_words_that_hold_whole_characters),
        TEST(lines_of_any_length_and_content_are_quoted_within_their_bound),
        TEST(only_plain_addresses_are_taken),
        TEST(a_mailbox_is_an_address_with_or_without_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
