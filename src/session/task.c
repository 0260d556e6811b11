#include "session/internal.h"

#include <assert.h>

#include "base/mem.h"

/*
 * A task has a session to itself, which never had a connection: so it takes the way of every
 * request, and goes with its only one. Chores are tasks that a timer submits.
 */

/* ---- tasks ---- */

struct request *service_task(struct service *v, const struct handler *handler,
                             const struct principal *principal)
{
    assert(handler->lane != LANE_LOOP);
    if (v->draining)
        return NULL;
    struct request *r = request_new(handler);
    r->session = session_new(v);
    r->session->task = true;
    r->principal = principal ? principal_ref(principal) : principal_system(v->catalogue);
    return r;
}

void service_submit(struct request *task)
{
    assert(task->session->task && !task->session->first);
    session_submit(task->session, task);
}

/* ---- chores ---- */

/* The state of a session whose task is its turn. */
struct chore {
    const struct handler *handler;
    bool under_way;
};
struct chores {
    struct timer timer;
    struct service *service;
    size_t count;
    struct chore at[];
};

void task_end(struct request *r)
{
    struct chore *chore = r->session->state;

    r->session->state = NULL;
    if (chore)
        chore->under_way = false;
    if (r->handler->done)
        r->handler->done(r);
}

static void take_turn(struct service *v, struct chore *c)
{
    struct request *r = c->under_way ? NULL : service_task(v, c->handler, NULL);

    if (!r)
        return;
    c->under_way = true;
    r->session->state = c;
    service_submit(r);
}

static void on_time(void *context)
{
    struct chores *c = context;

    for (size_t i = 0; i < c->count; i++)
        take_turn(c->service, &c->at[i]);
}

static size_t count_chores(const struct dialect *d)
{
    size_t count = 0;

    while (d->chores && d->chores[count])
        count++;
    return count;
}

void chores_start(struct service *v)
{
    uint64_t interval_ms = (uint64_t)v->settings.chores_interval_ms;
    size_t count = 0;

    for (size_t i = 0; i < v->dialect_count; i++)
        count += count_chores(v->dialects[i]);
    if (count == 0 || interval_ms == 0)
        return;
    struct chores *c = mem_alloc(sizeof(*c) + count * sizeof(c->at[0]));
    *c = (struct chores){.service = v};
    for (size_t i = 0; i < v->dialect_count; i++)
        for (size_t k = 0; k < count_chores(v->dialects[i]); k++)
            c->at[c->count++] = (struct chore){.handler = v->dialects[i]->chores[k]};
    timer_init(&c->timer, v->loop, on_time, c);
    timer_start(&c->timer, 0, interval_ms);
    v->chores = c;
}

static void on_closed(void *context)
{
    mem_free(context);
}

void chores_stop(struct chores *c)
{
    if (!c)
        return;
    timer_stop(&c->timer);
    timer_close(&c->timer, on_closed);
}
