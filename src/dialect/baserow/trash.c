/* The trash (9.13). What comes back is told to everybody, also to who asked for it (5.3). */
#include "model/grid/trash.h"

#include <inttypes.h>

#include "dialect/baserow/paging.h"
#include "dialect/baserow/rest.h"
#include "dialect/baserow/shapes.h"

enum { PAGE_SIZE = 100 };

static const struct rule restore_rules[] = {
    {.name = "trash_item_type",
     .kind = RULE_CHOICE,
     .flags = RULE_REQUIRED,
     .choices = "workspace,application,table,field,row,rows"},
    {.name = "trash_item_id", .kind = RULE_INTEGER, .flags = RULE_REQUIRED},
    {.name = "parent_trash_item_id", .kind = RULE_INTEGER, .flags = RULE_NULL},
    {.name = NULL},
};
static const struct rule place_rules[] = {
    {.name = "application_id", .kind = RULE_INTEGER},
    {.name = NULL},
};

/* ---- where there is something ---- */

static void put_place(struct buf *b, const struct trash_place *place)
{
    buf_printf(b, "{\"id\":%" PRId64, place->id);
    shape_bool(b, "trashed", place->trashed);
    shape_text(b, "name", place->name);
}

static int trash_places_list(struct request *r, struct tx *tx)
{
    struct trash_place *list;
    size_t count;
    struct buf b;

    int rc = trash_places(tx, &list, &count);
    if (rc != 0)
        return rc;
    reply_begin(&b);
    buf_put_lit(&b, "{\"workspaces\":[");
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_put_char(&b, ',');
        put_place(&b, &list[i]);
        buf_put_lit(&b, ",\"applications\":[");
        for (size_t k = 0; k < list[i].count; k++) {
            if (k > 0)
                buf_put_char(&b, ',');
            put_place(&b, &list[i].applications[k]);
            shape_text(&b, "type", list[i].applications[k].type);
            buf_put_char(&b, '}');
        }
        buf_put_lit(&b, "]}");
    }
    buf_put_lit(&b, "]}");
    return reply_json(r, tx, &b);
}

/* ---- what there is ---- */

static void put_id(struct buf *b, const char *key, int64_t id)
{
    if (id != 0)
        shape_int(b, key, id);
    else
        shape_text_or_null(b, key, STR_NULL);
}

static void put_entry(struct buf *b, const struct trash_entry *e)
{
    buf_printf(b, "{\"id\":%" PRId64, e->id);
    shape_text_or_null(b, "user_who_trashed", e->who);
    shape_text(b, "trash_item_type", str_of(trash_type_name(e->type)));
    shape_int(b, "trash_item_id", e->item);
    put_id(b, "parent_trash_item_id", e->parent);
    shape_key(b, "trashed_at");
    shape_moment(b, e->trashed_at);
    put_id(b, "application", e->application);
    shape_int(b, "workspace", e->workspace);
    shape_text(b, "name", e->name);
    shape_key(b, "names");
    json_put_value(b, e->names);
    shape_text_or_null(b, "parent_name", e->parent_name);
    buf_put_char(b, '}');
}

static int64_t application_of(const struct rest *rest)
{
    return data_integer(rest->asked, "application_id", 0);
}

static int trash_contents(struct request *r, struct tx *tx)
{
    const struct rest *rest = rest_of(r);
    struct trash_entry *list;
    struct paging paging;
    int64_t total;
    size_t count;
    struct buf b;

    int rc = paging_read(tx, rest->query, PAGE_SIZE, PAGE_SIZE, &paging);
    if (rc == 0)
        rc = trash_list(tx, rest->ids[0], application_of(rest), paging.size, paging.offset, &list,
                        &count, &total);
    if (rc != 0)
        return rc;
    reply_begin(&b);
    paging_begin(&b, r, &paging, total);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_put_char(&b, ',');
        put_entry(&b, &list[i]);
    }
    paging_end(&b);
    return reply_json(r, tx, &b);
}

static int trash_clear(struct request *r, struct tx *tx)
{
    const struct rest *rest = rest_of(r);

    int rc = trash_empty(tx, rest->ids[0], application_of(rest));
    return rc == 0 ? reply_empty(r) : rc;
}

static int trash_bring_back(struct request *r, struct tx *tx)
{
    const json_t *data = rest_of(r)->data;
    enum trash_type type = TRASH_ROW;

    trash_type_find(data_text(data, "trash_item_type"), &type);
    tx->commit->origin = 0;
    int rc = trash_restore(tx, type, data_integer(data, "trash_item_id", 0),
                           data_integer(data, "parent_trash_item_id", 0));
    return rc == 0 ? reply_empty(r) : rc;
}

const struct route trash_routes[] = {
    {"GET", "/api/trash/", ON_READER(trash_places_list), 0, NULL, NULL},
    {"GET", "/api/trash/workspace/:id/", ON_READER(trash_contents), 0, NULL, place_rules},
    {"DELETE", "/api/trash/workspace/:id/", ON_WRITER(trash_clear), 0, NULL, place_rules},
    {"PATCH", "/api/trash/restore/", ON_WRITER(trash_bring_back), 0, restore_rules, NULL},
    {NULL, NULL, {0}, 0, NULL, NULL},
};
