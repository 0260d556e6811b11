#ifndef MODEL_IDENTITY_MEMORY_H
#define MODEL_IDENTITY_MEMORY_H

/*
 * The inside of what identity.c and login.c remember of one model between requests. Any thread.
 */

#include "model/identity/identity.h"

/*
 * The principal last made for this key (a credential and an address) under tx's catalogue: a new
 * reference, or NULL. A change of whatever a principal depends on brings a new catalogue, and
 * nothing is remembered past that.
 */
struct principal *memory_principal(struct tx *tx, struct str key);
/* Remembers it, if tx's catalogue is the published one. Takes a reference of its own. */
void memory_keep_principal(struct tx *tx, struct str key, struct principal *principal);

/* Counts a failed log-in; returns how many there were since the last success. */
unsigned memory_count_failure(struct tx *tx, struct str user);
void memory_forget_failures(struct tx *tx, struct str user);

#endif
