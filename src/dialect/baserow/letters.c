#include "dialect/baserow/letters.h"

#include "net/mailer.h"

/* ---- links ---- */

bool letters_are_sent(void)
{
    return baserow_settings()->mailer != NULL;
}

/* "https://Example.com:8080/x" → "Example.com"; absent: it is no URL of the web, or has more in
 * front of its host than it should. */
static struct str host_of(struct str url)
{
    static const struct str schemes[] = {STR_INIT("https://"), STR_INIT("http://")};
    size_t length = 0;

    for (size_t i = 0; i < COUNT_OF(schemes); i++) {
        if (!str_starts_with(url, schemes[i]))
            continue;
        struct str rest = str_skip(url, schemes[i].len);
        while (length < rest.len && !strchr(":/?#", rest.at[length])) {
            if (rest.at[length] <= ' ' || strchr("@\\\"<>", rest.at[length]))
                return STR_NULL;
            length++;
        }
        return length > 0 ? (struct str){rest.at, length} : STR_NULL;
    }
    return STR_NULL;
}

/* A link stands in a text, where a blank or a line end would break it, or add to it. */
static bool is_one_word(struct str url)
{
    for (size_t i = 0; i < url.len; i++)
        if (url.at[i] <= ' ' || url.at[i] >= 0x7f)
            return false;
    return true;
}

int letters_check_url(struct tx *tx, struct str url)
{
    struct str host = host_of(url), ours = host_of(baserow_settings()->public_url);

    if (host.at && str_equal_nocase(host, ours) && is_one_word(url))
        return 0;
    return refuse_code(tx, ERROR_HOSTNAME_IS_NOT_ALLOWED, NULL);
}

static struct str join(struct arena *a, struct str url, struct str rest)
{
    bool slash = str_ends_with(url, STR("/"));

    return arena_printf(a, "%.*s%s%.*s", STR_ARG(url), slash ? "" : "/", STR_ARG(rest));
}

/* ---- texts ---- */

static const struct {
    const char *name; /* for the log */
    const char *page; /* of Baserow's client, below the public URL */
} kinds[] = {
    [LETTER_RESET] = {"a new password", "reset-password"},
    [LETTER_VERIFY] = {"verification of an e-mail", "verify-email-address"},
    [LETTER_INVITATION] = {"an invitation", "workspace-invitation"},
};

static struct str subject_of(struct arena *a, const struct outgoing *o)
{
    switch (o->kind) {
    case LETTER_RESET:
        return STR("Choose a new password");
    case LETTER_VERIFY:
        return STR("Confirm your e-mail address");
    case LETTER_INVITATION:
        break;
    }
    if (o->name.len == 0)
        return arena_printf(a, "Invitation to %.*s", STR_ARG(o->topic));
    return arena_printf(a, "%.*s invited you to %.*s", STR_ARG(o->name), STR_ARG(o->topic));
}

static void put_invitation(struct buf *b, const struct outgoing *o, struct str link)
{
    buf_printf(b, "Hello,\n\n%.*s invites you to work together in the workspace \"%.*s\".\n",
               STR_ARG(o->name.len > 0 ? o->name : STR("Somebody")), STR_ARG(o->topic));
    if (o->words.len > 0)
        buf_printf(b, "\n%.*s\n", STR_ARG(o->words));
    buf_printf(b,
               "\nSee the invitation:\n\n%.*s\n\nIf you do not know what this is about, do "
               "nothing.\n",
               STR_ARG(link));
}

static void put_body(struct buf *b, const struct outgoing *o, struct str link)
{
    switch (o->kind) {
    case LETTER_RESET:
        buf_printf(b,
                   "Hello %.*s,\n\nsomebody, probably you, asked for a new password of your "
                   "account. Choose it within 48 hours:\n\n%.*s\n\nThe link works once. If you did "
                   "not ask for it, do nothing: your password stays as it is.\n",
                   STR_ARG(o->name), STR_ARG(link));
        break;
    case LETTER_VERIFY:
        buf_printf(b,
                   "Hello %.*s,\n\nplease confirm within 24 hours that this is your address:\n\n"
                   "%.*s\n\nIf you have no account with it, do nothing.\n",
                   STR_ARG(o->name), STR_ARG(link));
        break;
    case LETTER_INVITATION:
        put_invitation(b, o, link);
        break;
    }
}

/* ---- sending ---- */

void letter_send(struct arena *a, const struct outgoing *o)
{
    struct str base = o->base_url;
    struct buf body;

    if (!base.at)
        base = join(a, baserow_settings()->public_url, str_of(kinds[o->kind].page));
    buf_init(&body, SIZE_MAX);
    put_body(&body, o, join(a, base, o->token));
    mailer_post(baserow_settings()->mailer, kinds[o->kind].name, o->to, subject_of(a, o),
                buf_str(&body));
    buf_deinit(&body);
}

void letter_keep(struct request *r, const struct outgoing *o)
{
    struct outgoing *kept = ARENA_NEW(r->arena, struct outgoing);

    *kept = *o;
    rest_of(r)->letter = kept;
}

void letter_send_kept(struct request *r)
{
    const struct outgoing *o = rest_of(r)->letter;

    if (o)
        letter_send(r->arena, o);
}
