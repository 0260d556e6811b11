/* The shapes of core objects. Keys stand in the order of the specification's examples. */
#include "dialect/baserow/shapes.h"

#include "base/clock.h"
#include "base/json.h"
#include "dialect/baserow/baserow.h"

#include <inttypes.h>

void shape_moment(struct buf *b, struct str moment)
{
    int64_t ms;
    if (!moment.at || clock_parse_ms(moment, &ms)) {
        buf_put_lit(b, "null");
        return;
    }
    char text[CLOCK_TEXT_MAX];
    clock_write_timestamp(ms, text); /* 2025-10-01T12:00:00.123Z */
    struct str seconds = {text, STR("2025-10-01T12:00:00").len};
    int64_t fraction = ((ms % 1000) + 1000) % 1000;
    buf_put_char(b, '"');
    buf_put_str(b, seconds);
    if (fraction)
        buf_printf(b, ".%03" PRId64 "000", fraction);
    buf_put_lit(b, "Z\"");
}

/* `"key":` of something that is not the first; keys need no escapes. */
static void put_key(struct buf *b, const char *key)
{
    buf_printf(b, ",\"%s\":", key);
}

static void put_text(struct buf *b, const char *key, struct str text)
{
    put_key(b, key);
    json_put_str(b, text);
}

static void put_bool(struct buf *b, const char *key, bool value)
{
    put_key(b, key);
    buf_put_str(b, value ? STR("true") : STR("false"));
}

static void put_int(struct buf *b, const char *key, int64_t number)
{
    put_key(b, key);
    json_put_int(b, number);
}

static void put_moment(struct buf *b, const char *key, struct str moment)
{
    put_key(b, key);
    shape_moment(b, moment);
}

/* `{"id":7`: what every shape but one begins with. */
static void begin(struct buf *b, int64_t id)
{
    buf_put_lit(b, "{\"id\":");
    json_put_int(b, id);
}

void shape_workspace(struct buf *b, const struct workspace *w)
{
    begin(b, w->id);
    put_text(b, "name", w->name);
    buf_put_lit(b, ",\"generative_ai_models_enabled\":{}}");
}

void shape_workspace_user(struct buf *b, const struct member *m)
{
    begin(b, m->id);
    put_text(b, "name", m->name);
    put_text(b, "email", m->email);
    put_int(b, "workspace", m->workspace->id);
    if (baserow_settings()->legacy_group_keys)
        put_int(b, "group", m->workspace->id);
    put_text(b, "permissions", str_of(member_role_name(m->role)));
    put_moment(b, "created_on", m->created_on);
    put_int(b, "user_id", m->account);
    put_bool(b, "to_be_deleted", m->leaving);
    buf_put_char(b, '}');
}

void shape_workspace_member_view(struct buf *b, const struct member *m)
{
    const struct workspace *w = m->workspace;
    begin(b, w->id);
    put_text(b, "name", w->name);
    put_key(b, "users");
    buf_put_char(b, '[');
    for (size_t i = 0; i < w->member_count; i++) {
        if (i)
            buf_put_char(b, ',');
        shape_workspace_user(b, w->members[i]);
    }
    buf_put_char(b, ']');
    put_int(b, "order", m->order);
    put_text(b, "permissions", str_of(member_role_name(m->role)));
    put_int(b, "unread_notifications_count", 0);
    buf_put_lit(b, ",\"generative_ai_models_enabled\":{}}");
}

void shape_application(struct buf *b, const struct application *application)
{
    begin(b, application->id);
    put_text(b, "name", application->name);
    put_int(b, "order", application->order);
    put_text(b, "type", application->type);
    put_moment(b, "created_on", application->created_on);
    put_key(b, "workspace");
    shape_workspace(b, application->workspace);
    if (baserow_settings()->legacy_group_keys) {
        put_key(b, "group");
        shape_workspace(b, application->workspace);
    }
    buf_put_lit(b, ",\"tables\":[]}");
}

void shape_public_user(struct buf *b, int64_t id, struct str email, struct str name)
{
    begin(b, id);
    put_text(b, "username", email);
    put_text(b, "first_name", name);
    buf_put_char(b, '}');
}

void shape_own_user(struct buf *b, const struct account *account)
{
    buf_put_lit(b, "{\"first_name\":");
    json_put_str(b, account->name);
    put_text(b, "username", account->email);
    put_bool(b, "is_staff", account->staff);
    put_int(b, "id", account->id);
    put_text(b, "language", account->language);
    put_text(b, "email_notification_frequency", account->notification_frequency);
    put_bool(b, "email_verified", account->verified);
    put_bool(b, "completed_onboarding", account->onboarded);
    put_key(b, "completed_guided_tours");
    if (account->tours)
        json_put_value(b, account->tours);
    else
        buf_put_lit(b, "[]");
    buf_put_char(b, '}');
}

void shape_invitation(struct buf *b, const struct invitation *invitation, enum email_exists exists)
{
    begin(b, invitation->id);
    put_text(b, "invited_by", invitation->invited_by);
    put_text(b, "workspace", invitation->workspace_name);
    put_text(b, "email", invitation->email);
    put_text(b, "message", invitation->message);
    put_moment(b, "created_on", invitation->created_on);
    if (exists == EMAIL_UNTOLD)
        buf_put_lit(b, ",\"email_exists\":null");
    else
        put_bool(b, "email_exists", exists == EMAIL_EXISTS);
    buf_put_char(b, '}');
}

void shape_invitation_of_admin(struct buf *b, const struct invitation *invitation)
{
    begin(b, invitation->id);
    put_int(b, "workspace", invitation->workspace);
    put_text(b, "email", invitation->email);
    put_text(b, "permissions", str_of(member_role_name(invitation->role)));
    put_text(b, "message", invitation->message);
    put_moment(b, "created_on", invitation->created_on);
    buf_put_char(b, '}');
}
