/* Two dialects on one service: who gets what, and what a dialect keeps of a socket. */

#include "fixture.h"

/* ---- the guest: all below /guest/ ---- */

static int closed_count;

static bool guest_serves(const struct http_request *http)
{
    return str_starts_with(http->path, STR("/guest/"));
}

static int run_guest(struct request *r, struct tx *tx)
{
    (void)tx;
    say(r, "guest");
    return 0;
}
static int run_guest_upgrade(struct request *r, struct tx *tx)
{
    if (str_equal(r->http->path, STR("/guest/gate")))
        pass_gate();
    return str_equal(r->http->path, STR("/guest/no"))
               ? refuse(tx, PROBLEM_INVALID_PAYLOAD, "a test")
               : run_guest(r, tx);
}
static void done_guest_upgrade(struct request *r)
{
    if (r->result != 0)
        return;
    session_upgraded(r->session, r->principal);
    session_set_state(r->session, mem_alloc(16));
}

static void guest_http(struct session *s, struct http_request *http)
{
    static const struct handler plain = HANDLER(LANE_LOOP, run_guest);
    static const struct handler up = {.name = "guest's upgrade",
                                      .lane = LANE_READ,
                                      .run = run_guest_upgrade,
                                      .fail = say_problem,
                                      .done = done_guest_upgrade};
    struct request *r = session_request(s, http->upgrade ? &up : &plain);

    r->http = http;
    r->keep_alive = http->keep_alive;
    r->token = STR("user-token");
    session_submit(s, r);
}
static void guest_message(struct session *s, struct str text, bool binary)
{
    static const struct handler plain = HANDLER(LANE_LOOP, run_guest);
    (void)text, (void)binary;
    session_submit(s, session_request(s, &plain));
}
static void guest_closed(struct session *s)
{
    assert_non_null(session_state(s));
    assert_false(session_listens(s, STR("x")));
    mem_free(session_state(s));
    closed_count++;
}

static const struct dialect guest_dialect = {.name = "guest",
                                             .serves = guest_serves,
                                             .http = guest_http,
                                             .message = guest_message,
                                             .closed = guest_closed};

static int setup_with_guest(void **state)
{
    guest = &guest_dialect;
    closed_count = 0;
    return setup(state);
}

static void send_http(struct connection *c, const char *path, bool upgrades)
{
    struct http_request *http = http_new();

    http->path = arena_str(http->arena, str_of(path));
    http->upgrade = upgrades;
    service_connection_ops()->request(c, http);
}

static void send_message(struct connection *c)
{
    service_connection_ops()->message(c, STR("{}"), false);
}

/* A WebSocket of the guest's. */
static struct connection *guest_connect(struct world *w)
{
    struct connection *c = client_open(w);

    send_http(c, "/guest/", true);
    UNTIL(is_idle(c));
    assert_true(c->websocket);
    assert_non_null(session_state(c->user));
    buf_clear(&c->sent);
    return c;
}

/* ---- who gets what ---- */

static void the_path_tells_which_dialect_answers(void **state)
{
    struct world *w = *state;
    struct connection *c = client_open(w);

    send_http(c, "/guest/", false);
    send_http(c, "/items", false);
    send_http(c, "/guest", false);
    send_http(c, "/guest/x", false);
    UNTIL(is_idle(c));
    assert_sent(c, "guest\nFORBIDDEN\nFORBIDDEN\nguest\n");
    assert_int_equal(c->responded, 4);
    client_close(c);
}

static void a_socket_belongs_to_the_dialect_that_upgraded_it(void **state)
{
    struct world *w = *state;
    struct connection *theirs = client_open(w), *ours = client_open(w);

    send_http(theirs, "/items", false);
    send_http(theirs, "/guest/no", true);
    UNTIL(is_idle(theirs));
    assert_false(theirs->websocket);
    send_http(theirs, "/items", false);
    send_http(theirs, "/guest/", true);
    send_http(ours, "/guest/", false);
    send_http(ours, "/items", false);
    ask_upgrade(ours, &upgrade, "user-token");
    UNTIL(is_idle(theirs) && is_idle(ours));
    assert_sent(theirs, "FORBIDDEN\nINVALID_PAYLOAD\nFORBIDDEN\nguest\n");
    assert_sent(ours, "guest\nFORBIDDEN\nswitching\n");
    for (int i = 0; i < 2; i++) {
        send_message(theirs);
        send_message(ours);
    }
    UNTIL(is_idle(theirs) && is_idle(ours));
    assert_sent(theirs, "guest\nguest\n");
    assert_sent(ours, "0 rows\n0 rows\n");
    client_close(theirs);
    client_close(ours);
    assert_int_equal(closed_count, 1);
}

static void events_and_channels_reach_sockets_of_both(void **state)
{
    struct world *w = *state;
    struct connection *theirs = guest_connect(w), *ours = client_connect(w, "admin-token");
    AUTO(frame_unref) struct frame *frame = frame_from(STR("told"), STR_NULL);

    ask(ours, &follow, "articles", NULL, NULL);
    ask(theirs, &follow, "articles", NULL, NULL);
    assert_int_equal(session_listen(theirs->user, STR("x")), 0);
    assert_int_equal(session_listen(ours->user, STR("x")), 0);
    ask_create(ours, &create);
    UNTIL(is_idle(ours));
    service_tell(w->service, STR("x"), frame, session_origin(ours->user), 0);
    assert_sent(ours, "following\ncreated 1\nevent create 1\n");
    assert_sent(theirs, "following\nevent create 1\ntold\n");
    client_close(theirs);
    client_close(ours);
}

static void what_is_no_request_is_answered_by_the_dialect_that_claims_nothing(void **state)
{
    struct world *w = *state;
    struct connection *c = client_open(w);

    send_http(c, "/guest/", false);
    service_connection_ops()->bad_request(c, 400);
    assert_sent(c, "guest\nbad 400\n");
    assert_int_equal(c->reason, NET_CLOSE_PEER_PROTOCOL);
    client_close(c);
}

/* ---- who asks ---- */

static int admit_user(struct request *r, struct tx *tx, struct principal **principal_out)
{
    return identity_of_user(tx, STR(USER), r->caller.ip, principal_out);
}
static int admit_public(struct request *r, struct tx *tx, struct principal **principal_out)
{
    *principal_out = principal_public(tx->catalogue, r->caller.ip);
    return 0;
}
static int admit_nobody(struct request *r, struct tx *tx, struct principal **principal_out)
{
    (void)r, (void)principal_out;
    return refuse(tx, PROBLEM_INVALID_PAYLOAD, "a test");
}

static void a_dialect_may_find_who_asks_in_its_own_way(void **state)
{
    static const struct {
        int (*admit)(struct request *r, struct tx *tx, struct principal **principal_out);
        const char *write, *read;
    } cases[] = {
        {admit_user, "created 1\n", "1 rows\n"},
        {admit_public, "FORBIDDEN\n", "FORBIDDEN\n"},
        {admit_nobody, "INVALID_PAYLOAD\n", "INVALID_PAYLOAD\n"},
    };
    struct world *w = *state;
    struct connection *c = client_open(w);

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        for (int reads = 0; reads < 2; reads++) {
            struct request *r = wish(c,
                                     reads    ? &count_rows
                                     : i == 0 ? &noted_create
                                              : &create,
                                     "articles", NULL, "{}");
            r->http = http_new();
            r->admit = cases[i].admit;
            r->token = STR("admin-token"); /* is not looked at */
            session_submit(c->user, r);
            UNTIL(is_idle(c));
            assert_sent(c, reads ? cases[i].read : cases[i].write);
        }
    }
    assert_string_equal(committed_by, USER);
    client_close(c);
}

/* ---- the state of a socket ---- */

static void hang_up(struct world *w, struct connection *c)
{
    (void)w;
    client_close(c);
}
static void close_from_here(struct world *w, struct connection *c)
{
    (void)w;
    session_close(c->user, NET_CLOSE_DONE);
    session_close(c->user, NET_CLOSE_REVOKED);
    assert_int_equal(closed_count, 0);
    assert_non_null(session_state(c->user)); /* whoever closed it may still look */
    client_close(c);
}
static void shut_out(struct world *w, struct connection *c)
{
    struct connection *admin = client_connect(w, "admin-token");

    ask(admin, &update, "directus_users", USER, "{\"status\":\"suspended\"}");
    UNTIL(is_idle(admin));
    assert_true(c->closing);
    client_close(c);
    assert_int_equal(closed_count, 1);
    ask(admin, &update, "directus_users", USER, "{\"status\":\"active\"}");
    UNTIL(is_idle(admin));
    client_close(admin);
}
static void go_away(struct world *w, struct connection *c)
{
    (void)w;
    service_connection_ops()->leave(c);
    assert_true(c->closing);
    client_close(c);
}
static void hang_up_in_flight(struct world *w, struct connection *c)
{
    size_t sessions = w->service->stats.sessions;

    ask_create(c, &gated_create);
    ask_create(c, &create);
    sem_wait(&arrived);
    client_close(c);
    assert_int_equal(closed_count, 1); /* though the session is still there */
    assert_int_equal(w->service->stats.sessions, sessions);
    sem_post(&gate);
    UNTIL(w->service->stats.sessions < sessions);
}

static void the_state_is_freed_once_however_the_socket_ends(void **state)
{
    static void (*const ends[])(struct world *, struct connection *) = {
        hang_up, close_from_here, shut_out, go_away, hang_up_in_flight};
    struct world *w = *state;

    for (size_t i = 0; i < COUNT_OF(ends); i++) {
        struct connection *c = guest_connect(w);
        closed_count = 0;
        assert_int_equal(session_listen(c->user, STR("x")), 0);
        ends[i](w, c);
        assert_int_equal(closed_count, 1);
        assert_int_equal(w->service->channels.count, 0);
    }
}

static void who_was_never_a_socket_has_no_state(void **state)
{
    struct world *w = *state;
    struct connection *plain = client_open(w), *late = client_open(w),
                      *ours = client_connect(w, "user-token");

    send_http(plain, "/guest/", false);
    client_close(plain);
    send_http(late, "/guest/gate", true);
    sem_wait(&arrived);
    client_close(late);
    sem_post(&gate);
    UNTIL(w->service->stats.sessions == 1);
    client_close(ours);
    assert_int_equal(closed_count, 0);
}

#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, setup_with_guest, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_WORLD(the_path_tells_which_dialect_answers),
        IN_WORLD(a_socket_belongs_to_the_dialect_that_upgraded_it),
        IN_WORLD(events_and_channels_reach_sockets_of_both),
        IN_WORLD(what_is_no_request_is_answered_by_the_dialect_that_claims_nothing),
        IN_WORLD(a_dialect_may_find_who_asks_in_its_own_way),
        IN_WORLD(the_state_is_freed_once_however_the_socket_ends),
        IN_WORLD(who_was_never_a_socket_has_no_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
