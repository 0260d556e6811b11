#include "unit/model/core.h"

/*
 * What a client would send and what it would be told. `plan` is what the next request does; what it
 * writes for a reply is kept in `reply`.
 */

static struct {
    enum {
        COLLECTION_CREATE,
        COLLECTION_UPDATE,
        COLLECTION_DELETE,
        FIELD_CREATE,
        FIELD_UPDATE,
        FIELD_DELETE,
        RELATION_CREATE,
        RELATION_UPDATE,
        RELATION_DELETE,
        ITEM_CREATE,
        ITEM_DELETE
    } what;
    const char *collection, *field, *body;
} plan;

static int act(struct instance *in, struct tx *tx)
{
    struct str collection = str_of(plan.collection), field = str_of(plan.field), name, name2;
    json_t *body = plan.body ? json_of(in, plan.body) : NULL;
    const struct table *table = catalogue_table(tx->catalogue, collection);
    struct item_key key;

    switch (plan.what) {
    case COLLECTION_CREATE:
        return schema_create_collection(tx, body, &name);
    case COLLECTION_UPDATE:
        return schema_update_collection(tx, collection, body);
    case COLLECTION_DELETE:
        return schema_delete_collection(tx, collection);
    case FIELD_CREATE:
        return schema_create_field(tx, collection, body, &name);
    case FIELD_UPDATE:
        return schema_update_field(tx, collection, field, body);
    case FIELD_DELETE:
        return schema_delete_field(tx, collection, field);
    case RELATION_CREATE:
        return schema_create_relation(tx, body, &name, &name2);
    case RELATION_UPDATE:
        return schema_update_relation(tx, collection, field, body);
    case RELATION_DELETE:
        return schema_delete_relation(tx, collection, field);
    case ITEM_CREATE:
        assert_non_null(table);
        return items_create(tx, table, body, &key);
    case ITEM_DELETE:
        assert_non_null(table);
        assert_int_equal(items_key(tx, table, body, &key), 0);
        return items_delete(tx, table, &key, 1);
    }
    return 0;
}

static int ask(struct instance *in, int what, const char *collection, const char *field,
               const char *body)
{
    bool rows = what == ITEM_CREATE || what == ITEM_DELETE;

    plan.what = what;
    plan.collection = collection;
    plan.field = field;
    plan.body = body;
    return run(in, rows ? WRITER_ROWS : WRITER_SCHEMA, act);
}

#define OK(...) assert_int_equal(ask(in, __VA_ARGS__), 0)
#define REFUSES(expected, ...)                                                                     \
    do {                                                                                           \
        assert_int_equal(ask(in, __VA_ARGS__), REFUSED);                                           \
        assert_int_equal(in->problem.kind, PROBLEM_##expected);                                    \
    } while (0)

static const char authors[] = "{\"collection\":\"authors\",\"fields\":[{\"field\":\"name\","
                              "\"type\":\"string\",\"schema\":{\"max_length\":40}}]}";
static const char articles[] =
    "{\"collection\":\"articles\",\"meta\":{\"note\":\"News\"},\"fields\":["
    "{\"field\":\"id\",\"type\":\"uuid\",\"schema\":{\"is_primary_key\":true},"
    "\"meta\":{\"special\":[\"uuid\"]}},"
    "{\"field\":\"title\",\"type\":\"string\",\"schema\":{\"is_nullable\":false}},"
    "{\"field\":\"author\",\"type\":\"integer\"}]}";
static const char by_author[] = "{\"collection\":\"articles\",\"field\":\"author\","
                                "\"related_collection\":\"authors\","
                                "\"schema\":{\"on_delete\":\"SET NULL\"}}";

/* ---- looking ---- */

typedef int write_fn(struct tx *tx, struct str collection, struct str field, struct buf *b);

static int write_collection(struct tx *tx, struct str collection, struct str field, struct buf *b)
{
    (void)field;
    return collection.at ? schema_write_collection(tx, collection, b)
                         : schema_write_collections(tx, b);
}

static int write_field(struct tx *tx, struct str collection, struct str field, struct buf *b)
{
    return field.at ? schema_write_field(tx, collection, field, b)
                    : schema_write_fields(tx, collection, b);
}

static int write_relation(struct tx *tx, struct str collection, struct str field, struct buf *b)
{
    return field.at ? schema_write_relation(tx, collection, field, b)
                    : schema_write_relations(tx, collection, b);
}

/* As the instance itself, or as the public. NULL: refused. */
static json_t *look_as(struct instance *in, bool anonymous, write_fn *write, const char *collection,
                       const char *field)
{
    struct tx tx = instance_tx(in, NULL);
    struct reader *reader;
    struct buf text;
    json_t *json = NULL;

    buf_init(&text, 1 << 20);
    assert_int_equal(reader_open(in->model, &reader), 0);
    assert_int_equal(reader_begin(reader, &tx), 0);
    AUTO(principal_unref)
    struct principal *principal =
        anonymous ? principal_public(tx.catalogue, STR_NULL) : principal_system(tx.catalogue);
    tx.principal = principal;
    int rc = write(&tx, str_of(collection), str_of(field), &text);
    if (rc == 0)
        assert_int_equal(json_read_in(in->arena, buf_str(&text), &json, NULL), 0);
    else
        assert_int_equal(rc, REFUSED);
    reader_end(reader);
    reader_close(reader);
    buf_deinit(&text);
    return json;
}

static json_t *look(struct instance *in, write_fn *write, const char *collection, const char *field)
{
    return look_as(in, false, write, collection, field);
}

/* Every member of `expected` is in `actual`, which may have more. */
static void check_has(const json_t *actual, const json_t *expected, const char *where)
{
    const char *key;
    json_t *value;
    void *walk = json_object_iter((json_t *)(uintptr_t)expected);

    for (; walk; walk = json_object_iter_next((json_t *)(uintptr_t)expected, walk)) {
        key = json_object_iter_key(walk);
        value = json_object_iter_value(walk);
        const json_t *there = json_object_get(actual, key);
        if (!there)
            fail_msg("%s.%s is not there", where, key);
        if (json_is_object(value))
            check_has(there, value, key);
        else if (!json_equal(there, value))
            fail_msg("%s.%s is not as expected: %s", where, key,
                     json_dumps(there, JSON_ENCODE_ANY));
    }
}

#define HAS(json, text) check_has((json), json_of(in, text), "reply")

static const struct column *column_of(struct instance *in, const char *table, const char *column)
{
    AUTO(catalogue_unref) struct catalogue *c = model_catalogue(in->model);
    const struct table *t = catalogue_table(c, str_of(table));
    return t ? shape_column(&t->shape, str_of(column)) : NULL; /* the model holds the catalogue */
}

/* ---- collections ---- */

static void a_collection_without_fields_gets_a_counting_key(void **state)
{
    struct instance *in = *state;

    OK(COLLECTION_CREATE, NULL, NULL, "{\"collection\":\"notes\"}");
    const struct column *id = column_of(in, "notes", "id");
    assert_non_null(id);
    assert_true(id->primary_key && id->auto_increment && id->type == TYPE_INTEGER);
    OK(ITEM_CREATE, "notes", NULL, "{}");
    assert_int_equal(in->commit->changes[0]->key.value.integer, 1);
}

static void a_collection_is_told_with_meta_and_schema(void **state)
{
    struct instance *in = *state;

    OK(COLLECTION_CREATE, NULL, NULL, articles);
    json_t *reply = look(in, write_collection, "articles", NULL);
    HAS(reply, "{\"collection\":\"articles\",\"meta\":{\"collection\":\"articles\",\"icon\":null,"
               "\"note\":\"News\",\"hidden\":false,\"singleton\":false,\"accountability\":\"all\","
               "\"collapse\":\"open\",\"archive_app_filter\":true,\"status\":\"active\"},"
               "\"schema\":{\"name\":\"articles\"}}");
    assert_null(json_object_get(json_object_get(reply, "meta"), "rowcast_table_id"));
    assert_int_equal(json_object_size(json_object_get(reply, "meta")), 22);
}

static void admins_see_system_collections_and_their_fields(void **state)
{
    struct instance *in = *state;
    json_t *reply = look(in, write_collection, "directus_users", NULL);

    HAS(reply, "{\"collection\":\"directus_users\",\"meta\":{\"system\":true},"
               "\"schema\":{\"name\":\"directus_users\"}}");
    assert_null(look(in, write_collection, "directus_sessions", NULL));
    HAS(look(in, write_field, "directus_users", "password"),
        "{\"type\":\"hash\",\"meta\":{\"special\":[\"hash\",\"conceal\"],\"system\":true},"
        "\"schema\":{\"max_length\":255,\"table\":\"directus_users\"}}");
    HAS(look(in, write_field, "directus_users", "token"),
        "{\"type\":\"string\",\"meta\":{\"special\":[\"conceal\"]}}");
    assert_int_equal(json_array_size(look(in, write_field, "directus_fields", NULL)), 20);
    assert_null(look(in, write_field, "directus_fields", "rowcast_type"));
    HAS(look(in, write_relation, "directus_users", "role"),
        "{\"related_collection\":\"directus_roles\",\"schema\":{\"on_delete\":\"SET NULL\"}}");
}

static void names_of_collections_are_checked(void **state)
{
    static const char *const bad[] = {
        "{}",
        "[]",
        "{\"collection\":null}",
        "{\"collection\":\"\"}",
        "{\"collection\":\"  \"}",
        "{\"collection\":\" x\"}",
        "{\"collection\":\"a/b\"}",
        "{\"collection\":\"a b\"}",
        "{\"collection\":\"a\\\"b\"}",
        "{\"collection\":\"directus_x\"}",
        "{\"collection\":\"Rowcast_x\"}",
        "{\"collection\":\"SQLITE_x\"}",
        "{\"collection\":\"n5678901234567890123456789012345678901234567890123456789012345\"}",
    };
    struct instance *in = *state;

    for (size_t i = 0; i < COUNT_OF(bad) - 1; i++)
        REFUSES(INVALID_PAYLOAD, COLLECTION_CREATE, NULL, NULL, bad[i]);
    OK(COLLECTION_CREATE, NULL, NULL, bad[COUNT_OF(bad) - 1]);
    char longest[128], name[70];
    memset(name, 'n', sizeof(name));
    for (int length = STORE_NAME_MAX; length <= STORE_NAME_MAX + 1; length++) {
        snprintf(longest, sizeof(longest), "{\"collection\":\"%.*s\"}", length, name);
        int rc = ask(in, COLLECTION_CREATE, NULL, NULL, longest);
        assert_int_equal(rc, length == STORE_NAME_MAX ? 0 : REFUSED);
    }
}

static void a_name_is_taken_whatever_its_case(void **state)
{
    struct instance *in = *state;

    OK(COLLECTION_CREATE, NULL, NULL, "{\"collection\":\"notes\"}");
    REFUSES(INVALID_PAYLOAD, COLLECTION_CREATE, NULL, NULL, "{\"collection\":\"notes\"}");
    REFUSES(INVALID_PAYLOAD, COLLECTION_CREATE, NULL, NULL, "{\"collection\":\"Notes\"}");
    OK(COLLECTION_CREATE, NULL, NULL, "{\"collection\":\"box\",\"schema\":null}");
    REFUSES(INVALID_PAYLOAD, COLLECTION_CREATE, NULL, NULL, "{\"collection\":\"BOX\"}");
}

static void a_folder_has_no_table_and_groups_others(void **state)
{
    struct instance *in = *state;

    OK(COLLECTION_CREATE, NULL, NULL, "{\"collection\":\"box\",\"schema\":null}");
    HAS(look(in, write_collection, "box", NULL),
        "{\"collection\":\"box\",\"schema\":null,\"meta\":{\"collection\":\"box\"}}");
    assert_null(column_of(in, "box", "id"));
    REFUSES(INVALID_PAYLOAD, COLLECTION_CREATE, NULL, NULL,
            "{\"collection\":\"notes\",\"meta\":{\"group\":\"nowhere\"}}");
    OK(COLLECTION_CREATE, NULL, NULL, "{\"collection\":\"notes\",\"meta\":{\"group\":\"box\"}}");
    OK(COLLECTION_DELETE, "box", NULL, NULL);
    HAS(look(in, write_collection, "notes", NULL), "{\"meta\":{\"group\":null}}");
}

static void changing_a_collection_changes_its_meta_only(void **state)
{
    struct instance *in = *state;

    OK(COLLECTION_CREATE, NULL, NULL, "{\"collection\":\"notes\"}");
    OK(COLLECTION_UPDATE, "notes", NULL,
       "{\"meta\":{\"collection\":\"other\",\"rowcast_table_id\":99,\"singleton\":true,"
       "\"icon\":\"bolt\",\"hidden\":null,\"unknown\":1},\"schema\":{\"name\":\"x\"}}");
    HAS(look(in, write_collection, "notes", NULL),
        "{\"meta\":{\"icon\":\"bolt\",\"singleton\":true,\"hidden\":false},"
        "\"schema\":{\"name\":\"notes\"}}");
    AUTO(catalogue_unref) struct catalogue *c = model_catalogue(in->model);
    assert_true(catalogue_table(c, STR("notes"))->singleton);
    assert_int_not_equal(catalogue_table(c, STR("notes"))->id, 99);
    REFUSES(INVALID_PAYLOAD, COLLECTION_UPDATE, "notes", NULL, "{\"meta\":{\"singleton\":[]}}");
    REFUSES(INVALID_PAYLOAD, COLLECTION_UPDATE, "notes", NULL,
            "{\"meta\":{\"accountability\":\"some\"}}");
    REFUSES(FORBIDDEN, COLLECTION_UPDATE, "nothing", NULL, "{\"meta\":{}}");
    OK(COLLECTION_UPDATE, "notes", NULL, "{\"meta\":{\"icon\":\"bolt\"}}");
    assert_null(in->commit); /* as it was */
}

static void system_collections_cannot_be_changed(void **state)
{
    struct instance *in = *state;

    REFUSES(FORBIDDEN, COLLECTION_UPDATE, "directus_users", NULL, "{\"meta\":{}}");
    REFUSES(FORBIDDEN, COLLECTION_DELETE, "directus_users", NULL, NULL);
    REFUSES(FORBIDDEN, FIELD_CREATE, "directus_users", NULL,
            "{\"field\":\"x\",\"type\":\"string\"}");
    REFUSES(FORBIDDEN, FIELD_UPDATE, "directus_users", "email", "{\"meta\":{}}");
    REFUSES(FORBIDDEN, FIELD_DELETE, "directus_users", "email", NULL);
    REFUSES(FORBIDDEN, RELATION_DELETE, "directus_users", "role", NULL);
}

static void table_numbers_are_never_used_again(void **state)
{
    struct instance *in = *state;

    OK(COLLECTION_CREATE, NULL, NULL, "{\"collection\":\"one\"}");
    AUTO(catalogue_unref) struct catalogue *first = model_catalogue(in->model);
    int64_t id = catalogue_table(first, STR("one"))->id;
    OK(COLLECTION_DELETE, "one", NULL, NULL);
    OK(COLLECTION_CREATE, NULL, NULL, "{\"collection\":\"two\"}");
    AUTO(catalogue_unref) struct catalogue *second = model_catalogue(in->model);
    assert_true(catalogue_table(second, STR("two"))->id > id && id > 0);
}

static void deleting_a_collection_takes_all_that_is_about_it(void **state)
{
    struct instance *in = *state;

    OK(COLLECTION_CREATE, NULL, NULL, authors);
    OK(COLLECTION_CREATE, NULL, NULL, articles);
    OK(RELATION_CREATE, NULL, NULL, by_author);
    OK(ITEM_CREATE, "directus_permissions", NULL,
       "{\"collection\":\"authors\",\"action\":\"read\",\"fields\":[\"*\"],"
       "\"policy\":\"abf8a154-5b1c-4a46-ac9c-7300570f4f17\"}");
    OK(ITEM_CREATE, "authors", NULL, "{\"name\":\"Ann\"}");
    OK(ITEM_CREATE, "articles", NULL, "{\"title\":\"One\",\"author\":1}");
    OK(COLLECTION_DELETE, "authors", NULL, NULL);
    assert_null(look(in, write_collection, "authors", NULL));
    assert_null(look(in, write_relation, "articles", "author"));
    const struct column *author = column_of(in, "articles", "author");
    assert_non_null(author);
    assert_null(author->reference);
    bool told = false;
    for (size_t i = 0; i < in->commit->count; i++) {
        const struct change *change = in->commit->changes[i];
        assert_int_equal(change->kind, CHANGE_DELETE);
        told |= system_is(change->table, SYSTEM_PERMISSIONS);
    }
    assert_true(told);
    OK(ITEM_CREATE, "articles", NULL, "{\"title\":\"Two\",\"author\":7}"); /* a plain number now */
    OK(COLLECTION_CREATE, NULL, NULL, authors);
}

/* ---- fields ---- */

static void a_field_is_told_with_meta_and_schema(void **state)
{
    struct instance *in = *state;

    OK(COLLECTION_CREATE, NULL, NULL, articles);
    OK(FIELD_CREATE, "articles", NULL,
       "{\"field\":\"price\",\"type\":\"decimal\",\"schema\":{\"numeric_precision\":8,"
       "\"numeric_scale\":2,\"default_value\":9.5,\"is_indexed\":true},"
       "\"meta\":{\"required\":true,\"interface\":\"input\",\"options\":{\"min\":0}}}");
    json_t *reply = look(in, write_field, "articles", "price");
    HAS(reply,
        "{\"collection\":\"articles\",\"field\":\"price\",\"type\":\"decimal\",\"meta\":{"
        "\"collection\":\"articles\",\"field\":\"price\",\"special\":null,\"interface\":\"input\","
        "\"options\":{\"min\":0},\"readonly\":false,\"hidden\":false,\"sort\":4,\"width\":\"full\","
        "\"required\":true,\"searchable\":true},\"schema\":{\"name\":\"price\",\"table\":"
        "\"articles\",\"default_value\":9.5,\"max_length\":null,\"numeric_precision\":8,"
        "\"numeric_scale\":2,\"is_generated\":false,\"is_nullable\":true,\"is_unique\":false,"
        "\"is_indexed\":true,\"is_primary_key\":false,\"has_auto_increment\":false,"
        "\"foreign_key_column\":null,\"foreign_key_table\":null}}");
    assert_int_equal(json_object_size(json_object_get(reply, "meta")), 20);
    HAS(look(in, write_field, "articles", "title"),
        "{\"schema\":{\"data_type\":\"varchar\",\"max_length\":255,\"is_nullable\":false}}");
    assert_int_equal(json_array_size(look(in, write_field, "articles", NULL)), 4);
}

static void every_type_can_be_a_field(void **state)
{
    struct instance *in = *state;
    char body[128];

    OK(COLLECTION_CREATE, NULL, NULL, "{\"collection\":\"things\"}");
    for (int type = 0; type < TYPE_COUNT; type++) {
        snprintf(body, sizeof(body), "{\"field\":\"f%d\",\"type\":\"%s\"}", type, types[type].name);
        OK(FIELD_CREATE, "things", NULL, body);
    }
    OK(ITEM_CREATE, "things", NULL, "{\"f0\":\"x\",\"f12\":{\"a\":1},\"f13\":[\"a\",\"b\"]}");
    HAS(look(in, write_field, "things", "f10"),
        "{\"type\":\"timestamp\",\"meta\":{\"special\":[\"cast-timestamp\"]}}");
    assert_true(column_of(in, "things", "f14")->secret);
}

static void bodies_of_fields_are_checked(void **state)
{
    static const char *const bad[] = {
        "[]",
        "{}",
        "{\"type\":\"string\"}",
        "{\"field\":\"x\"}",
        "{\"field\":\"x\",\"type\":null}",
        "{\"field\":\"x\",\"type\":\"alias\"}",
        "{\"field\":\"x\",\"type\":\"geometry\"}",
        "{\"field\":\"x\",\"type\":\"string\",\"extra\":1}",
        "{\"field\":\"x y\",\"type\":\"string\"}",
        "{\"field\":\"rowcast_x\",\"type\":\"string\"}",
        "{\"field\":\"ID\",\"type\":\"string\"}",
        "{\"field\":\"x\",\"type\":\"string\",\"schema\":[]}",
        "{\"field\":\"x\",\"type\":\"string\",\"schema\":{\"is_unique\":1}}",
        "{\"field\":\"x\",\"type\":\"string\",\"schema\":{\"max_length\":0}}",
        "{\"field\":\"x\",\"type\":\"string\",\"schema\":{\"max_length\":65536}}",
        "{\"field\":\"x\",\"type\":\"string\",\"schema\":{\"is_primary_key\":true}}",
        "{\"field\":\"x\",\"type\":\"integer\",\"schema\":{\"has_auto_increment\":true}}",
        "{\"field\":\"x\",\"type\":\"json\",\"schema\":{\"is_unique\":true}}",
        "{\"field\":\"x\",\"type\":\"integer\",\"schema\":{\"default_value\":\"many\"}}",
        "{\"field\":\"x\",\"type\":\"hash\",\"schema\":{\"default_value\":\"secret\"}}",
        "{\"field\":\"x\",\"type\":\"decimal\",\"schema\":{\"numeric_precision\":16}}",
        "{\"field\":\"d\",\"type\":\"decimal\",\"schema\":{\"numeric_scale\":11}}",
        "{\"field\":\"x\",\"type\":\"string\",\"meta\":{\"special\":[\"m2m\"]}}",
        "{\"field\":\"x\",\"type\":\"string\",\"meta\":{\"special\":[\"encrypt\"]}}",
        "{\"field\":\"x\",\"type\":\"string\",\"meta\":{\"hidden\":\"perhaps\"}}",
        "{\"field\":\"x\",\"type\":\"string\",\"meta\":{\"validation\":[1]}}",
    };
    struct instance *in = *state;

    OK(COLLECTION_CREATE, NULL, NULL, "{\"collection\":\"notes\"}");
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        if (ask(in, FIELD_CREATE, "notes", NULL, bad[i]) != REFUSED ||
            in->problem.kind != PROBLEM_INVALID_PAYLOAD)
            fail_msg("not refused: %s", bad[i]);
    REFUSES(FORBIDDEN, FIELD_CREATE, "nothing", NULL, "{\"field\":\"x\",\"type\":\"string\"}");
    OK(FIELD_CREATE, "notes", NULL,
       "{\"field\":\"x\",\"type\":\"string\",\"schema\":{\"max_length\":65535}}");
}

static void a_collection_has_one_primary_key_of_four_types(void **state)
{
    static const struct {
        const char *fields;
        bool good;
    } cases[] = {
        {"[{\"field\":\"k\",\"type\":\"bigInteger\",\"schema\":{\"is_primary_key\":true,"
         "\"has_auto_increment\":true}}]",
         true},
        {"[{\"field\":\"k\",\"type\":\"integer\",\"schema\":{\"is_primary_key\":true}}]", true},
        {"[{\"field\":\"k\",\"type\":\"string\",\"schema\":{\"is_primary_key\":true}}]", true},
        {"[{\"field\":\"k\",\"type\":\"uuid\",\"schema\":{\"is_primary_key\":true}}]", true},
        {"[{\"field\":\"k\",\"type\":\"text\",\"schema\":{\"is_primary_key\":true}}]", false},
        {"[{\"field\":\"k\",\"type\":\"uuid\",\"schema\":{\"is_primary_key\":true,"
         "\"has_auto_increment\":true}}]",
         false},
        {"[{\"field\":\"k\",\"type\":\"uuid\",\"schema\":{\"is_primary_key\":true}},"
         "{\"field\":\"l\",\"type\":\"uuid\",\"schema\":{\"is_primary_key\":true}}]",
         false},
        {"[{\"field\":\"id\",\"type\":\"string\"}]", false}, /* in the way of the key to add */
        {"[{\"field\":\"a\",\"type\":\"string\"},{\"field\":\"A\",\"type\":\"string\"}]", false},
        {"{}", false},
        {"[1]", false},
    };
    struct instance *in = *state;
    char body[400];

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        snprintf(body, sizeof(body), "{\"collection\":\"c%zu\",\"fields\":%s}", i, cases[i].fields);
        if (cases[i].good)
            OK(COLLECTION_CREATE, NULL, NULL, body);
        else
            REFUSES(INVALID_PAYLOAD, COLLECTION_CREATE, NULL, NULL, body);
    }
    const struct column *key = column_of(in, "c3", "k");
    assert_true(key->primary_key && !key->nullable);
}

static char *many_fields(struct instance *in, int count)
{
    struct buf b;

    buf_init(&b, 1 << 20);
    buf_put_lit(&b, "{\"collection\":\"wide\",\"fields\":[");
    for (int i = 0; i < count; i++)
        buf_printf(&b, "%s{\"field\":\"f%d\",\"type\":\"integer\"}", i ? "," : "", i);
    buf_put_lit(&b, "]}");
    struct str text = arena_str(in->arena, buf_str(&b));
    buf_deinit(&b);
    return (char *)(uintptr_t)text.at;
}

static void a_table_has_at_most_600_fields(void **state)
{
    struct instance *in = *state;

    REFUSES(INVALID_PAYLOAD, COLLECTION_CREATE, NULL, NULL, many_fields(in, 600)); /* and `id` */
    OK(COLLECTION_CREATE, NULL, NULL, many_fields(in, 598));
    OK(FIELD_CREATE, "wide", NULL, "{\"field\":\"last\",\"type\":\"string\"}");
    REFUSES(INVALID_PAYLOAD, FIELD_CREATE, "wide", NULL,
            "{\"field\":\"more\",\"type\":\"string\"}");
}

static void a_new_field_fills_the_rows_that_are_there(void **state)
{
    struct instance *in = *state;

    OK(COLLECTION_CREATE, NULL, NULL, articles);
    OK(ITEM_CREATE, "articles", NULL, "{\"title\":\"One\"}");
    REFUSES(CONTAINS_NULL, FIELD_CREATE, "articles", NULL,
            "{\"field\":\"status\",\"type\":\"string\",\"schema\":{\"is_nullable\":false}}");
    assert_str(in->problem.collection, "articles");
    assert_str(in->problem.field, "status");
    OK(FIELD_CREATE, "articles", NULL,
       "{\"field\":\"status\",\"type\":\"string\",\"schema\":{\"is_nullable\":false,"
       "\"default_value\":\"draft\"}}");
    OK(ITEM_CREATE, "articles", NULL, "{\"title\":\"Two\"}");
    unsigned status = column_of(in, "articles", "status")->index;
    assert_str(in->commit->changes[0]->after[status].text, "draft");
}

static void changing_a_field_is_refused_where_rows_do_not_fit(void **state)
{
    struct instance *in = *state;

    OK(COLLECTION_CREATE, NULL, NULL, authors);
    OK(ITEM_CREATE, "authors", NULL, "{\"name\":\"Ann\"}");
    OK(ITEM_CREATE, "authors", NULL, "{\"name\":\"Ann\"}");
    OK(ITEM_CREATE, "authors", NULL, "{}");
    REFUSES(NOT_UNIQUE, FIELD_UPDATE, "authors", "name", "{\"schema\":{\"is_unique\":true}}");
    REFUSES(CONTAINS_NULL, FIELD_UPDATE, "authors", "name", "{\"schema\":{\"is_nullable\":false}}");
    REFUSES(VALUE_TOO_LONG, FIELD_UPDATE, "authors", "name", "{\"schema\":{\"max_length\":2}}");
    REFUSES(INVALID_PAYLOAD, FIELD_UPDATE, "authors", "name", "{\"type\":\"integer\"}");
    OK(FIELD_UPDATE, "authors", "name", "{\"schema\":{\"max_length\":3}}");
    assert_int_equal(column_of(in, "authors", "name")->length_max, 3);
    OK(FIELD_UPDATE, "authors", "name", "{\"type\":\"text\"}");
    assert_int_equal(column_of(in, "authors", "name")->length_max, 0);
    REFUSES(INVALID_PAYLOAD, FIELD_UPDATE, "authors", "name", "{\"type\":\"hash\"}");
}

static void a_field_can_change_to_a_type_that_its_values_have(void **state)
{
    struct instance *in = *state;

    OK(COLLECTION_CREATE, NULL, NULL,
       "{\"collection\":\"notes\",\"fields\":[{\"field\":\"n\",\"type\":\"string\","
       "\"schema\":{\"default_value\":\"7\"}}]}");
    OK(ITEM_CREATE, "notes", NULL, "{\"n\":\"12\"}");
    OK(FIELD_UPDATE, "notes", "n", "{\"type\":\"integer\"}");
    HAS(look(in, write_field, "notes", "n"),
        "{\"type\":\"integer\",\"schema\":{\"max_length\":null,\"default_value\":7}}");
    OK(ITEM_CREATE, "notes", NULL, "{}");
    unsigned n = column_of(in, "notes", "n")->index;
    assert_int_equal(in->commit->changes[0]->after[n].integer, 7);
    OK(FIELD_UPDATE, "notes", "n", "{\"schema\":{\"default_value\":null}}");
    assert_true(value_is_null(&column_of(in, "notes", "n")->default_value));
}

static void changing_meta_leaves_the_table_alone(void **state)
{
    struct instance *in = *state;

    OK(COLLECTION_CREATE, NULL, NULL, articles);
    OK(FIELD_UPDATE, "articles", "title",
       "{\"meta\":{\"id\":999,\"field\":\"x\",\"note\":\"The head\",\"special\":\"conceal\"}}");
    HAS(look(in, write_field, "articles", "title"),
        "{\"field\":\"title\",\"meta\":{\"field\":\"title\",\"note\":\"The head\","
        "\"special\":[\"conceal\"]},\"schema\":{\"is_nullable\":false}}");
    assert_true(column_of(in, "articles", "title")->secret);
    assert_int_equal(in->commit->count, 1);
    assert_int_equal(in->commit->changes[0]->kind, CHANGE_UPDATE);
    REFUSES(FORBIDDEN, FIELD_UPDATE, "articles", "nothing", "{\"meta\":{}}");
    REFUSES(INVALID_PAYLOAD, FIELD_UPDATE, "articles", "title", "{\"field\":\"other\"}");
    REFUSES(INVALID_PAYLOAD, FIELD_UPDATE, "articles", "title", "{\"other\":1}");
}

static void the_primary_key_stays_as_it_is(void **state)
{
    struct instance *in = *state;

    OK(COLLECTION_CREATE, NULL, NULL, articles);
    REFUSES(INVALID_PAYLOAD, FIELD_DELETE, "articles", "id", NULL);
    REFUSES(INVALID_PAYLOAD, FIELD_UPDATE, "articles", "id", "{\"type\":\"string\"}");
    REFUSES(INVALID_PAYLOAD, FIELD_UPDATE, "articles", "id",
            "{\"schema\":{\"is_primary_key\":false}}");
    REFUSES(INVALID_PAYLOAD, FIELD_UPDATE, "articles", "title",
            "{\"schema\":{\"is_primary_key\":true}}");
    /* What was told may be sent back. */
    OK(FIELD_UPDATE, "articles", "id",
       "{\"collection\":\"articles\",\"field\":\"id\",\"type\":\"uuid\",\"schema\":{\"name\":"
       "\"id\",\"is_primary_key\":true,\"is_nullable\":false,\"is_unique\":true,"
       "\"has_auto_increment\":false},\"meta\":{\"note\":\"Key\"}}");
    HAS(look(in, write_field, "articles", "id"), "{\"meta\":{\"note\":\"Key\"}}");
}

static void deleting_a_field_deletes_its_relation_and_settings(void **state)
{
    struct instance *in = *state;

    OK(COLLECTION_CREATE, NULL, NULL, authors);
    OK(COLLECTION_CREATE, NULL, NULL, articles);
    OK(RELATION_CREATE, NULL, NULL, by_author);
    OK(COLLECTION_UPDATE, "articles", NULL, "{\"meta\":{\"sort_field\":\"author\"}}");
    OK(ITEM_CREATE, "articles", NULL, "{\"title\":\"One\"}");
    OK(FIELD_DELETE, "articles", "author", NULL);
    assert_null(column_of(in, "articles", "author"));
    assert_null(look(in, write_relation, "articles", "author"));
    HAS(look(in, write_collection, "articles", NULL), "{\"meta\":{\"sort_field\":null}}");
    REFUSES(FORBIDDEN, FIELD_DELETE, "articles", "author", NULL);
    OK(FIELD_CREATE, "articles", NULL, "{\"field\":\"author\",\"type\":\"string\"}");
    OK(ITEM_CREATE, "articles", NULL, "{\"title\":\"Two\",\"author\":\"Ann\"}");
}

/* ---- relations ---- */

static void a_relation_is_a_reference_of_the_table(void **state)
{
    struct instance *in = *state;

    OK(COLLECTION_CREATE, NULL, NULL, authors);
    OK(COLLECTION_CREATE, NULL, NULL, articles);
    OK(RELATION_CREATE, NULL, NULL, by_author);
    json_t *reply = look(in, write_relation, "articles", "author");
    HAS(reply,
        "{\"collection\":\"articles\",\"field\":\"author\",\"related_collection\":\"authors\","
        "\"schema\":{\"table\":\"articles\",\"column\":\"author\",\"foreign_key_table\":"
        "\"authors\",\"foreign_key_column\":\"id\",\"on_update\":\"NO ACTION\",\"on_delete\":"
        "\"SET NULL\",\"constraint_name\":null},\"meta\":{\"many_collection\":\"articles\","
        "\"many_field\":\"author\",\"one_collection\":\"authors\",\"one_field\":null,"
        "\"one_deselect_action\":\"nullify\"}}");
    assert_int_equal(json_object_size(json_object_get(reply, "meta")), 10);
    HAS(look(in, write_field, "articles", "author"),
        "{\"schema\":{\"foreign_key_table\":\"authors\",\"foreign_key_column\":\"id\"}}");
    REFUSES(INVALID_FOREIGN_KEY, ITEM_CREATE, "articles", NULL, "{\"title\":\"One\",\"author\":1}");
    OK(ITEM_CREATE, "authors", NULL, "{}");
    OK(ITEM_CREATE, "articles", NULL, "{\"title\":\"One\",\"author\":1}");
    OK(ITEM_DELETE, "authors", NULL, "1");
}

static void bodies_of_relations_are_checked(void **state)
{
    static const char *const bad[] = {
        "[]",
        "{}",
        "{\"collection\":\"nothing\",\"field\":\"author\",\"related_collection\":\"authors\"}",
        "{\"collection\":\"articles\",\"field\":\"nothing\",\"related_collection\":\"authors\"}",
        "{\"collection\":\"articles\",\"field\":\"author\",\"related_collection\":\"nothing\"}",
        "{\"collection\":\"articles\",\"field\":\"author\",\"related_collection\":null}",
        "{\"collection\":\"articles\",\"field\":\"id\",\"related_collection\":\"authors\"}",
        "{\"collection\":\"articles\",\"field\":\"title\",\"related_collection\":\"authors\"}",
        "{\"collection\":\"articles\",\"field\":\"author\",\"related_collection\":\"authors\","
        "\"schema\":{\"on_delete\":\"EXPLODE\"}}",
        "{\"collection\":\"articles\",\"field\":\"author\",\"related_collection\":\"authors\","
        "\"meta\":{\"one_deselect_action\":\"explode\"}}",
        "{\"collection\":\"articles\",\"field\":\"author\",\"related_collection\":\"authors\","
        "\"meta\":{\"one_allowed_collections\":[\"a\"]}}",
        "{\"collection\":\"articles\",\"field\":\"author\",\"related_collection\":\"authors\","
        "\"extra\":1}",
    };
    struct instance *in = *state;

    OK(COLLECTION_CREATE, NULL, NULL, authors);
    OK(COLLECTION_CREATE, NULL, NULL, articles);
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        if (ask(in, RELATION_CREATE, NULL, NULL, bad[i]) != REFUSED ||
            in->problem.kind != PROBLEM_INVALID_PAYLOAD)
            fail_msg("not refused: %s", bad[i]);
    OK(RELATION_CREATE, NULL, NULL, by_author);
    REFUSES(INVALID_PAYLOAD, RELATION_CREATE, NULL, NULL, by_author);
}

static void a_relation_is_refused_where_rows_point_to_nothing(void **state)
{
    struct instance *in = *state;

    OK(COLLECTION_CREATE, NULL, NULL, authors);
    OK(COLLECTION_CREATE, NULL, NULL, articles);
    OK(ITEM_CREATE, "authors", NULL, "{}");
    OK(ITEM_CREATE, "articles", NULL, "{\"title\":\"One\",\"author\":1}");
    OK(ITEM_CREATE, "articles", NULL, "{\"title\":\"Two\",\"author\":1}");
    OK(ITEM_CREATE, "articles", NULL, "{\"title\":\"Three\"}");
    OK(ITEM_CREATE, "articles", NULL, "{\"title\":\"Four\",\"author\":2}");
    REFUSES(INVALID_FOREIGN_KEY, RELATION_CREATE, NULL, NULL, by_author);
    assert_str(in->problem.field, "author");
    OK(ITEM_CREATE, "authors", NULL, "{}");
    OK(RELATION_CREATE, NULL, NULL, by_author);
}

static void a_relation_may_change_its_action_but_not_its_end(void **state)
{
    struct instance *in = *state;

    OK(COLLECTION_CREATE, NULL, NULL, authors);
    OK(COLLECTION_CREATE, NULL, NULL, articles);
    OK(RELATION_CREATE, NULL, NULL,
       "{\"collection\":\"articles\",\"field\":\"author\",\"related_collection\":\"authors\"}");
    HAS(look(in, write_relation, "articles", "author"),
        "{\"schema\":{\"on_delete\":\"NO ACTION\"}}");
    OK(RELATION_UPDATE, "articles", "author",
       "{\"schema\":{\"on_delete\":\"CASCADE\"},\"meta\":{\"one_field\":\"articles\"}}");
    HAS(look(in, write_relation, "articles", "author"),
        "{\"schema\":{\"on_delete\":\"CASCADE\"},\"meta\":{\"one_field\":\"articles\"}}");
    assert_int_equal(column_of(in, "articles", "author")->reference->on_delete, ON_DELETE_CASCADE);
    REFUSES(INVALID_PAYLOAD, RELATION_UPDATE, "articles", "author",
            "{\"related_collection\":\"articles\"}");
    REFUSES(INVALID_PAYLOAD, FIELD_UPDATE, "articles", "author", "{\"type\":\"string\"}");
    OK(FIELD_UPDATE, "articles", "author", "{\"schema\":{\"is_nullable\":false}}");
    REFUSES(INVALID_PAYLOAD, RELATION_UPDATE, "articles", "author",
            "{\"schema\":{\"on_delete\":\"SET NULL\"}}");
    OK(RELATION_DELETE, "articles", "author", NULL);
    assert_null(column_of(in, "articles", "author")->reference);
    REFUSES(FORBIDDEN, RELATION_DELETE, "articles", "author", NULL);
}

static void a_relation_may_point_to_users(void **state)
{
    struct instance *in = *state;

    OK(COLLECTION_CREATE, NULL, NULL,
       "{\"collection\":\"notes\",\"fields\":[{\"field\":\"owner\",\"type\":\"uuid\"}]}");
    OK(RELATION_CREATE, NULL, NULL,
       "{\"collection\":\"notes\",\"field\":\"owner\",\"related_collection\":\"directus_users\"}");
    HAS(look(in, write_relation, "notes", "owner"),
        "{\"related_collection\":\"directus_users\","
        "\"schema\":{\"foreign_key_table\":\"directus_users\"}}");
    assert_str(column_of(in, "notes", "owner")->reference->table, "rowcast_users");
}

/* ---- who may ---- */

static int create_as_public(struct instance *in, struct tx *tx)
{
    AUTO(principal_unref) struct principal *public = principal_public(tx->catalogue, STR_NULL);
    struct str name;

    tx->principal = public;
    return schema_create_collection(tx, json_of(in, "{\"collection\":\"notes\"}"), &name);
}

static void only_admins_change_the_schema(void **state)
{
    struct instance *in = *state;

    assert_int_equal(run(in, WRITER_SCHEMA, create_as_public), REFUSED);
    assert_int_equal(in->problem.kind, PROBLEM_FORBIDDEN);
}

static void grant_public(struct instance *in, const char *collection, const char *fields)
{
    char body[256];

    snprintf(body, sizeof(body),
             "{\"collection\":\"%s\",\"action\":\"read\",\"fields\":%s,"
             "\"policy\":\"abf8a154-5b1c-4a46-ac9c-7300570f4f17\"}",
             collection, fields);
    OK(ITEM_CREATE, "directus_permissions", NULL, body);
}

static void others_see_what_they_may_read(void **state)
{
    struct instance *in = *state;

    OK(COLLECTION_CREATE, NULL, NULL, "{\"collection\":\"box\",\"schema\":null}");
    OK(COLLECTION_CREATE, NULL, NULL, "{\"collection\":\"empty\",\"schema\":null}");
    OK(COLLECTION_CREATE, NULL, NULL, authors);
    OK(COLLECTION_CREATE, NULL, NULL, articles);
    OK(COLLECTION_UPDATE, "articles", NULL, "{\"meta\":{\"group\":\"box\"}}");
    OK(RELATION_CREATE, NULL, NULL, by_author);
    grant_public(in, "articles", "[\"id\",\"title\"]");
    assert_null(look_as(in, true, write_collection, NULL, NULL));
    assert_null(look_as(in, true, write_field, "articles", NULL));
    HAS(look_as(in, true, write_field, "articles", "title"),
        "{\"field\":\"title\",\"meta\":null,\"schema\":{\"name\":\"title\"}}");
    assert_null(look_as(in, true, write_field, "articles", "author"));
    assert_null(look_as(in, true, write_field, "authors", "name"));

    grant_public(in, "directus_collections", "[\"collection\",\"note\"]");
    grant_public(in, "directus_fields", "[\"*\"]");
    grant_public(in, "directus_relations", "[\"*\"]");
    json_t *list = look_as(in, true, write_collection, NULL, NULL);
    size_t users = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct str name = json_get_str(json_array_get(list, i), "collection");
        if (str_starts_with(name, STR("directus_")))
            continue; /* the three that are granted */
        users++;
        assert_true(str_equal(name, STR("articles")) || str_equal(name, STR("box")));
        assert_int_equal(json_object_size(json_get(json_array_get(list, i), "meta")), 2);
    }
    assert_int_equal(users, 2);
    assert_int_equal(json_array_size(look_as(in, true, write_field, "articles", NULL)), 2);
    assert_null(look_as(in, true, write_field, "authors", NULL));
    assert_null(look_as(in, true, write_relation, "articles", "author"));
    grant_public(in, "articles", "[\"author\"]");
    assert_null(look_as(in, true, write_relation, "articles", "author"));
    grant_public(in, "authors", "[\"id\"]");
    assert_non_null(look_as(in, true, write_relation, "articles", "author"));
}

/* ---- in one request ---- */

static int make_both(struct instance *in, struct tx *tx)
{
    struct str name, field;
    struct buf b;

    assert_int_equal(schema_create_collection(tx, json_of(in, authors), &name), 0);
    assert_int_equal(schema_create_collection(tx, json_of(in, articles), &name), 0);
    assert_int_equal(schema_create_relation(tx, json_of(in, by_author), &name, &field), 0);
    assert_str(field, "author");
    buf_init(&b, 1 << 16);
    assert_int_equal(schema_write_relation(tx, name, field, &b), 0);
    assert_true(b.len > 0);
    buf_deinit(&b);
    return 0;
}

static void one_request_may_build_on_what_it_made(void **state)
{
    struct instance *in = *state;

    assert_int_equal(run(in, WRITER_SCHEMA, make_both), 0);
    AUTO(catalogue_unref) struct catalogue *c = model_catalogue(in->model);
    assert_int_not_equal(catalogue_table(c, STR("authors"))->id,
                         catalogue_table(c, STR("articles"))->id);
    assert_non_null(column_of(in, "articles", "author")->reference);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, instance_setup, instance_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_collection_without_fields_gets_a_counting_key),
        CASE(a_collection_is_told_with_meta_and_schema),
        CASE(admins_see_system_collections_and_their_fields),
        CASE(names_of_collections_are_checked),
        CASE(a_name_is_taken_whatever_its_case),
        CASE(a_folder_has_no_table_and_groups_others),
        CASE(changing_a_collection_changes_its_meta_only),
        CASE(system_collections_cannot_be_changed),
        CASE(table_numbers_are_never_used_again),
        CASE(deleting_a_collection_takes_all_that_is_about_it),
        CASE(a_field_is_told_with_meta_and_schema),
        CASE(every_type_can_be_a_field),
        CASE(bodies_of_fields_are_checked),
        CASE(a_collection_has_one_primary_key_of_four_types),
        CASE(a_table_has_at_most_600_fields),
        CASE(a_new_field_fills_the_rows_that_are_there),
        CASE(changing_a_field_is_refused_where_rows_do_not_fit),
        CASE(a_field_can_change_to_a_type_that_its_values_have),
        CASE(changing_meta_leaves_the_table_alone),
        CASE(the_primary_key_stays_as_it_is),
        CASE(deleting_a_field_deletes_its_relation_and_settings),
        CASE(a_relation_is_a_reference_of_the_table),
        CASE(bodies_of_relations_are_checked),
        CASE(a_relation_is_refused_where_rows_point_to_nothing),
        CASE(a_relation_may_change_its_action_but_not_its_end),
        CASE(a_relation_may_point_to_users),
        CASE(only_admins_change_the_schema),
        CASE(others_see_what_they_may_read),
        CASE(one_request_may_build_on_what_it_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
