#include <errno.h>

#include "base/clock.h"
#include "base/fault.h"
#include "model/access/access.h"
#include "model/grid/trash_internal.h"
#include "model/schema/schema.h"

/*
 * Going for good. What is marked, and what is above it, is brought back into sight of this
 * transaction first, so that the functions that delete such things for good find it; what stays is
 * marked again. Whoever looks at the commit from before or after sees nothing of it.
 */

/* ---- marks ---- */

/* Rows whose column has this value; *found_out: one of them was marked (NULL: nobody asks). */
static int unmark(struct tx *tx, enum system_table which, const char *column, struct value value,
                  const char *mark, bool *found_out)
{
    struct system_rows rows;

    int rc = system_rows(tx->store, tx->arena, which,
                         system_test(tx->arena, which, column, OP_EQ, value), NULL, &rows);
    for (size_t i = 0; i < rows.count && rc == 0; i++) {
        if (system_integer(which, rows.at[i], mark) == 0)
            continue;
        if (found_out)
            *found_out = true;
        rc = trash_mark(tx, which, mark, rows.at[i], false);
    }
    return rc;
}

/* What lies above an item, from the top down; in the trash by itself, perhaps. */
struct veil {
    enum system_table which;
    const char *column, *mark;
    struct value value;
    bool lifted;
};
enum { VEILS = 3 };
struct veils {
    struct veil at[VEILS];
    size_t count;
};

static void add_veil(struct veils *v, enum system_table which, const char *column, const char *mark,
                     struct value value)
{
    if (!value_is_null(&value))
        v->at[v->count++] = (struct veil){which, column, mark, value, false};
}

static int find_veils(struct tx *tx, enum trash_type type, const struct value *entry,
                      struct veils *v)
{
    const struct value *field = NULL;
    int rc = 0;

    if (type != TRASH_WORKSPACE)
        add_veil(v, SYSTEM_WORKSPACES, "id", "trashed",
                 entry[system_column(SYSTEM_TRASH, "workspace")]);
    if (type == TRASH_TABLE || type == TRASH_FIELD)
        add_veil(v, SYSTEM_APPLICATIONS, "id", "trashed",
                 entry[system_column(SYSTEM_TRASH, "application")]);
    if (type == TRASH_FIELD)
        rc = record_by_id(tx, SYSTEM_FIELDS, system_integer(SYSTEM_TRASH, entry, "item"), &field);
    if (rc == 0 && field)
        add_veil(v, SYSTEM_COLLECTIONS, "collection", "rowcast_trashed",
                 field[system_column(SYSTEM_FIELDS, "collection")]);
    return rc;
}

static int lift_veils(struct tx *tx, struct veils *v)
{
    int rc = 0;

    for (size_t i = 0; i < v->count && rc == 0; i++) {
        struct veil *veil = &v->at[i];
        rc = unmark(tx, veil->which, veil->column, veil->value, veil->mark, &veil->lifted);
    }
    return rc;
}

static int drop_veils(struct tx *tx, const struct veils *v)
{
    int rc = 0;

    for (size_t i = 0; i < v->count && rc == 0; i++) {
        const struct veil *veil = &v->at[i];
        struct system_rows rows = {0};
        if (!veil->lifted)
            continue;
        rc = system_rows(tx->store, tx->arena, veil->which,
                         system_test(tx->arena, veil->which, veil->column, OP_EQ, veil->value),
                         NULL, &rows);
        for (size_t k = 0; k < rows.count && rc == 0; k++)
            rc = trash_mark(tx, veil->which, veil->mark, rows.at[k], true);
    }
    return rc;
}

/* Fields that went along with a table: columns that refer to it stay without it. */
static int unmark_along(struct tx *tx, const json_t *content)
{
    const json_t *fields = json_get(content, "fields");
    int rc = 0;

    for (size_t i = 0; i < json_array_size(fields) && rc == 0; i++)
        rc = unmark(tx, SYSTEM_FIELDS, "id",
                    value_integer(json_integer_value(json_array_get(fields, i))), "rowcast_trashed",
                    NULL);
    return rc;
}

/* A table with its fields, which may have been trashed before it. */
static int unmark_tables(struct tx *tx, const char *column, int64_t id)
{
    struct system_rows rows;

    int rc = unmark(tx, SYSTEM_COLLECTIONS, column, value_integer(id), "rowcast_trashed", NULL);
    if (rc == 0)
        rc = system_rows(
            tx->store, tx->arena, SYSTEM_COLLECTIONS,
            system_test(tx->arena, SYSTEM_COLLECTIONS, column, OP_EQ, value_integer(id)), NULL,
            &rows);
    for (size_t i = 0; rc == 0 && i < rows.count; i++)
        rc = unmark(tx, SYSTEM_FIELDS, "collection",
                    rows.at[i][system_column(SYSTEM_COLLECTIONS, "collection")], "rowcast_trashed",
                    NULL);
    return rc == 0 ? tx_follow(tx) : rc;
}

/* ---- fields and tables ---- */

/*
 * Links through junctions, by what their rows say of them: the catalogue has none of which an end
 * lies in the trash.
 */
struct link_rows {
    struct link_row {
        const struct value *row; /* of directus_fields */
        int64_t target;          /* the table's number */
        struct str junction;     /* absent: it is gone */
    } * at;
    size_t count;
};

/* The junction stays absent: it is no such link. */
static int read_link(struct tx *tx, const struct value *row, struct link_row *link_out)
{
    struct str text = system_text(SYSTEM_FIELDS, row, "rowcast_settings");
    json_t *settings = NULL;

    *link_out = (struct link_row){.row = row};
    if (!str_equal(system_text(SYSTEM_FIELDS, row, "rowcast_kind"), STR("link_row")) || !text.at)
        return 0;
    if (json_read_in(tx->arena, text, &settings, NULL) != 0)
        return FAULT_BECAUSE(EBADMSG, "a link holds malformed settings");
    link_out->target = json_integer_value(json_get(settings, "table"));
    link_out->junction = json_get_str(settings, "junction");
    return 0;
}

static int find_links(struct tx *tx, struct link_rows *links)
{
    struct system_rows rows;

    *links = (struct link_rows){0};
    int rc = system_rows(
        tx->store, tx->arena, SYSTEM_FIELDS,
        system_test(tx->arena, SYSTEM_FIELDS, "rowcast_kind", OP_EQ, value_text(STR("link_row"))),
        NULL, &rows);
    if (rc != 0)
        return rc;
    links->at = ARENA_ARRAY(tx->arena, struct link_row, rows.count);
    for (size_t i = 0; i < rows.count && rc == 0; i++)
        rc = read_link(tx, rows.at[i], &links->at[links->count++]);
    return rc;
}

/* With the fields that show it, at both ends. */
static int purge_junction(struct tx *tx, struct link_rows *links, struct str junction)
{
    int rc = 0;

    for (size_t i = 0; i < links->count && rc == 0; i++) {
        struct link_row *link = &links->at[i];
        const struct system_rows gone = {&link->row, 1};
        if (!link->junction.at || !str_equal(link->junction, junction))
            continue;
        rc = record_delete(tx, SYSTEM_FIELDS, &gone);
        link->junction = STR_NULL;
    }
    /* Others may have deleted the table of links. */
    return rc == 0 && catalogue_table(tx->catalogue, junction)
               ? schema_delete_collection(tx, junction)
               : rc;
}

static int purge_link(struct tx *tx, struct str junction)
{
    struct link_rows links;

    int rc = find_links(tx, &links);
    return rc == 0 ? purge_junction(tx, &links, junction) : rc;
}

static int purge_column(struct tx *tx, const struct value *row)
{
    int rc = trash_mark(tx, SYSTEM_FIELDS, "rowcast_trashed", row, false);
    if (rc == 0)
        rc = tx_follow(tx);
    return rc == 0 ? schema_delete_field(tx, system_text(SYSTEM_FIELDS, row, "collection"),
                                         system_text(SYSTEM_FIELDS, row, "field"))
                   : rc;
}

static int purge_field(struct tx *tx, int64_t id, const json_t *content)
{
    const struct value *row;
    struct link_row link;

    (void)content;
    int rc = tx_follow(tx);
    if (rc == 0)
        rc = record_by_id(tx, SYSTEM_FIELDS, id, &row);
    if (rc != 0 || !row)
        return rc;
    rc = read_link(tx, row, &link);
    if (rc != 0)
        return rc;
    if (link.junction.at)
        return purge_link(tx, link.junction);
    if (system_text(SYSTEM_FIELDS, row, "rowcast_type").at)
        return purge_column(tx, row);
    const struct system_rows gone = {&row, 1};
    return record_delete(tx, SYSTEM_FIELDS, &gone);
}

/* The junctions of its links, and of those from other tables. */
static int purge_links(struct tx *tx, const struct grid_table *t)
{
    struct str name = t->table->name;
    struct link_rows links;
    int64_t id = t->id;

    int rc = find_links(tx, &links);
    for (size_t i = 0; i < links.count && rc == 0; i++) {
        const struct link_row *link = &links.at[i];
        bool own = str_equal(system_text(SYSTEM_FIELDS, link->row, "collection"), name);
        if (link->junction.at && (own || link->target == id))
            rc = purge_junction(tx, &links, link->junction);
    }
    return rc == 0 ? tx_follow(tx) : rc;
}

/* One that is in sight. */
static int drop_table(struct tx *tx, int64_t id)
{
    int rc = purge_links(tx, grid_table(tx->catalogue, id));
    if (rc == 0)
        rc = schema_delete_collection(tx, grid_table(tx->catalogue, id)->table->name);
    return rc == 0 ? tx_follow(tx) : rc;
}

static int purge_table(struct tx *tx, int64_t id, const json_t *content)
{
    int rc = unmark_along(tx, content);
    if (rc == 0)
        rc = unmark_tables(tx, "rowcast_table_id", id);
    return rc == 0 && grid_table(tx->catalogue, id) ? drop_table(tx, id) : rc;
}

/* ---- applications and workspaces ---- */

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

/* Tables that nobody placed there stay: others made them, and they are there for others. */
static const struct grid_table *placed_table(const struct tx *tx, int64_t application)
{
    size_t count;
    const struct grid_table *const *tables = grid_tables(tx->catalogue, application, &count);

    for (size_t i = 0; i < count; i++)
        if (tables[i]->placed)
            return tables[i];
    return NULL;
}

static int purge_application(struct tx *tx, int64_t id, const json_t *content)
{
    const struct grid_table *t;

    (void)content;
    int rc = unmark(tx, SYSTEM_APPLICATIONS, "id", value_integer(id), "trashed", NULL);
    if (rc == 0)
        rc = unmark_tables(tx, "rowcast_application", id);
    while (rc == 0 && (t = placed_table(tx, id)))
        rc = drop_table(tx, t->id);
    if (rc == 0)
        rc = forget_entries(tx, "application", id);
    return rc == 0 ? delete_record(tx, SYSTEM_APPLICATIONS, id) : rc;
}

static int purge_workspace(struct tx *tx, int64_t id, const json_t *content)
{
    struct system_rows applications;

    (void)content;
    int rc = unmark(tx, SYSTEM_WORKSPACES, "id", value_integer(id), "trashed", NULL);
    if (rc == 0)
        rc = system_rows(
            tx->store, tx->arena, SYSTEM_APPLICATIONS,
            system_test(tx->arena, SYSTEM_APPLICATIONS, "workspace", OP_EQ, value_integer(id)),
            NULL, &applications);
    for (size_t i = 0; rc == 0 && i < applications.count; i++)
        rc = purge_application(tx, system_integer(SYSTEM_APPLICATIONS, applications.at[i], "id"),
                               NULL);
    if (rc == 0)
        rc = forget_entries(tx, "workspace", id);
    return rc == 0 ? delete_record(tx, SYSTEM_WORKSPACES, id) : rc;
}

/* ---- one at a time ---- */

/* Rows are nowhere else. */
static int (*const purges[])(struct tx *tx, int64_t id, const json_t *content) = {
    [TRASH_WORKSPACE] = purge_workspace,
    [TRASH_APPLICATION] = purge_application,
    [TRASH_TABLE] = purge_table,
    [TRASH_FIELD] = purge_field,
    [TRASH_ROW] = NULL,
    [TRASH_ROWS] = NULL,
};

static int take_id(void *context, const struct value *row)
{
    int64_t *id = context;

    *id = system_integer(SYSTEM_TRASH, row, "id");
    return 0;
}

int trash_next_due(struct tx *tx, int64_t before_ms, int64_t after, int64_t *entry_out)
{
    const struct shape *shape = &system_table(SYSTEM_TRASH)->shape;
    const struct order order = {.column = &shape->columns[shape->key]};
    struct arena *a = tx->arena;
    char moment[CLOCK_TEXT_MAX];

    clock_write_timestamp(before_ms, moment);
    const struct expr *due =
        expr_or(a, trash_test(a, "emptied", value_integer(1)),
                system_test(a, SYSTEM_TRASH, "trashed_on", OP_LT, value_text(str_of(moment))));
    const struct select select = {
        .shape = shape,
        .where = expr_and(a, due, system_test(a, SYSTEM_TRASH, "id", OP_GT, value_integer(after))),
        .orders = &order,
        .order_count = 1,
        .limit = 1,
        .now_ms = tx->now_ms,
    };
    int64_t id = 0;
    int rc = store_select(tx->store, &select, take_id, &id);
    if (rc == 0)
        *entry_out = id;
    return rc;
}

static int purge(struct tx *tx, const struct value *entry)
{
    enum trash_type type = TRASH_ROW;
    struct veils veils = {0};
    json_t *content;

    trash_type_find(system_text(SYSTEM_TRASH, entry, "type"), &type);
    if (!purges[type])
        return 0;
    int rc = trash_content(tx, entry, &content);
    if (rc == 0)
        rc = find_veils(tx, type, entry, &veils);
    if (rc == 0)
        rc = lift_veils(tx, &veils);
    if (rc == 0)
        rc = purges[type](tx, system_integer(SYSTEM_TRASH, entry, "item"), content);
    return rc == 0 ? drop_veils(tx, &veils) : rc;
}

int trash_purge(struct tx *tx, int64_t entry)
{
    const struct value *row;

    int rc = record_by_id(tx, SYSTEM_TRASH, entry, &row);
    if (rc != 0 || !row)
        return rc;
    rc = purge(tx, row);
    return rc == 0 ? delete_record(tx, SYSTEM_TRASH, entry) : rc;
}
