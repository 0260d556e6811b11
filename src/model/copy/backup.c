#include <errno.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/random.h"
#include "model/copy/internal.h"
#include "model/journal.h"
#include "store/files.h"

/* Of what was restored: who has a position in its history has seen what came after it, too. */

static int renew(struct store *s, struct arena *a, struct str *epoch_out)
{
    char epoch[UUID_TEXT_SIZE];
    struct journal_state state;

    random_uuid(epoch);
    int rc = store_begin(s, STORE_WRITE);
    if (rc == 0)
        rc = journal_state_lock(s, a, &state);
    state.epoch = arena_str(a, str_of(epoch));
    if (rc == 0)
        rc = journal_state_write(s, &state);
    if (rc == 0)
        rc = store_commit(s);
    if (rc == 0)
        *epoch_out = state.epoch;
    return rc;
}

int model_renew_epoch(const struct store_settings *settings, struct arena *a, struct str *epoch_out)
{
    struct store *s = NULL;
    int rc = store_open(settings, STORE_WRITE, &s);

    if (rc == 0)
        rc = renew(s, a, epoch_out);
    store_close(s);
    return rc;
}

/* The copy under a passing name, with its epoch. */
static int make_backup(struct copy *c, const struct store_settings *passing)
{
    struct store *s = NULL;

    c->subject = STR("the source");
    int rc = store_open(&c->from, STORE_READ, &s);
    if (rc == 0)
        rc = store_backup(s, passing->filename);
    store_close(s);
    if (rc == 0)
        rc = model_renew_epoch(passing, c->arena, &c->epoch);
    return rc;
}

int model_backup(struct copy *c)
{
    const char *path = arena_z(c->arena, c->to.filename);
    const struct store_settings passing = {
        .client = STORE_SQLITE,
        .filename = arena_printf(c->arena, "%s.%ld.part", path, (long)getpid())};

    if (access(path, F_OK) == 0)
        return copy_refuse(c, "%s is there already", path);
    int rc = make_backup(c, &passing);
    if (rc == STORE_EXISTS)
        return copy_refuse(c, "%s is there already", passing.filename.at);
    if (rc == 0) {
        c->subject = c->to.filename;
        rc = store_publish_file(passing.filename, c->to.filename);
    }
    if (rc != 0)
        store_remove_files(passing.filename);
    return rc == STORE_EXISTS ? copy_refuse(c, "%s is there already", path) : rc;
}
