#ifndef DIALECT_BASEROW_JOBS_H
#define DIALECT_BASEROW_JOBS_H

/*
 * Jobs (baserow.md 9.15): work that its request does not wait for.
 *
 *   PENDING ──► STARTED ──► FINISHED     PENDING   its task waits for the writer
 *      │           ├──────► FAILED       STARTED   it is at work, in one transaction
 *      └───────────┴──────► CANCELLED    SEALED    (a flag of STARTED) all is done but the commit,
 *                                                  which nobody can stop any more
 *
 * The request that asks for a job is a read: it looks whether that can be done, and registers the
 * job, so that it is answered while others write; then the job's task goes to the writer. What the
 * task does is done as a whole or not at all, also when the server stops. Jobs themselves are kept
 * in memory, a day longer than they run, and are told to their owner only.
 *
 *   jobs.c          the routes, and the way of a job
 *   job_types.c     what they do, and the routes that ask for it
 *   job_registry.c  those there are
 */

#include "dialect/baserow/rest.h"

struct job;

/* What a job is to do. */
struct job_wish {
    int64_t subject;  /* the table, field or application that it is about; 0: none */
    int64_t database; /* file_import */
    struct str name;
    bool flag;      /* duplicate_data; first_row_header */
    bool rows_only; /* no table is made or changed: others write meanwhile */
    /* What was sent, for data that is too large to be copied. Read only. */
    json_t *data;
};
/* What came of it. */
struct job_result {
    int64_t made; /* the table, field or application; 0: none */
    struct str report;
    int64_t sequence; /* of the journal, with which its work is there; 0: it changed nothing */
};
/* All there is to tell of a job at one moment. */
struct job_facts {
    int64_t id;
    struct str user; /* whose it is: UUID */
    const struct job_type *type;
    enum job_state {
        JOB_PENDING,
        JOB_STARTED,
        JOB_FINISHED,
        JOB_FAILED,
        JOB_CANCELLED,
        JOB_STATE_COUNT
    } state;
    unsigned percent;
    struct str error, error_code; /* absent: none */
    int64_t created_ms, updated_ms;
    struct job_wish wish;
    struct job_result result;
};

struct job_type {
    const char *name;
    /* Of the object that asks for it. The owner's request, on a reader: is it possible? Fills the
     * wish. 0, REFUSED or a fault. */
    const struct rule *rules;
    int (*plan)(struct tx *tx, json_t *data, struct job_wish *wish);
    /* Does it. Results live in tx->arena. May run again. */
    int (*work)(struct tx *tx, const struct job_wish *wish, struct job_result *result);
    /* `,"key":value` of its own. */
    void (*put)(struct buf *b, const struct catalogue *c, const struct job_facts *facts);
};

/* ---- job_types.c ---- */
extern const struct job_type job_duplicate_table, job_duplicate_field, job_duplicate_application,
    job_file_import;

/* ---- jobs.c ---- */
void job_write(struct buf *b, const struct catalogue *c, const struct job_facts *facts);
/*
 * `run`, `stored` and `fail` of routes that ask for a job. Answers with the job, in that status.
 * What the path says is put among the data before.
 */
int job_ask(struct request *r, struct tx *tx, const struct job_type *type, int status);
void job_begin(struct request *r);
void job_drop(struct request *r);
#define ASKS_FOR_JOB(function)                                                                     \
    {                                                                                              \
        .name = #function, .lane = LANE_READ, .run = (function), .fail = job_drop,                 \
        .stored = job_begin                                                                        \
    }

/* ---- job_registry.c: any thread ---- */

enum { JOB_TOO_MANY = 1 };
/* Whose it is, and as whom its changes are told. */
struct job_owner {
    int64_t account;
    struct str user; /* UUID */
    uint64_t origin;
};
/*
 * Registers a pending job. 0 and a reference; JOB_TOO_MANY: one of this type of the owner's is
 * under way, or there are too many altogether. Texts are copied, a reference to the data is taken.
 */
int job_register(const struct job_type *type, const struct job_owner *owner,
                 const struct job_wish *wish, int64_t now_ms, struct job **job_out);
void job_withdraw(struct job *job); /* as if it had not been registered; drops the reference */
struct job *job_ref(struct job *job);
void job_unref(struct job *job);

struct job_facts job_facts(struct job *job); /* texts live as long as the job */
const struct job_owner *job_owner(const struct job *job);
/* A reference; NULL: the owner has none of that number. */
struct job *job_find(int64_t account, int64_t id);
/* All of an owner, latest first, as references of the arena. */
size_t job_list(struct arena *a, int64_t account, struct job ***jobs_out);

/* Each false when it was cancelled: there is nothing to be done then. */
bool job_start(struct job *job);
bool job_report(struct job *job, unsigned percent);
bool job_seal(struct job *job);
/* Cancels; false: it is too late for that. */
bool job_cancel(struct job *job);
/* One that was cancelled stays that. Absent error: it is finished. Texts are copied. */
void job_end(struct job *job, const struct job_result *result, struct str error,
             struct str error_code);

#endif
