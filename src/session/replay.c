#include "session/channels.h"

#include <assert.h>

#include "base/mem.h"

/*
 * What a session missed: the events of all channels that it listens to, merged in their order. They
 * are gathered whole before the first is sent, so it is all or nothing.
 *
 * A session that is held hears no events as they are told. It need not queue them, for its channels
 * remember them anyway: it is let go by the same gathering, from where it was held.
 */

/* ---- held sessions ---- */

struct hold {
    struct timer timer;
    struct session *session; /* NULL: it is let go */
    int64_t since;
};

bool session_is_held(const struct session *s)
{
    return s->hold != NULL;
}

static void hold_closed(void *context)
{
    mem_free(context);
}

void replay_drop(struct session *s)
{
    struct hold *hold = s->hold;

    if (!hold)
        return;
    s->hold = NULL;
    timer_stop(&hold->timer);
    timer_close(&hold->timer, hold_closed);
}

static void on_hold_over(void *context)
{
    struct hold *hold = context;

    session_release(hold->session);
}

void session_hold(struct session *s, uint64_t for_ms)
{
    struct service *v = s->service;

    assert(s->websocket);
    if (!memory_is_kept(v) || session_is_gone(s))
        return;
    if (!s->hold) {
        s->hold = MEM_NEW(struct hold);
        s->hold->session = s;
        s->hold->since = memory_head(v);
        timer_init(&s->hold->timer, v->loop, on_hold_over, s->hold);
    }
    timer_stop(&s->hold->timer);
    if (for_ms > 0)
        timer_start(&s->hold->timer, for_ms, 0);
}

/* ---- gathering ---- */

struct found {
    int64_t number;
    struct frame *frame; /* a reference: sending may close, and what is left may be forgotten */
};

struct gathering {
    const struct session *session;
    size_t count_max, looks_max, bytes_max;
    struct found *found;
    size_t count, capacity, looks, bytes;
    bool incomplete, too_much;
};

static void keep(struct gathering *g, const struct told *e)
{
    if (g->count == g->capacity) {
        g->capacity = g->capacity ? 2 * g->capacity : 16;
        g->found = mem_resize(g->found, g->capacity * sizeof(*g->found));
    }
    g->found[g->count++] = (struct found){e->number, frame_ref(e->frame)};
    g->bytes += e->frame->size;
    g->too_much = g->count > g->count_max || g->bytes > g->bytes_max;
}

/* From the newest back, so that it costs what was missed, and not what is remembered. */
static void gather(struct gathering *g, const struct channel *c, int64_t after)
{
    uint64_t origin = g->session->origin;

    for (const struct trace *t = c->newest; t && t->event->number > after && !g->too_much;
         t = t->older) {
        const struct told *e = t->event;
        if (e->but_origin == 0 || e->but_origin != origin)
            keep(g, e);
        if (++g->looks > g->looks_max)
            g->too_much = true;
    }
}

static int compare_found(const void *a, const void *b)
{
    const struct found *x = a, *y = b;

    return (x->number > y->number) - (x->number < y->number);
}

static void send_found(struct session *s, struct gathering *g)
{
    if (g->count > 1)
        qsort(g->found, g->count, sizeof(*g->found), compare_found);
    for (size_t i = 0; i < g->count; i++)
        if (i == 0 || g->found[i].number != g->found[i - 1].number)
            session_send(s, g->found[i].frame);
}

static void gathering_deinit(struct gathering *g)
{
    for (size_t i = 0; i < g->count; i++)
        frame_unref(g->found[i].frame);
    mem_free(g->found);
}

/* ---- what others ask ---- */

int64_t session_remembers_from(const struct session *s)
{
    int64_t from = 0;

    memory_trim(s->service);
    for (const struct listener *l = s->listening; l; l = l->next_of_session)
        if (l->channel->complete_from > from)
            from = l->channel->complete_from;
    return from;
}

/* Own events do not count, but looking at them costs; so there is a limit to that too. */
enum { LOOKS_PER_EVENT = 4, LOOKS_MIN = 1000 };

enum replay_outcome session_replay(struct session *s, const struct replay *replay)
{
    int64_t known = replay->proven > replay->after ? replay->proven : replay->after;
    struct gathering g = {
        .session = s,
        .count_max = replay->count_max,
        .bytes_max = replay->bytes_max,
        .looks_max = replay->count_max * LOOKS_PER_EVENT + LOOKS_MIN,
    };

    if (session_remembers_from(s) > known)
        return REPLAY_UNKNOWN;
    for (const struct listener *l = s->listening; l && !g.too_much; l = l->next_of_session)
        gather(&g, l->channel, replay->after);
    if (!g.too_much) {
        replay_drop(s);
        send_found(s, &g);
    }
    gathering_deinit(&g);
    return g.too_much ? REPLAY_TOO_MUCH : REPLAY_DONE;
}

/* What it waits for may be more than the memory held meanwhile: then it is to come back and ask. */
void session_release(struct session *s)
{
    struct gathering g = {
        .session = s, .count_max = SIZE_MAX, .bytes_max = SIZE_MAX, .looks_max = SIZE_MAX};

    if (!s->hold)
        return;
    int64_t since = s->hold->since;
    replay_drop(s);
    for (const struct listener *l = s->listening; l; l = l->next_of_session) {
        int64_t after = l->since > since ? l->since : since;
        g.incomplete = g.incomplete || l->channel->complete_from > after;
        gather(&g, l->channel, after);
    }
    if (g.incomplete)
        session_close(s, NET_CLOSE_FAULT);
    else
        send_found(s, &g);
    gathering_deinit(&g);
}
