/*
 * rowcast copy: takes a whole instance from one database to another.
 *
 * An address of PostgreSQL may hold a password: no message repeats one.
 */
#include <stdio.h>

#include "base/fault.h"
#include "model/copy/copy.h"
#include "server/commands.h"

#define SQLITE_SCHEME STR("sqlite:")

/* "sqlite:FILE", "postgres://…", or libpq's "host=… dbname=…". */
static bool read_address(struct str address, struct store_settings *store_out)
{
    if (str_starts_with(address, SQLITE_SCHEME)) {
        *store_out = (struct store_settings){.client = STORE_SQLITE,
                                             .filename = str_skip(address, SQLITE_SCHEME.len)};
        return store_out->filename.len > 0;
    }
    *store_out = (struct store_settings){.client = STORE_POSTGRES, .connection = address};
    if (str_starts_with(address, STR("postgres://")) ||
        str_starts_with(address, STR("postgresql://")))
        return true;
    return !str_contains(address, STR("://")) && str_contains(address, STR("="));
}

static bool take_address(struct arena *arena, struct arguments *arguments, const char *option,
                         struct store_settings *store_out)
{
    struct str address = arena_str(arena, arguments_option(arguments, option));
    if (read_address(address, store_out))
        return true;
    fprintf(stderr,
            "rowcast: --%s must be sqlite:FILE, postgres://... or \"host=... dbname=...\"\n",
            option);
    return false;
}

static void print_note(void *context, const struct copy_note *note)
{
    static const char *const steps[] = {[COPY_WRITTEN] = "copied", [COPY_COMPARED] = "the same"};
    (void)context;
    fprintf(stderr, "%.*s: %lld row%s %s%s\n", STR_ARG(note->table), (long long)note->rows,
            note->rows == 1 ? "" : "s", steps[note->step], note->finished ? "" : " so far");
}

int command_copy(const struct settings *settings, struct arguments *arguments)
{
    AUTO(arena_free) struct arena *arena = arena_new();
    struct copy copy = {.note = print_note, .arena = arena};
    (void)settings;
    if (!take_address(arena, arguments, "from", &copy.from) ||
        !take_address(arena, arguments, "to", &copy.to)) {
        fputs("usage: rowcast copy --from ADDRESS --to ADDRESS\n", stderr);
        return 2;
    }
    if (!arguments_done(arguments))
        return 2;
    int rc = model_copy(&copy);
    if (rc == COPY_REFUSED)
        fprintf(stderr, "rowcast: the copy failed: %.*s\n", STR_ARG(copy.reason));
    else if (rc != 0)
        fprintf(stderr, "rowcast: the copy failed: %.*s: %s\n", STR_ARG(copy.subject),
                fault_text());
    else
        printf("copied and compared: %zu tables, %lld rows, epoch %.*s\n", copy.tables,
               (long long)copy.rows, STR_ARG(copy.epoch));
    return rc == 0 ? 0 : 1;
}
