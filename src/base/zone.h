#ifndef BASE_ZONE_H
#define BASE_ZONE_H

/*
 * Time zones of the IANA database, from the system's files (TZif, RFC 9636).
 *
 * Loading one reads a small file; there is no state that threads would share, nor is the process's
 * own zone touched. A wall time is what a clock in the zone shows, as the milliseconds since 1970
 * at which a clock in UTC shows the same.
 */

#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"

struct zone;
enum { ZONE_UNKNOWN = 1 };
/* "Europe/Amsterdam"; an empty name and "UTC" need no file. 0 or ZONE_UNKNOWN: no zone of that name
 * on this system. The zone lives in the arena. */
int zone_load(struct arena *a, struct str name, const struct zone **zone_out);

const struct zone *zone_copy(struct arena *a, const struct zone *z);

/* What clocks of the zone show at a moment. */
int64_t zone_wall(const struct zone *z, int64_t ms);
/* The first moment at which they show it; where they leap over it, the moment of the leap. */
int64_t zone_moment(const struct zone *z, int64_t wall_ms);

#endif
