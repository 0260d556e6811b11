/*
 * The load of the fan-out: subscribers in several roles and one writer, in one thread.
 *
 * The writer numbers its changes; each subscriber must get exactly the numbers of the rows that its
 * role may see, once each and in order, or the run fails. Server CPU is the kernel's own account of
 * the server's threads (schedstat), taken around the measured part.
 *
 * usage: fanout_client KIND PORT PID EVENTS WINDOW SUBSCRIBERS WRITER_TOKEN [TOKEN:ROWS]...
 *   KIND    rowcast | floor (one byte for each event; frames are counted, not read)
 *   WINDOW  events under way at a time; 1: each waits until the one before it has reached everybody
 *   ROWS    the rows that the role sees, as letters: "abd" are rows 1, 2 and 4
 * prints one JSON object.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "load.h"

enum { ROLES_MAX = 16, ROWS = 10, READY_MAX = 512, PATIENCE_S = 120 };

struct role {
    const char *token;
    bool sees[ROWS];
};
struct peer {
    int fd;
    const struct role *role; /* NULL: the writer */
    int64_t last;            /* the number that came last */
    struct incoming *in;
};

static struct role roles[ROLES_MAX];
static int role_count, peer_count, port, epoll_fd;
static struct peer *peers;
static bool is_floor, measuring;
static int64_t events, window, sent, answered, deliveries, frame_bytes, expected_until_now;

static void open_peer(struct peer *p, const char *token, const struct role *role)
{
    *p = (struct peer){
        .fd = open_websocket(port, "/websocket?access_token=", token), .role = role, .last = -1};
    p->in = calloc(1, sizeof(*p->in));
    if (role && !is_floor) {
        char byte;
        send_text(p->fd, "{\"type\":\"subscribe\",\"collection\":\"ticks\"}");
        send_text(p->fd, "{\"type\":\"unknown\"}"); /* answered in order: the subscription stands */
        if (recv(p->fd, &byte, 1, MSG_PEEK) != 1)
            die("no answer to the subscription");
    }
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = p};
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, p->fd, &event);
}

/* ---- what comes ---- */

/* The next number after `last` that a role sees. */
static int64_t next_for(const struct role *role, int64_t last)
{
    int64_t n = last + 1;
    while (!role->sees[n % ROWS])
        n++;
    return n;
}

static void take_message(void *context, const char *text, size_t size)
{
    struct peer *p = context;
    static const char mark[] = "\"value\":";
    if (!measuring)
        return;
    if (!p->role) {
        if (memmem(text, size, "\"ERROR\"", 7))
            die("a write was refused");
        answered++;
        return;
    }
    deliveries++;
    frame_bytes += (int64_t)frame_size(size);
    if (is_floor)
        return;
    const char *at = memmem(text, size, mark, sizeof(mark) - 1);
    int64_t number = at ? strtoll(at + sizeof(mark) - 1, NULL, 10) : -1;
    if (number != next_for(p->role, p->last))
        die("an event was lost, doubled, out of order, or not for this role");
    p->last = number;
}

static void wait_once(int timeout_ms)
{
    struct epoll_event ready[READY_MAX];
    int count = epoll_wait(epoll_fd, ready, READY_MAX, timeout_ms);
    for (int i = 0; i < count; i++) {
        struct peer *p = ready[i].data.ptr;
        receive(p->fd, p->in, take_message, p);
    }
}

/* ---- the run ---- */

static int64_t seen_by(int64_t number)
{
    int64_t sum = 0;
    for (int i = 1; i < peer_count; i++)
        sum += is_floor || peers[i].role->sees[number % ROWS];
    return sum;
}

/* Sends as many events as the window has room for, in one piece. */
static void write_events(int64_t complete)
{
    static char bytes[1 << 20];
    size_t size = 0;
    while (sent < events && sent - complete < window && size < sizeof(bytes) - 512) {
        char text[256];
        snprintf(
            text, sizeof(text),
            "{\"type\":\"patch\",\"collection\":\"ticks\",\"id\":%d,\"data\":{\"value\":%lld}}",
            (int)(sent % ROWS) + 1, (long long)sent);
        if (is_floor)
            bytes[size++] = 'x';
        else
            size += put_frame(bytes + size, text);
        sent++;
    }
    send_all(peers[0].fd, bytes, size);
}

static void run(void)
{
    int64_t complete = 0, due = events > 0 ? seen_by(0) : 0;
    double end = now() + PATIENCE_S;
    while (complete < events) {
        write_events(complete);
        wait_once(1000);
        while (complete < events && deliveries >= due && (is_floor || answered > complete)) {
            complete++;
            if (complete < events)
                due += seen_by(complete);
        }
        if (now() > end)
            die("waited in vain for events");
    }
    expected_until_now = due;
}

/* Whatever was sent too much comes before this answer. */
static void check_quiet(void)
{
    for (int i = 0; i < 20; i++)
        wait_once(10);
    if (deliveries != expected_until_now)
        die("more events came than were due");
}

static void read_role(const char *text)
{
    const char *colon = strchr(text, ':');
    if (!colon || role_count == ROLES_MAX)
        die("a role is TOKEN:ROWS");
    struct role *role = &roles[role_count++];
    role->token = strndup(text, (size_t)(colon - text));
    for (const char *c = colon + 1; *c; c++)
        if (*c >= 'a' && *c < 'a' + ROWS)
            role->sees[*c - 'a'] = true;
}

int main(int count, char **arguments)
{
    if (count < 9)
        die("usage: fanout_client KIND PORT PID EVENTS WINDOW SUBSCRIBERS WRITER_TOKEN "
            "TOKEN:ROWS...");
    is_floor = strcmp(arguments[1], "floor") == 0;
    port = (int)strtol(arguments[2], NULL, 10);
    events = strtoll(arguments[4], NULL, 10);
    window = strtoll(arguments[5], NULL, 10);
    peer_count = (int)strtol(arguments[6], NULL, 10) + 1;
    for (int i = 8; i < count; i++)
        read_role(arguments[i]);
    peers = calloc((size_t)peer_count, sizeof(*peers));
    epoll_fd = epoll_create1(0);
    open_peer(&peers[0], arguments[7], NULL);
    for (int i = 1; i < peer_count; i++) {
        const struct role *role = &roles[(i - 1) % role_count];
        open_peer(&peers[i], role->token, role);
    }
    for (int i = 0; i < 20; i++)
        wait_once(5); /* answers to the subscriptions */
    measuring = true;
    int64_t cpu = cpu_ns(arguments[3]);
    double begin = now();
    run();
    double seconds = now() - begin;
    cpu = cpu_ns(arguments[3]) - cpu;
    check_quiet();
    printf(
        "{\"events\":%lld,\"deliveries\":%lld,\"seconds\":%.6f,\"cpu_ns\":%lld,\"bytes\":%lld}\n",
        (long long)events, (long long)deliveries, seconds, (long long)cpu, (long long)frame_bytes);
    return 0;
}
