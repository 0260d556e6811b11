#include "loop/loop.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>

#include "base/fault.h"
#include "base/mem.h"

enum { FAULT_TEXT_MAX = 256 };

/* One queue under one lock, in order of posting. A thread that finds it empty sleeps on `posted`.
 */
struct workers {
    struct workers_ops ops;
    void *context;
    size_t batch_max;
    int idle_ms;

    pthread_mutex_t lock; /* all below, down to the starter's */
    pthread_cond_t posted, opened;
    struct mail *first, *last;
    atomic_size_t waiting; /* written with the lock held, read without */
    bool stopping;
    unsigned open_count, failed_count; /* threads that are through `open` */
    int fault;                         /* the first that `open` returned */
    char fault_text[FAULT_TEXT_MAX];

    unsigned started_count; /* the starter's */
    struct worker *threads;
};

struct worker {
    struct workers *pool;
    pthread_t thread;
    struct mail **batch;
};

static void queue_push(struct workers *w, struct mail *mail)
{
    mail->next = NULL;
    if (w->last)
        w->last->next = mail;
    else
        w->first = mail;
    w->last = mail;
    w->waiting++;
}

static size_t queue_take(struct workers *w, struct mail **batch)
{
    size_t count = 0;

    while (w->first && count < w->batch_max) {
        struct mail *mail = w->first;
        w->first = mail->next;
        mail->next = NULL;
        batch[count++] = mail;
    }
    if (!w->first)
        w->last = NULL;
    w->waiting -= count;
    return count;
}

static struct timespec idle_deadline(const struct workers *w)
{
    struct timespec at;

    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += w->idle_ms / 1000;
    at.tv_nsec += (long)(w->idle_ms % 1000) * 1000000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000;
    }
    return at;
}

/* Sleeps until there is work, an end, or upkeep to do. With the lock held; true: time for upkeep.
 */
static bool wait_for_work(struct workers *w)
{
    bool upkeep = w->ops.idle && w->idle_ms > 0;
    struct timespec until = upkeep ? idle_deadline(w) : (struct timespec){0};

    while (!w->first && !w->stopping) {
        if (!upkeep)
            pthread_cond_wait(&w->posted, &w->lock);
        else if (pthread_cond_timedwait(&w->posted, &w->lock, &until) == ETIMEDOUT)
            return !w->first && !w->stopping;
    }
    return false;
}

static void worker_serve(struct worker *me, void *state)
{
    struct workers *w = me->pool;

    pthread_mutex_lock(&w->lock);
    while (w->first || !w->stopping) {
        if (wait_for_work(w)) {
            pthread_mutex_unlock(&w->lock);
            w->ops.idle(state);
            pthread_mutex_lock(&w->lock);
            continue;
        }
        size_t count = queue_take(w, me->batch);
        if (count == 0)
            continue;
        pthread_mutex_unlock(&w->lock);
        w->ops.work(state, me->batch, count);
        pthread_mutex_lock(&w->lock);
    }
    pthread_mutex_unlock(&w->lock);
}

static void *worker_main(void *argument)
{
    struct worker *me = argument;
    struct workers *w = me->pool;
    void *state = NULL;
    int rc = w->ops.open ? w->ops.open(w->context, &state) : 0;

    pthread_mutex_lock(&w->lock);
    w->open_count += rc == 0;
    w->failed_count += rc != 0;
    if (rc != 0 && w->fault == 0) {
        /* The words of a fault belong to the thread that raised it: carry them over. */
        w->fault = rc;
        snprintf(w->fault_text, sizeof(w->fault_text), "%s", fault_text());
    }
    pthread_cond_signal(&w->opened);
    pthread_mutex_unlock(&w->lock);

    if (rc == 0) {
        worker_serve(me, state);
        if (w->ops.close)
            w->ops.close(state);
    }
    return NULL;
}

static void thread_set_name(pthread_t thread, const char *name, unsigned index, unsigned threads)
{
    char text[16]; /* the kernel's limit */

    if (threads == 1)
        snprintf(text, sizeof(text), "%.15s", name);
    else
        snprintf(text, sizeof(text), "%.11s-%u", name, index % 1000);
    pthread_setname_np(thread, text);
}

/* Signals are blocked before the threads exist, so that none can arrive in between. */
static int start_threads(struct workers *w, const char *name, unsigned threads)
{
    sigset_t all, before;
    int rc = 0;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (unsigned i = 0; i < threads && rc == 0; i++) {
        struct worker *worker = &w->threads[i];
        worker->pool = w;
        worker->batch = MEM_ARRAY(struct mail *, w->batch_max);
        w->started_count++;
        rc = pthread_create(&worker->thread, NULL, worker_main, worker);
        if (rc != 0) {
            w->started_count--;
            mem_free(worker->batch);
        } else {
            thread_set_name(worker->thread, name, i, threads);
        }
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc;
}

static struct workers *workers_new(const struct workers_ops *ops, void *context, unsigned threads,
                                   size_t batch_max, int idle_ms)
{
    struct workers *w = MEM_NEW(struct workers);
    pthread_condattr_t monotonic;

    w->ops = *ops;
    w->context = context;
    w->batch_max = batch_max;
    w->idle_ms = idle_ms;
    w->threads = MEM_ARRAY(struct worker, threads);
    pthread_mutex_init(&w->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&w->posted, &monotonic);
    pthread_cond_init(&w->opened, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return w;
}

int workers_start(const char *name, const struct workers_ops *ops, void *context, unsigned threads,
                  size_t batch_max, int idle_ms, struct workers **workers_out)
{
    assert(threads > 0 && batch_max > 0 && ops->work);

    struct workers *w = workers_new(ops, context, threads, batch_max, idle_ms);
    char text[FAULT_TEXT_MAX];
    int rc = start_threads(w, name, threads);
    int fault;

    pthread_mutex_lock(&w->lock);
    while (w->open_count + w->failed_count < w->started_count)
        pthread_cond_wait(&w->opened, &w->lock);
    fault = w->fault;
    memcpy(text, w->fault_text, sizeof(text));
    pthread_mutex_unlock(&w->lock);
    if (rc == 0 && fault == 0) {
        *workers_out = w;
        return 0;
    }
    workers_stop(w);
    if (fault != 0)
        return FAULT_BECAUSE(-fault, "%s", text);
    return FAULT_BECAUSE(rc, "cannot start a thread for %s", name);
}

void workers_post(struct workers *w, struct mail *mail)
{
    pthread_mutex_lock(&w->lock);
    queue_push(w, mail);
    pthread_mutex_unlock(&w->lock);
    pthread_cond_signal(&w->posted);
}

size_t workers_waiting(const struct workers *w)
{
    return atomic_load_explicit(&w->waiting, memory_order_relaxed);
}

void workers_stop(struct workers *w)
{
    if (!w)
        return;
    pthread_mutex_lock(&w->lock);
    w->stopping = true;
    pthread_cond_broadcast(&w->posted);
    pthread_mutex_unlock(&w->lock);
    for (unsigned i = 0; i < w->started_count; i++) {
        pthread_join(w->threads[i].thread, NULL);
        mem_free(w->threads[i].batch);
    }
    assert(!w->first);
    pthread_cond_destroy(&w->posted);
    pthread_cond_destroy(&w->opened);
    pthread_mutex_destroy(&w->lock);
    mem_free(w->threads);
    mem_free(w);
}
