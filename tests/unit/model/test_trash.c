#include "unit/model/making.h"

#include "model/grid/history.h"
#include "model/grid/trash.h"

/* The trash and history where a request of the dialect alone does not get to: what is deleted for
 * good while what it is linked to lies in the trash as well. */

#define TEST(name) static void name(void **state)

static int purge_entry(struct tx *tx, struct wanted *w)
{
    return trash_purge(tx, w->id);
}

static int bring_back(struct tx *tx, struct wanted *w)
{
    return trash_restore(tx, (enum trash_type)w->target, w->id, 0);
}

/* As the system. */
static void purge(struct instance *in, int64_t entry)
{
    AUTO(catalogue_unref) struct catalogue *c = model_catalogue(in->model);
    AUTO(principal_unref) struct principal *system = principal_system(c);
    struct wanted w = {.call = purge_entry, .id = entry};

    assert_int_equal(ask_as(in, system, &w), 0);
}

#define BRING_BACK(type, id_) WANT(.call = bring_back, .target = (type), .id = (id_))

/* The entry of what went into the trash last. */
static int64_t last_entry(struct instance *in)
{
    struct system_rows entries = rows_where(in, SYSTEM_TRASH, NULL, STR_NULL);

    assert_true(entries.count > 0);
    return system_integer(SYSTEM_TRASH, entries.at[entries.count - 1], "id");
}

/* B, whose field "A" leads to A and whose rows are linked; returns the field. */
static int64_t make_linked(struct instance *in, int64_t *a_out, int64_t *b_out)
{
    char body[80];

    *a_out = table(in, "A", "['Name']", "[['x'],['y']]");
    *b_out = table(in, "B", "['Name']", "[['one'],['two']]");
    snprintf(body, sizeof(body), "{'name':'A','type':'link_row','link_row_table_id':%d}",
             (int)*a_out);
    int64_t link = add(in, *b_out, body);
    assert_int_equal(put(in, *b_out, 1, "{'A':['x','y']}"), 0);
    return link;
}

/* Junctions are the collections that are marked so. */
static size_t count_junctions(struct instance *in)
{
    struct system_rows all = rows_where(in, SYSTEM_COLLECTIONS, NULL, STR_NULL);
    size_t count = 0;

    for (size_t i = 0; i < all.count; i++)
        count += system_integer(SYSTEM_COLLECTIONS, all.at[i], "rowcast_junction") != 0;
    return count;
}

/* ---- going for good ---- */

TEST(a_link_goes_for_good_while_its_target_is_in_the_trash)
{
    struct instance *in = *state;
    int64_t a, b, link = make_linked(in, &a, &b);

    WANT(.call = field_delete, .id = link);
    int64_t entry = last_entry(in);
    WANT(.call = table_delete, .id = a);
    purge(in, entry);
    assert_int_equal(count_junctions(in), 0);
    BRING_BACK(TRASH_TABLE, a);
    assert_fields(a, "Name text*");
    assert_fields(b, "Name text*");
    assert_rows(a, "1 x / 2 y");
}

TEST(a_table_goes_for_good_while_what_links_to_it_is_in_the_trash)
{
    struct instance *in = *state;
    int64_t a, b;

    make_linked(in, &a, &b);
    WANT(.call = table_delete, .id = a);
    int64_t entry = last_entry(in);
    WANT(.call = table_delete, .id = b);
    purge(in, entry);
    assert_int_equal(count_junctions(in), 0);
    BRING_BACK(TRASH_TABLE, b);
    assert_fields(b, "Name text*");
    assert_rows(b, "1 one / 2 two");
    assert_int_equal(put(in, b, 1, "{'Name':'eins'}"), 0);
}

TEST(a_table_goes_for_good_while_what_it_links_to_is_in_the_trash)
{
    struct instance *in = *state;
    int64_t a, b;

    make_linked(in, &a, &b);
    WANT(.call = table_delete, .id = a);
    WANT(.call = table_delete, .id = b);
    purge(in, last_entry(in));
    assert_int_equal(count_junctions(in), 0);
    BRING_BACK(TRASH_TABLE, a);
    assert_fields(a, "Name text*");
    assert_rows(a, "1 x / 2 y");
}

/* As others make it: a column that refers to a table of another database. */
static int make_reference(struct instance *in, struct tx *tx)
{
    struct str table, field;
    int rc = schema_create_field(tx, STR("y"),
                                 json_of(in, "{\"field\":\"x\",\"type\":\"integer\"}"), &field);

    return rc == 0 ? schema_create_relation(tx,
                                            json_of(in, "{\"collection\":\"y\",\"field\":\"x\","
                                                        "\"related_collection\":\"x\"}"),
                                            &table, &field)
                   : rc;
}

static int trash_other(struct tx *tx, struct wanted *w)
{
    (void)w;
    return trash_application(tx, place.other_database);
}

TEST(a_duplicate_refers_to_nothing_that_is_in_the_trash)
{
    struct instance *in = *state;
    int64_t y = table(in, "Y", "['Name']", "[['one']]");

    WANT(.call = table_create, .id = place.other_database,
         .draft = &(struct grid_draft){.name = STR("X")});
    assert_int_equal(run(in, WRITER_SCHEMA, make_reference), 0);
    WANT(.call = trash_other);
    int64_t copy = WANT(.call = table_duplicate, .id = y, .text = "Y 2");
    purge(in, last_entry(in));
    assert_int_equal(put(in, copy, 0, "{'Name':'two'}"), 0);
    assert_int_equal(put(in, y, 0, "{'Name':'two'}"), 0);
}

/* ---- coming back ---- */

TEST(a_link_that_comes_back_with_a_table_leaves_the_names_of_others)
{
    struct instance *in = *state;
    int64_t a, b;

    make_linked(in, &a, &b);
    WANT(.call = table_delete, .id = a);
    add(in, b, "{'name':'A','type':'text'}");
    BRING_BACK(TRASH_TABLE, a);
    assert_fields(b, "Name text* | A 2 link_row | A text");
}

static int delete_row(struct tx *tx, struct wanted *w)
{
    return grid_rows_delete(tx, grid_table(tx->catalogue, w->id), &w->target, 1);
}

static int restore_row(struct tx *tx, struct wanted *w)
{
    return trash_restore(tx, TRASH_ROW, w->target, w->id);
}

TEST(a_row_that_comes_back_has_no_number_that_was_given_to_another_one)
{
    struct instance *in = *state;
    int64_t id = table(in, "A", "['Name']", "[['x'],['y'],['z']]");
    int64_t number = add(in, id, "{'name':'No','type':'autonumber'}");

    WANT(.call = delete_row, .id = id, .target = 2);
    change(in, number, "{'type':'text'}");
    change(in, number, "{'type':'autonumber'}");
    assert_rows(id, "1 x|1 / 3 z|2");
    WANT(.call = restore_row, .id = id, .target = 2);
    assert_rows(id, "1 x|1 / 2 y|3 / 3 z|2");
}

TEST(a_row_that_comes_back_is_not_linked_to_rows_of_another_table)
{
    struct instance *in = *state;
    int64_t a, b, link = make_linked(in, &a, &b), c = table(in, "C", "['Name']", "[['other']]");
    char body[64];

    assert_int_equal(put(in, b, 2, "{'A':['x']}"), 0);
    WANT(.call = delete_row, .id = b, .target = 1);
    WANT(.call = restore_row, .id = b, .target = 1);
    assert_rows(b, "1 one|x, y / 2 two|x");
    WANT(.call = delete_row, .id = b, .target = 1);
    snprintf(body, sizeof(body), "{'link_row_table_id':%d}", (int)c);
    change(in, link, body);
    WANT(.call = restore_row, .id = b, .target = 1);
    assert_rows(b, "1 one| / 2 two|");
}

/* ---- history ---- */

static int prune_all(struct tx *tx, void *context)
{
    bool *more = context;
    return history_prune(tx, tx->now_ms + 1000, more);
}

TEST(history_that_is_pruned_stays_away)
{
    struct instance *in = *state;
    int64_t id;
    bool more = true;

    in->settings.row_history_retention_ms = 1000;
    id = table(in, "A", "['Name']", "[['x']]");
    assert_int_equal(put(in, id, 1, "{'Name':'y'}"), 0);
    assert_int_equal(rows_where(in, SYSTEM_HISTORY, NULL, STR_NULL).count, 1);
    assert_int_equal(write_as(in, NULL, prune_all, &more), 0);
    assert_false(more);
    assert_int_equal(rows_where(in, SYSTEM_HISTORY, NULL, STR_NULL).count, 0);
}

#define AT(test) cmocka_unit_test_setup_teardown(test, making_setup, making_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        AT(a_link_goes_for_good_while_its_target_is_in_the_trash),
        AT(a_table_goes_for_good_while_what_links_to_it_is_in_the_trash),
        AT(a_table_goes_for_good_while_what_it_links_to_is_in_the_trash),
        AT(a_duplicate_refers_to_nothing_that_is_in_the_trash),
        AT(a_link_that_comes_back_with_a_table_leaves_the_names_of_others),
        AT(a_row_that_comes_back_has_no_number_that_was_given_to_another_one),
        AT(a_row_that_comes_back_is_not_linked_to_rows_of_another_table),
        AT(history_that_is_pruned_stays_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
