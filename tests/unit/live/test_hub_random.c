/*
 * Random rows, rules, queries and commits: what each follower hears is held against a second
 * opinion, which knows nothing of feeds, keys and indexes and judges rows in plain C. A seed
 * reproduces a failure: it is the number in the failing assertion's script.
 */

#include "fixture.h"

enum { ROWS = 24, CLIENTS = 60, STEPS = 400, USERS = 6 };

static uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static uint32_t below(uint32_t *state, uint32_t bound)
{
    return next_random(state) % bound;
}

static const char *const users[USERS] = {
    "00000000-0000-4000-9000-000000000000", "00000000-0000-4000-9000-000000000001",
    "00000000-0000-4000-9000-000000000002", "00000000-0000-4000-9000-000000000003",
    "00000000-0000-4000-9000-000000000004", "00000000-0000-4000-9000-000000000005",
};
static const char *const statuses[] = {"draft", "published", "archived", NULL};
static const char *const titles[] = {"Harvest", "Fair", NULL};

/* ---- conditions, twice: as JSON, and in C ---- */

static bool is(const char *text, const char *wanted)
{
    return text && strcmp(text, wanted) == 0;
}

static bool all_rows(const struct article *a, const char *user)
{
    (void)a, (void)user;
    return true;
}
static bool own_rows(const struct article *a, const char *user)
{
    return is(a->owner, user);
}
static bool published_rows(const struct article *a, const char *user)
{
    (void)user;
    return is(a->status, "published");
}
static bool open_rows(const struct article *a, const char *user)
{
    (void)user;
    return is(a->status, "published") || is(a->status, "draft");
}
static bool cheap_rows(const struct article *a, const char *user)
{
    (void)user;
    return a->price < 3;
}
static bool own_or_published_rows(const struct article *a, const char *user)
{
    return own_rows(a, user) || published_rows(a, user);
}
static bool three_rows(const struct article *a, const char *user)
{
    (void)user;
    return a->price == 3 && is(a->title, "Fair");
}
static bool untitled_rows(const struct article *a, const char *user)
{
    (void)user;
    return !a->title;
}
static bool not_archived_rows(const struct article *a, const char *user)
{
    (void)user;
    return a->status && !is(a->status, "archived");
}

static const struct condition {
    const char *json;
    bool (*holds)(const struct article *a, const char *user);
} conditions[] = {
    {"{}", all_rows},
    {"{\"owner\":{\"_eq\":\"$CURRENT_USER\"}}", own_rows},
    {"{\"status\":{\"_eq\":\"published\"}}", published_rows},
    {"{\"status\":{\"_in\":[\"draft\",\"published\"]}}", open_rows},
    {"{\"price\":{\"_lt\":3}}", cheap_rows},
    {"{\"_or\":[{\"owner\":{\"_eq\":\"$CURRENT_USER\"}},{\"status\":{\"_eq\":\"published\"}}]}",
     own_or_published_rows},
    {"{\"_and\":[{\"price\":{\"_eq\":3}},{\"title\":{\"_eq\":\"Fair\"}}]}", three_rows},
    {"{\"title\":{\"_null\":true}}", untitled_rows},
    {"{\"status\":{\"_neq\":\"archived\"}}", not_archived_rows},
};

/* ---- the world ---- */

struct listener {
    struct client client;
    bool in;
    unsigned user, filter;
    struct buf expected;
};

struct world {
    uint32_t random;
    unsigned rule_of[USERS]; /* index of a condition */
    struct rule rules[USERS];
    struct catalogue *catalogue;
    struct principal *principals[USERS];
    struct hub *hub;
    struct article rows[ROWS];
    bool there[ROWS];
    struct listener listeners[CLIENTS];
};

static void world_init(struct world *w, uint32_t seed)
{
    *w = (struct world){.random = seed};
    for (unsigned i = 0; i < USERS; i++) {
        w->rule_of[i] = below(&w->random, COUNT_OF(conditions));
        w->rules[i] = (struct rule){.user = users[i],
                                    .collection = "articles",
                                    .permissions = conditions[w->rule_of[i]].json};
    }
    w->catalogue = catalogue_make(1, w->rules, USERS);
    for (unsigned i = 0; i < USERS; i++)
        w->principals[i] = principal_make(w->catalogue, users[i]);
    w->hub = hub_new(NULL);
}

static void listener_start(struct world *w, struct listener *l)
{
    char query[200];

    l->user = below(&w->random, USERS);
    l->filter = below(&w->random, COUNT_OF(conditions));
    snprintf(query, sizeof(query), "{\"fields\":[\"id\"],\"filter\":%s}",
             conditions[l->filter].json);
    client_init(&l->client, "articles", query);
    buf_init(&l->expected, SIZE_MAX);
    assert_int_equal(client_bind(&l->client, w->hub, w->principals[l->user]), 0);
    l->in = true;
}

static void listener_stop(struct world *w, struct listener *l)
{
    hub_unbind(w->hub, &l->client.subscription);
    client_deinit(&l->client);
    buf_deinit(&l->expected);
    l->in = false;
}

static void world_deinit(struct world *w)
{
    for (unsigned i = 0; i < CLIENTS; i++)
        if (w->listeners[i].in)
            listener_stop(w, &w->listeners[i]);
    hub_free(w->hub);
    for (unsigned i = 0; i < USERS; i++)
        principal_unref(w->principals[i]);
    catalogue_unref(w->catalogue);
}

/* ---- the second opinion ---- */

struct step {
    const struct article *before, *after;
};

static bool hears_of(const struct world *w, const struct listener *l, const struct article *a)
{
    const char *user = users[l->user];

    return a && conditions[w->rule_of[l->user]].holds(a, user) &&
           conditions[l->filter].holds(a, user);
}

static void expect_list(struct buf *b, const char *what, const int *ids, size_t count,
                        const char *fields)
{
    if (count == 0)
        return;
    buf_printf(b, "articles %s ", what);
    for (size_t i = 0; i < count; i++)
        buf_printf(b, "%s%d", i > 0 ? "," : "", ids[i]);
    buf_printf(b, "%s\n", fields);
}

static void expect(const struct world *w, struct listener *l, const struct step *steps,
                   size_t count)
{
    int stays[ROWS], leaves[ROWS];
    size_t stay_count = 0, leave_count = 0;
    bool update = steps[0].before && steps[0].after;

    for (size_t i = 0; i < count; i++) {
        bool before = hears_of(w, l, steps[i].before), after = hears_of(w, l, steps[i].after);
        if (before && after)
            stays[stay_count++] = steps[i].before->id;
        else if (before)
            leaves[leave_count++] = steps[i].before->id;
        else if (after)
            expect_list(&l->expected, update ? "CREATE" : "create", &steps[i].after->id, 1, " id");
    }
    expect_list(&l->expected, "update", stays, stay_count, " id");
    expect_list(&l->expected, update ? "DELETE" : "delete", leaves, leave_count, "");
}

/* ---- what happens ---- */

static void random_row(struct world *w, struct article *a, int id)
{
    *a = (struct article){
        .id = id,
        .title = titles[below(&w->random, COUNT_OF(titles))],
        .status = statuses[below(&w->random, COUNT_OF(statuses))],
        .owner = users[below(&w->random, USERS)],
        .price = (int)below(&w->random, 6),
    };
}

static void random_patch(struct world *w, const struct article *from, unsigned column,
                         struct article *to)
{
    struct article other;

    random_row(w, &other, from->id);
    switch (column) {
    case TITLE:
        to->title = other.title;
        break;
    case STATUS:
        to->status = other.status;
        break;
    case OWNER:
        to->owner = other.owner;
        break;
    default:
        to->price = other.price;
    }
}

/* One operation: some rows of those that are (or are not) there are created, changed or deleted. */
static void random_operation(struct world *w, struct script *s)
{
    struct article before[ROWS], after[ROWS];
    struct step steps[ROWS];
    size_t count = 0;
    enum change_kind kind = below(&w->random, 4);
    unsigned column = TITLE + below(&w->random, PRICE - TITLE + 1);
    const struct column_set submitted = {.words = {UINT64_C(1) << column}};
    size_t most = kind == CHANGE_CREATE ? 1 : 1 + below(&w->random, 6);

    if (kind > CHANGE_DELETE)
        kind = CHANGE_UPDATE;
    script_operation(s);
    for (unsigned tries = 0; tries < ROWS && count < most; tries++) {
        unsigned i = below(&w->random, ROWS);
        if (w->there[i] == (kind == CHANGE_CREATE))
            continue;
        before[count] = after[count] = w->rows[i];
        if (kind == CHANGE_CREATE)
            random_row(w, &after[count], (int)i);
        else if (kind == CHANGE_UPDATE)
            random_patch(w, &before[count], column, &after[count]);
        steps[count] = (struct step){kind == CHANGE_CREATE ? NULL : &before[count],
                                     kind == CHANGE_DELETE ? NULL : &after[count]};
        script_submitted(s, "articles", steps[count].before, steps[count].after, &submitted);
        w->rows[i] = after[count];
        w->there[i] = kind != CHANGE_DELETE;
        count++;
    }
    for (unsigned i = 0; i < CLIENTS && count > 0; i++)
        if (w->listeners[i].in)
            expect(w, &w->listeners[i], steps, count);
}

static void random_step(struct world *w)
{
    struct listener *l = &w->listeners[below(&w->random, CLIENTS)];
    struct script s;

    if (!l->in)
        listener_start(w, l);
    else if (below(&w->random, 3) == 0)
        listener_stop(w, l);
    script_begin(&s, w->catalogue);
    for (unsigned left = 1 + below(&w->random, 4); left > 0; left--)
        random_operation(w, &s);
    script_publish(&s, w->hub);
}

static void check(struct world *w, uint32_t seed, int step)
{
    for (unsigned i = 0; i < CLIENTS; i++) {
        struct listener *l = &w->listeners[i];
        if (!l->in)
            continue;
        if (!str_equal(buf_str(&l->expected), buf_str(&l->client.heard)))
            fail_msg(
                "seed %u, step %d, client %u (rule %s, filter %s)\nexpected:\n%.*sheard:\n%.*s",
                (unsigned)seed, step, i, conditions[w->rule_of[l->user]].json,
                conditions[l->filter].json, STR_ARG(buf_str(&l->expected)),
                STR_ARG(buf_str(&l->client.heard)));
        buf_clear(&l->expected);
        buf_clear(&l->client.heard);
    }
}

static void everyone_hears_exactly_what_a_second_opinion_expects(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 12; seed++) {
        struct world *w = MEM_NEW(struct world);
        world_init(w, seed * 2654435761U);
        for (int step = 0; step < STEPS; step++) {
            random_step(w);
            check(w, seed, step);
        }
        assert_true(hub_stats(w->hub)->deliveries > STEPS);
        world_deinit(w);
        mem_free(w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everyone_hears_exactly_what_a_second_opinion_expects),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
