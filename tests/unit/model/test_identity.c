#include "unit/model/people.h"

#include "base/text.h"
#include "model/items/records.h"
#include "wire/jwt.h"

#define PASSWORD "a password"

/* ---- requests ---- */

struct asking {
    struct str token, ip;
    const struct principal *old; /* refresh; NULL: authenticate */
    struct principal *found;
    int64_t later_ms;
};

static int ask(struct tx *tx, void *context)
{
    struct asking *a = context;
    tx->now_ms += a->later_ms;
    return a->old ? identity_refresh(tx, a->old, &a->found)
                  : identity_authenticate(tx, a->token, a->ip, &a->found);
}

/* A reference, or NULL when it was refused: in->problem says why. */
static struct principal *authenticate(struct instance *in, struct str token)
{
    struct asking a = {.token = token, .ip = STR("10.0.0.1")};
    int rc = read_as(in, NULL, ask, &a);
    assert_true(rc == 0 || rc == REFUSED);
    return rc == 0 ? a.found : NULL;
}

static struct principal *refresh(struct instance *in, const struct principal *old)
{
    struct asking a = {.old = old};
    int rc = read_as(in, NULL, ask, &a);
    assert_true(rc == 0 || rc == REFUSED);
    return rc == 0 ? a.found : NULL;
}

static bool is_refused(struct instance *in, struct str token, enum problem_kind kind)
{
    struct principal *p = authenticate(in, token);
    bool refused = !p && in->problem.kind == kind;
    principal_unref(p);
    return refused;
}

static int check_login(struct tx *tx, void *context)
{
    return identity_login_check(tx, context);
}

struct opening {
    struct login *login;
    struct str refresh_token;
    struct tokens tokens;
    int64_t later_ms;
};

static int open_login(struct tx *tx, void *context)
{
    struct opening *o = context;
    tx->now_ms += o->later_ms;
    return identity_login_open(tx, o->login, &o->tokens);
}

static int refresh_session(struct tx *tx, void *context)
{
    struct opening *o = context;
    tx->now_ms += o->later_ms;
    return identity_refresh_session(tx, o->refresh_token, &o->tokens);
}

static int log_out(struct tx *tx, void *context)
{
    struct opening *o = context;
    return identity_logout(tx, o->refresh_token);
}

/* Both halves. The tokens are empty when it was refused. */
static int log_in(struct instance *in, const char *email, const char *password,
                  struct tokens *tokens_out)
{
    struct login login = {.email = str_of(email), .password = str_of(password)};
    struct opening o = {.login = &login};
    int rc = read_as(in, NULL, check_login, &login);
    if (rc == 0)
        rc = write_as(in, NULL, open_login, &o);
    *tokens_out = rc == 0 ? o.tokens : (struct tokens){0};
    return rc;
}

static bool is_let_in(struct instance *in, const char *email, const char *password)
{
    struct tokens tokens;
    int rc = log_in(in, email, password, &tokens);
    if (rc != 0 || !tokens.access_token.at) {
        assert_int_equal(in->problem.kind, PROBLEM_INVALID_CREDENTIALS);
        return false;
    }
    return true;
}

static struct str ann(struct instance *in)
{
    return create(in, "directus_users",
                  "{'email':'Ann@Example.com','password':'" PASSWORD "','token':'ann-token'}");
}

static struct str hashed(struct instance *in, struct str token)
{
    char hex[SHA256_HEX_SIZE];
    text_sha256_hex(token, hex);
    return arena_str(in->arena, str_of(hex));
}

static struct str jwt_of(struct instance *in, const char *claims, struct str secret)
{
    return jwt_sign(in->arena, secret, quoted(in, claims));
}

static const char *status_of(struct instance *in, struct str id)
{
    return arena_z(in->arena, system_text(SYSTEM_USERS, user_row(in, id), "status"));
}

/* ---- tokens ---- */

static void no_token_is_the_public(void **state)
{
    struct instance *in = *state;
    AUTO(principal_unref) struct principal *p = authenticate(in, STR_NULL);
    assert_non_null(p);
    assert_null(p->user.at);
    assert_false(p->admin);
    assert_str(p->ip, "10.0.0.1");
}

static void a_static_token_is_its_users_and_is_kept_as_a_hash(void **state)
{
    struct instance *in = *state;
    struct str id = ann(in);
    AUTO(principal_unref) struct principal *p = authenticate(in, STR("ann-token"));

    assert_non_null(p);
    assert_str(p->user, arena_z(in->arena, id));
    struct str kept = system_text(SYSTEM_USERS, user_row(in, id), "token");
    assert_str(kept, arena_z(in->arena, hashed(in, STR("ann-token"))));
    assert_true(is_refused(in, kept, PROBLEM_INVALID_CREDENTIALS)); /* the hash is no token */
    assert_true(is_refused(in, STR("ann-toke"), PROBLEM_INVALID_CREDENTIALS));
    assert_true(is_refused(in, STR(""), PROBLEM_INVALID_CREDENTIALS));
    assert_true(is_refused(in, STR("a.b.c"), PROBLEM_INVALID_CREDENTIALS));
    struct str shown = system_text(SYSTEM_USERS, p->user_row, "token");
    assert_str(shown, "**********");
}

static void only_active_users_get_in(void **state)
{
    struct instance *in = *state;
    static const char *const statuses[] = {"draft", "invited", "unverified", "suspended",
                                           "archived"};
    struct str id = ann(in);
    struct tokens tokens;
    char payload[64];
    for (size_t i = 0; i < COUNT_OF(statuses); i++) {
        assert_int_equal(log_in(in, "ann@example.com", PASSWORD, &tokens), 0);
        snprintf(payload, sizeof(payload), "{'status':'%s'}", statuses[i]);
        assert_int_equal(try_update(in, NULL, "directus_users", id, payload), 0);
        assert_true(is_refused(in, STR("ann-token"), PROBLEM_INVALID_CREDENTIALS));
        assert_true(is_refused(in, tokens.access_token, PROBLEM_INVALID_CREDENTIALS));
        assert_false(is_let_in(in, "ann@example.com", PASSWORD));
        assert_int_equal(try_update(in, NULL, "directus_users", id, "{'status':'active'}"), 0);
    }
    AUTO(principal_unref) struct principal *p = authenticate(in, STR("ann-token"));
    assert_non_null(p);
}

static void an_access_token_is_checked_in_every_part(void **state)
{
    struct instance *in = *state;
    struct str secret = in->settings.secret, id = ann(in);
    char claims[512];
    static const struct {
        const char *rest; /* behind the id */
        enum problem_kind kind;
    } cases[] = {
        {"'role':null,'app_access':false,'admin_access':true,'iss':'directus'", PROBLEM_NONE},
        {"'app_access':false,'admin_access':false,'iss':'directus'", PROBLEM_INVALID_TOKEN},
        {"'role':null,'admin_access':false,'iss':'directus'", PROBLEM_INVALID_TOKEN},
        {"'role':null,'app_access':false,'iss':'directus'", PROBLEM_INVALID_TOKEN},
        {"'role':null,'app_access':false,'admin_access':false,'iss':'directus','exp':1000",
         PROBLEM_TOKEN_EXPIRED},
        {"'role':null,'app_access':false,'admin_access':false,'iss':'other'",
         PROBLEM_INVALID_CREDENTIALS},
        {"'role':null,'app_access':false,'admin_access':false", PROBLEM_INVALID_CREDENTIALS},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        snprintf(claims, sizeof(claims), "{'id':'%.*s',%s}", STR_ARG(id), cases[i].rest);
        struct str token = jwt_of(in, claims, secret);
        AUTO(principal_unref) struct principal *p = authenticate(in, token);
        if (in->problem.kind != cases[i].kind)
            fail_msg("%s: %d", cases[i].rest, in->problem.kind);
        assert_true((cases[i].kind == PROBLEM_NONE) == (p != NULL));
        if (p)
            assert_false(p->admin); /* rights are the database's, not the claims' */
    }
    snprintf(claims, sizeof(claims), "{'id':'%.*s',%s}", STR_ARG(id), cases[0].rest);
    assert_true(is_refused(in, jwt_of(in, claims, STR("another secret that is long enough too")),
                           PROBLEM_INVALID_TOKEN));
    snprintf(claims, sizeof(claims), "{'id':null,%s}", cases[0].rest);
    assert_true(is_refused(in, jwt_of(in, claims, secret), PROBLEM_INVALID_TOKEN));
    snprintf(claims, sizeof(claims), "{'id':'11111111-1111-4111-8111-111111111111',%s}",
             cases[0].rest);
    assert_true(is_refused(in, jwt_of(in, claims, secret), PROBLEM_INVALID_CREDENTIALS));
}

static void an_access_token_expires_to_the_second(void **state)
{
    struct instance *in = *state;
    struct str id = ann(in);
    struct tokens tokens;
    assert_int_equal(log_in(in, "ann@example.com", PASSWORD, &tokens), 0);
    assert_int_equal(tokens.expires_ms, in->settings.access_token_ttl_ms);
    struct asking before = {.token = tokens.access_token,
                            .later_ms = in->settings.access_token_ttl_ms - 10000};
    struct asking after = {.token = tokens.access_token,
                           .later_ms = in->settings.access_token_ttl_ms};

    assert_int_equal(read_as(in, NULL, ask, &before), 0);
    assert_str(before.found->user, arena_z(in->arena, id));
    principal_unref(before.found);
    assert_int_equal(read_as(in, NULL, ask, &after), REFUSED);
    assert_int_equal(in->problem.kind, PROBLEM_TOKEN_EXPIRED);
}

/* ---- what is remembered ---- */

static void a_credential_seen_before_gives_the_very_principal(void **state)
{
    struct instance *in = *state;
    ann(in);
    AUTO(principal_unref) struct principal *first = authenticate(in, STR("ann-token"));
    AUTO(principal_unref) struct principal *second = authenticate(in, STR("ann-token"));
    struct asking elsewhere = {.token = STR("ann-token"), .ip = STR("10.0.0.2")};

    assert_ptr_equal(first, second);
    assert_int_equal(read_as(in, NULL, ask, &elsewhere), 0);
    assert_ptr_not_equal(first, elsewhere.found);
    assert_str(elsewhere.found->ip, "10.0.0.2");
    principal_unref(elsewhere.found);
}

static void nothing_is_remembered_past_a_change_of_the_user(void **state)
{
    struct instance *in = *state;
    struct str id = ann(in), r = role(in, STR_NULL);
    char payload[80];
    AUTO(principal_unref) struct principal *before = authenticate(in, STR("ann-token"));

    snprintf(payload, sizeof(payload), "{'role':'%.*s'}", STR_ARG(r));
    assert_int_equal(try_update(in, NULL, "directus_users", id, payload), 0);
    AUTO(principal_unref) struct principal *after = authenticate(in, STR("ann-token"));
    assert_ptr_not_equal(before, after);
    assert_str(after->role, arena_z(in->arena, r));
    assert_int_equal(try_update(in, NULL, "directus_users", id, "{'token':'new-token'}"), 0);
    assert_true(is_refused(in, STR("ann-token"), PROBLEM_INVALID_CREDENTIALS));
    assert_int_equal(try_delete(in, NULL, "directus_users", id), 0);
    assert_true(is_refused(in, STR("new-token"), PROBLEM_INVALID_CREDENTIALS));
}

/* In a write: the new token is made, comes into force, is used, and is undone. */
static int use_then_refuse(struct tx *tx, void *context)
{
    const struct str *id = context;
    const struct value *row;
    struct principal *found;
    char hex[SHA256_HEX_SIZE];

    text_sha256_hex(STR("new-token"), hex);
    struct assignment token = record_set(SYSTEM_USERS, "token", value_text(str_of(hex)));
    assert_int_equal(record_find(tx, SYSTEM_USERS, "id", *id, &row), 0);
    assert_int_equal(record_update(tx, SYSTEM_USERS, row, &token, 1), 0);
    assert_int_equal(tx_follow(tx), 0);
    assert_int_equal(identity_authenticate(tx, STR("new-token"), STR("10.0.0.1"), &found), 0);
    principal_unref(found);
    return refuse(tx, PROBLEM_INVALID_PAYLOAD, "On second thoughts");
}

static void what_is_undone_leaves_nothing_behind(void **state)
{
    struct instance *in = *state;
    struct str id = ann(in);
    assert_int_equal(write_as(in, NULL, use_then_refuse, &id), REFUSED);
    assert_true(is_refused(in, STR("new-token"), PROBLEM_INVALID_CREDENTIALS));
    AUTO(principal_unref) struct principal *p = authenticate(in, STR("ann-token"));
    assert_non_null(p);
}

/* ---- open principals ---- */

static void a_principal_stays_the_same_while_nothing_changes(void **state)
{
    struct instance *in = *state;
    ann(in);
    AUTO(principal_unref) struct principal *p = authenticate(in, STR("ann-token"));
    AUTO(principal_unref) struct principal *same = refresh(in, p);
    assert_ptr_equal(p, same);
}

static void a_change_of_access_reaches_open_principals(void **state)
{
    struct instance *in = *state;
    struct str id = ann(in);
    AUTO(principal_unref) struct principal *p = authenticate(in, STR("ann-token"));
    AUTO(principal_unref) struct principal *nobody = authenticate(in, STR_NULL);
    const struct table *users = system_table(SYSTEM_USERS);
    attach_user(in, id, policy(in, "'admin_access':true"));
    permit(in, PUBLIC_POLICY, "directus_users", "'action':'read','fields':['*']");

    AUTO(principal_unref) struct principal *admin = refresh(in, p);
    AUTO(principal_unref) struct principal *reader = refresh(in, nobody);
    assert_false(p->admin);
    assert_true(admin->admin);
    assert_str(admin->ip, "10.0.0.1");
    assert_null(principal_grant(nobody, users, ACTION_READ));
    assert_non_null(principal_grant(reader, users, ACTION_READ));
}

static void a_user_who_is_gone_or_suspended_is_refused(void **state)
{
    struct instance *in = *state;
    struct str id = ann(in);
    AUTO(principal_unref) struct principal *p = authenticate(in, STR("ann-token"));

    assert_int_equal(try_update(in, NULL, "directus_users", id, "{'status':'suspended'}"), 0);
    assert_null(refresh(in, p));
    assert_int_equal(in->problem.kind, PROBLEM_INVALID_CREDENTIALS);
    assert_int_equal(try_update(in, NULL, "directus_users", id, "{'status':'active'}"), 0);
    AUTO(principal_unref) struct principal *again = refresh(in, p);
    assert_non_null(again);
    assert_int_equal(try_delete(in, NULL, "directus_users", id), 0);
    assert_null(refresh(in, p));
}

static void a_changed_static_token_ends_who_came_by_it_and_nobody_else(void **state)
{
    struct instance *in = *state;
    struct tokens tokens;
    struct str id = ann(in);
    assert_int_equal(log_in(in, "ann@example.com", PASSWORD, &tokens), 0);
    AUTO(principal_unref) struct principal *by_token = authenticate(in, STR("ann-token"));
    AUTO(principal_unref) struct principal *by_login = authenticate(in, tokens.access_token);

    assert_int_equal(try_update(in, NULL, "directus_users", id, "{'token':null}"), 0);
    assert_null(refresh(in, by_token));
    AUTO(principal_unref) struct principal *still = refresh(in, by_login);
    assert_non_null(still);
}

/* ---- log-in ---- */

static void a_password_opens_a_session_whatever_the_case_of_the_address(void **state)
{
    struct instance *in = *state;
    struct tokens tokens;
    struct str id = ann(in);
    in->caller = (struct caller){.ip = STR("10.0.0.9"), .user_agent = STR("tests")};
    assert_int_equal(log_in(in, "aNN@eXAMPLE.com", PASSWORD, &tokens), 0);

    assert_str(tokens.user, arena_z(in->arena, id));
    assert_int_equal(tokens.refresh_token.len, 64);
    struct system_rows rows = rows_where(in, SYSTEM_SESSIONS, "user", id);
    assert_int_equal(rows.count, 1);
    assert_str(system_text(SYSTEM_SESSIONS, rows.at[0], "token"),
               arena_z(in->arena, hashed(in, tokens.refresh_token)));
    assert_str(system_text(SYSTEM_SESSIONS, rows.at[0], "ip"), "10.0.0.9");
    assert_str(system_text(SYSTEM_SESSIONS, rows.at[0], "user_agent"), "tests");
    assert_non_null(system_text(SYSTEM_USERS, user_row(in, id), "last_access").at);

    json_t *claims;
    assert_int_equal(jwt_verify(in->arena, in->settings.secret, STR("directus"),
                                tokens.access_token, 0, &claims),
                     0);
    assert_str(json_get_str(claims, "id"), arena_z(in->arena, id));
    assert_true(json_is_null(json_get(claims, "role")));
    assert_true(json_is_false(json_get(claims, "app_access")));
    assert_true(json_is_false(json_get(claims, "admin_access")));
    json_int_t life =
        json_integer_value(json_get(claims, "exp")) - json_integer_value(json_get(claims, "iat"));
    assert_int_equal(life, in->settings.access_token_ttl_ms / 1000);
}

static void a_log_in_that_is_none_is_told_what_is_missing(void **state)
{
    struct instance *in = *state;
    struct tokens tokens;
    assert_int_equal(log_in(in, NULL, PASSWORD, &tokens), REFUSED);
    assert_problem(in, PROBLEM_INVALID_PAYLOAD, "\"email\" is required");
    assert_int_equal(log_in(in, "nonsense", PASSWORD, &tokens), REFUSED);
    assert_problem(in, PROBLEM_INVALID_PAYLOAD, "\"email\" must be a valid email");
    assert_int_equal(log_in(in, "a@example.com", NULL, &tokens), REFUSED);
    assert_problem(in, PROBLEM_INVALID_PAYLOAD, "\"password\" is required");
}

static void wrong_unknown_and_passwordless_users_are_refused_alike(void **state)
{
    struct instance *in = *state;
    ann(in);
    create(in, "directus_users", "{'email':'bob@example.com'}");
    create(in, "directus_users",
           "{'email':'eve@example.com','password':'" PASSWORD "','provider':'ldap'}");
    assert_false(is_let_in(in, "ann@example.com", "a Password"));
    assert_false(is_let_in(in, "bob@example.com", PASSWORD));
    assert_false(is_let_in(in, "eve@example.com", PASSWORD));
    assert_false(is_let_in(in, "nobody@example.com", PASSWORD));
    assert_true(is_let_in(in, "ann@example.com", PASSWORD));
}

static void a_password_that_changed_between_the_halves_does_not_open(void **state)
{
    struct instance *in = *state;
    struct str id = ann(in);
    struct login login = {.email = STR("ann@example.com"), .password = STR(PASSWORD)};
    struct opening o = {.login = &login};

    assert_int_equal(read_as(in, NULL, check_login, &login), 0);
    assert_true(login.verified);
    assert_int_equal(try_update(in, NULL, "directus_users", id, "{'password':'another'}"), 0);
    assert_int_equal(write_as(in, NULL, open_login, &o), REFUSED);
    assert_int_equal(in->problem.kind, PROBLEM_INVALID_CREDENTIALS);
}

static int set_second_factor(struct tx *tx, void *context)
{
    const struct str *id = context;
    const struct value *row;
    struct assignment secret = record_set(SYSTEM_USERS, "tfa_secret", value_text(STR("x")));
    int rc = record_find(tx, SYSTEM_USERS, "id", *id, &row);
    return rc == 0 ? record_update(tx, SYSTEM_USERS, row, &secret, 1) : rc;
}

static void a_user_with_a_second_factor_is_not_let_in_without(void **state)
{
    struct instance *in = *state;
    struct tokens tokens;
    struct str id = ann(in);
    assert_int_equal(write_as(in, NULL, set_second_factor, &id), 0);
    assert_int_equal(log_in(in, "ann@example.com", PASSWORD, &tokens), REFUSED);
    assert_int_equal(in->problem.kind, PROBLEM_INVALID_OTP);
}

static void the_attempt_that_is_one_too_many_suspends(void **state)
{
    struct instance *in = *state;
    struct str id = ann(in);
    struct tokens tokens;
    in->settings.login_attempts_max = 3;

    assert_false(is_let_in(in, "ann@example.com", "1"));
    assert_false(is_let_in(in, "ann@example.com", "2"));
    assert_string_equal(status_of(in, id), "active");
    assert_int_equal(log_in(in, "ann@example.com", "3", &tokens), 0); /* its write stays */
    assert_null(tokens.access_token.at);
    assert_int_equal(in->problem.kind, PROBLEM_INVALID_CREDENTIALS);
    assert_string_equal(status_of(in, id), "suspended");
    assert_false(is_let_in(in, "ann@example.com", PASSWORD));

    /* Let in again by somebody, the count begins anew. */
    assert_int_equal(try_update(in, NULL, "directus_users", id, "{'status':'active'}"), 0);
    assert_false(is_let_in(in, "ann@example.com", "1"));
    assert_true(is_let_in(in, "ann@example.com", PASSWORD));
}

/* A store may make a transaction come to nothing, and it runs again. */
static void an_attempt_that_runs_again_is_counted_once(void **state)
{
    struct instance *in = *state;
    struct str id = ann(in);
    struct login login = {.email = STR("ann@example.com"), .password = STR("wrong")};
    struct opening o = {.login = &login};
    in->settings.login_attempts_max = 2;

    assert_int_equal(read_as(in, NULL, check_login, &login), 0);
    for (int i = 0; i < 5; i++)
        assert_int_equal(write_as(in, NULL, open_login, &o), REFUSED);
    assert_string_equal(status_of(in, id), "active");
    assert_false(is_let_in(in, "ann@example.com", "wrong"));
    assert_string_equal(status_of(in, id), "suspended");
}

static void a_success_forgets_the_failures(void **state)
{
    struct instance *in = *state;
    struct str id = ann(in);
    in->settings.login_attempts_max = 3;
    for (int i = 0; i < 3; i++) {
        assert_false(is_let_in(in, "ann@example.com", "1"));
        assert_false(is_let_in(in, "ann@example.com", "2"));
        assert_true(is_let_in(in, "ann@example.com", PASSWORD));
    }
    assert_string_equal(status_of(in, id), "active");
}

static int make_admin(struct tx *tx, void *context)
{
    const char *email = context;
    return identity_create_admin(tx, str_of(email), STR(PASSWORD), STR("admin-token"));
}

static int has_admin(struct tx *tx, void *context)
{
    return identity_has_admin(tx, context);
}

static void the_last_admin_is_not_suspended_by_guessing(void **state)
{
    struct instance *in = *state;
    char email[] = "admin@example.com";
    assert_int_equal(write_as(in, NULL, make_admin, email), 0);
    in->settings.login_attempts_max = 2;
    for (int i = 0; i < 5; i++)
        assert_false(is_let_in(in, email, "x"));
    assert_true(is_let_in(in, email, PASSWORD));
}

/* ---- sessions ---- */

static int add_expired_sessions(struct tx *tx, void *context)
{
    struct str *user = context;
    char token[16];
    for (int i = 0; i < 101; i++) {
        snprintf(token, sizeof(token), "expired %d", i);
        const struct assignment session[] = {
            record_set(SYSTEM_SESSIONS, "token", value_text(str_of(token))),
            record_set(SYSTEM_SESSIONS, "user", value_text(*user)),
            record_set(SYSTEM_SESSIONS, "expires", value_text(STR("2020-01-01T00:00:00.000Z"))),
        };
        int rc = record_insert(tx, SYSTEM_SESSIONS, session, COUNT_OF(session));
        if (rc != 0)
            return rc;
    }
    return 0;
}

static void a_log_in_removes_expired_sessions_some_at_a_time(void **state)
{
    struct instance *in = *state;
    struct str id = ann(in), other = user_with(in, STR_NULL, "other@example.com");
    assert_int_equal(write_as(in, NULL, add_expired_sessions, &other), 0);
    assert_true(is_let_in(in, "ann@example.com", PASSWORD));
    assert_int_equal(rows_where(in, SYSTEM_SESSIONS, "user", other).count, 1);
    assert_true(is_let_in(in, "ann@example.com", PASSWORD));
    assert_int_equal(rows_where(in, SYSTEM_SESSIONS, "user", other).count, 0);
    assert_int_equal(rows_where(in, SYSTEM_SESSIONS, "user", id).count, 2);
}

static void a_refresh_token_works_once(void **state)
{
    struct instance *in = *state;
    struct tokens tokens;
    struct str id = ann(in);
    assert_int_equal(log_in(in, "ann@example.com", PASSWORD, &tokens), 0);
    struct opening o = {.refresh_token = tokens.refresh_token, .later_ms = 5000};

    assert_int_equal(write_as(in, NULL, refresh_session, &o), 0);
    assert_false(str_equal(o.tokens.refresh_token, tokens.refresh_token));
    AUTO(principal_unref) struct principal *p = authenticate(in, o.tokens.access_token);
    assert_str(p->user, arena_z(in->arena, id));
    assert_int_equal(rows_where(in, SYSTEM_SESSIONS, "user", id).count, 1);

    assert_int_equal(write_as(in, NULL, refresh_session, &o), REFUSED);
    assert_int_equal(in->problem.kind, PROBLEM_INVALID_CREDENTIALS);
    o.refresh_token = o.tokens.refresh_token;
    assert_int_equal(write_as(in, NULL, refresh_session, &o), 0);
}

static void a_refresh_extends_the_session_and_an_expired_one_is_dead(void **state)
{
    struct instance *in = *state;
    struct tokens tokens;
    int64_t life = in->settings.refresh_token_ttl_ms;
    ann(in);
    assert_int_equal(log_in(in, "ann@example.com", PASSWORD, &tokens), 0);
    struct opening o = {.refresh_token = tokens.refresh_token, .later_ms = life - 10000};
    assert_int_equal(write_as(in, NULL, refresh_session, &o), 0);
    o = (struct opening){.refresh_token = o.tokens.refresh_token, .later_ms = life + 10000};
    assert_int_equal(write_as(in, NULL, refresh_session, &o), 0); /* past its first life */
    o = (struct opening){.refresh_token = o.tokens.refresh_token, .later_ms = 3 * life};
    assert_int_equal(write_as(in, NULL, refresh_session, &o), REFUSED);
    assert_int_equal(in->problem.kind, PROBLEM_INVALID_CREDENTIALS);
}

static void a_log_out_ends_one_session_and_knows_no_strangers(void **state)
{
    struct instance *in = *state;
    struct tokens one, two;
    ann(in);
    assert_int_equal(log_in(in, "ann@example.com", PASSWORD, &one), 0);
    assert_int_equal(log_in(in, "ann@example.com", PASSWORD, &two), 0);
    struct opening o = {.refresh_token = one.refresh_token};

    assert_int_equal(write_as(in, NULL, log_out, &o), 0);
    assert_int_equal(write_as(in, NULL, log_out, &o), 0);
    assert_null(in->commit); /* nothing was left to do */
    assert_int_equal(write_as(in, NULL, refresh_session, &o), REFUSED);
    o.refresh_token = two.refresh_token;
    assert_int_equal(write_as(in, NULL, refresh_session, &o), 0);
}

static int open_for_suspended(struct tx *tx, void *context)
{
    char hex[SHA256_HEX_SIZE];
    const struct str *user = context;
    text_sha256_hex(STR("a refresh token"), hex);
    const struct assignment session[] = {
        record_set(SYSTEM_SESSIONS, "token", value_text(str_of(hex))),
        record_set(SYSTEM_SESSIONS, "user", value_text(*user)),
        record_set(SYSTEM_SESSIONS, "expires", value_text(STR("2999-01-01T00:00:00.000Z"))),
    };
    return record_insert(tx, SYSTEM_SESSIONS, session, COUNT_OF(session));
}

static void entries_of_sessions_hold_no_token_and_no_hash(void **state)
{
    struct instance *in = *state;
    struct tokens tokens;
    size_t seen = 0;
    ann(in);
    assert_int_equal(log_in(in, "ann@example.com", PASSWORD, &tokens), 0);
    struct opening o = {.refresh_token = tokens.refresh_token};
    assert_int_equal(write_as(in, NULL, refresh_session, &o), 0);
    for (size_t i = 0; i < in->commit->count; i++) {
        const struct change *c = in->commit->changes[i];
        if (!system_is(c->table, SYSTEM_SESSIONS))
            continue;
        assert_str(c->key.value.text, "**********");
        assert_str(system_text(SYSTEM_SESSIONS, c->before ? c->before : c->after, "token"),
                   "**********");
        seen++;
    }
    assert_int_equal(seen, 2); /* the old one goes, the new one comes */
}

static void a_suspended_user_refreshes_nothing(void **state)
{
    struct instance *in = *state;
    struct str id = ann(in);
    struct opening o = {.refresh_token = STR("a refresh token")};
    assert_int_equal(try_update(in, NULL, "directus_users", id, "{'status':'suspended'}"), 0);
    assert_int_equal(write_as(in, NULL, open_for_suspended, &id), 0);
    assert_int_equal(write_as(in, NULL, refresh_session, &o), REFUSED);
    assert_int_equal(in->problem.kind, PROBLEM_USER_SUSPENDED);
}

/* ---- accounts ---- */

static void the_first_start_makes_the_public_policy_and_the_administrator(void **state)
{
    struct instance *in = *state;
    struct system_rows rows = rows_where(in, SYSTEM_POLICIES, "id", PUBLIC_POLICY);
    bool has = true;
    assert_int_equal(rows.count, 1);
    assert_str(system_text(SYSTEM_POLICIES, rows.at[0], "name"), "$t:public_label");
    rows = rows_where(in, SYSTEM_ACCESS, "policy", PUBLIC_POLICY);
    assert_int_equal(rows.count, 1);
    assert_null(system_text(SYSTEM_ACCESS, rows.at[0], "role").at);
    assert_null(system_text(SYSTEM_ACCESS, rows.at[0], "user").at);
    assert_int_equal(system_integer(SYSTEM_ACCESS, rows.at[0], "sort"), 1);
    assert_int_equal(rows_where(in, SYSTEM_ROLES, "name", STR("Administrator")).count, 1);
    assert_int_equal(read_as(in, NULL, has_admin, &has), 0);
    assert_false(has);
}

static void the_first_admin_gets_in_by_password_and_by_token(void **state)
{
    struct instance *in = *state;
    char email[] = "admin@example.com";
    bool has = false;
    assert_int_equal(write_as(in, NULL, make_admin, email), 0);
    assert_int_equal(read_as(in, NULL, has_admin, &has), 0);
    assert_true(has);
    assert_true(is_let_in(in, email, PASSWORD));
    AUTO(principal_unref) struct principal *p = authenticate(in, STR("admin-token"));
    assert_true(p->admin && p->app);
    assert_int_equal(write_as(in, NULL, make_admin, email), REFUSED); /* it is there already */
    assert_int_equal(in->problem.kind, PROBLEM_NOT_UNIQUE);
}

struct account {
    struct new_user user;
    struct str id;
};

static int create_account(struct tx *tx, void *context)
{
    struct account *a = context;
    return identity_user_create(tx, &a->user, &a->id);
}

static int set_password(struct tx *tx, void *context)
{
    struct account *a = context;
    return identity_user_set_password(tx, a->user.email, a->user.password);
}

static int set_token(struct tx *tx, void *context)
{
    struct account *a = context;
    return identity_user_set_token(tx, a->user.email, a->user.token);
}

static void the_command_line_makes_and_changes_accounts(void **state)
{
    struct instance *in = *state;
    struct account a = {.user = {.email = STR("bob@example.com"), .password = STR("one")}};
    assert_int_equal(write_as(in, NULL, create_account, &a), 0);
    assert_true(is_let_in(in, "bob@example.com", "one"));

    struct account change = {.user = {.email = STR("BOB@example.com"),
                                      .password = STR("two"),
                                      .token = STR("bob-token")}};
    assert_int_equal(write_as(in, NULL, set_password, &change), 0);
    assert_false(is_let_in(in, "bob@example.com", "one"));
    assert_true(is_let_in(in, "bob@example.com", "two"));
    assert_int_equal(write_as(in, NULL, set_token, &change), 0);
    AUTO(principal_unref) struct principal *p = authenticate(in, STR("bob-token"));
    assert_str(p->user, arena_z(in->arena, a.id));
    change.user.token = STR_NULL;
    assert_int_equal(write_as(in, NULL, set_token, &change), 0);
    assert_true(is_refused(in, STR("bob-token"), PROBLEM_INVALID_CREDENTIALS));
}

static void the_command_line_is_refused_as_anybody_else(void **state)
{
    struct instance *in = *state;
    struct account nobody = {.user = {.email = STR("nobody@example.com"), .password = STR("x")}};
    struct account bad = {.user = {.email = STR("nonsense")}};
    struct account lost = {.user = {.email = STR("a@example.com"), .role = STR("No such")}};
    struct account empty = {.user = {.password = STR("x")}};
    struct account broken = {.user = {.email = STR("a@example.com"), .password = STR("\xff")}};

    assert_int_equal(write_as(in, NULL, set_password, &nobody), REFUSED);
    assert_problem(in, PROBLEM_INVALID_PAYLOAD, "nobody@example.com");
    assert_int_equal(write_as(in, NULL, create_account, &bad), REFUSED);
    assert_int_equal(in->problem.kind, PROBLEM_FAILED_VALIDATION);
    assert_int_equal(write_as(in, NULL, create_account, &lost), REFUSED);
    assert_problem(in, PROBLEM_INVALID_PAYLOAD, "No such");
    assert_int_equal(write_as(in, NULL, create_account, &empty), REFUSED);
    assert_int_equal(write_as(in, NULL, create_account, &broken), REFUSED);
    assert_problem(in, PROBLEM_INVALID_PAYLOAD, "UTF-8");
}

struct listing {
    char text[512];
    int stop_at, lines;
};

static int note_user(void *context, const struct user_line *u)
{
    struct listing *l = context;
    size_t len = strlen(l->text);
    snprintf(l->text + len, sizeof(l->text) - len, "%.*s %.*s %.*s %d\n", STR_ARG(u->email),
             STR_ARG(u->status), STR_ARG(u->role), u->token);
    return ++l->lines == l->stop_at ? 77 : 0;
}

static int list_users(struct tx *tx, void *context)
{
    return identity_user_list(tx, note_user, context);
}

static void users_are_listed_by_address(void **state)
{
    struct instance *in = *state;
    char email[] = "admin@example.com";
    struct listing all = {0}, one = {.stop_at = 1};
    create(in, "directus_users", "{'email':'bob@example.com','status':'draft'}");
    assert_int_equal(write_as(in, NULL, make_admin, email), 0);
    assert_int_equal(read_as(in, NULL, list_users, &all), 0);
    assert_string_equal(all.text, "admin@example.com active Administrator 1\n"
                                  "bob@example.com draft  0\n");
    assert_int_equal(read_as(in, NULL, list_users, &one), 77);
    assert_int_equal(one.lines, 1);
}

#define WITH_INSTANCE(f) cmocka_unit_test_setup_teardown(f, instance_setup, instance_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_INSTANCE(no_token_is_the_public),
        WITH_INSTANCE(a_static_token_is_its_users_and_is_kept_as_a_hash),
        WITH_INSTANCE(only_active_users_get_in),
        WITH_INSTANCE(an_access_token_is_checked_in_every_part),
        WITH_INSTANCE(an_access_token_expires_to_the_second),
        WITH_INSTANCE(a_credential_seen_before_gives_the_very_principal),
        WITH_INSTANCE(nothing_is_remembered_past_a_change_of_the_user),
        WITH_INSTANCE(what_is_undone_leaves_nothing_behind),
        WITH_INSTANCE(a_principal_stays_the_same_while_nothing_changes),
        WITH_INSTANCE(a_change_of_access_reaches_open_principals),
        WITH_INSTANCE(a_user_who_is_gone_or_suspended_is_refused),
        WITH_INSTANCE(a_changed_static_token_ends_who_came_by_it_and_nobody_else),
        WITH_INSTANCE(a_password_opens_a_session_whatever_the_case_of_the_address),
        WITH_INSTANCE(a_log_in_that_is_none_is_told_what_is_missing),
        WITH_INSTANCE(wrong_unknown_and_passwordless_users_are_refused_alike),
        WITH_INSTANCE(a_password_that_changed_between_the_halves_does_not_open),
        WITH_INSTANCE(a_user_with_a_second_factor_is_not_let_in_without),
        WITH_INSTANCE(the_attempt_that_is_one_too_many_suspends),
        WITH_INSTANCE(an_attempt_that_runs_again_is_counted_once),
        WITH_INSTANCE(a_success_forgets_the_failures),
        WITH_INSTANCE(the_last_admin_is_not_suspended_by_guessing),
        WITH_INSTANCE(a_log_in_removes_expired_sessions_some_at_a_time),
        WITH_INSTANCE(a_refresh_token_works_once),
        WITH_INSTANCE(a_refresh_extends_the_session_and_an_expired_one_is_dead),
        WITH_INSTANCE(a_log_out_ends_one_session_and_knows_no_strangers),
        WITH_INSTANCE(entries_of_sessions_hold_no_token_and_no_hash),
        WITH_INSTANCE(a_suspended_user_refreshes_nothing),
        WITH_INSTANCE(the_first_start_makes_the_public_policy_and_the_administrator),
        WITH_INSTANCE(the_first_admin_gets_in_by_password_and_by_token),
        WITH_INSTANCE(the_command_line_makes_and_changes_accounts),
        WITH_INSTANCE(the_command_line_is_refused_as_anybody_else),
        WITH_INSTANCE(users_are_listed_by_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
