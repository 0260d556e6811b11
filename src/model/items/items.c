#include "model/items/items.h"

#include <assert.h>

#include "model/items/effects.h"
#include "model/items/payload.h"
#include "model/items/rows.h"
#include "model/items/rules.h"
#include "model/problem.h"

/*
 * Changing items: authorise, write, record. Each public function is one operation; what it brings
 * about in other rows follows as operations of their own.
 *
 * A refusal may come when some statements have run already: the request runs in a savepoint, which
 * its REFUSED undoes.
 */

int items_check_batch(struct tx *tx, size_t count)
{
    int64_t max = tx->settings->batch_mutation_max;
    if (max >= 0 && count > (uint64_t)max)
        return refuse(tx, PROBLEM_INVALID_PAYLOAD, "Exceeded max batch mutation limit of %lld",
                      (long long)max);
    return 0;
}

/* What rules.c does in other rows after changes of system tables. `from`: the first of the changes
 * that were just recorded. */
static int apply_rules(struct tx *tx, size_t from)
{
    int rc = 0;
    size_t to = tx->commit->count; /* effects may record more, and see to those themselves */
    for (size_t i = from; i < to && rc == 0; i++) {
        const struct change *change = tx->commit->changes[i];
        rc = change->table->system ? rules_effects(tx, change) : 0;
    }
    return rc;
}

/* ---- create ---- */

/* The row as it would be, for the rules of system tables. */
static struct value *planned_row(struct tx *tx, const struct table *table,
                                 const struct value *before, const struct payload *p)
{
    struct value *row = ARENA_ARRAY(tx->arena, struct value, table->shape.count);
    for (size_t i = 0; i < table->shape.count; i++)
        row[i] = before ? before[i] : table->shape.columns[i].default_value;
    for (size_t i = 0; i < p->count; i++)
        row[p->assignments[i].column->index] = p->assignments[i].value;
    return row;
}

static int insert(struct tx *tx, const struct table *table, const struct payload *p,
                  struct item_key *key_out)
{
    const struct value *row;
    int rc = rows_insert(tx, table, p->assignments, p->count, &row);
    if (rc)
        return rc;
    const struct item_key key = {.value = row[table->shape.key]};
    size_t from = tx->commit->count;
    commit_record(tx, commit_operation(tx), CHANGE_CREATE, table, &key, NULL, row, &p->submitted);
    *key_out = key;
    return apply_rules(tx, from);
}

int items_create(struct tx *tx, const struct table *table, const json_t *payload,
                 struct item_key *key_out)
{
    struct payload p;
    const struct grant *grant = principal_grant(tx->principal, table, ACTION_CREATE);
    if (!grant)
        return refuse_collection(tx, table->name);
    int rc = payload_read(tx, table, grant, CHANGE_CREATE, payload, &p);
    if (rc == 0 && table->system)
        rc = rules_check(tx, CHANGE_CREATE, table, NULL, planned_row(tx, table, NULL, &p),
                         &p.submitted, payload);
    return rc ? rc : insert(tx, table, &p, key_out);
}

/* ---- the rows of an update or a delete ---- */

static int load_rows(struct tx *tx, const struct table *table, const struct item_key *keys,
                     size_t count, struct rows **rows_out)
{
    int rc = items_check_batch(tx, count);
    if (rc)
        return rc;
    *rows_out = rows_new(tx, table);
    for (size_t i = 0; i < count; i++)
        rows_add(tx, *rows_out, &keys[i]);
    return rows_load(tx, *rows_out);
}

/* Every row has to be there and be covered by the rules, or none is touched. */
static int check_rows(struct tx *tx, const struct grant *grant, const struct rows *rows,
                      enum action action)
{
    for (size_t i = 0; i < rows->count; i++) {
        const struct value *row = rows->list[i]->before;
        if (!row || !expr_matches(grant->rows, row, tx->now_ms))
            return refuse_action(tx, action_name(action), rows->table->name);
    }
    return 0;
}

/* ---- update ---- */

/* Is each field that the client sent granted by a rule that covers this row? */
static int check_fields(struct tx *tx, const struct grant *grant, const struct table *table,
                        const struct value *row, const struct column_set *sent)
{
    struct column_set granted = {0};
    for (size_t i = 0; i < grant->rule_count; i++) {
        const struct grant_rule *rule = &grant->rules[i];
        if (!expr_matches(rule->rows, row, tx->now_ms))
            continue;
        for (unsigned w = 0; w < COLUMN_WORDS; w++)
            granted.words[w] |= rule->fields.words[w];
    }
    for (size_t i = 0; i < table->shape.count; i++) {
        if (!column_set_has(sent, (unsigned)i) || column_set_has(&granted, (unsigned)i))
            continue;
        refuse(tx, PROBLEM_FORBIDDEN,
               "You don't have permissions to perform \"update\" for the field(s) \"%.*s\" in "
               "collection \"%.*s\" or it does not exist.",
               STR_ARG(table->fields[i].name), STR_ARG(table->name));
        tx->problem->collection = arena_str(tx->arena, table->name);
        tx->problem->field = arena_str(tx->arena, table->fields[i].name);
        return REFUSED;
    }
    return 0;
}

/* The key may be sent along as it is. It is taken out of what is written. */
static int check_key_kept(struct tx *tx, const struct rows *rows, struct payload *p)
{
    const struct column *key = table_key(rows->table);
    size_t kept = 0;
    for (size_t i = 0; i < p->count; i++) {
        if (p->assignments[i].column != key) {
            p->assignments[kept++] = p->assignments[i];
            continue;
        }
        for (size_t k = 0; k < rows->count; k++)
            if (!value_equal(&rows->list[k]->key.value, &p->assignments[i].value))
                return refuse(tx, PROBLEM_INVALID_PAYLOAD,
                              "The primary key \"%.*s\" cannot be changed", STR_ARG(key->name));
    }
    p->count = kept;
    return 0;
}

static int check_update(struct tx *tx, const struct grant *grant, const struct rows *rows,
                        struct payload *p, const json_t *payload)
{
    int rc = check_key_kept(tx, rows, p);
    for (size_t i = 0; i < rows->count && rc == 0; i++) {
        const struct value *before = rows->list[i]->before;
        if (!grant->unconditional)
            rc = check_fields(tx, grant, rows->table, before, &p->permitted_check);
        if (rc == 0 && rows->table->system)
            rc = rules_check(tx, CHANGE_UPDATE, rows->table, before,
                             planned_row(tx, rows->table, before, p), &p->submitted, payload);
    }
    return rc;
}

/* Says the payload more than the key? Stamps alone are no reason to write. */
static bool says_something(const struct table *table, const struct payload *p)
{
    struct column_set submitted = p->submitted;
    submitted.words[table->shape.key / 64] &= ~(UINT64_C(1) << (table->shape.key % 64));
    return !column_set_is_empty(&submitted);
}

static int update_rows(struct tx *tx, struct rows *rows, const struct payload *p)
{
    int rc = rows_update(tx, rows, p->assignments, p->count);
    if (rc)
        return rc;
    size_t from = tx->commit->count;
    rows_record(tx, rows, commit_operation(tx), CHANGE_UPDATE, &p->submitted);
    return apply_rules(tx, from);
}

int items_update(struct tx *tx, const struct table *table, const struct item_key *keys,
                 size_t count, const json_t *payload)
{
    struct payload p;
    struct rows *rows;
    const struct grant *grant = principal_grant(tx->principal, table, ACTION_UPDATE);
    if (!grant)
        return refuse_collection(tx, table->name);
    int rc = load_rows(tx, table, keys, count, &rows);
    if (rc == 0)
        rc = check_rows(tx, grant, rows, ACTION_UPDATE);
    if (rc == 0)
        rc = payload_read(tx, table, grant, CHANGE_UPDATE, payload, &p);
    if (rc == 0)
        rc = check_update(tx, grant, rows, &p, payload);
    if (rc || rows->count == 0 || !says_something(table, &p))
        return rc;
    return update_rows(tx, rows, &p);
}

/* ---- delete ---- */

static int check_delete(struct tx *tx, const struct grant *grant, struct rows *rows)
{
    if (tx->principal->admin)
        rows_keep_loaded(rows);
    int rc = check_rows(tx, grant, rows, ACTION_DELETE);
    for (size_t i = 0; i < rows->count && rc == 0 && rows->table->system; i++)
        rc = rules_check(tx, CHANGE_DELETE, rows->table, rows->list[i]->before, NULL, NULL, NULL);
    return rc;
}

static int delete_rows(struct tx *tx, struct rows *rows)
{
    struct effects *effects;
    int rc = effects_find(tx, rows, &effects);
    if (rc == 0)
        rc = rows_delete(tx, rows);
    if (rc == 0)
        rc = effects_apply(tx, effects);
    if (rc)
        return rc;
    size_t from = tx->commit->count;
    rows_record(tx, rows, commit_operation(tx), CHANGE_DELETE, NULL);
    effects_record(tx, effects);
    return apply_rules(tx, from);
}

int items_delete(struct tx *tx, const struct table *table, const struct item_key *keys,
                 size_t count)
{
    struct rows *rows;
    const struct grant *grant = principal_grant(tx->principal, table, ACTION_DELETE);
    if (!grant)
        return refuse_collection(tx, table->name);
    int rc = load_rows(tx, table, keys, count, &rows);
    if (rc == 0)
        rc = check_delete(tx, grant, rows);
    if (rc || rows->count == 0)
        return rc;
    return delete_rows(tx, rows);
}

/* ---- singletons ---- */

struct singleton {
    struct arena *arena;
    const struct value *key; /* NULL: there is no row yet */
};

static int take_singleton(void *context, const struct value *row)
{
    struct singleton *found = context;
    found->key = value_copy_row(found->arena, row, 1);
    return 0;
}

int items_upsert_singleton(struct tx *tx, const struct table *table, const json_t *payload,
                           struct item_key *key_out)
{
    const struct column *key = table_key(table);
    const struct output output = {.column = key};
    const struct order order = {.column = key};
    const struct select select = {.shape = &table->shape,
                                  .outputs = &output,
                                  .output_count = 1,
                                  .orders = &order,
                                  .order_count = 1,
                                  .limit = 1,
                                  .now_ms = tx->now_ms};
    struct singleton found = {.arena = tx->arena};
    int rc = store_select(tx->store, &select, take_singleton, &found);
    if (rc)
        return rc;
    if (!found.key)
        return items_create(tx, table, payload, key_out);
    const struct item_key existing = {.value = *found.key};
    rc = items_update(tx, table, &existing, 1, payload);
    if (rc == 0)
        *key_out = existing;
    return rc;
}
