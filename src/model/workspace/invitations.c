#include "model/workspace/internal.h"

#include "model/access/access.h"

/* Invitations: by e-mail, to people who may not be users yet. Not in the catalogue. */

#define SET(column, value) record_set(SYSTEM_INVITATIONS, (column), (value))

/* ---- reading ---- */

/* Who invited is usually a member still, and named in the catalogue; else its row is asked. */
static int inviter_name(struct tx *tx, struct str user, struct str *name_out)
{
    const struct value *row = NULL;
    size_t count;
    const struct member *const *theirs = catalogue_memberships(tx->catalogue, user, &count);

    *name_out = count > 0 ? theirs[0]->name : STR("");
    if (count > 0 || !user.at)
        return 0;
    int rc = record_find(tx, SYSTEM_USERS, "id", user, &row);
    if (rc == 0 && row)
        *name_out = person_name(tx->arena, row);
    return rc;
}

static int read_invitation(struct tx *tx, const struct value *row,
                           struct invitation *invitation_out)
{
    struct invitation i = {
        .id = system_integer(SYSTEM_INVITATIONS, row, "id"),
        .workspace = system_integer(SYSTEM_INVITATIONS, row, "workspace"),
        .email = system_text(SYSTEM_INVITATIONS, row, "email"),
        .message = system_text(SYSTEM_INVITATIONS, row, "message"),
        .created_on = system_text(SYSTEM_INVITATIONS, row, "created_on"),
        .user = system_text(SYSTEM_INVITATIONS, row, "user"),
    };
    const struct workspace *w = catalogue_workspace(tx->catalogue, i.workspace);

    i.workspace_name = w ? w->name : STR("");
    member_role_find(system_text(SYSTEM_INVITATIONS, row, "role"), &i.role);
    int rc = inviter_name(tx, system_text(SYSTEM_INVITATIONS, row, "invited_by"), &i.invited_by);
    if (rc == 0)
        *invitation_out = i;
    return rc;
}

/* Into a workspace that lies in the trash nobody is invited. */
static bool has_workspace(const struct tx *tx, const struct value *row)
{
    return catalogue_workspace(tx->catalogue,
                               system_integer(SYSTEM_INVITATIONS, row, "workspace")) != NULL;
}

static int read_all(struct tx *tx, const struct expr *where, struct invitation **list_out,
                    size_t *count_out)
{
    struct system_rows rows;
    int rc = system_rows(tx->store, tx->arena, SYSTEM_INVITATIONS, where, NULL, &rows);
    if (rc != 0)
        return rc;

    struct invitation *list = ARENA_ARRAY(tx->arena, struct invitation, rows.count);
    size_t count = 0;
    for (size_t i = 0; i < rows.count && rc == 0; i++)
        if (has_workspace(tx, rows.at[i]))
            rc = read_invitation(tx, rows.at[i], &list[count++]);
    if (rc == 0) {
        *list_out = list;
        *count_out = count;
    }
    return rc;
}

static int find_row(struct tx *tx, int64_t id, const struct value **row_out)
{
    int rc = record_by_id(tx, SYSTEM_INVITATIONS, id, row_out);
    return rc == 0 && !(*row_out && has_workspace(tx, *row_out))
               ? refuse_wish(tx, WORKSPACE_NO_INVITATION)
               : rc;
}

int invitation_find(struct tx *tx, int64_t id, struct invitation *invitation_out)
{
    const struct value *row;

    int rc = find_row(tx, id, &row);
    return rc == 0 ? read_invitation(tx, row, invitation_out) : rc;
}

int invitation_list(struct tx *tx, int64_t workspace, struct invitation **list_out,
                    size_t *count_out)
{
    const struct workspace *w;

    int rc = workspace_find(tx, workspace, MEMBER_ADMIN, &w);
    if (rc != 0)
        return rc;
    return read_all(
        tx,
        system_test(tx->arena, SYSTEM_INVITATIONS, "workspace", OP_EQ, value_integer(workspace)),
        list_out, count_out);
}

static struct str own_email(struct tx *tx)
{
    const struct value *row = tx->principal->user_row;
    struct str email = row ? system_text(SYSTEM_USERS, row, "email") : STR_NULL;

    return account_normal_email(tx->arena, email);
}

int invitation_list_mine(struct tx *tx, struct invitation **list_out, size_t *count_out)
{
    struct str email = own_email(tx);

    if (email.len == 0) {
        *count_out = 0;
        return 0;
    }
    return read_all(tx,
                    system_test(tx->arena, SYSTEM_INVITATIONS, "email", OP_EQ, value_text(email)),
                    list_out, count_out);
}

/* ---- by admins ---- */

static int find_pending(struct tx *tx, int64_t workspace, struct str email,
                        const struct value **row_out)
{
    struct arena *a = tx->arena;
    struct system_rows rows;
    const struct expr *where = expr_and(
        a, system_test(a, SYSTEM_INVITATIONS, "workspace", OP_EQ, value_integer(workspace)),
        system_test(a, SYSTEM_INVITATIONS, "email", OP_EQ, value_text(email)));

    int rc = system_rows(tx->store, a, SYSTEM_INVITATIONS, where, NULL, &rows);
    if (rc == 0)
        *row_out = rows.count > 0 ? rows.at[0] : NULL;
    return rc;
}

/* Its user, if this e-mail is one's: then not of a member. */
static int find_invited(struct tx *tx, const struct workspace *w, struct str email,
                        struct str *user_out)
{
    const struct value *row;

    int rc = record_find_email(tx, email, STR_NULL, &row);
    if (rc != 0)
        return rc;
    *user_out = row ? system_text(SYSTEM_USERS, row, "id") : STR_NULL;
    return row && workspace_member(w, *user_out) ? refuse_wish(tx, WORKSPACE_ALREADY_MEMBER) : 0;
}

int invitation_make(struct tx *tx, int64_t workspace, struct str email, enum member_role role,
                    struct str message, struct invitation *invitation_out)
{
    struct str normal = account_normal_email(tx->arena, email), user;
    const struct workspace *w;
    const struct value *row;

    int rc = workspace_find(tx, workspace, MEMBER_ADMIN, &w);
    if (rc == 0)
        rc = find_invited(tx, w, normal, &user);
    if (rc == 0)
        rc = find_pending(tx, workspace, normal, &row);
    if (rc != 0)
        return rc;
    const struct assignment set[] = {
        SET("role", value_text(str_of(member_role_name(role)))),
        SET("message", value_text(message.at ? message : STR(""))),
        SET("invited_by", value_text(tx->principal->user)),
        SET("user", user.at ? value_text(user) : value_null()),
        SET("workspace", value_integer(workspace)),
        SET("email", value_text(normal)),
        SET("created_on", moment_value(tx->arena, tx->now_ms)),
    };
    enum { CHANGING = 4 }; /* the rest stays what it is */
    int64_t id = row ? system_integer(SYSTEM_INVITATIONS, row, "id") : 0;
    rc = row ? record_update(tx, SYSTEM_INVITATIONS, row, set, CHANGING)
             : record_create(tx, SYSTEM_INVITATIONS, set, COUNT_OF(set), &row);
    if (rc != 0)
        return rc;
    return invitation_find(tx, id ? id : system_integer(SYSTEM_INVITATIONS, row, "id"),
                           invitation_out);
}

/* One that the principal's user may manage. */
static int find_managed(struct tx *tx, int64_t id, const struct value **row_out)
{
    const struct workspace *w;

    int rc = find_row(tx, id, row_out);
    return rc == 0 ? workspace_find(tx, system_integer(SYSTEM_INVITATIONS, *row_out, "workspace"),
                                    MEMBER_ADMIN, &w)
                   : rc;
}

static int delete_row(struct tx *tx, const struct value *row)
{
    const struct system_rows gone = {&row, 1};
    return record_delete(tx, SYSTEM_INVITATIONS, &gone);
}

int invitation_set_role(struct tx *tx, int64_t id, enum member_role role)
{
    const struct assignment set = SET("role", value_text(str_of(member_role_name(role))));
    const struct value *row;

    int rc = find_managed(tx, id, &row);
    return rc == 0 ? record_update(tx, SYSTEM_INVITATIONS, row, &set, 1) : rc;
}

int invitation_delete(struct tx *tx, int64_t id)
{
    const struct value *row;

    int rc = find_managed(tx, id, &row);
    return rc == 0 ? delete_row(tx, row) : rc;
}

/* ---- by the person of that e-mail ---- */

static int find_addressed(struct tx *tx, int64_t id, struct str email, const struct value **row_out)
{
    int rc = find_row(tx, id, row_out);

    if (rc == 0 && !str_equal(system_text(SYSTEM_INVITATIONS, *row_out, "email"),
                              account_normal_email(tx->arena, email)))
        rc = refuse_wish(tx, WORKSPACE_OTHER_EMAIL);
    return rc;
}

int invitation_accept_for(struct tx *tx, int64_t id, const struct account *who, int64_t *member_out)
{
    enum member_role role = MEMBER_MEMBER;
    const struct value *row;

    int rc = find_addressed(tx, id, who->email, &row);
    if (rc == 0)
        rc = tx_follow(tx);
    if (rc != 0)
        return rc;
    int64_t workspace = system_integer(SYSTEM_INVITATIONS, row, "workspace");
    const struct workspace *w = catalogue_workspace(tx->catalogue, workspace);
    const struct member *already = w ? workspace_member(w, who->user) : NULL;
    member_role_find(system_text(SYSTEM_INVITATIONS, row, "role"), &role);
    rc = delete_row(tx, row);
    if (rc != 0 || !already)
        return rc == 0 ? member_add(tx, workspace, who, role, member_out) : rc;
    *member_out = already->id;
    return 0;
}

int invitation_accept(struct tx *tx, int64_t id, int64_t *member_out)
{
    struct account me;

    int rc = account_ensure(tx, tx->principal->user, &me);
    return rc == 0 ? invitation_accept_for(tx, id, &me, member_out) : rc;
}

int invitation_reject(struct tx *tx, int64_t id)
{
    const struct value *row;

    int rc = find_addressed(tx, id, own_email(tx), &row);
    return rc == 0 ? delete_row(tx, row) : rc;
}
