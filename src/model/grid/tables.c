#include "model/grid/fields.h"

#include <errno.h>

#include "base/fault.h"
#include "model/grid/making.h"
#include "model/grid/trash.h"
#include "model/items/rows.h"
#include "model/progress.h"

/* Tables: made, named, ordered, deleted. */

/* ---- rows of directus_collections ---- */

static int table_row(struct tx *tx, const struct grid_table *t, const struct value **row_out)
{
    int rc =
        schema_find(tx, SYSTEM_COLLECTIONS, "collection", t->table->name, NULL, STR_NULL, row_out);
    if (rc == 0 && !*row_out)
        return FAULT_BECAUSE(EBADMSG, "a table of the grid has no row");
    return rc;
}

/* `asked`: it is told of, even when it is so already. */
static int set_cell(struct tx *tx, const struct grid_table *t, const char *column,
                    struct value value, bool asked)
{
    const struct value *row;

    int rc = table_row(tx, t, &row);
    if (rc != 0)
        return rc;
    struct value *changed = schema_copy(tx, SYSTEM_COLLECTIONS, row);
    schema_set(SYSTEM_COLLECTIONS, changed, column, value);
    return asked ? schema_update_asked(tx, SYSTEM_COLLECTIONS, row, changed)
                 : schema_update(tx, SYSTEM_COLLECTIONS, row, changed);
}

static int64_t last_order(const struct tx *tx, int64_t application)
{
    size_t count;
    const struct grid_table *const *tables = grid_tables(tx->catalogue, application, &count);

    return count > 0 ? tables[count - 1]->order : 0;
}

/* ---- making ---- */

struct value *table_new_row(struct tx *tx, int64_t application, struct str slug, struct str name)
{
    struct value *row = schema_blank(tx, SYSTEM_COLLECTIONS);

    schema_set(SYSTEM_COLLECTIONS, row, "collection", value_text(slug));
    /* The catalogue's version is never given twice, and each new table brings another. */
    schema_set(SYSTEM_COLLECTIONS, row, "rowcast_table_id", value_integer(tx->catalogue->version));
    schema_set(SYSTEM_COLLECTIONS, row, "rowcast_label", value_text(name));
    schema_set(SYSTEM_COLLECTIONS, row, "rowcast_application", value_integer(application));
    schema_set(SYSTEM_COLLECTIONS, row, "rowcast_order",
               value_integer(last_order(tx, application) + 1));
    return row;
}

/* Name, Notes and Active (9.5). */
static const struct {
    struct str name;
    enum kind_id kind;
} default_fields[] = {
    {STR_INIT("Name"), KIND_TEXT},
    {STR_INIT("Notes"), KIND_LONG_TEXT},
    {STR_INIT("Active"), KIND_BOOLEAN},
};
enum { DEFAULT_ROWS = 2 };

/* The fields of a table that is about to be made, its key first. */
struct making {
    struct str slug;
    struct column *columns;
    struct value **rows;
    size_t count;
};

struct slugs {
    const struct column *columns;
    size_t count;
};

static bool is_slug(const void *context, struct str slug)
{
    const struct slugs *slugs = context;

    for (size_t i = 0; i < slugs->count; i++)
        if (str_equal(slugs->columns[i].name, slug))
            return true;
    return false;
}

static int add_field(struct tx *tx, struct making *m, struct str name, enum kind_id kind)
{
    const struct slugs slugs = {m->columns, m->count};
    struct field_draft d = {
        .name = name,
        .kind = &kinds[kind],
        .order = (int64_t)m->count,
        .primary = m->count == 1,
    };

    int rc = draft_check_name(tx, NULL, name, NULL);
    if (rc == 0)
        rc = kind_read_settings(tx, d.kind, NULL, NULL, NULL, &d.settings);
    if (rc != 0)
        return rc;
    d.column.name = grid_slug(tx->arena, name, "field", is_slug, &slugs);
    draft_finish(tx, &d);
    struct value *row = schema_blank(tx, SYSTEM_FIELDS);
    schema_set(SYSTEM_FIELDS, row, "collection", value_text(m->slug));
    schema_set(SYSTEM_FIELDS, row, "field", value_text(d.column.name));
    schema_set(SYSTEM_FIELDS, row, "sort", value_integer((int64_t)m->count + 1));
    draft_to_row(tx, &d, row);
    m->columns[m->count] = d.column;
    m->columns[m->count].index = (unsigned)m->count;
    m->rows[m->count++] = row;
    return 0;
}

static int check_distinct(struct tx *tx, const struct str *names, size_t count)
{
    struct map seen;
    bool twice = false;

    map_init(&seen);
    for (size_t i = 0; i < count && !twice; i++)
        twice = map_put(&seen, names[i], &seen);
    map_deinit(&seen);
    return twice ? refuse_wish(tx, GRID_NAME_TAKEN) : 0;
}

static int add_fields(struct tx *tx, struct making *m, const struct grid_draft *draft)
{
    size_t count = draft->fields ? draft->field_count : COUNT_OF(default_fields);
    int rc = 0;

    if (count > SCHEMA_FIELDS_MAX)
        return refuse_wish(tx, GRID_TOO_MANY_FIELDS);
    m->columns = ARENA_ARRAY(tx->arena, struct column, count + 1);
    m->rows = ARENA_ARRAY(tx->arena, struct value *, count + 1);
    m->columns[0] = table_number_key();
    m->rows[0] = plain_field_row(tx, m->slug, &m->columns[0]);
    m->count = 1;
    if (draft->fields)
        rc = check_distinct(tx, draft->fields, count);
    for (size_t i = 0; i < count && rc == 0; i++)
        rc = draft->fields ? add_field(tx, m, draft->fields[i], KIND_TEXT)
                           : add_field(tx, m, default_fields[i].name, default_fields[i].kind);
    return rc;
}

/* ---- its first rows ---- */

/* A cell of text, whatever was sent for it. */
static struct value read_cell(struct tx *tx, const struct grid_field *f, const json_t *json)
{
    if (!json || json_is_null(json))
        return kind_empty(f);
    return value_text(json_is_string(json) ? json_str(json) : json_text(tx->arena, json));
}

/* Cells by the fields' order; where a row ends, what follows is empty. NULL: an empty row. */
static int insert_row(struct tx *tx, const struct grid_table *t, const json_t *cells)
{
    struct assignment *set = ARENA_ARRAY(tx->arena, struct assignment, t->field_count);
    const struct value *row;

    for (size_t i = 0; cells && i < t->field_count; i++)
        set[i] = (struct assignment){t->fields[i].column,
                                     read_cell(tx, &t->fields[i], json_array_get(cells, i))};
    return rows_insert(tx, t->table, set, cells ? t->field_count : 0, &row);
}

static void release_arena(void *arena)
{
    arena_free(arena);
}

int table_in_pages(struct tx *tx, int (*page)(struct tx *tx, void *context, bool *more_out),
                   void *context)
{
    struct arena *own = tx->arena;
    bool more = true;
    int rc = 0;

    while (rc == 0 && more) {
        struct arena *arena = arena_new();
        tx->arena = arena;
        rc = page(tx, context, &more);
        tx->arena = own;
        if (rc == REFUSED) /* what is told of it lies there */
            arena_on_free(own, release_arena, arena);
        else
            arena_free(arena);
    }
    return rc;
}

int table_expect_rows(struct tx *tx, const struct table *table)
{
    const struct select select = {.shape = &table->shape, .limit = -1, .now_ms = tx->now_ms};
    int64_t count = 0;

    int rc = tx->progress ? store_count(tx->store, &select, &count) : 0;
    progress_expect(tx, count);
    return rc;
}

enum { PAGE_ROWS = 500 };
struct first_rows {
    const struct grid_table *t;
    const json_t *rows; /* NULL: empty ones */
    size_t next, end;
};

static int insert_page(struct tx *tx, void *context, bool *more_out)
{
    struct first_rows *f = context;
    size_t from = f->next, end = f->end - from > PAGE_ROWS ? from + PAGE_ROWS : f->end;
    int rc = 0;

    for (; f->next < end && rc == 0; f->next++)
        rc = insert_row(tx, f->t, f->rows ? json_array_get(f->rows, f->next) : NULL);
    *more_out = f->next < f->end;
    return rc == 0 ? progress_step(tx, (int64_t)(f->next - from)) : rc;
}

/* They come with the table, which is read whole by whoever hears of it: nothing is recorded. */
static int insert_rows(struct tx *tx, const struct grid_table *t, const struct grid_draft *draft)
{
    struct first_rows f = {.t = t, .rows = draft->rows, .next = draft->skip};

    f.end = json_array_size(draft->rows);
    if (!draft->fields)
        f = (struct first_rows){.t = t, .end = DEFAULT_ROWS};
    progress_expect(tx, (int64_t)(f.end - f.next));
    return f.next < f.end ? table_in_pages(tx, insert_page, &f) : 0;
}

int grid_table_create(struct tx *tx, int64_t application, const struct grid_draft *draft,
                      int64_t *id_out)
{
    const struct application *place;
    struct making m = {0};

    int rc = tx_follow(tx);
    if (rc == 0)
        rc = grid_find_application(tx, application, &place);
    if (rc != 0)
        return rc;
    int64_t id = tx->catalogue->version;
    m.slug = table_slug(tx, draft->name);
    rc = add_fields(tx, &m, draft);
    if (rc == 0)
        rc = schema_make_table(tx, table_new_row(tx, application, m.slug, draft->name), m.rows,
                               m.columns, m.count);
    if (rc == 0)
        rc = tx_follow(tx);
    if (rc == 0)
        rc = insert_rows(tx, grid_table(tx->catalogue, id), draft);
    if (rc == 0)
        *id_out = id;
    return rc;
}

/* ---- names and order ---- */

int grid_table_rename(struct tx *tx, int64_t id, struct str name)
{
    const struct grid_table *t;

    int rc = tx_follow(tx);
    if (rc == 0)
        rc = grid_find(tx, id, &t);
    if (rc == 0)
        rc = set_cell(tx, t, "rowcast_label", value_text(name), true);
    return rc == 0 ? tx_follow(tx) : rc;
}

int grid_table_reorder(struct tx *tx, int64_t application, const int64_t *ids, size_t count)
{
    const struct application *place;
    size_t all;

    int rc = tx_follow(tx);
    if (rc == 0)
        rc = grid_find_application(tx, application, &place);
    if (rc != 0)
        return rc;
    const struct grid_table *const *tables = grid_tables(tx->catalogue, application, &all);
    for (size_t i = 0; i < count && rc == 0; i++) {
        const struct grid_table *t = grid_table(tx->catalogue, ids[i]);
        if (!t || t->application != place)
            rc = refuse_wish(tx, GRID_FOREIGN_TABLE);
    }
    if (rc != 0)
        return rc;
    int64_t *before = ARENA_ARRAY(tx->arena, int64_t, all);
    int64_t *after = ARENA_ARRAY(tx->arena, int64_t, all);
    for (size_t i = 0; i < all; i++)
        before[i] = tables[i]->id;
    order_apply(tx->arena, before, all, ids, count, after);
    for (size_t i = 0; i < all && rc == 0; i++)
        rc = set_cell(tx, grid_table(tx->catalogue, after[i]), "rowcast_order",
                      value_integer((int64_t)i + 1), false);
    return rc == 0 ? tx_follow(tx) : rc;
}

/* ---- deleting ---- */

/* Links of other tables that lead here go along. */
static int trash_links(struct tx *tx, const struct grid_table *t, int64_t *along,
                       size_t *along_count)
{
    size_t count;
    const struct grid_field *const *links = grid_links_to(tx->catalogue, t, &count);
    int rc = 0;

    *along_count = 0;
    for (size_t i = 0; i < count && rc == 0; i++) {
        if (links[i]->table == t)
            continue;
        along[(*along_count)++] = links[i]->id;
        rc = field_trash(tx, links[i]);
    }
    return rc;
}

int grid_table_delete(struct tx *tx, int64_t id)
{
    const struct grid_table *t;
    size_t count = 0;

    int rc = tx_follow(tx);
    if (rc == 0)
        rc = grid_find(tx, id, &t);
    if (rc != 0)
        return rc;
    grid_links_to(tx->catalogue, t, &count);
    int64_t *along = ARENA_ARRAY(tx->arena, int64_t, count);
    rc = trash_links(tx, t, along, &count);
    if (rc == 0)
        rc = set_cell(tx, t, "rowcast_trashed", value_integer(1), false);
    if (rc == 0)
        rc = trash_put_table(tx, t, along, count);
    return rc == 0 ? tx_follow(tx) : rc;
}
