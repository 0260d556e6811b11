#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dialect/directus/rest.h"

static struct rest rest;

static const struct route *find(const char *method, const char *path)
{
    rest = (struct rest){0};
    return rest_route_find(str_of(method), str_of(path), &rest);
}

static void assert_route(const char *method, const char *path, const char *pattern)
{
    const struct route *route = find(method, path);
    assert_non_null(route);
    assert_string_equal(route->method, method);
    assert_string_equal(route->pattern, pattern);
}

static void assert_str(struct str actual, const char *expected)
{
    assert_int_equal(actual.len, strlen(expected));
    assert_memory_equal(actual.at, expected, actual.len);
}

static void items_are_found_by_collection_and_key(void **state)
{
    (void)state;
    assert_route("GET", "/items/articles", "");
    assert_true(rest.items);
    assert_str(rest.collection, "articles");
    assert_route("PATCH", "/items/articles/7", "/:pk");
    assert_str(rest.collection, "articles");
    assert_str(rest.parameters[0], "7");
    assert_route("SEARCH", "/items/articles", "");
    assert_route("DELETE", "/items/directus_users", ""); /* refused later, by its table */
}

static void system_collections_have_paths_of_their_own(void **state)
{
    (void)state;
    assert_route("POST", "/users", "");
    assert_false(rest.items);
    assert_str(rest.collection, "directus_users");
    assert_route("DELETE", "/permissions/3", "/:pk");
    assert_str(rest.collection, "directus_permissions");
    assert_str(rest.parameters[0], "3");
    assert_route("SEARCH", "/permissions", "");
}

static void a_fixed_path_wins_over_a_key(void **state)
{
    (void)state;
    assert_route("GET", "/users/me", "/users/me");
    assert_false(rest.collection.at);
    assert_route("GET", "/permissions", "/permissions");
    assert_route("GET", "/permissions/me", "/permissions/me");
    assert_route("DELETE", "/users/me", "/:pk"); /* no such key, then */
    assert_route("GET", "/roles/me", "/roles/me");
    assert_route("GET", "/users/meme", "/:pk");
}

static void parameters_come_in_order(void **state)
{
    (void)state;
    assert_route("GET", "/fields/articles/title", "/fields/:collection/:field");
    assert_str(rest.parameters[0], "articles");
    assert_str(rest.parameters[1], "title");
    assert_route("GET", "/fields", "/fields");
    assert_false(rest.parameters[0].at);
    assert_route("GET", "/permissions/me/articles/1", "/permissions/me/:collection/:pk");
}

static void one_slash_at_the_end_does_not_count(void **state)
{
    (void)state;
    assert_route("GET", "/", "/");
    assert_route("GET", "/items/articles/", "");
    assert_route("GET", "/server/ping/", "/server/ping");
    assert_null(find("GET", "/items/articles//"));
}

static void what_is_not_there_has_no_route(void **state)
{
    static const struct {
        const char *method, *path;
    } unknown[] = {
        {"GET", "/nope"},
        {"GET", ""},
        {"GET", "*"},
        {"GET", "/items"},
        {"GET", "/items/"},
        {"GET", "/items//1"},
        {"GET", "/items/articles/1/2"},
        {"PUT", "/items/articles"},
        {"get", "/items/articles"},
        {"POST", "/items/articles/1"},
        {"GET", "/Users"},
        {"POST", "/users/invite"},
        {"POST", "/users/register"},
        {"POST", "/users/me/tfa/enable"},
        {"GET", "/sessions"},
        {"GET", "/fields//title"},
        {"GET", "/fields/a/b/c"},
        {"POST", "/server/ping"},
        {"GET", "/auth/login"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(unknown); i++) {
        if (find(unknown[i].method, unknown[i].path))
            fail_msg("%s %s has a route", unknown[i].method, unknown[i].path);
        assert_null(rest.route);
    }
}

/* Each row answers itself, so none is hidden behind another. */
static void every_route_of_the_tables_is_reached(void **state)
{
    static const struct route *const tables[] = {me_routes,     permission_routes, auth_routes,
                                                 schema_routes, server_routes,     utils_routes};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(tables); i++)
        for (const struct route *route = tables[i]; route->method; route++) {
            assert_ptr_equal(find(route->method, route->pattern), route);
            assert_non_null(route->handler.run);
            assert_non_null(route->handler.fail);
            assert_non_null(route->handler.name);
        }
}

/* What runs without looking at credentials is named here, so that none is added by accident. */
static void only_these_routes_pass_over_credentials(void **state)
{
    static const struct route *const tables[] = {me_routes,     permission_routes, auth_routes,
                                                 schema_routes, server_routes,     utils_routes,
                                                 items_routes};
    static const char *const open[] = {"/", "/grid", "/robots.txt", "/server/ping"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(tables); i++)
        for (const struct route *route = tables[i]; route->method; route++) {
            bool is_open = false;
            for (size_t k = 0; k < COUNT_OF(open); k++)
                is_open |= strcmp(open[k], route->pattern) == 0;
            assert_int_equal((route->flags & ROUTE_ANONYMOUS) != 0, is_open);
            assert_int_equal(route->handler.lane == LANE_LOOP, is_open);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_are_found_by_collection_and_key),
        cmocka_unit_test(system_collections_have_paths_of_their_own),
        cmocka_unit_test(a_fixed_path_wins_over_a_key),
        cmocka_unit_test(parameters_come_in_order),
        cmocka_unit_test(one_slash_at_the_end_does_not_count),
        cmocka_unit_test(what_is_not_there_has_no_route),
        cmocka_unit_test(every_route_of_the_tables_is_reached),
        cmocka_unit_test(only_these_routes_pass_over_credentials),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
