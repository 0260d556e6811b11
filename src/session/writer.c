#include "session/internal.h"

#include "base/attr.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/mem.h"

/*
 * The writer: one thread, which takes the requests that wait, runs each in a savepoint of one
 * transaction, commits once and posts them back together. A change of tables has a transaction of
 * its own, because a store may have to rebuild a table outside of savepoints.
 */

/* Between two looks at the journal's retention and the store's log: with nothing to do, and under
 * load. */
enum { UPKEEP_IDLE_MS = 1000, UPKEEP_BUSY_MS = 100 };

struct writer_thread {
    struct service *service;
    struct writer *writer;
    struct principal *nobody; /* who acts until a request over HTTP is authenticated */
    int64_t upkeep_ms;        /* monotonic, when it was done last */
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

static void close_writer(void *state)
{
    struct writer_thread *t = state;

    writer_close(t->writer);
    mem_free(t);
}

static void upkeep(void *state)
{
    struct writer_thread *t = state;

    t->upkeep_ms = clock_monotonic_ms();
    if (writer_prune(t->writer) != 0)
        LOG_AT(LOG_ERROR, "session", "pruning the journal failed: %s", fault_text());
    if (writer_checkpoint(t->writer) != 0)
        LOG_AT(LOG_ERROR, "session", "emptying the write-ahead log failed: %s", fault_text());
}

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

static void run_one(struct writer_thread *t, struct request *r)
{
    struct tx tx = request_tx(r);

    if (r->http)
        tx.principal = t->nobody;
    request_settle(r, writer_run(t->writer, &tx, run_in, r, &r->commit));
}

/* Nothing of the transaction is there: neither what was changed in it nor what was read in it
 * counts. One that could not be committed because of what it did itself is told so. */
static void retract(struct batch *b, int rc)
{
    enum problem_kind kind = rc > 0 ? PROBLEM_INVALID_FOREIGN_KEY : PROBLEM_INTERNAL;

    if (rc < 0)
        LOG_AT(LOG_ERROR, "session", "a transaction of %zu requests failed: %s", b->count,
               fault_text());
    for (size_t i = 0; i < b->count; i++) {
        struct request *r = b->requests[i];
        commit_unref(r->commit);
        r->commit = NULL;
        request_fail(r, rc, kind);
    }
}

static void run_all(struct writer_thread *t, struct batch *b)
{
    AUTO(catalogue_unref) struct catalogue *catalogue = model_catalogue(t->service->model);

    t->nobody = principal_public(catalogue, STR_NULL);
    for (size_t i = 0; i < b->count; i++)
        run_one(t, b->requests[i]);
    principal_unref(t->nobody);
    t->nobody = NULL;
}

static void run_transaction(struct writer_thread *t, struct mail **mail, size_t count,
                            enum writer_kind kind)
{
    struct batch *b = mem_alloc(sizeof(*b) + count * sizeof(struct request *));

    b->count = count;
    for (size_t i = 0; i < count; i++)
        b->requests[i] = CONTAINER_OF(mail[i], struct request, mail);

    int rc = writer_begin(t->writer, kind);
    if (rc == 0) {
        run_all(t, b);
        rc = writer_commit(t->writer);
    }
    if (rc != 0)
        retract(b, rc);
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
