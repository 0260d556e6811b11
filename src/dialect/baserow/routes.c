/* Routes: method and path → handler. The families' tables are searched in order. */
#include "dialect/baserow/rest.h"

static const struct route *const families[] = {
    login_routes,     account_routes, recovery_routes,   settings_routes,
    workspace_routes, member_routes,  invitation_routes, application_routes,
    token_routes,     table_routes,   field_routes,      trash_routes,
    history_routes,   row_routes,     job_routes,        job_type_routes};

enum { ID_DIGITS_MAX = 18 };

static bool read_id(struct str s, int64_t *id_out)
{
    if (s.len == 0 || s.len > ID_DIGITS_MAX)
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (s.at[i] < '0' || s.at[i] > '9')
            return false;
    return str_to_int64(s, id_out) == 0;
}

/* Older clients say group for workspace, where they are let (6). */
static bool is_same(struct str want, struct str have)
{
    if (str_equal(want, have))
        return true;
    if (!baserow_settings()->legacy_group_keys)
        return false;
    return (str_equal(want, STR("workspaces")) && str_equal(have, STR("groups"))) ||
           (str_equal(want, STR("workspace")) && str_equal(have, STR("group")));
}

/* Does the path fit the pattern, part by part? */
static bool fits(struct str pattern, struct str path, struct rest *rest)
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
            rest->ids[count] = 0;
            if (str_ends_with(want, STR("id")) && !read_id(have, &rest->ids[count]))
                return false;
            rest->parameters[count++] = have;
        } else if (!is_same(want, have))
            return false;
    }
}

/* By method when there is such a route, else any of that path. */
static const struct route *find(struct str method, struct str path, struct rest *rest)
{
    const struct route *other = NULL;
    for (size_t i = 0; i < COUNT_OF(families); i++)
        for (const struct route *route = families[i]; route->method; route++) {
            if (!fits(str_of(route->pattern), path, rest))
                continue;
            if (str_equal(method, str_of(route->method)))
                return route;
            other = route;
        }
    return other;
}

enum route_found route_find(struct str method, struct str path, struct rest *rest)
{
    const struct route *route = find(method, path, rest);
    if (route && str_equal(method, str_of(route->method))) {
        rest->route = route;
        return ROUTE_FOUND;
    }
    if (route)
        return ROUTE_OTHER_METHOD;
    if (path.len == 0 || path.at[path.len - 1] == '/')
        return ROUTE_NONE;
    struct rest unused;
    char text[256]; /* longer than any pattern with its ids */
    if (path.len + 1 > sizeof(text))
        return ROUTE_NONE;
    memcpy(text, path.at, path.len);
    text[path.len] = '/';
    return find(method, (struct str){text, path.len + 1}, &unused) ? ROUTE_SLASH_MISSING
                                                                   : ROUTE_NONE;
}
