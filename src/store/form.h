#ifndef STORE_FORM_H
#define STORE_FORM_H

/*
 * Forms: numbers and moments as people read them, for operators on text. A cell as text is the same
 * in all ends: form_text() serves the evaluator and SQLite, PostgreSQL's SQL is written to agree
 * (but on clocks of a zone that show a year before 1 or after 9999).
 */

#include "base/zone.h"
#include "store/type.h"

/* Moments: of a day, a date-time and a timestamp what `pattern` says, else of a number so many
 * digits behind the point, rounded half away from zero. */
struct form {
    /* "DD/MM/YYYY HH24:MI": parts are DD, MM, YYYY, HH24, HH12, MI and AM; between them stand signs
     * that are no letters, digits or quotes. Constant. NULL: a number's form */
    const char *pattern;
    struct str zone;          /* whose clocks show it; a date has none, and a date-time is UTC's */
    const struct zone *clock; /* the same, loaded; NULL: UTC */
    unsigned decimals;        /* of numbers, 0 to FORM_DECIMALS_MAX */
};
enum { FORM_DECIMALS_MAX = 10, FORM_TEXT_MAX = 352 };
/* Does the form fit what the column holds? */
bool form_fits(const struct form *f, const struct column *c);
/* The text of a value that is not null, FORM_TEXT_MAX bytes; absent when it is not of the form. */
struct str form_text(const struct form *f, const struct value *v, char *text_out);
/* A copy whose zone lives in the arena, too. */
const struct form *form_copy(struct arena *a, const struct form *f);

#endif
