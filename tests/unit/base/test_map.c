#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/map.h"

static int one, two;

static void an_empty_map_knows_nothing(void **state)
{
    (void)state;
    struct map m;
    struct str key;
    void *value;
    size_t cursor = 0;

    map_init(&m);
    assert_null(map_get(&m, STR("a")));
    assert_null(map_remove(&m, STR("a")));
    assert_false(map_next(&m, &cursor, &key, &value));
    map_deinit(&m);
    map_deinit(&m);
}

static void a_value_is_found_replaced_and_removed_by_its_key(void **state)
{
    (void)state;
    struct map m;

    map_init(&m);
    assert_null(map_put(&m, STR("a"), &one));
    assert_ptr_equal(map_get(&m, STR("a")), &one);
    assert_ptr_equal(map_put(&m, STR("a"), &two), &one);
    assert_int_equal(m.count, 1);
    assert_null(map_get(&m, STR("b")));
    assert_null(map_remove(&m, STR("b")));
    assert_ptr_equal(map_remove(&m, STR("a")), &two);
    assert_null(map_get(&m, STR("a")));
    assert_int_equal(m.count, 0);
    map_deinit(&m);
}

static void keys_are_copied_bytes_of_any_kind(void **state)
{
    (void)state;
    struct map m;
    char key[] = {'k', '\0', 'x'};

    map_init(&m);
    map_put(&m, (struct str){key, 3}, &one);
    map_put(&m, STR(""), &two);
    key[2] = 'y';
    assert_null(map_get(&m, (struct str){key, 3}));
    key[2] = 'x';
    assert_ptr_equal(map_get(&m, (struct str){key, 3}), &one);
    assert_null(map_get(&m, (struct str){key, 2}));
    assert_ptr_equal(map_get(&m, STR_NULL), &two);
    map_deinit(&m);
}

enum { KEYS = 1500, STEPS = 60000 };

static uint32_t step_random(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

static void assert_same(const struct map *m, void *const *expected, const struct str *keys)
{
    size_t count = 0, cursor = 0;
    struct str key;
    void *value;

    for (size_t i = 0; i < KEYS; i++) {
        count += expected[i] != NULL;
        assert_ptr_equal(map_get(m, keys[i]), expected[i]);
    }
    assert_int_equal(m->count, count);
    while (map_next(m, &cursor, &key, &value)) {
        int64_t i;
        assert_int_equal(str_to_int64(str_skip(key, 4), &i), 0);
        assert_ptr_equal(value, expected[i]);
        count--;
    }
    assert_int_equal(count, 0);
}

/* The hash is keyed anew in each process, so each run probes other neighbourhoods. */
static void a_long_random_life_agrees_with_a_plain_array(void **state)
{
    (void)state;
    static void *expected[KEYS];
    static struct str keys[KEYS];
    AUTO(arena_free) struct arena *a = arena_new();
    struct map m;
    uint32_t seed = 1;

    map_init(&m);
    for (size_t i = 0; i < KEYS; i++)
        keys[i] = arena_printf(a, "key-%zu", i);
    for (int step = 0; step < STEPS; step++) {
        size_t i = step_random(&seed) % KEYS;
        /* Growing first, then shrinking, then both. */
        uint32_t puts = step < STEPS / 3 ? 80 : step < STEPS * 2 / 3 ? 20 : 50;
        if (step_random(&seed) % 100 < puts) {
            void *value = &keys[step_random(&seed) % KEYS];
            assert_ptr_equal(map_put(&m, keys[i], value), expected[i]);
            expected[i] = value;
        } else {
            assert_ptr_equal(map_remove(&m, keys[i]), expected[i]);
            expected[i] = NULL;
        }
        if (step % 2000 == 0)
            assert_same(&m, expected, keys);
    }
    assert_same(&m, expected, keys);
    map_deinit(&m);
}

static void a_map_that_changes_much_does_not_grow(void **state)
{
    (void)state;
    struct map m;
    char key[32];

    map_init(&m);
    for (int i = 0; i < 10000; i++) {
        int len = snprintf(key, sizeof(key), "%d", i);
        map_put(&m, (struct str){key, (size_t)len}, &one);
        len = snprintf(key, sizeof(key), "%d", i - 4);
        map_remove(&m, (struct str){key, (size_t)len});
    }
    assert_int_equal(m.count, 4);
    assert_int_equal(m.capacity, 8);
    map_deinit(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_map_knows_nothing),
        cmocka_unit_test(a_value_is_found_replaced_and_removed_by_its_key),
        cmocka_unit_test(keys_are_copied_bytes_of_any_kind),
        cmocka_unit_test(a_long_random_life_agrees_with_a_plain_array),
        cmocka_unit_test(a_map_that_changes_much_does_not_grow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
