#ifndef MODEL_ITEMS_QUERY_H
#define MODEL_ITEMS_QUERY_H

/*
 * A client's query (directus.md E.1): JSON → what to select, for whom. Permissions are inside it.
 */

#include "model/access/access.h"
#include "model/commit.h"
#include "model/model.h"

enum query_meta { QUERY_TOTAL_COUNT = 1, QUERY_FILTER_COUNT = 2 };

struct query {
    const struct table *table;
    const struct grant *grant;    /* read */
    const struct output *outputs; /* in the order asked for */
    size_t output_count;
    const struct str *labels;  /* of each output: its name as the start of a JSON member, `"id":` */
    struct column_set fields;  /* the same as a set */
    const struct expr *filter; /* the client's filter and search alone */
    const struct expr *where;  /* grant and filter */
    const struct order *orders;
    size_t order_count;
    int64_t limit, offset;       /* limit below 0: all */
    bool limit_given;            /* the client set one */
    unsigned meta;               /* bits of enum query_meta */
    const struct item_key *only; /* restricted to this one; NULL: not to one */
};

/*
 * Reads a query (`fields, filter, search, sort, limit, offset, page, meta`; an object or NULL) for
 * the principal's read grant on the table. Keys of later milestones (aggregate, groupBy, deep,
 * alias, relational fields and functions) are refused with INVALID_QUERY "… is not supported yet".
 * 0, REFUSED (FORBIDDEN, INVALID_QUERY), or a fault.
 */
int query_parse(struct tx *tx, const struct table *table, const json_t *query,
                struct query *query_out);
/* Restricts to keys, which are borrowed; the limit becomes their number where the client set none.
 */
void query_restrict(struct tx *tx, struct query *q, const struct item_key *keys, size_t count);
void query_to_select(const struct query *q, int64_t now_ms, struct select *select_out);

/* The condition of a search term (directus.md E.5): false where no readable field can hold it. */
const struct expr *query_search(struct tx *tx, const struct table *table, const struct grant *grant,
                                struct str term);

/* Writes one row of outputs as a JSON object; secrets and concealed fields as SECRET_SET or null.
 */
void query_write_row(struct buf *b, const struct query *q, const struct value *row);

#endif
