#include "model/grid/fetch.h"
#include "model/grid/gather.h"
#include "model/grid/links_internal.h"

/*
 * Asides: rows that read otherwise now although nobody changed them. First a plan for each table
 * that may have some: the far ends of links that were made or removed, and a condition for the rows
 * that are linked to rows with new names or places. Then one statement for each plan, and the links
 * of what it finds, before and now: what reads the same is no aside after all.
 */

/* More keys than that are not asked for one by one: the table is to be read anew. */
enum { KEYS_MAX = 1000 };

struct plan {
    const struct grid_table *table;
    struct column_set fields;
    struct value *keys; /* of rows at the far end of links */
    size_t count, capacity;
    const struct expr *where; /* or these; NULL: no more */
    bool many;
    struct plan *next;
};
struct planning {
    struct tx *tx;
    const struct past *past;
    struct plan *plans; /* in the order in which they are told */
};

static struct plan *plan_for(struct planning *p, const struct grid_field *f)
{
    struct plan **at = &p->plans;

    while (*at && (*at)->table != f->table)
        at = &(*at)->next;
    if (!*at) {
        *at = ARENA_NEW(p->tx->arena, struct plan);
        (*at)->table = f->table;
    }
    column_set_add(&(*at)->fields, (unsigned)(f - f->table->fields));
    return *at;
}

/* ---- links that were made or removed ---- */

/* Rows that the commit changed itself are told anyway. */
static bool is_own(const struct planning *p, const struct grid_table *t, const struct value *key)
{
    return past_row(past_table(p->past, t->table), key) != NULL;
}

static void plan_key(struct planning *p, const struct grid_field *f, const struct value *key)
{
    if (value_is_null(key) || is_own(p, f->table, key))
        return;
    struct plan *plan = plan_for(p, f);
    if (plan->count == plan->capacity) {
        size_t capacity = plan->capacity ? plan->capacity * 2 : 16;
        struct value *keys = ARENA_ARRAY(p->tx->arena, struct value, capacity);
        if (plan->count > 0)
            memcpy(keys, plan->keys, plan->count * sizeof(*keys));
        plan->keys = keys;
        plan->capacity = capacity;
    }
    plan->keys[plan->count++] = *key;
}

static void plan_ends(struct planning *p, const struct grid_field *f, const struct value *row)
{
    if (!row)
        return;
    plan_key(p, f, &row[f->link->near->index]);
    if (f->link->related)
        plan_key(p, f->link->related, &row[f->link->far->index]);
}

static void plan_junction(struct planning *p, const struct past_table *changed)
{
    const struct grid_field *f = grid_junction_field(p->tx->catalogue, changed->table);

    if (!f || f->link->junction != changed->table)
        return;
    for (size_t i = 0; i < changed->count; i++) {
        plan_ends(p, f, changed->rows[i].before);
        plan_ends(p, f, changed->rows[i].last->after);
    }
}

/* ---- rows with new names or places ---- */

static bool reads_otherwise(const struct grid_table *t, const struct past_row *row)
{
    const struct value *before = row->before, *after = row->last->after;
    unsigned name = fetch_name_column(t)->index;
    unsigned order = table_hidden(t->table, HIDDEN_ORDER)->index;

    return before && after &&
           !(value_equal(&before[name], &after[name]) &&
             value_equal(&before[order], &after[order]));
}

/* Rows of `f`'s table that are linked to one of the keys. */
static const struct expr *linked_to(struct arena *a, const struct grid_field *f,
                                    const struct value *keys, size_t count)
{
    const struct grid_link *link = f->link;

    if (!link->junction)
        return expr_test(a, f->column, OP_IN, keys, count);
    const struct subselect near = {.shape = &link->junction->shape,
                                   .out = link->near,
                                   .where = expr_test(a, link->far, OP_IN, keys, count)};
    return expr_among(a, table_key(f->table->table), &near, false);
}

static void plan_followers(struct planning *p, const struct grid_table *t, const struct value *keys,
                           size_t count)
{
    struct arena *a = p->tx->arena;
    size_t followers;
    const struct grid_field *const *list = grid_links_to(p->tx->catalogue, t, &followers);

    for (size_t i = 0; i < followers; i++) {
        struct plan *plan = plan_for(p, list[i]);
        plan->many = plan->many || count > KEYS_MAX;
        if (plan->many)
            continue;
        const struct expr *where = linked_to(a, list[i], keys, count);
        plan->where = plan->where ? expr_or(a, plan->where, where) : where;
    }
}

static void plan_names(struct planning *p, const struct past_table *changed)
{
    const struct grid_table *t = grid_table_of(p->tx->catalogue, changed->table);
    struct value *keys;
    size_t count = 0;

    if (!t || t->table != changed->table)
        return;
    keys = ARENA_ARRAY(p->tx->arena, struct value, changed->count);
    for (size_t i = 0; i < changed->count; i++)
        if (reads_otherwise(t, &changed->rows[i]))
            keys[count++] = changed->rows[i].key;
    if (count > 0)
        plan_followers(p, t, keys, count);
}

/* ---- carrying it out ---- */

/* The rows of the plan that the commit did not change itself, one more than may be told. */
static int find_rows(const struct planning *p, struct plan *plan, struct fetched *rows)
{
    struct arena *a = p->tx->arena;
    const struct table *table = plan->table->table;
    const struct column *key = table_key(table);
    const struct past_table *own = past_table(p->past, table);
    const struct order order = {.column = table_hidden(table, HIDDEN_ORDER)};
    struct select select = {
        .shape = &table->shape, .orders = &order, .order_count = 1, .limit = ASIDE_ROWS_MAX + 1};

    plan->count = fetch_distinct(plan->keys, plan->count);
    plan->many = plan->many || plan->count > ASIDE_ROWS_MAX || (own && own->count > KEYS_MAX);
    if (plan->many)
        return 0;
    select.where = expr_test(a, key, OP_IN, plan->keys, plan->count);
    if (plan->where)
        select.where = expr_or(a, select.where, plan->where);
    if (own) {
        struct value *keys = ARENA_ARRAY(a, struct value, own->count);
        for (size_t i = 0; i < own->count; i++)
            keys[i] = own->rows[i].key;
        select.where = expr_and(a, select.where, expr_test(a, key, OP_NIN, keys, own->count));
    }
    return fetch(p->tx, p->tx->commit->arena, &select, rows);
}

/* Marks the fields of the plan in which the row reads otherwise than before. */
static bool mark_fields(const struct plan *plan, const struct value *row, struct aside *aside)
{
    const struct grid_table *t = plan->table;
    const struct value *key = &row[t->table->shape.key];
    bool any = false;

    for (size_t i = 0; i < t->field_count; i++) {
        const struct grid_field *f = &t->fields[i];
        if (!column_set_has(&plan->fields, (unsigned)i) ||
            links_equal(links_cell(aside->links_before, f, key), links_cell(aside->links, f, key)))
            continue;
        column_set_add(&aside->fields, (unsigned)i);
        any = true;
    }
    return any;
}

static int compare_links(const struct planning *p, const struct plan *plan,
                         const struct fetched *rows, struct aside *aside)
{
    struct tx *tx = p->tx;
    struct arena *a = tx->commit->arena;
    struct aside_row *list = ARENA_ARRAY(a, struct aside_row, rows->count);

    int rc = links_read(tx, a, plan->table, rows->at, rows->count, NULL, &aside->links);
    if (rc == 0)
        rc = links_read_past(tx, a, plan->table, rows->at, rows->count, NULL, p->past,
                             &aside->links_before);
    for (size_t i = 0; i < rows->count && rc == 0; i++)
        if (mark_fields(plan, rows->at[i], aside))
            list[aside->count++] = (struct aside_row){rows->at[i], rows->at[i]};
    aside->rows = list;
    return rc;
}

static int carry_out(const struct planning *p, struct plan *plan, struct news *news)
{
    struct aside *aside = ARENA_NEW(p->tx->commit->arena, struct aside);
    struct aside **end = &news->asides;
    struct fetched rows = {0};

    aside->table = plan->table;
    int rc = find_rows(p, plan, &rows);
    aside->many = plan->many || rows.count > ASIDE_ROWS_MAX;
    if (aside->many)
        aside->fields = plan->fields;
    else if (rc == 0 && rows.count > 0)
        rc = compare_links(p, plan, &rows, aside);
    if (rc != 0 || (aside->count == 0 && !aside->many))
        return rc;
    while (*end)
        end = &(*end)->next;
    *end = aside;
    return 0;
}

int asides_gather(struct tx *tx, const struct past *past, struct news *news)
{
    struct planning p = {.tx = tx, .past = past};
    int rc = 0;

    for (const struct past_table *t = past->tables; t; t = t->next) {
        plan_names(&p, t);
        plan_junction(&p, t);
    }
    for (struct plan *plan = p.plans; plan && rc == 0; plan = plan->next)
        rc = carry_out(&p, plan, news);
    return rc;
}
