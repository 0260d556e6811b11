#ifndef TESTS_UNIT_MODEL_CORE_H
#define TESTS_UNIT_MODEL_CORE_H

/*
 * An instance with a database of its own, for the tests of the model's core. A test asks through
 * `run`: one request in a batch of its own, committed when it succeeds.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/fault.h"
#include "base/mem.h"
#include "model/access/access.h"
#include "model/items/items.h"
#include "model/journal.h"
#include "model/model.h"
#include "model/schema/schema.h"
#include "model/system.h"
#include "unit/database.h"

struct instance {
    struct database database;
    struct model_settings settings;
    struct model *model;
    struct writer *writer;
    struct arena *arena;
    struct problem problem;
    struct caller caller;
    struct commit *commit; /* the latest run's */
    int (*act)(struct instance *in, struct tx *tx);
};

static inline void instance_start(struct instance *in)
{
    in->settings = (struct model_settings){
        .store = in->database.settings,
        .secret = STR("a secret for tests that is long enough"),
        .access_token_ttl_ms = 900000,
        .refresh_token_ttl_ms = 604800000,
        .query_limit_default = 100,
        .query_limit_max = -1,
        .batch_mutation_max = -1,
        .filter_depth_max = 32,
        .login_attempts_max = 25,
        .journal_retention_ms = 86400000,
        .argon2_memory_kib = 8,
        .argon2_passes = 1,
    };
    int rc = model_open(&in->settings, &in->model);
    if (rc != 0)
        print_error("model_open: %d, %s\n", rc, fault_text());
    assert_int_equal(rc, 0);
    assert_int_equal(writer_open(in->model, &in->writer), 0);
}

static inline void instance_stop(struct instance *in)
{
    commit_unref(in->commit);
    in->commit = NULL;
    writer_close(in->writer);
    model_close(in->model);
}

static inline int instance_setup(void **state)
{
    struct instance *in = MEM_NEW(struct instance);

    database_make(&in->database);
    in->arena = arena_new();
    instance_start(in);
    *state = in;
    return 0;
}

static inline int instance_teardown(void **state)
{
    struct instance *in = *state;

    instance_stop(in);
    database_drop(&in->database);
    arena_free(in->arena);
    mem_free(in);
    return 0;
}

/* A request of the instance itself, which may do everything. */
static inline struct tx instance_tx(struct instance *in, const struct principal *principal)
{
    in->problem = (struct problem){0};
    return (struct tx){
        .arena = in->arena, .principal = principal, .problem = &in->problem, .caller = &in->caller};
}

static inline int run_act(struct tx *tx, void *context)
{
    struct instance *in = context;
    return in->act(in, tx);
}

/* In an open batch. */
static inline int run_in_batch(struct instance *in, int (*act)(struct instance *in, struct tx *tx))
{
    AUTO(catalogue_unref) struct catalogue *c = model_catalogue(in->model);
    AUTO(principal_unref) struct principal *principal = principal_system(c);
    struct tx tx = instance_tx(in, principal);

    commit_unref(in->commit);
    in->commit = NULL;
    in->act = act;
    return writer_run(in->writer, &tx, run_act, in, &in->commit);
}

static inline int run(struct instance *in, enum writer_kind kind,
                      int (*act)(struct instance *in, struct tx *tx))
{
    assert_int_equal(writer_begin(in->writer, kind), 0);
    int rc = run_in_batch(in, act);
    if (rc < 0)
        print_error("fault: %s\n", fault_text());
    if (rc != 0)
        writer_rollback(in->writer);
    return rc == 0 ? writer_commit(in->writer) : rc;
}

static inline json_t *json_of(struct instance *in, const char *text)
{
    json_t *json;
    assert_int_equal(json_read_in(in->arena, str_of(text), &json, NULL), 0);
    return json;
}

static inline struct journal_state state_of(struct instance *in)
{
    struct journal_state state;
    struct store *store;

    assert_int_equal(store_open(&in->settings.store, STORE_READ, &store), 0);
    assert_int_equal(store_begin(store, STORE_READ), 0);
    assert_int_equal(journal_state_read(store, in->arena, &state), 0);
    store_close(store);
    return state;
}

#define assert_str(actual, expected) assert_string_equal(arena_z(in->arena, (actual)), (expected))

#endif
