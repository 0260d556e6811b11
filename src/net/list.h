#ifndef NET_LIST_H
#define NET_LIST_H

/*
 * A doubly linked ring of embedded links. The list itself is a link; a link that is in no list
 * points at itself, so taking it out is always allowed.
 */

#include <stdbool.h>

struct list {
    struct list *previous, *next;
};

static inline void list_init(struct list *l)
{
    l->previous = l->next = l;
}

static inline bool list_empty(const struct list *l)
{
    return l->next == l;
}

static inline void list_remove(struct list *link)
{
    link->previous->next = link->next;
    link->next->previous = link->previous;
    list_init(link);
}

/* The link must be in no list. */
static inline void list_append(struct list *l, struct list *link)
{
    link->previous = l->previous;
    link->next = l;
    l->previous->next = link;
    l->previous = link;
}

/* Moves all of `from` into `to`, which must be fresh. */
static inline void list_take_all(struct list *from, struct list *to)
{
    list_init(to);
    if (list_empty(from))
        return;
    *to = *from;
    to->previous->next = to;
    to->next->previous = to;
    list_init(from);
}

#endif
