#include "store/kept.h"

#include <assert.h>

static void unlink_from(struct kept_list *list, const struct kept *k)
{
    *(k->newer ? &k->newer->older : &list->newest) = k->older;
    *(k->older ? &k->older->newer : &list->oldest) = k->newer;
}

static void link_newest(struct kept_list *list, struct kept *k)
{
    k->newer = NULL;
    k->older = list->newest;
    *(list->newest ? &list->newest->newer : &list->oldest) = k;
    list->newest = k;
}

struct kept *kept_find(struct kept_list *list, struct str sql)
{
    struct kept *k = map_get(&list->by_text, sql);
    if (k) {
        unlink_from(list, k);
        link_newest(list, k);
    }
    return k;
}

void kept_add(struct kept_list *list, struct kept *k)
{
    link_newest(list, k);
    map_put(&list->by_text, k->sql, k);
}

void kept_remove(struct kept_list *list, struct kept *k)
{
    unlink_from(list, k);
    map_remove(&list->by_text, k->sql);
}

void kept_deinit(struct kept_list *list)
{
    assert(!list->newest);
    map_deinit(&list->by_text);
}
