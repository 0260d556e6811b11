#ifndef DIALECT_BASEROW_TELLING_H
#define DIALECT_BASEROW_TELLING_H

/*
 * Telling: what all that turns a commit into messages has in common (baserow.md 4, 5).
 *
 *   channel_committed ──► tellers, in the order of 5.14 ──► messages ──► channels of users, of
 * pages
 *
 * A teller looks at the changes of one commit and tells what follows from them; most of them are a
 * table of rules. A message is written once, whoever reads it, and is told to people (an audience)
 * or on the channel of a page. All of it runs on the loop, at the commit's place in the journal,
 * before sight follows the commit.
 */

#include "base/buf.h"
#include "base/map.h"
#include "model/commit.h"
#include "model/system.h"
#include "model/workspace/workspace.h"
#include "session/session.h"

/* One commit on its way to those concerned. */
struct telling {
    struct service *service;
    const struct commit *commit;
    const struct catalogue *before, *after; /* the same one, when the commit brought none */
    struct arena *arena;
    int64_t now_ms;
    struct map told; /* telling_once */
    /* ---- what is told as telling.c says ---- */
    struct message *waiting; /* the latest one: only the next, or the end, tells its number */
    int64_t next_event, last_event; /* numbers that are left; next_event 0: messages have none */
};

/* Tells what follows from the commit. Called for every commit: it finds out by itself, and quickly,
 * that a commit is none of its business. */
typedef void teller_fn(struct telling *t);

/* ---- the tellers, in this order (telling.c) ---- */
teller_fn tell_people;    /* messages.c: accounts, invitations, workspaces, members, applications */
teller_fn tell_structure; /* structure_messages.c: tables, fields */
teller_fn tell_grid_rows; /* row_messages.c */

/* ---- rules: what a change of an internal table makes known ---- */
struct telling_rule {
    enum system_table table;
    enum change_kind kind;
    void (*tell)(struct telling *t, const struct change *c);
};
/* Rule by rule, in their order; each looks at all changes of its table before the next has its
 * turn. */
void telling_apply(struct telling *t, const struct telling_rule *rules, size_t count);
/* Does the commit change internal tables at all? Most are of rows in users' tables. */
bool telling_is_of_system(const struct telling *t);
/* True the first time in this commit. */
bool telling_once(struct telling *t, const char *type, int64_t subject);
/* Was a row of this table made or removed, whose column has this number? */
bool telling_has_change(const struct telling *t, enum system_table table, enum change_kind kind,
                        const char *column, int64_t number);

/* ---- changes ---- */
bool change_has(const struct change *c, enum system_table table, const char *column);
/* Of columns that clients set: what was set to what it was already is told like any other. */
bool change_sets(const struct change *c, enum system_table table, const char *column);
const struct value *change_row(const struct change *c); /* as it is now; a removed one, as it was */
int64_t change_id(const struct change *c);              /* the key of tables that count theirs */

/* ---- those who are told: of each person one entry, however many ways lead to it ---- */
struct audience {
    struct map users; /* by UUID; a zeroed struct is nobody; tell_users frees it */
};
void audience_add_user(struct audience *a, struct str user);              /* absent: nobody */
void audience_add_members(struct audience *a, const struct workspace *w); /* NULL: nobody */
/* Everyone who shares a workspace with the user, and the user. */
void audience_add_companions(struct audience *a, const struct catalogue *c, struct str user);

/* ---- writing a message: begin, keys and values, and then it is told ---- */
void message_begin(struct buf *b, const char *type); /* `{"type":"TYPE"`; initialises the buffer */
void message_key(struct buf *b, const char *key);    /* `,"KEY":`, a value follows */
void message_int(struct buf *b, const char *key, int64_t number);
/* Workspaces were called groups once (section 6): the old key may stand beside the new one. */
void message_workspace_id(struct buf *b, int64_t id);
void message_workspace(struct buf *b, const struct workspace *w);
void message_workspace_user(struct buf *b, const struct member *m);

/*
 * Numbers (baserow-2026.md 2): a message has one `_event_id`, its last key, however many hear it.
 * Those of a commit rise, and the last message of a commit has the last number that the commit
 * owns. So a client that has seen it is known to have seen all of the commit, also after a restart
 * when nobody remembers what was told. A commit that has more messages than numbers tells those
 * that are too many without one, and who missed them has to read anew.
 */

/* Whether the socket that the request came for hears of it too (2.7). */
enum sender { SENDER_EXCLUDED, SENDER_TOLD };
/* Both end the message and take over what is handed in. It is sent with the next one, at the end of
 * the commit, or by telling_flush(). */
void tell_users(struct telling *t, struct buf *b, struct audience *a, enum sender sender);
void tell_page(struct telling *t, struct str channel, struct buf *b, enum sender sender);
/* Sends what was told: ahead of frames that are sent to sockets in another way. */
void telling_flush(struct telling *t);
/* False: nobody looks at the page, and nobody may come back to ask what it missed there. So its
 * message need not even be written. */
bool page_is_heard(const struct telling *t, struct str channel);

#endif
