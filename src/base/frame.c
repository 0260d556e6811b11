#include "base/frame.h"

#include "base/mem.h"

#include <assert.h>

struct frame *frame_new(size_t size)
{
    struct frame *f = mem_alloc_raw(sizeof(*f) + size);

    atomic_init(&f->references, 1);
    f->size = size;
    return f;
}

struct frame *frame_from(struct str head, struct str body)
{
    struct frame *f = frame_new(head.len + body.len);

    if (head.len > 0)
        memcpy(f->bytes, head.at, head.len);
    if (body.len > 0)
        memcpy(f->bytes + head.len, body.at, body.len);
    return f;
}

struct frame *frame_ref(struct frame *f)
{
    unsigned before = atomic_fetch_add_explicit(&f->references, 1, memory_order_relaxed);

    assert(before > 0);
    (void)before;
    return f;
}

void frame_unref(struct frame *f)
{
    if (!f)
        return;

    /* Release: what this holder did is done before the last one frees. Acquire: the last sees it.
     */
    unsigned before = atomic_fetch_sub_explicit(&f->references, 1, memory_order_acq_rel);
    assert(before > 0);
    if (before == 1)
        mem_free(f);
}
