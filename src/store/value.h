#ifndef STORE_VALUE_H
#define STORE_VALUE_H

/*
 * A cell's value. Four kinds are enough for every field type: truth values are integers 0 and 1,
 * moments are canonical texts that sort as they compare (base/clock.h), JSON and CSV are text,
 * decimals of up to 15 digits are reals rounded to their scale.
 * Text is borrowed: from a statement's row, an arena, or static memory.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"

enum value_kind { VALUE_NULL, VALUE_INTEGER, VALUE_REAL, VALUE_TEXT };

struct value {
    enum value_kind kind;
    union {
        int64_t integer;
        double real;
        struct str text;
    };
};

static inline struct value value_null(void)
{
    return (struct value){.kind = VALUE_NULL};
}
static inline struct value value_integer(int64_t integer)
{
    return (struct value){.kind = VALUE_INTEGER, .integer = integer};
}
static inline struct value value_real(double real)
{
    return (struct value){.kind = VALUE_REAL, .real = real};
}
static inline struct value value_text(struct str text)
{
    return (struct value){.kind = VALUE_TEXT, .text = text};
}
static inline bool value_is_null(const struct value *v)
{
    return v->kind == VALUE_NULL;
}

/* Order of two values that are not null: numbers by value (integer and real mix exactly; a real is
 * never NaN), text by bytes; numbers before text. */
int value_compare(const struct value *a, const struct value *b);
bool value_equal(const struct value *a, const struct value *b); /* null equals null here */
/* The number of 15 significant digits that is nearest: each decimal in a store is one of those. */
double value_round_decimal(double number);
struct value value_copy(struct arena *a, const struct value *v);
/* A copy of a row of values, in one piece. */
struct value *value_copy_row(struct arena *a, const struct value *row, size_t count);
/* Text that tells values apart, for keys of maps: kind and content. Numbers that compare equal have
 * the same key, be they integer or real. */
struct str value_key(struct arena *a, const struct value *v);
/* The same, with the length of a text before it, so that keys may stand in a row. */
void value_put_key(struct buf *b, const struct value *v);

#endif
