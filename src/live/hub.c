#include "live/hub.h"

#include <assert.h>

#include "base/mem.h"
#include "live/feed.h"
#include "model/items/items.h"

/*
 * Publishing: a commit is cut into operations, an operation into groups of changes that one event
 * can tell (hub.h). Each group is told to the plain feeds of its table, and to those that the index
 * finds for one of its rows, with exactly the changes it was found for. So an update of a thousand
 * rows of a thousand owners costs each owner's feed one row.
 */

struct hub *hub_new(struct model *model)
{
    struct hub *h = MEM_NEW(struct hub);

    h->model = model;
    /* Without a ceiling: an event is not larger than the commit that it tells, times a constant. */
    buf_init(&h->body, SIZE_MAX);
    return h;
}

void hub_free(struct hub *h)
{
    if (!h)
        return;
    assert(h->stats.subscriptions == 0 && h->feeds.count == 0 && h->topics.count == 0);
    map_deinit(&h->topics);
    map_deinit(&h->feeds);
    buf_deinit(&h->body);
    mem_free(h->rest.at);
    mem_free(h->group.at);
    mem_free(h->mine.at);
    mem_free(h->enters.at);
    mem_free(h->stays.at);
    mem_free(h->alike.at);
    mem_free(h->leaves.at);
    mem_free(h->hits);
    mem_free(h);
}

const struct hub_stats *hub_stats(const struct hub *h)
{
    return &h->stats;
}

/* ---- subscriptions ---- */

static int compile(struct hub *h, const struct subscription *s, struct tx *tx,
                   struct query *query_out)
{
    const struct table *table;

    if (!tx->settings) {
        tx->model = h->model;
        tx->settings = model_settings(h->model);
    }
    int rc = items_table(tx, s->collection, ACTION_READ, &table);
    if (rc != 0)
        return rc;
    return query_parse(tx, table, s->query, query_out);
}

int hub_bind(struct hub *h, struct subscription *s, struct tx *tx)
{
    assert(!h->commit);

    struct query query;
    struct feed *was = s->feed;
    int rc = compile(h, s, tx, &query);
    if (rc != 0) {
        hub_unbind(h, s);
        if (was && s->ops->silenced)
            s->ops->silenced(s);
        return rc;
    }

    struct feed *feed = feed_take(h, &query, s->feed_ops, s->query != NULL, tx->principal);
    if (feed != was) {
        hub_unbind(h, s);
        feed_follow(h, feed, s);
    }
    h->stats.feeds = h->feeds.count;
    return 0;
}

void hub_unbind(struct hub *h, struct subscription *s)
{
    assert(!h->commit);
    if (!s->feed)
        return;
    feed_leave(h, s);
    h->stats.feeds = h->feeds.count;
}

/* ---- publishing ---- */

struct search {
    struct hub *hub;
    const struct change *change;
    struct feed *hit_feeds; /* each once, through next_hit */
};

static size_t push_hit(struct hub *h, const struct change *change)
{
    if (h->hit_count == h->hit_capacity) {
        h->hit_capacity = h->hit_capacity > 0 ? 2 * h->hit_capacity : 16;
        h->hits = mem_resize(h->hits, h->hit_capacity * sizeof(*h->hits));
    }
    h->hits[h->hit_count++] = (struct hit){.change = change};
    return h->hit_count;
}

/* Before and after image, or two values of one list, may find the same feed: once is enough. */
static void on_found(void *context, struct feed *f)
{
    struct search *search = context;
    struct hub *h = search->hub;

    if (f->round != h->round) {
        f->round = h->round;
        f->hit_first = f->hit_last = push_hit(h, search->change);
        f->next_hit = search->hit_feeds;
        search->hit_feeds = f;
    } else if (h->hits[f->hit_last - 1].change != search->change) {
        size_t hit = push_hit(h, search->change);
        h->hits[f->hit_last - 1].next = hit;
        f->hit_last = hit;
    }
}

static void tell_indexed(struct hub *h, struct topic *t)
{
    struct search search = {.hub = h};

    h->round++;
    h->hit_count = 0;
    for (size_t i = 0; i < h->group.count; i++) {
        search.change = h->group.at[i];
        if (search.change->before)
            feed_index_find(&t->index, search.change->before, on_found, &search);
        if (search.change->after)
            feed_index_find(&t->index, search.change->after, on_found, &search);
    }
    for (struct feed *f = search.hit_feeds; f; f = f->next_hit) {
        h->mine.count = 0;
        for (size_t hit = f->hit_first; hit != 0; hit = h->hits[hit - 1].next)
            change_list_push(&h->mine, h->hits[hit - 1].change);
        feed_tell(h, f, h->mine.at, h->mine.count);
    }
}

static void tell_group(struct hub *h)
{
    struct topic *t = map_get(&h->topics, h->group.at[0]->table->name);

    if (!t)
        return;
    for (struct feed *f = t->plain; f; f = f->next)
        feed_tell(h, f, h->group.at, h->group.count);
    if (t->index.count > 0)
        tell_indexed(h, t);
}

static bool sets_equal(const struct column_set *a, const struct column_set *b)
{
    return memcmp(a->words, b->words, sizeof(a->words)) == 0;
}

/*
 * May two changes of one operation be told in one event? Effects (a reference set to null, a row
 * deleted by cascade) share the operation, but not the table, the kind or the fields.
 */
static bool fit_together(const struct change *a, const struct change *b)
{
    return a->table == b->table && a->kind == b->kind && sets_equal(&a->submitted, &b->submitted) &&
           (!column_set_is_empty(&a->submitted) || sets_equal(&a->changed, &b->changed));
}

/* Moves the first change of `rest`, and all that fit to it, into `group`. */
static void cut_group(struct hub *h)
{
    const struct change *first = h->rest.at[0];
    size_t kept = 0;

    h->group.count = 0;
    for (size_t i = 0; i < h->rest.count; i++)
        if (fit_together(first, h->rest.at[i]))
            change_list_push(&h->group, h->rest.at[i]);
        else
            h->rest.at[kept++] = h->rest.at[i];
    h->rest.count = kept;
}

void hub_publish(struct hub *h, const struct commit *commit, int64_t now_ms)
{
    assert(!h->commit);

    h->stats.commits++;
    h->stats.changes += commit->count;
    if (h->feeds.count == 0)
        return;
    h->commit = commit;
    h->now_ms = now_ms;
    for (size_t i = 0; i < commit->count;) {
        unsigned operation = commit->changes[i]->operation;
        h->rest.count = 0;
        for (; i < commit->count && commit->changes[i]->operation == operation; i++)
            change_list_push(&h->rest, commit->changes[i]);
        while (h->rest.count > 0) {
            cut_group(h);
            tell_group(h);
        }
    }
    h->commit = NULL;
}
