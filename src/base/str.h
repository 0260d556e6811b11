#ifndef BASE_STR_H
#define BASE_STR_H

/*
 * A string view: borrowed, passed by value, not terminated. The zero value is the empty string;
 * `at == NULL` means "absent" where a function says so.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
    const char *at;
    size_t len;
};

#define STR(literal) ((struct str){"" literal, sizeof(literal) - 1})
#define STR_NULL ((struct str){NULL, 0})
/* For initializers of static tables, where C17 allows no compound literal. */
/* clang-format off */
#define STR_INIT(literal) {"" literal, sizeof(literal) - 1}
#define STR_NULL_INIT {NULL, 0}
/* clang-format on */
/* For printf("%.*s", STR_ARG(s)). */
#define STR_ARG(s) (int)(s).len, ((s).at ? (s).at : "")

static inline struct str str_of(const char *terminated)
{
    return terminated ? (struct str){terminated, strlen(terminated)} : STR_NULL;
}

static inline bool str_equal(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

/* Byte order, shorter first: the order of SQLite's BINARY and PostgreSQL's "C" collation. */
int str_compare(struct str a, struct str b);
bool str_equal_nocase(struct str a, struct str b); /* ASCII case only */
bool str_starts_with(struct str s, struct str prefix);
bool str_ends_with(struct str s, struct str suffix);
bool str_contains(struct str s, struct str needle); /* bytes */
struct str str_trim(struct str s);                  /* ASCII blanks at both ends */
struct str str_skip(struct str s, size_t count);    /* without its first count bytes */

/*
 * Cuts the next part off `rest` at `separator`. Returns false when rest was absent (rest->at NULL);
 * after the last part rest becomes absent, so "a,,b" gives "a", "", "b" and "" gives one "".
 */
bool str_next(struct str *rest, char separator, struct str *part_out);

enum { STR_NOT_A_NUMBER = 1, STR_OUT_OF_RANGE = 2 };
/*
 * Whole-string conversions, decimal, in any locale: 0 or one of the outcomes above. A sign may come
 * first; no blanks, no "0x", no "nan"/"inf". A double too small to tell from zero is zero.
 */
int str_to_int64(struct str s, int64_t *number_out);
int str_to_double(struct str s, double *number_out);

/*
 * Writes the fewest of 15, 16 or 17 digits that read back as the same double, in the form that JSON
 * has for numbers; integral ones below 1e15 have no fraction. Not for infinities and NaN. Returns
 * the length; the text is terminated.
 */
enum { STR_DOUBLE_SIZE = 32 };
size_t str_from_double(double number, char *text_out);

/* Keyed by a random per-process seed, so that clients cannot choose colliding keys. */
uint64_t str_hash(struct str s);

#endif
