/* What clients ask for when they start (9.2). */
#include "dialect/baserow/rest.h"

static const struct str TEXT_PLAIN = STR_INIT("text/plain; charset=utf-8");

static int run_health(struct request *r, struct tx *tx)
{
    struct buf b;
    reply_begin(&b);
    buf_put_lit(&b, "OK");
    return reply_with(r, tx, 200, TEXT_PLAIN, NULL, 0, &b);
}

static int run_login_options(struct request *r, struct tx *tx)
{
    struct buf b;
    reply_begin(&b);
    buf_put_lit(&b, "{\"password\":{\"type\":\"password\"}}");
    return reply_json(r, tx, &b);
}

static int run_templates(struct request *r, struct tx *tx)
{
    struct buf b;
    reply_begin(&b);
    buf_put_lit(&b, "[]");
    return reply_json(r, tx, &b);
}

const struct route settings_routes[] = {
    {"GET", "/api/_health/", ON_LOOP(run_health), ROUTE_PUBLIC, NULL, NULL},
    {"GET", "/api/auth-provider/login-options/", ON_LOOP(run_login_options), ROUTE_PUBLIC, NULL,
     NULL},
    {"GET", "/api/templates/", ON_LOOP(run_templates), ROUTE_PUBLIC, NULL, NULL},
    {NULL, NULL, {0}, 0, NULL, NULL},
};
