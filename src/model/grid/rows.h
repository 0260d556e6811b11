#ifndef MODEL_GRID_ROWS_H
#define MODEL_GRID_ROWS_H

/*
 * Rows of the grid: read and changed on behalf of a member (baserow.md 7.2, 9.7). The caller has
 * the table from grid_find(), or from a database token that allows it.
 */

#include "model/grid/join.h"
#include "model/grid/links.h"
#include "model/grid/news.h"

/* Rows as they are told, with their links. */
struct grid_rows {
    const struct grid_table *table;
    const struct value *const *at; /* each by column index of table->table */
    size_t count;
    struct links *links; /* NULL: none were asked for */
};

/* How rows are written: which fields, under which keys. */
struct grid_style {
    bool user_names;                /* keys are names of fields */
    const struct column_set *only;  /* bit i: grid field i; NULL: all */
    const struct grid_joins *joins; /* what linked rows are told with; NULL: nothing */
};
/* `{"id":14,"order":"…","field_31":…}`. Any thread. */
void grid_write_row(struct buf *b, const struct grid_table *t, const struct value *row,
                    const struct links *links, const struct grid_style *style);
/* `,"field_31":…` for each field. */
void grid_write_cells(struct buf *b, const struct grid_table *t, const struct value *row,
                      const struct links *links, const struct grid_style *style);
/* The primary field as text: the row's name. */
struct str grid_row_name(struct arena *a, const struct grid_table *t, const struct value *row);

/* By integers, in their order. REFUSED GRID_NO_ROW with those that are not there. */
int grid_rows_get(struct tx *tx, const struct grid_table *t, const int64_t *ids, size_t count,
                  struct grid_rows *rows_out);

/* What a client wants a row to be: each key of `cells` that names a field. */
struct grid_input {
    int64_t id;          /* update: whose */
    const json_t *cells; /* object; keys by `user_names` */
};
struct grid_inputs {
    const struct grid_input *at;
    size_t count;
    bool user_names;
    bool batch; /* mistakes are told with their place */
};
/* In the order of the inputs; before: an existing row (0: at the end). All or nothing. */
int grid_rows_create(struct tx *tx, const struct grid_table *t, const struct grid_inputs *inputs,
                     int64_t before, struct grid_rows *rows_out);
int grid_rows_update(struct tx *tx, const struct grid_table *t, const struct grid_inputs *inputs,
                     struct grid_rows *rows_out);
int grid_row_move(struct tx *tx, const struct grid_table *t, int64_t id, int64_t before,
                  struct grid_rows *rows_out);
/* To the trash. */
int grid_rows_delete(struct tx *tx, const struct grid_table *t, const int64_t *ids, size_t count);

/* ---- lists ---- */

struct grid_order {
    const struct grid_field *field;
    bool descending, by_place; /* select fields: by the place of the option, not by its name */
};
/* What has no order that the store knows cannot be sorted by: passwords, JSON, and names of several
 * options or of people. */
bool grid_field_sorts(const struct grid_field *f);
struct grid_query {
    struct str search;        /* absent: none */
    const struct expr *where; /* filters (filter.h); NULL: all */
    const struct grid_order *orders;
    size_t order_count;
    int64_t limit, offset;
    const struct column_set *only; /* links of which fields are read; NULL: all */
};
int grid_rows_list(struct tx *tx, const struct grid_table *t, const struct grid_query *q,
                   struct grid_rows *rows_out);
/* Those of these integers that there are, without links, in the order of the table. */
int grid_rows_find(struct tx *tx, const struct grid_table *t, const int64_t *ids, size_t count,
                   struct grid_rows *rows_out);
int grid_rows_count(struct tx *tx, const struct grid_table *t, const struct grid_query *q,
                    int64_t *count_out);
/* The row before or after this one in the list (limit and offset are ignored). *found_out false:
 * there is none, or the list has not this row. REFUSED GRID_NO_ROW. Reads the list up to there. */
int grid_row_adjacent(struct tx *tx, const struct grid_table *t, const struct grid_query *q,
                      int64_t id, bool previous, bool *found_out, struct grid_rows *rows_out);

#endif
