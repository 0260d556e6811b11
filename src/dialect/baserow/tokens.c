/* Database tokens (9.14): their owners manage them here; programs come by them (http.c). */
#include "dialect/baserow/rest.h"

#include "model/grid/tokens.h"

static const struct rule create_rules[] = {
    {.name = "name", .kind = RULE_TEXT, .flags = RULE_REQUIRED, .min = 1, .max = 100},
    {.name = "workspace", .kind = RULE_INTEGER, .flags = RULE_REQUIRED},
    {.name = NULL},
};
static const struct rule change_rules[] = {
    {.name = "name", .kind = RULE_TEXT, .min = 1, .max = 100},
    {.name = "permissions", .kind = RULE_JSON},
    {.name = "rotate_key", .kind = RULE_BOOLEAN},
    {.name = NULL},
};

/* As 9.14 shows it. */
static void put_token(struct buf *b, const struct database_token *token)
{
    buf_printf(b, "{\"id\":%lld,\"name\":", (long long)token->id);
    json_put_str(b, token->name);
    buf_printf(b, ",\"workspace\":%lld,", (long long)token->workspace);
    if (baserow_settings()->legacy_group_keys)
        buf_printf(b, "\"group\":%lld,", (long long)token->workspace);
    buf_put_lit(b, "\"key\":");
    json_put_str(b, token->key);
    buf_put_lit(b, ",\"permissions\":");
    json_put_value(b, token->permissions);
    buf_put_char(b, '}');
}

static int answer(struct request *r, struct tx *tx, const struct database_token *token)
{
    struct buf b;

    reply_begin(&b);
    put_token(&b, token);
    return reply_json(r, tx, &b);
}

static int tokens_list(struct request *r, struct tx *tx)
{
    struct database_token *list;
    size_t count;
    struct buf b;

    int rc = token_list(tx, &list, &count);
    if (rc != 0)
        return rc;
    reply_begin(&b);
    buf_put_char(&b, '[');
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_put_char(&b, ',');
        put_token(&b, &list[i]);
    }
    buf_put_char(&b, ']');
    return reply_json(r, tx, &b);
}

static int tokens_create(struct request *r, struct tx *tx)
{
    const json_t *data = rest_of(r)->data;
    struct database_token token;

    int rc = token_create(tx, data_integer(data, "workspace", 0), data_text(data, "name"), &token);
    return rc == 0 ? answer(r, tx, &token) : rc;
}

static int tokens_read(struct request *r, struct tx *tx)
{
    struct database_token token;

    int rc = token_find(tx, rest_of(r)->ids[0], &token);
    return rc == 0 ? answer(r, tx, &token) : rc;
}

/* ---- permissions: `true`, `false`, or a list of places ---- */

static bool is_place(const json_t *place)
{
    struct str type = json_str(json_array_get(place, 0));

    return json_array_size(place) == 2 && json_is_integer(json_array_get(place, 1)) &&
           (str_equal(type, STR("database")) || str_equal(type, STR("table")));
}

static bool is_permission(const json_t *permission)
{
    if (json_is_boolean(permission))
        return true;
    if (!json_is_array(permission))
        return false;
    for (size_t i = 0; i < json_array_size(permission); i++)
        if (!is_place(json_array_get(permission, i)))
            return false;
    return true;
}

/* All four have to be said; others are no permissions. */
static int check_permissions(struct tx *tx, const json_t *permissions)
{
    bool whole = json_is_object(permissions) && json_object_size(permissions) == 4;

    for (unsigned action = ACTION_CREATE; action <= ACTION_DELETE && whole; action++)
        whole = is_permission(json_get(permissions, action_name(action)));
    return whole ? 0
                 : refuse_field(tx, "permissions", "invalid",
                                "All of create, read, update and delete must be true, false or a "
                                "list of databases and tables.");
}

static int tokens_change(struct request *r, struct tx *tx)
{
    const struct rest *rest = rest_of(r);
    const json_t *permissions = json_get(rest->data, "permissions");
    struct database_token token;

    int rc = permissions ? check_permissions(tx, permissions) : 0;
    if (rc == 0)
        rc = token_change(tx, rest->ids[0], data_text(rest->data, "name"), permissions,
                          data_boolean(rest->data, "rotate_key", false), &token);
    return rc == 0 ? answer(r, tx, &token) : rc;
}

static int tokens_delete(struct request *r, struct tx *tx)
{
    int rc = token_delete(tx, rest_of(r)->ids[0]);

    return rc == 0 ? reply_empty(r) : rc;
}

/* ---- for who comes by one ---- */

static int tokens_check(struct request *r, struct tx *tx)
{
    struct buf b;

    if (!rest_of(r)->token)
        return refuse_code(tx, NOT_AUTHENTICATED, NULL);
    reply_begin(&b);
    buf_put_lit(&b, "{\"token\":\"OK\"}");
    return reply_json(r, tx, &b);
}

static void put_table(struct buf *b, const struct grid_table *t, bool *started)
{
    if (*started)
        buf_put_char(b, ',');
    *started = true;
    buf_printf(b, "{\"id\":%lld,\"name\":", (long long)t->id);
    json_put_str(b, t->name);
    buf_printf(b, ",\"order\":%lld,\"database_id\":%lld}", (long long)t->order,
               (long long)t->application->id);
}

/* The tables that the token may touch in any way (9.5). */
static int tokens_tables(struct request *r, struct tx *tx)
{
    const struct database_token *token = rest_of(r)->token;
    const struct workspace *w;
    bool started = false;
    struct buf b;

    if (!token)
        return refuse_code(tx, NOT_AUTHENTICATED, NULL);
    int rc = workspace_find(tx, token->workspace, MEMBER_MEMBER, &w);
    if (rc != 0)
        return rc;
    reply_begin(&b);
    buf_put_char(&b, '[');
    for (size_t i = 0; i < w->application_count; i++) {
        size_t count;
        const struct grid_table *const *tables =
            grid_tables(tx->catalogue, w->applications[i]->id, &count);
        for (size_t k = 0; k < count; k++)
            if (token_allows_any(token, tables[k]))
                put_table(&b, tables[k], &started);
    }
    buf_put_char(&b, ']');
    return reply_json(r, tx, &b);
}

const struct route token_routes[] = {
    {"GET", "/api/database/tokens/", ON_READER(tokens_list), 0, NULL, NULL},
    {"POST", "/api/database/tokens/", ON_WRITER(tokens_create), 0, create_rules, NULL},
    {"GET", "/api/database/tokens/check/", ON_READER(tokens_check), ROUTE_TOKEN, NULL, NULL},
    {"GET", "/api/database/tokens/:id/", ON_READER(tokens_read), 0, NULL, NULL},
    {"PATCH", "/api/database/tokens/:id/", ON_WRITER(tokens_change), 0, change_rules, NULL},
    {"DELETE", "/api/database/tokens/:id/", ON_WRITER(tokens_delete), 0, NULL, NULL},
    {"GET", "/api/database/tables/all-tables/", ON_READER(tokens_tables), ROUTE_TOKEN, NULL, NULL},
    {NULL, NULL, {0}, 0, NULL, NULL},
};
