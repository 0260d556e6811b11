#ifndef MODEL_GRID_IMPORT_H
#define MODEL_GRID_IMPORT_H

/*
 * Rows that come in bulk into a table that is there (baserow.md 9.5). All of them in one
 * transaction; clients are told to read the table anew (NOTE_BULK), and history is not kept of it.
 *
 * A cell whose value does not fit is left empty, or as it was, and the others come in: what was
 * wrong is reported. A row that has more values than there are fields is refused, with all others.
 */

#include "model/grid/rows.h"

struct grid_import {
    /* Arrays of values, in the order of the fields that clients write. What a row does not have,
     * and null, is empty; "" is, where it is no text. */
    const json_t *rows;
    const int64_t *skipped; /* fields whose values are not looked at */
    size_t skipped_count;
    /* Rows that are there are changed, where the values of these fields are those of `keys`, an
     * array for each row: each once, and those with the lowest number first. A row of which the
     * first of these values is empty is always a new one. */
    const int64_t *identifying;
    size_t identifying_count;
    const json_t *keys;
};

/* What of it is wrong before a row is read. REFUSED GRID_FOREIGN_FIELD, or in words of its own. */
int grid_import_check(struct tx *tx, const struct grid_table *t, const struct grid_import *import);

/* By a member. Long work (progress.h). *failing_out: `{"0":{"field_31":[{"error":…,"code":…}]}}`,
 * by the rows' places; lives in tx->arena. */
int grid_import(struct tx *tx, int64_t table, const struct grid_import *import,
                const json_t **failing_out);

/* ---- import_match.c ---- */

/* Which rows these are: by place, the integer of one that is there, or 0. Before any is written;
 * lives in tx->arena. */
int import_match(struct tx *tx, const struct grid_table *t, const struct grid_import *import,
                 int64_t **ids_out);

#endif
