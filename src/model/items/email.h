#ifndef MODEL_ITEMS_EMAIL_H
#define MODEL_ITEMS_EMAIL_H

/* E-mail addresses. */

#include "base/str.h"

/*
 * Could this be an address? One "@"; a local part of at most 64 bytes and a domain of labels with
 * dots between, without blanks or control characters. A domain of one label passes ("localhost"),
 * and so does what is not ASCII: only the one who receives mail there can tell more.
 */
bool email_is_valid(struct str email);

#endif
