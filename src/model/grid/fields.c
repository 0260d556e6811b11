#include "model/grid/fields.h"

#include <errno.h>

#include "base/fault.h"
#include "base/random.h"
#include "model/counter.h"
#include "model/grid/making.h"
#include "model/grid/trash.h"
#include "model/items/records.h"

/* Fields: made, deleted, made primary. */

/* ---- rows and names ---- */

int field_rows(struct tx *tx, const struct table *table, struct system_rows *rows_out)
{
    return system_rows(
        tx->store, tx->arena, SYSTEM_FIELDS,
        system_test(tx->arena, SYSTEM_FIELDS, "collection", OP_EQ, value_text(table->name)), NULL,
        rows_out);
}

struct taken {
    const struct table *table;
    const struct system_rows *rows;
};

/* Names of columns count whatever their case; a field without a column has a name in its row. */
static bool is_taken(const void *context, struct str slug)
{
    const struct taken *t = context;

    for (size_t i = 0; i < t->table->shape.count; i++)
        if (str_equal_nocase(t->table->shape.columns[i].name, slug))
            return true;
    for (size_t i = 0; i < t->rows->count; i++)
        if (str_equal_nocase(system_text(SYSTEM_FIELDS, t->rows->at[i], "field"), slug))
            return true;
    return false;
}

struct str field_slug(struct tx *tx, const struct table *table, const struct system_rows *rows,
                      struct str name)
{
    const struct taken taken = {table, rows};
    return grid_slug(tx->arena, name, "field", is_taken, &taken);
}

int field_row(struct tx *tx, int64_t id, const struct value **row_out)
{
    int rc = record_by_id(tx, SYSTEM_FIELDS, id, row_out);
    if (rc == 0 && !*row_out)
        return FAULT_BECAUSE(EBADMSG, "a field of the grid has no row");
    return rc;
}

int field_insert(struct tx *tx, const struct table *table, const struct field_draft *d,
                 struct str slug, int64_t id, int64_t *id_out)
{
    struct value *row = schema_blank(tx, SYSTEM_FIELDS);
    const struct value *stored;

    if (id != 0)
        schema_set(SYSTEM_FIELDS, row, "id", value_integer(id));
    schema_set(SYSTEM_FIELDS, row, "collection", value_text(table->name));
    schema_set(SYSTEM_FIELDS, row, "field", value_text(slug));
    schema_set(SYSTEM_FIELDS, row, "sort", value_integer((int64_t)table->declared + 1));
    draft_to_row(tx, d, row);
    int rc = schema_insert_row(tx, SYSTEM_FIELDS, row, &stored);
    if (rc == 0)
        *id_out = system_integer(SYSTEM_FIELDS, stored, "id");
    return rc;
}

int64_t field_last_order(const struct system_rows *rows)
{
    int64_t last = 0;

    for (size_t i = 0; i < rows->count; i++) {
        int64_t order = system_integer(SYSTEM_FIELDS, rows->at[i], "rowcast_order");
        if (order == 0)
            order = system_integer(SYSTEM_FIELDS, rows->at[i], "sort");
        last = order > last ? order : last;
    }
    return last;
}

/* ---- columns ---- */

int field_add_column(struct tx *tx, const struct table *table, const struct column *column)
{
    struct column *columns = schema_columns(tx, table);

    columns[table->shape.count] = *column;
    return schema_alter(tx, table, columns, table->shape.count + 1, column->name);
}

int field_refuse(struct tx *tx, int rc)
{
    enum problem_kind kind = tx->problem->kind;

    if (rc != REFUSED || (kind != PROBLEM_NOT_UNIQUE && kind != PROBLEM_VALUE_TOO_LONG))
        return rc;
    return refuse_wish(tx, GRID_CONSTRAINT_HELD);
}

static int fill_numbers(struct tx *tx, const struct shape *shape, const struct column *column)
{
    const struct column *place = shape_column(shape, hidden_column(HIDDEN_ORDER)->name);
    const struct order order = {.column = place};

    return store_renumber(tx->store, shape, column, &order, place ? 1 : 0);
}

enum { FILL_ROWS = 500 };
struct keys {
    struct arena *arena;
    struct value at[FILL_ROWS], uuids[FILL_ROWS];
    size_t count;
};

static int take_key(void *context, const struct value *row)
{
    struct keys *keys = context;
    char uuid[UUID_TEXT_SIZE];

    random_uuid(uuid);
    keys->uuids[keys->count] = value_text(arena_str(keys->arena, str_of(uuid)));
    keys->at[keys->count++] = value_copy(keys->arena, &row[0]);
    return 0;
}

/* The rows after `last` (NULL: from the first). */
static int fill_some(struct tx *tx, const struct shape *shape, const struct column *column,
                     const struct value *last, struct keys *keys)
{
    const struct column *key = &shape->columns[shape->key];
    const struct output output = {.column = key};
    const struct order order = {.column = key};
    const struct select select = {
        .shape = shape,
        .outputs = &output,
        .output_count = 1,
        .where = last ? expr_test(keys->arena, key, OP_GT, last, 1) : NULL,
        .orders = &order,
        .order_count = 1,
        .limit = FILL_ROWS,
        .now_ms = tx->now_ms,
    };

    int rc = store_select(tx->store, &select, take_key, keys);
    if (rc != 0 || keys->count == 0)
        return rc;
    return store_assign_each(tx->store, shape, column, keys->at, keys->uuids, keys->count);
}

static int fill_uuids(struct tx *tx, const struct shape *shape, const struct column *column)
{
    struct value last = value_null();
    bool more = true;
    int rc = 0;

    while (rc == 0 && more) {
        AUTO(arena_free) struct arena *arena = arena_new();
        struct keys *keys = ARENA_NEW(arena, struct keys);
        keys->arena = arena;
        rc = fill_some(tx, shape, column, value_is_null(&last) ? NULL : &last, keys);
        more = keys->count == FILL_ROWS;
        if (keys->count > 0)
            last = value_copy(tx->arena, &keys->at[keys->count - 1]);
    }
    return rc;
}

int field_fill(struct tx *tx, const struct table *table, const struct kind *kind,
               const struct column *column, struct str name)
{
    struct column counted = *column;
    struct value highest;

    if (kind->id == KIND_UUID)
        return fill_uuids(tx, &table->shape, column);
    if (kind->id != KIND_AUTONUMBER)
        return 0;
    int rc = fill_numbers(tx, &table->shape, column);
    if (rc == 0)
        rc = store_maximum(tx->store, &table->shape, column, NULL, &highest);
    counted.name = name;
    return rc == 0 ? counter_restart(tx, table, &counted, &highest) : rc;
}

/* ---- making ---- */

/* Numbers of rows that are about to be made: a link and its other side name each other. */
static int next_field_id(struct tx *tx, int64_t *id_out)
{
    int64_t last = 0;

    int rc = store_last_key(tx->store, &system_table(SYSTEM_FIELDS)->shape, &last);
    if (rc == 0)
        *id_out = last + 1;
    return rc;
}

static int make_link(struct tx *tx, const struct grid_table *t, struct field_draft *d,
                     const struct link_draft *link, struct str slug, int64_t *id_out,
                     int64_t *related_out)
{
    const struct grid_table *target = link->target;
    struct junction j;
    int64_t own, id = t->id;

    int rc = junction_make(tx, t, target, slug, &j);
    if (rc == 0)
        rc = next_field_id(tx, &own);
    if (rc != 0)
        return rc;
    /* Making the table of links brought another catalogue. */
    t = grid_table(tx->catalogue, id);
    target = grid_table(tx->catalogue, target->id);
    link_settle(d, target, &j, link->related ? own + 1 : 0);
    rc = field_insert(tx, t->table, d, slug, own, id_out);
    if (rc != 0 || !link->related)
        return rc;
    if (target == t) { /* whose names are one more now */
        rc = tx_follow(tx);
        t = target = grid_table(tx->catalogue, id);
    }
    const struct link_draft now = {target, true};
    if (rc == 0)
        rc = link_make_related(tx, t, *id_out, &now, &j, own + 1, related_out);
    return rc;
}

static int make_column(struct tx *tx, const struct grid_table *t, struct field_draft *d,
                       struct str slug, int64_t *id_out)
{
    int64_t id = t->id;
    int rc = 0;

    d->column.name = slug;
    if (d->has_column)
        rc = field_refuse(tx, field_add_column(tx, t->table, &d->column));
    if (rc == 0)
        rc = field_insert(tx, t->table, d, slug, 0, id_out);
    if (rc == 0)
        rc = tx_follow(tx);
    if (rc != 0 || !d->has_column)
        return rc;
    const struct table *table = grid_table(tx->catalogue, id)->table;
    return field_fill(tx, table, d->kind, shape_column(&table->shape, slug), slug);
}

int field_make(struct tx *tx, const struct grid_table *t, struct field_draft *d,
               const struct link_draft *link, int64_t *id_out, int64_t *related_out)
{
    struct system_rows rows;

    *related_out = 0;
    int rc = field_rows(tx, t->table, &rows);
    if (rc != 0)
        return rc;
    if (t->field_count >= SCHEMA_FIELDS_MAX || rows.count >= FIELD_ROWS_MAX)
        return refuse_wish(tx, GRID_TOO_MANY_FIELDS);
    struct str slug = field_slug(tx, t->table, &rows, d->name);
    d->order = field_last_order(&rows) + 1;
    rc = d->kind->id == KIND_LINK_ROW ? make_link(tx, t, d, link, slug, id_out, related_out)
                                      : make_column(tx, t, d, slug, id_out);
    return rc == 0 ? tx_follow(tx) : rc;
}

/* Of the same table: what else changed there. */
void field_note_related(struct tx *tx, int64_t table, int64_t related, struct grid_fields *out)
{
    const struct grid_field *f = related ? grid_field(tx->catalogue, related) : NULL;

    *out = (struct grid_fields){0};
    if (!f || f->table->id != table)
        return;
    int64_t *id = ARENA_NEW(tx->arena, int64_t);
    *id = related;
    *out = (struct grid_fields){id, 1};
}

void field_note_links(struct tx *tx, const struct grid_table *t, struct grid_fields *out)
{
    size_t count;
    const struct grid_field *const *links = grid_links_to(tx->catalogue, t, &count);
    int64_t *ids = ARENA_ARRAY(tx->arena, int64_t, out->count + count);
    size_t kept = out->count;

    if (kept > 0)
        memcpy(ids, out->ids, kept * sizeof(*ids));
    for (size_t i = 0; i < count; i++) {
        bool among = links[i]->table != t;
        for (size_t k = 0; k < kept; k++)
            among |= ids[k] == links[i]->id;
        if (!among)
            ids[kept++] = links[i]->id;
    }
    *out = (struct grid_fields){ids, kept};
}

int grid_field_create(struct tx *tx, int64_t table, const json_t *body, int64_t *id_out,
                      struct grid_fields *related_out)
{
    const struct grid_table *t;
    struct field_draft d = {0};
    struct link_draft link = {0};
    int64_t related = 0;

    int rc = tx_follow(tx);
    if (rc == 0)
        rc = grid_find(tx, table, &t);
    if (rc == 0)
        rc = draft_read(tx, t, NULL, body, &d);
    if (rc == 0 && d.kind->id == KIND_LINK_ROW)
        rc = link_read(tx, t, NULL, body, &d, &link);
    if (rc == 0)
        rc = field_make(tx, t, &d, &link, id_out, &related);
    if (rc == 0)
        field_note_related(tx, table, related, related_out);
    return rc;
}

/* ---- deleting ---- */

/* A row that says nothing of it must go on being possible. */
static int free_column(struct tx *tx, const struct grid_field *f, struct value *row)
{
    const struct table *table = f->table->table;
    const struct column *c = f->column;

    if (!c || field_hidden(&table->fields[c->index]) || c->nullable ||
        !value_is_null(&c->default_value))
        return 0;
    struct column *columns = schema_columns(tx, table);
    columns[c->index].nullable = true;
    schema_set(SYSTEM_FIELDS, row, "rowcast_is_nullable", value_integer(1));
    return schema_alter(tx, table, columns, table->shape.count, c->name);
}

int field_trash(struct tx *tx, const struct grid_field *f)
{
    const struct value *row;

    int rc = field_row(tx, f->id, &row);
    if (rc != 0)
        return rc;
    struct value *changed = schema_copy(tx, SYSTEM_FIELDS, row);
    schema_set(SYSTEM_FIELDS, changed, "rowcast_trashed", value_integer(1));
    rc = free_column(tx, f, changed);
    return rc == 0 ? schema_update(tx, SYSTEM_FIELDS, row, changed) : rc;
}

int grid_field_delete(struct tx *tx, int64_t id, struct grid_fields *related_out)
{
    const struct grid_field *f;

    int rc = tx_follow(tx);
    if (rc == 0)
        rc = grid_find_field(tx, id, &f);
    if (rc != 0)
        return rc;
    if (f->primary)
        return refuse_wish(tx, GRID_PRIMARY_STAYS);
    if (f->column && f->column->primary_key)
        return refuse_wish(tx, GRID_KIND_FIXED);
    const struct grid_field *related = f->link ? f->link->related : NULL;
    field_note_related(tx, f->table->id, related ? related->id : 0, related_out);
    if (related)
        rc = field_trash(tx, related);
    if (rc == 0)
        rc = field_trash(tx, f);
    if (rc == 0)
        rc = trash_put_field(tx, f, related ? &related->id : NULL, related ? 1 : 0);
    return rc == 0 ? tx_follow(tx) : rc;
}

/* ---- the primary field ---- */

static int set_primary(struct tx *tx, int64_t id, bool primary)
{
    const struct value *row;

    int rc = field_row(tx, id, &row);
    if (rc != 0)
        return rc;
    struct value *changed = schema_copy(tx, SYSTEM_FIELDS, row);
    schema_set(SYSTEM_FIELDS, changed, "rowcast_primary", value_integer(primary));
    return schema_update(tx, SYSTEM_FIELDS, row, changed);
}

int grid_field_make_primary(struct tx *tx, int64_t table, int64_t id,
                            struct grid_fields *related_out)
{
    const struct grid_table *t;

    int rc = tx_follow(tx);
    if (rc == 0)
        rc = grid_find(tx, table, &t);
    if (rc != 0)
        return rc;
    const struct grid_field *f = grid_table_field(t, id);
    int64_t former = t->primary->id;
    if (!f)
        return refuse_wish(tx, GRID_FOREIGN_FIELD);
    if (f->primary)
        return refuse_wish(tx, GRID_PRIMARY_ALREADY);
    if (!kind_may_be_primary(f->kind, &f->settings))
        return refuse_wish(tx, GRID_NOT_PRIMARY);
    rc = set_primary(tx, id, true);
    if (rc == 0)
        rc = set_primary(tx, former, false);
    if (rc == 0)
        rc = tx_follow(tx);
    if (rc != 0)
        return rc;
    field_note_related(tx, table, former, related_out);
    field_note_links(tx, grid_table(tx->catalogue, table), related_out);
    return 0;
}
