#ifndef BASE_MEM_H
#define BASE_MEM_H

/*
 * The heap, for what lives neither in an arena nor in a buffer.
 *
 * Running out of it aborts (decision 1), and so does a size that no object can have. Any thread.
 */

#include <stddef.h>

#include "base/attr.h"

void *mem_alloc(size_t size);                     /* zeroed; never NULL */
void *mem_alloc_raw(size_t size);                 /* not zeroed; never NULL */
void *mem_alloc_array(size_t size, size_t count); /* zeroed; the product is checked */
void *mem_resize(void *at, size_t size);          /* what is new is not zeroed */
void mem_free(void *at);

/* Says so on standard error and aborts: for a library that reports that memory ran out. */
void mem_exhausted(void) NORETURN;

#define MEM_NEW(type) ((type *)mem_alloc(sizeof(type)))
#define MEM_ARRAY(type, count) ((type *)mem_alloc_array(sizeof(type), (count)))

#endif
