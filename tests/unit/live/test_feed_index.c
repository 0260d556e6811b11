/* The index of feeds by equality, against looking at every feed. */

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/mem.h"
#include "live/feed.h"

enum { COLUMNS = 4, FEEDS = 200, VALUES = 12, ROUNDS = 3000 };

static const struct column columns[COLUMNS] = {
    {.name = {"a", 1}, .type = TYPE_INTEGER, .index = 0},
    {.name = {"b", 1}, .type = TYPE_STRING, .index = 1},
    {.name = {"c", 1}, .type = TYPE_FLOAT, .index = 2},
    {.name = {"d", 1}, .type = TYPE_STRING, .index = 3},
};

/* xorshift: the same feeds for the same seed, everywhere. */
static uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static struct value random_value(struct arena *a, unsigned column, uint32_t *random)
{
    uint32_t number = next_random(random) % VALUES;

    switch (columns[column].type) {
    case TYPE_INTEGER:
        return value_integer(number);
    case TYPE_FLOAT:
        return value_real((double)number / 2);
    default:
        return value_text(arena_printf(a, "value %u", (unsigned)number));
    }
}

struct specimen {
    struct feed feed;
    struct arena *arena;
    const struct expr *condition;
    bool in, indexed, found;
};

static const struct expr *random_condition(struct arena *a, uint32_t *random)
{
    unsigned column = next_random(random) % COLUMNS;
    struct value values[3];
    size_t count = 1 + next_random(random) % COUNT_OF(values);
    const struct expr *other =
        expr_test(a, &columns[0], OP_GTE, &(struct value){.integer = 3, .kind = VALUE_INTEGER}, 1);

    for (size_t i = 0; i < count; i++)
        values[i] = random_value(a, column, random);
    const struct expr *equality =
        expr_test(a, &columns[column], count == 1 ? OP_EQ : OP_IN, values, count);
    switch (next_random(random) % 4) {
    case 0:
        return expr_or(a, equality, other); /* no index helps */
    case 1:
        return expr_and(a, equality, other);
    default:
        return equality;
    }
}

static void put_in(struct feed_index *x, struct specimen *s, uint32_t *random)
{
    s->arena = arena_new();
    s->condition = random_condition(s->arena, random);
    s->indexed = feed_index_add(x, &s->feed, s->condition, s->arena, &s->feed.indexed);
    s->in = true;
}

static void take_out(struct feed_index *x, struct specimen *s)
{
    if (s->indexed)
        feed_index_remove(x, &s->feed.indexed);
    arena_free(s->arena);
    s->in = s->indexed = false;
}

static void mark(void *context, struct feed *f)
{
    (void)context;
    CONTAINER_OF(f, struct specimen, feed)->found = true;
}

/* Whatever a row matches must be found, unless no index could hold it. */
static void check_row(struct feed_index *x, struct specimen *all, uint32_t *random)
{
    AUTO(arena_free) struct arena *a = arena_new();
    struct value row[COLUMNS];

    for (unsigned i = 0; i < COLUMNS; i++)
        row[i] = next_random(random) % 8 == 0 ? value_null() : random_value(a, i, random);
    for (size_t i = 0; i < FEEDS; i++)
        all[i].found = false;
    feed_index_find(x, row, mark, NULL);
    for (size_t i = 0; i < FEEDS; i++) {
        struct specimen *s = &all[i];
        if (s->found)
            assert_true(s->in && s->indexed);
        if (s->in && s->indexed && expr_matches(s->condition, row, 0))
            assert_true(s->found);
    }
}

static void every_feed_that_a_row_matches_is_found_whatever_came_and_went(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 5; seed++) {
        uint32_t random = seed * 2654435761U;
        struct feed_index x = {0};
        struct specimen *all = MEM_ARRAY(struct specimen, FEEDS);
        for (int i = 0; i < ROUNDS; i++) {
            struct specimen *s = &all[next_random(&random) % FEEDS];
            if (s->in)
                take_out(&x, s);
            else
                put_in(&x, s, &random);
            check_row(&x, all, &random);
        }
        for (size_t i = 0; i < FEEDS; i++)
            if (all[i].in)
                take_out(&x, &all[i]);
        assert_int_equal(x.count, 0);
        feed_index_deinit(&x);
        mem_free(all);
    }
}

static void count_found(void *context, struct feed *f)
{
    (void)f;
    ++*(int *)context;
}

static void a_row_finds_only_the_feeds_of_its_own_value(void **state)
{
    (void)state;
    AUTO(arena_free) struct arena *a = arena_new();
    struct feed_index x = {0};
    struct feed *feeds = MEM_ARRAY(struct feed, 1000);
    struct value row[COLUMNS] = {value_integer(7), value_null(), value_null(), value_null()};
    int found = 0;

    for (int i = 0; i < 1000; i++) {
        struct value value = value_integer(i);
        const struct expr *condition = expr_test(a, &columns[0], OP_EQ, &value, 1);
        assert_true(feed_index_add(&x, &feeds[i], condition, a, &feeds[i].indexed));
    }
    feed_index_find(&x, row, count_found, &found);
    assert_int_equal(found, 1);
    row[0] = value_integer(1000);
    feed_index_find(&x, row, count_found, &found);
    row[0] = value_null();
    feed_index_find(&x, row, count_found, &found);
    assert_int_equal(found, 1);
    for (int i = 0; i < 1000; i++)
        feed_index_remove(&x, &feeds[i].indexed);
    feed_index_deinit(&x);
    mem_free(feeds);
}

static void feeds_of_one_value_leave_in_any_order(void **state)
{
    (void)state;
    static const int orders[][3] = {{0, 1, 2}, {2, 1, 0}, {1, 0, 2}, {1, 2, 0}};
    struct value row[COLUMNS] = {value_integer(7), value_null(), value_null(), value_null()};

    for (size_t o = 0; o < COUNT_OF(orders); o++) {
        AUTO(arena_free) struct arena *a = arena_new();
        struct feed_index x = {0};
        struct feed feeds[3] = {0};
        for (int i = 0; i < 3; i++)
            feed_index_add(&x, &feeds[i], expr_test(a, &columns[0], OP_EQ, row, 1), a,
                           &feeds[i].indexed);
        for (int left = 3; left > 0; left--) {
            int found = 0;
            feed_index_find(&x, row, count_found, &found);
            assert_int_equal(found, left);
            feed_index_remove(&x, &feeds[orders[o][3 - left]].indexed);
        }
        feed_index_deinit(&x);
    }
}

static void a_condition_without_an_equality_is_not_indexed(void **state)
{
    (void)state;
    AUTO(arena_free) struct arena *a = arena_new();
    struct feed_index x = {0};
    struct feed feed = {0};
    struct value one = value_integer(1);

    assert_false(feed_index_add(&x, &feed, &expr_true, a, &feed.indexed));
    assert_false(
        feed_index_add(&x, &feed, expr_test(a, &columns[0], OP_GT, &one, 1), a, &feed.indexed));
    assert_int_equal(feed.indexed.count, 0);
    feed_index_deinit(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_feed_that_a_row_matches_is_found_whatever_came_and_went),
        cmocka_unit_test(a_row_finds_only_the_feeds_of_its_own_value),
        cmocka_unit_test(feeds_of_one_value_leave_in_any_order),
        cmocka_unit_test(a_condition_without_an_equality_is_not_indexed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
