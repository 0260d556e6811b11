#include "dialect/directus/directus.h"

#include "base/json.h"

/* The one table from a problem's kind to what Directus's clients are told (D.2). */
static const struct {
    int status;
    const char *code;
} kinds[PROBLEM_KIND_COUNT] = {[PROBLEM_NONE] = {500, "INTERNAL_SERVER_ERROR"},
#define X(name, status, code) [PROBLEM_##name] = {status, code},
                               PROBLEM_KINDS(X)
#undef X
};

int error_http_status(const struct problem *p)
{
    return kinds[p->kind].status;
}

const char *error_code(const struct problem *p)
{
    return kinds[p->kind].code;
}

static void put_member(struct buf *b, const char *name, struct str value)
{
    if (!value.at)
        return;
    buf_printf(b, ",\"%s\":", name);
    json_put_str(b, value);
}

/* Without words of its own it is the queues that are full. */
static struct str unavailable_reason(const struct problem *p)
{
    return p->reason.at ? p->reason : STR("Under pressure");
}

/* The members behind "code" that a client may branch on. */
static void put_extensions(struct buf *b, const struct problem *p)
{
    bool names_value = p->kind == PROBLEM_NOT_UNIQUE || p->kind == PROBLEM_INVALID_FOREIGN_KEY ||
                       p->kind == PROBLEM_VALUE_TOO_LONG || p->kind == PROBLEM_VALUE_OUT_OF_RANGE;
    if (p->kind == PROBLEM_UNAVAILABLE) {
        put_member(b, "service", STR("api"));
        put_member(b, "reason", unavailable_reason(p));
        return;
    }
    put_member(b, "reason", p->reason);
    if (p->kind == PROBLEM_ROUTE_NOT_FOUND)
        put_member(b, "path", p->value);
    else if (names_value || p->kind == PROBLEM_NOT_NULL || p->kind == PROBLEM_CONTAINS_NULL) {
        put_member(b, "collection", p->collection);
        put_member(b, "field", p->field);
        if (names_value)
            put_member(b, "value", p->value);
    }
}

static void put_violation(struct buf *b, const struct violation *v)
{
    put_member(b, "field", v->field);
    buf_put_lit(b, ",\"path\":[]");
    put_member(b, "type", v->type);
    if (v->valid) {
        buf_put_lit(b, ",\"valid\":");
        json_put_value(b, v->valid);
    }
    if (v->invalid) {
        buf_put_lit(b, ",\"invalid\":");
        json_put_value(b, v->invalid);
    }
    put_member(b, "substring", v->substring);
}

static const char *violation_detail(struct str type)
{
    static const struct {
        const char *type, *detail;
    } details[] = {
        {"required", "Value is required."},
        {"null", "Value has to be null."},
        {"nnull", "Value can't be null."},
        {"empty", "Value has to be empty."},
        {"nempty", "Value can't be empty."},
        {"regex", "Value doesn't have the correct format."},
        {"email", "Value has to be a valid email address."},
    };
    for (size_t i = 0; i < COUNT_OF(details); i++)
        if (str_equal(type, str_of(details[i].type)))
            return details[i].detail;
    return "Value doesn't satisfy the rule.";
}

/*
 * The messages of D.2: `plain` where nothing more is known, else `full`, in which %r stands for the
 * reason, %v, %f and %c for value, field and collection. Without `full` there is nothing more.
 */
static const struct {
    const char *plain, *full;
} messages[PROBLEM_KIND_COUNT] = {
    [PROBLEM_NONE] = {"An unexpected error occurred.", NULL},
    [PROBLEM_FORBIDDEN] = {"You don't have permission to access this.", "%r"},
    [PROBLEM_INVALID_CREDENTIALS] = {"Invalid user credentials.", NULL},
    [PROBLEM_INVALID_OTP] = {"Invalid user OTP.", NULL},
    [PROBLEM_INVALID_TOKEN] = {"Invalid token.", NULL},
    [PROBLEM_TOKEN_EXPIRED] = {"Token expired.", NULL},
    [PROBLEM_USER_SUSPENDED] = {"User suspended.", NULL},
    [PROBLEM_INVALID_PAYLOAD] = {"Invalid payload.", "Invalid payload. %r."},
    [PROBLEM_INVALID_QUERY] = {"Invalid query.", "Invalid query. %r."},
    [PROBLEM_FAILED_VALIDATION] = {"An unexpected error occurred.", NULL}, /* violations speak */
    [PROBLEM_NOT_UNIQUE] = {"Value has to be unique.",
                            "Value \"%v\" for field \"%f\" in collection \"%c\" has to be unique."},
    [PROBLEM_INVALID_FOREIGN_KEY] =
        {"Invalid foreign key.",
         "Invalid foreign key \"%v\" for field \"%f\" in collection \"%c\"."},
    [PROBLEM_NOT_NULL] = {"Value can't be null.",
                          "Value for field \"%f\" in collection \"%c\" can't be null."},
    [PROBLEM_CONTAINS_NULL] = {"Field contains null values.",
                               "Field \"%f\" in collection \"%c\" contains null values."},
    [PROBLEM_VALUE_TOO_LONG] = {"Value is too long.",
                                "Value \"%v\" for field \"%f\" in collection \"%c\" is too long."},
    [PROBLEM_VALUE_OUT_OF_RANGE] =
        {"Numeric value is out of range.",
         "Numeric value \"%v\" for field \"%f\" in collection \"%c\" is out of range."},
    [PROBLEM_ROUTE_NOT_FOUND] = {"Route doesn't exist.", "Route %v doesn't exist."},
    [PROBLEM_UNPROCESSABLE] = {"Can't process content.", "Can't process content. %r."},
    [PROBLEM_REQUESTS_EXCEEDED] = {"Too many requests.", NULL},
    [PROBLEM_LIMIT_EXCEEDED] = {"Limit exceeded.", NULL},
    [PROBLEM_UNAVAILABLE] = {"Service \"api\" is unavailable. Under pressure.",
                             "Service \"api\" is unavailable. %r."},
    [PROBLEM_INTERNAL] = {"An unexpected error occurred.", NULL},
};

static struct str part_of(const struct problem *p, char letter)
{
    switch (letter) {
    case 'r':
        return p->reason;
    case 'v':
        return p->value;
    case 'f':
        return p->field;
    default:
        return p->collection;
    }
}

static void put_message(struct buf *b, const struct problem *p)
{
    bool more = p->reason.len > 0 || p->field.at || p->value.at;
    const char *full = more ? messages[p->kind].full : NULL;
    struct buf text;
    buf_init(&text, SIZE_MAX);
    for (const char *at = full ? full : messages[p->kind].plain; *at; at++) {
        if (*at == '%')
            buf_put_str(&text, part_of(p, *++at));
        else
            buf_put_char(&text, *at);
    }
    json_put_str(b, buf_str(&text));
    buf_deinit(&text);
}

static void put_violation_message(struct buf *b, const struct violation *v)
{
    struct buf text;
    buf_init(&text, SIZE_MAX);
    buf_printf(&text, "Validation failed for field \"%.*s\". %s", STR_ARG(v->field),
               violation_detail(v->type));
    json_put_str(b, buf_str(&text));
    buf_deinit(&text);
}

void error_write_rest(struct buf *b, const struct problem *p)
{
    buf_put_lit(b, "{\"errors\":[");
    const struct violation *v = p->kind == PROBLEM_FAILED_VALIDATION ? p->violations : NULL;
    if (!v) {
        buf_put_lit(b, "{\"message\":");
        put_message(b, p);
        buf_printf(b, ",\"extensions\":{\"code\":\"%s\"", error_code(p));
        put_extensions(b, p);
        buf_put_lit(b, "}}");
    }
    for (; v; v = v->next) {
        buf_put_lit(b, "{\"message\":");
        put_violation_message(b, v);
        buf_printf(b, ",\"extensions\":{\"code\":\"%s\"", error_code(p));
        put_violation(b, v);
        buf_put_lit(b, "}}");
        if (v->next)
            buf_put_char(b, ',');
    }
    buf_put_lit(b, "]}");
}

/* put_member writes a leading comma; the first member of an object starts behind a dummy's place.
 */
static void put_seed_error(struct buf *b, const struct problem *p, const struct violation *v)
{
    buf_printf(b, "{\"status\":%d,\"code\":\"%s\",\"extensions\":{", error_http_status(p),
               error_code(p));
    size_t start = b->len;
    if (v)
        put_violation(b, v);
    else
        put_extensions(b, p);
    if (b->len > start) { /* drop the comma before the first member */
        memmove(b->at + start, b->at + start + 1, b->len - start - 1);
        b->len--;
    }
    buf_put_lit(b, "}}");
}

void error_write_seed(struct buf *b, const struct problem *p)
{
    const struct violation *v = p->kind == PROBLEM_FAILED_VALIDATION ? p->violations : NULL;
    if (!v) {
        put_seed_error(b, p, NULL);
        return;
    }
    buf_put_char(b, '[');
    for (; v; v = v->next) {
        put_seed_error(b, p, v);
        if (v->next)
            buf_put_char(b, ',');
    }
    buf_put_char(b, ']');
}
