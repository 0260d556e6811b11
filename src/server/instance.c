#include "server/instance.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/random.h"
#include "model/access.h"
#include "model/identity.h"

enum { SECRET_LENGTH = 64 };

static int complain_errno(const char *what, const char *path)
{
    fprintf(stderr, "rowcast: cannot %s %s: %s\n", what, path, strerror(errno));
    return 1;
}

/* Writes a new secret under a temporary name and links it into place: a cut leaves none or a whole
 * one. */
static int make_secret(struct arena *a, const char *path)
{
    char secret[SECRET_LENGTH + 1];
    const char *fresh = arena_printf(a, "%s.%ld", path, (long)getpid()).at;
    random_token(secret, SECRET_LENGTH);
    int fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return complain_errno("make", fresh);
    bool written = write(fd, secret, SECRET_LENGTH) == SECRET_LENGTH && fsync(fd) == 0;
    close(fd);
    int rc = 0;
    if (!written || (link(fresh, path) != 0 && errno != EEXIST))
        rc = complain_errno("write", path);
    unlink(fresh);
    return rc;
}

static int read_secret(struct arena *a, const char *path, struct str *secret_out)
{
    char secret[SECRET_LENGTH];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return complain_errno("read", path);
    ssize_t size = read(fd, secret, sizeof(secret));
    close(fd);
    if (size < 32) {
        fprintf(stderr, "rowcast: %s holds no secret; remove it to get a new one\n", path);
        return 1;
    }
    *secret_out = arena_str(a, (struct str){secret, (size_t)size});
    return 0;
}

/* SECRET, or the one kept beside the database with mode 0600. Never printed. */
static int find_secret(struct arena *a, const struct settings *s, struct str *secret_out)
{
    if (s->secret.len > 0) {
        *secret_out = s->secret;
        return 0;
    }
    const char *path = arena_printf(a, "%.*s-secret", STR_ARG(s->db_filename)).at;
    if (access(path, F_OK) != 0) {
        int rc = make_secret(a, path);
        if (rc != 0)
            return rc;
    }
    return read_secret(a, path, secret_out);
}

int instance_complain(int rc, const struct problem *problem)
{
    if (rc < 0)
        fprintf(stderr, "rowcast: %s\n", fault_text());
    else if (problem->violations)
        for (const struct violation *v = problem->violations; v; v = v->next)
            fprintf(stderr, "rowcast: field \"%.*s\" breaks the rule \"%.*s\"\n", STR_ARG(v->field),
                    STR_ARG(v->type));
    else if (problem->reason.len)
        fprintf(stderr, "rowcast: %.*s\n", STR_ARG(problem->reason));
    else
        fprintf(stderr, "rowcast: refused%s%.*s%s%.*s\n", problem->field.len ? ", field " : "",
                STR_ARG(problem->field), problem->value.len ? ", value " : "",
                STR_ARG(problem->value));
    return 1;
}

static void fill_tx(struct instance *i, struct arena *arena, struct problem *problem,
                    struct principal *principal, const struct caller *caller, struct tx *tx)
{
    *tx = (struct tx){.model = i->model,
                      .settings = &i->model_settings,
                      .arena = arena,
                      .principal = principal,
                      .problem = problem,
                      .caller = caller,
                      .now_ms = clock_now_ms()};
}

int instance_write(struct instance *i, enum writer_kind kind,
                   int (*fn)(struct tx *tx, void *context), void *context)
{
    AUTO(arena_free) struct arena *arena = arena_new();
    AUTO(catalogue_unref) struct catalogue *catalogue = model_catalogue(i->model);
    AUTO(principal_unref) struct principal *system = principal_system(catalogue);
    struct problem problem = {0};
    struct caller caller = {0};
    struct writer *writer;
    struct tx tx;
    fill_tx(i, arena, &problem, system, &caller, &tx);
    int rc = writer_open(i->model, &writer);
    if (rc != 0)
        return instance_complain(rc, &problem);
    rc = writer_begin(writer, kind);
    if (rc == 0) {
        struct commit *commit = NULL;
        rc = writer_run(writer, &tx, fn, context, &commit);
        commit_unref(commit);
        if (rc == 0)
            rc = writer_commit(writer);
        else
            writer_rollback(writer);
    }
    if (rc != 0)
        rc = instance_complain(rc, &problem);
    writer_close(writer);
    return rc;
}

int instance_read(struct instance *i, int (*fn)(struct tx *tx, void *context), void *context)
{
    AUTO(arena_free) struct arena *arena = arena_new();
    AUTO(catalogue_unref) struct catalogue *catalogue = model_catalogue(i->model);
    AUTO(principal_unref) struct principal *system = principal_system(catalogue);
    struct problem problem = {0};
    struct caller caller = {0};
    struct reader *reader;
    struct tx tx;
    fill_tx(i, arena, &problem, system, &caller, &tx);
    int rc = reader_open(i->model, &reader);
    if (rc != 0)
        return instance_complain(rc, &problem);
    rc = reader_begin(reader, &tx);
    if (rc == 0) {
        rc = fn(&tx, context);
        reader_end(reader);
    }
    if (rc != 0)
        rc = instance_complain(rc, &problem);
    reader_close(reader);
    return rc;
}

/* The first admin, from the settings, when there is none yet. */
static int make_first_admin(struct tx *tx, void *context)
{
    const struct settings *s = context;
    if (identity_has_admin(tx))
        return 0;
    return identity_create_admin(tx, s->admin_email, s->admin_password, s->admin_token);
}

int instance_open(const struct settings *settings, struct instance *i)
{
    *i = (struct instance){.arena = arena_new()};
    i->model_settings = (struct model_settings){
        .store = {.client = STORE_SQLITE, .filename = settings->db_filename},
        .access_token_ttl_ms = settings->access_token_ttl,
        .refresh_token_ttl_ms = settings->refresh_token_ttl,
        .query_limit_default = settings->query_limit_default,
        .query_limit_max = settings->query_limit_max,
        .batch_mutation_max = settings->batch_mutation_max,
        .filter_depth_max = 32,
        .login_attempts_max = 25,
        .journal_retention_ms = settings->journal_retention,
        .argon2_memory_kib = (unsigned)settings->hash_memory_cost,
        .argon2_passes = (unsigned)settings->hash_time_cost,
    };
    int rc = find_secret(i->arena, settings, &i->model_settings.secret);
    if (rc == 0) {
        rc = model_open(&i->model_settings, &i->model);
        if (rc == STORE_LOCKED)
            fprintf(stderr, "rowcast: %.*s is in use by another rowcast process\n",
                    STR_ARG(settings->db_filename));
        else if (rc != 0)
            fprintf(stderr, "rowcast: cannot open %.*s: %s\n", STR_ARG(settings->db_filename),
                    fault_text());
    }
    if (rc == 0 && settings->admin_email.len > 0) {
        struct settings copy = *settings;
        rc = instance_write(i, WRITER_ROWS, make_first_admin, &copy);
    }
    if (rc != 0) {
        instance_close(i);
        return 1;
    }
    return 0;
}

void instance_close(struct instance *i)
{
    model_close(i->model);
    arena_free(i->arena);
    *i = (struct instance){0};
}
