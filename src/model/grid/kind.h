#ifndef MODEL_GRID_KIND_H
#define MODEL_GRID_KIND_H

/*
 * Kinds of fields (baserow.md 10): one table of them says all there is to know of each. Name,
 * settings, the column that holds it, JSON in and out, text in and out (conversion, search, names
 * of rows), what it may do. It is also where the types of columns that others made are mapped to
 * kinds and back: kinds[] and kind_of_column() in kind.c. A new kind is one row there.
 *
 * A cell is a struct value of the field's column. Kinds of several (multiple select, collaborators)
 * hold "3,5" in a csv column; links are no cells (links.h).
 */

#include "model/catalogue.h"
#include "model/model.h"

struct grid_field;

enum kind_id {
    KIND_TEXT,
    KIND_LONG_TEXT,
    KIND_URL,
    KIND_EMAIL,
    KIND_PHONE_NUMBER,
    KIND_NUMBER,
    KIND_RATING,
    KIND_BOOLEAN,
    KIND_DATE,
    KIND_DURATION,
    KIND_SINGLE_SELECT,
    KIND_MULTIPLE_SELECT,
    KIND_LINK_ROW,
    KIND_MULTIPLE_COLLABORATORS,
    KIND_CREATED_ON,
    KIND_LAST_MODIFIED,
    KIND_CREATED_BY,
    KIND_LAST_MODIFIED_BY,
    KIND_AUTONUMBER,
    KIND_UUID,
    KIND_PASSWORD,
    KIND_COUNT
};

struct choice { /* of a select field */
    int64_t id; /* unique in the instance, never given twice */
    struct str value, color;
};

/* The settings of one field, decoded. What its kind does not have is zero. */
struct kind_settings {
    const json_t *json; /* an object with every setting of the kind, in the order of 10.3 */
    unsigned decimals;  /* number */
    bool negative;
    unsigned stars;      /* rating: max_value */
    bool time;           /* dates: date_include_time */
    struct str format;   /* dates: "EU", …; durations: "h:mm", … */
    struct str timezone; /* dates: date_force_timezone; absent: none */
    bool several;        /* link: link_row_multiple_relationships */
    const struct choice *choices;
    size_t choice_count;
    struct value initial; /* of a new row's cell; null: none (rating, boolean: their empty one) */
    bool unique;          /* field_constraints has unique_with_empty */
};
const struct choice *settings_choice(const struct kind_settings *s, int64_t id); /* NULL */
const struct choice *settings_choice_named(const struct kind_settings *s, struct str value);

enum kind_flags {
    KIND_READ_ONLY = 1, /* clients do not write it */
    KIND_NOT_PRIMARY = 2,
    KIND_NOT_SORTED = 4,
    KIND_NOT_SEARCHED = 8,
    KIND_UNIQUE = 16,  /* may have the constraint unique_with_empty, and an index */
    KIND_TEXTUAL = 32, /* a text as it is: filters on text, empty is "" */
    KIND_IGNORED = 64, /* what clients write is ignored, not refused (10.4, last row) */
};

struct kind {
    enum kind_id id;
    const char *name; /* on the wire: "long_text" */
    unsigned flags;   /* of enum kind_flags */
};
extern const struct kind kinds[KIND_COUNT];
const struct kind *kind_find(struct str name); /* NULL: unknown */

/* ---- settings ---- */

/*
 * Reads what a body says of a kind's settings over those there are (NULL: the defaults; of another
 * kind: those of equal name). All keys of the kind are in *settings_out. Options without an id get
 * one from `next_choice`, which moves on. 0 or REFUSED (values as grid_refuse_value, with the keys
 * of the body; GRID_CHOICE_FOREIGN). link_row's own keys (10.7) are the caller's.
 */
int kind_read_settings(struct tx *tx, const struct kind *kind, const json_t *body,
                       const struct kind_settings *before, int64_t *next_choice,
                       json_t **settings_out);
/* Decodes settings as they are stored (NULL or what is missing: defaults). Never fails. */
struct kind_settings kind_settings_decode(struct arena *a, const struct kind *kind,
                                          const json_t *json);

/* The column that holds cells of this kind with these settings: type, size, default, special flags
 * of Directus, interface and options. Name and index are the caller's. False: it has none of its
 * own. */
bool kind_column(const struct kind *kind, const struct kind_settings *s, struct column *column_out,
                 const char **special_out);
/* The kind and settings of a column that was made by other means. */
const struct kind *kind_of_column(struct arena *a, const struct field *f, bool is_link,
                                  json_t **settings_out);

/* ---- values ---- */

/* People by number or UUID, as the catalogue knows them: for created_by and collaborators. */
struct kind_people {
    const struct workspace *workspace;
};

/* What was sent → a cell. 0, or the code of 8.4 in *code_out with a sentence; REFUSED
 * GRID_CHOICE_UNKNOWN by tx->problem. Not for links and read-only kinds. */
struct kind_mistake {
    const char *code;
    struct str sentence;
};
enum { KIND_MISTAKEN = 2 };
int kind_read(struct tx *tx, const struct grid_field *f, const json_t *json,
              struct value *value_out, struct kind_mistake *mistake_out);
/* A cell → JSON (10.3). In memory only; any thread. */
void kind_write(struct buf *b, const struct grid_field *f, const struct value *cell);
/* A cell as people read it: for search, names of rows, conversion. Appends nothing for an empty
 * one. */
void kind_put_text(struct buf *b, const struct grid_field *f, const struct value *cell);
/* Is the cell empty as section 11 says? */
bool kind_is_empty(const struct grid_field *f, const struct value *cell);
/* The cell of an empty field. */
struct value kind_empty(const struct grid_field *f);

/*
 * A cell of one field as a cell of another one that takes its place: kept where it converts, else
 * empty (10.2). Choices of `after` exist already (kind_new_choices). Links are convert.c's.
 */
struct value kind_convert(struct arena *a, const struct grid_field *before,
                          const struct grid_field *after, const struct value *cell);

/* ---- history (5.8) ---- */

/* The value as row history tells it: select options and collaborators by id. */
void kind_write_history(struct buf *b, const struct grid_field *f, const struct value *cell);
/* `"id":31,"type":"number","number_decimal_places":2,…`: the metadata without what is per cell. */
void kind_put_history_metadata(struct buf *b, const struct grid_field *f);

#endif
