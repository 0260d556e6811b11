#ifndef UNIT_MODEL_GRID_H
#define UNIT_MODEL_GRID_H

/*
 * Tables with links, and rows in them: people and their projects, through a table of links with a
 * field on both sides; friends, links of people to people; and each person's boss, a column.
 * Requests and answers are JSON with names of fields, written with ' for ".
 */

#include "unit/model/people.h"

#include "model/grid/rows.h"
#include "model/instance.h"
#include "model/items/records.h"

/* ---- the tables ---- */

static inline void make_junction(struct tx *tx, struct instance *in, const char *name,
                                 const char *near_table, const char *far_table)
{
    struct str collection, field;
    const char *sides[] = {"near", "far"}, *tables[] = {near_table, far_table};
    const struct value *row;

    json_t *body = json_of(
        in,
        arena_z(in->arena, arena_printf(in->arena,
                                        "{\"collection\":\"%s\",\"fields\":["
                                        "{\"field\":\"near\",\"type\":\"integer\",\"schema\":{\"is_"
                                        "nullable\":false}},"
                                        "{\"field\":\"far\",\"type\":\"integer\",\"schema\":{\"is_"
                                        "nullable\":false}}]}",
                                        name)));
    assert_int_equal(schema_create_collection(tx, body, &collection), 0);
    for (int i = 0; i < 2; i++) {
        struct str relation =
            arena_printf(in->arena,
                         "{\"collection\":\"%s\",\"field\":\"%s\",\"related_collection\":"
                         "\"%s\",\"schema\":{\"on_delete\":\"CASCADE\"}}",
                         name, sides[i], tables[i]);
        body = json_of(in, arena_z(in->arena, relation));
        assert_int_equal(schema_create_relation(tx, body, &collection, &field), 0);
    }
    assert_int_equal(record_find(tx, SYSTEM_COLLECTIONS, "collection", str_of(name), &row), 0);
    const struct assignment mark =
        record_set(SYSTEM_COLLECTIONS, "rowcast_junction", value_integer(1));
    assert_int_equal(record_update(tx, SYSTEM_COLLECTIONS, row, &mark, 1), 0);
}

/* Returns the field's number. */
static inline int64_t make_link(struct tx *tx, struct instance *in, const char *table,
                                const char *name, const char *settings)
{
    const struct value *row;
    const struct assignment assignments[] = {
        record_set(SYSTEM_FIELDS, "collection", value_text(str_of(table))),
        record_set(SYSTEM_FIELDS, "field", value_text(str_of(name))),
        record_set(SYSTEM_FIELDS, "rowcast_kind", value_text(STR("link_row"))),
        record_set(SYSTEM_FIELDS, "rowcast_settings", value_text(str_of(settings))),
    };
    assert_int_equal(record_create(tx, SYSTEM_FIELDS, assignments, COUNT_OF(assignments), &row), 0);
    (void)in;
    return system_integer(SYSTEM_FIELDS, row, "id");
}

static inline const char *link_settings(struct instance *in, struct tx *tx, const char *target,
                                        const char *junction, bool turned, int64_t related)
{
    const struct table *t = catalogue_table(tx->catalogue, str_of(target));
    assert_non_null(t);
    return arena_z(in->arena,
                   arena_printf(in->arena,
                                "{\"table\":%lld,\"junction\":\"%s\",\"near\":\"%s\",\"far\":"
                                "\"%s\",\"related\":%lld,"
                                "\"link_row_multiple_relationships\":true}",
                                (long long)t->id, junction, turned ? "far" : "near",
                                turned ? "near" : "far", (long long)related));
}

static int make_grid(struct instance *in, struct tx *tx)
{
    static const char *const tables[] = {
        "{\"collection\":\"projects\",\"fields\":[{\"field\":\"title\",\"type\":\"string\"}]}",
        "{\"collection\":\"people\",\"fields\":[{\"field\":\"name\",\"type\":\"string\",\"schema\":"
        "{\"max_length\":40}},{\"field\":\"age\",\"type\":\"integer\"},"
        "{\"field\":\"boss\",\"type\":\"integer\"}]}",
        "{\"collection\":\"plain\",\"fields\":[{\"field\":\"code\",\"type\":\"string\",\"schema\":"
        "{\"is_unique\":true}},{\"field\":\"size\",\"type\":\"integer\",\"schema\":{\"default_"
        "value\":7}}]}",
        "{\"collection\":\"keyed\",\"fields\":[{\"field\":\"id\",\"type\":\"uuid\",\"schema\":"
        "{\"is_primary_key\":true},\"meta\":{\"special\":[\"uuid\"]}},"
        "{\"field\":\"label\",\"type\":\"string\",\"schema\":{\"is_nullable\":false}},"
        "{\"field\":\"grade\",\"type\":\"integer\",\"schema\":{\"is_nullable\":false}},"
        "{\"field\":\"word\",\"type\":\"hash\",\"meta\":{\"special\":[\"hash\"]}}]}",
    };
    struct str collection, field;

    for (size_t i = 0; i < COUNT_OF(tables); i++)
        assert_int_equal(schema_create_collection(tx, json_of(in, tables[i]), &collection), 0);
    assert_int_equal(
        schema_create_relation(tx,
                               json_of(in, "{\"collection\":\"people\",\"field\":\"boss\","
                                           "\"related_collection\":\"people\",\"schema\":"
                                           "{\"on_delete\":\"SET NULL\"}}"),
                               &collection, &field),
        0);
    make_junction(tx, in, "work", "people", "projects");
    make_junction(tx, in, "friendship", "people", "people");
    int64_t works =
        make_link(tx, in, "people", "works", link_settings(in, tx, "projects", "work", false, 0));
    int64_t staff = make_link(tx, in, "projects", "staff",
                              link_settings(in, tx, "people", "work", true, works));
    make_link(tx, in, "people", "friends", link_settings(in, tx, "people", "friendship", false, 0));
    const struct value *row;
    assert_int_equal(record_by_id(tx, SYSTEM_FIELDS, works, &row), 0);
    const struct assignment related =
        record_set(SYSTEM_FIELDS, "rowcast_settings",
                   value_text(str_of(link_settings(in, tx, "projects", "work", false, staff))));
    assert_int_equal(record_update(tx, SYSTEM_FIELDS, row, &related, 1), 0);
    return tx_follow(tx);
}

/* Somebody hears of the grid from the start. */
static inline int grid_setup(void **state)
{
    instance_setup(state);
    struct instance *in = *state;
    assert_int_equal(run(in, WRITER_SCHEMA, make_grid), 0);
    model_note_grid_heard(in->model);
    return 0;
}

/* ---- telling ---- */

static inline void put_rows(struct buf *b, const struct grid_table *t,
                            const struct value *const *rows, size_t count,
                            const struct links *links)
{
    const struct grid_style style = {.user_names = true};
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_put_char(b, ',');
        grid_write_row(b, t, rows[i], links, &style);
    }
}

/* With ' for ", so that it may be compared with what a test writes. */
static inline const char *text_of(struct instance *in, struct buf *b)
{
    for (size_t i = 0; i < b->len; i++)
        if (b->at[i] == '"')
            b->at[i] = '\'';
    const char *text = arena_z(in->arena, b->len > 0 ? buf_str(b) : STR(""));
    buf_deinit(b);
    return text;
}

/* ---- requests ---- */

enum deed_kind { DEED_CREATE, DEED_UPDATE, DEED_MOVE, DEED_DELETE, DEED_GET };
struct deed {
    struct instance *in;
    enum deed_kind kind;
    const char *table;
    const char *json;   /* an array of objects; update: with "id" */
    const int64_t *ids; /* move, delete, get */
    size_t count;
    int64_t before;
    const char *told; /* the rows of the answer */
};

/* What a dialect has a reader do before the write. */
static inline void prepare_words(struct tx *tx, const struct grid_table *t,
                                 const struct grid_inputs *inputs)
{
    const struct grid_field *f = grid_table_field_named(t, STR("word"));
    for (size_t i = 0; f && i < inputs->count; i++) {
        const json_t *json = json_get(inputs->at[i].cells, "word");
        if (json && kind_needs_preparing(f, json))
            assert_int_equal(kind_prepare(tx, f, json), 0);
    }
}

static inline int act_on_rows(struct tx *tx, struct deed *d, const struct grid_table *t,
                              struct grid_rows *rows)
{
    struct grid_inputs inputs = {.user_names = true, .batch = true};

    if (d->json) {
        const json_t *list = quoted(d->in, d->json);
        struct grid_input *at = ARENA_ARRAY(tx->arena, struct grid_input, json_array_size(list));
        for (size_t i = 0; i < json_array_size(list); i++) {
            const json_t *object = json_array_get(list, i);
            at[i] = (struct grid_input){json_integer_value(json_get(object, "id")), object};
        }
        inputs.at = at;
        inputs.count = json_array_size(list);
    }
    prepare_words(tx, t, &inputs);
    switch (d->kind) {
    case DEED_CREATE:
        return grid_rows_create(tx, t, &inputs, d->before, rows);
    case DEED_UPDATE:
        return grid_rows_update(tx, t, &inputs, rows);
    case DEED_MOVE:
        return grid_row_move(tx, t, d->ids[0], d->before, rows);
    case DEED_DELETE:
        return grid_rows_delete(tx, t, d->ids, d->count);
    case DEED_GET:
        return grid_rows_get(tx, t, d->ids, d->count, rows);
    }
    return -1;
}

static inline int do_deed(struct tx *tx, void *context)
{
    struct deed *d = context;
    const struct table *table = catalogue_table(tx->catalogue, str_of(d->table));
    struct grid_rows rows = {0};
    struct buf b;

    assert_non_null(table);
    const struct grid_table *t = grid_table_of(tx->catalogue, table);
    assert_non_null(t);
    int rc = act_on_rows(tx, d, t, &rows);
    if (rc != 0)
        return rc;
    buf_init(&b, SIZE_MAX);
    put_rows(&b, t, rows.at, rows.count, rows.links);
    d->told = text_of(d->in, &b);
    return 0;
}

/* Rows as they are told; NULL: it was refused. */
static inline const char *try_deed(struct instance *in, struct deed d)
{
    d.in = in;
    int rc = d.kind == DEED_GET ? read_as(in, NULL, do_deed, &d) : write_as(in, NULL, do_deed, &d);
    assert_true(rc == 0 || rc == REFUSED);
    return rc == 0 ? d.told : NULL;
}

static inline const char *deed(struct instance *in, struct deed d)
{
    const char *told = try_deed(in, d);
    if (!told)
        fail_msg("refused: %d, %.*s, %.*s", in->problem.kind, STR_ARG(in->problem.reason),
                 STR_ARG(in->problem.value));
    return told;
}

#define MAKE(in, table_, json_)                                                                    \
    deed((in), (struct deed){.kind = DEED_CREATE, .table = (table_), .json = (json_)})
#define MAKE_BEFORE(in, table_, before_, json_)                                                    \
    deed((in), (struct deed){                                                                      \
                   .kind = DEED_CREATE, .table = (table_), .json = (json_), .before = (before_)})
#define CHANGE(in, table_, json_)                                                                  \
    deed((in), (struct deed){.kind = DEED_UPDATE, .table = (table_), .json = (json_)})
#define IDS_(...)                                                                                  \
    .ids = (const int64_t[]){__VA_ARGS__},                                                         \
    .count = sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t)
#define MOVE(in, table_, id_, before_)                                                             \
    deed((in), (struct deed){.kind = DEED_MOVE, .table = (table_), IDS_(id_), .before = (before_)})
#define DELETE(in, table_, ...)                                                                    \
    deed((in), (struct deed){.kind = DEED_DELETE, .table = (table_), IDS_(__VA_ARGS__)})
#define GET(in, table_, ...)                                                                       \
    deed((in), (struct deed){.kind = DEED_GET, .table = (table_), IDS_(__VA_ARGS__)})

/* The violations of the latest request, as "0 name required, …"; one that fails otherwise: its
 * reason and value. */
static inline const char *refusal(struct instance *in, struct deed d)
{
    struct buf b;

    assert_null(try_deed(in, d));
    buf_init(&b, SIZE_MAX);
    if (in->problem.kind != PROBLEM_FAILED_VALIDATION)
        buf_printf(&b, "%.*s: %.*s", STR_ARG(in->problem.reason), STR_ARG(in->problem.value));
    else
        for (const struct violation *v = in->problem.violations; v; v = v->next)
            buf_printf(&b, "%s%lld %.*s %.*s", b.len > 0 ? ", " : "", (long long)v->item,
                       STR_ARG(v->field), STR_ARG(v->type));
    return text_of(in, &b);
}
#define REFUSED_MAKE(in, table_, json_)                                                            \
    refusal((in), (struct deed){.kind = DEED_CREATE, .table = (table_), .json = (json_)})
#define REFUSED_CHANGE(in, table_, json_)                                                          \
    refusal((in), (struct deed){.kind = DEED_UPDATE, .table = (table_), .json = (json_)})

#endif
