/* Channels, and the place of what is told on them. */

#include "fixture.h"

#include "model/system.h"

static void tell_text(struct world *w, const char *channel, const char *text, uint64_t but_origin)
{
    AUTO(frame_unref) struct frame *frame = frame_from(str_of(text), STR_NULL);

    service_tell(w->service, str_of(channel), frame, but_origin, 0);
}

static size_t channel_count(const struct world *w)
{
    return w->service->channels.count;
}

static void listen_to(struct connection *c, const char *channel)
{
    assert_int_equal(session_listen(c->user, str_of(channel)), 0);
}

/* ---- listening ---- */

static void who_listens_is_told_and_nobody_else(void **state)
{
    struct world *w = *state;
    struct connection *a = client_connect(w, "admin-token"), *b = client_connect(w, NULL),
                      *c = client_connect(w, "user-token");

    listen_to(a, "table/1");
    listen_to(b, "table/1");
    listen_to(b, "table/2");
    tell_text(w, "table/1", "one", 0);
    tell_text(w, "table/2", "two", 0);
    tell_text(w, "table", "nobody", 0);
    tell_text(w, "table/11", "nobody", 0);
    assert_sent(a, "one\n");
    assert_sent(b, "one\ntwo\n");
    assert_sent(c, "");
    client_close(a);
    client_close(b);
    client_close(c);
}

static void listening_twice_is_listening_once(void **state)
{
    struct world *w = *state;
    struct connection *c = client_connect(w, NULL);
    struct session *s = c->user;

    listen_to(c, "a");
    listen_to(c, "b");
    listen_to(c, "a");
    assert_int_equal(s->listening_count, 2);
    tell_text(w, "a", "once", 0);
    assert_sent(c, "once\n");
    session_unlisten(s, STR("a"));
    session_unlisten(s, STR("a"));
    session_unlisten(s, STR("never"));
    assert_false(session_listens(s, STR("a")));
    assert_false(session_listens(s, STR("never")));
    assert_true(session_listens(s, STR("b")));
    tell_text(w, "a", "no more", 0);
    assert_sent(c, "");
    client_close(c);
}

static void a_channel_is_there_while_somebody_listens(void **state)
{
    struct world *w = *state;
    struct connection *a = client_connect(w, NULL), *b = client_connect(w, "user-token");

    listen_to(a, "x");
    listen_to(b, "x");
    listen_to(b, "");
    assert_int_equal(channel_count(w), 2);
    session_unlisten(a->user, STR("x"));
    assert_int_equal(channel_count(w), 2);
    session_unlisten(b->user, STR("x"));
    assert_int_equal(channel_count(w), 1);
    tell_text(w, "x", "nobody", 0);
    tell_text(w, "", "empty", 0);
    assert_sent(b, "empty\n");
    client_close(b);
    assert_int_equal(channel_count(w), 0);
    client_close(a);
}

static void a_session_listens_to_so_many_channels_and_no_more(void **state)
{
    struct world *w = *state;
    struct connection *c = client_connect(w, NULL), *other = client_connect(w, NULL);
    struct session *s = c->user;

    listen_to(c, "a");
    listen_to(c, "b");
    listen_to(c, "c");
    assert_int_equal(session_listen(s, STR("d")), REFUSED);
    assert_false(session_listens(s, STR("d")));
    assert_int_equal(channel_count(w), 3);
    listen_to(c, "b");
    listen_to(other, "d");
    session_unlisten(s, STR("b"));
    listen_to(c, "d");
    assert_int_equal(s->listening_count, 3);
    tell_text(w, "d", "told", 0);
    assert_sent(c, "told\n");
    client_close(c);
    client_close(other);
}

static void a_channels_name_is_so_long_and_no_longer(void **state)
{
    struct world *w = *state;
    struct connection *c = client_connect(w, NULL);
    char name[CHANNEL_NAME_MAX + 1];

    memset(name, 'x', sizeof(name));
    for (size_t len = CHANNEL_NAME_MAX - 1; len <= CHANNEL_NAME_MAX + 1; len++)
        assert_int_equal(session_listen(c->user, (struct str){name, len}),
                         len <= CHANNEL_NAME_MAX ? 0 : REFUSED);
    assert_int_equal(channel_count(w), 2);
    client_close(c);
}

static void who_closes_listens_no_more(void **state)
{
    struct world *w = *state;
    struct connection *a = client_connect(w, NULL), *b = client_connect(w, NULL);

    listen_to(a, "x");
    listen_to(b, "x");
    session_close(a->user, NET_CLOSE_DONE);
    assert_false(session_listens(a->user, STR("x")));
    assert_int_equal(session_listen(a->user, STR("x")), 0);
    assert_false(session_listens(a->user, STR("x")));
    client_close(b);
    assert_int_equal(channel_count(w), 0);
    client_close(a);
}

/* ---- each ---- */

enum { CLIENTS = 4 };
/* What is done when the session of `at` is reached. */
struct round {
    struct world *w;
    struct connection *clients[CLIENTS];
    struct buf reached;
    struct connection *at;
    void (*act)(struct round *round);
};

static void reach(struct session *s, void *context)
{
    struct round *round = context;

    for (int i = 0; i < CLIENTS; i++)
        if (round->clients[i]->user == s)
            buf_put_char(&round->reached, (char)('0' + i));
    if (round->at && s == round->at->user && round->act)
        round->act(round);
}

static void assert_reached(struct round *round, const char *expected)
{
    buf_clear(&round->reached);
    service_each(round->w->service, STR("x"), reach, round);
    buf_put_char(&round->reached, '\0');
    assert_string_equal(round->reached.at, expected);
}

static void round_begin(struct round *round, struct world *w)
{
    *round = (struct round){.w = w};
    buf_init(&round->reached, SIZE_MAX);
    for (int i = 0; i < CLIENTS; i++) {
        round->clients[i] = client_connect(w, NULL);
        listen_to(round->clients[i], "x");
    }
}

static void round_end(struct round *round)
{
    for (int i = 0; i < CLIENTS; i++)
        client_close(round->clients[i]);
    buf_deinit(&round->reached);
    assert_int_equal(channel_count(round->w), 0);
}

static void unlisten(struct connection *c)
{
    session_unlisten(c->user, STR("x"));
}

static void act_leave(struct round *round)
{
    unlisten(round->at);
}
static void act_next_leaves(struct round *round)
{
    unlisten(round->clients[2]);
}
static void act_others_leave(struct round *round)
{
    for (int i = 0; i < CLIENTS; i++)
        if (round->clients[i] != round->at)
            unlisten(round->clients[i]);
}
static void act_all_leave(struct round *round)
{
    act_leave(round);
    act_others_leave(round);
}
static void act_come_back(struct round *round)
{
    unlisten(round->at);
    listen_to(round->at, "x");
}
static void act_all_come_back(struct round *round)
{
    act_all_leave(round);
    for (int i = 0; i < CLIENTS; i++)
        listen_to(round->clients[i], "x");
}
static void act_close(struct round *round)
{
    session_close(round->at->user, NET_CLOSE_REVOKED);
}
static void act_tell(struct round *round)
{
    tell_text(round->w, "x", "within", 0);
}

static void each_goes_on_whoever_leaves_or_comes_back(void **state)
{
    static const struct {
        void (*act)(struct round *round);
        int at;
        const char *reached, *then;
    } cases[] = {
        {NULL, 0, "0123", "0123"},           {act_leave, 0, "0123", "123"},
        {act_leave, 3, "0123", "012"},       {act_next_leaves, 1, "013", "013"},
        {act_next_leaves, 3, "0123", "013"}, {act_others_leave, 0, "0", "0"},
        {act_others_leave, 3, "0123", "3"},  {act_all_leave, 1, "01", ""},
        {act_come_back, 0, "0123", "1230"}, /* in order of listening: at the end, next time */
        {act_come_back, 3, "0123", "0123"},  {act_all_come_back, 1, "01", "0123"},
        {act_close, 1, "0123", "023"},       {act_tell, 1, "0123", "0123"},
    };
    struct world *w = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct round round;
        round_begin(&round, w);
        round.at = round.clients[cases[i].at];
        round.act = cases[i].act;
        assert_reached(&round, cases[i].reached);
        round.act = NULL;
        assert_reached(&round, cases[i].then);
        round_end(&round);
    }
}

/* A walk within a walk, in which the one who comes next in both leaves. */
static void act_walk_within(struct round *round)
{
    round->at = round->clients[1];
    round->act = act_next_leaves;
    service_each(round->w->service, STR("x"), reach, round);
}

static void each_may_be_asked_for_within_itself(void **state)
{
    struct world *w = *state;
    struct round round;

    round_begin(&round, w);
    round.at = round.clients[1];
    round.act = act_walk_within;
    assert_reached(&round, "010133");
    round_end(&round);
}

static void all_get_one_frame(void **state)
{
    struct world *w = *state;
    AUTO(frame_unref) struct frame *frame = frame_from(STR("one"), STR_NULL);
    struct round round;

    round_begin(&round, w);
    session_close(round.clients[1]->user, NET_CLOSE_DONE);
    service_tell(w->service, STR("x"), frame, 0, 0);
    assert_int_equal(frame->references, 1);
    for (int i = 0; i < CLIENTS; i++)
        assert_sent(round.clients[i], i == 1 ? "" : "one\n");
    round_end(&round);
}

/* ---- origin ---- */

static uint64_t origin_of_commit;

static void tell_number(struct service *v, const struct commit *commit, int64_t now_ms)
{
    char text[64];
    (void)now_ms;
    snprintf(text, sizeof(text), "committed %zu", commit->count);
    AUTO(frame_unref) struct frame *frame = frame_from(str_of(text), STR_NULL);
    origin_of_commit = commit->origin;
    service_tell(v, STR("all"), frame, commit->origin, 0);
}

static void those_of_the_senders_origin_are_left_out(void **state)
{
    struct world *w = *state;
    struct connection *a = client_connect(w, "admin-token"), *b = client_connect(w, "admin-token"),
                      *c = client_connect(w, "admin-token");
    struct session *twin = b->user;

    told = tell_number;
    listen_to(a, "all");
    listen_to(b, "all");
    listen_to(c, "all");
    assert_int_equal(session_origin(a->user), a->id);
    ask_create(a, &create);
    UNTIL(is_idle(a));
    assert_int_equal(origin_of_commit, a->id);
    assert_sent(a, "created 1\n");
    assert_sent(b, "committed 1\n");

    session_set_origin(a->user, UINT64_C(0x7fffffffffffffff));
    session_set_origin(twin, UINT64_C(0x7fffffffffffffff));
    ask_create(a, &create);
    UNTIL(is_idle(a));
    assert_int_equal(origin_of_commit, UINT64_C(0x7fffffffffffffff));
    assert_sent(a, "created 2\n");
    assert_sent(b, "");
    assert_sent(c, "committed 1\ncommitted 1\n");

    session_set_origin(twin, 0); /* nobody's: no change is its own */
    tell_text(w, "all", "to all", 0);
    assert_sent(a, "to all\n");
    assert_sent(b, "to all\n");
    client_close(a);
    client_close(b);
    client_close(c);
}

/* ---- the place of a commit ---- */

static struct buf seen_at_commit;

/* Tells all, the sender too, and notes whether sight is still the one from before. */
static void tell_all(struct service *v, const struct commit *commit, int64_t now_ms)
{
    AUTO(frame_unref) struct frame *frame = frame_from(STR("committed"), STR_NULL);
    bool before = service_catalogue(v)->version == commit->catalogue->version;
    (void)now_ms;

    buf_printf(&seen_at_commit, "%s%s\n", before ? "before" : "after",
               commit->catalogue_after ? ", with a new catalogue" : "");
    service_tell(v, STR("all"), frame, 0, 0);
}

static void a_commit_is_told_after_reply_and_event(void **state)
{
    struct world *w = *state;
    struct connection *c = client_connect(w, "admin-token"),
                      *other = client_connect(w, "user-token");

    buf_init(&seen_at_commit, SIZE_MAX);
    told = tell_all;
    listen_to(c, "all");
    listen_to(other, "all");
    ask(c, &follow, "articles", NULL, NULL);
    ask(other, &follow, "articles", NULL, NULL);
    ask_create(c, &create);
    ask_create(c, &refused);
    ask(c, &update, "articles", "1", "{\"title\":\"Sowing\"}");
    UNTIL(is_idle(c));
    assert_sent(c, "following\ncreated 1\nevent create 1\ncommitted\nINVALID_PAYLOAD\n"
                   "updated\nevent update \"1\"\ncommitted\n");
    assert_sent(other, "following\nevent create 1\ncommitted\nevent update \"1\"\ncommitted\n");
    client_close(c);
    client_close(other);
    buf_deinit(&seen_at_commit);
}

static void a_commit_is_told_before_sight_follows_it(void **state)
{
    struct world *w = *state;
    struct connection *c = client_connect(w, "admin-token"),
                      *user = client_connect(w, "user-token");

    buf_init(&seen_at_commit, SIZE_MAX);
    told = tell_all;
    listen_to(user, "all");
    ask(c, &add_field, "articles", NULL, "{\"field\":\"more\",\"type\":\"string\"}");
    ask(c, &create, "articles", NULL, "{\"more\":\"x\"}");
    ask(c, &update, "directus_users", USER, "{\"status\":\"suspended\"}");
    ask_create(c, &create);
    UNTIL(is_idle(c));
    assert_sent(c, "added more\ncreated 1\nupdated\ncreated 2\n");
    assert_sent(user, "committed\ncommitted\ncommitted\n"); /* the one that shut it out as well */
    assert_true(user->closing);
    assert_int_equal(user->reason, NET_CLOSE_REVOKED);
    buf_put_char(&seen_at_commit, '\0');
    assert_string_equal(seen_at_commit.at,
                        "before, with a new catalogue\nbefore\nbefore, with a new catalogue\n"
                        "before\n");
    client_close(c);
    client_close(user);
    buf_deinit(&seen_at_commit);
}

/* The sender's own socket may be closed at its commit: what it asked is done, and all is told. */
static void close_one(struct session *s, void *context)
{
    (void)context;
    session_close(s, NET_CLOSE_DONE);
}
static void close_all(struct service *v, const struct commit *commit, int64_t now_ms)
{
    (void)commit, (void)now_ms;
    service_each(v, STR("all"), close_one, NULL);
}

static void a_commit_may_close_whoever_made_it(void **state)
{
    struct world *w = *state;
    struct connection *c = client_connect(w, "admin-token");

    told = close_all;
    listen_to(c, "all");
    ask_create(c, &create);
    ask_create(c, &create);
    ask(c, &count_rows, NULL, NULL, NULL);
    UNTIL(is_idle(c));
    assert_sent(c, "created 1\n");
    assert_int_equal(c->reason, NET_CLOSE_DONE);
    client_close(c);
    c = client_connect(w, "admin-token");
    ask(c, &count_rows, NULL, NULL, NULL);
    UNTIL(is_idle(c));
    assert_sent(c, "2 rows\n");
    client_close(c);
}

#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_WORLD(who_listens_is_told_and_nobody_else),
        IN_WORLD(listening_twice_is_listening_once),
        IN_WORLD(a_channel_is_there_while_somebody_listens),
        IN_WORLD(a_session_listens_to_so_many_channels_and_no_more),
        IN_WORLD(a_channels_name_is_so_long_and_no_longer),
        IN_WORLD(who_closes_listens_no_more),
        IN_WORLD(each_goes_on_whoever_leaves_or_comes_back),
        IN_WORLD(each_may_be_asked_for_within_itself),
        IN_WORLD(all_get_one_frame),
        IN_WORLD(those_of_the_senders_origin_are_left_out),
        IN_WORLD(a_commit_is_told_after_reply_and_event),
        IN_WORLD(a_commit_is_told_before_sight_follows_it),
        IN_WORLD(a_commit_may_close_whoever_made_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
