#ifndef MODEL_INSTANCE_H
#define MODEL_INSTANCE_H

/*
 * The inside of struct model, for the files that make up the model's core (model.c, writer.c,
 * check.c) and nobody else.
 */

#include <pthread.h>

#include "model/counter.h"
#include "model/journal.h"
#include "model/model.h"

/* Version of the tables' layout: a change of it is a new number, and a way from the old one
 * (upgrade.c). The writer's state row says it. Workspaces came with the second. */
enum { FORMAT = 3, FORMAT_WORKSPACES = 2 };

struct model {
    const struct model_settings *settings;
    struct store *store; /* the writer's connection; it holds the instance's lock */
    int64_t version_top; /* the writer's: the highest catalogue version ever given out. None is
                            given twice, also not after a rollback: equal versions, equal content */
    int64_t head;        /* the writer's: the journal's behind its last batch; another one means
                            that others have written */
    struct counters *counters;        /* the writer's */
    struct identity_memory *identity; /* has its own lock */
    atomic_bool grid_heard;           /* model_note_grid_heard() */
    pthread_mutex_t lock;
    struct catalogue *current; /* under lock */
};

/* Takes the reference over and makes it what new readers see. The writer's thread only. */
void model_publish(struct model *m, struct catalogue *take);

#endif
