/*
 * Departures: accounts whose deletion was scheduled are deleted when their time of grace is over
 * (9.1, 5.3), one in each task, so that one that may not go holds up no other.
 */
#include "dialect/baserow/rest.h"

#include "base/log.h"
#include "model/grid/departures.h"
#include "session/service.h"

enum { DAY_MS = 24 * 3600 * 1000 };

/* Where a turn stands: accounts are looked at in the order of their numbers. */
struct departure {
    int64_t after; /* the account before */
    int64_t due;   /* the one that was found; 0: none */
};

static struct departure *departure_of(struct request *r)
{
    if (!r->command)
        r->command = ARENA_NEW(r->arena, struct departure);
    return r->command;
}

static int run_departure(struct request *r, struct tx *tx)
{
    struct departure *d = departure_of(r);
    int64_t days;

    d->due = 0;
    int rc = setting_number(tx, "account_deletion_grace_delay", &days);
    if (rc == 0)
        rc = account_next_due(tx, tx->now_ms - days * DAY_MS, d->after, &d->due);
    return rc == 0 && d->due != 0 ? account_delete(tx, d->due) : rc;
}

static void go_on(struct request *r);
const struct handler departure_chore = {
    .name = "departure", .lane = LANE_WRITE, .run = run_departure, .done = go_on};

static void go_on(struct request *r)
{
    const struct departure *d = departure_of(r);
    bool stays = r->result > 0 && r->problem.kind != PROBLEM_UNAVAILABLE;

    if (d->due == 0 || (r->result != 0 && !stays))
        return;
    if (stays)
        LOG_AT(LOG_INFO, "baserow", "account %lld is due to be deleted, but stays: %.*s",
               (long long)d->due, STR_ARG(r->problem.reason));
    struct request *next = service_task(session_service(r->session), &departure_chore, NULL);
    if (!next)
        return;
    departure_of(next)->after = d->due;
    service_submit(next);
}
