#include "model/counter.h"

#include <assert.h>
#include <errno.h>
#include <math.h>

#include "base/fault.h"
#include "base/mem.h"
#include "model/instance.h"
#include "model/items/records.h"
#include "model/workspace/options.h"

/* Of each column that was asked for: the highest number in use. Columns are told apart by the
 * table's number, which no later one has, and their name; a later one of that name starts anew.
 */
struct counters {
    struct map highest; /* int64_t */
    bool moved;         /* since the transaction began */
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
    c->moved = false;
}

void counters_begin(struct counters *c)
{
    c->moved = false;
}

void counters_undo(struct counters *c)
{
    if (c->moved)
        counters_forget(c);
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

/* ---- numbers of rows that have gone ---- */

/* The option's name: its value has a number for each column that needs one. */
static struct str note_name(struct tx *tx, const struct table *table)
{
    return arena_printf(tx->arena, "last_numbers/%lld", (long long)table->id);
}

/* In the arena; without a note an empty object. */
static int read_note(struct tx *tx, const struct table *table, json_t **note_out)
{
    const struct value *row;

    int rc = record_find(tx, SYSTEM_OPTIONS, "name", note_name(tx, table), &row);
    if (rc != 0)
        return rc;
    if (row && json_read_in(tx->arena, system_text(SYSTEM_OPTIONS, row, "value"), note_out, NULL))
        return FAULT_BECAUSE(EBADMSG, "the last numbers of a table are no JSON");
    if (row)
        return 0;
    *note_out = json_object();
    if (!*note_out)
        mem_exhausted();
    arena_on_free(tx->arena, json_release, *note_out);
    return 0;
}

static int64_t noted(const json_t *note, const struct column *column)
{
    return json_integer_value(json_object_getn(note, column->name.at, column->name.len));
}

/* The first time: what the rows say, and what is noted of those that have gone. */
static int start(struct tx *tx, const struct table *table, const struct column *column,
                 int64_t **highest_out)
{
    struct value value;
    struct key key;
    json_t *note;

    int rc = store_maximum(tx->store, &table->shape, column, NULL, &value);
    if (rc == 0)
        rc = read_note(tx, table, &note);
    if (rc != 0)
        return rc;
    int64_t *highest = MEM_NEW(int64_t);
    *highest = whole_above(&value);
    if (*highest < noted(note, column))
        *highest = noted(note, column);
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
    if (rc == 0) {
        *next_out = ++*highest;
        tx->model->counters->moved = true;
    }
    return rc;
}

void counter_raise(struct tx *tx, const struct table *table, const struct column *column,
                   const struct value *value)
{
    int64_t *highest = find(tx, table, column);
    int64_t given = whole_above(value);

    if (highest && *highest < given) {
        *highest = given;
        tx->model->counters->moved = true;
    }
}

static void set(struct tx *tx, const struct table *table, const struct column *column,
                int64_t number)
{
    int64_t *highest = MEM_NEW(int64_t);
    struct key key;

    *highest = number;
    key_of(&key, table, column);
    mem_free(map_put(&tx->model->counters->highest, key.text, highest));
    tx->model->counters->moved = true;
}

int counter_restart(struct tx *tx, const struct table *table, const struct column *column,
                    const struct value *highest)
{
    json_t *note;

    set(tx, table, column, whole_above(highest));
    int rc = read_note(tx, table, &note);
    if (rc != 0 || json_object_deln(note, column->name.at, column->name.len) != 0)
        return rc;
    return option_set(tx, arena_z(tx->arena, note_name(tx, table)), note);
}

int counter_leave(struct tx *tx, const struct table *table, const struct column *column,
                  const struct value *value)
{
    int64_t *highest = find(tx, table, column), number = whole_above(value);
    json_t *note;

    int rc = highest ? 0 : start(tx, table, column, &highest);
    if (rc != 0 || number < *highest)
        return rc;
    rc = read_note(tx, table, &note);
    if (rc != 0 || noted(note, column) >= number)
        return rc;
    if (json_object_setn_new(note, column->name.at, column->name.len, json_integer(number)) != 0)
        mem_exhausted();
    return option_set(tx, arena_z(tx->arena, note_name(tx, table)), note);
}
