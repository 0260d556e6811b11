#include <assert.h>
#include <errno.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/mem.h"
#include "model/access/access.h"
#include "model/identity/identity.h"
#include "model/instance.h"
#include "model/items/rules.h"

/*
 * The writer: batches of requests.
 *
 * begin reads the state row (epoch, head, commit number, catalogue version) into `state`; each run
 * that changes something appends to the journal and moves it on in memory; commit writes it once.
 * `catalogue` is what is in force within the batch: a run may bring a new one, which the later runs
 * see and which is published only when the batch is durable. A refused run leaves no trace but a
 * gap in the catalogue versions.
 */

struct writer {
    struct model *model;
    struct arena *arena; /* the batch's: texts of the state */
    struct journal_state state;
    struct catalogue *catalogue; /* in force; a reference; NULL between batches */
    bool appended;               /* the state moved: there is something to write */
    bool broken;                 /* undoing a run failed: nothing of the batch can be kept */
};

int writer_open(struct model *m, struct writer **writer_out)
{
    struct writer *w = MEM_NEW(struct writer);

    assert(!m->settings->read_only);
    w->model = m;
    *writer_out = w;
    return 0;
}

void writer_close(struct writer *w)
{
    if (!w)
        return;
    writer_rollback(w);
    mem_free(w);
}

static void end_batch(struct writer *w)
{
    catalogue_unref(w->catalogue);
    arena_free(w->arena);
    *w = (struct writer){.model = w->model};
}

/* Another catalogue than the published one: a commit before this batch was reported as failed, but
 * is there. */
static int catch_up(struct writer *w)
{
    struct model *m = w->model;
    struct catalogue *c;

    int rc = catalogue_load(m->store, w->state.catalogue_version, &c);
    if (rc != 0)
        return rc;
    if (m->version_top < c->version)
        m->version_top = c->version;
    model_publish(m, catalogue_ref(c));
    catalogue_unref(w->catalogue);
    w->catalogue = c;
    return 0;
}

int writer_begin(struct writer *w, enum writer_kind kind)
{
    struct model *m = w->model;

    assert(!w->catalogue);
    int rc = store_begin(m->store, kind == WRITER_SCHEMA ? STORE_SCHEMA : STORE_WRITE);
    if (rc != 0)
        return rc;
    w->arena = arena_new();
    w->catalogue = model_catalogue(m);
    rc = journal_state_read(m->store, w->arena, &w->state);
    if (rc == 0 && w->state.catalogue_version != w->catalogue->version)
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
    if (rules_touch_catalogue(commit))
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
        rc = journal_append(tx->store, tx->arena, tx->commit, &w->state);
    return rc;
}

static struct commit *begin_commit(const struct writer *w, const struct tx *tx)
{
    struct commit *commit = commit_new(w->catalogue);

    commit->time_ms = tx->now_ms;
    commit->origin = tx->caller ? tx->caller->origin : 0;
    return commit;
}

static void keep(struct writer *w, struct commit *commit)
{
    if (commit->count > 0)
        w->appended = true;
    if (commit->catalogue_after) {
        catalogue_unref(w->catalogue);
        w->catalogue = catalogue_ref(commit->catalogue_after);
    }
}

int writer_run(struct writer *w, struct tx *tx, int (*fn)(struct tx *tx, void *context),
               void *context, struct commit **commit_out)
{
    const struct principal *principal = tx->principal;
    const struct journal_state before = w->state;
    struct store *store = w->model->store;

    assert(w->catalogue && principal);
    int rc = w->broken ? FAULT_BECAUSE(EIO, "the batch is lost already") : store_savepoint(store);
    if (rc != 0)
        return rc;
    tx->model = w->model;
    tx->settings = w->model->settings;
    tx->catalogue = w->catalogue;
    tx->now_ms = clock_now_ms();
    tx->store = store;
    tx->head = w->state.head;
    AUTO(commit_unref) struct commit *commit = tx->commit = begin_commit(w, tx);

    rc = perform(w, tx, fn, context);
    if (rc == 0)
        rc = store_release(store);
    if (rc != 0) {
        w->broken = store_rollback_to(store) != 0;
        w->state = before;
    } else {
        keep(w, commit);
        *commit_out = commit->count > 0 ? commit_ref(commit) : NULL;
    }
    tx->catalogue = w->catalogue;
    tx->principal = principal;
    tx->store = NULL;
    tx->commit = NULL;
    return rc;
}

/* ---- the batch's end ---- */

static int write_state(struct writer *w)
{
    if (w->broken)
        return FAULT_BECAUSE(EIO, "a request of the batch could not be undone");
    if (!w->appended)
        return 0;
    w->state.catalogue_version = w->catalogue->version;
    return journal_state_write(w->model->store, &w->state);
}

int writer_commit(struct writer *w)
{
    struct store *store = w->model->store;

    assert(w->catalogue);
    int rc = write_state(w);
    if (rc != 0)
        store_rollback(store);
    else
        rc = store_commit(store);
    if (rc == 0 && w->model->current != w->catalogue)
        model_publish(w->model, catalogue_ref(w->catalogue));
    end_batch(w);
    return rc;
}

void writer_rollback(struct writer *w)
{
    if (!w->catalogue)
        return;
    store_rollback(w->model->store);
    end_batch(w);
}

enum { PRUNE_ENTRIES_MAX = 2000 };

int writer_prune(struct writer *w)
{
    struct model *m = w->model;

    assert(!w->catalogue);
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
    assert(!w->catalogue);
    return store_checkpoint(w->model->store);
}
