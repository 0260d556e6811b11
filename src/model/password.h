#ifndef MODEL_PASSWORD_H
#define MODEL_PASSWORD_H

/*
 * Passwords: argon2id in PHC form. Slow on purpose: called where nobody waits (the preparer).
 */

#include <stdbool.h>

#include "base/arena.h"
#include "base/str.h"

struct model_settings;

/* Hashes with the settings' memory and passes. 0 or a fault. */
int password_hash(const struct model_settings *settings, struct arena *a, struct str plain,
                  struct str *phc_out);
/* False: the password does not fit the hash, or the hash is none, or it costs more than those made
 * here (and than usual ones: 64 MiB, 3 passes). */
bool password_verify(const struct model_settings *settings, struct str phc, struct str plain);

#endif
