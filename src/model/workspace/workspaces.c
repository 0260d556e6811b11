#include "model/workspace/internal.h"

#include "base/clock.h"
#include "model/access/access.h"

/* Workspaces themselves: who sees them, in which order, and how they come and go. */

struct value moment_value(struct arena *a, int64_t ms)
{
    char text[CLOCK_TEXT_MAX];

    clock_write_timestamp(ms, text);
    return value_text(arena_str(a, str_of(text)));
}

/* ---- order ---- */

static bool is_among(const int64_t *ids, size_t count, int64_t id)
{
    for (size_t i = 0; i < count; i++)
        if (ids[i] == id)
            return true;
    return false;
}

void order_apply(struct arena *a, const int64_t *ids, size_t count, const int64_t *wanted,
                 size_t wanted_count, int64_t *ids_out)
{
    int64_t *group = ARENA_ARRAY(a, int64_t, wanted_count);
    size_t size = 0, next = 0;

    for (size_t i = 0; i < wanted_count; i++)
        if (is_among(ids, count, wanted[i]) && !is_among(group, size, wanted[i]))
            group[size++] = wanted[i];
    for (size_t i = 0; i < count; i++)
        ids_out[i] = is_among(group, size, ids[i]) ? group[next++] : ids[i];
}

/* ---- finding ---- */

int workspace_list(struct tx *tx, const struct member *const **members_out, size_t *count_out)
{
    *members_out = catalogue_memberships(tx->catalogue, tx->principal->user, count_out);
    return 0;
}

int workspace_find(struct tx *tx, int64_t id, enum member_role least,
                   const struct workspace **workspace_out)
{
    const struct workspace *w = catalogue_workspace(tx->catalogue, id);
    const struct member *m = w ? workspace_member(w, tx->principal->user) : NULL;

    if (!w)
        return refuse_wish(tx, WORKSPACE_NONE);
    if (!m)
        return refuse_wish(tx, WORKSPACE_NOT_MEMBER);
    if (m->role < least)
        return refuse_wish(tx, WORKSPACE_NOT_ADMIN);
    *workspace_out = w;
    return 0;
}

/* ---- changing ---- */

static int find_row(struct tx *tx, int64_t id, enum member_role least, const struct value **row_out)
{
    const struct workspace *w;
    int rc = workspace_find(tx, id, least, &w);

    return rc == 0 ? record_by_id(tx, SYSTEM_WORKSPACES, id, row_out) : rc;
}

int workspace_create(struct tx *tx, struct str name, int64_t *id_out)
{
    const struct assignment named = record_set(SYSTEM_WORKSPACES, "name", value_text(name));
    const struct value *row;
    struct account me;
    int64_t member;

    int rc = account_ensure(tx, tx->principal->user, &me);
    if (rc == 0)
        rc = record_create(tx, SYSTEM_WORKSPACES, &named, 1, &row);
    if (rc != 0)
        return rc;
    int64_t id = system_integer(SYSTEM_WORKSPACES, row, "id");
    rc = member_add(tx, id, &me, MEMBER_ADMIN, &member);
    if (rc == 0)
        *id_out = id;
    return rc;
}

int workspace_rename(struct tx *tx, int64_t id, struct str name)
{
    const struct assignment named = record_set(SYSTEM_WORKSPACES, "name", value_text(name));
    const struct value *row;

    int rc = find_row(tx, id, MEMBER_ADMIN, &row);
    if (rc == 0)
        rc = record_update(tx, SYSTEM_WORKSPACES, row, &named, 1);
    return rc == 0 ? tx_follow(tx) : rc;
}

static int set_order(struct tx *tx, const struct member *m, int64_t order)
{
    const struct assignment placed = record_set(SYSTEM_MEMBERS, "order", value_integer(order));
    const struct value *row;

    if (m->order == order)
        return 0;
    int rc = record_by_id(tx, SYSTEM_MEMBERS, m->id, &row);
    return rc == 0 ? record_update(tx, SYSTEM_MEMBERS, row, &placed, 1) : rc;
}

int workspace_reorder(struct tx *tx, const int64_t *ids, size_t count)
{
    const struct catalogue *c = tx->catalogue;
    const struct member *const *mine;
    size_t mine_count;
    int rc = 0;

    mine = catalogue_memberships(c, tx->principal->user, &mine_count);
    int64_t *before = ARENA_ARRAY(tx->arena, int64_t, mine_count);
    int64_t *after = ARENA_ARRAY(tx->arena, int64_t, mine_count);
    for (size_t i = 0; i < mine_count; i++)
        before[i] = mine[i]->workspace->id;
    order_apply(tx->arena, before, mine_count, ids, count, after);
    for (size_t i = 0; i < mine_count && rc == 0; i++)
        rc = set_order(tx, workspace_member(catalogue_workspace(c, after[i]), tx->principal->user),
                       (int64_t)i + 1);
    return rc == 0 ? tx_follow(tx) : rc;
}

int workspace_leave(struct tx *tx, int64_t id)
{
    const struct workspace *w;
    const struct value *row;

    int rc = workspace_find(tx, id, MEMBER_MEMBER, &w);
    if (rc != 0)
        return rc;
    const struct member *me = workspace_member(w, tx->principal->user);
    rc = member_check_last_admin(tx, me);
    if (rc == 0)
        rc = record_by_id(tx, SYSTEM_MEMBERS, me->id, &row);
    if (rc != 0)
        return rc;
    const struct system_rows gone = {&row, 1};
    rc = record_delete(tx, SYSTEM_MEMBERS, &gone);
    return rc == 0 ? tx_follow(tx) : rc;
}

/* ---- the instance's first start ---- */

int workspace_bootstrap(struct tx *tx)
{
    const struct assignment workspace[] = {
        record_set(SYSTEM_WORKSPACES, "id", value_integer(DEFAULT_WORKSPACE)),
        record_set(SYSTEM_WORKSPACES, "name", value_text(STR("Workspace"))),
    };
    const struct assignment application[] = {
        record_set(SYSTEM_APPLICATIONS, "id", value_integer(DEFAULT_APPLICATION)),
        record_set(SYSTEM_APPLICATIONS, "workspace", value_integer(DEFAULT_WORKSPACE)),
        record_set(SYSTEM_APPLICATIONS, "name", value_text(STR("Database"))),
        record_set(SYSTEM_APPLICATIONS, "type", value_text(APPLICATION_DATABASE)),
        record_set(SYSTEM_APPLICATIONS, "order", value_integer(1)),
        record_set(SYSTEM_APPLICATIONS, "created_on", moment_value(tx->arena, tx->now_ms)),
    };

    if (catalogue_workspace(tx->catalogue, DEFAULT_WORKSPACE))
        return 0;
    int rc = record_insert(tx, SYSTEM_WORKSPACES, workspace, COUNT_OF(workspace));
    if (rc == 0)
        rc = record_insert(tx, SYSTEM_APPLICATIONS, application, COUNT_OF(application));
    return rc == 0 ? tx_follow(tx) : rc;
}

static int admit(struct tx *tx, const struct value *admin)
{
    struct account account;
    int64_t member;

    int rc = account_ensure(tx, system_text(SYSTEM_USERS, admin, "id"), &account);
    return rc == 0 ? member_add(tx, DEFAULT_WORKSPACE, &account, MEMBER_ADMIN, &member) : rc;
}

int workspace_admit_admins(struct tx *tx)
{
    struct system_rows admins;

    int rc = tx_follow(tx);
    if (rc != 0)
        return rc;
    const struct workspace *w = catalogue_workspace(tx->catalogue, DEFAULT_WORKSPACE);
    if (!w || w->member_count > 0)
        return 0;
    rc = record_admins(tx, &admins);
    for (size_t i = 0; rc == 0 && i < admins.count; i++)
        rc = admit(tx, admins.at[i]);
    return rc;
}
