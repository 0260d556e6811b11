#ifndef DIALECT_BASEROW_RECOVERY_H
#define DIALECT_BASEROW_RECOVERY_H

#include "dialect/baserow/letters.h"

/* The letter that asks a user to confirm its e-mail; its token is in tx->arena. */
struct outgoing verification_letter(struct tx *tx, struct str user, struct str email,
                                    struct str name);

#endif
