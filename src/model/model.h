#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

/*
 * The model: one instance's data, and the only way to read and change it.
 *
 * A model is opened once. Reads go through readers (one store connection each, any number), writes
 * through the one writer, which runs many requests in one durable transaction, a savepoint each.
 * Readers and the writer are used by one thread at a time; which threads is the floors' above.
 */

#include "base/json.h"
#include "model/catalogue.h"
#include "model/commit.h"
#include "model/problem.h"
#include "store/store.h"

struct principal; /* access.h */

struct model_settings {
    struct store_settings store;
    bool read_only;    /* nothing is created or locked, another process may write; no writer */
    struct str secret; /* key of the access tokens */
    int64_t access_token_ttl_ms, refresh_token_ttl_ms;
    int64_t query_limit_default;               /* QUERY_LIMIT_DEFAULT, 100 */
    int64_t query_limit_max;                   /* QUERY_LIMIT_MAX, -1: none */
    int64_t batch_mutation_max;                /* MAX_BATCH_MUTATION, -1: none */
    unsigned filter_depth_max;                 /* nesting of a filter, 32 */
    unsigned login_attempts_max;               /* 25 */
    int64_t journal_retention_ms;              /* entries older than this may go; 24 h */
    int64_t row_history_retention_ms;          /* grid/history.h; 0: none is kept */
    unsigned argon2_memory_kib, argon2_passes; /* 65536, 3; tests lower them */
};

struct model;
/* Opens or creates the instance (read_only: opens it); settings are borrowed for the model's life.
 * 0, STORE_LOCKED, or a fault. */
int model_open(const struct model_settings *settings, struct model **model_out);
/* The journal's head at this moment. While no writer is open. 0 or a fault. */
int model_head(struct model *m, int64_t *head_out);
void model_close(struct model *m); /* readers and writer closed before; accepts NULL */
const struct model_settings *model_settings(const struct model *m);
struct catalogue *
model_catalogue(struct model *m); /* the current one: a reference, the caller's. Any thread */

/*
 * From now on somebody may hear of the grid (grid/news.h): what is told of a commit beside its
 * changes is gathered with it. Before, and so without cost where only Directus's clients are, it is
 * not: of the few commits that are on their way meanwhile clients hear without their links. Any
 * thread.
 */
void model_note_grid_heard(struct model *m);
bool model_grid_is_heard(const struct model *m);

/* Who asks, besides the principal: told in the journal and in sessions. All borrowed. */
struct caller {
    struct str ip, user_agent;
    uint64_t origin; /* the connection's id; 0: none */
};

/* A secret's plain text that was hashed before the write began (payload.h). */
struct prepared {
    const json_t *plain; /* identity of the JSON string in the payload */
    struct str hash;
    struct prepared *next;
};

/*
 * A transaction as a request sees it. On the loop thread, where nothing is read or written, a tx
 * without a store serves for what happens in memory (compiling filters, checking grants).
 */
struct tx {
    struct model *model;
    const struct model_settings *settings;
    struct arena *arena; /* the request's; results live in it */
    const struct catalogue
        *catalogue; /* in force; follows schema changes of this very transaction */
    const struct principal *principal; /* who acts */
    struct problem *problem;           /* filled by refuse() */
    const struct caller *caller;
    struct prepared *prepared;
    int64_t now_ms;
    struct store *store;       /* NULL: in memory only */
    struct commit *commit;     /* NULL: a read */
    int64_t head;              /* a read: the journal's head at this moment */
    struct progress *progress; /* of long work (progress.h); NULL: nobody wants to know */
};

/*
 * Makes tx->catalogue (and tx->commit->catalogue_after) follow what this transaction changed so
 * far, before something is resolved against it. Called by the schema functions and by writer_run;
 * catalogues that were in force on the way live as long as the commit. Nothing to follow: free.
 */
int tx_follow(struct tx *tx);

/* ---- reads ---- */
struct reader;
int reader_open(struct model *m, struct reader **reader_out);
void reader_close(struct reader *r);
/*
 * Begins a read of one moment: rows, journal head and catalogue fit together. Fills model,
 * settings, catalogue (the reader holds it), now_ms, store and head of `tx`; the caller has set the
 * rest.
 */
int reader_begin(struct reader *r, struct tx *tx);
void reader_end(struct reader *r);
/* Ends a read whose answer is to count. A fault (STORE_CONFLICT) where tables were changed under it
 * (store_tables_shift): what was read may be wrong. */
int reader_finish(struct reader *r);
/* What the latest fault between begin and end, or of either, means: may the read be run again? */
enum store_trouble reader_trouble(const struct reader *r);

/* ---- writes ---- */
struct writer;
int writer_open(struct model *m, struct writer **writer_out); /* one a model */
void writer_close(struct writer *w);

enum writer_kind {
    WRITER_ROWS,
    WRITER_HASTE,  /* as WRITER_ROWS, by STORE_HASTE: who begins it can run it again as that */
    WRITER_SCHEMA, /* tables are made or changed: one request alone */
};
/* Takes the journal's lock. Nothing may be in doubt (writer_settle). */
int writer_begin(struct writer *w, enum writer_kind kind);
/*
 * Runs one request in a savepoint. `tx` as for reader_begin. fn's result: 0 keeps its work; REFUSED
 * or a fault undoes it. At the end the model's own rules are checked (the last admin stays, …), the
 * journal is appended and, when structure or access changed, a new catalogue is made for what
 * follows. On 0 *commit_out is the request's commit (one reference), provisional until
 * writer_commit; NULL when it changed nothing. fn sees tx->principal refreshed to the writer's
 * catalogue; afterwards tx is the caller's again (no store, no commit, the principal it had).
 */
int writer_run(struct writer *w, struct tx *tx, int (*fn)(struct tx *tx, void *context),
               void *context, struct commit **commit_out);
/* One durable commit for all that ran since begin; publishes the catalogue. On anything but 0
 * everything is undone as if it had never run (commits handed out must be dropped).
 * STORE_FOREIGN_KEY (after WRITER_SCHEMA only): rows refer to rows that are not there.
 * A fault with STORE_UNCERTAIN leaves the batch in doubt: commits handed out are kept until
 * writer_settle() has told. What changed nothing is never in doubt. */
int writer_commit(struct writer *w);
void writer_rollback(struct writer *w);
/* What the latest fault of begin, run, commit, settle or prune means. */
enum store_trouble writer_trouble(const struct writer *w);
/*
 * Finds out whether the batch in doubt is there: looks for its last request in the journal, under
 * the journal's lock, which the lost connection holds until its transaction has ended. Committed:
 * its catalogue is published, as by writer_commit. A fault leaves the doubt; to be called again.
 */
int writer_settle(struct writer *w, bool *committed_out);
/* Drops journal entries past their retention, a bounded number at a time. Between transactions. */
int writer_prune(struct writer *w);
int writer_checkpoint(struct writer *w); /* store_checkpoint(). Between transactions */

/* What `rowcast check` tells: integrity of the file, density of the journal, catalogue and tables
 * agree. Each finding is told to report; returns 0 when it could look at everything. */
struct model_check {
    int64_t entries, first, last, commits, findings;
    struct str epoch;
};
int model_check(struct model *m, struct arena *a, void (*report)(void *context, struct str finding),
                void *context, struct model_check *check_out);

#endif
