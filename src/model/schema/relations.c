#include "model/schema/rows.h"

/*
 * Relations (directus.md D.10): many-to-one, each a real reference of a column to another table's
 * key. The many side owns it. The other kinds of G.6 are made of these, but for many-to-any.
 */

static int read_on_delete(struct tx *tx, const json_t *body, enum reference_action *action_out)
{
    const json_t *schema = json_get(body, "schema");
    const json_t *action = json_get(schema, "on_delete");

    if (schema && !json_is_object(schema) && !json_is_null(schema))
        return refuse(tx, PROBLEM_INVALID_PAYLOAD, "\"schema\" must be an object");
    if (!action || json_is_null(action))
        return 0;
    if (!reference_action_find(json_str(action), action_out))
        return refuse(tx, PROBLEM_INVALID_PAYLOAD,
                      "\"schema.on_delete\" must be \"NO ACTION\", \"RESTRICT\", \"SET NULL\", "
                      "\"SET DEFAULT\" or \"CASCADE\"");
    return 0;
}

static int check_action(struct tx *tx, const struct column *column, enum reference_action action)
{
    if (action == ON_DELETE_SET_NULL && !column->nullable)
        return refuse(tx, PROBLEM_INVALID_PAYLOAD,
                      "Field \"%.*s\" must be nullable for \"SET NULL\"", STR_ARG(column->name));
    if (action == ON_DELETE_SET_DEFAULT && !column->nullable &&
        value_is_null(&column->default_value))
        return refuse(tx, PROBLEM_INVALID_PAYLOAD,
                      "Field \"%.*s\" must have a default for \"SET DEFAULT\"",
                      STR_ARG(column->name));
    return 0;
}

static int read_meta(struct tx *tx, const json_t *body, struct value *row)
{
    static const char *const fixed[] = {"id", "many_collection", "many_field", "one_collection",
                                        NULL};

    int rc = schema_read_meta(tx, SYSTEM_RELATIONS, json_get(body, "meta"), fixed, row);
    if (rc != 0)
        return rc;
    struct str deselect = system_text(SYSTEM_RELATIONS, row, "one_deselect_action");
    if (!str_equal(deselect, STR("nullify")) && !str_equal(deselect, STR("delete")))
        return refuse(tx, PROBLEM_INVALID_PAYLOAD,
                      "\"meta.one_deselect_action\" must be \"nullify\" or \"delete\"");
    if (system_text(SYSTEM_RELATIONS, row, "one_collection_field").at ||
        system_text(SYSTEM_RELATIONS, row, "one_allowed_collections").len > 0)
        return refuse(tx, PROBLEM_INVALID_PAYLOAD,
                      "Relations to items of any collection are not supported yet");
    return 0;
}

/* ---- do the rows that are there fit? ---- */

enum { PAGE_ROWS = 500 };
struct page {
    struct arena *arena;
    struct value values[PAGE_ROWS]; /* different ones, ascending */
    size_t count, rows;
};

static int take_value(void *context, const struct value *row)
{
    struct page *page = context;

    page->rows++;
    if (page->count == 0 || !value_equal(&page->values[page->count - 1], &row[0]))
        page->values[page->count++] = value_copy(page->arena, &row[0]);
    return 0;
}

/* The values of a column that come after `after`, one page of them. */
static int read_page(struct tx *tx, const struct table *table, const struct column *column,
                     const struct value *after, struct page *page)
{
    const struct output output = {.column = column};
    const struct order by = {.column = column};
    struct select select = {
        .shape = &table->shape,
        .outputs = &output,
        .output_count = 1,
        .where = after ? expr_test(page->arena, column, OP_GT, after, 1)
                       : expr_test(page->arena, column, OP_NNULL, NULL, 0),
        .orders = &by,
        .order_count = 1,
        .limit = PAGE_ROWS,
        .now_ms = tx->now_ms,
    };

    page->count = page->rows = 0;
    return store_select(tx->store, &select, take_value, page);
}

/* Page by page, because a table may be larger than memory: each value must be a key over there. */
static int check_rows(struct tx *tx, const struct table *many, const struct column *column,
                      const struct table *one)
{
    struct value *last = NULL;
    int rc;

    for (;;) {
        AUTO(arena_free) struct arena *arena = arena_new();
        struct page *page = ARENA_NEW(arena, struct page);
        int64_t found = 0;
        page->arena = arena;
        rc = read_page(tx, many, column, last, page);
        if (rc != 0 || page->count == 0)
            return rc;
        struct select keys = {
            .shape = &one->shape,
            .where = expr_test(arena, table_key(one), OP_IN, page->values, page->count),
            .limit = -1,
        };
        rc = store_count(tx->store, &keys, &found);
        if (rc != 0)
            return rc;
        if (found != (int64_t)page->count)
            return schema_outcome(tx, STORE_FOREIGN_KEY, many->name, column->name);
        if (page->rows < PAGE_ROWS)
            return 0;
        last = value_copy_row(tx->arena, &page->values[page->count - 1], 1);
    }
}

/* ---- creating ---- */

struct ends {
    const struct table *many, *one;
    const struct column *column;
};

static int find_ends(struct tx *tx, const json_t *body, struct ends *ends_out)
{
    struct str field = json_get_str(body, "field");
    struct str related = json_get_str(body, "related_collection");

    const struct table *many = catalogue_table(tx->catalogue, json_get_str(body, "collection"));
    if (!many)
        return refuse(tx, PROBLEM_INVALID_PAYLOAD, "\"collection\" names no collection");
    if (many->system)
        return refuse_collection(tx, many->name);
    const struct field *found = table_field(many, field);
    if (!found || field_hidden(found))
        return refuse(tx, PROBLEM_INVALID_PAYLOAD,
                      "Field \"%.*s\" does not exist in collection \"%.*s\"", STR_ARG(field),
                      STR_ARG(many->name));
    if (!related.at)
        return refuse(tx, PROBLEM_INVALID_PAYLOAD,
                      "\"related_collection\" is required; relations "
                      "to items of any collection are not supported "
                      "yet");
    const struct table *one = catalogue_table(tx->catalogue, related);
    if (!one)
        return refuse(tx, PROBLEM_INVALID_PAYLOAD, "\"related_collection\" names no collection");
    *ends_out = (struct ends){many, one, found->column};
    return 0;
}

static int check_ends(struct tx *tx, const struct ends *e)
{
    if (e->column->primary_key)
        return refuse(tx, PROBLEM_INVALID_PAYLOAD, "The primary key can't have a relation");
    if (e->column->reference)
        return refuse(tx, PROBLEM_INVALID_PAYLOAD,
                      "Field \"%.*s\" in collection \"%.*s\" has a relation already",
                      STR_ARG(e->column->name), STR_ARG(e->many->name));
    if (e->column->type != table_key(e->one)->type)
        return refuse(
            tx, PROBLEM_INVALID_PAYLOAD,
            "Field \"%.*s\" is of type \"%s\", the primary key of \"%.*s\" of type \"%s\"",
            STR_ARG(e->column->name), types[e->column->type].name, STR_ARG(e->one->name),
            types[table_key(e->one)->type].name);
    return 0;
}

static int set_reference(struct tx *tx, const struct table *many, const struct column *column,
                         const struct reference *reference)
{
    struct column *columns = schema_columns(tx, many);

    columns[column->index].reference = reference;
    return schema_alter(tx, many, columns, many->shape.count, column->name);
}

static int create_relation(struct tx *tx, const struct ends *e, enum reference_action action,
                           struct value *row)
{
    struct reference *reference = ARENA_NEW(tx->arena, struct reference);
    *reference = (struct reference){e->one->shape.name, table_key(e->one)->name, action};

    schema_set(SYSTEM_RELATIONS, row, "many_collection", value_text(e->many->name));
    schema_set(SYSTEM_RELATIONS, row, "many_field", value_text(e->column->name));
    schema_set(SYSTEM_RELATIONS, row, "one_collection", value_text(e->one->name));
    schema_set(SYSTEM_RELATIONS, row, "rowcast_on_delete",
               value_text(str_of(reference_action_name(action))));
    int rc = check_rows(tx, e->many, e->column, e->one);
    if (rc == 0)
        rc = set_reference(tx, e->many, e->column, reference);
    if (rc == 0)
        rc = schema_insert(tx, SYSTEM_RELATIONS, row);
    return rc;
}

static const char *const allowed_keys[] = {"collection", "field", "related_collection",
                                           "schema",     "meta",  NULL};

int schema_create_relation(struct tx *tx, const json_t *body, struct str *collection_out,
                           struct str *field_out)
{
    enum reference_action action = ON_DELETE_NO_ACTION;
    struct ends ends = {0};

    int rc = schema_begin(tx);
    if (rc == 0)
        rc = schema_check_keys(tx, body, allowed_keys);
    if (rc == 0)
        rc = find_ends(tx, body, &ends);
    if (rc == 0)
        rc = check_ends(tx, &ends);
    if (rc == 0)
        rc = read_on_delete(tx, body, &action);
    if (rc == 0)
        rc = check_action(tx, ends.column, action);
    if (rc != 0)
        return rc;
    struct value *row = schema_blank(tx, SYSTEM_RELATIONS);
    rc = read_meta(tx, body, row);
    if (rc == 0)
        rc = create_relation(tx, &ends, action, row);
    if (rc != 0)
        return rc;
    *collection_out = arena_str(tx->arena, ends.many->name);
    *field_out = arena_str(tx->arena, ends.column->name);
    return 0;
}

/* ---- changing and deleting ---- */

static int find_relation(struct tx *tx, struct str collection, struct str field,
                         const struct relation **relation_out, const struct value **row_out)
{
    const struct table *table;

    int rc = schema_begin(tx);
    if (rc == 0)
        rc = schema_table(tx, collection, &table);
    if (rc != 0)
        return rc;
    const struct column *column = shape_column(&table->shape, field);
    *relation_out = column ? catalogue_relation(tx->catalogue, column) : NULL;
    rc = schema_find(tx, SYSTEM_RELATIONS, "many_collection", table->name, "many_field", field,
                     row_out);
    if (rc != 0)
        return rc;
    return *relation_out && *row_out ? 0 : refuse_fields(tx, collection, field);
}

int schema_update_relation(struct tx *tx, struct str collection, struct str field,
                           const json_t *body)
{
    const struct relation *relation;
    const struct value *row;

    int rc = find_relation(tx, collection, field, &relation, &row);
    if (rc == 0)
        rc = schema_check_keys(tx, body, allowed_keys);
    if (rc != 0)
        return rc;
    struct str related = json_get_str(body, "related_collection");
    if (related.at && !str_equal(related, relation->one->name))
        return refuse(tx, PROBLEM_INVALID_PAYLOAD, "\"related_collection\" can't be changed");
    enum reference_action action = relation->on_delete;
    struct value *changed = schema_copy(tx, SYSTEM_RELATIONS, row);
    rc = read_on_delete(tx, body, &action);
    if (rc == 0)
        rc = check_action(tx, relation->column, action);
    if (rc == 0)
        rc = read_meta(tx, body, changed);
    if (rc == 0 && action != relation->on_delete) {
        struct reference *reference = ARENA_NEW(tx->arena, struct reference);
        *reference = *relation->column->reference;
        reference->on_delete = action;
        schema_set(SYSTEM_RELATIONS, changed, "rowcast_on_delete",
                   value_text(str_of(reference_action_name(action))));
        rc = set_reference(tx, relation->many, relation->column, reference);
    }
    if (rc == 0)
        rc = schema_update(tx, SYSTEM_RELATIONS, row, changed);
    return rc;
}

int schema_delete_relation(struct tx *tx, struct str collection, struct str field)
{
    const struct table *relations = system_table(SYSTEM_RELATIONS);
    const struct relation *relation;
    const struct value *row;

    int rc = find_relation(tx, collection, field, &relation, &row);
    if (rc == 0)
        rc = set_reference(tx, relation->many, relation->column, NULL);
    if (rc == 0)
        rc = schema_delete(
            tx, SYSTEM_RELATIONS,
            expr_test(tx->arena, table_key(relations), OP_EQ, &row[relations->shape.key], 1));
    return rc;
}
