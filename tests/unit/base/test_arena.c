#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"

#include <stdalign.h>

static void every_allocation_is_aligned_zeroed_and_its_own(void **state)
{
    (void)state;
    enum { COUNT = 2000 };
    static unsigned char *at[COUNT];
    AUTO(arena_free) struct arena *a = arena_new();

    for (size_t i = 0; i < COUNT; i++) {
        at[i] = arena_alloc(a, i + 1);
        assert_int_equal((uintptr_t)at[i] % alignof(max_align_t), 0);
        for (size_t k = 0; k <= i; k++)
            assert_int_equal(at[i][k], 0);
        memset(at[i], (int)(i % 251), i + 1);
    }
    for (size_t i = 0; i < COUNT; i++)
        for (size_t k = 0; k <= i; k++)
            assert_int_equal(at[i][k], i % 251);
}

static void a_large_allocation_does_not_waste_the_block_in_use(void **state)
{
    (void)state;
    AUTO(arena_free) struct arena *a = arena_new();
    char *first = arena_alloc(a, 16);

    memset(arena_alloc(a, 1 << 20), 1, 1 << 20);
    char *second = arena_alloc(a, 16);
    assert_ptr_equal(second, first + 16);
    assert_true(arena_bytes(a) >= 1 << 20);
    assert_true(arena_bytes(a) < (1 << 20) + 8192);
}

static void a_small_arena_takes_little_from_the_heap(void **state)
{
    (void)state;
    AUTO(arena_free) struct arena *a = arena_new();

    arena_alloc(a, 100);
    assert_int_equal(arena_bytes(a), 2048);
}

static void nothing_and_arrays_are_fine_too(void **state)
{
    (void)state;
    AUTO(arena_free) struct arena *a = arena_new();
    void *one = arena_alloc(a, 0), *two = arena_alloc(a, 0);
    uint64_t *numbers = ARENA_ARRAY(a, uint64_t, 1000);

    assert_ptr_not_equal(one, two);
    assert_int_equal(numbers[999], 0);
    assert_non_null(ARENA_ARRAY(a, uint64_t, 0));
    assert_int_equal(*ARENA_NEW(a, int), 0);
}

static void strings_are_copied_and_terminated(void **state)
{
    (void)state;
    AUTO(arena_free) struct arena *a = arena_new();
    char text[] = "abcdef";
    struct str copy = arena_str(a, (struct str){text, 3});

    text[0] = 'x';
    assert_string_equal(copy.at, "abc");
    assert_int_equal(copy.len, 3);
    assert_string_equal(arena_z(a, STR("key")), "key");
    assert_non_null(arena_str(a, STR("")).at);
    assert_null(arena_str(a, STR_NULL).at);
    assert_string_equal(arena_z(a, STR_NULL), "");
}

static void text_is_formatted_at_any_length(void **state)
{
    (void)state;
    AUTO(arena_free) struct arena *a = arena_new();
    struct str small = arena_printf(a, "%s-%d", "row", 12);
    struct str large = arena_printf(a, "%0100000d", 7);

    assert_string_equal(small.at, "row-12");
    assert_int_equal(small.len, 6);
    assert_int_equal(large.len, 100000);
    assert_int_equal(large.at[99999], '7');
    assert_int_equal(arena_printf(a, "%s", "").len, 0);
}

static char order[4];

static void note(void *object)
{
    size_t len = strlen(order);
    order[len] = *(const char *)object;
}

static void releases_run_the_latest_first_while_the_memory_is_still_there(void **state)
{
    (void)state;
    struct arena *a = arena_new();

    arena_on_free(a, note, memcpy(arena_alloc(a, 1), "a", 1));
    arena_on_free(a, note, memcpy(arena_alloc(a, 1), "b", 1));
    arena_alloc(a, 1 << 20);
    arena_on_free(a, note, memcpy(arena_alloc(a, 1), "c", 1));
    assert_string_equal(order, "");
    arena_free(a);
    assert_string_equal(order, "cba");
    arena_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation_is_aligned_zeroed_and_its_own),
        cmocka_unit_test(a_large_allocation_does_not_waste_the_block_in_use),
        cmocka_unit_test(a_small_arena_takes_little_from_the_heap),
        cmocka_unit_test(nothing_and_arrays_are_fine_too),
        cmocka_unit_test(strings_are_copied_and_terminated),
        cmocka_unit_test(text_is_formatted_at_any_length),
        cmocka_unit_test(releases_run_the_latest_first_while_the_memory_is_still_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
