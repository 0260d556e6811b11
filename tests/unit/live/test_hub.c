/* What followers of a table hear of scripted commits, and what it costs. */

#include "fixture.h"

#define ALICE "00000000-0000-4000-9000-00000000000a"
#define BOB "00000000-0000-4000-9000-00000000000b"
#define CAROL "00000000-0000-4000-9000-00000000000c"

/* Alice reads all, Bob his own, Carol what is published, without prices unless they are her own. */
static const struct rule rules[] = {
    {.user = ALICE, .collection = "articles"},
    {.user = ALICE, .collection = "notes"},
    {.user = BOB,
     .collection = "articles",
     .permissions = "{\"owner\":{\"_eq\":\"$CURRENT_USER\"}}"},
    {.user = CAROL,
     .collection = "articles",
     .permissions = "{\"status\":{\"_eq\":\"published\"}}",
     .fields = "[\"id\",\"title\",\"status\",\"owner\"]"},
    {.user = CAROL,
     .collection = "articles",
     .permissions = "{\"owner\":{\"_eq\":\"$CURRENT_USER\"}}",
     .fields = "[\"id\",\"title\",\"status\",\"price\"]"},
};

static const struct article draft = {1, "Harvest", "draft", ALICE, 10, NULL};
static const struct article published = {1, "Harvest", "published", ALICE, 10, NULL};
static const struct article renamed = {1, "Fair", "draft", ALICE, 10, NULL};
static const struct article bobs = {1, "Harvest", "draft", BOB, 10, NULL};

struct world {
    struct catalogue *catalogue;
    struct principal *alice, *bob, *carol, *public;
    struct hub *hub;
};

static void world_principals(struct world *w)
{
    w->alice = principal_make(w->catalogue, ALICE);
    w->bob = principal_make(w->catalogue, BOB);
    w->carol = principal_make(w->catalogue, CAROL);
    w->public = principal_make(w->catalogue, NULL);
}

static void world_drop_principals(struct world *w)
{
    principal_unref(w->alice);
    principal_unref(w->bob);
    principal_unref(w->carol);
    principal_unref(w->public);
}

static int setup(void **state)
{
    struct world *w = MEM_NEW(struct world);

    w->catalogue = catalogue_make(1, rules, COUNT_OF(rules));
    world_principals(w);
    w->hub = hub_new(NULL);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    if (hub_stats(w->hub)->subscriptions > 0)
        return 0; /* the test failed: its clients lay on a stack that is gone */
    hub_free(w->hub);
    world_drop_principals(w);
    catalogue_unref(w->catalogue);
    mem_free(w);
    return 0;
}

static void follow(struct world *w, struct client *client, const char *collection,
                   const char *query, const struct principal *p)
{
    client_init(client, collection, query);
    assert_int_equal(client_bind(client, w->hub, p), 0);
}

static void unfollow(struct world *w, struct client *client)
{
    hub_unbind(w->hub, &client->subscription);
    client_deinit(client);
}

static void a_follower_hears_what_is_created_updated_and_deleted(void **state)
{
    struct world *w = *state;
    struct client alice;

    follow(w, &alice, "articles", NULL, w->alice);
    publish(w->hub, w->catalogue, NULL, &draft);
    assert_heard(&alice, "articles create 1 id,title,status,owner,price,expires\n");
    publish(w->hub, w->catalogue, &draft, &renamed);
    assert_heard(&alice, "articles update 1 id,title,status,owner,price,expires\n");
    publish(w->hub, w->catalogue, &renamed, NULL);
    assert_heard(&alice, "articles delete 1\n");
    unfollow(w, &alice);
}

static void a_row_enters_stays_and_leaves(void **state)
{
    struct world *w = *state;
    struct client bob;

    follow(w, &bob, "articles", "{\"fields\":[\"id\",\"title\"]}", w->bob);
    publish(w->hub, w->catalogue, NULL, &draft);
    publish(w->hub, w->catalogue, &draft, &renamed);
    assert_heard(&bob, "");
    publish(w->hub, w->catalogue, &draft, &bobs);
    assert_heard(&bob, "articles CREATE 1 id,title\n");
    struct article dearer = bobs;
    dearer.price = 11;
    publish(w->hub, w->catalogue, &bobs, &dearer);
    assert_heard(&bob, "articles update 1 id,title\n");
    publish(w->hub, w->catalogue, &bobs, &draft);
    assert_heard(&bob, "articles DELETE 1\n");
    publish(w->hub, w->catalogue, &draft, NULL);
    assert_heard(&bob, "");
    publish(w->hub, w->catalogue, &bobs, NULL);
    assert_heard(&bob, "articles delete 1\n");
    unfollow(w, &bob);
}

static void any_number_of_followers_costs_one_evaluation_and_one_encoding(void **state)
{
    enum { FOLLOWERS = 100 };
    struct world *w = *state;
    struct client *clients = MEM_ARRAY(struct client, FOLLOWERS);
    const char *query = "{\"filter\":{\"price\":{\"_gt\":5}}}";

    for (int i = 0; i < FOLLOWERS; i++)
        follow(w, &clients[i], "articles", query, w->alice);
    assert_int_equal(hub_stats(w->hub)->feeds, 1);
    assert_int_equal(hub_stats(w->hub)->subscriptions, FOLLOWERS);
    publish(w->hub, w->catalogue, NULL, &draft);
    assert_int_equal(hub_stats(w->hub)->evaluations, 1);
    assert_int_equal(hub_stats(w->hub)->encodings, 1);
    assert_int_equal(hub_stats(w->hub)->deliveries, FOLLOWERS);
    for (int i = 1; i < FOLLOWERS; i++)
        assert_ptr_equal(clients[i].last, clients[0].last);
    for (int i = 0; i < FOLLOWERS; i++)
        unfollow(w, &clients[i]);
    assert_int_equal(hub_stats(w->hub)->feeds, 0);
    mem_free(clients);
}

static void a_change_outside_the_condition_is_judged_once(void **state)
{
    struct world *w = *state;
    struct client client;

    follow(w, &client, "articles", "{\"filter\":{\"price\":{\"_gt\":5}}}", w->alice);
    publish(w->hub, w->catalogue, &draft, &renamed);
    assert_int_equal(hub_stats(w->hub)->evaluations, 1);
    struct article cheap = draft;
    cheap.price = 1;
    publish(w->hub, w->catalogue, &draft, &cheap);
    assert_int_equal(hub_stats(w->hub)->evaluations, 3);
    unfollow(w, &client);
}

static void a_feed_without_a_condition_is_not_evaluated(void **state)
{
    struct world *w = *state;
    struct client client;

    follow(w, &client, "articles", NULL, w->alice);
    publish(w->hub, w->catalogue, &draft, &published);
    assert_int_equal(hub_stats(w->hub)->evaluations, 0);
    assert_int_equal(hub_stats(w->hub)->encodings, 1);
    unfollow(w, &client);
}

static void equal_wishes_share_a_feed_and_others_do_not(void **state)
{
    struct world *w = *state;
    static const char *const queries[] = {
        NULL,
        "{}",
        "{\"fields\":[\"id\"]}",
        "{\"fields\":[\"title\"]}",
        "{\"filter\":{\"price\":{\"_gt\":5}}}",
        "{\"filter\":{\"price\":{\"_gt\":6}}}",
    };
    struct client clients[2][COUNT_OF(queries)], bob, again;

    for (int twice = 0; twice < 2; twice++)
        for (size_t i = 0; i < COUNT_OF(queries); i++)
            follow(w, &clients[twice][i], "articles", queries[i], w->alice);
    assert_int_equal(hub_stats(w->hub)->feeds, COUNT_OF(queries));
    follow(w, &bob, "articles", NULL, w->bob);
    assert_int_equal(hub_stats(w->hub)->feeds, COUNT_OF(queries) + 1);
    follow(w, &again, "notes", NULL, w->alice);
    assert_int_equal(hub_stats(w->hub)->feeds, COUNT_OF(queries) + 2);
    for (int twice = 0; twice < 2; twice++)
        for (size_t i = 0; i < COUNT_OF(queries); i++)
            unfollow(w, &clients[twice][i]);
    unfollow(w, &bob);
    unfollow(w, &again);
    assert_int_equal(hub_stats(w->hub)->feeds, 0);
}

static void a_change_costs_the_feeds_that_it_concerns(void **state)
{
    enum { FEEDS = 1000 };
    struct world *w = *state;
    struct client *clients = MEM_ARRAY(struct client, FEEDS);
    char query[64];

    for (int i = 0; i < FEEDS; i++) {
        snprintf(query, sizeof(query), "{\"filter\":{\"price\":{\"_eq\":%d}}}", i);
        follow(w, &clients[i], "articles", query, w->alice);
    }
    assert_int_equal(hub_stats(w->hub)->feeds, FEEDS);
    publish(w->hub, w->catalogue, NULL, &draft);
    assert_int_equal(hub_stats(w->hub)->evaluations, 1);
    assert_heard(&clients[10], "articles create 1 id,title,status,owner,price,expires\n");
    struct article dearer = draft;
    dearer.price = 11;
    publish(w->hub, w->catalogue, &draft, &dearer);
    assert_int_equal(hub_stats(w->hub)->evaluations, 5); /* each of two feeds before and after */
    assert_heard(&clients[10], "articles DELETE 1\n");
    assert_heard(&clients[11], "articles CREATE 1 id,title,status,owner,price,expires\n");
    assert_int_equal(hub_stats(w->hub)->deliveries, 3);
    for (int i = 0; i < FEEDS; i++)
        unfollow(w, &clients[i]);
    mem_free(clients);
}

static void one_operation_on_many_rows_is_one_update_and_one_delete(void **state)
{
    struct world *w = *state;
    struct client alice, bob;
    struct script s;
    struct article rows[3], cheap[3];

    follow(w, &alice, "articles", "{\"fields\":[\"id\"]}", w->alice);
    follow(w, &bob, "articles", "{\"fields\":[\"id\"]}", w->bob);
    script_begin(&s, w->catalogue);
    script_operation(&s);
    for (int i = 0; i < 3; i++) {
        rows[i] = cheap[i] = i == 1 ? draft : bobs;
        rows[i].id = cheap[i].id = i + 1;
        cheap[i].price = 1;
        script_change(&s, "articles", &rows[i], &cheap[i]);
    }
    script_operation(&s);
    for (int i = 0; i < 3; i++)
        script_change(&s, "articles", &cheap[i], NULL);
    script_publish(&s, w->hub);
    assert_heard(&alice, "articles update 1,2,3 id\narticles delete 1,2,3\n");
    assert_heard(&bob, "articles update 1,3 id\narticles delete 1,3\n");
    unfollow(w, &alice);
    unfollow(w, &bob);
}

static void rows_that_enter_are_told_one_by_one_and_those_that_stay_together(void **state)
{
    struct world *w = *state;
    struct client client;
    struct script s;
    struct article row = draft, now = draft;
    const struct column_set submitted = {.words = {1U << PRICE}};

    follow(w, &client, "articles", "{\"fields\":[\"id\"],\"filter\":{\"price\":{\"_gte\":20}}}",
           w->alice);
    script_begin(&s, w->catalogue);
    script_operation(&s);
    static const int prices[] = {1, 25, 2, 35};
    for (int i = 0; i < 4; i++) {
        row.id = now.id = i + 1;
        row.price = prices[i];
        now.price = 20;
        script_submitted(&s, "articles", &row, &now, &submitted);
    }
    script_publish(&s, w->hub);
    assert_heard(&client, "articles CREATE 1 id\narticles CREATE 3 id\narticles update 2,4 id\n");
    unfollow(w, &client);
}

static void effects_of_an_operation_are_told_apart_from_it(void **state)
{
    struct world *w = *state;
    struct client articles, notes;
    struct script s;
    const struct article other = {2, "Note", NULL, ALICE, 0, NULL},
                         orphan = {2, "Note", NULL, NULL, 0, NULL};
    const struct column_set none = {0};

    follow(w, &articles, "articles", "{\"fields\":[\"id\"]}", w->alice);
    follow(w, &notes, "notes", "{\"fields\":[\"id\"]}", w->alice);
    script_begin(&s, w->catalogue);
    script_operation(&s);
    script_change(&s, "articles", &draft, NULL);
    script_submitted(&s, "notes", &other, &orphan, &none);
    script_submitted(&s, "articles", &other, &orphan, &none);
    struct article second = draft;
    second.id = 3;
    script_change(&s, "articles", &second, NULL);
    script_publish(&s, w->hub);
    assert_heard(&articles, "articles delete 1,3\narticles update 2 id\n");
    assert_heard(&notes, "notes update 2 id\n");
    unfollow(w, &articles);
    unfollow(w, &notes);
}

static void rows_of_which_other_fields_may_be_seen_are_told_apart(void **state)
{
    struct world *w = *state;
    struct client carol;
    struct article hers = published;

    follow(w, &carol, "articles", NULL, w->carol);
    publish(w->hub, w->catalogue, NULL, &published);
    assert_heard(&carol, "articles create 1 id,title,status,owner\n");
    hers.status = "draft";
    hers.owner = CAROL;
    publish(w->hub, w->catalogue, NULL, &hers);
    assert_heard(&carol, "articles create 1 id,title,status,price\n");
    hers.status = "published";
    publish(w->hub, w->catalogue, NULL, &hers);
    assert_heard(&carol, "articles create 1 id,title,status,owner,price\n");

    struct script s;
    struct article second = published, new_first = hers, new_second = published;
    second.id = new_second.id = 2;
    new_first.title = new_second.title = "Fair";
    script_begin(&s, w->catalogue);
    script_operation(&s);
    script_change(&s, "articles", &hers, &new_first);
    script_change(&s, "articles", &second, &new_second);
    script_publish(&s, w->hub);
    assert_heard(&carol, "articles update 1 id,title,status,owner,price\n"
                         "articles update 2 id,title,status,owner\n");
    unfollow(w, &carol);
}

static void each_tail_gets_its_own_frame_and_equal_ones_share(void **state)
{
    struct world *w = *state;
    struct client clients[5];
    static const char *const tails[] = {"", " x", " x", "", " y"};

    for (int i = 0; i < 5; i++) {
        client_init(&clients[i], "articles", "{\"fields\":[\"id\"]}");
        clients[i].subscription.tail = str_of(tails[i]);
        assert_int_equal(client_bind(&clients[i], w->hub, w->alice), 0);
    }
    assert_int_equal(hub_stats(w->hub)->feeds, 1);
    publish(w->hub, w->catalogue, NULL, &draft);
    assert_ptr_equal(clients[0].last, clients[3].last);
    assert_ptr_equal(clients[1].last, clients[2].last);
    assert_heard(&clients[0], "articles create 1 id\n");
    assert_heard(&clients[2], "articles create 1 id x\n");
    assert_heard(&clients[4], "articles create 1 id y\n");
    assert_int_equal(hub_stats(w->hub)->encodings, 1);
    for (int i = 0; i < 5; i++)
        unfollow(w, &clients[i]);
}

static void who_may_not_read_sleeps_until_he_may(void **state)
{
    struct world *w = *state;
    struct client client;

    client_init(&client, "articles", NULL);
    assert_int_equal(client_bind(&client, w->hub, w->public), REFUSED);
    assert_null(client.subscription.feed);
    assert_int_equal(client.silenced, 0); /* it never spoke */
    publish(w->hub, w->catalogue, NULL, &draft);
    assert_heard(&client, "");
    assert_int_equal(client_bind(&client, w->hub, w->bob), 0);
    publish(w->hub, w->catalogue, NULL, &bobs);
    assert_heard(&client, "articles create 1 id,title,status,owner,price,expires\n");
    assert_int_equal(client_bind(&client, w->hub, w->public), REFUSED);
    assert_int_equal(client.silenced, 1);
    publish(w->hub, w->catalogue, NULL, &bobs);
    assert_heard(&client, "");
    unfollow(w, &client);
}

static void a_query_that_does_not_compile_is_refused(void **state)
{
    struct world *w = *state;
    struct client client;

    client_init(&client, "articles", "{\"filter\":{\"nothing\":{\"_eq\":1}}}");
    assert_int_equal(client_bind(&client, w->hub, w->alice), REFUSED);
    client_deinit(&client);
    client_init(&client, "nowhere", NULL);
    assert_int_equal(client_bind(&client, w->hub, w->alice), REFUSED);
    client_deinit(&client);
    assert_int_equal(hub_stats(w->hub)->feeds, 0);
}

static void followers_move_to_a_new_catalogue_and_the_old_feed_goes(void **state)
{
    struct world *w = *state;
    struct client clients[2];
    static const struct rule fewer[] = {
        {.user = ALICE, .collection = "articles", .permissions = "{\"price\":{\"_lt\":5}}"}};

    for (int i = 0; i < 2; i++)
        follow(w, &clients[i], "articles", NULL, w->alice);
    const struct feed *old = clients[0].subscription.feed;
    world_drop_principals(w);
    catalogue_unref(w->catalogue);
    w->catalogue = catalogue_make(2, fewer, COUNT_OF(fewer));
    world_principals(w);

    assert_int_equal(client_bind(&clients[0], w->hub, w->alice), 0);
    assert_int_equal(hub_stats(w->hub)->feeds, 2);
    assert_ptr_equal(clients[1].subscription.feed, old);
    assert_int_equal(client_bind(&clients[1], w->hub, w->alice), 0);
    assert_int_equal(hub_stats(w->hub)->feeds, 1);
    publish(w->hub, w->catalogue, NULL, &draft);
    assert_heard(&clients[0], "");
    struct article cheap = draft;
    cheap.price = 4;
    publish(w->hub, w->catalogue, NULL, &cheap);
    for (int i = 0; i < 2; i++) {
        assert_heard(&clients[i], "articles create 1 id,title,status,owner,price,expires\n");
        unfollow(w, &clients[i]);
    }
}

static void a_moving_condition_is_judged_at_the_moment_of_telling(void **state)
{
    struct world *w = *state;
    struct client client;
    struct article lasting = draft, moved = draft;

    follow(w, &client, "articles",
           "{\"fields\":[\"id\"],\"filter\":{\"expires\":{\"_gt\":\"$NOW\"}}}", w->alice);
    lasting.expires = moved.expires = "1970-01-20T16:13:20.001Z"; /* NOW_MS + 1 */
    moved.title = "Fair";
    publish(w->hub, w->catalogue, &lasting, &moved);
    assert_heard(&client, "articles update 1 id\n");
    assert_int_equal(hub_stats(w->hub)->evaluations, 2); /* though `expires` did not change */
    lasting.expires = moved.expires = "1970-01-20T16:13:20.000Z";
    publish(w->hub, w->catalogue, &lasting, &moved);
    assert_heard(&client, "");
    unfollow(w, &client);
}

static void unbinding_twice_and_unbinding_what_never_was_bound_is_harmless(void **state)
{
    struct world *w = *state;
    struct client client;

    client_init(&client, "articles", NULL);
    hub_unbind(w->hub, &client.subscription);
    assert_int_equal(client_bind(&client, w->hub, w->alice), 0);
    hub_unbind(w->hub, &client.subscription);
    unfollow(w, &client);
    publish(w->hub, w->catalogue, NULL, &draft);
    assert_int_equal(hub_stats(w->hub)->deliveries, 0);
}

static void followers_that_leave_in_any_order_leave_the_others(void **state)
{
    struct world *w = *state;
    static const int orders[][3] = {{0, 1, 2}, {2, 1, 0}, {1, 0, 2}, {1, 2, 0}};

    for (size_t o = 0; o < COUNT_OF(orders); o++) {
        struct client clients[3];
        for (int i = 0; i < 3; i++)
            follow(w, &clients[i], "articles", "{\"fields\":[\"id\"]}", w->alice);
        for (int gone = 0; gone < 3; gone++) {
            uint64_t before = hub_stats(w->hub)->deliveries;
            publish(w->hub, w->catalogue, NULL, &draft);
            assert_int_equal(hub_stats(w->hub)->deliveries - before, 3 - gone);
            unfollow(w, &clients[orders[o][gone]]);
        }
    }
}

#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_WORLD(a_follower_hears_what_is_created_updated_and_deleted),
        IN_WORLD(a_row_enters_stays_and_leaves),
        IN_WORLD(any_number_of_followers_costs_one_evaluation_and_one_encoding),
        IN_WORLD(a_change_outside_the_condition_is_judged_once),
        IN_WORLD(a_feed_without_a_condition_is_not_evaluated),
        IN_WORLD(equal_wishes_share_a_feed_and_others_do_not),
        IN_WORLD(a_change_costs_the_feeds_that_it_concerns),
        IN_WORLD(one_operation_on_many_rows_is_one_update_and_one_delete),
        IN_WORLD(rows_that_enter_are_told_one_by_one_and_those_that_stay_together),
        IN_WORLD(effects_of_an_operation_are_told_apart_from_it),
        IN_WORLD(rows_of_which_other_fields_may_be_seen_are_told_apart),
        IN_WORLD(each_tail_gets_its_own_frame_and_equal_ones_share),
        IN_WORLD(who_may_not_read_sleeps_until_he_may),
        IN_WORLD(a_query_that_does_not_compile_is_refused),
        IN_WORLD(followers_move_to_a_new_catalogue_and_the_old_feed_goes),
        IN_WORLD(a_moving_condition_is_judged_at_the_moment_of_telling),
        IN_WORLD(unbinding_twice_and_unbinding_what_never_was_bound_is_harmless),
        IN_WORLD(followers_that_leave_in_any_order_leave_the_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
