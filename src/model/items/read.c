#include "model/items/items.h"

#include "model/problem.h"

/*
 * Reading items. Permissions are inside the query; nothing is filtered after the fact.
 */

int items_table(struct tx *tx, struct str collection, enum action action,
                const struct table **table_out)
{
    const struct table *table = catalogue_table(tx->catalogue, collection);
    if (!table || !principal_grant(tx->principal, table, action))
        return refuse_collection(tx, collection);
    *table_out = table;
    return 0;
}

int items_key(struct tx *tx, const struct table *table, const json_t *json,
              struct item_key *key_out)
{
    struct value value;
    if (!json || type_read_key(table_key(table), json, tx->arena, &value) != 0)
        return refuse(tx, PROBLEM_FORBIDDEN, NULL);
    *key_out = (struct item_key){value, json_is_string(json)};
    return 0;
}

int items_key_text(struct tx *tx, const struct table *table, struct str text,
                   struct item_key *key_out)
{
    json_t *json = json_stringn(text.at ? text.at : "", text.len); /* NULL: no UTF-8 */
    if (json)
        arena_on_free(tx->arena, json_release, json);
    return items_key(tx, table, json, key_out);
}

/* ---- rows of this very transaction ---- */

static bool has_secrets(const struct shape *shape)
{
    for (size_t i = 0; i < shape->count; i++)
        if (shape->columns[i].secret)
            return true;
    return false;
}

/* The image of a row that was written just now; NULL: none that can stand for the row. */
enum { LOOK_BACK = 16 };
static const struct value *find_image(const struct tx *tx, const struct query *q)
{
    size_t end = tx->commit ? tx->commit->count : 0;

    if (!q->only || q->limit == 0 || q->offset > 0 || has_secrets(&q->table->shape))
        return NULL;
    for (size_t i = end; i-- > 0 && end - i <= LOOK_BACK;) {
        const struct change *change = tx->commit->changes[i];
        if (change->table == q->table && value_equal(&change->key.value, &q->only->value))
            return change->after;
    }
    return NULL;
}

/* What a SELECT would tell of it: the evaluator and the stores agree (tests/agree). */
static int tell_image(const struct tx *tx, const struct query *q, const struct value *image,
                      store_row_fn *row, void *context)
{
    struct value *values = ARENA_ARRAY(tx->arena, struct value, q->output_count + 1);

    if (q->where && !expr_matches(q->where, image, tx->now_ms))
        return 0;
    for (size_t i = 0; i < q->output_count; i++) {
        const struct output *o = &q->outputs[i];
        bool seen = !o->mask || expr_matches(o->mask, image, tx->now_ms);
        values[i] = seen ? image[o->column->index] : value_null();
    }
    return row(context, values);
}

/* ---- reading ---- */

int items_read(struct tx *tx, const struct query *q, store_row_fn *row, void *context)
{
    const struct value *image = find_image(tx, q);
    struct select select;

    if (image)
        return tell_image(tx, q, image, row, context);
    query_to_select(q, tx->now_ms, &select);
    return store_select(tx->store, &select, row, context);
}

int items_count(struct tx *tx, const struct query *q, enum query_meta what, int64_t *count_out)
{
    struct select select;
    query_to_select(q, tx->now_ms, &select);
    if (what == QUERY_TOTAL_COUNT)
        select.where = q->grant->rows;
    return store_count(tx->store, &select, count_out);
}

/* ---- as JSON ---- */

struct writing {
    const struct query *query;
    struct buf *buf;
    size_t count;
};

enum { ROWS_TOO_LARGE = 1 };

static int write_row(void *context, const struct value *row)
{
    struct writing *w = context;
    if (w->count++ > 0)
        buf_put_char(w->buf, ',');
    query_write_row(w->buf, w->query, row);
    return w->buf->failed ? ROWS_TOO_LARGE : 0;
}

static int write_rows(struct tx *tx, struct writing *w)
{
    int rc = items_read(tx, w->query, write_row, w);
    return rc == ROWS_TOO_LARGE ? refuse_size(tx, w->buf->max) : rc;
}

int items_write_list(struct tx *tx, const struct query *q, struct buf *b)
{
    struct writing w = {q, b, 0};
    buf_put_char(b, '[');
    int rc = write_rows(tx, &w);
    if (rc)
        return rc;
    buf_put_char(b, ']');
    return b->failed ? refuse_size(tx, b->max) : 0;
}

int items_write_one(struct tx *tx, const struct query *q, struct buf *b)
{
    struct query one = *q;
    struct writing w = {&one, b, 0};
    one.limit = 1;
    int rc = write_rows(tx, &w);
    if (rc == 0 && w.count == 0)
        return refuse_action(tx, "read", q->table->name);
    return rc;
}

/* ---- keys ---- */

struct key_list {
    struct tx *tx;
    struct item_key *keys;
    size_t count, capacity;
};

static int take_key(void *context, const struct value *row)
{
    struct key_list *list = context;
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 64;
        struct item_key *keys = ARENA_ARRAY(list->tx->arena, struct item_key, capacity);
        if (list->count > 0)
            memcpy(keys, list->keys, list->count * sizeof(*keys));
        list->keys = keys;
        list->capacity = capacity;
    }
    list->keys[list->count++].value = value_copy(list->tx->arena, row);
    return 0;
}

int items_keys(struct tx *tx, const struct query *q, struct item_key **keys_out, size_t *count_out)
{
    const struct output output = {.column = table_key(q->table)};
    struct key_list list = {.tx = tx};
    struct select select;
    query_to_select(q, tx->now_ms, &select);
    select.outputs = &output;
    select.output_count = 1;
    int rc = store_select(tx->store, &select, take_key, &list);
    if (rc)
        return rc;
    *keys_out = list.keys;
    *count_out = list.count;
    return 0;
}
