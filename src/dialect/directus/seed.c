/*
 * The messages of directus-websocket-subscribe (A.3 to A.10): text → command → answer.
 *
 * One row of `verbs` for each type of message. What a message cannot mean is found while decoding,
 * on the loop; the answer still waits for its turn behind earlier requests.
 */
#include "dialect/directus/directus.h"

#include "model/access/access.h"
#include "model/items/items.h"
#include "model/items/payload.h"
#include "model/items/query.h"
#include "wire/websocket.h"

struct seed_command {
    const json_t *message; /* owned by the arena; NULL: it was none */
    const json_t *uid;     /* NULL: absent */
    struct str collection; /* as sent */
    json_t *query;         /* cleaned; empty when nothing was asked */
    struct str mistake;    /* why the message means nothing; absent: it does */
};

static void put_uid(struct buf *b, const json_t *uid)
{
    if (!uid)
        return;
    buf_put_lit(b, ",\"uid\":");
    json_put_value(b, uid);
}

/* An answer under construction: `{"type":"RESPONSE","data":` … `,"uid":…}`. */
static void response_begin(struct buf *b)
{
    buf_init(b, directus_settings()->response_bytes_max);
    buf_put_lit(b, "{\"type\":\"RESPONSE\",\"data\":");
}

static int response_end(struct request *r, struct tx *tx, struct buf *b)
{
    const struct seed_command *c = r->command;
    put_uid(b, c->uid);
    buf_put_char(b, '}');
    int rc = 0;
    if (b->failed)
        rc = refuse_size(tx, b->max);
    else
        r->reply = websocket_frame(WEBSOCKET_TEXT, buf_str(b));
    buf_deinit(b);
    return rc;
}

static void fail(struct request *r)
{
    const struct seed_command *c = r->command;
    struct buf b;
    buf_init(&b, SIZE_MAX);
    buf_put_lit(&b, "{\"type\":\"ERROR\",\"data\":");
    error_write_seed(&b, &r->problem);
    put_uid(&b, c->uid);
    buf_put_char(&b, '}');
    r->reply = websocket_frame(WEBSOCKET_TEXT, buf_str(&b));
    buf_deinit(&b);
}

/* The exact name first, then as 1.x had it: trimmed and in lower case (A.3). */
static struct str find_name(struct arena *a, const struct catalogue *c, struct str name)
{
    if (catalogue_table(c, name))
        return name;
    struct str lower = str_trim(name);
    char *at = arena_alloc(a, lower.len + 1);
    for (size_t i = 0; i < lower.len; i++)
        at[i] = (char)(lower.at[i] >= 'A' && lower.at[i] <= 'Z' ? lower.at[i] + 32 : lower.at[i]);
    lower.at = at;
    return catalogue_table(c, lower) ? lower : name;
}

/* The table, whatever the caller may do with it; NULL: none. */
static const struct table *find_known(struct arena *a, const struct catalogue *c,
                                      const struct seed_command *command)
{
    return catalogue_table(c, find_name(a, c, command->collection));
}

static int find_table(struct tx *tx, const struct seed_command *c, enum action action,
                      const struct table **table_out)
{
    return items_table(tx, find_name(tx->arena, tx->catalogue, c->collection), action, table_out);
}

static int run_get(struct request *r, struct tx *tx)
{
    const struct seed_command *c = r->command;
    const struct table *table;
    struct query query;
    int rc = find_table(tx, c, ACTION_READ, &table);
    if (rc == 0)
        rc = query_parse(tx, table, c->query, &query);
    if (rc != 0)
        return rc;
    struct buf b;
    response_begin(&b);
    rc = items_write_list(tx, &query, &b);
    if (rc != 0) {
        buf_deinit(&b);
        return rc;
    }
    return response_end(r, tx, &b);
}

/*
 * Answers with the rows as the caller may read them. The write is done by then: who may write but
 * not read gets an error, and the item exists (A.5). A fault still undoes everything.
 */
enum shape_of_answer { ANSWER_OBJECT, ANSWER_LIST };
static int read_back(struct request *r, struct tx *tx, const struct table *table,
                     const json_t *query_json, const struct item_key *keys, size_t count,
                     enum shape_of_answer shape)
{
    struct query query;
    struct buf b;
    response_begin(&b);
    int rc = query_parse(tx, table, query_json, &query);
    if (rc == 0) {
        query_restrict(tx, &query, keys, count);
        rc = shape == ANSWER_OBJECT ? items_write_one(tx, &query, &b)
                                    : items_write_list(tx, &query, &b);
    }
    if (rc == 0)
        rc = response_end(r, tx, &b);
    else
        buf_deinit(&b);
    if (rc == REFUSED) {
        r->problem = *tx->problem;
        fail(r);
        return 0;
    }
    return rc;
}

static int run_post(struct request *r, struct tx *tx)
{
    const struct seed_command *c = r->command;
    const json_t *data = json_get(c->message, "data");
    const struct table *table;
    int rc = find_table(tx, c, ACTION_CREATE, &table);
    if (rc != 0)
        return rc;
    if (json_is_object(data)) {
        struct item_key key;
        rc = items_create(tx, table, data, &key);
        return rc != 0 ? rc : read_back(r, tx, table, c->query, &key, 1, ANSWER_OBJECT);
    }
    if (!json_is_array(data))
        return refuse(tx, PROBLEM_INVALID_PAYLOAD,
                      "\"data\" must be an object or a list of objects");
    size_t count = json_array_size(data);
    struct item_key *keys = ARENA_ARRAY(tx->arena, struct item_key, count + 1);
    rc = items_check_batch(tx, count);
    for (size_t i = 0; i < count && rc == 0; i++)
        rc = items_create(tx, table, json_array_get(data, i), &keys[i]);
    return rc != 0 ? rc : read_back(r, tx, table, c->query, keys, count, ANSWER_LIST);
}

/* `ids` wins over `id`; falsy ones count as absent (A.3). Neither: *list_out is -1. */
enum { ADDRESS_NONE, ADDRESS_ONE, ADDRESS_LIST };
static int read_address(struct tx *tx, const struct seed_command *c, const struct table *table,
                        struct item_key **keys_out, size_t *count_out, int *address_out)
{
    const json_t *ids = json_get(c->message, "ids");
    const json_t *id = json_get(c->message, "id");
    *address_out = ADDRESS_NONE;
    *count_out = 0;
    if (json_truthy(ids)) {
        if (!json_is_array(ids))
            return refuse(tx, PROBLEM_INVALID_PAYLOAD, "\"ids\" must be a list of keys");
        *address_out = ADDRESS_LIST;
        *count_out = json_array_size(ids);
    } else if (json_truthy(id)) {
        *address_out = ADDRESS_ONE;
        *count_out = 1;
    }
    *keys_out = ARENA_ARRAY(tx->arena, struct item_key, *count_out + 1);
    for (size_t i = 0; i < *count_out; i++) {
        const json_t *key = *address_out == ADDRESS_LIST ? json_array_get(ids, i) : id;
        int rc = items_key(tx, table, key, &(*keys_out)[i]);
        if (rc != 0)
            return rc;
    }
    return 0;
}

static int run_patch(struct request *r, struct tx *tx)
{
    const struct seed_command *c = r->command;
    const json_t *data = json_get(c->message, "data");
    const struct table *table;
    struct item_key *keys, key;
    size_t count;
    int address;
    int rc = find_table(tx, c, ACTION_UPDATE, &table);
    if (rc == 0)
        rc = read_address(tx, c, table, &keys, &count, &address);
    if (rc != 0)
        return rc;
    if (!json_is_object(data))
        return refuse(tx, PROBLEM_INVALID_PAYLOAD, "\"data\" must be an object");
    if (address == ADDRESS_NONE) {
        if (!table->singleton)
            return refuse(tx, PROBLEM_INVALID_PAYLOAD, "\"id\" or \"ids\" is required");
        rc = items_upsert_singleton(tx, table, data, &key);
        return rc != 0 ? rc : read_back(r, tx, table, NULL, &key, 1, ANSWER_OBJECT);
    }
    rc = items_update(tx, table, keys, count, data);
    if (rc != 0)
        return rc;
    /* With `id` the read-back does not honour the query: all readable fields come (A.6). */
    return address == ADDRESS_ONE ? read_back(r, tx, table, NULL, keys, 1, ANSWER_OBJECT)
                                  : read_back(r, tx, table, c->query, keys, count, ANSWER_LIST);
}

static int run_delete(struct request *r, struct tx *tx)
{
    const struct seed_command *c = r->command;
    const struct table *table;
    struct item_key *keys;
    size_t count;
    int address;
    int rc = find_table(tx, c, ACTION_DELETE, &table);
    if (rc == 0)
        rc = read_address(tx, c, table, &keys, &count, &address);
    if (rc == 0 && address == ADDRESS_NONE)
        rc = refuse(tx, PROBLEM_INVALID_PAYLOAD, "\"id\" or \"ids\" is required");
    if (rc == 0)
        rc = items_delete(tx, table, keys, count);
    if (rc != 0)
        return rc;
    struct buf b;
    response_begin(&b);
    json_put_value(&b, json_get(c->message, address == ADDRESS_LIST ? "ids" : "id"));
    return response_end(r, tx, &b);
}

/* Passwords in the payload are hashed on a reader, so that the writer never waits for them. */
static int prepare(struct request *r, struct tx *tx)
{
    const struct seed_command *c = r->command;
    const struct table *table = find_known(tx->arena, tx->catalogue, c);
    return table ? payload_prepare(tx, table, json_get(c->message, "data")) : 0;
}

/* Success is silent (A.8). `query` and `uid` are options of the later versions (A.11). */
static int run_subscribe(struct request *r, struct tx *tx)
{
    const struct seed_command *c = r->command;
    const struct table *table;
    int rc = find_table(tx, c, ACTION_READ, &table);
    if (rc != 0 ||
        table->system) /* system collections are readable by name but produce no events */
        return rc;
    struct buf tail;
    buf_init(&tail, SIZE_MAX);
    put_uid(&tail, c->uid);
    if (c->uid)
        buf_put_char(&tail, '}');
    const json_t *query = json_get(c->message, "query");
    struct str uid = c->uid ? json_text(tx->arena, c->uid) : STR_NULL;
    rc = session_subscribe(r->session, tx, &seed_feed_ops, table->name,
                           json_is_object(query) ? c->query : NULL, uid, buf_str(&tail));
    buf_deinit(&tail);
    return rc;
}

static int run_unsubscribe(struct request *r, struct tx *tx)
{
    const struct seed_command *c = r->command;
    session_unsubscribe(r->session, c->uid ? json_text(tx->arena, c->uid) : STR_NULL);
    return 0;
}

static int run_mistake(struct request *r, struct tx *tx)
{
    const struct seed_command *c = r->command;
    return refuse(tx, PROBLEM_INVALID_PAYLOAD, "%.*s", STR_ARG(c->mistake));
}

/* The map of the dialect: one row for each type of message. */
static const struct verb {
    const char *type;
    bool needs_collection, writes_data;
    struct handler handler;
} verbs[] = {
    {"GET", true, false, {.name = "get", .lane = LANE_READ, .run = run_get, .fail = fail}},
    {"POST",
     true,
     true,
     {.name = "post", .lane = LANE_WRITE, .prepare = prepare, .run = run_post, .fail = fail}},
    {"PATCH",
     true,
     true,
     {.name = "patch", .lane = LANE_WRITE, .prepare = prepare, .run = run_patch, .fail = fail}},
    {"DELETE",
     true,
     false,
     {.name = "delete", .lane = LANE_WRITE, .run = run_delete, .fail = fail}},
    {"SUBSCRIBE",
     true,
     false,
     {.name = "subscribe", .lane = LANE_LOOP, .run = run_subscribe, .fail = fail}},
    {"UNSUBSCRIBE",
     false,
     false,
     {.name = "unsubscribe", .lane = LANE_LOOP, .run = run_unsubscribe, .fail = fail}},
};
static const struct handler mistake_handler = {
    .name = "mistake", .lane = LANE_LOOP, .run = run_mistake, .fail = fail};

static const struct verb *find_verb(struct str type)
{
    type = str_trim(type);
    for (size_t i = 0; i < COUNT_OF(verbs); i++)
        if (str_equal_nocase(type, str_of(verbs[i].type)))
            return &verbs[i];
    return NULL;
}

/*
 * The keys of a query that dialect A honours; a key with a falsy value is dropped, so `limit: 0`
 * means that no limit was given. The grouping key is called `group` here; both spellings are read.
 */
static json_t *clean_query(struct arena *a, const json_t *query)
{
    static const char *const honoured[] = {"fields", "sort",  "filter", "limit",
                                           "offset", "page",  "search", "aggregate",
                                           "deep",   "alias", "groupBy"};
    json_t *clean = json_object();
    arena_on_free(a, json_release, clean);
    for (size_t i = 0; i < COUNT_OF(honoured); i++) {
        json_t *value = json_get(query, honoured[i]);
        if (json_truthy(value))
            json_object_set(clean, honoured[i], value);
    }
    json_t *group = json_get(query, "group");
    if (json_truthy(group))
        json_object_set(clean, "groupBy", group);
    return clean;
}

static bool is_scalar(const json_t *value)
{
    return json_is_string(value) || json_is_number(value) || json_is_boolean(value);
}

/* Fills the command; returns what to do with it. */
static const struct handler *decode(struct request *r, struct seed_command *c, struct str text)
{
    json_t *message = NULL;
    struct str reason = STR_NULL;
    if (json_read_in(r->arena, text, &message, &reason) != 0) {
        c->mistake = arena_printf(r->arena, "The message is not JSON: %.*s", STR_ARG(reason));
        return &mistake_handler;
    }
    if (!json_is_object(message)) {
        c->mistake = STR("A message must be a JSON object");
        return &mistake_handler;
    }
    c->message = message;
    const json_t *uid = json_get(message, "uid");
    if (is_scalar(uid) && json_truthy(uid))
        c->uid = uid;
    const struct verb *verb = find_verb(json_get_str(message, "type"));
    if (!verb) {
        c->mistake =
            STR("\"type\" must be one of get, post, patch, delete, subscribe, unsubscribe");
        return &mistake_handler;
    }
    c->collection = json_get_str(message, "collection");
    if (verb->needs_collection && str_trim(c->collection).len == 0) {
        c->mistake = STR("\"collection\" is required");
        return &mistake_handler;
    }
    c->query = clean_query(r->arena, json_get(message, "query"));
    r->wants_prepare = verb->writes_data;
    return &verb->handler;
}

void seed_message(struct session *s, struct str text, bool binary)
{
    (void)binary; /* a binary frame that holds JSON is treated like a text frame (section 0) */
    struct request *r = session_request(s, &mistake_handler);
    struct seed_command *c = ARENA_NEW(r->arena, struct seed_command);
    r->command = c;
    r->bytes = text.len;
    r->handler = decode(r, c, text);
    if (r->wants_prepare) {
        const struct table *table = find_known(r->arena, session_principal(s)->catalogue, c);
        r->wants_prepare = table && payload_needs_preparing(table, json_get(c->message, "data"));
    }
    session_submit(s, r);
}
