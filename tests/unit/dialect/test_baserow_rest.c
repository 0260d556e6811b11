#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dialect/baserow/rest.h"

static struct arena *arena;

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

static json_t *json(const char *text)
{
    json_t *value = NULL;
    assert_int_equal(json_read_in(arena, str_of(text), &value, NULL), 0);
    return value;
}

/* ---- validation ---- */

/* What one rule makes of the value under "a": `{"a":…}` when it is right, or the code of its only
 * mistake. */
static const char *outcome(struct rule rule, const char *value)
{
    json_t *data, *detail;
    rule.name = "a";
    const struct rule rules[] = {rule, {.name = NULL}};
    const char *body = arena_printf(arena, "{\"a\":%s,\"b\":1}", value).at;
    size_t mistakes = validate(arena, rules, json(body), &data, &detail);
    if (mistakes == 0) {
        assert_int_equal(json_object_size(detail), 0);
        return json_text(arena, data).at;
    }
    assert_int_equal(mistakes, 1);
    json_t *list = json_get(detail, "a");
    assert_int_equal(json_array_size(list), 1);
    return json_get_str(json_array_get(list, 0), "code").at;
}

static void each_kind_of_rule_takes_what_fits_and_names_what_does_not(void **state)
{
    static const struct {
        struct rule rule;
        const char *value, *outcome;
    } cases[] = {
        {{.kind = RULE_TEXT}, "\" x \"", "{\"a\":\"x\"}"},
        {{.kind = RULE_TEXT}, "1.5", "{\"a\":\"1.5\"}"},
        {{.kind = RULE_TEXT}, "true", "invalid"},
        {{.kind = RULE_TEXT}, "\" \"", "blank"},
        {{.kind = RULE_TEXT, .flags = RULE_BLANK, .min = 2}, "\" \"", "{\"a\":\"\"}"},
        {{.kind = RULE_TEXT}, "null", "null"},
        {{.kind = RULE_TEXT, .flags = RULE_NULL}, "null", "{\"a\":null}"},
        {{.kind = RULE_TEXT, .min = 2, .max = 3}, "\"\xc3\xa4\"", "min_length"},
        {{.kind = RULE_TEXT, .min = 2, .max = 3},
         "\"\xc3\xa4\xc3\xa4\"",
         "{\"a\":\"\xc3\xa4\xc3\xa4\"}"},
        {{.kind = RULE_TEXT, .min = 2, .max = 3}, "\"abcd\"", "max_length"},
        {{.kind = RULE_SECRET}, "\" x \"", "{\"a\":\" x \"}"},
        {{.kind = RULE_SECRET}, "\"\"", "blank"},
        {{.kind = RULE_PASSWORD}, "\"1234567\"", "password_validation_failed"},
        {{.kind = RULE_PASSWORD}, "\"12345678\"", "{\"a\":\"12345678\"}"},
        {{.kind = RULE_PASSWORD}, "\"\"", "password_validation_failed"},
        {{.kind = RULE_EMAIL}, "\" A@B.c \"", "{\"a\":\"a@b.c\"}"},
        {{.kind = RULE_EMAIL}, "\"a\"", "invalid"},
        {{.kind = RULE_EMAIL, .max = 5}, "\"aa@b.c\"", "max_length"},
        {{.kind = RULE_CHOICE, .choices = "one,two"}, "\"two\"", "{\"a\":\"two\"}"},
        {{.kind = RULE_CHOICE, .choices = "one,two"}, "\"one,two\"", "invalid_choice"},
        {{.kind = RULE_CHOICE, .choices = "one,two"}, "\"\"", "invalid_choice"},
        {{.kind = RULE_CHOICE, .choices = "1,2"}, "1", "invalid_choice"},
        {{.kind = RULE_LANGUAGE, .choices = "en,de"}, "\"de\"", "{\"a\":\"de\"}"},
        {{.kind = RULE_LANGUAGE, .choices = "en,de"}, "\"fr\"", "invalid_language"},
        {{.kind = RULE_INTEGER, .min = 1, .max = 3}, "0", "min_value"},
        {{.kind = RULE_INTEGER, .min = 1, .max = 3}, "1", "{\"a\":1}"},
        {{.kind = RULE_INTEGER, .min = 1, .max = 3}, "\" 3 \"", "{\"a\":3}"},
        {{.kind = RULE_INTEGER, .min = 1, .max = 3}, "4", "max_value"},
        {{.kind = RULE_INTEGER}, "1.5", "invalid"},
        {{.kind = RULE_INTEGER}, "true", "invalid"},
        {{.kind = RULE_BOOLEAN}, "true", "{\"a\":true}"},
        {{.kind = RULE_BOOLEAN}, "0", "{\"a\":false}"},
        {{.kind = RULE_BOOLEAN}, "\"Off\"", "{\"a\":false}"},
        {{.kind = RULE_BOOLEAN}, "2", "invalid"},
        {{.kind = RULE_BOOLEAN}, "[]", "invalid"},
        {{.kind = RULE_IDS}, "[3,\"1\",-2]", "{\"a\":[3,1,-2]}"},
        {{.kind = RULE_IDS}, "[]", "{\"a\":[]}"},
        {{.kind = RULE_IDS}, "{}", "not_a_list"},
        {{.kind = RULE_TEXTS, .max = 2}, "[\"ab\"]", "{\"a\":[\"ab\"]}"},
        {{.kind = RULE_JSON}, "{\"x\":[null]}", "{\"a\":{\"x\":[null]}}"},
        {{.kind = RULE_JSON}, "null", "{\"a\":null}"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_string_equal(outcome(cases[i].rule, cases[i].value), cases[i].outcome);
}

static const struct rule some_rules[] = {
    {.name = "name", .kind = RULE_TEXT, .flags = RULE_REQUIRED},
    {.name = "ids", .kind = RULE_IDS},
    {.name = "size", .kind = RULE_INTEGER},
    {.name = NULL},
};

static void all_mistakes_are_told_at_once_those_of_elements_by_index(void **state)
{
    json_t *data, *detail;
    (void)state;
    size_t mistakes =
        validate(arena, some_rules, json("{\"ids\":[1,\"x\",2,null],\"size\":[]}"), &data, &detail);
    assert_int_equal(mistakes, 4);
    assert_string_equal(
        json_text(arena, detail).at,
        "{\"name\":[{\"error\":\"This field is required.\",\"code\":\"required\"}],"
        "\"ids\":{\"1\":[{\"error\":\"A valid integer is required.\",\"code\":\"invalid\"}],"
        "\"3\":[{\"error\":\"A valid integer is required.\",\"code\":\"invalid\"}]},"
        "\"size\":[{\"error\":\"A valid integer is required.\",\"code\":\"invalid\"}]}");
}

static void no_object_at_all_lacks_what_is_required_and_another_value_is_none(void **state)
{
    json_t *data, *detail;
    (void)state;
    assert_int_equal(validate(arena, some_rules, NULL, &data, &detail), 1);
    assert_non_null(json_get(detail, "name"));
    assert_int_equal(validate(arena, some_rules, json("[]"), &data, &detail), 1);
    assert_non_null(json_get(detail, "non_field_errors"));
    assert_int_equal(validate(arena, NULL, NULL, &data, &detail), 0);
}

static void what_was_validated_is_read_by_name(void **state)
{
    json_t *data, *detail;
    const int64_t *ids;
    size_t count;
    (void)state;
    assert_int_equal(validate(arena, some_rules, json("{\"name\":\"x\",\"ids\":[7,8],\"more\":1}"),
                              &data, &detail),
                     0);
    assert_true(str_equal(data_text(data, "name"), STR("x")));
    assert_false(data_is_sent(data, "more"));
    assert_int_equal(data_integer(data, "size", 5), 5);
    data_ids(arena, data, "ids", &ids, &count);
    assert_int_equal(count, 2);
    assert_int_equal(ids[0], 7);
    assert_int_equal(ids[1], 8);
}

/* ---- routes ---- */

static enum route_found find(const char *method, const char *path, struct rest *rest)
{
    *rest = (struct rest){0};
    return route_find(str_of(method), str_of(path), rest);
}

static void a_path_is_found_with_its_ids_or_it_is_told_what_it_lacks(void **state)
{
    struct rest rest;
    (void)state;
    assert_int_equal(find("PATCH", "/api/workspaces/12/", &rest), ROUTE_FOUND);
    assert_int_equal(rest.ids[0], 12);
    assert_int_equal(find("POST", "/api/workspaces/order/", &rest), ROUTE_FOUND);
    assert_int_equal(find("PATCH", "/api/workspaces/999999999999999999/", &rest), ROUTE_FOUND);
    assert_int_equal(find("PATCH", "/api/workspaces/1000000000000000000/", &rest), ROUTE_NONE);
    assert_int_equal(find("PATCH", "/api/workspaces/-1/", &rest), ROUTE_NONE);
    assert_int_equal(find("PATCH", "/api/workspaces/+1/", &rest), ROUTE_NONE);
    assert_int_equal(find("PATCH", "/api/workspaces/12", &rest), ROUTE_SLASH_MISSING);
    assert_int_equal(find("PUT", "/api/workspaces/12/", &rest), ROUTE_OTHER_METHOD);
    assert_int_equal(find("GET", "/api/none/", &rest), ROUTE_NONE);
    assert_int_equal(find("GET", "/api/none", &rest), ROUTE_NONE);
    assert_int_equal(find("GET", "/api/settings//", &rest), ROUTE_NONE);
}

/* ---- errors ---- */

static void assert_error(const struct problem *p, int status, const char *body)
{
    struct buf b;
    buf_init(&b, SIZE_MAX);
    error_write(&b, p);
    buf_put_char(&b, '\0');
    assert_string_equal(b.at, body);
    assert_int_equal(error_status(p), status);
    buf_deinit(&b);
}

static void each_form_of_an_error_is_written_as_clients_read_it(void **state)
{
    struct problem problem;
    struct tx tx = {.arena = arena, .problem = &problem};
    (void)state;
    refuse_code(&tx, ERROR_GROUP_DOES_NOT_EXIST, NULL);
    assert_error(&problem, 404,
                 "{\"error\":\"ERROR_GROUP_DOES_NOT_EXIST\","
                 "\"detail\":\"The requested workspace does not exist.\"}");
    refuse_code(&tx, URL_NOT_FOUND, "/api/\"%v/");
    assert_error(&problem, 404,
                 "{\"error\":\"URL_NOT_FOUND\",\"detail\":\"URL /api/\\\"%v/ not found.\"}");
    refuse_code(&tx, METHOD_NOT_ALLOWED, "PUT");
    assert_error(&problem, 405, "{\"detail\":\"Method \\\"PUT\\\" not allowed.\"}");
    refuse_field(&tx, "name", "invalid", "No.");
    assert_error(&problem, 400,
                 "{\"error\":\"ERROR_REQUEST_BODY_VALIDATION\","
                 "\"detail\":{\"name\":[{\"error\":\"No.\",\"code\":\"invalid\"}]}}");
    refuse_code(&tx, BARE_VALIDATION, "{\"email\":[]}");
    assert_error(&problem, 400, "{\"email\":[]}");
}

static void problems_of_the_model_are_told_by_word_and_by_kind(void **state)
{
    struct problem problem;
    struct tx tx = {.arena = arena, .problem = &problem};
    (void)state;
    refuse(&tx, PROBLEM_UNPROCESSABLE, "%s", WORKSPACE_NOT_MEMBER);
    assert_error(&problem, 400, "{\"error\":\"ERROR_USER_NOT_IN_GROUP\",\"detail\":\"\"}");
    refuse(&tx, PROBLEM_UNPROCESSABLE, "some reason");
    assert_error(&problem, 400,
                 "{\"error\":\"ERROR_REQUEST_BODY_VALIDATION\",\"detail\":\"some reason\"}");
    /* A word of ours under another kind is only a reason. */
    refuse(&tx, PROBLEM_INVALID_QUERY, "%s", WORKSPACE_NOT_MEMBER);
    assert_error(&problem, 400,
                 "{\"error\":\"ERROR_QUERY_PARAMETER_VALIDATION\",\"detail\":\"not a member\"}");
    refuse(&tx, PROBLEM_UNAVAILABLE, NULL);
    assert_error(&problem, 503, "{\"detail\":\"The server is busy: under pressure.\"}");
    problem = (struct problem){.kind = PROBLEM_INTERNAL};
    assert_error(&problem, 500, "{\"detail\":\"A server error occurred.\"}");
}

/* ---- who sends ---- */

static void a_socket_id_stands_for_the_first_63_bits_of_its_digest(void **state)
{
    (void)state;
    assert_true(baserow_origin(STR_NULL) == 0);
    assert_true(baserow_origin(STR("")) == 0);
    /* SHA-256 of "abc" begins with ba7816bf8f01cfea. */
    assert_true(baserow_origin(STR("abc")) == UINT64_C(0xba7816bf8f01cfea) >> 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_kind_of_rule_takes_what_fits_and_names_what_does_not,
                                        begin, end),
        cmocka_unit_test_setup_teardown(all_mistakes_are_told_at_once_those_of_elements_by_index,
                                        begin, end),
        cmocka_unit_test_setup_teardown(
            no_object_at_all_lacks_what_is_required_and_another_value_is_none, begin, end),
        cmocka_unit_test_setup_teardown(what_was_validated_is_read_by_name, begin, end),
        cmocka_unit_test(a_path_is_found_with_its_ids_or_it_is_told_what_it_lacks),
        cmocka_unit_test_setup_teardown(each_form_of_an_error_is_written_as_clients_read_it, begin,
                                        end),
        cmocka_unit_test_setup_teardown(problems_of_the_model_are_told_by_word_and_by_kind, begin,
                                        end),
        cmocka_unit_test(a_socket_id_stands_for_the_first_63_bits_of_its_digest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
