#include <errno.h>

#include "base/fault.h"
#include "model/instance.h"
#include "model/system.h"

/* What `rowcast check` tells: everything is looked at in one read transaction. */

struct checking {
    struct model_check *check;
    struct arena *arena;
    struct store *store;
    const struct catalogue *catalogue;
    void (*report)(void *context, struct str finding);
    void *context;
    int64_t commit, position; /* of the journal entry before */
};

static void find(void *context, struct str finding)
{
    struct checking *c = context;

    c->check->findings++;
    c->report(c->context, finding);
}

#define FIND(c, ...) find((c), arena_printf((c)->arena, __VA_ARGS__))

/* ---- the journal ---- */

static int check_entry(void *context, const struct journal_entry *e)
{
    struct checking *c = context;
    struct model_check *check = c->check;
    bool first = check->entries == 0;
    bool next_of_commit = e->commit == c->commit && e->position == c->position + 1;
    bool next_commit = e->commit == c->commit + 1 && e->position == 0;

    if (first)
        check->first = e->sequence;
    else if (e->sequence != check->last + 1)
        FIND(c, "the journal lacks entries %lld to %lld", (long long)check->last + 1,
             (long long)e->sequence - 1);
    /* Retention may have taken the beginning of the first commit. */
    if (!first && !next_of_commit && !next_commit)
        FIND(c,
             "journal entry %lld is change %lld of commit %lld, after change %lld of commit %lld",
             (long long)e->sequence, (long long)e->position, (long long)e->commit,
             (long long)c->position, (long long)c->commit);
    check->last = e->sequence;
    check->entries++;
    c->commit = e->commit;
    c->position = e->position;
    return 0;
}

static int check_journal(struct checking *c)
{
    struct journal_state state;
    int rc = journal_state_read(c->store, c->arena, &state);
    if (rc != 0)
        return rc;

    c->check->epoch = state.epoch;
    c->check->commits = state.commits;
    rc = journal_read(c->store, 0, -1, check_entry, c);
    if (rc != 0)
        return rc;
    if (c->check->entries == 0) { /* retention may have taken all of it */
        c->check->last = state.head;
        return 0;
    }
    if (c->check->last != state.head)
        FIND(c, "the journal ends at entry %lld, its head is at %lld", (long long)c->check->last,
             (long long)state.head);
    if (c->commit != state.commits)
        FIND(c, "the journal ends at commit %lld, the last one was %lld", (long long)c->commit,
             (long long)state.commits);
    return 0;
}

/* ---- the tables ---- */

static int no_row(void *context, const struct value *row)
{
    (void)context;
    (void)row;
    return 0;
}

/* A table whose columns cannot be named in a statement is one that differs from the catalogue. */
static int check_table(struct checking *c, const struct shape *shape)
{
    struct select select = {.shape = shape, .limit = 0};
    bool there;

    int rc = store_table_exists(c->store, shape->name, &there);
    if (rc != 0)
        return rc;
    if (!there)
        FIND(c, "table \"%.*s\" is missing", STR_ARG(shape->name));
    else if (store_select(c->store, &select, no_row, NULL) != 0)
        FIND(c, "table \"%.*s\" has not the columns it should have: %s", STR_ARG(shape->name),
             fault_text());
    return 0;
}

static int check_tables(struct checking *c)
{
    int rc = 0;

    for (unsigned which = 0; which < SYSTEM_TABLE_COUNT && rc == 0; which++)
        rc = check_table(c, &system_table(which)->shape);
    for (size_t i = 0; i < c->catalogue->table_count && rc == 0; i++)
        if (!c->catalogue->tables[i]->system)
            rc = check_table(c, &c->catalogue->tables[i]->shape);
    for (size_t i = 0; i < c->catalogue->trashed_count && rc == 0; i++)
        rc = check_table(c, &c->catalogue->trashed[i]->shape);
    return rc;
}

int model_check(struct model *m, struct arena *a, void (*report)(void *context, struct str finding),
                void *context, struct model_check *check_out)
{
    struct model_check check = {0};
    struct checking c = {.check = &check, .arena = a, .report = report, .context = context};
    struct tx tx = {.arena = a};
    struct reader *r;

    int rc = reader_open(m, &r);
    if (rc != 0)
        return rc;
    rc = reader_begin(r, &tx);
    if (rc == 0) {
        c.store = tx.store;
        c.catalogue = tx.catalogue;
        rc = store_check(c.store, find, &c);
        if (rc == 0)
            rc = check_journal(&c);
        if (rc == 0)
            rc = check_tables(&c);
        reader_end(r);
    }
    reader_close(r);
    if (rc == 0)
        *check_out = check;
    return rc;
}
