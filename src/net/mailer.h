#ifndef NET_MAILER_H
#define NET_MAILER_H

/*
 * The mailer: sends letters by SMTP, on a thread of its own, one after the other. Who posts a
 * letter never waits for it and is not told what became of it: a letter that could not be sent is
 * logged once, without its text and without any secret.
 *
 * A letter that the server did not take for now (no connection, a 4xx answer) is tried again a few
 * times; then it is dropped. All is bounded: letters that wait, time for each try, time at the end.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct mailer_settings {
    struct str host;
    int port;
    struct str user, password;           /* empty: no log-in */
    bool starttls;                       /* begins in plain text and must change to TLS */
    bool tls;                            /* TLS from the first byte */
    struct str from;                     /* "a@b", or "Name <a@b>" */
    size_t queue_max;                    /* letters that wait */
    int connect_ms_max, transfer_ms_max; /* of one try */
    int pause_ms;        /* before the second try; four times that before the third */
    int farewell_ms_max; /* what waits at the end is still tried for so long */
};

struct mailer;
enum { MAILER_BAD_SENDER = 1 };
/* Settings are copied. 0, MAILER_BAD_SENDER (`from`), or a fault. Before other threads start that
 * might use libcurl. */
int mailer_new(const struct mailer_settings *settings, struct mailer **mailer_out);
/* Nobody posts any more. Accepts NULL. */
void mailer_free(struct mailer *m);

enum { MAILER_FULL = 1, MAILER_BAD_ADDRESS = 2 };
/* Posts a letter; texts are copied, `kind` is a constant that says in the log what it is. Anything
 * but 0 was logged. Any thread. */
int mailer_post(struct mailer *m, const char *kind, struct str to, struct str subject,
                struct str body);

#endif
