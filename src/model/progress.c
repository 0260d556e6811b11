#include "model/progress.h"

#include "model/model.h"

void progress_expect(struct tx *tx, int64_t steps)
{
    if (tx->progress)
        tx->progress->expected += steps;
}

/* 100 is when it is durable, and that is for others to know. */
static unsigned percentage(const struct progress *p)
{
    if (p->expected <= 0)
        return 0;
    int64_t percent = (int64_t)((double)p->done * 100 / (double)p->expected);
    return percent < 99 ? (unsigned)percent : 99;
}

int progress_step(struct tx *tx, int64_t steps)
{
    struct progress *p = tx->progress;

    if (!p)
        return 0;
    p->done += steps;
    /* It never falls, though more may have turned out to be there. */
    unsigned percent = percentage(p);
    p->percent = percent > p->percent ? percent : p->percent;
    return p->report(p->context, p->percent)
               ? 0
               : refuse(tx, PROBLEM_UNPROCESSABLE, "%s", PROGRESS_STOPPED);
}
