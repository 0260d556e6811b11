#include "base/mem.h"
#include "store/sqlite.h"

/*
 * Changing a table. SQLite can append a plain column; every other change makes a new table, copies
 * the rows and lets it take the old one's name (sqlite.org/lang_altertable.html, section 7). The
 * references of other tables are by name and so hold. store.c has put a savepoint around all this.
 */

#define REBUILD_NAME STR("rowcast_rebuild")

/* The same to SQL, but for an index of its own. */
static bool column_same(const struct column *a, const struct column *b)
{
    return str_equal(a->name, b->name) && column_same_type(a, b) && a->nullable == b->nullable &&
           a->unique == b->unique && a->auto_increment == b->auto_increment &&
           column_same_default(a, b) && column_same_reference(a, b);
}

static bool can_append(const struct column *c)
{
    return c->nullable && !c->unique && !c->reference && value_is_null(&c->default_value);
}

static bool only_appends(const struct shape *before, const struct shape *after,
                         const struct str *from)
{
    if (after->count < before->count || after->key != before->key)
        return false;
    for (size_t i = 0; i < before->count; i++)
        if (!str_equal(from[i], before->columns[i].name) ||
            !column_same(&before->columns[i], &after->columns[i]))
            return false;
    for (size_t i = before->count; i < after->count; i++)
        if (from[i].at || !can_append(&after->columns[i]))
            return false;
    return true;
}

/* ---- appending ---- */

static int append_column(struct store *s, const struct shape *after, const struct column *c)
{
    struct statement *st = store_statement(s, after, 0);
    st->once = true;
    buf_put_lit(&st->sql, "ALTER TABLE ");
    statement_put_name(st, after->name);
    buf_put_lit(&st->sql, " ADD COLUMN ");
    render_column(st, c);
    return store_run(s, NULL, NULL);
}

static int create_index(struct store *s, const struct shape *shape, const struct column *c)
{
    render_create_index(store_statement(s, shape, 0), c);
    return store_run(s, NULL, NULL);
}

static int drop_index(struct store *s, const struct shape *shape, const struct column *c)
{
    struct statement *st = store_statement(s, shape, 0);
    st->once = true;
    buf_put_lit(&st->sql, "DROP INDEX ");
    render_index_name(st, c);
    return store_run(s, NULL, NULL);
}

static int append_columns(struct store *s, const struct shape *before, const struct shape *after)
{
    int rc = 0;
    for (size_t i = before->count; i < after->count && rc == 0; i++)
        rc = append_column(s, after, &after->columns[i]);
    for (size_t i = 0; i < after->count && rc == 0; i++) {
        bool had = i < before->count && column_has_index(&before->columns[i]);
        bool has = column_has_index(&after->columns[i]);
        if (has && !had)
            rc = create_index(s, after, &after->columns[i]);
        else if (had && !has)
            rc = drop_index(s, before, &before->columns[i]);
    }
    return rc;
}

/* ---- rebuilding ---- */

/* A new key that counts by itself is left to do so. */
static bool is_copied(const struct shape *after, const struct column *const *from, size_t i)
{
    return from[i] || !(i == after->key && after->columns[i].auto_increment);
}

static void put_source(struct statement *st, const struct column *to, const struct column *from)
{
    if (!from) {
        statement_put_bind(st, to, to->default_value);
    } else if (column_same_type(from, to)) {
        statement_put_name(st, from->name);
    } else {
        buf_put_lit(&st->sql, "rowcast_convert(");
        statement_put_name(st, from->name);
        buf_printf(&st->sql, ", %u)", to->index);
    }
}

static int copy_rows(struct store *s, const struct shape *before, const struct shape *after,
                     const struct column *const *from)
{
    struct statement *st = store_statement(s, after, 0);
    const char *separator = " (";
    st->once = true;
    buf_put_lit(&st->sql, "INSERT INTO ");
    statement_put_name(st, REBUILD_NAME);
    for (size_t i = 0; i < after->count; i++) {
        if (!is_copied(after, from, i))
            continue;
        buf_put_str(&st->sql, str_of(separator));
        statement_put_name(st, after->columns[i].name);
        separator = ",";
    }
    separator = ") SELECT ";
    for (size_t i = 0; i < after->count; i++) {
        if (!is_copied(after, from, i))
            continue;
        buf_put_str(&st->sql, str_of(separator));
        put_source(st, &after->columns[i], from[i]);
        separator = ",";
    }
    buf_put_lit(&st->sql, " FROM ");
    statement_put_name(st, before->name);

    struct sqlite_conversion *conversion = &sqlite_of(s)->conversion;
    *conversion = (struct sqlite_conversion){.after = after, .from = from};
    int rc = store_run(s, NULL, NULL);
    const struct column *failed = conversion->failed;
    *conversion = (struct sqlite_conversion){0};
    if (failed) {
        store_set_detail(s, after->name, failed->name);
        return STORE_RANGE;
    }
    return rc;
}

/* Keys that were given once are not given again, even if their rows are gone. */
static int keep_sequence(struct store *s, const struct shape *before, const struct shape *after)
{
    if (!before->columns[before->key].auto_increment || !after->columns[after->key].auto_increment)
        return 0;
    int rc = store_execute(s, STR("DELETE FROM sqlite_sequence WHERE name = 'rowcast_rebuild'"));
    if (rc)
        return rc;
    static const struct column name = {.name = {"name", 4}, .type = TYPE_TEXT};
    struct statement *st = store_statement(s, NULL, 0);
    buf_put_lit(&st->sql, "INSERT INTO sqlite_sequence (name, seq) "
                          "SELECT 'rowcast_rebuild', seq FROM sqlite_sequence WHERE name = ");
    statement_put_bind(st, &name, value_text(before->name));
    return store_run(s, NULL, NULL);
}

int sqlite_drop_table(struct store *s, struct str name)
{
    struct statement *st = store_statement(s, NULL, 0);
    st->once = true;
    buf_put_lit(&st->sql, "DROP TABLE ");
    statement_put_name(st, name);
    return store_run(s, NULL, NULL);
}

static int rename_rebuilt(struct store *s, const struct shape *after)
{
    struct statement *st = store_statement(s, after, 0);
    st->once = true;
    buf_put_lit(&st->sql, "ALTER TABLE ");
    statement_put_name(st, REBUILD_NAME);
    buf_put_lit(&st->sql, " RENAME TO ");
    statement_put_name(st, after->name);
    return store_run(s, NULL, NULL);
}

static int rebuild(struct store *s, const struct shape *before, const struct shape *after,
                   const struct column *const *from)
{
    render_create_table(store_statement(s, after, 0), REBUILD_NAME);
    int rc = store_run(s, NULL, NULL);
    if (rc == 0) {
        rc = copy_rows(s, before, after, from);
        /* SQLite names the table that it writes to; to the caller that is this one. */
        if (rc > 0)
            store_set_detail(s, after->name, s->detail.column);
    }
    if (rc == 0)
        rc = keep_sequence(s, before, after);
    if (rc == 0)
        rc = sqlite_drop_table(s, before->name);
    if (rc == 0)
        rc = rename_rebuilt(s, after);
    for (size_t i = 0; i < after->count && rc == 0; i++)
        if (column_has_index(&after->columns[i]))
            rc = create_index(s, after, &after->columns[i]);
    return rc;
}

int sqlite_alter_table(struct store *s, const struct shape *before, const struct shape *after,
                       const struct str *from)
{
    if (only_appends(before, after, from))
        return append_columns(s, before, after);
    const struct column **sources = alter_sources(before, after, from);
    int rc = rebuild(s, before, after, sources);
    mem_free(sources);
    return rc;
}
