/* Short lists, searched and sorted in memory. What is compared is folded once for each row. */
#include "dialect/baserow/lists.h"

#include <assert.h>
#include <stdlib.h>

#include "base/text.h"

const struct rule list_rules[] = {
    {.name = "search", .kind = RULE_SECRET, .flags = RULE_BLANK},
    {.name = "sorts", .kind = RULE_SECRET, .flags = RULE_BLANK},
    {.name = NULL},
};

/* A row while it is sorted: its keys by weight, the latter negative for a falling order. */
struct entry {
    const void *row;
    size_t place;
    struct str keys[LIST_COLUMNS_MAX];
};
struct sorting {
    const struct list_column *columns[LIST_COLUMNS_MAX];
    bool falling[LIST_COLUMNS_MAX];
    size_t count;
};

static bool is_sorted_by(const struct sorting *s, const struct list_column *column)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->columns[i] == column)
            return true;
    return false;
}

/* "+name": one part of `sorts`. */
static int read_part(struct tx *tx, struct str part, const struct list_column *columns,
                     struct sorting *s)
{
    char sign = part.len ? part.at[0] : '+';
    if (sign != '+' && sign != '-' && sign != ' ')
        return refuse_code(tx, ERROR_INVALID_SORT_DIRECTION, NULL);
    const struct list_column *column = columns;
    while (column->name && !str_equal(str_skip(part, 1), str_of(column->name)))
        column++;
    if (!column->name || is_sorted_by(s, column))
        return refuse_code(tx, ERROR_INVALID_SORT_ATTRIBUTE, NULL);
    assert(s->count < LIST_COLUMNS_MAX);
    s->columns[s->count] = column;
    s->falling[s->count++] = sign == '-';
    return 0;
}

static int read_sorts(struct tx *tx, struct str text, const struct list_column *columns,
                      struct sorting *s)
{
    struct str part;
    if (text.len == 0)
        return 0;
    while (str_next(&text, ',', &part)) {
        int rc = read_part(tx, part, columns, s);
        if (rc)
            return rc;
    }
    return 0;
}

static bool is_found(const struct list_column *columns, const void *row, struct str folded)
{
    for (; columns->name; columns++)
        if (columns->searched && text_contains_folded(columns->text(row), folded))
            return true;
    return false;
}

static int compare(const void *a, const void *b, void *context)
{
    const struct entry *left = a, *right = b;
    const struct sorting *s = context;
    for (size_t i = 0; i < s->count; i++) {
        int order = str_compare(left->keys[i], right->keys[i]);
        if (order)
            return s->falling[i] ? -order : order;
    }
    return left->place < right->place ? -1 : 1;
}

static void sort(struct arena *a, const struct sorting *s, const void **rows, size_t count)
{
    struct entry *entries = ARENA_ARRAY(a, struct entry, count);
    for (size_t i = 0; i < count; i++) {
        entries[i] = (struct entry){.row = rows[i], .place = i};
        for (size_t k = 0; k < s->count; k++)
            entries[i].keys[k] = text_fold(a, s->columns[k]->text(rows[i]));
    }
    struct sorting context = *s;
    qsort_r(entries, count, sizeof(*entries), compare, &context);
    for (size_t i = 0; i < count; i++)
        rows[i] = entries[i].row;
}

int list_select(struct tx *tx, const json_t *asked, const struct list_column *columns,
                const void **rows, size_t *count)
{
    struct sorting s = {.count = 0};
    struct str search = data_text(asked, "search");
    int rc = read_sorts(tx, data_text(asked, "sorts"), columns, &s);
    if (rc)
        return rc;
    if (search.len) {
        struct str folded = text_fold(tx->arena, str_trim(search));
        size_t found = 0;
        for (size_t i = 0; i < *count; i++)
            if (is_found(columns, rows[i], folded))
                rows[found++] = rows[i];
        *count = found;
    }
    if (s.count)
        sort(tx->arena, &s, rows, *count);
    return 0;
}
