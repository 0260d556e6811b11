#ifndef DIALECT_BASEROW_LOOKER_H
#define DIALECT_BASEROW_LOOKER_H

/* What is kept of a socket: for channel.c, frames.c and replay.c. */

#include "dialect/baserow/pages.h"
#include "model/grid/tokens.h"
#include "session/session.h"

struct looker {
    struct pages pages;
    struct database_token *token; /* a program's: what it may read; NULL: it is a person */
    struct arena *arena;          /* the token's; NULL: there is none */
};
/* What the socket looks at. */
static inline const struct pages *looker_pages(const struct session *s)
{
    const struct looker *looker = session_state(s);
    return &looker->pages;
}

#endif
