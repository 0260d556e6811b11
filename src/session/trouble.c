#include "session/internal.h"

#include <time.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"

/*
 * The store in trouble. A transaction that came to nothing through no fault of its requests is run
 * again before anybody is told: after a conflict several times, after a lost connection once, on
 * a new one. What that does not help is answered 503, sockets stay, and the next request finds
 * out by itself whether the database is back.
 */

enum { PAUSE_MS_MAX = 32 };

/* Twice as long each time: whoever was met has to end. */
static void pause_after_conflict(unsigned reruns)
{
    long ms = reruns < 5 ? 1L << reruns : PAUSE_MS_MAX;
    const struct timespec pause = {.tv_nsec = ms * 1000 * 1000};

    nanosleep(&pause, NULL);
}

bool patience_lasts(struct patience *p, enum store_trouble trouble)
{
    bool again = trouble == STORE_CONFLICT || (trouble == STORE_AWAY && !p->lost);

    if (trouble == STORE_AWAY && !p->lost) {
        p->lost = true;
        snprintf(p->reason, sizeof(p->reason), "%s", fault_text());
    }
    if (!again || p->reruns == RERUNS_MAX)
        return false;
    if (trouble == STORE_CONFLICT)
        pause_after_conflict(p->reruns);
    p->reruns++;
    return true;
}

void trouble_refuse(struct request *r, enum store_trouble trouble)
{
    static const struct str reasons[] = {
        [STORE_CONFLICT] = STR_INIT("The database is busy with the same data"),
        [STORE_AWAY] = STR_INIT("The database is away"),
        [STORE_UNCERTAIN] = STR_INIT("The database went away during the commit, and it is not "
                                     "known whether the change was made"),
    };

    request_fail(r, REFUSED, PROBLEM_UNAVAILABLE, reasons[trouble]);
}

/* For a moment after a thread found the database back, others may not have tried again yet. */
enum { BACK_MS = 1000 };

void trouble_away(struct service *v, const char *reason)
{
    int64_t back_ms = atomic_load(&v->back_ms);

    if (back_ms != 0 && clock_monotonic_ms() - back_ms < BACK_MS)
        return;
    if (!atomic_exchange(&v->away, true))
        LOG_AT(LOG_WARN, "session", "the database is away: %s", reason);
}

void trouble_over(struct service *v)
{
    if (!atomic_load_explicit(&v->away, memory_order_relaxed))
        return;
    atomic_store(&v->back_ms, clock_monotonic_ms());
    atomic_store(&v->away, false);
    LOG_AT(LOG_WARN, "session", "the database is back");
}
