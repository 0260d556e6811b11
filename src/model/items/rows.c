#include "model/items/rows.h"

#include <assert.h>
#include <errno.h>

#include "base/fault.h"
#include "base/text.h"
#include "model/items/query.h"
#include "model/items/row_values.h"
#include "model/problem.h"

/* Statements name at most so many keys; more are told in several. */
enum { KEYS_PER_STATEMENT = 1000 };

static void forget_keys(void *map)
{
    map_deinit(map);
}

struct rows *rows_new(struct tx *tx, const struct table *table)
{
    struct rows *rows = ARENA_NEW(tx->arena, struct rows);
    rows->table = table;
    map_init(&rows->by_key);
    arena_on_free(tx->arena, forget_keys, &rows->by_key);
    return rows;
}

struct row *rows_find(struct tx *tx, const struct rows *rows, const struct value *key)
{
    return map_get(&rows->by_key, value_key(tx->arena, key));
}

struct row *rows_add(struct tx *tx, struct rows *rows, const struct item_key *key)
{
    struct str text = value_key(tx->arena, &key->value);
    struct row *row = map_get(&rows->by_key, text);
    if (row)
        return row;
    row = ARENA_NEW(tx->arena, struct row);
    row->key = (struct item_key){value_copy(tx->arena, &key->value), key->text};
    map_put(&rows->by_key, text, row);
    if (rows->count == rows->capacity) {
        size_t capacity = rows->capacity ? rows->capacity * 2 : 4;
        struct row **list = ARENA_ARRAY(tx->arena, struct row *, capacity);
        if (rows->count > 0)
            memcpy(list, rows->list, rows->count * sizeof(*list));
        rows->list = list;
        rows->capacity = capacity;
    }
    rows->list[rows->count++] = row;
    return row;
}

void rows_keep_loaded(struct rows *rows)
{
    size_t kept = 0;
    for (size_t i = 0; i < rows->count; i++)
        if (rows->list[i]->before)
            rows->list[kept++] = rows->list[i];
    rows->count = kept;
}

/* ---- statements ---- */

/* key IN (…) of the rows from `at` on, as many as a statement takes. */
static const struct expr *next_keys(struct tx *tx, const struct rows *rows, size_t *at)
{
    size_t count = rows->count - *at;
    if (count > KEYS_PER_STATEMENT)
        count = KEYS_PER_STATEMENT;
    struct value *values = ARENA_ARRAY(tx->arena, struct value, count);
    for (size_t i = 0; i < count; i++)
        values[i] = rows->list[*at + i]->key.value;
    *at += count;
    return expr_test(tx->arena, table_key(rows->table), OP_IN, values, count);
}

/* Where a statement's rows go. */
struct capture {
    struct tx *tx;
    struct rows *rows;
};

static struct row *captured(const struct capture *c, const struct value *row)
{
    return rows_find(c->tx, c->rows, &row[c->rows->table->shape.key]);
}

static int capture_before(void *context, const struct value *row)
{
    const struct capture *c = context;
    struct row *found = captured(c, row);
    if (found)
        found->before = value_copy_row(c->tx->arena, row, c->rows->table->shape.count);
    return 0;
}

static int capture_after(void *context, const struct value *row)
{
    const struct capture *c = context;
    struct row *found = captured(c, row);
    if (found)
        found->after = value_copy_row(c->tx->arena, row, c->rows->table->shape.count);
    return 0;
}

int rows_load(struct tx *tx, struct rows *rows)
{
    struct capture capture = {tx, rows};
    for (size_t at = 0; at < rows->count;) {
        struct select select = {.shape = &rows->table->shape,
                                .where = next_keys(tx, rows, &at),
                                .limit = -1,
                                .now_ms = tx->now_ms};
        int rc = store_select(tx->store, &select, capture_before, &capture);
        if (rc)
            return rc;
    }
    return 0;
}

static int update(struct tx *tx, const struct rows *rows, const struct assignment *assignments,
                  size_t count, store_row_fn *row, void *context)
{
    for (size_t at = 0; at < rows->count;) {
        int rc = store_update(tx->store, &rows->table->shape, assignments, count,
                              next_keys(tx, rows, &at), tx->now_ms, row, context);
        if (rc)
            return rows_refuse(tx, rows->table, rc, assignments, count);
    }
    return 0;
}

int rows_set(struct tx *tx, const struct rows *rows, const struct assignment *assignments,
             size_t count)
{
    return update(tx, rows, assignments, count, NULL, NULL);
}

int rows_update(struct tx *tx, struct rows *rows, const struct assignment *assignments,
                size_t count)
{
    struct capture capture = {tx, rows};
    struct row_values values = {0};
    row_values_update(tx, rows->table, assignments, count, &values);
    return update(tx, rows, values.at, values.count, capture_after, &capture);
}

int rows_delete(struct tx *tx, const struct rows *rows)
{
    int rc = row_values_delete(tx, rows);
    if (rc)
        return rc;
    for (size_t at = 0; at < rows->count;) {
        rc = store_delete(tx->store, &rows->table->shape, next_keys(tx, rows, &at), tx->now_ms,
                          NULL, NULL);
        if (rc)
            return rows_refuse(tx, rows->table, rc, NULL, 0);
    }
    return 0;
}

void rows_record(struct tx *tx, const struct rows *rows, unsigned operation, enum change_kind kind,
                 const struct column_set *submitted)
{
    for (size_t i = 0; i < rows->count; i++) {
        const struct row *row = rows->list[i];
        commit_record(tx, operation, kind, rows->table, &row->key, row->before, row->after,
                      submitted);
    }
}

/* ---- refusals ---- */

struct str rows_tell(struct tx *tx, const struct field *field, struct str text)
{
    enum { TOLD_BYTES_MAX = 200 };
    if (field_is_concealed(field))
        return SECRET_SET;
    if (text.len <= TOLD_BYTES_MAX)
        return arena_str(tx->arena, text);
    text.len = TOLD_BYTES_MAX;
    while (text.len > 0 && !text_is_utf8(text))
        text.len--;
    return arena_printf(tx->arena, "%.*s…", STR_ARG(text));
}

static struct str tell_value(struct tx *tx, const struct field *field, const struct value *value)
{
    if (value->kind == VALUE_TEXT)
        return rows_tell(tx, field, value->text);
    struct buf text;
    buf_init(&text, SIZE_MAX);
    type_write(&text, field->column, value);
    struct str told = rows_tell(tx, field, buf_str(&text));
    buf_deinit(&text);
    return told;
}

static const struct table *table_in_store(struct tx *tx, struct str sql_name)
{
    for (size_t i = 0; i < tx->catalogue->table_count; i++)
        if (str_equal(tx->catalogue->tables[i]->shape.name, sql_name))
            return tx->catalogue->tables[i];
    return NULL;
}

/* The one reference among the assignments: the store does not say which one failed. */
static const struct assignment *only_reference(const struct assignment *assignments, size_t count)
{
    const struct assignment *found = NULL;
    for (size_t i = 0; i < count; i++) {
        if (!assignments[i].column->reference || value_is_null(&assignments[i].value))
            continue;
        if (found)
            return NULL;
        found = &assignments[i];
    }
    return found;
}

static const struct assignment *assignment_of(const struct assignment *assignments, size_t count,
                                              struct str column)
{
    for (size_t i = 0; i < count; i++)
        if (str_equal(assignments[i].column->name, column))
            return &assignments[i];
    return NULL;
}

int rows_refuse(struct tx *tx, const struct table *table, int outcome,
                const struct assignment *assignments, size_t count)
{
    static const enum problem_kind kinds[] = {
        [STORE_NOT_UNIQUE] = PROBLEM_NOT_UNIQUE,
        [STORE_NULL] = PROBLEM_NOT_NULL,
        [STORE_FOREIGN_KEY] = PROBLEM_INVALID_FOREIGN_KEY,
        [STORE_RANGE] = PROBLEM_VALUE_OUT_OF_RANGE,
        [STORE_TOO_LONG] = PROBLEM_VALUE_TOO_LONG,
    };
    if (outcome <= 0)
        return outcome;
    if ((size_t)outcome >= COUNT_OF(kinds))
        return FAULT_BECAUSE(EPROTO, "a statement on rows gave outcome %d", outcome);

    struct store_detail detail = store_detail(tx->store);
    const struct table *where = detail.table.at ? table_in_store(tx, detail.table) : table;
    const struct assignment *what = outcome == STORE_FOREIGN_KEY
                                        ? only_reference(assignments, count)
                                        : assignment_of(assignments, count, detail.column);
    struct str column = arena_str(tx->arena, what ? what->column->name : detail.column);
    refuse(tx, kinds[outcome], NULL);
    if (where && column.at) {
        const struct field *field = table_field(where, column);
        tx->problem->collection = arena_str(tx->arena, where->name);
        tx->problem->field = column;
        if (what && field && where == table)
            tx->problem->value = tell_value(tx, field, &what->value);
    }
    return REFUSED;
}

struct inserted {
    struct arena *arena;
    const struct shape *shape;
    const struct value *row;
};

/* SQLite counts keys past what an integer holds. */
static int take_inserted(void *context, const struct value *row)
{
    struct inserted *i = context;
    size_t key = i->shape->key;
    if (type_check(&i->shape->columns[key], &row[key]) != 0)
        return STORE_RANGE;
    i->row = value_copy_row(i->arena, row, i->shape->count);
    return 0;
}

int rows_insert(struct tx *tx, const struct table *table, const struct assignment *assignments,
                size_t count, const struct value **row_out)
{
    struct inserted i = {.arena = tx->arena, .shape = &table->shape};
    struct row_values values = {0};
    int rc = row_values_insert(tx, table, assignments, count, &values);
    if (rc == 0)
        rc = store_insert(tx->store, &table->shape, values.at, values.count, take_inserted, &i);
    if (rc != 0)
        return rows_refuse(tx, table, rc, values.at, values.count);
    assert(i.row);
    *row_out = i.row;
    return 0;
}
