/* Applications of a workspace (9.4): databases, so far. */
#include "dialect/baserow/rest.h"
#include "dialect/baserow/shapes.h"
#include "model/grid/fields.h"
#include "model/grid/trash.h"

enum { APPLICATION_NAME_MAX = 160 };

static const struct rule create_rules[] = {
    {.name = "name",
     .kind = RULE_TEXT,
     .flags = RULE_REQUIRED,
     .min = 1,
     .max = APPLICATION_NAME_MAX},
    {.name = "type", .kind = RULE_CHOICE, .flags = RULE_REQUIRED, .choices = "database"},
    {.name = "init_with_data", .kind = RULE_BOOLEAN},
    {.name = NULL},
};
static const struct rule rename_rules[] = {
    {.name = "name",
     .kind = RULE_TEXT,
     .flags = RULE_REQUIRED,
     .min = 1,
     .max = APPLICATION_NAME_MAX},
    {.name = NULL},
};
static const struct rule order_rules[] = {
    {.name = "application_ids", .kind = RULE_IDS, .flags = RULE_REQUIRED},
    {.name = NULL},
};

/* Appends a workspace's applications to an array that is begun. */
static void put_applications(struct buf *b, const struct catalogue *c, const struct workspace *w)
{
    for (size_t i = 0; i < w->application_count; i++) {
        if (b->len > 1)
            buf_put_char(b, ',');
        shape_application(b, c, w->applications[i]);
    }
}

static int answer(struct request *r, struct tx *tx, const struct application *application)
{
    struct buf b;
    reply_begin(&b);
    shape_application(&b, tx->catalogue, application);
    return reply_json(r, tx, &b);
}

static int applications_list_all(struct request *r, struct tx *tx)
{
    const struct member *const *members;
    size_t count;
    int rc = workspace_list(tx, &members, &count);
    if (rc)
        return rc;
    struct buf b;
    reply_begin(&b);
    buf_put_char(&b, '[');
    for (size_t i = 0; i < count; i++)
        put_applications(&b, tx->catalogue, members[i]->workspace);
    buf_put_char(&b, ']');
    return reply_json(r, tx, &b);
}

static int applications_list(struct request *r, struct tx *tx)
{
    const struct workspace *w;
    int rc = workspace_find(tx, rest_of(r)->ids[0], MEMBER_MEMBER, &w);
    if (rc)
        return rc;
    struct buf b;
    reply_begin(&b);
    buf_put_char(&b, '[');
    put_applications(&b, tx->catalogue, w);
    buf_put_char(&b, ']');
    return reply_json(r, tx, &b);
}

static int applications_create(struct request *r, struct tx *tx)
{
    const struct rest *rest = rest_of(r);
    const struct workspace *w;
    int64_t id, table;
    int rc = workspace_find(tx, rest->ids[0], MEMBER_MEMBER, &w);
    if (rc)
        return rc;
    rc = application_create(tx, rest->ids[0], data_text(rest->data, "name"),
                            data_text(rest->data, "type"), &id);
    if (rc == 0 && data_boolean(rest->data, "init_with_data", false))
        rc = grid_table_create(tx, id, &(struct grid_draft){.name = STR("Table")}, &table);
    return rc ? rc : answer(r, tx, catalogue_application(tx->catalogue, id));
}

static int applications_order(struct request *r, struct tx *tx)
{
    const struct rest *rest = rest_of(r);
    const int64_t *ids;
    size_t count;
    data_ids(tx->arena, rest->data, "application_ids", &ids, &count);
    int rc = application_reorder(tx, rest->ids[0], ids, count);
    return rc ? rc : reply_empty(r);
}

static int applications_read(struct request *r, struct tx *tx)
{
    const struct application *application;
    int rc = application_find(tx, rest_of(r)->ids[0], &application);
    return rc ? rc : answer(r, tx, application);
}

static int applications_rename(struct request *r, struct tx *tx)
{
    const struct rest *rest = rest_of(r);
    int rc = application_rename(tx, rest->ids[0], data_text(rest->data, "name"));
    return rc ? rc : answer(r, tx, catalogue_application(tx->catalogue, rest->ids[0]));
}

static int applications_delete(struct request *r, struct tx *tx)
{
    int rc = trash_application(tx, rest_of(r)->ids[0]);
    return rc ? rc : reply_empty(r);
}

const struct route application_routes[] = {
    {"GET", "/api/applications/", ON_READER(applications_list_all), 0, NULL, NULL},
    {"GET", "/api/applications/workspace/:id/", ON_READER(applications_list), 0, NULL, NULL},
    {"POST", "/api/applications/workspace/:id/", ON_SCHEMA(applications_create), 0, create_rules,
     NULL},
    {"POST", "/api/applications/workspace/:id/order/", ON_WRITER(applications_order), 0,
     order_rules, NULL},
    {"GET", "/api/applications/:id/", ON_READER(applications_read), 0, NULL, NULL},
    {"PATCH", "/api/applications/:id/", ON_WRITER(applications_rename), 0, rename_rules, NULL},
    {"DELETE", "/api/applications/:id/", ON_WRITER(applications_delete), 0, NULL, NULL},
    {NULL, NULL, {0}, 0, NULL, NULL},
};
