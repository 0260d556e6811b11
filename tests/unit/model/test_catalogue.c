#include "unit/model/core.h"

/* ---- the pieces ---- */

static void flags_are_read_by_their_old_names_too(void **state)
{
    (void)state;
    assert_int_equal(special_bits(STR_NULL), 0);
    assert_int_equal(special_bits(STR("")), 0);
    assert_int_equal(special_bits(STR("uuid")), SPECIAL_UUID);
    assert_int_equal(special_bits(STR("hash, conceal")), SPECIAL_HASH | SPECIAL_CONCEAL);
    assert_int_equal(special_bits(STR("json,cast-json")), SPECIAL_CAST_JSON);
    assert_int_equal(special_bits(STR("boolean,csv")), SPECIAL_CAST_BOOLEAN | SPECIAL_CAST_CSV);
    assert_int_equal(special_bits(STR("cast-timestamp,unheard-of")), 0);
    assert_int_equal(special_bits(STR("token")), 0); /* ours alone */
}

static void system_tables_are_as_they_are_specified(void **state)
{
    static const struct {
        enum system_table which;
        const char *name;
        size_t shown;
    } tables[] = {
        {SYSTEM_COLLECTIONS, "directus_collections", 22},
        {SYSTEM_FIELDS, "directus_fields", 20},
        {SYSTEM_RELATIONS, "directus_relations", 10},
        {SYSTEM_USERS, "directus_users", 27},
        {SYSTEM_ROLES, "directus_roles", 5},
        {SYSTEM_POLICIES, "directus_policies", 8},
        {SYSTEM_ACCESS, "directus_access", 5},
        {SYSTEM_PERMISSIONS, "directus_permissions", 8},
        {SYSTEM_SESSIONS, "directus_sessions", 9},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(tables); i++) {
        const struct table *t = system_table(tables[i].which);
        size_t shown = 0;
        assert_true(str_equal(t->name, str_of(tables[i].name)));
        assert_true(str_starts_with(t->shape.name, STR("rowcast_")));
        assert_true(t->system && t->id < 0);
        assert_true(table_key(t)->primary_key);
        for (unsigned k = 0; k < t->shape.count; k++) {
            assert_ptr_equal(t->fields[k].column, &t->shape.columns[k]);
            assert_ptr_equal(t->fields[k].table, t);
            assert_int_equal(t->shape.columns[k].index, k);
            shown += !field_hidden(&t->fields[k]);
        }
        assert_int_equal(shown, tables[i].shown);
    }
    const struct table *users = system_table(SYSTEM_USERS);
    assert_true(system_is(users, SYSTEM_USERS) && !system_is(users, SYSTEM_ROLES));
    assert_true(table_field(users, STR("password"))->column->secret);
    assert_int_equal(table_field(users, STR("token"))->special, SPECIAL_CONCEAL | SPECIAL_TOKEN);
    assert_ptr_equal(system_find(STR("rowcast_users")), users);
    assert_null(system_find(STR("rowcast_journal")));
}

static void a_column_reads_back_from_its_row(void **state)
{
    struct arena *a = arena_new();
    /* clang-format off */
    const struct column columns[] = {
        {.name = STR("s"), .type = TYPE_STRING, .length_max = 40, .nullable = true,
         .default_value = value_text(STR("a \"quoted\" text"))},
        {.name = STR("d"), .type = TYPE_DECIMAL, .precision = 8, .scale = 2, .unique = true,
         .default_value = value_real(1.25)},
        {.name = STR("b"), .type = TYPE_BOOLEAN, .indexed = true, .default_value = value_integer(1)},
        {.name = STR("k"), .type = TYPE_INTEGER, .primary_key = true, .auto_increment = true},
        {.name = STR("l"), .type = TYPE_BIG_INTEGER, .default_value = value_integer(INT64_MAX)},
        {.name = STR("j"), .type = TYPE_JSON, .nullable = true,
         .default_value = value_text(STR("{\"a\":[1,null]}"))},
        {.name = STR("c"), .type = TYPE_CSV, .default_value = value_text(STR("x,y"))},
        {.name = STR("t"), .type = TYPE_TIMESTAMP,
         .default_value = value_text(STR("2024-01-02T10:11:12.000Z"))},
        {.name = STR("h"), .type = TYPE_HASH, .length_max = 255, .secret = true},
    };
    /* clang-format on */

    (void)state;
    for (size_t i = 0; i < COUNT_OF(columns); i++) {
        const struct column *c = &columns[i];
        struct value *row = ARENA_ARRAY(a, struct value, system_table(SYSTEM_FIELDS)->shape.count);
        struct column read;
        row[system_column(SYSTEM_FIELDS, "field")] = value_text(c->name);
        column_to_row(a, c, row);
        assert_int_equal(column_from_row(a, row, &read), 0);
        assert_true(str_equal(read.name, c->name) && read.type == c->type);
        assert_true(read.length_max == c->length_max && read.precision == c->precision &&
                    read.scale == c->scale);
        assert_true(read.nullable == c->nullable && read.unique == c->unique &&
                    read.indexed == c->indexed && read.primary_key == c->primary_key &&
                    read.auto_increment == c->auto_increment && read.secret == c->secret);
        assert_true(value_equal(&read.default_value, &c->default_value));
    }
    arena_free(a);
}

static void a_field_that_is_concealed_is_a_secret(void **state)
{
    struct arena *a = arena_new();
    const struct column plain = {.name = STR("pin"), .type = TYPE_STRING};
    struct value *row = ARENA_ARRAY(a, struct value, system_table(SYSTEM_FIELDS)->shape.count);
    struct column read;

    (void)state;
    row[system_column(SYSTEM_FIELDS, "field")] = value_text(plain.name);
    column_to_row(a, &plain, row);
    assert_int_equal(column_from_row(a, row, &read), 0);
    assert_false(read.secret);
    row[system_column(SYSTEM_FIELDS, "special")] = value_text(STR("conceal"));
    assert_int_equal(column_from_row(a, row, &read), 0);
    assert_true(read.secret);
    row[system_column(SYSTEM_FIELDS, "rowcast_type")] = value_text(STR("unheard-of"));
    assert_true(column_from_row(a, row, &read) < 0);
    arena_free(a);
}

/* ---- the whole ---- */

/* Rows put into the file of a stopped instance, past all rules. */
static void put(struct instance *in, struct store *s, enum system_table which, const char *json)
{
    const struct table *t = system_table(which);
    struct assignment assignments[COLUMNS_MAX];
    json_t *object = json_of(in, json);
    const char *key;
    json_t *value;
    size_t count = 0;

    json_object_foreach(object, key, value)
    {
        assignments[count].column = &t->shape.columns[system_column(which, key)];
        assert_int_equal(
            type_read(assignments[count].column, value, in->arena, &assignments[count].value), 0);
        count++;
    }
    assert_int_equal(store_insert(s, &t->shape, assignments, count, NULL, NULL), 0);
}

static struct store *open_file(struct instance *in)
{
    struct store *s;

    instance_stop(in);
    assert_int_equal(store_open(&in->settings.store, STORE_WRITE, &s), 0);
    assert_int_equal(store_begin(s, STORE_WRITE), 0);
    return s;
}

static void close_file(struct instance *in, struct store *s)
{
    store_close(s); /* undoes */
    instance_start(in);
}

#define A "\"00000000-0000-4000-8000-00000000000a\""
#define B "\"00000000-0000-4000-8000-00000000000b\""
#define C "\"00000000-0000-4000-8000-00000000000c\""
#define ID(letter) STR("00000000-0000-4000-8000-00000000000" letter)

static void roles_that_form_a_ring_are_cut_open(void **state)
{
    struct instance *in = *state;
    struct store *s = open_file(in);
    struct catalogue *c;

    put(in, s, SYSTEM_ROLES, "{\"id\":" C ",\"name\":\"c\"}");
    put(in, s, SYSTEM_ROLES, "{\"id\":" A ",\"name\":\"a\",\"parent\":" C "}");
    put(in, s, SYSTEM_ROLES, "{\"id\":" B ",\"name\":\"b\",\"parent\":" A "}");
    assert_int_equal(catalogue_load(s, 2, &c), 0);
    assert_str(catalogue_role(c, ID("b"))->parent->parent->name, "c");
    assert_null(catalogue_role(c, ID("c"))->parent);
    catalogue_unref(c);

    const struct table *roles = system_table(SYSTEM_ROLES);
    const struct assignment ring = {&roles->shape.columns[system_column(SYSTEM_ROLES, "parent")],
                                    value_text(ID("b"))};
    assert_int_equal(
        store_update(s, &roles->shape, &ring, 1,
                     system_test(in->arena, SYSTEM_ROLES, "id", OP_EQ, value_text(ID("c"))), 0,
                     NULL, NULL),
        0);
    assert_int_equal(catalogue_load(s, 3, &c), 0);
    for (size_t i = 0; i < c->role_count; i++) {
        size_t steps = 0;
        for (const struct role *r = c->roles[i]; r; r = r->parent)
            assert_true(steps++ <= c->role_count);
    }
    catalogue_unref(c);
    close_file(in, s);
}

static void permissions_belong_to_their_policies_and_attachments_are_sorted(void **state)
{
    struct instance *in = *state;
    struct store *s = open_file(in);
    struct catalogue *c;

    put(in, s, SYSTEM_POLICIES, "{\"id\":" A ",\"name\":\"a\",\"app_access\":true}");
    put(in, s, SYSTEM_POLICIES, "{\"id\":" B ",\"name\":\"b\",\"ip_access\":\"10.0.0.0/8\"}");
    put(in, s, SYSTEM_PERMISSIONS,
        "{\"collection\":\"x\",\"action\":\"read\",\"policy\":" B ",\"fields\":[\"id\",\"name\"],"
        "\"permissions\":{\"id\":{\"_eq\":1}},\"validation\":{}}");
    put(in, s, SYSTEM_PERMISSIONS,
        "{\"collection\":\"y\",\"action\":\"create\",\"policy\":" A
        ",\"presets\":{\"status\":\"draft\"}}");
    put(in, s, SYSTEM_PERMISSIONS, "{\"collection\":\"z\",\"action\":\"read\",\"policy\":" B "}");
    put(in, s, SYSTEM_ACCESS, "{\"id\":" A ",\"policy\":" B ",\"sort\":9}");
    put(in, s, SYSTEM_ACCESS, "{\"id\":" B ",\"policy\":" A ",\"sort\":8}");
    assert_int_equal(catalogue_load(s, 2, &c), 0);
    const struct policy *a = map_get(&c->policies_by_id, ID("a"));
    const struct policy *b = map_get(&c->policies_by_id, ID("b"));
    assert_true(a->app_access && !a->admin_access && !a->ip_access.at);
    assert_str(b->ip_access, "10.0.0.0/8");
    assert_int_equal(a->permission_count, 1);
    assert_int_equal(b->permission_count, 2);
    assert_str(b->permissions[0].collection, "x");
    assert_true(json_equal(b->permissions[0].fields, json_of(in, "[\"id\",\"name\"]")));
    assert_true(json_equal(b->permissions[0].permissions, json_of(in, "{\"id\":{\"_eq\":1}}")));
    assert_null(b->permissions[0].validation); /* {} says nothing */
    assert_null(b->permissions[1].fields);
    assert_true(json_equal(a->permissions[0].presets, json_of(in, "{\"status\":\"draft\"}")));
    const struct attachment *last = &c->attachments[c->attachment_count - 1];
    assert_ptr_equal(last->policy, b);
    assert_ptr_equal(last[-1].policy, a);
    assert_null(last->role.at);
    for (size_t i = 1; i < c->attachment_count; i++)
        assert_true(c->attachments[i - 1].sort <= c->attachments[i].sort);
    catalogue_unref(c);
    close_file(in, s);
}

static void tables_and_relations_come_from_their_rows(void **state)
{
    struct instance *in = *state;
    struct store *s = open_file(in);
    struct catalogue *c;

    put(in, s, SYSTEM_COLLECTIONS, "{\"collection\":\"box\"}");
    put(in, s, SYSTEM_COLLECTIONS, "{\"collection\":\"people\",\"rowcast_table_id\":5}");
    put(in, s, SYSTEM_COLLECTIONS,
        "{\"collection\":\"letters\",\"rowcast_table_id\":6,\"sort_field\":\"id\","
        "\"accountability\":null}");
    put(in, s, SYSTEM_FIELDS,
        "{\"collection\":\"people\",\"field\":\"id\",\"rowcast_type\":\"integer\","
        "\"rowcast_is_primary_key\":true}");
    put(in, s, SYSTEM_FIELDS,
        "{\"collection\":\"letters\",\"field\":\"to\",\"rowcast_type\":\"integer\","
        "\"required\":true,\"validation\":{\"to\":{\"_gt\":0}}}");
    put(in, s, SYSTEM_FIELDS,
        "{\"collection\":\"letters\",\"field\":\"id\",\"rowcast_type\":\"uuid\","
        "\"rowcast_is_primary_key\":true,\"special\":\"uuid\"}");
    put(in, s, SYSTEM_RELATIONS,
        "{\"many_collection\":\"letters\",\"many_field\":\"to\",\"one_collection\":\"people\","
        "\"rowcast_on_delete\":\"CASCADE\"}");
    assert_int_equal(catalogue_load(s, 2, &c), 0);
    assert_null(catalogue_table(c, STR("box")));
    const struct table *letters = catalogue_table(c, STR("letters"));
    const struct table *people = catalogue_table(c, STR("people"));
    assert_int_equal(letters->id, 6);
    assert_false(letters->system);
    assert_null(letters->accountability.at);
    assert_str(letters->sort_field, "id");
    assert_int_equal(letters->shape.key, 1);
    assert_int_equal(letters->fields[1].special, SPECIAL_UUID);
    assert_true(letters->fields[0].required && letters->fields[0].validation);
    const struct column *to = letters->fields[0].column;
    const struct relation *r = catalogue_relation(c, to);
    assert_ptr_equal(r->many, letters);
    assert_ptr_equal(r->one, people);
    assert_int_equal(r->on_delete, ON_DELETE_CASCADE);
    assert_str(to->reference->table, "people");
    assert_str(to->reference->column, "id");
    assert_null(catalogue_relation(c, letters->fields[1].column));
    for (size_t i = 1; i < c->table_count; i++)
        assert_true(str_compare(c->tables[i - 1]->name, c->tables[i]->name) < 0);
    catalogue_unref(c);

    put(in, s, SYSTEM_COLLECTIONS, "{\"collection\":\"hollow\",\"rowcast_table_id\":7}");
    assert_true(catalogue_load(s, 3, &c) < 0); /* no fields: a fault, not a crash */
    put(in, s, SYSTEM_FIELDS,
        "{\"collection\":\"hollow\",\"field\":\"a\",\"rowcast_type\":\"text\"}");
    assert_true(catalogue_load(s, 3, &c) < 0); /* no key */
    close_file(in, s);
}

static void every_catalogue_has_the_system_tables_and_their_relations(void **state)
{
    struct instance *in = *state;
    AUTO(catalogue_unref) struct catalogue *c = model_catalogue(in->model);
    const struct table *users = catalogue_table(c, STR("directus_users"));

    assert_ptr_equal(users, system_table(SYSTEM_USERS));
    assert_null(catalogue_table(c, STR("rowcast_users")));
    assert_null(catalogue_table(c, STR("directus_sessions")));
    assert_null(catalogue_table(c, STR("rowcast_journal")));
    const struct relation *role = catalogue_relation(c, table_field(users, STR("role"))->column);
    assert_ptr_equal(role->one, system_table(SYSTEM_ROLES));
    assert_int_equal(role->on_delete, ON_DELETE_SET_NULL);
}

static void a_renewed_catalogue_outlives_the_one_it_shares_with(void **state)
{
    struct instance *in = *state;
    struct catalogue *first = model_catalogue(in->model);
    struct catalogue *second = catalogue_renew(first, first->version + 1);
    struct catalogue *third = catalogue_renew(second, first->version + 2);

    assert_ptr_equal(third->base, first); /* no chains */
    assert_ptr_not_equal(second->grants, first->grants);
    catalogue_unref(second);
    assert_ptr_equal(catalogue_table(third, STR("directus_users")), system_table(SYSTEM_USERS));
    instance_stop(in);
    catalogue_unref(first);
    assert_true(third->policy_count > 0);
    const struct policy *public = map_get(&third->policies_by_id, PUBLIC_POLICY);
    assert_true(str_equal(public->id, PUBLIC_POLICY));
    catalogue_unref(third);
    instance_start(in);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, instance_setup, instance_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flags_are_read_by_their_old_names_too),
        cmocka_unit_test(system_tables_are_as_they_are_specified),
        cmocka_unit_test(a_column_reads_back_from_its_row),
        cmocka_unit_test(a_field_that_is_concealed_is_a_secret),
        CASE(roles_that_form_a_ring_are_cut_open),
        CASE(permissions_belong_to_their_policies_and_attachments_are_sorted),
        CASE(tables_and_relations_come_from_their_rows),
        CASE(every_catalogue_has_the_system_tables_and_their_relations),
        CASE(a_renewed_catalogue_outlives_the_one_it_shares_with),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
