#include "base/mem.h"

#include <stdlib.h>
#include <unistd.h>

void mem_exhausted(void)
{
    static const char words[] = "rowcast: out of memory\n";

    /* Nothing here may need memory. Whether the words arrive changes nothing. */
    if (write(STDERR_FILENO, words, sizeof(words) - 1) < 0)
        abort();
    abort();
}

/* The C library may answer a request for nothing with NULL; ours are always distinct objects. */
static size_t at_least_one(size_t size)
{
    return size > 0 ? size : 1;
}

void *mem_alloc(size_t size)
{
    return mem_alloc_array(size, 1);
}

void *mem_alloc_array(size_t size, size_t count)
{
    void *at = calloc(at_least_one(count), at_least_one(size));

    if (!at)
        mem_exhausted();
    return at;
}

void *mem_alloc_raw(size_t size)
{
    void *at = malloc(at_least_one(size));

    if (!at)
        mem_exhausted();
    return at;
}

void *mem_resize(void *at, size_t size)
{
    void *resized = realloc(at, at_least_one(size));

    if (!resized)
        mem_exhausted();
    return resized;
}

void mem_free(void *at)
{
    free(at);
}
