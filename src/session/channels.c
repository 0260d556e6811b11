#include "session/channels.h"

#include <assert.h>

#include "base/mem.h"

/*
 * A listener stands in two lists: its channel's, in order of listening, and its session's. A
 * channel is there while somebody listens, somebody walks it, or it remembers what was told.
 *
 * Whoever is reached in a walk may do anything: leave, close, begin to listen, walk the same
 * channel again. So a walk is known to its channel, and a listener that goes moves every walk past
 * itself; and listeners are numbered, so that a walk ends before those who came after it began.
 */

struct walk {
    struct listener *next; /* NULL: at its end */
    struct walk *outer;
};

/* ---- channels ---- */

static struct channel *channel_make(struct service *v, struct str name)
{
    struct channel *c = mem_alloc(sizeof(*c) + name.len);

    memcpy(c->name, name.at, name.len);
    c->name_len = name.len;
    c->complete_from = memory_head(v);
    map_put(&v->channels, name, c);
    return c;
}

void channel_free(struct service *v, struct channel *c)
{
    assert(!c->first && !c->walks && !c->oldest && !c->left_ms);
    void *removed = map_remove(&v->channels, (struct str){c->name, c->name_len});
    assert(removed == c);
    (void)removed;
    mem_free(c);
}

void channel_release(struct service *v, struct channel *c)
{
    if (c->first || c->walks || c->left_ms)
        return;
    if (memory_is_kept(v))
        memory_begin_absence(v, c);
    else
        channel_free(v, c);
}

/* ---- listeners ---- */

/* Its place among those of the session; one that holds NULL: it does not listen. */
static struct listener **find(struct session *s, const struct channel *c)
{
    struct listener **place = &s->listening;

    while (*place && (*place)->channel != c)
        place = &(*place)->next_of_session;
    return place;
}

static void enter(struct session *s, struct channel *c)
{
    struct listener *l = MEM_NEW(struct listener);

    *l = (struct listener){.channel = c, .session = s, .previous = c->last};
    l->number = ++s->service->listener_number;
    l->since = memory_head(s->service);
    l->next_of_session = s->listening;
    s->listening = l;
    s->listening_count++;
    if (c->last)
        c->last->next = l;
    else
        c->first = l;
    c->last = l;
}

static void leave(struct listener **place)
{
    struct listener *l = *place;
    struct channel *c = l->channel;

    for (struct walk *w = c->walks; w; w = w->outer)
        if (w->next == l)
            w->next = l->next;
    *place = l->next_of_session;
    l->session->listening_count--;
    *(l->previous ? &l->previous->next : &c->first) = l->next;
    *(l->next ? &l->next->previous : &c->last) = l->previous;
    channel_release(l->session->service, c);
    mem_free(l);
}

int session_listen(struct session *s, struct str channel)
{
    struct service *v = s->service;
    struct channel *c = map_get(&v->channels, channel);

    assert(s->websocket);
    if (session_is_gone(s) || (c && *find(s, c)))
        return 0;
    if (s->listening_count >= v->settings.subscriptions_max || channel.len > CHANNEL_NAME_MAX)
        return REFUSED;
    if (c)
        memory_end_absence(v, c);
    else
        c = channel_make(v, channel);
    enter(s, c);
    return 0;
}

void session_unlisten(struct session *s, struct str channel)
{
    const struct channel *c = map_get(&s->service->channels, channel);
    struct listener **place = find(s, c);

    if (*place)
        leave(place);
}

bool session_listens(const struct session *s, struct str channel)
{
    const struct channel *c = map_get(&s->service->channels, channel);
    const struct listener *l = s->listening;

    while (l && l->channel != c)
        l = l->next_of_session;
    return l != NULL;
}

void channels_drop(struct session *s)
{
    replay_drop(s);
    while (s->listening)
        leave(&s->listening);
}

/* ---- telling ---- */

int64_t service_event_first(const struct commit *commit)
{
    return commit->changes[0]->sequence * EVENTS_PER_CHANGE;
}

static int64_t last_event_of(int64_t sequence)
{
    return (sequence + 1) * EVENTS_PER_CHANGE - 1;
}

int64_t service_event_last(const struct commit *commit)
{
    return last_event_of(commit->changes[commit->count - 1]->sequence);
}

int64_t service_event_head(const struct service *v)
{
    return v->published > 0 ? last_event_of(v->published) : 0;
}

bool service_is_any_heard(const struct service *v)
{
    return v->channels.count > 0;
}

bool service_is_heard(const struct service *v, struct str channel)
{
    const struct channel *c = map_get(&v->channels, channel);

    return c && (c->first || c->left_ms);
}

void service_each(struct service *v, struct str channel,
                  void (*fn)(struct session *s, void *context), void *context)
{
    struct channel *c = map_get(&v->channels, channel);

    if (!c || !c->first)
        return;
    struct walk walk = {.next = c->first, .outer = c->walks};
    uint64_t last = c->last->number;
    c->walks = &walk;
    while (walk.next && walk.next->number <= last) {
        struct session *s = walk.next->session;
        walk.next = walk.next->next;
        fn(s, context);
    }
    c->walks = walk.outer;
    channel_release(v, c);
}

struct telling {
    struct frame *frame;
    uint64_t but_origin;
    int64_t event;
};

static void tell(struct session *s, void *context)
{
    const struct telling *t = context;
    bool waits = t->event != 0 && session_is_held(s);

    if (!waits && (t->but_origin == 0 || s->origin != t->but_origin))
        session_send(s, t->frame);
}

/* Who is held has it from the channel's memory later. */
void service_tell(struct service *v, struct str channel, struct frame *frame, uint64_t but_origin,
                  int64_t event)
{
    struct telling telling = {frame, but_origin, event};
    struct channel *c = map_get(&v->channels, channel);

    if (c && event != 0 && memory_is_kept(v))
        memory_add(v, c, event, frame, but_origin);
    service_each(v, channel, tell, &telling);
}

void service_forget(struct service *v, struct str channel, int64_t event)
{
    struct channel *c = map_get(&v->channels, channel);

    if (!c)
        return;
    memory_drop(v, c);
    if (c->complete_from < event)
        c->complete_from = event;
}
