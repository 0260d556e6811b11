#include "unit/model/making.h"

#include "model/schema/rows.h"

/* Fields that members make, change, delete and duplicate; what becomes of the cells. */

#define TEST(name) static void name(void **state)

static int64_t people(struct instance *in)
{
    return table(in, "People", "['Name','Age']", "[['Ann','30'],['Bob','4.5'],['Cat','old'],['']]");
}

/* A body with a number in it. */
static const char *body_of(struct instance *in, const char *format, ...) PRINTF_LIKE(2, 3);
static const char *body_of(struct instance *in, const char *format, ...)
{
    char text[512];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    return arena_z(in->arena, str_of(text));
}

static const struct grid_field *found(struct instance *in, int64_t id)
{
    const struct grid_field *f = grid_field(now(in), id);
    assert_non_null(f);
    return f;
}

static bool has_table(struct instance *in, const char *name)
{
    return catalogue_table(now(in), str_of(name)) != NULL;
}

/* ---- making ---- */

TEST(a_field_is_made_behind_the_others_with_its_default_in_each_row)
{
    struct instance *in = *state;
    int64_t id = people(in);
    int64_t made = add(in, id,
                       "{'name':'Full name','type':'text','text_default':'nobody',"
                       "'description':'as told'}");

    assert_fields(id, "Name text* | Age text | Full name text");
    assert_rows(id, "1 Ann|30|nobody / 2 Bob|4.5|nobody / 3 Cat|old|nobody / 4 ||nobody");
    assert_str(found(in, made)->column->name, "full_name");
    assert_str(found(in, made)->description, "as told");
    assert_int_equal(found(in, made)->order, 3);
    assert_int_equal(changes(in, SYSTEM_FIELDS), 1);
    assert_int_equal(changes_of_rows(in), 0);
}

TEST(every_kind_can_be_made)
{
    struct instance *in = *state;
    int64_t id = people(in);

    for (int i = 0; i < KIND_COUNT; i++)
        if (i != KIND_LINK_ROW)
            add(in, id, body_of(in, "{'name':'f%d','type':'%s'}", i, kinds[i].name));
    add(in, id, body_of(in, "{'name':'link','type':'link_row','link_row_table_id':%d}", (int)id));
    assert_int_equal(grid_table(now(in), id)->field_count, KIND_COUNT + 2);
    assert_int_equal(put(in, id, 0, "{'Name':'Dan'}"), 0);
}

TEST(what_cannot_be_made_is_refused)
{
    struct instance *in = *state;
    int64_t id = people(in);
    int64_t elsewhere = WANT(.call = table_create, .id = place.other_database,
                             .draft = &(struct grid_draft){.name = STR("T")});
    const struct {
        const char *body, *word;
    } cases[] = {
        {"{'name':'Age','type':'text'}", GRID_NAME_TAKEN},
        {"{'name':'id','type':'text'}", GRID_NAME_RESERVED},
        {"{'name':' ','type':'text'}", GRID_NAME_BLANK},
        {"{'name':'x','type':'formula'}", GRID_KIND_UNKNOWN},
        {"{'name':'x','type':'link_row'}", GRID_LINK_NO_TABLE},
        {"{'name':'x','type':'link_row','link_row_table_id':99999}", GRID_NO_TABLE},
        {body_of(in, "{'name':'x','type':'link_row','link_row_table':%d}", (int)elsewhere),
         GRID_LINK_FOREIGN},
        {"{'name':'x','type':'boolean','db_index':true}", GRID_INDEX_UNSUPPORTED},
        {"{'name':'x','type':'boolean','field_constraints':[{'type_name':'unique_with_empty'}]}",
         GRID_CONSTRAINT_UNKNOWN},
        {"{'name':'x','type':'text','field_constraints':[{'type_name':'odd'}]}",
         GRID_CONSTRAINT_UNKNOWN},
        {"{'name':'x','type':'text','text_default':'y',"
         "'field_constraints':[{'type_name':'unique_with_empty'}]}",
         GRID_CONSTRAINT_DEFAULT},
        {"{'name':'x','type':'single_select','single_select_default':5}", GRID_CHOICE_FOREIGN},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_refused(in, cases[i].word, .call = field_create, .id = id,
                       .body = quoted(in, cases[i].body));
    assert_refused_as(in, place.eve, WORKSPACE_NOT_MEMBER, .call = field_create, .id = id,
                      .body = quoted(in, "{'name':'x','type':'text'}"));
    assert_fields(id, "Name text* | Age text");
}

TEST(numbers_and_uuids_are_given_to_the_rows_that_are_there)
{
    struct instance *in = *state;
    int64_t id = people(in);
    int64_t number = add(in, id, "{'name':'No','type':'autonumber'}");

    assert_rows(id, "1 Ann|30|1 / 2 Bob|4.5|2 / 3 Cat|old|3 / 4 ||4");
    assert_int_equal(put(in, id, 0, "{'Name':'Dan'}"), 0);
    assert_rows(id, "1 Ann|30|1 / 2 Bob|4.5|2 / 3 Cat|old|3 / 4 ||4 / 5 Dan||5");
    change(in, number, "{'type':'text'}");
    assert_int_equal(put(in, id, 0, "{'Name':'Eli','No':'x'}"), 0);
    change(in, number, "{'type':'autonumber'}");
    assert_int_equal(put(in, id, 0, "{'Name':'Fay'}"), 0);
    assert_rows(id, "1 Ann|30|1 / 2 Bob|4.5|2 / 3 Cat|old|3 / 4 ||4 / 5 Dan||5 / 6 Eli||6 / "
                    "7 Fay||7");
    change(in, number, "{'type':'uuid'}");
    change(in, number, "{'type':'text','field_constraints':[{'type_name':'unique_with_empty'}]}");
    assert_non_null(strstr(rows(in, id), "1 Ann|30|"));
    assert_null(strstr(rows(in, id), "1 Ann|30| /"));
}

/* ---- links ---- */

static int delete_row(struct tx *tx, struct wanted *w)
{
    return grid_rows_delete(tx, grid_table(tx->catalogue, w->id), &w->target, 1);
}

TEST(a_field_that_counts_again_counts_from_its_rows)
{
    struct instance *in = *state;
    int64_t id = people(in), number = add(in, id, "{'name':'No','type':'autonumber'}");

    assert_int_equal(put(in, id, 0, "{'Name':'Eve'}"), 0);
    WANT(.call = delete_row, .id = id, .target = 5);
    assert_int_equal(put(in, id, 0, "{'Name':'Fay'}"), 0);
    assert_rows(id, "1 Ann|30|1 / 2 Bob|4.5|2 / 3 Cat|old|3 / 4 ||4 / 6 Fay||6");
    change(in, number, "{'type':'text'}");
    change(in, number, "{'type':'autonumber'}");
    assert_int_equal(put(in, id, 0, "{'Name':'Gus'}"), 0);
    assert_rows(id, "1 Ann|30|1 / 2 Bob|4.5|2 / 3 Cat|old|3 / 4 ||4 / 6 Fay||5 / 7 Gus||6");
    instance_stop(in);
    instance_start(in);
    assert_int_equal(put(in, id, 0, "{'Name':'Hal'}"), 0);
    assert_rows(id, "1 Ann|30|1 / 2 Bob|4.5|2 / 3 Cat|old|3 / 4 ||4 / 6 Fay||5 / 7 Gus||6 / "
                    "8 Hal||7");
}

TEST(a_link_has_another_side_named_like_its_table)
{
    struct instance *in = *state;
    int64_t a = people(in), b = table(in, "Tasks", "['Title','People']", "[['sweep'],['cook']]");
    int64_t link =
        add(in, a, body_of(in, "{'name':'Does','type':'link_row','link_row_table_id':%d}", (int)b));

    assert_fields(b, "Title text* | People text | People 2 link_row");
    const struct grid_field *f = found(in, link);
    assert_ptr_equal(f->link->related->link->related, f);
    assert_ptr_equal(f->link->junction, f->link->related->link->junction);
    assert_ptr_equal(f->link->near, f->link->related->link->far);
    assert_str(f->link->junction->name, "people_does");
    assert_int_equal(put(in, a, 1, "{'Does':['sweep','cook']}"), 0);
    assert_int_equal(put(in, b, 2, "{'People 2':['Ann','Bob']}"), 0);
    assert_rows(a, "1 Ann|30|sweep, cook / 2 Bob|4.5|cook / 3 Cat|old| / 4 ||");
    assert_rows(b, "1 sweep||Ann / 2 cook||Ann, Bob");
    for (size_t i = 0; i < now(in)->table_count; i++)
        assert_true(now(in)->tables[i] != f->link->junction ||
                    !grid_table_of(now(in), f->link->junction));
}

TEST(a_link_to_its_own_table_has_another_side_when_asked_for)
{
    struct instance *in = *state;
    int64_t id = people(in);
    struct wanted alone = {
        .call = field_create,
        .id = id,
        .body = quoted(
            in, body_of(in, "{'name':'Knows','type':'link_row','link_row_table_id':%d}", (int)id))};
    struct wanted both = {
        .call = field_create,
        .id = id,
        .body = quoted(in, body_of(in,
                                   "{'name':'People','type':'link_row','link_row_table_id':%d,"
                                   "'has_related_field':true}",
                                   (int)id))};

    assert_int_equal(ask_as(in, place.ann, &alone), 0);
    assert_int_equal(alone.related.count, 0);
    assert_null(found(in, alone.made)->link->related);
    assert_int_equal(ask_as(in, place.ann, &both), 0);
    assert_int_equal(both.related.count, 1);
    assert_fields(id,
                  "Name text* | Age text | Knows link_row | People link_row | People 2 link_row");
    assert_int_equal(put(in, id, 1, "{'People':['Bob'],'Knows':['Cat']}"), 0);
    assert_rows(id, "1 Ann|30|Cat|Bob| / 2 Bob|4.5|||Ann / 3 Cat|old||| / 4 ||||");
}

TEST(the_other_side_of_a_link_comes_and_goes)
{
    struct instance *in = *state;
    int64_t a = people(in), b = table(in, "Tasks", "['Title']", "[['sweep']]");
    int64_t link =
        add(in, a, body_of(in, "{'name':'Does','type':'link_row','link_row_table_id':%d}", (int)b));

    assert_int_equal(put(in, a, 1, "{'Does':['sweep']}"), 0);
    change(in, link, "{'has_related_field':false}");
    assert_fields(b, "Title text*");
    assert_null(found(in, link)->link->related);
    change(in, link, "{'has_related_field':true,'name':'Jobs'}");
    assert_fields(b, "Title text* | People link_row");
    assert_fields(a, "Name text* | Age text | Jobs link_row");
    assert_rows(b, "1 sweep|Ann");
    assert_ptr_equal(found(in, link)->link->related->link->related, found(in, link));
}

TEST(a_link_that_leads_elsewhere_finds_rows_of_the_same_names)
{
    struct instance *in = *state;
    int64_t a = people(in), b = table(in, "B", "['Title']", "[['x'],['y']]");
    int64_t c = table(in, "C", "['Title']", "[['y'],['z']]");
    int64_t link =
        add(in, a, body_of(in, "{'name':'Does','type':'link_row','link_row_table_id':%d}", (int)b));

    assert_int_equal(put(in, a, 1, "{'Does':['x','y']}"), 0);
    change(in, link, body_of(in, "{'link_row_table_id':%d}", (int)c));
    assert_fields(b, "Title text*");
    assert_fields(c, "Title text* | People link_row");
    assert_rows(a, "1 Ann|30|y / 2 Bob|4.5| / 3 Cat|old| / 4 ||");
    assert_false(has_table(in, "people_does"));
}

TEST(texts_become_links_by_names_and_links_texts)
{
    struct instance *in = *state;
    int64_t a = table(in, "A", "['Name','To']",
                      "[['1','x, y'],['2','y'],['3','none'],['4','x,none'],['5','p, q'],['6']]");
    int64_t b = table(in, "B", "['Title']", "[['x'],['y'],['p, q'],['x']]");
    int64_t link = field(in, a, "To");

    change(in, link, body_of(in, "{'type':'link_row','link_row_table_id':%d}", (int)b));
    assert_rows(a, "1 1|x, y / 2 2|y / 3 3| / 4 4|x / 5 5|p, q / 6 6|");
    assert_rows(b, "1 x|1, 4 / 2 y|1, 2 / 3 p, q|5 / 4 x|");
    assert_int_equal(changes_of_rows(in), 0);
    assert_true(has_table(in, "a_to"));
    change(in, link, "{'type':'text'}");
    assert_rows(a, "1 1|x, y / 2 2|y / 3 3| / 4 4|x / 5 5|p, q / 6 6|");
    assert_fields(b, "Title text*");
    assert_false(has_table(in, "a_to"));
    change(in, link,
           body_of(in,
                   "{'type':'link_row','link_row_table_id':%d,'has_related_field':false,"
                   "'link_row_multiple_relationships':false}",
                   (int)b));
    assert_rows(a, "1 1|x / 2 2|y / 3 3| / 4 4|x / 5 5|p, q / 6 6|");
    change(in, link, "{'type':'multiple_select'}");
    assert_int_equal(found(in, link)->settings.choice_count, 3);
}

/* ---- changing ---- */

TEST(a_new_name_is_a_name_and_nothing_else)
{
    struct instance *in = *state;
    int64_t id = people(in), age = field(in, id, "Age");

    change(in, age, "{'name':'Years','description':'of age'}");
    assert_fields(id, "Name text* | Years text");
    assert_str(found(in, age)->column->name, "age");
    assert_str(found(in, age)->description, "of age");
    assert_int_equal(in->commit->count, 1);
    change(in, age, "{'description':null}");
    assert_null(found(in, age)->description.at);
    change(in, age, "{'name':'Years'}"); /* whoever asked for it is told so */
    assert_int_equal(in->commit->count, 1);
    assert_refused(in, GRID_NAME_TAKEN, .call = field_update, .id = age,
                   .body = quoted(in, "{'name':'Name'}"));
}

TEST(texts_become_numbers_where_they_are_some_and_back)
{
    struct instance *in = *state;
    int64_t id = people(in), age = field(in, id, "Age");

    change(in, age, "{'type':'number','number_decimal_places':2}");
    assert_rows(id, "1 Ann|30.00 / 2 Bob|4.50 / 3 Cat| / 4 |");
    assert_int_equal(changes_of_rows(in), 0);
    assert_str(found(in, age)->column->name, "age");
    change(in, age, "{'number_decimal_places':0}");
    assert_rows(id, "1 Ann|30 / 2 Bob|5 / 3 Cat| / 4 |");
    change(in, age, "{'type':'text'}");
    assert_rows(id, "1 Ann|30 / 2 Bob|5 / 3 Cat| / 4 |");
    change(in, age, "{'type':'url'}");
    assert_rows(id, "1 Ann| / 2 Bob| / 3 Cat| / 4 |");
    assert_int_equal(put(in, id, 0, "{'Name':'Dan','Age':'http://x.org'}"), 0);
}

TEST(texts_become_options_that_are_made_for_them)
{
    struct instance *in = *state;
    int64_t id =
        table(in, "T", "['Name','Tags']", "[['1','red'],['2','red,blue'],['3','blue'],['4','']]");
    int64_t tags = field(in, id, "Tags");

    change(in, tags, "{'type':'multiple_select','select_options':[{'value':'blue','color':'x'}]}");
    assert_rows(id, "1 1|red / 2 2|red, blue / 3 3|blue / 4 4|");
    const struct kind_settings *s = &found(in, tags)->settings;
    assert_int_equal(s->choice_count, 2);
    assert_str(s->choices[0].value, "blue");
    assert_str(s->choices[1].value, "red");
    assert_true(s->choices[0].id > 0 && s->choices[1].id > s->choices[0].id);
    change(in, tags, "{'type':'single_select'}");
    assert_rows(id, "1 1|red / 2 2|red / 3 3|blue / 4 4|");
    change(in, tags,
           body_of(in, "{'select_options':[{'id':%d,'value':'RED','color':'y'}]}",
                   (int)s->choices[1].id));
    assert_rows(id, "1 1|RED / 2 2|RED / 3 3| / 4 4|");
    change(in, tags, "{'select_options':[]}");
    change(in, tags, "{'type':'text'}");
    assert_rows(id, "1 1| / 2 2| / 3 3| / 4 4|");
}

TEST(options_of_two_fields_have_numbers_of_their_own)
{
    struct instance *in = *state;
    int64_t id = people(in);
    int64_t made[2];

    for (int i = 0; i < 2; i++)
        made[i] = add(in, id,
                      body_of(in,
                              "{'name':'S%d','type':'single_select','select_options':"
                              "[{'id':-1,'value':'a','color':'x'}],'single_select_default':-1}",
                              i));
    assert_rows(id, "1 Ann|30|a|a / 2 Bob|4.5|a|a / 3 Cat|old|a|a / 4 ||a|a");
    assert_int_not_equal(found(in, made[0])->settings.choices[0].id,
                         found(in, made[1])->settings.choices[0].id);
}

TEST(fields_that_show_hidden_columns_have_none_of_their_own)
{
    struct instance *in = *state;
    int64_t id = people(in), age = field(in, id, "Age");

    change(in, age, "{'type':'created_by'}");
    assert_null(shape_column(&grid_table(now(in), id)->table->shape, STR("age")));
    assert_rows(id, "1 Ann|Ann / 2 Bob|Ann / 3 Cat|Ann / 4 |Ann");
    change(in, age, "{'type':'text'}");
    assert_rows(id, "1 Ann|Ann / 2 Bob|Ann / 3 Cat|Ann / 4 |Ann");
    assert_int_equal(put(in, id, 1, "{'Age':'new'}"), 0);
    assert_rows(id, "1 Ann|new / 2 Bob|Ann / 3 Cat|Ann / 4 |Ann");
}

TEST(a_conversion_goes_on_past_its_first_page)
{
    struct instance *in = *state;
    json_t *data = json_array();
    const struct str names[] = {STR_INIT("A"), STR_INIT("B")};
    const struct grid_draft draft = {
        .name = STR("T"), .fields = names, .field_count = 2, .rows = data};
    int64_t count = 0;

    for (int i = 0; i < 1200; i++)
        json_array_append_new(data, json_pack("[i, i]", i, i + 1));
    int64_t id = WANT(.call = table_create, .id = place.database, .draft = &draft);
    json_decref(data);
    change(in, field(in, id, "B"), "{'type':'number'}");
    assert_true(in->commit->count < 5);
    const struct grid_table *t = grid_table(now(in), id);
    const struct select filled = {
        .shape = &t->table->shape,
        .where = expr_test(in->arena, grid_table_field_named(t, STR("B"))->column, OP_GT,
                           &(struct value){.kind = VALUE_INTEGER}, 1)};
    struct store *store;
    assert_int_equal(store_open(&in->settings.store, STORE_READ, &store), 0);
    assert_int_equal(store_begin(store, STORE_READ), 0);
    assert_int_equal(store_count(store, &filled, &count), 0);
    store_close(store);
    assert_int_equal(count, 1200);
}

/* ---- constraints and indexes ---- */

#define UNIQUE "'field_constraints':[{'type_name':'unique_with_empty'}]"

TEST(a_unique_field_takes_each_value_once_and_any_number_of_empty_cells)
{
    struct instance *in = *state;
    int64_t id = table(in, "T", "['Name','Code']", "[['1','a'],['2','b'],['3',''],['4','']]");
    int64_t code = field(in, id, "Code");

    change(in, code, "{" UNIQUE "}");
    assert_true(found(in, code)->settings.unique && found(in, code)->column->unique);
    assert_int_equal(put(in, id, 0, "{'Name':'5','Code':''}"), 0);
    assert_int_equal(put(in, id, 0, "{'Name':'6'}"), 0);
    assert_int_equal(put(in, id, 0, "{'Name':'7','Code':'a'}"), REFUSED);
    assert_str(in->problem.reason, GRID_CONSTRAINT_BROKEN);
    assert_int_equal(put(in, id, 0, "{'Name':'7','Code':'c'}"), 0);
    change(in, code, "{'name':'Key'}");
    assert_true(found(in, code)->settings.unique);
    change(in, code, "{'field_constraints':[]}");
    assert_false(found(in, code)->settings.unique || found(in, code)->column->unique);
    assert_int_equal(put(in, id, 0, "{'Name':'8','Key':'a'}"), 0);
    assert_rows(id, "1 1|a / 2 2|b / 3 3| / 4 4| / 5 5| / 6 6| / 7 7|c / 8 8|a");
    assert_refused(in, GRID_CONSTRAINT_HELD, .call = field_update, .id = code,
                   .body = quoted(in, "{" UNIQUE "}"));
    assert_false(found(in, code)->settings.unique);
}

TEST(a_unique_field_of_stars_takes_none_any_number_of_times)
{
    struct instance *in = *state;
    int64_t id = people(in);

    add(in, id, "{'name':'Stars','type':'rating'," UNIQUE "}");
    assert_int_equal(put(in, id, 1, "{'Stars':3}"), 0);
    assert_int_equal(put(in, id, 2, "{'Stars':0}"), 0);
    assert_int_equal(put(in, id, 3, "{'Stars':3}"), REFUSED);
}

TEST(values_that_become_the_same_break_the_constraint)
{
    struct instance *in = *state;
    int64_t id = table(in, "T", "['Name','Size']", "[['1','1.2'],['2','1.4']]");
    int64_t size = field(in, id, "Size");

    change(in, size, "{'type':'number','number_decimal_places':1," UNIQUE "}");
    assert_refused(in, GRID_CONSTRAINT_HELD, .call = field_update, .id = size,
                   .body = quoted(in, "{'number_decimal_places':0}"));
    change(in, size, "{'number_decimal_places':0,'field_constraints':[]}");
    assert_rows(id, "1 1|1 / 2 2|1");
}

TEST(an_index_comes_and_goes)
{
    struct instance *in = *state;
    int64_t id = people(in), age = field(in, id, "Age");

    change(in, age, "{'db_index':true}");
    assert_true(found(in, age)->column->indexed);
    change(in, age, "{'type':'number'}");
    assert_true(found(in, age)->column->indexed);
    change(in, age, "{'db_index':false}");
    assert_false(found(in, age)->column->indexed);
    change(in, age, "{'db_index':true}");
    change(in, age, "{'type':'boolean'}");
    assert_false(found(in, age)->column->indexed);
    assert_refused(in, GRID_INDEX_UNSUPPORTED, .call = field_update, .id = age,
                   .body = quoted(in, "{'db_index':true}"));
}

/* ---- the primary field ---- */

TEST(the_primary_field_stays_and_stays_of_its_kinds)
{
    struct instance *in = *state;
    int64_t id = people(in), name = field(in, id, "Name"), age = field(in, id, "Age");
    struct wanted other = {.call = make_primary, .id = id, .target = age};
    int64_t password = add(in, id, "{'name':'P','type':'password'}");
    int64_t foreign = field(in, table(in, "T", "['A']", "[]"), "A");

    assert_refused(in, GRID_PRIMARY_STAYS, .call = field_delete, .id = name);
    assert_refused(in, GRID_NOT_PRIMARY, .call = field_update, .id = name,
                   .body = quoted(in, "{'type':'password'}"));
    assert_refused(in, GRID_NOT_PRIMARY, .call = field_update, .id = name,
                   .body = quoted(in, "{'type':'long_text','long_text_enable_rich_text':true}"));
    assert_refused(in, GRID_PRIMARY_ALREADY, .call = make_primary, .id = id, .target = name);
    assert_refused(in, GRID_NOT_PRIMARY, .call = make_primary, .id = id, .target = password);
    assert_refused(in, GRID_FOREIGN_FIELD, .call = make_primary, .id = id, .target = foreign);
    assert_int_equal(ask_as(in, place.ann, &other), 0);
    assert_int_equal(other.related.count, 1);
    assert_int_equal(other.related.ids[0], name);
    assert_fields(id, "Age text* | Name text | P password");
    WANT(.call = field_delete, .id = name);
    assert_fields(id, "Age text* | P password");
}

/* ---- deleting, duplicating ---- */

TEST(a_deleted_field_keeps_its_column_out_of_sight)
{
    struct instance *in = *state;
    int64_t id = people(in), age = field(in, id, "Age");

    WANT(.call = field_delete, .id = age);
    assert_fields(id, "Name text*");
    assert_non_null(shape_column(&grid_table(now(in), id)->table->shape, STR("age")));
    int64_t again = add(in, id, "{'name':'Age','type':'number'}");
    assert_str(found(in, again)->column->name, "age_2");
    change(in, again, "{'type':'text'}"); /* the table is made anew around it */
    assert_non_null(shape_column(&grid_table(now(in), id)->table->shape, STR("age")));
    assert_int_equal(rows_where(in, SYSTEM_TRASH, NULL, STR_NULL).count, 1);
    assert_refused(in, GRID_NO_FIELD, .call = field_delete, .id = age);
}

TEST(both_sides_of_a_link_go_to_the_trash_the_other_one_first)
{
    struct instance *in = *state;
    int64_t a = people(in), b = table(in, "Tasks", "['Title']", "[]");
    int64_t link =
        add(in, a, body_of(in, "{'name':'Does','type':'link_row','link_row_table_id':%d}", (int)b));
    int64_t related = found(in, link)->link->related->id;

    WANT(.call = field_delete, .id = link);
    assert_fields(b, "Title text*");
    assert_fields(a, "Name text* | Age text");
    assert_int_equal(changes(in, SYSTEM_FIELDS), 2);
    assert_int_equal(in->commit->changes[0]->key.value.integer, related);
    assert_int_equal(in->commit->changes[1]->key.value.integer, link);
}

TEST(a_field_is_duplicated_with_its_cells_or_without)
{
    struct instance *in = *state;
    int64_t id = people(in), b = table(in, "Tasks", "['Title']", "[['sweep']]");
    int64_t link = add(
        in, id, body_of(in, "{'name':'Does','type':'link_row','link_row_table_id':%d}", (int)b));
    int64_t tag = add(in, id,
                      "{'name':'Tag','type':'single_select','select_options':"
                      "[{'value':'a','color':'x'}]}");

    assert_int_equal(put(in, id, 1, "{'Does':['sweep'],'Tag':'a'}"), 0);
    WANT(.call = field_duplicate, .id = field(in, id, "Name"), .with_data = true);
    WANT(.call = field_duplicate, .id = field(in, id, "Age"));
    int64_t twin = WANT(.call = field_duplicate, .id = link, .with_data = true);
    int64_t tag_twin = WANT(.call = field_duplicate, .id = tag, .with_data = true);
    assert_fields(id, "Name text* | Age text | Does link_row | Tag single_select | Name 2 text | "
                      "Age 2 text | Does 2 link_row | Tag 2 single_select");
    assert_rows(id, "1 Ann|30|sweep|a|Ann||sweep|a / 2 Bob|4.5|||Bob||| / 3 Cat|old|||Cat||| / "
                    "4 |||||||");
    assert_null(found(in, twin)->link->related);
    assert_true(found(in, twin)->link->junction != found(in, link)->link->junction);
    assert_int_not_equal(found(in, tag_twin)->settings.choices[0].id,
                         found(in, tag)->settings.choices[0].id);
    assert_fields(b, "Title text* | People link_row");
}

/* ---- tables that others made ---- */

static int make_by_directus(struct tx *tx, struct wanted *w)
{
    struct str name, field_name;
    int rc = schema_create_collection(
        tx,
        quoted(w->in, "{'collection':'by_hand','fields':["
                      "{'field':'key','type':'uuid','schema':{'is_primary_key':true},"
                      "'meta':{'special':['uuid']}},"
                      "{'field':'title','type':'string','schema':{'is_nullable':false,"
                      "'max_length':40},'meta':{'interface':'fancy'}},"
                      "{'field':'made','type':'timestamp','meta':{'special':['date-created']}},"
                      "{'field':'above','type':'uuid'}]}"),
        &name);
    if (rc == 0)
        rc = schema_create_relation(tx,
                                    quoted(w->in, "{'collection':'by_hand','field':'above',"
                                                  "'related_collection':'by_hand'}"),
                                    &name, &field_name);
    return rc;
}

static int join(struct tx *tx, struct wanted *w)
{
    const struct workspace *team = catalogue_workspace(tx->catalogue, place.workspace);
    const struct value *row;
    (void)w;
    int rc =
        schema_find(tx, SYSTEM_COLLECTIONS, "collection", STR("by_hand"), NULL, STR_NULL, &row);
    struct value *changed = schema_copy(tx, SYSTEM_COLLECTIONS, row);
    assert_int_equal(rc, 0);
    assert_non_null(team);
    schema_set(SYSTEM_COLLECTIONS, changed, "rowcast_application", value_integer(place.database));
    return schema_update(tx, SYSTEM_COLLECTIONS, row, changed);
}

TEST(a_table_that_others_made_is_changed_as_far_as_it_goes)
{
    struct instance *in = *state;
    AUTO(principal_unref) struct principal *system = principal_system(now(in));
    struct wanted make = {.call = make_by_directus}, placed = {.call = join};

    assert_int_equal(ask_as(in, system, &make), 0);
    assert_int_equal(ask_as(in, system, &placed), 0);
    const struct table *t = catalogue_table(now(in), STR("by_hand"));
    int64_t id = t->id, title = field(in, id, "title"), above = field(in, id, "above");
    int64_t key = field(in, id, "key"), stamp = field(in, id, "made");

    assert_int_equal(put(in, id, 0, "{'title':'one'}"), 0);
    change(in, title, "{'name':'Title','description':'told'}");
    t = catalogue_table(now(in), STR("by_hand"));
    assert_int_equal(shape_column(&t->shape, STR("title"))->type, TYPE_STRING);
    assert_false(shape_column(&t->shape, STR("title"))->nullable);
    change(in, stamp, "{'name':'Since','date_format':'US'}");
    assert_non_null(shape_column(&catalogue_table(now(in), STR("by_hand"))->shape, STR("made")));
    assert_refused(in, GRID_KIND_FIXED, .call = field_update, .id = key,
                   .body = quoted(in, "{'type':'text'}"));
    assert_refused(in, GRID_KIND_FIXED, .call = field_update, .id = above,
                   .body = quoted(in, "{'type':'text'}"));
    change(in, above, "{'name':'Above'}");
    int64_t twin = WANT(.call = field_duplicate, .id = above, .with_data = true);
    assert_non_null(found(in, twin)->link->junction);
    change(in, title, "{'type':'number'}");
    change(in, title, "{'type':'text'}");
    if (!found(in, title)->primary)
        WANT(.call = make_primary, .id = id, .target = title);
    assert_refused(in, GRID_KIND_FIXED, .call = field_delete, .id = key);
}

#define AT(test) cmocka_unit_test_setup_teardown(test, making_setup, making_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        AT(a_field_is_made_behind_the_others_with_its_default_in_each_row),
        AT(every_kind_can_be_made),
        AT(what_cannot_be_made_is_refused),
        AT(numbers_and_uuids_are_given_to_the_rows_that_are_there),
        AT(a_field_that_counts_again_counts_from_its_rows),
        AT(a_link_has_another_side_named_like_its_table),
        AT(a_link_to_its_own_table_has_another_side_when_asked_for),
        AT(the_other_side_of_a_link_comes_and_goes),
        AT(a_link_that_leads_elsewhere_finds_rows_of_the_same_names),
        AT(texts_become_links_by_names_and_links_texts),
        AT(a_new_name_is_a_name_and_nothing_else),
        AT(texts_become_numbers_where_they_are_some_and_back),
        AT(texts_become_options_that_are_made_for_them),
        AT(options_of_two_fields_have_numbers_of_their_own),
        AT(fields_that_show_hidden_columns_have_none_of_their_own),
        AT(a_conversion_goes_on_past_its_first_page),
        AT(a_unique_field_takes_each_value_once_and_any_number_of_empty_cells),
        AT(a_unique_field_of_stars_takes_none_any_number_of_times),
        AT(values_that_become_the_same_break_the_constraint),
        AT(an_index_comes_and_goes),
        AT(the_primary_field_stays_and_stays_of_its_kinds),
        AT(a_deleted_field_keeps_its_column_out_of_sight),
        AT(both_sides_of_a_link_go_to_the_trash_the_other_one_first),
        AT(a_field_is_duplicated_with_its_cells_or_without),
        AT(a_table_that_others_made_is_changed_as_far_as_it_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
