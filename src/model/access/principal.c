#include "model/access/access.h"

#include "base/mem.h"
#include "model/access/grants.h"
#include "model/access/ip_list.h"
#include "model/membership.h"
#include "model/system.h"

static const char *const action_names[ACTION_COUNT] = {
    [ACTION_CREATE] = "create", [ACTION_READ] = "read",   [ACTION_UPDATE] = "update",
    [ACTION_DELETE] = "delete", [ACTION_SHARE] = "share",
};

const char *action_name(enum action a)
{
    return action_names[a];
}

bool action_find(struct str name, enum action *action_out)
{
    for (unsigned i = 0; i < ACTION_COUNT; i++)
        if (str_equal(name, str_of(action_names[i]))) {
            *action_out = (enum action)i;
            return true;
        }
    return false;
}

/* ---- life ---- */

struct principal *principal_ref(const struct principal *p)
{
    /* Constant to its users; the count is the one thing that changes. */
    struct principal *shared = (struct principal *)(uintptr_t)p;
    atomic_fetch_add_explicit(&shared->references, 1, memory_order_relaxed);
    return shared;
}

void principal_unref(struct principal *p)
{
    if (!p || atomic_fetch_sub_explicit(&p->references, 1, memory_order_acq_rel) != 1)
        return;
    struct catalogue *catalogue = p->catalogue;
    arena_free(p->arena); /* the principal lives in it */
    catalogue_unref(catalogue);
}

static struct principal *principal_new(const struct catalogue *c, struct str ip)
{
    struct arena *arena = arena_new();
    struct principal *p = ARENA_NEW(arena, struct principal);

    atomic_init(&p->references, 1);
    p->arena = arena;
    p->catalogue = catalogue_ref(c);
    p->ip = arena_str(arena, ip);
    return p;
}

/* ---- who it is ---- */

static void take_user(struct principal *p, const struct value *row)
{
    const struct shape *shape = &system_table(SYSTEM_USERS)->shape;
    struct value *image = value_copy_row(p->arena, row, shape->count);

    for (size_t i = 0; i < shape->count; i++)
        if (shape->columns[i].secret && !value_is_null(&image[i]))
            image[i] = value_text(SECRET_SET);
    p->user_row = image;
    p->user = system_text(SYSTEM_USERS, image, "id");
    p->role = system_text(SYSTEM_USERS, image, "role");
}

/* The chain from the root ancestor down to the own role (F.2). A catalogue has no rings. */
static void take_roles(struct principal *p)
{
    const struct role *own = p->role.at ? catalogue_role(p->catalogue, p->role) : NULL;
    const struct role **roles;

    for (const struct role *r = own; r; r = r->parent)
        p->role_count++;
    roles = ARENA_ARRAY(p->arena, const struct role *, p->role_count);
    size_t place = p->role_count;
    for (const struct role *r = own; r; r = r->parent)
        roles[--place] = r;
    p->roles = roles;
}

/* ---- policies in effect (F.3) ---- */

struct match {
    size_t place; /* of the role in the chain, root first; the user's own come last */
    const struct attachment *attachment;
};

/* Is the attachment this principal's, and at which place? */
static bool attachment_place(const struct principal *p, const struct attachment *a,
                             size_t *place_out)
{
    if (!a->role.at && !a->user.at) { /* the public's: for who has no role */
        *place_out = 0;
        return p->role_count == 0;
    }
    for (size_t i = 0; a->role.at && i < p->role_count; i++)
        if (str_equal(a->role, p->roles[i]->id)) {
            *place_out = i;
            return true;
        }
    *place_out = p->role_count + 1;
    return a->user.at && p->user.at && str_equal(a->user, p->user);
}

static bool has_policy(const struct principal *p, const struct policy *policy)
{
    for (size_t i = 0; i < p->policy_count; i++)
        if (p->policies[i] == policy)
            return true;
    return false;
}

/* The public's policies make nobody an admin (F.2). */
static void take_flags(struct principal *p, const struct attachment *a)
{
    if (!a->role.at && !a->user.at)
        return;
    p->admin |= a->policy->admin_access;
    p->app |= a->policy->admin_access || a->policy->app_access;
}

static void take_policies(struct principal *p)
{
    const struct catalogue *c = p->catalogue;
    size_t count = 0, place, member_count;
    const struct policy *const *member = membership_policies(c, p->arena, p->user, &member_count);

    for (size_t i = 0; i < c->attachment_count; i++)
        count += attachment_place(p, &c->attachments[i], &place);
    struct match *matches = ARENA_ARRAY(p->arena, struct match, count);
    const struct policy **policies =
        ARENA_ARRAY(p->arena, const struct policy *, count + member_count);

    count = 0;
    for (size_t i = 0; i < c->attachment_count; i++) {
        if (!attachment_place(p, &c->attachments[i], &place))
            continue;
        size_t at = count++; /* by place, and within one place in the catalogue's order */
        for (; at > 0 && matches[at - 1].place > place; at--)
            matches[at] = matches[at - 1];
        matches[at] = (struct match){place, &c->attachments[i]};
    }
    p->policies = policies;
    for (size_t i = 0; i < count; i++) {
        const struct attachment *a = matches[i].attachment;
        if (a->policy->ip_access.at && !ip_list_has(a->policy->ip_access, p->ip))
            continue;
        take_flags(p, a);
        if (!has_policy(p, a->policy)) /* else it is in effect by another way already */
            policies[p->policy_count++] = a->policy;
    }
    for (size_t i = 0; i < member_count; i++)
        policies[p->policy_count++] = member[i];
}

/* ---- makers ---- */

struct principal *principal_user(const struct catalogue *c, const struct value *user_row,
                                 struct str ip)
{
    struct principal *p = principal_new(c, ip);

    if (user_row)
        take_user(p, user_row);
    take_roles(p);
    take_policies(p);
    if (!p->admin)
        grants_attach(p);
    return p;
}

struct principal *principal_public(const struct catalogue *c, struct str ip)
{
    return principal_user(c, NULL, ip);
}

struct principal *principal_system(const struct catalogue *c)
{
    struct principal *p = principal_new(c, STR_NULL);

    p->admin = p->app = true;
    return p;
}

/* What nobody may do, whatever rules say: touch an internal table, or change structure as if it
 * were items. */
static bool is_out_of_reach(const struct table *t, enum action action)
{
    for (unsigned which = 0; t->system && which < SYSTEM_TABLE_COUNT; which++)
        if (system_is(t, which))
            return system_is_internal(which) ||
                   (system_is_structure(which) && action != ACTION_READ && action != ACTION_SHARE);
    return false;
}

const struct grant *principal_grant(const struct principal *p, const struct table *t,
                                    enum action action)
{
    if (is_out_of_reach(t, action))
        return NULL;
    return p->admin ? &grant_all : grants_find(p, t, action);
}
