#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/file.h"
#include "store/files.h"
#include "store/sqlite.h"

/* Taking an instance elsewhere: counters of keys, and a copy of the file. */

/* ---- counters of keys ---- */

static const struct column name_column = {.name = STR_INIT("name"), .type = TYPE_TEXT};
static const struct column key_column = {.name = STR_INIT("seq"), .type = TYPE_BIG_INTEGER};
static const struct output key_output = {&key_column, NULL};

static int take_key(void *context, const struct value *row)
{
    *(int64_t *)context = row[0].integer;
    return 0;
}

int sqlite_last_key(struct store *s, const struct shape *shape, int64_t *key_out)
{
    int64_t key = 0; /* no row: none was given yet */
    struct statement *st = store_statement(s, NULL, 0);
    buf_put_lit(&st->sql, "SELECT seq FROM sqlite_sequence WHERE name = ");
    statement_put_bind(st, &name_column, value_text(shape->name));
    st->outputs = &key_output;
    st->output_count = 1;
    int rc = store_run(s, take_key, &key);
    if (rc == 0)
        *key_out = key;
    return rc;
}

/* The table of counters has no key of its own to insert or update by. */
int sqlite_raise_last_key(struct store *s, const struct shape *shape, int64_t key)
{
    int64_t last;
    int rc = sqlite_last_key(s, shape, &last);
    if (rc || key <= last)
        return rc;
    struct statement *st = store_statement(s, NULL, 0);
    st->writes = true;
    buf_put_lit(&st->sql, "DELETE FROM sqlite_sequence WHERE name = ");
    statement_put_bind(st, &name_column, value_text(shape->name));
    rc = store_run(s, NULL, NULL);
    if (rc)
        return rc;
    st = store_statement(s, NULL, 0);
    st->writes = true;
    buf_put_lit(&st->sql, "INSERT INTO sqlite_sequence (name, seq) VALUES (");
    statement_put_bind(st, &name_column, value_text(shape->name));
    buf_put_char(&st->sql, ',');
    statement_put_bind(st, &key_column, value_integer(key));
    buf_put_char(&st->sql, ')');
    return store_run(s, NULL, NULL);
}

/* ---- the file ---- */

/* As a path: a name such as "file:x" would be taken for a URI, with options inside. */
static const char *path_of(struct arena *a, struct str filename, const char *suffix)
{
    const char *folder = str_starts_with(filename, STR("/")) ? "" : "./";
    return arena_printf(a, "%s%.*s%s", folder, STR_ARG(filename), suffix).at;
}

static int make_file(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno == EEXIST ? STORE_EXISTS
                               : FAULT_BECAUSE(errno, "cannot make %s: %s", path, strerror(errno));
    close(fd);
    return 0;
}

/* Page by page would begin anew at each commit of another connection; all at once holds nobody up,
 * since readers of a write-ahead log are in nobody's way. */
static int copy_pages(struct sqlite *s, const char *path)
{
    sqlite3 *to = NULL;
    int rc = 0, code = sqlite3_open_v2(path, &to, SQLITE_OPEN_READWRITE, NULL);
    sqlite3_backup *backup =
        code == SQLITE_OK ? sqlite3_backup_init(to, "main", s->db, "main") : NULL;
    if (backup)
        (void)sqlite3_backup_step(backup, -1);
    /* The end has the step's error, and a copy that is not complete is none. */
    bool whole = backup && sqlite3_backup_remaining(backup) == 0;
    if (backup)
        code = sqlite3_backup_finish(backup);
    else if (to)
        code = sqlite3_errcode(to);
    if (code != SQLITE_OK || !whole)
        rc = FAULT_BECAUSE(EIO, "the copy to %s failed: SQLite (%d): %s", path, code,
                           to ? sqlite3_errmsg(to) : sqlite3_errstr(code));
    sqlite3_close(to);
    return rc;
}

int sqlite_backup(struct store *base, struct str filename)
{
    AUTO(arena_free) struct arena *arena = arena_new();
    const char *path = path_of(arena, filename, "");
    int rc = make_file(path);
    if (rc)
        return rc;
    rc = copy_pages(sqlite_of(base), path);
    if (rc == 0)
        rc = file_sync(path);
    if (rc)
        store_remove_files(filename);
    return rc;
}

void store_remove_files(struct str filename)
{
    static const char *const suffixes[] = {"", "-journal", "-wal", "-shm", "-lock"};
    AUTO(arena_free) struct arena *arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(suffixes); i++)
        (void)unlink(path_of(arena, filename, suffixes[i]));
}

int store_publish_file(struct str filename, struct str name)
{
    AUTO(arena_free) struct arena *arena = arena_new();
    const char *path = path_of(arena, filename, "");
    /* The last connection moves its log into the file and removes it, unless the disk failed. */
    if (access(path_of(arena, filename, "-wal"), F_OK) == 0)
        return FAULT_BECAUSE(EIO, "%s could not be completed", path);
    int rc = file_sync(path);
    if (rc == 0)
        rc = file_publish(path, path_of(arena, name, ""));
    if (rc == 0)
        (void)unlink(path_of(arena, filename, "-lock"));
    return rc == FILE_EXISTS ? STORE_EXISTS : rc;
}
