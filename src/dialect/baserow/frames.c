/*
 * What a client says on the channel (baserow.md 2.6, 3): which pages it looks at.
 *
 * A frame may mean several things at once, and each has its own answer: they are gathered in one
 * reply, in their order. What means nothing is passed over in silence. A page that is there only
 * while a row is (row) needs a look into the store first: that is done on a reader, and the rest on
 * the loop as for all others, when the frame has its turn.
 */
#include "dialect/baserow/channel.h"

#include "base/mem.h"
#include "dialect/baserow/looker.h"
#include "dialect/baserow/replay.h"
#include "session/service.h"
#include "wire/websocket.h"

struct said {
    const json_t *frame;
    bool there; /* what the page is of */
};

static void put_answer(struct buf *answers, struct str text)
{
    AUTO(frame_unref) struct frame *frame = websocket_frame(WEBSOCKET_TEXT, text);

    buf_put(answers, frame->bytes, frame->size);
}

/* page_add and page_discard are of one shape (3.1, 3.2). */
static struct str page_answer(struct arena *a, const char *type, const struct page_type *page,
                              struct str parameters)
{
    return arena_printf(a, "{\"type\":\"%s\",\"page\":\"%s\",\"parameters\":%.*s}", type,
                        page->name, STR_ARG(parameters));
}

static struct str page_parameters(struct arena *a, const struct page_type *type,
                                  const json_t *frame)
{
    struct buf b;

    buf_init(&b, SIZE_MAX);
    page_put_parameters(&b, type, frame);
    struct str text = arena_str(a, buf_str(&b));
    buf_deinit(&b);
    return text;
}

/* Answered on success only. What is decided is decided by what the hub has reached. */
static void subscribe(struct session *s, struct arena *a, const struct said *said,
                      struct buf *answers)
{
    struct looker *looker = session_state(s);
    const struct viewer viewer = {session_principal(s)->user, looker->token};
    const struct page_type *type = page_type_find(json_get_str(said->frame, "page"));
    struct page page = {.type = type};

    if (!type || !type->open || !(viewer.user.at || type->anonymous) ||
        (type->find && !said->there))
        return;
    page.channel = page_channel(a, type, said->frame);
    if (!page.channel.at ||
        !type->open(service_catalogue(session_service(s)), &viewer, said->frame, &page.workspace) ||
        session_listen(s, page.channel) != 0)
        return;
    page.parameters = page_parameters(a, type, said->frame);
    pages_add(&looker->pages, &page);
    put_answer(answers, page_answer(a, "page_add", type, page.parameters));
}

/* Answered for every page there could be, whether it was looked at or not. */
static void unsubscribe(struct session *s, struct arena *a, const json_t *frame,
                        struct buf *answers)
{
    struct looker *looker = session_state(s);
    const struct page_type *type = page_type_find(json_get_str(frame, "remove_page"));

    if (!type)
        return;
    struct str channel = page_channel(a, type, frame);
    if (channel.at) {
        session_unlisten(s, channel);
        pages_remove(&looker->pages, channel);
    }
    struct str parameters = page_parameters(a, type, frame);
    put_answer(answers, page_answer(a, "page_discard", type, parameters));
}

/*
 * What a frame's `type` asks for. True: that is all that it means, even if it names a page too
 * (baserow-2026.md 1.4). Who pings is of a release that asks for no replay.
 */
static bool take_type(struct session *s, const json_t *frame, struct buf *answers)
{
    struct str type = json_get_str(frame, "type");

    if (str_equal(type, STR("ping"))) {
        session_release(s);
        put_answer(answers, STR("{\"type\":\"pong\"}"));
    }
    return str_equal(type, STR("presence.focus"));
}

static struct frame *answer(struct request *r)
{
    const struct said *said = r->command;
    struct frame *frame = NULL;
    struct buf answers;

    buf_init(&answers, SIZE_MAX);
    if (!take_type(r->session, said->frame, &answers)) {
        subscribe(r->session, r->arena, said, &answers);
        unsubscribe(r->session, r->arena, said->frame, &answers);
    }
    if (answers.len > 0)
        frame = frame_from(buf_str(&answers), STR_NULL);
    buf_deinit(&answers);
    return frame;
}

static int run_frame(struct request *r, struct tx *tx)
{
    (void)tx;
    r->reply = answer(r);
    return 0;
}

static void fail_frame(struct request *r)
{
    (void)r; /* silence */
}

static const struct handler frame_handler = {
    .name = "channel frame", .lane = LANE_LOOP, .run = run_frame, .fail = fail_frame};

static int run_search(struct request *r, struct tx *tx)
{
    struct said *said = r->command;
    const struct page_type *type = page_type_find(json_get_str(said->frame, "page"));

    return type->find(tx, said->frame, &said->there);
}

/* A row that cannot be looked for now is none to look at; what else the frame asks for is done. */
static void done_search(struct request *r)
{
    struct said *said = r->command;

    said->there = said->there && r->result == 0;
    AUTO(frame_unref) struct frame *frame = answer(r);

    if (frame)
        session_send(r->session, frame);
}

static const struct handler search_handler = {
    .name = "channel frame of a row",
    .lane = LANE_READ,
    .run = run_search,
    .fail = fail_frame,
    .done = done_search,
};

static int run_nothing(struct request *r, struct tx *tx)
{
    (void)r;
    (void)tx;
    return 0;
}

static void done_malformed(struct request *r)
{
    session_close(r->session, NET_CLOSE_PEER_DATA);
}

static const struct handler malformed_handler = {
    .name = "malformed channel frame",
    .lane = LANE_LOOP,
    .run = run_nothing,
    .fail = fail_frame,
    .done = done_malformed,
};

void channel_message(struct session *s, struct str text, bool binary)
{
    struct request *r = session_request(s, &malformed_handler);
    json_t *frame;

    r->bytes = text.len;
    if (!binary && json_read_in(r->arena, text, &frame, NULL) == 0 && json_is_object(frame)) {
        const struct page_type *type = page_type_find(json_get_str(frame, "page"));
        struct said *said = ARENA_NEW(r->arena, struct said);
        said->frame = frame;
        r->handler = type && type->find ? &search_handler : &frame_handler;
        r->command = said;
        if (str_equal(json_get_str(frame, "type"), STR("replay_events")))
            replay_request(r, frame);
    }
    session_submit(s, r);
}

/* ---- revocation ---- */

struct revocation {
    struct session *session;
    struct arena *arena;
};

static void discard(void *context, const struct page *page)
{
    const struct revocation *v = context;
    struct str text = page_answer(v->arena, "page_discard", page->type, page->parameters);
    AUTO(frame_unref) struct frame *frame = websocket_frame(WEBSOCKET_TEXT, text);

    session_unlisten(v->session, page->channel);
    session_send(v->session, frame);
}

void channel_revoke(struct session *s, int64_t workspace)
{
    AUTO(arena_free) struct arena *arena = arena_new();
    struct revocation revocation = {s, arena};
    struct looker *looker = session_state(s);

    session_release(s); /* what was told on them comes before */
    pages_revoke(&looker->pages, workspace, discard, &revocation);
}
