#ifndef SERVER_ROWS_FILE_H
#define SERVER_ROWS_FILE_H

/*
 * The rows of a CSV (RFC 4180, first line names the fields) or JSON file (a list of objects, or an
 * object whose only list is meant), and the fields that fit them.
 */

#include "base/arena.h"
#include "base/json.h"
#include "base/str.h"

struct rows_file {
    json_t *rows;     /* array of objects; the arena's */
    const int *lines; /* of each row in a CSV file; NULL: JSON, whose rows are counted */
    bool textual;     /* CSV: all values came as text */
};

enum { ROWS_FILE_BAD = 1 };
/* Reads all of it. ROWS_FILE_BAD: a message that names file and line was printed. */
int rows_file_read(struct arena *a, const char *path, struct rows_file *file_out);
/* "line 12" or "item 11": where a row stands, for messages. */
struct str rows_file_place(const struct rows_file *f, struct arena *a, size_t row);

/*
 * Infers the body of a new collection from all rows: types, lengths, nullability, primary key
 * (`key` if given, else a field `id` whose values are all there and all different, else a new
 * automatic one). CSV values are turned to numbers and truth values in place. NULL: `key` does not
 * fit; a message was printed.
 */
json_t *rows_file_infer(struct rows_file *f, struct arena *a, struct str collection,
                        struct str key);

#endif
