#ifndef MODEL_GRID_KIND_INTERNAL_H
#define MODEL_GRID_KIND_INTERNAL_H

/*
 * What the files kind*.c share: the way of each family's values, and helpers of more than one.
 */

#include "model/grid/grid.h"

#define KIND_BIT(id) (1u << (id))
#define TYPE_BIT(id) (1u << (id))

/* The four ways of a cell. `json` is not null, `cell` neither. */
struct kind_values {
    /* 0, KIND_MISTAKEN, KIND_KEPT, REFUSED or a fault. What does not fit the column is found
     * afterwards, by kind_read(). */
    int (*read)(struct tx *tx, const struct grid_field *f, const json_t *json,
                struct value *value_out, struct kind_mistake *mistake_out);
    void (*write)(struct buf *b, const struct grid_field *f, const struct value *cell);
    void (*put_text)(struct buf *b, const struct grid_field *f, const struct value *cell);
    /* What put_text wrote, or people did. False: it is no such value. NULL: nothing is. */
    bool (*parse)(struct arena *a, const struct grid_field *f, struct str text,
                  struct value *value_out);
};
extern const struct kind_values textual_values, url_values, email_values, phone_values,
    password_values, number_values, rating_values, boolean_values, autonumber_values, date_values,
    duration_values, choice_values, choices_values, collaborators_values, person_values;

/* Fills *m; returns KIND_MISTAKEN. */
int kind_mistaken(struct kind_mistake *m, struct arena *a, const char *code, const char *sentence,
                  ...) PRINTF_LIKE(4, 5);

/* The cell, or null for an empty one of a field with the constraint unique_with_empty (kind.c). */
struct value kind_unless_empty(const struct grid_field *f, struct value cell);

/* ---- settings (kind_settings.c, kind_stored.c) ---- */

/* Every setting of the kind, in order; what is missing or makes no sense is its default. In the
 * arena. */
json_t *settings_normal(struct arena *a, const struct kind *kind, const json_t *stored);
/* `{"id":…,"value":…,"color":…}`; a new reference. */
json_t *choice_json(int64_t id, struct str value, struct str color);
struct str choice_color(size_t place); /* for one that was given none */

/* ---- decimal numbers (kind_decimal.c) ---- */

/* A number as it is written, exactly: digits[0, whole) before the point, `fraction` more behind it.
 * No zeros in front and none at the end of the fraction. */
enum { DECIMAL_DIGITS_MAX = 400, DECIMAL_COLUMN_DIGITS = 15 /* that a double keeps apart */ };
struct decimal {
    bool negative;
    unsigned whole, fraction;
    char digits[DECIMAL_DIGITS_MAX];
};
enum { DECIMAL_NONE = 1, DECIMAL_HUGE = 2 };
/* Digits, a point, an exponent: the whole text. 0 or an outcome above. */
int decimal_read(struct str text, struct decimal *d_out);
size_t digit_run(struct str s); /* how many digits it begins with */
/* Of an integer or a real, which counts as its 15 significant digits. */
struct decimal decimal_of(const struct value *number);
void decimal_round(struct decimal *d, unsigned places); /* half away from zero */
/* With exactly so many digits behind the point; rounded before. */
void decimal_put(struct buf *b, const struct decimal *d, unsigned places);
/* The cell of a column of numbers. False: it is beyond every one. */
bool decimal_cell(const struct column *c, const struct decimal *d, struct value *cell_out);
static inline double number_of(const struct value *cell)
{
    return cell->kind == VALUE_REAL ? cell->real : (double)cell->integer;
}

/* ---- booleans, moments (kind_number.c, kind_date.c) ---- */

bool boolean_read(struct str text, bool *truth_out); /* the spellings of 10.4 */
/* A cell of one field of dates as one of another: the day stays what people saw. */
bool date_convert(struct arena *a, const struct grid_field *before, const struct grid_field *after,
                  const struct value *cell, struct value *value_out);
bool kind_is_date(const struct kind *kind);

/* ---- durations (kind_duration.c) ---- */

/* Rounded to what the format shows; as a cell of the column. False: too long. */
bool duration_cell(const struct grid_field *f, double seconds, struct value *cell_out);

/* ---- lists of ids in a csv cell (kind_choice.c) ---- */

bool ids_next(struct str *rest, int64_t *id_out);
/* Names with commas between, quoted where they hold some; and back, into the arena. */
void names_put(struct buf *b, bool *first, struct str name);
bool names_next(struct arena *a, struct str *rest, struct str *name_out);
/* The cell for ids, in their order, each once. */
struct value ids_cell(struct arena *a, const int64_t *ids, size_t count);
const struct member *field_member(const struct grid_field *f, int64_t account); /* NULL: none */
const struct member *field_member_by_user(const struct grid_field *f, struct str user);

#endif
