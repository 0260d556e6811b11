#include "model/access/grants.h"

#include <pthread.h>

#include "base/log.h"
#include "base/mem.h"
#include "model/access/filter.h"
#include "model/access/variables.h"
#include "model/system.h"

/*
 * How it works: the permission rows of a principal's policies are sorted into slots, one for each
 * table and action. A slot compiles to a grant once for all principals with these policies, unless
 * a filter in it mentions the user: then each principal compiles the slot for itself, into its own
 * arena. So a thousand editors share one set of grants but for the tables where "own rows" matter.
 *
 * Presets and validations are not compiled: they stay as their rows have them and are substituted
 * when used, so that they never make a slot personal.
 */

struct slot {
    const struct permission **permissions;
    size_t count;
    const struct grant *grant; /* NULL: grants nothing, or is personal */
    bool is_personal;
    size_t personal; /* place in principal->personal */
};

struct table_slots {
    const struct table *table;
    struct slot slots[ACTION_COUNT];
};

struct grants {
    struct table_slots *tables; /* by address, for the search */
    size_t count;
    size_t personal_count;
};

static const struct expr *const no_masks[COLUMNS_MAX];

#define ALL_COLUMNS                                                                                \
    {                                                                                              \
        {                                                                                          \
            UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX,    \
                UINT64_MAX, UINT64_MAX, UINT64_MAX                                                 \
        }                                                                                          \
    }
_Static_assert(COLUMN_WORDS == 10, "ALL_COLUMNS sets ten words");
static const struct column_set all_columns = ALL_COLUMNS;

#define ALL_ROWS_KEY "*"
static const struct grant_rule rule_all = {.rows = &expr_true, .fields = ALL_COLUMNS};
const struct grant grant_all = {
    .rows = &expr_true,
    .fields = ALL_COLUMNS,
    .masks = no_masks,
    .rules = &rule_all,
    .rule_count = 1,
    .unconditional = true,
    .all_fields = true,
    .class_key = {ALL_ROWS_KEY, sizeof(ALL_ROWS_KEY) - 1},
};

/* ---- one grant ---- */

/* Rows of one or more rules, told apart by their canonical text: equal conditions are one. */
struct condition {
    const struct expr *rows;
    struct str key;
};

struct compiling {
    struct arena *arena;
    const struct principal *principal;
    const struct table *table;
    enum action action;
    struct grant *grant;
    struct grant_rule *rules;
    size_t *condition_of; /* by rule: index of its condition */
    struct condition *conditions;
    size_t condition_count;
};

enum { KEY_BYTES_MAX = 1 << 24 };

static struct str expr_key(struct arena *a, const struct expr *x)
{
    struct buf b;

    buf_init(&b, KEY_BYTES_MAX);
    expr_put_key(&b, x);
    struct str key = arena_str(a, buf_str(&b));
    buf_deinit(&b);
    return key;
}

/* A rule may nest as deep as leaves room for a client's filter around it, which a mask puts it
 * below. */
enum { RULE_DEPTH_MAX = EXPR_DEPTH_MAX / 2 };

/* False: the filter does not compile, say because its field is gone, or it is too deep; such a rule
 * grants nothing. */
static bool compile_rows(struct compiling *c, const struct permission *permission,
                         const struct expr **rows_out)
{
    static const struct model_settings settings = {.filter_depth_max = 100}; /* as JSON may nest */
    struct problem problem = {0};
    struct tx tx = {.settings = &settings,
                    .arena = c->arena,
                    .catalogue = c->principal->catalogue,
                    .principal = c->principal,
                    .problem = &problem};
    struct variable_use use = {0};

    variables_used(permission->permissions, &use);
    int rc = use.unknown
                 ? refuse(&tx, PROBLEM_INVALID_QUERY, "It names a variable that there is not")
                 : filter_compile(&tx, c->principal, c->table, permission->permissions, FILTER_RULE,
                                  NULL, rows_out);
    if (rc == 0 && (*rows_out)->depth > RULE_DEPTH_MAX)
        rc = refuse(&tx, PROBLEM_INVALID_QUERY, "Its filter is nested too deep");
    if (rc == 0)
        return true;
    LOG_AT(LOG_DEBUG, "model", "permission %lld (%s on \"%.*s\") grants nothing: %.*s",
           (long long)permission->id, action_name(c->action), STR_ARG(c->table->name),
           STR_ARG(problem.reason));
    return false;
}

static bool is_object_with_members(const json_t *json)
{
    return json_is_object(json) && json_object_size(json) > 0;
}

/* Names that are no field are passed over; "*" is all, also of fields that come later. */
static void read_fields(const struct table *t, const json_t *names, struct grant *grant,
                        struct column_set *fields)
{
    for (size_t i = 0; i < json_array_size(names); i++) {
        struct str name = json_str(json_array_get(names, i));
        const struct field *f = table_field(t, name);
        if (str_equal(name, STR("*"))) {
            *fields = all_columns;
            grant->all_fields = true;
        } else if (f && !field_hidden(f)) {
            column_set_add(fields, f->column->index);
        }
    }
    for (unsigned i = 0; i < COLUMN_WORDS; i++)
        grant->fields.words[i] |= fields->words[i];
}

static void add_rule(struct compiling *c, const struct permission *permission)
{
    struct grant *grant = c->grant;
    const struct expr *rows = &expr_true;

    if (c->action != ACTION_CREATE && !compile_rows(c, permission, &rows))
        return;
    struct grant_rule *rule = &c->rules[grant->rule_count++];
    rule->rows = rows;
    rule->validation =
        is_object_with_members(permission->validation) ? permission->validation : NULL;
    rule->presets = is_object_with_members(permission->presets) ? permission->presets : NULL;
    read_fields(c->table, permission->fields, grant, &rule->fields);
}

static int by_key(const void *x, const void *y)
{
    const struct condition *a = x, *b = y;
    return str_compare(a->key, b->key);
}

/* Sorted by their text, so that the order of policies makes no difference to what is compiled. */
static void find_conditions(struct compiling *c)
{
    size_t count = c->grant->rule_count;
    struct condition *all = ARENA_ARRAY(c->arena, struct condition, count);
    struct str *keys = ARENA_ARRAY(c->arena, struct str, count);

    for (size_t i = 0; i < count; i++) {
        keys[i] = expr_key(c->arena, c->rules[i].rows);
        all[i] = (struct condition){c->rules[i].rows, keys[i]};
    }
    qsort(all, count, sizeof(*all), by_key);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || !str_equal(all[i].key, all[c->condition_count - 1].key))
            all[c->condition_count++] = all[i];
    c->conditions = all;
    c->condition_of = ARENA_ARRAY(c->arena, size_t, count);
    for (size_t i = 0; i < count; i++)
        while (!str_equal(keys[i], all[c->condition_of[i]].key))
            c->condition_of[i]++;
}

/* Any of the conditions that are wanted; NULL: when that is all of them, or one that always holds.
 */
static const struct expr *any_of(struct compiling *c, const bool *wanted)
{
    const struct expr **items = ARENA_ARRAY(c->arena, const struct expr *, c->condition_count);
    size_t count = 0;

    for (size_t i = 0; i < c->condition_count; i++) {
        if (!wanted[i])
            continue;
        if (c->conditions[i].rows->kind == EXPR_TRUE)
            return NULL;
        items[count++] = c->conditions[i].rows;
    }
    return count == c->condition_count ? NULL : expr_all(c->arena, EXPR_OR, items, count);
}

static void find_masks(struct compiling *c)
{
    struct grant *grant = c->grant;
    size_t columns = c->table->shape.count;
    const struct expr **masks = ARENA_ARRAY(c->arena, const struct expr *, columns);
    bool *wanted = ARENA_ARRAY(c->arena, bool, c->condition_count);

    grant->masks = no_masks;
    if (c->condition_count <= 1)
        return;
    for (unsigned column = 0; column < columns; column++) {
        if (!column_set_has(&grant->fields, column))
            continue;
        memset(wanted, 0, c->condition_count * sizeof(*wanted));
        for (size_t i = 0; i < grant->rule_count; i++)
            wanted[c->condition_of[i]] |= column_set_has(&c->rules[i].fields, column);
        masks[column] = any_of(c, wanted);
        if (masks[column])
            grant->masks = masks;
    }
}

static bool has_all_fields(const struct compiling *c)
{
    for (unsigned i = 0; i < c->table->shape.count; i++)
        if (!column_set_has(&c->grant->fields, i) && !field_hidden(&c->table->fields[i]))
            return false;
    return true;
}

static void put_fields(struct buf *b, const struct compiling *c)
{
    if (has_all_fields(c)) {
        buf_put_char(b, '*');
        return;
    }
    for (unsigned i = 0; i < c->table->shape.count; i++)
        if (column_set_has(&c->grant->fields, i)) {
            json_put_str(b, c->table->fields[i].name);
            buf_put_char(b, ',');
        }
}

/* Fields, rows and masks: all that decides what is seen of this table. */
static struct str class_key(const struct compiling *c)
{
    const struct grant *grant = c->grant;
    struct buf b;

    if (grant->unconditional && has_all_fields(c))
        return STR(ALL_ROWS_KEY); /* as an admin sees it */
    buf_init(&b, KEY_BYTES_MAX);
    put_fields(&b, c);
    buf_put_char(&b, '\n');
    expr_put_key(&b, grant->rows);
    for (unsigned i = 0; i < c->table->shape.count; i++)
        if (column_set_has(&grant->fields, i) && grant->masks[i]) {
            buf_put_char(&b, '\n');
            json_put_str(&b, c->table->fields[i].name);
            expr_put_key(&b, grant->masks[i]);
        }
    struct str key = arena_str(c->arena, buf_str(&b));
    buf_deinit(&b);
    return key;
}

/* NULL: none of the slot's rows grants anything. */
static const struct grant *compile(struct arena *arena, const struct principal *p,
                                   const struct table *table, enum action action,
                                   const struct slot *slot)
{
    struct grant *grant = ARENA_NEW(arena, struct grant);
    struct compiling c = {
        .arena = arena,
        .principal = p,
        .table = table,
        .action = action,
        .grant = grant,
        .rules = ARENA_ARRAY(arena, struct grant_rule, slot->count),
    };

    for (size_t i = 0; i < slot->count; i++)
        add_rule(&c, slot->permissions[i]);
    if (grant->rule_count == 0)
        return NULL;
    grant->rules = c.rules;
    find_conditions(&c);
    const struct expr **items = ARENA_ARRAY(arena, const struct expr *, c.condition_count);
    for (size_t i = 0; i < c.condition_count; i++)
        items[i] = c.conditions[i].rows;
    grant->rows = expr_all(arena, EXPR_OR, items, c.condition_count);
    find_masks(&c);
    grant->unconditional = grant->rows->kind == EXPR_TRUE && grant->masks == no_masks;
    if (action == ACTION_READ)
        grant->class_key = class_key(&c);
    return grant;
}

/* ---- all grants of some policies ---- */

struct placed {
    const struct table *table;
    enum action action;
    size_t order;
    const struct permission *permission;
};

static int by_place(const void *x, const void *y)
{
    const struct placed *a = x, *b = y;

    if (a->table != b->table)
        return (uintptr_t)a->table < (uintptr_t)b->table ? -1 : 1;
    if (a->action != b->action)
        return a->action < b->action ? -1 : 1;
    return a->order < b->order ? -1 : 1;
}

static void place(struct placed *list, size_t *count, const struct catalogue *c,
                  const struct permission *permissions, size_t permission_count)
{
    for (size_t i = 0; i < permission_count; i++) {
        struct placed *p = &list[*count];
        const struct table *t = catalogue_table(c, permissions[i].collection);
        if (!t || !action_find(permissions[i].action, &p->action))
            continue; /* of a table that is no more, or not yet */
        p->table = t;
        p->permission = &permissions[i];
        p->order = (*count)++;
    }
}

static struct placed *place_all(struct arena *arena, const struct principal *p, size_t *count_out)
{
    size_t app_count = 0, total;
    const struct permission *app = NULL;

    if (p->app)
        app = access_app_permissions(arena, &app_count);
    total = app_count;
    for (size_t i = 0; i < p->policy_count; i++)
        total += p->policies[i]->permission_count;
    struct placed *list = ARENA_ARRAY(arena, struct placed, total);
    *count_out = 0;
    for (size_t i = 0; i < p->policy_count; i++)
        place(list, count_out, p->catalogue, p->policies[i]->permissions,
              p->policies[i]->permission_count);
    place(list, count_out, p->catalogue, app, app_count);
    qsort(list, *count_out, sizeof(*list), by_place);
    return list;
}

static bool mentions_user(const struct slot *slot)
{
    struct variable_use use = {0};

    for (size_t i = 0; i < slot->count; i++)
        variables_used(slot->permissions[i]->permissions, &use);
    return use.personal;
}

static struct grants *grants_compile(struct arena *arena, const struct principal *p)
{
    struct grants *grants = ARENA_NEW(arena, struct grants);
    size_t count;
    struct placed *list = place_all(arena, p, &count);
    const struct permission **permissions = ARENA_ARRAY(arena, const struct permission *, count);

    for (size_t i = 0; i < count; i++)
        grants->count += i == 0 || list[i].table != list[i - 1].table;
    grants->tables = ARENA_ARRAY(arena, struct table_slots, grants->count);

    struct table_slots *at = grants->tables;
    for (size_t i = 0; i < count; i++) {
        permissions[i] = list[i].permission;
        if (i > 0 && list[i].table != list[i - 1].table)
            at++;
        at->table = list[i].table;
        struct slot *slot = &at->slots[list[i].action];
        if (slot->count++ == 0)
            slot->permissions = &permissions[i];
    }
    for (size_t i = 0; i < grants->count; i++)
        for (unsigned action = 0; action < ACTION_COUNT; action++) {
            struct slot *slot = &grants->tables[i].slots[action];
            slot->is_personal = action != ACTION_CREATE && mentions_user(slot);
            if (slot->is_personal)
                slot->personal = grants->personal_count++;
            else if (slot->count > 0)
                slot->grant = compile(arena, p, grants->tables[i].table, action, slot);
        }
    return grants;
}

static void compile_personal(struct principal *p)
{
    const struct grants *grants = p->grants;
    const struct grant **personal =
        ARENA_ARRAY(p->arena, const struct grant *, grants->personal_count);

    for (size_t i = 0; i < grants->count; i++)
        for (unsigned action = 0; action < ACTION_COUNT; action++) {
            const struct slot *slot = &grants->tables[i].slots[action];
            if (slot->is_personal)
                personal[slot->personal] =
                    compile(p->arena, p, grants->tables[i].table, action, slot);
        }
    p->personal = personal;
}

/* ---- the cache ---- */

/* Combinations of policies; each user may have one of its own, so there is an end to it. Past it,
 * a principal owns its grants. */
enum { CACHED_MAX = 1024 };

struct grants_cache {
    pthread_mutex_t lock;
    struct arena *arena;
    struct map by_policies; /* struct grants */
};

struct grants_cache *grants_cache_new(void)
{
    struct grants_cache *cache = MEM_NEW(struct grants_cache);

    pthread_mutex_init(&cache->lock, NULL);
    cache->arena = arena_new();
    map_init(&cache->by_policies);
    return cache;
}

void grants_cache_free(struct grants_cache *cache)
{
    if (!cache)
        return;
    map_deinit(&cache->by_policies);
    arena_free(cache->arena);
    pthread_mutex_destroy(&cache->lock);
    mem_free(cache);
}

/* The policies' addresses and whether the app's rows come on top: equal texts, equal grants. */
static struct str policies_key(const struct principal *p)
{
    size_t size = p->policy_count * sizeof(*p->policies);
    char *key = arena_alloc(p->arena, size + 1);

    if (size > 0)
        memcpy(key, p->policies, size);
    key[size] = p->app ? 'a' : '-';
    return (struct str){key, size + 1};
}

static const struct grants *grants_shared(struct grants_cache *cache, const struct principal *p)
{
    struct str key = policies_key(p);

    pthread_mutex_lock(&cache->lock);
    struct grants *grants = map_get(&cache->by_policies, key);
    bool full = !grants && cache->by_policies.count >= CACHED_MAX;
    if (!grants && !full) {
        grants = grants_compile(cache->arena, p);
        map_put(&cache->by_policies, key, grants);
    }
    pthread_mutex_unlock(&cache->lock);
    return full ? grants_compile(p->arena, p) : grants;
}

void grants_attach(struct principal *p)
{
    p->grants = grants_shared(p->catalogue->grants, p);
    compile_personal(p);
}

const struct grant *grants_find(const struct principal *p, const struct table *t,
                                enum action action)
{
    const struct grants *grants = p->grants;
    size_t low = 0, high = grants->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct table_slots *at = &grants->tables[middle];
        if (at->table == t) {
            const struct slot *slot = &at->slots[action];
            return slot->is_personal ? p->personal[slot->personal] : slot->grant;
        }
        if ((uintptr_t)at->table < (uintptr_t)t)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}
