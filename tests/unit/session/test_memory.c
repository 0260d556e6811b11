/* What channels remember, and how who was away hears it. */

#include "fixture.h"

#include "session/channels.h"

/* ---- the scene: a service that remembers, and events that count on from its head ---- */

static void remember(struct world *w)
{
    struct service_settings *settings = &w->service->settings;

    settings->memory_bytes_max = 1 << 20;
    settings->memory_age_max_ms = settings->memory_absence_max_ms = 3600 * 1000;
}

static int64_t number(const struct world *w, int event)
{
    return service_event_head(w->service) + event;
}

/* Its text is its number, "3;". */
static void tell_event(struct world *w, const char *channel, int event, uint64_t but_origin)
{
    char text[16];
    snprintf(text, sizeof(text), "%d;", event);
    AUTO(frame_unref) struct frame *frame = frame_from(str_of(text), STR_NULL);

    service_tell(w->service, str_of(channel), frame, but_origin, number(w, event));
}

static void tell_events(struct world *w, const char *channel, int from, int to)
{
    for (int event = from; event <= to; event++)
        tell_event(w, channel, event, 0);
}

static void listen_to(struct connection *c, const char *channel)
{
    assert_int_equal(session_listen(c->user, str_of(channel)), 0);
}

static struct connection *listener(struct world *w, const char *channel)
{
    struct connection *c = client_connect(w, "admin-token");

    listen_to(c, channel);
    return c;
}

static enum replay_outcome ask_after(struct world *w, struct connection *c, int event)
{
    const struct replay replay = {.after = number(w, event), .count_max = 5, .bytes_max = 1000};

    return session_replay(c->user, &replay);
}

static bool is_heard(const struct world *w, const char *channel)
{
    return service_is_heard(w->service, str_of(channel));
}

/* ---- remembering ---- */

static void who_was_away_hears_what_it_missed_in_order(void **state)
{
    struct world *w = *state;
    remember(w);
    struct connection *c = listener(w, "a");
    listen_to(c, "b");
    tell_event(w, "a", 1, 0);
    client_close(c);
    tell_event(w, "b", 2, 0);
    tell_event(w, "a", 3, 0);
    tell_event(w, "b", 4, 0);
    tell_event(w, "elsewhere", 5, 0);

    c = listener(w, "b");
    listen_to(c, "a");
    assert_int_equal(ask_after(w, c, 1), REPLAY_DONE);
    assert_sent(c, "2;\n3;\n4;\n");
    assert_int_equal(ask_after(w, c, 3), REPLAY_DONE);
    assert_sent(c, "4;\n");
    assert_int_equal(ask_after(w, c, 4), REPLAY_DONE);
    assert_sent(c, "");
    client_close(c);
}

static void one_frame_for_many_is_one_event(void **state)
{
    struct world *w = *state;
    remember(w);
    struct connection *a = listener(w, "a"), *b = listener(w, "b");
    AUTO(frame_unref) struct frame *frame = frame_from(STR("one;"), STR_NULL);

    service_tell(w->service, STR("a"), frame, 0, number(w, 1));
    service_tell(w->service, STR("b"), frame, 0, number(w, 1));
    assert_int_equal(frame->references, 2);
    listen_to(a, "b");
    listen_to(b, "a");
    buf_clear(&a->sent);
    buf_clear(&b->sent);
    assert_int_equal(ask_after(w, b, 0), REPLAY_DONE);
    assert_sent(b, "one;\n");
    client_close(a);
    client_close(b);
}

static void what_was_not_for_an_origin_is_not_replayed_to_it(void **state)
{
    struct world *w = *state;
    remember(w);
    struct connection *c = listener(w, "a"), *other = listener(w, "a");

    tell_event(w, "a", 1, c->id);
    tell_event(w, "a", 2, 0);
    buf_clear(&c->sent);
    buf_clear(&other->sent);
    assert_int_equal(ask_after(w, c, 0), REPLAY_DONE);
    assert_int_equal(ask_after(w, other, 0), REPLAY_DONE);
    assert_sent(c, "2;\n");
    assert_sent(other, "1;\n2;\n");
    client_close(c);
    client_close(other);
}

static void what_has_no_number_is_not_remembered(void **state)
{
    struct world *w = *state;
    remember(w);
    struct connection *c = listener(w, "a");
    AUTO(frame_unref) struct frame *frame = frame_from(STR("x"), STR_NULL);

    service_tell(w->service, STR("a"), frame, 0, 0);
    assert_int_equal(frame->references, 1);
    assert_sent(c, "x\n");
    assert_int_equal(ask_after(w, c, 0), REPLAY_DONE);
    assert_sent(c, "");
    client_close(c);
}

static void a_service_that_remembers_nothing_keeps_no_channel(void **state)
{
    struct world *w = *state;
    struct connection *c = listener(w, "a");

    tell_event(w, "a", 1, 0);
    assert_sent(c, "1;\n");
    assert_null(w->service->memory.oldest);
    client_close(c);
    assert_false(is_heard(w, "a"));
    assert_int_equal(w->service->channels.count, 0);
}

static void what_was_told_before_a_channel_was_there_is_unknown(void **state)
{
    struct world *w = *state;
    remember(w);
    struct connection *c = listener(w, "a");
    tell_events(w, "a", 1, 2);
    listen_to(c, "late");
    buf_clear(&c->sent);
    assert_true(session_remembers_from(c->user) == number(w, 2));
    assert_int_equal(ask_after(w, c, 1), REPLAY_UNKNOWN);
    assert_int_equal(ask_after(w, c, 2), REPLAY_DONE);

    struct replay proven = {
        .after = number(w, 1), .proven = number(w, 2), .count_max = 5, .bytes_max = 1000};
    assert_int_equal(session_replay(c->user, &proven), REPLAY_DONE);
    assert_sent(c, "2;\n");
    client_close(c);
}

/* ---- bounds of one replay ---- */

static void exactly_so_many_are_replayed_and_of_more_none(void **state)
{
    struct world *w = *state;
    remember(w);
    struct connection *c = listener(w, "a");

    tell_events(w, "a", 1, 6);
    buf_clear(&c->sent);
    assert_int_equal(ask_after(w, c, 0), REPLAY_TOO_MUCH);
    assert_sent(c, "");
    assert_int_equal(ask_after(w, c, 1), REPLAY_DONE);
    assert_sent(c, "2;\n3;\n4;\n5;\n6;\n");
    client_close(c);
}

static void exactly_so_many_bytes_are_replayed_and_of_more_none(void **state)
{
    struct world *w = *state;
    remember(w);
    struct connection *c = listener(w, "a");
    struct replay replay = {.after = number(w, 0), .count_max = 100, .bytes_max = 7};

    tell_events(w, "a", 1, 4);
    buf_clear(&c->sent);
    assert_int_equal(session_replay(c->user, &replay), REPLAY_TOO_MUCH);
    replay.bytes_max = 8;
    assert_int_equal(session_replay(c->user, &replay), REPLAY_DONE);
    assert_sent(c, "1;\n2;\n3;\n4;\n");
    client_close(c);
}

static void own_events_do_not_count_but_looking_at_them_ends(void **state)
{
    struct world *w = *state;
    remember(w);
    struct connection *c = listener(w, "a");
    const int looks_max = 5 * 4 + 1000;

    for (int event = 1; event <= looks_max; event++)
        tell_event(w, "a", event, c->id);
    assert_int_equal(ask_after(w, c, 0), REPLAY_DONE);
    tell_event(w, "a", looks_max + 1, c->id);
    assert_int_equal(ask_after(w, c, 0), REPLAY_TOO_MUCH);
    assert_sent(c, "");
    client_close(c);
}

/* ---- bounds of the memory ---- */

static void the_oldest_go_when_bytes_run_out(void **state)
{
    struct world *w = *state;
    remember(w);
    struct connection *c = listener(w, "a");

    tell_events(w, "a", 1, 3);
    w->service->settings.memory_bytes_max = w->service->memory.bytes;
    tell_event(w, "a", 4, 0);
    assert_true(w->service->memory.bytes <= w->service->settings.memory_bytes_max);
    buf_clear(&c->sent);
    assert_int_equal(ask_after(w, c, 0), REPLAY_UNKNOWN);
    assert_int_equal(ask_after(w, c, 1), REPLAY_DONE);
    assert_sent(c, "2;\n3;\n4;\n");
    client_close(c);
}

static void an_event_larger_than_the_memory_is_told_and_forgotten(void **state)
{
    struct world *w = *state;
    remember(w);
    w->service->settings.memory_bytes_max = 1;
    struct connection *c = listener(w, "a");

    tell_event(w, "a", 1, 0);
    assert_sent(c, "1;\n");
    assert_int_equal(w->service->memory.bytes, 0);
    assert_int_equal(ask_after(w, c, 0), REPLAY_UNKNOWN);
    client_close(c);
    assert_int_equal(w->service->channels.count, 0);
}

static void what_is_too_old_goes(void **state)
{
    struct world *w = *state;
    remember(w);
    struct connection *c = listener(w, "a");

    tell_event(w, "a", 1, 0);
    w->service->settings.memory_age_max_ms = 0;
    buf_clear(&c->sent);
    assert_int_equal(ask_after(w, c, 0), REPLAY_UNKNOWN);
    assert_int_equal(ask_after(w, c, 1), REPLAY_DONE);
    assert_int_equal(w->service->memory.bytes, 0);
    client_close(c);
}

static void a_channel_is_heard_for_a_while_after_its_last_listener_left(void **state)
{
    struct world *w = *state;
    remember(w);
    struct connection *a = listener(w, "a"), *b = listener(w, "b");

    assert_false(is_heard(w, "c"));
    client_close(a);
    assert_true(is_heard(w, "a"));
    tell_event(w, "a", 1, 0);
    w->service->settings.memory_absence_max_ms = 0;
    tell_event(w, "b", 2, 0);
    assert_false(is_heard(w, "a"));
    assert_true(is_heard(w, "b"));
    assert_int_equal(w->service->channels.count, 1);
    listen_to(b, "a");
    assert_int_equal(ask_after(w, b, 0), REPLAY_UNKNOWN);
    client_close(b);
    assert_int_equal(w->service->channels.count, 0);
    assert_int_equal(w->service->memory.bytes, 0);
}

static void channels_that_were_left_count_too_and_the_longest_goes_first(void **state)
{
    struct world *w = *state;
    remember(w);
    client_close(listener(w, "a"));
    client_close(listener(w, "b"));
    w->service->settings.memory_bytes_max = w->service->memory.bytes;
    client_close(listener(w, "c"));
    assert_false(is_heard(w, "a"));
    assert_true(is_heard(w, "b"));
    assert_true(is_heard(w, "c"));
    listen_to(listener(w, "b"), "c");
    assert_int_equal(w->service->memory.bytes, 0);
}

static void what_cannot_be_told_again_makes_a_channel_forget(void **state)
{
    struct world *w = *state;
    remember(w);
    struct connection *c = listener(w, "a");

    tell_event(w, "a", 1, 0);
    service_forget(w->service, STR("a"), number(w, 7));
    service_forget(w->service, STR("nobody's"), number(w, 7));
    assert_true(session_remembers_from(c->user) == number(w, 7));
    assert_int_equal(w->service->memory.bytes, 0);
    tell_event(w, "a", 8, 0);
    buf_clear(&c->sent);
    assert_int_equal(ask_after(w, c, 6), REPLAY_UNKNOWN);
    assert_int_equal(ask_after(w, c, 7), REPLAY_DONE);
    assert_sent(c, "8;\n");
    client_close(c);
}

/* ---- events that wait ---- */

static void a_held_session_hears_events_after_those_that_it_missed(void **state)
{
    struct world *w = *state;
    remember(w);
    struct connection *c = listener(w, "a");
    tell_event(w, "a", 1, 0);
    client_close(c);
    tell_event(w, "a", 2, 0);

    c = client_connect(w, "admin-token");
    session_hold(c->user, 0);
    listen_to(c, "a");
    tell_event(w, "a", 3, 0);
    AUTO(frame_unref) struct frame *frame = frame_from(STR("now"), STR_NULL);
    service_tell(w->service, STR("a"), frame, 0, 0);
    assert_sent(c, "now\n");
    assert_int_equal(ask_after(w, c, 1), REPLAY_DONE);
    assert_sent(c, "2;\n3;\n");
    tell_event(w, "a", 4, 0);
    assert_sent(c, "4;\n");
    session_release(c->user);
    assert_sent(c, "");
    client_close(c);
}

static void a_held_session_that_is_let_go_hears_what_it_listened_to_and_no_more(void **state)
{
    struct world *w = *state;
    remember(w);
    struct connection *other = listener(w, "a");
    listen_to(other, "b");
    tell_event(w, "a", 1, 0);
    struct connection *c = client_connect(w, "admin-token");
    session_hold(c->user, 0);
    listen_to(c, "a");
    tell_event(w, "a", 2, 0);
    tell_event(w, "b", 3, 0);
    listen_to(c, "b");
    tell_event(w, "b", 4, 0);
    tell_event(w, "a", 5, c->id);
    assert_sent(c, "");
    session_release(c->user);
    assert_sent(c, "2;\n4;\n");
    client_close(c);
    client_close(other);
}

static void a_session_is_held_for_so_long_and_no_longer(void **state)
{
    struct world *w = *state;
    remember(w);
    struct connection *c = listener(w, "a");

    session_hold(c->user, 1);
    tell_event(w, "a", 1, 0);
    assert_sent(c, "");
    UNTIL(!session_is_held(c->user));
    assert_sent(c, "1;\n");
    client_close(c);
}

static void what_a_held_session_waits_for_is_not_lost_without_a_word(void **state)
{
    struct world *w = *state;
    remember(w);
    struct connection *c = listener(w, "a");

    session_hold(c->user, 0);
    tell_event(w, "a", 1, 0);
    w->service->settings.memory_age_max_ms = 0;
    memory_trim(w->service);
    session_release(c->user);
    assert_sent(c, "");
    assert_true(c->closing);
    client_close(c);
}

static void a_session_that_closes_is_not_held(void **state)
{
    struct world *w = *state;
    remember(w);
    struct connection *c = listener(w, "a");

    session_hold(c->user, 1);
    session_close(c->user, NET_CLOSE_DONE);
    assert_false(session_is_held(c->user));
    session_hold(c->user, 1);
    assert_false(session_is_held(c->user));
    client_close(c);
}

/* ---- numbers of commits ---- */

static int64_t first_of_commit, last_of_commit, head_before;

static void note_numbers(struct service *v, const struct commit *commit, int64_t now_ms)
{
    (void)now_ms;
    first_of_commit = service_event_first(commit);
    last_of_commit = service_event_last(commit);
    head_before = service_event_head(v);
    assert_true(last_of_commit - first_of_commit == (int64_t)commit->count * EVENTS_PER_CHANGE - 1);
}

static void commits_own_numbers_that_follow_each_other_over_restarts(void **state)
{
    struct world *w = *state;
    struct connection *c = client_connect(w, "admin-token");
    int64_t head = service_event_head(w->service);

    told = note_numbers;
    assert_true(head > 0);
    for (int i = 0; i < 3; i++) {
        ask_create(c, &create);
        UNTIL(is_idle(c));
        assert_true(head_before == head);
        assert_true(first_of_commit == head + 1);
        head = service_event_head(w->service);
        assert_true(last_of_commit == head);
    }
    client_close(c);
    service_free(w->service);
    loop_free(w->loop);
    world_start(w);
    assert_true(service_event_head(w->service) == head);
    told = NULL;
}

#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_WORLD(who_was_away_hears_what_it_missed_in_order),
        IN_WORLD(one_frame_for_many_is_one_event),
        IN_WORLD(what_was_not_for_an_origin_is_not_replayed_to_it),
        IN_WORLD(what_has_no_number_is_not_remembered),
        IN_WORLD(a_service_that_remembers_nothing_keeps_no_channel),
        IN_WORLD(what_was_told_before_a_channel_was_there_is_unknown),
        IN_WORLD(exactly_so_many_are_replayed_and_of_more_none),
        IN_WORLD(exactly_so_many_bytes_are_replayed_and_of_more_none),
        IN_WORLD(own_events_do_not_count_but_looking_at_them_ends),
        IN_WORLD(the_oldest_go_when_bytes_run_out),
        IN_WORLD(an_event_larger_than_the_memory_is_told_and_forgotten),
        IN_WORLD(what_is_too_old_goes),
        IN_WORLD(a_channel_is_heard_for_a_while_after_its_last_listener_left),
        IN_WORLD(channels_that_were_left_count_too_and_the_longest_goes_first),
        IN_WORLD(what_cannot_be_told_again_makes_a_channel_forget),
        IN_WORLD(a_held_session_hears_events_after_those_that_it_missed),
        IN_WORLD(a_held_session_that_is_let_go_hears_what_it_listened_to_and_no_more),
        IN_WORLD(a_session_is_held_for_so_long_and_no_longer),
        IN_WORLD(what_a_held_session_waits_for_is_not_lost_without_a_word),
        IN_WORLD(a_session_that_closes_is_not_held),
        IN_WORLD(commits_own_numbers_that_follow_each_other_over_restarts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
