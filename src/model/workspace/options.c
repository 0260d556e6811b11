#include "model/workspace/options.h"

#include "base/mem.h"
#include "model/items/records.h"

int options_read(struct tx *tx, json_t **options_out)
{
    struct system_rows rows;
    int rc = system_rows(tx->store, tx->arena, SYSTEM_OPTIONS, NULL, NULL, &rows);
    if (rc != 0)
        return rc;
    json_t *options = json_object();
    if (!options)
        mem_exhausted();
    arena_on_free(tx->arena, json_release, options);
    for (size_t i = 0; i < rows.count; i++) {
        json_t *value;
        if (json_read_in(tx->arena, system_text(SYSTEM_OPTIONS, rows.at[i], "value"), &value,
                         NULL) == 0)
            json_object_set(options,
                            arena_z(tx->arena, system_text(SYSTEM_OPTIONS, rows.at[i], "name")),
                            value);
    }
    *options_out = options;
    return 0;
}

int option_set(struct tx *tx, const char *name, const json_t *value)
{
    const struct assignment assignments[] = {
        record_set(SYSTEM_OPTIONS, "name", value_text(str_of(name))),
        record_set(SYSTEM_OPTIONS, "value", value_text(json_text(tx->arena, value))),
    };
    const struct value *row;
    int rc = record_find(tx, SYSTEM_OPTIONS, "name", str_of(name), &row);
    if (rc != 0)
        return rc;
    return row ? record_update(tx, SYSTEM_OPTIONS, row, assignments + 1, 1)
               : record_insert(tx, SYSTEM_OPTIONS, assignments, COUNT_OF(assignments));
}

static int note(void *context, const struct value *row)
{
    (void)row;
    *(bool *)context = true;
    return 0;
}

int instance_has_users(struct tx *tx, bool *has_out)
{
    const struct select select = {.shape = &system_table(SYSTEM_USERS)->shape, .limit = 1};
    bool has = false;
    int rc = store_select(tx->store, &select, note, &has);
    if (rc == 0)
        *has_out = has;
    return rc;
}
