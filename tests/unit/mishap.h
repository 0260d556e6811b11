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
#include "store/driver.h"

enum mishap_moment {
    MISHAP_NEVER,
    MISHAP_AT_BEGIN,
    MISHAP_AT_STATEMENT,
    MISHAP_AT_COMMIT,    /* nothing of the transaction is there */
    MISHAP_AFTER_COMMIT, /* all of it is */
};

struct mishap {
    enum mishap_moment when;
    enum store_trouble what;
    unsigned after; /* so many of these moments pass before it happens */
    unsigned times;
    bool then_away; /* and from then on the database is away */
};

enum { MISHAP_STORES_MAX = 8 };
static struct {
    pthread_mutex_t lock; /* all below */
    struct mishap plan;
    bool away;
    unsigned commits;
    const struct store_driver *real;
    struct store_driver before; /* the real one's, but for what is watched */
    struct {
        struct store *store;
        bool lost; /* its transaction is: only rollback works */
    } stores[MISHAP_STORES_MAX];
} mishaps = {.lock = PTHREAD_MUTEX_INITIALIZER};

static bool *mishap_lost(const struct store *s)
{
    for (size_t i = 0; i < MISHAP_STORES_MAX; i++)
        if (mishaps.stores[i].store == s)
            return &mishaps.stores[i].lost;
    fail_msg("not a store that is watched");
    return NULL;
}

/* With the lock held: is it now? */
static bool mishap_is_due(enum mishap_moment now)
{
    struct mishap *plan = &mishaps.plan;
    if (plan->when != now || plan->times == 0)
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
    bool *lost = mishap_lost(s);
    enum store_trouble trouble = STORE_SOUND;
    mishaps.commits += now == MISHAP_AT_COMMIT;
    if (now == MISHAP_AT_BEGIN)
        *lost = false;
    if (*lost)
        trouble = s->trouble;
    else if (mishaps.away)
        trouble = STORE_AWAY;
    else if (mishap_is_due(now))
        trouble = mishaps.plan.what;
    *lost = trouble != STORE_SOUND;
    pthread_mutex_unlock(&mishaps.lock);
    return trouble;
}

static int mishap_begin(struct store *s, enum store_access access)
{
    enum store_trouble trouble = mishap_now(s, MISHAP_AT_BEGIN);
    return trouble ? mishap_fault(s, trouble) : mishaps.real->begin(s, access);
}

static void mishap_rollback(struct store *s)
{
    pthread_mutex_lock(&mishaps.lock);
    *mishap_lost(s) = false;
    pthread_mutex_unlock(&mishaps.lock);
    mishaps.real->rollback(s);
}

static int mishap_commit(struct store *s)
{
    enum store_trouble trouble = mishap_now(s, MISHAP_AT_COMMIT);
    if (trouble) {
        mishap_rollback(s);
        return mishap_fault(s, trouble);
    }
    int rc = mishaps.real->commit(s);
    if (rc != 0)
        return rc;
    pthread_mutex_lock(&mishaps.lock);
    bool due = mishap_is_due(MISHAP_AFTER_COMMIT);
    pthread_mutex_unlock(&mishaps.lock);
    return due ? mishap_fault(s, mishaps.plan.what) : 0;
}

static int mishap_run(struct store *s, struct statement *st, store_row_fn *row, void *context)
{
    enum store_trouble trouble = mishap_now(s, MISHAP_AT_STATEMENT);
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
        mishaps.stores[i].store = s;
        mishaps.stores[i].lost = false;
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
