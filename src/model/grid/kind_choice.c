#include "model/grid/kind_internal.h"

#include <inttypes.h>

/*
 * Kinds whose cells name something: options of the field (their ids), and people of its workspace
 * (their integers, or the UUID that the hidden columns hold). What is no longer there is not told.
 */

/* ---- lists ---- */

bool ids_next(struct str *rest, int64_t *id_out)
{
    struct str part;
    while (rest->at && str_next(rest, ',', &part))
        if (str_to_int64(str_trim(part), id_out) == 0)
            return true;
    return false;
}

struct value ids_cell(struct arena *a, const int64_t *ids, size_t count)
{
    static char present;
    struct map seen;
    struct buf text;
    map_init(&seen);
    buf_init(&text, SIZE_MAX);
    for (size_t i = 0; i < count; i++) {
        struct str key = {(const char *)&ids[i], sizeof(ids[i])};
        if (map_put(&seen, key, &present))
            continue;
        if (text.len > 0)
            buf_put_char(&text, ',');
        buf_put_int(&text, ids[i]);
    }
    struct value cell = text.len > 0 ? value_text(arena_str(a, buf_str(&text))) : value_null();
    buf_deinit(&text);
    map_deinit(&seen);
    return cell;
}

void names_put(struct buf *b, bool *first, struct str name)
{
    if (!*first)
        buf_put_lit(b, ", ");
    *first = false;
    if (!str_contains(name, STR(",")) && !str_contains(name, STR("\""))) {
        buf_put_str(b, name);
        return;
    }
    buf_put_char(b, '"');
    for (size_t i = 0; i < name.len; i++) {
        if (name.at[i] == '"')
            buf_put_char(b, '"');
        buf_put_char(b, name.at[i]);
    }
    buf_put_char(b, '"');
}

static struct str take_quoted(struct arena *a, struct str *rest)
{
    struct buf name;
    buf_init(&name, SIZE_MAX);
    struct str at = str_skip(*rest, 1);
    while (at.len > 0) {
        bool quote = at.at[0] == '"';
        bool doubled = quote && at.len > 1 && at.at[1] == '"';
        if (quote && !doubled)
            break;
        buf_put_char(&name, at.at[0]);
        at = str_skip(at, doubled ? 2 : 1);
    }
    struct str tail;
    at = str_skip(at, at.len > 0);
    if (at.len > 0)
        str_next(&at, ',', &tail);
    else
        at = STR_NULL;
    *rest = at;
    struct str copy = arena_str(a, name.len > 0 ? buf_str(&name) : STR(""));
    buf_deinit(&name);
    return copy;
}

bool names_next(struct arena *a, struct str *rest, struct str *name_out)
{
    while (rest->at) {
        struct str trimmed = str_trim(*rest);
        if (str_starts_with(trimmed, STR("\""))) {
            *rest = trimmed;
            *name_out = take_quoted(a, rest);
        } else {
            if (!str_next(rest, ',', name_out))
                return false;
            *name_out = str_trim(*name_out);
        }
        if (name_out->len > 0)
            return true;
    }
    return false;
}

/* A text holds no more names than it has commas, and one. */
static size_t names_max(struct str text)
{
    size_t count = 1;
    for (size_t i = 0; i < text.len; i++)
        count += text.at[i] == ',';
    return count;
}

/* ---- options ---- */

static void write_choice(struct buf *b, const struct choice *c)
{
    buf_printf(b, "{\"id\":%" PRId64 ",\"value\":", c->id);
    json_put_str(b, c->value);
    buf_put_lit(b, ",\"color\":");
    json_put_str(b, c->color);
    buf_put_char(b, '}');
}

/* By id, or by name; names go first, so that an option "7" can be chosen by it. */
static const struct choice *told_choice(const struct grid_field *f, const json_t *json)
{
    int64_t id;
    if (json_is_integer(json))
        return settings_choice(&f->settings, json_integer_value(json));
    struct str name = json_str(json);
    const struct choice *named = name.at ? settings_choice_named(&f->settings, name) : NULL;
    if (!named && name.at && str_to_int64(str_trim(name), &id) == 0)
        named = settings_choice(&f->settings, id);
    return named;
}

static int refuse_choice(struct tx *tx, const json_t *json)
{
    int rc = refuse(tx, PROBLEM_UNPROCESSABLE, GRID_CHOICE_UNKNOWN);
    tx->problem->value =
        arena_str(tx->arena, json_is_string(json) ? json_str(json) : json_text(tx->arena, json));
    return rc;
}

static int read_choice(struct tx *tx, const struct grid_field *f, const json_t *json,
                       struct value *value_out, struct kind_mistake *m)
{
    (void)m;
    if (json_is_string(json) && json_str(json).len == 0)
        return 0;
    const struct choice *c = told_choice(f, json);
    if (!c)
        return refuse_choice(tx, json);
    *value_out = value_integer(c->id);
    return 0;
}

static void write_choice_cell(struct buf *b, const struct grid_field *f, const struct value *cell)
{
    const struct choice *c = settings_choice(&f->settings, cell->integer);
    if (c)
        write_choice(b, c);
    else
        buf_put_lit(b, "null");
}

static void put_choice_text(struct buf *b, const struct grid_field *f, const struct value *cell)
{
    const struct choice *c = settings_choice(&f->settings, cell->integer);
    if (c)
        buf_put_str(b, c->value);
}

static bool parse_choice(struct arena *a, const struct grid_field *f, struct str text,
                         struct value *value_out)
{
    (void)a;
    const struct choice *c = settings_choice_named(&f->settings, text);
    if (c)
        *value_out = value_integer(c->id);
    return c;
}

const struct kind_values choice_values = {
    read_choice,
    write_choice_cell,
    put_choice_text,
    parse_choice,
};

/* ---- several options ---- */

/* A comma-separated text as the list it stands for. */
static json_t *list_of(struct tx *tx, const json_t *json)
{
    if (!json_is_string(json))
        return NULL;
    json_t *list = json_array();
    arena_on_free(tx->arena, json_release, list);
    struct str rest = json_str(json), name;
    while (names_next(tx->arena, &rest, &name))
        json_array_append_new(list, json_stringn(name.at, name.len));
    return list;
}

static int read_choices(struct tx *tx, const struct grid_field *f, const json_t *json,
                        struct value *value_out, struct kind_mistake *m)
{
    const json_t *list = json_is_array(json) ? json : list_of(tx, json);
    if (!list)
        return kind_mistaken(m, tx->arena, "not_a_list", "Expected a list of items.");

    int64_t *ids = ARENA_ARRAY(tx->arena, int64_t, json_array_size(list) + 1);
    size_t index;
    json_t *item;
    json_array_foreach(list, index, item)
    {
        const struct choice *c = told_choice(f, item);
        if (!c)
            return refuse_choice(tx, item);
        ids[index] = c->id;
    }
    *value_out = ids_cell(tx->arena, ids, json_array_size(list));
    return 0;
}

static void write_choices(struct buf *b, const struct grid_field *f, const struct value *cell)
{
    struct str rest = cell->text;
    const char *separator = "";
    int64_t id;
    buf_put_char(b, '[');
    while (ids_next(&rest, &id)) {
        const struct choice *c = settings_choice(&f->settings, id);
        if (!c)
            continue;
        buf_put_str(b, str_of(separator));
        write_choice(b, c);
        separator = ",";
    }
    buf_put_char(b, ']');
}

static void put_choices_text(struct buf *b, const struct grid_field *f, const struct value *cell)
{
    struct str rest = cell->text;
    bool first = true;
    int64_t id;
    while (ids_next(&rest, &id)) {
        const struct choice *c = settings_choice(&f->settings, id);
        if (c)
            names_put(b, &first, c->value);
    }
}

static bool parse_choices(struct arena *a, const struct grid_field *f, struct str text,
                          struct value *value_out)
{
    const struct choice *whole = settings_choice_named(&f->settings, text);
    int64_t *ids = ARENA_ARRAY(a, int64_t, names_max(text));
    size_t count = 0;
    struct str rest = text, name;

    if (whole) { /* an option with commas in its name */
        *value_out = ids_cell(a, &whole->id, 1);
        return true;
    }
    while (names_next(a, &rest, &name)) {
        const struct choice *c = settings_choice_named(&f->settings, name);
        if (c)
            ids[count++] = c->id;
    }
    *value_out = ids_cell(a, ids, count);
    return count > 0;
}

const struct kind_values choices_values = {
    read_choices,
    write_choices,
    put_choices_text,
    parse_choices,
};

/* ---- people ---- */

static const struct workspace *workspace_of(const struct grid_field *f)
{
    const struct application *app = f->table->application;
    return app ? app->workspace : NULL;
}

const struct member *field_member(const struct grid_field *f, int64_t account)
{
    const struct workspace *w = workspace_of(f);
    for (size_t i = 0; w && i < w->member_count; i++)
        if (w->members[i]->account == account)
            return w->members[i];
    return NULL;
}

const struct member *field_member_by_user(const struct grid_field *f, struct str user)
{
    const struct workspace *w = workspace_of(f);
    return w ? workspace_member(w, user) : NULL;
}

static void write_member(struct buf *b, const struct member *m)
{
    buf_printf(b, "{\"id\":%" PRId64 ",\"name\":", m->account);
    json_put_str(b, m->name);
    buf_put_char(b, '}');
}

static int read_collaborators(struct tx *tx, const struct grid_field *f, const json_t *json,
                              struct value *value_out, struct kind_mistake *m)
{
    if (!json_is_array(json))
        return kind_mistaken(m, tx->arena, "not_a_list", "Expected a list of items.");

    int64_t *ids = ARENA_ARRAY(tx->arena, int64_t, json_array_size(json) + 1);
    size_t index;
    json_t *item;
    json_array_foreach(json, index, item)
    {
        const json_t *id = json_is_object(item) ? json_get(item, "id") : item;
        if (!json_is_integer(id))
            return kind_mistaken(m, tx->arena, "invalid", "Each user must be told by its id.");
        ids[index] = json_integer_value(id);
        if (!field_member(f, ids[index]))
            return kind_mistaken(m, tx->arena, "invalid",
                                 "The user %" PRId64 " is not in the workspace.", ids[index]);
    }
    *value_out = ids_cell(tx->arena, ids, json_array_size(json));
    return 0;
}

static void write_collaborators(struct buf *b, const struct grid_field *f, const struct value *cell)
{
    struct str rest = cell->text;
    const char *separator = "";
    int64_t id;
    buf_put_char(b, '[');
    while (ids_next(&rest, &id)) {
        const struct member *m = field_member(f, id);
        if (!m)
            continue;
        buf_put_str(b, str_of(separator));
        write_member(b, m);
        separator = ",";
    }
    buf_put_char(b, ']');
}

static void put_collaborators_text(struct buf *b, const struct grid_field *f,
                                   const struct value *cell)
{
    struct str rest = cell->text;
    bool first = true;
    int64_t id;
    while (ids_next(&rest, &id)) {
        const struct member *m = field_member(f, id);
        if (m)
            names_put(b, &first, m->name);
    }
}

/* By name or e-mail. */
static const struct member *member_named(const struct grid_field *f, struct str name)
{
    const struct workspace *w = workspace_of(f);
    for (size_t i = 0; w && i < w->member_count; i++)
        if (str_equal(w->members[i]->name, name) || str_equal_nocase(w->members[i]->email, name))
            return w->members[i];
    return NULL;
}

static bool parse_collaborators(struct arena *a, const struct grid_field *f, struct str text,
                                struct value *value_out)
{
    int64_t *ids = ARENA_ARRAY(a, int64_t, names_max(text));
    size_t count = 0;
    struct str rest = text, name;
    while (names_next(a, &rest, &name)) {
        const struct member *m = member_named(f, name);
        if (m)
            ids[count++] = m->account;
    }
    *value_out = ids_cell(a, ids, count);
    return count > 0;
}

const struct kind_values collaborators_values = {
    read_collaborators,
    write_collaborators,
    put_collaborators_text,
    parse_collaborators,
};

/* ---- who made or changed a row ---- */

static int read_person(struct tx *tx, const struct grid_field *f, const json_t *json,
                       struct value *value_out, struct kind_mistake *m)
{
    (void)f;
    (void)json;
    (void)value_out;
    return kind_mistaken(m, tx->arena, "read_only", "This field is read only.");
}

static void write_person(struct buf *b, const struct grid_field *f, const struct value *cell)
{
    const struct member *m = field_member_by_user(f, cell->text);
    if (m)
        write_member(b, m);
    else
        buf_put_lit(b, "null");
}

static void put_person_text(struct buf *b, const struct grid_field *f, const struct value *cell)
{
    const struct member *m = field_member_by_user(f, cell->text);
    if (m)
        buf_put_str(b, m->name);
}

const struct kind_values person_values = {
    read_person,
    write_person,
    put_person_text,
    NULL,
};
