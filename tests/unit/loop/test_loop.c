/* The turn of the loop and its end. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "loop/loop.h"

enum { LOG_MAX = 64 };

/* What happened, a letter each. */
struct scene {
    struct loop *loop;
    struct timer timer;
    char log[LOG_MAX];
    size_t count;
    unsigned asks_again; /* times that the flush asks for another turn */
    bool flush_stops;
};

static void note(struct scene *s, char what)
{
    assert_true(s->count < LOG_MAX - 1);
    s->log[s->count++] = what;
}

static void flush(void *context)
{
    struct scene *s = context;

    note(s, 'f');
    if (s->asks_again > 0) {
        s->asks_again--;
        loop_at_end(s->loop);
    }
    if (s->flush_stops)
        loop_stop(s->loop);
}

static int set_up(void **state)
{
    static struct scene s;

    s = (struct scene){.loop = loop_new()};
    loop_set_flush(s.loop, flush, &s);
    *state = &s;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *s = *state;

    loop_free(s->loop);
    return 0;
}

static void on_timer(void *context)
{
    struct scene *s = context;

    note(s, 't');
    loop_at_end(s->loop);
    loop_at_end(s->loop);
    timer_close(&s->timer, NULL);
}

static void on_quiet_timer(void *context)
{
    struct scene *s = context;

    note(s, 'q');
    timer_close(&s->timer, NULL);
}

static void an_empty_loop_returns_at_once(void **state)
{
    struct scene *s = *state;

    assert_int_equal(loop_run(s->loop), 0);
    assert_string_equal(s->log, "");
}

static void the_flush_runs_once_after_the_turn_that_asked(void **state)
{
    struct scene *s = *state;

    timer_init(&s->timer, s->loop, on_timer, s);
    timer_start(&s->timer, 1, 0);
    loop_run(s->loop);
    assert_string_equal(s->log, "tf");
}

static void a_turn_that_did_not_ask_is_not_flushed(void **state)
{
    struct scene *s = *state;

    timer_init(&s->timer, s->loop, on_quiet_timer, s);
    timer_start(&s->timer, 1, 0);
    loop_run(s->loop);
    assert_string_equal(s->log, "q");
}

static void a_flush_that_asks_gets_further_turns_without_waiting(void **state)
{
    struct scene *s = *state;

    s->asks_again = 3;
    timer_init(&s->timer, s->loop, on_timer, s);
    timer_start(&s->timer, 1, 0);
    loop_run(s->loop);
    assert_string_equal(s->log, "tffff");
}

static void ask_when_closed(void *context)
{
    struct scene *s = context;

    note(s, 'c');
    loop_at_end(s->loop);
}

static void on_closing_timer(void *context)
{
    struct scene *s = context;

    note(s, 't');
    timer_close(&s->timer, ask_when_closed);
}

static void never(void *context)
{
    (void)context;
    fail_msg("must not fire");
}

static void give_up(uv_timer_t *handle)
{
    (void)handle;
    fail_msg("the loop waited with a flush outstanding");
}

static void what_a_closed_handle_asks_for_is_flushed_before_the_loop_waits(void **state)
{
    struct scene *s = *state;
    uv_timer_t guard;

    /* The guard keeps the loop running; it would fire only if the flush had to wait for it. */
    uv_timer_init(loop_uv(s->loop), &guard);
    uv_timer_start(&guard, give_up, 20000, 0);
    timer_init(&s->timer, s->loop, on_closing_timer, s);
    timer_start(&s->timer, 1, 0);
    s->flush_stops = true;
    loop_run(s->loop);
    assert_string_equal(s->log, "tcf");
    uv_close((uv_handle_t *)&guard, NULL);
    uv_run(loop_uv(s->loop), UV_RUN_NOWAIT);
}

static void stop_from_timer(void *context)
{
    struct scene *s = context;

    note(s, 's');
    loop_at_end(s->loop);
    loop_stop(s->loop);
}

static void stopping_finishes_the_turn_and_leaves_the_rest(void **state)
{
    struct scene *s = *state;
    struct timer later;

    timer_init(&later, s->loop, never, NULL);
    timer_start(&later, 60000, 0);
    timer_init(&s->timer, s->loop, stop_from_timer, s);
    timer_start(&s->timer, 1, 0);
    loop_run(s->loop);
    assert_string_equal(s->log, "sf");
    timer_close(&later, NULL);
    timer_close(&s->timer, NULL);
    uv_run(loop_uv(s->loop), UV_RUN_NOWAIT);
}

static void a_flush_that_was_taken_away_is_not_called(void **state)
{
    struct scene *s = *state;

    loop_set_flush(s->loop, NULL, NULL);
    timer_init(&s->timer, s->loop, on_timer, s);
    timer_start(&s->timer, 1, 0);
    loop_run(s->loop);
    assert_string_equal(s->log, "t");
}

static void freeing_nothing_is_allowed(void **state)
{
    (void)state;
    loop_free(NULL);
    mailbox_free(NULL);
    workers_stop(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_empty_loop_returns_at_once),
        TEST(the_flush_runs_once_after_the_turn_that_asked),
        TEST(a_turn_that_did_not_ask_is_not_flushed),
        TEST(a_flush_that_asks_gets_further_turns_without_waiting),
        TEST(what_a_closed_handle_asks_for_is_flushed_before_the_loop_waits),
        TEST(stopping_finishes_the_turn_and_leaves_the_rest),
        TEST(a_flush_that_was_taken_away_is_not_called),
        TEST(freeing_nothing_is_allowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
