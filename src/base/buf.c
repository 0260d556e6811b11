#include "base/buf.h"

#include "base/mem.h"

#include <assert.h>
#include <stdio.h>

enum { CAPACITY_MIN = 64, INT64_TEXT_MAX = 20 };

void buf_init(struct buf *b, size_t max)
{
    *b = (struct buf){.max = max};
}

void buf_deinit(struct buf *b)
{
    mem_free(b->at);
    *b = (struct buf){0};
}

void buf_clear(struct buf *b)
{
    b->len = 0;
    b->failed = false;
}

/* Doubles, so that appending byte by byte stays linear, but never past the ceiling. */
static void grow(struct buf *b, size_t need)
{
    size_t capacity = b->capacity < CAPACITY_MIN ? CAPACITY_MIN : b->capacity;

    if (b->capacity > 0)
        capacity = capacity > b->max / 2 ? b->max : 2 * capacity;
    if (capacity > b->max)
        capacity = b->max;
    if (capacity < need)
        capacity = need;
    b->at = mem_resize(b->at, capacity);
    b->capacity = capacity;
}

char *buf_reserve(struct buf *b, size_t size)
{
    if (b->failed || size > b->max - b->len) {
        b->failed = true;
        return NULL;
    }
    if (size > b->capacity - b->len || !b->at)
        grow(b, b->len + size);
    return b->at + b->len;
}

void buf_put(struct buf *b, const void *bytes, size_t size)
{
    if (size == 0)
        return;

    char *to = buf_reserve(b, size);
    if (!to)
        return;
    memcpy(to, bytes, size);
    b->len += size;
}

void buf_put_char(struct buf *b, char c)
{
    if (!b->failed && b->len < b->capacity)
        b->at[b->len++] = c;
    else
        buf_put(b, &c, 1);
}

void buf_put_int(struct buf *b, int64_t number)
{
    char digits[INT64_TEXT_MAX];
    char *end = digits + sizeof(digits), *at = end;
    uint64_t rest = number < 0 ? -(uint64_t)number : (uint64_t)number;

    do {
        *--at = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (number < 0)
        *--at = '-';
    buf_put(b, at, (size_t)(end - at));
}

void buf_printf(struct buf *b, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    buf_vprintf(b, format, arguments);
    va_end(arguments);
}

void buf_vprintf(struct buf *b, const char *format, va_list arguments)
{
    char small[256];
    va_list again;

    va_copy(again, arguments);
    int len = vsnprintf(small, sizeof(small), format, arguments);
    assert(len >= 0);
    if ((size_t)len < sizeof(small)) {
        buf_put(b, small, (size_t)len);
    } else {
        /* The terminator that vsnprintf insists on must not count against the ceiling. */
        char *large = mem_alloc_raw((size_t)len + 1);
        vsnprintf(large, (size_t)len + 1, format, again);
        buf_put(b, large, (size_t)len);
        mem_free(large);
    }
    va_end(again);
}
