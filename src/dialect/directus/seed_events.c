/*
 * Events as directus-websocket-subscribe tells them (A.8), filtered by what the feed may see:
 *
 *   create  {"action":"create","payload":{submitted},"key":6,"collection":"events"}
 *   update  {"action":"update","payload":{submitted},"keys":["3"],"collection":"events"}
 *   delete  {"action":"delete","payload":["3"],"collection":"events"}
 *
 * A row that enters a feed's sight is told as a create with all that may be seen of it; one that
 * leaves is told as a delete. A subscription with a query gets whole rows (A.11).
 */
#include "dialect/directus/directus.h"

#include "wire/websocket.h"

static void put_value(struct buf *b, const struct field *field, const struct value *value)
{
    if (field_is_concealed(field) && !value_is_null(value))
        json_put_str(b, SECRET_SET);
    else
        type_write(b, field->column, value);
}

/* The row's fields of a set as an object. */
static void put_fields(struct buf *b, const struct event *e, const struct change *change,
                       const struct column_set *fields)
{
    bool first = true;
    buf_put_char(b, '{');
    for (unsigned i = 0; i < e->table->shape.count; i++) {
        if (!column_set_has(fields, i))
            continue;
        if (!first)
            buf_put_char(b, ',');
        first = false;
        json_put_str(b, e->table->fields[i].name);
        buf_put_char(b, ':');
        put_value(b, &e->table->fields[i], &change->after[i]);
    }
    buf_put_char(b, '}');
}

/* The whole row as the feed's query asks for it; what is hidden on this row is null (F.5). */
static void put_row(struct buf *b, const struct feed *feed, const struct event *e,
                    const struct change *change)
{
    const struct query *q = feed_query(feed);
    buf_put_char(b, '{');
    for (size_t i = 0; i < q->output_count; i++) {
        const struct output *o = &q->outputs[i];
        if (i > 0)
            buf_put_char(b, ',');
        json_put_str(b, o->column->name);
        buf_put_char(b, ':');
        if (o->mask && !expr_matches(o->mask, change->after, e->now_ms))
            buf_put_lit(b, "null");
        else
            put_value(b, &e->table->fields[o->column->index], &change->after[o->column->index]);
    }
    buf_put_char(b, '}');
}

static void put_keys(struct buf *b, const struct event *e)
{
    const struct column *key = table_key(e->table);
    buf_put_char(b, '[');
    for (size_t i = 0; i < e->count; i++) {
        if (i > 0)
            buf_put_char(b, ',');
        item_key_write(b, key, &e->changes[i]->key);
    }
    buf_put_char(b, ']');
}

static void begin(struct buf *b, const struct feed *feed, const char *action)
{
    buf_put_char(b, '{');
    if (feed_has_query(feed))
        buf_put_lit(b, "\"type\":\"SUBSCRIPTION\",");
    buf_printf(b, "\"action\":\"%s\",\"payload\":", action);
}

static void end(struct buf *b, const struct event *e)
{
    buf_put_lit(b, ",\"collection\":");
    json_put_str(b, e->table->name);
}

static struct column_set meet(const struct column_set *x, const struct column_set *y)
{
    struct column_set both;
    for (unsigned i = 0; i < COLUMN_WORDS; i++)
        both.words[i] = x->words[i] & y->words[i];
    return both;
}

static void write_create(const struct feed *feed, const struct event *e, struct buf *b)
{
    const struct change *change = e->changes[0];
    begin(b, feed, "create");
    if (feed_has_query(feed))
        put_row(b, feed, e, change);
    else {
        struct column_set fields = e->moved ? e->visible : meet(&e->visible, &change->submitted);
        put_fields(b, e, change, &fields);
    }
    buf_put_lit(b, ",\"key\":");
    item_key_write(b, table_key(e->table), &change->key);
    end(b, e);
}

/*
 * Only what was submitted (for an effect of a reference: what changed) and may be seen. Where
 * nothing of that is left nothing is said: that something hidden changed is hidden as well. But
 * whole rows are told again when other fields of them may be seen than before.
 */
static void write_update(const struct feed *feed, const struct event *e, struct buf *b)
{
    const struct change *change = e->changes[0];
    struct column_set told =
        meet(&e->visible,
             column_set_is_empty(&change->submitted) ? &change->changed : &change->submitted);
    if (column_set_is_empty(&told) && !(e->unveiled && feed_has_query(feed)))
        return;
    begin(b, feed, "update");
    if (feed_has_query(feed)) {
        buf_put_char(b, '[');
        for (size_t i = 0; i < e->count; i++) {
            if (i > 0)
                buf_put_char(b, ',');
            put_row(b, feed, e, e->changes[i]);
        }
        buf_put_char(b, ']');
    } else
        put_fields(b, e, change, &told);
    buf_put_lit(b, ",\"keys\":");
    put_keys(b, e);
    end(b, e);
}

static void write_delete(const struct feed *feed, const struct event *e, struct buf *b)
{
    begin(b, feed, "delete");
    put_keys(b, e);
    end(b, e);
}

static void write_event(const struct feed *feed, const struct event *event, struct buf *body)
{
    static void (*const by_kind[])(const struct feed *, const struct event *, struct buf *) = {
        [EVENT_CREATE] = write_create,
        [EVENT_UPDATE] = write_update,
        [EVENT_DELETE] = write_delete,
    };
    by_kind[event->kind](feed, event, body);
}

/* A tail brings its own closing brace. */
static struct frame *make_frame(struct str body, struct str tail)
{
    return websocket_frame_2(WEBSOCKET_TEXT, body, tail.len ? tail : STR("}"));
}

const struct feed_ops seed_feed_ops = {
    .dialect = "directus-websocket-subscribe",
    .write = write_event,
    .frame = make_frame,
};
