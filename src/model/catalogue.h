#ifndef MODEL_CATALOGUE_H
#define MODEL_CATALOGUE_H

/*
 * The catalogue: tables, fields, relations, roles, policies and permission rows at one moment.
 *
 * An immutable, reference-counted snapshot in memory; any thread may hold one. It is read from the
 * system tables; a change of those is a commit like any other, after which a new snapshot is
 * published with a higher version. Everything in it lives in its arena.
 * Tables are named as on the wire: users' collections by their SQL name, system tables as
 * `directus_…` (SQL: `rowcast_…`), because permission rows speak of both by these names.
 */

#include <stdatomic.h>
#include <stdbool.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/json.h"
#include "base/map.h"
#include "store/store.h"
#include "store/type.h"

/* Special flags of a field (directus.md G.5). */
enum special {
    SPECIAL_UUID = 1 << 0,
    SPECIAL_DATE_CREATED = 1 << 1,
    SPECIAL_DATE_UPDATED = 1 << 2,
    SPECIAL_USER_CREATED = 1 << 3,
    SPECIAL_USER_UPDATED = 1 << 4,
    SPECIAL_ROLE_CREATED = 1 << 5,
    SPECIAL_ROLE_UPDATED = 1 << 6,
    SPECIAL_HASH = 1 << 7,
    SPECIAL_CONCEAL = 1 << 8,
    SPECIAL_CAST_BOOLEAN = 1 << 9,
    SPECIAL_CAST_JSON = 1 << 10,
    SPECIAL_CAST_CSV = 1 << 11,
    SPECIAL_M2O = 1 << 12,
    SPECIAL_TOKEN = 1 << 13,      /* ours: stored as SHA-256, for tokens that are looked up */
    SPECIAL_AUTONUMBER = 1 << 14, /* ours: counted up by rows_insert() */
};
bool special_find(struct str name, enum special *special_out);
unsigned special_bits(struct str flags); /* of comma text, as directus_fields.special holds it */

struct table;
struct field {
    struct str name;
    const struct column
        *column; /* &table->shape.columns[i]; i is also the field's place in table->fields */
    const struct table *table;
    unsigned special; /* bits of enum special */
    bool required;    /* meta.required */
    bool searchable;
    bool hidden;              /* field_hidden */
    const json_t *validation; /* filter JSON that submitted values must satisfy; NULL: none */
};

struct table {
    struct str name;            /* on the wire */
    struct shape shape;         /* SQL name, columns, key */
    const struct field *fields; /* shape.count of them, by column index */
    unsigned declared; /* users' tables: so many columns come before the hidden ones (hidden.h) */
    bool singleton, system;
    bool generates; /* fields get values from rows_insert(): SPECIAL_UUID or SPECIAL_AUTONUMBER */
    struct str sort_field;     /* absent: none */
    struct str accountability; /* "all", "activity"; absent: none */
    int64_t id; /* stable number of the table within its instance; system tables: negative */
};
const struct field *table_field(const struct table *t, struct str name); /* NULL: none */
/* A column that no dialect shows, takes or lists as a field: one of our own (`rowcast_…`), or of a
 * field that lies in the trash, of which the store keeps the values. */
static inline bool field_hidden(const struct field *f)
{
    return f->hidden;
}
static inline const struct column *table_key(const struct table *t)
{
    return &t->shape.columns[t->shape.key];
}

/* Its value is told as SECRET_SET or null, and is not compared, searched or sorted by. */
static inline bool field_is_concealed(const struct field *f)
{
    return f->column->secret || (f->special & SPECIAL_CONCEAL);
}

/* A many-to-one: the many side owns it. */
struct relation {
    const struct table *many;
    const struct column *column; /* of many */
    const struct table *one;
    enum reference_action on_delete;
};

struct role {
    struct str id, name;
    const struct role *parent; /* NULL: a root; never a cycle */
};

struct permission {
    int64_t id; /* 0: built in */
    struct str collection;
    struct str action; /* "create", "read", "update", "delete", "share" */
    const json_t *permissions, *validation, *presets; /* NULL: none */
    const json_t *fields;                             /* array of strings; NULL: none */
};

struct policy {
    struct str id, name;
    bool admin_access, app_access, enforce_tfa;
    bool derived;         /* from membership (membership.h): no row, and told nobody */
    struct str ip_access; /* comma text; absent: everywhere */
    const struct permission *permissions;
    size_t permission_count;
};

/* A row of directus_access: a policy attached to a role, to a user, or (neither) to the public. */
struct attachment {
    const struct policy *policy;
    struct str role, user; /* absent: not set */
    int64_t sort;
};

struct grid;               /* grid/load.h: asked by grid/grid.h */
struct membership;         /* membership.h */
struct workspace_register; /* workspace/register.h: asked by workspace/workspace.h */

struct grants_cache; /* grants.c */
struct grants_cache *grants_cache_new(void);
void grants_cache_free(struct grants_cache *cache); /* accepts NULL */

struct catalogue {
    atomic_uint references;
    int64_t version; /* grows with every change of structure, access rows, or a user's identity */
    struct arena *arena;
    struct catalogue *base; /* holds what this one shares (catalogue_renew); NULL: its own arena */
    const struct table *const *tables; /* by name; system tables are system.h's own */
    size_t table_count;
    /* Users' tables that lie in the trash, themselves or what they are in: with columns and
     * references, but no relations. Not found by name. */
    const struct table *const *trashed;
    size_t trashed_count;
    const struct relation *relations;
    size_t relation_count;
    const struct role *const *roles;
    size_t role_count;
    const struct policy *const *policies;
    size_t policy_count;
    const struct attachment *attachments; /* by sort */
    size_t attachment_count;
    const struct workspace_register *workspaces; /* NULL: none, in a catalogue that was not read */
    const struct grid *grid;                     /* NULL: the same; asked by grid/grid.h */
    const struct membership *membership;         /* NULL: the same; asked by membership.h */
    struct map tables_by_name, roles_by_id, policies_by_id;
    struct grants_cache *grants; /* compiled on demand; has its own lock */
};

struct catalogue *catalogue_ref(const struct catalogue *c);
void catalogue_unref(struct catalogue *c);
AUTO_DEFINE(catalogue_unref, struct catalogue *)

const struct table *catalogue_table(const struct catalogue *c, struct str name); /* NULL: none */
/* The same of what lies in the trash. */
const struct table *catalogue_trashed_table(const struct catalogue *c, struct str name);
const struct role *catalogue_role(const struct catalogue *c, struct str id); /* NULL: none */
/* The relation that a column owns; NULL: it is none, or one of its ends lies in the trash. */
const struct relation *catalogue_relation(const struct catalogue *c, const struct column *column);

/* Reads all of it from the system tables (their shapes are system.h's). The caller owns the result.
 */
int catalogue_load(struct store *store, int64_t version, struct catalogue **catalogue_out);
/* The same content under another version, for when a user's identity changed but no table did. */
struct catalogue *catalogue_renew(const struct catalogue *c, int64_t version);

/* JSON of a cell, read into the arena; NULL for none and for {}. */
int catalogue_json(struct arena *a, struct str text, const json_t **json_out);

/*
 * What a row of directus_fields says of its column, and back: the one place that knows how a column
 * is written down. `index` and `reference` are not in the row: left to the caller. A row that makes
 * no sense is a fault.
 */
int column_from_row(struct arena *a, const struct value *row, struct column *column_out);
/* Sets the rowcast_… cells of a row; texts live in the arena. */
void column_to_row(struct arena *a, const struct column *c, struct value *row);

#endif
