#include "model/upgrade.h"

#include <errno.h>

#include "base/fault.h"
#include "model/hidden.h"
#include "model/instance.h"
#include "model/system.h"

/*
 * What is missing is made, what was otherwise is altered, all in one transaction. An instance of
 * format 1 may have the tables of a later one already: its upgrade was cut off before the bootstrap
 * that follows it. So what is there is asked of the store, not of the state.
 *
 * Format 2 had no columns for the grid in the rows that describe tables, nothing that could lie in
 * the trash, and users' tables without hidden columns. Format 1 had no workspaces either, and
 * shorter first names.
 */

static const struct {
    enum system_table table;
    const char *column;
} added[] = {
    {SYSTEM_COLLECTIONS, "rowcast_label"},   {SYSTEM_COLLECTIONS, "rowcast_application"},
    {SYSTEM_COLLECTIONS, "rowcast_order"},   {SYSTEM_COLLECTIONS, "rowcast_junction"},
    {SYSTEM_COLLECTIONS, "rowcast_trashed"}, {SYSTEM_FIELDS, "rowcast_label"},
    {SYSTEM_FIELDS, "rowcast_kind"},         {SYSTEM_FIELDS, "rowcast_settings"},
    {SYSTEM_FIELDS, "rowcast_order"},        {SYSTEM_FIELDS, "rowcast_primary"},
    {SYSTEM_FIELDS, "rowcast_trashed"},      {SYSTEM_WORKSPACES, "trashed"},
    {SYSTEM_APPLICATIONS, "trashed"},
};

static bool is_added(enum system_table which, struct str column)
{
    for (size_t i = 0; i < COUNT_OF(added); i++)
        if (added[i].table == which && str_equal(str_of(added[i].column), column))
            return true;
    return false;
}

/* A system table as it was, and where its columns of today come from. */
struct former {
    struct shape shape;
    struct column columns[COLUMNS_MAX];
    struct str from[COLUMNS_MAX];
};

static struct former *former_table(struct arena *a, enum system_table which)
{
    const struct shape *today = &system_table(which)->shape;
    struct former *f = ARENA_NEW(a, struct former);

    f->shape = *today;
    f->shape.columns = f->columns;
    f->shape.count = 0;
    for (size_t i = 0; i < today->count; i++) {
        if (is_added(which, today->columns[i].name))
            continue;
        f->from[i] = today->columns[i].name;
        f->columns[f->shape.count] = today->columns[i];
        f->columns[f->shape.count].index = (unsigned)f->shape.count;
        f->shape.count++;
    }
    return f;
}

static int alter(struct store *s, enum system_table which, const struct former *before)
{
    return store_alter_table(s, &before->shape, &system_table(which)->shape, before->from);
}

static int lengthen_names(struct store *s, struct arena *a)
{
    enum { NAME_LENGTH_BEFORE = 50 };
    struct former *users = former_table(a, SYSTEM_USERS);

    users->columns[system_column(SYSTEM_USERS, "first_name")].length_max = NAME_LENGTH_BEFORE;
    return alter(s, SYSTEM_USERS, users);
}

/* Tables that are not there come as they are today. */
static int create_missing(struct store *s, enum system_table which, bool *there_out)
{
    const struct shape *shape = &system_table(which)->shape;

    int rc = store_table_exists(s, shape->name, there_out);
    return rc == 0 && !*there_out ? store_create_table(s, shape) : rc;
}

static int place_system_tables(struct store *s, struct arena *a, bool has_grid)
{
    bool there[SYSTEM_TABLE_COUNT] = {false};
    int rc = 0;

    for (unsigned which = 0; which < SYSTEM_TABLE_COUNT && rc == 0; which++)
        rc = create_missing(s, which, &there[which]);
    for (unsigned which = 0; which < SYSTEM_TABLE_COUNT && rc == 0 && !has_grid; which++) {
        struct former *before = former_table(a, which);
        if (!there[which] || before->shape.count == system_table(which)->shape.count)
            continue;
        if (which == SYSTEM_FIELDS) /* there was none without a column */
            before->columns[system_column(which, "rowcast_type")].nullable = false;
        rc = alter(s, which, before);
    }
    return rc;
}

/* ---- users' tables ---- */

/* Rows stand in the order of their keys; who made them, and when, nobody knows. */
static int number_rows(struct store *s, const struct table *t)
{
    static const enum hidden numbered[] = {HIDDEN_ORDER, HIDDEN_NUMBER};
    const struct order by_key = {.column = table_key(t)};
    int rc = 0;

    for (size_t i = 0; i < COUNT_OF(numbered) && rc == 0; i++) {
        const struct column *c = table_hidden(t, numbered[i]);
        if (c)
            rc = store_renumber(s, &t->shape, c, &by_key, 1);
    }
    return rc;
}

static int add_hidden_columns(struct store *s, struct arena *a, const struct table *t)
{
    struct shape before = t->shape;
    struct str *from = ARENA_ARRAY(a, struct str, t->shape.count);

    before.count = t->declared;
    for (size_t i = 0; i < t->declared; i++)
        from[i] = t->shape.columns[i].name;
    int rc = store_alter_table(s, &before, &t->shape, from);
    return rc == 0 ? number_rows(s, t) : rc;
}

static int upgrade_users_tables(struct store *s, struct arena *a, int64_t version)
{
    AUTO(catalogue_unref) struct catalogue *c = NULL;

    int rc = catalogue_load(s, version, &c);
    for (size_t i = 0; rc == 0 && i < c->table_count; i++)
        if (!c->tables[i]->system)
            rc = add_hidden_columns(s, a, c->tables[i]);
    return rc;
}

int upgrade_tables(struct store *s, struct journal_state *state)
{
    AUTO(arena_free) struct arena *a = arena_new();
    bool has_grid; /* its tables came in one transaction with all that it needs elsewhere */

    int rc = store_table_exists(s, system_table(SYSTEM_TRASH)->shape.name, &has_grid);
    if (rc == 0)
        rc = place_system_tables(s, a, has_grid);
    if (rc == 0 && state->format < FORMAT_WORKSPACES)
        rc = lengthen_names(s, a);
    if (rc == 0 && !has_grid)
        rc = upgrade_users_tables(s, a, state->catalogue_version);
    if (rc > 0)
        return FAULT_BECAUSE(EBADMSG, "the tables cannot be brought up to date (%d)", rc);
    if (rc == 0 && state->format >= FORMAT_WORKSPACES) {
        state->format = FORMAT;
        rc = journal_state_write(s, state);
    }
    return rc;
}
