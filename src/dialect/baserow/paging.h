#ifndef DIALECT_BASEROW_PAGING_H
#define DIALECT_BASEROW_PAGING_H

/* Answers that come page by page (7.5): `count`, `next`, `previous`, `results`. */

#include "dialect/baserow/rest.h"

/* Which part is asked for: by `page` and `size`, or by `limit` and `offset`. */
struct paging {
    bool by_limit;
    int64_t page, size; /* from 1; by limit: the page is not set */
    int64_t offset;     /* of the first */
};
/* `?page=2&size=100`: a page that is no number counts as the first; a size above `most`, or none at
 * all, is REFUSED with ERROR_PAGE_SIZE_LIMIT or ERROR_INVALID_PAGE. */
int paging_read(struct tx *tx, const json_t *query, int64_t size, int64_t most,
                struct paging *paging_out);
/* `?limit=50&offset=100`, at most `most`. */
int paging_read_limit(struct tx *tx, const json_t *query, int64_t size, int64_t most,
                      struct paging *paging_out);

/* `{"count":7,"next":null,"previous":null,"results":[`: addresses are absolute and repeat the other
 * parameters of the request's. `"]}"` ends it. */
void paging_begin(struct buf *b, const struct request *r, const struct paging *paging,
                  int64_t count);
#define paging_end(b) buf_put_lit((b), "]}")

#endif
