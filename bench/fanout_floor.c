/*
 * The floor of the fan-out: a bare epoll program that sends one ready frame to each socket, with
 * one send() each. Nothing can deliver the same frames one by one for less.
 *
 * The first connection drives: each byte it sends is one event for all the others. Handshakes are
 * answered without being looked at.
 *
 * usage: fanout_floor FRAME_SIZE     prints "port N"
 */
#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SOCKETS_MAX = 65536, EVENTS_MAX = 256, FRAME_MIN = 16, FRAME_MAX = 65535 };

static int sockets[SOCKETS_MAX];
static int socket_count;
static bool greeted[SOCKETS_MAX];

static int listen_on_loopback(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(fd, (struct sockaddr *)&address, size) != 0 || listen(fd, 4096) != 0)
        exit(1);
    getsockname(fd, (struct sockaddr *)&address, &size);
    printf("port %d\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

static void add(int epoll, int listener)
{
    int one = 1, fd = accept(listener, NULL, NULL);
    assert(socket_count < SOCKETS_MAX);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)socket_count + 1};
    sockets[socket_count++] = fd;
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

static void send_to_all(const char *frame, size_t size)
{
    for (int i = 1; i < socket_count; i++)
        if (send(sockets[i], frame, size, MSG_NOSIGNAL) != (ssize_t)size)
            exit(0);
}

/* A text frame of so many bytes in all; those of more than 125 bytes of text have a longer head. */
static void make_frame(char *frame, size_t size)
{
    size_t head = size <= 125 + 2 ? 2 : 4, text = size - head;

    memset(frame, 'x', size);
    frame[0] = (char)0x81;
    frame[1] = (char)(head == 2 ? text : 126);
    if (head == 4) {
        frame[2] = (char)(text >> 8);
        frame[3] = (char)text;
    }
}

static void greet(int index)
{
    static const char answer[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                                 "Connection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n";
    greeted[index] = true;
    send(sockets[index], answer, sizeof(answer) - 1, MSG_NOSIGNAL);
}

int main(int count, char **arguments)
{
    size_t size = count > 1 ? strtoul(arguments[1], NULL, 10) : 0;
    if (size < FRAME_MIN || size > FRAME_MAX) {
        fprintf(stderr, "usage: fanout_floor FRAME_SIZE (%d to %d)\n", FRAME_MIN, FRAME_MAX);
        return 2;
    }
    static char frame[FRAME_MAX];
    make_frame(frame, size);
    int listener = listen_on_loopback(), epoll = epoll_create1(0);
    struct epoll_event events[EVENTS_MAX], event = {.events = EPOLLIN, .data.u32 = 0};
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int ready = epoll_wait(epoll, events, EVENTS_MAX, -1);
        for (int i = 0; i < ready; i++) {
            char bytes[4096];
            int index = (int)events[i].data.u32 - 1;
            if (index < 0) {
                add(epoll, listener);
                continue;
            }
            ssize_t got = recv(sockets[index], bytes, sizeof(bytes), 0);
            if (got <= 0)
                return 0; /* the driver ends, and everybody with it */
            if (!greeted[index])
                greet(index);
            else if (index == 0)
                for (ssize_t n = 0; n < got; n++)
                    send_to_all(frame, size);
        }
    }
}
