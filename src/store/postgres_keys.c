#include "base/mem.h"
#include "store/postgres.h"

/*
 * Keys that count by themselves: a sequence of PostgreSQL's each. In haste (STORE_HASTE) they are
 * counted here, so that nobody waits to hear which one a row got: who writes holds the journal's
 * lock, and nobody else gives keys meanwhile. The sequences follow when the transaction commits,
 * and what was counted for one that came to nothing is forgotten.
 */

static const struct column text_column = {.name = {"text", 4}, .type = TYPE_TEXT};
static const struct column number_column = {.name = {"number", 6}, .type = TYPE_BIG_INTEGER};
static const struct output number_output = {&number_column, NULL};

static void put_sequence(struct statement *st, struct str table, struct str column)
{
    buf_put_lit(&st->sql, "pg_get_serial_sequence(quote_ident(");
    statement_put_bind(st, &text_column, value_text(table));
    buf_put_lit(&st->sql, "), ");
    statement_put_bind(st, &text_column, value_text(column));
    buf_put_lit(&st->sql, ")::regclass");
}

static int take_number(void *context, const struct value *row)
{
    *(int64_t *)context = row[0].integer;
    return 0;
}

static struct str key_name(const struct shape *shape)
{
    return shape->columns[shape->key].name;
}

int postgres_last_key(struct store *s, const struct shape *shape, int64_t *key_out)
{
    int64_t key = 0;
    struct statement *st = store_statement(s, shape, 0);
    buf_put_lit(&st->sql, "SELECT coalesce(pg_sequence_last_value(");
    put_sequence(st, shape->name, key_name(shape));
    buf_put_lit(&st->sql, "), 0)");
    st->outputs = &number_output;
    st->output_count = 1;
    int rc = store_run(s, take_number, &key);
    if (rc == 0)
        *key_out = key;
    return rc;
}

static int raise_sequence(struct store *s, struct str table, struct str column, int64_t key)
{
    struct statement *st = store_statement(s, NULL, 0);
    buf_put_lit(&st->sql, "SELECT setval(sequence, key) FROM (SELECT ");
    put_sequence(st, table, column);
    buf_put_lit(&st->sql, " AS sequence, ");
    statement_put_bind(st, &number_column, value_integer(key));
    buf_put_lit(&st->sql,
                " AS key) AS given WHERE key > coalesce(pg_sequence_last_value(sequence), 0)");
    st->writes = true;
    st->unawaited = true;
    return store_run(s, NULL, NULL);
}

/* ---- counted here ---- */

struct postgres_counter {
    struct postgres_counter *next;
    int64_t last;
    bool moved; /* the sequence is to follow */
    struct str table, column;
};

void postgres_forget_counters(struct postgres *p)
{
    while (p->counters) {
        struct postgres_counter *c = p->counters;
        p->counters = c->next;
        mem_free(c);
    }
}

static struct postgres_counter *find_counter(const struct postgres *p, struct str table)
{
    struct postgres_counter *c = p->counters;
    while (c && !str_equal(c->table, table))
        c = c->next;
    return c;
}

static struct postgres_counter *add_counter(struct postgres *p, const struct shape *shape,
                                            int64_t last)
{
    struct str table = shape->name, column = key_name(shape);
    struct postgres_counter *c = mem_alloc(sizeof(*c) + table.len + column.len);
    char *text = (char *)(c + 1);
    memcpy(text, table.at, table.len);
    memcpy(text + table.len, column.at, column.len);
    c->last = last;
    c->table = (struct str){text, table.len};
    c->column = (struct str){text + table.len, column.len};
    c->next = p->counters;
    p->counters = c;
    return c;
}

int postgres_next_key(struct store *s, const struct shape *shape, int64_t *key_out)
{
    struct postgres *p = postgres_of(s);
    struct postgres_counter *c = find_counter(p, shape->name);
    if (!c) {
        int64_t last;
        int rc = postgres_last_key(s, shape, &last);
        if (rc)
            return rc;
        c = add_counter(p, shape, last);
    }
    if (c->last == INT64_MAX)
        return STORE_RANGE;
    c->moved = true;
    *key_out = ++c->last; /* one that the column cannot hold is refused there */
    return 0;
}

/* No key is given in between: who writes holds the journal's lock. */
int postgres_raise_last_key(struct store *s, const struct shape *shape, int64_t key)
{
    struct postgres_counter *c = find_counter(postgres_of(s), shape->name);
    if (!c)
        return raise_sequence(s, shape->name, key_name(shape), key);
    c->moved |= key > c->last;
    c->last = key > c->last ? key : c->last;
    return 0;
}

int postgres_keep_counters(struct postgres *p)
{
    int rc = 0;
    for (struct postgres_counter *c = p->counters; c && rc == 0; c = c->next) {
        if (c->moved)
            rc = raise_sequence(&p->store, c->table, c->column, c->last);
        c->moved = false;
    }
    return rc;
}
