#include "live/feed.h"

#include <assert.h>

#include "base/mem.h"

/*
 * Equal keys, equal feeds: the class says which rows and fields the principal sees, the rest what
 * the client made of it. The catalogue keeps feeds apart while followers move from one to the next;
 * catalogues that share their content count as one. The feed holds it, so no other gets its
 * address meanwhile.
 */
static void put_key(struct buf *b, const struct query *q, const struct feed_ops *ops,
                    bool has_query, const struct principal *principal)
{
    const struct str table = q->table->name, class = q->grant->class_key;
    const struct catalogue *catalogue = principal->catalogue;
    const void *content = catalogue->base ? catalogue->base : catalogue;

    buf_printf(b, "%p %p %d %zu ", content, (const void *)ops, has_query, table.len);
    buf_put_str(b, table);
    buf_printf(b, " %zu ", class.len);
    buf_put_str(b, class);
    for (size_t i = 0; i < q->output_count; i++)
        buf_printf(b, " %u", q->outputs[i].column->index);
    buf_put_lit(b, " | ");
    expr_put_key(b, q->filter);
}

/* What the grant has lives as long as the principal; only the client's own part is copied. */
static const struct expr *keep(struct arena *a, const struct query *q, const struct expr *x)
{
    return x == q->grant->rows ? x : expr_copy(a, x);
}

static void copy_query(struct feed *f, const struct query *q)
{
    struct output *outputs = ARENA_ARRAY(f->arena, struct output, q->output_count);
    struct str *labels = ARENA_ARRAY(f->arena, struct str, q->output_count);

    for (size_t i = 0; i < q->output_count; i++) {
        labels[i] = arena_str(f->arena, q->labels[i]);
        outputs[i] = q->outputs[i];
        if (outputs[i].mask)
            outputs[i].mask = expr_copy(f->arena, outputs[i].mask);
    }
    f->query = *q;
    f->query.outputs = outputs;
    f->query.labels = labels;
    f->query.filter = expr_copy(f->arena, q->filter);
    f->query.where = keep(f->arena, q, q->where);
    f->query.orders = NULL; /* changes come in the order of the journal */
    f->query.order_count = 0;
}

static void find_readable(struct feed *f)
{
    const struct query *q = &f->query;

    for (unsigned i = 0; i < COLUMN_WORDS; i++)
        f->readable.words[i] = q->fields.words[i] & q->grant->fields.words[i];
    for (unsigned i = 0; i < q->table->shape.count; i++)
        f->masked |= q->grant->masks && q->grant->masks[i] && column_set_has(&f->readable, i);
}

static struct topic *take_topic(struct hub *h, struct str name)
{
    struct topic *t = map_get(&h->topics, name);

    if (!t) {
        t = MEM_NEW(struct topic);
        map_put(&h->topics, name, t);
    }
    return t;
}

static void enter_topic(struct hub *h, struct feed *f)
{
    struct topic *t = take_topic(h, f->query.table->name);

    f->topic = t;
    t->feed_count++;
    if (feed_index_add(&t->index, f, f->query.where, f->arena, &f->indexed))
        return;
    f->next = t->plain;
    if (f->next)
        f->next->previous = f;
    t->plain = f;
}

static void leave_topic(struct hub *h, struct feed *f)
{
    struct topic *t = f->topic;

    if (f->indexed.count > 0) {
        feed_index_remove(&t->index, &f->indexed);
    } else {
        if (f->next)
            f->next->previous = f->previous;
        if (f->previous)
            f->previous->next = f->next;
        else
            t->plain = f->next;
    }
    if (--t->feed_count > 0)
        return;
    map_remove(&h->topics, f->query.table->name);
    feed_index_deinit(&t->index);
    mem_free(t);
}

static struct feed *feed_new(struct hub *h, struct str key, const struct query *query,
                             const struct principal *principal)
{
    struct arena *arena = arena_new();
    struct feed *f = ARENA_NEW(arena, struct feed);

    f->arena = arena;
    f->key = arena_str(arena, key);
    f->principal = principal_ref(principal);
    copy_query(f, query);
    expr_columns(f->query.where, f->condition.words, COLUMN_WORDS);
    f->moving = expr_uses_now(f->query.where);
    find_readable(f);
    enter_topic(h, f);
    map_put(&h->feeds, f->key, f);
    return f;
}

struct feed *feed_take(struct hub *h, const struct query *query, const struct feed_ops *ops,
                       bool has_query, const struct principal *principal)
{
    buf_clear(&h->body);
    put_key(&h->body, query, ops, has_query, principal);

    struct feed *f = map_get(&h->feeds, buf_str(&h->body));
    if (!f) {
        f = feed_new(h, buf_str(&h->body), query, principal);
        f->ops = ops;
        f->has_query = has_query;
    }
    return f;
}

static void feed_free(struct hub *h, struct feed *f)
{
    map_remove(&h->feeds, f->key);
    leave_topic(h, f);
    principal_unref(f->principal);
    arena_free(f->arena);
}

void feed_follow(struct hub *h, struct feed *f, struct subscription *s)
{
    s->feed = f;
    s->next = NULL;
    s->previous = f->last;
    if (f->last)
        f->last->next = s;
    else
        f->first = s;
    f->last = s;
    f->follower_count++;
    h->stats.subscriptions++;
}

void feed_leave(struct hub *h, struct subscription *s)
{
    struct feed *f = s->feed;

    assert(f->follower_count > 0);
    if (s->next)
        s->next->previous = s->previous;
    else
        f->last = s->previous;
    if (s->previous)
        s->previous->next = s->next;
    else
        f->first = s->next;
    s->feed = NULL;
    s->next = s->previous = NULL;
    h->stats.subscriptions--;
    if (--f->follower_count == 0)
        feed_free(h, f);
}

const struct query *feed_query(const struct feed *f)
{
    return &f->query;
}

bool feed_has_query(const struct feed *f)
{
    return f->has_query;
}
