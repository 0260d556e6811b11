#include <errno.h>

#include "base/fault.h"
#include "base/mem.h"
#include "base/text.h"
#include "model/grid/kind_internal.h"
#include "model/grid/making.h"
#include "model/items/records.h"
#include "model/workspace/options.h"

/* What a body says of a field, over what there is; and the row of directus_fields it becomes. */

/* ---- numbers of options ---- */

#define NEXT_CHOICE "next_choice"

int choices_begin(struct tx *tx, struct choice_counter *counter)
{
    const struct value *row;
    json_t *stored = NULL;

    if (counter->read != 0)
        return 0;
    int rc = record_find(tx, SYSTEM_OPTIONS, "name", STR(NEXT_CHOICE), &row);
    if (rc != 0)
        return rc;
    if (row && json_read_in(tx->arena, system_text(SYSTEM_OPTIONS, row, "value"), &stored, NULL))
        return FAULT_BECAUSE(EBADMSG, "the number of the next option is no JSON");
    counter->next = counter->read = stored ? json_integer_value(stored) : 1;
    return 0;
}

int choices_end(struct tx *tx, const struct choice_counter *counter)
{
    AUTO(json_unref) json_t *next = NULL;

    if (counter->next == counter->read)
        return 0;
    next = json_integer(counter->next);
    if (!next)
        mem_exhausted();
    return option_set(tx, NEXT_CHOICE, next);
}

/* ---- names ---- */

enum { NAME_MAX_LENGTH = 255 };

int draft_check_name(struct tx *tx, const struct grid_table *t, struct str name,
                     const struct grid_field *except)
{
    if (str_trim(name).len == 0)
        return refuse_wish(tx, GRID_NAME_BLANK);
    if (text_length(name) > NAME_MAX_LENGTH)
        return refuse_wish(tx, GRID_NAME_LONG);
    if (str_equal(name, STR("id")) || str_equal(name, STR("order")))
        return refuse_wish(tx, GRID_NAME_RESERVED);
    const struct grid_field *other = t ? grid_table_field_named(t, name) : NULL;
    return other && other != except ? refuse_wish(tx, GRID_NAME_TAKEN) : 0;
}

/* Cut to so many characters. */
static struct str first_characters(struct str s, size_t count)
{
    size_t at = 0;

    while (at < s.len && count-- > 0) {
        size_t size = text_utf8_sequence(s.at + at, s.len - at);
        at += size > 0 ? size : 1;
    }
    return (struct str){s.at, at};
}

struct str draft_numbered_name(struct arena *a, struct str name, unsigned number,
                               size_t characters_max)
{
    if (number < 2)
        return first_characters(name, characters_max);
    struct str ending = arena_printf(a, " %u", number);
    struct str start = first_characters(name, characters_max - ending.len);

    return arena_printf(a, "%.*s%.*s", STR_ARG(start), STR_ARG(ending));
}

struct str draft_free_name(struct tx *tx, const struct grid_table *t, struct str name)
{
    struct str free;
    unsigned number = 1;

    do
        free = draft_numbered_name(tx->arena, name, number++, NAME_MAX_LENGTH);
    while (grid_table_field_named(t, free));
    return free;
}

/* ---- reading a body ---- */

static int read_name(struct tx *tx, const struct grid_table *t, const struct grid_field *before,
                     const json_t *body, struct field_draft *d)
{
    struct str name = json_get_str(body, "name");

    d->name = before ? before->name : STR("");
    if (before && !json_get(body, "name"))
        return 0;
    d->name = name.at ? str_trim(name) : STR("");
    return draft_check_name(tx, t, d->name, before);
}

static int read_kind(struct tx *tx, const struct grid_field *before, const json_t *body,
                     struct field_draft *d)
{
    struct str type = json_get_str(body, "type");

    d->kind = type.at ? kind_find(type) : before ? before->kind : NULL;
    if (!d->kind) {
        refuse_wish(tx, before ? GRID_KIND_FIXED : GRID_KIND_UNKNOWN);
        tx->problem->value = type;
        return REFUSED;
    }
    /* A key, or a column with a relation, is what it is. */
    bool fixed = before && ((before->column && before->column->primary_key) ||
                            (before->link && !before->link->junction));
    return fixed && d->kind != before->kind ? refuse_wish(tx, GRID_KIND_FIXED) : 0;
}

bool draft_boolean(struct arena *a, const json_t *body, const char *key, bool otherwise)
{
    const json_t *told = json_get(body, key);
    struct str text = json_is_integer(told) ? json_text(a, told) : json_str(told);
    bool truth = otherwise;

    if (json_is_boolean(told))
        return json_is_true(told);
    return text.at && boolean_read(text, &truth) ? truth : otherwise;
}

static void read_description(const struct grid_field *before, const json_t *body,
                             struct field_draft *d)
{
    d->description = before ? before->description : STR_NULL;
    if (json_get(body, "description"))
        d->description = json_get_str(body, "description");
}

static int read_settings(struct tx *tx, const struct grid_field *before, const json_t *body,
                         struct field_draft *d)
{
    const json_t *shift = json_get(body, "date_force_timezone_offset");
    struct choice_counter counter = {0};

    /* Not a setting: moments that are stored would move with the zone in which they are shown. */
    if (shift && !json_is_null(shift) && d->kind->id == KIND_DATE)
        return refuse_wish(tx, GRID_ZONE_SHIFT);
    int rc = json_get(body, "select_options") ? choices_begin(tx, &counter) : 0;
    if (rc == 0)
        rc = kind_read_settings(tx, d->kind, body, before ? &before->settings : NULL, &counter.next,
                                &d->settings);
    return rc == 0 ? choices_end(tx, &counter) : rc;
}

static int read_index(struct tx *tx, const struct grid_field *before, const json_t *body,
                      struct field_draft *d)
{
    bool able = d->kind->flags & KIND_UNIQUE;
    bool was = able && before && before->column && before->column->indexed;

    d->indexed = draft_boolean(tx->arena, body, "db_index", was);
    return d->indexed && !able ? refuse_wish(tx, GRID_INDEX_UNSUPPORTED) : 0;
}

#define UNIQUE_WITH_EMPTY STR("unique_with_empty")

static void set_constraint(struct field_draft *d)
{
    json_t *list = json_pack("[{s:s}]", "type_name", "unique_with_empty");

    draft_set(d, "field_constraints", list);
}

/* The default would be in more than one row soon. */
static bool has_default(struct tx *tx, const struct field_draft *d)
{
    const struct kind_settings decoded = kind_settings_decode(tx->arena, d->kind, d->settings);
    const struct value *v = &decoded.initial;
    bool blank = value_is_null(v) || (v->kind == VALUE_TEXT && v->text.len == 0);
    return !blank && d->kind->id != KIND_RATING;
}

static int read_constraints(struct tx *tx, const struct grid_field *before, const json_t *body,
                            struct field_draft *d)
{
    const json_t *wanted = json_get(body, "field_constraints");
    bool able = d->kind->flags & KIND_UNIQUE;

    if (!wanted && able && before && before->settings.unique)
        set_constraint(d);
    if (wanted && !json_is_array(wanted) && !json_is_null(wanted))
        return refuse_wish(tx, GRID_CONSTRAINT_UNKNOWN);
    for (size_t i = 0; i < json_array_size(wanted); i++) {
        const json_t *one = json_array_get(wanted, i);
        if (!able || !str_equal(json_get_str(one, "type_name"), UNIQUE_WITH_EMPTY))
            return refuse_wish(tx, GRID_CONSTRAINT_UNKNOWN);
        set_constraint(d);
    }
    if (json_get(d->settings, "field_constraints") && has_default(tx, d))
        return refuse_wish(tx, GRID_CONSTRAINT_DEFAULT);
    return 0;
}

int draft_read(struct tx *tx, const struct grid_table *t, const struct grid_field *before,
               const json_t *body, struct field_draft *d)
{
    int rc = read_kind(tx, before, body, d);
    if (rc == 0)
        rc = read_name(tx, t, before, body, d);
    if (rc == 0)
        rc = read_settings(tx, before, body, d);
    if (rc == 0)
        rc = read_index(tx, before, body, d);
    if (rc == 0)
        rc = read_constraints(tx, before, body, d);
    if (rc != 0)
        return rc;
    read_description(before, body, d);
    d->primary = before && before->primary;
    d->order = before ? before->order : 0;
    draft_finish(tx, d);
    if (d->primary && !kind_may_be_primary(d->kind, &d->decoded))
        return refuse_wish(tx, GRID_NOT_PRIMARY);
    return 0;
}

void draft_of_field(struct tx *tx, const struct grid_field *f, struct field_draft *d)
{
    *d = (struct field_draft){
        .name = f->name,
        .description = f->description,
        .kind = f->kind,
        .settings = json_deep_copy(f->settings.json),
        .order = f->order,
        .indexed = f->column && f->column->indexed &&
                   !field_hidden(&f->table->table->fields[f->column->index]),
        .primary = f->primary,
    };
    if (!d->settings)
        mem_exhausted();
    arena_on_free(tx->arena, json_release, d->settings);
    if (f->settings.unique)
        set_constraint(d);
    if (f->link)
        draft_set(d, "link_row_multiple_relationships", json_boolean(f->settings.several));
    draft_finish(tx, d);
}

static int64_t renumbered(const struct kind_settings *before, const json_t *list, int64_t id)
{
    for (size_t i = 0; i < before->choice_count; i++)
        if (before->choices[i].id == id)
            return json_integer_value(json_get(json_array_get(list, i), "id"));
    return 0;
}

/* Options of two fields are never the same. */
int draft_renumber_choices(struct tx *tx, struct field_draft *d)
{
    json_t *list = json_get(d->settings, "select_options");
    json_t *one = json_get(d->settings, "single_select_default");
    json_t *several = json_get(d->settings, "multiple_select_default");
    const struct kind_settings before = d->decoded;
    struct choice_counter counter = {0};

    if (json_array_size(list) == 0)
        return 0;
    int rc = choices_begin(tx, &counter);
    if (rc != 0)
        return rc;
    for (size_t i = 0; i < json_array_size(list); i++)
        json_object_set_new(json_array_get(list, i), "id", json_integer(counter.next++));
    if (json_is_integer(one))
        json_integer_set(one, renumbered(&before, list, json_integer_value(one)));
    for (size_t i = 0; i < json_array_size(several); i++) {
        json_t *id = json_array_get(several, i);
        json_integer_set(id, renumbered(&before, list, json_integer_value(id)));
    }
    draft_finish(tx, d);
    return choices_end(tx, &counter);
}

void draft_finish(struct tx *tx, struct field_draft *d)
{
    struct str name = d->column.name;

    d->special = NULL;
    d->column = (struct column){0};
    d->decoded = kind_settings_decode(tx->arena, d->kind, d->settings);
    d->has_column = kind_column(d->kind, &d->decoded, &d->column, &d->special);
    d->column.name = name;
    d->column.indexed = d->indexed;
    d->column.unique = d->decoded.unique;
    if (d->column.unique)
        d->column.default_value = value_null();
}

void draft_set(struct field_draft *d, const char *key, json_t *value)
{
    if (!value || json_object_set_new(d->settings, key, value) != 0)
        mem_exhausted();
}

/* ---- as a row ---- */

static struct value text_or_null(struct str text)
{
    return text.at ? value_text(text) : value_null();
}

void draft_to_row(struct tx *tx, const struct field_draft *d, struct value *row)
{
    const json_t *options = kind_interface_options(tx->arena, d->kind, &d->decoded);
    const struct {
        const char *column;
        struct value value;
    } cells[] = {
        {"special", text_or_null(str_of(d->special))},
        {"interface", text_or_null(str_of(d->kind->interface))},
        {"options", options ? value_text(json_text(tx->arena, options)) : value_null()},
        {"readonly", value_integer((d->kind->flags & KIND_READ_ONLY) != 0)},
        {"note", text_or_null(d->description)},
        {"rowcast_label", value_text(d->name)},
        {"rowcast_kind", value_text(str_of(d->kind->name))},
        {"rowcast_settings", value_text(json_text(tx->arena, d->settings))},
        {"rowcast_order", value_integer(d->order)},
        {"rowcast_primary", value_integer(d->primary)},
    };

    for (size_t i = 0; i < COUNT_OF(cells); i++)
        schema_set(SYSTEM_FIELDS, row, cells[i].column, cells[i].value);
    if (d->has_column)
        column_to_row(tx->arena, &d->column, row);
    else
        schema_set(SYSTEM_FIELDS, row, "rowcast_type", value_null());
}
