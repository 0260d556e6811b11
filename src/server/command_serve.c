/*
 * rowcast serve: wiring. Loop, model, service, network; signals; an orderly end.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <uv.h>

#include "base/fault.h"
#include "base/log.h"
#include "dialect/directus/directus.h"
#include "net/connection.h"
#include "server/commands.h"
#include "server/instance.h"
#include "server/page.h"
#include "session/service.h"

struct server {
    const struct settings *settings;
    struct instance instance;
    struct loop *loop;
    struct service *service;
    struct net *net;
    struct net_limits limits;
    uv_signal_t signals[2];
    bool stopping;
};

static void on_drained(void *context)
{
    struct server *s = context;
    loop_stop(s->loop);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct server *s = handle->data;
    if (s->stopping)
        return;
    s->stopping = true;
    log_write(LOG_INFO, "server", "shutting down on %s", number == SIGINT ? "SIGINT" : "SIGTERM");
    net_shutdown(s->net, on_drained, s);
}

static void listen_to_signals(struct server *s)
{
    static const int numbers[] = {SIGTERM, SIGINT};
    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        uv_signal_init(loop_uv(s->loop), &s->signals[i]);
        s->signals[i].data = s;
        uv_signal_start(&s->signals[i], on_signal, numbers[i]);
    }
}

static void close_signals(struct server *s)
{
    for (size_t i = 0; i < COUNT_OF(s->signals); i++)
        uv_close((uv_handle_t *)&s->signals[i], NULL);
}

/* As many descriptors as the system lets this process have: one a connection. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static void configure_dialect(const struct settings *s)
{
    directus_configure(&(struct directus_settings){
        .websocket_enabled = s->websocket_enabled,
        .websocket_public = s->websocket_public,
        .websocket_path = s->websocket_path,
        .cors_enabled = s->cors_enabled,
        .cors_origin = s->cors_origin,
        .page = page_html(),
        .response_bytes_max = (size_t)s->response_size_max,
        .query_limit_default = s->query_limit_default,
        .query_limit_max = s->query_limit_max,
    });
}

static struct net_limits limits_of(const struct settings *s)
{
    return (struct net_limits){
        .http = {.head_bytes_max = 32 * 1024,
                 .target_bytes_max = 16 * 1024,
                 .header_count_max = 100,
                 .body_bytes_max = (size_t)s->payload_size_max},
        .message_bytes_max = (size_t)s->payload_size_max,
        .outbox_bytes_max = (size_t)s->outbox_size_max,
        .connections_max = (unsigned)s->connections_max,
        .idle_ms_max = (uint64_t)s->http_idle_time,
        .head_ms_max = 30 * 1000,
        .ping_ms = (uint64_t)s->websocket_ping_period,
        .pong_ms_max = (uint64_t)s->websocket_ping_period,
        .linger_ms_max = (uint64_t)s->shutdown_timeout,
    };
}

static struct service_settings service_settings_of(const struct settings *s)
{
    return (struct service_settings){
        .readers = (unsigned)s->readers,
        .writer_batch_max = 1024,
        .writer_queue_max = 65536,
        .reader_queue_max = 65536,
        .session_requests_max = 256,
        .subscriptions_max = (unsigned)s->subscriptions_max,
        .login_stall_ms = s->login_stall_time,
    };
}

static int start(struct server *s)
{
    const struct settings *settings = s->settings;
    struct service_settings service_settings = service_settings_of(settings);
    int rc =
        service_new(s->loop, s->instance.model, &service_settings, &directus_dialect, &s->service);
    if (rc == 0)
        rc = net_new(s->loop, &s->limits, service_connection_ops(), s->service, &s->net);
    if (rc == 0)
        rc = net_listen(s->net, settings->host.at, (int)settings->port);
    if (rc != 0) {
        fprintf(stderr, "rowcast: cannot serve %.*s port %lld: %s\n", STR_ARG(settings->host),
                (long long)settings->port, fault_text());
        return rc;
    }
    listen_to_signals(s);
    printf("Rowcast " ROWCAST_VERSION " serves http://%.*s:%d\n", STR_ARG(settings->host),
           net_port(s->net));
    fflush(stdout);
    return 0;
}

int command_serve(const struct settings *settings, struct arguments *arguments)
{
    struct server server = {.settings = settings, .limits = limits_of(settings)};
    if (!arguments_done(arguments))
        return 2;
    if (instance_open(settings, &server.instance) != 0)
        return 1;
    raise_descriptor_limit();
    configure_dialect(settings);
    server.loop = loop_new();
    int rc = start(&server);
    if (rc == 0) {
        loop_run(server.loop);
        close_signals(&server);
    }
    service_free(server.service); /* joins the workers: what was asked is finished */
    net_free(server.net);
    loop_free(server.loop);
    instance_close(&server.instance);
    if (rc == 0)
        log_write(LOG_INFO, "server", "stopped");
    return rc == 0 ? 0 : 1;
}
