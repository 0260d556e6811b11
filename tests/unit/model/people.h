#ifndef UNIT_MODEL_PEOPLE_H
#define UNIT_MODEL_PEOPLE_H

/*
 * Roles, policies and users in an instance (core.h), and requests on somebody's behalf. JSON is
 * written with ' for " to be read easily.
 */

#include "unit/model/core.h"

#include "model/identity/identity.h"
#include "model/problem.h"

UNUSED static json_t *quoted(struct instance *in, const char *text)
{
    char *copy = arena_alloc(in->arena, strlen(text) + 1);
    for (size_t i = 0; text[i]; i++)
        copy[i] = text[i] == '\'' ? '"' : text[i];
    return json_of(in, copy);
}

/* ---- requests ---- */

/* One write in a batch of its own; `as` NULL: the instance itself. */
UNUSED static int write_as(struct instance *in, const struct principal *as,
                           int (*fn)(struct tx *tx, void *context), void *context)
{
    AUTO(catalogue_unref) struct catalogue *c = model_catalogue(in->model);
    AUTO(principal_unref) struct principal *system = principal_system(c);
    struct tx tx = instance_tx(in, as ? as : system);

    commit_unref(in->commit);
    in->commit = NULL;
    assert_int_equal(writer_begin(in->writer, WRITER_ROWS), 0);
    int rc = writer_run(in->writer, &tx, fn, context, &in->commit);
    if (rc < 0)
        print_error("fault: %s\n", fault_text());
    if (rc != 0)
        writer_rollback(in->writer);
    return rc == 0 ? writer_commit(in->writer) : rc;
}

UNUSED static int read_as(struct instance *in, const struct principal *as,
                          int (*fn)(struct tx *tx, void *context), void *context)
{
    AUTO(catalogue_unref) struct catalogue *c = model_catalogue(in->model);
    AUTO(principal_unref) struct principal *system = principal_system(c);
    struct tx tx = instance_tx(in, as ? as : system);
    struct reader *reader;

    assert_int_equal(reader_open(in->model, &reader), 0);
    assert_int_equal(reader_begin(reader, &tx), 0);
    int rc = fn(&tx, context);
    reader_end(reader);
    reader_close(reader);
    if (rc < 0)
        print_error("fault: %s\n", fault_text());
    return rc;
}

/* ---- items ---- */

struct wish {
    const char *table;
    const json_t *payload; /* NULL: delete */
    struct str key;        /* absent: create */
    struct str key_out;
};

static inline int fulfil(struct tx *tx, void *context)
{
    struct wish *w = context;
    const struct table *table = catalogue_table(tx->catalogue, str_of(w->table));
    struct item_key key;
    assert_non_null(table);
    int rc = 0;

    if (!w->key.at) {
        rc = items_create(tx, table, w->payload, &key);
        if (rc == 0 && key.value.kind == VALUE_TEXT)
            w->key_out = key.value.text;
        return rc;
    }
    rc = items_key_text(tx, table, w->key, &key);
    if (rc != 0)
        return rc;
    return w->payload ? items_update(tx, table, &key, 1, w->payload)
                      : items_delete(tx, table, &key, 1);
}

UNUSED static int try_create(struct instance *in, const struct principal *as, const char *table,
                             const char *payload)
{
    struct wish w = {.table = table, .payload = quoted(in, payload)};
    return write_as(in, as, fulfil, &w);
}

UNUSED static int try_update(struct instance *in, const struct principal *as, const char *table,
                             struct str key, const char *payload)
{
    struct wish w = {.table = table, .payload = quoted(in, payload), .key = key};
    return write_as(in, as, fulfil, &w);
}

UNUSED static int try_delete(struct instance *in, const struct principal *as, const char *table,
                             struct str key)
{
    struct wish w = {.table = table, .key = key};
    return write_as(in, as, fulfil, &w);
}

/* By the instance itself; the id of what was made. printf for ids that the payload needs. */
UNUSED static struct str create(struct instance *in, const char *table, const char *payload, ...)
    PRINTF_LIKE(3, 4);
UNUSED static struct str create(struct instance *in, const char *table, const char *payload, ...)
{
    char text[2048];
    va_list arguments;

    va_start(arguments, payload);
    vsnprintf(text, sizeof(text), payload, arguments);
    va_end(arguments);
    struct wish w = {.table = table, .payload = quoted(in, text)};
    int rc = write_as(in, NULL, fulfil, &w);
    if (rc != 0)
        print_error("create: %d, problem %d: %.*s\n", rc, in->problem.kind,
                    STR_ARG(in->problem.reason));
    assert_int_equal(rc, 0);
    return w.key_out;
}

/* Whole rows of a system table, secrets included; where column = text (NULL: all). */
struct looking {
    enum system_table which;
    const char *column;
    struct str text;
    struct system_rows rows;
};

static inline int look(struct tx *tx, void *context)
{
    struct looking *l = context;
    const struct expr *where =
        l->column ? system_test(tx->arena, l->which, l->column, OP_EQ, value_text(l->text)) : NULL;
    return system_rows(tx->store, tx->arena, l->which, where, NULL, &l->rows);
}

UNUSED static struct system_rows rows_where(struct instance *in, enum system_table which,
                                            const char *column, struct str text)
{
    struct looking l = {which, column, text, {0}};
    assert_int_equal(read_as(in, NULL, look, &l), 0);
    return l.rows;
}

UNUSED static const struct value *user_row(struct instance *in, struct str id)
{
    struct system_rows rows = rows_where(in, SYSTEM_USERS, "id", id);
    assert_int_equal(rows.count, 1);
    return rows.at[0];
}

/* ---- people ---- */

UNUSED static struct principal *principal_at(struct instance *in, struct str id, const char *ip)
{
    AUTO(catalogue_unref) struct catalogue *c = model_catalogue(in->model);
    return principal_user(c, user_row(in, id), str_of(ip));
}

UNUSED static struct principal *principal_by_id(struct instance *in, struct str id)
{
    return principal_at(in, id, NULL);
}

UNUSED static struct str policy(struct instance *in, const char *members)
{
    return create(in, "directus_policies", "{'name':'p'%s%s}", *members ? "," : "", members);
}

UNUSED static struct str role(struct instance *in, struct str parent)
{
    return parent.at ? create(in, "directus_roles", "{'name':'r','parent':'%.*s'}", STR_ARG(parent))
                     : create(in, "directus_roles", "{'name':'r'}");
}

UNUSED static void attach_role(struct instance *in, struct str to, struct str which)
{
    create(in, "directus_access", "{'role':'%.*s','policy':'%.*s'}", STR_ARG(to), STR_ARG(which));
}

UNUSED static void attach_user(struct instance *in, struct str to, struct str which)
{
    create(in, "directus_access", "{'user':'%.*s','policy':'%.*s'}", STR_ARG(to), STR_ARG(which));
}

/* `members` of the permission row, as "'action':'read',…". */
UNUSED static void permit(struct instance *in, struct str which, const char *collection,
                          const char *members)
{
    create(in, "directus_permissions", "{'policy':'%.*s','collection':'%s',%s}", STR_ARG(which),
           collection, members);
}

UNUSED static struct str user_with(struct instance *in, struct str in_role, const char *email)
{
    return in_role.at ? create(in, "directus_users", "{'email':'%s','role':'%.*s'}", email,
                               STR_ARG(in_role))
                      : create(in, "directus_users", "{'email':'%s'}", email);
}

#define assert_problem(in, problem_kind, part_of_reason)                                           \
    do {                                                                                           \
        assert_int_equal((in)->problem.kind, (problem_kind));                                      \
        if (!str_contains((in)->problem.reason, STR(part_of_reason)))                              \
            fail_msg("the reason is: %.*s", STR_ARG((in)->problem.reason));                        \
    } while (0)

#endif
