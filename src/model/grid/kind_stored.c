#include "model/grid/kind_internal.h"

#include <stdlib.h>

#include "base/zone.h"

/* Settings as the catalogue holds them: decoded once, choices found by id and by name. */

/* ---- finding choices ---- */

static int by_id(const void *x, const void *y)
{
    const struct choice *const *a = x, *const *b = y;
    return ((*a)->id > (*b)->id) - ((*a)->id < (*b)->id);
}

/* Of equal names the first in the field's order. */
static int by_name(const void *x, const void *y)
{
    const struct choice *const *a = x, *const *b = y;
    int order = str_compare((*a)->value, (*b)->value);
    return order != 0 ? order : (*a > *b) - (*a < *b);
}

static const struct choice *const *sorted(struct arena *a, const struct kind_settings *s,
                                          int (*compare)(const void *x, const void *y))
{
    const struct choice **list = ARENA_ARRAY(a, const struct choice *, s->choice_count + 1);
    for (size_t i = 0; i < s->choice_count; i++)
        list[i] = &s->choices[i];
    qsort(list, s->choice_count, sizeof(*list), compare);
    return list;
}

static void index_choices(struct arena *a, struct kind_settings *s)
{
    s->choices_by_id = sorted(a, s, by_id);
    s->choices_by_name = sorted(a, s, by_name);
}

const struct choice *settings_choice(const struct kind_settings *s, int64_t id)
{
    size_t low = 0, high = s->choice_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (s->choices_by_id[middle]->id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < s->choice_count && s->choices_by_id[low]->id == id ? s->choices_by_id[low] : NULL;
}

const struct choice *settings_choice_named(const struct kind_settings *s, struct str value)
{
    size_t low = 0, high = s->choice_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (str_compare(s->choices_by_name[middle]->value, value) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < s->choice_count && str_equal(s->choices_by_name[low]->value, value)
               ? s->choices_by_name[low]
               : NULL;
}

/* ---- making choices ---- */

static const char *const palette[] = {
    "light-blue", "light-green",  "light-cyan",  "light-yellow", "light-orange",
    "light-red",  "light-purple", "light-brown", "light-pink",   "light-gray",
};

struct str choice_color(size_t place)
{
    return str_of(palette[place % COUNT_OF(palette)]);
}

json_t *choice_json(int64_t id, struct str value, struct str color)
{
    return json_pack("{s:I, s:s%, s:s%}", "id", (json_int_t)id, "value", value.at, value.len,
                     "color", color.at, color.len);
}

json_t *kind_new_choices(const json_t *stored, const struct kind_names *names, int64_t *next_choice)
{
    json_t *copy = json_is_object(stored) ? json_deep_copy(stored) : json_object();
    json_t *list = json_object_get(copy, "select_options");
    if (!json_is_array(list)) {
        list = json_array();
        json_object_set_new(copy, "select_options", list);
    }
    for (size_t i = 0; i < names->count; i++) {
        struct str color = choice_color(json_array_size(list));
        json_array_append_new(list, choice_json((*next_choice)++, names->at[i], color));
    }
    return copy;
}

/* ---- decoding ---- */

static struct choice *decode_choices(struct arena *a, const json_t *list, size_t *count_out)
{
    size_t index, count = json_array_size(list);
    struct choice *choices = ARENA_ARRAY(a, struct choice, count + 1);
    json_t *item;
    json_array_foreach(list, index, item)
    {
        choices[index] = (struct choice){
            .id = json_integer_value(json_object_get(item, "id")),
            .value = json_get_str(item, "value"),
            .color = json_get_str(item, "color"),
        };
    }
    *count_out = count;
    return choices;
}

static struct value decode_ids(struct arena *a, const json_t *list)
{
    size_t index, count = json_array_size(list);
    int64_t *ids = ARENA_ARRAY(a, int64_t, count + 1);
    json_t *item;
    json_array_foreach(list, index, item)
    {
        ids[index] = json_integer_value(item);
    }
    return ids_cell(a, ids, count);
}

static struct value decode_number(const json_t *json, unsigned places)
{
    struct decimal d;
    struct value cell;
    struct column column = {.type = places > 0 ? TYPE_DECIMAL : TYPE_BIG_INTEGER,
                            .precision = DECIMAL_COLUMN_DIGITS,
                            .scale = (uint8_t)places};
    bool is_number = json_is_string(json) && decimal_read(json_str(json), &d) == 0 &&
                     decimal_cell(&column, &d, &cell);
    return is_number ? cell : value_null();
}

static struct value decode_initial(struct arena *a, const struct kind_settings *s,
                                   const struct kind *kind)
{
    const json_t *json;
    switch (kind->id) {
    case KIND_TEXT:
        return value_text(json_get_str(s->json, "text_default"));
    case KIND_NUMBER:
        return decode_number(json_object_get(s->json, "number_default"), s->decimals);
    case KIND_RATING:
        return value_integer(0);
    case KIND_BOOLEAN:
        return value_integer(json_is_true(json_object_get(s->json, "boolean_default")));
    case KIND_SINGLE_SELECT:
        json = json_object_get(s->json, "single_select_default");
        return json_is_integer(json) ? value_integer(json_integer_value(json)) : value_null();
    case KIND_MULTIPLE_SELECT:
        return decode_ids(a, json_object_get(s->json, "multiple_select_default"));
    default:
        return kind->flags & KIND_TEXTUAL ? value_text(STR("")) : value_null();
    }
}

static bool has_unique(const json_t *json)
{
    size_t index;
    json_t *item;
    json_array_foreach(json_get(json, "field_constraints"), index, item)
    {
        if (str_equal(json_get_str(item, "type_name"), STR("unique_with_empty")))
            return true;
    }
    return false;
}

static bool is_set(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key));
}

struct kind_settings kind_settings_decode(struct arena *a, const struct kind *kind,
                                          const json_t *json)
{
    const json_t *normal = settings_normal(a, kind, json);
    const json_t *several = json_get(json, "link_row_multiple_relationships");
    struct kind_settings s = {
        .json = normal,
        .decimals = (unsigned)json_integer_value(json_object_get(normal, "number_decimal_places")),
        .negative = is_set(normal, "number_negative"),
        .prefix = json_get_str(normal, "number_prefix"),
        .suffix = json_get_str(normal, "number_suffix"),
        .separator = json_get_str(normal, "number_separator"),
        .stars = (unsigned)json_integer_value(json_object_get(normal, "max_value")),
        .time = is_set(normal, "date_include_time"),
        .twelve = str_equal(json_get_str(normal, "date_time_format"), STR("12")),
        .show_zone = is_set(normal, "date_show_tzinfo"),
        .format =
            json_get_str(normal, kind->id == KIND_DURATION ? "duration_format" : "date_format"),
        .timezone = json_get_str(normal, "date_force_timezone"),
        .rich = is_set(normal, "long_text_enable_rich_text"),
        .several = kind->id == KIND_LINK_ROW && !json_is_false(several),
        .unique = has_unique(json),
    };
    if (s.timezone.at)
        zone_load(a, s.timezone, &s.zone);
    s.choices = decode_choices(a, json_object_get(normal, "select_options"), &s.choice_count);
    index_choices(a, &s);
    s.initial = decode_initial(a, &s, kind);
    return s;
}
