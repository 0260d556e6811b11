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
    clock_write_moment(ms, text);
    json_put_str(b, str_of(text));
}

void shape_key(struct buf *b, const char *key)
{
    buf_printf(b, ",\"%s\":", key);
}

void shape_text(struct buf *b, const char *key, struct str text)
{
    shape_key(b, key);
    json_put_str(b, text);
}

void shape_text_or_null(struct buf *b, const char *key, struct str text)
{
    if (text.at) {
        shape_text(b, key, text);
        return;
    }
    shape_key(b, key);
    buf_put_lit(b, "null");
}

void shape_bool(struct buf *b, const char *key, bool value)
{
    shape_key(b, key);
    buf_put_str(b, value ? STR("true") : STR("false"));
}

void shape_int(struct buf *b, const char *key, int64_t number)
{
    shape_key(b, key);
    json_put_int(b, number);
}

static void put_moment(struct buf *b, const char *key, struct str moment)
{
    shape_key(b, key);
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
    shape_text(b, "name", w->name);
    buf_put_lit(b, ",\"generative_ai_models_enabled\":{}}");
}

void shape_workspace_user(struct buf *b, const struct member *m)
{
    begin(b, m->id);
    shape_text(b, "name", m->name);
    shape_text(b, "email", m->email);
    shape_int(b, "workspace", m->workspace->id);
    if (baserow_settings()->legacy_group_keys)
        shape_int(b, "group", m->workspace->id);
    shape_text(b, "permissions", str_of(member_role_name(m->role)));
    put_moment(b, "created_on", m->created_on);
    shape_int(b, "user_id", m->account);
    shape_bool(b, "to_be_deleted", m->leaving);
    buf_put_char(b, '}');
}

void shape_workspace_member_view(struct buf *b, const struct member *m)
{
    const struct workspace *w = m->workspace;
    begin(b, w->id);
    shape_text(b, "name", w->name);
    shape_key(b, "users");
    buf_put_char(b, '[');
    for (size_t i = 0; i < w->member_count; i++) {
        if (i)
            buf_put_char(b, ',');
        shape_workspace_user(b, w->members[i]);
    }
    buf_put_char(b, ']');
    shape_int(b, "order", m->order);
    shape_text(b, "permissions", str_of(member_role_name(m->role)));
    shape_int(b, "unread_notifications_count", 0);
    buf_put_lit(b, ",\"generative_ai_models_enabled\":{}}");
}

void shape_public_user(struct buf *b, int64_t id, struct str email, struct str name)
{
    begin(b, id);
    shape_text(b, "username", email);
    shape_text(b, "first_name", name);
    buf_put_char(b, '}');
}

void shape_own_user(struct buf *b, const struct account *account)
{
    buf_put_lit(b, "{\"first_name\":");
    json_put_str(b, account->name);
    shape_text(b, "username", account->email);
    shape_bool(b, "is_staff", account->staff);
    shape_int(b, "id", account->id);
    shape_text(b, "language", account->language);
    shape_text(b, "email_notification_frequency", account->notification_frequency);
    shape_bool(b, "email_verified", account->verified);
    shape_bool(b, "completed_onboarding", account->onboarded);
    shape_key(b, "completed_guided_tours");
    if (account->tours)
        json_put_value(b, account->tours);
    else
        buf_put_lit(b, "[]");
    buf_put_char(b, '}');
}

void shape_invitation(struct buf *b, const struct invitation *invitation, enum email_exists exists)
{
    begin(b, invitation->id);
    shape_text(b, "invited_by", invitation->invited_by);
    shape_text(b, "workspace", invitation->workspace_name);
    shape_text(b, "email", invitation->email);
    shape_text(b, "message", invitation->message);
    put_moment(b, "created_on", invitation->created_on);
    if (exists == EMAIL_UNTOLD)
        buf_put_lit(b, ",\"email_exists\":null");
    else
        shape_bool(b, "email_exists", exists == EMAIL_EXISTS);
    buf_put_char(b, '}');
}

void shape_invitation_of_admin(struct buf *b, const struct invitation *invitation)
{
    begin(b, invitation->id);
    shape_int(b, "workspace", invitation->workspace);
    shape_text(b, "email", invitation->email);
    shape_text(b, "permissions", str_of(member_role_name(invitation->role)));
    shape_text(b, "message", invitation->message);
    put_moment(b, "created_on", invitation->created_on);
    buf_put_char(b, '}');
}
