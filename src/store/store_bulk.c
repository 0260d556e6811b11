#include <assert.h>

#include "store/driver.h"

/* Many rows in one call (store.h). */

int store_renumber(struct store *s, const struct shape *shape, const struct column *column,
                   const struct order *orders, size_t order_count)
{
    assert(types[column->type].kind != VALUE_TEXT && !column->unique);
    assert(column->index != shape->key);
    render_renumber(store_statement(s, shape, 0), column, orders, order_count);
    return store_run(s, NULL, NULL);
}

enum { ASSIGNED_ROWS_MAX = 512 }; /* in one statement; two parameters each */

int store_assign_each(struct store *s, const struct shape *shape, const struct column *column,
                      const struct value *keys, const struct value *values, size_t count)
{
    (void)store_statement(s, shape, 0); /* what it failed by is told of this one */
    int rc = 0;
    for (size_t i = 0; i < count && rc == 0; i++)
        rc = store_check_value(s, shape, column, &values[i]);
    for (size_t at = 0; at < count && rc == 0; at += ASSIGNED_ROWS_MAX) {
        size_t rows = count - at < ASSIGNED_ROWS_MAX ? count - at : ASSIGNED_ROWS_MAX;
        render_assign_each(store_statement(s, shape, 0), column, keys + at, values + at, rows);
        rc = store_run(s, NULL, NULL);
    }
    return rc;
}

static int take_value(void *context, const struct value *row)
{
    *(struct value *)context = row[0]; /* a number: nothing is borrowed */
    return 0;
}

static int find_extreme(struct store *s, const struct shape *shape, const struct column *column,
                        const char *function, const struct expr *where, struct value *value_out)
{
    assert(types[column->type].kind != VALUE_TEXT && column->type != TYPE_BOOLEAN);
    assert(!where || !expr_uses_now(where));
    const struct output output = {column, NULL};
    render_extreme(store_statement(s, shape, 0), &output, function, where);
    return store_run(s, take_value, value_out);
}

int store_maximum(struct store *s, const struct shape *shape, const struct column *column,
                  const struct expr *where, struct value *value_out)
{
    return find_extreme(s, shape, column, "max", where, value_out);
}

int store_minimum(struct store *s, const struct shape *shape, const struct column *column,
                  const struct expr *where, struct value *value_out)
{
    return find_extreme(s, shape, column, "min", where, value_out);
}
