/*
 * A commit → the user messages of 5.3 and 5.4.
 *
 * Each message is a projection of what changed in the tables of workspaces and accounts. The rows
 * of `rules` stand in the order in which the messages of one request are told (5.14); a rule looks
 * at all changes of its table before the next has its turn. Who is told is read from the
 * catalogue before the commit or after it, so a message has one encoding and reaches everyone once.
 *
 * A change that only follows from another one is no news of its own: who hears that a workspace is
 * gone need not hear it of its members and applications.
 */
#include <inttypes.h>

#include "base/text.h"
#include "dialect/baserow/baserow.h"
#include "dialect/baserow/channel.h"
#include "dialect/baserow/shapes.h"
#include "dialect/baserow/telling.h"
#include "model/grid/tokens.h"
#include "wire/websocket.h"

/* ---- users ---- */

/* To all who know the user; nothing when there is nobody. */
static void tell_of_user(struct telling *t, const char *type, struct str user, enum sender sender)
{
    struct audience audience = {0};
    struct buf b;
    size_t count;
    const struct member *const *memberships = catalogue_memberships(t->after, user, &count);

    if (count == 0 || !telling_once(t, type, memberships[0]->account))
        return;
    const struct member *m = memberships[0];
    message_begin(&b, type);
    message_key(&b, "user");
    shape_public_user(&b, m->account, m->email, m->name);
    audience_add_companions(&audience, t->after, user);
    tell_users(t, &b, &audience, sender);
}

/* Each log-in writes the user's row, so here only what is new counts. */
static void user_changed(struct telling *t, const struct change *c)
{
    if (change_has(c, SYSTEM_USERS, "first_name") || change_has(c, SYSTEM_USERS, "last_name") ||
        change_has(c, SYSTEM_USERS, "email"))
        tell_of_user(t, "user_updated", system_text(SYSTEM_USERS, c->after, "id"), SENDER_EXCLUDED);
}

static void account_changed(struct telling *t, const struct change *c)
{
    static const char *const told[] = {"language", "notification_frequency", "tours", "onboarded"};
    struct str user = system_text(SYSTEM_ACCOUNTS, c->after, "user");

    for (size_t i = 0; i < COUNT_OF(told); i++)
        if (change_sets(c, SYSTEM_ACCOUNTS, told[i]))
            tell_of_user(t, "user_updated", user, SENDER_EXCLUDED);
    if (change_has(c, SYSTEM_ACCOUNTS, "deletion")) {
        bool leaves = system_integer(SYSTEM_ACCOUNTS, c->after, "deletion") != 0;
        tell_of_user(t, leaves ? "user_deleted" : "user_restored", user, SENDER_TOLD);
    }
}

static void account_removed(struct telling *t, const struct change *c)
{
    struct audience audience = {0};
    struct buf b;

    message_begin(&b, "user_permanently_deleted");
    message_int(&b, "user_id", change_id(c));
    audience_add_companions(&audience, t->before, system_text(SYSTEM_ACCOUNTS, c->before, "user"));
    tell_users(t, &b, &audience, SENDER_TOLD);
}

/* ---- invitations ---- */

/* Of somebody who is in no workspace any more the name is not known here. */
static struct str name_of(const struct catalogue *c, struct str user)
{
    size_t count;
    const struct member *const *memberships = catalogue_memberships(c, user, &count);

    return count > 0 ? memberships[0]->name : STR("");
}

static void tell_of_invitation(struct telling *t, const char *type, const struct change *c,
                               struct str user)
{
    const struct value *row = change_row(c);
    int64_t id = system_integer(SYSTEM_INVITATIONS, row, "workspace");
    const struct workspace *w = catalogue_workspace(t->after, id);
    struct audience audience = {0};
    struct buf b;

    if (!w)
        return;
    struct invitation invitation = {
        .id = change_id(c),
        .workspace = id,
        .workspace_name = w->name,
        .email = system_text(SYSTEM_INVITATIONS, row, "email"),
        .message = system_text(SYSTEM_INVITATIONS, row, "message"),
        .invited_by = name_of(t->after, system_text(SYSTEM_INVITATIONS, row, "invited_by")),
        .created_on = system_text(SYSTEM_INVITATIONS, row, "created_on"),
    };
    message_begin(&b, type);
    message_key(&b, "invitation");
    shape_invitation(&b, &invitation, EMAIL_UNTOLD);
    audience_add_user(&audience, user);
    tell_users(t, &b, &audience, SENDER_TOLD);
}

/* One whose inviter was removed stays, and is no news. */
static void invitation_told(struct telling *t, const struct change *c)
{
    if (system_text(SYSTEM_INVITATIONS, c->after, "invited_by").at)
        tell_of_invitation(t, "workspace_invitation_updated_or_created", c,
                           system_text(SYSTEM_INVITATIONS, c->after, "user"));
}

/*
 * An invitation goes when the invited person answers it, or when an admin takes it back, of which
 * nobody is told. The invited person is who is no member before; or, being one by another way, to
 * whom it was sent.
 */
static void invitation_removed(struct telling *t, const struct change *c)
{
    int64_t id = system_integer(SYSTEM_INVITATIONS, c->before, "workspace");
    const struct workspace *before = catalogue_workspace(t->before, id);
    const struct workspace *after = catalogue_workspace(t->after, id);
    struct str actor = t->commit->user;

    if (!before || !after || actor.len == 0)
        return;
    if (workspace_member(before, actor) &&
        !str_equal(actor, system_text(SYSTEM_INVITATIONS, c->before, "user")))
        return;
    tell_of_invitation(t,
                       workspace_member(after, actor) ? "workspace_invitation_accepted"
                                                      : "workspace_invitation_rejected",
                       c, actor);
}

/* ---- workspaces ---- */

static void workspace_made(struct telling *t, const struct change *c)
{
    const struct workspace *w = catalogue_workspace(t->after, change_id(c));
    struct audience audience = {0};
    struct buf b;

    if (!w)
        return;
    message_begin(&b, "group_created");
    message_workspace(&b, w);
    audience_add_members(&audience, w);
    tell_users(t, &b, &audience, SENDER_EXCLUDED);
}

/* The documentation lists a message that announces the deletion (5.13). */
static void workspace_removed(struct telling *t, const struct change *c)
{
    static const char *const names[] = {"before_group_deleted", "group_deleted"};

    for (size_t i = baserow_settings()->documented_messages ? 0 : 1; i < COUNT_OF(names); i++) {
        struct audience audience = {0};
        struct buf b;
        message_begin(&b, names[i]);
        message_workspace_id(&b, change_id(c));
        audience_add_members(&audience, catalogue_workspace(t->before, change_id(c)));
        tell_users(t, &b, &audience, SENDER_EXCLUDED);
    }
}

static void message_member_view(struct buf *b, const struct member *m)
{
    message_key(b, "workspace");
    shape_workspace_member_view(b, m);
    if (baserow_settings()->legacy_group_keys) {
        message_key(b, "group");
        shape_workspace_member_view(b, m);
    }
}

/* To each member its own: the workspace as it sees it, with all that is in it (5.3). */
static void tell_restored(struct telling *t, const struct workspace *w)
{
    for (size_t i = 0; i < w->member_count; i++) {
        struct audience audience = {0};
        struct buf b;
        message_begin(&b, "group_restored");
        message_workspace_id(&b, w->id);
        message_member_view(&b, w->members[i]);
        message_key(&b, "applications");
        buf_put_char(&b, '[');
        for (size_t k = 0; k < w->application_count; k++) {
            if (k > 0)
                buf_put_char(&b, ',');
            shape_application(&b, t->after, w->applications[k]);
        }
        buf_put_char(&b, ']');
        audience_add_user(&audience, w->members[i]->user);
        tell_users(t, &b, &audience, SENDER_TOLD);
    }
}

/* One that is in the trash is in no catalogue. */
static void workspace_changed(struct telling *t, const struct change *c)
{
    const struct workspace *w = catalogue_workspace(t->after, change_id(c));
    bool was_there = catalogue_workspace(t->before, change_id(c)) != NULL;
    struct audience audience = {0};
    struct buf b;

    if (!w && was_there)
        workspace_removed(t, c);
    if (w && !was_there && telling_once(t, "group_restored", w->id))
        tell_restored(t, w);
    if (!w || !was_there || !change_sets(c, SYSTEM_WORKSPACES, "name") ||
        !telling_once(t, "group_updated", w->id))
        return;
    message_begin(&b, "group_updated");
    message_workspace_id(&b, w->id);
    message_workspace(&b, w);
    audience_add_members(&audience, w);
    tell_users(t, &b, &audience, SENDER_EXCLUDED);
}

/* ---- members ---- */

static void tell_of_member(struct telling *t, const char *type, const struct member *m)
{
    struct audience audience = {0};
    struct buf b;

    message_begin(&b, type);
    message_int(&b, "id", m->id);
    message_workspace_id(&b, m->workspace->id);
    message_workspace_user(&b, m);
    audience_add_members(&audience, catalogue_workspace(t->after, m->workspace->id));
    audience_add_user(&audience, m->user);
    tell_users(t, &b, &audience, SENDER_EXCLUDED);
}

/* With a workspace its first members come, and are part of it. */
static void member_added(struct telling *t, const struct change *c)
{
    const struct member *m = catalogue_member(t->after, change_id(c));

    if (m && catalogue_workspace(t->before, m->workspace->id))
        tell_of_member(t, "group_user_added", m);
}

/* The order of workspaces is personal (5.3). */
static void tell_order_of_workspaces(struct telling *t, struct str user)
{
    struct audience audience = {0};
    struct buf ids, b;
    size_t count;
    const struct member *const *memberships = catalogue_memberships(t->after, user, &count);

    buf_init(&ids, SIZE_MAX);
    for (size_t i = 0; i < count; i++)
        buf_printf(&ids, "%s%" PRId64, i > 0 ? "," : "", memberships[i]->workspace->id);
    message_begin(&b, "groups_reordered");
    buf_printf(&b, ",\"workspace_ids\":[%.*s]", STR_ARG(buf_str(&ids)));
    if (baserow_settings()->legacy_group_keys)
        buf_printf(&b, ",\"group_ids\":[%.*s]", STR_ARG(buf_str(&ids)));
    buf_deinit(&ids);
    audience_add_user(&audience, user);
    tell_users(t, &b, &audience, SENDER_EXCLUDED);
}

static void member_changed(struct telling *t, const struct change *c)
{
    const struct member *m = catalogue_member(t->after, change_id(c));

    if (!m)
        return;
    if (change_sets(c, SYSTEM_MEMBERS, "role") && telling_once(t, "group_user_updated", m->id))
        tell_of_member(t, "group_user_updated", m);
    if (change_has(c, SYSTEM_MEMBERS, "order") &&
        !telling_has_change(t, SYSTEM_MEMBERS, CHANGE_CREATE, "account", m->account) &&
        !telling_has_change(t, SYSTEM_MEMBERS, CHANGE_DELETE, "account", m->account) &&
        telling_once(t, "groups_reordered", m->account))
        tell_order_of_workspaces(t, m->user);
}

static void take_pages(struct session *s, void *context)
{
    const int64_t *workspace = context;

    channel_revoke(s, *workspace);
}

/* Which programs: those that come by this token, or by any of this workspace. */
struct programs {
    int64_t token, workspace;
};

static void end_program(struct session *s, void *context)
{
    const struct programs *p = context;
    const struct database_token *token = channel_program(s);

    if (token && (token->id == p->token || token->workspace == p->workspace))
        session_close(s, NET_CLOSE_ENDED);
}

/* They act for a member, by what a token allowed: when they come again they are judged anew. */
static void end_programs(struct telling *t, struct str user, struct programs programs)
{
    struct user_channel name;

    telling_flush(t);
    service_each(t->service, channel_of_programs(user, &name), end_program, &programs);
}

static void member_removed(struct telling *t, const struct change *c)
{
    const struct member *m = catalogue_member(t->before, change_id(c));

    if (!m || !catalogue_workspace(t->after, m->workspace->id) ||
        telling_has_change(t, SYSTEM_ACCOUNTS, CHANGE_DELETE, "id", m->account))
        return;
    struct user_channel name;
    int64_t workspace = m->workspace->id;
    tell_of_member(t, "group_user_deleted", m);
    telling_flush(t);
    service_each(t->service, channel_of_user(m->user, &name), take_pages, &workspace);
    end_programs(t, m->user, (struct programs){.workspace = workspace});
}

static void token_changed(struct telling *t, const struct change *c)
{
    const struct workspace *w =
        catalogue_workspace(t->before, system_integer(SYSTEM_TOKENS, c->before, "workspace"));
    int64_t account = system_integer(SYSTEM_TOKENS, c->before, "account");

    channel_credentials_changed();
    for (size_t i = 0; w && i < w->member_count; i++)
        if (w->members[i]->account == account)
            end_programs(t, w->members[i]->user, (struct programs){.token = change_id(c)});
}

/* ---- applications ---- */

static void tell_of_application(struct telling *t, const char *type,
                                const struct application *application)
{
    struct audience audience = {0};
    struct buf b;

    message_begin(&b, type);
    if (str_equal(str_of(type), STR("application_updated")))
        message_int(&b, "application_id", application->id);
    message_key(&b, "application");
    shape_application(&b, t->after, application);
    audience_add_members(&audience, application->workspace);
    tell_users(t, &b, &audience, SENDER_EXCLUDED);
}

static void application_made(struct telling *t, const struct change *c)
{
    const struct application *application = catalogue_application(t->after, change_id(c));

    if (application && catalogue_workspace(t->before, application->workspace->id))
        tell_of_application(t, "application_created", application);
}

static void application_removed(struct telling *t, const struct change *c)
{
    const struct application *application = catalogue_application(t->before, change_id(c));
    const struct workspace *w =
        application ? catalogue_workspace(t->after, application->workspace->id) : NULL;
    struct audience audience = {0};
    struct buf b;

    if (!w)
        return;
    message_begin(&b, "application_deleted");
    message_int(&b, "application_id", application->id);
    audience_add_members(&audience, w);
    tell_users(t, &b, &audience, SENDER_EXCLUDED);
}

/* Ids are told as digests, so that nobody learns of those that it may not see (5.3). */
static void tell_order_of_applications(struct telling *t, const struct workspace *w)
{
    struct audience audience = {0};
    struct buf b;

    message_begin(&b, "applications_reordered");
    message_workspace_id(&b, w->id);
    buf_put_lit(&b, ",\"order\":[");
    for (size_t i = 0; i < w->application_count; i++) {
        char hex[SHA256_HEX_SIZE];
        text_sha256_hex(arena_printf(t->arena, "%" PRId64, w->applications[i]->id), hex);
        buf_printf(&b, "%s\"%s\"", i > 0 ? "," : "", hex);
    }
    buf_put_char(&b, ']');
    audience_add_members(&audience, w);
    tell_users(t, &b, &audience, SENDER_EXCLUDED);
}

static void application_changed(struct telling *t, const struct change *c)
{
    const struct application *application = catalogue_application(t->after, change_id(c));
    bool was_there = catalogue_application(t->before, change_id(c)) != NULL;

    if (!application && was_there)
        application_removed(t, c);
    if (application && !was_there)
        application_made(t, c);
    if (!application || !was_there)
        return;
    int64_t workspace = application->workspace->id;
    if (change_sets(c, SYSTEM_APPLICATIONS, "name") &&
        telling_once(t, "application_updated", application->id))
        tell_of_application(t, "application_updated", application);
    if (change_has(c, SYSTEM_APPLICATIONS, "order") &&
        !telling_has_change(t, SYSTEM_APPLICATIONS, CHANGE_CREATE, "workspace", workspace) &&
        !telling_has_change(t, SYSTEM_APPLICATIONS, CHANGE_DELETE, "workspace", workspace) &&
        telling_once(t, "applications_reordered", workspace))
        tell_order_of_applications(t, application->workspace);
}

/* ---- passwords ---- */

static void disconnect(struct session *s, void *context)
{
    const struct telling *t = context;

    if (t->commit->origin != 0 && session_origin(s) == t->commit->origin)
        return;
    AUTO(frame_unref)
    struct frame *farewell =
        websocket_frame(WEBSOCKET_TEXT, STR("{\"type\":\"force_disconnect\"}"));
    session_send(s, farewell);
    session_close(s, NET_CLOSE_ENDED);
}

/* Tokens from before are worth nothing now, and neither are the sockets that came by them (5.2). */
static void password_changed(struct telling *t, const struct change *c)
{
    struct str user = system_text(SYSTEM_ACCOUNTS, c->after, "user");
    struct user_channel name;

    if (!change_has(c, SYSTEM_ACCOUNTS, "password_changed"))
        return;
    channel_credentials_changed();
    telling_flush(t);
    service_each(t->service, channel_of_user(user, &name), disconnect, t);
}

/* ---- the order of it all ---- */

static const struct telling_rule rules[] = {
    {SYSTEM_USERS, CHANGE_UPDATE, user_changed},
    {SYSTEM_ACCOUNTS, CHANGE_UPDATE, account_changed},
    {SYSTEM_INVITATIONS, CHANGE_CREATE, invitation_told},
    {SYSTEM_INVITATIONS, CHANGE_UPDATE, invitation_told},
    {SYSTEM_INVITATIONS, CHANGE_DELETE, invitation_removed},
    {SYSTEM_WORKSPACES, CHANGE_CREATE, workspace_made},
    {SYSTEM_WORKSPACES, CHANGE_UPDATE, workspace_changed},
    {SYSTEM_WORKSPACES, CHANGE_DELETE, workspace_removed},
    {SYSTEM_ACCOUNTS, CHANGE_DELETE, account_removed}, /* after those that go with it (5.3) */
    {SYSTEM_MEMBERS, CHANGE_CREATE, member_added},
    {SYSTEM_MEMBERS, CHANGE_UPDATE, member_changed},
    {SYSTEM_MEMBERS, CHANGE_DELETE, member_removed},
    {SYSTEM_APPLICATIONS, CHANGE_CREATE, application_made},
    {SYSTEM_APPLICATIONS, CHANGE_UPDATE, application_changed},
    {SYSTEM_APPLICATIONS, CHANGE_DELETE, application_removed},
    {SYSTEM_TOKENS, CHANGE_UPDATE, token_changed},
    {SYSTEM_TOKENS, CHANGE_DELETE, token_changed},
    {SYSTEM_ACCOUNTS, CHANGE_UPDATE, password_changed},
};

void tell_people(struct telling *t)
{
    if (telling_is_of_system(t))
        telling_apply(t, rules, COUNT_OF(rules));
}
