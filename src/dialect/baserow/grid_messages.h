#ifndef DIALECT_BASEROW_GRID_MESSAGES_H
#define DIALECT_BASEROW_GRID_MESSAGES_H

/* What the tellers of the grid share: structure_messages.c and row_messages.c. */

#include "dialect/baserow/telling.h"
#include "model/grid/news.h"

struct page_name {
    char text[64];
};
/* "table/7", "table/7/row/14": the channels of the pages. */
struct str page_of_table(struct page_name *name, int64_t table);
struct str page_of_row(struct page_name *name, int64_t table, int64_t row);

/* table_updated: to the workspace's members. With `refresh` clients read fields and rows anew. */
void tell_table_updated(struct telling *t, const struct grid_table *table, bool refresh,
                        enum sender sender);

#endif
