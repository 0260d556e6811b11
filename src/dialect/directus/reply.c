/* Answers: envelopes, CORS, ETag, gzip → one frame ready to send. Runs on the worker. */
#include "dialect/directus/rest.h"

#include "base/text.h"

enum { HEADERS_MAX = 16, GZIP_MIN = 1024 };
const struct str REST_JSON = STR_INIT("application/json; charset=utf-8");

struct headers {
    struct http_header at[HEADERS_MAX];
    size_t count;
};

static void add(struct headers *h, struct str name, struct str value)
{
    if (h->count < HEADERS_MAX)
        h->at[h->count++] = (struct http_header){name, value};
}

/* The origin to allow; absent: none. CORS_ORIGIN is "true" (reflect), "*", or a comma list. */
static struct str allowed_origin(struct str origin)
{
    const struct directus_settings *s = directus_settings();
    if (!s->cors_enabled || !origin.at)
        return STR_NULL;
    if (str_equal(s->cors_origin, STR("true")))
        return origin;
    if (str_equal(s->cors_origin, STR("*")))
        return s->cors_origin;
    struct str rest = s->cors_origin, one;
    while (str_next(&rest, ',', &one))
        if (str_equal(str_trim(one), origin))
            return origin;
    return STR_NULL;
}

static void add_cors(struct headers *h, struct str origin)
{
    struct str allowed = allowed_origin(origin);
    if (!allowed.at)
        return;
    add(h, STR("Access-Control-Allow-Origin"), allowed);
    add(h, STR("Access-Control-Allow-Credentials"), STR("true"));
    add(h, STR("Access-Control-Expose-Headers"), STR("Content-Range"));
}

/* A weak tag of the bytes; two answers with the same tag hold the same. */
static struct str make_etag(struct arena *a, struct str body)
{
    char hex[SHA256_HEX_SIZE];
    text_sha256_hex(body, hex);
    return arena_printf(a, "W/\"%zx-%.22s\"", body.len, hex);
}

/* If-None-Match compares weakly (RFC 9110, 13.1.2): by what stands in the quotes. */
static bool names_tag(struct str list, struct str etag)
{
    return str_contains(list, str_skip(etag, STR("W/").len)) || str_equal(list, STR("*"));
}

static void finish(struct request *r, int status, struct str type, struct headers *h,
                   struct str body)
{
    const struct rest *rest = rest_of(r);
    bool cacheable = status == 200 && (rest->head || str_equal(r->http->method_name, STR("GET")));
    struct str etag = cacheable ? make_etag(r->arena, body) : STR_NULL;
    struct buf packed;
    buf_init(&packed, SIZE_MAX);
    if (etag.at) {
        add(h, STR("ETag"), etag);
        if (rest->if_none_match.at && names_tag(rest->if_none_match, etag)) {
            status = 304;
            body = STR_NULL;
        }
    }
    if (rest->gzip && body.len >= GZIP_MIN && http_gzip(body, &packed)) {
        add(h, STR("Content-Encoding"), STR("gzip"));
        body = buf_str(&packed);
    }
    add(h, STR("Cache-Control"), STR("no-cache"));
    add(h, STR("Vary"), STR("Origin, Cache-Control, Accept-Encoding"));
    add_cors(h, rest->origin);
    r->reply =
        http_response_frame(&(struct http_response){.status = status,
                                                    .content_type = body.at ? type : STR_NULL,
                                                    .headers = h->at,
                                                    .header_count = h->count,
                                                    .body = body,
                                                    .omit_body = rest->head,
                                                    .close = !r->keep_alive});
    buf_deinit(&packed);
}

int rest_with(struct request *r, struct tx *tx, int status, struct str content_type,
              const struct http_header *headers, size_t count, struct buf *body)
{
    struct headers h = {.count = 0};
    int rc = 0;
    for (size_t i = 0; i < count; i++)
        add(&h, headers[i].name, headers[i].value);
    if (body->failed)
        rc = refuse_size(tx, body->max);
    else
        finish(r, status, content_type, &h, buf_str(body));
    buf_deinit(body);
    return rc;
}

int rest_body(struct request *r, struct tx *tx, int status, struct str content_type,
              struct buf *body)
{
    return rest_with(r, tx, status, content_type, NULL, 0, body);
}

void rest_empty(struct request *r, int status)
{
    struct headers h = {.count = 0};
    finish(r, status, STR_NULL, &h, STR_NULL);
}

void rest_begin(struct buf *b)
{
    buf_init(b, directus_settings()->response_bytes_max);
    buf_put_lit(b, "{\"data\":");
}

int rest_end(struct request *r, struct tx *tx, struct buf *b)
{
    buf_put_char(b, '}');
    return rest_body(r, tx, 200, REST_JSON, b);
}

void rest_problem(struct request *r)
{
    struct headers h = {.count = 0};
    struct buf b;
    buf_init(&b, SIZE_MAX);
    error_write_rest(&b, &r->problem);
    bool passes = r->problem.kind == PROBLEM_REQUESTS_EXCEEDED ||
                  (r->problem.kind == PROBLEM_UNAVAILABLE && !r->problem.lasting);
    if (passes)
        add(&h, STR("Retry-After"), STR("1"));
    finish(r, error_http_status(&r->problem), REST_JSON, &h, buf_str(&b));
    buf_deinit(&b);
}
