#include "store/expr.h"

/*
 * The complement of a condition: true where that is false or unknown, else false or unknown. Each
 * test becomes its opposite, or the column is null.
 */

/* Those that have no opposite among the operators. */
static enum operator opposite(enum operator op)
{
    switch (op) {
    case OP_LT:
        return OP_GTE;
    case OP_LTE:
        return OP_GT;
    case OP_GT:
        return OP_LTE;
    case OP_GTE:
        return OP_LT;
    default:
        return operator_negation(op);
    }
}

static bool has_null(const struct expr *x)
{
    for (size_t i = 0; i < x->test.operand_count; i++)
        if (!x->test.operands[i].now && value_is_null(&x->test.operands[i].value))
            return true;
    return false;
}

/* Below the one or above the other, of which either may be unknown. */
static const struct expr *complement_nbetween(struct arena *a, const struct expr *x)
{
    struct expr sides[2] = {*x, *x};
    sides[0].test.op = OP_LT;
    sides[1].test.op = OP_GT;
    sides[1].test.operands++;
    sides[0].test.operand_count = sides[1].test.operand_count = 1;
    return expr_and(a, expr_complement(a, &sides[0]), expr_complement(a, &sides[1]));
}

/* The opposite, or unknown: there the column is null, or hidden by its mask, or an operand is. */
static const struct expr *complement_test(struct arena *a, const struct expr *x)
{
    enum operator op = x->test.op;
    struct expr *other = ARENA_NEW(a, struct expr);
    *other = *x;
    other->test.op = opposite(op);
    if (operators[op].arity == ARITY_NONE)
        return other;
    if (op == OP_NBETWEEN)
        return complement_nbetween(a, x);
    if (has_null(x)) {
        if (op != OP_IN || x->test.operand_count == 1)
            return &expr_true;  /* it is never true */
        other->test.operands++; /* the null is the first */
        other->test.operand_count--;
    }
    return expr_or(a, other, expr_test_operands(a, x->test.column, x->test.mask, OP_NULL, NULL, 0));
}

static const struct expr *complement_list(struct arena *a, const struct expr *x)
{
    const struct expr **items = ARENA_ARRAY(a, const struct expr *, x->list.count);
    for (size_t i = 0; i < x->list.count; i++)
        items[i] = expr_complement(a, x->list.items[i]);
    return expr_all(a, x->kind == EXPR_AND ? EXPR_OR : EXPR_AND, items, x->list.count);
}

const struct expr *expr_complement(struct arena *a, const struct expr *x)
{
    switch (x->kind) {
    case EXPR_TRUE:
        return &expr_false;
    case EXPR_FALSE:
        return &expr_true;
    case EXPR_AND:
    case EXPR_OR:
        return complement_list(a, x);
    case EXPR_TEST:
        return complement_test(a, x);
    case EXPR_AMONG:
        break;
    }
    struct expr *other = ARENA_NEW(a, struct expr);
    *other = *x;
    other->among.negated = !x->among.negated;
    return expr_or(a, other, expr_test(a, x->among.column, OP_NULL, NULL, 0));
}
