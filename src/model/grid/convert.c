#include "model/grid/kind_internal.h"
#include "model/grid/making.h"
#include "model/progress.h"

/*
 * Cells of one field as cells of another one, when a field changes what it is or is duplicated.
 *
 * By pages of keys, each read, converted and written before the next, so that neither the size of a
 * table nor that of its cells matters. Links are the names of the rows that they lead to, and text
 * becomes links to the rows of such names; whatever converts, converts as text from there on.
 *
 * Nothing of it is recorded row by row: the change of the field stands for it, and who shows the
 * table reads it anew (decision 13).
 */

enum { PAGE_ROWS = 500 };

struct page {
    struct arena *arena;
    const struct shape *shape;
    const struct column *column; /* what is read beside keys; NULL: nothing */
    struct value keys[PAGE_ROWS], cells[PAGE_ROWS];
    size_t count;
    struct links *links;
};

typedef int page_fn(struct tx *tx, const struct page *page, void *context);

/* ---- reading ---- */

static int take_row(void *context, const struct value *row)
{
    struct page *page = context;

    page->keys[page->count] = value_copy(page->arena, &row[0]);
    page->cells[page->count] = page->column ? value_copy(page->arena, &row[1]) : value_null();
    page->count++;
    return 0;
}

/* The rows after `last` (null: from the first). */
static int read_page(struct tx *tx, struct page *page, const struct value *last)
{
    const struct column *key = &page->shape->columns[page->shape->key];
    const struct output outputs[] = {{.column = key}, {.column = page->column}};
    const struct order order = {.column = key};
    const struct select select = {
        .shape = page->shape,
        .outputs = outputs,
        .output_count = page->column ? 2 : 1,
        .where = value_is_null(last) ? NULL : expr_test(page->arena, key, OP_GT, last, 1),
        .orders = &order,
        .order_count = 1,
        .limit = PAGE_ROWS,
        .now_ms = tx->now_ms,
    };

    return store_select(tx->store, &select, take_row, page);
}

/* Of rows that are known by their key. */
static int read_links(struct tx *tx, struct page *page, const struct grid_field *f)
{
    const struct table *table = f->table->table;
    const struct value **rows = ARENA_ARRAY(page->arena, const struct value *, page->count);
    struct column_set only = {0};

    for (size_t i = 0; i < page->count; i++) {
        struct value *row = ARENA_ARRAY(page->arena, struct value, table->shape.count);
        row[table->shape.key] = page->keys[i];
        if (!f->link->junction)
            row[f->column->index] = page->cells[i];
        rows[i] = row;
    }
    column_set_add(&only, (unsigned)(f - f->table->fields));
    return links_read(tx, page->arena, f->table, rows, page->count, &only, &page->links);
}

static int walk(struct tx *tx, const struct shape *shape, const struct cells *from, page_fn *fn,
                void *context)
{
    struct value last = value_null();
    bool more = true;
    int rc = 0;

    while (rc == 0 && more) {
        AUTO(arena_free) struct arena *arena = arena_new();
        struct page *page = ARENA_NEW(arena, struct page);
        page->arena = arena;
        page->shape = shape;
        page->column =
            from->column || from->field->link->junction ? from->column : from->field->column;
        rc = read_page(tx, page, &last);
        if (rc == 0 && !from->column && page->count > 0)
            rc = read_links(tx, page, from->field);
        if (rc == 0 && page->count > 0)
            rc = fn(tx, page, context);
        if (rc == 0)
            rc = progress_step(tx, (int64_t)page->count);
        more = page->count == PAGE_ROWS;
        if (more)
            last = value_copy(tx->arena, &page->keys[PAGE_ROWS - 1]);
    }
    return rc;
}

/* ---- as text ---- */

/* To a kind of several each link is one, whatever its name holds. */
static void put_links(struct buf *b, const struct link_cell *cell, const struct kind *to)
{
    bool first = true;

    if (to->id != KIND_MULTIPLE_SELECT)
        links_put_text(b, cell);
    for (size_t i = 0; i < cell->count && to->id == KIND_MULTIPLE_SELECT; i++)
        names_put(b, &first, cell->at[i].name);
}

static struct str text_of(const struct page *page, const struct cells *from, const struct kind *to,
                          size_t i)
{
    struct buf b;

    buf_init(&b, SIZE_MAX);
    if (from->column)
        kind_put_text(&b, from->field, &page->cells[i]);
    else
        put_links(&b, links_cell(page->links, from->field, &page->keys[i]), to);
    struct str text = arena_str(page->arena, b.len > 0 ? buf_str(&b) : STR(""));
    buf_deinit(&b);
    return text;
}

/* ---- into a column ---- */

struct into_column {
    const struct cells *from, *to;
};

static struct value converted(const struct page *page, const struct into_column *c, size_t i)
{
    if (c->from->column)
        return kind_convert(page->arena, c->from->field, c->to->field, &page->cells[i]);
    return kind_parse(page->arena, c->to->field, text_of(page, c->from, c->to->field->kind, i));
}

/* What stays as it is is not written: in its own column a cell, in a new one null. */
static int write_cells(struct tx *tx, const struct page *page, void *context)
{
    const struct into_column *c = context;
    bool in_place = c->from->column == c->to->column;
    struct value *keys = ARENA_ARRAY(page->arena, struct value, page->count);
    struct value *values = ARENA_ARRAY(page->arena, struct value, page->count);
    const struct value none = value_null();
    size_t count = 0;

    for (size_t i = 0; i < page->count; i++) {
        values[count] = converted(page, c, i);
        if (value_equal(&values[count], in_place ? &page->cells[i] : &none))
            continue;
        keys[count++] = page->keys[i];
    }
    if (count == 0)
        return 0;
    int rc = store_assign_each(tx->store, page->shape, c->to->column, keys, values, count);
    return field_refuse(tx, schema_outcome(tx, rc, page->shape->name, c->to->field->name));
}

/* ---- into links ---- */

/* Names of rows of the target, and which rows they are. */
struct named {
    struct arena *arena;
    const struct grid_field *primary;
    struct value *cells; /* what is looked for */
    size_t count, capacity;
    struct map keys; /* struct value, by name */
};

static void look_for(struct named *named, struct str name)
{
    struct value cell = kind_parse(named->arena, named->primary, name);

    if (kind_is_empty(named->primary, &cell))
        return;
    if (named->count == named->capacity) {
        size_t capacity = named->capacity ? named->capacity * 2 : PAGE_ROWS;
        struct value *cells = ARENA_ARRAY(named->arena, struct value, capacity);
        if (named->count > 0)
            memcpy(cells, named->cells, named->count * sizeof(*cells));
        named->cells = cells;
        named->capacity = capacity;
    }
    named->cells[named->count++] = cell;
}

/* The first of a name counts. */
static int take_named(void *context, const struct value *row)
{
    struct named *named = context;
    struct buf text;

    buf_init(&text, SIZE_MAX);
    kind_put_text(&text, named->primary, &row[1]);
    if (text.len > 0 && !map_get(&named->keys, buf_str(&text))) {
        struct value *key = ARENA_NEW(named->arena, struct value);
        *key = value_copy(named->arena, &row[0]);
        map_put(&named->keys, buf_str(&text), key);
    }
    buf_deinit(&text);
    return 0;
}

static int find_named(struct tx *tx, const struct grid_table *target, struct named *named)
{
    const struct output outputs[] = {{.column = table_key(target->table)},
                                     {.column = named->primary->column}};
    const struct order order = {.column = table_hidden(target->table, HIDDEN_ORDER)};
    const struct select select = {
        .shape = &target->table->shape,
        .outputs = outputs,
        .output_count = 2,
        .where = expr_test(named->arena, named->primary->column, OP_IN, named->cells, named->count),
        .orders = &order,
        .order_count = 1,
        .limit = -1,
        .now_ms = tx->now_ms,
    };

    return named->count > 0 ? store_select(tx->store, &select, take_named, named) : 0;
}

struct into_links {
    const struct cells *from, *to;
    struct named *named; /* of this page */
};

/* What a row's links may be called: as a whole, or with commas between. */
static void each_name(const struct page *page, const struct into_links *c, size_t i,
                      void (*fn)(void *context, struct str name, bool whole), void *context)
{
    if (!c->from->column) {
        const struct link_cell *cell = links_cell(page->links, c->from->field, &page->keys[i]);
        for (size_t k = 0; k < cell->count; k++)
            fn(context, cell->at[k].name, false);
        return;
    }
    struct str rest = text_of(page, c->from, c->to->field->kind, i), part;
    fn(context, str_trim(rest), true);
    while (names_next(page->arena, &rest, &part))
        fn(context, part, false);
}

static void look_for_name(void *context, struct str name, bool whole)
{
    (void)whole;
    look_for(context, name);
}

/* The rows that one row is to be linked to. */
struct ends {
    struct arena *arena;
    const struct named *named;
    const struct value **keys;
    size_t count, capacity, limit;
    struct map taken; /* the keys */
    bool whole;       /* one name was all of it */
};

static void add_key(struct ends *ends, const struct value *key)
{
    if (ends->count == ends->limit || map_put(&ends->taken, value_key(ends->arena, key), ends))
        return;
    if (ends->count == ends->capacity) {
        size_t capacity = ends->capacity ? ends->capacity * 2 : 4;
        const struct value **keys = ARENA_ARRAY(ends->arena, const struct value *, capacity);
        if (ends->count > 0)
            memcpy(keys, ends->keys, ends->count * sizeof(*keys));
        ends->keys = keys;
        ends->capacity = capacity;
    }
    ends->keys[ends->count++] = key;
}

static void add_named(void *context, struct str name, bool whole)
{
    struct ends *ends = context;
    const struct value *key = ends->whole ? NULL : map_get(&ends->named->keys, name);

    if (!key)
        return;
    add_key(ends, key);
    ends->whole = whole;
}

/* Links to the same table lead to the same rows, whatever these are called. */
static bool same_target(const struct into_links *c)
{
    return !c->from->column && c->from->field->link->target == c->to->field->link->target;
}

static void find_ends(const struct page *page, const struct into_links *c, size_t i,
                      struct ends *ends)
{
    if (!same_target(c)) {
        each_name(page, c, i, add_named, ends);
        return;
    }
    const struct link_cell *cell = links_cell(page->links, c->from->field, &page->keys[i]);
    for (size_t k = 0; k < cell->count; k++)
        add_key(ends, &cell->at[k].key);
}

static int insert_links(struct tx *tx, const struct page *page, const struct into_links *c,
                        size_t i)
{
    const struct grid_link *link = c->to->field->link;
    struct ends ends = {
        .arena = page->arena,
        .named = c->named,
        .limit = c->to->field->settings.several ? SIZE_MAX : 1,
    };
    int rc = 0;

    find_ends(page, c, i, &ends);
    for (size_t k = 0; k < ends.count && rc == 0; k++) {
        const struct assignment sides[] = {{link->near, page->keys[i]}, {link->far, *ends.keys[k]}};
        rc = store_insert(tx->store, &link->junction->shape, sides, COUNT_OF(sides), NULL, NULL);
    }
    map_deinit(&ends.taken);
    return schema_outcome(tx, rc, link->junction->name, STR_NULL);
}

static int write_links(struct tx *tx, const struct page *page, void *context)
{
    struct into_links *c = context;
    const struct grid_table *target = c->to->field->link->target;
    struct named named = {.arena = page->arena, .primary = target->primary};

    map_init(&named.keys);
    for (size_t i = 0; i < page->count && !same_target(c); i++)
        each_name(page, c, i, look_for_name, &named);
    int rc = find_named(tx, target, &named);
    c->named = &named;
    for (size_t i = 0; i < page->count && rc == 0; i++)
        rc = insert_links(tx, page, c, i);
    map_deinit(&named.keys);
    return rc;
}

int convert_cells(struct tx *tx, const struct shape *shape, const struct cells *from,
                  const struct cells *to)
{
    struct into_column column = {from, to};
    struct into_links links = {.from = from, .to = to};

    return to->column ? walk(tx, shape, from, write_cells, &column)
                      : walk(tx, shape, from, write_links, &links);
}

/* ---- options ---- */

/* A field has so many options made for its cells; what comes after them is left out. */
enum { NEW_CHOICES_MAX = 1000 };

struct collecting {
    const struct cells *from, *to;
    struct kind_names names;
};

/* What links are to kinds that know nothing of them. */
static const struct column text_column = {.name = STR_INIT("text"), .type = TYPE_TEXT};
static const struct grid_field text_field = {.kind = &kinds[KIND_TEXT], .column = &text_column};

static int collect_choices(struct tx *tx, const struct page *page, void *context)
{
    struct collecting *c = context;

    (void)tx;
    for (size_t i = 0; i < page->count && c->names.count < NEW_CHOICES_MAX; i++) {
        if (c->from->column) {
            kind_collect_choices(&c->names, c->from->field, c->to->field, &page->cells[i]);
        } else {
            const struct value text = value_text(text_of(page, c->from, c->to->field->kind, i));
            kind_collect_choices(&c->names, &text_field, c->to->field, &text);
        }
    }
    return 0;
}

int convert_new_choices(struct tx *tx, const struct shape *shape, const struct cells *from,
                        const struct cells *to, struct field_draft *d)
{
    struct collecting c = {.from = from, .to = to, .names = {.arena = tx->arena}};
    struct choice_counter counter = {0};

    int rc = walk(tx, shape, from, collect_choices, &c);
    if (rc == 0)
        rc = choices_begin(tx, &counter);
    if (rc == 0 && c.names.count > 0) {
        d->settings = kind_new_choices(d->settings, &c.names, &counter.next);
        arena_on_free(tx->arena, json_release, d->settings);
        draft_finish(tx, d);
        rc = choices_end(tx, &counter);
    }
    map_deinit(&c.names.seen);
    return rc;
}
