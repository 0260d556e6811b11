#include "base/text.h"
#include "store/driver.h"

/* Definitions of tables, columns and indexes as SQL text. */

/* A declaration with its %n, %p and %s filled in; "(%n)" vanishes where there is no limit. */
void render_declaration(struct statement *st, const struct column *c)
{
    struct buf *sql = &st->sql;
    int precision = c->precision ? c->precision : DECIMAL_PRECISION;
    int scale = c->precision ? c->scale : DECIMAL_SCALE;
    for (const char *at = st->dialect->declaration(&types[c->type]); *at; at++) {
        if (c->length_max == 0 && strncmp(at, "(%n)", 4) == 0) {
            at += 3;
            continue;
        }
        if (*at != '%') {
            buf_put_char(sql, *at);
            continue;
        }
        at++;
        if (*at == 'n')
            buf_put_int(sql, c->length_max);
        else
            buf_put_int(sql, *at == 'p' ? precision : scale);
    }
}

void render_literal(struct statement *st, const struct column *c, const struct value *v)
{
    if (c->type == TYPE_BOOLEAN && v->kind == VALUE_INTEGER) {
        buf_put_str(&st->sql, v->integer ? STR("TRUE") : STR("FALSE"));
        return;
    }
    switch (v->kind) {
    case VALUE_NULL:
        buf_put_lit(&st->sql, "NULL");
        break;
    case VALUE_INTEGER:
        buf_put_int(&st->sql, v->integer);
        break;
    case VALUE_REAL:
        buf_printf(&st->sql, "%.17g", v->real);
        break;
    case VALUE_TEXT:
        st->invalid |= v->text.len && memchr(v->text.at, '\0', v->text.len) != NULL;
        buf_put_char(&st->sql, '\'');
        for (size_t i = 0; i < v->text.len; i++) {
            if (v->text.at[i] == '\'')
                buf_put_char(&st->sql, '\'');
            buf_put_char(&st->sql, v->text.at[i]);
        }
        buf_put_char(&st->sql, '\'');
        break;
    }
}

void render_reference(struct statement *st, const struct reference *reference)
{
    buf_put_lit(&st->sql, " REFERENCES ");
    statement_put_name(st, reference->table);
    if (reference->column.len) {
        buf_put_char(&st->sql, '(');
        statement_put_name(st, reference->column);
        buf_put_char(&st->sql, ')');
    }
    buf_put_lit(&st->sql, " ON DELETE ");
    buf_put_str(&st->sql, str_of(reference_action_name(reference->on_delete)));
}

static void render_unique(struct statement *st, const struct column *c);

void render_column(struct statement *st, const struct column *c)
{
    bool is_key = c->index == st->shape->key;
    statement_put_name(st, c->name);
    buf_put_char(&st->sql, ' ');
    const char *key = is_key ? st->dialect->key_declaration(c) : NULL;
    if (key) {
        buf_put_str(&st->sql, str_of(key));
    } else {
        render_declaration(st, c);
        if (is_key || !c->nullable)
            buf_put_lit(&st->sql, " NOT NULL");
        if (is_key)
            buf_put_lit(&st->sql, " PRIMARY KEY");
        else if (c->unique)
            render_unique(st, c);
    }
    if (!value_is_null(&c->default_value)) {
        buf_put_lit(&st->sql, " DEFAULT ");
        render_literal(st, c, &c->default_value);
    }
    if (c->reference && !st->dialect->later_references)
        render_reference(st, c->reference);
}

void render_create_table(struct statement *st, struct str name)
{
    st->once = true;
    buf_put_lit(&st->sql, "CREATE TABLE ");
    statement_put_name(st, name);
    for (size_t i = 0; i < st->shape->count; i++) {
        buf_put_str(&st->sql, i == 0 ? STR(" (") : STR(", "));
        render_column(st, &st->shape->columns[i]);
    }
    buf_put_char(&st->sql, ')');
}

/* References are indexed too: deleting a row over there looks for its referrers here. JSON is not:
 * nothing compares with it, and PostgreSQL has no order for it. */
bool column_has_index(const struct column *c)
{
    if (c->type == TYPE_JSON)
        return false;
    return (c->indexed || c->reference) && !c->unique && !c->primary_key;
}

static void render_unique(struct statement *st, const struct column *c)
{
    buf_put_lit(&st->sql, " CONSTRAINT ");
    render_index_name(st, c);
    buf_put_lit(&st->sql, " UNIQUE");
}

void shorten_name(struct buf *name)
{
    char digest[SHA256_HEX_SIZE];
    if (name->len <= STORE_NAME_MAX)
        return;
    text_sha256_hex(buf_str(name), digest);
    buf_clear(name);
    buf_printf(name, "rowcast.%.32s", digest);
}

/* Names of indexes are shared by all tables; the point keeps "a_b"."c" and "a"."b_c" apart. */
void index_name(const struct shape *shape, const struct column *c, struct buf *name_out)
{
    buf_clear(name_out);
    buf_put_str(name_out, shape->name);
    buf_put_char(name_out, '.');
    buf_put_str(name_out, c->name);
    shorten_name(name_out);
}

void render_index_name(struct statement *st, const struct column *c)
{
    struct buf name;
    buf_init(&name, SIZE_MAX);
    index_name(st->shape, c, &name);
    statement_put_name(st, buf_str(&name));
    buf_deinit(&name);
}

void render_create_index(struct statement *st, const struct column *c)
{
    st->once = true;
    buf_put_lit(&st->sql, "CREATE INDEX ");
    render_index_name(st, c);
    buf_put_lit(&st->sql, " ON ");
    statement_put_name(st, st->shape->name);
    buf_put_char(&st->sql, '(');
    statement_put_name(st, c->name);
    if (c->nullable) /* in the order that lists are asked for */
        buf_put_str(&st->sql, str_of(st->dialect->ascending));
    buf_put_char(&st->sql, ')');
}
