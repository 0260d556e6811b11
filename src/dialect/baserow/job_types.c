/* What jobs do: duplicates (9.4 to 9.6) and imports (9.5), and the routes that ask for them. */
#include "dialect/baserow/jobs.h"
#include "dialect/baserow/shapes.h"
#include "dialect/baserow/table_data.h"
#include "model/grid/fields.h"
#include "model/grid/import.h"

enum { TABLE_NAME_MAX = 255 };

/* ---- duplicates ---- */

/* A job is told long after it ended: who has left the workspace is not told what it has become. */
static bool is_shown(const struct job_facts *facts, const struct application *application)
{
    return workspace_member(application->workspace, facts->user) != NULL;
}

static void put_table(struct buf *b, const char *key, const struct catalogue *c,
                      const struct job_facts *facts, int64_t id)
{
    const struct grid_table *t = id != 0 ? grid_table(c, id) : NULL;

    shape_key(b, key);
    if (t && is_shown(facts, t->application))
        shape_table(b, t);
    else
        buf_put_lit(b, "null");
}

static int plan_table(struct tx *tx, json_t *data, struct job_wish *wish)
{
    const struct grid_table *t;

    wish->subject = data_integer(data, "table_id", 0);
    return grid_find(tx, wish->subject, &t);
}

static int duplicate_table(struct tx *tx, const struct job_wish *wish, struct job_result *result)
{
    return grid_table_duplicate(tx, wish->subject, STR_NULL, &result->made);
}

static void put_tables(struct buf *b, const struct catalogue *c, const struct job_facts *facts)
{
    put_table(b, "original_table", c, facts, facts->wish.subject);
    put_table(b, "duplicated_table", c, facts, facts->result.made);
}

static int plan_field(struct tx *tx, json_t *data, struct job_wish *wish)
{
    const struct grid_field *f;

    wish->subject = data_integer(data, "field_id", 0);
    wish->flag = data_boolean(data, "duplicate_data", false);
    return grid_find_field(tx, wish->subject, &f);
}

static int duplicate_field(struct tx *tx, const struct job_wish *wish, struct job_result *result)
{
    return grid_field_duplicate(tx, wish->subject, wish->flag, &result->made);
}

/* The duplicate is told like the answer to a field that is made: nothing changes along with it. */
static void put_fields(struct buf *b, const struct catalogue *c, const struct job_facts *facts)
{
    const struct grid_field *original = grid_field(c, facts->wish.subject);
    const struct grid_field *made =
        facts->result.made != 0 ? grid_field(c, facts->result.made) : NULL;

    shape_key(b, "original_field");
    if (original && is_shown(facts, original->table->application))
        shape_field(b, original);
    else
        buf_put_lit(b, "null");
    shape_key(b, "duplicated_field");
    if (!made || !is_shown(facts, made->table->application)) {
        buf_put_lit(b, "null");
        return;
    }
    shape_field(b, made);
    b->len--; /* the object goes on */
    buf_put_lit(b, ",\"related_fields\":[]}");
}

static int plan_application(struct tx *tx, json_t *data, struct job_wish *wish)
{
    const struct application *application;

    wish->subject = data_integer(data, "application_id", 0);
    return grid_find_application(tx, wish->subject, &application);
}

static int duplicate_application(struct tx *tx, const struct job_wish *wish,
                                 struct job_result *result)
{
    return grid_application_duplicate(tx, wish->subject, &result->made);
}

static void put_application(struct buf *b, const char *key, const struct catalogue *c,
                            const struct job_facts *facts, int64_t id)
{
    const struct application *application = id != 0 ? catalogue_application(c, id) : NULL;

    shape_key(b, key);
    if (application && is_shown(facts, application))
        shape_application(b, c, application);
    else
        buf_put_lit(b, "null");
}

static void put_applications(struct buf *b, const struct catalogue *c,
                             const struct job_facts *facts)
{
    put_application(b, "original_application", c, facts, facts->wish.subject);
    put_application(b, "duplicated_application", c, facts, facts->result.made);
}

/* ---- imports: into a new table of a database, or (with a subject) into one that is there ---- */

static const struct rule configuration_rules[] = {
    {.name = "upsert_fields", .kind = RULE_IDS, .flags = RULE_NULL},
    {.name = "upsert_values", .kind = RULE_JSON, .flags = RULE_NULL},
    {.name = "skipped_fields", .kind = RULE_IDS, .flags = RULE_NULL},
    {.name = NULL},
};

static int refuse_configuration(struct tx *tx, json_t *detail)
{
    json_t *nested = json_pack("{s:O}", "configuration", detail);

    arena_on_free(tx->arena, json_release, nested);
    return refuse_code(tx, ERROR_REQUEST_BODY_VALIDATION, json_text(tx->arena, nested).at);
}

/* Of a body; everything in it goes on living with that, or in the arena. */
static int read_import(struct tx *tx, const json_t *body, struct grid_import *import)
{
    const json_t *configuration = json_get(body, "configuration");
    json_t *data, *detail;

    *import = (struct grid_import){.rows = json_get(body, "data")};
    int rc = table_data_check(tx, import->rows);
    if (rc != 0)
        return rc;
    if (configuration && !json_is_null(configuration) && !json_is_object(configuration))
        return refuse_field(tx, "configuration", "invalid", "A dictionary is expected.");
    if (json_is_null(configuration))
        configuration = NULL;
    if (validate(tx->arena, configuration_rules, configuration, &data, &detail) > 0)
        return refuse_configuration(tx, detail);
    data_ids(tx->arena, data, "skipped_fields", &import->skipped, &import->skipped_count);
    data_ids(tx->arena, data, "upsert_fields", &import->identifying, &import->identifying_count);
    import->keys = json_get(configuration, "upsert_values");
    return 0;
}

static int plan_rows(struct tx *tx, struct job_wish *wish)
{
    const struct grid_table *t;
    struct grid_import import;

    int rc = grid_find(tx, wish->subject, &t);
    if (rc == 0)
        rc = read_import(tx, wish->data, &import);
    if (rc == 0)
        rc = grid_import_check(tx, t, &import);
    if (rc != 0)
        return rc;
    wish->database = t->application->id;
    wish->rows_only = true;
    wish->name = t->name;
    return 0;
}

static int plan_new_table(struct tx *tx, struct job_wish *wish)
{
    const struct application *application;
    struct grid_draft draft;

    int rc = grid_find_application(tx, wish->database, &application);
    if (rc == 0)
        rc = table_data_read(tx, wish->data, TABLE_DATA_JOB, &draft);
    if (rc != 0)
        return rc;
    wish->name = draft.name;
    return 0;
}

static int plan_import(struct tx *tx, json_t *data, struct job_wish *wish)
{
    wish->subject = data_integer(data, "table_id", 0);
    wish->database = data_integer(data, "database_id", 0);
    wish->flag = data_boolean(data, "first_row_header", false);
    wish->data = data;
    if (wish->subject != 0)
        return plan_rows(tx, wish);
    if (wish->database == 0)
        return refuse_field(tx, "database_id", "required", "This field is required.");
    if (!data_is_sent(data, "name"))
        return refuse_field(tx, "name", "required", "This field is required.");
    return plan_new_table(tx, wish);
}

static int import_rows(struct tx *tx, const struct job_wish *wish, struct job_result *result)
{
    struct grid_import import;
    const json_t *failing;

    int rc = read_import(tx, wish->data, &import);
    if (rc == 0)
        rc = grid_import(tx, wish->subject, &import, &failing);
    if (rc == 0)
        result->report = json_text(tx->arena, failing);
    return rc;
}

static int import_table(struct tx *tx, const struct job_wish *wish, struct job_result *result)
{
    struct grid_draft draft;

    int rc = table_data_read(tx, wish->data, TABLE_DATA_JOB, &draft);
    return rc == 0 ? grid_table_create(tx, wish->database, &draft, &result->made) : rc;
}

static int import(struct tx *tx, const struct job_wish *wish, struct job_result *result)
{
    return wish->subject != 0 ? import_rows(tx, wish, result) : import_table(tx, wish, result);
}

static void put_import(struct buf *b, const struct catalogue *c, const struct job_facts *facts)
{
    int64_t table = facts->wish.subject != 0 ? facts->wish.subject : facts->result.made;

    (void)c;
    shape_int(b, "database_id", facts->wish.database);
    shape_text(b, "name", facts->wish.name);
    if (table != 0)
        shape_int(b, "table_id", table);
    else
        shape_text_or_null(b, "table_id", STR_NULL);
    shape_bool(b, "first_row_header", facts->wish.flag);
    shape_key(b, "report");
    buf_put_lit(b, "{\"failing_rows\":");
    buf_put_str(b, facts->result.report.len > 0 ? facts->result.report : STR("{}"));
    buf_put_char(b, '}');
}

/* ---- the types ---- */

static const struct rule table_rules[] = {
    {.name = "table_id", .kind = RULE_INTEGER, .flags = RULE_REQUIRED},
    {.name = NULL},
};
static const struct rule field_rules[] = {
    {.name = "field_id", .kind = RULE_INTEGER, .flags = RULE_REQUIRED},
    {.name = "duplicate_data", .kind = RULE_BOOLEAN},
    {.name = NULL},
};
static const struct rule application_rules[] = {
    {.name = "application_id", .kind = RULE_INTEGER, .flags = RULE_REQUIRED},
    {.name = NULL},
};
static const struct rule import_rules[] = {
    {.name = "table_id", .kind = RULE_INTEGER, .flags = RULE_NULL},
    {.name = "database_id", .kind = RULE_INTEGER},
    {.name = "name", .kind = RULE_TEXT, .min = 1, .max = TABLE_NAME_MAX},
    {.name = "data", .kind = RULE_JSON, .flags = RULE_NULL},
    {.name = "first_row_header", .kind = RULE_BOOLEAN},
    {.name = "configuration", .kind = RULE_JSON, .flags = RULE_NULL},
    {.name = NULL},
};

const struct job_type job_duplicate_table = {
    .name = "duplicate_table",
    .rules = table_rules,
    .plan = plan_table,
    .work = duplicate_table,
    .put = put_tables,
};
const struct job_type job_duplicate_field = {
    .name = "duplicate_field",
    .rules = field_rules,
    .plan = plan_field,
    .work = duplicate_field,
    .put = put_fields,
};
const struct job_type job_duplicate_application = {
    .name = "duplicate_application",
    .rules = application_rules,
    .plan = plan_application,
    .work = duplicate_application,
    .put = put_applications,
};
const struct job_type job_file_import = {
    .name = "file_import",
    .rules = import_rules,
    .plan = plan_import,
    .work = import,
    .put = put_import,
};

/* ---- routes: what the path says is among the data of the job ---- */

static int ask(struct request *r, struct tx *tx, const char *key, const struct job_type *type,
               int status)
{
    struct rest *rest = rest_of(r);

    json_object_set_new(rest->data, key, json_integer(rest->ids[0]));
    return job_ask(r, tx, type, status);
}

static int tables_duplicate(struct request *r, struct tx *tx)
{
    return ask(r, tx, "table_id", &job_duplicate_table, 202);
}

static int fields_duplicate(struct request *r, struct tx *tx)
{
    return ask(r, tx, "field_id", &job_duplicate_field, 202);
}

static int applications_duplicate(struct request *r, struct tx *tx)
{
    return ask(r, tx, "application_id", &job_duplicate_application, 202);
}

static int tables_create_later(struct request *r, struct tx *tx)
{
    return ask(r, tx, "database_id", &job_file_import, 200);
}

static int tables_import(struct request *r, struct tx *tx)
{
    return ask(r, tx, "table_id", &job_file_import, 200);
}

static const struct rule duplicate_rules[] = {
    {.name = "duplicate_data", .kind = RULE_BOOLEAN},
    {.name = NULL},
};
static const struct rule new_table_rules[] = {
    {.name = "name", .kind = RULE_TEXT, .flags = RULE_REQUIRED, .min = 1, .max = TABLE_NAME_MAX},
    {.name = "data", .kind = RULE_JSON, .flags = RULE_NULL},
    {.name = "first_row_header", .kind = RULE_BOOLEAN},
    {.name = NULL},
};
static const struct rule row_rules[] = {
    {.name = "data", .kind = RULE_JSON, .flags = RULE_REQUIRED},
    {.name = "configuration", .kind = RULE_JSON, .flags = RULE_NULL},
    {.name = NULL},
};

const struct route job_type_routes[] = {
    {"POST", "/api/applications/:id/duplicate/async/", ASKS_FOR_JOB(applications_duplicate), 0,
     NULL, NULL},
    {"POST", "/api/database/tables/database/:id/async/", ASKS_FOR_JOB(tables_create_later), 0,
     new_table_rules, NULL},
    {"POST", "/api/database/tables/:id/duplicate/async/", ASKS_FOR_JOB(tables_duplicate), 0, NULL,
     NULL},
    {"POST", "/api/database/tables/:id/import/async/", ASKS_FOR_JOB(tables_import), 0, row_rules,
     NULL},
    {"POST", "/api/database/fields/:id/duplicate/async/", ASKS_FOR_JOB(fields_duplicate), 0,
     duplicate_rules, NULL},
    {NULL, NULL, {0}, 0, NULL, NULL},
};
