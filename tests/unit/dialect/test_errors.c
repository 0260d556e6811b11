#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dialect/directus/directus.h"

static void assert_rest(const struct problem *p, int status, const char *expected)
{
    struct buf b;
    buf_init(&b, SIZE_MAX);
    error_write_rest(&b, p);
    buf_put_char(&b, '\0');
    assert_string_equal(b.at, expected);
    assert_int_equal(error_http_status(p), status);
    buf_deinit(&b);
}

static void assert_seed(const struct problem *p, const char *expected)
{
    struct buf b;
    buf_init(&b, SIZE_MAX);
    error_write_seed(&b, p);
    buf_put_char(&b, '\0');
    assert_string_equal(b.at, expected);
    buf_deinit(&b);
}

static void a_problem_without_words_has_those_of_its_kind(void **state)
{
    (void)state;
    assert_rest(&(struct problem){.kind = PROBLEM_FORBIDDEN}, 403,
                "{\"errors\":[{\"message\":\"You don't have permission to access this.\","
                "\"extensions\":{\"code\":\"FORBIDDEN\"}}]}");
    assert_rest(&(struct problem){.kind = PROBLEM_INVALID_CREDENTIALS}, 401,
                "{\"errors\":[{\"message\":\"Invalid user credentials.\","
                "\"extensions\":{\"code\":\"INVALID_CREDENTIALS\"}}]}");
    assert_rest(&(struct problem){.kind = PROBLEM_INVALID_TOKEN}, 403,
                "{\"errors\":[{\"message\":\"Invalid token.\","
                "\"extensions\":{\"code\":\"INVALID_TOKEN\"}}]}");
    assert_rest(&(struct problem){.kind = PROBLEM_TOKEN_EXPIRED}, 401,
                "{\"errors\":[{\"message\":\"Token expired.\","
                "\"extensions\":{\"code\":\"TOKEN_EXPIRED\"}}]}");
    assert_rest(&(struct problem){.kind = PROBLEM_INTERNAL}, 500,
                "{\"errors\":[{\"message\":\"An unexpected error occurred.\","
                "\"extensions\":{\"code\":\"INTERNAL_SERVER_ERROR\"}}]}");
    assert_rest(&(struct problem){.kind = PROBLEM_INVALID_PAYLOAD}, 400,
                "{\"errors\":[{\"message\":\"Invalid payload.\","
                "\"extensions\":{\"code\":\"INVALID_PAYLOAD\"}}]}");
}

static void a_reason_is_told_in_the_message_and_by_itself(void **state)
{
    (void)state;
    assert_rest(
        &(struct problem){.kind = PROBLEM_INVALID_QUERY, .reason = STR("\"limit\" is odd")}, 400,
        "{\"errors\":[{\"message\":\"Invalid query. \\\"limit\\\" is odd.\","
        "\"extensions\":{\"code\":\"INVALID_QUERY\",\"reason\":\"\\\"limit\\\" is odd\"}}]}");
    assert_rest(&(struct problem){.kind = PROBLEM_UNPROCESSABLE, .reason = STR("No")}, 422,
                "{\"errors\":[{\"message\":\"Can't process content. No.\","
                "\"extensions\":{\"code\":\"UNPROCESSABLE_CONTENT\",\"reason\":\"No\"}}]}");
}

static void an_unknown_route_names_its_path(void **state)
{
    (void)state;
    assert_rest(&(struct problem){.kind = PROBLEM_ROUTE_NOT_FOUND, .value = STR("/a\"b")}, 404,
                "{\"errors\":[{\"message\":\"Route /a\\\"b doesn't exist.\","
                "\"extensions\":{\"code\":\"ROUTE_NOT_FOUND\",\"path\":\"/a\\\"b\"}}]}");
}

static void constraints_name_collection_and_field(void **state)
{
    (void)state;
    assert_rest(&(struct problem){.kind = PROBLEM_NOT_UNIQUE,
                                  .collection = STR("c"),
                                  .field = STR("f"),
                                  .value = STR("v")},
                400,
                "{\"errors\":[{\"message\":\"Value \\\"v\\\" for field \\\"f\\\" in collection "
                "\\\"c\\\" has to be unique.\",\"extensions\":{\"code\":\"RECORD_NOT_UNIQUE\","
                "\"collection\":\"c\",\"field\":\"f\",\"value\":\"v\"}}]}");
    assert_rest(&(struct problem){.kind = PROBLEM_NOT_NULL,
                                  .collection = STR("c"),
                                  .field = STR("f"),
                                  .value = STR("kept to itself")},
                400,
                "{\"errors\":[{\"message\":\"Value for field \\\"f\\\" in collection \\\"c\\\" "
                "can't be null.\",\"extensions\":{\"code\":\"NOT_NULL_VIOLATION\","
                "\"collection\":\"c\",\"field\":\"f\"}}]}");
    assert_rest(&(struct problem){.kind = PROBLEM_INVALID_FOREIGN_KEY}, 400,
                "{\"errors\":[{\"message\":\"Invalid foreign key.\","
                "\"extensions\":{\"code\":\"INVALID_FOREIGN_KEY\"}}]}");
}

static void a_service_that_is_not_there_says_which_and_why(void **state)
{
    (void)state;
    assert_rest(&(struct problem){.kind = PROBLEM_UNAVAILABLE}, 503,
                "{\"errors\":[{\"message\":\"Service \\\"api\\\" is unavailable. Under pressure.\","
                "\"extensions\":{\"code\":\"SERVICE_UNAVAILABLE\",\"service\":\"api\","
                "\"reason\":\"Under pressure\"}}]}");
    assert_rest(&(struct problem){.kind = PROBLEM_UNAVAILABLE, .reason = STR("No mail")}, 503,
                "{\"errors\":[{\"message\":\"Service \\\"api\\\" is unavailable. No mail.\","
                "\"extensions\":{\"code\":\"SERVICE_UNAVAILABLE\",\"service\":\"api\","
                "\"reason\":\"No mail\"}}]}");
}

static void all_violations_are_told_each_with_what_it_wants(void **state)
{
    json_t *valid = json_integer(3);
    struct violation second = {.field = STR("b"), .type = STR("gt"), .valid = valid};
    struct violation first = {.field = STR("a"), .type = STR("required"), .next = &second};
    const struct problem p = {.kind = PROBLEM_FAILED_VALIDATION, .violations = &first};
    (void)state;
    assert_rest(
        &p, 400,
        "{\"errors\":[{\"message\":\"Validation failed for field \\\"a\\\". Value is "
        "required.\",\"extensions\":{\"code\":\"FAILED_VALIDATION\",\"field\":\"a\","
        "\"path\":[],\"type\":\"required\"}},{\"message\":\"Validation failed for field "
        "\\\"b\\\". Value doesn't satisfy the rule.\",\"extensions\":{\"code\":"
        "\"FAILED_VALIDATION\",\"field\":\"b\",\"path\":[],\"type\":\"gt\",\"valid\":3}}]}");
    assert_seed(&p, "[{\"status\":400,\"code\":\"FAILED_VALIDATION\",\"extensions\":{\"field\":"
                    "\"a\",\"path\":[],\"type\":\"required\"}},{\"status\":400,\"code\":"
                    "\"FAILED_VALIDATION\",\"extensions\":{\"field\":\"b\",\"path\":[],\"type\":"
                    "\"gt\",\"valid\":3}}]");
    json_decref(valid);
}

static void sockets_are_told_status_and_code(void **state)
{
    (void)state;
    assert_seed(&(struct problem){.kind = PROBLEM_FORBIDDEN},
                "{\"status\":403,\"code\":\"FORBIDDEN\",\"extensions\":{}}");
    assert_seed(&(struct problem){.kind = PROBLEM_INVALID_PAYLOAD, .reason = STR("No")},
                "{\"status\":400,\"code\":\"INVALID_PAYLOAD\",\"extensions\":{\"reason\":\"No\"}}");
}

static void a_long_value_is_told_whole(void **state)
{
    AUTO(arena_free) struct arena *a = arena_new();
    struct buf b;
    json_t *parsed;
    char value[3001];
    (void)state;
    for (size_t i = 0; i < sizeof(value) - 1; i += 2)
        memcpy(value + i, "\xc3\xa4", 2);
    const struct problem p = {.kind = PROBLEM_VALUE_TOO_LONG,
                              .collection = STR("c"),
                              .field = STR("f"),
                              .value = {value, 3000}};
    buf_init(&b, SIZE_MAX);
    error_write_rest(&b, &p);
    assert_int_equal(json_read_in(a, buf_str(&b), &parsed, NULL), 0);
    struct str message = json_get_str(json_array_get(json_get(parsed, "errors"), 0), "message");
    assert_true(str_contains(message, p.value));
    assert_true(str_ends_with(message, STR("\" for field \"f\" in collection \"c\" is too long.")));
    buf_deinit(&b);
}

static void every_kind_has_a_status_a_code_and_a_message(void **state)
{
    (void)state;
    for (int kind = 0; kind < PROBLEM_KIND_COUNT; kind++) {
        const struct problem p = {.kind = (enum problem_kind)kind};
        assert_in_range(error_http_status(&p), 400, 599);
        assert_non_null(error_code(&p));
        struct buf b;
        buf_init(&b, SIZE_MAX);
        error_write_rest(&b, &p);
        assert_true(str_contains(buf_str(&b), STR(".\"")));
        buf_deinit(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_problem_without_words_has_those_of_its_kind),
        cmocka_unit_test(a_reason_is_told_in_the_message_and_by_itself),
        cmocka_unit_test(an_unknown_route_names_its_path),
        cmocka_unit_test(constraints_name_collection_and_field),
        cmocka_unit_test(a_service_that_is_not_there_says_which_and_why),
        cmocka_unit_test(all_violations_are_told_each_with_what_it_wants),
        cmocka_unit_test(sockets_are_told_status_and_code),
        cmocka_unit_test(a_long_value_is_told_whole),
        cmocka_unit_test(every_kind_has_a_status_a_code_and_a_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
