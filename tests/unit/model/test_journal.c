#include "unit/model/core.h"

/*
 * The journal by itself: commits are made by hand and appended to a store's tables.
 */

static int64_t now_ms = 1700000000000;

/* A write transaction of the instance's store, outside the writer. */
struct bench {
    struct store *store;
    struct journal_state state;
};

static struct bench bench_open(struct instance *in)
{
    struct bench b;

    instance_stop(in);
    assert_int_equal(store_open(&in->settings.store, STORE_WRITE, &b.store), 0);
    assert_int_equal(store_begin(b.store, STORE_WRITE), 0);
    assert_int_equal(journal_state_read(b.store, in->arena, &b.state), 0);
    return b;
}

static void bench_close(struct instance *in, struct bench *b)
{
    assert_int_equal(journal_state_write(b->store, &b->state), 0);
    assert_int_equal(store_commit(b->store), 0);
    store_close(b->store);
    instance_start(in);
}

static struct commit *blank_commit(struct store *s)
{
    struct catalogue *c;

    assert_int_equal(catalogue_load(s, 7, &c), 0);
    struct commit *commit = commit_new(c);
    catalogue_unref(c);
    commit->time_ms = now_ms;
    return commit;
}

static const struct value *role_row(struct instance *in, const char *id, const char *name)
{
    struct value *row = ARENA_ARRAY(in->arena, struct value, 5);

    row[system_column(SYSTEM_ROLES, "id")] = value_text(str_of(id));
    row[system_column(SYSTEM_ROLES, "name")] = value_text(str_of(name));
    row[system_column(SYSTEM_ROLES, "icon")] = value_text(STR("badge"));
    return row;
}

static void record_role(struct instance *in, struct commit *commit, const char *before,
                        const char *after)
{
    static const char id[] = "00000000-0000-4000-8000-000000000001";
    struct tx tx = {.arena = in->arena, .commit = commit};
    struct item_key key = {.value = value_text(STR("00000000-0000-4000-8000-000000000001"))};
    enum change_kind kind = !before ? CHANGE_CREATE : !after ? CHANGE_DELETE : CHANGE_UPDATE;

    commit_record(&tx, commit_operation(&tx), kind, system_table(SYSTEM_ROLES), &key,
                  before ? role_row(in, id, before) : NULL, after ? role_row(in, id, after) : NULL,
                  NULL);
}

/* Appends a commit of `count` changes. */
static void append(struct instance *in, struct bench *b, int count)
{
    AUTO(commit_unref) struct commit *commit = blank_commit(b->store);

    for (int i = 0; i < count; i++)
        record_role(in, commit, i == 0 ? NULL : "before", i == 0 ? "before" : "after");
    assert_int_equal(journal_append(b->store, in->arena, commit, &b->state), 0);
}

enum { ENTRIES_MAX = 64 };
struct entries {
    struct arena *arena;
    struct journal_entry at[ENTRIES_MAX];
    size_t count;
};

static int keep(void *context, const struct journal_entry *entry)
{
    struct entries *entries = context;
    struct journal_entry *e = &entries->at[entries->count++];

    assert_true(entries->count <= ENTRIES_MAX);
    *e = *entry;
    struct str *texts[] = {&e->user,   &e->kind,  &e->table,  &e->key,
                           &e->before, &e->after, &e->changed};
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        *texts[i] = arena_str(entries->arena, *texts[i]);
    return 0;
}

static struct entries *read_after(struct instance *in, struct bench *b, int64_t after,
                                  int64_t limit)
{
    struct entries *entries = ARENA_NEW(in->arena, struct entries);

    entries->arena = in->arena;
    assert_int_equal(journal_read(b->store, after, limit, keep, entries), 0);
    return entries;
}

/* ---- tests ---- */

static void commits_are_numbered_densely(void **state)
{
    struct instance *in = *state;
    struct bench b = bench_open(in);
    int64_t head = b.state.head, commits = b.state.commits;

    append(in, &b, 1);
    append(in, &b, 3);
    assert_int_equal(b.state.head, head + 4);
    assert_int_equal(b.state.commits, commits + 2);
    struct entries *entries = read_after(in, &b, head, -1);
    static const int64_t numbers[] = {1, 2, 2, 2}, positions[] = {0, 0, 1, 2};
    assert_int_equal(entries->count, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(entries->at[i].sequence, head + 1 + (int64_t)i);
        assert_int_equal(entries->at[i].commit, commits + numbers[i]);
        assert_int_equal(entries->at[i].position, positions[i]);
        assert_int_equal(entries->at[i].time_ms, now_ms);
        assert_int_equal(entries->at[i].schema_version, 7);
    }
    bench_close(in, &b);
}

static void an_entry_tells_what_changed(void **state)
{
    struct instance *in = *state;
    struct bench b = bench_open(in);
    AUTO(commit_unref) struct commit *commit = blank_commit(b.store);
    int64_t head = b.state.head;

    commit->origin = UINT64_MAX;
    commit->user = STR("00000000-0000-4000-8000-000000000002");
    record_role(in, commit, NULL, "Editor");
    record_role(in, commit, "Editor", "Chief \"E\"");
    record_role(in, commit, "Chief \"E\"", NULL);
    assert_int_equal(journal_append(b.store, in->arena, commit, &b.state), 0);
    struct entries *entries = read_after(in, &b, head, -1);
    assert_int_equal(entries->count, 3);
    const struct journal_entry *e = entries->at;
    assert_str(e[0].kind, "create");
    assert_str(e[1].kind, "update");
    assert_str(e[2].kind, "delete");
    assert_str(e[0].table, "directus_roles");
    assert_str(e[0].key, "00000000-0000-4000-8000-000000000001");
    assert_str(e[0].user, "00000000-0000-4000-8000-000000000002");
    assert_true(e[0].origin == UINT64_MAX);
    assert_null(e[0].before.at);
    assert_null(e[0].changed.at);
    assert_str(e[0].after, "{\"id\":\"00000000-0000-4000-8000-000000000001\",\"name\":\"Editor\","
                           "\"icon\":\"badge\",\"description\":null,\"parent\":null}");
    assert_str(e[1].changed, "name");
    assert_non_null(strstr(arena_z(in->arena, e[1].after), "\"Chief \\\"E\\\"\""));
    assert_null(e[2].after.at);
    assert_non_null(e[2].before.at);
    bench_close(in, &b);
}

static void an_image_never_holds_a_secret(void **state)
{
    struct instance *in = *state;
    struct bench b = bench_open(in);
    AUTO(commit_unref) struct commit *commit = blank_commit(b.store);
    struct tx tx = {.arena = in->arena, .commit = commit};
    const struct table *users = system_table(SYSTEM_USERS);
    struct item_key key = {.value = value_text(STR("00000000-0000-4000-8000-000000000001"))};
    struct value *before = ARENA_ARRAY(in->arena, struct value, users->shape.count);
    struct value *after = ARENA_ARRAY(in->arena, struct value, users->shape.count);
    unsigned password = system_column(SYSTEM_USERS, "password");
    unsigned token = system_column(SYSTEM_USERS, "token");
    int64_t head = b.state.head;

    before[users->shape.key] = after[users->shape.key] = key.value;
    before[password] = value_text(STR("$argon2id$one"));
    after[password] = value_text(STR("$argon2id$two"));
    after[token] = value_text(STR("digest"));
    const struct change *change =
        commit_record(&tx, commit_operation(&tx), CHANGE_UPDATE, users, &key, before, after, NULL);
    assert_true(str_equal(change->before[password].text, SECRET_SET));
    assert_true(str_equal(change->after[password].text, SECRET_SET));
    assert_true(value_is_null(&change->before[token]));
    assert_true(column_set_has(&change->changed, password)); /* though the images are alike */
    assert_true(column_set_has(&change->changed, token));
    assert_int_equal(journal_append(b.store, in->arena, commit, &b.state), 0);
    struct entries *entries = read_after(in, &b, head, -1);
    assert_str(entries->at[0].changed, "password,token");
    const char *image = arena_z(in->arena, entries->at[0].after);
    assert_non_null(strstr(image, "\"password\":\"**********\""));
    assert_null(strstr(image, "argon2id"));
    assert_null(strstr(image, "digest"));
    bench_close(in, &b);
}

static void the_key_of_a_session_is_not_told(void **state)
{
    struct instance *in = *state;
    struct bench b = bench_open(in);
    AUTO(commit_unref) struct commit *commit = blank_commit(b.store);
    struct tx tx = {.arena = in->arena, .commit = commit};
    const struct table *sessions = system_table(SYSTEM_SESSIONS);
    struct value *row = ARENA_ARRAY(in->arena, struct value, sessions->shape.count);
    struct item_key key = {.value = value_text(STR("digest of a token"))};

    row[sessions->shape.key] = key.value;
    const struct change *change =
        commit_record(&tx, commit_operation(&tx), CHANGE_CREATE, sessions, &key, NULL, row, NULL);
    assert_true(str_equal(change->key.value.text, SECRET_SET));
    bench_close(in, &b);
}

static void reading_starts_after_a_position_and_stops_at_a_limit(void **state)
{
    struct instance *in = *state;
    struct bench b = bench_open(in);
    int64_t head = b.state.head;

    append(in, &b, 5);
    assert_int_equal(read_after(in, &b, head, -1)->count, 5);
    assert_int_equal(read_after(in, &b, head + 4, -1)->count, 1);
    assert_int_equal(read_after(in, &b, head + 5, -1)->count, 0);
    struct entries *two = read_after(in, &b, head + 1, 2);
    assert_int_equal(two->count, 2);
    assert_int_equal(two->at[0].sequence, head + 2);
    assert_int_equal(two->at[1].sequence, head + 3);
    bench_close(in, &b);
}

static void pruning_takes_the_oldest_and_leaves_the_young(void **state)
{
    struct instance *in = *state;
    struct bench b = bench_open(in);
    int64_t own = b.state.head; /* entries of the first start, which are younger than these */

    assert_int_equal(journal_prune(b.store, INT64_MAX, -1), 0);
    assert_int_equal(read_after(in, &b, 0, -1)->count, 0);
    now_ms = 1000;
    append(in, &b, 2);
    now_ms = 2000;
    append(in, &b, 3);
    assert_int_equal(journal_prune(b.store, 1000, -1), 0);
    assert_int_equal(read_after(in, &b, 0, -1)->count, 5);
    assert_int_equal(journal_prune(b.store, 1001, 1), 0);
    assert_int_equal(read_after(in, &b, 0, -1)->at[0].sequence, own + 2);
    assert_int_equal(journal_prune(b.store, 1001, 10), 0);
    struct entries *left = read_after(in, &b, 0, -1);
    assert_int_equal(left->count, 3);
    assert_int_equal(left->at[0].sequence, own + 3);
    assert_int_equal(journal_prune(b.store, 2000, 10), 0);
    assert_int_equal(read_after(in, &b, 0, -1)->count, 3);
    assert_int_equal(b.state.head, own + 5);
    bench_close(in, &b);
}

static void an_entry_that_the_clock_put_out_of_order_keeps_those_behind_it(void **state)
{
    struct instance *in = *state;
    struct bench b = bench_open(in);

    assert_int_equal(journal_prune(b.store, INT64_MAX, -1), 0);
    now_ms = 3000;
    append(in, &b, 1);
    now_ms = 1000; /* the clock was set back */
    append(in, &b, 1);
    assert_int_equal(journal_prune(b.store, 2000, -1), 0);
    assert_int_equal(read_after(in, &b, 0, -1)->count, 2); /* no hole is made */
    bench_close(in, &b);
}

static void the_state_reads_back_as_written(void **state)
{
    struct instance *in = *state;
    struct bench b = bench_open(in);
    const struct journal_state kept = b.state;
    const struct journal_state moved = {.epoch = STR("00000000-0000-4000-8000-000000000009"),
                                        .head = INT64_C(1) << 40,
                                        .commits = INT64_C(1) << 39,
                                        .catalogue_version = INT64_C(1) << 38,
                                        .format = 3};
    struct journal_state read;

    assert_int_equal(journal_state_write(b.store, &moved), 0);
    assert_int_equal(journal_state_read(b.store, in->arena, &read), 0);
    assert_true(str_equal(read.epoch, moved.epoch));
    assert_int_equal(read.head, moved.head);
    assert_int_equal(read.commits, moved.commits);
    assert_int_equal(read.catalogue_version, moved.catalogue_version);
    assert_int_equal(read.format, moved.format);
    b.state = kept;
    bench_close(in, &b);
}

static void keys_are_written_in_the_form_the_client_used(void **state)
{
    const struct column number = {.name = STR("id"), .type = TYPE_INTEGER};
    struct item_key key = {.value = value_integer(-7)};
    struct buf b;

    (void)state;
    buf_init(&b, 100);
    item_key_write(&b, &number, &key);
    key.text = true;
    item_key_write(&b, &number, &key);
    key = (struct item_key){.value = value_text(STR("a\"b"))};
    const struct column text = {.name = STR("id"), .type = TYPE_STRING};
    item_key_write(&b, &text, &key);
    assert_true(str_equal(buf_str(&b), STR("-7\"-7\"\"a\\\"b\"")));
    buf_deinit(&b);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, instance_setup, instance_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(commits_are_numbered_densely),
        CASE(an_entry_tells_what_changed),
        CASE(an_image_never_holds_a_secret),
        CASE(the_key_of_a_session_is_not_told),
        CASE(reading_starts_after_a_position_and_stops_at_a_limit),
        CASE(pruning_takes_the_oldest_and_leaves_the_young),
        CASE(an_entry_that_the_clock_put_out_of_order_keeps_those_behind_it),
        CASE(the_state_reads_back_as_written),
        cmocka_unit_test(keys_are_written_in_the_form_the_client_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
