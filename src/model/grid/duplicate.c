#include "model/grid/making.h"

/*
 * Duplicates of tables and of whole applications. Those of an application have the names that the
 * originals have, and links between them lead to the duplicates.
 */

enum { TABLE_NAME_MAX = 255, APPLICATION_NAME_MAX = 160 }; /* characters (15) */

/* ---- one table ---- */

static bool is_table_name(const struct tx *tx, int64_t application, struct str name)
{
    size_t count;
    const struct grid_table *const *tables = grid_tables(tx->catalogue, application, &count);

    for (size_t i = 0; i < count; i++)
        if (str_equal(tables[i]->name, name))
            return true;
    return false;
}

static struct str free_table_name(struct tx *tx, const struct grid_table *t)
{
    struct str name = t->name;

    for (unsigned n = 2; is_table_name(tx, t->application->id, name); n++)
        name = draft_numbered_name(tx->arena, t->name, n, TABLE_NAME_MAX);
    return name;
}

int grid_table_duplicate(struct tx *tx, int64_t id, struct str name, int64_t *id_out)
{
    const struct grid_table *t;
    int64_t made = 0;
    const struct table_copies copies = {&id, &made, 1};

    int rc = tx_follow(tx);
    if (rc == 0)
        rc = grid_find(tx, id, &t);
    if (rc == 0)
        rc = table_copy_expect(tx, t);
    if (rc == 0)
        rc =
            table_copy(tx, &copies, 0, t->application->id, name.at ? name : free_table_name(tx, t));
    if (rc == 0)
        rc = table_copy_links(tx, &copies, 0);
    if (rc == 0)
        *id_out = made;
    return rc;
}

/* ---- an application ---- */

static bool is_application_name(const struct workspace *w, struct str name)
{
    for (size_t i = 0; i < w->application_count; i++)
        if (str_equal(w->applications[i]->name, name))
            return true;
    return false;
}

static struct str free_application_name(struct tx *tx, const struct application *application)
{
    struct str name = application->name;

    for (unsigned n = 2; is_application_name(application->workspace, name); n++)
        name = draft_numbered_name(tx->arena, application->name, n, APPLICATION_NAME_MAX);
    return name;
}

/* The tables as they are now: those that are made here are none of them. */
static int list_tables(struct tx *tx, int64_t application, struct table_copies *copies)
{
    const struct grid_table *const *tables =
        grid_tables(tx->catalogue, application, &copies->count);
    int64_t *ids = ARENA_ARRAY(tx->arena, int64_t, copies->count);
    int rc = 0;

    for (size_t i = 0; i < copies->count && rc == 0; i++) {
        ids[i] = tables[i]->id;
        rc = table_copy_expect(tx, tables[i]);
    }
    copies->from = ids;
    copies->to = ARENA_ARRAY(tx->arena, int64_t, copies->count);
    return rc;
}

static int copy_tables(struct tx *tx, const struct table_copies *copies, int64_t application)
{
    int rc = 0;

    for (size_t i = 0; i < copies->count && rc == 0; i++)
        rc = table_copy(tx, copies, i, application,
                        grid_table(tx->catalogue, copies->from[i])->name);
    for (size_t i = 0; i < copies->count && rc == 0; i++)
        rc = table_copy_links(tx, copies, i);
    return rc;
}

int grid_application_duplicate(struct tx *tx, int64_t id, int64_t *id_out)
{
    const struct application *application;
    struct table_copies copies = {0};
    int64_t made;

    int rc = tx_follow(tx);
    if (rc == 0)
        rc = grid_find_application(tx, id, &application);
    if (rc == 0)
        rc = list_tables(tx, id, &copies);
    if (rc == 0)
        rc = application_create(tx, application->workspace->id,
                                free_application_name(tx, application), application->type, &made);
    if (rc == 0)
        rc = copy_tables(tx, &copies, made);
    if (rc == 0)
        *id_out = made;
    return rc;
}
