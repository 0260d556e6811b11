/*
 * Log-in, refresh, log-out (D.3). Nothing here is logged: it is all secrets.
 */
#include "dialect/directus/rest.h"

#include "model/identity/identity.h"

#define COOKIE_NAME "directus_refresh_token"

/* How the refresh token travels. */
enum mode { MODE_JSON, MODE_COOKIE };

/* `fallback` where the body names no mode. */
static int read_mode(struct tx *tx, const json_t *body, enum mode fallback, enum mode *mode_out)
{
    const json_t *mode = json_get(body, "mode");
    struct str name = json_str(mode);
    if (!mode || str_equal(name, fallback == MODE_JSON ? STR("json") : STR("cookie")))
        *mode_out = fallback;
    else if (str_equal(name, STR("json")))
        *mode_out = MODE_JSON;
    else if (str_equal(name, STR("cookie")))
        *mode_out = MODE_COOKIE;
    else if (str_equal(name, STR("session")))
        return refuse(tx, PROBLEM_INVALID_PAYLOAD, "\"mode\" session is not supported yet");
    else
        return refuse(tx, PROBLEM_INVALID_PAYLOAD, "\"mode\" must be one of [json, cookie]");
    return 0;
}

static struct http_header cookie(struct arena *a, struct str token, int64_t age_ms)
{
    return (struct http_header){
        STR("Set-Cookie"),
        arena_printf(a, COOKIE_NAME "=%.*s; Max-Age=%lld; Path=/; HttpOnly; SameSite=Lax",
                     STR_ARG(token), (long long)(age_ms / 1000))};
}

static int answer_tokens(struct request *r, struct tx *tx, const struct tokens *tokens,
                         enum mode mode)
{
    const struct http_header header =
        cookie(tx->arena, tokens->refresh_token, tx->settings->refresh_token_ttl_ms);
    struct buf b;
    rest_begin(&b);
    buf_printf(&b, "{\"expires\":%lld,", (long long)tokens->expires_ms);
    if (mode == MODE_JSON) {
        buf_put_lit(&b, "\"refresh_token\":");
        json_put_str(&b, tokens->refresh_token);
        buf_put_char(&b, ',');
    }
    buf_put_lit(&b, "\"access_token\":");
    json_put_str(&b, tokens->access_token);
    buf_put_lit(&b, "}}");
    return rest_with(r, tx, 200, REST_JSON, &header, mode == MODE_COOKIE, &b);
}

/* ---- log-in ---- */

struct login_work {
    struct login login;
    enum mode mode;
};

/* The slow half, on a reader. */
static int prepare_login(struct request *r, struct tx *tx)
{
    struct rest *rest = r->command;
    struct login_work *work = ARENA_NEW(r->arena, struct login_work);
    rest->finding = work;
    work->login = (struct login){.email = json_get_str(rest->body, "email"),
                                 .password = json_get_str(rest->body, "password"),
                                 .otp = json_get_str(rest->body, "otp")};
    int rc = read_mode(tx, rest->body, MODE_JSON, &work->mode);
    return rc == 0 ? identity_login_check(tx, &work->login) : rc;
}

static int run_login(struct request *r, struct tx *tx)
{
    struct login_work *work = rest_of(r)->finding;
    struct tokens tokens;
    int rc = identity_login_open(tx, &work->login, &tokens);
    if (rc != 0)
        return rc;
    if (tokens.access_token.at)
        return answer_tokens(r, tx, &tokens, work->mode);
    rest_problem(r); /* a refusal whose writes stay: the user is suspended now */
    return 0;
}

/* ---- refresh and log-out ---- */

/* The refresh token, and the way it came. */
static int read_token(const struct request *r, struct tx *tx, struct str *token_out,
                      enum mode *mode_out)
{
    const json_t *body = rest_of(r)->body;
    struct str sent = json_get_str(body, "refresh_token");
    int rc = read_mode(tx, body, sent.len ? MODE_JSON : MODE_COOKIE, mode_out);
    if (rc != 0)
        return rc;
    *token_out = *mode_out == MODE_JSON ? sent : http_cookie_get(r->http, COOKIE_NAME);
    if (token_out->len == 0)
        return refuse(tx, PROBLEM_INVALID_PAYLOAD,
                      "The refresh token is required in either the payload or cookie");
    return 0;
}

static int run_refresh(struct request *r, struct tx *tx)
{
    struct tokens tokens;
    struct str token;
    enum mode mode;
    int rc = read_token(r, tx, &token, &mode);
    if (rc == 0)
        rc = identity_refresh_session(tx, token, &tokens);
    if (rc != 0)
        return rc;
    r->prompt = true; /* only failures wait */
    return answer_tokens(r, tx, &tokens, mode);
}

static int run_logout(struct request *r, struct tx *tx)
{
    struct str token;
    enum mode mode;
    struct buf none;
    int rc = read_token(r, tx, &token, &mode);
    if (rc == 0)
        rc = identity_logout(tx, token);
    if (rc != 0)
        return rc;
    const struct http_header header = cookie(tx->arena, STR_NULL, 0);
    buf_init(&none, 0);
    return rest_with(r, tx, 204, STR_NULL, &header, mode == MODE_COOKIE, &none);
}

/* ---- the rest ---- */

/* Other programs that vouch for users: none. */
static int run_providers(struct request *r, struct tx *tx)
{
    struct buf b;
    buf_init(&b, SIZE_MAX);
    buf_put_lit(&b, "{\"data\":[],\"disableDefault\":false}");
    return rest_body(r, tx, 200, REST_JSON, &b);
}

static int require(struct tx *tx, const json_t *body, const char *name)
{
    return json_get_str(body, name).len > 0
               ? 0
               : refuse(tx, PROBLEM_INVALID_PAYLOAD, "\"%s\" is required", name);
}

static int refuse_mail(struct tx *tx)
{
    refuse(tx, PROBLEM_UNAVAILABLE, "No mail is set up; an administrator can set a new password");
    tx->problem->lasting = true;
    return REFUSED;
}

static int run_password_request(struct request *r, struct tx *tx)
{
    int rc = require(tx, rest_of(r)->body, "email");
    return rc == 0 ? refuse_mail(tx) : rc;
}

static int run_password_reset(struct request *r, struct tx *tx)
{
    int rc = require(tx, rest_of(r)->body, "token");
    if (rc == 0)
        rc = require(tx, rest_of(r)->body, "password");
    return rc == 0 ? refuse_mail(tx) : rc;
}

const struct route auth_routes[] = {
    {"GET", "/auth", ON_READER(run_providers), 0},
    {"POST", "/auth/login", ON_WRITER(run_login, prepare_login), ROUTE_STALLS},
    {"POST", "/auth/refresh", ON_WRITER(run_refresh, NULL), ROUTE_STALLS},
    {"POST", "/auth/logout", ON_WRITER(run_logout, NULL), 0},
    {"POST", "/auth/password/request", ON_READER(run_password_request), 0},
    {"POST", "/auth/password/reset", ON_READER(run_password_reset), 0},
    {NULL, NULL, {0}, 0},
};
