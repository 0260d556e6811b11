#include <assert.h>

#include "store/driver.h"

/*
 * ORDER BY. An order is one key to sort by or two: texts that differ in case only are told apart by
 * a second one.
 */

static bool has_case(const struct column *c)
{
    switch (c->type) {
    case TYPE_STRING:
    case TYPE_TEXT:
    case TYPE_CSV:
    case TYPE_HASH:
    case TYPE_JSON:
        return true;
    default:
        return false;
    }
}

static void put_place(struct statement *st, const struct order *order)
{
    const struct column *c = order->column;
    assert(c->type == TYPE_INTEGER || c->type == TYPE_BIG_INTEGER);
    struct operand *list = ARENA_ARRAY(statement_arena(st), struct operand, order->rank_count + 1);
    for (size_t i = 0; i < order->rank_count; i++)
        list[i].value = value_integer(order->ranks[i]);
    for (const char *at = st->dialect->rank; *at; at++) {
        if (*at != '$')
            buf_put_char(&st->sql, *at);
        else if (*++at == 'c')
            statement_put_column(st, c, USE_ORDER);
        else
            statement_put_list(st, c, list, order->rank_count);
    }
}

/* Nulls first where there are any; where there are none an index of the column has the order. */
static void put_target_orders(struct statement *st, const struct order_through *through)
{
    for (size_t i = 0; i < through->target_order_count; i++) {
        const struct column *c = through->target_orders[i];
        statement_put_column(st, c, USE_ORDER);
        if (c->nullable && c != through->target_key)
            buf_put_str(&st->sql, str_of(st->dialect->ascending));
        buf_put_char(&st->sql, ',');
    }
    statement_put_column(st, through->target_key, USE_ORDER);
}

/* In a subquery that is ordered: SQLite has no order within an aggregate. */
static void put_linked_texts(struct statement *st, const struct order_through *through)
{
    struct buf *sql = &st->sql;
    unsigned own = st->alias, junction = ++st->aliases, target = ++st->aliases;
    buf_printf(sql, "(SELECT %s FROM (SELECT ", st->dialect->join_texts);
    st->alias = target;
    statement_put_column(st, through->output, USE_FOLDED);
    buf_put_lit(sql, " AS rowcast_text FROM ");
    statement_put_alias(st, through->junction, junction);
    buf_put_lit(sql, " JOIN ");
    statement_put_alias(st, through->target, target);
    buf_put_lit(sql, " ON ");
    statement_put_column(st, through->target_key, USE_VALUE);
    buf_put_lit(sql, " = ");
    st->alias = junction;
    statement_put_column(st, through->far, USE_VALUE);
    buf_put_lit(sql, " WHERE ");
    statement_put_column(st, through->near, USE_VALUE);
    buf_put_lit(sql, " = ");
    st->alias = own;
    statement_put_column(st, &st->shape->columns[st->shape->key], USE_ORDER);
    buf_put_lit(sql, " ORDER BY ");
    st->alias = target;
    put_target_orders(st, through);
    buf_put_lit(sql, ") AS rowcast_texts)");
    st->alias = own;
}

static void put_value(struct statement *st, const struct order *order)
{
    statement_put_column(st, order->column, USE_ORDER);
}

static void put_folded(struct statement *st, const struct order *order)
{
    statement_put_column(st, order->column, USE_FOLDED);
}

static void put_through(struct statement *st, const struct order *order)
{
    put_linked_texts(st, order->through);
}

static bool may_be_null(const struct statement *st, const struct order *order)
{
    return order->mask || order->through || order->ranks ||
           (order->column->nullable && order->column->index != st->shape->key);
}

/* Where there are no nulls nothing is said of them: an index of the column has the order. */
static const char *direction(const struct statement *st, const struct order *order)
{
    if (may_be_null(st, order))
        return order->descending ? st->dialect->descending : st->dialect->ascending;
    return order->descending ? " DESC" : "";
}

static void put_key(struct statement *st, const struct order *order,
                    void (*put)(struct statement *st, const struct order *order))
{
    bool masked = order->mask && order->mask->kind != EXPR_TRUE;
    if (masked) {
        buf_put_lit(&st->sql, "(CASE WHEN ");
        statement_put_condition(st, order->mask);
        buf_put_lit(&st->sql, " THEN ");
    }
    put(st, order);
    if (masked)
        buf_put_lit(&st->sql, " END)");
    buf_put_str(&st->sql, str_of(direction(st, order)));
}

static void put_order(struct statement *st, const struct order *order)
{
    if (order->through) {
        put_key(st, order, put_through);
    } else if (order->ranks) {
        put_key(st, order, put_place);
    } else if (order->folded && has_case(order->column)) {
        put_key(st, order, put_folded);
        buf_put_char(&st->sql, ',');
        put_key(st, order, put_value);
    } else {
        put_key(st, order, put_value);
    }
}

/* A key that is ordered by leaves no ties. */
static bool leaves_ties(const struct statement *st, const struct order *order)
{
    return order->mask || order->through || order->ranks || order->column->index != st->shape->key;
}

void render_order(struct statement *st, const struct order *orders, size_t count)
{
    bool tied = true;
    buf_put_lit(&st->sql, " ORDER BY ");
    for (size_t i = 0; i < count && tied; i++) {
        put_order(st, &orders[i]);
        tied = leaves_ties(st, &orders[i]);
        if (tied)
            buf_put_char(&st->sql, ',');
    }
    if (tied)
        statement_put_column(st, &st->shape->columns[st->shape->key], USE_ORDER);
}
