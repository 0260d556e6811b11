#include "model/identity/identity.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/random.h"
#include "base/text.h"
#include "model/identity/memory.h"
#include "model/items/email.h"
#include "model/items/records.h"
#include "model/password.h"
#include "wire/jwt.h"

/*
 * Sessions. A session is a row with the hash of its refresh token, so that who reads the database
 * cannot take one over. A refresh token works once: its row gives way to the next one's.
 */

enum { REFRESH_TOKEN_LENGTH = 64, EXPIRED_SESSIONS_MAX = 100 /* removed at one log-in */ };

static struct str timestamp(struct arena *a, int64_t ms)
{
    char text[CLOCK_TEXT_MAX];

    clock_write_timestamp(ms, text);
    return arena_str(a, str_of(text));
}

static struct str digest(struct arena *a, struct str token)
{
    char hex[SHA256_HEX_SIZE];

    text_sha256_hex(token, hex);
    return arena_str(a, str_of(hex));
}

/* ---- first half: is it the password? ---- */

int identity_login_check(struct tx *tx, struct login *login)
{
    const struct value *row;
    struct str unused;

    if (login->email.len == 0)
        return refuse(tx, PROBLEM_INVALID_PAYLOAD, "\"email\" is required");
    if (!email_is_valid(login->email))
        return refuse(tx, PROBLEM_INVALID_PAYLOAD, "\"email\" must be a valid email");
    if (login->password.len == 0)
        return refuse(tx, PROBLEM_INVALID_PAYLOAD, "\"password\" is required");
    int rc = record_find_email(tx, login->email, STR_NULL, &row);
    if (rc != 0)
        return rc;

    login->user = row ? system_text(SYSTEM_USERS, row, "id") : STR_NULL;
    login->hash = row ? system_text(SYSTEM_USERS, row, "password") : STR_NULL;
    login->verified = password_verify(tx->settings, login->hash, login->password);
    /* Nobody learns from the time it takes whether there is such a user. */
    return login->hash.at ? 0 : password_hash(tx->settings, tx->arena, login->password, &unused);
}

/* ---- tokens ---- */

static json_t *or_exhausted(json_t *json)
{
    if (!json)
        mem_exhausted();
    return json;
}

static void set_claim(json_t *claims, const char *name, json_t *take)
{
    if (json_object_set_new(claims, name, or_exhausted(take)) != 0)
        mem_exhausted();
}

static json_t *text_or_null(struct str s)
{
    return s.at ? json_stringn(s.at, s.len) : json_null();
}

static struct str access_token(struct tx *tx, const struct value *user)
{
    AUTO(principal_unref)
    struct principal *p =
        principal_user(tx->catalogue, user, tx->caller ? tx->caller->ip : STR_NULL);
    AUTO(json_unref) json_t *claims = or_exhausted(json_object());

    set_claim(claims, "id", text_or_null(p->user));
    set_claim(claims, "role", text_or_null(p->role));
    set_claim(claims, "app_access", json_boolean(p->app));
    set_claim(claims, "admin_access", json_boolean(p->admin));
    set_claim(claims, "iat", json_integer(tx->now_ms / 1000));
    set_claim(claims, "exp", json_integer((tx->now_ms + tx->settings->access_token_ttl_ms) / 1000));
    set_claim(claims, "iss", json_string("directus"));
    return jwt_sign(tx->arena, tx->settings->secret, claims);
}

static struct value text_value(struct str s)
{
    return s.at ? value_text(s) : value_null();
}

/* Makes both tokens and the session's row. */
static int open_session(struct tx *tx, const struct value *user, struct tokens *tokens_out)
{
    char refresh_token[REFRESH_TOKEN_LENGTH + 1];
    struct str id = system_text(SYSTEM_USERS, user, "id");
    struct caller nobody = {0};
    const struct caller *caller = tx->caller ? tx->caller : &nobody;

    random_token(refresh_token, REFRESH_TOKEN_LENGTH);
    struct str token = arena_str(tx->arena, str_of(refresh_token));
    struct str expires = timestamp(tx->arena, tx->now_ms + tx->settings->refresh_token_ttl_ms);
    const struct assignment session[] = {
        record_set(SYSTEM_SESSIONS, "token", value_text(digest(tx->arena, token))),
        record_set(SYSTEM_SESSIONS, "user", value_text(id)),
        record_set(SYSTEM_SESSIONS, "expires", value_text(expires)),
        record_set(SYSTEM_SESSIONS, "ip", text_value(caller->ip)),
        record_set(SYSTEM_SESSIONS, "user_agent", text_value(caller->user_agent)),
    };
    int rc = record_insert(tx, SYSTEM_SESSIONS, session, COUNT_OF(session));
    if (rc != 0)
        return rc;
    *tokens_out = (struct tokens){
        .user = id,
        .access_token = access_token(tx, user),
        .refresh_token = token,
        .expires_ms = tx->settings->access_token_ttl_ms,
    };
    return 0;
}

/* ---- second half: open, or count ---- */

struct expired {
    struct tx *tx;
    struct system_rows rows;
};

static int take_expired(void *context, const struct value *row)
{
    struct expired *e = context;
    size_t columns = system_table(SYSTEM_SESSIONS)->shape.count;

    e->rows.at[e->rows.count++] = value_copy_row(e->tx->arena, row, columns);
    return 0;
}

static int remove_expired(struct tx *tx)
{
    struct expired expired = {
        .tx = tx,
        .rows.at = ARENA_ARRAY(tx->arena, const struct value *, EXPIRED_SESSIONS_MAX),
    };
    const struct select select = {
        .shape = &system_table(SYSTEM_SESSIONS)->shape,
        .where = system_test(tx->arena, SYSTEM_SESSIONS, "expires", OP_LT,
                             value_text(timestamp(tx->arena, tx->now_ms))),
        .limit = EXPIRED_SESSIONS_MAX,
    };

    int rc = store_select(tx->store, &select, take_expired, &expired);
    return rc == 0 ? record_delete(tx, SYSTEM_SESSIONS, &expired.rows) : rc;
}

/* Suspending the last admin would let anybody lock the instance by guessing. */
static int is_last_admin(struct tx *tx, struct str user, bool *last_out)
{
    bool any = false, others = false;

    int rc = record_admin_remains(tx, STR_NULL, &any);
    if (rc == 0)
        rc = record_admin_remains(tx, user, &others);
    if (rc == 0)
        *last_out = any && !others;
    return rc;
}

/* 0 when the failure was the one too many: then what is written has to stay. */
static int count_failure(struct tx *tx, const struct value *user, struct login *login)
{
    const struct assignment suspended =
        record_set(SYSTEM_USERS, "status", value_text(STR("suspended")));
    struct str id = system_text(SYSTEM_USERS, user, "id");
    unsigned max = tx->settings->login_attempts_max;
    bool last = true;

    int refused = refuse(tx, PROBLEM_INVALID_CREDENTIALS, NULL);
    if (login->failures == 0)
        login->failures = memory_count_failure(tx, id);
    if (login->failures < max || max == 0)
        return refused;
    int rc = is_last_admin(tx, id, &last);
    if (rc != 0)
        return rc;
    if (last)
        return refused;
    rc = record_update(tx, SYSTEM_USERS, user, &suspended, 1);
    if (rc == 0)
        memory_forget_failures(tx, id); /* they count anew when somebody lets the user in again */
    return rc;
}

/* The user, when it is; NULL: the attempt suspended it, and that write has to stay. */
static int enter(struct tx *tx, struct login *login, const struct value **user_out)
{
    const struct value *user = NULL;

    *user_out = NULL;
    int rc = login->user.at ? record_find(tx, SYSTEM_USERS, "id", login->user, &user) : 0;
    if (rc != 0)
        return rc;
    if (!user || !system_user_is_active(user) ||
        !str_equal(system_text(SYSTEM_USERS, user, "provider"), STR("default")))
        return refuse(tx, PROBLEM_INVALID_CREDENTIALS, NULL);
    /* A hash that is another now: the password was changed between the halves. */
    if (!login->verified || !str_equal(login->hash, system_text(SYSTEM_USERS, user, "password")))
        return count_failure(tx, user, login);
    if (system_text(SYSTEM_USERS, user, "tfa_secret").at)
        return refuse(tx, PROBLEM_INVALID_OTP, NULL); /* second factors are not served: closed */

    memory_forget_failures(tx, login->user);
    *user_out = user;
    return 0;
}

int identity_login_enter(struct tx *tx, struct login *login, bool *entered_out)
{
    const struct value *user;
    int rc = enter(tx, login, &user);

    *entered_out = rc == 0 && user;
    return rc;
}

int identity_login_open(struct tx *tx, struct login *login, struct tokens *tokens_out)
{
    const struct value *user;
    const struct assignment now =
        record_set(SYSTEM_USERS, "last_access", value_text(timestamp(tx->arena, tx->now_ms)));

    *tokens_out = (struct tokens){0};
    int rc = enter(tx, login, &user);
    if (rc != 0 || !user)
        return rc;
    rc = remove_expired(tx);
    if (rc == 0)
        rc = record_update(tx, SYSTEM_USERS, user, &now, 1);
    return rc == 0 ? open_session(tx, user, tokens_out) : rc;
}

/* ---- refresh and log-out ---- */

int identity_refresh_session(struct tx *tx, struct str refresh_token, struct tokens *tokens_out)
{
    struct str hash = digest(tx->arena, refresh_token);
    const struct value *session, *user = NULL;

    int rc = record_find(tx, SYSTEM_SESSIONS, "token", hash, &session);
    if (rc == 0 && session)
        rc = record_find(tx, SYSTEM_USERS, "id", system_text(SYSTEM_SESSIONS, session, "user"),
                         &user);
    if (rc != 0)
        return rc;
    if (!session || !user ||
        str_compare(system_text(SYSTEM_SESSIONS, session, "expires"),
                    timestamp(tx->arena, tx->now_ms)) <= 0)
        return refuse(tx, PROBLEM_INVALID_CREDENTIALS, NULL);
    if (!system_user_is_active(user))
        return refuse(tx, PROBLEM_USER_SUSPENDED, NULL);

    const struct system_rows used = {.at = &session, .count = 1};
    rc = record_delete(tx, SYSTEM_SESSIONS, &used);
    return rc == 0 ? open_session(tx, user, tokens_out) : rc;
}

int identity_logout(struct tx *tx, struct str refresh_token)
{
    const struct value *session;
    int rc = record_find(tx, SYSTEM_SESSIONS, "token", digest(tx->arena, refresh_token), &session);

    if (rc != 0 || !session)
        return rc;
    const struct system_rows ended = {.at = &session, .count = 1};
    return record_delete(tx, SYSTEM_SESSIONS, &ended);
}
