/*
 * The load of the collaboration: people who look at a table, and writers who change its rows over
 * REST, each on a connection of its own, in one thread.
 *
 * Updates are numbered, and an update writes its number into the row of its writer. Most go to the
 * first table, which all viewers but a few look at; every SECOND_EVERY-th goes to the second one,
 * which the few look at. Who is the first to hear something checks it: it tells an update of its
 * table that was sent, once, of the right row, with what was there before and what was written, and
 * its number as an event is above the last one. Everybody else must get the very same text at the
 * same place. So each viewer gets each update of its table exactly once, in the order of events.
 *
 * usage: collab_client PORT PID UPDATES WINDOW VIEWERS WRITERS ACCESS_TOKEN
 *                      TABLE:FIELD TABLE:FIELD CREDENTIAL...
 *   WINDOW      updates under way at a time; 1: each waits until the one before it has reached
 *               everybody
 *   FIELD       the number of the field that is written
 *   CREDENTIAL  of the header Authorization; writers take them in turn
 * prints one JSON object.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "load.h"

enum {
    TABLES = 2,
    SECOND_VIEWERS = 10,
    SECOND_EVERY = 50,
    WRITERS_MAX = 200, /* a row each */
    READY_MAX = 512,
    PATIENCE_S = 120,
    REQUEST_MAX = 2048,
};

/* What was told on a table's page, in its order. */
struct told {
    char *text;
    size_t size;
    int64_t update; /* -1: it announces one */
    int heard;      /* by so many viewers */
};
struct table {
    int64_t id, field;
    int viewers;
    struct told *told;
    size_t told_count;
    int64_t last_event, announced; /* the row; 0: none */
    int64_t values[WRITERS_MAX];   /* of each writer's row; -1: not known yet */
};
struct viewer {
    int fd;
    struct table *table;
    size_t heard;
    struct incoming in;
};
struct writer {
    int fd;
    int64_t row; /* the same in both tables */
    int64_t update;
    bool busy;
    const char *credential;
    struct incoming in;
};
struct update {
    const struct writer *writer;
    bool answered, told, delivered;
};
/* What an event of the loop is of: one of the two. */
struct peer {
    struct viewer *viewer;
    struct writer *writer;
};

static struct table tables[TABLES];
static struct viewer *viewers;
static struct writer *writers;
static struct update *updates;
static int viewer_count, writer_count, port, epoll_fd, ready_viewers;
static int64_t update_count, window, sent, complete, deliveries, frame_bytes;

static struct table *table_of(int64_t update)
{
    return &tables[update % SECOND_EVERY == SECOND_EVERY - 1];
}

static void check_complete(struct update *u)
{
    complete += u->answered && u->delivered;
}

/* ---- what viewers hear ---- */

static _Noreturn void wrong(const char *why, const char *text, size_t size)
{
    fprintf(stderr, "heard: %.*s\n", (int)size, text);
    die(why);
}

static bool begins(const char *text, size_t size, const char *type, const struct table *t)
{
    char head[96];
    int length =
        snprintf(head, sizeof(head), "{\"type\":\"%s\",\"table_id\":%lld,", type, (long long)t->id);
    return size > (size_t)length && memcmp(text, head, (size_t)length) == 0;
}

/* Of the first row in a list of rows: its integer, and its cell of the field that is written. */
static void read_row(const char *text, size_t size, const char *list, const struct table *t,
                     int64_t *row_out, int64_t *value_out)
{
    char cell[48];
    const char *at = memmem(text, size, list, strlen(list));
    if (!at)
        wrong("a message has no rows", text, size);
    size -= (size_t)(at - text);
    snprintf(cell, sizeof(cell), "\"field_%lld\":\"", (long long)t->field);
    *row_out = number_after(at, size, "{\"id\":");
    *value_out = number_after(at, size, cell);
}

static int64_t check_update(struct table *t, const char *text, size_t size)
{
    int64_t row, value, old_row, old_value;
    read_row(text, size, "\"rows_before_update\":[", t, &old_row, &old_value);
    read_row(text, size, "\"rows\":[", t, &row, &value);
    struct update *u = value >= 0 && value < sent ? &updates[value] : NULL;
    if (!u || u->told || table_of(value) != t || u->writer->row != row || old_row != row)
        wrong("an update that was not made so, or was told before", text, size);
    int64_t *kept = &t->values[u->writer - writers];
    if (t->announced != row || (*kept >= 0 && *kept != old_value))
        wrong("an update was not announced, or tells another value before", text, size);
    u->told = true;
    *kept = value;
    t->announced = 0;
    return value;
}

static void check_new(struct table *t, const char *text, size_t size)
{
    struct told told = {.text = malloc(size), .size = size, .update = -1};
    int64_t event = number_after(text, size, "\"_event_id\":"), value;
    if (event <= t->last_event)
        wrong("an event is out of order", text, size);
    t->last_event = event;
    if (begins(text, size, "before_rows_update", t) && t->announced == 0)
        read_row(text, size, "\"rows\":[", t, &t->announced, &value);
    else if (begins(text, size, "rows_updated", t))
        told.update = check_update(t, text, size);
    else
        wrong("this was not to be told", text, size);
    memcpy(told.text, text, size);
    t->told[t->told_count++] = told;
}

static void hear(void *context, const char *text, size_t size)
{
    struct viewer *v = context;
    struct table *t = v->table;
    if (v->heard == t->told_count)
        check_new(t, text, size);
    struct told *told = &t->told[v->heard++];
    if (told->size != size || memcmp(told->text, text, size) != 0)
        wrong("somebody else was told otherwise", text, size);
    deliveries++;
    frame_bytes += (int64_t)frame_size(size);
    if (++told->heard == t->viewers && told->update >= 0) {
        updates[told->update].delivered = true;
        check_complete(&updates[told->update]);
    }
}

/* Before the run: who it is, then the page. */
static void hear_welcome(void *context, const char *text, size_t size)
{
    (void)context;
    if (memmem(text, size, "\"success\":false", 15))
        wrong("a viewer was not let in", text, size);
    ready_viewers += memmem(text, size, "\"page_add\"", 10) != NULL;
}

/* ---- writers ---- */

static void write_update(struct writer *w)
{
    char request[REQUEST_MAX], body[64];
    const struct table *t = table_of(sent);
    int body_size =
        snprintf(body, sizeof(body), "{\"field_%lld\":%lld}", (long long)t->field, (long long)sent);
    int size = snprintf(request, sizeof(request),
                        "PATCH /api/database/rows/table/%lld/%lld/ HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                        "Authorization: %s\r\nContent-Type: application/json\r\n"
                        "Content-Length: %d\r\n\r\n%s",
                        (long long)t->id, (long long)w->row, w->credential, body_size, body);
    if (size >= (int)sizeof(request))
        die("a credential is too long");
    updates[sent].writer = w;
    w->update = sent++;
    w->busy = true;
    send_all(w->fd, request, (size_t)size);
}

static void take_answer(void *context, const char *text, size_t size)
{
    struct writer *w = context;
    char cell[64];
    snprintf(cell, sizeof(cell), "\"field_%lld\":\"", (long long)table_of(w->update)->field);
    if (!w->busy || number_after(text, size, "{\"id\":") != w->row ||
        number_after(text, size, cell) != w->update)
        wrong("a write was answered with another row", text, size);
    w->busy = false;
    updates[w->update].answered = true;
    check_complete(&updates[w->update]);
}

/* Those who wait for nothing write on, in turn. */
static void write_updates(void)
{
    static int turn;
    for (int i = 0; i < writer_count && sent < update_count && sent - complete < window; i++) {
        struct writer *w = &writers[turn++ % writer_count];
        if (!w->busy)
            write_update(w);
    }
}

/* ---- the run ---- */

static void wait_once(message_fn *heard, int timeout_ms)
{
    struct epoll_event ready[READY_MAX];
    int count = epoll_wait(epoll_fd, ready, READY_MAX, timeout_ms);
    for (int i = 0; i < count; i++) {
        const struct peer *p = ready[i].data.ptr;
        if (p->writer)
            receive_answers(p->writer->fd, &p->writer->in, take_answer, p->writer);
        else
            receive(p->viewer->fd, &p->viewer->in, heard, p->viewer);
    }
}

static void watch(int fd, struct peer peer)
{
    struct peer *kept = malloc(sizeof(*kept));
    *kept = peer;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = kept};
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

static void open_viewers(const char *token)
{
    double end = now() + PATIENCE_S;
    for (int i = 0; i < viewer_count; i++) {
        struct viewer *v = &viewers[i];
        char page[64];
        v->table = &tables[i >= viewer_count - SECOND_VIEWERS];
        v->table->viewers++;
        v->fd = open_websocket(port, "/ws/core/?jwt_token=", token);
        snprintf(page, sizeof(page), "{\"page\":\"table\",\"table_id\":%lld}",
                 (long long)v->table->id);
        send_text(v->fd, page);
        watch(v->fd, (struct peer){.viewer = v});
    }
    while (ready_viewers < viewer_count) {
        wait_once(hear_welcome, 1000);
        if (now() > end)
            die("waited in vain for pages");
    }
}

static void open_writers(char **credentials, int count)
{
    for (int i = 0; i < writer_count; i++) {
        struct writer *w = &writers[i];
        w->fd = open_connection(port);
        w->row = i + 1;
        w->credential = credentials[i % count];
        watch(w->fd, (struct peer){.writer = w});
    }
}

static void run(void)
{
    double end = now() + PATIENCE_S;
    while (complete < update_count) {
        write_updates();
        wait_once(hear, 1000);
        if (now() > end)
            die("waited in vain for updates");
    }
}

/* Whatever was sent too much comes within this time. */
static void check_quiet(void)
{
    int64_t due = deliveries;
    for (int i = 0; i < 20; i++)
        wait_once(hear, 10);
    if (deliveries != due)
        die("more was told than was due");
}

static void read_table(struct table *t, const char *text)
{
    char *end;
    t->id = strtoll(text, &end, 10);
    if (*end != ':')
        die("a table is TABLE:FIELD");
    t->field = number_of(end + 1);
    t->told = calloc((size_t)update_count * 2, sizeof(*t->told)); /* each is announced */
    for (int i = 0; i < WRITERS_MAX; i++)
        t->values[i] = -1;
}

int main(int count, char **arguments)
{
    if (count < 11)
        die("usage: collab_client PORT PID UPDATES WINDOW VIEWERS WRITERS ACCESS_TOKEN TABLE:FIELD "
            "TABLE:FIELD CREDENTIAL...");
    port = (int)number_of(arguments[1]);
    update_count = number_of(arguments[3]);
    window = number_of(arguments[4]);
    viewer_count = (int)number_of(arguments[5]) + SECOND_VIEWERS;
    writer_count = (int)number_of(arguments[6]);
    if (update_count < 1 || window < 1 || writer_count < 1 || writer_count > WRITERS_MAX)
        die("at least one update, and 1 to 200 writers");
    for (int i = 0; i < TABLES; i++)
        read_table(&tables[i], arguments[8 + i]);
    viewers = calloc((size_t)viewer_count, sizeof(*viewers));
    writers = calloc((size_t)writer_count, sizeof(*writers));
    updates = calloc((size_t)update_count, sizeof(*updates));
    epoll_fd = epoll_create1(0);
    open_viewers(arguments[7]);
    open_writers(arguments + 10, count - 10);
    int64_t cpu = cpu_ns(arguments[2]);
    double begin = now();
    run();
    double seconds = now() - begin;
    cpu = cpu_ns(arguments[2]) - cpu;
    check_quiet();
    printf("{\"updates\":%lld,\"deliveries\":%lld,\"seconds\":%.6f,\"cpu_ns\":%lld,\"bytes\":%lld}"
           "\n",
           (long long)update_count, (long long)deliveries, seconds, (long long)cpu,
           (long long)frame_bytes);
    return 0;
}
