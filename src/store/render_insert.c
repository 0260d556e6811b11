#include "base/mem.h"
#include "store/driver.h"

/*
 * INSERT. Its text is the same for every row of a table, and long: it is rendered once, kept by the
 * table's name, and taken again as long as it says the same columns. Values are of the kinds of
 * their columns, so that no text depends on them.
 */

enum { INSERT_TEXTS_MAX = 256 };

struct insert_column {
    struct str name;
    enum type_id type;
    bool given;
};

struct insert_text {
    struct arena *arena; /* which it lies in */
    struct str sql;
    bool returning;
    size_t count;
    struct insert_column *columns;
};

/* ---- kept texts ---- */

static void forget(struct insert_text *text)
{
    if (text)
        arena_free(text->arena);
}

void insert_texts_forget(struct statement *st)
{
    void *text;

    for (size_t i = 0; map_next(&st->insert_texts, &i, NULL, &text);)
        forget(text);
    map_deinit(&st->insert_texts);
    map_init(&st->insert_texts);
}

static bool says(const struct insert_text *text, const struct shape *shape,
                 const struct value *const *values, bool returning)
{
    if (text->count != shape->count || text->returning != returning)
        return false;
    for (size_t i = 0; i < text->count; i++) {
        const struct insert_column *said = &text->columns[i];
        const struct column *c = &shape->columns[i];
        if (said->type != c->type || said->given != (values[i] != NULL) ||
            !str_equal(said->name, c->name))
            return false;
    }
    return true;
}

static void keep(struct statement *st, const struct value *const *values, bool returning)
{
    struct arena *a = arena_new();
    struct insert_text *text = ARENA_NEW(a, struct insert_text);

    *text = (struct insert_text){
        .arena = a,
        .sql = arena_str(a, buf_str(&st->sql)),
        .returning = returning,
        .count = st->shape->count,
        .columns = ARENA_ARRAY(a, struct insert_column, st->shape->count),
    };
    for (size_t i = 0; i < text->count; i++) {
        const struct column *c = &st->shape->columns[i];
        text->columns[i] =
            (struct insert_column){arena_str(a, c->name), c->type, values[i] != NULL};
    }
    if (st->insert_texts.count >= INSERT_TEXTS_MAX)
        insert_texts_forget(st);
    forget(map_put(&st->insert_texts, st->shape->name, text));
}

/* ---- rendering ---- */

static void render(struct statement *st, const struct value *const *values, bool returning)
{
    const struct column *columns = st->shape->columns;
    size_t told = 0;
    buf_put_lit(&st->sql, "INSERT INTO ");
    statement_put_name(st, st->shape->name);
    for (size_t i = 0; i < st->shape->count; i++) {
        if (!values[i])
            continue;
        buf_put_str(&st->sql, told++ == 0 ? STR(" (") : STR(","));
        statement_put_name(st, columns[i].name);
    }
    buf_put_str(&st->sql, told == 0 ? STR(" DEFAULT VALUES") : STR(") VALUES ("));
    for (size_t i = 0, bound = 0; i < st->shape->count; i++) {
        if (!values[i])
            continue;
        if (bound++ > 0)
            buf_put_char(&st->sql, ',');
        statement_put_bind(st, &columns[i], *values[i]);
    }
    if (told > 0)
        buf_put_char(&st->sql, ')');
    statement_put_returning(st, returning);
}

/* What render() does, with a text that is there. */
static void take(struct statement *st, const struct insert_text *text,
                 const struct value *const *values)
{
    buf_put_str(&st->sql, text->sql);
    for (size_t i = 0; i < text->count; i++)
        if (values[i])
            statement_bind(st, &st->shape->columns[i], USE_VALUE)->value = *values[i];
    st->output_count = text->returning ? text->count : 0;
}

void render_insert(struct statement *st, const struct value *const *values, bool returning)
{
    const struct insert_text *text = map_get(&st->insert_texts, st->shape->name);

    st->writes = true;
    if (text && says(text, st->shape, values, returning)) {
        take(st, text, values);
        return;
    }
    render(st, values, returning);
    if (!st->invalid && !st->sql.failed)
        keep(st, values, returning);
}
