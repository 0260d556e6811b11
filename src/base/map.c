#include "base/map.h"

#include "base/mem.h"

/*
 * Open addressing with linear probing in a table of a power of two, at most three quarters full.
 *
 * Removal shifts the entries behind the hole back to where a look-up will find them, so there are
 * no tombstones and a map that lives long and changes much stays as fast as a new one.
 */

enum { CAPACITY_MIN = 8 };

struct map_slot {
    char *key; /* NULL: the slot is free */
    size_t key_len;
    uint64_t hash;
    void *value;
};

void map_init(struct map *m)
{
    *m = (struct map){0};
}

void map_deinit(struct map *m)
{
    for (size_t i = 0; i < m->capacity; i++)
        mem_free(m->slots[i].key);
    mem_free(m->slots);
    *m = (struct map){0};
}

static size_t next_index(const struct map *m, size_t index)
{
    return (index + 1) & (m->capacity - 1);
}

static size_t home_index(const struct map *m, uint64_t hash)
{
    return (size_t)hash & (m->capacity - 1);
}

static bool slot_is(const struct map_slot *slot, struct str key, uint64_t hash)
{
    return slot->hash == hash && str_equal((struct str){slot->key, slot->key_len}, key);
}

/* The slot that holds the key, or the free one where it would go. The map has capacity. */
static struct map_slot *find(const struct map *m, struct str key, uint64_t hash)
{
    size_t i = home_index(m, hash);

    while (m->slots[i].key && !slot_is(&m->slots[i], key, hash))
        i = next_index(m, i);
    return &m->slots[i];
}

static void grow(struct map *m)
{
    struct map old = *m;

    m->capacity = old.capacity > 0 ? 2 * old.capacity : CAPACITY_MIN;
    m->slots = MEM_ARRAY(struct map_slot, m->capacity);
    for (size_t i = 0; i < old.capacity; i++) {
        const struct map_slot *slot = &old.slots[i];
        if (!slot->key)
            continue;
        size_t to = home_index(m, slot->hash);
        while (m->slots[to].key)
            to = next_index(m, to);
        m->slots[to] = *slot;
    }
    mem_free(old.slots);
}

void *map_get(const struct map *m, struct str key)
{
    return m->count > 0 ? find(m, key, str_hash(key))->value : NULL;
}

void *map_put(struct map *m, struct str key, void *value)
{
    uint64_t hash = str_hash(key);
    struct map_slot *slot = m->capacity > 0 ? find(m, key, hash) : NULL;

    if (slot && slot->key) {
        void *replaced = slot->value;
        slot->value = value;
        return replaced;
    }
    if (m->count >= m->capacity / 4 * 3) {
        grow(m);
        slot = find(m, key, hash);
    }
    *slot = (struct map_slot){mem_alloc_raw(key.len), key.len, hash, value};
    if (key.len > 0)
        memcpy(slot->key, key.at, key.len);
    m->count++;
    return NULL;
}

/* Closes the hole: an entry moves into it unless its home lies behind the hole. */
static void close_hole(struct map *m, size_t hole)
{
    const size_t mask = m->capacity - 1;

    for (size_t i = next_index(m, hole); m->slots[i].key; i = next_index(m, i)) {
        size_t home = home_index(m, m->slots[i].hash);
        if (((i - home) & mask) < ((i - hole) & mask))
            continue;
        m->slots[hole] = m->slots[i];
        hole = i;
    }
    m->slots[hole] = (struct map_slot){0};
}

void *map_remove(struct map *m, struct str key)
{
    if (m->count == 0)
        return NULL;

    struct map_slot *slot = find(m, key, str_hash(key));
    if (!slot->key)
        return NULL;
    void *value = slot->value;
    mem_free(slot->key);
    m->count--;
    close_hole(m, (size_t)(slot - m->slots));
    return value;
}

bool map_next(const struct map *m, size_t *cursor, struct str *key_out, void **value_out)
{
    while (*cursor < m->capacity) {
        const struct map_slot *slot = &m->slots[(*cursor)++];
        if (!slot->key)
            continue;
        if (key_out)
            *key_out = (struct str){slot->key, slot->key_len};
        if (value_out)
            *value_out = slot->value;
        return true;
    }
    return false;
}
