/*
 * rowcast import: one transaction for the collection and all rows, so that nothing is
 * half-imported.
 */
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "model/access.h"
#include "model/items.h"
#include "model/schema.h"
#include "server/commands.h"
#include "server/instance.h"
#include "server/rows_file.h"

enum { CHUNK = 1000, LINKS_MAX = 16 };

struct link {
    struct str field, collection;
};
struct import {
    struct instance *instance;
    struct arena *arena;
    struct rows_file file;
    const char *path;
    struct str collection, key;
    struct link links[LINKS_MAX];
    size_t link_count;
    size_t next, failed; /* the row to go on with; the row that was refused (SIZE_MAX: none) */
};

/* Makes the collection and its links, if it is not there. */
static int make_collection(struct tx *tx, void *context)
{
    struct import *i = context;
    struct str name;
    if (catalogue_table(tx->catalogue, i->collection))
        return i->link_count == 0
                   ? 0
                   : refuse(tx, PROBLEM_INVALID_PAYLOAD,
                            "--link makes references of a new collection, but \"%.*s\" exists",
                            STR_ARG(i->collection));
    json_t *body = rows_file_infer(&i->file, i->arena, i->collection, i->key);
    return body ? schema_create_collection(tx, body, &name)
                : refuse(tx, PROBLEM_INVALID_PAYLOAD, "the collection was not made");
}

static int make_links(struct tx *tx, void *context)
{
    struct import *i = context;
    for (size_t n = 0; n < i->link_count; n++) {
        struct str collection, field;
        json_t *body =
            json_pack("{s:s%,s:s%,s:s%,s:{s:s}}", "collection", i->collection.at, i->collection.len,
                      "field", i->links[n].field.at, i->links[n].field.len, "related_collection",
                      i->links[n].collection.at, i->links[n].collection.len, "schema", "on_delete",
                      "NO ACTION");
        int rc = schema_create_relation(tx, body, &collection, &field);
        json_decref(body);
        if (rc != 0)
            return rc;
    }
    return 0;
}

static int add_rows(struct tx *tx, void *context)
{
    struct import *i = context;
    const struct table *table;
    int rc = items_table(tx, i->collection, ACTION_CREATE, &table);
    size_t end = i->next + CHUNK, rows = json_array_size(i->file.rows);
    for (; rc == 0 && i->next < end && i->next < rows; i->next++) {
        struct item_key key;
        i->failed = i->next;
        rc = items_create(tx, table, json_array_get(i->file.rows, i->next), &key);
    }
    if (rc == 0)
        i->failed = SIZE_MAX;
    return rc;
}

static void show_progress(const struct import *i)
{
    if (isatty(STDERR_FILENO) || i->next % (10 * CHUNK) == 0)
        fprintf(stderr, "%s%zu of %zu rows%s", isatty(STDERR_FILENO) ? "\r" : "", i->next,
                json_array_size(i->file.rows), isatty(STDERR_FILENO) ? "" : "\n");
}

/* Runs one step of the import in the writer's open transaction. */
static int step(struct import *i, struct writer *writer, int (*fn)(struct tx *, void *),
                struct problem *problem)
{
    AUTO(arena_free) struct arena *arena = arena_new();
    AUTO(catalogue_unref) struct catalogue *catalogue = model_catalogue(i->instance->model);
    AUTO(principal_unref) struct principal *system = principal_system(catalogue);
    struct caller caller = {0};
    struct commit *commit = NULL;
    struct tx tx = {.model = i->instance->model,
                    .settings = &i->instance->model_settings,
                    .arena = arena,
                    .principal = system,
                    .problem = problem,
                    .caller = &caller,
                    .now_ms = clock_now_ms()};
    int rc = writer_run(writer, &tx, fn, i, &commit);
    commit_unref(commit);
    if (rc == 0)
        return 0;
    fprintf(stderr, "%s", isatty(STDERR_FILENO) && i->next ? "\n" : "");
    if (i->failed != SIZE_MAX)
        fprintf(stderr, "rowcast: %s, %.*s:\n", i->path,
                STR_ARG(rows_file_place(&i->file, arena, i->failed)));
    return instance_complain(rc, problem);
}

static int import_all(struct import *i, struct writer *writer)
{
    struct problem problem = {0};
    int rc = step(i, writer, make_collection, &problem);
    if (rc == 0 && i->link_count > 0)
        rc = step(i, writer, make_links, &problem);
    while (rc == 0 && i->next < json_array_size(i->file.rows)) {
        rc = step(i, writer, add_rows, &problem);
        if (rc == 0)
            show_progress(i);
    }
    return rc;
}

static int run_import(struct import *i)
{
    struct writer *writer;
    struct problem problem = {0};
    int rc = writer_open(i->instance->model, &writer);
    if (rc != 0)
        return instance_complain(rc, &problem);
    rc = writer_begin(writer, WRITER_SCHEMA);
    if (rc != 0)
        rc = instance_complain(rc, &problem);
    else if ((rc = import_all(i, writer)) != 0)
        writer_rollback(writer);
    else if ((rc = writer_commit(writer)) > 0) {
        fprintf(stderr, "rowcast: %s: a row refers to an item that does not exist\n", i->path);
    } else if (rc < 0)
        rc = instance_complain(rc, &problem);
    writer_close(writer);
    if (rc == 0)
        printf("%s%zu rows imported into %.*s\n", isatty(STDERR_FILENO) ? "\r" : "", i->next,
               STR_ARG(i->collection));
    else
        fputs("rowcast: nothing was imported\n", stderr);
    return rc;
}

static bool read_links(struct import *i, struct arguments *arguments)
{
    struct str value;
    while ((value = arguments_option(arguments, "link")).at) {
        struct link *link = &i->links[i->link_count];
        if (i->link_count == LINKS_MAX || !str_next(&value, '=', &link->field) || value.len == 0) {
            fprintf(stderr, "rowcast: --link takes FIELD=COLLECTION, at most %d times\n",
                    LINKS_MAX);
            return false;
        }
        link->collection = value;
        i->link_count++;
    }
    return true;
}

int command_import(const struct settings *settings, struct arguments *arguments)
{
    AUTO(arena_free) struct arena *arena = arena_new();
    struct instance instance;
    struct import import = {.instance = &instance, .arena = arena, .failed = SIZE_MAX};
    import.collection = arguments_option(arguments, "collection");
    import.key = arguments_option(arguments, "key");
    if (!read_links(&import, arguments))
        return 2;
    struct str path = arguments_next(arguments);
    if (!arguments_done(arguments))
        return 2;
    if (!path.at || !import.collection.at) {
        fputs("rowcast: import needs a FILE and --collection NAME\n", stderr);
        return 2;
    }
    import.path = path.at;
    if (rows_file_read(arena, import.path, &import.file) != 0)
        return 1;
    if (instance_open(settings, &instance) != 0)
        return 1;
    int rc = run_import(&import);
    instance_close(&instance);
    return rc == 0 ? 0 : 1;
}
