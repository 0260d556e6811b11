/*
 * A commit → the messages of tables and fields (5.5, 5.6): what changed in the rows that describe
 * them. What is marked as trashed is gone, what is not any more is back; both catalogues say so by
 * themselves, so a rule asks them, and not the mark.
 *
 * Fields that change together are told together: those of the table that one message is about are
 * its `related_fields`.
 */
#include "dialect/baserow/grid_messages.h"

#include <inttypes.h>

#include "base/text.h"
#include "dialect/baserow/baserow.h"
#include "dialect/baserow/shapes.h"

struct str page_of_table(struct page_name *name, int64_t table)
{
    int size = snprintf(name->text, sizeof(name->text), "table/%" PRId64, table);

    return (struct str){name->text, (size_t)size};
}

struct str page_of_row(struct page_name *name, int64_t table, int64_t row)
{
    int size =
        snprintf(name->text, sizeof(name->text), "table/%" PRId64 "/row/%" PRId64, table, row);

    return (struct str){name->text, (size_t)size};
}

/* ---- tables ---- */

static void tell_members(struct telling *t, struct buf *b, const struct grid_table *table,
                         enum sender sender)
{
    struct audience audience = {0};

    audience_add_members(&audience, table->application->workspace);
    tell_users(t, b, &audience, sender);
}

void tell_table_updated(struct telling *t, const struct grid_table *table, bool refresh,
                        enum sender sender)
{
    struct buf b;

    message_begin(&b, "table_updated");
    message_int(&b, "table_id", table->id);
    message_key(&b, "table");
    shape_table(&b, table);
    message_key(&b, "force_table_refresh");
    buf_put_str(&b, refresh ? STR("true") : STR("false"));
    tell_members(t, &b, table, sender);
}

/* Who is told of a table is told nothing of it when its database comes or goes. */
static bool has_application(const struct catalogue *c, const struct grid_table *table)
{
    return catalogue_application(c, table->application->id) != NULL;
}

static void table_came(struct telling *t, const struct grid_table *table)
{
    struct buf b;

    if (!has_application(t->before, table))
        return;
    message_begin(&b, "table_created");
    message_key(&b, "table");
    shape_table(&b, table);
    tell_members(t, &b, table, SENDER_EXCLUDED);
}

static void table_went(struct telling *t, const struct grid_table *table)
{
    struct buf b;

    if (!has_application(t->after, table))
        return;
    message_begin(&b, "table_deleted");
    message_int(&b, "database_id", table->application->id);
    message_int(&b, "table_id", table->id);
    tell_members(t, &b, table, SENDER_EXCLUDED);
}

/* Ids are told as digests (5.3). */
static void put_digest(struct buf *b, struct arena *a, int64_t id)
{
    char hex[SHA256_HEX_SIZE];

    text_sha256_hex(arena_printf(a, "%" PRId64, id), hex);
    buf_printf(b, "\"%s\"", hex);
}

/* The documentation spells it in another way (5.13). */
static void tell_order(struct telling *t, const struct application *application)
{
    static const char *const names[] = {"tables_reordered", "tables_re_ordered"};
    size_t count;
    const struct grid_table *const *tables = grid_tables(t->after, application->id, &count);

    for (size_t n = 0; n < (baserow_settings()->documented_messages ? 2 : 1); n++) {
        struct audience audience = {0};
        struct buf b;
        message_begin(&b, names[n]);
        message_key(&b, "database_id");
        put_digest(&b, t->arena, application->id);
        message_key(&b, "order");
        buf_put_char(&b, '[');
        for (size_t i = 0; i < count; i++) {
            if (i > 0)
                buf_put_char(&b, ',');
            put_digest(&b, t->arena, tables[i]->id);
        }
        buf_put_char(&b, ']');
        audience_add_members(&audience, application->workspace);
        tell_users(t, &b, &audience, SENDER_EXCLUDED);
    }
}

static const struct grid_table *table_of(const struct catalogue *c, const struct change *change)
{
    return grid_table(c,
                      system_integer(SYSTEM_COLLECTIONS, change_row(change), "rowcast_table_id"));
}

static void collection_changed(struct telling *t, const struct change *c)
{
    const struct grid_table *before = table_of(t->before, c), *after = table_of(t->after, c);

    if (!before && !after)
        return;
    int64_t id = after ? after->id : before->id;
    if (!before && telling_once(t, "table_created", id))
        table_came(t, after);
    if (!after && telling_once(t, "table_deleted", id))
        table_went(t, before);
    if (!before || !after)
        return;
    if (change_sets(c, SYSTEM_COLLECTIONS, "rowcast_label") && telling_once(t, "table_updated", id))
        tell_table_updated(t, after, false, SENDER_EXCLUDED);
    if (change_has(c, SYSTEM_COLLECTIONS, "rowcast_order") &&
        telling_once(t, "tables_reordered", after->application->id))
        tell_order(t, after->application);
}

/* ---- fields ---- */

/* What has become of a field: its id, in the order in which they are told. */
enum fate { FATE_CAME, FATE_CHANGED, FATE_WENT, FATE_BACK };
struct told_field {
    enum fate fate;
    const struct grid_field *field; /* as it is; one that went: as it was */
    const struct grid_table *table; /* as it is */
};
struct told_fields {
    struct told_field *at;
    size_t count, capacity;
};

static bool was_made(const struct telling *t, int64_t id)
{
    for (size_t i = 0; i < t->commit->count; i++) {
        const struct change *c = t->commit->changes[i];
        if (c->kind == CHANGE_CREATE && system_is(c->table, SYSTEM_FIELDS) && change_id(c) == id)
            return true;
    }
    return false;
}

/* Only within tables that were there before and are there after. */
static bool find_fate(const struct telling *t, int64_t id, struct told_field *told_out)
{
    const struct grid_field *before = grid_field(t->before, id), *after = grid_field(t->after, id);
    const struct grid_field *any = after ? after : before;

    if (!any || !grid_table(t->before, any->table->id) || !grid_table(t->after, any->table->id))
        return false;
    told_out->field = any;
    told_out->table = grid_table(t->after, any->table->id);
    if (!before)
        told_out->fate = was_made(t, id) ? FATE_CAME : FATE_BACK;
    else
        told_out->fate = after ? FATE_CHANGED : FATE_WENT;
    return true;
}

/* Columns of a field's row that make it another field to those who look at it. */
static bool is_seen(const struct change *c)
{
    static const char *const unseen[] = {"rowcast_order", "sort", "width", "hidden"};
    struct column_set changed = c->changed;

    for (size_t i = 0; i < COUNT_OF(unseen); i++) {
        unsigned column = system_column(SYSTEM_FIELDS, unseen[i]);
        changed.words[column / 64] &= ~(UINT64_C(1) << (column % 64));
    }
    return column_set_is_empty(&c->changed) || !column_set_is_empty(&changed);
}

static void grow(struct telling *t, struct told_fields *list)
{
    enum { AT_FIRST = 16 };
    size_t capacity = list->capacity ? list->capacity * 2 : AT_FIRST;
    struct told_field *at = ARENA_ARRAY(t->arena, struct told_field, capacity);

    if (list->count > 0)
        memcpy(at, list->at, list->count * sizeof(*at));
    list->at = at;
    list->capacity = capacity;
}

static void add_fate(struct telling *t, struct told_fields *list, int64_t id)
{
    struct told_field told;

    for (size_t i = 0; i < list->count; i++)
        if (list->at[i].field->id == id)
            return;
    if (!find_fate(t, id, &told))
        return;
    if (list->count == list->capacity)
        grow(t, list);
    list->at[list->count++] = told;
}

/* A reference makes a link of a field. */
static void add_relation(struct telling *t, struct told_fields *list, const struct change *c)
{
    const struct table *many =
        catalogue_table(t->after, system_text(SYSTEM_RELATIONS, change_row(c), "many_collection"));
    const struct grid_table *table = many ? grid_table_of(t->after, many) : NULL;
    struct str name = system_text(SYSTEM_RELATIONS, change_row(c), "many_field");

    for (size_t i = 0; table && i < table->field_count; i++) {
        const struct grid_field *f = &table->fields[i];
        if (f->column && str_equal(f->column->name, name))
            add_fate(t, list, f->id);
    }
}

/* A link shows the primary field of the table that it leads to, and changes with that. */
static void add_links_to_primaries(struct telling *t, struct told_fields *list)
{
    size_t told = list->count;

    for (size_t i = 0; i < told; i++) {
        const struct told_field *primary = &list->at[i];
        size_t count = 0;
        if (primary->fate != FATE_CHANGED || !primary->field->primary)
            continue;
        const struct grid_field *const *links = grid_links_to(t->after, primary->table, &count);
        for (size_t k = 0; k < count; k++)
            if (grid_field(t->before, links[k]->id))
                add_fate(t, list, links[k]->id);
    }
}

static struct told_fields read_fates(struct telling *t)
{
    struct told_fields list = {0};

    for (size_t i = 0; i < t->commit->count; i++) {
        const struct change *c = t->commit->changes[i];
        if (system_is(c->table, SYSTEM_FIELDS) && (c->kind != CHANGE_UPDATE || is_seen(c)))
            add_fate(t, &list, change_id(c));
        else if (system_is(c->table, SYSTEM_RELATIONS))
            add_relation(t, &list, c);
    }
    add_links_to_primaries(t, &list);
    return list;
}

/* One that becomes the primary comes before the one that it takes the place of. */
static bool leads(const struct telling *t, const struct told_field *told)
{
    const struct grid_field *before = grid_field(t->before, told->field->id);

    return told->fate == FATE_CHANGED && told->field->primary && before && !before->primary;
}

static void put_related(struct buf *b, const struct told_fields *list,
                        const struct told_field *main)
{
    bool started = false;

    message_key(b, "related_fields");
    buf_put_char(b, '[');
    for (size_t i = 0; i < list->count; i++) {
        const struct told_field *other = &list->at[i];
        if (other == main || other->fate == FATE_WENT || other->table != main->table)
            continue;
        if (started)
            buf_put_char(b, ',');
        started = true;
        shape_field(b, other->field);
    }
    buf_put_char(b, ']');
}

/* With what views held of it: nothing, as long as there are none. */
static void put_restored(struct buf *b, const struct grid_field *f)
{
    shape_field(b, f);
    b->len--;
    buf_put_lit(b, ",\"filters\":[],\"sortings\":[],\"group_bys\":[]}");
}

static void tell_field(struct telling *t, const struct told_fields *list,
                       const struct told_field *told, enum sender sender)
{
    static const char *const types_of_fate[] = {
        [FATE_CAME] = "field_created",
        [FATE_CHANGED] = "field_updated",
        [FATE_WENT] = "field_deleted",
        [FATE_BACK] = "field_restored",
    };
    struct page_name name;
    struct str page = page_of_table(&name, told->table->id);
    struct buf b;

    if (!page_is_heard(t, page))
        return;
    message_begin(&b, types_of_fate[told->fate]);
    if (told->fate == FATE_WENT)
        message_int(&b, "table_id", told->table->id);
    if (told->fate == FATE_WENT || told->fate == FATE_CHANGED)
        message_int(&b, "field_id", told->field->id);
    if (told->fate != FATE_WENT) {
        message_key(&b, "field");
        if (told->fate == FATE_BACK)
            put_restored(&b, told->field);
        else
            shape_field(&b, told->field);
    }
    put_related(&b, list, told);
    tell_page(t, page, &b, told->fate == FATE_BACK ? SENDER_TOLD : sender);
}

static bool is_told(struct telling *t, const struct told_field *told)
{
    /* Of those that change along, one message for each table tells; those that come or go are told
     * each by itself. */
    return told->fate != FATE_CHANGED || telling_once(t, "field_updated", told->table->id);
}

static void tell_fields(struct telling *t)
{
    struct told_fields list = read_fates(t);
    bool first = true;

    for (size_t i = 1; i < list.count; i++)
        if (leads(t, &list.at[i])) {
            struct told_field main = list.at[i];
            memmove(&list.at[1], &list.at[0], i * sizeof(main));
            list.at[0] = main;
            break;
        }
    for (size_t i = 0; i < list.count; i++) {
        const struct told_field *told = &list.at[i];
        bool along = false; /* it is told of as one that is related */
        for (size_t k = 0; k < list.count && told->fate == FATE_CHANGED; k++)
            along |= list.at[k].table == told->table && list.at[k].fate != FATE_CHANGED;
        if (along || !is_told(t, told))
            continue;
        tell_field(t, &list, told,
                   first || told->fate != FATE_CHANGED ? SENDER_EXCLUDED : SENDER_TOLD);
        first = false;
    }
}

/* ---- */

void tell_structure(struct telling *t)
{
    static const struct telling_rule rules[] = {
        {SYSTEM_COLLECTIONS, CHANGE_CREATE, collection_changed},
        {SYSTEM_COLLECTIONS, CHANGE_UPDATE, collection_changed},
        {SYSTEM_COLLECTIONS, CHANGE_DELETE, collection_changed},
    };

    if (!telling_is_of_system(t))
        return;
    tell_fields(t);
    telling_apply(t, rules, COUNT_OF(rules));
}
