#ifndef UNIT_MODEL_KINDS_H
#define UNIT_MODEL_KINDS_H

/*
 * Fields of every kind in memory, and a workspace of two: Ann (account 3) and Bob, Ltd. (account
 * 5).
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/grid/grid.h"

#define ANN "33333333-3333-4333-8333-333333333333"
#define BOB "55555555-5555-4555-8555-555555555555"

struct kinds_world {
    struct arena *arena;
    struct problem problem;
    struct model_settings settings;
    struct tx tx;
    struct member ann, bob;
    const struct member *members[2];
    struct workspace workspace;
    struct application application;
    struct table table;
    struct grid_table grid;
};

static int kinds_setup(void **state)
{
    static struct kinds_world w;
    w = (struct kinds_world){.arena = arena_new()};
    w.settings = (struct model_settings){.argon2_memory_kib = 64, .argon2_passes = 1};
    w.tx = (struct tx){.arena = w.arena, .problem = &w.problem, .settings = &w.settings};
    w.ann = (struct member){.id = 1,
                            .account = 3,
                            .user = STR(ANN),
                            .name = STR("Ann"),
                            .email = STR("ann@example.com"),
                            .workspace = &w.workspace};
    w.bob = (struct member){.id = 2,
                            .account = 5,
                            .user = STR(BOB),
                            .name = STR("Bob, Ltd."),
                            .email = STR("bob@example.com"),
                            .workspace = &w.workspace};
    w.members[0] = &w.ann;
    w.members[1] = &w.bob;
    w.workspace = (struct workspace){.id = 1, .members = w.members, .member_count = 2};
    w.application = (struct application){.id = 1, .workspace = &w.workspace};
    w.grid = (struct grid_table){.id = 7, .application = &w.application, .table = &w.table};
    *state = &w;
    return 0;
}

static int kinds_teardown(void **state)
{
    struct kinds_world *w = *state;
    arena_free(w->arena);
    return 0;
}

/* JSON with ' for quotes; lives as long as the arena. */
static json_t *kinds_json(struct kinds_world *w, const char *text)
{
    char *quoted = arena_alloc(w->arena, strlen(text) + 1);
    json_t *value = NULL;
    for (size_t i = 0; text[i]; i++)
        quoted[i] = text[i] == '\'' ? '"' : text[i];
    if (json_read_in(w->arena, str_of(quoted), &value, NULL) != 0)
        fail_msg("%s is no JSON", text);
    return value;
}

/* A field as it is made here. */
static struct grid_field kinds_field(struct kinds_world *w, enum kind_id id, const char *settings)
{
    struct column *column = ARENA_NEW(w->arena, struct column);
    const char *special;
    struct grid_field f = {.id = 31, .table = &w->grid, .kind = &kinds[id], .column = column};
    f.settings = kind_settings_decode(w->arena, f.kind, settings ? kinds_json(w, settings) : NULL);
    if (!kind_column(f.kind, &f.settings, column, &special))
        *column = (struct column){.type = id == KIND_CREATED_BY || id == KIND_LAST_MODIFIED_BY
                                              ? TYPE_UUID
                                              : TYPE_TIMESTAMP,
                                  .nullable = true};
    return f;
}

/* A field that shows a column that was made by other means. */
static struct grid_field kinds_shown(struct kinds_world *w, struct column column, unsigned special)
{
    struct column *c = ARENA_NEW(w->arena, struct column);
    *c = column;
    struct field field = {.column = c, .table = &w->table, .special = special};
    struct grid_field f = {.id = 31, .table = &w->grid, .column = c};
    json_t *settings;
    f.kind = kind_of_column(w->arena, &field, false, &settings);
    f.settings = kind_settings_decode(w->arena, f.kind, settings);
    return f;
}

static const char *
kinds_told(struct kinds_world *w, const struct grid_field *f, const struct value *cell,
           void (*write)(struct buf *b, const struct grid_field *f, const struct value *cell))
{
    struct buf b;
    buf_init(&b, SIZE_MAX);
    write(&b, f, cell);
    const char *text = arena_z(w->arena, b.len > 0 ? buf_str(&b) : STR(""));
    buf_deinit(&b);
    for (char *at = (char *)(uintptr_t)text; write != kind_put_text && *at; at++)
        if (*at == '"')
            *at = '\'';
    return text;
}

#endif
