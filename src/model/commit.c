#include "model/commit.h"

#include <assert.h>

#include "base/mem.h"
#include "model/model.h"

const char *change_kind_name(enum change_kind kind)
{
    static const char *const names[] = {
        [CHANGE_CREATE] = "create",
        [CHANGE_UPDATE] = "update",
        [CHANGE_DELETE] = "delete",
    };
    return names[kind];
}

void item_key_write(struct buf *b, const struct column *key, const struct item_key *k)
{
    char digits[24];

    if (!k->text || k->value.kind != VALUE_INTEGER) {
        type_write(b, key, &k->value);
        return;
    }
    int len = snprintf(digits, sizeof(digits), "%lld", (long long)k->value.integer);
    json_put_str(b, (struct str){digits, (size_t)len});
}

struct commit *commit_new(const struct catalogue *catalogue)
{
    struct commit *c = MEM_NEW(struct commit);

    atomic_init(&c->references, 1);
    c->arena = arena_new();
    c->catalogue = catalogue_ref(catalogue);
    return c;
}

struct commit *commit_ref(struct commit *c)
{
    atomic_fetch_add_explicit(&c->references, 1, memory_order_relaxed);
    return c;
}

void commit_unref(struct commit *c)
{
    if (!c || atomic_fetch_sub_explicit(&c->references, 1, memory_order_acq_rel) != 1)
        return;
    arena_free(c->arena);
    catalogue_unref(c->catalogue_after);
    catalogue_unref(c->catalogue);
    mem_free(c->changes);
    mem_free(c);
}

unsigned commit_operation(struct tx *tx)
{
    return tx->commit->operations++;
}

/* Null and empty text hold no secret, and rules that ask for them (`_null`, `_empty`) are to find
 * of an image what they find of the row. */
static bool is_set(const struct value *v)
{
    return !value_is_null(v) && !(v->kind == VALUE_TEXT && v->text.len == 0);
}

static struct value *image(struct arena *a, const struct shape *shape, const struct value *row)
{
    struct value *copy;

    if (!row)
        return NULL;
    copy = value_copy_row(a, row, shape->count);
    for (size_t i = 0; i < shape->count; i++)
        if (shape->columns[i].secret && is_set(&copy[i]))
            copy[i] = value_text(SECRET_SET);
    return copy;
}

/* Judged on the rows as they are: images would hide that a secret changed. */
static struct column_set difference(const struct shape *shape, const struct value *before,
                                    const struct value *after)
{
    struct column_set changed = {0};

    for (unsigned i = 0; i < shape->count; i++)
        if (!before || !after || !value_equal(&before[i], &after[i]))
            column_set_add(&changed, i);
    return changed;
}

static void append(struct commit *c, struct change *change)
{
    if (c->count == c->capacity) {
        c->capacity = c->capacity ? c->capacity * 2 : 4;
        c->changes = mem_resize(c->changes, c->capacity * sizeof(struct change *));
    }
    c->changes[c->count++] = change;
}

const struct change *commit_record(struct tx *tx, unsigned operation, enum change_kind kind,
                                   const struct table *table, const struct item_key *key,
                                   const struct value *before, const struct value *after,
                                   const struct column_set *submitted)
{
    struct commit *c = tx->commit;
    struct change *change;

    assert(c && operation < c->operations);
    assert((kind == CHANGE_CREATE) == !before && (kind == CHANGE_DELETE) == !after);
    change = ARENA_NEW(c->arena, struct change);
    *change = (struct change){
        .kind = kind,
        .operation = operation,
        .table = table,
        .key = {value_copy(c->arena, &key->value), key->text},
        .before = image(c->arena, &table->shape, before),
        .after = image(c->arena, &table->shape, after),
        .changed = difference(&table->shape, before, after),
    };
    if (table_key(table)->secret) /* sessions are known by the digest of their token */
        change->key.value = value_text(SECRET_SET);
    if (submitted)
        change->submitted = *submitted;
    append(c, change);
    return change;
}
