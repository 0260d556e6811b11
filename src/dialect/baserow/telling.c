#include "dialect/baserow/telling.h"

#include <inttypes.h>

#include "dialect/baserow/baserow.h"
#include "dialect/baserow/channel.h"
#include "dialect/baserow/shapes.h"
#include "session/service.h"
#include "wire/websocket.h"

/* ---- changes ---- */

bool change_has(const struct change *c, enum system_table table, const char *column)
{
    return column_set_has(&c->changed, system_column(table, column));
}

bool change_sets(const struct change *c, enum system_table table, const char *column)
{
    return column_set_is_empty(&c->changed) || change_has(c, table, column);
}

const struct value *change_row(const struct change *c)
{
    return c->after ? c->after : c->before;
}

int64_t change_id(const struct change *c)
{
    return c->key.value.integer;
}

/* ---- rules ---- */

static void apply(struct telling *t, const struct telling_rule *rule)
{
    for (size_t i = 0; i < t->commit->count; i++) {
        const struct change *c = t->commit->changes[i];
        if (c->kind == rule->kind && system_is(c->table, rule->table))
            rule->tell(t, c);
    }
}

void telling_apply(struct telling *t, const struct telling_rule *rules, size_t count)
{
    for (size_t i = 0; i < count; i++)
        apply(t, &rules[i]);
}

bool telling_is_of_system(const struct telling *t)
{
    for (size_t i = 0; i < t->commit->count; i++)
        if (t->commit->changes[i]->table->system)
            return true;
    return false;
}

bool telling_once(struct telling *t, const char *type, int64_t subject)
{
    struct str key = arena_printf(t->arena, "%s/%" PRId64, type, subject);

    return map_put(&t->told, key, t) == NULL;
}

bool telling_has_change(const struct telling *t, enum system_table table, enum change_kind kind,
                        const char *column, int64_t number)
{
    for (size_t i = 0; i < t->commit->count; i++) {
        const struct change *c = t->commit->changes[i];
        if (c->kind == kind && system_is(c->table, table) &&
            system_integer(table, change_row(c), column) == number)
            return true;
    }
    return false;
}

/* ---- those who are told ---- */

void audience_add_user(struct audience *a, struct str user)
{
    if (user.len > 0)
        map_put(&a->users, user, a);
}

void audience_add_members(struct audience *a, const struct workspace *w)
{
    for (size_t i = 0; w && i < w->member_count; i++)
        audience_add_user(a, w->members[i]->user);
}

void audience_add_companions(struct audience *a, const struct catalogue *c, struct str user)
{
    size_t count;
    const struct member *const *memberships = catalogue_memberships(c, user, &count);

    for (size_t i = 0; i < count; i++)
        audience_add_members(a, memberships[i]->workspace);
}

/* ---- writing ---- */

void message_begin(struct buf *b, const char *type)
{
    buf_init(b, SIZE_MAX);
    buf_printf(b, "{\"type\":\"%s\"", type);
}

void message_key(struct buf *b, const char *key)
{
    buf_printf(b, ",\"%s\":", key);
}

void message_int(struct buf *b, const char *key, int64_t number)
{
    message_key(b, key);
    json_put_int(b, number);
}

static bool is_legacy(void)
{
    return baserow_settings()->legacy_group_keys;
}

void message_workspace_id(struct buf *b, int64_t id)
{
    message_int(b, "workspace_id", id);
    if (is_legacy())
        message_int(b, "group_id", id);
}

void message_workspace(struct buf *b, const struct workspace *w)
{
    message_key(b, "workspace");
    shape_workspace(b, w);
    if (is_legacy()) {
        message_key(b, "group");
        shape_workspace(b, w);
    }
}

void message_workspace_user(struct buf *b, const struct member *m)
{
    message_key(b, "workspace_user");
    shape_workspace_user(b, m);
    if (is_legacy()) {
        message_key(b, "group_user");
        shape_workspace_user(b, m);
    }
}

/* ---- sending ---- */

static struct frame *finish(struct buf *b)
{
    buf_put_char(b, '}');
    struct frame *frame = websocket_frame(WEBSOCKET_TEXT, buf_str(b));
    buf_deinit(b);
    return frame;
}

static void send_on(struct telling *t, struct str channel, struct frame *frame, enum sender sender)
{
    service_tell(t->service, channel, frame, sender == SENDER_EXCLUDED ? t->commit->origin : 0);
}

void tell_users(struct telling *t, struct buf *b, struct audience *a, enum sender sender)
{
    AUTO(frame_unref) struct frame *frame = finish(b);
    struct user_channel name;
    struct str user;

    for (size_t i = 0; map_next(&a->users, &i, &user, NULL);)
        send_on(t, channel_of_user(user, &name), frame, sender);
    map_deinit(&a->users);
}

void tell_page(struct telling *t, struct str channel, struct buf *b, enum sender sender)
{
    AUTO(frame_unref) struct frame *frame = finish(b);

    send_on(t, channel, frame, sender);
}

bool page_is_heard(const struct telling *t, struct str channel)
{
    return service_is_heard(t->service, channel);
}

/* ---- the order of it all ---- */

static teller_fn *const tellers[] = {
    tell_people,
};

void channel_committed(struct service *v, const struct commit *commit, int64_t now_ms)
{
    AUTO(arena_free) struct arena *arena = arena_new();
    const struct catalogue *before = service_catalogue(v);
    struct telling telling = {
        .service = v,
        .commit = commit,
        .before = before,
        .after = commit->catalogue_after ? commit->catalogue_after : before,
        .arena = arena,
        .now_ms = now_ms,
    };

    for (size_t i = 0; i < COUNT_OF(tellers); i++)
        tellers[i](&telling);
    map_deinit(&telling.told);
}
