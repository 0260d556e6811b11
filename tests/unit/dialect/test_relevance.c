/* What the journal proves of a client that was cut. */

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/fault.h"
#include "base/mem.h"
#include "dialect/baserow/relevance.h"
#include "model/items/items.h"
#include "model/schema/schema.h"
#include "session/session.h"
#include "unit/database.h"

struct world {
    struct database database;
    struct model_settings settings;
    struct model *model;
    struct writer *writer;
    struct reader *reader;
    int64_t head; /* the journal's */
};

struct wish {
    const char *collection, *json;
};

static int create(struct tx *tx, void *context)
{
    const struct wish *wish = context;
    const struct table *table;
    struct item_key key;
    json_t *json = NULL;

    assert_int_equal(json_read_in(tx->arena, str_of(wish->json), &json, NULL), 0);
    int rc = items_table(tx, str_of(wish->collection), ACTION_CREATE, &table);
    return rc != 0 ? rc : items_create(tx, table, json, &key);
}

static int create_table(struct tx *tx, void *context)
{
    json_t *json = NULL;
    struct str name;

    assert_int_equal(json_read_in(tx->arena, str_of(context), &json, NULL), 0);
    return schema_create_collection(tx, json, &name);
}

/* One commit; it returns how many entries it has. */
static int64_t commit(struct world *w, enum writer_kind kind,
                      int (*fn)(struct tx *tx, void *context), void *context)
{
    AUTO(arena_free) struct arena *arena = arena_new();
    AUTO(catalogue_unref) struct catalogue *catalogue = model_catalogue(w->model);
    AUTO(principal_unref) struct principal *system = principal_system(catalogue);
    AUTO(commit_unref) struct commit *made = NULL;
    struct problem problem = {0};
    struct caller caller = {0};
    struct tx tx = {.arena = arena, .principal = system, .problem = &problem, .caller = &caller};

    assert_int_equal(writer_begin(w->writer, kind), 0);
    int rc = writer_run(w->writer, &tx, fn, context, &made);
    if (rc != 0)
        fail_msg("%d %.*s %s", problem.kind, STR_ARG(problem.reason), rc < 0 ? fault_text() : "");
    assert_int_equal(writer_commit(w->writer), 0);
    w->head += (int64_t)made->count;
    return (int64_t)made->count;
}

static void create_row(struct world *w, const char *collection)
{
    commit(w, WRITER_ROWS, create, &(struct wish){collection, "{}"});
}

static void create_user(struct world *w, const char *json)
{
    commit(w, WRITER_ROWS, create, &(struct wish){"directus_users", json});
}

/* The last number of the entry's change, and with it of its commit when it is the last one there.
 */
static int64_t end_of(int64_t sequence)
{
    return sequence * EVENTS_PER_CHANGE + EVENTS_PER_CHANGE - 1;
}

/* Does anything behind the event, up to the head, concern who looks at all, or at nothing? */
static bool concerns(struct world *w, int64_t after, bool everything)
{
    AUTO(arena_free) struct arena *arena = arena_new();
    struct problem problem = {0};
    struct tx tx = {.arena = arena, .problem = &problem};
    const struct interest interest = {.everything = everything};
    bool found = false;

    assert_int_equal(reader_begin(w->reader, &tx), 0);
    assert_true(tx.head == w->head);
    assert_int_equal(relevance_search(&tx, &interest, after, end_of(w->head), &found), 0);
    reader_end(w->reader);
    return found;
}

static int setup(void **state)
{
    struct world *w = MEM_NEW(struct world);

    database_make(&w->database);
    w->settings = (struct model_settings){
        .store = w->database.settings,
        .secret = STR("a secret of a test, long enough for anyone"),
        .query_limit_max = -1,
        .batch_mutation_max = -1,
        .filter_depth_max = 32,
        .login_attempts_max = 25,
        .journal_retention_ms = -60000, /* all may go at once */
        .argon2_memory_kib = 64,
        .argon2_passes = 1,
    };
    assert_int_equal(model_open(&w->settings, &w->model), 0);
    assert_int_equal(model_head(w->model, &w->head), 0);
    assert_int_equal(writer_open(w->model, &w->writer), 0);
    assert_int_equal(reader_open(w->model, &w->reader), 0);
    commit(w, WRITER_SCHEMA, create_table,
           "{\"collection\":\"things\",\"schema\":{},\"fields\":[{\"field\":\"id\",\"type\":"
           "\"integer\",\"schema\":{\"is_primary_key\":true,\"has_auto_increment\":true}}]}");
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    reader_close(w->reader);
    writer_close(w->writer);
    model_close(w->model);
    database_drop(&w->database);
    mem_free(w);
    return 0;
}

/* ---- tests ---- */

static void rows_concern_who_looks_and_nobody_else(void **state)
{
    struct world *w = *state;
    int64_t cursor = end_of(w->head);

    assert_false(concerns(w, cursor, true));
    create_row(w, "things");
    assert_true(concerns(w, cursor, true));
    assert_false(concerns(w, cursor, false));
    assert_false(concerns(w, end_of(w->head), true));
}

static void people_and_structure_concern_everybody(void **state)
{
    struct world *w = *state;
    int64_t cursor = end_of(w->head);

    create_user(w, "{\"email\":\"a@example.com\"}");
    assert_true(concerns(w, cursor, false));
    cursor = end_of(w->head);
    commit(w, WRITER_SCHEMA, create_table, "{\"collection\":\"others\",\"schema\":{}}");
    assert_true(concerns(w, cursor, false));
}

static void the_middle_of_a_commit_proves_nothing_of_its_rest(void **state)
{
    struct world *w = *state;
    int64_t first = w->head + 1;

    create_row(w, "things");
    assert_true(concerns(w, first * EVENTS_PER_CHANGE, true));
    assert_false(concerns(w, first * EVENTS_PER_CHANGE, false));
    first = w->head + 1;
    int64_t count = commit(w, WRITER_SCHEMA, create_table,
                           "{\"collection\":\"others\",\"schema\":{},\"fields\":[{\"field\":"
                           "\"id\",\"type\":\"integer\",\"schema\":{\"is_primary_key\":true}}]}");
    assert_true(count > 1);
    for (int64_t i = 0; i < count - 1; i++)
        assert_true(concerns(w, end_of(first + i), false));
    assert_true(concerns(w, end_of(first + count - 1) - 1, false));
    assert_false(concerns(w, end_of(first + count - 1), false));
}

static void the_beginning_is_before_the_first_entry(void **state)
{
    struct world *w = *state;

    assert_true(concerns(w, 0, false));
}

static void entries_that_are_gone_prove_nothing(void **state)
{
    struct world *w = *state;
    int64_t cursor = end_of(w->head);

    create_row(w, "things");
    assert_false(concerns(w, cursor, false));
    assert_int_equal(writer_prune(w->writer), 0);
    assert_true(concerns(w, cursor, false));
    cursor = end_of(w->head);
    assert_true(concerns(w, cursor, false));
    create_row(w, "things");
    assert_true(concerns(w, cursor, false));
}

static int create_many(struct tx *tx, void *context)
{
    int rc = 0;

    for (int i = 0; i < *(const int *)context && rc == 0; i++)
        rc = create(tx, &(struct wish){"things", "{}"});
    return rc;
}

static void only_so_many_entries_are_looked_at(void **state)
{
    struct world *w = *state;
    int64_t cursor = end_of(w->head);
    int nearly = 9999, one = 1;

    commit(w, WRITER_ROWS, create_many, &nearly); /* with the cursor's own, as many as may be */
    assert_false(concerns(w, cursor, false));
    commit(w, WRITER_ROWS, create_many, &one);
    assert_true(concerns(w, cursor, false));
}

#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_WORLD(rows_concern_who_looks_and_nobody_else),
        IN_WORLD(people_and_structure_concern_everybody),
        IN_WORLD(the_middle_of_a_commit_proves_nothing_of_its_rest),
        IN_WORLD(the_beginning_is_before_the_first_entry),
        IN_WORLD(entries_that_are_gone_prove_nothing),
        IN_WORLD(only_so_many_entries_are_looked_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
