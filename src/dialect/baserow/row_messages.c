/*
 * A commit → the messages of rows (5.7, 5.8, 14.4), table by table in the order in which they were
 * changed; then rows of other tables that only read otherwise now. Rows that were made, changed or
 * deleted by one request are one message each, up to what a batch may hold.
 *
 * Messages are written for pages that somebody looks at, and for no others.
 */
#include "dialect/baserow/grid_messages.h"

#include <inttypes.h>

#include "dialect/baserow/baserow.h"
#include "model/grid/history.h"
#include "model/grid/rows.h"

enum { MESSAGE_ROWS_MAX = 200 };

/* Rows of one table that one message tells of. */
struct told_rows {
    const struct grid_table *table;
    const struct news_links *links; /* NULL: it has none */
    const struct change **changes;
    size_t count;
    const struct note *note; /* of them all; NULL: plain */
};

/* ---- what changed, by table ---- */

/* What the commit changed in one table, in the order of its changes. */
struct changed_table {
    const struct table *table;
    const struct change **changes;
    bool *done; /* of each: it is told */
    size_t count;
    struct changed_table *next;
};

static struct changed_table *table_for(struct telling *t, struct changed_table **tables,
                                       const struct change *change)
{
    struct changed_table **at = tables;

    while (*at && (*at)->table->id != change->table->id)
        at = &(*at)->next;
    if (!*at) {
        *at = ARENA_NEW(t->arena, struct changed_table);
        (*at)->table = change->table;
    }
    return *at;
}

/* Users' tables, in the order in which they were changed. A commit may have very many changes of a
 * few tables, heard or not: none is searched for among the others. */
static struct changed_table *read_tables(struct telling *t)
{
    const struct commit *commit = t->commit;
    struct changed_table *tables = NULL;

    for (size_t i = 0; i < commit->count; i++)
        if (!commit->changes[i]->table->system)
            table_for(t, &tables, commit->changes[i])->count++;
    for (struct changed_table *at = tables; at; at = at->next) {
        at->changes = ARENA_ARRAY(t->arena, const struct change *, at->count);
        at->done = ARENA_ARRAY(t->arena, bool, at->count);
        at->count = 0;
    }
    for (size_t i = 0; i < commit->count; i++) {
        const struct change *c = commit->changes[i];
        struct changed_table *at = c->table->system ? NULL : table_for(t, &tables, c);
        if (at && at->table == c->table)
            at->changes[at->count++] = c;
    }
    return tables;
}

static bool is_among(const struct changed_table *tables, int64_t table)
{
    while (tables && tables->table->id != table)
        tables = tables->next;
    return tables != NULL;
}

/* ---- pieces ---- */

static void put_rows(struct buf *b, const char *key, const struct told_rows *rows, bool before)
{
    const struct links *links =
        !rows->links ? NULL : (before ? rows->links->before : rows->links->after);
    static const struct grid_style whole;

    message_key(b, key);
    buf_put_char(b, '[');
    for (size_t i = 0; i < rows->count; i++) {
        const struct change *c = rows->changes[i];
        if (i > 0)
            buf_put_char(b, ',');
        grid_write_row(b, rows->table, before ? c->before : c->after, links, &whole);
    }
    buf_put_char(b, ']');
}

static void put_ids(struct buf *b, const char *key, const struct told_rows *rows)
{
    message_key(b, key);
    buf_put_char(b, '[');
    for (size_t i = 0; i < rows->count; i++)
        buf_printf(b, "%s%" PRId64, i > 0 ? "," : "",
                   grid_row_id(rows->table, rows->changes[i]->before));
    buf_put_char(b, ']');
}

/* Fields that change with every update, whatever it says. */
static bool follows(const struct grid_field *f)
{
    return f->kind->id == KIND_LAST_MODIFIED || f->kind->id == KIND_LAST_MODIFIED_BY;
}

/* Asked for; or, where nobody said what was, of columns that were sent or are different. */
static bool is_updated(const struct told_rows *rows, size_t i)
{
    const struct grid_field *f = &rows->table->fields[i];

    if (rows->note && rows->note->kind == NOTE_MOVED)
        return false;
    if (follows(f) || (rows->links && column_set_has(&rows->links->fields, (unsigned)i)))
        return true;
    if (rows->note && rows->note->fields)
        return column_set_has(rows->note->fields, (unsigned)i);
    for (size_t k = 0; f->column && k < rows->count; k++)
        if (column_set_has(&rows->changes[k]->submitted, f->column->index) ||
            column_set_has(&rows->changes[k]->changed, f->column->index))
            return true;
    return false;
}

static void put_updated_fields(struct buf *b, const struct told_rows *rows)
{
    bool started = false;

    message_key(b, "updated_field_ids");
    buf_put_char(b, '[');
    for (size_t i = 0; i < rows->table->field_count; i++) {
        if (!is_updated(rows, i))
            continue;
        buf_printf(b, "%s%" PRId64, started ? "," : "", rows->table->fields[i].id);
        started = true;
    }
    buf_put_char(b, ']');
}

static void begin(struct buf *b, const char *type, const struct grid_table *table)
{
    message_begin(b, type);
    message_int(b, "table_id", table->id);
}

static void put_no_metadata(struct buf *b)
{
    message_key(b, "metadata");
    buf_put_lit(b, "{}");
}

/* ---- one message each ---- */

static void send_message(struct telling *t, const struct told_rows *rows, struct buf *b)
{
    struct page_name name;
    bool restored = rows->note && rows->note->kind == NOTE_RESTORED;

    tell_page(t, page_of_table(&name, rows->table->id), b,
              restored ? SENDER_TOLD : SENDER_EXCLUDED);
}

static void tell_created(struct telling *t, const struct told_rows *rows)
{
    struct buf b;

    begin(&b, "rows_created", rows->table);
    put_rows(&b, "rows", rows, false);
    put_no_metadata(&b);
    message_key(&b, "before_row_id");
    if (rows->note && rows->note->kind == NOTE_BEFORE)
        json_put_int(&b, rows->note->row);
    else
        buf_put_lit(&b, "null");
    send_message(t, rows, &b);
}

/* The documentation lists a message that announces the change, and one for deletions (5.13). */
static void announce(struct telling *t, const char *type, const struct told_rows *rows)
{
    struct buf b;

    if (!baserow_settings()->documented_messages)
        return;
    begin(&b, type, rows->table);
    if (rows->changes[0]->kind == CHANGE_DELETE)
        put_ids(&b, "row_ids", rows);
    put_rows(&b, "rows", rows, true);
    if (rows->changes[0]->kind == CHANGE_UPDATE)
        put_updated_fields(&b, rows);
    send_message(t, rows, &b);
}

static void tell_updated(struct telling *t, const struct told_rows *rows)
{
    struct buf b;

    announce(t, "before_rows_update", rows);
    begin(&b, "rows_updated", rows->table);
    put_rows(&b, "rows_before_update", rows, true);
    put_rows(&b, "rows", rows, false);
    put_no_metadata(&b);
    put_updated_fields(&b, rows);
    send_message(t, rows, &b);
}

static void tell_deleted(struct telling *t, const struct told_rows *rows)
{
    struct buf b;

    announce(t, "before_rows_delete", rows);
    begin(&b, "rows_deleted", rows->table);
    put_ids(&b, "row_ids", rows);
    put_rows(&b, "rows", rows, true);
    send_message(t, rows, &b);
}

/* ---- history ---- */

/* Of one table's rows, after the message that tells of these (5.14). */
static void tell_history(struct telling *t, int64_t table)
{
    const struct news *news = t->commit->news;

    for (size_t i = 0; news && i < news->history_count; i++) {
        const struct history_entry *e = news->history[i];
        struct page_name name;
        struct buf b;
        if (e->table != table)
            continue;
        struct str page = page_of_row(&name, e->table, e->row);
        if (!page_is_heard(t, page))
            continue;
        begin(&b, "row_history_updated", &(struct grid_table){.id = e->table});
        message_int(&b, "row_id", e->row);
        message_key(&b, "row_history_entry");
        buf_put_str(&b, e->text);
        tell_page(t, page, &b, SENDER_TOLD);
    }
}

/* ---- a table's changes ---- */

/* Which message tells of a change: those of equal class are told together. */
static int class_of(const struct change *c, const struct note *note)
{
    return (int)c->kind * 16 + (note ? (int)note->kind : 0);
}

static bool is_row_by_row(const struct note *note)
{
    return !note || note->kind != NOTE_BULK;
}

static bool has_links(const struct grid_table *table)
{
    for (size_t i = 0; i < table->field_count; i++)
        if (table->fields[i].link)
            return true;
    return false;
}

static void tell_rows(struct telling *t, const struct told_rows *rows)
{
    static void (*const tells[])(struct telling * t, const struct told_rows *rows) = {
        [CHANGE_CREATE] = tell_created,
        [CHANGE_UPDATE] = tell_updated,
        [CHANGE_DELETE] = tell_deleted,
    };
    struct told_rows part = *rows;

    /* Without its links a row cannot be told: nobody was there to gather them for. */
    if (has_links(rows->table) && !rows->links) {
        if (telling_once(t, "table read anew", rows->table->id))
            tell_table_updated(t, rows->table, true, SENDER_TOLD);
        return;
    }
    for (size_t at = 0; at < rows->count; at += part.count) {
        part.changes = &rows->changes[at];
        part.count = rows->count - at < MESSAGE_ROWS_MAX ? rows->count - at : MESSAGE_ROWS_MAX;
        tells[part.changes[0]->kind](t, &part);
    }
}

/* The changes of a table from the first of its kind on that is not told yet. */
static void tell_class(struct telling *t, struct told_rows *rows,
                       const struct changed_table *changed, size_t from)
{
    const struct note *note = news_find(t->commit, changed->changes[from]->operation);
    int class = class_of(changed->changes[from], note);

    rows->count = 0;
    rows->note = note;
    for (size_t i = from; i < changed->count; i++) {
        const struct change *c = changed->changes[i];
        if (changed->done[i] || class_of(c, news_find(t->commit, c->operation)) != class)
            continue;
        changed->done[i] = true;
        rows->changes[rows->count++] = c;
    }
    if (is_row_by_row(note))
        tell_rows(t, rows);
}

static void tell_renumbered(struct telling *t, const struct grid_table *table)
{
    struct page_name name;
    struct buf b;

    begin(&b, "row_orders_recalculated", table);
    tell_page(t, page_of_table(&name, table->id), &b, SENDER_TOLD);
}

/*
 * What is told of whole tables, before their rows: that all have new orders, which comes before
 * what made it necessary; and of many rows at once, that the table is to be read anew, which is for
 * all members, whether they look at it or not (5.5).
 */
static void tell_whole_tables(struct telling *t)
{
    for (const struct note *n = t->commit->news ? t->commit->news->notes : NULL; n; n = n->next) {
        const struct grid_table *table = grid_table(t->after, n->table->id);
        if (!table || !grid_table(t->before, table->id))
            continue;
        if (n->kind == NOTE_RENUMBERED && telling_once(t, "row_orders_recalculated", table->id))
            tell_renumbered(t, table);
        if (n->kind == NOTE_BULK && telling_once(t, "bulk", table->id))
            tell_table_updated(t, table, true, SENDER_EXCLUDED);
    }
}

/* A table that was there before: what a new one is made with is told by nobody (5.5). */
static void tell_table(struct telling *t, const struct changed_table *changed)
{
    const struct grid_table *table = grid_table_of(t->before, changed->table);
    struct page_name name;

    if (!table)
        return;
    struct told_rows rows = {
        .table = table,
        .links = news_links_of(t->commit, table),
        .changes = ARENA_ARRAY(t->arena, const struct change *, changed->count),
    };
    if (page_is_heard(t, page_of_table(&name, table->id)))
        for (size_t i = 0; i < changed->count; i++)
            if (!changed->done[i])
                tell_class(t, &rows, changed, i);
    tell_history(t, table->id);
}

/* ---- rows of other tables ---- */

static void put_aside_rows(struct buf *b, const char *key, const struct aside *aside, bool before)
{
    static const struct grid_style whole;

    message_key(b, key);
    buf_put_char(b, '[');
    for (size_t i = 0; i < aside->count; i++) {
        const struct aside_row *row = &aside->rows[i];
        if (i > 0)
            buf_put_char(b, ',');
        grid_write_row(b, aside->table, before ? row->before : row->row,
                       before ? aside->links_before : aside->links, &whole);
    }
    buf_put_char(b, ']');
}

/* Nobody is excluded: the answer to who made the change does not hold it (14.4). */
static void tell_aside(struct telling *t, const struct aside *aside)
{
    const struct grid_table *table = aside->table;
    struct page_name name;
    struct str page = page_of_table(&name, table->id);
    bool started = false;
    struct buf b;

    if (aside->many) {
        tell_table_updated(t, table, true, SENDER_TOLD);
        return;
    }
    if (!page_is_heard(t, page))
        return;
    begin(&b, "rows_updated", table);
    put_aside_rows(&b, "rows_before_update", aside, true);
    put_aside_rows(&b, "rows", aside, false);
    put_no_metadata(&b);
    message_key(&b, "updated_field_ids");
    buf_put_char(&b, '[');
    for (size_t i = 0; i < table->field_count; i++) {
        if (!column_set_has(&aside->fields, (unsigned)i))
            continue;
        buf_printf(&b, "%s%" PRId64, started ? "," : "", table->fields[i].id);
        started = true;
    }
    buf_put_char(&b, ']');
    tell_page(t, page, &b, SENDER_TOLD);
}

void tell_grid_rows(struct telling *t)
{
    const struct news *news = t->commit->news;

    if (!t->before->grid)
        return;
    struct changed_table *tables = read_tables(t);
    tell_whole_tables(t);
    for (const struct changed_table *at = tables; at; at = at->next)
        tell_table(t, at);
    for (const struct aside *a = news ? news->asides : NULL; a; a = a->next) {
        tell_aside(t, a);
        if (!is_among(tables, a->table->id)) /* told of with its own rows */
            tell_history(t, a->table->id);
    }
}
