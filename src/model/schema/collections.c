#include "model/schema/rows.h"

/*
 * Collections (directus.md D.8). One with a table has a number in rowcast_table_id; one without is
 * a folder.
 */

/* ---- reading a body ---- */

static int check_free(struct tx *tx, struct str name)
{
    struct system_rows rows;

    int rc = system_rows(tx->store, tx->arena, SYSTEM_COLLECTIONS, NULL, NULL, &rows);
    for (size_t i = 0; i < rows.count && rc == 0; i++)
        if (str_equal_nocase(system_text(SYSTEM_COLLECTIONS, rows.at[i], "collection"), name))
            rc = refuse(tx, PROBLEM_INVALID_PAYLOAD, "Collection \"%.*s\" already exists",
                        STR_ARG(name));
    return rc;
}

static int check_group(struct tx *tx, struct str name, struct str group)
{
    const struct value *row;

    if (!group.at)
        return 0;
    if (str_equal(group, name))
        return refuse(tx, PROBLEM_INVALID_PAYLOAD, "A collection can't be its own group");
    int rc = schema_find(tx, SYSTEM_COLLECTIONS, "collection", group, NULL, STR_NULL, &row);
    if (rc == 0 && !row)
        return refuse(tx, PROBLEM_INVALID_PAYLOAD, "\"meta.group\" names no collection");
    return rc;
}

static int read_meta(struct tx *tx, const json_t *body, struct value *row)
{
    static const char *const fixed[] = {"collection", NULL};

    int rc = schema_read_meta(tx, SYSTEM_COLLECTIONS, json_get(body, "meta"), fixed, row);
    if (rc != 0)
        return rc;
    struct str accountability = system_text(SYSTEM_COLLECTIONS, row, "accountability");
    if (accountability.at && !str_equal(accountability, STR("all")) &&
        !str_equal(accountability, STR("activity")))
        return refuse(tx, PROBLEM_INVALID_PAYLOAD,
                      "\"meta.accountability\" must be \"all\", \"activity\" or null");
    return check_group(tx, system_text(SYSTEM_COLLECTIONS, row, "collection"),
                       system_text(SYSTEM_COLLECTIONS, row, "group"));
}

/* The fields of a new collection: rows, and the columns they stand for. */
struct draft {
    struct str name;
    struct value **rows;
    struct column *columns;
    size_t count, capacity;
};

static int add_field(struct tx *tx, struct draft *d, const json_t *body)
{
    struct value *row = schema_blank(tx, SYSTEM_FIELDS);
    struct column *column = &d->columns[d->count];

    schema_set(SYSTEM_FIELDS, row, "sort", value_integer((int64_t)d->count + 1));
    int rc = schema_read_field(tx, d->name, body, row, column);
    if (rc != 0)
        return rc;
    for (size_t i = 0; i < d->count; i++)
        if (str_equal_nocase(d->columns[i].name, column->name))
            return refuse(tx, PROBLEM_INVALID_PAYLOAD, "Field \"%.*s\" is there twice",
                          STR_ARG(column->name));
    column->index = (unsigned)d->count;
    d->rows[d->count++] = row;
    return 0;
}

static bool has_key(const json_t *fields)
{
    for (size_t i = 0; i < json_array_size(fields); i++)
        if (json_is_true(json_get(json_get(json_array_get(fields, i), "schema"), "is_primary_key")))
            return true;
    return false;
}

static int add_default_key(struct tx *tx, struct draft *d)
{
    json_t *body;

    int rc = json_read_in(tx->arena,
                          STR("{\"field\":\"id\",\"type\":\"integer\","
                              "\"meta\":{\"hidden\":true,\"interface\":\"numeric\","
                              "\"readonly\":true},\"schema\":{\"is_primary_key\":true,"
                              "\"has_auto_increment\":true}}"),
                          &body, NULL);
    return rc == 0 ? add_field(tx, d, body) : rc;
}

static int read_fields(struct tx *tx, const json_t *fields, struct draft *d)
{
    size_t count = json_array_size(fields);
    unsigned keys = 0;
    int rc = 0;

    if (fields && !json_is_array(fields) && !json_is_null(fields))
        return refuse(tx, PROBLEM_INVALID_PAYLOAD, "\"fields\" must be an array");
    d->capacity = count + (has_key(fields) ? 0 : 1);
    if (d->capacity > SCHEMA_FIELDS_MAX)
        return refuse(tx, PROBLEM_INVALID_PAYLOAD, "A collection can't have more than %d fields",
                      SCHEMA_FIELDS_MAX);
    d->rows = ARENA_ARRAY(tx->arena, struct value *, d->capacity);
    d->columns = ARENA_ARRAY(tx->arena, struct column, d->capacity);
    if (d->capacity > count)
        rc = add_default_key(tx, d);
    for (size_t i = 0; i < count && rc == 0; i++)
        rc = add_field(tx, d, json_array_get(fields, i));
    for (size_t i = 0; i < d->count && rc == 0; i++)
        keys += d->columns[i].primary_key;
    if (rc == 0 && keys != 1)
        rc = refuse(tx, PROBLEM_INVALID_PAYLOAD, "A collection must have one primary key");
    return rc;
}

/* ---- creating ---- */

int schema_create_collection(struct tx *tx, const json_t *body, struct str *name_out)
{
    const json_t *schema = json_get(body, "schema");
    bool folder = json_is_null(schema);
    struct draft d = {.name = json_get_str(body, "collection")};

    int rc = schema_begin(tx);
    if (rc == 0 && !json_is_object(body))
        rc = refuse(tx, PROBLEM_INVALID_PAYLOAD, "The body must be an object");
    if (rc == 0)
        rc = schema_check_collection_name(tx, d.name);
    if (rc == 0)
        rc = check_free(tx, d.name);
    if (rc == 0 && schema && !folder && !json_is_object(schema))
        rc = refuse(tx, PROBLEM_INVALID_PAYLOAD, "\"schema\" must be an object or null");
    if (rc != 0)
        return rc;
    d.name = arena_str(tx->arena, d.name);
    struct value *row = schema_blank(tx, SYSTEM_COLLECTIONS);
    schema_set(SYSTEM_COLLECTIONS, row, "collection", value_text(d.name));
    /* The catalogue's version is never given twice, and each new table brings another. */
    if (!folder)
        schema_set(SYSTEM_COLLECTIONS, row, "rowcast_table_id",
                   value_integer(tx->catalogue->version));
    rc = read_meta(tx, body, row);
    if (rc == 0 && folder && json_array_size(json_get(body, "fields")) > 0)
        rc = refuse(tx, PROBLEM_INVALID_PAYLOAD, "A collection without a table can't have fields");
    if (rc == 0 && !folder)
        rc = read_fields(tx, json_get(body, "fields"), &d);
    if (rc == 0)
        rc = folder ? schema_insert(tx, SYSTEM_COLLECTIONS, row)
                    : schema_make_table(tx, row, d.rows, d.columns, d.count);
    if (rc == 0)
        *name_out = d.name;
    return rc;
}

/* ---- changing ---- */

/* The row of a users' collection, folders included; FORBIDDEN when there is none, or it lies in the
 * trash. */
static int find_collection(struct tx *tx, struct str name, const struct value **row_out)
{
    int rc = schema_begin(tx);
    if (rc == 0)
        rc = schema_find(tx, SYSTEM_COLLECTIONS, "collection", name, NULL, STR_NULL, row_out);
    if (rc == 0 && (!*row_out || catalogue_trashed_table(tx->catalogue, name)))
        return refuse_collection(tx, name);
    return rc;
}

int schema_update_collection(struct tx *tx, struct str collection, const json_t *body)
{
    const struct value *row;

    int rc = find_collection(tx, collection, &row);
    if (rc != 0)
        return rc;
    if (!json_is_object(body))
        return refuse(tx, PROBLEM_INVALID_PAYLOAD, "The body must be an object");
    struct value *changed = schema_copy(tx, SYSTEM_COLLECTIONS, row);
    rc = read_meta(tx, body, changed);
    if (rc == 0)
        rc = schema_update(tx, SYSTEM_COLLECTIONS, row, changed);
    return rc;
}

/* ---- deleting ---- */

static int release_columns(struct tx *tx, const struct table *other, const struct table *table)
{
    struct column *columns = schema_columns(tx, other);
    struct str field = STR_NULL;

    for (size_t i = 0; i < other->shape.count; i++) {
        const struct reference *reference = columns[i].reference;
        if (reference && str_equal(reference->table, table->shape.name)) {
            columns[i].reference = NULL;
            field = columns[i].name;
        }
    }
    return field.at ? schema_alter(tx, other, columns, other->shape.count, field) : 0;
}

/* Columns elsewhere that refer to this table stay, as plain columns; in the trash, too. */
static int release_referrers(struct tx *tx, const struct table *table)
{
    const struct catalogue *c = tx->catalogue;
    int rc = 0;

    for (size_t i = 0; i < c->table_count && rc == 0; i++)
        if (c->tables[i] != table && !c->tables[i]->system)
            rc = release_columns(tx, c->tables[i], table);
    for (size_t i = 0; i < c->trashed_count && rc == 0; i++)
        rc = release_columns(tx, c->trashed[i], table);
    return rc;
}

/* Rows of a system table with this name in either column. */
static int delete_rows(struct tx *tx, enum system_table which, const char *column,
                       const char *column2, struct str name)
{
    struct value value = value_text(name);

    return schema_delete(tx, which,
                         expr_or(tx->arena, system_test(tx->arena, which, column, OP_EQ, value),
                                 system_test(tx->arena, which, column2, OP_EQ, value)));
}

/* What is grouped under it lies at the top from now on. */
static int release_members(struct tx *tx, struct str name)
{
    struct system_rows rows;

    int rc = system_rows(
        tx->store, tx->arena, SYSTEM_COLLECTIONS,
        system_test(tx->arena, SYSTEM_COLLECTIONS, "group", OP_EQ, value_text(name)), NULL, &rows);
    for (size_t i = 0; rc == 0 && i < rows.count; i++) {
        struct value *changed = schema_copy(tx, SYSTEM_COLLECTIONS, rows.at[i]);
        schema_set(SYSTEM_COLLECTIONS, changed, "group", value_null());
        rc = schema_update(tx, SYSTEM_COLLECTIONS, rows.at[i], changed);
    }
    return rc;
}

int schema_delete_collection(struct tx *tx, struct str collection)
{
    const struct value *row;

    int rc = find_collection(tx, collection, &row);
    if (rc != 0)
        return rc;
    struct str name = system_text(SYSTEM_COLLECTIONS, row, "collection");
    const struct table *table = catalogue_table(tx->catalogue, name); /* NULL: a folder */
    if (table)
        rc = release_referrers(tx, table);
    if (rc == 0)
        rc = delete_rows(tx, SYSTEM_RELATIONS, "many_collection", "one_collection", name);
    if (rc == 0)
        rc = delete_rows(tx, SYSTEM_PERMISSIONS, "collection", "collection", name);
    if (rc == 0)
        rc = delete_rows(tx, SYSTEM_FIELDS, "collection", "collection", name);
    if (rc == 0)
        rc = release_members(tx, name);
    if (rc == 0)
        rc = delete_rows(tx, SYSTEM_COLLECTIONS, "collection", "collection", name);
    if (rc == 0 && table)
        rc = store_drop_table(tx->store, table->shape.name);
    return rc;
}
