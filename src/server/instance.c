#include "server/instance.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/random.h"
#include "model/access/access.h"
#include "model/identity/identity.h"

enum { SECRET_LENGTH = 64, SECRET_LENGTH_MIN = 32 };

static int complain_errno(const char *what, const char *path)
{
    fprintf(stderr, "rowcast: cannot %s %s: %s\n", what, path, strerror(errno));
    return 1;
}

/* ---- the secret ---- */

/* Writes a new secret under a temporary name and links it into place: a cut leaves none or a whole
 * one, and one that tokens were signed with is there after it. */
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
    if (rc == 0 && file_sync_folder(path) != 0) {
        fprintf(stderr, "rowcast: %s\n", fault_text());
        rc = 1;
    }
    return rc;
}

static int read_secret(struct arena *a, const char *path, struct str *secret_out)
{
    char secret[SECRET_LENGTH]; /* of a longer one the beginning */
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return complain_errno("read", path);
    ssize_t size = read(fd, secret, sizeof(secret));
    close(fd);
    if (size < SECRET_LENGTH_MIN) {
        fprintf(stderr, "rowcast: %s holds no secret; remove it to get a new one\n", path);
        return 1;
    }
    *secret_out = arena_str(a, (struct str){secret, (size_t)size});
    return 0;
}

/*
 * SECRET, or the one kept beside SQLite's file with mode 0600. Never printed.
 * Nothing lies beside a database of PostgreSQL: there is none then. In the database it would be in
 * every dump, and whoever may read that could make tokens.
 */
static int find_secret(struct instance *i, const struct settings *s)
{
    struct arena *a = i->arena;
    struct str *secret_out = &i->model_settings.secret;
    *secret_out = s->secret;
    if (s->secret.len > 0 || i->model_settings.store.client == STORE_POSTGRES)
        return 0;
    const char *path = arena_printf(a, "%.*s-secret", STR_ARG(s->db_filename)).at;
    if (access(path, F_OK) != 0) {
        int rc = make_secret(a, path);
        if (rc != 0)
            return rc;
    }
    return read_secret(a, path, secret_out);
}

static int complain_secret(void)
{
    fputs("rowcast: DB_CLIENT=pg needs SECRET, the key of access tokens: a long random text that "
          "stays the same, such as `openssl rand -hex 32` makes\n",
          stderr);
    return 1;
}

/* ---- what went wrong ---- */

static const char *words_of(enum problem_kind kind)
{
    switch (kind) {
    case PROBLEM_NOT_UNIQUE:
        return "is there already, and has to be unique";
    case PROBLEM_NOT_NULL:
        return "may not be empty";
    case PROBLEM_VALUE_TOO_LONG:
        return "is too long";
    case PROBLEM_VALUE_OUT_OF_RANGE:
        return "is out of range";
    case PROBLEM_INVALID_FOREIGN_KEY:
        return "refers to an item that does not exist";
    default:
        return "was refused";
    }
}

static void print_problem(const char *place, const struct problem *p)
{
    for (const struct violation *v = p->violations; v; v = v->next)
        fprintf(stderr, "rowcast: %sfield \"%.*s\" breaks the rule \"%.*s\"\n", place,
                STR_ARG(v->field), STR_ARG(v->type));
    if (p->violations)
        return;
    if (p->reason.len > 0)
        fprintf(stderr, "rowcast: %s%.*s\n", place, STR_ARG(p->reason));
    else
        fprintf(stderr, "rowcast: %svalue \"%.*s\" of field \"%.*s\" %s\n", place,
                STR_ARG(p->value), STR_ARG(p->field), words_of(p->kind));
}

int instance_complain(struct str place, int rc, const struct problem *problem)
{
    AUTO(arena_free) struct arena *arena = arena_new();
    const char *prefix = place.len > 0 ? arena_printf(arena, "%.*s: ", STR_ARG(place)).at : "";

    if (rc < 0)
        fprintf(stderr, "rowcast: %s%s\n", prefix, fault_text());
    else
        print_problem(prefix, problem);
    return 1;
}

/* ---- transactions ---- */

int instance_run(struct instance *i, struct writer *w, struct arena *arena, instance_fn *fn,
                 void *context, struct problem *problem)
{
    AUTO(catalogue_unref) struct catalogue *catalogue = model_catalogue(i->model);
    AUTO(principal_unref) struct principal *system = principal_system(catalogue);
    AUTO(commit_unref) struct commit *commit = NULL;
    const struct caller caller = {0};
    struct tx tx = {.arena = arena, .principal = system, .problem = problem, .caller = &caller};

    return writer_run(w, &tx, fn, context, &commit);
}

int instance_write(struct instance *i, instance_fn *fn, void *context)
{
    AUTO(arena_free) struct arena *arena = arena_new();
    struct problem problem = {0};
    struct writer *writer;

    int rc = writer_open(i->model, &writer);
    if (rc != 0)
        return instance_complain(STR_NULL, rc, &problem);
    rc = writer_begin(writer, WRITER_ROWS);
    if (rc == 0)
        rc = instance_run(i, writer, arena, fn, context, &problem);
    if (rc == 0)
        rc = writer_commit(writer);
    if (rc != 0)
        rc = instance_complain(STR_NULL, rc, &problem);
    writer_close(writer);
    return rc;
}

int instance_read(struct instance *i, instance_fn *fn, void *context)
{
    AUTO(arena_free) struct arena *arena = arena_new();
    AUTO(catalogue_unref) struct catalogue *catalogue = model_catalogue(i->model);
    AUTO(principal_unref) struct principal *system = principal_system(catalogue);
    const struct caller caller = {0};
    struct problem problem = {0};
    struct tx tx = {.arena = arena, .principal = system, .problem = &problem, .caller = &caller};
    struct reader *reader;

    int rc = reader_open(i->model, &reader);
    if (rc != 0)
        return instance_complain(STR_NULL, rc, &problem);
    rc = reader_begin(reader, &tx);
    if (rc == 0) {
        rc = fn(&tx, context);
        reader_end(reader);
    }
    if (rc != 0)
        rc = instance_complain(STR_NULL, rc, &problem);
    reader_close(reader);
    return rc;
}

/* ---- opening ---- */

/* The first admin, from the settings, when there is none yet. */
static int make_first_admin(struct tx *tx, void *context)
{
    const struct settings *s = context;
    bool has = false;
    int rc = identity_has_admin(tx, &has);

    if (rc != 0 || has)
        return rc;
    return identity_create_admin(tx, s->admin_email, s->admin_password, s->admin_token);
}

static struct model_settings model_settings_of(struct arena *a, const struct settings *s)
{
    return (struct model_settings){
        .store = settings_store(a, s),
        .access_token_ttl_ms = s->access_token_ttl,
        .refresh_token_ttl_ms = s->refresh_token_ttl,
        .query_limit_default = s->query_limit_default,
        .query_limit_max = s->query_limit_max,
        .batch_mutation_max = s->batch_mutation_max,
        .filter_depth_max = (unsigned)s->filter_depth_max,
        .login_attempts_max = (unsigned)s->login_attempts_max,
        .journal_retention_ms = s->journal_retention,
        .row_history_retention_ms = s->baserow_history_days * 24 * 3600 * 1000,
        .argon2_memory_kib = (unsigned)s->hash_memory_cost,
        .argon2_passes = (unsigned)s->hash_time_cost,
    };
}

static int open_model(struct instance *i, const struct settings *settings)
{
    struct str place = settings_place(i->arena, settings);
    int rc = model_open(&i->model_settings, &i->model);

    if (rc == STORE_LOCKED)
        fprintf(stderr, "rowcast: %.*s is in use by another rowcast process\n", STR_ARG(place));
    else if (rc != 0)
        fprintf(stderr, "rowcast: cannot open %.*s: %s\n", STR_ARG(place), fault_text());
    return rc;
}

int instance_open(const struct settings *settings, enum instance_access access,
                  struct instance *instance_out)
{
    struct instance *i = instance_out;
    int rc = 0;

    *i = (struct instance){.arena = arena_new()};
    i->model_settings = model_settings_of(i->arena, settings);
    i->model_settings.read_only = access == INSTANCE_READ;
    if (access != INSTANCE_READ)
        rc = find_secret(i, settings);
    if (rc == 0 && access == INSTANCE_SERVE && i->model_settings.secret.len == 0)
        rc = complain_secret();
    if (rc == 0)
        rc = open_model(i, settings);
    if (rc == 0 && access != INSTANCE_READ && settings->admin_email.len > 0) {
        struct settings copy = *settings;
        rc = instance_write(i, make_first_admin, &copy);
    }
    if (rc != 0)
        instance_close(i);
    return rc;
}

void instance_close(struct instance *i)
{
    model_close(i->model);
    arena_free(i->arena);
    *i = (struct instance){0};
}
