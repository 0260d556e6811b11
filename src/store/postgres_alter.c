#include <errno.h>

#include "base/fault.h"
#include "base/mem.h"
#include "store/postgres.h"

/*
 * Changing a table, column by column; store.c has put a savepoint around it.
 *
 * What cannot stay as it is goes first: references, constraints and indexes, which are named after
 * their column. Then values are converted while all columns still have their old names, columns are
 * dropped, renamed and added, and at last what the table is to have is made.
 *
 * A value is converted by type_convert(), as on SQLite: into a new column, which then takes the old
 * one's name. Between types that hold any text there is nothing to convert but the declaration.
 */

struct alteration {
    struct store *s;
    const struct shape *before, *after;
    const struct column *const *from; /* by column of `after`; NULL: new */
};

/* ---- what becomes of a column ---- */

static bool holds_any_text(const struct column *c)
{
    return c->type == TYPE_STRING || c->type == TYPE_TEXT || c->type == TYPE_CSV ||
           c->type == TYPE_HASH;
}

static bool is_converted(const struct column *from, const struct column *to)
{
    return from && !column_same_type(from, to) && !(holds_any_text(from) && holds_any_text(to));
}

static bool is_renamed(const struct column *from, const struct column *to)
{
    return from && !str_equal(from->name, to->name);
}

/* What bears the column's name may stay. */
static bool stays(const struct column *from, const struct column *to)
{
    return from && to && !is_converted(from, to) && !is_renamed(from, to);
}

static bool is_key(const struct shape *shape, const struct column *c)
{
    return c->index == shape->key;
}

static bool is_unique(const struct shape *shape, const struct column *c)
{
    return c->unique && !is_key(shape, c);
}

static const struct column *successor(const struct alteration *a, const struct column *c)
{
    for (size_t i = 0; i < a->after->count; i++)
        if (a->from[i] == c)
            return &a->after->columns[i];
    return NULL;
}

/* The model allows no more; PostgreSQL would ask for all that refers to the key to change too. */
static int check_key(const struct alteration *a)
{
    const struct column *to = &a->after->columns[a->after->key], *from = a->from[a->after->key];
    if (from && is_key(a->before, from) && !is_converted(from, to) &&
        from->auto_increment == to->auto_increment)
        return 0;
    return FAULT_BECAUSE(ENOTSUP, "the key of table %.*s cannot be another",
                         STR_ARG(a->after->name));
}

static struct statement *alter(const struct alteration *a, const char *words, struct str name)
{
    struct statement *st = store_statement(a->s, a->after, 0);
    st->once = true;
    buf_put_lit(&st->sql, "ALTER TABLE ");
    statement_put_name(st, a->after->name);
    buf_put_str(&st->sql, str_of(words));
    statement_put_name(st, name);
    buf_put_char(&st->sql, ' ');
    return st;
}

static int run(const struct alteration *a)
{
    return store_run(a->s, NULL, NULL);
}

/* ---- what goes first ---- */

static int drop_unique(const struct alteration *a, const struct column *c)
{
    struct buf name;
    int rc = postgres_release_referrers(a->s, a->before->name, c->name);
    if (rc)
        return rc;
    buf_init(&name, SIZE_MAX);
    index_name(a->before, c, &name);
    rc = postgres_drop_constraint(a->s, a->before->name, buf_str(&name));
    buf_deinit(&name);
    return rc;
}

static int drop_index(const struct alteration *a, const struct column *c)
{
    struct statement *st = store_statement(a->s, a->before, 0);
    st->once = true;
    buf_put_lit(&st->sql, "DROP INDEX ");
    render_index_name(st, c);
    return run(a);
}

static int release_column(const struct alteration *a, const struct column *c)
{
    const struct column *to = successor(a, c);
    bool stay = stays(c, to);
    int rc = 0;
    if (c->reference && !(stay && column_same_reference(c, to)))
        rc = postgres_release_reference(a->s, a->before, c);
    if (rc == 0 && is_unique(a->before, c) && !(stay && is_unique(a->after, to)))
        rc = drop_unique(a, c);
    if (rc == 0 && column_has_index(c) && !(stay && column_has_index(to)))
        rc = drop_index(a, c);
    return rc;
}

/* ---- conversion ---- */

enum { BATCH_FIRST = 100, BATCH_ROWS = 500, BATCH_SIZE_MAX = 4 * 1024 * 1024 };
enum { PARAMETERS_MAX = 65535 }; /* of a statement */

struct conversion {
    const struct column *from, *to;
    struct str made; /* the name of the new column meanwhile */
};

struct batch {
    struct arena *arena;
    const struct conversion *conversions;
    size_t count;                   /* of conversions */
    size_t limit;                   /* so many rows are asked for */
    struct value *rows[BATCH_ROWS]; /* the key, and the converted values */
    size_t row_count, rows_read;
    struct value last_key;
    bool full;                   /* its values are large: fewer rows will do */
    const struct column *failed; /* a value does not fit it */
};

/* Null stays null, which the new column is already. Not 0 ends the batch. */
static int convert_row(void *context, const struct value *row)
{
    struct batch *batch = context;
    struct value *converted = ARENA_ARRAY(batch->arena, struct value, batch->count + 1);
    bool blank = true;
    batch->rows_read++;
    batch->last_key = converted[0] = value_copy(batch->arena, &row[0]);
    for (size_t i = 0; i < batch->count; i++) {
        const struct conversion *c = &batch->conversions[i];
        if (type_convert(c->from, c->to, &row[i + 1], batch->arena, &converted[i + 1]) != 0) {
            batch->failed = c->to;
            return 1;
        }
        blank &= value_is_null(&converted[i + 1]);
    }
    if (!blank)
        batch->rows[batch->row_count++] = converted;
    batch->full = arena_bytes(batch->arena) > BATCH_SIZE_MAX;
    return batch->full;
}

/* The rows that come after a key; NULL: the first. */
static int read_batch(const struct alteration *a, struct batch *batch, const struct value *after)
{
    const struct column *key = &a->before->columns[a->before->key];
    struct output *outputs = ARENA_ARRAY(batch->arena, struct output, batch->count + 1);
    outputs[0].column = key;
    for (size_t i = 0; i < batch->count; i++)
        outputs[i + 1].column = batch->conversions[i].from;
    const struct select select = {
        .shape = a->before,
        .outputs = outputs,
        .output_count = batch->count + 1,
        .where = after ? expr_test(batch->arena, key, OP_GT, after, 1) : NULL,
        .limit = (int64_t)batch->limit,
    };
    struct statement *st = store_statement(a->s, a->before, 0);
    render_select(st, &select);
    st->unbounded = true; /* their number is bounded, and their size is not */
    int rc = store_run(a->s, convert_row, batch);
    if (batch->failed) {
        store_set_detail(a->s, a->after->name, batch->failed->name);
        return STORE_RANGE;
    }
    return batch->full && rc > 0 ? 0 : rc;
}

static int write_batch(const struct alteration *a, const struct batch *batch)
{
    const struct column *key = &a->before->columns[a->before->key];
    struct statement *st = store_statement(a->s, a->before, 0);
    st->once = true;
    buf_put_lit(&st->sql, "UPDATE ");
    statement_put_name(st, a->before->name);
    for (size_t i = 0; i < batch->count; i++) {
        buf_put_str(&st->sql, i == 0 ? STR(" SET ") : STR(", "));
        statement_put_name(st, batch->conversions[i].made);
        buf_printf(&st->sql, " = rowcast_change.v%zu", i + 1);
    }
    for (size_t row = 0; row < batch->row_count; row++) {
        buf_put_str(&st->sql, row == 0 ? STR(" FROM (VALUES (") : STR("), ("));
        statement_put_bind(st, key, batch->rows[row][0]);
        for (size_t i = 0; i < batch->count; i++) {
            buf_put_char(&st->sql, ',');
            statement_put_bind(st, batch->conversions[i].to, batch->rows[row][i + 1]);
        }
    }
    buf_put_lit(&st->sql, ")) AS rowcast_change (v0");
    for (size_t i = 0; i < batch->count; i++)
        buf_printf(&st->sql, ", v%zu", i + 1);
    buf_put_lit(&st->sql, ") WHERE rowcast_change.v0 = ");
    statement_put_name(st, a->before->name);
    buf_put_char(&st->sql, '.');
    statement_put_name(st, key->name);
    return run(a);
}

static size_t next_limit(const struct batch *batch)
{
    size_t limit = batch->full ? batch->rows_read : batch->limit * 2;
    size_t limit_max = PARAMETERS_MAX / (batch->count + 1);
    if (limit_max > BATCH_ROWS)
        limit_max = BATCH_ROWS;
    return limit < limit_max ? limit : limit_max;
}

/* In the order of keys, so many rows at a time: a table may be larger than memory. */
static int convert_rows(const struct alteration *a, const struct conversion *conversions,
                        size_t count)
{
    struct batch *previous = NULL;
    size_t limit = BATCH_FIRST;
    bool more = true;
    int rc = 0;
    while (rc == 0 && more) {
        struct arena *arena = arena_new();
        struct batch *batch = ARENA_NEW(arena, struct batch);
        *batch = (struct batch){
            .arena = arena, .conversions = conversions, .count = count, .limit = limit};
        rc = read_batch(a, batch, previous ? &previous->last_key : NULL);
        if (rc == 0 && batch->row_count > 0)
            rc = write_batch(a, batch);
        more = batch->rows_read > 0;
        limit = next_limit(batch);
        if (previous)
            arena_free(previous->arena);
        previous = batch;
    }
    arena_free(previous->arena);
    return rc;
}

static struct str passing_name(struct arena *arena, size_t i)
{
    return arena_printf(arena, "rowcast_change_%zu", i);
}

static int add_passing(const struct alteration *a, const struct conversion *c)
{
    render_declaration(alter(a, " ADD COLUMN ", c->made), c->to);
    return run(a);
}

static int convert_columns(const struct alteration *a)
{
    AUTO(arena_free) struct arena *arena = arena_new();
    struct conversion *conversions = ARENA_ARRAY(arena, struct conversion, a->after->count);
    size_t count = 0;
    int rc = 0;
    for (size_t i = 0; i < a->after->count; i++)
        if (is_converted(a->from[i], &a->after->columns[i]))
            conversions[count++] =
                (struct conversion){a->from[i], &a->after->columns[i], passing_name(arena, i)};
    for (size_t i = 0; i < count && rc == 0; i++)
        rc = add_passing(a, &conversions[i]);
    return rc || count == 0 ? rc : convert_rows(a, conversions, count);
}

/* ---- names ---- */

static int drop_columns(const struct alteration *a)
{
    int rc = 0;
    for (size_t i = 0; i < a->before->count && rc == 0; i++) {
        const struct column *c = &a->before->columns[i], *to = successor(a, c);
        if (to && !is_converted(c, to))
            continue;
        alter(a, " DROP COLUMN ", c->name);
        rc = run(a);
    }
    return rc;
}

static int rename_column(const struct alteration *a, struct str from, struct str to)
{
    struct statement *st = alter(a, " RENAME COLUMN ", from);
    buf_put_lit(&st->sql, "TO ");
    statement_put_name(st, to);
    return run(a);
}

/* By way of passing names, since two columns may take each other's. */
static int rename_columns(const struct alteration *a)
{
    AUTO(arena_free) struct arena *arena = arena_new();
    const struct column *columns = a->after->columns;
    int rc = 0;
    for (size_t i = 0; i < a->after->count && rc == 0; i++)
        if (is_renamed(a->from[i], &columns[i]) && !is_converted(a->from[i], &columns[i]))
            rc = rename_column(a, a->from[i]->name, passing_name(arena, i));
    for (size_t i = 0; i < a->after->count && rc == 0; i++)
        if (is_renamed(a->from[i], &columns[i]) || is_converted(a->from[i], &columns[i]))
            rc = rename_column(a, passing_name(arena, i), columns[i].name);
    return rc;
}

/* With all but an index and a reference. */
static int add_column(const struct alteration *a, const struct column *c)
{
    struct statement *st = store_statement(a->s, a->after, 0);
    st->once = true;
    buf_put_lit(&st->sql, "ALTER TABLE ");
    statement_put_name(st, a->after->name);
    buf_put_lit(&st->sql, " ADD COLUMN ");
    render_column(st, c);
    return run(a);
}

/* ---- what a column is to have ---- */

static int take_longer(void *context, const struct value *row)
{
    (void)row;
    *(bool *)context = true;
    return 0;
}

/* Asked first: PostgreSQL would cut off blanks that are too many. */
static int check_length(const struct alteration *a, const struct column *c)
{
    static const struct column found = {.name = {"found", 5}, .type = TYPE_INTEGER};
    static const struct output output = {&found, NULL};
    bool longer = false;
    struct statement *st = store_statement(a->s, a->after, 0);
    st->once = true;
    st->outputs = &output;
    st->output_count = 1;
    buf_put_lit(&st->sql, "SELECT 1 FROM ");
    statement_put_name(st, a->after->name);
    buf_put_lit(&st->sql, " WHERE char_length(");
    statement_put_name(st, c->name);
    buf_printf(&st->sql, ") > %u LIMIT 1", c->length_max);
    int rc = store_run(a->s, take_longer, &longer);
    if (rc || !longer)
        return rc;
    store_set_detail(a->s, a->after->name, c->name);
    return STORE_RANGE;
}

static int set_text_type(const struct alteration *a, const struct column *c)
{
    int rc = c->length_max ? check_length(a, c) : 0;
    if (rc)
        return rc;
    struct statement *st = alter(a, " ALTER COLUMN ", c->name);
    buf_put_lit(&st->sql, "TYPE ");
    render_declaration(st, c);
    return run(a);
}

static int set_nullable(const struct alteration *a, const struct column *c)
{
    struct statement *st = alter(a, " ALTER COLUMN ", c->name);
    buf_put_str(&st->sql, c->nullable ? STR("DROP NOT NULL") : STR("SET NOT NULL"));
    return run(a);
}

static int set_default(const struct alteration *a, const struct column *c)
{
    struct statement *st = alter(a, " ALTER COLUMN ", c->name);
    if (value_is_null(&c->default_value)) {
        buf_put_lit(&st->sql, "DROP DEFAULT");
    } else {
        buf_put_lit(&st->sql, "SET DEFAULT ");
        render_literal(st, c, &c->default_value);
    }
    return run(a);
}

static int add_unique(const struct alteration *a, const struct column *c)
{
    struct buf name;
    buf_init(&name, SIZE_MAX);
    index_name(a->after, c, &name);
    struct statement *st = alter(a, " ADD CONSTRAINT ", buf_str(&name));
    buf_put_lit(&st->sql, "UNIQUE (");
    statement_put_name(st, c->name);
    buf_put_char(&st->sql, ')');
    buf_deinit(&name);
    return run(a);
}

/* A column that was there, in its place or converted. */
static int settle_column(const struct alteration *a, const struct column *from,
                         const struct column *to)
{
    /* What a new column for converted values has of itself. */
    static const struct column bare = {.nullable = true};
    const struct column *had = is_converted(from, to) ? &bare : from;
    bool key = is_key(a->after, to);
    int rc = 0;
    if (had == from && !column_same_type(from, to))
        rc = set_text_type(a, to);
    if (rc == 0 && !key && had->nullable != to->nullable)
        rc = set_nullable(a, to);
    if (rc == 0 && !column_same_default(had, to))
        rc = set_default(a, to);
    if (rc == 0 && is_unique(a->after, to) && !(stays(from, to) && is_unique(a->before, from)))
        rc = add_unique(a, to);
    return rc;
}

/* What bears the column's name and is not part of it. */
static int complete_column(const struct alteration *a, const struct column *from,
                           const struct column *to)
{
    bool stay = stays(from, to);
    int rc = 0;
    if (column_has_index(to) && !(stay && column_has_index(from))) {
        render_create_index(store_statement(a->s, a->after, 0), to);
        rc = run(a);
    }
    if (rc == 0 && to->reference && !(stay && column_same_reference(from, to)))
        rc = postgres_add_reference(a->s, a->after, to);
    return rc;
}

static int alter_columns(const struct alteration *a)
{
    int rc = check_key(a);
    for (size_t i = 0; i < a->before->count && rc == 0; i++)
        rc = release_column(a, &a->before->columns[i]);
    if (rc == 0)
        rc = convert_columns(a);
    if (rc == 0)
        rc = drop_columns(a);
    if (rc == 0)
        rc = rename_columns(a);
    for (size_t i = 0; i < a->after->count && rc == 0; i++) {
        const struct column *from = a->from[i], *to = &a->after->columns[i];
        rc = from ? settle_column(a, from, to) : add_column(a, to);
        if (rc == 0)
            rc = complete_column(a, from, to);
    }
    return rc;
}

int postgres_alter_table(struct store *s, const struct shape *before, const struct shape *after,
                         const struct str *from)
{
    const struct column **sources = alter_sources(before, after, from);
    const struct alteration a = {.s = s, .before = before, .after = after, .from = sources};
    int rc = alter_columns(&a);
    mem_free(sources);
    return rc;
}
