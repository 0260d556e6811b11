/* Fields of a table (9.6, 10). */
#include "model/grid/fields.h"
#include "dialect/baserow/rest.h"
#include "dialect/baserow/shapes.h"
#include "model/grid/tokens.h"
#include "model/password.h"

static const struct rule primary_rules[] = {
    {.name = "new_primary_field_id", .kind = RULE_INTEGER, .flags = RULE_REQUIRED},
    {.name = NULL},
};

static void put_related(struct buf *b, const struct tx *tx, const struct grid_fields *related)
{
    bool started = false;

    buf_put_lit(b, "\"related_fields\":[");
    for (size_t i = 0; i < related->count; i++) {
        const struct grid_field *f = grid_field(tx->catalogue, related->ids[i]);
        if (!f)
            continue;
        if (started)
            buf_put_char(b, ',');
        started = true;
        shape_field(b, f);
    }
    buf_put_char(b, ']');
}

/* The field, and others of its table that changed with it. */
static int answer(struct request *r, struct tx *tx, int64_t id, const struct grid_fields *related)
{
    struct buf b;

    reply_begin(&b);
    shape_field(&b, grid_field(tx->catalogue, id));
    if (related) {
        b.len--; /* the object goes on */
        buf_put_char(&b, ',');
        put_related(&b, tx, related);
        buf_put_char(&b, '}');
    }
    return reply_json(r, tx, &b);
}

/* A token sees the fields of a table that it may touch in any way. */
static int check_token(struct request *r, struct tx *tx, const struct grid_table *t)
{
    const struct database_token *token = rest_of(r)->token;

    return !token || token_allows_any(token, t)
               ? 0
               : refuse_code(tx, ERROR_NO_PERMISSION_TO_TABLE, NULL);
}

static int fields_list(struct request *r, struct tx *tx)
{
    const struct grid_table *t;
    struct buf b;

    int rc = grid_find(tx, rest_of(r)->ids[0], &t);
    if (rc == 0)
        rc = check_token(r, tx, t);
    if (rc != 0)
        return rc;
    reply_begin(&b);
    buf_put_char(&b, '[');
    for (size_t i = 0; i < t->field_count; i++) {
        if (i > 0)
            buf_put_char(&b, ',');
        shape_field(&b, &t->fields[i]);
    }
    buf_put_char(&b, ']');
    return reply_json(r, tx, &b);
}

static int fields_create(struct request *r, struct tx *tx)
{
    const struct rest *rest = rest_of(r);
    struct grid_fields related = {0};
    int64_t id;

    int rc = grid_field_create(tx, rest->ids[0], rest->body, &id, &related);
    return rc == 0 ? answer(r, tx, id, &related) : rc;
}

static int fields_read(struct request *r, struct tx *tx)
{
    const struct grid_field *f;

    int rc = grid_find_field(tx, rest_of(r)->ids[0], &f);
    return rc == 0 ? answer(r, tx, f->id, NULL) : rc;
}

static int fields_change(struct request *r, struct tx *tx)
{
    const struct rest *rest = rest_of(r);
    struct grid_fields related = {0};

    int rc = grid_field_update(tx, rest->ids[0], rest->body, &related);
    return rc == 0 ? answer(r, tx, rest->ids[0], &related) : rc;
}

static int fields_delete(struct request *r, struct tx *tx)
{
    struct grid_fields related = {0};
    struct buf b;

    int rc = grid_field_delete(tx, rest_of(r)->ids[0], &related);
    if (rc != 0)
        return rc;
    reply_begin(&b);
    buf_put_char(&b, '{');
    put_related(&b, tx, &related);
    buf_put_char(&b, '}');
    return reply_json(r, tx, &b);
}

static int fields_make_primary(struct request *r, struct tx *tx)
{
    const struct rest *rest = rest_of(r);
    int64_t id = data_integer(rest->data, "new_primary_field_id", 0);
    struct grid_fields related = {0};

    int rc = grid_field_make_primary(tx, rest->ids[0], id, &related);
    return rc == 0 ? answer(r, tx, id, &related) : rc;
}

const struct route field_routes[] = {
    {"GET", "/api/database/fields/table/:id/", ON_READER(fields_list), ROUTE_TOKEN, NULL, NULL},
    {"POST", "/api/database/fields/table/:id/", ON_SCHEMA(fields_create), 0, NULL, NULL},
    {"POST", "/api/database/fields/table/:id/change-primary-field/", ON_WRITER(fields_make_primary),
     0, primary_rules, NULL},
    {"GET", "/api/database/fields/:id/", ON_READER(fields_read), 0, NULL, NULL},
    {"PATCH", "/api/database/fields/:id/", ON_SCHEMA(fields_change), 0, NULL, NULL},
    {"DELETE", "/api/database/fields/:id/", ON_SCHEMA(fields_delete), 0, NULL, NULL},
    {NULL, NULL, {0}, 0, NULL, NULL},
};
