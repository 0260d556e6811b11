#ifndef DIALECT_BASEROW_LOOKER_H
#define DIALECT_BASEROW_LOOKER_H

/* What is kept of a socket: for channel.c and frames.c. */

#include "dialect/baserow/pages.h"
#include "model/grid/tokens.h"

struct looker {
    struct pages pages;
    struct database_token *token; /* a program's: what it may read; NULL: it is a person */
    struct arena *arena;          /* the token's; NULL: there is none */
};

#endif
