#include "model/grid/load.h"

#include <errno.h>
#include <stdlib.h>

#include "base/fault.h"

/*
 * How it works: tables first, sorted by id, so that links find their targets; then the fields of
 * each, sorted as they are shown; then the indexes. What a row does not say is derived: of tables
 * and fields that were made by other means it says nothing. A field that cannot be told (the other
 * end of its link lies in the trash) is left out, and is there again when it can be.
 */

struct draft {
    struct grid_table *table;
    struct grid_field *fields;
    size_t capacity;
    const struct value *key; /* the row of an integer key, shown where there is nothing else */
};

/* Which field a link's other side is, to be found when all fields are there. */
struct pending {
    struct grid_link *link;
    int64_t related;
};

struct loading {
    const struct catalogue *catalogue;
    struct arena *arena;
    struct grid *grid;
    struct grid_table *tables;
    struct draft *drafts; /* side by side with the tables */
    struct pending *pending;
    size_t pending_count;
};

static int64_t integer_or(enum system_table which, const struct value *row, const char *column,
                          int64_t otherwise)
{
    const struct value *v = &row[system_column(which, column)];
    return v->kind == VALUE_INTEGER ? v->integer : otherwise;
}

static struct str text_or(enum system_table which, const struct value *row, const char *column,
                          struct str otherwise)
{
    struct str text = system_text(which, row, column);
    return text.len > 0 ? text : otherwise;
}

static int compare_numbers(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

/* ---- tables ---- */

/* False: it is in no grid. */
static bool make_table(const struct loading *l, const struct value *row, struct grid_table *t)
{
    struct str name = system_text(SYSTEM_COLLECTIONS, row, "collection");
    const struct table *table = catalogue_table(l->catalogue, name);
    int64_t application =
        integer_or(SYSTEM_COLLECTIONS, row, "rowcast_application", DEFAULT_APPLICATION);

    if (!table || system_integer(SYSTEM_COLLECTIONS, row, "rowcast_junction") != 0)
        return false;
    *t = (struct grid_table){
        .id = table->id,
        .order = integer_or(SYSTEM_COLLECTIONS, row, "rowcast_order", table->id),
        .name = text_or(SYSTEM_COLLECTIONS, row, "rowcast_label", name),
        .application = catalogue_application(l->catalogue, application),
        .placed = !value_is_null(&row[system_column(SYSTEM_COLLECTIONS, "rowcast_application")]),
        .table = table,
    };
    return t->application;
}

static int by_id(const void *x, const void *y)
{
    const struct grid_table *a = x, *b = y;
    return compare_numbers(a->id, b->id);
}

static void make_tables(struct loading *l, const struct system_rows *rows)
{
    struct grid *g = l->grid;

    l->tables = ARENA_ARRAY(l->arena, struct grid_table, rows->count);
    for (size_t i = 0; i < rows->count; i++)
        if (make_table(l, rows->at[i], &l->tables[g->table_count]))
            g->table_count++;
    qsort(l->tables, g->table_count, sizeof(*l->tables), by_id);
    g->tables = l->tables;
    l->drafts = ARENA_ARRAY(l->arena, struct draft, g->table_count);
    for (size_t i = 0; i < g->table_count; i++)
        l->drafts[i].table = &l->tables[i];
}

static const struct grid_table *placed_table(const struct loading *l, const struct table *t)
{
    struct grid_table wanted = {.id = t->id};
    return bsearch(&wanted, l->tables, l->grid->table_count, sizeof(wanted), by_id);
}

/* ---- links ---- */

/* A link leads to tables of its own workspace only: others' members see nothing of it. */
static const struct grid_table *link_target(const struct loading *l, const struct grid_table *from,
                                            const struct table *to)
{
    const struct grid_table *target = to ? placed_table(l, to) : NULL;

    return target && target->application->workspace == from->application->workspace ? target : NULL;
}

static const struct grid_table *table_numbered(const struct loading *l, int64_t id)
{
    const struct table t = {.id = id};
    return placed_table(l, &t);
}

static const struct column *shown_column(const struct table *t, struct str name)
{
    const struct field *f = table_field(t, name);
    return f && !field_hidden(f) ? f->column : NULL;
}

/* Through a junction, as the field's settings name it. NULL: one of its ends is not there. */
static const struct grid_link *junction_link(struct loading *l, const json_t *settings)
{
    const struct grid_table *target =
        table_numbered(l, json_integer_value(json_get(settings, "table")));
    const struct table *junction =
        catalogue_table(l->catalogue, json_get_str(settings, "junction"));

    if (!target || !junction || junction->system)
        return NULL;
    struct grid_link *link = ARENA_NEW(l->arena, struct grid_link);
    *link = (struct grid_link){
        .target = target,
        .junction = junction,
        .near = shown_column(junction, json_get_str(settings, "near")),
        .far = shown_column(junction, json_get_str(settings, "far")),
    };
    if (!link->near || !link->far)
        return NULL;
    l->pending[l->pending_count++] =
        (struct pending){link, json_integer_value(json_get(settings, "related"))};
    return link;
}

static const struct grid_link *column_link(struct loading *l, const struct grid_table *target)
{
    struct grid_link *link = ARENA_NEW(l->arena, struct grid_link);
    link->target = target;
    return link;
}

/* ---- fields ---- */

/* A field without a column of its own. False: it cannot be told. */
static bool read_shown(struct loading *l, const json_t *settings, struct grid_field *f)
{
    static const struct {
        enum kind_id kind;
        enum hidden hidden;
    } shows[] = {
        {KIND_CREATED_ON, HIDDEN_CREATED_ON},
        {KIND_CREATED_BY, HIDDEN_CREATED_BY},
        {KIND_LAST_MODIFIED, HIDDEN_UPDATED_ON},
        {KIND_LAST_MODIFIED_BY, HIDDEN_UPDATED_BY},
    };

    if (!f->kind)
        return false;
    if (f->kind->id == KIND_LINK_ROW)
        f->link = junction_link(l, settings);
    for (size_t i = 0; i < COUNT_OF(shows); i++)
        if (shows[i].kind == f->kind->id)
            f->column = table_hidden(f->table->table, shows[i].hidden);
    return f->link || f->column;
}

/* Is the column still one that holds cells of the kind that its row names? Others may have changed
 * it. */
static bool kind_stays(struct loading *l, const json_t *settings, struct grid_field *f)
{
    if (!f->kind)
        return false;
    f->settings = kind_settings_decode(l->arena, f->kind, settings);
    if (f->link || f->kind->id == KIND_LINK_ROW)
        return f->link && f->kind->id == KIND_LINK_ROW;
    return kind_fits(f->kind, f->column);
}

/* False: a link of which the other end is not there. */
static bool read_column(struct loading *l, const json_t *settings, struct grid_field *f)
{
    const struct field *field = &f->table->table->fields[f->column->index];
    const struct relation *relation = catalogue_relation(l->catalogue, f->column);
    const struct grid_table *target = relation ? link_target(l, f->table, relation->one) : NULL;
    json_t *derived = NULL;

    if (f->column->reference && !relation)
        return false;
    if (target)
        f->link = column_link(l, target);
    f->read_only = f->column->primary_key;
    if (f->column->primary_key && f->column->type == TYPE_UUID)
        f->kind = &kinds[KIND_UUID];
    if (!kind_stays(l, settings, f)) {
        f->kind = kind_of_column(l->arena, field, target, &derived);
        f->settings = kind_settings_decode(l->arena, f->kind, derived);
    }
    return true;
}

/* *made_out false: it is not in the grid. */
static int make_field(struct loading *l, const struct grid_table *t, const struct value *row,
                      struct grid_field *f, bool *made_out)
{
    struct str name = system_text(SYSTEM_FIELDS, row, "field");
    struct str kind = system_text(SYSTEM_FIELDS, row, "rowcast_kind");
    bool has_column = system_text(SYSTEM_FIELDS, row, "rowcast_type").at;
    int64_t id = system_integer(SYSTEM_FIELDS, row, "id");
    const json_t *settings;

    int rc =
        catalogue_json(l->arena, system_text(SYSTEM_FIELDS, row, "rowcast_settings"), &settings);
    if (rc != 0)
        return rc;
    *f = (struct grid_field){
        .id = id,
        .table = t,
        .name = text_or(SYSTEM_FIELDS, row, "rowcast_label", name),
        .description = system_text(SYSTEM_FIELDS, row, "note"),
        .kind = kind.at ? kind_find(kind) : NULL,
        .column = has_column ? shape_column(&t->table->shape, name) : NULL,
        .order = integer_or(SYSTEM_FIELDS, row, "rowcast_order",
                            integer_or(SYSTEM_FIELDS, row, "sort", id)),
        .primary = system_integer(SYSTEM_FIELDS, row, "rowcast_primary") != 0,
    };
    if (has_column) {
        *made_out = read_column(l, settings, f);
    } else {
        *made_out = read_shown(l, settings, f);
        if (*made_out)
            f->settings = kind_settings_decode(l->arena, f->kind, settings);
    }
    if (*made_out)
        f->read_only |= (f->kind->flags & KIND_READ_ONLY) != 0;
    return 0;
}

static bool is_integer_key(const struct table *t, const struct value *row)
{
    return !hidden_number_needed(table_key(t)) &&
           str_equal(system_text(SYSTEM_FIELDS, row, "field"), table_key(t)->name);
}

/* The table in whose grid a row's field is; NULL: none, or it lies in the trash. */
static struct draft *draft_of(const struct loading *l, const struct value *row)
{
    const struct table *t =
        catalogue_table(l->catalogue, system_text(SYSTEM_FIELDS, row, "collection"));
    const struct grid_table *placed = t ? placed_table(l, t) : NULL;

    if (!placed || system_integer(SYSTEM_FIELDS, row, "rowcast_trashed") != 0)
        return NULL;
    return &l->drafts[placed - l->tables];
}

static int add_field(struct loading *l, struct draft *d, const struct value *row)
{
    bool made;
    int rc = make_field(l, d->table, row, &d->fields[d->table->field_count], &made);

    if (rc == 0 && made)
        d->table->field_count++;
    return rc;
}

/* Somebody's table of nothing but a key shows that. */
static int ensure_field(struct loading *l, struct draft *d)
{
    int rc = 0;

    if (d->table->field_count == 0 && d->key)
        rc = add_field(l, d, d->key);
    if (rc == 0 && d->table->field_count == 0)
        return FAULT_BECAUSE(EBADMSG, "table \"%.*s\" has no field",
                             STR_ARG(d->table->table->name));
    return rc;
}

static int make_fields(struct loading *l, const struct system_rows *rows)
{
    int rc = 0;

    l->pending = ARENA_ARRAY(l->arena, struct pending, rows->count);
    for (size_t i = 0; i < rows->count; i++) {
        struct draft *d = draft_of(l, rows->at[i]);
        if (d)
            d->capacity++;
    }
    for (size_t i = 0; i < l->grid->table_count; i++) {
        struct draft *d = &l->drafts[i];
        d->fields = ARENA_ARRAY(l->arena, struct grid_field, d->capacity);
        d->table->fields = d->fields;
    }
    for (size_t i = 0; i < rows->count && rc == 0; i++) {
        struct draft *d = draft_of(l, rows->at[i]);
        if (d && is_integer_key(d->table->table, rows->at[i]))
            d->key = rows->at[i];
        else if (d)
            rc = add_field(l, d, rows->at[i]);
    }
    for (size_t i = 0; i < l->grid->table_count && rc == 0; i++)
        rc = ensure_field(l, &l->drafts[i]);
    return rc;
}

/* ---- the fields of one table ---- */

static int by_place(const void *x, const void *y)
{
    const struct grid_field *a = x, *b = y;
    int order = compare_numbers(a->order, b->order);
    return order != 0 ? order : compare_numbers(a->id, b->id);
}

static size_t find_primary(const struct draft *d)
{
    size_t count = d->table->field_count;

    for (size_t i = 0; i < count; i++)
        if (d->fields[i].primary)
            return i;
    for (size_t i = 0; i < count; i++)
        if (!(d->fields[i].kind->flags & KIND_NOT_PRIMARY))
            return i;
    return 0;
}

static void order_fields(struct draft *d)
{
    size_t count = d->table->field_count;

    qsort(d->fields, count, sizeof(*d->fields), by_place);
    size_t at = find_primary(d);
    struct grid_field primary = d->fields[at];
    memmove(&d->fields[1], &d->fields[0], at * sizeof(*d->fields));
    d->fields[0] = primary;
    for (size_t i = 0; i < count; i++)
        d->fields[i].primary = i == 0;
    d->table->primary = &d->fields[0];
}

/* Rows are told with members "id" and "order" of their own. */
static bool is_taken(const struct draft *d, const struct grid_field *except, struct str name)
{
    if (str_equal(name, STR("id")) || str_equal(name, STR("order")))
        return true;
    for (size_t i = 0; i < d->table->field_count; i++)
        if (&d->fields[i] != except && str_equal(d->fields[i].name, name))
            return true;
    return false;
}

/* A name that is the column's may be one that was given to another field, or may not be told: it
 * gets a number. */
static void part_names(struct loading *l, const struct draft *d)
{
    for (size_t i = 0; i < d->table->field_count; i++) {
        struct grid_field *f = &d->fields[i];
        struct str name = f->name;
        if (!f->column || !str_equal(name, f->column->name))
            continue;
        for (unsigned n = 2; is_taken(d, f, f->name); n++)
            f->name = arena_printf(l->arena, "%.*s %u", STR_ARG(name), n);
    }
}

/* ---- indexes ---- */

static int by_field_id(const void *x, const void *y)
{
    const struct grid_field *const *a = x, *const *b = y;
    return compare_numbers((*a)->id, (*b)->id);
}

static int by_application(const void *x, const void *y)
{
    const struct grid_table *const *a = x, *const *b = y;
    int order = compare_numbers((*a)->application->id, (*b)->application->id);
    if (order == 0)
        order = compare_numbers((*a)->order, (*b)->order);
    return order != 0 ? order : compare_numbers((*a)->id, (*b)->id);
}

static int by_target(const void *x, const void *y)
{
    const struct grid_field *const *a = x, *const *b = y;
    int order = compare_numbers((*a)->link->target->id, (*b)->link->target->id);
    return order != 0 ? order : compare_numbers((*a)->id, (*b)->id);
}

static int by_junction(const void *x, const void *y)
{
    const struct grid_junction *a = x, *b = y;
    int order = compare_numbers(a->table, b->table);
    return order != 0 ? order : compare_numbers(a->field->id, b->field->id);
}

static void index_fields(struct loading *l)
{
    struct grid *g = l->grid;
    size_t count = 0;

    for (size_t i = 0; i < g->table_count; i++)
        count += l->tables[i].field_count;
    struct grid_junction *junctions = ARENA_ARRAY(l->arena, struct grid_junction, count);
    g->placed = ARENA_ARRAY(l->arena, const struct grid_table *, g->table_count);
    g->fields = ARENA_ARRAY(l->arena, const struct grid_field *, count);
    g->links = ARENA_ARRAY(l->arena, const struct grid_field *, count);
    for (size_t i = 0; i < g->table_count; i++) {
        g->placed[i] = &l->tables[i];
        for (size_t k = 0; k < l->tables[i].field_count; k++) {
            const struct grid_field *f = &l->tables[i].fields[k];
            g->fields[g->field_count++] = f;
            if (f->link)
                g->links[g->link_count++] = f;
            if (f->link && f->link->junction)
                junctions[g->junction_count++] = (struct grid_junction){f->link->junction->id, f};
        }
    }
    qsort(g->placed, g->table_count, sizeof(*g->placed), by_application);
    qsort(g->fields, g->field_count, sizeof(*g->fields), by_field_id);
    qsort(g->links, g->link_count, sizeof(*g->links), by_target);
    qsort(junctions, g->junction_count, sizeof(*junctions), by_junction);
    g->junctions = junctions;
}

static void relate(struct loading *l)
{
    for (size_t i = 0; i < l->pending_count; i++) {
        struct grid_link *link = l->pending[i].link;
        const struct grid_field *related =
            l->pending[i].related ? grid_table_field(link->target, l->pending[i].related) : NULL;
        if (related && related->link && related->link->junction == link->junction)
            link->related = related;
    }
}

int grid_load(const struct catalogue *c, const struct structure_rows *rows,
              const struct grid **grid_out)
{
    struct grid *g = ARENA_NEW(c->arena, struct grid);
    struct loading l = {.catalogue = c, .arena = c->arena, .grid = g};

    make_tables(&l, &rows->collections);
    int rc = make_fields(&l, &rows->fields);
    if (rc != 0)
        return rc;
    for (size_t i = 0; i < g->table_count; i++) {
        order_fields(&l.drafts[i]);
        part_names(&l, &l.drafts[i]);
    }
    relate(&l);
    index_fields(&l);
    *grid_out = g;
    return 0;
}
