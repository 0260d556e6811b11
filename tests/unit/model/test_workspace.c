#include "unit/model/older.h"
#include "unit/model/people.h"

#include <errno.h>

#include "base/clock.h"
#include "model/copy/copy.h"
#include "model/grid/trash.h"
#include "model/workspace/workspace.h"

/*
 * Workspaces, as people ask for them. A request is written `ASK(in, who, call)`, where `call` is
 * one of the functions below, which take what they need from `in->ask` and leave there what they
 * found.
 */

struct ask {
    int64_t id; /* of whatever is asked for; what was made */
    enum member_role role;
    const char *text; /* name, e-mail, … */
    const int64_t *ids;
    size_t count;
    struct account account;
    struct account_change change;
    struct invitation invitation;
    struct invitation *invitations;
    const struct member *const *members;
    bool flag;
};

static struct ask ask;

#define ASK(in, who, call) write_as((in), (who), call, &ask)
#define assert_asked(in, who, call) assert_int_equal(ASK(in, who, call), 0)
#define assert_wish_refused(in, who, call, word)                                                   \
    do {                                                                                           \
        assert_int_equal(ASK(in, who, call), REFUSED);                                             \
        assert_int_equal((in)->problem.kind, PROBLEM_UNPROCESSABLE);                               \
        assert_str((in)->problem.reason, (word));                                                  \
    } while (0)

/* ---- calls ---- */

#define CALL(name, expression)                                                                     \
    static int name(struct tx *tx, void *context)                                                  \
    {                                                                                              \
        struct ask *a = context;                                                                   \
        return expression;                                                                         \
    }

static int call_register(struct tx *tx, void *context)
{
    struct ask *a = context;
    const struct registration r = {
        .name = STR("Ann"), .email = str_of(a->text), .hash = STR("$argon2id$a-hash")};
    return account_register(tx, &r, &a->account);
}

CALL(call_by_id, account_by_id(tx, a->id, &a->account))
CALL(call_by_user, account_by_user(tx, str_of(a->text), &a->account))
CALL(call_by_email, account_by_email(tx, str_of(a->text), &a->account))
CALL(call_ensure, account_ensure(tx, str_of(a->text), &a->account))
CALL(call_change, account_change(tx, &a->account, &a->change, &a->account))
CALL(call_verify, account_verify_email(tx, &a->account))
CALL(call_set_password, account_set_password(tx, &a->account, str_of(a->text)))
CALL(call_login, account_note_login(tx, &a->account, &a->flag))
CALL(call_schedule, account_schedule_deletion(tx, &a->account))
CALL(call_blacklist, account_blacklist(tx, str_of(a->text), a->id, &a->flag))
CALL(call_is_blacklisted, account_is_blacklisted(tx, str_of(a->text), &a->flag))
CALL(call_list, workspace_list(tx, &a->members, &a->count))
CALL(call_create, workspace_create(tx, str_of(a->text), &a->id))
CALL(call_rename, workspace_rename(tx, a->id, str_of(a->text)))
CALL(call_delete, trash_workspace(tx, a->id))
CALL(call_reorder, workspace_reorder(tx, a->ids, a->count))
CALL(call_leave, workspace_leave(tx, a->id))
CALL(call_set_role, member_set_role(tx, a->id, a->role))
CALL(call_remove, member_remove(tx, a->id))
CALL(call_invite, invitation_make(tx, a->id, str_of(a->text), a->role, STR("Come"), &a->invitation))
CALL(call_invitation, invitation_find(tx, a->id, &a->invitation))
CALL(call_invitations, invitation_list(tx, a->id, &a->invitations, &a->count))
CALL(call_my_invitations, invitation_list_mine(tx, &a->invitations, &a->count))
CALL(call_invitation_role, invitation_set_role(tx, a->id, a->role))
CALL(call_invitation_delete, invitation_delete(tx, a->id))
CALL(call_accept, invitation_accept(tx, a->id, &a->id))
CALL(call_accept_for, invitation_accept_for(tx, a->id, &a->account, &a->id))
CALL(call_reject, invitation_reject(tx, a->id))
CALL(call_application, application_create(tx, a->id, str_of(a->text), APPLICATION_DATABASE, &a->id))
CALL(call_application_rename, application_rename(tx, a->id, str_of(a->text)))
CALL(call_application_delete, trash_application(tx, a->id))
CALL(call_application_reorder, application_reorder(tx, a->id, a->ids, a->count))

static int call_find_application(struct tx *tx, void *context)
{
    const struct application *found;
    const struct ask *a = context;
    return application_find(tx, a->id, &found);
}

static int call_hash(struct tx *tx, void *context)
{
    const struct ask *a = context;
    struct str hash;
    int rc = account_password_hash(tx, &a->account, &hash);
    if (rc == 0)
        assert_true(str_equal(hash, str_of(a->text)));
    return rc;
}

/* Creating tells the request itself of what it made. */
static int call_create_and_look(struct tx *tx, void *context)
{
    struct ask *a = context;
    const struct workspace *w;
    int rc = workspace_create(tx, str_of(a->text), &a->id);
    if (rc == 0)
        rc = workspace_find(tx, a->id, MEMBER_ADMIN, &w);
    if (rc == 0)
        assert_true(str_equal(w->name, str_of(a->text)));
    return rc;
}

static int call_create_and_refuse(struct tx *tx, void *context)
{
    struct ask *a = context;
    int rc = workspace_create(tx, str_of(a->text), &a->id);
    return rc == 0 ? refuse(tx, PROBLEM_UNPROCESSABLE, "after all") : rc;
}

static int call_create_admin(struct tx *tx, void *context)
{
    const struct ask *a = context;
    return identity_create_admin(tx, str_of(a->text), STR_NULL, STR_NULL);
}

/* ---- people ---- */

static struct str registered(struct instance *in, const char *email)
{
    ask = (struct ask){.text = email};
    assert_asked(in, NULL, call_register);
    return ask.account.user;
}

/* Somebody new; the caller's. */
static struct principal *person(struct instance *in, const char *email)
{
    return principal_by_id(in, registered(in, email));
}

static int64_t created(struct instance *in, const struct principal *who, const char *name)
{
    ask = (struct ask){.text = name};
    assert_asked(in, who, call_create);
    return ask.id;
}

static int64_t application_made(struct instance *in, const struct principal *who, int64_t workspace,
                                const char *name)
{
    ask = (struct ask){.id = workspace, .text = name};
    assert_asked(in, who, call_application);
    return ask.id;
}

/* Invites and lets accept; the membership. */
static int64_t joined(struct instance *in, const struct principal *admin, int64_t workspace,
                      const struct principal *who, enum member_role role)
{
    struct str email = system_text(SYSTEM_USERS, who->user_row, "email");
    ask = (struct ask){.id = workspace, .text = arena_z(in->arena, email), .role = role};
    assert_asked(in, admin, call_invite);
    ask.id = ask.invitation.id;
    assert_asked(in, who, call_accept);
    return ask.id;
}

/* Lives until the test's end. */
static const struct catalogue *catalogue(struct instance *in)
{
    struct catalogue *c = model_catalogue(in->model);
    arena_on_free(in->arena, (void (*)(void *))catalogue_unref, c);
    return c;
}

static const struct member *membership(struct instance *in, int64_t workspace,
                                       const struct principal *who)
{
    const struct workspace *w = catalogue_workspace(catalogue(in), workspace);
    return w ? workspace_member(w, who->user) : NULL;
}

/* The last commit's entries of a table. */
static size_t entries(struct instance *in, enum system_table which, enum change_kind kind)
{
    size_t count = 0;
    for (size_t i = 0; in->commit && i < in->commit->count; i++)
        count +=
            system_is(in->commit->changes[i]->table, which) && in->commit->changes[i]->kind == kind;
    return count;
}

static int find_text(void *context, const struct journal_entry *e)
{
    const char *text = context;
    bool has = str_contains(e->before, str_of(text)) || str_contains(e->after, str_of(text)) ||
               str_contains(e->key, str_of(text));
    return has ? 1 : 0;
}

static int look_in_journal(struct tx *tx, void *context)
{
    return journal_read(tx->store, 0, -1, find_text, context);
}

static bool journal_tells(struct instance *in, const char *text)
{
    char copy[128];
    snprintf(copy, sizeof(copy), "%s", text);
    return read_as(in, NULL, look_in_journal, copy) == 1;
}

/* ---- first start ---- */

static void the_first_start_makes_a_workspace_with_a_database(void **state)
{
    struct instance *in = *state;
    const struct workspace *w = catalogue_workspace(catalogue(in), DEFAULT_WORKSPACE);

    assert_non_null(w);
    assert_int_equal(w->member_count, 0);
    assert_int_equal(w->application_count, 1);
    assert_int_equal(w->applications[0]->id, DEFAULT_APPLICATION);
    assert_int_equal(w->applications[0]->order, 1);
    assert_true(str_equal(w->applications[0]->type, APPLICATION_DATABASE));
    assert_ptr_equal(w->applications[0]->workspace, w);
    assert_true(journal_tells(in, "Workspace"));
    assert_int_equal(state_of(in).format, 3);
    assert_null(catalogue_workspace(catalogue(in), 2));
    assert_null(catalogue_application(catalogue(in), 2));
    assert_null(catalogue_member(catalogue(in), 1));
}

static void the_first_admin_manages_the_default_workspace(void **state)
{
    struct instance *in = *state;

    ask = (struct ask){.text = "root@example.com"};
    assert_asked(in, NULL, call_create_admin);
    const struct workspace *w = catalogue_workspace(catalogue(in), DEFAULT_WORKSPACE);
    assert_int_equal(w->member_count, 1);
    assert_int_equal(w->members[0]->role, MEMBER_ADMIN);
    assert_str(w->members[0]->email, "root@example.com");
    ask.id = w->members[0]->account;
    assert_asked(in, NULL, call_by_id);
    assert_true(ask.account.staff);

    ask = (struct ask){.text = "other@example.com"};
    assert_asked(in, NULL, call_create_admin);
    w = catalogue_workspace(catalogue(in), DEFAULT_WORKSPACE);
    assert_int_equal(w->member_count, 1);
}

static void the_first_admin_is_admitted_at_a_later_start_too(void **state)
{
    struct instance *in = *state;
    struct system_rows roles = rows_where(in, SYSTEM_ROLES, "name", STR("Administrator"));

    assert_int_equal(roles.count, 1);
    struct str id = user_with(in, system_text(SYSTEM_ROLES, roles.at[0], "id"), "late@example.com");
    assert_int_equal(catalogue_workspace(catalogue(in), DEFAULT_WORKSPACE)->member_count, 0);
    instance_stop(in);
    instance_start(in);
    const struct workspace *w = catalogue_workspace(catalogue(in), DEFAULT_WORKSPACE);
    assert_int_equal(w->member_count, 1);
    assert_true(str_equal(w->members[0]->user, id));
    int64_t commits = state_of(in).commits;
    instance_stop(in);
    instance_start(in);
    assert_int_equal(state_of(in).commits, commits);
}

/* ---- accounts ---- */

static void who_registers_first_is_staff(void **state)
{
    struct instance *in = *state;

    ask = (struct ask){.text = "  Ann@Example.COM "};
    assert_asked(in, NULL, call_register);
    assert_int_equal(entries(in, SYSTEM_USERS, CHANGE_CREATE), 1);
    assert_int_equal(entries(in, SYSTEM_ACCOUNTS, CHANGE_CREATE), 1);
    assert_false(journal_tells(in, "a-hash"));
    const struct account ann = ask.account;
    assert_true(ann.staff && ann.active);
    assert_false(ann.verified || ann.onboarded);
    assert_str(ann.email, "ann@example.com");
    assert_str(ann.name, "Ann");
    assert_str(ann.language, "en");
    assert_str(ann.notification_frequency, "instant");
    assert_true(json_is_array(ann.tours) && json_array_size(ann.tours) == 0);
    assert_int_equal(ann.password_changed_ms, 0);
    assert_int_equal(ann.deletion_ms, 0);
    ask.text = "$argon2id$a-hash";
    assert_asked(in, NULL, call_hash);

    ask = (struct ask){.text = "bob@example.com"};
    assert_asked(in, NULL, call_register);
    assert_false(ask.account.staff);
    assert_true(ask.account.id > ann.id);
    ask.text = "ANN@example.com";
    assert_wish_refused(in, NULL, call_register, WORKSPACE_EMAIL_TAKEN);
}

static void an_account_is_found_by_number_user_and_e_mail(void **state)
{
    struct instance *in = *state;
    struct str user = registered(in, "ann@example.com");
    int64_t id = ask.account.id;

    ask = (struct ask){.id = id};
    assert_asked(in, NULL, call_by_id);
    assert_true(str_equal(ask.account.user, user));
    ask = (struct ask){.text = arena_z(in->arena, user)};
    assert_asked(in, NULL, call_by_user);
    assert_int_equal(ask.account.id, id);
    ask = (struct ask){.text = "\tANN@EXAMPLE.com"};
    assert_asked(in, NULL, call_by_email);
    assert_int_equal(ask.account.id, id);

    ask = (struct ask){.id = id + 1};
    assert_wish_refused(in, NULL, call_by_id, WORKSPACE_NO_USER);
    ask.text = "no uuid";
    assert_wish_refused(in, NULL, call_by_user, WORKSPACE_NO_USER);
    assert_wish_refused(in, NULL, call_ensure, WORKSPACE_NO_USER);
    ask.text = "00000000-0000-4000-8000-000000000000";
    assert_wish_refused(in, NULL, call_by_user, WORKSPACE_NO_USER);
    assert_wish_refused(in, NULL, call_ensure, WORKSPACE_NO_USER);
    ask.text = "nobody@example.com";
    assert_wish_refused(in, NULL, call_by_email, WORKSPACE_NO_USER);
    ask.text = "";
    assert_wish_refused(in, NULL, call_by_email, WORKSPACE_NO_USER);
}

static void a_user_of_another_dialect_gets_an_account_when_it_comes(void **state)
{
    struct instance *in = *state;
    static const struct {
        const char *user, *name;
    } people[] = {
        {"{'email':'Cy@Example.com','first_name':'Cy','last_name':'Dee'}", "Cy Dee"},
        {"{'email':'dan@example.com','first_name':' Dan '}", "Dan"},
        {"{'email':'eve@example.com','last_name':'Eve','first_name':''}", "Eve"},
        {"{'email':'fay@example.com'}", "fay@example.com"},
    };

    for (size_t i = 0; i < COUNT_OF(people); i++) {
        struct str id = create(in, "directus_users", "%s", people[i].user);
        ask = (struct ask){.text = arena_z(in->arena, id)};
        assert_wish_refused(in, NULL, call_by_user, WORKSPACE_NO_USER);
        assert_asked(in, NULL, call_ensure);
        assert_str(ask.account.name, people[i].name);
        assert_false(ask.account.staff);
        int64_t number = ask.account.id;
        assert_asked(in, NULL, call_ensure);
        assert_int_equal(ask.account.id, number);
        assert_null(in->commit); /* nothing more to make */
    }
}

static void settings_change_one_by_one(void **state)
{
    struct instance *in = *state;
    char name[152];

    registered(in, "ann@example.com");
    assert_int_equal(try_update(in, NULL, "directus_users", ask.account.user, "{'last_name':'Bo'}"),
                     0);
    ask.change = (struct account_change){.onboarded = -1};
    assert_asked(in, NULL, call_change);
    assert_null(in->commit);
    assert_str(ask.account.name, "Ann Bo");

    ask.change.name = STR("Ann Cee");
    assert_asked(in, NULL, call_change);
    assert_str(ask.account.name, "Ann Cee");
    assert_true(
        value_is_null(&user_row(in, ask.account.user)[system_column(SYSTEM_USERS, "last_name")]));
    assert_str(ask.account.language, "en");

    ask.change = (struct account_change){.language = STR("de"),
                                         .notification_frequency = STR("weekly"),
                                         .onboarded = 1,
                                         .tours = json_of(in, "[\"grid\",\"side\"]")};
    assert_asked(in, NULL, call_change);
    assert_str(ask.account.language, "de");
    assert_str(ask.account.notification_frequency, "weekly");
    assert_true(ask.account.onboarded);
    assert_int_equal(json_array_size(ask.account.tours), 2);
    ask.change = (struct account_change){.onboarded = 0};
    assert_asked(in, NULL, call_change);
    assert_false(ask.account.onboarded);
    assert_str(ask.account.language, "de");

    memset(name, 'n', sizeof(name));
    ask.change = (struct account_change){.name = {name, 150}, .onboarded = -1};
    assert_asked(in, NULL, call_change);
    assert_int_equal(ask.account.name.len, 150);
    ask.change.name.len = 151;
    assert_int_equal(ASK(in, NULL, call_change), REFUSED);
    assert_int_equal(in->problem.kind, PROBLEM_VALUE_OUT_OF_RANGE);

    assert_asked(in, NULL, call_verify);
    ask.id = ask.account.id;
    assert_asked(in, NULL, call_by_id);
    assert_true(ask.account.verified);
    assert_asked(in, NULL, call_verify);
    assert_null(in->commit);
}

static void a_new_password_is_told_by_its_moment_whoever_sets_it(void **state)
{
    struct instance *in = *state;

    registered(in, "ann@example.com");
    ask.id = ask.account.id;
    ask.text = "$argon2id$another-hash";
    assert_asked(in, NULL, call_set_password);
    assert_asked(in, NULL, call_hash);
    assert_asked(in, NULL, call_by_id);
    int64_t first = ask.account.password_changed_ms;
    assert_true(first > 0);
    assert_false(journal_tells(in, "another-hash"));

    assert_int_equal(
        try_update(in, NULL, "directus_users", ask.account.user, "{'password':'secret'}"), 0);
    assert_int_equal(entries(in, SYSTEM_ACCOUNTS, CHANGE_UPDATE), 1);
    assert_asked(in, NULL, call_by_id);
    assert_true(ask.account.password_changed_ms >= first);
    assert_int_equal(try_update(in, NULL, "directus_users", ask.account.user, "{'title':'Dr'}"), 0);
    assert_int_equal(entries(in, SYSTEM_ACCOUNTS, CHANGE_UPDATE), 0);
}

static void who_leaves_may_come_back_but_the_last_of_the_staff_may_not_go(void **state)
{
    struct instance *in = *state;
    AUTO(principal_unref) struct principal *ann = person(in, "ann@example.com");
    struct account staff = ask.account;
    int64_t workspace = created(in, ann, "Acme");
    AUTO(principal_unref) struct principal *bob = person(in, "bob@example.com");
    struct account other = ask.account;
    joined(in, ann, workspace, bob, MEMBER_MEMBER);

    ask.account = staff;
    assert_wish_refused(in, ann, call_schedule, WORKSPACE_LAST_STAFF);
    ask.account = other;
    assert_asked(in, bob, call_schedule);
    assert_true(membership(in, workspace, bob)->leaving);
    ask.id = other.id;
    assert_asked(in, NULL, call_by_id);
    assert_true(ask.account.deletion_ms > 0);

    assert_asked(in, bob, call_login);
    assert_true(ask.flag);
    assert_false(membership(in, workspace, bob)->leaving);
    assert_asked(in, NULL, call_by_id);
    assert_int_equal(ask.account.deletion_ms, 0);
    assert_asked(in, bob, call_login);
    assert_false(ask.flag);
    assert_true(system_text(SYSTEM_USERS, user_row(in, bob->user), "last_access").at != NULL);
}

static void tokens_that_were_given_back_are_remembered_until_they_expire(void **state)
{
    struct instance *in = *state;
    const int64_t far = CLOCK_MS_MAX;

    ask = (struct ask){.text = "a-token", .id = far};
    assert_asked(in, NULL, call_is_blacklisted);
    assert_false(ask.flag);
    assert_asked(in, NULL, call_blacklist);
    assert_false(ask.flag);
    assert_false(journal_tells(in, "a-token"));
    assert_asked(in, NULL, call_is_blacklisted);
    assert_true(ask.flag);
    ask.flag = false;
    assert_asked(in, NULL, call_blacklist);
    assert_true(ask.flag);

    ask = (struct ask){.text = "an old token", .id = 1000};
    assert_asked(in, NULL, call_blacklist);
    assert_int_equal(rows_where(in, SYSTEM_BLACKLIST, NULL, STR_NULL).count, 2);
    ask = (struct ask){.text = "a third", .id = far};
    assert_asked(in, NULL, call_blacklist);
    assert_int_equal(rows_where(in, SYSTEM_BLACKLIST, NULL, STR_NULL).count, 2);
    ask.text = "an old token";
    assert_asked(in, NULL, call_is_blacklisted);
    assert_false(ask.flag);
    ask.text = "a-token";
    assert_asked(in, NULL, call_is_blacklisted);
    assert_true(ask.flag);
}

/* ---- workspaces ---- */

static void a_workspace_belongs_to_who_made_it(void **state)
{
    struct instance *in = *state;
    AUTO(principal_unref) struct principal *ann = person(in, "ann@example.com");
    AUTO(principal_unref) struct principal *bob = person(in, "bob@example.com");

    ask = (struct ask){.text = "Acme"};
    assert_asked(in, ann, call_create_and_look);
    int64_t id = ask.id;
    assert_int_equal(id, 2);
    assert_int_equal(entries(in, SYSTEM_WORKSPACES, CHANGE_CREATE), 1);
    assert_int_equal(entries(in, SYSTEM_MEMBERS, CHANGE_CREATE), 1);
    const struct member *m = membership(in, id, ann);
    assert_int_equal(m->role, MEMBER_ADMIN);
    assert_int_equal(m->order, 1);
    assert_str(m->name, "Ann");
    assert_true(m->active && m->created_on.len > 0);
    assert_ptr_equal(catalogue_member(catalogue(in), m->id)->workspace,
                     catalogue_workspace(catalogue(in), id));
    assert_wish_refused(in, NULL, call_create, WORKSPACE_NO_USER);

    ask = (struct ask){.id = id, .text = "Acme Ltd"};
    assert_asked(in, ann, call_rename);
    assert_str(catalogue_workspace(catalogue(in), id)->name, "Acme Ltd");
    assert_wish_refused(in, bob, call_rename, WORKSPACE_NOT_MEMBER);
    assert_wish_refused(in, NULL, call_rename, WORKSPACE_NOT_MEMBER);
    joined(in, ann, id, bob, MEMBER_MEMBER);
    ask = (struct ask){.id = id, .text = "Bobs"};
    assert_wish_refused(in, bob, call_rename, WORKSPACE_NOT_ADMIN);
    assert_wish_refused(in, bob, call_delete, WORKSPACE_NOT_ADMIN);
    ask.id = 99;
    assert_wish_refused(in, ann, call_rename, WORKSPACE_NONE);
    assert_wish_refused(in, ann, call_delete, WORKSPACE_NONE);
    assert_wish_refused(in, ann, call_leave, WORKSPACE_NONE);
}

static void a_workspace_in_the_trash_takes_along_what_it_has_and_its_number(void **state)
{
    struct instance *in = *state;
    AUTO(principal_unref) struct principal *ann = person(in, "ann@example.com");
    AUTO(principal_unref) struct principal *bob = person(in, "bob@example.com");
    int64_t id = created(in, ann, "Acme");
    int64_t application = application_made(in, ann, id, "CRM");
    int64_t member = joined(in, ann, id, bob, MEMBER_ADMIN);
    ask = (struct ask){.id = id, .text = "cy@example.com"};
    assert_asked(in, ann, call_invite);
    int64_t invitation = ask.invitation.id;

    ask = (struct ask){.id = id};
    assert_asked(in, bob, call_delete);
    assert_int_equal(entries(in, SYSTEM_WORKSPACES, CHANGE_UPDATE), 1);
    assert_int_equal(entries(in, SYSTEM_TRASH, CHANGE_CREATE), 1);
    assert_null(catalogue_workspace(catalogue(in), id));
    assert_null(catalogue_application(catalogue(in), application));
    assert_null(catalogue_member(catalogue(in), member));
    ask.id = invitation;
    assert_wish_refused(in, ann, call_invitation, WORKSPACE_NO_INVITATION);

    instance_stop(in);
    instance_start(in);
    AUTO(principal_unref) struct principal *again = principal_by_id(in, ann->user);
    int64_t next = created(in, again, "Next");
    assert_true(next > id);
    assert_true(application_made(in, again, next, "CRM") > application);
    assert_true(membership(in, next, again)->id > member);
}

static void what_was_refused_leaves_no_workspace(void **state)
{
    struct instance *in = *state;
    AUTO(principal_unref) struct principal *ann = person(in, "ann@example.com");

    ask = (struct ask){.text = "Acme"};
    assert_int_equal(ASK(in, ann, call_create_and_refuse), REFUSED);
    assert_null(catalogue_workspace(catalogue(in), ask.id));
    assert_asked(in, ann, call_list);
    assert_int_equal(ask.count, 0);
}

static void assert_places(struct instance *in, const struct principal *who, const int64_t *expected,
                          size_t count)
{
    size_t found;
    const struct member *const *mine = catalogue_memberships(catalogue(in), who->user, &found);
    assert_int_equal(found, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(mine[i]->workspace->id, expected[i]);
        assert_int_equal(mine[i]->order, i + 1);
    }
}

static void workspaces_are_ordered_by_each_member_for_itself(void **state)
{
    struct instance *in = *state;
    AUTO(principal_unref) struct principal *ann = person(in, "ann@example.com");
    AUTO(principal_unref) struct principal *bob = person(in, "bob@example.com");
    int64_t own = created(in, bob, "Own");
    int64_t w[4];

    for (size_t i = 0; i < COUNT_OF(w); i++) {
        w[i] = created(in, ann, "Acme");
        joined(in, ann, w[i], bob, MEMBER_MEMBER);
    }
    assert_places(in, ann, w, 4);
    assert_places(in, bob, (int64_t[]){own, w[0], w[1], w[2], w[3]}, 5);

    /* The last and the second change places; what is not listed, or not theirs, stays. */
    ask = (struct ask){.ids = (int64_t[]){w[3], own, w[1], w[3], 99}, .count = 5};
    assert_asked(in, ann, call_reorder);
    assert_int_equal(entries(in, SYSTEM_MEMBERS, CHANGE_UPDATE), 2);
    assert_places(in, ann, (int64_t[]){w[0], w[3], w[2], w[1]}, 4);
    assert_places(in, bob, (int64_t[]){own, w[0], w[1], w[2], w[3]}, 5);
    assert_asked(in, ann, call_list);
    assert_int_equal(ask.count, 4);

    ask = (struct ask){.ids = (int64_t[]){w[2], w[3], w[1], w[0]}, .count = 4};
    assert_asked(in, ann, call_reorder);
    assert_places(in, ann, (int64_t[]){w[2], w[3], w[1], w[0]}, 4);
    ask = (struct ask){0};
    assert_asked(in, ann, call_reorder);
    assert_null(in->commit);
}

/* ---- members ---- */

static void only_admins_manage_members(void **state)
{
    struct instance *in = *state;
    AUTO(principal_unref) struct principal *ann = person(in, "ann@example.com");
    AUTO(principal_unref) struct principal *bob = person(in, "bob@example.com");
    AUTO(principal_unref) struct principal *cy = person(in, "cy@example.com");
    int64_t id = created(in, ann, "Acme");
    int64_t bobs = joined(in, ann, id, bob, MEMBER_MEMBER);
    int64_t anns = membership(in, id, ann)->id;

    ask = (struct ask){.id = bobs, .role = MEMBER_ADMIN};
    assert_wish_refused(in, bob, call_set_role, WORKSPACE_NOT_ADMIN);
    assert_wish_refused(in, bob, call_remove, WORKSPACE_NOT_ADMIN);
    assert_wish_refused(in, cy, call_set_role, WORKSPACE_NOT_MEMBER);
    assert_wish_refused(in, cy, call_remove, WORKSPACE_NOT_MEMBER);
    ask.id = 99;
    assert_wish_refused(in, ann, call_set_role, WORKSPACE_NO_MEMBER);
    assert_wish_refused(in, ann, call_remove, WORKSPACE_NO_MEMBER);

    ask.id = bobs;
    assert_asked(in, ann, call_set_role);
    assert_int_equal(membership(in, id, bob)->role, MEMBER_ADMIN);
    ask.id = anns;
    assert_wish_refused(in, ann, call_remove, WORKSPACE_YOURSELF);
    assert_asked(in, bob, call_remove);
    assert_int_equal(entries(in, SYSTEM_MEMBERS, CHANGE_DELETE), 1);
    assert_null(membership(in, id, ann));
    ask = (struct ask){.id = id};
    assert_wish_refused(in, ann, call_leave, WORKSPACE_NOT_MEMBER);
}

static void the_last_admin_stays_one(void **state)
{
    struct instance *in = *state;
    AUTO(principal_unref) struct principal *ann = person(in, "ann@example.com");
    AUTO(principal_unref) struct principal *bob = person(in, "bob@example.com");
    struct account bobs_account = ask.account;
    int64_t id = created(in, ann, "Acme");
    int64_t bobs = joined(in, ann, id, bob, MEMBER_MEMBER);
    int64_t anns = membership(in, id, ann)->id;

    ask = (struct ask){.id = anns, .role = MEMBER_MEMBER};
    assert_wish_refused(in, ann, call_set_role, WORKSPACE_LAST_ADMIN);
    ask.id = id;
    assert_wish_refused(in, ann, call_leave, WORKSPACE_LAST_ADMIN);

    /* An admin who is about to go, or may not come, is none that counts. */
    ask = (struct ask){.id = bobs, .role = MEMBER_ADMIN, .account = bobs_account};
    assert_asked(in, ann, call_set_role);
    assert_asked(in, bob, call_schedule);
    ask.id = id;
    assert_wish_refused(in, ann, call_leave, WORKSPACE_LAST_ADMIN);
    ask.id = ask.account.id;
    assert_asked(in, bob, call_by_id);
    assert_asked(in, bob, call_login);
    assert_int_equal(try_update(in, NULL, "directus_users", bob->user, "{'status':'suspended'}"),
                     0);
    ask.id = id;
    assert_wish_refused(in, ann, call_leave, WORKSPACE_LAST_ADMIN);
    assert_int_equal(try_update(in, NULL, "directus_users", bob->user, "{'status':'active'}"), 0);
    assert_asked(in, ann, call_leave);
    assert_null(membership(in, id, ann));
    assert_non_null(membership(in, id, bob));
}

static void who_is_deleted_leaves_its_workspaces(void **state)
{
    struct instance *in = *state;
    AUTO(principal_unref) struct principal *ann = person(in, "ann@example.com");
    AUTO(principal_unref) struct principal *bob = person(in, "bob@example.com");
    int64_t account = ask.account.id;
    int64_t id = created(in, ann, "Acme");
    joined(in, ann, id, bob, MEMBER_ADMIN);
    ask = (struct ask){.id = id, .text = "cy@example.com"};
    assert_asked(in, bob, call_invite);
    int64_t invitation = ask.invitation.id;

    assert_int_equal(try_delete(in, NULL, "directus_users", bob->user), 0);
    assert_int_equal(entries(in, SYSTEM_ACCOUNTS, CHANGE_DELETE), 1);
    assert_int_equal(entries(in, SYSTEM_MEMBERS, CHANGE_DELETE), 1);
    assert_int_equal(entries(in, SYSTEM_INVITATIONS, CHANGE_UPDATE), 1);
    assert_null(membership(in, id, bob));
    assert_int_equal(catalogue_workspace(catalogue(in), id)->member_count, 1);
    ask = (struct ask){.id = invitation};
    assert_asked(in, ann, call_invitation);
    assert_str(ask.invitation.invited_by, "");
    registered(in, "dan@example.com");
    assert_true(ask.account.id > account);
}

static void a_members_name_follows_its_user(void **state)
{
    struct instance *in = *state;
    AUTO(principal_unref) struct principal *ann = person(in, "ann@example.com");
    int64_t id = created(in, ann, "Acme");

    assert_int_equal(try_update(in, NULL, "directus_users", ann->user,
                                "{'first_name':'Anna','last_name':'Bee','email':'a@b.example'}"),
                     0);
    assert_str(membership(in, id, ann)->name, "Anna Bee");
    assert_str(membership(in, id, ann)->email, "a@b.example");
    assert_int_equal(try_update(in, NULL, "directus_users", ann->user, "{'status':'archived'}"), 0);
    assert_false(membership(in, id, ann)->active);
}

/* ---- invitations ---- */

static void an_invitation_is_for_one_e_mail_and_gone_when_it_is_accepted(void **state)
{
    struct instance *in = *state;
    AUTO(principal_unref) struct principal *ann = person(in, "ann@example.com");
    AUTO(principal_unref) struct principal *bob = person(in, "bob@example.com");
    int64_t id = created(in, ann, "Acme");

    ask = (struct ask){.id = id, .text = " BOB@example.com", .role = MEMBER_MEMBER};
    assert_asked(in, ann, call_invite);
    const struct invitation first = ask.invitation;
    assert_str(first.email, "bob@example.com");
    assert_str(first.workspace_name, "Acme");
    assert_str(first.invited_by, "Ann");
    assert_str(first.message, "Come");
    assert_true(str_equal(first.user, bob->user));
    assert_int_equal(first.workspace, id);
    ask.role = MEMBER_ADMIN;
    assert_asked(in, ann, call_invite);
    assert_int_equal(ask.invitation.id, first.id);
    assert_int_equal(ask.invitation.role, MEMBER_ADMIN);
    assert_str(ask.invitation.created_on, arena_z(in->arena, first.created_on));
    assert_int_equal(entries(in, SYSTEM_INVITATIONS, CHANGE_UPDATE), 1);

    ask.id = first.id;
    assert_wish_refused(in, ann, call_accept, WORKSPACE_OTHER_EMAIL);
    assert_wish_refused(in, ann, call_reject, WORKSPACE_OTHER_EMAIL);
    assert_asked(in, bob, call_my_invitations);
    assert_int_equal(ask.count, 1);
    assert_int_equal(ask.invitations[0].id, first.id);
    assert_asked(in, bob, call_accept);
    assert_int_equal(entries(in, SYSTEM_INVITATIONS, CHANGE_DELETE), 1);
    assert_int_equal(entries(in, SYSTEM_MEMBERS, CHANGE_CREATE), 1);
    assert_int_equal(membership(in, id, bob)->id, ask.id);
    assert_int_equal(membership(in, id, bob)->role, MEMBER_ADMIN);
    ask.id = first.id;
    assert_wish_refused(in, bob, call_accept, WORKSPACE_NO_INVITATION);
    assert_wish_refused(in, bob, call_reject, WORKSPACE_NO_INVITATION);
    ask = (struct ask){.id = id, .text = "Bob@Example.com"};
    assert_wish_refused(in, ann, call_invite, WORKSPACE_ALREADY_MEMBER);
}

static void invitations_are_managed_by_admins(void **state)
{
    struct instance *in = *state;
    AUTO(principal_unref) struct principal *ann = person(in, "ann@example.com");
    AUTO(principal_unref) struct principal *bob = person(in, "bob@example.com");
    int64_t id = created(in, ann, "Acme");

    ask = (struct ask){.id = id, .text = "cy@example.com"};
    assert_wish_refused(in, bob, call_invite, WORKSPACE_NOT_MEMBER);
    assert_wish_refused(in, bob, call_invitations, WORKSPACE_NOT_MEMBER);
    joined(in, ann, id, bob, MEMBER_MEMBER);
    ask = (struct ask){.id = id, .text = "cy@example.com"};
    assert_wish_refused(in, bob, call_invite, WORKSPACE_NOT_ADMIN);
    assert_asked(in, ann, call_invite);
    int64_t invitation = ask.invitation.id;
    assert_false(ask.invitation.user.at != NULL);
    assert_wish_refused(in, bob, call_invitations, WORKSPACE_NOT_ADMIN);
    assert_asked(in, ann, call_invitations);
    assert_int_equal(ask.count, 1);

    ask = (struct ask){.id = invitation, .role = MEMBER_ADMIN};
    assert_wish_refused(in, bob, call_invitation_role, WORKSPACE_NOT_ADMIN);
    assert_wish_refused(in, bob, call_invitation_delete, WORKSPACE_NOT_ADMIN);
    assert_asked(in, ann, call_invitation_role);
    assert_asked(in, bob, call_invitation); /* anybody who knows its number */
    assert_int_equal(ask.invitation.role, MEMBER_ADMIN);
    assert_asked(in, ann, call_invitation_delete);
    assert_wish_refused(in, ann, call_invitation, WORKSPACE_NO_INVITATION);
    assert_wish_refused(in, ann, call_invitation_role, WORKSPACE_NO_INVITATION);
    assert_wish_refused(in, ann, call_invitation_delete, WORKSPACE_NO_INVITATION);
    ask = (struct ask){.id = 99, .text = "cy@example.com"};
    assert_wish_refused(in, ann, call_invite, WORKSPACE_NONE);
    assert_asked(in, NULL, call_my_invitations);
    assert_int_equal(ask.count, 0);
}

static void who_registers_may_accept_at_once_and_who_declines_does_not_come(void **state)
{
    struct instance *in = *state;
    AUTO(principal_unref) struct principal *ann = person(in, "ann@example.com");
    int64_t id = created(in, ann, "Acme");

    ask = (struct ask){.id = id, .text = "cy@example.com", .role = MEMBER_MEMBER};
    assert_asked(in, ann, call_invite);
    int64_t invitation = ask.invitation.id;
    AUTO(principal_unref) struct principal *cy = person(in, "Cy@example.com");
    ask.id = invitation;
    assert_asked(in, NULL, call_accept_for);
    assert_int_equal(membership(in, id, cy)->id, ask.id);

    ask = (struct ask){.id = id, .text = "dan@example.com"};
    assert_asked(in, ann, call_invite);
    invitation = ask.invitation.id;
    AUTO(principal_unref) struct principal *dan = person(in, "dan@example.com");
    ask.id = invitation;
    assert_asked(in, dan, call_reject);
    assert_null(membership(in, id, dan));
    assert_wish_refused(in, dan, call_invitation, WORKSPACE_NO_INVITATION);
}

static void who_came_meanwhile_stays_what_it_is(void **state)
{
    struct instance *in = *state;
    AUTO(principal_unref) struct principal *ann = person(in, "ann@example.com");
    AUTO(principal_unref) struct principal *bob = person(in, "bob@example.com");
    int64_t id = created(in, ann, "Acme");

    ask = (struct ask){.id = id, .text = "other@example.com", .role = MEMBER_ADMIN};
    assert_asked(in, ann, call_invite);
    int64_t invitation = ask.invitation.id;
    int64_t member = joined(in, ann, id, bob, MEMBER_MEMBER);
    assert_int_equal(
        try_update(in, NULL, "directus_users", bob->user, "{'email':'other@example.com'}"), 0);
    AUTO(principal_unref) struct principal *moved = principal_by_id(in, bob->user);
    ask = (struct ask){.id = invitation};
    assert_asked(in, moved, call_accept);
    assert_int_equal(ask.id, member);
    assert_int_equal(membership(in, id, bob)->role, MEMBER_MEMBER);
    assert_int_equal(catalogue_workspace(catalogue(in), id)->member_count, 2);
}

/* ---- applications ---- */

static void every_member_makes_applications_and_nobody_else(void **state)
{
    struct instance *in = *state;
    AUTO(principal_unref) struct principal *ann = person(in, "ann@example.com");
    AUTO(principal_unref) struct principal *bob = person(in, "bob@example.com");
    AUTO(principal_unref) struct principal *cy = person(in, "cy@example.com");
    int64_t id = created(in, ann, "Acme");
    joined(in, ann, id, bob, MEMBER_MEMBER);
    int64_t made = application_made(in, bob, id, "CRM");

    assert_int_equal(entries(in, SYSTEM_APPLICATIONS, CHANGE_CREATE), 1);
    assert_str(catalogue_application(catalogue(in), made)->name, "CRM");
    ask = (struct ask){.id = made, .text = "Customers"};
    assert_asked(in, bob, call_find_application);
    assert_wish_refused(in, cy, call_find_application, WORKSPACE_NOT_MEMBER);
    assert_wish_refused(in, cy, call_application_rename, WORKSPACE_NOT_MEMBER);
    assert_wish_refused(in, cy, call_application_delete, WORKSPACE_NOT_MEMBER);
    assert_asked(in, ann, call_application_rename);
    assert_str(catalogue_application(catalogue(in), made)->name, "Customers");
    assert_asked(in, bob, call_application_delete);
    assert_int_equal(entries(in, SYSTEM_TRASH, CHANGE_CREATE), 1);
    assert_wish_refused(in, bob, call_find_application, WORKSPACE_NO_APPLICATION);
    assert_wish_refused(in, bob, call_application_rename, WORKSPACE_NO_APPLICATION);
    assert_wish_refused(in, bob, call_application_delete, WORKSPACE_NO_APPLICATION);
    ask.id = id;
    assert_wish_refused(in, cy, call_application, WORKSPACE_NOT_MEMBER);
    ask.id = 99;
    assert_wish_refused(in, ann, call_application, WORKSPACE_NONE);
    assert_true(application_made(in, ann, id, "Next") > made);
}

static void assert_application_order(struct instance *in, int64_t workspace,
                                     const int64_t *expected, size_t count)
{
    const struct workspace *w = catalogue_workspace(catalogue(in), workspace);
    assert_int_equal(w->application_count, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(w->applications[i]->id, expected[i]);
        assert_int_equal(w->applications[i]->order, i + 1);
    }
}

static void applications_are_ordered_for_all(void **state)
{
    struct instance *in = *state;
    AUTO(principal_unref) struct principal *ann = person(in, "ann@example.com");
    AUTO(principal_unref) struct principal *bob = person(in, "bob@example.com");
    int64_t id = created(in, ann, "Acme"), other = created(in, ann, "Other");
    int64_t a[3];
    int64_t foreign = application_made(in, ann, other, "Foreign");

    for (size_t i = 0; i < COUNT_OF(a); i++)
        a[i] = application_made(in, ann, id, "CRM");
    assert_application_order(in, id, a, 3);
    ask = (struct ask){.id = id, .ids = (int64_t[]){a[2], a[0]}, .count = 2};
    assert_asked(in, ann, call_application_reorder);
    assert_application_order(in, id, (int64_t[]){a[2], a[1], a[0]}, 3);
    assert_application_order(in, other, &foreign, 1);
    ask.ids = (int64_t[]){a[0], foreign};
    assert_wish_refused(in, ann, call_application_reorder, WORKSPACE_FOREIGN_APPLICATION);
    ask.ids = (int64_t[]){a[0], 99};
    assert_wish_refused(in, ann, call_application_reorder, WORKSPACE_FOREIGN_APPLICATION);
    assert_wish_refused(in, bob, call_application_reorder, WORKSPACE_NOT_MEMBER);

    /* A gap that a deletion left is closed by the next order. */
    ask = (struct ask){.id = a[1]};
    assert_asked(in, ann, call_application_delete);
    ask = (struct ask){.id = id, .ids = (int64_t[]){a[0]}, .count = 1};
    assert_asked(in, ann, call_application_reorder);
    assert_application_order(in, id, (int64_t[]){a[2], a[0]}, 2);
}

/* ---- beside the other dialect ---- */

static int write_relations(struct tx *tx, void *context)
{
    return schema_write_relations(tx, STR_NULL, context);
}

static void no_other_dialect_is_told_of_these_tables(void **state)
{
    struct instance *in = *state;
    struct buf text;

    buf_init(&text, SIZE_MAX);
    assert_int_equal(read_as(in, NULL, write_relations, &text), 0);
    assert_true(str_contains(buf_str(&text), STR("directus_users")));
    assert_false(str_contains(buf_str(&text), STR("rowcast_members")));
    assert_false(str_contains(buf_str(&text), STR("rowcast_accounts")));
    buf_deinit(&text);
    assert_null(catalogue_table(catalogue(in), STR("rowcast_workspaces")));
    assert_null(system_find(STR("rowcast_workspaces")));
}

static void roles_have_their_names(void **state)
{
    enum member_role role;

    (void)state;
    assert_string_equal(member_role_name(MEMBER_ADMIN), "ADMIN");
    assert_string_equal(member_role_name(MEMBER_MEMBER), "MEMBER");
    assert_true(member_role_find(STR("ADMIN"), &role) && role == MEMBER_ADMIN);
    assert_true(member_role_find(STR("MEMBER"), &role) && role == MEMBER_MEMBER);
    assert_false(member_role_find(STR("admin"), &role));
    assert_false(member_role_find(STR_NULL, &role));
}

/* ---- a copy ---- */

static void a_copy_goes_on_with_the_numbers(void **state)
{
    struct instance *in = *state;
    AUTO(principal_unref) struct principal *ann = person(in, "ann@example.com");
    int64_t kept = created(in, ann, "Kept"), gone = created(in, ann, "Gone");
    struct database other, own = in->database;

    ask = (struct ask){.id = gone};
    assert_asked(in, ann, call_delete);
    database_make(&other);
    struct copy copy = {.from = in->database.settings, .to = other.settings, .arena = in->arena};
    if (*other.schema)
        copy.to.connection = str_of(other.connection);
    else
        copy.to.filename = str_of(other.file);
    int rc = model_copy(&copy);
    if (rc != 0)
        print_error("copy: %.*s\n", STR_ARG(copy.reason));
    assert_int_equal(rc, 0);
    instance_stop(in);
    database_drop(&own);
    in->database = other;
    in->database.settings.filename = str_of(in->database.file);
    in->database.settings.connection = str_of(in->database.connection);
    instance_start(in);
    AUTO(principal_unref) struct principal *again = principal_by_id(in, ann->user);
    assert_str(catalogue_workspace(catalogue(in), kept)->name, "Kept");
    assert_true(created(in, again, "Next") > gone);
}

/* ---- older formats ---- */

static int forget_workspaces(struct store *s, struct arena *a)
{
    static const enum system_table emptied[] = {SYSTEM_APPLICATIONS, SYSTEM_MEMBERS,
                                                SYSTEM_WORKSPACES, SYSTEM_ACCOUNTS};
    int rc = 0;
    (void)a;
    for (size_t i = 0; i < COUNT_OF(emptied) && rc == 0; i++)
        rc = store_delete(s, &system_table(emptied[i])->shape, &expr_true, 0, NULL, NULL);
    return rc;
}

static int open_read_only(struct instance *in)
{
    struct model_settings settings = in->settings;
    struct model *model = NULL;
    settings.read_only = true;
    int rc = model_open(&settings, &model);
    model_close(model);
    return rc;
}

static void count_finding(void *context, struct str finding)
{
    print_error("finding: %.*s\n", STR_ARG(finding));
    ++*(int *)context;
}

static void assert_up_to_date(struct instance *in, const struct journal_state *before)
{
    const struct journal_state after = state_of(in);
    struct model_check check;
    int findings = 0;

    assert_int_equal(after.format, 3);
    assert_int_equal(after.commits, before->commits + 1);
    assert_true(str_equal(after.epoch, before->epoch));
    const struct workspace *w = catalogue_workspace(catalogue(in), DEFAULT_WORKSPACE);
    assert_int_equal(w->member_count, 1);
    assert_str(w->members[0]->email, "root@example.com");
    assert_int_equal(w->members[0]->role, MEMBER_ADMIN);
    assert_int_equal(w->application_count, 1);
    assert_int_equal(model_check(in->model, in->arena, count_finding, &findings, &check), 0);
    assert_int_equal(findings, 0);
    assert_int_equal(open_read_only(in), 0);

    registered(in, "ann@example.com");
    char name[150];
    memset(name, 'n', sizeof(name));
    ask.change = (struct account_change){.name = {name, sizeof(name)}, .onboarded = -1};
    assert_asked(in, NULL, call_change);
}

static void an_instance_of_format_1_is_brought_up_to_date(void **state)
{
    struct instance *in = *state;

    ask = (struct ask){.text = "root@example.com"};
    assert_asked(in, NULL, call_create_admin);
    const struct journal_state before = state_of(in);
    instance_stop(in);
    in->model = NULL;
    tamper(in, make_format_1);
    assert_int_equal(open_read_only(in), -EPROTONOSUPPORT);
    assert_non_null(strstr(fault_text(), "start the server once"));
    instance_start(in);
    assert_up_to_date(in, &before);
}

static void an_upgrade_that_was_cut_off_is_finished(void **state)
{
    struct instance *in = *state;

    ask = (struct ask){.text = "root@example.com"};
    assert_asked(in, NULL, call_create_admin);
    const struct journal_state before = state_of(in);
    instance_stop(in);
    tamper(in, forget_workspaces);
    tamper(in, make_cut_off);
    assert_int_equal(open_read_only(in), -EPROTONOSUPPORT);
    instance_start(in);
    assert_up_to_date(in, &before);
}

#define workspace_test(name)                                                                       \
    cmocka_unit_test_setup_teardown(name, instance_setup, instance_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        workspace_test(the_first_start_makes_a_workspace_with_a_database),
        workspace_test(the_first_admin_manages_the_default_workspace),
        workspace_test(the_first_admin_is_admitted_at_a_later_start_too),
        workspace_test(who_registers_first_is_staff),
        workspace_test(an_account_is_found_by_number_user_and_e_mail),
        workspace_test(a_user_of_another_dialect_gets_an_account_when_it_comes),
        workspace_test(settings_change_one_by_one),
        workspace_test(a_new_password_is_told_by_its_moment_whoever_sets_it),
        workspace_test(who_leaves_may_come_back_but_the_last_of_the_staff_may_not_go),
        workspace_test(tokens_that_were_given_back_are_remembered_until_they_expire),
        workspace_test(a_workspace_belongs_to_who_made_it),
        workspace_test(a_workspace_in_the_trash_takes_along_what_it_has_and_its_number),
        workspace_test(what_was_refused_leaves_no_workspace),
        workspace_test(workspaces_are_ordered_by_each_member_for_itself),
        workspace_test(only_admins_manage_members),
        workspace_test(the_last_admin_stays_one),
        workspace_test(who_is_deleted_leaves_its_workspaces),
        workspace_test(a_members_name_follows_its_user),
        workspace_test(an_invitation_is_for_one_e_mail_and_gone_when_it_is_accepted),
        workspace_test(invitations_are_managed_by_admins),
        workspace_test(who_registers_may_accept_at_once_and_who_declines_does_not_come),
        workspace_test(who_came_meanwhile_stays_what_it_is),
        workspace_test(every_member_makes_applications_and_nobody_else),
        workspace_test(applications_are_ordered_for_all),
        workspace_test(no_other_dialect_is_told_of_these_tables),
        workspace_test(an_instance_of_format_1_is_brought_up_to_date),
        workspace_test(an_upgrade_that_was_cut_off_is_finished),
        workspace_test(a_copy_goes_on_with_the_numbers),
        cmocka_unit_test(roles_have_their_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
