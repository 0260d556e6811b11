/* Pools of threads. What a thread sees is noted under a lock and judged by the test's thread. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>

#include "base/attr.h"
#include "base/fault.h"
#include "loop/loop.h"

enum { JOBS_MAX = 500 };

struct job {
    struct mail mail;
    unsigned number;
};

struct scene {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned opened, closed, idled;
    unsigned done, next, out_of_order;
    size_t batch_size_max; /* the largest seen */
    bool hold;             /* work waits while this is set */
    unsigned holding;      /* threads that wait in work */
    unsigned fail_open_at; /* this thread's open fails; 0: none */
    char name[16];
    bool signals_blocked;
    struct workers *workers; /* for work that posts */
    struct job *extra;       /* posted by the first work */
};

static struct job jobs[JOBS_MAX];

static void scene_init(struct scene *s)
{
    *s = (struct scene){0};
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->changed, NULL);
    for (unsigned i = 0; i < JOBS_MAX; i++)
        jobs[i] = (struct job){.number = i};
}

static void scene_deinit(struct scene *s)
{
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->changed);
}

static int open_state(void *context, void **state_out)
{
    struct scene *s = context;
    sigset_t blocked;
    int rc = 0;

    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    pthread_mutex_lock(&s->lock);
    s->signals_blocked = sigismember(&blocked, SIGTERM) == 1 && sigismember(&blocked, SIGHUP) == 1;
    if (++s->opened == s->fail_open_at)
        rc = FAULT_BECAUSE(EACCES, "the door is %s", "locked");
    pthread_mutex_unlock(&s->lock);
    if (rc == 0)
        *state_out = s;
    return rc;
}

static void work(void *state, struct mail **batch, size_t count)
{
    struct scene *s = state;

    pthread_mutex_lock(&s->lock);
    s->holding++;
    pthread_cond_broadcast(&s->changed);
    while (s->hold)
        pthread_cond_wait(&s->changed, &s->lock);
    s->holding--;
    pthread_getname_np(pthread_self(), s->name, sizeof(s->name));
    if (count > s->batch_size_max)
        s->batch_size_max = count;
    for (size_t i = 0; i < count; i++) {
        if (CONTAINER_OF(batch[i], struct job, mail)->number != s->next++)
            s->out_of_order++;
    }
    struct job *extra = s->extra;
    s->extra = NULL;
    pthread_mutex_unlock(&s->lock);
    if (extra)
        workers_post(s->workers, &extra->mail);

    pthread_mutex_lock(&s->lock);
    s->done += (unsigned)count;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

static void close_state(void *state)
{
    struct scene *s = state;

    pthread_mutex_lock(&s->lock);
    s->closed++;
    pthread_mutex_unlock(&s->lock);
}

static void idle(void *state)
{
    struct scene *s = state;

    pthread_mutex_lock(&s->lock);
    s->idled++;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

static const struct workers_ops ops = {open_state, work, close_state, idle};

static struct workers *start(struct scene *s, unsigned threads, size_t batch_max, int idle_ms)
{
    struct workers *w = NULL;

    assert_int_equal(workers_start("clerk", &ops, s, threads, batch_max, idle_ms, &w), 0);
    return w;
}

static void set_hold(struct scene *s, bool hold)
{
    pthread_mutex_lock(&s->lock);
    s->hold = hold;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

static void wait_holding(struct scene *s, unsigned threads)
{
    pthread_mutex_lock(&s->lock);
    while (s->holding < threads)
        pthread_cond_wait(&s->changed, &s->lock);
    pthread_mutex_unlock(&s->lock);
}

static void post(struct workers *w, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++)
        workers_post(w, &jobs[i].mail);
}

/* One job keeps the only thread busy; so many more wait; then all run. */
static size_t largest_batch(unsigned waiting, size_t batch_max)
{
    struct scene s;

    scene_init(&s);
    struct workers *w = start(&s, 1, batch_max, 0);
    set_hold(&s, true);
    post(w, 0, 1);
    wait_holding(&s, 1);
    post(w, 1, 1 + waiting);
    assert_int_equal(workers_waiting(w), waiting);
    set_hold(&s, false);
    workers_stop(w);
    assert_int_equal(s.done, 1 + waiting);
    assert_int_equal(s.out_of_order, 0);
    scene_deinit(&s);
    return s.batch_size_max;
}

static void a_batch_takes_all_that_waits_up_to_its_limit(void **state)
{
    (void)state;
    assert_int_equal(largest_batch(7, 8), 7);
    assert_int_equal(largest_batch(8, 8), 8);
    assert_int_equal(largest_batch(9, 8), 8);
    assert_int_equal(largest_batch(20, 1), 1);
}

static void stopping_runs_what_waits_and_closes_each_thread(void **state)
{
    struct scene s;
    (void)state;

    scene_init(&s);
    struct workers *w = start(&s, 3, 4, 0);
    assert_int_equal(s.opened, 3);
    post(w, 0, JOBS_MAX);
    workers_stop(w);
    assert_int_equal(s.done, JOBS_MAX);
    assert_int_equal(s.closed, 3);
    scene_deinit(&s);
}

static void work_that_posts_while_stopping_is_run_too(void **state)
{
    struct scene s;
    (void)state;

    scene_init(&s);
    struct workers *w = start(&s, 1, 1, 0);
    set_hold(&s, true);
    s.workers = w;
    s.extra = &jobs[1];
    post(w, 0, 1);
    wait_holding(&s, 1);
    set_hold(&s, false);
    workers_stop(w);
    assert_int_equal(s.done, 2);
    scene_deinit(&s);
}

static void threads_run_side_by_side(void **state)
{
    struct scene s;
    (void)state;

    scene_init(&s);
    struct workers *w = start(&s, 2, 8, 0);
    set_hold(&s, true);
    post(w, 0, 1);
    wait_holding(&s, 1);
    post(w, 1, 2);
    wait_holding(&s, 2); /* would never come if one waited for the other */
    set_hold(&s, false);
    workers_stop(w);
    assert_int_equal(s.done, 2);
    scene_deinit(&s);
}

static void a_failed_open_is_passed_on_with_its_words(void **state)
{
    (void)state;
    for (unsigned at = 1; at <= 3; at++) {
        struct scene s;
        struct workers *w = NULL;

        scene_init(&s);
        s.fail_open_at = at;
        assert_int_equal(workers_start("clerk", &ops, &s, 3, 1, 0, &w), -EACCES);
        assert_null(w);
        assert_non_null(strstr(fault_text(), "the door is locked"));
        assert_int_equal(s.closed, 2);
        scene_deinit(&s);
    }
}

static void threads_have_names_and_block_signals(void **state)
{
    struct scene s;
    sigset_t blocked;
    (void)state;

    scene_init(&s);
    struct workers *w = start(&s, 1, 1, 0);
    post(w, 0, 1);
    workers_stop(w);
    assert_string_equal(s.name, "clerk");
    assert_true(s.signals_blocked);
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    assert_int_equal(sigismember(&blocked, SIGTERM), 0); /* the starter's are as before */
    scene_deinit(&s);

    scene_init(&s);
    assert_int_equal(workers_start("a-very-long-name", &ops, &s, 2, 1, 0, &w), 0);
    post(w, 0, 1);
    workers_stop(w);
    assert_memory_equal(s.name, "a-very-long-", 12);
    scene_deinit(&s);
}

static void upkeep_runs_when_nothing_waits_and_again(void **state)
{
    struct scene s;
    (void)state;

    scene_init(&s);
    struct workers *w = start(&s, 1, 1, 1);
    pthread_mutex_lock(&s.lock);
    while (s.idled < 2)
        pthread_cond_wait(&s.changed, &s.lock);
    pthread_mutex_unlock(&s.lock);
    post(w, 0, 1);
    workers_stop(w);
    assert_int_equal(s.done, 1);
    scene_deinit(&s);
}

static void a_pool_without_state_needs_work_only(void **state)
{
    struct scene s;
    struct workers *w = NULL;
    const struct workers_ops bare = {.open = open_state, .work = work};
    (void)state;

    scene_init(&s);
    assert_int_equal(workers_start("bare", &bare, &s, 1, 1, 1, &w), 0);
    post(w, 0, 3);
    workers_stop(w);
    assert_int_equal(s.done, 3);
    assert_int_equal(s.closed + s.idled, 0);
    scene_deinit(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_takes_all_that_waits_up_to_its_limit),
        cmocka_unit_test(stopping_runs_what_waits_and_closes_each_thread),
        cmocka_unit_test(work_that_posts_while_stopping_is_run_too),
        cmocka_unit_test(threads_run_side_by_side),
        cmocka_unit_test(a_failed_open_is_passed_on_with_its_words),
        cmocka_unit_test(threads_have_names_and_block_signals),
        cmocka_unit_test(upkeep_runs_when_nothing_waits_and_again),
        cmocka_unit_test(a_pool_without_state_needs_work_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
