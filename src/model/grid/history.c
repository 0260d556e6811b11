#include "model/grid/history.h"

#include <errno.h>
#include <inttypes.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/map.h"
#include "model/system.h"

/*
 * An entry says which fields of a row were what before and what after. It is kept as the JSON that
 * is told, without its id, beside the row's name ("7/14") by which it is found.
 *
 * It is no change: nothing of it stands in the journal, whose projection it is.
 */

#define HISTORY(column)                                                                            \
    (&system_table(SYSTEM_HISTORY)->shape.columns[system_column(SYSTEM_HISTORY, (column))])

/* ---- one entry ---- */

/* A row as it was and as it is; NULL: it was not there, or is not there any more. */
struct moment {
    const struct value *row;
    const struct links *links;
};
struct entry {
    struct tx *tx;
    const struct grid_table *table;
    const char *action;
    struct moment before, after;
    struct column_set changed; /* columns of the table */
};

static const struct value *key_of(const struct entry *e)
{
    const struct value *row = e->after.row ? e->after.row : e->before.row;

    return &row[e->table->table->shape.key];
}

static bool same_links(const struct link_cell *a, const struct link_cell *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!value_equal(&a->at[i].key, &b->at[i].key))
            return false;
    return true;
}

static const struct link_cell *links_at(const struct entry *e, const struct moment *m,
                                        const struct grid_field *f)
{
    static const struct link_cell none;

    return m->row ? links_cell(m->links, f, key_of(e)) : &none;
}

static struct value cell_at(const struct moment *m, const struct grid_field *f)
{
    return m->row ? m->row[f->column->index] : kind_empty(f);
}

/* What the server fills in by itself is no news; of a new row only what is not empty is. */
static bool is_told(const struct entry *e, const struct grid_field *f)
{
    if (f->kind->flags & KIND_READ_ONLY)
        return false;
    if (f->kind->id == KIND_LINK_ROW)
        return !same_links(links_at(e, &e->before, f), links_at(e, &e->after, f));
    if (!column_set_has(&e->changed, f->column->index))
        return false;
    struct value cell = cell_at(&e->after, f);
    return e->before.row || !kind_is_empty(f, &cell);
}

static void put_cell(struct buf *b, const struct entry *e, const struct moment *m,
                     const struct grid_field *f)
{
    if (f->kind->id == KIND_LINK_ROW) {
        links_write_ids(b, links_at(e, m, f));
        return;
    }
    struct value cell = cell_at(m, f);
    kind_write_history(b, f, &cell);
}

/* The rows that a link field names, before or after, each once. */
static void put_linked(struct buf *b, const struct entry *e, const struct grid_field *f)
{
    const struct link_cell *cells[] = {links_at(e, &e->before, f), links_at(e, &e->after, f)};
    struct map named = {0}; /* by id */

    buf_put_lit(b, ",\"linked_rows\":{");
    for (size_t c = 0; c < COUNT_OF(cells); c++)
        for (size_t i = 0; i < cells[c]->count; i++) {
            const struct linked *row = &cells[c]->at[i];
            const struct str id = {(const char *)&row->id, sizeof(row->id)};
            bool first = named.count == 0;
            if (map_put(&named, id, &named))
                continue;
            buf_printf(b, "%s\"%" PRId64 "\":{\"value\":", first ? "" : ",", row->id);
            json_put_str(b, row->name);
            buf_put_char(b, '}');
        }
    map_deinit(&named);
    buf_put_char(b, '}');
}

static void put_metadata(struct buf *b, const struct entry *e, const struct grid_field *f)
{
    buf_put_char(b, '{');
    struct value before = f->column ? cell_at(&e->before, f) : value_null();
    struct value after = f->column ? cell_at(&e->after, f) : value_null();
    kind_put_history_metadata(b, f, &before, &after);
    if (f->kind->id == KIND_LINK_ROW) {
        const struct grid_field *related = f->link->related;
        const struct value *row = e->after.row ? e->after.row : e->before.row;
        put_linked(b, e, f);
        buf_put_lit(b, ",\"primary_value\":");
        json_put_str(b, grid_row_name(e->tx->arena, e->table, row));
        buf_printf(b, ",\"linked_table_id\":%" PRId64 ",\"linked_field_id\":", f->link->target->id);
        if (related)
            json_put_int(b, related->id);
        else
            buf_put_lit(b, "null");
    }
    buf_put_char(b, '}');
}

enum part { PART_BEFORE, PART_AFTER, PART_METADATA };

/* `{"field_31":…}` of all fields that are told. */
static void put_part(struct buf *b, const struct entry *e, enum part part)
{
    bool started = false;

    buf_put_char(b, '{');
    for (size_t i = 0; i < e->table->field_count; i++) {
        const struct grid_field *f = &e->table->fields[i];
        if (!e->after.row || !is_told(e, f)) /* of a row that is gone nothing is told */
            continue;
        buf_printf(b, "%s\"field_%" PRId64 "\":", started ? "," : "", f->id);
        started = true;
        if (part == PART_METADATA)
            put_metadata(b, e, f);
        else
            put_cell(b, e, part == PART_BEFORE ? &e->before : &e->after, f);
    }
    buf_put_char(b, '}');
}

/* Who is in no workspace any more is not known by name. */
static void put_user(struct buf *b, const struct tx *tx)
{
    size_t count = 0;
    const struct member *const *memberships =
        tx->commit->user.at ? catalogue_memberships(tx->catalogue, tx->commit->user, &count) : NULL;

    if (count == 0) {
        buf_put_lit(b, "{\"id\":null,\"name\":\"\"}");
        return;
    }
    buf_printf(b, "{\"id\":%" PRId64 ",\"name\":", memberships[0]->account);
    json_put_str(b, memberships[0]->name);
    buf_put_char(b, '}');
}

static struct str entry_text(const struct entry *e)
{
    char time[CLOCK_TEXT_MAX];
    struct buf b;

    clock_write_moment(e->tx->now_ms, time);
    buf_init(&b, SIZE_MAX);
    buf_printf(&b, "{\"action_type\":\"%s\",\"action_command_type\":\"DO\",\"user\":", e->action);
    put_user(&b, e->tx);
    buf_put_lit(&b, ",\"timestamp\":");
    json_put_str(&b, str_of(time));
    buf_put_lit(&b, ",\"before\":");
    put_part(&b, e, PART_BEFORE);
    buf_put_lit(&b, ",\"after\":");
    put_part(&b, e, PART_AFTER);
    buf_put_lit(&b, ",\"fields_metadata\":");
    put_part(&b, e, PART_METADATA);
    buf_put_char(&b, '}');
    struct str text = arena_str(e->tx->commit->arena, buf_str(&b));
    buf_deinit(&b);
    return text;
}

static bool says_something(const struct entry *e)
{
    for (size_t i = 0; i < e->table->field_count; i++)
        if (is_told(e, &e->table->fields[i]))
            return true;
    return false;
}

/* ---- writing ---- */

struct writing {
    struct tx *tx;
    unsigned *sizes; /* of operations */
    struct history_entry **list;
    size_t count, capacity;
};

static int take_id(void *context, const struct value *row)
{
    int64_t *id = context;

    *id = system_integer(SYSTEM_HISTORY, row, "id");
    return 0;
}

static struct str with_id(struct arena *a, int64_t id, struct str text)
{
    return arena_printf(a, "{\"id\":%" PRId64 ",%.*s", id, STR_ARG(str_skip(text, 1)));
}

static struct history_entry *next(struct writing *w)
{
    struct arena *a = w->tx->commit->arena;

    if (w->count == w->capacity) {
        size_t capacity = w->capacity ? w->capacity * 2 : 8;
        struct history_entry **list = ARENA_ARRAY(a, struct history_entry *, capacity);
        if (w->count > 0)
            memcpy(list, w->list, w->count * sizeof(*list));
        w->list = list;
        w->capacity = capacity;
    }
    return w->list[w->count++] = ARENA_NEW(a, struct history_entry);
}

static int write_entry(struct writing *w, const struct entry *e)
{
    struct tx *tx = w->tx;
    const struct value *row = e->after.row ? e->after.row : e->before.row;
    int64_t id = 0, number = grid_row_id(e->table, row);
    char time[CLOCK_TEXT_MAX], timestamp[CLOCK_TEXT_MAX];

    clock_write_timestamp(tx->now_ms, time);
    clock_write_moment(tx->now_ms, timestamp);
    struct str text = entry_text(e);
    const struct assignment assignments[] = {
        {HISTORY("subject"),
         value_text(arena_printf(tx->arena, "%" PRId64 "/%" PRId64, e->table->id, number))},
        {HISTORY("time"), value_text(str_of(time))},
        {HISTORY("entry"), value_text(text)},
    };
    int rc = store_insert(tx->store, &system_table(SYSTEM_HISTORY)->shape, assignments,
                          COUNT_OF(assignments), take_id, &id);
    if (rc == 0)
        *next(w) = (struct history_entry){
            .id = id,
            .table = e->table->id,
            .row = number,
            .text = with_id(tx->commit->arena, id, text),
        };
    return rc > 0 ? FAULT_BECAUSE(EPROTO, "an entry of history was refused (%d)", rc) : rc;
}

/* How many rows each operation changed: one is told otherwise than several. */
static unsigned *count_operations(struct tx *tx)
{
    const struct commit *c = tx->commit;
    unsigned *sizes = ARENA_ARRAY(tx->arena, unsigned, c->operations);

    for (size_t i = 0; i < c->count; i++)
        sizes[c->changes[i]->operation]++;
    return sizes;
}

static const char *action_of(const struct writing *w, const struct change *change,
                             const struct note *note)
{
    bool several = w->sizes[change->operation] > 1;

    if (note && note->kind == NOTE_RESTORED)
        return "restore_from_trash";
    switch (change->kind) {
    case CHANGE_CREATE:
        return several ? "create_rows" : "create_row";
    case CHANGE_UPDATE:
        return "update_rows";
    case CHANGE_DELETE:
        return several ? "delete_rows" : "delete_row";
    }
    return "";
}

/* Tables that were made in an application, and what members change elsewhere; but not what comes in
 * bulk. */
static bool is_kept(const struct commit *c, const struct grid_table *t, const struct note *note)
{
    if (!t || (note && note->kind == NOTE_BULK))
        return false;
    bool by_member = note != NULL;
    for (const struct note *n = c->news ? c->news->notes : NULL; n && !by_member; n = n->next)
        by_member = n->table == t->table; /* of another operation of the same batch */
    return t->placed || by_member;
}

static int write_change(struct writing *w, const struct change *c)
{
    const struct commit *commit = w->tx->commit;
    const struct grid_table *t =
        c->table->system ? NULL : grid_table_of(commit->catalogue, c->table);
    const struct note *note = news_find(commit, c->operation);

    if (!is_kept(commit, t, note))
        return 0;
    const struct news_links *links = news_links_of(commit, t);
    const struct entry e = {
        .tx = w->tx,
        .table = t,
        .action = action_of(w, c, note),
        .before = {c->before, links ? links->before : NULL},
        .after = {c->after, links ? links->after : NULL},
        .changed = c->changed,
    };
    if (c->kind == CHANGE_UPDATE && !says_something(&e))
        return 0;
    return write_entry(w, &e);
}

/* Rows of other tables of which only links changed (not the names of what they link to). */
static int write_aside(struct writing *w, const struct aside *aside)
{
    int rc = 0;

    for (size_t i = 0; i < aside->count && rc == 0; i++) {
        const struct entry e = {
            .tx = w->tx,
            .table = aside->table,
            .action = "update_rows",
            .before = {aside->rows[i].before, aside->links_before},
            .after = {aside->rows[i].row, aside->links},
        };
        if (aside->table->placed && says_something(&e))
            rc = write_entry(w, &e);
    }
    return rc;
}

int history_write(struct tx *tx)
{
    struct commit *commit = tx->commit;
    struct writing w = {.tx = tx};
    int rc = 0;

    if (tx->settings->row_history_retention_ms <= 0)
        return 0;
    w.sizes = count_operations(tx);
    for (size_t i = 0; i < commit->count && rc == 0; i++)
        rc = write_change(&w, commit->changes[i]);
    for (const struct aside *a = commit->news ? commit->news->asides : NULL; a && rc == 0;
         a = a->next)
        rc = write_aside(&w, a);
    if (rc != 0 || w.count == 0)
        return rc;
    if (!commit->news)
        commit->news = ARENA_NEW(commit->arena, struct news);
    commit->news->history = (const struct history_entry *const *)w.list;
    commit->news->history_count = w.count;
    return 0;
}

/* ---- reading ---- */

struct listing {
    struct tx *tx;
    const struct grid_table *table;
    int64_t row;
    struct history_entry *list;
    size_t count, capacity;
};

static int take_entry(void *context, const struct value *row)
{
    struct listing *l = context;
    struct arena *a = l->tx->arena;
    int64_t id = system_integer(SYSTEM_HISTORY, row, "id");

    if (l->count == l->capacity) {
        size_t capacity = l->capacity ? l->capacity * 2 : 16;
        struct history_entry *list = ARENA_ARRAY(a, struct history_entry, capacity);
        if (l->count > 0)
            memcpy(list, l->list, l->count * sizeof(*list));
        l->list = list;
        l->capacity = capacity;
    }
    l->list[l->count++] = (struct history_entry){
        .id = id,
        .table = l->table->id,
        .row = l->row,
        .text = with_id(a, id, system_text(SYSTEM_HISTORY, row, "entry")),
    };
    return 0;
}

int history_list(struct tx *tx, const struct grid_table *t, int64_t row, int64_t limit,
                 int64_t offset, struct history_entry **list_out, size_t *count_out,
                 int64_t *total_out)
{
    const struct order newest = {.column = HISTORY("id"), .descending = true};
    struct str subject = arena_printf(tx->arena, "%" PRId64 "/%" PRId64, t->id, row);
    const struct select select = {
        .shape = &system_table(SYSTEM_HISTORY)->shape,
        .where = system_test(tx->arena, SYSTEM_HISTORY, "subject", OP_EQ, value_text(subject)),
        .orders = &newest,
        .order_count = 1,
        .limit = limit,
        .offset = offset,
        .now_ms = tx->now_ms,
    };
    struct listing listing = {.tx = tx, .table = t, .row = row};

    int rc = store_count(tx->store, &select, total_out);
    if (rc == 0)
        rc = store_select(tx->store, &select, take_entry, &listing);
    if (rc == 0) {
        *list_out = listing.list;
        *count_out = listing.count;
    }
    return rc;
}

/* ---- what is too old ---- */

enum { PRUNE_ENTRIES_MAX = 2000 };

struct oldest {
    struct value *ids;
    size_t count;
};

static int take_oldest(void *context, const struct value *row)
{
    struct oldest *oldest = context;

    oldest->ids[oldest->count++] = value_integer(system_integer(SYSTEM_HISTORY, row, "id"));
    return 0;
}

int history_prune(struct tx *tx, int64_t before_ms, bool *more_out)
{
    const struct shape *shape = &system_table(SYSTEM_HISTORY)->shape;
    struct oldest oldest = {.ids = ARENA_ARRAY(tx->arena, struct value, PRUNE_ENTRIES_MAX)};
    char moment[CLOCK_TEXT_MAX];

    clock_write_timestamp(before_ms, moment);
    const struct select select = {
        .shape = shape,
        .where = system_test(tx->arena, SYSTEM_HISTORY, "time", OP_LT, value_text(str_of(moment))),
        .limit = PRUNE_ENTRIES_MAX,
        .now_ms = tx->now_ms,
    };
    int rc = store_select(tx->store, &select, take_oldest, &oldest);
    if (rc == 0 && oldest.count > 0)
        rc = store_delete(tx->store, shape,
                          expr_test(tx->arena, HISTORY("id"), OP_IN, oldest.ids, oldest.count),
                          tx->now_ms, NULL, NULL);
    if (rc != 0)
        return rc;
    tx->commit->unlogged = oldest.count > 0;
    *more_out = oldest.count == PRUNE_ENTRIES_MAX;
    return 0;
}
