#ifndef DIALECT_BASEROW_RELEVANCE_H
#define DIALECT_BASEROW_RELEVANCE_H

/*
 * Relevance: may a socket have been told anything between two events, when nobody remembers what
 * was told? The journal knows what changed, not what was said of it, nor to whom. So it proves that
 * nothing was missed (baserow-2026.md 7.5, row 7), or it proves nothing.
 */

#include "model/model.h"

/* What a socket hears of, beside its user's own messages. */
struct interest {
    const int64_t *tables; /* whose pages it looks at */
    size_t table_count;
    bool everything; /* it looks at a page that may be told of any table */
};

/*
 * Looks at the journal's entries behind the event `after`, up to the event `until`. *concerns_out
 * is false only when all of them are there and none can have caused a message to this socket. Reads
 * a bounded number of entries: with more, too, it is true. 0 or a fault.
 */
int relevance_search(struct tx *tx, const struct interest *interest, int64_t after, int64_t until,
                     bool *concerns_out);

#endif
