#ifndef MODEL_ACCESS_IP_LIST_H
#define MODEL_ACCESS_IP_LIST_H

/*
 * Lists of addresses, as a policy's ip_access has them: comma text of single addresses, ranges
 * ("10.0.0.1-10.0.0.9") and blocks ("10.0.0.0/8"), IPv4 and IPv6. An IPv4 address written in IPv6
 * (::ffff:10.0.0.1) is that IPv4 address. Blanks around parts and empty parts do not count.
 */

#include "base/str.h"

bool ip_list_valid(struct str list, struct str *bad_out); /* false: bad_out is the part at fault */
/* False as well for an absent or malformed address; malformed parts hold nobody. */
bool ip_list_has(struct str list, struct str address);

#endif
