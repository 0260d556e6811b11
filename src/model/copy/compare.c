#include "model/copy/internal.h"

/*
 * Two reads cannot go side by side, since a store tells its rows by calling. So the rows of one
 * side are gathered in batches, and the other is asked for the same stretch of keys: behind the
 * batch before, up to the batch's last.
 */

enum { BATCH_ROWS_MAX = 500, BATCH_BYTES_MAX = 1 << 20 };

struct comparing {
    struct store *to;
    const struct shape *shape;
    void (*row)(void *context);
    void *context;
    struct arena *arena;
    struct difference *difference;
    struct arena *batch, *before; /* `before` holds the last key of the batch before */
    const struct value *rows[BATCH_ROWS_MAX];
    size_t count, next; /* rows of the batch; the one that is compared next */
    const struct value *last;
};

static const struct column *key_of(const struct comparing *c)
{
    return &c->shape->columns[c->shape->key];
}

static int differ(struct comparing *c, const struct value *row, const struct column *column)
{
    *c->difference =
        (struct difference){value_copy(c->arena, &row[c->shape->key]), .column = column};
    return COMPARE_DIFFERS;
}

static int compare_row(void *context, const struct value *row)
{
    struct comparing *c = context;
    size_t key = c->shape->key;

    if (c->next == c->count) /* behind all */
        return differ(c, row, NULL);
    const struct value *expected = c->rows[c->next];
    int order = value_compare(&row[key], &expected[key]);
    if (order != 0)
        return differ(c, order < 0 ? row : expected, NULL);
    for (size_t i = 0; i < c->shape->count; i++)
        if (!value_equal(&row[i], &expected[i]))
            return differ(c, row, &c->shape->columns[i]);
    c->next++;
    if (c->row)
        c->row(c->context);
    return 0;
}

/* The stretch of keys that the batch is of; the last stretch has no end. */
static const struct expr *stretch(struct comparing *c, bool endless)
{
    const struct expr *where = &expr_true;
    if (c->last)
        where = expr_test(c->batch, key_of(c), OP_GT, c->last, 1);
    if (!endless)
        where = expr_and(
            c->batch, where,
            expr_test(c->batch, key_of(c), OP_LTE, &c->rows[c->count - 1][c->shape->key], 1));
    return where;
}

static int compare_batch(struct comparing *c, bool endless)
{
    struct select select = {.shape = c->shape, .where = stretch(c, endless), .limit = -1};

    c->next = 0;
    int rc = store_select(c->to, &select, compare_row, c);
    if (rc == 0 && c->next < c->count)
        rc = differ(c, c->rows[c->next], NULL);
    if (c->count > 0)
        c->last = &c->rows[c->count - 1][c->shape->key];
    arena_free(c->before);
    c->before = c->batch;
    c->batch = arena_new();
    c->count = 0;
    return rc;
}

static int gather(void *context, const struct value *row)
{
    struct comparing *c = context;

    c->rows[c->count++] = value_copy_row(c->batch, row, c->shape->count);
    bool full = c->count == BATCH_ROWS_MAX || arena_bytes(c->batch) >= BATCH_BYTES_MAX;
    return full ? compare_batch(c, false) : 0;
}

int compare_tables(struct store *from, struct store *to, const struct shape *shape,
                   struct arena *arena, void (*row)(void *context), void *context,
                   struct difference *difference_out)
{
    struct difference difference = {0};
    struct comparing c = {.to = to,
                          .shape = shape,
                          .row = row,
                          .context = context,
                          .arena = arena,
                          .difference = &difference,
                          .batch = arena_new()};
    struct select select = {.shape = shape, .limit = -1};

    int rc = store_select(from, &select, gather, &c);
    if (rc == 0)
        rc = compare_batch(&c, true);
    arena_free(c.batch);
    arena_free(c.before);
    if (rc == COMPARE_DIFFERS)
        *difference_out = difference;
    return rc;
}
