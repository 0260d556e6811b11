#include "table.h"

#include "dice.h"
#include "values.h"

/* ---- tables ---- */

/* Names that need quotes, that are words of SQL, and that end differ by a number only. */
static struct str random_name(struct arena *a, unsigned index)
{
    static const char *const names[] = {"a",   "Select", "order \"by\"", "\xc3\x84rger",
                                        "x.y", "it's",   "rowid_",       "$1",
                                        "%s",  "f(x)",   "oid_"};
    return arena_printf(a, "%s%u", PICK(names), index);
}

static void make_key(struct column *c)
{
    static const enum type_id key_types[] = {TYPE_INTEGER, TYPE_BIG_INTEGER, TYPE_UUID,
                                             TYPE_STRING};
    c->type = PICK(key_types);
    c->primary_key = true;
    c->auto_increment = types[c->type].kind == VALUE_INTEGER && chance(50);
}

static void make_column(struct column *c)
{
    c->type = (enum type_id)below(TYPE_COUNT);
    c->nullable = chance(80);
    c->unique = c->type != TYPE_JSON && chance(8);
    c->indexed = chance(30);
}

static void limit_column(struct arena *a, struct column *c)
{
    static const unsigned lengths[] = {0, 1, 3, 20, 255};
    if (c->type == TYPE_STRING || c->type == TYPE_CSV || c->type == TYPE_HASH)
        c->length_max = PICK(lengths);
    if (c->type == TYPE_DECIMAL) {
        c->precision = (uint8_t)(below(15) + 1);
        c->scale = (uint8_t)below(c->precision + 1u);
    }
    if (!c->primary_key && chance(20))
        c->default_value = random_cell(a, c);
}

void random_table(struct arena *a, struct random_table *table_out)
{
    struct random_table *t = table_out;
    t->shape = (struct shape){.name = random_name(a, 0), .columns = t->columns};
    t->shape.count = below(RANDOM_COLUMNS_MAX - 2) + 3;
    t->shape.key = (unsigned)below(t->shape.count);
    for (unsigned i = 0; i < t->shape.count; i++) {
        struct column *c = &t->columns[i];
        *c = (struct column){.name = random_name(a, i), .index = i};
        if (i == t->shape.key)
            make_key(c);
        else
            make_column(c);
        limit_column(a, c);
    }
    t->keys_count = t->columns[t->shape.key].auto_increment && chance(40);
}

/* ---- conditions ---- */

enum { LIST_MAX = 40 };

/* Every operator that a filter may use on the type, and now and then one that it may not. */
static enum operator random_operator(enum type_id type)
{
    const uint64_t null_operators = UINT64_C(1) << OP_NULL | UINT64_C(1) << OP_NNULL;
    enum operator op;
    bool any = chance(15);
    do {
        op = (enum operator)below(OP_COUNT);
        any = any && (type != TYPE_JSON || operators[op].match); /* JSON has no order */
    } while (!any && !((types[type].operators | null_operators) >> op & 1));
    return op;
}

/* What people read of numbers and moments. */
static const struct form *random_form(struct arena *a, const struct column *c)
{
    static const char *const patterns[] = {"DD/MM/YYYY HH24:MI", "MM/DD/YYYY HH12:MI AM",
                                           "YYYY-MM-DD", "DD"};
    static const char *const zones[] = {"UTC", "Europe/Amsterdam", "America/New_York",
                                        "Asia/Kathmandu"};
    struct form *form = ARENA_NEW(a, struct form);
    *form = (struct form){.pattern = types[c->type].kind == VALUE_TEXT ? PICK(patterns) : NULL,
                          .decimals = (unsigned)below(FORM_DECIMALS_MAX + 1)};
    if (form->pattern && chance(70)) {
        form->zone = str_of(PICK(zones));
        zone_load(a, form->zone, &form->clock); /* else UTC remains */
    }
    return form;
}

static const struct expr *random_form_test(struct arena *a, const struct column *c)
{
    static const enum operator operators_on_text[] = {OP_CONTAINS,  OP_ICONTAINS, OP_NICONTAINS,
                                                      OP_HAS_WORD,  OP_ENDS_WITH, OP_STARTS_WITH,
                                                      OP_NHAS_WORD, OP_ICONTAINS};
    static const char *const needles[] = {"0",  "1",     ".",  "-",    "0.0",  "24",
                                          "01", "02/01", "PM", "2024", "10:1", ""};
    const struct form *form = random_form(a, c);
    const struct expr *test =
        expr_test_form(a, c, form, PICK(operators_on_text), str_of(PICK(needles)));
    if (!form->clock)
        return test;
    /* Clocks of a zone may show years that none of our texts has. */
    const struct value inner[] = {value_text(STR("0001-01-03")), value_text(STR("9999-12-29"))};
    return expr_and(a, test, expr_test(a, c, OP_BETWEEN, inner, COUNT_OF(inner)));
}

static const struct expr *random_test(struct arena *a, const struct shape *shape, size_t depth)
{
    const struct column *c = &shape->columns[below(shape->count)];
    static const struct form number, moment = {.pattern = "DD"};
    if (chance(15) && (form_fits(&number, c) || form_fits(&moment, c)))
        return random_form_test(a, c);
    enum operator op = random_operator(c->type);
    struct operand operands[LIST_MAX];
    size_t count = (size_t)operators[op].arity;
    if (operators[op].arity == ARITY_LIST)
        count = chance(30) ? below(LIST_MAX) + 1 : below(4);
    for (size_t i = 0; i < count; i++)
        operands[i] = random_operand(a, c, op);
    const struct expr *mask = depth > 0 && chance(15) ? random_expr(a, shape, depth - 1) : NULL;
    return expr_test_operands(a, c, mask, op, operands, count);
}

const struct expr *random_expr(struct arena *a, const struct shape *shape, size_t depth_max)
{
    if (depth_max == 0 || chance(30))
        return chance(3) ? (chance(50) ? &expr_true : &expr_false)
                         : random_test(a, shape, depth_max);
    const struct expr *items[4];
    size_t count = below(COUNT_OF(items)) + 1;
    for (size_t i = 0; i < count; i++)
        items[i] = random_expr(a, shape, depth_max - 1);
    const struct expr *all = expr_all(a, chance(50) ? EXPR_AND : EXPR_OR, items, count);
    return chance(5) ? expr_complement(a, all) : all;
}
