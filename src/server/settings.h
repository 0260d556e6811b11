#ifndef SERVER_SETTINGS_H
#define SERVER_SETTINGS_H

/*
 * Settings: environment variables, a `.env` file, and flags, in rising order: a flag wins over the
 * environment, which wins over `.env`. Names are Directus's or Baserow's where the concept is.
 * Every setting is one row of settings.c's table; a wrong value is named and refused at start.
 */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/str.h"
#include "store/store.h"

struct settings {
    struct str host;
    int64_t port;
    struct str db_client, db_filename;
    struct str db_connection_string, db_host, db_database, db_user, db_password;
    int64_t db_port;
    bool db_ssl, db_ssl_reject_unauthorized;
    struct str db_ssl_ca_file;
    struct str secret; /* absent: kept in a file beside SQLite's (instance.c) */
    struct str admin_email, admin_password, admin_token;
    bool cors_enabled;
    struct str cors_origin;
    int64_t access_token_ttl, refresh_token_ttl, login_stall_time; /* ms */
    int64_t query_limit_default, query_limit_max, batch_mutation_max;
    int64_t payload_size_max, response_size_max, outbox_size_max; /* bytes */
    int64_t head_size_max, target_size_max, header_count_max, head_time;
    int64_t connections_max, subscriptions_max, readers;
    int64_t requests_in_flight_max, queue_max, preparer_queue_max, batch_max;
    int64_t filter_depth_max, login_attempts_max;
    int64_t journal_retention, websocket_ping_period, http_idle_time, shutdown_timeout; /* ms */
    int64_t hash_memory_cost, hash_time_cost;
    struct str log_level, log_style;
    bool websocket_enabled, websocket_public;
    struct str websocket_path;
    struct str baserow_signing_key; /* absent: the secret */
    int64_t baserow_access_token_minutes, baserow_refresh_token_hours;
    int64_t baserow_page_rows_max, baserow_batch_rows_max;
    int64_t baserow_pending_invitations_max, baserow_table_rows_max; /* 0: any number */
    int64_t baserow_trash_hours, baserow_history_days;
    bool email_smtp, email_smtp_use_tls, email_smtp_use_ssl;
    struct str email_smtp_host, email_smtp_user, email_smtp_password, from_email;
    int64_t email_smtp_port;
    struct str baserow_public_url, public_web_frontend_url;
    int64_t chores_interval;                                 /* ms */
    int64_t baserow_replay_events_max, baserow_replay_hours; /* 0 events: no replay */
    int64_t baserow_replay_bytes_max, baserow_replay_absence;
    bool baserow_legacy_group_keys, baserow_documented_messages, baserow_anonymous_refused;
};

enum { SETTINGS_WRONG = 1 };
/*
 * Reads .env (in the working directory, if there is one), the environment, and the flags among
 * `arguments` (`--port 8055`, `--port=8055`); what is no setting's flag stays in `arguments`, in
 * order, and *count is lowered to that. Texts live in the arena. SETTINGS_WRONG: a message was
 * printed to standard error.
 */
int settings_read(struct arena *a, char **arguments, int *count, struct settings *settings_out);
void settings_help(FILE *out); /* one line for each setting */
enum log_level settings_log_level(const struct settings *s);

/* Which store, and where: for PostgreSQL all DB_ settings as one text of libpq's, in the arena. */
struct store_settings settings_store(struct arena *a, const struct settings *s);
/* The same for people: no part of it is a secret. */
struct str settings_place(struct arena *a, const struct settings *s);

#endif
