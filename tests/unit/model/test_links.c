#include "unit/model/grid.h"

/* The cell of one field of the first row that is told: from `'works':` to its `]`. */
static const char *cell(struct instance *in, const char *told, const char *field)
{
    struct str key = arena_printf(in->arena, "'%s':[", field);
    const char *from = strstr(told, arena_z(in->arena, key));
    assert_non_null(from);
    from += key.len - 1;
    size_t depth = 0, len = 0;
    do {
        depth += from[len] == '[';
        depth -= from[len] == ']';
        len++;
    } while (depth > 0);
    return arena_z(in->arena, (struct str){from, len});
}

/* Integers of the rows in a cell: "1,2". */
static const char *ids(struct instance *in, const char *told, const char *field)
{
    struct buf b;

    buf_init(&b, SIZE_MAX);
    for (const char *at = cell(in, told, field); (at = strstr(at, "{'id':")); at++)
        buf_printf(&b, "%s%d", b.len > 0 ? "," : "", (int)strtol(at + 6, NULL, 10));
    return text_of(in, &b);
}

#define assert_links(in, told, field, expected)                                                    \
    assert_string_equal(ids((in), (told), (field)), (expected))

static void make_some(struct instance *in)
{
    MAKE(in, "projects", "[{'title':'Moon'},{'title':'Mars'},{'title':'Sun, far'}]");
    MAKE(in, "people", "[{'name':'Ann'},{'name':'Bob'},{'name':'Cat'}]");
}

/* ---- telling ---- */

static void a_link_is_told_with_name_and_order(void **state)
{
    struct instance *in = *state;

    make_some(in);
    const char *told = CHANGE(in, "people", "[{'id':1,'works':[2,1],'boss':3}]");
    assert_string_equal(cell(in, told, "works"),
                        "[{'id':1,'value':'Moon','order':'1.00000000000000000000'},"
                        "{'id':2,'value':'Mars','order':'2.00000000000000000000'}]");
    assert_string_equal(cell(in, told, "boss"),
                        "[{'id':3,'value':'Cat','order':'3.00000000000000000000'}]");
    assert_string_equal(cell(in, GET(in, "projects", 2), "staff"),
                        "[{'id':1,'value':'Ann','order':'1.00000000000000000000'}]");
    MOVE(in, "projects", 1, 0);
    assert_links(in, GET(in, "people", 1), "works", "2,1");
}

static void links_are_set_from_both_sides(void **state)
{
    struct instance *in = *state;

    make_some(in);
    CHANGE(in, "people", "[{'id':1,'works':[1,2]},{'id':2,'works':[2]}]");
    assert_links(in, GET(in, "projects", 2), "staff", "1,2");
    CHANGE(in, "projects", "[{'id':2,'staff':[3]}]");
    assert_links(in, GET(in, "people", 1), "works", "1");
    assert_links(in, GET(in, "people", 2), "works", "");
    assert_links(in, GET(in, "people", 3), "works", "2");
}

static void links_may_come_with_a_new_row(void **state)
{
    struct instance *in = *state;

    make_some(in);
    const char *told = MAKE(in, "people", "[{'name':'Dan','works':[3],'friends':[1,2],'boss':1}]");
    assert_links(in, told, "works", "3");
    assert_links(in, told, "friends", "1,2");
    assert_links(in, told, "boss", "1");
    assert_links(in, GET(in, "people", 1), "friends", ""); /* they go one way */
}

static void rows_may_be_linked_in_circles(void **state)
{
    struct instance *in = *state;

    make_some(in);
    CHANGE(in, "people",
           "[{'id':1,'friends':[1,2],'boss':1},{'id':2,'friends':[3],'boss':3},"
           "{'id':3,'friends':[1],'boss':2}]");
    assert_links(in, GET(in, "people", 1), "friends", "1,2");
    assert_links(in, GET(in, "people", 1), "boss", "1");
    DELETE(in, "people", 1, 2);
    assert_links(in, GET(in, "people", 3), "friends", "");
    assert_links(in, GET(in, "people", 3), "boss", "");
}

/* ---- what may be sent ---- */

static void rows_are_named_in_many_forms(void **state)
{
    static const struct {
        const char *sent, *linked;
    } cases[] = {
        {"[1,3]", "1,3"},
        {"2", "2"},
        {"'1, 2'", "1,2"},
        {"'Moon'", "1"},
        {"['Mars','Moon']", "1,2"},
        {"['Sun, far']", "3"},
        {"'\\\"Sun, far\\\",Mars'", "2,3"},
        {"['2',1,'Moon']", "1,2"},
        {"[1,1,1]", "1"},
        {"[]", ""},
        {"null", ""},
        {"''", ""},
    };
    struct instance *in = *state;

    make_some(in);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        CHANGE(in, "people", "[{'id':1,'works':[1,2,3]}]");
        struct str body = arena_printf(in->arena, "[{'id':1,'works':%s}]", cases[i].sent);
        assert_links(in, CHANGE(in, "people", arena_z(in->arena, body)), "works", cases[i].linked);
    }
}

static void names_win_over_integers_and_the_first_of_a_name_over_others(void **state)
{
    struct instance *in = *state;

    MAKE(in, "projects", "[{'title':'2'},{'title':'Twin'},{'title':'Twin'}]");
    assert_links(in, MAKE(in, "people", "[{'works':['2']}]"), "works", "1");
    assert_links(in, MAKE(in, "people", "[{'works':[2]}]"), "works", "2");
    assert_links(in, MAKE(in, "people", "[{'works':['Twin']}]"), "works", "2");
    MOVE(in, "projects", 3, 1);
    assert_links(in, MAKE(in, "people", "[{'works':['Twin']}]"), "works", "3");
}

static void what_is_no_row_is_refused(void **state)
{
    struct instance *in = *state;

    make_some(in);
    assert_string_equal(
        REFUSED_CHANGE(in, "people",
                       "[{'id':1,'works':[9]},{'id':2,'works':['Pluto'],'boss':[1,2]},"
                       "{'id':3,'works':{'id':1},'friends':[1.5]}]"),
        "1 boss max_length, 0 works does_not_exist, 1 works does_not_exist, 2 works invalid, "
        "2 friends invalid");
    assert_links(in, GET(in, "people", 1), "works", "");
}

/* ---- changes ---- */

static size_t count_changes(struct instance *in, const char *table, enum change_kind kind)
{
    size_t count = 0;
    for (size_t i = 0; i < in->commit->count; i++)
        count += str_equal(in->commit->changes[i]->table->name, str_of(table)) &&
                 in->commit->changes[i]->kind == kind;
    return count;
}

static void only_links_that_differ_are_made_and_removed(void **state)
{
    struct instance *in = *state;

    make_some(in);
    CHANGE(in, "people", "[{'id':1,'works':[1,2]}]");
    assert_int_equal(count_changes(in, "work", CHANGE_CREATE), 2);
    CHANGE(in, "people", "[{'id':1,'works':[2,3]}]");
    assert_int_equal(count_changes(in, "work", CHANGE_CREATE), 1);
    assert_int_equal(count_changes(in, "work", CHANGE_DELETE), 1);
    assert_int_equal(count_changes(in, "people", CHANGE_UPDATE), 1);
    assert_int_equal(in->commit->operations, 3);
    CHANGE(in, "people", "[{'id':1,'works':[3,2]}]");
    assert_int_equal(count_changes(in, "work", CHANGE_CREATE), 0);
    assert_int_equal(count_changes(in, "work", CHANGE_DELETE), 0);
    const struct change *change = in->commit->changes[0];
    unsigned stamp = table_hidden(change->table, HIDDEN_UPDATED_ON)->index;
    assert_false(value_is_null(&change->after[stamp]));
}

/* Two links between the same rows, as others may have made them, are told as one. */
static void equal_links_are_one(void **state)
{
    struct instance *in = *state;

    make_some(in);
    create(in, "work", "{'near':1,'far':2}");
    create(in, "work", "{'near':1,'far':2}");
    assert_links(in, GET(in, "people", 1), "works", "2");
    CHANGE(in, "people", "[{'id':1,'works':[2]}]");
    assert_int_equal(count_changes(in, "work", CHANGE_DELETE), 1);
}

static void a_batch_links_each_row_to_its_own(void **state)
{
    struct instance *in = *state;
    struct buf b;

    make_some(in);
    buf_init(&b, SIZE_MAX);
    for (int i = 0; i < 200; i++)
        buf_printf(&b, "%s{'name':'p%d','works':[%d,%d]}", i > 0 ? "," : "[", i, i % 3 + 1,
                   (i + 1) % 3 + 1);
    buf_put_char(&b, ']');
    MAKE(in, "people", text_of(in, &b));
    assert_int_equal(count_changes(in, "work", CHANGE_CREATE), 400);
    assert_links(in, GET(in, "people", 4), "works", "1,2");
    assert_links(in, GET(in, "people", 203), "works", "2,3");
    CHANGE(in, "people", "[{'id':4,'works':[3]},{'id':203,'works':[]}]");
    assert_links(in, GET(in, "people", 4), "works", "3");
    assert_links(in, GET(in, "people", 203), "works", "");
    assert_links(in, GET(in, "people", 5), "works", "2,3");
}

static void rows_without_links_are_told_with_empty_lists(void **state)
{
    struct instance *in = *state;
    const struct grid_field f = {.id = 1};
    const struct value key = value_integer(1);
    struct buf b;

    assert_int_equal(links_cell(NULL, &f, &key)->count, 0);
    const struct linked at[] = {{.id = 3, .name = STR_INIT("A \"b\"")},
                                {.id = 4, .name = STR_INIT(""), .order = 2.5}};
    const struct link_cell two = {at, 2};
    buf_init(&b, SIZE_MAX);
    links_write_ids(&b, &two);
    links_put_text(&b, &two);
    links_write(&b, &f, &two);
    assert_string_equal(
        text_of(in, &b),
        "[3,4]A 'b', [{'id':3,'value':'A \\'b\\'','order':'0.00000000000000000000'},"
        "{'id':4,'value':'','order':'2.50000000000000000000'}]");
}

int main(void)
{
#define GRID_TEST(name) cmocka_unit_test_setup_teardown(name, grid_setup, instance_teardown)
    const struct CMUnitTest tests[] = {
        GRID_TEST(a_link_is_told_with_name_and_order),
        GRID_TEST(links_are_set_from_both_sides),
        GRID_TEST(links_may_come_with_a_new_row),
        GRID_TEST(rows_may_be_linked_in_circles),
        GRID_TEST(rows_are_named_in_many_forms),
        GRID_TEST(names_win_over_integers_and_the_first_of_a_name_over_others),
        GRID_TEST(what_is_no_row_is_refused),
        GRID_TEST(only_links_that_differ_are_made_and_removed),
        GRID_TEST(equal_links_are_one),
        GRID_TEST(a_batch_links_each_row_to_its_own),
        GRID_TEST(rows_without_links_are_told_with_empty_lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
