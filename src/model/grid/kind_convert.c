#include "model/grid/kind_internal.h"

#include "base/text.h"

/*
 * A field that takes another's place (baserow.md 10.2): most ways lead over the text that people
 * see. Those that would lose something that way, or mean another thing, are rows of a table.
 */

typedef bool convert(struct arena *a, const struct grid_field *before,
                     const struct grid_field *after, const struct value *cell,
                     struct value *value_out);

#define DATED (KIND_BIT(KIND_DATE) | KIND_BIT(KIND_CREATED_ON) | KIND_BIT(KIND_LAST_MODIFIED))
#define PLAIN_NUMBERS (KIND_BIT(KIND_NUMBER) | KIND_BIT(KIND_RATING) | KIND_BIT(KIND_AUTONUMBER))
#define NUMERIC (PLAIN_NUMBERS | KIND_BIT(KIND_BOOLEAN) | KIND_BIT(KIND_DURATION))
#define SELECTS (KIND_BIT(KIND_SINGLE_SELECT) | KIND_BIT(KIND_MULTIPLE_SELECT))
#define STAMPED_BY (KIND_BIT(KIND_CREATED_BY) | KIND_BIT(KIND_LAST_MODIFIED_BY))

/* Numbers among each other, as their plain digits: not with prefix and separators. */
static bool to_number(struct arena *a, const struct grid_field *before,
                      const struct grid_field *after, const struct value *cell,
                      struct value *value_out)
{
    (void)a;
    (void)before;
    struct decimal d = decimal_of(cell);
    decimal_round(&d, after->settings.decimals);
    return (!d.negative || after->settings.negative) && decimal_cell(after->column, &d, value_out);
}

static bool to_rating(struct arena *a, const struct grid_field *before,
                      const struct grid_field *after, const struct value *cell,
                      struct value *value_out)
{
    (void)a;
    (void)before;
    double number = number_of(cell), most = after->settings.stars;
    if (number < 0)
        return false;
    struct value within = number < most ? *cell : value_real(most);
    struct decimal d = decimal_of(&within);
    decimal_round(&d, 0);
    return decimal_cell(after->column, &d, value_out);
}

static bool to_boolean(struct arena *a, const struct grid_field *before,
                       const struct grid_field *after, const struct value *cell,
                       struct value *value_out)
{
    (void)a;
    (void)before;
    (void)after;
    *value_out = value_integer(number_of(cell) != 0);
    return true;
}

/* A number is so many seconds, whatever the format. */
static bool to_duration(struct arena *a, const struct grid_field *before,
                        const struct grid_field *after, const struct value *cell,
                        struct value *value_out)
{
    (void)a;
    (void)before;
    return duration_cell(after, number_of(cell), value_out);
}

/* The same option where it is one of the other field too, else the first of its name. */
static const struct choice *same_choice(const struct grid_field *before,
                                        const struct grid_field *after, int64_t id)
{
    const struct choice *was = settings_choice(&before->settings, id);
    const struct choice *is = settings_choice(&after->settings, id);
    if (was && is && str_equal(was->value, is->value))
        return is;
    /* Options that are renamed in the same breath keep their ids. */
    const struct choice *named = was ? settings_choice_named(&after->settings, was->value) : NULL;
    return named ? named : is;
}

static bool to_choices(struct arena *a, const struct grid_field *before,
                       const struct grid_field *after, const struct value *cell,
                       struct value *value_out)
{
    struct str rest = STR_NULL;
    int64_t *ids = ARENA_ARRAY(a, int64_t, cell->kind == VALUE_TEXT ? cell->text.len / 2 + 2 : 1);
    size_t count = 0;
    int64_t id = cell->kind == VALUE_INTEGER ? cell->integer : 0;
    bool more = cell->kind == VALUE_INTEGER;

    if (cell->kind == VALUE_TEXT) {
        rest = cell->text;
        more = ids_next(&rest, &id);
    }
    for (; more; more = ids_next(&rest, &id)) {
        const struct choice *c = same_choice(before, after, id);
        if (c)
            ids[count++] = c->id;
    }
    if (count == 0)
        return false;
    *value_out =
        after->kind->id == KIND_SINGLE_SELECT ? value_integer(ids[0]) : ids_cell(a, ids, count);
    return true;
}

static bool to_collaborators(struct arena *a, const struct grid_field *before,
                             const struct grid_field *after, const struct value *cell,
                             struct value *value_out)
{
    (void)after;
    const struct member *m = field_member_by_user(before, cell->text);
    if (m)
        *value_out = ids_cell(a, &m->account, 1);
    return m;
}

static bool as_it_is(struct arena *a, const struct grid_field *before,
                     const struct grid_field *after, const struct value *cell,
                     struct value *value_out)
{
    (void)before;
    (void)after;
    *value_out = value_copy(a, cell);
    return true;
}

static const struct way {
    unsigned from, to;
    convert *convert;
} ways[] = {
    {NUMERIC, KIND_BIT(KIND_NUMBER), to_number},
    {NUMERIC, KIND_BIT(KIND_RATING), to_rating},
    {NUMERIC, KIND_BIT(KIND_BOOLEAN), to_boolean},
    {NUMERIC, KIND_BIT(KIND_DURATION), to_duration},
    {DATED, KIND_BIT(KIND_DATE), date_convert},
    {SELECTS, SELECTS, to_choices},
    {STAMPED_BY, KIND_BIT(KIND_MULTIPLE_COLLABORATORS), to_collaborators},
    {KIND_BIT(KIND_MULTIPLE_COLLABORATORS), KIND_BIT(KIND_MULTIPLE_COLLABORATORS), as_it_is},
    {KIND_BIT(KIND_PASSWORD), KIND_BIT(KIND_PASSWORD), as_it_is},
    {KIND_BIT(KIND_UUID), KIND_BIT(KIND_UUID), as_it_is},
    {KIND_BIT(KIND_AUTONUMBER), KIND_BIT(KIND_AUTONUMBER), as_it_is},
};

static const struct way *find_way(const struct grid_field *before, const struct grid_field *after)
{
    for (size_t i = 0; i < COUNT_OF(ways); i++)
        if ((ways[i].from & KIND_BIT(before->kind->id)) && (ways[i].to & KIND_BIT(after->kind->id)))
            return &ways[i];
    return NULL;
}

static struct value by_text(struct arena *a, const struct grid_field *before,
                            const struct grid_field *after, const struct value *cell)
{
    struct buf text;
    buf_init(&text, SIZE_MAX);
    kind_put_text(&text, before, cell);
    struct value value = text.len > 0 ? kind_parse(a, after, buf_str(&text)) : kind_empty(after);
    value = value_copy(a, &value);
    buf_deinit(&text);
    return value;
}

struct value kind_convert(struct arena *a, const struct grid_field *before,
                          const struct grid_field *after, const struct value *cell)
{
    struct value value;
    if (value_is_null(cell))
        return kind_empty(after);
    const struct way *way = find_way(before, after);
    if (!way)
        return by_text(a, before, after, cell);
    if (!way->convert(a, before, after, cell, &value) || type_check(after->column, &value) != 0)
        return kind_empty(after);
    return kind_unless_empty(after, value);
}

/* ---- choices to come ---- */

enum { CHOICE_VALUE_MAX = 255 };

static void collect(struct kind_names *names, const struct grid_field *after, struct str name)
{
    static const char seen;
    if (name.len == 0 || text_length(name) > CHOICE_VALUE_MAX ||
        settings_choice_named(&after->settings, name) || map_get(&names->seen, name))
        return;
    if (names->count == names->capacity) {
        size_t capacity = names->capacity ? names->capacity * 2 : 16;
        struct str *at = ARENA_ARRAY(names->arena, struct str, capacity);
        if (names->count > 0)
            memcpy(at, names->at, names->count * sizeof(*at));
        names->at = at;
        names->capacity = capacity;
    }
    names->at[names->count++] = arena_str(names->arena, name);
    map_put(&names->seen, name, (void *)(uintptr_t)&seen);
}

void kind_collect_choices(struct kind_names *names, const struct grid_field *before,
                          const struct grid_field *after, const struct value *cell)
{
    struct buf text;
    const struct way *way = find_way(before, after);
    bool is_select = SELECTS & KIND_BIT(after->kind->id);
    if (!is_select || value_is_null(cell) || way)
        return;

    buf_init(&text, SIZE_MAX);
    kind_put_text(&text, before, cell);
    struct str rest = str_trim(buf_str(&text)), name;
    if (after->kind->id == KIND_SINGLE_SELECT)
        collect(names, after, rest);
    else if (rest.len > 0 && !settings_choice_named(&after->settings, rest))
        while (names_next(names->arena, &rest, &name))
            collect(names, after, name);
    buf_deinit(&text);
}
