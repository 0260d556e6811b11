#include "model/items/effects.h"

#include "model/problem.h"

/*
 * Two passes before anything is written. First all rows that go, following cascades from table to
 * table until no more are found, so that circles end. Then the references to them that are cleared,
 * in rows that stay.
 *
 * The delete itself comes first in SQL: there the store's own actions run within one statement,
 * where references between the rows that go hold nothing up. What they have not done (foreign keys
 * are off while tables are rebuilt) is then done in so many words. So the images of cleared rows
 * are computed and not read back.
 */

enum { EFFECT_ROWS_MAX = 100000, VALUES_PER_STATEMENT = 1000 };

/* Rows of one table that go. The first group is the delete itself. */
struct doomed {
    struct rows *rows;
    size_t followed; /* so many have been asked for rows that refer to them */
    struct doomed *next;
};

/* Rows whose reference is cleared, through one relation. */
struct cleared {
    struct rows *rows;
    struct assignment assignment;
    struct cleared *next;
};

struct effects {
    struct doomed doomed;
    struct cleared *cleared;
    size_t row_count;
};

/* ---- finding ---- */

static bool is_doomed(struct tx *tx, const struct effects *e, const struct table *table,
                      const struct value *key)
{
    for (const struct doomed *d = &e->doomed; d; d = d->next)
        if (d->rows->table == table && rows_find(tx, d->rows, key))
            return true;
    return false;
}

/* The rows found through one relation, on their way into a group. */
struct search {
    struct tx *tx;
    struct effects *effects;
    struct rows *into;
};

static int take_row(void *context, const struct value *row)
{
    const struct search *s = context;
    const struct table *table = s->into->table;
    const struct item_key key = {.value = row[table->shape.key]};

    if (is_doomed(s->tx, s->effects, table, &key.value) || rows_find(s->tx, s->into, &key.value))
        return 0;
    if (++s->effects->row_count > EFFECT_ROWS_MAX)
        return refuse(s->tx, PROBLEM_UNPROCESSABLE, "More than %d items refer to what is deleted",
                      EFFECT_ROWS_MAX);
    rows_add(s->tx, s->into, &key)->before = value_copy_row(s->tx->arena, row, table->shape.count);
    return 0;
}

static const struct column *referred_column(const struct relation *relation)
{
    const struct reference *reference = relation->column->reference;
    const struct column *column =
        reference ? shape_column(&relation->one->shape, reference->column) : NULL;
    return column ? column : table_key(relation->one);
}

/* Takes the rows that refer to `parents` from the one at `from` on. */
static int take_referring(struct search *s, const struct relation *relation,
                          const struct rows *parents, size_t from)
{
    const struct column *referred = referred_column(relation);
    while (from < parents->count) {
        struct value values[VALUES_PER_STATEMENT];
        size_t count = 0;
        for (; from < parents->count && count < VALUES_PER_STATEMENT; from++)
            values[count++] = parents->list[from]->before[referred->index];
        struct select select = {.shape = &relation->many->shape,
                                .where =
                                    expr_test(s->tx->arena, relation->column, OP_IN, values, count),
                                .limit = -1,
                                .now_ms = s->tx->now_ms};
        int rc = store_select(s->tx->store, &select, take_row, s);
        if (rc)
            return rc;
    }
    return 0;
}

/* The group of a table's rows that go by cascade; the first group is no such group. */
static struct doomed *cascade_group(struct tx *tx, struct effects *e, const struct table *table)
{
    struct doomed **end = &e->doomed.next;
    for (; *end; end = &(*end)->next)
        if ((*end)->rows->table == table)
            return *end;
    *end = ARENA_NEW(tx->arena, struct doomed);
    (*end)->rows = rows_new(tx, table);
    return *end;
}

static int follow_cascades(struct tx *tx, struct effects *e, struct doomed *group)
{
    size_t from = group->followed;
    group->followed = group->rows->count;
    for (size_t i = 0; i < tx->catalogue->relation_count; i++) {
        const struct relation *relation = &tx->catalogue->relations[i];
        if (relation->one != group->rows->table || relation->on_delete != ON_DELETE_CASCADE)
            continue;
        struct search s = {tx, e, cascade_group(tx, e, relation->many)->rows};
        int rc = take_referring(&s, relation, group->rows, from);
        if (rc)
            return rc;
    }
    return 0;
}

static int find_doomed(struct tx *tx, struct effects *e)
{
    for (struct doomed *d = &e->doomed; d;) {
        if (d->followed == d->rows->count) {
            d = d->next;
            continue;
        }
        int rc = follow_cascades(tx, e, d);
        if (rc)
            return rc;
        d = &e->doomed; /* it may have found rows for a group that was done */
    }
    return 0;
}

/* A row that another relation clears too: this one goes on from what that one leaves. */
static const struct row *cleared_before(struct tx *tx, const struct effects *e,
                                        const struct table *table, const struct value *key)
{
    const struct row *latest = NULL;
    for (const struct cleared *c = e->cleared; c; c = c->next) {
        const struct row *row = c->rows->table == table ? rows_find(tx, c->rows, key) : NULL;
        latest = row ? row : latest;
    }
    return latest;
}

static void compute_images(struct tx *tx, const struct effects *e, struct cleared *c)
{
    const struct table *table = c->rows->table;
    for (size_t i = 0; i < c->rows->count; i++) {
        struct row *row = c->rows->list[i];
        const struct row *earlier = cleared_before(tx, e, table, &row->key.value);
        if (earlier)
            row->before = earlier->after;
        struct value *after = value_copy_row(tx->arena, row->before, table->shape.count);
        after[c->assignment.column->index] = c->assignment.value;
        row->after = after;
    }
}

static int find_cleared(struct tx *tx, struct effects *e, const struct relation *relation)
{
    struct cleared *c = ARENA_NEW(tx->arena, struct cleared);
    struct search s = {tx, e, rows_new(tx, relation->many)};
    c->rows = s.into;
    c->assignment.column = relation->column;
    c->assignment.value = relation->on_delete == ON_DELETE_SET_DEFAULT
                              ? relation->column->default_value
                              : value_null();
    for (const struct doomed *d = &e->doomed; d; d = d->next) {
        int rc = d->rows->table == relation->one ? take_referring(&s, relation, d->rows, 0) : 0;
        if (rc)
            return rc;
    }
    if (c->rows->count == 0)
        return 0;
    compute_images(tx, e, c);
    struct cleared **end = &e->cleared;
    while (*end)
        end = &(*end)->next;
    *end = c;
    return 0;
}

int effects_find(struct tx *tx, struct rows *deleted, struct effects **effects_out)
{
    struct effects *e = ARENA_NEW(tx->arena, struct effects);
    e->doomed.rows = deleted;
    int rc = find_doomed(tx, e);
    for (size_t i = 0; i < tx->catalogue->relation_count && rc == 0; i++) {
        const struct relation *relation = &tx->catalogue->relations[i];
        if (relation->on_delete == ON_DELETE_SET_NULL ||
            relation->on_delete == ON_DELETE_SET_DEFAULT)
            rc = find_cleared(tx, e, relation);
    }
    if (rc == 0)
        *effects_out = e;
    return rc;
}

/* ---- applying and recording ---- */

int effects_apply(struct tx *tx, struct effects *effects)
{
    int rc = 0;
    for (struct cleared *c = effects->cleared; c && rc == 0; c = c->next)
        rc = rows_set(tx, c->rows, &c->assignment, 1);
    for (struct doomed *d = effects->doomed.next; d && rc == 0; d = d->next)
        rc = rows_delete(tx, d->rows);
    return rc;
}

void effects_record(struct tx *tx, const struct effects *effects)
{
    for (const struct doomed *d = effects->doomed.next; d; d = d->next)
        if (d->rows->count > 0)
            rows_record(tx, d->rows, commit_operation(tx), CHANGE_DELETE, NULL);
    for (const struct cleared *c = effects->cleared; c; c = c->next)
        rows_record(tx, c->rows, commit_operation(tx), CHANGE_UPDATE, NULL);
}
