#include "model/membership.h"

#include "base/mem.h"
#include "model/grid/load.h"
#include "model/workspace/register.h"

struct membership {
    const struct policy **policies; /* side by side with the workspaces */
    const int64_t *workspaces;      /* by id */
    size_t count;
};

static const char *const actions[] = {"create", "read", "update", "delete"};

struct making {
    const struct catalogue *catalogue;
    const json_t *all_fields;
    struct permission *permissions;
    size_t count;
};

static void allow(struct making *m, const struct table *t)
{
    for (size_t i = 0; i < COUNT_OF(actions); i++)
        m->permissions[m->count++] = (struct permission){
            .collection = t->name, .action = str_of(actions[i]), .fields = m->all_fields};
}

/* A pair of related fields has one junction: the next one in the list tells of it again. */
static bool is_last_of_junction(const struct grid *g, size_t at)
{
    return at + 1 == g->junction_count || g->junctions[at + 1].table != g->junctions[at].table;
}

/* Tables of the workspace and what holds their links; the rows of these are its members' too. */
static void allow_tables(struct making *m, const struct workspace *w)
{
    const struct grid *g = m->catalogue->grid;

    for (size_t i = 0; i < g->table_count; i++)
        if (g->tables[i].application->workspace == w)
            allow(m, g->tables[i].table);
    for (size_t i = 0; i < g->junction_count; i++) {
        const struct grid_field *f = g->junctions[i].field;
        if (is_last_of_junction(g, i) && f->table->application->workspace == w)
            allow(m, f->link->junction);
    }
}

static const struct policy *make_policy(struct making *m, const struct workspace *w)
{
    struct arena *a = m->catalogue->arena;
    struct policy *p = ARENA_NEW(a, struct policy);
    size_t first = m->count;

    allow_tables(m, w);
    p->id = p->name = arena_printf(a, "workspace:%lld", (long long)w->id);
    p->derived = true;
    p->permissions = &m->permissions[first];
    p->permission_count = m->count - first;
    return p;
}

static const json_t *all_fields(struct arena *a)
{
    json_t *fields = json_pack("[s]", "*");

    if (!fields)
        mem_exhausted();
    arena_on_free(a, json_release, fields);
    return fields;
}

const struct membership *membership_load(const struct catalogue *c)
{
    struct membership *into = ARENA_NEW(c->arena, struct membership);
    size_t tables = c->grid->table_count + c->grid->junction_count;
    size_t count = catalogue_workspaces(c, NULL);
    const struct workspace **workspaces = ARENA_ARRAY(c->arena, const struct workspace *, count);
    int64_t *ids = ARENA_ARRAY(c->arena, int64_t, count);
    struct making m = {
        .catalogue = c,
        .all_fields = all_fields(c->arena),
        .permissions = ARENA_ARRAY(c->arena, struct permission, tables * COUNT_OF(actions)),
    };

    catalogue_workspaces(c, workspaces);
    into->policies = ARENA_ARRAY(c->arena, const struct policy *, count);
    for (size_t i = 0; i < count; i++) {
        ids[i] = workspaces[i]->id;
        into->policies[i] = make_policy(&m, workspaces[i]);
    }
    into->workspaces = ids;
    into->count = count;
    return into;
}

static const struct policy *policy_of(const struct membership *m, int64_t workspace)
{
    size_t low = 0, high = m->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (m->workspaces[middle] == workspace)
            return m->policies[middle];
        if (m->workspaces[middle] < workspace)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const struct policy *const *membership_policies(const struct catalogue *c, struct arena *a,
                                                struct str user, size_t *count_out)
{
    const struct policy **policies;
    int64_t *ids;
    size_t count = 0;

    *count_out = 0;
    if (!c->membership || !user.at)
        return NULL;
    const struct member *const *members = catalogue_memberships(c, user, &count);
    policies = ARENA_ARRAY(a, const struct policy *, count);
    ids = ARENA_ARRAY(a, int64_t, count);
    for (size_t i = 0; i < count; i++) { /* they come in the user's own order */
        int64_t id = members[i]->workspace->id;
        size_t at = i;
        for (; at > 0 && ids[at - 1] > id; at--)
            ids[at] = ids[at - 1];
        ids[at] = id;
    }
    for (size_t i = 0; i < count; i++)
        policies[i] = policy_of(c->membership, ids[i]);
    *count_out = count;
    return policies;
}
