#ifndef MODEL_ACCESS_ACCESS_H
#define MODEL_ACCESS_ACCESS_H

/*
 * Who may do what. Roles, policies and permission rows compile to one form, the grant: which rows,
 * which fields, which checks and presets, for one action on one table (directus.md F).
 * A grant is lowered into the statement; nothing is filtered after the fact.
 */

#include "base/json.h"
#include "model/catalogue.h"
#include "model/model.h"
#include "store/expr.h"

enum action {
    ACTION_CREATE,
    ACTION_READ,
    ACTION_UPDATE,
    ACTION_DELETE,
    ACTION_SHARE,
    ACTION_COUNT
};
const char *action_name(enum action a);
bool action_find(struct str name, enum action *action_out);

/* One permission row as compiled for a principal. */
struct grant_rule {
    const struct expr *rows;  /* expr_true: all */
    struct column_set fields; /* all bits for "*" */
    /* As the permission row has them, shared by all principals: whoever uses them replaces their
     * variables with principal_substitute(). NULL: none (null or {}). */
    const json_t *validation, *presets;
};
struct grant {
    const struct expr *rows;  /* any rule's rows: the union */
    struct column_set fields; /* granted by any rule */
    /* By column: NULL where granted for every row that `rows` lets through; else the condition.
     * Only meaningful for columns in `fields`. */
    const struct expr *const *masks;
    const struct grant_rule *rules;
    size_t rule_count;
    bool unconditional;   /* rows is expr_true and every granted field is without mask */
    bool all_fields;      /* some rule says "*" */
    struct str class_key; /* read: equal keys, equal sight: the permission class (DESIGN.md, 5) */
};

/*
 * A principal: immutable snapshot of who acts. Reference-counted; any thread. Holds its catalogue.
 */
struct principal {
    atomic_uint references;
    struct catalogue *catalogue;
    struct arena *arena;
    struct str user; /* id; absent: public */
    const struct value
        *user_row;   /* image by column of SYSTEM_USERS (secrets masked); NULL: public */
    struct str role; /* absent: none */
    const struct role *const *roles; /* the chain, root first */
    size_t role_count;
    const struct policy *const *policies; /* in effect, in order (F.3) */
    size_t policy_count;
    bool admin, app;
    struct str ip;         /* for ip_access; absent: unknown */
    struct str credential; /* SHA-256 of the static token it came by; absent: by other means */
    const struct grants *grants;         /* of its policies: shared; NULL: an admin's */
    const struct grant *const *personal; /* those of them that depend on the user, by place */
};
struct principal *principal_ref(const struct principal *p);
void principal_unref(struct principal *p);
AUTO_DEFINE(principal_unref, struct principal *)

/* The public, a user (its row's image by column of SYSTEM_USERS), and the instance itself (an admin
 * without a user: command line, first start). New references. Never fail: a rule that does not
 * compile grants nothing and is logged at debug. */
struct principal *principal_public(const struct catalogue *c, struct str ip);
struct principal *principal_user(const struct catalogue *c, const struct value *user_row,
                                 struct str ip);
struct principal *principal_system(const struct catalogue *c);

/* The grant; NULL when there is none (FORBIDDEN). Borrowed from the principal. Admins get
 * everything but internal tables; the tables of structure are read only for all (schema.h). */
const struct grant *principal_grant(const struct principal *p, const struct table *t,
                                    enum action action);

/*
 * Grants compiled for one catalogue, kept in it and shared by all principals with the same policies
 * in effect. What depends on the user is not kept here but with the principal, and the number of
 * entries is bounded. Has its own lock. Lives as long as its catalogue, which every principal
 * holds.
 */
struct grants_cache *grants_cache_new(void);
void grants_cache_free(struct grants_cache *cache);

/* The built-in rows that app access adds (directus.md F.6); those of the arena. Never fails. */
const struct permission *access_app_permissions(struct arena *a, size_t *count_out);

/* Replaces $NOW, $CURRENT_USER, … in a JSON value (E.4) for presets and validation; a list in a
 * list of _in or _nin is spread. Borrowed from the arena, or the very value when it has no
 * variable. NULL gives NULL. */
const json_t *principal_substitute(const struct principal *p, struct arena *a, const json_t *value,
                                   int64_t now_ms);
/* The value of a variable such as "$CURRENT_USER.role"; NULL: no such variable, or a secret. Lists
 * are arrays. $NOW is none of these: it moves (filter.h). */
const json_t *principal_variable(const struct principal *p, struct arena *a, struct str name);

#endif
