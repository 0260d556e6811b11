#ifndef SERVER_INSTANCE_H
#define SERVER_INSTANCE_H

/*
 * An instance as the command line opens it: settings → model, with the secret and the first admin.
 */

#include "base/arena.h"
#include "model/model.h"
#include "server/settings.h"

struct instance {
    struct arena *arena;
    struct model_settings model_settings;
    struct model *model;
};

/* Opens or creates. On failure a message was printed to standard error and the result is not 0. */
int instance_open(const struct settings *settings, struct instance *instance_out);
void instance_close(struct instance *i);

/* Runs fn in one write as the system: the work of a command. Prints what was refused; 0 when done.
 */
int instance_write(struct instance *i, enum writer_kind kind,
                   int (*fn)(struct tx *tx, void *context), void *context);
int instance_read(struct instance *i, int (*fn)(struct tx *tx, void *context), void *context);
/* Prints a refusal or fault of a command; returns the exit status 1. */
int instance_complain(int rc, const struct problem *problem);

#endif
