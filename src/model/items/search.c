#include "model/items/query.h"

#include <math.h>

#include "base/text.h"

/*
 * Search: the term in any field that the caller may read and that can hold it (directus.md E.5).
 */

static const struct expr *text_test(struct arena *a, const struct column *column,
                                    const struct expr *mask, enum operator op, struct str term)
{
    const struct operand operand = {.value = value_text(term)};
    return expr_test_operands(a, column, mask, op, &operand, 1);
}

/* Equality with a number that the column can hold; false for any other term. */
static const struct expr *number_test(struct arena *a, const struct column *column,
                                      const struct expr *mask, struct str term)
{
    struct operand operand = {0};
    int64_t integer;
    double real;
    bool integral = str_to_int64(term, &integer) == 0;

    if (types[column->type].kind == VALUE_INTEGER) {
        bool in_range = integral && (column->type == TYPE_BIG_INTEGER ||
                                     (integer >= INT32_MIN && integer <= INT32_MAX));
        if (!in_range)
            return &expr_false;
        operand.value = value_integer(integer);
    } else {
        if (str_to_double(term, &real) != 0 || !isfinite(real))
            return &expr_false;
        operand.value = value_real(real);
    }
    return expr_test_operands(a, column, mask, OP_EQ, &operand, 1);
}

static const struct expr *field_test(struct arena *a, const struct field *field,
                                     const struct expr *mask, struct str term)
{
    switch (field->column->type) {
    case TYPE_STRING:
    case TYPE_TEXT:
        return text_test(a, field->column, mask, OP_ICONTAINS, term);
    case TYPE_INTEGER:
    case TYPE_BIG_INTEGER:
    case TYPE_FLOAT:
    case TYPE_DECIMAL:
        return number_test(a, field->column, mask, str_trim(term));
    case TYPE_UUID:
        term = str_trim(term);
        return text_is_uuid(term) ? text_test(a, field->column, mask, OP_EQ, text_fold(a, term))
                                  : &expr_false;
    default:
        return &expr_false;
    }
}

static bool is_searched(const struct field *field, const struct grant *grant)
{
    return field->searchable && !field_hidden(field) && !field_is_concealed(field) &&
           column_set_has(&grant->fields, field->column->index);
}

const struct expr *query_search(struct tx *tx, const struct table *table, const struct grant *grant,
                                struct str term)
{
    const struct expr **tests = ARENA_ARRAY(tx->arena, const struct expr *, table->shape.count);
    size_t count = 0;
    for (size_t i = 0; i < table->shape.count; i++) {
        const struct expr *mask = grant->masks ? grant->masks[i] : NULL;
        if (is_searched(&table->fields[i], grant))
            tests[count++] = field_test(tx->arena, &table->fields[i], mask, term);
    }
    return expr_all(tx->arena, EXPR_OR, tests, count);
}
