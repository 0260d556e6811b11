/* Tables of a database (9.5). What takes long is a job (jobs.c). */
#include "dialect/baserow/rest.h"
#include "dialect/baserow/shapes.h"
#include "dialect/baserow/table_data.h"
#include "model/grid/fields.h"

enum { TABLE_NAME_MAX = 255 };

static const struct rule create_rules[] = {
    {.name = "name", .kind = RULE_TEXT, .flags = RULE_REQUIRED, .min = 1, .max = TABLE_NAME_MAX},
    {.name = "data", .kind = RULE_JSON},
    {.name = "first_row_header", .kind = RULE_BOOLEAN},
    {.name = NULL},
};
static const struct rule rename_rules[] = {
    {.name = "name", .kind = RULE_TEXT, .min = 1, .max = TABLE_NAME_MAX},
    {.name = NULL},
};
static const struct rule order_rules[] = {
    {.name = "table_ids", .kind = RULE_IDS, .flags = RULE_REQUIRED},
    {.name = NULL},
};

static int answer(struct request *r, struct tx *tx, int64_t id)
{
    struct buf b;

    reply_begin(&b);
    shape_table(&b, grid_table(tx->catalogue, id));
    return reply_json(r, tx, &b);
}

static int tables_list(struct request *r, struct tx *tx)
{
    const struct application *application;
    size_t count;
    struct buf b;

    int rc = grid_find_application(tx, rest_of(r)->ids[0], &application);
    if (rc != 0)
        return rc;
    const struct grid_table *const *tables = grid_tables(tx->catalogue, application->id, &count);
    reply_begin(&b);
    buf_put_char(&b, '[');
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_put_char(&b, ',');
        shape_table(&b, tables[i]);
    }
    buf_put_char(&b, ']');
    return reply_json(r, tx, &b);
}

static int tables_create(struct request *r, struct tx *tx)
{
    const struct rest *rest = rest_of(r);
    const struct application *application;
    struct grid_draft draft;
    int64_t id;

    int rc = grid_find_application(tx, rest->ids[0], &application);
    if (rc == 0)
        rc = table_data_read(tx, rest->data, TABLE_DATA_AT_ONCE, &draft);
    if (rc == 0)
        rc = grid_table_create(tx, application->id, &draft, &id);
    return rc == 0 ? answer(r, tx, id) : rc;
}

static int tables_order(struct request *r, struct tx *tx)
{
    const struct rest *rest = rest_of(r);
    const int64_t *ids;
    size_t count;

    data_ids(tx->arena, rest->data, "table_ids", &ids, &count);
    int rc = grid_table_reorder(tx, rest->ids[0], ids, count);
    return rc == 0 ? reply_empty(r) : rc;
}

static int tables_read(struct request *r, struct tx *tx)
{
    const struct grid_table *t;

    int rc = grid_find(tx, rest_of(r)->ids[0], &t);
    return rc == 0 ? answer(r, tx, t->id) : rc;
}

static int tables_rename(struct request *r, struct tx *tx)
{
    const struct rest *rest = rest_of(r);
    const struct grid_table *t;

    int rc = grid_find(tx, rest->ids[0], &t);
    if (rc == 0 && data_is_sent(rest->data, "name"))
        rc = grid_table_rename(tx, rest->ids[0], data_text(rest->data, "name"));
    return rc == 0 ? answer(r, tx, rest->ids[0]) : rc;
}

static int tables_delete(struct request *r, struct tx *tx)
{
    int rc = grid_table_delete(tx, rest_of(r)->ids[0]);

    return rc == 0 ? reply_empty(r) : rc;
}

const struct route table_routes[] = {
    {"GET", "/api/database/tables/database/:id/", ON_READER(tables_list), 0, NULL, NULL},
    {"POST", "/api/database/tables/database/:id/", ON_SCHEMA(tables_create), 0, create_rules, NULL},
    {"POST", "/api/database/tables/database/:id/order/", ON_WRITER(tables_order), 0, order_rules,
     NULL},
    {"GET", "/api/database/tables/:id/", ON_READER(tables_read), 0, NULL, NULL},
    {"PATCH", "/api/database/tables/:id/", ON_WRITER(tables_rename), 0, rename_rules, NULL},
    {"DELETE", "/api/database/tables/:id/", ON_WRITER(tables_delete), 0, NULL, NULL},
    {NULL, NULL, {0}, 0, NULL, NULL},
};
