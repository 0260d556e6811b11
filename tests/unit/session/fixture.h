#ifndef TESTS_SESSION_FIXTURE_H
#define TESTS_SESSION_FIXTURE_H

/*
 * A service on a real loop, with real threads and a model on a database of its own; the connections
 * are ours: they write down what they are sent. The test turns the loop until what it waits for is
 * there, and holds workers at a gate where the order of things matters.
 */

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <sched.h>
#include <semaphore.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/mem.h"
#include "model/identity/identity.h"
#include "model/items/items.h"
#include "model/schema/schema.h"
#include "session/internal.h"
#include "unit/database.h"

/* ---- net, played by the test ---- */

struct net {
    struct service *service;
};
struct connection {
    void *user;
    struct net *net;
    uint64_t id;
    bool websocket, paused, closing, keep_alive, full;
    enum net_close_reason reason;
    unsigned responded;
    struct buf sent; /* all frames, each ended by a newline */
};

void *net_user(const struct net *n)
{
    return n->service;
}
struct net *connection_net(const struct connection *c)
{
    return c->net;
}
void connection_set_user(struct connection *c, void *user)
{
    c->user = user;
}
void *connection_user(const struct connection *c)
{
    return c->user;
}
struct str connection_address(const struct connection *c)
{
    (void)c;
    return STR("127.0.0.1");
}
uint64_t connection_id(const struct connection *c)
{
    return c->id;
}
void connection_send(struct connection *c, struct frame *frame)
{
    if (c->closing)
        return;
    buf_put(&c->sent, frame->bytes, frame->size);
    buf_put_char(&c->sent, '\n');
}
void connection_responded(struct connection *c, bool keep_alive)
{
    c->responded++;
    c->keep_alive = keep_alive;
}
void connection_upgrade(struct connection *c)
{
    c->websocket = true;
}
void connection_close(struct connection *c, enum net_close_reason reason)
{
    if (!c->closing)
        c->reason = reason;
    c->closing = true;
}
bool connection_is_full(const struct connection *c)
{
    return c->full;
}
void connection_pause(struct connection *c)
{
    c->paused = true;
}
void connection_resume(struct connection *c)
{
    c->paused = false;
}

/* ---- the dialect: wishes that the test makes ---- */

struct wish {
    const char *collection, *key, *json;
    int stall_ms;
};

static sem_t gate, arrived; /* a gated handler posts `arrived` and waits at the gate */
static _Atomic(unsigned) run_count;

static void pass_gate(void)
{
    sem_post(&arrived);
    while (sem_wait(&gate) != 0)
        ;
}

static void PRINTF_LIKE(2, 3) say(struct request *r, const char *format, ...)
{
    struct buf b;
    va_list arguments;

    buf_init(&b, SIZE_MAX);
    va_start(arguments, format);
    buf_vprintf(&b, format, arguments);
    va_end(arguments);
    frame_unref(r->reply);
    r->reply = frame_from(buf_str(&b), STR_NULL);
    buf_deinit(&b);
}

static const json_t *wish_json(struct tx *tx, const struct wish *w)
{
    json_t *json = NULL;

    assert_int_equal(json_read_in(tx->arena, str_of(w->json), &json, NULL), 0);
    return json;
}

static int run_create(struct request *r, struct tx *tx)
{
    const struct wish *w = r->command;
    const struct table *table;
    struct item_key key;

    int rc = items_table(tx, str_of(w->collection), ACTION_CREATE, &table);
    if (rc == 0)
        rc = items_create(tx, table, wish_json(tx, w), &key);
    if (rc != 0)
        return rc;
    if (w->stall_ms > 0)
        r->stall_until_ms = clock_monotonic_ms() + w->stall_ms;
    if (key.value.kind == VALUE_INTEGER)
        say(r, "%screated %d", r->prepared ? "prepared and " : "", (int)key.value.integer);
    else
        say(r, "created");
    return 0;
}
static int run_gated_create(struct request *r, struct tx *tx)
{
    pass_gate();
    return run_create(r, tx);
}
static int run_update(struct request *r, struct tx *tx)
{
    const struct wish *w = r->command;
    const struct table *table;
    struct item_key key;

    int rc = items_table(tx, str_of(w->collection), ACTION_UPDATE, &table);
    if (rc == 0)
        rc = items_key_text(tx, table, str_of(w->key), &key);
    if (rc == 0)
        rc = items_update(tx, table, &key, 1, wish_json(tx, w));
    if (rc == 0)
        say(r, "updated");
    return rc;
}
static int run_delete(struct request *r, struct tx *tx)
{
    const struct wish *w = r->command;
    const struct table *table;
    struct item_key key;

    int rc = items_table(tx, str_of(w->collection), ACTION_DELETE, &table);
    if (rc == 0)
        rc = items_key_text(tx, table, str_of(w->key), &key);
    if (rc == 0)
        rc = items_delete(tx, table, &key, 1);
    if (rc == 0)
        say(r, "deleted");
    return rc;
}
static int run_count_rows(struct request *r, struct tx *tx)
{
    const struct table *table;
    struct query query;
    int64_t count;

    int rc = items_table(tx, STR("articles"), ACTION_READ, &table);
    if (rc == 0)
        rc = query_parse(tx, table, NULL, &query);
    if (rc == 0)
        rc = items_count(tx, &query, QUERY_FILTER_COUNT, &count);
    if (rc == 0)
        say(r, "%d rows", (int)count);
    return rc;
}
static int run_fault(struct request *r, struct tx *tx)
{
    int rc = run_create(r, tx);

    return rc != 0 ? rc : FAULT_BECAUSE(EIO, "a test");
}
static int run_refusal(struct request *r, struct tx *tx)
{
    int rc = run_create(r, tx);

    return rc != 0 ? rc : refuse(tx, PROBLEM_INVALID_PAYLOAD, "a test");
}
static int prepare(struct request *r, struct tx *tx)
{
    (void)r;
    tx->prepared = ARENA_NEW(tx->arena, struct prepared);
    return 0;
}
static int run_add_field(struct request *r, struct tx *tx)
{
    const struct wish *w = r->command;
    struct str name;

    int rc = schema_create_field(tx, str_of(w->collection), wish_json(tx, w), &name);
    if (rc == 0)
        say(r, "added %.*s", STR_ARG(name));
    return rc;
}

static void write_event(const struct feed *feed, const struct event *e, struct buf *b)
{
    static const char *const names[] = {"create", "update", "delete"};

    (void)feed;
    buf_printf(b, "event %s", names[e->kind]);
    for (size_t i = 0; i < e->count; i++) {
        buf_put_char(b, ' ');
        item_key_write(b, table_key(e->table), &e->changes[i]->key);
    }
}
static const struct feed_ops feed_ops = {
    .dialect = "test", .write = write_event, .frame = frame_from};

static int run_follow(struct request *r, struct tx *tx)
{
    const struct wish *w = r->command;

    int rc = session_subscribe(r->session, tx, &feed_ops, str_of(w->collection), NULL,
                               str_of(w->key), STR_NULL);
    if (rc == 0)
        say(r, "following");
    return rc;
}
static int run_unfollow(struct request *r, struct tx *tx)
{
    (void)tx;
    session_unsubscribe(r->session, str_of(((const struct wish *)r->command)->key));
    return 0;
}
static int run_upgrade(struct request *r, struct tx *tx)
{
    (void)tx;
    run_count++;
    say(r, "switching");
    return 0;
}
static int run_gated_upgrade(struct request *r, struct tx *tx)
{
    if (run_count == 0)
        pass_gate();
    return run_upgrade(r, tx);
}
static void done_upgrade(struct request *r)
{
    if (r->result == 0)
        session_upgraded(r->session, r->principal);
}
static void say_problem(struct request *r)
{
    static const char *const names[] = {"no problem",
#define X(name, status, code) #name,
                                        PROBLEM_KINDS(X)
#undef X
    };
    say(r, "%s", names[r->problem.kind]);
}

static char committed_by[64]; /* the user that the commit names */
static void note_user(struct request *r)
{
    snprintf(committed_by, sizeof(committed_by), "%.*s", STR_ARG(r->commit->user));
}

#define HANDLER(its_lane, its_run)                                                                 \
    {                                                                                              \
        .name = #its_run, .lane = (its_lane), .run = (its_run), .fail = say_problem                \
    }
static const struct handler create = HANDLER(LANE_WRITE, run_create);
static const struct handler gated_create = HANDLER(LANE_WRITE, run_gated_create);
static const struct handler update = HANDLER(LANE_WRITE, run_update);
static const struct handler erase = HANDLER(LANE_WRITE, run_delete);
static const struct handler faulty = HANDLER(LANE_WRITE, run_fault);
static const struct handler refused = HANDLER(LANE_WRITE, run_refusal);
static const struct handler count_rows = HANDLER(LANE_READ, run_count_rows);
static const struct handler add_field = HANDLER(LANE_SCHEMA, run_add_field);
static const struct handler follow = HANDLER(LANE_LOOP, run_follow);
static const struct handler unfollow = HANDLER(LANE_LOOP, run_unfollow);
static const struct handler prepared_create = {.name = "prepared create",
                                               .lane = LANE_WRITE,
                                               .prepare = prepare,
                                               .run = run_create,
                                               .fail = say_problem};
static const struct handler noted_create = {.name = "noted create",
                                            .lane = LANE_WRITE,
                                            .run = run_create,
                                            .fail = say_problem,
                                            .done = note_user};
static const struct handler upgrade = {.name = "upgrade",
                                       .lane = LANE_READ,
                                       .run = run_upgrade,
                                       .fail = say_problem,
                                       .done = done_upgrade};
static const struct handler gated_upgrade = {.name = "gated upgrade",
                                             .lane = LANE_READ,
                                             .run = run_gated_upgrade,
                                             .fail = say_problem,
                                             .done = done_upgrade};

static void take_http(struct session *s, struct http_request *http)
{
    struct request *r = session_request(s, &count_rows);

    r->http = http;
    r->keep_alive = http->keep_alive;
    session_submit(s, r);
}
static void take_message(struct session *s, struct str text, bool binary)
{
    (void)text, (void)binary;
    session_submit(s, session_request(s, &count_rows));
}
static struct frame *bad_http(int status)
{
    struct buf b;

    buf_init(&b, SIZE_MAX);
    buf_printf(&b, "bad %d", status);
    struct frame *frame = frame_from(buf_str(&b), STR_NULL);
    buf_deinit(&b);
    return frame;
}

/* What the dialect does with a commit; NULL: nothing. */
static void (*told)(struct service *v, const struct commit *commit, int64_t now_ms);
static void tell_commit(struct service *v, const struct commit *commit, int64_t now_ms)
{
    if (told)
        told(v, commit, now_ms);
}

static const struct dialect dialect = {.name = "test",
                                       .http = take_http,
                                       .message = take_message,
                                       .bad_http = bad_http,
                                       .committed = tell_commit};
static const struct dialect *guest; /* another one beside it; NULL: none */

/* ---- the world ---- */

#define USER "00000000-0000-4000-9000-00000000000a"
#define POLICY "00000000-0000-4000-9000-0000000000a0"

struct world {
    struct database database;
    struct model_settings model_settings;
    struct service_settings settings;
    struct model *model;
    struct loop *loop;
    struct net net;
    struct service *service;
    uint64_t connections;
    struct connection *open[8]; /* for the end of a test that failed */
};

static int create_item(struct tx *tx, const char *collection, const char *text)
{
    const struct table *table;
    struct item_key key;
    json_t *json = NULL;

    assert_int_equal(json_read_in(tx->arena, str_of(text), &json, NULL), 0);
    int rc = items_table(tx, str_of(collection), ACTION_CREATE, &table);
    return rc != 0 ? rc : items_create(tx, table, json, &key);
}

static int create_table(struct tx *tx, void *context)
{
    json_t *json = NULL;
    struct str name;

    (void)context;
    assert_int_equal(json_read_in(tx->arena,
                                  STR("{\"collection\":\"articles\",\"schema\":{},\"fields\":["
                                      "{\"field\":\"id\",\"type\":\"integer\",\"schema\":"
                                      "{\"is_primary_key\":true,\"has_auto_increment\":true}},"
                                      "{\"field\":\"title\",\"type\":\"string\"}]}"),
                                  &json, NULL),
                     0);
    return schema_create_collection(tx, json, &name);
}

static int create_people(struct tx *tx, void *context)
{
    (void)context;
    int rc = identity_create_admin(tx, STR("admin@example.com"), STR_NULL, STR("admin-token"));
    if (rc == 0)
        rc = create_item(tx, "directus_users",
                         "{\"id\":\"" USER "\",\"email\":\"user@example.com\","
                         "\"token\":\"user-token\"}");
    if (rc == 0)
        rc = create_item(tx, "directus_policies", "{\"id\":\"" POLICY "\",\"name\":\"reads\"}");
    if (rc == 0)
        rc = create_item(tx, "directus_permissions",
                         "{\"policy\":\"" POLICY "\",\"collection\":\"articles\","
                         "\"action\":\"read\",\"fields\":[\"*\"],\"permissions\":{}}");
    if (rc == 0)
        rc = create_item(tx, "directus_permissions",
                         "{\"policy\":\"" POLICY "\",\"collection\":\"articles\","
                         "\"action\":\"create\",\"fields\":[\"*\"],\"permissions\":{}}");
    if (rc == 0)
        rc =
            create_item(tx, "directus_access", "{\"policy\":\"" POLICY "\",\"user\":\"" USER "\"}");
    return rc;
}

static void fill(struct model *m, enum writer_kind kind, int (*fn)(struct tx *tx, void *context))
{
    AUTO(arena_free) struct arena *arena = arena_new();
    AUTO(catalogue_unref) struct catalogue *catalogue = model_catalogue(m);
    AUTO(principal_unref) struct principal *system = principal_system(catalogue);
    AUTO(commit_unref) struct commit *commit = NULL;
    struct problem problem = {0};
    struct caller caller = {0};
    struct tx tx = {.arena = arena, .principal = system, .problem = &problem, .caller = &caller};
    struct writer *w;

    assert_int_equal(writer_open(m, &w), 0);
    assert_int_equal(writer_begin(w, kind), 0);
    int rc = writer_run(w, &tx, fn, NULL, &commit);
    if (rc != 0)
        fail_msg("%d %.*s %s", problem.kind, STR_ARG(problem.reason), rc < 0 ? fault_text() : "");
    assert_int_equal(writer_commit(w), 0);
    writer_close(w);
}

static void world_start(struct world *w)
{
    w->loop = loop_new();
    const struct dialect *const dialects[] = {&dialect, guest};
    assert_int_equal(
        service_new(w->loop, w->model, &w->settings, dialects, guest ? 2 : 1, &w->service), 0);
    w->net.service = w->service;
}

static int setup(void **state)
{
    struct world *w = MEM_NEW(struct world);

    database_make(&w->database);
    w->model_settings = (struct model_settings){
        .store = w->database.settings,
        .secret = STR("a secret of a test, long enough for anyone"),
        .access_token_ttl_ms = 900000,
        .refresh_token_ttl_ms = 604800000,
        .query_limit_default = 100,
        .query_limit_max = -1,
        .batch_mutation_max = -1,
        .filter_depth_max = 32,
        .login_attempts_max = 25,
        .journal_retention_ms = 86400000,
        .argon2_memory_kib = 64,
        .argon2_passes = 1,
    };
    w->settings = (struct service_settings){
        .readers = 2,
        .writer_batch_max = 100,
        .writer_queue_max = 100,
        .reader_queue_max = 100,
        .preparer_queue_max = 100,
        .session_requests_max = 50,
        .subscriptions_max = 3,
    };
    assert_int_equal(model_open(&w->model_settings, &w->model), 0);
    fill(w->model, WRITER_SCHEMA, create_table);
    fill(w->model, WRITER_ROWS, create_people);
    sem_init(&gate, 0, 0);
    sem_init(&arrived, 0, 0);
    run_count = 0;
    world_start(w);
    *state = w;
    return 0;
}

/* ---- clients ---- */

#define UNTIL(condition)                                                                           \
    while (!(condition))                                                                           \
    uv_run(loop_uv(w->loop), UV_RUN_ONCE)

static struct connection *client_open(struct world *w)
{
    struct connection *c = MEM_NEW(struct connection);

    c->net = &w->net;
    c->id = ++w->connections;
    buf_init(&c->sent, SIZE_MAX);
    for (size_t i = 0; i < COUNT_OF(w->open); i++)
        if (!w->open[i]) {
            w->open[i] = c;
            break;
        }
    service_connection_ops()->opened(c);
    return c;
}

static void client_close(struct connection *c)
{
    struct world *w = CONTAINER_OF(c->net, struct world, net);

    for (size_t i = 0; i < COUNT_OF(w->open); i++)
        if (w->open[i] == c)
            w->open[i] = NULL;
    service_connection_ops()->closed(c, NET_CLOSE_PEER_CLOSED);
    buf_deinit(&c->sent);
    mem_free(c);
}

static bool is_idle(const struct connection *c)
{
    return !((const struct session *)c->user)->first;
}

static struct http_request *http_new(void)
{
    struct arena *arena = arena_new();
    struct http_request *http = ARENA_NEW(arena, struct http_request);

    http->arena = arena;
    http->keep_alive = true;
    return http;
}

static struct request *wish(struct connection *c, const struct handler *handler,
                            const char *collection, const char *key, const char *json)
{
    struct request *r = session_request(c->user, handler);
    struct wish *wish = ARENA_NEW(r->arena, struct wish);

    *wish = (struct wish){.collection = collection, .key = key, .json = json};
    r->command = wish;
    return r;
}

static void ask(struct connection *c, const struct handler *handler, const char *collection,
                const char *key, const char *json)
{
    session_submit(c->user, wish(c, handler, collection, key, json));
}

static inline void ask_create(struct connection *c, const struct handler *handler)
{
    ask(c, handler, "articles", NULL, "{\"title\":\"Harvest\"}");
}

static void ask_upgrade(struct connection *c, const struct handler *handler, const char *token)
{
    struct request *r = wish(c, handler, NULL, NULL, NULL);

    r->http = http_new();
    r->http->upgrade = true;
    r->token = str_of(token);
    session_submit(c->user, r);
}

/* A WebSocket of whoever the token names. */
static struct connection *client_connect(struct world *w, const char *token)
{
    struct connection *c = client_open(w);

    ask_upgrade(c, &upgrade, token);
    UNTIL(is_idle(c));
    assert_true(c->websocket);
    buf_clear(&c->sent);
    return c;
}

static int teardown(void **state)
{
    struct world *w = *state;

    for (size_t i = 0; i < COUNT_OF(w->open); i++) {
        sem_post(&gate);
        if (w->open[i])
            client_close(w->open[i]);
    }
    service_free(w->service);
    loop_free(w->loop);
    model_close(w->model);
    database_drop(&w->database);
    sem_destroy(&gate);
    sem_destroy(&arrived);
    mem_free(w);
    told = NULL;
    guest = NULL;
    return 0;
}

/* Checks what was sent since the last time. */
#define assert_sent(c, text)                                                                       \
    do {                                                                                           \
        buf_put_char(&(c)->sent, '\0');                                                            \
        assert_string_equal((c)->sent.at, (text));                                                 \
        buf_clear(&(c)->sent);                                                                     \
    } while (0)

#endif
