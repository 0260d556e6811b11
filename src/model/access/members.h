#ifndef MODEL_ACCESS_MEMBERS_H
#define MODEL_ACCESS_MEMBERS_H

/*
 * Walks the members of a JSON object that is not ours to change, in their order:
 *
 *     for (void *at = members_first(object); at; at = members_next(object, at)) …
 *
 * What is no object has no members. jansson's own iterators take no const object, though walking
 * changes nothing in it.
 */

#include <jansson.h>

#include "base/str.h"

static inline void *members_first(const json_t *object)
{
    return json_object_iter((json_t *)(uintptr_t)object);
}
static inline void *members_next(const json_t *object, void *at)
{
    return json_object_iter_next((json_t *)(uintptr_t)object, at);
}
static inline struct str member_key(void *at)
{
    return (struct str){json_object_iter_key(at), json_object_iter_key_len(at)};
}
static inline json_t *member_value(void *at)
{
    return json_object_iter_value(at);
}

#endif
