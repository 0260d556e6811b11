/*
 * Random conditions that reach into another table, and back: each store selects and deletes the
 * rows that a search through both tables finds. Orders that are not by a column's value are the
 * same in both stores.
 *
 * The seed is printed: ROWCAST_SEED=<seed> runs it again, ROWCAST_ROUNDS=<n> runs through as many
 * pairs of tables. PostgreSQL is among the ends when ROWCAST_TEST_POSTGRES names one.
 */

#include "ends.h"

#include "base/clock.h"
#include "base/fault.h"
#include "dice.h"
#include "table.h"
#include "values.h"

enum { ROUNDS = 20, ROWS = 25, FILTERS = 30, ORDERS = 15, DEPTH_MAX = 3, TRIES = 20 };
static const int64_t now_ms = INT64_C(1795305600000); /* 2026-11-22 */

/* ---- two tables ---- */

struct filled {
    struct random_table table;
    const struct value *rows[ROWS];
    size_t count;
};
static struct filled tables[2];
static struct arena *arena; /* of the round */
static uint64_t round_seed;

struct told {
    const struct value *rows[ROWS + 1];
    size_t count, columns;
};

static int take_row(void *context, const struct value *row)
{
    struct told *told = context;
    if (told->count == COUNT_OF(told->rows))
        return 1;
    told->rows[told->count++] = value_copy_row(arena, row, told->columns);
    return 0;
}

/* A row that one end refuses all refuse, for the same reason. */
static void add_row(struct filled *t)
{
    const struct shape *shape = &t->table.shape;
    struct assignment assignments[RANDOM_COLUMNS_MAX];
    struct told told = {.columns = shape->count};
    int outcome = 0;
    for (size_t i = 0; i < shape->count; i++)
        assignments[i] =
            (struct assignment){&shape->columns[i], random_cell(arena, &shape->columns[i])};
    for (size_t i = 0; i < end_count; i++) {
        struct store *s = ends[i].store;
        assert_int_equal(store_savepoint(s), 0);
        int rc = store_insert(s, shape, assignments, shape->count, take_row, &told);
        assert_int_equal(rc ? store_rollback_to(s) : store_release(s), 0);
        if (i > 0)
            assert_int_equal(rc, outcome);
        outcome = rc;
    }
    if (outcome == 0)
        t->rows[t->count++] = told.rows[0];
}

static void make_tables(void)
{
    for (size_t i = 0; i < 2; i++) {
        tables[i].count = 0;
        random_table(arena, &tables[i].table);
        tables[i].table.shape.name = arena_printf(arena, "%zu \"of\" two", i);
        create_in_ends(&tables[i].table.shape);
        begin(STORE_WRITE);
        for (size_t tried = 0; tried < ROWS; tried++)
            add_row(&tables[i]);
        commit();
    }
}

static const struct filled *filled_of(const struct shape *shape)
{
    return shape == &tables[0].table.shape ? &tables[0] : &tables[1];
}

/* ---- conditions ---- */

static bool is_one_of(enum type_id type, const enum type_id *of, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (of[i] == type)
            return true;
    return false;
}

/* As expr_among() has it. */
static bool compare_alike(const struct column *a, const struct column *b)
{
    static const enum type_id whole[] = {TYPE_INTEGER, TYPE_BIG_INTEGER};
    static const enum type_id texts[] = {TYPE_STRING, TYPE_TEXT, TYPE_CSV, TYPE_HASH};
    if (is_one_of(a->type, whole, COUNT_OF(whole)))
        return is_one_of(b->type, whole, COUNT_OF(whole));
    if (is_one_of(a->type, texts, COUNT_OF(texts)))
        return is_one_of(b->type, texts, COUNT_OF(texts));
    return a->type == b->type && a->type != TYPE_JSON;
}

static const struct column *random_column(const struct shape *shape)
{
    return &shape->columns[below(shape->count)];
}

/* Two columns that compare; false where chance finds none. */
static bool random_pair(const struct shape *a, const struct shape *b, const struct column **of_a,
                        const struct column **of_b)
{
    for (int tried = 0; tried < TRIES; tried++) {
        *of_a = random_column(a);
        *of_b = random_column(b);
        if (compare_alike(*of_a, *of_b))
            return true;
    }
    return false;
}

static const struct expr *random_reach(const struct shape *shape, size_t depth_max)
{
    const struct column *c;
    struct subselect of = {.shape = &tables[below(2)].table.shape};
    const struct expr *items[3];
    size_t count = below(COUNT_OF(items)) + 1;
    if (depth_max == 0 || chance(20) || !random_pair(shape, of.shape, &c, &of.out))
        return random_expr(arena, shape, 2);
    of.where = chance(20) ? NULL : random_reach(of.shape, depth_max - 1);
    items[0] = expr_among(arena, c, &of, chance(50));
    for (size_t i = 1; i < count; i++)
        items[i] = random_reach(shape, depth_max - 1);
    return expr_all(arena, chance(50) ? EXPR_AND : EXPR_OR, items, count);
}

/* ---- the search ---- */

static enum truth judge(const struct expr *x, const struct value *row);

static enum truth judge_among(const struct expr *x, const struct value *row)
{
    const struct filled *other = filled_of(x->among.of.shape);
    const struct value *cell = &row[x->among.column->index];
    bool found = false;
    if (value_is_null(cell))
        return TRUTH_UNKNOWN;
    for (size_t i = 0; i < other->count; i++) {
        const struct value *v = &other->rows[i][x->among.of.out->index];
        if (value_is_null(v) || judge(x->among.of.where, other->rows[i]) != TRUTH_TRUE)
            continue;
        found |= value_equal(cell, v);
    }
    return found != x->among.negated ? TRUTH_TRUE : TRUTH_FALSE;
}

static enum truth judge_list(const struct expr *x, const struct value *row)
{
    enum truth decisive = x->kind == EXPR_AND ? TRUTH_FALSE : TRUTH_TRUE;
    bool unknown = false;
    for (size_t i = 0; i < x->list.count; i++) {
        enum truth t = judge(x->list.items[i], row);
        if (t == decisive)
            return t;
        unknown |= t == TRUTH_UNKNOWN;
    }
    if (unknown)
        return TRUTH_UNKNOWN;
    return decisive == TRUTH_FALSE ? TRUTH_TRUE : TRUTH_FALSE;
}

static enum truth judge(const struct expr *x, const struct value *row)
{
    if (x->kind == EXPR_AMONG)
        return judge_among(x, row);
    if (x->kind == EXPR_AND || x->kind == EXPR_OR)
        return judge_list(x, row);
    return expr_evaluate(x, row, now_ms);
}

/* ---- held against each other ---- */

static void explain(const struct end *end, int rc, const struct expr *where)
{
    print_error("ROWCAST_ROUNDS=1 ROWCAST_SEED=%llu\n", (unsigned long long)round_seed);
    print_error("%s answers %d%s%s\n", end->name, rc, rc < 0 ? ": " : "",
                rc < 0 ? fault_text() : "");
    if (!where)
        return;
    struct buf key;
    buf_init(&key, SIZE_MAX);
    expr_put_key(&key, where);
    print_error("where %.*s\n", STR_ARG(buf_str(&key)));
    buf_deinit(&key);
}

static bool same_keys(const struct told *told, const struct told *expected)
{
    bool same = told->count == expected->count;
    for (size_t i = 0; same && i < told->count; i++)
        same = value_equal(&told->rows[i][0], &expected->rows[i][0]);
    return same;
}

static int compare_keys(const void *left, const void *right)
{
    return value_compare(*(const struct value *const *)left, *(const struct value *const *)right);
}

static void sort_keys(struct told *told)
{
    if (told->count)
        qsort(told->rows, told->count, sizeof(told->rows[0]), compare_keys);
}

static void check_condition(const struct filled *t, bool deletes)
{
    const struct shape *shape = &t->table.shape;
    const struct expr *where = random_reach(shape, DEPTH_MAX);
    struct told expected = {.columns = 1};
    for (size_t i = 0; i < t->count; i++)
        if (judge(where, t->rows[i]) == TRUTH_TRUE)
            expected.rows[expected.count++] = &t->rows[i][shape->key];
    sort_keys(&expected);
    const struct output key = {&shape->columns[shape->key], NULL};
    const struct select select = {.shape = shape,
                                  .outputs = &key,
                                  .output_count = 1,
                                  .where = where,
                                  .limit = -1,
                                  .now_ms = now_ms};
    for (size_t i = 0; i < end_count; i++) {
        struct told told = {.columns = deletes ? shape->count : 1};
        int rc = deletes ? store_delete(ends[i].store, shape, where, now_ms, take_row, &told)
                         : store_select(ends[i].store, &select, take_row, &told);
        for (size_t k = 0; deletes && k < told.count; k++)
            told.rows[k] = &told.rows[k][shape->key];
        if (deletes)
            sort_keys(&told);
        if (rc == 0 && same_keys(&told, &expected))
            continue;
        explain(&ends[i], rc, where);
        fail();
    }
}

static void check_conditions(void)
{
    begin(STORE_READ);
    for (size_t i = 0; i < FILTERS; i++)
        check_condition(&tables[i % 2], false);
    commit();
    for (size_t i = 0; i < 4; i++) {
        begin(STORE_WRITE);
        check_condition(&tables[i % 2], true);
        rollback();
    }
}

/* ---- orders ---- */

struct ways {
    int64_t ranks[6];
    struct order_through through;
    const struct column *target_orders[2];
};

/* Fractions differ as texts, as the stores write them. */
static bool is_written_alike(const struct column *c)
{
    return c->type != TYPE_FLOAT && c->type != TYPE_DECIMAL;
}

static bool link_tables(const struct shape *shape, struct ways *w)
{
    const struct column *key = &shape->columns[shape->key], *far, *near, *target_key;
    const struct shape *junction = &tables[below(2)].table.shape;
    struct shape keys = {.columns = key, .count = 1};
    const struct shape *target = &tables[below(2)].table.shape;
    struct shape target_keys = {.columns = &target->columns[target->key], .count = 1};
    const struct column *output = random_column(target);
    if (!random_pair(&keys, junction, &key, &near) ||
        !random_pair(&target_keys, junction, &target_key, &far) || !is_written_alike(output))
        return false;
    for (size_t i = 0; i < COUNT_OF(w->target_orders); i++)
        w->target_orders[i] = random_column(target);
    w->through = (struct order_through){.junction = junction,
                                        .near = near,
                                        .far = far,
                                        .target = target,
                                        .target_key = target_key,
                                        .output = output,
                                        .target_orders = w->target_orders,
                                        .target_order_count = below(3)};
    return true;
}

static struct order random_order(const struct shape *shape, struct ways *w)
{
    struct order o = {.column = random_column(shape), .descending = chance(50)};
    o.mask = chance(20) ? random_reach(shape, 1) : NULL;
    if (chance(50) && link_tables(shape, w)) {
        o.through = &w->through;
    } else if (o.column->type == TYPE_INTEGER || o.column->type == TYPE_BIG_INTEGER) {
        o.ranks = w->ranks;
        o.rank_count = below(COUNT_OF(w->ranks) + 1);
        for (size_t i = 0; i < o.rank_count; i++) {
            struct value v = random_cell(arena, o.column);
            w->ranks[i] = v.kind == VALUE_INTEGER ? v.integer : 0;
        }
    } else {
        o.folded = true;
    }
    return o;
}

static void check_order(const struct shape *shape)
{
    struct ways ways[2];
    struct order orders[2];
    struct told told[COUNT_OF(ends)];
    const struct output key = {&shape->columns[shape->key], NULL};
    const struct select select = {.shape = shape,
                                  .outputs = &key,
                                  .output_count = 1,
                                  .orders = orders,
                                  .order_count = below(2) + 1,
                                  .limit = -1,
                                  .now_ms = now_ms};
    for (size_t i = 0; i < 2; i++)
        orders[i] = random_order(shape, &ways[i]);
    for (size_t i = 0; i < end_count; i++) {
        told[i] = (struct told){.columns = 1};
        int rc = store_select(ends[i].store, &select, take_row, &told[i]);
        if (rc == 0 && same_keys(&told[i], &told[0]))
            continue;
        explain(&ends[i], rc, NULL);
        for (size_t k = 0; k < select.order_count; k++)
            print_error("by %.*s%s%s%s\n", STR_ARG(orders[k].column->name),
                        orders[k].through ? ", linked" : "", orders[k].ranks ? ", ranked" : "",
                        orders[k].folded ? ", folded" : "");
        fail();
    }
}

static void check_orders(void)
{
    begin(STORE_READ);
    for (size_t i = 0; i < ORDERS; i++)
        check_order(&tables[i % 2].table.shape);
    commit();
}

/* ---- the test ---- */

static uint64_t number_from(const char *variable, uint64_t otherwise)
{
    const char *text = getenv(variable);
    return text ? strtoull(text, NULL, 10) : otherwise;
}

static void stores_agree_on_what_reaches_into_another_table(void **state)
{
    (void)state;
    uint64_t rounds = number_from("ROWCAST_ROUNDS", ROUNDS);
    dice_seed = number_from("ROWCAST_SEED", (uint64_t)clock_now_ms());
    print_message("ROWCAST_SEED=%llu\n", (unsigned long long)dice_seed);
    for (uint64_t round = 0; round < rounds; round++) {
        round_seed = dice_seed;
        arena = arena_new();
        values_shuffle(arena);
        make_tables();
        check_conditions();
        check_orders();
        for (size_t i = 0; i < 2; i++)
            drop_in_ends(&tables[i].table.shape);
        arena_free(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stores_agree_on_what_reaches_into_another_table)};
    return cmocka_run_group_tests(tests, open_ends, close_ends);
}
