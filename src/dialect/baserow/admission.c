/* Who may do what with a table's rows: members of its workspace, and programs that come by a token
 * (9.14). */
#include "dialect/baserow/rest.h"
#include "model/grid/tokens.h"

int grid_admit(struct request *r, struct tx *tx, int64_t id, enum action action,
               const struct grid_table **table_out)
{
    const struct database_token *token = rest_of(r)->token;
    if (!token)
        return grid_find(tx, id, table_out);
    const struct grid_table *t = grid_table(tx->catalogue, id);
    if (!t)
        return refuse(tx, PROBLEM_UNPROCESSABLE, "%s", GRID_NO_TABLE);
    if (!token_allows(token, action, t))
        return refuse_code(tx, ERROR_NO_PERMISSION_TO_TABLE, NULL);
    *table_out = t;
    return 0;
}
