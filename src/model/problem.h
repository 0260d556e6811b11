#ifndef MODEL_PROBLEM_H
#define MODEL_PROBLEM_H

/*
 * What a client may be told when its wish is refused. Model functions fill the transaction's
 * problem and return REFUSED; each dialect has one table from kind to its own status and code.
 * Faults tell the client nothing.
 */

#include "base/arena.h"
#include "base/attr.h"
#include "base/json.h"
#include "base/str.h"

/* kind, HTTP status and code of the Directus dialect (directus.md D.2) */
#define PROBLEM_KINDS(X)                                                                           \
    X(FORBIDDEN, 403, "FORBIDDEN")                                                                 \
    X(INVALID_CREDENTIALS, 401, "INVALID_CREDENTIALS")                                             \
    X(INVALID_OTP, 401, "INVALID_OTP")                                                             \
    X(INVALID_TOKEN, 403, "INVALID_TOKEN")                                                         \
    X(TOKEN_EXPIRED, 401, "TOKEN_EXPIRED")                                                         \
    X(USER_SUSPENDED, 401, "USER_SUSPENDED")                                                       \
    X(INVALID_PAYLOAD, 400, "INVALID_PAYLOAD")                                                     \
    X(INVALID_QUERY, 400, "INVALID_QUERY")                                                         \
    X(FAILED_VALIDATION, 400, "FAILED_VALIDATION")                                                 \
    X(NOT_UNIQUE, 400, "RECORD_NOT_UNIQUE")                                                        \
    X(INVALID_FOREIGN_KEY, 400, "INVALID_FOREIGN_KEY")                                             \
    X(NOT_NULL, 400, "NOT_NULL_VIOLATION")                                                         \
    X(CONTAINS_NULL, 400, "CONTAINS_NULL_VALUES")                                                  \
    X(VALUE_TOO_LONG, 400, "VALUE_TOO_LONG")                                                       \
    X(VALUE_OUT_OF_RANGE, 400, "VALUE_OUT_OF_RANGE")                                               \
    X(ROUTE_NOT_FOUND, 404, "ROUTE_NOT_FOUND")                                                     \
    X(UNPROCESSABLE, 422, "UNPROCESSABLE_CONTENT")                                                 \
    X(REQUESTS_EXCEEDED, 429, "REQUESTS_EXCEEDED")                                                 \
    X(LIMIT_EXCEEDED, 403, "LIMIT_EXCEEDED")                                                       \
    X(UNAVAILABLE, 503, "SERVICE_UNAVAILABLE")                                                     \
    X(INTERNAL, 500, "INTERNAL_SERVER_ERROR")

enum problem_kind {
    PROBLEM_NONE,
#define X(name, status, code) PROBLEM_##name,
    PROBLEM_KINDS(X)
#undef X
        PROBLEM_KIND_COUNT
};

/* One broken validation rule (D.2, FAILED_VALIDATION extensions). */
struct violation {
    struct str field;
    struct str type; /* "required", "eq", "in", "contains", "regex", … */
    json_t *valid;   /* borrowed; NULL: absent */
    json_t *invalid;
    struct str substring; /* absent: none */
    int64_t item;         /* its place in a batch; -1: in none */
    struct violation *next;
};

struct problem {
    enum problem_kind kind;
    struct str reason;     /* a sentence without its full stop; absent: the kind's own text */
    struct str collection; /* absent where they do not apply */
    struct str field;
    struct str value;
    bool lasting;                 /* UNAVAILABLE: to ask again later is no use */
    struct violation *violations; /* FAILED_VALIDATION: one at least */
    struct violation *last;       /* of these: one request may break tens of thousands */
};

enum { REFUSED = 1 };
struct tx;
/* Fills tx->problem with kind and reason (printf; NULL: none); returns REFUSED. */
int refuse(struct tx *tx, enum problem_kind kind, const char *reason, ...) PRINTF_LIKE(3, 4);
/* FORBIDDEN with the texts of D.2: collection, or field of a collection, unknown or not permitted.
 */
int refuse_collection(struct tx *tx, struct str collection);
int refuse_fields(struct tx *tx, struct str collection, struct str field);
int refuse_action(struct tx *tx, const char *action, struct str collection);
int refuse_size(struct tx *tx, size_t bytes_max); /* of an answer */
/* Adds a violation; the caller returns REFUSED when all are told. */
struct violation *refuse_violation(struct tx *tx, struct str field, const char *type);

#endif
