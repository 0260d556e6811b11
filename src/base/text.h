#ifndef BASE_TEXT_H
#define BASE_TEXT_H

/*
 * Unicode text: validity, case folding, digests and encodings.
 *
 * Folding is one code point to one code point by the C.UTF-8 locale, so that the evaluator, SQLite
 * (through a function of ours) and PostgreSQL (lower() in that collation) agree.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"

bool text_is_utf8(struct str s);  /* RFC 3629: no surrogates, no overlong forms */
bool text_is_plain(struct str s); /* UTF-8 without NUL: what JSON, URLs and stores can all hold */

/* Incremental validation for text that arrives in pieces; state starts at 0 (= complete). */
enum { TEXT_UTF8_INVALID = 0xff };
uint32_t text_utf8_feed(uint32_t state, const char *bytes, size_t size);

/* The length of the valid sequence that the bytes begin with, 1 to 4; 0 if they do not. */
size_t text_utf8_sequence(const char *bytes, size_t size);

/* Bytes that are no UTF-8 are copied as they are. */
void text_put_folded(struct buf *b, struct str s);
struct str text_fold(struct arena *a, struct str s);
bool text_contains_folded(struct str s, struct str needle_folded);
/* Somewhere in the text, with no letter, digit or underscore before it and none behind it. */
bool text_has_word(struct str s, struct str word_folded);
size_t text_length(struct str s); /* in code points */

bool text_is_uuid(struct str s);

enum { SHA256_HEX_SIZE = 65, SHA1_SIZE = 20 };
void text_sha256_hex(struct str s, char *hex_out); /* SHA256_HEX_SIZE bytes, terminated */
void text_sha1(struct str s, uint8_t *digest_out); /* SHA1_SIZE bytes */
void text_put_base64(struct buf *b, const void *bytes, size_t size);

#endif
