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

#include "base/map.h"
#include "model/catalogue.h"
#include "model/model.h"

struct grid_field;
struct zone; /* base/zone.h */

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
    struct str prefix, suffix; /* number: shown around it */
    struct str separator;      /* number: "SPACE_COMMA", …: between thousands, before decimals */
    unsigned stars;            /* rating: max_value */
    bool time;                 /* dates: date_include_time */
    bool twelve, show_zone;    /* dates: hours up to twelve; the offset is shown behind the time */
    struct str format;         /* dates: "EU", …; durations: "h:mm", … */
    struct str timezone;       /* dates: date_force_timezone; absent: none */
    const struct zone *zone;   /* that one, loaded; NULL: UTC */
    bool rich;                 /* long text: shown as Markdown */
    bool several;              /* link: link_row_multiple_relationships */
    const struct choice *choices; /* in the order in which they are shown */
    const struct choice *const *choices_by_id, *const *choices_by_name;
    size_t choice_count;
    struct value initial; /* of a new row's cell; null: none (rating, boolean: their empty one) */
    bool unique;          /* field_constraints has unique_with_empty */
};
const struct choice *settings_choice(const struct kind_settings *s, int64_t id); /* NULL */
const struct choice *settings_choice_named(const struct kind_settings *s, struct str value);

enum kind_flags {
    KIND_READ_ONLY = 1,   /* clients do not write it */
    KIND_NOT_PRIMARY = 2, /* see also kind_may_be_primary() */
    KIND_NOT_SORTED = 4,
    KIND_NOT_SEARCHED = 8,
    KIND_UNIQUE = 16,  /* may have the constraint unique_with_empty, and an index */
    KIND_TEXTUAL = 32, /* a text as it is: filters on text, empty is "" */
    KIND_IGNORED = 64, /* what clients write is ignored, not refused (10.4, last row) */
};

struct kind {
    enum kind_id id;
    const char *name;      /* on the wire: "long_text" */
    unsigned flags;        /* of enum kind_flags */
    const char *interface; /* of Directus, for fields that are made here; NULL: its default one */
    unsigned types;        /* bits 1 << enum type_id of the columns that may hold its cells */
};
extern const struct kind kinds[KIND_COUNT];
const struct kind *kind_find(struct str name); /* NULL: unknown */
/* May this column hold cells of the kind? Else what was written down of the field is no longer true
 * (its type was changed by other means), and kind_of_column() counts. */
bool kind_fits(const struct kind *kind, const struct column *column);
/* Not so: links, passwords, rich text. */
bool kind_may_be_primary(const struct kind *kind, const struct kind_settings *s);

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

/* The column that holds cells of this kind with these settings: type, size, default, and special
 * flags of Directus as directus_fields.special holds them (NULL: none). Name and index are the
 * caller's. False: it has none of its own. */
bool kind_column(const struct kind *kind, const struct kind_settings *s, struct column *column_out,
                 const char **special_out);
/* Options of the interface: the choices of a select field; NULL: none. Lives in the arena. */
json_t *kind_interface_options(struct arena *a, const struct kind *kind,
                               const struct kind_settings *s);
/* The kind and settings of a column that was made by other means (a key that counts itself up is an
 * autonumber). The settings live in the arena. */
const struct kind *kind_of_column(struct arena *a, const struct field *f, bool is_link,
                                  json_t **settings_out);

/* ---- values ---- */

/*
 * What was sent → a cell that fits the column. 0; KIND_MISTAKEN with a code of 8.4 and a sentence;
 * KIND_KEPT: the cell stays as it is (a password that is sent back as `true`, which is how it is
 * told); REFUSED GRID_CHOICE_UNKNOWN by tx->problem. Not for links and read-only kinds.
 *
 * A password comes out hashed, from tx->prepared: who writes one has asked kind_needs_preparing()
 * and, on a reader, called kind_prepare() with the same JSON before the write began.
 */
struct kind_mistake {
    const char *code;
    struct str sentence; /* in the arena */
};
enum { KIND_MISTAKEN = 2, KIND_KEPT = 3 };
int kind_read(struct tx *tx, const struct grid_field *f, const json_t *json,
              struct value *value_out, struct kind_mistake *mistake_out);
bool kind_needs_preparing(const struct grid_field *f, const json_t *json);
/* Hashes the password; 0, a fault, or REFUSED (too many of them in one request). */
int kind_prepare(struct tx *tx, const struct grid_field *f, const json_t *json);
/* Is this the password whose hash the cell holds? Slow. */
bool kind_password_fits(const struct tx *tx, const struct grid_field *f, const struct value *cell,
                        struct str plain);
/* A cell → JSON (10.3). In memory only; any thread. */
void kind_write(struct buf *b, const struct grid_field *f, const struct value *cell);
/* A cell as people read it: for search, names of rows, conversion. Appends nothing for an empty
 * one. */
void kind_put_text(struct buf *b, const struct grid_field *f, const struct value *cell);
/* Is the cell empty as section 11 says? */
bool kind_is_empty(const struct grid_field *f, const struct value *cell);
/* The cell of an empty field; of one with the constraint unique_with_empty: null, so that the
 * unique column of the store lets any number of them be. */
struct value kind_empty(const struct grid_field *f);

/*
 * A cell of one field as a cell of another one that takes its place: kept where it converts, else
 * empty (10.2). Choices of `after` exist already (kind_new_choices). Links are convert.c's, and so
 * are cells that the server makes (uuid, autonumber): they come out null.
 */
struct value kind_convert(struct arena *a, const struct grid_field *before,
                          const struct grid_field *after, const struct value *cell);
/* Text that people wrote as a cell, as kind_convert() takes it: for cells that are imported, and
 * for names of linked rows. Empty where it is none. */
struct value kind_parse(struct arena *a, const struct grid_field *f, struct str text);

/*
 * Choices that a field lacks before it can take others' cells: kind_collect_choices() for each
 * cell, then kind_new_choices() makes settings with them, in the order in which they were met.
 */
struct kind_names {
    struct arena *arena;
    struct map seen; /* map_deinit() by who made it */
    struct str *at;
    size_t count, capacity;
};
void kind_collect_choices(struct kind_names *names, const struct grid_field *before,
                          const struct grid_field *after, const struct value *cell);
/* A copy of the settings (as they are stored) with the choices added; a new reference. */
json_t *kind_new_choices(const json_t *settings, const struct kind_names *names,
                         int64_t *next_choice);

/* ---- history (5.8) ---- */

/* The value as row history tells it: select options and people by id. */
void kind_write_history(struct buf *b, const struct grid_field *f, const struct value *cell);
/*
 * `"id":31,"type":"number","number_decimal_places":2,…`: the field's metadata, with the options and
 * people that the cells name (either may be NULL). What links need beside it is the caller's.
 */
void kind_put_history_metadata(struct buf *b, const struct grid_field *f,
                               const struct value *before, const struct value *after);

#endif
