/* Answers: a body, or nothing, with CORS and gzip → one frame ready to send. Runs on the worker. */
#include "dialect/baserow/rest.h"

enum { HEADERS_MAX = 8, GZIP_MIN = 1024 };
const struct str REPLY_JSON = STR_INIT("application/json");

static void finish(struct request *r, int status, struct str type,
                   const struct http_header *headers, size_t count, struct str body)
{
    struct http_header all[HEADERS_MAX + 3];
    size_t all_count = 0;
    struct buf packed;
    buf_init(&packed, SIZE_MAX);
    while (all_count < count && all_count < HEADERS_MAX) {
        all[all_count] = headers[all_count];
        all_count++;
    }
    /* Any page may ask (8.1): no cookie speaks for a user here. */
    all[all_count++] = (struct http_header){STR("Access-Control-Allow-Origin"), STR("*")};
    all[all_count++] = (struct http_header){STR("Vary"), STR("Accept-Encoding")};
    if (body.len >= GZIP_MIN && http_header_lists(r->http, "Accept-Encoding", STR("gzip")) &&
        http_gzip(body, &packed)) {
        all[all_count++] = (struct http_header){STR("Content-Encoding"), STR("gzip")};
        body = buf_str(&packed);
    }
    r->reply =
        http_response_frame(&(struct http_response){.status = status,
                                                    .content_type = body.at ? type : STR_NULL,
                                                    .headers = all,
                                                    .header_count = all_count,
                                                    .body = body,
                                                    .omit_body = rest_of(r)->head,
                                                    .close = !r->keep_alive});
    buf_deinit(&packed);
}

int reply_with(struct request *r, struct tx *tx, int status, struct str content_type,
               const struct http_header *headers, size_t count, struct buf *body)
{
    int rc = 0;
    if (body->failed)
        rc = refuse_size(tx, body->max);
    else
        finish(r, status, content_type, headers, count, buf_str(body));
    buf_deinit(body);
    return rc;
}

void reply_begin(struct buf *b)
{
    buf_init(b, baserow_settings()->response_bytes_max);
}

int reply_json(struct request *r, struct tx *tx, struct buf *b)
{
    return reply_with(r, tx, 200, REPLY_JSON, NULL, 0, b);
}

int reply_empty(struct request *r)
{
    finish(r, 204, STR_NULL, NULL, 0, STR_NULL);
    return 0;
}

void reply_problem(struct request *r)
{
    static const struct http_header later = {STR_INIT("Retry-After"), STR_INIT("1")};
    int status = error_status(&r->problem);
    bool passes = status == 429 || (status == 503 && !r->problem.lasting);
    struct buf b;
    buf_init(&b, SIZE_MAX);
    error_write(&b, &r->problem);
    finish(r, status, REPLY_JSON, &later, passes, buf_str(&b));
    buf_deinit(&b);
}
