#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/settings.h"

#include <libpq-fe.h>
#include <sys/stat.h>

#include "unit/server/heard.h"

static struct arena *arena;
static struct settings settings;

static int begin(void **state)
{
    (void)state;
    clearenv();
    arena = arena_new();
    settings = (struct settings){0};
    return 0;
}

static int end(void **state)
{
    (void)state;
    unlink(".env");
    arena_free(arena);
    return 0;
}

/* Reads with these words on the command line; what is said is heard. */
static int read_with(char **words, int *count)
{
    listen_begin();
    int rc = settings_read(arena, words, count, &settings);
    listen_end();
    return rc;
}

static int read_plain(void)
{
    int none = 0;
    return read_with(NULL, &none);
}

static int read_env(const char *text)
{
    write_file(".env", text, strlen(text));
    return read_plain();
}

static void assert_text(struct str s, const char *text)
{
    assert_int_equal(s.len, strlen(text));
    assert_memory_equal(s.at, text, s.len);
}

static void without_anything_the_defaults_hold(void **state)
{
    (void)state;
    assert_int_equal(read_plain(), 0);
    assert_text(settings.host, "127.0.0.1");
    assert_int_equal(settings.port, 8055);
    assert_int_equal(settings.access_token_ttl, 15 * 60 * 1000);
    assert_int_equal(settings.refresh_token_ttl, INT64_C(7) * 86400 * 1000);
    assert_int_equal(settings.payload_size_max, 1 << 20);
    assert_int_equal(settings.query_limit_max, -1);
    assert_true(settings.websocket_enabled);
    assert_false(settings.websocket_public);
    assert_null(settings.secret.at);
    assert_null(settings.baserow_signing_key.at);
    assert_int_equal(settings.baserow_access_token_minutes, 10);
    assert_int_equal(settings.baserow_refresh_token_hours, 168);
    assert_true(settings.baserow_documented_messages);
    assert_false(settings.baserow_legacy_group_keys);
    assert_false(settings.baserow_anonymous_refused);
    assert_int_equal(settings_log_level(&settings), LOG_INFO);
}

/* One value of one setting, and what it says when it is refused. */
static void numbers_and_units_hold_within_their_limits_only(void **state)
{
    static const struct {
        const char *name, *value;
        bool good;
    } cases[] = {
        {"PORT", "0", true},
        {"PORT", "65535", true},
        {"PORT", "65536", false},
        {"PORT", "-1", false},
        {"PORT", "80a", false},
        {"PORT", "", false},
        {"PORT", "99999999999999999999", false},
        {"QUERY_LIMIT_DEFAULT", "0", false},
        {"QUERY_LIMIT_DEFAULT", "1", true},
        {"QUERY_LIMIT_MAX", "-2", false},
        {"QUERY_LIMIT_MAX", "-1", true},
        {"QUERY_LIMIT_MAX", "9223372036854775807", true},
        {"MAX_CONNECTIONS", "0", false},
        {"MAX_CONNECTIONS", "1", true},
        {"MAX_CONNECTIONS", "1000000", true},
        {"MAX_CONNECTIONS", "1000001", false},
        {"READERS", "64", true},
        {"READERS", "65", false},
        {"HASH_MEMORY_COST", "1023", false},
        {"HASH_MEMORY_COST", "1024", true},
        {"ACCESS_TOKEN_TTL", "999", false},
        {"ACCESS_TOKEN_TTL", "1000", true},
        {"ACCESS_TOKEN_TTL", "1s", true},
        {"ACCESS_TOKEN_TTL", "100y", true},
        {"ACCESS_TOKEN_TTL", "101y", false},
        {"ACCESS_TOKEN_TTL", "-1s", false},
        {"ACCESS_TOKEN_TTL", "soon", false},
        {"LOGIN_STALL_TIME", "0", true},
        {"LOGIN_STALL_TIME", "60000", true},
        {"LOGIN_STALL_TIME", "60001", false},
        {"MAX_PAYLOAD_SIZE", "1023", false},
        {"MAX_PAYLOAD_SIZE", "1024", true},
        {"MAX_PAYLOAD_SIZE", "1kb", true},
        {"MAX_PAYLOAD_SIZE", "1 KB", true},
        {"MAX_PAYLOAD_SIZE", "1024b", true},
        {"MAX_PAYLOAD_SIZE", "1gb", true},
        {"MAX_PAYLOAD_SIZE", "1073741825", false},
        {"MAX_PAYLOAD_SIZE", "2gb", false},
        {"MAX_PAYLOAD_SIZE", "99999999999gb", false},
        {"MAX_PAYLOAD_SIZE", "mb", false},
        {"MAX_PAYLOAD_SIZE", "1tb", false},
        {"MAX_PAYLOAD_SIZE", "-1kb", false},
        {"WEBSOCKET_ENABLED", "true", true},
        {"WEBSOCKET_ENABLED", "TRUE", true},
        {"WEBSOCKET_ENABLED", "0", true},
        {"WEBSOCKET_ENABLED", "yes", false},
        {"LOG_LEVEL", "trace", true},
        {"LOG_LEVEL", "loud", false},
        {"LOG_LEVEL", "info,debug", false},
        {"LOG_LEVEL", "", false},
        {"LOG_STYLE", "raw", true},
        {"DB_CLIENT", "sqlite3", true},
        {"DB_CLIENT", "pg", false}, /* where? */
        {"DB_CLIENT", "oracle", false},
        {"DB_CLIENT", "", false},
        {"DB_PORT", "0", false},
        {"DB_PORT", "1", true},
        {"DB_PORT", "65535", true},
        {"DB_PORT", "65536", false},
        {"DB_SSL", "maybe", false},
        {"DB_FILENAME", "", false},
        {"DB_FILENAME", "x", true},
        {"HOST", "", false},
        {"WEBSOCKET_PATH", "/x", true},
        {"WEBSOCKET_PATH", "x", false},
        {"WEBSOCKET_PATH", "", false},
        {"BASEROW_JWT_SIGNING_KEY", "", false},
        {"BASEROW_JWT_SIGNING_KEY", "k", true},
        {"BASEROW_ACCESS_TOKEN_LIFETIME_MINUTES", "0", false},
        {"BASEROW_ACCESS_TOKEN_LIFETIME_MINUTES", "1", true},
        {"BASEROW_ACCESS_TOKEN_LIFETIME_MINUTES", "52596000", true}, /* a century */
        {"BASEROW_ACCESS_TOKEN_LIFETIME_MINUTES", "52596001", false},
        {"BASEROW_ACCESS_TOKEN_LIFETIME_MINUTES", "10m", false},
        {"BASEROW_REFRESH_TOKEN_LIFETIME_HOURS", "0", false},
        {"BASEROW_REFRESH_TOKEN_LIFETIME_HOURS", "1", true},
        {"BASEROW_REFRESH_TOKEN_LIFETIME_HOURS", "876600", true},
        {"BASEROW_REFRESH_TOKEN_LIFETIME_HOURS", "876601", false},
        {"BASEROW_LEGACY_GROUP_KEYS", "true", true},
        {"BASEROW_LEGACY_GROUP_KEYS", "old", false},
        {"DISABLE_ANONYMOUS_PUBLIC_VIEW_WS_CONNECTIONS", "1", true},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        setenv(cases[i].name, cases[i].value, 1);
        int rc = read_plain();
        if (rc != (cases[i].good ? 0 : SETTINGS_WRONG))
            fail_msg("%s=\"%s\" gave %d: %s", cases[i].name, cases[i].value, rc, heard);
        if (rc != 0)
            assert_heard(cases[i].name);
        unsetenv(cases[i].name);
    }
}

static void units_count(void **state)
{
    (void)state;
    setenv("MAX_PAYLOAD_SIZE", "3mb", 1);
    setenv("SHUTDOWN_TIMEOUT", "2m", 1);
    assert_int_equal(read_plain(), 0);
    assert_int_equal(settings.payload_size_max, 3 << 20);
    assert_int_equal(settings.shutdown_timeout, 120 * 1000);
}

static void a_flag_wins_over_the_environment_which_wins_over_the_file(void **state)
{
    char *words[] = {"--max-connections", "3", "--readers=5"};
    int count = 3;
    (void)state;
    setenv("MAX_CONNECTIONS", "2", 1);
    setenv("PORT", "2", 1);
    write_file(".env", "MAX_CONNECTIONS=1\nPORT=1\nHASH_TIME_COST=1\n", 42);
    assert_int_equal(read_with(words, &count), 0);
    assert_int_equal(settings.connections_max, 3);
    assert_int_equal(settings.readers, 5);
    assert_int_equal(settings.port, 2);
    assert_int_equal(settings.hash_time_cost, 1);
    assert_int_equal(count, 0);
}

static void what_is_no_setting_stays_in_order(void **state)
{
    char *words[] = {"one", "--json", "--port", "7", "--link=a=b", "two"};
    int count = 6;
    (void)state;
    assert_int_equal(read_with(words, &count), 0);
    assert_int_equal(count, 4);
    assert_string_equal(words[0], "one");
    assert_string_equal(words[1], "--json");
    assert_string_equal(words[2], "--link=a=b");
    assert_string_equal(words[3], "two");
}

static void a_flag_without_a_value_is_refused(void **state)
{
    char *last[] = {"--port"}, *another[] = {"--db-filename", "--port", "7"};
    int one = 1, three = 3;
    (void)state;
    assert_int_equal(read_with(last, &one), SETTINGS_WRONG);
    assert_heard("--port needs a value");
    assert_int_equal(read_with(another, &three), SETTINGS_WRONG);
    assert_heard("--db-filename needs a value");
}

static void the_file_has_comments_blank_lines_and_quotes(void **state)
{
    (void)state;
    assert_int_equal(read_env("# a comment\n\n  HOST = \"::1\" \r\nSECRET='a=b # c'\nOTHER=x\n"
                              "DB_FILENAME=last line"),
                     0);
    assert_text(settings.host, "::1");
    assert_text(settings.secret, "a=b # c");
    assert_text(settings.db_filename, "last line");
}

static void a_line_of_the_file_that_is_none_is_named(void **state)
{
    static const char nul[] = "PORT=80\0x\n";
    (void)state;
    assert_int_equal(read_env("PORT=1\n\nHOST\n"), SETTINGS_WRONG);
    assert_heard(".env, line 3");
    write_file(".env", nul, sizeof(nul) - 1);
    assert_int_equal(read_plain(), SETTINGS_WRONG);
    assert_heard(".env, line 1");
    assert_int_equal(read_env("PORT=x\n"), SETTINGS_WRONG);
    assert_heard("PORT");
}

static void a_long_line_of_the_file_is_one_line(void **state)
{
    static char line[20000] = "SECRET=";
    (void)state;
    memset(line + 7, 's', sizeof(line) - 8);
    assert_int_equal(read_env(line), 0);
    assert_int_equal(settings.secret.len, sizeof(line) - 8);
}

static void a_file_that_cannot_be_read_is_refused(void **state)
{
    (void)state;
    assert_int_equal(mkdir(".env", 0700), 0);
    int rc = read_plain();
    rmdir(".env");
    assert_int_equal(rc, SETTINGS_WRONG);
    assert_heard(".env");
}

static void the_first_admin_needs_a_name_and_a_way_in(void **state)
{
    (void)state;
    setenv("ADMIN_EMAIL", "a@example.com", 1);
    assert_int_equal(read_plain(), SETTINGS_WRONG);
    assert_heard("ADMIN_EMAIL needs");
    setenv("ADMIN_TOKEN", "hunter2", 1);
    assert_int_equal(read_plain(), 0);
    setenv("ADMIN_EMAIL", "", 1);
    assert_int_equal(read_plain(), SETTINGS_WRONG);
    assert_null(strstr(heard, "hunter2"));
}

/* ---- the store ---- */

/* What libpq reads one word of the connection string as; absent: it is not there. */
static struct str word(const char *name)
{
    struct store_settings store = settings_store(arena, &settings);
    assert_int_equal(store.client, STORE_POSTGRES);
    PQconninfoOption *words = PQconninfoParse(store.connection.at, NULL);
    assert_non_null(words);
    struct str value = STR_NULL;
    for (size_t i = 0; words[i].keyword; i++)
        if (strcmp(words[i].keyword, name) == 0)
            value = arena_str(arena, str_of(words[i].val));
    PQconninfoFree(words);
    return value;
}

static void without_a_client_the_store_is_a_file(void **state)
{
    (void)state;
    setenv("DB_FILENAME", "data/x.sqlite", 1);
    setenv("DB_HOST", "db.example.com", 1);
    assert_int_equal(read_plain(), 0);
    struct store_settings store = settings_store(arena, &settings);
    assert_int_equal(store.client, STORE_SQLITE);
    assert_text(store.filename, "data/x.sqlite");
    assert_null(store.connection.at);
    assert_text(settings_place(arena, &settings), "data/x.sqlite");
}

static void postgresql_has_to_be_somewhere(void **state)
{
    static const char *const clients[] = {"pg", "postgres"};
    (void)state;
    setenv("DB_PASSWORD", "hunter2", 1);
    for (size_t i = 0; i < COUNT_OF(clients); i++) {
        setenv("DB_CLIENT", clients[i], 1);
        unsetenv("DB_DATABASE");
        setenv("DB_HOST", "localhost", 1);
        assert_int_equal(read_plain(), SETTINGS_WRONG);
        assert_heard("DB_CLIENT=pg needs DB_CONNECTION_STRING, or DB_DATABASE");
        assert_null(strstr(heard, "hunter2"));
        unsetenv("DB_HOST");
        setenv("DB_DATABASE", "shop", 1);
        assert_int_equal(read_plain(), 0);
    }
}

static void the_parts_become_one_text_that_libpq_reads_back(void **state)
{
    (void)state;
    setenv("DB_CLIENT", "pg", 1);
    setenv("DB_HOST", "/run/a 'socket'", 1);
    setenv("DB_PORT", "6543", 1);
    setenv("DB_DATABASE", "sh=op \xc3\xa4", 1);
    setenv("DB_USER", "it's", 1);
    setenv("DB_PASSWORD", " a'b\\c\"\\' host=evil sslmode=disable", 1);
    assert_int_equal(read_plain(), 0);
    assert_text(word("host"), "/run/a 'socket'");
    assert_text(word("port"), "6543");
    assert_text(word("dbname"), "sh=op \xc3\xa4");
    assert_text(word("user"), "it's");
    assert_text(word("password"), " a'b\\c\"\\' host=evil sslmode=disable");
    assert_null(word("sslmode").at);
    struct str place = settings_place(arena, &settings);
    assert_text(place, "PostgreSQL's database sh=op \xc3\xa4");
}

static void what_is_not_set_is_left_to_libpq(void **state)
{
    (void)state;
    setenv("DB_CLIENT", "pg", 1);
    setenv("DB_DATABASE", "shop", 1);
    setenv("DB_USER", "", 1);
    assert_int_equal(read_plain(), 0);
    assert_null(word("host").at);
    assert_null(word("user").at);
    assert_null(word("password").at);
    assert_text(word("port"), "5432");
}

static void a_connection_string_goes_before_its_parts_and_is_not_told(void **state)
{
    (void)state;
    setenv("DB_CLIENT", "pg", 1);
    setenv("DB_CONNECTION_STRING", "postgres://me:hunter2@db:6000/shop", 1);
    setenv("DB_HOST", "elsewhere", 1);
    setenv("DB_DATABASE", "another", 1);
    assert_int_equal(read_plain(), 0);
    assert_text(settings_store(arena, &settings).connection, "postgres://me:hunter2@db:6000/shop");
    assert_text(word("host"), "db");
    assert_null(strstr(settings_place(arena, &settings).at, "hunter2"));
}

/* What asks for TLS, and the connection's words for it. */
static void tls_is_verified_unless_it_is_said_not_to_be(void **state)
{
    static const struct {
        const char *ssl, *ca_file, *reject, *mode, *root;
    } cases[] = {
        {NULL, NULL, NULL, NULL, NULL},
        {"false", NULL, "true", NULL, NULL},
        {"true", NULL, NULL, "verify-full", "/etc/ssl/certs/ca-certificates.crt"},
        {"true", "my ca.pem", NULL, "verify-full", "my ca.pem"},
        {NULL, "my ca.pem", "true", "verify-full", "my ca.pem"},
        {"true", "my ca.pem", "false", "require", NULL},
        {NULL, NULL, "false", "require", NULL},
    };
    (void)state;
    setenv("DB_CLIENT", "pg", 1);
    setenv("DB_DATABASE", "shop", 1);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *const names[] = {"DB_SSL", "DB_SSL__CA_FILE", "DB_SSL__REJECT_UNAUTHORIZED"};
        const char *const values[] = {cases[i].ssl, cases[i].ca_file, cases[i].reject};
        for (size_t n = 0; n < COUNT_OF(names); n++)
            if (values[n])
                setenv(names[n], values[n], 1);
            else
                unsetenv(names[n]);
        assert_int_equal(read_plain(), 0);
        struct str mode = word("sslmode"), root = word("sslrootcert");
        if (!str_equal(mode, str_of(cases[i].mode)) || !str_equal(root, str_of(cases[i].root)))
            fail_msg("case %zu gave %.*s, %.*s", i, STR_ARG(mode), STR_ARG(root));
    }
}

/* Beside a connection string it would do nothing: the data would go unprotected. */
static void tls_is_refused_where_it_would_do_nothing(void **state)
{
    (void)state;
    setenv("DB_CLIENT", "pg", 1);
    setenv("DB_CONNECTION_STRING", "postgres://db/shop", 1);
    setenv("DB_SSL", "true", 1);
    assert_int_equal(read_plain(), SETTINGS_WRONG);
    assert_heard("sslmode=verify-full");
    setenv("DB_SSL", "false", 1);
    assert_int_equal(read_plain(), 0);
}

static void log_levels_have_their_names(void **state)
{
    static const char *const names[] = {
        [LOG_SILENT] = "silent", [LOG_FATAL] = "fatal", [LOG_ERROR] = "error", [LOG_WARN] = "warn",
        [LOG_INFO] = "info",     [LOG_DEBUG] = "debug", [LOG_TRACE] = "trace"};
    (void)state;
    for (int level = LOG_SILENT; level <= LOG_TRACE; level++) {
        setenv("LOG_LEVEL", names[level], 1);
        assert_int_equal(read_plain(), 0);
        assert_int_equal(settings_log_level(&settings), level);
    }
}

static void a_refusal_leaves_the_settings_alone(void **state)
{
    (void)state;
    settings.port = 42;
    setenv("READERS", "none", 1);
    assert_int_equal(read_plain(), SETTINGS_WRONG);
    assert_int_equal(settings.port, 42);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(without_anything_the_defaults_hold),
        TEST(numbers_and_units_hold_within_their_limits_only),
        TEST(units_count),
        TEST(a_flag_wins_over_the_environment_which_wins_over_the_file),
        TEST(what_is_no_setting_stays_in_order),
        TEST(a_flag_without_a_value_is_refused),
        TEST(the_file_has_comments_blank_lines_and_quotes),
        TEST(a_line_of_the_file_that_is_none_is_named),
        TEST(a_long_line_of_the_file_is_one_line),
        TEST(a_file_that_cannot_be_read_is_refused),
        TEST(the_first_admin_needs_a_name_and_a_way_in),
        TEST(without_a_client_the_store_is_a_file),
        TEST(postgresql_has_to_be_somewhere),
        TEST(the_parts_become_one_text_that_libpq_reads_back),
        TEST(what_is_not_set_is_left_to_libpq),
        TEST(a_connection_string_goes_before_its_parts_and_is_not_told),
        TEST(tls_is_verified_unless_it_is_said_not_to_be),
        TEST(tls_is_refused_where_it_would_do_nothing),
        TEST(log_levels_have_their_names),
        TEST(a_refusal_leaves_the_settings_alone),
    };
    return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
