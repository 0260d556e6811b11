#ifndef STORE_STORE_H
#define STORE_STORE_H

/*
 * One connection to the database: plain blocking calls, one thread at a time.
 *
 * Statements are structs, rendered to SQL by the driver (sqlite.c, postgres.c): no SQL text is
 * written outside this floor. Prepared statements are kept, keyed by their text.
 * A reader (STORE_READ) sees one moment, that of its first statement at the latest, to its end.
 */

#include <stdbool.h>
#include <stdint.h>

#include "store/expr.h"
#include "store/type.h"
#include "store/value.h"

struct store;

enum store_client { STORE_SQLITE, STORE_POSTGRES };
struct store_settings {
    enum store_client client;
    struct str filename;   /* SQLite */
    struct str connection; /* PostgreSQL: libpq's connection string or address. Holds secrets */
    bool shared; /* PostgreSQL: others may write meanwhile; false: the writer is alone, as on
                    SQLite */
};

enum store_access {
    STORE_READ,  /* begin: a snapshot */
    STORE_WRITE, /* begin: the one writer; durable when commit returns (synchronous=FULL, WAL) */
    /* begin: as STORE_WRITE, but a store that is far away inserts rows without waiting to hear of
     * it: store_insert() tells the row that will be there. One that is refused after all makes a
     * fault of a later statement or of commit (STORE_CONFLICT): to be run again as STORE_WRITE,
     * where each insert is told what came of it. */
    STORE_HASTE,
    /* As STORE_WRITE, and tables may be made, altered and dropped. References neither refuse nor
     * cascade meanwhile; all of them are checked at commit. */
    STORE_SCHEMA,
};

/* Outcomes of statements that write. store_detail() names table and column where the store knows.
 */
enum {
    STORE_NOT_UNIQUE = 1,
    STORE_NULL = 2,        /* a null where none may be */
    STORE_FOREIGN_KEY = 3, /* no such row there, or still referred to */
    STORE_RANGE = 4,       /* too long, out of range, or of a wrong kind */
    STORE_EXISTS = 5,      /* a table or column of that name is there already */
    STORE_LOCKED = 6,      /* another process has the database (store_open only) */
    /* PostgreSQL: longer than an index can take (some 2,700 bytes), or a row of so many columns
     * that a page does not hold it (8 kB, long texts by 18 bytes each) */
    STORE_TOO_LONG = 7,
};
struct store_detail {
    struct str table, column; /* absent where not known; valid until the next statement (a
                                 rollback is none) */
};

/* Opens; STORE_WRITE creates SQLite's file when it is not there (mode 0600) and takes the instance
 * lock: one process may write, unless `shared`. 0, STORE_LOCKED, or a fault. */
int store_open(const struct store_settings *settings, enum store_access access,
               struct store **store_out);
void store_close(struct store *s); /* rolls back what is open; accepts NULL */
struct store_detail store_detail(const struct store *s);
/* How many statements this connection has run, for who counts what something costs. */
uint64_t store_statements(const struct store *s);

/*
 * What a fault of the transaction that is open, or was the latest, means for it. Asked at the
 * boundary where a transaction can be run again; everybody between passes the fault up.
 */
enum store_trouble {
    STORE_SOUND,     /* no fault, or one that another try would meet again */
    STORE_CONFLICT,  /* a serialization failure, a deadlock, a table that changed under a read:
                        nothing of it is there, and another try is worth it */
    STORE_AWAY,      /* the connection was lost before commit, or cannot be made: nothing of it is
                        there. The next begin connects anew */
    STORE_UNCERTAIN, /* lost while committing: all of it is there, or nothing */
};
enum store_trouble store_trouble(const struct store *s);

int store_begin(struct store *s, enum store_access access); /* makes a lost connection anew */
int store_commit(struct store *s); /* a fault leaves nothing committed, but for STORE_UNCERTAIN;
                                      STORE_FOREIGN_KEY: STORE_SCHEMA's check failed, rolled back */
void store_rollback(struct store *s);
int store_savepoint(struct store *s); /* nests */
int store_release(struct store *s);
int store_rollback_to(struct store *s); /* undoes to the latest savepoint and removes it */

/* One output column; null where mask is not true. */
struct output {
    const struct column *column;
    const struct expr *mask; /* NULL: always */
};
/*
 * The texts of the rows of another table that a row is linked to, as one text with ", " between
 * them: folded, in the order of columns there, then of the key there. Null where there are none.
 * A link is a row of the junction: `near` refers to the row that is ordered, by its key, and `far`
 * to the other table's key. Numbers and moments are written as their texts, fractions as the store
 * writes them.
 */
struct order_through {
    const struct shape *junction;
    const struct column *near, *far;
    const struct shape *target;
    const struct column *target_key, *output;
    const struct column *const *target_orders; /* ascending */
    size_t target_order_count;
};
struct order {
    const struct column *column; /* unused where `through` is given */
    const struct expr *mask;     /* sorts as null where not true; NULL: always */
    bool descending;
    bool folded; /* text without regard to case, as the i… operators have it; among texts that are
                    alike then, the exact text decides. Nothing to other types */
    /* A column of whole numbers sorts by the place of its value in this list, and as null where it
     * has none. NULL: by value. */
    const int64_t *ranks;
    size_t rank_count;
    const struct order_through *through; /* NULL: by the column */
};
/* Nulls sort first ascending and last descending, on every store. The key breaks ties, ascending.
 */
struct select {
    const struct shape *shape;
    const struct output *outputs; /* NULL: every column in the shape's order */
    size_t output_count;
    const struct expr *where; /* NULL: all rows */
    const struct order *orders;
    size_t order_count;
    int64_t limit; /* below 0: all */
    int64_t offset;
    int64_t now_ms; /* for $NOW in expressions */
    bool lock;      /* its rows wait for other writers' transactions, and then are this one's */
};
/*
 * Called for each row; the values are borrowed until it returns. Not 0 stops the read with that; a
 * write is done in full and then returns it. It must not use the store that calls it. Of a write it
 * is called before the outcome is known: what it gathered counts only where 0 is returned.
 */
typedef int store_row_fn(void *context, const struct value *row);

int store_select(struct store *s, const struct select *select, store_row_fn *row, void *context);
int store_count(struct store *s, const struct select *select,
                int64_t *count_out); /* limit and offset ignored */

/* A value to put into a column. */
struct assignment {
    const struct column *column;
    struct value value;
};
/* Values fit their columns as type_check() has it, else STORE_RANGE. After an outcome or a fault
 * only store_rollback_to() or store_rollback() may follow: on PostgreSQL nothing else works then.
 * Columns that are not assigned get their default. `row`, if not NULL, gets the whole stored row.
 * Where keys count by themselves, one that is given is at most STORE_GIVEN_KEY_MAX, else
 * STORE_RANGE: a client could end the count for all others; SQLite then calls the disk full, and
 * undoes the whole transaction.
 */
#define STORE_GIVEN_KEY_MAX (INT64_MAX - (INT64_C(1) << 32))
int store_insert(struct store *s, const struct shape *shape, const struct assignment *assignments,
                 size_t count, store_row_fn *row, void *context);
/* `row`, if not NULL, gets each row as it is after the update; delete: as it was. In no fixed
 * order. */
int store_update(struct store *s, const struct shape *shape, const struct assignment *assignments,
                 size_t count, const struct expr *where, int64_t now_ms, store_row_fn *row,
                 void *context);
int store_delete(struct store *s, const struct shape *shape, const struct expr *where,
                 int64_t now_ms, store_row_fn *row, void *context);

/*
 * Many rows at once. Nothing is told of them.
 *
 * Writes 1, 2, 3 … into a column of whole numbers or fractions that is not unique: in every row of
 * the table its place by the orders, the key last.
 */
int store_renumber(struct store *s, const struct shape *shape, const struct column *column,
                   const struct order *orders, size_t order_count);
/* Gives each of many rows its own value in one column: the row of keys[i] gets values[i]. A key is
 * told once; one that no row has is passed over. Outcomes as store_update(): what an earlier
 * statement of the same call wrote is undone by the rollback that follows them. */
int store_assign_each(struct store *s, const struct shape *shape, const struct column *column,
                      const struct value *keys, const struct value *values, size_t count);
/* The greatest and the least value of a column of numbers in the rows that match (NULL: all;
 * nothing relative to now); null where all are null, or there are no rows. */
int store_maximum(struct store *s, const struct shape *shape, const struct column *column,
                  const struct expr *where, struct value *value_out);
int store_minimum(struct store *s, const struct shape *shape, const struct column *column,
                  const struct expr *where, struct value *value_out);

/* As store_insert() and store_update() for what nothing can refuse: a failure may be told late, as
 * the fault of a statement that follows, or of commit. */
int store_append(struct store *s, const struct shape *shape, const struct assignment *assignments,
                 size_t count);
int store_overwrite(struct store *s, const struct shape *shape,
                    const struct assignment *assignments, size_t count, const struct expr *where);

/* Tables; inside STORE_SCHEMA. Names are quoted; a name with NUL is a fault. Names of tables and
 * columns have at most STORE_NAME_MAX bytes: PostgreSQL would cut off the rest. */
enum { STORE_NAME_MAX = 63 };
int store_create_table(struct store *s, const struct shape *shape);
int store_drop_table(struct store *s, struct str name);
/* Makes the table `before` into `after`, of the same name, keeping rows: columns are matched by
 * from[i], the name in `before` of after's column i (absent: a new column, filled with its default
 * or null). Values that do not fit the new type or constraint: STORE_RANGE, STORE_NULL,
 * STORE_NOT_UNIQUE; nothing is changed. On PostgreSQL this and dropping check the references of
 * what was written before: STORE_FOREIGN_KEY. */
int store_alter_table(struct store *s, const struct shape *before, const struct shape *after,
                      const struct str *from);
int store_table_exists(struct store *s, struct str name, bool *exists_out);
/* Whether readers meet tables as they are now, with rows of the moment that they see: PostgreSQL's
 * do, until they have read of a table. One that was changed meanwhile then has nulls in columns, or
 * no rows at all, and no fault tells so. */
bool store_tables_shift(const struct store *s);

/* The highest key that a table whose key counts by itself ever gave; 0: none yet. Setting it never
 * lowers it; inside STORE_SCHEMA. */
int store_last_key(struct store *s, const struct shape *shape, int64_t *key_out);
int store_raise_last_key(struct store *s, const struct shape *shape, int64_t key);

/* A consistent copy of all that is committed, into a new file, beside readers and the writer; the
 * connection has no transaction open. STORE_EXISTS: there is a file of that name. PostgreSQL has
 * its own tools for that: a fault. */
int store_backup(struct store *s, struct str filename);

/* Integrity of the file itself and of its references: each finding is told to `report`. */
int store_check(struct store *s, void (*report)(void *context, struct str finding), void *context);
/* A writer's upkeep, between transactions: keeps the write-ahead log from growing while there is
 * always somebody reading. Free while the log is small, else it waits for readers, a second at
 * most. */
int store_checkpoint(struct store *s);

#endif
