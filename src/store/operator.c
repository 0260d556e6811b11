#include "store/expr.h"

#include "base/text.h"

/*
 * The operators. Those on text have one function that the evaluator calls and that SQLite calls as
 * rowcast_<name>(text, operand), so the two cannot disagree.
 */

/* The first (or last) `count` code points of s; absent when it has fewer. */
static struct str head(struct str s, size_t count)
{
    size_t end = 0;
    for (; end < s.len; end++) {
        bool starts_code_point = ((unsigned char)s.at[end] & 0xc0) != 0x80;
        if (starts_code_point && count-- == 0)
            return (struct str){s.at, end};
    }
    return count == 0 ? s : STR_NULL;
}

static struct str tail(struct str s, size_t count)
{
    size_t length = text_length(s);
    if (length < count)
        return STR_NULL;
    return str_skip(s, head(s, length - count).len);
}

/* Folding maps one code point to one code point. So a piece with as many code points as the operand
 * contains it only by being equal to it, and nothing needs to be copied. */
static bool starts_with_folded(struct str s, struct str prefix)
{
    struct str piece = head(s, text_length(prefix));
    return prefix.len == 0 || (piece.at && text_contains_folded(piece, prefix));
}

static bool ends_with_folded(struct str s, struct str suffix)
{
    struct str piece = tail(s, text_length(suffix));
    return suffix.len == 0 || (piece.at && text_contains_folded(piece, suffix));
}

/* So many characters as the text of a whole number says (settled by expr.c). */
static bool is_shorter(struct str s, struct str count)
{
    int64_t number;
    return str_to_int64(count, &number) == 0 && (int64_t)text_length(s) < number;
}

/* clang-format off */
const struct operator_info operators[OP_COUNT] = {
    /*                     name             arity       negated positive        folded match ours */
    [OP_EQ]             = {"eq",            ARITY_ONE,  false, OP_EQ,           false, NULL, false},
    [OP_NEQ]            = {"neq",           ARITY_ONE,  true,  OP_EQ,           false, NULL, false},
    [OP_LT]             = {"lt",            ARITY_ONE,  false, OP_LT,           false, NULL, false},
    [OP_LTE]            = {"lte",           ARITY_ONE,  false, OP_LTE,          false, NULL, false},
    [OP_GT]             = {"gt",            ARITY_ONE,  false, OP_GT,           false, NULL, false},
    [OP_GTE]            = {"gte",           ARITY_ONE,  false, OP_GTE,          false, NULL, false},
    [OP_IN]             = {"in",            ARITY_LIST, false, OP_IN,           false, NULL, false},
    [OP_NIN]            = {"nin",           ARITY_LIST, true,  OP_IN,           false, NULL, false},
    [OP_BETWEEN]        = {"between",       ARITY_TWO,  false, OP_BETWEEN,      false, NULL, false},
    [OP_NBETWEEN]       = {"nbetween",      ARITY_TWO,  true,  OP_BETWEEN,      false, NULL, false},
    [OP_NULL]           = {"null",          ARITY_NONE, false, OP_NULL,         false, NULL, false},
    [OP_NNULL]          = {"nnull",         ARITY_NONE, true,  OP_NULL,         false, NULL, false},
    [OP_EMPTY]          = {"empty",         ARITY_NONE, false, OP_EMPTY,        false, NULL, false},
    [OP_NEMPTY]         = {"nempty",        ARITY_NONE, true,  OP_EMPTY,        false, NULL, false},
    [OP_CONTAINS]       = {"contains",      ARITY_ONE,  false, OP_CONTAINS,     false, str_contains, false},
    [OP_NCONTAINS]      = {"ncontains",     ARITY_ONE,  true,  OP_CONTAINS,     false, str_contains, false},
    [OP_ICONTAINS]      = {"icontains",     ARITY_ONE,  false, OP_ICONTAINS,    true,  text_contains_folded, false},
    [OP_STARTS_WITH]    = {"starts_with",   ARITY_ONE,  false, OP_STARTS_WITH,  false, str_starts_with, false},
    [OP_NSTARTS_WITH]   = {"nstarts_with",  ARITY_ONE,  true,  OP_STARTS_WITH,  false, str_starts_with, false},
    [OP_ISTARTS_WITH]   = {"istarts_with",  ARITY_ONE,  false, OP_ISTARTS_WITH, true,  starts_with_folded, false},
    [OP_NISTARTS_WITH]  = {"nistarts_with", ARITY_ONE,  true,  OP_ISTARTS_WITH, true,  starts_with_folded, false},
    [OP_ENDS_WITH]      = {"ends_with",     ARITY_ONE,  false, OP_ENDS_WITH,    false, str_ends_with, false},
    [OP_NENDS_WITH]     = {"nends_with",    ARITY_ONE,  true,  OP_ENDS_WITH,    false, str_ends_with, false},
    [OP_IENDS_WITH]     = {"iends_with",    ARITY_ONE,  false, OP_IENDS_WITH,   true,  ends_with_folded, false},
    [OP_NIENDS_WITH]    = {"niends_with",   ARITY_ONE,  true,  OP_IENDS_WITH,   true,  ends_with_folded, false},
    [OP_NICONTAINS]     = {"nicontains",    ARITY_ONE,  true,  OP_ICONTAINS,    true,  text_contains_folded, true},
    [OP_HAS_WORD]       = {"has_word",      ARITY_ONE,  false, OP_HAS_WORD,     true,  text_has_word, true},
    [OP_NHAS_WORD]      = {"nhas_word",     ARITY_ONE,  true,  OP_HAS_WORD,     true,  text_has_word, true},
    [OP_SHORTER]        = {"shorter",       ARITY_ONE,  false, OP_SHORTER,      false, is_shorter, true},
    [OP_NSHORTER]       = {"nshorter",      ARITY_ONE,  true,  OP_SHORTER,      false, is_shorter, true},
};
/* clang-format on */

bool operator_find(struct str name, enum operator* op_out)
{
    for (int op = 0; op < OP_COUNT; op++) {
        if (!operators[op].ours && str_equal(name, str_of(operators[op].name))) {
            *op_out = (enum operator)op;
            return true;
        }
    }
    return false;
}

enum operator operator_negation(enum operator op)
{
    if (operators[op].negated)
        return operators[op].positive;
    for (int other = 0; other < OP_COUNT; other++)
        if (operators[other].negated && operators[other].positive == op)
            return (enum operator)other;
    return OP_COUNT;
}
