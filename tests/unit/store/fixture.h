#ifndef UNIT_STORE_FIXTURE_H
#define UNIT_STORE_FIXTURE_H

/* A database of its own for each test, and rows gathered as text. */

#include "check.h"
#include "unit/database.h"

struct fixture {
    struct database database;
    struct store *store; /* the writer */
    struct arena *arena;
};

UNUSED static struct store *fixture_open(const struct fixture *f, enum store_access access)
{
    struct store *s = NULL;
    assert_int_equal(store_open(&f->database.settings, access, &s), 0);
    return s;
}

UNUSED static int fixture_setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    database_make(&f->database);
    f->store = fixture_open(f, STORE_WRITE);
    f->arena = arena_new();
    *state = f;
    return 0;
}

UNUSED static int fixture_teardown(void **state)
{
    struct fixture *f = *state;
    store_close(f->store);
    arena_free(f->arena);
    database_drop(&f->database);
    free(f);
    return 0;
}

#define test_with_store(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

/* Rows as "1|a|-;2|b|3.5;", null as "-". */
struct rows {
    size_t columns; /* of each row; set before */
    struct buf text;
};

UNUSED static int rows_take(void *context, const struct value *row)
{
    struct rows *rows = context;
    for (size_t i = 0; i < rows->columns; i++) {
        if (i > 0)
            buf_put_char(&rows->text, '|');
        switch (row[i].kind) {
        case VALUE_NULL:
            buf_put_char(&rows->text, '-');
            break;
        case VALUE_INTEGER:
            buf_put_int(&rows->text, row[i].integer);
            break;
        case VALUE_REAL:
            buf_printf(&rows->text, "%g", row[i].real);
            break;
        case VALUE_TEXT:
            buf_put_str(&rows->text, row[i].text);
            break;
        }
    }
    buf_put_char(&rows->text, ';');
    return 0;
}

UNUSED static void rows_start(struct rows *rows, size_t columns)
{
    rows->columns = columns;
    buf_init(&rows->text, SIZE_MAX);
}

#define assert_rows(rows, expected) check_rows((rows), (expected), __FILE__, __LINE__)
UNUSED static void check_rows(struct rows *rows, const char *expected, const char *file, int line)
{
    check_text(buf_str(&rows->text), expected, file, line);
    buf_deinit(&rows->text);
}

#define assert_selects(s, select, expected)                                                        \
    check_selects((s), (select), (expected), __FILE__, __LINE__)
UNUSED static void check_selects(struct store *s, const struct select *select, const char *expected,
                                 const char *file, int line)
{
    struct rows rows;
    rows_start(&rows, select->outputs ? select->output_count : select->shape->count);
    assert_int_equal(store_select(s, select, rows_take, &rows), 0);
    check_rows(&rows, expected, file, line);
}

/* All rows of a table. */
#define assert_holds(s, of_shape, expected)                                                        \
    check_selects((s), &(struct select){.shape = (of_shape), .limit = -1}, (expected), __FILE__,   \
                  __LINE__)

#define assert_detail(s, of_table, of_column)                                                      \
    do {                                                                                           \
        assert_text(store_detail(s).table, (of_table));                                            \
        assert_text(store_detail(s).column, (of_column));                                          \
    } while (0)

UNUSED static void create(struct store *s, const struct shape *shape)
{
    assert_int_equal(store_begin(s, STORE_SCHEMA), 0);
    assert_int_equal(store_create_table(s, shape), 0);
    assert_int_equal(store_commit(s), 0);
}

/* Inserts a row of values, by column; returns what store_insert returns. */
UNUSED static int insert(struct store *s, const struct shape *shape, const struct value *values)
{
    struct assignment assignments[COLUMNS_MAX];
    for (size_t i = 0; i < shape->count; i++)
        assignments[i] = (struct assignment){&shape->columns[i], values[i]};
    return store_insert(s, shape, assignments, shape->count, NULL, NULL);
}
#define ROW(...) ((const struct value[]){__VA_ARGS__})

#endif
