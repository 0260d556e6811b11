#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/commands.h"

#include "unit/server/heard.h"

#define ARGUMENTS(...)                                                                             \
    {                                                                                              \
        (char *[]){__VA_ARGS__}, (int)(sizeof((char *[]){__VA_ARGS__}) / sizeof(char *))           \
    }

static void assert_text(struct str s, const char *text)
{
    assert_non_null(s.at);
    assert_int_equal(s.len, strlen(text));
    assert_memory_equal(s.at, text, s.len);
}

static void an_option_takes_the_next_word_or_what_stands_behind_the_equals_sign(void **state)
{
    (void)state;
    struct arguments a = ARGUMENTS("file", "--key", "code", "--link=a=b", "--empty=");

    assert_text(arguments_option(&a, "key"), "code");
    assert_text(arguments_option(&a, "link"), "a=b");
    assert_text(arguments_option(&a, "empty"), "");
    assert_int_equal(a.count, 1);
    assert_text(arguments_next(&a), "file");
    assert_true(arguments_done(&a));
}

static void an_option_that_is_not_there_is_absent(void **state)
{
    (void)state;
    struct arguments a = ARGUMENTS("key", "--keys", "x", "-key", "y");

    assert_null(arguments_option(&a, "key").at);
    assert_int_equal(a.count, 5);
}

static void an_option_without_a_value_is_left_and_then_complained_of(void **state)
{
    (void)state;
    struct arguments last = ARGUMENTS("--key"), another = ARGUMENTS("--key", "--role", "x");

    assert_null(arguments_option(&last, "key").at);
    assert_null(arguments_option(&another, "key").at);
    assert_text(arguments_option(&another, "role"), "x");
    listen_begin();
    assert_false(arguments_done(&last));
    listen_end();
    assert_heard("\"--key\"");
}

static void each_call_takes_one_of_options_that_repeat(void **state)
{
    (void)state;
    struct arguments a = ARGUMENTS("--link", "a", "--link", "b");

    assert_text(arguments_option(&a, "link"), "a");
    assert_text(arguments_option(&a, "link"), "b");
    assert_null(arguments_option(&a, "link").at);
}

static void a_flag_is_a_word_alone(void **state)
{
    (void)state;
    struct arguments a = ARGUMENTS("--json=yes", "--json", "json");

    assert_true(arguments_flag(&a, "json"));
    assert_false(arguments_flag(&a, "json"));
    assert_int_equal(a.count, 2);
}

static void the_next_word_is_none_at_an_option_or_at_the_end(void **state)
{
    (void)state;
    struct arguments a = ARGUMENTS("one", "--two"), none = {NULL, 0};

    assert_text(arguments_next(&a), "one");
    assert_null(arguments_next(&a).at);
    assert_null(arguments_next(&none).at);
    assert_true(arguments_done(&none));
}

static void a_complaint_does_not_repeat_what_may_be_a_secret(void **state)
{
    (void)state;
    struct arguments a = ARGUMENTS("--pasword=hunter2");

    listen_begin();
    assert_false(arguments_done(&a));
    listen_end();
    assert_heard("\"--pasword\"");
    assert_null(strstr(heard, "hunter2"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_option_takes_the_next_word_or_what_stands_behind_the_equals_sign),
        cmocka_unit_test(an_option_that_is_not_there_is_absent),
        cmocka_unit_test(an_option_without_a_value_is_left_and_then_complained_of),
        cmocka_unit_test(each_call_takes_one_of_options_that_repeat),
        cmocka_unit_test(a_flag_is_a_word_alone),
        cmocka_unit_test(the_next_word_is_none_at_an_option_or_at_the_end),
        cmocka_unit_test(a_complaint_does_not_repeat_what_may_be_a_secret),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
