#include "server/settings.h"

#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/map.h"

enum kind { TEXT, CHOICE, BOOLEAN, INTEGER, DURATION, SIZE };

/* A moment so far from now still has a text. */
#define CENTURY_MS INT64_C(3155760000000)
#define CENTURY_HOURS INT64_C(876600)

/* The one table of settings. */
static const struct setting {
    const char *name, *fallback;
    enum kind kind;
    size_t offset;
    int64_t min, max;    /* INTEGER, DURATION (ms), SIZE (bytes); TEXT: bytes, no maximum */
    const char *choices; /* CHOICE: comma text */
    const char *help;
} table[] = {
#define AT(member) offsetof(struct settings, member)
    {"HOST", "127.0.0.1", TEXT, AT(host), 1, 0, NULL, "address to listen on"},
    {"PORT", "8055", INTEGER, AT(port), 0, 65535, NULL, "port to listen on; 0 chooses a free one"},
    {"DB_CLIENT", "sqlite3", CHOICE, AT(db_client), 0, 0, "sqlite3,pg,postgres", "store"},
    {"DB_FILENAME", "rowcast.sqlite", TEXT, AT(db_filename), 1, 0, NULL, "SQLite: database file"},
    {"DB_CONNECTION_STRING", NULL, TEXT, AT(db_connection_string), 0, 0, NULL,
     "PostgreSQL: postgres://..., in place of the settings that follow"},
    {"DB_HOST", NULL, TEXT, AT(db_host), 0, 0, NULL,
     "PostgreSQL: host, or folder of the socket; absent: this machine's socket"},
    {"DB_PORT", "5432", INTEGER, AT(db_port), 1, 65535, NULL, "PostgreSQL: port"},
    {"DB_DATABASE", NULL, TEXT, AT(db_database), 0, 0, NULL, "PostgreSQL: database"},
    {"DB_USER", NULL, TEXT, AT(db_user), 0, 0, NULL, "PostgreSQL: user"},
    {"DB_PASSWORD", NULL, TEXT, AT(db_password), 0, 0, NULL, "PostgreSQL: password"},
    {"DB_SSL", "false", BOOLEAN, AT(db_ssl), 0, 0, NULL,
     "PostgreSQL: TLS, the server's certificate and name are verified"},
    {"DB_SSL__CA_FILE", NULL, TEXT, AT(db_ssl_ca_file), 0, 0, NULL,
     "PostgreSQL: TLS, verified by the certificates in this file and not by the system's"},
    {"DB_SSL__REJECT_UNAUTHORIZED", "true", BOOLEAN, AT(db_ssl_reject_unauthorized), 0, 0, NULL,
     "PostgreSQL: false is TLS with whoever answers"},
    {"SECRET", NULL, TEXT, AT(secret), 0, 0, NULL,
     "key of access tokens; SQLite: made and kept beside the database if absent"},
    {"ADMIN_EMAIL", NULL, TEXT, AT(admin_email), 0, 0, NULL, "first admin, made at first start"},
    {"ADMIN_PASSWORD", NULL, TEXT, AT(admin_password), 0, 0, NULL, "its password"},
    {"ADMIN_TOKEN", NULL, TEXT, AT(admin_token), 0, 0, NULL, "its static token"},
    {"CORS_ENABLED", "false", BOOLEAN, AT(cors_enabled), 0, 0, NULL,
     "answer cross-origin requests"},
    {"CORS_ORIGIN", "false", TEXT, AT(cors_origin), 0, 0, NULL,
     "true (any), * or a comma list of origins"},
    {"ACCESS_TOKEN_TTL", "15m", DURATION, AT(access_token_ttl), 1000, CENTURY_MS, NULL,
     "life of an access token"},
    {"REFRESH_TOKEN_TTL", "7d", DURATION, AT(refresh_token_ttl), 1000, CENTURY_MS, NULL,
     "life of a refresh token"},
    {"LOGIN_STALL_TIME", "500", DURATION, AT(login_stall_time), 0, 60000, NULL,
     "a log-in takes at least this long"},
    {"QUERY_LIMIT_DEFAULT", "100", INTEGER, AT(query_limit_default), 1, INT64_MAX, NULL,
     "rows of a list when no limit is asked for"},
    {"QUERY_LIMIT_MAX", "-1", INTEGER, AT(query_limit_max), -1, INT64_MAX, NULL,
     "rows of a list at most; -1: no limit"},
    {"MAX_BATCH_MUTATION", "-1", INTEGER, AT(batch_mutation_max), -1, INT64_MAX, NULL,
     "items that one request may change; -1: no limit"},
    {"MAX_PAYLOAD_SIZE", "1mb", SIZE, AT(payload_size_max), 1024, 1 << 30, NULL,
     "body of a request and message of a socket"},
    {"MAX_RESPONSE_SIZE", "64mb", SIZE, AT(response_size_max), 65536, INT64_C(1) << 32, NULL,
     "one answer"},
    {"HTTP_HEAD_SIZE", "32kb", SIZE, AT(head_size_max), 1024, 1 << 20, NULL,
     "request line and headers; past it 431"},
    {"HTTP_TARGET_SIZE", "16kb", SIZE, AT(target_size_max), 256, 1 << 20, NULL,
     "path and query; past it 414"},
    {"HTTP_HEADERS", "100", INTEGER, AT(header_count_max), 8, 10000, NULL,
     "headers of a request; past it 431"},
    {"HTTP_HEAD_TIME", "30s", DURATION, AT(head_time), 100, 3600000, NULL,
     "a request arrives whole within this time; else 408"},
    {"REQUESTS_IN_FLIGHT", "256", INTEGER, AT(requests_in_flight_max), 1, 65536, NULL,
     "unanswered requests of one connection; past it no more is read from it"},
    {"QUEUE_SIZE", "65536", INTEGER, AT(queue_max), 1, 10000000, NULL,
     "requests waiting for the writer, and for the readers; past it 503"},
    {"PREPARER_QUEUE_SIZE", "256", INTEGER, AT(preparer_queue_max), 1, 100000, NULL,
     "log-ins and other password work waiting; past it 503"},
    {"WRITER_BATCH", "1024", INTEGER, AT(batch_max), 1, 65536, NULL,
     "writes that may share one commit"},
    {"FILTER_DEPTH", "32", INTEGER, AT(filter_depth_max), 1, 100, NULL, "nesting of a filter"},
    {"LOGIN_ATTEMPTS", "25", INTEGER, AT(login_attempts_max), 1, 1000000, NULL,
     "wrong passwords in a row that suspend a user"},
    {"MAX_CONNECTIONS", "16384", INTEGER, AT(connections_max), 1, 1000000, NULL,
     "connections at a time; more are answered 503"},
    {"HTTP_IDLE_TIME", "75s", DURATION, AT(http_idle_time), 1000, 86400000, NULL,
     "a kept-alive connection without a request is closed"},
    {"HASH_MEMORY_COST", "65536", INTEGER, AT(hash_memory_cost), 1024, 1048576, NULL,
     "argon2id memory, KiB"},
    {"HASH_TIME_COST", "3", INTEGER, AT(hash_time_cost), 1, 64, NULL, "argon2id passes"},
    {"READERS", "2", INTEGER, AT(readers), 1, 64, NULL, "threads that read"},
    {"JOURNAL_RETENTION", "24h", DURATION, AT(journal_retention), 1000, CENTURY_MS, NULL,
     "older entries of the journal may go"},
    {"SHUTDOWN_TIMEOUT", "10s", DURATION, AT(shutdown_timeout), 0, 600000, NULL,
     "how long a shutdown waits for clients"},
    {"LOG_LEVEL", "info", CHOICE, AT(log_level), 0, 0, "fatal,error,warn,info,debug,trace,silent",
     "what is logged"},
    {"LOG_STYLE", "pretty", CHOICE, AT(log_style), 0, 0, "pretty,raw", "text or JSON lines"},
    {"WEBSOCKET_ENABLED", "true", BOOLEAN, AT(websocket_enabled), 0, 0, NULL, "serve WebSockets"},
    {"WEBSOCKET_PUBLIC", "false", BOOLEAN, AT(websocket_public), 0, 0, NULL,
     "accept sockets without credentials, as the public"},
    {"WEBSOCKET_PATH", "/websocket", TEXT, AT(websocket_path), 0, 0, NULL, "path of the socket"},
    {"WEBSOCKET_PING_PERIOD", "30s", DURATION, AT(websocket_ping_period), 0, 86400000, NULL,
     "protocol pings after this long without input; 0: never"},
    {"WEBSOCKET_OUTBOX_SIZE", "4mb", SIZE, AT(outbox_size_max), 65536, 1 << 30, NULL,
     "output waiting for one socket; past it the socket is closed with 1013"},
    {"WEBSOCKET_SUBSCRIPTIONS", "1000", INTEGER, AT(subscriptions_max), 1, 1000000, NULL,
     "subscriptions of one socket, and as many of Baserow's pages"},
    {"BASEROW_JWT_SIGNING_KEY", NULL, TEXT, AT(baserow_signing_key), 1, 0, NULL,
     "key of Baserow's tokens; SECRET if absent"},
    {"BASEROW_ACCESS_TOKEN_LIFETIME_MINUTES", "10", INTEGER, AT(baserow_access_token_minutes), 1,
     60 * CENTURY_HOURS, NULL, "life of Baserow's access token"},
    {"BASEROW_REFRESH_TOKEN_LIFETIME_HOURS", "168", INTEGER, AT(baserow_refresh_token_hours), 1,
     CENTURY_HOURS, NULL, "life of Baserow's refresh token"},
    {"BASEROW_LEGACY_GROUP_KEYS", "false", BOOLEAN, AT(baserow_legacy_group_keys), 0, 0, NULL,
     "Baserow: say \"group\" beside \"workspace\", as releases before 1.27 did"},
    {"BASEROW_DOCUMENTED_MESSAGES", "true", BOOLEAN, AT(baserow_documented_messages), 0, 0, NULL,
     "Baserow: also send what is documented and no release sends"},
    {"BASEROW_MAX_PENDING_WORKSPACE_INVITES", "0", INTEGER, AT(baserow_pending_invitations_max), 0,
     1000000, NULL, "Baserow: invitations of one workspace that wait; 0: any number"},
    {"BASEROW_ROW_PAGE_SIZE_LIMIT", "200", INTEGER, AT(baserow_page_rows_max), 1, 10000, NULL,
     "Baserow: rows in one page of a list"},
    {"BATCH_ROWS_SIZE_LIMIT", "200", INTEGER, AT(baserow_batch_rows_max), 1, 10000, NULL,
     "Baserow: rows that one request makes, changes or deletes"},
    {"INITIAL_TABLE_DATA_LIMIT", "0", INTEGER, AT(baserow_table_rows_max), 0, INT32_MAX, NULL,
     "Baserow: rows that a table is made with, or that are imported; 0: any number"},
    {"HOURS_UNTIL_TRASH_PERMANENTLY_DELETED", "72", INTEGER, AT(baserow_trash_hours), 0,
     CENTURY_HOURS, NULL, "Baserow: what was deleted can be restored for so long"},
    {"BASEROW_ROW_HISTORY_RETENTION_DAYS", "180", INTEGER, AT(baserow_history_days), 0,
     CENTURY_HOURS / 24, NULL, "Baserow: life of rows' history; 0: none is kept"},
    {"BASEROW_REALTIME_REPLAY_MAX_EVENTS", "200", INTEGER, AT(baserow_replay_events_max), 0,
     1000000, NULL, "Baserow: messages that a client may have missed; 0: no replay"},
    {"BASEROW_REALTIME_REPLAY_RETENTION_HOURS", "24", INTEGER, AT(baserow_replay_hours), 1,
     CENTURY_HOURS, NULL, "Baserow: older messages are not replayed"},
    {"BASEROW_REALTIME_REPLAY_MEMORY", "64mb", SIZE, AT(baserow_replay_bytes_max), 65536,
     INT64_C(1) << 40, NULL, "Baserow: messages in memory, for clients that may come back"},
    {"BASEROW_REALTIME_REPLAY_ABSENCE", "15m", DURATION, AT(baserow_replay_absence), 1000,
     CENTURY_MS, NULL, "Baserow: messages of a page that nobody looks at are kept for so long"},
    {"DISABLE_ANONYMOUS_PUBLIC_VIEW_WS_CONNECTIONS", "false", BOOLEAN,
     AT(baserow_anonymous_refused), 0, 0, NULL,
     "Baserow: no sockets without an account, and none for public views"},
    {"EMAIL_SMTP", "false", BOOLEAN, AT(email_smtp), 0, 0, NULL,
     "send mail by SMTP: new passwords, verification of e-mails, invitations"},
    {"EMAIL_SMTP_HOST", "localhost", TEXT, AT(email_smtp_host), 1, 0, NULL, "mail server"},
    {"EMAIL_SMTP_PORT", "25", INTEGER, AT(email_smtp_port), 1, 65535, NULL, "its port"},
    {"EMAIL_SMTP_USER", NULL, TEXT, AT(email_smtp_user), 0, 0, NULL, "whom to log in as there"},
    {"EMAIL_SMTP_PASSWORD", NULL, TEXT, AT(email_smtp_password), 0, 0, NULL, "the password"},
    {"EMAIL_SMTP_USE_TLS", "false", BOOLEAN, AT(email_smtp_use_tls), 0, 0, NULL,
     "begin in plain text and change to TLS (STARTTLS), or do not send"},
    {"EMAIL_SMTP_USE_SSL", "false", BOOLEAN, AT(email_smtp_use_ssl), 0, 0, NULL,
     "TLS from the first byte"},
    {"FROM_EMAIL", "no-reply@localhost", TEXT, AT(from_email), 1, 0, NULL,
     "sender of mail: ADDRESS, or NAME <ADDRESS>"},
    {"PUBLIC_WEB_FRONTEND_URL", "http://localhost:3000", TEXT, AT(public_web_frontend_url), 0, 0,
     NULL, "where links in mail lead; no other host is linked to"},
    {"BASEROW_PUBLIC_URL", NULL, TEXT, AT(baserow_public_url), 0, 0, NULL,
     "the same, and wins over it"},
    {"CHORES_INTERVAL", "10m", DURATION, AT(chores_interval), 100, 86400000, NULL,
     "how often is done what falls due, such as deletions of accounts"},
#undef AT
};

static bool read_boolean(struct str s, bool *out)
{
    static const char *const yes[] = {"true", "1"}, *const no[] = {"false", "0", ""};
    for (size_t i = 0; i < COUNT_OF(yes); i++)
        if (str_equal_nocase(s, str_of(yes[i])))
            return *out = true;
    *out = false;
    for (size_t i = 0; i < COUNT_OF(no); i++)
        if (str_equal_nocase(s, str_of(no[i])))
            return true;
    return false;
}

/* "1mb", "512kb", "100" (bytes). */
static bool read_size(struct str s, int64_t *out)
{
    static const struct {
        const char *unit;
        int64_t bytes;
    } units[] = {{"kb", 1 << 10}, {"mb", 1 << 20}, {"gb", 1 << 30}, {"b", 1}, {"", 1}};
    size_t digits = 0;
    while (digits < s.len && isdigit((unsigned char)s.at[digits]))
        digits++;
    int64_t number;
    if (str_to_int64((struct str){s.at, digits}, &number) != 0)
        return false;
    for (size_t i = 0; i < COUNT_OF(units); i++)
        if (str_equal_nocase(str_trim(str_skip(s, digits)), str_of(units[i].unit)))
            return !__builtin_mul_overflow(number, units[i].bytes, out);
    return false;
}

static bool is_choice(const char *choices, struct str s)
{
    struct str rest = str_of(choices), choice;
    while (str_next(&rest, ',', &choice))
        if (str_equal(choice, s))
            return true;
    return false;
}

/* What was wrong is repeated, but for texts: some of them are secrets. */
static int wrong(const struct setting *s, struct str value, const char *expected)
{
    if (s->kind == TEXT)
        fprintf(stderr, "rowcast: %s must be %s\n", s->name, expected);
    else
        fprintf(stderr, "rowcast: %s is \"%.*s\", but must be %s\n", s->name, STR_ARG(value),
                expected);
    return SETTINGS_WRONG;
}

static int wrong_range(const struct setting *s, struct str value)
{
    static const char *const units[] = {[DURATION] = " milliseconds", [SIZE] = " bytes"};
    const char *unit = (size_t)s->kind < COUNT_OF(units) && units[s->kind] ? units[s->kind] : "";
    char expected[96];

    if (s->max == INT64_MAX)
        snprintf(expected, sizeof(expected), "%lld%s or more", (long long)s->min, unit);
    else
        snprintf(expected, sizeof(expected), "between %lld and %lld%s", (long long)s->min,
                 (long long)s->max, unit);
    return wrong(s, value, expected);
}

static int store(const struct setting *s, struct str value, struct settings *settings)
{
    char *at = (char *)settings + s->offset;
    int64_t number = 0;
    switch (s->kind) {
    case TEXT:
        if (value.len < (size_t)s->min)
            return wrong(s, value, "a text that is not empty");
        memcpy(at, &value, sizeof(value));
        return 0;
    case CHOICE:
        if (!is_choice(s->choices, value))
            return wrong(s, value, s->choices);
        memcpy(at, &value, sizeof(value));
        return 0;
    case BOOLEAN:
        return read_boolean(value, (bool *)at) ? 0 : wrong(s, value, "true or false");
    case INTEGER:
        if (str_to_int64(value, &number) != 0)
            return wrong(s, value, "a whole number");
        break;
    case DURATION:
        if (clock_read_duration(value, &number) != 0)
            return wrong(s, value, "a duration such as 15m, 7d, 10s or 500 (milliseconds)");
        break;
    case SIZE:
        if (!read_size(value, &number))
            return wrong(s, value, "a size such as 1mb, 512kb or 4096 (bytes)");
        break;
    }
    if (number < s->min || number > s->max)
        return wrong_range(s, value);
    memcpy(at, &number, sizeof(number));
    return 0;
}

/* DB_FILENAME → --db-filename; compared without building it. */
static bool is_flag(const char *name, struct str flag)
{
    if (strlen(name) != flag.len)
        return false;
    for (size_t i = 0; i < flag.len; i++) {
        char c = name[i] == '_' ? '-' : (char)tolower((unsigned char)name[i]);
        if (c != flag.at[i])
            return false;
    }
    return true;
}

static const struct setting *find_flag(struct str flag)
{
    for (size_t i = 0; i < COUNT_OF(table); i++)
        if (is_flag(table[i].name, flag))
            return &table[i];
    return NULL;
}

/* Takes the settings' flags out of the arguments; values by setting's place in the table. */
static int take_flags(char **arguments, int *count, struct str *values)
{
    int kept = 0;
    for (int i = 0; i < *count; i++) {
        struct str rest = str_of(arguments[i]), name = STR_NULL;
        if (str_starts_with(rest, STR("--"))) {
            rest = str_skip(rest, 2);
            str_next(&rest, '=', &name);
        }
        const struct setting *s = name.at ? find_flag(name) : NULL;
        if (!s) {
            arguments[kept++] = arguments[i];
            continue;
        }
        if (!rest.at) { /* the value is the next word, which is no flag itself */
            if (i + 1 >= *count || str_starts_with(str_of(arguments[i + 1]), STR("--"))) {
                fprintf(stderr, "rowcast: %s needs a value\n", arguments[i]);
                return SETTINGS_WRONG;
            }
            rest = str_of(arguments[++i]);
        }
        values[s - table] = rest;
    }
    *count = kept;
    return 0;
}

/* ---- .env ---- */

/* NAME=value; blank lines and lines that start with # are skipped; quotes around values go. */
static bool read_env_line(struct arena *a, struct str line, struct map *env)
{
    struct str rest = str_trim(line), name;
    if (rest.len == 0 || rest.at[0] == '#')
        return true;
    str_next(&rest, '=', &name);
    if (!rest.at || memchr(line.at, '\0', line.len))
        return false;
    struct str value = str_trim(rest);
    if (value.len >= 2 && (value.at[0] == '"' || value.at[0] == '\'') &&
        value.at[value.len - 1] == value.at[0])
        value = (struct str){value.at + 1, value.len - 2};
    struct str *kept = ARENA_NEW(a, struct str);
    *kept = arena_str(a, value);
    map_put(env, str_trim(name), kept);
    return true;
}

static int read_env_file(struct arena *a, struct map *env)
{
    FILE *file = fopen(".env", "re");
    if (!file)
        return errno == ENOENT ? 0 : (perror("rowcast: .env"), SETTINGS_WRONG);
    char *line = NULL;
    size_t capacity = 0;
    int rc = 0, number = 0;
    for (ssize_t size; rc == 0 && (size = getline(&line, &capacity, file)) > 0;) {
        number++;
        if (!read_env_line(a, (struct str){line, (size_t)size}, env)) {
            fprintf(stderr, "rowcast: .env, line %d is not NAME=value\n", number);
            rc = SETTINGS_WRONG;
        }
    }
    if (ferror(file)) {
        perror("rowcast: .env");
        rc = SETTINGS_WRONG;
    }
    free(line);
    fclose(file);
    return rc;
}

/* ---- each of them ---- */

static struct str find_value(struct arena *a, const struct map *env, const struct setting *s,
                             struct str flag)
{
    const char *set = getenv(s->name);
    const struct str *from_file = map_get(env, str_of(s->name));
    if (flag.at)
        return arena_str(a, flag);
    if (set)
        return arena_str(a, str_of(set));
    return from_file ? *from_file : str_of(s->fallback);
}

/* ---- the store ---- */

/* Where Debian keeps the certificates of the authorities that it trusts. */
#define SYSTEM_CA_FILE STR("/etc/ssl/certs/ca-certificates.crt")

static bool is_postgres(const struct settings *s)
{
    return !str_equal(s->db_client, STR("sqlite3"));
}

/* As Directus has it, each of these alone asks for TLS. */
static bool wants_tls(const struct settings *s)
{
    return s->db_ssl || s->db_ssl_ca_file.len > 0 || !s->db_ssl_reject_unauthorized;
}

/* One word of a connection string; libpq's own default holds where the value is empty. */
static void put_word(struct buf *b, const char *name, struct str value)
{
    if (value.len == 0)
        return;
    buf_printf(b, "%s='", name);
    for (size_t i = 0; i < value.len; i++) {
        if (value.at[i] == '\'' || value.at[i] == '\\')
            buf_put_char(b, '\\');
        buf_put_char(b, value.at[i]);
    }
    buf_put_lit(b, "' ");
}

static struct str connection_string(struct arena *a, const struct settings *s)
{
    struct buf b;
    if (s->db_connection_string.len > 0)
        return s->db_connection_string;
    buf_init(&b, SIZE_MAX);
    put_word(&b, "host", s->db_host);
    put_word(&b, "port", arena_printf(a, "%lld", (long long)s->db_port));
    put_word(&b, "dbname", s->db_database);
    put_word(&b, "user", s->db_user);
    put_word(&b, "password", s->db_password);
    if (wants_tls(s) && s->db_ssl_reject_unauthorized) {
        put_word(&b, "sslmode", STR("verify-full"));
        put_word(&b, "sslrootcert", s->db_ssl_ca_file.len > 0 ? s->db_ssl_ca_file : SYSTEM_CA_FILE);
    } else if (wants_tls(s)) {
        put_word(&b, "sslmode", STR("require"));
    }
    struct str text = arena_str(a, buf_str(&b));
    buf_deinit(&b);
    return text;
}

struct store_settings settings_store(struct arena *a, const struct settings *s)
{
    if (is_postgres(s))
        return (struct store_settings){.client = STORE_POSTGRES,
                                       .connection = connection_string(a, s)};
    return (struct store_settings){.client = STORE_SQLITE, .filename = s->db_filename};
}

struct str settings_place(struct arena *a, const struct settings *s)
{
    if (!is_postgres(s))
        return s->db_filename;
    if (s->db_connection_string.len > 0)
        return STR("the database of DB_CONNECTION_STRING");
    return arena_printf(a, "PostgreSQL's database %.*s", STR_ARG(s->db_database));
}

/* ---- all of them ---- */

static bool is_web_address(struct str s)
{
    return str_starts_with(s, STR("http://")) || str_starts_with(s, STR("https://"));
}

/* What only several settings together tell. */
static int check_together(const struct settings *s)
{
    bool secretless = s->admin_password.len == 0 && s->admin_token.len == 0;
    bool pg = is_postgres(s);
    const char *wrong = NULL;

    if (pg && s->db_connection_string.len == 0 && s->db_database.len == 0)
        wrong = "DB_CLIENT=pg needs DB_CONNECTION_STRING, or DB_DATABASE with what leads to it: "
                "DB_HOST, DB_PORT, DB_USER, DB_PASSWORD";
    else if (pg && s->db_connection_string.len > 0 && wants_tls(s)) /* never silently without */
        wrong = "DB_SSL is not for DB_CONNECTION_STRING: say sslmode=verify-full in that";
    else if (s->email_smtp_use_tls && s->email_smtp_use_ssl)
        wrong = "EMAIL_SMTP_USE_TLS and EMAIL_SMTP_USE_SSL exclude each other";
    else if (!is_web_address(s->public_web_frontend_url))
        wrong =
            "PUBLIC_WEB_FRONTEND_URL (or BASEROW_PUBLIC_URL) must start with http:// or https://";
    else if (s->websocket_path.len == 0 || s->websocket_path.at[0] != '/')
        wrong = "WEBSOCKET_PATH must start with \"/\"";
    else if (s->admin_email.len > 0 && secretless)
        wrong = "ADMIN_EMAIL needs ADMIN_PASSWORD or ADMIN_TOKEN";
    else if (s->admin_email.len == 0 && !secretless)
        wrong = "ADMIN_PASSWORD and ADMIN_TOKEN need ADMIN_EMAIL";
    if (!wrong)
        return 0;
    fprintf(stderr, "rowcast: %s\n", wrong);
    return SETTINGS_WRONG;
}

int settings_read(struct arena *a, char **arguments, int *count, struct settings *settings_out)
{
    struct settings settings = {0};
    struct str flags[COUNT_OF(table)] = {{0}};
    struct map env;
    map_init(&env);
    int rc = take_flags(arguments, count, flags);
    if (rc == 0)
        rc = read_env_file(a, &env);
    for (size_t i = 0; i < COUNT_OF(table) && rc == 0; i++) {
        struct str value = find_value(a, &env, &table[i], flags[i]);
        if (value.at)
            rc = store(&table[i], value, &settings);
    }
    map_deinit(&env);
    if (settings.baserow_public_url.len > 0)
        settings.public_web_frontend_url = settings.baserow_public_url;
    if (rc == 0)
        rc = check_together(&settings);
    if (rc == 0)
        *settings_out = settings;
    return rc;
}

void settings_help(FILE *out)
{
    for (size_t i = 0; i < COUNT_OF(table); i++)
        fprintf(out, "  %-24s %s%s%s%s\n", table[i].name, table[i].help,
                table[i].fallback ? " (default " : "", table[i].fallback ? table[i].fallback : "",
                table[i].fallback ? ")" : "");
}

enum log_level settings_log_level(const struct settings *s)
{
    static const struct {
        const char *name;
        enum log_level level;
    } levels[] = {{"silent", LOG_SILENT}, {"fatal", LOG_FATAL}, {"error", LOG_ERROR},
                  {"warn", LOG_WARN},     {"info", LOG_INFO},   {"debug", LOG_DEBUG},
                  {"trace", LOG_TRACE}};
    for (size_t i = 0; i < COUNT_OF(levels); i++)
        if (str_equal(s->log_level, str_of(levels[i].name)))
            return levels[i].level;
    return LOG_INFO;
}
