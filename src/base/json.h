#ifndef BASE_JSON_H
#define BASE_JSON_H

/*
 * JSON: reading is jansson's, with our limits; writing is ours, straight into a buffer.
 */

#include <jansson.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/str.h"

enum { JSON_MALFORMED = 1 };
/*
 * Reads one JSON value of any kind (RFC 8259): no NUL in strings, nesting at most 100, integers of
 * 64 bits, the last of equal keys wins. Returns 0 and a new reference, or JSON_MALFORMED with a
 * reason in `reason_out` (arena) when that is not NULL; without it the arena may be NULL.
 */
int json_read(struct arena *arena, struct str text, json_t **value_out, struct str *reason_out);
/* The same; the arena owns the reference, so the value is borrowed and lives as long as the arena.
 */
int json_read_in(struct arena *arena, struct str text, json_t **value_out, struct str *reason_out);

void json_release(void *value); /* json_decref, for arena_on_free */
static inline void json_unref(json_t *value)
{
    json_decref(value);
}
AUTO_DEFINE(json_unref, json_t *)

struct str json_str(const json_t *value); /* a string's bytes; absent if it is none */
json_t *json_get(const json_t *object, const char *key); /* borrowed; NULL if absent or no object */
struct str json_get_str(const json_t *object, const char *key); /* absent if it is no string */
/* True for what JavaScript calls truthy: not null, false, 0, "" (absent counts as falsy). */
bool json_truthy(const json_t *value);

void json_put_str(struct buf *b, struct str s); /* quoted and escaped; invalid UTF-8 replaced */
void json_put_int(struct buf *b, int64_t number);
/* As str_from_double; integral below 1e15 without fraction, no "-0"; infinities and NaN as null. */
void json_put_double(struct buf *b, double number);
void json_put_value(struct buf *b, const json_t *value); /* any value, compact; NULL writes null */
struct str json_text(struct arena *arena, const json_t *value); /* compact text */

#endif
