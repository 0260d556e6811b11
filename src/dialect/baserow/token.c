/* The JSON Web Tokens of 2.2. They say whose they are; what that person may do is never in them. */
#include "dialect/baserow/rest.h"

#include "base/mem.h"
#include "base/random.h"
#include "wire/jwt.h"

enum { JTI_BYTES = 16 };
static const char *const type_names[] = {[TOKEN_ACCESS] = "access", [TOKEN_REFRESH] = "refresh"};

struct str token_signing_key(const struct tx *tx)
{
    struct str own = baserow_settings()->signing_key;
    return own.len ? own : tx->settings->secret;
}

static void set(json_t *claims, const char *name, json_t *take)
{
    if (!take || json_object_set_new(claims, name, take) != 0)
        mem_exhausted();
}

struct str token_issue(struct tx *tx, enum token_type type, const struct account *account)
{
    const struct baserow_settings *s = baserow_settings();
    int64_t life_ms = type == TOKEN_ACCESS ? s->access_token_ttl_ms : s->refresh_token_ttl_ms;
    int64_t now_s = tx->now_ms / 1000;
    unsigned char bytes[JTI_BYTES];
    char jti[2 * JTI_BYTES + 1];
    AUTO(json_unref) json_t *claims = json_object();

    random_bytes(bytes, sizeof(bytes));
    for (size_t i = 0; i < sizeof(bytes); i++)
        snprintf(jti + 2 * i, 3, "%02x", bytes[i]);
    set(claims, "token_type", json_string(type_names[type]));
    set(claims, "exp", json_integer(now_s + life_ms / 1000));
    set(claims, "iat", json_integer(now_s));
    set(claims, "jti", json_string(jti));
    set(claims, "user_id", json_integer(account->id));
    if (type == TOKEN_REFRESH)
        set(claims, "verified_email_claim", json_string("enforced"));
    return jwt_sign(tx->arena, token_signing_key(tx), claims);
}

/* Claims that every token of ours has, of the right types. */
static bool are_ours(const json_t *claims, enum token_type type)
{
    return str_equal(json_get_str(claims, "token_type"), str_of(type_names[type])) &&
           json_is_integer(json_get(claims, "exp")) && json_is_integer(json_get(claims, "iat")) &&
           json_is_integer(json_get(claims, "user_id"));
}

int token_check(struct tx *tx, enum token_type type, struct str token, struct account *account_out,
                int64_t *expires_ms_out)
{
    struct account account;
    json_t *claims;

    if (!token.at ||
        jwt_verify(tx->arena, token_signing_key(tx), STR_NULL, token, tx->now_ms, &claims) ||
        !are_ours(claims, type))
        return TOKEN_BAD;
    int rc = account_by_id(tx, json_integer_value(json_get(claims, "user_id")), &account);
    if (rc == REFUSED) {
        *tx->problem = (struct problem){.kind = PROBLEM_NONE};
        return TOKEN_NO_USER;
    }
    if (rc != 0)
        return rc;
    if (!account.active)
        return TOKEN_INACTIVE;
    if (json_integer_value(json_get(claims, "iat")) < account.password_changed_ms / 1000)
        return TOKEN_BAD;
    *account_out = account;
    if (expires_ms_out)
        *expires_ms_out = json_integer_value(json_get(claims, "exp")) * 1000;
    return 0;
}
