#ifndef DIALECT_BASEROW_CHANNEL_H
#define DIALECT_BASEROW_CHANNEL_H

/*
 * The channel /ws/core/ (baserow.md 2 to 5): clients only say which pages they look at; all else
 * goes from the server to them.
 *
 *   channel.c   upgrade, authentication
 *   frames.c    what a client says
 *   replay.c    a client that was cut asks for what it missed; relevance.c, what the journal knows
 *   pages.c     what may be looked at, and what a socket looks at
 *   telling.c   a commit → messages: what those who tell have in common, and their order
 *   messages.c  what people are told of each other, of workspaces and of applications
 *
 * Sockets of a person listen to "user/UUID", and to the channels of their pages. Loop thread, but
 * for the upgrade's verdict.
 */

#include "model/commit.h"
#include "session/session.h"

/* Does this path belong to the channel? All that begin with /ws/core/ do. */
bool channel_serves(struct str path);
/* Takes an HTTP request for such a path and submits it. */
void channel_upgrade_submit(struct session *s, struct http_request *http);

/* What struct dialect asks for; channel_committed is in telling.c. */
void channel_message(struct session *s, struct str text, bool binary);
void channel_closed(struct session *s);
void channel_committed(struct service *v, const struct commit *commit, int64_t now_ms);

/* The name of the session's channel that all sockets of a user (its UUID) listen to. */
struct user_channel {
    char text[48];
};
struct str channel_of_user(struct str user, struct user_channel *name_out);
/* The same of its programs, which come by database tokens: they hear only what they look at. */
struct str channel_of_programs(struct str user, struct user_channel *name_out);
/* The token that it came by; NULL: it is a person's. */
struct database_token;
const struct database_token *channel_program(const struct session *s);
/* The socket looks at nothing of this workspace any more, and is told so page by page (3.4). */
void channel_revoke(struct session *s, int64_t workspace);

/*
 * Told on the loop when what people or programs come by is worth nothing any more. Sockets that are
 * open are closed by who tells this; one that is on its way was perhaps judged by what is over, and
 * is closed when it arrives.
 */
void channel_credentials_changed(void);

#endif
