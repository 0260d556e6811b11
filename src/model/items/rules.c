#include "model/items/rules.h"

#include <assert.h>

#include "base/mem.h"
#include "model/access/access.h"
#include "model/access/ip_list.h"
#include "model/access/members.h"
#include "model/access/variables.h"
#include "model/items/email.h"
#include "model/items/records.h"

/*
 * One table of rules, a row for each system table that has some: what is checked before a change,
 * and what a change brings about in other rows. What must hold of the whole is rules_finish's.
 */

struct proposal {
    enum change_kind kind;
    const struct value *before, *after; /* NULL: there is none */
    const struct column_set *submitted;
    const json_t *payload;
};

static bool is_submitted(const struct proposal *p, enum system_table which, const char *column)
{
    return p->submitted && column_set_has(p->submitted, system_column(which, column));
}

/* Submitted, and not what it was before. */
static bool is_new(const struct proposal *p, enum system_table which, const char *column)
{
    unsigned i = system_column(which, column);

    return is_submitted(p, which, column) &&
           !(p->before ? value_equal(&p->before[i], &p->after[i]) : value_is_null(&p->after[i]));
}

static bool is_changed(const struct change *c, enum system_table which, const char *column)
{
    return column_set_has(&c->changed, system_column(which, column));
}

/* ---- users ---- */

static const char *const statuses[] = {"draft",  "invited",   "unverified",
                                       "active", "suspended", "archived"};

static bool is_status(struct str s)
{
    for (size_t i = 0; i < COUNT_OF(statuses); i++)
        if (str_equal(s, str_of(statuses[i])))
            return true;
    return false;
}

static json_t *status_list(struct arena *a)
{
    json_t *list = json_array();

    if (!list)
        mem_exhausted();
    arena_on_free(a, json_release, list);
    for (size_t i = 0; i < COUNT_OF(statuses); i++)
        if (json_array_append_new(list, json_string(statuses[i])) != 0)
            mem_exhausted();
    return list;
}

static int check_email_unique(struct tx *tx, const struct proposal *p)
{
    const struct table *users = system_table(SYSTEM_USERS);
    struct str email = system_text(SYSTEM_USERS, p->after, "email");
    struct str self = system_text(SYSTEM_USERS, p->before ? p->before : p->after, "id");
    const struct value *other;

    int rc = record_find_email(tx, email, self, &other);
    if (rc != 0 || !other)
        return rc;
    refuse(tx, PROBLEM_NOT_UNIQUE, NULL);
    tx->problem->collection = users->name;
    tx->problem->field = STR("email");
    tx->problem->value = arena_printf(tx->arena, "[%.*s]", STR_ARG(email));
    return REFUSED;
}

static int refuse_manual(struct tx *tx, const char *column)
{
    return refuse(tx, PROBLEM_INVALID_PAYLOAD, "You can't change the \"%s\" value manually",
                  column);
}

static int check_user(struct tx *tx, const struct proposal *p)
{
    static const char *const admin_only[] = {"provider", "external_identifier"};
    struct str email, status;
    bool broken = false;

    if (p->kind == CHANGE_DELETE)
        return 0;
    if (is_new(p, SYSTEM_USERS, "tfa_secret"))
        return refuse_manual(tx, "tfa_secret");
    for (size_t i = 0; i < COUNT_OF(admin_only) && !tx->principal->admin; i++)
        if (is_new(p, SYSTEM_USERS, admin_only[i]))
            return refuse_manual(tx, admin_only[i]);

    email = system_text(SYSTEM_USERS, p->after, "email");
    status = system_text(SYSTEM_USERS, p->after, "status");
    if (is_new(p, SYSTEM_USERS, "email") && email.at && !email_is_valid(email)) {
        refuse_violation(tx, STR("email"), "email");
        broken = true;
    }
    if (is_new(p, SYSTEM_USERS, "status") && !is_status(status)) {
        refuse_violation(tx, STR("status"), "in")->valid = status_list(tx->arena);
        broken = true;
    }
    if (broken)
        return REFUSED;
    return is_new(p, SYSTEM_USERS, "email") && email.at ? check_email_unique(tx, p) : 0;
}

static int end_sessions(struct tx *tx, struct str user)
{
    struct system_rows sessions;
    int rc = system_rows(tx->store, tx->arena, SYSTEM_SESSIONS,
                         system_test(tx->arena, SYSTEM_SESSIONS, "user", OP_EQ, value_text(user)),
                         NULL, &sessions);

    return rc == 0 ? record_delete(tx, SYSTEM_SESSIONS, &sessions) : rc;
}

static bool is_deleted_here(const struct commit *commit, struct str role)
{
    for (size_t i = 0; i < commit->count; i++) {
        const struct change *c = commit->changes[i];
        if (c->kind == CHANGE_DELETE && system_is(c->table, SYSTEM_ROLES) &&
            str_equal(c->key.value.text, role))
            return true;
    }
    return false;
}

/* A user whose role was deleted is left without it, and must not fall back to the public's rights
 * by that: it is suspended (D.7). */
static bool lost_role(struct tx *tx, const struct change *c)
{
    struct str before = system_text(SYSTEM_USERS, c->before, "role");

    return is_changed(c, SYSTEM_USERS, "role") && before.at &&
           !system_text(SYSTEM_USERS, c->after, "role").at && is_deleted_here(tx->commit, before);
}

static int suspend(struct tx *tx, struct str id)
{
    const struct value *row;
    int rc = record_find(tx, SYSTEM_USERS, "id", id, &row);

    if (rc != 0 || !row || str_equal(system_text(SYSTEM_USERS, row, "status"), STR("suspended")))
        return rc;
    struct assignment status = record_set(SYSTEM_USERS, "status", value_text(STR("suspended")));
    return record_update(tx, SYSTEM_USERS, row, &status, 1);
}

/* Tokens that carry no session know a new password by its moment. */
static int note_password(struct tx *tx, struct str user)
{
    const struct assignment changed =
        record_set(SYSTEM_ACCOUNTS, "password_changed", value_integer(tx->now_ms));
    const struct value *account;

    int rc = record_find(tx, SYSTEM_ACCOUNTS, "user", user, &account);
    return rc == 0 && account ? record_update(tx, SYSTEM_ACCOUNTS, account, &changed, 1) : rc;
}

static int user_effects(struct tx *tx, const struct change *c)
{
    if (c->kind != CHANGE_UPDATE)
        return 0; /* a deleted user's sessions go with it, by their reference */
    struct str id = c->key.value.text;
    bool active = system_user_is_active(c->after);
    bool ends = is_changed(c, SYSTEM_USERS, "password") || is_changed(c, SYSTEM_USERS, "email") ||
                (is_changed(c, SYSTEM_USERS, "status") && !active);

    int rc = ends ? end_sessions(tx, id) : 0;
    if (rc == 0 && is_changed(c, SYSTEM_USERS, "password"))
        rc = note_password(tx, id);
    if (rc == 0 && lost_role(tx, c))
        rc = suspend(tx, id);
    return rc;
}

/* ---- roles and policies ---- */

static int check_role(struct tx *tx, const struct proposal *p)
{
    if (p->kind == CHANGE_DELETE || !is_new(p, SYSTEM_ROLES, "parent"))
        return 0;
    struct str self = system_text(SYSTEM_ROLES, p->before ? p->before : p->after, "id");
    struct str above = system_text(SYSTEM_ROLES, p->after, "parent");
    while (above.at) { /* what is stored has no ring, so this ends */
        const struct value *row;
        if (str_equal(above, self))
            return refuse(tx, PROBLEM_INVALID_PAYLOAD, "A role can't be its own ancestor");
        int rc = record_find(tx, SYSTEM_ROLES, "id", above, &row);
        if (rc != 0)
            return rc;
        above = row ? system_text(SYSTEM_ROLES, row, "parent") : STR_NULL;
    }
    return 0;
}

static int check_policy(struct tx *tx, const struct proposal *p)
{
    struct str bad;

    if (p->kind == CHANGE_DELETE) {
        if (str_equal(system_text(SYSTEM_POLICIES, p->before, "id"), PUBLIC_POLICY))
            return refuse(tx, PROBLEM_UNPROCESSABLE, "The public policy can't be deleted");
        return 0;
    }
    struct str list = system_text(SYSTEM_POLICIES, p->after, "ip_access");
    if (list.at && is_submitted(p, SYSTEM_POLICIES, "ip_access") && !ip_list_valid(list, &bad))
        return refuse(tx, PROBLEM_INVALID_PAYLOAD, "\"%.*s\" is no IP address, range or CIDR block",
                      STR_ARG(bad));
    return 0;
}

/* ---- permissions ---- */

/* A filter that has the shape of one: whether its fields are there is seen when it is compiled. */
static int check_filter(struct tx *tx, const json_t *filter, unsigned depth)
{
    if (depth > tx->settings->filter_depth_max)
        return refuse(tx, PROBLEM_INVALID_PAYLOAD, "The filter is nested deeper than %u",
                      tx->settings->filter_depth_max);
    for (void *at = members_first(filter); at; at = members_next(filter, at)) {
        struct str key = member_key(at);
        const json_t *value = member_value(at);
        bool is_list = str_equal(key, STR("_and")) || str_equal(key, STR("_or"));
        if (is_list && !json_is_array(value))
            return refuse(tx, PROBLEM_INVALID_PAYLOAD, "\"%.*s\" has to be a list of filters",
                          STR_ARG(key));
        for (size_t i = 0; is_list && i < json_array_size(value); i++) {
            const json_t *item = json_array_get(value, i);
            if (!json_is_object(item))
                return refuse(tx, PROBLEM_INVALID_PAYLOAD, "\"%.*s\" has to be a list of filters",
                              STR_ARG(key));
            int rc = check_filter(tx, item, depth + 1);
            if (rc != 0)
                return rc;
        }
        int rc = is_list ? 0 : check_filter(tx, value, depth + 1);
        if (rc != 0)
            return rc;
    }
    return 0;
}

static int check_json_cell(struct tx *tx, const struct proposal *p, const char *column)
{
    struct str text = system_text(SYSTEM_PERMISSIONS, p->after, column);
    json_t *json = NULL;

    if (!text.at || !is_submitted(p, SYSTEM_PERMISSIONS, column))
        return 0;
    if (json_read_in(tx->arena, text, &json, NULL) != 0 ||
        !(json_is_object(json) || json_is_null(json)))
        return refuse(tx, PROBLEM_INVALID_PAYLOAD, "\"%s\" has to be an object", column);
    return strcmp(column, "presets") == 0 ? 0 : check_filter(tx, json, 1);
}

static int check_permission(struct tx *tx, const struct proposal *p)
{
    static const char *const json_columns[] = {"permissions", "validation", "presets"};
    enum action action;
    int rc = 0;

    if (p->kind == CHANGE_DELETE)
        return 0;
    struct str name = system_text(SYSTEM_PERMISSIONS, p->after, "action");
    if (is_submitted(p, SYSTEM_PERMISSIONS, "action") && !action_find(name, &action))
        return refuse(tx, PROBLEM_INVALID_PAYLOAD,
                      "\"action\" has to be one of create, read, update, delete, share");
    for (size_t i = 0; i < COUNT_OF(json_columns) && rc == 0; i++)
        rc = check_json_cell(tx, p, json_columns[i]);
    const json_t *fields = json_get(p->payload, "fields");
    for (size_t i = 0; i < json_array_size(fields) && rc == 0; i++)
        if (!json_is_string(json_array_get(fields, i)))
            rc = refuse(tx, PROBLEM_INVALID_PAYLOAD, "\"fields\" has to be a list of field names");
    return rc;
}

/* ---- the table ---- */

static const struct {
    enum system_table table;
    int (*check)(struct tx *tx, const struct proposal *p);
    int (*effects)(struct tx *tx, const struct change *c); /* NULL: none */
} rules[] = {
    {SYSTEM_USERS, check_user, user_effects},
    {SYSTEM_ROLES, check_role, NULL},
    {SYSTEM_POLICIES, check_policy, NULL},
    {SYSTEM_PERMISSIONS, check_permission, NULL},
};

int rules_check(struct tx *tx, enum change_kind kind, const struct table *table,
                const struct value *before, const struct value *after,
                const struct column_set *submitted, const json_t *payload)
{
    const struct proposal p = {kind, before, after, submitted, payload};

    for (size_t i = 0; i < COUNT_OF(rules); i++)
        if (system_is(table, rules[i].table))
            return rules[i].check(tx, &p);
    return 0;
}

int rules_effects(struct tx *tx, const struct change *change)
{
    for (size_t i = 0; i < COUNT_OF(rules); i++)
        if (rules[i].effects && system_is(change->table, rules[i].table))
            return rules[i].effects(tx, change);
    return 0;
}

/* ---- the whole ---- */

/* Columns whose change, like the deletion of the row, may cost somebody an admin's rights. */
static const struct {
    enum system_table table;
    const char *column;
} admin_columns[] = {
    {SYSTEM_USERS, "status"},          {SYSTEM_USERS, "role"},  {SYSTEM_ROLES, "parent"},
    {SYSTEM_POLICIES, "admin_access"}, {SYSTEM_ACCESS, "role"}, {SYSTEM_ACCESS, "user"},
    {SYSTEM_ACCESS, "policy"},
};

static bool may_end_admin(const struct change *c)
{
    for (size_t i = 0; c->table->system && i < COUNT_OF(admin_columns); i++)
        if (system_is(c->table, admin_columns[i].table) &&
            (c->kind == CHANGE_DELETE ||
             (c->kind == CHANGE_UPDATE &&
              is_changed(c, admin_columns[i].table, admin_columns[i].column))))
            return true;
    return false;
}

/* The instance itself (the command line) may do what it likes: it can make an admin again. */
static bool is_system(const struct principal *p)
{
    return p->admin && !p->user.at;
}

int rules_finish(struct tx *tx)
{
    bool ends = false, remains;

    for (size_t i = 0; i < tx->commit->count && !ends; i++)
        ends = may_end_admin(tx->commit->changes[i]);
    if (!ends || is_system(tx->principal))
        return 0;
    int rc = record_admin_remains(tx, STR_NULL, &remains);
    if (rc != 0 || remains)
        return rc;
    return refuse(tx, PROBLEM_UNPROCESSABLE, "At least one active admin has to remain");
}

/* ---- what a commit touches ---- */

bool rules_touch_catalogue(const struct commit *commit)
{
    static const enum system_table tables[] = {
        SYSTEM_COLLECTIONS, SYSTEM_FIELDS, SYSTEM_RELATIONS,  SYSTEM_ROLES,
        SYSTEM_POLICIES,    SYSTEM_ACCESS, SYSTEM_PERMISSIONS};

    for (size_t i = 0; i < commit->count; i++)
        for (size_t t = 0; commit->changes[i]->table->system && t < COUNT_OF(tables); t++)
            if (system_is(commit->changes[i]->table, tables[t]))
                return true;
    return false;
}

/*
 * What a principal or a remembered credential depends on. A client may ask for any column of its
 * own row in a filter; only where and when it was last seen, which changes all day, counts for
 * nothing unless a rule asks for it.
 */
static struct column_set identity_columns(const struct catalogue *c)
{
    static const char *const idle[] = {"last_access", "last_page"};
    struct variable_use use = {0};

    for (size_t i = 0; i < c->table_count; i++)
        for (size_t k = 0; k < c->tables[i]->shape.count; k++)
            variables_used(c->tables[i]->fields[k].validation, &use);
    for (size_t i = 0; i < c->policy_count; i++)
        for (size_t j = 0; j < c->policies[i]->permission_count; j++) {
            const struct permission *p = &c->policies[i]->permissions[j];
            variables_used(p->permissions, &use);
            variables_used(p->validation, &use);
            variables_used(p->presets, &use);
        }
    struct column_set columns = use.user_columns;
    for (unsigned i = 0; i < system_table(SYSTEM_USERS)->shape.count; i++)
        if (i != system_column(SYSTEM_USERS, idle[0]) && i != system_column(SYSTEM_USERS, idle[1]))
            column_set_add(&columns, i);
    return columns;
}

bool rules_touch_identity(const struct commit *commit)
{
    for (size_t i = 0; i < commit->count; i++) {
        const struct change *c = commit->changes[i];
        if (c->kind == CHANGE_CREATE || !system_is(c->table, SYSTEM_USERS))
            continue;
        struct column_set columns = identity_columns(commit->catalogue);
        if (c->kind == CHANGE_DELETE || column_set_meets(&c->changed, &columns))
            return true;
    }
    return false;
}
