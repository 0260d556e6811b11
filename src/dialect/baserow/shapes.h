#ifndef DIALECT_BASEROW_SHAPES_H
#define DIALECT_BASEROW_SHAPES_H

/*
 * What a thing looks like on the wire (baserow.md 5.4, 7.6 to 7.10), in answers and in messages
 * alike. Each writes one whole JSON value to the buffer. In memory only: any thread.
 */

#include "base/buf.h"
#include "model/grid/grid.h"

/* ---- pieces: `,"key":` and a value. Keys need no escapes ---- */
void shape_key(struct buf *b, const char *key);
void shape_int(struct buf *b, const char *key, int64_t number);
void shape_bool(struct buf *b, const char *key, bool value);
void shape_text(struct buf *b, const char *key, struct str text);         /* absent: "" */
void shape_text_or_null(struct buf *b, const char *key, struct str text); /* absent: null */

/* ---- things ---- */

/* A server's moment: "2025-10-01T12:00:00.123000Z", no fraction when it is zero (7.3). Takes any
 * form that clock_parse_ms reads; null for what it does not, and for an absent text. */
void shape_moment(struct buf *b, struct str moment);

/* `id`, `name`, `generative_ai_models_enabled`: in group_created, group_updated, 7.8. */
void shape_workspace(struct buf *b, const struct workspace *w);
/* 7.6; with BASEROW_LEGACY_GROUP_KEYS also `group` (6). */
void shape_workspace_user(struct buf *b, const struct member *m);
/* 7.7: the workspace as this member sees it. */
void shape_workspace_member_view(struct buf *b, const struct member *m);
/* 7.8; with BASEROW_LEGACY_GROUP_KEYS also `group` (6). */
void shape_application(struct buf *b, const struct catalogue *c,
                       const struct application *application);
/* 7.9 */
void shape_table(struct buf *b, const struct grid_table *t);
/* 10.1, without `related_fields`. */
void shape_field(struct buf *b, const struct grid_field *f);
/* `id`, `username`, `first_name` (7.10). */
void shape_public_user(struct buf *b, int64_t id, struct str email, struct str name);
/* What its owner is told of an account (7.10). */
void shape_own_user(struct buf *b, const struct account *account);

/* Whether the invited person has an account is only told to who holds the token. */
enum email_exists { EMAIL_UNTOLD, EMAIL_IS_NEW, EMAIL_EXISTS };
/* 5.4 */
void shape_invitation(struct buf *b, const struct invitation *invitation, enum email_exists exists);
/* The same as the workspace's admins see it (9.3). */
void shape_invitation_of_admin(struct buf *b, const struct invitation *invitation);

/* ---- invitations.c ---- */
/* A text that stands for an invitation, signed with the instance's key; in the arena. */
struct str invitation_token_make(struct tx *tx, int64_t invitation);
enum { INVITATION_TOKEN_BAD = 1 };
/* Which invitation it stands for: 0, or INVITATION_TOKEN_BAD (ours to call BAD_TOKEN_SIGNATURE).
 * The invitation may be gone meanwhile: invitation_find tells. */
int invitation_token_read(struct tx *tx, struct str token, int64_t *invitation_out);

#endif
