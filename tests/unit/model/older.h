#ifndef UNIT_MODEL_OLDER_H
#define UNIT_MODEL_OLDER_H

/* Instances as older versions of the program left them: made from one of today. */

#include "unit/model/core.h"

UNUSED static void tamper(struct instance *in, int (*change)(struct store *s, struct arena *a))
{
    struct store *store;
    assert_int_equal(store_open(&in->settings.store, STORE_WRITE, &store), 0);
    assert_int_equal(store_begin(store, STORE_SCHEMA), 0);
    int rc = change(store, in->arena);
    if (rc != 0)
        print_error("tampering: %d, %s\n", rc, rc < 0 ? fault_text() : "");
    assert_int_equal(rc, 0);
    assert_int_equal(store_commit(store), 0);
    store_close(store);
}

/* Takes columns away from a table: those that `keep` does not know, and, of users, length. */
static inline int alter_back(struct store *s, const struct shape *today, unsigned name_length,
                             bool (*keep)(const struct column *c))
{
    struct column columns[COLUMNS_MAX];
    struct str from[COLUMNS_MAX];
    struct shape before = *today;
    before.columns = columns;
    before.count = 0;
    for (size_t i = 0; i < today->count; i++) {
        if (!keep(&today->columns[i]))
            continue;
        struct column *c = &columns[before.count];
        *c = today->columns[i];
        c->index = (unsigned)before.count;
        if (name_length > 0 && str_equal(c->name, STR("first_name")))
            c->length_max = name_length;
        if (str_equal(c->name, STR("rowcast_type")))
            c->nullable = false;
        from[before.count++] = c->name;
    }
    return store_alter_table(s, today, &before, from);
}

static inline bool keep_all(const struct column *c)
{
    (void)c;
    return true;
}

/* What format 2 had of it. */
static inline bool keep_old(const struct column *c)
{
    static const char *const grid[] = {"rowcast_label",   "rowcast_application", "rowcast_order",
                                       "rowcast_kind",    "rowcast_settings",    "rowcast_primary",
                                       "rowcast_trashed", "rowcast_junction",    "trashed"};
    for (size_t i = 0; i < COUNT_OF(grid); i++)
        if (str_equal(c->name, str_of(grid[i])))
            return false;
    return true;
}

static inline bool keep_declared(const struct column *c)
{
    return !str_starts_with(c->name, STR("rowcast_"));
}

UNUSED static int set_format(struct store *s, struct arena *a, int64_t format)
{
    struct journal_state state;
    int rc = journal_state_read(s, a, &state);
    state.format = format;
    return rc == 0 ? journal_state_write(s, &state) : rc;
}

UNUSED static int make_format_2(struct store *s, struct arena *a)
{
    static const enum system_table altered[] = {SYSTEM_COLLECTIONS, SYSTEM_FIELDS,
                                                SYSTEM_WORKSPACES, SYSTEM_APPLICATIONS};
    const struct shape *fields = &system_table(SYSTEM_FIELDS)->shape;
    const unsigned type = system_column(SYSTEM_FIELDS, "rowcast_type");
    AUTO(catalogue_unref) struct catalogue *c = NULL;
    int rc = catalogue_load(s, 1, &c);
    for (size_t i = 0; rc == 0 && i < c->table_count; i++)
        if (!c->tables[i]->system)
            rc = alter_back(s, &c->tables[i]->shape, 0, keep_declared);
    if (rc == 0) /* fields without a column */
        rc = store_delete(s, fields, expr_test(a, &fields->columns[type], OP_NULL, NULL, 0), 0,
                          NULL, NULL);
    for (unsigned which = SYSTEM_TABLE_COUNT; which-- > SYSTEM_TRASH && rc == 0;)
        rc = store_drop_table(s, system_table(which)->shape.name);
    for (size_t i = 0; i < COUNT_OF(altered) && rc == 0; i++)
        rc = alter_back(s, &system_table(altered[i])->shape, 0, keep_old);
    return rc == 0 ? set_format(s, a, 2) : rc;
}

UNUSED static int make_format_1(struct store *s, struct arena *a)
{
    int rc = make_format_2(s, a);
    for (unsigned which = SYSTEM_TRASH; which-- > SYSTEM_WORKSPACES && rc == 0;)
        rc = store_drop_table(s, system_table(which)->shape.name);
    if (rc == 0)
        rc = alter_back(s, &system_table(SYSTEM_USERS)->shape, 50, keep_all);
    return rc == 0 ? set_format(s, a, 1) : rc;
}

/* As an upgrade to format 2 leaves it that ended before its bootstrap. */
UNUSED static int make_cut_off(struct store *s, struct arena *a)
{
    int rc = make_format_2(s, a);
    return rc == 0 ? set_format(s, a, 1) : rc;
}

#endif
