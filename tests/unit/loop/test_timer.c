/* Timers of the loop. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/mem.h"
#include "loop/loop.h"

struct scene {
    struct loop *loop;
    struct timer *timer; /* on the heap: freed when it tells that it is closed */
    unsigned fired, fire_max;
    bool closed;
};

static void on_closed(void *context)
{
    struct scene *s = context;

    s->closed = true;
    mem_free(s->timer);
}

static void on_fire(void *context)
{
    struct scene *s = context;

    if (++s->fired == s->fire_max)
        timer_close(s->timer, on_closed);
}

static struct scene scene_new(unsigned fire_max)
{
    return (struct scene){.loop = loop_new(), .timer = MEM_NEW(struct timer), .fire_max = fire_max};
}

static void a_timer_fires_once(void **state)
{
    struct scene s = scene_new(2);
    (void)state;

    timer_init(s.timer, s.loop, on_fire, &s);
    timer_start(s.timer, 1, 0);
    loop_run(s.loop);
    assert_int_equal(s.fired, 1);
    timer_close(s.timer, on_closed);
    assert_false(s.closed);
    loop_free(s.loop);
    assert_true(s.closed);
}

static void a_repeating_timer_goes_on_until_it_is_closed(void **state)
{
    struct scene s = scene_new(4);
    (void)state;

    timer_init(s.timer, s.loop, on_fire, &s);
    timer_start(s.timer, 0, 1);
    loop_run(s.loop);
    assert_int_equal(s.fired, 4);
    assert_true(s.closed);
    loop_free(s.loop);
}

static void a_stopped_timer_does_not_fire_and_can_start_again(void **state)
{
    struct scene s = scene_new(1);
    (void)state;

    timer_init(s.timer, s.loop, on_fire, &s);
    timer_start(s.timer, 0, 0);
    timer_stop(s.timer);
    loop_run(s.loop);
    assert_int_equal(s.fired, 0);
    timer_start(s.timer, 60000, 0);
    timer_start(s.timer, 0, 0); /* replaces the earlier start */
    loop_run(s.loop);
    assert_int_equal(s.fired, 1);
    loop_free(s.loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_timer_fires_once),
        cmocka_unit_test(a_repeating_timer_goes_on_until_it_is_closed),
        cmocka_unit_test(a_stopped_timer_does_not_fire_and_can_start_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
