/*
 * The server itself: its page, whether it lives, what it can do (D.11).
 */
#include "dialect/directus/rest.h"

#include <time.h>

#include "model/system.h"

static const struct str TEXT_HTML = STR_INIT("text/html; charset=utf-8");
static const struct str TEXT_PLAIN = STR_INIT("text/plain; charset=utf-8");
static const struct str HEALTH_JSON = STR_INIT("application/health+json; charset=utf-8");

static int answer_text(struct request *r, struct tx *tx, struct str type,
                       const struct http_header *headers, size_t count, struct str text)
{
    struct buf b;
    buf_init(&b, SIZE_MAX);
    buf_put_str(&b, text);
    return rest_with(r, tx, 200, type, headers, count, &b);
}

/* A page is one file: what it needs is in it, and what it talks to is this server. */
static int answer_page(struct request *r, struct tx *tx, struct str page)
{
    static const struct http_header headers[] = {
        {STR_INIT("Content-Security-Policy"),
         STR_INIT("default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
                  "connect-src 'self' ws: wss:; img-src 'self' data:")},
        {STR_INIT("X-Content-Type-Options"), STR_INIT("nosniff")},
        {STR_INIT("Referrer-Policy"), STR_INIT("no-referrer")},
    };
    if (page.at)
        return answer_text(r, tx, TEXT_HTML, headers, COUNT_OF(headers), page);
    refuse(tx, PROBLEM_ROUTE_NOT_FOUND, NULL);
    tx->problem->value = r->http->path;
    return REFUSED;
}

static int run_page(struct request *r, struct tx *tx)
{
    return answer_page(r, tx, directus_settings()->page);
}

static int run_grid_page(struct request *r, struct tx *tx)
{
    return answer_page(r, tx, directus_settings()->grid_page);
}

static int run_robots(struct request *r, struct tx *tx)
{
    return answer_text(r, tx, TEXT_PLAIN, NULL, 0, STR("User-agent: *\nDisallow: /"));
}

static int run_ping(struct request *r, struct tx *tx)
{
    return answer_text(r, tx, TEXT_HTML, NULL, 0, STR("pong"));
}

/* ---- /server/info ---- */

/* There is nothing to brand: what the reference has as its defaults. */
#define PROJECT                                                                                    \
    "{\"project\":{\"project_name\":\"Rowcast\",\"project_descriptor\":null,"                      \
    "\"project_logo\":null,\"project_color\":\"#6644FF\",\"default_appearance\":\"auto\","         \
    "\"default_theme_light\":null,\"default_theme_dark\":null,\"theme_light_overrides\":null,"     \
    "\"theme_dark_overrides\":null,\"default_language\":\"en-US\",\"public_foreground\":null,"     \
    "\"public_background\":null,\"public_favicon\":null,\"public_note\":null,"                     \
    "\"custom_css\":null,\"public_registration\":false,"                                           \
    "\"public_registration_verify_email\":true}"

/* Sockets take their credential with the upgrade ("strict"), and have no heartbeat of their own. */
static void put_websocket(struct buf *b, const struct directus_settings *s)
{
    buf_put_lit(b, ",\"websocket\":");
    if (!s->websocket_enabled) {
        buf_put_lit(b, "false");
        return;
    }
    buf_printf(b, "{\"rest\":{\"authentication\":\"%s\",\"path\":",
               s->websocket_public ? "public" : "strict");
    json_put_str(b, s->websocket_path);
    buf_put_lit(b, "},\"graphql\":false,\"heartbeat\":false,\"collaborativeEditing\":false,"
                   "\"logs\":false}");
}

static int run_info(struct request *r, struct tx *tx)
{
    const struct directus_settings *s = directus_settings();
    struct buf b;
    rest_begin(&b);
    buf_put_lit(&b, PROJECT);
    if (tx->principal->user.at) {
        buf_put_lit(&b, ",\"rateLimit\":false,\"rateLimitGlobal\":false,"
                        "\"files\":{\"mimeTypeAllowList\":[]},\"extensions\":{\"limit\":null},"
                        "\"version\":\"" ROWCAST_VERSION "\"");
        buf_printf(&b, ",\"queryLimit\":{\"default\":%lld,\"max\":%lld}",
                   (long long)s->query_limit_default, (long long)s->query_limit_max);
        put_websocket(&b, s);
    }
    buf_put_char(&b, '}');
    return rest_end(r, tx, &b);
}

/* ---- /server/health ---- */

enum { RESPONSE_MS_MAX = 150 }; /* slower than that is a warning */

static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* How long the store takes to read one row. */
static int measure_store(struct tx *tx, double *ms_out)
{
    struct system_rows rows;
    double start = now_ms();
    int rc = system_rows(tx->store, tx->arena, SYSTEM_STATE, NULL, NULL, &rows);
    *ms_out = now_ms() - start;
    return rc;
}

static void put_details(struct buf *b, enum store_client client, double ms)
{
    static const char *const clients[] = {[STORE_SQLITE] = "sqlite3", [STORE_POSTGRES] = "pg"};
    const char *status = ms > RESPONSE_MS_MAX ? "warn" : "ok";
    buf_printf(b,
               "{\"status\":\"%s\",\"releaseId\":\"" ROWCAST_VERSION "\",\"serviceId\":\"rowcast\","
               "\"checks\":{\"%s:responseTime\":[{\"status\":\"%s\","
               "\"componentType\":\"datastore\",\"observedUnit\":\"ms\",\"observedValue\":%.3f,"
               "\"threshold\":%d}]}}",
               status, clients[client], status, ms, RESPONSE_MS_MAX);
}

static int run_health(struct request *r, struct tx *tx)
{
    double ms = 0;
    struct buf b;
    if (!tx->principal->user.at)
        return refuse(tx, PROBLEM_FORBIDDEN, NULL);
    int rc = measure_store(tx, &ms);
    if (rc != 0)
        return rc;
    buf_init(&b, SIZE_MAX);
    if (tx->principal->admin)
        put_details(&b, tx->settings->store.client, ms);
    else
        buf_put_lit(&b, "{\"status\":\"ok\"}");
    return rest_body(r, tx, 200, HEALTH_JSON, &b);
}

const struct route server_routes[] = {
    {"GET", "/", ON_LOOP(run_page), ROUTE_ANONYMOUS},
    {"GET", "/grid", ON_LOOP(run_grid_page), ROUTE_ANONYMOUS},
    {"GET", "/robots.txt", ON_LOOP(run_robots), ROUTE_ANONYMOUS},
    {"GET", "/server/ping", ON_LOOP(run_ping), ROUTE_ANONYMOUS},
    {"GET", "/server/info", ON_READER(run_info), 0},
    {"GET", "/server/health", ON_READER(run_health), 0},
    {NULL, NULL, {0}, 0},
};
