#ifndef WIRE_HTTP_H
#define WIRE_HTTP_H

/*
 * HTTP/1.1 (RFC 9110, RFC 9112): bytes in, whole requests out. No I/O; input may be split anywhere.
 *
 * Parsing is http-parser's (llhttp where it is present); this module adds limits, assembly and the
 * writing of responses. One decoder serves one connection's requests one after the other
 * (pipelining): after a request is complete the decoder stops consuming until http_decoder_take().
 *
 * Stricter than the RFCs ask for, against request smuggling: lines end in CRLF, Content-Length and
 * Transfer-Encoding stand alone, blanks in header names and controls in values are refused.
 */

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/frame.h"
#include "base/str.h"

enum http_method {
    HTTP_GET_,
    HTTP_HEAD_,
    HTTP_POST_,
    HTTP_PUT_,
    HTTP_PATCH_,
    HTTP_DELETE_,
    HTTP_OPTIONS_,
    HTTP_SEARCH_,
    HTTP_OTHER_
};

struct http_header {
    struct str name; /* as sent */
    struct str value;
};

/* A whole request. Everything in it lives in its arena, which belongs to it. */
struct http_request {
    struct arena *arena;
    enum http_method method;
    struct str method_name;
    struct str target; /* as sent */
    struct str path;   /* percent-decoded; as sent when that is not valid UTF-8 or holds NUL; of an
                          absolute target the part behind the authority */
    struct str query;  /* raw, without '?'; absent when there is none */
    const struct http_header *headers;
    size_t header_count;
    struct str body;
    bool keep_alive; /* the connection may go on after the response */
    bool http_1_0;
    bool upgrade; /* asks for another protocol; bytes behind it are that protocol's */
};

/* A header's value, trimmed; names compare without case. Absent when it is not there. */
struct str http_header_get(const struct http_request *r, const char *name);
/* True when the comma-separated header lists the token (without case, parameters ignored; a token
 * with q=0 counts as not listed). */
bool http_header_lists(const struct http_request *r, const char *name, struct str token);
/* A cookie's value, as sent but without double quotes; absent when there is none. */
struct str http_cookie_get(const struct http_request *r, const char *name);
void http_request_free(struct http_request *r); /* with its arena; accepts NULL */

struct http_limits {
    size_t head_bytes_max;   /* request line and headers with their line ends; past it 431. Also
                                bounds the chunk extensions and trailers between two chunks */
    size_t target_bytes_max; /* past it 414 */
    size_t header_count_max; /* past it 431 */
    size_t body_bytes_max;   /* past it 413 */
};

struct http_decoder;
struct http_decoder *http_decoder_new(const struct http_limits *limits); /* limits: borrowed */
void http_decoder_free(struct http_decoder *d);

enum http_decoded {
    HTTP_MORE = 0,     /* everything consumed, no request complete yet */
    HTTP_REQUEST = 1,  /* a request is complete: take it; *consumed_out is right behind it */
    HTTP_CONTINUE = 2, /* as HTTP_MORE, and the client waits for "100 Continue" (told once) */
    HTTP_BAD = 3,      /* malformed or past a limit: answer http_decoder_status() and close */
};
/* An untaken request, and HTTP_BAD, are told again without reading on. */
enum http_decoded http_decoder_feed(struct http_decoder *d, struct str input, size_t *consumed_out);
struct http_request *
http_decoder_take(struct http_decoder *d); /* take: yours to free; decoder is ready for the next */
int http_decoder_status(
    const struct http_decoder *d); /* after HTTP_BAD: 400, 413, 414, 431, 501 or 505 */
bool http_decoder_idle(const struct http_decoder *d); /* between requests: nothing half-read */

/* Percent-decodes into the arena; '+' becomes a blank when in a query. False on a bad escape. */
enum http_decode_flags { HTTP_DECODE_PATH = 0, HTTP_DECODE_QUERY = 1 };
bool http_percent_decode(struct arena *a, struct str s, enum http_decode_flags flags,
                         struct str *decoded_out);

/* A response to write. Zero fields are left out. */
struct http_response {
    int status;
    struct str content_type;
    const struct http_header *headers; /* more of them; names and values without line breaks */
    size_t header_count;
    struct str body;
    bool omit_body; /* HEAD: the length is told, the body is not */
    bool close;     /* adds "Connection: close" */
    bool no_length; /* 1xx, 204 and 304 never carry one; set by the writer itself for those */
};
const char *http_status_text(int status);
/* Status line, Date, Content-Type, Content-Length, headers, body: one frame ready to send. */
struct frame *http_response_frame(const struct http_response *response);

/* Appends the gzip form (RFC 1952) of a body; false, nothing appended, when it is not smaller. */
bool http_gzip(struct str body, struct buf *packed_out);

#endif
