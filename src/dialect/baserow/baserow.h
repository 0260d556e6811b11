#ifndef DIALECT_BASEROW_BASEROW_H
#define DIALECT_BASEROW_BASEROW_H

/*
 * The Baserow dialect: REST below /api/ (baserow.md 8, 9) and the messages of /ws/core/ (2 to 5).
 * Wire message → command, result and commit → wire message.
 *
 *   baserow.c   what the dialect is to the service; configuration.c what it was told at the start
 *   http.c      an HTTP request: method, body, query → request; who asks, found on the worker
 *   admission.c who may do what with a table
 *   routes.c    the table of routes: methods, patterns, what a path lacks
 *   validate.c  tables of rules for bodies and query strings; all that is wrong is told at once
 *   errors.c    code, status and text; problems of the model → those
 *   reply.c     a body, or nothing, with CORS → response
 *   token.c     the JSON Web Tokens of 2.2
 *   login.c … one file for each family of routes
 *   jobs.c      work that its request does not wait for
 *   channel.c   /ws/core/
 */

#include <stdbool.h>

#include "base/str.h"
#include "model/workspace/workspace.h"
#include "net/mailer.h"
#include "session/session.h"

/* Constant after baserow_configure, which is called once before any thread starts. */
struct baserow_settings {
    struct str signing_key;                            /* of tokens; absent: SECRET */
    int64_t access_token_ttl_ms, refresh_token_ttl_ms; /* BASEROW_..._TOKEN_LIFETIME_... */
    size_t response_bytes_max;                         /* of one answer; past it 400 */
    bool documented_messages, legacy_group_keys;       /* BASEROW_..., section 5.13, section 6 */
    int64_t table_rows_max; /* INITIAL_TABLE_DATA_LIMIT: that a table is made with; 0: any number */
    int64_t page_rows_max, batch_rows_max; /* of a list of rows; of a batch that is written */
    int64_t trash_ms;                      /* HOURS_UNTIL_TRASH_PERMANENTLY_DELETED */
    int64_t pending_invitations_max;       /* of a workspace; 0: any number */
    int64_t replay_events_max; /* BASEROW_REALTIME_REPLAY_MAX_EVENTS; 0: no replay, no numbers */
    bool anonymous_refused;    /* DISABLE_ANONYMOUS_PUBLIC_VIEW_WS_CONNECTIONS, false */
    struct mailer *mailer;     /* borrowed; NULL: no mail is sent */
    struct str public_url;     /* PUBLIC_WEB_FRONTEND_URL: where links in letters lead */
};
void baserow_configure(const struct baserow_settings *settings);
const struct baserow_settings *baserow_settings(void);

/* Serves what begins with "/api/" or "/ws/core/". */
extern const struct dialect baserow_dialect;

/* The number that stands for a client's `web_socket_id` in commits and in the journal: the first 63
 * bits of its SHA-256 (decision 12). Absent or empty: 0, nobody's. */
uint64_t baserow_origin(struct str web_socket_id);

/* ---- token.c ---- */
/* What all tokens of this dialect are signed with. */
struct str token_signing_key(const struct tx *tx);

enum token_type { TOKEN_ACCESS, TOKEN_REFRESH };
struct str token_issue(struct tx *tx, enum token_type type, const struct account *account);

enum { TOKEN_BAD = 1, TOKEN_NO_USER = 2, TOKEN_INACTIVE = 3 };
/*
 * Whose token it is (2.2): 0 and the account; TOKEN_BAD when it is forged, expired, of the other
 * type or from before the password was changed; TOKEN_NO_USER; TOKEN_INACTIVE. Reads the store. An
 * account whose deletion is scheduled is found: sockets and refresh look at `deletion_ms`. The
 * blacklist is not asked. `expires_ms_out` may be NULL.
 */
int token_check(struct tx *tx, enum token_type type, struct str token, struct account *account_out,
                int64_t *expires_ms_out);

#endif
