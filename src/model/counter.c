#include "model/counter.h"

#include <assert.h>
#include <math.h>

#include "base/mem.h"
#include "model/instance.h"

/* Of each column that was asked for: the highest number in use. Columns are told apart by the
 * table's number and their name, which no later table or column has as long as this process lives.
 */
struct counters {
    struct map highest; /* int64_t */
};

struct counters *counters_new(void)
{
    return MEM_NEW(struct counters);
}

void counters_forget(struct counters *c)
{
    void *number;

    for (size_t i = 0; map_next(&c->highest, &i, NULL, &number);)
        mem_free(number);
    map_deinit(&c->highest);
    map_init(&c->highest);
}

void counters_free(struct counters *c)
{
    if (!c)
        return;
    counters_forget(c);
    map_deinit(&c->highest);
    mem_free(c);
}

enum { KEY_SIZE = sizeof(int64_t) + STORE_NAME_MAX };
struct key {
    char bytes[KEY_SIZE];
    struct str text;
};

static void key_of(struct key *k, const struct table *table, const struct column *column)
{
    assert(column->name.len <= STORE_NAME_MAX);
    memcpy(k->bytes, &table->id, sizeof(table->id));
    memcpy(k->bytes + sizeof(table->id), column->name.at, column->name.len);
    k->text = (struct str){k->bytes, sizeof(table->id) + column->name.len};
}

/* Where counting goes on behind a value: of places the whole number above. Clients may give any
 * number to a field that counts; past those that all of them can read it starts no more. */
static int64_t whole_above(const struct value *v)
{
    const int64_t most = INT64_C(1) << 53;
    double number = v->kind == VALUE_INTEGER ? (double)v->integer
                    : v->kind == VALUE_REAL  ? ceil(v->real)
                                             : 0;

    if (!(number > 0))
        return 0;
    return number < (double)most ? (int64_t)number : most;
}

static int64_t *find(struct tx *tx, const struct table *table, const struct column *column)
{
    struct key key;

    key_of(&key, table, column);
    return map_get(&tx->model->counters->highest, key.text);
}

/* The first time: what the rows say. */
static int start(struct tx *tx, const struct table *table, const struct column *column,
                 int64_t **highest_out)
{
    struct value value;
    struct key key;

    int rc = store_maximum(tx->store, &table->shape, column, NULL, &value);
    if (rc != 0)
        return rc;
    int64_t *highest = MEM_NEW(int64_t);
    *highest = whole_above(&value);
    key_of(&key, table, column);
    map_put(&tx->model->counters->highest, key.text, highest);
    *highest_out = highest;
    return 0;
}

int counter_next(struct tx *tx, const struct table *table, const struct column *column,
                 int64_t *next_out)
{
    int64_t *highest = find(tx, table, column);
    int rc = highest ? 0 : start(tx, table, column, &highest);

    assert(tx->commit);
    if (rc == 0)
        *next_out = ++*highest;
    return rc;
}

void counter_raise(struct tx *tx, const struct table *table, const struct column *column,
                   const struct value *value)
{
    int64_t *highest = find(tx, table, column);
    int64_t given = whole_above(value);

    if (highest && *highest < given)
        *highest = given;
}
