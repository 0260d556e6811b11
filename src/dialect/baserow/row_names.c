#include "dialect/baserow/row_names.h"

bool row_names_wanted(const json_t *query)
{
    static const char *const no[] = {"false", "f", "no", "n", "off", "0"};
    struct str value = json_get_str(query, "user_field_names");
    for (size_t i = 0; i < COUNT_OF(no); i++)
        if (str_equal_nocase(value, str_of(no[i])))
            return false;
    return value.at != NULL;
}

const struct grid_field *row_names_field(const struct grid_table *t, struct str name,
                                         bool user_names)
{
    struct str prefix = STR("field_");
    int64_t id;
    if (user_names)
        return grid_table_field_named(t, name);
    name = str_trim(name);
    if (str_starts_with(name, prefix))
        name = str_skip(name, prefix.len);
    return str_to_int64(name, &id) == 0 ? grid_table_field(t, id) : NULL;
}
