#ifndef MODEL_TABLES_H
#define MODEL_TABLES_H

/* The catalogue's part of users' tables, their fields and relations: for catalogue.c. */

#include "model/system.h"

/* The rows that they were made of; in the catalogue's arena. */
struct structure_rows {
    struct system_rows collections, fields;
};
/* Reads tables, fields and relations into a catalogue that has its workspaces. */
int tables_load(struct store *store, struct catalogue *c, struct structure_rows *rows_out);

#endif
