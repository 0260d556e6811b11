#include "unit/model/making.h"

#include "model/grid/import.h"
#include "model/grid/news.h"
#include "model/progress.h"

/* Rows that come in bulk: cells that fit and that do not, rows that are told apart, how far it is.
 */

#define TEST(name) static void name(void **state)

/* ---- asking ---- */

struct importing {
    struct grid_import import;
    const char *report;
    struct progress *progress;
};
static struct importing wish;

static int import(struct tx *tx, struct wanted *w)
{
    const json_t *failing;

    tx->progress = wish.progress;
    int rc = grid_import(tx, w->id, &wish.import, &failing);
    if (rc == 0)
        wish.report = arena_z(w->in->arena, json_text(w->in->arena, failing));
    return rc;
}

/* The report, with ' for ". */
static const char *import_rows(struct instance *in, int64_t to, const char *data)
{
    wish.import.rows = quoted(in, data);
    WANT(.call = import, .id = to);
    size_t size = strlen(wish.report) + 1;
    char *text = memcpy(arena_alloc(in->arena, size), wish.report, size);

    for (char *c = text; *c; c++)
        *c = *c == '"' ? '\'' : *c;
    return text;
}

static int setup(void **state)
{
    wish = (struct importing){0};
    return making_setup(state);
}

/* Name, Size (a number), Kind (big or small). */
static int64_t make_goods(struct instance *in)
{
    int64_t id = table(in, "Goods", "['Name']", "[['pen'],['ink']]");

    add(in, id, "{'name':'Size','type':'number'}");
    add(in, id,
        "{'name':'Kind','type':'single_select','select_options':"
        "[{'value':'big','color':'red'},{'value':'small','color':'blue'}]}");
    return id;
}

static const char *said_of(struct instance *in, int64_t of, const char *name)
{
    return arena_z(in->arena,
                   arena_printf(in->arena, "'field_%d':[{'error':", (int)field(in, of, name)));
}

#define assert_in(text, part) assert_non_null(strstr((text), (part)))

/* ---- cells ---- */

/* No row is told or kept by itself. */
static void assert_told_in_bulk(struct instance *in)
{
    for (size_t i = 0; i < in->commit->count; i++) {
        const struct note *note = news_find(in->commit, in->commit->changes[i]->operation);
        assert_non_null(note);
        assert_int_equal(note->kind, NOTE_BULK);
    }
    assert_int_equal(in->commit->news ? in->commit->news->history_count : 0, 0);
}

TEST(rows_come_in_at_the_end_in_their_order)
{
    struct instance *in = *state;
    int64_t id = make_goods(in);

    assert_string_equal(import_rows(in, id, "[['cup','3','small'],['jar',4.0,'big'],['box']]"),
                        "{}");
    assert_rows(id, "1 pen|| / 2 ink|| / 3 cup|3|small / 4 jar|4|big / 5 box||");
    assert_int_equal(changes_of_rows(in), 3);
    assert_told_in_bulk(in);
}

TEST(what_does_not_fit_is_left_out_and_reported_by_row_and_field)
{
    struct instance *in = *state;
    int64_t id = make_goods(in);
    const char *report = import_rows(in, id, "[['cup','x','tiny'],['jar','4','big'],['box','y']]");

    assert_rows(id, "1 pen|| / 2 ink|| / 3 cup|| / 4 jar|4|big / 5 box||");
    assert_in(report, "'0':{");
    assert_null(strstr(report, "'1':"));
    assert_in(report, "'2':{");
    assert_in(report, said_of(in, id, "Size"));
    assert_in(report, said_of(in, id, "Kind"));
    assert_in(report, "'code':'invalid'");
    assert_in(report, "tiny");
}

TEST(nothing_and_an_empty_text_are_empty)
{
    struct instance *in = *state;
    int64_t id = make_goods(in);

    add(in, id, "{'name':'More','type':'text','text_default':'yes'}");
    assert_string_equal(import_rows(in, id, "[[null,'',null,null],['a','','','']]"), "{}");
    assert_rows(id, "1 pen|||yes / 2 ink|||yes / 3 |||yes / 4 a|||");
}

TEST(fields_that_nobody_writes_have_no_place)
{
    struct instance *in = *state;
    int64_t id = table(in, "T", "['Name']", "[]");

    add(in, id, "{'name':'Number','type':'autonumber'}");
    add(in, id, "{'name':'Note','type':'text'}");
    assert_string_equal(import_rows(in, id, "[['a','b']]"), "{}");
    assert_rows(id, "1 a|1|b");
}

TEST(a_row_that_is_too_long_refuses_all)
{
    struct instance *in = *state;
    int64_t id = make_goods(in);
    struct wanted w = {.call = import, .id = id};

    wish.import.rows = quoted(in, "[['a'],['b',1,'big','more']]");
    assert_int_equal(ask_as(in, place.ann, &w), REFUSED);
    assert_str(in->problem.reason, "Row 1 has more values than the table has fields");
    assert_rows(id, "1 pen|| / 2 ink||");
}

TEST(only_members_import)
{
    struct instance *in = *state;
    int64_t id = make_goods(in);

    wish.import.rows = quoted(in, "[['a']]");
    assert_refused_as(in, place.eve, WORKSPACE_NOT_MEMBER, .call = import, .id = id);
    assert_refused(in, GRID_NO_TABLE, .call = import, .id = 99999);
}

TEST(links_are_found_by_names_and_those_that_are_none_reported)
{
    struct instance *in = *state;
    int64_t goods = make_goods(in), id = table(in, "Orders", "['Name']", "[]");
    char body[128];

    snprintf(body, sizeof(body), "{'name':'Goods','type':'link_row','link_row_table_id':%d}",
             (int)goods);
    add(in, id, body);
    const char *report =
        import_rows(in, id, "[['a','pen'],['b',['ink','pen']],['c','cup'],['d',[99]],['e']]");
    assert_rows(id, "1 a|pen / 2 b|pen, ink / 3 c| / 4 d| / 5 e|");
    assert_in(report, "'2':{");
    assert_in(report, "'3':{");
    assert_null(strstr(report, "'1':"));
}

TEST(what_must_be_unique_comes_in_once)
{
    struct instance *in = *state;
    int64_t id = make_goods(in);

    add(in, id,
        "{'name':'Code','type':'text','field_constraints':[{'type_name':'unique_with_empty'}]}");
    assert_int_equal(put(in, id, 1, "{'Code':'A'}"), 0);
    const char *report = import_rows(
        in, id, "[['x',1,null,'B'],['y',2,null,'A'],['z',3,null,'B'],['w',4,null,''],['v']]");
    assert_rows(id, "1 pen|||A / 2 ink||| / 3 x|1||B / 4 y|2|| / 5 z|3|| / 6 w|4|| / 7 v|||");
    assert_in(report, "'1':{");
    assert_in(report, "'2':{");
    assert_in(report, "'code':'unique'");
    assert_null(strstr(report, "'0':"));
}

/* ---- rows that are there ---- */

TEST(rows_that_are_there_are_changed_each_once_and_the_lowest_first)
{
    struct instance *in = *state;
    int64_t id = make_goods(in), names[] = {field(in, id, "Name")};

    assert_int_equal(put(in, id, 0, "{'Name':'pen','Size':9,'Kind':'big'}"), 0);
    wish.import.identifying = names;
    wish.import.identifying_count = 1;
    wish.import.keys = quoted(in, "[['pen'],['cup'],['pen'],['pen'],['cup'],[''],[null]]");
    assert_string_equal(import_rows(in, id,
                                    "[['pen',1],['cup',2],['pen',3,''],['pen',4],['cup',5],"
                                    "['',6],['',7]]"),
                        "{}");
    assert_rows(id,
                "1 pen|1| / 2 ink|| / 3 pen|3| / 4 cup|2| / 5 pen|4| / 6 cup|5| / 7 |6| / 8 |7|");
}

/* Each gets something else, so it is an operation of its own. */
TEST(rows_that_are_changed_are_told_in_bulk_like_new_ones)
{
    struct instance *in = *state;
    int64_t id = make_goods(in), names[] = {field(in, id, "Name")};

    wish.import.identifying = names;
    wish.import.identifying_count = 1;
    wish.import.keys = quoted(in, "[['pen'],['ink'],['cup']]");
    assert_string_equal(import_rows(in, id, "[['pen',1],['ink',2],['cup',3]]"), "{}");
    assert_rows(id, "1 pen|1| / 2 ink|2| / 3 cup|3|");
    assert_int_equal(changes_of_rows(in), 3);
    assert_true(in->commit->operations >= 3);
    assert_told_in_bulk(in);
}

TEST(rows_are_told_apart_by_several_values_in_any_spelling)
{
    struct instance *in = *state;
    int64_t id = make_goods(in), by[] = {field(in, id, "Size"), field(in, id, "Kind")};

    assert_int_equal(put(in, id, 1, "{'Size':5,'Kind':'big'}"), 0);
    assert_int_equal(put(in, id, 2, "{'Size':5}"), 0);
    wish.import.identifying = by;
    wish.import.identifying_count = 2;
    wish.import.keys = quoted(in, "[['5.0',''],[5,'big'],['5','none'],['x','big']]");
    import_rows(in, id, "[['a'],['b'],['c'],['d']]");
    /* A word that is no option is no value, like none at all: but that row was taken already. */
    assert_rows(id, "1 b|5|big / 2 a|5| / 3 c|| / 4 d||");
}

TEST(fields_are_skipped)
{
    struct instance *in = *state;
    int64_t id = make_goods(in), names[] = {field(in, id, "Name")};
    int64_t sizes[] = {field(in, id, "Size")};

    assert_int_equal(put(in, id, 1, "{'Size':5}"), 0);
    wish.import.identifying = names;
    wish.import.identifying_count = 1;
    wish.import.keys = quoted(in, "[['pen'],['cup']]");
    wish.import.skipped = sizes;
    wish.import.skipped_count = 1;
    assert_string_equal(import_rows(in, id, "[['pen','x','big'],['cup',7,'small']]"), "{}");
    assert_rows(id, "1 pen|5|big / 2 ink|| / 3 cup||small");
}

TEST(what_cannot_tell_rows_apart_is_refused)
{
    struct instance *in = *state;
    int64_t id = make_goods(in), other = table(in, "Other", "['Name']", "[]");
    int64_t foreign[] = {field(in, other, "Name")}, link[1], names[] = {field(in, id, "Name")};
    char body[128];
    struct wanted w = {.call = import, .id = id};

    snprintf(body, sizeof(body), "{'name':'Link','type':'link_row','link_row_table_id':%d}",
             (int)other);
    link[0] = add(in, id, body);
    wish.import.rows = wish.import.keys = quoted(in, "[['a']]");
    wish.import.identifying = foreign;
    wish.import.identifying_count = 1;
    assert_refused(in, GRID_FOREIGN_FIELD, .call = import, .id = id);
    wish.import.identifying = link;
    assert_refused(in, "Rows cannot be told apart by the field \"Link\"", .call = import, .id = id);
    wish.import.identifying = names;
    wish.import.keys = quoted(in, "[['a'],['b']]");
    assert_int_equal(ask_as(in, place.ann, &w), REFUSED);
    wish.import.keys = quoted(in, "[['a','b']]");
    assert_int_equal(ask_as(in, place.ann, &w), REFUSED);
    wish.import.keys = NULL;
    assert_int_equal(ask_as(in, place.ann, &w), REFUSED);
    wish.import.identifying_count = 0;
    wish.import.skipped = foreign;
    wish.import.skipped_count = 1;
    assert_refused(in, GRID_FOREIGN_FIELD, .call = import, .id = id);
}

/* ---- how far it is ---- */

struct listening {
    unsigned count, last, stop_at;
};

static bool listen(void *context, unsigned percent)
{
    struct listening *l = context;

    assert_true(percent >= l->last && percent < 100);
    l->last = percent;
    return ++l->count != l->stop_at;
}

static const json_t *many_rows(struct instance *in, size_t count)
{
    json_t *rows = json_array();

    arena_on_free(in->arena, json_release, rows);
    for (size_t i = 0; i < count; i++)
        json_array_append_new(rows, json_pack("[s]", "x"));
    return rows;
}

TEST(it_is_told_page_by_page_how_far_it_is)
{
    struct instance *in = *state;
    int64_t id = table(in, "T", "['Name']", "[]");
    struct listening l = {0};
    struct progress progress = {.report = listen, .context = &l};

    wish.progress = &progress;
    wish.import.rows = many_rows(in, 401);
    WANT(.call = import, .id = id);
    assert_int_equal(l.count, 3);
    assert_int_equal(l.last, 99);
    assert_int_equal(changes_of_rows(in), 401);
}

TEST(what_nobody_wants_any_more_is_undone)
{
    struct instance *in = *state;
    int64_t id = table(in, "T", "['Name']", "[]");
    struct listening l = {.stop_at = 2};
    struct progress progress = {.report = listen, .context = &l};

    wish.progress = &progress;
    wish.import.rows = many_rows(in, 1000);
    assert_refused(in, PROGRESS_STOPPED, .call = import, .id = id);
    assert_int_equal(l.count, 2);
    assert_rows(id, "");
}

#define AT(test) cmocka_unit_test_setup_teardown(test, setup, making_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        AT(rows_come_in_at_the_end_in_their_order),
        AT(what_does_not_fit_is_left_out_and_reported_by_row_and_field),
        AT(nothing_and_an_empty_text_are_empty),
        AT(fields_that_nobody_writes_have_no_place),
        AT(a_row_that_is_too_long_refuses_all),
        AT(only_members_import),
        AT(links_are_found_by_names_and_those_that_are_none_reported),
        AT(what_must_be_unique_comes_in_once),
        AT(rows_that_are_there_are_changed_each_once_and_the_lowest_first),
        AT(rows_that_are_changed_are_told_in_bulk_like_new_ones),
        AT(rows_are_told_apart_by_several_values_in_any_spelling),
        AT(fields_are_skipped),
        AT(what_cannot_tell_rows_apart_is_refused),
        AT(it_is_told_page_by_page_how_far_it_is),
        AT(what_nobody_wants_any_more_is_undone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
