#include "store/expr.h"

/*
 * The end of an expression that works in memory. It runs for every feed and change: no allocation,
 * no copy. Each rule here has its twin in the SQL that render.c writes; tests/agree holds the two
 * against each other.
 */

static enum truth truth_of(bool yes)
{
    return yes ? TRUTH_TRUE : TRUTH_FALSE;
}

static enum truth negate(enum truth t)
{
    static const enum truth negated[] = {
        [TRUTH_FALSE] = TRUTH_TRUE, [TRUTH_TRUE] = TRUTH_FALSE, [TRUTH_UNKNOWN] = TRUTH_UNKNOWN};
    return negated[t];
}

static enum truth both(enum truth a, enum truth b)
{
    if (a == TRUTH_FALSE || b == TRUTH_FALSE)
        return TRUTH_FALSE;
    return a == TRUTH_TRUE ? b : TRUTH_UNKNOWN;
}

/* The moment that $NOW stands for, in the column's form; text goes to `text`, CLOCK_TEXT_MAX bytes.
 */
static struct value moment(const struct operand *o, const struct column *c, int64_t now_ms,
                           char *text)
{
    int64_t ms = clock_shift(now_ms, o->shift);
    switch (c->type) {
    case TYPE_DATE:
        clock_write_date(ms, text);
        break;
    case TYPE_TIME:
        clock_write_time(ms, text);
        break;
    case TYPE_DATE_TIME:
        clock_write_date_time(ms, text);
        break;
    default:
        if (types[c->type].kind == VALUE_INTEGER)
            return value_integer(ms);
        if (types[c->type].kind == VALUE_REAL)
            return value_real((double)ms);
        clock_write_timestamp(ms, text);
    }
    for (char *at = text; o->folded && *at; at++)
        *at = *at >= 'A' && *at <= 'Z' ? (char)(*at - 'A' + 'a') : *at;
    return value_text(str_of(text));
}

static inline struct value resolve(const struct operand *o, const struct column *c, int64_t now_ms,
                                   char *text)
{
    return o->now ? moment(o, c, now_ms, text) : o->value;
}

struct value operand_value(const struct operand *o, const struct column *c, int64_t now_ms,
                           struct arena *a)
{
    char text[CLOCK_TEXT_MAX];
    struct value v = resolve(o, c, now_ms, text);
    return o->now ? value_copy(a, &v) : v;
}

/* How a cell compares with an operand: false when one of them is null. */
static bool compare(const struct value *cell, const struct expr *x, size_t operand, int64_t now_ms,
                    int *order_out)
{
    char text[CLOCK_TEXT_MAX];
    struct value v = resolve(&x->test.operands[operand], x->test.column, now_ms, text);
    if (value_is_null(cell) || value_is_null(&v))
        return false;
    *order_out = value_compare(cell, &v);
    return true;
}

static enum truth test_order(const struct value *cell, const struct expr *x, int64_t now_ms,
                             enum operator op)
{
    int order;
    if (!compare(cell, x, 0, now_ms, &order))
        return TRUTH_UNKNOWN;
    switch (op) {
    case OP_EQ:
        return truth_of(order == 0);
    case OP_LT:
        return truth_of(order < 0);
    case OP_LTE:
        return truth_of(order <= 0);
    case OP_GT:
        return truth_of(order > 0);
    default:
        return truth_of(order >= 0);
    }
}

static enum truth test_between(const struct value *cell, const struct expr *x, int64_t now_ms)
{
    int low, high;
    enum truth above = TRUTH_UNKNOWN, below = TRUTH_UNKNOWN;
    if (compare(cell, x, 0, now_ms, &low))
        above = truth_of(low >= 0);
    if (compare(cell, x, 1, now_ms, &high))
        below = truth_of(high <= 0);
    return both(above, below);
}

/* The builder sorted the list: a null first, fixed values in order, those relative to now last. */
static enum truth test_in(const struct value *cell, const struct expr *x, int64_t now_ms)
{
    if (value_is_null(cell))
        return TRUTH_UNKNOWN;
    const struct operand *operands = x->test.operands;
    bool has_null = !operands[0].now && value_is_null(&operands[0].value);
    size_t first = has_null, end = x->test.operand_count;
    for (; end > first && operands[end - 1].now; end--) {
        int order;
        if (compare(cell, x, end - 1, now_ms, &order) && order == 0)
            return TRUTH_TRUE;
    }
    while (first < end) {
        size_t middle = first + (end - first) / 2;
        int order = value_compare(cell, &operands[middle].value);
        if (order == 0)
            return TRUTH_TRUE;
        if (order < 0)
            end = middle;
        else
            first = middle + 1;
    }
    return has_null ? TRUTH_UNKNOWN : TRUTH_FALSE;
}

static enum truth test_text(const struct value *cell, const struct expr *x, int64_t now_ms)
{
    const struct operator_info *info = &operators[x->test.op];
    char text[CLOCK_TEXT_MAX];
    struct value v = resolve(&x->test.operands[0], x->test.column, now_ms, text);
    if (x->test.form && !value_is_null(cell) && v.kind == VALUE_TEXT) {
        char shown[FORM_TEXT_MAX];
        struct str seen = form_text(x->test.form, cell, shown);
        return seen.at ? truth_of(info->match(seen, v.text)) : TRUTH_UNKNOWN;
    }
    if (cell->kind != VALUE_TEXT || v.kind != VALUE_TEXT)
        return TRUTH_UNKNOWN;
    return truth_of(info->match(cell->text, v.text));
}

static enum truth test_positive(enum operator op, const struct value *cell, const struct expr *x,
                                int64_t now_ms)
{
    switch (op) {
    case OP_NULL:
        return truth_of(value_is_null(cell));
    case OP_EMPTY:
        return truth_of(value_is_null(cell) || (cell->kind == VALUE_TEXT && cell->text.len == 0));
    case OP_IN:
        return test_in(cell, x, now_ms);
    case OP_BETWEEN:
        return test_between(cell, x, now_ms);
    default:
        return operators[op].match ? test_text(cell, x, now_ms) : test_order(cell, x, now_ms, op);
    }
}

static enum truth evaluate_test(const struct expr *x, const struct value *row, int64_t now_ms)
{
    static const struct value null = {.kind = VALUE_NULL};
    const struct operator_info *info = &operators[x->test.op];
    const struct value *cell = &row[x->test.column->index];
    if (x->test.mask && !expr_matches(x->test.mask, row, now_ms))
        cell = &null;
    enum truth t = test_positive(info->positive, cell, x, now_ms);
    return info->negated ? negate(t) : t;
}

/* AND stops at the first FALSE, OR at the first TRUE; else one unknown makes the whole unknown. */
static enum truth evaluate_list(const struct expr *x, const struct value *row, int64_t now_ms)
{
    enum truth decisive = x->kind == EXPR_AND ? TRUTH_FALSE : TRUTH_TRUE;
    enum truth result = negate(decisive);
    for (size_t i = 0; i < x->list.count; i++) {
        enum truth t = expr_evaluate(x->list.items[i], row, now_ms);
        if (t == decisive)
            return t;
        if (t == TRUTH_UNKNOWN)
            result = t;
    }
    return result;
}

enum truth expr_evaluate(const struct expr *x, const struct value *row, int64_t now_ms)
{
    switch (x->kind) {
    case EXPR_TRUE:
        return TRUTH_TRUE;
    case EXPR_FALSE:
        return TRUTH_FALSE;
    case EXPR_AND:
    case EXPR_OR:
        return evaluate_list(x, row, now_ms);
    case EXPR_TEST:
        return evaluate_test(x, row, now_ms);
    case EXPR_AMONG: /* its rows are not here */
        break;
    }
    return TRUTH_UNKNOWN;
}
