/*
 * HTTP → WebSocket (A.2): credentials are read from the upgrade request only, and the identity
 * then holds for the connection's life.
 */
#include "dialect/directus/directus.h"

#include "model/access/access.h"
#include "net/connection.h"
#include "wire/websocket.h"

static int run_upgrade(struct request *r, struct tx *tx)
{
    /* Without WEBSOCKET_PUBLIC only identities that have a role may connect. */
    if (!directus_settings()->websocket_public && !tx->principal->role.at)
        return refuse(tx, PROBLEM_INVALID_CREDENTIALS, NULL);
    r->reply = websocket_upgrade_response(r->http);
    return 0;
}

static void fail_upgrade(struct request *r)
{
    /* Whatever is wrong with a credential, the answer is 401; a full or broken server says so. */
    int status = error_http_status(&r->problem);
    r->reply = websocket_refusal(status >= 500 || status == 400 ? status : 401);
    r->keep_alive = false;
}

static void done_upgrade(struct request *r)
{
    if (r->result == 0)
        session_upgraded(r->session, r->principal);
}

static const struct handler upgrade_handler = {
    .name = "websocket upgrade",
    .lane = LANE_READ,
    .run = run_upgrade,
    .fail = fail_upgrade,
    .done = done_upgrade,
};

static int run_refusal(struct request *r, struct tx *tx)
{
    (void)tx;
    r->reply = websocket_refusal(*(const int *)r->command);
    r->keep_alive = false;
    return 0;
}

static const struct handler refusal_handler = {
    .name = "websocket refusal",
    .lane = LANE_LOOP,
    .run = run_refusal,
    .fail = fail_upgrade,
};

static struct str url_token(struct arena *a, const struct http_request *http, const char *name)
{
    json_t *query = NULL;
    struct str reason;
    if (!http->query.at || url_query_parse(a, http->query, &query, &reason) != 0)
        return STR_NULL;
    return json_get_str(query, name);
}

/* The one credential of the request, absent when there is none. False: more than one was given. */
static bool find_token(struct arena *a, const struct http_request *http, struct str *token_out)
{
    struct str header = http_header_get(http, "Authorization");
    struct str bearer = STR("Bearer ");
    struct str found[3] = {
        url_token(a, http, "api_token"),
        url_token(a, http, "access_token"),
        STR_NULL,
    };
    if (header.len > bearer.len && str_equal_nocase((struct str){header.at, bearer.len}, bearer))
        found[2] = str_trim(str_skip(header, bearer.len));
    unsigned count = 0;
    *token_out = STR_NULL;
    for (size_t i = 0; i < COUNT_OF(found); i++) {
        if (found[i].len == 0)
            continue;
        *token_out = found[i];
        count++;
    }
    return count <= 1;
}

void upgrade_submit(struct session *s, struct http_request *http)
{
    enum websocket_upgrade asked = websocket_check_upgrade(http);
    int status = 0;
    struct str token = STR_NULL;
    if (!str_equal(http->path, directus_settings()->websocket_path))
        status = 400;
    else if (asked == WEBSOCKET_UPGRADE_VERSION)
        status = 426;
    else if (asked != WEBSOCKET_UPGRADE_OK)
        status = 400;
    else if (!find_token(http->arena, http, &token))
        status = 401;

    struct request *r = session_request(s, status ? &refusal_handler : &upgrade_handler);
    r->http = http;
    if (status) {
        int *command = ARENA_NEW(r->arena, int);
        *command = status;
        r->command = command;
    }
    r->token = token;
    r->keep_alive = status == 0;
    session_submit(s, r);
}
