/*
 * Items over REST (D.4), for users' collections and, under paths of their own, system collections.
 */
#include "dialect/directus/rest.h"

#include "model/items/payload.h"

int items_route_table(struct tx *tx, const struct rest *rest, enum action action,
                      const struct table **table_out)
{
    const struct table *table = catalogue_table(tx->catalogue, rest->collection);
    if (rest->items && table && table->system)
        return refuse_collection(tx, rest->collection);
    return items_table(tx, rest->collection, action, table_out);
}

/* ---- reading ---- */

static int parse(struct tx *tx, const struct table *table, const json_t *json, struct query *query)
{
    return query_parse(tx, table, table->system ? system_plain_query(tx, table, json) : json,
                       query);
}

static int write_list(struct tx *tx, const struct query *q, const json_t *json, struct buf *b)
{
    return q->table->system ? system_write_list(tx, q, json_get(json, "fields"), b)
                            : items_write_list(tx, q, b);
}

static int write_one(struct tx *tx, const struct query *q, const json_t *json, struct buf *b)
{
    return q->table->system ? system_write_one(tx, q, json_get(json, "fields"), b)
                            : items_write_one(tx, q, b);
}

int items_write_meta(struct tx *tx, const struct query *q, struct buf *b)
{
    static const struct {
        enum query_meta bit;
        const char *name;
    } metas[] = {{QUERY_TOTAL_COUNT, "total_count"}, {QUERY_FILTER_COUNT, "filter_count"}};
    if (q->meta == 0)
        return 0;
    bool first = true;
    buf_put_lit(b, "\"meta\":{");
    for (size_t i = 0; i < COUNT_OF(metas); i++) {
        int64_t count;
        if (!(q->meta & metas[i].bit))
            continue;
        int rc = items_count(tx, q, metas[i].bit, &count);
        if (rc != 0)
            return rc;
        buf_printf(b, "%s\"%s\":%lld", first ? "" : ",", metas[i].name, (long long)count);
        first = false;
    }
    buf_put_lit(b, "},");
    return 0;
}

static int answer_list(struct request *r, struct tx *tx, const struct query *q, const json_t *json)
{
    struct buf b;
    buf_init(&b, directus_settings()->response_bytes_max);
    buf_put_char(&b, '{');
    int rc = items_write_meta(tx, q, &b);
    buf_put_lit(&b, "\"data\":");
    if (rc == 0)
        rc = write_list(tx, q, json, &b);
    if (rc == 0)
        return rest_end(r, tx, &b);
    buf_deinit(&b);
    return rc;
}

static int answer_one(struct request *r, struct tx *tx, const struct query *q, const json_t *json)
{
    struct buf b;
    rest_begin(&b);
    int rc = write_one(tx, q, json, &b);
    if (rc == 0)
        return rest_end(r, tx, &b);
    buf_deinit(&b);
    return rc;
}

static int take_singleton(void *context, const struct value *row)
{
    (void)row;
    *(bool *)context = true;
    return 0;
}

/* A singleton that has no row yet reads as its defaults. */
static int answer_singleton(struct request *r, struct tx *tx, struct query *q, const json_t *json)
{
    bool there = false;
    q->limit = 1;
    int rc = items_read(tx, q, take_singleton, &there);
    if (rc != 0 || there)
        return rc != 0 ? rc : answer_one(r, tx, q, json);
    struct value *defaults = ARENA_ARRAY(tx->arena, struct value, q->output_count + 1);
    for (size_t i = 0; i < q->output_count; i++)
        defaults[i] = q->outputs[i].column->default_value;
    struct buf b;
    rest_begin(&b);
    query_write_row(&b, q, defaults);
    return rest_end(r, tx, &b);
}

static int run_list(struct request *r, struct tx *tx)
{
    const struct rest *rest = rest_of(r);
    const struct table *table;
    struct query query;
    int rc = items_route_table(tx, rest, ACTION_READ, &table);
    if (rc == 0)
        rc = parse(tx, table, rest->query, &query);
    if (rc != 0)
        return rc;
    return table->singleton ? answer_singleton(r, tx, &query, rest->query)
                            : answer_list(r, tx, &query, rest->query);
}

static int run_get(struct request *r, struct tx *tx)
{
    const struct rest *rest = rest_of(r);
    const struct table *table;
    struct item_key key;
    struct query query;
    int rc = items_route_table(tx, rest, ACTION_READ, &table);
    if (rc == 0)
        rc = items_key_text(tx, table, rest->parameters[0], &key);
    if (rc == 0)
        rc = parse(tx, table, rest->query, &query);
    if (rc != 0)
        return rc;
    query_restrict(tx, &query, &key, 1);
    return answer_one(r, tx, &query, rest->query);
}

/* Keys of a JSON list. */
static int read_keys(struct tx *tx, const struct table *table, const json_t *list,
                     struct item_key **keys_out, size_t *count_out)
{
    size_t count = json_array_size(list);
    struct item_key *keys = ARENA_ARRAY(tx->arena, struct item_key, count + 1);
    for (size_t i = 0; i < count; i++) {
        int rc = items_key(tx, table, json_array_get(list, i), &keys[i]);
        if (rc != 0)
            return rc;
    }
    *keys_out = keys;
    *count_out = count;
    return 0;
}

/* A body may hold these keys only, each of its kind. */
static int check_members(struct tx *tx, json_t *body, const char *const *names, size_t count)
{
    const char *name;
    json_t *value;
    json_object_foreach(body, name, value)
    {
        size_t i = 0;
        while (i < count && strcmp(names[i], name) != 0)
            i++;
        if (i == count)
            return refuse(tx, PROBLEM_INVALID_PAYLOAD, "\"%s\" is not allowed", name);
    }
    return 0;
}

static int run_search(struct request *r, struct tx *tx)
{
    static const char *const members[] = {"query", "keys"};
    const struct rest *rest = rest_of(r);
    const json_t *json = json_get(rest->body, "query"), *keys = json_get(rest->body, "keys");
    const struct table *table;
    struct query query;
    struct item_key *list = NULL;
    size_t count = 0;
    if (rest->body && !json_is_object(rest->body))
        return refuse(tx, PROBLEM_INVALID_PAYLOAD, "The body must be an object");
    int rc = check_members(tx, rest->body, members, COUNT_OF(members));
    if (rc == 0 && keys && !json_is_array(keys))
        rc = refuse(tx, PROBLEM_INVALID_PAYLOAD, "\"keys\" must be a list");
    if (rc == 0 && json && !json_is_object(json))
        rc = refuse(tx, PROBLEM_INVALID_PAYLOAD, "\"query\" must be an object");
    if (!json)
        json = rest->query;
    if (rc == 0)
        rc = items_route_table(tx, rest, ACTION_READ, &table);
    if (rc == 0)
        rc = parse(tx, table, json, &query);
    if (rc == 0 && keys)
        rc = read_keys(tx, table, keys, &list, &count);
    if (rc != 0)
        return rc;
    if (keys)
        query_restrict(tx, &query, list, count);
    return table->singleton ? answer_singleton(r, tx, &query, json)
                            : answer_list(r, tx, &query, json);
}

/* ---- writing ---- */

int items_write_back(struct tx *tx, const struct rest *rest, const struct table *table,
                     const struct item_key *keys, size_t count, enum items_shape shape,
                     struct buf *b)
{
    struct query query;
    int rc = parse(tx, table, rest->query, &query);
    if (rc != 0)
        return rc;
    query_restrict(tx, &query, keys, count);
    return shape == ITEMS_ONE ? write_one(tx, &query, rest->query, b)
                              : write_list(tx, &query, rest->query, b);
}

/*
 * The answer to a write: the items as the caller may read them; 204 without a body when it may not.
 * The write stands in either case; a query that means nothing refuses the whole request.
 */
int items_answer_back(struct request *r, struct tx *tx, const struct table *table,
                      const struct item_key *keys, size_t count, enum items_shape shape)
{
    struct buf b;
    rest_begin(&b);
    int rc = items_write_back(tx, rest_of(r), table, keys, count, shape, &b);
    if (rc == 0)
        return rest_end(r, tx, &b);
    buf_deinit(&b);
    if (rc != REFUSED || tx->problem->kind != PROBLEM_FORBIDDEN)
        return rc;
    rest_empty(r, 204);
    return 0;
}

/* Hashes what must not be hashed on the writer: the body itself, or its `data`. */
static int prepare(struct request *r, struct tx *tx)
{
    const struct rest *rest = rest_of(r);
    const struct table *table = catalogue_table(tx->catalogue, rest->collection);
    const json_t *data = json_get(rest->body, "data");
    int rc = table && rest->body ? payload_prepare(tx, table, rest->body) : 0;
    return rc == 0 && table && data ? payload_prepare(tx, table, data) : rc;
}

static int refuse_route(struct request *r, struct tx *tx)
{
    refuse(tx, PROBLEM_ROUTE_NOT_FOUND, NULL);
    tx->problem->value = r->http->path;
    return REFUSED;
}

static int run_create(struct request *r, struct tx *tx)
{
    const struct rest *rest = rest_of(r);
    const json_t *body = rest->body;
    const struct table *table;
    int rc = items_route_table(tx, rest, ACTION_CREATE, &table);
    if (rc != 0)
        return rc;
    if (table->singleton)
        return refuse_route(r, tx);
    bool list = json_is_array(body);
    if (!list && !json_is_object(body))
        return refuse(tx, PROBLEM_INVALID_PAYLOAD,
                      "The body must be an object or a list of objects");
    size_t count = list ? json_array_size(body) : 1;
    struct item_key *keys = ARENA_ARRAY(tx->arena, struct item_key, count + 1);
    rc = items_check_batch(tx, count);
    for (size_t i = 0; i < count && rc == 0; i++)
        rc = items_create(tx, table, list ? json_array_get(body, i) : body, &keys[i]);
    return rc != 0 ? rc
                   : items_answer_back(r, tx, table, keys, count, list ? ITEMS_LIST : ITEMS_ONE);
}

static int run_update_one(struct request *r, struct tx *tx)
{
    const struct rest *rest = rest_of(r);
    const struct table *table;
    struct item_key key;
    int rc = items_route_table(tx, rest, ACTION_UPDATE, &table);
    if (rc != 0)
        return rc;
    if (table->singleton)
        return refuse_route(r, tx);
    if (!json_is_object(rest->body))
        return refuse(tx, PROBLEM_INVALID_PAYLOAD, "The body must be an object");
    rc = items_key_text(tx, table, rest->parameters[0], &key);
    if (rc == 0)
        rc = items_update(tx, table, &key, 1, rest->body);
    return rc != 0 ? rc : items_answer_back(r, tx, table, &key, 1, ITEMS_ONE);
}

/* The keys that `{"keys":…}` or `{"query":…}` address; exactly one of the two. */
static int read_selection(struct tx *tx, const struct table *table, const json_t *body,
                          struct item_key **keys_out, size_t *count_out)
{
    const json_t *keys = json_get(body, "keys"), *json = json_get(body, "query");
    struct query query;
    if (!keys == !json)
        return refuse(tx, PROBLEM_INVALID_PAYLOAD, "Either \"keys\" or \"query\" is required");
    if (keys)
        return json_is_array(keys) ? read_keys(tx, table, keys, keys_out, count_out)
                                   : refuse(tx, PROBLEM_INVALID_PAYLOAD, "\"keys\" must be a list");
    if (!json_is_object(json))
        return refuse(tx, PROBLEM_INVALID_PAYLOAD, "\"query\" must be an object");
    int rc = parse(tx, table, json, &query);
    return rc != 0 ? rc : items_keys(tx, &query, keys_out, count_out);
}

/* A list of objects, each with its key: one update, one operation for each. */
static int update_batch(struct request *r, struct tx *tx, const struct table *table)
{
    const json_t *body = rest_of(r)->body;
    const char *key_name = arena_z(tx->arena, table_key(table)->name);
    size_t count = json_array_size(body);
    struct item_key *keys = ARENA_ARRAY(tx->arena, struct item_key, count + 1);
    int rc = items_check_batch(tx, count);
    if (rc != 0)
        return rc;
    for (size_t i = 0; i < count; i++) {
        json_t *one = json_array_get(body, i), *key = json_get(one, key_name);
        if (!json_is_object(one) || !key || json_is_null(key))
            return refuse(tx, PROBLEM_INVALID_PAYLOAD, "Item in update misses primary key");
        json_t *data = json_copy(one);
        arena_on_free(tx->arena, json_release, data);
        json_object_del(data, key_name);
        rc = items_key(tx, table, key, &keys[i]);
        if (rc == 0)
            rc = items_update(tx, table, &keys[i], 1, data);
        if (rc != 0)
            return rc;
    }
    return items_answer_back(r, tx, table, keys, count, ITEMS_LIST);
}

static int run_update(struct request *r, struct tx *tx)
{
    static const char *const members[] = {"keys", "query", "data"};
    const struct rest *rest = rest_of(r);
    const struct table *table;
    struct item_key *keys, key;
    size_t count;
    int rc = items_route_table(tx, rest, ACTION_UPDATE, &table);
    if (rc != 0)
        return rc;
    if (table->singleton && json_is_object(rest->body)) {
        rc = items_upsert_singleton(tx, table, rest->body, &key);
        return rc != 0 ? rc : items_answer_back(r, tx, table, &key, 1, ITEMS_ONE);
    }
    if (json_is_array(rest->body))
        return update_batch(r, tx, table);
    const json_t *data = json_get(rest->body, "data");
    if (!json_is_object(data))
        return refuse(tx, PROBLEM_INVALID_PAYLOAD, "\"data\" must be an object");
    rc = check_members(tx, rest->body, members, COUNT_OF(members));
    if (rc == 0)
        rc = read_selection(tx, table, rest->body, &keys, &count);
    if (rc == 0)
        rc = items_update(tx, table, keys, count, data);
    return rc != 0 ? rc : items_answer_back(r, tx, table, keys, count, ITEMS_LIST);
}

/* A query that means nothing refuses a request that reads nothing back, too (D.1). */
static int check_query(struct tx *tx, const struct table *table, const json_t *json)
{
    struct query query;
    int rc = json ? parse(tx, table, json, &query) : 0;
    if (rc != REFUSED || tx->problem->kind != PROBLEM_FORBIDDEN)
        return rc;
    *tx->problem = (struct problem){0};
    return 0;
}

static int run_delete_one(struct request *r, struct tx *tx)
{
    const struct rest *rest = rest_of(r);
    const struct table *table;
    struct item_key key;
    int rc = items_route_table(tx, rest, ACTION_DELETE, &table);
    if (rc == 0)
        rc = check_query(tx, table, rest->query);
    if (rc == 0)
        rc = items_key_text(tx, table, rest->parameters[0], &key);
    if (rc == 0)
        rc = items_delete(tx, table, &key, 1);
    if (rc == 0)
        rest_empty(r, 204);
    return rc;
}

static int run_delete(struct request *r, struct tx *tx)
{
    static const char *const members[] = {"keys", "query"};
    const struct rest *rest = rest_of(r);
    const struct table *table;
    struct item_key *keys;
    size_t count;
    int rc = items_route_table(tx, rest, ACTION_DELETE, &table);
    if (rc == 0)
        rc = check_query(tx, table, rest->query);
    if (rc != 0)
        return rc;
    if (json_is_array(rest->body))
        rc = read_keys(tx, table, rest->body, &keys, &count);
    else if (json_is_object(rest->body)) {
        rc = check_members(tx, rest->body, members, COUNT_OF(members));
        if (rc == 0)
            rc = read_selection(tx, table, rest->body, &keys, &count);
    } else
        rc = refuse(tx, PROBLEM_INVALID_PAYLOAD,
                    "Keys, or an object with keys or a query, are required");
    if (rc == 0)
        rc = items_delete(tx, table, keys, count);
    if (rc == 0)
        rest_empty(r, 204);
    return rc;
}

const struct route items_routes[] = {
    {"GET", "", ON_READER(run_list), 0},
    {"SEARCH", "", ON_READER(run_search), 0},
    {"POST", "", ON_WRITER(run_create, prepare), 0},
    {"PATCH", "", ON_WRITER(run_update, prepare), 0},
    {"DELETE", "", ON_WRITER(run_delete, NULL), 0},
    {"GET", "/:pk", ON_READER(run_get), 0},
    {"PATCH", "/:pk", ON_WRITER(run_update_one, prepare), 0},
    {"DELETE", "/:pk", ON_WRITER(run_delete_one, NULL), 0},
    {NULL, NULL, {0}, 0},
};
