#ifndef UNIT_DATABASE_H
#define UNIT_DATABASE_H

/*
 * A database of its own for each test: SQLite's file in a folder of its own, or a schema of its own
 * in the PostgreSQL that ROWCAST_TEST_POSTGRES names (a connection string; tools/postgres.py starts
 * one). ROWCAST_TEST_STORE, `sqlite` or `pg`, says which where both could be meant.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/attr.h"
#include "store/store.h"

struct database {
    char folder[40], file[48];        /* SQLite's; else empty */
    char schema[40], connection[512]; /* PostgreSQL's; else empty */
    struct store_settings settings;   /* points into this */
};

static inline const char *database_server(void)
{
    const char *server = getenv("ROWCAST_TEST_POSTGRES");
    return server ? server : "";
}

static inline bool database_on_postgres(void)
{
    const char *store = getenv("ROWCAST_TEST_STORE");
    return store ? strcmp(store, "pg") == 0 : *database_server() != '\0';
}

/* Statements that no Rowcast would run; on PostgreSQL in the schema of the tests. */
static inline void database_run_postgres(const char *connection, const char *sql)
{
    PGconn *db = PQconnectdb(connection);
    if (PQstatus(db) != CONNECTION_OK)
        fail_msg("PostgreSQL: %s", PQerrorMessage(db));
    PGresult *result = PQexec(db, sql);
    if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_TUPLES_OK)
        fail_msg("%s: %s", sql, PQresultErrorMessage(result));
    PQclear(result);
    PQfinish(db);
}

static inline void database_make_schema(struct database *d)
{
    static unsigned made;
    char schema[40], sql[80];
    if (!*database_server())
        fail_msg("ROWCAST_TEST_STORE is pg, and ROWCAST_TEST_POSTGRES names none");
    snprintf(schema, sizeof(schema), "t_%d_%u", (int)getpid(), ++made);
    memcpy(d->schema, schema, sizeof(schema));
    int size = snprintf(d->connection, sizeof(d->connection),
                        "%s options='-c search_path=%s -c client_min_messages=warning'",
                        database_server(), schema);
    assert_in_range(size, 1, sizeof(d->connection) - 1);
    snprintf(sql, sizeof(sql), "CREATE SCHEMA %s", schema);
    database_run_postgres(d->connection, sql);
    d->settings =
        (struct store_settings){.client = STORE_POSTGRES, .connection = str_of(d->connection)};
}

UNUSED static void database_make(struct database *d)
{
    char folder[] = "/tmp/rowcast-unit-XXXXXX";
    *d = (struct database){0};
    if (database_on_postgres()) {
        database_make_schema(d);
        return;
    }
    assert_non_null(mkdtemp(folder));
    memcpy(d->folder, folder, sizeof(folder));
    snprintf(d->file, sizeof(d->file), "%s/db", folder);
    d->settings = (struct store_settings){.client = STORE_SQLITE, .filename = str_of(d->file)};
}

/* Everybody has closed it. Nothing else may lie in its folder. */
UNUSED static void database_drop(struct database *d)
{
    static const char *const endings[] = {"", "-lock", "-wal", "-shm"};
    char text[80];
    if (*d->schema) {
        snprintf(text, sizeof(text), "DROP SCHEMA %s CASCADE", d->schema);
        database_run_postgres(d->connection, text);
        return;
    }
    for (size_t i = 0; i < COUNT_OF(endings); i++) {
        snprintf(text, sizeof(text), "%s%s", d->file, endings[i]);
        unlink(text);
    }
    assert_int_equal(rmdir(d->folder), 0);
}

#endif
