#ifndef MODEL_MEMBERSHIP_H
#define MODEL_MEMBERSHIP_H

/*
 * Membership as policies. Whoever is a member of a workspace may read and change all rows of its
 * tables, in any dialect: so each workspace is a policy of the catalogue ("workspace:7"), in effect
 * for its members besides those that roles and rows of directus_access give them. These policies
 * are no rows: no dialect lists them, and no rule about who may administer counts them.
 */

#include "model/catalogue.h"

struct membership;
/* Of a catalogue that has its workspaces and its grid; lives in its arena. */
const struct membership *membership_load(const struct catalogue *c);
/* The policies of a user's workspaces, by the workspaces' numbers, so that members of the same
 * workspaces have the same ones in the same order. In `a`. */
const struct policy *const *membership_policies(const struct catalogue *c, struct arena *a,
                                                struct str user, size_t *count_out);

#endif
