#ifndef UNIT_MODEL_MAKING_H
#define UNIT_MODEL_MAKING_H

/*
 * Ann, her workspace and a database in it; requests that make and change tables and fields on her
 * behalf, and how a table looks then: its fields as "Name text* | Age number", its rows as
 * "1 Ann|30 / 2 Bob|". Bodies are JSON with ' for ".
 */

#include "unit/model/people.h"

#include "model/grid/fields.h"
#include "model/workspace/workspace.h"

static struct making_place {
    struct principal *ann, *eve; /* Eve is a member of nothing */
    int64_t workspace, database, other_database;
} place;

struct wanted {
    struct instance *in;
    int (*call)(struct tx *tx, struct wanted *w);
    int64_t id, target, made;
    const char *text;
    const json_t *body;
    const struct grid_draft *draft;
    const int64_t *ids;
    size_t count;
    bool with_data;
    struct grid_fields related;
};

static inline int want(struct tx *tx, void *context)
{
    struct wanted *w = context;
    return w->call(tx, w);
}

/* One write in a batch of its own, as tables are changed. */
static inline int ask_as(struct instance *in, const struct principal *as, struct wanted *w)
{
    struct tx tx = instance_tx(in, as);

    w->in = in;
    commit_unref(in->commit);
    in->commit = NULL;
    assert_int_equal(writer_begin(in->writer, WRITER_SCHEMA), 0);
    int rc = writer_run(in->writer, &tx, want, w, &in->commit);
    if (rc < 0)
        print_error("fault: %s\n", fault_text());
    if (rc != 0)
        writer_rollback(in->writer);
    return rc == 0 ? writer_commit(in->writer) : rc;
}

UNUSED static int64_t must(struct instance *in, struct wanted w)
{
    int rc = ask_as(in, place.ann, &w);
    if (rc != 0)
        fail_msg("%d: problem %d, %.*s %.*s", rc, in->problem.kind, STR_ARG(in->problem.reason),
                 STR_ARG(in->problem.violations ? in->problem.violations->substring : STR("")));
    return w.made;
}

#define WANT(...) must(in, (struct wanted){__VA_ARGS__})
#define assert_refused_as(in, who, word, ...)                                                      \
    do {                                                                                           \
        struct wanted wanted_ = {__VA_ARGS__};                                                     \
        assert_int_equal(ask_as((in), (who), &wanted_), REFUSED);                                  \
        assert_str((in)->problem.reason, (word));                                                  \
        assert_int_equal((in)->problem.kind, PROBLEM_UNPROCESSABLE);                               \
    } while (0)
#define assert_refused(in, word, ...) assert_refused_as((in), place.ann, word, __VA_ARGS__)

/* ---- calls ---- */

#define WANTED_CALL(name, expression)                                                              \
    UNUSED static int name(struct tx *tx, struct wanted *w)                                        \
    {                                                                                              \
        return expression;                                                                         \
    }

WANTED_CALL(table_create, grid_table_create(tx, w->id, w->draft, &w->made))
WANTED_CALL(table_rename, grid_table_rename(tx, w->id, str_of(w->text)))
WANTED_CALL(table_reorder, grid_table_reorder(tx, w->id, w->ids, w->count))
WANTED_CALL(table_delete, grid_table_delete(tx, w->id))
WANTED_CALL(table_duplicate, grid_table_duplicate(tx, w->id, str_of(w->text), &w->made))
WANTED_CALL(field_create, grid_field_create(tx, w->id, w->body, &w->made, &w->related))
WANTED_CALL(field_update, grid_field_update(tx, w->id, w->body, &w->related))
WANTED_CALL(field_delete, grid_field_delete(tx, w->id, &w->related))
WANTED_CALL(field_duplicate, grid_field_duplicate(tx, w->id, w->with_data, &w->made))
WANTED_CALL(make_primary, grid_field_make_primary(tx, w->id, w->target, &w->related))

/* ---- short forms ---- */

/* A table of fields of text; `rows`: an array of arrays. */
UNUSED static int64_t table(struct instance *in, const char *name, const char *fields,
                            const char *rows)
{
    const json_t *list = quoted(in, fields);
    struct str names[16];
    struct grid_draft draft = {.name = str_of(name),
                               .fields = names,
                               .field_count = json_array_size(list),
                               .rows = quoted(in, rows)};

    for (size_t i = 0; i < draft.field_count; i++)
        names[i] = json_str(json_array_get(list, i));
    return WANT(.call = table_create, .id = place.database, .draft = &draft);
}

UNUSED static int64_t add(struct instance *in, int64_t to, const char *body)
{
    return WANT(.call = field_create, .id = to, .body = quoted(in, body));
}

UNUSED static void change(struct instance *in, int64_t id, const char *body)
{
    WANT(.call = field_update, .id = id, .body = quoted(in, body));
}

/* Lives until the test's end. */
static inline void drop_catalogue(void *c)
{
    catalogue_unref(c);
}

UNUSED static const struct catalogue *now(struct instance *in)
{
    struct catalogue *c = model_catalogue(in->model);
    arena_on_free(in->arena, drop_catalogue, c);
    return c;
}

UNUSED static int64_t field(struct instance *in, int64_t of, const char *name)
{
    const struct grid_table *t = grid_table(now(in), of);
    const struct grid_field *f = grid_table_field_named(t, str_of(name));
    assert_non_null(f);
    return f->id;
}

UNUSED static const char *fields(struct instance *in, int64_t of)
{
    const struct grid_table *t = grid_table(now(in), of);
    struct buf b;

    buf_init(&b, SIZE_MAX);
    for (size_t i = 0; i < t->field_count; i++)
        buf_printf(&b, "%s%.*s %s%s", i > 0 ? " | " : "", STR_ARG(t->fields[i].name),
                   t->fields[i].kind->name, t->fields[i].primary ? "*" : "");
    const char *text = arena_z(in->arena, buf_str(&b));
    buf_deinit(&b);
    return text;
}

struct looking_at {
    struct instance *in;
    int64_t table;
    const char *text;
};

static inline int read_rows(struct tx *tx, void *context)
{
    struct looking_at *l = context;
    const struct grid_table *t = grid_table(tx->catalogue, l->table);
    const struct grid_query query = {.limit = 100};
    struct grid_rows rows;
    struct buf b;

    int rc = grid_rows_list(tx, t, &query, &rows);
    if (rc != 0)
        return rc;
    buf_init(&b, SIZE_MAX);
    for (size_t i = 0; i < rows.count; i++) {
        buf_printf(&b, "%s%d ", i > 0 ? " / " : "", (int)grid_row_id(t, rows.at[i]));
        for (size_t k = 0; k < t->field_count; k++) {
            const struct grid_field *f = &t->fields[k];
            if (k > 0)
                buf_put_char(&b, '|');
            if (f->link)
                links_put_text(&b, links_cell(rows.links, f, &rows.at[i][t->table->shape.key]));
            else
                kind_put_text(&b, f, &rows.at[i][f->column->index]);
        }
    }
    l->text = arena_z(l->in->arena, b.len > 0 ? buf_str(&b) : STR(""));
    buf_deinit(&b);
    return 0;
}

UNUSED static const char *rows(struct instance *in, int64_t of)
{
    struct looking_at l = {in, of, NULL};
    assert_int_equal(read_as(in, NULL, read_rows, &l), 0);
    return l.text;
}

#define assert_fields(table, expected) assert_string_equal(fields(in, (table)), (expected))
#define assert_rows(table, expected) assert_string_equal(rows(in, (table)), (expected))

/* Changes in the last commit of rows of a table; `which` of users' tables: all of them. */
UNUSED static size_t changes(struct instance *in, enum system_table which)
{
    size_t count = 0;
    for (size_t i = 0; in->commit && i < in->commit->count; i++)
        count += system_is(in->commit->changes[i]->table, which);
    return count;
}

UNUSED static size_t changes_of_rows(struct instance *in)
{
    size_t count = 0;
    for (size_t i = 0; in->commit && i < in->commit->count; i++)
        count += !in->commit->changes[i]->table->system;
    return count;
}

/* ---- writing rows ---- */

struct writing {
    struct instance *in;
    int64_t table, id;
    const char *json;
};

static inline int write_row(struct tx *tx, void *context)
{
    const struct writing *w = context;
    const struct grid_input input = {w->id, quoted(w->in, w->json)};
    const struct grid_inputs inputs = {&input, 1, true, false};
    const struct grid_table *t = grid_table(tx->catalogue, w->table);
    struct grid_rows rows;

    return w->id ? grid_rows_update(tx, t, &inputs, &rows)
                 : grid_rows_create(tx, t, &inputs, 0, &rows);
}

UNUSED static int put(struct instance *in, int64_t of, int64_t id, const char *json)
{
    struct writing w = {in, of, id, json};
    return write_as(in, place.ann, write_row, &w);
}

/* ---- the place ---- */

static inline int make_place(struct tx *tx, struct wanted *w)
{
    const struct registration ann = {
        .name = STR("Ann"), .email = STR("ann@example.com"), .hash = STR("$argon2id$a-hash")};
    const struct registration eve = {
        .name = STR("Eve"), .email = STR("eve@example.com"), .hash = STR("$argon2id$a-hash")};
    struct account account;

    int rc = account_register(tx, &ann, &account);
    if (rc == 0)
        w->text = arena_z(w->in->arena, account.user);
    if (rc == 0)
        rc = account_register(tx, &eve, &account);
    if (rc == 0)
        w->body = json_of(w->in, arena_z(w->in->arena, arena_printf(w->in->arena, "\"%.*s\"",
                                                                    STR_ARG(account.user))));
    return rc;
}

static inline int make_databases(struct tx *tx, struct wanted *w)
{
    int rc = workspace_create(tx, STR("Team"), &place.workspace);
    (void)w;
    if (rc == 0)
        rc = application_create(tx, place.workspace, STR("Base"), APPLICATION_DATABASE,
                                &place.database);
    return rc == 0 ? application_create(tx, place.workspace, STR("Other"), APPLICATION_DATABASE,
                                        &place.other_database)
                   : rc;
}

UNUSED static int making_setup(void **state)
{
    instance_setup(state);
    struct instance *in = *state;
    AUTO(catalogue_unref) struct catalogue *c = model_catalogue(in->model);
    AUTO(principal_unref) struct principal *system = principal_system(c);
    struct wanted people = {.call = make_place}, databases = {.call = make_databases};

    assert_int_equal(ask_as(in, system, &people), 0);
    place.ann = principal_by_id(in, str_of(people.text));
    place.eve = principal_by_id(in, json_str(people.body));
    assert_int_equal(ask_as(in, place.ann, &databases), 0);
    return 0;
}

UNUSED static int making_teardown(void **state)
{
    principal_unref(place.ann);
    principal_unref(place.eve);
    return instance_teardown(state);
}

#endif
