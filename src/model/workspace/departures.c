#include "model/workspace/internal.h"

/* Departures: accounts that are deleted for good, and the workspaces that go with them. */

int account_next_due(struct tx *tx, int64_t scheduled_ms, int64_t after, int64_t *id_out)
{
    struct arena *a = tx->arena;
    const struct expr *due = expr_and(
        a, system_test(a, SYSTEM_ACCOUNTS, "deletion", OP_LTE, value_integer(scheduled_ms)),
        system_test(a, SYSTEM_ACCOUNTS, "id", OP_GT, value_integer(after)));
    struct system_rows rows;

    int rc = system_rows(tx->store, a, SYSTEM_ACCOUNTS, due, NULL, &rows);
    if (rc == 0)
        *id_out = rows.count > 0 ? system_integer(SYSTEM_ACCOUNTS, rows.at[0], "id") : 0;
    return rc;
}

/* Who is about to leave as well may still come back, and finds the workspace then. */
static bool is_managed_by_others(const struct member *except)
{
    const struct workspace *w = except->workspace;

    for (size_t i = 0; i < w->member_count; i++) {
        const struct member *m = w->members[i];
        if (m != except && m->role == MEMBER_ADMIN && m->active)
            return true;
    }
    return false;
}

static int delete_row(struct tx *tx, enum system_table which, const struct value *row)
{
    const struct system_rows gone = {&row, 1};
    return row ? record_delete(tx, which, &gone) : 0;
}

/* A workspace that had no admin before does not go because a member does. */
static int delete_workspaces(struct tx *tx, struct str user)
{
    size_t count;
    const struct member *const *theirs = catalogue_memberships(tx->catalogue, user, &count);
    const struct value *row;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < count; i++) {
        if (theirs[i]->role != MEMBER_ADMIN || is_managed_by_others(theirs[i]))
            continue;
        rc = record_by_id(tx, SYSTEM_WORKSPACES, theirs[i]->workspace->id, &row);
        if (rc == 0)
            rc = delete_row(tx, SYSTEM_WORKSPACES, row);
    }
    return rc;
}

int account_delete(struct tx *tx, int64_t id)
{
    const struct value *row;
    struct account account;

    int rc = account_by_id(tx, id, &account);
    if (rc == 0)
        rc = account_check_last(tx, &account);
    if (rc == 0)
        rc = delete_workspaces(tx, account.user);
    if (rc == 0)
        rc = record_find(tx, SYSTEM_USERS, "id", account.user, &row);
    if (rc == 0)
        rc = delete_row(tx, SYSTEM_USERS, row);
    return rc == 0 ? tx_follow(tx) : rc;
}
