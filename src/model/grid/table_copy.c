#include <string.h>

#include "base/mem.h"
#include "model/grid/making.h"
#include "model/items/rows.h"
#include "model/progress.h"

/*
 * Duplicates of tables: fields, rows with their numbers and places, links. What was linked to a
 * table stays linked to it alone; a link to a table that is duplicated along leads to the duplicate
 * in the duplicate. Options of select fields get numbers of their own.
 *
 * First all tables are made, with their rows, and then what leads from one to another. Like the
 * first rows of a table, these come with it: nothing of them is recorded.
 */

struct copying {
    const struct table_copies *copies;
    const struct grid_table *from, *to;
    struct system_rows fields;            /* of `from`, in the trash too */
    struct value last;                    /* key of what was copied last */
    const struct column **source;         /* by column of `to`; NULL: it has none in `from` */
    const struct grid_field **old, **new; /* by column of `to`: of select fields; else NULL */
};

/* What is made of a table; NULL: nothing. */
static const struct grid_table *duplicate_of(const struct tx *tx, const struct table_copies *copies,
                                             int64_t id)
{
    for (size_t i = 0; i < copies->count; i++)
        if (copies->from[i] == id)
            return grid_table(tx->catalogue, copies->to[i]);
    return NULL;
}

static bool is_duplicated(const struct tx *tx, const struct table_copies *copies, struct str name)
{
    const struct table *table = catalogue_table(tx->catalogue, name);
    const struct grid_table *t = table ? grid_table_of(tx->catalogue, table) : NULL;

    for (size_t i = 0; t && i < copies->count; i++)
        if (copies->from[i] == t->id)
            return true;
    return false;
}

static bool is_trashed(const struct value *row)
{
    return system_integer(SYSTEM_FIELDS, row, "rowcast_trashed") != 0;
}

static bool is_select(const struct grid_field *f)
{
    return f && f->settings.choice_count > 0;
}

/* ---- structure ---- */

/* The field's row for another table; *made_out NULL: it is not copied so. */
static int copy_field_row(struct tx *tx, const struct copying *c, const struct value *row,
                          struct str slug, struct value **made_out)
{
    const struct grid_field *f =
        grid_field(tx->catalogue, system_integer(SYSTEM_FIELDS, row, "id"));
    struct field_draft d;

    *made_out = NULL;
    if (is_trashed(row) || (f && f->link && f->link->junction) || (f && f->table != c->from))
        return 0;
    struct value *made = schema_copy(tx, SYSTEM_FIELDS, row);
    schema_set(SYSTEM_FIELDS, made, "id", value_null());
    schema_set(SYSTEM_FIELDS, made, "collection", value_text(slug));
    *made_out = made;
    if (!is_select(f))
        return 0;
    draft_of_field(tx, f, &d);
    int rc = draft_renumber_choices(tx, &d);
    d.column = *f->column;
    if (rc == 0)
        draft_to_row(tx, &d, made);
    return rc;
}

/* References to what is duplicated along have to wait for it; of what lies in the trash there is no
 * relation that could be copied, and the column is a plain one. */
static struct column bare_column(const struct tx *tx, const struct copying *c,
                                 const struct column *column)
{
    struct column bare = *column;

    if (bare.reference && (!catalogue_relation(tx->catalogue, column) ||
                           is_duplicated(tx, c->copies, bare.reference->table)))
        bare.reference = NULL;
    return bare;
}

static int make_table(struct tx *tx, struct copying *c, int64_t application, struct str name)
{
    const struct table *from = c->from->table;
    struct str slug = table_slug(tx, name);
    struct column *columns = ARENA_ARRAY(tx->arena, struct column, c->fields.count);
    struct value **rows = ARENA_ARRAY(tx->arena, struct value *, c->fields.count);
    struct value **bare = ARENA_ARRAY(tx->arena, struct value *, c->fields.count);
    size_t count = 0, bare_count = 0;
    int rc = 0;

    for (size_t i = 0; i < c->fields.count && rc == 0; i++) {
        const struct column *column =
            shape_column(&from->shape, system_text(SYSTEM_FIELDS, c->fields.at[i], "field"));
        struct value *row;
        rc = copy_field_row(tx, c, c->fields.at[i], slug, &row);
        if (rc != 0 || !row)
            continue;
        if (!column) {
            bare[bare_count++] = row;
            continue;
        }
        columns[count] = bare_column(tx, c, column);
        columns[count].index = (unsigned)count;
        rows[count++] = row;
    }
    struct value *row = table_new_row(tx, application, slug, name);
    if (rc == 0)
        rc = schema_make_table(tx, row, rows, columns, count);
    for (size_t i = 0; i < bare_count && rc == 0; i++)
        rc = schema_insert(tx, SYSTEM_FIELDS, bare[i]);
    return rc;
}

/* ---- rows ---- */

static void match_columns(struct tx *tx, struct copying *c)
{
    const struct shape *to = &c->to->table->shape;

    c->source = ARENA_ARRAY(tx->arena, const struct column *, to->count);
    c->old = ARENA_ARRAY(tx->arena, const struct grid_field *, to->count);
    c->new = ARENA_ARRAY(tx->arena, const struct grid_field *, to->count);
    for (size_t i = 0; i < to->count; i++)
        c->source[i] = shape_column(&c->from->table->shape, to->columns[i].name);
    for (size_t i = 0; i < c->from->field_count; i++) {
        const struct grid_field *old = &c->from->fields[i];
        const struct grid_field *new = grid_table_field_named(c->to, old->name);
        if (!is_select(old) || !new || !new->column)
            continue;
        c->old[new->column->index] = old;
        c->new[new->column->index] = new;
    }
}

enum { PAGE_ROWS = 200 };
struct page {
    struct tx *tx;
    const struct copying *copying;
    const struct value *rows[PAGE_ROWS];
    size_t count;
};

static int take_row(void *context, const struct value *row)
{
    struct page *page = context;

    page->rows[page->count++] =
        value_copy_row(page->tx->arena, row, page->copying->from->table->shape.count);
    return 0;
}

static int insert_copy(struct tx *tx, const struct copying *c, const struct value *row)
{
    const struct shape *to = &c->to->table->shape;
    struct assignment *set = ARENA_ARRAY(tx->arena, struct assignment, to->count);
    const struct value *made;
    size_t count = 0;

    for (size_t i = 0; i < to->count; i++) {
        if (!c->source[i])
            continue;
        struct value cell = row[c->source[i]->index];
        if (c->old[i])
            cell = kind_convert(tx->arena, c->old[i], c->new[i], &cell);
        set[count++] = (struct assignment){&to->columns[i], cell};
    }
    return rows_insert(tx, c->to->table, set, count, &made);
}

/* The copy's hidden columns are given: rows keep their numbers, places and stamps. */
static int copy_page(struct tx *tx, void *context, bool *more_out)
{
    struct copying *c = context;
    const struct shape *shape = &c->from->table->shape;
    const struct column *key = &shape->columns[shape->key];
    const struct order order = {.column = key};
    const struct select select = {
        .shape = shape,
        .where = value_is_null(&c->last) ? NULL : expr_test(tx->arena, key, OP_GT, &c->last, 1),
        .orders = &order,
        .order_count = 1,
        .limit = PAGE_ROWS,
        .now_ms = tx->now_ms,
    };
    struct page *page = ARENA_NEW(tx->arena, struct page);

    page->tx = tx;
    page->copying = c;
    int rc = store_select(tx->store, &select, take_row, page);
    for (size_t i = 0; i < page->count && rc == 0; i++)
        rc = insert_copy(tx, c, page->rows[i]);
    *more_out = page->count == PAGE_ROWS;
    if (page->count > 0) /* it outlives the page */
        c->last = value_copy(tx->commit->arena, &page->rows[page->count - 1][shape->key]);
    return rc == 0 ? progress_step(tx, (int64_t)page->count) : rc;
}

/* ---- links ---- */

struct link_copying {
    const struct table *from, *to;
    const struct column *sides[2], *made[2];
    struct value last;
};

struct link_page {
    struct tx *tx;
    struct value keys[PAGE_ROWS], ends[PAGE_ROWS][2];
    size_t count;
};

static int take_link(void *context, const struct value *row)
{
    struct link_page *page = context;

    page->keys[page->count] = value_copy(page->tx->arena, &row[0]);
    page->ends[page->count][0] = value_copy(page->tx->arena, &row[1]);
    page->ends[page->count][1] = value_copy(page->tx->arena, &row[2]);
    page->count++;
    return 0;
}

static int copy_link_page(struct tx *tx, void *context, bool *more_out)
{
    struct link_copying *c = context;
    const struct column *key = table_key(c->from);
    const struct output outputs[] = {
        {.column = key}, {.column = c->sides[0]}, {.column = c->sides[1]}};
    const struct order order = {.column = key};
    const struct select select = {
        .shape = &c->from->shape,
        .outputs = outputs,
        .output_count = COUNT_OF(outputs),
        .where = value_is_null(&c->last) ? NULL : expr_test(tx->arena, key, OP_GT, &c->last, 1),
        .orders = &order,
        .order_count = 1,
        .limit = PAGE_ROWS,
        .now_ms = tx->now_ms,
    };
    struct link_page *page = ARENA_NEW(tx->arena, struct link_page);

    page->tx = tx;
    int rc = store_select(tx->store, &select, take_link, page);
    for (size_t i = 0; i < page->count && rc == 0; i++) {
        const struct assignment sides[] = {{c->made[0], page->ends[i][0]},
                                           {c->made[1], page->ends[i][1]}};
        rc = store_insert(tx->store, &c->to->shape, sides, COUNT_OF(sides), NULL, NULL);
    }
    *more_out = page->count == PAGE_ROWS;
    if (page->count > 0) /* a whole number */
        c->last = page->keys[page->count - 1];
    rc = schema_outcome(tx, rc, c->to->name, STR_NULL);
    return rc == 0 ? progress_step(tx, (int64_t)page->count) : rc;
}

/* Rows of the duplicate have the keys of their originals, so links stay what they are. */
static int copy_rows_of_link(struct tx *tx, const struct grid_link *link, const struct junction *j)
{
    const struct table *to = catalogue_table(tx->catalogue, j->name);
    struct link_copying c = {
        .from = link->junction,
        .to = to,
        .sides = {link->near, link->far},
        .made = {shape_column(&to->shape, j->near), shape_column(&to->shape, j->far)},
        .last = value_null(),
    };
    return table_in_pages(tx, copy_link_page, &c);
}

static int insert_link_field(struct tx *tx, const struct grid_table *to, const struct grid_field *f,
                             const struct grid_table *target, const struct junction *j, int64_t own,
                             int64_t related)
{
    struct system_rows rows;
    struct field_draft d;
    int64_t made;

    int rc = field_rows(tx, to->table, &rows);
    if (rc != 0)
        return rc;
    draft_of_field(tx, f, &d);
    link_settle(&d, target, j, related);
    draft_finish(tx, &d);
    return field_insert(tx, to->table, &d, field_slug(tx, to->table, &rows, f->name), own, &made);
}

/* The field on the other side, when both sides are duplicated: they share their rows. */
static const struct grid_field *other_side(const struct tx *tx, const struct copying *c,
                                           const struct grid_field *f)
{
    const struct grid_field *other = f->link->related;

    return other && duplicate_of(tx, c->copies, other->table->id) ? other : NULL;
}

static int copy_link(struct tx *tx, const struct copying *c, const struct grid_field *f)
{
    const struct grid_link *link = f->link;
    const struct grid_field *other = other_side(tx, c, f);
    const struct grid_table *target = duplicate_of(tx, c->copies, link->target->id);
    int64_t last, near = c->to->id, far = target ? target->id : link->target->id;
    struct junction j;

    int rc = junction_make(tx, grid_table(tx->catalogue, near), grid_table(tx->catalogue, far),
                           f->name, &j);
    if (rc == 0)
        rc = store_last_key(tx->store, &system_table(SYSTEM_FIELDS)->shape, &last);
    if (rc != 0)
        return rc;
    const struct grid_table *from = grid_table(tx->catalogue, near);
    const struct grid_table *to = grid_table(tx->catalogue, far);
    const struct junction back = {j.name, j.far, j.near};
    rc = insert_link_field(tx, from, f, to, &j, last + 1, other ? last + 2 : 0);
    if (rc == 0 && other)
        rc = insert_link_field(tx, to, other, from, &back, last + 2, last + 1);
    return rc == 0 ? copy_rows_of_link(tx, link, &j) : rc;
}

static int copy_links(struct tx *tx, const struct copying *c)
{
    int rc = 0;

    for (size_t i = 0; i < c->from->field_count && rc == 0; i++) {
        const struct grid_field *f = &c->from->fields[i];
        if (!f->link || !f->link->junction)
            continue;
        const struct grid_field *other = other_side(tx, c, f);
        if (other && other->id < f->id)
            continue; /* it comes with the other side */
        rc = copy_link(tx, c, f);
    }
    return rc;
}

/* ---- references of columns that others made ---- */

static int set_reference(struct tx *tx, const struct grid_table *to, struct str name,
                         const struct grid_table *target, const struct reference *like)
{
    struct reference *reference = ARENA_NEW(tx->arena, struct reference);
    struct column *columns = schema_columns(tx, to->table);
    const struct column *column = shape_column(&to->table->shape, name);

    *reference =
        (struct reference){target->table->name, table_key(target->table)->name, like->on_delete};
    columns[column->index].reference = reference;
    return schema_alter(tx, to->table, columns, to->table->shape.count, name);
}

static int copy_relation(struct tx *tx, const struct copying *c, const struct value *row)
{
    struct str name = system_text(SYSTEM_RELATIONS, row, "many_field");
    /* Each reference that is made brings another catalogue. */
    const struct grid_table *from = grid_table(tx->catalogue, c->from->id);
    const struct grid_table *to = grid_table(tx->catalogue, c->to->id), *target = NULL;
    const struct field *f = table_field(from->table, name);
    const struct relation *relation = f ? catalogue_relation(tx->catalogue, f->column) : NULL;
    int rc = 0;

    if (!relation || field_hidden(f))
        return 0;
    if (grid_table_of(tx->catalogue, relation->one))
        target = duplicate_of(tx, c->copies, grid_table_of(tx->catalogue, relation->one)->id);
    struct value *made = schema_copy(tx, SYSTEM_RELATIONS, row);
    schema_set(SYSTEM_RELATIONS, made, "id", value_null());
    schema_set(SYSTEM_RELATIONS, made, "many_collection", value_text(to->table->name));
    schema_set(SYSTEM_RELATIONS, made, "one_field", value_null());
    if (target)
        schema_set(SYSTEM_RELATIONS, made, "one_collection", value_text(target->table->name));
    if (target && f->column->reference)
        rc = set_reference(tx, to, name, target, f->column->reference);
    if (rc == 0)
        rc = schema_insert(tx, SYSTEM_RELATIONS, made);
    return rc == 0 ? tx_follow(tx) : rc;
}

static int copy_relations(struct tx *tx, const struct copying *c)
{
    struct system_rows rows;

    int rc = system_rows(tx->store, tx->arena, SYSTEM_RELATIONS,
                         system_test(tx->arena, SYSTEM_RELATIONS, "many_collection", OP_EQ,
                                     value_text(c->from->table->name)),
                         NULL, &rows);
    for (size_t i = 0; i < rows.count && rc == 0; i++)
        rc = copy_relation(tx, c, rows.at[i]);
    return rc;
}

/* ---- all of it ---- */

int table_copy_expect(struct tx *tx, const struct grid_table *t)
{
    int rc = table_expect_rows(tx, t->table);

    for (size_t i = 0; i < t->field_count && rc == 0; i++)
        if (t->fields[i].link && t->fields[i].link->junction)
            rc = table_expect_rows(tx, t->fields[i].link->junction);
    return rc;
}

int table_copy(struct tx *tx, const struct table_copies *copies, size_t i, int64_t application,
               struct str name)
{
    struct copying c = {.copies = copies, .last = value_null()};

    int rc = tx_follow(tx);
    if (rc != 0)
        return rc;
    c.from = grid_table(tx->catalogue, copies->from[i]);
    rc = field_rows(tx, c.from->table, &c.fields);
    if (rc != 0)
        return rc;
    copies->to[i] = tx->catalogue->version;
    rc = make_table(tx, &c, application, name);
    if (rc == 0)
        rc = tx_follow(tx);
    if (rc != 0)
        return rc;
    c.to = grid_table(tx->catalogue, copies->to[i]);
    match_columns(tx, &c);
    return table_in_pages(tx, copy_page, &c);
}

int table_copy_links(struct tx *tx, const struct table_copies *copies, size_t i)
{
    const struct copying c = {
        .copies = copies,
        .from = grid_table(tx->catalogue, copies->from[i]),
        .to = grid_table(tx->catalogue, copies->to[i]),
    };

    int rc = copy_relations(tx, &c);
    if (rc == 0)
        rc = copy_links(tx, &c);
    return rc == 0 ? tx_follow(tx) : rc;
}
