#include "unit/model/grid.h"

/*
 * What is gathered with a commit, told as text: of each aside its table, the fields that read
 * otherwise, and its rows with the links in these fields before and now:
 * "projects staff: 2 [Ann] [Ann, Bob]; …".
 */

static void put_cell(struct buf *b, const struct links *links, const struct grid_field *f,
                     const struct value *key)
{
    buf_put_lit(b, " [");
    links_put_text(b, links_cell(links, f, key));
    buf_put_char(b, ']');
}

static void put_aside(struct buf *b, const struct aside *a)
{
    const struct grid_table *t = a->table;

    buf_printf(b, "%s%.*s", b->len > 0 ? "; " : "", STR_ARG(t->name));
    for (size_t i = 0; i < t->field_count; i++)
        if (column_set_has(&a->fields, (unsigned)i))
            buf_printf(b, " %.*s", STR_ARG(t->fields[i].name));
    buf_put_str(b, a->many ? STR(": many") : STR(":"));
    for (size_t r = 0; r < a->count; r++) {
        const struct value *row = a->rows[r].row;
        buf_printf(b, " %lld", (long long)grid_row_id(t, row));
        for (size_t i = 0; i < t->field_count; i++) {
            if (!column_set_has(&a->fields, (unsigned)i))
                continue;
            put_cell(b, a->links_before, &t->fields[i], &row[t->table->shape.key]);
            put_cell(b, a->links, &t->fields[i], &row[t->table->shape.key]);
        }
    }
}

static const char *asides(struct instance *in)
{
    struct buf b;

    buf_init(&b, SIZE_MAX);
    for (const struct aside *a = in->commit->news ? in->commit->news->asides : NULL; a; a = a->next)
        put_aside(&b, a);
    return text_of(in, &b);
}

/* The links of a row that the commit changed: "works [Moon] [Moon, Mars] friends …", of the fields
 * that say so. */
static const char *changed(struct instance *in, const char *table, int64_t id)
{
    const struct table *t =
        catalogue_table(in->commit->catalogue, str_of(table)); /* it did not change */
    const struct grid_table *grid = grid_table_of(in->commit->catalogue, t);
    const struct news_links *l = news_links_of(in->commit, grid);
    const struct value key = value_integer(id);
    struct buf b;

    if (!l)
        return NULL;
    buf_init(&b, SIZE_MAX);
    for (size_t i = 0; i < grid->field_count; i++) {
        if (!column_set_has(&l->fields, (unsigned)i))
            continue;
        buf_printf(&b, "%s%.*s", b.len > 0 ? " " : "", STR_ARG(grid->fields[i].name));
        put_cell(&b, l->before, &grid->fields[i], &key);
        put_cell(&b, l->after, &grid->fields[i], &key);
    }
    return text_of(in, &b);
}

static void make_some(struct instance *in)
{
    MAKE(in, "projects", "[{'title':'Moon'},{'title':'Mars'},{'title':'Sun'}]");
    MAKE(in, "people", "[{'name':'Ann','works':[1,2]},{'name':'Bob','works':[2]},{'name':'Cat'}]");
    assert_string_equal(asides(in), "projects staff: 1 [] [Ann] 2 [] [Ann, Bob]");
    CHANGE(in, "people", "[{'id':2,'boss':1},{'id':3,'friends':[1]}]");
    assert_string_equal(asides(in), ""); /* Ann's own cells are the same */
}

/* ---- far ends ---- */

static void both_ends_of_a_new_link_are_told(void **state)
{
    struct instance *in = *state;

    make_some(in);
    CHANGE(in, "people", "[{'id':1,'works':[2,3]}]");
    assert_string_equal(changed(in, "people", 1), "works [Moon, Mars] [Mars, Sun]");
    assert_string_equal(asides(in), "projects staff: 1 [Ann] [] 3 [] [Ann]");
}

static void a_link_that_others_make_is_told_at_both_ends(void **state)
{
    struct instance *in = *state;

    make_some(in);
    create(in, "work", "{'near':3,'far':1}");
    assert_string_equal(asides(in),
                        "people works: 3 [] [Moon]; projects staff: 1 [Ann] [Ann, Cat]");
    assert_null(changed(in, "people", 3));
    assert_int_equal(try_delete(in, NULL, "work", STR("1")), 0);
    assert_string_equal(asides(in),
                        "people works: 1 [Moon, Mars] [Mars]; projects staff: 1 [Ann, Cat] [Cat]");
    assert_int_equal(try_update(in, NULL, "work", STR("2"), "{'far':3}"), 0);
    assert_string_equal(asides(in), "people works: 1 [Mars] [Sun]; "
                                    "projects staff: 2 [Ann, Bob] [Bob] 3 [] [Ann]");
}

static void far_ends_of_a_row_that_goes_are_told(void **state)
{
    struct instance *in = *state;

    make_some(in);
    DELETE(in, "people", 1);
    assert_string_equal(
        asides(in), "projects staff: 1 [Ann] [] 2 [Ann, Bob] [Bob]; people friends: 3 [Ann] []");
    const struct news_links *l = in->commit->news->links;
    const struct value one = value_integer(1);
    const struct grid_field *works = grid_table_field_named(l->table, STR("works"));
    assert_int_equal(links_cell(l->before, works, &one)->count, 2);
    assert_int_equal(links_cell(l->after, works, &one)->count, 0);
    /* Bob's boss is gone: a change of its own, with what was there before. */
    assert_string_equal(changed(in, "people", 2), "boss [Ann] []");
}

/* ---- names ---- */

static void who_is_linked_to_a_row_hears_of_its_new_name(void **state)
{
    struct instance *in = *state;

    make_some(in);
    CHANGE(in, "people", "[{'id':1,'name':'Anna'}]");
    assert_string_equal(asides(in), "people boss friends: 2 [Ann] [Anna] [] [] 3 [] [] [Ann] [Anna]"
                                    "; projects staff: 1 [Ann] [Anna] 2 [Ann, Bob] [Anna, Bob]");
    assert_string_equal(changed(in, "people", 1), "");
    CHANGE(in, "people", "[{'id':1,'name':'Anna','age':4}]");
    assert_string_equal(asides(in), "");
    assert_int_equal(try_update(in, NULL, "people", STR("2"), "{'name':'Bo'}"), 0);
    assert_string_equal(asides(in), "projects staff: 2 [Anna, Bob] [Anna, Bo]");
}

static void who_is_linked_to_a_row_hears_of_its_new_place(void **state)
{
    struct instance *in = *state;

    make_some(in);
    MOVE(in, "projects", 1, 0);
    assert_string_equal(asides(in), "people works: 1 [Moon, Mars] [Mars, Moon]");
}

static void rows_that_the_commit_changes_are_no_asides(void **state)
{
    struct instance *in = *state;

    make_some(in);
    CHANGE(in, "people", "[{'id':1,'name':'Anna'},{'id':2,'age':3},{'id':3,'friends':[1,2]}]");
    assert_string_equal(asides(in), "projects staff: 1 [Ann] [Anna] 2 [Ann, Bob] [Anna, Bob]");
    assert_string_equal(changed(in, "people", 2), "boss [Ann] [Anna] friends [] []");
    assert_string_equal(changed(in, "people", 3), "boss [] [] friends [Ann] [Anna, Bob]");
}

/* ---- limits ---- */

static void link_to_one(struct instance *in, int count)
{
    struct buf b;

    MAKE(in, "projects", "[{'title':'Moon'}]");
    buf_init(&b, SIZE_MAX);
    for (int i = 0; i < count; i++)
        buf_printf(&b, "%s{'works':[1]}", i > 0 ? "," : "[");
    buf_put_char(&b, ']');
    MAKE(in, "people", text_of(in, &b));
}

static void two_hundred_rows_are_told_one_by_one(void **state)
{
    struct instance *in = *state;

    link_to_one(in, ASIDE_ROWS_MAX);
    CHANGE(in, "projects", "[{'id':1,'title':'Mond'}]");
    const struct aside *a = in->commit->news->asides;
    assert_false(a->many);
    assert_int_equal(a->count, ASIDE_ROWS_MAX);
    assert_int_equal(grid_row_id(a->table, a->rows[0].row), 1);
    assert_null(a->next);
}

static void more_are_told_as_many(void **state)
{
    struct instance *in = *state;

    link_to_one(in, ASIDE_ROWS_MAX + 1);
    CHANGE(in, "projects", "[{'id':1,'title':'Mond'}]");
    assert_string_equal(asides(in), "people works: many");
    CHANGE(in, "projects", "[{'id':1,'staff':[]}]");
    assert_string_equal(asides(in), "people works: many");
}

/* ---- nothing ---- */

static void nothing_is_gathered_where_nothing_is_linked(void **state)
{
    struct instance *in = *state;

    create(in, "plain", "{'code':'a'}");
    assert_null(in->commit->news);
    MAKE(in, "plain", "[{'code':'b'}]");
    assert_null(in->commit->news->links);
    assert_null(in->commit->news->asides);
}

static void nothing_is_gathered_that_nobody_hears(void **state)
{
    struct instance *in = *state;

    make_some(in);
    in->model->grid_heard = false;
    create(in, "work", "{'near':3,'far':1}");
    assert_null(in->commit->news);
    CHANGE(in, "projects", "[{'id':1,'title':'Mond'}]");
    assert_null(in->commit->news->asides);
    model_note_grid_heard(in->model);
    CHANGE(in, "projects", "[{'id':1,'title':'Luna'}]");
    assert_non_null(in->commit->news->asides);
}

static int rename_in_bulk(struct tx *tx, void *context)
{
    const struct table *t = catalogue_table(tx->catalogue, STR("projects"));
    const struct item_key key = {.value = value_integer(1)};
    json_t *payload;

    assert_int_equal(json_read_in(tx->arena, STR("{\"title\":\"Mond\"}"), &payload, NULL), 0);
    (void)context;
    news_note(tx, NOTE_BULK, tx->commit->operations, t, 0, NULL);
    return items_update(tx, t, &key, 1, payload);
}

static void what_comes_in_bulk_brings_others_to_be_told_like_anything_else(void **state)
{
    struct instance *in = *state;

    make_some(in);
    assert_int_equal(write_as(in, NULL, rename_in_bulk, NULL), 0);
    assert_string_equal(asides(in), "people works: 1 [Moon, Mars] [Mond, Mars]");
    assert_null(in->commit->news->links);
}

static void notes_are_found_by_operation(void **state)
{
    struct instance *in = *state;

    MAKE(in, "plain", "[{'code':'a'}]");
    const struct note *note = news_find(in->commit, 0);
    assert_int_equal(note->kind, NOTE_PLAIN);
    assert_true(str_equal(note->table->name, STR("plain")));
    assert_null(news_find(in->commit, 1));
}

int main(void)
{
#define GRID_TEST(name) cmocka_unit_test_setup_teardown(name, grid_setup, instance_teardown)
    const struct CMUnitTest tests[] = {
        GRID_TEST(both_ends_of_a_new_link_are_told),
        GRID_TEST(a_link_that_others_make_is_told_at_both_ends),
        GRID_TEST(far_ends_of_a_row_that_goes_are_told),
        GRID_TEST(who_is_linked_to_a_row_hears_of_its_new_name),
        GRID_TEST(who_is_linked_to_a_row_hears_of_its_new_place),
        GRID_TEST(rows_that_the_commit_changes_are_no_asides),
        GRID_TEST(two_hundred_rows_are_told_one_by_one),
        GRID_TEST(more_are_told_as_many),
        GRID_TEST(nothing_is_gathered_where_nothing_is_linked),
        GRID_TEST(nothing_is_gathered_that_nobody_hears),
        GRID_TEST(what_comes_in_bulk_brings_others_to_be_told_like_anything_else),
        GRID_TEST(notes_are_found_by_operation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
