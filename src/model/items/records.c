#include "model/items/records.h"

#include <assert.h>

#include "base/text.h"
#include "model/items/effects.h"
#include "model/items/rows.h"
#include "model/items/rules.h"

/* ---- finding ---- */

int record_find(struct tx *tx, enum system_table which, const char *column, struct str value,
                const struct value **row_out)
{
    struct system_rows rows;
    const struct expr *where = system_test(tx->arena, which, column, OP_EQ, value_text(value));

    *row_out = NULL;
    int rc = system_rows(tx->store, tx->arena, which, where, NULL, &rows);
    if (rc == 0 && rows.count > 0)
        *row_out = rows.at[0];
    return rc;
}

int record_by_id(struct tx *tx, enum system_table which, int64_t id, const struct value **row_out)
{
    struct system_rows rows;
    const struct expr *where = system_test(tx->arena, which, "id", OP_EQ, value_integer(id));

    int rc = system_rows(tx->store, tx->arena, which, where, NULL, &rows);
    if (rc == 0)
        *row_out = rows.count > 0 ? rows.at[0] : NULL;
    return rc;
}

/* By its exact text first, which has an index; else every user's address is looked at. */
int record_find_email(struct tx *tx, struct str email, struct str except,
                      const struct value **row_out)
{
    static const enum operator steps[] = {OP_EQ, OP_ICONTAINS};
    struct str folded = text_fold(tx->arena, email);

    *row_out = NULL;
    if (email.len == 0)
        return 0;
    for (size_t step = 0; step < COUNT_OF(steps) && !*row_out; step++) {
        struct system_rows rows;
        const struct expr *where =
            system_test(tx->arena, SYSTEM_USERS, "email", steps[step], value_text(email));
        int rc = system_rows(tx->store, tx->arena, SYSTEM_USERS, where, NULL, &rows);
        if (rc != 0)
            return rc;
        for (size_t i = 0; i < rows.count && !*row_out; i++) {
            struct str found = system_text(SYSTEM_USERS, rows.at[i], "email");
            struct str id = system_text(SYSTEM_USERS, rows.at[i], "id");
            if (str_equal(text_fold(tx->arena, found), folded) && !str_equal(id, except))
                *row_out = rows.at[i];
        }
    }
    return 0;
}

/* ---- changing ---- */

struct assignment record_set(enum system_table which, const char *column, struct value value)
{
    return (struct assignment){
        .column = &system_table(which)->shape.columns[system_column(which, column)],
        .value = value,
    };
}

/* The key as entries may have it: a session's is the hash of its token, and a secret enters none.
 */
static struct item_key told_key(const struct table *table, const struct value *row)
{
    bool secret = table_key(table)->secret;
    return (struct item_key){.value = secret ? value_text(SECRET_SET) : row[table->shape.key]};
}

static int apply_effects(struct tx *tx, size_t from)
{
    size_t to = tx->commit->count; /* effects see to their own effects */
    int rc = 0;

    for (size_t i = from; i < to && rc == 0; i++)
        rc = rules_effects(tx, tx->commit->changes[i]);
    return rc;
}

int record_create(struct tx *tx, enum system_table which, const struct assignment *assignments,
                  size_t count, const struct value **row_out)
{
    const struct table *table = system_table(which);
    const struct value *row;
    size_t from = tx->commit->count;

    int rc = rows_insert(tx, table, assignments, count, &row);
    if (rc != 0)
        return rc;
    const struct item_key key = told_key(table, row);
    commit_record(tx, commit_operation(tx), CHANGE_CREATE, table, &key, NULL, row, NULL);
    *row_out = row;
    return apply_effects(tx, from);
}

int record_insert(struct tx *tx, enum system_table which, const struct assignment *assignments,
                  size_t count)
{
    const struct value *row;

    return record_create(tx, which, assignments, count, &row);
}

static struct rows *one_or_more(struct tx *tx, enum system_table which,
                                const struct value *const *list, size_t count)
{
    const struct table *table = system_table(which);
    struct rows *rows = rows_new(tx, table);

    for (size_t i = 0; i < count; i++) {
        const struct item_key key = {.value = list[i][table->shape.key]};
        rows_add(tx, rows, &key)->before = list[i];
    }
    return rows;
}

int record_update(struct tx *tx, enum system_table which, const struct value *row,
                  const struct assignment *assignments, size_t count)
{
    struct rows *rows = one_or_more(tx, which, &row, 1);
    size_t from = tx->commit->count;

    int rc = rows_update(tx, rows, assignments, count);
    if (rc != 0)
        return rc;
    rows_record(tx, rows, commit_operation(tx), CHANGE_UPDATE, NULL);
    return apply_effects(tx, from);
}

int record_delete(struct tx *tx, enum system_table which, const struct system_rows *gone)
{
    struct rows *rows = one_or_more(tx, which, gone->at, gone->count);
    struct effects *effects;
    size_t from = tx->commit->count;

    if (gone->count == 0)
        return 0;
    int rc = effects_find(tx, rows, &effects);
    if (rc == 0)
        rc = rows_delete(tx, rows);
    if (rc == 0)
        rc = effects_apply(tx, effects);
    if (rc != 0)
        return rc;
    for (size_t i = 0; i < rows->count; i++)
        rows->list[i]->key = told_key(rows->table, rows->list[i]->before);
    rows_record(tx, rows, commit_operation(tx), CHANGE_DELETE, NULL);
    effects_record(tx, effects);
    return apply_effects(tx, from);
}

/* ---- admins ---- */

/* Ids as a set of texts, in a list that the store can be asked with. */
struct ids {
    struct value *list;
    size_t count;
};

static bool has_id(const struct ids *ids, struct str id)
{
    for (size_t i = 0; i < ids->count; i++)
        if (str_equal(ids->list[i].text, id))
            return true;
    return false;
}

static void add_id(struct ids *ids, struct str id)
{
    if (id.at && !has_id(ids, id))
        ids->list[ids->count++] = value_text(id);
}

static const struct expr *among(struct tx *tx, enum system_table which, const char *column,
                                const struct ids *ids)
{
    const struct column *c = &system_table(which)->shape.columns[system_column(which, column)];
    return expr_test(tx->arena, c, OP_IN, ids->list, ids->count);
}

/* Roles and users that an admin's policy is attached to. */
static int find_attached(struct tx *tx, struct ids *roles, struct ids *users)
{
    struct system_rows policies, access;
    struct ids admin = {0};

    int rc = system_rows(
        tx->store, tx->arena, SYSTEM_POLICIES,
        system_test(tx->arena, SYSTEM_POLICIES, "admin_access", OP_EQ, value_integer(1)), NULL,
        &policies);
    if (rc != 0)
        return rc;
    admin.list = ARENA_ARRAY(tx->arena, struct value, policies.count);
    for (size_t i = 0; i < policies.count; i++)
        add_id(&admin, system_text(SYSTEM_POLICIES, policies.at[i], "id"));

    rc = system_rows(tx->store, tx->arena, SYSTEM_ACCESS,
                     among(tx, SYSTEM_ACCESS, "policy", &admin), NULL, &access);
    if (rc != 0)
        return rc;
    roles->list = ARENA_ARRAY(tx->arena, struct value, access.count);
    users->list = ARENA_ARRAY(tx->arena, struct value, access.count);
    for (size_t i = 0; i < access.count; i++) {
        add_id(roles, system_text(SYSTEM_ACCESS, access.at[i], "role"));
        add_id(users, system_text(SYSTEM_ACCESS, access.at[i], "user"));
    }
    return 0;
}

/* What a role has, its descendants have: adds them, generation by generation. */
static int add_descendants(struct tx *tx, struct ids *roles)
{
    struct system_rows all;
    size_t before;

    int rc = system_rows(tx->store, tx->arena, SYSTEM_ROLES, NULL, NULL, &all);
    if (rc != 0)
        return rc;
    struct ids grown = {.list = ARENA_ARRAY(tx->arena, struct value, roles->count + all.count)};
    for (size_t i = 0; i < roles->count; i++)
        add_id(&grown, roles->list[i].text);
    do {
        before = grown.count;
        for (size_t i = 0; i < all.count; i++)
            if (has_id(&grown, system_text(SYSTEM_ROLES, all.at[i], "parent")))
                add_id(&grown, system_text(SYSTEM_ROLES, all.at[i], "id"));
    } while (grown.count > before);
    *roles = grown;
    return 0;
}

static int admins(struct tx *tx, const struct expr **where_out)
{
    struct arena *a = tx->arena;
    struct ids roles = {0}, users = {0};

    int rc = find_attached(tx, &roles, &users);
    if (rc == 0)
        rc = add_descendants(tx, &roles);
    if (rc != 0)
        return rc;
    *where_out = expr_and(
        a, system_test(a, SYSTEM_USERS, "status", OP_EQ, value_text(STR("active"))),
        expr_or(a, among(tx, SYSTEM_USERS, "role", &roles), among(tx, SYSTEM_USERS, "id", &users)));
    return 0;
}

int record_admins(struct tx *tx, struct system_rows *rows_out)
{
    const struct expr *where;

    int rc = admins(tx, &where);
    return rc == 0 ? system_rows(tx->store, tx->arena, SYSTEM_USERS, where, "email", rows_out) : rc;
}

int record_admin_remains(struct tx *tx, struct str except, bool *remains_out)
{
    struct arena *a = tx->arena;
    const struct expr *where;
    int64_t count = 0;

    int rc = admins(tx, &where);
    if (rc != 0)
        return rc;
    if (except.at)
        where = expr_and(a, where, system_test(a, SYSTEM_USERS, "id", OP_NEQ, value_text(except)));
    const struct select select = {.shape = &system_table(SYSTEM_USERS)->shape, .where = where};
    rc = store_count(tx->store, &select, &count);
    if (rc == 0)
        *remains_out = count > 0;
    return rc;
}
