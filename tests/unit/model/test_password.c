#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/identity.h"

static const struct model_settings cheap = {.argon2_memory_kib = 32, .argon2_passes = 1};

static struct str hash_of(struct arena *a, struct str plain)
{
    struct str phc;
    assert_int_equal(identity_hash(&cheap, a, plain, &phc), 0);
    return phc;
}

static void a_hash_says_its_parameters_in_phc_form(void **state)
{
    (void)state;
    AUTO(arena_free) struct arena *a = arena_new();
    assert_true(str_starts_with(hash_of(a, STR("secret")), STR("$argon2id$v=19$m=32,t=1,p=4$")));
}

static void too_little_memory_is_raised_to_the_least_that_works(void **state)
{
    (void)state;
    AUTO(arena_free) struct arena *a = arena_new();
    const struct model_settings little = {.argon2_memory_kib = 8, .argon2_passes = 1};
    struct str phc;
    assert_int_equal(identity_hash(&little, a, STR("secret"), &phc), 0);
    assert_true(str_starts_with(phc, STR("$argon2id$v=19$m=32,")));
    assert_true(identity_verify(phc, STR("secret")));
}

static void the_password_fits_its_hash_and_no_other_does(void **state)
{
    (void)state;
    AUTO(arena_free) struct arena *a = arena_new();
    struct str phc = hash_of(a, STR("secret"));
    assert_true(identity_verify(phc, STR("secret")));
    assert_false(identity_verify(phc, STR("Secret")));
    assert_false(identity_verify(phc, STR("secret ")));
    assert_false(identity_verify(phc, STR("")));
    assert_false(identity_verify(phc, STR_NULL));
}

static void equal_passwords_have_different_hashes(void **state)
{
    (void)state;
    AUTO(arena_free) struct arena *a = arena_new();
    assert_false(str_equal(hash_of(a, STR("secret")), hash_of(a, STR("secret"))));
}

static void hashes_with_other_parameters_are_verified(void **state)
{
    (void)state;
    /* "password" by the reference program of argon2, one lane */
    struct str phc = STR("$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$"
                         "nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4");
    assert_true(identity_verify(phc, STR("password")));
    assert_false(identity_verify(phc, STR("passwore")));
}

static void parameters_past_their_bounds_are_not_even_tried(void **state)
{
    (void)state;
    static const char *const refused[] = {
        "$argon2id$v=19$m=1048577,t=1,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=19$m=64,t=65,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=19$m=64,t=1,p=65$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=19$m=99999999999999999999,t=1,p=1$c29tZXNhbHQ$nf65EOgLrQMR",
        "$argon2id$v=19$m=-1,t=1,p=1$c29tZXNhbHQ$nf65EOgLrQMR",
        "$argon2id$v=19$m=0,t=1,p=1$c29tZXNhbHQ$nf65EOgLrQMR",
    };
    for (size_t i = 0; i < COUNT_OF(refused); i++)
        assert_false(identity_verify(str_of(refused[i]), STR("password")));
}

static void what_is_no_hash_fits_nothing(void **state)
{
    (void)state;
    static const char *const refused[] = {
        "",
        "$",
        "secret",
        "$argon2id$",
        "$argon2id$v=19$",
        "$argon2id$v=19$m=64,t=1,p=1",
        "$argon2i$v=19$m=64,t=1,p=1$c29tZXNhbHQ$nf65EOgLrQMR",
        "$argon2id$v=19$m=64$c29tZXNhbHQ$nf",
        "$argon2id$v=19$t=1,m=64,p=1$c29tZXNhbHQ$nf65EOgLrQMR",
        "$argon2id$v=19$m=64,t=1,p=1,x=1$c29tZXNhbHQ$nf65EOgLrQMR",
        "**********",
    };
    for (size_t i = 0; i < COUNT_OF(refused); i++)
        assert_false(identity_verify(str_of(refused[i]), str_of(refused[i])));
    assert_false(identity_verify(STR_NULL, STR("secret")));
    assert_false(identity_verify(STR("$argon2id$v=19$m=64,t=1,p=1$c29t\0ZXNhbHQ$nf"), STR("x")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hash_says_its_parameters_in_phc_form),
        cmocka_unit_test(too_little_memory_is_raised_to_the_least_that_works),
        cmocka_unit_test(the_password_fits_its_hash_and_no_other_does),
        cmocka_unit_test(equal_passwords_have_different_hashes),
        cmocka_unit_test(hashes_with_other_parameters_are_verified),
        cmocka_unit_test(parameters_past_their_bounds_are_not_even_tried),
        cmocka_unit_test(what_is_no_hash_fits_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
