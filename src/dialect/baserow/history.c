/* The history of a row (5.8, 9.7). */
#include "model/grid/history.h"

#include "dialect/baserow/paging.h"

enum { PAGE_SIZE = 100, PAGE_SIZE_MAX = 200 };

static int history_read(struct request *r, struct tx *tx)
{
    const struct rest *rest = rest_of(r);
    struct history_entry *list;
    const struct grid_table *t;
    struct grid_rows rows;
    struct paging paging;
    int64_t total;
    size_t count;
    struct buf b;

    int rc = grid_find(tx, rest->ids[0], &t);
    if (rc == 0)
        rc = paging_read_limit(tx, rest->query, PAGE_SIZE, PAGE_SIZE_MAX, &paging);
    if (rc == 0)
        rc = grid_rows_get(tx, t, &rest->ids[1], 1, &rows);
    if (rc == 0)
        rc = history_list(tx, t, rest->ids[1], paging.size, paging.offset, &list, &count, &total);
    if (rc != 0)
        return rc;
    reply_begin(&b);
    paging_begin(&b, r, &paging, total);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_put_char(&b, ',');
        buf_put_str(&b, list[i].text);
    }
    paging_end(&b);
    return reply_json(r, tx, &b);
}

const struct route history_routes[] = {
    {"GET", "/api/database/rows/table/:id/:id/history/", ON_READER(history_read), 0, NULL, NULL},
    {NULL, NULL, {0}, 0, NULL, NULL},
};
