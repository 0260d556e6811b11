#include "fuzz.h"

#include <assert.h>

#include "base/mem.h"
#include "base/text.h"
#include "dialect/directus/directus.h"

/*
 * Query strings: whatever comes is an object of texts, lists and objects within the limits, that
 * can be written as JSON and read back, or a refusal with its reason.
 */

/* A name and ten levels of brackets, and the list of a name that is repeated. */
enum { DEPTH_MAX = 12, LIST_MAX = 500 };

static void check(json_t *value, int depth)
{
    const char *name;
    json_t *member;
    size_t index;
    assert(depth <= DEPTH_MAX);
    assert(json_is_string(value) || json_is_array(value) || json_is_object(value));
    assert(!json_is_string(value) || text_is_utf8(json_str(value)));
    assert(json_array_size(value) <= LIST_MAX);
    json_array_foreach(value, index, member)
    {
        check(member, depth + 1);
    }
    json_object_foreach(value, name, member)
    {
        assert(text_is_utf8(str_of(name)));
        check(member, depth + 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_new();
    char *exact = mem_alloc(size ? size : 1); /* so that reading past it shows */
    json_t *object = NULL, *again = NULL;
    struct str reason = STR_NULL;
    if (size > 0)
        memcpy(exact, data, size);
    if (url_query_parse(a, (struct str){exact, size}, &object, &reason) != 0)
        assert(reason.len > 0 && !object);
    else {
        check(object, 0);
        int rc = json_read_in(a, json_text(a, object), &again, NULL);
        assert(rc == 0 && json_equal(object, again));
    }
    mem_free(exact);
    arena_free(a);
    return 0;
}
