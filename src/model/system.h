#ifndef MODEL_SYSTEM_H
#define MODEL_SYSTEM_H

/*
 * The system tables: one static table of definitions (directus.md G.2), from which they are made at
 * first start and served like any other table (same items operations, permissions, journal, push).
 */

#include "model/catalogue.h"

enum system_table {
    SYSTEM_COLLECTIONS,
    SYSTEM_FIELDS,
    SYSTEM_RELATIONS,
    SYSTEM_USERS,
    SYSTEM_ROLES,
    SYSTEM_POLICIES,
    SYSTEM_ACCESS,
    SYSTEM_PERMISSIONS,
    SYSTEM_SESSIONS, /* refresh tokens; never readable, never pushed */
    SYSTEM_STATE,    /* one row: epoch, journal head, commit number, catalogue version; internal */
    SYSTEM_JOURNAL,  /* internal */
    SYSTEM_TABLE_COUNT
};
/* The static definition; lives as long as the program. Internal tables are in no catalogue. */
const struct table *system_table(enum system_table which);
/* Index of a column of a system table; asserts that it is there. */
unsigned system_column(enum system_table which, const char *name);
bool system_is(const struct table *t,
               enum system_table which); /* true for a catalogue's copy too */

/* The fixed id of the public policy (F.1). */
#define PUBLIC_POLICY STR("abf8a154-5b1c-4a46-ac9c-7300570f4f17")

#endif
