#ifndef NET_OUTBOX_H
#define NET_OUTBOX_H

/*
 * Outbox: the frames waiting for one socket. Holds references to shared frames, never copies of
 * their bytes. Embedded in a connection; only its loop thread touches it. An empty outbox holds no
 * memory, and one frame alone needs none. It has no ceiling of its own: the connection's.
 */

#include <stddef.h>
#include <sys/uio.h>

#include "base/frame.h"

struct outbox {
    struct frame **ring;          /* NULL while empty; &single for one; else the heap's */
    size_t head, count, capacity; /* in frames; capacity is a power of two, or 0 */
    size_t bytes;                 /* waiting, the first frame's sent part not counted */
    size_t sent;                  /* bytes of the first frame that are gone */
    struct frame *single;
};

void outbox_init(struct outbox *box);
void outbox_deinit(struct outbox *box);                    /* drops the references it holds */
void outbox_push(struct outbox *box, struct frame *frame); /* takes a reference of its own */
size_t outbox_fill(const struct outbox *box, struct iovec *vectors,
                   size_t count_max);               /* what to send next */
void outbox_sent(struct outbox *box, size_t bytes); /* drops what is sent whole */
/* Drops all that was not begun; a frame that is partly gone stays, so that the stream stays whole.
 */
void outbox_drop_unsent(struct outbox *box);

#endif
