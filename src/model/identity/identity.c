#include "model/identity/identity.h"

#include <assert.h>

#include "base/text.h"
#include "model/identity/memory.h"
#include "model/items/records.h"
#include "wire/jwt.h"

/*
 * A credential leads to a user's row, the row to a principal. Most requests come with a credential
 * that was seen before: its principal is remembered for as long as the catalogue stays the same,
 * and a change of a user's role, status, token or password brings a new catalogue (rules.c).
 */

#define ISSUER STR("directus")

/* Principals are remembered by where they come from: equal texts, the same principal. */
static struct str memory_key(struct arena *a, char kind, struct str credential, struct str ip)
{
    return arena_printf(a, "%c%.*s\n%.*s", kind, STR_ARG(credential), STR_ARG(ip));
}

enum { BY_TOKEN = 't', BY_USER = 'u', BY_NOTHING = 'p' };

/* An active user's principal; `kind` says which column the credential is looked up in. */
static int find_principal(struct tx *tx, char kind, struct str credential, struct str ip,
                          struct principal **principal_out)
{
    struct str key = memory_key(tx->arena, kind, credential, ip);
    const struct value *row;

    struct principal *p = memory_principal(tx, key);
    if (p) {
        *principal_out = p;
        return 0;
    }
    int rc = record_find(tx, SYSTEM_USERS, kind == BY_TOKEN ? "token" : "id", credential, &row);
    if (rc != 0)
        return rc;
    if (!row || !system_user_is_active(row))
        return refuse(tx, PROBLEM_INVALID_CREDENTIALS, NULL);
    p = principal_user(tx->catalogue, row, ip);
    if (kind == BY_TOKEN)
        p->credential = arena_str(p->arena, credential);
    memory_keep_principal(tx, key, p);
    *principal_out = p;
    return 0;
}

static int find_public(struct tx *tx, struct str ip, struct principal **principal_out)
{
    struct str key = memory_key(tx->arena, BY_NOTHING, STR(""), ip);
    struct principal *p = memory_principal(tx, key);

    if (!p) {
        p = principal_public(tx->catalogue, ip);
        memory_keep_principal(tx, key, p);
    }
    *principal_out = p;
    return 0;
}

/* Rights are recomputed from the database; but a token that does not speak of them is none of ours
 * (D.3). */
static bool claims_complete(const json_t *claims)
{
    const json_t *role = json_get(claims, "role");

    return text_is_uuid(json_get_str(claims, "id")) &&
           (json_is_string(role) || json_is_null(role)) && json_get(claims, "app_access") &&
           json_get(claims, "admin_access");
}

int identity_authenticate(struct tx *tx, struct str token, struct str ip,
                          struct principal **principal_out)
{
    json_t *claims;
    char hex[SHA256_HEX_SIZE];

    if (!token.at)
        return find_public(tx, ip, principal_out);
    switch (jwt_verify(tx->arena, tx->settings->secret, ISSUER, token, tx->now_ms, &claims)) {
    case 0:
        if (!claims_complete(claims))
            return refuse(tx, PROBLEM_INVALID_TOKEN, NULL);
        return find_principal(tx, BY_USER, json_get_str(claims, "id"), ip, principal_out);
    case JWT_BAD:
        return refuse(tx, PROBLEM_INVALID_TOKEN, NULL);
    case JWT_EXPIRED:
        return refuse(tx, PROBLEM_TOKEN_EXPIRED, NULL);
    default:
        text_sha256_hex(token, hex);
        return find_principal(tx, BY_TOKEN, str_of(hex), ip, principal_out);
    }
}

int identity_of_user(struct tx *tx, struct str user, struct str ip,
                     struct principal **principal_out)
{
    return find_principal(tx, BY_USER, user, ip, principal_out);
}

int identity_refresh(struct tx *tx, const struct principal *principal,
                     struct principal **principal_out)
{
    if (principal->catalogue == tx->catalogue) {
        *principal_out = principal_ref(principal);
        return 0;
    }
    if (!principal->user.at && principal->admin) {
        *principal_out = principal_system(tx->catalogue);
        return 0;
    }
    if (!principal->user.at)
        return find_public(tx, principal->ip, principal_out);
    assert(tx->store);
    if (principal->credential.at)
        return find_principal(tx, BY_TOKEN, principal->credential, principal->ip, principal_out);
    return find_principal(tx, BY_USER, principal->user, principal->ip, principal_out);
}
