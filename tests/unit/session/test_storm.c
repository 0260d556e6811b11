/*
 * Many clients at once: writers that come, ask and vanish, rules that change under way, and
 * followers that must hear of every row once, in order. What happens is chosen by a seed; how the
 * threads meet is not, so this test is worth most under a sanitizer.
 */

#include "fixture.h"

enum { WRITERS = 4, FOLLOWERS = 2, STEPS = 300, WAITING_MAX = 20 };

static uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* Reads "event create 5" lines: each row once, in order; returns their number. Rows that were
 * undone have had keys, too, which PostgreSQL does not give again. */
static int count_events(struct connection *c)
{
    struct str rest = buf_str(&c->sent), line;
    struct str head = STR("event create ");
    int64_t latest = 0;
    int count = 0;

    while (str_next(&rest, '\n', &line)) {
        int64_t id;
        if (!str_starts_with(line, head))
            continue;
        assert_int_equal(str_to_int64(str_skip(line, head.len), &id), 0);
        assert_true(id > latest);
        latest = id;
        count++;
    }
    return count;
}

static void random_wish(struct connection *c, uint32_t *random)
{
    static const struct handler *const handlers[] = {&create, &create, &create, &refused,
                                                     &count_rows};

    if (((const struct session *)c->user)->request_count < WAITING_MAX)
        ask(c, handlers[next_random(random) % COUNT_OF(handlers)], "articles", NULL, "{}");
}

/* Comes, asks once, and may be gone before the answer; or is here to stay. */
static struct connection *random_stay(struct world *w, struct connection *c, uint32_t *random)
{
    if (!c || next_random(random) % 10 != 0) {
        random_wish(c ? c : (c = client_connect(w, "admin-token")), random);
        return c;
    }
    client_close(c);
    return NULL;
}

static void followers_hear_of_every_row_once_and_in_order(void **state)
{
    struct world *w = *state;
    struct connection *writers[WRITERS] = {0}, *followers[FOLLOWERS];
    struct connection *admin = client_connect(w, "admin-token");
    uint32_t random = 2654435761U;
    struct service_stats stats;

    for (int i = 0; i < FOLLOWERS; i++) {
        followers[i] = client_connect(w, "user-token");
        ask(followers[i], &follow, "articles", NULL, NULL);
    }
    for (int step = 0; step < STEPS; step++) {
        struct connection **writer = &writers[next_random(&random) % WRITERS];
        *writer = random_stay(w, *writer, &random);
        if (step % 40 == 0) /* regroups everyone; the user still reads all */
            ask(admin, &create, "directus_policies", NULL, "{\"name\":\"another\"}");
        if (next_random(&random) % 4 == 0)
            uv_run(loop_uv(w->loop), UV_RUN_NOWAIT);
    }
    for (int i = 0; i < WRITERS; i++)
        if (writers[i])
            client_close(writers[i]);
    UNTIL(is_idle(admin) && (service_stats(w->service, &stats), stats.sessions == 1 + FOLLOWERS));

    ask(admin, &count_rows, NULL, NULL, NULL);
    buf_clear(&admin->sent);
    UNTIL(is_idle(admin));
    int rows = count_events(followers[0]);
    char expected[32];
    snprintf(expected, sizeof(expected), "%d rows\n", rows);
    assert_sent(admin, expected);
    assert_true(rows > STEPS / 4);
    for (int i = 0; i < FOLLOWERS; i++) {
        assert_int_equal(count_events(followers[i]), rows);
        client_close(followers[i]);
    }
    assert_int_equal(stats.faults, 0);
    client_close(admin);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(followers_hear_of_every_row_once_and_in_order, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
