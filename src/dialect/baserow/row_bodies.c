/* What rows are to be, as bodies tell it (9.7): one object, or a batch. Their cells are the model's
 * to judge. */
#include "dialect/baserow/rows.h"

/* ---- refusals ---- */

static int refuse_body(struct tx *tx, struct str detail)
{
    return refuse_code(tx, ERROR_REQUEST_BODY_VALIDATION, arena_z(tx->arena, detail));
}

/* `{"items":[{"error":…,"code":…}]}` */
static int refuse_items(struct tx *tx, const char *code, struct str error)
{
    return refuse_field(tx, "items", code, arena_z(tx->arena, error));
}

/* ---- one row ---- */

static int check_object(struct tx *tx, const json_t *body)
{
    json_t *data, *detail;
    if (validate(tx->arena, NULL, body, &data, &detail) == 0)
        return 0;
    return refuse_body(tx, json_text(tx->arena, detail));
}

int row_body_read(struct request *r, struct tx *tx, int64_t id, struct grid_inputs *inputs_out)
{
    const struct rest *rest = rest_of(r);
    struct grid_input *input = ARENA_NEW(tx->arena, struct grid_input);
    int rc = check_object(tx, rest->body);
    if (rc != 0)
        return rc;
    *input = (struct grid_input){.id = id, .cells = rest->body};
    *inputs_out =
        (struct grid_inputs){.at = input, .count = 1, .user_names = row_names_wanted(rest->query)};
    return 0;
}

/* ---- batches ---- */

static int find_items(struct tx *tx, const json_t *body, const json_t **items_out)
{
    const json_t *items = json_get(body, "items");
    size_t most = (size_t)baserow_settings()->batch_rows_max;
    int rc = check_object(tx, body);
    if (rc != 0)
        return rc;
    if (!items)
        return refuse_items(tx, "required", STR("This field is required."));
    if (json_is_null(items))
        return refuse_items(tx, "null", STR("This field may not be null."));
    if (!json_is_array(items))
        return refuse_items(tx, "not_a_list", STR("Expected a list of items."));
    if (json_array_size(items) == 0)
        return refuse_items(tx, "min_length", STR("Ensure this field has at least 1 elements."));
    if (json_array_size(items) > most)
        return refuse_items(
            tx, "max_length",
            arena_printf(tx->arena, "Ensure this field has no more than %zu elements.", most));
    *items_out = items;
    return 0;
}

static const struct rule id_rules[] = {
    {.name = "id", .kind = RULE_INTEGER, .flags = RULE_REQUIRED},
    {.name = NULL},
};

/* Mistakes of several items stand side by side: {"items":{"0":…,"2":…}}. */
static void put_mistake(struct buf *detail, struct arena *a, size_t index, const json_t *mistake)
{
    buf_put_str(detail, detail->len == 0 ? STR("{\"items\":{") : STR(","));
    buf_printf(detail, "\"%zu\":%.*s", index, STR_ARG(json_text(a, mistake)));
}

static int refuse_mistakes(struct tx *tx, struct buf *detail)
{
    int rc = 0;
    if (detail->len > 0) {
        buf_put_lit(detail, "}}");
        rc = refuse_body(tx, buf_str(detail));
    }
    buf_deinit(detail);
    return rc;
}

int row_batch_read(struct request *r, struct tx *tx, bool by_id, struct grid_inputs *inputs_out)
{
    const struct rest *rest = rest_of(r);
    const json_t *items;
    struct buf mistakes;
    int rc = find_items(tx, rest->body, &items);
    if (rc != 0)
        return rc;
    size_t count = json_array_size(items);
    struct grid_input *inputs = ARENA_ARRAY(tx->arena, struct grid_input, count);
    buf_init(&mistakes, SIZE_MAX);
    for (size_t i = 0; i < count; i++) {
        json_t *item = json_array_get(items, i), *data, *detail;
        if (validate(tx->arena, by_id ? id_rules : NULL, item, &data, &detail) > 0)
            put_mistake(&mistakes, tx->arena, i, detail);
        inputs[i] = (struct grid_input){.id = data_integer(data, "id", 0), .cells = item};
    }
    *inputs_out = (struct grid_inputs){
        .at = inputs, .count = count, .user_names = row_names_wanted(rest->query), .batch = true};
    return refuse_mistakes(tx, &mistakes);
}

int row_ids_read(struct request *r, struct tx *tx, const int64_t **ids_out, size_t *count_out)
{
    static const struct rule rules[] = {
        {.name = "items", .kind = RULE_IDS, .flags = RULE_REQUIRED},
        {.name = NULL},
    };
    const json_t *items;
    json_t *data, *detail;
    int rc = find_items(tx, rest_of(r)->body, &items);
    if (rc != 0)
        return rc;
    if (validate(tx->arena, rules, rest_of(r)->body, &data, &detail) > 0)
        return refuse_body(tx, json_text(tx->arena, detail));
    data_ids(tx->arena, data, "items", ids_out, count_out);
    return 0;
}

/* ---- passwords ---- */

static int prepare_row(struct tx *tx, const struct grid_table *t, const json_t *row,
                       bool user_names)
{
    int rc = 0;
    for (size_t i = 0; i < t->field_count && rc == 0; i++) {
        const struct grid_field *f = &t->fields[i];
        if (f->kind->id != KIND_PASSWORD || f->read_only)
            continue;
        struct str key =
            user_names ? f->name : arena_printf(tx->arena, "field_%lld", (long long)f->id);
        const json_t *json = json_object_getn(row, key.at, key.len);
        if (json && kind_needs_preparing(f, json))
            rc = kind_prepare(tx, f, json);
    }
    return rc;
}

int row_body_prepare(struct request *r, struct tx *tx, const struct grid_table *t)
{
    const struct rest *rest = rest_of(r);
    const json_t *items = json_get(rest->body, "items");
    bool user_names = row_names_wanted(rest->query);
    int rc = prepare_row(tx, t, rest->body, user_names);
    for (size_t i = 0; i < json_array_size(items) && rc == 0; i++)
        rc = prepare_row(tx, t, json_array_get(items, i), user_names);
    return rc;
}

bool row_body_has_secrets(const struct catalogue *c, const struct rest *rest)
{
    const struct grid_table *t = grid_table(c, rest->ids[0]);
    for (size_t i = 0; t && i < t->field_count; i++)
        if (t->fields[i].kind->id == KIND_PASSWORD)
            return true;
    return false;
}
