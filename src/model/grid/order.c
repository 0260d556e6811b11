#include "model/grid/order.h"

#include <errno.h>
#include <math.h>

#include "base/fault.h"
#include "model/grid/fetch.h"

/* ---- fractions ---- */

/*
 * The walk down the Stern-Brocot tree: between two fractions, the next that is tried is their
 * mediant, so the first that lies between the bounds is the simplest. Many steps in one direction
 * are taken at once. Fractions are judged as the doubles that will be stored.
 */

enum { DENOMINATOR_MAX = 10000000 };

struct fraction {
    int64_t over, under;
};
struct bounds {
    double whole; /* added to the fractions, which lie between 0 and 1 */
    double low, high;
};
enum side { TOO_LOW, BETWEEN, TOO_HIGH };

static double number(const struct bounds *b, struct fraction f)
{
    return (b->whole * (double)f.under + (double)f.over) / (double)f.under;
}

static enum side side_of(const struct bounds *b, struct fraction f)
{
    double n = number(b, f);
    return n <= b->low ? TOO_LOW : n >= b->high ? TOO_HIGH : BETWEEN;
}

static struct fraction toward(struct fraction from, struct fraction to, int64_t steps)
{
    return (struct fraction){from.over + steps * to.over, from.under + steps * to.under};
}

/* After one step the walk is on this side of the bounds: where it leaves that side, or gets too
 * fine, less one step. */
static struct fraction last_on(const struct bounds *b, enum side side, struct fraction from,
                               struct fraction to)
{
    int64_t on = 1, off = 2;

    while (toward(from, to, off).under <= DENOMINATOR_MAX &&
           side_of(b, toward(from, to, off)) == side) {
        on = off;
        off *= 2;
    }
    while (off - on > 1) {
        int64_t middle = on + (off - on) / 2;
        struct fraction f = toward(from, to, middle);
        if (f.under <= DENOMINATOR_MAX && side_of(b, f) == side)
            on = middle;
        else
            off = middle;
    }
    return toward(from, to, on);
}

int order_between(double low, double high, double *between_out)
{
    const struct bounds b = {floor(low), low, high};
    struct fraction left = {0, 1}, right = {1, 1};

    if (side_of(&b, right) == BETWEEN) {
        *between_out = b.whole + 1;
        return 0;
    }
    for (;;) {
        struct fraction next = toward(left, right, 1);
        if (next.under > DENOMINATOR_MAX)
            return ORDER_FULL;
        switch (side_of(&b, next)) {
        case BETWEEN:
            *between_out = number(&b, next);
            return 0;
        case TOO_LOW:
            left = last_on(&b, TOO_LOW, left, right);
            break;
        case TOO_HIGH:
            right = last_on(&b, TOO_HIGH, right, left);
            break;
        }
    }
}

/* Most are whole, and many are told. */
void order_put(struct buf *b, double order)
{
    if (order == floor(order) && fabs(order) < 1e15) {
        buf_put_int(b, (int64_t)order);
        buf_put_lit(b, ".00000000000000000000");
        return;
    }
    buf_printf(b, "%.20f", order);
}

/* ---- places ---- */

static const struct column *order_column(const struct grid_table *t)
{
    return table_hidden(t->table, HIDDEN_ORDER);
}

/* The order of the row; *known_out false: it has none. */
static int read_order(struct tx *tx, const struct grid_table *t, int64_t id, bool *known_out,
                      double *order_out)
{
    const struct value **rows;

    int rc = fetch_rows(tx, t, &id, 1, &rows);
    if (rc != 0)
        return rc;
    const struct value *order = &rows[0][order_column(t)->index];
    *known_out = !value_is_null(order);
    if (*known_out)
        *order_out = order->real;
    return 0;
}

/* The greatest order below; 0: there is none. */
static int read_order_below(struct tx *tx, const struct grid_table *t, double high, double *low_out)
{
    const struct column *column = order_column(t);
    const struct value bound = value_real(high);
    const struct output output = {.column = column};
    const struct order latest = {.column = column, .descending = true};
    const struct select select = {.shape = &t->table->shape,
                                  .outputs = &output,
                                  .output_count = 1,
                                  .where = expr_test(tx->arena, column, OP_LT, &bound, 1),
                                  .orders = &latest,
                                  .order_count = 1,
                                  .limit = 1};
    struct fetched rows = {0};

    int rc = fetch(tx, tx->arena, &select, &rows);
    if (rc == 0)
        *low_out = rows.count > 0 ? rows.at[0]->real : 0;
    return rc;
}

enum { NO_ROOM = 2 };
static int find_places(struct tx *tx, const struct grid_table *t, int64_t before,
                       double *places_out, size_t count)
{
    double low, high;
    bool known;

    int rc = read_order(tx, t, before, &known, &high);
    if (rc == 0 && known)
        rc = read_order_below(tx, t, high, &low);
    if (rc != 0)
        return rc;
    for (size_t i = 0; i < count; i++) {
        if (!known || order_between(low, high, &places_out[i]) == ORDER_FULL)
            return NO_ROOM;
        low = places_out[i];
    }
    return 0;
}

int order_before(struct tx *tx, const struct grid_table *t, int64_t before, double *places_out,
                 size_t count, bool *renumbered_out)
{
    const struct order now = {.column = order_column(t)};

    *renumbered_out = false;
    int rc = find_places(tx, t, before, places_out, count);
    if (rc != NO_ROOM)
        return rc;
    rc = store_renumber(tx->store, &t->table->shape, now.column, &now, 1);
    if (rc != 0)
        return rc;
    *renumbered_out = true;
    rc = find_places(tx, t, before, places_out, count);
    return rc == NO_ROOM ? FAULT_BECAUSE(ERANGE, "%zu rows find no place", count) : rc;
}
