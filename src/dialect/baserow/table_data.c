#include "dialect/baserow/table_data.h"

#include "base/text.h"

enum { FIELD_NAME_MAX = 255, FIELDS_MAX = 600, ROWS_AT_ONCE_MAX = 5000 };

/* The widest row; 0: there is none, or what should be a row is none. */
static size_t width_of(const json_t *rows)
{
    size_t width = 0;

    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        if (!json_is_array(row))
            return 0;
        if (json_array_size(row) > width)
            width = json_array_size(row);
    }
    return width;
}

static int check_size(struct tx *tx, size_t rows, size_t width, enum table_data_limit limit)
{
    int64_t most = baserow_settings()->table_rows_max;

    if (rows == 0 || width == 0)
        return refuse_code(tx, ERROR_INVALID_INITIAL_TABLE_DATA, NULL);
    if (limit == TABLE_DATA_AT_ONCE && rows > ROWS_AT_ONCE_MAX)
        return refuse_code(tx, ERROR_INITIAL_SYNC_TABLE_DATA_LIMIT_EXCEEDED, NULL);
    if (most > 0 && rows > (size_t)most)
        return refuse_code(tx, ERROR_INITIAL_TABLE_DATA_LIMIT_EXCEEDED, NULL);
    if (width > FIELDS_MAX)
        return refuse_code(tx, ERROR_MAX_FIELD_COUNT_EXCEEDED, NULL);
    return 0;
}

int table_data_check(struct tx *tx, const json_t *rows)
{
    return check_size(tx, json_array_size(rows), width_of(rows), TABLE_DATA_JOB);
}

static bool is_taken(const struct str *names, size_t count, struct str name)
{
    for (size_t i = 0; i < count; i++)
        if (str_equal(names[i], name))
            return true;
    return false;
}

static int check_name(struct tx *tx, const struct str *names, size_t count, struct str name)
{
    if (text_length(name) > FIELD_NAME_MAX)
        return refuse_code(tx, ERROR_MAX_FIELD_NAME_LENGTH_EXCEEDED, NULL);
    if (str_equal(name, STR("id")) || str_equal(name, STR("order")))
        return refuse_code(tx, ERROR_RESERVED_BASEROW_FIELD_NAME, NULL);
    if (is_taken(names, count, name))
        return refuse_code(tx, ERROR_INITIAL_TABLE_DATA_HAS_DUPLICATE_NAMES, NULL);
    return 0;
}

/* What stands in a cell of the header; absent: nothing. */
static struct str header_name(struct arena *a, const json_t *cell)
{
    if (json_is_string(cell))
        return str_trim(json_str(cell));
    return cell && !json_is_null(cell) ? json_text(a, cell) : STR_NULL;
}

/* For a column without a name: the first number from its place on that names none. */
static struct str number_name(struct arena *a, const struct str *names, size_t count, size_t place)
{
    for (size_t n = place + 1;; n++) {
        struct str name = arena_printf(a, "Field %zu", n);
        if (!is_taken(names, count, name))
            return name;
    }
}

static int read_names(struct tx *tx, const json_t *header, struct str *names, size_t count)
{
    int rc = 0;

    for (size_t i = 0; i < count; i++)
        names[i] = header_name(tx->arena, json_array_get(header, i));
    for (size_t i = 0; i < count && rc == 0; i++) {
        if (names[i].len == 0)
            names[i] = number_name(tx->arena, names, count, i);
        rc = check_name(tx, names, i, names[i]);
    }
    return rc;
}

int table_data_read(struct tx *tx, const json_t *data, enum table_data_limit limit,
                    struct grid_draft *draft_out)
{
    json_t *rows = json_get(data, "data");
    bool header = data_boolean(data, "first_row_header", false);
    struct grid_draft draft = {.name = data_text(data, "name")};

    if (!rows || json_is_null(rows)) {
        *draft_out = draft;
        return 0;
    }
    size_t count = json_array_size(rows), width = width_of(rows);
    int rc = check_size(tx, count, width, limit);
    if (rc != 0)
        return rc;
    struct str *names = ARENA_ARRAY(tx->arena, struct str, width);
    rc = read_names(tx, header ? json_array_get(rows, 0) : NULL, names, width);
    draft.fields = names;
    draft.field_count = width;
    draft.rows = rows;
    draft.skip = header ? 1 : 0;
    if (rc == 0)
        *draft_out = draft;
    return rc;
}
