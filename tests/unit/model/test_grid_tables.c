#include "unit/model/making.h"

#include "model/schema/rows.h"

/* Tables that members make, name, order, delete and duplicate. */

#define TEST(name) static void name(void **state)

static const struct grid_draft plain = {.name = {"Customers", 9}};

TEST(a_table_without_data_has_the_default_fields_and_two_empty_rows)
{
    struct instance *in = *state;
    int64_t id = WANT(.call = table_create, .id = place.database, .draft = &plain);

    assert_fields(id, "Name text* | Notes long_text | Active boolean");
    assert_rows(id, "1 ||false / 2 ||false");
    const struct grid_table *t = grid_table(now(in), id);
    assert_str(t->name, "Customers");
    assert_str(t->table->name, "customers");
    assert_int_equal(t->application->id, place.database);
    assert_int_equal(t->order, 1);
    assert_true(table_key(t->table)->auto_increment);
    assert_str(table_key(t->table)->name, "id");
    assert_int_equal(changes(in, SYSTEM_COLLECTIONS), 1);
    assert_int_equal(changes(in, SYSTEM_FIELDS), 4);
    assert_int_equal(changes_of_rows(in), 0);
}

TEST(a_table_is_made_of_texts_and_short_rows_are_padded)
{
    struct instance *in = *state;
    int64_t id = table(in, "T", "['A','B','a b']", "[['1','2','3'],['x'],[5,null,true],[]]");

    assert_fields(id, "A text* | B text | a b text");
    assert_rows(id, "1 1|2|3 / 2 x|| / 3 5||true / 4 ||");
}

TEST(rows_of_a_header_are_no_rows)
{
    struct instance *in = *state;
    const struct str names[] = {STR_INIT("A")};
    const struct grid_draft draft = {.name = STR("T"),
                                     .fields = names,
                                     .field_count = 1,
                                     .rows = quoted(in, "[['A'],['1']]"),
                                     .skip = 1};
    int64_t id = WANT(.call = table_create, .id = place.database, .draft = &draft);

    assert_rows(id, "1 1");
}

TEST(a_table_takes_more_rows_than_a_page)
{
    struct instance *in = *state;
    json_t *data = json_array();
    const struct str names[] = {STR_INIT("A")};
    const struct grid_draft draft = {
        .name = STR("T"), .fields = names, .field_count = 1, .rows = data};
    int64_t count = 0;

    for (int i = 0; i < 1001; i++)
        json_array_append_new(data, json_pack("[i]", i));
    int64_t id = WANT(.call = table_create, .id = place.database, .draft = &draft);
    json_decref(data);
    struct store *store;
    const struct select all = {.shape = &grid_table(now(in), id)->table->shape};
    assert_int_equal(store_open(&in->settings.store, STORE_READ, &store), 0);
    assert_int_equal(store_begin(store, STORE_READ), 0);
    assert_int_equal(store_count(store, &all, &count), 0);
    store_close(store);
    assert_int_equal(count, 1001);
}

TEST(names_of_columns_are_slugs_that_no_other_has)
{
    struct instance *in = *state;
    int64_t id = table(in, "2024 -- Größe!", "['Ä','id ','A b','a-B','xmin','rowcast_x']", "[]");
    const struct grid_table *t = grid_table(now(in), id);

    assert_str(t->table->name, "table_2024_gr_e");
    assert_str(t->fields[0].column->name, "field");
    assert_str(t->fields[1].column->name, "id_2");
    assert_str(t->fields[2].column->name, "a_b");
    assert_str(t->fields[3].column->name, "a_b_2");
    assert_str(t->fields[4].column->name, "xmin_2");
    assert_str(t->fields[5].column->name, "field_rowcast_x");
}

TEST(a_long_name_is_cut_and_a_taken_one_numbered)
{
    struct instance *in = *state;
    const char *name = "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggggggggg";
    int64_t first = table(in, name, "['A']", "[]"), second = table(in, name, "['A']", "[]");

    assert_int_equal(grid_table(now(in), first)->table->name.len, STORE_NAME_MAX);
    assert_str(grid_table(now(in), second)->table->name,
               "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffg_2");
}

TEST(a_name_that_lies_in_the_trash_is_taken)
{
    struct instance *in = *state;
    int64_t first = table(in, "T", "['A']", "[]");

    WANT(.call = table_delete, .id = first);
    assert_null(grid_table(now(in), first));
    int64_t second = table(in, "T", "['A']", "[]");
    assert_str(grid_table(now(in), second)->table->name, "t_2");
    assert_true(first != second);
}

TEST(names_of_fields_are_checked)
{
    struct instance *in = *state;
    static const struct {
        const char *name, *word;
    } cases[] = {{" ", GRID_NAME_BLANK}, {"id", GRID_NAME_RESERVED}, {"order", GRID_NAME_RESERVED}};
    struct str names[2];
    const struct grid_draft draft = {.name = STR("T"), .fields = names, .field_count = 2};
    char name[257];

    names[0] = STR("A");
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        names[1] = str_of(cases[i].name);
        assert_refused(in, cases[i].word, .call = table_create, .id = place.database,
                       .draft = &draft);
    }
    memset(name, 'x', 256);
    name[256] = '\0';
    names[1] = str_of(name);
    assert_refused(in, GRID_NAME_LONG, .call = table_create, .id = place.database, .draft = &draft);
    names[1] = (struct str){name, 255};
    WANT(.call = table_create, .id = place.database, .draft = &draft);
    names[1] = STR("A");
    assert_refused(in, GRID_NAME_TAKEN, .call = table_create, .id = place.database,
                   .draft = &draft);
}

TEST(a_table_has_so_many_fields_and_no_more)
{
    struct instance *in = *state;
    struct str *names = ARENA_ARRAY(in->arena, struct str, SCHEMA_FIELDS_MAX + 1);
    struct grid_draft draft = {
        .name = STR("Wide"), .fields = names, .field_count = SCHEMA_FIELDS_MAX + 1};

    for (size_t i = 0; i <= SCHEMA_FIELDS_MAX; i++)
        names[i] = arena_printf(in->arena, "Field %zu", i);
    assert_refused(in, GRID_TOO_MANY_FIELDS, .call = table_create, .id = place.database,
                   .draft = &draft);
    draft.field_count = SCHEMA_FIELDS_MAX;
    int64_t id = WANT(.call = table_create, .id = place.database, .draft = &draft);
    assert_int_equal(grid_table(now(in), id)->field_count, SCHEMA_FIELDS_MAX);
    assert_refused(in, GRID_TOO_MANY_FIELDS, .call = field_create, .id = id,
                   .body = quoted(in, "{'name':'more','type':'text'}"));
    assert_int_equal(put(in, id, 0, "{'Field 0':'x','Field 599':'7'}"), 0);
    change(in, field(in, id, "Field 599"), "{'type':'number'}");
    assert_int_equal(grid_table(now(in), id)->fields[599].column->type, TYPE_BIG_INTEGER);
    WANT(.call = field_delete, .id = field(in, id, "Field 1"));
    add(in, id, "{'name':'more','type':'text'}");
}

TEST(only_members_make_and_change_tables)
{
    struct instance *in = *state;
    int64_t id = table(in, "T", "['A']", "[]");

    assert_refused_as(in, place.eve, WORKSPACE_NOT_MEMBER, .call = table_create,
                      .id = place.database, .draft = &plain);
    assert_refused_as(in, place.eve, WORKSPACE_NOT_MEMBER, .call = table_rename, .id = id,
                      .text = "U");
    assert_refused_as(in, place.eve, WORKSPACE_NOT_MEMBER, .call = table_delete, .id = id);
    assert_refused_as(in, place.eve, WORKSPACE_NOT_MEMBER, .call = table_duplicate, .id = id,
                      .text = "U");
    assert_refused(in, GRID_NO_TABLE, .call = table_rename, .id = 99999, .text = "U");
    assert_refused(in, WORKSPACE_NO_APPLICATION, .call = table_create, .id = 99999,
                   .draft = &plain);
}

TEST(a_table_is_renamed_and_keeps_its_name_in_sql)
{
    struct instance *in = *state;
    int64_t id = table(in, "T", "['A']", "[]");

    WANT(.call = table_rename, .id = id, .text = "Other name");
    assert_str(grid_table(now(in), id)->name, "Other name");
    assert_str(grid_table(now(in), id)->table->name, "t");
    assert_int_equal(in->commit->count, 1);
}

TEST(tables_are_ordered_as_a_group)
{
    struct instance *in = *state;
    int64_t ids[4], elsewhere;
    size_t count;

    for (int i = 0; i < 4; i++)
        ids[i] = table(in, "T", "['A']", "[]");
    const int64_t wanted[] = {ids[3], ids[0]};
    WANT(.call = table_reorder, .id = place.database, .ids = wanted, .count = 2);
    const struct grid_table *const *tables = grid_tables(now(in), place.database, &count);
    assert_int_equal(count, 4);
    const int64_t expected[] = {ids[3], ids[1], ids[2], ids[0]};
    for (int i = 0; i < 4; i++) {
        assert_int_equal(tables[i]->id, expected[i]);
        assert_int_equal(tables[i]->order, i + 1);
    }
    elsewhere = WANT(.call = table_create, .id = place.other_database, .draft = &plain);
    assert_refused(in, GRID_FOREIGN_TABLE, .call = table_reorder, .id = place.database,
                   .ids = &elsewhere, .count = 1);
}

TEST(links_of_other_tables_go_to_the_trash_with_the_table)
{
    struct instance *in = *state;
    int64_t a = table(in, "A", "['Name']", "[['x']]"), b = table(in, "B", "['Name']", "[]");
    char body[128];

    snprintf(body, sizeof(body), "{'name':'To A','type':'link_row','link_row_table_id':%d}",
             (int)a);
    add(in, b, body);
    assert_fields(a, "Name text* | B link_row");
    WANT(.call = table_delete, .id = a);
    assert_fields(b, "Name text*");
    assert_int_equal(rows_where(in, SYSTEM_TRASH, NULL, STR_NULL).count, 1);
    struct str content =
        system_text(SYSTEM_TRASH, rows_where(in, SYSTEM_TRASH, NULL, STR_NULL).at[0], "content");
    assert_true(str_contains(content, STR("\"fields\":[")));
    assert_int_equal(put(in, b, 0, "{'Name':'still'}"), 0);
}

TEST(a_duplicate_has_fields_rows_numbers_and_links)
{
    struct instance *in = *state;
    int64_t a = table(in, "A", "['Name']", "[['x'],['y']]");
    int64_t b = table(in, "B", "['Name','Size']", "[['one','1'],['two','2'],['three','3']]");
    char body[128];

    snprintf(body, sizeof(body), "{'name':'To A','type':'link_row','link_row_table_id':%d}",
             (int)a);
    add(in, b, body);
    snprintf(body, sizeof(body),
             "{'name':'Next','type':'link_row','link_row_table_id':%d,'has_related_field':true}",
             (int)b);
    add(in, b, body);
    add(in, b,
        "{'name':'Kind','type':'single_select','select_options':"
        "[{'value':'big','color':'red'},{'value':'small','color':'blue'}]}");
    add(in, b, "{'name':'When','type':'created_on'}");
    change(in, field(in, b, "Size"), "{'type':'number'}");
    assert_int_equal(put(in, b, 1, "{'To A':['x','y'],'Next':['two'],'Kind':'small'}"), 0);
    assert_int_equal(put(in, b, 3, "{'To A':['y']}"), 0);
    WANT(.call = field_delete, .id = add(in, b, "{'name':'Gone','type':'text'}"));

    int64_t c = WANT(.call = table_duplicate, .id = b, .text = "B 2");
    assert_fields(c, "Name text* | Size number | To A link_row | Next link_row | B link_row | "
                     "Kind single_select | When created_on");
    assert_fields(a, "Name text* | B link_row");
    const struct grid_table *t = grid_table(now(in), c);
    assert_int_equal(t->fields[2].link->target->id, a);
    assert_null(t->fields[2].link->related);
    assert_int_equal(t->fields[3].link->target->id, c);
    assert_ptr_equal(t->fields[3].link->related, &t->fields[4]);
    WANT(.call = field_delete, .id = field(in, b, "When"));
    WANT(.call = field_delete, .id = field(in, c, "When"));
    assert_rows(b, "1 one|1|x, y|two||small / 2 two|2|||one| / 3 three|3|y|||");
    assert_rows(c, "1 one|1|x, y|two||small / 2 two|2|||one| / 3 three|3|y|||");
    const struct choice *original = &grid_field(now(in), field(in, b, "Kind"))->settings.choices[0];
    assert_null(
        settings_choice(&grid_field(now(in), field(in, c, "Kind"))->settings, original->id));
    assert_int_equal(put(in, c, 0, "{'Name':'four'}"), 0);
    assert_rows(c, "1 one|1|x, y|two||small / 2 two|2|||one| / 3 three|3|y||| / 4 four|||||");
    assert_rows(b, "1 one|1|x, y|two||small / 2 two|2|||one| / 3 three|3|y|||");
}

#define AT(test) cmocka_unit_test_setup_teardown(test, making_setup, making_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        AT(a_table_without_data_has_the_default_fields_and_two_empty_rows),
        AT(a_table_is_made_of_texts_and_short_rows_are_padded),
        AT(rows_of_a_header_are_no_rows),
        AT(a_table_takes_more_rows_than_a_page),
        AT(names_of_columns_are_slugs_that_no_other_has),
        AT(a_long_name_is_cut_and_a_taken_one_numbered),
        AT(a_name_that_lies_in_the_trash_is_taken),
        AT(names_of_fields_are_checked),
        AT(a_table_has_so_many_fields_and_no_more),
        AT(only_members_make_and_change_tables),
        AT(a_table_is_renamed_and_keeps_its_name_in_sql),
        AT(tables_are_ordered_as_a_group),
        AT(links_of_other_tables_go_to_the_trash_with_the_table),
        AT(a_duplicate_has_fields_rows_numbers_and_links),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
