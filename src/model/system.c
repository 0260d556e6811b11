#include "model/system.h"

#include <assert.h>
#include <pthread.h>

/*
 * How it works: one constant table of definitions, in the order of directus.md G.2. At first use it
 * is expanded, once, into columns, fields and tables in static memory. Columns that only this
 * program needs come last and are named rowcast_… (field_hidden).
 */

enum { KEY = 1, AUTO_KEY = 2, NOT_NULL = 4, UNIQUE = 8, INDEXED = 16, SECRET = 32 };

struct definition {
    const char *name;
    enum type_id type;
    unsigned length;
    unsigned flags;
    unsigned special;
    const char *initial; /* default, as text; NULL: none */
    const char *parent;  /* SQL table whose id this column refers to; NULL: none */
    enum reference_action on_delete;
};

#define COLUMN(n, t, l, f) .name = (n), .type = TYPE_##t, .length = (l), .flags = (f)
#define INITIAL(text) .initial = (text)
#define REFERS(table, action) .parent = (table), .on_delete = ON_DELETE_##action

/* clang-format off */
static const struct definition collections[] = {
    {COLUMN("collection", STRING, 64, KEY)},
    {COLUMN("icon", STRING, 255, 0)},
    {COLUMN("note", TEXT, 0, 0)},
    {COLUMN("display_template", STRING, 255, 0)},
    {COLUMN("color", STRING, 255, 0)},
    {COLUMN("preview_url", STRING, 255, 0)},
    {COLUMN("hidden", BOOLEAN, 0, NOT_NULL), INITIAL("0")},
    {COLUMN("singleton", BOOLEAN, 0, NOT_NULL), INITIAL("0")},
    {COLUMN("versioning", BOOLEAN, 0, NOT_NULL), INITIAL("0")},
    {COLUMN("translations", JSON, 0, 0)},
    {COLUMN("item_duplication_fields", JSON, 0, 0)},
    {COLUMN("archive_field", STRING, 64, 0)},
    {COLUMN("archive_app_filter", BOOLEAN, 0, NOT_NULL), INITIAL("1")},
    {COLUMN("archive_value", STRING, 255, 0)},
    {COLUMN("unarchive_value", STRING, 255, 0)},
    {COLUMN("sort_field", STRING, 64, 0)},
    {COLUMN("accountability", STRING, 255, 0), INITIAL("all")},
    {COLUMN("sort", INTEGER, 0, 0)},
    {COLUMN("group", STRING, 64, 0), REFERS("rowcast_collections", SET_NULL)},
    {COLUMN("collapse", STRING, 255, NOT_NULL), INITIAL("open")},
    {COLUMN("status", STRING, 255, NOT_NULL), INITIAL("active")},
    {COLUMN("autosave_revision_interval", FLOAT, 0, 0)},
    {COLUMN("rowcast_table_id", BIG_INTEGER, 0, UNIQUE)}, /* null: a folder, which has no table */
    {COLUMN("rowcast_label", STRING, 255, 0)}, /* the name to show; from here on: grid/grid.h */
    {COLUMN("rowcast_application", INTEGER, 0, 0)}, /* null: the default one */
    {COLUMN("rowcast_order", INTEGER, 0, 0)},       /* in its application */
    {COLUMN("rowcast_junction", BOOLEAN, 0, NOT_NULL), INITIAL("0")}, /* holds a field's links */
    {COLUMN("rowcast_trashed", BOOLEAN, 0, NOT_NULL), INITIAL("0")},
};

static const struct definition fields[] = {
    {COLUMN("id", INTEGER, 0, KEY | AUTO_KEY)},
    {COLUMN("collection", STRING, 64, NOT_NULL | INDEXED)},
    {COLUMN("field", STRING, 64, NOT_NULL)},
    {COLUMN("special", CSV, 64, 0)},
    {COLUMN("interface", STRING, 64, 0)},
    {COLUMN("options", JSON, 0, 0)},
    {COLUMN("display", STRING, 64, 0)},
    {COLUMN("display_options", JSON, 0, 0)},
    {COLUMN("readonly", BOOLEAN, 0, NOT_NULL), INITIAL("0")},
    {COLUMN("hidden", BOOLEAN, 0, NOT_NULL), INITIAL("0")},
    {COLUMN("sort", INTEGER, 0, 0)},
    {COLUMN("width", STRING, 30, 0), INITIAL("full")},
    {COLUMN("translations", JSON, 0, 0)},
    {COLUMN("note", TEXT, 0, 0)},
    {COLUMN("conditions", JSON, 0, 0)},
    {COLUMN("required", BOOLEAN, 0, 0), INITIAL("0")},
    {COLUMN("group", STRING, 64, 0)},
    {COLUMN("validation", JSON, 0, 0)},
    {COLUMN("validation_message", TEXT, 0, 0)},
    {COLUMN("searchable", BOOLEAN, 0, NOT_NULL), INITIAL("1")},
    {COLUMN("rowcast_type", STRING, 32, 0)}, /* null: it has no column of its own */
    {COLUMN("rowcast_length_max", INTEGER, 0, 0)},
    {COLUMN("rowcast_numeric_precision", INTEGER, 0, 0)},
    {COLUMN("rowcast_numeric_scale", INTEGER, 0, 0)},
    {COLUMN("rowcast_is_nullable", BOOLEAN, 0, NOT_NULL), INITIAL("1")},
    {COLUMN("rowcast_is_unique", BOOLEAN, 0, NOT_NULL), INITIAL("0")},
    {COLUMN("rowcast_is_indexed", BOOLEAN, 0, NOT_NULL), INITIAL("0")},
    {COLUMN("rowcast_is_primary_key", BOOLEAN, 0, NOT_NULL), INITIAL("0")},
    {COLUMN("rowcast_has_auto_increment", BOOLEAN, 0, NOT_NULL), INITIAL("0")},
    {COLUMN("rowcast_default_value", JSON, 0, 0)},
    {COLUMN("rowcast_label", STRING, 255, 0)}, /* the name to show; from here on: grid/grid.h */
    {COLUMN("rowcast_kind", STRING, 32, 0)},   /* null: what the column's type makes of it */
    {COLUMN("rowcast_settings", JSON, 0, 0)},
    {COLUMN("rowcast_order", INTEGER, 0, 0)},
    {COLUMN("rowcast_primary", BOOLEAN, 0, NOT_NULL), INITIAL("0")},
    {COLUMN("rowcast_trashed", BOOLEAN, 0, NOT_NULL), INITIAL("0")},
};

static const struct definition relations[] = {
    {COLUMN("id", INTEGER, 0, KEY | AUTO_KEY)},
    {COLUMN("many_collection", STRING, 64, NOT_NULL)},
    {COLUMN("many_field", STRING, 64, NOT_NULL)},
    {COLUMN("one_collection", STRING, 64, 0)},
    {COLUMN("one_field", STRING, 64, 0)},
    {COLUMN("one_collection_field", STRING, 64, 0)},
    {COLUMN("one_allowed_collections", CSV, 0, 0)},
    {COLUMN("junction_field", STRING, 64, 0)},
    {COLUMN("sort_field", STRING, 64, 0)},
    {COLUMN("one_deselect_action", STRING, 255, NOT_NULL), INITIAL("nullify")},
    {COLUMN("rowcast_on_delete", STRING, 16, NOT_NULL), INITIAL("NO ACTION")},
};

static const struct definition users[] = {
    {COLUMN("id", UUID, 0, KEY), .special = SPECIAL_UUID},
    {COLUMN("first_name", STRING, 150, 0)}, /* of Baserow's people all of the name */
    {COLUMN("last_name", STRING, 50, 0)},
    {COLUMN("email", STRING, 128, UNIQUE)},
    {COLUMN("password", HASH, 255, SECRET), .special = SPECIAL_CONCEAL},
    {COLUMN("location", STRING, 255, 0)},
    {COLUMN("title", STRING, 50, 0)},
    {COLUMN("description", TEXT, 0, 0)},
    {COLUMN("tags", JSON, 0, 0)},
    {COLUMN("avatar", UUID, 0, 0)},
    {COLUMN("language", STRING, 255, 0)},
    {COLUMN("tfa_secret", STRING, 255, SECRET), .special = SPECIAL_CONCEAL},
    {COLUMN("status", STRING, 16, NOT_NULL), INITIAL("active")},
    {COLUMN("role", UUID, 0, INDEXED), REFERS("rowcast_roles", SET_NULL)},
    {COLUMN("token", STRING, 255, UNIQUE | SECRET), .special = SPECIAL_CONCEAL | SPECIAL_TOKEN},
    {COLUMN("last_access", TIMESTAMP, 0, 0)},
    {COLUMN("last_page", STRING, 255, 0)},
    {COLUMN("provider", STRING, 128, NOT_NULL), INITIAL("default")},
    {COLUMN("external_identifier", STRING, 255, UNIQUE)},
    {COLUMN("auth_data", JSON, 0, 0)},
    {COLUMN("email_notifications", BOOLEAN, 0, 0), INITIAL("1")},
    {COLUMN("appearance", STRING, 255, 0)},
    {COLUMN("theme_dark", STRING, 255, 0)},
    {COLUMN("theme_light", STRING, 255, 0)},
    {COLUMN("theme_light_overrides", JSON, 0, 0)},
    {COLUMN("theme_dark_overrides", JSON, 0, 0)},
    {COLUMN("text_direction", STRING, 255, NOT_NULL), INITIAL("auto")},
};

static const struct definition roles[] = {
    {COLUMN("id", UUID, 0, KEY), .special = SPECIAL_UUID},
    {COLUMN("name", STRING, 100, NOT_NULL)},
    {COLUMN("icon", STRING, 64, NOT_NULL), INITIAL("supervised_user_circle")},
    {COLUMN("description", TEXT, 0, 0)},
    {COLUMN("parent", UUID, 0, 0), REFERS("rowcast_roles", SET_NULL)},
};

static const struct definition policies[] = {
    {COLUMN("id", UUID, 0, KEY), .special = SPECIAL_UUID},
    {COLUMN("name", STRING, 100, NOT_NULL)},
    {COLUMN("icon", STRING, 64, NOT_NULL), INITIAL("badge")},
    {COLUMN("description", TEXT, 0, 0)},
    {COLUMN("ip_access", CSV, 0, 0)},
    {COLUMN("enforce_tfa", BOOLEAN, 0, NOT_NULL), INITIAL("0")},
    {COLUMN("admin_access", BOOLEAN, 0, NOT_NULL), INITIAL("0")},
    {COLUMN("app_access", BOOLEAN, 0, NOT_NULL), INITIAL("0")},
};

static const struct definition access[] = {
    {COLUMN("id", UUID, 0, KEY), .special = SPECIAL_UUID},
    {COLUMN("role", UUID, 0, INDEXED), REFERS("rowcast_roles", CASCADE)},
    {COLUMN("user", UUID, 0, INDEXED), REFERS("rowcast_users", CASCADE)},
    {COLUMN("policy", UUID, 0, NOT_NULL | INDEXED), REFERS("rowcast_policies", CASCADE)},
    {COLUMN("sort", INTEGER, 0, 0)},
};

static const struct definition permissions[] = {
    {COLUMN("id", INTEGER, 0, KEY | AUTO_KEY)},
    {COLUMN("collection", STRING, 64, NOT_NULL)},
    {COLUMN("action", STRING, 10, NOT_NULL)},
    {COLUMN("permissions", JSON, 0, 0)},
    {COLUMN("validation", JSON, 0, 0)},
    {COLUMN("presets", JSON, 0, 0)},
    {COLUMN("fields", CSV, 0, 0)},
    {COLUMN("policy", UUID, 0, NOT_NULL | INDEXED), REFERS("rowcast_policies", CASCADE)},
};

static const struct definition sessions[] = {
    {COLUMN("token", STRING, 64, KEY | SECRET)}, /* SHA-256 in hex */
    {COLUMN("user", UUID, 0, INDEXED), REFERS("rowcast_users", CASCADE)},
    {COLUMN("expires", TIMESTAMP, 0, NOT_NULL)},
    {COLUMN("ip", STRING, 255, 0)},
    {COLUMN("user_agent", TEXT, 0, 0)},
    {COLUMN("share", UUID, 0, 0)},
    {COLUMN("origin", STRING, 255, 0)},
    {COLUMN("next_token", STRING, 64, SECRET)},
    {COLUMN("oauth_client", STRING, 255, 0)},
};

static const struct definition state[] = {
    {COLUMN("id", INTEGER, 0, KEY)}, /* always 1 */
    {COLUMN("epoch", UUID, 0, NOT_NULL)},
    {COLUMN("head", BIG_INTEGER, 0, NOT_NULL)},
    {COLUMN("commits", BIG_INTEGER, 0, NOT_NULL)},
    {COLUMN("catalogue_version", BIG_INTEGER, 0, NOT_NULL)},
    {COLUMN("format", INTEGER, 0, NOT_NULL)},
};

static const struct definition journal[] = {
    {COLUMN("sequence", BIG_INTEGER, 0, KEY)},
    {COLUMN("commit", BIG_INTEGER, 0, NOT_NULL)},
    {COLUMN("position", INTEGER, 0, NOT_NULL)}, /* within the commit, from 0 */
    {COLUMN("time", BIG_INTEGER, 0, NOT_NULL)}, /* milliseconds since 1970 UTC */
    {COLUMN("user", UUID, 0, 0)},
    {COLUMN("origin", BIG_INTEGER, 0, 0)},
    {COLUMN("request", STRING, 64, 0)},
    {COLUMN("kind", STRING, 16, NOT_NULL)},
    {COLUMN("workspace", INTEGER, 0, NOT_NULL)},
    {COLUMN("table", STRING, 64, NOT_NULL)},
    {COLUMN("key", TEXT, 0, NOT_NULL)},
    {COLUMN("before", TEXT, 0, 0)},
    {COLUMN("after", TEXT, 0, 0)},
    {COLUMN("changed", TEXT, 0, 0)}, /* update: names of columns, with commas between */
    {COLUMN("schema_version", BIG_INTEGER, 0, NOT_NULL)},
};

static const struct definition workspaces[] = {
    {COLUMN("id", INTEGER, 0, KEY | AUTO_KEY)},
    {COLUMN("name", STRING, 165, NOT_NULL)},
    {COLUMN("trashed", BOOLEAN, 0, NOT_NULL), INITIAL("0")},
};

static const struct definition accounts[] = {
    {COLUMN("id", INTEGER, 0, KEY | AUTO_KEY)},
    {COLUMN("user", UUID, 0, NOT_NULL | UNIQUE), REFERS("rowcast_users", CASCADE)},
    {COLUMN("language", STRING, 10, NOT_NULL), INITIAL("en")},
    {COLUMN("notification_frequency", STRING, 16, NOT_NULL), INITIAL("instant")},
    {COLUMN("tours", JSON, 0, 0)}, /* array of texts */
    {COLUMN("staff", BOOLEAN, 0, NOT_NULL), INITIAL("0")},
    {COLUMN("verified", BOOLEAN, 0, NOT_NULL), INITIAL("0")},
    {COLUMN("onboarded", BOOLEAN, 0, NOT_NULL), INITIAL("0")},
    {COLUMN("password_changed", BIG_INTEGER, 0, 0)}, /* milliseconds since 1970 UTC */
    {COLUMN("deletion", BIG_INTEGER, 0, 0)},         /* when it was asked for; the same */
};

static const struct definition members[] = {
    {COLUMN("id", INTEGER, 0, KEY | AUTO_KEY)},
    {COLUMN("workspace", INTEGER, 0, NOT_NULL | INDEXED), REFERS("rowcast_workspaces", CASCADE)},
    {COLUMN("account", INTEGER, 0, NOT_NULL | INDEXED), REFERS("rowcast_accounts", CASCADE)},
    {COLUMN("user", UUID, 0, NOT_NULL)}, /* the account's */
    {COLUMN("role", STRING, 16, NOT_NULL)},
    {COLUMN("order", INTEGER, 0, NOT_NULL)}, /* of the workspace, to this member */
    {COLUMN("created_on", TIMESTAMP, 0, NOT_NULL)},
};

static const struct definition invitations[] = {
    {COLUMN("id", INTEGER, 0, KEY | AUTO_KEY)},
    {COLUMN("workspace", INTEGER, 0, NOT_NULL | INDEXED), REFERS("rowcast_workspaces", CASCADE)},
    {COLUMN("email", STRING, 255, NOT_NULL | INDEXED)}, /* normalised */
    {COLUMN("role", STRING, 16, NOT_NULL)},
    {COLUMN("message", TEXT, 0, NOT_NULL), INITIAL("")},
    {COLUMN("invited_by", UUID, 0, INDEXED), REFERS("rowcast_users", SET_NULL)},
    {COLUMN("user", UUID, 0, INDEXED), REFERS("rowcast_users", SET_NULL)}, /* of this e-mail, then */
    {COLUMN("created_on", TIMESTAMP, 0, NOT_NULL)},
};

static const struct definition applications[] = {
    {COLUMN("id", INTEGER, 0, KEY | AUTO_KEY)},
    {COLUMN("workspace", INTEGER, 0, NOT_NULL | INDEXED), REFERS("rowcast_workspaces", CASCADE)},
    {COLUMN("name", STRING, 160, NOT_NULL)},
    {COLUMN("type", STRING, 32, NOT_NULL)},
    {COLUMN("order", INTEGER, 0, NOT_NULL)},
    {COLUMN("created_on", TIMESTAMP, 0, NOT_NULL)},
    {COLUMN("trashed", BOOLEAN, 0, NOT_NULL), INITIAL("0")},
};

static const struct definition blacklist[] = {
    {COLUMN("token", STRING, 64, KEY | SECRET)}, /* SHA-256 in hex */
    {COLUMN("expires", TIMESTAMP, 0, NOT_NULL)},
};

static const struct definition options[] = {
    {COLUMN("name", STRING, 64, KEY)},
    {COLUMN("value", JSON, 0, 0)},
};

static const struct definition trash[] = {
    {COLUMN("id", INTEGER, 0, KEY | AUTO_KEY)},
    {COLUMN("workspace", INTEGER, 0, NOT_NULL | INDEXED)},
    {COLUMN("application", INTEGER, 0, 0)},
    {COLUMN("type", STRING, 32, NOT_NULL)},
    {COLUMN("item", BIG_INTEGER, 0, NOT_NULL)},
    {COLUMN("parent", BIG_INTEGER, 0, 0)}, /* rows: their table */
    {COLUMN("name", TEXT, 0, NOT_NULL)},
    {COLUMN("names", JSON, 0, 0)},
    {COLUMN("parent_name", TEXT, 0, 0)},
    {COLUMN("user", UUID, 0, INDEXED), REFERS("rowcast_users", SET_NULL)},
    {COLUMN("trashed_on", TIMESTAMP, 0, NOT_NULL | INDEXED)},
    {COLUMN("emptied", BOOLEAN, 0, NOT_NULL), INITIAL("0")}, /* goes at the next opportunity */
    {COLUMN("content", TEXT, 0, SECRET)},                    /* JSON: what is not elsewhere */
};

static const struct definition history[] = {
    {COLUMN("id", BIG_INTEGER, 0, KEY | AUTO_KEY)},
    {COLUMN("subject", STRING, 64, NOT_NULL | INDEXED)}, /* "7/14": table and row */
    {COLUMN("time", TIMESTAMP, 0, NOT_NULL | INDEXED)},
    {COLUMN("entry", TEXT, 0, NOT_NULL)}, /* JSON of baserow.md 5.8, but for its id */
};

static const struct definition tokens[] = {
    {COLUMN("id", INTEGER, 0, KEY | AUTO_KEY)},
    {COLUMN("name", STRING, 100, NOT_NULL)},
    {COLUMN("workspace", INTEGER, 0, NOT_NULL | INDEXED), REFERS("rowcast_workspaces", CASCADE)},
    {COLUMN("account", INTEGER, 0, NOT_NULL | INDEXED), REFERS("rowcast_accounts", CASCADE)},
    {COLUMN("key", STRING, 64, NOT_NULL | UNIQUE | SECRET)},
    {COLUMN("permissions", JSON, 0, NOT_NULL)},
};

#define TABLE(wire, sql, rows) {wire, sql, rows, COUNT_OF(rows)}
static const struct {
    const char *wire, *sql;
    const struct definition *columns;
    unsigned count;
} definitions[SYSTEM_TABLE_COUNT] = {
    [SYSTEM_COLLECTIONS] = TABLE("directus_collections", "rowcast_collections", collections),
    [SYSTEM_FIELDS] = TABLE("directus_fields", "rowcast_fields", fields),
    [SYSTEM_RELATIONS] = TABLE("directus_relations", "rowcast_relations", relations),
    [SYSTEM_USERS] = TABLE("directus_users", "rowcast_users", users),
    [SYSTEM_ROLES] = TABLE("directus_roles", "rowcast_roles", roles),
    [SYSTEM_POLICIES] = TABLE("directus_policies", "rowcast_policies", policies),
    [SYSTEM_ACCESS] = TABLE("directus_access", "rowcast_access", access),
    [SYSTEM_PERMISSIONS] = TABLE("directus_permissions", "rowcast_permissions", permissions),
    [SYSTEM_SESSIONS] = TABLE("directus_sessions", "rowcast_sessions", sessions),
    [SYSTEM_STATE] = TABLE("rowcast_state", "rowcast_state", state),
    [SYSTEM_JOURNAL] = TABLE("rowcast_journal", "rowcast_journal", journal),
    [SYSTEM_WORKSPACES] = TABLE("rowcast_workspaces", "rowcast_workspaces", workspaces),
    [SYSTEM_ACCOUNTS] = TABLE("rowcast_accounts", "rowcast_accounts", accounts),
    [SYSTEM_MEMBERS] = TABLE("rowcast_members", "rowcast_members", members),
    [SYSTEM_INVITATIONS] = TABLE("rowcast_invitations", "rowcast_invitations", invitations),
    [SYSTEM_APPLICATIONS] = TABLE("rowcast_applications", "rowcast_applications", applications),
    [SYSTEM_BLACKLIST] = TABLE("rowcast_blacklist", "rowcast_blacklist", blacklist),
    [SYSTEM_OPTIONS] = TABLE("rowcast_options", "rowcast_options", options),
    [SYSTEM_TRASH] = TABLE("rowcast_trash", "rowcast_trash", trash),
    [SYSTEM_HISTORY] = TABLE("rowcast_history", "rowcast_history", history),
    [SYSTEM_TOKENS] = TABLE("rowcast_tokens", "rowcast_tokens", tokens),
};

enum {
    COLUMN_COUNT = COUNT_OF(collections) + COUNT_OF(fields) + COUNT_OF(relations) +
        COUNT_OF(users) + COUNT_OF(roles) + COUNT_OF(policies) + COUNT_OF(access) +
        COUNT_OF(permissions) + COUNT_OF(sessions) + COUNT_OF(state) + COUNT_OF(journal) +
        COUNT_OF(workspaces) + COUNT_OF(accounts) + COUNT_OF(members) + COUNT_OF(invitations) +
        COUNT_OF(applications) + COUNT_OF(blacklist) + COUNT_OF(options) +
        COUNT_OF(trash) + COUNT_OF(history) + COUNT_OF(tokens)
};
/* clang-format on */

/* The expansion; written once, before anybody reads it. */
static struct table tables[SYSTEM_TABLE_COUNT];
static struct column columns[COLUMN_COUNT];
static struct field table_fields[COLUMN_COUNT];
static struct reference references[COLUMN_COUNT];
static pthread_once_t expanded = PTHREAD_ONCE_INIT;

static struct value initial_value(const struct definition *d)
{
    int64_t number;

    if (!d->initial)
        return value_null();
    if (types[d->type].kind == VALUE_TEXT)
        return value_text(str_of(d->initial));
    int rc = str_to_int64(str_of(d->initial), &number);
    assert(rc == 0);
    return value_integer(number);
}

static unsigned special_of(const struct definition *d)
{
    switch (d->type) {
    case TYPE_JSON:
        return d->special | SPECIAL_CAST_JSON;
    case TYPE_CSV:
        return d->special | SPECIAL_CAST_CSV;
    case TYPE_BOOLEAN:
        return d->special | SPECIAL_CAST_BOOLEAN;
    case TYPE_HASH:
        return d->special | SPECIAL_HASH;
    default:
        return d->special;
    }
}

static void expand_column(unsigned at, unsigned index, const struct definition *d)
{
    if (d->parent)
        references[at] = (struct reference){str_of(d->parent),
                                            str_equal(str_of(d->parent), STR("rowcast_collections"))
                                                ? STR("collection")
                                                : STR("id"),
                                            d->on_delete};
    columns[at] = (struct column){
        .name = str_of(d->name),
        .type = d->type,
        .index = index,
        .length_max = d->length,
        .nullable = !(d->flags & (NOT_NULL | KEY)),
        .unique = d->flags & UNIQUE,
        .indexed = d->flags & INDEXED,
        .primary_key = d->flags & KEY,
        .auto_increment = d->flags & AUTO_KEY,
        .secret = d->flags & SECRET,
        .default_value = initial_value(d),
        .reference = d->parent ? &references[at] : NULL,
    };
}

/* Of this program, not of directus.md G.2. */
static bool is_ours(struct str column)
{
    return str_starts_with(column, STR("rowcast_"));
}

static void expand(void)
{
    unsigned at = 0;

    for (unsigned which = 0; which < SYSTEM_TABLE_COUNT; which++) {
        struct table *t = &tables[which];
        t->name = str_of(definitions[which].wire);
        t->shape = (struct shape){.name = str_of(definitions[which].sql),
                                  .columns = &columns[at],
                                  .count = definitions[which].count};
        t->fields = &table_fields[at];
        t->system = true;
        t->accountability = system_is_internal(which) ? STR_NULL : STR("all");
        t->id = -(int64_t)which - 1;
        for (unsigned i = 0; i < definitions[which].count; i++, at++) {
            const struct definition *d = &definitions[which].columns[i];
            expand_column(at, i, d);
            table_fields[at] = (struct field){.name = columns[at].name,
                                              .column = &columns[at],
                                              .table = t,
                                              .special = special_of(d),
                                              .searchable = true,
                                              .hidden = is_ours(columns[at].name)};
            if (d->flags & KEY)
                t->shape.key = i;
        }
    }
}

const struct table *system_table(enum system_table which)
{
    pthread_once(&expanded, expand);
    return &tables[which];
}

bool system_is(const struct table *t, enum system_table which)
{
    return t == system_table(which);
}

const struct table *system_find(struct str sql_name)
{
    for (unsigned which = 0; which < SYSTEM_TABLE_COUNT; which++) {
        const struct table *t = system_table(which);
        if (!system_is_internal(which) && str_equal(t->shape.name, sql_name))
            return t;
    }
    return NULL;
}

unsigned system_column(enum system_table which, const char *name)
{
    const struct column *c = shape_column(&system_table(which)->shape, str_of(name));
    assert(c);
    return c->index;
}

struct str system_text(enum system_table which, const struct value *row, const char *column)
{
    const struct value *v = &row[system_column(which, column)];
    return v->kind == VALUE_TEXT ? v->text : STR_NULL;
}

int64_t system_integer(enum system_table which, const struct value *row, const char *column)
{
    const struct value *v = &row[system_column(which, column)];
    return v->kind == VALUE_INTEGER ? v->integer : 0;
}

bool system_user_is_active(const struct value *user)
{
    return str_equal(system_text(SYSTEM_USERS, user, "status"), STR("active"));
}

const struct expr *system_test(struct arena *a, enum system_table which, const char *column,
                               enum operator op, struct value value)
{
    const struct column *c = &system_table(which)->shape.columns[system_column(which, column)];
    return expr_test(a, c, op, &value, 1);
}

struct collecting {
    struct arena *arena;
    struct system_rows *rows;
    size_t capacity, columns;
};

static int collect(void *context, const struct value *row)
{
    struct collecting *c = context;

    if (c->rows->count == c->capacity) {
        size_t capacity = c->capacity ? c->capacity * 2 : 16;
        const struct value **at = ARENA_ARRAY(c->arena, const struct value *, capacity);
        if (c->rows->count > 0)
            memcpy(at, c->rows->at, c->rows->count * sizeof(*at));
        c->rows->at = at;
        c->capacity = capacity;
    }
    c->rows->at[c->rows->count++] = value_copy_row(c->arena, row, c->columns);
    return 0;
}

int system_rows(struct store *s, struct arena *a, enum system_table which, const struct expr *where,
                const char *order, struct system_rows *rows_out)
{
    const struct shape *shape = &system_table(which)->shape;
    struct order by = {.column = &shape->columns[order ? system_column(which, order) : shape->key]};
    struct select select = {
        .shape = shape, .where = where, .orders = &by, .order_count = 1, .limit = -1};
    struct system_rows rows = {0};
    struct collecting collecting = {.arena = a, .rows = &rows, .columns = shape->count};

    int rc = store_select(s, &select, collect, &collecting);
    if (rc == 0)
        *rows_out = rows;
    return rc;
}
