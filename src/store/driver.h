#ifndef STORE_DRIVER_H
#define STORE_DRIVER_H

/*
 * What lies between store.c and a driver; private to this floor.
 *
 * store.c checks and renders a statement (render.c, by the driver's dialect) and hands it to the
 * driver, which binds, runs and reads rows. What differs between stores in the text of a statement
 * is a row of struct sql_dialect; what differs in doing is a function of struct store_driver.
 */

#include "base/map.h"
#include "store/store.h"

/* What a column stands for in a statement. */
enum column_use {
    USE_VALUE,  /* in a comparison */
    USE_TEXT,   /* as its canonical text: the operators on text, and `empty` */
    USE_ORDER,  /* in ORDER BY */
    USE_FOLDED, /* in ORDER BY, as its folded text */
    USE_OUTPUT, /* in the rows that come back */
};

struct statement;
struct sql_dialect {
    /*
     * The test of each operator: $c stands for the column, $1 and $2 for operands, $* for a list of
     * them. NULL: NOT of the positive operator's.
     */
    const char *tests[OP_COUNT];
    /* How a column is written for a use: a template in which $c is its name. */
    const char *(*column)(const struct column *c, enum column_use use);
    /* Writes the text of a column in this form, as `form.h` has it. */
    void (*put_form)(struct statement *st, const struct column *c, const struct form *form);
    /* The type that a parameter is told to be of, behind the parameter: "::int8"; "": none. */
    const char *(*parameter_type)(const struct column *c, enum column_use use,
                                  const struct value *v);
    /* `in` with more than list_max values, bound as one parameter: $*. */
    const char *long_list;
    size_t list_max;
    /* What another table holds is told as EXISTS: PostgreSQL joins by it, and runs a large NOT IN
     * anew for each row. SQLite keeps what IN selects, and looks up each row there. */
    bool joins_existing;
    bool plans_lists; /* how to find the values of a long list is decided anew each time */
    const char *limit_all;
    const char *ascending, *descending; /* so that null comes first, and last */
    const char *rank;                   /* the place of $c in a list of numbers $*, or null */
    const char *join_texts;             /* the function that makes one text of many */
    const char *lock;                   /* behind a SELECT whose rows are locked */
    const char *(*declaration)(const struct type *type);
    const char *(*key_declaration)(const struct column *c); /* NULL: as any column */
    char parameter;                                         /* '?': each is "?"; '$': "$1", "$2" */
    bool later_references; /* not part of a column: driver->add_reference makes them */
    /* Before and after a DELETE, so that references are checked when all has gone that goes along;
     * NULL: they are. */
    const char *defer_checks, *make_checks;
    bool counts_given_keys; /* a key that is given moves the table's counter by itself */
    bool tables_shift;      /* store_tables_shift() */
};

struct bind {
    const struct column *column; /* says the type; NULL: a whole number of ours */
    enum column_use use;         /* USE_VALUE or USE_TEXT */
    struct value value;
    const struct operand *list; /* instead of value: many values as one; none relative to now */
    size_t list_count;
    const struct form *form; /* instead of value: for a function of ours (SQLite) */
};

/* A statement as text, the values to bind, and the columns of its rows. Borrows what it binds. */
struct statement {
    const struct sql_dialect *dialect;
    const struct shape *shape;
    struct buf sql;
    struct bind *binds;
    size_t bind_count, bind_capacity;
    const struct output *outputs; /* NULL: the shape's columns */
    size_t output_count;          /* 0: no rows */
    struct value *row;            /* room for output_count values */
    size_t row_capacity;
    int64_t now_ms;
    struct arena *arena; /* values made for this statement; NULL until needed */
    unsigned aliases;    /* other tables that were named so far: rowcast_1 and so on */
    unsigned alias;      /* the one whose columns are written now; 0: the shape's own */
    bool writes;         /* runs to its end, whatever the row function says */
    bool unbounded;      /* may give very many rows: they are not gathered first */
    bool unawaited;      /* cannot fail by itself and gives no rows: a store far away goes on, and
                            tells a failure with the next statement */
    bool once;           /* not worth keeping prepared */
    bool invalid;        /* a name that cannot be one */
    struct map insert_texts; /* render_insert.c: kept for the statements to come */
};

void statement_start(struct statement *st, const struct sql_dialect *dialect,
                     const struct shape *shape, int64_t now_ms);
void statement_finish(struct statement *st); /* keeps the memory for the next */
void statement_deinit(struct statement *st);

void statement_put_name(struct statement *st, struct str name); /* quoted */
void statement_put_bind(struct statement *st, const struct column *c, struct value v);
void statement_put_form(struct statement *st, const struct form *form); /* as a parameter */

/* render.c */
void statement_put_column(struct statement *st, const struct column *c, enum column_use use);
void statement_put_condition(struct statement *st, const struct expr *x);
void statement_put_where(struct statement *st, const struct expr *where); /* NULL: nothing */
void statement_put_returning(struct statement *st, bool returning); /* all columns, or nothing */
/* The value of a parameter that stands in the text already. */
struct bind *statement_bind(struct statement *st, const struct column *c, enum column_use use);
struct arena *statement_arena(struct statement *st);
/* "table AS rowcast_<alias>"; columns are that one's from here on. */
void statement_put_alias(struct statement *st, const struct shape *shape, unsigned alias);
/* Values as one parameter; `c` says their type. */
void statement_put_list(struct statement *st, const struct column *c, const struct operand *list,
                        size_t count);
void render_select(struct statement *st, const struct select *select);
void render_count(struct statement *st, const struct expr *where);
void render_update(struct statement *st, const struct assignment *assignments, size_t count,
                   const struct expr *where, bool returning);
void render_delete(struct statement *st, const struct expr *where, bool returning);

/* render_insert.c. values[i]: what column i gets, of its kind; NULL: the store's own choice. */
void render_insert(struct statement *st, const struct value *const *values, bool returning);
void insert_texts_forget(struct statement *st);

/* render_order.c: " ORDER BY …", the shape's key last. */
void render_order(struct statement *st, const struct order *orders, size_t count);

/* render_bulk.c: store.h says what of. */
void render_renumber(struct statement *st, const struct column *c, const struct order *orders,
                     size_t count);
void render_assign_each(struct statement *st, const struct column *c, const struct value *keys,
                        const struct value *values, size_t count);
/* The output is the statement's as long as it runs. */
void render_extreme(struct statement *st, const struct output *output, const char *function,
                    const struct expr *where);

/* render_schema.c. A column: name, declaration, constraints, default, reference. */
void render_declaration(struct statement *st, const struct column *c); /* the type alone */
void render_literal(struct statement *st, const struct column *c, const struct value *v);
void render_reference(struct statement *st, const struct reference *reference);
void render_column(struct statement *st, const struct column *c);
void render_create_table(struct statement *st, struct str name);
bool column_has_index(const struct column *c); /* one of its own, not that of a constraint */
/* Of a column's index or UNIQUE constraint; at most STORE_NAME_MAX bytes. */
void index_name(const struct shape *shape, const struct column *c, struct buf *name_out);
void shorten_name(struct buf *name); /* one that PostgreSQL would cut off becomes a digest */
void render_index_name(struct statement *st, const struct column *c);
void render_create_index(struct statement *st, const struct column *c);

/* alter.c. Two columns are the same in a respect. */
bool column_same_type(const struct column *a, const struct column *b); /* so are their values */
bool column_same_default(const struct column *a, const struct column *b);
bool column_same_reference(const struct column *a, const struct column *b);
/* The columns that from[] names, by column of `after`; NULL where it is new. To be freed. */
const struct column **alter_sources(const struct shape *before, const struct shape *after,
                                    const struct str *from);

struct store_driver {
    const struct sql_dialect *dialect;
    int (*open)(const struct store_settings *settings, enum store_access access,
                struct store **store_out);
    void (*close)(struct store *s); /* frees it */
    int (*begin)(struct store *s, enum store_access access);
    int (*commit)(struct store *s); /* rolled back when it does not return 0 */
    void (*rollback)(struct store *s);
    int (*run)(struct store *s, struct statement *st, store_row_fn *row, void *context);
    int (*table_exists)(struct store *s, struct str name, bool *exists_out);
    int (*drop_table)(struct store *s, struct str name);
    int (*add_reference)(struct store *s, const struct shape *shape, const struct column *c);
    /* The key of a row inserted in haste, or STORE_RANGE; NULL: this store knows no haste. */
    int (*next_key)(struct store *s, const struct shape *shape, int64_t *key_out);
    /* The key that the store gave to the row inserted last; NULL: RETURNING tells it. */
    int64_t (*inserted_key)(struct store *s);
    int (*last_key)(struct store *s, const struct shape *shape, int64_t *key_out);
    int (*raise_last_key)(struct store *s, const struct shape *shape, int64_t key);
    int (*backup)(struct store *s, struct str filename);
    int (*alter_table)(struct store *s, const struct shape *before, const struct shape *after,
                       const struct str *from);
    int (*check)(struct store *s, void (*report)(void *context, struct str finding), void *context);
    int (*checkpoint)(struct store *s);
};

extern const struct store_driver sqlite_driver, postgres_driver;

/* The part of a connection that all drivers have; the first member of theirs. */
struct store {
    const struct store_driver *driver;
    struct statement statement; /* the one that runs; one at a time */
    struct buf detail_text;
    struct store_detail detail;
    enum store_access access; /* of the transaction that is open */
    bool open, running;       /* a transaction is open; a statement runs */
    enum store_trouble trouble;
    unsigned savepoints;
    uint64_t statements; /* that were run, of all kinds */
};

void store_init(struct store *s, const struct store_driver *driver);
void store_deinit(struct store *s);
/* Keeps copies; either may be absent. */
void store_set_detail(struct store *s, struct str table, struct str column);
/* The next statement of this connection, empty; store_run() runs it. */
struct statement *store_statement(struct store *s, const struct shape *shape, int64_t now_ms);
int store_run(struct store *s, store_row_fn *row, void *context);
/* 0; STORE_RANGE, with its detail, for a value that the column cannot hold. */
int store_check_value(struct store *s, const struct shape *shape, const struct column *c,
                      const struct value *v);
int store_check_assignments(struct store *s, const struct shape *shape,
                            const struct assignment *assignments, size_t count);
int store_execute(struct store *s, struct str sql); /* without parameters and rows */
int store_execute_unawaited(struct store *s, struct str sql);

#endif
