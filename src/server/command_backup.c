/*
 * rowcast backup, rowcast epoch: a copy of a running SQLite instance, and a new history for what
 * was restored by other means.
 */
#include <stdio.h>

#include "base/fault.h"
#include "model/copy/copy.h"
#include "model/journal.h"
#include "server/commands.h"
#include "server/instance.h"

static int make_backup(struct copy *c)
{
    int rc = model_backup(c);

    if (rc == COPY_REFUSED)
        fprintf(stderr, "rowcast: %.*s\n", STR_ARG(c->reason));
    else if (rc != 0)
        fprintf(stderr, "rowcast: cannot back up, %.*s: %s\n", STR_ARG(c->subject), fault_text());
    else
        printf("%.*s, epoch %.*s\n", STR_ARG(c->to.filename), STR_ARG(c->epoch));
    return rc == 0 ? 0 : 1;
}

int command_backup(const struct settings *settings, struct arguments *arguments)
{
    AUTO(arena_free) struct arena *arena = arena_new();
    struct str file = arguments_next(arguments);
    struct copy copy = {.from = settings_store(arena, settings),
                        .to = {.client = STORE_SQLITE, .filename = file},
                        .arena = arena};
    if (!arguments_done(arguments))
        return 2;
    if (file.len == 0) {
        fputs("usage: rowcast backup FILE\n", stderr);
        return 2;
    }
    if (copy.from.client == STORE_SQLITE)
        return make_backup(&copy);
    fputs("rowcast: backup copies SQLite's file. PostgreSQL has pg_dump for it; give what is "
          "restored from a dump a history of its own with `rowcast epoch --new`, or take the "
          "instance into a file with `rowcast copy`\n",
          stderr);
    return 1;
}

/* ---- the epoch ---- */

static int print_epoch(struct tx *tx, void *context)
{
    struct journal_state state;
    (void)context;
    int rc = journal_state_read(tx->store, tx->arena, &state);
    if (rc == 0)
        printf("%.*s\n", STR_ARG(state.epoch));
    return rc;
}

static int show_epoch(const struct settings *settings)
{
    struct instance instance;
    if (instance_open(settings, INSTANCE_READ, &instance) != 0)
        return 1;
    int rc = instance_read(&instance, print_epoch, NULL);
    instance_close(&instance);
    return rc;
}

static int renew_epoch(const struct settings *settings)
{
    AUTO(arena_free) struct arena *arena = arena_new();
    struct store_settings store = settings_store(arena, settings);
    struct str place = settings_place(arena, settings), epoch;
    struct instance instance; /* that there is one, of this version: nothing is made by the way */
    if (instance_open(settings, INSTANCE_READ, &instance) != 0)
        return 1;
    instance_close(&instance);
    int rc = model_renew_epoch(&store, arena, &epoch);
    if (rc == STORE_LOCKED)
        fprintf(stderr, "rowcast: %.*s is in use by another rowcast process\n", STR_ARG(place));
    else if (rc != 0)
        fprintf(stderr, "rowcast: cannot give %.*s a new epoch: %s\n", STR_ARG(place),
                fault_text());
    else
        printf("%.*s\n", STR_ARG(epoch));
    return rc == 0 ? 0 : 1;
}

int command_epoch(const struct settings *settings, struct arguments *arguments)
{
    bool renew = arguments_flag(arguments, "new");
    if (!arguments_done(arguments))
        return 2;
    return renew ? renew_epoch(settings) : show_epoch(settings);
}
