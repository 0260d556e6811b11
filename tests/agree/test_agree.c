/*
 * Random rows, random filters, random orders: what the store's SQL selects must be what the
 * evaluator selects in memory, the same rows in the same order, and every masked output alike.
 *
 * The seed is printed; ROWCAST_SEED=<seed> runs it again, ROWCAST_ROUNDS=<n> runs longer.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/mem.h"
#include "store/store.h"

enum { ROWS = 64, ROUNDS = 12, FILTERS = 60, DEPTH_MAX = 4, LIST_MAX = 40, ORDERS_MAX = 3 };

/* ---- randomness that a seed repeats (splitmix64) ---- */

static uint64_t seed;

static uint64_t random_bits(void)
{
    uint64_t z = (seed += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static size_t below(size_t count)
{
    return random_bits() % count;
}

static bool chance(size_t percent)
{
    return below(100) < percent;
}

/* ---- a table with a column of every type ---- */

enum { KEY = TYPE_COUNT, COLUMN_COUNT };
static struct column columns[COLUMN_COUNT];
static const struct shape shape = {{"every \"type\"", 12}, columns, COLUMN_COUNT, KEY};

static void make_columns(void)
{
    for (unsigned i = 0; i < TYPE_COUNT; i++)
        columns[i] = (struct column){.name = str_of(types[i].name),
                                     .type = (enum type_id)i,
                                     .index = i,
                                     .precision = i == TYPE_DECIMAL ? 10 : 0,
                                     .scale = i == TYPE_DECIMAL ? 2 : 0,
                                     .nullable = true,
                                     .indexed = i % 2 == 0};
    columns[KEY] = (struct column){.name = STR("id"),
                                   .type = TYPE_INTEGER,
                                   .index = KEY,
                                   .primary_key = true,
                                   .auto_increment = true};
}

/* Few values, so that they meet; and those at which an end could err. */
static const char *const texts[] = {"",
                                    "a",
                                    "A",
                                    "aa",
                                    "ab",
                                    "Ab",
                                    "b",
                                    "\xc3\xa4",
                                    "\xc3\x84",
                                    "a\xc3\x84z",
                                    "\xce\xa3",
                                    "\xcf\x83",
                                    "\xcf\x82",
                                    "\xc3\x9f",
                                    "SS",
                                    "%",
                                    "_",
                                    "a%",
                                    "10",
                                    "9",
                                    "1e1",
                                    "10.0",
                                    " a",
                                    "\xf0\x9f\x98\x80",
                                    "x\xf0\x9f\x98\x80y",
                                    "\xef\xbf\xbd",
                                    "'",
                                    "a,b",
                                    "null"};
static const int64_t integers[] = {0, 1, -1, 2, 9, 10, INT32_MAX, INT32_MIN};
static const int64_t big_integers[] = {0,
                                       1,
                                       -1,
                                       10,
                                       INT64_MAX,
                                       INT64_MIN,
                                       (INT64_C(1) << 53),
                                       (INT64_C(1) << 53) + 1,
                                       (INT64_C(1) << 53) - 1};
static const double reals[] = {0,     1,       -1,  0.5,    0.1,    0.30000000000000004,
                               1e300, -1e-300, 9.5, 0x1p53, 0x1p63, 1234567.125};
static const double decimals[] = {0, 1, -1, 0.5, 0.1, 99999999.99, -0.01, 10};
static const char *const dates[] = {"2024-01-02", "2024-02-29", "0001-01-01", "9999-12-31",
                                    "2026-11-22"};
static const char *const times[] = {"00:00:00", "10:11:12", "23:59:59"};
static const char *const date_times[] = {"2024-01-02T10:11:12", "0001-01-01T00:00:00",
                                         "2026-11-22T00:00:00"};
static const char *const timestamps[] = {"2024-01-02T10:11:12.000Z", "2026-11-22T00:00:00.000Z",
                                         "9999-12-31T23:59:59.999Z"};
static const char *const uuids[] = {"00000000-0000-4000-8000-000000000000",
                                    "ffffffff-ffff-4fff-bfff-ffffffffffff"};
static const char *const jsons[] = {"{}", "[1,2]", "\"a\"", "null", "1"};

#define PICK(pool) ((pool)[below(COUNT_OF(pool))])

static struct value random_value(enum type_id type)
{
    if (chance(20))
        return value_null();
    switch (type) {
    case TYPE_INTEGER:
        return value_integer(PICK(integers));
    case TYPE_BIG_INTEGER:
        return value_integer(PICK(big_integers));
    case TYPE_BOOLEAN:
        return value_integer((int64_t)below(2));
    case TYPE_FLOAT:
        return value_real(PICK(reals));
    case TYPE_DECIMAL:
        return value_real(PICK(decimals));
    case TYPE_DATE:
        return value_text(str_of(PICK(dates)));
    case TYPE_TIME:
        return value_text(str_of(PICK(times)));
    case TYPE_DATE_TIME:
        return value_text(str_of(PICK(date_times)));
    case TYPE_TIMESTAMP:
        return value_text(str_of(PICK(timestamps)));
    case TYPE_UUID:
        return value_text(str_of(PICK(uuids)));
    case TYPE_JSON:
        return value_text(str_of(PICK(jsons)));
    default:
        return value_text(str_of(PICK(texts)));
    }
}

static struct value rows[ROWS][COLUMN_COUNT];

static void fill(struct store *s)
{
    assert_int_equal(store_begin(s, STORE_WRITE), 0);
    assert_int_equal(store_delete(s, &shape, NULL, 0, NULL, NULL), 0);
    for (size_t r = 0; r < ROWS; r++) {
        struct assignment assignments[COLUMN_COUNT];
        for (size_t i = 0; i < COLUMN_COUNT; i++) {
            rows[r][i] = i == KEY ? value_integer((int64_t)r + 1) : random_value((enum type_id)i);
            assignments[i] = (struct assignment){&columns[i], rows[r][i]};
        }
        assert_int_equal(store_insert(s, &shape, assignments, COLUMN_COUNT, NULL, NULL), 0);
    }
    assert_int_equal(store_commit(s), 0);
}

/* ---- random expressions ---- */

static enum operator random_operator(enum type_id type)
{
    enum operator op;
    bool any = chance(15); /* one that no filter may use there: the ends agree all the same */
    do {
        op = (enum operator)below(OP_COUNT);
    } while (!any && !(types[type].operators >> op & 1));
    return op;
}

static struct operand random_operand(enum type_id type)
{
    if (chance(8)) {
        struct clock_shift shift = {(int32_t)below(3) - 1, (int64_t)below(3) * 86400000};
        return (struct operand){.now = true, .shift = shift};
    }
    if (chance(10))
        type = (enum type_id)below(TYPE_COUNT);
    return (struct operand){.value = random_value(type)};
}

static const struct expr *random_expr(struct arena *a, size_t depth);

static const struct expr *random_test(struct arena *a, size_t depth)
{
    const struct column *c = &columns[below(COLUMN_COUNT)];
    enum operator op = random_operator(c->type);
    struct operand operands[LIST_MAX];
    size_t count = (size_t)operators[op].arity;
    if (operators[op].arity == ARITY_LIST)
        count = chance(30) ? below(LIST_MAX) + 1 : below(4);
    for (size_t i = 0; i < count; i++)
        operands[i] = random_operand(c->type);
    const struct expr *mask = depth > 0 && chance(15) ? random_expr(a, depth - 1) : NULL;
    return expr_test_operands(a, c, mask, op, operands, count);
}

static const struct expr *random_expr(struct arena *a, size_t depth)
{
    if (depth == 0 || chance(30))
        return chance(3) ? (chance(50) ? &expr_true : &expr_false) : random_test(a, depth);
    const struct expr *items[4];
    size_t count = below(COUNT_OF(items)) + 1;
    for (size_t i = 0; i < count; i++)
        items[i] = random_expr(a, depth - 1);
    return expr_all(a, chance(50) ? EXPR_AND : EXPR_OR, items, count);
}

/* ---- the two ends ---- */

struct query {
    struct select select;
    struct order orders[ORDERS_MAX];
    struct output outputs[2];
};

static struct query random_query(struct arena *a)
{
    struct query q = {.select = {.shape = &shape, .limit = -1}};
    q.select.where = random_expr(a, DEPTH_MAX);
    q.select.now_ms = INT64_C(1795305600000) + (int64_t)below(2) * 86400000; /* 2026-11-22 */
    q.select.order_count = below(ORDERS_MAX + 1);
    for (size_t i = 0; i < q.select.order_count; i++)
        q.orders[i] = (struct order){.column = &columns[below(COLUMN_COUNT)],
                                     .mask = chance(20) ? random_expr(a, 1) : NULL,
                                     .descending = chance(50)};
    if (chance(40))
        q.select.limit = (int64_t)below(ROWS);
    if (chance(30))
        q.select.offset = (int64_t)below(10);
    q.outputs[0] = (struct output){.column = &columns[KEY]};
    q.outputs[1] = (struct output){&columns[below(COLUMN_COUNT)], random_expr(a, 2)};
    q.select.output_count = 2;
    return q;
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
    return value_compare(&a[KEY], &b[KEY]);
}

struct expected {
    const struct select *select;
    const struct value *rows[ROWS];
    size_t count, seen, total;
};

static void expect(struct expected *e, const struct select *select)
{
    *e = (struct expected){.select = select};
    const struct value *matching[ROWS];
    for (size_t r = 0; r < ROWS; r++)
        if (expr_matches(select->where, rows[r], select->now_ms))
            matching[e->total++] = rows[r];
    sorting = select;
    qsort(matching, e->total, sizeof(*matching), compare_rows);
    for (size_t i = (size_t)select->offset; i < e->total; i++)
        if (select->limit < 0 || (int64_t)e->count < select->limit)
            e->rows[e->count++] = matching[i];
}

/* Not 0 where SQL gives another row, or another value, than the evaluator. */
static int meet(void *context, const struct value *row)
{
    struct expected *e = context;
    if (e->seen == e->count)
        return 1;
    const struct value *expected = e->rows[e->seen++];
    const struct output *output = &e->select->outputs[1];
    struct value shown = masked(output->column, output->mask, expected, e->select->now_ms);
    return !value_equal(&row[0], &expected[KEY]) || !value_equal(&row[1], &shown);
}

static void explain(const struct select *select)
{
    struct buf key;
    buf_init(&key, SIZE_MAX);
    expr_put_key(&key, select->where);
    print_error("where %.*s\n", STR_ARG(buf_str(&key)));
    buf_deinit(&key);
}

static void check_query(struct store *s, struct query *q)
{
    struct expected e;
    int64_t count = -1;
    q->select.orders = q->orders;
    q->select.outputs = q->outputs;
    expect(&e, &q->select);
    int rc = store_select(s, &q->select, meet, &e);
    if (rc == 0)
        rc = store_count(s, &q->select, &count);
    if (rc < 0)
        print_error("%s\n", fault_text());
    if (rc || e.seen != e.count || count != (int64_t)e.total)
        explain(&q->select);
    assert_int_equal(rc, 0);
    assert_int_equal(e.seen, e.count);
    assert_int_equal(count, e.total);
}

/* ---- the test ---- */

static uint64_t number_from(const char *variable, uint64_t otherwise)
{
    const char *text = getenv(variable);
    return text ? strtoull(text, NULL, 10) : otherwise;
}

static void open_table(const char *path, struct store **store_out)
{
    struct store_settings settings = {.client = STORE_SQLITE, .filename = str_of(path)};
    assert_int_equal(store_open(&settings, STORE_WRITE, store_out), 0);
    assert_int_equal(store_begin(*store_out, STORE_SCHEMA), 0);
    assert_int_equal(store_create_table(*store_out, &shape), 0);
    assert_int_equal(store_commit(*store_out), 0);
}

static void sql_and_memory_select_the_same_rows_in_the_same_order(void **state)
{
    (void)state;
    char directory[] = "/tmp/rowcast-agree-XXXXXX", path[64], side[80];
    struct store *s;
    seed = number_from("ROWCAST_SEED", (uint64_t)clock_now_ms());
    print_message("ROWCAST_SEED=%llu\n", (unsigned long long)seed);

    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof(path), "%s/db", directory);
    make_columns();
    open_table(path, &s);
    uint64_t rounds = number_from("ROWCAST_ROUNDS", ROUNDS);
    for (uint64_t round = 0; round < rounds; round++) {
        fill(s);
        for (size_t i = 0; i < FILTERS; i++) {
            struct arena *a = arena_new();
            struct query q = random_query(a);
            check_query(s, &q);
            arena_free(a);
        }
    }
    store_close(s);
    snprintf(side, sizeof(side), "%s-lock", path);
    unlink(side);
    unlink(path);
    rmdir(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sql_and_memory_select_the_same_rows_in_the_same_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
