#include "model/hidden.h"

/* Null where rows came by other means than rows_insert(): no row is lost for want of them. */
static const struct column columns[HIDDEN_COUNT] = {
    [HIDDEN_ORDER] = {.name = STR_INIT("rowcast_order"),
                      .type = TYPE_FLOAT,
                      .nullable = true,
                      .indexed = true},
    [HIDDEN_CREATED_ON] = {.name = STR_INIT("rowcast_created_on"),
                           .type = TYPE_TIMESTAMP,
                           .nullable = true},
    [HIDDEN_CREATED_BY] = {.name = STR_INIT("rowcast_created_by"),
                           .type = TYPE_UUID,
                           .nullable = true},
    [HIDDEN_UPDATED_ON] = {.name = STR_INIT("rowcast_updated_on"),
                           .type = TYPE_TIMESTAMP,
                           .nullable = true},
    [HIDDEN_UPDATED_BY] = {.name = STR_INIT("rowcast_updated_by"),
                           .type = TYPE_UUID,
                           .nullable = true},
    [HIDDEN_NUMBER] = {.name = STR_INIT("rowcast_number"),
                       .type = TYPE_BIG_INTEGER,
                       .nullable = true,
                       .indexed = true},
};

const struct column *hidden_column(enum hidden which)
{
    return &columns[which];
}

bool hidden_number_needed(const struct column *key)
{
    return types[key->type].kind != VALUE_INTEGER;
}

size_t hidden_append(struct column *into, size_t declared, const struct column *key)
{
    size_t count = hidden_number_needed(key) ? HIDDEN_COUNT : HIDDEN_NUMBER;

    for (size_t i = 0; i < count; i++) {
        into[declared + i] = columns[i];
        into[declared + i].index = (unsigned)(declared + i);
    }
    return declared + count;
}
