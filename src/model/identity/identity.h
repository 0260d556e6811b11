#ifndef MODEL_IDENTITY_IDENTITY_H
#define MODEL_IDENTITY_IDENTITY_H

/*
 * Identity: from credentials to a principal; log-in, refresh, log-out (directus.md D.1, D.3).
 */

#include "model/access/access.h"
#include "model/model.h"

/*
 * What one model remembers between requests, with its own lock: principals by credential, valid for
 * one catalogue, and failed log-ins by user. Bounded. The model owns one: model_identity().
 */
struct identity_memory;
struct identity_memory *identity_memory_new(void);
void identity_memory_free(struct identity_memory *memory); /* accepts NULL */
struct identity_memory *model_identity(struct model *m);   /* model.c */

/*
 * A token (static or access token; absent: the public) → principal, a new reference. Reads the user
 * in tx. REFUSED: INVALID_CREDENTIALS (static token; or the account is not active), INVALID_TOKEN,
 * TOKEN_EXPIRED (JWT).
 */
int identity_authenticate(struct tx *tx, struct str token, struct str ip,
                          struct principal **principal_out);
/* The same for a user (its id) whose credentials a dialect has checked. */
int identity_of_user(struct tx *tx, struct str user, struct str ip,
                     struct principal **principal_out);
/* The same person under tx's catalogue: the very principal when nothing changed, else a new one;
 * INVALID_CREDENTIALS when the user is gone or not active, or its static token is another now. A
 * new reference in any case. */
int identity_refresh(struct tx *tx, const struct principal *principal,
                     struct principal **principal_out);

/* Tokens of a session. Text lives in tx->arena. */
struct tokens {
    struct str user;
    struct str access_token, refresh_token;
    int64_t expires_ms; /* life of the access token */
};
/* First half, on a reader (it is slow on purpose): checks e-mail and password. The result says how
 * it went; the second half, on the writer, opens the session or refuses and counts the attempt. */
struct login {
    struct str email, password, otp;
    struct str user; /* found by the first half; absent: no such user */
    struct str hash; /* what the password was checked against */
    bool verified;
    unsigned failures; /* of the user's in a row, when this attempt was counted; 0: it was not */
};
/* 0, or REFUSED INVALID_PAYLOAD (no e-mail, no password). */
int identity_login_check(struct tx *tx, struct login *login);
/*
 * 0, or REFUSED (INVALID_CREDENTIALS, INVALID_OTP). The attempt that is one too many suspends the
 * user, and that write has to stay: then 0 as well, with tokens_out->access_token absent and
 * tx->problem filled as for a refusal. May run again when its transaction came to nothing: the
 * attempt is counted once.
 */
int identity_login_open(struct tx *tx, struct login *login, struct tokens *tokens_out);
/* The same without a session: the attempt counts, *entered_out says whether it is the user, and
 * that the user was here is the caller's to note. */
int identity_login_enter(struct tx *tx, struct login *login, bool *entered_out);
/* REFUSED: INVALID_CREDENTIALS (unknown, used before, expired), USER_SUSPENDED. */
int identity_refresh_session(struct tx *tx, struct str refresh_token, struct tokens *tokens_out);
int identity_logout(struct tx *tx, struct str refresh_token); /* 0 for an unknown token too */

/* At first start: the public policy, the role and policy "Administrator", and the first admin if an
 * e-mail is given (ADMIN_EMAIL, ADMIN_PASSWORD, ADMIN_TOKEN). Inside a write. */
int identity_bootstrap(struct tx *tx);
int identity_create_admin(struct tx *tx, struct str email, struct str password, struct str token);
/* Is there an active user with an admin's policy? */
int identity_has_admin(struct tx *tx, bool *has_out);

/*
 * For the command line (`rowcast user …`). E-mail ignores case; absent password, token and role:
 * none. A password is hashed here, slowly. REFUSED: as a client would be (NOT_UNIQUE,
 * FAILED_VALIDATION, …), and INVALID_PAYLOAD for no such user or role.
 */
struct new_user {
    struct str email, password, token;
    struct str role; /* its name */
};
int identity_user_create(struct tx *tx, const struct new_user *user, struct str *id_out);
int identity_user_set_password(struct tx *tx, struct str email, struct str password);
int identity_user_set_token(struct tx *tx, struct str email, struct str token);
struct user_line {
    struct str id, email, status, role; /* role: its name; absent: none */
    bool token;                         /* has a static token */
};
/* By e-mail. Not 0 from `line` stops with that. */
int identity_user_list(struct tx *tx, int (*line)(void *context, const struct user_line *user),
                       void *context);

#endif
