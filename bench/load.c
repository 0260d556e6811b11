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

static void handshake(int fd, const char *target, const char *token)
{
    char text[1024];
    snprintf(text, sizeof(text),
             "GET %s%s HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
             "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
             target, token);
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

size_t frame_size(size_t text_size)
{
    return text_size + (text_size < 126 ? 2 : 4);
}

int open_connection(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        die("cannot connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    return fd;
}

int open_websocket(int port, const char *target, const char *token)
{
    int fd = open_connection(port);
    handshake(fd, target, token);
    return fd;
}

/* What is left of what was read moves to the front. */
static void drop_taken(struct incoming *in, size_t size)
{
    memmove(in->bytes, in->bytes + size, in->used - size);
    in->used -= size;
}

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
    drop_taken(in, at);
}

/* The length of the whole answer at the front; 0: it is not whole yet. */
static size_t answer_size(const char *text, size_t size, size_t *head_out)
{
    const char *end = memmem(text, size, "\r\n\r\n", 4);
    if (!end)
        return 0;
    *head_out = (size_t)(end - text) + 4;
    int64_t length = number_after(text, *head_out, "Content-Length: ");
    if (size < 12 || memcmp(text, "HTTP/1.1 200", 12) != 0 || length < 0) {
        fprintf(stderr, "answered: %.*s\n", (int)size, text);
        die("a request was refused");
    }
    return size - *head_out < (size_t)length ? 0 : *head_out + (size_t)length;
}

static void take_answers(struct incoming *in, message_fn *answer, void *context)
{
    size_t at = 0, size, head;
    while ((size = answer_size(in->bytes + at, in->used - at, &head)) > 0) {
        answer(context, in->bytes + at + head, size - head);
        at += size;
    }
    drop_taken(in, at);
}

static bool read_once(int fd, struct incoming *in)
{
    ssize_t n = recv(fd, in->bytes + in->used, INCOMING - in->used, MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN)
        return false;
    if (n <= 0)
        die("a connection broke");
    in->used += (size_t)n;
    return true;
}

void receive(int fd, struct incoming *in, message_fn *message, void *context)
{
    if (read_once(fd, in))
        take_frames(in, message, context);
}

void receive_answers(int fd, struct incoming *in, message_fn *answer, void *context)
{
    if (read_once(fd, in))
        take_answers(in, answer, context);
}

int64_t number_after(const char *text, size_t size, const char *mark)
{
    const char *at = memmem(text, size, mark, strlen(mark));
    return at ? strtoll(at + strlen(mark), NULL, 10) : -1;
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
