/* Addresses: literals in, compact form, text out. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <netinet/in.h>

#include "net/address.h"

static void assert_shown_as(const char *literal, const char *expected)
{
    struct sockaddr_storage address = {0};
    char text[ADDRESS_TEXT_MAX];

    assert_true(address_read(literal, 80, &address) > 0);
    struct address a = address_of(&address);
    struct str shown = address_text(&a, text);
    assert_true(str_equal(shown, str_of(expected)));
}

static void literals_come_back_in_their_canonical_form(void **state)
{
    (void)state;
    assert_shown_as("127.0.0.1", "127.0.0.1");
    assert_shown_as("0.0.0.0", "0.0.0.0");
    assert_shown_as("::1", "::1");
    assert_shown_as("2001:DB8:0:0:0:0:0:1", "2001:db8::1");
    assert_shown_as("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
}

static void a_mapped_address_is_shown_as_ipv4(void **state)
{
    (void)state;
    assert_shown_as("::ffff:192.0.2.7", "192.0.2.7");
}

static void what_is_no_literal_is_refused(void **state)
{
    static const char *const wrong[] = {"", "localhost", "1.2.3", "1.2.3.256", "[::1]", ":::", "x"};
    struct sockaddr_storage address;
    (void)state;

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_int_equal(address_read(wrong[i], 80, &address), 0);
}

static void the_port_is_in_network_order(void **state)
{
    struct sockaddr_storage address = {0};
    struct sockaddr_in ipv4;
    (void)state;

    assert_int_equal(address_read("10.0.0.1", 8055, &address), sizeof(ipv4));
    memcpy(&ipv4, &address, sizeof(ipv4));
    assert_int_equal(ntohs(ipv4.sin_port), 8055);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(literals_come_back_in_their_canonical_form),
        cmocka_unit_test(a_mapped_address_is_shown_as_ipv4),
        cmocka_unit_test(what_is_no_literal_is_refused),
        cmocka_unit_test(the_port_is_in_network_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
