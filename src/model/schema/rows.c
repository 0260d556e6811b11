#include "model/schema/rows.h"

#include <assert.h>

#include "model/access/access.h"
#include "model/access/members.h"
#include "model/hidden.h"

/* ---- asking ---- */

int schema_begin(struct tx *tx)
{
    assert(tx->commit);
    if (!tx->principal->admin)
        return refuse(tx, PROBLEM_FORBIDDEN, NULL);
    return tx_follow(tx);
}

int schema_table(struct tx *tx, struct str collection, const struct table **table_out)
{
    const struct table *table = catalogue_table(tx->catalogue, collection);

    if (!table || table->system)
        return refuse_collection(tx, collection);
    *table_out = table;
    return 0;
}

static bool is_listed(const char *const *list, struct str name)
{
    for (; *list; list++)
        if (str_equal(str_of(*list), name))
            return true;
    return false;
}

int schema_check_keys(struct tx *tx, const json_t *body, const char *const *allowed)
{
    if (!json_is_object(body))
        return refuse(tx, PROBLEM_INVALID_PAYLOAD, "The body must be an object");
    for (void *at = members_first(body); at; at = members_next(body, at))
        if (!is_listed(allowed, member_key(at)))
            return refuse(tx, PROBLEM_INVALID_PAYLOAD, "\"%.*s\" is not allowed",
                          STR_ARG(member_key(at)));
    return 0;
}

static bool has_prefix(struct str name, struct str prefix)
{
    return name.len >= prefix.len && str_equal_nocase((struct str){name.at, prefix.len}, prefix);
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static int check_name(struct tx *tx, const char *what, struct str name, const char *const *reserved)
{
    if (str_trim(name).len == 0)
        return refuse(tx, PROBLEM_INVALID_PAYLOAD, "\"%s\" is required", what);
    if (name.len > STORE_NAME_MAX)
        return refuse(tx, PROBLEM_INVALID_PAYLOAD, "\"%s\" is longer than %d characters", what,
                      STORE_NAME_MAX);
    for (size_t i = 0; i < name.len; i++)
        if (!is_word(name.at[i]))
            return refuse(tx, PROBLEM_INVALID_PAYLOAD,
                          "\"%s\" may have letters, digits and underscores only", what);
    for (; *reserved; reserved++)
        if (has_prefix(name, str_of(*reserved)))
            return refuse(tx, PROBLEM_INVALID_PAYLOAD, "\"%s\" can't start with \"%s\"", what,
                          *reserved);
    return 0;
}

int schema_check_collection_name(struct tx *tx, struct str name)
{
    static const char *const reserved[] = {"directus_", "rowcast_", "sqlite_", "pg_", NULL};
    return check_name(tx, "collection", name, reserved);
}

int schema_check_field_name(struct tx *tx, struct str name)
{
    static const char *const reserved[] = {"rowcast_", NULL};
    /* columns that each table of PostgreSQL has, on SQLite too: a copy may go there */
    static const char *const taken[] = {"ctid", "tableoid", "xmin", "xmax", "cmin", "cmax"};

    for (size_t i = 0; i < COUNT_OF(taken); i++)
        if (str_equal(name, str_of(taken[i])))
            return refuse(tx, PROBLEM_INVALID_PAYLOAD,
                          "\"field\" can't be \"%s\", which PostgreSQL keeps for itself", taken[i]);
    return check_name(tx, "field", name, reserved);
}

/* ---- rows ---- */

struct value *schema_blank(struct tx *tx, enum system_table which)
{
    const struct shape *shape = &system_table(which)->shape;
    struct value *row = ARENA_ARRAY(tx->arena, struct value, shape->count);

    for (size_t i = 0; i < shape->count; i++)
        row[i] = shape->columns[i].default_value;
    return row;
}

struct value *schema_copy(struct tx *tx, enum system_table which, const struct value *row)
{
    return value_copy_row(tx->arena, row, system_table(which)->shape.count);
}

void schema_set(enum system_table which, struct value *row, const char *column, struct value value)
{
    row[system_column(which, column)] = value;
}

int schema_read_meta(struct tx *tx, enum system_table which, const json_t *meta,
                     const char *const *fixed, struct value *row)
{
    if (!meta || json_is_null(meta))
        return 0;
    if (!json_is_object(meta))
        return refuse(tx, PROBLEM_INVALID_PAYLOAD, "\"meta\" must be an object");
    for (void *at = members_first(meta); at; at = members_next(meta, at)) {
        const struct field *field = table_field(system_table(which), member_key(at));
        if (!field || field_hidden(field) || is_listed(fixed, field->name))
            continue;
        const struct column *c = field->column;
        if (type_read(c, member_value(at), tx->arena, &row[c->index]) != 0)
            return refuse(tx, PROBLEM_INVALID_PAYLOAD, "\"meta.%.*s\" has no valid value",
                          STR_ARG(c->name));
        if (value_is_null(&row[c->index]) && !c->nullable)
            row[c->index] = c->default_value;
    }
    return 0;
}

struct stored {
    struct arena *arena;
    size_t count;
    const struct value *row;
};

static int keep_row(void *context, const struct value *row)
{
    struct stored *stored = context;

    stored->row = value_copy_row(stored->arena, row, stored->count);
    return 0;
}

int schema_insert_row(struct tx *tx, enum system_table which, const struct value *row,
                      const struct value **row_out)
{
    const struct table *table = system_table(which);
    const struct shape *shape = &table->shape;
    struct assignment *assignments = ARENA_ARRAY(tx->arena, struct assignment, shape->count);
    size_t count = 0;
    struct stored stored = {tx->arena, shape->count, NULL};

    for (size_t i = 0; i < shape->count; i++)
        if (i != shape->key || !value_is_null(&row[i]))
            assignments[count++] = (struct assignment){&shape->columns[i], row[i]};
    int rc = store_insert(tx->store, shape, assignments, count, keep_row, &stored);
    if (rc != 0)
        return schema_outcome(tx, rc, table->name, STR_NULL);
    struct item_key key = {.value = stored.row[shape->key]};
    commit_record(tx, commit_operation(tx), CHANGE_CREATE, table, &key, NULL, stored.row, NULL);
    *row_out = stored.row;
    return 0;
}

int schema_insert(struct tx *tx, enum system_table which, const struct value *row)
{
    const struct value *stored;

    return schema_insert_row(tx, which, row, &stored);
}

int schema_update(struct tx *tx, enum system_table which, const struct value *before,
                  const struct value *after)
{
    const struct table *table = system_table(which);
    const struct shape *shape = &table->shape;
    struct assignment *assignments = ARENA_ARRAY(tx->arena, struct assignment, shape->count);
    size_t count = 0;

    for (size_t i = 0; i < shape->count; i++)
        if (!value_equal(&before[i], &after[i]))
            assignments[count++] = (struct assignment){&shape->columns[i], after[i]};
    if (count == 0)
        return 0;
    const struct expr *where =
        expr_test(tx->arena, table_key(table), OP_EQ, &before[shape->key], 1);
    int rc = store_update(tx->store, shape, assignments, count, where, tx->now_ms, NULL, NULL);
    if (rc != 0)
        return schema_outcome(tx, rc, table->name, STR_NULL);
    struct item_key key = {.value = before[shape->key]};
    commit_record(tx, commit_operation(tx), CHANGE_UPDATE, table, &key, before, after, NULL);
    return 0;
}

int schema_update_asked(struct tx *tx, enum system_table which, const struct value *before,
                        const struct value *after)
{
    const struct table *table = system_table(which);
    struct item_key key = {.value = before[table->shape.key]};
    size_t recorded = tx->commit->count;

    int rc = schema_update(tx, which, before, after);
    if (rc == 0 && tx->commit->count == recorded)
        commit_record(tx, commit_operation(tx), CHANGE_UPDATE, table, &key, before, after, NULL);
    return rc;
}

int schema_delete(struct tx *tx, enum system_table which, const struct expr *where)
{
    const struct table *table = system_table(which);
    struct system_rows rows;

    int rc = system_rows(tx->store, tx->arena, which, where, NULL, &rows);
    if (rc != 0 || rows.count == 0)
        return rc;
    rc = store_delete(tx->store, &table->shape, where, tx->now_ms, NULL, NULL);
    if (rc != 0)
        return schema_outcome(tx, rc, table->name, STR_NULL);
    unsigned operation = commit_operation(tx);
    for (size_t i = 0; i < rows.count; i++) {
        struct item_key key = {.value = rows.at[i][table->shape.key]};
        commit_record(tx, operation, CHANGE_DELETE, table, &key, rows.at[i], NULL, NULL);
    }
    return 0;
}

int schema_find(struct tx *tx, enum system_table which, const char *column, struct str value,
                const char *column2, struct str value2, const struct value **row_out)
{
    const struct expr *where = system_test(tx->arena, which, column, OP_EQ, value_text(value));
    struct system_rows rows;

    if (column2)
        where = expr_and(tx->arena, where,
                         system_test(tx->arena, which, column2, OP_EQ, value_text(value2)));
    int rc = system_rows(tx->store, tx->arena, which, where, NULL, &rows);
    if (rc == 0)
        *row_out = rows.count > 0 ? rows.at[0] : NULL;
    return rc;
}

/* ---- tables ---- */

struct column *schema_columns(struct tx *tx, const struct table *table)
{
    const struct shape *shape = &table->shape;
    struct column *columns = ARENA_ARRAY(tx->arena, struct column, shape->count + 1);

    memcpy(columns, shape->columns, shape->count * sizeof(*columns));
    return columns;
}

int schema_reshape(struct tx *tx, const struct table *table, struct column *columns, size_t count,
                   const struct str *from, struct str field)
{
    struct shape after = {.name = table->shape.name, .columns = columns, .count = count};

    for (unsigned i = 0; i < count; i++) {
        columns[i].index = i;
        if (columns[i].primary_key)
            after.key = i;
    }
    int rc = store_alter_table(tx->store, &table->shape, &after, from);
    return schema_outcome(tx, rc, table->name, field);
}

int schema_alter(struct tx *tx, const struct table *table, struct column *columns, size_t count,
                 struct str field)
{
    struct str *from = ARENA_ARRAY(tx->arena, struct str, count);

    for (size_t i = 0; i < count; i++)
        if (shape_column(&table->shape, columns[i].name))
            from[i] = columns[i].name;
    return schema_reshape(tx, table, columns, count, from, field);
}

int schema_make_table(struct tx *tx, const struct value *row, struct value *const *field_rows,
                      const struct column *columns, size_t count)
{
    struct column *all = ARENA_ARRAY(tx->arena, struct column, count + HIDDEN_COUNT);
    struct shape shape = {.name = system_text(SYSTEM_COLLECTIONS, row, "collection"),
                          .columns = all};

    memcpy(all, columns, count * sizeof(*all));
    for (unsigned i = 0; i < count; i++)
        if (columns[i].primary_key)
            shape.key = i;
    shape.count = hidden_append(all, count, &columns[shape.key]);
    int rc = schema_insert(tx, SYSTEM_COLLECTIONS, row);
    if (rc == 0)
        rc = schema_outcome(tx, store_create_table(tx->store, &shape), shape.name, STR_NULL);
    for (size_t i = 0; i < count && rc == 0; i++)
        rc = schema_insert(tx, SYSTEM_FIELDS, field_rows[i]);
    return rc;
}

int schema_outcome(struct tx *tx, int rc, struct str collection, struct str field)
{
    static const enum problem_kind kinds[] = {
        [STORE_NOT_UNIQUE] = PROBLEM_NOT_UNIQUE,
        [STORE_NULL] = PROBLEM_CONTAINS_NULL,
        [STORE_FOREIGN_KEY] = PROBLEM_INVALID_FOREIGN_KEY,
        [STORE_RANGE] = PROBLEM_VALUE_OUT_OF_RANGE,
        [STORE_TOO_LONG] = PROBLEM_VALUE_TOO_LONG,
        [STORE_EXISTS] = PROBLEM_INVALID_PAYLOAD,
    };

    if (rc <= 0)
        return rc;
    assert((size_t)rc < COUNT_OF(kinds));
    if (rc == STORE_EXISTS)
        refuse(tx, kinds[rc], "\"%.*s\" already exists", STR_ARG(field.at ? field : collection));
    else
        refuse(tx, kinds[rc], NULL);
    tx->problem->collection = arena_str(tx->arena, collection);
    tx->problem->field = arena_str(tx->arena, field);
    return REFUSED;
}
