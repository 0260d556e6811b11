/* HTTP connections: requests in, answers out, in order, to whatever end. */

#include "fixture.h"

static void a_request_is_answered_and_the_connection_goes_on(void **state)
{
    (void)state;
    f.answer = true;
    start();
    int fd = client_connect();
    client_say(fd, "GET /first HTTP/1.1\r\nHost: x\r\n\r\n");
    client_expect(fd, &got, "\r\n\r\n/first");
    client_say(fd, "POST /second HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody");
    client_expect(fd, &got, "\r\n\r\n/second");
    assert_true(str_equal(f.body, STR("body")));
    assert_int_equal(f.opened, 1);
    assert_int_equal(f.closed, 0);
    assert_true(str_equal(connection_address(f.connection), STR("127.0.0.1")));
    assert_false(connection_is_websocket(f.connection));
    assert_ptr_equal(connection_net(f.connection), f.net);
    assert_int_equal(net_stats(f.net)->frames_sent, 2);
    assert_int_equal(net_stats(f.net)->bytes_sent, got.len);
    close(fd);
    UNTIL(f.closed == 1);
    assert_int_equal(f.reason, NET_CLOSE_PEER_CLOSED);
    assert_int_equal(net_stats(f.net)->closed_by[NET_CLOSE_PEER_CLOSED], 1);
    assert_int_equal(net_stats(f.net)->open, 0);
}

static void input_may_come_byte_by_byte(void **state)
{
    static const char request[] =
        "POST /slow HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhiGET /next HTTP/1.1\r\n"
        "Host: x\r\n\r\n";
    (void)state;

    f.answer = true;
    start();
    int fd = client_connect();
    for (size_t i = 0; i < sizeof(request) - 1; i++) {
        client_put(fd, &request[i], 1);
        turn();
    }
    client_expect(fd, &got, "\r\n\r\n/next");
    assert_true(str_contains(buf_str(&got), STR("\r\n\r\n/slow")));
    assert_int_equal(f.requests, 2);
    close(fd);
}

static void put_gets(int fd, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++) {
        char text[64];
        snprintf(text, sizeof(text), "GET /%u HTTP/1.1\r\nHost: x\r\n\r\n", i);
        client_say(fd, text);
    }
}

static void requests_past_the_limit_wait_unread_and_all_are_answered_in_order(void **state)
{
    (void)state;
    start();
    int fd = client_connect();
    put_gets(fd, 0, NET_PIPELINED_MAX - 1);
    UNTIL(f.requests == NET_PIPELINED_MAX - 1);
    put_gets(fd, NET_PIPELINED_MAX - 1, NET_PIPELINED_MAX + 3);
    UNTIL(f.requests == NET_PIPELINED_MAX);
    turns();
    assert_int_equal(f.requests, NET_PIPELINED_MAX);
    answer(f.connection, "<0>", true);
    UNTIL(f.requests == NET_PIPELINED_MAX + 1);
    turns();
    assert_int_equal(f.requests, NET_PIPELINED_MAX + 1);
    for (unsigned i = 1; i < NET_PIPELINED_MAX + 3; i++) {
        char text[16];
        UNTIL(f.requests > i);
        snprintf(text, sizeof(text), "/%u", i);
        assert_string_equal(f.targets[i], text);
        snprintf(text, sizeof(text), "<%u>", i);
        answer(f.connection, text, true);
    }
    client_expect(fd, &got, "<66>");
    const char *at = got.at;
    for (unsigned i = 0; i < NET_PIPELINED_MAX + 3; i++) {
        char text[16];
        snprintf(text, sizeof(text), "<%u>", i);
        at = memmem(at, got.len - (size_t)(at - got.at), text, strlen(text));
        assert_non_null(at);
    }
    close(fd);
}

static void a_half_closed_peer_still_gets_its_answers(void **state)
{
    (void)state;
    start();
    int fd = client_connect();
    put_gets(fd, 0, 2);
    shutdown(fd, SHUT_WR);
    UNTIL(f.requests == 2);
    turns();
    assert_int_equal(f.closed, 0);
    answer(f.connection, "<0>", true);
    turns();
    assert_int_equal(f.closed, 0);
    answer(f.connection, "<1>", true);
    client_expect_end(fd, &got);
    assert_true(str_contains(buf_str(&got), STR("<0>")));
    assert_true(str_contains(buf_str(&got), STR("<1>")));
    UNTIL(f.closed == 1);
    assert_int_equal(f.reason, NET_CLOSE_PEER_CLOSED);
    close(fd);
}

static void the_last_response_drains_whole_before_the_end(void **state)
{
    enum { SIZE = 8 << 20 };
    char *large = mem_alloc(SIZE + 1);
    (void)state;

    memset(large, 'x', SIZE);
    start();
    int fd = client_connect();
    put_gets(fd, 0, 2); /* the second is dropped: the first answer is the last */
    UNTIL(f.requests == 2);
    answer(f.connection, large, false);
    assert_true(connection_queued(f.connection) > SIZE);
    answer(f.connection, "late", true);
    client_expect_end(fd, &got);
    const char *body = memmem(got.at, got.len, "\r\n\r\n", 4);
    assert_non_null(body);
    assert_int_equal(got.len - (size_t)(body + 4 - got.at), SIZE);
    assert_int_equal(f.closed, 0); /* lingers: the peer may still be sending */
    client_say(fd, "noise");
    close(fd);
    UNTIL(f.closed == 1);
    assert_int_equal(f.reason, NET_CLOSE_DONE);
    mem_free(large);
}

static void nonsense_is_told_to_the_floor_above_and_ends_the_connection(void **state)
{
    (void)state;
    start();
    int fd = client_connect();
    client_say(fd, "GET / NONSENSE\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n");
    client_expect_end(fd, &got);
    assert_true(str_starts_with(buf_str(&got), STR("HTTP/1.1 400 ")));
    assert_int_equal(f.bad_status, 400);
    assert_int_equal(f.requests, 0);
    close(fd);
    UNTIL(f.closed == 1);
    assert_int_equal(f.reason, NET_CLOSE_PEER_PROTOCOL);
}

static void nonsense_waits_for_the_answers_before_it(void **state)
{
    (void)state;
    start();
    int fd = client_connect();
    client_say(fd, "GET /good HTTP/1.1\r\nHost: x\r\n\r\nGET / NONSENSE\r\n\r\n");
    UNTIL(f.requests == 1);
    turns();
    assert_int_equal(f.bad_requests, 0);
    answer(f.connection, "<good>", true);
    client_expect_end(fd, &got);
    assert_int_equal(f.bad_requests, 1);
    const char *good = memmem(got.at, got.len, "<good>", 6);
    assert_non_null(good);
    assert_true(memmem(good, got.len - (size_t)(good - got.at), " 400 ", 5));
    close(fd);
}

static void without_a_floor_that_cares_nonsense_gets_a_bare_answer(void **state)
{
    (void)state;
    f.ops.bad_request = NULL;
    start();
    int fd = client_connect();
    client_say(fd, "GET / NONSENSE\r\n\r\n");
    client_expect_end(fd, &got);
    assert_true(str_starts_with(buf_str(&got), STR("HTTP/1.1 400 ")));
    close(fd);
}

static void who_waits_for_continue_gets_it(void **state)
{
    (void)state;
    f.answer = true;
    start();
    int fd = client_connect();
    client_say(fd, "POST /p HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
                   "Content-Length: 2\r\n\r\n");
    client_expect(fd, &got, "HTTP/1.1 100 Continue\r\n\r\n");
    assert_int_equal(f.requests, 0);
    client_say(fd, "ok");
    client_expect(fd, &got, "\r\n\r\n/p");
    close(fd);
}

static void continue_does_not_overtake_an_earlier_answer(void **state)
{
    (void)state;
    start();
    int fd = client_connect();
    client_say(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\nPOST /p HTTP/1.1\r\nHost: x\r\n"
                   "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    UNTIL(f.requests == 1);
    turns();
    client_take(fd, &got);
    assert_int_equal(got.len, 0);
    answer(f.connection, "<1>", true);
    client_expect(fd, &got, "100 Continue\r\n\r\n");
    assert_true(str_contains(buf_str(&got), STR("<1>HTTP/1.1 100")));
    client_say(fd, "ok");
    UNTIL(f.requests == 2);
    answer(f.connection, "<2>", true);
    client_expect(fd, &got, "<2>");
    close(fd);
}

static void a_reset_is_told_apart_from_a_close(void **state)
{
    (void)state;
    start();
    int fd = client_connect();
    put_gets(fd, 0, 1);
    UNTIL(f.requests == 1);
    client_reset(fd);
    UNTIL(f.closed == 1);
    assert_int_equal(f.reason, NET_CLOSE_PEER_VANISHED);
}

static void a_peer_that_leaves_mid_request_is_closed(void **state)
{
    (void)state;
    start();
    int fd = client_connect();
    client_say(fd, "GET / HTTP");
    turns();
    close(fd);
    UNTIL(f.closed == 1);
    assert_int_equal(f.reason, NET_CLOSE_PEER_CLOSED);
    assert_int_equal(f.requests, 0);
}

static void a_paused_connection_delivers_nothing_until_it_is_resumed(void **state)
{
    (void)state;
    f.answer = true;
    start();
    int fd = client_connect();
    UNTIL(f.opened == 1);
    connection_pause(f.connection);
    put_gets(fd, 0, 2);
    turns();
    assert_int_equal(f.requests, 0);
    connection_resume(f.connection);
    client_expect(fd, &got, "/1");
    assert_int_equal(f.requests, 2);
    close(fd);
}

static void a_connection_may_be_closed_as_soon_as_it_is_opened(void **state)
{
    (void)state;
    f.close_opened = true;
    start();
    int fd = client_connect();
    client_expect_end(fd, &got);
    assert_int_equal(got.len, 0);
    close(fd);
    UNTIL(f.closed == 1);
    assert_int_equal(f.reason, NET_CLOSE_REVOKED);
}

static void each_connection_has_its_own_id(void **state)
{
    (void)state;
    start();
    uint64_t last = 0;
    for (unsigned i = 1; i <= 3; i++) {
        int fd = client_connect();
        UNTIL(f.opened == i);
        assert_true(connection_id(f.connection) > last);
        last = connection_id(f.connection);
        close(fd);
        UNTIL(f.closed == i);
    }
    assert_int_equal(net_stats(f.net)->accepted, 3);
}

static void shutdown_lets_open_requests_finish(void **state)
{
    (void)state;
    start();
    int busy = client_connect();
    put_gets(busy, 0, 1);
    UNTIL(f.requests == 1);
    struct connection *asking = f.connection;
    int idle = client_connect();
    UNTIL(f.opened == 2);
    net_shutdown(f.net, on_stopped, NULL);
    client_expect_end(idle, &got);
    close(idle);
    UNTIL(f.closed == 1);
    assert_int_equal(f.reason, NET_CLOSE_SHUTDOWN);
    put_gets(busy, 1, 2); /* too late to be read */
    turns();
    assert_int_equal(f.requests, 1);
    assert_int_equal(f.stopped, 0);
    answer(asking, "<busy>", true);
    client_expect_end(busy, &got);
    assert_true(str_contains(buf_str(&got), STR("<busy>")));
    close(busy);
    UNTIL(f.stopped == 1);
    assert_int_equal(net_stats(f.net)->closed_by[NET_CLOSE_SHUTDOWN], 2);
}

static void shutdown_of_an_idle_net_is_told_later(void **state)
{
    (void)state;
    start();
    net_shutdown(f.net, on_stopped, NULL);
    assert_int_equal(f.stopped, 0);
    UNTIL(f.stopped == 1);
    turns();
    assert_int_equal(f.stopped, 1);
}

static void shutdown_cuts_who_does_not_finish(void **state)
{
    (void)state;
    f.limits.linger_ms_max = 20;
    start();
    int fd = client_connect();
    put_gets(fd, 0, 1);
    UNTIL(f.requests == 1);
    net_shutdown(f.net, on_stopped, NULL);
    UNTIL(f.stopped == 1);
    assert_int_equal(f.closed, 1);
    assert_int_equal(f.reason, NET_CLOSE_SHUTDOWN);
    close(fd);
}

static void localhost_listens_and_a_taken_port_is_a_fault(void **state)
{
    struct net *other;
    struct loop *loop = loop_new();
    (void)state;

    start();
    assert_int_equal(net_new(loop, &f.limits, &f.ops, NULL, &other), 0);
    assert_int_equal(net_listen(other, "127.0.0.1", net_port(f.net)), -EADDRINUSE);
    assert_int_equal(net_listen(other, "no.such.literal", 0), -EINVAL);
    assert_int_equal(net_listen(other, "127.0.0.1", 65536), -EINVAL);
    assert_int_equal(net_listen(other, "127.0.0.1", -1), -EINVAL);
    assert_int_equal(net_port(other), 0);
    assert_int_equal(net_listen(other, "localhost", 0), 0);
    assert_true(net_port(other) > 0);
    net_free(other);
    loop_free(loop);
    net_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_request_is_answered_and_the_connection_goes_on),
        TEST(input_may_come_byte_by_byte),
        TEST(requests_past_the_limit_wait_unread_and_all_are_answered_in_order),
        TEST(a_half_closed_peer_still_gets_its_answers),
        TEST(the_last_response_drains_whole_before_the_end),
        TEST(nonsense_is_told_to_the_floor_above_and_ends_the_connection),
        TEST(nonsense_waits_for_the_answers_before_it),
        TEST(without_a_floor_that_cares_nonsense_gets_a_bare_answer),
        TEST(who_waits_for_continue_gets_it),
        TEST(continue_does_not_overtake_an_earlier_answer),
        TEST(a_reset_is_told_apart_from_a_close),
        TEST(a_peer_that_leaves_mid_request_is_closed),
        TEST(a_paused_connection_delivers_nothing_until_it_is_resumed),
        TEST(a_connection_may_be_closed_as_soon_as_it_is_opened),
        TEST(each_connection_has_its_own_id),
        TEST(shutdown_lets_open_requests_finish),
        TEST(shutdown_of_an_idle_net_is_told_later),
        TEST(shutdown_cuts_who_does_not_finish),
        TEST(localhost_listens_and_a_taken_port_is_a_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
