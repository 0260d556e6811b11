#ifndef MODEL_PROGRESS_H
#define MODEL_PROGRESS_H

/*
 * How far a long piece of work is: told while its transaction is still open, to who waits for it,
 * who may also have it stopped. Work says how many steps are before it (rows, mostly) as it finds
 * out, and then that they are done. The writer's thread.
 */

#include <stdbool.h>
#include <stdint.h>

struct tx;

/* In tx->progress; the owner is who set it. */
struct progress {
    /* Called after each step; never 100. False: the work is to stop. */
    bool (*report)(void *context, unsigned percent);
    void *context;
    int64_t expected, done; /* steps */
    unsigned percent;
};

/* Both do nothing where nobody wants to know. */
void progress_expect(struct tx *tx, int64_t steps);
/* 0, or REFUSED (PROGRESS_STOPPED): nobody wants it any more. */
int progress_step(struct tx *tx, int64_t steps);

#define PROGRESS_STOPPED "stopped"

#endif
