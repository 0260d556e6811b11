/*
 * /ws/core/: every upgrade succeeds, and the verdict is told inside (baserow.md 2.1, 2.3). A
 * reader finds who comes; all that follows is in memory, on the loop.
 *
 * A client's frame may mean several things at once, and each has its own answer: they are gathered
 * in one reply, in their order. What means nothing is passed over in silence (2.6).
 */
#include "dialect/baserow/channel.h"

#include <assert.h>

#include "base/mem.h"
#include "base/random.h"
#include "base/text.h"
#include "dialect/baserow/baserow.h"
#include "dialect/baserow/pages.h"
#include "dialect/baserow/replay.h"
#include "model/identity/identity.h"
#include "session/service.h"
#include "wire/websocket.h"

/* What is kept of a socket. */
struct looker {
    struct pages pages;
};

bool channel_serves(struct str path)
{
    return str_starts_with(path, STR("/ws/core/"));
}

struct str channel_of_user(struct str user, struct user_channel *name_out)
{
    int size = snprintf(name_out->text, sizeof(name_out->text), "user/%.*s", STR_ARG(user));

    assert(size > 0 && (size_t)size < sizeof(name_out->text));
    return (struct str){name_out->text, (size_t)size};
}

const struct pages *channel_pages(const struct session *s)
{
    const struct looker *looker = session_state(s);

    return &looker->pages;
}

/* ---- the upgrade ---- */

enum { SOCKET_ID_MAX = 255 };

struct arrival {
    struct str token, socket_id;
    bool anonymous; /* it says so */
    bool named;     /* the socket's id is the client's own */
    bool accepted;
};

/* The first parameter of this name in a raw query; absent: there is none, or its escapes are bad.
 */
static struct str query_parameter(struct arena *a, struct str query, struct str wanted)
{
    struct str pair, name, value;

    while (str_next(&query, '&', &pair)) {
        str_next(&pair, '=', &name);
        if (http_percent_decode(a, name, HTTP_DECODE_QUERY, &name) && str_equal(name, wanted))
            return http_percent_decode(a, pair.at ? pair : STR(""), HTTP_DECODE_QUERY, &value)
                       ? value
                       : STR_NULL;
    }
    return STR_NULL;
}

static bool has_controls(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.at[i] < ' ' || s.at[i] == 0x7f)
            return true;
    return false;
}

/* A client chooses its own id, any text (14.1); without one, or with one that is no plain text, it
 * is given one. */
static void choose_id(struct arrival *arrival, struct arena *a, struct str wish)
{
    char uuid[UUID_TEXT_SIZE];

    arrival->named = str_trim(wish).len > 0 && wish.len <= SOCKET_ID_MAX && text_is_plain(wish) &&
                     !has_controls(wish);
    random_uuid(uuid);
    arrival->socket_id = arrival->named ? wish : arena_str(a, str_of(uuid));
}

/* A user whose deletion is scheduled counts as not there (2.2). */
static int find_person(struct request *r, struct tx *tx, struct principal **principal_out)
{
    const struct arrival *arrival = r->command;
    struct account account;

    int rc = token_check(tx, TOKEN_ACCESS, arrival->token, &account, NULL);
    if (rc != 0 || account.deletion_ms != 0)
        return rc;
    return identity_of_user(tx, account.user, r->caller.ip, principal_out);
}

/* Whoever it is comes in, if only to hear that it may not stay. */
static int admit(struct request *r, struct tx *tx, struct principal **principal_out)
{
    struct arrival *arrival = r->command;
    bool anonymous = arrival->anonymous;
    struct principal *found = NULL;

    int rc = anonymous || arrival->token.len == 0 ? 0 : find_person(r, tx, &found);
    if (rc < 0)
        return rc;
    *tx->problem = (struct problem){.kind = PROBLEM_NONE};
    arrival->accepted = found || (anonymous && !baserow_settings()->anonymous_refused);
    *principal_out = found ? found : principal_public(tx->catalogue, r->caller.ip);
    return 0;
}

static int run_upgrade(struct request *r, struct tx *tx)
{
    (void)tx;
    r->reply = websocket_upgrade_response(r->http);
    return 0;
}

/* A client whose token was not accepted keeps its place, and is caught up when it comes back with a
 * better one (baserow-2026.md 1.2). */
static bool may_replay(const struct arrival *arrival)
{
    return replay_is_on() && !arrival->anonymous && arrival->token.len > 0;
}

static struct frame *authentication_frame(const struct arrival *arrival)
{
    struct buf b;

    buf_init(&b, SIZE_MAX);
    buf_printf(&b, "{\"type\":\"authentication\",\"success\":%s,\"web_socket_id\":",
               arrival->accepted ? "true" : "false");
    json_put_str(&b, arrival->socket_id);
    buf_printf(&b, ",\"replay_enabled\":%s}", may_replay(arrival) ? "true" : "false");
    struct frame *frame = websocket_frame(WEBSOCKET_TEXT, buf_str(&b));
    buf_deinit(&b);
    return frame;
}

static void done_upgrade(struct request *r)
{
    const struct arrival *arrival = r->command;
    struct session *s = r->session;
    struct user_channel name;

    if (r->result != 0)
        return;
    session_upgraded(s, r->principal);
    session_set_state(s, MEM_NEW(struct looker));
    session_set_origin(s, baserow_origin(arrival->socket_id));
    AUTO(frame_unref) struct frame *greeting = authentication_frame(arrival);
    session_send(s, greeting);
    if (!arrival->accepted)
        session_close(s, NET_CLOSE_ENDED);
    if (!arrival->accepted || !r->principal->user.at)
        return;
    if (arrival->named && may_replay(arrival))
        session_hold(s, REPLAY_AWAITED_MS);
    session_listen(s, channel_of_user(r->principal->user, &name));
}

/* Only who does not speak WebSocket is refused, or comes at a bad time. */
static void fail_upgrade(struct request *r)
{
    r->reply = websocket_refusal(r->problem.kind == PROBLEM_UNAVAILABLE ? 503 : 500);
    r->keep_alive = false;
}

static const struct handler upgrade_handler = {
    .name = "channel upgrade",
    .lane = LANE_READ,
    .run = run_upgrade,
    .fail = fail_upgrade,
    .done = done_upgrade,
};

static int run_refusal(struct request *r, struct tx *tx)
{
    (void)tx;
    r->reply = websocket_refusal(
        websocket_check_upgrade(r->http) == WEBSOCKET_UPGRADE_VERSION ? 426 : 400);
    r->keep_alive = false;
    return 0;
}

static const struct handler refusal_handler = {
    .name = "channel refusal",
    .lane = LANE_LOOP,
    .run = run_refusal,
    .fail = fail_upgrade,
};

void channel_upgrade_submit(struct session *s, struct http_request *http)
{
    bool speaks = websocket_check_upgrade(http) == WEBSOCKET_UPGRADE_OK;
    struct request *r = session_request(s, speaks ? &upgrade_handler : &refusal_handler);
    struct arrival *arrival = ARENA_NEW(r->arena, struct arrival);

    arrival->token = query_parameter(r->arena, http->query, STR("jwt_token"));
    arrival->anonymous = str_equal(arrival->token, STR("anonymous"));
    choose_id(arrival, r->arena, query_parameter(r->arena, http->query, STR("web_socket_id")));
    r->command = arrival;
    r->http = http;
    r->admit = admit;
    r->keep_alive = speaks;
    session_submit(s, r);
}

void channel_closed(struct session *s)
{
    struct looker *looker = session_state(s);

    if (!looker)
        return;
    pages_deinit(&looker->pages);
    mem_free(looker);
}

/* ---- a client's frames ---- */

static void put_answer(struct buf *answers, struct str text)
{
    AUTO(frame_unref) struct frame *frame = websocket_frame(WEBSOCKET_TEXT, text);

    buf_put(answers, frame->bytes, frame->size);
}

/* page_add and page_discard are of one shape (3.1, 3.2). */
static struct str page_answer(struct arena *a, const char *type, const struct page_type *page,
                              struct str parameters)
{
    return arena_printf(a, "{\"type\":\"%s\",\"page\":\"%s\",\"parameters\":%.*s}", type,
                        page->name, STR_ARG(parameters));
}

static struct str page_parameters(struct arena *a, const struct page_type *type,
                                  const json_t *frame)
{
    struct buf b;

    buf_init(&b, SIZE_MAX);
    page_put_parameters(&b, type, frame);
    struct str text = arena_str(a, buf_str(&b));
    buf_deinit(&b);
    return text;
}

/* Answered on success only. */
static void subscribe(struct session *s, struct tx *tx, const json_t *frame, struct buf *answers)
{
    struct looker *looker = session_state(s);
    const struct page_type *type = page_type_find(json_get_str(frame, "page"));
    struct page page = {.type = type};

    if (!type || !type->open || !(tx->principal->user.at || type->anonymous))
        return;
    page.channel = page_channel(tx->arena, type, frame);
    if (!page.channel.at || !type->open(tx->catalogue, tx->principal, frame, &page.workspace) ||
        session_listen(s, page.channel) != 0)
        return;
    page.parameters = page_parameters(tx->arena, type, frame);
    pages_add(&looker->pages, &page);
    put_answer(answers, page_answer(tx->arena, "page_add", type, page.parameters));
}

/* Answered for every page there could be, whether it was looked at or not. */
static void unsubscribe(struct session *s, struct tx *tx, const json_t *frame, struct buf *answers)
{
    struct looker *looker = session_state(s);
    const struct page_type *type = page_type_find(json_get_str(frame, "remove_page"));

    if (!type)
        return;
    struct str channel = page_channel(tx->arena, type, frame);
    if (channel.at) {
        session_unlisten(s, channel);
        pages_remove(&looker->pages, channel);
    }
    struct str parameters = page_parameters(tx->arena, type, frame);
    put_answer(answers, page_answer(tx->arena, "page_discard", type, parameters));
}

/*
 * What a frame's `type` asks for. True: that is all that it means, even if it names a page too
 * (baserow-2026.md 1.4). Who pings is of a release that asks for no replay.
 */
static bool take_type(struct session *s, const json_t *frame, struct buf *answers)
{
    struct str type = json_get_str(frame, "type");

    if (str_equal(type, STR("ping"))) {
        session_release(s);
        put_answer(answers, STR("{\"type\":\"pong\"}"));
    }
    return str_equal(type, STR("presence.focus"));
}

static int run_frame(struct request *r, struct tx *tx)
{
    const json_t *frame = r->command;
    struct buf answers;

    buf_init(&answers, SIZE_MAX);
    if (!take_type(r->session, frame, &answers)) {
        subscribe(r->session, tx, frame, &answers);
        unsubscribe(r->session, tx, frame, &answers);
    }
    if (answers.len > 0)
        r->reply = frame_from(buf_str(&answers), STR_NULL);
    buf_deinit(&answers);
    return 0;
}

static void fail_frame(struct request *r)
{
    (void)r; /* silence */
}

static const struct handler frame_handler = {
    .name = "channel frame", .lane = LANE_LOOP, .run = run_frame, .fail = fail_frame};

static int run_nothing(struct request *r, struct tx *tx)
{
    (void)r;
    (void)tx;
    return 0;
}

static void done_malformed(struct request *r)
{
    session_close(r->session, NET_CLOSE_PEER_DATA);
}

static const struct handler malformed_handler = {
    .name = "malformed channel frame",
    .lane = LANE_LOOP,
    .run = run_nothing,
    .fail = fail_frame,
    .done = done_malformed,
};

void channel_message(struct session *s, struct str text, bool binary)
{
    struct request *r = session_request(s, &malformed_handler);
    json_t *frame;

    r->bytes = text.len;
    if (!binary && json_read_in(r->arena, text, &frame, NULL) == 0 && json_is_object(frame)) {
        r->handler = &frame_handler;
        r->command = frame;
        if (str_equal(json_get_str(frame, "type"), STR("replay_events")))
            replay_request(r, frame);
    }
    session_submit(s, r);
}

/* ---- revocation ---- */

struct revocation {
    struct session *session;
    struct arena *arena;
};

static void discard(void *context, const struct page *page)
{
    const struct revocation *v = context;
    struct str text = page_answer(v->arena, "page_discard", page->type, page->parameters);
    AUTO(frame_unref) struct frame *frame = websocket_frame(WEBSOCKET_TEXT, text);

    session_unlisten(v->session, page->channel);
    session_send(v->session, frame);
}

void channel_revoke(struct session *s, int64_t workspace)
{
    AUTO(arena_free) struct arena *arena = arena_new();
    struct revocation revocation = {s, arena};
    struct looker *looker = session_state(s);

    session_release(s); /* what was told on them comes before */
    pages_revoke(&looker->pages, workspace, discard, &revocation);
}
