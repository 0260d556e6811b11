#ifndef BASE_ARENA_H
#define BASE_ARENA_H

/*
 * Memory that dies together: one request's, one commit's, one snapshot's.
 *
 * Never returns NULL: what a client can make large is bounded before it gets here (message size,
 * page size, key counts); running out of memory aborts (decision 1). One thread at a time.
 * Allocations are aligned for any type and zeroed.
 */

#include <stddef.h>

#include "base/attr.h"
#include "base/str.h"

struct arena;

struct arena *arena_new(void);
void arena_free(struct arena *a); /* accepts NULL */
AUTO_DEFINE(arena_free, struct arena *)

void *arena_alloc(struct arena *a, size_t size);
void *arena_alloc_array(struct arena *a, size_t size, size_t count); /* the product is checked */
/* A copy, terminated behind its end; absent stays absent. */
struct str arena_str(struct arena *a, struct str s);
const char *arena_z(struct arena *a, struct str s); /* the same as a C string; absent gives "" */
struct str arena_printf(struct arena *a, const char *format, ...) PRINTF_LIKE(2, 3) NOT_NULL(2);

/*
 * Runs `release(object)` when the arena is freed, the latest first: for what an arena cannot hold
 * itself (json_t). A release may still read the arena's memory, but allocates nothing from it.
 */
void arena_on_free(struct arena *a, void (*release)(void *object), void *object);
size_t arena_bytes(const struct arena *a); /* taken from the heap so far */

#define ARENA_NEW(a, type) ((type *)arena_alloc((a), sizeof(type)))
#define ARENA_ARRAY(a, type, count) ((type *)arena_alloc_array((a), sizeof(type), (count)))

#endif
