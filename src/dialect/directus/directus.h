#ifndef DIALECT_DIRECTUS_DIRECTUS_H
#define DIALECT_DIRECTUS_DIRECTUS_H

/*
 * The Directus dialect: REST (directus.md D) and the WebSocket messages of
 * directus-websocket-subscribe (A). Wire message → command, result and change → wire message.
 *
 *   http.c      an HTTP request: CORS, credentials, route → request
 *   routes.c    the table of routes
 *   url_query.c the bracket syntax of query strings → JSON
 *   reply.c     envelopes, gzip, ETag → response
 *   errors.c    problem → what each transport says of it
 *   items.c … auth.c  one file for each family of routes
 *   upgrade.c   HTTP → WebSocket
 *   seed.c      a WebSocket message → request → answer
 *   seed_events.c  an event → the frame that subscribers get
 */

#include <stdbool.h>

#include "base/buf.h"
#include "base/str.h"
#include "model/problem.h"
#include "session/session.h"

/* Constant after directus_configure, which is called once before any thread starts. */
struct directus_settings {
    bool websocket_enabled, websocket_public; /* WEBSOCKET_ENABLED, WEBSOCKET_PUBLIC */
    struct str websocket_path;                /* WEBSOCKET_PATH */
    bool cors_enabled;                        /* CORS_ENABLED */
    struct str cors_origin;                   /* CORS_ORIGIN: "true", "*" or a comma list */
    struct str page, grid_page;               /* what GET / and /grid show; absent: nothing */
    size_t response_bytes_max;                /* of one answer; past it INVALID_QUERY */
    int64_t query_limit_default, query_limit_max;
};
void directus_configure(const struct directus_settings *settings);
const struct directus_settings *directus_settings(void);

extern const struct dialect directus_dialect;

/* ---- errors.c ---- */
int error_http_status(const struct problem *p);  /* HTTP */
const char *error_code(const struct problem *p); /* D.2 */
/* `{"errors":[{"message":…,"extensions":{"code":…,…}}]}` */
void error_write_rest(struct buf *b, const struct problem *p);
/* `{"status":…,"code":…,"extensions":{…}}`; FAILED_VALIDATION: a list of them (A.9). */
void error_write_seed(struct buf *b, const struct problem *p);

/* ---- upgrade.c ---- */
/* Takes an HTTP request that asks for WebSocket and submits it. */
void upgrade_submit(struct session *s, struct http_request *http);

/* ---- seed.c ---- */
void seed_message(struct session *s, struct str text, bool binary);

/* ---- seed_events.c ---- */
extern const struct feed_ops seed_feed_ops;

/* ---- url_query.c ---- */
/* A raw query string → JSON object by the rules of E.1 (brackets, repeated keys, JSON texts stay
 * text). 0, or REFUSED with a reason in *reason_out. The arena owns the result. */
int url_query_parse(struct arena *a, struct str query, json_t **object_out, struct str *reason_out);

#endif
