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

/* One that is written, but for its number. */
struct message {
    struct buf text;
    struct str channel; /* absent: it is for the audience */
    struct audience audience;
    enum sender sender;
};

static void send_on(struct telling *t, struct str channel, struct frame *frame, int64_t event,
                    const struct message *m)
{
    uint64_t but_origin = m->sender == SENDER_EXCLUDED ? t->commit->origin : 0;

    service_tell(t->service, channel, frame, but_origin, event);
    if (event == 0 && t->next_event != 0)
        service_forget(t->service, channel, t->last_event);
}

static void send_to_all(struct telling *t, struct message *m, struct frame *frame, int64_t event)
{
    struct user_channel name;
    struct str user;

    if (m->channel.at)
        send_on(t, m->channel, frame, event, m);
    for (size_t i = 0; map_next(&m->audience.users, &i, &user, NULL);)
        send_on(t, channel_of_user(user, &name), frame, event, m);
}

/* 0: it has none. */
static void send_waiting(struct telling *t, int64_t event)
{
    struct message *m = t->waiting;

    if (event != 0)
        message_int(&m->text, "_event_id", event);
    buf_put_char(&m->text, '}');
    AUTO(frame_unref) struct frame *frame = websocket_frame(WEBSOCKET_TEXT, buf_str(&m->text));
    send_to_all(t, m, frame, event);
    buf_deinit(&m->text);
    map_deinit(&m->audience.users);
    t->waiting = NULL;
}

/* The last number is kept for the end. */
void telling_flush(struct telling *t)
{
    if (!t->waiting)
        return;
    bool numbered = t->next_event != 0 && t->next_event < t->last_event;
    send_waiting(t, numbered ? t->next_event++ : 0);
}

static void put_off(struct telling *t, struct message message)
{
    telling_flush(t);
    t->waiting = ARENA_NEW(t->arena, struct message);
    *t->waiting = message;
}

void tell_users(struct telling *t, struct buf *b, struct audience *a, enum sender sender)
{
    put_off(t, (struct message){.text = *b, .audience = *a, .sender = sender});
}

void tell_page(struct telling *t, struct str channel, struct buf *b, enum sender sender)
{
    struct str kept = arena_str(t->arena, channel);

    put_off(t, (struct message){.text = *b, .channel = kept, .sender = sender});
}

bool page_is_heard(const struct telling *t, struct str channel)
{
    return service_is_heard(t->service, channel);
}

/* ---- the order of it all ---- */

static teller_fn *const tellers[] = {
    tell_people,
    tell_structure,
    tell_grid_rows,
};

/* Most commits concern nobody here: where no socket of this dialect is, nothing is written. */
void channel_committed(struct service *v, const struct commit *commit, int64_t now_ms)
{
    if (!service_is_any_heard(v))
        return;
    AUTO(arena_free) struct arena *arena = arena_new();
    const struct catalogue *before = service_catalogue(v);
    bool numbered = baserow_settings()->replay_events_max > 0;
    struct telling telling = {
        .service = v,
        .commit = commit,
        .before = before,
        .after = commit->catalogue_after ? commit->catalogue_after : before,
        .arena = arena,
        .now_ms = now_ms,
        .next_event = numbered ? service_event_first(commit) : 0,
        .last_event = numbered ? service_event_last(commit) : 0,
    };

    for (size_t i = 0; i < COUNT_OF(tellers); i++)
        tellers[i](&telling);
    if (telling.waiting)
        send_waiting(&telling, telling.last_event);
    map_deinit(&telling.told);
}
