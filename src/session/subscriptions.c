#include "session/internal.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/mem.h"

/* What all subscriptions of one session may say together. They are kept for as long as it lives,
 * and a query takes some dozen times as much as its text. */
enum { FOLLOWED_BYTES_MAX = 2 << 20 };

/* One subscription of a session, with its texts behind it. */
struct followed {
    struct subscription subscription;
    struct session *session;
    struct followed *next;
    unsigned bytes;
    struct str uid; /* absent: none */
    char text[];    /* collection, uid, tail */
};

static void on_deliver(struct subscription *s, struct frame *frame)
{
    connection_send(CONTAINER_OF(s, struct followed, subscription)->session->connection, frame);
}

/* It stays, and wakes when its access comes back. */
static void on_silenced(struct subscription *s)
{
    LOG_AT(LOG_DEBUG, "session", "a subscription to %.*s sleeps", STR_ARG(s->collection));
}

static const struct subscription_ops subscription_ops = {
    .deliver = on_deliver,
    .silenced = on_silenced,
};

static struct str keep(char **at, struct str s)
{
    struct str kept = s.at ? (struct str){*at, s.len} : STR_NULL;

    if (s.len > 0)
        memcpy(*at, s.at, s.len);
    *at += s.len;
    return kept;
}

static struct followed *followed_new(struct session *s, const struct feed_ops *ops,
                                     struct str collection, json_t *query, struct str uid,
                                     struct str tail)
{
    struct followed *f = mem_alloc(sizeof(*f) + collection.len + uid.len + tail.len);
    char *at = f->text;

    f->session = s;
    f->subscription.ops = &subscription_ops;
    f->subscription.feed_ops = ops;
    f->subscription.collection = keep(&at, collection);
    f->subscription.query = json_incref(query);
    f->uid = keep(&at, uid);
    f->subscription.tail = keep(&at, tail);
    return f;
}

static void followed_free(struct followed *f)
{
    hub_unbind(f->session->service->hub, &f->subscription);
    json_decref(f->subscription.query);
    mem_free(f);
}

static bool has_uid(const struct followed *f, struct str uid)
{
    return !f->uid.at == !uid.at && str_equal(f->uid, uid);
}

static struct followed **find(struct session *s, struct str collection, struct str uid)
{
    struct followed **at = &s->followed;

    while (*at && !(has_uid(*at, uid) && str_equal((*at)->subscription.collection, collection)))
        at = &(*at)->next;
    return at;
}

static int check_limits(const struct session *s, struct tx *tx, const struct followed *old,
                        size_t bytes)
{
    unsigned max = s->service->settings.subscriptions_max;
    size_t others = s->followed_bytes - (old ? old->bytes : 0);

    if (!old && s->followed_count >= max)
        return refuse(tx, PROBLEM_LIMIT_EXCEEDED, "At most %u subscriptions on one connection",
                      max);
    if (bytes > FOLLOWED_BYTES_MAX - others)
        return refuse(tx, PROBLEM_LIMIT_EXCEEDED,
                      "The subscriptions of one connection take at most %d bytes",
                      FOLLOWED_BYTES_MAX);
    return 0;
}

static void forget(struct session *s, struct followed *f)
{
    s->followed_count--;
    s->followed_bytes -= f->bytes;
    followed_free(f);
}

/* The new one takes the place of the old only when it is bound: a refusal changes nothing. */
int session_subscribe(struct session *s, struct tx *tx, const struct feed_ops *ops,
                      struct str collection, json_t *query, struct str uid, struct str tail)
{
    struct followed **place = find(s, collection, uid), *old = *place;
    size_t query_bytes = query ? json_text(tx->arena, query).len : 0;
    size_t bytes = collection.len + uid.len + tail.len + query_bytes;

    int rc = check_limits(s, tx, old, bytes);
    if (rc != 0)
        return rc;
    struct followed *f = followed_new(s, ops, collection, query, uid, tail);
    rc = hub_bind(s->service->hub, &f->subscription, tx);
    if (rc != 0) {
        followed_free(f);
        return rc;
    }
    f->bytes = (unsigned)bytes;
    f->next = old ? old->next : NULL;
    *place = f;
    s->followed_count++;
    s->followed_bytes += f->bytes;
    if (old)
        forget(s, old);
    return 0;
}

void session_unsubscribe(struct session *s, struct str uid)
{
    for (struct followed **at = &s->followed; *at;) {
        struct followed *f = *at;
        if (uid.at && !has_uid(f, uid)) {
            at = &f->next;
            continue;
        }
        *at = f->next;
        forget(s, f);
    }
}

void subscriptions_drop(struct session *s)
{
    session_unsubscribe(s, STR_NULL);
}

void subscriptions_rebind(struct session *s)
{
    struct service *v = s->service;
    struct caller caller = {0};

    if (!s->followed)
        return;
    AUTO(arena_free) struct arena *arena = arena_new();
    for (struct followed *f = s->followed; f; f = f->next) {
        struct problem problem = {0};
        struct tx tx = service_tx(v, arena, s->actor->principal, &problem, &caller);
        if (hub_bind(v->hub, &f->subscription, &tx) < 0)
            LOG_AT(LOG_ERROR, "session", "a subscription to %.*s failed: %s",
                   STR_ARG(f->subscription.collection), fault_text());
    }
}
