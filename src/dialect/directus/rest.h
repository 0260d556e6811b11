#ifndef DIALECT_DIRECTUS_REST_H
#define DIALECT_DIRECTUS_REST_H

/*
 * What the families of REST routes share: the decoded request, and the ways to answer it.
 */

#include "dialect/directus/directus.h"

#include "model/items/items.h"
#include "model/items/query.h"

enum { PARAMETERS_MAX = 3 };

/* A REST request, decoded on the loop. In the request's arena. */
struct rest {
    const struct route *route;
    struct str parameters[PARAMETERS_MAX]; /* what stood for the pattern's `:names`, in order */
    struct str collection; /* items routes: the table's wire name; absent for others */
    bool items;            /* under /items: system collections are out of reach */
    json_t *query;         /* parameters of the URL; NULL: none */
    json_t *body;          /* NULL: none, or not JSON */
    struct str origin;     /* for CORS; absent: none */
    bool head, gzip;
    struct str if_none_match;
    struct problem mistake; /* found while decoding; kind NONE: none */
    void *finding;          /* what a handler's `prepare` leaves for its `run` */
};

enum route_flags {
    ROUTE_ANONYMOUS = 1, /* credentials are not even looked at */
    ROUTE_STALLS = 2,    /* the answer waits for LOGIN_STALL_TIME since the request came */
};
/* One row for each route; the patterns are paths with `:names`. */
struct route {
    const char *method, *pattern;
    struct handler handler;
    unsigned flags; /* of enum route_flags */
};
/* The route of a method and path, with its parameters; NULL: ROUTE_NOT_FOUND. Sets collection and
 * items. */
const struct route *rest_route_find(struct str method, struct str path, struct rest *rest);

/* The families' tables, each ended by a row without a method. */
extern const struct route items_routes[]; /* patterns below a collection: "", "/:pk" */
extern const struct route me_routes[], permission_routes[], auth_routes[], schema_routes[],
    server_routes[], utils_routes[];

/* ---- items.c ---- */
/* The table of an items route for an action; refuses what is out of reach. */
int items_route_table(struct tx *tx, const struct rest *rest, enum action action,
                      const struct table **table_out);
/* Appends `{…}` or `[…]` of these items as the caller may read them; REFUSED when it may not. */
enum items_shape { ITEMS_ONE, ITEMS_LIST };
int items_write_back(struct tx *tx, const struct rest *rest, const struct table *table,
                     const struct item_key *keys, size_t count, enum items_shape shape,
                     struct buf *b);
/* The answer to a write: the same in its envelope, or 204 when the caller may not read them. */
int items_answer_back(struct request *r, struct tx *tx, const struct table *table,
                      const struct item_key *keys, size_t count, enum items_shape shape);
/* `"meta":{…},` when the query asks for it. */
int items_write_meta(struct tx *tx, const struct query *q, struct buf *b);

/* ---- system_items.c ---- */
/* Rows of a query on a system table, with the aliases that `fields` (of the query as the client
 * sent it) asks for. Outcomes as items_write_list and items_write_one. */
int system_write_list(struct tx *tx, const struct query *q, const json_t *fields, struct buf *b);
int system_write_one(struct tx *tx, const struct query *q, const json_t *fields, struct buf *b);
/* The client's query without the names of aliases in its `fields`, for query_parse; lives as long
 * as the arena. */
const json_t *system_plain_query(struct tx *tx, const struct table *table, const json_t *query);

/* ---- reply.c ---- */
/* A handler's `fail`: the error envelope. */
void rest_problem(struct request *r);
/* Answers with a body; takes over the buffer's bytes. REFUSED when the body is past its limit. */
int rest_body(struct request *r, struct tx *tx, int status, struct str content_type,
              struct buf *body);
void rest_empty(struct request *r, int status);
/* `{"data":` … `}`: the usual answer. rest_end takes over the buffer's bytes. */
void rest_begin(struct buf *b);
int rest_end(struct request *r, struct tx *tx, struct buf *b);
extern const struct str REST_JSON;
/* With more headers (cookies, Location). */
int rest_with(struct request *r, struct tx *tx, int status, struct str content_type,
              const struct http_header *headers, size_t count, struct buf *body);

/* Shorthand for the rows of the tables. */
#define ON_LOOP(function)                                                                          \
    {                                                                                              \
        .name = #function, .lane = LANE_LOOP, .run = (function), .fail = rest_problem              \
    }
#define ON_READER(function)                                                                        \
    {                                                                                              \
        .name = #function, .lane = LANE_READ, .run = (function), .fail = rest_problem              \
    }
#define ON_READER_AFTER(function, preparation)                                                     \
    {                                                                                              \
        .name = #function, .lane = LANE_READ, .prepare = (preparation), .run = (function),         \
        .fail = rest_problem                                                                       \
    }
#define ON_WRITER(function, preparation)                                                           \
    {                                                                                              \
        .name = #function, .lane = LANE_WRITE, .prepare = (preparation), .run = (function),        \
        .fail = rest_problem                                                                       \
    }
#define ON_SCHEMA(function)                                                                        \
    {                                                                                              \
        .name = #function, .lane = LANE_SCHEMA, .run = (function), .fail = rest_problem            \
    }

static inline const struct rest *rest_of(const struct request *r)
{
    return r->command;
}

#endif
