/* What happens when something takes too long, grows too much, or runs out. */

#include "websocket_client.h"

#include <sys/resource.h>

static void an_idle_connection_is_closed(void **state)
{
    (void)state;
    f.limits.idle_ms_max = 20;
    start();
    int fd = client_connect();
    client_expect_end(fd, &got);
    assert_int_equal(got.len, 0);
    close(fd);
    UNTIL(f.closed == 1);
    assert_int_equal(f.reason, NET_CLOSE_PEER_IDLE);
}

static void a_connection_with_an_open_request_is_not_idle(void **state)
{
    (void)state;
    f.limits.idle_ms_max = 20;
    start();
    int busy = client_connect();
    client_say(busy, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    UNTIL(f.requests == 1);
    struct connection *asking = f.connection;
    int idle = client_connect(); /* comes later, and yet goes first */
    client_expect_end(idle, &got);
    close(idle);
    UNTIL(f.closed == 1);
    answer(asking, "<1>", true);
    client_expect_end(busy, &got); /* from now on it is idle */
    assert_true(str_contains(buf_str(&got), STR("<1>")));
    close(busy);
    UNTIL(f.closed == 2);
    assert_int_equal(f.reason, NET_CLOSE_PEER_IDLE);
}

static void a_request_that_trickles_in_is_given_up(void **state)
{
    (void)state;
    f.limits.head_ms_max = 30;
    start();
    int fd = client_connect();
    client_say(fd, "GET / HTTP/1.1\r\n");
    while (f.bad_requests == 0) {
        turn();
        send(fd, "a: b\r\n", 6, MSG_NOSIGNAL); /* activity does not put it off */
        poll(NULL, 0, 5);
    }
    assert_int_equal(f.bad_status, 408);
    client_expect(fd, &got, "HTTP/1.1 408 ");
    close(fd);
    UNTIL(f.closed == 1);
    assert_int_equal(f.reason, NET_CLOSE_PEER_PROTOCOL);
}

static void each_request_has_the_whole_time(void **state)
{
    (void)state;
    f.answer = true;
    f.limits.head_ms_max = 60000;
    f.limits.idle_ms_max = 60000;
    start();
    int fd = client_connect();
    client_say(fd, "GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HT");
    client_expect(fd, &got, "/1");
    client_say(fd, "TP/1.1\r\nHost: x\r\n\r\n");
    client_expect(fd, &got, "/2");
    turns();
    assert_int_equal(f.closed, 0);
    close(fd);
}

static void a_client_that_does_not_read_its_answer_is_cut(void **state)
{
    enum { SIZE = 16 << 20 };
    char *large = mem_alloc(SIZE + 1);
    (void)state;

    memset(large, 'x', SIZE);
    f.limits.idle_ms_max = 50;
    start();
    int fd = client_connect_with(4096);
    client_say(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    UNTIL(f.requests == 1);
    answer(f.connection, large, true);
    UNTIL(f.closed == 1);
    assert_int_equal(f.reason, NET_CLOSE_PEER_SLOW);
    close(fd);
    mem_free(large);
}

static void a_client_that_reads_no_answers_gets_no_more_requests_read(void **state)
{
    enum { SIZE = 1 << 20, ASKED = 100 };
    char *large = mem_alloc(SIZE + 1);
    unsigned answered = 0;
    (void)state;

    memset(large, 'x', SIZE);
    f.limits.outbox_bytes_max = 1000;
    start();
    int fd = client_connect_with(4096);
    for (int i = 0; i < ASKED; i++)
        client_say(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    UNTIL(f.requests == NET_PIPELINED_MAX);
    while (answered < NET_PIPELINED_MAX) {
        answer(f.connection, large, true);
        answered++;
    }
    turns();
    assert_int_equal(f.requests, NET_PIPELINED_MAX);
    assert_true(connection_queued(f.connection) > f.limits.outbox_bytes_max);
    assert_true(connection_is_full(f.connection));
    assert_int_equal(f.drained, 0);
    while (answered < ASKED) {
        UNTIL(client_take(fd, &got) && (got.len = 0, f.requests > answered));
        answer(f.connection, "small", true);
        answered++;
    }
    client_expect(fd, &got, "small");
    assert_int_not_equal(f.drained, 0);
    close(fd);
    mem_free(large);
}

static void connections_past_the_limit_are_turned_away(void **state)
{
    int fds[4];
    (void)state;
    f.limits.connections_max = 3;
    f.answer = true;
    start();
    for (unsigned i = 0; i < 3; i++) {
        fds[i] = client_connect();
        UNTIL(f.opened == i + 1);
    }
    fds[3] = client_connect();
    client_expect(fds[3], &got, "HTTP/1.1 503 Service Unavailable\r\n");
    client_expect_end(fds[3], &got);
    assert_int_equal(f.opened, 3);
    assert_int_equal(net_stats(f.net)->refused, 1);
    assert_int_equal(net_stats(f.net)->accepted, 3);
    close(fds[3]);
    close(fds[0]);
    UNTIL(f.closed == 1);
    fds[3] = client_connect();
    UNTIL(f.opened == 4);
    for (unsigned i = 1; i < 4; i++)
        close(fds[i]);
}

static void without_free_files_a_client_is_hung_up_on_and_later_ones_get_in(void **state)
{
    struct rlimit before, low;
    (void)state;
    start();
    int first = client_connect();
    int second = client_connect();
    int highest = dup(first);
    close(highest);

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    low = (struct rlimit){(rlim_t)highest, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    client_expect_end(first, &got);
    assert_int_equal(f.opened, 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    UNTIL(f.opened == 1); /* the second had waited in the kernel's queue */
    assert_int_equal(net_stats(f.net)->refused, 1);
    close(first);
    close(second);
}

/* Sends frames of a kilobyte, a turn after each, until the connection is closing. */
static size_t fill_outbox(struct connection *c, size_t frames_max)
{
    struct frame *frame = frame_new(1000);
    size_t queued = 0;

    memset(frame->bytes, 'x', frame->size);
    for (size_t i = 0; i < frames_max && f.closed == 0; i++) {
        connection_send(c, frame);
        turn();
        if (f.closed == 0 && connection_queued(c) > queued)
            queued = connection_queued(c);
    }
    frame_unref(frame);
    return queued;
}

static void a_websocket_that_does_not_read_is_closed_as_slow(void **state)
{
    struct client k;
    size_t queued;
    (void)state;
    f.upgrade = true;
    f.limits.outbox_bytes_max = 100000;
    f.limits.linger_ms_max = 20;
    start();
    client_open(&k, client_connect_with(4096));
    client_say(k.fd, handshake);
    client_upgraded(&k);
    queued = fill_outbox(f.connection, 100000);
    /* At most the limit and the frame that passed it. */
    assert_true(queued > 100000 - 1000 && queued <= 100000 + 1000);
    UNTIL(f.closed == 1);
    assert_int_equal(f.reason, NET_CLOSE_PEER_SLOW);
    client_close(&k);
}

static void a_slow_websocket_that_reads_again_finds_the_goodbye(void **state)
{
    struct client k;
    char text[1001] = {0};
    (void)state;
    memset(text, 'x', 1000);
    f.upgrade = true;
    f.limits.outbox_bytes_max = 10000;
    start();
    client_open(&k, client_connect_with(4096));
    client_say(k.fd, handshake);
    client_upgraded(&k);
    struct frame *frame = websocket_frame(WEBSOCKET_TEXT, str_of(text));
    while (connection_queued(f.connection) <= 10000) {
        connection_send(f.connection, frame);
        turn();
    }
    connection_send(f.connection, frame);
    assert_true(connection_queued(f.connection) < 1100); /* the rest of a frame, and the goodbye */
    frame_unref(frame);
    do {
        UNTIL(client_got(&k));
    } while (k.event.kind == WEBSOCKET_GOT_MESSAGE && k.data.len == 1000);
    assert_int_equal(k.event.kind, WEBSOCKET_GOT_CLOSE);
    assert_int_equal(k.event.code, WEBSOCKET_TRY_AGAIN_LATER);
    client_goodbye(&k, WEBSOCKET_TRY_AGAIN_LATER);
    client_expect_end(k.fd, &k.input);
    client_close(&k);
}

static void much_in_one_turn_is_not_the_peers_fault(void **state)
{
    struct client k;
    char *large = mem_alloc(20001);
    (void)state;
    memset(large, 'x', 20000);
    f.limits.outbox_bytes_max = 10000;
    client_start(&k);
    for (int i = 0; i < 5; i++)
        send_text(f.connection, large); /* each is past the limit, but the socket takes them */
    for (int i = 0; i < 5; i++)
        client_expect_event(&k, WEBSOCKET_GOT_MESSAGE, large);
    assert_int_equal(f.closed, 0);
    mem_free(large);
    client_close(&k);
}

static void a_blocked_websocket_owes_one_pong_for_the_latest_ping(void **state)
{
    enum { SIZE = 16 << 20 };
    struct client k;
    char *large = mem_alloc(SIZE + 1);
    (void)state;
    memset(large, 'x', SIZE);
    f.upgrade = true;
    start();
    client_open(&k, client_connect_with(4096));
    client_say(k.fd, handshake);
    client_upgraded(&k);
    send_text(f.connection, large);
    turn();
    size_t queued = connection_queued(f.connection);
    assert_true(queued > 0);
    for (int i = 0; i < 100; i++)
        client_frame(&k, WEBSOCKET_PING, "many");
    client_frame(&k, WEBSOCKET_PING, "latest");
    client_frame(&k, WEBSOCKET_TEXT, "mark");
    UNTIL(f.messages == 1);
    assert_true(connection_queued(f.connection) <= queued);
    UNTIL(client_got(&k));
    assert_int_equal(k.data.len, SIZE);
    client_expect_event(&k, WEBSOCKET_GOT_PONG, "latest");
    mem_free(large);
    client_close(&k);
}

static void a_silent_websocket_is_pinged_and_stays_when_it_answers(void **state)
{
    struct client k;
    (void)state;
    f.limits.ping_ms = 5;
    client_start(&k);
    for (int i = 0; i < 3; i++) {
        client_expect_event(&k, WEBSOCKET_GOT_PING, "");
        client_frame(&k, WEBSOCKET_PONG, "");
    }
    assert_int_equal(f.closed, 0);
    client_close(&k);
}

static void a_websocket_that_does_not_answer_a_ping_is_closed(void **state)
{
    struct client k;
    (void)state;
    f.limits.ping_ms = 5;
    f.limits.pong_ms_max = 5;
    client_start(&k);
    client_expect_event(&k, WEBSOCKET_GOT_PING, "");
    client_expect_goodbye(&k, WEBSOCKET_GOING_AWAY);
    client_close(&k);
    UNTIL(f.closed == 1);
    assert_int_equal(f.reason, NET_CLOSE_PEER_SILENT);
}

static void without_a_ping_interval_silence_is_fine(void **state)
{
    struct client k;
    (void)state;
    f.limits.ping_ms = 0;
    f.limits.pong_ms_max = 1;
    f.limits.idle_ms_max = 1; /* is for HTTP only */
    f.limits.head_ms_max = 1;
    f.upgrade = true;
    start();
    client_open(&k, client_connect());
    client_say(k.fd, handshake);
    UNTIL(f.connection && connection_is_websocket(f.connection));
    client_upgraded(&k);
    turns();
    assert_int_equal(f.closed, 0);
    assert_false(client_got(&k));
    client_close(&k);
}

static void a_paused_websocket_is_not_blamed_for_silence(void **state)
{
    struct client k;
    (void)state;
    f.limits.ping_ms = 2;
    f.limits.pong_ms_max = 2;
    f.pause_message = true;
    f.upgrade = true;
    start();
    client_open(&k, client_connect());
    /* In one piece: paused before a ping can be missed. */
    struct buf b;
    buf_init(&b, SIZE_MAX);
    buf_put(&b, handshake, sizeof(handshake) - 1);
    websocket_put_masked(&b, WEBSOCKET_TEXT, STR("x"), mask);
    client_put(k.fd, b.at, b.len);
    buf_deinit(&b);
    UNTIL(f.messages == 1);
    turns();
    assert_int_equal(f.closed, 0);
    client_close(&k);
}

static void a_peer_that_never_says_goodbye_is_cut(void **state)
{
    struct client k;
    (void)state;
    f.limits.linger_ms_max = 20;
    client_start(&k);
    connection_close(f.connection, NET_CLOSE_REVOKED);
    client_expect_goodbye(&k, WEBSOCKET_POLICY_VIOLATION);
    while (f.closed == 0) {
        client_frame(&k, WEBSOCKET_TEXT, "chatter buys no time");
        turn();
    }
    assert_int_equal(f.reason, NET_CLOSE_REVOKED);
    client_close(&k);
}

static void a_peer_that_keeps_the_socket_open_is_cut(void **state)
{
    (void)state;
    f.limits.linger_ms_max = 20;
    start();
    int fd = client_connect();
    client_say(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    UNTIL(f.requests == 1);
    answer(f.connection, "<1>", false);
    client_expect_end(fd, &got);
    UNTIL(f.closed == 1);
    assert_int_equal(f.reason, NET_CLOSE_DONE);
    close(fd);
}

static void lingering_for_no_time_is_still_lingering(void **state)
{
    (void)state;
    f.limits.linger_ms_max = 0;
    start();
    int fd = client_connect();
    client_say(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    UNTIL(f.requests == 1);
    answer(f.connection, "<1>", false);
    UNTIL(f.closed == 1);
    client_expect_end(fd, &got);
    assert_true(str_contains(buf_str(&got), STR("<1>")));
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_idle_connection_is_closed),
        TEST(a_connection_with_an_open_request_is_not_idle),
        TEST(a_request_that_trickles_in_is_given_up),
        TEST(each_request_has_the_whole_time),
        TEST(a_client_that_does_not_read_its_answer_is_cut),
        TEST(a_client_that_reads_no_answers_gets_no_more_requests_read),
        TEST(connections_past_the_limit_are_turned_away),
        TEST(without_free_files_a_client_is_hung_up_on_and_later_ones_get_in),
        TEST(a_websocket_that_does_not_read_is_closed_as_slow),
        TEST(a_slow_websocket_that_reads_again_finds_the_goodbye),
        TEST(much_in_one_turn_is_not_the_peers_fault),
        TEST(a_blocked_websocket_owes_one_pong_for_the_latest_ping),
        TEST(a_silent_websocket_is_pinged_and_stays_when_it_answers),
        TEST(a_websocket_that_does_not_answer_a_ping_is_closed),
        TEST(without_a_ping_interval_silence_is_fine),
        TEST(a_paused_websocket_is_not_blamed_for_silence),
        TEST(a_peer_that_never_says_goodbye_is_cut),
        TEST(a_peer_that_keeps_the_socket_open_is_cut),
        TEST(lingering_for_no_time_is_still_lingering),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
