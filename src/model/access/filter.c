#include "model/access/filter.h"

#include <assert.h>
#include <math.h>

#include "base/mem.h"
#include "model/access/members.h"
#include "model/access/variables.h"
#include "model/problem.h"

/*
 * The compiler walks the JSON once. A key of an object resolves to a logical operator, a field, a
 * path through a relation, or a function; a key below a field to an operator. Each kind of key has
 * one function that turns key and value into an expression.
 *
 * Filters come from clients: depth, tests and operands are counted, and no shape of JSON is taken
 * for granted.
 */

enum { TESTS_MAX = 1000, OPERANDS_MAX = 10000 };

struct compiler {
    struct tx *tx;
    const struct principal *principal;
    const struct table *table;
    enum filter_source source;
    const struct grant *read;
    unsigned depth;
    size_t tests, operands; /* so far */
};

static int compile_object(struct compiler *c, const json_t *filter, const struct expr **expr_out);
static int compile_field(struct compiler *c, const struct field *field, const json_t *value,
                         const struct expr **expr_out);

/* ---- values ---- */

static bool is_text(enum type_id type)
{
    return type == TYPE_STRING || type == TYPE_TEXT || type == TYPE_CSV || type == TYPE_HASH ||
           type == TYPE_JSON;
}

/*
 * The value that a text stands for: a variable's, or null; other values stand for themselves.
 * "true" and "false" become truth values where the column holds these, and stay text where it holds
 * text, so that both can be compared with.
 */
static const json_t *resolve_value(const struct compiler *c, const json_t *value)
{
    struct str text = json_str(value);
    if (str_equal(text, STR("null")) || str_equal(text, STR("NULL")))
        return json_null();
    if (text.len > 0 && text.at[0] == '$') {
        const json_t *variable = principal_variable(c->principal, c->tx->arena, text);
        return variable ? variable : value;
    }
    return value;
}

static int refuse_value(struct compiler *c, const struct field *field)
{
    enum type_id type = field->column->type;
    bool number = types[type].kind != VALUE_TEXT && type != TYPE_BOOLEAN;
    return refuse(c->tx, PROBLEM_INVALID_QUERY, "Invalid %s value for field \"%.*s\"",
                  number ? "numeric" : types[type].name, STR_ARG(field->name));
}

/* Not type_read: a number past the column's range or scale is fine to compare with. */
static int read_number(struct compiler *c, const struct field *field, const json_t *json,
                       struct value *value_out)
{
    double real;
    int64_t integer;
    if (json_is_boolean(json)) {
        *value_out = value_integer(json_is_true(json));
    } else if (json_is_integer(json)) {
        *value_out = value_integer(json_integer_value(json));
    } else if (json_is_real(json)) {
        *value_out = value_real(json_real_value(json));
    } else {
        struct str text = str_trim(json_str(json));
        if (str_to_int64(text, &integer) == 0)
            *value_out = value_integer(integer);
        else if (str_to_double(text, &real) == 0 && isfinite(real))
            *value_out = value_real(real);
        else
            return refuse_value(c, field);
    }
    return 0;
}

static int read_fixed(struct compiler *c, const struct field *field, enum operator op,
                      const json_t *json, struct value *value_out)
{
    const struct column *column = field->column;
    if (is_text(column->type) || operators[op].match) {
        struct str text = json_is_string(json) ? json_str(json) : json_text(c->tx->arena, json);
        *value_out = value_text(arena_str(c->tx->arena, text));
        return 0;
    }
    if (types[column->type].kind != VALUE_TEXT && column->type != TYPE_BOOLEAN)
        return read_number(c, field, json, value_out);
    return type_read(column, json, c->tx->arena, value_out) == 0 ? 0 : refuse_value(c, field);
}

/* What no type may be compared with (E.3, value checks). */
static int check_value(struct compiler *c, enum operator op, const json_t *json)
{
    const json_int_t safe_max = (INT64_C(1) << 53) - 1;
    if (json_is_array(json) || json_is_object(json))
        return refuse(c->tx, PROBLEM_INVALID_QUERY,
                      "\"_%s\" has to be a string, number, boolean or null", operators[op].name);
    if (json_is_integer(json) &&
        (json_integer_value(json) > safe_max || json_integer_value(json) < -safe_max))
        return refuse(c->tx, PROBLEM_INVALID_QUERY,
                      "The number in \"_%s\" is too large to be exact", operators[op].name);
    if (c->source == FILTER_QUERY && json_is_string(json) && json_string_length(json) == 0)
        return refuse(c->tx, PROBLEM_INVALID_QUERY,
                      "You can't filter for an empty string in \"_%s\". Use \"_empty\" or "
                      "\"_nempty\" instead",
                      operators[op].name);
    return 0;
}

static int read_operand(struct compiler *c, const struct field *field, enum operator op,
                        const json_t *json, struct operand *operand_out)
{
    struct clock_shift shift;
    int rc = check_value(c, op, json);
    if (rc)
        return rc;
    *operand_out = (struct operand){.value = value_null()};
    if (json_is_null(json))
        return 0;
    if (variable_now(json_str(json), &shift)) {
        operand_out->now = true;
        operand_out->shift = shift;
        return 0;
    }
    return read_fixed(c, field, op, json, &operand_out->value);
}

/* ---- lists ---- */

struct list {
    const json_t **items;
    size_t count, capacity;
};

static void list_add(struct compiler *c, struct list *list, const json_t *item)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 8;
        const json_t **items = ARENA_ARRAY(c->tx->arena, const json_t *, capacity);
        if (list->count > 0)
            memcpy(items, list->items, list->count * sizeof(*items));
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count++] = item;
}

/* A value of a list; a variable that is a list itself is spread. */
static void list_add_resolved(struct compiler *c, struct list *list, const json_t *item)
{
    size_t index;
    json_t *inner;
    const json_t *value = resolve_value(c, item);
    if (value == item || !json_is_array(value)) {
        list_add(c, list, value);
        return;
    }
    json_array_foreach(value, index, inner) list_add(c, list, inner);
}

static void list_add_comma_text(struct compiler *c, struct list *list, struct str text)
{
    struct str part;
    while (text.len > 0 && str_next(&text, ',', &part)) {
        part = str_trim(part);
        json_t *item = json_stringn_nocheck(part.at, part.len);
        if (!item)
            mem_exhausted();
        arena_on_free(c->tx->arena, json_release, item);
        list_add_resolved(c, list, item);
    }
}

static bool is_index(struct str key)
{
    for (size_t i = 0; i < key.len; i++)
        if (key.at[i] < '0' || key.at[i] > '9')
            return false;
    return key.len > 0;
}

static int refuse_list(struct compiler *c, struct str name)
{
    return refuse(c->tx, PROBLEM_INVALID_QUERY, "\"%.*s\" has to be a list", STR_ARG(name));
}

/* A list comes as an array, as an object with numeric keys (from a URL), or as comma text. */
static int read_list(struct compiler *c, struct str name, const json_t *json, struct list *list_out)
{
    size_t index;
    json_t *item;
    *list_out = (struct list){0};

    if (json_is_array(json)) {
        json_array_foreach(json, index, item) list_add_resolved(c, list_out, item);
    } else if (json_is_object(json)) {
        for (void *at = members_first(json); at; at = members_next(json, at)) {
            if (!is_index(member_key(at)))
                return refuse_list(c, name);
            list_add_resolved(c, list_out, member_value(at));
        }
    } else if (json_is_string(json)) {
        list_add_comma_text(c, list_out, json_str(json));
    } else {
        list_add(c, list_out, json);
    }
    return 0;
}

static bool is_empty_list(const json_t *json)
{
    return (json_is_array(json) && json_array_size(json) == 0) ||
           (json_is_object(json) && json_object_size(json) == 0) ||
           (json_is_string(json) && json_string_length(json) == 0);
}

/* ---- tests ---- */

static const struct expr *field_test(struct compiler *c, const struct field *field,
                                     enum operator op, const struct operand *operands, size_t count)
{
    const struct expr *mask = NULL;
    if (c->source == FILTER_QUERY && c->read->masks)
        mask = c->read->masks[field->column->index];
    return expr_test_operands(c->tx->arena, field->column, mask, op, operands, count);
}

/* `_null`, `_empty` and their kind: true, or what stands for it in a URL; false inverts. */
static int compile_flag(struct compiler *c, const struct field *field, enum operator op,
                        const json_t *json, const struct expr **expr_out)
{
    struct str text = json_str(json);
    bool on = json_is_true(json) || json_is_null(json) || str_equal(text, STR("true")) ||
              str_equal(text, STR("null")) || str_equal(text, STR("NULL")) ||
              (json_is_string(json) && text.len == 0);
    if (!on && !json_is_false(json) && !str_equal(text, STR("false")))
        return refuse(c->tx, PROBLEM_INVALID_QUERY, "\"_%s\" has to be a boolean",
                      operators[op].name);
    *expr_out = field_test(c, field, on ? op : operator_negation(op), NULL, 0);
    return 0;
}

static int compile_comparison(struct compiler *c, const struct field *field, enum operator op,
                              const json_t *json, const struct expr **expr_out)
{
    struct operand operand;
    int rc = read_operand(c, field, op, resolve_value(c, json), &operand);
    if (rc == 0)
        *expr_out = field_test(c, field, op, &operand, 1);
    return rc;
}

/* A condition that names nothing to compare with is ignored in a client's filter (E.3). In a rule
 * that would open what the rule is there to close: such a rule grants nothing. */
static int ignore(const struct compiler *c, struct str name, const struct expr **expr_out)
{
    if (c->source == FILTER_RULE)
        return refuse(c->tx, PROBLEM_INVALID_QUERY, "\"%.*s\" names nothing to compare with",
                      STR_ARG(name));
    *expr_out = &expr_true;
    return 0;
}

/* A list of one value or more. Nulls in it are left out: no row is equal to null. */
static int compile_list(struct compiler *c, const struct field *field, enum operator op,
                        struct str name, const json_t *json, const struct expr **expr_out)
{
    struct list list;
    if (c->source == FILTER_QUERY && is_empty_list(json))
        return refuse(c->tx, PROBLEM_INVALID_QUERY, "\"%.*s\" needs one value at least",
                      STR_ARG(name));
    int rc = read_list(c, name, json, &list);
    if (rc)
        return rc;
    bool range = operators[op].arity == ARITY_TWO;
    if (range && list.count != 2)
        return ignore(c, name, expr_out);
    c->operands += list.count;
    if (c->operands > OPERANDS_MAX)
        return refuse(c->tx, PROBLEM_INVALID_QUERY, "The filter compares with more than %d values",
                      OPERANDS_MAX);

    struct operand *operands = ARENA_ARRAY(c->tx->arena, struct operand, list.count + 1);
    size_t count = 0;
    for (size_t i = 0; i < list.count; i++) {
        if (!range && json_is_null(list.items[i]))
            continue;
        rc = read_operand(c, field, op, list.items[i], &operands[count++]);
        if (rc)
            return rc;
    }
    *expr_out = field_test(c, field, op, operands, count);
    return 0;
}

static int compile_test(struct compiler *c, const struct field *field, struct str name,
                        const json_t *json, const struct expr **expr_out)
{
    enum type_id type = field->column->type;
    uint64_t allowed = types[type].operators;
    enum operator op;

    if (++c->tests > TESTS_MAX)
        return refuse(c->tx, PROBLEM_INVALID_QUERY, "The filter has more than %d conditions",
                      TESTS_MAX);
    if (field_is_concealed(field))
        allowed &= types[TYPE_HASH].operators;
    if (!operator_find(str_skip(name, 1), &op) || !((allowed >> op) & 1))
        return refuse(c->tx, PROBLEM_INVALID_QUERY,
                      "\"%s\" field type does not contain the \"%.*s\" filter operator",
                      types[field_is_concealed(field) ? TYPE_HASH : type].name, STR_ARG(name));
    switch (operators[op].arity) {
    case ARITY_NONE:
        return compile_flag(c, field, op, json, expr_out);
    case ARITY_ONE:
        return compile_comparison(c, field, op, json, expr_out);
    default:
        return compile_list(c, field, op, name, json, expr_out);
    }
}

/* ---- keys ---- */

enum key_kind { KEY_AND, KEY_OR, KEY_OPERATOR, KEY_FIELD, KEY_RELATION, KEY_FUNCTION, KEY_UNKNOWN };

static enum key_kind resolve_key(const struct compiler *c, struct str name,
                                 const struct field **field_out)
{
    if (str_equal(name, STR("_and")))
        return KEY_AND;
    if (str_equal(name, STR("_or")))
        return KEY_OR;
    *field_out = table_field(c->table, name);
    if (*field_out && !field_hidden(*field_out))
        return KEY_FIELD;
    if (str_contains(name, STR("(")))
        return KEY_FUNCTION;
    if (str_contains(name, STR(":")) || str_contains(name, STR(".")))
        return KEY_RELATION;
    return str_starts_with(name, STR("_")) ? KEY_OPERATOR : KEY_UNKNOWN;
}

static int check_readable(struct compiler *c, const struct field *field)
{
    if (c->source == FILTER_QUERY && !column_set_has(&c->read->fields, field->column->index))
        return refuse_fields(c->tx, c->table->name, field->name);
    return 0;
}

static int refuse_unsupported(struct compiler *c, const char *what, struct str name)
{
    return refuse(c->tx, PROBLEM_INVALID_QUERY, "%s in a filter (\"%.*s\") is not supported yet",
                  what, STR_ARG(name));
}

static int enter(struct compiler *c)
{
    if (++c->depth > c->tx->settings->filter_depth_max)
        return refuse(c->tx, PROBLEM_INVALID_QUERY, "The filter is nested deeper than %u levels",
                      c->tx->settings->filter_depth_max);
    return 0;
}

static void leave(struct compiler *c)
{
    c->depth--;
}

/*
 * The branches of `_and` and `_or`. They may stand below a field (then `field` is not NULL), where
 * each branch says something of that field.
 */
static int compile_branches(struct compiler *c, enum expr_kind and_or, const struct field *field,
                            const json_t *json, const struct expr **expr_out)
{
    struct list list;
    struct str name = and_or == EXPR_AND ? STR("_and") : STR("_or");
    if (!json_is_array(json) && !json_is_object(json))
        return refuse_list(c, name);
    int rc = read_list(c, name, json, &list);
    if (rc)
        return rc;
    if (list.count == 0 && and_or == EXPR_OR)
        return ignore(c, name, expr_out);
    if (list.count == 0) {
        *expr_out = &expr_true;
        return 0;
    }
    const struct expr **branches = ARENA_ARRAY(c->tx->arena, const struct expr *, list.count);
    for (size_t i = 0; i < list.count && rc == 0; i++)
        rc = field ? compile_field(c, field, list.items[i], &branches[i])
                   : compile_object(c, list.items[i], &branches[i]);
    if (rc == 0)
        *expr_out = expr_all(c->tx->arena, and_or, branches, list.count);
    return rc;
}

/* One key below a field. */
static int compile_field_key(struct compiler *c, const struct field *field, struct str name,
                             const json_t *value, const struct expr **expr_out)
{
    static const char *const later[] = {"_some", "_none", "_json"};

    if (str_equal(name, STR("_and")))
        return compile_branches(c, EXPR_AND, field, value, expr_out);
    if (str_equal(name, STR("_or")))
        return compile_branches(c, EXPR_OR, field, value, expr_out);
    for (size_t i = 0; i < COUNT_OF(later); i++)
        if (str_equal(name, str_of(later[i])))
            return refuse_unsupported(c, "An operator on other values", name);
    if (str_starts_with(name, STR("_")))
        return compile_test(c, field, name, value, expr_out);
    if (catalogue_relation(c->tx->catalogue, field->column))
        return refuse_unsupported(c, "A path through a relation", name);
    return refuse(c->tx, PROBLEM_INVALID_QUERY, "\"%.*s\" is no filter operator", STR_ARG(name));
}

static int compile_field(struct compiler *c, const struct field *field, const json_t *value,
                         const struct expr **expr_out)
{
    if (!json_is_object(value))
        return compile_test(c, field, STR("_eq"), value, expr_out);
    int rc = enter(c);
    const struct expr *all = &expr_true, *one;
    for (void *at = members_first(value); at && rc == 0; at = members_next(value, at)) {
        rc = compile_field_key(c, field, member_key(at), member_value(at), &one);
        if (rc == 0)
            all = expr_and(c->tx->arena, all, one);
    }
    leave(c);
    *expr_out = all;
    return rc;
}

static int compile_key(struct compiler *c, struct str name, const json_t *value,
                       const struct expr **expr_out)
{
    const struct field *field = NULL;
    int rc;

    switch (resolve_key(c, name, &field)) {
    case KEY_AND:
        return compile_branches(c, EXPR_AND, NULL, value, expr_out);
    case KEY_OR:
        return compile_branches(c, EXPR_OR, NULL, value, expr_out);
    case KEY_FIELD:
        rc = check_readable(c, field);
        return rc ? rc : compile_field(c, field, value, expr_out);
    case KEY_RELATION:
        return refuse_unsupported(c, "A path through a relation", name);
    case KEY_FUNCTION:
        return refuse_unsupported(c, "A function", name);
    case KEY_OPERATOR:
        return refuse(c->tx, PROBLEM_INVALID_QUERY,
                      "\"%.*s\" stands where the filter needs a field", STR_ARG(name));
    case KEY_UNKNOWN:
        break;
    }
    return refuse_fields(c->tx, c->table->name, name);
}

static int compile_object(struct compiler *c, const json_t *filter, const struct expr **expr_out)
{
    if (!json_is_object(filter))
        return refuse(c->tx, PROBLEM_INVALID_QUERY, "A filter has to be an object");
    int rc = enter(c);
    const struct expr *all = &expr_true, *one;
    for (void *at = members_first(filter); at && rc == 0; at = members_next(filter, at)) {
        rc = compile_key(c, member_key(at), member_value(at), &one);
        if (rc == 0)
            all = expr_and(c->tx->arena, all, one);
    }
    leave(c);
    *expr_out = all;
    return rc;
}

int filter_compile(struct tx *tx, const struct principal *principal, const struct table *table,
                   const json_t *filter, enum filter_source source, const struct grant *read,
                   const struct expr **expr_out)
{
    assert(source == FILTER_RULE || read);
    const struct expr *compiled = &expr_true;
    struct compiler c = {
        .tx = tx, .principal = principal, .table = table, .source = source, .read = read};
    if (filter && !json_is_null(filter)) {
        int rc = compile_object(&c, filter, &compiled);
        if (rc)
            return rc;
    }
    *expr_out = compiled;
    return 0;
}
