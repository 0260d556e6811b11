#ifndef DIALECT_BASEROW_LETTERS_H
#define DIALECT_BASEROW_LETTERS_H

/*
 * Letters to people (9.1, 9.3), each with a link that a signed token ends. Composed on a worker;
 * the mailer sends them. A read posts its letter at once, a write when it is stored
 * (ON_WRITER_MAILING), so that no letter speaks of what was not kept.
 */

#include "dialect/baserow/rest.h"

bool letters_are_sent(void); /* is mail set up? */
/* Is the URL one that links may lead to: of the public URL's host? 0, or REFUSED
 * ERROR_HOSTNAME_IS_NOT_ALLOWED. */
int letters_check_url(struct tx *tx, struct str url);
/* Characters of one, as far as it is the client's: a letter is made of it, and waits to be sent. */
enum { LETTER_URL_MAX = 2000 };

enum letter_kind { LETTER_RESET, LETTER_VERIFY, LETTER_INVITATION };
struct outgoing {
    enum letter_kind kind;
    struct str to;
    struct str name;     /* of a person: whom it is to; an invitation: who invites, may be empty */
    struct str topic;    /* an invitation: the workspace */
    struct str words;    /* an invitation: what the inviter adds, may be empty */
    struct str base_url; /* checked; absent: the public URL's page for this kind */
    struct str token;
};
/* Posts it now. */
void letter_send(struct arena *a, const struct outgoing *o);
/* Keeps it with the request; letter_send_kept() is its handler's `stored`. */
void letter_keep(struct request *r, const struct outgoing *o);
void letter_send_kept(struct request *r);

#define ON_WRITER_MAILING(function, preparation)                                                   \
    {                                                                                              \
        .name = #function, .lane = LANE_WRITE, .prepare = (preparation), .run = (function),        \
        .fail = reply_problem, .stored = letter_send_kept                                          \
    }

#endif
