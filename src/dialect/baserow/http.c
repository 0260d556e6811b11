/*
 * An HTTP request → a request for the worker (8.1, 8.2): method, body, parameters, route. Who asks
 * is found on the worker, and what was sent is validated there: the order of 8.5.
 */
#include "dialect/baserow/rest.h"

#include "base/clock.h"
#include "base/text.h"
#include "model/grid/tokens.h"
#include "model/identity/identity.h"
#include "session/service.h"

/* ---- requests that no route answers ---- */

static int run_mistake(struct request *r, struct tx *tx)
{
    *tx->problem = rest_of(r)->mistake;
    return REFUSED;
}
static const struct handler mistake_handler = ON_LOOP(run_mistake);

/* What a browser asks before it lets a page ask (8.1). */
static int run_preflight(struct request *r, struct tx *tx)
{
    static const struct http_header headers[] = {
        {STR_INIT("Access-Control-Allow-Methods"),
         STR_INIT("DELETE, GET, OPTIONS, PATCH, POST, PUT")},
        {STR_INIT("Access-Control-Allow-Headers"),
         STR_INIT("accept, authorization, content-type, user-agent, x-requested-with, websocketid, "
                  "baserow-view-authorization, clientsessionid, clientundoredoactiongroupid, "
                  "usersourceauthorization")},
        {STR_INIT("Access-Control-Max-Age"), STR_INIT("86400")},
    };
    struct buf none;
    buf_init(&none, 1);
    return reply_with(r, tx, 200, STR_NULL, headers, COUNT_OF(headers), &none);
}
static const struct handler preflight_handler = ON_LOOP(run_preflight);

/* ---- decoding, on the loop ---- */

/* The first mistake is the one that is told. */
static void mistake(struct request *r, enum error_code code, struct str value)
{
    struct rest *rest = rest_of(r);
    struct tx tx = {.arena = r->arena, .problem = &rest->mistake};
    if (rest->mistake.kind == PROBLEM_NONE)
        refuse_code(&tx, code, value.at ? arena_z(r->arena, value) : NULL);
}

static void read_query(struct request *r, struct rest *rest)
{
    struct str query = r->http->query, pair, name, value;
    rest->query = json_object();
    arena_on_free(r->arena, json_release, rest->query);
    while (str_next(&query, '&', &pair)) {
        str_next(&pair, '=', &name);
        if (http_percent_decode(r->arena, name, HTTP_DECODE_QUERY, &name) &&
            http_percent_decode(r->arena, pair, HTTP_DECODE_QUERY, &value) && name.len > 0 &&
            text_is_plain(name) && text_is_plain(value))
            json_object_set_new(rest->query, arena_z(r->arena, name),
                                json_stringn(value.at ? value.at : "", value.len));
    }
}

static void read_body(struct request *r, struct rest *rest)
{
    struct str type = http_header_get(r->http, "Content-Type"), media, reason;
    if (r->http->body.len == 0)
        return;
    media = type.at ? type : STR("application/json");
    struct str tail = media;
    str_next(&tail, ';', &media);
    if (!str_equal_nocase(str_trim(media), STR("application/json")))
        mistake(r, UNSUPPORTED_MEDIA_TYPE, type);
    else if (json_read_in(r->arena, r->http->body, &rest->body, &reason) != 0)
        mistake(r, PARSE_ERROR, reason);
}

static void find_route(struct session *s, struct request *r, struct rest *rest)
{
    struct str method = rest->head ? STR("GET") : r->http->method_name;
    switch (route_find(method, r->http->path, rest)) {
    case ROUTE_FOUND:
        break;
    case ROUTE_NONE:
        mistake(r, URL_NOT_FOUND, r->http->path);
        return;
    case ROUTE_SLASH_MISSING:
        mistake(r, URL_TRAILING_SLASH_MISSING, STR_NULL);
        return;
    case ROUTE_OTHER_METHOD:
        mistake(r, METHOD_NOT_ALLOWED, r->http->method_name);
        return;
    }
    r->handler = &rest->route->handler;
    r->wants_prepare =
        r->handler->prepare && (!(rest->route->flags & ROUTE_SECRETS) ||
                                row_body_has_secrets(service_catalogue(session_service(s)), rest));
    if (rest->route->flags & ROUTE_STALLS)
        r->stall_until_ms =
            clock_monotonic_ms() + service_settings(session_service(s))->login_stall_ms;
}

/* ---- before a handler, on the worker ---- */

/* A program acts for the token's owner; the header that excludes a socket is not looked at (2.7).
 */
static int authenticate_token(struct request *r, struct tx *tx, struct str key)
{
    static const struct {
        const char *word;
        enum error_code code;
    } refusals[] = {
        {DATABASE_TOKEN_NONE, UNKNOWN_TOKEN},
        {DATABASE_TOKEN_INACTIVE, ERROR_USER_NOT_ACTIVE},
        {DATABASE_TOKEN_NOT_MEMBER, ERROR_TOKEN_GROUP_MISMATCH},
    };
    struct rest *rest = rest_of(r);
    struct database_token *token = ARENA_NEW(tx->arena, struct database_token);

    if (key.len == 0 || str_contains(key, STR(" ")))
        return refuse_code(tx, ERROR_INVALID_TOKEN_HEADER, NULL);
    int rc = token_by_key(tx, key, token);
    for (size_t i = 0; rc == REFUSED && i < COUNT_OF(refusals); i++)
        if (str_equal(tx->problem->reason, str_of(refusals[i].word)))
            return refuse_code(tx, refusals[i].code, NULL);
    if (rc == 0)
        rc = account_by_id(tx, token->account, &rest->account);
    rest->token = token;
    r->caller.origin = 0;
    if (tx->commit)
        tx->commit->origin = 0;
    return rc;
}

static int authenticate(struct request *r, struct tx *tx)
{
    struct rest *rest = rest_of(r);
    struct str header = http_header_get(r->http, "Authorization"), scheme = STR("JWT ");
    if (str_starts_with(header, STR("Token")) && rest->route->flags & ROUTE_TOKEN)
        return authenticate_token(r, tx, str_trim(str_skip(header, STR("Token").len)));
    if (!str_starts_with(header, scheme))
        return refuse_code(tx, NOT_AUTHENTICATED, NULL);
    int rc =
        token_check(tx, TOKEN_ACCESS, str_trim(str_skip(header, scheme.len)), &rest->account, NULL);
    switch (rc) {
    case TOKEN_BAD:
        return refuse_code(tx, ERROR_INVALID_ACCESS_TOKEN, NULL);
    case TOKEN_NO_USER:
        return refuse_code(tx, USER_NOT_FOUND, NULL);
    case TOKEN_INACTIVE:
        return refuse_code(tx, ERROR_DEACTIVATED_USER, NULL);
    default:
        break;
    }
    if (rc == 0 && rest->route->flags & ROUTE_STAFF && !rest->account.staff)
        return refuse_code(tx, STAFF_ONLY, NULL);
    return rc;
}

/* `{"email":["This field is required."]}` */
static json_t *bare(struct arena *a, json_t *detail)
{
    json_t *plain = json_object();
    const char *name;
    json_t *list;
    arena_on_free(a, json_release, plain);
    json_object_foreach(detail, name, list)
    {
        json_t *texts = json_array();
        for (size_t i = 0; i < json_array_size(list); i++)
            json_array_append(texts, json_get(json_array_get(list, i), "error"));
        json_object_set_new(plain, name, texts);
    }
    return plain;
}

static int validate_request(struct request *r, struct tx *tx)
{
    struct rest *rest = rest_of(r);
    const struct route *route = rest->route;
    enum error_code code =
        route->flags & ROUTE_BARE ? BARE_VALIDATION : ERROR_REQUEST_BODY_VALIDATION;
    json_t *detail;

    /* What was found on the loop: it is wrong, but the credentials come first. */
    if (rest->mistake.kind != PROBLEM_NONE) {
        *tx->problem = rest->mistake;
        return REFUSED;
    }
    if (validate(tx->arena, route->query, rest->query, &rest->asked, &detail) > 0)
        return refuse_code(tx, ERROR_QUERY_PARAMETER_VALIDATION, json_text(tx->arena, detail).at);
    if (validate(tx->arena, route->body, route->body ? rest->body : NULL, &rest->data, &detail) ==
        0)
        return 0;
    detail = code == BARE_VALIDATION ? bare(tx->arena, detail) : detail;
    return refuse_code(tx, code, json_text(tx->arena, detail).at);
}

static int admit(struct request *r, struct tx *tx, struct principal **principal_out)
{
    const struct rest *rest = rest_of(r);
    bool open = rest->route->flags & ROUTE_PUBLIC;
    int rc = open ? 0 : authenticate(r, tx);
    if (rc == 0)
        rc = validate_request(r, tx);
    if (rc != 0)
        return rc;
    if (!open)
        return identity_of_user(tx, rest->account.user, r->caller.ip, principal_out);
    *principal_out = principal_public(tx->catalogue, r->caller.ip);
    return 0;
}

/* ---- */

void rest_submit(struct session *s, struct http_request *http)
{
    struct request *r = session_request(s, &mistake_handler);
    struct rest *rest = ARENA_NEW(r->arena, struct rest);
    r->http = http;
    r->command = rest;
    r->keep_alive = http->keep_alive && !http->upgrade;
    r->admit = admit;
    r->caller.origin = baserow_origin(http_header_get(http, "WebSocketId"));
    rest->head = http->method == HTTP_HEAD_;
    if (http->method == HTTP_OPTIONS_)
        r->handler = &preflight_handler;
    else {
        find_route(s, r, rest);
        read_query(r, rest);
        read_body(r, rest);
    }
    session_submit(s, r);
}
