#include "net/outbox.h"

#include <assert.h>

#include "base/mem.h"

enum { RING_MIN = 8 };

static struct frame **slot(const struct outbox *box, size_t index)
{
    return &box->ring[(box->head + index) & (box->capacity - 1)];
}

static void grow(struct outbox *box)
{
    if (box->capacity == 0) {
        box->ring = &box->single;
        box->capacity = 1;
        return;
    }
    size_t capacity = box->capacity == 1 ? RING_MIN : box->capacity * 2;
    struct frame **ring = MEM_ARRAY(struct frame *, capacity);
    for (size_t i = 0; i < box->count; i++)
        ring[i] = *slot(box, i);
    if (box->ring != &box->single)
        mem_free(box->ring);
    box->ring = ring;
    box->head = 0;
    box->capacity = capacity;
}

static void release_ring(struct outbox *box)
{
    if (box->ring != &box->single)
        mem_free(box->ring);
    *box = (struct outbox){0};
}

void outbox_init(struct outbox *box)
{
    *box = (struct outbox){0};
}

void outbox_deinit(struct outbox *box)
{
    for (size_t i = 0; i < box->count; i++)
        frame_unref(*slot(box, i));
    release_ring(box);
}

void outbox_push(struct outbox *box, struct frame *frame)
{
    if (box->count == box->capacity)
        grow(box);
    *slot(box, box->count) = frame_ref(frame);
    box->count++;
    box->bytes += frame->size;
}

size_t outbox_fill(const struct outbox *box, struct iovec *vectors, size_t count_max)
{
    size_t skip = box->sent;
    size_t count = box->count < count_max ? box->count : count_max;

    for (size_t i = 0; i < count; i++) {
        struct frame *frame = *slot(box, i);
        vectors[i] = (struct iovec){frame->bytes + skip, frame->size - skip};
        skip = 0;
    }
    return count;
}

static void drop_first(struct outbox *box)
{
    frame_unref(*slot(box, 0));
    box->head = (box->head + 1) & (box->capacity - 1);
    box->count--;
    box->sent = 0;
}

void outbox_sent(struct outbox *box, size_t bytes)
{
    assert(bytes <= box->bytes);
    box->bytes -= bytes;
    while (box->count > 0) {
        size_t left = (*slot(box, 0))->size - box->sent;
        if (bytes < left)
            break;
        bytes -= left;
        drop_first(box);
    }
    if (box->count == 0)
        release_ring(box);
    else
        box->sent += bytes;
}

void outbox_drop_unsent(struct outbox *box)
{
    size_t keep = box->sent > 0 ? 1 : 0;

    for (size_t i = keep; i < box->count; i++)
        frame_unref(*slot(box, i));
    if (keep == 0) {
        release_ring(box);
        return;
    }
    box->count = 1;
    box->bytes = (*slot(box, 0))->size - box->sent;
}
