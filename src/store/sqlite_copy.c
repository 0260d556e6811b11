#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/mem.h"
#include "store/sqlite.h"

/* Taking an instance elsewhere: counters of keys, and a copy of the file. */

static const struct column name_column = {.name = {"name", 4}, .type = TYPE_TEXT};
static const struct column key_column = {.name = {"seq", 3}, .type = TYPE_BIG_INTEGER};
static const struct output key_output = {&key_column, NULL};

static int take_key(void *context, const struct value *row)
{
    *(int64_t *)context = row[0].integer;
    return 0;
}

int sqlite_last_key(struct store *s, const struct shape *shape, int64_t *key_out)
{
    int64_t key = 0;
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

/* The table of counters has a row only once a key was given. */
int sqlite_raise_last_key(struct store *s, const struct shape *shape, int64_t key)
{
    int64_t last;
    int rc = sqlite_last_key(s, shape, &last);
    if (rc || key <= last)
        return rc;
    struct statement *st = store_statement(s, NULL, 0);
    buf_put_lit(&st->sql, "DELETE FROM sqlite_sequence WHERE name = ");
    statement_put_bind(st, &name_column, value_text(shape->name));
    rc = store_run(s, NULL, NULL);
    if (rc)
        return rc;
    st = store_statement(s, NULL, 0);
    buf_put_lit(&st->sql, "INSERT INTO sqlite_sequence (name, seq) VALUES (");
    statement_put_bind(st, &name_column, value_text(shape->name));
    buf_put_char(&st->sql, ',');
    statement_put_bind(st, &key_column, value_integer(key));
    buf_put_char(&st->sql, ')');
    return store_run(s, NULL, NULL);
}

/* Page by page would begin anew at each commit of another connection; all at once holds nobody up,
 * since readers of a write-ahead log are in nobody's way. */
int sqlite_backup(struct store *base, struct str filename)
{
    struct sqlite *s = sqlite_of(base);
    struct arena *arena = arena_new();
    const char *path = arena_printf(arena, "%.*s", STR_ARG(filename)).at;
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    int rc = 0;
    if (fd < 0)
        rc = errno == EEXIST ? STORE_EXISTS : FAULT_BECAUSE(errno, "cannot make %s", path);
    else
        close(fd);
    sqlite3 *to = NULL;
    if (rc == 0 && sqlite3_open_v2(path, &to, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
        rc = FAULT_BECAUSE(EIO, "cannot open %s", path);
    if (rc == 0) {
        sqlite3_backup *backup = sqlite3_backup_init(to, "main", s->db, "main");
        int code = backup ? sqlite3_backup_step(backup, -1) : sqlite3_errcode(to);
        if (backup)
            sqlite3_backup_finish(backup);
        if (code != SQLITE_DONE)
            rc = FAULT_BECAUSE(EIO, "the copy to %s failed (%d)", path, code);
    }
    sqlite3_close(to);
    if (fd >= 0 && rc)
        unlink(path);
    arena_free(arena);
    return rc;
}
