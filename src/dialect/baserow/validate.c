/*
 * Bodies and query strings against tables of rules (8.4). What is wrong is gathered as JSON of the
 * shape that clients get; what is right is taken over, as its rule reads it.
 */
#include "dialect/baserow/rest.h"

#include "base/mem.h"
#include "base/text.h"
#include "model/items/email.h"

struct validation {
    struct arena *arena;
    json_t *data, *detail;
    size_t mistakes;
};

static json_t *or_exhausted(json_t *json)
{
    if (!json)
        mem_exhausted();
    return json;
}

static json_t *text_of(struct str s)
{
    return or_exhausted(json_stringn(s.at ? s.at : "", s.len));
}

/* The member of that name, made when it is not there yet. */
static json_t *member(json_t *object, const char *name, json_t *fresh)
{
    json_t *found = json_object_get(object, name);
    if (found)
        json_decref(fresh);
    else if (json_object_set_new(object, name, found = or_exhausted(fresh)) != 0)
        mem_exhausted();
    return found;
}

static void put_mistake(json_t *detail, const char *name, const char *code, const char *error)
{
    json_t *one = or_exhausted(json_object());
    member(one, "error", text_of(str_of(error)));
    member(one, "code", text_of(str_of(code)));
    if (json_array_append_new(member(detail, name, json_array()), one) != 0)
        mem_exhausted();
}

static void mistake(struct validation *v, const char *name, const char *code, const char *format,
                    ...) PRINTF_LIKE(4, 5);
static void mistake(struct validation *v, const char *name, const char *code, const char *format,
                    ...)
{
    struct buf text;
    buf_init(&text, SIZE_MAX);
    va_list arguments;
    va_start(arguments, format);
    buf_vprintf(&text, format, arguments);
    va_end(arguments);
    put_mistake(v->detail, name, code, arena_z(v->arena, buf_str(&text)));
    buf_deinit(&text);
    v->mistakes++;
}

static void take(struct validation *v, const struct rule *rule, json_t *value)
{
    if (json_object_set_new(v->data, rule->name, or_exhausted(value)) != 0)
        mem_exhausted();
}

/* ---- texts ---- */

/* A text, or a number as its text. */
static bool read_text(struct validation *v, const json_t *value, struct str *text_out)
{
    if (json_is_number(value))
        *text_out = json_text(v->arena, value);
    else
        *text_out = json_str(value);
    return text_out->at != NULL;
}

static bool is_choice(const char *choices, struct str s)
{
    struct str rest = str_of(choices), choice;
    while (str_next(&rest, ',', &choice))
        if (str_equal(choice, s))
            return true;
    return false;
}

static bool check_length(struct validation *v, const struct rule *rule, struct str text)
{
    int64_t length = (int64_t)text_length(text);
    if (length < rule->min)
        mistake(v, rule->name, "min_length", "Ensure this field has at least %lld characters.",
                (long long)rule->min);
    else if (rule->max && length > rule->max)
        mistake(v, rule->name, "max_length", "Ensure this field has no more than %lld characters.",
                (long long)rule->max);
    else
        return true;
    return false;
}

enum { PASSWORD_LENGTH_MIN = 8, PASSWORD_LENGTH_MAX = 256 };

static bool check_password(struct validation *v, const struct rule *rule, struct str text)
{
    size_t length = text_length(text);
    const char *code = "password_validation_failed";
    if (length < PASSWORD_LENGTH_MIN)
        mistake(v, rule->name, code,
                "This password is too short. It must contain at least %d characters.",
                PASSWORD_LENGTH_MIN);
    else if (length > PASSWORD_LENGTH_MAX)
        mistake(v, rule->name, code, "This password is too long. It must not exceed %d characters.",
                PASSWORD_LENGTH_MAX);
    else
        return true;
    return false;
}

static bool check_text(struct validation *v, const struct rule *rule, struct str text)
{
    switch (rule->kind) {
    case RULE_PASSWORD:
        return check_password(v, rule, text);
    case RULE_EMAIL:
        if (email_is_valid(text))
            return check_length(v, rule, text);
        mistake(v, rule->name, "invalid", "Enter a valid email address.");
        return false;
    case RULE_LANGUAGE:
        if (is_choice(rule->choices, text))
            return true;
        mistake(v, rule->name, "invalid_language", "Only the following language keys are valid: %s",
                rule->choices);
        return false;
    default:
        return check_length(v, rule, text);
    }
}

static void apply_text(struct validation *v, const struct rule *rule, const json_t *value)
{
    bool verbatim = rule->kind == RULE_SECRET || rule->kind == RULE_PASSWORD;
    struct str text;
    if (!read_text(v, value, &text)) {
        mistake(v, rule->name, "invalid", "Not a valid string.");
        return;
    }
    text = verbatim ? text : str_trim(text);
    if (text.len == 0 && rule->kind != RULE_PASSWORD) {
        if (rule->flags & RULE_BLANK)
            take(v, rule, text_of(text));
        else
            mistake(v, rule->name, "blank", "This field may not be blank.");
        return;
    }
    if (rule->kind == RULE_EMAIL)
        text = account_normal_email(v->arena, text);
    if (check_text(v, rule, text))
        take(v, rule, text_of(text));
}

static void apply_choice(struct validation *v, const struct rule *rule, const json_t *value)
{
    struct str text = json_str(value);
    if (text.at && is_choice(rule->choices, text))
        take(v, rule, text_of(text));
    else {
        struct str shown = text.at ? text : json_text(v->arena, value);
        mistake(v, rule->name, "invalid_choice", "\"%.*s\" is not a valid choice.", STR_ARG(shown));
    }
}

/* ---- numbers and booleans ---- */

static bool read_integer(const json_t *value, int64_t *number_out)
{
    if (json_is_integer(value)) {
        *number_out = json_integer_value(value);
        return true;
    }
    return str_to_int64(str_trim(json_str(value)), number_out) == 0;
}

static void apply_integer(struct validation *v, const struct rule *rule, const json_t *value)
{
    int64_t number;
    if (!read_integer(value, &number))
        mistake(v, rule->name, "invalid", "A valid integer is required.");
    else if (number < rule->min)
        mistake(v, rule->name, "min_value", "Ensure this value is greater than or equal to %lld.",
                (long long)rule->min);
    else if (rule->max && number > rule->max)
        mistake(v, rule->name, "max_value", "Ensure this value is less than or equal to %lld.",
                (long long)rule->max);
    else
        take(v, rule, json_integer(number));
}

static void apply_boolean(struct validation *v, const struct rule *rule, const json_t *value)
{
    static const char yes[] = "t,T,y,Y,yes,Yes,YES,true,True,TRUE,on,On,ON,1";
    static const char no[] = "f,F,n,N,no,No,NO,false,False,FALSE,off,Off,OFF,0";
    struct str text = json_is_integer(value) ? json_text(v->arena, value) : json_str(value);
    if (json_is_true(value) || (text.at && is_choice(yes, text)))
        take(v, rule, json_true());
    else if (json_is_false(value) || (text.at && is_choice(no, text)))
        take(v, rule, json_false());
    else
        mistake(v, rule->name, "invalid", "Must be a valid boolean.");
}

/* ---- lists ---- */

static const char *type_name(const json_t *value)
{
    static const char *const names[] = {
        [JSON_OBJECT] = "dict", [JSON_ARRAY] = "list",    [JSON_STRING] = "str",
        [JSON_INTEGER] = "int", [JSON_REAL] = "float",    [JSON_TRUE] = "bool",
        [JSON_FALSE] = "bool",  [JSON_NULL] = "NoneType",
    };
    return names[json_typeof(value)];
}

/* Mistakes of elements stand under their index. */
static void apply_list(struct validation *v, const struct rule *rule, const json_t *value)
{
    const struct rule element = {
        .kind = rule->kind == RULE_IDS ? RULE_INTEGER : RULE_TEXT,
        .min = rule->kind == RULE_IDS ? INT64_MIN : 0,
        .max = rule->max,
    };
    if (!json_is_array(value)) {
        mistake(v, rule->name, "not_a_list", "Expected a list of items but got type \"%s\".",
                type_name(value));
        return;
    }
    json_t *taken = or_exhausted(json_array());
    struct validation inner = {.arena = v->arena,
                               .data = or_exhausted(json_object()),
                               .detail = or_exhausted(json_object())};
    for (size_t i = 0; i < json_array_size(value); i++) {
        struct rule indexed = element;
        indexed.name = arena_printf(v->arena, "%zu", i).at;
        if (element.kind == RULE_INTEGER)
            apply_integer(&inner, &indexed, json_array_get(value, i));
        else
            apply_text(&inner, &indexed, json_array_get(value, i));
        json_t *one = json_object_get(inner.data, indexed.name);
        if (one && json_array_append(taken, one) != 0)
            mem_exhausted();
    }
    v->mistakes += inner.mistakes;
    if (inner.mistakes)
        member(v->detail, rule->name, json_incref(inner.detail));
    json_decref(inner.data);
    json_decref(inner.detail);
    take(v, rule, taken);
}

/* ---- all of it ---- */

static void apply(struct validation *v, const struct rule *rule, json_t *value)
{
    if (!value) {
        if (rule->flags & RULE_REQUIRED)
            mistake(v, rule->name, "required", "This field is required.");
        return;
    }
    if (json_is_null(value)) {
        if (rule->flags & RULE_NULL || rule->kind == RULE_JSON)
            take(v, rule, json_null());
        else
            mistake(v, rule->name, "null", "This field may not be null.");
        return;
    }
    switch (rule->kind) {
    case RULE_CHOICE:
        apply_choice(v, rule, value);
        break;
    case RULE_INTEGER:
        apply_integer(v, rule, value);
        break;
    case RULE_BOOLEAN:
        apply_boolean(v, rule, value);
        break;
    case RULE_IDS:
    case RULE_TEXTS:
        apply_list(v, rule, value);
        break;
    case RULE_JSON:
        take(v, rule, json_incref(value));
        break;
    default:
        apply_text(v, rule, value);
    }
}

size_t validate(struct arena *a, const struct rule *rules, const json_t *object, json_t **data_out,
                json_t **detail_out)
{
    struct validation v = {
        .arena = a, .data = or_exhausted(json_object()), .detail = or_exhausted(json_object())};
    arena_on_free(a, json_release, v.data);
    arena_on_free(a, json_release, v.detail);
    if (object && !json_is_object(object))
        mistake(&v, "non_field_errors", "invalid",
                "Invalid data. Expected a dictionary, but got %s.", type_name(object));
    else
        for (const struct rule *rule = rules; rule && rule->name; rule++)
            apply(&v, rule, json_get(object, rule->name));
    *data_out = v.data;
    *detail_out = v.detail;
    return v.mistakes;
}

int refuse_field(struct tx *tx, const char *field, const char *code, const char *error)
{
    AUTO(json_unref) json_t *detail = or_exhausted(json_object());
    put_mistake(detail, field, code, error);
    return refuse_code(tx, ERROR_REQUEST_BODY_VALIDATION, json_text(tx->arena, detail).at);
}

/* ---- reading what was validated ---- */

struct str data_text(const json_t *data, const char *name)
{
    return json_get_str(data, name);
}

bool data_is_sent(const json_t *data, const char *name)
{
    return json_get(data, name) != NULL;
}

int64_t data_integer(const json_t *data, const char *name, int64_t otherwise)
{
    const json_t *value = json_get(data, name);
    return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

bool data_boolean(const json_t *data, const char *name, bool otherwise)
{
    const json_t *value = json_get(data, name);
    return json_is_boolean(value) ? json_is_true(value) : otherwise;
}

void data_ids(struct arena *a, const json_t *data, const char *name, const int64_t **ids_out,
              size_t *count_out)
{
    const json_t *list = json_get(data, name);
    size_t count = json_array_size(list);
    int64_t *ids = ARENA_ARRAY(a, int64_t, count ? count : 1);
    for (size_t i = 0; i < count; i++)
        ids[i] = json_integer_value(json_array_get(list, i));
    *ids_out = ids;
    *count_out = count;
}
