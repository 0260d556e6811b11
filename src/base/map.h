#ifndef BASE_MAP_H
#define BASE_MAP_H

/*
 * A hash map from byte strings to pointers. Keys are copied. Values are the caller's.
 * A zeroed struct is an empty map. One thread at a time. Order of iteration is not defined.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct map_slot;
struct map {
    struct map_slot *slots;
    size_t count, capacity;
};

void map_init(struct map *m);
void map_deinit(struct map *m); /* frees keys and slots, not the values */

void *map_get(const struct map *m, struct str key);        /* NULL when absent */
void *map_put(struct map *m, struct str key, void *value); /* returns the value it replaced */
void *map_remove(struct map *m, struct str key);           /* returns the value, or NULL */

/*
 * for (size_t i = 0; map_next(&m, &i, &key, &value);) … ; do not change the map meanwhile.
 * The key is borrowed until its entry is removed. Either output may be NULL.
 */
bool map_next(const struct map *m, size_t *cursor, struct str *key_out, void **value_out);

#endif
