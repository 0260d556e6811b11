#include "wire/http.h"

#include <assert.h>
#include <limits.h>
#define ZLIB_CONST /* input is not written to */
#include <zlib.h>

#include "base/clock.h"

static const struct {
    int status;
    const char *text;
} status_texts[] = {
    {100, "Continue"},
    {101, "Switching Protocols"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {206, "Partial Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {423, "Locked"},
    {424, "Failed Dependency"},
    {426, "Upgrade Required"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
    {507, "Insufficient Storage"},
};

const char *http_status_text(int status)
{
    for (size_t i = 0; i < COUNT_OF(status_texts); i++) {
        if (status_texts[i].status == status)
            return status_texts[i].text;
    }
    return "Unknown";
}

/* "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 section 5.6.7), written once a second and thread.
 * Names by table, because strftime's follow the locale. */
static const char *date_text(void)
{
    static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    static _Thread_local time_t written_at = -1;
    static _Thread_local char text[64];
    time_t now = (time_t)(clock_now_ms() / 1000);
    struct tm tm;
    if (now != written_at && gmtime_r(&now, &tm)) {
        snprintf(text, sizeof(text), "%s, %02d %s %04d %02d:%02d:%02d GMT", days[tm.tm_wday],
                 tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min,
                 tm.tm_sec);
        written_at = now;
    }
    return text;
}

/* Names and values are ours: a line break in one would be our own mistake, and a hole. */
static void put_header(struct buf *b, struct str name, struct str value)
{
    assert(name.len > 0 && !memchr(name.at, '\r', name.len) && !memchr(name.at, '\n', name.len));
    assert(value.len == 0 ||
           (!memchr(value.at, '\r', value.len) && !memchr(value.at, '\n', value.len)));
    buf_put_str(b, name);
    buf_put_lit(b, ": ");
    buf_put_str(b, value);
    buf_put_lit(b, "\r\n");
}

static void put_head(struct buf *b, const struct http_response *response, bool bodiless)
{
    buf_printf(b, "HTTP/1.1 %d %s\r\nDate: %s\r\n", response->status,
               http_status_text(response->status), date_text());
    if (response->content_type.len > 0)
        put_header(b, STR("Content-Type"), response->content_type);
    if (!bodiless && !response->no_length)
        buf_printf(b, "Content-Length: %zu\r\n", response->body.len);
    for (size_t i = 0; i < response->header_count; i++)
        put_header(b, response->headers[i].name, response->headers[i].value);
    if (response->close)
        buf_put_lit(b, "Connection: close\r\n");
    buf_put_lit(b, "\r\n");
}

struct frame *http_response_frame(const struct http_response *response)
{
    int status = response->status;
    assert(status >= 100 && status <= 599);
    bool bodiless = status < 200 || status == 204 || status == 304;
    bool omit_body = bodiless || response->omit_body;
    struct buf head;
    buf_init(&head, SIZE_MAX);
    put_head(&head, response, bodiless);
    struct frame *frame = frame_from(buf_str(&head), omit_body ? STR_NULL : response->body);
    buf_deinit(&head);
    return frame;
}

/* Level 4: for JSON within a few percent of the default's size at half its time. */
enum { GZIP_LEVEL = 4, GZIP_WINDOW_BITS = 15 + 16, GZIP_MEMORY_LEVEL = 8 };

bool http_gzip(struct str body, struct buf *packed_out)
{
    if (body.len < 2 || body.len > UINT_MAX)
        return false;
    z_stream z = {0};
    if (deflateInit2(&z, GZIP_LEVEL, Z_DEFLATED, GZIP_WINDOW_BITS, GZIP_MEMORY_LEVEL,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        return false;
    /* One byte less than the body: where that is not enough, packing does not pay. */
    size_t room = body.len - 1;
    char *at = buf_reserve(packed_out, room);
    bool packed = false;
    if (at) {
        z.next_in = (const Bytef *)body.at;
        z.avail_in = (uInt)body.len;
        z.next_out = (Bytef *)at;
        z.avail_out = (uInt)room;
        packed = deflate(&z, Z_FINISH) == Z_STREAM_END;
    }
    if (packed)
        packed_out->len += room - z.avail_out;
    deflateEnd(&z);
    return packed;
}
