#ifndef MODEL_ACCESS_FILTER_H
#define MODEL_ACCESS_FILTER_H

/*
 * The filter language (directus.md E.3, E.4): JSON → expression.
 */

#include "model/access/access.h"
#include "model/model.h"

enum filter_source {
    FILTER_QUERY, /* a client's: fields must be readable, operators fit the type, values checked */
    FILTER_RULE,  /* a permission row's: no field check */
};
/*
 * Compiles a filter for a table. Variables are replaced by the principal's values ($NOW stays a
 * moving operand). For FILTER_QUERY `read` is the caller's read grant: a field outside it is
 * refused, a field readable on some rows only is compared under its mask. NULL, null and {} give
 * expr_true. 0, REFUSED (INVALID_QUERY, FORBIDDEN), or a fault.
 * Bounded: settings->filter_depth_max levels of objects, 1,000 conditions, 10,000 values in lists.
 * A rule may compare with empty text and empty lists, a query may not. Values are copied: the
 * expression outlives the JSON.
 */
int filter_compile(struct tx *tx, const struct principal *principal, const struct table *table,
                   const json_t *filter, enum filter_source source, const struct grant *read,
                   const struct expr **expr_out);

/*
 * Validation (F.5): does a payload satisfy a filter? An absent value satisfies every operator
 * except _submitted. Variables are replaced already. Adds one violation for each broken rule to
 * tx->problem and returns REFUSED (FAILED_VALIDATION), or 0. A rule that makes no sense refuses
 * with INVALID_PAYLOAD: a check that was meant is never left out.
 */
int filter_validate(struct tx *tx, const struct table *table, const json_t *filter,
                    const json_t *payload);

#endif
