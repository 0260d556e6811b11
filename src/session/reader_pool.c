#include "session/internal.h"

#include "base/attr.h"
#include "base/mem.h"

/*
 * The readers: each thread has a model reader, and serves one request at a time. The preparer is
 * one more, for slow work (password hashes): however many log-ins wait for it, reads do not.
 */

struct reader_thread {
    struct service *service;
    struct reader *reader;
};

static int open_reader(void *context, void **state_out)
{
    struct service *v = context;
    struct reader *reader;

    int rc = reader_open(v->model, &reader);
    if (rc != 0)
        return rc;
    struct reader_thread *t = MEM_NEW(struct reader_thread);
    *t = (struct reader_thread){.service = v, .reader = reader};
    *state_out = t;
    return 0;
}

static void close_reader(void *state)
{
    struct reader_thread *t = state;

    reader_close(t->reader);
    mem_free(t);
}

static int run_in(struct request *r, struct tx *tx)
{
    int rc = request_authenticate(r, tx);

    if (rc != 0)
        return rc;
    if (r->state != REQUEST_PREPARING)
        return r->handler->run(r, tx);
    rc = r->handler->prepare(r, tx);
    r->prepared = tx->prepared;
    return rc;
}

/* A write is done whether or not somebody waits for it, and so is a read of which more follows. */
static bool is_pointless(const struct request *r)
{
    return r->handler->lane == LANE_READ && !r->handler->stored &&
           atomic_load_explicit(&r->abandoned, memory_order_relaxed);
}

/* A refusal, too, is told of what was read. */
static int finish(struct reader *reader, int result)
{
    int rc = reader_finish(reader);

    return rc != 0 ? rc : result;
}

static int run_once(struct reader_thread *t, struct request *r)
{
    struct tx tx = request_tx(r);

    int rc = reader_begin(t->reader, &tx);
    if (rc != 0)
        return rc;
    rc = run_in(r, &tx);
    if (rc >= 0)
        return finish(t->reader, rc);
    reader_end(t->reader);
    return rc;
}

static void serve(struct reader_thread *t, struct request *r)
{
    struct patience patience = {0};
    enum store_trouble trouble;
    int rc;

    for (;;) {
        rc = run_once(t, r);
        trouble = rc < 0 ? reader_trouble(t->reader) : STORE_SOUND;
        if (!patience_lasts(&patience, trouble))
            break;
        request_rewind(r);
    }
    if (trouble == STORE_AWAY)
        trouble_away(t->service, patience.reason);
    if (trouble == STORE_SOUND)
        request_settle(r, rc);
    else
        trouble_refuse(r, trouble);
}

static void work(void *state, struct mail **batch, size_t count)
{
    struct reader_thread *t = state;

    for (size_t i = 0; i < count; i++) {
        struct request *r = CONTAINER_OF(batch[i], struct request, mail);
        if (!is_pointless(r))
            serve(t, r);
        mailbox_post(t->service->from_readers, batch[i]);
    }
}

int reader_pool_start(struct service *v)
{
    static const struct workers_ops ops = {
        .open = open_reader, .work = work, .close = close_reader};

    int rc = workers_start("reader", &ops, v, v->settings.readers, 1, 0, &v->readers);
    return rc != 0 ? rc : workers_start("preparer", &ops, v, 1, 1, 0, &v->preparer);
}
