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
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct loop;
struct loop *loop_new(void);
/* Accepts NULL. Everything on it must be closed; what is still closing is waited for. */
void loop_free(struct loop *l);
uv_loop_t *loop_uv(struct loop *l);
/* Runs until loop_stop(), or until nothing is left that could wake it. Returns 0. */
int loop_run(struct loop *l);
void loop_stop(struct loop *l); /* on the loop's thread; the turn is finished first */

/*
 * Runs `fn(context)` at the end of each turn that asked for it with loop_at_end(): after all input
 * of the turn was handled, and before the loop waits again. Asking from within `fn` gives another
 * turn, without waiting. At most one such function a loop (net's flush); NULL takes it away.
 */
void loop_set_flush(struct loop *l, void (*fn)(void *context), void *context);
void loop_at_end(struct loop *l); /* on the loop's thread */

/* Something to be queued: embed it. */
struct mail {
    struct mail *next;
};

/* An open mailbox keeps its loop running. */
struct mailbox;
struct mailbox *mailbox_new(struct loop *l, void (*take)(void *context, struct mail *mail),
                            void *context);
/* On the loop's thread, not from its own `take`; accepts NULL. Untaken mail must be none: stop
 * those who post first, then let the loop turn. */
void mailbox_free(struct mailbox *m);
void mailbox_post(struct mailbox *m,
                  struct mail *mail); /* any thread; never blocks; takes ownership */

/*
 * A queue to a pool of threads that run plain blocking code. Each thread has its own state, made
 * and unmade on the thread by `open`/`close`. With batch_max above 1 the thread takes up to that
 * many waiting items at once (the writer's group commit), in the order of posting.
 * All signals are blocked in these threads: they belong to the loop.
 */
struct workers_ops {
    int (*open)(void *context, void **state_out); /* 0 or a fault: workers_start passes it on */
    void (*work)(void *state, struct mail **batch, size_t count);
    void (*close)(void *state);
    /* Called when nothing waited for idle_ms, and again after each idle_ms more; NULL: never. For
     * upkeep. */
    void (*idle)(void *state);
};
struct workers;
/*
 * `ops` is copied. Returns after every thread has opened: 0, or the first fault (with its words;
 * what had opened is closed again). Threads are called `name`, or `name-0`, `name-1` ... when there
 * are several (cut to 15 characters). idle_ms 0: no upkeep.
 */
int workers_start(const char *name, const struct workers_ops *ops, void *context, unsigned threads,
                  size_t batch_max, int idle_ms, struct workers **workers_out);
void workers_post(struct workers *w, struct mail *mail); /* any thread; takes ownership */
size_t workers_waiting(const struct workers *w);         /* items not yet taken; any thread */
/* Runs what waits, joins, frees; accepts NULL. From here on only `work` itself may still post. */
void workers_stop(struct workers *w);

/* A timer on the loop. Embedded; fires on the loop's thread. */
struct timer {
    uv_timer_t uv;
    void (*fire)(void *context);
    void *context;
    void (*closed)(void *context);
};
void timer_init(struct timer *t, struct loop *l, void (*fire)(void *context), void *context);
/* Counts from now, not from the start of the turn. repeat_ms 0: once. Replaces an earlier start. */
void timer_start(struct timer *t, uint64_t after_ms, uint64_t repeat_ms);
void timer_stop(struct timer *t);
/* Before its memory goes: that is at `closed(context)`, in a later turn. NULL when nobody waits. */
void timer_close(struct timer *t, void (*closed)(void *context));

#endif
