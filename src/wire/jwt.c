#include "wire/jwt.h"

#include <assert.h>
#include <jwt.h>

/*
 * libjwt verifies by the algorithm that the token names; that this was HS256 is checked here. It
 * also copies a token onto the stack, so the length is bounded first.
 */

enum { TOKEN_BYTES_MAX = 8192 };

static void jwt_free_auto(jwt_t **jwt)
{
    jwt_free(*jwt);
}

static void free_auto(char **text)
{
    free(*text);
}

struct str jwt_sign(struct arena *a, struct str secret, const json_t *claims)
{
    assert(secret.len > 0 && json_is_object(claims));
    AUTO(jwt_free) jwt_t *jwt = NULL;
    int rc = jwt_new(&jwt);
    assert(rc == 0);
    rc = jwt_add_grants_json(jwt, json_text(a, claims).at);
    assert(rc == 0);
    rc = jwt_set_alg(jwt, JWT_ALG_HS256, (const unsigned char *)secret.at, (int)secret.len);
    assert(rc == 0);
    AUTO(free) char *text = jwt_encode_str(jwt);
    assert(text);
    return arena_str(a, str_of(text));
}

/* Three parts of base64url; only an unsigned token's last one is empty. libjwt must not see others:
 * it stops at the first foreign byte, and writes past the block it takes for an empty part. */
static bool looks_like_token(struct str s)
{
    if (s.len > TOKEN_BYTES_MAX)
        return false;
    size_t parts = 0;
    struct str part;
    while (str_next(&s, '.', &part)) {
        if (part.len == 0 && parts != 2)
            return false;
        for (size_t i = 0; i < part.len; i++) {
            char c = part.at[i];
            if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '_'))
                return false;
        }
        parts++;
    }
    return parts == 3;
}

/* Read without a key, so nothing in it is to be believed. */
static bool claims_issuer(const char *token, struct str issuer)
{
    AUTO(jwt_free) jwt_t *jwt = NULL;
    return jwt_decode(&jwt, token, NULL, 0) == 0 &&
           str_equal(str_of(jwt_get_grant(jwt, "iss")), issuer);
}

/* A moment in seconds, whole or not (RFC 7519 section 2, NumericDate): is it past? */
static bool is_reached(const json_t *moment, int64_t now_ms)
{
    return (double)now_ms >= json_number_value(moment) * 1000.0;
}

int jwt_verify(struct arena *a, struct str secret, struct str issuer, struct str token,
               int64_t now_ms, json_t **claims_out)
{
    assert(secret.len > 0);
    if (!looks_like_token(token))
        return JWT_FOREIGN;
    const char *text = arena_z(a, token);
    if (issuer.at && !claims_issuer(text, issuer))
        return JWT_FOREIGN;

    AUTO(jwt_free) jwt_t *jwt = NULL;
    if (jwt_decode(&jwt, text, (const unsigned char *)secret.at, (int)secret.len) != 0 ||
        jwt_get_alg(jwt) != JWT_ALG_HS256)
        return JWT_BAD;
    AUTO(free) char *claims_text = jwt_get_grants_json(jwt, NULL);
    json_t *claims = NULL;
    if (json_read_in(a, str_of(claims_text), &claims, NULL) != 0 || !json_is_object(claims))
        return JWT_BAD;

    const json_t *expires = json_get(claims, "exp"), *starts = json_get(claims, "nbf");
    if ((expires && !json_is_number(expires)) || (starts && !json_is_number(starts)))
        return JWT_BAD;
    if (starts && !is_reached(starts, now_ms))
        return JWT_BAD;
    if (expires && is_reached(expires, now_ms))
        return JWT_EXPIRED;
    *claims_out = claims;
    return 0;
}
