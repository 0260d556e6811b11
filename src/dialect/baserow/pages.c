#include "dialect/baserow/pages.h"

#include <inttypes.h>

#include "base/mem.h"
#include "model/grid/rows.h"

/* Numbers may come as text (3.3). 0: it is none. */
static int64_t read_number(const json_t *value)
{
    int64_t number = 0;

    if (json_is_integer(value))
        number = json_integer_value(value);
    else if (json_is_string(value) && str_to_int64(str_trim(json_str(value)), &number) != 0)
        number = 0;
    return number > 0 ? number : 0;
}

/* ---- who may look ---- */

static const struct grid_table *table_of(const struct catalogue *c, const json_t *frame)
{
    return grid_table(c, read_number(json_get(frame, "table_id")));
}

static bool may_read(const struct viewer *v, const struct grid_table *t)
{
    const struct workspace *w = t ? t->application->workspace : NULL;

    return w && v->user.at && workspace_member(w, v->user) &&
           (!v->token || token_allows(v->token, ACTION_READ, t));
}

static bool open_table(const struct catalogue *c, const struct viewer *v, const json_t *frame,
                       int64_t *workspace_out)
{
    const struct grid_table *t = table_of(c, frame);

    if (!may_read(v, t))
        return false;
    *workspace_out = t->application->workspace->id;
    return true;
}

/* A row's page tells its history, which is not for programs (9.14). */
static bool open_row(const struct catalogue *c, const struct viewer *v, const json_t *frame,
                     int64_t *workspace_out)
{
    return !v->token && open_table(c, v, frame, workspace_out);
}

static int find_row(struct tx *tx, const json_t *frame, bool *there_out)
{
    const struct grid_table *t = table_of(tx->catalogue, frame);
    int64_t row = read_number(json_get(frame, "row_id"));
    struct grid_rows rows;

    *there_out = false;
    if (!t || row == 0)
        return 0;
    int rc = grid_rows_get(tx, t, &row, 1, &rows);
    *there_out = rc == 0;
    return rc < 0 ? rc : 0;
}

/* The pages there are (3.3). Public views and dashboards are not served yet: their pages are known,
 * so they can be left, and nobody may look at them. */
static const struct page_type page_types[] = {
    {
        .name = "table",
        .parameters = {{"table_id", "table/", PARAMETER_NUMBER}},
        .open = open_table,
    },
    {
        .name = "row",
        .parameters = {{"table_id", "table/", PARAMETER_NUMBER},
                       {"row_id", "/row/", PARAMETER_NUMBER}},
        .open = open_row,
        .find = find_row,
    },
    {
        .name = "view",
        .parameters = {{"slug", "view/", PARAMETER_TEXT}, {"token", NULL, PARAMETER_TEXT}},
        .anonymous = true,
    },
    {
        .name = "dashboard",
        .parameters = {{"dashboard_id", "dashboard/", PARAMETER_NUMBER}},
    },
};

const struct page_type *page_type_find(struct str name)
{
    for (size_t i = 0; i < COUNT_OF(page_types); i++)
        if (str_equal(name, str_of(page_types[i].name)))
            return &page_types[i];
    return NULL;
}

static bool put_part(struct buf *b, const struct page_parameter *parameter, const json_t *frame)
{
    const json_t *value = json_get(frame, parameter->name);
    int64_t number = read_number(value);
    struct str text = json_str(value);

    buf_put_str(b, str_of(parameter->before));
    if (parameter->kind == PARAMETER_NUMBER)
        buf_put_int(b, number);
    else
        buf_put_str(b, text);
    return parameter->kind == PARAMETER_NUMBER ? number != 0 : text.len > 0;
}

struct str page_channel(struct arena *a, const struct page_type *type, const json_t *frame)
{
    struct buf name;
    bool whole = true;

    buf_init(&name, SIZE_MAX);
    for (size_t i = 0; i < PAGE_PARAMETERS_MAX; i++)
        if (type->parameters[i].before)
            whole = put_part(&name, &type->parameters[i], frame) && whole;
    struct str channel = whole ? arena_str(a, buf_str(&name)) : STR_NULL;
    buf_deinit(&name);
    return channel;
}

void page_put_parameters(struct buf *b, const struct page_type *type, const json_t *frame)
{
    buf_put_char(b, '{');
    for (size_t i = 0; i < PAGE_PARAMETERS_MAX && type->parameters[i].name; i++) {
        if (i > 0)
            buf_put_char(b, ',');
        json_put_str(b, str_of(type->parameters[i].name));
        buf_put_char(b, ':');
        json_put_value(b, json_get(frame, type->parameters[i].name));
    }
    buf_put_char(b, '}');
}

/* ---- what a socket looks at ---- */

/* Page, channel and parameters in one piece. */
static struct page *page_copy(const struct page *page)
{
    struct page *copy = mem_alloc(sizeof(*copy) + page->channel.len + page->parameters.len);
    char *channel = (char *)(copy + 1), *parameters = channel + page->channel.len;

    memcpy(channel, page->channel.at, page->channel.len);
    memcpy(parameters, page->parameters.at, page->parameters.len);
    *copy = *page;
    copy->channel.at = channel;
    copy->parameters.at = parameters;
    copy->next = NULL;
    return copy;
}

/* Where the page stands; one that holds NULL, at the end: it is not there. */
static struct page **find(struct pages *pages, struct str channel)
{
    struct page **place = &pages->first;

    while (*place && !str_equal((*place)->channel, channel))
        place = &(*place)->next;
    return place;
}

static void take_out(struct page **place)
{
    struct page *page = *place;

    *place = page->next;
    mem_free(page);
}

void pages_deinit(struct pages *pages)
{
    while (pages->first)
        take_out(&pages->first);
}

void pages_add(struct pages *pages, const struct page *page)
{
    struct page **place = find(pages, page->channel);

    if (!*place)
        *place = page_copy(page);
}

void pages_remove(struct pages *pages, struct str channel)
{
    struct page **place = find(pages, channel);

    if (*place)
        take_out(place);
}

void pages_revoke(struct pages *pages, int64_t workspace,
                  void (*lost)(void *context, const struct page *page), void *context)
{
    for (struct page **place = &pages->first; *place;) {
        if ((*place)->workspace != workspace) {
            place = &(*place)->next;
            continue;
        }
        lost(context, *place);
        take_out(place);
    }
}
