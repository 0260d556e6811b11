#include "store/driver.h"

/* Statements that write many rows at once or tell one value of many. */

static void put_update(struct statement *st, const struct column *c)
{
    st->writes = true;
    buf_put_lit(&st->sql, "UPDATE ");
    statement_put_name(st, st->shape->name);
    buf_put_lit(&st->sql, " SET ");
    statement_put_name(st, c->name);
}

static const struct column *key_of(const struct statement *st)
{
    return &st->shape->columns[st->shape->key];
}

/* Rows that have their number already are not written. */
void render_renumber(struct statement *st, const struct column *c, const struct order *orders,
                     size_t count)
{
    put_update(st, c);
    buf_put_lit(&st->sql, " = rowcast_rows.place FROM (SELECT ");
    statement_put_name(st, key_of(st)->name);
    buf_put_lit(&st->sql, " AS row_key, row_number() OVER (");
    render_order(st, orders, count);
    buf_put_lit(&st->sql, ") AS place FROM ");
    statement_put_name(st, st->shape->name);
    buf_put_lit(&st->sql, ") AS rowcast_rows WHERE rowcast_rows.row_key = ");
    statement_put_column(st, key_of(st), USE_ORDER);
    buf_put_lit(&st->sql, " AND ");
    statement_put_column(st, c, USE_ORDER);
    buf_put_lit(&st->sql, " IS DISTINCT FROM rowcast_rows.place");
}

/* Told in few lengths, as lists are: the last row again up to the next power of two. Columns of
 * VALUES bear these names in both stores. */
void render_assign_each(struct statement *st, const struct column *c, const struct value *keys,
                        const struct value *values, size_t count)
{
    size_t padded = 1;
    while (padded < count)
        padded *= 2;
    put_update(st, c);
    buf_put_lit(&st->sql, " = rowcast_rows.column2 FROM (VALUES ");
    for (size_t i = 0; i < padded; i++) {
        size_t row = i < count ? i : count - 1;
        buf_put_str(&st->sql, i == 0 ? STR("(") : STR(",("));
        statement_put_bind(st, key_of(st), keys[row]);
        buf_put_char(&st->sql, ',');
        statement_put_bind(st, c, values[row]);
        buf_put_char(&st->sql, ')');
    }
    buf_put_lit(&st->sql, ") AS rowcast_rows WHERE rowcast_rows.column1 = ");
    statement_put_column(st, key_of(st), USE_ORDER);
}

/* The extreme itself is told by a query around it, as any column of rows is. */
void render_extreme(struct statement *st, const struct output *output, const char *function,
                    const struct expr *where)
{
    const struct column *c = output->column;
    buf_put_lit(&st->sql, "SELECT ");
    statement_put_column(st, c, USE_OUTPUT);
    buf_printf(&st->sql, " FROM (SELECT %s(", function);
    statement_put_name(st, c->name);
    buf_put_lit(&st->sql, ") AS ");
    statement_put_name(st, c->name);
    buf_put_lit(&st->sql, " FROM ");
    statement_put_name(st, st->shape->name);
    statement_put_where(st, where);
    buf_put_lit(&st->sql, ") AS rowcast_rows");
    st->outputs = output;
    st->output_count = 1;
}
