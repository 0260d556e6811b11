#ifndef STORE_FILES_H
#define STORE_FILES_H

/* The files of a SQLite database that no connection has open: it, and what lies beside it. */

#include "store/store.h"

/* Removes them all, those that are there. */
void store_remove_files(struct str filename);
/* Gives a database another name, which must be free, without anything beside it; it lasts. 0,
 * STORE_EXISTS, or a fault. */
int store_publish_file(struct str filename, struct str name);

#endif
