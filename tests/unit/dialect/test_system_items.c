/* Aliases of system collections, as different people see them. */
#include "unit/model/core.h"

#include "dialect/directus/rest.h"

#define ROLE "aaaaaaaa-0000-4000-8000-000000000001"
#define CHILD "aaaaaaaa-0000-4000-8000-000000000002"
#define POLICY "bbbbbbbb-0000-4000-8000-000000000001"
#define OPEN_POLICY "bbbbbbbb-0000-4000-8000-000000000002"
#define ACCESS_1 "cccccccc-0000-4000-8000-000000000001"
#define ACCESS_2 "cccccccc-0000-4000-8000-000000000002"
#define ACCESS_3 "cccccccc-0000-4000-8000-000000000003"
#define EDITOR "dddddddd-0000-4000-8000-000000000001"
#define CLERK "dddddddd-0000-4000-8000-000000000002"
#define READS(policy, table, rows, fields)                                                         \
    "{\"policy\":\"" policy "\",\"collection\":\"" table                                           \
    "\",\"action\":\"read\",\"permissions\":" rows ",\"fields\":" fields "}"

/* An editor with a role, and a clerk without one whose own policy shows some of everything. */
static const struct {
    enum system_table table;
    const char *row;
} rows[] = {
    {SYSTEM_ROLES, "{\"id\":\"" ROLE "\",\"name\":\"editors\"}"},
    {SYSTEM_ROLES, "{\"id\":\"" CHILD "\",\"name\":\"juniors\",\"parent\":\"" ROLE "\"}"},
    {SYSTEM_USERS, "{\"id\":\"" EDITOR "\",\"email\":\"e@example.com\",\"role\":\"" ROLE "\"}"},
    {SYSTEM_USERS, "{\"id\":\"" CLERK "\",\"email\":\"c@example.com\"}"},
    {SYSTEM_POLICIES, "{\"id\":\"" POLICY "\",\"name\":\"p\"}"},
    {SYSTEM_POLICIES, "{\"id\":\"" OPEN_POLICY "\",\"name\":\"open\"}"},
    {SYSTEM_ACCESS, "{\"id\":\"" ACCESS_1 "\",\"role\":\"" ROLE "\",\"policy\":\"" POLICY "\"}"},
    {SYSTEM_ACCESS, "{\"id\":\"" ACCESS_2 "\",\"user\":\"" EDITOR "\",\"policy\":\"" POLICY "\"}"},
    {SYSTEM_ACCESS,
     "{\"id\":\"" ACCESS_3 "\",\"user\":\"" CLERK "\",\"policy\":\"" OPEN_POLICY "\"}"},
    /* The editor: roles whole, but no access rows. */
    {SYSTEM_PERMISSIONS, READS(POLICY, "directus_roles", "null", "[\"*\"]")},
    /* The clerk: all names of roles, one role whole, and the access rows of roles. */
    {SYSTEM_PERMISSIONS, READS(OPEN_POLICY, "directus_roles", "null", "[\"id\",\"name\"]")},
    {SYSTEM_PERMISSIONS,
     READS(OPEN_POLICY, "directus_roles", "{\"name\":{\"_eq\":\"editors\"}}", "[\"*\"]")},
    {SYSTEM_PERMISSIONS,
     READS(OPEN_POLICY, "directus_access", "{\"role\":{\"_nnull\":true}}", "[\"id\",\"role\"]")},
    {SYSTEM_PERMISSIONS, READS(OPEN_POLICY, "directus_policies", "null", "[\"*\"]")},
};

static int make_rows(struct instance *in, struct tx *tx)
{
    struct item_key key;
    int rc = 0;
    for (size_t i = 0; i < COUNT_OF(rows) && rc == 0; i++)
        rc = items_create(tx, system_table(rows[i].table), json_of(in, rows[i].row), &key);
    return rc;
}

static int setup(void **state)
{
    int rc = instance_setup(state);
    assert_int_equal(rc, 0);
    assert_int_equal(run(*state, WRITER_ROWS, make_rows), 0);
    return 0;
}

/* What is asked next, and its answer. */
static struct {
    const char *user; /* NULL: the instance itself */
    enum system_table table;
    const char *query;
    size_t size_max;
    char text[8192];
} ask;

static struct principal *principal_of(struct tx *tx, const char *user)
{
    struct system_rows found;
    if (!user)
        return principal_system(tx->catalogue);
    const struct expr *where =
        system_test(tx->arena, SYSTEM_USERS, "id", OP_EQ, value_text(str_of(user)));
    assert_int_equal(system_rows(tx->store, tx->arena, SYSTEM_USERS, where, NULL, &found), 0);
    assert_int_equal(found.count, 1);
    return principal_user(tx->catalogue, found.at[0], STR_NULL);
}

static int look(struct instance *in, struct tx *tx)
{
    const struct principal *instance = tx->principal;
    AUTO(principal_unref) struct principal *asker = principal_of(tx, ask.user);
    const struct table *table = system_table(ask.table);
    const json_t *json = json_of(in, ask.query);
    struct query query;
    struct buf b;
    buf_init(&b, ask.size_max);
    tx->principal = asker;
    int rc = query_parse(tx, table, system_plain_query(tx, table, json), &query);
    if (rc == 0)
        rc = system_write_list(tx, &query, json_get(json, "fields"), &b);
    tx->principal = instance;
    snprintf(ask.text, sizeof(ask.text), "%.*s", STR_ARG(buf_str(&b)));
    buf_deinit(&b);
    return rc;
}

static int ask_for(void **state, const char *user, enum system_table table, const char *query)
{
    ask.user = user;
    ask.table = table;
    ask.query = query;
    ask.size_max = sizeof(ask.text) - 1;
    return run(*state, WRITER_ROWS, look);
}

#define assert_answer(user, table, query, expected)                                                \
    do {                                                                                           \
        assert_int_equal(ask_for(state, (user), (table), (query)), 0);                             \
        assert_string_equal(ask.text, (expected));                                                 \
    } while (0)

#define ONLY(id) "\"filter\":{\"id\":{\"_eq\":\"" id "\"}}"

static void aliases_list_the_keys_of_what_refers_to_a_row(void **state)
{
    assert_answer(NULL, SYSTEM_ROLES,
                  "{\"fields\":[\"name\",\"children\",\"policies\",\"users\"]," ONLY(ROLE) "}",
                  "[{\"name\":\"editors\",\"children\":[\"" CHILD "\"],\"policies\":[\"" ACCESS_1
                  "\"],\"users\":[\"" EDITOR "\"]}]");
    assert_answer(NULL, SYSTEM_USERS, "{\"fields\":\"email,policies\"," ONLY(EDITOR) "}",
                  "[{\"email\":\"e@example.com\",\"policies\":[\"" ACCESS_2 "\"]}]");
}

static void users_and_roles_of_a_policy_are_told_apart(void **state)
{
    assert_answer(
        NULL, SYSTEM_POLICIES, "{\"fields\":\"users,roles,permissions\"," ONLY(POLICY) "}",
        "[{\"users\":[\"" ACCESS_2 "\"],\"roles\":[\"" ACCESS_1 "\"],\"permissions\":[1]}]");
}

static void each_row_has_its_own_lists(void **state)
{
    assert_answer(
        NULL, SYSTEM_ROLES,
        "{\"fields\":\"children,id\",\"sort\":\"-id\",\"filter\":{\"id\":{\"_in\":[\"" ROLE
        "\",\"" CHILD "\"]}}}",
        "[{\"id\":\"" CHILD "\",\"children\":[]},{\"id\":\"" ROLE "\",\"children\":[\"" CHILD
        "\"]}]");
    assert_answer(NULL, SYSTEM_ROLES, "{\"fields\":\"children\",\"limit\":0}", "[]");
}

static void all_fields_include_the_aliases(void **state)
{
    const char *tail = "\"parent\":null,\"children\":[\"" CHILD "\"],\"policies\":[\"" ACCESS_1
                       "\"],\"users\":[\"" EDITOR "\"]}]";
    static const char *const queries[] = {"{" ONLY(ROLE) "}", "{\"fields\":\"*\"," ONLY(ROLE) "}",
                                          "{\"fields\":[\"*\",\"users\"]," ONLY(ROLE) "}",
                                          "{\"fields\":[]," ONLY(ROLE) "}"};
    for (size_t i = 0; i < COUNT_OF(queries); i++) {
        assert_int_equal(ask_for(state, NULL, SYSTEM_ROLES, queries[i]), 0);
        assert_non_null(strstr(ask.text, tail));
    }
    assert_answer(NULL, SYSTEM_ROLES, "{\"fields\":\"name\"," ONLY(ROLE) "}",
                  "[{\"name\":\"editors\"}]");
}

static void what_may_not_be_read_is_left_out_of_all_fields_and_refused_by_name(void **state)
{
    struct instance *in = *state;
    assert_int_equal(ask_for(state, EDITOR, SYSTEM_ROLES, "{" ONLY(ROLE) "}"), 0);
    assert_non_null(strstr(ask.text, "\"children\":[\"" CHILD "\"]"));
    assert_null(strstr(ask.text, "policies"));
    assert_null(strstr(ask.text, "users"));
    assert_int_equal(ask_for(state, EDITOR, SYSTEM_ROLES, "{\"fields\":\"id,policies\"}"), REFUSED);
    assert_int_equal(in->problem.kind, PROBLEM_FORBIDDEN);
    assert_str(in->problem.field, "policies");
}

static void an_alias_is_null_where_the_row_shows_only_named_fields(void **state)
{
    assert_answer(CLERK, SYSTEM_ROLES,
                  "{\"fields\":\"name,policies\",\"sort\":\"name\","
                  "\"filter\":{\"name\":{\"_in\":[\"editors\",\"juniors\"]}}}",
                  "[{\"name\":\"editors\",\"policies\":[\"" ACCESS_1
                  "\"]},{\"name\":\"juniors\",\"policies\":null}]");
}

static void members_are_those_that_the_caller_may_read(void **state)
{
    struct instance *in = *state;
    /* It reads access rows of roles, and their `role` but not their `policy` and `user`. */
    assert_int_equal(ask_for(state, CLERK, SYSTEM_POLICIES, "{\"fields\":\"*\"}"), 0);
    assert_null(strstr(ask.text, "\"roles\""));
    assert_int_equal(ask_for(state, CLERK, SYSTEM_POLICIES, "{\"fields\":\"users\"}"), REFUSED);
    assert_int_equal(in->problem.kind, PROBLEM_FORBIDDEN);
}

static void names_that_mean_nothing_are_refused_as_ever(void **state)
{
    struct instance *in = *state;
    assert_int_equal(ask_for(state, NULL, SYSTEM_ROLES, "{\"fields\":\"users,nope\"}"), REFUSED);
    assert_str(in->problem.field, "nope");
    assert_int_equal(ask_for(state, NULL, SYSTEM_ROLES, "{\"fields\":[1,\"users\"]}"), REFUSED);
    assert_int_equal(in->problem.kind, PROBLEM_INVALID_QUERY);
    assert_int_equal(ask_for(state, NULL, SYSTEM_USERS, "{\"fields\":\"children\"}"), REFUSED);
}

static int ask_within(void **state, size_t size_max)
{
    ask.user = NULL;
    ask.table = SYSTEM_ROLES;
    ask.query = "{\"fields\":\"name,users\"," ONLY(ROLE) "}";
    ask.size_max = size_max;
    return run(*state, WRITER_ROWS, look);
}

static void rows_that_are_larger_than_an_answer_may_be_are_refused(void **state)
{
    struct instance *in = *state;
    assert_int_equal(ask_within(state, 8), REFUSED);
    assert_int_equal(in->problem.kind, PROBLEM_INVALID_QUERY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(aliases_list_the_keys_of_what_refers_to_a_row),
        cmocka_unit_test(users_and_roles_of_a_policy_are_told_apart),
        cmocka_unit_test(each_row_has_its_own_lists),
        cmocka_unit_test(all_fields_include_the_aliases),
        cmocka_unit_test(what_may_not_be_read_is_left_out_of_all_fields_and_refused_by_name),
        cmocka_unit_test(an_alias_is_null_where_the_row_shows_only_named_fields),
        cmocka_unit_test(members_are_those_that_the_caller_may_read),
        cmocka_unit_test(names_that_mean_nothing_are_refused_as_ever),
        cmocka_unit_test(rows_that_are_larger_than_an_answer_may_be_are_refused),
    };
    return cmocka_run_group_tests(tests, setup, instance_teardown);
}
