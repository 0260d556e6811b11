#include "model/grid/making.h"

/*
 * Changing a field. Its number and its name in SQL stay; what it is called and described as is a
 * matter of its row alone. Where the column can hold the new cells they are changed in their place;
 * else a new column is made beside the old one, filled, and takes its name.
 *
 * The row of the field is changed last but for the other side of a link, so that messages come in
 * the order of 5.14.
 */

/* The name of the column beside the old one. */
#define BESIDE STR("rowcast_new")

struct field_change {
    struct tx *tx;
    const struct grid_field *f; /* as it was */
    struct field_draft *d;      /* as it is to be */
    const struct link_draft *link;
    struct str name;          /* in SQL */
    struct table table;       /* as it has been altered so far */
    const struct column *own; /* the field's own column before; NULL: it had none */
    bool in_place;
    /* The field as it is to be, for conversion. */
    struct grid_field after;
    struct grid_link after_link;
    struct junction junction; /* of a link */
};

static const struct column *own_column(const struct grid_field *f)
{
    bool own = f->column && !field_hidden(&f->table->table->fields[f->column->index]);
    return own ? f->column : NULL;
}

static bool is_link(const struct kind *kind)
{
    return kind->id == KIND_LINK_ROW;
}

/* ---- what changes ---- */

/* A column that others made, of a kind that has none here, or that refers to a row or is the key:
 * nothing of it is settled here. */
static bool is_settled_elsewhere(const struct grid_field *f, const struct field_draft *d)
{
    const struct column *own = own_column(f);
    return own && d->kind == f->kind && (!d->has_column || own->primary_key || own->reference);
}

static bool same_type(const struct column *a, const struct column *b)
{
    return a->type == b->type && a->length_max == b->length_max && a->precision == b->precision &&
           a->scale == b->scale;
}

static bool same_in_store(const struct column *a, const struct column *b)
{
    return same_type(a, b) && a->nullable == b->nullable && a->unique == b->unique &&
           a->indexed == b->indexed && value_equal(&a->default_value, &b->default_value);
}

static bool loses_choices(const struct kind_settings *before, const struct kind_settings *after)
{
    for (size_t i = 0; i < before->choice_count; i++)
        if (!settings_choice(after, before->choices[i].id))
            return true;
    return false;
}

/* May a cell be another one afterwards? */
static bool changes_cells(const struct field_change *c)
{
    const struct kind_settings *a = &c->f->settings, *b = &c->d->decoded;

    return c->d->kind != c->f->kind || a->decimals != b->decimals || a->negative != b->negative ||
           a->stars != b->stars || a->time != b->time || a->unique != b->unique ||
           (c->d->kind->id == KIND_DURATION && !str_equal(a->format, b->format)) ||
           loses_choices(a, b);
}

/* ---- the row ---- */

static void set_words(const struct field_change *c, struct value *row)
{
    const struct field_draft *d = c->d;

    if (!str_equal(d->name, c->f->name))
        schema_set(SYSTEM_FIELDS, row, "rowcast_label", value_text(d->name));
    schema_set(SYSTEM_FIELDS, row, "note",
               d->description.at ? value_text(d->description) : value_null());
}

/* What others said of a column that stays what it is goes on being said. */
static void keep_words(const struct value *before, struct value *row)
{
    static const char *const kept[] = {"special", "interface", "options", "readonly"};

    for (size_t i = 0; i < COUNT_OF(kept); i++) {
        unsigned at = system_column(SYSTEM_FIELDS, kept[i]);
        row[at] = before[at];
    }
}

static int update_row(const struct field_change *c, bool words_only)
{
    const struct value *row;

    int rc = field_row(c->tx, c->f->id, &row);
    if (rc != 0)
        return rc;
    struct value *changed = schema_copy(c->tx, SYSTEM_FIELDS, row);
    if (!words_only) {
        bool others = !system_text(SYSTEM_FIELDS, row, "rowcast_kind").at;
        c->d->column.name = c->name;
        draft_to_row(c->tx, c->d, changed);
        if (others && c->in_place && c->d->kind == c->f->kind)
            keep_words(row, changed);
    }
    set_words(c, changed);
    return schema_update_asked(c->tx, SYSTEM_FIELDS, row, changed);
}

/* ---- columns ---- */

static int reshape(struct field_change *c, struct column *columns, size_t count,
                   const struct str *from)
{
    int rc = schema_reshape(c->tx, &c->table, columns, count, from, c->d->name);

    c->table.shape.columns = columns;
    c->table.shape.count = count;
    for (unsigned i = 0; i < count; i++)
        if (columns[i].primary_key)
            c->table.shape.key = i;
    return field_refuse(c->tx, rc);
}

static struct str *names_of(const struct field_change *c)
{
    const struct shape *shape = &c->table.shape;
    struct str *names = ARENA_ARRAY(c->tx->arena, struct str, shape->count + 1);

    for (size_t i = 0; i < shape->count; i++)
        names[i] = shape->columns[i].name;
    return names;
}

/* Makes the column, which stays in its place, as `wanted` says. */
static int redefine(struct field_change *c, const struct column *wanted)
{
    const struct column *found = shape_column(&c->table.shape, wanted->name);

    if (same_in_store(found, wanted))
        return 0;
    struct column *columns = schema_columns(c->tx, &c->table);
    columns[found->index] = *wanted;
    return reshape(c, columns, c->table.shape.count, names_of(c));
}

/* A new column takes any cell; what else is to hold comes when all are there. */
static int add_bare(struct field_change *c)
{
    struct column *columns = schema_columns(c->tx, &c->table);
    size_t count = c->table.shape.count;
    struct str *from = names_of(c);
    struct column bare = c->d->column;

    bare.name = c->own ? BESIDE : c->name;
    bare.nullable = true;
    bare.unique = bare.indexed = false;
    bare.default_value = value_null();
    columns[count] = bare;
    from[count] = STR_NULL;
    return reshape(c, columns, count + 1, from);
}

/* The old column goes, and the new one, if there is one, is what it is to be. */
static int finish_columns(struct field_change *c)
{
    const struct shape *shape = &c->table.shape;
    struct column *columns = ARENA_ARRAY(c->tx->arena, struct column, shape->count);
    struct str *from = ARENA_ARRAY(c->tx->arena, struct str, shape->count);
    struct str made = c->own ? BESIDE : c->name;
    size_t count = 0;

    for (size_t i = 0; i < shape->count; i++) {
        const struct column *column = &shape->columns[i];
        bool is_made = c->d->has_column && str_equal(column->name, made);
        if (c->own && str_equal(column->name, c->name))
            continue;
        from[count] = column->name;
        columns[count] = is_made ? c->d->column : *column;
        if (is_made)
            columns[count].name = c->name;
        count++;
    }
    return reshape(c, columns, count, from);
}

/* ---- cells ---- */

/* Where the cells are to be now. */
static struct cells to_cells(struct field_change *c)
{
    struct cells to = {.field = &c->after};

    c->after = *c->f;
    c->after.name = c->d->name;
    c->after.kind = c->d->kind;
    c->after.settings = c->d->decoded;
    c->after.link = is_link(c->d->kind) ? &c->after_link : NULL;
    if (c->d->has_column)
        to.column = shape_column(&c->table.shape, c->own && !c->in_place ? BESIDE : c->name);
    c->after.column = to.column;
    return to;
}

static struct cells from_cells(const struct field_change *c)
{
    bool links = c->f->link && c->f->link->junction;
    const struct column *column = links ? NULL : c->f->column;
    return (struct cells){c->f, column ? shape_column(&c->table.shape, column->name) : NULL};
}

static bool is_made_by_server(const struct kind *kind)
{
    return kind->flags & KIND_READ_ONLY;
}

static int convert(struct field_change *c)
{
    const struct cells from = from_cells(c), to = to_cells(c);
    const struct shape *shape = &c->table.shape;

    if (is_made_by_server(c->d->kind))
        return c->d->has_column ? field_fill(c->tx, &c->table, c->d->kind, to.column, c->name) : 0;
    return is_link(c->d->kind) || changes_cells(c) ? convert_cells(c->tx, shape, &from, &to) : 0;
}

/* Options are made of what the cells say, unless it is told already which there are. */
static int make_choices(struct field_change *c)
{
    enum kind_id id = c->d->kind->id;

    if (c->d->kind == c->f->kind || (id != KIND_SINGLE_SELECT && id != KIND_MULTIPLE_SELECT))
        return 0;
    const struct cells from = from_cells(c), to = to_cells(c);
    return convert_new_choices(c->tx, &c->table.shape, &from, &to, c->d);
}

/* What held of the old cells and is not to hold of the new ones is given up first. */
static int change_in_place(struct field_change *c)
{
    struct column last = c->d->column, first;

    last.name = c->name;
    last.index = c->own->index;
    last.type = c->own->type;
    last.length_max = c->own->length_max;
    last.precision = c->own->precision;
    last.scale = c->own->scale;
    last.secret = c->own->secret;
    if (!changes_cells(c))
        last.nullable = c->own->nullable;
    first = last;
    first.unique = c->own->unique && last.unique;
    c->d->column = last;
    int rc = make_choices(c);
    c->d->column = last; /* reading the settings anew made another one */
    if (rc == 0)
        rc = redefine(c, &first);
    if (rc == 0)
        rc = convert(c);
    return rc == 0 ? redefine(c, &last) : rc;
}

static int change_column(struct field_change *c)
{
    int rc = make_choices(c);

    if (rc == 0 && c->d->has_column)
        rc = add_bare(c);
    if (rc == 0)
        rc = convert(c);
    if (rc == 0 && (c->own || c->d->has_column))
        rc = finish_columns(c);
    return rc;
}

/* ---- links ---- */

static bool keeps_junction(const struct field_change *c)
{
    const struct grid_link *link = c->f->link;
    return is_link(c->d->kind) && link && link->junction && link->target == c->link->target;
}

static int make_junction(struct field_change *c)
{
    const struct grid_table *t = c->f->table, *target = c->link->target;
    const struct table *made;

    int rc = junction_make(c->tx, t, target, c->name, &c->junction);
    if (rc != 0)
        return rc;
    made = catalogue_table(c->tx->catalogue, c->junction.name);
    c->after_link = (struct grid_link){
        .target = target,
        .junction = made,
        .near = shape_column(&made->shape, c->junction.near),
        .far = shape_column(&made->shape, c->junction.far),
    };
    return 0;
}

/* The field on the other side that there is to be: a number; 0: none. */
static int settle_link(struct field_change *c, bool *made_out, int64_t *related_out)
{
    const struct grid_field *other = keeps_junction(c) ? c->f->link->related : NULL;
    int64_t last = 0;
    int rc = 0;

    if (keeps_junction(c))
        c->junction = junction_of(c->f->link);
    *made_out = c->link->related && !other;
    if (*made_out)
        rc = store_last_key(c->tx->store, &system_table(SYSTEM_FIELDS)->shape, &last);
    *related_out = !c->link->related ? 0 : other ? other->id : last + 1;
    if (rc == 0) {
        link_settle(c->d, c->link->target, &c->junction, *related_out);
        draft_finish(c->tx, c->d);
    }
    return rc;
}

/* The other side that is not there any more, and the table of links that nothing shows now. */
static int leave_link(const struct field_change *c)
{
    const struct grid_link *link = c->f->link;
    struct tx *tx = c->tx;
    int rc = 0;

    if (!link || !link->junction)
        return 0;
    if (link->related && !(keeps_junction(c) && c->link->related))
        rc = schema_delete(
            tx, SYSTEM_FIELDS,
            system_test(tx->arena, SYSTEM_FIELDS, "id", OP_EQ, value_integer(link->related->id)));
    return rc == 0 && !keeps_junction(c) ? junction_drop(tx, link->junction->name) : rc;
}

static int make_other_side(const struct field_change *c, int64_t own)
{
    struct tx *tx = c->tx;
    int64_t made;

    int rc = tx_follow(tx);
    if (rc != 0)
        return rc;
    const struct link_draft now = {grid_table(tx->catalogue, c->link->target->id), true};
    return link_make_related(tx, grid_table(tx->catalogue, c->f->table->id), c->f->id, &now,
                             &c->junction, own, &made);
}

/* ---- all of it ---- */

static int change_to_link(struct field_change *c)
{
    int64_t related = 0;
    bool made = false;
    int rc = 0;

    if (!keeps_junction(c)) {
        rc = make_junction(c);
        if (rc == 0)
            rc = change_column(c);
    }
    if (rc == 0)
        rc = settle_link(c, &made, &related);
    if (rc == 0)
        rc = update_row(c, false);
    if (rc == 0 && made)
        rc = make_other_side(c, related);
    return rc == 0 ? leave_link(c) : rc;
}

static int change_to_other(struct field_change *c)
{
    struct field_draft was;

    draft_of_field(c->tx, c->f, &was);
    /* A column that others made may be of a kindred type, which holds these cells as well. */
    c->in_place = c->own && c->d->has_column &&
                  (same_type(c->own, &c->d->column) ||
                   (c->d->kind == c->f->kind && same_type(&was.column, &c->d->column)));
    int rc = c->in_place ? change_in_place(c) : change_column(c);
    if (rc == 0)
        rc = update_row(c, false);
    return rc == 0 ? leave_link(c) : rc;
}

static bool is_same(struct tx *tx, const struct grid_field *f, const struct field_draft *d)
{
    struct field_draft was;

    draft_of_field(tx, f, &was);
    return d->kind == f->kind && d->indexed == was.indexed && json_equal(d->settings, was.settings);
}

static int change_field(struct field_change *c)
{
    const struct value *row;

    int rc = field_row(c->tx, c->f->id, &row);
    if (rc != 0)
        return rc;
    c->name = arena_str(c->tx->arena, system_text(SYSTEM_FIELDS, row, "field"));
    c->own = own_column(c->f);
    c->table = *c->f->table->table;
    if (is_settled_elsewhere(c->f, c->d))
        return update_row(c, true);
    if (is_link(c->d->kind))
        return change_to_link(c);
    return is_same(c->tx, c->f, c->d) ? update_row(c, true) : change_to_other(c);
}

int grid_field_update(struct tx *tx, int64_t id, const json_t *body,
                      struct grid_fields *related_out)
{
    const struct grid_field *f;
    struct field_draft d = {0};
    struct link_draft link = {0};

    int rc = tx_follow(tx);
    if (rc == 0)
        rc = grid_find_field(tx, id, &f);
    if (rc == 0)
        rc = draft_read(tx, f->table, f, body, &d);
    if (rc == 0 && is_link(d.kind))
        rc = link_read(tx, f->table, f, body, &d, &link);
    if (rc != 0)
        return rc;
    struct field_change change = {.tx = tx, .f = f, .d = &d, .link = &link};
    rc = change_field(&change);
    if (rc == 0)
        rc = tx_follow(tx);
    if (rc != 0)
        return rc;
    f = grid_field(tx->catalogue, id);
    const struct grid_field *other = f->link ? f->link->related : NULL;
    field_note_related(tx, f->table->id, other ? other->id : 0, related_out);
    if (f->primary)
        field_note_links(tx, f->table, related_out);
    return 0;
}
