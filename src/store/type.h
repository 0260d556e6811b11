#ifndef STORE_TYPE_H
#define STORE_TYPE_H

/*
 * Field types, columns and shapes of SQL tables.
 *
 * One table of types (type.c) says all there is to know of each: name, SQL column in each store,
 * kind of value, operators that filters may use, and the way from JSON and back (directus.md G.4).
 * A new field type is one row there.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/str.h"
#include "store/value.h"

enum type_id {
    TYPE_STRING,
    TYPE_TEXT,
    TYPE_INTEGER,
    TYPE_BIG_INTEGER,
    TYPE_FLOAT,
    TYPE_DECIMAL,
    TYPE_BOOLEAN,
    TYPE_DATE,
    TYPE_TIME,
    TYPE_DATE_TIME,
    TYPE_TIMESTAMP,
    TYPE_UUID,
    TYPE_JSON,
    TYPE_CSV,
    TYPE_HASH,
    TYPE_COUNT
};

enum reference_action {
    ON_DELETE_NO_ACTION,
    ON_DELETE_RESTRICT,
    ON_DELETE_SET_NULL,
    ON_DELETE_SET_DEFAULT,
    ON_DELETE_CASCADE,
    ON_DELETE_COUNT
};
const char *reference_action_name(enum reference_action action); /* "NO ACTION" */
bool reference_action_find(struct str name, enum reference_action *action_out);

struct reference {
    struct str table, column; /* SQL names */
    enum reference_action on_delete;
};

enum { DECIMAL_PRECISION = 10, DECIMAL_SCALE = 5 };

struct column {
    struct str name; /* SQL name, also the field's name on the wire */
    enum type_id type;
    unsigned index;           /* position in its shape */
    unsigned length_max;      /* string, csv, hash: code points; 0: no limit */
    uint8_t precision, scale; /* decimal: precision 1 to 15; 0: DECIMAL_PRECISION and _SCALE */
    bool nullable, unique, indexed, primary_key, auto_increment;
    bool secret;                /* its value never enters an image: images say SECRET_SET or null */
    struct value default_value; /* null: none */
    const struct reference *reference; /* NULL: none */
};

/* What stands in an image for a secret that is set (directus.md section 0). */
#define SECRET_SET STR("**********")

struct shape {
    struct str name; /* of the SQL table */
    const struct column *columns;
    size_t count;
    unsigned key; /* index of the primary key */
};
const struct column *shape_column(const struct shape *s, struct str name); /* NULL: none */

enum { TYPE_MISMATCH = 1, TYPE_OUT_OF_RANGE = 2, TYPE_TOO_LONG = 3 };
struct type {
    const char *name; /* Directus's: "bigInteger" */
    enum value_kind kind;
    const char *sqlite,
        *postgres;      /* column declarations; %n, %p, %s stand for length, precision, scale */
    uint64_t operators; /* bits 1 << enum operator that a filter may use */
    /* JSON as a client writes it → value; 0 or an outcome above. NULL JSON is handled by type_read.
     */
    int (*read)(const struct column *c, const json_t *json, struct arena *a,
                struct value *value_out);
    void (*write)(struct buf *b, const struct value *v); /* a value that is not null, as JSON */
};
extern const struct type types[TYPE_COUNT];
bool type_find(struct str name, enum type_id *type_out);

/* JSON null gives null. Numbers accept numeric text, text accepts numbers, booleans "true" and 1,
 * and so on: G.4's column "write accepts". Checks length and range. */
int type_read(const struct column *c, const json_t *json, struct arena *a, struct value *value_out);
/* One cell as JSON. Integers past 2^53 are written as text, so that no client loses digits. */
static inline void type_write(struct buf *b, const struct column *c, const struct value *v)
{
    if (v->kind == VALUE_NULL)
        buf_put_lit(b, "null");
    else
        types[c->type].write(b, v);
}
/* What every value of the column fulfils: kind, range, length, UTF-8 without NUL. 0 or an outcome
 * above; null is fine. */
int type_check(const struct column *c, const struct value *v);
/* A value of column `from` as one of column `to`, exactly or not at all: for a field that changes
 * its type. 0 or an outcome above. */
int type_convert(const struct column *from, const struct column *to, const struct value *v,
                 struct arena *a, struct value *value_out);
/* A key as it stands in a URL or a list of keys: text or number. 0 or TYPE_MISMATCH. */
int type_read_key(const struct column *c, const json_t *json, struct arena *a,
                  struct value *value_out);

#endif
