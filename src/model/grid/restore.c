#include <errno.h>

#include "base/fault.h"
#include "model/access/access.h"
#include "model/grid/fetch.h"
#include "model/grid/making.h"
#include "model/grid/trash_internal.h"

/*
 * Coming back from the trash. What was marked loses its mark, and the catalogue has it again with
 * all that lies below it and was not trashed by itself; rows are made anew, with the numbers and
 * places they had.
 */

static int find_entry(struct tx *tx, enum trash_type type, int64_t item, int64_t parent,
                      const struct value **row_out)
{
    struct arena *a = tx->arena;
    const struct expr *where =
        expr_and(a, trash_test(a, "type", value_text(str_of(trash_type_name(type)))),
                 expr_and(a, trash_test(a, "item", value_integer(item)),
                          trash_test(a, "emptied", value_integer(0))));
    struct system_rows rows;

    if (parent != 0)
        where = expr_and(a, where, trash_test(a, "parent", value_integer(parent)));
    int rc = system_rows(tx->store, a, SYSTEM_TRASH, where, NULL, &rows);
    if (rc == 0 && rows.count == 0)
        return refuse_wish(tx, TRASH_NO_ITEM);
    if (rc == 0)
        *row_out = rows.at[rows.count - 1];
    return rc;
}

int trash_content(struct tx *tx, const struct value *entry, json_t **content_out)
{
    struct str text = system_text(SYSTEM_TRASH, entry, "content");

    *content_out = NULL;
    return text.at && json_read_in(tx->arena, text, content_out, NULL) != 0
               ? FAULT_BECAUSE(EBADMSG, "an entry of the trash holds malformed JSON")
               : 0;
}

/* A field is in sight again, under its own name or, where that was given to another one meanwhile,
 * the next one that is free. `t`: its table; NULL: that lies in the trash. */
static int show_field(struct tx *tx, const struct grid_table *t, const struct value *row)
{
    struct str label = system_text(SYSTEM_FIELDS, row, "rowcast_label");
    struct str name = t && label.at ? draft_free_name(tx, t, label) : label;
    const struct assignment set[] = {
        record_set(SYSTEM_FIELDS, "rowcast_trashed", value_integer(0)),
        record_set(SYSTEM_FIELDS, "rowcast_label", value_text(name)),
    };

    int rc = record_update(tx, SYSTEM_FIELDS, row, set, name.at ? 2 : 1);
    /* The new name is not to be another one's that comes back along. */
    return rc == 0 && !str_equal(name, label) ? tx_follow(tx) : rc;
}

static const struct grid_table *table_of_field(const struct tx *tx, const struct value *row)
{
    const struct table *table =
        catalogue_table(tx->catalogue, system_text(SYSTEM_FIELDS, row, "collection"));

    return table ? grid_table_of(tx->catalogue, table) : NULL;
}

/* Fields that went along. */
static int restore_along(struct tx *tx, const json_t *content)
{
    const json_t *fields = json_get(content, "fields");
    int rc = 0;

    for (size_t i = 0; i < json_array_size(fields) && rc == 0; i++) {
        const struct value *row;
        rc = record_by_id(tx, SYSTEM_FIELDS, json_integer_value(json_array_get(fields, i)), &row);
        if (rc == 0 && row)
            rc = show_field(tx, table_of_field(tx, row), row);
    }
    return rc;
}

/* ---- what is marked ---- */

static int restore_workspace(struct tx *tx, const struct value *entry, const json_t *content)
{
    int64_t id = system_integer(SYSTEM_TRASH, entry, "item");
    const struct value *row;

    (void)content;
    int rc = trash_check_member(tx, id, true);
    if (rc == 0)
        rc = record_by_id(tx, SYSTEM_WORKSPACES, id, &row);
    if (rc == 0 && !row)
        return refuse_wish(tx, TRASH_NO_ITEM);
    return rc == 0 ? trash_mark(tx, SYSTEM_WORKSPACES, "trashed", row, false) : rc;
}

static int restore_application(struct tx *tx, const struct value *entry, const json_t *content)
{
    int64_t workspace = system_integer(SYSTEM_TRASH, entry, "workspace");
    const struct value *row;

    (void)content;
    if (!catalogue_workspace(tx->catalogue, workspace))
        return refuse_wish(tx, TRASH_PARENT_FIRST);
    int rc =
        record_by_id(tx, SYSTEM_APPLICATIONS, system_integer(SYSTEM_TRASH, entry, "item"), &row);
    if (rc == 0 && !row)
        return refuse_wish(tx, TRASH_NO_ITEM);
    return rc == 0 ? trash_mark(tx, SYSTEM_APPLICATIONS, "trashed", row, false) : rc;
}

static int restore_table(struct tx *tx, const struct value *entry, const json_t *content)
{
    const struct expr *where =
        system_test(tx->arena, SYSTEM_COLLECTIONS, "rowcast_table_id", OP_EQ,
                    value_integer(system_integer(SYSTEM_TRASH, entry, "item")));
    struct system_rows rows;

    if (!catalogue_application(tx->catalogue, system_integer(SYSTEM_TRASH, entry, "application")))
        return refuse_wish(tx, TRASH_PARENT_FIRST);
    int rc = system_rows(tx->store, tx->arena, SYSTEM_COLLECTIONS, where, NULL, &rows);
    if (rc == 0 && rows.count == 0)
        return refuse_wish(tx, TRASH_NO_ITEM);
    if (rc == 0)
        rc = trash_mark(tx, SYSTEM_COLLECTIONS, "rowcast_trashed", rows.at[0], false);
    return rc == 0 ? restore_along(tx, content) : rc;
}

/* The tables of a link field's both ends have to be there. */
static bool has_ends(const struct tx *tx, const struct value *row)
{
    struct str text = system_text(SYSTEM_FIELDS, row, "rowcast_settings");
    json_t *settings = NULL;

    if (text.at && json_read_in(tx->arena, text, &settings, NULL) != 0)
        return true;
    int64_t target = json_integer_value(json_get(settings, "table"));
    return target == 0 || grid_table(tx->catalogue, target);
}

static int restore_one_field(struct tx *tx, int64_t id)
{
    const struct value *row;

    int rc = record_by_id(tx, SYSTEM_FIELDS, id, &row);
    if (rc != 0)
        return rc;
    if (!row)
        return refuse_wish(tx, TRASH_NO_ITEM);
    const struct grid_table *t = table_of_field(tx, row);
    if (!t)
        return refuse_wish(tx, TRASH_PARENT_FIRST);
    if (!has_ends(tx, row))
        return refuse_wish(tx, TRASH_RELATED_TRASHED);
    return show_field(tx, t, row);
}

static int restore_field(struct tx *tx, const struct value *entry, const json_t *content)
{
    const json_t *along = json_get(content, "fields");

    int rc = restore_one_field(tx, system_integer(SYSTEM_TRASH, entry, "item"));
    for (size_t i = 0; i < json_array_size(along) && rc == 0; i++)
        rc = restore_one_field(tx, json_integer_value(json_array_get(along, i)));
    return rc;
}

/* ---- rows ---- */

static int is_there(struct tx *tx, const struct table *table, const struct value *key,
                    bool *there_out)
{
    struct rows *rows = rows_new(tx, table);
    const struct item_key item = {.value = *key};

    struct row *row = rows_add(tx, rows, &item);
    int rc = rows_load(tx, rows);
    *there_out = rc == 0 && row->before;
    return rc;
}

/* A cell as its column takes it today; what does not fit any more is left out. A reference to a
 * row that is gone is null. */
static int read_cell(struct tx *tx, const struct column *c, const json_t *json, bool *fits_out,
                     struct value *value_out)
{
    const struct relation *relation = catalogue_relation(tx->catalogue, c);
    bool there = true;
    int rc = 0;

    *fits_out = type_read(c, json, tx->arena, value_out) == 0;
    if (*fits_out && relation && !value_is_null(value_out))
        rc = is_there(tx, relation->one, value_out, &there);
    if (rc == 0 && !there)
        *value_out = value_null();
    return rc;
}

/* A field may have counted anew meanwhile: then another row has the number, and this one gets the
 * next. */
static int check_number(struct tx *tx, const struct table *table, const struct column *c,
                        const struct value *value, bool *free_out)
{
    const struct output output = {.column = c};
    const struct select select = {.shape = &table->shape,
                                  .outputs = &output,
                                  .output_count = 1,
                                  .where = expr_test(tx->arena, c, OP_EQ, value, 1),
                                  .limit = 1};
    struct fetched found = {0};

    *free_out = true;
    if (!(table->fields[c->index].special & SPECIAL_AUTONUMBER))
        return 0;
    int rc = fetch(tx, tx->arena, &select, &found);
    *free_out = found.count == 0;
    return rc;
}

static int insert_row(struct tx *tx, const struct grid_table *t, unsigned operation,
                      const json_t *cells, const struct value **row_out)
{
    const struct shape *shape = &t->table->shape;
    struct assignment *assignments = ARENA_ARRAY(tx->arena, struct assignment, shape->count);
    struct column_set told = {0};
    size_t count = 0;

    for (size_t i = 0; i < shape->count; i++) {
        const struct column *c = &shape->columns[i];
        const json_t *json = json_object_getn(cells, c->name.at, c->name.len);
        struct value value;
        bool fits, free = true;
        if (!json)
            continue;
        int rc = read_cell(tx, c, json, &fits, &value);
        if (rc == 0 && fits)
            rc = check_number(tx, t->table, c, &value, &free);
        if (rc != 0)
            return rc;
        if (fits && free)
            assignments[count++] = (struct assignment){c, value};
        if (fits && i < t->table->declared)
            column_set_add(&told, (unsigned)i);
    }
    int rc = rows_insert(tx, t->table, assignments, count, row_out);
    if (rc != 0)
        return rc;
    const struct item_key key = {.value = (*row_out)[shape->key]};
    commit_record(tx, operation, CHANGE_CREATE, t->table, &key, NULL, *row_out, &told);
    return 0;
}

static int restore_links_of(struct tx *tx, const struct grid_field *f, const struct value *key,
                            const json_t *list)
{
    const struct table *target = f->link->target->table;
    struct value *keys = ARENA_ARRAY(tx->arena, struct value, json_array_size(list));
    size_t count = 0;
    bool changed;

    for (size_t i = 0; i < json_array_size(list); i++) {
        struct value far;
        bool there;
        if (type_read(table_key(target), json_array_get(list, i), tx->arena, &far) != 0)
            continue;
        int rc = is_there(tx, target, &far, &there);
        if (rc != 0)
            return rc;
        if (there)
            keys[count++] = far;
    }
    return count > 0 ? links_set(tx, f, key, keys, count, &changed) : 0;
}

static int restore_links(struct tx *tx, const struct grid_table *t, const struct value *row,
                         const json_t *links)
{
    int rc = 0;

    for (size_t i = 0; i < t->field_count && rc == 0; i++) {
        const struct grid_field *f = &t->fields[i];
        const json_t *list = f->link ? json_get(links, trash_links_name(tx->arena, f).at) : NULL;
        if (list && f->link->junction)
            rc = restore_links_of(tx, f, &row[t->table->shape.key], list);
    }
    return rc;
}

enum { ROWS_TOLD_MAX = 49 }; /* more come back as a table to be read anew (5.5) */

static int restore_rows(struct tx *tx, const struct value *entry, const json_t *content)
{
    const struct grid_table *t =
        grid_table(tx->catalogue, system_integer(SYSTEM_TRASH, entry, "parent"));
    const json_t *list = json_get(content, "rows");
    size_t count = json_array_size(list);
    int rc = 0;

    if (!t)
        return refuse_wish(tx, TRASH_PARENT_FIRST);
    unsigned operation = commit_operation(tx);
    const struct value **rows = ARENA_ARRAY(tx->arena, const struct value *, count);
    news_note(tx, count > ROWS_TOLD_MAX ? NOTE_BULK : NOTE_RESTORED, operation, t->table, 0, NULL);
    for (size_t i = 0; i < count && rc == 0; i++)
        rc = insert_row(tx, t, operation, json_get(json_array_get(list, i), "cells"), &rows[i]);
    for (size_t i = 0; i < count && rc == 0; i++)
        rc = restore_links(tx, t, rows[i], json_get(json_array_get(list, i), "links"));
    return rc;
}

/* ---- ---- */

static const struct {
    bool has_parent;
    int (*restore)(struct tx *tx, const struct value *entry, const json_t *content);
} types_of_trash[] = {
    [TRASH_WORKSPACE] = {false, restore_workspace},
    [TRASH_APPLICATION] = {false, restore_application},
    [TRASH_TABLE] = {false, restore_table},
    [TRASH_FIELD] = {false, restore_field},
    [TRASH_ROW] = {true, restore_rows},
    [TRASH_ROWS] = {true, restore_rows},
};

int trash_restore(struct tx *tx, enum trash_type type, int64_t item, int64_t parent)
{
    const struct value *entry;
    json_t *content;

    if (types_of_trash[type].has_parent && parent == 0)
        return refuse_wish(tx, TRASH_PARENT_NEEDED);
    if (!types_of_trash[type].has_parent && parent != 0)
        return refuse_wish(tx, TRASH_PARENT_UNWANTED);
    int rc = find_entry(tx, type, item, parent, &entry);
    if (rc == 0)
        rc = trash_check_member(tx, system_integer(SYSTEM_TRASH, entry, "workspace"), false);
    if (rc == 0)
        rc = trash_content(tx, entry, &content);
    if (rc == 0)
        rc = types_of_trash[type].restore(tx, entry, content);
    if (rc != 0)
        return rc;
    const struct system_rows gone = {&entry, 1};
    rc = record_delete(tx, SYSTEM_TRASH, &gone);
    return rc == 0 ? tx_follow(tx) : rc;
}
