#include "loop/loop.h"

#include <assert.h>
#include <stdatomic.h>

#include "base/attr.h"
#include "base/mem.h"

/*
 * A stack that any thread pushes to and only the loop empties, whole: taking is one exchange, so
 * there is no ABA and no lock to wait for. The loop reverses what it took, which restores the order
 * of posting. Only the post that finds the stack empty wakes the loop: whoever comes later is in
 * the stack before the loop can take it.
 */
struct mailbox {
    uv_async_t wake;
    _Atomic(struct mail *) newest;
    void (*take)(void *context, struct mail *mail);
    void *context;
};

static struct mail *reversed(struct mail *list)
{
    struct mail *first = NULL;

    while (list) {
        struct mail *next = list->next;
        list->next = first;
        first = list;
        list = next;
    }
    return first;
}

static void on_wake(uv_async_t *handle)
{
    struct mailbox *m = CONTAINER_OF(handle, struct mailbox, wake);
    struct mail *newest = atomic_exchange_explicit(&m->newest, NULL, memory_order_acquire);

    for (struct mail *mail = reversed(newest), *next; mail; mail = next) {
        next = mail->next;
        mail->next = NULL;
        m->take(m->context, mail);
    }
}

struct mailbox *mailbox_new(struct loop *l, void (*take)(void *context, struct mail *mail),
                            void *context)
{
    struct mailbox *m = MEM_NEW(struct mailbox);

    m->take = take;
    m->context = context;
    atomic_init(&m->newest, NULL);
    int rc = uv_async_init(loop_uv(l), &m->wake, on_wake);
    assert(rc == 0);
    return m;
}

static void on_closed(uv_handle_t *handle)
{
    mem_free(CONTAINER_OF(handle, struct mailbox, wake));
}

void mailbox_free(struct mailbox *m)
{
    if (!m)
        return;
    assert(atomic_load(&m->newest) == NULL);
    uv_close((uv_handle_t *)&m->wake, on_closed);
}

void mailbox_post(struct mailbox *m, struct mail *mail)
{
    struct mail *newest = atomic_load_explicit(&m->newest, memory_order_relaxed);

    do
        mail->next = newest;
    while (!atomic_compare_exchange_weak_explicit(&m->newest, &newest, mail, memory_order_release,
                                                  memory_order_relaxed));
    if (!newest)
        uv_async_send(&m->wake);
}
