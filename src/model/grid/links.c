#include "model/grid/links_internal.h"

#include <stdlib.h>

#include "model/grid/fetch.h"
#include "model/grid/order.h"

/*
 * Three steps for all rows together: which keys is each row linked to, by each field; what are the
 * rows of these keys called, by each target; and both put together, sorted, so that they are found
 * by halving. Before a commit (links_read_past) is now, with what the commit changed put back.
 */

struct row_links {
    struct value key;
    struct link_cell cell;
};
struct field_links {
    int64_t field;
    const struct row_links *rows; /* by key */
    size_t count;
};
struct links {
    const struct field_links *fields;
    size_t count;
};

/* One link, while it is read. */
struct pair {
    struct value near, far; /* keys */
    const struct linked *to;
};
struct pairs {
    const struct grid_field *field;
    struct pair *at;
    size_t count, capacity;
};

struct reading {
    struct tx *tx;
    struct arena *arena; /* the result's */
    const struct grid_table *table;
    const struct value *const *rows;
    size_t count;
    const struct past *past; /* NULL: now */
    struct value *keys;      /* of the rows, each once */
    size_t key_count;
    struct pairs *fields;
    size_t field_count;
};

/* ---- which keys ---- */

static int compare_keys(const void *a, const void *b)
{
    return value_compare(a, b);
}

static bool is_asked_for(const struct reading *r, const struct value *key)
{
    return !value_is_null(key) &&
           bsearch(key, r->keys, r->key_count, sizeof(*r->keys), compare_keys);
}

static void add_pair(const struct reading *r, struct pairs *p, const struct value *near,
                     const struct value *far)
{
    if (value_is_null(near) || value_is_null(far))
        return;
    if (p->count == p->capacity) {
        size_t capacity = p->capacity ? p->capacity * 2 : 16;
        struct pair *at = ARENA_ARRAY(r->tx->arena, struct pair, capacity);
        if (p->count > 0)
            memcpy(at, p->at, p->count * sizeof(*at));
        p->at = at;
        p->capacity = capacity;
    }
    p->at[p->count++] = (struct pair){*near, *far, NULL};
}

/* What the commit did to the junction, undone. */
static void add_past_pairs(const struct reading *r, struct pairs *p, const struct past_table *past)
{
    const struct grid_link *link = p->field->link;
    for (size_t i = 0; past && i < past->count; i++) {
        const struct value *row = past->rows[i].before;
        if (row && is_asked_for(r, &row[link->near->index]))
            add_pair(r, p, &row[link->near->index], &row[link->far->index]);
    }
}

static int read_junction(const struct reading *r, struct pairs *p)
{
    const struct grid_link *link = p->field->link;
    const struct past_table *past = past_table(r->past, link->junction);
    const struct output outputs[] = {
        {.column = table_key(link->junction)}, {.column = link->near}, {.column = link->far}};
    const struct select select = {.shape = &link->junction->shape,
                                  .outputs = outputs,
                                  .output_count = COUNT_OF(outputs),
                                  .limit = -1};
    struct fetched found = {0};

    int rc = fetch_in(r->tx, r->tx->arena, &select, link->near, r->keys, r->key_count, &found);
    if (rc != 0)
        return rc;
    for (size_t i = 0; i < found.count; i++)
        if (!past_row(past, &found.at[i][0]))
            add_pair(r, p, &found.at[i][1], &found.at[i][2]);
    add_past_pairs(r, p, past);
    return 0;
}

static void read_column(const struct reading *r, struct pairs *p)
{
    for (size_t i = 0; i < r->count; i++)
        add_pair(r, p, &r->rows[i][r->table->table->shape.key],
                 &r->rows[i][p->field->column->index]);
}

static int read_pairs(const struct reading *r)
{
    int rc = 0;
    for (size_t i = 0; i < r->field_count && rc == 0; i++) {
        struct pairs *p = &r->fields[i];
        if (p->field->link->junction)
            rc = read_junction(r, p);
        else
            read_column(r, p);
    }
    return rc;
}

/* ---- what they are called ---- */

/* The rows of one table that are linked to, by key. */
struct targets {
    const struct grid_table *table;
    struct linked *at;
    size_t count;
};

static int compare_linked(const void *x, const void *y)
{
    return value_compare(&((const struct linked *)x)->key, &((const struct linked *)y)->key);
}

static int compare_key_linked(const void *key, const void *linked)
{
    return value_compare(key, &((const struct linked *)linked)->key);
}

static void add_target(const struct reading *r, struct targets *t, const struct value *key,
                       const struct value *id, const struct value *order, const struct value *cell)
{
    struct buf name;

    buf_init(&name, SIZE_MAX);
    if (!t->table->primary->link)
        kind_put_text(&name, t->table->primary, cell);
    t->at[t->count++] = (struct linked){
        .id = id->kind == VALUE_INTEGER ? id->integer : 0,
        .key = value_copy(r->arena, key),
        .name = name.len > 0 ? arena_str(r->arena, buf_str(&name)) : STR(""),
        .order = order->kind == VALUE_REAL ? order->real : 0,
    };
    buf_deinit(&name);
}

/* The keys of a table's rows that any field leads to, each once. */
static size_t collect_keys(const struct reading *r, const struct grid_table *table,
                           struct value **keys_out)
{
    size_t room = 0, count = 0;

    for (size_t i = 0; i < r->field_count; i++)
        room += r->fields[i].field->link->target == table ? r->fields[i].count : 0;
    struct value *keys = ARENA_ARRAY(r->tx->arena, struct value, room);
    for (size_t i = 0; i < r->field_count; i++) {
        const struct pairs *p = &r->fields[i];
        for (size_t k = 0; k < p->count && p->field->link->target == table; k++)
            keys[count++] = p->at[k].far;
    }
    *keys_out = keys;
    return fetch_distinct(keys, count);
}

/* Takes those that the commit changed, as they were; leaves the keys of the others. */
static size_t take_past(const struct reading *r, struct targets *t, struct value *keys,
                        size_t count)
{
    const struct past_table *past = past_table(r->past, t->table->table);
    const struct column *id = fetch_id_column(t->table);
    const struct column *order = table_hidden(t->table->table, HIDDEN_ORDER);
    size_t left = 0;

    for (size_t i = 0; i < count; i++) {
        const struct past_row *found = past_row(past, &keys[i]);
        const struct value *row = found ? found->before : NULL;
        if (row)
            add_target(r, t, &keys[i], &row[id->index], &row[order->index],
                       &row[fetch_name_column(t->table)->index]);
        if (!found)
            keys[left++] = keys[i];
    }
    return left;
}

static int read_targets(const struct reading *r, struct targets *t)
{
    struct value *keys;
    struct fetched found = {0};
    const struct table *table = t->table->table;
    const struct output outputs[] = {{.column = table_key(table)},
                                     {.column = fetch_id_column(t->table)},
                                     {.column = table_hidden(table, HIDDEN_ORDER)},
                                     {.column = fetch_name_column(t->table)}};
    const struct select select = {
        .shape = &table->shape, .outputs = outputs, .output_count = COUNT_OF(outputs), .limit = -1};

    size_t count = collect_keys(r, t->table, &keys);
    t->at = ARENA_ARRAY(r->arena, struct linked, count);
    count = take_past(r, t, keys, count);
    int rc = fetch_in(r->tx, r->tx->arena, &select, table_key(table), keys, count, &found);
    if (rc != 0)
        return rc;
    for (size_t i = 0; i < found.count; i++)
        add_target(r, t, &found.at[i][0], &found.at[i][1], &found.at[i][2], &found.at[i][3]);
    if (t->count > 1)
        qsort(t->at, t->count, sizeof(*t->at), compare_linked);
    return 0;
}

static void join(struct pairs *p, const struct targets *t)
{
    size_t kept = 0;
    for (size_t i = 0; i < p->count; i++) {
        p->at[i].to = bsearch(&p->at[i].far, t->at, t->count, sizeof(*t->at), compare_key_linked);
        if (p->at[i].to)
            p->at[kept++] = p->at[i];
    }
    p->count = kept;
}

static int name_pairs(const struct reading *r)
{
    for (size_t i = 0; i < r->field_count; i++) {
        struct targets t = {.table = r->fields[i].field->link->target};
        bool done = false;
        for (size_t k = 0; k < i; k++)
            done = done || r->fields[k].field->link->target == t.table;
        int rc = done ? 0 : read_targets(r, &t);
        if (rc != 0)
            return rc;
        for (size_t k = i; k < r->field_count && !done; k++)
            if (r->fields[k].field->link->target == t.table)
                join(&r->fields[k], &t);
    }
    return 0;
}

/* ---- put together ---- */

static int compare_pairs(const void *x, const void *y)
{
    const struct pair *a = x, *b = y;
    int order = value_compare(&a->near, &b->near);
    if (order == 0)
        order = (a->to->order > b->to->order) - (a->to->order < b->to->order);
    return order != 0 ? order : (a->to->id > b->to->id) - (a->to->id < b->to->id);
}

/* Pairs are sorted. Two links between the same rows are one. */
static struct field_links gather(const struct reading *r, struct pairs *p)
{
    if (p->count > 1)
        qsort(p->at, p->count, sizeof(*p->at), compare_pairs);
    struct row_links *rows = ARENA_ARRAY(r->arena, struct row_links, p->count);
    struct linked *cells = ARENA_ARRAY(r->arena, struct linked, p->count);
    size_t row_count = 0, cell_count = 0;

    for (size_t i = 0; i < p->count; i++) {
        const struct pair *pair = &p->at[i];
        bool same_row = i > 0 && value_equal(&pair->near, &p->at[i - 1].near);
        if (same_row && pair->to == p->at[i - 1].to)
            continue;
        if (!same_row)
            rows[row_count++] =
                (struct row_links){value_copy(r->arena, &pair->near), {&cells[cell_count], 0}};
        cells[cell_count++] = *pair->to;
        rows[row_count - 1].cell.count++;
    }
    return (struct field_links){p->field->id, rows, row_count};
}

static void find_fields(struct reading *r, const struct column_set *only)
{
    r->fields = ARENA_ARRAY(r->tx->arena, struct pairs, r->table->field_count);
    for (size_t i = 0; i < r->table->field_count; i++)
        if (r->table->fields[i].link && (!only || column_set_has(only, (unsigned)i)))
            r->fields[r->field_count++].field = &r->table->fields[i];
}

static void find_keys(struct reading *r)
{
    r->keys = ARENA_ARRAY(r->tx->arena, struct value, r->count);
    for (size_t i = 0; i < r->count; i++)
        r->keys[i] = r->rows[i][r->table->table->shape.key];
    r->key_count = fetch_distinct(r->keys, r->count);
}

int links_read_past(struct tx *tx, struct arena *a, const struct grid_table *table,
                    const struct value *const *rows, size_t count, const struct column_set *only,
                    const struct past *past, struct links **links_out)
{
    struct reading r = {
        .tx = tx, .arena = a, .table = table, .rows = rows, .count = count, .past = past};
    struct links *links = ARENA_NEW(a, struct links);

    find_fields(&r, only);
    if (r.field_count > 0 && count > 0) {
        find_keys(&r);
        int rc = read_pairs(&r);
        if (rc == 0)
            rc = name_pairs(&r);
        if (rc != 0)
            return rc;
        struct field_links *fields = ARENA_ARRAY(a, struct field_links, r.field_count);
        for (size_t i = 0; i < r.field_count; i++)
            fields[i] = gather(&r, &r.fields[i]);
        *links = (struct links){fields, r.field_count};
    }
    *links_out = links;
    return 0;
}

int links_read(struct tx *tx, struct arena *a, const struct grid_table *table,
               const struct value *const *rows, size_t count, const struct column_set *only,
               struct links **links_out)
{
    return links_read_past(tx, a, table, rows, count, only, NULL, links_out);
}

/* ---- cells ---- */

static int compare_key_row(const void *key, const void *row)
{
    return value_compare(key, &((const struct row_links *)row)->key);
}

const struct link_cell *links_cell(const struct links *links, const struct grid_field *f,
                                   const struct value *row_key)
{
    static const struct link_cell nothing = {0};
    const struct row_links *found = NULL;

    for (size_t i = 0; links && i < links->count; i++) {
        const struct field_links *fl = &links->fields[i];
        if (fl->field == f->id && fl->count > 0)
            found = bsearch(row_key, fl->rows, fl->count, sizeof(*fl->rows), compare_key_row);
    }
    return found ? &found->cell : &nothing;
}

bool links_equal(const struct link_cell *a, const struct link_cell *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (a->at[i].id != b->at[i].id || a->at[i].order < b->at[i].order ||
            a->at[i].order > b->at[i].order || !str_equal(a->at[i].name, b->at[i].name))
            return false;
    return true;
}

void links_put_one(struct buf *b, const struct linked *linked)
{
    buf_put_lit(b, "{\"id\":");
    buf_put_int(b, linked->id);
    buf_put_lit(b, ",\"value\":");
    json_put_str(b, linked->name);
    buf_put_lit(b, ",\"order\":\"");
    order_put(b, linked->order);
    buf_put_char(b, '"');
}

void links_write(struct buf *b, const struct grid_field *f, const struct link_cell *cell)
{
    (void)f; /* all fields of links are told alike */
    buf_put_char(b, '[');
    for (size_t i = 0; i < cell->count; i++) {
        if (i > 0)
            buf_put_char(b, ',');
        links_put_one(b, &cell->at[i]);
        buf_put_char(b, '}');
    }
    buf_put_char(b, ']');
}

void links_put_text(struct buf *b, const struct link_cell *cell)
{
    for (size_t i = 0; i < cell->count; i++) {
        if (i > 0)
            buf_put_lit(b, ", ");
        buf_put_str(b, cell->at[i].name);
    }
}

void links_write_ids(struct buf *b, const struct link_cell *cell)
{
    buf_put_char(b, '[');
    for (size_t i = 0; i < cell->count; i++) {
        if (i > 0)
            buf_put_char(b, ',');
        buf_put_int(b, cell->at[i].id);
    }
    buf_put_char(b, ']');
}
