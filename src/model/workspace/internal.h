#ifndef MODEL_WORKSPACE_INTERNAL_H
#define MODEL_WORKSPACE_INTERNAL_H

/* What the files of this part share. */

#include "model/items/records.h"
#include "model/workspace/workspace.h"

#define refuse_wish(tx, word) refuse((tx), PROBLEM_UNPROCESSABLE, "%s", (word))

struct value moment_value(struct arena *a, int64_t ms); /* as a timestamp */

/* ---- accounts.c ---- */

/* First and last name with a blank between; the e-mail of who has none. Of a row of SYSTEM_USERS.
 */
struct str person_name(struct arena *a, const struct value *user);
/* Active, and not about to be deleted: counts where the last admin, the last of the staff may not
 * go. */
bool account_stays(const struct account *a);

/* ---- members.c ---- */

/* Adds a member, as the last of its workspaces; *id_out is the membership's. */
int member_add(struct tx *tx, int64_t workspace, const struct account *who, enum member_role role,
               int64_t *id_out);
/* LAST_ADMIN, if nobody but `except` could manage its workspace. */
int member_check_last_admin(struct tx *tx, const struct member *except);

/* ---- order ---- */

/* Things in the order they have; `wanted` ids among them take the places of these as a group, in
 * their sequence. Writes all ids in the new order to ids_out (count of them). */
void order_apply(struct arena *a, const int64_t *ids, size_t count, const int64_t *wanted,
                 size_t wanted_count, int64_t *ids_out);

#endif
