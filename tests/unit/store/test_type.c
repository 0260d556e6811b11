#include "check.h"

#include "store/expr.h"
#include "store/type.h"

/* ---- reading ---- */

struct reading {
    const char *json;
    int outcome;
    struct value value;
};

static void check_readings(const struct column *c, const struct reading *readings, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct arena *a = arena_new();
        struct value v = NONE;
        json_t *json;
        assert_int_equal(json_read_in(a, str_of(readings[i].json), &json, NULL), 0);
        int outcome = type_read(c, json, a, &v);
        if (outcome != readings[i].outcome)
            print_error("%s reads %s as %d\n", types[c->type].name, readings[i].json, outcome);
        assert_int_equal(outcome, readings[i].outcome);
        assert_value(v, readings[i].value);
        if (outcome == 0)
            assert_int_equal(type_check(c, &v), 0);
        arena_free(a);
    }
}
#define CHECK_READINGS(column, ...)                                                                \
    check_readings((column), (const struct reading[]){__VA_ARGS__},                                \
                   COUNT_OF(((const struct reading[]){__VA_ARGS__})))

static void null_is_null_for_every_type(void **state)
{
    (void)state;
    for (int id = 0; id < TYPE_COUNT; id++)
        CHECK_READINGS((&(struct column){.type = (enum type_id)id}), {"null", 0, NONE});
}

static void strings_take_numbers_and_json_and_keep_to_their_length(void **state)
{
    (void)state;
    const struct column c = {.type = TYPE_STRING, .length_max = 3};
    CHECK_READINGS(
        &c, {"\"ab\"", 0, TEXT("ab")}, {"\"abc\"", 0, TEXT("abc")},
        {"\"abcd\"", TYPE_TOO_LONG, NONE}, {"\"\"", 0, TEXT("")}, {"12", 0, TEXT("12")},
        {"1.5", 0, TEXT("1.5")}, {"1234", TYPE_TOO_LONG, NONE}, {"[1]", 0, TEXT("[1]")},
        {"{}", 0, TEXT("{}")},
        {"\"\xc3\xa4\xf0\x9f\x98\x80\xc3\xa4\"", 0, TEXT("\xc3\xa4\xf0\x9f\x98\x80\xc3\xa4")},
        {"\"\xc3\xa4\xf0\x9f\x98\x80\xc3\xa4x\"", TYPE_TOO_LONG, NONE});
    const struct column unlimited = {.type = TYPE_STRING};
    CHECK_READINGS(&unlimited, {"\"abcd\"", 0, TEXT("abcd")});
}

static void text_that_no_store_can_hold_is_refused(void **state)
{
    (void)state;
    static const enum type_id types_of_text[] = {TYPE_STRING, TYPE_TEXT, TYPE_CSV, TYPE_HASH};
    const struct value nul = value_text((struct str){"a\0b", 3}), broken = TEXT("\xff");
    AUTO(json_unref) json_t *json = json_stringn("a\0b", 3);
    for (size_t i = 0; i < COUNT_OF(types_of_text); i++) {
        const struct column c = {.type = types_of_text[i]};
        struct value v = NONE;
        struct arena *a = arena_new();
        assert_int_equal(type_read(&c, json, a, &v), TYPE_MISMATCH);
        assert_int_equal(type_check(&c, &nul), TYPE_MISMATCH);
        assert_int_equal(type_check(&c, &broken), TYPE_MISMATCH);
        arena_free(a);
    }
}

static void integers_have_32_bits(void **state)
{
    (void)state;
    const struct column c = {.type = TYPE_INTEGER};
    CHECK_READINGS(
        &c, {"2147483647", 0, INTEGER(INT32_MAX)}, {"2147483648", TYPE_OUT_OF_RANGE, NONE},
        {"-2147483648", 0, INTEGER(INT32_MIN)}, {"-2147483649", TYPE_OUT_OF_RANGE, NONE},
        {"\"12\"", 0, INTEGER(12)}, {"\" -7 \"", 0, INTEGER(-7)}, {"5.0", 0, INTEGER(5)},
        {"\"5.0\"", 0, INTEGER(5)}, {"1e3", 0, INTEGER(1000)}, {"5.5", TYPE_MISMATCH, NONE},
        {"\"5.5\"", TYPE_MISMATCH, NONE}, {"\"five\"", TYPE_MISMATCH, NONE},
        {"\"\"", TYPE_MISMATCH, NONE}, {"true", TYPE_MISMATCH, NONE}, {"[1]", TYPE_MISMATCH, NONE},
        {"1e300", TYPE_OUT_OF_RANGE, NONE}, {"\"99999999999999999999\"", TYPE_OUT_OF_RANGE, NONE});
}

static void big_integers_have_64_bits(void **state)
{
    (void)state;
    const struct column c = {.type = TYPE_BIG_INTEGER};
    CHECK_READINGS(&c, {"9223372036854775807", 0, INTEGER(INT64_MAX)},
                   {"\"9223372036854775807\"", 0, INTEGER(INT64_MAX)},
                   {"\"9223372036854775808\"", TYPE_OUT_OF_RANGE, NONE},
                   {"\"-9223372036854775808\"", 0, INTEGER(INT64_MIN)},
                   {"\"-9223372036854775809\"", TYPE_OUT_OF_RANGE, NONE},
                   {"9223372036854775808.0", TYPE_OUT_OF_RANGE, NONE},
                   {"2147483648", 0, INTEGER(INT64_C(2147483648))});
}

static void floats_are_finite(void **state)
{
    (void)state;
    const struct column c = {.type = TYPE_FLOAT};
    CHECK_READINGS(&c, {"0.1", 0, REAL(0.1)}, {"3", 0, REAL(3)}, {"\"2.5e1\"", 0, REAL(25)},
                   {"-0.0", 0, REAL(0)}, {"\"nan\"", TYPE_MISMATCH, NONE},
                   {"\"inf\"", TYPE_MISMATCH, NONE}, {"\"1e999\"", TYPE_OUT_OF_RANGE, NONE},
                   {"\"\"", TYPE_MISMATCH, NONE}, {"false", TYPE_MISMATCH, NONE},
                   {"1.7976931348623157e308", 0, REAL(1.7976931348623157e308)});
}

static void decimals_round_as_written_half_away_from_zero(void **state)
{
    (void)state;
    const struct column c = {.type = TYPE_DECIMAL, .precision = 5, .scale = 2};
    CHECK_READINGS(&c, {"1.005", 0, REAL(1.01)}, {"1.004", 0, REAL(1)}, {"-1.005", 0, REAL(-1.01)},
                   {"0.005", 0, REAL(0.01)}, {"0.0049", 0, REAL(0)}, {"-0.001", 0, REAL(0)},
                   {"1e-30", 0, REAL(0)}, {"\"2.5\"", 0, REAL(2.5)}, {"7", 0, REAL(7)},
                   {"999.99", 0, REAL(999.99)}, {"999.994", 0, REAL(999.99)},
                   {"999.995", TYPE_OUT_OF_RANGE, NONE}, {"1000", TYPE_OUT_OF_RANGE, NONE},
                   {"-999.99", 0, REAL(-999.99)}, {"-1000", TYPE_OUT_OF_RANGE, NONE},
                   {"1e300", TYPE_OUT_OF_RANGE, NONE}, {"\"x\"", TYPE_MISMATCH, NONE});
    const struct column by_default = {.type = TYPE_DECIMAL};
    CHECK_READINGS(&by_default, {"99999.999994", 0, REAL(99999.99999)},
                   {"99999.999995", TYPE_OUT_OF_RANGE, NONE});
    const struct column widest = {.type = TYPE_DECIMAL, .precision = 15};
    CHECK_READINGS(&widest, {"999999999999999", 0, REAL(999999999999999)},
                   {"1e15", TYPE_OUT_OF_RANGE, NONE}, {"0.5", 0, REAL(1)});
    const struct column finest = {.type = TYPE_DECIMAL, .precision = 15, .scale = 15};
    CHECK_READINGS(&finest, {"0.123456789012345", 0, REAL(0.123456789012345)},
                   {"0.0000000000000005", 0, REAL(1e-15)}, {"0.0000000000000004", 0, REAL(0)},
                   {"0.1234567890123456", 0, REAL(0.123456789012346)},
                   {"1", TYPE_OUT_OF_RANGE, NONE});
}

static void booleans_come_in_five_ways(void **state)
{
    (void)state;
    const struct column c = {.type = TYPE_BOOLEAN};
    CHECK_READINGS(&c, {"true", 0, INTEGER(1)}, {"false", 0, INTEGER(0)}, {"1", 0, INTEGER(1)},
                   {"0", 0, INTEGER(0)}, {"\"true\"", 0, INTEGER(1)}, {"\"false\"", 0, INTEGER(0)},
                   {"\"1\"", 0, INTEGER(1)}, {"\"0\"", 0, INTEGER(0)}, {"2", TYPE_MISMATCH, NONE},
                   {"\"yes\"", TYPE_MISMATCH, NONE}, {"1.0", TYPE_MISMATCH, NONE},
                   {"[]", TYPE_MISMATCH, NONE});
}

static void moments_become_canonical(void **state)
{
    (void)state;
    const struct column date = {.type = TYPE_DATE}, time = {.type = TYPE_TIME};
    const struct column date_time = {.type = TYPE_DATE_TIME}, stamp = {.type = TYPE_TIMESTAMP};
    CHECK_READINGS(
        &date, {"\"2024-02-29\"", 0, TEXT("2024-02-29")}, {"\"2023-02-29\"", TYPE_MISMATCH, NONE},
        {"\"0001-01-01\"", 0, TEXT("0001-01-01")}, {"\"0000-12-31\"", TYPE_MISMATCH, NONE},
        {"\"9999-12-31\"", 0, TEXT("9999-12-31")}, {"\"10000-01-01\"", TYPE_MISMATCH, NONE},
        {"20240102", TYPE_MISMATCH, NONE});
    CHECK_READINGS(&time, {"\"10:11\"", 0, TEXT("10:11:00")},
                   {"\"24:00:00\"", TYPE_MISMATCH, NONE});
    CHECK_READINGS(&date_time, {"\"2024-01-02 10:11:12\"", 0, TEXT("2024-01-02T10:11:12")});
    CHECK_READINGS(&stamp, {"\"2024-01-02T10:11:12+02:00\"", 0, TEXT("2024-01-02T08:11:12.000Z")},
                   {"\"soon\"", TYPE_MISMATCH, NONE}, {"{}", TYPE_MISMATCH, NONE});
}

static void uuids_are_lowered(void **state)
{
    (void)state;
    const struct column c = {.type = TYPE_UUID};
    CHECK_READINGS(&c,
                   {"\"ABCDEF01-2345-4678-9ABC-DEF012345678\"", 0,
                    TEXT("abcdef01-2345-4678-9abc-def012345678")},
                   {"\"abcdef01-2345-4678-9abc-def01234567\"", TYPE_MISMATCH, NONE},
                   {"\"abcdef01-2345-4678-9abc-def0123456789\"", TYPE_MISMATCH, NONE},
                   {"\"\"", TYPE_MISMATCH, NONE}, {"1", TYPE_MISMATCH, NONE});
}

static void json_is_kept_compact_and_text_of_json_is_json(void **state)
{
    (void)state;
    const struct column c = {.type = TYPE_JSON};
    CHECK_READINGS(&c, {"{\"a\": [1, 2]}", 0, TEXT("{\"a\":[1,2]}")},
                   {"\"[1, true]\"", 0, TEXT("[1,true]")}, {"\"words\"", 0, TEXT("\"words\"")},
                   {"5", 0, TEXT("5")}, {"false", 0, TEXT("false")}, {"\"\"", 0, TEXT("\"\"")});
}

static void csv_takes_a_list_of_scalars_or_comma_text(void **state)
{
    (void)state;
    const struct column c = {.type = TYPE_CSV, .length_max = 5};
    CHECK_READINGS(&c, {"[\"a\",1,true]", TYPE_TOO_LONG, NONE}, {"[\"a\",1,2]", 0, TEXT("a,1,2")},
                   {"[]", 0, TEXT("")}, {"\"a,b\"", 0, TEXT("a,b")},
                   {"[null,\"a\"]", 0, TEXT(",a")}, {"[[1]]", TYPE_MISMATCH, NONE},
                   {"{}", TYPE_MISMATCH, NONE}, {"\"a,b,cd\"", TYPE_TOO_LONG, NONE},
                   {"7", 0, TEXT("7")});
}

static void a_key_is_a_number_or_text_of_its_type(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    const struct column number = {.type = TYPE_INTEGER}, uuid = {.type = TYPE_UUID};
    struct value v;
    json_t *json;
    assert_int_equal(json_read_in(a, STR("[7,\"7\",\"x\",null,true,[7]]"), &json, NULL), 0);
    for (size_t i = 0; i < json_array_size(json); i++) {
        assert_int_equal(type_read_key(&number, json_array_get(json, i), a, &v),
                         i < 2 ? 0 : TYPE_MISMATCH);
        assert_int_equal(type_read_key(&uuid, json_array_get(json, i), a, &v), TYPE_MISMATCH);
    }
    assert_int_equal(type_read_key(&number, json_array_get(json, 1), a, &v), 0);
    assert_value(v, INTEGER(7));
    arena_free(a);
}

/* ---- checking ---- */

static void a_value_of_another_kind_length_or_range_is_found(void **state)
{
    (void)state;
    const struct {
        struct column column;
        struct value value;
        int outcome;
    } cases[] = {
        {{.type = TYPE_STRING, .length_max = 2}, TEXT("ab"), 0},
        {{.type = TYPE_STRING, .length_max = 2}, TEXT("abc"), TYPE_TOO_LONG},
        {{.type = TYPE_STRING}, INTEGER(1), TYPE_MISMATCH},
        {{.type = TYPE_INTEGER}, INTEGER(INT32_MAX), 0},
        {{.type = TYPE_INTEGER}, INTEGER(INT64_C(1) + INT32_MAX), TYPE_OUT_OF_RANGE},
        {{.type = TYPE_INTEGER}, REAL(1), TYPE_MISMATCH},
        {{.type = TYPE_BIG_INTEGER}, INTEGER(INT64_MIN), 0},
        {{.type = TYPE_FLOAT}, INTEGER(1), TYPE_MISMATCH},
        {{.type = TYPE_FLOAT}, REAL(1.0 / 0.0), TYPE_OUT_OF_RANGE},
        {{.type = TYPE_FLOAT}, REAL(0.0 / 0.0), TYPE_OUT_OF_RANGE},
        {{.type = TYPE_DECIMAL, .precision = 3, .scale = 1}, REAL(99.9), 0},
        {{.type = TYPE_DECIMAL, .precision = 3, .scale = 1}, REAL(100), TYPE_OUT_OF_RANGE},
        {{.type = TYPE_INTEGER}, NONE, 0},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_int_equal(type_check(&cases[i].column, &cases[i].value), cases[i].outcome);
}

/* ---- writing ---- */

static void each_type_has_its_json(void **state)
{
    (void)state;
    const int64_t safe_max = (INT64_C(1) << 53) - 1;
    const struct {
        enum type_id type;
        struct value value;
        const char *json;
    } cases[] = {
        {TYPE_STRING, TEXT("a\"\n"), "\"a\\\"\\n\""},
        {TYPE_STRING, NONE, "null"},
        {TYPE_INTEGER, INTEGER(-5), "-5"},
        {TYPE_BIG_INTEGER, INTEGER(safe_max), "9007199254740991"},
        {TYPE_BIG_INTEGER, INTEGER(safe_max + 1), "\"9007199254740992\""},
        {TYPE_BIG_INTEGER, INTEGER(-safe_max), "-9007199254740991"},
        {TYPE_BIG_INTEGER, INTEGER(-safe_max - 1), "\"-9007199254740992\""},
        {TYPE_BIG_INTEGER, INTEGER(INT64_MIN), "\"-9223372036854775808\""},
        {TYPE_FLOAT, REAL(0.1), "0.1"},
        {TYPE_DECIMAL, REAL(999.99), "999.99"},
        {TYPE_BOOLEAN, INTEGER(1), "true"},
        {TYPE_BOOLEAN, INTEGER(0), "false"},
        {TYPE_DATE, TEXT("2024-01-02"), "\"2024-01-02\""},
        {TYPE_JSON, TEXT("{\"a\":[1]}"), "{\"a\":[1]}"},
        {TYPE_CSV, TEXT(""), "[]"},
        {TYPE_CSV, TEXT("a"), "[\"a\"]"},
        {TYPE_CSV, TEXT("a,,\"b\""), "[\"a\",\"\",\"\\\"b\\\"\"]"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct buf b;
        const struct column c = {.type = cases[i].type};
        buf_init(&b, SIZE_MAX);
        type_write(&b, &c, &cases[i].value);
        assert_text(buf_str(&b), cases[i].json);
        buf_deinit(&b);
    }
}

/* ---- converting ---- */

static void a_value_converts_exactly_or_not_at_all(void **state)
{
    (void)state;
    const struct {
        enum type_id from, to;
        struct value value;
        int outcome;
        struct value converted;
    } cases[] = {
        {TYPE_STRING, TYPE_TEXT, TEXT("a,b"), 0, TEXT("a,b")},
        {TYPE_STRING, TYPE_INTEGER, TEXT("12"), 0, INTEGER(12)},
        {TYPE_STRING, TYPE_INTEGER, TEXT("12a"), TYPE_MISMATCH, NONE},
        {TYPE_STRING, TYPE_INTEGER, TEXT(""), TYPE_MISMATCH, NONE},
        {TYPE_INTEGER, TYPE_STRING, INTEGER(12), 0, TEXT("12")},
        {TYPE_BIG_INTEGER, TYPE_STRING, INTEGER(INT64_MAX), 0, TEXT("9223372036854775807")},
        {TYPE_BIG_INTEGER, TYPE_INTEGER, INTEGER(INT64_MAX), TYPE_OUT_OF_RANGE, NONE},
        {TYPE_FLOAT, TYPE_INTEGER, REAL(2), 0, INTEGER(2)},
        {TYPE_FLOAT, TYPE_INTEGER, REAL(2.5), TYPE_MISMATCH, NONE},
        {TYPE_FLOAT, TYPE_TEXT, REAL(2.5), 0, TEXT("2.5")},
        {TYPE_FLOAT, TYPE_DECIMAL, REAL(1.000006), 0, REAL(1.00001)},
        {TYPE_FLOAT, TYPE_BIG_INTEGER, REAL(1e300), TYPE_OUT_OF_RANGE, NONE},
        {TYPE_BOOLEAN, TYPE_STRING, INTEGER(1), 0, TEXT("true")},
        {TYPE_BOOLEAN, TYPE_INTEGER, INTEGER(1), 0, INTEGER(1)},
        {TYPE_INTEGER, TYPE_BOOLEAN, INTEGER(0), 0, INTEGER(0)},
        {TYPE_INTEGER, TYPE_BOOLEAN, INTEGER(2), TYPE_MISMATCH, NONE},
        {TYPE_CSV, TYPE_JSON, TEXT("a,b"), 0, TEXT("[\"a\",\"b\"]")},
        {TYPE_JSON, TYPE_CSV, TEXT("[\"a\",\"b\"]"), 0, TEXT("a,b")},
        {TYPE_JSON, TYPE_CSV, TEXT("{}"), TYPE_MISMATCH, NONE},
        {TYPE_JSON, TYPE_TEXT, TEXT("{\"a\":1}"), 0, TEXT("{\"a\":1}")},
        {TYPE_TEXT, TYPE_JSON, TEXT("{\"a\": 1}"), 0, TEXT("{\"a\":1}")},
        {TYPE_CSV, TYPE_TEXT, TEXT("a,b"), 0, TEXT("a,b")},
        {TYPE_STRING, TYPE_DATE, TEXT("2024-01-02"), 0, TEXT("2024-01-02")},
        {TYPE_DATE, TYPE_TIMESTAMP, TEXT("2024-01-02"), 0, TEXT("2024-01-02T00:00:00.000Z")},
        {TYPE_TIME, TYPE_DATE, TEXT("10:11:12"), TYPE_MISMATCH, NONE},
        {TYPE_UUID, TYPE_INTEGER, TEXT("abcdef01-2345-4678-9abc-def012345678"), TYPE_MISMATCH,
         NONE},
        {TYPE_STRING, TYPE_INTEGER, NONE, 0, NONE},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct arena *a = arena_new();
        const struct column from = {.type = cases[i].from}, to = {.type = cases[i].to};
        struct value v = NONE;
        assert_int_equal(type_convert(&from, &to, &cases[i].value, a, &v), cases[i].outcome);
        assert_value(v, cases[i].converted);
        arena_free(a);
    }
}

/* ---- names ---- */

static void types_and_actions_are_found_by_name(void **state)
{
    (void)state;
    for (int id = 0; id < TYPE_COUNT; id++) {
        enum type_id found;
        assert_true(type_find(str_of(types[id].name), &found));
        assert_int_equal(found, id);
    }
    for (int action = 0; action < ON_DELETE_COUNT; action++) {
        enum reference_action found;
        struct str name = str_of(reference_action_name((enum reference_action)action));
        assert_true(reference_action_find(name, &found));
        assert_int_equal(found, action);
    }
    enum type_id type;
    enum reference_action action;
    assert_false(type_find(STR("alias"), &type));
    assert_false(type_find(STR("Integer"), &type));
    assert_false(reference_action_find(STR("EXPLODE"), &action));
}

static void filters_may_use_what_the_specification_lists(void **state)
{
    (void)state;
    const struct {
        enum type_id type;
        const char *operators;
    } cases[] = {
        {TYPE_UUID, "eq,neq,null,nnull,in,nin"},
        {TYPE_BOOLEAN, "eq,neq,null,nnull"},
        {TYPE_INTEGER, "eq,neq,lt,lte,gt,gte,between,nbetween,null,nnull,in,nin"},
        {TYPE_DATE, "eq,neq,lt,lte,gt,gte,between,nbetween,null,nnull,in,nin"},
        {TYPE_JSON, "null,nnull"},
        {TYPE_HASH, "null,nnull,empty,nempty"},
        {TYPE_TIMESTAMP, "contains,ncontains,eq,neq,lt,lte,gt,gte,between,nbetween,empty,nempty,"
                         "null,nnull,in,nin"},
        {TYPE_CSV, "contains,ncontains,icontains,starts_with,nstarts_with,istarts_with,"
                   "nistarts_with,ends_with,nends_with,iends_with,niends_with,eq,neq,empty,nempty,"
                   "null,nnull,in,nin"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint64_t expected = 0;
        struct str rest = str_of(cases[i].operators), name;
        while (str_next(&rest, ',', &name)) {
            enum operator op;
            assert_true(operator_find(name, &op));
            expected |= UINT64_C(1) << op;
        }
        assert_int_equal(types[cases[i].type].operators, expected);
    }
    assert_int_equal(types[TYPE_STRING].operators, types[TYPE_CSV].operators);
    assert_int_equal(types[TYPE_FLOAT].operators, types[TYPE_INTEGER].operators);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(null_is_null_for_every_type),
        cmocka_unit_test(strings_take_numbers_and_json_and_keep_to_their_length),
        cmocka_unit_test(text_that_no_store_can_hold_is_refused),
        cmocka_unit_test(integers_have_32_bits),
        cmocka_unit_test(big_integers_have_64_bits),
        cmocka_unit_test(floats_are_finite),
        cmocka_unit_test(decimals_round_as_written_half_away_from_zero),
        cmocka_unit_test(booleans_come_in_five_ways),
        cmocka_unit_test(moments_become_canonical),
        cmocka_unit_test(uuids_are_lowered),
        cmocka_unit_test(json_is_kept_compact_and_text_of_json_is_json),
        cmocka_unit_test(csv_takes_a_list_of_scalars_or_comma_text),
        cmocka_unit_test(a_key_is_a_number_or_text_of_its_type),
        cmocka_unit_test(a_value_of_another_kind_length_or_range_is_found),
        cmocka_unit_test(each_type_has_its_json),
        cmocka_unit_test(a_value_converts_exactly_or_not_at_all),
        cmocka_unit_test(types_and_actions_are_found_by_name),
        cmocka_unit_test(filters_may_use_what_the_specification_lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
