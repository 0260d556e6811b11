/* Order of replies, lanes and batches, limits, and the ends of sessions. */

#include "fixture.h"

#include <errno.h>

static void replies_come_in_order_and_waiting_writes_share_a_commit(void **state)
{
    struct world *w = *state;
    struct connection *c = client_connect(w, "admin-token");
    struct service_stats stats;

    ask_create(c, &gated_create);
    sem_wait(&arrived);
    for (int i = 0; i < 4; i++)
        ask_create(c, &create);
    service_stats(w->service, &stats);
    assert_int_equal(stats.writer_queue, 4);
    sem_post(&gate);
    UNTIL(is_idle(c));
    assert_sent(c, "created 1\ncreated 2\ncreated 3\ncreated 4\ncreated 5\n");
    service_stats(w->service, &stats);
    assert_int_equal(stats.batches, 2);
    assert_int_equal(stats.batched_requests, 5);
    client_close(c);
}

static void a_client_sees_its_reply_and_then_the_event(void **state)
{
    struct world *w = *state;
    struct connection *c = client_connect(w, "admin-token"),
                      *other = client_connect(w, "user-token");

    ask(c, &follow, "articles", NULL, NULL);
    ask(other, &follow, "articles", NULL, NULL);
    ask_create(c, &create);
    ask_create(c, &create);
    UNTIL(is_idle(c));
    assert_sent(c, "following\ncreated 1\nevent create 1\ncreated 2\nevent create 2\n");
    assert_sent(other, "following\nevent create 1\nevent create 2\n");
    client_close(c);
    client_close(other);
}

static void what_comes_after_a_write_comes_after_it(void **state)
{
    struct world *w = *state;
    struct connection *c = client_connect(w, "admin-token");

    ask_create(c, &create);
    ask(c, &count_rows, NULL, NULL, NULL);
    ask(c, &follow, "articles", NULL, NULL);
    ask_create(c, &create);
    ask(c, &unfollow, "articles", NULL, NULL);
    ask_create(c, &create);
    ask(c, &count_rows, NULL, NULL, NULL);
    ask(c, &count_rows, NULL, NULL, NULL);
    UNTIL(is_idle(c));
    assert_sent(c, "created 1\n1 rows\nfollowing\ncreated 2\nevent create 2\ncreated 3\n3 rows\n"
                   "3 rows\n");
    client_close(c);
}

static void a_failure_undoes_one_request_and_not_its_batch(void **state)
{
    struct world *w = *state;
    struct connection *c = client_connect(w, "admin-token");
    struct service_stats stats;
    char expected[128];

    ask(c, &follow, "articles", NULL, NULL);
    ask_create(c, &gated_create);
    sem_wait(&arrived);
    ask_create(c, &faulty);
    ask_create(c, &refused);
    ask(c, &create, "nowhere", NULL, "{}");
    ask_create(c, &create);
    ask(c, &count_rows, NULL, NULL, NULL);
    sem_post(&gate);
    UNTIL(is_idle(c));
    /* PostgreSQL does not give the keys of the two rows that were undone again. */
    int key = database_on_postgres() ? 4 : 2;
    snprintf(expected, sizeof(expected),
             "following\ncreated 1\nevent create 1\nINTERNAL\nINVALID_PAYLOAD\nFORBIDDEN\n"
             "created %d\nevent create %d\n2 rows\n",
             key, key);
    assert_sent(c, expected);
    service_stats(w->service, &stats);
    assert_int_equal(stats.faults, 1);
    assert_int_equal(stats.refused, 2);
    client_close(c);
}

static void a_full_queue_refuses_and_keeps_the_order(void **state)
{
    struct world *w = *state;
    struct connection *c = client_connect(w, "admin-token");

    w->service->settings.writer_queue_max = 2;
    ask_create(c, &gated_create);
    sem_wait(&arrived);
    for (int i = 0; i < 3; i++)
        ask_create(c, &create);
    assert_sent(c, "");
    sem_post(&gate);
    UNTIL(is_idle(c));
    assert_sent(c, "created 1\ncreated 2\ncreated 3\nUNAVAILABLE\n");
    client_close(c);
}

static void a_client_that_asks_too_much_at_once_is_not_read(void **state)
{
    struct world *w = *state;
    struct connection *c = client_connect(w, "admin-token");

    w->service->settings.session_requests_max = 3;
    ask_create(c, &gated_create);
    sem_wait(&arrived);
    ask_create(c, &create);
    assert_false(c->paused);
    ask_create(c, &create);
    assert_true(c->paused);
    ask_create(c, &create); /* was read already */
    sem_post(&gate);
    UNTIL(is_idle(c));
    assert_false(c->paused);
    assert_sent(c, "created 1\ncreated 2\ncreated 3\ncreated 4\n");
    client_close(c);
}

static void a_client_whose_requests_are_large_is_not_read_either(void **state)
{
    enum { BYTES_MAX = 4 << 20 };
    struct world *w = *state;
    struct connection *c = client_connect(w, "admin-token");
    const size_t bytes[] = {BYTES_MAX - 2, 1, 1};
    struct request *r = wish(c, &gated_create, "articles", NULL, "{}");

    r->bytes = bytes[0];
    session_submit(c->user, r);
    sem_wait(&arrived);
    for (size_t i = 1; i < COUNT_OF(bytes); i++) {
        assert_false(c->paused);
        r = wish(c, &create, "articles", NULL, "{}");
        r->bytes = bytes[i];
        session_submit(c->user, r);
    }
    assert_true(c->paused);
    sem_post(&gate);
    UNTIL(is_idle(c));
    assert_false(c->paused);
    assert_sent(c, "created 1\ncreated 2\ncreated 3\n");
    client_close(c);
}

static void writes_outlive_their_client(void **state)
{
    struct world *w = *state;
    struct connection *c = client_connect(w, "admin-token"),
                      *other = client_connect(w, "user-token");
    struct service_stats stats;

    ask(other, &follow, "articles", NULL, NULL);
    ask(c, &follow, "articles", NULL, NULL);
    ask_create(c, &gated_create);
    sem_wait(&arrived);
    ask(c, &count_rows, NULL, NULL, NULL);
    ask_create(c, &create);
    client_close(c);
    sem_post(&gate);
    UNTIL((service_stats(w->service, &stats), stats.sessions == 1));
    assert_sent(other, "following\nevent create 1\nevent create 2\n");
    client_close(other);
}

static int run_counted_read(struct request *r, struct tx *tx)
{
    (void)r, (void)tx;
    run_count++;
    return 0;
}
static int run_gated_read(struct request *r, struct tx *tx)
{
    pass_gate();
    return run_counted_read(r, tx);
}

/* Else one connection could make the server hold as many answers as it may ask for. */
static void over_http_reads_start_as_their_answers_are_taken(void **state)
{
    static const struct handler counted_read = HANDLER(LANE_READ, run_counted_read);
    static const struct handler gated_read = HANDLER(LANE_READ, run_gated_read);
    struct world *w = *state;
    struct connection *c = client_open(w), *other = client_connect(w, "admin-token");
    const struct handler *const reads[] = {&gated_read, &counted_read, &counted_read};

    run_count = 0;
    for (size_t i = 0; i < COUNT_OF(reads); i++) {
        struct request *r = wish(c, reads[i], NULL, NULL, NULL);
        r->http = http_new();
        r->keep_alive = true;
        session_submit(c->user, r);
    }
    sem_wait(&arrived);
    ask(other, &count_rows, NULL, NULL, NULL); /* the second reader has nothing else to do */
    UNTIL(is_idle(other));
    assert_int_equal(run_count, 0);

    c->full = true;
    sem_post(&gate);
    UNTIL(c->responded == 1);
    ask(other, &count_rows, NULL, NULL, NULL);
    ask(other, &count_rows, NULL, NULL, NULL);
    UNTIL(is_idle(other));
    assert_int_equal(run_count, 1);

    c->full = false;
    service_connection_ops()->drained(c);
    UNTIL(c->responded == COUNT_OF(reads));
    assert_int_equal(run_count, COUNT_OF(reads));
    client_close(c);
    client_close(other);
}

/* Else those who come after it would wait for work that nobody wants. */
static void reads_of_a_client_that_has_gone_are_not_begun(void **state)
{
    static const struct handler counted_read = HANDLER(LANE_READ, run_counted_read);
    static const struct handler gated_read = HANDLER(LANE_READ, run_gated_read);
    struct world *w = *state;
    struct connection *busy[] = {client_connect(w, "admin-token"),
                                 client_connect(w, "admin-token")};
    struct connection *leaving = client_connect(w, "admin-token");
    struct connection *closed = client_connect(w, "admin-token");

    run_count = 0;
    for (size_t i = 0; i < COUNT_OF(busy); i++) { /* as many as there are readers */
        ask(busy[i], &gated_read, NULL, NULL, NULL);
        sem_wait(&arrived);
    }
    for (size_t i = 0; i < 10; i++) {
        ask(leaving, &counted_read, NULL, NULL, NULL);
        ask(closed, &counted_read, NULL, NULL, NULL);
    }
    client_close(leaving);
    session_close(closed->user, NET_CLOSE_REVOKED);
    for (size_t i = 0; i < COUNT_OF(busy); i++)
        sem_post(&gate);
    UNTIL(is_idle(busy[0]) && is_idle(busy[1]) && is_idle(closed));
    client_close(busy[0]);
    client_close(busy[1]);
    client_close(closed);
    while (w->service->stats.sessions > 0)
        uv_run(loop_uv(w->loop), UV_RUN_ONCE);
    assert_int_equal(run_count, COUNT_OF(busy));
}

static void what_is_in_flight_at_the_end_is_finished(void **state)
{
    struct world *w = *state;
    struct connection *c = client_connect(w, "admin-token");

    ask_create(c, &gated_create);
    sem_wait(&arrived);
    ask_create(c, &create);
    client_close(c);
    sem_post(&gate);
    service_free(w->service);
    loop_free(w->loop);
    world_start(w);
    c = client_connect(w, "admin-token");
    ask(c, &count_rows, NULL, NULL, NULL);
    UNTIL(is_idle(c));
    assert_sent(c, "2 rows\n");
    client_close(c);
}

static void slow_work_ahead_of_a_write_keeps_the_order(void **state)
{
    struct world *w = *state;
    struct connection *c = client_connect(w, "admin-token");
    struct request *r = wish(c, &prepared_create, "articles", NULL, "{}");

    r->wants_prepare = true;
    session_submit(c->user, r);
    ask_create(c, &create);
    ask(c, &prepared_create, "articles", NULL, "{}"); /* does not want it */
    UNTIL(is_idle(c));
    assert_sent(c, "prepared and created 1\ncreated 2\ncreated 3\n");
    client_close(c);
}

static void a_stalled_reply_holds_back_those_behind_it(void **state)
{
    struct world *w = *state;
    struct connection *c = client_connect(w, "admin-token");
    struct request *r = wish(c, &create, "articles", NULL, "{}");
    int64_t began_ms = clock_monotonic_ms();

    ((struct wish *)r->command)->stall_ms = 30;
    session_submit(c->user, r);
    ask_create(c, &create);
    UNTIL(c->sent.len > 0);
    assert_true(clock_monotonic_ms() >= began_ms + 30);
    UNTIL(is_idle(c));
    assert_sent(c, "created 1\ncreated 2\n");

    r = wish(c, &create, "articles", NULL, "{}");
    ((struct wish *)r->command)->stall_ms = 1000000;
    session_submit(c->user, r);
    UNTIL(((struct session *)c->user)->stall);
    client_close(c); /* nobody waits any more */
}

static void http_is_answered_in_order_for_whom_the_token_names(void **state)
{
    struct world *w = *state;
    struct connection *c = client_open(w);
    static const char *const tokens[] = {"admin-token", NULL, "wrong"};

    for (size_t i = 0; i < COUNT_OF(tokens); i++) {
        struct request *r = wish(c, &create, "articles", NULL, "{}");
        r->http = http_new();
        r->token = str_of(tokens[i]);
        r->keep_alive = i < 2;
        session_submit(c->user, r);
    }
    UNTIL(is_idle(c));
    assert_sent(c, "created 1\nFORBIDDEN\nINVALID_CREDENTIALS\n");
    assert_int_equal(c->responded, 3);
    assert_false(c->keep_alive);

    struct request *r = wish(c, &count_rows, NULL, NULL, NULL);
    r->http = http_new();
    r->token = STR("wrong");
    r->anonymous = true;
    session_submit(c->user, r);
    UNTIL(is_idle(c));
    assert_sent(c, "FORBIDDEN\n");
    client_close(c);
}

static void who_wrote_stands_in_the_commit(void **state)
{
    struct world *w = *state;
    struct connection *plain = client_open(w), *c = client_connect(w, "user-token");
    struct request *r = wish(plain, &noted_create, "articles", NULL, "{}");

    r->http = http_new();
    r->token = STR("user-token");
    session_submit(plain->user, r);
    UNTIL(is_idle(plain));
    assert_string_equal(committed_by, USER);
    committed_by[0] = '\0';
    ask_create(c, &noted_create);
    UNTIL(is_idle(c));
    assert_string_equal(committed_by, USER);
    client_close(plain);
    client_close(c);
}

static void input_goes_to_the_dialect_and_what_is_no_request_is_answered_and_closed(void **state)
{
    struct world *w = *state;
    struct connection *c = client_connect(w, "user-token"), *plain = client_open(w);

    service_connection_ops()->message(c, STR("anything"), false);
    service_connection_ops()->request(plain, http_new());
    UNTIL(is_idle(c) && is_idle(plain));
    assert_sent(c, "0 rows\n");
    assert_sent(plain, "FORBIDDEN\n");
    service_connection_ops()->bad_request(plain, 431);
    assert_sent(plain, "bad 431\n");
    assert_true(plain->closing);
    assert_int_equal(plain->reason, NET_CLOSE_PEER_PROTOCOL);
    client_close(plain);
    client_close(c);
}

static void subscriptions_are_told_apart_by_collection_and_uid(void **state)
{
    struct world *w = *state;
    struct connection *c = client_connect(w, "admin-token");
    const struct session *s = c->user;

    ask(c, &follow, "articles", NULL, NULL);
    ask(c, &follow, "articles", NULL, NULL);
    assert_int_equal(s->followed_count, 1);
    ask(c, &follow, "articles", "", NULL);
    assert_int_equal(s->followed_count, 2);
    ask(c, &follow, "articles", "a", NULL);
    assert_int_equal(s->followed_count, 3);
    ask(c, &follow, "articles", "b", NULL);
    ask(c, &follow, "articles", "a", NULL);
    ask(c, &follow, "nowhere", NULL, NULL);
    assert_sent(c, "following\nfollowing\nfollowing\nfollowing\nLIMIT_EXCEEDED\nfollowing\n"
                   "LIMIT_EXCEEDED\n");
    ask(c, &unfollow, NULL, "a", NULL);
    ask(c, &unfollow, NULL, "unknown", NULL);
    assert_int_equal(s->followed_count, 2);
    ask(c, &follow, "nowhere", NULL, NULL);
    assert_sent(c, "FORBIDDEN\n");
    ask_create(c, &create);
    UNTIL(is_idle(c));
    assert_sent(c, "created 1\nevent create 1\nevent create 1\n");
    ask(c, &unfollow, NULL, NULL, NULL);
    assert_int_equal(s->followed_count, 0);
    assert_int_equal(hub_stats(service_hub(w->service))->feeds, 0);
    client_close(c);
}

static void an_idle_session_is_small(void **state)
{
    (void)state;
    assert_true(sizeof(struct session) <= 152); /* as much of the heap as 144 take */
    assert_true(sizeof(struct subscription) <= 96);
}

#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_WORLD(replies_come_in_order_and_waiting_writes_share_a_commit),
        IN_WORLD(a_client_sees_its_reply_and_then_the_event),
        IN_WORLD(what_comes_after_a_write_comes_after_it),
        IN_WORLD(a_failure_undoes_one_request_and_not_its_batch),
        IN_WORLD(a_full_queue_refuses_and_keeps_the_order),
        IN_WORLD(a_client_that_asks_too_much_at_once_is_not_read),
        IN_WORLD(a_client_whose_requests_are_large_is_not_read_either),
        IN_WORLD(writes_outlive_their_client),
        IN_WORLD(over_http_reads_start_as_their_answers_are_taken),
        IN_WORLD(reads_of_a_client_that_has_gone_are_not_begun),
        IN_WORLD(what_is_in_flight_at_the_end_is_finished),
        IN_WORLD(slow_work_ahead_of_a_write_keeps_the_order),
        IN_WORLD(a_stalled_reply_holds_back_those_behind_it),
        IN_WORLD(http_is_answered_in_order_for_whom_the_token_names),
        IN_WORLD(who_wrote_stands_in_the_commit),
        IN_WORLD(input_goes_to_the_dialect_and_what_is_no_request_is_answered_and_closed),
        IN_WORLD(subscriptions_are_told_apart_by_collection_and_uid),
        cmocka_unit_test(an_idle_session_is_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
