#ifndef MODEL_GRID_FILTER_INTERNAL_H
#define MODEL_GRID_FILTER_INTERNAL_H

/* What the files filter*.c share. */

#include "model/grid/filter.h"
#include "model/grid/kind_internal.h"

enum filter_flags {
    FILTER_NEGATED = 1, /* the complement of what `build` makes */
    FILTER_BLANK = 2,   /* a blank value says something, too */
    FILTER_NOW = 4,     /* an old filter of dates whose value is a zone alone */
};
/* Where a date lies to the interval [lower, upper). */
enum date_place { DATE_IN, DATE_BEFORE, DATE_UNTIL, DATE_AFTER, DATE_SINCE, DATE_WITHIN };

struct filtering {
    struct tx *tx;
    struct arena *arena;
    const struct filter_type *type;
    const struct grid_field *field;
    const struct column *column; /* NULL: a link through a junction */
    struct str value;
    int fault; /* set by what reads */
};
/* The condition; NULL: the filter is off. */
typedef const struct expr *filter_fn(struct filtering *f);

/* One type: a row of the table. */
struct filter_type {
    const char *name;
    uint32_t kinds; /* bits 1 << enum kind_id */
    filter_fn *build;
    unsigned flags;   /* of enum filter_flags */
    enum operator op; /* those that compare by one */
    enum date_place place;
    const char *period; /* old filters of dates: the new operator that it means; NULL: a date */
};

/* ---- filter_text.c ---- */

/* A condition on what people see of a cell: the operator is one on text (OP_ICONTAINS,
 * OP_HAS_WORD). */
const struct expr *filter_text(struct tx *tx, const struct grid_field *f, enum operator op,
                               struct str text);
/* Rows that are linked to a row of the target for which the condition holds. */
const struct expr *filter_linked(struct arena *a, const struct grid_field *f,
                                 const struct expr *of_target);
/* Cells of several that have one of these ids. */
const struct expr *filter_ids(struct arena *a, const struct column *c, const int64_t *ids,
                              size_t count);
/* The seconds that a text means, as a number or in a form of 10.5; null: none. */
struct value filter_duration(struct arena *a, const struct grid_field *f, struct str text);

/* ---- filter_date.c ---- */

filter_fn filter_date_new, filter_date_old, filter_day_of_month;

#endif
