#include "session/channels.h"

#include <assert.h>

#include "base/clock.h"
#include "base/mem.h"

/*
 * What channels remember. One list holds all events in order, another all channels that nobody
 * listens to, in the order in which they were left. Both are kept within an age each, and within
 * one budget of bytes together: what came first goes first.
 *
 * Nothing here wakes up by itself: what is too old goes when something is added or asked for, and
 * the budget bounds what is left until then.
 */

bool memory_is_kept(const struct service *v)
{
    return v->settings.memory_bytes_max > 0;
}

int64_t memory_head(const struct service *v)
{
    const struct told *newest = v->memory.newest;
    int64_t published = service_event_head(v);

    return newest && newest->number > published ? newest->number : published;
}

/* ---- costs ---- */

static size_t cost_of_told(const struct told *e)
{
    return sizeof(*e) + sizeof(*e->frame) + e->frame->size;
}

/* With its entry in the map of channels, about. */
static size_t cost_of_channel(const struct channel *c)
{
    return sizeof(*c) + 2 * c->name_len + 4 * sizeof(void *);
}

/* ---- events and their traces ---- */

static void free_told(struct memory *m, struct told *e)
{
    assert(!e->traces);
    *(e->older ? &e->older->newer : &m->oldest) = e->newer;
    *(e->newer ? &e->newer->older : &m->newest) = e->older;
    m->bytes -= cost_of_told(e);
    frame_unref(e->frame);
    mem_free(e);
}

/* Takes the oldest trace off its channel, which from here on remembers what came after it. */
static void free_trace(struct memory *m, struct trace *t)
{
    struct channel *c = t->channel;

    assert(!t->older && c->oldest == t);
    c->complete_from = t->event->number;
    c->oldest = t->newer;
    *(t->newer ? &t->newer->older : &c->newest) = NULL;
    *(t->previous ? &t->previous->next : &t->event->traces) = t->next;
    if (t->next)
        t->next->previous = t->previous;
    m->bytes -= sizeof(*t);
    mem_free(t);
}

static void forget_told(struct memory *m, struct told *e)
{
    assert(e == m->oldest);
    while (e->traces)
        free_trace(m, e->traces);
    free_told(m, e);
}

/* The newest event, if it is this one: a message that goes to many is told to one after another. */
static struct told *take_told(struct memory *m, int64_t number, struct frame *frame,
                              uint64_t but_origin)
{
    struct told *e = m->newest;

    assert(!e || number >= e->number);
    if (e && e->number == number && e->frame == frame)
        return e;
    e = MEM_NEW(struct told);
    *e = (struct told){.older = m->newest,
                       .number = number,
                       .time_ms = clock_monotonic_ms(),
                       .but_origin = but_origin,
                       .frame = frame_ref(frame)};
    *(m->newest ? &m->newest->newer : &m->oldest) = e;
    m->newest = e;
    m->bytes += cost_of_told(e);
    return e;
}

static void leave_trace(struct memory *m, struct channel *c, struct told *e)
{
    struct trace *t = MEM_NEW(struct trace);

    *t = (struct trace){.event = e, .channel = c, .older = c->newest, .next = e->traces};
    *(c->newest ? &c->newest->newer : &c->oldest) = t;
    c->newest = t;
    if (t->next)
        t->next->previous = t;
    e->traces = t;
    m->bytes += sizeof(*t);
}

void memory_drop(struct service *v, struct channel *c)
{
    while (c->oldest) {
        struct told *e = c->oldest->event;
        free_trace(&v->memory, c->oldest);
        if (!e->traces)
            free_told(&v->memory, e);
    }
    c->complete_from = memory_head(v);
}

/* ---- channels that nobody listens to ---- */

void memory_end_absence(struct service *v, struct channel *c)
{
    struct memory *m = &v->memory;

    if (!c->left_ms)
        return;
    *(c->longer ? &c->longer->shorter : &m->longest) = c->shorter;
    *(c->shorter ? &c->shorter->longer : &m->shortest) = c->longer;
    c->longer = c->shorter = NULL;
    c->left_ms = 0;
    m->bytes -= cost_of_channel(c);
}

static void forget_channel(struct service *v, struct channel *c)
{
    memory_end_absence(v, c);
    memory_drop(v, c);
    channel_free(v, c);
}

/* ---- bounds ---- */

void memory_trim(struct service *v)
{
    struct memory *m = &v->memory;
    const struct service_settings *settings = &v->settings;
    int64_t now_ms = clock_monotonic_ms();

    while (m->oldest && now_ms - m->oldest->time_ms >= settings->memory_age_max_ms)
        forget_told(m, m->oldest);
    while (m->longest && now_ms - m->longest->left_ms >= settings->memory_absence_max_ms)
        forget_channel(v, m->longest);
    while (m->bytes > settings->memory_bytes_max)
        if (m->longest && (!m->oldest || m->longest->left_ms <= m->oldest->time_ms))
            forget_channel(v, m->longest);
        else
            forget_told(m, m->oldest);
}

void memory_add(struct service *v, struct channel *c, int64_t event, struct frame *frame,
                uint64_t but_origin)
{
    leave_trace(&v->memory, c, take_told(&v->memory, event, frame, but_origin));
    memory_trim(v);
}

void memory_begin_absence(struct service *v, struct channel *c)
{
    struct memory *m = &v->memory;

    assert(!c->first && !c->walks && !c->left_ms);
    c->left_ms = clock_monotonic_ms();
    c->longer = m->shortest;
    *(m->shortest ? &m->shortest->shorter : &m->longest) = c;
    m->shortest = c;
    m->bytes += cost_of_channel(c);
    memory_trim(v);
}

void memory_clear(struct service *v)
{
    struct memory *m = &v->memory;

    while (m->longest)
        forget_channel(v, m->longest);
    while (m->oldest)
        forget_told(m, m->oldest);
}
