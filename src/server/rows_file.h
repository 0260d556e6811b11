#ifndef SERVER_ROWS_FILE_H
#define SERVER_ROWS_FILE_H

/*
 * The rows of a CSV file (RFC 4180, the first line names the fields, an empty cell is no value) or
 * a JSON file (a list of objects, or an object whose only list is meant), and the fields that fit
 * them. A file is read whole, at most ROWS_FILE_BYTES_MAX of it.
 */

#include "base/arena.h"
#include "base/json.h"
#include "base/str.h"

struct rows_file {
    json_t *rows;     /* array of objects; the arena's */
    const int *lines; /* where each row of a CSV file begins; NULL: JSON, rows are counted */
    const char *const *names; /* of the fields of a CSV file, whose values all came as text */
    size_t name_count;        /* 0: JSON */
};

#define ROWS_FILE_BYTES_MAX ((size_t)1 << 30)
enum { ROWS_FILE_BAD = 1 };
/*
 * JSON is what is called .json, CSV what is called .csv; else the first byte tells. ROWS_FILE_BAD:
 * a message that names file and line was printed.
 */
int rows_file_read(struct arena *a, const char *path, struct rows_file *file_out);
/* "line 12" or "item 11": where a row stands, for messages. */
struct str rows_file_place(const struct rows_file *f, struct arena *a, size_t row);

/*
 * Infers the body of a new collection from all rows: types, nullability, primary key (`key` if
 * given, else a field `id`, else a new automatic one). Borrowed from the arena. NULL: the key's
 * values are not all there and all different, or nothing tells any field; a message was printed.
 */
json_t *rows_file_infer(const struct rows_file *f, struct arena *a, struct str collection,
                        struct str key);

#endif
