/*
 * An HTTP request → a request for the worker (D.1): CORS, credentials, parameters, body, route.
 *
 * What is wrong with it is found here, on the loop; the answer still waits for its turn.
 */
#include "dialect/directus/rest.h"

#include "base/clock.h"
#include "model/items/payload.h"
#include "session/service.h"

/* ---- requests that no route answers ---- */

static int run_mistake(struct request *r, struct tx *tx)
{
    *tx->problem = rest_of(r)->mistake;
    return REFUSED;
}
static const struct handler mistake_handler = ON_LOOP(run_mistake);

static int run_preflight(struct request *r, struct tx *tx)
{
    static const struct http_header cors[] = {
        {STR_INIT("Access-Control-Allow-Methods"), STR_INIT("GET,POST,PATCH,DELETE,SEARCH")},
        {STR_INIT("Access-Control-Allow-Headers"), STR_INIT("Content-Type,Authorization")},
        {STR_INIT("Access-Control-Max-Age"), STR_INIT("18000")},
    };
    static const struct http_header plain[] = {
        {STR_INIT("Allow"), STR_INIT("GET, HEAD, POST, PATCH, DELETE, SEARCH, OPTIONS")},
    };
    bool asked = http_header_get(r->http, "Access-Control-Request-Method").at &&
                 directus_settings()->cors_enabled;
    struct buf none;
    buf_init(&none, 1);
    return asked ? rest_with(r, tx, 204, STR_NULL, cors, COUNT_OF(cors), &none)
                 : rest_with(r, tx, 204, STR_NULL, plain, COUNT_OF(plain), &none);
}
static const struct handler preflight_handler = ON_LOOP(run_preflight);

/* ---- decoding ---- */

static void mistake(struct rest *rest, enum problem_kind kind, struct str reason)
{
    if (rest->mistake.kind == PROBLEM_NONE)
        rest->mistake = (struct problem){.kind = kind, .reason = reason};
}

/* Parameters that hold JSON may come as JSON text (E.1). */
static void read_json_parameter(struct request *r, struct rest *rest, const char *name)
{
    json_t *value = json_get(rest->query, name), *parsed;
    struct str text = str_trim(json_str(value)), reason;
    if (!json_is_string(value) || text.len == 0 || (text.at[0] != '{' && text.at[0] != '['))
        return;
    if (json_read_in(r->arena, text, &parsed, &reason) != 0)
        mistake(rest, PROBLEM_INVALID_QUERY,
                arena_printf(r->arena, "\"%s\" is not JSON: %.*s", name, STR_ARG(reason)));
    else
        json_object_set(rest->query, name, parsed);
}

static void read_query(struct request *r, struct rest *rest)
{
    static const char *const json_parameters[] = {"filter", "deep", "aggregate", "alias"};
    struct str reason;
    if (!r->http->query.at)
        return;
    if (url_query_parse(r->arena, r->http->query, &rest->query, &reason) != 0) {
        mistake(rest, PROBLEM_INVALID_QUERY, reason);
        return;
    }
    for (size_t i = 0; i < COUNT_OF(json_parameters); i++)
        read_json_parameter(r, rest, json_parameters[i]);
}

/* A body without JSON content type is seen as empty (D.1). */
static void read_body(struct request *r, struct rest *rest)
{
    struct str type = http_header_get(r->http, "Content-Type"), reason;
    struct str media = {0};
    str_next(&type, ';', &media);
    media = str_trim(media);
    if (r->http->body.len == 0 ||
        !(str_equal_nocase(media, STR("application/json")) || str_ends_with(media, STR("+json"))))
        return;
    if (json_read_in(r->arena, r->http->body, &rest->body, &reason) != 0)
        mistake(rest, PROBLEM_INVALID_PAYLOAD, reason);
}

/* One credential at most: the query's or the header's (D.1). */
static void read_token(struct request *r, struct rest *rest)
{
    struct str header = http_header_get(r->http, "Authorization");
    struct str bearer = STR("Bearer ");
    struct str from_query = json_get_str(rest->query, "access_token");
    struct str from_header = STR_NULL;
    if (header.len > bearer.len && str_equal_nocase((struct str){header.at, bearer.len}, bearer))
        from_header = str_trim(str_skip(header, bearer.len));
    if (from_query.len && from_header.len)
        mistake(rest, PROBLEM_INVALID_PAYLOAD,
                STR("The request uses more than one way to pass its token"));
    r->token = from_header.len ? from_header : from_query.len ? from_query : STR_NULL;
}

/* Passwords in a payload are hashed on a reader, so that the writer never waits for them. */
static bool needs_preparing(const struct session *s, const struct rest *rest)
{
    if (!rest->route->handler.prepare)
        return false;
    if (!rest->collection.at)
        return true;
    const struct table *table =
        catalogue_table(service_catalogue(session_service(s)), rest->collection);
    const json_t *data = json_get(rest->body, "data");
    return table && (payload_needs_preparing(table, rest->body) ||
                     (data && payload_needs_preparing(table, data)));
}

static void find_route(struct session *s, struct request *r, struct rest *rest)
{
    struct str method = rest->head ? STR("GET") : r->http->method_name;
    rest->route = rest_route_find(method, r->http->path, rest);
    if (!rest->route) {
        rest->mistake = (struct problem){.kind = PROBLEM_ROUTE_NOT_FOUND, .value = r->http->path};
        r->handler = &mistake_handler;
        return;
    }
    r->anonymous = rest->route->flags & ROUTE_ANONYMOUS;
    if (rest->mistake.kind != PROBLEM_NONE)
        return;
    r->handler = &rest->route->handler;
    r->wants_prepare = needs_preparing(s, rest);
    if (rest->route->flags & ROUTE_STALLS)
        r->stall_until_ms =
            clock_monotonic_ms() + service_settings(session_service(s))->login_stall_ms;
}

static void submit(struct session *s, struct http_request *http)
{
    struct request *r = session_request(s, &mistake_handler);
    struct rest *rest = ARENA_NEW(r->arena, struct rest);
    r->http = http;
    r->command = rest;
    r->keep_alive = http->keep_alive && !http->upgrade;
    rest->head = http->method == HTTP_HEAD_;
    rest->gzip = http_header_lists(http, "Accept-Encoding", STR("gzip"));
    rest->origin = http_header_get(http, "Origin");
    rest->if_none_match = http_header_get(http, "If-None-Match");
    if (http->method == HTTP_OPTIONS_)
        r->handler = &preflight_handler;
    else {
        read_query(r, rest);
        read_body(r, rest);
        read_token(r, rest);
        find_route(s, r, rest);
    }
    session_submit(s, r);
}

static bool asks_for_websocket(const struct http_request *http)
{
    return http->upgrade && directus_settings()->websocket_enabled &&
           http_header_lists(http, "Upgrade", STR("websocket"));
}

static void http(struct session *s, struct http_request *http_request)
{
    if (asks_for_websocket(http_request))
        upgrade_submit(s, http_request);
    else
        submit(s, http_request);
}

/* What could not be parsed as HTTP. A body past MAX_PAYLOAD_SIZE is an invalid payload (D.1). */
static struct frame *bad_http(int status)
{
    struct problem problem = {.kind = PROBLEM_INVALID_PAYLOAD,
                              .reason = status == 413 ? STR("request entity too large")
                                                      : str_of(http_status_text(status))};
    struct buf b;
    buf_init(&b, SIZE_MAX);
    error_write_rest(&b, &problem);
    struct frame *frame =
        http_response_frame(&(struct http_response){.status = status == 413 ? 400 : status,
                                                    .content_type = REST_JSON,
                                                    .body = buf_str(&b),
                                                    .close = true});
    buf_deinit(&b);
    return frame;
}

const struct dialect directus_dialect = {
    .name = "directus",
    .http = http,
    .message = seed_message,
    .bad_http = bad_http,
};
