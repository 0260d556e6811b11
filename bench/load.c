#include "load.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

_Noreturn void die(const char *why)
{
    fprintf(stderr, "%s\n", why);
    exit(1);
}

double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int64_t number_of(const char *argument)
{
    char *end;
    int64_t number = strtoll(argument, &end, 10);
    if (end == argument || *end || number < 0)
        die("an argument is not a number");
    return number;
}

/* ---- processors ---- */

int64_t cpu_ns(const char *pid)
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

int64_t children_cpu_ns(const char *pid)
{
    char path[512], child[32];
    int64_t sum = cpu_ns(pid);
    snprintf(path, sizeof(path), "/proc/%s/task/%s/children", pid, pid);
    FILE *file = fopen(path, "r");
    if (!file)
        die("the kernel does not tell a process's children");
    while (fscanf(file, "%31s", child) == 1) {
        char stat[512];
        snprintf(stat, sizeof(stat), "/proc/%s/schedstat", child);
        FILE *account = fopen(stat, "r"); /* a child has one thread; it may be gone by now */
        long long ns;
        if (account && fscanf(account, "%lld", &ns) == 1)
            sum += ns;
        if (account)
            fclose(account);
    }
    fclose(file);
    return sum;
}

/* ---- the wire ---- */

void send_all(int fd, const void *bytes, size_t size)
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

/* The mask is zero, which is as good as any here. */
size_t put_frame(char *at, const char *text)
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

void send_text(int fd, const char *text)
{
    char bytes[1024];
    if (strlen(text) + FRAME_HEAD_MAX > sizeof(bytes))
        die("a message is too long");
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

int open_websocket(int port, const char *token)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        die("cannot connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    handshake(fd, token);
    return fd;
}

/* Takes whole frames out of what was read; what is left moves to the front. */
static void take_frames(struct incoming *in, message_fn *message, void *context)
{
    size_t at = 0;
    while (in->used - at >= 2) {
        const unsigned char *head = (unsigned char *)in->bytes + at;
        size_t size = head[1] & 127, skip = 2;
        if (size == 126) {
            if (in->used - at < 4)
                break;
            size = (size_t)head[2] << 8 | head[3];
            skip = 4;
        } else if (size == 127)
            die("a frame is too big");
        if (in->used - at < skip + size)
            break;
        if ((head[0] & 15) == 1)
            message(context, in->bytes + at + skip, size);
        else if ((head[0] & 15) == 8)
            die("the server closed a socket");
        at += skip + size;
    }
    memmove(in->bytes, in->bytes + at, in->used - at);
    in->used -= at;
}

void receive(int fd, struct incoming *in, message_fn *message, void *context)
{
    ssize_t n = recv(fd, in->bytes + in->used, INCOMING - in->used, MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0)
        die("a connection broke");
    in->used += (size_t)n;
    take_frames(in, message, context);
}

/* ---- creates, timed ---- */

struct order order_of(int64_t number)
{
    struct order order = {.number = number,
                          .note = "to be left with the neighbour when nobody answers the door",
                          .amount = (int)(number % 997)};
    snprintf(order.customer, sizeof(order.customer), "customer %d", (int)(number % 5003));
    return order;
}

void put_order_json(char *at, const struct order *order)
{
    snprintf(at, ORDER_JSON_MAX,
             "{\"number\":%lld,\"customer\":\"%s\",\"note\":\"%s\",\"amount\":%d}", order->number,
             order->customer, order->note, order->amount);
}

struct span span_from_now(double seconds)
{
    double begin = now() + seconds / 5; /* connections, statements and caches get warm */
    return (struct span){begin, begin + seconds};
}

void tally_add(struct tally *t, const struct span *span, double sent, double answered)
{
    t->all++;
    if (answered < span->begin || answered >= span->end)
        return;
    if (t->count == t->size) {
        t->size = t->size ? t->size * 2 : 4096;
        t->waits_us = realloc(t->waits_us, t->size * sizeof(*t->waits_us));
        if (!t->waits_us)
            die("out of memory");
    }
    t->waits_us[t->count++] = (float)((answered - sent) * 1e6);
}

void tally_join(struct tally *to, struct tally *from)
{
    size_t count = to->count + from->count;
    to->waits_us = realloc(to->waits_us, (count + 1) * sizeof(*to->waits_us));
    if (!to->waits_us)
        die("out of memory");
    if (from->count > 0)
        memcpy(to->waits_us + to->count, from->waits_us, from->count * sizeof(*from->waits_us));
    to->count = to->size = count;
    to->all += from->all;
    free(from->waits_us);
    *from = (struct tally){0};
}

static int compare(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

void tally_print(struct tally *t, const struct usage *usage)
{
    double sum = 0;
    if (t->count == 0)
        die("nothing was created in the time given");
    qsort(t->waits_us, t->count, sizeof(*t->waits_us), compare);
    for (size_t i = 0; i < t->count; i++)
        sum += t->waits_us[i];
    printf("{\"all\":%lld,\"counted\":%zu,\"seconds\":%.6f,\"program_ns\":%lld,\"server_ns\":%lld,"
           "\"mean_us\":%.1f,\"p99_us\":%.1f}\n",
           (long long)t->all, t->count, usage->seconds, (long long)usage->program_ns,
           (long long)usage->server_ns, sum / (double)t->count,
           t->waits_us[(t->count * 99 - 1) / 100]);
}
