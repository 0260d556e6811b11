#include "live/feed.h"

#include "base/mem.h"

/*
 * Projection: what one feed may know of a group of changes, written once for all who follow it.
 */

void change_list_push(struct change_list *l, const struct change *change)
{
    if (l->count == l->capacity) {
        l->capacity = l->capacity > 0 ? 2 * l->capacity : 16;
        l->at = mem_resize(l->at, l->capacity * sizeof(*l->at));
    }
    l->at[l->count++] = change;
}

static bool sees(struct hub *h, const struct feed *f, const struct value *row)
{
    if (f->query.where->kind == EXPR_TRUE)
        return true;
    h->stats.evaluations++;
    return expr_matches(f->query.where, row, h->now_ms);
}

/* True when the change cannot have moved the row across the feed's border. */
static bool keeps_membership(const struct feed *f, const struct change *c)
{
    return !f->moving && !column_set_meets(&c->changed, &f->condition);
}

static void classify(struct hub *h, const struct feed *f, const struct change *c)
{
    bool before = c->kind != CHANGE_CREATE && sees(h, f, c->before);
    bool after = before;

    if (c->kind == CHANGE_DELETE)
        after = false;
    else if (c->kind == CHANGE_CREATE || !keeps_membership(f, c))
        after = sees(h, f, c->after);

    if (before && after)
        change_list_push(&h->stays, c);
    else if (after)
        change_list_push(&h->enters, c);
    else if (before)
        change_list_push(&h->leaves, c);
}

/* The readable fields without those that are hidden on this row. */
static struct column_set find_visible(const struct hub *h, const struct feed *f,
                                      const struct value *row)
{
    struct column_set visible = f->readable;

    for (unsigned i = 0; f->masked && i < f->query.table->shape.count; i++) {
        const struct expr *mask = f->query.grant->masks[i];
        if (mask && column_set_has(&visible, i) && !expr_matches(mask, row, h->now_ms))
            visible.words[i / 64] &= ~(UINT64_C(1) << (i % 64));
    }
    return visible;
}

/* Are there fields of the row that could be seen before and cannot now, or the other way? */
static bool is_unveiled(const struct hub *h, const struct feed *f, const struct change *c)
{
    if (!f->masked)
        return false;
    const struct column_set before = find_visible(h, f, c->before);
    const struct column_set after = find_visible(h, f, c->after);
    return memcmp(before.words, after.words, sizeof(before.words)) != 0;
}

/* Followers without a tail share one frame, and so do neighbours with the same tail. */
static void deliver(struct hub *h, const struct feed *f)
{
    struct frame *plain = NULL, *tailed = NULL;
    struct str tail = STR_NULL;

    for (struct subscription *s = f->first; s; s = s->next) {
        bool own = s->tail.len > 0;
        struct frame **frame = own ? &tailed : &plain;
        if (own && tailed && !str_equal(s->tail, tail)) {
            frame_unref(tailed);
            tailed = NULL;
        }
        if (!*frame)
            *frame = f->ops->frame(buf_str(&h->body), s->tail);
        if (own)
            tail = s->tail;
        s->ops->deliver(s, *frame);
        h->stats.deliveries++;
    }
    frame_unref(plain);
    frame_unref(tailed);
}

static void emit(struct hub *h, const struct feed *f, enum event_kind kind,
                 const struct change *const *changes, size_t count)
{
    const struct event event = {
        .kind = kind,
        .moved = kind != EVENT_UPDATE && changes[0]->kind == CHANGE_UPDATE,
        .commit = h->commit,
        .table = changes[0]->table,
        .changes = changes,
        .count = count,
        .visible = kind != EVENT_DELETE ? find_visible(h, f, changes[0]->after)
                                        : (struct column_set){.words = {0}},
        .unveiled = kind == EVENT_UPDATE && is_unveiled(h, f, changes[0]),
        .now_ms = h->now_ms,
    };

    buf_clear(&h->body);
    f->ops->write(f, &event, &h->body);
    if (h->body.len == 0)
        return;
    h->stats.encodings++;
    deliver(h, f);
}

/*
 * Rows of which the same fields may be seen share an event. Where all share one the others would
 * lose what is hidden on one of them. Those of which other fields may be seen than before stand
 * apart: that something hidden changed may show in these alone.
 */
static void emit_stays(struct hub *h, const struct feed *f)
{
    while (f->masked && h->stays.count > 1) {
        const struct column_set visible = find_visible(h, f, h->stays.at[0]->after);
        const bool unveiled = is_unveiled(h, f, h->stays.at[0]);
        size_t kept = 0;

        h->alike.count = 0;
        for (size_t i = 0; i < h->stays.count; i++) {
            const struct column_set other = find_visible(h, f, h->stays.at[i]->after);
            if (memcmp(visible.words, other.words, sizeof(visible.words)) == 0 &&
                is_unveiled(h, f, h->stays.at[i]) == unveiled)
                change_list_push(&h->alike, h->stays.at[i]);
            else
                h->stays.at[kept++] = h->stays.at[i];
        }
        h->stays.count = kept;
        emit(h, f, EVENT_UPDATE, h->alike.at, h->alike.count);
    }
    if (h->stays.count > 0)
        emit(h, f, EVENT_UPDATE, h->stays.at, h->stays.count);
}

void feed_tell(struct hub *h, struct feed *f, const struct change *const *changes, size_t count)
{
    /* Rows of a table that this very commit made anew: feeds follow it when the commit is told. */
    if (f->query.table != changes[0]->table)
        return;

    h->enters.count = h->stays.count = h->leaves.count = 0;
    for (size_t i = 0; i < count; i++)
        classify(h, f, changes[i]);

    for (size_t i = 0; i < h->enters.count; i++)
        emit(h, f, EVENT_CREATE, &h->enters.at[i], 1);
    emit_stays(h, f);
    if (h->leaves.count > 0)
        emit(h, f, EVENT_DELETE, h->leaves.at, h->leaves.count);
}
