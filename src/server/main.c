/*
 * rowcast: the program. One row of `commands` for each thing it can do.
 */
#include <signal.h>
#include <stdio.h>

#include "server/commands.h"

static const struct {
    const char *name, *usage, *help;
    int (*run)(const struct settings *settings, struct arguments *arguments);
} commands[] = {
    {"serve", "", "start the server", command_serve},
    {"import", "FILE --collection NAME [--key FIELD] [--link FIELD=COLLECTION]...",
     "put the rows of a CSV or JSON file into a collection", command_import},
    {"user", "create|list|set-password|token ...", "manage users", command_user},
    {"schema", "[--json]", "print collections, fields and relations", command_schema},
    {"copy", "--from ADDRESS --to ADDRESS",
     "take an instance along; an address is sqlite:FILE or postgres://...", command_copy},
    {"backup", "FILE", "copy a running SQLite instance into a new file", command_backup},
    {"epoch", "[--new]", "name the history; a new one, for what was restored from a dump",
     command_epoch},
    {"check", "", "verify the database and the journal", command_check},
};

static void help(FILE *out)
{
    fputs("Rowcast: a realtime table server\n\nUsage: rowcast COMMAND [ARGUMENTS] [--SETTING "
          "VALUE]...\n\n",
          out);
    for (size_t i = 0; i < COUNT_OF(commands); i++)
        fprintf(out, "  rowcast %s %s\n      %s\n", commands[i].name, commands[i].usage,
                commands[i].help);
    fputs("\nSettings (environment, .env file, or flag: DB_FILENAME is --db-filename):\n", out);
    settings_help(out);
}

/* What a command printed has to have arrived, or it did not succeed. */
static int finish(int status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    fputs("rowcast: not all of it could be written to standard output\n", stderr);
    return 1;
}

static int run(struct arguments *arguments)
{
    struct str name = arguments_next(arguments);
    if (arguments_flag(arguments, "help") || str_equal(name, STR("help"))) {
        help(stdout);
        return 0;
    }
    if (arguments_flag(arguments, "version")) {
        puts("rowcast " ROWCAST_VERSION);
        return 0;
    }
    for (size_t i = 0; i < COUNT_OF(commands); i++) {
        if (!str_equal(name, str_of(commands[i].name)))
            continue;
        AUTO(arena_free) struct arena *arena = arena_new();
        struct settings settings;
        if (settings_read(arena, arguments->at, &arguments->count, &settings) != 0)
            return 2;
        log_configure(settings_log_level(&settings),
                      str_equal(settings.log_style, STR("raw")) ? LOG_RAW : LOG_PRETTY);
        return finish(commands[i].run(&settings, arguments));
    }
    if (name.at)
        fprintf(stderr, "rowcast: there is no command \"%.*s\"\n", STR_ARG(name));
    help(stderr);
    return 2;
}

int main(int count, char **words)
{
    signal(SIGXFSZ, SIG_IGN); /* past a limit on the size of files: an error, as of a full disk */
    struct arguments arguments = {words + 1, count > 0 ? count - 1 : 0};
    return run(&arguments);
}
