#ifndef WIRE_LETTER_H
#define WIRE_LETTER_H

/*
 * Letters: e-mail messages as text (RFC 5322), with a body of plain UTF-8 text (quoted-printable,
 * RFC 2045) and headers in encoded words where they are not plain (RFC 2047). Whatever stands in a
 * name, a subject or a body, it cannot become a header or another recipient. Any thread; no I/O.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

/* An address that may stand in an envelope and in a header: ASCII, no blanks, no controls, nothing
 * that an address would have to quote. (Others are addresses too, but few servers take them.) */
bool letter_address_is_plain(struct str address);

/* "ann@example.com", or "Ann <ann@example.com>": false when the address is not plain. The name is
 * empty when there is none. */
bool letter_read_mailbox(struct str text, struct str *name_out, struct str *address_out);

struct letter {
    struct str from_name, from; /* the name may be empty */
    struct str to;              /* plain, as `from` */
    struct str subject, body;   /* UTF-8 */
    struct str id;              /* of the message: unique, URL-safe characters */
    int64_t time_ms;
};
/* The whole message, lines ended by CRLF. */
void letter_write(struct buf *b, const struct letter *l);

#endif
