#include "model/grid/rows.h"

#include "base/map.h"
#include "model/counter.h"
#include "model/grid/fetch.h"
#include "model/grid/inputs.h"
#include "model/grid/order.h"
#include "model/grid/trash.h"
#include "model/items/effects.h"
#include "model/items/rows.h"
#include "model/problem.h"

/*
 * Each function below is one request: find what is meant, refuse it as a whole or write it, record
 * it as one operation, but updates as one for each run of rows that get the same. What that brings
 * about in other rows (links, references) follows as operations of its own. The request runs in a
 * savepoint, which its REFUSED undoes.
 */

/* ---- telling ---- */

static void put_key(struct buf *b, const struct grid_field *f, bool user_names)
{
    buf_put_char(b, ',');
    if (user_names) {
        json_put_str(b, f->name);
    } else {
        buf_put_lit(b, "\"field_");
        buf_put_int(b, f->id);
        buf_put_char(b, '"');
    }
    buf_put_char(b, ':');
}

static void write_links(struct buf *b, const struct grid_field *f, const struct link_cell *cell,
                        const struct grid_style *style)
{
    const struct grid_join *join = join_find(style->joins, f);

    if (join)
        join_write(b, join, cell, style->user_names);
    else
        links_write(b, f, cell);
}

void grid_write_cells(struct buf *b, const struct grid_table *t, const struct value *row,
                      const struct links *links, const struct grid_style *style)
{
    const struct value *key = &row[t->table->shape.key];

    for (size_t i = 0; i < t->field_count; i++) {
        const struct grid_field *f = &t->fields[i];
        if (style->only && !column_set_has(style->only, (unsigned)i))
            continue;
        put_key(b, f, style->user_names);
        if (f->link)
            write_links(b, f, links_cell(links, f, key), style);
        else
            kind_write(b, f, &row[f->column->index]);
    }
}

void grid_write_row(struct buf *b, const struct grid_table *t, const struct value *row,
                    const struct links *links, const struct grid_style *style)
{
    buf_put_lit(b, "{\"id\":");
    buf_put_int(b, grid_row_id(t, row));
    buf_put_lit(b, ",\"order\":\"");
    grid_put_order(b, t, row);
    buf_put_char(b, '"');
    grid_write_cells(b, t, row, links, style);
    buf_put_char(b, '}');
}

struct str grid_row_name(struct arena *a, const struct grid_table *t, const struct value *row)
{
    struct buf name;

    buf_init(&name, SIZE_MAX);
    if (!t->primary->link)
        kind_put_text(&name, t->primary, &row[t->primary->column->index]);
    struct str copy = name.len > 0 ? arena_str(a, buf_str(&name)) : STR("");
    buf_deinit(&name);
    return copy;
}

/* ---- finding ---- */

static int refuse_twice(struct tx *tx, const int64_t *ids, size_t count)
{
    struct value *values = ARENA_ARRAY(tx->arena, struct value, count);

    for (size_t i = 0; i < count; i++)
        values[i] = value_integer(ids[i]);
    return fetch_distinct(values, count) == count
               ? 0
               : refuse(tx, PROBLEM_UNPROCESSABLE, "%s", GRID_ROWS_TWICE);
}

static struct item_key key_of(const struct grid_table *t, const struct value *row)
{
    return (struct item_key){.value = row[t->table->shape.key]};
}

static int give(struct tx *tx, const struct grid_table *t, const struct value *const *rows,
                size_t count, struct grid_rows *rows_out)
{
    struct links *links;

    int rc = links_read(tx, tx->arena, t, rows, count, NULL, &links);
    if (rc == 0)
        *rows_out = (struct grid_rows){.table = t, .at = rows, .count = count, .links = links};
    return rc;
}

int grid_rows_get(struct tx *tx, const struct grid_table *t, const int64_t *ids, size_t count,
                  struct grid_rows *rows_out)
{
    const struct value **rows;

    int rc = fetch_rows(tx, t, ids, count, &rows);
    return rc == 0 ? give(tx, t, rows, count, rows_out) : rc;
}

/* The store's word for a value that is taken is the dialect's for a constraint. */
static int written(struct tx *tx, int rc)
{
    if (rc == REFUSED && tx->problem->kind == PROBLEM_NOT_UNIQUE) {
        struct str field = tx->problem->field;
        refuse(tx, PROBLEM_UNPROCESSABLE, "%s", GRID_CONSTRAINT_BROKEN);
        tx->problem->value = field;
    }
    return rc;
}

static int give_drafts(struct tx *tx, const struct drafts *drafts, struct grid_rows *rows_out)
{
    const struct value **rows = ARENA_ARRAY(tx->arena, const struct value *, drafts->count);

    for (size_t i = 0; i < drafts->count; i++)
        rows[i] = drafts->at[i].after;
    return give(tx, drafts->table, rows, drafts->count, rows_out);
}

/* ---- order ---- */

/* Clients are told of a renumbering before they are told of what made it necessary. */
static int take_places(struct tx *tx, const struct grid_table *t, int64_t before, double *places,
                       size_t count)
{
    bool renumbered;

    int rc = order_before(tx, t, before, places, count, &renumbered);
    if (rc == 0 && renumbered)
        news_note(tx, NOTE_RENUMBERED, commit_operation(tx), t->table, 0, NULL);
    return rc;
}

static int place_drafts(struct tx *tx, const struct drafts *drafts, int64_t before)
{
    const struct grid_table *t = drafts->table;
    double *places = ARENA_ARRAY(tx->arena, double, drafts->count);

    if (before == 0)
        return 0; /* at the end is where rows_insert() puts them */
    int rc = take_places(tx, t, before, places, drafts->count);
    for (size_t i = 0; i < drafts->count && rc == 0; i++)
        draft_assign(&drafts->at[i], table_hidden(t->table, HIDDEN_ORDER), value_real(places[i]));
    return rc;
}

/* ---- create ---- */

static int insert_drafts(struct tx *tx, const struct drafts *drafts, int64_t before)
{
    const struct table *table = drafts->table->table;
    unsigned operation = commit_operation(tx);

    for (size_t i = 0; i < drafts->count; i++) {
        struct draft *d = &drafts->at[i];
        int rc = rows_insert(tx, table, d->assignments, d->count, &d->after);
        if (rc != 0)
            return written(tx, rc);
        const struct item_key key = key_of(drafts->table, d->after);
        commit_record(tx, operation, CHANGE_CREATE, table, &key, NULL, d->after, &d->columns);
    }
    news_note(tx, before != 0 ? NOTE_BEFORE : NOTE_PLAIN, operation, table, before,
              &drafts->fields);
    return 0;
}

int grid_rows_create(struct tx *tx, const struct grid_table *t, const struct grid_inputs *inputs,
                     int64_t before, struct grid_rows *rows_out)
{
    struct drafts *drafts;

    int rc = drafts_read(tx, t, inputs, NULL, &drafts);
    if (rc == 0)
        rc = place_drafts(tx, drafts, before);
    if (rc == 0)
        rc = insert_drafts(tx, drafts, before);
    if (rc == 0)
        rc = drafts_link(tx, drafts);
    return rc == 0 ? give_drafts(tx, drafts, rows_out) : rc;
}

/* ---- update ---- */

/* Rows that get the same: one statement is enough for them. */
struct alike {
    struct rows *rows;
    const struct draft *first;
    struct alike *next;
};

static struct str assignments_key(struct arena *a, const struct draft *d)
{
    struct buf b;

    buf_init(&b, SIZE_MAX);
    for (size_t i = 0; i < d->count; i++) {
        buf_printf(&b, "%u:", d->assignments[i].column->index);
        value_put_key(&b, &d->assignments[i].value);
    }
    struct str key = arena_str(a, buf_str(&b));
    buf_deinit(&b);
    return key;
}

/* *of_out: the group of each draft. */
static struct alike *group(struct tx *tx, const struct drafts *drafts, struct alike ***of_out)
{
    struct alike *first = NULL, **end = &first;
    struct alike **of = ARENA_ARRAY(tx->arena, struct alike *, drafts->count);
    struct map groups = {0};

    for (size_t i = 0; i < drafts->count; i++) {
        const struct draft *d = &drafts->at[i];
        const struct item_key key = key_of(drafts->table, d->before);
        struct str text = assignments_key(tx->arena, d);
        of[i] = map_get(&groups, text);
        if (!of[i]) {
            of[i] = *end = ARENA_NEW(tx->arena, struct alike);
            *of[i] = (struct alike){.rows = rows_new(tx, drafts->table->table), .first = d};
            end = &of[i]->next;
            map_put(&groups, text, of[i]);
        }
        rows_add(tx, of[i]->rows, &key)->before = d->before;
    }
    map_deinit(&groups);
    *of_out = of;
    return first;
}

static int write_drafts(struct tx *tx, const struct drafts *drafts, struct alike ***of_out)
{
    const struct alike *g = group(tx, drafts, of_out);
    struct alike *const *of = *of_out;

    for (; g; g = g->next) {
        int rc = rows_update(tx, g->rows, g->first->assignments, g->first->count);
        if (rc != 0)
            return written(tx, rc);
    }
    for (size_t i = 0; i < drafts->count; i++) {
        struct draft *d = &drafts->at[i];
        d->after = rows_find(tx, of[i]->rows, &d->before[drafts->table->table->shape.key])->after;
    }
    return 0;
}

/* Rows that get the same, one after the other, are one operation: of each of those subscribers are
 * told what its rows got. */
static void record_drafts(struct tx *tx, const struct drafts *drafts, struct alike *const *of)
{
    const struct table *table = drafts->table->table;
    unsigned operation = 0;

    for (size_t i = 0; i < drafts->count; i++) {
        const struct draft *d = &drafts->at[i];
        const struct item_key key = key_of(drafts->table, d->before);
        if (i == 0 || of[i] != of[i - 1])
            operation = commit_operation(tx);
        if (i == 0)
            news_note(tx, NOTE_PLAIN, operation, table, 0, &drafts->fields);
        commit_record(tx, operation, CHANGE_UPDATE, table, &key, d->before, d->after, &d->columns);
    }
}

int grid_rows_update(struct tx *tx, const struct grid_table *t, const struct grid_inputs *inputs,
                     struct grid_rows *rows_out)
{
    int64_t *ids = ARENA_ARRAY(tx->arena, int64_t, inputs->count);
    const struct value **before;
    struct drafts *drafts;
    struct alike **of;

    for (size_t i = 0; i < inputs->count; i++)
        ids[i] = inputs->at[i].id;
    int rc = refuse_twice(tx, ids, inputs->count);
    if (rc == 0)
        rc = fetch_rows(tx, t, ids, inputs->count, &before);
    if (rc == 0)
        rc = drafts_read(tx, t, inputs, before, &drafts);
    if (rc == 0)
        rc = write_drafts(tx, drafts, &of);
    if (rc != 0)
        return rc;
    record_drafts(tx, drafts, of);
    rc = drafts_link(tx, drafts);
    return rc == 0 ? give_drafts(tx, drafts, rows_out) : rc;
}

/* ---- move ---- */

static int find_place(struct tx *tx, const struct grid_table *t, int64_t before,
                      struct assignment *order)
{
    double place;
    int64_t last;

    order->column = table_hidden(t->table, HIDDEN_ORDER);
    int rc = before != 0 ? take_places(tx, t, before, &place, 1)
                         : counter_next(tx, t->table, order->column, &last);
    if (rc == 0)
        order->value = value_real(before != 0 ? place : (double)last);
    return rc;
}

/* As it will be: nothing but the order is written, and moving is no modification. */
static const struct value *moved_image(struct tx *tx, const struct grid_table *t,
                                       const struct value *before, const struct assignment *order)
{
    struct value *after = value_copy_row(tx->arena, before, t->table->shape.count);
    after[order->column->index] = order->value;
    return after;
}

static int move(struct tx *tx, const struct grid_table *t, const struct value *before,
                const struct assignment *order, const struct value **after_out)
{
    struct rows *moved = rows_new(tx, t->table);
    const struct item_key key = key_of(t, before);
    struct row *row = rows_add(tx, moved, &key);

    row->before = before;
    row->after = *after_out = moved_image(tx, t, before, order);
    int rc = rows_set(tx, moved, order, 1);
    if (rc == 0)
        rows_record(tx, moved, commit_operation(tx), CHANGE_UPDATE, NULL);
    return rc;
}

int grid_row_move(struct tx *tx, const struct grid_table *t, int64_t id, int64_t before,
                  struct grid_rows *rows_out)
{
    const struct value **rows;
    struct assignment order;

    int rc = fetch_rows(tx, t, &id, 1, &rows); /* else nothing is renumbered */
    if (rc == 0)
        rc = find_place(tx, t, before, &order);
    if (rc == 0)
        rc = fetch_rows(tx, t, &id, 1, &rows); /* its order may be another now */
    if (rc == 0)
        rc = move(tx, t, rows[0], &order, &rows[0]);
    if (rc != 0)
        return rc;
    news_note(tx, NOTE_MOVED, tx->commit->operations - 1, t->table, before, NULL);
    return give(tx, t, rows, 1, rows_out);
}

/* ---- delete ---- */

static int delete_rows(struct tx *tx, const struct grid_table *t, struct rows *gone,
                       const struct links *links)
{
    struct effects *effects;

    int rc = effects_find(tx, gone, &effects);
    if (rc == 0)
        rc = trash_put_rows(tx, t, gone, links);
    if (rc == 0)
        rc = rows_delete(tx, gone);
    if (rc == 0)
        rc = effects_apply(tx, effects);
    if (rc != 0)
        return rc;
    rows_record(tx, gone, commit_operation(tx), CHANGE_DELETE, NULL);
    effects_record(tx, effects);
    return 0;
}

int grid_rows_delete(struct tx *tx, const struct grid_table *t, const int64_t *ids, size_t count)
{
    struct rows *gone = rows_new(tx, t->table);
    const struct value **rows;
    struct links *links;

    int rc = refuse_twice(tx, ids, count);
    if (rc == 0)
        rc = fetch_rows(tx, t, ids, count, &rows);
    if (rc == 0)
        rc = links_read(tx, tx->arena, t, rows, count, NULL, &links);
    if (rc != 0)
        return rc;
    for (size_t i = 0; i < count; i++) {
        const struct item_key key = key_of(t, rows[i]);
        rows_add(tx, gone, &key)->before = rows[i];
    }
    return delete_rows(tx, t, gone, links);
}
