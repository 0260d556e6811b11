#include "base/clock.h"
#include "model/access/access.h"
#include "model/grid/trash_internal.h"
#include "model/schema/schema.h"

/*
 * Going for good. What was marked is brought back into sight of this transaction first, so that the
 * functions that delete such things for good find it; whoever looks at the commit from before or
 * after sees nothing of it.
 */

static int purge_junction(struct tx *tx, const struct grid_field *f)
{
    struct system_rows rows = {0};
    const struct grid_field *ends[] = {f, f->link->related};
    struct str junction = f->link->junction->name;
    int rc = 0;

    for (size_t i = 0; i < COUNT_OF(ends) && rc == 0; i++) {
        const struct value *row = NULL;
        if (!ends[i])
            continue;
        rc = record_by_id(tx, SYSTEM_FIELDS, ends[i]->id, &row);
        if (rc == 0 && row) {
            rows = (struct system_rows){&row, 1};
            rc = record_delete(tx, SYSTEM_FIELDS, &rows);
        }
    }
    return rc == 0 ? schema_delete_collection(tx, junction) : rc;
}

/* Of a table or a field, of what is below it or above it: any row whose column says so. */
static int unmark_all(struct tx *tx, enum system_table which, const char *column,
                      struct value value, const char *mark)
{
    struct system_rows rows;

    int rc = system_rows(tx->store, tx->arena, which,
                         system_test(tx->arena, which, column, OP_EQ, value), NULL, &rows);
    for (size_t i = 0; i < rows.count && rc == 0; i++)
        if (system_integer(which, rows.at[i], mark) != 0)
            rc = trash_mark(tx, which, mark, rows.at[i], false);
    return rc;
}

static int purge_field_of(struct tx *tx, const struct grid_field *f)
{
    const struct value *row;

    if (f->link && f->link->junction)
        return purge_junction(tx, f);
    if (f->column && !field_hidden(&f->table->table->fields[f->column->index]))
        return schema_delete_field(tx, f->table->table->name, f->column->name);
    int rc = record_by_id(tx, SYSTEM_FIELDS, f->id, &row);
    if (rc != 0 || !row)
        return rc;
    const struct system_rows gone = {&row, 1};
    return record_delete(tx, SYSTEM_FIELDS, &gone);
}

static int purge_field(struct tx *tx, int64_t id)
{
    int rc = trash_mark_field(tx, id, false);
    if (rc == 0)
        rc = tx_follow(tx);
    if (rc != 0)
        return rc;
    const struct grid_field *f = grid_field(tx->catalogue, id);
    return f ? purge_field_of(tx, f) : 0; /* else it goes with its table */
}

/* The junctions of its links first, those from other tables too. */
static int purge_links(struct tx *tx, int64_t table)
{
    for (;;) {
        const struct grid_table *t = grid_table(tx->catalogue, table);
        const struct grid_field *found = NULL;
        size_t count;
        const struct grid_field *const *to = grid_links_to(tx->catalogue, t, &count);
        for (size_t i = 0; i < t->field_count && !found; i++)
            if (t->fields[i].link && t->fields[i].link->junction)
                found = &t->fields[i];
        for (size_t i = 0; i < count && !found; i++)
            if (to[i]->link->junction)
                found = to[i];
        if (!found)
            return 0;
        int rc = purge_junction(tx, found);
        if (rc == 0)
            rc = tx_follow(tx);
        if (rc != 0)
            return rc;
    }
}

/* With trashed fields, and what other tables link to it. */
static int purge_table(struct tx *tx, int64_t id)
{
    int rc = unmark_all(tx, SYSTEM_COLLECTIONS, "rowcast_table_id", value_integer(id),
                        "rowcast_trashed");
    if (rc == 0)
        rc = tx_follow(tx);
    if (rc != 0)
        return rc;
    const struct grid_table *t = grid_table(tx->catalogue, id);
    if (!t)
        return 0; /* it goes with its application */
    rc = unmark_all(tx, SYSTEM_FIELDS, "collection", value_text(t->table->name), "rowcast_trashed");
    if (rc == 0)
        rc = tx_follow(tx);
    if (rc == 0)
        rc = purge_links(tx, id);
    t = rc == 0 ? grid_table(tx->catalogue, id) : NULL;
    return t ? schema_delete_collection(tx, t->table->name) : rc;
}

/* What lay in the trash of a place that is gone is gone, too. */
static int forget_entries(struct tx *tx, const char *column, int64_t id)
{
    struct system_rows rows;

    int rc = system_rows(tx->store, tx->arena, SYSTEM_TRASH,
                         trash_test(tx->arena, column, value_integer(id)), NULL, &rows);
    return rc == 0 ? record_delete(tx, SYSTEM_TRASH, &rows) : rc;
}

static int delete_record(struct tx *tx, enum system_table which, int64_t id)
{
    const struct value *row;

    int rc = record_by_id(tx, which, id, &row);
    if (rc != 0 || !row)
        return rc;
    const struct system_rows gone = {&row, 1};
    rc = record_delete(tx, which, &gone);
    return rc == 0 ? tx_follow(tx) : rc;
}

static int purge_application(struct tx *tx, int64_t id)
{
    size_t count;

    int rc = unmark_all(tx, SYSTEM_APPLICATIONS, "id", value_integer(id), "trashed");
    if (rc == 0)
        rc = unmark_all(tx, SYSTEM_COLLECTIONS, "rowcast_application", value_integer(id),
                        "rowcast_trashed");
    if (rc == 0)
        rc = tx_follow(tx);
    if (rc != 0 || !catalogue_application(tx->catalogue, id))
        return rc; /* it goes with its workspace */
    for (;;) {
        const struct grid_table *const *tables = grid_tables(tx->catalogue, id, &count);
        if (count == 0)
            break;
        rc = purge_table(tx, tables[0]->id);
        if (rc == 0)
            rc = tx_follow(tx);
        if (rc != 0)
            return rc;
    }
    rc = forget_entries(tx, "application", id);
    return rc == 0 ? delete_record(tx, SYSTEM_APPLICATIONS, id) : rc;
}

static int purge_workspace(struct tx *tx, int64_t id)
{
    struct system_rows applications;

    int rc = unmark_all(tx, SYSTEM_WORKSPACES, "id", value_integer(id), "trashed");
    if (rc == 0)
        rc = system_rows(
            tx->store, tx->arena, SYSTEM_APPLICATIONS,
            system_test(tx->arena, SYSTEM_APPLICATIONS, "workspace", OP_EQ, value_integer(id)),
            NULL, &applications);
    if (rc == 0)
        rc = tx_follow(tx);
    for (size_t i = 0; rc == 0 && i < applications.count; i++)
        rc = purge_application(tx, system_integer(SYSTEM_APPLICATIONS, applications.at[i], "id"));
    if (rc == 0)
        rc = forget_entries(tx, "workspace", id);
    return rc == 0 ? delete_record(tx, SYSTEM_WORKSPACES, id) : rc;
}

/* Rows are nowhere else. */
static int purge_nothing(struct tx *tx, int64_t id)
{
    (void)tx;
    (void)id;
    return 0;
}

static int (*const purges[])(struct tx *tx, int64_t id) = {
    [TRASH_WORKSPACE] = purge_workspace, [TRASH_APPLICATION] = purge_application,
    [TRASH_TABLE] = purge_table,         [TRASH_FIELD] = purge_field,
    [TRASH_ROW] = purge_nothing,         [TRASH_ROWS] = purge_nothing,
};

/* ---- one at a time ---- */

struct oldest {
    struct arena *arena;
    const struct value *row;
    size_t count;
};

static int take(void *context, const struct value *row)
{
    struct oldest *oldest = context;

    if (oldest->count++ == 0)
        oldest->row = value_copy_row(oldest->arena, row, system_table(SYSTEM_TRASH)->shape.count);
    return 0;
}

int trash_purge(struct tx *tx, int64_t before_ms, bool *more_out)
{
    const struct shape *shape = &system_table(SYSTEM_TRASH)->shape;
    const struct order order = {.column = &shape->columns[shape->key]};
    char moment[CLOCK_TEXT_MAX];
    enum trash_type type = TRASH_ROW;

    clock_write_timestamp(before_ms, moment);
    const struct select select = {
        .shape = shape,
        .where = expr_or(
            tx->arena, trash_test(tx->arena, "emptied", value_integer(1)),
            system_test(tx->arena, SYSTEM_TRASH, "trashed_on", OP_LT, value_text(str_of(moment)))),
        .orders = &order,
        .order_count = 1,
        .limit = 2,
        .now_ms = tx->now_ms,
    };
    struct oldest oldest = {.arena = tx->arena};
    int rc = store_select(tx->store, &select, take, &oldest);
    if (rc != 0)
        return rc;
    *more_out = oldest.count > 1;
    if (!oldest.row)
        return 0;
    trash_type_find(system_text(SYSTEM_TRASH, oldest.row, "type"), &type);
    int64_t entry = system_integer(SYSTEM_TRASH, oldest.row, "id");
    rc = purges[type](tx, system_integer(SYSTEM_TRASH, oldest.row, "item"));
    return rc == 0 ? delete_record(tx, SYSTEM_TRASH, entry) : rc;
}
