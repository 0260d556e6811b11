#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "server/rows_file.h"

#include "unit/server/heard.h"

static struct arena *arena;
static struct rows_file file;

static int begin(void **state)
{
    (void)state;
    arena = arena_new();
    return 0;
}

static int end(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static json_t *infer(const char *name, const char *text, struct str key)
{
    write_file(name, text, strlen(text));
    assert_int_equal(rows_file_read(arena, name, &file), 0);
    unlink(name);
    listen_begin();
    json_t *body = rows_file_infer(&file, arena, STR("things"), key);
    listen_end();
    return body;
}

static const json_t *field_of(const json_t *body, const char *name)
{
    size_t index;
    json_t *field;
    json_array_foreach(json_get(body, "fields"), index, field)
    {
        if (strcmp(json_get_str(field, "field").at, name) == 0)
            return field;
    }
    fail_msg("there is no field %s", name);
    return NULL;
}

static const char *type_of(const json_t *body, const char *name)
{
    return json_get_str(field_of(body, name), "type").at;
}

static bool schema_says(const json_t *body, const char *name, const char *what)
{
    return json_is_true(json_get(json_get(field_of(body, name), "schema"), what));
}

/* A file with one column x of these lines. */
static void assert_type(const char *cells, const char *type)
{
    struct str text = arena_printf(arena, "x\n%s\n", cells);
    const char *found = type_of(infer("a.csv", text.at, STR_NULL), "x");
    if (strcmp(found, type) != 0)
        fail_msg("%s became %s, not %s", cells, found, type);
}

static void each_type_is_found_in_text_at_and_past_its_limits(void **state)
{
    static const struct {
        const char *cells, *type;
    } cases[] = {
        {"true\nFALSE", "boolean"},
        {"true\n1", "string"},
        {"0\n-7\n2147483647\n-2147483648", "integer"},
        {"2147483648", "bigInteger"},
        {"-2147483649", "bigInteger"},
        {"9223372036854775807", "bigInteger"},
        {"9223372036854775808", "string"},
        {"12345678901234567890\n1.5", "string"},
        {"1\n2.5", "float"},
        {"-0.5\n1e3", "float"},
        {"1e999", "string"},
        {"004\n12", "string"},
        {"+4", "string"},
        {".5", "string"},
        {"-", "string"},
        {"1 000", "string"},
        {"8b1d4f0e-6a52-4b2b-9d43-0f1f1a2b3c4d", "uuid"},
        {"8b1d4f0e-6a52-4b2b-9d43-0f1f1a2b3c4", "string"},
        {"2024-02-29", "date"},
        {"2023-02-29", "string"},
        {"2024-02-29\n2024-02-29T10:11:12", "string"},
        {"2024-02-29T10:11:12\n2024-02-29 10:11:12", "dateTime"},
        {"2024-02-29T10:11:12Z\n2024-02-29T10:11:12+02:00", "timestamp"},
        {"word", "string"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_type(cases[i].cells, cases[i].type);
}

static void text_longer_than_a_string_is_text(void **state)
{
    char cell[257];
    (void)state;
    memset(cell, 'x', sizeof(cell));
    cell[255] = '\0';
    assert_type(cell, "string");
    cell[255] = 'x';
    cell[256] = '\0';
    assert_type(cell, "text");
}

static void nothing_but_empty_cells_are_strings(void **state)
{
    (void)state;
    const json_t *body = infer("a.csv", "x,y\n1,\n2,\n", STR_NULL);
    assert_string_equal(type_of(body, "y"), "string");
    assert_true(schema_says(body, "y", "is_nullable"));
    assert_false(schema_says(body, "x", "is_nullable"));
    body = infer("a.csv", "x,y\n", STR_NULL);
    assert_string_equal(type_of(body, "y"), "string");
}

static void json_values_have_types_of_their_own(void **state)
{
    (void)state;
    const json_t *body = infer("a.json",
                               "[{\"b\":true,\"i\":1,\"l\":5000000000,\"f\":1.5,\"s\":\"004\","
                               "\"n\":\"7\",\"j\":[1],\"m\":1,\"d\":\"2024-02-29\"},"
                               "{\"b\":false,\"i\":2,\"l\":1,\"f\":1,\"s\":\"x\",\"n\":\"8\","
                               "\"j\":{\"a\":1},\"m\":\"x\",\"d\":null}]",
                               STR_NULL);
    static const struct {
        const char *name, *type;
    } types[] = {{"b", "boolean"}, {"i", "integer"}, {"l", "bigInteger"},
                 {"f", "float"},   {"s", "string"},  {"n", "string"},
                 {"j", "json"},    {"m", "string"},  {"d", "date"}};
    for (size_t i = 0; i < COUNT_OF(types); i++)
        assert_string_equal(type_of(body, types[i].name), types[i].type);
    assert_true(schema_says(body, "d", "is_nullable"));
    json_t *special = json_get(json_get(field_of(body, "j"), "meta"), "special");
    assert_string_equal(json_string_value(json_array_get(special, 0)), "cast-json");
}

static void a_field_that_only_some_items_have_may_be_null(void **state)
{
    (void)state;
    const json_t *body = infer("a.json", "[{\"a\":1},{\"a\":2,\"b\":3}]", STR_NULL);
    assert_false(schema_says(body, "a", "is_nullable"));
    assert_true(schema_says(body, "b", "is_nullable"));
}

static void the_key_is_the_one_asked_for_or_id_or_none(void **state)
{
    (void)state;
    const json_t *body = infer("a.csv", "id,code\n1,a\n2,b\n", STR_NULL);
    assert_true(schema_says(body, "id", "is_primary_key"));
    assert_true(schema_says(body, "id", "has_auto_increment"));
    assert_false(schema_says(body, "code", "is_primary_key"));

    body = infer("a.csv", "id,code\n1,a\n1,b\n", STR("code"));
    assert_true(schema_says(body, "code", "is_primary_key"));
    assert_false(schema_says(body, "code", "has_auto_increment"));
    assert_false(schema_says(body, "id", "is_primary_key"));

    body = infer("a.csv", "x\n1\n2\n", STR_NULL);
    assert_false(schema_says(body, "x", "is_primary_key"));
}

static void a_field_that_cannot_be_the_key_is_refused(void **state)
{
    static const char *const files[] = {
        "code\na\na\n",        /* double */
        "code,x\na,1\n,2\n",   /* missing */
        "code\n1.5\n2.5\n",    /* of a wrong type */
        "other\na\n",          /* not there */
        "code\ntrue\nfalse\n", /* of a wrong type */
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        assert_null(infer("a.csv", files[i], STR("code")));
        assert_heard("\"code\" cannot be the key");
    }
    assert_null(infer("a.csv", "id\n1\n1\n", STR_NULL));
    assert_heard("\"id\" cannot be the key");
}

static void no_items_tell_no_fields(void **state)
{
    (void)state;
    assert_null(infer("a.json", "[]", STR_NULL));
    assert_heard("there is no item");
}

static void the_body_names_the_collection_and_keeps_the_order(void **state)
{
    (void)state;
    const json_t *body = infer("a.csv", "z,a,m\n1,2,3\n", STR_NULL);
    static const char *const order[] = {"z", "a", "m"};
    assert_string_equal(json_get_str(body, "collection").at, "things");
    for (size_t i = 0; i < COUNT_OF(order); i++)
        assert_string_equal(json_get_str(json_array_get(json_get(body, "fields"), i), "field").at,
                            order[i]);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(each_type_is_found_in_text_at_and_past_its_limits),
        TEST(text_longer_than_a_string_is_text),
        TEST(nothing_but_empty_cells_are_strings),
        TEST(json_values_have_types_of_their_own),
        TEST(a_field_that_only_some_items_have_may_be_null),
        TEST(the_key_is_the_one_asked_for_or_id_or_none),
        TEST(a_field_that_cannot_be_the_key_is_refused),
        TEST(no_items_tell_no_fields),
        TEST(the_body_names_the_collection_and_keeps_the_order),
    };
    return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
