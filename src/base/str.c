#include "base/str.h"

#include "base/mem.h"
#include "base/random.h"

#include <assert.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

int str_compare(struct str a, struct str b)
{
    size_t shorter = a.len < b.len ? a.len : b.len;
    int order = shorter > 0 ? memcmp(a.at, b.at, shorter) : 0;

    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

bool str_equal_nocase(struct str a, struct str b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (lower(a.at[i]) != lower(b.at[i]))
            return false;
    return true;
}

bool str_starts_with(struct str s, struct str prefix)
{
    return s.len >= prefix.len && str_equal((struct str){s.at, prefix.len}, prefix);
}

bool str_ends_with(struct str s, struct str suffix)
{
    return s.len >= suffix.len && str_equal(str_skip(s, s.len - suffix.len), suffix);
}

bool str_contains(struct str s, struct str needle)
{
    if (needle.len == 0)
        return true;
    return s.len >= needle.len && memmem(s.at, s.len, needle.at, needle.len);
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

struct str str_trim(struct str s)
{
    while (s.len > 0 && is_blank(s.at[0]))
        s = str_skip(s, 1);
    while (s.len > 0 && is_blank(s.at[s.len - 1]))
        s.len--;
    return s;
}

struct str str_skip(struct str s, size_t count)
{
    if (count > s.len)
        count = s.len;
    return s.at ? (struct str){s.at + count, s.len - count} : s;
}

bool str_next(struct str *rest, char separator, struct str *part_out)
{
    if (!rest->at)
        return false;

    const char *end = memchr(rest->at, separator, rest->len);
    if (!end) {
        *part_out = *rest;
        *rest = STR_NULL;
        return true;
    }
    size_t len = (size_t)(end - rest->at);
    *part_out = (struct str){rest->at, len};
    *rest = str_skip(*rest, len + 1);
    return true;
}

/* Numbers */

int str_to_int64(struct str s, int64_t *number_out)
{
    bool negative = s.len > 0 && s.at[0] == '-';
    int64_t number = 0;
    bool overflow = false;

    if (s.len > 0 && (s.at[0] == '-' || s.at[0] == '+'))
        s = str_skip(s, 1);
    if (s.len == 0)
        return STR_NOT_A_NUMBER;
    for (size_t i = 0; i < s.len; i++) {
        int digit = s.at[i] - '0';
        if (digit < 0 || digit > 9)
            return STR_NOT_A_NUMBER;
        /* Counted towards the sign, because the negative side reaches one further. */
        overflow = overflow || __builtin_mul_overflow(number, 10, &number) ||
                   __builtin_add_overflow(number, negative ? -digit : digit, &number);
    }
    if (overflow)
        return STR_OUT_OF_RANGE;
    *number_out = number;
    return 0;
}

static size_t skip_digits(struct str s, size_t i)
{
    while (i < s.len && s.at[i] >= '0' && s.at[i] <= '9')
        i++;
    return i;
}

static size_t skip_sign(struct str s, size_t i)
{
    return i < s.len && (s.at[i] == '-' || s.at[i] == '+') ? i + 1 : i;
}

/* [sign] digits [. digits] [e [sign] digits], one digit at least on either side of the point. */
static bool is_decimal(struct str s)
{
    size_t start = skip_sign(s, 0);
    size_t i = skip_digits(s, start);
    size_t digits = i - start;

    if (i < s.len && s.at[i] == '.') {
        size_t fraction = i + 1;
        i = skip_digits(s, fraction);
        digits += i - fraction;
    }
    if (digits == 0)
        return false;
    if (i < s.len && lower(s.at[i]) == 'e') {
        size_t exponent = skip_sign(s, i + 1);
        i = skip_digits(s, exponent);
        if (i == exponent)
            return false;
    }
    return i == s.len;
}

static locale_t c_locale;

static void make_c_locale(void)
{
    c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!c_locale)
        mem_exhausted();
}

static locale_t get_c_locale(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, make_c_locale);
    return c_locale;
}

int str_to_double(struct str s, double *number_out)
{
    char small[64];

    if (!is_decimal(s))
        return STR_NOT_A_NUMBER;

    char *text = s.len < sizeof(small) ? small : mem_alloc_raw(s.len + 1);
    memcpy(text, s.at, s.len);
    text[s.len] = '\0';
    double number = strtod_l(text, NULL, get_c_locale());
    if (text != small)
        mem_free(text);
    if (isinf(number))
        return STR_OUT_OF_RANGE;
    *number_out = number;
    return 0;
}

size_t str_from_double(double number, char *text_out)
{
    locale_t c = get_c_locale();
    int len = 0;

    assert(isfinite(number));
    if (number == 0)
        number = 0; /* no sign: "-0" surprises more readers than it serves */
    locale_t before = uselocale(c);
    for (int digits = 15; digits <= 17; digits++) {
        len = snprintf(text_out, STR_DOUBLE_SIZE, "%.*g", digits, number);
        if (strtod_l(text_out, NULL, c) == number)
            break;
    }
    uselocale(before);
    return (size_t)len;
}

/*
 * Hashing: SipHash-1-3 (Aumasson and Bernstein). With a key that nobody outside knows, colliding
 * keys cannot be chosen; at one and three rounds it costs little more than a hash that can be.
 */

static uint64_t hash_key[2];

static void make_hash_key(void)
{
    random_bytes(hash_key, sizeof(hash_key));
}

static uint64_t rotate(uint64_t x, int bits)
{
    return (x << bits) | (x >> (64 - bits));
}

static void sip_round(uint64_t v[static 4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] = rotate(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] = rotate(v[2], 32);
}

uint64_t str_hash(struct str s)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    uint64_t word, last = (uint64_t)s.len << 56;
    size_t i = 0;

    pthread_once(&once, make_hash_key);
    uint64_t v[4] = {hash_key[0] ^ 0x736f6d6570736575, hash_key[1] ^ 0x646f72616e646f6d,
                     hash_key[0] ^ 0x6c7967656e657261, hash_key[1] ^ 0x7465646279746573};

    for (; i + sizeof(word) <= s.len; i += sizeof(word)) {
        memcpy(&word, s.at + i, sizeof(word));
        v[3] ^= word;
        sip_round(v);
        v[0] ^= word;
    }
    for (int shift = 0; i < s.len; i++, shift += 8)
        last |= (uint64_t)(unsigned char)s.at[i] << shift;
    v[3] ^= last;
    sip_round(v);
    v[0] ^= last;

    v[2] ^= 0xff;
    for (int round = 0; round < 3; round++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}
