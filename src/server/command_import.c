/*
 * rowcast import: one transaction for the collection and all rows, so that nothing is
 * half-imported.
 *
 * It is a schema transaction: references are not looked at while rows come, so a row may refer to
 * one further down; every linked value is looked up once all rows are there, to name the line.
 */
#include <stdio.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/text.h"
#include "model/access/access.h"
#include "model/items/items.h"
#include "model/items/rows.h"
#include "model/schema/schema.h"
#include "server/commands.h"
#include "server/instance.h"
#include "server/rows_file.h"

enum { CHUNK = 1000, LINKS_MAX = 16 };
#define NO_ROW SIZE_MAX

struct link {
    struct str field, collection;
};
struct import {
    struct instance *instance;
    struct writer *writer;
    struct rows_file file;
    struct str path, collection, key;
    struct link links[LINKS_MAX];
    size_t link_count;
    size_t row_count;
    size_t next, row; /* the first of the next chunk; the one that is worked on, or NO_ROW */
};

/* ---- the collection ---- */

static int make_link(struct tx *tx, struct str name, const struct link *link)
{
    struct str collection, field;
    json_t *body =
        json_pack("{s:s%,s:s%,s:s%,s:{s:s}}", "collection", name.at, name.len, "field",
                  link->field.at, link->field.len, "related_collection", link->collection.at,
                  link->collection.len, "schema", "on_delete", "NO ACTION");
    int rc = schema_create_relation(tx, body, &collection, &field);
    json_decref(body);
    return rc;
}

/* Makes the collection with its links, if it is not there. */
static int make_collection(struct tx *tx, void *context)
{
    struct import *i = context;
    struct str name;
    if (catalogue_table(tx->catalogue, i->collection))
        return i->link_count == 0 && !i->key.at
                   ? 0
                   : refuse(tx, PROBLEM_INVALID_PAYLOAD,
                            "--key and --link are for a new collection, but \"%.*s\" exists",
                            STR_ARG(i->collection));
    json_t *body = rows_file_infer(&i->file, tx->arena, i->collection, i->key);
    if (!body)
        return refuse(tx, PROBLEM_INVALID_PAYLOAD, "the collection cannot be made");
    int rc = schema_create_collection(tx, body, &name);
    for (size_t n = 0; rc == 0 && n < i->link_count; n++)
        rc = make_link(tx, i->collection, &i->links[n]);
    return rc;
}

/* ---- rows ---- */

/* Clients may send what a collection has no field for; from a file it would be lost unseen. */
static int check_names(struct tx *tx, const struct table *table, json_t *row)
{
    const char *name;
    json_t *value;
    json_object_foreach(row, name, value)
    {
        const struct field *field = table_field(table, str_of(name));
        if (!field || field_hidden(field))
            return refuse(tx, PROBLEM_INVALID_PAYLOAD, "collection \"%.*s\" has no field \"%s\"",
                          STR_ARG(table->name), name);
    }
    return 0;
}

/* Spreadsheets write TRUE, the model reads true. */
static void fold_booleans(const struct table *table, json_t *row)
{
    const char *name;
    json_t *value;
    json_object_foreach(row, name, value)
    {
        const struct field *field = table_field(table, str_of(name));
        bool yes = str_equal_nocase(json_str(value), STR("true"));
        if (field->column->type == TYPE_BOOLEAN &&
            (yes || str_equal_nocase(json_str(value), STR("false"))))
            json_object_set_new(row, name, json_boolean(yes));
    }
}

static int add_row(struct tx *tx, const struct table *table, const struct import *i)
{
    json_t *row = json_array_get(i->file.rows, i->row);
    struct item_key key;
    int rc = check_names(tx, table, row);
    if (rc != 0)
        return rc;
    if (i->file.name_count > 0)
        fold_booleans(table, row);
    return items_create(tx, table, row, &key);
}

static size_t chunk_end(const struct import *i)
{
    return i->row_count - i->next < CHUNK ? i->row_count : i->next + CHUNK;
}

static int add_rows(struct tx *tx, void *context)
{
    struct import *i = context;
    const struct table *table;
    size_t end = chunk_end(i);
    int rc = items_table(tx, i->collection, ACTION_CREATE, &table);
    for (i->row = i->next; rc == 0 && i->row < end; i->row++) {
        rc = add_row(tx, table, i);
        if (rc != 0)
            return rc;
    }
    i->next = end;
    i->row = NO_ROW;
    return rc;
}

/* ---- links ---- */

static json_t *linked_value(const struct import *i, const struct relation *relation, size_t row)
{
    struct str name = relation->column->name;
    json_t *value = json_object_getn(json_array_get(i->file.rows, row), name.at, name.len);
    return json_is_null(value) ? NULL : value;
}

static int check_relation(struct tx *tx, struct import *i, const struct relation *relation)
{
    struct rows *linked = rows_new(tx, relation->one);
    struct item_key key;
    size_t end = chunk_end(i);
    int rc = 0;
    for (i->row = i->next; i->row < end; i->row++) {
        const json_t *value = linked_value(i, relation, i->row);
        rc = value ? items_key(tx, relation->one, value, &key) : 0;
        if (rc != 0)
            return rc;
        if (value)
            rows_add(tx, linked, &key);
    }
    rc = rows_load(tx, linked);
    for (i->row = i->next; rc == 0 && i->row < end; i->row++) {
        const json_t *value = linked_value(i, relation, i->row);
        if (!value || items_key(tx, relation->one, value, &key) != 0 ||
            rows_find(tx, linked, &key.value)->before)
            continue;
        return refuse(tx, PROBLEM_INVALID_FOREIGN_KEY,
                      "field \"%.*s\" refers to %.*s in collection \"%.*s\", which does not exist",
                      STR_ARG(relation->column->name), STR_ARG(json_text(tx->arena, value)),
                      STR_ARG(relation->one->name));
    }
    i->row = NO_ROW;
    return rc;
}

static int check_links(struct tx *tx, void *context)
{
    struct import *i = context;
    const struct table *table = catalogue_table(tx->catalogue, i->collection);
    int rc = 0;
    for (size_t c = 0; rc == 0 && c < table->shape.count; c++) {
        const struct relation *relation =
            catalogue_relation(tx->catalogue, &table->shape.columns[c]);
        if (relation)
            rc = check_relation(tx, i, relation);
    }
    i->next = chunk_end(i);
    return rc;
}

/* ---- the transaction ---- */

static int complain(const struct import *i, int rc, const struct problem *problem)
{
    AUTO(arena_free) struct arena *arena = arena_new();
    struct str place = i->path;
    if (i->row != NO_ROW)
        place = arena_printf(arena, "%.*s, %.*s", STR_ARG(i->path),
                             STR_ARG(rows_file_place(&i->file, arena, i->row)));
    return instance_complain(place, rc, problem);
}

/* One step of the work, in the writer's open transaction. */
static int step(struct import *i, instance_fn *fn)
{
    AUTO(arena_free) struct arena *arena = arena_new();
    struct problem problem = {0};
    int rc = instance_run(i->instance, i->writer, arena, fn, i, &problem);
    return rc == 0 ? 0 : complain(i, rc, &problem);
}

static void show_progress(const struct import *i)
{
    if (i->next % (10 * CHUNK) == 0 || i->next == i->row_count)
        fprintf(stderr, "%zu of %zu rows\n", i->next, i->row_count);
}

/* 0, or 1 when it was said what is wrong. */
static int import_all(struct import *i)
{
    int rc = step(i, make_collection);
    while (rc == 0 && i->next < i->row_count) {
        rc = step(i, add_rows);
        if (rc == 0)
            show_progress(i);
    }
    i->next = 0;
    while (rc == 0 && i->next < i->row_count)
        rc = step(i, check_links);
    return rc;
}

static int commit(struct import *i)
{
    int rc = writer_commit(i->writer);
    const struct problem problem = {
        .reason = STR("a default value refers to an item that does not exist")};
    return rc == 0 ? 0 : complain(i, rc, &problem);
}

static int run_import(struct import *i)
{
    const struct problem none = {0};
    int rc = writer_open(i->instance->model, &i->writer);
    if (rc != 0)
        return complain(i, rc, &none);
    rc = writer_begin(i->writer, WRITER_SCHEMA);
    rc = rc == 0 ? import_all(i) : complain(i, rc, &none);
    if (rc == 0)
        rc = commit(i);
    writer_close(i->writer); /* undoes what is not committed */
    if (rc == 0)
        printf("%zu rows imported into %.*s\n", i->row_count, STR_ARG(i->collection));
    else
        fputs("rowcast: nothing was imported\n", stderr);
    return rc;
}

/* ---- the command ---- */

static bool read_links(struct import *i, struct arguments *arguments)
{
    struct str value;
    while ((value = arguments_option(arguments, "link")).at) {
        struct link link;
        bool pair = str_next(&value, '=', &link.field) && link.field.len > 0 && value.len > 0;
        link.collection = value;
        if (i->link_count == LINKS_MAX || !pair) {
            fprintf(stderr, "rowcast: --link takes FIELD=COLLECTION, at most %d times\n",
                    LINKS_MAX);
            return false;
        }
        i->links[i->link_count++] = link;
    }
    return true;
}

static bool is_text(struct str s)
{
    return s.len > 0 && text_is_utf8(s);
}

static bool names_are_text(const struct import *i)
{
    bool text = is_text(i->collection) && (!i->key.at || is_text(i->key));
    for (size_t n = 0; n < i->link_count; n++)
        text = text && is_text(i->links[n].field) && is_text(i->links[n].collection);
    return text;
}

static bool read_arguments(struct import *i, struct arguments *arguments)
{
    i->collection = arguments_option(arguments, "collection");
    i->key = arguments_option(arguments, "key");
    if (!read_links(i, arguments))
        return false;
    i->path = arguments_next(arguments);
    if (!arguments_done(arguments))
        return false;
    if (i->path.at && i->collection.at && names_are_text(i))
        return true;
    fputs("rowcast: import needs a FILE and --collection NAME; names are UTF-8 and not empty\n",
          stderr);
    return false;
}

int command_import(const struct settings *settings, struct arguments *arguments)
{
    AUTO(arena_free) struct arena *arena = arena_new();
    struct instance instance;
    struct import import = {.instance = &instance, .row = NO_ROW};
    if (!read_arguments(&import, arguments))
        return 2;
    if (rows_file_read(arena, import.path.at, &import.file) != 0)
        return 1;
    import.row_count = json_array_size(import.file.rows);
    if (instance_open(settings, INSTANCE_WRITE, &instance) != 0)
        return 1;
    int rc = run_import(&import);
    instance_close(&instance);
    return rc == 0 ? 0 : 1;
}
