#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"
#include "wire/jwt.h"

#define SECRET STR("a secret of some length")
#define ISSUER STR("directus")

enum { NOW_MS = 1000000 };

static int set_up(void **state)
{
    *state = arena_new();
    return 0;
}

static int tear_down(void **state)
{
    arena_free(*state);
    return 0;
}

static json_t *read_json(struct arena *a, const char *text)
{
    json_t *value = NULL;
    assert_int_equal(json_read_in(a, str_of(text), &value, NULL), 0);
    return value;
}

static struct str sign(struct arena *a, const char *claims)
{
    return jwt_sign(a, SECRET, read_json(a, claims));
}

static int verify(struct arena *a, struct str token)
{
    json_t *claims = NULL;
    int rc = jwt_verify(a, SECRET, ISSUER, token, NOW_MS, &claims);
    assert_int_equal(rc == 0, claims != NULL);
    return rc;
}

static struct str base64url(struct arena *a, struct str s)
{
    struct buf b;
    buf_init(&b, SIZE_MAX);
    text_put_base64(&b, s.at, s.len);
    for (size_t i = 0; i < b.len; i++) {
        if (b.at[i] == '+')
            b.at[i] = '-';
        else if (b.at[i] == '/')
            b.at[i] = '_';
        else if (b.at[i] == '=')
            b.len = i;
    }
    struct str text = arena_str(a, buf_str(&b));
    buf_deinit(&b);
    return text;
}

/* A token made by hand: header and claims as given, and any signature. */
static struct str forged(struct arena *a, const char *header, const char *claims,
                         const char *signature)
{
    struct str first = base64url(a, str_of(header)), second = base64url(a, str_of(claims));
    return arena_printf(a, "%.*s.%.*s.%s", STR_ARG(first), STR_ARG(second), signature);
}

static void a_signed_token_gives_its_claims_back(void **state)
{
    struct arena *a = *state;
    const char *text = "{\"id\":\"u1\",\"role\":null,\"admin_access\":true,\"n\":[1,2.5],"
                       "\"name\":\"\xc3\xa4\\\"\",\"exp\":1001,\"iss\":\"directus\"}";
    json_t *claims = NULL;
    struct str token = sign(a, text);
    assert_int_equal(jwt_verify(a, SECRET, ISSUER, token, NOW_MS, &claims), 0);
    assert_true(json_equal(claims, read_json(a, text)));
}

static void a_known_token_is_accepted(void **state)
{
    /* RFC 7515 appendix A.1. */
    static const uint8_t key[] = {3,   35,  53,  75,  43,  15,  165, 188, 131, 126, 6,   101, 119,
                                  123, 166, 143, 90,  179, 40,  230, 240, 84,  201, 40,  169, 15,
                                  132, 178, 210, 80,  46,  191, 211, 251, 90,  146, 210, 6,   71,
                                  239, 150, 138, 180, 195, 119, 98,  61,  34,  61,  46,  33,  114,
                                  5,   46,  79,  8,   192, 205, 154, 245, 103, 208, 128, 163};
    struct str token =
        STR("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"
            ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290"
            "Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    struct str secret = {(const char *)key, sizeof(key)};
    json_t *claims = NULL;
    assert_int_equal(jwt_verify(*state, secret, STR("joe"), token, 1300819379999, &claims), 0);
    assert_int_equal(json_integer_value(json_get(claims, "exp")), 1300819380);
    assert_int_equal(jwt_verify(*state, secret, STR("joe"), token, 1300819380000, &claims),
                     JWT_EXPIRED);
}

static void what_is_no_token_is_foreign(void **state)
{
    static const char *const texts[] = {
        "",
        ".",
        "..",
        "...",
        "static-token",
        "a.b",
        "a.b.c",
        "a..c",
        ".b.c",
        "a.b.c.d",
        "a b.c.d",
        "e30.e30.",
        "bnVsbA.bnVsbA.x",
        "W10.W10.x",
        "eyJ.eyJ.x",
        "\xff.\xff.\xff",
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        assert_int_equal(verify(*state, str_of(texts[i])), JWT_FOREIGN);
}

static void another_issuer_is_foreign(void **state)
{
    struct arena *a = *state;
    assert_int_equal(verify(a, sign(a, "{\"iss\":\"somebody\"}")), JWT_FOREIGN);
    assert_int_equal(verify(a, sign(a, "{\"iss\":\"directus2\"}")), JWT_FOREIGN);
    assert_int_equal(verify(a, sign(a, "{\"iss\":1}")), JWT_FOREIGN);
    assert_int_equal(verify(a, sign(a, "{}")), JWT_FOREIGN);
    assert_int_equal(verify(a, sign(a, "{\"iss\":\"directus\"}")), 0);
}

static void without_an_issuer_to_ask_for_any_is_right(void **state)
{
    struct arena *a = *state;
    json_t *claims;

    static const char *const texts[] = {"{}", "{\"iss\":\"somebody\"}"};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct str token = sign(a, texts[i]);
        assert_int_equal(jwt_verify(a, SECRET, STR_NULL, token, NOW_MS, &claims), 0);
        assert_int_equal(jwt_verify(a, STR("other"), STR_NULL, token, NOW_MS, &claims), JWT_BAD);
    }
    assert_int_equal(jwt_verify(a, SECRET, STR_NULL, STR("x"), NOW_MS, &claims), JWT_FOREIGN);
}

static void a_changed_token_is_bad(void **state)
{
    struct arena *a = *state;
    struct str token = sign(a, "{\"iss\":\"directus\",\"id\":1}");
    json_t *claims = NULL;
    assert_int_equal(jwt_verify(a, STR("another"), ISSUER, token, NOW_MS, &claims), JWT_BAD);
    assert_int_equal(verify(a, (struct str){token.at, token.len - 1}), JWT_BAD);
    assert_int_equal(verify(a, arena_printf(a, "%.*sA", STR_ARG(token))), JWT_BAD);
    const char *signature = strrchr(arena_z(a, token), '.') + 1;
    assert_int_equal(verify(a, forged(a, "{\"alg\":\"HS256\",\"typ\":\"JWT\"}",
                                      "{\"iss\":\"directus\",\"id\":2}", signature)),
                     JWT_BAD);
}

static void only_hs256_is_accepted(void **state)
{
    struct arena *a = *state;
    const char *claims = "{\"iss\":\"directus\"}";
    assert_int_equal(verify(a, forged(a, "{\"alg\":\"none\"}", claims, "")), JWT_BAD);
    assert_int_equal(verify(a, forged(a, "{\"alg\":\"none\"}", claims, "x")), JWT_BAD);
    assert_int_equal(verify(a, forged(a, "{\"alg\":\"NONE\"}", claims, "")), JWT_BAD);
    assert_int_equal(verify(a, forged(a, "{\"alg\":\"RS256\"}", claims, "x")), JWT_BAD);
    assert_int_equal(verify(a, forged(a, "{\"alg\":\"HS256\"}", claims, "")), JWT_BAD);
    assert_true(verify(a, forged(a, "{\"alg\":\"XX\"}", claims, "x")) > 0);
    assert_true(verify(a, forged(a, "{}", claims, "x")) > 0);
    /* HS512 of the right secret: a good signature, and refused. */
    assert_int_equal(verify(a, STR("eyJhbGciOiJIUzUxMiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJkaXJlY3R1cyJ9."
                                   "57M7uv6d7jo6Cp0xZJzKyfznbvcYUUblAGYH1eaOn3vwfIdLrx6LPOA1cxDO52h"
                                   "sWeW3_JfzVh_V0arsdQ4LiA")),
                     JWT_BAD);
}

static void tokens_hold_until_their_moment(void **state)
{
    struct arena *a = *state;
    static const struct {
        const char *claims;
        int outcome;
    } cases[] = {
        {"{\"iss\":\"directus\",\"exp\":1001}", 0},
        {"{\"iss\":\"directus\",\"exp\":1000}", JWT_EXPIRED},
        {"{\"iss\":\"directus\",\"exp\":999}", JWT_EXPIRED},
        {"{\"iss\":\"directus\",\"exp\":1000.5}", 0},
        {"{\"iss\":\"directus\",\"exp\":999.5}", JWT_EXPIRED},
        {"{\"iss\":\"directus\",\"exp\":9223372036854775807}", 0},
        {"{\"iss\":\"directus\",\"exp\":-1}", JWT_EXPIRED},
        {"{\"iss\":\"directus\",\"exp\":\"1001\"}", JWT_BAD},
        {"{\"iss\":\"directus\",\"exp\":null}", JWT_BAD},
        {"{\"iss\":\"directus\",\"nbf\":1000}", 0},
        {"{\"iss\":\"directus\",\"nbf\":1001}", JWT_BAD},
        {"{\"iss\":\"directus\",\"nbf\":\"0\"}", JWT_BAD},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_int_equal(verify(a, sign(a, cases[i].claims)), cases[i].outcome);
}

static void long_tokens_are_foreign(void **state)
{
    struct arena *a = *state;
    char name[8192];
    memset(name, 'n', sizeof(name));
    struct str fits = arena_printf(a, "{\"iss\":\"directus\",\"n\":\"%.*s\"}", 5900, name);
    struct str token = sign(a, fits.at);
    assert_true(token.len > 7900 && token.len <= 8192);
    assert_int_equal(verify(a, token), 0);
    struct str past = arena_printf(a, "{\"iss\":\"directus\",\"n\":\"%.*s\"}", 6100, name);
    token = sign(a, past.at);
    assert_true(token.len > 8192);
    assert_int_equal(verify(a, token), JWT_FOREIGN);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_signed_token_gives_its_claims_back),
        TEST(a_known_token_is_accepted),
        TEST(what_is_no_token_is_foreign),
        TEST(another_issuer_is_foreign),
        TEST(without_an_issuer_to_ask_for_any_is_right),
        TEST(a_changed_token_is_bad),
        TEST(only_hs256_is_accepted),
        TEST(tokens_hold_until_their_moment),
        TEST(long_tokens_are_foreign),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
