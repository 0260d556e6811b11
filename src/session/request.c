#include "session/internal.h"

#include <errno.h>

#include "base/fault.h"
#include "base/log.h"
#include "model/identity/identity.h"

struct request *request_new(const struct handler *handler)
{
    struct arena *arena = arena_new();
    struct request *r = ARENA_NEW(arena, struct request);

    r->arena = arena;
    r->handler = handler;
    r->state = REQUEST_WAITING;
    return r;
}

void request_free(struct request *r)
{
    frame_unref(r->reply);
    commit_unref(r->commit);
    principal_unref(r->principal);
    http_request_free(r->http);
    arena_free(r->arena); /* with the request itself */
}

struct tx request_tx(struct request *r)
{
    return (struct tx){
        .arena = r->arena,
        .principal = r->principal,
        .problem = &r->problem,
        .caller = &r->caller,
        .prepared = r->prepared,
    };
}

int request_authenticate(struct request *r, struct tx *tx)
{
    struct principal *found = NULL;
    int rc = 0;

    if (!r->http)
        rc = identity_refresh(tx, r->principal, &found);
    else if (r->admit)
        rc = r->admit(r, tx, &found);
    else if (r->anonymous)
        found = principal_public(tx->catalogue, r->caller.ip);
    else
        rc = identity_authenticate(tx, r->token, r->caller.ip, &found);
    if (rc != 0)
        return rc;
    principal_unref(r->principal);
    r->principal = found;
    tx->principal = found;
    return 0;
}

/* A task may have nobody to make a reply for. */
static void make_failing_reply(struct request *r)
{
    frame_unref(r->reply);
    r->reply = NULL;
    if (r->handler->fail)
        r->handler->fail(r);
}

void request_fail(struct request *r, int result, enum problem_kind kind, struct str reason)
{
    r->result = result;
    r->problem = (struct problem){.kind = kind, .reason = reason};
    make_failing_reply(r);
}

void request_settle(struct request *r, int result)
{
    r->result = result;
    if (result < 0) {
        LOG_AT(LOG_ERROR, "session", "%s failed: %s", r->handler->name, fault_text());
        request_fail(r, result, PROBLEM_INTERNAL, STR_NULL);
    } else if (result > 0 && r->problem.kind == PROBLEM_NONE) {
        LOG_AT(LOG_ERROR, "session", "%s failed: nobody handled the outcome %d", r->handler->name,
               result);
        request_fail(r, FAULT(EPROTO), PROBLEM_INTERNAL, STR_NULL);
    } else if (result > 0) {
        make_failing_reply(r);
    }
}

/* A WebSocket's principal is its session's; over HTTP it is to be found again. */
void request_rewind(struct request *r)
{
    frame_unref(r->reply);
    commit_unref(r->commit);
    if (r->http)
        principal_unref(r->principal);
    r->reply = NULL;
    r->commit = NULL;
    r->principal = r->http ? NULL : r->principal;
    r->problem = (struct problem){.kind = PROBLEM_NONE};
    r->prompt = false;
    r->result = 0;
}
