#include "model/grid/inputs.h"

#include <inttypes.h>

#include "base/clock.h"
#include "model/grid/unique.h"
#include "model/items/payload.h"
#include "model/problem.h"

struct reading {
    struct tx *tx;
    const struct grid_inputs *inputs;
    struct drafts *drafts;
    struct str *keys; /* of the table's grid fields, as the client writes them */
    bool refused;
};

/* ---- what was sent ---- */

static struct str key_of(struct arena *a, const struct grid_field *f, bool user_names)
{
    return user_names ? f->name : arena_printf(a, "field_%" PRId64, f->id);
}

static const json_t *sent(const struct reading *r, size_t draft, size_t field)
{
    struct str key = r->keys[field];
    return json_object_getn(r->inputs->at[draft].cells, key.at, key.len);
}

static void mistaken(struct reading *r, size_t draft, size_t field, const char *code,
                     struct str sentence)
{
    grid_refuse_value(r->tx, r->inputs->batch ? (int64_t)draft : -1, r->keys[field], code, "%.*s",
                      STR_ARG(sentence));
    r->refused = true;
}

/* ---- cells ---- */

void draft_assign(struct draft *d, const struct column *column, struct value value)
{
    for (size_t i = 0; i < d->count; i++)
        if (d->assignments[i].column == column) {
            d->assignments[i].value = value;
            return;
        }
    d->assignments[d->count++] = (struct assignment){column, value};
}

/* A unique column takes any number of nulls, but one empty text only. */
static struct value settled(const struct grid_field *f, struct value value)
{
    bool unique = f->settings.unique || f->column->unique;
    return unique && kind_is_empty(f, &value) ? value_null() : value;
}

static void take(struct reading *r, size_t draft, size_t field, struct value value)
{
    const struct grid_field *f = &r->drafts->table->fields[field];
    const struct column *column = f->column;
    struct draft *d = &r->drafts->at[draft];

    value = settled(f, value);
    if (value_is_null(&value) && !column->nullable) {
        mistaken(r, draft, field, "null", STR("This field may not be null."));
        return;
    }
    draft_assign(d, column, value);
    column_set_add(&d->columns, column->index);
}

/* A key that nobody counts is the client's to give, once. */
static bool is_free_key(const struct grid_field *f)
{
    return f->column == table_key(f->table->table) && !f->column->auto_increment &&
           !(f->kind->flags & KIND_READ_ONLY);
}

static bool may_write(const struct reading *r, const struct grid_field *f)
{
    return !f->read_only || (r->drafts->kind == CHANGE_CREATE && is_free_key(f));
}

static int read_cell(struct reading *r, size_t draft, size_t field, const json_t *json)
{
    const struct grid_field *f = &r->drafts->table->fields[field];
    struct kind_mistake mistake = {0};
    struct value value;

    if (!may_write(r, f)) {
        if (!json_is_null(json) && !(f->kind->flags & KIND_IGNORED))
            mistaken(r, draft, field, "read_only", STR("This field cannot be written."));
        return 0;
    }
    column_set_add(&r->drafts->fields, (unsigned)field);
    int rc = kind_read(r->tx, f, json, &value, &mistake);
    if (rc == 0)
        take(r, draft, field, value);
    else if (rc == KIND_MISTAKEN)
        mistaken(r, draft, field, mistake.code, mistake.sentence);
    return rc == KIND_MISTAKEN || rc == KIND_KEPT ? 0 : rc;
}

/* A column that others made need not hold the empty text. */
static struct value initial_of(const struct grid_field *f)
{
    const struct value *v = &f->settings.initial;

    return settled(f, v->kind == VALUE_TEXT && v->text.len == 0 ? kind_empty(f) : *v);
}

/* Of a new row. What has a default of its own in the store gets that. */
static void take_default(struct reading *r, size_t draft, size_t field)
{
    const struct grid_field *f = &r->drafts->table->fields[field];
    const struct column *column = f->column;
    struct value value = initial_of(f);

    if (!may_write(r, f) || (value_is_null(&value) && !value_is_null(&column->default_value)))
        return;
    if (value_is_null(&value) && !column->nullable)
        value = is_free_key(f) ? value_null() : kind_empty(f);
    if (!value_is_null(&value))
        draft_assign(&r->drafts->at[draft], column, value);
    else if (!column->nullable && column->type != TYPE_UUID)
        mistaken(r, draft, field, "required", STR("This field is required."));
}

static int read_cells(struct reading *r, size_t field)
{
    int rc = 0;

    for (size_t i = 0; i < r->drafts->count && rc == 0; i++) {
        const json_t *json = sent(r, i, field);
        if (json)
            rc = read_cell(r, i, field, json);
        else if (r->drafts->kind == CHANGE_CREATE)
            take_default(r, i, field);
    }
    return rc;
}

/* ---- links ---- */

static void take_wishes(struct reading *r, size_t field, struct draft_links *l)
{
    size_t kept = 0;

    for (size_t i = 0; i < l->count; i++) {
        const struct link_wish *w = &l->wishes[i];
        if (w->mistake.code)
            mistaken(r, l->drafts[i], field, w->mistake.code, w->mistake.sentence);
        else if (!l->field->link->junction)
            take(r, l->drafts[i], field, w->count > 0 ? w->keys[0] : value_null());
        else {
            l->wishes[kept] = *w;
            l->drafts[kept++] = l->drafts[i];
        }
    }
    l->count = kept;
}

static int read_links(struct reading *r, size_t field)
{
    struct drafts *d = r->drafts;
    struct draft_links *l = ARENA_NEW(r->tx->arena, struct draft_links);

    l->field = &d->table->fields[field];
    l->wishes = ARENA_ARRAY(r->tx->arena, struct link_wish, d->count);
    l->drafts = ARENA_ARRAY(r->tx->arena, size_t, d->count);
    for (size_t i = 0; i < d->count; i++) {
        const json_t *json = sent(r, i, field);
        if (!json)
            continue;
        l->wishes[l->count].json = json;
        l->drafts[l->count++] = i;
    }
    if (l->count == 0)
        return 0;
    column_set_add(&d->fields, (unsigned)field);
    int rc = wishes_resolve(r->tx, l->field, l->wishes, l->count);
    if (rc != 0)
        return rc;
    take_wishes(r, field, l);
    if (l->count > 0) {
        l->next = d->links;
        d->links = l;
    }
    return 0;
}

int drafts_link(struct tx *tx, const struct drafts *drafts)
{
    unsigned key = drafts->table->table->shape.key;
    int rc = 0;

    for (const struct draft_links *l = drafts->links; l && rc == 0; l = l->next) {
        bool changed;
        for (size_t i = 0; i < l->count; i++)
            l->wishes[i].row_key = drafts->at[l->drafts[i]].after[key];
        rc = wishes_grant(tx, l->field, l->wishes, l->count, &changed);
    }
    return rc;
}

/* ---- all together ---- */

/* What Directus's special flags of the columns ask for, whoever writes the row. */
static void take_stamps(struct reading *r)
{
    const struct table *table = r->drafts->table->table;

    for (size_t i = 0; i < table->shape.count; i++) {
        const struct field *field = &table->fields[i];
        struct value value;
        if (field->special == 0 && !field->column->primary_key)
            continue;
        for (size_t k = 0; k < r->drafts->count; k++) {
            struct draft *d = &r->drafts->at[k];
            bool given = column_set_has(&d->columns, (unsigned)i);
            if (payload_stamp(r->tx, field, r->drafts->kind, given, &value))
                draft_assign(d, field->column, value);
        }
    }
}

/* Of an update that gives nothing to columns, for only links were sent: it is a change all the
 * same. What has assignments is stamped by rows_update(). */
static void stamp_bare(struct reading *r)
{
    const struct column *column = table_hidden(r->drafts->table->table, HIDDEN_UPDATED_ON);
    char text[CLOCK_TEXT_MAX];

    clock_write_timestamp(r->tx->now_ms, text);
    const struct value now = value_text(arena_str(r->tx->arena, str_of(text)));
    for (size_t i = 0; i < r->drafts->count; i++)
        if (r->drafts->at[i].count == 0)
            draft_assign(&r->drafts->at[i], column, now);
}

static struct drafts *drafts_new(struct tx *tx, const struct grid_table *t,
                                 const struct grid_inputs *inputs,
                                 const struct value *const *before)
{
    struct drafts *d = ARENA_NEW(tx->arena, struct drafts);

    d->table = t;
    d->kind = before ? CHANGE_UPDATE : CHANGE_CREATE;
    d->count = inputs->count;
    d->at = ARENA_ARRAY(tx->arena, struct draft, d->count);
    for (size_t i = 0; i < d->count; i++) {
        d->at[i].assignments = ARENA_ARRAY(tx->arena, struct assignment, t->table->shape.count);
        d->at[i].before = before ? before[i] : NULL;
    }
    return d;
}

int drafts_read(struct tx *tx, const struct grid_table *t, const struct grid_inputs *inputs,
                const struct value *const *before, struct drafts **drafts_out)
{
    struct reading r = {.tx = tx, .inputs = inputs, .drafts = drafts_new(tx, t, inputs, before)};
    int rc = 0;

    r.keys = ARENA_ARRAY(tx->arena, struct str, t->field_count);
    for (size_t i = 0; i < t->field_count; i++)
        r.keys[i] = key_of(tx->arena, &t->fields[i], inputs->user_names);
    for (size_t i = 0; i < t->field_count && rc == 0; i++)
        rc = t->fields[i].link ? read_links(&r, i) : read_cells(&r, i);
    if (rc == 0 && r.refused)
        rc = REFUSED;
    if (rc == 0)
        rc = unique_check(tx, r.drafts);
    if (rc != 0)
        return rc;
    take_stamps(&r);
    if (before)
        stamp_bare(&r);
    *drafts_out = r.drafts;
    return 0;
}
