#ifndef BASE_MEM_H
#define BASE_MEM_H

/* The heap, for what lives neither in an arena nor in a buffer. Running out of it aborts (decision 1). */

#include <stddef.h>

void *mem_alloc(size_t size); /* zeroed; never NULL */
void *mem_resize(void *at, size_t size);
void mem_free(void *at);

#define MEM_NEW(type) ((type *)mem_alloc(sizeof(type)))
#define MEM_ARRAY(type, count) ((type *)mem_alloc(sizeof(type) * (count)))

#endif
