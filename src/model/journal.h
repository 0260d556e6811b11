#ifndef MODEL_JOURNAL_H
#define MODEL_JOURNAL_H

/*
 * The journal: every change of anything, appended in the transaction that makes it (DESIGN.md, 3).
 *
 * Sequence order is commit order, dense, without gaps. The state row (epoch, head, commit number,
 * catalogue version) is locked and read as a batch's first act, and written once per batch: on a
 * store with several writers that row is the journal's lock.
 */

#include "model/commit.h"
#include "model/model.h"

struct journal_state {
    struct str epoch; /* names the history; new when a journal is created or restored */
    int64_t head;     /* the last sequence number; 0: none yet */
    int64_t commits;  /* the last commit's number */
    int64_t catalogue_version;
    int64_t format; /* of the instance's tables (model.c) */
};
int journal_state_create(struct store *s, const struct journal_state *state); /* at first start */
int journal_state_read(struct store *s, struct arena *a, struct journal_state *state_out);
/* The same, and takes the journal's lock: it waits for the writers before this one to end, and
 * those after it wait for this one. What is read from here on has all that they committed. */
int journal_state_lock(struct store *s, struct arena *a, struct journal_state *state_out);
int journal_state_write(struct store *s, const struct journal_state *state);
/* Appends a commit's changes: numbers them from state->head + 1, the commit from state->commits
 * + 1. */
int journal_append(struct store *s, struct arena *scratch, struct commit *commit,
                   struct journal_state *state);

/* An entry as it stands: for replay, history and check. Text is borrowed until the callback
 * returns. */
struct journal_entry {
    int64_t sequence, commit, position, time_ms, schema_version;
    struct str user, kind, table, key, before, after,
        changed; /* images: JSON objects; absent: none */
    uint64_t origin;
};
typedef int journal_fn(void *context, const struct journal_entry *entry);
/* Entries above `after`, in order, at most limit (below 0: all). */
int journal_read(struct store *s, int64_t after, int64_t limit, journal_fn *entry, void *context);
/* The same without user, key, images and origin: a survey of many. */
int journal_survey(struct store *s, int64_t after, int64_t limit, journal_fn *entry, void *context);
/* Is there an entry of this request (commit.h) above `after`? */
int journal_has_request(struct store *s, int64_t after, struct str request, bool *has_out);
/* May tables have been made, changed or dropped above `after`, up to the head? So too where entries
 * are gone. */
int journal_has_tables(struct store *s, int64_t after, int64_t head, bool *has_out);
/* Drops entries older than before_ms, oldest first, at most limit; the head stays. */
int journal_prune(struct store *s, int64_t before_ms, int64_t limit);

#endif
