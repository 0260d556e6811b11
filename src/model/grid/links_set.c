#include "model/grid/fetch.h"
#include "model/grid/wishes.h"
#include "model/items/effects.h"
#include "model/items/rows.h"
#include "model/problem.h"

/* Rows of junctions: made and deleted so that rows are linked as was wished. Those that are there
 * and stay are not touched. */

struct granting {
    struct tx *tx;
    const struct grid_link *link;
    const struct link_wish *wishes;
    size_t count;
    struct map wished; /* near and far of the links that there are to be */
    struct map there;  /* the same of those that stay */
    struct rows *gone;
};

static struct str pair_key(struct arena *a, const struct value *near, const struct value *far)
{
    struct buf b;

    buf_init(&b, SIZE_MAX);
    value_put_key(&b, near);
    value_put_key(&b, far);
    struct str key = arena_str(a, buf_str(&b));
    buf_deinit(&b);
    return key;
}

static void note_wished(struct granting *g)
{
    for (size_t i = 0; i < g->count; i++) {
        const struct link_wish *w = &g->wishes[i];
        for (size_t k = 0; k < w->count; k++)
            map_put(&g->wished, pair_key(g->tx->arena, &w->row_key, &w->keys[k]), g);
    }
}

/* Of several equal links one stays. */
static void sort_out(struct granting *g, const struct value *row)
{
    const struct value *near = &row[g->link->near->index], *far = &row[g->link->far->index];
    struct str key = pair_key(g->tx->arena, near, far);
    const struct item_key row_key = {.value = row[g->link->junction->shape.key]};

    if (map_get(&g->wished, key) && !map_get(&g->there, key))
        map_put(&g->there, key, g);
    else
        rows_add(g->tx, g->gone, &row_key)->before = row;
}

static int read_there(struct granting *g)
{
    const struct select all = {.shape = &g->link->junction->shape, .limit = -1};
    struct value *keys = ARENA_ARRAY(g->tx->arena, struct value, g->count);
    struct fetched found = {0};

    for (size_t i = 0; i < g->count; i++)
        keys[i] = g->wishes[i].row_key;
    size_t count = fetch_distinct(keys, g->count);
    int rc = fetch_in(g->tx, g->tx->arena, &all, g->link->near, keys, count, &found);
    for (size_t i = 0; i < found.count && rc == 0; i++)
        sort_out(g, found.at[i]);
    return rc;
}

static int remove_gone(struct granting *g)
{
    struct effects *effects;

    if (g->gone->count == 0)
        return 0;
    int rc = effects_find(g->tx, g->gone, &effects);
    if (rc == 0)
        rc = rows_delete(g->tx, g->gone);
    if (rc == 0)
        rc = effects_apply(g->tx, effects);
    if (rc != 0)
        return rc;
    rows_record(g->tx, g->gone, commit_operation(g->tx), CHANGE_DELETE, NULL);
    effects_record(g->tx, effects);
    return 0;
}

static int insert(struct granting *g, unsigned operation, const struct value *near,
                  const struct value *far)
{
    const struct table *junction = g->link->junction;
    const struct assignment assignments[] = {{g->link->near, *near}, {g->link->far, *far}};
    struct column_set submitted = {0};
    const struct value *row;

    int rc = rows_insert(g->tx, junction, assignments, COUNT_OF(assignments), &row);
    if (rc != 0)
        return rc;
    const struct item_key key = {.value = row[junction->shape.key]};
    column_set_add(&submitted, g->link->near->index);
    column_set_add(&submitted, g->link->far->index);
    commit_record(g->tx, operation, CHANGE_CREATE, junction, &key, NULL, row, &submitted);
    return 0;
}

static int insert_missing(struct granting *g, bool *any_out)
{
    unsigned operation = 0;
    int rc = 0;

    *any_out = false;
    for (size_t i = 0; i < g->count; i++) {
        const struct link_wish *w = &g->wishes[i];
        for (size_t k = 0; k < w->count && rc == 0; k++) {
            struct str key = pair_key(g->tx->arena, &w->row_key, &w->keys[k]);
            if (map_put(&g->there, key, g))
                continue;
            if (!*any_out)
                operation = commit_operation(g->tx);
            *any_out = true;
            rc = insert(g, operation, &w->row_key, &w->keys[k]);
        }
    }
    return rc;
}

int wishes_grant(struct tx *tx, const struct grid_field *f, const struct link_wish *wishes,
                 size_t count, bool *changed_out)
{
    struct granting g = {.tx = tx, .link = f->link, .wishes = wishes, .count = count};
    bool made = false;

    g.gone = rows_new(tx, f->link->junction);
    note_wished(&g);
    int rc = read_there(&g);
    if (rc == 0)
        rc = remove_gone(&g);
    if (rc == 0)
        rc = insert_missing(&g, &made);
    map_deinit(&g.wished);
    map_deinit(&g.there);
    if (rc == 0)
        *changed_out = made || g.gone->count > 0;
    return rc;
}

int links_set(struct tx *tx, const struct grid_field *f, const struct value *row_key,
              const struct value *keys, size_t count, bool *changed_out)
{
    struct link_wish wish = {.row_key = *row_key, .count = count};

    wish.keys = ARENA_ARRAY(tx->arena, struct value, count);
    for (size_t i = 0; i < count; i++)
        wish.keys[i] = keys[i];
    return wishes_grant(tx, f, &wish, 1, changed_out);
}
