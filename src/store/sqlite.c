#include "store/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/mem.h"

/*
 * The connection: opening, transactions, checks.
 *
 * WAL lets readers go on beside the one writer, each on the snapshot that its begin took. The page
 * cache of a connection is small, since the system caches the file anyway. Nothing is mapped: a
 * failing disk then is an error code and not a signal.
 */

/* ---- opening ---- */

enum { BUSY_MS_MAX = 5000 };
static const char settings_of_all[] = "PRAGMA mmap_size=0;"
                                      "PRAGMA recursive_triggers=OFF;"
                                      "PRAGMA cell_size_check=ON;";
static const char settings_of_reader[] = "PRAGMA cache_size=-512;"
                                         "PRAGMA query_only=ON;";
static const char settings_of_writer[] = "PRAGMA journal_mode=WAL;"
                                         "PRAGMA synchronous=FULL;"
                                         "PRAGMA secure_delete=FAST;"
                                         "PRAGMA journal_size_limit=16777216;"
                                         "PRAGMA cache_size=-2048;";

static int execute(struct sqlite *s, const char *sql)
{
    return sqlite_result(s, NULL, sqlite3_exec(s->db, sql, NULL, NULL, NULL));
}

/* Held as long as the file is open: by two servers on one file each would think itself the one
 * writer, and journal positions would be given twice. */
static int take_lock(struct sqlite *s, const char *path)
{
    struct buf lock_path;
    buf_init(&lock_path, SIZE_MAX);
    buf_printf(&lock_path, "%s-lock", path);
    buf_put_char(&lock_path, '\0');
    s->lock_fd = open(lock_path.at, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    int rc = 0;
    if (s->lock_fd < 0)
        rc = FAULT_BECAUSE(errno, "cannot open %s", lock_path.at);
    else if (flock(s->lock_fd, LOCK_EX | LOCK_NB) != 0)
        rc = errno == EWOULDBLOCK ? STORE_LOCKED
                                  : FAULT_BECAUSE(errno, "cannot lock %s", lock_path.at);
    buf_deinit(&lock_path);
    return rc;
}

/* SQLite would make the file readable by all; its side files take after it. */
static int create_file(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return FAULT_BECAUSE(errno, "cannot open %s", path);
    close(fd);
    return 0;
}

/* Checked, since every promise about a crash rests on it. */
static int check_wal(struct sqlite *s)
{
    sqlite3_stmt *stmt = NULL;
    bool wal = false;
    int code = sqlite3_prepare_v2(s->db, "PRAGMA journal_mode", -1, &stmt, NULL);
    if (code == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW)
        wal = str_equal(str_of((const char *)sqlite3_column_text(stmt, 0)), STR("wal"));
    sqlite3_finalize(stmt);
    if (code != SQLITE_OK)
        return sqlite_result(s, NULL, code);
    return wal ? 0 : FAULT_BECAUSE(ENOTSUP, "this file system cannot hold a write-ahead log");
}

/* ---- the write-ahead log ---- */

/*
 * What the log holds is moved into the file along with commits, and the log begins anew when no
 * reader needs it. While there is always somebody reading, that moment never comes by itself. So
 * past LOG_PAGES_MAX the writer waits for the reads that are under way; later ones read the file.
 * Where one of them takes longer than that, the log may grow by as much again before the next try.
 */
enum { LOG_PAGES_TO_MOVE = 1000, LOG_PAGES_MAX = 4096, READERS_WAIT_MS = 500 };

static int on_commit(void *context, sqlite3 *db, const char *name, int pages)
{
    struct sqlite *s = context;
    if (pages < s->log_pages) /* it has begun anew */
        s->log_pages_due = LOG_PAGES_MAX;
    s->log_pages = pages;
    if (pages >= LOG_PAGES_TO_MOVE)
        sqlite3_wal_checkpoint_v2(db, name, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    return SQLITE_OK; /* the commit is durable already; a failing disk will tell the next one */
}

static int sqlite_checkpoint(struct store *base)
{
    struct sqlite *s = sqlite_of(base);
    if (s->log_pages < s->log_pages_due)
        return 0;
    sqlite3_busy_timeout(s->db, READERS_WAIT_MS);
    int code = sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_RESTART, NULL, NULL);
    sqlite3_busy_timeout(s->db, BUSY_MS_MAX);
    s->log_pages_due = LOG_PAGES_MAX + (code == SQLITE_OK ? 0 : s->log_pages);
    s->log_pages = code == SQLITE_OK ? 0 : s->log_pages;
    return code == SQLITE_BUSY ? 0 : sqlite_result(s, NULL, code);
}

static int configure(struct sqlite *s, enum store_access access)
{
    static const struct {
        int option, on;
    } options[] = {
        {SQLITE_DBCONFIG_ENABLE_FKEY, 1},    {SQLITE_DBCONFIG_DEFENSIVE, 1},
        {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0}, {SQLITE_DBCONFIG_DQS_DML, 0},
        {SQLITE_DBCONFIG_DQS_DDL, 0},
    };
    for (size_t i = 0; i < COUNT_OF(options); i++)
        sqlite3_db_config(s->db, options[i].option, options[i].on, NULL);
    int code = sqlite_add_functions(s);
    if (code != SQLITE_OK)
        return sqlite_result(s, NULL, code);
    sqlite3_busy_timeout(s->db, BUSY_MS_MAX);
    int rc = execute(s, settings_of_all);
    if (rc == 0)
        rc = execute(s, access == STORE_READ ? settings_of_reader : settings_of_writer);
    if (rc || access == STORE_READ)
        return rc;
    s->log_pages_due = LOG_PAGES_MAX;
    sqlite3_wal_hook(s->db, on_commit, s);
    return check_wal(s);
}

static int open_path(struct sqlite *s, const char *path, enum store_access access)
{
    int rc = 0;
    if (access != STORE_READ)
        rc = take_lock(s, path);
    if (rc == 0 && access != STORE_READ)
        rc = create_file(path);
    if (rc)
        return rc;
    /* A reader writes too: its mark in the shared index of the log. */
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    int code = sqlite3_open_v2(path, &s->db, flags, NULL);
    return code == SQLITE_OK ? configure(s, access) : sqlite_result(s, NULL, code);
}

static void sqlite_close(struct store *base)
{
    struct sqlite *s = sqlite_of(base);
    sqlite_forget_statements(s);
    kept_deinit(&s->prepared);
    sqlite3_close(s->db);
    if (s->lock_fd >= 0)
        close(s->lock_fd);
    store_deinit(base);
    mem_free(s);
}

/* Nobody asks SQLite for an account of its memory, which it would keep under one lock of all
 * connections. Once it is at work, it keeps what was said. */
static void spare_account(void)
{
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

/* What outgrows memory - a sort, a savepoint - goes to a passing file. SQLite would put it where
 * any program's are, which may be nowhere: it belongs beside the database. The first one opened
 * decides, before there are other threads; an operator's SQLITE_TMPDIR goes first. */
static void choose_directory(struct str path)
{
    if (sqlite3_temp_directory || getenv("SQLITE_TMPDIR"))
        return;
    const char *slash = memrchr(path.at, '/', path.len);
    sqlite3_temp_directory = sqlite3_mprintf("%.*s", (int)(slash - path.at) + 1, path.at);
}

static int sqlite_open(const struct store_settings *settings, enum store_access access,
                       struct store **store_out)
{
    struct sqlite *s = MEM_NEW(struct sqlite);
    store_init(&s->store, &sqlite_driver);
    s->lock_fd = -1;

    /* A name such as "file:x" would be taken for a URI, with options inside. */
    struct arena *arena = arena_new();
    bool absolute = str_starts_with(settings->filename, STR("/"));
    struct str path =
        arena_printf(arena, "%s%.*s", absolute ? "" : "./", STR_ARG(settings->filename));
    spare_account();
    choose_directory(path);
    int rc = open_path(s, path.at, access);
    arena_free(arena);
    if (rc)
        sqlite_close(&s->store);
    else
        *store_out = &s->store;
    return rc;
}

/* ---- transactions ---- */

/* While tables are rebuilt, references point to tables that are not there for a moment, and must
 * not follow a table that is renamed. */
static void set_rebuilding(struct sqlite *s, enum store_access access, int rebuilding)
{
    if (access != STORE_SCHEMA)
        return;
    sqlite3_db_config(s->db, SQLITE_DBCONFIG_ENABLE_FKEY, !rebuilding, NULL);
    sqlite3_db_config(s->db, SQLITE_DBCONFIG_LEGACY_ALTER_TABLE, rebuilding, NULL);
}

static int sqlite_begin(struct store *base, enum store_access access)
{
    struct sqlite *s = sqlite_of(base);
    set_rebuilding(s, access, 1);
    int rc = store_execute(base, access == STORE_READ ? STR("BEGIN") : STR("BEGIN IMMEDIATE"));
    if (rc)
        set_rebuilding(s, access, 0);
    if (rc || access != STORE_READ)
        return rc;
    /* BEGIN alone takes no snapshot; the first read does. */
    rc = store_execute(base, STR("SELECT 1 FROM sqlite_schema LIMIT 1"));
    if (rc)
        base->driver->rollback(base);
    return rc;
}

static void sqlite_rollback(struct store *base)
{
    struct sqlite *s = sqlite_of(base);
    if (!sqlite3_get_autocommit(s->db))
        sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
    set_rebuilding(s, base->access, 0);
}

/* STORE_FOREIGN_KEY with the table whose row refers to nothing. */
static int check_references(struct sqlite *s)
{
    sqlite3_stmt *stmt = NULL;
    int code = sqlite3_prepare_v2(s->db, "PRAGMA foreign_key_check", -1, &stmt, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(stmt);
    int rc = sqlite_result(s, NULL, code);
    if (code == SQLITE_ROW) {
        store_set_detail(&s->store, str_of((const char *)sqlite3_column_text(stmt, 0)), STR_NULL);
        rc = STORE_FOREIGN_KEY;
    }
    sqlite3_finalize(stmt);
    return rc;
}

static int sqlite_commit(struct store *base)
{
    struct sqlite *s = sqlite_of(base);
    int rc = 0;
    if (sqlite3_get_autocommit(s->db))
        rc = FAULT_BECAUSE(EIO, "SQLite has rolled the transaction back");
    else if (base->access == STORE_SCHEMA)
        rc = check_references(s);
    if (rc == 0)
        rc = store_execute(base, STR("COMMIT"));
    if (rc)
        sqlite_rollback(base);
    else
        set_rebuilding(s, base->access, 0);
    return rc;
}

/* ---- questions about the file ---- */

static int sqlite_table_exists(struct store *base, struct str name, bool *exists_out)
{
    struct sqlite *s = sqlite_of(base);
    sqlite3_stmt *stmt = NULL;
    int code = sqlite3_prepare_v2(s->db,
                                  "SELECT 1 FROM sqlite_schema WHERE type IN ('table', 'view') "
                                  "AND name = ? COLLATE NOCASE",
                                  -1, &stmt, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_bind_text64(stmt, 1, name.at, name.len, SQLITE_STATIC, SQLITE_UTF8);
    if (code == SQLITE_OK)
        code = sqlite3_step(stmt);
    int rc = sqlite_result(s, NULL, code);
    sqlite3_finalize(stmt);
    if (rc == 0)
        *exists_out = code == SQLITE_ROW;
    return rc;
}

static void report_text(sqlite3_stmt *stmt, void (*report)(void *context, struct str finding),
                        void *context)
{
    struct str finding = str_of((const char *)sqlite3_column_text(stmt, 0));
    if (!str_equal(finding, STR("ok")))
        report(context, finding);
}

static void report_reference(sqlite3_stmt *stmt, void (*report)(void *context, struct str finding),
                             void *context)
{
    char text[512];
    snprintf(text, sizeof(text),
             "row %lld of table %s refers to a row of table %s that is not there",
             (long long)sqlite3_column_int64(stmt, 1), sqlite3_column_text(stmt, 0),
             sqlite3_column_text(stmt, 2));
    report(context, str_of(text));
}

static int sqlite_check(struct store *base, void (*report)(void *context, struct str finding),
                        void *context)
{
    static const struct {
        const char *sql;
        void (*tell)(sqlite3_stmt *stmt, void (*report)(void *context, struct str finding),
                     void *context);
    } checks[] = {{"PRAGMA integrity_check", report_text},
                  {"PRAGMA foreign_key_check", report_reference}};
    struct sqlite *s = sqlite_of(base);
    int rc = 0;
    for (size_t i = 0; i < COUNT_OF(checks) && rc == 0; i++) {
        sqlite3_stmt *stmt = NULL;
        int code = sqlite3_prepare_v2(s->db, checks[i].sql, -1, &stmt, NULL);
        while (code == SQLITE_OK || code == SQLITE_ROW) {
            code = sqlite3_step(stmt);
            if (code == SQLITE_ROW)
                checks[i].tell(stmt, report, context);
        }
        rc = sqlite_result(s, NULL, code);
        sqlite3_finalize(stmt);
    }
    return rc;
}

/* ---- the dialect ---- */

static const char *declaration(const struct type *type)
{
    return type->sqlite;
}

/* An integer key, said so in this word, is the row's own number: no index beside the table. */
static const char *key_declaration(const struct column *c)
{
    if (c->auto_increment)
        return "integer PRIMARY KEY AUTOINCREMENT";
    return types[c->type].kind == VALUE_INTEGER ? "integer PRIMARY KEY" : NULL;
}

/* Where a table's first column is real, SQLite 3.40 tells all its numbers as reals after RETURNING;
 * not those of an expression, and a sign makes one. */
static const char *column_in(const struct column *c, enum column_use use)
{
    if (use == USE_FOLDED)
        return "rowcast_fold($c)";
    return use == USE_OUTPUT && c->type == TYPE_BIG_INTEGER ? "+$c" : "$c";
}

static void put_form(struct statement *st, const struct column *c, const struct form *form)
{
    buf_put_lit(&st->sql, "rowcast_form(");
    statement_put_column(st, c, USE_VALUE);
    buf_put_char(&st->sql, ',');
    statement_put_form(st, form);
    buf_put_char(&st->sql, ')');
}

static const char *no_parameter_type(const struct column *c, enum column_use use,
                                     const struct value *v)
{
    (void)c, (void)use, (void)v;
    return "";
}

static const struct sql_dialect dialect = {
    .tests =
        {
            [OP_EQ] = "$c = $1",
            [OP_LT] = "$c < $1",
            [OP_LTE] = "$c <= $1",
            [OP_GT] = "$c > $1",
            [OP_GTE] = "$c >= $1",
            [OP_IN] = "$c IN ($*)",
            [OP_BETWEEN] = "$c BETWEEN $1 AND $2",
            [OP_NULL] = "$c IS NULL",
            [OP_NNULL] = "$c IS NOT NULL",
            [OP_EMPTY] = "coalesce($c, '') = ''",
            [OP_CONTAINS] = "rowcast_contains($c, $1)",
            [OP_ICONTAINS] = "rowcast_icontains($c, $1)",
            [OP_STARTS_WITH] = "rowcast_starts_with($c, $1)",
            [OP_ISTARTS_WITH] = "rowcast_istarts_with($c, $1)",
            [OP_ENDS_WITH] = "rowcast_ends_with($c, $1)",
            [OP_IENDS_WITH] = "rowcast_iends_with($c, $1)",
            [OP_HAS_WORD] = "rowcast_has_word($c, $1)",
            [OP_SHORTER] = "rowcast_shorter($c, $1)",
        },
    .long_list = "$c IN (SELECT value FROM rowcast_list($*))",
    .list_max = 16,
    .limit_all = "-1",
    .ascending = "", /* null is the least value */
    .descending = " DESC",
    .rank = "rowcast_rank($c, $*)",
    .join_texts = "group_concat(rowcast_text, ', ')",
    .column = column_in,
    .put_form = put_form,
    .parameter_type = no_parameter_type,
    .lock = "", /* a transaction that writes is alone */
    .declaration = declaration,
    .key_declaration = key_declaration,
    .parameter = '?',
    .counts_given_keys = true,
};

const struct store_driver sqlite_driver = {
    .dialect = &dialect,
    .open = sqlite_open,
    .close = sqlite_close,
    .begin = sqlite_begin,
    .commit = sqlite_commit,
    .rollback = sqlite_rollback,
    .run = sqlite_run,
    .table_exists = sqlite_table_exists,
    .alter_table = sqlite_alter_table,
    .drop_table = sqlite_drop_table,
    .inserted_key = sqlite_inserted_key,
    .last_key = sqlite_last_key,
    .raise_last_key = sqlite_raise_last_key,
    .backup = sqlite_backup,
    .check = sqlite_check,
    .checkpoint = sqlite_checkpoint,
};
