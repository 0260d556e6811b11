#include "model/tables.h"

#include <errno.h>

#include "base/fault.h"
#include "model/hidden.h"
#include "model/workspace/register.h"

/*
 * How it works: tables are drafted from directus_collections and directus_fields, in two passes
 * (count, fill), then get their references from directus_relations, which needs every table to have
 * its key.
 *
 * What lies in the trash keeps its SQL table and columns. A table is drafted like any other, but
 * not published; a field's column stays in its shape, where altering finds it, under a field that
 * is hidden and asks for nothing.
 */

struct draft {
    struct table table;
    struct column *columns;
    struct field *fields;
    size_t capacity;
    bool trashed;
};

struct drafting {
    struct store *store;
    struct catalogue *catalogue;
    struct arena *arena; /* the catalogue's */
    struct structure_rows rows;
    struct draft *drafts;
    size_t count;
    struct map by_name; /* draft */
};

static bool flag(const struct value *row, const char *column)
{
    return system_integer(SYSTEM_FIELDS, row, column) != 0;
}

/* ---- tables and fields ---- */

/* A table that nobody placed in an application stays when that goes where it is shown: it was made
 * for others. */
static bool is_trashed(const struct catalogue *c, const struct value *row)
{
    int64_t application = system_integer(SYSTEM_COLLECTIONS, row, "rowcast_application");

    return system_integer(SYSTEM_COLLECTIONS, row, "rowcast_trashed") != 0 ||
           (application != 0 && workspace_register_is_trashed(c->workspaces, application));
}

static int draft_tables(struct drafting *d)
{
    struct system_rows *rows = &d->rows.collections;
    int rc = system_rows(d->store, d->arena, SYSTEM_COLLECTIONS, NULL, NULL, rows);
    if (rc != 0)
        return rc;

    d->drafts = ARENA_ARRAY(d->arena, struct draft, rows->count);
    for (size_t i = 0; i < rows->count; i++) {
        const struct value *row = rows->at[i];
        int64_t id = system_integer(SYSTEM_COLLECTIONS, row, "rowcast_table_id");
        if (id == 0)
            continue; /* a folder */
        struct draft *draft = &d->drafts[d->count++];
        struct table *t = &draft->table;
        draft->trashed = is_trashed(d->catalogue, row);
        t->name = t->shape.name = system_text(SYSTEM_COLLECTIONS, row, "collection");
        t->singleton = system_integer(SYSTEM_COLLECTIONS, row, "singleton") != 0;
        t->sort_field = system_text(SYSTEM_COLLECTIONS, row, "sort_field");
        t->accountability = system_text(SYSTEM_COLLECTIONS, row, "accountability");
        t->id = id;
        map_put(&d->by_name, t->name, draft);
    }
    return 0;
}

/* The table of a row of directus_fields; NULL: that is none of ours, or it has no column there. */
static struct draft *draft_of(const struct drafting *d, const struct value *row)
{
    return system_text(SYSTEM_FIELDS, row, "rowcast_type").at
               ? map_get(&d->by_name, system_text(SYSTEM_FIELDS, row, "collection"))
               : NULL;
}

/* What the kind of the grid asks for, besides the flags of Directus. */
static unsigned kind_specials(const struct value *row, const struct column *c)
{
    struct str kind = system_text(SYSTEM_FIELDS, row, "rowcast_kind");

    if (str_equal(kind, STR("autonumber")) && types[c->type].kind == VALUE_INTEGER)
        return SPECIAL_AUTONUMBER;
    return str_equal(kind, STR("uuid")) && c->type == TYPE_UUID ? SPECIAL_UUID : 0;
}

static int draft_field(struct drafting *d, struct draft *draft, const struct value *row)
{
    struct table *t = &draft->table;
    unsigned at = t->declared;
    struct column *c = &draft->columns[at];
    struct field *f = &draft->fields[at];

    int rc = column_from_row(d->arena, row, c);
    if (rc != 0)
        return rc;
    c->index = at;
    if (c->primary_key)
        t->shape.key = at;
    t->declared++;
    if (flag(row, "rowcast_trashed")) {
        *f = (struct field){.name = c->name, .column = c, .table = t, .hidden = true};
        return 0;
    }
    *f = (struct field){
        .name = c->name,
        .column = c,
        .table = t,
        .special = special_bits(system_text(SYSTEM_FIELDS, row, "special")) |
                   (c->type == TYPE_HASH ? SPECIAL_HASH : 0) | kind_specials(row, c),
        .required = flag(row, "required"),
        .searchable = flag(row, "searchable"),
    };
    t->generates |= (f->special & (SPECIAL_UUID | SPECIAL_AUTONUMBER)) != 0;
    return catalogue_json(d->arena, system_text(SYSTEM_FIELDS, row, "validation"), &f->validation);
}

/* Its declared columns are there: the hidden ones come behind them. */
static int finish_table(struct draft *draft)
{
    struct table *t = &draft->table;

    if (t->declared == 0 || !draft->columns[t->shape.key].primary_key)
        return FAULT_BECAUSE(EBADMSG, "table \"%.*s\" has no primary key", STR_ARG(t->name));
    t->shape.columns = draft->columns;
    t->fields = draft->fields;
    t->shape.count = hidden_append(draft->columns, t->declared, &draft->columns[t->shape.key]);
    for (size_t i = t->declared; i < t->shape.count; i++)
        draft->fields[i] = (struct field){.name = draft->columns[i].name,
                                          .column = &draft->columns[i],
                                          .table = t,
                                          .hidden = true};
    const struct field *sort = table_field(t, t->sort_field);
    if (sort && field_hidden(sort))
        t->sort_field = STR_NULL;
    return 0;
}

static int draft_fields(struct drafting *d)
{
    const struct system_rows *rows = &d->rows.fields;
    int rc = system_rows(d->store, d->arena, SYSTEM_FIELDS, NULL, NULL, &d->rows.fields);
    if (rc != 0)
        return rc;

    for (size_t i = 0; i < rows->count; i++) {
        struct draft *draft = draft_of(d, rows->at[i]);
        if (draft)
            draft->capacity++;
    }
    for (size_t i = 0; i < d->count; i++) {
        struct draft *draft = &d->drafts[i];
        size_t capacity = draft->capacity + HIDDEN_COUNT;
        if (capacity > COLUMNS_MAX)
            return FAULT_BECAUSE(EBADMSG, "table \"%.*s\" has %zu fields",
                                 STR_ARG(draft->table.name), draft->capacity);
        draft->columns = ARENA_ARRAY(d->arena, struct column, capacity);
        draft->fields = ARENA_ARRAY(d->arena, struct field, capacity);
    }
    for (size_t i = 0; i < rows->count && rc == 0; i++) {
        struct draft *draft = draft_of(d, rows->at[i]);
        if (draft)
            rc = draft_field(d, draft, rows->at[i]);
    }
    for (size_t i = 0; i < d->count && rc == 0; i++)
        rc = finish_table(&d->drafts[i]);
    return rc;
}

static int by_table_name(const void *x, const void *y)
{
    const struct table *const *a = x, *const *b = y;
    return str_compare((*a)->name, (*b)->name);
}

static void publish_tables(struct drafting *d)
{
    struct catalogue *c = d->catalogue;
    const struct table **tables =
        ARENA_ARRAY(d->arena, const struct table *, d->count + SYSTEM_TABLE_COUNT);
    const struct table **trashed = ARENA_ARRAY(d->arena, const struct table *, d->count);

    for (unsigned which = 0; which < SYSTEM_TABLE_COUNT; which++)
        if (!system_is_internal(which))
            tables[c->table_count++] = system_table(which);
    for (size_t i = 0; i < d->count; i++)
        if (d->drafts[i].trashed)
            trashed[c->trashed_count++] = &d->drafts[i].table;
        else
            tables[c->table_count++] = &d->drafts[i].table;
    qsort(tables, c->table_count, sizeof(*tables), by_table_name);
    for (size_t i = 0; i < c->table_count; i++) {
        const void *table = tables[i];
        map_put(&c->tables_by_name, tables[i]->name, (void *)(uintptr_t)table);
    }
    c->tables = tables;
    c->trashed = trashed;
}

/* ---- relations ---- */

static size_t system_relation_count(void)
{
    size_t count = 0;

    for (unsigned which = 0; which < SYSTEM_TABLE_COUNT; which++)
        for (size_t i = 0; system_is_followed(which) && i < system_table(which)->shape.count; i++)
            count += system_table(which)->shape.columns[i].reference != NULL;
    return count;
}

/* Internal ones, too. */
static const struct table *referred_table(const struct reference *reference)
{
    for (unsigned which = 0; which < SYSTEM_TABLE_COUNT; which++)
        if (str_equal(system_table(which)->shape.name, reference->table))
            return system_table(which);
    return NULL;
}

static void add_system_relations(struct relation *relations, size_t *count)
{
    for (unsigned which = 0; which < SYSTEM_TABLE_COUNT; which++) {
        const struct table *many = system_table(which);
        for (size_t i = 0; system_is_followed(which) && i < many->shape.count; i++) {
            const struct column *c = &many->shape.columns[i];
            if (c->reference)
                relations[(*count)++] = (struct relation){.many = many,
                                                          .column = c,
                                                          .one = referred_table(c->reference),
                                                          .on_delete = c->reference->on_delete};
        }
    }
}

/* The one side of a relation; NULL: there is no such table. */
static const struct table *one_side(const struct drafting *d, struct str name, bool *trashed_out)
{
    const struct draft *draft = map_get(&d->by_name, name);

    *trashed_out = draft && draft->trashed;
    return draft ? &draft->table : catalogue_table(d->catalogue, name);
}

/* A row of directus_relations gives its column the reference. Where an end lies in the trash it
 * stays at that. */
static int add_relation(struct drafting *d, const struct value *row, struct relation *relations,
                        size_t *count)
{
    struct draft *many =
        map_get(&d->by_name, system_text(SYSTEM_RELATIONS, row, "many_collection"));
    struct str name = system_text(SYSTEM_RELATIONS, row, "many_field");
    bool one_trashed;
    const struct table *one =
        one_side(d, system_text(SYSTEM_RELATIONS, row, "one_collection"), &one_trashed);
    const struct column *column = many ? shape_column(&many->table.shape, name) : NULL;
    struct reference *reference = ARENA_NEW(d->arena, struct reference);

    if (!column || !one)
        return FAULT_BECAUSE(EBADMSG, "the relation of field \"%.*s\" has no ends", STR_ARG(name));
    if (!reference_action_find(system_text(SYSTEM_RELATIONS, row, "rowcast_on_delete"),
                               &reference->on_delete))
        return FAULT_BECAUSE(EBADMSG, "the relation of field \"%.*s\" has no known action",
                             STR_ARG(name));
    reference->table = one->shape.name;
    reference->column = table_key(one)->name;
    many->columns[column->index].reference = reference;
    if (!many->trashed && !one_trashed && !field_hidden(&many->fields[column->index]))
        relations[(*count)++] = (struct relation){&many->table, column, one, reference->on_delete};
    return 0;
}

static int load_relations(struct drafting *d)
{
    struct system_rows rows;
    int rc = system_rows(d->store, d->arena, SYSTEM_RELATIONS, NULL, NULL, &rows);
    if (rc != 0)
        return rc;

    struct relation *relations =
        ARENA_ARRAY(d->arena, struct relation, rows.count + system_relation_count());
    size_t count = 0;
    add_system_relations(relations, &count);
    for (size_t i = 0; i < rows.count && rc == 0; i++)
        rc = add_relation(d, rows.at[i], relations, &count);
    d->catalogue->relations = relations;
    d->catalogue->relation_count = count;
    return rc;
}

int tables_load(struct store *store, struct catalogue *c, struct structure_rows *rows_out)
{
    struct drafting d = {.store = store, .catalogue = c, .arena = c->arena};

    map_init(&d.by_name);
    int rc = draft_tables(&d);
    if (rc == 0)
        rc = draft_fields(&d);
    if (rc == 0) {
        publish_tables(&d);
        rc = load_relations(&d);
    }
    map_deinit(&d.by_name);
    *rows_out = d.rows;
    return rc;
}
