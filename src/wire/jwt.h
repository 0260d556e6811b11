#ifndef WIRE_JWT_H
#define WIRE_JWT_H

/* Signed tokens: JSON Web Tokens with HS256 (RFC 7519), through libjwt. Any thread. */

#include <stdint.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/str.h"

enum { JWT_FOREIGN = 1, JWT_BAD = 2, JWT_EXPIRED = 3 };

/* Signs the claims (an object); the secret is not empty. The text lives in the arena. */
struct str jwt_sign(struct arena *a, struct str secret, const json_t *claims);

/*
 * Checks a token: 0 and its claims (the arena owns them); JWT_FOREIGN when it is no JWT (or one
 * past 8 KiB) or its `iss` is not `issuer` (absent: whatever it is); JWT_BAD when the signature or
 * algorithm is wrong, a date is no number or `nbf` is still to come; JWT_EXPIRED from the moment
 * `exp` on. Only HS256 is accepted, whatever the token's header says. A token without `exp` does
 * not expire.
 */
int jwt_verify(struct arena *a, struct str secret, struct str issuer, struct str token,
               int64_t now_ms, json_t **claims_out);

#endif
