#include "unit/model/lists.h"

#define TEST(name) static void name(void **state)

/* ---- orders ---- */

static int read_ordered(struct tx *tx, struct asking *a)
{
    struct grid_order orders[4];
    for (size_t i = 0; i < a->query.order_count; i++) {
        orders[i] = a->orders[i];
        orders[i].field = thing(tx, (const char *)a->orders[i].field);
        assert_true(grid_field_sorts(orders[i].field));
    }
    a->query.orders = orders;
    return read_list(tx, a);
}

/* Fields are told by name. */
#define BY(name) (const struct grid_field *)(const void *)(name)

static void check(struct instance *in, const struct grid_order *orders, size_t count,
                  const char *expected)
{
    const char *ids = LIST(.read = read_ordered, .orders = orders, .query = {.order_count = count});
    if (strcmp(ids, expected) != 0)
        fail_msg("by %s%s: %s, not %s", orders[0].descending ? "-" : "",
                 (const char *)orders[0].field, ids, expected);
}

TEST(rows_stand_by_each_kind_of_field)
{
    static const struct {
        const char *field, *up, *down;
        bool by_place;
    } cases[] = {
        {"Name", "4 1 2 3 6 5", "5 6 3 2 1 4", false},
        {"Notes", "4 5 6 2 1 3", "3 1 2 4 5 6", false},
        {"Num", "4 3 6 2 5 1", "1 5 2 6 3 4", false},
        {"Whole", "4 6 1 2 3 5", "5 3 2 1 6 4", false},
        {"Rate", "2 4 5 6 3 1", "1 3 6 5 2 4", false},
        {"Done", "2 3 4 6 1 5", "1 5 2 3 4 6", false},
        {"Day", "4 5 2 1 3 6", "6 3 1 2 5 4", false},
        {"When", "4 6 2 3 1 5", "5 1 3 2 6 4", false},
        {"Dur", "4 5 6 2 1 3", "3 1 2 4 5 6", false},
        {"One", "4 6 3 2 1 5", "1 5 2 3 4 6", false},   /* Dark red, green, Red */
        {"One", "4 6 1 5 2 3", "3 2 1 5 4 6", true},    /* Red, green, Dark red */
        {"Links", "4 5 1 6 3 2", "2 3 6 1 4 5", false}, /* alpha; alpha, beta; alphabet; beta, … */
        {"No", "1 2 3 4 5 6", "6 5 4 3 2 1", false},
    };
    struct instance *in = *state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct grid_order order = {.field = BY(cases[i].field), .by_place = cases[i].by_place};
        check(in, &order, 1, cases[i].up);
        order.descending = true;
        check(in, &order, 1, cases[i].down);
    }
}

TEST(the_next_order_breaks_ties_and_the_place_the_last)
{
    struct instance *in = *state;
    const struct grid_order orders[] = {{.field = BY("Done"), .descending = true},
                                        {.field = BY("Rate")}};
    check(in, orders, 2, "5 1 2 4 6 3");
    assert_string_equal(LIST(.query = {.limit = 2}), "1 2");
    assert_string_equal(LIST(.query = {.limit = 2, .offset = 4}), "5 6");
    assert_string_equal(LIST(.query = {.limit = 2, .offset = 6}), "");
}

static int read_sorting(struct tx *tx, struct asking *a)
{
    static const char *const none[] = {"Many", "Team", "By", "Pass"};
    for (size_t i = 0; i < COUNT_OF(none); i++)
        assert_false(grid_field_sorts(thing(tx, none[i])));
    assert_true(grid_field_sorts(thing(tx, "Links")));
    a->ids = "";
    return 0;
}

TEST(names_of_several_and_passwords_have_no_order)
{
    struct instance *in = *state;
    LIST(.read = read_sorting);
}

/* ---- neighbours ---- */

static int read_neighbour(struct tx *tx, struct asking *a)
{
    struct grid_order order = {.descending = true};
    struct grid_rows found_rows;
    bool found;
    if (a->orders) {
        order.field = thing(tx, (const char *)a->orders[0].field);
        a->query.orders = &order;
        a->query.order_count = 1;
    }
    int rc = grid_row_adjacent(tx, grid_table(tx->catalogue, things), &a->query, a->id, a->previous,
                               &found, &found_rows);
    if (rc == REFUSED) {
        assert_string_equal(arena_z(tx->arena, tx->problem->reason), GRID_NO_ROW);
        a->ids = "refused";
        return 0;
    }
    a->ids = rc != 0 ? NULL : found ? ids_told(a, &found_rows) : "none";
    return rc;
}

TEST(a_row_has_neighbours_in_the_list)
{
    struct instance *in = *state;
    const struct grid_order by_whole = {.field = BY("Whole")}; /* 5 3 2 1 6 4 */
    static const struct {
        int64_t id;
        const char *next, *previous, *next_by_whole, *previous_by_whole, *next_red, *previous_red;
    } cases[] = {
        {1, "2", "none", "6", "2", "2", "none"},
        {2, "3", "1", "1", "3", "3", "1"},
        {3, "4", "2", "2", "5", "5", "2"},
        {4, "5", "3", "none", "6", "none", "none"},
        {6, "none", "5", "4", "1", "none", "none"},
        {99, "refused", "refused", "refused", "refused", "refused", "refused"},
    };
    const struct grid_query none = {.limit = 0}, red = {.search = STR("red")}; /* 1 2 3 5 */
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *const expected[] = {cases[i].next,          cases[i].previous,
                                        cases[i].next_by_whole, cases[i].previous_by_whole,
                                        cases[i].next_red,      cases[i].previous_red};
        for (size_t k = 0; k < COUNT_OF(expected); k++) {
            const struct asking one = {.read = read_neighbour,
                                       .id = cases[i].id,
                                       .previous = k % 2 == 1,
                                       .orders = k / 2 == 1 ? &by_whole : NULL,
                                       .query = k / 2 == 2 ? red : none};
            assert_string_equal(list(in, one), expected[k]);
        }
    }
}

/* ---- finding, joining ---- */

static int read_found(struct tx *tx, struct asking *a)
{
    static const int64_t ids[] = {5, 99, 2, 5, 1};
    struct grid_rows rows;
    int rc = grid_rows_find(tx, grid_table(tx->catalogue, things), ids, COUNT_OF(ids), &rows);
    a->ids = rc == 0 ? ids_told(a, &rows) : NULL;
    return rc;
}

TEST(rows_that_are_there_are_found)
{
    struct instance *in = *state;
    assert_string_equal(LIST(.read = read_found), "1 2 5");
}

static int read_joined(struct tx *tx, struct asking *a)
{
    const struct grid_table *t = grid_table(tx->catalogue, things);
    const struct grid_field *links = thing(tx, "Links");
    const struct grid_query q = {.limit = 2};
    struct grid_join join = {.link = links};
    const struct grid_joins joins = {&join, 1};
    struct column_set only = {0};
    const struct grid_style style = {.user_names = true, .only = &only, .joins = &joins};
    struct grid_rows rows;
    struct buf b;

    column_set_add(&only, (unsigned)(links - t->fields));
    column_set_add(&join.fields, 0);
    column_set_add(&join.fields, 1); /* the links back */
    int rc = grid_rows_list(tx, t, &q, &rows);
    if (rc == 0)
        rc = join_read(tx, &rows, &joins);
    if (rc != 0)
        return rc;
    buf_init(&b, SIZE_MAX);
    grid_write_row(&b, t, rows.at[1], rows.links, &style);
    a->ids = arena_z(a->in->arena, buf_str(&b));
    buf_deinit(&b);
    return 0;
}

TEST(fields_of_linked_rows_come_along)
{
    struct instance *in = *state;
#define PLACE(n) "\"order\":\"" #n ".00000000000000000000\""
    assert_string_equal(LIST(.read = read_joined),
                        "{\"id\":2," PLACE(2) ",\"Links\":[{\"id\":2,\"value\":\"Beta\"," PLACE(2) ",\"Title\":\"Beta\",\"Things\":[{\"id\":2,\"value\":\"ann lee\"," PLACE(
                            2) "},{\"id\":6,\"value\":\"zo\xc3\xab\"," PLACE(6) "}]},{\"id\":3,"
                                                                                "\"value\":"
                                                                                "\"alphabet\""
                                                                                "," PLACE(
                                                                                    3) ",\"Ti"
                                                                                       "tle\""
                                                                                       ":\"al"
                                                                                       "phabe"
                                                                                       "t\","
                                                                                       "\"Thi"
                                                                                       "ngs\""
                                                                                       ":[{"
                                                                                       "\"id"
                                                                                       "\":2,"
                                                                                       "\"val"
                                                                                       "ue\":"
                                                                                       "\"ann"
                                                                                       " lee"
                                                                                       "\""
                                                                                       "," PLACE(
                                                                                           2) "},{"
                                                                                              "\"id"
                                                                                              "\":"
                                                                                              "3,"
                                                                                              "\"va"
                                                                                              "lue"
                                                                                              "\":"
                                                                                              "\"Bo"
                                                                                              "b\""
                                                                                              "," PLACE(
                                                                                                  3) "}]}]}");
}

/* ---- what a list costs ---- */

/* Rows of numbers from 1000 on, each linked to two projects. */
static void put_many(struct instance *in, int count)
{
    char row[160];
    for (int i = 0; i < count; i++) {
        snprintf(row, sizeof(row),
                 "{'Name':'row %d','Whole':%d,'One':'green','Links':['Alpha','Beta']}", i,
                 1000 + i);
        assert_int_equal(put(in, things, 0, row), 0);
    }
}

/* The answer is how many rows came, by how many statements. */
static int read_counting(struct tx *tx, struct asking *a)
{
    const struct grid_table *t = grid_table(tx->catalogue, things);
    const struct grid_order orders[] = {{.field = thing(tx, "One"), .descending = true},
                                        {.field = thing(tx, "Links")},
                                        {.field = thing(tx, "Name")}};
    struct grid_rows rows;
    a->query.orders = orders;
    a->query.order_count = COUNT_OF(orders);
    uint64_t before = store_statements(tx->store);
    int rc = grid_rows_list(tx, t, &a->query, &rows);
    a->ids = arena_printf(a->in->arena, "%zu rows, %llu statements", rows.count,
                          (unsigned long long)(store_statements(tx->store) - before))
                 .at;
    return rc;
}

/* The table, the junction of its links, and the table at their other end. */
TEST(a_list_is_one_statement_for_each_table_however_many_its_rows)
{
    struct instance *in = *state;
    put_many(in, 200);
    assert_string_equal(LIST(.read = read_counting, .query = {.limit = 200}, .type = "higher_than",
                             .field = "Whole", .value = "999"),
                        "200 rows, 3 statements");
    assert_string_equal(LIST(.read = read_counting, .query = {.limit = 1}, .type = "higher_than",
                             .field = "Whole", .value = "999"),
                        "1 rows, 3 statements");
    assert_string_equal(LIST(.read = read_counting, .query = {.limit = 200}, .type = "link_row_has",
                             .field = "Links", .value = "2"),
                        "200 rows, 3 statements");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_stand_by_each_kind_of_field),
        cmocka_unit_test(the_next_order_breaks_ties_and_the_place_the_last),
        cmocka_unit_test(names_of_several_and_passwords_have_no_order),
        cmocka_unit_test(a_row_has_neighbours_in_the_list),
        cmocka_unit_test(rows_that_are_there_are_found),
        cmocka_unit_test(fields_of_linked_rows_come_along),
        cmocka_unit_test(a_list_is_one_statement_for_each_table_however_many_its_rows),
    };
    return cmocka_run_group_tests(tests, lists_setup, making_teardown);
}
