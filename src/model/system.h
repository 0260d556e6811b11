#ifndef MODEL_SYSTEM_H
#define MODEL_SYSTEM_H

/*
 * The system tables: one static table of definitions (directus.md G.2), from which they are made at
 * first start and served like any other table (same items operations, permissions, journal, push).
 *
 * Their columns are those of G.2 in that order, then our own, whose names begin with `rowcast_` and
 * which no dialect shows (field_hidden): rowcast_fields carries a field's column definition,
 * rowcast_relations the action on delete, rowcast_collections the number of the table. The alias
 * fields of G.2 (children, policies, users, permissions) have no column and are not here.
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
    SYSTEM_SESSIONS, /* refresh tokens; never readable, never pushed: in no catalogue */
    SYSTEM_STATE,    /* one row: epoch, journal head, commit number, catalogue version; internal */
    SYSTEM_JOURNAL,  /* internal */
    SYSTEM_WORKSPACES, /* from here on: workspace/workspace.h; the catalogue has them in its way */
    SYSTEM_ACCOUNTS,
    SYSTEM_MEMBERS,
    SYSTEM_INVITATIONS,
    SYSTEM_APPLICATIONS,
    SYSTEM_BLACKLIST, /* refresh tokens that were given back */
    SYSTEM_OPTIONS,   /* of the instance, as its staff set them (workspace/options.h) */
    SYSTEM_TRASH,     /* from here on: grid/ */
    SYSTEM_HISTORY,   /* of rows; not in the journal, of which it is a projection */
    SYSTEM_TOKENS,
    SYSTEM_TABLE_COUNT
};
/* The static definition; lives as long as the program. Any thread. A catalogue holds these very
 * tables, except the internal ones, which are in no catalogue. */
const struct table *system_table(enum system_table which);
static inline bool system_is_internal(enum system_table which)
{
    return which >= SYSTEM_SESSIONS;
}
/* What its columns refer to is followed, and recorded, when rows are deleted: an internal table is
 * told of to no client, but workspaces have to know who has gone. */
static inline bool system_is_followed(enum system_table which)
{
    return !system_is_internal(which) || which >= SYSTEM_WORKSPACES;
}
/* Its rows describe tables, and change together with these only (schema.h). */
static inline bool system_is_structure(enum system_table which)
{
    return which <= SYSTEM_RELATIONS;
}
/* Index of a column of a system table; asserts that it is there. */
unsigned system_column(enum system_table which, const char *name);
bool system_is(const struct table *t,
               enum system_table which); /* true for a catalogue's copy too */
/* By SQL name, those that a catalogue has; NULL: none. */
const struct table *system_find(struct str sql_name);

/* A cell of a row of a system table, by the column's name: absent or 0 where it is null. */
struct str system_text(enum system_table which, const struct value *row, const char *column);
int64_t system_integer(enum system_table which, const struct value *row, const char *column);
bool system_user_is_active(const struct value *user); /* a row of SYSTEM_USERS */
const struct expr *system_test(struct arena *a, enum system_table which, const char *column,
                               enum operator op, struct value value);

/* Whole rows of a system table, by column index; in the arena. */
struct system_rows {
    const struct value **at;
    size_t count;
};
/* where NULL: all rows. Ordered by `order` (NULL: the key), the key breaking ties. */
int system_rows(struct store *s, struct arena *a, enum system_table which, const struct expr *where,
                const char *order, struct system_rows *rows_out);

/* The fixed id of the public policy (F.1). */
#define PUBLIC_POLICY STR("abf8a154-5b1c-4a46-ac9c-7300570f4f17")

#endif
