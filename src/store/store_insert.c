#include <assert.h>

#include "store/driver.h"

/* Inserting rows: what stands in each column, and how the row is told. */

/* Defaults are bound like any value: exact, and the same few texts whatever a client sends. */
static void gather_values(const struct shape *shape, const struct assignment *assignments,
                          size_t count, const struct value **values)
{
    for (size_t i = 0; i < shape->count; i++)
        values[i] = &shape->columns[i].default_value;
    for (size_t i = 0; i < count; i++)
        values[assignments[i].column->index] = &assignments[i].value;
}

/* The row as it is there, or will be: all of it was bound. */
static int tell_bound(const struct shape *shape, const struct value *const *values,
                      store_row_fn *row, void *context)
{
    struct value told[COLUMNS_MAX];
    for (size_t i = 0; i < shape->count; i++)
        told[i] = *values[i];
    return row ? row(context, told) : 0;
}

static int insert_in_haste(struct store *s, const struct shape *shape, const struct value **values,
                           store_row_fn *row, void *context)
{
    struct value key;
    if (!values[shape->key]) {
        int64_t next;
        int rc = s->driver->next_key(s, shape, &next);
        if (rc)
            return rc;
        key = value_integer(next);
        values[shape->key] = &key;
    }
    struct statement *st = store_statement(s, shape, 0);
    render_insert(st, values, false);
    st->unawaited = true;
    int rc = store_run(s, NULL, NULL);
    return rc ? rc : tell_bound(shape, values, row, context);
}

static bool ends_count(const struct column *key, const struct value *given)
{
    return key->auto_increment && given && given->integer > STORE_GIVEN_KEY_MAX;
}

/* What SQLite keeps is what was bound: only a key that it chose is not known yet, and RETURNING
 * would have each row go through a table of its own. */
static int insert_and_tell(struct store *s, const struct shape *shape, const struct value **values,
                           store_row_fn *row, void *context)
{
    render_insert(store_statement(s, shape, 0), values, false);
    int rc = store_run(s, NULL, NULL);
    if (rc)
        return rc;
    const struct value key = value_integer(s->driver->inserted_key(s));
    if (!values[shape->key])
        values[shape->key] = &key;
    return tell_bound(shape, values, row, context);
}

static int insert_returning(struct store *s, const struct shape *shape, const struct value **values,
                            store_row_fn *row, void *context)
{
    render_insert(store_statement(s, shape, 0), values, row != NULL);
    return store_run(s, row, context);
}

int store_insert(struct store *s, const struct shape *shape, const struct assignment *assignments,
                 size_t count, store_row_fn *row, void *context)
{
    const struct value *values[COLUMNS_MAX];
    assert(shape->count <= COLUMNS_MAX);
    (void)store_statement(s, shape, 0); /* what it failed by is told of this one */
    int rc = store_check_assignments(s, shape, assignments, count);
    if (rc)
        return rc;

    gather_values(shape, assignments, count, values);
    const struct column *key = &shape->columns[shape->key];
    const struct value *given = values[shape->key];
    if (value_is_null(given)) {
        if (!key->auto_increment) { /* SQLite would count up any integer key */
            store_set_detail(s, shape->name, key->name);
            return STORE_NULL;
        }
        given = values[shape->key] = NULL;
    }
    if (ends_count(key, given)) {
        store_set_detail(s, shape->name, key->name);
        return STORE_RANGE;
    }
    if (s->access == STORE_HASTE && s->driver->next_key)
        rc = insert_in_haste(s, shape, values, row, context);
    else if (s->driver->inserted_key)
        rc = insert_and_tell(s, shape, values, row, context);
    else
        rc = insert_returning(s, shape, values, row, context);
    if (rc == 0 && key->auto_increment && given && !s->driver->dialect->counts_given_keys)
        rc = s->driver->raise_last_key(s, shape, given->integer);
    return rc;
}

int store_append(struct store *s, const struct shape *shape, const struct assignment *assignments,
                 size_t count)
{
    const struct value *values[COLUMNS_MAX];
    assert(shape->count <= COLUMNS_MAX && !shape->columns[shape->key].auto_increment);
    struct statement *st = store_statement(s, shape, 0);
    int rc = store_check_assignments(s, shape, assignments, count);
    if (rc)
        return rc;
    gather_values(shape, assignments, count, values);
    render_insert(st, values, false);
    st->unawaited = true;
    return store_run(s, NULL, NULL);
}
