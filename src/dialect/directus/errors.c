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

int error_status(const struct problem *p)
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

/* The kind's own words where no reason was given: patterns of D.2. */
static void put_message(struct buf *b, const struct problem *p)
{
    char text[512];
    switch (p->kind) {
    case PROBLEM_FORBIDDEN:
        json_put_str(b,
                     p->reason.at ? p->reason : STR("You don't have permission to access this."));
        return;
    case PROBLEM_INVALID_PAYLOAD:
    case PROBLEM_INVALID_QUERY:
    case PROBLEM_UNPROCESSABLE:
        snprintf(text, sizeof(text), "%s%s%.*s.",
                 p->kind == PROBLEM_INVALID_PAYLOAD ? "Invalid payload."
                 : p->kind == PROBLEM_INVALID_QUERY ? "Invalid query."
                                                    : "Can't process content.",
                 p->reason.len ? " " : "", STR_ARG(p->reason));
        if (p->reason.len == 0)
            text[strlen(text) - 1] = '\0';
        break;
    case PROBLEM_NOT_UNIQUE:
        snprintf(text, sizeof(text),
                 "Value \"%.*s\" for field \"%.*s\" in collection \"%.*s\" has to be unique.",
                 STR_ARG(p->value), STR_ARG(p->field), STR_ARG(p->collection));
        break;
    case PROBLEM_INVALID_FOREIGN_KEY:
        if (p->field.at)
            snprintf(text, sizeof(text),
                     "Invalid foreign key \"%.*s\" for field \"%.*s\" in collection \"%.*s\".",
                     STR_ARG(p->value), STR_ARG(p->field), STR_ARG(p->collection));
        else
            snprintf(text, sizeof(text), "Invalid foreign key.");
        break;
    case PROBLEM_NOT_NULL:
        snprintf(text, sizeof(text),
                 "Value for field \"%.*s\" in collection \"%.*s\" can't be null.",
                 STR_ARG(p->field), STR_ARG(p->collection));
        break;
    case PROBLEM_CONTAINS_NULL:
        snprintf(text, sizeof(text), "Field \"%.*s\" in collection \"%.*s\" contains null values.",
                 STR_ARG(p->field), STR_ARG(p->collection));
        break;
    case PROBLEM_VALUE_TOO_LONG:
    case PROBLEM_VALUE_OUT_OF_RANGE:
        snprintf(text, sizeof(text), "%s \"%.*s\" for field \"%.*s\" in collection \"%.*s\" is %s.",
                 p->kind == PROBLEM_VALUE_TOO_LONG ? "Value" : "Numeric value", STR_ARG(p->value),
                 STR_ARG(p->field), STR_ARG(p->collection),
                 p->kind == PROBLEM_VALUE_TOO_LONG ? "too long" : "out of range");
        break;
    case PROBLEM_ROUTE_NOT_FOUND:
        snprintf(text, sizeof(text), "Route %.*s doesn't exist.", STR_ARG(p->value));
        break;
    case PROBLEM_INVALID_CREDENTIALS:
        snprintf(text, sizeof(text), "Invalid user credentials.");
        break;
    case PROBLEM_INVALID_OTP:
        snprintf(text, sizeof(text), "Invalid user OTP.");
        break;
    case PROBLEM_INVALID_TOKEN:
        snprintf(text, sizeof(text), "Invalid token.");
        break;
    case PROBLEM_TOKEN_EXPIRED:
        snprintf(text, sizeof(text), "Token expired.");
        break;
    case PROBLEM_USER_SUSPENDED:
        snprintf(text, sizeof(text), "User suspended.");
        break;
    case PROBLEM_CONTENT_TOO_LARGE:
        snprintf(text, sizeof(text), "Content is too large.");
        break;
    case PROBLEM_UNSUPPORTED_MEDIA_TYPE:
        snprintf(text, sizeof(text), "Unsupported media type.");
        break;
    case PROBLEM_REQUESTS_EXCEEDED:
        snprintf(text, sizeof(text), "Too many requests.");
        break;
    case PROBLEM_LIMIT_EXCEEDED:
        snprintf(text, sizeof(text), "Limit exceeded.");
        break;
    case PROBLEM_UNAVAILABLE:
        snprintf(text, sizeof(text), "Service \"api\" is unavailable. %.*s.",
                 STR_ARG(unavailable_reason(p)));
        break;
    default:
        snprintf(text, sizeof(text), "An unexpected error occurred.");
        break;
    }
    json_put_str(b, str_of(text));
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
        char text[256];
        snprintf(text, sizeof(text), "Validation failed for field \"%.*s\". %s", STR_ARG(v->field),
                 violation_detail(v->type));
        buf_put_lit(b, "{\"message\":");
        json_put_str(b, str_of(text));
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
    buf_printf(b, "{\"status\":%d,\"code\":\"%s\",\"extensions\":{", error_status(p),
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
