#include "model/schema/rows.h"

#include <assert.h>

/*
 * Fields (directus.md D.9). A field's row holds its meta and, in the rowcast_… cells, its column; a
 * body is read into such a row, and the row says what the table must become.
 */

/* ---- reading a body ---- */

/* Flags of fields without a column, and one that we cannot keep the promise of. */
static int check_special(struct tx *tx, struct str flags)
{
    static const char *const unsupported[] = {"alias",   "o2m",         "m2m",   "m2a",
                                              "o2a",     "files",       "group", "no-data",
                                              "encrypt", "translations"};
    struct str rest = flags, flag;

    while (str_next(&rest, ',', &flag))
        for (size_t i = 0; i < COUNT_OF(unsupported); i++)
            if (str_equal(str_trim(flag), str_of(unsupported[i])))
                return refuse(tx, PROBLEM_INVALID_PAYLOAD, "Special \"%s\" is not supported yet",
                              unsupported[i]);
    return 0;
}

/* A hash is a text of its own form, which no date and no JSON can hold. */
static int check_hash(struct tx *tx, struct str flags, const struct column *c)
{
    static const bool holds[TYPE_COUNT] = {
        [TYPE_STRING] = true, [TYPE_TEXT] = true, [TYPE_CSV] = true, [TYPE_HASH] = true};
    struct str rest = flags, flag;

    while (!holds[c->type] && str_next(&rest, ',', &flag))
        if (str_equal(str_trim(flag), STR("hash")))
            return refuse(tx, PROBLEM_INVALID_PAYLOAD,
                          "Special \"hash\" needs a field that holds any text");
    return 0;
}

static int read_type(struct tx *tx, const json_t *body, bool required, struct column *c)
{
    const json_t *type = json_get(body, "type");

    if (!type && !required)
        return 0;
    if (!type || json_is_null(type) || str_equal(json_str(type), STR("alias")))
        return refuse(tx, PROBLEM_INVALID_PAYLOAD,
                      "\"type\" is required; fields without a column are not supported yet");
    if (!type_find(json_str(type), &c->type))
        return refuse(tx, PROBLEM_INVALID_PAYLOAD, "\"type\" is not a type that is supported");
    return 0;
}

/* null means the default, as an absent key does on creation. */
static int read_flag(struct tx *tx, const json_t *schema, const char *key, bool *flag_out)
{
    const json_t *flag = json_get(schema, key);

    if (!flag || json_is_null(flag))
        return 0;
    if (!json_is_boolean(flag))
        return refuse(tx, PROBLEM_INVALID_PAYLOAD, "\"schema.%s\" must be true or false", key);
    *flag_out = json_is_true(flag);
    return 0;
}

static int read_number(struct tx *tx, const json_t *schema, const char *key, int64_t min,
                       int64_t max, int64_t *number_out)
{
    const json_t *number = json_get(schema, key);

    if (!number || json_is_null(number))
        return 0;
    if (!json_is_integer(number) || json_integer_value(number) < min ||
        json_integer_value(number) > max)
        return refuse(tx, PROBLEM_INVALID_PAYLOAD,
                      "\"schema.%s\" must be a whole number from %lld to %lld", key, (long long)min,
                      (long long)max);
    *number_out = json_integer_value(number);
    return 0;
}

enum { LENGTH_DEFAULT = 255, LENGTH_MAX = 65535 };
enum { PRECISION_DEFAULT = 10, PRECISION_MAX = 15, SCALE_DEFAULT = 5 };

/* Length, precision and scale: what the type knows; anything else a client sends is left out. */
static int read_size(struct tx *tx, const json_t *schema, struct column *c)
{
    int64_t length = c->length_max ? c->length_max : LENGTH_DEFAULT;
    int64_t precision = c->precision ? c->precision : PRECISION_DEFAULT;
    int64_t scale = c->precision ? c->scale : SCALE_DEFAULT;
    int rc = 0;

    if (c->type == TYPE_STRING || c->type == TYPE_HASH)
        rc = read_number(tx, schema, "max_length", 1, LENGTH_MAX, &length);
    else
        length = 0;
    if (c->type == TYPE_DECIMAL) {
        rc = read_number(tx, schema, "numeric_precision", 1, PRECISION_MAX, &precision);
        if (scale > precision)
            scale = precision;
        if (rc == 0)
            rc = read_number(tx, schema, "numeric_scale", 0, precision, &scale);
    } else {
        precision = scale = 0;
    }
    c->length_max = (unsigned)length;
    c->precision = (uint8_t)precision;
    c->scale = (uint8_t)scale;
    return rc;
}

static int read_default(struct tx *tx, const json_t *schema, struct column *c)
{
    const json_t *initial = json_get(schema, "default_value");

    if (!initial)
        return 0;
    if (!json_is_null(initial) && (c->type == TYPE_HASH || c->primary_key))
        return refuse(tx, PROBLEM_INVALID_PAYLOAD,
                      "\"schema.default_value\" can't be set for this field");
    if (type_read(c, initial, tx->arena, &c->default_value) != 0)
        return refuse(tx, PROBLEM_INVALID_PAYLOAD,
                      "\"schema.default_value\" is no value of type \"%s\"", types[c->type].name);
    return 0;
}

/* A default that was there before and is not sent again must be a value of the new type too. */
static int convert_default(struct tx *tx, enum type_id before, struct column *c)
{
    struct buf text;
    json_t *json;

    if (value_is_null(&c->default_value) || before == c->type)
        return 0;
    buf_init(&text, SIZE_MAX);
    types[before].write(&text, &c->default_value);
    int rc = json_read_in(tx->arena, buf_str(&text), &json, NULL);
    buf_deinit(&text);
    if (rc != 0 || type_read(c, json, tx->arena, &c->default_value) != 0)
        return refuse(tx, PROBLEM_INVALID_PAYLOAD,
                      "\"schema.default_value\" is no value of type \"%s\"", types[c->type].name);
    return 0;
}

static int check_key(struct tx *tx, struct column *c)
{
    bool integer = c->type == TYPE_INTEGER || c->type == TYPE_BIG_INTEGER;

    if (c->auto_increment && !(c->primary_key && integer))
        return refuse(tx, PROBLEM_INVALID_PAYLOAD,
                      "Only a primary key of type \"integer\" or \"bigInteger\" can have "
                      "auto-increment");
    if (!c->primary_key)
        return 0;
    if (!integer && c->type != TYPE_UUID && c->type != TYPE_STRING)
        return refuse(tx, PROBLEM_INVALID_PAYLOAD,
                      "A primary key must be of type \"integer\", \"bigInteger\", \"uuid\" or "
                      "\"string\"");
    c->nullable = c->unique = c->indexed = false; /* a key is what it is, whatever was sent */
    return 0;
}

/* Values of JSON have no order to be kept in, nor one form only. */
static int check_unique(struct tx *tx, const struct column *c)
{
    if (c->unique && c->type == TYPE_JSON)
        return refuse(tx, PROBLEM_INVALID_PAYLOAD, "A field of type \"json\" can't be unique");
    return 0;
}

static int read_schema(struct tx *tx, const json_t *schema, struct column *c)
{
    const struct {
        const char *key;
        bool *flag;
    } flags[] = {
        {"is_nullable", &c->nullable},
        {"is_unique", &c->unique},
        {"is_indexed", &c->indexed},
        {"is_primary_key", &c->primary_key},
        {"has_auto_increment", &c->auto_increment},
    };
    int rc = 0;

    if (schema && !json_is_object(schema) && !json_is_null(schema))
        return refuse(tx, PROBLEM_INVALID_PAYLOAD, "\"schema\" must be an object");
    for (size_t i = 0; i < COUNT_OF(flags) && rc == 0; i++)
        rc = read_flag(tx, schema, flags[i].key, flags[i].flag);
    if (rc == 0)
        rc = read_size(tx, schema, c);
    if (rc == 0)
        rc = check_key(tx, c);
    if (rc == 0)
        rc = check_unique(tx, c);
    return rc;
}

/* Timestamps carry their flag, so that other readers of these tables tell them from date-times. */
static void complete_special(struct tx *tx, struct value *row, const struct column *c)
{
    struct str special = system_text(SYSTEM_FIELDS, row, "special");

    if (c->type != TYPE_TIMESTAMP || str_contains(special, STR("cast-timestamp")))
        return;
    special = special.len == 0 ? STR("cast-timestamp")
                               : arena_printf(tx->arena, "%.*s,cast-timestamp", STR_ARG(special));
    schema_set(SYSTEM_FIELDS, row, "special", value_text(special));
}

static int read_meta(struct tx *tx, const json_t *body, struct value *row)
{
    static const char *const fixed[] = {"id", "collection", "field", NULL};

    int rc = schema_read_meta(tx, SYSTEM_FIELDS, json_get(body, "meta"), fixed, row);
    if (rc != 0)
        return rc;
    struct str validation = system_text(SYSTEM_FIELDS, row, "validation");
    if (validation.at && !str_starts_with(validation, STR("{")))
        return refuse(tx, PROBLEM_INVALID_PAYLOAD, "\"meta.validation\" must be a filter");
    return check_special(tx, system_text(SYSTEM_FIELDS, row, "special"));
}

int schema_read_field(struct tx *tx, struct str collection, const json_t *body, struct value *row,
                      struct column *column_out)
{
    static const char *const allowed[] = {"collection", "field", "type", "schema", "meta", NULL};
    bool blank = value_is_null(&row[system_column(SYSTEM_FIELDS, "field")]);
    struct column c = {.name = json_get_str(body, "field"), .nullable = true};

    int rc = schema_check_keys(tx, body, allowed);
    if (rc == 0)
        rc = blank ? schema_check_field_name(tx, c.name) : column_from_row(tx->arena, row, &c);
    enum type_id before = c.type;
    if (rc == 0)
        rc = read_type(tx, body, blank, &c);
    if (rc == 0)
        rc = read_schema(tx, json_get(body, "schema"), &c);
    if (rc == 0 && !blank)
        rc = convert_default(tx, before, &c);
    if (rc == 0)
        rc = read_default(tx, json_get(body, "schema"), &c);
    if (rc == 0)
        rc = read_meta(tx, body, row);
    if (rc == 0)
        rc = check_hash(tx, system_text(SYSTEM_FIELDS, row, "special"), &c);
    if (rc != 0)
        return rc;
    c.name = arena_str(tx->arena, c.name);
    schema_set(SYSTEM_FIELDS, row, "collection", value_text(collection));
    schema_set(SYSTEM_FIELDS, row, "field", value_text(c.name));
    complete_special(tx, row, &c);
    column_to_row(tx->arena, &c, row);
    return column_from_row(tx->arena, row, column_out); /* with what the flags say of it */
}

/* ---- creating ---- */

/* Of all fields that the collection has, also in the trash and without a column. */
static int check_free(struct tx *tx, const struct table *table, struct str name)
{
    struct system_rows rows;

    int rc = system_rows(
        tx->store, tx->arena, SYSTEM_FIELDS,
        system_test(tx->arena, SYSTEM_FIELDS, "collection", OP_EQ, value_text(table->name)), NULL,
        &rows);
    for (size_t i = 0; i < rows.count && rc == 0; i++)
        if (str_equal_nocase(system_text(SYSTEM_FIELDS, rows.at[i], "field"), name))
            rc = refuse(tx, PROBLEM_INVALID_PAYLOAD,
                        "Field \"%.*s\" already exists in collection \"%.*s\"", STR_ARG(name),
                        STR_ARG(table->name));
    if (rc != 0)
        return rc;
    if (table->declared >= SCHEMA_FIELDS_MAX)
        return refuse(tx, PROBLEM_INVALID_PAYLOAD, "A collection can't have more than %d fields",
                      SCHEMA_FIELDS_MAX);
    return 0;
}

int schema_create_field(struct tx *tx, struct str collection, const json_t *body,
                        struct str *name_out)
{
    const struct table *table;
    struct column column;

    int rc = schema_begin(tx);
    if (rc == 0)
        rc = schema_table(tx, collection, &table);
    if (rc != 0)
        return rc;
    struct value *row = schema_blank(tx, SYSTEM_FIELDS);
    schema_set(SYSTEM_FIELDS, row, "sort", value_integer((int64_t)table->declared + 1));
    rc = schema_read_field(tx, table->name, body, row, &column);
    if (rc == 0)
        rc = check_free(tx, table, column.name);
    if (rc == 0 && column.primary_key)
        rc = refuse(tx, PROBLEM_INVALID_PAYLOAD, "Collection \"%.*s\" has a primary key already",
                    STR_ARG(table->name));
    if (rc != 0)
        return rc;
    struct column *columns = schema_columns(tx, table);
    columns[table->shape.count] = column;
    rc = schema_alter(tx, table, columns, table->shape.count + 1, column.name);
    if (rc == 0)
        rc = schema_insert(tx, SYSTEM_FIELDS, row);
    if (rc == 0)
        *name_out = column.name;
    return rc;
}

/* ---- changing ---- */

/* The field and its row; FORBIDDEN when there is none. */
static int find_field(struct tx *tx, struct str collection, struct str name,
                      const struct table **table_out, const struct column **column_out,
                      const struct value **row_out)
{
    int rc = schema_begin(tx);
    if (rc == 0)
        rc = schema_table(tx, collection, table_out);
    if (rc != 0)
        return rc;
    const struct field *found = table_field(*table_out, name);
    *column_out = found && !field_hidden(found) ? found->column : NULL;
    rc = schema_find(tx, SYSTEM_FIELDS, "collection", (*table_out)->name, "field", name, row_out);
    if (rc != 0)
        return rc;
    return *column_out && *row_out ? 0 : refuse_fields(tx, collection, name);
}

static int check_key_change(struct tx *tx, const struct column *before, const struct column *after)
{
    if (before->primary_key != after->primary_key)
        return refuse(tx, PROBLEM_INVALID_PAYLOAD, "The primary key can't be changed");
    if (before->primary_key &&
        (before->type != after->type || before->auto_increment != after->auto_increment))
        return refuse(tx, PROBLEM_INVALID_PAYLOAD, "The type of the primary key can't be changed");
    return 0;
}

static int check_change(struct tx *tx, const struct column *before, const struct column *after)
{
    bool retyped = before->type != after->type;

    if (retyped && (before->type == TYPE_HASH || after->type == TYPE_HASH))
        return refuse(tx, PROBLEM_INVALID_PAYLOAD,
                      "A field can't be changed from type \"%s\" to type \"%s\"",
                      types[before->type].name, types[after->type].name);
    if (retyped && before->reference)
        return refuse(tx, PROBLEM_INVALID_PAYLOAD,
                      "The type of a field with a relation can't be changed");
    if (before->reference && before->reference->on_delete == ON_DELETE_SET_NULL && !after->nullable)
        return refuse(tx, PROBLEM_INVALID_PAYLOAD,
                      "A field whose relation sets it to null must be nullable");
    return check_key_change(tx, before, after);
}

static bool same_in_store(const struct column *a, const struct column *b)
{
    return a->type == b->type && a->length_max == b->length_max && a->precision == b->precision &&
           a->scale == b->scale && a->nullable == b->nullable && a->unique == b->unique &&
           a->indexed == b->indexed && value_equal(&a->default_value, &b->default_value);
}

/* The store says only that some value does not fit; why follows from what was asked for. */
static int explain_range(struct tx *tx, const struct column *before, const struct column *after)
{
    if (tx->problem->kind != PROBLEM_VALUE_OUT_OF_RANGE)
        return REFUSED;
    if (before->type != after->type)
        return refuse(tx, PROBLEM_INVALID_PAYLOAD,
                      "Values of field \"%.*s\" can't be converted to type \"%s\"",
                      STR_ARG(after->name), types[after->type].name);
    if (after->type == TYPE_STRING)
        tx->problem->kind = PROBLEM_VALUE_TOO_LONG;
    return REFUSED;
}

static int alter_column(struct tx *tx, const struct table *table, const struct column *before,
                        struct column *after)
{
    struct column *columns = schema_columns(tx, table);

    after->reference = before->reference;
    columns[before->index] = *after;
    int rc = schema_alter(tx, table, columns, table->shape.count, after->name);
    return rc == REFUSED ? explain_range(tx, before, after) : rc;
}

int schema_update_field(struct tx *tx, struct str collection, struct str field, const json_t *body)
{
    const struct table *table;
    const struct column *before;
    const struct value *row;
    struct column after;

    int rc = find_field(tx, collection, field, &table, &before, &row);
    if (rc != 0)
        return rc;
    struct str renamed = json_get_str(body, "field");
    if (renamed.at && !str_equal(renamed, before->name))
        return refuse(tx, PROBLEM_INVALID_PAYLOAD, "\"field\" can't be changed");
    struct value *changed = schema_copy(tx, SYSTEM_FIELDS, row);
    rc = schema_read_field(tx, table->name, body, changed, &after);
    if (rc == 0)
        rc = check_change(tx, before, &after);
    if (rc == 0 && !same_in_store(before, &after))
        rc = alter_column(tx, table, before, &after);
    if (rc == 0)
        rc = schema_update(tx, SYSTEM_FIELDS, row, changed);
    return rc;
}

/* ---- deleting ---- */

/* A collection's settings that name the field name none from now on. */
static int forget_field(struct tx *tx, const struct table *table, struct str name)
{
    static const char *const settings[] = {"sort_field", "archive_field"};
    const struct value *row;

    int rc = schema_find(tx, SYSTEM_COLLECTIONS, "collection", table->name, NULL, STR_NULL, &row);
    if (rc != 0)
        return rc;
    assert(row);
    struct value *changed = schema_copy(tx, SYSTEM_COLLECTIONS, row);
    for (size_t i = 0; i < COUNT_OF(settings); i++)
        if (str_equal(system_text(SYSTEM_COLLECTIONS, row, settings[i]), name))
            schema_set(SYSTEM_COLLECTIONS, changed, settings[i], value_null());
    return schema_update(tx, SYSTEM_COLLECTIONS, row, changed);
}

static int delete_relation_of(struct tx *tx, const struct table *table, struct str field)
{
    const struct expr *where = expr_and(
        tx->arena,
        system_test(tx->arena, SYSTEM_RELATIONS, "many_collection", OP_EQ, value_text(table->name)),
        system_test(tx->arena, SYSTEM_RELATIONS, "many_field", OP_EQ, value_text(field)));
    return schema_delete(tx, SYSTEM_RELATIONS, where);
}

int schema_delete_field(struct tx *tx, struct str collection, struct str field)
{
    const struct table *table;
    const struct column *column;
    const struct value *row;

    int rc = find_field(tx, collection, field, &table, &column, &row);
    if (rc != 0)
        return rc;
    if (column->primary_key)
        return refuse(tx, PROBLEM_INVALID_PAYLOAD, "The primary key can't be deleted");
    struct column *columns = schema_columns(tx, table);
    size_t count = table->shape.count - 1;
    memmove(&columns[column->index], &columns[column->index + 1],
            (count - column->index) * sizeof(*columns));
    rc = schema_alter(tx, table, columns, count, column->name);
    if (rc == 0)
        rc = delete_relation_of(tx, table, column->name);
    if (rc == 0)
        rc = forget_field(tx, table, column->name);
    if (rc == 0)
        rc = schema_delete(tx, SYSTEM_FIELDS,
                           expr_test(tx->arena, table_key(system_table(SYSTEM_FIELDS)), OP_EQ,
                                     &row[system_table(SYSTEM_FIELDS)->shape.key], 1));
    return rc;
}
