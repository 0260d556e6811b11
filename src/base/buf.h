#ifndef BASE_BUF_H
#define BASE_BUF_H

/*
 * A growing byte buffer with a ceiling.
 *
 * Appends freely; past the ceiling `failed` sticks, further appends do nothing, and the one who
 * reads the result checks it once. Memory is the heap's; running out of it aborts (decision 1).
 */

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/str.h"

struct buf {
    char *at;
    size_t len, capacity, max;
    bool failed;
};

void buf_init(struct buf *b, size_t max); /* allocates nothing yet */
void buf_deinit(struct buf *b);           /* accepts a zeroed struct */
void buf_clear(struct buf *b);            /* keeps the memory, clears failed */

/* Room for `size` more bytes at b->at + b->len, or NULL and failed. The caller advances b->len. */
char *buf_reserve(struct buf *b, size_t size);
void buf_put(struct buf *b, const void *bytes, size_t size);
void buf_put_char(struct buf *b, char c);
void buf_put_int(struct buf *b, int64_t number);
void buf_printf(struct buf *b, const char *format, ...) PRINTF_LIKE(2, 3);
void buf_vprintf(struct buf *b, const char *format, va_list arguments) PRINTF_LIKE(2, 0);

static inline void buf_put_str(struct buf *b, struct str s)
{
    buf_put(b, s.at, s.len);
}
#define buf_put_lit(b, literal) buf_put((b), "" literal, sizeof(literal) - 1)

static inline struct str buf_str(const struct buf *b)
{
    return (struct str){b->at, b->len};
}

#endif
