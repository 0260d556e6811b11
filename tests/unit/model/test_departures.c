/* Accounts that are deleted when their time of grace is over, and the workspaces that go with them.
 */
#include "unit/model/people.h"

#include "model/grid/departures.h"
#include "model/identity/identity.h"
#include "model/workspace/workspace.h"

/* What a request is asked to do, and what it found. */
struct ask {
    const char *text;
    int64_t id, workspace, before_ms, due;
    enum member_role role;
    struct account account;
};

static int call_register(struct tx *tx, void *context)
{
    struct ask *a = context;
    const struct registration r = {
        .name = STR("Somebody"), .email = str_of(a->text), .hash = STR("$argon2id$a-hash")};
    return account_register(tx, &r, &a->account);
}
static int call_schedule(struct tx *tx, void *context)
{
    struct ask *a = context;
    int rc = account_schedule_deletion(tx, &a->account);
    return rc == 0 ? account_by_id(tx, a->account.id, &a->account) : rc;
}
static int call_next(struct tx *tx, void *context)
{
    struct ask *a = context;
    return account_next_due(tx, a->before_ms, a->id, &a->due);
}
static int call_delete(struct tx *tx, void *context)
{
    return account_delete(tx, ((struct ask *)context)->account.id);
}
static int call_find(struct tx *tx, void *context)
{
    struct ask *a = context;
    return account_by_id(tx, a->account.id, &a->account);
}
static int call_create(struct tx *tx, void *context)
{
    return workspace_create(tx, STR("Workspace"), &((struct ask *)context)->workspace);
}
static int call_invite(struct tx *tx, void *context)
{
    struct ask *a = context;
    struct invitation made;
    int64_t member;
    int rc = invitation_make(tx, a->workspace, a->account.email, a->role, STR(""), &made);
    return rc == 0 ? invitation_accept_for(tx, made.id, &a->account, &member) : rc;
}
static int call_admin(struct tx *tx, void *context)
{
    (void)context;
    return identity_create_admin(tx, STR("boss@example.com"), STR_NULL, STR("a token of the boss"));
}
static int call_account(struct tx *tx, void *context)
{
    struct ask *a = context;
    struct person boss;
    int rc = person_by_email(tx, STR("BOSS@example.com"), &boss);
    return rc == 0 ? account_ensure(tx, boss.user, &a->account) : rc;
}

static struct account registered(struct instance *in, const char *email)
{
    struct ask ask = {.text = email};
    assert_int_equal(write_as(in, NULL, call_register, &ask), 0);
    return ask.account;
}

static struct principal *principal_of(struct instance *in, const struct account *a)
{
    AUTO(catalogue_unref) struct catalogue *c = model_catalogue(in->model);
    return principal_user(c, user_row(in, a->user), STR_NULL);
}

static int64_t workspace_of(struct instance *in, const struct account *admin)
{
    AUTO(principal_unref) struct principal *p = principal_of(in, admin);
    struct ask ask = {0};
    assert_int_equal(write_as(in, p, call_create, &ask), 0);
    return ask.workspace;
}

static void admit(struct instance *in, const struct account *admin, int64_t workspace,
                  const struct account *who, enum member_role role)
{
    AUTO(principal_unref) struct principal *p = principal_of(in, admin);
    struct ask ask = {.workspace = workspace, .account = *who, .role = role};
    assert_int_equal(write_as(in, p, call_invite, &ask), 0);
}

static struct account scheduled(struct instance *in, const struct account *who)
{
    struct ask ask = {.account = *who};
    assert_int_equal(write_as(in, NULL, call_schedule, &ask), 0);
    return ask.account;
}

static int64_t next_due(struct instance *in, int64_t before_ms, int64_t after)
{
    struct ask ask = {.before_ms = before_ms, .id = after, .due = -1};
    assert_int_equal(read_as(in, NULL, call_next, &ask), 0);
    return ask.due;
}

static int delete_account(struct instance *in, const struct account *who)
{
    struct ask ask = {.account = *who};
    return write_as(in, NULL, call_delete, &ask);
}

static bool is_there(struct instance *in, int64_t workspace)
{
    AUTO(catalogue_unref) struct catalogue *c = model_catalogue(in->model);
    return catalogue_workspace(c, workspace) != NULL;
}

static void an_account_is_due_from_its_moment_on_and_in_the_order_of_numbers(void **state)
{
    struct instance *in = *state;
    registered(in, "staff@example.com");
    struct account ann = registered(in, "ann@example.com"), bob = registered(in, "bob@example.com");

    assert_int_equal(next_due(in, INT64_MAX, 0), 0);
    bob = scheduled(in, &bob);
    assert_int_equal(next_due(in, bob.deletion_ms - 1, 0), 0);
    assert_int_equal(next_due(in, bob.deletion_ms, 0), bob.id);
    ann = scheduled(in, &ann);
    assert_int_equal(next_due(in, INT64_MAX, 0), ann.id);
    assert_int_equal(next_due(in, INT64_MAX, ann.id), bob.id);
    assert_int_equal(next_due(in, INT64_MAX, bob.id), 0);
}

static void with_an_account_go_the_workspaces_that_nobody_else_manages(void **state)
{
    struct instance *in = *state;
    struct account staff = registered(in, "staff@example.com");
    struct account ann = registered(in, "ann@example.com"), bob = registered(in, "bob@example.com");
    int64_t alone = workspace_of(in, &ann), with_member = workspace_of(in, &ann);
    int64_t with_admin = workspace_of(in, &ann), of_bob = workspace_of(in, &bob);
    int64_t with_leaving = workspace_of(in, &ann);
    admit(in, &ann, with_member, &bob, MEMBER_MEMBER);
    admit(in, &ann, with_admin, &staff, MEMBER_ADMIN);
    admit(in, &bob, of_bob, &ann, MEMBER_MEMBER);
    admit(in, &ann, with_leaving, &bob, MEMBER_ADMIN);
    bob = scheduled(in, &bob);

    assert_int_equal(delete_account(in, &ann), 0);
    assert_false(is_there(in, alone));
    assert_false(is_there(in, with_member));
    assert_true(is_there(in, with_admin));
    assert_true(is_there(in, of_bob));
    assert_true(is_there(in, with_leaving)); /* Bob may come back to it */
    struct ask gone = {.account = ann};
    assert_int_equal(read_as(in, NULL, call_find, &gone), REFUSED);
    assert_int_equal(rows_where(in, SYSTEM_USERS, "id", ann.user).count, 0);

    assert_int_equal(delete_account(in, &bob), 0);
    assert_false(is_there(in, with_leaving));
    assert_false(is_there(in, of_bob));
    assert_true(is_there(in, with_admin));
}

static void the_last_admin_of_the_instance_stays_and_so_does_everything_of_it(void **state)
{
    struct instance *in = *state;
    struct ask boss = {0};
    registered(in, "staff@example.com");
    assert_int_equal(write_as(in, NULL, call_admin, NULL), 0);
    assert_int_equal(write_as(in, NULL, call_account, &boss), 0);
    int64_t own = workspace_of(in, &boss.account);

    assert_int_equal(delete_account(in, &boss.account), REFUSED);
    assert_true(is_there(in, own));
    assert_non_null(user_row(in, boss.account.user));
}

static void the_last_of_the_staff_stays(void **state)
{
    struct instance *in = *state;
    struct account staff = registered(in, "staff@example.com"), ann;

    assert_true(staff.staff);
    ann = registered(in, "ann@example.com");
    assert_int_equal(delete_account(in, &staff), REFUSED);
    assert_str(in->problem.reason, WORKSPACE_LAST_STAFF);
    assert_int_equal(delete_account(in, &ann), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, instance_setup, instance_teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(an_account_is_due_from_its_moment_on_and_in_the_order_of_numbers),
        TEST(with_an_account_go_the_workspaces_that_nobody_else_manages),
        TEST(the_last_admin_of_the_instance_stays_and_so_does_everything_of_it),
        TEST(the_last_of_the_staff_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
