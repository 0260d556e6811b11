#include "model/grid/trash.h"

#include <errno.h>
#include <inttypes.h>

#include "base/fault.h"
#include "base/mem.h"
#include "model/access/access.h"
#include "model/grid/trash_internal.h"

/*
 * Entries of the trash: what went into it, and what there is. Coming back is restore.c's, going for
 * good purge.c's.
 */

static const char *const type_names[] = {
    [TRASH_WORKSPACE] = "workspace",
    [TRASH_APPLICATION] = "application",
    [TRASH_TABLE] = "table",
    [TRASH_FIELD] = "field",
    [TRASH_ROW] = "row",
    [TRASH_ROWS] = "rows",
};

const char *trash_type_name(enum trash_type type)
{
    return type_names[type];
}

bool trash_type_find(struct str name, enum trash_type *type_out)
{
    for (unsigned i = 0; i < COUNT_OF(type_names); i++)
        if (str_equal(name, str_of(type_names[i]))) {
            *type_out = (enum trash_type)i;
            return true;
        }
    return false;
}

/* ---- marks ---- */

int trash_mark(struct tx *tx, enum system_table which, const char *mark, const struct value *row,
               bool trashed)
{
    const struct assignment set = record_set(which, mark, value_integer(trashed));

    return record_update(tx, which, row, &set, 1);
}

/* ---- putting in ---- */

static struct value text_or_null(struct str text)
{
    return text.at ? value_text(text) : value_null();
}

static struct value number_or_null(int64_t number)
{
    return number != 0 ? value_integer(number) : value_null();
}

static int put(struct tx *tx, const struct trash_entry *e, const json_t *content)
{
    const struct value *row;
    const struct assignment entry[] = {
        TRASH_SET("workspace", value_integer(e->workspace)),
        TRASH_SET("application", number_or_null(e->application)),
        TRASH_SET("type", value_text(str_of(type_names[e->type]))),
        TRASH_SET("item", value_integer(e->item)),
        TRASH_SET("parent", number_or_null(e->parent)),
        TRASH_SET("name", value_text(e->name)),
        TRASH_SET("names", e->names ? value_text(json_text(tx->arena, e->names)) : value_null()),
        TRASH_SET("parent_name", text_or_null(e->parent_name)),
        TRASH_SET("user", text_or_null(tx->principal->user)),
        TRASH_SET("trashed_on", moment_value(tx->arena, tx->now_ms)),
        TRASH_SET("content", content ? value_text(json_text(tx->arena, content)) : value_null()),
    };

    int rc = record_create(tx, SYSTEM_TRASH, entry, COUNT_OF(entry), &row);
    if (rc != 0 || e->type != TRASH_ROWS)
        return rc;
    /* Several rows are known by their entry. */
    const struct assignment item = TRASH_SET("item", row[system_column(SYSTEM_TRASH, "id")]);
    return record_update(tx, SYSTEM_TRASH, row, &item, 1);
}

/* What went along, by id. */
static json_t *along_content(struct tx *tx, const int64_t *along, size_t count)
{
    json_t *content = json_object(), *fields = json_array();

    if (!content || !fields)
        mem_exhausted();
    arena_on_free(tx->arena, json_release, content);
    for (size_t i = 0; i < count; i++)
        json_array_append_new(fields, json_integer(along[i]));
    json_object_set_new(content, "fields", fields);
    return content;
}

int trash_put_table(struct tx *tx, const struct grid_table *t, const int64_t *along, size_t count)
{
    const struct trash_entry entry = {
        .type = TRASH_TABLE,
        .item = t->id,
        .workspace = t->application->workspace->id,
        .application = t->application->id,
        .name = t->name,
        .parent_name = t->application->name,
    };

    return put(tx, &entry, along_content(tx, along, count));
}

int trash_put_field(struct tx *tx, const struct grid_field *f, const int64_t *along, size_t count)
{
    const struct trash_entry entry = {
        .type = TRASH_FIELD,
        .item = f->id,
        .workspace = f->table->application->workspace->id,
        .application = f->table->application->id,
        .name = f->name,
        .parent_name = f->table->name,
    };

    return put(tx, &entry, along_content(tx, along, count));
}

int trash_application(struct tx *tx, int64_t id)
{
    const struct application *application;
    const struct value *row;

    int rc = application_find(tx, id, &application);
    if (rc == 0)
        rc = record_by_id(tx, SYSTEM_APPLICATIONS, id, &row);
    if (rc != 0)
        return rc;
    const struct trash_entry entry = {
        .type = TRASH_APPLICATION,
        .item = id,
        .workspace = application->workspace->id,
        .application = id,
        .name = application->name,
        .parent_name = application->workspace->name,
    };
    rc = put(tx, &entry, NULL);
    if (rc == 0)
        rc = trash_mark(tx, SYSTEM_APPLICATIONS, "trashed", row, true);
    return rc == 0 ? tx_follow(tx) : rc;
}

static int put_workspace(struct tx *tx, const struct workspace *w)
{
    const struct trash_entry entry = {
        .type = TRASH_WORKSPACE,
        .item = w->id,
        .workspace = w->id,
        .name = w->name,
    };
    const struct value *row;

    int rc = record_by_id(tx, SYSTEM_WORKSPACES, w->id, &row);
    if (rc == 0)
        rc = put(tx, &entry, NULL);
    if (rc == 0)
        rc = trash_mark(tx, SYSTEM_WORKSPACES, "trashed", row, true);
    return rc == 0 ? tx_follow(tx) : rc;
}

int trash_workspace(struct tx *tx, int64_t id)
{
    const struct workspace *w;

    int rc = workspace_find(tx, id, MEMBER_ADMIN, &w);
    return rc == 0 ? put_workspace(tx, w) : rc;
}

/* ---- rows ---- */

static void set_json(json_t *object, struct str name, json_t *value)
{
    if (!value || json_object_setn_new_nocheck(object, name.at, name.len, value) != 0)
        mem_exhausted();
}

/* A cell as JSON that its column reads back. */
static json_t *cell_json(struct tx *tx, const struct column *c, const struct value *cell)
{
    struct buf b;
    json_t *json = NULL;

    buf_init(&b, SIZE_MAX);
    type_write(&b, c, cell);
    json_read(tx->arena, buf_str(&b), &json, NULL);
    buf_deinit(&b);
    return json ? json : json_null();
}

/* The keys of the rows that it is linked to. Many-to-one columns are cells. */
static json_t *links_json(struct tx *tx, const struct grid_field *f, const struct link_cell *cell)
{
    json_t *keys = json_array();

    for (size_t i = 0; i < cell->count; i++)
        json_array_append_new(keys,
                              cell_json(tx, table_key(f->link->target->table), &cell->at[i].key));
    return keys;
}

struct str trash_links_name(struct arena *a, const struct grid_field *f)
{
    return arena_printf(a, "%" PRId64 "/%" PRId64, f->id, f->link->target->id);
}

/* `{"cells":{column:value},"links":{"31/7":[keys]}}` */
static json_t *row_json(struct tx *tx, const struct grid_table *t, const struct row *row,
                        const struct links *links)
{
    const struct shape *shape = &t->table->shape;
    json_t *json = json_object(), *cells = json_object(), *linked = json_object();

    for (size_t i = 0; i < shape->count; i++)
        if (!value_is_null(&row->before[i]))
            set_json(cells, shape->columns[i].name,
                     cell_json(tx, &shape->columns[i], &row->before[i]));
    for (size_t i = 0; i < t->field_count; i++) {
        const struct grid_field *f = &t->fields[i];
        if (!f->link || !f->link->junction)
            continue;
        const struct link_cell *cell = links_cell(links, f, &row->key.value);
        if (cell->count > 0)
            set_json(linked, trash_links_name(tx->arena, f), links_json(tx, f, cell));
    }
    set_json(json, STR("cells"), cells);
    set_json(json, STR("links"), linked);
    return json;
}

int trash_put_rows(struct tx *tx, const struct grid_table *t, const struct rows *rows,
                   const struct links *links)
{
    json_t *content = json_object(), *list = json_array(), *names = json_array();
    struct buf numbers;

    arena_on_free(tx->arena, json_release, content);
    buf_init(&numbers, SIZE_MAX);
    for (size_t i = 0; i < rows->count; i++) {
        const struct row *row = rows->list[i];
        struct str name = grid_row_name(tx->arena, t, row->before);
        json_array_append_new(list, row_json(tx, t, row, links));
        json_array_append_new(names, json_stringn(name.at ? name.at : "", name.len));
        buf_printf(&numbers, "%s%" PRId64, i > 0 ? ", " : "", grid_row_id(t, row->before));
    }
    set_json(content, STR("rows"), list);
    arena_on_free(tx->arena, json_release, names);
    const struct trash_entry entry = {
        .type = rows->count == 1 ? TRASH_ROW : TRASH_ROWS,
        .item = rows->count == 1 ? grid_row_id(t, rows->list[0]->before) : 0,
        .parent = t->id,
        .workspace = t->application->workspace->id,
        .application = t->application->id,
        .name = arena_str(tx->arena, buf_str(&numbers)),
        .names = names,
        .parent_name = t->name,
    };
    buf_deinit(&numbers);
    return put(tx, &entry, content);
}

/* ---- what there is ---- */

const struct expr *trash_test(struct arena *a, const char *column, struct value value)
{
    return system_test(a, SYSTEM_TRASH, column, OP_EQ, value);
}

/* Of a workspace, or of one of its applications; not what was emptied. */
static const struct expr *of_place(struct arena *a, int64_t workspace, int64_t application)
{
    const struct expr *where = expr_and(a, trash_test(a, "workspace", value_integer(workspace)),
                                        trash_test(a, "emptied", value_integer(0)));

    return application == 0
               ? where
               : expr_and(a, where, trash_test(a, "application", value_integer(application)));
}

static int who_trashed(struct tx *tx, struct str user, struct str *name_out)
{
    size_t count = 0;
    const struct member *const *theirs =
        user.at ? catalogue_memberships(tx->catalogue, user, &count) : NULL;

    *name_out = count > 0 ? theirs[0]->name : STR_NULL;
    return 0;
}

static int read_entry(struct tx *tx, const struct value *row, struct trash_entry *entry_out)
{
    json_t *names = NULL;
    struct str text = system_text(SYSTEM_TRASH, row, "names");

    if (text.at && json_read_in(tx->arena, text, &names, NULL) != 0)
        return FAULT_BECAUSE(EBADMSG, "an entry of the trash holds malformed names");
    *entry_out = (struct trash_entry){
        .id = system_integer(SYSTEM_TRASH, row, "id"),
        .item = system_integer(SYSTEM_TRASH, row, "item"),
        .parent = system_integer(SYSTEM_TRASH, row, "parent"),
        .workspace = system_integer(SYSTEM_TRASH, row, "workspace"),
        .application = system_integer(SYSTEM_TRASH, row, "application"),
        .name = system_text(SYSTEM_TRASH, row, "name"),
        .parent_name = system_text(SYSTEM_TRASH, row, "parent_name"),
        .trashed_at = system_text(SYSTEM_TRASH, row, "trashed_on"),
        .names = names,
    };
    trash_type_find(system_text(SYSTEM_TRASH, row, "type"), &entry_out->type);
    return who_trashed(tx, system_text(SYSTEM_TRASH, row, "user"), &entry_out->who);
}

struct listing {
    struct tx *tx;
    struct trash_entry *list;
    size_t count;
};

static int take_entry(void *context, const struct value *row)
{
    struct listing *l = context;
    const struct value *copy =
        value_copy_row(l->tx->arena, row, system_table(SYSTEM_TRASH)->shape.count);

    return read_entry(l->tx, copy, &l->list[l->count++]);
}

/* A trashed workspace is in no catalogue: its members' rows say who may look. */
int trash_check_member(struct tx *tx, int64_t workspace, bool admin)
{
    const struct workspace *w = catalogue_workspace(tx->catalogue, workspace);
    struct system_rows rows;
    struct arena *a = tx->arena;

    if (w)
        return workspace_find(tx, workspace, admin ? MEMBER_ADMIN : MEMBER_MEMBER, &w);
    const struct expr *where =
        expr_and(a, system_test(a, SYSTEM_MEMBERS, "workspace", OP_EQ, value_integer(workspace)),
                 system_test(a, SYSTEM_MEMBERS, "user", OP_EQ, value_text(tx->principal->user)));
    int rc = system_rows(tx->store, a, SYSTEM_MEMBERS, where, NULL, &rows);
    if (rc != 0)
        return rc;
    if (rows.count == 0)
        return refuse_wish(tx, WORKSPACE_NONE);
    return admin && !str_equal(system_text(SYSTEM_MEMBERS, rows.at[0], "role"), STR("ADMIN"))
               ? refuse_wish(tx, WORKSPACE_NOT_ADMIN)
               : 0;
}

/* Of this workspace; it may be trashed itself. */
static int check_application(struct tx *tx, int64_t workspace, int64_t application)
{
    const struct value *row;

    if (application == 0)
        return 0;
    int rc = record_by_id(tx, SYSTEM_APPLICATIONS, application, &row);
    if (rc != 0)
        return rc;
    if (!row)
        return refuse_wish(tx, WORKSPACE_NO_APPLICATION);
    return system_integer(SYSTEM_APPLICATIONS, row, "workspace") == workspace
               ? 0
               : refuse_wish(tx, WORKSPACE_FOREIGN_APPLICATION);
}

int trash_list(struct tx *tx, int64_t workspace, int64_t application, int64_t limit, int64_t offset,
               struct trash_entry **list_out, size_t *count_out, int64_t *total_out)
{
    const struct shape *shape = &system_table(SYSTEM_TRASH)->shape;
    const struct order newest = {.column = &shape->columns[shape->key], .descending = true};
    const struct select select = {
        .shape = shape,
        .where = of_place(tx->arena, workspace, application),
        .orders = &newest,
        .order_count = 1,
        .limit = limit,
        .offset = offset,
        .now_ms = tx->now_ms,
    };
    struct listing listing = {.tx = tx,
                              .list = ARENA_ARRAY(tx->arena, struct trash_entry, (size_t)limit)};

    int rc = trash_check_member(tx, workspace, false);
    if (rc == 0)
        rc = check_application(tx, workspace, application);
    if (rc == 0)
        rc = store_count(tx->store, &select, total_out);
    if (rc == 0)
        rc = store_select(tx->store, &select, take_entry, &listing);
    if (rc == 0) {
        *list_out = listing.list;
        *count_out = listing.count;
    }
    return rc;
}

static int empty_place(struct tx *tx, int64_t workspace, int64_t application)
{
    const struct assignment emptied = TRASH_SET("emptied", value_integer(1));
    struct system_rows rows;

    int rc = system_rows(tx->store, tx->arena, SYSTEM_TRASH,
                         of_place(tx->arena, workspace, application), NULL, &rows);
    for (size_t i = 0; rc == 0 && i < rows.count; i++)
        rc = record_update(tx, SYSTEM_TRASH, rows.at[i], &emptied, 1);
    return rc;
}

int trash_empty(struct tx *tx, int64_t workspace, int64_t application)
{
    int rc = trash_check_member(tx, workspace, false);
    if (rc == 0)
        rc = check_application(tx, workspace, application);
    return rc == 0 ? empty_place(tx, workspace, application) : rc;
}

int trash_discard_workspace(struct tx *tx, const struct workspace *w)
{
    int rc = put_workspace(tx, w);
    return rc == 0 ? empty_place(tx, w->id, 0) : rc;
}

/* ---- places ---- */

static int add_applications(struct tx *tx, struct trash_place *place)
{
    struct system_rows rows;

    int rc = system_rows(
        tx->store, tx->arena, SYSTEM_APPLICATIONS,
        system_test(tx->arena, SYSTEM_APPLICATIONS, "workspace", OP_EQ, value_integer(place->id)),
        "order", &rows);
    if (rc != 0)
        return rc;
    place->applications = ARENA_ARRAY(tx->arena, struct trash_place, rows.count);
    for (size_t i = 0; i < rows.count; i++)
        place->applications[place->count++] = (struct trash_place){
            .id = system_integer(SYSTEM_APPLICATIONS, rows.at[i], "id"),
            .name = system_text(SYSTEM_APPLICATIONS, rows.at[i], "name"),
            .type = system_text(SYSTEM_APPLICATIONS, rows.at[i], "type"),
            .trashed = system_integer(SYSTEM_APPLICATIONS, rows.at[i], "trashed") != 0,
        };
    return 0;
}

int trash_places(struct tx *tx, struct trash_place **list_out, size_t *count_out)
{
    struct system_rows memberships;

    int rc = system_rows(
        tx->store, tx->arena, SYSTEM_MEMBERS,
        system_test(tx->arena, SYSTEM_MEMBERS, "user", OP_EQ, value_text(tx->principal->user)),
        "order", &memberships);
    if (rc != 0)
        return rc;
    struct trash_place *list = ARENA_ARRAY(tx->arena, struct trash_place, memberships.count);
    for (size_t i = 0; i < memberships.count && rc == 0; i++) {
        const struct value *row;
        rc = record_by_id(tx, SYSTEM_WORKSPACES,
                          system_integer(SYSTEM_MEMBERS, memberships.at[i], "workspace"), &row);
        if (rc != 0 || !row)
            continue;
        list[i] = (struct trash_place){
            .id = system_integer(SYSTEM_WORKSPACES, row, "id"),
            .name = system_text(SYSTEM_WORKSPACES, row, "name"),
            .trashed = system_integer(SYSTEM_WORKSPACES, row, "trashed") != 0,
        };
        rc = add_applications(tx, &list[i]);
    }
    if (rc == 0) {
        *list_out = list;
        *count_out = memberships.count;
    }
    return rc;
}
