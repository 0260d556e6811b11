#include "model/grid/departures.h"

#include "model/grid/trash.h"
#include "model/items/records.h"

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

/* A workspace that had no admin before does not go because a member does. */
static int discard_workspaces(struct tx *tx, struct str user)
{
    size_t count;
    const struct member *const *theirs = catalogue_memberships(tx->catalogue, user, &count);
    int rc = 0;

    /* Each brings a catalogue of its own; this one lives as long as the commit. */
    for (size_t i = 0; rc == 0 && i < count; i++)
        if (theirs[i]->role == MEMBER_ADMIN && !is_managed_by_others(theirs[i]))
            rc = trash_discard_workspace(tx, theirs[i]->workspace);
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
        rc = discard_workspaces(tx, account.user);
    if (rc == 0)
        rc = record_find(tx, SYSTEM_USERS, "id", account.user, &row);
    if (rc != 0)
        return rc;
    const struct system_rows gone = {&row, 1};
    rc = record_delete(tx, SYSTEM_USERS, &gone);
    return rc == 0 ? tx_follow(tx) : rc;
}
