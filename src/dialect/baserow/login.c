/* Log-in and tokens (2.2, 9.1). Nothing here is logged: it is all secrets. */
#include "dialect/baserow/rest.h"

#include "base/random.h"
#include "dialect/baserow/shapes.h"
#include "model/identity/identity.h"

enum { USER_SESSION_LENGTH = 43 };

/* ---- what clients are told of who they are ---- */

static void put_token(struct buf *b, const char *name, struct str token)
{
    buf_printf(b, "\"%s\":", name);
    json_put_str(b, token);
    buf_put_char(b, ',');
}

/* `"user":…` and what clients call user data, to the end of the object; answers with it. The
 * permissions are the instance's: what one may do in a workspace is asked for each (12.3). */
static int answer_user(struct request *r, struct tx *tx, const struct account *account,
                       struct buf *b)
{
    buf_put_lit(b, "\"user\":");
    shape_own_user(b, account);
    buf_put_lit(b, ",\"permissions\":[");
    int rc = put_instance_permissions(tx, account, b);
    if (rc != 0) {
        buf_deinit(b);
        return rc;
    }
    buf_put_lit(b, "],\"user_notifications\":{\"unread_count\":0},"
                   "\"active_licenses\":{\"instance_wide\":{},\"per_workspace\":{}}}");
    return reply_json(r, tx, b);
}

int answer_login(struct request *r, struct tx *tx, const struct account *account)
{
    struct str access = token_issue(tx, TOKEN_ACCESS, account);
    char session[USER_SESSION_LENGTH + 1];
    struct buf b;
    random_token(session, USER_SESSION_LENGTH);
    reply_begin(&b);
    buf_put_char(&b, '{');
    put_token(&b, "token", access);
    put_token(&b, "access_token", access);
    put_token(&b, "refresh_token", token_issue(tx, TOKEN_REFRESH, account));
    put_token(&b, "user_session", str_of(session));
    return answer_user(r, tx, account, &b);
}

/* ---- log-in ---- */

static const struct rule login_rules[] = {
    {"email", RULE_EMAIL, 0, 0, 0, NULL},
    {"username", RULE_EMAIL, 0, 0, 0, NULL},
    {"password", RULE_SECRET, RULE_REQUIRED, 0, 0, NULL},
    {NULL, 0, 0, 0, 0, NULL},
};

/* The slow half, on a reader. */
static int prepare_login(struct request *r, struct tx *tx)
{
    struct rest *rest = rest_of(r);
    struct login *login = ARENA_NEW(r->arena, struct login);
    struct str email = data_text(rest->data, "email");
    rest->finding = login;
    login->email = email.at ? email : data_text(rest->data, "username");
    login->password = data_text(rest->data, "password");
    if (!login->email.at)
        return refuse_code(tx, BARE_VALIDATION, "{\"email\":[\"This field is required.\"]}");
    return identity_login_check(tx, login);
}

static int run_login(struct request *r, struct tx *tx)
{
    struct login *login = rest_of(r)->finding;
    struct account account;
    bool entered, restored;

    int rc = login->verified ? account_ensure(tx, login->user, &account) : 0;
    if (rc != 0)
        return rc;
    if (login->verified && !account.active)
        return refuse_code(tx, ERROR_DEACTIVATED_USER, NULL);
    rc = identity_login_enter(tx, login, &entered);
    if (rc == 0 && !entered) {
        reply_problem(r); /* a refusal whose writes stay: the user is suspended now */
        return 0;
    }
    if (rc == 0)
        rc = check_verified(tx, &account);
    if (rc == 0)
        rc = account_note_login(tx, &account, &restored);
    return rc == 0 ? answer_login(r, tx, &account) : rc;
}

/* ---- refresh tokens ---- */

static const struct rule refresh_rules[] = {
    {"refresh_token", RULE_TEXT, 0, 0, 0, NULL},
    {"token", RULE_TEXT, 0, 0, 0, NULL},
    {NULL, 0, 0, 0, 0, NULL},
};
static const struct rule token_rules[] = {
    {"refresh_token", RULE_TEXT, RULE_REQUIRED, 0, 0, NULL},
    {NULL, 0, 0, 0, 0, NULL},
};

/* Whose token it is, and that it was not given back. Who is about to be deleted has to log in. */
static int check_refresh_token(struct tx *tx, struct str token, struct account *account_out)
{
    bool given_back = false;
    int rc = token_check(tx, TOKEN_REFRESH, token, account_out, NULL);
    if (rc > 0 || (rc == 0 && account_out->deletion_ms))
        return refuse_code(tx, ERROR_INVALID_REFRESH_TOKEN, NULL);
    if (rc == 0)
        rc = account_is_blacklisted(tx, token, &given_back);
    return given_back ? refuse_code(tx, ERROR_INVALID_REFRESH_TOKEN, NULL) : rc;
}

static int run_refresh(struct request *r, struct tx *tx)
{
    const json_t *data = rest_of(r)->data;
    struct str token = data_text(data, "refresh_token");
    struct account account;
    struct buf b;

    token = token.at ? token : data_text(data, "token");
    if (!token.at)
        return refuse_field(tx, "refresh_token", "required", "This field is required.");
    int rc = check_refresh_token(tx, token, &account);
    if (rc == 0)
        rc = check_verified(tx, &account);
    if (rc != 0)
        return rc;
    struct str access = token_issue(tx, TOKEN_ACCESS, &account);
    reply_begin(&b);
    buf_put_char(&b, '{');
    put_token(&b, "token", access);
    put_token(&b, "access_token", access);
    return answer_user(r, tx, &account, &b);
}

static int run_verify(struct request *r, struct tx *tx)
{
    struct account account;
    struct buf b;
    int rc = check_refresh_token(tx, data_text(rest_of(r)->data, "refresh_token"), &account);
    if (rc != 0)
        return rc;
    reply_begin(&b);
    buf_put_char(&b, '{');
    return answer_user(r, tx, &account, &b);
}

static int run_blacklist(struct request *r, struct tx *tx)
{
    struct str token = data_text(rest_of(r)->data, "refresh_token");
    struct account account;
    int64_t expires_ms;
    bool already = false;

    int rc = token_check(tx, TOKEN_REFRESH, token, &account, &expires_ms);
    if (rc > 0)
        return refuse_code(tx, ERROR_INVALID_REFRESH_TOKEN, NULL);
    if (rc == 0)
        rc = account_blacklist(tx, token, expires_ms, &already);
    if (rc != 0)
        return rc;
    return already ? refuse_code(tx, ERROR_REFRESH_TOKEN_ALREADY_BLACKLISTED, NULL)
                   : reply_empty(r);
}

const struct route login_routes[] = {
    {"POST", "/api/user/token-auth/", ON_WRITER_AFTER(run_login, prepare_login),
     ROUTE_PUBLIC | ROUTE_BARE | ROUTE_STALLS, login_rules, NULL},
    {"POST", "/api/user/token-refresh/", ON_READER(run_refresh), ROUTE_PUBLIC, refresh_rules, NULL},
    {"POST", "/api/user/token-verify/", ON_READER(run_verify), ROUTE_PUBLIC, token_rules, NULL},
    {"POST", "/api/user/token-blacklist/", ON_WRITER(run_blacklist), ROUTE_PUBLIC, token_rules,
     NULL},
    {NULL, NULL, {0}, 0, NULL, NULL},
};
