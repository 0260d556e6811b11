#include "store/postgres.h"

/*
 * Tables and their references.
 *
 * PostgreSQL wants a reference's table to be there when the reference is made, and its rows to hold
 * at once. So a schema transaction puts references off and makes them as it commits. Which ones, it
 * notes in a setting of the transaction: that is undone by a rollback, to a savepoint too, together
 * with the tables that it speaks of. The setting is an object of JSON: the constraint's name, and
 * [table, column, table referred to, column there, action].
 *
 * A table is dropped from under references of other tables: they are put off too, and hold again
 * where a table of that name is there at commit. Where none is, the commit is STORE_FOREIGN_KEY;
 * SQLite lets it pass if only nulls refer to it, and fails at the next row.
 */

#define SETTING "'rowcast.references'"
#define PUT_OFF "coalesce(nullif(current_setting(" SETTING ", true), ''), '{}')::jsonb"

static const struct column text_column = {.name = {"text", 4}, .type = TYPE_TEXT};
static const struct column number_column = {.name = {"number", 6}, .type = TYPE_BIG_INTEGER};
static const struct output number_output = {&number_column, NULL};

/* A name as a value. */
static void put_text(struct statement *st, struct str text)
{
    st->invalid |= text.len && memchr(text.at, '\0', text.len) != NULL;
    statement_put_bind(st, &text_column, value_text(text));
}

static int take_number(void *context, const struct value *row)
{
    *(int64_t *)context = row[0].integer;
    return 0;
}

/* ---- tables ---- */

int postgres_table_exists(struct store *s, struct str name, bool *exists_out)
{
    int64_t count = 0;
    struct statement *st = store_statement(s, NULL, 0);
    buf_put_lit(&st->sql, "SELECT count(*) FROM pg_catalog.pg_class "
                          "WHERE relnamespace = to_regnamespace(quote_ident(current_schema())) "
                          "AND relkind IN ('r', 'p', 'v', 'm', 'f') "
                          "AND lower(relname::text COLLATE \"C\") = lower(");
    put_text(st, name);
    buf_put_lit(&st->sql, " COLLATE \"C\")");
    st->outputs = &number_output;
    st->output_count = 1;
    int rc = store_run(s, take_number, &count);
    if (rc == 0)
        *exists_out = count > 0;
    return rc;
}

/* What it refers to is forgotten with it. */
static int take_off_table(struct store *s, struct str table)
{
    struct statement *st = store_statement(s, NULL, 0);
    buf_put_lit(&st->sql, "SELECT set_config(" SETTING ", "
                          "(SELECT coalesce(jsonb_object_agg(key, value), '{}') "
                          "FROM jsonb_each(" PUT_OFF ") WHERE value->>0 <> ");
    put_text(st, table);
    buf_put_lit(&st->sql, ")::text, true)");
    return store_run(s, NULL, NULL);
}

int postgres_drop_table(struct store *s, struct str name)
{
    int rc = take_off_table(s, name);
    if (rc == 0)
        rc = postgres_release_referrers(s, name, STR_NULL);
    if (rc)
        return rc;
    struct statement *st = store_statement(s, NULL, 0);
    st->once = true;
    buf_put_lit(&st->sql, "DROP TABLE ");
    statement_put_name(st, name);
    return store_run(s, NULL, NULL);
}

/* ---- references that are put off ---- */

static void reference_name(struct str table, struct str column, struct buf *name_out)
{
    buf_clear(name_out);
    buf_put_str(name_out, table);
    buf_put_char(name_out, '.');
    buf_put_str(name_out, column);
    buf_put_lit(name_out, ".fkey");
    shorten_name(name_out);
}

static int put_off(struct store *s, struct str table, struct str column,
                   const struct reference *reference)
{
    struct buf name;
    buf_init(&name, SIZE_MAX);
    reference_name(table, column, &name);
    const struct str parts[] = {table, column, reference->table, reference->column,
                                str_of(reference_action_name(reference->on_delete))};
    struct statement *st = store_statement(s, NULL, 0);
    buf_put_lit(&st->sql, "SELECT set_config(" SETTING ", (" PUT_OFF " || jsonb_build_object(");
    put_text(st, buf_str(&name));
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        buf_put_str(&st->sql, i == 0 ? STR(", jsonb_build_array(") : STR(", "));
        put_text(st, parts[i].at ? parts[i] : STR(""));
    }
    buf_put_lit(&st->sql, ")))::text, true)");
    int rc = store_run(s, NULL, NULL);
    buf_deinit(&name);
    return rc;
}

int postgres_add_reference(struct store *s, const struct shape *shape, const struct column *c)
{
    return put_off(s, shape->name, c->name, c->reference);
}

static int take_off(struct store *s, struct str table, struct str column)
{
    struct buf name;
    buf_init(&name, SIZE_MAX);
    reference_name(table, column, &name);
    struct statement *st = store_statement(s, NULL, 0);
    buf_put_lit(&st->sql, "SELECT set_config(" SETTING ", (" PUT_OFF " - ");
    put_text(st, buf_str(&name));
    buf_put_lit(&st->sql, ")::text, true)");
    int rc = store_run(s, NULL, NULL);
    buf_deinit(&name);
    return rc;
}

/* ---- references that are there ---- */

int postgres_drop_constraint(struct store *s, struct str table, struct str name)
{
    struct statement *st = store_statement(s, NULL, 0);
    st->once = true;
    buf_put_lit(&st->sql, "ALTER TABLE ");
    statement_put_name(st, table);
    buf_put_lit(&st->sql, " DROP CONSTRAINT ");
    statement_put_name(st, name);
    return store_run(s, NULL, NULL);
}

/* References as rows: constraint, table, column, table referred to, column there, action. */
enum { REFERENCE_PARTS = 6 };
static const struct output reference_outputs[REFERENCE_PARTS] = {
    {&text_column, NULL}, {&text_column, NULL}, {&text_column, NULL},
    {&text_column, NULL}, {&text_column, NULL}, {&text_column, NULL},
};

struct found {
    struct str constraint, table, column;
    struct reference reference;
    struct found *next;
};

struct found_list {
    struct arena *arena;
    struct found *first, **last;
};

static int keep_reference(void *context, const struct value *row)
{
    struct found_list *list = context;
    struct found *found = ARENA_NEW(list->arena, struct found);
    struct str *const texts[] = {&found->constraint, &found->table, &found->column,
                                 &found->reference.table, &found->reference.column};
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        *texts[i] = arena_str(list->arena, row[i].text);
    reference_action_find(row[COUNT_OF(texts)].text, &found->reference.on_delete);
    *list->last = found;
    list->last = &found->next;
    return 0;
}

static int find_references(struct store *s, struct found_list *list)
{
    s->statement.outputs = reference_outputs;
    s->statement.output_count = REFERENCE_PARTS;
    list->last = &list->first;
    return store_run(s, keep_reference, list);
}

#define REFERENCES_OF_ONE_COLUMN                                                                   \
    "SELECT k.conname::text, c.relname::text, a.attname::text, o.relname::text, b.attname::text, " \
    "CASE k.confdeltype WHEN 'r' THEN 'RESTRICT' WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL'" \
    " WHEN 'd' THEN 'SET DEFAULT' ELSE 'NO ACTION' END "                                           \
    "FROM pg_catalog.pg_constraint k "                                                             \
    "JOIN pg_catalog.pg_class c ON c.oid = k.conrelid "                                            \
    "JOIN pg_catalog.pg_class o ON o.oid = k.confrelid "                                           \
    "JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1] "        \
    "JOIN pg_catalog.pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = k.confkey[1] "      \
    "WHERE k.contype = 'f' AND cardinality(k.conkey) = 1 AND pg_table_is_visible(c.oid) "

int postgres_release_referrers(struct store *s, struct str table, struct str column)
{
    AUTO(arena_free) struct arena *arena = arena_new();
    struct found_list list = {.arena = arena};
    struct statement *st = store_statement(s, NULL, 0);
    buf_put_lit(&st->sql, REFERENCES_OF_ONE_COLUMN "AND k.confrelid = to_regclass(quote_ident(");
    put_text(st, table);
    buf_put_lit(&st->sql, "))");
    if (column.at) {
        buf_put_lit(&st->sql, " AND b.attname = ");
        put_text(st, column);
    } else { /* its own go with it */
        buf_put_lit(&st->sql, " AND k.conrelid <> k.confrelid");
    }
    int rc = find_references(s, &list);
    for (struct found *found = list.first; found && rc == 0; found = found->next) {
        rc = postgres_drop_constraint(s, found->table, found->constraint);
        if (rc == 0)
            rc = put_off(s, found->table, found->column, &found->reference);
    }
    return rc;
}

int postgres_release_reference(struct store *s, const struct shape *shape, const struct column *c)
{
    AUTO(arena_free) struct arena *arena = arena_new();
    struct found_list list = {.arena = arena};
    int rc = take_off(s, shape->name, c->name);
    if (rc)
        return rc;
    struct statement *st = store_statement(s, NULL, 0);
    buf_put_lit(&st->sql, REFERENCES_OF_ONE_COLUMN "AND k.conrelid = to_regclass(quote_ident(");
    put_text(st, shape->name);
    buf_put_lit(&st->sql, ")) AND a.attname = ");
    put_text(st, c->name);
    rc = find_references(s, &list);
    for (struct found *found = list.first; found && rc == 0; found = found->next)
        rc = postgres_drop_constraint(s, found->table, found->constraint);
    return rc;
}

/* ---- making them ---- */

static int make_reference(struct store *s, const struct found *found)
{
    struct buf name;
    buf_init(&name, SIZE_MAX);
    reference_name(found->table, found->column, &name);
    struct statement *st = store_statement(s, NULL, 0);
    st->once = true;
    buf_put_lit(&st->sql, "ALTER TABLE ");
    statement_put_name(st, found->table);
    buf_put_lit(&st->sql, " ADD CONSTRAINT ");
    statement_put_name(st, buf_str(&name));
    buf_deinit(&name);
    buf_put_lit(&st->sql, " FOREIGN KEY (");
    statement_put_name(st, found->column);
    buf_put_char(&st->sql, ')');
    render_reference(st, &found->reference);
    buf_put_lit(&st->sql, " DEFERRABLE"); /* store_delete() does so */
    int rc = store_run(s, NULL, NULL);
    if (rc > 0)
        store_set_detail(s, found->table, found->column);
    return rc;
}

int postgres_make_references(struct postgres *p)
{
    AUTO(arena_free) struct arena *arena = arena_new();
    struct found_list list = {.arena = arena};
    struct store *s = &p->store;
    struct statement *st = store_statement(s, NULL, 0);
    buf_put_lit(&st->sql, "SELECT key, value->>0, value->>1, value->>2, value->>3, value->>4 "
                          "FROM jsonb_each(" PUT_OFF ")");
    int rc = find_references(s, &list);
    p->referring = true;
    for (struct found *found = list.first; found && rc == 0; found = found->next)
        rc = make_reference(s, found);
    p->referring = false;
    return rc;
}
