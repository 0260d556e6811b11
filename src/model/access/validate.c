#define PCRE2_CODE_UNIT_WIDTH 8
#include "model/access/filter.h"

#include <assert.h>
#include <math.h>
#include <pcre2.h>

#include "base/mem.h"
#include "base/text.h"
#include "model/access/members.h"
#include "model/problem.h"

/*
 * Validation: a filter applied to what a client submitted, before it is a row (directus.md F.5).
 *
 * Not the evaluator of store/: a payload holds JSON and not typed values, comparison is looser, an
 * absent value satisfies nearly everything, and what is broken has to be told field by field.
 * A rule that cannot be understood refuses the write: a check that was meant is never left out.
 * Rules are at most as deep as JSON may nest, so recursion is bounded.
 */

enum { VIOLATED = 2 }; /* besides 0 and REFUSED */

struct validator {
    struct tx *tx;
    const struct table *table;
    const json_t *payload;
    struct violation *first, **end; /* found so far */
};

/* One value under test. */
struct subject {
    struct str field;
    const json_t *value; /* NULL: absent */
};

static int check_object(struct validator *v, json_t *filter);
static int check_field(struct validator *v, const struct subject *s, json_t *rule);

static struct violation *violate(struct validator *v, const struct subject *s, const char *type)
{
    struct violation *found = ARENA_NEW(v->tx->arena, struct violation);
    found->field = arena_str(v->tx->arena, s->field);
    found->type = str_of(type);
    *v->end = found;
    v->end = &found->next;
    return found;
}

static int refuse_rule(struct validator *v, struct str key)
{
    return refuse(v->tx, PROBLEM_INVALID_PAYLOAD,
                  "A validation rule of collection \"%.*s\" uses \"%.*s\", which is not supported "
                  "yet",
                  STR_ARG(v->table->name), STR_ARG(key));
}

/* ---- comparison ---- */

static struct str text_of(struct validator *v, const json_t *value)
{
    return json_is_string(value) ? json_str(value) : json_text(v->tx->arena, value);
}

static bool number_of(const json_t *value, struct value *number_out)
{
    int64_t integer;
    double real;
    struct str text = str_trim(json_str(value));

    if (json_is_integer(value))
        *number_out = value_integer(json_integer_value(value));
    else if (json_is_real(value))
        *number_out = value_real(json_real_value(value));
    else if (str_to_int64(text, &integer) == 0)
        *number_out = value_integer(integer);
    else if (str_to_double(text, &real) == 0 && isfinite(real))
        *number_out = value_real(real);
    else
        return false;
    return true;
}

/* Numbers (also as text), moments, times of day: negative, 0 or positive; false: none of these. */
static bool compare(const json_t *a, const json_t *b, int *order_out)
{
    struct value number_a, number_b;
    int64_t ms_a, ms_b;
    char time_a[CLOCK_TEXT_MAX], time_b[CLOCK_TEXT_MAX];
    struct str text_a = json_str(a), text_b = json_str(b);

    if (number_of(a, &number_a) && number_of(b, &number_b))
        *order_out = value_compare(&number_a, &number_b);
    else if (clock_parse_ms(text_a, &ms_a) == 0 && clock_parse_ms(text_b, &ms_b) == 0)
        *order_out = (ms_a > ms_b) - (ms_a < ms_b);
    else if (clock_read_time(text_a, time_a) == 0 && clock_read_time(text_b, time_b) == 0)
        *order_out = strcmp(time_a, time_b);
    else
        return false;
    return true;
}

/* Loosely between a number and its text, a truth value and its text. */
static bool equal(struct validator *v, const json_t *a, const json_t *b)
{
    struct value number_a, number_b;
    if (json_is_null(a) || json_is_null(b))
        return json_is_null(a) && json_is_null(b);
    if (number_of(a, &number_a) && number_of(b, &number_b))
        return value_compare(&number_a, &number_b) == 0;
    if (json_is_object(a) || json_is_array(a) || json_is_object(b) || json_is_array(b))
        return json_equal(a, b);
    return str_equal(text_of(v, a), text_of(v, b));
}

static void append(json_t *list, json_t *item)
{
    if (json_array_append(list, item) != 0)
        mem_exhausted();
}

/* The list that a rule gives: an array, an object with numeric keys, or comma text. */
static json_t *list_of(struct validator *v, json_t *wanted)
{
    if (json_is_array(wanted))
        return wanted;
    json_t *list = json_array();
    if (!list)
        mem_exhausted();
    arena_on_free(v->tx->arena, json_release, list);
    for (void *at = members_first(wanted); at; at = members_next(wanted, at))
        append(list, member_value(at));
    struct str rest = json_str(wanted), part;
    while (rest.len > 0 && str_next(&rest, ',', &part))
        if (json_array_append_new(list, json_stringn_nocheck(part.at, part.len)) != 0)
            mem_exhausted();
    if (!json_is_object(wanted) && !json_is_string(wanted))
        append(list, wanted);
    return list;
}

/* ---- operators ---- */

static int check_equal(struct validator *v, const struct subject *s, enum operator op,
                       json_t *wanted)
{
    if (equal(v, s->value, wanted) != operators[op].negated)
        return 0;
    struct violation *found = violate(v, s, operators[op].name);
    *(operators[op].negated ? &found->invalid : &found->valid) = wanted;
    return VIOLATED;
}

static int check_in(struct validator *v, const struct subject *s, enum operator op, json_t *wanted)
{
    size_t index;
    json_t *item, *list = list_of(v, wanted);
    bool contained = false;

    json_array_foreach(list, index, item) contained = contained || equal(v, s->value, item);
    if (contained != operators[op].negated)
        return 0;
    struct violation *found = violate(v, s, operators[op].name);
    *(operators[op].negated ? &found->invalid : &found->valid) = list;
    return VIOLATED;
}

static bool in_order(const json_t *value, enum operator op, const json_t *limit)
{
    int order;
    if (!compare(value, limit, &order))
        return false;
    switch (op) {
    case OP_LT:
        return order < 0;
    case OP_LTE:
        return order <= 0;
    case OP_GT:
        return order > 0;
    default:
        assert(op == OP_GTE);
        return order >= 0;
    }
}

static int check_order(struct validator *v, const struct subject *s, enum operator op,
                       json_t *wanted)
{
    if (in_order(s->value, op, wanted))
        return 0;
    violate(v, s, operators[op].name)->valid = wanted;
    return VIOLATED;
}

/* A range that has not two ends is ignored, as in a filter. */
static int check_between(struct validator *v, const struct subject *s, enum operator op,
                         json_t *wanted)
{
    json_t *list = list_of(v, wanted);
    if (json_array_size(list) != 2)
        return 0;
    json_t *low = json_array_get(list, 0), *high = json_array_get(list, 1);
    if (op == OP_BETWEEN) {
        int rc = check_order(v, s, OP_GTE, low);
        return rc ? rc : check_order(v, s, OP_LTE, high);
    }
    if (in_order(s->value, OP_LT, low) || in_order(s->value, OP_GT, high))
        return 0;
    violate(v, s, operators[op].name)->invalid = list;
    return VIOLATED;
}

/* `_null`, `_nnull`, `_empty` and `_nempty`; the value false turns them around. */
static int check_flag(struct validator *v, const struct subject *s, enum operator op,
                      json_t *wanted)
{
    if (json_is_false(wanted))
        op = operator_negation(op);
    bool holds = operators[op].positive == OP_NULL
                     ? json_is_null(s->value)
                     : json_is_string(s->value) && json_string_length(s->value) == 0;
    if (holds != operators[op].negated)
        return 0;
    violate(v, s, operators[op].name);
    return VIOLATED;
}

static bool matches_text(struct validator *v, const json_t *value, enum operator op,
                         struct str operand)
{
    if (!json_is_string(value) && !json_is_number(value))
        return false;
    return operators[op].match(text_of(v, value), operand);
}

/* Text, or an array that holds a text that fits. */
static int check_text(struct validator *v, const struct subject *s, enum operator op,
                      json_t *wanted)
{
    size_t index;
    json_t *item;
    struct str operand = text_of(v, wanted);
    if (operators[op].folded)
        operand = text_fold(v->tx->arena, operand);
    bool holds = matches_text(v, s->value, op, operand);
    json_array_foreach(s->value, index, item) holds = holds || matches_text(v, item, op, operand);
    if (holds != operators[op].negated)
        return 0;
    violate(v, s, operators[op].name)->substring = arena_str(v->tx->arena, text_of(v, wanted));
    return VIOLATED;
}

/* ---- patterns ---- */

enum {
    PATTERN_BYTES_MAX = 4096,
    MATCH_STEPS_MAX = 1000000, /* some milliseconds: a pattern that needs more does not match */
    MATCH_HEAP_KIB_MAX = 16384,
};

static pcre2_code *compile_pattern(struct str pattern)
{
    /* As JavaScript reads a pattern, where the library can be told to. */
    const uint32_t options = PCRE2_UTF | PCRE2_ALT_BSUX | PCRE2_MATCH_UNSET_BACKREF |
                             PCRE2_ALLOW_EMPTY_CLASS | PCRE2_DOLLAR_ENDONLY |
                             PCRE2_NEVER_BACKSLASH_C;
    int error;
    size_t offset;
    if (pattern.len > PATTERN_BYTES_MAX)
        return NULL;
    return pcre2_compile((PCRE2_SPTR)pattern.at, pattern.len, options, &error, &offset, NULL);
}

static bool pattern_matches(const pcre2_code *code, struct str text)
{
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);
    pcre2_match_context *limits = pcre2_match_context_create(NULL);
    if (!data || !limits)
        mem_exhausted();
    pcre2_set_match_limit(limits, MATCH_STEPS_MAX);
    pcre2_set_heap_limit(limits, MATCH_HEAP_KIB_MAX);
    int rc = pcre2_match(code, (PCRE2_SPTR)text.at, text.len, 0, 0, data, limits);
    pcre2_match_context_free(limits);
    pcre2_match_data_free(data);
    return rc >= 0;
}

static int check_regex(struct validator *v, const struct subject *s, json_t *wanted)
{
    struct str pattern = json_str(wanted);
    if (pattern.len >= 2 && pattern.at[0] == '/' && pattern.at[pattern.len - 1] == '/')
        pattern = (struct str){pattern.at + 1, pattern.len - 2};
    pcre2_code *code = pattern.at ? compile_pattern(pattern) : NULL;
    if (!code)
        return refuse(v->tx, PROBLEM_INVALID_PAYLOAD,
                      "The pattern of field \"%.*s\" in collection \"%.*s\" cannot be read",
                      STR_ARG(s->field), STR_ARG(v->table->name));
    bool text = json_is_string(s->value) || json_is_number(s->value);
    bool matches = text && pattern_matches(code, text_of(v, s->value));
    pcre2_code_free(code);
    if (matches)
        return 0;
    violate(v, s, "regex")->invalid = json_object_getn(v->payload, s->field.at, s->field.len);
    return VIOLATED;
}

static int check_operator(struct validator *v, const struct subject *s, struct str name,
                          json_t *wanted)
{
    enum operator op;
    if (str_equal(name, STR("_submitted"))) {
        if (s->value || json_is_false(wanted))
            return 0;
        violate(v, s, "required");
        return VIOLATED;
    }
    bool regex = str_equal(name, STR("_regex"));
    if (!regex && !operator_find(str_skip(name, 1), &op))
        return refuse_rule(v, name);
    if (!s->value)
        return 0;
    if (regex)
        return check_regex(v, s, wanted);
    if (operators[op].match)
        return check_text(v, s, op, wanted);

    switch (operators[op].positive) {
    case OP_EQ:
        return check_equal(v, s, op, wanted);
    case OP_IN:
        return check_in(v, s, op, wanted);
    case OP_BETWEEN:
        return check_between(v, s, op, wanted);
    case OP_NULL:
    case OP_EMPTY:
        return check_flag(v, s, op, wanted);
    default:
        return check_order(v, s, op, wanted);
    }
}

/* ---- the tree ---- */

/* Branch by branch, below a subject or (NULL) at the level of the payload. */
static int check_branch(struct validator *v, const struct subject *s, json_t *branch)
{
    return s ? check_field(v, s, branch) : check_object(v, branch);
}

static int check_and(struct validator *v, const struct subject *s, json_t *branches)
{
    int result = 0;
    size_t index;
    json_t *branch;
    json_array_foreach(branches, index, branch)
    {
        int rc = check_branch(v, s, branch);
        if (rc == REFUSED)
            return rc;
        result = rc ? rc : result;
    }
    return result;
}

/* Where none of the branches holds, what is broken in all of them is told. */
static int check_or(struct validator *v, const struct subject *s, json_t *branches)
{
    int result = 0;
    size_t index;
    json_t *branch;
    struct violation **before = v->end;
    json_array_foreach(branches, index, branch)
    {
        result = check_branch(v, s, branch);
        if (result == REFUSED)
            return result;
        if (result == 0) {
            *before = NULL;
            v->end = before;
            return 0;
        }
    }
    return result;
}

static int check_key(struct validator *v, const struct subject *s, struct str key, json_t *value)
{
    if (str_equal(key, STR("_and")))
        return check_and(v, s, list_of(v, value));
    if (str_equal(key, STR("_or")))
        return check_or(v, s, list_of(v, value));
    if (s && str_starts_with(key, STR("_")))
        return check_operator(v, s, key, value);
    if (s)
        return s->value ? refuse_rule(v, key) : 0; /* a path through a relation */
    if (str_contains(key, STR("(")))
        return refuse_rule(v, key);
    struct subject field = {key, json_object_getn(v->payload, key.at, key.len)};
    return check_field(v, &field, value);
}

static int check_members(struct validator *v, const struct subject *s, json_t *object)
{
    int result = 0;
    for (void *at = members_first(object); at; at = members_next(object, at)) {
        int rc = check_key(v, s, member_key(at), member_value(at));
        if (rc == REFUSED)
            return rc;
        result = rc ? rc : result;
    }
    return result;
}

static int check_field(struct validator *v, const struct subject *s, json_t *rule)
{
    if (!json_is_object(rule))
        return check_operator(v, s, STR("_eq"), rule);
    return check_members(v, s, rule);
}

static int check_object(struct validator *v, json_t *filter)
{
    if (!json_is_object(filter))
        return refuse(v->tx, PROBLEM_INVALID_PAYLOAD,
                      "A validation rule of collection \"%.*s\" is no object",
                      STR_ARG(v->table->name));
    return check_members(v, NULL, filter);
}

/* What is told may be part of a rule, and has to outlive the catalogue that the rule belongs to. */
static json_t *hold(struct tx *tx, json_t *value)
{
    if (value)
        arena_on_free(tx->arena, json_release, json_incref(value));
    return value;
}

int filter_validate(struct tx *tx, const struct table *table, const json_t *filter,
                    const json_t *payload)
{
    struct validator v = {.tx = tx, .table = table, .payload = payload};
    v.end = &v.first;
    if (!filter || json_is_null(filter))
        return 0;
    int rc = check_object(&v, (json_t *)(uintptr_t)filter);
    if (rc != VIOLATED)
        return rc;
    for (const struct violation *found = v.first; found; found = found->next) {
        struct violation *told = refuse_violation(tx, found->field, found->type.at);
        told->valid = hold(tx, found->valid);
        told->invalid = hold(tx, found->invalid);
        told->substring = found->substring;
    }
    return REFUSED;
}
