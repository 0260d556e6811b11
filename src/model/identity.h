#ifndef MODEL_IDENTITY_H
#define MODEL_IDENTITY_H

/*
 * Identity: from credentials to a principal; log-in, refresh, log-out (directus.md D.1, D.3).
 */

#include "model/access.h"
#include "model/model.h"

/*
 * A token (static or access token; absent: the public) → principal, a new reference. Reads the user
 * in tx. REFUSED: INVALID_CREDENTIALS (static token), INVALID_TOKEN, TOKEN_EXPIRED (JWT).
 */
int identity_authenticate(struct tx *tx, struct str token, struct str ip,
                          struct principal **principal_out);
/* The same person under tx's catalogue: the very principal when nothing changed, else a new one;
 * INVALID_CREDENTIALS when the user is gone or not active. A new reference in any case. */
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
    bool verified;
};
int identity_login_check(struct tx *tx, struct login *login);
int identity_login_open(struct tx *tx, const struct login *login, struct tokens *tokens_out);
int identity_refresh_session(struct tx *tx, struct str refresh_token, struct tokens *tokens_out);
int identity_logout(struct tx *tx, struct str refresh_token);

/* argon2id in PHC form; slow. False: the password does not fit the hash, or the hash is none. */
int identity_hash(const struct model_settings *settings, struct arena *a, struct str plain,
                  struct str *phc_out);
bool identity_verify(struct str phc, struct str plain);

/* At first start: the public policy, the role and policy "Administrator", and the first admin if an
 * e-mail is given (ADMIN_EMAIL, ADMIN_PASSWORD, ADMIN_TOKEN). Inside a write. */
int identity_bootstrap(struct tx *tx);
int identity_create_admin(struct tx *tx, struct str email, struct str password, struct str token);
bool identity_has_admin(struct tx *tx);

#endif
