#include "model/workspace/register.h"

#include <errno.h>

#include "base/fault.h"
#include "model/workspace/internal.h"

/*
 * Arrays by id, and pointers into them in the orders that are asked for. A member carries the name
 * and e-mail of its user, because what is told of it is told where no row can be read; so a change
 * of these brings a new catalogue, too.
 */

struct workspace_register {
    struct workspace *workspaces; /* by id, like the next two */
    struct member *members;
    struct application *applications;
    size_t workspace_count, member_count, application_count;
    const struct member **by_user; /* by user, order, id */
    /* What lies in the trash, and so is in none of these: applications also for their workspace's
     * sake. By id. */
    int64_t *trashed_workspaces, *trashed_applications;
    size_t trashed_workspace_count, trashed_application_count;
};

/* ---- looking up ---- */

/* In an array of things that begin with their id, by it. */
static void *find(const void *array, size_t count, size_t size, int64_t id)
{
    size_t low = 0, high = count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const void *at = (const char *)array + middle * size;
        int64_t its = *(const int64_t *)at;
        if (its == id)
            return (void *)(uintptr_t)at;
        if (its < id)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

#define FIND(array, count, id) find((array), (count), sizeof(*(array)), (id))

const struct workspace *catalogue_workspace(const struct catalogue *c, int64_t id)
{
    const struct workspace_register *r = c->workspaces;
    return r ? FIND(r->workspaces, r->workspace_count, id) : NULL;
}

size_t catalogue_workspaces(const struct catalogue *c, const struct workspace **into)
{
    const struct workspace_register *r = c->workspaces;

    for (size_t i = 0; into && i < r->workspace_count; i++)
        into[i] = &r->workspaces[i];
    return r->workspace_count;
}

bool workspace_register_is_trashed(const struct workspace_register *r, int64_t application)
{
    return FIND(r->trashed_applications, r->trashed_application_count, application) != NULL;
}

const struct application *catalogue_application(const struct catalogue *c, int64_t id)
{
    const struct workspace_register *r = c->workspaces;
    return r ? FIND(r->applications, r->application_count, id) : NULL;
}

const struct member *catalogue_member(const struct catalogue *c, int64_t id)
{
    const struct workspace_register *r = c->workspaces;
    return r ? FIND(r->members, r->member_count, id) : NULL;
}

const struct member *const *catalogue_memberships(const struct catalogue *c, struct str user,
                                                  size_t *count_out)
{
    const struct workspace_register *r = c->workspaces;
    size_t low = 0, high = r ? r->member_count : 0, end;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (str_compare(r->by_user[middle]->user, user) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (end = low; r && end < r->member_count && str_equal(r->by_user[end]->user, user);)
        end++;
    *count_out = end - low;
    return end > low ? &r->by_user[low] : NULL;
}

const struct member *workspace_member(const struct workspace *w, struct str user)
{
    for (size_t i = 0; i < w->member_count; i++)
        if (str_equal(w->members[i]->user, user))
            return w->members[i];
    return NULL;
}

/* ---- loading ---- */

struct loading {
    struct store *store;
    struct arena *arena;
    struct arena *scratch; /* rows of users, which hold more than is kept */
    struct workspace_register *into;
};

static int load_workspaces(struct loading *l)
{
    struct workspace_register *r = l->into;
    struct system_rows rows;
    int rc = system_rows(l->store, l->arena, SYSTEM_WORKSPACES, NULL, NULL, &rows);
    if (rc != 0)
        return rc;

    r->workspaces = ARENA_ARRAY(l->arena, struct workspace, rows.count);
    r->trashed_workspaces = ARENA_ARRAY(l->arena, int64_t, rows.count);
    for (size_t i = 0; i < rows.count; i++) {
        int64_t id = system_integer(SYSTEM_WORKSPACES, rows.at[i], "id");
        if (system_integer(SYSTEM_WORKSPACES, rows.at[i], "trashed") != 0)
            r->trashed_workspaces[r->trashed_workspace_count++] = id;
        else
            r->workspaces[r->workspace_count++] = (struct workspace){
                .id = id, .name = system_text(SYSTEM_WORKSPACES, rows.at[i], "name")};
    }
    return 0;
}

static bool in_trash(const struct workspace_register *r, int64_t workspace)
{
    return FIND(r->trashed_workspaces, r->trashed_workspace_count, workspace) != NULL;
}

static int load_applications(struct loading *l)
{
    struct workspace_register *r = l->into;
    struct system_rows rows;
    int rc = system_rows(l->store, l->arena, SYSTEM_APPLICATIONS, NULL, NULL, &rows);
    if (rc != 0)
        return rc;

    r->applications = ARENA_ARRAY(l->arena, struct application, rows.count);
    r->trashed_applications = ARENA_ARRAY(l->arena, int64_t, rows.count);
    for (size_t i = 0; i < rows.count; i++) {
        const struct value *row = rows.at[i];
        int64_t id = system_integer(SYSTEM_APPLICATIONS, row, "id");
        int64_t workspace = system_integer(SYSTEM_APPLICATIONS, row, "workspace");
        if (in_trash(r, workspace) || system_integer(SYSTEM_APPLICATIONS, row, "trashed") != 0) {
            r->trashed_applications[r->trashed_application_count++] = id;
            continue;
        }
        struct application *a = &r->applications[r->application_count++];
        *a = (struct application){
            .id = id,
            .order = system_integer(SYSTEM_APPLICATIONS, row, "order"),
            .name = system_text(SYSTEM_APPLICATIONS, row, "name"),
            .type = system_text(SYSTEM_APPLICATIONS, row, "type"),
            .created_on = system_text(SYSTEM_APPLICATIONS, row, "created_on"),
            .workspace = FIND(r->workspaces, r->workspace_count, workspace),
        };
        if (!a->workspace)
            return FAULT_BECAUSE(EBADMSG, "an application belongs to no workspace");
    }
    return 0;
}

static int load_members(struct loading *l)
{
    struct workspace_register *r = l->into;
    struct system_rows rows;
    int rc = system_rows(l->store, l->arena, SYSTEM_MEMBERS, NULL, NULL, &rows);
    if (rc != 0)
        return rc;

    r->members = ARENA_ARRAY(l->arena, struct member, rows.count);
    for (size_t i = 0; i < rows.count; i++) {
        const struct value *row = rows.at[i];
        int64_t workspace = system_integer(SYSTEM_MEMBERS, row, "workspace");
        if (in_trash(r, workspace))
            continue;
        struct member *m = &r->members[r->member_count++];
        *m = (struct member){
            .id = system_integer(SYSTEM_MEMBERS, row, "id"),
            .account = system_integer(SYSTEM_MEMBERS, row, "account"),
            .user = system_text(SYSTEM_MEMBERS, row, "user"),
            .order = system_integer(SYSTEM_MEMBERS, row, "order"),
            .created_on = system_text(SYSTEM_MEMBERS, row, "created_on"),
            .workspace = FIND(r->workspaces, r->workspace_count, workspace),
        };
        if (!m->workspace || !member_role_find(system_text(SYSTEM_MEMBERS, row, "role"), &m->role))
            return FAULT_BECAUSE(EBADMSG, "member %lld has no workspace or no known role",
                                 (long long)m->id);
    }
    return 0;
}

/* ---- the people ---- */

enum { USERS_PER_STATEMENT = 500 };

/* The users of the members from `from` on, by id. */
static int read_users(struct loading *l, size_t from, size_t to, struct map *users)
{
    const struct shape *shape = &system_table(SYSTEM_USERS)->shape;
    const struct workspace_register *r = l->into;
    struct value ids[USERS_PER_STATEMENT];
    struct system_rows rows;

    for (size_t i = from; i < to; i++)
        ids[i - from] = value_text(r->members[i].user);
    const struct expr *where =
        expr_test(l->scratch, &shape->columns[shape->key], OP_IN, ids, to - from);
    int rc = system_rows(l->store, l->scratch, SYSTEM_USERS, where, NULL, &rows);
    for (size_t i = 0; rc == 0 && i < rows.count; i++) {
        const void *row = rows.at[i];
        map_put(users, system_text(SYSTEM_USERS, rows.at[i], "id"), (void *)(uintptr_t)row);
    }
    return rc;
}

static int read_people(struct loading *l, struct map *users, struct map *accounts)
{
    struct workspace_register *r = l->into;
    struct system_rows rows;
    int rc = 0;

    for (size_t from = 0; from < r->member_count && rc == 0; from += USERS_PER_STATEMENT) {
        size_t left = r->member_count - from;
        rc = read_users(l, from, from + (left < USERS_PER_STATEMENT ? left : USERS_PER_STATEMENT),
                        users);
    }
    if (rc == 0)
        rc = system_rows(l->store, l->scratch, SYSTEM_ACCOUNTS, NULL, NULL, &rows);
    for (size_t i = 0; rc == 0 && i < rows.count; i++) {
        const void *row = rows.at[i];
        map_put(accounts, system_text(SYSTEM_ACCOUNTS, rows.at[i], "user"), (void *)(uintptr_t)row);
    }
    return rc;
}

static int name_members(struct loading *l, const struct map *users, const struct map *accounts)
{
    struct workspace_register *r = l->into;

    for (size_t i = 0; i < r->member_count; i++) {
        struct member *m = &r->members[i];
        const struct value *user = map_get(users, m->user);
        const struct value *account = map_get(accounts, m->user);
        if (!user || !account)
            return FAULT_BECAUSE(EBADMSG, "member %lld is nobody", (long long)m->id);
        m->name = arena_str(l->arena, person_name(l->scratch, user));
        m->email = arena_str(l->arena, system_text(SYSTEM_USERS, user, "email"));
        m->active = system_user_is_active(user);
        m->leaving = system_integer(SYSTEM_ACCOUNTS, account, "deletion") != 0;
    }
    return 0;
}

static int load_people(struct loading *l)
{
    struct map users = {0}, accounts = {0};

    if (l->into->member_count == 0)
        return 0;
    int rc = read_people(l, &users, &accounts);
    if (rc == 0)
        rc = name_members(l, &users, &accounts);
    map_deinit(&users);
    map_deinit(&accounts);
    return rc;
}

/* ---- orders ---- */

static int compare_numbers(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int by_workspace(const void *x, const void *y)
{
    const struct member *const *a = x, *const *b = y;
    int order = compare_numbers((*a)->workspace->id, (*b)->workspace->id);
    return order != 0 ? order : compare_numbers((*a)->id, (*b)->id);
}

static int by_user(const void *x, const void *y)
{
    const struct member *const *a = x, *const *b = y;
    int order = str_compare((*a)->user, (*b)->user);
    if (order == 0)
        order = compare_numbers((*a)->order, (*b)->order);
    return order != 0 ? order : compare_numbers((*a)->id, (*b)->id);
}

static int by_place(const void *x, const void *y)
{
    const struct application *const *a = x, *const *b = y;
    int order = compare_numbers((*a)->workspace->id, (*b)->workspace->id);
    if (order == 0)
        order = compare_numbers((*a)->order, (*b)->order);
    return order != 0 ? order : compare_numbers((*a)->id, (*b)->id);
}

static void order_members(struct loading *l)
{
    struct workspace_register *r = l->into;
    const struct member **members = ARENA_ARRAY(l->arena, const struct member *, r->member_count);
    size_t at = 0;

    r->by_user = ARENA_ARRAY(l->arena, const struct member *, r->member_count);
    for (size_t i = 0; i < r->member_count; i++)
        members[i] = r->by_user[i] = &r->members[i];
    qsort(members, r->member_count, sizeof(struct member *), by_workspace);
    qsort(r->by_user, r->member_count, sizeof(struct member *), by_user);
    for (size_t i = 0; i < r->workspace_count; i++) {
        struct workspace *w = &r->workspaces[i];
        w->members = &members[at];
        for (; at < r->member_count && members[at]->workspace == w; at++)
            w->member_count++;
    }
}

static void order_applications(struct loading *l)
{
    struct workspace_register *r = l->into;
    const struct application **list =
        ARENA_ARRAY(l->arena, const struct application *, r->application_count);
    size_t at = 0;

    for (size_t i = 0; i < r->application_count; i++)
        list[i] = &r->applications[i];
    qsort(list, r->application_count, sizeof(struct application *), by_place);
    for (size_t i = 0; i < r->workspace_count; i++) {
        struct workspace *w = &r->workspaces[i];
        w->applications = &list[at];
        for (; at < r->application_count && list[at]->workspace == w; at++)
            w->application_count++;
    }
}

int workspace_register_load(struct store *store, struct arena *a,
                            const struct workspace_register **register_out)
{
    AUTO(arena_free) struct arena *scratch = arena_new();
    struct workspace_register *r = ARENA_NEW(a, struct workspace_register);
    struct loading l = {.store = store, .arena = a, .scratch = scratch, .into = r};

    int rc = load_workspaces(&l);
    if (rc == 0)
        rc = load_members(&l);
    if (rc == 0)
        rc = load_people(&l);
    if (rc == 0)
        rc = load_applications(&l);
    if (rc != 0)
        return rc;
    order_members(&l);
    order_applications(&l);
    *register_out = r;
    return 0;
}

/* ---- what a commit touches ---- */

/* Columns of other tables that a member carries. */
static const struct {
    enum system_table table;
    const char *user; /* the column that says whose it is */
    const char *column;
} carried[] = {
    {SYSTEM_USERS, "id", "first_name"},    {SYSTEM_USERS, "id", "last_name"},
    {SYSTEM_USERS, "id", "email"},         {SYSTEM_USERS, "id", "status"},
    {SYSTEM_ACCOUNTS, "user", "deletion"},
};

static bool touches_member(const struct commit *commit, const struct change *c)
{
    size_t count = 0;

    for (size_t i = 0; i < COUNT_OF(carried) && count == 0; i++)
        if (system_is(c->table, carried[i].table) &&
            column_set_has(&c->changed, system_column(carried[i].table, carried[i].column)))
            catalogue_memberships(commit->catalogue,
                                  system_text(carried[i].table, c->before, carried[i].user),
                                  &count);
    return count > 0;
}

bool workspace_register_touched(const struct commit *commit)
{
    static const enum system_table tables[] = {SYSTEM_WORKSPACES, SYSTEM_MEMBERS,
                                               SYSTEM_APPLICATIONS};

    for (size_t i = 0; i < commit->count; i++) {
        const struct change *c = commit->changes[i];
        if (!c->table->system)
            continue;
        for (size_t t = 0; t < COUNT_OF(tables); t++)
            if (system_is(c->table, tables[t]))
                return true;
        /* Who goes takes its memberships along, in changes of their own. */
        if (c->kind == CHANGE_UPDATE && touches_member(commit, c))
            return true;
    }
    return false;
}
