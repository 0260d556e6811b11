#ifndef SERVER_COMMANDS_H
#define SERVER_COMMANDS_H

/* The commands of the program, one file each; main.c has the table. Each returns the exit status.
 */

#include "server/settings.h"

/* The arguments behind the command's name, settings' flags already taken out. */
struct arguments {
    char **at;
    int count;
};
/* Takes `--name value` or `--name=value` out; absent when it is not there. */
struct str arguments_option(struct arguments *a, const char *name);
bool arguments_flag(struct arguments *a, const char *name); /* `--name` alone */
struct str arguments_next(struct arguments *a);             /* the next word; absent: none */
/* True when nothing is left; else says what was not understood. */
bool arguments_done(const struct arguments *a);

int command_serve(const struct settings *settings, struct arguments *arguments);
int command_import(const struct settings *settings, struct arguments *arguments);
int command_user(const struct settings *settings, struct arguments *arguments);
int command_schema(const struct settings *settings, struct arguments *arguments);
int command_copy(const struct settings *settings, struct arguments *arguments);
int command_backup(const struct settings *settings, struct arguments *arguments);
int command_epoch(const struct settings *settings, struct arguments *arguments);
int command_check(const struct settings *settings, struct arguments *arguments);

#endif
