#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"

static void assert_holds(const struct buf *b, const char *text)
{
    assert_false(b->failed);
    assert_int_equal(b->len, strlen(text));
    assert_memory_equal(b->at, text, b->len);
}

static void a_buffer_allocates_nothing_before_it_is_used(void **state)
{
    (void)state;
    struct buf b;

    buf_init(&b, 10);
    assert_null(b.at);
    buf_put(&b, NULL, 0);
    assert_null(b.at);
    assert_int_equal(buf_str(&b).len, 0);
    buf_deinit(&b);
    buf_deinit(&b);
}

static void what_is_appended_stands_in_order(void **state)
{
    (void)state;
    struct buf b;

    buf_init(&b, 1000);
    buf_put_lit(&b, "a");
    buf_put_char(&b, 'b');
    buf_put_str(&b, STR("cd"));
    buf_put_str(&b, STR_NULL);
    buf_put_int(&b, 12);
    buf_printf(&b, "%s=%d", "x", 7);
    assert_holds(&b, "abcd12x=7");
    buf_deinit(&b);
}

static void integers_are_written_from_end_to_end(void **state)
{
    (void)state;
    struct buf b;

    buf_init(&b, 1000);
    buf_put_int(&b, 0);
    buf_put_char(&b, ' ');
    buf_put_int(&b, -1);
    buf_put_char(&b, ' ');
    buf_put_int(&b, INT64_MAX);
    buf_put_char(&b, ' ');
    buf_put_int(&b, INT64_MIN);
    assert_holds(&b, "0 -1 9223372036854775807 -9223372036854775808");
    buf_deinit(&b);
}

static void the_ceiling_can_be_reached_but_not_passed(void **state)
{
    (void)state;
    struct buf b;

    buf_init(&b, 5);
    buf_put_lit(&b, "abcd");
    buf_put_char(&b, 'e');
    assert_holds(&b, "abcde");
    buf_put_char(&b, 'f');
    assert_true(b.failed);
    assert_int_equal(b.len, 5);
    buf_deinit(&b);
}

static void failure_sticks_until_the_buffer_is_cleared(void **state)
{
    (void)state;
    struct buf b;

    buf_init(&b, 5);
    buf_put_lit(&b, "abcdef");
    assert_true(b.failed);
    buf_put_char(&b, 'x');
    assert_int_equal(b.len, 0);
    assert_null(buf_reserve(&b, 1));
    buf_clear(&b);
    buf_put_lit(&b, "abcde");
    assert_holds(&b, "abcde");
    buf_deinit(&b);
}

static void a_formatted_text_may_fill_the_buffer_exactly(void **state)
{
    (void)state;
    struct buf b;

    buf_init(&b, 300);
    buf_printf(&b, "%0300d", 1);
    assert_false(b.failed);
    assert_int_equal(b.len, 300);
    buf_clear(&b);
    buf_printf(&b, "%0301d", 1);
    assert_true(b.failed);
    buf_deinit(&b);
}

static void formatting_is_whole_around_the_size_of_its_own_space(void **state)
{
    (void)state;
    struct buf b;

    buf_init(&b, SIZE_MAX);
    for (int width = 250; width < 260; width++) {
        buf_clear(&b);
        buf_printf(&b, "%0*d", width, 7);
        assert_int_equal(b.len, width);
        assert_int_equal(b.at[width - 1], '7');
    }
    buf_deinit(&b);
}

static void reserved_room_becomes_content_when_the_caller_says_so(void **state)
{
    (void)state;
    struct buf b;

    buf_init(&b, 100);
    assert_non_null(buf_reserve(&b, 0));
    char *room = buf_reserve(&b, 100);
    assert_non_null(room);
    assert_int_equal(b.len, 0);
    memset(room, 'x', 100);
    b.len += 100;
    assert_non_null(buf_reserve(&b, 0));
    assert_false(b.failed);
    assert_null(buf_reserve(&b, 1));
    assert_true(b.failed);
    buf_deinit(&b);
}

static void a_ceiling_of_nothing_takes_nothing(void **state)
{
    (void)state;
    struct buf b;

    buf_init(&b, 0);
    buf_put_lit(&b, "");
    assert_false(b.failed);
    buf_put_char(&b, 'a');
    assert_true(b.failed);
    buf_deinit(&b);
}

static void a_request_that_no_memory_could_hold_fails(void **state)
{
    (void)state;
    struct buf b;

    buf_init(&b, SIZE_MAX / 4);
    buf_put_char(&b, 'a');
    assert_null(buf_reserve(&b, SIZE_MAX));
    assert_true(b.failed);
    buf_deinit(&b);
}

static void growing_doubles_and_never_passes_the_ceiling(void **state)
{
    (void)state;
    struct buf b;
    size_t growths = 0, capacity = 0;

    buf_init(&b, 100001);
    for (size_t i = 0; i < 100001; i++) {
        buf_put_char(&b, (char)('a' + i % 26));
        growths += b.capacity != capacity;
        capacity = b.capacity;
    }
    assert_false(b.failed);
    assert_int_equal(b.capacity, 100001);
    assert_in_range(growths, 1, 12);
    for (size_t i = 0; i < b.len; i++)
        assert_int_equal(b.at[i], 'a' + i % 26);
    buf_deinit(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_buffer_allocates_nothing_before_it_is_used),
        cmocka_unit_test(what_is_appended_stands_in_order),
        cmocka_unit_test(integers_are_written_from_end_to_end),
        cmocka_unit_test(the_ceiling_can_be_reached_but_not_passed),
        cmocka_unit_test(failure_sticks_until_the_buffer_is_cleared),
        cmocka_unit_test(a_formatted_text_may_fill_the_buffer_exactly),
        cmocka_unit_test(formatting_is_whole_around_the_size_of_its_own_space),
        cmocka_unit_test(reserved_room_becomes_content_when_the_caller_says_so),
        cmocka_unit_test(a_ceiling_of_nothing_takes_nothing),
        cmocka_unit_test(a_request_that_no_memory_could_hold_fails),
        cmocka_unit_test(growing_doubles_and_never_passes_the_ceiling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
