#ifndef STORE_SQLITE_H
#define STORE_SQLITE_H

/* The SQLite driver's inside: sqlite.c (connection), sqlite_statement.c (statements),
 * sqlite_functions.c (our functions in SQL), sqlite_alter.c (rebuilding tables),
 * sqlite_copy.c (taking an instance elsewhere). */

#include <sqlite3.h>

#include "store/driver.h"
#include "store/kept.h"

enum { SQLITE_STATEMENTS_MAX = 128 };

struct sqlite_prepared {
    struct kept kept; /* first */
    sqlite3_stmt *stmt;
};

/* A table that is being rebuilt: what rowcast_convert(value, i) needs to know. */
struct sqlite_conversion {
    const struct shape *after;
    const struct column *const *from; /* by column of `after` */
    const struct column *failed;      /* the column whose value did not fit */
};

struct sqlite {
    struct store store; /* first */
    sqlite3 *db;
    int lock_fd;               /* below 0: none */
    struct kept_list prepared; /* of struct sqlite_prepared */
    struct sqlite_conversion conversion;
    int log_pages;     /* in the write-ahead log, as of the latest commit */
    int log_pages_due; /* past this many, readers are waited for (sqlite_checkpoint) */
};

static inline struct sqlite *sqlite_of(struct store *s)
{
    return (struct sqlite *)(void *)s;
}

/* sqlite_statement.c */
int sqlite_run(struct store *s, struct statement *st, store_row_fn *row, void *context);
void sqlite_forget_statements(struct sqlite *s);
int64_t sqlite_inserted_key(struct store *s);
/* What SQLite's result code means to the one who called: an outcome of store.h or a fault. */
int sqlite_result(struct sqlite *s, const struct shape *shape, int code);

/* sqlite_functions.c: SQLite's result code. */
int sqlite_add_functions(struct sqlite *s);
#define SQLITE_FORM_POINTER "rowcast-form"
#define SQLITE_LIST_POINTER "rowcast-list"
struct sqlite_list {
    const struct operand *operands;
    size_t count;
};

/* sqlite_copy.c: taking an instance elsewhere */
int sqlite_last_key(struct store *s, const struct shape *shape, int64_t *key_out);
int sqlite_raise_last_key(struct store *s, const struct shape *shape, int64_t key);
int sqlite_backup(struct store *s, struct str filename);

/* sqlite_alter.c */
int sqlite_drop_table(struct store *s, struct str name);
int sqlite_alter_table(struct store *s, const struct shape *before, const struct shape *after,
                       const struct str *from);

#endif
