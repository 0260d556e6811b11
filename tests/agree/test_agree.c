/*
 * Random tables, rows, filters and orders: what the evaluator selects in memory is what SQLite
 * selects and what PostgreSQL selects, the same rows in the same order, each value alike; and so
 * are the rows that an update or a delete touches, and the rows that a table refuses.
 *
 * The seed is printed: ROWCAST_SEED=<seed> runs it again, ROWCAST_ROUNDS=<n> runs through as many
 * tables. PostgreSQL is among the ends when ROWCAST_TEST_POSTGRES names one.
 */

#include "ends.h"

#include "base/clock.h"
#include "base/fault.h"
#include "dice.h"
#include "table.h"
#include "values.h"

enum { ROUNDS = 20, ROWS = 40, FILTERS = 40, WRITES = 8 };
enum { DEPTH_MAX = 4, ORDERS_MAX = 3 };

/* ---- the table of a round ---- */

static struct random_table table;
static const struct shape *const shape = &table.shape;
static const struct column *const columns = table.columns;
static const struct value *rows[ROWS]; /* all that the table holds */
static size_t row_count;
static struct arena *arena; /* of the round */
static uint64_t round_seed;

/* ---- explaining ---- */

static void explain_table(void)
{
    print_error("ROWCAST_ROUNDS=1 ROWCAST_SEED=%llu\n", (unsigned long long)round_seed);
    for (size_t i = 0; i < shape->count; i++) {
        const struct column *c = &columns[i];
        print_error("  %.*s %s(%u,%u,%u)%s%s%s%s%s\n", STR_ARG(c->name), types[c->type].name,
                    c->length_max, c->precision, c->scale, c->primary_key ? " key" : "",
                    c->auto_increment ? " counting" : "", c->nullable ? "" : " not null",
                    c->unique ? " unique" : "", c->indexed ? " indexed" : "");
    }
}

static void explain_expr(const char *what, const struct expr *x)
{
    struct buf key;
    if (!x)
        return;
    buf_init(&key, SIZE_MAX);
    expr_put_key(&key, x);
    print_error("%s %.*s\n", what, STR_ARG(buf_str(&key)));
    buf_deinit(&key);
}

static void explain_row(const char *what, const struct value *row, const struct output *outputs,
                        size_t count)
{
    struct buf text;
    buf_init(&text, SIZE_MAX);
    for (size_t i = 0; i < count; i++) {
        const struct column *c = outputs ? outputs[i].column : &columns[i];
        buf_printf(&text, " %.*s=", STR_ARG(c->name));
        type_write(&text, c, &row[i]);
    }
    print_error("%s%.*s\n", what, STR_ARG(buf_str(&text)));
    buf_deinit(&text);
}

static void explain_fault(const struct end *end, int rc)
{
    print_error("%s answers %d%s%s\n", end->name, rc, rc < 0 ? ": " : "",
                rc < 0 ? fault_text() : "");
}

/* ---- rows as an end tells them ---- */

struct told {
    const struct value **rows; /* copies in `arena` */
    size_t count, capacity, columns;
};

static int take_row(void *context, const struct value *row)
{
    struct told *told = context;
    if (told->count == told->capacity)
        return 1;
    told->rows[told->count++] = value_copy_row(arena, row, told->columns);
    return 0;
}

static struct told room_for(size_t capacity, size_t column_count)
{
    const struct value **room = ARENA_ARRAY(arena, const struct value *, capacity + 1);
    return (struct told){.rows = room, .capacity = capacity + 1, .columns = column_count};
}

/* Of one kind too, though 1 and 1.0 compare as equal. */
static bool same_value(const struct value *a, const struct value *b)
{
    return a->kind == b->kind && value_equal(a, b);
}

static bool same_row(const struct value *a, const struct value *b, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!same_value(&a[i], &b[i]))
            return false;
    return true;
}

static bool same_rows(const struct told *told, const struct value *const *expected, size_t count,
                      const struct output *outputs)
{
    for (size_t i = 0; i < count && i < told->count; i++) {
        if (same_row(told->rows[i], expected[i], told->columns))
            continue;
        print_error("row %zu of %zu\n", i, count);
        explain_row("expected", expected[i], outputs, told->columns);
        explain_row("told", told->rows[i], outputs, told->columns);
        return false;
    }
    if (told->count != count)
        print_error("%zu rows, not %zu\n", told->count, count);
    return told->count == count;
}

static int compare_keys(const void *left, const void *right)
{
    const struct value *a = *(const struct value *const *)left;
    const struct value *b = *(const struct value *const *)right;
    return value_compare(&a[shape->key], &b[shape->key]);
}

static void sort_by_key(const struct value **list, size_t count)
{
    if (count)
        qsort(list, count, sizeof(*list), compare_keys);
}

static void check_table(const struct end *end, const struct value *const *expected, size_t count)
{
    struct told told = room_for(count, shape->count);
    const struct select all = {.shape = shape, .limit = -1};
    int rc = store_select(end->store, &all, take_row, &told);
    if (rc == 0 && same_rows(&told, expected, count, NULL))
        return;
    explain_fault(end, rc);
    explain_table();
    fail();
}

/* ---- filling ---- */

static bool is_taken(const struct column *c, const struct value *v, const struct value *but)
{
    if (!c->unique && !c->primary_key)
        return false;
    for (size_t i = 0; i < row_count; i++)
        if (rows[i] != but && !value_is_null(v) && value_equal(&rows[i][c->index], v))
            return true;
    return false;
}

/* What a table answers to a row. */
static int refusal_of(const struct value *row)
{
    const struct value *key = &row[shape->key];
    int rc = 0;
    if (columns[shape->key].auto_increment && !value_is_null(key) &&
        key->integer > STORE_GIVEN_KEY_MAX)
        return STORE_RANGE;
    for (size_t i = 0; i < shape->count; i++) {
        bool counts = i == shape->key && table.keys_count;
        if (!counts && !columns[i].nullable && value_is_null(&row[i]))
            return STORE_NULL;
        if (!counts && is_taken(&columns[i], &row[i], NULL))
            rc = STORE_NOT_UNIQUE;
    }
    return rc;
}

/* Null to the null columns that are not told too, when the key is to be counted. */
static size_t make_row(struct value *row, struct assignment *assignments)
{
    size_t count = 0;
    for (size_t i = 0; i < shape->count; i++) {
        const struct column *c = &columns[i];
        row[i] = c->default_value;
        if (i == shape->key ? table.keys_count : chance(10))
            continue;
        row[i] = random_cell(arena, c);
        if (i != shape->key && chance(2))
            row[i] = value_null();
        assignments[count++] = (struct assignment){c, row[i]};
    }
    return count;
}

static int insert_into(const struct end *end, const struct assignment *assignments, size_t count,
                       struct value *row, int expected)
{
    struct told told = room_for(1, shape->count);
    struct store *s = end->store;
    assert_int_equal(store_savepoint(s), 0);
    int rc = store_insert(s, shape, assignments, count, take_row, &told);
    if (rc == expected && rc != 0) {
        assert_int_equal(store_rollback_to(s), 0);
        return rc;
    }
    if (rc == 0 && table.keys_count && told.count == 1 && value_is_null(&row[shape->key]))
        row[shape->key] = told.rows[0][shape->key];
    const struct value *whole = row;
    if (rc != expected || !same_rows(&told, &whole, 1, NULL)) {
        explain_fault(end, rc);
        explain_row("inserted", row, NULL, shape->count);
        explain_table();
        fail();
    }
    assert_int_equal(store_release(s), 0);
    return rc;
}

/* A table whose keys count ends with the first row that is refused: on PostgreSQL that leaves a
 * hole in the numbers. */
static void fill(void)
{
    int rc = 0;
    row_count = 0;
    begin(STORE_WRITE);
    for (size_t tried = 0; tried < ROWS && !(table.keys_count && rc); tried++) {
        struct value *row = ARENA_ARRAY(arena, struct value, shape->count);
        struct assignment assignments[RANDOM_COLUMNS_MAX];
        size_t count = make_row(row, assignments);
        rc = refusal_of(row);
        for (size_t i = 0; i < end_count; i++)
            insert_into(&ends[i], assignments, count, row, rc);
        if (rc == 0)
            rows[row_count++] = row;
    }
    commit();
    sort_by_key(rows, row_count);
    for (size_t i = 0; i < end_count; i++)
        check_table(&ends[i], rows, row_count);
}

/* ---- queries ---- */

static int64_t random_now(void)
{
    return INT64_C(1795305600000) + (int64_t)below(2) * 86400000; /* 2026-11-22 */
}

struct query {
    struct select select;
    struct order orders[ORDERS_MAX];
    struct output outputs[3];
};

static void make_query(struct query *q)
{
    *q = (struct query){.select = {.shape = shape, .limit = -1, .now_ms = random_now()}};
    q->select.where = random_expr(arena, shape, DEPTH_MAX);
    q->select.order_count = below(ORDERS_MAX + 1);
    for (size_t i = 0; i < q->select.order_count; i++) {
        q->orders[i].column = &columns[below(shape->count)];
        q->orders[i].mask = chance(20) ? random_expr(arena, shape, 1) : NULL;
        q->orders[i].descending = chance(50);
    }
    q->select.orders = q->orders;
    if (chance(40))
        q->select.limit = (int64_t)below(ROWS);
    if (chance(30))
        q->select.offset = (int64_t)below(10);
    if (chance(50))
        return;
    q->select.outputs = q->outputs;
    q->select.output_count = below(COUNT_OF(q->outputs)) + 1;
    for (size_t i = 0; i < q->select.output_count; i++) {
        q->outputs[i].column = &columns[below(shape->count)];
        q->outputs[i].mask = chance(60) ? random_expr(arena, shape, 2) : NULL;
    }
}

static struct value masked(const struct column *c, const struct expr *mask, const struct value *row,
                           int64_t now_ms)
{
    return mask && !expr_matches(mask, row, now_ms) ? value_null() : row[c->index];
}

static const struct select *sorting;

static int compare_rows(const void *left, const void *right)
{
    const struct value *a = *(const struct value *const *)left;
    const struct value *b = *(const struct value *const *)right;
    for (size_t i = 0; i < sorting->order_count; i++) {
        const struct order *o = &sorting->orders[i];
        struct value x = masked(o->column, o->mask, a, sorting->now_ms);
        struct value y = masked(o->column, o->mask, b, sorting->now_ms);
        int order;
        if (value_is_null(&x) || value_is_null(&y))
            order = value_is_null(&y) - value_is_null(&x);
        else
            order = value_compare(&x, &y);
        if (order)
            return o->descending ? -order : order;
    }
    return value_compare(&a[shape->key], &b[shape->key]);
}

static const struct value *shown(const struct select *select, const struct value *row)
{
    if (!select->outputs)
        return row;
    struct value *outputs = ARENA_ARRAY(arena, struct value, select->output_count);
    for (size_t i = 0; i < select->output_count; i++)
        outputs[i] =
            masked(select->outputs[i].column, select->outputs[i].mask, row, select->now_ms);
    return outputs;
}

struct expected {
    const struct value *rows[ROWS];
    size_t count, total;
};

/* A row matches the complement exactly when it does not match the condition. */
static void check_complement(const struct select *select)
{
    const struct expr *where = select->where ? select->where : &expr_true;
    const struct expr *complement = expr_complement(arena, where);
    for (size_t i = 0; i < row_count; i++) {
        bool matches = expr_matches(where, rows[i], select->now_ms);
        if (expr_evaluate(complement, rows[i], select->now_ms) ==
            (matches ? TRUTH_TRUE : TRUTH_FALSE))
            explain_expr("no complement of", where);
        assert_int_equal(expr_matches(complement, rows[i], select->now_ms), !matches);
    }
}

static void expect(struct expected *e, const struct select *select)
{
    check_complement(select);
    const struct value *matching[ROWS];
    *e = (struct expected){0};
    for (size_t r = 0; r < row_count; r++)
        if (expr_matches(select->where, rows[r], select->now_ms))
            matching[e->total++] = rows[r];
    sorting = select;
    if (e->total)
        qsort(matching, e->total, sizeof(*matching), compare_rows);
    for (size_t i = (size_t)select->offset; i < e->total; i++)
        if (select->limit < 0 || (int64_t)e->count < select->limit)
            e->rows[e->count++] = shown(select, matching[i]);
}

static void explain_query(const struct select *select)
{
    explain_table();
    explain_expr("where", select->where);
    for (size_t i = 0; i < select->order_count; i++) {
        const struct order *o = &select->orders[i];
        print_error("order by %.*s%s\n", STR_ARG(o->column->name), o->descending ? " desc" : "");
        explain_expr("  under", o->mask);
    }
    for (size_t i = 0; select->outputs && i < select->output_count; i++) {
        print_error("output %.*s\n", STR_ARG(select->outputs[i].column->name));
        explain_expr("  under", select->outputs[i].mask);
    }
    print_error("limit %lld, offset %lld\n", (long long)select->limit, (long long)select->offset);
}

static void check_query(const struct end *end, const struct select *select,
                        const struct expected *e)
{
    struct told told = room_for(e->count, select->outputs ? select->output_count : shape->count);
    int64_t count = -1;
    int rc = store_select(end->store, select, take_row, &told);
    bool same = rc == 0 && same_rows(&told, e->rows, e->count, select->outputs);
    if (rc == 0)
        rc = store_count(end->store, select, &count);
    if (same && rc == 0 && count == (int64_t)e->total)
        return;
    explain_fault(end, rc);
    print_error("counts %lld, not %zu\n", (long long)count, e->total);
    explain_query(select);
    fail();
}

static void check_queries(void)
{
    begin(STORE_READ);
    for (size_t i = 0; i < FILTERS; i++) {
        struct query q;
        struct expected e;
        make_query(&q);
        expect(&e, &q.select);
        for (size_t k = 0; k < end_count; k++)
            check_query(&ends[k], &q.select, &e);
    }
    commit();
}

/* ---- writes with a filter ---- */

struct write {
    const struct expr *where;
    int64_t now_ms;
    struct assignment assignments[3];
    size_t count;
    bool deletes;
};

static void make_write(struct write *w)
{
    *w = (struct write){.where = random_expr(arena, shape, 2), .now_ms = random_now()};
    w->deletes = chance(40);
    size_t count = below(COUNT_OF(w->assignments) + 1);
    for (size_t i = 0, at = 0; i < count; i++) { /* no column twice, and not the key */
        at += below(shape->count) + 1;
        if (at >= shape->count || at == shape->key)
            continue;
        struct value v = chance(5) ? value_null() : random_cell(arena, &columns[at]);
        w->assignments[w->count++] = (struct assignment){&columns[at], v};
    }
}

struct effect {
    const struct value *touched[ROWS],
        *after[ROWS]; /* the rows as told, all rows as they are then */
    size_t touched_count, after_count;
    int rc;
};

static int refusal_of_update(const struct write *w, size_t matching, const struct value *row)
{
    int rc = 0;
    for (size_t i = 0; i < w->count; i++) {
        const struct column *c = w->assignments[i].column;
        const struct value *v = &w->assignments[i].value;
        if (!c->nullable && value_is_null(v))
            return STORE_NULL;
        if (c->unique && !value_is_null(v) && (matching > 1 || is_taken(c, v, row)))
            rc = STORE_NOT_UNIQUE;
    }
    return rc;
}

static const struct value *updated(const struct write *w, const struct value *row)
{
    struct value *after = ARENA_ARRAY(arena, struct value, shape->count);
    memcpy(after, row, sizeof(*row) * shape->count);
    for (size_t i = 0; i < w->count; i++)
        after[w->assignments[i].column->index] = w->assignments[i].value;
    return after;
}

static void expect_effect(struct effect *e, const struct write *w)
{
    const struct value *last = NULL;
    *e = (struct effect){0};
    for (size_t r = 0; r < row_count; r++) {
        bool matches = expr_matches(w->where, rows[r], w->now_ms);
        const struct value *row = matches && !w->deletes ? updated(w, rows[r]) : rows[r];
        if (matches) {
            e->touched[e->touched_count++] = row;
            last = rows[r];
        }
        if (!matches || !w->deletes)
            e->after[e->after_count++] = row;
    }
    if (!w->deletes && last)
        e->rc = refusal_of_update(w, e->touched_count, last);
}

static void check_write(const struct end *end, const struct write *w, const struct effect *e)
{
    struct told told = room_for(e->touched_count, shape->count);
    int rc = w->deletes ? store_delete(end->store, shape, w->where, w->now_ms, take_row, &told)
                        : store_update(end->store, shape, w->assignments, w->count, w->where,
                                       w->now_ms, take_row, &told);
    if (rc == 0)
        sort_by_key(told.rows, told.count);
    if (rc != e->rc || (rc == 0 && !same_rows(&told, e->touched, e->touched_count, NULL))) {
        explain_fault(end, rc);
        explain_table();
        explain_expr(w->deletes ? "delete where" : "update where", w->where);
        for (size_t i = 0; i < w->count; i++)
            print_error("set %.*s\n", STR_ARG(w->assignments[i].column->name));
        fail();
    }
    if (rc == 0)
        check_table(end, e->after, e->after_count);
}

static void check_writes(void)
{
    for (size_t i = 0; i < WRITES; i++) {
        struct write w;
        struct effect e;
        make_write(&w);
        expect_effect(&e, &w);
        begin(STORE_WRITE);
        for (size_t k = 0; k < end_count; k++)
            check_write(&ends[k], &w, &e);
        rollback();
    }
}

/* ---- the test ---- */

static uint64_t number_from(const char *variable, uint64_t otherwise)
{
    const char *text = getenv(variable);
    return text ? strtoull(text, NULL, 10) : otherwise;
}

static void stores_and_memory_agree(void **state)
{
    (void)state;
    uint64_t rounds = number_from("ROWCAST_ROUNDS", ROUNDS);
    dice_seed = number_from("ROWCAST_SEED", (uint64_t)clock_now_ms());
    print_message("ROWCAST_SEED=%llu\n", (unsigned long long)dice_seed);
    for (uint64_t round = 0; round < rounds; round++) {
        round_seed = dice_seed;
        arena = arena_new();
        values_shuffle(arena);
        random_table(arena, &table);
        create_in_ends(shape);
        fill();
        check_queries();
        check_writes();
        drop_in_ends(shape);
        arena_free(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(stores_and_memory_agree)};
    return cmocka_run_group_tests(tests, open_ends, close_ends);
}
