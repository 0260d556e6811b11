#include "model/grid/unique.h"

#include "model/grid/fetch.h"
#include "model/problem.h"

static const struct value *assigned(const struct draft *d, const struct column *column)
{
    for (size_t i = 0; i < d->count; i++)
        if (d->assignments[i].column == column)
            return &d->assignments[i].value;
    return NULL;
}

/* The values that the drafts bring; *twice_out: two of them bring the same one. */
static size_t collect(const struct drafts *drafts, const struct grid_field *f, struct value *values,
                      bool *twice_out)
{
    size_t count = 0;

    for (size_t i = 0; i < drafts->count; i++) {
        const struct value *value = assigned(&drafts->at[i], f->column);
        if (value && !kind_is_empty(f, value))
            values[count++] = *value;
    }
    size_t distinct = fetch_distinct(values, count);
    *twice_out = distinct < count;
    return distinct;
}

/* Is the row one of those that get another value now? */
static bool is_written(const struct drafts *drafts, const struct column *column,
                       const struct value *key)
{
    for (size_t i = 0; i < drafts->count; i++) {
        const struct draft *d = &drafts->at[i];
        if (d->before && value_equal(&d->before[drafts->table->table->shape.key], key))
            return assigned(d, column) != NULL;
    }
    return false;
}

static int refuse_field(struct tx *tx, const struct grid_field *f)
{
    refuse(tx, PROBLEM_UNPROCESSABLE, "%s", GRID_CONSTRAINT_BROKEN);
    tx->problem->value = arena_str(tx->arena, f->name);
    return REFUSED;
}

static int check_field(struct tx *tx, const struct drafts *drafts, const struct grid_field *f)
{
    const struct table *table = drafts->table->table;
    const struct output key = {.column = table_key(table)};
    const struct select select = {
        .shape = &table->shape, .outputs = &key, .output_count = 1, .limit = -1};
    struct value *values = ARENA_ARRAY(tx->arena, struct value, drafts->count);
    struct fetched holders = {0};
    bool twice;

    size_t count = collect(drafts, f, values, &twice);
    if (twice)
        return refuse_field(tx, f);
    int rc = fetch_in(tx, tx->arena, &select, f->column, values, count, &holders);
    if (rc != 0)
        return rc;
    for (size_t i = 0; i < holders.count; i++)
        if (!is_written(drafts, f->column, &holders.at[i][0]))
            return refuse_field(tx, f);
    return 0;
}

int unique_check(struct tx *tx, const struct drafts *drafts)
{
    const struct grid_table *t = drafts->table;
    int rc = 0;

    for (size_t i = 0; i < t->field_count && rc == 0; i++)
        if (t->fields[i].column && (t->fields[i].settings.unique || t->fields[i].column->unique))
            rc = check_field(tx, drafts, &t->fields[i]);
    return rc;
}
