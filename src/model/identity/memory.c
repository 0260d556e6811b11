#include "model/identity/memory.h"

#include <pthread.h>

#include "base/map.h"
#include "base/mem.h"

/*
 * Both maps are bounded, and begin anew when they are full: a principal is then made again, and
 * failures are counted from zero, which costs an attacker who can fail that often little.
 */
enum { PRINCIPALS_MAX = 4096, FAILURES_MAX = 65536 };

struct identity_memory {
    pthread_mutex_t lock;
    struct catalogue *catalogue; /* of the principals; a reference; NULL: there are none */
    struct map principals;       /* struct principal, a reference each */
    struct map failures;         /* by user: the count itself */
};

struct identity_memory *identity_memory_new(void)
{
    struct identity_memory *m = MEM_NEW(struct identity_memory);

    pthread_mutex_init(&m->lock, NULL);
    map_init(&m->principals);
    map_init(&m->failures);
    return m;
}

static void drop_principals(struct identity_memory *m)
{
    void *principal;

    for (size_t i = 0; map_next(&m->principals, &i, NULL, &principal);)
        principal_unref(principal);
    map_deinit(&m->principals);
    catalogue_unref(m->catalogue);
    m->catalogue = NULL;
}

void identity_memory_free(struct identity_memory *m)
{
    if (!m)
        return;
    drop_principals(m);
    map_deinit(&m->failures);
    pthread_mutex_destroy(&m->lock);
    mem_free(m);
}

struct principal *memory_principal(struct tx *tx, struct str key)
{
    struct identity_memory *m = tx->model ? model_identity(tx->model) : NULL;
    struct principal *found = NULL;

    if (!m)
        return NULL;
    pthread_mutex_lock(&m->lock);
    if (m->catalogue == tx->catalogue)
        found = map_get(&m->principals, key);
    if (found)
        principal_ref(found);
    pthread_mutex_unlock(&m->lock);
    return found;
}

/* Within a write there may be catalogues that are never published. What is made under one of them
 * may rest on rows that are rolled back. */
static bool is_published(struct tx *tx)
{
    AUTO(catalogue_unref) struct catalogue *published = model_catalogue(tx->model);
    return published == tx->catalogue;
}

void memory_keep_principal(struct tx *tx, struct str key, struct principal *principal)
{
    struct identity_memory *m = tx->model ? model_identity(tx->model) : NULL;

    if (!m || !is_published(tx))
        return;
    pthread_mutex_lock(&m->lock);
    if (m->catalogue != tx->catalogue || m->principals.count >= PRINCIPALS_MAX) {
        drop_principals(m);
        m->catalogue = catalogue_ref(tx->catalogue);
    }
    principal_unref(map_put(&m->principals, key, principal_ref(principal)));
    pthread_mutex_unlock(&m->lock);
}

unsigned memory_count_failure(struct tx *tx, struct str user)
{
    struct identity_memory *m = model_identity(tx->model);

    pthread_mutex_lock(&m->lock);
    uintptr_t count = (uintptr_t)map_get(&m->failures, user) + 1;
    if (m->failures.count >= FAILURES_MAX)
        map_deinit(&m->failures);
    map_put(&m->failures, user, (void *)count);
    pthread_mutex_unlock(&m->lock);
    return (unsigned)count;
}

void memory_forget_failures(struct tx *tx, struct str user)
{
    struct identity_memory *m = model_identity(tx->model);

    pthread_mutex_lock(&m->lock);
    map_remove(&m->failures, user);
    pthread_mutex_unlock(&m->lock);
}
