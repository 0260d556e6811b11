/*
 * Aliases: fields of system collections that have no column, but list the keys of the rows
 * elsewhere that refer to a row (D.6, D.7). They are part of `*`, and may be named in `fields`.
 *
 * How it works: rows are written to a buffer of their own, each without its closing brace; then one
 * select for each alias finds the members of all lists at once; then the two are put together. What
 * the caller may not read is not selected: an alias is a field like any other, that rules with "*"
 * grant, and its members are rows of a table like any other.
 */
#include "dialect/directus/rest.h"

#include "model/access/members.h"
#include "model/system.h"

static const struct alias {
    enum system_table table;
    const char *name;
    enum system_table other; /* whose keys are listed */
    const char *column;      /* of other: refers to the row */
    const char *set;         /* of other: must not be null; NULL: no such condition */
} aliases[] = {
    {SYSTEM_USERS, "policies", SYSTEM_ACCESS, "user", NULL},
    {SYSTEM_ROLES, "children", SYSTEM_ROLES, "parent", NULL},
    {SYSTEM_ROLES, "policies", SYSTEM_ACCESS, "role", NULL},
    {SYSTEM_ROLES, "users", SYSTEM_USERS, "role", NULL},
    {SYSTEM_POLICIES, "permissions", SYSTEM_PERMISSIONS, "policy", NULL},
    {SYSTEM_POLICIES, "users", SYSTEM_ACCESS, "policy", "user"},
    {SYSTEM_POLICIES, "roles", SYSTEM_ACCESS, "policy", "role"},
};
enum { LISTS_MAX = 3 }; /* aliases of one table */

/* ---- what `fields` asks for ---- */

struct wish {
    const struct alias *lists[LISTS_MAX]; /* in the table's order */
    bool by_name[LISTS_MAX];              /* not only as part of `*` */
    size_t count;
    struct str columns; /* the other names, as comma text; absent: only aliases are asked for */
};

/* The names of `fields` as one comma text, whatever its form (E.1). False: it is no list of names.
 */
static bool names_text(struct arena *a, const json_t *fields, struct str *text_out)
{
    struct buf b;
    bool good = true;
    size_t index;
    json_t *name;
    if (json_is_string(fields)) {
        *text_out = json_str(fields);
        return true;
    }
    buf_init(&b, SIZE_MAX);
    json_array_foreach(fields, index, name)
    {
        good = good && json_is_string(name);
        buf_put_str(&b, json_str(name));
        buf_put_char(&b, ',');
    }
    for (void *at = members_first(fields); at; at = members_next(fields, at)) {
        good = good && json_is_string(member_value(at));
        buf_put_str(&b, json_str(member_value(at)));
        buf_put_char(&b, ',');
    }
    *text_out = arena_str(a, buf_str(&b));
    buf_deinit(&b);
    return good;
}

static const struct alias *find_alias(const struct table *table, struct str name)
{
    for (size_t i = 0; i < COUNT_OF(aliases); i++)
        if (system_is(table, aliases[i].table) && str_equal(name, str_of(aliases[i].name)))
            return &aliases[i];
    return NULL;
}

static void wish_for(struct wish *w, const struct alias *alias, bool by_name)
{
    size_t i = 0;
    while (i < w->count && w->lists[i] != alias)
        i++;
    if (i == w->count)
        w->lists[w->count++] = alias;
    w->by_name[i] |= by_name;
}

static void wish_for_all(struct wish *w, const struct table *table)
{
    for (size_t i = 0; i < COUNT_OF(aliases); i++)
        if (system_is(table, aliases[i].table))
            wish_for(w, &aliases[i], false);
}

static struct wish read_wish(struct arena *a, const struct table *table, const json_t *fields)
{
    struct wish w = {.count = 0};
    struct str names = STR_NULL, name;
    struct buf columns;
    bool any = false;
    if (fields && !json_is_null(fields) && !names_text(a, fields, &names))
        return w; /* query_parse says so */
    buf_init(&columns, SIZE_MAX);
    while (str_next(&names, ',', &name)) {
        name = str_trim(name);
        if (name.len == 0)
            continue;
        any = true;
        const struct alias *alias = find_alias(table, name);
        if (alias) {
            wish_for(&w, alias, true);
            continue;
        }
        if (str_equal(name, STR("*")))
            wish_for_all(&w, table);
        buf_put_str(&columns, name);
        buf_put_char(&columns, ',');
    }
    w.columns = any ? arena_str(a, buf_str(&columns)) : STR("*");
    if (!any)
        wish_for_all(&w, table);
    buf_deinit(&columns);
    return w;
}

const json_t *system_plain_query(struct tx *tx, const struct table *table, const json_t *query)
{
    const struct wish w = read_wish(tx->arena, table, json_get(query, "fields"));
    bool any = false;
    for (size_t i = 0; i < w.count; i++)
        any |= w.by_name[i];
    if (!any)
        return query;
    json_t *plain = json_object();
    arena_on_free(tx->arena, json_release, plain);
    for (void *at = members_first(query); at; at = members_next(query, at))
        json_object_set(plain, member_key(at).at, member_value(at));
    struct str columns = w.columns.at ? w.columns : table_key(table)->name;
    json_object_set_new(plain, "fields", json_stringn(columns.at, columns.len));
    return plain;
}

/* ---- who may see an alias ---- */

static bool is_for_all_fields(const struct grant_rule *rule)
{
    struct column_set all;
    memset(&all, 0xff, sizeof(all));
    return memcmp(&rule->fields, &all, sizeof(all)) == 0;
}

/* On which rows of a table its aliases show; NULL: on all that the grant shows. */
static const struct expr *alias_mask(struct arena *a, const struct grant *grant)
{
    const struct expr *mask = &expr_false;
    for (size_t i = 0; i < grant->rule_count; i++)
        if (is_for_all_fields(&grant->rules[i]))
            mask = expr_or(a, mask, grant->rules[i].rows);
    return mask->kind == EXPR_TRUE ? NULL : mask;
}

static const struct column *other_column(const struct alias *alias, const char *name)
{
    return &system_table(alias->other)->shape.columns[system_column(alias->other, name)];
}

static bool may_read(const struct tx *tx, const struct alias *alias)
{
    const struct table *other = system_table(alias->other);
    const struct grant *grant = principal_grant(tx->principal, other, ACTION_READ);
    return grant && column_set_has(&grant->fields, other->shape.key) &&
           column_set_has(&grant->fields, other_column(alias, alias->column)->index) &&
           (!alias->set || column_set_has(&grant->fields, other_column(alias, alias->set)->index));
}

/* Drops what is not permitted from a wish; what was named is refused. */
static int permit(struct tx *tx, const struct query *q, struct wish *w)
{
    size_t kept = 0;
    for (size_t i = 0; i < w->count; i++) {
        if (q->grant->all_fields && may_read(tx, w->lists[i]))
            w->lists[kept++] = w->lists[i];
        else if (w->by_name[i])
            return refuse_fields(tx, q->table->name, str_of(w->lists[i]->name));
    }
    w->count = kept;
    return 0;
}

/* ---- rows ---- */

struct member {
    struct value key;
    struct member *next;
};

struct line {
    size_t end;       /* of the row's own text */
    struct value key; /* null: its aliases are not shown */
    struct member *first[LISTS_MAX], **last[LISTS_MAX];
};

struct listing {
    struct tx *tx;
    const struct query *query;
    struct wish wish;
    struct buf text; /* rows without closing braces */
    struct line *lines;
    size_t count, capacity;
    struct map by_key; /* lines; filled when all rows are there */
    size_t list;       /* the alias whose members are being read */
};

enum { ROWS_TOO_LARGE = 1 };

static struct line *add_line(struct listing *l)
{
    if (l->count == l->capacity) {
        size_t capacity = l->capacity ? l->capacity * 2 : 32;
        struct line *lines = ARENA_ARRAY(l->tx->arena, struct line, capacity);
        if (l->count > 0)
            memcpy(lines, l->lines, l->count * sizeof(*lines));
        l->lines = lines;
        l->capacity = capacity;
    }
    return &l->lines[l->count++];
}

/* The key comes behind the row's own outputs. */
static int take_row(void *context, const struct value *row)
{
    struct listing *l = context;
    if (l->wish.columns.at)
        query_write_row(&l->text, l->query, row);
    else
        buf_put_lit(&l->text, "{}");
    if (l->text.failed)
        return ROWS_TOO_LARGE;
    l->text.len--;
    *add_line(l) = (struct line){
        .end = l->text.len,
        .key = value_copy(l->tx->arena, &row[l->query->output_count]),
    };
    return 0;
}

static int read_rows(struct listing *l)
{
    const struct query *q = l->query;
    struct query reading = *q;
    struct output *outputs = ARENA_ARRAY(l->tx->arena, struct output, q->output_count + 1);
    if (q->output_count > 0)
        memcpy(outputs, q->outputs, q->output_count * sizeof(*outputs));
    outputs[q->output_count] =
        (struct output){table_key(q->table), alias_mask(l->tx->arena, q->grant)};
    reading.outputs = outputs;
    reading.output_count++;
    int rc = items_read(l->tx, &reading, take_row, l);
    return rc == ROWS_TOO_LARGE ? refuse_size(l->tx, l->text.max) : rc;
}

/* ---- members ---- */

static int take_member(void *context, const struct value *row)
{
    struct listing *l = context;
    struct line *line =
        value_is_null(&row[0]) ? NULL : map_get(&l->by_key, value_key(l->tx->arena, &row[0]));
    if (!line || value_is_null(&row[1]) || value_is_null(&row[2]))
        return 0;
    struct member *member = ARENA_NEW(l->tx->arena, struct member);
    member->key = value_copy(l->tx->arena, &row[1]);
    *line->last[l->list] = member;
    line->last[l->list] = &member->next;
    return 0;
}

/* Columns that the caller sees on some rows only are null on the others, and their rows no members.
 */
static struct output visible(const struct grant *grant, const struct column *column)
{
    return (struct output){column, grant->masks ? grant->masks[column->index] : NULL};
}

static int read_members(struct listing *l, const struct value *keys, size_t count)
{
    const struct alias *alias = l->wish.lists[l->list];
    const struct table *other = system_table(alias->other);
    const struct grant *grant = principal_grant(l->tx->principal, other, ACTION_READ);
    const struct column *refers = other_column(alias, alias->column);
    const struct output outputs[] = {
        visible(grant, refers),
        visible(grant, table_key(other)),
        visible(grant, alias->set ? other_column(alias, alias->set) : refers),
    };
    const struct expr *among = expr_test(l->tx->arena, refers, OP_IN, keys, count);
    const struct select select = {
        .shape = &other->shape,
        .outputs = outputs,
        .output_count = COUNT_OF(outputs),
        .where = expr_and(l->tx->arena, grant->rows, among),
        .limit = -1,
        .now_ms = l->tx->now_ms,
    };
    return store_select(l->tx->store, &select, take_member, l);
}

static int read_lists(struct listing *l)
{
    struct value *keys = ARENA_ARRAY(l->tx->arena, struct value, l->count + 1);
    size_t count = 0;
    int rc = 0;
    for (size_t i = 0; i < l->count; i++) {
        struct line *line = &l->lines[i];
        for (size_t list = 0; list < LISTS_MAX; list++)
            line->last[list] = &line->first[list];
        if (value_is_null(&line->key))
            continue;
        map_put(&l->by_key, value_key(l->tx->arena, &line->key), line);
        keys[count++] = line->key;
    }
    for (l->list = 0; l->list < l->wish.count && count > 0 && rc == 0; l->list++)
        rc = read_members(l, keys, count);
    return rc;
}

/* ---- putting together ---- */

static void put_list(struct buf *b, const struct alias *alias, const struct member *member)
{
    buf_put_char(b, '[');
    for (; member; member = member->next) {
        type_write(b, table_key(system_table(alias->other)), &member->key);
        if (member->next)
            buf_put_char(b, ',');
    }
    buf_put_char(b, ']');
}

static void put_line(struct buf *b, const struct listing *l, const struct line *line, size_t start)
{
    bool bare = line->end - start == 1; /* only its brace */
    buf_put(b, l->text.at + start, line->end - start);
    for (size_t i = 0; i < l->wish.count; i++) {
        if (i > 0 || !bare)
            buf_put_char(b, ',');
        buf_printf(b, "\"%s\":", l->wish.lists[i]->name);
        if (value_is_null(&line->key))
            buf_put_lit(b, "null");
        else
            put_list(b, l->wish.lists[i], line->first[i]);
    }
    buf_put_char(b, '}');
}

/* Rows with commas between. */
static int write_rows(struct listing *l, struct buf *b)
{
    size_t start = 0;
    buf_init(&l->text, b->max);
    map_init(&l->by_key);
    int rc = read_rows(l);
    if (rc == 0)
        rc = read_lists(l);
    for (size_t i = 0; i < l->count && rc == 0; i++) {
        if (i > 0)
            buf_put_char(b, ',');
        put_line(b, l, &l->lines[i], start);
        start = l->lines[i].end;
    }
    map_deinit(&l->by_key);
    buf_deinit(&l->text);
    return rc;
}

int system_write_list(struct tx *tx, const struct query *q, const json_t *fields, struct buf *b)
{
    struct listing l = {.tx = tx, .query = q, .wish = read_wish(tx->arena, q->table, fields)};
    int rc = permit(tx, q, &l.wish);
    if (rc != 0)
        return rc;
    if (l.wish.count == 0)
        return items_write_list(tx, q, b);
    buf_put_char(b, '[');
    rc = write_rows(&l, b);
    buf_put_char(b, ']');
    return rc;
}

int system_write_one(struct tx *tx, const struct query *q, const json_t *fields, struct buf *b)
{
    struct query one = *q;
    struct listing l = {.tx = tx, .query = &one, .wish = read_wish(tx->arena, q->table, fields)};
    one.limit = 1;
    int rc = permit(tx, q, &l.wish);
    if (rc != 0)
        return rc;
    if (l.wish.count == 0)
        return items_write_one(tx, q, b);
    rc = write_rows(&l, b);
    return rc == 0 && l.count == 0 ? refuse_action(tx, "read", q->table->name) : rc;
}
