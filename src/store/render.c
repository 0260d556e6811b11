#include "base/mem.h"
#include "store/driver.h"

/*
 * Statements as SQL text. Everything a client may send is bound, never written into the text; names
 * are quoted. The text depends on the form of a statement only, so that prepared ones are found
 * again: lists are told in a few lengths.
 */

enum { SQL_SIZE_MAX = 4 * 1024 * 1024 };

/* ---- the statement ---- */

void statement_start(struct statement *st, const struct sql_dialect *dialect,
                     const struct shape *shape, int64_t now_ms)
{
    if (!st->sql.max)
        buf_init(&st->sql, SQL_SIZE_MAX);
    buf_clear(&st->sql);
    st->dialect = dialect;
    st->shape = shape;
    st->bind_count = 0;
    st->outputs = NULL;
    st->output_count = 0;
    st->now_ms = now_ms;
    st->aliases = st->alias = 0;
    st->writes = st->unbounded = st->unawaited = st->once = st->invalid = false;
}

void statement_finish(struct statement *st)
{
    arena_free(st->arena);
    st->arena = NULL;
}

void statement_deinit(struct statement *st)
{
    statement_finish(st);
    insert_texts_forget(st);
    buf_deinit(&st->sql);
    mem_free(st->binds);
    mem_free(st->row);
}

struct arena *statement_arena(struct statement *st)
{
    if (!st->arena)
        st->arena = arena_new();
    return st->arena;
}

void statement_put_name(struct statement *st, struct str name)
{
    st->invalid |= name.len == 0 || memchr(name.at, '\0', name.len) != NULL;
    buf_put_char(&st->sql, '"');
    for (const char *quote; name.len > 0 && (quote = memchr(name.at, '"', name.len));) {
        size_t size = (size_t)(quote - name.at) + 1;
        buf_put(&st->sql, name.at, size);
        buf_put_char(&st->sql, '"'); /* once more */
        name = str_skip(name, size);
    }
    buf_put_str(&st->sql, name);
    buf_put_char(&st->sql, '"');
}

struct bind *statement_bind(struct statement *st, const struct column *c, enum column_use use)
{
    if (st->bind_count == st->bind_capacity) {
        st->bind_capacity = st->bind_capacity ? st->bind_capacity * 2 : 16;
        st->binds = mem_resize(st->binds, sizeof(*st->binds) * st->bind_capacity);
    }
    struct bind *bind = &st->binds[st->bind_count++];
    *bind = (struct bind){.column = c, .use = use};
    return bind;
}

/* `told`: a value of the kind that is bound. */
static struct bind *add_bind(struct statement *st, const struct column *c, enum column_use use,
                             const struct value *told)
{
    struct bind *bind = statement_bind(st, c, use);
    buf_put_char(&st->sql, st->dialect->parameter);
    if (st->dialect->parameter == '$')
        buf_put_int(&st->sql, (int64_t)st->bind_count);
    buf_put_str(&st->sql, str_of(st->dialect->parameter_type(c, use, told)));
    return bind;
}

void statement_put_alias(struct statement *st, const struct shape *shape, unsigned alias)
{
    statement_put_name(st, shape->name);
    buf_printf(&st->sql, " AS rowcast_%u", alias);
    st->alias = alias;
}

void statement_put_bind(struct statement *st, const struct column *c, struct value v)
{
    add_bind(st, c, USE_VALUE, &v)->value = v;
}

void statement_put_form(struct statement *st, const struct form *form)
{
    static const struct value null = {.kind = VALUE_NULL};
    add_bind(st, NULL, USE_VALUE, &null)->form = form;
}

/* A list of whole numbers with a fraction among them is one of fractions. */
static const struct value *kind_of_list(const struct operand *list, size_t count)
{
    static const struct value none = {.kind = VALUE_NULL};
    for (size_t i = 0; i < count; i++)
        if (list[i].value.kind == VALUE_REAL)
            return &list[i].value;
    return count ? &list[0].value : &none;
}

void statement_put_list(struct statement *st, const struct column *c, const struct operand *list,
                        size_t count)
{
    struct bind *bind = add_bind(st, c, USE_VALUE, kind_of_list(list, count));
    bind->list = list;
    bind->list_count = count;
}

/* ---- conditions ---- */

/* In ORDER BY the table is told: there a bare name may mean what the rows are told under it. So it
 * is within another table's part of a statement, which sees the columns of both. */
static void put_table_of_columns(struct statement *st, enum column_use use)
{
    if (st->alias) {
        buf_printf(&st->sql, "rowcast_%u.", st->alias);
    } else if (use == USE_ORDER || use == USE_FOLDED) {
        statement_put_name(st, st->shape->name);
        buf_put_char(&st->sql, '.');
    }
}

void statement_put_column(struct statement *st, const struct column *c, enum column_use use)
{
    struct str form = str_of(st->dialect->column(c, use));
    for (const char *sign; (sign = memchr(form.at, '$', form.len));) { /* $c */
        buf_put(&st->sql, form.at, (size_t)(sign - form.at));
        put_table_of_columns(st, use);
        statement_put_name(st, c->name);
        form = str_skip(form, (size_t)(sign - form.at) + 2);
    }
    buf_put_str(&st->sql, form);
}

static void put_masked(struct statement *st, const struct column *c, const struct expr *mask,
                       enum column_use use)
{
    if (!mask || mask->kind == EXPR_TRUE) {
        statement_put_column(st, c, use);
        return;
    }
    buf_put_lit(&st->sql, "(CASE WHEN ");
    statement_put_condition(st, mask);
    buf_put_lit(&st->sql, " THEN ");
    statement_put_column(st, c, use);
    buf_put_lit(&st->sql, " END)");
}

static enum column_use use_in(const struct expr *x)
{
    bool of_text = operators[x->test.op].match || operators[x->test.op].positive == OP_EMPTY;
    return of_text ? USE_TEXT : USE_VALUE;
}

static void put_operand(struct statement *st, const struct expr *x, size_t index)
{
    const struct operand *o = &x->test.operands[index];
    struct value v = o->value;
    if (o->now)
        v = operand_value(o, x->test.column, st->now_ms, statement_arena(st));
    add_bind(st, x->test.column, use_in(x), &v)->value = v;
}

/* A short list: as many parameters as the next power of two, the last value told again. */
static void put_short_list(struct statement *st, const struct expr *x)
{
    size_t count = x->test.operand_count, padded = 1;
    while (padded < count)
        padded *= 2;
    for (size_t i = 0; i < padded; i++) {
        if (i > 0)
            buf_put_char(&st->sql, ',');
        put_operand(st, x, i < count ? i : count - 1);
    }
}

static void put_long_list(struct statement *st, const struct expr *x)
{
    size_t count = x->test.operand_count;
    const struct operand *list = x->test.operands;
    if (list[count - 1].now) { /* those relative to now are the last */
        struct operand *fixed = ARENA_ARRAY(statement_arena(st), struct operand, count);
        for (size_t i = 0; i < count; i++)
            fixed[i].value = operand_value(&list[i], x->test.column, st->now_ms, st->arena);
        list = fixed;
    }
    st->once |= st->dialect->plans_lists;
    statement_put_list(st, x->test.column, list, count);
}

static bool has_long_list(const struct statement *st, const struct expr *x)
{
    return x->test.operand_count > st->dialect->list_max;
}

static void put_template(struct statement *st, const char *template, const struct expr *x)
{
    for (const char *at = template; *at; at++) {
        if (*at != '$') {
            buf_put_char(&st->sql, *at);
            continue;
        }
        switch (*++at) {
        case 'c':
            if (x->test.form)
                st->dialect->put_form(st, x->test.column, x->test.form);
            else
                put_masked(st, x->test.column, x->test.mask, use_in(x));
            break;
        case '*':
            if (has_long_list(st, x))
                put_long_list(st, x);
            else
                put_short_list(st, x);
            break;
        default:
            put_operand(st, x, (size_t)(*at - '1'));
        }
    }
}

static void put_test(struct statement *st, const struct expr *x)
{
    const struct operator_info *info = &operators[x->test.op];
    const char *template = st->dialect->tests[x->test.op];
    bool negated = !template;
    if (negated)
        template = st->dialect->tests[info->positive];
    if (info->arity == ARITY_LIST && has_long_list(st, x))
        template = st->dialect->long_list;

    if (negated)
        buf_put_lit(&st->sql, "NOT (");
    put_template(st, template, x);
    if (negated)
        buf_put_char(&st->sql, ')');
}

/* As a balanced tree: stores limit the depth of an expression, and a chain of ANDs is as deep as it
 * is long. */
static void put_balanced(struct statement *st, const struct expr *const *items, size_t count,
                         struct str word)
{
    if (count == 1) {
        statement_put_condition(st, items[0]);
        return;
    }
    buf_put_char(&st->sql, '(');
    put_balanced(st, items, count / 2, word);
    buf_put_str(&st->sql, word);
    put_balanced(st, items + count / 2, count - count / 2, word);
    buf_put_char(&st->sql, ')');
}

/* The deepest item, which the builder put last, is written first and by itself: all that stands to
 * the left of a parenthesis waits on the parser's stack until it closes. */
static void put_list(struct statement *st, const struct expr *x)
{
    struct str word = x->kind == EXPR_AND ? STR(" AND ") : STR(" OR ");
    size_t last = x->list.count - 1;
    const struct expr *deepest = x->list.items[last];
    if (deepest->depth == 0) {
        put_balanced(st, x->list.items, x->list.count, word);
        return;
    }
    buf_put_char(&st->sql, '(');
    statement_put_condition(st, deepest);
    buf_put_str(&st->sql, word);
    put_balanced(st, x->list.items, last, word);
    buf_put_char(&st->sql, ')');
}

/* " AND condition", or the first one. */
static void put_further(struct statement *st, const struct expr *where, bool first)
{
    if (where->kind == EXPR_TRUE)
        return;
    buf_put_str(&st->sql, first ? STR(" WHERE ") : STR(" AND "));
    statement_put_condition(st, where);
}

/* Bare names would do, as all columns are the other table's; but one that is no longer there would
 * then mean a column of the table outside. */
static void put_in(struct statement *st, const struct column *c, const struct subselect *of,
                   bool negated)
{
    unsigned outside = st->alias;
    bool without_nulls = negated && of->out->nullable;
    statement_put_column(st, c, USE_VALUE);
    buf_put_str(&st->sql, negated ? STR(" NOT IN (SELECT ") : STR(" IN (SELECT "));
    st->alias = ++st->aliases;
    statement_put_column(st, of->out, USE_VALUE);
    buf_put_lit(&st->sql, " FROM ");
    statement_put_alias(st, of->shape, st->alias);
    if (without_nulls) {
        buf_put_lit(&st->sql, " WHERE ");
        statement_put_column(st, of->out, USE_VALUE);
        buf_put_lit(&st->sql, " IS NOT NULL");
    }
    put_further(st, of->where, !without_nulls);
    buf_put_char(&st->sql, ')');
    st->alias = outside;
}

static void put_exists(struct statement *st, const struct column *c, const struct subselect *of,
                       bool negated)
{
    unsigned outside = st->alias;
    buf_put_str(&st->sql,
                negated ? STR("NOT EXISTS (SELECT 1 FROM ") : STR("EXISTS (SELECT 1 FROM "));
    statement_put_alias(st, of->shape, ++st->aliases);
    unsigned inside = st->alias;
    buf_put_lit(&st->sql, " WHERE ");
    statement_put_column(st, of->out, USE_VALUE);
    buf_put_lit(&st->sql, " = ");
    st->alias = outside;
    statement_put_column(st, c, USE_ORDER); /* with its table */
    st->alias = inside;
    put_further(st, of->where, false);
    buf_put_char(&st->sql, ')');
    st->alias = outside;
}

/* Nulls on either side would make NOT IN unknown for all rows, or true where there is nothing. */
static void put_among(struct statement *st, const struct expr *x)
{
    const struct column *c = x->among.column;
    bool guarded = x->among.negated && c->nullable;
    if (guarded)
        buf_put_char(&st->sql, '(');
    (st->dialect->joins_existing ? put_exists : put_in)(st, c, &x->among.of, x->among.negated);
    if (guarded) {
        buf_put_lit(&st->sql, " AND ");
        statement_put_column(st, c, USE_VALUE);
        buf_put_lit(&st->sql, " IS NOT NULL)");
    }
}

void statement_put_condition(struct statement *st, const struct expr *x)
{
    switch (x->kind) {
    case EXPR_TRUE:
        buf_put_lit(&st->sql, "TRUE");
        break;
    case EXPR_FALSE:
        buf_put_lit(&st->sql, "FALSE");
        break;
    case EXPR_AND:
    case EXPR_OR:
        put_list(st, x);
        break;
    case EXPR_TEST:
        put_test(st, x);
        break;
    case EXPR_AMONG:
        put_among(st, x);
        break;
    }
}

void statement_put_where(struct statement *st, const struct expr *where)
{
    if (!where || where->kind == EXPR_TRUE)
        return;
    buf_put_lit(&st->sql, " WHERE ");
    statement_put_condition(st, where);
}

/* ---- statements ---- */

static void put_outputs(struct statement *st, const struct output *outputs, size_t count)
{
    st->outputs = outputs;
    st->output_count = outputs ? count : st->shape->count;
    for (size_t i = 0; i < st->output_count; i++) {
        if (i > 0)
            buf_put_char(&st->sql, ',');
        if (outputs)
            put_masked(st, outputs[i].column, outputs[i].mask, USE_OUTPUT);
        else
            statement_put_column(st, &st->shape->columns[i], USE_OUTPUT);
    }
}

void statement_put_returning(struct statement *st, bool returning)
{
    if (!returning)
        return;
    buf_put_lit(&st->sql, " RETURNING ");
    put_outputs(st, NULL, 0);
}

static void put_limit(struct statement *st, int64_t limit, int64_t offset)
{
    if (limit < 0 && offset <= 0)
        return;
    buf_put_lit(&st->sql, " LIMIT ");
    if (limit < 0)
        buf_put_str(&st->sql, str_of(st->dialect->limit_all));
    else
        statement_put_bind(st, NULL, value_integer(limit));
    if (offset > 0) {
        buf_put_lit(&st->sql, " OFFSET ");
        statement_put_bind(st, NULL, value_integer(offset));
    }
}

enum { GATHERED_ROWS_MAX = 1000 };

void render_select(struct statement *st, const struct select *select)
{
    st->unbounded = select->limit < 0 || select->limit > GATHERED_ROWS_MAX;
    buf_put_lit(&st->sql, "SELECT ");
    put_outputs(st, select->outputs, select->output_count);
    buf_put_lit(&st->sql, " FROM ");
    statement_put_name(st, select->shape->name);
    statement_put_where(st, select->where);
    render_order(st, select->orders, select->order_count);
    put_limit(st, select->limit, select->offset);
    if (select->lock)
        buf_put_str(&st->sql, str_of(st->dialect->lock));
}

void render_count(struct statement *st, const struct expr *where)
{
    static const struct column count = {.name = {"count", 5}, .type = TYPE_BIG_INTEGER};
    static const struct output outputs[] = {{&count, NULL}};
    buf_put_lit(&st->sql, "SELECT count(*) FROM ");
    statement_put_name(st, st->shape->name);
    statement_put_where(st, where);
    st->outputs = outputs;
    st->output_count = 1;
}

void render_update(struct statement *st, const struct assignment *assignments, size_t count,
                   const struct expr *where, bool returning)
{
    st->writes = true;
    buf_put_lit(&st->sql, "UPDATE ");
    statement_put_name(st, st->shape->name);
    buf_put_lit(&st->sql, " SET ");
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_put_char(&st->sql, ',');
        statement_put_name(st, assignments[i].column->name);
        buf_put_char(&st->sql, '=');
        statement_put_bind(st, assignments[i].column, assignments[i].value);
    }
    if (count == 0) { /* nothing changes, yet the rows are told */
        struct str key = st->shape->columns[st->shape->key].name;
        statement_put_name(st, key);
        buf_put_char(&st->sql, '=');
        statement_put_name(st, key);
    }
    statement_put_where(st, where);
    statement_put_returning(st, returning);
}

void render_delete(struct statement *st, const struct expr *where, bool returning)
{
    st->writes = true;
    buf_put_lit(&st->sql, "DELETE FROM ");
    statement_put_name(st, st->shape->name);
    statement_put_where(st, where);
    statement_put_returning(st, returning);
}
