#ifndef TESTS_LIVE_FIXTURE_H
#define TESTS_LIVE_FIXTURE_H

/*
 * Hand-made catalogues and commits, and clients that write down what they hear. No store.
 */

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/mem.h"
#include "live/hub.h"
#include "model/system.h"
#include "store/expr.h"

enum { NOW_MS = 1700000000 };

/* ---- tables ---- */

enum { ID, TITLE, STATUS, OWNER, PRICE, EXPIRES, ARTICLE_COLUMNS };

static inline const struct column *article_columns(void)
{
    static const struct column columns[ARTICLE_COLUMNS] = {
        {.name = {"id", 2}, .type = TYPE_INTEGER, .index = ID, .primary_key = true},
        {.name = {"title", 5}, .type = TYPE_STRING, .index = TITLE, .nullable = true},
        {.name = {"status", 6}, .type = TYPE_STRING, .index = STATUS, .nullable = true},
        {.name = {"owner", 5}, .type = TYPE_STRING, .index = OWNER, .nullable = true},
        {.name = {"price", 5}, .type = TYPE_INTEGER, .index = PRICE, .nullable = true},
        {.name = {"expires", 7}, .type = TYPE_TIMESTAMP, .index = EXPIRES, .nullable = true},
    };
    return columns;
}

static inline const struct table *table_make(struct arena *a, struct str name)
{
    const struct column *columns = article_columns();
    struct table *t = ARENA_NEW(a, struct table);
    struct field *fields = ARENA_ARRAY(a, struct field, ARTICLE_COLUMNS);

    for (unsigned i = 0; i < ARTICLE_COLUMNS; i++)
        fields[i] = (struct field){.name = columns[i].name, .column = &columns[i], .table = t};
    *t = (struct table){
        .name = name,
        .shape = {.name = name, .columns = columns, .count = ARTICLE_COLUMNS, .key = ID},
        .fields = fields,
    };
    return t;
}

/* ---- catalogues ---- */

/* One permission row to read, of a user or (absent) of the public. */
struct rule {
    const char *user, *collection, *permissions, *fields; /* JSON; NULL: none, and "*" */
};

static inline const json_t *fixture_json(struct arena *a, const char *text)
{
    json_t *value = NULL;

    if (text)
        assert_int_equal(json_read_in(a, str_of(text), &value, NULL), 0);
    return value;
}

static inline struct policy *policy_make(struct arena *a, const struct rule *rule, size_t number)
{
    struct permission *permission = ARENA_NEW(a, struct permission);
    struct policy *policy = ARENA_NEW(a, struct policy);

    *permission = (struct permission){
        .id = (int64_t)number + 1,
        .collection = str_of(rule->collection),
        .action = STR("read"),
        .permissions = fixture_json(a, rule->permissions),
        .fields = fixture_json(a, rule->fields ? rule->fields : "[\"*\"]"),
    };
    *policy = (struct policy){
        .id = arena_printf(a, "00000000-0000-4000-8000-%012zu", number),
        .name = STR("a policy"),
        .permissions = permission,
        .permission_count = 1,
    };
    return policy;
}

static inline struct catalogue *catalogue_make(int64_t version, const struct rule *rules,
                                               size_t count)
{
    struct arena *a = arena_new();
    struct catalogue *c = ARENA_NEW(a, struct catalogue);
    const struct table **tables = ARENA_ARRAY(a, const struct table *, 3);
    const struct policy **policies = ARENA_ARRAY(a, const struct policy *, count);
    struct attachment *attachments = ARENA_ARRAY(a, struct attachment, count);

    atomic_init(&c->references, 1);
    c->arena = a;
    c->version = version;
    c->grants = grants_cache_new();
    tables[0] = table_make(a, STR("articles"));
    tables[1] = system_table(SYSTEM_USERS);
    tables[2] = table_make(a, STR("notes"));
    c->tables = tables;
    c->table_count = 3;
    for (size_t i = 0; i < c->table_count; i++)
        map_put(&c->tables_by_name, tables[i]->name, (void *)(uintptr_t)tables[i]);
    for (size_t i = 0; i < count; i++) {
        struct policy *policy = policy_make(a, &rules[i], i);
        policies[i] = policy;
        map_put(&c->policies_by_id, policy->id, policy);
        attachments[i] = (struct attachment){
            .policy = policy, .user = str_of(rules[i].user), .sort = (int64_t)i};
    }
    c->policies = policies;
    c->policy_count = c->attachment_count = count;
    c->attachments = attachments;
    return c;
}

static inline struct principal *principal_make(const struct catalogue *c, const char *user)
{
    const struct table *users = system_table(SYSTEM_USERS);

    if (!user)
        return principal_public(c, STR_NULL);
    AUTO(arena_free) struct arena *a = arena_new();
    struct value *row = ARENA_ARRAY(a, struct value, users->shape.count);
    row[system_column(SYSTEM_USERS, "id")] = value_text(str_of(user));
    row[system_column(SYSTEM_USERS, "status")] = value_text(STR("active"));
    return principal_user(c, row, STR_NULL);
}

/* ---- clients ---- */

struct client {
    struct subscription subscription;
    struct buf heard; /* all frames, each ended by a newline */
    const struct frame *last;
    unsigned silenced;
};

static inline void fixture_deliver(struct subscription *s, struct frame *frame)
{
    struct client *client = CONTAINER_OF(s, struct client, subscription);

    buf_put(&client->heard, frame->bytes, frame->size);
    buf_put_char(&client->heard, '\n');
    client->last = frame;
}

static inline void fixture_silenced(struct subscription *s)
{
    CONTAINER_OF(s, struct client, subscription)->silenced++;
}

/* "update 3,4 title,status": kind (a moved one in capitals), keys, the fields that may be seen. */
static inline void fixture_write(const struct feed *feed, const struct event *e, struct buf *b)
{
    static const char *const names[2][3] = {{"create", "update", "delete"},
                                            {"CREATE", "UPDATE", "DELETE"}};
    char before = ' ';

    assert_ptr_equal(feed_query(feed)->table, e->table);
    assert_int_equal(e->now_ms, NOW_MS);
    buf_printf(b, "%s %s", e->table->name.at, names[e->moved][e->kind]);
    for (size_t i = 0; i < e->count; i++, before = ',') {
        buf_put_char(b, before);
        item_key_write(b, table_key(e->table), &e->changes[i]->key);
    }
    before = ' ';
    for (unsigned i = 0; i < e->table->shape.count && e->kind != EVENT_DELETE; i++)
        if (column_set_has(&e->visible, i)) {
            buf_put_char(b, before);
            buf_put_str(b, e->table->shape.columns[i].name);
            before = ',';
        }
}

static inline struct frame *fixture_frame(struct str body, struct str tail)
{
    return frame_from(body, tail);
}

static const struct feed_ops fixture_feed_ops = {
    .dialect = "test", .write = fixture_write, .frame = fixture_frame};
static const struct subscription_ops fixture_ops = {.deliver = fixture_deliver,
                                                    .silenced = fixture_silenced};

static inline void client_init(struct client *client, const char *collection, const char *query)
{
    *client = (struct client){.subscription = {
                                  .ops = &fixture_ops,
                                  .feed_ops = &fixture_feed_ops,
                                  .collection = str_of(collection),
                              }};
    buf_init(&client->heard, SIZE_MAX);
    if (query)
        assert_int_equal(json_read(NULL, str_of(query), &client->subscription.query, NULL), 0);
}

static inline void client_deinit(struct client *client)
{
    json_decref(client->subscription.query);
    buf_deinit(&client->heard);
}

static inline int client_bind(struct client *client, struct hub *h, const struct principal *p)
{
    static const struct model_settings settings = {
        .query_limit_default = 100, .query_limit_max = -1, .filter_depth_max = 32};
    struct problem problem = {0};
    struct caller caller = {0};
    AUTO(arena_free) struct arena *arena = arena_new();
    struct tx tx = {
        .settings = &settings,
        .arena = arena,
        .catalogue = p->catalogue,
        .principal = p,
        .problem = &problem,
        .caller = &caller,
        .now_ms = NOW_MS,
    };

    return hub_bind(h, &client->subscription, &tx);
}

/* Checks what was heard since the last time. */
#define assert_heard(client, text)                                                                 \
    do {                                                                                           \
        buf_put_char(&(client)->heard, '\0');                                                      \
        assert_string_equal((client)->heard.at, (text));                                           \
        buf_clear(&(client)->heard);                                                               \
    } while (0)

/* ---- commits ---- */

struct article {
    int id;
    const char *title, *status, *owner; /* NULL: null */
    int price;
    const char *expires;
};

static inline struct value fixture_text(const char *text)
{
    return text ? value_text(str_of(text)) : value_null();
}

static inline void article_row(const struct article *article, struct value *row)
{
    row[ID] = value_integer(article->id);
    row[TITLE] = fixture_text(article->title);
    row[STATUS] = fixture_text(article->status);
    row[OWNER] = fixture_text(article->owner);
    row[PRICE] = value_integer(article->price);
    row[EXPIRES] = fixture_text(article->expires);
}

struct script {
    struct commit *commit;
    struct tx tx;
    unsigned operation;
};

static inline void script_begin(struct script *s, const struct catalogue *c)
{
    *s = (struct script){.commit = commit_new(c)};
    s->tx.commit = s->commit;
}

static inline void script_operation(struct script *s)
{
    s->operation = commit_operation(&s->tx);
}

/* One change: before NULL is a create, after NULL a delete. */
static inline void script_submitted(struct script *s, const char *table,
                                    const struct article *before, const struct article *after,
                                    const struct column_set *submitted)
{
    struct value old[ARTICLE_COLUMNS], new[ARTICLE_COLUMNS];
    enum change_kind kind = before ? (after ? CHANGE_UPDATE : CHANGE_DELETE) : CHANGE_CREATE;

    if (before)
        article_row(before, old);
    if (after)
        article_row(after, new);
    struct item_key key = {.value = value_integer(after ? after->id : before->id)};
    commit_record(&s->tx, s->operation, kind, catalogue_table(s->commit->catalogue, str_of(table)),
                  &key, before ? old : NULL, after ? new : NULL, submitted);
}

/* The same; everything that differs was submitted. */
static inline void script_change(struct script *s, const char *table, const struct article *before,
                                 const struct article *after)
{
    struct value old[ARTICLE_COLUMNS], new[ARTICLE_COLUMNS];
    struct column_set submitted = {0};

    if (before)
        article_row(before, old);
    if (after)
        article_row(after, new);
    for (unsigned i = 0; i < ARTICLE_COLUMNS && after; i++)
        if (!before || !value_equal(&old[i], &new[i]))
            column_set_add(&submitted, i);
    script_submitted(s, table, before, after, &submitted);
}

static inline void script_publish(struct script *s, struct hub *h)
{
    hub_publish(h, s->commit, NOW_MS);
    commit_unref(s->commit);
}

/* A commit of one change of `articles`. */
static inline void publish(struct hub *h, const struct catalogue *c, const struct article *before,
                           const struct article *after)
{
    struct script s;

    script_begin(&s, c);
    script_operation(&s);
    script_change(&s, "articles", before, after);
    script_publish(&s, h);
}

#endif
