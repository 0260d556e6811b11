#include "fixture.h"

/* Orders that are not by the value of a column: folded texts, places in a list, linked rows. */

static const struct column song_columns[] = {
    {.name = {"id", 2}, .type = TYPE_INTEGER, .index = 0, .primary_key = true},
    {.name = {"title", 5}, .type = TYPE_STRING, .index = 1, .nullable = true},
    {.name = {"mood", 4}, .type = TYPE_INTEGER, .index = 2, .nullable = true},
    {.name = {"notes", 5}, .type = TYPE_JSON, .index = 3, .nullable = true},
    {.name = {"sort", 4}, .type = TYPE_FLOAT, .index = 4, .nullable = true},
};
static const struct column *const id = &song_columns[0], *const title = &song_columns[1],
                                  *const mood = &song_columns[2], *const notes = &song_columns[3];
static const struct shape songs = {{"songs", 5}, song_columns, 5, 0};

static const struct column singer_columns[] = {
    {.name = {"id", 2}, .type = TYPE_INTEGER, .index = 0, .primary_key = true},
    {.name = {"title", 5}, .type = TYPE_TEXT, .index = 1, .nullable = true},
    {.name = {"rank", 4}, .type = TYPE_INTEGER, .index = 2, .nullable = true},
    {.name = {"fee", 3}, .type = TYPE_DECIMAL, .index = 3, .nullable = true},
    {.name = {"hours", 5}, .type = TYPE_FLOAT, .index = 4, .nullable = true},
    {.name = {"born", 4}, .type = TYPE_DATE, .index = 5, .nullable = true},
    {.name = {"active", 6}, .type = TYPE_BOOLEAN, .index = 6, .nullable = true},
};
static const struct shape singers = {{"singers", 7}, singer_columns, 7, 0};
static const struct column sung_columns[] = {
    {.name = {"id", 2}, .type = TYPE_INTEGER, .index = 0, .primary_key = true},
    {.name = {"song", 4}, .type = TYPE_INTEGER, .index = 1, .nullable = true},
    {.name = {"singer", 6}, .type = TYPE_INTEGER, .index = 2, .nullable = true},
};
static const struct shape sung = {{"sung", 4}, sung_columns, 3, 0};

#define O_UMLAUT "\xc3\x96"
#define O_UMLAUT_SMALL "\xc3\xb6"

static int set_up(void **state)
{
    fixture_setup(state);
    struct fixture *f = *state;
    struct store *s = f->store;
    create(s, &songs);
    create(s, &singers);
    create(s, &sung);
    insert(s, &songs, ROW(INTEGER(1), TEXT("b"), INTEGER(7), TEXT("\"B\""), NONE));
    insert(s, &songs, ROW(INTEGER(2), TEXT("A"), INTEGER(5), TEXT("\"a\""), NONE));
    insert(s, &songs, ROW(INTEGER(3), NONE, NONE, NONE, NONE));
    insert(s, &songs, ROW(INTEGER(4), TEXT("a"), INTEGER(6), TEXT("\"A\""), NONE));
    insert(s, &songs, ROW(INTEGER(5), TEXT("B"), INTEGER(5), TEXT("\"b\""), NONE));
    insert(s, &songs, ROW(INTEGER(6), TEXT(O_UMLAUT_SMALL "a"), INTEGER(8), NONE, NONE));
    insert(s, &songs, ROW(INTEGER(7), TEXT(O_UMLAUT "B"), INTEGER(9), NONE, NONE));
    return 0;
}
#define test_with_songs(test) cmocka_unit_test_setup_teardown(test, set_up, fixture_teardown)

#define assert_order(f, orders, expected)                                                          \
    check_order((f), (orders), COUNT_OF(orders), (expected), __FILE__, __LINE__)
static void check_order(struct fixture *f, const struct order *orders, size_t count,
                        const char *expected, const char *file, int line)
{
    const struct output key = {id, NULL};
    const struct select select = {.shape = &songs,
                                  .outputs = &key,
                                  .output_count = 1,
                                  .orders = orders,
                                  .order_count = count,
                                  .limit = -1};
    check_selects(f->store, &select, expected, file, line);
}

static void folded_texts_sort_without_case_and_exactly_where_alike(void **state)
{
    struct fixture *f = *state;
    struct order by = {.column = title, .folded = true};
    assert_order(f, ((const struct order[]){by}), "3;2;4;5;1;6;7;");
    by.descending = true;
    assert_order(f, ((const struct order[]){by}), "7;6;1;5;4;2;3;");
    by.folded = false;
    assert_order(f, ((const struct order[]){by}), "6;7;1;4;5;2;3;");
    const struct order by_notes[] = {{.column = notes, .folded = true}};
    assert_order(f, by_notes, "3;6;7;4;2;1;5;");
    const struct order by_mood[] = {{.column = mood, .folded = true},
                                    {.column = title, .folded = true}};
    assert_order(f, by_mood, "3;2;5;4;1;6;7;");
}

static void a_rank_is_the_place_in_a_list(void **state)
{
    struct fixture *f = *state;
    static const int64_t ranks[] = {9, 5, 7, 5, -1, INT64_MAX};
    struct order by = {.column = mood, .ranks = ranks, .rank_count = COUNT_OF(ranks)};
    assert_order(f, ((const struct order[]){by}), "3;4;6;7;2;5;1;");
    by.descending = true;
    assert_order(f, ((const struct order[]){by}), "1;2;5;7;3;4;6;");
    by.rank_count = 0;
    assert_order(f, ((const struct order[]){by}), "1;2;3;4;5;6;7;");
    static const int64_t keys[] = {2, 3, 1};
    const struct order by_key[] = {{.column = id, .ranks = keys, .rank_count = 3},
                                   {.column = title, .descending = true}};
    assert_order(f, by_key, "6;7;4;5;2;3;1;");
}

static void a_mask_holds_for_every_way_to_sort(void **state)
{
    struct fixture *f = *state;
    static const int64_t ranks[] = {5, 6, 7, 8, 9};
    const struct value four = INTEGER(4);
    const struct expr *mask = expr_test(f->arena, id, OP_LTE, &four, 1);
    const struct order folded[] = {{.column = title, .mask = mask, .folded = true}};
    const struct order ranked[] = {
        {.column = mood, .mask = mask, .ranks = ranks, .rank_count = 5, .descending = true}};
    assert_order(f, folded, "3;5;6;7;2;4;1;");
    assert_order(f, ranked, "1;4;2;3;5;6;7;");
}

/* ---- linked rows ---- */

static void link_singers(struct store *s)
{
    static const int links[][2] = {{1, 1}, {1, 2}, {2, 3}, {4, 2}, {4, 1},
                                   {5, 4}, {6, 5}, {7, 3}, {7, 2}};
    insert(s, &singers,
           ROW(INTEGER(1), TEXT("Zoe"), INTEGER(2), REAL(1.5), REAL(1), TEXT("2001-01-01"),
               INTEGER(1)));
    insert(s, &singers,
           ROW(INTEGER(2), TEXT("amy"), INTEGER(2), REAL(10), REAL(0.25), TEXT("1999-01-01"),
               INTEGER(0)));
    insert(s, &singers,
           ROW(INTEGER(3), TEXT("AMY"), INTEGER(1), REAL(2), REAL(3), TEXT("1998-01-01"), NONE));
    insert(s, &singers, ROW(INTEGER(4), TEXT(""), NONE, NONE, NONE, NONE, NONE));
    insert(s, &singers, ROW(INTEGER(5), NONE, NONE, NONE, NONE, NONE, NONE));
    for (size_t i = 0; i < COUNT_OF(links); i++)
        insert(s, &sung, ROW(INTEGER((int64_t)i), INTEGER(links[i][0]), INTEGER(links[i][1])));
    insert(s, &sung, ROW(INTEGER(90), INTEGER(1), NONE));
    insert(s, &sung, ROW(INTEGER(91), NONE, INTEGER(3)));
}

static struct order_through by_singers(const struct column *output,
                                       const struct column *const *orders, size_t count)
{
    return (struct order_through){.junction = &sung,
                                  .near = &sung_columns[1],
                                  .far = &sung_columns[2],
                                  .target = &singers,
                                  .target_key = &singer_columns[0],
                                  .output = output,
                                  .target_orders = orders,
                                  .target_order_count = count};
}

/* 1, 4: zoe, amy; 2: amy; 3: none; 5: ""; 6: null; 7: amy, amy. */
static void rows_sort_by_the_texts_they_are_linked_to(void **state)
{
    struct fixture *f = *state;
    link_singers(f->store);
    const struct order_through by_key = by_singers(&singer_columns[1], NULL, 0);
    struct order by = {.through = &by_key};
    assert_order(f, ((const struct order[]){by}), "3;6;5;2;7;1;4;");
    by.descending = true;
    assert_order(f, ((const struct order[]){by}), "1;4;7;2;5;3;6;");

    const struct value not_seven = INTEGER(7);
    by.mask = expr_test(f->arena, id, OP_NEQ, &not_seven, 1);
    assert_order(f, ((const struct order[]){by, {.column = id, .descending = true}}),
                 "4;1;2;5;7;6;3;");
}

/* By rank, singer 3 comes first, then 1 and 2 by their names: AMY, Zoe, amy. */
static void linked_texts_stand_in_the_order_of_their_table(void **state)
{
    struct fixture *f = *state;
    const struct column *const orders[] = {&singer_columns[2], &singer_columns[1]};
    const struct column *const by_name[] = {&singer_columns[1]};
    link_singers(f->store);
    insert(f->store, &sung, ROW(INTEGER(50), INTEGER(2), INTEGER(1)));
    const struct order_through through_rank = by_singers(&singer_columns[1], orders, 2);
    const struct order_through through_name = by_singers(&singer_columns[1], by_name, 1);
    const struct order_through through_age = by_singers(&singer_columns[5], by_name, 1);
    /* 1: zoe, amy; 2: amy, zoe; 4: zoe, amy; 7: amy, amy */
    assert_order(f, ((const struct order[]){{.through = &through_rank}}), "3;6;5;7;2;1;4;");
    assert_order(f, ((const struct order[]){{.through = &through_name}}), "3;6;5;7;2;1;4;");
    /* 1, 4: 2001, 1999; 2: 1998, 2001; 7: 1998, 1999 */
    assert_order(f, ((const struct order[]){{.through = &through_age}}), "3;5;6;7;2;1;4;");
}

/* fee: "1.5, 10", "2", "10, 1.5" ...: as texts. */
static void linked_numbers_sort_as_their_texts(void **state)
{
    struct fixture *f = *state;
    static const struct {
        size_t output;
        const char *expected;
    } cases[] = {
        {2, "3;5;6;2;7;1;4;"}, /* "1", "2, 1", "2, 2" */
        {3, "3;5;6;1;4;7;2;"}, /* "1.5, 10", "10, 2", "2" */
        {4, "3;5;6;7;1;4;2;"}, /* "0.25, 3", "1, 0.25", "3" */
        {6, "2;3;5;6;7;1;4;"}, /* null, "0", "1, 0" */
    };
    link_singers(f->store);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct order_through through = by_singers(&singer_columns[cases[i].output], NULL, 0);
        assert_order(f, ((const struct order[]){{.through = &through}}), cases[i].expected);
    }
}

static const struct column friend_columns[] = {
    {.name = {"id", 2}, .type = TYPE_INTEGER, .index = 0, .primary_key = true},
    {.name = {"left", 4}, .type = TYPE_INTEGER, .index = 1},
    {.name = {"right", 5}, .type = TYPE_INTEGER, .index = 2},
};
static const struct shape friends = {{"friends", 7}, friend_columns, 3, 0};

static void a_table_may_be_linked_to_itself(void **state)
{
    struct fixture *f = *state;
    create(f->store, &friends);
    insert(f->store, &friends, ROW(INTEGER(1), INTEGER(2), INTEGER(1))); /* b */
    insert(f->store, &friends, ROW(INTEGER(2), INTEGER(1), INTEGER(2))); /* a */
    const struct order_through through = {.junction = &friends,
                                          .near = &friend_columns[1],
                                          .far = &friend_columns[2],
                                          .target = &songs,
                                          .target_key = id,
                                          .output = title};
    assert_order(f, ((const struct order[]){{.through = &through, .descending = true}}),
                 "2;1;3;4;5;6;7;");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_songs(folded_texts_sort_without_case_and_exactly_where_alike),
        test_with_songs(a_rank_is_the_place_in_a_list),
        test_with_songs(a_mask_holds_for_every_way_to_sort),
        test_with_songs(rows_sort_by_the_texts_they_are_linked_to),
        test_with_songs(linked_texts_stand_in_the_order_of_their_table),
        test_with_songs(linked_numbers_sort_as_their_texts),
        test_with_songs(a_table_may_be_linked_to_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
