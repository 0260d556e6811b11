#include "model/problem.h"

#include <stdarg.h>

#include "base/buf.h"
#include "model/model.h"

/* A reason may quote what the client sent; past this it is cut. */
enum { REASON_BYTES_MAX = 2048 };

static struct str reason_text(struct arena *a, const char *format, va_list arguments)
    PRINTF_LIKE(2, 0);
static struct str reason_text(struct arena *a, const char *format, va_list arguments)
{
    char text[REASON_BYTES_MAX];
    int len = vsnprintf(text, sizeof(text), format, arguments);

    if (len < 0)
        return STR_NULL;
    return arena_str(
        a, (struct str){text, (size_t)len < sizeof(text) ? (size_t)len : sizeof(text) - 1});
}

int refuse(struct tx *tx, enum problem_kind kind, const char *reason, ...)
{
    *tx->problem = (struct problem){.kind = kind};
    if (reason) {
        va_list arguments;
        va_start(arguments, reason);
        tx->problem->reason = reason_text(tx->arena, reason, arguments);
        va_end(arguments);
    }
    return REFUSED;
}

/* Unknown and not permitted read the same on purpose: nobody learns what exists (section 0). */

int refuse_collection(struct tx *tx, struct str collection)
{
    refuse(tx, PROBLEM_FORBIDDEN,
           "You don't have permission to access collection \"%.*s\" or it does not exist. "
           "Queried in root.",
           STR_ARG(collection));
    tx->problem->collection = arena_str(tx->arena, collection);
    return REFUSED;
}

int refuse_fields(struct tx *tx, struct str collection, struct str field)
{
    refuse(tx, PROBLEM_FORBIDDEN,
           "You don't have permission to access field \"%.*s\" in collection \"%.*s\" or it does "
           "not exist. Queried in root.",
           STR_ARG(field), STR_ARG(collection));
    tx->problem->collection = arena_str(tx->arena, collection);
    tx->problem->field = arena_str(tx->arena, field);
    return REFUSED;
}

int refuse_action(struct tx *tx, const char *action, struct str collection)
{
    refuse(tx, PROBLEM_FORBIDDEN,
           "You don't have permission to perform \"%s\" for collection \"%.*s\" or it does not "
           "exist.",
           action, STR_ARG(collection));
    tx->problem->collection = arena_str(tx->arena, collection);
    return REFUSED;
}

int refuse_size(struct tx *tx, size_t bytes_max)
{
    return refuse(tx, PROBLEM_INVALID_QUERY, "The answer is larger than %zu bytes", bytes_max);
}

struct violation *refuse_violation(struct tx *tx, struct str field, const char *type)
{
    struct violation *v = ARENA_NEW(tx->arena, struct violation);

    if (tx->problem->kind != PROBLEM_FAILED_VALIDATION)
        refuse(tx, PROBLEM_FAILED_VALIDATION, NULL);
    v->field = arena_str(tx->arena, field);
    v->type = str_of(type);
    v->item = -1;
    *(tx->problem->last ? &tx->problem->last->next : &tx->problem->violations) = v;
    tx->problem->last = v;
    return v;
}
