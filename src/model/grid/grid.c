#include "model/grid/grid.h"

#include <stdarg.h>

#include "model/grid/load.h"
#include "model/grid/order.h"
#include "model/problem.h"

/* ---- looking up ---- */

/* The first place in an array of `count` things whose number is not below `id`. */
static size_t lower_bound(size_t count, int64_t id, const struct grid *g,
                          int64_t (*number)(const struct grid *g, size_t at))
{
    size_t low = 0, high = count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (number(g, middle) < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int64_t table_number(const struct grid *g, size_t at)
{
    return g->tables[at].id;
}

static int64_t field_number(const struct grid *g, size_t at)
{
    return g->fields[at]->id;
}

static int64_t application_number(const struct grid *g, size_t at)
{
    return g->placed[at]->application->id;
}

static int64_t target_number(const struct grid *g, size_t at)
{
    return g->links[at]->link->target->id;
}

static int64_t junction_number(const struct grid *g, size_t at)
{
    return g->junctions[at].table;
}

const struct grid_table *grid_table(const struct catalogue *c, int64_t id)
{
    const struct grid *g = c->grid;
    size_t at = g ? lower_bound(g->table_count, id, g, table_number) : 0;

    return g && at < g->table_count && g->tables[at].id == id ? &g->tables[at] : NULL;
}

const struct grid_table *grid_table_of(const struct catalogue *c, const struct table *t)
{
    return grid_table(c, t->id); /* those of system tables are below all of ours */
}

const struct grid_field *grid_field(const struct catalogue *c, int64_t id)
{
    const struct grid *g = c->grid;
    size_t at = g ? lower_bound(g->field_count, id, g, field_number) : 0;

    return g && at < g->field_count && g->fields[at]->id == id ? g->fields[at] : NULL;
}

const struct grid_field *grid_table_field(const struct grid_table *t, int64_t id)
{
    for (size_t i = 0; i < t->field_count; i++)
        if (t->fields[i].id == id)
            return &t->fields[i];
    return NULL;
}

const struct grid_field *grid_table_field_named(const struct grid_table *t, struct str name)
{
    for (size_t i = 0; i < t->field_count; i++)
        if (str_equal(t->fields[i].name, name))
            return &t->fields[i];
    return NULL;
}

const struct grid_table *const *grid_tables(const struct catalogue *c, int64_t application,
                                            size_t *count_out)
{
    const struct grid *g = c->grid;
    size_t first, end;

    *count_out = 0;
    if (!g)
        return NULL;
    first = lower_bound(g->table_count, application, g, application_number);
    for (end = first; end < g->table_count && application_number(g, end) == application;)
        end++;
    *count_out = end - first;
    return &g->placed[first];
}

const struct grid_field *const *grid_links_to(const struct catalogue *c, const struct grid_table *t,
                                              size_t *count_out)
{
    const struct grid *g = c->grid;
    size_t first, end;

    *count_out = 0;
    if (!g)
        return NULL;
    first = lower_bound(g->link_count, t->id, g, target_number);
    for (end = first; end < g->link_count && target_number(g, end) == t->id;)
        end++;
    *count_out = end - first;
    return &g->links[first];
}

const struct grid_field *grid_junction_field(const struct catalogue *c, const struct table *t)
{
    const struct grid *g = c->grid;
    size_t at = g ? lower_bound(g->junction_count, t->id, g, junction_number) : 0;

    return g && at < g->junction_count && g->junctions[at].table == t->id ? g->junctions[at].field
                                                                          : NULL;
}

/* ---- rows ---- */

int64_t grid_row_id(const struct grid_table *t, const struct value *row)
{
    const struct column *number = table_hidden(t->table, HIDDEN_NUMBER);
    const struct value *v = &row[number ? number->index : t->table->shape.key];

    return v->kind == VALUE_INTEGER ? v->integer : 0;
}

void grid_put_order(struct buf *b, const struct grid_table *t, const struct value *row)
{
    const struct column *order = table_hidden(t->table, HIDDEN_ORDER);
    const struct value *v = &row[order->index];

    order_put(b, v->kind == VALUE_REAL ? v->real : 0.0);
}

/* ---- for members ---- */

#define refuse_wish(tx, word) refuse((tx), PROBLEM_UNPROCESSABLE, "%s", (word))

static int check_member(struct tx *tx, const struct grid_table *t)
{
    const struct workspace *w;

    return workspace_find(tx, t->application->workspace->id, MEMBER_MEMBER, &w);
}

int grid_find(struct tx *tx, int64_t id, const struct grid_table **table_out)
{
    const struct grid_table *t = grid_table(tx->catalogue, id);

    if (!t)
        return refuse_wish(tx, GRID_NO_TABLE);
    int rc = check_member(tx, t);
    if (rc == 0)
        *table_out = t;
    return rc;
}

int grid_find_field(struct tx *tx, int64_t id, const struct grid_field **field_out)
{
    const struct grid_field *f = grid_field(tx->catalogue, id);

    if (!f)
        return refuse_wish(tx, GRID_NO_FIELD);
    int rc = check_member(tx, f->table);
    if (rc == 0)
        *field_out = f;
    return rc;
}

int grid_find_application(struct tx *tx, int64_t id, const struct application **application_out)
{
    return application_find(tx, id, application_out);
}

void grid_refuse_value(struct tx *tx, int64_t item, struct str field, const char *code,
                       const char *sentence, ...)
{
    struct violation *v = refuse_violation(tx, field, code);
    va_list arguments;
    struct buf text;

    buf_init(&text, SIZE_MAX);
    va_start(arguments, sentence);
    buf_vprintf(&text, sentence, arguments);
    va_end(arguments);
    v->substring = arena_str(tx->arena, buf_str(&text));
    v->item = item;
    buf_deinit(&text);
}
