/* Tasks and chores: work that comes by no connection. */

#include "fixture.h"

/* ---- tasks that write down how they ended ---- */

static unsigned ended;
static int last_result;
static enum problem_kind last_problem;
static unsigned steps_left;
static struct service *the_service; /* for `done`, which is given none but the session's */

static void note_end(struct request *r)
{
    ended++;
    last_result = r->result;
    last_problem = r->problem.kind;
}

static int run_article(struct request *r, struct tx *tx)
{
    (void)r;
    return create_item(tx, "articles", "{\"title\":\"Made by nobody\"}");
}
static int run_article_refused(struct request *r, struct tx *tx)
{
    int rc = run_article(r, tx);
    return rc != 0 ? rc : refuse(tx, PROBLEM_INVALID_PAYLOAD, "a test");
}
static int run_article_gated(struct request *r, struct tx *tx)
{
    pass_gate();
    return run_article(r, tx);
}
static int run_look(struct request *r, struct tx *tx)
{
    (void)r;
    assert_non_null(tx->store);
    assert_null(tx->commit);
    run_count++;
    return 0;
}

#define TASK(its_lane, its_run, its_done)                                                          \
    {                                                                                              \
        .name = #its_run, .lane = (its_lane), .run = (its_run), .done = (its_done)                 \
    }
static const struct handler article = TASK(LANE_WRITE, run_article, note_end);
static const struct handler article_refused = TASK(LANE_WRITE, run_article_refused, note_end);
static const struct handler article_gated = TASK(LANE_WRITE, run_article_gated, note_end);
static const struct handler alone = TASK(LANE_SCHEMA, run_article, note_end);
static const struct handler look = TASK(LANE_READ, run_look, note_end);

static void next_step(struct request *r);
static const struct handler step = TASK(LANE_WRITE, run_article, next_step);
static void next_step(struct request *r)
{
    note_end(r);
    if (steps_left == 0 || --steps_left == 0)
        return;
    struct request *next = service_task(the_service, &step, NULL);
    if (next)
        service_submit(next);
    else
        steps_left = 0;
}

static void submit(struct world *w, const struct handler *handler)
{
    struct request *r = service_task(w->service, handler, NULL);
    assert_non_null(r);
    service_submit(r);
}

static int setup_tasks(void **state)
{
    ended = 0;
    last_result = -1;
    last_problem = PROBLEM_NONE;
    steps_left = 0;
    int rc = setup(state);
    the_service = ((struct world *)*state)->service;
    return rc;
}

static void stop(struct world *w)
{
    service_free(w->service);
    loop_free(w->loop);
}

/* ---- tasks ---- */

static void the_commit_of_a_task_is_told_like_any_other(void **state)
{
    struct world *w = *state;
    struct connection *c = client_connect(w, "user-token");

    ask(c, &follow, "articles", "f", NULL);
    assert_sent(c, "following\n");
    submit(w, &article);
    UNTIL(ended == 1);
    assert_int_equal(last_result, 0);
    assert_sent(c, "event create 1\n");
    client_close(c);
}

static uint64_t told_origin;
static void note_origin(struct service *v, const struct commit *commit, int64_t now_ms)
{
    (void)v, (void)now_ms;
    told_origin = commit->origin;
}

static void a_commit_names_the_origin_that_its_task_was_given(void **state)
{
    struct world *w = *state;
    struct request *r = service_task(w->service, &article, NULL);

    told = note_origin;
    r->caller.origin = 77;
    service_submit(r);
    UNTIL(told_origin == 77);
    assert_int_equal(ended, 1);
}

static void a_refused_task_leaves_nothing_and_says_why(void **state)
{
    struct world *w = *state;
    struct connection *c = client_connect(w, "user-token");

    submit(w, &article_refused);
    UNTIL(ended == 1);
    assert_int_equal(last_result, REFUSED);
    assert_int_equal(last_problem, PROBLEM_INVALID_PAYLOAD);
    ask(c, &count_rows, NULL, NULL, NULL);
    UNTIL(is_idle(c));
    assert_sent(c, "0 rows\n");
    client_close(c);
}

static void tasks_read_and_change_tables_too(void **state)
{
    struct world *w = *state;

    submit(w, &look);
    UNTIL(ended == 1);
    assert_int_equal(run_count, 1);
    submit(w, &alone);
    UNTIL(ended == 2);
    assert_int_equal(last_result, 0);
}

static void a_task_may_submit_the_next(void **state)
{
    struct world *w = *state;

    steps_left = 5;
    submit(w, &step);
    UNTIL(steps_left == 0);
    assert_int_equal(ended, 5);
    assert_int_equal(last_result, 0);
}

static void a_full_queue_does_not_refuse_a_task(void **state)
{
    struct world *w = *state;

    stop(w);
    w->settings.writer_queue_max = 1;
    world_start(w);
    submit(w, &article_gated);
    sem_wait(&arrived);
    submit(w, &article);
    submit(w, &article);
    submit(w, &article);
    assert_int_equal(ended, 0);
    sem_post(&gate);
    UNTIL(ended == 4);
    assert_int_equal(last_result, 0);
}

/* The user may create and read articles, and nothing else. */
static void a_task_acts_as_the_principal_that_it_is_given(void **state)
{
    static const struct wish wish_delete = {.collection = "articles", .key = "1"};
    static const struct handler erase_task = TASK(LANE_WRITE, run_delete, note_end);
    struct world *w = *state;
    struct connection *c = client_connect(w, "user-token");
    AUTO(principal_unref) struct principal *user = principal_ref(session_principal(c->user));

    service_submit(service_task(w->service, &article, user));
    UNTIL(ended == 1);
    assert_int_equal(last_result, 0);
    struct request *r = service_task(w->service, &erase_task, user);
    struct wish *wish = ARENA_NEW(r->arena, struct wish);
    *wish = wish_delete;
    r->command = wish;
    service_submit(r);
    UNTIL(ended == 2);
    assert_int_equal(last_result, REFUSED);
    assert_int_equal(last_problem, PROBLEM_FORBIDDEN);
    client_close(c);
}

static int run_remove_user(struct request *r, struct tx *tx)
{
    static const struct wish wish = {.collection = "directus_users", .key = USER};
    r->command = ARENA_NEW(r->arena, struct wish);
    *(struct wish *)r->command = wish;
    return run_delete(r, tx);
}

static void a_task_of_a_user_who_is_gone_is_refused(void **state)
{
    static const struct handler remove_user = TASK(LANE_WRITE, run_remove_user, note_end);
    struct world *w = *state;
    struct connection *c = client_connect(w, "user-token");
    AUTO(principal_unref) struct principal *user = principal_ref(session_principal(c->user));

    submit(w, &remove_user);
    UNTIL(ended == 1);
    assert_int_equal(last_result, 0);
    service_submit(service_task(w->service, &article, user));
    UNTIL(ended == 2);
    assert_int_equal(last_result, REFUSED);
    assert_int_equal(last_problem, PROBLEM_INVALID_CREDENTIALS);
    client_close(c);
}

static void tasks_under_way_are_finished_at_the_end_and_none_begins(void **state)
{
    struct world *w = *state;

    steps_left = 1000000;
    submit(w, &step);
    stop(w);
    assert_int_equal(steps_left, 0);
    assert_int_equal(ended, 1);
    world_start(w);
}

/* ---- chores ---- */

static int run_chore(struct request *r, struct tx *tx)
{
    run_count++;
    assert_true(tx->principal->admin);
    assert_null(tx->principal->user.at);
    return run_article(r, tx);
}
static int run_slow_chore(struct request *r, struct tx *tx)
{
    (void)r, (void)tx;
    pass_gate();
    return 0;
}
static const struct handler chore = TASK(LANE_WRITE, run_chore, note_end);
static const struct handler slow_chore = TASK(LANE_READ, run_slow_chore, NULL);
static const struct handler *const chores_of_guest[] = {&chore, NULL};
static const struct handler *const slow_chores[] = {&slow_chore, &chore, NULL};

static bool serves_none(const struct http_request *http)
{
    (void)http;
    return false;
}
static struct dialect chore_dialect = {
    .name = "chores", .serves = serves_none, .http = take_http, .message = take_message};

static void start_with_chores(struct world *w, const struct handler *const *chores,
                              int64_t interval_ms)
{
    stop(w);
    chore_dialect.chores = chores;
    guest = &chore_dialect;
    w->settings.chores_interval_ms = interval_ms;
    world_start(w);
}

static void chores_are_done_at_the_start_and_again_after_their_interval(void **state)
{
    struct world *w = *state;

    start_with_chores(w, chores_of_guest, 2);
    UNTIL(ended == 4);
    assert_int_equal(last_result, 0);
    assert_true(run_count >= 4);
}

static void without_an_interval_there_are_no_chores(void **state)
{
    struct world *w = *state;

    start_with_chores(w, chores_of_guest, 0);
    assert_null(w->service->chores);
}

static void a_chore_waits_for_its_last_turn_and_holds_up_no_other(void **state)
{
    struct world *w = *state;
    int value;

    start_with_chores(w, slow_chores, 2);
    UNTIL(ended == 5);
    sem_wait(&arrived);
    assert_int_equal(sem_getvalue(&arrived, &value), 0);
    assert_int_equal(value, 0);
    sem_post(&gate);
    while (sem_trywait(&arrived) != 0) /* its next turn */
        uv_run(loop_uv(w->loop), UV_RUN_ONCE);
    sem_post(&gate);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup_tasks, teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(the_commit_of_a_task_is_told_like_any_other),
        TEST(a_commit_names_the_origin_that_its_task_was_given),
        TEST(a_refused_task_leaves_nothing_and_says_why),
        TEST(tasks_read_and_change_tables_too),
        TEST(a_task_may_submit_the_next),
        TEST(a_full_queue_does_not_refuse_a_task),
        TEST(a_task_acts_as_the_principal_that_it_is_given),
        TEST(a_task_of_a_user_who_is_gone_is_refused),
        TEST(tasks_under_way_are_finished_at_the_end_and_none_begins),
        TEST(chores_are_done_at_the_start_and_again_after_their_interval),
        TEST(without_an_interval_there_are_no_chores),
        TEST(a_chore_waits_for_its_last_turn_and_holds_up_no_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
