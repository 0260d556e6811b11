#include "model/grid/rows.h"

#include <stdlib.h>

#include "base/text.h"
#include "model/grid/fetch.h"
#include "model/grid/filter.h"

/*
 * Lists of rows: one statement for a page, one for the count; links as links.h has them. Rows stand
 * by what is asked for, then by their place, then by their integer.
 */

/* ---- orders ---- */

bool grid_field_sorts(const struct grid_field *f)
{
    switch (f->kind->id) {
    case KIND_MULTIPLE_SELECT: /* by names, which only this program knows, put together */
    case KIND_MULTIPLE_COLLABORATORS:
    case KIND_CREATED_BY:
    case KIND_LAST_MODIFIED_BY:
        return false;
    case KIND_LINK_ROW:
        return f->link->target->primary->column != NULL;
    default:
        return f->column->type != TYPE_JSON && !(f->kind->flags & KIND_NOT_SORTED);
    }
}

struct named_choice {
    struct str folded;
    const struct choice *choice;
};

static int compare_names(const void *a, const void *b)
{
    const struct named_choice *left = a, *right = b;
    int order = str_compare(left->folded, right->folded);
    return order ? order : str_compare(left->choice->value, right->choice->value);
}

/* The ids of a select field's options, as they are to stand. */
static const int64_t *rank_choices(struct arena *a, const struct grid_order *order)
{
    const struct kind_settings *s = &order->field->settings;
    struct named_choice *named = ARENA_ARRAY(a, struct named_choice, s->choice_count + 1);
    int64_t *ids = ARENA_ARRAY(a, int64_t, s->choice_count + 1);
    for (size_t i = 0; i < s->choice_count; i++)
        named[i] = (struct named_choice){text_fold(a, s->choices[i].value), &s->choices[i]};
    if (!order->by_place && s->choice_count > 1)
        qsort(named, s->choice_count, sizeof(*named), compare_names);
    for (size_t i = 0; i < s->choice_count; i++)
        ids[i] = named[i].choice->id;
    return ids;
}

/* By the names of the rows that a row is linked to. A row that refers by a column of its own is its
 * own junction. */
static const struct order_through *through(struct arena *a, const struct grid_field *f)
{
    const struct grid_link *link = f->link;
    const struct grid_table *target = link->target;
    const struct column **places = ARENA_ARRAY(a, const struct column *, 1);
    struct order_through *t = ARENA_NEW(a, struct order_through);
    places[0] = table_hidden(target->table, HIDDEN_ORDER);
    *t = (struct order_through){
        .junction = link->junction ? &link->junction->shape : &f->table->table->shape,
        .near = link->junction ? link->near : table_key(f->table->table),
        .far = link->junction ? link->far : f->column,
        .target = &target->table->shape,
        .target_key = table_key(target->table),
        .output = target->primary->column,
        .target_orders = places,
        .target_order_count = places[0] != NULL,
    };
    return t;
}

static struct order order_of(struct arena *a, const struct grid_order *wanted)
{
    const struct grid_field *f = wanted->field;
    struct order order = {.column = f->column, .descending = wanted->descending};
    if (f->kind->id == KIND_LINK_ROW) {
        order.through = through(a, f);
    } else if (f->kind->id == KIND_SINGLE_SELECT) {
        order.ranks = rank_choices(a, wanted);
        order.rank_count = f->settings.choice_count;
    } else {
        order.folded = true;
    }
    return order;
}

static void put_orders(struct arena *a, const struct grid_table *t, const struct grid_query *q,
                       struct select *select)
{
    const struct column *ends[] = {table_hidden(t->table, HIDDEN_ORDER), fetch_id_column(t)};
    struct order *orders = ARENA_ARRAY(a, struct order, q->order_count + COUNT_OF(ends));
    size_t count = 0;
    for (size_t i = 0; i < q->order_count; i++)
        orders[count++] = order_of(a, &q->orders[i]);
    for (size_t i = 0; i < COUNT_OF(ends); i++)
        if (ends[i])
            orders[count++] = (struct order){.column = ends[i]};
    select->orders = orders;
    select->order_count = count;
}

static const struct expr *condition(struct tx *tx, const struct grid_table *t,
                                    const struct grid_query *q)
{
    const struct expr *where = q->where ? q->where : &expr_true;
    return q->search.at ? expr_and(tx->arena, filter_search(tx, t, q->search), where) : where;
}

/* ---- pages ---- */

static int give(struct tx *tx, const struct grid_table *t, const struct fetched *found,
                const struct column_set *only, struct grid_rows *rows_out)
{
    struct links *links;
    int rc = links_read(tx, tx->arena, t, found->at, found->count, only, &links);
    if (rc != 0)
        return rc;
    *rows_out =
        (struct grid_rows){.table = t, .at = found->at, .count = found->count, .links = links};
    return 0;
}

int grid_rows_list(struct tx *tx, const struct grid_table *t, const struct grid_query *q,
                   struct grid_rows *rows_out)
{
    struct select select = {.shape = &t->table->shape,
                            .where = condition(tx, t, q),
                            .limit = q->limit,
                            .offset = q->offset};
    struct fetched found = {0};
    put_orders(tx->arena, t, q, &select);
    int rc = fetch(tx, tx->arena, &select, &found);
    return rc == 0 ? give(tx, t, &found, q->only, rows_out) : rc;
}

int grid_rows_find(struct tx *tx, const struct grid_table *t, const int64_t *ids, size_t count,
                   struct grid_rows *rows_out)
{
    struct value *values = ARENA_ARRAY(tx->arena, struct value, count + 1);
    struct select select = {.shape = &t->table->shape, .limit = -1};
    struct fetched found = {0};
    for (size_t i = 0; i < count; i++)
        values[i] = value_integer(ids[i]);
    count = fetch_distinct(values, count);
    put_orders(tx->arena, t, &(struct grid_query){0}, &select);
    int rc = fetch_in(tx, tx->arena, &select, fetch_id_column(t), values, count, &found);
    if (rc == 0)
        *rows_out = (struct grid_rows){.table = t, .at = found.at, .count = found.count};
    return rc;
}

int grid_rows_count(struct tx *tx, const struct grid_table *t, const struct grid_query *q,
                    int64_t *count_out)
{
    const struct select select = {
        .shape = &t->table->shape, .where = condition(tx, t, q), .now_ms = tx->now_ms};
    return store_count(tx->store, &select, count_out);
}

/* ---- neighbours ---- */

/* The ids of a list go by until the row and its neighbour have. */
struct passing {
    int64_t id, neighbour, last;
    bool previous, met, found, any;
};
enum { PASSED = 1 };

static int pass(void *context, const struct value *row)
{
    struct passing *p = context;
    int64_t id = row[0].integer;
    if (p->met) {
        p->neighbour = id;
        p->found = true;
        return PASSED;
    }
    p->met = id == p->id;
    if (p->met && p->previous) {
        p->neighbour = p->last;
        p->found = p->any;
        return PASSED;
    }
    p->last = id;
    p->any = true;
    return 0;
}

int grid_row_adjacent(struct tx *tx, const struct grid_table *t, const struct grid_query *q,
                      int64_t id, bool previous, bool *found_out, struct grid_rows *rows_out)
{
    const struct output output = {.column = fetch_id_column(t)};
    struct select select = {.shape = &t->table->shape,
                            .outputs = &output,
                            .output_count = 1,
                            .where = condition(tx, t, q),
                            .limit = -1,
                            .now_ms = tx->now_ms};
    struct passing p = {.id = id, .previous = previous};
    const struct value **rows;

    int rc = fetch_rows(tx, t, &id, 1, &rows);
    if (rc != 0)
        return rc;
    put_orders(tx->arena, t, q, &select);
    rc = store_select(tx->store, &select, pass, &p);
    if (rc != 0 && rc != PASSED)
        return rc;
    *found_out = p.found;
    if (!p.found)
        return 0;
    rc = fetch_rows(tx, t, &p.neighbour, 1, &rows);
    if (rc != 0)
        return rc;
    const struct fetched found = {.at = rows, .count = 1};
    return give(tx, t, &found, q->only, rows_out);
}
