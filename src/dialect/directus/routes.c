/*
 * Routes: method and path → handler. The families' tables are searched in order; below a collection
 * (`/items/NAME`, and `/users` and its like, which are items of system tables) the items' table is.
 */
#include "dialect/directus/rest.h"

#include "wire/http.h"

static const struct route *const families[] = {me_routes,     permission_routes, auth_routes,
                                               schema_routes, server_routes,     utils_routes};

/* System collections that are served as items of their own path (D.5). */
static const struct {
    const char *path, *collection;
} resources[] = {
    {"users", "directus_users"},
    {"roles", "directus_roles"},
    {"policies", "directus_policies"},
    {"access", "directus_access"},
    {"permissions", "directus_permissions"},
};

/* Does the path fit the pattern, part by part? Both start with "/" or are empty. */
static bool fits(struct str pattern, struct str path, struct str *parameters)
{
    size_t count = 0;
    struct str want, have;
    for (;;) {
        bool more_pattern = str_next(&pattern, '/', &want);
        bool more_path = str_next(&path, '/', &have);
        if (!more_pattern || !more_path)
            return more_pattern == more_path;
        if (want.len > 0 && want.at[0] == ':') {
            if (have.len == 0 || count == PARAMETERS_MAX)
                return false;
            parameters[count++] = have;
        } else if (!str_equal(want, have))
            return false;
    }
}

static const struct route *find_in(const struct route *table, struct str method, struct str path,
                                   struct rest *rest)
{
    for (const struct route *route = table; route->method; route++)
        if (str_equal(method, str_of(route->method)) &&
            fits(str_of(route->pattern), path, rest->parameters))
            return route;
    return NULL;
}

/* Splits "/items/NAME/rest" or "/users/rest" into the collection and what stands below it. */
static bool find_collection(struct str path, struct rest *rest, struct str *below_out)
{
    struct str tail = path, part;
    str_next(&tail, '/', &part);
    str_next(&tail, '/', &part);
    rest->items = str_equal(part, STR("items"));
    if (rest->items) {
        if (!str_next(&tail, '/', &rest->collection) || rest->collection.len == 0)
            return false;
    } else {
        size_t i = 0;
        while (i < COUNT_OF(resources) && !str_equal(part, str_of(resources[i].path)))
            i++;
        if (i == COUNT_OF(resources))
            return false;
        rest->collection = str_of(resources[i].collection);
    }
    /* What is left, with its slash: "" or "/7". */
    *below_out = tail.at ? (struct str){tail.at - 1, tail.len + 1} : STR("");
    return true;
}

const struct route *rest_route_find(struct str method, struct str path, struct rest *rest)
{
    struct str below;
    if (path.len > 1 && path.at[path.len - 1] == '/')
        path.len--;
    for (size_t i = 0; i < COUNT_OF(families); i++) {
        const struct route *route = find_in(families[i], method, path, rest);
        if (route)
            return route;
    }
    if (!find_collection(path, rest, &below)) {
        rest->collection = STR_NULL;
        return NULL;
    }
    return find_in(items_routes, method, below, rest);
}
