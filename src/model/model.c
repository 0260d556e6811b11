#include "model/model.h"

#include <assert.h>
#include <errno.h>
#include <time.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/mem.h"
#include "base/random.h"
#include "model/access/access.h"
#include "model/identity/identity.h"
#include "model/instance.h"
#include "model/system.h"
#include "model/upgrade.h"
#include "model/workspace/workspace.h"

/* ---- the published catalogue ---- */

const struct model_settings *model_settings(const struct model *m)
{
    return m->settings;
}

struct identity_memory *model_identity(struct model *m)
{
    return m->identity;
}

struct catalogue *model_catalogue(struct model *m)
{
    pthread_mutex_lock(&m->lock);
    struct catalogue *c = catalogue_ref(m->current);
    pthread_mutex_unlock(&m->lock);
    return c;
}

void model_publish(struct model *m, struct catalogue *take)
{
    pthread_mutex_lock(&m->lock);
    struct catalogue *before = m->current;
    m->current = take;
    pthread_mutex_unlock(&m->lock);
    catalogue_unref(before);
}

/* ---- opening ---- */

static int create_tables(struct store *s)
{
    char epoch[UUID_TEXT_SIZE];
    int rc = 0;

    for (unsigned which = 0; which < SYSTEM_TABLE_COUNT && rc == 0; which++)
        rc = store_create_table(s, &system_table(which)->shape);
    random_uuid(epoch);
    struct journal_state state = {.epoch = str_of(epoch), .catalogue_version = 1, .format = FORMAT};
    if (rc == 0)
        rc = journal_state_create(s, &state);
    return rc > 0 ? FAULT_BECAUSE(EEXIST, "the file holds tables of another program") : rc;
}

/* Makes what is missing. Where the bootstrap has to follow, the state goes on to say the old format
 * until its commit: where that is cut off, it is found undone the next time. */
static int change_tables(struct store *s, bool *changed_out)
{
    AUTO(arena_free) struct arena *a = arena_new();
    struct journal_state state;
    bool there;

    int rc = store_table_exists(s, system_table(SYSTEM_STATE)->shape.name, &there);
    if (rc != 0)
        return rc;
    *changed_out = true;
    if (!there)
        return create_tables(s);
    rc = journal_state_lock(s, a, &state);
    if (rc == 0 && state.format < FORMAT)
        return upgrade_tables(s, &state);
    *changed_out = false;
    return rc;
}

/* All system tables or none: they are made in one transaction. */
static int ensure_tables(struct store *s)
{
    bool changed;
    int rc = store_begin(s, STORE_SCHEMA);
    if (rc != 0)
        return rc;

    rc = change_tables(s, &changed);
    if (rc == 0 && changed) {
        rc = store_commit(s);
        return rc > 0 ? FAULT_BECAUSE(EBADMSG, "rows refer to rows that are not there") : rc;
    }
    store_rollback(s);
    return rc;
}

static int read_instance(struct model *m, struct journal_state *state_out, struct arena *a)
{
    struct catalogue *c;
    int rc = journal_state_read(m->store, a, state_out);

    if (rc == 0 && state_out->format > FORMAT)
        return FAULT_BECAUSE(EPROTONOSUPPORT,
                             "the data is of a newer version (format %lld; this program: %d)",
                             (long long)state_out->format, FORMAT);
    if (rc == 0 && state_out->format < FORMAT && m->settings->read_only)
        return FAULT_BECAUSE(EPROTONOSUPPORT,
                             "the data is of an older version (format %lld; this program: %d): "
                             "start the server once, which brings it up to date",
                             (long long)state_out->format, FORMAT);
    if (rc == 0)
        rc = catalogue_load(m->store, state_out->catalogue_version, &c);
    if (rc != 0)
        return rc;
    m->version_top = state_out->catalogue_version;
    m->head = state_out->head;
    model_publish(m, c);
    return 0;
}

/* Of a first start, of one that was cut short, and of one that finds an older format. */
static int bootstrap(struct tx *tx, void *context)
{
    const struct journal_state *state = context;
    bool first = state->commits == 0;

    int rc = first ? identity_bootstrap(tx) : 0;
    if (rc == 0 && (first || state->format < FORMAT_WORKSPACES))
        rc = workspace_bootstrap(tx);
    return rc == 0 ? workspace_admit_admins(tx) : rc;
}

static int run_bootstrap(struct model *m, struct writer *w, struct journal_state *state,
                         struct arena *a)
{
    AUTO(principal_unref) struct principal *principal = principal_system(m->current);
    AUTO(commit_unref) struct commit *commit = NULL;
    struct problem problem = {0};
    struct caller caller = {0};
    struct tx tx = {.arena = a, .principal = principal, .problem = &problem, .caller = &caller};

    int rc = writer_begin(w, WRITER_ROWS);
    if (rc == 0)
        rc = writer_run(w, &tx, bootstrap, state, &commit);
    if (rc == 0)
        return writer_commit(w);
    writer_rollback(w);
    return rc == REFUSED
               ? FAULT_BECAUSE(EINVAL, "the first start was refused: %.*s", STR_ARG(problem.reason))
               : rc;
}

static bool needs_bootstrap(const struct model *m, const struct journal_state *state)
{
    const struct workspace *w = catalogue_workspace(m->current, DEFAULT_WORKSPACE);

    return state->commits == 0 || state->format < FORMAT || (w && w->member_count == 0);
}

static int fill(struct model *m)
{
    AUTO(arena_free) struct arena *a = arena_new();
    struct journal_state state;
    struct writer *w;

    int rc = m->settings->read_only ? 0 : ensure_tables(m->store);
    if (rc == 0)
        rc = store_begin(m->store, STORE_READ);
    if (rc != 0)
        return rc;
    rc = read_instance(m, &state, a);
    store_rollback(m->store);
    if (rc != 0 || m->settings->read_only || !needs_bootstrap(m, &state))
        return rc;

    rc = writer_open(m, &w);
    if (rc == 0) {
        rc = run_bootstrap(m, w, &state, a);
        writer_close(w);
    }
    return rc;
}

int model_open(const struct model_settings *settings, struct model **model_out)
{
    struct model *m = MEM_NEW(struct model);

    m->settings = settings;
    m->identity = identity_memory_new();
    m->counters = counters_new();
    pthread_mutex_init(&m->lock, NULL);
    int rc =
        store_open(&settings->store, settings->read_only ? STORE_READ : STORE_WRITE, &m->store);
    if (rc == 0)
        rc = fill(m);
    if (rc != 0) {
        model_close(m);
        return rc;
    }
    *model_out = m;
    return 0;
}

int model_head(struct model *m, int64_t *head_out)
{
    AUTO(arena_free) struct arena *arena = arena_new();
    struct journal_state state;

    int rc = store_begin(m->store, STORE_READ);
    if (rc != 0)
        return rc;
    rc = journal_state_read(m->store, arena, &state);
    store_rollback(m->store);
    if (rc == 0)
        *head_out = state.head;
    return rc;
}

void model_note_grid_heard(struct model *m)
{
    atomic_store_explicit(&m->grid_heard, true, memory_order_relaxed);
}

bool model_grid_is_heard(const struct model *m)
{
    return atomic_load_explicit(&m->grid_heard, memory_order_relaxed);
}

void model_close(struct model *m)
{
    if (!m)
        return;
    store_close(m->store);
    identity_memory_free(m->identity);
    counters_free(m->counters);
    catalogue_unref(m->current);
    pthread_mutex_destroy(&m->lock);
    mem_free(m);
}

/* ---- readers ---- */

struct reader {
    struct model *model;
    struct store *store;
    struct catalogue *catalogue; /* from begin to end */
    struct catalogue *loaded;    /* the latest that it had to read itself; NULL: none yet */
    int64_t head, version;       /* the journal's and the catalogue's, from begin to end */
    bool shifted;                /* tables were changed under the latest read */
};

int reader_open(struct model *m, struct reader **reader_out)
{
    struct store *store;
    int rc = store_open(&m->settings->store, STORE_READ, &store);
    if (rc != 0)
        return rc;

    struct reader *r = MEM_NEW(struct reader);
    r->model = m;
    r->store = store;
    *reader_out = r;
    return 0;
}

void reader_close(struct reader *r)
{
    if (!r)
        return;
    store_close(r->store);
    catalogue_unref(r->catalogue);
    catalogue_unref(r->loaded);
    mem_free(r);
}

/*
 * Rows and catalogue have to fit. A snapshot that has another catalogue than the published one is
 * usually a moment ahead of the writer's thread, which has committed and is about to publish. After
 * a while it is somebody else's: of another process, or of a commit in doubt (writer_settle). Then
 * the reader reads it from the snapshot itself. A model that is read only is told of none.
 */
enum { PUBLISH_TRIES = 50, PUBLISH_PAUSE_NS = 1000 * 1000 };
enum unknown_catalogue { UNKNOWN_AWAITED, UNKNOWN_LOADED };

static struct catalogue *known_catalogue(struct reader *r, int64_t version)
{
    struct catalogue *published = model_catalogue(r->model);

    if (published->version == version)
        return published;
    catalogue_unref(published);
    return r->loaded && r->loaded->version == version ? catalogue_ref(r->loaded) : NULL;
}

static int load_catalogue(struct reader *r, int64_t version)
{
    struct catalogue *c;

    int rc = catalogue_load(r->store, version, &c);
    if (rc != 0)
        return rc;
    catalogue_unref(r->loaded);
    r->loaded = c;
    r->catalogue = catalogue_ref(c);
    return 0;
}

/* One try; 0 without r->catalogue: it is to be awaited. */
static int begin_snapshot(struct reader *r, struct arena *a, enum unknown_catalogue unknown,
                          struct journal_state *state_out)
{
    int rc = store_begin(r->store, STORE_READ);
    if (rc != 0)
        return rc;
    rc = journal_state_read(r->store, a, state_out);
    if (rc == 0)
        r->catalogue = known_catalogue(r, state_out->catalogue_version);
    if (rc == 0 && !r->catalogue && unknown == UNKNOWN_LOADED)
        rc = load_catalogue(r, state_out->catalogue_version);
    if (!r->catalogue)
        reader_end(r);
    return rc;
}

int reader_begin(struct reader *r, struct tx *tx)
{
    const struct timespec pause = {.tv_nsec = PUBLISH_PAUSE_NS};
    const int tries = r->model->settings->read_only ? 0 : PUBLISH_TRIES;
    struct journal_state state;

    assert(!r->catalogue);
    r->shifted = false;
    for (int i = 0; !r->catalogue; i++) {
        if (i > 0)
            nanosleep(&pause, NULL);
        int rc = begin_snapshot(r, tx->arena, i < tries ? UNKNOWN_AWAITED : UNKNOWN_LOADED, &state);
        if (rc != 0)
            return rc;
    }
    tx->model = r->model;
    tx->settings = r->model->settings;
    tx->catalogue = r->catalogue;
    tx->now_ms = clock_now_ms();
    tx->store = r->store;
    tx->commit = NULL;
    tx->head = state.head;
    r->head = state.head;
    r->version = state.catalogue_version;
    return 0;
}

void reader_end(struct reader *r)
{
    store_rollback(r->store);
    catalogue_unref(r->catalogue);
    r->catalogue = NULL;
}

/* Every change of a table is in the journal, and brings a catalogue of another version. */
static int look_for_tables(const struct reader *r, struct arena *a, bool *shifted_out)
{
    struct journal_state state;

    int rc = journal_state_read(r->store, a, &state);
    if (rc != 0 || state.catalogue_version == r->version)
        return rc;
    return journal_has_tables(r->store, r->head, state.head, shifted_out);
}

/* By a second look, which sees the present. What changes after it finds the read done. */
int reader_finish(struct reader *r)
{
    AUTO(arena_free) struct arena *arena = NULL;

    reader_end(r);
    if (!store_tables_shift(r->store))
        return 0;
    int rc = store_begin(r->store, STORE_READ);
    if (rc != 0)
        return rc;
    arena = arena_new();
    rc = look_for_tables(r, arena, &r->shifted);
    store_rollback(r->store);
    return rc == 0 && r->shifted ? FAULT_BECAUSE(EAGAIN, "tables were changed under a read") : rc;
}

enum store_trouble reader_trouble(const struct reader *r)
{
    return r->shifted ? STORE_CONFLICT : store_trouble(r->store);
}
