#ifndef MODEL_COMMIT_H
#define MODEL_COMMIT_H

/*
 * A commit: the changes of one request, in their order, with images of the rows.
 *
 * Made by the writer, then immutable and reference-counted: the hub reads it on its own thread.
 * Images never hold a secret: where a column is secret they say SECRET_SET or null.
 * Rows are changed by callers of commit_record only (rows.c, items.c, records.c, schema_rows.c): no
 * change without its entry.
 */

#include <stdatomic.h>

#include "base/arena.h"
#include "base/attr.h"
#include "model/catalogue.h"

enum change_kind { CHANGE_CREATE, CHANGE_UPDATE, CHANGE_DELETE };

/* A primary key, and whether the client wrote it as text (events return it in that form, A.8). */
struct item_key {
    struct value value;
    bool text;
};
void item_key_write(struct buf *b, const struct column *key,
                    const struct item_key *k); /* as JSON */

struct change {
    enum change_kind kind;
    unsigned
        operation; /* changes of one operation (an update of many keys) share it; dense from 0 */
    const struct table *table; /* of the commit's catalogue */
    struct item_key key;
    const struct value *before, *after; /* by column index; NULL: there was or is none */
    struct column_set changed; /* update: columns whose value differs; create and delete: all */
    struct column_set
        submitted;    /* what the client sent or a preset gave; empty on delete and on effects */
    int64_t sequence; /* in the journal */
};

struct news;
struct commit {
    atomic_uint references;
    struct arena *arena;
    struct catalogue *catalogue;       /* in force while its changes were made */
    struct catalogue *catalogue_after; /* a new one that this commit brought; NULL: none */
    struct change **changes;
    size_t count, capacity;
    bool unlogged;   /* rows were written besides, of which the journal tells nothing */
    size_t followed; /* so many of them does the catalogue in force know (tx_follow) */
    unsigned operations;
    int64_t number; /* of the commit, dense */
    int64_t time_ms;
    struct str user;   /* id; absent: public or the system */
    uint64_t origin;   /* the connection that asked; 0: none */
    struct news *news; /* what messages need besides (grid/news.h); NULL: nothing */
    /* Its name in the journal, which no other commit of any process has, ever: by it a commit is
     * found again when its answer was lost. */
    struct str request;
};

/* An empty commit under this catalogue; time, user, origin and request are for the caller to set.
 */
struct commit *commit_new(const struct catalogue *catalogue);
struct commit *commit_ref(struct commit *c);
void commit_unref(struct commit *c);
AUTO_DEFINE(commit_unref, struct commit *)

const char *change_kind_name(enum change_kind kind); /* "create" */

struct tx;
/* Begins the next operation; its changes follow. Returns its number. */
unsigned commit_operation(struct tx *tx);
/*
 * Records one change in tx->commit: copies the images (whole rows by column index), masks secrets,
 * finds what changed. Returns the change (the commit's).
 */
const struct change *commit_record(struct tx *tx, unsigned operation, enum change_kind kind,
                                   const struct table *table, const struct item_key *key,
                                   const struct value *before, const struct value *after,
                                   const struct column_set *submitted);

#endif
