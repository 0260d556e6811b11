#ifndef DIALECT_BASEROW_REST_H
#define DIALECT_BASEROW_REST_H

/*
 * What the families of REST routes share: the decoded request, its validation, and the ways to
 * answer it.
 */

#include "dialect/baserow/baserow.h"

enum { PARAMETERS_MAX = 3 };

/*
 * A REST request. Decoded on the loop; who asks is found on the worker, and body and query are
 * validated there after that (8.5: authentication first). In the request's arena.
 */
struct rest {
    const struct route *route;
    struct str parameters[PARAMETERS_MAX]; /* what stood for the pattern's `:names`, in order */
    int64_t ids[PARAMETERS_MAX];           /* of those whose name ends in "id"; else 0 */
    bool head;
    json_t *body;  /* as sent; NULL: none */
    json_t *query; /* parameters of the URL, texts; the last of equal names wins; never NULL */
    struct problem mistake; /* found while decoding; kind NONE: none */
    /* ---- set before a handler's `prepare` and `run` ---- */
    struct account account; /* who asks; id 0: a public route */
    /* The database token that it comes by: it acts for `account`. NULL: it came by a JWT. */
    const struct database_token *token;
    json_t *data;  /* of the body: what the route's rules name, and was sent; never NULL */
    json_t *asked; /* of the query: the same */
    void *finding; /* what a handler's `prepare` leaves for its `run` */
    const struct outgoing *letter; /* that `run` leaves to be sent when it is stored; NULL: none */
};

enum route_flags {
    ROUTE_PUBLIC = 1,   /* credentials are not even looked at */
    ROUTE_STAFF = 2,    /* for staff only: others are told 403 */
    ROUTE_BARE = 4,     /* what is wrong with the body is told without an envelope (token-auth) */
    ROUTE_STALLS = 8,   /* the answer waits for LOGIN_STALL_TIME since the request came */
    ROUTE_TOKEN = 16,   /* open to database tokens (9.14), too */
    ROUTE_SECRETS = 32, /* prepared only where the table that it names first has passwords */
};

/* ---- validate.c ---- */

enum rule_kind {
    RULE_TEXT,     /* trimmed; min and max: characters. Numbers are taken as their text */
    RULE_SECRET,   /* a text as it is */
    RULE_PASSWORD, /* a text as it is, fit to be a new password (9.1) */
    RULE_EMAIL,    /* normalised (7.10); max: characters */
    RULE_CHOICE,   /* one of `choices` */
    RULE_LANGUAGE, /* the same with a code of its own */
    RULE_INTEGER,  /* also as text; min and max */
    RULE_BOOLEAN,  /* also as text */
    RULE_IDS,      /* array of integers */
    RULE_TEXTS,    /* array of texts, max characters each */
    RULE_JSON,     /* anything */
};
enum rule_flags {
    RULE_REQUIRED = 1,
    RULE_NULL = 2,  /* null is a value */
    RULE_BLANK = 4, /* so is "" */
};
/* What may stand under one key. Tables of them end with a row without a name; keys that no row
 * names are ignored (8.1). */
struct rule {
    const char *name;
    enum rule_kind kind;
    unsigned flags;      /* of enum rule_flags */
    int64_t min, max;    /* max 0: none */
    const char *choices; /* comma text */
};
/*
 * Takes what the rules name out of an object (NULL: an empty one), as they say. 0, or how many
 * mistakes there are, told as `{"name":[{"error":…,"code":…}],…}` in *detail_out (8.4). Both
 * results live in the arena.
 */
size_t validate(struct arena *a, const struct rule *rules, const json_t *object, json_t **data_out,
                json_t **detail_out);
/* A mistake that only a handler finds: 400 ERROR_REQUEST_BODY_VALIDATION. REFUSED. */
int refuse_field(struct tx *tx, const char *field, const char *code, const char *error);

/* Readers of what was validated; `otherwise` when the key was not sent. */
struct str data_text(const json_t *data, const char *name); /* absent: not sent, or null */
bool data_is_sent(const json_t *data, const char *name);
int64_t data_integer(const json_t *data, const char *name, int64_t otherwise);
bool data_boolean(const json_t *data, const char *name, bool otherwise);
/* An array of integers, in the arena. */
void data_ids(struct arena *a, const json_t *data, const char *name, const int64_t **ids_out,
              size_t *count_out);

/* ---- http.c ---- */

/* Takes an HTTP request for a path below /api/ and submits it. */
void rest_submit(struct session *s, struct http_request *http);

/* ---- routes.c ---- */

/* One row for each route; the patterns are whole paths with `:names`. A name that ends in "id"
 * stands for digits. */
struct route {
    const char *method, *pattern;
    struct handler handler;
    unsigned flags;                  /* of enum route_flags */
    const struct rule *body, *query; /* NULL: nothing is looked at */
};
/* The families' tables, each ended by a row without a method. */
extern const struct route login_routes[], account_routes[], settings_routes[], workspace_routes[],
    member_routes[], invitation_routes[], application_routes[], recovery_routes[], token_routes[],
    table_routes[], field_routes[], trash_routes[], history_routes[], row_routes[], job_routes[],
    job_type_routes[];

enum route_found {
    ROUTE_FOUND,
    ROUTE_NONE,
    ROUTE_SLASH_MISSING, /* with a slash at its end there were one */
    ROUTE_OTHER_METHOD,  /* the path is served, by other methods */
};
/* The route of a method and path: sets rest->route, parameters and ids. */
enum route_found route_find(struct str method, struct str path, struct rest *rest);

/* ---- login.c ---- */
/* The login response, with tokens. */
int answer_login(struct request *r, struct tx *tx, const struct account *account);

/* ---- settings.c ---- */
/* A setting of 9.2 that is true or false. */
int setting_is_on(struct tx *tx, const char *name, bool *on_out);
int setting_number(struct tx *tx, const char *name, int64_t *number_out); /* one that is a number */
/* Must an e-mail be verified before its user may log in; is it asked for? */
enum verification { VERIFICATION_NONE, VERIFICATION_RECOMMENDED, VERIFICATION_ENFORCED };
int setting_verification(struct tx *tx, enum verification *verification_out);
/* Staff may come in without, to set it otherwise. REFUSED ERROR_EMAIL_VERIFICATION_REQUIRED. */
int check_verified(struct tx *tx, const struct account *account);
/* The elements of 12.3's list that are the same in all workspaces. */
int put_instance_permissions(struct tx *tx, const struct account *account, struct buf *b);

/* ---- departures.c ---- */
/* Deletes the accounts whose time of grace is over. */
extern const struct handler departure_chore;

/* ---- upkeep.c ---- */
extern const struct handler trash_chore, history_chore;

/* ---- admission.c ---- */
struct grid_table;
/* The table, if whoever asks may do that with its rows: a member of its workspace, or a database
 * token that allows it. REFUSED. */
int grid_admit(struct request *r, struct tx *tx, int64_t id, enum action action,
               const struct grid_table **table_out);

/* ---- row_bodies.c ---- */
/* Does the table that the request's path names have passwords? In memory. */
bool row_body_has_secrets(const struct catalogue *c, const struct rest *rest);

/* ---- errors.c ---- */

/* The forms of an error's body (8.3). */
enum error_form {
    ERROR_CODED,     /* {"error": code, "detail": text} */
    ERROR_JSON,      /* the same, the detail is JSON that the problem carries */
    ERROR_PLAIN,     /* {"detail": text} */
    ERROR_JSON_TEXT, /* of ERROR_REQUEST_BODY_VALIDATION, with a text as its detail (8.4) */
    ERROR_BARE,      /* the JSON that the problem carries */
};
/* Every code of this dialect: its name is the code. In the text, %v stands for the problem's value.
 */
#define BASEROW_ERRORS(X)                                                                          \
    /* anywhere (8.5) */                                                                           \
    X(NOT_AUTHENTICATED, PLAIN, 401, "Authentication credentials were not provided.")              \
    X(ERROR_INVALID_ACCESS_TOKEN, CODED, 401, "Access token is expired or invalid.")               \
    X(ERROR_DEACTIVATED_USER, CODED, 401, "User account has been disabled.")                       \
    X(USER_NOT_FOUND, PLAIN, 401, "User not found")                                                \
    X(PERMISSION_DENIED, CODED, 401,                                                               \
      "You don't have the required permission to execute this "                                    \
      "operation.")                                                                                \
    X(STAFF_ONLY, PLAIN, 403, "You do not have permission to perform this action.")                \
    X(ERROR_USER_NOT_IN_GROUP, CODED, 400, "")                                                     \
    X(ERROR_USER_INVALID_GROUP_PERMISSIONS, CODED, 400, "")                                        \
    X(ERROR_REQUEST_BODY_VALIDATION, JSON, 400, "")                                                \
    X(ERROR_QUERY_PARAMETER_VALIDATION, JSON, 400, "")                                             \
    X(BARE_VALIDATION, BARE, 400, "")                                                              \
    X(PARSE_ERROR, PLAIN, 400, "JSON parse error - %v")                                            \
    X(UNSUPPORTED_MEDIA_TYPE, PLAIN, 415, "Unsupported media type \"%v\" in request.")             \
    X(METHOD_NOT_ALLOWED, PLAIN, 405, "Method \"%v\" not allowed.")                                \
    X(URL_NOT_FOUND, CODED, 404, "URL %v not found.")                                              \
    X(URL_TRAILING_SLASH_MISSING, CODED, 404, "A trailing slash is missing.")                      \
    X(THROTTLED, PLAIN, 429, "Request was throttled.")                                             \
    X(UNAVAILABLE, PLAIN, 503, "The server is busy: %v.")                                          \
    X(INTERNAL, PLAIN, 500, "A server error occurred.")                                            \
    X(ERROR_FEATURE_DISABLED, CODED, 403, "This feature is disabled.")                             \
    /* accounts (9.1) */                                                                           \
    X(ERROR_INVALID_CREDENTIALS, CODED, 401, "No active account found with the given credentials") \
    X(ERROR_INVALID_REFRESH_TOKEN, CODED, 401, "Refresh token is expired or invalid.")             \
    X(ERROR_REFRESH_TOKEN_ALREADY_BLACKLISTED, CODED, 400,                                         \
      "The provided refresh token is already blacklisted.")                                        \
    X(ERROR_EMAIL_ALREADY_EXISTS, CODED, 400, "A user with the provided email already exists.")    \
    X(ERROR_DISABLED_SIGNUP, CODED, 400, "Sign up is disabled.")                                   \
    X(ERROR_INVALID_OLD_PASSWORD, CODED, 400, "")                                                  \
    X(ERROR_DISABLED_RESET_PASSWORD, CODED, 400,                                                   \
      "Reset password is disabled, or no mail is set up. An administrator can set a new one.")     \
    X(ERROR_EMAIL_VERIFICATION_REQUIRED, CODED, 401,                                               \
      "The email address has to be verified before logging in.")                                   \
    X(ERROR_EMAIL_ALREADY_VERIFIED, CODED, 400, "The email address is already verified.")          \
    X(ERROR_INVALID_VERIFICATION_TOKEN, CODED, 400, "The email verification token is invalid.")    \
    X(ERROR_USER_NOT_FOUND, CODED, 400, "The requested user was not found.")                       \
    X(ERROR_USER_IS_LAST_ADMIN, CODED, 400,                                                        \
      "You are the last admin of the instance. Therefore you can't delete your account.")          \
    X(BAD_TOKEN_SIGNATURE, CODED, 400, "The signature of the token is invalid.")                   \
    X(EXPIRED_TOKEN_SIGNATURE, CODED, 400, "The signature of the token has expired.")              \
    /* workspaces, members, invitations, applications (9.3, 9.4) */                                \
    X(ERROR_GROUP_DOES_NOT_EXIST, CODED, 404, "The requested workspace does not exist.")           \
    X(ERROR_GROUP_USER_DOES_NOT_EXIST, CODED, 404, "The workspace user does not exist.")           \
    X(ERROR_GROUP_USER_ALREADY_EXISTS, CODED, 400,                                                 \
      "The user is already a member of the "                                                       \
      "workspace.")                                                                                \
    X(ERROR_GROUP_USER_IS_LAST_ADMIN, CODED, 400,                                                  \
      "You are the last admin in the workspace and "                                               \
      "can therefore not be removed or lose that "                                                 \
      "role.")                                                                                     \
    X(ERROR_CANNOT_DELETE_YOURSELF_FROM_GROUP, CODED, 400,                                         \
      "You cannot delete yourself from a "                                                         \
      "workspace.")                                                                                \
    X(ERROR_GROUP_INVITATION_DOES_NOT_EXIST, CODED, 404,                                           \
      "The requested workspace invitation "                                                        \
      "does not exist.")                                                                           \
    X(ERROR_GROUP_INVITATION_EMAIL_MISMATCH, CODED, 400,                                           \
      "Your email address does not match with "                                                    \
      "the invitation.")                                                                           \
    X(ERROR_HOSTNAME_IS_NOT_ALLOWED, CODED, 400, "Only the hostname of this server is allowed.")   \
    X(ERROR_MAX_NUMBER_OF_PENDING_WORKSPACE_INVITES_REACHED, CODED, 400,                           \
      "The maximum number of pending invitations of this workspace has been reached.")             \
    X(ERROR_INVALID_SORT_DIRECTION, CODED, 400,                                                    \
      "Attributes to sort by must be prefixed with one "                                           \
      "of '-' or '+'.")                                                                            \
    X(ERROR_INVALID_SORT_ATTRIBUTE, CODED, 400, "Invalid attribute name provided to sort by.")     \
    X(ERROR_APPLICATION_DOES_NOT_EXIST, CODED, 404, "The requested application does not exist.")   \
    X(ERROR_APPLICATION_NOT_IN_GROUP, CODED, 400,                                                  \
      "The application id %v does not belong to the "                                              \
      "workspace.")                                                                                \
    X(ERROR_APPLICATION_TYPE_DOES_NOT_EXIST, CODED, 400, "The application type does not exist.")   \
    X(ERROR_CANNOT_DELETE_ALREADY_DELETED_ITEM, CODED, 400, "It is deleted already.")              \
    X(ERROR_MAX_JOB_COUNT_EXCEEDED, CODED, 400,                                                    \
      "Max running job count for this type is exceeded.")                                          \
    X(ERROR_JOB_DOES_NOT_EXIST, CODED, 404, "The requested job does not exist.")                   \
    X(ERROR_JOB_NOT_CANCELLABLE, CODED, 400, "The job has ended, and cannot be cancelled.")        \
    /* tables (9.5) */                                                                             \
    X(ERROR_INVALID_INITIAL_TABLE_DATA, CODED, 400,                                                \
      "The provided table data must at least contain one row and one column.")                     \
    X(ERROR_INITIAL_SYNC_TABLE_DATA_LIMIT_EXCEEDED, CODED, 400,                                    \
      "At most 5000 rows can be given at once: import them as a job.")                             \
    X(ERROR_INITIAL_TABLE_DATA_LIMIT_EXCEEDED, CODED, 400,                                         \
      "The number of rows exceeds INITIAL_TABLE_DATA_LIMIT.")                                      \
    X(ERROR_INITIAL_TABLE_DATA_HAS_DUPLICATE_NAMES, CODED, 400,                                    \
      "Your initial table data contains duplicate field names.")                                   \
    /* tables and fields (9.5, 9.6, 10.2) */                                                       \
    X(ERROR_TABLE_DOES_NOT_EXIST, CODED, 404, "The requested table does not exist.")               \
    X(ERROR_TABLE_NOT_IN_DATABASE, CODED, 400, "The table id %v does not belong to the database.") \
    X(ERROR_FIELD_DOES_NOT_EXIST, CODED, 404, "The requested field does not exist.")               \
    X(ERROR_MAX_FIELD_COUNT_EXCEEDED, CODED, 400,                                                  \
      "The maximum number of fields of a table is reached.")                                       \
    X(ERROR_MAX_FIELD_NAME_LENGTH_EXCEEDED, CODED, 400,                                            \
      "A field name can have at most 255 characters.")                                             \
    X(ERROR_FIELD_WITH_SAME_NAME_ALREADY_EXISTS, CODED, 400,                                       \
      "A field with the provided name already exists.")                                            \
    X(ERROR_RESERVED_BASEROW_FIELD_NAME, CODED, 400, "The names id and order are reserved.")       \
    X(ERROR_INVALID_BASEROW_FIELD_NAME, CODED, 400, "A field name cannot be blank.")               \
    X(ERROR_CANNOT_DELETE_PRIMARY_FIELD, CODED, 400, "Cannot delete the primary field.")           \
    X(ERROR_CANNOT_CHANGE_FIELD_TYPE, CODED, 400, "The type of this field cannot be changed so.")  \
    X(ERROR_CANNOT_CREATE_FIELD_TYPE, CODED, 400, "Fields of the type %v cannot be made.")         \
    X(ERROR_INCOMPATIBLE_PRIMARY_FIELD_TYPE, CODED, 400,                                           \
      "This type of field cannot be the primary field.")                                           \
    X(ERROR_FIELD_IS_ALREADY_PRIMARY, CODED, 400,                                                  \
      "The provided field is the primary field already.")                                          \
    X(ERROR_FIELD_NOT_IN_TABLE, CODED, 400, "The provided field does not belong to the table.")    \
    X(ERROR_LINK_ROW_TABLE_NOT_PROVIDED, CODED, 400, "The link_row_table_id must be provided.")    \
    X(ERROR_LINK_ROW_TABLE_NOT_IN_SAME_DATABASE, CODED, 400,                                       \
      "The linked table is not in the same database.")                                             \
    X(ERROR_SELF_REFERENCING_LINK_ROW_CANNOT_HAVE_RELATED_FIELD, CODED, 400,                       \
      "A link to the own table cannot have a related field.")                                      \
    X(ERROR_SELECT_OPTION_DOES_NOT_BELONG_TO_FIELD, CODED, 400,                                    \
      "The option %v does not belong to the field.")                                               \
    X(ERROR_FIELD_CONSTRAINT, CODED, 400, "The existing data does not satisfy the constraint.")    \
    X(ERROR_FIELD_DATA_CONSTRAINT, CODED, 400,                                                     \
      "The data does not satisfy a constraint of the field.")                                      \
    X(ERROR_INVALID_FIELD_CONSTRAINT, CODED, 400,                                                  \
      "The field constraint is invalid for this type of field.")                                   \
    X(ERROR_FIELD_CONSTRAINT_DOES_NOT_SUPPORT_DEFAULT_VALUE, CODED, 400,                           \
      "The constraint does not go with a default value.")                                          \
    X(ERROR_DB_INDEX_NOT_SUPPORTED, CODED, 400, "This type of field cannot be indexed.")           \
    X(ERROR_DATE_FORCE_TIMEZONE_OFFSET_ERROR, CODED, 400,                                          \
      "Dates that are stored are not moved by an offset.")                                         \
    X(ERROR_INCOMPATIBLE_FIELD_TYPE_FOR_UNIQUE_VALUES, CODED, 400,                                 \
      "Fields of this type have no single values.")                                                \
    X(ERROR_INVALID_PASSWORD_FIELD_PASSWORD, CODED, 401, "The password is not correct.")           \
    X(UNKNOWN_SELECT_OPTION, JSON_TEXT, 400,                                                       \
      "The provided select option value '%v' is not a valid select option.")                       \
    X(ERROR_PAGE_SIZE_LIMIT, CODED, 400, "The page size is limited to %v.")                        \
    /* rows (9.7) */                                                                               \
    X(ERROR_ROW_DOES_NOT_EXIST, CODED, 404, "The rows [%v] do not exist.")                         \
    X(ERROR_ROW_IDS_NOT_UNIQUE, CODED, 400, "The provided row ids are not unique.")                \
    X(ERROR_VIEW_DOES_NOT_EXIST, CODED, 404, "The requested view does not exist.")                 \
    X(ERROR_ORDER_BY_FIELD_NOT_FOUND, CODED, 400, "The field %v was not found in the table.")      \
    X(ERROR_ORDER_BY_FIELD_NOT_POSSIBLE, CODED, 400,                                               \
      "It is not possible to order by %v because its type has no such order.")                     \
    X(ERROR_FILTER_FIELD_NOT_FOUND, CODED, 400, "The field %v was not found in the table.")        \
    X(ERROR_VIEW_FILTER_TYPE_DOES_NOT_EXIST, CODED, 400, "The filter type %v doesn't exist.")      \
    X(ERROR_VIEW_FILTER_TYPE_UNSUPPORTED_FIELD, CODED, 400,                                        \
      "The filter type %v is not compatible with the type of the field.")                          \
    X(ERROR_FILTERS_PARAM_VALIDATION_ERROR, JSON, 400, "")                                         \
    X(ERROR_INVALID_JOIN_PARAMETER, CODED, 400, "%v cannot be joined.")                            \
    X(ERROR_CANNOT_INCLUDE_ROW_METADATA, CODED, 400,                                               \
      "The metadata of rows cannot be included for a database token.")                             \
    /* the trash (9.13) */                                                                         \
    X(ERROR_TRASH_ITEM_DOES_NOT_EXIST, CODED, 404, "The item is not in the trash.")                \
    X(ERROR_CANNOT_RESTORE_PARENT_BEFORE_CHILD, CODED, 400,                                        \
      "What it belongs to is in the trash: restore that first.")                                   \
    X(ERROR_PARENT_ID_MUST_BE_PROVIDED, CODED, 400,                                                \
      "Of a row the parent_trash_item_id must be given.")                                          \
    X(ERROR_PARENT_ID_MUST_NOT_BE_PROVIDED, CODED, 400,                                            \
      "The parent_trash_item_id is given of rows only.")                                           \
    X(ERROR_CANT_RESTORE_AS_RELATED_TABLE_TRASHED, CODED, 400,                                     \
      "The table that it links to is in the trash: restore that first.")                           \
    /* database tokens (9.14) */                                                                   \
    X(ERROR_TOKEN_DOES_NOT_EXIST, CODED, 404, "The requested token does not exist.")               \
    X(ERROR_DATABASE_DOES_NOT_BELONG_TO_GROUP, CODED, 400,                                         \
      "The database id %v does not belong to the workspace.")                                      \
    X(ERROR_TABLE_DOES_NOT_BELONG_TO_GROUP, CODED, 400,                                            \
      "The table id %v does not belong to the workspace.")                                         \
    X(ERROR_INVALID_TOKEN_HEADER, CODED, 401, "The provided token header is invalid.")             \
    X(UNKNOWN_TOKEN, CODED, 401, "The provided token does not exist.")                             \
    X(ERROR_USER_NOT_ACTIVE, CODED, 401, "The user of the token is not active.")                   \
    X(ERROR_TOKEN_GROUP_MISMATCH, CODED, 401,                                                      \
      "The user of the token is no member of its workspace.")                                      \
    X(ERROR_NO_PERMISSION_TO_TABLE, CODED, 401, "The token does not have permissions to the table.")

enum error_code {
#define X(name, form, status, text) name,
    BASEROW_ERRORS(X)
#undef X
        ERROR_CODE_COUNT
};
/* REFUSED with this code. The value (NULL: none) is what its text has a place for, or the JSON of
 * its form. */
int refuse_code(struct tx *tx, enum error_code code, const char *value);
int error_status(const struct problem *p);
void error_write(struct buf *b, const struct problem *p);
/* The same as a sentence for people, in the arena, never empty; and the code's name. */
struct str error_text(struct arena *a, const struct problem *p, const char **code_out);

/* ---- reply.c ---- */

/* A handler's `fail`. */
void reply_problem(struct request *r);
/* Answers 200 with JSON; takes over the buffer's bytes. REFUSED when the body is past its limit. */
int reply_json(struct request *r, struct tx *tx, struct buf *b);
int reply_empty(struct request *r); /* 204 */
extern const struct str REPLY_JSON;
/* With another status, another type, more headers. */
int reply_with(struct request *r, struct tx *tx, int status, struct str content_type,
               const struct http_header *headers, size_t count, struct buf *body);
void reply_begin(struct buf *b); /* an empty buffer with the limit of an answer */

/* Shorthand for the rows of the tables. */
#define HANDLER(lane_of, function, preparation)                                                    \
    {                                                                                              \
        .name = #function, .lane = (lane_of), .prepare = (preparation), .run = (function),         \
        .fail = reply_problem                                                                      \
    }
#define ON_LOOP(function) HANDLER(LANE_LOOP, function, NULL) /* public routes only */
#define ON_READER(function) HANDLER(LANE_READ, function, NULL)
#define ON_READER_AFTER(function, preparation) HANDLER(LANE_READ, function, preparation)
#define ON_WRITER(function) HANDLER(LANE_WRITE, function, NULL)
#define ON_WRITER_AFTER(function, preparation) HANDLER(LANE_WRITE, function, preparation)
#define ON_SCHEMA(function) HANDLER(LANE_SCHEMA, function, NULL)

static inline struct rest *rest_of(const struct request *r)
{
    return r->command;
}

#endif
