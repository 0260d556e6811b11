#include "model/workspace/internal.h"

#include "model/access/access.h"

/* Members: what they may do, and how they come and go. */

static const char *const roles[] = {[MEMBER_MEMBER] = "MEMBER", [MEMBER_ADMIN] = "ADMIN"};

const char *member_role_name(enum member_role role)
{
    return roles[role];
}

bool member_role_find(struct str name, enum member_role *role_out)
{
    for (unsigned i = 0; i < COUNT_OF(roles); i++) {
        if (str_equal(name, str_of(roles[i]))) {
            *role_out = i;
            return true;
        }
    }
    return false;
}

int member_add(struct tx *tx, int64_t workspace, const struct account *who, enum member_role role,
               int64_t *id_out)
{
    size_t count;
    const struct member *const *theirs = catalogue_memberships(tx->catalogue, who->user, &count);
    int64_t last = count > 0 ? theirs[count - 1]->order : 0;
    const struct assignment member[] = {
        record_set(SYSTEM_MEMBERS, "workspace", value_integer(workspace)),
        record_set(SYSTEM_MEMBERS, "account", value_integer(who->id)),
        record_set(SYSTEM_MEMBERS, "user", value_text(who->user)),
        record_set(SYSTEM_MEMBERS, "role", value_text(str_of(roles[role]))),
        record_set(SYSTEM_MEMBERS, "order", value_integer(last + 1)),
        record_set(SYSTEM_MEMBERS, "created_on", moment_value(tx->arena, tx->now_ms)),
    };
    const struct value *row;

    int rc = record_create(tx, SYSTEM_MEMBERS, member, COUNT_OF(member), &row);
    if (rc == 0)
        rc = tx_follow(tx);
    if (rc == 0)
        *id_out = system_integer(SYSTEM_MEMBERS, row, "id");
    return rc;
}

int member_check_last_admin(struct tx *tx, const struct member *except)
{
    const struct workspace *w = except->workspace;

    if (except->role != MEMBER_ADMIN)
        return 0;
    for (size_t i = 0; i < w->member_count; i++) {
        const struct member *m = w->members[i];
        if (m != except && m->role == MEMBER_ADMIN && m->active && !m->leaving)
            return 0;
    }
    return refuse_wish(tx, WORKSPACE_LAST_ADMIN);
}

/* A member that the principal's user may manage, and its row. */
static int find_managed(struct tx *tx, int64_t id, const struct member **member_out,
                        const struct value **row_out)
{
    const struct member *m = catalogue_member(tx->catalogue, id);
    const struct workspace *w;

    if (!m)
        return refuse_wish(tx, WORKSPACE_NO_MEMBER);
    int rc = workspace_find(tx, m->workspace->id, MEMBER_ADMIN, &w);
    if (rc == 0)
        rc = record_by_id(tx, SYSTEM_MEMBERS, id, row_out);
    if (rc == 0)
        *member_out = m;
    return rc;
}

int member_set_role(struct tx *tx, int64_t member, enum member_role role)
{
    const struct assignment set =
        record_set(SYSTEM_MEMBERS, "role", value_text(str_of(roles[role])));
    const struct member *m;
    const struct value *row;

    int rc = find_managed(tx, member, &m, &row);
    if (rc == 0 && role != MEMBER_ADMIN)
        rc = member_check_last_admin(tx, m);
    if (rc == 0)
        rc = record_update(tx, SYSTEM_MEMBERS, row, &set, 1);
    return rc == 0 ? tx_follow(tx) : rc;
}

int member_remove(struct tx *tx, int64_t member)
{
    const struct member *m;
    const struct value *row;

    int rc = find_managed(tx, member, &m, &row);
    if (rc == 0 && str_equal(m->user, tx->principal->user))
        rc = refuse_wish(tx, WORKSPACE_YOURSELF);
    if (rc == 0)
        rc = member_check_last_admin(tx, m);
    if (rc != 0)
        return rc;
    const struct system_rows gone = {&row, 1};
    rc = record_delete(tx, SYSTEM_MEMBERS, &gone);
    return rc == 0 ? tx_follow(tx) : rc;
}
