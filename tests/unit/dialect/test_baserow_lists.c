#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dialect/baserow/lists.h"

struct inhabitant {
    const char *name, *town;
};
static const struct inhabitant people[] = {
    {"bea", "Rome"}, {"Ann", "rome"}, {"cid", "Bonn"}, {"ann", "Bonn"}};
enum { PEOPLE = 4 };

static struct str name_of(const void *row)
{
    return str_of(((const struct inhabitant *)row)->name);
}

static struct str town_of(const void *row)
{
    return str_of(((const struct inhabitant *)row)->town);
}

static const struct list_column columns[] = {
    {"name", name_of, true},
    {"town", town_of, false},
    {NULL, NULL, false},
};

/* The indexes of those selected, as text; or the code of the refusal. */
static const char *selected(struct arena *a, const char *search, const char *sorts)
{
    const void *rows[PEOPLE];
    size_t count = PEOPLE;
    struct problem problem = {.kind = PROBLEM_NONE};
    struct tx tx = {.arena = a, .problem = &problem};
    AUTO(json_unref)
    json_t *asked = json_pack("{s:s*,s:s*}", "search", search, "sorts", sorts);
    for (size_t i = 0; i < PEOPLE; i++)
        rows[i] = &people[i];
    if (list_select(&tx, asked, columns, rows, &count))
        return arena_z(a, problem.reason);
    char *text = arena_alloc(a, PEOPLE + 1);
    for (size_t i = 0; i < count; i++)
        text[i] = (char)('0' + ((const struct inhabitant *)rows[i] - people));
    return text;
}

static void rows_are_found_and_put_in_order(void **state)
{
    (void)state;
    static const struct {
        const char *search, *sorts, *wanted;
    } cases[] = {
        {NULL, NULL, "0123"},
        {"", "", "0123"},
        {"AN", NULL, "13"},
        {" an ", NULL, "13"},
        {"rome", NULL, ""}, /* towns are not searched */
        {NULL, "+name", "1302"},
        {NULL, " name", "1302"},
        {NULL, "-name", "2013"}, /* equal ones keep their order */
        {NULL, "+town,-name", "2301"},
        {NULL, "-town,+name", "1032"},
        {"a", "-name", "013"},
        {NULL, "name", "ERROR_INVALID_SORT_DIRECTION"},
        {NULL, "*name", "ERROR_INVALID_SORT_DIRECTION"},
        {NULL, "+name,town", "ERROR_INVALID_SORT_DIRECTION"},
        {NULL, "+", "ERROR_INVALID_SORT_ATTRIBUTE"},
        {NULL, "+Name", "ERROR_INVALID_SORT_ATTRIBUTE"},
        {NULL, "+name,", "ERROR_INVALID_SORT_ATTRIBUTE"},
        {NULL, "+name,-name", "ERROR_INVALID_SORT_ATTRIBUTE"},
        {NULL, "+name,+town,+name", "ERROR_INVALID_SORT_ATTRIBUTE"},
    };
    AUTO(arena_free) struct arena *a = arena_new();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_string_equal(selected(a, cases[i].search, cases[i].sorts), cases[i].wanted);
}

static void an_empty_list_stays_empty(void **state)
{
    (void)state;
    AUTO(arena_free) struct arena *a = arena_new();
    AUTO(json_unref) json_t *asked = json_pack("{s:s,s:s}", "search", "x", "sorts", "+name");
    struct problem problem = {.kind = PROBLEM_NONE};
    struct tx tx = {.arena = a, .problem = &problem};
    const void *rows[1] = {NULL};
    size_t count = 0;
    assert_int_equal(list_select(&tx, asked, columns, rows, &count), 0);
    assert_int_equal(count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_found_and_put_in_order),
        cmocka_unit_test(an_empty_list_stays_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
