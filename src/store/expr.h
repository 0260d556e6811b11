#ifndef STORE_EXPR_H
#define STORE_EXPR_H

/*
 * Expressions: conditions on the columns of a row. One tree with two ends that must agree on every
 * operator, null, case and type: rendered to SQL by a driver, evaluated in memory on a row of
 * values.
 *
 * Three-valued as SQL is: a test on null is unknown, and so is its opposite; a row matches when the
 * whole is true. Trees are immutable, live in an arena and may be shared between threads.
 * operator.c has the one table of operators: a new operator is one row there.
 *
 * One kind of condition reaches into another table (EXPR_AMONG): only a store can judge it. In
 * memory it is unknown, and who evaluates asks expr_reaches() first.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "store/form.h"
#include "store/type.h"

enum operator{
    OP_EQ,
    OP_NEQ,
    OP_LT,
    OP_LTE,
    OP_GT,
    OP_GTE,
    OP_IN,
    OP_NIN,
    OP_BETWEEN,
    OP_NBETWEEN,
    OP_NULL,
    OP_NNULL,
    OP_EMPTY, /* null or '' */
    OP_NEMPTY,
    OP_CONTAINS, /* bytes, exact case, on both stores */
    OP_NCONTAINS,
    OP_ICONTAINS, /* folded (base/text.h) */
    OP_STARTS_WITH,
    OP_NSTARTS_WITH,
    OP_ISTARTS_WITH,
    OP_NISTARTS_WITH,
    OP_ENDS_WITH,
    OP_NENDS_WITH,
    OP_IENDS_WITH,
    OP_NIENDS_WITH,
    /* What no client names by itself. */
    OP_NICONTAINS,
    OP_HAS_WORD, /* folded; nothing that makes words (text_has_word) stands on either side of it */
    OP_NHAS_WORD,
    OP_SHORTER, /* has fewer code points than its operand says, a whole number as text */
    OP_NSHORTER,
    OP_COUNT
};
enum operator_arity { ARITY_NONE, ARITY_ONE, ARITY_TWO, ARITY_LIST };
struct operator_info {
    const char *name; /* on the wire, without the underscore: "icontains" */
    enum operator_arity arity;
    bool negated; /* NOT of `positive`: true where that is false, unknown where that is unknown */
    enum operator positive; /* itself when it is not negated */
    bool folded;            /* ignores case: operands are folded when the test is built */
    /* Operators on text: what the evaluator and SQLite both call. NULL: not one of these. */
    bool (*match)(struct str text, struct str operand);
    bool ours; /* operator_find() does not know it */
};
extern const struct operator_info operators[OP_COUNT];
bool operator_find(struct str name, enum operator* op_out); /* without the underscore */
/* The operator that means NOT op, as "nin" for "in" and back; OP_COUNT when there is none. */
enum operator operator_negation(enum operator op);

enum expr_kind { EXPR_TRUE, EXPR_FALSE, EXPR_AND, EXPR_OR, EXPR_TEST, EXPR_AMONG };

/* A value to compare with: fixed, or a moment relative to now ($NOW), written in the column's form.
 */
struct operand {
    bool now;
    bool folded; /* set by the builder: the moment's text is compared without case */
    struct clock_shift shift;
    struct value value;
};

/* The values of a column in those rows of a table that fulfil a condition. */
struct subselect {
    const struct shape *shape;
    const struct column *out; /* of that shape, as all columns in `where` are */
    const struct expr *where; /* NULL: all rows. It may reach into a further table */
};

struct expr {
    enum expr_kind kind;
    unsigned depth; /* of the tree, with its masks; set by the builders */
    union {
        struct { /* AND, OR: at least one item */
            const struct expr *const *items;
            size_t count;
        } list;
        struct { /* TEST */
            enum operator op;
            const struct column *column; /* borrowed from the catalogue */
            /* The column counts as null where mask is not true: a field readable on some rows only.
             * NULL: always readable. */
            const struct expr *mask;
            const struct operand *operands; /* folded already for the i… operators */
            size_t operand_count;
            /* Operators on text: the column is compared as its text in this form. NULL: as its
             * canonical text. */
            const struct form *form;
        } test;
        struct { /* AMONG */
            const struct column *column;
            struct subselect of; /* with a condition */
            bool negated;
        } among;
    };
};

extern const struct expr expr_true, expr_false;

/*
 * Builders: simplify and allocate in the arena. TRUE, FALSE and nested lists vanish, the
 * shallowest items of a list come first. Negation is an operator's (operator_negation).
 *
 * SQLite's parser has a stack of a hundred. A deeper tree than EXPR_DEPTH_MAX evaluates, but the
 * store answers it with a fault: who builds one for a client refuses it (query_parse, grants.c).
 */
enum { EXPR_DEPTH_MAX = 48 };
const struct expr *expr_and(struct arena *a, const struct expr *x, const struct expr *y);
const struct expr *expr_or(struct arena *a, const struct expr *x, const struct expr *y);
const struct expr *expr_all(struct arena *a, enum expr_kind and_or, const struct expr *const *items,
                            size_t count);
/*
 * A test with fixed values. Texts are folded here where the operator ignores case. `count` is what
 * the operator's arity says. What SQL would leave to chance is settled here, once for both ends:
 *   - values take the kind of the column: 5 for a text column is "5", "5" for a number column is 5,
 *     and what is no number is a null, which makes the test unknown;
 *   - a comparison is with values of the column's type, as they are stored: uuids are folded,
 * dates, times and timestamps canonical, numbers for a decimal rounded to 15 digits; what is none
 * is a null, and so is any number but 0 and 1 for a boolean;
 *   - operators on text see a date or a uuid as its canonical text, and the operand is any text. On
 *     columns of numbers they are unknown: their operand is a null;
 *   - a text that no store can hold, with NUL or not UTF-8, is a null;
 *   - $NOW is a null where it has no form: compared with a uuid or a boolean;
 *   - eq and neq with null are `null` and `nnull`;
 *   - values of in and nin are sorted and told once; `in` without values is FALSE, and `nin`
 * without values is `nnull`, since null rows match neither.
 */
const struct expr *expr_test(struct arena *a, const struct column *c, enum operator op,
                             const struct value *values, size_t count);
const struct expr *expr_test_operands(struct arena *a, const struct column *c,
                                      const struct expr *mask, enum operator op,
                                      const struct operand *operands, size_t count);

/* A test of a text operator on a column of numbers or moments as people read them; the form fits
 * the column, and stays borrowed. */
const struct expr *expr_test_form(struct arena *a, const struct column *c, const struct form *form,
                                  enum operator op, struct str text);
/* True where the condition is false or unknown. */
const struct expr *expr_complement(struct arena *a, const struct expr *x);

/*
 * column IN (SELECT out FROM shape WHERE where), and NOT IN. The two columns hold values that
 * compare: both whole numbers, both free text, or both of one type that is not JSON. Shape and
 * columns stay borrowed.
 *
 * A null column is neither among the values nor not among them, even where there are none. Nulls
 * that the subselect yields are left out, and make nothing unknown.
 */
const struct expr *expr_among(struct arena *a, const struct column *c, const struct subselect *s,
                              bool negated);
/* Whether the tree, masks included, reaches into another table. */
bool expr_reaches(const struct expr *x);

enum truth { TRUTH_FALSE, TRUTH_TRUE, TRUTH_UNKNOWN };
/* `row` has the values of the shape that the tree's columns belong to, by column index. What
 * reaches into another table is unknown. */
enum truth expr_evaluate(const struct expr *x, const struct value *row, int64_t now_ms);
static inline bool expr_matches(const struct expr *x, const struct value *row, int64_t now_ms)
{
    return x->kind == EXPR_TRUE || expr_evaluate(x, row, now_ms) == TRUTH_TRUE;
}

/* An operand's value at a moment, in the form of the column's type: $NOW is a canonical text on
 * columns of text, milliseconds since 1970 on columns of numbers. */
struct value operand_value(const struct operand *o, const struct column *c, int64_t now_ms,
                           struct arena *a);

/* Canonical text: equal texts mean equal conditions. For keys of classes and feeds. */
void expr_put_key(struct buf *b, const struct expr *x);
/* Sets the bit of each column that the tree reads of its own table (masks included). */
void expr_columns(const struct expr *x, uint64_t *bits, size_t words);
bool expr_uses_now(const struct expr *x);
/*
 * An equality that every matching row fulfils: column = one of the values. For finding feeds by
 * hash. False when the tree has none (a test under a mask, with $NOW or in another table does not
 * count).
 */
bool expr_equality(const struct expr *x, const struct column **column_out,
                   const struct operand **operands_out, size_t *count_out);
const struct expr *expr_copy(struct arena *a,
                             const struct expr *x); /* deep; shapes and columns stay borrowed */

/* A set of columns: bit i of word i / 64. A table has at most so many, the hidden ones too. */
enum { COLUMNS_MAX = 640, COLUMN_WORDS = COLUMNS_MAX / 64 };
struct column_set {
    uint64_t words[COLUMN_WORDS];
};
static inline void column_set_add(struct column_set *s, unsigned index)
{
    s->words[index / 64] |= UINT64_C(1) << (index % 64);
}
static inline bool column_set_has(const struct column_set *s, unsigned index)
{
    return (s->words[index / 64] >> (index % 64)) & 1;
}
static inline bool column_set_meets(const struct column_set *a, const struct column_set *b)
{
    for (unsigned i = 0; i < COLUMN_WORDS; i++)
        if (a->words[i] & b->words[i])
            return true;
    return false;
}
static inline bool column_set_is_empty(const struct column_set *s)
{
    uint64_t any = 0;
    for (unsigned i = 0; i < COLUMN_WORDS; i++)
        any |= s->words[i];
    return any == 0;
}

#endif
