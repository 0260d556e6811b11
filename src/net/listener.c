#include "net/internal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <unistd.h>

#include "base/fault.h"

enum {
    BACKLOG = 1024,
    ACCEPTS_PER_TURN = 64, /* the clients who are in have their turn, too */
    ACCEPT_PAUSE_MS = 100, /* after running out of files or memory */
};

static const char busy[] = "HTTP/1.1 503 Service Unavailable\r\n"
                           "Content-Length: 0\r\n"
                           "Connection: close\r\n\r\n";

static void on_acceptable(uv_poll_t *handle, int status, int events);

static void listeners_pause(struct net *n)
{
    for (size_t i = 0; i < n->listener_count; i++)
        uv_poll_stop(&n->listeners[i].poll);
    timer_start(&n->accept_again, ACCEPT_PAUSE_MS, 0);
}

void listeners_retry(void *net)
{
    struct net *n = net;

    for (size_t i = 0; i < n->listener_count; i++)
        uv_poll_start(&n->listeners[i].poll, UV_READABLE, on_acceptable);
}

static void on_listener_closed(uv_handle_t *handle)
{
    struct listener *l = CONTAINER_OF(handle, struct listener, poll);

    net_handle_closed(l->net);
}

void listeners_stop(struct net *n)
{
    for (size_t i = 0; i < n->listener_count; i++) {
        uv_close((uv_handle_t *)&n->listeners[i].poll, on_listener_closed);
        close(n->listeners[i].fd);
    }
    n->listener_count = 0;
    timer_stop(&n->accept_again);
}

/* Past connections_max. What the client already sent is read first: closing over unread input would
 * send a reset, which may overtake the answer. */
static void turn_away(struct net *n, int fd)
{
    n->stats.refused++;
    recv(fd, n->input, sizeof(n->input), MSG_DONTWAIT);
    send(fd, busy, sizeof(busy) - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    close(fd);
}

/* Without a free file nobody can be accepted, and a listener that stays readable would make the
 * loop spin. So the reserve is given up to accept one client and hang up on it, and accepting
 * rests. */
static void shed_one(struct listener *l)
{
    struct net *n = l->net;

    if (n->reserve_fd >= 0) {
        close(n->reserve_fd);
        int fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0) {
            n->stats.refused++;
            close(fd);
        }
    }
    n->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void admit(struct net *n, int fd, const struct sockaddr_storage *from)
{
    struct address address = address_of(from);

    if (n->stats.open >= n->limits.connections_max)
        turn_away(n, fd);
    else
        connection_open(n, fd, &address);
}

static void on_acceptable(uv_poll_t *handle, int status, int events)
{
    struct listener *l = CONTAINER_OF(handle, struct listener, poll);
    struct net *n = l->net;
    (void)status;
    (void)events;

    for (int i = 0; i < ACCEPTS_PER_TURN && !n->stopping; i++) {
        struct sockaddr_storage from = {0};
        socklen_t size = sizeof(from);
        int fd = accept4(l->fd, (struct sockaddr *)&from, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd >= 0) {
            admit(n, fd, &from);
            continue;
        }
        if (errno == EAGAIN)
            return;
        if (errno == EINTR || errno == ECONNABORTED)
            continue;
        if (errno == EMFILE || errno == ENFILE)
            shed_one(l);
        listeners_pause(n);
        return;
    }
}

static int socket_listen(const struct sockaddr_storage *address, socklen_t size, int *fd_out)
{
    static const int on = 1;
    int fd = socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return errno;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
        bind(fd, (const struct sockaddr *)address, size) != 0 || listen(fd, BACKLOG) != 0) {
        int error = errno;
        close(fd);
        return error;
    }
    *fd_out = fd;
    return 0;
}

static int socket_port(int fd)
{
    struct sockaddr_storage address = {0};
    struct sockaddr_in6 ipv6;
    socklen_t size = sizeof(address);

    if (getsockname(fd, (struct sockaddr *)&address, &size) != 0)
        return 0;
    /* The port stands at the same place in both families. */
    memcpy(&ipv6, &address, sizeof(ipv6));
    return ntohs(ipv6.sin6_port);
}

/* 0 or a positive errno. */
static int listener_add(struct net *n, const char *literal, int port)
{
    struct sockaddr_storage address = {0};
    socklen_t size = address_read(literal, port, &address);
    struct listener *l = &n->listeners[n->listener_count];

    if (size == 0)
        return EINVAL;
    if (n->listener_count == LISTENERS_MAX)
        return ENOSPC;
    int rc = socket_listen(&address, size, &l->fd);
    if (rc != 0)
        return rc;
    rc = uv_poll_init(loop_uv(n->loop), &l->poll, l->fd);
    if (rc != 0) {
        close(l->fd);
        return -rc;
    }
    l->net = n;
    n->handle_count++;
    if (n->listener_count++ == 0)
        n->port = socket_port(l->fd);
    uv_poll_start(&l->poll, UV_READABLE, on_acceptable);
    return 0;
}

int net_listen(struct net *n, const char *host, int port)
{
    assert(!n->stopping);
    bool local = strcmp(host, "localhost") == 0;

    if (port < 0 || port > UINT16_MAX)
        return FAULT_BECAUSE(EINVAL, "%d is not a port", port);
    int rc = listener_add(n, local ? "127.0.0.1" : host, port);
    if (rc == 0 && local) {
        rc = listener_add(n, "::1", port != 0 ? port : net_port(n));
        /* A machine without IPv6 does without. */
        if (rc == EAFNOSUPPORT || rc == EADDRNOTAVAIL)
            rc = 0;
    }
    if (rc != 0)
        return FAULT_BECAUSE(rc, "cannot listen on %s port %d: %s", host, port, strerror(rc));
    return 0;
}
