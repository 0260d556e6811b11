/*
 * What a mailed token allows: a new password for one that was forgotten, and the proof that an
 * e-mail is its user's (9.1). Nothing here is logged: much of it is secret.
 *
 * A token names a user and what it is bound to. One for a new password is bound to the hash of the
 * one before, which no two passwords share, also equal ones: so it is worth nothing any more when
 * the password is another, by whichever way, and it works once. One for an e-mail is bound to that.
 *
 * Who asks for a letter is told the same, after the same time, whether or not there is such a user.
 */
#include "dialect/baserow/recovery.h"
#include "dialect/baserow/letters.h"

#include "base/mem.h"
#include "base/text.h"
#include "model/password.h"
#include "wire/jwt.h"

#define RESET_ISSUER "reset-password"
#define VERIFY_ISSUER "verify-email"
enum { RESET_LIFE_S = 48 * 3600, VERIFY_LIFE_S = 24 * 3600 };

/* ---- tokens ---- */

static struct str sign(struct tx *tx, const char *issuer, struct str user, struct str bound,
                       int life_s)
{
    AUTO(json_unref)
    json_t *claims =
        json_pack("{s:s,s:s%,s:s%,s:I}", "iss", issuer, "user", user.at, user.len, "bound",
                  bound.at, bound.len, "exp", (json_int_t)(tx->now_ms / 1000 + life_s));
    if (!claims)
        mem_exhausted();
    return jwt_sign(tx->arena, token_signing_key(tx), claims);
}

/* 0, JWT_EXPIRED, or JWT_BAD. */
static int read_token(struct tx *tx, const char *issuer, struct str token, struct str *user_out,
                      struct str *bound_out)
{
    json_t *claims;

    switch (
        jwt_verify(tx->arena, token_signing_key(tx), str_of(issuer), token, tx->now_ms, &claims)) {
    case 0:
        break;
    case JWT_EXPIRED:
        return JWT_EXPIRED;
    default:
        return JWT_BAD;
    }
    *user_out = json_get_str(claims, "user");
    *bound_out = json_get_str(claims, "bound");
    return user_out->at && bound_out->at ? 0 : JWT_BAD;
}

/* Says nothing of the hash to who reads the token. */
static struct str bond_of(struct arena *a, struct str hash)
{
    char hex[SHA256_HEX_SIZE];

    text_sha256_hex(hash, hex);
    return arena_str(a, str_of(hex));
}

/* ---- who ---- */

/* 0 and *is_out, in place of a refusal: what is not told is not an error. */
static int found(struct tx *tx, int rc, bool *is_out)
{
    *is_out = rc == 0;
    if (rc != REFUSED)
        return rc;
    *tx->problem = (struct problem){.kind = PROBLEM_NONE};
    return 0;
}

/* ---- a new password ---- */

static const struct rule send_reset_rules[] = {
    {"email", RULE_EMAIL, RULE_REQUIRED, 0, 0, NULL},
    {"base_url", RULE_TEXT, RULE_REQUIRED, 0, LETTER_URL_MAX, NULL},
    {NULL, 0, 0, 0, 0, NULL},
};
static const struct rule reset_rules[] = {
    {"token", RULE_TEXT, RULE_REQUIRED, 0, 0, NULL},
    {"password", RULE_PASSWORD, RULE_REQUIRED, 0, 0, NULL},
    {NULL, 0, 0, 0, 0, NULL},
};

static int check_reset_is_on(struct tx *tx)
{
    bool on;
    int rc = setting_is_on(tx, "allow_reset_password", &on);

    return rc == 0 && !on ? refuse_code(tx, ERROR_DISABLED_RESET_PASSWORD, NULL) : rc;
}

static int run_send_reset(struct request *r, struct tx *tx)
{
    const struct rest *rest = rest_of(r);
    struct str url = data_text(rest->data, "base_url");
    struct person person;
    bool is;

    int rc = check_reset_is_on(tx);
    if (rc == 0)
        rc = letters_check_url(tx, url);
    if (rc == 0)
        rc = found(tx, person_by_email(tx, data_text(rest->data, "email"), &person), &is);
    if (rc != 0)
        return rc;
    if (is && person.active)
        letter_send(tx->arena, &(struct outgoing){
                                   .kind = LETTER_RESET,
                                   .to = person.email,
                                   .name = person.name,
                                   .base_url = url,
                                   .token = sign(tx, RESET_ISSUER, person.user,
                                                 bond_of(tx->arena, person.hash), RESET_LIFE_S),
                               });
    return reply_empty(r);
}

/* Whom a token is for, if it still holds. */
static int check_reset_token(struct tx *tx, struct str token, struct person *person_out)
{
    struct str user, bound;
    bool is;

    int rc = check_reset_is_on(tx);
    if (rc != 0)
        return rc;
    switch (read_token(tx, RESET_ISSUER, token, &user, &bound)) {
    case 0:
        break;
    case JWT_EXPIRED:
        return refuse_code(tx, EXPIRED_TOKEN_SIGNATURE, NULL);
    default:
        return refuse_code(tx, BAD_TOKEN_SIGNATURE, NULL);
    }
    rc = found(tx, person_by_user(tx, user, person_out), &is);
    if (rc != 0)
        return rc;
    if (!is || !person_out->active)
        return refuse_code(tx, ERROR_USER_NOT_FOUND, NULL);
    return str_equal(bound, bond_of(tx->arena, person_out->hash))
               ? 0
               : refuse_code(tx, BAD_TOKEN_SIGNATURE, NULL);
}

/* The slow half, on a reader: nobody has a password hashed who has no token. */
static int prepare_reset(struct request *r, struct tx *tx)
{
    struct rest *rest = rest_of(r);
    struct str *hash = ARENA_NEW(r->arena, struct str);
    struct person person;

    rest->finding = hash;
    int rc = check_reset_token(tx, data_text(rest->data, "token"), &person);
    if (rc != 0)
        return rc;
    return password_hash(tx->settings, r->arena, data_text(rest->data, "password"), hash);
}

/* Who has read the letter has shown that the address is his. */
static int run_reset(struct request *r, struct tx *tx)
{
    const struct rest *rest = rest_of(r);
    struct person person;
    struct account account;

    int rc = check_reset_token(tx, data_text(rest->data, "token"), &person);
    if (rc == 0)
        rc = account_ensure(tx, person.user, &account);
    if (rc == 0)
        rc = account_set_password(tx, &account, *(const struct str *)rest->finding);
    if (rc == 0)
        rc = account_verify_email(tx, &account);
    return rc == 0 ? reply_empty(r) : rc;
}

/* ---- the proof of an e-mail ---- */

static const struct rule send_verify_rules[] = {
    {"email", RULE_EMAIL, RULE_REQUIRED, 0, 0, NULL},
    {NULL, 0, 0, 0, 0, NULL},
};
static const struct rule verify_rules[] = {
    {"token", RULE_TEXT, RULE_REQUIRED, 0, 0, NULL},
    {NULL, 0, 0, 0, 0, NULL},
};

struct outgoing verification_letter(struct tx *tx, struct str user, struct str email,
                                    struct str name)
{
    return (struct outgoing){
        .kind = LETTER_VERIFY,
        .to = email,
        .name = name,
        .token =
            sign(tx, VERIFY_ISSUER, user, account_normal_email(tx->arena, email), VERIFY_LIFE_S),
    };
}

static int run_send_verify(struct request *r, struct tx *tx)
{
    struct account account;
    bool is;

    if (!letters_are_sent())
        return refuse_code(tx, ERROR_FEATURE_DISABLED, NULL);
    int rc = found(tx, account_by_email(tx, data_text(rest_of(r)->data, "email"), &account), &is);
    if (rc != 0)
        return rc;
    if (is && account.active && !account.verified) {
        struct outgoing o = verification_letter(tx, account.user, account.email, account.name);
        letter_send(tx->arena, &o);
    }
    return reply_empty(r);
}

/* Is somebody else logged in where the letter was opened? The route is public: it is no mistake to
 * come without credentials, or with old ones. */
static int is_somebody_else(struct request *r, struct tx *tx, const struct account *account,
                            bool *is_out)
{
    struct str header = http_header_get(r->http, "Authorization"), scheme = STR("JWT ");
    struct account other;

    *is_out = false;
    if (!str_starts_with(header, scheme))
        return 0;
    int rc = token_check(tx, TOKEN_ACCESS, str_trim(str_skip(header, scheme.len)), &other, NULL);
    if (rc == 0)
        *is_out = other.id != account->id;
    return rc < 0 ? rc : 0;
}

static int answer_email(struct request *r, struct tx *tx, struct str email)
{
    struct buf b;

    reply_begin(&b);
    buf_put_lit(&b, "{\"email\":");
    json_put_str(&b, email);
    buf_put_char(&b, '}');
    return reply_json(r, tx, &b);
}

static int run_verify(struct request *r, struct tx *tx)
{
    struct str user, email;
    struct account account;
    bool is, restored, foreign;

    if (read_token(tx, VERIFY_ISSUER, data_text(rest_of(r)->data, "token"), &user, &email) != 0)
        return refuse_code(tx, ERROR_INVALID_VERIFICATION_TOKEN, NULL);
    int rc = found(tx, account_by_user(tx, user, &account), &is);
    if (rc != 0)
        return rc;
    if (!is || !account.active || !str_equal(account_normal_email(tx->arena, account.email), email))
        return refuse_code(tx, ERROR_INVALID_VERIFICATION_TOKEN, NULL);
    if (account.verified)
        return refuse_code(tx, ERROR_EMAIL_ALREADY_VERIFIED, NULL);
    rc = account_verify_email(tx, &account);
    if (rc == 0)
        rc = is_somebody_else(r, tx, &account, &foreign);
    if (rc == 0 && foreign)
        return answer_email(r, tx, account.email);
    if (rc == 0)
        rc = account_note_login(tx, &account, &restored);
    if (rc == 0)
        rc = account_by_id(tx, account.id, &account);
    return rc == 0 ? answer_login(r, tx, &account) : rc;
}

const struct route recovery_routes[] = {
    {"POST", "/api/user/send-reset-password-email/", ON_READER(run_send_reset),
     ROUTE_PUBLIC | ROUTE_STALLS, send_reset_rules, NULL},
    {"POST", "/api/user/reset-password/", ON_WRITER_AFTER(run_reset, prepare_reset), ROUTE_PUBLIC,
     reset_rules, NULL},
    {"POST", "/api/user/send-verify-email/", ON_READER(run_send_verify),
     ROUTE_PUBLIC | ROUTE_STALLS, send_verify_rules, NULL},
    {"POST", "/api/user/verify-email/", ON_WRITER(run_verify), ROUTE_PUBLIC, verify_rules, NULL},
    {NULL, NULL, {0}, 0, NULL, NULL},
};
