#include <errno.h>
#include <inttypes.h>
#include <math.h>

#include "base/fault.h"
#include "base/mem.h"
#include "store/postgres.h"

/* ---- errors ---- */

static const struct {
    const char *state; /* SQLSTATE, or how it begins */
    int outcome;
} outcomes[] = {
    {"23505", STORE_NOT_UNIQUE},  {"23502", STORE_NULL},   {"23503", STORE_FOREIGN_KEY},
    {"23001", STORE_FOREIGN_KEY}, {"23514", STORE_RANGE},  {"22", STORE_RANGE},
    {"54000", STORE_TOO_LONG},    {"42P07", STORE_EXISTS}, {"42701", STORE_EXISTS},
};

/* The transaction met another. */
static const char *const conflicts[] = {"40001", "40P01"};
/* Tables that changed under a snapshot: the definition in force is not the snapshot's. */
static const char *const changed_tables[] = {"42P01", "42703", "42804", "42883", "0A000", "XX000"};
/* A table, a column or its uniqueness that a reference needs; types that do not compare. */
static const char *const no_referents[] = {"42P01", "42703", "42830", "42804"};
/* The server is going away, or cannot be written to any more. */
static const char *const departures[] = {"57P01", "57P02", "57P03", "57P05",
                                         "25P03", "25006", "08"};

static bool is_one_of(struct str state, const char *const *states, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (str_starts_with(state, str_of(states[i])))
            return true;
    return false;
}

static const char *diagnostic(const PGresult *result, int field)
{
    const char *text = PQresultErrorField(result, field);
    return text ? text : "";
}

/* A constraint bears the name of its column's index; the key's has another. */
static struct str constrained_column(const struct shape *shape, struct str constraint)
{
    struct buf name;
    struct str found = shape->columns[shape->key].name;
    buf_init(&name, SIZE_MAX);
    for (size_t i = 0; i < shape->count; i++) {
        index_name(shape, &shape->columns[i], &name);
        if (str_equal(buf_str(&name), constraint))
            found = shape->columns[i].name;
    }
    buf_deinit(&name);
    return found;
}

static void keep_detail(struct postgres *p, const struct shape *shape, int outcome,
                        const PGresult *result)
{
    struct str table = str_of(diagnostic(result, PG_DIAG_TABLE_NAME));
    struct str column = str_of(diagnostic(result, PG_DIAG_COLUMN_NAME));
    if (outcome == STORE_NOT_UNIQUE && shape && str_equal(table, shape->name))
        column = constrained_column(shape, str_of(diagnostic(result, PG_DIAG_CONSTRAINT_NAME)));
    if (table.len == 0 || outcome == STORE_FOREIGN_KEY) /* as SQLite, which does not know */
        return;
    store_set_detail(&p->store, table, column.len ? column : STR_NULL);
}

int postgres_error(struct postgres *p, const struct shape *shape, const PGresult *result)
{
    struct str state = str_of(diagnostic(result, PG_DIAG_SQLSTATE));
    if (PQstatus(p->db) == CONNECTION_BAD || state.len == 0 ||
        is_one_of(state, departures, COUNT_OF(departures)))
        return postgres_lost(p);
    for (size_t i = 0; i < COUNT_OF(outcomes); i++) {
        if (!str_starts_with(state, str_of(outcomes[i].state)))
            continue;
        keep_detail(p, shape, outcomes[i].outcome, result);
        return outcomes[i].outcome;
    }
    if (p->referring && is_one_of(state, no_referents, COUNT_OF(no_referents)))
        return STORE_FOREIGN_KEY;
    bool changed =
        p->store.access == STORE_READ && is_one_of(state, changed_tables, COUNT_OF(changed_tables));
    if (changed || is_one_of(state, conflicts, COUNT_OF(conflicts)))
        p->store.trouble = STORE_CONFLICT;
    return FAULT_BECAUSE(EIO, "PostgreSQL (%.*s): %s", STR_ARG(state),
                         diagnostic(result, PG_DIAG_MESSAGE_PRIMARY));
}

/* ---- prepared statements ---- */

static struct postgres_prepared *prepared_of(struct kept *k)
{
    return (struct postgres_prepared *)(void *)k;
}

static void forget(struct postgres *p, struct kept *k)
{
    kept_remove(&p->prepared, k);
    mem_free(k);
}

void postgres_forget_statements(struct postgres *p)
{
    while (p->prepared.oldest)
        forget(p, p->prepared.oldest);
}

enum { NAME_SIZE = 24 };
static void statement_name(uint64_t number, char *name_out)
{
    snprintf(name_out, NAME_SIZE, "s%" PRIu64, number);
}

static struct postgres_prepared *remember(struct postgres *p, struct str sql)
{
    struct postgres_prepared *c = mem_alloc(sizeof(*c) + sql.len + 1);
    char *text = (char *)(c + 1);
    memcpy(text, sql.at, sql.len);
    c->kept.sql = (struct str){text, sql.len};
    c->number = ++p->statements;
    kept_add(&p->prepared, &c->kept);
    return c;
}

/* ---- parameters ---- */

struct parameters {
    const char **values;
    int *lengths, *formats;
    size_t *offsets; /* in the buffer of texts; SIZE_MAX: the value is elsewhere */
};

static void put_number(struct buf *b, const struct column *c, const struct value *v)
{
    if (v->kind == VALUE_INTEGER && c && c->type == TYPE_BOOLEAN)
        buf_put_char(b, v->integer ? 't' : 'f');
    else if (v->kind == VALUE_INTEGER)
        buf_put_int(b, v->integer);
    else if (c->type == TYPE_DECIMAL) /* fifteen digits name it (type.c) */
        buf_printf(b, "%.15g", v->real);
    else if (fabs(v->real) < 0x1p53)
        buf_printf(b, "%.17g", v->real);
    else if (types[c->type].kind == VALUE_INTEGER)
        buf_printf(b, "%.0f", v->real); /* exactly */
    else
        buf_printf(b, "%.17g", v->real);
}

static void put_element(struct buf *b, const struct column *c, const struct value *v)
{
    if (value_is_null(v)) {
        buf_put_lit(b, "NULL");
        return;
    }
    if (v->kind != VALUE_TEXT) {
        put_number(b, c, v);
        return;
    }
    buf_put_char(b, '"');
    for (size_t i = 0; i < v->text.len; i++) {
        if (v->text.at[i] == '"' || v->text.at[i] == '\\')
            buf_put_char(b, '\\');
        buf_put_char(b, v->text.at[i]);
    }
    buf_put_char(b, '"');
}

static void put_list(struct buf *b, const struct bind *bind)
{
    buf_put_char(b, '{');
    for (size_t i = 0; i < bind->list_count; i++) {
        if (i > 0)
            buf_put_char(b, ',');
        put_element(b, bind->column, &bind->list[i].value);
    }
    buf_put_char(b, '}');
}

/* Types whose binary form is their text: it is sent from where it lies. */
static bool is_plain_text(const struct bind *bind)
{
    if (bind->use == USE_TEXT)
        return true;
    switch (bind->column->type) {
    case TYPE_STRING:
    case TYPE_TEXT:
    case TYPE_CSV:
    case TYPE_HASH:
    case TYPE_JSON:
        return true;
    default:
        return false;
    }
}

static void put_parameter(struct postgres *p, const struct bind *bind, struct parameters *to,
                          size_t i)
{
    const struct value *v = &bind->value;
    to->offsets[i] = SIZE_MAX;
    if (!bind->list && value_is_null(v))
        return;
    if (!bind->list && v->kind == VALUE_TEXT && is_plain_text(bind)) {
        to->values[i] = v->text.at ? v->text.at : "";
        to->lengths[i] = (int)v->text.len;
        to->formats[i] = 1;
        return;
    }
    to->offsets[i] = p->values.len;
    if (bind->list)
        put_list(&p->values, bind);
    else if (v->kind == VALUE_TEXT)
        buf_put_str(&p->values, v->text);
    else
        put_number(&p->values, bind->column, v);
    buf_put_char(&p->values, '\0');
}

static void put_parameters(struct postgres *p, const struct statement *st, struct arena *arena,
                           struct parameters *to)
{
    size_t count = st->bind_count;
    to->values = ARENA_ARRAY(arena, const char *, count + 1);
    to->lengths = ARENA_ARRAY(arena, int, count + 1);
    to->formats = ARENA_ARRAY(arena, int, count + 1);
    to->offsets = ARENA_ARRAY(arena, size_t, count + 1);
    buf_clear(&p->values);
    for (size_t i = 0; i < count; i++)
        put_parameter(p, &st->binds[i], to, i);
    for (size_t i = 0; i < count; i++) /* the buffer stays where it is from here on */
        if (to->offsets[i] != SIZE_MAX)
            to->values[i] = p->values.at + to->offsets[i];
}

/* ---- sending ---- */

static int sent(struct postgres *p, int done)
{
    if (!done)
        return PQstatus(p->db) == CONNECTION_BAD
                   ? postgres_lost(p)
                   : FAULT_BECAUSE(E2BIG, "libpq: %s", PQerrorMessage(p->db));
    p->pending++;
    p->unsynced = true;
    return 0;
}

/* Room for one more prepared statement. Not for one that tells no table: it may be the ROLLBACK of
 * a transaction that has failed, in which nothing else is done; there are but a few of those. */
static int evict(struct postgres *p, const struct statement *st)
{
    char sql[NAME_SIZE + 16], name[NAME_SIZE];
    if (p->prepared.by_text.count < POSTGRES_STATEMENTS_MAX || !st->shape)
        return 0;
    statement_name(prepared_of(p->prepared.oldest)->number, name);
    snprintf(sql, sizeof(sql), "DEALLOCATE %s", name);
    forget(p, p->prepared.oldest);
    return sent(p, PQsendQueryParams(p->db, sql, 0, NULL, NULL, NULL, NULL, 0));
}

/* *prepared_out: the statement that was prepared just now; its result comes first. */
static int send_prepared(struct postgres *p, const struct statement *st,
                         const struct parameters *with, struct postgres_prepared **prepared_out)
{
    char name[NAME_SIZE];
    struct kept *kept = kept_find(&p->prepared, buf_str(&st->sql));
    if (kept) {
        statement_name(prepared_of(kept)->number, name);
    } else {
        int rc = evict(p, st);
        if (rc)
            return rc;
        struct postgres_prepared *c = remember(p, buf_str(&st->sql));
        statement_name(c->number, name);
        rc = sent(p, PQsendPrepare(p->db, name, c->kept.sql.at, 0, NULL));
        if (rc)
            return rc;
        *prepared_out = c;
    }
    return sent(p, PQsendQueryPrepared(p->db, name, (int)st->bind_count, with->values,
                                       with->lengths, with->formats, 0));
}

static int send_statement(struct postgres *p, struct statement *st,
                          struct postgres_prepared **prepared_out)
{
    struct parameters with;
    struct arena *arena = arena_new();
    int rc;
    put_parameters(p, st, arena, &with);
    if (st->once) {
        buf_put_char(&st->sql, '\0');
        rc = sent(p, PQsendQueryParams(p->db, st->sql.at, (int)st->bind_count, NULL, with.values,
                                       with.lengths, with.formats, 0));
    } else {
        rc = send_prepared(p, st, &with, prepared_out);
    }
    arena_free(arena);
    return rc;
}

int postgres_send_off(struct postgres *p)
{
    if (p->unsynced) {
        if (!PQpipelineSync(p->db))
            return postgres_lost(p);
        p->syncs++;
        p->unsynced = false;
    }
    return PQflush(p->db) < 0 ? postgres_lost(p) : 0;
}

/* ---- receiving ---- */

/* The next result that is not the end of a stretch; NULL: the connection is lost. */
static PGresult *next_result(struct postgres *p)
{
    PGresult *result;
    while ((result = PQgetResult(p->db)) && PQresultStatus(result) == PGRES_PIPELINE_SYNC) {
        p->syncs--;
        PQclear(result);
    }
    return result;
}

static bool is_failure(const PGresult *result)
{
    switch (PQresultStatus(result)) {
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
    case PGRES_SINGLE_TUPLE:
        return false;
    default:
        return true;
    }
}

/* The rest of a command's results. */
static void finish_command(struct postgres *p)
{
    for (PGresult *rest; (rest = PQgetResult(p->db));)
        PQclear(rest);
    p->pending--;
}

/* One command's result where no rows matter. */
static int take_plain(struct postgres *p, const struct shape *shape)
{
    PGresult *result = next_result(p);
    int rc = 0;
    if (!result)
        return postgres_lost(p);
    if (PQresultStatus(result) == PGRES_PIPELINE_ABORTED)
        rc = -EIO; /* not a fault of its own: one before it was raised, and is what is told */
    else if (is_failure(result))
        rc = postgres_error(p, shape, result);
    PQclear(result);
    if (p->db)
        finish_command(p);
    return rc;
}

/* Commands sent before the latest `own`. An outcome here is a fault, since nobody is there to be
 * told; in haste, of a row that another try will tell of. */
static int take_earlier(struct postgres *p, size_t own)
{
    int failed = 0;
    while (p->db && p->pending > own) {
        int rc = take_plain(p, NULL);
        if (rc > 0 && p->store.access == STORE_HASTE)
            p->store.trouble = STORE_CONFLICT;
        if (rc > 0)
            rc = FAULT_BECAUSE(EIO, "a row that was not waited for was refused (%d)", rc);
        if (rc && !failed)
            failed = rc;
    }
    p->failed |= failed != 0;
    return failed;
}

static int take_syncs(struct postgres *p)
{
    while (p->db && p->syncs > 0) {
        PGresult *result = PQgetResult(p->db);
        if (!result)
            return postgres_lost(p);
        p->syncs -= PQresultStatus(result) == PGRES_PIPELINE_SYNC;
        PQclear(result);
    }
    return 0;
}

int postgres_take_pending(struct postgres *p)
{
    int rc = postgres_send_off(p);
    if (rc == 0)
        rc = take_earlier(p, 0);
    int lost = p->db ? take_syncs(p) : 0;
    return rc ? rc : lost;
}

/* ---- rows ---- */

static int (*const moment_readers[TYPE_COUNT])(struct str s, char *text_out) = {
    [TYPE_DATE] = clock_read_date,
    [TYPE_TIME] = clock_read_time,
    [TYPE_DATE_TIME] = clock_read_date_time,
    [TYPE_TIMESTAMP] = clock_read_timestamp,
};

/* What another program put there and no client could have is null. */
static struct value read_cell(const struct column *c, struct str text, char *moment)
{
    int64_t integer;
    double real;
    switch (types[c->type].kind) {
    case VALUE_INTEGER:
        if (c->type == TYPE_BOOLEAN)
            return value_integer(text.len > 0 && text.at[0] == 't');
        return str_to_int64(text, &integer) == 0 ? value_integer(integer) : value_null();
    case VALUE_REAL:
        return str_to_double(text, &real) == 0 ? value_real(real) : value_null();
    default:
        break;
    }
    if (!moment_readers[c->type])
        return value_text(text);
    return moment_readers[c->type](text, moment) == 0 ? value_text(str_of(moment)) : value_null();
}

static void read_row(struct postgres *p, struct statement *st, const PGresult *result, int at)
{
    for (size_t i = 0; i < st->output_count; i++) {
        const struct column *c = st->outputs ? st->outputs[i].column : &st->shape->columns[i];
        int column = (int)i;
        if (PQgetisnull(result, at, column))
            st->row[i] = value_null();
        else
            st->row[i] = read_cell(c,
                                   (struct str){PQgetvalue(result, at, column),
                                                (size_t)PQgetlength(result, at, column)},
                                   p->moments[i]);
    }
}

static int tell_rows(struct postgres *p, struct statement *st, const PGresult *result,
                     store_row_fn *row, void *context)
{
    int refused = 0;
    for (int i = 0; i < PQntuples(result) && !refused; i++) {
        read_row(p, st, result, i);
        refused = row(context, st->row);
    }
    return refused;
}

static void make_room_for_moments(struct postgres *p, const struct statement *st)
{
    if (st->output_count <= p->moment_capacity)
        return;
    p->moment_capacity = st->output_count;
    p->moments = mem_resize(p->moments, sizeof(*p->moments) * p->moment_capacity);
}

/* COMMIT of a transaction that failed is done as a ROLLBACK, and not called an error. */
static int check_committed(const struct postgres *p, const PGresult *result)
{
    if (!p->committing ||
        str_equal(str_of(PQcmdStatus((PGresult *)(uintptr_t)result)), STR("COMMIT")))
        return 0;
    return FAULT_BECAUSE(EIO, "PostgreSQL has rolled the transaction back");
}

/* The results of the statement itself. *refused_out: what the row function refused with. */
static int take_rows(struct postgres *p, struct statement *st, store_row_fn *row, void *context,
                     int *refused_out)
{
    int rc = 0, refused = 0;
    PGresult *result = next_result(p);
    if (!result)
        return postgres_lost(p);
    while (result) {
        if (is_failure(result))
            rc = rc ? rc : postgres_error(p, st->shape, result);
        else if (PQresultStatus(result) == PGRES_COMMAND_OK)
            rc = rc ? rc : check_committed(p, result);
        else if (row && !refused)
            refused = tell_rows(p, st, result, row, context);
        PQclear(result);
        result = p->db ? PQgetResult(p->db) : NULL;
    }
    if (p->db)
        p->pending--;
    *refused_out = refused;
    return rc;
}

/* What was sent before comes first; `prepared`: then the statement's own preparation. */
static int receive(struct postgres *p, struct statement *st, struct postgres_prepared *prepared,
                   store_row_fn *row, void *context)
{
    int refused = 0;
    int rc = take_earlier(p, prepared ? 2 : 1);
    if (rc == 0 && prepared) {
        rc = take_plain(p, st->shape);
        if (rc && p->db)
            forget(p, &prepared->kept);
    }
    if (rc == 0) {
        if (st->unbounded)
            PQsetSingleRowMode(p->db);
        rc = take_rows(p, st, row, context, &refused);
    }
    while (p->db && p->pending > 0) /* what was not done because of that */
        (void)take_plain(p, NULL);
    int lost = p->db ? take_syncs(p) : 0;
    if (rc || lost)
        return rc ? rc : lost;
    return refused;
}

/* So many results may wait before they are looked at. */
enum { PENDING_MAX = 256 };

int postgres_run(struct store *base, struct statement *st, store_row_fn *row, void *context)
{
    struct postgres *p = postgres_of(base);
    struct postgres_prepared *prepared = NULL;
    if (!p->db) {
        p->store.trouble = p->store.trouble ? p->store.trouble : STORE_AWAY;
        return FAULT_BECAUSE(ENOTCONN, "PostgreSQL: the connection was lost before");
    }
    if (p->failed)
        return FAULT_BECAUSE(EIO, "PostgreSQL: the transaction has failed before");
    int rc = send_statement(p, st, &prepared);
    if (rc)
        return rc;
    if (st->unawaited)
        return p->pending < PENDING_MAX ? 0 : postgres_take_pending(p);
    rc = postgres_send_off(p);
    if (rc)
        return rc;
    make_room_for_moments(p, st);
    return receive(p, st, prepared, row, context);
}
