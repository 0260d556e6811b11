#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "base/text.h"

static void bytes_fill_exactly_what_was_asked_for(void **state)
{
    (void)state;
    enum { SIZE = 3 << 20 }; /* more than one request to the generator */
    static unsigned char bytes[SIZE + 2];
    size_t seen[256] = {0};

    random_bytes(bytes + 1, SIZE);
    assert_int_equal(bytes[0], 0);
    assert_int_equal(bytes[SIZE + 1], 0);
    for (size_t i = 1; i <= SIZE; i++)
        seen[bytes[i]]++;
    for (size_t value = 0; value < COUNT_OF(seen); value++)
        assert_in_range(seen[value], SIZE / 256 * 9 / 10, SIZE / 256 * 11 / 10);
    random_bytes(bytes, 0);
}

static void a_uuid_has_version_4_and_never_comes_twice(void **state)
{
    (void)state;
    char one[UUID_TEXT_SIZE], two[UUID_TEXT_SIZE];

    for (int i = 0; i < 100; i++) {
        random_uuid(one);
        random_uuid(two);
        assert_int_equal(strlen(one), UUID_TEXT_SIZE - 1);
        assert_true(text_is_uuid(str_of(one)));
        assert_int_equal(one[14], '4');
        assert_non_null(strchr("89ab", one[19]));
        assert_string_not_equal(one, two);
        for (const char *c = one; *c; c++)
            assert_false(*c >= 'A' && *c <= 'Z');
    }
}

static void a_token_uses_the_whole_url_safe_alphabet(void **state)
{
    (void)state;
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    static char token[10001];

    random_token(token, 10000);
    assert_int_equal(strlen(token), 10000);
    assert_int_equal(strspn(token, alphabet), 10000);
    for (const char *c = alphabet; *c; c++)
        assert_non_null(strchr(token, *c));
    random_token(token, 0);
    assert_string_equal(token, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_fill_exactly_what_was_asked_for),
        cmocka_unit_test(a_uuid_has_version_4_and_never_comes_twice),
        cmocka_unit_test(a_token_uses_the_whole_url_safe_alphabet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
