/* Conflicts, a database that goes away, and commits in doubt: who is told what, and in what order.
 */

#include "fixture.h"

#include "model/instance.h"
#include "unit/mishap.h"

/* ---- the world, watched ---- */

static int run_watch(struct request *r, struct tx *tx)
{
    (void)r;
    mishap_watch(tx->store);
    return 0;
}

/* One reader, so that a read can have it watched from within. */
static int watched_setup(void **state)
{
    mishap_reset();
    setup(state);
    struct world *w = *state;
    service_free(w->service);
    loop_free(w->loop);
    w->settings.readers = 1;
    mishap_watch(w->model->store);
    world_start(w);
    return 0;
}

static void watch_reader(struct world *w, struct connection *c)
{
    static const struct handler watch = HANDLER(LANE_READ, run_watch);

    ask(c, &watch, NULL, NULL, NULL);
    UNTIL(is_idle(c));
}

/* Keys are given: where a transaction was undone, those that count by themselves may leave a hole.
 */
static void ask_article(struct connection *c, const struct handler *handler, const char *json)
{
    ask(c, handler, "articles", NULL, json);
}

static void assert_rows(struct world *w, struct connection *c, const char *said)
{
    ask(c, &count_rows, NULL, NULL, NULL);
    UNTIL(is_idle(c));
    assert_sent(c, said);
}

static int run_counted_create(struct request *r, struct tx *tx)
{
    run_count++;
    return run_create(r, tx);
}
static const struct handler counted_create = HANDLER(LANE_WRITE, run_counted_create);

/* ---- conflicts ---- */

static void a_conflict_is_run_again_before_anybody_is_told(void **state)
{
    static const enum mishap_moment moments[] = {MISHAP_AT_BEGIN, MISHAP_AT_STATEMENT,
                                                 MISHAP_AT_COMMIT};
    struct world *w = *state;
    struct connection *c = client_connect(w, "admin-token"),
                      *other = client_connect(w, "user-token");
    char json[32], said[64];

    run_count = 0;
    ask(other, &follow, "articles", NULL, NULL);
    assert_sent(other, "following\n");
    for (size_t i = 0; i < COUNT_OF(moments); i++) {
        mishap_plan((struct mishap){.when = moments[i], .what = STORE_CONFLICT, .times = 1});
        snprintf(json, sizeof(json), "{\"id\":%zu}", i + 1);
        ask_article(c, &counted_create, json);
        UNTIL(is_idle(c));
        assert_true(mishap_happened());
        snprintf(said, sizeof(said), "created %zu\n", i + 1);
        assert_sent(c, said);
        snprintf(said, sizeof(said), "event create %zu\n", i + 1);
        assert_sent(other, said);
    }
    assert_int_equal(run_count, COUNT_OF(moments) + 1); /* only the last had run */
    assert_rows(w, c, "3 rows\n");
    client_close(c);
    client_close(other);
}

static void conflicts_are_run_again_so_often_and_no_more(void **state)
{
    struct world *w = *state;
    struct connection *c = client_connect(w, "admin-token");

    run_count = 0;
    mishap_plan(
        (struct mishap){.when = MISHAP_AT_COMMIT, .what = STORE_CONFLICT, .times = RERUNS_MAX});
    ask_article(c, &counted_create, "{\"id\":1}");
    UNTIL(is_idle(c));
    assert_sent(c, "created 1\n");
    assert_int_equal(run_count, RERUNS_MAX + 1);

    mishap_plan(
        (struct mishap){.when = MISHAP_AT_COMMIT, .what = STORE_CONFLICT, .times = RERUNS_MAX + 1});
    ask_article(c, &create, "{\"id\":2}");
    UNTIL(is_idle(c));
    assert_sent(c, "UNAVAILABLE\n");
    assert_rows(w, c, "1 rows\n");
    assert_false(c->closing);
    client_close(c);
}

/* What was refused, or failed, in the first try is judged anew. */
static void all_of_a_batch_is_run_again(void **state)
{
    struct world *w = *state;
    struct connection *c = client_connect(w, "admin-token"), *plain = client_open(w);
    struct service_stats stats;

    ask_article(c, &gated_create, "{\"id\":1}");
    sem_wait(&arrived);
    ask_article(c, &create, "{\"id\":2}");
    ask_article(c, &refused, "{\"id\":3}");
    ask_article(c, &create, "{\"id\":2}"); /* not unique */
    ask_article(c, &create, "{\"id\":4}");
    struct request *r = wish(plain, &noted_create, "articles", NULL, "{\"id\":5}");
    r->http = http_new();
    r->token = STR("user-token");
    session_submit(plain->user, r);
    mishap_plan(
        (struct mishap){.when = MISHAP_AT_COMMIT, .what = STORE_CONFLICT, .after = 1, .times = 2});
    sem_post(&gate);
    UNTIL(is_idle(c) && is_idle(plain));
    assert_true(mishap_happened());
    assert_sent(c, "created 1\ncreated 2\nINVALID_PAYLOAD\nNOT_UNIQUE\ncreated 4\n");
    assert_sent(plain, "created 5\n");
    assert_string_equal(committed_by, USER);
    assert_rows(w, c, "4 rows\n");
    service_stats(w->service, &stats);
    assert_int_equal(stats.refused, 2);
    assert_int_equal(stats.batches, 2);
    client_close(c);
    client_close(plain);
}

/* ---- away ---- */

static void what_was_lost_before_its_commit_is_run_again_at_once(void **state)
{
    static const enum mishap_moment moments[] = {MISHAP_AT_BEGIN, MISHAP_AT_STATEMENT,
                                                 MISHAP_AT_COMMIT};
    struct world *w = *state;
    struct connection *c = client_connect(w, "admin-token");

    for (size_t i = 0; i < COUNT_OF(moments); i++) {
        mishap_plan((struct mishap){.when = moments[i], .what = STORE_AWAY, .times = 1});
        ask_article(c, &create, i == 0 ? "{\"id\":1}" : i == 1 ? "{\"id\":2}" : "{\"id\":3}");
        UNTIL(is_idle(c));
        assert_true(mishap_happened());
    }
    assert_sent(c, "created 1\ncreated 2\ncreated 3\n");
    assert_rows(w, c, "3 rows\n");

    watch_reader(w, c);
    for (size_t i = 0; i < 2; i++) {
        mishap_plan(
            (struct mishap){.when = moments[i], .what = STORE_AWAY, .times = 1, .reading = true});
        assert_rows(w, c, "3 rows\n");
        assert_true(mishap_happened());
    }
    client_close(c);
}

static void while_the_database_is_away_all_get_503_and_keep_their_sockets(void **state)
{
    struct world *w = *state;
    struct connection *c = client_connect(w, "admin-token"), *newcomer;
    struct service_stats stats;

    watch_reader(w, c);
    ask(c, &follow, "articles", NULL, NULL);
    mishap_set_away(true);
    for (int i = 0; i < 3; i++) {
        ask_article(c, &create, "{\"id\":1}");
        ask(c, &count_rows, NULL, NULL, NULL);
        ask(c, &add_field, "articles", NULL, "{\"field\":\"more\",\"type\":\"string\"}");
    }
    UNTIL(is_idle(c));
    assert_sent(c, "following\nUNAVAILABLE\nUNAVAILABLE\nUNAVAILABLE\nUNAVAILABLE\nUNAVAILABLE\n"
                   "UNAVAILABLE\nUNAVAILABLE\nUNAVAILABLE\nUNAVAILABLE\n");
    service_stats(w->service, &stats);
    assert_int_equal(stats.faults, 0);
    newcomer = client_open(w);
    ask_upgrade(newcomer, &upgrade, "user-token");
    UNTIL(is_idle(newcomer));
    assert_sent(newcomer, "UNAVAILABLE\n");
    assert_false(newcomer->websocket);
    assert_false(c->closing);

    mishap_set_away(false);
    ask_article(c, &create, "{\"id\":1}");
    UNTIL(is_idle(c));
    assert_sent(c, "created 1\nevent create 1\n");
    assert_rows(w, c, "1 rows\n");
    client_close(newcomer);
    client_close(c);
}

static void reads_that_meet_conflicts_are_run_again_so_often_and_no_more(void **state)
{
    struct world *w = *state;
    struct connection *c = client_connect(w, "user-token");

    watch_reader(w, c);
    mishap_plan((struct mishap){
        .when = MISHAP_AT_BEGIN, .what = STORE_CONFLICT, .times = RERUNS_MAX, .reading = true});
    assert_rows(w, c, "0 rows\n");
    mishap_plan((struct mishap){
        .when = MISHAP_AT_BEGIN, .what = STORE_CONFLICT, .times = RERUNS_MAX + 1, .reading = true});
    assert_rows(w, c, "UNAVAILABLE\n");
    assert_rows(w, c, "0 rows\n");
    client_close(c);
}

/* The first read waits at the gate with its moment chosen, and nothing read. */
static atomic_uint gated_reads;

static int run_gated_count(struct request *r, struct tx *tx)
{
    if (atomic_fetch_add(&gated_reads, 1) == 0)
        pass_gate();
    return run_count_rows(r, tx);
}

static void a_read_that_tables_changed_under_is_run_again(void **state)
{
    static const struct handler gated_count = HANDLER(LANE_READ, run_gated_count);
    struct world *w = *state;
    struct connection *reader = client_connect(w, "user-token"),
                      *c = client_connect(w, "admin-token");

    gated_reads = 0;
    ask(reader, &gated_count, NULL, NULL, NULL);
    sem_wait(&arrived);
    ask(c, &add_field, "articles", NULL, "{\"field\":\"more\",\"type\":\"string\"}");
    UNTIL(is_idle(c));
    sem_post(&gate);
    UNTIL(is_idle(reader));
    assert_sent(reader, "0 rows\n");
    assert_int_equal(gated_reads, database_on_postgres() ? 2 : 1);
    client_close(reader);
    client_close(c);
}

/* ---- in doubt ---- */

static void a_commit_lost_on_its_way_back_is_answered_once_as_what_it_is(void **state)
{
    static const struct {
        enum mishap_moment when;
        unsigned runs;
    } cases[] = {{MISHAP_AFTER_COMMIT, 1}, {MISHAP_AT_COMMIT, 2}};
    struct world *w = *state;
    struct connection *c = client_connect(w, "admin-token"),
                      *other = client_connect(w, "user-token");

    ask(other, &follow, "articles", NULL, NULL);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        run_count = 0;
        mishap_plan((struct mishap){.when = cases[i].when, .what = STORE_UNCERTAIN, .times = 1});
        ask_article(c, &counted_create, i == 0 ? "{\"id\":1}" : "{\"id\":2}");
        UNTIL(is_idle(c));
        assert_true(mishap_happened());
        assert_int_equal(run_count, cases[i].runs);
    }
    assert_sent(c, "created 1\ncreated 2\n");
    assert_sent(other, "following\nevent create 1\nevent create 2\n");
    assert_rows(w, c, "2 rows\n");
    client_close(c);
    client_close(other);
}

static void say_reason(struct request *r)
{
    say(r, "%.*s", STR_ARG(r->problem.reason));
}

#define NOT_KNOWN                                                                                  \
    "The database went away during the commit, and it is not known whether the change was made\n"

static void doubtful_create(struct world *w, struct connection *c, enum mishap_moment when)
{
    static const struct handler frank = {
        .name = "frank create", .lane = LANE_WRITE, .run = run_create, .fail = say_reason};

    mishap_plan(
        (struct mishap){.when = when, .what = STORE_UNCERTAIN, .times = 1, .then_away = true});
    ask_article(c, &frank, "{\"id\":1}");
    UNTIL(is_idle(c));
    assert_sent(c, NOT_KNOWN);
    ask_article(c, &frank, "{\"id\":2}");
    UNTIL(is_idle(c));
    assert_sent(c, "The database is away\n");
}

static void commits_that_turn_out_to_be_there_are_told_before_what_comes_after(void **state)
{
    struct world *w = *state;
    struct connection *c = client_connect(w, "admin-token"),
                      *other = client_connect(w, "user-token");

    ask(other, &follow, "articles", NULL, NULL);
    doubtful_create(w, c, MISHAP_AFTER_COMMIT);
    assert_sent(other, "following\n");
    mishap_set_away(false);
    ask_article(c, &create, "{\"id\":2}");
    ask_article(c, &create, "{\"id\":1}");
    UNTIL(is_idle(c));
    assert_sent(c, "created 2\nNOT_UNIQUE\n");
    assert_sent(other, "event create 1\nevent create 2\n");
    assert_rows(w, c, "2 rows\n");
    assert_false(other->closing);
    client_close(c);
    client_close(other);
}

static int64_t told_numbers[8];
static size_t told_count;
static void note_number(struct service *v, const struct commit *commit, int64_t now_ms)
{
    AUTO(frame_unref) struct frame *frame = frame_from(STR("committed"), STR_NULL);
    (void)now_ms;

    told_numbers[told_count++] = commit->number;
    service_tell(v, STR("all"), frame, 0, 0);
}

static void late_commits_are_told_on_channels_in_their_order(void **state)
{
    struct world *w = *state;
    struct connection *c = client_connect(w, "admin-token"),
                      *other = client_connect(w, "user-token");

    told = note_number;
    told_count = 0;
    ask(other, &follow, "articles", NULL, NULL);
    assert_int_equal(session_listen(other->user, STR("all")), 0);
    doubtful_create(w, c, MISHAP_AFTER_COMMIT);
    assert_int_equal(told_count, 0);
    mishap_set_away(false);
    ask_article(c, &create, "{\"id\":2}");
    UNTIL(is_idle(c));
    assert_sent(other, "following\nevent create 1\ncommitted\nevent create 2\ncommitted\n");
    assert_int_equal(told_count, 2);
    assert_int_equal(told_numbers[1], told_numbers[0] + 1);
    client_close(c);
    client_close(other);
}

static void commits_that_are_not_there_are_dropped(void **state)
{
    struct world *w = *state;
    struct connection *c = client_connect(w, "admin-token"),
                      *other = client_connect(w, "user-token");

    ask(other, &follow, "articles", NULL, NULL);
    doubtful_create(w, c, MISHAP_AT_COMMIT);
    mishap_set_away(false);
    ask_article(c, &create, "{\"id\":1}");
    UNTIL(is_idle(c));
    assert_sent(c, "created 1\n");
    assert_sent(other, "following\nevent create 1\n");
    assert_rows(w, c, "1 rows\n");
    assert_false(other->closing);
    client_close(c);
    client_close(other);
}

static void a_doubt_is_settled_though_nobody_asks(void **state)
{
    struct world *w = *state;
    struct connection *c = client_connect(w, "admin-token"),
                      *other = client_connect(w, "user-token");

    ask(other, &follow, "articles", NULL, NULL);
    assert_sent(other, "following\n");
    doubtful_create(w, c, MISHAP_AFTER_COMMIT);
    mishap_set_away(false);
    UNTIL(other->sent.len > 0);
    assert_sent(other, "event create 1\n");
    client_close(c);
    client_close(other);
}

static void a_doubt_at_the_end_is_left_to_the_next_start(void **state)
{
    struct world *w = *state;
    struct connection *c = client_connect(w, "admin-token");

    doubtful_create(w, c, MISHAP_AFTER_COMMIT);
    client_close(c);
    service_free(w->service);
    loop_free(w->loop);
    mishap_set_away(false);
    world_start(w);
    c = client_connect(w, "admin-token");
    assert_rows(w, c, "1 rows\n");
    client_close(c);
}

/* Who connects while the change of a table is in doubt gets in when it is settled. */
static void a_change_of_a_table_in_doubt_is_published_when_it_is_there(void **state)
{
    struct world *w = *state;
    struct connection *c = client_connect(w, "admin-token"), *newcomer = client_open(w);

    mishap_plan((struct mishap){.when = MISHAP_AFTER_COMMIT, .what = STORE_UNCERTAIN, .times = 1});
    ask(c, &add_field, "articles", NULL, "{\"field\":\"more\",\"type\":\"string\"}");
    UNTIL(is_idle(c));
    assert_sent(c, "added more\n");
    ask_article(c, &create, "{\"id\":1,\"more\":\"x\"}");
    UNTIL(is_idle(c));
    assert_sent(c, "created 1\n");

    mishap_plan((struct mishap){
        .when = MISHAP_AFTER_COMMIT, .what = STORE_UNCERTAIN, .times = 1, .then_away = true});
    ask(c, &add_field, "articles", NULL, "{\"field\":\"most\",\"type\":\"string\"}");
    UNTIL(is_idle(c));
    assert_sent(c, "UNAVAILABLE\n");
    ask_upgrade(newcomer, &upgrade, "user-token"); /* its reader is not away, and sees the change */
    UNTIL(((const struct session *)newcomer->user)->ahead);
    mishap_set_away(false);
    UNTIL(newcomer->websocket);
    assert_sent(newcomer, "switching\n");
    ask(newcomer, &follow, "articles", NULL, NULL);
    ask_article(c, &create, "{\"id\":2,\"most\":\"x\"}");
    UNTIL(is_idle(c));
    assert_sent(c, "created 2\n");
    assert_sent(newcomer, "following\nevent create 2\n");
    client_close(c);
    client_close(newcomer);
}

#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, watched_setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_WORLD(a_conflict_is_run_again_before_anybody_is_told),
        IN_WORLD(conflicts_are_run_again_so_often_and_no_more),
        IN_WORLD(all_of_a_batch_is_run_again),
        IN_WORLD(what_was_lost_before_its_commit_is_run_again_at_once),
        IN_WORLD(while_the_database_is_away_all_get_503_and_keep_their_sockets),
        IN_WORLD(reads_that_meet_conflicts_are_run_again_so_often_and_no_more),
        IN_WORLD(a_read_that_tables_changed_under_is_run_again),
        IN_WORLD(a_commit_lost_on_its_way_back_is_answered_once_as_what_it_is),
        IN_WORLD(commits_that_turn_out_to_be_there_are_told_before_what_comes_after),
        IN_WORLD(late_commits_are_told_on_channels_in_their_order),
        IN_WORLD(commits_that_are_not_there_are_dropped),
        IN_WORLD(a_doubt_is_settled_though_nobody_asks),
        IN_WORLD(a_doubt_at_the_end_is_left_to_the_next_start),
        IN_WORLD(a_change_of_a_table_in_doubt_is_published_when_it_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
