/* Filters in a query string (9.7, 11): a tree as JSON, or one parameter for each. */
#include "dialect/baserow/row_query.h"
#include "model/grid/filter.h"

struct filtering {
    struct tx *tx;
    const struct grid_table *table;
    bool user_names;
};

/* ---- one filter ---- */

static int refuse_type(struct tx *tx, const struct filter_type *type, struct str name)
{
    enum error_code code =
        type ? ERROR_VIEW_FILTER_TYPE_UNSUPPORTED_FIELD : ERROR_VIEW_FILTER_TYPE_DOES_NOT_EXIST;
    return refuse_code(tx, code, arena_z(tx->arena, name));
}

static int build(const struct filtering *f, struct str field, struct str type_name,
                 struct str value, const struct expr **where_out)
{
    const struct filter_type *type = filter_type_find(type_name);
    const struct grid_field *found = row_names_field(f->table, field, f->user_names);
    if (!found)
        return refuse_code(f->tx, ERROR_FILTER_FIELD_NOT_FOUND, arena_z(f->tx->arena, field));
    if (!type || !filter_type_fits(type, found))
        return refuse_type(f->tx, type, type_name);
    return filter_build(f->tx, type, found, value, where_out);
}

/* ---- the tree ---- */

static const struct rule group_rules[] = {
    {.name = "filter_type", .kind = RULE_CHOICE, .choices = "AND,OR"},
    {.name = "filters", .kind = RULE_JSON},
    {.name = "groups", .kind = RULE_JSON},
    {.name = NULL},
};
static const struct rule filter_rules[] = {
    {.name = "field", .kind = RULE_SECRET, .flags = RULE_REQUIRED},
    {.name = "type", .kind = RULE_SECRET, .flags = RULE_REQUIRED},
    {.name = "value", .kind = RULE_SECRET, .flags = RULE_NULL | RULE_BLANK},
    {.name = NULL},
};

/* Where in the tree a mistake is: "filters" or "groups", and the index. */
struct place {
    const struct place *above; /* NULL: the whole tree */
    const char *list;
    size_t index;
};

/* The detail, told at its place: {"groups":{"0":{"filters":{"1":…}}}}. */
static int refuse_tree(struct tx *tx, const struct place *at, struct str detail)
{
    for (; at && at->above; at = at->above)
        detail = arena_printf(tx->arena, "{\"%s\":{\"%zu\":%.*s}}", at->list, at->index,
                              STR_ARG(detail));
    return refuse_code(tx, ERROR_FILTERS_PARAM_VALIDATION_ERROR, arena_z(tx->arena, detail));
}

static int refuse_list(struct tx *tx, const struct place *at, const char *list)
{
    return refuse_tree(tx, at,
                       arena_printf(tx->arena,
                                    "{\"%s\":[{\"error\":\"Expected a list of items.\","
                                    "\"code\":\"not_a_list\"}]}",
                                    list));
}

static int read_filter(const struct filtering *f, const json_t *json, const struct place *at,
                       const struct expr **where_out)
{
    json_t *data, *detail;
    if (validate(f->tx->arena, filter_rules, json, &data, &detail) > 0)
        return refuse_tree(f->tx, at, json_text(f->tx->arena, detail));
    struct str value = data_text(data, "value");
    return build(f, data_text(data, "field"), data_text(data, "type"), value.at ? value : STR(""),
                 where_out);
}

static int read_group(const struct filtering *f, const json_t *json, const struct place *at,
                      const struct expr **where_out);

static int read_items(const struct filtering *f, const json_t *group, const char *list,
                      const struct place *at, const struct expr **items, size_t *count)
{
    const json_t *all = json_get(group, list);
    bool groups = list[0] == 'g';
    int rc = 0;
    if (all && !json_is_array(all))
        return refuse_list(f->tx, at, list);
    for (size_t i = 0; i < json_array_size(all) && rc == 0; i++) {
        const struct place inner = {at, list, i};
        const json_t *one = json_array_get(all, i);
        const struct expr **item = &items[(*count)++];
        rc = groups ? read_group(f, one, &inner, item) : read_filter(f, one, &inner, item);
    }
    return rc;
}

/* As deep as JSON nests, at most. */
static int read_group(const struct filtering *f, const json_t *json, const struct place *at,
                      const struct expr **where_out)
{
    struct arena *a = f->tx->arena;
    json_t *data, *detail;
    if (validate(a, group_rules, json, &data, &detail) > 0)
        return refuse_tree(f->tx, at, json_text(a, detail));
    size_t most =
        json_array_size(json_get(json, "filters")) + json_array_size(json_get(json, "groups"));
    const struct expr **items = ARENA_ARRAY(a, const struct expr *, most + 1);
    size_t count = 0;
    int rc = read_items(f, json, "filters", at, items, &count);
    if (rc == 0)
        rc = read_items(f, json, "groups", at, items, &count);
    if (rc != 0)
        return rc;
    bool any = str_equal(data_text(data, "filter_type"), STR("OR")) && count > 0;
    *where_out = expr_all(a, any ? EXPR_OR : EXPR_AND, items, count);
    return 0;
}

static int read_tree(const struct filtering *f, struct str text, const struct expr **where_out)
{
    const struct place whole = {NULL, NULL, 0};
    json_t *json;
    if (json_read_in(f->tx->arena, text, &json, NULL) != 0)
        return refuse_tree(f->tx, &whole,
                           STR("{\"error\":[{\"error\":\"The provided filters are not valid "
                               "JSON.\",\"code\":\"invalid_json\"}]}"));
    return read_group(f, json, &whole, where_out);
}

/* ---- one parameter for each ---- */

/* "filter__{field}__{type}": a name may have underscores, too, so the last two part them. */
static bool split(struct str name, struct str *field_out, struct str *type_out)
{
    static const char mark[] = "filter__";
    if (!str_starts_with(name, STR("filter__")))
        return false;
    name = str_skip(name, sizeof(mark) - 1);
    for (size_t at = name.len; at-- > 2;)
        if (name.at[at] == '_' && name.at[at - 1] == '_') {
            *field_out = (struct str){name.at, at - 1};
            *type_out = str_skip(name, at + 1);
            return true;
        }
    return false;
}

/* All that there are, also of equal names. */
static int read_parameters(const struct filtering *f, struct str query, bool any,
                           const struct expr **where_out)
{
    struct arena *a = f->tx->arena;
    struct str pair, name, field, type, value;
    const struct expr *where = NULL, *one;
    while (str_next(&query, '&', &pair)) {
        str_next(&pair, '=', &name);
        if (!http_percent_decode(a, name, HTTP_DECODE_QUERY, &name) || !split(name, &field, &type))
            continue;
        if (!http_percent_decode(a, pair, HTTP_DECODE_QUERY, &value))
            value = STR("");
        int rc = build(f, field, type, value.at ? value : STR(""), &one);
        if (rc != 0)
            return rc;
        where = !where ? one : any ? expr_or(a, where, one) : expr_and(a, where, one);
    }
    *where_out = where ? where : &expr_true;
    return 0;
}

int row_filters_read(struct request *r, struct tx *tx, const struct grid_table *t, bool user_names,
                     const struct expr **where_out)
{
    const struct filtering f = {tx, t, user_names};
    const json_t *query = rest_of(r)->query;
    struct str tree = json_get_str(query, "filters");
    bool any = str_equal_nocase(json_get_str(query, "filter_type"), STR("OR"));
    int rc = tree.len > 0 ? read_tree(&f, tree, where_out)
                          : read_parameters(&f, r->http->query, any, where_out);
    if (rc == 0 && (*where_out)->depth >= EXPR_DEPTH_MAX) /* a search may come on top */
        return refuse_tree(tx, NULL,
                           STR("{\"error\":[{\"error\":\"The filters nest too deeply.\","
                               "\"code\":\"invalid\"}]}"));
    return rc;
}
