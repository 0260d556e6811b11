#include "live/feed_index.h"

#include "base/mem.h"

struct column_index {
    unsigned column;
    struct map by_value; /* key of a value → the first entry of its list */
};

void feed_index_deinit(struct feed_index *x)
{
    for (size_t i = 0; i < x->count; i++)
        map_deinit(&x->columns[i].by_value);
    mem_free(x->columns);
    buf_deinit(&x->key);
    *x = (struct feed_index){0};
}

static struct str key_of(struct feed_index *x, const struct value *value)
{
    if (x->key.max == 0)
        buf_init(&x->key, SIZE_MAX); /* a cell is bounded, and so is its key */
    buf_clear(&x->key);
    value_put_key(&x->key, value);
    return buf_str(&x->key);
}

static struct column_index *find_column(const struct feed_index *x, unsigned column)
{
    for (size_t i = 0; i < x->count; i++)
        if (x->columns[i].column == column)
            return &x->columns[i];
    return NULL;
}

static struct column_index *take_column(struct feed_index *x, unsigned column)
{
    struct column_index *found = find_column(x, column);

    if (found)
        return found;
    x->columns = mem_resize(x->columns, (x->count + 1) * sizeof(*x->columns));
    found = &x->columns[x->count++];
    *found = (struct column_index){.column = column};
    return found;
}

static void drop_column(struct feed_index *x, struct column_index *column)
{
    map_deinit(&column->by_value);
    *column = x->columns[--x->count];
}

bool feed_index_add(struct feed_index *x, struct feed *f, const struct expr *condition,
                    struct arena *a, struct indexed *place_out)
{
    const struct column *column;
    const struct operand *operands;
    size_t count;

    if (!expr_equality(condition, &column, &operands, &count))
        return false;

    struct column_index *in = take_column(x, column->index);
    struct index_entry *entries = ARENA_ARRAY(a, struct index_entry, count);
    for (size_t i = 0; i < count; i++) {
        struct index_entry *entry = &entries[i];
        *entry = (struct index_entry){.feed = f, .value = &operands[i].value};
        entry->next = map_put(&in->by_value, key_of(x, entry->value), entry);
        if (entry->next)
            entry->next->previous = entry;
    }
    *place_out = (struct indexed){.column = column->index, .entries = entries, .count = count};
    return true;
}

static void remove_entry(struct feed_index *x, struct column_index *from, struct index_entry *entry)
{
    if (entry->next)
        entry->next->previous = entry->previous;
    if (entry->previous)
        entry->previous->next = entry->next;
    else if (entry->next)
        map_put(&from->by_value, key_of(x, entry->value), entry->next);
    else
        map_remove(&from->by_value, key_of(x, entry->value));
}

void feed_index_remove(struct feed_index *x, struct indexed *place)
{
    struct column_index *from = find_column(x, place->column);

    for (size_t i = 0; i < place->count; i++)
        remove_entry(x, from, &place->entries[i]);
    if (from->by_value.count == 0)
        drop_column(x, from);
    *place = (struct indexed){0};
}

void feed_index_find(struct feed_index *x, const struct value *row,
                     void (*found)(void *context, struct feed *f), void *context)
{
    for (size_t i = 0; i < x->count; i++) {
        const struct value *value = &row[x->columns[i].column];
        if (value_is_null(value))
            continue; /* null equals nothing */
        const struct index_entry *entry = map_get(&x->columns[i].by_value, key_of(x, value));
        for (; entry; entry = entry->next)
            found(context, entry->feed);
    }
}
