#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dialect/directus/directus.h"
#include "model/problem.h"

/* The object as compact JSON, or "refused: …". */
static void assert_query(const char *query, const char *expected)
{
    AUTO(arena_free) struct arena *a = arena_new();
    struct str reason = STR_NULL;
    json_t *object = NULL;
    int rc = url_query_parse(a, str_of(query), &object, &reason);
    assert_in_range(rc, 0, REFUSED);
    struct str text =
        rc == 0 ? json_text(a, object) : arena_printf(a, "refused: %.*s", STR_ARG(reason));
    assert_string_equal(arena_z(a, text), expected);
}

/* How a query of `count` pieces like "&a[%d]=x" comes out: the kind of its member "a". */
static bool is_list_of(const char *piece, int count, size_t expected)
{
    AUTO(arena_free) struct arena *a = arena_new();
    struct buf b;
    json_t *object = NULL;
    struct str reason;
    buf_init(&b, SIZE_MAX);
    for (int i = 0; i < count; i++)
        buf_printf(&b, "&a[%d]%s=%d", i, piece, i);
    int rc = url_query_parse(a, buf_str(&b), &object, &reason);
    buf_deinit(&b);
    assert_int_equal(rc, 0);
    const json_t *made = json_get(object, "a");
    assert_int_equal(json_is_array(made) ? json_array_size(made) : json_object_size(made),
                     expected);
    return json_is_array(made);
}

static void plain_parameters_are_texts(void **state)
{
    (void)state;
    assert_query("", "{}");
    assert_query("&&", "{}");
    assert_query("limit=1&page=2", "{\"limit\":\"1\",\"page\":\"2\"}");
    assert_query("a", "{\"a\":\"\"}");
    assert_query("a=", "{\"a\":\"\"}");
    assert_query("=x", "{}");
    assert_query("a=b=c", "{\"a\":\"b=c\"}");
    assert_query("a=true&b=null", "{\"a\":\"true\",\"b\":\"null\"}");
}

static void names_and_values_are_percent_decoded(void **state)
{
    (void)state;
    assert_query("a=x%20y+z%2B", "{\"a\":\"x y z+\"}");
    assert_query("%61%5Bb%5D=1", "{\"a\":{\"b\":\"1\"}}");
    assert_query("a=%C3%A4", "{\"a\":\"\xc3\xa4\"}");
    assert_query("a=%zz", "refused: A parameter is not percent-encoded as it should be");
    assert_query("a=%4", "refused: A parameter is not percent-encoded as it should be");
}

static void what_is_no_text_is_refused_in_names_and_values(void **state)
{
    (void)state;
    assert_query("a=%ff", "refused: A parameter is not valid UTF-8");
    assert_query("%ff=1", "refused: A parameter is not valid UTF-8");
    assert_query("%ff[b]=1", "refused: A parameter is not valid UTF-8");
    assert_query("a[%c3]=1", "refused: A parameter is not valid UTF-8");
    assert_query("a=x%00y", "refused: A parameter is not valid UTF-8");
    assert_query("a%00=1", "refused: A parameter is not valid UTF-8");
}

static void brackets_nest(void **state)
{
    (void)state;
    assert_query("filter[a][_eq]=1", "{\"filter\":{\"a\":{\"_eq\":\"1\"}}}");
    assert_query("filter[a][_gt]=1&filter[a][_lt]=9&filter[b]=2",
                 "{\"filter\":{\"a\":{\"_gt\":\"1\",\"_lt\":\"9\"},\"b\":\"2\"}}");
    assert_query("[a]=1", "{\"[a]\":\"1\"}");
    assert_query("a[b=1", "refused: The brackets of a parameter do not match");
    assert_query("a[b]c=1", "refused: The brackets of a parameter do not match");
    assert_query("a[b]]=1", "refused: The brackets of a parameter do not match");
}

static void nesting_ends_at_ten_levels(void **state)
{
    (void)state;
    assert_query("a[1a][2][3][4][5][6][7][8][9][10a]=x",
                 "{\"a\":{\"1a\":[[[[[[[[{\"10a\":\"x\"}]]]]]]]]}}");
    assert_query("a[1][2][3][4][5][6][7][8][9][10][11]=x",
                 "refused: A parameter is nested too deep");
}

static void a_repeated_name_is_a_list(void **state)
{
    (void)state;
    assert_query("fields=a&fields=b&fields=c", "{\"fields\":[\"a\",\"b\",\"c\"]}");
    assert_query("f[a]=1&f[a]=2", "{\"f\":{\"a\":[\"1\",\"2\"]}}");
    assert_query("fields[]=a&fields[]=b", "{\"fields\":[\"a\",\"b\"]}");
    assert_query("fields[]=a", "{\"fields\":[\"a\"]}");
    assert_query("fields=a&fields[]=b", "{\"fields\":[\"a\",\"b\"]}");
    assert_query("fields[1]=a&fields[]=b&fields[]=c", "{\"fields\":[\"a\",\"b\",\"c\"]}");
}

static void numbered_elements_are_ordered_by_their_numbers(void **state)
{
    (void)state;
    assert_query("f[_or][0][a][_eq]=1&f[_or][1][b][_eq]=2",
                 "{\"f\":{\"_or\":[{\"a\":{\"_eq\":\"1\"}},{\"b\":{\"_eq\":\"2\"}}]}}");
    assert_query("f[1]=b&f[0]=a&f[10]=d&f[9]=c", "{\"f\":[\"a\",\"b\",\"c\",\"d\"]}");
}

static void names_that_are_no_plain_numbers_make_an_object(void **state)
{
    (void)state;
    assert_query("f[0]=a&f[b]=c", "{\"f\":{\"0\":\"a\",\"b\":\"c\"}}");
    assert_query("f[01]=a", "{\"f\":{\"01\":\"a\"}}");
    assert_query("f[-1]=a", "{\"f\":{\"-1\":\"a\"}}");
    assert_query("f[%2B1]=a", "{\"f\":{\"+1\":\"a\"}}");
    assert_query("f[9223372036854775808]=a", "{\"f\":{\"9223372036854775808\":\"a\"}}");
}

static void lists_end_at_500_elements(void **state)
{
    (void)state;
    assert_true(is_list_of("", 499, 499));
    assert_true(is_list_of("", 500, 500));
    assert_false(is_list_of("", 501, 501));
}

static void more_than_a_thousand_parameters_are_refused(void **state)
{
    (void)state;
    AUTO(arena_free) struct arena *a = arena_new();
    struct buf b;
    struct str reason;
    json_t *object;
    buf_init(&b, SIZE_MAX);
    for (int i = 0; i < 1000; i++)
        buf_printf(&b, "%sp%d=1", i ? "&" : "", i);
    assert_int_equal(url_query_parse(a, buf_str(&b), &object, &reason), 0);
    assert_int_equal(json_object_size(object), 1000);
    buf_put_lit(&b, "&x=1");
    assert_int_equal(url_query_parse(a, buf_str(&b), &object, &reason), REFUSED);
    buf_deinit(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_parameters_are_texts),
        cmocka_unit_test(names_and_values_are_percent_decoded),
        cmocka_unit_test(what_is_no_text_is_refused_in_names_and_values),
        cmocka_unit_test(brackets_nest),
        cmocka_unit_test(nesting_ends_at_ten_levels),
        cmocka_unit_test(a_repeated_name_is_a_list),
        cmocka_unit_test(numbered_elements_are_ordered_by_their_numbers),
        cmocka_unit_test(names_that_are_no_plain_numbers_make_an_object),
        cmocka_unit_test(lists_end_at_500_elements),
        cmocka_unit_test(more_than_a_thousand_parameters_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
