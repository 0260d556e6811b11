/* Fields of a table (9.6, 10). */
#include "model/grid/fields.h"
#include "dialect/baserow/rest.h"
#include "dialect/baserow/shapes.h"
#include "model/grid/cells.h"
#include "model/grid/tokens.h"

enum { DISTINCT_MAX = 50 };

/* All of 10.3. Which of them can be made here, and what there is to say of each, is the model's to
 * judge. */
#define FIELD_TYPES                                                                                \
    "text,long_text,url,email,phone_number,number,rating,boolean,date,last_modified,created_on,"   \
    "last_modified_by,created_by,duration,link_row,file,single_select,multiple_select,"            \
    "multiple_collaborators,formula,count,rollup,lookup,uuid,autonumber,password,ai"

static const struct rule create_rules[] = {
    {.name = "name", .kind = RULE_TEXT, .flags = RULE_REQUIRED | RULE_BLANK},
    {.name = "type", .kind = RULE_CHOICE, .flags = RULE_REQUIRED, .choices = FIELD_TYPES},
    {.name = "description", .kind = RULE_TEXT, .flags = RULE_NULL | RULE_BLANK},
    {.name = "db_index", .kind = RULE_BOOLEAN},
    {.name = "has_related_field", .kind = RULE_BOOLEAN},
    {.name = "link_row_multiple_relationships", .kind = RULE_BOOLEAN},
    {.name = NULL},
};
static const struct rule change_rules[] = {
    {.name = "name", .kind = RULE_TEXT, .flags = RULE_BLANK},
    {.name = "type", .kind = RULE_CHOICE, .choices = FIELD_TYPES},
    {.name = "description", .kind = RULE_TEXT, .flags = RULE_NULL | RULE_BLANK},
    {.name = "db_index", .kind = RULE_BOOLEAN},
    {.name = "has_related_field", .kind = RULE_BOOLEAN},
    {.name = "link_row_multiple_relationships", .kind = RULE_BOOLEAN},
    {.name = NULL},
};
static const struct rule distinct_rules[] = {
    {.name = "limit", .kind = RULE_INTEGER, .min = 0},
    {.name = "split_comma_separated", .kind = RULE_BOOLEAN},
    {.name = NULL},
};
static const struct rule password_rules[] = {
    {.name = "field_id", .kind = RULE_INTEGER, .flags = RULE_REQUIRED, .min = 1},
    {.name = "row_id", .kind = RULE_INTEGER, .flags = RULE_REQUIRED, .min = 1},
    {.name = "password", .kind = RULE_SECRET, .flags = RULE_REQUIRED},
    {.name = NULL},
};
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

static int fields_distinct(struct request *r, struct tx *tx)
{
    const struct rest *rest = rest_of(r);
    int64_t limit = data_integer(rest->asked, "limit", 0);
    const struct grid_field *f;
    struct cell_texts texts;
    struct buf b;

    if (limit <= 0 || limit > DISTINCT_MAX)
        limit = DISTINCT_MAX;
    int rc = grid_find_field(tx, rest->ids[0], &f);
    if (rc == 0)
        rc = cells_distinct(tx, f, (size_t)limit,
                            data_boolean(rest->asked, "split_comma_separated", false), &texts);
    if (rc != 0)
        return rc;
    reply_begin(&b);
    buf_put_lit(&b, "{\"values\":[");
    for (size_t i = 0; i < texts.count; i++) {
        if (i > 0)
            buf_put_char(&b, ',');
        json_put_str(&b, texts.at[i]);
    }
    buf_put_lit(&b, "]}");
    return reply_json(r, tx, &b);
}

/* The slow half, on a reader. */
static int prepare_password(struct request *r, struct tx *tx)
{
    const json_t *data = rest_of(r)->data;
    bool right = false;

    int rc =
        cell_check_password(tx, data_integer(data, "field_id", 0), data_integer(data, "row_id", 0),
                            data_text(data, "password"), &right);
    if (rc == 0 && !right)
        rc = refuse_code(tx, ERROR_INVALID_PASSWORD_FIELD_PASSWORD, NULL);
    return rc;
}

static int fields_authenticate(struct request *r, struct tx *tx)
{
    struct buf b;

    reply_begin(&b);
    buf_put_lit(&b, "{\"is_correct\":true}");
    return reply_json(r, tx, &b);
}

const struct route field_routes[] = {
    {"GET", "/api/database/fields/table/:id/", ON_READER(fields_list), ROUTE_TOKEN, NULL, NULL},
    {"POST", "/api/database/fields/table/:id/", ON_SCHEMA(fields_create), 0, create_rules, NULL},
    {"POST", "/api/database/fields/table/:id/change-primary-field/", ON_WRITER(fields_make_primary),
     0, primary_rules, NULL},
    {"GET", "/api/database/fields/:id/", ON_READER(fields_read), 0, NULL, NULL},
    {"PATCH", "/api/database/fields/:id/", ON_SCHEMA(fields_change), 0, change_rules, NULL},
    {"DELETE", "/api/database/fields/:id/", ON_SCHEMA(fields_delete), 0, NULL, NULL},
    {"GET", "/api/database/fields/:id/unique_row_values/", ON_READER(fields_distinct), 0, NULL,
     distinct_rules},
    {"POST", "/api/database/fields/password-authentication/",
     ON_READER_AFTER(fields_authenticate, prepare_password), ROUTE_PUBLIC | ROUTE_STALLS,
     password_rules, NULL},
    {NULL, NULL, {0}, 0, NULL, NULL},
};
