#ifndef UNIT_MODEL_MEMORY_H
#define UNIT_MODEL_MEMORY_H

/*
 * A catalogue that is written down here, a principal with permission rows given as JSON, and a
 * transaction in memory. `memory_store` adds a database with the same tables.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/access/access.h"
#include "model/access/filter.h"
#include "model/commit.h"
#include "model/problem.h"
#include "model/system.h"
#include "unit/database.h"

#define MEMORY_NOW_MS INT64_C(1704164645678) /* 2024-01-02T03:04:05.678Z */
#define MEMORY_USER "11111111-1111-4111-8111-111111111111"

#define MEMORY_COLUMN(column_type, column_name)                                                    \
    .type = TYPE_##column_type, .name = {column_name, sizeof(column_name) - 1}, .nullable = true
#define MEMORY_KEY(column_type, column_name)                                                       \
    .type = TYPE_##column_type, .name = {column_name, sizeof(column_name) - 1}, .primary_key = true

static const struct reference to_author = {{"authors", 7}, {"id", 2}, ON_DELETE_CASCADE};
static const struct reference to_editor = {{"authors", 7}, {"id", 2}, ON_DELETE_SET_NULL};
static const struct reference to_article = {{"articles", 8}, {"id", 2}, ON_DELETE_CASCADE};
static const struct reference to_note = {{"articles", 8}, {"id", 2}, ON_DELETE_NO_ACTION};

enum {
    ID,
    TITLE,
    BODY,
    STATUS,
    VIEWS,
    BIG,
    RATING,
    SCORE,
    PUBLISHED,
    DAY,
    AT,
    CLOCK,
    GUID,
    META,
    TAGS,
    OWNER,
    AUTHOR,
    EDITOR,
    PASSWORD,
    ORDER,
    ARTICLE_COLUMNS
};
static const struct column article_columns[ARTICLE_COLUMNS] = {
    [ID] = {MEMORY_KEY(INTEGER, "id"), .auto_increment = true},
    [TITLE] = {MEMORY_COLUMN(STRING, "title"), .length_max = 20, .unique = true},
    [BODY] = {MEMORY_COLUMN(TEXT, "body")},
    [STATUS] = {.type = TYPE_STRING,
                .name = {"status", 6},
                .length_max = 20,
                .default_value = {VALUE_TEXT, .text = {"draft", 5}}},
    [VIEWS] = {MEMORY_COLUMN(INTEGER, "views")},
    [BIG] = {MEMORY_COLUMN(BIG_INTEGER, "big")},
    [RATING] = {MEMORY_COLUMN(DECIMAL, "rating"), .precision = 5, .scale = 2},
    [SCORE] = {MEMORY_COLUMN(FLOAT, "score")},
    [PUBLISHED] = {MEMORY_COLUMN(BOOLEAN, "published")},
    [DAY] = {MEMORY_COLUMN(DATE, "day")},
    [AT] = {MEMORY_COLUMN(TIMESTAMP, "at")},
    [CLOCK] = {MEMORY_COLUMN(TIME, "clock")},
    [GUID] = {MEMORY_COLUMN(UUID, "guid")},
    [META] = {MEMORY_COLUMN(JSON, "meta")},
    [TAGS] = {MEMORY_COLUMN(CSV, "tags")},
    [OWNER] = {MEMORY_COLUMN(UUID, "owner")},
    [AUTHOR] = {MEMORY_COLUMN(INTEGER, "author"), .reference = &to_author},
    [EDITOR] = {MEMORY_COLUMN(INTEGER, "editor"), .reference = &to_editor},
    [PASSWORD] = {MEMORY_COLUMN(HASH, "password"), .length_max = 255, .secret = true},
    [ORDER] = {MEMORY_COLUMN(FLOAT, "rowcast_order")},
};

enum { AUTHOR_ID, AUTHOR_NAME, AUTHOR_BOSS, AUTHOR_COLUMNS };
static const struct column author_columns[AUTHOR_COLUMNS] = {
    [AUTHOR_ID] = {MEMORY_KEY(INTEGER, "id"), .auto_increment = true},
    [AUTHOR_NAME] = {.type = TYPE_STRING, .name = {"name", 4}, .length_max = 20},
    [AUTHOR_BOSS] = {MEMORY_COLUMN(INTEGER, "boss"), .reference = &to_editor},
};

enum {
    NOTE_ID,
    NOTE_TEXT,
    NOTE_ARTICLE,
    NOTE_PARENT,
    NOTE_MADE,
    NOTE_MAKER,
    NOTE_CHANGED,
    NOTE_COLUMNS
};
static const struct column note_columns[NOTE_COLUMNS] = {
    [NOTE_ID] = {MEMORY_KEY(UUID, "id")},
    [NOTE_TEXT] = {MEMORY_COLUMN(STRING, "text"), .length_max = 20},
    [NOTE_ARTICLE] = {MEMORY_COLUMN(INTEGER, "article"), .reference = &to_article},
    [NOTE_PARENT] = {MEMORY_COLUMN(INTEGER, "blocks"), .reference = &to_note},
    [NOTE_MADE] = {MEMORY_COLUMN(TIMESTAMP, "made")},
    [NOTE_MAKER] = {MEMORY_COLUMN(UUID, "maker")},
    [NOTE_CHANGED] = {MEMORY_COLUMN(TIMESTAMP, "changed")},
};

static const struct column word_columns[] = {
    {MEMORY_KEY(STRING, "word"), .length_max = 10},
    {MEMORY_COLUMN(INTEGER, "rank")},
};

enum { ARTICLES, AUTHORS, NOTES, WORDS, MEMORY_TABLES };
static const struct {
    struct str name;
    const struct column *columns;
    size_t count;
} memory_definitions[MEMORY_TABLES] = {
    [ARTICLES] = {{"articles", 8}, article_columns, ARTICLE_COLUMNS},
    [AUTHORS] = {{"authors", 7}, author_columns, AUTHOR_COLUMNS},
    [NOTES] = {{"notes", 5}, note_columns, NOTE_COLUMNS},
    [WORDS] = {{"words", 5}, word_columns, COUNT_OF(word_columns)},
};

struct memory {
    struct arena *arena;
    struct catalogue catalogue;
    struct table tables[MEMORY_TABLES];
    const struct table *table_list[MEMORY_TABLES];
    struct field fields[MEMORY_TABLES][ARTICLE_COLUMNS];
    struct column columns[MEMORY_TABLES][ARTICLE_COLUMNS];
    struct relation relations[8];
    struct model_settings settings;
    struct problem problem;
    struct principal *principal;
    struct tx tx;
    struct database database; /* of `memory_store` */
};

/* JSON that lives as long as the arena; quotes are written as ' to be read easily. */
UNUSED static json_t *memory_json(struct memory *m, const char *text)
{
    char *quoted = arena_alloc(m->arena, strlen(text) + 1);
    json_t *value = NULL;
    for (size_t i = 0; text[i]; i++)
        quoted[i] = text[i] == '\'' ? '"' : text[i];
    assert_int_equal(json_read_in(m->arena, str_of(quoted), &value, NULL), 0);
    return value;
}

static void memory_table(struct memory *m, unsigned which)
{
    struct table *t = &m->tables[which];
    size_t count = memory_definitions[which].count;
    for (unsigned i = 0; i < count; i++) {
        m->columns[which][i] = memory_definitions[which].columns[i];
        m->columns[which][i].index = i;
        m->fields[which][i] =
            (struct field){.name = m->columns[which][i].name,
                           .column = &m->columns[which][i],
                           .table = t,
                           .searchable = true,
                           .hidden = str_starts_with(m->columns[which][i].name, STR("rowcast_"))};
    }
    t->name = memory_definitions[which].name;
    t->shape = (struct shape){t->name, m->columns[which], count, 0};
    t->fields = m->fields[which];
    t->id = which + 1;
    m->table_list[which] = t;
    map_put(&m->catalogue.tables_by_name, t->name, t);
}

static void memory_relations(struct memory *m)
{
    for (unsigned t = 0; t < MEMORY_TABLES; t++)
        for (unsigned i = 0; i < m->tables[t].shape.count; i++) {
            const struct reference *r = m->columns[t][i].reference;
            if (r)
                m->relations[m->catalogue.relation_count++] =
                    (struct relation){&m->tables[t], &m->columns[t][i],
                                      catalogue_table(&m->catalogue, r->table), r->on_delete};
        }
    m->catalogue.relations = m->relations;
}

/* A public policy with these permission rows. */
static void memory_policy(struct memory *m, const json_t *rows)
{
    struct policy *policy = ARENA_NEW(m->arena, struct policy);
    const struct policy **policies = ARENA_NEW(m->arena, const struct policy *);
    struct attachment *attachment = ARENA_NEW(m->arena, struct attachment);
    size_t count = json_array_size(rows);
    struct permission *permissions = ARENA_ARRAY(m->arena, struct permission, count);
    for (size_t i = 0; i < count; i++) {
        const json_t *row = json_array_get(rows, i);
        permissions[i] = (struct permission){.id = (int64_t)i + 1,
                                             .collection = json_get_str(row, "collection"),
                                             .action = json_get_str(row, "action"),
                                             .permissions = json_get(row, "permissions"),
                                             .validation = json_get(row, "validation"),
                                             .presets = json_get(row, "presets"),
                                             .fields = json_get(row, "fields")};
    }
    *policy = (struct policy){
        .id = STR("p"), .name = STR("p"), .permissions = permissions, .permission_count = count};
    policies[0] = policy;
    attachment->policy = policy;
    m->catalogue.policies = policies;
    m->catalogue.policy_count = 1;
    m->catalogue.attachments = attachment;
    m->catalogue.attachment_count = 1;
}

/* JSON of any shape from a seed, of words that mean something here. Nested at most `depth` deep. */
UNUSED static json_t *memory_any_json(uint64_t *seed, unsigned depth)
{
    static const char *const words[] = {"_and",
                                        "_or",
                                        "_eq",
                                        "_in",
                                        "_between",
                                        "_null",
                                        "_contains",
                                        "_regex",
                                        "_submitted",
                                        "_nin",
                                        "_gt",
                                        "_some",
                                        "title",
                                        "views",
                                        "day",
                                        "guid",
                                        "meta",
                                        "tags",
                                        "author",
                                        "status",
                                        "published",
                                        "password",
                                        "fields",
                                        "filter",
                                        "sort",
                                        "limit",
                                        "page",
                                        "offset",
                                        "search",
                                        "meta",
                                        "deep",
                                        "*",
                                        "-views",
                                        "$NOW",
                                        "$NOW(-1 day)",
                                        "$CURRENT_USER",
                                        "$CURRENT_ROLES",
                                        "null",
                                        "true",
                                        "1",
                                        "2024-01-02",
                                        MEMORY_USER,
                                        "a,b",
                                        "",
                                        "0",
                                        "\xf0\x9f\x98\x80"};
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    unsigned dice = (unsigned)(*seed >> 33), members = (dice >> 8) % 4;
    const char *word = words[(dice >> 12) % COUNT_OF(words)];
    json_t *made;
    switch (depth == 0 ? 4 + dice % 5 : dice % 9) {
    case 0:
    case 1:
    case 2:
        made = json_object();
        for (unsigned i = 0; i < members; i++) {
            *seed = *seed * 6364136223846793005u + 1442695040888963407u;
            json_object_set_new(made, words[(*seed >> 40) % COUNT_OF(words)],
                                memory_any_json(seed, depth - 1));
        }
        return made;
    case 3:
        made = json_array();
        for (unsigned i = 0; i < members; i++)
            json_array_append_new(made, memory_any_json(seed, depth - 1));
        return made;
    case 4:
        return json_integer(((json_int_t)*seed) >> (dice % 64));
    case 5:
        return json_real((double)(int)dice / 7);
    case 6:
        return json_boolean(dice & 1024);
    default:
        return dice % 16 == 7 ? json_null() : json_string(word);
    }
}

/* The user that asks: by column of directus_users. */
static struct principal *memory_user(struct memory *m)
{
    size_t count = system_table(SYSTEM_USERS)->shape.count;
    struct value *row = ARENA_ARRAY(m->arena, struct value, count);
    row[system_column(SYSTEM_USERS, "id")] = value_text(STR(MEMORY_USER));
    row[system_column(SYSTEM_USERS, "first_name")] = value_text(STR("Ann"));
    return principal_user(&m->catalogue, row, STR_NULL);
}

/* permissions: JSON array of permission rows for a user; NULL: an admin asks. */
UNUSED static void memory_open(struct memory *m, const char *permissions)
{
    *m = (struct memory){.arena = arena_new()};
    atomic_init(&m->catalogue.references, 1); /* ours, never given back */
    m->catalogue.version = 1;
    m->catalogue.arena = m->arena;
    for (unsigned i = 0; i < MEMORY_TABLES; i++)
        memory_table(m, i);
    m->catalogue.tables = m->table_list;
    m->catalogue.table_count = MEMORY_TABLES;
    m->catalogue.grants = grants_cache_new();
    memory_relations(m);
    m->fields[ARTICLES][PASSWORD].special = SPECIAL_HASH | SPECIAL_CONCEAL;
    m->fields[NOTES][NOTE_MADE].special = SPECIAL_DATE_CREATED;
    m->fields[NOTES][NOTE_MAKER].special = SPECIAL_USER_CREATED;
    m->fields[NOTES][NOTE_CHANGED].special = SPECIAL_DATE_UPDATED;
    memory_policy(m, permissions ? memory_json(m, permissions) : NULL);
    m->principal = permissions ? memory_user(m) : principal_system(&m->catalogue);
    m->settings = (struct model_settings){.query_limit_default = 100,
                                          .query_limit_max = -1,
                                          .batch_mutation_max = -1,
                                          .filter_depth_max = 32,
                                          .argon2_memory_kib = 64,
                                          .argon2_passes = 1};
    m->tx = (struct tx){.settings = &m->settings,
                        .arena = m->arena,
                        .catalogue = &m->catalogue,
                        .principal = m->principal,
                        .problem = &m->problem,
                        .now_ms = MEMORY_NOW_MS};
}

/* A database with the tables, and a transaction that writes. */
UNUSED static void memory_store(struct memory *m)
{
    database_make(&m->database);
    assert_int_equal(store_open(&m->database.settings, STORE_WRITE, &m->tx.store), 0);
    assert_int_equal(store_begin(m->tx.store, STORE_SCHEMA), 0);
    static const unsigned order[] = {AUTHORS, ARTICLES, NOTES, WORDS};
    for (size_t i = 0; i < COUNT_OF(order); i++)
        assert_int_equal(store_create_table(m->tx.store, &m->tables[order[i]].shape), 0);
    assert_int_equal(store_commit(m->tx.store), 0);
    assert_int_equal(store_begin(m->tx.store, STORE_WRITE), 0);
    m->tx.commit = commit_new(&m->catalogue);
}

UNUSED static void memory_close(struct memory *m)
{
    commit_unref(m->tx.commit);
    if (m->tx.store) {
        store_close(m->tx.store);
        database_drop(&m->database);
    }
    principal_unref(m->principal);
    grants_cache_free(m->catalogue.grants);
    map_deinit(&m->catalogue.tables_by_name);
    arena_free(m->arena);
}

/* Was the last call refused like this? The reason may be any where it is NULL. */
#define assert_refused(m, rc, problem_kind, part_of_reason)                                        \
    do {                                                                                           \
        assert_int_equal((rc), REFUSED);                                                           \
        assert_int_equal((m)->problem.kind, (problem_kind));                                       \
        if (!str_contains((m)->problem.reason, STR(part_of_reason)))                               \
            fail_msg("the reason is: %.*s", STR_ARG((m)->problem.reason));                         \
    } while (0)

/* Texts are compared as C strings, so that a failure shows both. */
#define assert_text(m, s, expected) assert_string_equal(arena_z((m)->arena, (s)), (expected))

/* A test that begins as an admin: `*state` is its struct memory. */
static inline int memory_setup(void **state)
{
    struct memory *m = calloc(1, sizeof(*m));
    memory_open(m, NULL);
    *state = m;
    return 0;
}

static inline int memory_teardown(void **state)
{
    memory_close(*state);
    free(*state);
    return 0;
}

#define memory_test(name) cmocka_unit_test_setup_teardown(name, memory_setup, memory_teardown)

#endif
