/* WebSocket connections: messages, pings, and every way to say goodbye. */

#include "websocket_client.h"

static void messages_go_both_ways(void **state)
{
    struct client k;
    (void)state;
    f.echo = true;
    client_start(&k);
    assert_true(connection_is_websocket(f.connection));
    assert_int_equal(net_stats(f.net)->websockets, 1);
    client_frame(&k, WEBSOCKET_TEXT, "hello");
    client_expect_event(&k, WEBSOCKET_GOT_MESSAGE, "hello");
    client_frame(&k, WEBSOCKET_BINARY, "bits");
    client_expect_event(&k, WEBSOCKET_GOT_MESSAGE, "bits");
    assert_true(f.binary);
    client_close(&k);
    UNTIL(f.closed == 1);
    assert_int_equal(f.reason, NET_CLOSE_PEER_VANISHED);
    assert_int_equal(net_stats(f.net)->websockets, 0);
}

static void bytes_behind_the_upgrade_request_are_the_websockets(void **state)
{
    struct client k;
    struct buf b;
    (void)state;
    buf_init(&b, SIZE_MAX);
    buf_put(&b, handshake, sizeof(handshake) - 1);
    websocket_put_masked(&b, WEBSOCKET_TEXT, STR("early"), mask);
    f.upgrade = true;
    start();
    client_open(&k, client_connect());
    client_put(k.fd, b.at, b.len);
    UNTIL(f.messages == 1);
    assert_true(str_equal(buf_str(&f.text), STR("early")));
    client_close(&k);
    buf_deinit(&b);
}

static void an_upgrade_may_be_answered_later_and_its_bytes_wait(void **state)
{
    struct client k;
    struct buf b;
    (void)state;
    buf_init(&b, SIZE_MAX);
    buf_put(&b, handshake, sizeof(handshake) - 1);
    websocket_put_masked(&b, WEBSOCKET_TEXT, STR("early"), mask);
    start();
    client_open(&k, client_connect());
    client_put(k.fd, b.at, b.len);
    UNTIL(f.requests == 1);
    client_frame(&k, WEBSOCKET_TEXT, "+more");
    turns();
    assert_int_equal(f.messages + f.bad_requests, 0);
    upgrade(f.connection);
    UNTIL(f.messages == 2);
    assert_true(str_equal(buf_str(&f.text), STR("early+more")));
    client_close(&k);
    buf_deinit(&b);
}

static void a_refused_upgrade_goes_on_as_http(void **state)
{
    (void)state;
    start();
    int fd = client_connect();
    client_say(fd, "GET /before HTTP/1.1\r\nHost: x\r\n\r\n");
    client_say(fd, handshake);
    client_say(fd, "GET /after HTTP/1.1\r\nHost: x\r\n\r\n");
    UNTIL(f.requests == 2);
    answer(f.connection, "<before>", true);
    turns();
    assert_int_equal(f.requests, 2); /* what follows waits for the upgrade's own answer */
    answer(f.connection, "<no>", true);
    UNTIL(f.requests == 3);
    assert_string_equal(f.targets[2], "/after");
    answer(f.connection, "<after>", true);
    client_expect(fd, &got, "<after>");
    close(fd);
}

static void each_ping_of_a_peer_that_keeps_up_gets_its_pong(void **state)
{
    struct client k;
    (void)state;
    client_start(&k);
    for (int i = 0; i < 10; i++) {
        char text[8];
        snprintf(text, sizeof(text), "p%d", i);
        client_frame(&k, WEBSOCKET_PING, text);
    }
    for (int i = 0; i < 10; i++) {
        char text[8];
        snprintf(text, sizeof(text), "p%d", i);
        client_expect_event(&k, WEBSOCKET_GOT_PONG, text);
    }
    client_frame(&k, WEBSOCKET_PONG, "unasked");
    client_frame(&k, WEBSOCKET_PING, "");
    client_expect_event(&k, WEBSOCKET_GOT_PONG, "");
    client_close(&k);
}

static void a_flood_of_pings_is_answered_for_the_latest(void **state)
{
    enum { PINGS = 2000 };
    struct client k;
    struct buf b;
    unsigned pongs = 1;
    (void)state;
    client_start(&k);
    buf_init(&b, SIZE_MAX);
    for (int i = 0; i <= PINGS; i++)
        websocket_put_masked(&b, WEBSOCKET_PING, i < PINGS ? STR("flood") : STR("last"), mask);
    client_put(k.fd, b.at, b.len);
    UNTIL(client_got(&k));
    while (!str_equal(buf_str(&k.data), STR("last"))) {
        assert_int_equal(k.event.kind, WEBSOCKET_GOT_PONG);
        pongs++;
        UNTIL(client_got(&k));
    }
    assert_true(pongs < PINGS / 10);
    buf_deinit(&b);
    client_close(&k);
}

static void the_peers_goodbye_is_echoed_with_its_code(void **state)
{
    struct client k;
    (void)state;
    client_start(&k);
    client_frame(&k, WEBSOCKET_TEXT, "a");
    client_goodbye(&k, 3999);
    client_expect_goodbye(&k, 3999);
    assert_int_equal(f.messages, 1);
    client_expect_end(k.fd, &k.input);
    client_close(&k);
    UNTIL(f.closed == 1);
    assert_int_equal(f.reason, NET_CLOSE_PEER_CLOSED);
}

static void a_goodbye_without_code_is_echoed_without_code(void **state)
{
    struct client k;
    (void)state;
    client_start(&k);
    client_frame(&k, WEBSOCKET_CLOSE, "");
    client_expect_goodbye(&k, WEBSOCKET_NO_STATUS);
    client_expect_end(k.fd, &k.input);
    client_close(&k);
}

static void our_goodbye_waits_for_the_peers_and_nothing_more_is_delivered(void **state)
{
    struct client k;
    (void)state;
    client_start(&k);
    send_text(f.connection, "before");
    connection_close(f.connection, NET_CLOSE_REVOKED);
    connection_close(f.connection, NET_CLOSE_FAULT);
    send_text(f.connection, "after");
    client_frame(&k, WEBSOCKET_TEXT, "too late");
    client_frame(&k, WEBSOCKET_PING, "too late");
    client_expect_event(&k, WEBSOCKET_GOT_MESSAGE, "before");
    client_expect_goodbye(&k, WEBSOCKET_POLICY_VIOLATION);
    turns();
    assert_int_equal(f.closed, 0);
    client_goodbye(&k, WEBSOCKET_POLICY_VIOLATION);
    client_expect_end(k.fd, &k.input);
    assert_int_equal(k.input.len, 0);
    client_close(&k);
    UNTIL(f.closed == 1);
    assert_int_equal(f.reason, NET_CLOSE_REVOKED);
    assert_int_equal(f.messages, 0);
}

static void closing_from_within_a_message_drops_those_behind_it(void **state)
{
    struct client k;
    struct buf b;
    (void)state;
    f.close_message = true;
    client_start(&k);
    buf_init(&b, SIZE_MAX);
    for (int i = 0; i < 5; i++)
        websocket_put_masked(&b, WEBSOCKET_TEXT, STR("x"), mask);
    websocket_put_masked(&b, WEBSOCKET_CLOSE, STR_NULL, mask);
    client_put(k.fd, b.at, b.len);
    client_expect_goodbye(&k, WEBSOCKET_POLICY_VIOLATION);
    client_expect_end(k.fd, &k.input);
    assert_int_equal(f.messages, 1);
    buf_deinit(&b);
    client_close(&k);
}

static void a_peer_that_breaks_the_protocol_is_told_so(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
        uint16_t code;
        enum net_close_reason reason;
    } cases[] = {
        {"\x81\x01x", 3, WEBSOCKET_PROTOCOL_ERROR, NET_CLOSE_PEER_PROTOCOL}, /* not masked */
        {"\x83\x80\0\0\0\0", 6, WEBSOCKET_PROTOCOL_ERROR, NET_CLOSE_PEER_PROTOCOL},
        {"\x81\x81\0\0\0\0\xff", 7, WEBSOCKET_INVALID_TEXT, NET_CLOSE_PEER_TEXT},
        {"\x82\xfe\x01\x01\0\0\0\0", 8, WEBSOCKET_TOO_BIG, NET_CLOSE_PEER_TOO_BIG},
    };
    (void)state;
    f.upgrade = true;
    f.limits.message_bytes_max = 256;
    start();
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct client k;
        client_open(&k, client_connect());
        client_say(k.fd, handshake);
        client_upgraded(&k);
        client_put(k.fd, cases[i].bytes, cases[i].size);
        client_expect_goodbye(&k, cases[i].code);
        client_say(k.fd, "more nonsense, which must not turn the goodbye into a reset");
        client_expect_end(k.fd, &k.input);
        client_close(&k);
        UNTIL(f.closed == i + 1);
        assert_int_equal(f.reason, cases[i].reason);
    }
    assert_int_equal(f.messages, 0);
}

static void a_message_as_big_as_the_limit_passes(void **state)
{
    struct client k;
    char text[257] = {0};
    (void)state;
    f.limits.message_bytes_max = 256;
    client_start(&k);
    memset(text, 'x', 256);
    client_frame(&k, WEBSOCKET_TEXT, text + 1);
    UNTIL(f.messages == 1);
    client_frame(&k, WEBSOCKET_TEXT, text);
    UNTIL(f.messages == 2);
    assert_int_equal(f.text.len, 255 + 256);
    client_close(&k);
}

static void a_paused_websocket_keeps_what_was_read(void **state)
{
    struct client k;
    struct buf b;
    (void)state;
    f.pause_message = true;
    client_start(&k);
    buf_init(&b, SIZE_MAX);
    for (int i = 0; i < 3; i++)
        websocket_put_masked(&b, WEBSOCKET_TEXT, STR("x"), mask);
    client_put(k.fd, b.at, b.len);
    for (unsigned i = 1; i <= 3; i++) {
        UNTIL(f.messages == i);
        turns();
        assert_int_equal(f.messages, i);
        connection_resume(f.connection);
    }
    buf_deinit(&b);
    client_close(&k);
}

static void a_paused_websocket_can_be_closed(void **state)
{
    struct client k;
    struct buf b;
    (void)state;
    f.pause_message = true;
    client_start(&k);
    buf_init(&b, SIZE_MAX);
    for (int i = 0; i < 3; i++)
        websocket_put_masked(&b, WEBSOCKET_TEXT, STR("x"), mask);
    websocket_put_masked(&b, WEBSOCKET_CLOSE, STR_NULL, mask);
    client_put(k.fd, b.at, b.len);
    UNTIL(f.messages == 1);
    connection_close(f.connection, NET_CLOSE_FAULT);
    client_expect_goodbye(&k, WEBSOCKET_INTERNAL_ERROR);
    client_expect_end(k.fd, &k.input); /* the peer's goodbye was found in what had been kept */
    assert_int_equal(f.messages, 1);
    buf_deinit(&b);
    client_close(&k);
}

static void shutdown_says_goodbye_to_all(void **state)
{
    struct client k;
    (void)state;
    client_start(&k);
    net_shutdown(f.net, on_stopped, NULL);
    client_expect_goodbye(&k, WEBSOCKET_GOING_AWAY);
    client_goodbye(&k, WEBSOCKET_GOING_AWAY);
    client_expect_end(k.fd, &k.input);
    client_close(&k);
    UNTIL(f.stopped == 1);
    assert_int_equal(net_stats(f.net)->closed_by[NET_CLOSE_SHUTDOWN], 1);
}

static void one_frame_reaches_many_in_one_turn(void **state)
{
    enum { MANY = 50 };
    struct client clients[MANY];
    struct connection *connections[MANY];
    struct frame *frame = websocket_frame(WEBSOCKET_TEXT, STR("news"));
    (void)state;
    f.upgrade = true;
    start();
    for (unsigned i = 0; i < MANY; i++) {
        client_open(&clients[i], client_connect());
        client_say(clients[i].fd, handshake);
        client_upgraded(&clients[i]);
        connections[i] = f.connection;
    }
    uint64_t sent = net_stats(f.net)->frames_sent;
    for (unsigned i = 0; i < MANY; i++) {
        connection_send(connections[i], frame);
        connection_send(connections[i], frame);
        assert_int_equal(connection_queued(connections[i]), 2 * frame->size);
    }
    turn();
    assert_int_equal(net_stats(f.net)->frames_sent, sent + 2 * MANY);
    assert_int_equal(frame->references, 1);
    for (unsigned i = 0; i < MANY; i++) {
        client_expect_event(&clients[i], WEBSOCKET_GOT_MESSAGE, "news");
        client_expect_event(&clients[i], WEBSOCKET_GOT_MESSAGE, "news");
        client_close(&clients[i]);
    }
    frame_unref(frame);
    UNTIL(f.closed == MANY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(messages_go_both_ways),
        TEST(bytes_behind_the_upgrade_request_are_the_websockets),
        TEST(an_upgrade_may_be_answered_later_and_its_bytes_wait),
        TEST(a_refused_upgrade_goes_on_as_http),
        TEST(each_ping_of_a_peer_that_keeps_up_gets_its_pong),
        TEST(a_flood_of_pings_is_answered_for_the_latest),
        TEST(the_peers_goodbye_is_echoed_with_its_code),
        TEST(a_goodbye_without_code_is_echoed_without_code),
        TEST(our_goodbye_waits_for_the_peers_and_nothing_more_is_delivered),
        TEST(closing_from_within_a_message_drops_those_behind_it),
        TEST(a_peer_that_breaks_the_protocol_is_told_so),
        TEST(a_message_as_big_as_the_limit_passes),
        TEST(a_paused_websocket_keeps_what_was_read),
        TEST(a_paused_websocket_can_be_closed),
        TEST(shutdown_says_goodbye_to_all),
        TEST(one_frame_reaches_many_in_one_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
