#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"
#include "store/expr.h"

/*
 * Conditions as canonical text: two of equal meaning have equal keys as often as can be told
 * cheaply, and two of different meaning never.
 */

enum { KEY_SIZE_MAX = 64 * 1024 * 1024 };

/* A name that stands by itself: its length before it. */
static void put_name_key(struct buf *b, struct str name)
{
    buf_printf(b, "%zu:", name.len);
    buf_put_str(b, name);
}

static void put_operand_key(struct buf *b, const struct operand *o)
{
    if (o->now)
        buf_printf(b, "@%" PRId32 "/%" PRId64, o->shift.months, o->shift.ms);
    else
        value_put_key(b, &o->value);
}

static void put_form_key(struct buf *b, const struct form *f)
{
    buf_printf(b, "/%u", f->decimals);
    put_name_key(b, str_of(f->pattern));
    put_name_key(b, f->zone);
}

static void put_test_key(struct buf *b, const struct expr *x)
{
    buf_printf(b, "%s(", operators[x->test.op].name);
    put_name_key(b, x->test.column->name);
    if (x->test.mask) {
        buf_put_char(b, '|');
        expr_put_key(b, x->test.mask);
    }
    if (x->test.form)
        put_form_key(b, x->test.form);
    for (size_t i = 0; i < x->test.operand_count; i++) {
        buf_put_char(b, ',');
        put_operand_key(b, &x->test.operands[i]);
    }
    buf_put_char(b, ')');
}

static void put_among_key(struct buf *b, const struct expr *x)
{
    const struct subselect *of = &x->among.of;
    buf_put_str(b, x->among.negated ? STR("namong(") : STR("among("));
    put_name_key(b, x->among.column->name);
    buf_put_char(b, ',');
    put_name_key(b, of->shape->name);
    buf_put_char(b, '.');
    put_name_key(b, of->out->name);
    buf_put_char(b, '|');
    expr_put_key(b, of->where);
    buf_put_char(b, ')');
}

static int compare_keys(const void *left, const void *right)
{
    return str_compare(*(const struct str *)left, *(const struct str *)right);
}

/* The order of items does not matter to the condition, nor does telling one twice: so not to its
 * key. */
static void put_list_key(struct buf *b, const struct expr *x)
{
    struct buf text;
    buf_init(&text, KEY_SIZE_MAX);
    struct str *keys = MEM_ARRAY(struct str, x->list.count);
    for (size_t i = 0; i < x->list.count; i++) {
        size_t start = text.len;
        expr_put_key(&text, x->list.items[i]);
        keys[i].len = text.len - start;
    }
    const char *at = text.at;
    for (size_t i = 0; i < x->list.count; at += keys[i++].len)
        keys[i].at = at;
    qsort(keys, x->list.count, sizeof(*keys), compare_keys);

    b->failed |= text.failed;
    buf_put_char(b, x->kind == EXPR_AND ? '&' : '|');
    buf_put_char(b, '(');
    for (size_t i = 0; i < x->list.count; i++)
        if (i == 0 || !str_equal(keys[i - 1], keys[i]))
            buf_put_str(b, keys[i]);
    buf_put_char(b, ')');
    mem_free(keys);
    buf_deinit(&text);
}

void expr_put_key(struct buf *b, const struct expr *x)
{
    switch (x->kind) {
    case EXPR_TRUE:
        buf_put_lit(b, "true");
        break;
    case EXPR_FALSE:
        buf_put_lit(b, "false");
        break;
    case EXPR_AND:
    case EXPR_OR:
        put_list_key(b, x);
        break;
    case EXPR_TEST:
        put_test_key(b, x);
        break;
    case EXPR_AMONG:
        put_among_key(b, x);
        break;
    }
}
