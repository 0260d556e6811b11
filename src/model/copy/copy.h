#ifndef MODEL_COPY_COPY_H
#define MODEL_COPY_COPY_H

/*
 * Taking an instance along: a copy of all of it in another database, and a backup of SQLite's file.
 *
 * Both take one moment of an instance whose server may be running. What comes of it goes on by
 * itself, so its history forks: it gets a new epoch, and positions of the old one are refused.
 * Nothing is made halfway: a copy that fails leaves the target as it was.
 */

#include "base/arena.h"
#include "store/store.h"

enum copy_step { COPY_WRITTEN, COPY_COMPARED };
struct copy_note {
    enum copy_step step;
    struct str table;
    int64_t rows;  /* so far */
    bool finished; /* that is all of the table */
};
typedef void copy_note_fn(void *context, const struct copy_note *note);

struct copy {
    struct store_settings from, to;
    copy_note_fn *note; /* a few times for each table */
    void *context;
    struct arena *arena; /* `reason` and `epoch` live in it */
    struct str subject;  /* what it was about when it failed; no secret */
    struct str reason;   /* on COPY_REFUSED; tells no value but that of a key */
    struct str epoch;    /* the new one */
    size_t tables;
    int64_t rows;
};

enum { COPY_REFUSED = 1 };
/*
 * Copies system tables, journal, every collection's table and the counters of keys from a snapshot
 * into one transaction of the target, and compares all of it, value by value, before that is
 * committed. The caller sets the first five members. 0, COPY_REFUSED (the target holds an instance
 * already, cannot hold a value, differs, …), or a fault.
 */
int model_copy(struct copy *c);

/*
 * A consistent copy of SQLite's file `from` in the file `to`, which must not exist; `to` appears
 * when it is whole and durable. As model_copy(); `note` is not called, nothing is counted.
 */
int model_backup(struct copy *c);

/* Gives the instance a new epoch, alone: for what was restored by other means. 0, STORE_LOCKED, or
 * a fault. */
int model_renew_epoch(const struct store_settings *settings, struct arena *a,
                      struct str *epoch_out);

#endif
