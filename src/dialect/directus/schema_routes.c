/*
 * Collections, fields and relations (D.8 to D.10). A list in a body is one transaction.
 */
#include "dialect/directus/rest.h"

#include "model/schema/schema.h"

/* Ends an answer that rest_begin began: sends it, or drops what was written. */
static int finish(struct request *r, struct tx *tx, int rc, struct buf *b)
{
    if (rc == 0)
        return rest_end(r, tx, b);
    buf_deinit(b);
    return rc;
}

static int answer_done(struct request *r, int rc)
{
    if (rc == 0)
        rest_empty(r, 204);
    return rc;
}

static int require_list(struct tx *tx, const json_t *body)
{
    return json_is_array(body) ? 0 : refuse(tx, PROBLEM_INVALID_PAYLOAD, "The body must be a list");
}

/* The name that an element of a list has under `key`. */
static int require_name(struct tx *tx, const json_t *element, const char *key, struct str *name_out)
{
    *name_out = json_get_str(element, key);
    return name_out->len > 0
               ? 0
               : refuse(tx, PROBLEM_INVALID_PAYLOAD, "\"%s\" is required in each element", key);
}

/* ---- collections ---- */

static int answer_collection(struct request *r, struct tx *tx, struct str name)
{
    struct buf b;
    rest_begin(&b);
    return finish(r, tx, schema_write_collection(tx, name, &b), &b);
}

static int answer_collections(struct request *r, struct tx *tx, const struct str *names,
                              size_t count)
{
    struct buf b;
    int rc = 0;
    rest_begin(&b);
    buf_put_char(&b, '[');
    for (size_t i = 0; i < count && rc == 0; i++) {
        if (i > 0)
            buf_put_char(&b, ',');
        rc = schema_write_collection(tx, names[i], &b);
    }
    buf_put_char(&b, ']');
    return finish(r, tx, rc, &b);
}

static int run_collections(struct request *r, struct tx *tx)
{
    struct buf b;
    rest_begin(&b);
    return finish(r, tx, schema_write_collections(tx, &b), &b);
}

static int run_search_collections(struct request *r, struct tx *tx)
{
    const json_t *keys = json_get(rest_of(r)->body, "keys");
    size_t count = json_array_size(keys);
    bool good = json_is_array(keys);
    if (!keys)
        return run_collections(r, tx);
    struct str *names = ARENA_ARRAY(tx->arena, struct str, count + 1);
    for (size_t i = 0; i < count; i++) {
        names[i] = json_str(json_array_get(keys, i));
        good = good && names[i].at;
    }
    return good ? answer_collections(r, tx, names, count)
                : refuse(tx, PROBLEM_INVALID_PAYLOAD, "\"keys\" must be a list of names");
}

static int run_collection(struct request *r, struct tx *tx)
{
    return answer_collection(r, tx, rest_of(r)->parameters[0]);
}

static int run_create_collection(struct request *r, struct tx *tx)
{
    const json_t *body = rest_of(r)->body;
    size_t count = json_array_size(body);
    int rc = 0;
    if (!json_is_array(body)) {
        struct str name;
        rc = schema_create_collection(tx, body, &name);
        return rc == 0 ? answer_collection(r, tx, name) : rc;
    }
    struct str *names = ARENA_ARRAY(tx->arena, struct str, count + 1);
    for (size_t i = 0; i < count && rc == 0; i++)
        rc = schema_create_collection(tx, json_array_get(body, i), &names[i]);
    return rc == 0 ? answer_collections(r, tx, names, count) : rc;
}

static int run_update_collection(struct request *r, struct tx *tx)
{
    const struct rest *rest = rest_of(r);
    int rc = schema_update_collection(tx, rest->parameters[0], rest->body);
    return rc == 0 ? answer_collection(r, tx, rest->parameters[0]) : rc;
}

static int run_update_collections(struct request *r, struct tx *tx)
{
    const json_t *body = rest_of(r)->body;
    size_t count = json_array_size(body);
    struct str *names = ARENA_ARRAY(tx->arena, struct str, count + 1);
    int rc = require_list(tx, body);
    for (size_t i = 0; i < count && rc == 0; i++) {
        const json_t *element = json_array_get(body, i);
        rc = require_name(tx, element, "collection", &names[i]);
        if (rc == 0)
            rc = schema_update_collection(tx, names[i], element);
    }
    return rc == 0 ? answer_collections(r, tx, names, count) : rc;
}

static int run_delete_collection(struct request *r, struct tx *tx)
{
    return answer_done(r, schema_delete_collection(tx, rest_of(r)->parameters[0]));
}

/* ---- fields ---- */

static int answer_field(struct request *r, struct tx *tx, struct str collection, struct str field)
{
    struct buf b;
    rest_begin(&b);
    return finish(r, tx, schema_write_field(tx, collection, field, &b), &b);
}

/* Of one collection, or of all: the parameter is absent then. */
static int run_fields(struct request *r, struct tx *tx)
{
    struct buf b;
    rest_begin(&b);
    return finish(r, tx, schema_write_fields(tx, rest_of(r)->parameters[0], &b), &b);
}

static int run_field(struct request *r, struct tx *tx)
{
    const struct rest *rest = rest_of(r);
    return answer_field(r, tx, rest->parameters[0], rest->parameters[1]);
}

static int run_create_field(struct request *r, struct tx *tx)
{
    const struct rest *rest = rest_of(r);
    struct str name;
    int rc = schema_create_field(tx, rest->parameters[0], rest->body, &name);
    return rc == 0 ? answer_field(r, tx, rest->parameters[0], name) : rc;
}

static int run_update_field(struct request *r, struct tx *tx)
{
    const struct rest *rest = rest_of(r);
    int rc = schema_update_field(tx, rest->parameters[0], rest->parameters[1], rest->body);
    return rc == 0 ? answer_field(r, tx, rest->parameters[0], rest->parameters[1]) : rc;
}

static int update_fields(struct tx *tx, const struct rest *rest, struct str *names)
{
    struct str collection = rest->parameters[0];
    int rc = require_list(tx, rest->body);
    for (size_t i = 0; i < json_array_size(rest->body) && rc == 0; i++) {
        const json_t *element = json_array_get(rest->body, i);
        rc = require_name(tx, element, "field", &names[i]);
        if (rc == 0)
            rc = schema_update_field(tx, collection, names[i], element);
    }
    return rc;
}

static int run_update_fields(struct request *r, struct tx *tx)
{
    const struct rest *rest = rest_of(r);
    size_t count = json_array_size(rest->body);
    struct str *names = ARENA_ARRAY(tx->arena, struct str, count + 1);
    struct buf b;
    int rc = update_fields(tx, rest, names);
    if (rc != 0)
        return rc;
    rest_begin(&b);
    buf_put_char(&b, '[');
    for (size_t i = 0; i < count && rc == 0; i++) {
        if (i > 0)
            buf_put_char(&b, ',');
        rc = schema_write_field(tx, rest->parameters[0], names[i], &b);
    }
    buf_put_char(&b, ']');
    return finish(r, tx, rc, &b);
}

static int run_delete_field(struct request *r, struct tx *tx)
{
    const struct rest *rest = rest_of(r);
    return answer_done(r, schema_delete_field(tx, rest->parameters[0], rest->parameters[1]));
}

/* ---- relations ---- */

static int answer_relation(struct request *r, struct tx *tx, struct str collection,
                           struct str field)
{
    struct buf b;
    rest_begin(&b);
    return finish(r, tx, schema_write_relation(tx, collection, field, &b), &b);
}

static int run_relations(struct request *r, struct tx *tx)
{
    struct buf b;
    rest_begin(&b);
    return finish(r, tx, schema_write_relations(tx, rest_of(r)->parameters[0], &b), &b);
}

static int run_relation(struct request *r, struct tx *tx)
{
    const struct rest *rest = rest_of(r);
    return answer_relation(r, tx, rest->parameters[0], rest->parameters[1]);
}

static int run_create_relation(struct request *r, struct tx *tx)
{
    const struct rest *rest = rest_of(r);
    struct str collection, field;
    int rc = schema_create_relation(tx, rest->body, &collection, &field);
    return rc == 0 ? answer_relation(r, tx, collection, field) : rc;
}

static int run_update_relation(struct request *r, struct tx *tx)
{
    const struct rest *rest = rest_of(r);
    int rc = schema_update_relation(tx, rest->parameters[0], rest->parameters[1], rest->body);
    return rc == 0 ? answer_relation(r, tx, rest->parameters[0], rest->parameters[1]) : rc;
}

static int run_delete_relation(struct request *r, struct tx *tx)
{
    const struct rest *rest = rest_of(r);
    return answer_done(r, schema_delete_relation(tx, rest->parameters[0], rest->parameters[1]));
}

const struct route schema_routes[] = {
    {"GET", "/collections", ON_READER(run_collections), 0},
    {"SEARCH", "/collections", ON_READER(run_search_collections), 0},
    {"POST", "/collections", ON_SCHEMA(run_create_collection), 0},
    {"PATCH", "/collections", ON_SCHEMA(run_update_collections), 0},
    {"GET", "/collections/:collection", ON_READER(run_collection), 0},
    {"PATCH", "/collections/:collection", ON_SCHEMA(run_update_collection), 0},
    {"DELETE", "/collections/:collection", ON_SCHEMA(run_delete_collection), 0},
    {"GET", "/fields", ON_READER(run_fields), 0},
    {"GET", "/fields/:collection", ON_READER(run_fields), 0},
    {"POST", "/fields/:collection", ON_SCHEMA(run_create_field), 0},
    {"PATCH", "/fields/:collection", ON_SCHEMA(run_update_fields), 0},
    {"GET", "/fields/:collection/:field", ON_READER(run_field), 0},
    {"PATCH", "/fields/:collection/:field", ON_SCHEMA(run_update_field), 0},
    {"DELETE", "/fields/:collection/:field", ON_SCHEMA(run_delete_field), 0},
    {"GET", "/relations", ON_READER(run_relations), 0},
    {"POST", "/relations", ON_SCHEMA(run_create_relation), 0},
    {"GET", "/relations/:collection", ON_READER(run_relations), 0},
    {"GET", "/relations/:collection/:field", ON_READER(run_relation), 0},
    {"PATCH", "/relations/:collection/:field", ON_SCHEMA(run_update_relation), 0},
    {"DELETE", "/relations/:collection/:field", ON_SCHEMA(run_delete_relation), 0},
    {NULL, NULL, {0}, 0},
};
