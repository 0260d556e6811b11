#include "model/grid/cells.h"

#include <stdlib.h>

#include "model/grid/fetch.h"

/* ---- different values ---- */

/* One of them, and how many cells have it. */
struct distinct {
    struct str text;
    size_t cells, place; /* place: of the first cell that has it */
};

struct counting {
    struct arena *arena;
    const struct grid_field *field;
    bool split;
    struct map seen;
    struct buf text; /* of the cell that is being read */
};

static void count_text(struct counting *c, struct str text)
{
    struct distinct *found;

    text = str_trim(text);
    if (text.len == 0)
        return;
    found = map_get(&c->seen, text);
    if (!found) {
        found = ARENA_NEW(c->arena, struct distinct);
        found->text = arena_str(c->arena, text);
        found->place = c->seen.count;
        map_put(&c->seen, found->text, found);
    }
    found->cells++;
}

static int count_cell(void *context, const struct value *row)
{
    struct counting *c = context;
    struct str rest, part;

    c->text.len = 0;
    kind_put_text(&c->text, c->field, &row[0]);
    rest = buf_str(&c->text);
    if (!c->split)
        count_text(c, rest);
    while (c->split && rest.at && str_next(&rest, ',', &part))
        count_text(c, part);
    return 0;
}

static int compare_distinct(const void *a, const void *b)
{
    const struct distinct *x = *(struct distinct *const *)a, *y = *(struct distinct *const *)b;

    if (x->cells != y->cells)
        return x->cells > y->cells ? -1 : 1;
    return x->place < y->place ? -1 : 1;
}

static void give_texts(struct counting *c, size_t limit, struct cell_texts *texts_out)
{
    size_t count = c->seen.count, cursor = 0;
    struct distinct **all = ARENA_ARRAY(c->arena, struct distinct *, count + 1);
    void *value;

    for (size_t i = 0; map_next(&c->seen, &cursor, NULL, &value); i++)
        all[i] = value;
    qsort(all, count, sizeof(struct distinct *), compare_distinct);
    if (count > limit)
        count = limit;
    struct str *texts = ARENA_ARRAY(c->arena, struct str, count + 1);
    for (size_t i = 0; i < count; i++)
        texts[i] = all[i]->text;
    *texts_out = (struct cell_texts){texts, count};
}

static bool has_plain_values(const struct grid_field *f)
{
    switch (f->kind->id) {
    case KIND_LINK_ROW:
    case KIND_SINGLE_SELECT:
    case KIND_MULTIPLE_SELECT:
    case KIND_MULTIPLE_COLLABORATORS:
    case KIND_CREATED_BY:
    case KIND_LAST_MODIFIED_BY:
    case KIND_PASSWORD:
        return false;
    default:
        return true;
    }
}

int cells_distinct(struct tx *tx, const struct grid_field *f, size_t limit, bool split,
                   struct cell_texts *texts_out)
{
    if (!has_plain_values(f))
        return refuse(tx, PROBLEM_UNPROCESSABLE, "%s", GRID_VALUES_UNSUPPORTED);
    const struct column *place = table_hidden(f->table->table, HIDDEN_ORDER);
    const struct output output = {.column = f->column};
    const struct order orders[] = {{.column = place ? place : fetch_id_column(f->table)},
                                   {.column = fetch_id_column(f->table)}};
    const struct select select = {
        .shape = &f->table->table->shape,
        .outputs = &output,
        .output_count = 1,
        .orders = orders,
        .order_count = COUNT_OF(orders),
        .limit = -1,
        .now_ms = tx->now_ms,
    };
    struct counting counting = {.arena = tx->arena, .field = f, .split = split};

    buf_init(&counting.text, SIZE_MAX);
    int rc = store_select(tx->store, &select, count_cell, &counting);
    if (rc == 0)
        give_texts(&counting, limit, texts_out);
    buf_deinit(&counting.text);
    map_deinit(&counting.seen);
    return rc;
}

/* ---- passwords ---- */

static bool may_be_asked(const struct grid_field *f)
{
    return f && f->kind->id == KIND_PASSWORD && f->column &&
           json_is_true(json_object_get(f->settings.json, "allow_endpoint_authentication"));
}

int cell_check_password(struct tx *tx, int64_t field, int64_t row, struct str plain,
                        bool *right_out)
{
    const struct grid_field *f = grid_field(tx->catalogue, field);
    const struct value **rows;

    if (!may_be_asked(f))
        return refuse(tx, PROBLEM_UNPROCESSABLE, "%s", GRID_NO_FIELD);
    int rc = fetch_rows(tx, f->table, &row, 1, &rows);
    if (rc == 0)
        *right_out = kind_password_fits(tx, f, &rows[0][f->column->index], plain);
    return rc;
}
