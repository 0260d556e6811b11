#include "store/expr.h"

#include <assert.h>
#include <stdlib.h>

#include "base/text.h"

const struct expr expr_true = {.kind = EXPR_TRUE};
const struct expr expr_false = {.kind = EXPR_FALSE};

static bool is_list(enum expr_kind kind)
{
    return kind == EXPR_AND || kind == EXPR_OR;
}

/* ---- building ---- */

/* Shallow items first: the evaluator tries what is cheap before what is not, and render.c writes
 * from the other end. Items of one depth keep their order. */
static void sort_by_depth(const struct expr **items, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        const struct expr *item = items[i];
        size_t to = i;
        for (; to > 0 && items[to - 1]->depth > item->depth; to--)
            items[to] = items[to - 1];
        items[to] = item;
    }
}

const struct expr *expr_all(struct arena *a, enum expr_kind and_or, const struct expr *const *items,
                            size_t count)
{
    assert(is_list(and_or));
    enum expr_kind neutral = and_or == EXPR_AND ? EXPR_TRUE : EXPR_FALSE;
    enum expr_kind decisive = and_or == EXPR_AND ? EXPR_FALSE : EXPR_TRUE;

    size_t total = 0;
    for (size_t i = 0; i < count; i++) {
        if (items[i]->kind == decisive)
            return items[i];
        if (items[i]->kind == and_or)
            total += items[i]->list.count;
        else if (items[i]->kind != neutral)
            total++;
    }
    if (total == 0)
        return and_or == EXPR_AND ? &expr_true : &expr_false;

    const struct expr **flat = ARENA_ARRAY(a, const struct expr *, total);
    size_t filled = 0;
    for (size_t i = 0; i < count; i++) {
        if (items[i]->kind == and_or)
            for (size_t k = 0; k < items[i]->list.count; k++)
                flat[filled++] = items[i]->list.items[k];
        else if (items[i]->kind != neutral)
            flat[filled++] = items[i];
    }
    if (total == 1)
        return flat[0];
    sort_by_depth(flat, total);
    struct expr *x = ARENA_NEW(a, struct expr);
    *x = (struct expr){.kind = and_or, .depth = flat[total - 1]->depth + 1, .list = {flat, total}};
    return x;
}

const struct expr *expr_and(struct arena *a, const struct expr *x, const struct expr *y)
{
    return expr_all(a, EXPR_AND, (const struct expr *[]){x, y}, 2);
}

const struct expr *expr_or(struct arena *a, const struct expr *x, const struct expr *y)
{
    return expr_all(a, EXPR_OR, (const struct expr *[]){x, y}, 2);
}

/* ---- tests ---- */

static struct value text_as_number(const struct column *c, struct str text)
{
    int64_t integer;
    double real;
    if (c->type == TYPE_BOOLEAN && (str_equal(text, STR("true")) || str_equal(text, STR("false"))))
        return value_integer(text.at[0] == 't');
    if (str_to_int64(text, &integer) == 0)
        return value_integer(integer);
    return str_to_double(text, &real) == 0 ? value_real(real) : value_null();
}

static struct value number_as_text(struct arena *a, const struct value *v)
{
    struct buf text;
    buf_init(&text, 64);
    if (v->kind == VALUE_INTEGER)
        buf_put_int(&text, v->integer);
    else
        json_put_double(&text, v->real);
    struct value as_text = value_text(arena_str(a, buf_str(&text)));
    buf_deinit(&text);
    return as_text;
}

/* Left to itself, SQL would convert the one side or the other by rules of each store. */
static struct value in_kind_of_column(struct arena *a, const struct column *c,
                                      const struct value *v)
{
    enum value_kind kind = types[c->type].kind;
    if (value_is_null(v) || kind == v->kind)
        return *v;
    if (kind == VALUE_TEXT)
        return number_as_text(a, v);
    struct value number = v->kind == VALUE_TEXT ? text_as_number(c, v->text) : *v;
    if (kind == VALUE_REAL && number.kind == VALUE_INTEGER)
        return value_real((double)number.integer);
    if (kind == VALUE_INTEGER && number.kind == VALUE_REAL && number.real >= -0x1p63 &&
        number.real < 0x1p63 && (double)(int64_t)number.real == number.real)
        return value_integer((int64_t)number.real);
    return number;
}

static struct value as_moment(struct arena *a, struct str text,
                              int (*read)(struct str s, char *text_out))
{
    char canonical[CLOCK_TEXT_MAX];
    return read(text, canonical) == 0 ? value_text(arena_str(a, str_of(canonical))) : value_null();
}

/* A value of the column's kind as one that its type may hold, written as it is stored; null when it
 * cannot be one. PostgreSQL compares such columns with values of their own type only. */
static struct value in_type_of_column(struct arena *a, const struct column *c,
                                      const struct value *v)
{
    if (value_is_null(v))
        return *v;
    switch (c->type) {
    case TYPE_BOOLEAN:
        return v->kind == VALUE_INTEGER && (v->integer == 0 || v->integer == 1) ? *v : value_null();
    case TYPE_DECIMAL:
        return value_real(value_round_decimal(v->real));
    case TYPE_DATE:
        return as_moment(a, v->text, clock_read_date);
    case TYPE_TIME:
        return as_moment(a, v->text, clock_read_time);
    case TYPE_DATE_TIME:
        return as_moment(a, v->text, clock_read_date_time);
    case TYPE_TIMESTAMP:
        return as_moment(a, v->text, clock_read_timestamp);
    case TYPE_UUID:
        return text_is_uuid(v->text) ? value_text(text_fold(a, v->text)) : value_null();
    default:
        return *v;
    }
}

/* A whole number that every store reads. */
static struct value as_length(struct arena *a, const struct value *v)
{
    int64_t length;
    if (v->kind != VALUE_TEXT || str_to_int64(v->text, &length) != 0)
        return value_null();
    return value_text(arena_printf(a, "%lld", (long long)length));
}

static struct value settle_value(struct arena *a, const struct column *c, enum operator op,
                                 const struct value *v)
{
    if (operators[op].match && types[c->type].kind != VALUE_TEXT)
        return value_null();
    if (v->kind == VALUE_TEXT && !text_is_plain(v->text))
        return value_null();
    struct value settled = in_kind_of_column(a, c, v);
    if (operators[op].positive == OP_SHORTER)
        return as_length(a, &settled);
    if (!operators[op].match)
        return in_type_of_column(a, c, &settled);
    if (operators[op].folded && settled.kind == VALUE_TEXT)
        settled.text = text_fold(a, settled.text);
    return settled;
}

/* Whether a moment relative to now has a form that the column can be compared with. */
static bool takes_moments(const struct column *c, enum operator op)
{
    if (operators[op].match)
        return types[c->type].kind == VALUE_TEXT && operators[op].positive != OP_SHORTER;
    return c->type != TYPE_BOOLEAN && c->type != TYPE_UUID;
}

static struct operand settle(struct arena *a, const struct column *c, enum operator op,
                             const struct operand *o)
{
    struct operand settled = *o;
    settled.now = o->now && takes_moments(c, op);
    settled.folded = settled.now && operators[op].folded;
    settled.value = o->now ? value_null() : settle_value(a, c, op, &o->value);
    return settled;
}

/* Null first, fixed values in order, moments relative to now last: what the evaluator searches. */
static int compare_operands(const void *left, const void *right)
{
    const struct operand *a = left, *b = right;
    if (a->now != b->now)
        return a->now ? 1 : -1;
    if (a->now) {
        if (a->shift.months != b->shift.months)
            return a->shift.months < b->shift.months ? -1 : 1;
        return a->shift.ms < b->shift.ms ? -1 : a->shift.ms > b->shift.ms;
    }
    if (value_is_null(&a->value) || value_is_null(&b->value))
        return value_is_null(&b->value) - value_is_null(&a->value);
    return value_compare(&a->value, &b->value);
}

static size_t sort_once(struct operand *operands, size_t count)
{
    qsort(operands, count, sizeof(*operands), compare_operands);
    size_t kept = 1;
    for (size_t i = 1; i < count; i++)
        if (compare_operands(&operands[kept - 1], &operands[i]) != 0)
            operands[kept++] = operands[i];
    return kept;
}

static bool arity_fits(enum operator_arity arity, size_t count)
{
    return arity == ARITY_LIST || (size_t)arity == count;
}

static enum operator settle_operator(enum operator op, const struct operand *operands, size_t count)
{
    if (op == OP_NIN && count == 0)
        return OP_NNULL;
    if ((op == OP_EQ || op == OP_NEQ) && !operands[0].now && value_is_null(&operands[0].value))
        return op == OP_EQ ? OP_NULL : OP_NNULL;
    return op;
}

const struct expr *expr_test_operands(struct arena *a, const struct column *c,
                                      const struct expr *mask, enum operator op,
                                      const struct operand *operands, size_t count)
{
    assert(arity_fits(operators[op].arity, count));
    if (op == OP_IN && count == 0)
        return &expr_false;
    op = settle_operator(op, operands, count);
    if (operators[op].arity == ARITY_NONE)
        count = 0;

    struct operand *settled = count ? ARENA_ARRAY(a, struct operand, count) : NULL;
    for (size_t i = 0; i < count; i++)
        settled[i] = settle(a, c, op, &operands[i]);
    if (operators[op].arity == ARITY_LIST)
        count = sort_once(settled, count);

    struct expr *x = ARENA_NEW(a, struct expr);
    x->kind = EXPR_TEST;
    x->test.op = op;
    x->test.column = c;
    x->test.mask = mask && mask->kind != EXPR_TRUE ? mask : NULL;
    x->depth = x->test.mask ? mask->depth + 1 : 0;
    x->test.operands = settled;
    x->test.operand_count = count;
    return x;
}

const struct expr *expr_test(struct arena *a, const struct column *c, enum operator op,
                             const struct value *values, size_t count)
{
    struct operand *operands = count ? ARENA_ARRAY(a, struct operand, count) : NULL;
    for (size_t i = 0; i < count; i++)
        operands[i].value = values[i];
    return expr_test_operands(a, c, NULL, op, operands, count);
}

const struct expr *expr_test_form(struct arena *a, const struct column *c, const struct form *form,
                                  enum operator op, struct str text)
{
    assert(operators[op].match && operators[op].positive != OP_SHORTER && form_fits(form, c));
    struct operand *operand = ARENA_NEW(a, struct operand);
    operand->value = value_text(operators[op].folded ? text_fold(a, text) : arena_str(a, text));
    if (!text_is_plain(text))
        operand->value = value_null();
    struct expr *x = ARENA_NEW(a, struct expr);
    *x = (struct expr){
        .kind = EXPR_TEST,
        .test = {.op = op, .column = c, .form = form, .operands = operand, .operand_count = 1}};
    return x;
}

/* ---- other tables ---- */

enum comparable_kind { COMPARES_WITH_ITSELF, COMPARES_AS_INTEGER, COMPARES_AS_TEXT };

static enum comparable_kind comparable_kind(const struct column *c)
{
    switch (c->type) {
    case TYPE_INTEGER:
    case TYPE_BIG_INTEGER:
        return COMPARES_AS_INTEGER;
    case TYPE_STRING:
    case TYPE_TEXT:
    case TYPE_CSV:
    case TYPE_HASH:
        return COMPARES_AS_TEXT;
    default:
        return COMPARES_WITH_ITSELF;
    }
}

/* PostgreSQL compares no others, or whole numbers and fractions less exactly than SQLite. */
static bool are_comparable(const struct column *a, const struct column *b)
{
    enum comparable_kind kind = comparable_kind(a);
    if (kind == COMPARES_WITH_ITSELF)
        return a->type == b->type && a->type != TYPE_JSON;
    return kind == comparable_kind(b);
}

/* What a subselect takes of a parser's stack, in levels of a tree. */
enum { SUBSELECT_DEPTH = 8 };

const struct expr *expr_among(struct arena *a, const struct column *c, const struct subselect *s,
                              bool negated)
{
    assert(are_comparable(c, s->out));
    const struct expr *where = s->where ? s->where : &expr_true;
    if (where->kind == EXPR_FALSE)
        return negated ? expr_test(a, c, OP_NNULL, NULL, 0) : &expr_false;
    struct expr *x = ARENA_NEW(a, struct expr);
    *x = (struct expr){.kind = EXPR_AMONG,
                       .depth = where->depth + SUBSELECT_DEPTH,
                       .among = {.column = c, .of = {s->shape, s->out, where}, .negated = negated}};
    return x;
}

/* ---- questions ---- */

static void add_column(const struct column *c, uint64_t *bits, size_t words)
{
    assert(c->index / 64 < words);
    bits[c->index / 64] |= UINT64_C(1) << (c->index % 64);
}

void expr_columns(const struct expr *x, uint64_t *bits, size_t words)
{
    if (is_list(x->kind)) {
        for (size_t i = 0; i < x->list.count; i++)
            expr_columns(x->list.items[i], bits, words);
    } else if (x->kind == EXPR_TEST) {
        add_column(x->test.column, bits, words);
        if (x->test.mask)
            expr_columns(x->test.mask, bits, words);
    } else if (x->kind == EXPR_AMONG) {
        add_column(x->among.column, bits, words);
    }
}

static bool test_uses_now(const struct expr *x)
{
    for (size_t i = 0; i < x->test.operand_count; i++)
        if (x->test.operands[i].now)
            return true;
    return false;
}

/* Whether the question is answered with yes for an item of a list. */
static bool any_item(const struct expr *x, bool (*question)(const struct expr *x))
{
    for (size_t i = 0; i < x->list.count; i++)
        if (question(x->list.items[i]))
            return true;
    return false;
}

bool expr_uses_now(const struct expr *x)
{
    switch (x->kind) {
    case EXPR_AND:
    case EXPR_OR:
        return any_item(x, expr_uses_now);
    case EXPR_TEST:
        return test_uses_now(x) || (x->test.mask && expr_uses_now(x->test.mask));
    case EXPR_AMONG:
        return expr_uses_now(x->among.of.where);
    default:
        return false;
    }
}

bool expr_reaches(const struct expr *x)
{
    if (is_list(x->kind))
        return any_item(x, expr_reaches);
    if (x->kind == EXPR_TEST)
        return x->test.mask && expr_reaches(x->test.mask);
    return x->kind == EXPR_AMONG;
}

static bool is_equality(const struct expr *x)
{
    return x->kind == EXPR_TEST && (x->test.op == OP_EQ || x->test.op == OP_IN) && !x->test.mask &&
           !test_uses_now(x);
}

bool expr_equality(const struct expr *x, const struct column **column_out,
                   const struct operand **operands_out, size_t *count_out)
{
    const struct expr *best = is_equality(x) ? x : NULL;
    for (size_t i = 0; x->kind == EXPR_AND && i < x->list.count; i++) {
        const struct expr *item = x->list.items[i];
        if (is_equality(item) && (!best || item->test.operand_count < best->test.operand_count))
            best = item;
    }
    if (!best)
        return false;
    *column_out = best->test.column;
    *operands_out = best->test.operands;
    *count_out = best->test.operand_count;
    return true;
}

/* ---- copying ---- */

static void copy_test(struct arena *a, struct expr *copy, const struct expr *x)
{
    size_t count = x->test.operand_count;
    struct operand *operands = count ? ARENA_ARRAY(a, struct operand, count) : NULL;
    for (size_t i = 0; i < count; i++) {
        operands[i] = x->test.operands[i];
        operands[i].value = value_copy(a, &x->test.operands[i].value);
    }
    copy->test.operands = operands;
    copy->test.mask = x->test.mask ? expr_copy(a, x->test.mask) : NULL;
    copy->test.form = x->test.form ? form_copy(a, x->test.form) : NULL;
}

static void copy_list(struct arena *a, struct expr *copy, const struct expr *x)
{
    const struct expr **items = ARENA_ARRAY(a, const struct expr *, x->list.count);
    for (size_t i = 0; i < x->list.count; i++)
        items[i] = expr_copy(a, x->list.items[i]);
    copy->list.items = items;
}

const struct expr *expr_copy(struct arena *a, const struct expr *x)
{
    if (x->kind == EXPR_TRUE || x->kind == EXPR_FALSE)
        return x->kind == EXPR_TRUE ? &expr_true : &expr_false;
    struct expr *copy = ARENA_NEW(a, struct expr);
    *copy = *x;
    if (x->kind == EXPR_TEST)
        copy_test(a, copy, x);
    else if (x->kind == EXPR_AMONG)
        copy->among.of.where = expr_copy(a, x->among.of.where);
    else
        copy_list(a, copy, x);
    return copy;
}
