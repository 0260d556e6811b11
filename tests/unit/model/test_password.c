#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <argon2.h>
#include <cmocka.h>

#include "model/identity/identity.h"
#include "model/password.h"

static const struct model_settings cheap = {.argon2_memory_kib = 32, .argon2_passes = 1};

static struct str hash_of(struct arena *a, struct str plain)
{
    struct str phc;
    assert_int_equal(password_hash(&cheap, a, plain, &phc), 0);
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
    assert_int_equal(password_hash(&little, a, STR("secret"), &phc), 0);
    assert_true(str_starts_with(phc, STR("$argon2id$v=19$m=32,")));
    assert_true(password_verify(&cheap, phc, STR("secret")));
}

static void the_password_fits_its_hash_and_no_other_does(void **state)
{
    (void)state;
    AUTO(arena_free) struct arena *a = arena_new();
    struct str phc = hash_of(a, STR("secret"));
    assert_true(password_verify(&cheap, phc, STR("secret")));
    assert_false(password_verify(&cheap, phc, STR("Secret")));
    assert_false(password_verify(&cheap, phc, STR("secret ")));
    assert_false(password_verify(&cheap, phc, STR("")));
    assert_false(password_verify(&cheap, phc, STR_NULL));
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
    assert_true(password_verify(&cheap, phc, STR("password")));
    assert_false(password_verify(&cheap, phc, STR("passwore")));
}

/* Of "password", by the library itself: what another program would have made. */
static bool is_taken(const struct model_settings *settings, uint32_t memory_kib, uint32_t passes,
                     uint32_t lanes)
{
    char phc[256];
    assert_int_equal(argon2id_hash_encoded(passes, memory_kib, lanes, "password", 8, "some salt", 9,
                                           32, phc, sizeof(phc)),
                     ARGON2_OK);
    return password_verify(settings, str_of(phc), STR("password"));
}

static void a_hash_may_cost_what_is_usual(void **state)
{
    (void)state;
    assert_true(is_taken(&cheap, 65536, 1, 1));
    assert_false(is_taken(&cheap, 65537, 1, 1));
    assert_true(is_taken(&cheap, 8, 3, 1));
    assert_false(is_taken(&cheap, 8, 4, 1));
    assert_true(is_taken(&cheap, 128, 1, 16));
    assert_false(is_taken(&cheap, 136, 1, 17));
}

static void a_hash_may_cost_what_those_made_here_do(void **state)
{
    (void)state;
    const struct model_settings dear = {.argon2_memory_kib = 65600, .argon2_passes = 5};
    assert_true(is_taken(&dear, 65600, 1, 1));
    assert_false(is_taken(&dear, 65601, 1, 1));
    assert_true(is_taken(&dear, 8, 5, 1));
    assert_false(is_taken(&dear, 8, 6, 1));
}

static void parameters_that_are_none_are_not_even_tried(void **state)
{
    (void)state;
    static const char *const refused[] = {
        "$argon2id$v=19$m=99999999999999999999,t=1,p=1$c29tZXNhbHQ$nf65EOgLrQMR",
        "$argon2id$v=19$m=-1,t=1,p=1$c29tZXNhbHQ$nf65EOgLrQMR",
        "$argon2id$v=19$m=0,t=1,p=1$c29tZXNhbHQ$nf65EOgLrQMR",
    };
    for (size_t i = 0; i < COUNT_OF(refused); i++)
        assert_false(password_verify(&cheap, str_of(refused[i]), STR("password")));
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
        assert_false(password_verify(&cheap, str_of(refused[i]), str_of(refused[i])));
    assert_false(password_verify(&cheap, STR_NULL, STR("secret")));
    assert_false(
        password_verify(&cheap, STR("$argon2id$v=19$m=64,t=1,p=1$c29t\0ZXNhbHQ$nf"), STR("x")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hash_says_its_parameters_in_phc_form),
        cmocka_unit_test(too_little_memory_is_raised_to_the_least_that_works),
        cmocka_unit_test(the_password_fits_its_hash_and_no_other_does),
        cmocka_unit_test(equal_passwords_have_different_hashes),
        cmocka_unit_test(hashes_with_other_parameters_are_verified),
        cmocka_unit_test(a_hash_may_cost_what_is_usual),
        cmocka_unit_test(a_hash_may_cost_what_those_made_here_do),
        cmocka_unit_test(parameters_that_are_none_are_not_even_tried),
        cmocka_unit_test(what_is_no_hash_fits_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
