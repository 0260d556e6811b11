#include "unit/model/memory.h"

/* Rules against submitted values: what holds, what is told of what does not. */

static int validate(struct memory *m, const char *rule, const char *payload)
{
    m->problem = (struct problem){0};
    return filter_validate(&m->tx, &m->tables[ARTICLES], memory_json(m, rule),
                           memory_json(m, payload));
}

static void holds(struct memory *m, const char *rule, const char *payload)
{
    if (validate(m, rule, payload) != 0)
        fail_msg("%s does not hold for %s", rule, payload);
    assert_int_equal(m->problem.kind, PROBLEM_NONE);
}

/* Broken, and told as these types, one blank between them. */
static void broken(struct memory *m, const char *rule, const char *payload, const char *expected)
{
    struct str told = STR("");
    if (validate(m, rule, payload) != REFUSED)
        fail_msg("%s holds for %s", rule, payload);
    assert_int_equal(m->problem.kind, PROBLEM_FAILED_VALIDATION);
    for (const struct violation *v = m->problem.violations; v; v = v->next)
        told = arena_printf(m->arena, "%.*s%s%.*s", STR_ARG(told), told.len ? " " : "",
                            STR_ARG(v->type));
    assert_text(m, told, expected);
}

static void unusable(struct memory *m, const char *rule, const char *payload)
{
    assert_int_equal(validate(m, rule, payload), REFUSED);
    assert_int_equal(m->problem.kind, PROBLEM_INVALID_PAYLOAD);
}

static void an_absent_value_satisfies_all_but_submitted(void **state)
{
    struct memory *m = *state;
    static const char *const rules[] = {"{'title':'a'}",
                                        "{'title':{'_nnull':true}}",
                                        "{'title':{'_in':['a']}}",
                                        "{'title':{'_regex':'a'}}",
                                        "{'title':{'_contains':'a'}}",
                                        "{'views':{'_gt':5}}",
                                        "{'views':{'_between':[1,2]}}",
                                        "{'author':{'name':'Ann'}}"};
    for (size_t i = 0; i < COUNT_OF(rules); i++)
        holds(m, rules[i], "{}");
    broken(m, "{'title':{'_submitted':true}}", "{}", "required");
    holds(m, "{'title':{'_submitted':true}}", "{'title':null}");
    holds(m, "{'title':{'_submitted':false}}", "{}");
}

static void equality_is_loose_between_number_and_text(void **state)
{
    struct memory *m = *state;
    holds(m, "{'views':5}", "{'views':'5'}");
    holds(m, "{'views':{'_eq':'5.0'}}", "{'views':5}");
    holds(m, "{'title':'a'}", "{'title':'a'}");
    holds(m, "{'published':true}", "{'published':'true'}");
    holds(m, "{'title':null}", "{'title':null}");
    holds(m, "{'meta':{'_neq':{'a':1}}}", "{'meta':{'a':2}}");
    broken(m, "{'views':5}", "{'views':6}", "eq");
    broken(m, "{'views':{'_eq':5}}", "{'views':null}", "eq");
    broken(m, "{'title':{'_neq':'a'}}", "{'title':'a'}", "neq");
    holds(m, "{'title':{'_neq':'a'}}", "{'title':null}");
    broken(m, "{'title':{'_neq':null}}", "{'title':null}", "neq");
}

static void lists_and_ranges(void **state)
{
    struct memory *m = *state;
    holds(m, "{'status':{'_in':['a','b']}}", "{'status':'b'}");
    holds(m, "{'status':{'_in':'a,b'}}", "{'status':'b'}");
    holds(m, "{'views':{'_in':{'0':1,'1':2}}}", "{'views':'2'}");
    broken(m, "{'status':{'_in':['a','b']}}", "{'status':'c'}", "in");
    broken(m, "{'status':{'_in':['a']}}", "{'status':['a']}", "in");
    broken(m, "{'status':{'_nin':['a','b']}}", "{'status':'a'}", "nin");
    holds(m, "{'views':{'_between':[1,3]}}", "{'views':1}");
    holds(m, "{'views':{'_between':[1,3]}}", "{'views':'3'}");
    broken(m, "{'views':{'_between':[1,3]}}", "{'views':0}", "gte");
    broken(m, "{'views':{'_between':[1,3]}}", "{'views':4}", "lte");
    broken(m, "{'views':{'_nbetween':[1,3]}}", "{'views':1}", "nbetween");
    holds(m, "{'views':{'_nbetween':[1,3]}}", "{'views':4}");
    holds(m, "{'views':{'_between':[1]}}", "{'views':9}");
}

static void order_is_of_numbers_moments_and_times(void **state)
{
    struct memory *m = *state;
    holds(m, "{'views':{'_lt':10}}", "{'views':9}");
    broken(m, "{'views':{'_lt':10}}", "{'views':10}", "lt");
    holds(m, "{'views':{'_lte':10}}", "{'views':'10'}");
    broken(m, "{'views':{'_lte':10}}", "{'views':10.5}", "lte");
    broken(m, "{'views':{'_gt':10}}", "{'views':10}", "gt");
    holds(m, "{'views':{'_gte':10}}", "{'views':10}");
    holds(m, "{'day':{'_gt':'2024-01-02'}}", "{'day':'2024-01-03'}");
    broken(m, "{'at':{'_gt':'2024-01-02T00:00:00Z'}}", "{'at':'2024-01-02T01:00:00+02:00'}", "gt");
    holds(m, "{'clock':{'_gt':'09:59:59'}}", "{'clock':'10:00:00'}");
    broken(m, "{'views':{'_gt':1}}", "{'views':'many'}", "gt");
    broken(m, "{'views':{'_gt':1}}", "{'views':null}", "gt");
    broken(m, "{'views':{'_gt':1}}", "{'views':[2]}", "gt");
}

static void flags_of_null_and_empty(void **state)
{
    struct memory *m = *state;
    holds(m, "{'title':{'_null':true}}", "{'title':null}");
    broken(m, "{'title':{'_null':true}}", "{'title':'a'}", "null");
    broken(m, "{'title':{'_nnull':true}}", "{'title':null}", "nnull");
    broken(m, "{'title':{'_null':false}}", "{'title':null}", "nnull");
    holds(m, "{'title':{'_empty':true}}", "{'title':''}");
    broken(m, "{'title':{'_empty':true}}", "{'title':'a'}", "empty");
    broken(m, "{'title':{'_nempty':true}}", "{'title':''}", "nempty");
    holds(m, "{'title':{'_nempty':true}}", "{'title':'a'}");
}

static void texts_contain_begin_and_end(void **state)
{
    struct memory *m = *state;
    holds(m, "{'title':{'_contains':'ell'}}", "{'title':'Hello'}");
    broken(m, "{'title':{'_contains':'ELL'}}", "{'title':'Hello'}", "contains");
    holds(m, "{'title':{'_icontains':'ELL'}}", "{'title':'Hello'}");
    holds(m, "{'views':{'_contains':'2'}}", "{'views':123}");
    holds(m, "{'tags':{'_contains':'b'}}", "{'tags':['a','abc']}");
    broken(m, "{'tags':{'_ncontains':'b'}}", "{'tags':['a','abc']}", "ncontains");
    broken(m, "{'title':{'_starts_with':'h'}}", "{'title':'Hello'}", "starts_with");
    holds(m, "{'title':{'_istarts_with':'h'}}", "{'title':'Hello'}");
    holds(m, "{'title':{'_ends_with':'lo'}}", "{'title':'Hello'}");
    broken(m, "{'title':{'_nends_with':'lo'}}", "{'title':'Hello'}", "nends_with");
    broken(m, "{'title':{'_contains':'a'}}", "{'title':null}", "contains");
    holds(m, "{'title':{'_ncontains':'a'}}", "{'title':null}");
    broken(m, "{'title':{'_contains':'a'}}", "{'title':{'a':'a'}}", "contains");
}

static void patterns_match_with_or_without_slashes(void **state)
{
    struct memory *m = *state;
    holds(m, "{'title':{'_regex':'^[a-z]+$'}}", "{'title':'abc'}");
    holds(m, "{'title':{'_regex':'/^[a-z]+$/'}}", "{'title':'abc'}");
    broken(m, "{'title':{'_regex':'^[a-z]+$'}}", "{'title':'abc1'}", "regex");
    broken(m, "{'title':{'_regex':'^[a-z]+$'}}", "{'title':'abc\\n'}", "regex");
    holds(m, "{'title':{'_regex':'^.$'}}", "{'title':'\\u00e9'}");
    holds(m, "{'views':{'_regex':'^1'}}", "{'views':12}");
    broken(m, "{'title':{'_regex':'a'}}", "{'title':null}", "regex");
    unusable(m, "{'title':{'_regex':'('}}", "{'title':'a'}");
    unusable(m, "{'title':{'_regex':5}}", "{'title':'a'}");
}

static void a_pattern_that_takes_for_ever_does_not_match(void **state)
{
    struct memory *m = *state;
    broken(m, "{'title':{'_regex':'^(a+)+$'}}", "{'title':'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!'}",
           "regex");
}

static void all_violations_are_told_together(void **state)
{
    struct memory *m = *state;
    broken(m, "{'title':'a','views':{'_gt':1,'_lt':0}}", "{'title':'b','views':1}", "eq gt lt");
    broken(m, "{'_and':[{'title':'a'},{'title':{'_nnull':true}},{'views':1}]}",
           "{'title':'b','views':2}", "eq eq");
}

static void or_tells_all_branches_or_nothing(void **state)
{
    struct memory *m = *state;
    holds(m, "{'_or':[{'title':'a'},{'views':1}]}", "{'title':'b','views':1}");
    broken(m, "{'_or':[{'title':'a'},{'views':{'_gt':1}}]}", "{'title':'b','views':1}", "eq gt");
    broken(m, "{'views':2,'_or':[{'title':'a'},{'views':1}]}", "{'title':'b','views':1}", "eq");
    holds(m, "{'title':{'_or':['a',{'_eq':'b'}]}}", "{'title':'b'}");
    holds(m, "{'_or':[]}", "{'title':'b'}");
    broken(m, "{'_or':[{'title':'a'},{'title':'b'}],'views':1}", "{'title':'c','views':2}",
           "eq eq eq");
}

static void a_violation_says_what_was_wanted(void **state)
{
    struct memory *m = *state;
    broken(m, "{'status':{'_in':'a,b'}}", "{'status':'c'}", "in");
    assert_text(m, m->problem.violations->field, "status");
    assert_text(m, json_text(m->arena, m->problem.violations->valid), "[\"a\",\"b\"]");
    assert_null(m->problem.violations->invalid);
    broken(m, "{'status':{'_neq':'c'}}", "{'status':'c'}", "neq");
    assert_text(m, json_text(m->arena, m->problem.violations->invalid), "\"c\"");
    assert_null(m->problem.violations->valid);
    broken(m, "{'title':{'_icontains':'X'}}", "{'title':'c'}", "icontains");
    assert_text(m, m->problem.violations->substring, "X");
    broken(m, "{'title':{'_regex':'x'}}", "{'title':'c'}", "regex");
    assert_text(m, json_text(m->arena, m->problem.violations->invalid), "\"c\"");
}

static void a_rule_that_is_not_understood_refuses(void **state)
{
    struct memory *m = *state;
    static const char *const rules[] = {"{'title':{'_like':'a'}}",
                                        "{'title':{'_':'a'}}",
                                        "{'year(day)':2024}",
                                        "[]",
                                        "'a'",
                                        "{'_and':[1]}",
                                        "{'author':{'name':'Ann'}}",
                                        "{'_or':[{'title':'a'},{'title':{'_x':1}}]}"};
    for (size_t i = 0; i < COUNT_OF(rules); i++)
        unusable(m, rules[i], "{'title':'b','author':1,'day':'2024-01-01'}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        memory_test(an_absent_value_satisfies_all_but_submitted),
        memory_test(equality_is_loose_between_number_and_text),
        memory_test(lists_and_ranges),
        memory_test(order_is_of_numbers_moments_and_times),
        memory_test(flags_of_null_and_empty),
        memory_test(texts_contain_begin_and_end),
        memory_test(patterns_match_with_or_without_slashes),
        memory_test(a_pattern_that_takes_for_ever_does_not_match),
        memory_test(all_violations_are_told_together),
        memory_test(or_tells_all_branches_or_nothing),
        memory_test(a_violation_says_what_was_wanted),
        memory_test(a_rule_that_is_not_understood_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
