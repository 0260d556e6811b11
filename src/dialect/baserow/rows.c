/* Rows (9.7). Table and permission are looked at before what was sent: the table's fields say what
 * that may be. */
#include "dialect/baserow/rows.h"

#include <inttypes.h>

#include "dialect/baserow/paging.h"
#include "model/grid/tokens.h"

enum { PAGE_SIZE = 100 };

/* A table's routes name it first. */
static int admit(struct request *r, struct tx *tx, enum action action,
                 const struct grid_table **table_out)
{
    return grid_admit(r, tx, rest_of(r)->ids[0], action, table_out);
}

/* A row's integer in the query string; `otherwise` when it is not there. */
static int read_row_id(struct tx *tx, const json_t *query, const char *name, int64_t *id_out)
{
    const struct rule rules[] = {{.name = name, .kind = RULE_INTEGER, .min = 1}, {.name = NULL}};
    json_t *data, *detail;
    if (validate(tx->arena, rules, query, &data, &detail) > 0)
        return refuse_code(tx, ERROR_QUERY_PARAMETER_VALIDATION, json_text(tx->arena, detail).at);
    *id_out = data_integer(data, name, 0);
    return 0;
}

/* ---- answers ---- */

static struct grid_style style_of(const struct rest *rest)
{
    return (struct grid_style){.user_names = row_names_wanted(rest->query)};
}

static void put_rows(struct buf *b, const struct grid_rows *rows, const struct grid_style *style)
{
    for (size_t i = 0; i < rows->count && !b->failed; i++) {
        if (i > 0)
            buf_put_char(b, ',');
        grid_write_row(b, rows->table, rows->at[i], rows->links, style);
    }
}

static int answer_row(struct request *r, struct tx *tx, const struct grid_rows *rows,
                      const char *more)
{
    const struct grid_style style = style_of(rest_of(r));
    struct buf b;
    reply_begin(&b);
    put_rows(&b, rows, &style);
    if (*more && b.len > 0) {
        b.len--; /* the object goes on */
        buf_printf(&b, ",%s}", more);
    }
    return reply_json(r, tx, &b);
}

static int answer_batch(struct request *r, struct tx *tx, const struct grid_rows *rows,
                        const char *more)
{
    const struct grid_style style = style_of(rest_of(r));
    struct buf b;
    reply_begin(&b);
    buf_put_lit(&b, "{\"items\":[");
    put_rows(&b, rows, &style);
    buf_printf(&b, "]%s%s}", *more ? "," : "", more);
    return reply_json(r, tx, &b);
}

/* Of rows: there is nothing to tell of any yet. Programs are not told it at all. */
static int read_metadata(struct request *r, struct tx *tx, bool asked, const char **more_out)
{
    if (asked && rest_of(r)->token)
        return refuse_code(tx, ERROR_CANNOT_INCLUDE_ROW_METADATA, NULL);
    *more_out = asked ? "\"metadata\":{}" : "";
    return 0;
}

static bool includes_metadata(const json_t *query)
{
    struct str list = json_get_str(query, "include"), one;
    while (list.len > 0 && str_next(&list, ',', &one))
        if (str_equal(str_trim(one), STR("metadata")))
            return true;
    return false;
}

/* ---- reads ---- */

/* A page that is not full tells where the list ends: then nothing is counted. */
static int count_list(struct tx *tx, const struct row_query *q, const struct grid_rows *page,
                      int64_t *count_out)
{
    int64_t rows = (int64_t)page->count;
    if (rows < q->list.limit && (rows > 0 || q->list.offset == 0)) {
        *count_out = q->list.offset + rows;
        return 0;
    }
    return grid_rows_count(tx, q->table, &q->list, count_out);
}

static int answer_page(struct request *r, struct tx *tx, const struct row_query *q,
                       const struct paging *paging, const struct grid_rows *rows)
{
    const struct grid_style style = {
        .user_names = q->user_names, .only = &q->fields, .joins = &q->joins};
    int64_t count;
    struct buf b;
    int rc = count_list(tx, q, rows, &count);
    if (rc != 0)
        return rc;
    reply_begin(&b);
    paging_begin(&b, r, paging, count);
    put_rows(&b, rows, &style);
    paging_end(&b);
    return reply_json(r, tx, &b);
}

static int rows_list(struct request *r, struct tx *tx)
{
    const struct grid_table *t;
    struct row_query q;
    struct paging paging;
    struct grid_rows rows;
    int rc = admit(r, tx, ACTION_READ, &t);
    if (rc == 0)
        rc = paging_read(tx, rest_of(r)->query, PAGE_SIZE, baserow_settings()->page_rows_max,
                         &paging);
    if (rc == 0)
        rc = row_query_read(r, tx, t, &q);
    if (rc != 0)
        return rc;
    q.list.limit = paging.size;
    q.list.offset = paging.offset;
    rc = grid_rows_list(tx, t, &q.list, &rows);
    if (rc == 0)
        rc = join_read(tx, &rows, &q.joins);
    return rc == 0 ? answer_page(r, tx, &q, &paging, &rows) : rc;
}

static int rows_read(struct request *r, struct tx *tx)
{
    const struct rest *rest = rest_of(r);
    const struct grid_table *t;
    struct grid_rows rows;
    const char *more = "";
    int rc = admit(r, tx, ACTION_READ, &t);
    if (rc == 0)
        rc = read_metadata(r, tx, includes_metadata(rest->query), &more);
    if (rc == 0)
        rc = grid_rows_get(tx, t, &rest->ids[1], 1, &rows);
    return rc == 0 ? answer_row(r, tx, &rows, more) : rc;
}

/* In the order of the whole list; only the search narrows it. */
static int rows_adjacent(struct request *r, struct tx *tx)
{
    const struct rest *rest = rest_of(r);
    const struct grid_query list = {.search = json_get_str(rest->query, "search")};
    const struct grid_table *t;
    struct grid_rows rows;
    bool found, previous = json_get(rest->query, "previous") != NULL;
    int rc = admit(r, tx, ACTION_READ, &t);
    if (rc == 0 && json_get(rest->query, "view_id"))
        rc = refuse_code(tx, ERROR_VIEW_DOES_NOT_EXIST, NULL);
    if (rc == 0)
        rc = grid_row_adjacent(tx, t, &list, rest->ids[1], previous, &found, &rows);
    if (rc != 0)
        return rc;
    return found ? answer_row(r, tx, &rows, "") : reply_empty(r);
}

/* ---- names ---- */

static bool is_table(const char *name, int64_t *id_out)
{
    struct str mark = STR("table__"), text = str_of(name);
    return str_starts_with(text, mark) && str_to_int64(str_skip(text, mark.len), id_out) == 0;
}

static int read_ids(struct tx *tx, const char *name, struct str list, int64_t **ids_out,
                    size_t *count_out)
{
    int64_t *ids = ARENA_ARRAY(tx->arena, int64_t, list.len / 2 + 1);
    struct str one;
    size_t count = 0;
    while (str_next(&list, ',', &one))
        if (str_to_int64(str_trim(one), &ids[count++]) != 0)
            return refuse_code(tx, ERROR_QUERY_PARAMETER_VALIDATION,
                               arena_printf(tx->arena,
                                            "{\"%s\":[{\"error\":\"A valid integer is "
                                            "required.\",\"code\":\"invalid\"}]}",
                                            name)
                                   .at);
    *ids_out = ids;
    *count_out = count;
    return 0;
}

/* `"7":{"1":"Ann","2":"Bob"}` */
static int put_names(struct request *r, struct tx *tx, struct buf *b, const char *name,
                     struct str list, int64_t table)
{
    const struct grid_table *t;
    struct grid_rows rows;
    int64_t *ids;
    size_t count;
    int rc = grid_admit(r, tx, table, ACTION_READ, &t);
    if (rc == 0)
        rc = read_ids(tx, name, list, &ids, &count);
    if (rc == 0)
        rc = grid_rows_find(tx, t, ids, count, &rows);
    if (rc != 0)
        return rc;
    buf_printf(b, "%s\"%" PRId64 "\":{", b->len > 1 ? "," : "", table);
    for (size_t i = 0; i < rows.count; i++) {
        buf_printf(b, "%s\"%" PRId64 "\":", i > 0 ? "," : "", grid_row_id(t, rows.at[i]));
        json_put_str(b, grid_row_name(tx->arena, t, rows.at[i]));
    }
    buf_put_char(b, '}');
    return 0;
}

static int rows_names(struct request *r, struct tx *tx)
{
    const char *name;
    json_t *list;
    int64_t table;
    struct buf b;
    reply_begin(&b);
    buf_put_char(&b, '{');
    json_object_foreach(rest_of(r)->query, name, list)
    {
        int rc = is_table(name, &table) ? put_names(r, tx, &b, name, json_str(list), table) : 0;
        if (rc != 0) {
            buf_deinit(&b);
            return rc;
        }
    }
    buf_put_char(&b, '}');
    return reply_json(r, tx, &b);
}

/* ---- writes ---- */

static int prepare_create(struct request *r, struct tx *tx)
{
    const struct grid_table *t;
    int rc = admit(r, tx, ACTION_CREATE, &t);
    return rc == 0 ? row_body_prepare(r, tx, t) : rc;
}

static int prepare_update(struct request *r, struct tx *tx)
{
    const struct grid_table *t;
    int rc = admit(r, tx, ACTION_UPDATE, &t);
    return rc == 0 ? row_body_prepare(r, tx, t) : rc;
}

static int create(struct request *r, struct tx *tx, bool batch, struct grid_rows *rows_out)
{
    const struct grid_table *t;
    struct grid_inputs inputs;
    int64_t before;
    int rc = admit(r, tx, ACTION_CREATE, &t);
    if (rc == 0)
        rc = read_row_id(tx, rest_of(r)->query, "before", &before);
    if (rc == 0)
        rc = batch ? row_batch_read(r, tx, false, &inputs) : row_body_read(r, tx, 0, &inputs);
    return rc == 0 ? grid_rows_create(tx, t, &inputs, before, rows_out) : rc;
}

static int rows_create(struct request *r, struct tx *tx)
{
    struct grid_rows rows;
    int rc = create(r, tx, false, &rows);
    return rc == 0 ? answer_row(r, tx, &rows, "") : rc;
}

static int rows_create_batch(struct request *r, struct tx *tx)
{
    struct grid_rows rows;
    int rc = create(r, tx, true, &rows);
    return rc == 0 ? answer_batch(r, tx, &rows, "") : rc;
}

static int rows_update(struct request *r, struct tx *tx)
{
    const struct grid_table *t;
    struct grid_inputs inputs;
    struct grid_rows rows;
    int rc = admit(r, tx, ACTION_UPDATE, &t);
    if (rc == 0)
        rc = row_body_read(r, tx, rest_of(r)->ids[1], &inputs);
    if (rc == 0)
        rc = grid_rows_update(tx, t, &inputs, &rows);
    return rc == 0 ? answer_row(r, tx, &rows, "") : rc;
}

static int rows_update_batch(struct request *r, struct tx *tx)
{
    const struct grid_table *t;
    struct grid_inputs inputs;
    struct grid_rows rows;
    const char *more = "";
    bool asked = json_get(rest_of(r)->query, "include_metadata") != NULL;
    int rc = admit(r, tx, ACTION_UPDATE, &t);
    if (rc == 0)
        rc = read_metadata(r, tx, asked, &more);
    if (rc == 0)
        rc = row_batch_read(r, tx, true, &inputs);
    if (rc == 0)
        rc = grid_rows_update(tx, t, &inputs, &rows);
    return rc == 0 ? answer_batch(r, tx, &rows, more) : rc;
}

static int rows_move(struct request *r, struct tx *tx)
{
    const struct rest *rest = rest_of(r);
    const struct grid_table *t;
    struct grid_rows rows;
    int64_t before;
    int rc = admit(r, tx, ACTION_UPDATE, &t);
    if (rc == 0)
        rc = read_row_id(tx, rest->query, "before_id", &before);
    if (rc == 0)
        rc = grid_row_move(tx, t, rest->ids[1], before, &rows);
    return rc == 0 ? answer_row(r, tx, &rows, "") : rc;
}

static int rows_delete(struct request *r, struct tx *tx)
{
    const struct grid_table *t;
    int rc = admit(r, tx, ACTION_DELETE, &t);
    if (rc == 0)
        rc = grid_rows_delete(tx, t, &rest_of(r)->ids[1], 1);
    return rc == 0 ? reply_empty(r) : rc;
}

static int rows_delete_batch(struct request *r, struct tx *tx)
{
    const struct grid_table *t;
    const int64_t *ids;
    size_t count;
    int rc = admit(r, tx, ACTION_DELETE, &t);
    if (rc == 0)
        rc = row_ids_read(r, tx, &ids, &count);
    if (rc == 0)
        rc = grid_rows_delete(tx, t, ids, count);
    return rc == 0 ? reply_empty(r) : rc;
}

#define OPEN ROUTE_TOKEN
#define SECRETS (ROUTE_TOKEN | ROUTE_SECRETS)
#define ROWS "/api/database/rows/table/:id/"
/* clang-format off */
const struct route row_routes[] = {
    {"GET",    ROWS,                     ON_READER(rows_list),         OPEN, NULL, NULL},
    {"POST",   ROWS,                     ON_WRITER_AFTER(rows_create, prepare_create), SECRETS, NULL, NULL},
    {"POST",   ROWS "batch/",            ON_WRITER_AFTER(rows_create_batch, prepare_create), SECRETS, NULL, NULL},
    {"PATCH",  ROWS "batch/",            ON_WRITER_AFTER(rows_update_batch, prepare_update), SECRETS, NULL, NULL},
    {"POST",   ROWS "batch-delete/",     ON_WRITER(rows_delete_batch), OPEN, NULL, NULL},
    {"GET",    ROWS ":row_id/",          ON_READER(rows_read),         OPEN, NULL, NULL},
    {"PATCH",  ROWS ":row_id/",          ON_WRITER_AFTER(rows_update, prepare_update), SECRETS, NULL, NULL},
    {"DELETE", ROWS ":row_id/",          ON_WRITER(rows_delete),       OPEN, NULL, NULL},
    {"PATCH",  ROWS ":row_id/move/",     ON_WRITER(rows_move),         OPEN, NULL, NULL},
    {"GET",    ROWS ":row_id/adjacent/", ON_READER(rows_adjacent),     0,    NULL, NULL},
    {"GET",    "/api/database/rows/names/", ON_READER(rows_names),     OPEN, NULL, NULL},
    {NULL, NULL, {0}, 0, NULL, NULL},
};
/* clang-format on */
