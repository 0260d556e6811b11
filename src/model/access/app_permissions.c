#include "model/access/access.h"

#include <assert.h>

/* The rows of directus.md F.6 for the tables that there are. */
#define USER_FIELDS                                                                                \
    "[\"id\",\"first_name\",\"last_name\",\"last_page\",\"email\",\"password\",\"location\","      \
    "\"title\",\"description\",\"tags\",\"provider\",\"avatar\",\"language\",\"appearance\","      \
    "\"theme_light\",\"theme_dark\",\"tfa_secret\",\"status\",\"role\"]"

static const struct {
    const char *collection, *permissions, *fields; /* permissions NULL: all rows */
} rows[] = {
    {"directus_collections", NULL, "[\"*\"]"},
    {"directus_fields", NULL, "[\"*\"]"},
    {"directus_relations", NULL, "[\"*\"]"},
    {"directus_roles", "{\"id\":{\"_in\":\"$CURRENT_ROLES\"}}", "[\"*\"]"},
    {"directus_users", "{\"id\":{\"_eq\":\"$CURRENT_USER\"}}", USER_FIELDS},
};

static const json_t *literal(struct arena *a, const char *text)
{
    json_t *json = NULL;

    if (!text)
        return NULL;
    int rc = json_read_in(a, str_of(text), &json, NULL);
    assert(rc == 0);
    (void)rc;
    return json;
}

const struct permission *access_app_permissions(struct arena *a, size_t *count_out)
{
    struct permission *permissions = ARENA_ARRAY(a, struct permission, COUNT_OF(rows));

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        permissions[i] = (struct permission){
            .collection = str_of(rows[i].collection),
            .action = str_of(action_name(ACTION_READ)),
            .permissions = literal(a, rows[i].permissions),
            .fields = literal(a, rows[i].fields),
        };
    *count_out = COUNT_OF(rows);
    return permissions;
}
