#include "model/access/variables.h"

#include "base/mem.h"
#include "model/access/access.h"
#include "model/access/members.h"
#include "model/system.h"

/*
 * A variable is a whole string: "$CURRENT_USER", or with a path, "$CURRENT_USER.role.name". Paths
 * go through what the principal and its catalogue hold: the user's row, roles, policies. Secrets
 * have no path: a rule must not compare with them.
 */

enum variable { CURRENT_USER, CURRENT_ROLE, CURRENT_ROLES, CURRENT_POLICIES };
static const struct {
    const char *name;
    bool personal;
} variables[] = {
    [CURRENT_USER] = {"$CURRENT_USER", true},
    [CURRENT_ROLE] = {"$CURRENT_ROLE", true},
    [CURRENT_ROLES] = {"$CURRENT_ROLES", true},
    [CURRENT_POLICIES] = {"$CURRENT_POLICIES", false},
};

/* Cuts "$CURRENT_USER.role" in two; the path is absent where there is none. */
static bool find_variable(struct str text, enum variable *variable_out, struct str *path_out)
{
    struct str name, path = text;

    if (text.len == 0 || text.at[0] != '$')
        return false;
    str_next(&path, '.', &name);
    for (size_t i = 0; i < COUNT_OF(variables); i++)
        if (str_equal(name, str_of(variables[i].name))) {
            *variable_out = (enum variable)i;
            *path_out = path;
            return true;
        }
    return false;
}

/* ---- JSON that an arena owns ---- */

static json_t *own(struct arena *a, json_t *json)
{
    if (!json)
        mem_exhausted();
    arena_on_free(a, json_release, json);
    return json;
}

static const json_t *text_json(struct arena *a, struct str text)
{
    return text.at ? own(a, json_stringn_nocheck(text.at, text.len)) : json_null();
}

static void append(json_t *array, const json_t *value)
{
    if (json_array_append(array, (json_t *)(uintptr_t)value) != 0)
        mem_exhausted();
}

/* ---- paths ---- */

static const struct column *user_column(struct str name)
{
    const struct table *users = system_table(SYSTEM_USERS);
    const struct field *f = table_field(users, name);

    return f && !f->column->secret && !field_hidden(f) ? f->column : NULL;
}

static const json_t *cell_json(struct arena *a, const struct column *c, const struct value *v)
{
    enum { CELL_BYTES_MAX = 1 << 24 };
    struct buf b;
    json_t *json = NULL;

    buf_init(&b, CELL_BYTES_MAX);
    type_write(&b, c, v);
    if (b.failed || json_read_in(a, buf_str(&b), &json, NULL) != 0)
        json = NULL;
    buf_deinit(&b);
    return json ? json : json_null();
}

/* NULL: there is no such path. `role` NULL: the value is null. */
static const json_t *role_json(struct arena *a, const struct role *role, struct str path)
{
    struct str id = role ? role->id : STR_NULL;

    if (!path.at || str_equal(path, STR("id")))
        return text_json(a, id);
    if (str_equal(path, STR("name")))
        return text_json(a, role ? role->name : STR_NULL);
    if (str_equal(path, STR("parent")))
        return text_json(a, role && role->parent ? role->parent->id : STR_NULL);
    return NULL;
}

static const struct role *own_role(const struct principal *p)
{
    return p->role_count > 0 ? p->roles[p->role_count - 1] : NULL;
}

static const json_t *user_json(const struct principal *p, struct arena *a, struct str path)
{
    struct str first;

    if (!str_next(&path, '.', &first))
        return text_json(a, p->user);
    if (path.at && str_equal(first, STR("role")))
        return role_json(a, own_role(p), path);
    const struct column *c = path.at ? NULL : user_column(first);
    if (!c)
        return NULL;
    return p->user_row ? cell_json(a, c, &p->user_row[c->index]) : json_null();
}

static const json_t *roles_json(const struct principal *p, struct arena *a, struct str path)
{
    json_t *list = own(a, json_array());

    if (!role_json(a, NULL, path))
        return NULL;
    for (size_t i = 0; i < p->role_count; i++)
        append(list, role_json(a, p->roles[i], path));
    return list;
}

static const json_t *policies_json(const struct principal *p, struct arena *a, struct str path)
{
    json_t *list = own(a, json_array());
    bool name = str_equal(path, STR("name"));

    if (path.at && !name && !str_equal(path, STR("id")))
        return NULL;
    for (size_t i = 0; i < p->policy_count; i++)
        if (!p->policies[i]->derived)
            append(list, text_json(a, name ? p->policies[i]->name : p->policies[i]->id));
    return list;
}

const json_t *principal_variable(const struct principal *p, struct arena *a, struct str name)
{
    enum variable variable;
    struct str path;

    if (!find_variable(name, &variable, &path))
        return NULL;
    switch (variable) {
    case CURRENT_USER:
        return user_json(p, a, path);
    case CURRENT_ROLE:
        return role_json(a, own_role(p), path);
    case CURRENT_ROLES:
        return roles_json(p, a, path);
    case CURRENT_POLICIES:
        return policies_json(p, a, path);
    }
    return NULL;
}

/* ---- what is mentioned ---- */

static bool is_role_path(struct str path)
{
    return !path.at || str_equal(path, STR("id")) || str_equal(path, STR("name")) ||
           str_equal(path, STR("parent"));
}

static bool note_user_path(struct str path, struct variable_use *use)
{
    struct str first;

    if (!str_next(&path, '.', &first))
        return true;
    const struct column *c = user_column(first);
    if (!c || (path.at && !(str_equal(first, STR("role")) && is_role_path(path))))
        return false;
    column_set_add(&use->user_columns, c->index);
    return true;
}

static void note_text(struct str text, struct variable_use *use)
{
    struct str part, path;
    enum variable variable;

    while (str_next(&text, ',', &part)) {
        part = str_trim(part);
        if (!str_starts_with(part, STR("$CURRENT_")))
            continue;
        if (!find_variable(part, &variable, &path)) {
            use->unknown = true;
            continue;
        }
        use->personal |= variables[variable].personal;
        if (variable == CURRENT_USER)
            use->unknown |= !note_user_path(path, use);
        else if (variable == CURRENT_POLICIES)
            use->unknown |= path.at && !str_equal(path, STR("id")) && !str_equal(path, STR("name"));
        else
            use->unknown |= !is_role_path(path);
    }
}

void variables_used(const json_t *value, struct variable_use *use)
{
    if (json_is_string(value))
        note_text(json_str(value), use);
    for (size_t i = 0; i < json_array_size(value); i++)
        variables_used(json_array_get(value, i), use);
    for (void *at = members_first(value); at; at = members_next(value, at))
        variables_used(member_value(at), use);
}

/* ---- substitution ---- */

bool variable_now(struct str text, struct clock_shift *shift_out)
{
    struct clock_shift shift = {0};

    if (!str_starts_with(text, STR("$NOW")))
        return false;
    struct str rest = str_skip(text, strlen("$NOW"));
    if (rest.len > 0) {
        if (rest.len < 2 || rest.at[0] != '(' || rest.at[rest.len - 1] != ')')
            return false;
        struct str inside = {rest.at + 1, rest.len - 2};
        if (clock_read_shift(str_trim(inside), &shift) != 0)
            shift = (struct clock_shift){0};
    }
    *shift_out = shift;
    return true;
}

struct substitution {
    const struct principal *principal;
    struct arena *arena;
    int64_t now_ms;
};

/* The value of a string that is a variable; NULL: it is none. */
static const json_t *replace(const struct substitution *s, const json_t *value)
{
    struct clock_shift shift;
    char text[CLOCK_TEXT_MAX];

    if (!json_is_string(value))
        return NULL;
    if (variable_now(json_str(value), &shift)) {
        clock_write_timestamp(clock_shift(s->now_ms, shift), text);
        return text_json(s->arena, str_of(text));
    }
    return principal_variable(s->principal, s->arena, json_str(value));
}

static bool has_variable(const json_t *value)
{
    if (json_is_string(value))
        return str_starts_with(json_str(value), STR("$"));
    for (size_t i = 0; i < json_array_size(value); i++)
        if (has_variable(json_array_get(value, i)))
            return true;
    for (void *at = members_first(value); at; at = members_next(value, at))
        if (has_variable(member_value(at)))
            return true;
    return false;
}

enum place { ANYWHERE, IN_OPERANDS /* of _in or _nin, where lists are spread */ };

static const json_t *substitute(const struct substitution *s, const json_t *value,
                                enum place place);

static const json_t *substitute_array(const struct substitution *s, const json_t *array,
                                      enum place place)
{
    json_t *copy = own(s->arena, json_array());

    for (size_t i = 0; i < json_array_size(array); i++) {
        const json_t *value = json_array_get(array, i);
        const json_t *replaced = replace(s, value);
        if (!replaced)
            append(copy, substitute(s, value, ANYWHERE));
        else if (place == IN_OPERANDS && json_is_array(replaced))
            for (size_t j = 0; j < json_array_size(replaced); j++)
                append(copy, json_array_get(replaced, j));
        else
            append(copy, replaced);
    }
    return copy;
}

static const json_t *substitute_object(const struct substitution *s, const json_t *object)
{
    json_t *copy = own(s->arena, json_object());

    for (void *at = members_first(object); at; at = members_next(object, at)) {
        struct str key = member_key(at);
        enum place place =
            str_equal(key, STR("_in")) || str_equal(key, STR("_nin")) ? IN_OPERANDS : ANYWHERE;
        const json_t *value = substitute(s, member_value(at), place);
        if (json_object_setn_nocheck(copy, key.at, key.len, (json_t *)(uintptr_t)value) != 0)
            mem_exhausted();
    }
    return copy;
}

static const json_t *substitute(const struct substitution *s, const json_t *value, enum place place)
{
    if (!has_variable(value))
        return value;
    if (json_is_array(value))
        return substitute_array(s, value, place);
    if (json_is_object(value))
        return substitute_object(s, value);
    const json_t *replaced = replace(s, value);
    return replaced ? replaced : value;
}

const json_t *principal_substitute(const struct principal *p, struct arena *a, const json_t *value,
                                   int64_t now_ms)
{
    struct substitution s = {.principal = p, .arena = a, .now_ms = now_ms};
    return value ? substitute(&s, value, ANYWHERE) : NULL;
}
