#ifndef MODEL_GRID_CELLS_H
#define MODEL_GRID_CELLS_H

/* What is asked of the cells of one field (baserow.md 9.6). */

#include "model/grid/grid.h"

struct cell_texts {
    const struct str *at;
    size_t count;
};
/*
 * The different values of a field's cells as texts, those of most cells first, then in the order of
 * the rows; what is empty is none. `split`: each part between commas is a value. In tx->arena.
 * Reads the column whole. REFUSED GRID_VALUES_UNSUPPORTED for kinds whose cells hold several, or
 * secrets.
 */
int cells_distinct(struct tx *tx, const struct grid_field *f, size_t limit, bool split,
                   struct cell_texts *texts_out);

/*
 * Is this the password in that row's cell? Anybody may ask, if the field allows it
 * (allow_endpoint_authentication): else REFUSED GRID_NO_FIELD; GRID_NO_ROW. Slow.
 */
int cell_check_password(struct tx *tx, int64_t field, int64_t row, struct str plain,
                        bool *right_out);

#endif
