/* Small helpers for clients (D.12). */
#include "dialect/directus/rest.h"

#include "base/random.h"
#include "model/identity/identity.h"
#include "model/password.h"

enum { RANDOM_LENGTH = 32, RANDOM_LENGTH_MAX = 500 };

static int run_random(struct request *r, struct tx *tx)
{
    const json_t *given = json_get(rest_of(r)->query, "length");
    char text[RANDOM_LENGTH_MAX + 1];
    int64_t length = RANDOM_LENGTH;
    struct buf b;
    if (given &&
        (str_to_int64(json_str(given), &length) != 0 || length < 1 || length > RANDOM_LENGTH_MAX))
        return refuse(tx, PROBLEM_INVALID_QUERY, "\"length\" must be between 1 and %d",
                      RANDOM_LENGTH_MAX);
    random_token(text, (size_t)length);
    rest_begin(&b);
    json_put_str(&b, str_of(text));
    return rest_end(r, tx, &b);
}

/* Hashing is slow on purpose, so it is not for everybody: the caller is somebody, and the text is
 * there. */
static int read_text(struct tx *tx, const json_t *body, const char *name, struct str *text_out)
{
    if (!tx->principal->user.at)
        return refuse(tx, PROBLEM_FORBIDDEN, NULL);
    *text_out = json_get_str(body, name);
    return text_out->len > 0 ? 0 : refuse(tx, PROBLEM_INVALID_PAYLOAD, "\"%s\" is required", name);
}

static int prepare_hash(struct request *r, struct tx *tx)
{
    struct rest *rest = r->command;
    struct str text, *hash = ARENA_NEW(r->arena, struct str);
    int rc = read_text(tx, rest->body, "string", &text);
    rest->finding = hash;
    return rc == 0 ? password_hash(tx->settings, tx->arena, text, hash) : rc;
}

static int run_hash(struct request *r, struct tx *tx)
{
    const struct str *hash = rest_of(r)->finding;
    struct buf b;
    rest_begin(&b);
    json_put_str(&b, *hash);
    return rest_end(r, tx, &b);
}

static int prepare_verify(struct request *r, struct tx *tx)
{
    struct rest *rest = r->command;
    struct str text, hash;
    bool *verified = ARENA_NEW(r->arena, bool);
    int rc = read_text(tx, rest->body, "string", &text);
    if (rc == 0)
        rc = read_text(tx, rest->body, "hash", &hash);
    if (rc == 0)
        *verified = password_verify(tx->settings, hash, text);
    rest->finding = verified;
    return rc;
}

static int run_verify(struct request *r, struct tx *tx)
{
    const bool *verified = rest_of(r)->finding;
    struct buf b;
    rest_begin(&b);
    buf_put_str(&b, *verified ? STR("true") : STR("false"));
    return rest_end(r, tx, &b);
}

const struct route utils_routes[] = {
    {"GET", "/utils/random/string", ON_READER(run_random), 0},
    {"POST", "/utils/hash/generate", ON_READER_AFTER(run_hash, prepare_hash), 0},
    {"POST", "/utils/hash/verify", ON_READER_AFTER(run_verify, prepare_verify), 0},
    {NULL, NULL, {0}, 0},
};
