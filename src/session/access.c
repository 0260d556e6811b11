#include "session/channels.h"

#include <assert.h>

#include "base/log.h"
#include "base/mem.h"
#include "model/system.h"

/*
 * Following access: a change of roles, rules, structure or users is a commit, and at exactly its
 * place every open session gets its new sight. What came before was told under the old one, what
 * comes after will be told under the new one.
 */

/* ---- actors ---- */

static void put_key(struct buf *b, const struct principal *p)
{
    const struct str parts[] = {p->user, p->ip, p->credential};

    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        buf_put_str(b, parts[i]);
        buf_put_char(b, '\0');
    }
}

struct actor *actor_take(struct service *v, struct principal *principal)
{
    struct buf key;

    buf_init(&key, SIZE_MAX);
    put_key(&key, principal);
    struct actor *a = map_get(&v->actors, buf_str(&key));
    if (!a) {
        a = MEM_NEW(struct actor);
        a->principal = principal_ref(principal);
        map_put(&v->actors, buf_str(&key), a);
    }
    a->session_count++;
    buf_deinit(&key);
    return a;
}

static void forget(struct service *v, const struct actor *a)
{
    struct buf key;

    buf_init(&key, SIZE_MAX);
    put_key(&key, a->principal);
    void *removed = map_remove(&v->actors, buf_str(&key));
    assert(removed == a);
    (void)removed;
    buf_deinit(&key);
}

void actor_leave(struct service *v, struct actor *a)
{
    if (--a->session_count > 0)
        return;
    if (!a->revoked)
        forget(v, a);
    principal_unref(a->principal);
    mem_free(a);
}

/* ---- what a commit says of users ---- */

/* Columns of a user that say nothing of what it may do, unless a rule asks for them: then their
 * change brings a catalogue. */
static const char *const idle_columns[] = {"last_access", "last_page"};

static bool concerns_access(const struct commit *commit, const struct change *c)
{
    if (c->kind == CHANGE_CREATE || !system_is(c->table, SYSTEM_USERS))
        return false; /* nobody is here as one who was not there */

    struct column_set rest = c->changed;
    for (size_t i = 0; i < COUNT_OF(idle_columns) && !commit->catalogue_after; i++) {
        unsigned index = system_column(SYSTEM_USERS, idle_columns[i]);
        rest.words[index / 64] &= ~(UINT64_C(1) << (index % 64));
    }
    return c->kind == CHANGE_DELETE || !column_set_is_empty(&rest);
}

static struct str user_of(const struct change *c)
{
    return c->before[c->table->shape.key].text;
}

/* The latest change of each user, by id. */
static void find_users(const struct commit *commit, struct map *users_out)
{
    map_init(users_out);
    for (size_t i = 0; i < commit->count; i++)
        if (concerns_access(commit, commit->changes[i]))
            map_put(users_out, user_of(commit->changes[i]), commit->changes[i]);
}

static bool is_active(const struct change *c)
{
    return c->kind != CHANGE_DELETE && system_user_is_active(c->after);
}

/* A static token that was replaced is worth nothing, also to those who came by it before. */
static bool replaces_token(const struct commit *commit, struct str user)
{
    unsigned token = system_column(SYSTEM_USERS, "token");

    for (size_t i = 0; i < commit->count; i++) {
        const struct change *c = commit->changes[i];
        if (concerns_access(commit, c) && str_equal(user_of(c), user) &&
            column_set_has(&c->changed, token))
            return true;
    }
    return false;
}

static bool may_stay(const struct actor *a, const struct commit *commit,
                     const struct change *change)
{
    const struct principal *p = a->principal;

    return !change || (is_active(change) && !(p->credential.at && replaces_token(commit, p->user)));
}

/* ---- regrouping ---- */

static struct principal *principal_now(const struct service *v, const struct actor *a,
                                       const struct change *change)
{
    const struct principal *was = a->principal;

    if (!was->user.at)
        return principal_public(v->catalogue, was->ip);
    struct principal *now =
        principal_user(v->catalogue, change ? change->after : was->user_row, was->ip);
    now->credential = arena_str(now->arena, was->credential);
    return now;
}

static void refresh(struct service *v, struct actor *a, const struct commit *commit,
                    const struct change *change)
{
    a->changed = true;
    a->revoked = !may_stay(a, commit, change);
    if (a->revoked)
        return;
    struct principal *now = principal_now(v, a, change);
    principal_unref(a->principal);
    a->principal = now;
}

/* Everyone, or those whose own row changed. */
static void refresh_actors(struct service *v, const struct commit *commit, const struct map *users,
                           bool everyone)
{
    void *at;

    for (size_t i = 0; map_next(&v->actors, &i, NULL, &at);) {
        struct actor *a = at;
        const struct change *change =
            a->principal->user.at ? map_get(users, a->principal->user) : NULL;
        if (change || everyone)
            refresh(v, a, commit, change);
    }
}

/* What changed for actors is brought to their sessions. */
static void regroup(struct service *v, enum net_close_reason reason)
{
    for (struct session *s = v->sessions; s; s = s->next)
        if (s->actor && s->actor->changed && s->actor->revoked)
            session_close(s, reason);
        else if (s->actor && s->actor->changed)
            subscriptions_rebind(s);
}

/* The mark is taken off, and who is revoked can no longer be found: a later log-in is a new actor.
 */
static void settle_actors(struct service *v)
{
    for (struct session *s = v->sessions; s; s = s->next) {
        struct actor *a = s->actor;
        if (!a || !a->changed)
            continue;
        a->changed = false;
        if (a->revoked)
            forget(v, a);
    }
}

static void wake_upgrades(struct service *v)
{
    for (struct session *s = v->sessions, *next; s; s = next) {
        next = s->next;
        if (s->ahead)
            session_advance(s);
    }
}

static void set_catalogue(struct service *v, const struct catalogue *c)
{
    struct catalogue *before = v->catalogue;

    v->catalogue = catalogue_ref(c);
    catalogue_unref(before);
}

void access_expect(struct service *v, const struct commit *commit)
{
    bool next = v->commit_number == 0 || commit->number == v->commit_number + 1;
    void *at;

    v->commit_number = commit->number;
    if (next)
        return;
    LOG_AT(LOG_ERROR, "session", "commit %lld came unexpectedly: all WebSockets are closed",
           (long long)commit->number);
    set_catalogue(v, commit->catalogue);
    for (size_t i = 0; map_next(&v->actors, &i, NULL, &at);) {
        struct actor *a = at;
        a->changed = a->revoked = true;
    }
    regroup(v, NET_CLOSE_FAULT);
    memory_clear(v); /* what was not told is not remembered either */
    settle_actors(v);
    wake_upgrades(v);
}

/* A change of a user's identity brings a catalogue of the same content: others see what they saw.
 */
static bool shares_content(const struct catalogue *a, const struct catalogue *b)
{
    return (a->base ? a->base : a) == (b->base ? b->base : b);
}

void access_follow(struct service *v, const struct commit *commit)
{
    const struct catalogue *after = commit->catalogue_after;
    bool everyone = after && !shares_content(after, v->catalogue);
    struct map users;

    find_users(commit, &users);
    if (after)
        set_catalogue(v, after);
    if (everyone || users.count > 0) {
        refresh_actors(v, commit, &users, everyone);
        regroup(v, NET_CLOSE_REVOKED);
        settle_actors(v);
    }
    map_deinit(&users);
    if (after)
        wake_upgrades(v);
}
