#include "wire/http.h"

/* Two of http-parser's names are ours as well; in this file its own carry another one. */
#define http_method http_parser_method
#define HTTP_REQUEST HTTP_PARSER_REQUEST
#include <http_parser.h>
#undef http_method
#undef HTTP_REQUEST

#include <assert.h>
#include <pthread.h>

#include "base/mem.h"
#include "base/text.h"

/*
 * http-parser tells the parts of a request piecewise, pointing into the input. The head is gathered
 * as one text, target, names and values each ended by NUL, and becomes a request in an arena of its
 * own when the head is complete: until then a connection owes nothing but that text.
 *
 * Distributions build http-parser in its lenient mode: it takes blanks in header names, any byte
 * after a CR and any two bytes after a chunk's data. Proxies that read such bytes in another way
 * make request smuggling, so this file checks what the library lets pass: names, values and target
 * when the head is complete (check_head), line ends as they come (check_framing).
 */

enum part { PART_TARGET, PART_NAME, PART_VALUE };

struct http_decoder {
    const struct http_limits *limits;
    http_parser parser;
    int status; /* not 0: refused, and with which status */
    bool begun, head_done, complete, continue_due;

    struct buf head;
    enum part part; /* of the head, the one that is being read */
    size_t head_bytes, target_bytes, header_count;

    struct http_request *request; /* from the end of the head on */
    struct buf *body;             /* in the request's arena */
    uint64_t chunk_left;

    const char *framing_from; /* of the current input: what is before it is checked, or is body */
    size_t framing_run;       /* bytes since the head or the latest piece of body */
    bool after_cr, cr_due;    /* the byte before was a CR; the next one must be */
};

static int refuse(struct http_decoder *d, int status)
{
    if (d->status == 0)
        d->status = status;
    return -1;
}

/* Every CR is followed by LF, every LF led by CR, and a chunk's data ends with such a pair. */
static void check_framing(struct http_decoder *d, const char *to)
{
    for (const char *at = d->framing_from; at < to; at++) {
        if (d->cr_due ? *at != '\r' : d->after_cr != (*at == '\n'))
            refuse(d, 400);
        d->cr_due = false;
        d->after_cr = *at == '\r';
    }
    d->framing_run += (size_t)(to - d->framing_from);
    d->framing_from = to;
    if (d->head_done && d->framing_run > d->limits->head_bytes_max)
        refuse(d, 431); /* endless chunk extensions or trailers */
}

/* The head: gathering ------------------------------------------------------------------------- */

static int gather(struct http_decoder *d, const char *at, size_t size)
{
    if (memchr(at, '\0', size))
        return refuse(d, 400);
    buf_put(&d->head, at, size);
    return 0;
}

static int on_begin(http_parser *parser)
{
    struct http_decoder *d = parser->data;
    d->begun = true;
    return 0;
}

static int on_target(http_parser *parser, const char *at, size_t size)
{
    struct http_decoder *d = parser->data;
    d->target_bytes += size;
    if (d->target_bytes > d->limits->target_bytes_max)
        return refuse(d, 414);
    return gather(d, at, size);
}

static int on_name(http_parser *parser, const char *at, size_t size)
{
    struct http_decoder *d = parser->data;
    if (d->head_done)
        return 0; /* a trailer: RFC 9110 section 6.5.1 lets us drop it */
    if (d->part != PART_NAME) {
        if (++d->header_count > d->limits->header_count_max)
            return refuse(d, 431);
        buf_put_char(&d->head, '\0');
        d->part = PART_NAME;
    }
    return gather(d, at, size);
}

static int on_value(http_parser *parser, const char *at, size_t size)
{
    struct http_decoder *d = parser->data;
    if (d->head_done)
        return 0;
    if (d->part != PART_VALUE) {
        buf_put_char(&d->head, '\0');
        d->part = PART_VALUE;
    }
    return gather(d, at, size);
}

/* The head: complete -------------------------------------------------------------------------- */

static enum http_method method_of(unsigned number)
{
    switch (number) {
    case HTTP_GET:
        return HTTP_GET_;
    case HTTP_HEAD:
        return HTTP_HEAD_;
    case HTTP_POST:
        return HTTP_POST_;
    case HTTP_PUT:
        return HTTP_PUT_;
    case HTTP_PATCH:
        return HTTP_PATCH_;
    case HTTP_DELETE:
        return HTTP_DELETE_;
    case HTTP_OPTIONS:
        return HTTP_OPTIONS_;
    case HTTP_SEARCH:
        return HTTP_SEARCH_;
    default:
        return HTTP_OTHER_;
    }
}

/* Path and query of any form of target (RFC 9112 section 3.2). */
static void split_target(struct http_request *r)
{
    struct str rest = r->target;
    const char *scheme_end = memmem(rest.at, rest.len, "://", 3);
    if (rest.len > 0 && rest.at[0] != '/' && scheme_end) {
        rest = str_skip(rest, (size_t)(scheme_end - rest.at) + 3);
        size_t authority = 0;
        while (authority < rest.len && rest.at[authority] != '/' && rest.at[authority] != '?')
            authority++;
        rest = str_skip(rest, authority);
    }
    struct str raw = rest;
    const char *mark = memchr(rest.at, '?', rest.len);
    if (mark) {
        raw.len = (size_t)(mark - rest.at);
        r->query = str_skip(rest, raw.len + 1);
    }
    if (raw.len == 0)
        raw = STR("/");
    struct str decoded;
    bool readable =
        http_percent_decode(r->arena, raw, HTTP_DECODE_PATH, &decoded) && text_is_plain(decoded);
    r->path = readable ? decoded : raw;
}

static void release_body(void *body)
{
    buf_deinit(body);
}

/* Moves what was gathered into an arena and gives it its form. */
static struct http_request *assemble(struct http_decoder *d)
{
    struct arena *arena = arena_new();
    struct http_request *r = ARENA_NEW(arena, struct http_request);
    struct http_header *headers = ARENA_ARRAY(arena, struct http_header, d->header_count);
    struct str rest = arena_str(arena, buf_str(&d->head));
    buf_deinit(&d->head);
    buf_init(&d->head, SIZE_MAX);

    r->arena = arena;
    r->method = method_of(d->parser.method);
    r->method_name = str_of(http_method_str((enum http_parser_method)d->parser.method));
    r->http_1_0 = d->parser.http_minor == 0;
    r->headers = headers;
    r->header_count = d->header_count;
    str_next(&rest, '\0', &r->target);
    for (size_t i = 0; i < d->header_count; i++) {
        struct str value = STR_NULL;
        str_next(&rest, '\0', &headers[i].name);
        str_next(&rest, '\0', &value);
        headers[i].value = str_trim(value);
    }
    return r;
}

static bool is_token_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_token(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (!is_token_char(s.at[i]))
            return false;
    }
    return s.len > 0;
}

static bool is_field_value(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.at[i];
        if ((c < ' ' && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

static bool is_target(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.at[i] <= ' ' || s.at[i] >= 0x7f || s.at[i] == '#')
            return false;
    }
    return s.len > 0;
}

static size_t count_headers(const struct http_request *r, struct str name)
{
    size_t count = 0;
    for (size_t i = 0; i < r->header_count; i++)
        count += str_equal_nocase(r->headers[i].name, name);
    return count;
}

/* The status to refuse the head with, or 0. */
static int check_head(const struct http_decoder *d, const struct http_request *r)
{
    if (d->parser.http_major != 1)
        return 505;
    if (!is_target(r->target))
        return 400;
    for (size_t i = 0; i < r->header_count; i++) {
        if (!is_token(r->headers[i].name) || !is_field_value(r->headers[i].value))
            return 400;
    }
    size_t hosts = count_headers(r, STR("host"));
    if (hosts > 1 || (hosts == 0 && !r->http_1_0)) /* RFC 9112 section 3.2 */
        return 400;

    size_t codings = count_headers(r, STR("transfer-encoding"));
    if (codings > 0 && r->http_1_0) /* RFC 9112 section 6.1 */
        return 400;
    if (codings > 1 || (codings == 1 &&
                        !str_equal_nocase(http_header_get(r, "transfer-encoding"), STR("chunked"))))
        return 501;
    if (count_headers(r, STR("content-length")) > 0 &&
        d->parser.content_length > d->limits->body_bytes_max)
        return 413;
    return 0;
}

static int on_head_complete(http_parser *parser)
{
    struct http_decoder *d = parser->data;
    struct http_request *r = assemble(d);
    d->request = r;
    d->head_done = true;
    int status = check_head(d, r);
    if (status)
        return refuse(d, status);

    split_target(r);
    bool close = http_header_lists(r, "connection", STR("close"));
    bool keep_alive = http_header_lists(r, "connection", STR("keep-alive"));
    r->keep_alive = !close && (keep_alive || !r->http_1_0) && parser->method != HTTP_CONNECT;
    r->upgrade = !r->http_1_0 && http_header_get(r, "upgrade").at &&
                 http_header_lists(r, "connection", STR("upgrade"));
    d->continue_due = !r->http_1_0 && http_header_lists(r, "expect", STR("100-continue"));

    d->body = ARENA_NEW(r->arena, struct buf);
    buf_init(d->body, d->limits->body_bytes_max);
    arena_on_free(r->arena, release_body, d->body);
    http_parser_pause(parser, 1); /* so that parse() sees where the head ends */
    return 0;
}

/* The body ------------------------------------------------------------------------------------ */

static int on_chunk(http_parser *parser)
{
    struct http_decoder *d = parser->data;
    d->chunk_left = parser->content_length;
    return 0;
}

static int on_body(http_parser *parser, const char *at, size_t size)
{
    struct http_decoder *d = parser->data;
    d->continue_due = false; /* the client did not wait for it: RFC 9110 section 10.1.1 */
    check_framing(d, at);
    d->framing_from = at + size;
    d->framing_run = 0;
    if (d->chunk_left > 0) {
        d->chunk_left -= size;
        d->cr_due = d->chunk_left == 0;
    }
    buf_put(d->body, at, size);
    return d->body->failed ? refuse(d, 413) : 0;
}

static int on_complete(http_parser *parser)
{
    struct http_decoder *d = parser->data;
    d->request->body = buf_str(d->body);
    d->complete = true;
    http_parser_pause(parser, 1); /* what follows is the next request's, or another protocol's */
    return 0;
}

static const http_parser_settings callbacks = {
    .on_message_begin = on_begin,
    .on_url = on_target,
    .on_header_field = on_name,
    .on_header_value = on_value,
    .on_headers_complete = on_head_complete,
    .on_chunk_header = on_chunk,
    .on_body = on_body,
    .on_message_complete = on_complete,
};

/* The decoder --------------------------------------------------------------------------------- */

/* Ready for a request's first byte. What was half-read or refused must be dropped before. */
static void reset(struct http_decoder *d)
{
    *d = (struct http_decoder){.limits = d->limits, .parser.data = d};
    http_parser_init(&d->parser, HTTP_PARSER_REQUEST);
    buf_init(&d->head, SIZE_MAX); /* what bounds it is head_bytes_max, in next_slice() */
}

static void drop(struct http_decoder *d)
{
    buf_deinit(&d->head);
    http_request_free(d->request);
    d->request = NULL;
}

/* The library's own limit is one for the whole process; ours takes its place. */
static void lift_library_limit(void)
{
    http_parser_set_max_header_size(UINT32_MAX);
}

struct http_decoder *http_decoder_new(const struct http_limits *limits)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, lift_library_limit);
    struct http_decoder *d = MEM_NEW(struct http_decoder);
    d->limits = limits;
    reset(d);
    return d;
}

void http_decoder_free(struct http_decoder *d)
{
    if (!d)
        return;
    drop(d);
    mem_free(d);
}

/* The input, or as much of it as the head may still take. */
static struct str next_slice(const struct http_decoder *d, struct str input)
{
    size_t left = d->limits->head_bytes_max - d->head_bytes;
    if (!d->head_done && input.len > left)
        input.len = left;
    return input;
}

/* A method that we do not know is one thing, bytes that are no HTTP at all another. */
static int status_of(const struct http_decoder *d, enum http_errno error, char offending)
{
    bool method_read = is_token_char(offending) || (d->begun && offending == ' ');
    return error == HPE_INVALID_METHOD && method_read ? 501 : 400;
}

/* Reads on; returns how much was consumed. May end in d->status or d->complete. */
static size_t parse(struct http_decoder *d, struct str slice)
{
    d->framing_from = slice.at;
    size_t consumed = http_parser_execute(&d->parser, &callbacks, slice.at, slice.len);
    enum http_errno error = HTTP_PARSER_ERRNO(&d->parser);
    if (error != HPE_OK && error != HPE_PAUSED)
        refuse(d, status_of(d, error, consumed < slice.len ? slice.at[consumed] : '\0'));
    else
        check_framing(d, slice.at + consumed);
    if (!d->head_done)
        d->head_bytes += consumed;
    if (error == HPE_PAUSED && !d->complete) { /* right before the head's last byte */
        http_parser_pause(&d->parser, 0);
        d->framing_run = 0;
    }
    return consumed;
}

enum http_decoded http_decoder_feed(struct http_decoder *d, struct str input, size_t *consumed_out)
{
    *consumed_out = 0;
    while (d->status == 0 && !d->complete && *consumed_out < input.len) {
        struct str slice = next_slice(d, str_skip(input, *consumed_out));
        if (slice.len == 0)
            refuse(d, 431);
        else
            *consumed_out += parse(d, slice);
    }
    if (d->status) {
        drop(d);
        return HTTP_BAD;
    }
    if (d->complete)
        return HTTP_REQUEST;
    bool wants_continue = d->continue_due;
    d->continue_due = false;
    return wants_continue ? HTTP_CONTINUE : HTTP_MORE;
}

struct http_request *http_decoder_take(struct http_decoder *d)
{
    assert(d->complete && d->status == 0);
    struct http_request *taken = d->request;
    reset(d);
    return taken;
}

int http_decoder_status(const struct http_decoder *d)
{
    assert(d->status != 0);
    return d->status;
}

bool http_decoder_idle(const struct http_decoder *d)
{
    return !d->begun && d->status == 0;
}
