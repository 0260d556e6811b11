#include "dialect/baserow/replay.h"

#include <math.h>

#include "dialect/baserow/baserow.h"
#include "dialect/baserow/channel.h"
#include "dialect/baserow/looker.h"
#include "dialect/baserow/relevance.h"
#include "session/service.h"
#include "wire/websocket.h"

/*
 * The way of a request: `begin` on the loop, when all frames before it are done with, decides, or
 * notes what the journal is to be asked; `run` asks it; `done`, on the loop again, answers in one
 * step. From `begin` on events wait for this socket, so nothing is told between the two.
 */

enum { CURSOR_BASELINE = -1, CURSOR_LOST = -2 }; /* of a client that knows no event */
enum { RETRY_MS = 1000 };
/* Past it the client gives up by itself (6.3 there). */
enum { REPLAY_BYTES_MAX = 2000000 };

struct wish {
    int64_t cursor;
    bool retries; /* the client can be told to ask again */
    enum { VERDICT_SILENCE, VERDICT_BASELINE, VERDICT_REFRESH, VERDICT_REPLAY } verdict;
    /* What the journal is to be asked, and the answer. */
    int64_t remembered_from; /* 0: nothing */
    struct interest interest;
    bool concerns;
};

bool replay_is_on(void)
{
    return baserow_settings()->replay_events_max > 0;
}

/* ---- the cursor (3.1) ---- */

static bool is_number(struct str text)
{
    size_t i = text.len > 0 && text.at[0] == '-' ? 1 : 0;

    if (i == text.len)
        return false;
    for (; i < text.len; i++)
        if (text.at[i] < '0' || text.at[i] > '9')
            return false;
    return true;
}

/* One that no 64 bits hold is ahead of everything, or below. */
static int64_t read_text(struct str text)
{
    int64_t number;

    if (!is_number(text))
        return CURSOR_BASELINE;
    if (str_to_int64(text, &number) == 0)
        return number;
    return text.at[0] == '-' ? CURSOR_BASELINE : INT64_MAX;
}

static int64_t read_real(double number)
{
    return number >= 0x1p63 ? INT64_MAX : number < CURSOR_LOST ? CURSOR_BASELINE : (int64_t)number;
}

/* Whole numbers and texts of such; of a fraction the whole part, which knows less. */
static int64_t read_cursor(const json_t *value)
{
    int64_t cursor = CURSOR_BASELINE;

    if (json_is_integer(value))
        cursor = json_integer_value(value);
    else if (json_is_real(value))
        cursor = read_real(json_real_value(value));
    else if (json_is_string(value))
        cursor = read_text(str_trim(json_str(value)));
    return cursor < CURSOR_LOST ? CURSOR_BASELINE : cursor;
}

/* ---- on the loop: when its turn has come ---- */

/* "table/7" and "table/7/row/3" are of table 7; 0: it is of no table, or of any. */
static int64_t table_of(const struct page *page)
{
    struct str rest = page->channel, part;
    int64_t number;

    str_next(&rest, '/', &part);
    if (!str_equal(part, STR("table")) || !str_next(&rest, '/', &part) ||
        str_to_int64(part, &number) != 0)
        return 0;
    return number;
}

static void note_interest(struct request *r, struct interest *interest)
{
    const struct pages *pages = looker_pages(r->session);
    size_t count = 0;

    for (const struct page *p = pages->first; p; p = p->next)
        count++;
    int64_t *tables = ARENA_ARRAY(r->arena, int64_t, count);
    interest->tables = tables;
    for (const struct page *p = pages->first; p; p = p->next) {
        int64_t table = table_of(p);
        interest->everything = interest->everything || table == 0;
        if (table != 0)
            tables[interest->table_count++] = table;
    }
}

static bool begin(struct request *r)
{
    struct wish *wish = r->command;
    struct session *s = r->session;

    if (!session_principal(s)->user.at)
        wish->verdict = VERDICT_SILENCE;
    else if (!replay_is_on() || wish->cursor == CURSOR_LOST ||
             wish->cursor > service_event_head(session_service(s)))
        wish->verdict = VERDICT_REFRESH;
    else if (wish->cursor == CURSOR_BASELINE)
        wish->verdict = VERDICT_BASELINE;
    else
        wish->verdict = VERDICT_REPLAY;
    if (wish->verdict != VERDICT_REPLAY)
        return true;
    session_hold(s, 0);
    int64_t from = session_remembers_from(s);
    if (from <= wish->cursor)
        return true;
    wish->remembered_from = from;
    note_interest(r, &wish->interest);
    return false;
}

/* ---- on a reader ---- */

static int run(struct request *r, struct tx *tx)
{
    struct wish *wish = r->command;

    return relevance_search(tx, &wish->interest, wish->cursor, wish->remembered_from,
                            &wish->concerns);
}

static void fail(struct request *r)
{
    (void)r; /* `done` answers */
}

/* ---- on the loop: the answer ---- */

static void answer(struct session *s, struct str text)
{
    AUTO(frame_unref) struct frame *frame = websocket_frame(WEBSOCKET_TEXT, text);

    session_send(s, frame);
}

static void answer_result(struct request *r, bool refresh, int64_t latest)
{
    answer(r->session, arena_printf(r->arena,
                                    "{\"type\":\"replay_events_result\",\"force_refresh\":%s,"
                                    "\"latest_event_id\":%lld}",
                                    refresh ? "true" : "false", (long long)latest));
}

/* Nothing comes before it (3.2). */
static void refresh(struct request *r)
{
    answer_result(r, true, CURSOR_LOST);
    session_release(r->session);
}

/* The store was away, or there was too much to do. */
static void put_off(struct request *r)
{
    const struct wish *wish = r->command;

    if (!wish->retries) {
        refresh(r);
        return;
    }
    answer(r->session,
           arena_printf(r->arena, "{\"type\":\"replay_events_retry\",\"retry_after_ms\":%d}",
                        RETRY_MS));
    session_release(r->session);
}

static void baseline(struct request *r)
{
    session_release(r->session);
    answer_result(r, false, service_event_head(session_service(r->session)));
}

static void replay(struct request *r)
{
    const struct wish *wish = r->command;
    const struct replay replay = {
        .after = wish->cursor,
        .proven = wish->concerns ? 0 : wish->remembered_from,
        .count_max = (size_t)baserow_settings()->replay_events_max,
        .bytes_max = REPLAY_BYTES_MAX,
    };

    if (session_replay(r->session, &replay) == REPLAY_DONE)
        answer_result(r, false, service_event_head(session_service(r->session)));
    else
        refresh(r);
}

static void done(struct request *r)
{
    const struct wish *wish = r->command;

    if (r->result != 0) {
        put_off(r);
        return;
    }
    switch (wish->verdict) {
    case VERDICT_SILENCE:
        return;
    case VERDICT_BASELINE:
        baseline(r);
        return;
    case VERDICT_REFRESH:
        refresh(r);
        return;
    case VERDICT_REPLAY:
        replay(r);
        return;
    }
}

static const struct handler replay_handler = {
    .name = "channel replay",
    .lane = LANE_READ,
    .begin = begin,
    .run = run,
    .fail = fail,
    .done = done,
};

void replay_request(struct request *r, const json_t *frame)
{
    struct wish *wish = ARENA_NEW(r->arena, struct wish);

    wish->cursor = read_cursor(json_get(frame, "last_seen_id"));
    wish->retries = json_is_true(json_get(frame, "supports_retry"));
    r->handler = &replay_handler;
    r->command = wish;
}
