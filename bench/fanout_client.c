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
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ROLES_MAX = 16, ROWS = 10, BUFFER = 65536, READY_MAX = 512, PATIENCE_S = 120 };

struct role {
    const char *token;
    bool sees[ROWS];
};
struct peer {
    int fd;
    const struct role *role; /* NULL: the writer */
    int64_t last;            /* the number that came last */
    size_t used;
    char *buffer; /* what is half-read */
};

static struct role roles[ROLES_MAX];
static int role_count, peer_count, port, epoll_fd;
static struct peer *peers;
static bool is_floor, measuring;
static int64_t events, window, sent, answered, deliveries, frame_bytes, expected_until_now;

static void die(const char *why)
{
    fprintf(stderr, "fanout: %s\n", why);
    exit(1);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Nanoseconds on a processor, of all threads of a process. */
static int64_t cpu_ns(const char *pid)
{
    char path[512];
    int64_t sum = 0;
    snprintf(path, sizeof(path), "/proc/%s/task", pid);
    DIR *folder = opendir(path);
    if (!folder)
        die("the server is gone");
    for (struct dirent *entry; (entry = readdir(folder));) {
        long long ns;
        snprintf(path, sizeof(path), "/proc/%s/task/%s/schedstat", pid, entry->d_name);
        FILE *file = entry->d_name[0] == '.' ? NULL : fopen(path, "r");
        if (!file)
            continue;
        if (fscanf(file, "%lld", &ns) == 1)
            sum += ns;
        fclose(file);
    }
    closedir(folder);
    return sum;
}

/* ---- the wire: just enough of a client ---- */

static void send_all(int fd, const void *bytes, size_t size)
{
    for (const char *at = bytes; size > 0;) {
        ssize_t n = send(fd, at, size, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN)
            continue;
        if (n <= 0)
            die("a connection broke");
        at += n;
        size -= (size_t)n;
    }
}

/* A masked text frame; the mask is zero, which is as good as any here. */
static size_t put_frame(char *at, const char *text)
{
    size_t size = strlen(text), head = 2;
    at[0] = (char)0x81;
    if (size < 126)
        at[1] = (char)(0x80 | size);
    else {
        at[1] = (char)(0x80 | 126);
        at[2] = (char)(size >> 8);
        at[3] = (char)size;
        head = 4;
    }
    memset(at + head, 0, 4);
    memcpy(at + head + 4, text, size);
    return head + 4 + size;
}

static void send_text(int fd, const char *text)
{
    char bytes[1024];
    send_all(fd, bytes, put_frame(bytes, text));
}

static void handshake(int fd, const char *token)
{
    char text[1024];
    snprintf(text, sizeof(text),
             "GET /websocket?access_token=%s HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
             "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
             token);
    send_all(fd, text, strlen(text));
    size_t got = 0;
    while (got < 4 || memcmp(text + got - 4, "\r\n\r\n", 4) != 0) {
        ssize_t n = recv(fd, text + got, 1, 0);
        if (n <= 0 || got + 2 > sizeof(text))
            die("the handshake failed");
        got++;
    }
    if (memcmp(text, "HTTP/1.1 101", 12) != 0)
        die("the upgrade was refused");
}

static void open_peer(struct peer *p, const char *token, const struct role *role)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int one = 1;
    *p = (struct peer){.fd = socket(AF_INET, SOCK_STREAM, 0), .role = role, .last = -1};
    p->buffer = malloc(BUFFER);
    if (connect(p->fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        die("cannot connect");
    setsockopt(p->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    handshake(p->fd, token);
    if (role && !is_floor) {
        char byte;
        send_text(p->fd, "{\"type\":\"subscribe\",\"collection\":\"ticks\"}");
        send_text(p->fd, "{\"type\":\"unknown\"}"); /* answered in order: the subscription stands */
        if (recv(p->fd, &byte, 1, MSG_PEEK) != 1)
            die("no answer to the subscription");
    }
    fcntl(p->fd, F_SETFL, O_NONBLOCK);
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

static void take_message(struct peer *p, const char *text, size_t size)
{
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
    frame_bytes += (int64_t)size + 2;
    if (is_floor)
        return;
    const char *at = memmem(text, size, mark, sizeof(mark) - 1);
    int64_t number = at ? strtoll(at + sizeof(mark) - 1, NULL, 10) : -1;
    if (number != next_for(p->role, p->last))
        die("an event was lost, doubled, out of order, or not for this role");
    p->last = number;
}

/* Takes whole frames out of what was read; returns how much is left. */
static void take_frames(struct peer *p)
{
    size_t at = 0;
    while (p->used - at >= 2) {
        const unsigned char *head = (unsigned char *)p->buffer + at;
        size_t size = head[1] & 127, skip = 2;
        if (size == 126) {
            if (p->used - at < 4)
                break;
            size = (size_t)head[2] << 8 | head[3];
            skip = 4;
        } else if (size == 127)
            die("a frame is too big");
        if (p->used - at < skip + size)
            break;
        if ((head[0] & 15) == 1)
            take_message(p, p->buffer + at + skip, size);
        else if ((head[0] & 15) == 8)
            die("the server closed a socket");
        at += skip + size;
    }
    memmove(p->buffer, p->buffer + at, p->used - at);
    p->used -= at;
}

static void receive(struct peer *p)
{
    ssize_t n = recv(p->fd, p->buffer + p->used, BUFFER - p->used, 0);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0)
        die("a connection broke");
    p->used += (size_t)n;
    take_frames(p);
}

static void wait_once(int timeout_ms)
{
    struct epoll_event ready[READY_MAX];
    int count = epoll_wait(epoll_fd, ready, READY_MAX, timeout_ms);
    for (int i = 0; i < count; i++)
        receive(ready[i].data.ptr);
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
