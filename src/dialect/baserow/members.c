/* Members of a workspace (9.3), for its admins. */
#include "dialect/baserow/lists.h"
#include "dialect/baserow/shapes.h"

static const struct rule role_rules[] = {
    {.name = "permissions", .kind = RULE_CHOICE, .flags = RULE_REQUIRED, .choices = "ADMIN,MEMBER"},
    {.name = NULL},
};

static struct str name_of(const void *row)
{
    return ((const struct member *)row)->name;
}

static struct str email_of(const void *row)
{
    return ((const struct member *)row)->email;
}

static struct str role_of(const void *row)
{
    return str_of(member_role_name(((const struct member *)row)->role));
}

static const struct list_column member_columns[] = {
    {"name", name_of, true},
    {"email", email_of, true},
    {"role_uid", role_of, false},
    {.name = NULL},
};

static int members_list(struct request *r, struct tx *tx)
{
    const struct rest *rest = rest_of(r);
    const struct workspace *w;
    int rc = workspace_find(tx, rest->ids[0], MEMBER_ADMIN, &w);
    if (rc)
        return rc;
    size_t count = w->member_count;
    const void **rows = ARENA_ARRAY(tx->arena, const void *, count);
    for (size_t i = 0; i < count; i++)
        rows[i] = w->members[i];
    rc = list_select(tx, rest->asked, member_columns, rows, &count);
    if (rc)
        return rc;
    struct buf b;
    reply_begin(&b);
    buf_put_char(&b, '[');
    for (size_t i = 0; i < count; i++) {
        if (i)
            buf_put_char(&b, ',');
        shape_workspace_user(&b, rows[i]);
    }
    buf_put_char(&b, ']');
    return reply_json(r, tx, &b);
}

static int members_set_role(struct request *r, struct tx *tx)
{
    const struct rest *rest = rest_of(r);
    enum member_role role = MEMBER_MEMBER;
    member_role_find(data_text(rest->data, "permissions"), &role);
    int rc = member_set_role(tx, rest->ids[0], role);
    if (rc)
        return rc;
    struct buf b;
    reply_begin(&b);
    shape_workspace_user(&b, catalogue_member(tx->catalogue, rest->ids[0]));
    return reply_json(r, tx, &b);
}

static int members_remove(struct request *r, struct tx *tx)
{
    int rc = member_remove(tx, rest_of(r)->ids[0]);
    return rc ? rc : reply_empty(r);
}

const struct route member_routes[] = {
    {"GET", "/api/workspaces/users/workspace/:id/", ON_READER(members_list), 0, NULL, list_rules},
    {"PATCH", "/api/workspaces/users/:id/", ON_WRITER(members_set_role), 0, role_rules, NULL},
    {"DELETE", "/api/workspaces/users/:id/", ON_WRITER(members_remove), 0, NULL, NULL},
    {NULL, NULL, {0}, 0, NULL, NULL},
};
