#ifndef DIALECT_BASEROW_CHANNEL_H
#define DIALECT_BASEROW_CHANNEL_H

/*
 * The channel /ws/core/ (baserow.md 2 to 5): clients only say which pages they look at; all else
 * goes from the server to them.
 *
 *   channel.c   upgrade, authentication, a client's frames
 *   pages.c     what may be looked at, and what a socket looks at
 *   messages.c  a commit → user messages
 *
 * Sockets of a person listen to two of the session's channels, "user/UUID" and "mail/E-MAIL" (an
 * invitation knows the address only). Loop thread, but for the upgrade's verdict.
 */

#include "model/commit.h"
#include "session/session.h"

/* Does this path belong to the channel? All that begin with /ws/core/ do. */
bool channel_serves(struct str path);
/* Takes an HTTP request for such a path and submits it. */
void channel_upgrade_submit(struct session *s, struct http_request *http);

/* What struct dialect asks for. */
void channel_message(struct session *s, struct str text, bool binary);
void channel_closed(struct session *s);
void channel_committed(struct service *v, const struct commit *commit, int64_t now_ms);

/*
 * The number that a client's commits carry, from the id of its socket: caller.origin of a REST
 * request with the header `WebSocketId` (2.7), if it came with a JWT; 0 for an absent or empty id,
 * which excludes nobody. Any thread.
 */
uint64_t channel_origin(struct str web_socket_id);

/*
 * What messages need of the catalogue besides workspace.h of today: of each member its `name`,
 * `email` and whether it is `to_be_deleted`, because messages are made on the loop, where no store
 * can be asked: struct member { …; struct str name, email; bool to_be_deleted; }, and a new
 * catalogue when one of them changes.
 */

#endif
