#include "model/password.h"

#include <argon2.h>
#include <errno.h>

#include "base/fault.h"
#include "base/random.h"
#include "model/model.h"

/*
 * Passwords: argon2id in PHC form, "$argon2id$v=19$m=65536,t=3,p=4$<salt>$<hash>".
 *
 * Hashes may come from another instance or another program with its own parameters. Those are in
 * the hash itself, so whoever can name one could make each check take all memory and minutes: none
 * may cost more than the hashes made here, or than the usual ones where those are made cheaper.
 */

enum { LANES = 4, SALT_BYTES = 16, HASH_BYTES = 32, PHC_BYTES_MAX = 512 };
enum { MEMORY_KIB_MIN = 8 * LANES }; /* below that there is no argon2 (RFC 9106, 3.1) */
enum { USUAL_MEMORY_KIB = 65536, USUAL_PASSES = 3, LANES_MAX = 16 };

int password_hash(const struct model_settings *settings, struct arena *a, struct str plain,
                  struct str *phc_out)
{
    uint8_t salt[SALT_BYTES];
    char phc[PHC_BYTES_MAX];
    unsigned memory_kib = settings->argon2_memory_kib;

    if (memory_kib < MEMORY_KIB_MIN)
        memory_kib = MEMORY_KIB_MIN;
    random_bytes(salt, sizeof(salt));
    int rc = argon2id_hash_encoded(settings->argon2_passes, memory_kib, LANES, plain.at, plain.len,
                                   salt, sizeof(salt), HASH_BYTES, phc, sizeof(phc));
    if (rc != ARGON2_OK)
        return FAULT_BECAUSE(rc == ARGON2_MEMORY_ALLOCATION_ERROR ? ENOMEM : EINVAL, "argon2id: %s",
                             argon2_error_message(rc));
    *phc_out = arena_str(a, str_of(phc));
    return 0;
}

/* Reads "<letter>=<number>" off the parameters. */
static bool read_parameter(struct str *rest, char letter, int64_t max)
{
    struct str part;
    int64_t number;

    return str_next(rest, ',', &part) && part.len > 2 && part.at[0] == letter &&
           part.at[1] == '=' && str_to_int64(str_skip(part, 2), &number) == 0 && number > 0 &&
           number <= max;
}

static int64_t larger(int64_t one, int64_t other)
{
    return one > other ? one : other;
}

static bool is_affordable(const struct model_settings *settings, struct str phc)
{
    struct str part, rest = phc;
    int64_t memory_kib_max = larger(settings->argon2_memory_kib, USUAL_MEMORY_KIB);
    int64_t passes_max = larger(settings->argon2_passes, USUAL_PASSES);

    if (!str_starts_with(phc, STR("$argon2id$")) || phc.len >= PHC_BYTES_MAX)
        return false;
    for (int i = 0; i < 3; i++) /* "", "argon2id", the version */
        if (!str_next(&rest, '$', &part))
            return false;
    if (str_starts_with(part, STR("v=")) && !str_next(&rest, '$', &part))
        return false; /* hashes of the first version have none */
    return read_parameter(&part, 'm', memory_kib_max) && read_parameter(&part, 't', passes_max) &&
           read_parameter(&part, 'p', LANES_MAX) && !part.at;
}

bool password_verify(const struct model_settings *settings, struct str phc, struct str plain)
{
    char z[PHC_BYTES_MAX];

    if (!phc.at || !plain.at || !is_affordable(settings, phc) || memchr(phc.at, '\0', phc.len))
        return false;
    memcpy(z, phc.at, phc.len);
    z[phc.len] = '\0';
    return argon2id_verify(z, plain.at, plain.len) == ARGON2_OK;
}
