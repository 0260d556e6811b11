#include "session/service.h"

#include <assert.h>

#include "base/clock.h"
#include "base/mem.h"
#include "session/channels.h"

/*
 * Requests go out by lane and come back through two mailboxes: single ones from the readers, whole
 * transactions from the writer. finish_write is the heart: for each request of a transaction, in
 * the order of the journal, reply, events of feeds and channels, change of sight, and only then
 * what the session waits to do next. So nobody is told of anything under rights that were taken
 * away before it, and what a client asks after its write comes after that write.
 */

/* ---- starting requests ---- */

struct tx service_tx(const struct service *v, struct arena *arena,
                     const struct principal *principal, struct problem *problem,
                     const struct caller *caller)
{
    return (struct tx){
        .model = v->model,
        .settings = model_settings(v->model),
        .arena = arena,
        .catalogue = v->catalogue,
        .principal = principal,
        .problem = problem,
        .caller = caller,
        .now_ms = clock_now_ms(),
    };
}

static void set_done(struct service *v, struct request *r)
{
    r->state = REQUEST_DONE;
    v->stats.refused += r->result > 0;
    v->stats.faults += r->result < 0;
}

/* One that was run, and is not to be run again. */
static void set_stored(struct service *v, struct request *r)
{
    set_done(v, r);
    if (r->result == 0 && r->handler->stored)
        r->handler->stored(r);
}

/* Whoever asks over HTTP is not known here: credentials are looked up on workers only. */
static void run_here(struct service *v, struct request *r)
{
    const struct actor *a = r->session->actor;

    principal_unref(r->principal);
    r->principal = a ? principal_ref(a->principal) : principal_public(v->catalogue, r->caller.ip);
    struct tx tx = service_tx(v, r->arena, r->principal, &r->problem, &r->caller);
    request_settle(r, r->handler->run(r, &tx));
    set_done(v, r);
}

static bool is_preparing(const struct request *r)
{
    return r->state == REQUEST_PREPARING;
}

static struct workers *workers_for(const struct service *v, const struct request *r,
                                   enum request_state state, size_t *waiting_max_out)
{
    if (state == REQUEST_PREPARING) {
        *waiting_max_out = v->settings.preparer_queue_max;
        return v->preparer;
    }
    bool reads = r->handler->lane == LANE_READ;
    *waiting_max_out = reads ? v->settings.reader_queue_max : v->settings.writer_queue_max;
    return reads ? v->readers : v->writer;
}

static void hand_on(struct service *v, struct request *r, enum request_state state)
{
    size_t waiting_max;
    struct workers *to = workers_for(v, r, state, &waiting_max);

    if (!r->session->task && workers_waiting(to) >= waiting_max) {
        request_fail(r, REFUSED, PROBLEM_UNAVAILABLE, STR_NULL);
        set_done(v, r);
        return;
    }
    r->state = (uint8_t)state;
    r->session->preparing = is_preparing(r);
    workers_post(to, &r->mail);
}

void service_start(struct service *v, struct request *r)
{
    bool prepare = r->wants_prepare && r->handler->prepare;

    assert(r->state == REQUEST_WAITING);
    if (r->handler->begin && r->handler->begin(r))
        set_done(v, r);
    else if (r->handler->lane == LANE_LOOP)
        run_here(v, r);
    else
        hand_on(v, r, prepare ? REQUEST_PREPARING : REQUEST_RUNNING);
}

void service_rerun(struct service *v, struct request *r)
{
    assert(r->state == REQUEST_DONE && r->handler->lane == LANE_READ);
    request_rewind(r);
    r->state = REQUEST_RUNNING;
    workers_post(v->readers, &r->mail);
}

/* ---- requests that come back ---- */

static void take_from_reader(void *context, struct mail *mail)
{
    struct service *v = context;
    struct request *r = CONTAINER_OF(mail, struct request, mail);
    struct session *s = r->session;
    bool prepared = is_preparing(r);

    if (prepared)
        s->preparing = false;
    if (prepared && r->result == 0)
        hand_on(v, r, REQUEST_RUNNING);
    else
        set_stored(v, r);
    session_advance(s);
}

static void publish(struct service *v, const struct commit *commit, int64_t now_ms)
{
    access_expect(v, commit);
    hub_publish(v->hub, commit, now_ms);
    for (size_t i = 0; i < v->dialect_count; i++)
        if (v->dialects[i]->committed)
            v->dialects[i]->committed(v, commit, now_ms);
    v->published = commit->changes[commit->count - 1]->sequence;
    access_follow(v, commit);
}

/* The reply first, then what is told of it, then the sight that follows from it, and then what
 * waited. */
static void finish_write(struct service *v, struct request *r, int64_t now_ms)
{
    struct session *s = r->session;
    AUTO(commit_unref) struct commit *commit = r->commit ? commit_ref(r->commit) : NULL;

    s->holds++;
    set_stored(v, r);
    session_deliver(s);
    if (commit)
        publish(v, commit, now_ms);
    s->holds--;
    session_advance(s);
}

static void take_from_writer(void *context, struct mail *mail)
{
    struct service *v = context;
    struct batch *b = CONTAINER_OF(mail, struct batch, mail);
    int64_t now_ms = clock_now_ms();

    if (b == v->last_batch)
        loop_stop(v->loop);
    v->stats.batches += b->count > 0;
    v->stats.batched_requests += b->count;
    for (size_t i = 0; i < b->late_count; i++)
        publish(v, b->late[i], now_ms);
    for (size_t i = 0; i < b->count; i++)
        finish_write(v, b->requests[i], now_ms);
    batch_free(b);
}

/* ---- dialects ---- */

const struct dialect *service_last_dialect(const struct service *v)
{
    for (size_t i = 0; i < v->dialect_count; i++)
        if (!v->dialects[i]->serves)
            return v->dialects[i];
    return NULL;
}

const struct dialect *service_dialect(const struct service *v, const struct http_request *http)
{
    for (size_t i = 0; i < v->dialect_count; i++)
        if (v->dialects[i]->serves && v->dialects[i]->serves(http))
            return v->dialects[i];
    return service_last_dialect(v);
}

/* ---- connections ---- */

static struct session *session_of(struct connection *c)
{
    return connection_user(c);
}

static void on_opened(struct connection *c)
{
    session_open(net_user(connection_net(c)), c);
}

static void on_request(struct connection *c, struct http_request *request)
{
    struct session *s = session_of(c);

    s->dialect = service_dialect(s->service, request);
    s->dialect->http(s, request);
}

static void on_bad_request(struct connection *c, int status)
{
    struct session *s = session_of(c);
    AUTO(frame_unref) struct frame *reply = service_last_dialect(s->service)->bad_http(status);

    connection_send(c, reply);
    session_close(s, NET_CLOSE_PEER_PROTOCOL);
}

static void on_message(struct connection *c, struct str text, bool binary)
{
    struct session *s = session_of(c);

    s->dialect->message(s, text, binary);
}

static void on_leave(struct connection *c)
{
    session_leave(session_of(c));
}

static void on_closed(struct connection *c, enum net_close_reason reason)
{
    (void)reason; /* counted by net */
    session_closed(session_of(c));
}

static void on_drained(struct connection *c)
{
    session_advance(session_of(c));
}

const struct connection_ops *service_connection_ops(void)
{
    static const struct connection_ops ops = {
        .opened = on_opened,
        .request = on_request,
        .bad_request = on_bad_request,
        .message = on_message,
        .closed = on_closed,
        .leave = on_leave,
        .drained = on_drained,
    };
    return &ops;
}

/* ---- life ---- */

static void take_dialects(struct service *v, const struct dialect *const *dialects, size_t count)
{
    v->dialects = MEM_ARRAY(const struct dialect *, count);
    v->dialect_count = count;
    for (size_t i = 0; i < count; i++)
        v->dialects[i] = dialects[i];
    assert(service_last_dialect(v));
}

int service_new(struct loop *l, struct model *m, const struct service_settings *settings,
                const struct dialect *const *dialects, size_t dialect_count,
                struct service **service_out)
{
    struct service *v = MEM_NEW(struct service);

    v->loop = l;
    v->model = m;
    v->settings = *settings;
    take_dialects(v, dialects, dialect_count);
    v->hub = hub_new(m);
    v->catalogue = model_catalogue(m);
    v->from_readers = mailbox_new(l, take_from_reader, v);
    v->from_writer = mailbox_new(l, take_from_writer, v);
    int rc = model_head(m, &v->published);
    if (rc == 0)
        rc = reader_pool_start(v);
    if (rc == 0)
        rc = writer_start(v);
    if (rc != 0) {
        service_free(v);
        return rc;
    }
    chores_start(v);
    *service_out = v;
    return 0;
}

/* What clients left behind is still done: their last requests finish before the threads stop. */
static void drain(struct service *v)
{
    for (const struct session *s = v->sessions; s; s = s->next)
        assert(!s->connection);
    v->draining = true;
    while (v->stats.sessions > 0)
        loop_run(v->loop);
}

/* Commits that come late come for no session: they are taken when all that is left is our own. */
static void stop_writer(struct service *v)
{
    if (!v->writer)
        return;
    workers_stop(v->writer);
    v->last_batch = batch_new(0);
    mailbox_post(v->from_writer, &v->last_batch->mail);
    loop_run(v->loop);
}

void service_free(struct service *v)
{
    if (!v)
        return;
    drain(v);
    chores_stop(v->chores);
    workers_stop(v->readers);
    workers_stop(v->preparer);
    stop_writer(v);
    mailbox_free(v->from_readers);
    mailbox_free(v->from_writer);
    hub_free(v->hub);
    catalogue_unref(v->catalogue);
    assert(v->actors.count == 0);
    map_deinit(&v->actors);
    memory_clear(v);
    assert(v->channels.count == 0);
    map_deinit(&v->channels);
    mem_free(v->dialects);
    mem_free(v);
}

/* ---- what others ask ---- */

struct model *service_model(const struct service *v)
{
    return v->model;
}

struct hub *service_hub(const struct service *v)
{
    return v->hub;
}

const struct service_settings *service_settings(const struct service *v)
{
    return &v->settings;
}

const struct catalogue *service_catalogue(const struct service *v)
{
    return v->catalogue;
}

void service_stats(const struct service *v, struct service_stats *stats_out)
{
    *stats_out = v->stats;
    stats_out->reader_queue = workers_waiting(v->readers) + workers_waiting(v->preparer);
    stats_out->writer_queue = workers_waiting(v->writer);
}
