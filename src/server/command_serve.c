/*
 * rowcast serve: wiring. Loop, model, service, network; signals; an orderly end.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>
#include <uv.h>

#include "base/fault.h"
#include "base/log.h"
#include "dialect/baserow/baserow.h"
#include "dialect/directus/directus.h"
#include "net/connection.h"
#include "net/mailer.h"
#include "server/commands.h"
#include "server/counters.h"
#include "server/instance.h"
#include "server/page.h"
#include "session/service.h"

struct server {
    const struct settings *settings;
    struct instance instance;
    struct loop *loop;
    struct mailer *mailer; /* NULL: no mail */
    struct service *service;
    struct net *net;
    uv_signal_t signals[3]; /* by place in signal_table */
};

/* ---- signals ---- */

static void on_drained(void *context)
{
    struct server *s = context;
    loop_stop(s->loop);
}

static void on_stop(uv_signal_t *handle, int number);

static void on_counters(uv_signal_t *handle, int number)
{
    const struct server *s = handle->data;
    (void)number;
    counters_log(s->net, s->service);
}

static const struct {
    int number;
    const char *name;
    void (*handle)(uv_signal_t *handle, int number);
} signal_table[] = {
    {SIGTERM, "SIGTERM", on_stop}, {SIGINT, "SIGINT", on_stop}, {SIGUSR1, "SIGUSR1", on_counters}};

static const char *signal_name(int number)
{
    for (size_t i = 0; i < COUNT_OF(signal_table); i++)
        if (signal_table[i].number == number)
            return signal_table[i].name;
    return "a signal";
}

/* The system's own way with these signals is back before anything is said: a second one ends the
 * process at once, which loses nothing that was acknowledged. */
static void on_stop(uv_signal_t *handle, int number)
{
    struct server *s = handle->data;
    for (size_t i = 0; i < COUNT_OF(signal_table); i++)
        if (signal_table[i].handle == on_stop)
            uv_signal_stop(&s->signals[i]);
    log_write(LOG_INFO, "server", "shutting down on %s; once more ends at once",
              signal_name(number));
    net_shutdown(s->net, on_drained, s);
}

static void listen_to_signals(struct server *s)
{
    _Static_assert(COUNT_OF(signal_table) == COUNT_OF(s->signals), "one handle each");
    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < COUNT_OF(signal_table); i++) {
        uv_signal_init(loop_uv(s->loop), &s->signals[i]);
        s->signals[i].data = s;
        uv_signal_start(&s->signals[i], signal_table[i].handle, signal_table[i].number);
    }
}

static void close_signals(struct server *s)
{
    for (size_t i = 0; i < COUNT_OF(s->signals); i++)
        uv_close((uv_handle_t *)&s->signals[i], NULL);
}

/* ---- settings of the floors ---- */

/* Files beside the connections: the store's, and those that a large sort or savepoint spills into.
 * No number of clients may take them. */
enum { DESCRIPTORS_KEPT = 64 };

/* As many descriptors as the system lets this process have; one a connection. */
static unsigned connections_max(const struct settings *s)
{
    const rlim_t wanted = (rlim_t)s->connections_max;
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return (unsigned)wanted;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    bool tiny = limit.rlim_cur < 2 * DESCRIPTORS_KEPT;
    rlim_t room = tiny ? limit.rlim_cur / 2 : limit.rlim_cur - DESCRIPTORS_KEPT;
    if (room >= wanted)
        return (unsigned)wanted;
    log_write(LOG_WARN, "server",
              "MAX_CONNECTIONS is %lld, but with the %llu files that this process may have it is "
              "%llu",
              (long long)s->connections_max, (unsigned long long)limit.rlim_cur,
              (unsigned long long)room);
    return (unsigned)room;
}

static void configure_dialects(const struct settings *s, struct mailer *mailer)
{
    baserow_configure(&(struct baserow_settings){
        .signing_key = s->baserow_signing_key,
        .access_token_ttl_ms = s->baserow_access_token_minutes * 60 * 1000,
        .refresh_token_ttl_ms = s->baserow_refresh_token_hours * 3600 * 1000,
        .response_bytes_max = (size_t)s->response_size_max,
        .documented_messages = s->baserow_documented_messages,
        .legacy_group_keys = s->baserow_legacy_group_keys,
        .page_rows_max = s->baserow_page_rows_max,
        .batch_rows_max = s->baserow_batch_rows_max,
        .table_rows_max = s->baserow_table_rows_max,
        .trash_ms = s->baserow_trash_hours * 3600 * 1000,
        .pending_invitations_max = s->baserow_pending_invitations_max,
        .replay_events_max = s->baserow_replay_events_max,
        .anonymous_refused = s->baserow_anonymous_refused,
        .mailer = mailer,
        .public_url = s->public_web_frontend_url,
    });
    directus_configure(&(struct directus_settings){
        .websocket_enabled = s->websocket_enabled,
        .websocket_public = s->websocket_public,
        .websocket_path = s->websocket_path,
        .cors_enabled = s->cors_enabled,
        .cors_origin = s->cors_origin,
        .page = page_html(),
        .grid_page = grid_html(),
        .response_bytes_max = (size_t)s->response_size_max,
        .query_limit_default = s->query_limit_default,
        .query_limit_max = s->query_limit_max,
    });
}

static struct net_limits limits_of(const struct settings *s)
{
    return (struct net_limits){
        .http = {.head_bytes_max = (size_t)s->head_size_max,
                 .target_bytes_max = (size_t)s->target_size_max,
                 .header_count_max = (size_t)s->header_count_max,
                 .body_bytes_max = (size_t)s->payload_size_max},
        .message_bytes_max = (size_t)s->payload_size_max,
        .outbox_bytes_max = (size_t)s->outbox_size_max,
        .connections_max = connections_max(s),
        .idle_ms_max = (uint64_t)s->http_idle_time,
        .head_ms_max = (uint64_t)s->head_time,
        .ping_ms = (uint64_t)s->websocket_ping_period,
        .pong_ms_max = (uint64_t)s->websocket_ping_period,
        .linger_ms_max = (uint64_t)s->shutdown_timeout,
    };
}

static struct service_settings service_settings_of(const struct settings *s)
{
    return (struct service_settings){
        .readers = (unsigned)s->readers,
        .writer_batch_max = (size_t)s->batch_max,
        .writer_queue_max = (size_t)s->queue_max,
        .reader_queue_max = (size_t)s->queue_max,
        .preparer_queue_max = (size_t)s->preparer_queue_max,
        .session_requests_max = (unsigned)s->requests_in_flight_max,
        .subscriptions_max = (unsigned)s->subscriptions_max,
        .login_stall_ms = s->login_stall_time,
        .memory_bytes_max =
            s->baserow_replay_events_max > 0 ? (size_t)s->baserow_replay_bytes_max : 0,
        .memory_age_max_ms = s->baserow_replay_hours * 3600 * 1000,
        .memory_absence_max_ms = s->baserow_replay_absence,
        .chores_interval_ms = s->chores_interval,
    };
}

/* Bounds of mail: letters that wait; a try, and the pause after one that failed; the end. */
enum {
    LETTERS_MAX = 1000,
    MAIL_CONNECT_MS = 10000,
    MAIL_TRANSFER_MS = 30000,
    MAIL_PAUSE_MS = 1000,
    MAIL_FAREWELL_MS = 3000,
};

static int start_mailer(const struct settings *s, struct mailer **mailer_out)
{
    const struct mailer_settings settings = {
        .host = s->email_smtp_host,
        .port = (int)s->email_smtp_port,
        .user = s->email_smtp_user,
        .password = s->email_smtp_password,
        .starttls = s->email_smtp_use_tls,
        .tls = s->email_smtp_use_ssl,
        .from = s->from_email,
        .queue_max = LETTERS_MAX,
        .connect_ms_max = MAIL_CONNECT_MS,
        .transfer_ms_max = MAIL_TRANSFER_MS,
        .pause_ms = MAIL_PAUSE_MS,
        .farewell_ms_max = MAIL_FAREWELL_MS,
    };
    int rc = s->email_smtp ? mailer_new(&settings, mailer_out) : 0;
    if (rc > 0)
        fprintf(stderr, "rowcast: FROM_EMAIL must be ADDRESS, or NAME <ADDRESS>\n");
    else if (rc < 0)
        fprintf(stderr, "rowcast: cannot send mail: %s\n", fault_text());
    return rc;
}

/* ---- start and end ---- */

static int note_journal(struct tx *tx, void *context)
{
    const struct server *s = context;
    log_write(LOG_INFO, "server", "opened %.*s: journal head %lld, %zu collections",
              STR_ARG(settings_place(tx->arena, s->settings)), (long long)tx->head,
              tx->catalogue->table_count);
    return 0;
}

static bool is_loopback(struct str host)
{
    return str_equal(host, STR("localhost")) || str_equal(host, STR("::1")) ||
           str_starts_with(host, STR("127."));
}

/* What an operator should know that he asked for. */
static void note_openness(const struct settings *s)
{
    bool any_origin = str_equal(s->cors_origin, STR("*")) || str_equal(s->cors_origin, STR("true"));
    const struct {
        bool holds;
        const char *text;
    } notes[] = {
        {!is_loopback(s->host), "HOST is not loopback: other machines may connect, without TLS"},
        {s->websocket_enabled && s->websocket_public,
         "WEBSOCKET_PUBLIC: sockets without credentials are accepted, as the public"},
        {s->cors_enabled && any_origin, "CORS_ORIGIN: pages of any origin may ask"},
        {!s->websocket_enabled, "WEBSOCKET_ENABLED is false: no sockets"},
    };
    for (size_t i = 0; i < COUNT_OF(notes); i++)
        if (notes[i].holds)
            log_write(LOG_INFO, "server", "%s", notes[i].text);
}

/* The line on standard output is for people and scripts that wait for it; the log is the log. */
static void announce(struct server *s)
{
    struct str host = s->settings->host;
    bool ipv6 = memchr(host.at, ':', host.len) != NULL;
    char url[128];
    snprintf(url, sizeof(url), "http://%s%.*s%s:%d", ipv6 ? "[" : "", STR_ARG(host),
             ipv6 ? "]" : "", net_port(s->net));
    log_write(LOG_INFO, "server", "version " ROWCAST_VERSION ", process %ld, address %s",
              (long)getpid(), url);
    instance_read(&s->instance, note_journal, s);
    note_openness(s->settings);
    printf("Rowcast " ROWCAST_VERSION " serves %s\n", url);
    fflush(stdout);
}

static int start(struct server *s)
{
    const struct settings *settings = s->settings;
    const struct service_settings service_settings = service_settings_of(settings);
    const struct net_limits limits = limits_of(settings);
    const struct dialect *const dialects[] = {&baserow_dialect, &directus_dialect};
    int rc = service_new(s->loop, s->instance.model, &service_settings, dialects,
                         COUNT_OF(dialects), &s->service);
    if (rc == 0)
        rc = net_new(s->loop, &limits, service_connection_ops(), s->service, &s->net);
    if (rc == 0)
        rc = net_listen(s->net, settings->host.at, (int)settings->port);
    if (rc != 0) {
        fprintf(stderr, "rowcast: cannot serve HOST %.*s, PORT %lld: %s\n", STR_ARG(settings->host),
                (long long)settings->port, fault_text());
        return rc;
    }
    listen_to_signals(s);
    announce(s);
    return 0;
}

/* A database that does not answer would hold up the end for ever. What waits for it was not
 * answered, so nothing is lost that was promised. */
enum { LAST_REQUESTS_S = 5 };

static void give_up(int number)
{
    static const char text[] = "rowcast: the database does not answer: ended without it\n";
    (void)number;
    (void)!write(STDERR_FILENO, text, sizeof(text) - 1);
    _exit(1);
}

static void bound_the_end(const struct settings *settings)
{
    signal(SIGALRM, give_up);
    alarm((unsigned)(settings->shutdown_timeout / 1000) + LAST_REQUESTS_S);
}

int command_serve(const struct settings *settings, struct arguments *arguments)
{
    struct server server = {.settings = settings};
    if (!arguments_done(arguments))
        return 2;
    if (instance_open(settings, INSTANCE_SERVE, &server.instance) != 0)
        return 1;
    server.loop = loop_new();
    int rc = start_mailer(settings, &server.mailer);
    configure_dialects(settings, server.mailer);
    if (rc == 0)
        rc = start(&server);
    if (rc == 0) {
        loop_run(server.loop);
        close_signals(&server);
        bound_the_end(settings);
    }
    service_free(server.service); /* joins the workers: what was asked is finished */
    mailer_free(server.mailer);
    net_free(server.net);
    loop_free(server.loop);
    instance_close(&server.instance);
    alarm(0);
    if (rc == 0)
        log_write(LOG_INFO, "server", "stopped");
    return rc == 0 ? 0 : 1;
}
