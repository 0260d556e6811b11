#include "net/mailer.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdatomic.h>
#include <time.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/random.h"
#include "loop/loop.h"
#include "wire/letter.h"

enum { ID_LENGTH = 22, TRIES_MAX = 3, LETTER_BYTES_MAX = 1 << 20 };

struct mailer {
    struct arena *arena;
    struct mailer_settings settings;
    struct str from_name, from;
    const char *url; /* of the server */
    struct workers *workers;
    _Atomic(int64_t) end_ms; /* monotonic: the latest moment for what still waits; 0: not yet */
    atomic_bool full;        /* the queue is, and the log was told */
};

struct posted {
    struct mail mail;
    struct arena *arena; /* this lies in it */
    const char *kind;
    struct str to;
    struct buf text; /* the whole message */
};

/* ---- one try, on the mailer's thread ---- */

struct sender {
    struct mailer *mailer;
    CURL *curl;
    char reason[CURL_ERROR_SIZE];
    struct str left; /* of the message */
};

static size_t on_read(char *to, size_t size, size_t count, void *context)
{
    struct sender *s = context;
    size_t length = size * count < s->left.len ? size * count : s->left.len;

    memcpy(to, s->left.at, length);
    s->left = str_skip(s->left, length);
    return length;
}

static bool is_over(const struct mailer *m)
{
    int64_t end_ms = atomic_load(&m->end_ms);

    return end_ms != 0 && clock_monotonic_ms() >= end_ms;
}

static int on_progress(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    const struct sender *s = context;

    (void)a, (void)b, (void)c, (void)d;
    return is_over(s->mailer);
}

/* libcurl reads these when it performs, from memory that lasts as long as the mailer. */
static void configure(struct sender *s)
{
    const struct mailer_settings *set = &s->mailer->settings;
    CURL *c = s->curl;

    curl_easy_setopt(c, CURLOPT_URL, s->mailer->url);
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(c, CURLOPT_PROXY, "");
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)set->connect_ms_max);
    curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)set->transfer_ms_max);
    curl_easy_setopt(c, CURLOPT_USE_SSL, (long)(set->starttls ? CURLUSESSL_ALL : CURLUSESSL_NONE));
    if (set->user.len > 0) {
        curl_easy_setopt(c, CURLOPT_USERNAME, set->user.at);
        curl_easy_setopt(c, CURLOPT_PASSWORD, set->password.len > 0 ? set->password.at : "");
    }
    curl_easy_setopt(c, CURLOPT_MAIL_FROM, s->mailer->from.at);
    curl_easy_setopt(c, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(c, CURLOPT_READFUNCTION, on_read);
    curl_easy_setopt(c, CURLOPT_READDATA, s);
    curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(c, CURLOPT_XFERINFODATA, s);
    curl_easy_setopt(c, CURLOPT_ERRORBUFFER, s->reason);
}

static CURLcode try_once(struct sender *s, const struct posted *p)
{
    struct curl_slist *to = curl_slist_append(NULL, p->to.at);

    if (!to)
        mem_exhausted();
    s->left = buf_str(&p->text);
    s->reason[0] = '\0';
    curl_easy_setopt(s->curl, CURLOPT_MAIL_RCPT, to);
    CURLcode rc = curl_easy_perform(s->curl);
    curl_easy_setopt(s->curl, CURLOPT_MAIL_RCPT, NULL);
    curl_slist_free_all(to);
    return rc;
}

/* Would it be another answer a moment later? */
static bool may_pass(struct sender *s, CURLcode rc)
{
    long status = 0;

    curl_easy_getinfo(s->curl, CURLINFO_RESPONSE_CODE, &status);
    switch (rc) {
    case CURLE_LOGIN_DENIED:
    case CURLE_USE_SSL_FAILED:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_ABORTED_BY_CALLBACK:
        return false;
    default:
        return status < 500;
    }
}

/* In small steps: the end of the process does not wait for it. */
static void pause_between(const struct mailer *m, int pause_ms)
{
    enum { STEP_MS = 20 };
    const struct timespec step = {.tv_nsec = STEP_MS * 1000 * 1000};

    for (int left_ms = pause_ms; left_ms > 0 && !is_over(m); left_ms -= STEP_MS)
        nanosleep(&step, NULL);
}

static void deliver(struct sender *s, const struct posted *p)
{
    int pause_ms = s->mailer->settings.pause_ms;
    CURLcode rc = try_once(s, p);

    for (int tries = 1; rc != CURLE_OK && tries < TRIES_MAX && may_pass(s, rc); tries++) {
        pause_between(s->mailer, pause_ms);
        if (is_over(s->mailer))
            break;
        pause_ms *= 4;
        rc = try_once(s, p);
    }
    if (rc == CURLE_OK)
        LOG_AT(LOG_DEBUG, "mail", "a letter was sent: %s", p->kind);
    else
        LOG_AT(LOG_WARN, "mail", "a letter was not sent: %s: %s", p->kind,
               s->reason[0] ? s->reason : curl_easy_strerror(rc));
}

/* ---- the thread ---- */

static int open_sender(void *context, void **state_out)
{
    struct sender *s = MEM_NEW(struct sender);

    s->mailer = context;
    s->curl = curl_easy_init();
    if (!s->curl) {
        mem_free(s);
        return FAULT_BECAUSE(EIO, "libcurl does not start");
    }
    configure(s);
    *state_out = s;
    return 0;
}

static void close_sender(void *state)
{
    struct sender *s = state;

    curl_easy_cleanup(s->curl);
    mem_free(s);
}

static void posted_free(struct posted *p)
{
    buf_deinit(&p->text);
    arena_free(p->arena);
}

static void work(void *state, struct mail **batch, size_t count)
{
    struct sender *s = state;

    for (size_t i = 0; i < count; i++) {
        struct posted *p = CONTAINER_OF(batch[i], struct posted, mail);
        if (!is_over(s->mailer))
            deliver(s, p);
        else
            LOG_AT(LOG_WARN, "mail", "a letter was not sent: %s: the server ends", p->kind);
        posted_free(p);
    }
}

/* ---- posting ---- */

static bool has_room(struct mailer *m)
{
    if (workers_waiting(m->workers) < m->settings.queue_max) {
        atomic_store(&m->full, false);
        return true;
    }
    if (!atomic_exchange(&m->full, true))
        LOG_AT(LOG_ERROR, "mail", "%zu letters wait: more are dropped", m->settings.queue_max);
    return false;
}

int mailer_post(struct mailer *m, const char *kind, struct str to, struct str subject,
                struct str body)
{
    char id[ID_LENGTH + 1];

    if (!letter_address_is_plain(to)) {
        LOG_AT(LOG_WARN, "mail", "a letter was not sent: %s: no address for it", kind);
        return MAILER_BAD_ADDRESS;
    }
    if (!has_room(m))
        return MAILER_FULL;
    struct arena *arena = arena_new();
    struct posted *p = ARENA_NEW(arena, struct posted);
    *p = (struct posted){.arena = arena, .kind = kind, .to = arena_str(arena, to)};
    random_token(id, ID_LENGTH);
    const struct letter letter = {
        .from_name = m->from_name,
        .from = m->from,
        .to = to,
        .subject = subject,
        .body = body,
        .id = str_of(id),
        .time_ms = clock_now_ms(),
    };
    buf_init(&p->text, LETTER_BYTES_MAX);
    letter_write(&p->text, &letter);
    workers_post(m->workers, &p->mail);
    return 0;
}

/* ---- life ---- */

static const char *make_url(struct arena *a, const struct mailer_settings *s)
{
    bool ipv6 = str_contains(s->host, STR(":"));

    return arena_printf(a, "%s://%s%.*s%s:%d", s->tls ? "smtps" : "smtp", ipv6 ? "[" : "",
                        STR_ARG(s->host), ipv6 ? "]" : "", s->port)
        .at;
}

int mailer_new(const struct mailer_settings *settings, struct mailer **mailer_out)
{
    static const struct workers_ops ops = {
        .open = open_sender, .work = work, .close = close_sender};
    struct str name, address;

    if (!letter_read_mailbox(settings->from, &name, &address))
        return MAILER_BAD_SENDER;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return FAULT_BECAUSE(EIO, "libcurl does not start");
    struct mailer *m = MEM_NEW(struct mailer);
    m->arena = arena_new();
    m->settings = *settings;
    m->settings.user = arena_str(m->arena, settings->user);
    m->settings.password = arena_str(m->arena, settings->password);
    m->from_name = arena_str(m->arena, name);
    m->from = arena_str(m->arena, address);
    m->url = make_url(m->arena, settings);
    int rc = workers_start("mailer", &ops, m, 1, 1, 0, &m->workers);
    if (rc != 0) {
        mailer_free(m);
        return rc;
    }
    *mailer_out = m;
    return 0;
}

void mailer_free(struct mailer *m)
{
    if (!m)
        return;
    atomic_store(&m->end_ms, clock_monotonic_ms() + m->settings.farewell_ms_max);
    workers_stop(m->workers);
    curl_global_cleanup();
    arena_free(m->arena);
    mem_free(m);
}
