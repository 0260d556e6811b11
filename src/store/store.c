#include "store/store.h"

#include <assert.h>
#include <errno.h>

#include "base/fault.h"
#include "base/mem.h"
#include "store/driver.h"

static const struct store_driver *const drivers[] = {
    [STORE_SQLITE] = &sqlite_driver, [STORE_POSTGRES] = &postgres_driver};

/* ---- the connection ---- */

enum { DETAIL_SIZE_MAX = 4096 };

void store_init(struct store *s, const struct store_driver *driver)
{
    s->driver = driver;
}

void store_deinit(struct store *s)
{
    statement_deinit(&s->statement);
    buf_deinit(&s->detail_text);
}

int store_open(const struct store_settings *settings, enum store_access access,
               struct store **store_out)
{
    assert((size_t)settings->client < COUNT_OF(drivers));
    return drivers[settings->client]->open(settings, access, store_out);
}

void store_close(struct store *s)
{
    if (!s)
        return;
    store_rollback(s);
    s->driver->close(s);
}

struct store_detail store_detail(const struct store *s)
{
    return s->detail;
}

/* Into a new buffer: what is given may be part of the old one. */
void store_set_detail(struct store *s, struct str table, struct str column)
{
    struct buf text;
    buf_init(&text, DETAIL_SIZE_MAX);
    buf_put_str(&text, table);
    buf_put_str(&text, column);
    s->detail = (struct store_detail){STR_NULL, STR_NULL};
    if (table.at && !text.failed)
        s->detail.table = (struct str){text.at, table.len};
    if (column.at && !text.failed)
        s->detail.column = (struct str){text.at + table.len, column.len};
    buf_deinit(&s->detail_text);
    s->detail_text = text;
}

struct statement *store_statement(struct store *s, const struct shape *shape, int64_t now_ms)
{
    assert(!s->running); /* a row function must not ask the store that calls it */
    s->detail = (struct store_detail){STR_NULL, STR_NULL};
    statement_start(&s->statement, s->driver->dialect, shape, now_ms);
    return &s->statement;
}

static int run_statement(struct store *s, struct statement *st, store_row_fn *row, void *context)
{
    if (st->invalid)
        return FAULT_BECAUSE(EINVAL, "a name that SQL cannot hold: %.*s", STR_ARG(st->sql));
    if (st->sql.failed)
        return FAULT_BECAUSE(E2BIG, "a statement is too long");
    if (st->output_count > st->row_capacity) {
        st->row_capacity = st->output_count;
        st->row = mem_resize(st->row, sizeof(*st->row) * st->row_capacity);
    }
    return s->driver->run(s, st, row, context);
}

int store_run(struct store *s, store_row_fn *row, void *context)
{
    s->running = true;
    s->statements++;
    int rc = run_statement(s, &s->statement, row, context);
    s->running = false;
    statement_finish(&s->statement);
    return rc;
}

uint64_t store_statements(const struct store *s)
{
    return s->statements;
}

int store_execute(struct store *s, struct str sql)
{
    struct statement *st = store_statement(s, NULL, 0);
    buf_put_str(&st->sql, sql);
    st->writes = true;
    return store_run(s, NULL, NULL);
}

int store_execute_unawaited(struct store *s, struct str sql)
{
    struct statement *st = store_statement(s, NULL, 0);
    buf_put_str(&st->sql, sql);
    st->writes = true;
    st->unawaited = true;
    return store_run(s, NULL, NULL);
}

/* ---- transactions ---- */

enum store_trouble store_trouble(const struct store *s)
{
    return s->trouble;
}

/* In a schema transaction references that are there wait for the commit, as those that are made in
 * it do. */
static int defer_checks(struct store *s)
{
    const char *defer = s->driver->dialect->defer_checks;
    return defer ? store_execute_unawaited(s, str_of(defer)) : 0;
}

/* PostgreSQL changes no table of which a check is waiting. */
static int make_checks(struct store *s)
{
    const char *make = s->driver->dialect->make_checks;
    return make ? store_execute(s, str_of(make)) : 0;
}

int store_begin(struct store *s, enum store_access access)
{
    assert(!s->open);
    s->trouble = STORE_SOUND;
    int rc = s->driver->begin(s, access);
    if (rc)
        return rc;
    s->open = true;
    s->access = access;
    s->savepoints = 0;
    rc = access == STORE_SCHEMA ? defer_checks(s) : 0;
    if (rc)
        store_rollback(s);
    return rc;
}

int store_commit(struct store *s)
{
    assert(s->open && s->savepoints == 0);
    int rc = s->access == STORE_SCHEMA ? make_checks(s) : 0;
    if (rc) {
        store_rollback(s);
        return rc;
    }
    s->open = false;
    return s->driver->commit(s);
}

void store_rollback(struct store *s)
{
    if (!s->open)
        return;
    s->open = false;
    s->driver->rollback(s);
}

/* Savepoints share one name: SQL means the latest of that name, and the text stays prepared. */
int store_savepoint(struct store *s)
{
    assert(s->open);
    int rc = store_execute_unawaited(s, STR("SAVEPOINT rowcast"));
    s->savepoints += rc == 0;
    return rc;
}

int store_release(struct store *s)
{
    assert(s->savepoints > 0);
    int rc = store_execute_unawaited(s, STR("RELEASE SAVEPOINT rowcast"));
    s->savepoints -= rc == 0;
    return rc;
}

int store_rollback_to(struct store *s)
{
    assert(s->savepoints > 0);
    int rc = store_execute_unawaited(s, STR("ROLLBACK TO SAVEPOINT rowcast"));
    return rc ? rc : store_release(s);
}

/* ---- rows ---- */

int store_select(struct store *s, const struct select *select, store_row_fn *row, void *context)
{
    render_select(store_statement(s, select->shape, select->now_ms), select);
    return store_run(s, row, context);
}

static int take_count(void *context, const struct value *row)
{
    *(int64_t *)context = row[0].integer;
    return 0;
}

int store_count(struct store *s, const struct select *select, int64_t *count_out)
{
    render_count(store_statement(s, select->shape, select->now_ms), select->where);
    return store_run(s, take_count, count_out);
}

/* What type_read grants is checked again: a store may keep less strictly than it declares. */
int store_check_value(struct store *s, const struct shape *shape, const struct column *c,
                      const struct value *v)
{
    if (type_check(c, v) == 0)
        return 0;
    store_set_detail(s, shape->name, c->name);
    return STORE_RANGE;
}

int store_check_assignments(struct store *s, const struct shape *shape,
                            const struct assignment *assignments, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int rc = store_check_value(s, shape, assignments[i].column, &assignments[i].value);
        if (rc)
            return rc;
    }
    return 0;
}

int store_update(struct store *s, const struct shape *shape, const struct assignment *assignments,
                 size_t count, const struct expr *where, int64_t now_ms, store_row_fn *row,
                 void *context)
{
    struct statement *st = store_statement(s, shape, now_ms);
    int rc = store_check_assignments(s, shape, assignments, count);
    if (rc)
        return rc;
    render_update(st, assignments, count, where, row != NULL);
    return store_run(s, row, context);
}

int store_overwrite(struct store *s, const struct shape *shape,
                    const struct assignment *assignments, size_t count, const struct expr *where)
{
    struct statement *st = store_statement(s, shape, 0);
    int rc = store_check_assignments(s, shape, assignments, count);
    if (rc)
        return rc;
    render_update(st, assignments, count, where, false);
    st->unawaited = true;
    return store_run(s, NULL, NULL);
}

int store_delete(struct store *s, const struct shape *shape, const struct expr *where,
                 int64_t now_ms, store_row_fn *row, void *context)
{
    const bool within = s->open && s->access != STORE_SCHEMA; /* which defers them by itself */
    int rc = within ? defer_checks(s) : 0;
    if (rc)
        return rc;
    render_delete(store_statement(s, shape, now_ms), where, row != NULL);
    rc = store_run(s, row, context);
    return rc == 0 && within ? make_checks(s) : rc;
}

/* ---- tables ---- */

/* SQL tells columns apart without regard to case. */
static int check_columns(struct store *s, const struct shape *shape)
{
    for (size_t i = 0; i < shape->count; i++) {
        if (shape->columns[i].name.len > STORE_NAME_MAX) {
            store_set_detail(s, shape->name, shape->columns[i].name);
            return STORE_RANGE;
        }
        for (size_t k = 0; k < i; k++) {
            if (!str_equal_nocase(shape->columns[i].name, shape->columns[k].name))
                continue;
            store_set_detail(s, shape->name, shape->columns[i].name);
            return STORE_EXISTS;
        }
    }
    return 0;
}

int store_create_table(struct store *s, const struct shape *shape)
{
    assert(s->open && s->access == STORE_SCHEMA);
    bool exists;
    int rc = store_table_exists(s, shape->name, &exists);
    if (rc)
        return rc;
    if (exists) {
        store_set_detail(s, shape->name, STR_NULL);
        return STORE_EXISTS;
    }
    rc = check_columns(s, shape);
    if (rc)
        return rc;
    if (shape->name.len > STORE_NAME_MAX) {
        store_set_detail(s, shape->name, STR_NULL);
        return STORE_RANGE;
    }
    render_create_table(store_statement(s, shape, 0), shape->name);
    rc = store_run(s, NULL, NULL);
    for (size_t i = 0; i < shape->count && rc == 0; i++) {
        if (!column_has_index(&shape->columns[i]))
            continue;
        render_create_index(store_statement(s, shape, 0), &shape->columns[i]);
        rc = store_run(s, NULL, NULL);
    }
    for (size_t i = 0; i < shape->count && rc == 0; i++)
        if (shape->columns[i].reference && s->driver->dialect->later_references)
            rc = s->driver->add_reference(s, shape, &shape->columns[i]);
    return rc;
}

int store_drop_table(struct store *s, struct str name)
{
    assert(s->open && s->access == STORE_SCHEMA);
    int rc = make_checks(s);
    if (rc == 0)
        rc = s->driver->drop_table(s, name);
    return rc ? rc : defer_checks(s);
}

int store_alter_table(struct store *s, const struct shape *before, const struct shape *after,
                      const struct str *from)
{
    assert(s->open && s->access == STORE_SCHEMA);
    assert(str_equal(before->name, after->name)); /* names of tables are for ever */
    int rc = check_columns(s, after);
    if (rc == 0)
        rc = make_checks(s);
    if (rc == 0)
        rc = store_savepoint(s);
    if (rc)
        return rc;

    rc = s->driver->alter_table(s, before, after, from);
    struct store_detail detail = s->detail; /* what follows are statements too, and clear it */
    int ended = rc == 0 ? store_release(s) : store_rollback_to(s);
    if (ended == 0)
        ended = defer_checks(s);
    if (ended)
        return ended;
    s->detail = detail;
    return rc;
}

int store_table_exists(struct store *s, struct str name, bool *exists_out)
{
    return s->driver->table_exists(s, name, exists_out);
}

bool store_tables_shift(const struct store *s)
{
    return s->driver->dialect->tables_shift;
}

int store_last_key(struct store *s, const struct shape *shape, int64_t *key_out)
{
    assert(shape->columns[shape->key].auto_increment);
    return s->driver->last_key(s, shape, key_out);
}

int store_raise_last_key(struct store *s, const struct shape *shape, int64_t key)
{
    assert(s->open && s->access == STORE_SCHEMA);
    return s->driver->raise_last_key(s, shape, key);
}

int store_backup(struct store *s, struct str filename)
{
    assert(!s->open);
    return s->driver->backup(s, filename);
}

int store_check(struct store *s, void (*report)(void *context, struct str finding), void *context)
{
    return s->driver->check(s, report, context);
}

int store_checkpoint(struct store *s)
{
    return s->driver->checkpoint(s);
}
