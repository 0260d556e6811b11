#include "check.h"

#include "base/text.h"
#include "store/expr.h"

static void operators_are_found_by_their_wire_name(void **state)
{
    (void)state;
    enum operator found;
    for (int op = 0; op < OP_COUNT; op++) {
        if (operators[op].ours) {
            assert_false(operator_find(str_of(operators[op].name), &found));
            continue;
        }
        assert_true(operator_find(str_of(operators[op].name), &found));
        assert_int_equal(found, op);
    }
    assert_false(operator_find(STR("ieq"), &found));
    assert_false(operator_find(STR("nicontains"), &found));
    assert_false(operator_find(STR("_eq"), &found));
    assert_false(operator_find(STR(""), &found));
}

static void negations_go_both_ways(void **state)
{
    (void)state;
    for (int op = 0; op < OP_COUNT; op++) {
        enum operator negation = operator_negation((enum operator)op);
        assert_true(operators[op].negated || operators[op].positive == (enum operator)op);
        if (negation != OP_COUNT)
            assert_int_equal(operator_negation(negation), op);
    }
    assert_int_equal(operator_negation(OP_IN), OP_NIN);
    assert_int_equal(operator_negation(OP_NEMPTY), OP_EMPTY);
    assert_int_equal(operator_negation(OP_ICONTAINS), OP_NICONTAINS);
    assert_int_equal(operator_negation(OP_LT), OP_COUNT);
}

struct match {
    const char *text, *operand;
    bool contains, starts, ends;
};

static void check_matches(const struct match *matches, size_t count, const enum operator* ops)
{
    struct arena *a = arena_new();
    for (size_t i = 0; i < count; i++) {
        struct str text = str_of(matches[i].text), operand = str_of(matches[i].operand);
        if (operators[ops[0]].folded)
            operand = text_fold(a, operand);
        const bool expected[] = {matches[i].contains, matches[i].starts, matches[i].ends};
        for (size_t k = 0; k < COUNT_OF(expected); k++) {
            if (operators[ops[k]].match(text, operand) != expected[k])
                print_error("%s \"%s\" \"%s\"\n", operators[ops[k]].name, matches[i].text,
                            matches[i].operand);
            assert_int_equal(operators[ops[k]].match(text, operand), expected[k]);
        }
    }
    arena_free(a);
}

static void text_matches_by_bytes_and_knows_no_wildcards(void **state)
{
    (void)state;
    const struct match matches[] = {
        {"abc", "b", true, false, false},
        {"abc", "a", true, true, false},
        {"abc", "c", true, false, true},
        {"abc", "abc", true, true, true},
        {"abc", "abcd", false, false, false},
        {"abc", "B", false, false, false},
        {"abc", "", true, true, true},
        {"", "", true, true, true},
        {"", "a", false, false, false},
        {"abc", "%", false, false, false},
        {"abc", "a_c", false, false, false},
        {"50%", "%", true, false, true},
        {"\xc3\xa4", "\xc3\xa4", true, true, true},
        {"\xc3\xa4", "\xc3\x84", false, false, false},
    };
    check_matches(matches, COUNT_OF(matches),
                  (const enum operator[]){OP_CONTAINS, OP_STARTS_WITH, OP_ENDS_WITH});
}

static void text_matches_without_case_in_all_of_unicode(void **state)
{
    (void)state;
    const struct match matches[] = {
        {"ABC", "b", true, false, false},
        {"abc", "A", true, true, false},
        {"abC", "C", true, false, true},
        {"abc", "ABCD", false, false, false},
        {"", "", true, true, true},
        {"a", "", true, true, true},
        {"", "A", false, false, false},
        {"\xc3\x84rger", "\xc3\xa4R", true, true, false}, /* Ä ä */
        {"B\xc3\x84", "\xc3\xa4", true, false, true},
        {"B\xc3\x84", "b\xc3\xa4", true, true, true},
        {"\xd0\x96\xd0\xb6\xf0\x9f\x98\x80", "\xd0\xb6\xd0\x96", true, true, false}, /* Ж ж */
        {"x\xf0\x9f\x98\x80Y", "\xf0\x9f\x98\x80y", true, false, true},
        /* Lower case of another length in bytes: U+2126 (three) is U+03C9 (two). */
        {"\xe2\x84\xa6hm", "\xcf\x89H", true, true, false},
        {"o\xe2\x84\xa6", "\xcf\x89", true, false, true},
    };
    check_matches(matches, COUNT_OF(matches),
                  (const enum operator[]){OP_ICONTAINS, OP_ISTARTS_WITH, OP_IENDS_WITH});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operators_are_found_by_their_wire_name),
        cmocka_unit_test(negations_go_both_ways),
        cmocka_unit_test(text_matches_by_bytes_and_knows_no_wildcards),
        cmocka_unit_test(text_matches_without_case_in_all_of_unicode),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
