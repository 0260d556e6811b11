#include "base/text.h"

#include "base/mem.h"

#include <locale.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <wctype.h>

#include <openssl/evp.h>

/*
 * UTF-8, RFC 3629 section 4. The state between two bytes says how many are still to come and the
 * range that the next must lie in: only the byte after the first has a range of its own, and that
 * range is what rules out overlong forms, surrogates and code points past U+10FFFF.
 */

enum { TAIL_MIN = 0x80, TAIL_MAX = 0xbf };
#define EXPECT(count, min, max) ((uint32_t)(count) | (uint32_t)(min) << 8 | (uint32_t)(max) << 16)

static uint32_t after_first(unsigned char byte)
{
    if (byte < 0x80)
        return 0;
    if (byte < 0xc2 || byte > 0xf4)
        return TEXT_UTF8_INVALID;
    if (byte < 0xe0)
        return EXPECT(1, TAIL_MIN, TAIL_MAX);
    if (byte < 0xf0)
        return EXPECT(2, byte == 0xe0 ? 0xa0 : TAIL_MIN, byte == 0xed ? 0x9f : TAIL_MAX);
    return EXPECT(3, byte == 0xf0 ? 0x90 : TAIL_MIN, byte == 0xf4 ? 0x8f : TAIL_MAX);
}

static uint32_t after_next(uint32_t state, unsigned char byte)
{
    uint32_t left = (state & 0xff) - 1;

    if (byte < (state >> 8 & 0xff) || byte > state >> 16)
        return TEXT_UTF8_INVALID;
    return left > 0 ? EXPECT(left, TAIL_MIN, TAIL_MAX) : 0;
}

static size_t ascii_run(const char *bytes, size_t size)
{
    size_t i = 0;
    uint64_t word;

    for (; i + sizeof(word) <= size; i += sizeof(word)) {
        memcpy(&word, bytes + i, sizeof(word));
        if (word & 0x8080808080808080)
            break;
    }
    while (i < size && (unsigned char)bytes[i] < 0x80)
        i++;
    return i;
}

uint32_t text_utf8_feed(uint32_t state, const char *bytes, size_t size)
{
    for (size_t i = 0; i < size && state != TEXT_UTF8_INVALID; i++) {
        if (state == 0) {
            i += ascii_run(bytes + i, size - i);
            if (i == size)
                break;
        }
        unsigned char byte = (unsigned char)bytes[i];
        state = state == 0 ? after_first(byte) : after_next(state, byte);
    }
    return state;
}

bool text_is_utf8(struct str s)
{
    return text_utf8_feed(0, s.at, s.len) == 0;
}

bool text_is_plain(struct str s)
{
    return text_is_utf8(s) && !(s.len > 0 && memchr(s.at, '\0', s.len));
}

size_t text_utf8_sequence(const char *bytes, size_t size)
{
    uint32_t state = 0;

    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        state = i == 0 ? after_first(byte) : after_next(state, byte);
        if (state == 0)
            return i + 1;
        if (state == TEXT_UTF8_INVALID)
            return 0;
    }
    return 0;
}

size_t text_length(struct str s)
{
    size_t length = 0;

    for (size_t i = 0; i < s.len; i++)
        length += ((unsigned char)s.at[i] & 0xc0) != 0x80;
    return length;
}

/* Folding */

enum { SEQUENCE_MAX = 4 };

static locale_t fold_locale;

static void make_fold_locale(void)
{
    fold_locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    if (!fold_locale) {
        /* Folding otherwise than the stores do would answer filters wrongly without a word. */
        fputs("rowcast: this system lacks the locale C.UTF-8\n", stderr);
        abort();
    }
}

static uint32_t decode(const char *bytes, size_t length)
{
    static const unsigned char first_mask[SEQUENCE_MAX + 1] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t point = (unsigned char)bytes[0] & first_mask[length];

    for (size_t i = 1; i < length; i++)
        point = point << 6 | ((unsigned char)bytes[i] & 0x3f);
    return point;
}

static size_t encode(uint32_t point, char *to)
{
    static const unsigned char first_mark[SEQUENCE_MAX + 1] = {0, 0, 0xc0, 0xe0, 0xf0};
    size_t length = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;

    for (size_t i = length - 1; i > 0; i--, point >>= 6)
        to[i] = (char)(0x80 | (point & 0x3f));
    to[0] = (char)(first_mark[length] | point);
    return length;
}

/* Folds the code point, or the one invalid byte, that the text begins with. */
static size_t fold_one(struct str *rest, char *to)
{
    unsigned char byte = (unsigned char)rest->at[0];
    size_t length = byte < 0x80 ? 1 : text_utf8_sequence(rest->at, rest->len);
    size_t written = 1;

    if (length > 1)
        written = encode((uint32_t)towlower_l((wint_t)decode(rest->at, length), fold_locale), to);
    else
        to[0] = (char)(byte >= 'A' && byte <= 'Z' ? byte | 0x20 : byte);
    *rest = str_skip(*rest, length > 0 ? length : 1);
    return written;
}

/* Folds as much from the front of `rest` as is sure to fit. Returns how much it wrote. */
static size_t fold_some(struct str *rest, char *to, size_t room)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    size_t written = 0;

    pthread_once(&once, make_fold_locale);
    while (rest->len > 0 && written + SEQUENCE_MAX <= room)
        written += fold_one(rest, to + written);
    return written;
}

void text_put_folded(struct buf *b, struct str s)
{
    char piece[512];

    while (s.len > 0)
        buf_put(b, piece, fold_some(&s, piece, sizeof(piece)));
}

struct str text_fold(struct arena *a, struct str s)
{
    if (!s.at)
        return STR_NULL;

    struct buf folded;
    buf_init(&folded, SIZE_MAX);
    text_put_folded(&folded, s);
    struct str copy = arena_str(a, folded.at ? buf_str(&folded) : STR(""));
    buf_deinit(&folded);
    return copy;
}

bool text_contains_folded(struct str s, struct str needle_folded)
{
    char small[1024];
    struct str rest = s;
    size_t len = fold_some(&rest, small, sizeof(small));

    if (rest.len == 0)
        return str_contains((struct str){small, len}, needle_folded);

    struct buf folded;
    buf_init(&folded, SIZE_MAX);
    buf_put(&folded, small, len);
    text_put_folded(&folded, rest);
    bool found = str_contains(buf_str(&folded), needle_folded);
    buf_deinit(&folded);
    return found;
}

/* Words */

/* The code point that a text which is not empty begins with, and its length. Of the C.UTF-8 locale,
 * as folding is. */
static bool begins_with_word(struct str s, size_t *length_out)
{
    size_t length = text_utf8_sequence(s.at, s.len);
    uint32_t point = length > 0 ? decode(s.at, length) : 0;

    *length_out = length > 0 ? length : 1;
    return point == '_' || iswalnum_l((wint_t)point, fold_locale);
}

static bool has_word(struct str folded, struct str word)
{
    bool after_word = false;

    for (;;) {
        struct str behind = str_skip(folded, word.len);
        size_t length;
        if (!after_word && str_starts_with(folded, word) &&
            (behind.len == 0 || !begins_with_word(behind, &length)))
            return true;
        if (folded.len == 0)
            return false;
        after_word = begins_with_word(folded, &length);
        folded = str_skip(folded, length);
    }
}

bool text_has_word(struct str s, struct str word_folded)
{
    if (!text_contains_folded(s, word_folded)) /* and there is a locale */
        return false;

    struct buf folded;
    buf_init(&folded, SIZE_MAX);
    text_put_folded(&folded, s);
    bool found = has_word(buf_str(&folded), word_folded);
    buf_deinit(&folded);
    return found;
}

/* Forms and digests */

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

bool text_is_uuid(struct str s)
{
    static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

    if (s.len != sizeof(form) - 1)
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (form[i] == '-' ? s.at[i] != '-' : !is_hex(s.at[i]))
            return false;
    return true;
}

static void digest(struct str s, const EVP_MD *kind, unsigned char *to)
{
    if (EVP_Digest(s.at ? s.at : "", s.len, to, NULL, kind, NULL) != 1)
        mem_exhausted(); /* the only way these can fail */
}

void text_sha256_hex(struct str s, char *hex_out)
{
    static const char hex[] = "0123456789abcdef";
    unsigned char bytes[(SHA256_HEX_SIZE - 1) / 2];

    digest(s, EVP_sha256(), bytes);
    for (size_t i = 0; i < sizeof(bytes); i++) {
        hex_out[2 * i] = hex[bytes[i] >> 4];
        hex_out[2 * i + 1] = hex[bytes[i] & 0x0f];
    }
    hex_out[SHA256_HEX_SIZE - 1] = '\0';
}

void text_sha1(struct str s, uint8_t *digest_out)
{
    digest(s, EVP_sha1(), digest_out);
}

void text_put_base64(struct buf *b, const void *bytes, size_t size)
{
    enum { PIECE_MAX = 48 }; /* a multiple of three, so that padding ends the last piece only */
    const unsigned char *from = bytes;
    unsigned char text[PIECE_MAX / 3 * 4 + 1];

    while (size > 0) {
        size_t piece = size < PIECE_MAX ? size : PIECE_MAX;
        buf_put(b, text, (size_t)EVP_EncodeBlock(text, from, (int)piece));
        from += piece;
        size -= piece;
    }
}
