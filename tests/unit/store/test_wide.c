#include "fixture.h"

/* Tables of as many columns as there may be. */

static struct column wide_columns[COLUMNS_MAX];
static const struct shape wide = {{"wide", 4}, wide_columns, COLUMNS_MAX, 0};

/* A key, and columns of one type. */
static void make_columns(struct fixture *f, enum type_id type)
{
    for (unsigned i = 0; i < COLUMNS_MAX; i++)
        wide_columns[i] = (struct column){.name = arena_printf(f->arena, "c%u", i),
                                          .type = i == 0 ? TYPE_INTEGER : type,
                                          .index = i,
                                          .nullable = i > 0,
                                          .primary_key = i == 0,
                                          .auto_increment = i == 0};
}

static void fill(struct value *row, struct value v)
{
    row[0] = NONE;
    for (size_t i = 1; i < COLUMNS_MAX; i++)
        row[i] = v;
}

static int sum_row(void *context, const struct value *row)
{
    for (size_t i = 0; i < COLUMNS_MAX; i++)
        *(int64_t *)context += row[i].integer;
    return 0;
}

static void a_row_has_as_many_columns_as_a_set(void **state)
{
    struct fixture *f = *state;
    struct value row[COLUMNS_MAX];
    struct assignment assignments[COLUMNS_MAX];
    int64_t sum = 0;
    make_columns(f, TYPE_BIG_INTEGER);
    create(f->store, &wide);
    fill(row, INTEGER(7));
    assert_int_equal(insert(f->store, &wide, row), 0);
    for (size_t i = 0; i < COLUMNS_MAX - 1; i++)
        assignments[i] = (struct assignment){&wide_columns[i + 1], INTEGER(INT64_MAX / 1000)};
    assert_int_equal(
        store_update(f->store, &wide, assignments, COLUMNS_MAX - 1, NULL, 0, sum_row, &sum), 0);
    assert_int_equal(sum, 1 + (COLUMNS_MAX - 1) * (INT64_MAX / 1000));
    const struct order last[] = {{.column = &wide_columns[COLUMNS_MAX - 1]}};
    sum = 0;
    assert_int_equal(
        store_select(
            f->store,
            &(struct select){.shape = &wide, .orders = last, .order_count = 1, .limit = -1},
            sum_row, &sum),
        0);
    assert_int_equal(sum, 1 + (COLUMNS_MAX - 1) * (INT64_MAX / 1000));
}

static void a_wide_table_can_be_altered(void **state)
{
    struct fixture *f = *state;
    static struct column after_columns[COLUMNS_MAX];
    struct value row[COLUMNS_MAX];
    struct str from[COLUMNS_MAX];
    make_columns(f, TYPE_INTEGER);
    create(f->store, &wide);
    fill(row, INTEGER(7));
    assert_int_equal(insert(f->store, &wide, row), 0);

    /* Half of them become text, the last is a new one. */
    for (unsigned i = 0; i < COLUMNS_MAX; i++) {
        after_columns[i] = wide_columns[i];
        from[i] = wide_columns[i].name;
        if (i % 2)
            after_columns[i].type = TYPE_STRING;
    }
    after_columns[COLUMNS_MAX - 1].name = STR("new");
    from[COLUMNS_MAX - 1] = STR_NULL;
    const struct shape after = {STR("wide"), after_columns, COLUMNS_MAX, 0};
    assert_int_equal(store_begin(f->store, STORE_SCHEMA), 0);
    assert_int_equal(store_alter_table(f->store, &wide, &after, from), 0);
    assert_int_equal(store_commit(f->store), 0);
    const struct output some[] = {{&after_columns[1], NULL},
                                  {&after_columns[2], NULL},
                                  {&after_columns[COLUMNS_MAX - 2], NULL},
                                  {&after_columns[COLUMNS_MAX - 1], NULL}};
    const struct value seven = TEXT("7");
    assert_selects(
        f->store,
        &((struct select){.shape = &after,
                          .outputs = some,
                          .output_count = 4,
                          .limit = -1,
                          .where = expr_test(f->arena, &after_columns[637], OP_EQ, &seven, 1)}),
        "7|7|7|-;");
}

/* A row of PostgreSQL's fits a page when its long texts are elsewhere: so many short ones do not.
 */
static void a_row_that_no_page_can_hold_is_an_outcome(void **state)
{
    struct fixture *f = *state;
    struct value row[COLUMNS_MAX];
    make_columns(f, TYPE_TEXT);
    create(f->store, &wide);
    fill(row, TEXT("elf letters"));
    assert_int_equal(insert(f->store, &wide, row), 0);
    fill(row, TEXT("twenty letters, told"));
    assert_int_equal(insert(f->store, &wide, row), database_on_postgres() ? STORE_TOO_LONG : 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_store(a_row_has_as_many_columns_as_a_set),
        test_with_store(a_wide_table_can_be_altered),
        test_with_store(a_row_that_no_page_can_hold_is_an_outcome),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
