#include "base/arena.h"

#include "base/mem.h"

#include <assert.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>

/*
 * A chain of blocks, each twice as large as the one before up to a bound; allocation moves a mark
 * in the newest. What does not fit a block of normal size gets one of its own, put behind the
 * newest so that the room left there is not lost. Blocks come zeroed from the heap and are never
 * reused, so allocations need no clearing. The arena itself is the first thing in its first block.
 */

enum { BLOCK_SIZE_MIN = 2 * 1024, BLOCK_SIZE_MAX = 64 * 1024 };

struct block {
    struct block *older;
    size_t used, size; /* of bytes */
    alignas(max_align_t) char bytes[];
};

struct release {
    struct release *older;
    void (*run)(void *object);
    void *object;
};

struct arena {
    struct block *newest;
    struct release *releases;
    size_t block_size; /* of the next normal block */
    size_t heap_bytes;
};

static size_t aligned(size_t size)
{
    const size_t unit = alignof(max_align_t);

    if (size > SIZE_MAX - sizeof(struct block) - unit)
        mem_exhausted();
    return (size + unit - 1) / unit * unit;
}

static struct block *block_new(size_t size)
{
    struct block *block = mem_alloc(sizeof(*block) + size);

    block->size = size;
    return block;
}

static void *block_take(struct block *block, size_t size)
{
    void *at = block->bytes + block->used;

    block->used += size;
    return at;
}

struct arena *arena_new(void)
{
    struct block *block = block_new(BLOCK_SIZE_MIN - sizeof(*block));
    struct arena *a = block_take(block, aligned(sizeof(*a)));

    a->newest = block;
    a->block_size = 2 * (size_t)BLOCK_SIZE_MIN;
    a->heap_bytes = sizeof(*block) + block->size;
    return a;
}

void arena_free(struct arena *a)
{
    if (!a)
        return;
    for (struct release *r = a->releases; r; r = r->older)
        r->run(r->object);

    /* The arena lies in the oldest block: nothing of it is read once the walk has begun. */
    for (struct block *block = a->newest, *older; block; block = older) {
        older = block->older;
        mem_free(block);
    }
}

static struct block *add_block(struct arena *a, size_t size)
{
    bool large = size > a->block_size / 4;
    struct block *block = block_new(large ? size : a->block_size - sizeof(*block));

    a->heap_bytes += sizeof(*block) + block->size;
    if (large) {
        block->older = a->newest->older;
        a->newest->older = block;
        return block;
    }
    block->older = a->newest;
    a->newest = block;
    if (a->block_size < BLOCK_SIZE_MAX)
        a->block_size *= 2;
    return block;
}

void *arena_alloc(struct arena *a, size_t size)
{
    struct block *block = a->newest;
    size_t need = aligned(size > 0 ? size : 1);

    if (need > block->size - block->used)
        block = add_block(a, need);
    return block_take(block, need);
}

void *arena_alloc_array(struct arena *a, size_t size, size_t count)
{
    size_t total;

    if (__builtin_mul_overflow(size, count, &total))
        mem_exhausted();
    return arena_alloc(a, total);
}

struct str arena_str(struct arena *a, struct str s)
{
    if (!s.at)
        return STR_NULL;

    char *at = arena_alloc(a, s.len + 1);
    memcpy(at, s.at, s.len);
    return (struct str){at, s.len};
}

const char *arena_z(struct arena *a, struct str s)
{
    return s.at ? arena_str(a, s).at : "";
}

struct str arena_printf(struct arena *a, const char *format, ...)
{
    va_list arguments, again;

    va_start(arguments, format);
    va_copy(again, arguments);
    int len = vsnprintf(NULL, 0, format, arguments);
    assert(len >= 0);
    char *at = arena_alloc(a, (size_t)len + 1);
    vsnprintf(at, (size_t)len + 1, format, again);
    va_end(again);
    va_end(arguments);
    return (struct str){at, (size_t)len};
}

void arena_on_free(struct arena *a, void (*release)(void *object), void *object)
{
    struct release *r = ARENA_NEW(a, struct release);

    *r = (struct release){.older = a->releases, .run = release, .object = object};
    a->releases = r;
}

size_t arena_bytes(const struct arena *a)
{
    return a->heap_bytes;
}
