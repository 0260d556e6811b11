#ifndef UNIT_MISHAP_H
#define UNIT_MISHAP_H

/*
 * A store that meets trouble when the test says so. mishap_watch() puts a driver before the store's
 * own that passes everything on, and at the planned moment does what a lost connection or another's
 * transaction does to it. One test at a time plans; the stores may be on any thread.
 */

#include <errno.h>
#include <pthread.h>

#include "base/fault.h"

#define dialect sql_dialect /* session has another struct of that name */
#include "store/driver.h"
#undef dialect

enum mishap_moment {
    MISHAP_NEVER,
    MISHAP_AT_BEGIN,
    MISHAP_AT_STATEMENT,
    MISHAP_AT_COMMIT,    /* of a transaction that wrote: nothing of it is there */
    MISHAP_AFTER_COMMIT, /* the same: all of it is there */
};

struct mishap {
    enum mishap_moment when;
    enum store_trouble what;
    unsigned after; /* so many of these moments pass before it happens */
    unsigned times;
    bool reading;   /* it happens to readers; else to writers */
    bool then_away; /* and from then on the database is away */
};

struct mishap_store {
    struct store *store;
    bool reading, wrote; /* its transaction */
    bool lost;           /* its transaction is: only rollback works */
    bool passing;        /* begin, commit or rollback is the driver's own: so are its statements */
};
enum { MISHAP_STORES_MAX = 8 };
static struct {
    pthread_mutex_t lock; /* all below */
    struct mishap plan;
    bool away;
    unsigned commits;
    const struct store_driver *real;
    struct store_driver before; /* the real one's, but for what is watched */
    struct mishap_store stores[MISHAP_STORES_MAX];
} mishaps = {.lock = PTHREAD_MUTEX_INITIALIZER};

static struct mishap_store *mishap_of(const struct store *s)
{
    for (size_t i = 0; i < MISHAP_STORES_MAX; i++)
        if (mishaps.stores[i].store == s)
            return &mishaps.stores[i];
    fail_msg("not a store that is watched");
    return NULL;
}

/* With the lock held: is it now? */
static bool mishap_is_due(const struct mishap_store *m, enum mishap_moment now)
{
    struct mishap *plan = &mishaps.plan;
    bool commits = now == MISHAP_AT_COMMIT || now == MISHAP_AFTER_COMMIT;
    if (plan->when != now || plan->times == 0 || plan->reading != m->reading ||
        (commits && !m->wrote))
        return false;
    if (plan->after > 0) {
        plan->after--;
        return false;
    }
    plan->times--;
    mishaps.away |= plan->then_away;
    return true;
}

static int mishap_fault(struct store *s, enum store_trouble trouble)
{
    s->trouble = trouble;
    return FAULT_BECAUSE(ECONNRESET, "a mishap of the test");
}

/* What stops this from happening: nothing, or trouble. */
static enum store_trouble mishap_now(struct store *s, enum mishap_moment now)
{
    pthread_mutex_lock(&mishaps.lock);
    struct mishap_store *m = mishap_of(s);
    enum store_trouble trouble = STORE_SOUND;
    mishaps.commits += now == MISHAP_AT_COMMIT;
    if (now == MISHAP_AT_BEGIN)
        m->lost = false;
    if (m->lost)
        trouble = s->trouble;
    else if (mishaps.away && now != MISHAP_AFTER_COMMIT)
        trouble = STORE_AWAY;
    else if (mishap_is_due(m, now))
        trouble = mishaps.plan.what;
    m->lost = trouble != STORE_SOUND;
    pthread_mutex_unlock(&mishaps.lock);
    return trouble;
}

static void mishap_pass(const struct store *s, bool passing)
{
    pthread_mutex_lock(&mishaps.lock);
    struct mishap_store *m = mishap_of(s);
    m->passing = passing;
    m->lost = m->lost && !passing;
    pthread_mutex_unlock(&mishaps.lock);
}

static void mishap_note(const struct store *s, enum store_access access)
{
    pthread_mutex_lock(&mishaps.lock);
    struct mishap_store *m = mishap_of(s);
    m->reading = access == STORE_READ;
    m->wrote = false;
    pthread_mutex_unlock(&mishaps.lock);
}

static int mishap_begin(struct store *s, enum store_access access)
{
    mishap_note(s, access);
    enum store_trouble trouble = mishap_now(s, MISHAP_AT_BEGIN);
    if (trouble)
        return mishap_fault(s, trouble);
    mishap_pass(s, true);
    int rc = mishaps.real->begin(s, access);
    mishap_pass(s, false);
    return rc;
}

static void mishap_rollback(struct store *s)
{
    mishap_pass(s, true);
    mishaps.real->rollback(s);
    mishap_pass(s, false);
}

static int mishap_commit(struct store *s)
{
    enum store_trouble trouble = mishap_now(s, MISHAP_AT_COMMIT);
    if (trouble) {
        mishap_rollback(s);
        return mishap_fault(s, trouble);
    }
    mishap_pass(s, true);
    int rc = mishaps.real->commit(s);
    mishap_pass(s, false);
    if (rc != 0)
        return rc;
    trouble = mishap_now(s, MISHAP_AFTER_COMMIT);
    return trouble ? mishap_fault(s, trouble) : 0;
}

static int mishap_run(struct store *s, struct statement *st, store_row_fn *row, void *context)
{
    pthread_mutex_lock(&mishaps.lock);
    struct mishap_store *m = mishap_of(s);
    bool passing = m->passing;
    m->wrote |= !passing && st->writes && st->shape; /* a savepoint has no shape */
    pthread_mutex_unlock(&mishaps.lock);
    enum store_trouble trouble = passing ? STORE_SOUND : mishap_now(s, MISHAP_AT_STATEMENT);
    return trouble ? mishap_fault(s, trouble) : mishaps.real->run(s, st, row, context);
}

/* On the thread that uses the store. Again: nothing. */
UNUSED static void mishap_watch(struct store *s)
{
    size_t i = 0;
    pthread_mutex_lock(&mishaps.lock);
    while (i < MISHAP_STORES_MAX && mishaps.stores[i].store && mishaps.stores[i].store != s)
        i++;
    assert_true(i < MISHAP_STORES_MAX);
    if (s->driver->run != mishap_run) {
        mishaps.real = s->driver;
        mishaps.before = *s->driver;
        mishaps.before.begin = mishap_begin;
        mishaps.before.commit = mishap_commit;
        mishaps.before.rollback = mishap_rollback;
        mishaps.before.run = mishap_run;
        mishaps.stores[i] = (struct mishap_store){.store = s};
        s->driver = &mishaps.before;
    }
    pthread_mutex_unlock(&mishaps.lock);
}

UNUSED static void mishap_plan(struct mishap plan)
{
    pthread_mutex_lock(&mishaps.lock);
    mishaps.plan = plan;
    pthread_mutex_unlock(&mishaps.lock);
}

UNUSED static void mishap_set_away(bool away)
{
    pthread_mutex_lock(&mishaps.lock);
    mishaps.away = away;
    pthread_mutex_unlock(&mishaps.lock);
}

UNUSED static unsigned mishap_commits(void)
{
    pthread_mutex_lock(&mishaps.lock);
    unsigned commits = mishaps.commits;
    pthread_mutex_unlock(&mishaps.lock);
    return commits;
}

UNUSED static bool mishap_happened(void)
{
    pthread_mutex_lock(&mishaps.lock);
    bool happened = mishaps.plan.times == 0;
    pthread_mutex_unlock(&mishaps.lock);
    return happened;
}

/* Before each test: no plan, and no store is known. */
UNUSED static void mishap_reset(void)
{
    pthread_mutex_lock(&mishaps.lock);
    mishaps.plan = (struct mishap){.when = MISHAP_NEVER};
    mishaps.away = false;
    mishaps.commits = 0;
    memset(mishaps.stores, 0, sizeof(mishaps.stores));
    pthread_mutex_unlock(&mishaps.lock);
}

#endif
