#include "loop/loop.h"

#include <assert.h>

#include "base/attr.h"

static void on_fire(uv_timer_t *handle)
{
    struct timer *t = CONTAINER_OF(handle, struct timer, uv);

    t->fire(t->context);
}

void timer_init(struct timer *t, struct loop *l, void (*fire)(void *context), void *context)
{
    uv_timer_init(loop_uv(l), &t->uv);
    t->fire = fire;
    t->context = context;
    t->closed = NULL;
}

void timer_start(struct timer *t, uint64_t after_ms, uint64_t repeat_ms)
{
    /* The loop's clock stands still during a turn; a long turn would shorten the wait. */
    uv_update_time(t->uv.loop);
    int rc = uv_timer_start(&t->uv, on_fire, after_ms, repeat_ms);
    assert(rc == 0);
}

void timer_stop(struct timer *t)
{
    uv_timer_stop(&t->uv);
}

static void on_closed(uv_handle_t *handle)
{
    struct timer *t = CONTAINER_OF(handle, struct timer, uv);

    if (t->closed)
        t->closed(t->context);
}

void timer_close(struct timer *t, void (*closed)(void *context))
{
    t->closed = closed;
    uv_close((uv_handle_t *)&t->uv, on_closed);
}
