#include "unit/model/people.h"

#include "base/random.h"
#include "model/items/email.h"
#include "model/items/records.h"
#include "model/items/rules.h"

#define ADMINISTRATOR STR("Administrator")

static struct str administrators(struct instance *in)
{
    return system_text(SYSTEM_ROLES, rows_where(in, SYSTEM_ROLES, "name", ADMINISTRATOR).at[0],
                       "id");
}

static struct str status_of(struct instance *in, struct str id)
{
    return system_text(SYSTEM_USERS, user_row(in, id), "status");
}

static size_t sessions_of(struct instance *in, struct str id)
{
    return rows_where(in, SYSTEM_SESSIONS, "user", id).count;
}

static int add_session(struct tx *tx, void *context)
{
    const struct str *user = context;
    char token[UUID_TEXT_SIZE];
    random_uuid(token);
    const struct assignment session[] = {
        record_set(SYSTEM_SESSIONS, "token", value_text(str_of(token))),
        record_set(SYSTEM_SESSIONS, "user", value_text(*user)),
        record_set(SYSTEM_SESSIONS, "expires", value_text(STR("2999-01-01T00:00:00.000Z"))),
    };
    return record_insert(tx, SYSTEM_SESSIONS, session, COUNT_OF(session));
}

/* An editor with all rights on users, roles, policies, access and permissions, but no admin. */
static struct principal *manager(struct instance *in)
{
    static const char *const tables[] = {"directus_users", "directus_roles", "directus_policies",
                                         "directus_access", "directus_permissions"};
    static const char *const actions[] = {"create", "read", "update", "delete"};
    char members[64];
    struct str r = role(in, STR_NULL), p = policy(in, "");
    attach_role(in, r, p);
    for (size_t t = 0; t < COUNT_OF(tables); t++)
        for (size_t i = 0; i < COUNT_OF(actions); i++) {
            snprintf(members, sizeof(members), "'action':'%s','fields':['*']", actions[i]);
            permit(in, p, tables[t], members);
        }
    return principal_by_id(in, user_with(in, r, "manager@example.com"));
}

/* ---- e-mail ---- */

static void addresses_that_could_be_some_pass(void **state)
{
    (void)state;
    static const char *const valid[] = {
        "a@b",
        "ann@example.com",
        "a.b+c@mail.example.com",
        "admin@localhost",
        "jürgen@münchen.example",
        "o'hara@example.com",
        "1234567890123456789012345678901234567890123456789012345678901234@example.com"};
    static const char *const invalid[] = {
        "",
        "a",
        "@",
        "a@",
        "@b",
        "a@b@c",
        "a b@c",
        "a@b c",
        "a@.b",
        "a@b.",
        "a@b..c",
        ".a@b",
        "a.@b",
        "a..b@c",
        "a@-b",
        "a@b-",
        "a@b_c",
        "a\n@b",
        "<a>@b",
        "a@[127.0.0.1]",
        "a@b\x01",
        "\xff@b",
        "12345678901234567890123456789012345678901234567890123456789012345@example.com"};
    for (size_t i = 0; i < COUNT_OF(valid); i++)
        if (!email_is_valid(str_of(valid[i])))
            fail_msg("not valid: %s", valid[i]);
    for (size_t i = 0; i < COUNT_OF(invalid); i++)
        if (email_is_valid(str_of(invalid[i])))
            fail_msg("valid: %s", invalid[i]);
    assert_false(email_is_valid(STR_NULL));
}

static void an_email_that_is_none_is_refused(void **state)
{
    struct instance *in = *state;
    assert_int_equal(try_create(in, NULL, "directus_users", "{'email':'nonsense'}"), REFUSED);
    assert_int_equal(in->problem.kind, PROBLEM_FAILED_VALIDATION);
    assert_non_null(in->problem.violations);
    assert_str(in->problem.violations->field, "email");
    assert_str(in->problem.violations->type, "email");
    assert_int_equal(try_create(in, NULL, "directus_users", "{'first_name':'No mail'}"), 0);
}

static void an_email_is_unique_whatever_its_case(void **state)
{
    struct instance *in = *state;
    struct str ed = user_with(in, STR_NULL, "Ed@Example.com");
    struct str amy = user_with(in, STR_NULL, "amy@example.com");

    assert_int_equal(try_create(in, NULL, "directus_users", "{'email':'ed@example.com'}"), REFUSED);
    assert_int_equal(in->problem.kind, PROBLEM_NOT_UNIQUE);
    assert_str(in->problem.collection, "directus_users");
    assert_str(in->problem.field, "email");
    assert_str(in->problem.value, "[ed@example.com]");
    assert_int_equal(try_update(in, NULL, "directus_users", amy, "{'email':'ED@EXAMPLE.COM'}"),
                     REFUSED);
    assert_int_equal(in->problem.kind, PROBLEM_NOT_UNIQUE);
    /* One's own address in another case is no other's. */
    assert_int_equal(try_update(in, NULL, "directus_users", ed, "{'email':'ed@example.com'}"), 0);
    /* A part of an address, or a wildcard, is not the address. */
    assert_int_equal(try_create(in, NULL, "directus_users", "{'email':'d@example.com'}"), 0);
    assert_int_equal(try_create(in, NULL, "directus_users", "{'email':'%@example.com'}"), 0);
}

/* ---- users ---- */

static void a_status_is_one_of_six(void **state)
{
    struct instance *in = *state;
    static const char *const statuses[] = {"draft",  "invited",   "unverified",
                                           "active", "suspended", "archived"};
    struct str id = user_with(in, STR_NULL, "a@example.com");
    for (size_t i = 0; i < COUNT_OF(statuses); i++) {
        char payload[64];
        snprintf(payload, sizeof(payload), "{'status':'%s'}", statuses[i]);
        assert_int_equal(try_update(in, NULL, "directus_users", id, payload), 0);
    }
    assert_int_equal(try_update(in, NULL, "directus_users", id, "{'status':'asleep'}"), REFUSED);
    assert_int_equal(in->problem.kind, PROBLEM_FAILED_VALIDATION);
    assert_str(in->problem.violations->type, "in");
    assert_int_equal(json_array_size(in->problem.violations->valid), 6);
    assert_null(in->problem.violations->next);
}

static void broken_rules_are_told_together(void **state)
{
    struct instance *in = *state;
    assert_int_equal(
        try_create(in, NULL, "directus_users", "{'email':'nonsense','status':'asleep'}"), REFUSED);
    assert_non_null(in->problem.violations);
    assert_non_null(in->problem.violations->next);
    assert_null(in->problem.violations->next->next);
}

static void a_second_factor_cannot_be_set_even_by_admins(void **state)
{
    struct instance *in = *state;
    struct str id = user_with(in, STR_NULL, "a@example.com");
    assert_int_equal(try_update(in, NULL, "directus_users", id, "{'tfa_secret':'x'}"), REFUSED);
    assert_problem(in, PROBLEM_INVALID_PAYLOAD, "tfa_secret");
    assert_int_equal(try_update(in, NULL, "directus_users", id, "{'tfa_secret':null}"), 0);
}

static void only_admins_change_where_a_user_comes_from(void **state)
{
    struct instance *in = *state;
    AUTO(principal_unref) struct principal *boss = manager(in);
    struct str id = user_with(in, STR_NULL, "a@example.com");

    assert_int_equal(try_update(in, boss, "directus_users", id, "{'provider':'ldap'}"), REFUSED);
    assert_problem(in, PROBLEM_INVALID_PAYLOAD, "provider");
    assert_int_equal(try_update(in, boss, "directus_users", id, "{'external_identifier':'x'}"),
                     REFUSED);
    assert_problem(in, PROBLEM_INVALID_PAYLOAD, "external_identifier");
    assert_int_equal(try_update(in, boss, "directus_users", id, "{'title':'Dr'}"), 0);
    assert_int_equal(try_update(in, NULL, "directus_users", id, "{'provider':'ldap'}"), 0);
}

static void a_new_password_or_address_or_status_ends_the_users_sessions(void **state)
{
    struct instance *in = *state;
    static const struct {
        const char *payload;
        size_t left;
    } cases[] = {{"{'password':'another'}", 0},   {"{'email':'b@example.com'}", 0},
                 {"{'status':'suspended'}", 0},   {"{'status':'archived'}", 0},
                 {"{'first_name':'Ann'}", 1},     {"{'status':'active','title':'x'}", 1},
                 {"{'email':'a@example.com'}", 1}};
    struct str other = user_with(in, STR_NULL, "other@example.com");
    assert_int_equal(write_as(in, NULL, add_session, &other), 0);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct str id = user_with(in, STR_NULL, "a@example.com");
        assert_int_equal(write_as(in, NULL, add_session, &id), 0);
        assert_int_equal(sessions_of(in, id), 1);
        assert_int_equal(try_update(in, NULL, "directus_users", id, cases[i].payload), 0);
        if (sessions_of(in, id) != cases[i].left)
            fail_msg("after %s: %zu", cases[i].payload, sessions_of(in, id));
        assert_int_equal(try_delete(in, NULL, "directus_users", id), 0);
        assert_int_equal(sessions_of(in, id), 0);
    }
    assert_int_equal(sessions_of(in, other), 1);
}

/* ---- roles and policies ---- */

static void a_role_is_not_its_own_ancestor(void **state)
{
    struct instance *in = *state;
    struct str root = role(in, STR_NULL), child = role(in, root), leaf = role(in, child);
    char payload[80];

    snprintf(payload, sizeof(payload), "{'parent':'%.*s'}", STR_ARG(leaf));
    assert_int_equal(try_update(in, NULL, "directus_roles", root, payload), REFUSED);
    assert_problem(in, PROBLEM_INVALID_PAYLOAD, "ancestor");
    snprintf(payload, sizeof(payload), "{'parent':'%.*s'}", STR_ARG(root));
    assert_int_equal(try_update(in, NULL, "directus_roles", root, payload), REFUSED);
    assert_int_equal(try_update(in, NULL, "directus_roles", leaf, payload), 0);
    assert_int_equal(try_update(in, NULL, "directus_roles", leaf, "{'parent':null}"), 0);
}

static void a_deleted_role_suspends_its_users_and_lets_its_children_go(void **state)
{
    struct instance *in = *state;
    struct str gone = role(in, STR_NULL), child = role(in, gone), p = policy(in, "");
    struct str user = user_with(in, gone, "a@example.com");
    struct str other = user_with(in, child, "b@example.com");
    attach_role(in, gone, p);
    assert_int_equal(write_as(in, NULL, add_session, &user), 0);

    assert_int_equal(try_delete(in, NULL, "directus_roles", gone), 0);
    assert_str(status_of(in, user), "suspended");
    assert_null(system_text(SYSTEM_USERS, user_row(in, user), "role").at);
    assert_int_equal(sessions_of(in, user), 0);
    assert_str(status_of(in, other), "active");
    assert_null(
        system_text(SYSTEM_ROLES, rows_where(in, SYSTEM_ROLES, "id", child).at[0], "parent").at);
    assert_int_equal(rows_where(in, SYSTEM_ACCESS, "policy", p).count, 0);

    /* All of it is told: the latest image of the user is what is stored. */
    const struct change *last = NULL;
    for (size_t i = 0; i < in->commit->count; i++)
        if (system_is(in->commit->changes[i]->table, SYSTEM_USERS))
            last = in->commit->changes[i];
    assert_non_null(last);
    assert_str(system_text(SYSTEM_USERS, last->after, "status"), "suspended");
    assert_null(system_text(SYSTEM_USERS, last->after, "role").at);
}

static void leaving_a_role_suspends_nobody(void **state)
{
    struct instance *in = *state;
    struct str r = role(in, STR_NULL);
    struct str user = user_with(in, r, "a@example.com");
    assert_int_equal(try_update(in, NULL, "directus_users", user, "{'role':null}"), 0);
    assert_str(status_of(in, user), "active");
}

static void addresses_of_a_policy_are_checked(void **state)
{
    struct instance *in = *state;
    struct str p = policy(in, "'ip_access':['10.0.0.0/8','::1']");
    assert_int_equal(try_update(in, NULL, "directus_policies", p, "{'ip_access':['10.0.0.0/33']}"),
                     REFUSED);
    assert_problem(in, PROBLEM_INVALID_PAYLOAD, "10.0.0.0/33");
    assert_int_equal(try_update(in, NULL, "directus_policies", p, "{'ip_access':null}"), 0);
    assert_int_equal(try_create(in, NULL, "directus_policies", "{'name':'p','ip_access':['x']}"),
                     REFUSED);
}

static void the_public_policy_may_be_edited_but_stays(void **state)
{
    struct instance *in = *state;
    assert_int_equal(try_update(in, NULL, "directus_policies", PUBLIC_POLICY, "{'name':'All'}"), 0);
    assert_int_equal(try_delete(in, NULL, "directus_policies", PUBLIC_POLICY), REFUSED);
    assert_problem(in, PROBLEM_UNPROCESSABLE, "public policy");
    assert_int_equal(try_delete(in, NULL, "directus_policies", policy(in, "")), 0);
}

static void permission_rows_have_the_shape_of_rules(void **state)
{
    struct instance *in = *state;
    static const struct {
        const char *members;
        const char *reason; /* NULL: accepted */
    } cases[] = {
        {"'action':'read','fields':['*'],'permissions':{},'validation':null", NULL},
        {"'action':'share'", NULL},
        {"'action':'read','permissions':{'_and':[{'a':{'_eq':1}},{'_or':[{}]}]}", NULL},
        {"'action':'explode'", "action"},
        {"'action':'read','permissions':[]", "permissions"},
        {"'action':'read','validation':'x'", "validation"},
        {"'action':'read','presets':[1]", "presets"},
        {"'action':'read','presets':{'_and':1}", NULL},
        {"'action':'read','fields':[1]", "fields"},
        {"'action':'read','permissions':{'_and':{'a':1}}", "_and"},
        {"'action':'read','permissions':{'a':{'_or':[1]}}", "_or"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char payload[256];
        snprintf(payload, sizeof(payload),
                 "{'policy':'abf8a154-5b1c-4a46-ac9c-7300570f4f17','collection':'things',%s}",
                 cases[i].members);
        int rc = try_create(in, NULL, "directus_permissions", payload);
        if (rc != (cases[i].reason ? REFUSED : 0))
            fail_msg("%s: %d", cases[i].members, rc);
        if (rc != 0 && (in->problem.kind != PROBLEM_INVALID_PAYLOAD ||
                        !str_contains(in->problem.reason, str_of(cases[i].reason))))
            fail_msg("%s: %.*s", cases[i].members, STR_ARG(in->problem.reason));
    }
}

static void a_filter_is_no_deeper_than_the_limit(void **state)
{
    struct instance *in = *state;
    enum { DEPTH_MAX = 32 };
    assert_int_equal(in->settings.filter_depth_max, DEPTH_MAX);
    for (int objects = DEPTH_MAX - 1; objects <= DEPTH_MAX + 1; objects++) {
        struct buf b;
        buf_init(&b, 4096);
        buf_put_lit(&b, "{'policy':'abf8a154-5b1c-4a46-ac9c-7300570f4f17','action':'read',"
                        "'collection':'things','permissions':");
        for (int i = 0; i < objects - 1; i++)
            buf_put_lit(&b, "{'a':");
        buf_put_lit(&b, "{}");
        for (int i = 0; i < objects - 1; i++)
            buf_put_char(&b, '}');
        buf_put_lit(&b, "}");
        buf_put_char(&b, '\0');
        int rc = try_create(in, NULL, "directus_permissions", b.at);
        buf_deinit(&b);
        assert_int_equal(rc, objects <= DEPTH_MAX ? 0 : REFUSED);
    }
}

/* ---- the last admin ---- */

static void the_last_active_admin_stays(void **state)
{
    struct instance *in = *state;
    struct str admins = administrators(in);
    struct str ann = user_with(in, admins, "ann@example.com");
    AUTO(principal_unref) struct principal *as = principal_by_id(in, ann);
    struct str attachment =
        system_text(SYSTEM_ACCESS, rows_where(in, SYSTEM_ACCESS, "role", admins).at[0], "id");
    struct str p =
        system_text(SYSTEM_ACCESS, rows_where(in, SYSTEM_ACCESS, "role", admins).at[0], "policy");

    assert_true(as->admin);
    assert_int_equal(try_delete(in, as, "directus_users", ann), REFUSED);
    assert_problem(in, PROBLEM_UNPROCESSABLE, "admin");
    assert_int_equal(try_update(in, as, "directus_users", ann, "{'status':'suspended'}"), REFUSED);
    assert_int_equal(try_update(in, as, "directus_users", ann, "{'role':null}"), REFUSED);
    assert_int_equal(try_delete(in, as, "directus_roles", admins), REFUSED);
    assert_problem(in, PROBLEM_UNPROCESSABLE, "admin");
    assert_int_equal(try_delete(in, as, "directus_access", attachment), REFUSED);
    assert_int_equal(try_delete(in, as, "directus_policies", p), REFUSED);
    assert_int_equal(try_update(in, as, "directus_policies", p, "{'admin_access':false}"), REFUSED);
    assert_int_equal(try_update(in, as, "directus_users", ann, "{'title':'Dr'}"), 0);
    assert_str(status_of(in, ann), "active");
}

static void one_of_two_admins_may_go(void **state)
{
    struct instance *in = *state;
    struct str child = role(in, administrators(in)); /* what a role has, its descendants have */
    struct str ann = user_with(in, administrators(in), "ann@example.com");
    struct str bob = user_with(in, child, "bob@example.com");
    AUTO(principal_unref) struct principal *as = principal_by_id(in, bob);

    assert_true(as->admin);
    assert_int_equal(try_delete(in, as, "directus_users", ann), 0);
    assert_int_equal(try_update(in, as, "directus_roles", child, "{'parent':null}"), REFUSED);
    assert_problem(in, PROBLEM_UNPROCESSABLE, "admin");
}

static void a_suspended_admin_does_not_count_but_one_by_a_policy_of_its_own_does(void **state)
{
    struct instance *in = *state;
    struct str ann = user_with(in, administrators(in), "ann@example.com");
    struct str bob = user_with(in, administrators(in), "bob@example.com");
    struct str eve = user_with(in, STR_NULL, "eve@example.com");
    AUTO(principal_unref) struct principal *as = principal_by_id(in, ann);

    assert_int_equal(try_update(in, as, "directus_users", bob, "{'status':'suspended'}"), 0);
    assert_int_equal(try_update(in, as, "directus_users", ann, "{'role':null}"), REFUSED);
    attach_user(in, eve, policy(in, "'admin_access':true"));
    assert_int_equal(try_update(in, as, "directus_users", ann, "{'role':null}"), 0);
}

/* ---- what a commit touches ---- */

static int64_t version_of(struct instance *in)
{
    AUTO(catalogue_unref) struct catalogue *c = model_catalogue(in->model);
    return c->version;
}

static bool brings_a_catalogue(struct instance *in, const char *table, struct str key,
                               const char *payload)
{
    int64_t before = version_of(in);
    assert_int_equal(try_update(in, NULL, table, key, payload), 0);
    return version_of(in) != before;
}

static void what_a_principal_would_not_notice_brings_a_new_catalogue(void **state)
{
    struct instance *in = *state;
    struct str r = role(in, STR_NULL), id = user_with(in, r, "a@example.com");
    char in_role[80];
    snprintf(in_role, sizeof(in_role), "{'role':'%.*s'}", STR_ARG(r));

    assert_false(brings_a_catalogue(in, "directus_users", id, "{'last_page':'/x'}"));
    /* A client may compare with it: $CURRENT_USER.first_name. */
    assert_true(brings_a_catalogue(in, "directus_users", id, "{'first_name':'Ann'}"));
    assert_true(brings_a_catalogue(in, "directus_users", id, "{'token':'a-static-token'}"));
    assert_true(brings_a_catalogue(in, "directus_users", id, "{'password':'x'}"));
    assert_true(brings_a_catalogue(in, "directus_users", id, "{'email':'b@example.com'}"));
    assert_true(brings_a_catalogue(in, "directus_users", id, "{'status':'suspended'}"));
    assert_true(brings_a_catalogue(in, "directus_users", id, "{'role':null}"));
    assert_true(brings_a_catalogue(in, "directus_users", id, in_role));
    assert_false(brings_a_catalogue(in, "directus_users", id, in_role)); /* as it is */
    assert_true(brings_a_catalogue(in, "directus_roles", r, "{'name':'other'}"));

    int64_t before = version_of(in);
    struct str other = user_with(in, STR_NULL, "c@example.com");
    assert_int_equal(version_of(in), before);
    assert_int_equal(try_delete(in, NULL, "directus_users", other), 0);
    assert_true(version_of(in) > before);
}

static void when_a_user_was_last_seen_counts_when_a_rule_asks_for_it(void **state)
{
    struct instance *in = *state;
    struct str id = user_with(in, STR_NULL, "a@example.com"), p = policy(in, "");

    assert_false(brings_a_catalogue(in, "directus_users", id, "{'last_page':'/a'}"));
    permit(in, p, "directus_users",
           "'action':'read','permissions':{'_or':[{'last_page':{'_in':["
           "'$CURRENT_USER.last_page']}}]}");
    assert_true(brings_a_catalogue(in, "directus_users", id, "{'last_page':'/b'}"));
    assert_false(
        brings_a_catalogue(in, "directus_users", id, "{'last_access':'2026-01-01T00:00:00Z'}"));
    permit(in, p, "directus_users",
           "'action':'create','presets':{'last_access':'$CURRENT_USER.last_access'}");
    assert_true(
        brings_a_catalogue(in, "directus_users", id, "{'last_access':'2026-01-02T00:00:00Z'}"));
}

#define WITH_INSTANCE(f) cmocka_unit_test_setup_teardown(f, instance_setup, instance_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_that_could_be_some_pass),
        WITH_INSTANCE(an_email_that_is_none_is_refused),
        WITH_INSTANCE(an_email_is_unique_whatever_its_case),
        WITH_INSTANCE(a_status_is_one_of_six),
        WITH_INSTANCE(broken_rules_are_told_together),
        WITH_INSTANCE(a_second_factor_cannot_be_set_even_by_admins),
        WITH_INSTANCE(only_admins_change_where_a_user_comes_from),
        WITH_INSTANCE(a_new_password_or_address_or_status_ends_the_users_sessions),
        WITH_INSTANCE(a_role_is_not_its_own_ancestor),
        WITH_INSTANCE(a_deleted_role_suspends_its_users_and_lets_its_children_go),
        WITH_INSTANCE(leaving_a_role_suspends_nobody),
        WITH_INSTANCE(addresses_of_a_policy_are_checked),
        WITH_INSTANCE(the_public_policy_may_be_edited_but_stays),
        WITH_INSTANCE(permission_rows_have_the_shape_of_rules),
        WITH_INSTANCE(a_filter_is_no_deeper_than_the_limit),
        WITH_INSTANCE(the_last_active_admin_stays),
        WITH_INSTANCE(one_of_two_admins_may_go),
        WITH_INSTANCE(a_suspended_admin_does_not_count_but_one_by_a_policy_of_its_own_does),
        WITH_INSTANCE(what_a_principal_would_not_notice_brings_a_new_catalogue),
        WITH_INSTANCE(when_a_user_was_last_seen_counts_when_a_rule_asks_for_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
