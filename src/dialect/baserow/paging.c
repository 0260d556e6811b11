#include "dialect/baserow/paging.h"

#include <inttypes.h>

static bool read_number(const json_t *query, const char *name, int64_t *number_out)
{
    struct str text = str_trim(json_get_str(query, name));

    return text.len > 0 && str_to_int64(text, number_out) == 0;
}

static int refuse_page_size(struct tx *tx, int64_t most)
{
    return refuse_code(tx, ERROR_PAGE_SIZE_LIMIT, arena_printf(tx->arena, "%" PRId64, most).at);
}

int paging_read(struct tx *tx, const json_t *query, int64_t size, int64_t most,
                struct paging *paging_out)
{
    struct paging p = {.page = 1, .size = size};

    if (read_number(query, "size", &p.size) && (p.size < 1 || p.size > most))
        return refuse_page_size(tx, most);
    if (!read_number(query, "page", &p.page) || p.page < 1 || p.page > INT64_MAX / most)
        p.page = 1;
    p.offset = (p.page - 1) * p.size;
    *paging_out = p;
    return 0;
}

int paging_read_limit(struct tx *tx, const json_t *query, int64_t size, int64_t most,
                      struct paging *paging_out)
{
    struct paging p = {.by_limit = true, .size = size};

    if (read_number(query, "limit", &p.size) && (p.size < 1 || p.size > most))
        return refuse_page_size(tx, most);
    if (!read_number(query, "offset", &p.offset) || p.offset < 0 || p.offset > INT64_MAX - most)
        p.offset = 0;
    *paging_out = p;
    return 0;
}

/* ---- addresses ---- */

/* The request's query, raw, without the parameter that is told anew; then that. */
static void put_query(struct buf *b, struct str query, const char *name, int64_t number)
{
    struct str pair;
    char mark = '?';

    while (str_next(&query, '&', &pair)) {
        struct str rest = pair, key;
        str_next(&rest, '=', &key);
        if (pair.len == 0 || str_equal(key, str_of(name)))
            continue;
        buf_put_char(b, mark);
        buf_put_str(b, pair);
        mark = '&';
    }
    buf_printf(b, "%c%s=%" PRId64, mark, name, number);
}

static void put_address(struct buf *b, const struct request *r, const char *name, int64_t number)
{
    struct str host = http_header_get(r->http, "Host");
    struct str scheme = http_header_get(r->http, "X-Forwarded-Proto");
    struct buf address;

    buf_init(&address, SIZE_MAX);
    buf_put_str(&address, str_equal(scheme, STR("https")) ? STR("https://") : STR("http://"));
    buf_put_str(&address, host.len > 0 ? host : STR("localhost"));
    buf_put_str(&address, r->http->path);
    put_query(&address, r->http->query, name, number);
    json_put_str(b, buf_str(&address));
    buf_deinit(&address);
}

static void put_neighbour(struct buf *b, const struct request *r, const struct paging *p,
                          const char *key, bool there, int direction)
{
    buf_printf(b, "\"%s\":", key);
    if (!there)
        buf_put_lit(b, "null");
    else if (p->by_limit)
        put_address(b, r, "offset",
                    p->offset + direction * p->size > 0 ? p->offset + direction * p->size : 0);
    else
        put_address(b, r, "page", p->page + direction);
    buf_put_char(b, ',');
}

void paging_begin(struct buf *b, const struct request *r, const struct paging *paging,
                  int64_t count)
{
    buf_printf(b, "{\"count\":%" PRId64 ",", count);
    put_neighbour(b, r, paging, "next", paging->offset + paging->size < count, 1);
    put_neighbour(b, r, paging, "previous", paging->offset > 0, -1);
    buf_put_lit(b, "\"results\":[");
}
