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
#include "dialect/baserow/channel.h"

#include <inttypes.h>

#include "base/text.h"
#include "dialect/baserow/baserow.h"
#include "dialect/baserow/shapes.h"
#include "model/system.h"
#include "session/service.h"
#include "wire/websocket.h"

/* One commit on its way to the people concerned. */
struct telling {
    struct service *service;
    const struct commit *commit;
    const struct catalogue *before, *after;
    struct arena *arena;
    struct map told; /* what is told once for each commit, by type and subject */
};

/* ---- changes ---- */

static bool is_changed(const struct change *c, enum system_table table, const char *column)
{
    return column_set_has(&c->changed, system_column(table, column));
}

/* Of columns that clients set: what was set to what it was already is told like any other. */
static bool is_set(const struct change *c, enum system_table table, const char *column)
{
    return column_set_is_empty(&c->changed) || is_changed(c, table, column);
}

/* The row as the message tells of it. */
static const struct value *row_of(const struct change *c)
{
    return c->after ? c->after : c->before;
}

static int64_t key_of(const struct change *c)
{
    return c->key.value.integer;
}

/* Was a row of this table made or removed, whose column has this number? */
static bool has_change(const struct telling *t, enum system_table table, enum change_kind kind,
                       const char *column, int64_t number)
{
    for (size_t i = 0; i < t->commit->count; i++) {
        const struct change *c = t->commit->changes[i];
        if (c->kind == kind && system_is(c->table, table) &&
            system_integer(table, row_of(c), column) == number)
            return true;
    }
    return false;
}

/* True the first time. */
static bool once(struct telling *t, const char *type, int64_t subject)
{
    struct str key = arena_printf(t->arena, "%s/%" PRId64, type, subject);

    return map_put(&t->told, key, t) == NULL;
}

/* ---- those who are told ---- */

/* Of each person one entry, however many ways lead to it. */
struct audience {
    struct map users; /* by UUID */
};

static void add_user(struct audience *a, struct str user)
{
    if (user.len > 0)
        map_put(&a->users, user, a);
}

/* Accepts NULL. */
static void add_members(struct audience *a, const struct workspace *w)
{
    for (size_t i = 0; w && i < w->member_count; i++)
        add_user(a, w->members[i]->user);
}

/* Everyone who shares a workspace with the user, and the user. */
static void add_companions(struct audience *a, const struct catalogue *c, struct str user)
{
    size_t count;
    const struct member *const *memberships = catalogue_memberships(c, user, &count);

    for (size_t i = 0; i < count; i++)
        add_members(a, memberships[i]->workspace);
}

/* ---- writing a message ---- */

static void begin(struct buf *b, const char *type)
{
    buf_init(b, SIZE_MAX);
    buf_printf(b, "{\"type\":\"%s\"", type);
}

static void put_key(struct buf *b, const char *key)
{
    buf_printf(b, ",\"%s\":", key);
}

static void put_int(struct buf *b, const char *key, int64_t number)
{
    put_key(b, key);
    json_put_int(b, number);
}

/* Workspaces were called groups once (section 6): the old key stands beside the new one. */
static bool is_legacy(void)
{
    return baserow_settings()->legacy_group_keys;
}

static void put_workspace_id(struct buf *b, int64_t id)
{
    put_int(b, "workspace_id", id);
    if (is_legacy())
        put_int(b, "group_id", id);
}

static void put_workspace(struct buf *b, const struct workspace *w)
{
    put_key(b, "workspace");
    shape_workspace(b, w);
    if (is_legacy()) {
        put_key(b, "group");
        shape_workspace(b, w);
    }
}

static void put_workspace_user(struct buf *b, const struct member *m)
{
    put_key(b, "workspace_user");
    shape_workspace_user(b, m);
    if (is_legacy()) {
        put_key(b, "group_user");
        shape_workspace_user(b, m);
    }
}

/* Whether the socket that the request came for hears of it too (2.7). */
enum sender { SENDER_EXCLUDED, SENDER_TOLD };

/* Ends the message and sends it; both it and the audience are done with. */
static void tell(struct telling *t, struct buf *b, struct audience *a, enum sender sender)
{
    uint64_t but_origin = sender == SENDER_EXCLUDED ? t->commit->origin : 0;
    struct user_channel name;
    struct str user;

    buf_put_char(b, '}');
    AUTO(frame_unref) struct frame *frame = websocket_frame(WEBSOCKET_TEXT, buf_str(b));
    for (size_t i = 0; map_next(&a->users, &i, &user, NULL);)
        service_tell(t->service, channel_of_user(user, &name), frame, but_origin);
    map_deinit(&a->users);
    buf_deinit(b);
}

/* ---- users ---- */

/* To all who know the user; nothing when there is nobody. */
static void tell_of_user(struct telling *t, const char *type, struct str user, enum sender sender)
{
    struct audience audience = {0};
    struct buf b;
    size_t count;
    const struct member *const *memberships = catalogue_memberships(t->after, user, &count);

    if (count == 0 || !once(t, type, memberships[0]->account))
        return;
    const struct member *m = memberships[0];
    begin(&b, type);
    put_key(&b, "user");
    shape_public_user(&b, m->account, m->email, m->name);
    add_companions(&audience, t->after, user);
    tell(t, &b, &audience, sender);
}

/* Each log-in writes the user's row, so here only what is new counts. */
static void user_changed(struct telling *t, const struct change *c)
{
    if (is_changed(c, SYSTEM_USERS, "first_name") || is_changed(c, SYSTEM_USERS, "last_name") ||
        is_changed(c, SYSTEM_USERS, "email"))
        tell_of_user(t, "user_updated", system_text(SYSTEM_USERS, c->after, "id"), SENDER_EXCLUDED);
}

static void account_changed(struct telling *t, const struct change *c)
{
    static const char *const told[] = {"language", "notification_frequency", "tours", "onboarded"};
    struct str user = system_text(SYSTEM_ACCOUNTS, c->after, "user");

    for (size_t i = 0; i < COUNT_OF(told); i++)
        if (is_set(c, SYSTEM_ACCOUNTS, told[i]))
            tell_of_user(t, "user_updated", user, SENDER_EXCLUDED);
    if (is_changed(c, SYSTEM_ACCOUNTS, "deletion")) {
        bool leaves = system_integer(SYSTEM_ACCOUNTS, c->after, "deletion") != 0;
        tell_of_user(t, leaves ? "user_deleted" : "user_restored", user, SENDER_TOLD);
    }
}

static void account_removed(struct telling *t, const struct change *c)
{
    struct audience audience = {0};
    struct buf b;

    begin(&b, "user_permanently_deleted");
    put_int(&b, "user_id", key_of(c));
    add_companions(&audience, t->before, system_text(SYSTEM_ACCOUNTS, c->before, "user"));
    tell(t, &b, &audience, SENDER_TOLD);
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
    const struct value *row = row_of(c);
    int64_t id = system_integer(SYSTEM_INVITATIONS, row, "workspace");
    const struct workspace *w = catalogue_workspace(t->after, id);
    struct audience audience = {0};
    struct buf b;

    if (!w)
        return;
    struct invitation invitation = {
        .id = key_of(c),
        .workspace = id,
        .workspace_name = w->name,
        .email = system_text(SYSTEM_INVITATIONS, row, "email"),
        .message = system_text(SYSTEM_INVITATIONS, row, "message"),
        .invited_by = name_of(t->after, system_text(SYSTEM_INVITATIONS, row, "invited_by")),
        .created_on = system_text(SYSTEM_INVITATIONS, row, "created_on"),
    };
    begin(&b, type);
    put_key(&b, "invitation");
    shape_invitation(&b, &invitation, EMAIL_UNTOLD);
    add_user(&audience, user);
    tell(t, &b, &audience, SENDER_TOLD);
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
    const struct workspace *w = catalogue_workspace(t->after, key_of(c));
    struct audience audience = {0};
    struct buf b;

    if (!w)
        return;
    begin(&b, "group_created");
    put_workspace(&b, w);
    add_members(&audience, w);
    tell(t, &b, &audience, SENDER_EXCLUDED);
}

static void workspace_changed(struct telling *t, const struct change *c)
{
    const struct workspace *w = catalogue_workspace(t->after, key_of(c));
    struct audience audience = {0};
    struct buf b;

    if (!w || !is_set(c, SYSTEM_WORKSPACES, "name") || !once(t, "group_updated", w->id))
        return;
    begin(&b, "group_updated");
    put_workspace_id(&b, w->id);
    put_workspace(&b, w);
    add_members(&audience, w);
    tell(t, &b, &audience, SENDER_EXCLUDED);
}

/* The documentation lists a message that announces the deletion (5.13). */
static void workspace_removed(struct telling *t, const struct change *c)
{
    static const char *const names[] = {"before_group_deleted", "group_deleted"};

    for (size_t i = baserow_settings()->documented_messages ? 0 : 1; i < COUNT_OF(names); i++) {
        struct audience audience = {0};
        struct buf b;
        begin(&b, names[i]);
        put_workspace_id(&b, key_of(c));
        add_members(&audience, catalogue_workspace(t->before, key_of(c)));
        tell(t, &b, &audience, SENDER_EXCLUDED);
    }
}

/* ---- members ---- */

static void tell_of_member(struct telling *t, const char *type, const struct member *m)
{
    struct audience audience = {0};
    struct buf b;

    begin(&b, type);
    put_int(&b, "id", m->id);
    put_workspace_id(&b, m->workspace->id);
    put_workspace_user(&b, m);
    add_members(&audience, catalogue_workspace(t->after, m->workspace->id));
    add_user(&audience, m->user);
    tell(t, &b, &audience, SENDER_EXCLUDED);
}

/* With a workspace its first members come, and are part of it. */
static void member_added(struct telling *t, const struct change *c)
{
    const struct member *m = catalogue_member(t->after, key_of(c));

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
    begin(&b, "groups_reordered");
    buf_printf(&b, ",\"workspace_ids\":[%.*s]", STR_ARG(buf_str(&ids)));
    if (is_legacy())
        buf_printf(&b, ",\"group_ids\":[%.*s]", STR_ARG(buf_str(&ids)));
    buf_deinit(&ids);
    add_user(&audience, user);
    tell(t, &b, &audience, SENDER_EXCLUDED);
}

static void member_changed(struct telling *t, const struct change *c)
{
    const struct member *m = catalogue_member(t->after, key_of(c));

    if (!m)
        return;
    if (is_set(c, SYSTEM_MEMBERS, "role") && once(t, "group_user_updated", m->id))
        tell_of_member(t, "group_user_updated", m);
    if (is_changed(c, SYSTEM_MEMBERS, "order") &&
        !has_change(t, SYSTEM_MEMBERS, CHANGE_CREATE, "account", m->account) &&
        !has_change(t, SYSTEM_MEMBERS, CHANGE_DELETE, "account", m->account) &&
        once(t, "groups_reordered", m->account))
        tell_order_of_workspaces(t, m->user);
}

static void take_pages(struct session *s, void *context)
{
    const int64_t *workspace = context;

    channel_revoke(s, *workspace);
}

static void member_removed(struct telling *t, const struct change *c)
{
    const struct member *m = catalogue_member(t->before, key_of(c));

    if (!m || !catalogue_workspace(t->after, m->workspace->id) ||
        has_change(t, SYSTEM_ACCOUNTS, CHANGE_DELETE, "id", m->account))
        return;
    struct user_channel name;
    int64_t workspace = m->workspace->id;
    tell_of_member(t, "group_user_deleted", m);
    service_each(t->service, channel_of_user(m->user, &name), take_pages, &workspace);
}

/* ---- applications ---- */

static void tell_of_application(struct telling *t, const char *type,
                                const struct application *application)
{
    struct audience audience = {0};
    struct buf b;

    begin(&b, type);
    if (str_equal(str_of(type), STR("application_updated")))
        put_int(&b, "application_id", application->id);
    put_key(&b, "application");
    shape_application(&b, application);
    add_members(&audience, application->workspace);
    tell(t, &b, &audience, SENDER_EXCLUDED);
}

static void application_made(struct telling *t, const struct change *c)
{
    const struct application *application = catalogue_application(t->after, key_of(c));

    if (application)
        tell_of_application(t, "application_created", application);
}

/* Ids are told as digests, so that nobody learns of those that it may not see (5.3). */
static void tell_order_of_applications(struct telling *t, const struct workspace *w)
{
    struct audience audience = {0};
    struct buf b;

    begin(&b, "applications_reordered");
    put_workspace_id(&b, w->id);
    buf_put_lit(&b, ",\"order\":[");
    for (size_t i = 0; i < w->application_count; i++) {
        char hex[SHA256_HEX_SIZE];
        text_sha256_hex(arena_printf(t->arena, "%" PRId64, w->applications[i]->id), hex);
        buf_printf(&b, "%s\"%s\"", i > 0 ? "," : "", hex);
    }
    buf_put_char(&b, ']');
    add_members(&audience, w);
    tell(t, &b, &audience, SENDER_EXCLUDED);
}

static void application_changed(struct telling *t, const struct change *c)
{
    const struct application *application = catalogue_application(t->after, key_of(c));

    if (!application)
        return;
    int64_t workspace = application->workspace->id;
    if (is_set(c, SYSTEM_APPLICATIONS, "name") && once(t, "application_updated", application->id))
        tell_of_application(t, "application_updated", application);
    if (is_changed(c, SYSTEM_APPLICATIONS, "order") &&
        !has_change(t, SYSTEM_APPLICATIONS, CHANGE_CREATE, "workspace", workspace) &&
        !has_change(t, SYSTEM_APPLICATIONS, CHANGE_DELETE, "workspace", workspace) &&
        once(t, "applications_reordered", workspace))
        tell_order_of_applications(t, application->workspace);
}

static void application_removed(struct telling *t, const struct change *c)
{
    int64_t id = system_integer(SYSTEM_APPLICATIONS, c->before, "workspace");
    const struct workspace *w = catalogue_workspace(t->after, id);
    struct audience audience = {0};
    struct buf b;

    if (!w)
        return;
    begin(&b, "application_deleted");
    put_int(&b, "application_id", key_of(c));
    add_members(&audience, w);
    tell(t, &b, &audience, SENDER_EXCLUDED);
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

    if (is_changed(c, SYSTEM_ACCOUNTS, "password_changed"))
        service_each(t->service, channel_of_user(user, &name), disconnect, t);
}

/* ---- the order of it all ---- */

static const struct rule {
    enum system_table table;
    enum change_kind kind;
    void (*tell)(struct telling *t, const struct change *c);
} rules[] = {
    {SYSTEM_USERS, CHANGE_UPDATE, user_changed},
    {SYSTEM_ACCOUNTS, CHANGE_UPDATE, account_changed},
    {SYSTEM_ACCOUNTS, CHANGE_DELETE, account_removed},
    {SYSTEM_INVITATIONS, CHANGE_CREATE, invitation_told},
    {SYSTEM_INVITATIONS, CHANGE_UPDATE, invitation_told},
    {SYSTEM_INVITATIONS, CHANGE_DELETE, invitation_removed},
    {SYSTEM_WORKSPACES, CHANGE_CREATE, workspace_made},
    {SYSTEM_WORKSPACES, CHANGE_UPDATE, workspace_changed},
    {SYSTEM_WORKSPACES, CHANGE_DELETE, workspace_removed},
    {SYSTEM_MEMBERS, CHANGE_CREATE, member_added},
    {SYSTEM_MEMBERS, CHANGE_UPDATE, member_changed},
    {SYSTEM_MEMBERS, CHANGE_DELETE, member_removed},
    {SYSTEM_APPLICATIONS, CHANGE_CREATE, application_made},
    {SYSTEM_APPLICATIONS, CHANGE_UPDATE, application_changed},
    {SYSTEM_APPLICATIONS, CHANGE_DELETE, application_removed},
    {SYSTEM_ACCOUNTS, CHANGE_UPDATE, password_changed},
};

static void apply(struct telling *t, const struct rule *rule)
{
    for (size_t i = 0; i < t->commit->count; i++) {
        const struct change *c = t->commit->changes[i];
        if (c->kind == rule->kind && system_is(c->table, rule->table))
            rule->tell(t, c);
    }
}

/* Most commits are of rows in users' tables. */
static bool concerns_people(const struct commit *commit)
{
    for (size_t i = 0; i < commit->count; i++)
        if (commit->changes[i]->table->system)
            return true;
    return false;
}

void channel_committed(struct service *v, const struct commit *commit, int64_t now_ms)
{
    (void)now_ms;
    if (!concerns_people(commit))
        return;
    AUTO(arena_free) struct arena *arena = arena_new();
    const struct catalogue *before = service_catalogue(v);
    struct telling telling = {
        .service = v,
        .commit = commit,
        .before = before,
        .after = commit->catalogue_after ? commit->catalogue_after : before,
        .arena = arena,
    };
    for (size_t i = 0; i < COUNT_OF(rules); i++)
        apply(&telling, &rules[i]);
    map_deinit(&telling.told);
}
