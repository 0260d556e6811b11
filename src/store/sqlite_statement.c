#include <errno.h>

#include "base/fault.h"
#include "base/mem.h"
#include "store/sqlite.h"

/* ---- results ---- */

static int fault_number(int code)
{
    switch (code & 0xff) {
    case SQLITE_FULL:
        return ENOSPC;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return EBUSY;
    case SQLITE_READONLY:
        return EROFS;
    case SQLITE_NOMEM:
        return ENOMEM;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return EBADMSG;
    case SQLITE_CANTOPEN:
        return ENOENT;
    default:
        return EIO;
    }
}

static int outcome_of(int code)
{
    switch (code) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
        return STORE_NOT_UNIQUE;
    case SQLITE_CONSTRAINT_NOTNULL:
        return STORE_NULL;
    case SQLITE_CONSTRAINT_FOREIGNKEY:
    case SQLITE_CONSTRAINT_TRIGGER: /* ON DELETE RESTRICT */
        return STORE_FOREIGN_KEY;
    case SQLITE_CONSTRAINT_CHECK:
    case SQLITE_CONSTRAINT_DATATYPE:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG:
        return STORE_RANGE;
    default:
        return 0;
    }
}

/* Finds table and column in "UNIQUE constraint failed: table.column". Names may hold points and
 * blanks, so the shape at hand is tried first. */
static void find_detail(struct sqlite *s, const struct shape *shape, struct str message)
{
    static const char mark[] = " constraint failed: ";
    const char *found = memmem(message.at, message.len, mark, sizeof(mark) - 1);
    if (!found)
        return;
    struct str rest = str_skip(message, (size_t)(found - message.at) + sizeof(mark) - 1);
    if (shape && str_starts_with(rest, shape->name)) {
        struct str name = str_skip(rest, shape->name.len);
        for (size_t i = 0; i < shape->count && name.len > 0 && name.at[0] == '.'; i++) {
            if (!str_equal(str_skip(name, 1), shape->columns[i].name))
                continue;
            store_set_detail(&s->store, shape->name, shape->columns[i].name);
            return;
        }
    }
    struct str table, column;
    str_next(&rest, '.', &table);
    if (str_next(&rest, ',', &column))
        store_set_detail(&s->store, table, column);
}

int sqlite_result(struct sqlite *s, const struct shape *shape, int code)
{
    if (code == SQLITE_OK || code == SQLITE_DONE || code == SQLITE_ROW)
        return 0;
    int outcome = outcome_of(code);
    const char *message = sqlite3_errmsg(s->db);
    if (outcome == 0)
        return FAULT_BECAUSE(fault_number(code), "SQLite (%d): %s", code, message);
    find_detail(s, shape, str_of(message));
    return outcome;
}

/* ---- prepared statements ---- */

static struct sqlite_prepared *prepared_of(struct kept *k)
{
    return (struct sqlite_prepared *)(void *)k;
}

static void forget(struct sqlite *s, struct kept *k)
{
    kept_remove(&s->prepared, k);
    sqlite3_finalize(prepared_of(k)->stmt);
    mem_free(k);
}

void sqlite_forget_statements(struct sqlite *s)
{
    while (s->prepared.oldest)
        forget(s, s->prepared.oldest);
}

static int prepare(struct sqlite *s, const struct statement *st, sqlite3_stmt **stmt_out)
{
    struct str sql = buf_str(&st->sql);
    struct kept *kept = st->once ? NULL : kept_find(&s->prepared, sql);
    if (kept) {
        *stmt_out = prepared_of(kept)->stmt;
        return SQLITE_OK;
    }
    unsigned flags = st->once ? 0 : SQLITE_PREPARE_PERSISTENT;
    int code = sqlite3_prepare_v3(s->db, sql.at, (int)sql.len, flags, stmt_out, NULL);
    if (code != SQLITE_OK || st->once)
        return code;

    if (s->prepared.by_text.count >= SQLITE_STATEMENTS_MAX)
        forget(s, s->prepared.oldest);
    struct sqlite_prepared *p = MEM_NEW(struct sqlite_prepared);
    p->stmt = *stmt_out;
    p->kept.sql = str_of(sqlite3_sql(p->stmt));
    kept_add(&s->prepared, &p->kept);
    return SQLITE_OK;
}

/* ---- binding and reading ---- */

static int bind_value(sqlite3_stmt *stmt, int at, const struct value *v)
{
    switch (v->kind) {
    case VALUE_NULL:
        return sqlite3_bind_null(stmt, at);
    case VALUE_INTEGER:
        return sqlite3_bind_int64(stmt, at, v->integer);
    case VALUE_REAL:
        return sqlite3_bind_double(stmt, at, v->real);
    case VALUE_TEXT:
        return sqlite3_bind_text64(stmt, at, v->text.at ? v->text.at : "", v->text.len,
                                   SQLITE_STATIC, SQLITE_UTF8);
    }
    return SQLITE_MISUSE;
}

static int bind_list(sqlite3_stmt *stmt, int at, const struct bind *bind)
{
    struct sqlite_list *list = MEM_NEW(struct sqlite_list);
    *list = (struct sqlite_list){bind->list, bind->list_count};
    return sqlite3_bind_pointer(stmt, at, list, SQLITE_LIST_POINTER, mem_free);
}

static int bind_all(sqlite3_stmt *stmt, const struct statement *st)
{
    int code = SQLITE_OK;
    for (size_t i = 0; i < st->bind_count && code == SQLITE_OK; i++) {
        const struct bind *bind = &st->binds[i];
        int at = (int)i + 1;
        if (bind->form) /* SQLite hands it back as it is; the function only reads */
            code = sqlite3_bind_pointer(stmt, at, (void *)(uintptr_t)bind->form,
                                        SQLITE_FORM_POINTER, NULL);
        else
            code = bind->list ? bind_list(stmt, at, bind) : bind_value(stmt, at, &bind->value);
    }
    return code;
}

/* By the kind of the column: what another program put there is read as the column means it. */
static struct value read_cell(sqlite3_stmt *stmt, int at, const struct column *c)
{
    if (sqlite3_column_type(stmt, at) == SQLITE_NULL)
        return value_null();
    switch (types[c->type].kind) {
    case VALUE_INTEGER:
        return value_integer(sqlite3_column_int64(stmt, at));
    case VALUE_REAL:
        return value_real(sqlite3_column_double(stmt, at));
    default:
        break;
    }
    const char *text = (const char *)sqlite3_column_text(stmt, at);
    if (!text)
        return value_null(); /* no memory: the next step reports it */
    return value_text((struct str){text, (size_t)sqlite3_column_bytes(stmt, at)});
}

static void read_row(sqlite3_stmt *stmt, struct statement *st)
{
    for (size_t i = 0; i < st->output_count; i++) {
        const struct column *c = st->outputs ? st->outputs[i].column : &st->shape->columns[i];
        st->row[i] = read_cell(stmt, (int)i, c);
    }
}

/* Rows go to the row function until it refuses one. A statement that writes is stepped to its end
 * all the same: only then are its references checked. */
static int step_all(sqlite3_stmt *stmt, struct statement *st, store_row_fn *row, void *context,
                    int *code_out)
{
    int refused = 0, code;
    while ((code = sqlite3_step(stmt)) == SQLITE_ROW) {
        if (!row || refused)
            continue;
        read_row(stmt, st);
        refused = row(context, st->row);
        if (refused && !st->writes)
            break;
    }
    *code_out = code;
    return refused;
}

int sqlite_run(struct store *base, struct statement *st, store_row_fn *row, void *context)
{
    struct sqlite *s = sqlite_of(base);
    /* SQLite ends a transaction by itself when the disk fails; what follows must not stand alone.
     */
    if (base->open && sqlite3_get_autocommit(s->db))
        return FAULT_BECAUSE(EIO, "SQLite has rolled the transaction back");

    sqlite3_stmt *stmt = NULL;
    int refused = 0, code = prepare(s, st, &stmt);
    if (code == SQLITE_OK)
        code = bind_all(stmt, st);
    if (code == SQLITE_OK)
        refused = step_all(stmt, st, row, context, &code);
    int rc = sqlite_result(s, st->shape, code);
    if (st->once) {
        sqlite3_finalize(stmt);
    } else if (stmt) {
        sqlite3_reset(stmt);
        sqlite3_clear_bindings(stmt);
    }
    return rc ? rc : refused;
}

int64_t sqlite_inserted_key(struct store *s)
{
    return sqlite3_last_insert_rowid(sqlite_of(s)->db);
}
