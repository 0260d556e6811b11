/*
 * Permissions as rows with the built-in ones, and as what they add up to for the caller (D.7).
 */
#include "dialect/directus/rest.h"

#include "base/fault.h"
#include "model/access/members.h"
#include "model/system.h"

/* ---- GET /permissions ---- */

/* A built-in row as one of directus_permissions. */
static int built_in_row(struct tx *tx, const struct permission *p, struct value **row_out)
{
    const struct table *table = system_table(SYSTEM_PERMISSIONS);
    struct value *row = ARENA_ARRAY(tx->arena, struct value, table->shape.count);
    const struct {
        const char *column;
        const json_t *json;
    } cells[] = {{"permissions", p->permissions},
                 {"validation", p->validation},
                 {"presets", p->presets},
                 {"fields", p->fields}};
    row[system_column(SYSTEM_PERMISSIONS, "collection")] = value_text(p->collection);
    row[system_column(SYSTEM_PERMISSIONS, "action")] = value_text(p->action);
    for (size_t i = 0; i < COUNT_OF(cells); i++) {
        unsigned index = system_column(SYSTEM_PERMISSIONS, cells[i].column);
        if (cells[i].json &&
            type_read(&table->shape.columns[index], cells[i].json, tx->arena, &row[index]) != 0)
            return FAULT_BECAUSE(EINVAL, "a built-in permission has bad %s", cells[i].column);
    }
    *row_out = row;
    return 0;
}

/* Appends the columns that the query asks for, without an id, and `"system":true`. */
static void put_built_in(struct tx *tx, const struct query *q, const struct value *row,
                         struct buf *b)
{
    struct query shown = *q;
    struct output *outputs = ARENA_ARRAY(tx->arena, struct output, q->output_count + 1);
    struct str *labels = ARENA_ARRAY(tx->arena, struct str, q->output_count + 1);
    struct value *cells = ARENA_ARRAY(tx->arena, struct value, q->output_count + 1);
    size_t count = 0;
    for (size_t i = 0; i < q->output_count; i++) {
        if (q->outputs[i].column == table_key(q->table))
            continue;
        outputs[count] = q->outputs[i];
        labels[count] = q->labels[i];
        cells[count++] = row[q->outputs[i].column->index];
    }
    shown.outputs = outputs;
    shown.labels = labels;
    shown.output_count = count;
    query_write_row(b, &shown, cells);
    if (b->failed)
        return;
    b->len--; /* its closing brace */
    buf_put_str(b, count > 0 ? STR(",\"system\":true}") : STR("\"system\":true}"));
}

/* Into a list that is written already: behind its last row. */
static int append_built_in(struct tx *tx, const struct query *q, struct buf *b)
{
    size_t count;
    const struct permission *permissions = access_app_permissions(tx->arena, &count);
    b->len--; /* its closing bracket */
    for (size_t i = 0; i < count; i++) {
        struct value *row;
        int rc = built_in_row(tx, &permissions[i], &row);
        if (rc != 0)
            return rc;
        if (!expr_matches(q->filter, row, tx->now_ms))
            continue;
        if (b->at[b->len - 1] != '[')
            buf_put_char(b, ',');
        put_built_in(tx, q, row, b);
        if (b->failed)
            return 0; /* rest_end refuses */
    }
    buf_put_char(b, ']');
    return 0;
}

/* All rows, whatever limit was asked for. */
static int run_list(struct request *r, struct tx *tx)
{
    const struct rest *rest = rest_of(r);
    const struct table *table;
    struct query query;
    struct buf b;
    int rc = items_table(tx, system_table(SYSTEM_PERMISSIONS)->name, ACTION_READ, &table);
    if (rc == 0)
        rc = query_parse(tx, table, rest->query, &query);
    if (rc != 0)
        return rc;
    query.limit = -1;
    query.offset = 0;
    buf_init(&b, directus_settings()->response_bytes_max);
    buf_put_char(&b, '{');
    rc = items_write_meta(tx, &query, &b);
    buf_put_lit(&b, "\"data\":");
    if (rc == 0)
        rc = items_write_list(tx, &query, &b);
    if (rc == 0 && tx->principal->app)
        rc = append_built_in(tx, &query, &b);
    if (rc == 0)
        return rest_end(r, tx, &b);
    buf_deinit(&b);
    return rc;
}

/* ---- what they add up to ---- */

/* Of one action on one table, over all of the caller's permission rows. */
struct sum {
    bool any, full;
    json_t *fields;  /* an object as a set of names; NULL: no row has fields */
    json_t *presets; /* NULL: none */
};

struct permission_list {
    const struct permission **at;
    size_t count;
};

static struct permission_list list_permissions(struct tx *tx)
{
    const struct principal *p = tx->principal;
    size_t count = 0, app_count = 0;
    const struct permission *app = p->app ? access_app_permissions(tx->arena, &app_count) : NULL;
    for (size_t i = 0; i < p->policy_count; i++)
        count += p->policies[i]->permission_count;
    struct permission_list list = {
        ARENA_ARRAY(tx->arena, const struct permission *, count + app_count + 1), 0};
    for (size_t i = 0; i < p->policy_count; i++)
        for (size_t k = 0; k < p->policies[i]->permission_count; k++)
            list.at[list.count++] = &p->policies[i]->permissions[k];
    for (size_t i = 0; i < app_count; i++)
        list.at[list.count++] = &app[i];
    return list;
}

static json_t *own_object(struct tx *tx, json_t *there)
{
    if (there)
        return there;
    json_t *made = json_object();
    arena_on_free(tx->arena, json_release, made);
    return made;
}

static bool is_empty(const json_t *object)
{
    return !object || json_object_size(object) == 0;
}

static void add_permission(struct tx *tx, const struct permission *p, struct sum *sum)
{
    size_t index;
    json_t *name;
    sum->any = true;
    sum->full |= is_empty(p->permissions);
    if (p->fields)
        sum->fields = own_object(tx, sum->fields);
    json_array_foreach(p->fields, index, name)
    {
        json_object_set_new(sum->fields, arena_z(tx->arena, json_str(name)), json_true());
    }
    if (is_empty(p->presets))
        return;
    /* Shared by all principals: what goes into an object of ours is a copy. */
    const json_t *presets = principal_substitute(tx->principal, tx->arena, p->presets, tx->now_ms);
    sum->presets = own_object(tx, sum->presets);
    for (void *at = members_first(presets); at; at = members_next(presets, at))
        json_object_set_new(sum->presets, member_key(at).at, json_deep_copy(member_value(at)));
}

/* By action. */
static void add_up(struct tx *tx, const struct permission_list *list, const struct table *table,
                   struct sum *sums)
{
    enum action action;
    memset(sums, 0, ACTION_COUNT * sizeof(*sums));
    if (tx->principal->admin) {
        json_t *all = own_object(tx, NULL);
        json_object_set_new(all, "*", json_true());
        for (unsigned i = 0; i < ACTION_COUNT; i++)
            sums[i] = (struct sum){.any = true, .full = true, .fields = all};
        return;
    }
    for (size_t i = 0; i < list->count; i++)
        if (str_equal(list->at[i]->collection, table->name) &&
            action_find(list->at[i]->action, &action))
            add_permission(tx, list->at[i], &sums[action]);
}

static void put_fields(struct buf *b, const json_t *fields)
{
    const char *separator = "";
    if (json_get(fields, "*")) {
        buf_put_lit(b, ",\"fields\":[\"*\"]");
        return;
    }
    buf_put_lit(b, ",\"fields\":[");
    for (void *at = members_first(fields); at; at = members_next(fields, at)) {
        buf_put_str(b, str_of(separator));
        json_put_str(b, member_key(at));
        separator = ",";
    }
    buf_put_char(b, ']');
}

static void put_details(struct buf *b, const struct sum *sum)
{
    if (sum->fields)
        put_fields(b, sum->fields);
    if (sum->presets) {
        buf_put_lit(b, ",\"presets\":");
        json_put_value(b, sum->presets);
    }
}

static void put_table(struct buf *b, const struct table *table, const struct sum *sums)
{
    json_put_str(b, table->name);
    for (unsigned i = 0; i < ACTION_COUNT; i++) {
        buf_printf(b, "%s\"%s\":{\"access\":\"%s\"", i == 0 ? ":{" : ",", action_name(i),
                   sums[i].full  ? "full"
                   : sums[i].any ? "partial"
                                 : "none");
        put_details(b, &sums[i]);
        buf_put_char(b, '}');
    }
    buf_put_char(b, '}');
}

static int run_me(struct request *r, struct tx *tx)
{
    struct sum sums[ACTION_COUNT];
    struct buf b;
    bool first = true;
    if (!tx->principal->user.at)
        return refuse(tx, PROBLEM_FORBIDDEN, NULL);
    const struct permission_list list = list_permissions(tx);
    rest_begin(&b);
    buf_put_char(&b, '{');
    for (size_t i = 0; i < tx->catalogue->table_count; i++) {
        bool any = false;
        add_up(tx, &list, tx->catalogue->tables[i], sums);
        for (unsigned action = 0; action < ACTION_COUNT; action++)
            any |= sums[action].any;
        if (!any)
            continue;
        if (!first)
            buf_put_char(&b, ',');
        first = false;
        put_table(&b, tx->catalogue->tables[i], sums);
    }
    buf_put_char(&b, '}');
    return rest_end(r, tx, &b);
}

/* ---- /permissions/me/:collection/:pk ---- */

/* May the caller do it to this item, or, without a key, to any? */
static int check_item(struct tx *tx, const struct table *table, enum action action,
                      const struct item_key *key, bool *may_out)
{
    const struct grant *grant = principal_grant(tx->principal, table, action);
    int64_t count = 1;
    int rc = 0;
    if (grant && key && !tx->principal->admin) {
        const struct expr *is = expr_test(tx->arena, table_key(table), OP_EQ, &key->value, 1);
        const struct select select = {.shape = &table->shape,
                                      .where = expr_and(tx->arena, grant->rows, is),
                                      .limit = -1,
                                      .now_ms = tx->now_ms};
        rc = store_count(tx->store, &select, &count);
    }
    *may_out = grant && count > 0;
    return rc;
}

/* A singleton without a row is created by its first update. */
static int update_action(struct tx *tx, const struct table *table, enum action *action_out)
{
    const struct select select = {.shape = &table->shape, .limit = -1, .now_ms = tx->now_ms};
    int64_t count;
    int rc = table->singleton ? store_count(tx->store, &select, &count) : 0;
    *action_out = rc == 0 && table->singleton && count == 0 ? ACTION_CREATE : ACTION_UPDATE;
    return rc;
}

static int write_item(struct tx *tx, const struct table *table, const struct item_key *key,
                      struct buf *b)
{
    static const enum action asked[] = {ACTION_UPDATE, ACTION_DELETE, ACTION_SHARE};
    const struct permission_list list = list_permissions(tx);
    struct sum sums[ACTION_COUNT];
    enum action update;
    int rc = update_action(tx, table, &update);
    add_up(tx, &list, table, sums);
    for (size_t i = 0; i < COUNT_OF(asked) && rc == 0; i++) {
        enum action action = asked[i] == ACTION_UPDATE ? update : asked[i];
        bool may;
        rc = check_item(tx, table, action, key, &may);
        buf_printf(b, "%s\"%s\":{\"access\":%s", i == 0 ? "{" : ",", action_name(asked[i]),
                   may ? "true" : "false");
        if (table->singleton && asked[i] == ACTION_UPDATE)
            put_details(b, &sums[action]);
        buf_put_char(b, '}');
    }
    buf_put_char(b, '}');
    return rc;
}

static int answer_item(struct request *r, struct tx *tx, const struct table *table,
                       const struct item_key *key)
{
    struct buf b;
    rest_begin(&b);
    int rc = write_item(tx, table, key, &b);
    if (rc == 0)
        return rest_end(r, tx, &b);
    buf_deinit(&b);
    return rc;
}

static int run_collection(struct request *r, struct tx *tx)
{
    struct str name = rest_of(r)->parameters[0];
    const struct table *table = catalogue_table(tx->catalogue, name);
    return table ? answer_item(r, tx, table, NULL) : refuse_collection(tx, name);
}

static int run_item(struct request *r, struct tx *tx)
{
    const struct rest *rest = rest_of(r);
    const struct table *table = catalogue_table(tx->catalogue, rest->parameters[0]);
    struct item_key key;
    if (!table)
        return refuse_collection(tx, rest->parameters[0]);
    int rc = items_key_text(tx, table, rest->parameters[1], &key);
    return rc == 0 ? answer_item(r, tx, table, &key) : rc;
}

const struct route permission_routes[] = {
    {"GET", "/permissions", ON_READER(run_list), 0},
    {"GET", "/permissions/me", ON_READER(run_me), 0},
    {"GET", "/permissions/me/:collection", ON_READER(run_collection), 0},
    {"GET", "/permissions/me/:collection/:pk", ON_READER(run_item), 0},
    {NULL, NULL, {0}, 0},
};
