/*
 * What is the caller's own: /users/me, /roles/me, /policies/me (D.6, D.7).
 */
#include "dialect/directus/rest.h"

#include "model/items/payload.h"
#include "model/system.h"

static struct item_key key_of(struct str id)
{
    return (struct item_key){.value = value_text(id)};
}

/* ---- /users/me ---- */

/* Who may not read users is told the id alone. */
static int write_user(struct tx *tx, const struct rest *rest, struct buf *b)
{
    const struct item_key key = key_of(tx->principal->user);
    size_t start = b->len;
    int rc = items_write_back(tx, rest, system_table(SYSTEM_USERS), &key, 1, ITEMS_ONE, b);
    if (rc != REFUSED || tx->problem->kind != PROBLEM_FORBIDDEN)
        return rc;
    b->len = start;
    buf_put_lit(b, "{\"id\":");
    json_put_str(b, tx->principal->user);
    buf_put_char(b, '}');
    return 0;
}

static int run_user(struct request *r, struct tx *tx)
{
    struct buf b;
    if (!tx->principal->user.at)
        return refuse(tx, PROBLEM_INVALID_CREDENTIALS, NULL);
    rest_begin(&b);
    int rc = write_user(tx, rest_of(r), &b);
    if (rc == 0)
        return rest_end(r, tx, &b);
    buf_deinit(&b);
    return rc;
}

static int prepare_user(struct request *r, struct tx *tx)
{
    const json_t *body = rest_of(r)->body;
    return json_is_object(body) ? payload_prepare(tx, system_table(SYSTEM_USERS), body) : 0;
}

static int run_update_user(struct request *r, struct tx *tx)
{
    const struct rest *rest = rest_of(r);
    const struct table *table = system_table(SYSTEM_USERS);
    if (!tx->principal->user.at)
        return refuse(tx, PROBLEM_INVALID_CREDENTIALS, NULL);
    if (!json_is_object(rest->body))
        return refuse(tx, PROBLEM_INVALID_PAYLOAD, "The body must be an object");
    const struct item_key key = key_of(tx->principal->user);
    int rc = items_update(tx, table, &key, 1, rest->body);
    return rc != 0 ? rc : items_answer_back(r, tx, table, &key, 1, ITEMS_ONE);
}

/* Where the caller was last in an app. Everybody may say so of itself: it is written with the
 * instance's own rights, and holds nothing but that. */
static int run_track_page(struct request *r, struct tx *tx)
{
    const struct principal *caller = tx->principal;
    json_t *page = json_get(rest_of(r)->body, "last_page");
    if (!caller->user.at)
        return refuse(tx, PROBLEM_FORBIDDEN, NULL);
    if (json_str(page).len == 0)
        return refuse(tx, PROBLEM_INVALID_PAYLOAD, "\"last_page\" is required");
    json_t *payload = json_object();
    arena_on_free(tx->arena, json_release, payload);
    json_object_set(payload, "last_page", page);

    AUTO(principal_unref) struct principal *instance = principal_system(tx->catalogue);
    const struct item_key key = key_of(caller->user);
    tx->principal = instance;
    int rc = items_update(tx, system_table(SYSTEM_USERS), &key, 1, payload);
    tx->principal = caller;
    if (rc == 0)
        rest_empty(r, 204);
    return rc;
}

/* ---- /roles/me, /policies/me ---- */

static int write_roles(struct tx *tx, const struct rest *rest, struct buf *b)
{
    const struct principal *p = tx->principal;
    for (size_t i = 0; i < p->role_count; i++) {
        const struct item_key key = key_of(p->roles[i]->id);
        if (i > 0)
            buf_put_char(b, ',');
        int rc = items_write_back(tx, rest, system_table(SYSTEM_ROLES), &key, 1, ITEMS_ONE, b);
        if (rc != 0)
            return rc;
    }
    return 0;
}

static void write_role_ids(const struct principal *p, struct buf *b)
{
    for (size_t i = 0; i < p->role_count; i++) {
        buf_put_str(b, i > 0 ? STR(",{\"id\":") : STR("{\"id\":"));
        json_put_str(b, p->roles[i]->id);
        buf_put_char(b, '}');
    }
}

/* The chain of roles, root first; who may not read them is told their ids. */
static int run_roles(struct request *r, struct tx *tx)
{
    struct buf b;
    if (!tx->principal->user.at)
        return refuse(tx, PROBLEM_FORBIDDEN, NULL);
    rest_begin(&b);
    buf_put_char(&b, '[');
    size_t start = b.len;
    int rc = write_roles(tx, rest_of(r), &b);
    if (rc == REFUSED && tx->problem->kind == PROBLEM_FORBIDDEN) {
        b.len = start;
        write_role_ids(tx->principal, &b);
        rc = 0;
    }
    buf_put_char(&b, ']');
    if (rc == 0)
        return rest_end(r, tx, &b);
    buf_deinit(&b);
    return rc;
}

static const char *boolean(bool b)
{
    return b ? "true" : "false";
}

static int run_globals(struct request *r, struct tx *tx)
{
    const struct principal *p = tx->principal;
    bool enforce_tfa = false;
    struct buf b;
    if (!p->user.at)
        return refuse(tx, PROBLEM_FORBIDDEN, NULL);
    for (size_t i = 0; i < p->policy_count; i++)
        enforce_tfa |= p->policies[i]->enforce_tfa;
    rest_begin(&b);
    buf_printf(&b, "{\"app_access\":%s,\"admin_access\":%s,\"enforce_tfa\":%s}", boolean(p->app),
               boolean(p->admin), boolean(enforce_tfa));
    return rest_end(r, tx, &b);
}

const struct route me_routes[] = {
    {"GET", "/users/me", ON_READER(run_user), 0},
    {"PATCH", "/users/me", ON_WRITER(run_update_user, prepare_user), 0},
    {"PATCH", "/users/me/track/page", ON_WRITER(run_track_page, NULL), 0},
    {"GET", "/roles/me", ON_READER(run_roles), 0},
    {"GET", "/policies/me/globals", ON_READER(run_globals), 0},
    {NULL, NULL, {0}, 0},
};
