#ifndef SERVER_INSTANCE_H
#define SERVER_INSTANCE_H

/*
 * An instance as the command line opens it: settings → model, with the secret and the first admin;
 * and the work of a command in it, done as the system.
 */

#include "base/arena.h"
#include "model/model.h"
#include "server/settings.h"

struct instance {
    struct arena *arena;
    struct model_settings model_settings;
    struct model *model;
};

enum instance_access {
    INSTANCE_READ,  /* what is there; beside a server that runs, too */
    INSTANCE_WRITE, /* opens or creates, alone; makes the secret and the first admin */
    INSTANCE_SERVE, /* the same; there has to be a secret */
};
/* On failure a message was printed to standard error and the result is not 0. */
int instance_open(const struct settings *settings, enum instance_access access,
                  struct instance *instance_out);
void instance_close(struct instance *i);

/* What a command does in a transaction. */
typedef int instance_fn(struct tx *tx, void *context);

/* Runs fn in one write, or one read. Prints what was refused; 0 when done. */
int instance_write(struct instance *i, instance_fn *fn, void *context);
int instance_read(struct instance *i, instance_fn *fn, void *context);

/* Runs fn as one request of a write that the caller begins and ends. Prints nothing: the problem is
 * filled on REFUSED, and lives in the arena. */
int instance_run(struct instance *i, struct writer *w, struct arena *arena, instance_fn *fn,
                 void *context, struct problem *problem);
/* Prints a refusal or a fault, behind the place it concerns (absent: none); returns 1. */
int instance_complain(struct str place, int rc, const struct problem *problem);

#endif
