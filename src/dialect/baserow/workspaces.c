/* Workspaces (9.3), what one may do in them (12.3), and what there is none of yet: notifications
 * and jobs (9.15). */
#include "dialect/baserow/rest.h"
#include "dialect/baserow/shapes.h"

#include "base/json.h"
#include "model/grid/trash.h"

static const struct rule name_rules[] = {
    {.name = "name", .kind = RULE_TEXT, .flags = RULE_REQUIRED, .min = 1, .max = 165},
    {.name = NULL},
};
/* One of them; the latter is said by older clients (6). */
static const struct rule order_rules[] = {
    {.name = "workspaces", .kind = RULE_IDS},
    {.name = "groups", .kind = RULE_IDS},
    {.name = NULL},
};

static int workspaces_list(struct request *r, struct tx *tx)
{
    const struct member *const *members;
    size_t count;
    int rc = workspace_list(tx, &members, &count);
    if (rc)
        return rc;
    struct buf b;
    reply_begin(&b);
    buf_put_char(&b, '[');
    for (size_t i = 0; i < count; i++) {
        if (i)
            buf_put_char(&b, ',');
        shape_workspace_member_view(&b, members[i]);
    }
    buf_put_char(&b, ']');
    return reply_json(r, tx, &b);
}

static int workspaces_create(struct request *r, struct tx *tx)
{
    const struct rest *rest = rest_of(r);
    bool anybody;
    int64_t id;
    int rc = setting_is_on(tx, "allow_global_workspace_creation", &anybody);
    if (rc)
        return rc;
    if (!anybody && !rest->account.staff)
        return refuse_code(tx, PERMISSION_DENIED, NULL);
    rc = workspace_create(tx, data_text(rest->data, "name"), &id);
    if (rc)
        return rc;
    struct buf b;
    reply_begin(&b);
    shape_workspace_member_view(
        &b, workspace_member(catalogue_workspace(tx->catalogue, id), rest->account.user));
    return reply_json(r, tx, &b);
}

static int workspaces_rename(struct request *r, struct tx *tx)
{
    const struct rest *rest = rest_of(r);
    int rc = workspace_rename(tx, rest->ids[0], data_text(rest->data, "name"));
    if (rc)
        return rc;
    struct buf b;
    reply_begin(&b);
    shape_workspace(&b, catalogue_workspace(tx->catalogue, rest->ids[0]));
    return reply_json(r, tx, &b);
}

static int workspaces_delete(struct request *r, struct tx *tx)
{
    int rc = trash_workspace(tx, rest_of(r)->ids[0]);
    return rc ? rc : reply_empty(r);
}

static int workspaces_order(struct request *r, struct tx *tx)
{
    const json_t *data = rest_of(r)->data;
    const int64_t *ids;
    size_t count;
    const char *key = "workspaces";
    if (!data_is_sent(data, key) && baserow_settings()->legacy_group_keys)
        key = "groups";
    if (!data_is_sent(data, key))
        return refuse_field(tx, "workspaces", "required", "This field is required.");
    data_ids(tx->arena, data, key, &ids, &count);
    int rc = workspace_reorder(tx, ids, count);
    return rc ? rc : reply_empty(r);
}

static int workspaces_leave(struct request *r, struct tx *tx)
{
    int rc = workspace_leave(tx, rest_of(r)->ids[0]);
    return rc ? rc : reply_empty(r);
}

/* Admins only, of those operations that clients know by name. */
#define ADMIN_OPERATIONS                                                                           \
    "[\"workspace.list_invitations\",\"workspace.create_invitation\",\"invitation.read\","         \
    "\"invitation.update\",\"invitation.delete\",\"workspace.list_workspace_users\","              \
    "\"workspace.update\",\"workspace.delete\",\"workspace_user.update\",\"workspace_user."        \
    "delete\"]"

static int workspaces_permissions(struct request *r, struct tx *tx)
{
    const struct rest *rest = rest_of(r);
    const struct workspace *w;
    struct buf b;
    int rc = workspace_find(tx, rest->ids[0], MEMBER_MEMBER, &w);
    if (rc)
        return rc;
    bool admin = workspace_member(w, rest->account.user)->role == MEMBER_ADMIN;
    reply_begin(&b);
    buf_put_char(&b, '[');
    rc = put_instance_permissions(tx, &rest->account, &b);
    if (rc) {
        buf_deinit(&b);
        return rc;
    }
    buf_printf(&b,
               ",{\"name\":\"allow_if_template\",\"permissions\":{"
               "\"allowed_operations_on_template\":[],\"workspace_template_ids\":[]}},"
               "{\"name\":\"basic\",\"permissions\":{\"admin_only_operations\":" ADMIN_OPERATIONS
               ",\"is_admin\":%s}}]",
               admin ? "true" : "false");
    return reply_json(r, tx, &b);
}

/* No provider of generated text is configured, and there is nothing to set. */
static int workspaces_generative_ai(struct request *r, struct tx *tx)
{
    const struct workspace *w;
    int rc = workspace_find(tx, rest_of(r)->ids[0], MEMBER_ADMIN, &w);
    if (rc)
        return rc;
    struct buf b;
    reply_begin(&b);
    buf_put_lit(&b, "{}");
    return reply_json(r, tx, &b);
}

/* ---- notifications ---- */

static int notifications_list(struct request *r, struct tx *tx)
{
    const struct workspace *w;
    int rc = workspace_find(tx, rest_of(r)->ids[0], MEMBER_MEMBER, &w);
    if (rc)
        return rc;
    struct buf b;
    reply_begin(&b);
    buf_put_lit(&b, "{\"count\":0,\"next\":null,\"previous\":null,\"results\":[]}");
    return reply_json(r, tx, &b);
}

/* Clears or marks all there are. */
static int notifications_settle(struct request *r, struct tx *tx)
{
    const struct workspace *w;
    int rc = workspace_find(tx, rest_of(r)->ids[0], MEMBER_MEMBER, &w);
    return rc ? rc : reply_empty(r);
}

const struct route workspace_routes[] = {
    {"GET", "/api/workspaces/", ON_READER(workspaces_list), 0, NULL, NULL},
    {"POST", "/api/workspaces/", ON_WRITER(workspaces_create), 0, name_rules, NULL},
    {"POST", "/api/workspaces/create-initial-workspace/", ON_WRITER(workspaces_create), 0,
     name_rules, NULL},
    {"POST", "/api/workspaces/order/", ON_WRITER(workspaces_order), 0, order_rules, NULL},
    {"PATCH", "/api/workspaces/:id/", ON_WRITER(workspaces_rename), 0, name_rules, NULL},
    {"DELETE", "/api/workspaces/:id/", ON_WRITER(workspaces_delete), 0, NULL, NULL},
    {"POST", "/api/workspaces/:id/leave/", ON_WRITER(workspaces_leave), 0, NULL, NULL},
    {"GET", "/api/workspaces/:id/permissions/", ON_READER(workspaces_permissions), 0, NULL, NULL},
    {"GET", "/api/workspaces/:id/settings/generative-ai/", ON_READER(workspaces_generative_ai), 0,
     NULL, NULL},
    {"PATCH", "/api/workspaces/:id/settings/generative-ai/", ON_READER(workspaces_generative_ai), 0,
     NULL, NULL},
    {"GET", "/api/notifications/:id/", ON_READER(notifications_list), 0, NULL, NULL},
    {"DELETE", "/api/notifications/:id/", ON_READER(notifications_settle), 0, NULL, NULL},
    {"POST", "/api/notifications/:id/mark-all-as-read/", ON_READER(notifications_settle), 0, NULL,
     NULL},
    {NULL, NULL, {0}, 0, NULL, NULL},
};
