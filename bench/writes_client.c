/*
 * The load of the writes: connections that create rows over WebSocket, in one thread. Each sends
 * its next create when one is answered (a closed loop), with PIPELINE of them under way.
 *
 * Rows are numbered from FIRST without a gap, and each answer must bring back the row that was
 * sent; at the end all are answered. So the table holds FIRST to FIRST + all - 1, once each, or
 * lies.
 *
 * usage: writes_client PORT PID DATABASE_PID CONNECTIONS PIPELINE SECONDS FIRST TOKEN
 *   PID           Rowcast's, for its account of processor time
 *   DATABASE_PID  the PostgreSQL server's; 0: there is none
 * prints one JSON object.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "load.h"

enum { PIPELINE_MAX = 64, READY_MAX = 256, PATIENCE_S = 30, MESSAGE_MAX = 512 };

struct create {
    int64_t number; /* -1: none under way */
    double sent;
};
struct peer {
    int fd;
    struct create under_way[PIPELINE_MAX]; /* the index is the message's uid */
    size_t out_size;
    char out[PIPELINE_MAX * (MESSAGE_MAX + FRAME_HEAD_MAX)]; /* creates that go out together */
    struct incoming in;
};

static struct peer *peers;
static int peer_count, pipeline, epoll_fd;
static int64_t next, unanswered;
static struct span span;
static struct tally tally;

static void put_create(struct peer *p, int slot)
{
    struct order order = order_of(next++);
    char message[MESSAGE_MAX], json[ORDER_JSON_MAX];
    put_order_json(json, &order);
    snprintf(message, sizeof(message),
             "{\"type\":\"post\",\"collection\":\"orders\",\"uid\":\"%d\",\"data\":%s}", slot,
             json);
    p->out_size += put_frame(p->out + p->out_size, message);
    p->under_way[slot] = (struct create){order.number, now()};
    unanswered++;
}

static void send_creates(struct peer *p)
{
    send_all(p->fd, p->out, p->out_size);
    p->out_size = 0;
}

static void take_answer(void *context, const char *text, size_t size)
{
    struct peer *p = context;
    int64_t slot = number_after(text, size, "\"uid\":\"");
    if (slot < 0 || slot >= pipeline || p->under_way[slot].number < 0 ||
        number_after(text, size, "\"number\":") != p->under_way[slot].number) {
        fprintf(stderr, "answered: %.*s\n", (int)size, text);
        die("a create was refused, or answered with another row");
    }
    double answered = now();
    tally_add(&tally, &span, p->under_way[slot].sent, answered);
    p->under_way[slot].number = -1;
    unanswered--;
    if (answered < span.end)
        put_create(p, (int)slot);
}

static void open_peer(struct peer *p, int port, const char *token)
{
    p->fd = open_websocket(port, "/websocket?access_token=", token);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = p};
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, p->fd, &event);
}

static void wait_once(void)
{
    struct epoll_event ready[READY_MAX];
    int count = epoll_wait(epoll_fd, ready, READY_MAX, 5);
    for (int i = 0; i < count; i++) {
        struct peer *p = ready[i].data.ptr;
        receive(p->fd, &p->in, take_answer, p);
        send_creates(p);
    }
}

static void read_usage(struct usage *usage, const char *pid, const char *database_pid)
{
    usage->seconds = now();
    usage->program_ns = cpu_ns(pid);
    usage->server_ns = strcmp(database_pid, "0") == 0 ? 0 : children_cpu_ns(database_pid);
}

/* Runs to the end of the span and until everything is answered. */
static struct usage run(const char *pid, const char *database_pid)
{
    struct usage begin = {0}, end = {0};
    for (int i = 0; i < peer_count; i++) {
        for (int slot = 0; slot < pipeline; slot++)
            put_create(&peers[i], slot);
        send_creates(&peers[i]);
    }
    while (unanswered > 0) {
        wait_once();
        double time = now();
        if (begin.seconds == 0 && time >= span.begin)
            read_usage(&begin, pid, database_pid);
        if (end.seconds == 0 && time >= span.end)
            read_usage(&end, pid, database_pid);
        if (time > span.end + PATIENCE_S)
            die("waited in vain for answers");
    }
    return (struct usage){span.end - span.begin, end.program_ns - begin.program_ns,
                          end.server_ns - begin.server_ns};
}

int main(int count, char **arguments)
{
    if (count != 9)
        die("usage: writes_client PORT PID DATABASE_PID CONNECTIONS PIPELINE SECONDS FIRST TOKEN");
    int port = (int)number_of(arguments[1]);
    peer_count = (int)number_of(arguments[4]);
    pipeline = (int)number_of(arguments[5]);
    next = number_of(arguments[7]);
    if (peer_count < 1 || pipeline < 1 || pipeline > PIPELINE_MAX)
        die("at least one connection, and 1 to 64 creates under way on each");
    peers = calloc((size_t)peer_count, sizeof(*peers));
    epoll_fd = epoll_create1(0);
    for (int i = 0; i < peer_count; i++)
        open_peer(&peers[i], port, arguments[8]);
    span = span_from_now(strtod(arguments[6], NULL));
    struct usage usage = run(arguments[2], arguments[3]);
    tally_print(&tally, &usage);
    return 0;
}
