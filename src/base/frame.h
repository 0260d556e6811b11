#ifndef BASE_FRAME_H
#define BASE_FRAME_H

/*
 * Bytes that are ready to send and never change: a WebSocket frame with its header, or an HTTP
 * response. Reference-counted; shared by every outbox it waits in; any thread may hold one.
 */

#include <stdatomic.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/str.h"

struct frame {
    atomic_uint references;
    size_t size;
    char bytes[];
};

struct frame *frame_new(size_t size); /* bytes not set yet; one reference, the caller's */
struct frame *frame_from(struct str head, struct str body);
struct frame *frame_ref(struct frame *f);
void frame_unref(struct frame *f);
AUTO_DEFINE(frame_unref, struct frame *)

#endif
