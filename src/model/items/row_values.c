#include "model/items/row_values.h"

#include "base/clock.h"
#include "base/random.h"
#include "model/access/access.h"
#include "model/counter.h"
#include "model/hidden.h"

struct filling {
    struct tx *tx;
    const struct table *table;
    struct assignment *at;
    size_t count;
    unsigned given; /* bits 1 << enum hidden of columns that are among them already */
};

static bool is_hidden(const struct table *t, const struct column *c)
{
    return c->index >= t->declared;
}

static void take_given(struct filling *f, const struct assignment *given, size_t count,
                       size_t capacity)
{
    f->at = ARENA_ARRAY(f->tx->arena, struct assignment, capacity);
    if (count > 0)
        memcpy(f->at, given, count * sizeof(*given));
    f->count = count;
    for (size_t i = 0; i < count; i++)
        if (is_hidden(f->table, given[i].column))
            f->given |= 1U << (given[i].column->index - f->table->declared);
}

static void put(struct filling *f, enum hidden which, struct value value)
{
    if (!(f->given & 1U << which))
        f->at[f->count++] = (struct assignment){table_hidden(f->table, which), value};
}

static struct value now(const struct tx *tx)
{
    char text[CLOCK_TEXT_MAX];

    clock_write_timestamp(tx->now_ms, text);
    return value_text(arena_str(tx->arena, str_of(text)));
}

static struct value user(const struct tx *tx)
{
    return tx->principal->user.at ? value_text(tx->principal->user) : value_null();
}

/* ---- numbers ---- */

static const struct assignment *find(const struct filling *f, const struct column *c)
{
    for (size_t i = 0; i < f->count; i++)
        if (f->at[i].column->index == c->index)
            return &f->at[i];
    return NULL;
}

/* The next number, unless there is one given: then counting goes on behind that. */
static int count_on(struct filling *f, const struct column *c)
{
    const struct assignment *given = find(f, c);
    int64_t next;

    if (given) {
        counter_raise(f->tx, f->table, c, &given->value);
        return 0;
    }
    int rc = counter_next(f->tx, f->table, c, &next);
    if (rc == 0)
        f->at[f->count++] = (struct assignment){
            c, types[c->type].kind == VALUE_REAL ? value_real((double)next) : value_integer(next)};
    return rc;
}

static int generate(struct filling *f)
{
    char uuid[UUID_TEXT_SIZE];
    int rc = 0;

    for (unsigned i = 0; i < f->table->declared && rc == 0; i++) {
        const struct field *field = &f->table->fields[i];
        if (field->special & SPECIAL_AUTONUMBER) {
            rc = count_on(f, field->column);
        } else if ((field->special & SPECIAL_UUID) && !find(f, field->column)) {
            random_uuid(uuid);
            f->at[f->count++] = (struct assignment){
                field->column, value_text(arena_str(f->tx->arena, str_of(uuid)))};
        }
    }
    return rc;
}

/* ---- rows ---- */

int row_values_insert(struct tx *tx, const struct table *table, const struct assignment *given,
                      size_t count, struct row_values *values_out)
{
    struct filling f = {.tx = tx, .table = table};
    const struct column *number = table_hidden(table, HIDDEN_NUMBER);

    *values_out = (struct row_values){given, count};
    if (table->declared == 0) /* not a users' table */
        return 0;
    take_given(&f, given, count, count + HIDDEN_COUNT + (table->generates ? table->declared : 0));
    const struct value moment = now(tx);
    put(&f, HIDDEN_CREATED_ON, moment);
    put(&f, HIDDEN_CREATED_BY, user(tx));
    put(&f, HIDDEN_UPDATED_ON, moment); /* who made it changed it last */
    put(&f, HIDDEN_UPDATED_BY, user(tx));
    int rc = count_on(&f, table_hidden(table, HIDDEN_ORDER));
    if (rc == 0 && number)
        rc = count_on(&f, number);
    if (rc == 0 && table->generates)
        rc = generate(&f);
    *values_out = (struct row_values){f.at, f.count};
    return rc;
}

void row_values_update(struct tx *tx, const struct table *table, const struct assignment *given,
                       size_t count, struct row_values *values_out)
{
    struct filling f = {.tx = tx, .table = table};
    const struct column *order = table_hidden(table, HIDDEN_ORDER);

    *values_out = (struct row_values){given, count};
    if (table->declared == 0 || count == 0)
        return;
    take_given(&f, given, count, count + 2);
    put(&f, HIDDEN_UPDATED_ON, now(tx));
    put(&f, HIDDEN_UPDATED_BY, user(tx));
    const struct assignment *moved = find(&f, order);
    if (moved)
        counter_raise(tx, table, order, &moved->value);
    *values_out = (struct row_values){f.at, f.count};
}

/* ---- rows that go ---- */

static int leave(struct tx *tx, const struct rows *rows, const struct column *c)
{
    const struct value *highest = NULL;

    for (size_t i = 0; i < rows->count; i++) {
        const struct value *cell = rows->list[i]->before ? &rows->list[i]->before[c->index] : NULL;
        if (cell && !value_is_null(cell) && (!highest || value_compare(cell, highest) > 0))
            highest = cell;
    }
    return highest ? counter_leave(tx, rows->table, c, highest) : 0;
}

int row_values_delete(struct tx *tx, const struct rows *rows)
{
    const struct table *table = rows->table;
    const struct column *number = table_hidden(table, HIDDEN_NUMBER);

    int rc = table->declared > 0 && number ? leave(tx, rows, number) : 0;
    for (unsigned i = 0; i < table->declared && table->generates && rc == 0; i++)
        if (table->fields[i].special & SPECIAL_AUTONUMBER)
            rc = leave(tx, rows, table->fields[i].column);
    return rc;
}
