#include "model/journal.h"

#include <errno.h>

#include "base/fault.h"
#include "model/system.h"

enum { IMAGE_BYTES_MAX = 256 << 20 }; /* of one row as JSON; rows are bounded far below */
enum { WORKSPACE = 1 };               /* the default one */

static const struct column *column(const char *name)
{
    return &system_table(SYSTEM_JOURNAL)->shape.columns[system_column(SYSTEM_JOURNAL, name)];
}

/* ---- state ---- */

struct reading {
    struct arena *arena;
    struct journal_state *state;
    bool found;
};

static int read_state(void *context, const struct value *row)
{
    struct reading *r = context;

    *r->state = (struct journal_state){
        .epoch = arena_str(r->arena, system_text(SYSTEM_STATE, row, "epoch")),
        .head = system_integer(SYSTEM_STATE, row, "head"),
        .commits = system_integer(SYSTEM_STATE, row, "commits"),
        .catalogue_version = system_integer(SYSTEM_STATE, row, "catalogue_version"),
        .format = system_integer(SYSTEM_STATE, row, "format"),
    };
    r->found = true;
    return 0;
}

static int select_state(struct store *s, struct arena *a, struct select select,
                        struct journal_state *state_out)
{
    struct reading reading = {.arena = a, .state = state_out};

    select.shape = &system_table(SYSTEM_STATE)->shape;
    select.limit = 1;
    int rc = store_select(s, &select, read_state, &reading);
    if (rc == 0 && !reading.found)
        return FAULT_BECAUSE(EBADMSG, "the instance's state is missing");
    return rc;
}

int journal_state_read(struct store *s, struct arena *a, struct journal_state *state_out)
{
    return select_state(s, a, (struct select){.lock = false}, state_out);
}

int journal_state_lock(struct store *s, struct arena *a, struct journal_state *state_out)
{
    return select_state(s, a, (struct select){.lock = true}, state_out);
}

enum { STATE_COLUMNS = 6 };

static void assign_state(const struct journal_state *state, struct assignment *to)
{
    const struct value values[STATE_COLUMNS] = {
        value_integer(1),
        value_text(state->epoch),
        value_integer(state->head),
        value_integer(state->commits),
        value_integer(state->catalogue_version),
        value_integer(state->format),
    };

    for (size_t i = 0; i < STATE_COLUMNS; i++)
        to[i] = (struct assignment){&system_table(SYSTEM_STATE)->shape.columns[i], values[i]};
}

int journal_state_create(struct store *s, const struct journal_state *state)
{
    struct assignment assignments[STATE_COLUMNS];

    assign_state(state, assignments);
    return store_insert(s, &system_table(SYSTEM_STATE)->shape, assignments, STATE_COLUMNS, NULL,
                        NULL);
}

int journal_state_write(struct store *s, const struct journal_state *state)
{
    struct assignment assignments[STATE_COLUMNS];

    assign_state(state, assignments);
    return store_overwrite(s, &system_table(SYSTEM_STATE)->shape, assignments, STATE_COLUMNS,
                           &expr_true);
}

/* ---- appending ---- */

static struct value absent_or_text(struct str text)
{
    return text.at ? value_text(text) : value_null();
}

/* A row's image as a JSON object of all its columns, but for hidden ones that are null; null where
 * there is none. */
static struct value image_text(struct arena *a, const struct table *table, const struct value *row,
                               struct buf *scratch)
{
    if (!row)
        return value_null();
    buf_clear(scratch);
    for (size_t i = 0; i < table->shape.count; i++) {
        const struct column *c = &table->shape.columns[i];
        if (value_is_null(&row[i]) && field_hidden(&table->fields[i]))
            continue;
        buf_put_char(scratch, scratch->len == 0 ? '{' : ',');
        json_put_str(scratch, c->name);
        buf_put_char(scratch, ':');
        if (c->secret && row[i].kind == VALUE_TEXT)
            json_put_str(scratch, row[i].text); /* SECRET_SET, whatever the column's type */
        else
            type_write(scratch, c, &row[i]);
    }
    buf_put_char(scratch, '}');
    return value_text(arena_str(a, buf_str(scratch)));
}

static struct value changed_text(struct arena *a, const struct change *change, struct buf *scratch)
{
    const struct shape *shape = &change->table->shape;

    if (change->kind != CHANGE_UPDATE)
        return value_null(); /* all of them */
    buf_clear(scratch);
    for (unsigned i = 0; i < shape->count; i++) {
        if (!column_set_has(&change->changed, i))
            continue;
        if (scratch->len > 0)
            buf_put_char(scratch, ',');
        buf_put_str(scratch, shape->columns[i].name);
    }
    return value_text(arena_str(a, scratch->len > 0 ? buf_str(scratch) : STR("")));
}

static struct value key_text(struct arena *a, const struct value *key)
{
    return value_text(key->kind == VALUE_TEXT ? key->text
                                              : arena_printf(a, "%lld", (long long)key->integer));
}

static int append(struct store *s, struct arena *a, const struct commit *commit, size_t position,
                  struct buf *scratch)
{
    const struct shape *journal = &system_table(SYSTEM_JOURNAL)->shape;
    const struct change *change = commit->changes[position];
    const struct value values[] = {
        value_integer(change->sequence),
        value_integer(commit->number),
        value_integer((int64_t)position),
        value_integer(commit->time_ms),
        absent_or_text(commit->user),
        commit->origin ? value_integer((int64_t)commit->origin) : value_null(),
        absent_or_text(commit->request),
        value_text(str_of(change_kind_name(change->kind))),
        value_integer(WORKSPACE),
        value_text(change->table->name),
        key_text(a, &change->key.value),
        image_text(a, change->table, change->before, scratch),
        image_text(a, change->table, change->after, scratch),
        changed_text(a, change, scratch),
        value_integer(commit->catalogue->version),
    };
    struct assignment assignments[COUNT_OF(values)];

    if (scratch->failed)
        return FAULT_BECAUSE(EMSGSIZE, "a row of \"%.*s\" is too large for the journal",
                             STR_ARG(change->table->name));
    for (size_t i = 0; i < COUNT_OF(values); i++)
        assignments[i] = (struct assignment){&journal->columns[i], values[i]};
    return store_append(s, journal, assignments, COUNT_OF(values));
}

int journal_append(struct store *s, struct arena *scratch, struct commit *commit,
                   struct journal_state *state)
{
    struct buf text;
    int rc = 0;

    buf_init(&text, IMAGE_BYTES_MAX);
    commit->number = state->commits + 1;
    for (size_t i = 0; i < commit->count && rc == 0; i++) {
        commit->changes[i]->sequence = state->head + 1 + (int64_t)i;
        rc = append(s, scratch, commit, i, &text);
    }
    buf_deinit(&text);
    if (rc != 0)
        return rc < 0 ? rc : FAULT_BECAUSE(EBADMSG, "the journal refused an entry (%d)", rc);
    state->head += (int64_t)commit->count;
    state->commits = commit->number;
    return 0;
}

/* ---- reading ---- */

struct telling {
    journal_fn *entry;
    void *context;
};

static int tell(void *context, const struct value *row)
{
    const struct telling *t = context;
    const struct journal_entry entry = {
        .sequence = system_integer(SYSTEM_JOURNAL, row, "sequence"),
        .commit = system_integer(SYSTEM_JOURNAL, row, "commit"),
        .position = system_integer(SYSTEM_JOURNAL, row, "position"),
        .time_ms = system_integer(SYSTEM_JOURNAL, row, "time"),
        .schema_version = system_integer(SYSTEM_JOURNAL, row, "schema_version"),
        .user = system_text(SYSTEM_JOURNAL, row, "user"),
        .kind = system_text(SYSTEM_JOURNAL, row, "kind"),
        .table = system_text(SYSTEM_JOURNAL, row, "table"),
        .key = system_text(SYSTEM_JOURNAL, row, "key"),
        .before = system_text(SYSTEM_JOURNAL, row, "before"),
        .after = system_text(SYSTEM_JOURNAL, row, "after"),
        .changed = system_text(SYSTEM_JOURNAL, row, "changed"),
        .origin = (uint64_t)system_integer(SYSTEM_JOURNAL, row, "origin"),
    };
    return t->entry(t->context, &entry);
}

int journal_read(struct store *s, int64_t after, int64_t limit, journal_fn *entry, void *context)
{
    AUTO(arena_free) struct arena *arena = arena_new();
    struct order by = {.column = column("sequence")};
    struct select select = {
        .shape = &system_table(SYSTEM_JOURNAL)->shape,
        .where = system_test(arena, SYSTEM_JOURNAL, "sequence", OP_GT, value_integer(after)),
        .orders = &by,
        .order_count = 1,
        .limit = limit,
    };
    struct telling telling = {entry, context};

    return store_select(s, &select, tell, &telling);
}

static int tell_in_survey(void *context, const struct value *row)
{
    const struct telling *t = context;
    const struct journal_entry entry = {
        .sequence = row[0].integer,
        .commit = row[1].integer,
        .position = row[2].integer,
        .time_ms = row[3].integer,
        .kind = row[4].text,
        .table = row[5].text,
        .changed = row[6].kind == VALUE_TEXT ? row[6].text : STR_NULL,
        .schema_version = row[7].integer,
    };
    return t->entry(t->context, &entry);
}

int journal_survey(struct store *s, int64_t after, int64_t limit, journal_fn *entry, void *context)
{
    AUTO(arena_free) struct arena *arena = arena_new();
    const struct output outputs[] = {
        {.column = column("sequence")}, {.column = column("commit")},
        {.column = column("position")}, {.column = column("time")},
        {.column = column("kind")},     {.column = column("table")},
        {.column = column("changed")},  {.column = column("schema_version")},
    };
    struct order by = {.column = column("sequence")};
    struct select select = {
        .shape = &system_table(SYSTEM_JOURNAL)->shape,
        .outputs = outputs,
        .output_count = COUNT_OF(outputs),
        .where = system_test(arena, SYSTEM_JOURNAL, "sequence", OP_GT, value_integer(after)),
        .orders = &by,
        .order_count = 1,
        .limit = limit,
    };
    struct telling telling = {entry, context};

    return store_select(s, &select, tell_in_survey, &telling);
}

static int note_there(void *context, const struct value *row)
{
    (void)row;
    *(bool *)context = true;
    return 0;
}

int journal_has_request(struct store *s, int64_t after, struct str request, bool *has_out)
{
    AUTO(arena_free) struct arena *arena = arena_new();
    const struct output sequence = {.column = column("sequence")};
    const struct expr *above =
        system_test(arena, SYSTEM_JOURNAL, "sequence", OP_GT, value_integer(after));
    const struct expr *its =
        system_test(arena, SYSTEM_JOURNAL, "request", OP_EQ, value_text(request));
    struct select select = {
        .shape = &system_table(SYSTEM_JOURNAL)->shape,
        .outputs = &sequence,
        .output_count = 1,
        .where = expr_and(arena, above, its),
        .limit = 1,
    };
    bool has = false;

    int rc = store_select(s, &select, note_there, &has);
    if (rc == 0)
        *has_out = has;
    return rc;
}

struct search_for_tables {
    int64_t next; /* the entry that comes next, if none is gone */
    bool found;
};

enum { FOUND = 1 };

static int judge_entry(void *context, const struct value *row)
{
    struct search_for_tables *search = context;
    bool gone = row[0].integer != search->next++;

    search->found = gone || str_equal(row[1].text, system_table(SYSTEM_COLLECTIONS)->name) ||
                    str_equal(row[1].text, system_table(SYSTEM_FIELDS)->name);
    return search->found ? FOUND : 0;
}

int journal_has_tables(struct store *s, int64_t after, int64_t head, bool *has_out)
{
    AUTO(arena_free) struct arena *arena = arena_new();
    const struct output outputs[] = {{.column = column("sequence")}, {.column = column("table")}};
    struct order by = {.column = column("sequence")};
    struct select select = {
        .shape = &system_table(SYSTEM_JOURNAL)->shape,
        .outputs = outputs,
        .output_count = COUNT_OF(outputs),
        .where = system_test(arena, SYSTEM_JOURNAL, "sequence", OP_GT, value_integer(after)),
        .orders = &by,
        .order_count = 1,
        .limit = -1,
    };
    struct search_for_tables search = {.next = after + 1};

    int rc = store_select(s, &select, judge_entry, &search);
    if (rc < 0)
        return rc;
    *has_out = search.found || search.next <= head;
    return 0;
}

/* ---- retention ---- */

struct ageing {
    int64_t before_ms, last; /* last: the newest entry that may go */
};

enum { YOUNG_ENOUGH = 1 };

static int judge_age(void *context, const struct value *row)
{
    struct ageing *a = context;

    if (row[1].integer >= a->before_ms)
        return YOUNG_ENOUGH;
    a->last = row[0].integer;
    return 0;
}

int journal_prune(struct store *s, int64_t before_ms, int64_t limit)
{
    AUTO(arena_free) struct arena *arena = arena_new();
    const struct shape *shape = &system_table(SYSTEM_JOURNAL)->shape;
    const struct output outputs[] = {{.column = column("sequence")}, {.column = column("time")}};
    struct order by = {.column = column("sequence")};
    struct select select = {.shape = shape,
                            .outputs = outputs,
                            .output_count = COUNT_OF(outputs),
                            .orders = &by,
                            .order_count = 1,
                            .limit = limit};
    struct ageing ageing = {.before_ms = before_ms};

    int rc = store_select(s, &select, judge_age, &ageing);
    if (rc < 0 || ageing.last == 0)
        return rc < 0 ? rc : 0;
    return store_delete(
        s, shape,
        system_test(arena, SYSTEM_JOURNAL, "sequence", OP_LTE, value_integer(ageing.last)), 0, NULL,
        NULL);
}
