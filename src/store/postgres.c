#include "store/postgres.h"

#include <errno.h>
#include <time.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/mem.h"

/*
 * The connection: making it and making it anew, transactions, and what is PostgreSQL's own in the
 * text of a statement.
 *
 * A reader's transaction is REPEATABLE READ: one snapshot. A writer's is READ COMMITTED: it begins
 * by taking the lock on the journal's state row, and what it reads after that has everything that
 * earlier holders of the lock have committed. So writers come one after the other, and no
 * serialization failure is left that they could cause each other.
 */

/* ---- the connection ---- */

/* After a try that failed, others fail at once for this long, or for as long as that try took, so
 * that a queue is answered soon. */
enum { RETRY_PAUSE_MS = 250 };
/* The backend of a process that died holds its lock until it notices. */
enum { LOCK_TRIES = 40, LOCK_PAUSE_MS = 50 };
enum { VERSION_MIN = 120000 };

static const char session_settings[] = "SET datestyle = 'ISO, YMD';"
                                       "SET timezone = 'UTC';"
                                       "SET extra_float_digits = 1;"
                                       "SET standard_conforming_strings = on;"
                                       "SET jit = off;"
                                       /* acknowledged is durable, whatever the server's default */
                                       "SELECT set_config('synchronous_commit', 'on', false)"
                                       " WHERE current_setting('synchronous_commit') = 'off'";
/* The tables need a schema. Folding in this collation is what base/text.h folds by. */
static const char probe[] = "SELECT current_schema() IS NOT NULL,"
                            " lower('\xc3\x84' COLLATE \"C.utf8\")";
static const char lock_statement[] = "SELECT pg_try_advisory_lock(1380929347,"
                                     " hashtext(current_schema()))";

static struct str first_line(const char *text)
{
    struct str rest = str_of(text), line = STR("");
    str_next(&rest, '\n', &line);
    return line;
}

static void disconnect(struct postgres *p)
{
    PQfinish(p->db);
    p->db = NULL;
    p->pending = 0;
    p->syncs = 0;
    postgres_forget_statements(p);
    postgres_forget_counters(p);
}

int postgres_lost(struct postgres *p)
{
    int rc =
        FAULT_BECAUSE(ECONNRESET, "PostgreSQL: %.*s", STR_ARG(first_line(PQerrorMessage(p->db))));
    p->store.trouble = p->committing ? STORE_UNCERTAIN : STORE_AWAY;
    disconnect(p);
    return rc;
}

/* While the connection is made: nothing began yet that could be uncertain. */
static int refuse_connection(struct postgres *p, struct str words)
{
    int rc = FAULT_BECAUSE(ENOTCONN, "PostgreSQL: %.*s", STR_ARG(words));
    p->store.trouble = STORE_AWAY;
    int64_t now_ms = clock_monotonic_ms(), took_ms = now_ms - p->tried_ms;
    p->retry_ms = now_ms + (took_ms > RETRY_PAUSE_MS ? took_ms : RETRY_PAUSE_MS);
    disconnect(p);
    return rc;
}

static void ignore_notice(void *context, const PGresult *notice)
{
    (void)context, (void)notice;
}

/* Before pipeline mode: one question, or several settings. 0, or the connection is refused. */
static int ask(struct postgres *p, const char *sql, bool *answer_out)
{
    PGresult *result = PQexec(p->db, sql);
    ExecStatusType status = PQresultStatus(result);
    bool done = status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
    if (done && answer_out)
        *answer_out = PQntuples(result) == 1 && PQgetvalue(result, 0, 0)[0] == 't';
    PQclear(result);
    return done ? 0 : refuse_connection(p, first_line(PQerrorMessage(p->db)));
}

static int check_server(struct postgres *p)
{
    const char *encoding = PQparameterStatus(p->db, "server_encoding");
    if (PQserverVersion(p->db) < VERSION_MIN)
        return refuse_connection(p, STR("the server is older than version 12"));
    if (!encoding || !str_equal(str_of(encoding), STR("UTF8")))
        return refuse_connection(p, STR("the database's encoding is not UTF8"));
    int rc = ask(p, session_settings, NULL);
    if (rc == 0 && p->access == STORE_READ)
        rc = ask(p, "SET default_transaction_read_only = on", NULL);
    bool schema = false;
    if (rc == 0)
        rc = ask(p, probe, &schema);
    if (rc == 0 && !schema)
        rc = refuse_connection(p, STR("the schema that is asked for is not there"));
    return rc;
}

/* Held by the connection, and so as long as it is there. */
static int take_lock(struct postgres *p)
{
    const struct timespec pause = {.tv_nsec = LOCK_PAUSE_MS * 1000 * 1000};
    if (p->access == STORE_READ || p->shared)
        return 0;
    for (int i = 0; i < LOCK_TRIES; i++) {
        bool taken = false;
        int rc = ask(p, lock_statement, &taken);
        if (rc || taken)
            return rc;
        nanosleep(&pause, NULL);
    }
    refuse_connection(p, STR("another process writes to this database"));
    return STORE_LOCKED;
}

/* A host with an @ or a port that is none are parts of a password that was not encoded. */
static bool is_misread(const PQconninfoOption *option)
{
    if (!option->val)
        return false;
    if (strcmp(option->keyword, "host") == 0)
        return option->val[0] && strchr(option->val + 1, '@');
    return strcmp(option->keyword, "port") == 0 &&
           option->val[strspn(option->val, "0123456789,")] != '\0';
}

/* libpq would repeat what it does not understand, and with it the password. */
static int check_connection_string(const char *text)
{
    PQconninfoOption *options = PQconninfoParse(text, NULL);
    bool good = options != NULL;
    for (size_t i = 0; options && options[i].keyword; i++)
        good &= !is_misread(&options[i]);
    PQconninfoFree(options);
    return good ? 0
                : FAULT_BECAUSE(EINVAL,
                                "PostgreSQL: the connection string cannot be read; in one that "
                                "begins with postgres:// a password's / is written %%2F, its @ "
                                "%%40");
}

static int connect_server(struct postgres *p)
{
    /* What stands before dbname gives way to what the connection string says. */
    const char *const names[] = {"fallback_application_name",
                                 "connect_timeout",
                                 "keepalives_idle",
                                 "keepalives_interval",
                                 "keepalives_count",
                                 "tcp_user_timeout",
                                 "dbname",
                                 "client_encoding",
                                 NULL};
    const char *const values[] = {"rowcast",      "5",    "10", "5", "3", "15000",
                                  p->conninfo.at, "UTF8", NULL};
    p->tried_ms = clock_monotonic_ms();
    if (p->tried_ms < p->retry_ms) {
        p->store.trouble = STORE_AWAY;
        return FAULT_BECAUSE(ENOTCONN, "PostgreSQL: away a moment ago");
    }
    p->db = PQconnectdbParams(names, values, 1);
    if (PQstatus(p->db) != CONNECTION_OK)
        return refuse_connection(p, first_line(PQerrorMessage(p->db)));
    PQsetNoticeReceiver(p->db, ignore_notice, NULL);
    int rc = check_server(p);
    if (rc == 0)
        rc = take_lock(p);
    if (rc == 0 && !PQenterPipelineMode(p->db))
        rc = refuse_connection(p, STR("no pipeline mode"));
    return rc;
}

static void postgres_close(struct store *base)
{
    struct postgres *p = postgres_of(base);
    disconnect(p);
    kept_deinit(&p->prepared);
    buf_deinit(&p->values);
    mem_free(p->moments);
    mem_free((char *)(uintptr_t)p->conninfo.at);
    store_deinit(base);
    mem_free(p);
}

static int postgres_open(const struct store_settings *settings, enum store_access access,
                         struct store **store_out)
{
    struct postgres *p = MEM_NEW(struct postgres);
    char *conninfo = mem_alloc(settings->connection.len + 1);
    if (settings->connection.len)
        memcpy(conninfo, settings->connection.at, settings->connection.len);
    store_init(&p->store, &postgres_driver);
    buf_init(&p->values, SIZE_MAX);
    p->conninfo = str_of(conninfo);
    p->access = access;
    p->shared = settings->shared;
    int rc = check_connection_string(conninfo);
    if (rc == 0)
        rc = connect_server(p);
    if (rc)
        postgres_close(&p->store);
    else
        *store_out = &p->store;
    return rc;
}

/* ---- transactions ---- */

static int postgres_begin(struct store *base, enum store_access access)
{
    static const char *const begins[] = {
        [STORE_READ] = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        [STORE_WRITE] = "BEGIN ISOLATION LEVEL READ COMMITTED",
        [STORE_HASTE] = "BEGIN ISOLATION LEVEL READ COMMITTED",
        [STORE_SCHEMA] = "BEGIN ISOLATION LEVEL READ COMMITTED",
    };
    struct postgres *p = postgres_of(base);
    int rc = p->db ? 0 : connect_server(p);
    if (rc > 0) { /* somebody else writes now */
        p->store.trouble = STORE_AWAY;
        rc = FAULT_BECAUSE(EBUSY, "PostgreSQL: another process writes to this database");
    }
    p->failed = false;
    /* Only one hasty transaction after the other, of a writer that is alone, knows all keys. */
    if (access != STORE_READ && (access != STORE_HASTE || p->shared))
        postgres_forget_counters(p);
    return rc ? rc : store_execute_unawaited(base, str_of(begins[access]));
}

/* Where a statement that nobody waited for has failed, it is not known what the server has prepared
 * since: all of it is dropped. */
static void postgres_rollback(struct store *base)
{
    struct postgres *p = postgres_of(base);
    struct store_detail detail = base->detail; /* undoing is a statement too, and would clear it */
    if (p->db)
        (void)postgres_take_pending(p);
    bool unsure = p->failed;
    p->failed = false;
    if (base->access != STORE_READ)
        postgres_forget_counters(p);
    if (unsure)
        postgres_forget_statements(p);
    if (p->db)
        (void)store_execute_unawaited(base, STR("ROLLBACK"));
    if (p->db && unsure) {
        (void)store_execute_unawaited(base, STR("DEALLOCATE ALL"));
        postgres_forget_statements(p);
    }
    if (p->db)
        (void)postgres_send_off(p);
    base->detail = detail;
}

static int postgres_commit(struct store *base)
{
    struct postgres *p = postgres_of(base);
    int rc = 0;
    if (base->access == STORE_SCHEMA)
        rc = postgres_make_references(p);
    if (base->access == STORE_HASTE)
        rc = postgres_keep_counters(p);
    if (rc == 0) {
        p->committing = p->db != NULL; /* a connection that is lost from here on may have done it */
        rc = store_execute(base, STR("COMMIT"));
        p->committing = false;
    }
    if (rc)
        postgres_rollback(base);
    return rc;
}

/* ---- what the server sees to by itself ---- */

static int postgres_check(struct store *base, void (*report)(void *context, struct str finding),
                          void *context)
{
    (void)base, (void)report, (void)context;
    return 0;
}

static int postgres_checkpoint(struct store *base)
{
    (void)base;
    return 0;
}

static int postgres_backup(struct store *base, struct str filename)
{
    (void)base, (void)filename;
    return FAULT_BECAUSE(ENOTSUP,
                         "a database of PostgreSQL is backed up by its own tools (pg_dump)");
}

/* ---- the dialect ---- */

static const char *declaration(const struct type *type)
{
    return type->postgres;
}

static const char *key_declaration(const struct column *c)
{
    if (!c->auto_increment)
        return NULL;
    return c->type == TYPE_BIG_INTEGER ? "bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY"
                                       : "integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY";
}

/* The canonical texts of base/clock.h. */
static const char *column_text(const struct column *c)
{
    switch (c->type) {
    case TYPE_DATE:
        return "to_char($c, 'YYYY-MM-DD')";
    case TYPE_TIME:
        return "to_char($c, 'HH24:MI:SS')";
    case TYPE_DATE_TIME:
        return "to_char($c, 'YYYY-MM-DD\"T\"HH24:MI:SS')";
    case TYPE_TIMESTAMP:
        return "to_char($c, 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')";
    default:
        return types[c->type].kind == VALUE_TEXT && c->type != TYPE_UUID && c->type != TYPE_JSON
                   ? "$c"
                   : "$c::text";
    }
}

/* The same for all but those that would be told otherwise than by SQLite. */
static const char *column_folded(const struct column *c)
{
    switch (c->type) {
    case TYPE_DATE:
    case TYPE_TIME:
    case TYPE_DATE_TIME:
    case TYPE_TIMESTAMP:
        return column_text(c);
    case TYPE_DECIMAL:
        return "trim_scale($c)::text";
    case TYPE_BOOLEAN:
        return "$c::int::text";
    default:
        return "lower($c::text COLLATE \"C.utf8\") COLLATE \"C\"";
    }
}

/* Rows come back as text of one collation: so a statement that is prepared outlives a change of a
 * column's type. */
static const char *column_in(const struct column *c, enum column_use use)
{
    switch (use) {
    case USE_TEXT:
        return column_text(c);
    case USE_OUTPUT:
        return "$c::text COLLATE \"C\"";
    case USE_ORDER:
        return c->type == TYPE_JSON ? "$c::text COLLATE \"C\"" : "$c";
    case USE_FOLDED:
        return column_folded(c);
    case USE_VALUE:
        break;
    }
    return "$c";
}

/* As form_text() has it. The zone is bound: a client may have named it. */
static void put_form(struct statement *st, const struct column *c, const struct form *form)
{
    static const struct column zone = {.name = {"zone", 4}, .type = TYPE_TEXT};
    bool zoned = form->clock && c->type != TYPE_DATE;
    buf_put_str(&st->sql, form->pattern ? STR("to_char(") : STR("round("));
    if (zoned) {
        buf_put_lit(&st->sql, "timezone(");
        statement_put_bind(st, &zone, value_text(form->zone));
        buf_put_char(&st->sql, ',');
    }
    if (zoned && c->type == TYPE_DATE_TIME)
        buf_put_lit(&st->sql, "timezone('UTC',");
    statement_put_column(st, c, USE_VALUE);
    if (zoned)
        buf_put_str(&st->sql, c->type == TYPE_DATE_TIME ? STR("))") : STR(")"));
    if (form->pattern)
        buf_printf(&st->sql, ",'%s')", form->pattern);
    else
        buf_printf(&st->sql, "::numeric,%u)::text", form->decimals);
}

static const char *parameter_type(const struct column *c, enum column_use use,
                                  const struct value *v)
{
    static const char *const names[TYPE_COUNT] = {
        [TYPE_STRING] = "::text",
        [TYPE_TEXT] = "::text",
        [TYPE_INTEGER] = "::int8", /* a filter may name what the column cannot hold */
        [TYPE_BIG_INTEGER] = "::int8",
        [TYPE_FLOAT] = "::float8",
        [TYPE_DECIMAL] = "::numeric",
        [TYPE_BOOLEAN] = "::bool",
        [TYPE_DATE] = "::date",
        [TYPE_TIME] = "::time",
        [TYPE_DATE_TIME] = "::timestamp",
        [TYPE_TIMESTAMP] = "::timestamptz",
        [TYPE_UUID] = "::uuid",
        [TYPE_JSON] = "::json",
        [TYPE_CSV] = "::text",
        [TYPE_HASH] = "::text",
    };
    if (!c)
        return "::int8";
    if (use == USE_TEXT)
        return "::text";
    bool fraction = types[c->type].kind == VALUE_INTEGER && v->kind == VALUE_REAL;
    return fraction ? "::numeric" : names[c->type];
}

const struct sql_dialect postgres_dialect = {
    .tests =
        {
            [OP_EQ] = "$c = $1",
            [OP_LT] = "$c < $1",
            [OP_LTE] = "$c <= $1",
            [OP_GT] = "$c > $1",
            [OP_GTE] = "$c >= $1",
            [OP_IN] = "$c = $*",
            [OP_BETWEEN] = "$c BETWEEN $1 AND $2",
            [OP_NULL] = "$c IS NULL",
            [OP_NNULL] = "$c IS NOT NULL",
            [OP_EMPTY] = "coalesce($c, '') = ''",
            [OP_CONTAINS] = "strpos($c, $1) > 0",
            [OP_ICONTAINS] = "strpos(lower($c COLLATE \"C.utf8\"), $1) > 0",
            [OP_STARTS_WITH] = "starts_with($c, $1)",
            [OP_ISTARTS_WITH] = "starts_with(lower($c COLLATE \"C.utf8\"), $1)",
            [OP_ENDS_WITH] = "right($c, length($1)) = $1",
            [OP_IENDS_WITH] = "right(lower($c COLLATE \"C.utf8\"), length($1)) = $1",
            /* All signs of the word stand for themselves. */
            [OP_HAS_WORD] = "lower($c COLLATE \"C.utf8\") ~ ('(?<!\\w)' || regexp_replace($1, "
                            "'([!-/:-@\\[-^`{-~])', '\\\\\\1', 'g') || '(?!\\w)')",
            [OP_SHORTER] = "length($c) < $1::int8",
        },
    .long_list = "$c = ANY($*[])",
    .list_max = 1, /* of more than one: one text for any length, planned for the one that it has */
    .plans_lists = true,
    .joins_existing = true,
    .limit_all = "ALL",
    .ascending = " NULLS FIRST",
    .descending = " DESC NULLS LAST",
    .rank = "array_position($*[], $c)",
    .join_texts = "string_agg(rowcast_text, ', ') COLLATE \"C\"",
    .column = column_in,
    .put_form = put_form,
    .parameter_type = parameter_type,
    .lock = " FOR UPDATE",
    .declaration = declaration,
    .key_declaration = key_declaration,
    .parameter = '$',
    .later_references = true,
    .defer_checks = "SET CONSTRAINTS ALL DEFERRED",
    .make_checks = "SET CONSTRAINTS ALL IMMEDIATE",
    .tables_shift = true,
};

const struct store_driver postgres_driver = {
    .dialect = &postgres_dialect,
    .open = postgres_open,
    .close = postgres_close,
    .begin = postgres_begin,
    .commit = postgres_commit,
    .rollback = postgres_rollback,
    .run = postgres_run,
    .table_exists = postgres_table_exists,
    .drop_table = postgres_drop_table,
    .add_reference = postgres_add_reference,
    .next_key = postgres_next_key,
    .last_key = postgres_last_key,
    .raise_last_key = postgres_raise_last_key,
    .alter_table = postgres_alter_table,
    .backup = postgres_backup,
    .check = postgres_check,
    .checkpoint = postgres_checkpoint,
};
