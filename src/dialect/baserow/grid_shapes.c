/* Databases, their tables and fields on the wire (7.8, 7.9, 10.1, 10.7). */
#include "dialect/baserow/shapes.h"

#include <inttypes.h>

#include "base/json.h"
#include "dialect/baserow/baserow.h"

static void put_id_or_null(struct buf *b, const char *key, const struct grid_field *f)
{
    if (f)
        shape_int(b, key, f->id);
    else
        shape_text_or_null(b, key, STR_NULL);
}

void shape_table(struct buf *b, const struct grid_table *t)
{
    buf_printf(b, "{\"id\":%" PRId64, t->id);
    shape_text(b, "name", t->name);
    shape_int(b, "order", t->order);
    shape_int(b, "database_id", t->application->id);
    buf_put_lit(b, ",\"data_sync\":null}");
}

static void put_tables(struct buf *b, const struct catalogue *c, int64_t application)
{
    size_t count;
    const struct grid_table *const *tables = grid_tables(c, application, &count);

    buf_put_lit(b, ",\"tables\":[");
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_put_char(b, ',');
        shape_table(b, tables[i]);
    }
    buf_put_char(b, ']');
}

void shape_application(struct buf *b, const struct catalogue *c,
                       const struct application *application)
{
    buf_printf(b, "{\"id\":%" PRId64, application->id);
    shape_text(b, "name", application->name);
    shape_int(b, "order", application->order);
    shape_text(b, "type", application->type);
    shape_key(b, "created_on");
    shape_moment(b, application->created_on);
    shape_key(b, "workspace");
    shape_workspace(b, application->workspace);
    if (baserow_settings()->legacy_group_keys) {
        shape_key(b, "group");
        shape_workspace(b, application->workspace);
    }
    put_tables(b, c, application->id);
    buf_put_char(b, '}');
}

/* ---- fields ---- */

/* Links say where they lead; the target's primary field is shown whole, once. */
static void put_link(struct buf *b, const struct grid_field *f, bool nested)
{
    const struct grid_link *link = f->link;

    shape_int(b, "link_row_table_id", link->target->id);
    shape_int(b, "link_row_table", link->target->id);
    put_id_or_null(b, "link_row_related_field_id", link->related);
    put_id_or_null(b, "link_row_related_field", link->related);
    shape_text_or_null(b, "link_row_limit_selection_view_id", STR_NULL);
    shape_bool(b, "link_row_multiple_relationships", f->settings.several);
    if (!nested) {
        shape_key(b, "link_row_table_primary_field");
        shape_field(b, link->target->primary);
    }
}

/* The workspace's people, of whom such a field names some. */
static void put_people(struct buf *b, const struct grid_field *f)
{
    const struct workspace *w = f->table->application->workspace;

    buf_put_lit(b, ",\"available_collaborators\":[");
    for (size_t i = 0; i < w->member_count; i++) {
        buf_printf(b, "%s{\"id\":%" PRId64 ",\"name\":", i > 0 ? "," : "", w->members[i]->account);
        json_put_str(b, w->members[i]->name);
        buf_put_char(b, '}');
    }
    buf_put_char(b, ']');
}

static void put_settings(struct buf *b, const struct grid_field *f)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)f->settings.json, key, value)
    {
        shape_key(b, key);
        json_put_value(b, value);
    }
}

static bool names_people(enum kind_id id)
{
    return id == KIND_MULTIPLE_COLLABORATORS || id == KIND_CREATED_BY ||
           id == KIND_LAST_MODIFIED_BY;
}

void shape_field(struct buf *b, const struct grid_field *f)
{
    const struct application *application = f->table->application;
    bool own_column = f->column && !field_hidden(&f->table->table->fields[f->column->index]);

    buf_printf(b, "{\"id\":%" PRId64, f->id);
    shape_int(b, "table_id", f->table->id);
    shape_text(b, "name", f->name);
    shape_int(b, "order", f->order);
    shape_text(b, "type", str_of(f->kind->name));
    shape_bool(b, "primary", f->primary);
    shape_bool(b, "read_only", f->read_only);
    shape_bool(b, "immutable_type", false);
    shape_bool(b, "immutable_properties", false);
    shape_text_or_null(b, "description", f->description);
    shape_int(b, "database_id", application->id);
    shape_int(b, "workspace_id", application->workspace->id);
    shape_bool(b, "db_index", own_column && f->column->indexed);
    buf_put_str(b, f->settings.unique
                       ? STR(",\"field_constraints\":[{\"type_name\":\"unique_with_empty\"}]")
                       : STR(",\"field_constraints\":[]"));
    if (f->link)
        put_link(b, f, f->primary);
    else
        put_settings(b, f);
    if (names_people(f->kind->id))
        put_people(b, f);
    buf_put_char(b, '}');
}
