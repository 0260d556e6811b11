#include "model/grid/past.h"

#include <stdlib.h>

/* While it is read, `rows` has one for each change, in their order. */
static struct past_table *table_for(struct tx *tx, struct past *past, const struct change *change)
{
    struct past_table **at = &past->tables;

    for (; *at; at = &(*at)->next)
        if ((*at)->table == change->table)
            return *at;
    *at = ARENA_NEW(tx->arena, struct past_table);
    (*at)->table = change->table;
    return *at;
}

/* By key; of one key in the order of its changes. */
static int compare_rows(const void *x, const void *y)
{
    const struct past_row *a = x, *b = y;
    int order = value_compare(&a->key, &b->key);
    return order != 0 ? order : (a->place > b->place) - (a->place < b->place);
}

/* Before: what the first change saw. Last: what the last one was. */
static void merge(struct past_table *t)
{
    size_t kept = 0;

    qsort(t->rows, t->count, sizeof(*t->rows), compare_rows);
    for (size_t i = 0; i < t->count; i++) {
        struct past_row *same = kept > 0 ? &t->rows[kept - 1] : NULL;
        if (same && value_equal(&same->key, &t->rows[i].key)) {
            same->last = t->rows[i].last;
            same->place = t->rows[i].place;
        } else {
            t->rows[kept++] = t->rows[i];
        }
    }
    t->count = kept;
}

struct past *past_read(struct tx *tx)
{
    const struct commit *commit = tx->commit;
    struct past *past = ARENA_NEW(tx->arena, struct past);

    for (size_t i = 0; i < commit->count; i++)
        if (!commit->changes[i]->table->system)
            table_for(tx, past, commit->changes[i])->count++;
    for (struct past_table *t = past->tables; t; t = t->next) {
        t->rows = ARENA_ARRAY(tx->arena, struct past_row, t->count);
        t->count = 0;
    }
    for (size_t i = 0; i < commit->count; i++) {
        const struct change *change = commit->changes[i];
        if (change->table->system)
            continue;
        struct past_table *t = table_for(tx, past, change);
        t->rows[t->count++] = (struct past_row){change->key.value, change->before, change, i};
    }
    for (struct past_table *t = past->tables; t; t = t->next)
        merge(t);
    return past;
}

const struct past_table *past_table(const struct past *past, const struct table *table)
{
    for (const struct past_table *t = past ? past->tables : NULL; t; t = t->next)
        if (t->table == table)
            return t;
    return NULL;
}

static int compare_key(const void *key, const void *row)
{
    return value_compare(key, &((const struct past_row *)row)->key);
}

const struct past_row *past_row(const struct past_table *t, const struct value *key)
{
    if (!t || value_is_null(key))
        return NULL;
    return bsearch(key, t->rows, t->count, sizeof(*t->rows), compare_key);
}
