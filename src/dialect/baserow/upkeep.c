/*
 * Upkeep: what lay in the trash for long enough goes for good (9.13), and so does history that is
 * too old (5.8).
 */
#include "dialect/baserow/rest.h"

#include "base/log.h"
#include "model/grid/history.h"
#include "model/grid/trash.h"
#include "session/service.h"

/* ---- the trash ---- */

/*
 * A reader looks for the next item that is due, and only then the writer stops others for it; each
 * goes by itself, so that one that may not go holds up no other.
 */
struct purge {
    int64_t after; /* the entry before */
    int64_t due;   /* the one that was found; 0: none */
};

static struct purge *purge_of(struct request *r)
{
    if (!r->command)
        r->command = ARENA_NEW(r->arena, struct purge);
    return r->command;
}

/* The next step of the same turn; none when the server stops. */
static void go_on(struct request *r, const struct handler *handler, struct purge purge)
{
    struct request *next = service_task(session_service(r->session), handler, NULL);

    if (!next)
        return;
    *purge_of(next) = purge;
    service_submit(next);
}

static int look(struct request *r, struct tx *tx)
{
    struct purge *p = purge_of(r);

    return trash_next_due(tx, tx->now_ms - baserow_settings()->trash_ms, p->after, &p->due);
}

static int delete_entry(struct request *r, struct tx *tx)
{
    return trash_purge(tx, purge_of(r)->due);
}

static void deleted(struct request *r)
{
    const struct purge *p = purge_of(r);

    if (r->problem.kind == PROBLEM_UNAVAILABLE)
        return;
    if (r->result > 0)
        LOG_AT(LOG_WARN, "baserow", "entry %lld of the trash is due to be deleted, but stays: %.*s",
               (long long)p->due, STR_ARG(r->problem.reason));
    go_on(r, &trash_chore, (struct purge){.after = p->due});
}

static const struct handler purge_task = {
    .name = "purge", .lane = LANE_SCHEMA, .run = delete_entry, .done = deleted};

static void looked(struct request *r)
{
    if (r->result == 0 && purge_of(r)->due != 0)
        go_on(r, &purge_task, *purge_of(r));
}

const struct handler trash_chore = {
    .name = "trash", .lane = LANE_READ, .run = look, .done = looked};

/* ---- history ---- */

static int prune(struct request *r, struct tx *tx)
{
    bool *more = ARENA_NEW(r->arena, bool);

    r->command = more;
    return history_prune(tx, tx->now_ms - tx->settings->row_history_retention_ms, more);
}

/* Some at a time: others write in between. */
static void pruned(struct request *r)
{
    const bool *more = r->command;
    bool again = r->result == 0 && *more;
    struct request *next =
        again ? service_task(session_service(r->session), &history_chore, NULL) : NULL;

    if (next)
        service_submit(next);
}

const struct handler history_chore = {
    .name = "history", .lane = LANE_WRITE, .run = prune, .done = pruned};
