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
#include "dialect/baserow/looker.h"
#include "dialect/baserow/replay.h"
#include "model/identity/identity.h"
#include "session/service.h"
#include "wire/websocket.h"

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

struct str channel_of_programs(struct str user, struct user_channel *name_out)
{
    int size = snprintf(name_out->text, sizeof(name_out->text), "programs/%.*s", STR_ARG(user));

    assert(size > 0 && (size_t)size < sizeof(name_out->text));
    return (struct str){name_out->text, (size_t)size};
}

const struct database_token *channel_program(const struct session *s)
{
    const struct looker *looker = session_state(s);

    return looker ? looker->token : NULL;
}

/* ---- the upgrade ---- */

/* Changes of credentials that were told; the loop's. */
static uint64_t credential_changes;

void channel_credentials_changed(void)
{
    credential_changes++;
}

enum { SOCKET_ID_MAX = 255 };

struct arrival {
    struct str token, socket_id;
    bool anonymous; /* it says so */
    bool named;     /* the socket's id is the client's own */
    bool accepted;
    uint64_t changes;              /* of credentials, before it was judged */
    struct database_token program; /* whose token it is; id 0: it is a person's */
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

/* A program comes by a database token, a person by a JSON web token. A user whose deletion is
 * scheduled counts as not there (2.2). */
static int find_person(struct request *r, struct tx *tx, struct principal **principal_out)
{
    struct arrival *arrival = r->command;
    struct account account;

    int rc = token_by_key(tx, arrival->token, &arrival->program);
    if (rc == 0)
        rc = account_by_id(tx, arrival->program.account, &account);
    else if (rc > 0) {
        arrival->program.id = 0;
        rc = token_check(tx, TOKEN_ACCESS, arrival->token, &account, NULL);
    }
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

static struct looker *looker_new(const struct arrival *arrival)
{
    struct looker *looker = MEM_NEW(struct looker);

    if (arrival->program.id != 0) {
        looker->arena = arena_new();
        looker->token = ARENA_NEW(looker->arena, struct database_token);
        *looker->token = arrival->program;
        looker->token->permissions = json_deep_copy(arrival->program.permissions);
        arena_on_free(looker->arena, json_release, (void *)(uintptr_t)looker->token->permissions);
        looker->token->name = looker->token->key = looker->token->user = STR_NULL;
    }
    return looker;
}

/* People hear what concerns them; programs only what they look at. */
static void listen_as(struct session *s, const struct looker *looker, struct str user)
{
    struct user_channel name;

    if (!looker->token) {
        session_listen(s, channel_of_user(user, &name));
        return;
    }
    session_listen(s, channel_of_programs(user, &name));
}

static void done_upgrade(struct request *r)
{
    const struct arrival *arrival = r->command;
    struct session *s = r->session;

    if (r->result != 0)
        return;
    struct looker *looker = looker_new(arrival);
    model_note_grid_heard(service_model(session_service(s)));
    session_upgraded(s, r->principal);
    session_set_state(s, looker);
    session_set_origin(s, baserow_origin(arrival->socket_id));
    AUTO(frame_unref) struct frame *greeting = authentication_frame(arrival);
    session_send(s, greeting);
    if (!arrival->accepted || arrival->changes != credential_changes)
        session_close(s, NET_CLOSE_ENDED);
    if (!arrival->accepted || !r->principal->user.at)
        return;
    if (arrival->named && may_replay(arrival))
        session_hold(s, REPLAY_AWAITED_MS);
    listen_as(s, looker, r->principal->user);
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
    arrival->changes = credential_changes;
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
    arena_free(looker->arena);
    mem_free(looker);
}
