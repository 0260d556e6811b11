/* Changes of access, structure and identity under open sockets: they count at their very place. */

#include "fixture.h"

#include "model/system.h"

#define ATTACHMENT "{\"policy\":\"" POLICY "\",\"user\":\"" USER "\"}"

static const struct principal *principal_of(const struct connection *c)
{
    return session_principal(c->user);
}

/* The id of the one row that gives the user its policy. */
static const char *attachment_id(struct world *w, struct arena *a)
{
    AUTO(catalogue_unref) struct catalogue *catalogue = model_catalogue(w->model);
    AUTO(principal_unref) struct principal *system = principal_system(catalogue);
    struct reader *reader;
    struct problem problem = {0};
    struct tx tx = {.arena = a, .principal = system, .problem = &problem};
    struct query query;
    struct buf b;
    json_t *rows = NULL;
    const char *id = "";

    buf_init(&b, SIZE_MAX);
    assert_int_equal(reader_open(w->model, &reader), 0);
    assert_int_equal(reader_begin(reader, &tx), 0);
    assert_int_equal(query_parse(&tx, system_table(SYSTEM_ACCESS), NULL, &query), 0);
    assert_int_equal(items_write_list(&tx, &query, &b), 0);
    assert_int_equal(json_read_in(a, buf_str(&b), &rows, NULL), 0);
    for (size_t i = 0; i < json_array_size(rows); i++)
        if (str_equal(json_get_str(json_array_get(rows, i), "user"), STR(USER)))
            id = arena_z(a, json_get_str(json_array_get(rows, i), "id"));
    reader_end(reader);
    reader_close(reader);
    buf_deinit(&b);
    return id;
}

static void access_that_goes_silences_and_access_that_comes_back_wakes(void **state)
{
    struct world *w = *state;
    AUTO(arena_free) struct arena *a = arena_new();
    struct connection *admin = client_connect(w, "admin-token"),
                      *user = client_connect(w, "user-token");

    ask(user, &follow, "articles", NULL, NULL);
    ask_create(admin, &create);
    ask(admin, &erase, "directus_access", attachment_id(w, a), NULL);
    ask_create(admin, &create);
    ask(admin, &create, "directus_access", NULL, ATTACHMENT);
    ask_create(admin, &create);
    UNTIL(is_idle(admin));
    assert_sent(admin, "created 1\ndeleted\ncreated 2\ncreated\ncreated 3\n");
    assert_sent(user, "following\nevent create 1\nevent create 3\n");
    assert_false(user->closing);
    client_close(admin);
    client_close(user);
}

static void a_changed_rule_counts_from_its_place_on(void **state)
{
    struct world *w = *state;
    struct connection *admin = client_connect(w, "admin-token"),
                      *user = client_connect(w, "user-token");

    ask(user, &follow, "articles", NULL, NULL);
    ask(admin, &create, "articles", NULL, "{\"title\":\"seen\"}");
    ask(admin, &update, "directus_permissions", "1",
        "{\"permissions\":{\"title\":{\"_eq\":\"seen\"}}}");
    ask(admin, &create, "articles", NULL, "{\"title\":\"hidden\"}");
    ask(admin, &update, "articles", "1", "{\"title\":\"hidden\"}");
    ask(admin, &update, "articles", "2", "{\"title\":\"seen\"}");
    UNTIL(is_idle(admin));
    assert_sent(user, "following\nevent create 1\nevent delete \"1\"\nevent create \"2\"\n");
    client_close(admin);
    client_close(user);
}

static void who_is_suspended_is_closed_at_once(void **state)
{
    struct world *w = *state;
    struct connection *admin = client_connect(w, "admin-token"),
                      *user = client_connect(w, "user-token"), *other;

    ask(user, &follow, "articles", NULL, NULL);
    ask_create(admin, &gated_create);
    sem_wait(&arrived);
    ask(admin, &update, "directus_users", USER, "{\"status\":\"suspended\"}");
    ask_create(user, &create); /* asked before, but comes after: refused */
    ask_create(admin, &create);
    sem_post(&gate);
    UNTIL(is_idle(admin) && is_idle(user));
    assert_sent(admin, "created 1\nupdated\ncreated 2\n");
    assert_sent(user, "following\nevent create 1\n");
    assert_true(user->closing);
    assert_int_equal(user->reason, NET_CLOSE_REVOKED);

    /* Active again, the same person is another actor than the one that still drains. */
    ask(admin, &update, "directus_users", USER, "{\"status\":\"active\"}");
    UNTIL(is_idle(admin));
    other = client_connect(w, "user-token");
    ask(other, &follow, "articles", NULL, NULL);
    ask_create(admin, &create);
    UNTIL(is_idle(admin));
    assert_sent(other, "following\nevent create 3\n");
    client_close(user);
    client_close(other);
    client_close(admin);
}

static void a_deleted_user_and_a_replaced_token_are_closed_as_well(void **state)
{
    struct world *w = *state;
    struct connection *admin = client_connect(w, "admin-token"),
                      *user = client_connect(w, "user-token"), *public = client_connect(w, NULL);

    ask(admin, &update, "directus_users", USER, "{\"token\":\"another-token\"}");
    UNTIL(is_idle(admin));
    assert_int_equal(user->reason, NET_CLOSE_REVOKED);
    client_close(user);
    user = client_connect(w, "another-token");
    ask(admin, &update, "directus_users", USER, "{\"first_name\":\"Ann\",\"last_page\":\"/\"}");
    UNTIL(is_idle(admin));
    assert_false(user->closing);
    unsigned first_name = system_column(SYSTEM_USERS, "first_name");
    assert_true(str_equal(principal_of(user)->user_row[first_name].text, STR("Ann")));
    ask(admin, &erase, "directus_users", USER, NULL);
    UNTIL(is_idle(admin));
    assert_true(user->closing);
    assert_int_equal(user->reason, NET_CLOSE_REVOKED);
    assert_false(admin->closing || public->closing);
    client_close(user);
    client_close(admin);
    client_close(public);
}

static void equal_people_share_a_principal(void **state)
{
    struct world *w = *state;
    struct connection *clients[] = {client_connect(w, "user-token"), client_connect(w, NULL),
                                    client_connect(w, "user-token"), client_connect(w, NULL)};

    assert_ptr_equal(principal_of(clients[0]), principal_of(clients[2]));
    assert_ptr_equal(principal_of(clients[1]), principal_of(clients[3]));
    assert_ptr_not_equal(principal_of(clients[0]), principal_of(clients[1]));
    assert_int_equal(w->service->actors.count, 2);
    for (size_t i = 0; i < COUNT_OF(clients); i++)
        client_close(clients[i]);
    assert_int_equal(w->service->actors.count, 0);
}

static void a_change_of_one_user_leaves_the_others_where_they_are(void **state)
{
    struct world *w = *state;
    struct connection *admin = client_connect(w, "admin-token"), *public = client_connect(w, NULL),
                      *user = client_connect(w, "user-token");
    const struct principal *before[] = {principal_of(admin), principal_of(public),
                                        principal_of(user)};
    int64_t version = service_catalogue(w->service)->version;

    ask(admin, &follow, "articles", NULL, NULL);
    ask(admin, &update, "directus_users", USER, "{\"email\":\"ann@example.com\"}");
    UNTIL(is_idle(admin));
    assert_true(service_catalogue(w->service)->version > version);
    assert_ptr_equal(principal_of(admin), before[0]);
    assert_ptr_equal(principal_of(public), before[1]);
    assert_ptr_not_equal(principal_of(user), before[2]);

    /* Who comes now follows the same feed, and everyone goes on. */
    struct connection *other = client_connect(w, "admin-token");
    ask(other, &follow, "articles", NULL, NULL);
    assert_int_equal(hub_stats(service_hub(w->service))->feeds, 1);
    ask_create(admin, &create);
    UNTIL(is_idle(admin));
    assert_sent(admin, "following\nupdated\ncreated 1\nevent create 1\n");
    assert_sent(other, "following\nevent create 1\n");
    client_close(admin);
    client_close(public);
    client_close(user);
    client_close(other);
}

static void a_new_field_does_not_disturb_those_who_follow(void **state)
{
    struct world *w = *state;
    struct connection *admin = client_connect(w, "admin-token"),
                      *user = client_connect(w, "user-token");

    ask(user, &follow, "articles", NULL, NULL);
    ask_create(admin, &create);
    ask(admin, &add_field, "articles", NULL, "{\"field\":\"price\",\"type\":\"integer\"}");
    ask(admin, &create, "articles", NULL, "{\"price\":5}");
    UNTIL(is_idle(admin));
    assert_sent(admin, "created 1\nadded price\ncreated 2\n");
    assert_sent(user, "following\nevent create 1\nevent create 2\n");
    assert_ptr_equal(principal_of(user)->catalogue, service_catalogue(w->service));
    client_close(admin);
    client_close(user);
}

/* The reader found who the client is; before the loop heard of it, access changed. */
static void an_upgrade_that_was_overtaken_is_made_again(void **state)
{
    struct world *w = *state;
    AUTO(arena_free) struct arena *a = arena_new();
    struct connection *admin = client_connect(w, "admin-token"), *user = client_open(w);

    run_count = 0;
    ask_upgrade(user, &gated_upgrade, "user-token");
    sem_wait(&arrived);
    ask(admin, &erase, "directus_access", attachment_id(w, a), NULL);
    UNTIL(is_idle(admin));
    sem_post(&gate);
    UNTIL(is_idle(user));
    assert_true(user->websocket);
    assert_sent(user, "switching\n");
    assert_int_equal(run_count, 2);
    assert_ptr_equal(principal_of(user)->catalogue, service_catalogue(w->service));
    ask(user, &follow, "articles", NULL, NULL);
    assert_sent(user, "FORBIDDEN\n");
    client_close(user);
    client_close(admin);
}

static void an_overtaken_upgrade_of_who_is_suspended_is_refused(void **state)
{
    struct world *w = *state;
    struct connection *admin = client_connect(w, "admin-token"), *user = client_open(w);

    run_count = 0;
    ask_upgrade(user, &gated_upgrade, "user-token");
    sem_wait(&arrived);
    ask(admin, &update, "directus_users", USER, "{\"status\":\"suspended\"}");
    UNTIL(is_idle(admin));
    sem_post(&gate);
    UNTIL(is_idle(user));
    assert_false(user->websocket);
    assert_sent(user, "INVALID_CREDENTIALS\n");
    client_close(user);
    client_close(admin);
}

/* The other way round: the reader saw a commit that the loop has not heard of yet. */
static void an_upgrade_ahead_of_the_hub_waits_for_it(void **state)
{
    struct world *w = *state;
    AUTO(arena_free) struct arena *a = arena_new();
    struct connection *admin = client_connect(w, "admin-token"), *user = client_open(w);
    int64_t version = service_catalogue(w->service)->version;

    ask(admin, &erase, "directus_access", attachment_id(w, a), NULL);
    for (bool there = false; !there; sched_yield()) {
        AUTO(catalogue_unref) struct catalogue *now = model_catalogue(w->model);
        there = now->version > version;
    }
    run_count = 0;
    ask_upgrade(user, &upgrade, "user-token");
    while (run_count == 0)
        sched_yield();
    assert_int_equal(service_catalogue(w->service)->version, version);
    UNTIL(is_idle(user));
    assert_true(user->websocket);
    assert_int_equal(run_count, 1);
    assert_ptr_equal(principal_of(user)->catalogue, service_catalogue(w->service));
    UNTIL(is_idle(admin));
    client_close(user);
    client_close(admin);
}

static void a_commit_that_nobody_was_told_of_closes_every_websocket(void **state)
{
    struct world *w = *state;
    struct connection *user = client_connect(w, "user-token"), *plain = client_open(w);
    struct connection *admin = client_connect(w, "admin-token");

    ask_create(admin, &create);
    UNTIL(is_idle(admin));
    int64_t number = w->service->commit_number;
    struct commit *commit = commit_new(service_catalogue(w->service));
    commit->number = number + 1;
    access_expect(w->service, commit);
    assert_false(user->closing);
    commit->number = number + 3;
    access_expect(w->service, commit);
    assert_true(user->closing && admin->closing && !plain->closing);
    assert_int_equal(user->reason, NET_CLOSE_FAULT);
    assert_int_equal(w->service->actors.count, 0);
    commit_unref(commit);
    client_close(user);
    client_close(admin);
    client_close(plain);
}

#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_WORLD(access_that_goes_silences_and_access_that_comes_back_wakes),
        IN_WORLD(a_changed_rule_counts_from_its_place_on),
        IN_WORLD(who_is_suspended_is_closed_at_once),
        IN_WORLD(a_deleted_user_and_a_replaced_token_are_closed_as_well),
        IN_WORLD(equal_people_share_a_principal),
        IN_WORLD(a_change_of_one_user_leaves_the_others_where_they_are),
        IN_WORLD(a_new_field_does_not_disturb_those_who_follow),
        IN_WORLD(an_upgrade_that_was_overtaken_is_made_again),
        IN_WORLD(an_overtaken_upgrade_of_who_is_suspended_is_refused),
        IN_WORLD(an_upgrade_ahead_of_the_hub_waits_for_it),
        IN_WORLD(a_commit_that_nobody_was_told_of_closes_every_websocket),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
