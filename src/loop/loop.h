#ifndef LOOP_LOOP_H
#define LOOP_LOOP_H

/*
 * The event loop (libuv) and what the floors above need of threads. The only home of threads.
 *
 * One loop belongs to one thread. A mailbox is the one way in from another thread: a post wakes the
 * loop, which takes all that waits and hands the items over one by one, in the order of posting.
 */

#include <pthread.h>
#include <stdbool.h>
#include <uv.h>

struct loop;
struct loop *loop_new(void);
void loop_free(struct loop *l); /* everything on it must be closed */
uv_loop_t *loop_uv(struct loop *l);
int loop_run(struct loop *l); /* until loop_stop and nothing is left, or only loop_stop */
void loop_stop(struct loop *l); /* on the loop's thread */

/* Runs `fn(context)` at the end of each turn that asked for it with loop_at_end(): after all input
 * of the turn was handled. At most one such function a loop (net's flush). */
void loop_set_flush(struct loop *l, void (*fn)(void *context), void *context);
void loop_at_end(struct loop *l);

/* Something to be queued: embed it. */
struct mail {
    struct mail *next;
};

struct mailbox;
struct mailbox *mailbox_new(struct loop *l, void (*take)(void *context, struct mail *mail), void *context);
void mailbox_free(struct mailbox *m); /* on the loop's thread; untaken mail must be none */
void mailbox_post(struct mailbox *m, struct mail *mail); /* any thread; never blocks; takes ownership */

/*
 * A queue to a pool of threads that run plain blocking code. Each thread has its own state, made and
 * unmade on the thread by `open`/`close`. With batch_max above 1 the thread takes up to that many
 * waiting items at once (the writer's group commit).
 */
struct workers_ops {
    int (*open)(void *context, void **state_out); /* 0 or a fault: workers_start passes it on */
    void (*work)(void *state, struct mail **batch, size_t count);
    void (*close)(void *state);
    /* Called when nothing waited for idle_ms; NULL: never. For upkeep. */
    void (*idle)(void *state);
};
struct workers;
int workers_start(const char *name, const struct workers_ops *ops, void *context, unsigned threads, size_t batch_max, int idle_ms, struct workers **workers_out);
void workers_post(struct workers *w, struct mail *mail); /* any thread; takes ownership */
size_t workers_waiting(const struct workers *w);         /* items not yet taken; any thread */
void workers_stop(struct workers *w); /* runs what waits, joins, frees; accepts NULL */

/* A timer on the loop. */
struct timer {
    uv_timer_t uv;
    void (*fire)(void *context);
    void *context;
};
void timer_init(struct timer *t, struct loop *l, void (*fire)(void *context), void *context);
void timer_start(struct timer *t, uint64_t after_ms, uint64_t repeat_ms);
void timer_stop(struct timer *t);
void timer_close(struct timer *t, void (*closed)(void *context)); /* before its memory goes */

#endif
