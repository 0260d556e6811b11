#include "base/mem.h"
#include "store/driver.h"

/* What a change of a table is made of, to every driver. */

bool column_same_type(const struct column *a, const struct column *b)
{
    return a->type == b->type && a->length_max == b->length_max && a->precision == b->precision &&
           a->scale == b->scale;
}

bool column_same_default(const struct column *a, const struct column *b)
{
    return a->default_value.kind == b->default_value.kind &&
           value_equal(&a->default_value, &b->default_value);
}

bool column_same_reference(const struct column *a, const struct column *b)
{
    const struct reference *x = a->reference, *y = b->reference;
    if (!x || !y)
        return x == y;
    return str_equal(x->table, y->table) && str_equal(x->column, y->column) &&
           x->on_delete == y->on_delete;
}

const struct column **alter_sources(const struct shape *before, const struct shape *after,
                                    const struct str *from)
{
    const struct column **sources = MEM_ARRAY(const struct column *, after->count);
    for (size_t i = 0; i < after->count; i++)
        sources[i] = from[i].at ? shape_column(before, from[i]) : NULL;
    return sources;
}
