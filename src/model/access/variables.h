#ifndef MODEL_ACCESS_VARIABLES_H
#define MODEL_ACCESS_VARIABLES_H

/*
 * Dynamic variables (directus.md E.4) as they stand in rules. Their values are access.h's:
 * principal_variable(), principal_substitute().
 */

#include "base/clock.h"
#include "base/json.h"
#include "store/expr.h"

/* What a JSON value mentions, in its strings and in the parts of comma text. */
struct variable_use {
    bool personal; /* $CURRENT_USER or $CURRENT_ROLE(S): differs between users of equal policies */
    bool unknown;  /* $CURRENT_… that there is not */
    struct column_set user_columns; /* columns of SYSTEM_USERS, by $CURRENT_USER.<column> */
};
void variables_used(const json_t *value, struct variable_use *use); /* adds to what is there */

/* "$NOW" or "$NOW(-1 day)"; an adjustment that cannot be read means now. False: neither. */
bool variable_now(struct str text, struct clock_shift *shift_out);

#endif
