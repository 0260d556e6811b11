#include "model/grid/news.h"

#include "model/grid/gather.h"
#include "model/grid/history.h"
#include "model/grid/links_internal.h"

static struct news *news_of(struct commit *c)
{
    if (!c->news)
        c->news = ARENA_NEW(c->arena, struct news);
    return c->news;
}

/* ---- notes ---- */

static void place(struct commit *c, struct news *news, const struct note *note)
{
    enum { AT_FIRST = 8 };

    if (note->operation >= news->operations) {
        unsigned doubled = news->operations ? news->operations * 2 : AT_FIRST;
        unsigned operations = note->operation < doubled ? doubled : note->operation + 1;
        const struct note **grown = ARENA_ARRAY(c->arena, const struct note *, operations);
        if (news->operations > 0)
            memcpy(grown, news->by_operation, news->operations * sizeof(*grown));
        news->by_operation = grown;
        news->operations = operations;
    }
    news->by_operation[note->operation] = note;
}

void news_note(struct tx *tx, enum note_kind kind, unsigned operation, const struct table *table,
               int64_t row, const struct column_set *fields)
{
    struct commit *c = tx->commit;
    struct news *news = news_of(c);
    struct note *note = ARENA_NEW(c->arena, struct note);

    *note = (struct note){.kind = kind, .operation = operation, .table = table, .row = row};
    if (fields) {
        struct column_set *copy = ARENA_NEW(c->arena, struct column_set);
        *copy = *fields;
        note->fields = copy;
    }
    note->next = news->notes;
    news->notes = note;
    place(c, news, note);
}

const struct note *news_find(const struct commit *c, unsigned operation)
{
    return c->news && operation < c->news->operations ? c->news->by_operation[operation] : NULL;
}

/* Row by row? Where clients are only brought to read anew, no row of that table is. */
static bool is_told(const struct commit *c, const struct change *change)
{
    const struct note *note = news_find(c, change->operation);
    return !note || note->kind != NOTE_BULK;
}

/* ---- links of the rows that changed ---- */

const struct news_links *news_links_of(const struct commit *c, const struct grid_table *t)
{
    for (const struct news_links *l = c->news ? c->news->links : NULL; l; l = l->next)
        if (l->table->id == t->id)
            return l;
    return NULL;
}

static bool has_links(const struct grid_table *t)
{
    for (size_t i = 0; i < t->field_count; i++)
        if (t->fields[i].link)
            return true;
    return false;
}

/* The images of a table's rows before and after the commit. */
struct images {
    const struct value **before, **after;
    size_t before_count, after_count;
    struct column_set changed; /* of rows that were there and are: columns */
    bool gone;
};

static struct images images_of(struct tx *tx, const struct past_table *past)
{
    struct images i = {.before = ARENA_ARRAY(tx->arena, const struct value *, past->count),
                       .after = ARENA_ARRAY(tx->arena, const struct value *, past->count)};

    for (size_t r = 0; r < past->count; r++) {
        const struct past_row *row = &past->rows[r];
        if (!is_told(tx->commit, row->last))
            continue;
        if (row->before)
            i.before[i.before_count++] = row->before;
        if (row->last->after)
            i.after[i.after_count++] = row->last->after;
        i.gone = i.gone || !row->last->after;
        for (unsigned c = 0; row->before && row->last->after && c < past->table->shape.count; c++)
            if (!value_equal(&row->before[c], &row->last->after[c]))
                column_set_add(&i.changed, c);
    }
    return i;
}

/* Could links, or what rows at their other end are called, have been others before? */
static bool is_disturbed(const struct grid_table *t, const struct images *i,
                         const struct past *past)
{
    for (size_t k = 0; k < t->field_count; k++) {
        const struct grid_field *f = &t->fields[k];
        if (!f->link)
            continue;
        if (past_table(past, f->link->target->table) ||
            (f->link->junction ? past_table(past, f->link->junction) != NULL
                               : column_set_has(&i->changed, f->column->index)))
            return true;
    }
    return i->gone;
}

static struct column_set differing(const struct grid_table *t, const struct images *i,
                                   const struct links *before, const struct links *after)
{
    struct column_set fields = {0};

    for (size_t k = 0; k < t->field_count; k++)
        for (size_t r = 0; r < i->after_count && t->fields[k].link; r++) {
            const struct value *key = &i->after[r][t->table->shape.key];
            if (!links_equal(links_cell(before, &t->fields[k], key),
                             links_cell(after, &t->fields[k], key)))
                column_set_add(&fields, (unsigned)k);
        }
    return fields;
}

static int gather_links(struct tx *tx, const struct past *past, const struct grid_table *t,
                        struct news *news)
{
    struct arena *a = tx->commit->arena;
    const struct images i = images_of(tx, past_table(past, t->table));
    struct news_links *l = ARENA_NEW(a, struct news_links);

    if (i.before_count + i.after_count == 0)
        return 0;
    l->table = t;
    int rc = links_read(tx, a, t, i.after, i.after_count, NULL, &l->after);
    l->before = l->after;
    if (rc == 0 && is_disturbed(t, &i, past))
        rc = links_read_past(tx, a, t, i.before, i.before_count, NULL, past, &l->before);
    if (rc != 0)
        return rc;
    if (l->before != l->after)
        l->fields = differing(t, &i, l->before, l->after);
    l->next = news->links;
    news->links = l;
    return 0;
}

/* ---- what is worth it ---- */

/*
 * A grid table as it is now, of rows of this table of the commit; NULL: it is no such table, or has
 * changed itself meanwhile, and clients read it anew.
 */
static const struct grid_table *table_now(struct tx *tx, const struct table *table)
{
    const struct grid_table *t = grid_table_of(tx->catalogue, table);
    return t && t->table == table ? t : NULL;
}

/* Somebody may hear of it, or history is kept of it: of whatever members change, too. */
static bool is_followed(struct tx *tx, const struct grid_table *t)
{
    return model_grid_is_heard(tx->model) ||
           (tx->settings->row_history_retention_ms > 0 && (t->placed || tx->commit->news));
}

static bool is_linked(struct tx *tx, const struct table *table)
{
    const struct grid_table *t = table_now(tx, table);
    const struct grid_field *f = t ? NULL : grid_junction_field(tx->catalogue, table);
    size_t followers = 0;

    if (f)
        return is_followed(tx, f->table);
    if (!t || !is_followed(tx, t))
        return false;
    grid_links_to(tx->catalogue, t, &followers);
    return followers > 0 || has_links(t);
}

static bool is_worth_it(struct tx *tx)
{
    const struct table *seen = NULL;

    for (size_t i = 0; i < tx->commit->count; i++) {
        const struct change *change = tx->commit->changes[i];
        if (change->table == seen || change->table->system)
            continue;
        seen = change->table;
        if (is_linked(tx, seen))
            return true;
    }
    return false;
}

static int gather(struct tx *tx)
{
    const struct past *past = past_read(tx);
    struct news *news = news_of(tx->commit);
    int rc = 0;

    for (const struct past_table *p = past->tables; p && rc == 0; p = p->next) {
        const struct grid_table *t = table_now(tx, p->table);
        if (t && has_links(t))
            rc = gather_links(tx, past, t, news);
    }
    return rc == 0 ? asides_gather(tx, past, news) : rc;
}

int news_gather(struct tx *tx)
{
    int rc = is_worth_it(tx) ? gather(tx) : 0;
    return rc == 0 ? history_write(tx) : rc;
}
