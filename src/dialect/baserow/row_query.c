#include "dialect/baserow/row_query.h"

#include <inttypes.h>

/* ---- lists of names ---- */

static unsigned place_of(const struct grid_table *t, const struct grid_field *f)
{
    return (unsigned)(f - t->fields);
}

/* Where the first name of a list ends: at a comma outside of quotes, or with the list. */
static size_t name_end(struct str list)
{
    bool quoted = false;
    size_t at = 0;
    for (; at < list.len && (quoted || list.at[at] != ','); at++) {
        if (list.at[at] == '"')
            quoted = !quoted;
        else if (list.at[at] == '\\' && at + 1 < list.len)
            at++;
    }
    return at;
}

/* The next of a comma list. A name that has a comma stands in double quotes; a backslash before a
 * sign makes it one of the name's. False: there is none. */
static bool next_name(struct arena *a, struct str *rest, struct str *name_out)
{
    if (rest->len == 0)
        return false;
    size_t end = name_end(*rest), length = 0;
    char *name = arena_alloc(a, end + 1);
    for (size_t at = 0; at < end; at++) {
        if (rest->at[at] == '"')
            continue;
        at += rest->at[at] == '\\' && at + 1 < rest->len;
        name[length++] = rest->at[at];
    }
    *rest = str_skip(*rest, end < rest->len ? end + 1 : end);
    *name_out = (struct str){name, length};
    return true;
}

/* ---- include, exclude ---- */

static struct column_set named_fields(struct tx *tx, const struct row_query *q, struct str list)
{
    struct column_set set = {0};
    struct str name;
    while (next_name(tx->arena, &list, &name)) {
        const struct grid_field *f = row_names_field(q->table, str_trim(name), q->user_names);
        if (f)
            column_set_add(&set, place_of(q->table, f));
    }
    return set;
}

static void read_fields(struct tx *tx, const json_t *query, struct row_query *q)
{
    struct str include = json_get_str(query, "include"), exclude = json_get_str(query, "exclude");
    struct column_set in = named_fields(tx, q, include), out = named_fields(tx, q, exclude);
    for (unsigned i = 0; i < q->table->field_count; i++)
        if ((include.len == 0 || column_set_has(&in, i)) && !column_set_has(&out, i))
            column_set_add(&q->fields, i);
}

/* ---- order_by ---- */

static int refuse_order(struct tx *tx, struct str name)
{
    return refuse_code(tx, ERROR_ORDER_BY_FIELD_NOT_FOUND, arena_z(tx->arena, name));
}

/* "-field_31[order]": a plus that was not escaped is a blank. */
static int read_order(struct tx *tx, const struct row_query *q, struct str text,
                      struct grid_order *order_out)
{
    struct grid_order order = {.descending = str_starts_with(text, STR("-"))};
    struct str name = text, by_place = STR("[order]"), by_default = STR("[default]");
    if (text.len > 0 && strchr("-+ ", text.at[0]))
        name = str_skip(text, 1);
    order.field = row_names_field(q->table, name, q->user_names);
    if (!order.field && str_ends_with(name, by_place)) {
        order.by_place = true;
        name.len -= by_place.len;
    } else if (!order.field && str_ends_with(name, by_default)) {
        name.len -= by_default.len;
    }
    if (!order.field)
        order.field = row_names_field(q->table, name, q->user_names);
    if (!order.field)
        return refuse_order(tx, name);
    if (!grid_field_sorts(order.field) ||
        (order.by_place && order.field->kind->id != KIND_SINGLE_SELECT))
        return refuse_code(tx, ERROR_ORDER_BY_FIELD_NOT_POSSIBLE, arena_z(tx->arena, name));
    *order_out = order;
    return 0;
}

/* A field that is told again changes nothing: its first place counts. */
static bool is_ordered_by(const struct row_query *q, const struct grid_order *orders,
                          const struct grid_field *f)
{
    for (size_t i = 0; i < q->list.order_count; i++)
        if (orders[i].field == f)
            return true;
    return false;
}

static int read_orders(struct tx *tx, const json_t *query, struct row_query *q)
{
    struct str list = json_get_str(query, "order_by"), name;
    struct grid_order *orders = ARENA_ARRAY(tx->arena, struct grid_order, q->table->field_count);
    q->list.orders = orders;
    while (next_name(tx->arena, &list, &name)) {
        struct grid_order order;
        int rc = read_order(tx, q, name, &order);
        if (rc != 0)
            return rc;
        if (!is_ordered_by(q, orders, order.field))
            orders[q->list.order_count++] = order;
    }
    return 0;
}

/* ---- {link}__join ---- */

/* Who reads another table's fields along with the links may read that table. */
static int read_join(struct request *r, struct tx *tx, struct row_query *q, struct str link,
                     struct str list)
{
    const struct grid_field *f = row_names_field(q->table, link, q->user_names);
    struct grid_join *join = &q->joins.at[q->joins.count];
    const struct grid_table *target;
    struct str name;
    if (!f || !f->link)
        return refuse_code(tx, ERROR_INVALID_JOIN_PARAMETER, arena_z(tx->arena, link));
    int rc = grid_admit(r, tx, f->link->target->id, ACTION_READ, &target);
    if (rc != 0)
        return rc;
    join->link = f;
    while (next_name(tx->arena, &list, &name)) {
        const struct grid_field *joined = row_names_field(target, str_trim(name), q->user_names);
        if (!joined)
            return refuse_code(tx, ERROR_INVALID_JOIN_PARAMETER, arena_z(tx->arena, name));
        column_set_add(&join->fields, place_of(target, joined));
    }
    q->joins.count++;
    return 0;
}

static int read_joins(struct request *r, struct tx *tx, struct row_query *q)
{
    const json_t *query = rest_of(r)->query;
    struct str mark = STR("__join");
    const char *key;
    json_t *value;
    q->joins.at = ARENA_ARRAY(tx->arena, struct grid_join, json_object_size(query) + 1);
    json_object_foreach((json_t *)(uintptr_t)query, key, value)
    {
        struct str link = str_of(key);
        if (!str_ends_with(link, mark))
            continue;
        link.len -= mark.len;
        int rc = read_join(r, tx, q, link, json_str(value));
        if (rc != 0)
            return rc;
    }
    return 0;
}

/* ---- all of it ---- */

static const struct rule mode_rules[] = {
    {.name = "search_mode", .kind = RULE_CHOICE, .choices = "compat,full-text-with-count"},
    {.name = "filter_type", .kind = RULE_CHOICE, .choices = "AND,OR,and,or"},
    {.name = NULL},
};

static int check_modes(struct tx *tx, const json_t *query)
{
    json_t *data, *detail;
    if (validate(tx->arena, mode_rules, query, &data, &detail) == 0)
        return 0;
    return refuse_code(tx, ERROR_QUERY_PARAMETER_VALIDATION, json_text(tx->arena, detail).at);
}

int row_query_read(struct request *r, struct tx *tx, const struct grid_table *t,
                   struct row_query *query_out)
{
    const json_t *query = rest_of(r)->query;
    struct row_query *q = query_out;
    *q = (struct row_query){.table = t, .user_names = row_names_wanted(query)};
    q->list.search = json_get_str(query, "search");
    q->list.only = &q->fields;
    read_fields(tx, query, q);
    int rc = check_modes(tx, query);
    if (rc == 0 && json_get(query, "view_id"))
        rc = refuse_code(tx, ERROR_VIEW_DOES_NOT_EXIST, NULL);
    if (rc == 0)
        rc = read_orders(tx, query, q);
    if (rc == 0)
        rc = row_filters_read(r, tx, t, q->user_names, &q->list.where);
    return rc == 0 ? read_joins(r, tx, q) : rc;
}
