#ifndef AGREE_ENDS_H
#define AGREE_ENDS_H

/* The stores that are held against each other: SQLite, and PostgreSQL where ROWCAST_TEST_POSTGRES
 * names one. Each is connected once, with a place of its own. */

#include "unit/database.h"

struct end {
    const char *name;
    struct database database;
    struct store *store;
};
static struct end ends[2];
static size_t end_count;

UNUSED static void open_end(const char *name)
{
    struct end *end = &ends[end_count++];
    end->name = name;
    setenv("ROWCAST_TEST_STORE", name, 1);
    database_make(&end->database);
    assert_int_equal(store_open(&end->database.settings, STORE_WRITE, &end->store), 0);
}

UNUSED static void begin(enum store_access access)
{
    for (size_t i = 0; i < end_count; i++)
        assert_int_equal(store_begin(ends[i].store, access), 0);
}

UNUSED static void commit(void)
{
    for (size_t i = 0; i < end_count; i++)
        assert_int_equal(store_commit(ends[i].store), 0);
}

UNUSED static void rollback(void)
{
    for (size_t i = 0; i < end_count; i++)
        store_rollback(ends[i].store);
}

UNUSED static int open_ends(void **state)
{
    (void)state;
    open_end("sqlite");
    if (*database_server())
        open_end("pg");
    print_message("SQLite%s\n", end_count > 1 ? ", PostgreSQL" : "");
    return 0;
}

UNUSED static int close_ends(void **state)
{
    (void)state;
    for (size_t i = 0; i < end_count; i++) {
        store_close(ends[i].store);
        database_drop(&ends[i].database);
    }
    return 0;
}

/* A table in all ends. */
UNUSED static void create_in_ends(const struct shape *shape)
{
    begin(STORE_SCHEMA);
    for (size_t i = 0; i < end_count; i++)
        assert_int_equal(store_create_table(ends[i].store, shape), 0);
    commit();
}

UNUSED static void drop_in_ends(const struct shape *shape)
{
    begin(STORE_SCHEMA);
    for (size_t i = 0; i < end_count; i++)
        assert_int_equal(store_drop_table(ends[i].store, shape->name), 0);
    commit();
}

#endif
