#include "model/catalogue.h"

#include <assert.h>
#include <errno.h>

#include "base/fault.h"
#include "base/mem.h"
#include "model/grid/load.h"
#include "model/membership.h"
#include "model/system.h"
#include "model/tables.h"
#include "model/workspace/register.h"

/*
 * How it works: workspaces first (workspace/register.c), because what they hold goes with them to
 * the trash; then users' tables (tables.c), access rows, and the grid over all of it (grid/load.c).
 * A catalogue of a real instance is some hundred kilobytes and is read in milliseconds, so every
 * change of structure or access reads all of it anew; only a change of a user, which happens all
 * day, shares the content (catalogue_renew).
 */

static const struct {
    const char *name;
    enum special special;
} specials[] = {
    {"uuid", SPECIAL_UUID},
    {"date-created", SPECIAL_DATE_CREATED},
    {"date-updated", SPECIAL_DATE_UPDATED},
    {"user-created", SPECIAL_USER_CREATED},
    {"user-updated", SPECIAL_USER_UPDATED},
    {"role-created", SPECIAL_ROLE_CREATED},
    {"role-updated", SPECIAL_ROLE_UPDATED},
    {"hash", SPECIAL_HASH},
    {"conceal", SPECIAL_CONCEAL},
    {"cast-boolean", SPECIAL_CAST_BOOLEAN},
    {"cast-json", SPECIAL_CAST_JSON},
    {"cast-csv", SPECIAL_CAST_CSV},
    {"m2o", SPECIAL_M2O},
    {"boolean", SPECIAL_CAST_BOOLEAN}, /* names of old databases (G.5) */
    {"json", SPECIAL_CAST_JSON},
    {"csv", SPECIAL_CAST_CSV},
};

bool special_find(struct str name, enum special *special_out)
{
    for (size_t i = 0; i < COUNT_OF(specials); i++) {
        if (str_equal(str_of(specials[i].name), name)) {
            *special_out = specials[i].special;
            return true;
        }
    }
    return false;
}

unsigned special_bits(struct str flags)
{
    unsigned bits = 0;
    struct str rest = flags, name;
    enum special special;

    while (str_next(&rest, ',', &name))
        if (special_find(str_trim(name), &special))
            bits |= special;
    return bits;
}

const struct field *table_field(const struct table *t, struct str name)
{
    const struct column *c = shape_column(&t->shape, name);
    return c ? &t->fields[c->index] : NULL;
}

/* ---- cells ---- */

int catalogue_json(struct arena *a, struct str text, const json_t **json_out)
{
    json_t *json = NULL;

    if (text.at && json_read_in(a, text, &json, NULL) != 0)
        return FAULT_BECAUSE(EBADMSG, "a system table holds malformed JSON");
    bool none =
        !json || json_is_null(json) || (json_is_object(json) && json_object_size(json) == 0);
    *json_out = none ? NULL : json;
    return 0;
}

/* ---- columns as rows ---- */

static bool flag(const struct value *row, const char *column)
{
    return system_integer(SYSTEM_FIELDS, row, column) != 0;
}

static unsigned number(const struct value *row, const char *column)
{
    return (unsigned)system_integer(SYSTEM_FIELDS, row, column);
}

int column_from_row(struct arena *a, const struct value *row, struct column *column_out)
{
    struct column c = {
        .name = system_text(SYSTEM_FIELDS, row, "field"),
        .length_max = number(row, "rowcast_length_max"),
        .precision = (uint8_t)number(row, "rowcast_numeric_precision"),
        .scale = (uint8_t)number(row, "rowcast_numeric_scale"),
        .nullable = flag(row, "rowcast_is_nullable"),
        .unique = flag(row, "rowcast_is_unique"),
        .indexed = flag(row, "rowcast_is_indexed"),
        .primary_key = flag(row, "rowcast_is_primary_key"),
        .auto_increment = flag(row, "rowcast_has_auto_increment"),
    };
    struct str initial = system_text(SYSTEM_FIELDS, row, "rowcast_default_value");
    unsigned special = special_bits(system_text(SYSTEM_FIELDS, row, "special"));
    json_t *json;

    if (!type_find(system_text(SYSTEM_FIELDS, row, "rowcast_type"), &c.type))
        return FAULT_BECAUSE(EBADMSG, "field \"%.*s\" has no known type", STR_ARG(c.name));
    c.secret = c.type == TYPE_HASH || (special & (SPECIAL_HASH | SPECIAL_CONCEAL));
    if (initial.at && (json_read_in(a, initial, &json, NULL) != 0 ||
                       type_read(&c, json, a, &c.default_value) != 0))
        return FAULT_BECAUSE(EBADMSG, "field \"%.*s\" has a default that is no value of its type",
                             STR_ARG(c.name));
    *column_out = c;
    return 0;
}

static void set(struct value *row, const char *column, struct value value)
{
    row[system_column(SYSTEM_FIELDS, column)] = value;
}

static struct value unless_zero(unsigned n)
{
    return n > 0 ? value_integer(n) : value_null();
}

void column_to_row(struct arena *a, const struct column *c, struct value *row)
{
    bool decimal = c->type == TYPE_DECIMAL;
    struct value initial = value_null();

    if (!value_is_null(&c->default_value)) {
        struct buf text;
        buf_init(&text, SIZE_MAX);
        type_write(&text, c, &c->default_value);
        initial = value_text(arena_str(a, buf_str(&text)));
        buf_deinit(&text);
    }
    set(row, "rowcast_type", value_text(str_of(types[c->type].name)));
    set(row, "rowcast_length_max", unless_zero(c->length_max));
    set(row, "rowcast_numeric_precision", decimal ? value_integer(c->precision) : value_null());
    set(row, "rowcast_numeric_scale", decimal ? value_integer(c->scale) : value_null());
    set(row, "rowcast_is_nullable", value_integer(c->nullable));
    set(row, "rowcast_is_unique", value_integer(c->unique));
    set(row, "rowcast_is_indexed", value_integer(c->indexed));
    set(row, "rowcast_is_primary_key", value_integer(c->primary_key));
    set(row, "rowcast_has_auto_increment", value_integer(c->auto_increment));
    set(row, "rowcast_default_value", initial);
}

/* ---- life ---- */

static struct catalogue *catalogue_new(int64_t version)
{
    struct arena *arena = arena_new();
    struct catalogue *c = ARENA_NEW(arena, struct catalogue);

    atomic_init(&c->references, 1);
    c->arena = arena;
    c->version = version;
    c->grants = grants_cache_new();
    map_init(&c->tables_by_name);
    map_init(&c->roles_by_id);
    map_init(&c->policies_by_id);
    return c;
}

struct catalogue *catalogue_renew(const struct catalogue *c, int64_t version)
{
    struct catalogue *renewed = catalogue_new(version);

    /* Maps and arrays stay the base's. Field by field: others count on c's references meanwhile. */
    renewed->base = catalogue_ref(c->base ? c->base : c);
    renewed->tables = c->tables;
    renewed->table_count = c->table_count;
    renewed->trashed = c->trashed;
    renewed->trashed_count = c->trashed_count;
    renewed->relations = c->relations;
    renewed->relation_count = c->relation_count;
    renewed->roles = c->roles;
    renewed->role_count = c->role_count;
    renewed->policies = c->policies;
    renewed->policy_count = c->policy_count;
    renewed->attachments = c->attachments;
    renewed->attachment_count = c->attachment_count;
    renewed->workspaces = c->workspaces;
    renewed->grid = c->grid;
    renewed->membership = c->membership;
    renewed->tables_by_name = c->tables_by_name;
    renewed->roles_by_id = c->roles_by_id;
    renewed->policies_by_id = c->policies_by_id;
    return renewed;
}

struct catalogue *catalogue_ref(const struct catalogue *c)
{
    /* Constant to its users; the count is the one thing that changes. */
    struct catalogue *shared = (struct catalogue *)(uintptr_t)c;
    atomic_fetch_add_explicit(&shared->references, 1, memory_order_relaxed);
    return shared;
}

void catalogue_unref(struct catalogue *c)
{
    if (!c || atomic_fetch_sub_explicit(&c->references, 1, memory_order_acq_rel) != 1)
        return;
    grants_cache_free(c->grants);
    if (c->base) {
        catalogue_unref(c->base);
    } else {
        map_deinit(&c->tables_by_name);
        map_deinit(&c->roles_by_id);
        map_deinit(&c->policies_by_id);
    }
    arena_free(c->arena);
}

const struct table *catalogue_table(const struct catalogue *c, struct str name)
{
    return map_get(&c->tables_by_name, name);
}

const struct table *catalogue_trashed_table(const struct catalogue *c, struct str name)
{
    for (size_t i = 0; i < c->trashed_count; i++)
        if (str_equal(c->trashed[i]->name, name))
            return c->trashed[i];
    return NULL;
}

const struct role *catalogue_role(const struct catalogue *c, struct str id)
{
    return map_get(&c->roles_by_id, id);
}

const struct relation *catalogue_relation(const struct catalogue *c, const struct column *column)
{
    if (!column->reference)
        return NULL;
    for (size_t i = 0; i < c->relation_count; i++)
        if (c->relations[i].column == column)
            return &c->relations[i];
    return NULL;
}

/* ---- access ---- */

/* Is `role` among the ancestors of `of`, or `of` itself? What is linked so far has no cycle. */
static bool is_ancestor(const struct role *role, const struct role *of)
{
    for (; of; of = of->parent)
        if (of == role)
            return true;
    return false;
}

static int load_roles(struct store *store, struct catalogue *c)
{
    struct system_rows rows;
    int rc = system_rows(store, c->arena, SYSTEM_ROLES, NULL, NULL, &rows);
    if (rc != 0)
        return rc;

    struct role *roles = ARENA_ARRAY(c->arena, struct role, rows.count);
    const struct role **pointers = ARENA_ARRAY(c->arena, const struct role *, rows.count);
    for (size_t i = 0; i < rows.count; i++) {
        roles[i].id = system_text(SYSTEM_ROLES, rows.at[i], "id");
        roles[i].name = system_text(SYSTEM_ROLES, rows.at[i], "name");
        pointers[i] = &roles[i];
        map_put(&c->roles_by_id, roles[i].id, &roles[i]);
    }
    for (size_t i = 0; i < rows.count; i++) {
        const struct role *parent =
            catalogue_role(c, system_text(SYSTEM_ROLES, rows.at[i], "parent"));
        if (!is_ancestor(&roles[i], parent))
            roles[i].parent = parent; /* else: the link that would close a ring is left out */
    }
    c->roles = pointers;
    c->role_count = rows.count;
    return 0;
}

static json_t *fields_json(struct arena *a, struct str text)
{
    struct str rest = text, name;
    json_t *fields = json_array();

    if (!fields)
        mem_exhausted();
    arena_on_free(a, json_release, fields);
    while (str_next(&rest, ',', &name))
        if (name.len > 0 && json_array_append_new(fields, json_stringn(name.at, name.len)) != 0)
            mem_exhausted();
    return fields;
}

static int read_permission(struct arena *a, const struct value *row, struct permission *p)
{
    struct str fields = system_text(SYSTEM_PERMISSIONS, row, "fields");

    p->id = system_integer(SYSTEM_PERMISSIONS, row, "id");
    p->collection = system_text(SYSTEM_PERMISSIONS, row, "collection");
    p->action = system_text(SYSTEM_PERMISSIONS, row, "action");
    p->fields = fields.at ? fields_json(a, fields) : NULL;
    int rc =
        catalogue_json(a, system_text(SYSTEM_PERMISSIONS, row, "permissions"), &p->permissions);
    if (rc == 0)
        rc = catalogue_json(a, system_text(SYSTEM_PERMISSIONS, row, "validation"), &p->validation);
    if (rc == 0)
        rc = catalogue_json(a, system_text(SYSTEM_PERMISSIONS, row, "presets"), &p->presets);
    return rc;
}

/* Ordered by policy, so that those of one policy lie together. */
static int load_permissions(struct store *store, struct catalogue *c)
{
    struct system_rows rows;
    int rc = system_rows(store, c->arena, SYSTEM_PERMISSIONS, NULL, "policy", &rows);
    struct permission *permissions =
        rc == 0 ? ARENA_ARRAY(c->arena, struct permission, rows.count) : NULL;

    for (size_t i = 0; rc == 0 && i < rows.count; i++) {
        struct policy *p =
            map_get(&c->policies_by_id, system_text(SYSTEM_PERMISSIONS, rows.at[i], "policy"));
        if (!p)
            return FAULT_BECAUSE(EBADMSG, "a permission belongs to no policy");
        if (p->permission_count++ == 0)
            p->permissions = &permissions[i];
        rc = read_permission(c->arena, rows.at[i], &permissions[i]);
    }
    return rc;
}

static int load_policies(struct store *store, struct catalogue *c)
{
    struct system_rows rows;
    int rc = system_rows(store, c->arena, SYSTEM_POLICIES, NULL, NULL, &rows);
    if (rc != 0)
        return rc;

    struct policy *policies = ARENA_ARRAY(c->arena, struct policy, rows.count);
    const struct policy **pointers = ARENA_ARRAY(c->arena, const struct policy *, rows.count);
    for (size_t i = 0; i < rows.count; i++) {
        const struct value *row = rows.at[i];
        struct str ip = system_text(SYSTEM_POLICIES, row, "ip_access");
        policies[i] = (struct policy){
            .id = system_text(SYSTEM_POLICIES, row, "id"),
            .name = system_text(SYSTEM_POLICIES, row, "name"),
            .admin_access = system_integer(SYSTEM_POLICIES, row, "admin_access") != 0,
            .app_access = system_integer(SYSTEM_POLICIES, row, "app_access") != 0,
            .enforce_tfa = system_integer(SYSTEM_POLICIES, row, "enforce_tfa") != 0,
            .ip_access = str_trim(ip).len > 0 ? ip : STR_NULL,
        };
        pointers[i] = &policies[i];
        map_put(&c->policies_by_id, policies[i].id, &policies[i]);
    }
    c->policies = pointers;
    c->policy_count = rows.count;
    return load_permissions(store, c);
}

static int load_attachments(struct store *store, struct catalogue *c)
{
    struct system_rows rows;
    int rc = system_rows(store, c->arena, SYSTEM_ACCESS, NULL, "sort", &rows);
    if (rc != 0)
        return rc;

    struct attachment *attachments = ARENA_ARRAY(c->arena, struct attachment, rows.count);
    for (size_t i = 0; i < rows.count; i++) {
        const struct value *row = rows.at[i];
        attachments[i] = (struct attachment){
            .policy = map_get(&c->policies_by_id, system_text(SYSTEM_ACCESS, row, "policy")),
            .role = system_text(SYSTEM_ACCESS, row, "role"),
            .user = system_text(SYSTEM_ACCESS, row, "user"),
            .sort = system_integer(SYSTEM_ACCESS, row, "sort"),
        };
        if (!attachments[i].policy)
            return FAULT_BECAUSE(EBADMSG, "an access row names no policy");
    }
    c->attachments = attachments;
    c->attachment_count = rows.count;
    return 0;
}

int catalogue_load(struct store *store, int64_t version, struct catalogue **catalogue_out)
{
    AUTO(catalogue_unref) struct catalogue *c = catalogue_new(version);
    struct structure_rows rows;

    int rc = workspace_register_load(store, c->arena, &c->workspaces);
    if (rc == 0)
        rc = tables_load(store, c, &rows);
    if (rc == 0)
        rc = load_roles(store, c);
    if (rc == 0)
        rc = load_policies(store, c);
    if (rc == 0)
        rc = load_attachments(store, c);
    if (rc == 0)
        rc = grid_load(c, &rows, &c->grid);
    if (rc != 0)
        return rc;
    c->membership = membership_load(c);
    *catalogue_out = c;
    c = NULL;
    return 0;
}
