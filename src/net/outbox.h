#ifndef NET_OUTBOX_H
#define NET_OUTBOX_H

/*
 * Outbox: the frames waiting for one socket. Holds references to shared frames, never copies of
 * their bytes. Embedded in a connection; only its loop thread touches it. An empty outbox holds no memory.
 */

#include <stddef.h>
#include <sys/uio.h>

#include "base/frame.h"

struct outbox {
    struct frame **ring;
    size_t head, count, capacity; /* in frames */
    size_t bytes;                 /* waiting, the first frame's sent part not counted */
    size_t sent;                  /* bytes of the first frame that are gone */
};

void outbox_init(struct outbox *box);
void outbox_deinit(struct outbox *box); /* drops the references it holds */
void outbox_push(struct outbox *box, struct frame *frame); /* takes a reference of its own */
size_t outbox_fill(const struct outbox *box, struct iovec *vectors, size_t count_max); /* what to send next */
void outbox_sent(struct outbox *box, size_t bytes); /* drops what is sent whole */

#endif
