#include "session/internal.h"

#include <time.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/mem.h"

/*
 * The writer: one thread, which takes the requests that wait, runs each in a savepoint of one
 * transaction, commits once and posts them back together. A change of tables has a transaction of
 * its own, because a store may have to rebuild a table outside of savepoints.
 *
 * What a try of a transaction ends with:
 *
 *   done, refused, a fault ──────────────────────────────► answered so
 *   a conflict, lost before commit ─────► run again; when patience ends: answered 503
 *   lost while committing: in doubt
 *      ├─ settled: it is there ──────────────────────────► answered as done
 *      ├─ settled: it is not ───────────► run again
 *      └─ the database stays away ──► answered 503, not known; its commits are kept, and the next
 *                                     thing that the writer does is to settle: told late, or
 * dropped
 */

/* Between two looks at the journal's retention and the store's log: with nothing to do, and under
 * load. */
enum { UPKEEP_IDLE_MS = 1000, UPKEEP_BUSY_MS = 100 };

struct writer_thread {
    struct service *service;
    struct writer *writer;
    struct principal *nobody; /* who acts until a request over HTTP is authenticated */
    int64_t upkeep_ms;        /* monotonic, when it was done last */
    struct batch *doubtful;   /* commits that may be there; NULL: none */
    unsigned careful;         /* so many transactions are not to be run in haste */
};

static int open_writer(void *context, void **state_out)
{
    struct service *v = context;
    struct writer *writer;

    int rc = writer_open(v->model, &writer);
    if (rc != 0)
        return rc;
    struct writer_thread *t = MEM_NEW(struct writer_thread);
    *t = (struct writer_thread){.service = v, .writer = writer};
    t->upkeep_ms = clock_monotonic_ms();
    *state_out = t;
    return 0;
}

/* ---- batches ---- */

struct batch *batch_new(size_t request_count)
{
    struct batch *b = mem_alloc(sizeof(*b) + request_count * sizeof(struct request *));

    *b = (struct batch){.count = request_count};
    return b;
}

void batch_free(struct batch *b)
{
    if (!b)
        return;
    for (size_t i = 0; i < b->late_count; i++)
        commit_unref(b->late[i]);
    mem_free(b->late);
    mem_free(b);
}

static void close_writer(void *state)
{
    struct writer_thread *t = state;

    batch_free(t->doubtful);
    writer_close(t->writer);
    mem_free(t);
}

/* ---- doubts ---- */

/* How long the requests of a transaction in doubt wait for the database to come back. */
enum { SETTLE_MS_MAX = 2000, SETTLE_PAUSE_MS = 25 };

/* True: it is known whether the transaction is there. */
static bool settle(struct writer_thread *t, int64_t patience_ms, bool *committed_out)
{
    const struct timespec pause = {.tv_nsec = SETTLE_PAUSE_MS * 1000 * 1000};
    int64_t end_ms = clock_monotonic_ms() + patience_ms;

    for (;;) {
        if (writer_settle(t->writer, committed_out) == 0) {
            LOG_AT(LOG_INFO, "session", "a commit that was in doubt is %s",
                   *committed_out ? "there" : "not there");
            return true;
        }
        bool sound = writer_trouble(t->writer) == STORE_SOUND;
        if (sound)
            LOG_AT(LOG_ERROR, "session", "a commit stays in doubt: %s", fault_text());
        if (sound || clock_monotonic_ms() >= end_ms)
            return false;
        nanosleep(&pause, NULL);
    }
}

/* Keeps the commits of a transaction whose requests are answered now. */
static void keep_doubtful(struct writer_thread *t, struct batch *b)
{
    struct batch *late = batch_new(0);

    late->late = MEM_ARRAY(struct commit *, b->count);
    for (size_t i = 0; i < b->count; i++) {
        if (b->requests[i]->commit)
            late->late[late->late_count++] = b->requests[i]->commit;
        b->requests[i]->commit = NULL;
    }
    t->doubtful = late;
}

/* Commits that are there are told before anything that comes after them. False: still in doubt. */
static bool settle_doubtful(struct writer_thread *t)
{
    bool committed;

    if (!t->doubtful)
        return true;
    if (!settle(t, 0, &committed))
        return false;
    if (committed)
        mailbox_post(t->service->from_writer, &t->doubtful->mail);
    else
        batch_free(t->doubtful);
    t->doubtful = NULL;
    return true;
}

/* ---- upkeep ---- */

/* Once more on a new connection; what is left of trouble is nothing to speak of here: the next time
 * will do. */
static enum store_trouble prune(struct writer_thread *t)
{
    struct patience patience = {0};
    enum store_trouble trouble;
    int rc;

    do {
        rc = writer_prune(t->writer);
        trouble = rc < 0 ? writer_trouble(t->writer) : STORE_SOUND;
    } while (patience_lasts(&patience, trouble));
    if (trouble == STORE_AWAY)
        trouble_away(t->service, patience.reason);
    else if (rc == 0)
        trouble_over(t->service);
    else if (trouble == STORE_SOUND)
        LOG_AT(LOG_ERROR, "session", "pruning the journal failed: %s", fault_text());
    return trouble;
}

static void upkeep(void *state)
{
    struct writer_thread *t = state;

    t->upkeep_ms = clock_monotonic_ms();
    if (!settle_doubtful(t) || prune(t) != STORE_SOUND)
        return;
    if (writer_checkpoint(t->writer) != 0)
        LOG_AT(LOG_ERROR, "session", "emptying the write-ahead log failed: %s", fault_text());
}

/* ---- a transaction ---- */

/* A WebSocket's principal was brought up to date by the model; credentials over HTTP are looked up
 * here, so that they count as of this place in the journal. */
static int run_in(struct tx *tx, void *context)
{
    struct request *r = context;

    if (r->http) {
        int rc = request_authenticate(r, tx);
        if (rc != 0)
            return rc;
        tx->commit->user = arena_str(tx->commit->arena, tx->principal->user);
    }
    return r->handler->run(r, tx);
}

/* A fault: the transaction is in trouble, and nothing of it can be kept. */
static int run_one(struct writer_thread *t, struct request *r)
{
    struct tx tx = request_tx(r);

    if (r->http)
        tx.principal = t->nobody;
    int rc = writer_run(t->writer, &tx, run_in, r, &r->commit);
    if (rc < 0 && writer_trouble(t->writer) != STORE_SOUND)
        return rc;
    request_settle(r, rc);
    return 0;
}

static int run_all(struct writer_thread *t, struct batch *b)
{
    AUTO(catalogue_unref) struct catalogue *catalogue = model_catalogue(t->service->model);
    int rc = 0;

    t->nobody = principal_public(catalogue, STR_NULL);
    for (size_t i = 0; i < b->count && rc == 0; i++)
        rc = run_one(t, b->requests[i]);
    principal_unref(t->nobody);
    t->nobody = NULL;
    return rc;
}

static int run_once(struct writer_thread *t, struct batch *b, enum writer_kind kind)
{
    int rc = writer_begin(t->writer, kind);
    if (rc != 0)
        return rc;
    rc = run_all(t, b);
    if (rc == 0)
        return writer_commit(t->writer);
    writer_rollback(t->writer);
    return rc;
}

/* As run_once(), and what it left in doubt is settled if it can be in time. */
static int run_and_settle(struct writer_thread *t, struct batch *b, enum writer_kind kind,
                          enum store_trouble *trouble_out)
{
    bool committed;
    int rc = run_once(t, b, kind);

    *trouble_out = rc < 0 ? writer_trouble(t->writer) : STORE_SOUND;
    if (*trouble_out != STORE_UNCERTAIN)
        return rc;
    trouble_away(t->service, fault_text());
    if (!settle(t, SETTLE_MS_MAX, &committed))
        return rc;
    *trouble_out = committed ? STORE_SOUND : STORE_AWAY;
    return committed ? 0 : rc;
}

static void rewind_all(struct batch *b)
{
    for (size_t i = 0; i < b->count; i++)
        request_rewind(b->requests[i]);
}

/* Nothing of the transaction is there: neither what was changed in it nor what was read in it
 * counts. One that could not be committed because of what it did itself is told so. */
static void retract(struct batch *b, int rc)
{
    enum problem_kind kind = rc > 0 ? PROBLEM_INVALID_FOREIGN_KEY : PROBLEM_INTERNAL;

    if (rc < 0)
        LOG_AT(LOG_ERROR, "session", "a transaction of %zu requests failed: %s", b->count,
               fault_text());
    rewind_all(b);
    for (size_t i = 0; i < b->count; i++)
        request_fail(b->requests[i], rc, kind, STR_NULL);
}

static void refuse_all(struct writer_thread *t, struct batch *b, enum store_trouble trouble)
{
    if (trouble == STORE_UNCERTAIN)
        keep_doubtful(t, b);
    rewind_all(b);
    for (size_t i = 0; i < b->count; i++)
        trouble_refuse(b->requests[i], trouble);
}

/* In haste first. Where that ends in a conflict, requests are told one by one what came of them,
 * and so are the next: what was refused once is often tried again. */
enum { CAREFUL_TRANSACTIONS = 32 };

static int run_hasty(struct writer_thread *t, struct batch *b, enum writer_kind kind,
                     enum store_trouble *trouble_out)
{
    if (kind == WRITER_SCHEMA || t->careful > 0) {
        t->careful -= t->careful > 0;
        return run_and_settle(t, b, kind, trouble_out);
    }
    int rc = run_and_settle(t, b, WRITER_HASTE, trouble_out);
    if (*trouble_out != STORE_CONFLICT)
        return rc;
    t->careful = CAREFUL_TRANSACTIONS;
    rewind_all(b);
    return run_and_settle(t, b, kind, trouble_out);
}

/* Runs it until it is done, refused, or patience ends. */
static void run_batch(struct writer_thread *t, struct batch *b, enum writer_kind kind)
{
    struct patience patience = {0};
    enum store_trouble trouble;
    int rc = run_hasty(t, b, kind, &trouble);

    while (patience_lasts(&patience, trouble)) {
        rewind_all(b);
        rc = run_and_settle(t, b, kind, &trouble);
    }
    if (trouble == STORE_AWAY)
        trouble_away(t->service, patience.reason);
    else if (rc == 0)
        trouble_over(t->service);
    if (trouble != STORE_SOUND)
        refuse_all(t, b, trouble);
    else if (rc != 0)
        retract(b, rc);
}

static void run_transaction(struct writer_thread *t, struct mail **mail, size_t count,
                            enum writer_kind kind)
{
    struct batch *b = batch_new(count);

    for (size_t i = 0; i < count; i++)
        b->requests[i] = CONTAINER_OF(mail[i], struct request, mail);
    if (settle_doubtful(t))
        run_batch(t, b, kind);
    else
        refuse_all(t, b, STORE_AWAY);
    mailbox_post(t->service->from_writer, &b->mail);
}

static bool is_schema(struct mail *mail)
{
    return CONTAINER_OF(mail, struct request, mail)->handler->lane == LANE_SCHEMA;
}

static void work(void *state, struct mail **batch, size_t count)
{
    struct writer_thread *t = state;

    for (size_t i = 0, end; i < count; i = end) {
        bool schema = is_schema(batch[i]);
        for (end = i + 1; end < count && !schema && !is_schema(batch[end]);)
            end++;
        run_transaction(t, batch + i, end - i, schema ? WRITER_SCHEMA : WRITER_ROWS);
    }
    if (clock_monotonic_ms() - t->upkeep_ms >= UPKEEP_BUSY_MS)
        upkeep(t);
}

int writer_start(struct service *v)
{
    static const struct workers_ops ops = {
        .open = open_writer, .work = work, .close = close_writer, .idle = upkeep};

    return workers_start("writer", &ops, v, 1, v->settings.writer_batch_max, UPKEEP_IDLE_MS,
                         &v->writer);
}
