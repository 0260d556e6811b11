#include "unit/model/memory.h"

/* Conditions are compared by their canonical text, or by what they say of a row. */

static int compile(struct memory *m, const char *filter, const struct expr **x)
{
    const struct table *articles = &m->tables[ARTICLES];
    return filter_compile(&m->tx, m->principal, articles, memory_json(m, filter), FILTER_QUERY,
                          principal_grant(m->principal, articles, ACTION_READ), x);
}

static const struct expr *compiled(struct memory *m, const char *filter)
{
    const struct expr *x = NULL;
    if (compile(m, filter, &x) != 0)
        fail_msg("%s: %.*s", filter, STR_ARG(m->problem.reason));
    return x;
}

static struct str key_of(struct memory *m, const char *filter)
{
    struct buf b;
    buf_init(&b, SIZE_MAX);
    expr_put_key(&b, compiled(m, filter));
    struct str key = arena_str(m->arena, buf_str(&b));
    buf_deinit(&b);
    return key;
}

#define assert_same(m, a, b)                                                                       \
    assert_string_equal(arena_z((m)->arena, key_of((m), (a))),                                     \
                        arena_z((m)->arena, key_of((m), (b))))
#define assert_differ(m, a, b) assert_false(str_equal(key_of((m), (a)), key_of((m), (b))))

static bool matches(struct memory *m, const char *filter, const struct value *row)
{
    return expr_matches(compiled(m, filter), row, MEMORY_NOW_MS);
}

static void refused_with(struct memory *m, const char *filter, enum problem_kind kind,
                         const char *reason)
{
    const struct expr *x = NULL;
    assert_int_equal(compile(m, filter, &x), REFUSED);
    assert_int_equal(m->problem.kind, kind);
    if (!str_contains(m->problem.reason, str_of(reason)))
        fail_msg("%s: %.*s", filter, STR_ARG(m->problem.reason));
    assert_null(x);
}

static void refused(struct memory *m, const char *filter, const char *reason)
{
    refused_with(m, filter, PROBLEM_INVALID_QUERY, reason);
}

static void an_empty_filter_matches_all(void **state)
{
    struct memory *m = *state;
    static const char *const empty[] = {"null",
                                        "{}",
                                        "{'title':{}}",
                                        "{'_and':[]}",
                                        "{'_or':[]}",
                                        "{'_and':[{},{}]}",
                                        "{'_or':[{'title':'a'},{}]}"};
    for (size_t i = 0; i < COUNT_OF(empty); i++)
        assert_int_equal(compiled(m, empty[i])->kind, EXPR_TRUE);
}

static void several_keys_mean_and(void **state)
{
    struct memory *m = *state;
    assert_same(m, "{'title':'a','views':1}",
                "{'_and':[{'title':{'_eq':'a'}},{'views':{'_eq':1}}]}");
    assert_same(m, "{'views':{'_gt':1,'_lt':9}}",
                "{'_and':[{'views':{'_gt':1}},{'views':{'_lt':9}}]}");
    assert_differ(m, "{'title':'a','views':1}", "{'_or':[{'title':'a'},{'views':1}]}");
}

static void a_scalar_means_eq(void **state)
{
    struct memory *m = *state;
    assert_same(m, "{'title':'a'}", "{'title':{'_eq':'a'}}");
    assert_same(m, "{'title':null}", "{'title':{'_null':true}}");
    assert_same(m, "{'published':true}", "{'published':{'_eq':true}}");
}

static void and_and_or_below_a_field_are_lifted(void **state)
{
    struct memory *m = *state;
    assert_same(m, "{'views':{'_or':[{'_lt':1},{'_gt':9}]}}",
                "{'_or':[{'views':{'_lt':1}},{'views':{'_gt':9}}]}");
    assert_same(m, "{'views':{'_and':[{'_gte':1},{'_or':[{'_lt':5},7]}]}}",
                "{'_and':[{'views':{'_gte':1}},{'_or':[{'views':{'_lt':5}},{'views':7}]}]}");
}

static void lists_come_in_three_forms(void **state)
{
    struct memory *m = *state;
    assert_same(m, "{'views':{'_in':[1,2,3]}}", "{'views':{'_in':'1,2,3'}}");
    assert_same(m, "{'views':{'_in':[1,2,3]}}", "{'views':{'_in':{'0':1,'1':'2','2':3}}}");
    assert_same(m, "{'views':{'_between':[1,5]}}", "{'views':{'_between':'1, 5'}}");
    assert_same(m, "{'views':{'_in':[1]}}", "{'views':{'_in':1}}");
    assert_same(m, "{'_or':{'0':{'title':'a'},'1':{'title':'b'}}}",
                "{'_or':[{'title':'a'},{'title':'b'}]}");
    refused(m, "{'views':{'_in':{'a':1}}}", "has to be a list");
    refused(m, "{'_or':{'title':'a'}}", "has to be a list");
    refused(m, "{'_and':'title'}", "has to be a list");
}

static void lists_need_a_value_and_drop_nulls(void **state)
{
    struct memory *m = *state;
    refused(m, "{'views':{'_in':[]}}", "needs one value");
    refused(m, "{'views':{'_nin':''}}", "needs one value");
    refused(m, "{'views':{'_between':{}}}", "needs one value");
    assert_same(m, "{'views':{'_in':[1,null,'null']}}", "{'views':{'_in':[1]}}");
    assert_int_equal(compiled(m, "{'views':{'_in':[null]}}")->kind, EXPR_FALSE);
    assert_same(m, "{'views':{'_nin':[null]}}", "{'views':{'_nnull':true}}");
}

static void a_range_without_two_ends_is_ignored(void **state)
{
    struct memory *m = *state;
    assert_int_equal(compiled(m, "{'views':{'_between':[1]}}")->kind, EXPR_TRUE);
    assert_int_equal(compiled(m, "{'views':{'_nbetween':[1,2,3]}}")->kind, EXPR_TRUE);
    assert_int_equal(compiled(m, "{'views':{'_between':[1,2]}}")->kind, EXPR_TEST);
}

static void flags_take_booleans_and_invert(void **state)
{
    struct memory *m = *state;
    static const char *const on[] = {"true", "'true'", "''", "null", "'null'"};
    for (size_t i = 0; i < COUNT_OF(on); i++)
        assert_same(m, "{'title':{'_null':true}}",
                    arena_printf(m->arena, "{'title':{'_null':%s}}", on[i]).at);
    assert_same(m, "{'title':{'_null':false}}", "{'title':{'_nnull':true}}");
    assert_same(m, "{'title':{'_null':'false'}}", "{'title':{'_nnull':true}}");
    assert_same(m, "{'title':{'_nempty':false}}", "{'title':{'_empty':true}}");
    refused(m, "{'title':{'_null':1}}", "boolean");
    refused(m, "{'title':{'_empty':[]}}", "boolean");
}

static void texts_of_a_url_are_converted(void **state)
{
    struct memory *m = *state;
    assert_same(m, "{'published':'true'}", "{'published':true}");
    assert_same(m, "{'title':'null'}", "{'title':null}");
    assert_same(m, "{'title':{'_neq':'NULL'}}", "{'title':{'_nnull':true}}");
    assert_same(m, "{'views':{'_gt':' 5 '}}", "{'views':{'_gt':5}}");
    assert_same(m, "{'score':{'_gt':'1.5'}}", "{'score':{'_gt':1.5}}");
    assert_same(m, "{'title':5}", "{'title':'5'}");
}

static void operators_depend_on_the_type(void **state)
{
    struct memory *m = *state;
    refused(m, "{'title':{'_gt':'a'}}",
            "\"string\" field type does not contain the \"_gt\" filter operator");
    refused(m, "{'views':{'_contains':'1'}}", "\"integer\" field type");
    refused(m, "{'published':{'_in':[true]}}", "\"boolean\" field type");
    refused(m, "{'meta':{'_eq':'{}'}}", "\"json\" field type");
    refused(m, "{'meta':1}", "\"json\" field type");
    refused(m, "{'password':{'_eq':'x'}}", "\"hash\" field type");
    refused(m, "{'password':{'_contains':'x'}}", "\"hash\" field type");
    assert_int_equal(compiled(m, "{'password':{'_nnull':true}}")->kind, EXPR_TEST);
    static const char *const never[] = {"_ieq",       "_nieq",       "_nicontains", "_regex",
                                        "_submitted", "_intersects", "_",           "_x"};
    for (size_t i = 0; i < COUNT_OF(never); i++)
        refused(m, arena_printf(m->arena, "{'title':{'%s':'a'}}", never[i]).at, "does not contain");
}

static void values_are_checked(void **state)
{
    struct memory *m = *state;
    refused(m, "{'title':{'_eq':''}}", "empty string");
    refused(m, "{'title':{'_eq':{'a':1}}}", "string, number, boolean or null");
    refused(m, "{'title':['a']}", "string, number, boolean or null");
    refused(m, "{'views':{'_in':[[1]]}}", "string, number, boolean or null");
    refused(m, "{'views':'many'}", "Invalid numeric value");
    refused(m, "{'views':'1e999'}", "Invalid numeric value");
    refused(m, "{'score':''}", "empty string");
    refused(m, "{'guid':'x'}", "Invalid uuid value");
    refused(m, "{'day':'yesterday'}", "Invalid date value");
    refused(m, "{'at':{'_gt':5}}", "Invalid timestamp value");
    refused(m, "{'published':'yes'}", "Invalid boolean value");
    refused(m, "{'big':9007199254740992}", "too large");
    refused(m, "{'big':-9007199254740992}", "too large");
    assert_int_equal(compiled(m, "{'big':9007199254740991}")->kind, EXPR_TEST);
    assert_int_equal(compiled(m, "{'big':'9007199254740992'}")->kind, EXPR_TEST);
}

static void numbers_past_the_column_may_be_compared_with(void **state)
{
    struct memory *m = *state;
    struct value row[ARTICLE_COLUMNS] = {[VIEWS] = value_integer(7), [RATING] = value_real(1.25)};
    assert_true(matches(m, "{'views':{'_lt':3000000000}}", row));
    assert_true(matches(m, "{'views':{'_gt':6.5}}", row));
    assert_true(matches(m, "{'rating':{'_gt':1.249999}}", row));
    assert_false(matches(m, "{'rating':{'_eq':1.2501}}", row));
}

static void filters_say_what_they_mean_of_a_row(void **state)
{
    struct memory *m = *state;
    struct value row[ARTICLE_COLUMNS] = {[TITLE] = value_text(STR("Hello World")),
                                         [STATUS] = value_text(STR("draft")),
                                         [VIEWS] = value_integer(7),
                                         [PUBLISHED] = value_integer(1),
                                         [DAY] = value_text(STR("2024-01-02")),
                                         [BODY] = value_text(STR(""))};
    assert_true(matches(m, "{'title':{'_contains':'World'}}", row));
    assert_false(matches(m, "{'title':{'_contains':'world'}}", row));
    assert_true(matches(m, "{'title':{'_icontains':'WORLD'}}", row));
    assert_true(matches(m, "{'title':{'_starts_with':'Hello'}}", row));
    assert_false(matches(m, "{'title':{'_starts_with':'hello'}}", row));
    assert_true(matches(m, "{'title':{'_istarts_with':'HELLO'}}", row));
    assert_true(matches(m, "{'title':{'_nends_with':'world'}}", row));
    assert_false(matches(m, "{'title':{'_niends_with':'world'}}", row));
    assert_false(matches(m, "{'title':{'_contains':'%'}}", row));
    assert_true(matches(m, "{'body':{'_empty':true}}", row));
    assert_true(matches(m, "{'guid':{'_null':true}}", row));
    assert_false(matches(m, "{'guid':{'_neq':'" MEMORY_USER "'}}", row));
    assert_true(matches(m, "{'views':{'_between':['7','9']}}", row));
    assert_true(matches(m, "{'views':{'_nin':[1,2]}}", row));
    assert_true(matches(m, "{'_or':[{'views':1},{'day':{'_lte':'2024-01-02'}}]}", row));
    assert_false(matches(m, "{'_and':[{'views':7},{'status':{'_neq':'draft'}}]}", row));
}

static void now_stays_a_moving_operand(void **state)
{
    struct memory *m = *state;
    struct value row[ARTICLE_COLUMNS] = {
        [AT] = value_text(STR("2024-01-02T03:04:05.678Z")), [DAY] = value_text(STR("2024-01-01"))};
    const struct expr *x = compiled(m, "{'at':{'_lte':'$NOW'}}");
    assert_true(expr_uses_now(x));
    assert_true(expr_matches(x, row, MEMORY_NOW_MS));
    assert_false(expr_matches(x, row, MEMORY_NOW_MS - 1));
    assert_true(matches(m, "{'day':'$NOW(-1 day)'}", row));
    assert_true(matches(m, "{'at':{'_between':['$NOW(-1 day)','$NOW(+1 day)']}}", row));
    assert_same(m, "{'at':{'_gt':'$NOW(nonsense)'}}", "{'at':{'_gt':'$NOW'}}");
    assert_false(expr_uses_now(compiled(m, "{'title':'$NOWHERE'}")));
}

static void variables_are_the_principals(void **state)
{
    struct memory user;
    (void)state;
    memory_open(&user, "[{'collection':'articles','action':'read','fields':['*']}]");
    assert_same(&user, "{'owner':'$CURRENT_USER'}", "{'owner':'" MEMORY_USER "'}");
    assert_same(&user, "{'title':'$CURRENT_USER.first_name'}", "{'title':'Ann'}");
    assert_same(&user, "{'guid':'$CURRENT_ROLE'}", "{'guid':null}");
    assert_same(&user, "{'title':{'_in':['a','$CURRENT_POLICIES','b']}}",
                "{'title':{'_in':['a','p','b']}}");
    assert_same(&user, "{'title':{'_in':'$CURRENT_POLICIES'}}", "{'title':{'_in':'p'}}");
    assert_int_equal(compiled(&user, "{'guid':{'_in':'$CURRENT_ROLES'}}")->kind, EXPR_FALSE);
    assert_same(&user, "{'title':'$CURRENT_USER.nothing'}",
                "{'_and':[{'title':'$CURRENT_USER.nothing'}]}");
    refused(&user, "{'title':'$CURRENT_ROLES'}", "string, number, boolean or null");
    memory_close(&user);
}

static void what_comes_later_is_refused_by_name(void **state)
{
    struct memory *m = *state;
    refused(m, "{'author':{'name':'Ann'}}", "not supported yet");
    refused(m, "{'year(day)':2024}", "not supported yet");
    refused(m, "{'item:posts':{'title':'a'}}", "not supported yet");
    refused(m, "{'meta':{'_json':{'a':{'_eq':1}}}}", "not supported yet");
    refused(m, "{'author':{'_some':{'name':'a'}}}", "not supported yet");
    refused(m, "{'title':{'name':'Ann'}}", "is no filter operator");
    refused(m, "{'_eq':1}", "needs a field");
    refused(m, "{'_some':{'title':'a'}}", "needs a field");
}

static void unknown_and_hidden_fields_are_forbidden(void **state)
{
    struct memory *m = *state;
    refused_with(m, "{'nothing':1}", PROBLEM_FORBIDDEN, "\"nothing\" in collection \"articles\"");
    refused_with(m, "{'rowcast_order':1}", PROBLEM_FORBIDDEN, "rowcast_order");
    refused_with(m, "{'':1}", PROBLEM_FORBIDDEN, "");
    refused_with(m, "{'_or':[{'nothing':{'_null':true}}]}", PROBLEM_FORBIDDEN, "nothing");
}

static void fields_need_to_be_readable(void **state)
{
    struct memory user;
    const struct expr *x = NULL;
    (void)state;
    memory_open(&user, "[{'collection':'articles','action':'read','fields':['id','title']}]");
    refused_with(&user, "{'views':1}", PROBLEM_FORBIDDEN, "views");
    assert_int_equal(compiled(&user, "{'title':'a'}")->kind, EXPR_TEST);
    assert_int_equal(filter_compile(&user.tx, user.principal, &user.tables[ARTICLES],
                                    memory_json(&user, "{'views':1}"), FILTER_RULE, NULL, &x),
                     0);
    memory_close(&user);
}

static void a_value_that_is_hidden_in_a_row_compares_as_null(void **state)
{
    struct memory user;
    (void)state;
    memory_open(&user, "[{'collection':'articles','action':'read','fields':['id','title'],"
                       "'permissions':{'status':'published'}},"
                       "{'collection':'articles','action':'read','fields':['*'],"
                       "'permissions':{'owner':'$CURRENT_USER'}}]");
    struct value row[ARTICLE_COLUMNS] = {[STATUS] = value_text(STR("published")),
                                         [TITLE] = value_text(STR("a")),
                                         [VIEWS] = value_integer(7)};
    assert_false(matches(&user, "{'views':7}", row));
    assert_true(matches(&user, "{'views':{'_null':true}}", row));
    assert_true(matches(&user, "{'title':'a'}", row));
    row[OWNER] = value_text(STR(MEMORY_USER));
    assert_true(matches(&user, "{'views':7}", row));
    memory_close(&user);
}

static void a_rule_may_compare_with_what_a_query_may_not(void **state)
{
    struct memory *m = *state;
    const struct expr *x = NULL;
    static const char *const filters[] = {"{'title':''}", "{'views':{'_in':[]}}"};
    for (size_t i = 0; i < COUNT_OF(filters); i++)
        assert_int_equal(filter_compile(&m->tx, m->principal, &m->tables[ARTICLES],
                                        memory_json(m, filters[i]), FILTER_RULE, NULL, &x),
                         0);
    assert_int_equal(x->kind, EXPR_FALSE);
}

static void a_rule_that_compares_with_nothing_is_refused(void **state)
{
    struct memory *m = *state;
    static const char *const filters[] = {"{'views':{'_between':[1]}}",
                                          "{'views':{'_nbetween':[1,2,3]}}", "{'_or':[]}",
                                          "{'views':{'_or':[]}}"};
    for (size_t i = 0; i < COUNT_OF(filters); i++) {
        const struct expr *x = NULL;
        assert_int_equal(compiled(m, filters[i])->kind, EXPR_TRUE);
        assert_int_equal(filter_compile(&m->tx, m->principal, &m->tables[ARTICLES],
                                        memory_json(m, filters[i]), FILTER_RULE, NULL, &x),
                         REFUSED);
    }
}

static void what_is_no_object_is_refused(void **state)
{
    struct memory *m = *state;
    static const char *const filters[] = {
        "1", "'a'", "[]", "true", "{'_and':[1]}", "{'_or':[null]}", "{'_or':[['a']]}"};
    for (size_t i = 0; i < COUNT_OF(filters); i++)
        refused(m, filters[i], "has to be an object");
}

/* `{"_and":[{"_and":[… {"title":"a"} …]}]}`, so many objects deep. */
static const char *nested(struct memory *m, unsigned depth)
{
    struct str text = STR("{'title':'a'}");
    for (unsigned i = 1; i < depth; i++)
        text = arena_printf(m->arena, "{'_and':[%.*s]}", STR_ARG(text));
    return text.at;
}

static void depth_is_bounded(void **state)
{
    struct memory *m = *state;
    m->settings.filter_depth_max = 5;
    assert_int_equal(compiled(m, nested(m, 4))->kind, EXPR_TEST);
    assert_int_equal(compiled(m, nested(m, 5))->kind, EXPR_TEST);
    refused(m, nested(m, 6), "nested deeper than 5 levels");
    m->settings.filter_depth_max = 1;
    refused(m, "{'title':{'_eq':'a'}}", "nested deeper");
}

static json_t *many(struct memory *m, size_t count, const char *each)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append(list, memory_json(m, each));
    arena_on_free(m->arena, json_release, list);
    return list;
}

static int compile_json(struct memory *m, json_t *filter)
{
    const struct expr *x;
    arena_on_free(m->arena, json_release, filter);
    return filter_compile(&m->tx, m->principal, &m->tables[ARTICLES], filter, FILTER_QUERY,
                          principal_grant(m->principal, &m->tables[ARTICLES], ACTION_READ), &x);
}

static void conditions_and_values_are_bounded(void **state)
{
    struct memory *m = *state;
    assert_int_equal(compile_json(m, json_pack("{s:O}", "_or", many(m, 1000, "{'views':1}"))), 0);
    assert_refused(m, compile_json(m, json_pack("{s:O}", "_or", many(m, 1001, "{'views':1}"))),
                   PROBLEM_INVALID_QUERY, "more than 1000 conditions");
    assert_int_equal(compile_json(m, json_pack("{s:{s:O}}", "views", "_in", many(m, 10000, "1"))),
                     0);
    assert_refused(m, compile_json(m, json_pack("{s:{s:O}}", "views", "_in", many(m, 10001, "1"))),
                   PROBLEM_INVALID_QUERY, "more than 10000 values");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        memory_test(an_empty_filter_matches_all),
        memory_test(several_keys_mean_and),
        memory_test(a_scalar_means_eq),
        memory_test(and_and_or_below_a_field_are_lifted),
        memory_test(lists_come_in_three_forms),
        memory_test(lists_need_a_value_and_drop_nulls),
        memory_test(a_range_without_two_ends_is_ignored),
        memory_test(a_rule_that_compares_with_nothing_is_refused),
        memory_test(flags_take_booleans_and_invert),
        memory_test(texts_of_a_url_are_converted),
        memory_test(operators_depend_on_the_type),
        memory_test(values_are_checked),
        memory_test(numbers_past_the_column_may_be_compared_with),
        memory_test(filters_say_what_they_mean_of_a_row),
        memory_test(now_stays_a_moving_operand),
        memory_test(variables_are_the_principals),
        memory_test(what_comes_later_is_refused_by_name),
        memory_test(unknown_and_hidden_fields_are_forbidden),
        memory_test(fields_need_to_be_readable),
        memory_test(a_value_that_is_hidden_in_a_row_compares_as_null),
        memory_test(a_rule_may_compare_with_what_a_query_may_not),
        memory_test(what_is_no_object_is_refused),
        memory_test(depth_is_bounded),
        memory_test(conditions_and_values_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
