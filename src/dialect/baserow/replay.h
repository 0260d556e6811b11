#ifndef DIALECT_BASEROW_REPLAY_H
#define DIALECT_BASEROW_REPLAY_H

/*
 * Replay: a client that was cut asks for what it missed (baserow-2026.md 3, 7.5), and is always
 * answered: with all of it and how far that reaches, or that it has to read anew.
 *
 * What channels remember is sent again as it was. Where they do not remember that far back (after a
 * restart, or a long absence) a reader looks whether the journal holds anything that might have
 * concerned the client; if not, there was nothing to miss.
 */

#include "session/session.h"

/* Is there replay at all? Else messages have no numbers. */
bool replay_is_on(void);
/*
 * A client that names itself is one that asks for what it missed as soon as it is let in. Until it
 * does events wait, so that what it missed comes before what happens now (7.6), but not for longer
 * than this.
 */
enum { REPLAY_AWAITED_MS = 500 };
/* Makes r the request of a `replay_events` frame; to be submitted. */
void replay_request(struct request *r, const json_t *frame);

#endif
