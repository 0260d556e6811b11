#include "loop/loop.h"

#include <assert.h>

#include "base/attr.h"
#include "base/mem.h"

/*
 * The end of a turn.
 *
 * libuv has no such moment: a turn runs timers, then waits for and handles input (mailboxes are
 * input), then closes handles. So the flush hangs on both sides of the wait: `check` comes right
 * after the input, `prepare` right before the wait, and catches what timers and closed handles
 * asked for. When the flush itself asks again, an idle handle keeps the wait from blocking, so
 * endless asking costs turns but starves nobody.
 */
struct loop {
    uv_loop_t uv;
    uv_prepare_t prepare;
    uv_check_t check;
    uv_idle_t again;
    bool at_end;
    void (*flush)(void *context);
    void *flush_context;
};

static void nothing(uv_idle_t *handle)
{
    (void)handle;
}

static void loop_end_turn(struct loop *l)
{
    if (!l->at_end) {
        uv_idle_stop(&l->again);
        return;
    }
    l->at_end = false;
    if (l->flush)
        l->flush(l->flush_context);
    if (l->at_end)
        uv_idle_start(&l->again, nothing);
    else
        uv_idle_stop(&l->again);
}

static void on_prepare(uv_prepare_t *handle)
{
    loop_end_turn(CONTAINER_OF(handle, struct loop, prepare));
}

static void on_check(uv_check_t *handle)
{
    loop_end_turn(CONTAINER_OF(handle, struct loop, check));
}

struct loop *loop_new(void)
{
    struct loop *l = MEM_NEW(struct loop);

    /* These fail only when the process has no descriptors or memory left at its start. */
    int rc = uv_loop_init(&l->uv);
    assert(rc == 0);
    rc = uv_prepare_init(&l->uv, &l->prepare);
    assert(rc == 0);
    rc = uv_check_init(&l->uv, &l->check);
    assert(rc == 0);
    rc = uv_idle_init(&l->uv, &l->again);
    assert(rc == 0);
    uv_prepare_start(&l->prepare, on_prepare);
    uv_check_start(&l->check, on_check);
    /* They serve others and must not keep the loop running; `again` does, for one turn. */
    uv_unref((uv_handle_t *)&l->prepare);
    uv_unref((uv_handle_t *)&l->check);
    return l;
}

void loop_free(struct loop *l)
{
    if (!l)
        return;
    uv_close((uv_handle_t *)&l->prepare, NULL);
    uv_close((uv_handle_t *)&l->check, NULL);
    uv_close((uv_handle_t *)&l->again, NULL);
    uv_run(&l->uv, UV_RUN_DEFAULT);
    int rc = uv_loop_close(&l->uv);
    assert(rc == 0);
    mem_free(l);
}

uv_loop_t *loop_uv(struct loop *l)
{
    return &l->uv;
}

int loop_run(struct loop *l)
{
    uv_run(&l->uv, UV_RUN_DEFAULT);
    return 0;
}

void loop_stop(struct loop *l)
{
    uv_stop(&l->uv);
}

void loop_set_flush(struct loop *l, void (*fn)(void *context), void *context)
{
    assert(!fn || !l->flush);
    l->flush = fn;
    l->flush_context = context;
}

void loop_at_end(struct loop *l)
{
    l->at_end = true;
}
