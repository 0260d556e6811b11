#ifndef MODEL_GRID_DEPARTURES_H
#define MODEL_GRID_DEPARTURES_H

/* Accounts that go for good when their time of grace is over (baserow.md 5.3, 9.1). As the system.
 */

#include "model/workspace/workspace.h"

/* The next account after that number whose deletion was scheduled at or before that moment; 0:
 * none.
 */
int account_next_due(struct tx *tx, int64_t scheduled_ms, int64_t after, int64_t *id_out);
/* The user goes, with the account, and every workspace that nobody else who is active could manage:
 * into the trash, from which it goes at the next opportunity. REFUSED as account_check_last(). */
int account_delete(struct tx *tx, int64_t id);

#endif
