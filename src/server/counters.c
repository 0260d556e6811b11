#include "server/counters.h"

#include <stddef.h>

#include "base/buf.h"
#include "base/log.h"
#include "net/connection.h"
#include "session/service.h"

/* One number in a struct of numbers. */
struct counter {
    const char *name;
    size_t offset, size;
};

/* clang-format off */
#define COUNTER(of, member) {#member, offsetof(struct of, member), sizeof(((struct of *)0)->member)}
static const struct counter of_net[] = {
    COUNTER(net_stats, accepted), COUNTER(net_stats, refused), COUNTER(net_stats, open),
    COUNTER(net_stats, websockets), COUNTER(net_stats, frames_sent), COUNTER(net_stats, bytes_sent),
};
static const struct counter of_service[] = {
    COUNTER(service_stats, requests), COUNTER(service_stats, refused),
    COUNTER(service_stats, faults), COUNTER(service_stats, batches),
    COUNTER(service_stats, batched_requests), COUNTER(service_stats, writer_queue),
    COUNTER(service_stats, reader_queue), COUNTER(service_stats, sessions),
};
static const struct counter of_hub[] = {
    COUNTER(hub_stats, commits), COUNTER(hub_stats, changes), COUNTER(hub_stats, evaluations),
    COUNTER(hub_stats, encodings), COUNTER(hub_stats, deliveries), COUNTER(hub_stats, feeds),
    COUNTER(hub_stats, subscriptions),
};
/* clang-format on */

static uint64_t read_counter(const struct counter *c, const void *stats)
{
    uint64_t wide = 0;
    size_t size = 0;

    if (c->size == sizeof(wide)) {
        memcpy(&wide, (const char *)stats + c->offset, sizeof(wide));
        return wide;
    }
    memcpy(&size, (const char *)stats + c->offset, sizeof(size));
    return size;
}

static void put_counter(struct buf *b, const char *name, uint64_t number)
{
    buf_printf(b, "%s %s %llu", b->len > 0 ? "," : "", name, (unsigned long long)number);
}

static void write_line(const char *what, const struct buf *line)
{
    log_write(LOG_INFO, "server", "counters: %s:%.*s", what, STR_ARG(buf_str(line)));
}

static void log_counters(const char *what, const struct counter *counters, size_t count,
                         const void *stats)
{
    struct buf line;

    buf_init(&line, SIZE_MAX);
    for (size_t i = 0; i < count; i++)
        put_counter(&line, counters[i].name, read_counter(&counters[i], stats));
    write_line(what, &line);
    buf_deinit(&line);
}

static void log_close_reasons(const struct net_stats *stats)
{
    struct buf line;

    buf_init(&line, SIZE_MAX);
    for (int i = 0; i < NET_CLOSE_REASON_COUNT; i++)
        put_counter(&line, net_close_reason_name((enum net_close_reason)i), stats->closed_by[i]);
    write_line("closed", &line);
    buf_deinit(&line);
}

void counters_log(const struct net *net, const struct service *service)
{
    struct service_stats service_now;

    service_stats(service, &service_now);
    log_counters("net", of_net, COUNT_OF(of_net), net_stats(net));
    log_close_reasons(net_stats(net));
    log_counters("service", of_service, COUNT_OF(of_service), &service_now);
    log_counters("hub", of_hub, COUNT_OF(of_hub), hub_stats(service_hub(service)));
}
