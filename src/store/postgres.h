#ifndef STORE_POSTGRES_H
#define STORE_POSTGRES_H

/*
 * The PostgreSQL driver's inside: postgres.c (connection, transactions, the dialect),
 * postgres_statement.c (statements), postgres_schema.c (tables and
 * references), postgres_alter.c (changing tables), postgres_keys.c (keys
 * that count).
 *
 * The connection is in libpq's pipeline mode. A statement that need not be waited for (`unawaited`)
 * is sent and counted in `pending`; the next one that is waited for takes their results first, so
 * that a request's savepoint, its release and its journal entries cost no journey of their own.
 *
 *   disconnected ──connect──► idle ──BEGIN──► in a transaction ──COMMIT, ROLLBACK──► idle
 *         ▲                     │                    │
 *         └──── connection lost ┴────────────────────┘   (trouble says what that means)
 */

#include <libpq-fe.h>

#include "base/clock.h"
#include "store/driver.h"
#include "store/kept.h"

enum { POSTGRES_STATEMENTS_MAX = 128 };

/* A statement that the server has prepared under a name. */
struct postgres_prepared {
    struct kept kept; /* first; its text is owned */
    uint64_t number;
};

struct postgres {
    struct store store;       /* first */
    struct str conninfo;      /* owned, terminated */
    PGconn *db;               /* NULL: disconnected */
    enum store_access access; /* what it was opened for */
    bool shared;
    int64_t retry_ms;          /* monotonic: before this no new connection is tried */
    int64_t tried_ms;          /* when the latest try began */
    size_t pending;            /* commands whose results were not taken yet */
    size_t syncs;              /* and ends of a pipeline's stretch */
    bool unsynced;             /* commands were sent since the latest end */
    bool failed;               /* one of them failed: nothing of the transaction can be kept */
    bool committing;           /* COMMIT was sent, its result is not there */
    bool referring;            /* references are made: what is not there is STORE_FOREIGN_KEY */
    struct kept_list prepared; /* of struct postgres_prepared */
    uint64_t statements;       /* prepared so far: names are numbers */
    struct postgres_counter *counters; /* of keys that were given in haste; NULL: none */
    struct buf values;                 /* the parameters' texts */
    char (*moments)[CLOCK_TEXT_MAX];   /* the canonical texts of a row's moments */
    size_t moment_capacity;
};

static inline struct postgres *postgres_of(struct store *s)
{
    return (struct postgres *)(void *)s;
}

/* postgres.c */
extern const struct sql_dialect postgres_dialect;
/* Notes that the connection is gone and closes it; a fault with its words. */
int postgres_lost(struct postgres *p);

/* postgres_statement.c */
int postgres_run(struct store *s, struct statement *st, store_row_fn *row, void *context);
/* Takes the results of unawaited statements. 0, or the fault of the first that failed. */
int postgres_take_pending(struct postgres *p);
/* Ends the stretch and sends it: the server begins with it, whoever waits. */
int postgres_send_off(struct postgres *p);
/* What an error of the server means to the one who called: an outcome of store.h or a fault. */
int postgres_error(struct postgres *p, const struct shape *shape, const PGresult *result);
void postgres_forget_statements(struct postgres *p); /* of a connection that is gone */

/* postgres_keys.c */
int postgres_last_key(struct store *s, const struct shape *shape, int64_t *key_out);
int postgres_raise_last_key(struct store *s, const struct shape *shape, int64_t key);
int postgres_next_key(struct store *s, const struct shape *shape, int64_t *key_out);
int postgres_keep_counters(struct postgres *p); /* the sequences follow; before COMMIT */
void postgres_forget_counters(struct postgres *p);

/* postgres_schema.c */
int postgres_table_exists(struct store *s, struct str name, bool *exists_out);
int postgres_drop_table(struct store *s, struct str name);
int postgres_add_reference(struct store *s, const struct shape *shape, const struct column *c);
/* Makes the references that were put off; STORE_FOREIGN_KEY where rows or tables are missing. */
int postgres_make_references(struct postgres *p);
/* Drops the references of other tables to this one, or those to a column of it, its own too, and
 * puts them off. */
int postgres_release_referrers(struct store *s, struct str table, struct str column);
/* Drops what the column refers to, or takes it off those that were put off. */
int postgres_release_reference(struct store *s, const struct shape *shape, const struct column *c);
int postgres_drop_constraint(struct store *s, struct str table, struct str name);

/* postgres_alter.c */
int postgres_alter_table(struct store *s, const struct shape *before, const struct shape *after,
                         const struct str *from);

#endif
