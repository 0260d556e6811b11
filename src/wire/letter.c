#include "wire/letter.h"

#include <assert.h>

#include "base/clock.h"
#include "base/text.h"

/* ---- addresses ---- */

enum { ADDRESS_BYTES_MAX = 254 };

bool letter_address_is_plain(struct str address)
{
    struct str rest = address, local;

    if (address.len == 0 || address.len > ADDRESS_BYTES_MAX)
        return false;
    for (size_t i = 0; i < address.len; i++)
        if (address.at[i] <= ' ' || address.at[i] >= 0x7f || strchr("()<>[]:;,\\\"", address.at[i]))
            return false;
    str_next(&rest, '@', &local);
    return local.len > 0 && rest.len > 0 && !str_contains(rest, STR("@"));
}

bool letter_read_mailbox(struct str text, struct str *name_out, struct str *address_out)
{
    struct str rest = str_trim(text), name = STR("");

    if (rest.len > 0 && rest.at[rest.len - 1] == '>') {
        rest.len--;
        if (!str_next(&rest, '<', &name) || !rest.at)
            return false;
        name = str_trim(name);
    }
    if (name.len >= 2 && name.at[0] == '"' && name.at[name.len - 1] == '"')
        name = (struct str){name.at + 1, name.len - 2};
    if (!letter_address_is_plain(rest))
        return false;
    *name_out = name;
    *address_out = rest;
    return true;
}

/* ---- texts in headers ---- */

/* Past these a header is written in several encoded words, each on a line of its own, of which none
 * with such a word has more than 76 characters: these bytes become 52, beside the word's own 12. */
enum { PLAIN_BYTES_MAX = 60, WORD_BYTES_MAX = 39 };

static bool is_plain(struct str text)
{
    if (text.len > PLAIN_BYTES_MAX || str_contains(text, STR("=?")))
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (text.at[i] < ' ' || text.at[i] >= 0x7f)
            return false;
    return true;
}

/* How many bytes of it one encoded word takes: whole characters. */
static size_t word_length(struct str text)
{
    size_t length = 0, next;

    for (; length < text.len; length += next) {
        next = text_utf8_sequence(text.at + length, text.len - length);
        next = next > 0 ? next : 1; /* no UTF-8: what shows it will say so */
        if (length + next > WORD_BYTES_MAX)
            break;
    }
    return length;
}

static void put_encoded(struct buf *b, struct str text)
{
    for (size_t length; text.len > 0; text = str_skip(text, length)) {
        length = word_length(text);
        buf_put_lit(b, "=?utf-8?B?");
        text_put_base64(b, text.at, length);
        buf_put_lit(b, "?=");
        if (length < text.len)
            buf_put_lit(b, "\r\n ");
    }
}

static void put_text(struct buf *b, struct str text)
{
    if (is_plain(text))
        buf_put_str(b, text);
    else
        put_encoded(b, text);
}

static void put_name(struct buf *b, struct str name)
{
    if (!is_plain(name)) {
        put_encoded(b, name);
        return;
    }
    buf_put_char(b, '"');
    for (size_t i = 0; i < name.len; i++) {
        if (name.at[i] == '"' || name.at[i] == '\\')
            buf_put_char(b, '\\');
        buf_put_char(b, name.at[i]);
    }
    buf_put_char(b, '"');
}

static void put_mailbox(struct buf *b, struct str name, struct str address)
{
    assert(letter_address_is_plain(address));
    if (name.len > 0) {
        put_name(b, name);
        buf_put_lit(b, "\r\n ");
    }
    buf_printf(b, "<%.*s>", STR_ARG(address));
}

static void put_date(struct buf *b, int64_t time_ms)
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    struct clock_fields at = clock_fields_of(time_ms);

    buf_printf(b, "%s, %02d %s %04d %02d:%02d:%02d +0000", days[at.weekday], at.day,
               months[at.month - 1], at.year, at.hour, at.minute, at.second);
}

/* ---- the body ---- */

enum { LINE_LENGTH_MAX = 76 };

/* One line without its end, in as many lines as it needs. */
static void put_quoted_line(struct buf *b, struct str line)
{
    size_t column = 0;

    for (size_t i = 0; i < line.len; i++) {
        unsigned char c = (unsigned char)line.at[i];
        bool blank = c == ' ' || c == '\t', last = i + 1 == line.len;
        bool quoted = (c < ' ' && c != '\t') || c >= 0x7f || c == '=' || (blank && last);
        size_t length = quoted ? 3 : 1;
        if (column + length > LINE_LENGTH_MAX - 1) { /* room for the mark that it goes on */
            buf_put_lit(b, "=\r\n");
            column = 0;
        }
        if (quoted)
            buf_printf(b, "=%02X", c);
        else
            buf_put_char(b, (char)c);
        column += length;
    }
    buf_put_lit(b, "\r\n");
}

static void put_quoted(struct buf *b, struct str text)
{
    struct str line;

    while (str_next(&text, '\n', &line)) {
        if (line.len > 0 && line.at[line.len - 1] == '\r')
            line.len--;
        put_quoted_line(b, line);
    }
}

/* ---- all of it ---- */

static struct str domain_of(struct str address)
{
    struct str local;

    str_next(&address, '@', &local);
    return address;
}

void letter_write(struct buf *b, const struct letter *l)
{
    buf_put_lit(b, "Date: ");
    put_date(b, l->time_ms);
    buf_put_lit(b, "\r\nFrom: ");
    put_mailbox(b, l->from_name, l->from);
    buf_put_lit(b, "\r\nTo: ");
    put_mailbox(b, STR(""), l->to);
    buf_put_lit(b, "\r\nSubject: ");
    put_text(b, l->subject);
    buf_printf(b, "\r\nMessage-ID: <%.*s@%.*s>", STR_ARG(l->id), STR_ARG(domain_of(l->from)));
    buf_put_lit(b, "\r\nMIME-Version: 1.0"
                   "\r\nAuto-Submitted: auto-generated"
                   "\r\nContent-Type: text/plain; charset=utf-8"
                   "\r\nContent-Transfer-Encoding: quoted-printable"
                   "\r\n\r\n");
    put_quoted(b, l->body);
}
