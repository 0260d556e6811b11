/* Commits that were lost on their way back, and catalogues that nobody publishes. */

#include "unit/model/core.h"

#include "model/hidden.h"
#include "model/instance.h"
#include "unit/mishap.h"

/* ---- acts ---- */

static int make_notes(struct instance *in, struct tx *tx)
{
    struct str name;
    return schema_create_collection(
        tx,
        json_of(in, "{\"collection\":\"notes\",\"fields\":[{\"field\":\"text\",\"type\":"
                    "\"string\"}]}"),
        &name);
}

static int add_role(struct instance *in, struct tx *tx)
{
    struct item_key key;
    return items_create(tx, system_table(SYSTEM_ROLES), json_of(in, "{\"name\":\"Editor\"}"), &key);
}

static int do_nothing(struct instance *in, struct tx *tx)
{
    (void)in, (void)tx;
    return 0;
}

/* A batch of two that ends in doubt. */
static void fall_into_doubt(struct instance *in, enum mishap_moment when,
                            int (*act)(struct instance *in, struct tx *tx), enum writer_kind kind)
{
    mishap_plan((struct mishap){.when = when, .what = STORE_UNCERTAIN, .times = 1});
    assert_int_equal(writer_begin(in->writer, kind), 0);
    assert_int_equal(run_in_batch(in, act), 0);
    if (kind == WRITER_ROWS)
        assert_int_equal(run_in_batch(in, act), 0);
    assert_true(writer_commit(in->writer) < 0);
    assert_int_equal(writer_trouble(in->writer), STORE_UNCERTAIN);
}

static int64_t count_roles(struct instance *in)
{
    struct select all = {.shape = &system_table(SYSTEM_ROLES)->shape, .limit = -1};
    struct store *store;
    int64_t count = -1;

    assert_int_equal(store_open(&in->settings.store, STORE_READ, &store), 0);
    assert_int_equal(store_begin(store, STORE_READ), 0);
    assert_int_equal(store_count(store, &all, &count), 0);
    store_close(store);
    return count;
}

static bool sees_notes(struct reader *reader)
{
    AUTO(arena_free) struct arena *arena = arena_new();
    struct tx tx = {.arena = arena};

    assert_int_equal(reader_begin(reader, &tx), 0);
    bool sees = catalogue_table(tx.catalogue, STR("notes"));
    reader_end(reader);
    return sees;
}

static bool publishes_notes(struct instance *in)
{
    AUTO(catalogue_unref) struct catalogue *c = model_catalogue(in->model);
    return catalogue_table(c, STR("notes"));
}

static int take_request(void *context, const struct value *row)
{
    struct map *requests = context;
    struct str request = system_text(SYSTEM_JOURNAL, row, "request");

    assert_in_range(request.len, 1, 64);
    map_put(requests, request, requests);
    return 0;
}

/* The names of requests that the journal has. */
static size_t count_requests(struct instance *in)
{
    struct select all = {.shape = &system_table(SYSTEM_JOURNAL)->shape, .limit = -1};
    struct map requests;
    struct store *store;

    map_init(&requests);
    assert_int_equal(store_open(&in->settings.store, STORE_READ, &store), 0);
    assert_int_equal(store_begin(store, STORE_READ), 0);
    assert_int_equal(store_select(store, &all, take_request, &requests), 0);
    store_close(store);
    size_t count = requests.count;
    map_deinit(&requests);
    return count;
}

/* ---- tests ---- */

static void each_commit_has_a_name_of_its_own_in_the_journal(void **state)
{
    struct instance *in = *state;

    for (int start = 0; start < 2; start++) {
        assert_int_equal(run(in, WRITER_ROWS, add_role), 0);
        assert_int_equal(run(in, WRITER_ROWS, add_role), 0);
        instance_stop(in);
        mishap_reset();
        instance_start(in);
    }
    assert_int_equal(count_requests(in), state_of(in).commits);
}

static void a_doubt_is_settled_by_what_the_journal_has(void **state)
{
    static const struct {
        enum mishap_moment when;
        bool committed;
    } cases[] = {{MISHAP_AFTER_COMMIT, true}, {MISHAP_AT_COMMIT, false}};
    struct instance *in = *state;
    int64_t roles = count_roles(in);

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct journal_state before = state_of(in);
        int added = cases[i].committed ? 2 : 0;
        bool committed = !cases[i].committed;

        fall_into_doubt(in, cases[i].when, add_role, WRITER_ROWS);
        assert_int_equal(writer_settle(in->writer, &committed), 0);
        assert_int_equal(committed, cases[i].committed);
        roles += added;
        assert_int_equal(count_roles(in), roles);
        assert_int_equal(state_of(in).head, before.head + added);

        assert_int_equal(run(in, WRITER_ROWS, add_role), 0); /* it goes on */
        assert_int_equal(in->commit->number, before.commits + added + 1);
        roles++;
    }
}

static void a_doubt_stays_while_the_database_is_away(void **state)
{
    struct instance *in = *state;
    bool committed = false;

    fall_into_doubt(in, MISHAP_AFTER_COMMIT, add_role, WRITER_ROWS);
    mishap_set_away(true);
    for (int i = 0; i < 3; i++) {
        assert_true(writer_settle(in->writer, &committed) < 0);
        assert_int_equal(writer_trouble(in->writer), STORE_AWAY);
    }
    mishap_set_away(false);
    mishap_plan((struct mishap){.when = MISHAP_AT_STATEMENT, .what = STORE_CONFLICT, .times = 1});
    assert_true(writer_settle(in->writer, &committed) < 0);
    assert_int_equal(writer_trouble(in->writer), STORE_CONFLICT);
    assert_false(committed);
    assert_int_equal(writer_settle(in->writer, &committed), 0);
    assert_true(committed);
}

static void a_doubt_ends_with_its_writer(void **state)
{
    struct instance *in = *state;

    fall_into_doubt(in, MISHAP_AFTER_COMMIT, add_role, WRITER_ROWS);
    writer_close(in->writer);
    assert_int_equal(writer_open(in->model, &in->writer), 0);
    assert_int_equal(run(in, WRITER_ROWS, add_role), 0);
}

static void what_changed_nothing_is_never_in_doubt(void **state)
{
    struct instance *in = *state;

    mishap_plan(
        (struct mishap){.when = MISHAP_AFTER_COMMIT, .what = STORE_UNCERTAIN, .times = UINT32_MAX});
    assert_int_equal(run(in, WRITER_ROWS, do_nothing), 0);
    assert_int_equal(mishap_commits(), 0);
    assert_true(run(in, WRITER_ROWS, add_role) < 0);
}

static void a_catalogue_in_doubt_is_published_when_it_is_there(void **state)
{
    struct instance *in = *state;
    bool committed;

    fall_into_doubt(in, MISHAP_AT_COMMIT, make_notes, WRITER_SCHEMA);
    assert_int_equal(writer_settle(in->writer, &committed), 0);
    assert_false(committed);
    assert_false(publishes_notes(in));

    fall_into_doubt(in, MISHAP_AFTER_COMMIT, make_notes, WRITER_SCHEMA);
    assert_false(publishes_notes(in));
    assert_int_equal(writer_settle(in->writer, &committed), 0);
    assert_true(committed);
    assert_true(publishes_notes(in));
}

static void a_reader_loads_a_catalogue_that_nobody_publishes(void **state)
{
    struct instance *in = *state;
    struct reader *reader;
    bool committed;

    assert_int_equal(reader_open(in->model, &reader), 0);
    assert_false(sees_notes(reader));
    fall_into_doubt(in, MISHAP_AFTER_COMMIT, make_notes, WRITER_SCHEMA);
    assert_true(sees_notes(reader));
    assert_true(sees_notes(reader));
    assert_int_equal(writer_settle(in->writer, &committed), 0);
    assert_true(sees_notes(reader));
    reader_close(reader);
}

static void trouble_of_a_batch_is_told_by_its_writer(void **state)
{
    static const enum store_trouble troubles[] = {STORE_CONFLICT, STORE_AWAY};
    struct instance *in = *state;
    int64_t roles = count_roles(in);

    for (size_t i = 0; i < COUNT_OF(troubles); i++) {
        mishap_plan((struct mishap){.when = MISHAP_AT_BEGIN, .what = troubles[i], .times = 1});
        assert_true(writer_begin(in->writer, WRITER_ROWS) < 0);
        assert_int_equal(writer_trouble(in->writer), troubles[i]);

        mishap_plan((struct mishap){
            .when = MISHAP_AT_STATEMENT, .what = troubles[i], .after = 4, .times = 1});
        assert_true(run(in, WRITER_ROWS, add_role) < 0);
        assert_int_equal(writer_trouble(in->writer), troubles[i]);

        mishap_plan((struct mishap){.when = MISHAP_AT_COMMIT, .what = troubles[i], .times = 1});
        assert_true(run(in, WRITER_ROWS, add_role) < 0);
        assert_int_equal(writer_trouble(in->writer), troubles[i]);
        assert_int_equal(count_roles(in), roles);
    }
    assert_int_equal(run(in, WRITER_ROWS, add_role), 0);
}

static int add_note(struct instance *in, struct tx *tx)
{
    struct item_key key;
    return items_create(tx, catalogue_table(tx->catalogue, STR("notes")), json_of(in, "{}"), &key);
}

static void what_a_lost_commit_counted_is_counted_anew(void **state)
{
    static const enum store_trouble troubles[] = {STORE_CONFLICT, STORE_UNCERTAIN};
    struct instance *in = *state;
    bool committed;

    assert_int_equal(run(in, WRITER_SCHEMA, make_notes), 0);
    assert_int_equal(run(in, WRITER_ROWS, add_note), 0);
    for (size_t i = 0; i < COUNT_OF(troubles); i++) {
        mishap_plan((struct mishap){.when = MISHAP_AT_COMMIT, .what = troubles[i], .times = 1});
        assert_true(run(in, WRITER_ROWS, add_note) < 0);
        if (troubles[i] == STORE_UNCERTAIN)
            assert_int_equal(writer_settle(in->writer, &committed), 0);
        assert_int_equal(run(in, WRITER_ROWS, add_note), 0);
        const struct change *made = in->commit->changes[0];
        const struct column *place = table_hidden(made->table, HIDDEN_ORDER);
        assert_true(made->after[place->index].real == (double)(i + 2));
    }
}

static int setup(void **state)
{
    mishap_reset();
    instance_setup(state);
    mishap_watch(((struct instance *)*state)->model->store);
    return 0;
}

#define WITH_INSTANCE(test) cmocka_unit_test_setup_teardown(test, setup, instance_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_INSTANCE(each_commit_has_a_name_of_its_own_in_the_journal),
        WITH_INSTANCE(a_doubt_is_settled_by_what_the_journal_has),
        WITH_INSTANCE(a_doubt_stays_while_the_database_is_away),
        WITH_INSTANCE(a_doubt_ends_with_its_writer),
        WITH_INSTANCE(what_changed_nothing_is_never_in_doubt),
        WITH_INSTANCE(a_catalogue_in_doubt_is_published_when_it_is_there),
        WITH_INSTANCE(a_reader_loads_a_catalogue_that_nobody_publishes),
        WITH_INSTANCE(trouble_of_a_batch_is_told_by_its_writer),
        WITH_INSTANCE(what_a_lost_commit_counted_is_counted_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
