#include "model/items/query.h"

#include <math.h>

#include "model/access/filter.h"
#include "model/access/members.h"
#include "model/problem.h"

/*
 * A query comes as JSON from a socket or a body, or as text from a URL, so that each key takes both
 * a value of its kind and the text of one.
 */

static int refuse_later(struct tx *tx, const char *what, struct str name)
{
    return refuse(tx, PROBLEM_INVALID_QUERY, "%s (\"%.*s\") is not supported yet", what,
                  STR_ARG(name));
}

/* ---- lists of names ---- */

/*
 * Calls `name` for each name of an array of texts, or of comma text; texts in an array may be comma
 * text themselves, as `fields[]=a,b` in a URL. Names are trimmed, empty ones left out.
 */
typedef int name_fn(struct tx *tx, struct str name, void *context);

static int each_name_in(struct tx *tx, struct str text, name_fn *name, void *context)
{
    struct str part;
    int rc = 0;
    while (rc == 0 && str_next(&text, ',', &part)) {
        part = str_trim(part);
        if (part.len > 0)
            rc = name(tx, part, context);
    }
    return rc;
}

static int each_name(struct tx *tx, const char *key, const json_t *list, name_fn *name,
                     void *context)
{
    size_t index;
    json_t *item;
    int rc = 0;
    if (json_is_string(list))
        return each_name_in(tx, json_str(list), name, context);
    if (!json_is_array(list) && !json_is_object(list))
        return refuse(tx, PROBLEM_INVALID_QUERY, "\"%s\" has to be a list of names", key);
    json_array_foreach(list, index, item)
    {
        if (!json_is_string(item))
            return refuse(tx, PROBLEM_INVALID_QUERY, "\"%s\" has to be a list of names", key);
        rc = each_name_in(tx, json_str(item), name, context);
        if (rc)
            return rc;
    }
    /* An array that was too long for a URL's parser comes as an object. */
    for (void *at = members_first(list); at && rc == 0; at = members_next(list, at)) {
        if (!json_is_string(member_value(at)))
            return refuse(tx, PROBLEM_INVALID_QUERY, "\"%s\" has to be a list of names", key);
        rc = each_name_in(tx, json_str(member_value(at)), name, context);
    }
    return rc;
}

/* A field that may be read, by its name. 0, or REFUSED. */
static int find_field(struct tx *tx, const struct query *q, struct str name,
                      const struct field **field_out)
{
    const struct field *field = table_field(q->table, name);
    if (field && !field_hidden(field) && column_set_has(&q->grant->fields, field->column->index)) {
        *field_out = field;
        return 0;
    }
    if (!field && str_contains(name, STR("(")))
        return refuse_later(tx, "A function", name);
    if (!field && (str_contains(name, STR(".")) || str_contains(name, STR(":"))))
        return refuse_later(tx, "A path through a relation", name);
    return refuse_fields(tx, q->table->name, name);
}

static const struct expr *mask_of(const struct query *q, const struct field *field)
{
    return q->grant->masks ? q->grant->masks[field->column->index] : NULL;
}

/* ---- fields ---- */

struct field_list {
    struct query *query;
    struct output *outputs;
    struct str *labels;
};

/* `"name":`, as it begins a member of an object. */
static struct str label(struct arena *a, struct str name)
{
    struct buf text;
    buf_init(&text, SIZE_MAX);
    json_put_str(&text, name);
    buf_put_char(&text, ':');
    struct str made = arena_str(a, buf_str(&text));
    buf_deinit(&text);
    return made;
}

static void add_field(struct tx *tx, struct field_list *list, const struct field *field)
{
    struct query *q = list->query;
    if (column_set_has(&q->fields, field->column->index))
        return;
    column_set_add(&q->fields, field->column->index);
    list->labels[q->output_count] = label(tx->arena, field->name);
    list->outputs[q->output_count++] = (struct output){field->column, mask_of(q, field)};
}

static void add_all_fields(struct tx *tx, struct field_list *list)
{
    const struct query *q = list->query;
    for (size_t i = 0; i < q->table->shape.count; i++)
        if (!field_hidden(&q->table->fields[i]) && column_set_has(&q->grant->fields, (unsigned)i))
            add_field(tx, list, &q->table->fields[i]);
}

static int add_field_name(struct tx *tx, struct str name, void *context)
{
    struct field_list *list = context;
    const struct field *field = NULL;
    if (str_equal(name, STR("*"))) {
        add_all_fields(tx, list);
        return 0;
    }
    int rc = find_field(tx, list->query, name, &field);
    if (rc == 0)
        add_field(tx, list, field);
    return rc;
}

static int read_fields(struct tx *tx, const json_t *json, struct query *q)
{
    size_t count = q->table->shape.count;
    struct field_list list = {.query = q,
                              .outputs = ARENA_ARRAY(tx->arena, struct output, count),
                              .labels = ARENA_ARRAY(tx->arena, struct str, count)};
    q->outputs = list.outputs;
    q->labels = list.labels;
    int rc = json ? each_name(tx, "fields", json, add_field_name, &list) : 0;
    if (rc == 0 && q->output_count == 0)
        add_all_fields(tx, &list);
    /* Rows may be granted without a field: then there is nothing to read. */
    if (rc == 0 && q->output_count == 0)
        return refuse_collection(tx, q->table->name);
    return rc;
}

/* ---- sort ---- */

struct order_list {
    struct query *query;
    struct order *orders;
    struct column_set sorted;
};

static void add_order(struct order_list *list, const struct field *field, bool descending)
{
    if (column_set_has(&list->sorted, field->column->index))
        return; /* rows that are equal in it stay equal */
    column_set_add(&list->sorted, field->column->index);
    list->orders[list->query->order_count++] = (struct order){
        .column = field->column, .mask = mask_of(list->query, field), .descending = descending};
}

static int add_order_name(struct tx *tx, struct str name, void *context)
{
    struct order_list *list = context;
    const struct field *field = NULL;
    bool descending = name.at[0] == '-';
    if (descending)
        name = str_trim(str_skip(name, 1));
    int rc = find_field(tx, list->query, name, &field);
    if (rc)
        return rc;
    if (field_is_concealed(field))
        return refuse(tx, PROBLEM_INVALID_QUERY, "Field \"%.*s\" cannot be sorted by",
                      STR_ARG(name));
    add_order(list, field, descending);
    return 0;
}

/* The table's sort field, else its key; the first permitted field if that one is not permitted. */
static void add_default_order(struct order_list *list)
{
    const struct query *q = list->query;
    const struct table *table = q->table;
    const struct field *field = table->sort_field.at ? table_field(table, table->sort_field) : NULL;
    if (!field)
        field = &table->fields[table->shape.key];
    if (column_set_has(&q->grant->fields, field->column->index)) {
        add_order(list, field, false);
        return;
    }
    for (size_t i = 0; i < table->shape.count; i++) {
        field = &table->fields[i];
        if (!field_hidden(field) && !field_is_concealed(field) &&
            column_set_has(&q->grant->fields, (unsigned)i)) {
            add_order(list, field, false);
            return;
        }
    }
}

static int read_sort(struct tx *tx, const json_t *json, struct query *q)
{
    size_t most = json ? q->table->shape.count : 1;
    struct order_list list = {.query = q, .orders = ARENA_ARRAY(tx->arena, struct order, most)};
    q->orders = list.orders;
    int rc = json ? each_name(tx, "sort", json, add_order_name, &list) : 0;
    if (rc == 0 && q->order_count == 0)
        add_default_order(&list);
    return rc;
}

/* ---- limit, offset, page (E.6) ---- */

/* An integer, or text of one; absent and empty text leave *number_out alone. */
static int read_integer(struct tx *tx, const char *key, const json_t *json, int64_t least,
                        int64_t *number_out)
{
    const double safe_max = 9007199254740991.0;
    int64_t number = 0;
    struct str text = str_trim(json_str(json));
    if (!json || (json_is_string(json) && text.len == 0))
        return 0;
    double real = json_real_value(json);
    if (json_is_integer(json))
        number = json_integer_value(json);
    else if (json_is_real(json) && real == trunc(real) && fabs(real) <= safe_max)
        number = (int64_t)real;
    else if (str_to_int64(text, &number) != 0)
        return refuse(tx, PROBLEM_INVALID_QUERY, "\"%s\" has to be an integer", key);
    if (number < least)
        return refuse(tx, PROBLEM_INVALID_QUERY, "\"%s\" must be greater than or equal to %lld",
                      key, (long long)least);
    *number_out = number;
    return 0;
}

static int read_limit(struct tx *tx, const json_t *json, struct query *q)
{
    enum { UNSET = -2 };
    int64_t limit = UNSET, max = tx->settings->query_limit_max;
    int rc = read_integer(tx, "limit", json, -1, &limit);
    if (rc)
        return rc;
    q->limit_given = limit != UNSET;
    if (!q->limit_given) {
        limit = tx->settings->query_limit_default;
        if (max >= 0 && (limit > max || limit < 0))
            limit = max;
    }
    if (max >= 0 && limit < 0)
        limit = max;
    if (max >= 0 && limit > max)
        return refuse(tx, PROBLEM_INVALID_QUERY, "\"limit\" must be less than or equal to %lld",
                      (long long)max);
    q->limit = limit;
    return 0;
}

/* A page wins over an offset, and says nothing where there is no limit. */
static int read_page(struct tx *tx, const json_t *page_json, const json_t *offset_json,
                     struct query *q)
{
    int64_t page = 0, offset = 0;
    int rc = read_integer(tx, "offset", offset_json, 0, &offset);
    if (rc == 0)
        rc = read_integer(tx, "page", page_json, 0, &page);
    if (rc)
        return rc;
    if (page > 0 && q->limit >= 0 && __builtin_mul_overflow(q->limit, page - 1, &offset))
        offset = INT64_MAX;
    q->offset = offset;
    return 0;
}

/* ---- filter, search, meta ---- */

static int read_filter(struct tx *tx, const json_t *json, struct query *q)
{
    json_t *parsed;
    if (json_is_string(json)) {
        struct str text = str_trim(json_str(json));
        if (text.len == 0)
            return 0;
        if (json_read_in(tx->arena, text, &parsed, NULL) != 0)
            return refuse(tx, PROBLEM_INVALID_QUERY, "Invalid JSON for filter object");
        json = parsed;
    }
    return filter_compile(tx, tx->principal, q->table, json, FILTER_QUERY, q->grant, &q->filter);
}

static int read_search(struct tx *tx, const json_t *json, struct query *q)
{
    if (!json)
        return 0;
    if (!json_is_string(json) && !json_is_number(json))
        return refuse(tx, PROBLEM_INVALID_QUERY, "\"search\" has to be a string");
    struct str term = json_is_string(json) ? json_str(json) : json_text(tx->arena, json);
    if (term.len > 0)
        q->filter = expr_and(tx->arena, q->filter, query_search(tx, q->table, q->grant, term));
    return 0;
}

static int add_meta_name(struct tx *tx, struct str name, void *context)
{
    unsigned *meta = context;
    if (str_equal(name, STR("total_count")))
        *meta |= QUERY_TOTAL_COUNT;
    else if (str_equal(name, STR("filter_count")))
        *meta |= QUERY_FILTER_COUNT;
    else if (str_equal(name, STR("*")))
        *meta |= QUERY_TOTAL_COUNT | QUERY_FILTER_COUNT;
    else
        return refuse(tx, PROBLEM_INVALID_QUERY, "\"meta\" knows no \"%.*s\"", STR_ARG(name));
    return 0;
}

/* Keys whose meaning we do not have yet, and may not ignore. */
static int refuse_later_keys(struct tx *tx, const json_t *query)
{
    static const char *const later[] = {"aggregate", "groupBy", "group", "deep", "alias"};
    for (size_t i = 0; i < COUNT_OF(later); i++) {
        const json_t *value = json_get(query, later[i]);
        bool empty = !json_truthy(value) || (json_is_object(value) && !json_object_size(value)) ||
                     (json_is_array(value) && !json_array_size(value));
        if (!empty)
            return refuse(tx, PROBLEM_INVALID_QUERY, "\"%s\" is not supported yet", later[i]);
    }
    return 0;
}

/* A key's value; null counts as absent. */
static const json_t *get(const json_t *query, const char *key)
{
    const json_t *value = json_get(query, key);
    return json_is_null(value) ? NULL : value;
}

/* What can be judged by itself, whoever asks. */
static int read_window(struct tx *tx, const json_t *json, struct query *q)
{
    int rc = refuse_later_keys(tx, json);
    if (rc == 0)
        rc = read_limit(tx, get(json, "limit"), q);
    if (rc == 0)
        rc = read_page(tx, get(json, "page"), get(json, "offset"), q);
    if (rc == 0 && get(json, "meta"))
        rc = each_name(tx, "meta", get(json, "meta"), add_meta_name, &q->meta);
    return rc;
}

/* What names fields, which have to be readable. */
static int read_query(struct tx *tx, const json_t *json, struct query *q)
{
    int rc = read_fields(tx, get(json, "fields"), q);
    if (rc == 0)
        rc = read_filter(tx, get(json, "filter"), q);
    if (rc == 0)
        rc = read_search(tx, get(json, "search"), q);
    if (rc == 0)
        rc = read_sort(tx, get(json, "sort"), q);
    return rc;
}

int query_parse(struct tx *tx, const struct table *table, const json_t *query,
                struct query *query_out)
{
    struct query q = {.table = table,
                      .grant = principal_grant(tx->principal, table, ACTION_READ),
                      .filter = &expr_true};
    if (query && !json_is_null(query) && !json_is_object(query))
        return refuse(tx, PROBLEM_INVALID_QUERY, "A query has to be an object");
    int rc = read_window(tx, query, &q);
    if (rc == 0)
        rc = q.grant ? read_query(tx, query, &q) : refuse_collection(tx, table->name);
    if (rc)
        return rc;
    q.where = expr_and(tx->arena, q.grant->rows, q.filter);
    if (q.where->depth >= EXPR_DEPTH_MAX) /* query_restrict may add a level */
        return refuse(tx, PROBLEM_INVALID_QUERY,
                      "The filter is nested too deep, with the permissions that it is read under");
    *query_out = q;
    return 0;
}

void query_restrict(struct tx *tx, struct query *q, const struct item_key *keys, size_t count)
{
    struct value *values = ARENA_ARRAY(tx->arena, struct value, count + 1);
    for (size_t i = 0; i < count; i++)
        values[i] = keys[i].value;
    const struct expr *among = expr_test(tx->arena, table_key(q->table), OP_IN, values, count);
    q->filter = expr_and(tx->arena, q->filter, among);
    q->where = expr_and(tx->arena, q->where, among);
    if (!q->limit_given)
        q->limit = (int64_t)count;
    q->only = count == 1 ? keys : NULL;
}

void query_to_select(const struct query *q, int64_t now_ms, struct select *select_out)
{
    *select_out = (struct select){.shape = &q->table->shape,
                                  .outputs = q->outputs,
                                  .output_count = q->output_count,
                                  .where = q->where,
                                  .orders = q->orders,
                                  .order_count = q->order_count,
                                  .limit = q->limit,
                                  .offset = q->offset,
                                  .now_ms = now_ms};
}

void query_write_row(struct buf *b, const struct query *q, const struct value *row)
{
    buf_put_char(b, '{');
    for (size_t i = 0; i < q->output_count; i++) {
        const struct column *column = q->outputs[i].column;
        if (i > 0)
            buf_put_char(b, ',');
        buf_put_str(b, q->labels[i]);
        if (!value_is_null(&row[i]) && field_is_concealed(&q->table->fields[column->index]))
            json_put_str(b, SECRET_SET);
        else
            type_write(b, column, &row[i]);
    }
    buf_put_char(b, '}');
}
