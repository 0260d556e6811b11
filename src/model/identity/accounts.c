#include "model/identity/identity.h"

#include <assert.h>

#include "base/mem.h"
#include "model/items/items.h"
#include "model/items/records.h"
#include "model/problem.h"
#include "model/workspace/workspace.h"

/*
 * Accounts that the instance itself makes: at its first start, and for the command line. They go
 * the way of all items, so that presets, hashing, rules and the journal are those of any write;
 * the principal is the system's.
 */

#define ADMINISTRATOR "Administrator"

/* ---- objects ---- */

static json_t *object_new(struct arena *a)
{
    json_t *object = json_object();

    if (!object)
        mem_exhausted();
    arena_on_free(a, json_release, object);
    return object;
}

static void set_new(json_t *object, const char *key, json_t *take)
{
    if (!take || json_object_set_new(object, key, take) != 0)
        mem_exhausted();
}

/* 0, or REFUSED for text that is no UTF-8. */
static int set_text(struct tx *tx, json_t *object, const char *key, struct str text)
{
    json_t *json = text.at ? json_stringn(text.at, text.len) : NULL;

    if (!text.at)
        return 0;
    if (!json)
        return refuse(tx, PROBLEM_INVALID_PAYLOAD, "\"%s\" is not valid UTF-8 text", key);
    set_new(object, key, json);
    return 0;
}

static int create(struct tx *tx, enum system_table which, const json_t *item,
                  struct item_key *key_out)
{
    assert(tx->principal->admin);
    return items_create(tx, system_table(which), item, key_out);
}

static int update_user(struct tx *tx, struct str email, const char *column, struct str value)
{
    json_t *change = object_new(tx->arena);
    const struct value *user;

    assert(tx->principal->admin);
    int rc = record_find_email(tx, email, STR_NULL, &user);
    if (rc != 0)
        return rc;
    if (!user)
        return refuse(tx, PROBLEM_INVALID_PAYLOAD, "There is no user \"%.*s\"", STR_ARG(email));
    const struct item_key key = {.value = value_text(system_text(SYSTEM_USERS, user, "id"))};
    if (!value.at)
        set_new(change, column, json_null());
    rc = set_text(tx, change, column, value);
    return rc == 0 ? items_update(tx, system_table(SYSTEM_USERS), &key, 1, change) : rc;
}

static int find_role(struct tx *tx, struct str name, struct str *id_out)
{
    const struct value *role;
    int rc = record_find(tx, SYSTEM_ROLES, "name", name, &role);

    if (rc != 0)
        return rc;
    if (!role)
        return refuse(tx, PROBLEM_INVALID_PAYLOAD, "There is no role \"%.*s\"", STR_ARG(name));
    *id_out = system_text(SYSTEM_ROLES, role, "id");
    return 0;
}

/* ---- first start ---- */

static int attach(struct tx *tx, struct str policy, struct str role)
{
    json_t *access = object_new(tx->arena);
    struct item_key key;

    set_new(access, "sort", json_integer(1));
    int rc = set_text(tx, access, "policy", policy);
    if (rc == 0)
        rc = set_text(tx, access, "role", role);
    return rc == 0 ? create(tx, SYSTEM_ACCESS, access, &key) : rc;
}

static int create_public_policy(struct tx *tx)
{
    json_t *policy = object_new(tx->arena);
    struct item_key key;

    set_text(tx, policy, "id", PUBLIC_POLICY);
    set_new(policy, "name", json_string("$t:public_label"));
    set_new(policy, "icon", json_string("public"));
    set_new(policy, "description", json_string("$t:public_description"));
    int rc = create(tx, SYSTEM_POLICIES, policy, &key);
    return rc == 0 ? attach(tx, PUBLIC_POLICY, STR_NULL) : rc;
}

static int create_administrator(struct tx *tx)
{
    json_t *policy = object_new(tx->arena), *role = object_new(tx->arena);
    struct item_key policy_key, role_key;

    set_new(policy, "name", json_string(ADMINISTRATOR));
    set_new(policy, "icon", json_string("verified"));
    set_new(policy, "admin_access", json_true());
    set_new(policy, "app_access", json_true());
    set_new(role, "name", json_string(ADMINISTRATOR));
    set_new(role, "icon", json_string("verified"));
    int rc = create(tx, SYSTEM_POLICIES, policy, &policy_key);
    if (rc == 0)
        rc = create(tx, SYSTEM_ROLES, role, &role_key);
    return rc == 0 ? attach(tx, policy_key.value.text, role_key.value.text) : rc;
}

int identity_bootstrap(struct tx *tx)
{
    int rc = create_public_policy(tx);
    return rc == 0 ? create_administrator(tx) : rc;
}

int identity_create_admin(struct tx *tx, struct str email, struct str password, struct str token)
{
    const struct new_user user = {
        .email = email, .password = password, .token = token, .role = STR(ADMINISTRATOR)};
    struct str id;

    int rc = identity_user_create(tx, &user, &id);
    return rc == 0 ? workspace_admit_admins(tx) : rc;
}

int identity_has_admin(struct tx *tx, bool *has_out)
{
    return record_admin_remains(tx, STR_NULL, has_out);
}

/* ---- the command line ---- */

int identity_user_create(struct tx *tx, const struct new_user *user, struct str *id_out)
{
    json_t *item = object_new(tx->arena);
    struct str role = STR_NULL;
    struct item_key key;

    if (user->email.len == 0)
        return refuse(tx, PROBLEM_INVALID_PAYLOAD, "\"email\" is required");
    int rc = user->role.at ? find_role(tx, user->role, &role) : 0;
    if (rc == 0)
        rc = set_text(tx, item, "email", user->email);
    if (rc == 0)
        rc = set_text(tx, item, "password", user->password);
    if (rc == 0)
        rc = set_text(tx, item, "token", user->token);
    if (rc == 0)
        rc = set_text(tx, item, "role", role);
    if (rc == 0)
        rc = create(tx, SYSTEM_USERS, item, &key);
    if (rc == 0)
        *id_out = key.value.text;
    return rc;
}

int identity_user_set_password(struct tx *tx, struct str email, struct str password)
{
    return update_user(tx, email, "password", password);
}

int identity_user_set_token(struct tx *tx, struct str email, struct str token)
{
    return update_user(tx, email, "token", token);
}

int identity_user_list(struct tx *tx, int (*line)(void *context, const struct user_line *user),
                       void *context)
{
    struct system_rows rows;
    int rc = system_rows(tx->store, tx->arena, SYSTEM_USERS, NULL, "email", &rows);

    for (size_t i = 0; rc == 0 && i < rows.count; i++) {
        const struct role *role =
            catalogue_role(tx->catalogue, system_text(SYSTEM_USERS, rows.at[i], "role"));
        const struct user_line user = {
            .id = system_text(SYSTEM_USERS, rows.at[i], "id"),
            .email = system_text(SYSTEM_USERS, rows.at[i], "email"),
            .status = system_text(SYSTEM_USERS, rows.at[i], "status"),
            .role = role ? role->name : STR_NULL,
            .token = system_text(SYSTEM_USERS, rows.at[i], "token").at != NULL,
        };
        rc = line(context, &user);
    }
    return rc;
}
