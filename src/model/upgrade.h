#ifndef MODEL_UPGRADE_H
#define MODEL_UPGRADE_H

/* Bringing an instance's tables up to date: for model.c. */

#include "model/journal.h"

/*
 * From the format that the state says to FORMAT; inside STORE_SCHEMA. *state is what it says
 * afterwards: the format is written, unless the bootstrap has something to add to it first
 * (FORMAT_WORKSPACES).
 */
int upgrade_tables(struct store *s, struct journal_state *state);

#endif
