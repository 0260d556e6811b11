/*
 * The bracket syntax of query strings (E.1): `filter[a][_eq]=1`, `fields[]=id`,
 * `fields=a&fields=b`.
 *
 * Everything is gathered as objects first, `[]` counting up from 0; at the end an object whose
 * names are all numbers becomes a list, unless it is longer than a list may be (who reads a list
 * accepts both).
 */
#include "dialect/directus/directus.h"

#include <stdlib.h>

#include "base/text.h"
#include "wire/http.h"

enum { DEPTH_MAX = 10, LIST_MAX = 500, PARAMETERS_MAX_COUNT = 1000 };

struct parsing {
    struct arena *arena;
    struct str reason;
};

static int refuse_because(struct parsing *p, const char *reason)
{
    p->reason = str_of(reason);
    return REFUSED;
}

/* `a[b][]` → "a", "b", "". */
static int split_name(struct parsing *p, struct str name, struct str *parts, size_t *count_out)
{
    const char *open = name.len ? memchr(name.at, '[', name.len) : NULL;
    size_t head = open && open != name.at ? (size_t)(open - name.at) : name.len;
    struct str rest = str_skip(name, head);
    *count_out = 0;
    parts[(*count_out)++] = (struct str){name.at, head};
    while (rest.len > 0) {
        const char *close = rest.at[0] == '[' ? memchr(rest.at, ']', rest.len) : NULL;
        if (!close)
            return refuse_because(p, "The brackets of a parameter do not match");
        if (*count_out > DEPTH_MAX)
            return refuse_because(p, "A parameter is nested too deep");
        parts[(*count_out)++] = (struct str){rest.at + 1, (size_t)(close - rest.at) - 1};
        rest = str_skip(rest, (size_t)(close - rest.at) + 1);
    }
    return 0;
}

/* A part as a member's name: `[]` is the next number that is free. */
static const char *member_name(struct parsing *p, const json_t *object, struct str part)
{
    if (part.len > 0)
        return arena_z(p->arena, part);
    size_t number = json_object_size(object);
    const char *name = arena_printf(p->arena, "%zu", number).at;
    while (json_object_get(object, name))
        name = arena_printf(p->arena, "%zu", ++number).at;
    return name;
}

/* A scalar where a second value comes becomes the first member of an object of its own. */
static json_t *as_object(json_t *parent, const char *name)
{
    json_t *there = json_object_get(parent, name);
    if (json_is_object(there))
        return there;
    json_t *object = json_object();
    if (there)
        json_object_set(object, "0", there);
    json_object_set_new(parent, name, object);
    return object;
}

static int add(struct parsing *p, json_t *root, struct str name, struct str value)
{
    struct str parts[DEPTH_MAX + 2];
    size_t count;
    int rc = split_name(p, name, parts, &count);
    if (rc != 0)
        return rc;
    json_t *at = root;
    for (size_t i = 0; i + 1 < count; i++)
        at = as_object(at, member_name(p, at, parts[i]));
    const char *last = member_name(p, at, parts[count - 1]);
    json_t *text = json_stringn(value.at, value.len);
    if (!json_object_get(at, last)) {
        json_object_set_new(at, last, text);
        return 0;
    }
    json_t *list = as_object(at, last);
    json_object_set_new(list, member_name(p, list, STR_NULL), text);
    return 0;
}

struct element {
    int64_t index;
    json_t *value;
};

/* "0", "17": digits without a sign or leading zeros. */
static bool is_index(struct str name, int64_t *index_out)
{
    bool canonical = name.len == 1 || name.at[0] != '0';
    return name.len > 0 && name.at[0] >= '0' && name.at[0] <= '9' && canonical &&
           str_to_int64(name, index_out) == 0;
}

/* The members as elements of a list; false: the object is none. */
static bool read_elements(json_t *object, struct element *elements)
{
    size_t count = 0;
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value)
    {
        if (!is_index(str_of(name), &elements[count].index))
            return false;
        elements[count++].value = value;
    }
    return count > 0;
}

static int compare_elements(const void *a, const void *b)
{
    int64_t x = ((const struct element *)a)->index, y = ((const struct element *)b)->index;
    return (x > y) - (x < y);
}

/* Lists in place of objects with numeric names, in the order of their numbers, the innermost first.
 */
static json_t *settle(struct parsing *p, json_t *value)
{
    const char *name;
    json_t *member;
    void *next;
    size_t count = json_object_size(value);
    if (!json_is_object(value))
        return json_incref(value);
    json_object_foreach_safe(value, next, name, member)
    {
        json_object_set_new(value, name, settle(p, member));
    }
    struct element *elements =
        count <= LIST_MAX ? ARENA_ARRAY(p->arena, struct element, count + 1) : NULL;
    if (!elements || !read_elements(value, elements))
        return json_incref(value);
    json_t *list = json_array();
    qsort(elements, count, sizeof(*elements), compare_elements);
    for (size_t i = 0; i < count; i++)
        json_array_append(list, elements[i].value);
    return list;
}

static int add_pair(struct parsing *p, json_t *root, struct str pair)
{
    struct str name, value, rest = pair;
    if (pair.len == 0)
        return 0;
    str_next(&rest, '=', &name);
    if (!http_percent_decode(p->arena, name, HTTP_DECODE_QUERY, &name) ||
        !http_percent_decode(p->arena, rest.at ? rest : STR(""), HTTP_DECODE_QUERY, &value))
        return refuse_because(p, "A parameter is not percent-encoded as it should be");
    if (!text_is_plain(name) || !text_is_plain(value))
        return refuse_because(p, "A parameter is not valid UTF-8");
    return name.len ? add(p, root, name, value) : 0;
}

int url_query_parse(struct arena *a, struct str query, json_t **object_out, struct str *reason_out)
{
    struct parsing p = {.arena = a};
    json_t *root = json_object();
    struct str rest = query, pair;
    size_t count = 0;
    int rc = 0;
    arena_on_free(a, json_release, root);
    while (rc == 0 && str_next(&rest, '&', &pair))
        rc = ++count > PARAMETERS_MAX_COUNT ? refuse_because(&p, "There are too many parameters")
                                            : add_pair(&p, root, pair);
    if (rc != 0) {
        *reason_out = p.reason;
        return rc;
    }
    const char *name;
    json_t *member;
    void *next;
    json_object_foreach_safe(root, next, name, member)
    {
        json_object_set_new(root, name, settle(&p, member));
    }
    *object_out = root;
    return 0;
}
