#ifndef MODEL_ACCESS_GRANTS_H
#define MODEL_ACCESS_GRANTS_H

/*
 * The grants of a principal, between principal.c and grants.c. Everybody else asks
 * principal_grant().
 */

#include "model/access/access.h"

/* Gives a principal that is complete but for its grants those of its policies. */
void grants_attach(struct principal *p);
/* NULL: none. The principal is no admin. */
const struct grant *grants_find(const struct principal *p, const struct table *t,
                                enum action action);

/* An admin's grant, for any table and action: all rows, all fields, no checks. */
extern const struct grant grant_all;

#endif
