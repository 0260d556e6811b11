#include "model/workspace/internal.h"

#include "model/access/access.h"

/* Applications: what a workspace holds. Every member may make, change and delete them. */

#define SET(column, value) record_set(SYSTEM_APPLICATIONS, (column), (value))

int application_find(struct tx *tx, int64_t id, const struct application **application_out)
{
    const struct application *found = catalogue_application(tx->catalogue, id);
    const struct workspace *w;

    if (!found)
        return refuse_wish(tx, WORKSPACE_NO_APPLICATION);
    int rc = workspace_find(tx, found->workspace->id, MEMBER_MEMBER, &w);
    if (rc == 0)
        *application_out = found;
    return rc;
}

static int find_row(struct tx *tx, int64_t id, const struct value **row_out)
{
    const struct application *found;

    int rc = application_find(tx, id, &found);
    return rc == 0 ? record_by_id(tx, SYSTEM_APPLICATIONS, id, row_out) : rc;
}

int application_create(struct tx *tx, int64_t workspace, struct str name, struct str type,
                       int64_t *id_out)
{
    const struct workspace *w;
    const struct value *row;

    int rc = workspace_find(tx, workspace, MEMBER_MEMBER, &w);
    if (rc != 0)
        return rc;
    size_t count = w->application_count;
    int64_t last = count > 0 ? w->applications[count - 1]->order : 0;
    const struct assignment application[] = {
        SET("workspace", value_integer(workspace)),
        SET("name", value_text(name)),
        SET("type", value_text(type)),
        SET("order", value_integer(last + 1)),
        SET("created_on", moment_value(tx->arena, tx->now_ms)),
    };
    rc = record_create(tx, SYSTEM_APPLICATIONS, application, COUNT_OF(application), &row);
    if (rc == 0)
        rc = tx_follow(tx);
    if (rc == 0)
        *id_out = system_integer(SYSTEM_APPLICATIONS, row, "id");
    return rc;
}

int application_rename(struct tx *tx, int64_t id, struct str name)
{
    const struct assignment named = SET("name", value_text(name));
    const struct value *row;

    int rc = find_row(tx, id, &row);
    if (rc == 0)
        rc = record_update(tx, SYSTEM_APPLICATIONS, row, &named, 1);
    return rc == 0 ? tx_follow(tx) : rc;
}

/* ---- order ---- */

static int set_order(struct tx *tx, const struct application *application, int64_t order)
{
    const struct assignment placed = SET("order", value_integer(order));
    const struct value *row;

    if (application->order == order)
        return 0;
    int rc = record_by_id(tx, SYSTEM_APPLICATIONS, application->id, &row);
    return rc == 0 ? record_update(tx, SYSTEM_APPLICATIONS, row, &placed, 1) : rc;
}

int application_reorder(struct tx *tx, int64_t workspace, const int64_t *ids, size_t count)
{
    const struct catalogue *c = tx->catalogue;
    const struct workspace *w;

    int rc = workspace_find(tx, workspace, MEMBER_MEMBER, &w);
    for (size_t i = 0; i < count && rc == 0; i++) {
        const struct application *listed = catalogue_application(c, ids[i]);
        if (!listed || listed->workspace != w)
            rc = refuse_wish(tx, WORKSPACE_FOREIGN_APPLICATION);
    }
    if (rc != 0)
        return rc;
    int64_t *before = ARENA_ARRAY(tx->arena, int64_t, w->application_count);
    int64_t *after = ARENA_ARRAY(tx->arena, int64_t, w->application_count);
    for (size_t i = 0; i < w->application_count; i++)
        before[i] = w->applications[i]->id;
    order_apply(tx->arena, before, w->application_count, ids, count, after);
    for (size_t i = 0; i < w->application_count && rc == 0; i++)
        rc = set_order(tx, catalogue_application(c, after[i]), (int64_t)i + 1);
    return rc == 0 ? tx_follow(tx) : rc;
}
