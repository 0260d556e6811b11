#include <assert.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/json.h"
#include "base/random.h"
#include "model/copy/internal.h"
#include "model/journal.h"
#include "model/system.h"
#include "store/files.h"

/*
 * How it works: the source is read as any reader reads it, in one snapshot with its catalogue. The
 * target gets all tables, rows and counters in one transaction that may make tables, and is read
 * again before it is committed.
 *
 * Rows are appended, which lets a store far away take many at a time, but then a refusal does not
 * tell whose it is. So a copy that fails while rows are written is tried once more, with each row
 * awaited.
 */

struct copying {
    struct copy *copy;
    struct store *from, *to;
    const struct catalogue *catalogue;
    const struct shape **shapes; /* all but the state, which is not copied as it is */
    size_t count;
    bool awaited; /* each row by itself */
    bool refused_rows;

    /* the table at hand */
    const struct shape *shape;
    struct shape plain; /* the same, with a key that does not count: it is always given */
    struct assignment assignments[COLUMNS_MAX];
    enum copy_step step;
    int64_t rows, next_note, last_key;
};

static int64_t key_of(const struct copying *c, const struct value *row)
{
    return row[c->shape->key].integer;
}

/* ---- what there is to do ---- */

static void list_shapes(struct copying *c)
{
    const struct catalogue *catalogue = c->catalogue;

    c->shapes = ARENA_ARRAY(c->copy->arena, const struct shape *,
                            SYSTEM_TABLE_COUNT + catalogue->table_count + catalogue->trashed_count);
    for (unsigned which = 0; which < SYSTEM_TABLE_COUNT; which++)
        if (which != SYSTEM_STATE)
            c->shapes[c->count++] = &system_table(which)->shape;
    for (size_t i = 0; i < catalogue->table_count; i++)
        if (!catalogue->tables[i]->system)
            c->shapes[c->count++] = &catalogue->tables[i]->shape;
    for (size_t i = 0; i < catalogue->trashed_count; i++)
        c->shapes[c->count++] = &catalogue->trashed[i]->shape;
}

/* ---- telling ---- */

enum { FIRST_NOTE_ROWS = 100000 };

static void note(struct copying *c, bool finished)
{
    if (c->copy->note)
        c->copy->note(c->copy->context,
                      &(struct copy_note){c->step, c->shape->name, c->rows, finished});
}

/* Ever more seldom, so that a large table gives a few lines. */
static void count_row(void *context)
{
    struct copying *c = context;

    if (++c->rows < c->next_note)
        return;
    note(c, false);
    c->next_note *= 2;
}

static void start_table(struct copying *c, const struct shape *shape, enum copy_step step)
{
    c->shape = shape;
    c->step = step;
    c->rows = 0;
    c->next_note = FIRST_NOTE_ROWS;
    c->copy->subject = arena_printf(c->copy->arena, "table \"%.*s\"", STR_ARG(shape->name));
}

static struct str row_text(const struct copying *c, const struct value *key)
{
    const struct column *column = &c->shape->columns[c->shape->key];

    if (column->secret)
        return STR("a row");
    if (key->kind == VALUE_TEXT)
        return arena_printf(c->copy->arena, "row \"%.*s\"", STR_ARG(key->text));
    if (key->kind == VALUE_REAL)
        return arena_printf(c->copy->arena, "row %.17g", key->real);
    return arena_printf(c->copy->arena, "row %lld", (long long)key->integer);
}

/* ---- tables ---- */

static int check_free(struct copying *c, struct str name)
{
    bool there;
    int rc = store_table_exists(c->to, name, &there);

    if (rc != 0 || !there)
        return rc;
    return copy_refuse(c->copy, "the target has a table \"%.*s\" already", STR_ARG(name));
}

/* Nothing is made before it is known that all of it is free. */
static int check_target(struct copying *c)
{
    bool there;
    int rc = store_table_exists(c->to, system_table(SYSTEM_STATE)->shape.name, &there);

    if (rc == 0 && there)
        return copy_refuse(c->copy, "the target holds an instance already");
    for (size_t i = 0; i < c->count && rc == 0; i++)
        rc = check_free(c, c->shapes[i]->name);
    return rc;
}

static int create_table(struct copying *c, const struct shape *shape)
{
    start_table(c, shape, COPY_WRITTEN);
    int rc = store_create_table(c->to, shape);
    if (rc <= 0)
        return rc;

    struct str column = store_detail(c->to).column;
    struct str which =
        column.at ? arena_printf(c->copy->arena, ", column \"%.*s\"", STR_ARG(column)) : STR("");
    const char *why = rc == STORE_RANGE ? "the name is longer than the 63 bytes that it may have"
                                        : "there is one of that name already";
    return copy_refuse(c->copy, "table \"%.*s\"%.*s: %s", STR_ARG(shape->name), STR_ARG(which),
                       why);
}

/* ---- rows ---- */

static const char *words_of(int outcome)
{
    switch (outcome) {
    case STORE_NOT_UNIQUE:
        return "is there twice";
    case STORE_NULL:
        return "is empty, and may not be";
    default:
        return "is too long, out of range, or of a wrong kind";
    }
}

/* PostgreSQL checks JSON that other programs wrote to SQLite, but does not say in which column. */
static struct str find_column(const struct copying *c, const struct value *row)
{
    for (size_t i = 0; i < c->shape->count; i++) {
        const struct column *column = &c->shape->columns[i];
        AUTO(arena_free) struct arena *scratch = arena_new();
        json_t *json;
        if (value_is_null(&row[i])
                ? !column->nullable
                : column->type == TYPE_JSON && json_read_in(scratch, row[i].text, &json, NULL) != 0)
            return column->name;
    }
    return STR_NULL;
}

static int refuse_row(struct copying *c, const struct value *row, int outcome)
{
    struct str column = store_detail(c->to).column;

    if (!column.at)
        column = find_column(c, row);
    struct str where = row_text(c, &row[c->shape->key]);
    if (!column.at)
        return copy_refuse(c->copy, "table \"%.*s\", %.*s: a value %s", STR_ARG(c->shape->name),
                           STR_ARG(where), words_of(outcome));
    return copy_refuse(c->copy, "table \"%.*s\", %.*s: the value of column \"%.*s\" %s",
                       STR_ARG(c->shape->name), STR_ARG(where), STR_ARG(column), words_of(outcome));
}

static int write_row(void *context, const struct value *row)
{
    struct copying *c = context;
    const struct shape *shape = &c->plain;

    for (size_t i = 0; i < shape->count; i++)
        c->assignments[i] = (struct assignment){&shape->columns[i], row[i]};
    int rc = c->awaited ? store_insert(c->to, shape, c->assignments, shape->count, NULL, NULL)
                        : store_append(c->to, shape, c->assignments, shape->count);
    if (rc != 0) {
        c->refused_rows = true;
        return rc > 0 ? refuse_row(c, row, rc) : rc;
    }
    if (c->shape->columns[c->shape->key].auto_increment && key_of(c, row) > c->last_key)
        c->last_key = key_of(c, row);
    count_row(c);
    return 0;
}

static void take_shape(struct copying *c, struct arena *scratch)
{
    struct column *columns = ARENA_ARRAY(scratch, struct column, c->shape->count);

    assert(c->shape->count <= COLUMNS_MAX);
    memcpy(columns, c->shape->columns, sizeof(*columns) * c->shape->count);
    columns[c->shape->key].auto_increment = false;
    c->plain = *c->shape;
    c->plain.columns = columns;
}

/* Rows that were put off are there, or have failed, when the target answers. */
static int settle_rows(struct copying *c)
{
    const struct select all = {.shape = c->shape};
    int64_t count;
    int rc = store_count(c->to, &all, &count);

    c->refused_rows |= rc != 0;
    if (rc == 0 && count != c->rows)
        rc = copy_refuse(c->copy, "table \"%.*s\" has %lld rows, the copy of it %lld",
                         STR_ARG(c->shape->name), (long long)c->rows, (long long)count);
    return rc;
}

/* What was given to a row that is no more is not given again. */
static int copy_counter(struct copying *c)
{
    int64_t from, to;

    if (!c->shape->columns[c->shape->key].auto_increment)
        return 0;
    int rc = store_last_key(c->from, c->shape, &from);
    if (rc == 0 && from > c->last_key)
        c->last_key = from;
    if (rc == 0)
        rc = store_raise_last_key(c->to, c->shape, c->last_key);
    if (rc == 0)
        rc = store_last_key(c->to, c->shape, &to);
    if (rc == 0 && to != c->last_key)
        rc = copy_refuse(c->copy, "table \"%.*s\": keys go on behind %lld, in the copy behind %lld",
                         STR_ARG(c->shape->name), (long long)c->last_key, (long long)to);
    return rc;
}

static int copy_table(struct copying *c, const struct shape *shape)
{
    AUTO(arena_free) struct arena *scratch = arena_new();
    struct select select = {.shape = shape, .limit = -1};

    start_table(c, shape, COPY_WRITTEN);
    c->last_key = 0;
    take_shape(c, scratch);
    int rc = store_select(c->from, &select, write_row, c);
    if (rc == 0)
        rc = settle_rows(c);
    if (rc == 0)
        rc = copy_counter(c);
    if (rc == 0)
        note(c, true);
    return rc;
}

/* ---- the state ---- */

/* Head, commits and versions go on, in a history of another name. */
static int copy_state(struct copying *c)
{
    char epoch[UUID_TEXT_SIZE];
    struct journal_state state, written;
    struct arena *a = c->copy->arena;

    random_uuid(epoch);
    start_table(c, &system_table(SYSTEM_STATE)->shape, COPY_WRITTEN);
    int rc = journal_state_read(c->from, a, &state);
    state.epoch = arena_str(a, str_of(epoch));
    if (rc == 0)
        rc = journal_state_create(c->to, &state);
    if (rc == 0)
        rc = journal_state_read(c->to, a, &written);
    if (rc != 0)
        return rc > 0 ? copy_refuse(c->copy, "the instance's state was refused") : rc;
    c->copy->epoch = state.epoch;
    if (!str_equal(state.epoch, written.epoch) || state.head != written.head ||
        state.commits != written.commits || state.format != written.format ||
        state.catalogue_version != written.catalogue_version)
        return copy_refuse(c->copy, "the instance's state differs in the copy");
    return 0;
}

/* ---- comparing ---- */

static int compare_table(struct copying *c, const struct shape *shape)
{
    struct difference difference;

    start_table(c, shape, COPY_COMPARED);
    int rc = compare_tables(c->from, c->to, shape, c->copy->arena, count_row, c, &difference);
    if (rc == 0) {
        note(c, true);
        c->copy->rows += c->rows;
        c->copy->tables++;
    }
    if (rc <= 0)
        return rc;

    struct str row = row_text(c, &difference.key);
    if (!difference.column)
        return copy_refuse(c->copy, "table \"%.*s\": %.*s is not on both sides",
                           STR_ARG(shape->name), STR_ARG(row));
    return copy_refuse(c->copy, "table \"%.*s\", %.*s: column \"%.*s\" differs",
                       STR_ARG(shape->name), STR_ARG(row), STR_ARG(difference.column->name));
}

/* ---- all of it ---- */

static int fill_target(struct copying *c)
{
    int rc = check_target(c);

    if (rc == 0)
        rc = create_table(c, &system_table(SYSTEM_STATE)->shape);
    for (size_t i = 0; i < c->count && rc == 0; i++)
        rc = create_table(c, c->shapes[i]);
    for (size_t i = 0; i < c->count && rc == 0; i++)
        rc = copy_table(c, c->shapes[i]);
    if (rc == 0)
        rc = copy_state(c);
    for (size_t i = 0; i < c->count && rc == 0; i++)
        rc = compare_table(c, c->shapes[i]);
    return rc;
}

static int commit_target(struct copying *c)
{
    c->copy->subject = STR("the target");
    int rc = store_commit(c->to);

    if (rc > 0) {
        struct str table = store_detail(c->to).table;
        return copy_refuse(c->copy, "rows%s%.*s refer to rows that are not there",
                           table.at ? " of table " : "", STR_ARG(table));
    }
    if (rc < 0 && store_trouble(c->to) == STORE_UNCERTAIN)
        return copy_refuse(c->copy,
                           "the connection was lost at the very end: all of it may be there, or "
                           "nothing");
    return rc;
}

static int run_transaction(struct copying *c)
{
    c->copy->rows = 0;
    c->copy->tables = 0;
    c->refused_rows = false;
    int rc = store_begin(c->to, STORE_SCHEMA);
    if (rc == 0)
        rc = fill_target(c);
    if (rc == 0)
        return commit_target(c);
    store_rollback(c->to);
    return rc;
}

static int copy_into(struct copying *c)
{
    int rc = run_transaction(c);
    bool untold = rc < 0 && c->refused_rows && store_trouble(c->to) == STORE_SOUND;

    if (!untold || c->copy->to.client == STORE_SQLITE) /* which always awaits */
        return rc;
    c->awaited = true;
    return run_transaction(c);
}

static bool file_exists(const struct copy *copy)
{
    return access(arena_z(copy->arena, copy->to.filename), F_OK) == 0;
}

/* A file that was not there before is not there after a failure. */
static int copy_to(struct copying *c)
{
    struct copy *copy = c->copy;
    bool is_file = copy->to.client == STORE_SQLITE;
    bool fresh = is_file && !file_exists(copy);

    copy->subject = STR("the target");
    int rc = store_open(&copy->to, STORE_WRITE, &c->to);
    if (rc == STORE_LOCKED)
        return copy_refuse(c->copy, "the target is in use by another rowcast process");
    if (rc == 0)
        rc = copy_into(c);
    store_close(c->to);
    if (rc != 0 && fresh)
        store_remove_files(copy->to.filename);
    return rc;
}

static int touch_row(void *context, const struct value *row)
{
    (void)context, (void)row;
    return 0;
}

/* A table that was read from keeps its definition until the read ends. */
static int touch_tables(struct copying *c)
{
    int rc = 0;

    for (size_t i = 0; i < c->count && rc == 0; i++) {
        const struct select first = {.shape = c->shapes[i], .limit = 1};
        rc = store_select(c->from, &first, touch_row, NULL);
    }
    return rc;
}

/* Where tables are met as they are now (store_tables_shift), one that was changed before it was
 * touched would be copied without its rows. A second reader tells. */
static int hold_tables(struct copying *c, struct model *source)
{
    struct tx tx = {.arena = c->copy->arena};
    struct reader *second = NULL;

    int rc = touch_tables(c);
    if (rc == 0)
        rc = reader_open(source, &second);
    if (rc == 0)
        rc = reader_begin(second, &tx);
    if (rc == 0 && tx.catalogue->version != c->catalogue->version)
        rc = copy_refuse(c->copy, "tables were changed meanwhile: try again");
    if (second && tx.store)
        reader_end(second);
    reader_close(second);
    return rc;
}

int model_copy(struct copy *copy)
{
    const struct model_settings settings = {.store = copy->from, .read_only = true};
    struct copying c = {.copy = copy};
    struct tx tx = {.arena = copy->arena};
    struct model *model = NULL;
    struct reader *reader = NULL;

    copy->subject = STR("the source");
    int rc = model_open(&settings, &model);
    if (rc == 0)
        rc = reader_open(model, &reader);
    if (rc == 0)
        rc = reader_begin(reader, &tx);
    if (rc == 0) {
        c.from = tx.store;
        c.catalogue = tx.catalogue;
        list_shapes(&c);
        rc = hold_tables(&c, model);
        if (rc == 0)
            rc = copy_to(&c);
        reader_end(reader);
    }
    reader_close(reader);
    model_close(model);
    return rc;
}
