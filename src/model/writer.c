#include <assert.h>
#include <errno.h>
#include <inttypes.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/mem.h"
#include "base/random.h"
#include "model/access/access.h"
#include "model/grid/news.h"
#include "model/identity/identity.h"
#include "model/instance.h"
#include "model/items/rules.h"
#include "model/workspace/register.h"

/*
 * The writer: batches of requests.
 *
 * begin locks and reads the state row (epoch, head, commit number, catalogue version) into `state`;
 * each run that changes something appends to the journal and moves it on in memory; commit writes
 * it once. `catalogue` is what is in force within the batch: a run may bring a new one, which the
 * later runs see and which is published only when the batch is durable. A refused run leaves no
 * trace but a gap in the catalogue versions.
 *
 * A store that is far away may be lost while it commits. Then the batch is in doubt: it is there as
 * a whole or not at all, so the name of its last request, which stands in the journal or does not,
 * tells for all of it.
 */

/* Of 64 letters: no two writers, of any process, have the same. */
enum { NAME_LENGTH = 22, REQUEST_SIZE = NAME_LENGTH + 24 };

struct batch {
    struct arena *arena; /* texts of the state */
    struct journal_state state;
    struct catalogue *catalogue; /* in force; a reference; NULL between batches */
    int64_t head;                /* the journal's before it */
    char request[REQUEST_SIZE];  /* the last that was appended; empty: none was */
    bool writes;                 /* there is something to commit */
    bool broken;                 /* undoing a run failed: nothing of the batch can be kept */
};

struct doubt {
    struct catalogue *catalogue; /* of the batch's end; a reference; NULL: there is no doubt */
    int64_t head;
    char request[REQUEST_SIZE];
};

struct writer {
    struct model *model;
    char name[NAME_LENGTH + 1];
    uint64_t named; /* requests so far: a name is never given twice */
    struct batch batch;
    struct doubt doubt;
};

int writer_open(struct model *m, struct writer **writer_out)
{
    struct writer *w = MEM_NEW(struct writer);

    assert(!m->settings->read_only);
    w->model = m;
    random_token(w->name, NAME_LENGTH);
    *writer_out = w;
    return 0;
}

static void end_doubt(struct writer *w)
{
    catalogue_unref(w->doubt.catalogue);
    w->doubt = (struct doubt){0};
}

void writer_close(struct writer *w)
{
    if (!w)
        return;
    writer_rollback(w);
    end_doubt(w);
    mem_free(w);
}

enum store_trouble writer_trouble(const struct writer *w)
{
    return store_trouble(w->model->store);
}

static void end_batch(struct writer *w)
{
    catalogue_unref(w->batch.catalogue);
    arena_free(w->batch.arena);
    w->batch = (struct batch){0};
}

/* Another catalogue than the published one: another process wrote, or a commit before this batch
 * was reported as failed, but is there. */
static int catch_up(struct writer *w)
{
    struct model *m = w->model;
    struct catalogue *c;

    int rc = catalogue_load(m->store, w->batch.state.catalogue_version, &c);
    if (rc != 0)
        return rc;
    if (m->version_top < c->version)
        m->version_top = c->version;
    model_publish(m, catalogue_ref(c));
    catalogue_unref(w->batch.catalogue);
    w->batch.catalogue = c;
    return 0;
}

int writer_begin(struct writer *w, enum writer_kind kind)
{
    static const enum store_access accesses[] = {
        [WRITER_ROWS] = STORE_WRITE, [WRITER_HASTE] = STORE_HASTE, [WRITER_SCHEMA] = STORE_SCHEMA};
    struct model *m = w->model;
    struct batch *b = &w->batch;

    assert(!b->catalogue && !w->doubt.catalogue);
    int rc = store_begin(m->store, accesses[kind]);
    if (rc != 0)
        return rc;
    b->arena = arena_new();
    b->catalogue = model_catalogue(m);
    rc = journal_state_lock(m->store, b->arena, &b->state);
    b->head = b->state.head;
    if (rc == 0 && b->head != m->head)
        counters_forget(m->counters);
    counters_begin(m->counters);
    if (rc == 0 && b->state.catalogue_version != b->catalogue->version)
        rc = catch_up(w);
    if (rc != 0)
        writer_rollback(w);
    return rc;
}

/* ---- one request ---- */

static void release_catalogue(void *catalogue)
{
    catalogue_unref(catalogue);
}

int tx_follow(struct tx *tx)
{
    struct commit *commit = tx->commit;
    struct catalogue *c = NULL;
    int rc = 0;

    if (!commit || commit->followed == commit->count)
        return 0;
    if (rules_touch_catalogue(commit) || workspace_register_touched(commit))
        rc = catalogue_load(tx->store, tx->model->version_top + 1, &c);
    else if (rules_touch_identity(commit))
        c = catalogue_renew(tx->catalogue, tx->model->version_top + 1);
    if (rc != 0)
        return rc;
    commit->followed = commit->count;
    if (!c)
        return 0;
    tx->model->version_top++;
    if (commit->catalogue_after) /* changes may point into it */
        arena_on_free(commit->arena, release_catalogue, commit->catalogue_after);
    commit->catalogue_after = c;
    tx->catalogue = c;
    return 0;
}

/* Who asks may have changed, or be gone, since the principal was made. */
static int refresh(struct tx *tx, struct principal **fresh_out)
{
    struct principal *fresh;

    if (tx->principal->catalogue == tx->catalogue)
        return 0;
    int rc = identity_refresh(tx, tx->principal, &fresh);
    if (rc != 0)
        return rc;
    *fresh_out = fresh;
    tx->principal = fresh;
    return 0;
}

static int perform(struct writer *w, struct tx *tx, int (*fn)(struct tx *tx, void *context),
                   void *context)
{
    AUTO(principal_unref) struct principal *fresh = NULL;

    int rc = refresh(tx, &fresh);
    if (rc != 0)
        return rc;
    tx->commit->user = arena_str(tx->commit->arena, tx->principal->user);
    rc = fn(tx, context);
    if (rc != 0 || tx->commit->count == 0)
        return rc;
    rc = rules_finish(tx);
    if (rc == 0)
        rc = tx_follow(tx);
    if (rc == 0)
        rc = news_gather(tx);
    if (rc != 0)
        return rc;
    tx->commit->request = arena_printf(tx->commit->arena, "%s.%" PRIu64, w->name, ++w->named);
    return journal_append(tx->store, tx->arena, tx->commit, &w->batch.state);
}

static struct commit *begin_commit(const struct writer *w, const struct tx *tx)
{
    struct commit *commit = commit_new(w->batch.catalogue);

    commit->time_ms = tx->now_ms;
    commit->origin = tx->caller ? tx->caller->origin : 0;
    return commit;
}

static void keep(struct batch *b, const struct commit *commit)
{
    b->writes = b->writes || commit->count > 0 || commit->unlogged;
    if (commit->count > 0)
        snprintf(b->request, sizeof(b->request), "%.*s", STR_ARG(commit->request));
    if (commit->catalogue_after) {
        catalogue_unref(b->catalogue);
        b->catalogue = catalogue_ref(commit->catalogue_after);
    }
}

int writer_run(struct writer *w, struct tx *tx, int (*fn)(struct tx *tx, void *context),
               void *context, struct commit **commit_out)
{
    const struct principal *principal = tx->principal;
    const struct journal_state before = w->batch.state;
    struct store *store = w->model->store;

    assert(w->batch.catalogue && principal);
    int rc =
        w->batch.broken ? FAULT_BECAUSE(EIO, "the batch is lost already") : store_savepoint(store);
    if (rc != 0)
        return rc;
    tx->model = w->model;
    tx->settings = w->model->settings;
    tx->catalogue = w->batch.catalogue;
    tx->now_ms = clock_now_ms();
    tx->store = store;
    tx->head = w->batch.state.head;
    AUTO(commit_unref) struct commit *commit = tx->commit = begin_commit(w, tx);

    rc = perform(w, tx, fn, context);
    if (rc == 0)
        rc = store_release(store);
    if (rc != 0) {
        bool lost = store_trouble(store) != STORE_SOUND; /* the words of its fault are to stay */
        w->batch.broken = lost || store_rollback_to(store) != 0;
        w->batch.state = before;
        counters_undo(w->model->counters);
    } else {
        keep(&w->batch, commit);
        *commit_out = commit->count > 0 ? commit_ref(commit) : NULL;
    }
    tx->catalogue = w->batch.catalogue;
    tx->principal = principal;
    tx->store = NULL;
    tx->commit = NULL;
    return rc;
}

/* ---- the batch's end ---- */

static int write_state(struct writer *w)
{
    struct batch *b = &w->batch;

    if (b->broken)
        return FAULT_BECAUSE(EIO, "a request of the batch could not be undone");
    b->state.catalogue_version = b->catalogue->version;
    b->state.format = FORMAT;
    return journal_state_write(w->model->store, &b->state);
}

/* Takes the reference over. */
static void publish(struct model *m, struct catalogue *take)
{
    if (m->current == take)
        catalogue_unref(take);
    else
        model_publish(m, take);
}

static void doubt(struct writer *w)
{
    const struct batch *b = &w->batch;

    w->doubt = (struct doubt){.catalogue = catalogue_ref(b->catalogue), .head = b->head};
    memcpy(w->doubt.request, b->request, sizeof(b->request));
}

int writer_commit(struct writer *w)
{
    struct store *store = w->model->store;
    struct batch *b = &w->batch;

    assert(b->catalogue);
    bool writes = b->broken || b->writes;
    int rc = writes ? write_state(w) : 0;
    if (rc == 0 && writes)
        rc = store_commit(store);
    else
        store_rollback(store);
    if (rc == 0) {
        w->model->head = b->state.head;
        publish(w->model, catalogue_ref(b->catalogue));
    } else {
        counters_undo(w->model->counters);
        if (rc < 0 && store_trouble(store) == STORE_UNCERTAIN)
            doubt(w);
    }
    end_batch(w);
    return rc;
}

void writer_rollback(struct writer *w)
{
    if (!w->batch.catalogue)
        return;
    store_rollback(w->model->store);
    counters_undo(w->model->counters);
    end_batch(w);
}

/* ---- after a doubt ---- */

static int find_request(struct store *s, const struct doubt *d, bool *there_out)
{
    AUTO(arena_free) struct arena *arena = arena_new();
    struct journal_state state;

    int rc = journal_state_lock(s, arena, &state);
    return rc == 0 ? journal_has_request(s, d->head, str_of(d->request), there_out) : rc;
}

int writer_settle(struct writer *w, bool *committed_out)
{
    struct store *store = w->model->store;
    bool there = false;

    assert(w->doubt.catalogue && !w->batch.catalogue);
    int rc = store_begin(store, STORE_WRITE);
    if (rc != 0)
        return rc;
    rc = find_request(store, &w->doubt, &there);
    store_rollback(store);
    if (rc != 0)
        return rc;
    if (there)
        publish(w->model, catalogue_ref(w->doubt.catalogue));
    end_doubt(w);
    *committed_out = there;
    return 0;
}

/* ---- upkeep ---- */

enum { PRUNE_ENTRIES_MAX = 2000 };

int writer_prune(struct writer *w)
{
    struct model *m = w->model;

    assert(!w->batch.catalogue);
    int rc = store_begin(m->store, STORE_WRITE);
    if (rc != 0)
        return rc;
    rc = journal_prune(m->store, clock_now_ms() - m->settings->journal_retention_ms,
                       PRUNE_ENTRIES_MAX);
    if (rc == 0)
        return store_commit(m->store);
    store_rollback(m->store);
    return rc;
}

int writer_checkpoint(struct writer *w)
{
    assert(!w->batch.catalogue);
    return store_checkpoint(w->model->store);
}
