#include "model/access/access.h"
#include "model/schema/rows.h"

/*
 * Collections, fields and relations as D.8 to D.10 show them.
 *
 * Users' ones come from the rows of the system tables; the system tables' own, which are in no row,
 * are written down as rows first, so that one function writes each kind of object. A caller sees
 * what it may read: the rows and columns of directus_collections (…fields, …relations) that its
 * grant shows, and of these only what concerns tables and fields that it may read.
 */

/* ---- what the caller sees ---- */

static int read_grant(struct tx *tx, enum system_table which, const struct grant **grant_out)
{
    const struct table *table = system_table(which);
    const struct grant *grant = principal_grant(tx->principal, table, ACTION_READ);

    if (!grant)
        return refuse_collection(tx, table->name);
    *grant_out = grant;
    return 0;
}

static bool sees_table(const struct tx *tx, const struct table *t)
{
    return t && principal_grant(tx->principal, t, ACTION_READ);
}

static bool sees_field(const struct tx *tx, const struct table *t, const struct column *c)
{
    if (!t || !c || field_hidden(&t->fields[c->index]))
        return false;
    const struct grant *grant = principal_grant(tx->principal, t, ACTION_READ);
    return grant && column_set_has(&grant->fields, c->index);
}

/* ---- pieces ---- */

static void put_key(struct buf *b, const char *key)
{
    buf_put_char(b, ',');
    json_put_str(b, str_of(key));
    buf_put_char(b, ':');
}

static void put_text(struct buf *b, const char *key, struct str text)
{
    put_key(b, key);
    if (text.at)
        json_put_str(b, text);
    else
        buf_put_lit(b, "null");
}

static void put_flag(struct buf *b, const char *key, bool flag)
{
    put_key(b, key);
    buf_put_str(b, flag ? STR("true") : STR("false"));
}

static void put_cell(struct buf *b, const char *key, enum system_table which,
                     const struct value *row, const char *column)
{
    unsigned i = system_column(which, column);

    put_key(b, key);
    type_write(b, &system_table(which)->shape.columns[i], &row[i]);
}

/* The row as a meta object: what the grant shows of it. */
static void put_meta(const struct tx *tx, struct buf *b, enum system_table which,
                     const struct grant *grant, const struct value *row, bool system)
{
    const struct table *table = system_table(which);
    bool first = true;

    put_key(b, "meta");
    if (!expr_matches(grant->rows, row, tx->now_ms)) {
        buf_put_lit(b, "null");
        return;
    }
    buf_put_char(b, '{');
    for (unsigned i = 0; i < table->shape.count; i++) {
        if (field_hidden(&table->fields[i]) || !column_set_has(&grant->fields, i))
            continue;
        const struct expr *mask = grant->masks ? grant->masks[i] : NULL;
        const struct value masked = value_null();
        bool shown = !mask || expr_matches(mask, row, tx->now_ms);
        if (!first)
            buf_put_char(b, ',');
        first = false;
        json_put_str(b, table->fields[i].name);
        buf_put_char(b, ':');
        type_write(b, &table->shape.columns[i], shown ? &row[i] : &masked);
    }
    if (system && first)
        buf_put_lit(b, "\"system\":true");
    else if (system)
        put_flag(b, "system", true);
    buf_put_char(b, '}');
}

struct list {
    struct buf *b;
    bool started;
};

static void next_item(struct list *l)
{
    if (l->started)
        buf_put_char(l->b, ',');
    l->started = true;
}

/* ---- collections ---- */

static void put_collection(const struct tx *tx, struct buf *b, const struct grant *grant,
                           const struct value *row, const struct table *table)
{
    buf_put_lit(b, "{\"collection\":");
    json_put_str(b, system_text(SYSTEM_COLLECTIONS, row, "collection"));
    put_meta(tx, b, SYSTEM_COLLECTIONS, grant, row, table && table->system);
    put_key(b, "schema");
    if (table) {
        buf_put_lit(b, "{\"name\":");
        json_put_str(b, table->name);
        buf_put_lit(b, ",\"comment\":null}");
    } else {
        buf_put_lit(b, "null");
    }
    buf_put_char(b, '}');
}

/* All collections, as rows: users' ones by name, then the system's. None that lies in the trash. */
static int collection_rows(struct tx *tx, struct system_rows *rows_out)
{
    struct system_rows rows;

    int rc = system_rows(tx->store, tx->arena, SYSTEM_COLLECTIONS, NULL, NULL, &rows);
    if (rc != 0)
        return rc;
    const struct value **at =
        ARENA_ARRAY(tx->arena, const struct value *, rows.count + SYSTEM_TABLE_COUNT);
    size_t count = 0;
    for (size_t i = 0; i < rows.count; i++)
        if (!catalogue_trashed_table(tx->catalogue,
                                     system_text(SYSTEM_COLLECTIONS, rows.at[i], "collection")))
            at[count++] = rows.at[i];
    for (unsigned which = 0; which < SYSTEM_TABLE_COUNT; which++) {
        if (system_is_internal(which))
            continue;
        struct value *row = schema_blank(tx, SYSTEM_COLLECTIONS);
        schema_set(SYSTEM_COLLECTIONS, row, "collection", value_text(system_table(which)->name));
        at[count++] = row;
    }
    *rows_out = (struct system_rows){at, count};
    return 0;
}

static const struct table *table_of(const struct tx *tx, const struct value *row)
{
    return catalogue_table(tx->catalogue, system_text(SYSTEM_COLLECTIONS, row, "collection"));
}

static size_t index_of(const struct system_rows *rows, struct str name)
{
    size_t i = 0;

    while (i < rows->count &&
           !str_equal(system_text(SYSTEM_COLLECTIONS, rows->at[i], "collection"), name))
        i++;
    return i;
}

/* By row: shown or not. Folders are shown to admins, and above what is shown. */
static bool *shown_rows(struct tx *tx, const struct system_rows *rows)
{
    bool *shown = ARENA_ARRAY(tx->arena, bool, rows->count);

    for (size_t i = 0; i < rows->count; i++) {
        const struct table *table = table_of(tx, rows->at[i]);
        if (!tx->principal->admin && !sees_table(tx, table))
            continue;
        shown[i] = true;
        struct str group = system_text(SYSTEM_COLLECTIONS, rows->at[i], "group");
        for (size_t steps = 0; group.at && steps < rows->count; steps++) { /* may be a ring */
            size_t above = index_of(rows, group);
            if (above == rows->count)
                break;
            shown[above] |= !table_of(tx, rows->at[above]);
            group = system_text(SYSTEM_COLLECTIONS, rows->at[above], "group");
        }
    }
    return shown;
}

/* `only` absent: all. */
static int write_collections(struct tx *tx, struct str only, struct list *list)
{
    const struct grant *grant = NULL;
    struct system_rows rows;

    int rc = tx_follow(tx);
    if (rc == 0)
        rc = read_grant(tx, SYSTEM_COLLECTIONS, &grant);
    if (rc == 0)
        rc = collection_rows(tx, &rows);
    if (rc != 0)
        return rc;
    const bool *shown = shown_rows(tx, &rows);
    for (size_t i = 0; i < rows.count; i++) {
        struct str name = system_text(SYSTEM_COLLECTIONS, rows.at[i], "collection");
        if (!shown[i] || (only.at && !str_equal(only, name)))
            continue;
        next_item(list);
        put_collection(tx, list->b, grant, rows.at[i], table_of(tx, rows.at[i]));
    }
    return 0;
}

int schema_write_collections(struct tx *tx, struct buf *b)
{
    struct list list = {.b = b};

    buf_put_char(b, '[');
    int rc = write_collections(tx, STR_NULL, &list);
    buf_put_char(b, ']');
    return rc;
}

int schema_write_collection(struct tx *tx, struct str collection, struct buf *b)
{
    struct list list = {.b = b};

    int rc = write_collections(tx, collection, &list);
    return rc == 0 && !list.started ? refuse_collection(tx, collection) : rc;
}

/* ---- fields ---- */

/* The SQL type of the declaration: "varchar(%n)" is a varchar. */
static struct str data_type(const struct column *c)
{
    struct str rest = str_of(types[c->type].sqlite), name;

    str_next(&rest, '(', &name);
    rest = name;
    str_next(&rest, ' ', &name);
    return name;
}

static void put_field_schema(const struct tx *tx, struct buf *b, const struct table *table,
                             const struct column *c, const struct value *row)
{
    const struct relation *relation = catalogue_relation(tx->catalogue, c);

    put_key(b, "schema");
    buf_put_lit(b, "{\"name\":");
    json_put_str(b, c->name);
    put_text(b, "table", table->name);
    put_text(b, "data_type", data_type(c));
    put_cell(b, "default_value", SYSTEM_FIELDS, row, "rowcast_default_value");
    put_cell(b, "max_length", SYSTEM_FIELDS, row, "rowcast_length_max");
    put_cell(b, "numeric_precision", SYSTEM_FIELDS, row, "rowcast_numeric_precision");
    put_cell(b, "numeric_scale", SYSTEM_FIELDS, row, "rowcast_numeric_scale");
    put_flag(b, "is_generated", false);
    put_text(b, "generation_expression", STR_NULL);
    put_flag(b, "is_nullable", c->nullable);
    put_flag(b, "is_unique", c->unique);
    put_flag(b, "is_indexed", c->indexed);
    put_flag(b, "is_primary_key", c->primary_key);
    put_flag(b, "has_auto_increment", c->auto_increment);
    put_text(b, "foreign_key_column", relation ? table_key(relation->one)->name : STR_NULL);
    put_text(b, "foreign_key_table", relation ? relation->one->name : STR_NULL);
    buf_put_char(b, '}');
}

static void put_field(const struct tx *tx, struct buf *b, const struct grant *grant,
                      const struct table *table, const struct column *c, const struct value *row)
{
    buf_put_lit(b, "{\"collection\":");
    json_put_str(b, table->name);
    put_text(b, "field", c->name);
    put_text(b, "type", str_of(types[c->type].name));
    put_field_schema(tx, b, table, c, row);
    put_meta(tx, b, SYSTEM_FIELDS, grant, row, table->system);
    buf_put_char(b, '}');
}

static const struct value *system_field_row(struct tx *tx, const struct field *f)
{
    static const struct {
        enum special bit;
        const char *name;
    } flags[] = {
        {SPECIAL_UUID, "uuid"},           {SPECIAL_HASH, "hash"},
        {SPECIAL_CONCEAL, "conceal"},     {SPECIAL_CAST_BOOLEAN, "cast-boolean"},
        {SPECIAL_CAST_JSON, "cast-json"}, {SPECIAL_CAST_CSV, "cast-csv"},
    };
    struct value *row = schema_blank(tx, SYSTEM_FIELDS);
    struct str special = STR_NULL;

    for (size_t i = 0; i < COUNT_OF(flags); i++)
        if (f->special & flags[i].bit)
            special = arena_printf(tx->arena, "%.*s%s%s", STR_ARG(special), special.at ? "," : "",
                                   flags[i].name);
    schema_set(SYSTEM_FIELDS, row, "collection", value_text(f->table->name));
    schema_set(SYSTEM_FIELDS, row, "field", value_text(f->name));
    schema_set(SYSTEM_FIELDS, row, "special", special.at ? value_text(special) : value_null());
    schema_set(SYSTEM_FIELDS, row, "sort", value_integer((int64_t)f->column->index + 1));
    column_to_row(tx->arena, f->column, row);
    return row;
}

/* Rows of directus_fields, ordered by collection as the catalogue's tables are: one walk through
 * both serves all tables. */
struct field_rows {
    struct system_rows rows;
    size_t next;
};

static void write_table_fields(struct tx *tx, const struct grant *grant, const struct table *table,
                               struct str only, struct field_rows *rows, struct list *list)
{
    if (table->system) {
        for (size_t i = 0; i < table->shape.count; i++) {
            const struct field *f = &table->fields[i];
            if ((only.at && !str_equal(only, f->name)) || !sees_field(tx, table, f->column))
                continue;
            next_item(list);
            put_field(tx, list->b, grant, table, f->column, system_field_row(tx, f));
        }
        return;
    }
    for (; rows->next < rows->rows.count; rows->next++) {
        const struct value *row = rows->rows.at[rows->next];
        struct str name = system_text(SYSTEM_FIELDS, row, "field");
        int order = str_compare(system_text(SYSTEM_FIELDS, row, "collection"), table->name);
        const struct column *c = shape_column(&table->shape, name);
        if (order > 0)
            return;
        if (order < 0 || (only.at && !str_equal(only, name)) || !sees_field(tx, table, c))
            continue;
        next_item(list);
        put_field(tx, list->b, grant, table, c, row);
    }
}

static int write_fields(struct tx *tx, struct str collection, struct str only, struct list *list)
{
    const struct table *table = catalogue_table(tx->catalogue, collection);
    struct field_rows rows = {0};
    const struct grant *grant = NULL;
    const struct expr *where = NULL;

    int rc = read_grant(tx, SYSTEM_FIELDS, &grant);
    if (rc != 0)
        return rc;
    if (collection.at && !sees_table(tx, table))
        return refuse_collection(tx, collection);
    if (collection.at)
        where = system_test(tx->arena, SYSTEM_FIELDS, "collection", OP_EQ, value_text(collection));
    rc = system_rows(tx->store, tx->arena, SYSTEM_FIELDS, where, "collection", &rows.rows);
    for (size_t i = 0; rc == 0 && i < tx->catalogue->table_count; i++) {
        const struct table *t = tx->catalogue->tables[i];
        if (collection.at ? t == table : sees_table(tx, t))
            write_table_fields(tx, grant, t, only, &rows, list);
    }
    return rc;
}

int schema_write_fields(struct tx *tx, struct str collection, struct buf *b)
{
    struct list list = {.b = b};

    buf_put_char(b, '[');
    int rc = tx_follow(tx);
    if (rc == 0)
        rc = write_fields(tx, collection, STR_NULL, &list);
    buf_put_char(b, ']');
    return rc;
}

/* A readable field suffices (D.9): without a grant on directus_fields its meta is null. */
int schema_write_field(struct tx *tx, struct str collection, struct str field, struct buf *b)
{
    static const struct grant none = {.rows = &expr_false};
    struct list list = {.b = b};
    struct field_rows rows = {0};

    int rc = tx_follow(tx);
    if (rc != 0)
        return rc;
    const struct table *table = catalogue_table(tx->catalogue, collection);
    const struct grant *grant =
        principal_grant(tx->principal, system_table(SYSTEM_FIELDS), ACTION_READ);
    if (!sees_table(tx, table))
        return refuse_collection(tx, collection);
    const struct expr *where =
        system_test(tx->arena, SYSTEM_FIELDS, "collection", OP_EQ, value_text(table->name));
    rc = system_rows(tx->store, tx->arena, SYSTEM_FIELDS, where, "collection", &rows.rows);
    if (rc != 0)
        return rc;
    write_table_fields(tx, grant ? grant : &none, table, field, &rows, &list);
    return list.started ? 0 : refuse_fields(tx, collection, field);
}

/* ---- relations ---- */

static void put_relation(const struct tx *tx, struct buf *b, const struct grant *grant,
                         const struct relation *r, const struct value *row)
{
    buf_put_lit(b, "{\"collection\":");
    json_put_str(b, r->many->name);
    put_text(b, "field", r->column->name);
    put_text(b, "related_collection", r->one->name);
    put_key(b, "schema");
    buf_put_lit(b, "{\"table\":");
    json_put_str(b, r->many->name);
    put_text(b, "column", r->column->name);
    put_text(b, "foreign_key_table", r->one->name);
    put_text(b, "foreign_key_column", table_key(r->one)->name);
    put_text(b, "on_update", STR("NO ACTION"));
    put_text(b, "on_delete", str_of(reference_action_name(r->on_delete)));
    put_text(b, "constraint_name", STR_NULL);
    buf_put_char(b, '}');
    put_meta(tx, b, SYSTEM_RELATIONS, grant, row, r->many->system);
    buf_put_char(b, '}');
}

static const struct value *system_relation_row(struct tx *tx, const struct relation *r)
{
    struct value *row = schema_blank(tx, SYSTEM_RELATIONS);

    schema_set(SYSTEM_RELATIONS, row, "many_collection", value_text(r->many->name));
    schema_set(SYSTEM_RELATIONS, row, "many_field", value_text(r->column->name));
    schema_set(SYSTEM_RELATIONS, row, "one_collection", value_text(r->one->name));
    return row;
}

static const struct value *find_row(const struct system_rows *rows, const struct relation *r)
{
    for (size_t i = 0; i < rows->count; i++)
        if (str_equal(system_text(SYSTEM_RELATIONS, rows->at[i], "many_field"), r->column->name) &&
            str_equal(system_text(SYSTEM_RELATIONS, rows->at[i], "many_collection"), r->many->name))
            return rows->at[i];
    return NULL;
}

/* `collection` and `field` absent: all. */
static int write_relations(struct tx *tx, struct str collection, struct str field,
                           struct list *list)
{
    const struct grant *grant = NULL;
    struct system_rows rows;

    int rc = tx_follow(tx);
    if (rc == 0)
        rc = read_grant(tx, SYSTEM_RELATIONS, &grant);
    if (rc == 0)
        rc = system_rows(tx->store, tx->arena, SYSTEM_RELATIONS, NULL, NULL, &rows);
    for (size_t i = 0; rc == 0 && i < tx->catalogue->relation_count; i++) {
        const struct relation *r = &tx->catalogue->relations[i];
        if ((collection.at && !str_equal(collection, r->many->name)) ||
            (field.at && !str_equal(field, r->column->name)) ||
            !sees_field(tx, r->many, r->column) || !sees_table(tx, r->one))
            continue;
        const struct value *row = r->many->system ? system_relation_row(tx, r) : find_row(&rows, r);
        if (!row)
            continue;
        next_item(list);
        put_relation(tx, list->b, grant, r, row);
    }
    return rc;
}

int schema_write_relations(struct tx *tx, struct str collection, struct buf *b)
{
    struct list list = {.b = b};

    int rc = tx_follow(tx);
    if (rc != 0)
        return rc;
    if (collection.at && !sees_table(tx, catalogue_table(tx->catalogue, collection)))
        return refuse_collection(tx, collection);
    buf_put_char(b, '[');
    rc = write_relations(tx, collection, STR_NULL, &list);
    buf_put_char(b, ']');
    return rc;
}

int schema_write_relation(struct tx *tx, struct str collection, struct str field, struct buf *b)
{
    struct list list = {.b = b};

    int rc = write_relations(tx, collection, field, &list);
    return rc == 0 && !list.started ? refuse_fields(tx, collection, field) : rc;
}
