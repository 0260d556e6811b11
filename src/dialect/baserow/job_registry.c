#include "dialect/baserow/jobs.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/mem.h"

/*
 * All jobs in one list, latest first, behind one lock: they are few, and each call is short. A job
 * is there as long as the list or anybody else has a reference; who has one may tell of it, though
 * it is in no list any more.
 */

enum { JOBS_MAX = 1000 };
static const int64_t kept_ms = INT64_C(24) * 60 * 60 * 1000;

struct job {
    unsigned references; /* under the lock, like all of it but owner, arena and texts */
    struct arena *arena;
    struct job_owner owner;
    struct job_facts facts;
    bool sealed;
    struct job *next; /* in the list: earlier */
};

static struct {
    pthread_mutex_t lock;
    struct job *latest;
    size_t count;
    int64_t last_id;
} registry = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void lock(void)
{
    pthread_mutex_lock(&registry.lock);
}

static void unlock(void)
{
    pthread_mutex_unlock(&registry.lock);
}

/* ---- references ---- */

static void release(struct job *job)
{
    if (--job->references > 0)
        return;
    json_decref(job->facts.wish.data);
    arena_free(job->arena); /* with the job itself */
}

struct job *job_ref(struct job *job)
{
    lock();
    job->references++;
    unlock();
    return job;
}

void job_unref(struct job *job)
{
    if (!job)
        return;
    lock();
    release(job);
    unlock();
}

/* ---- the list ---- */

static bool is_under_way(const struct job *job)
{
    return job->facts.state == JOB_PENDING || job->facts.state == JOB_STARTED;
}

static void take_out(struct job **at)
{
    struct job *gone = *at;

    *at = gone->next;
    gone->next = NULL;
    registry.count--;
    release(gone);
}

static void expire(int64_t now_ms)
{
    struct job **at = &registry.latest;

    while (*at)
        if (!is_under_way(*at) && (*at)->facts.updated_ms < now_ms - kept_ms)
            take_out(at);
        else
            at = &(*at)->next;
}

/* The earliest one that is not under way makes room. False: all are. */
static bool make_room(void)
{
    struct job **found = NULL;

    if (registry.count < JOBS_MAX)
        return true;
    for (struct job **at = &registry.latest; *at; at = &(*at)->next)
        if (!is_under_way(*at))
            found = at;
    if (found)
        take_out(found);
    return found != NULL;
}

static bool has_one(const struct job_type *type, int64_t account)
{
    for (const struct job *job = registry.latest; job; job = job->next)
        if (job->facts.type == type && job->owner.account == account && is_under_way(job))
            return true;
    return false;
}

/* Milliseconds since 1970, or one more than the last: so they are given once, also when the server
 * was started again. */
static int64_t next_id(int64_t now_ms)
{
    registry.last_id = now_ms > registry.last_id ? now_ms : registry.last_id + 1;
    return registry.last_id;
}

static struct job *job_new(const struct job_type *type, const struct job_owner *owner,
                           const struct job_wish *wish, int64_t now_ms)
{
    struct arena *arena = arena_new();
    struct job *job = ARENA_NEW(arena, struct job);

    *job = (struct job){.references = 2, .arena = arena, .owner = *owner};
    job->owner.user = arena_str(arena, owner->user);
    job->facts = (struct job_facts){
        .id = next_id(now_ms),
        .user = job->owner.user,
        .type = type,
        .created_ms = now_ms,
        .updated_ms = now_ms,
        .wish = *wish,
    };
    job->facts.wish.name = arena_str(arena, wish->name);
    job->facts.wish.data = json_incref(wish->data);
    return job;
}

int job_register(const struct job_type *type, const struct job_owner *owner,
                 const struct job_wish *wish, int64_t now_ms, struct job **job_out)
{
    int rc = JOB_TOO_MANY;

    lock();
    expire(now_ms);
    if (!has_one(type, owner->account) && make_room()) {
        struct job *job = job_new(type, owner, wish, now_ms);
        job->next = registry.latest;
        registry.latest = job;
        registry.count++;
        *job_out = job;
        rc = 0;
    }
    unlock();
    return rc;
}

void job_withdraw(struct job *job)
{
    if (!job)
        return;
    lock();
    struct job **at = &registry.latest;
    while (*at && *at != job)
        at = &(*at)->next;
    if (*at)
        take_out(at);
    release(job);
    unlock();
}

struct job *job_find(int64_t account, int64_t id)
{
    lock();
    expire(clock_now_ms());
    struct job *job = registry.latest;
    while (job && (job->facts.id != id || job->owner.account != account))
        job = job->next;
    if (job)
        job->references++;
    unlock();
    return job;
}

static void unref_in_arena(void *job)
{
    job_unref(job);
}

size_t job_list(struct arena *a, int64_t account, struct job ***jobs_out)
{
    struct job **jobs = ARENA_ARRAY(a, struct job *, JOBS_MAX);
    size_t count = 0;

    lock();
    expire(clock_now_ms());
    for (struct job *job = registry.latest; job; job = job->next)
        if (job->owner.account == account) {
            job->references++;
            jobs[count++] = job;
        }
    unlock();
    for (size_t i = 0; i < count; i++)
        arena_on_free(a, unref_in_arena, jobs[i]);
    *jobs_out = jobs;
    return count;
}

/* ---- what is known of one ---- */

const struct job_owner *job_owner(const struct job *job)
{
    return &job->owner;
}

struct job_facts job_facts(struct job *job)
{
    lock();
    struct job_facts facts = job->facts;
    unlock();
    return facts;
}

/* ---- its way ---- */

static void move(struct job *job, enum job_state state)
{
    job->facts.state = state;
    job->facts.updated_ms = clock_now_ms();
}

/* Again, when its transaction came to nothing. */
bool job_start(struct job *job)
{
    lock();
    bool on = is_under_way(job);
    if (on) {
        move(job, JOB_STARTED);
        job->sealed = false;
        job->facts.percent = 0;
    }
    unlock();
    return on;
}

bool job_report(struct job *job, unsigned percent)
{
    lock();
    bool on = is_under_way(job);
    if (on && percent > job->facts.percent) {
        job->facts.percent = percent;
        job->facts.updated_ms = clock_now_ms();
    }
    unlock();
    return on;
}

bool job_seal(struct job *job)
{
    lock();
    bool on = is_under_way(job);
    job->sealed = on;
    unlock();
    return on;
}

bool job_cancel(struct job *job)
{
    lock();
    bool on = is_under_way(job) && !job->sealed;
    if (on)
        move(job, JOB_CANCELLED);
    unlock();
    return on;
}

void job_end(struct job *job, const struct job_result *result, struct str error,
             struct str error_code)
{
    lock();
    if (is_under_way(job)) {
        bool failed = error.at != NULL;
        move(job, failed ? JOB_FAILED : JOB_FINISHED);
        job->facts.percent = failed ? job->facts.percent : 100;
        job->facts.error = arena_str(job->arena, error);
        job->facts.error_code = arena_str(job->arena, error_code);
        job->facts.result = *result;
        job->facts.result.report = arena_str(job->arena, result->report);
    }
    /* What it was made of may be large. */
    json_decref(job->facts.wish.data);
    job->facts.wish.data = NULL;
    unlock();
}
