#include "unit/model/people.h"

#include "base/clock.h"
#include "model/access/grants.h"
#include "model/access/ip_list.h"
#include "unit/model/memory.h"

/* ---- an instance with one table ---- */

static int make_articles(struct instance *in, struct tx *tx)
{
    struct str name;
    return schema_create_collection(
        tx,
        quoted(in, "{'collection':'articles','fields':["
                   "{'field':'title','type':'string'},{'field':'status','type':'string'},"
                   "{'field':'owner','type':'uuid'},{'field':'note','type':'text'}]}"),
        &name);
}

static int setup(void **state)
{
    instance_setup(state);
    return run(*state, WRITER_SCHEMA, make_articles);
}

static const struct table *articles(const struct principal *p)
{
    return catalogue_table(p->catalogue, STR("articles"));
}

static const struct grant *reading(const struct principal *p)
{
    return principal_grant(p, articles(p), ACTION_READ);
}

static bool has_field(const struct grant *g, const struct table *t, const char *name)
{
    return column_set_has(&g->fields, table_field(t, str_of(name))->column->index);
}

static const struct expr *mask_of(const struct grant *g, const struct table *t, const char *name)
{
    return g->masks[table_field(t, str_of(name))->column->index];
}

/* Does the row {status, owner} satisfy the condition? */
static bool holds(const struct principal *p, const struct expr *x, const char *status,
                  struct str owner)
{
    const struct table *t = articles(p);
    struct value row[COLUMNS_MAX] = {0};
    row[table_field(t, STR("status"))->column->index] = value_text(str_of(status));
    row[table_field(t, STR("owner"))->column->index] = owner.at ? value_text(owner) : value_null();
    return expr_matches(x, row, 0);
}

/* ---- policies in effect ---- */

static void the_public_policies_are_for_who_has_no_role(void **state)
{
    struct instance *in = *state;
    permit(in, PUBLIC_POLICY, "articles", "'action':'read','fields':['title']");
    struct str r = role(in, STR_NULL);
    AUTO(catalogue_unref) struct catalogue *c = model_catalogue(in->model);
    AUTO(principal_unref) struct principal *nobody = principal_public(c, STR_NULL);
    AUTO(principal_unref)
    struct principal *loner = principal_by_id(in, user_with(in, STR_NULL, "a@example.com"));
    AUTO(principal_unref)
    struct principal *member = principal_by_id(in, user_with(in, r, "b@example.com"));

    assert_non_null(reading(nobody));
    assert_non_null(reading(loner));
    assert_null(reading(member));
    assert_null(principal_grant(nobody, articles(nobody), ACTION_UPDATE));
}

static void policies_come_from_the_root_down_and_the_users_own_last(void **state)
{
    struct instance *in = *state;
    struct str root = role(in, STR_NULL), child = role(in, root), leaf = role(in, child);
    struct str own = policy(in, ""), of_root = policy(in, ""), of_leaf = policy(in, "");
    struct str user = user_with(in, leaf, "a@example.com");
    attach_user(in, user, own);
    attach_role(in, leaf, of_leaf);
    attach_role(in, root, of_root);
    attach_user(in, user, of_root); /* again: counts once, at its first place */

    AUTO(principal_unref) struct principal *p = principal_by_id(in, user);
    assert_int_equal(p->role_count, 3);
    assert_str(p->roles[0]->id, arena_z(in->arena, root));
    assert_str(p->roles[2]->id, arena_z(in->arena, leaf));
    assert_int_equal(p->policy_count, 3);
    assert_str(p->policies[0]->id, arena_z(in->arena, of_root));
    assert_str(p->policies[1]->id, arena_z(in->arena, of_leaf));
    assert_str(p->policies[2]->id, arena_z(in->arena, own));
}

static void a_policy_with_addresses_counts_only_from_there(void **state)
{
    struct instance *in = *state;
    struct str r = role(in, STR_NULL);
    attach_role(in, r, policy(in, "'admin_access':true,'ip_access':['10.0.0.0/8','::1']"));
    struct str user = user_with(in, r, "a@example.com");
    AUTO(principal_unref) struct principal *inside = principal_at(in, user, "10.9.8.7");
    AUTO(principal_unref) struct principal *outside = principal_at(in, user, "11.0.0.1");
    AUTO(principal_unref) struct principal *unknown = principal_at(in, user, NULL);

    assert_true(inside->admin);
    assert_false(outside->admin);
    assert_false(unknown->admin);
    assert_int_equal(outside->policy_count, 0);
}

static void an_admins_policy_of_the_public_makes_nobody_an_admin(void **state)
{
    struct instance *in = *state;
    assert_int_equal(try_update(in, NULL, "directus_policies", PUBLIC_POLICY,
                                "{'admin_access':true,'app_access':true}"),
                     0);
    AUTO(catalogue_unref) struct catalogue *c = model_catalogue(in->model);
    AUTO(principal_unref) struct principal *nobody = principal_public(c, STR_NULL);
    assert_false(nobody->admin);
    assert_false(nobody->app);
    assert_null(reading(nobody));
}

static void an_admin_may_everything_but_see_sessions(void **state)
{
    struct instance *in = *state;
    AUTO(catalogue_unref) struct catalogue *c = model_catalogue(in->model);
    AUTO(principal_unref) struct principal *system = principal_system(c);

    for (unsigned action = 0; action < ACTION_COUNT; action++) {
        const struct grant *g = principal_grant(system, articles(system), action);
        assert_non_null(g);
        assert_true(g->unconditional && g->all_fields);
        assert_true(has_field(g, articles(system), "note"));
        assert_null(principal_grant(system, system_table(SYSTEM_SESSIONS), action));
        assert_null(principal_grant(system, system_table(SYSTEM_JOURNAL), action));
    }
    assert_non_null(principal_grant(system, system_table(SYSTEM_USERS), ACTION_READ));
}

/* ---- rules ---- */

static void rules_add_up_and_fields_of_some_rows_are_masked(void **state)
{
    struct instance *in = *state;
    struct str r = role(in, STR_NULL), p = policy(in, "");
    attach_role(in, r, p);
    permit(in, p, "articles",
           "'action':'read','permissions':{'status':{'_eq':'published'}},"
           "'fields':['id','title']");
    permit(in, p, "articles",
           "'action':'read','permissions':{'owner':{'_eq':'$CURRENT_USER'}},"
           "'fields':['id','title','note']");
    struct str user = user_with(in, r, "a@example.com");
    AUTO(principal_unref) struct principal *who = principal_by_id(in, user);
    const struct grant *g = reading(who);

    assert_non_null(g);
    assert_int_equal(g->rule_count, 2);
    assert_false(g->unconditional);
    assert_true(holds(who, g->rows, "published", STR_NULL));
    assert_true(holds(who, g->rows, "draft", user));
    assert_false(holds(who, g->rows, "draft", STR_NULL));
    assert_false(has_field(g, articles(who), "status"));
    assert_null(mask_of(g, articles(who), "title")); /* by every rule */
    const struct expr *mask = mask_of(g, articles(who), "note");
    assert_non_null(mask);
    assert_true(holds(who, mask, "draft", user));
    assert_false(holds(who, mask, "published", STR_NULL));
}

static void a_rule_for_all_rows_lifts_masks_from_its_fields_only(void **state)
{
    struct instance *in = *state;
    struct str r = role(in, STR_NULL), p = policy(in, "");
    attach_role(in, r, p);
    permit(in, p, "articles", "'action':'read','fields':['title']");
    permit(in, p, "articles",
           "'action':'read','permissions':{'status':{'_eq':'x'}},'fields':['title','note']");
    AUTO(principal_unref)
    struct principal *who = principal_by_id(in, user_with(in, r, "a@example.com"));
    const struct grant *g = reading(who);

    assert_true(g->rows == &expr_true || g->rows->kind == EXPR_TRUE);
    assert_false(g->unconditional);
    assert_null(mask_of(g, articles(who), "title"));
    assert_non_null(mask_of(g, articles(who), "note"));
}

static void rules_with_equal_filters_need_no_masks(void **state)
{
    struct instance *in = *state;
    struct str r = role(in, STR_NULL), p = policy(in, "");
    attach_role(in, r, p);
    permit(in, p, "articles",
           "'action':'read','permissions':{'status':{'_eq':'x'}},'fields':['title']");
    permit(in, p, "articles",
           "'action':'read','permissions':{'status':{'_eq':'x'}},'fields':['note']");
    AUTO(principal_unref)
    struct principal *who = principal_by_id(in, user_with(in, r, "a@example.com"));
    const struct grant *g = reading(who);

    assert_int_equal(g->rows->kind, EXPR_TEST);
    assert_null(mask_of(g, articles(who), "title"));
    assert_null(mask_of(g, articles(who), "note"));
}

static void equal_filters_are_one_wherever_they_stand(void **state)
{
    struct instance *in = *state;
    struct str r = role(in, STR_NULL), p = policy(in, "");
    attach_role(in, r, p);
    permit(in, p, "articles",
           "'action':'read','permissions':{'status':{'_eq':'x'}},'fields':['title']");
    permit(in, p, "articles",
           "'action':'read','permissions':{'status':{'_eq':'y'}},'fields':['title']");
    permit(in, p, "articles",
           "'action':'read','permissions':{'status':{'_eq':'x'}},'fields':['note']");
    AUTO(principal_unref)
    struct principal *who = principal_by_id(in, user_with(in, r, "a@example.com"));

    assert_null(mask_of(reading(who), articles(who), "title"));
    const struct expr *mask = mask_of(reading(who), articles(who), "note");
    assert_non_null(mask);
    assert_true(holds(who, mask, "x", STR_NULL));
    assert_false(holds(who, mask, "y", STR_NULL));
}

static void fields_are_those_that_are_named_and_there(void **state)
{
    struct instance *in = *state;
    struct str r = role(in, STR_NULL), p = policy(in, "");
    attach_role(in, r, p);
    permit(in, p, "articles", "'action':'read','fields':['title','gone']");
    permit(in, p, "articles", "'action':'update','fields':null");
    permit(in, p, "articles", "'action':'delete','fields':['*']");
    AUTO(principal_unref)
    struct principal *who = principal_by_id(in, user_with(in, r, "a@example.com"));

    const struct grant *g = reading(who);
    assert_true(has_field(g, articles(who), "title"));
    assert_false(has_field(g, articles(who), "id")); /* the key is a field like others */
    assert_false(g->all_fields);
    g = principal_grant(who, articles(who), ACTION_UPDATE);
    assert_non_null(g);
    assert_true(column_set_is_empty(&g->fields));
    g = principal_grant(who, articles(who), ACTION_DELETE);
    assert_true(g->all_fields && has_field(g, articles(who), "note"));
}

static void a_rule_that_makes_no_sense_grants_nothing(void **state)
{
    struct instance *in = *state;
    struct str r = role(in, STR_NULL), p = policy(in, "");
    attach_role(in, r, p);
    permit(in, p, "articles", "'action':'read','permissions':{'gone':{'_eq':1}},'fields':['note']");
    permit(in, p, "articles", "'action':'read','fields':['title']");
    permit(in, p, "articles",
           "'action':'update','permissions':{'title':{'_neq':'$CURRENT_USER.gone'}},"
           "'fields':['*']");
    permit(in, p, "articles",
           "'action':'delete','permissions':{'title':{'_neq':'$CURRENT_USER.password'}},"
           "'fields':['*']");
    permit(in, p, "gone", "'action':'read','fields':['*']");
    AUTO(principal_unref)
    struct principal *who = principal_by_id(in, user_with(in, r, "a@example.com"));

    assert_true(has_field(reading(who), articles(who), "title"));
    assert_false(has_field(reading(who), articles(who), "note"));
    assert_null(principal_grant(who, articles(who), ACTION_UPDATE));
    assert_null(principal_grant(who, articles(who), ACTION_DELETE));
}

static void a_rule_that_leaves_no_room_for_a_filter_grants_nothing(void **state)
{
    struct instance *in = *state;
    for (unsigned depth = EXPR_DEPTH_MAX / 2 - 1; depth <= EXPR_DEPTH_MAX / 2 + 1; depth++) {
        AUTO(arena_free) struct arena *a = arena_new();
        struct str r = role(in, STR_NULL), p = policy(in, ""), filter = STR("{'title':'a'}");
        for (unsigned i = 0; i < depth; i += 2)
            filter = arena_printf(a, "{%s'_or':[{'title':'c'},%.*s]}",
                                  i + 1 < depth ? "'status':'b'," : "", STR_ARG(filter));
        attach_role(in, r, p);
        permit(in, p, "articles",
               arena_printf(a, "'action':'read','permissions':%.*s,'fields':['*']", STR_ARG(filter))
                   .at);
        struct str email = arena_printf(a, "user%u@example.com", depth);
        AUTO(principal_unref)
        struct principal *who = principal_by_id(in, user_with(in, r, email.at));
        assert_int_equal(reading(who) != NULL, depth <= EXPR_DEPTH_MAX / 2);
        if (reading(who))
            assert_int_equal(reading(who)->rows->depth, depth);
    }
}

static void the_filter_of_a_create_rule_does_not_count(void **state)
{
    struct instance *in = *state;
    struct str r = role(in, STR_NULL), p = policy(in, "");
    attach_role(in, r, p);
    permit(in, p, "articles",
           "'action':'create','permissions':{'gone':{'_eq':1}},'fields':['title'],"
           "'presets':{'owner':'$CURRENT_USER'},'validation':{}");
    AUTO(principal_unref)
    struct principal *who = principal_by_id(in, user_with(in, r, "a@example.com"));
    const struct grant *g = principal_grant(who, articles(who), ACTION_CREATE);

    assert_non_null(g);
    assert_int_equal(g->rows->kind, EXPR_TRUE);
    assert_null(g->rules[0].validation);
    const json_t *presets = principal_substitute(who, in->arena, g->rules[0].presets, 0);
    assert_str(json_get_str(presets, "owner"), arena_z(in->arena, who->user));
}

static void app_access_adds_the_built_in_rows(void **state)
{
    struct instance *in = *state;
    struct str r = role(in, STR_NULL);
    attach_role(in, r, policy(in, "'app_access':true"));
    struct str user = user_with(in, r, "a@example.com");
    AUTO(principal_unref) struct principal *who = principal_by_id(in, user);
    const struct table *users = system_table(SYSTEM_USERS), *roles = system_table(SYSTEM_ROLES);
    const struct grant *g = principal_grant(who, users, ACTION_READ);

    assert_true(who->app && !who->admin);
    assert_non_null(g);
    assert_true(expr_matches(g->rows, who->user_row, 0));
    assert_true(has_field(g, users, "email"));
    assert_false(has_field(g, users, "token"));
    assert_null(principal_grant(who, users, ACTION_UPDATE));

    struct value row[COLUMNS_MAX] = {0};
    g = principal_grant(who, roles, ACTION_READ);
    assert_non_null(g);
    row[system_column(SYSTEM_ROLES, "id")] = value_text(r);
    assert_true(expr_matches(g->rows, row, 0));
    row[system_column(SYSTEM_ROLES, "id")] = value_text(user);
    assert_false(expr_matches(g->rows, row, 0));
    assert_true(principal_grant(who, system_table(SYSTEM_FIELDS), ACTION_READ)->unconditional);
    assert_null(principal_grant(who, system_table(SYSTEM_POLICIES), ACTION_READ));
}

/* ---- classes and sharing ---- */

static void who_sees_alike_has_one_class_and_shares_grants(void **state)
{
    struct instance *in = *state;
    struct str r = role(in, STR_NULL), p = policy(in, "");
    attach_role(in, r, p);
    permit(in, p, "articles",
           "'action':'read','permissions':{'status':{'_eq':'x'}},'fields':['title'],"
           "'presets':{'owner':'$CURRENT_USER'}");
    permit(in, p, "articles",
           "'action':'update','permissions':{'owner':{'_eq':'$CURRENT_USER'}},'fields':['*']");
    struct str a = user_with(in, r, "a@example.com"), b = user_with(in, r, "b@example.com");
    AUTO(principal_unref) struct principal *one = principal_by_id(in, a);
    AUTO(principal_unref) struct principal *two = principal_by_id(in, b);

    assert_ptr_equal(one->grants, two->grants);
    assert_ptr_equal(reading(one), reading(two));
    assert_ptr_not_equal(principal_grant(one, articles(one), ACTION_UPDATE),
                         principal_grant(two, articles(two), ACTION_UPDATE));
}

static void a_rule_that_names_the_user_makes_a_class_for_each(void **state)
{
    struct instance *in = *state;
    struct str r = role(in, STR_NULL), p = policy(in, "");
    attach_role(in, r, p);
    permit(in, p, "articles",
           "'action':'read','permissions':{'owner':{'_in':'$CURRENT_USER'}},'fields':['*']");
    permit(in, p, "directus_roles",
           "'action':'read','permissions':{'id':{'_eq':'$CURRENT_ROLE'}},'fields':['*']");
    struct str a = user_with(in, r, "a@example.com"), b = user_with(in, r, "b@example.com");
    AUTO(principal_unref) struct principal *one = principal_by_id(in, a);
    AUTO(principal_unref) struct principal *two = principal_by_id(in, b);
    const struct table *roles = system_table(SYSTEM_ROLES);

    assert_false(str_equal(reading(one)->class_key, reading(two)->class_key));
    assert_true(str_equal(principal_grant(one, roles, ACTION_READ)->class_key,
                          principal_grant(two, roles, ACTION_READ)->class_key));
}

static void the_order_of_policies_makes_no_difference_to_the_class(void **state)
{
    struct instance *in = *state;
    struct str p = policy(in, ""), q = policy(in, "");
    permit(in, p, "articles",
           "'action':'read','permissions':{'status':{'_eq':'x'}},'fields':['title']");
    permit(in, q, "articles",
           "'action':'read','permissions':{'status':{'_eq':'y'}},'fields':['note']");
    struct str a = user_with(in, STR_NULL, "a@example.com");
    struct str b = user_with(in, STR_NULL, "b@example.com");
    attach_user(in, a, p);
    attach_user(in, a, q);
    attach_user(in, b, q);
    attach_user(in, b, p);
    /* The order within one place is the database's; say it, so that it differs for sure. */
    struct system_rows rows = rows_where(in, SYSTEM_ACCESS, "user", b);
    for (size_t i = 0; i < rows.count; i++) {
        bool is_q = str_equal(system_text(SYSTEM_ACCESS, rows.at[i], "policy"), q);
        assert_int_equal(try_update(in, NULL, "directus_access",
                                    system_text(SYSTEM_ACCESS, rows.at[i], "id"),
                                    is_q ? "{'sort':1}" : "{'sort':2}"),
                         0);
    }
    rows = rows_where(in, SYSTEM_ACCESS, "user", a);
    for (size_t i = 0; i < rows.count; i++) {
        bool is_q = str_equal(system_text(SYSTEM_ACCESS, rows.at[i], "policy"), q);
        assert_int_equal(try_update(in, NULL, "directus_access",
                                    system_text(SYSTEM_ACCESS, rows.at[i], "id"),
                                    is_q ? "{'sort':2}" : "{'sort':1}"),
                         0);
    }
    AUTO(principal_unref) struct principal *one = principal_by_id(in, a);
    AUTO(principal_unref) struct principal *two = principal_by_id(in, b);

    size_t last = one->policy_count - 1;
    assert_false(one->policies[last] == two->policies[last]);
    assert_str(reading(one)->class_key, arena_z(in->arena, reading(two)->class_key));
}

static void all_fields_by_name_or_by_star_and_an_admin_are_one_class(void **state)
{
    struct instance *in = *state;
    struct str p = policy(in, ""), q = policy(in, "");
    permit(in, p, "articles", "'action':'read','fields':['*']");
    permit(in, q, "articles", "'action':'read','fields':['id','title','status','owner','note']");
    struct str a = user_with(in, STR_NULL, "a@example.com");
    struct str b = user_with(in, STR_NULL, "b@example.com");
    attach_user(in, a, p);
    attach_user(in, b, q);
    AUTO(principal_unref) struct principal *one = principal_by_id(in, a);
    AUTO(principal_unref) struct principal *two = principal_by_id(in, b);

    assert_str(reading(one)->class_key, arena_z(in->arena, reading(two)->class_key));
    assert_str(reading(one)->class_key, arena_z(in->arena, grant_all.class_key));
    assert_true(reading(one)->unconditional);
}

static void a_table_of_another_catalogue_is_not_granted(void **state)
{
    struct instance *in = *state;
    permit(in, PUBLIC_POLICY, "articles", "'action':'read','fields':['*']");
    AUTO(catalogue_unref) struct catalogue *before = model_catalogue(in->model);
    AUTO(principal_unref) struct principal *old = principal_public(before, STR_NULL);
    role(in, STR_NULL); /* brings a new catalogue */
    AUTO(catalogue_unref) struct catalogue *after = model_catalogue(in->model);

    assert_ptr_not_equal(before, after);
    assert_null(principal_grant(old, catalogue_table(after, STR("articles")), ACTION_READ));
    assert_non_null(reading(old));
}

static void past_the_bound_of_the_cache_grants_are_the_principals_own(void **state)
{
    (void)state;
    enum { PEOPLE = 1100 };
    struct memory m;
    memory_open(&m, "[{'collection':'articles','action':'read','fields':['title']}]");
    struct policy *policies = ARENA_ARRAY(m.arena, struct policy, PEOPLE);
    struct attachment *attachments = ARENA_ARRAY(m.arena, struct attachment, PEOPLE);
    struct principal **people = ARENA_ARRAY(m.arena, struct principal *, PEOPLE);
    size_t columns = system_table(SYSTEM_USERS)->shape.count;

    for (size_t i = 0; i < PEOPLE; i++) {
        struct str id = arena_printf(m.arena, "user %zu", i);
        policies[i] = *m.catalogue.policies[0];
        attachments[i] = (struct attachment){.policy = &policies[i], .user = id};
    }
    m.catalogue.attachments = attachments;
    m.catalogue.attachment_count = PEOPLE;
    for (size_t i = 0; i < PEOPLE; i++) {
        struct value *row = ARENA_ARRAY(m.arena, struct value, columns);
        row[system_column(SYSTEM_USERS, "id")] = value_text(attachments[i].user);
        people[i] = principal_user(&m.catalogue, row, STR_NULL);
    }
    for (size_t i = 0; i < PEOPLE; i++) {
        assert_int_equal(people[i]->policy_count, 1);
        assert_non_null(principal_grant(people[i], &m.tables[ARTICLES], ACTION_READ));
        principal_unref(people[i]);
    }
    memory_close(&m);
}

/* ---- variables ---- */

static const struct principal *somebody(struct instance *in)
{
    struct str parent = role(in, STR_NULL), r = role(in, parent);
    struct str user = create(in, "directus_users",
                             "{'email':'a@example.com','role':'%.*s','first_name':'Ann',"
                             "'password':'secret','tags':['x','y']}",
                             STR_ARG(r));
    return principal_by_id(in, user);
}

static void variables_have_the_values_of_who_acts(void **state)
{
    struct instance *in = *state;
    const struct principal *who = somebody(in);
    const struct {
        const char *name;
        struct str text;
    } cases[] = {
        {"$CURRENT_USER", who->user},
        {"$CURRENT_USER.first_name", STR("Ann")},
        {"$CURRENT_USER.role", who->role},
        {"$CURRENT_USER.role.name", STR("r")},
        {"$CURRENT_ROLE", who->role},
        {"$CURRENT_ROLE.id", who->role},
        {"$CURRENT_ROLE.parent", who->roles[0]->id},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const json_t *value = principal_variable(who, in->arena, str_of(cases[i].name));
        assert_non_null(value);
        assert_str(json_str(value), arena_z(in->arena, cases[i].text));
    }
    const json_t *tags = principal_variable(who, in->arena, STR("$CURRENT_USER.tags"));
    assert_int_equal(json_array_size(tags), 2);
    assert_true(json_is_null(principal_variable(who, in->arena, STR("$CURRENT_USER.last_name"))));
    const json_t *roles = principal_variable(who, in->arena, STR("$CURRENT_ROLES"));
    assert_int_equal(json_array_size(roles), 2);
    roles = principal_variable(who, in->arena, STR("$CURRENT_ROLES.name"));
    assert_str(json_str(json_array_get(roles, 1)), "r");
    assert_int_equal(json_array_size(principal_variable(who, in->arena, STR("$CURRENT_POLICIES"))),
                     0);
    principal_unref((struct principal *)(uintptr_t)who);
}

static void what_is_no_variable_or_a_secret_has_no_value(void **state)
{
    struct instance *in = *state;
    const struct principal *who = somebody(in);
    static const char *const names[] = {"",
                                        "$",
                                        "CURRENT_USER",
                                        "$CURRENT_USERS",
                                        "$CURRENT_USER.gone",
                                        "$NOW",
                                        "$now",
                                        "$CURRENT_",
                                        "$CURRENT_USER.password",
                                        "$CURRENT_USER.token",
                                        "$CURRENT_ROLE.gone",
                                        "$CURRENT_ROLES.gone",
                                        "$CURRENT_POLICIES.gone",
                                        "$CURRENT_USER.first_name.x",
                                        "$CURRENT_USER."};
    for (size_t i = 0; i < COUNT_OF(names); i++)
        assert_null(principal_variable(who, in->arena, str_of(names[i])));
    principal_unref((struct principal *)(uintptr_t)who);
}

static void the_public_is_null(void **state)
{
    struct instance *in = *state;
    AUTO(catalogue_unref) struct catalogue *c = model_catalogue(in->model);
    AUTO(principal_unref) struct principal *nobody = principal_public(c, STR_NULL);
    assert_true(json_is_null(principal_variable(nobody, in->arena, STR("$CURRENT_USER"))));
    assert_true(
        json_is_null(principal_variable(nobody, in->arena, STR("$CURRENT_USER.first_name"))));
    assert_true(json_is_null(principal_variable(nobody, in->arena, STR("$CURRENT_ROLE"))));
    assert_int_equal(json_array_size(principal_variable(nobody, in->arena, STR("$CURRENT_ROLES"))),
                     0);
}

static void substitution_replaces_whole_strings_only(void **state)
{
    struct instance *in = *state;
    const struct principal *who = somebody(in);
    int64_t now = INT64_C(1704164645678);
    const json_t *value =
        quoted(in, "{'a':'$CURRENT_USER.first_name','b':'$CURRENT_USERS','c':[1,'$NOW'],"
                   "'d':'$NOW(-1 day)','e':'$NOW(gibberish)','f':'by $CURRENT_USER',"
                   "'g':{'_in':['$CURRENT_ROLES','x']},'h':['$CURRENT_ROLES']}");
    const json_t *done = principal_substitute(who, in->arena, value, now);

    assert_str(json_get_str(done, "a"), "Ann");
    assert_str(json_get_str(done, "b"), "$CURRENT_USERS");
    assert_str(json_str(json_array_get(json_get(done, "c"), 1)), "2024-01-02T03:04:05.678Z");
    assert_str(json_get_str(done, "d"), "2024-01-01T03:04:05.678Z");
    assert_str(json_get_str(done, "e"), "2024-01-02T03:04:05.678Z");
    assert_str(json_get_str(done, "f"), "by $CURRENT_USER");
    assert_int_equal(json_array_size(json_get(json_get(done, "g"), "_in")), 3);
    assert_int_equal(json_array_size(json_get(done, "h")), 1);
    assert_true(json_is_array(json_array_get(json_get(done, "h"), 0)));
    assert_str(json_get_str(value, "a"), "$CURRENT_USER.first_name"); /* as it was */
    principal_unref((struct principal *)(uintptr_t)who);
}

static void substitution_copies_nothing_without_variables(void **state)
{
    struct instance *in = *state;
    AUTO(catalogue_unref) struct catalogue *c = model_catalogue(in->model);
    AUTO(principal_unref) struct principal *nobody = principal_public(c, STR_NULL);
    const json_t *value = quoted(in, "{'a':[1,{'b':'c'}]}");
    assert_ptr_equal(principal_substitute(nobody, in->arena, value, 0), value);
    assert_null(principal_substitute(nobody, in->arena, NULL, 0));
}

/* ---- addresses ---- */

static void addresses_ranges_and_blocks_are_recognised(void **state)
{
    (void)state;
    static const char *const valid[] = {"",
                                        " ",
                                        ",",
                                        "127.0.0.1",
                                        " 127.0.0.1 , 10.0.0.0/8 ",
                                        "10.0.0.0/0",
                                        "10.0.0.0/32",
                                        "10.0.0.1-10.0.0.9",
                                        "10.0.0.1 - 10.0.0.1",
                                        "::1",
                                        "::1/0",
                                        "::1/128",
                                        "fe80::/10",
                                        "fe80::1-fe80::9",
                                        "::ffff:10.0.0.1",
                                        "::ffff:10.0.0.0/104"};
    static const char *const invalid[] = {"x",
                                          "10.0.0",
                                          "10.0.0.256",
                                          "10.0.0.0/33",
                                          "10.0.0.0/-1",
                                          "10.0.0.0/",
                                          "10.0.0.0/+8",
                                          "10.0.0.0/8/8",
                                          "10.0.0.9-10.0.0.1",
                                          "10.0.0.1-",
                                          "-10.0.0.1",
                                          "10.0.0.1-::2",
                                          "::1/129",
                                          "127.0.0.1, x",
                                          "10.0.0.1-10.0.0.2-10.0.0.3",
                                          "localhost",
                                          "11111111111111111111111111111111111111111111111111"};
    struct str bad;
    for (size_t i = 0; i < COUNT_OF(valid); i++)
        if (!ip_list_valid(str_of(valid[i]), &bad))
            fail_msg("not valid: %s", valid[i]);
    for (size_t i = 0; i < COUNT_OF(invalid); i++)
        if (ip_list_valid(str_of(invalid[i]), &bad))
            fail_msg("valid: %s", invalid[i]);
    assert_false(ip_list_valid(STR("127.0.0.1, x y"), &bad));
    assert_true(str_equal(bad, STR("x y")));
}

static void an_address_is_in_a_list_up_to_its_edges(void **state)
{
    (void)state;
    static const struct {
        const char *list, *address;
        bool in;
    } cases[] = {
        {"10.0.0.1", "10.0.0.1", true},
        {"10.0.0.1", "10.0.0.2", false},
        {"10.0.0.1", "::ffff:10.0.0.1", true},
        {"10.0.0.0/8", "9.255.255.255", false},
        {"10.0.0.0/8", "10.0.0.0", true},
        {"10.0.0.0/8", "10.255.255.255", true},
        {"10.0.0.0/8", "11.0.0.0", false},
        {"10.0.0.77/31", "10.0.0.76", true},
        {"10.0.0.77/31", "10.0.0.78", false},
        {"10.0.0.0/0", "255.1.2.3", true},
        {"10.0.0.0/0", "::1", false},
        {"10.0.0.3-10.0.0.5", "10.0.0.2", false},
        {"10.0.0.3-10.0.0.5", "10.0.0.3", true},
        {"10.0.0.3-10.0.0.5", "10.0.0.5", true},
        {"10.0.0.3-10.0.0.5", "10.0.0.6", false},
        {"x,,10.0.0.1", "10.0.0.1", true},
        {"fe80::/10", "fe80::1", true},
        {"fe80::/10", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", true},
        {"fe80::/10", "fec0::", false},
        {"::/0", "10.0.0.1", true},
        {"::1", "0:0:0:0:0:0:0:1", true},
        {"", "10.0.0.1", false},
        {"10.0.0.1", "", false},
        {"10.0.0.1", "nonsense", false},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        if (ip_list_has(str_of(cases[i].list), str_of(cases[i].address)) != cases[i].in)
            fail_msg("%s in %s", cases[i].address, cases[i].list);
    assert_false(ip_list_has(STR("10.0.0.1"), STR_NULL));
    assert_false(ip_list_has(STR_NULL, STR("10.0.0.1")));
}

#define WITH_INSTANCE(f) cmocka_unit_test_setup_teardown(f, setup, instance_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_INSTANCE(the_public_policies_are_for_who_has_no_role),
        WITH_INSTANCE(policies_come_from_the_root_down_and_the_users_own_last),
        WITH_INSTANCE(a_policy_with_addresses_counts_only_from_there),
        WITH_INSTANCE(an_admins_policy_of_the_public_makes_nobody_an_admin),
        WITH_INSTANCE(an_admin_may_everything_but_see_sessions),
        WITH_INSTANCE(rules_add_up_and_fields_of_some_rows_are_masked),
        WITH_INSTANCE(a_rule_for_all_rows_lifts_masks_from_its_fields_only),
        WITH_INSTANCE(rules_with_equal_filters_need_no_masks),
        WITH_INSTANCE(equal_filters_are_one_wherever_they_stand),
        WITH_INSTANCE(fields_are_those_that_are_named_and_there),
        WITH_INSTANCE(a_rule_that_makes_no_sense_grants_nothing),
        WITH_INSTANCE(a_rule_that_leaves_no_room_for_a_filter_grants_nothing),
        WITH_INSTANCE(the_filter_of_a_create_rule_does_not_count),
        WITH_INSTANCE(app_access_adds_the_built_in_rows),
        WITH_INSTANCE(who_sees_alike_has_one_class_and_shares_grants),
        WITH_INSTANCE(a_rule_that_names_the_user_makes_a_class_for_each),
        WITH_INSTANCE(the_order_of_policies_makes_no_difference_to_the_class),
        WITH_INSTANCE(all_fields_by_name_or_by_star_and_an_admin_are_one_class),
        WITH_INSTANCE(a_table_of_another_catalogue_is_not_granted),
        cmocka_unit_test(past_the_bound_of_the_cache_grants_are_the_principals_own),
        WITH_INSTANCE(variables_have_the_values_of_who_acts),
        WITH_INSTANCE(what_is_no_variable_or_a_secret_has_no_value),
        WITH_INSTANCE(the_public_is_null),
        WITH_INSTANCE(substitution_replaces_whole_strings_only),
        WITH_INSTANCE(substitution_copies_nothing_without_variables),
        cmocka_unit_test(addresses_ranges_and_blocks_are_recognised),
        cmocka_unit_test(an_address_is_in_a_list_up_to_its_edges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
