#include "unit/model/grid.h"

#include <math.h>

#include "model/grid/order.h"

/* ---- fractions ---- */

static void the_simplest_fraction_lies_between(void **state)
{
    static const struct {
        double low, high, between;
    } cases[] = {
        {0, 1, 0.5},
        {1, 2, 1.5},
        {1, 3, 2},
        {0, 100, 1},
        {1, 1.5, 4.0 / 3},
        {1.5, 2, 5.0 / 3},
        {0, 0.5, 1.0 / 3},
        {0.5, 1, 2.0 / 3},
        {2.25, 2.75, 2.5},
        {0, 1.0 / 1000, 1.0 / 1001},
        {41, 41.001, 41 + 1.0 / 1001},
        {-1, 0, -0.5},
    };
    double between;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(order_between(cases[i].low, cases[i].high, &between), 0);
        assert_true(between >= cases[i].between && between <= cases[i].between);
    }
}

static void fractions_end_at_ten_millions(void **state)
{
    double between;

    (void)state;
    assert_int_equal(order_between(0, 1.0 / 9999999, &between), 0);
    assert_true(between >= 1e-7 && between <= 1e-7);
    assert_int_equal(order_between(0, 1e-7, &between), ORDER_FULL);
    assert_int_equal(order_between(1, 1, &between), ORDER_FULL);
    assert_int_equal(order_between(2, 1, &between), ORDER_FULL);
    assert_int_equal(order_between(0x1p60, 0x1p60, &between), ORDER_FULL);
    assert_int_equal(order_between(1, nextafter(1, 2), &between), ORDER_FULL);
}

static void places_are_told_with_twenty_digits(void **state)
{
    struct instance *in = *state;
    struct buf b;

    buf_init(&b, SIZE_MAX);
    order_put(&b, 3);
    buf_put_char(&b, ' ');
    order_put(&b, 1.5);
    buf_put_char(&b, ' ');
    order_put(&b, 0.25);
    assert_string_equal(text_of(in, &b),
                        "3.00000000000000000000 1.50000000000000000000 0.25000000000000000000");
}

/* ---- creating ---- */

static void rows_are_told_byte_by_byte(void **state)
{
    struct instance *in = *state;

    assert_string_equal(
        MAKE(in, "people", "[{'name':'Ann','age':'41'},{'name':'B\\u00f6b','stranger':1}]"),
        "{'id':1,'order':'1.00000000000000000000','name':'Ann','age':'41','boss':[],'works':[],"
        "'friends':[]},"
        "{'id':2,'order':'2.00000000000000000000','name':'B\xc3\xb6"
        "b','age':null,'boss':[],'works':[],'friends':[]}");
    assert_string_equal(GET(in, "people", 2, 1),
                        "{'id':2,'order':'2.00000000000000000000','name':'B\xc3\xb6"
                        "b','age':null,'boss':[],'works':[],'friends':[]},"
                        "{'id':1,'order':'1.00000000000000000000','name':'Ann','age':'41',"
                        "'boss':[],'works':[],'friends':[]}");
}

static void rows_of_a_batch_that_get_the_same_are_one_operation(void **state)
{
    struct instance *in = *state;

    MAKE(in, "plain", "[{'code':'a'},{'code':'b'},{'code':'c'}]");
    assert_int_equal(in->commit->count, 3);
    assert_int_equal(in->commit->operations, 1);
    assert_int_equal(in->commit->changes[2]->operation, 0);
    CHANGE(in, "plain", "[{'id':1,'size':1},{'id':3,'size':1},{'id':2,'size':1}]");
    assert_int_equal(in->commit->count, 3);
    assert_int_equal(in->commit->operations, 1);
    assert_int_equal(in->commit->changes[1]->key.value.integer, 3);
    CHANGE(in, "plain", "[{'id':1,'size':2},{'id':3,'size':2},{'id':2,'size':1}]");
    assert_int_equal(in->commit->count, 3);
    assert_int_equal(in->commit->operations, 2);
    assert_int_equal(in->commit->changes[1]->operation, 0);
    assert_int_equal(in->commit->changes[2]->operation, 1);
    CHANGE(in, "plain", "[{'id':1,'size':3},{'id':3,'size':4},{'id':2,'size':3}]");
    assert_int_equal(in->commit->operations, 3);
    assert_int_equal(in->commit->changes[1]->key.value.integer, 3);
}

static void what_is_not_given_gets_its_default(void **state)
{
    struct instance *in = *state;

    assert_string_equal(MAKE(in, "plain", "[{'code':'a'},{'code':'b','size':null}]"),
                        "{'id':1,'order':'1.00000000000000000000','code':'a','size':'7'},"
                        "{'id':2,'order':'2.00000000000000000000','code':'b','size':null}");
}

static void all_mistakes_of_a_batch_are_told_with_their_places(void **state)
{
    struct instance *in = *state;

    assert_string_equal(
        REFUSED_MAKE(in, "people", "[{'age':'x'},{'age':1},{'age':'y','boss':99,'works':[true]}]"),
        "0 age invalid, 2 age invalid, 2 boss does_not_exist, 2 works invalid");
    MAKE(in, "plain", "[{'code':'a'}]");
    assert_int_equal(in->commit->changes[0]->key.value.integer, 1);
}

static void rows_with_other_keys_have_numbers(void **state)
{
    struct instance *in = *state;

    const char *told = MAKE(in, "keyed", "[{'label':'one','grade':1},{'label':'two','grade':'2'}]");
    assert_non_null(strstr(told, "{'id':1,'order':'1.00000000000000000000'"));
    assert_non_null(strstr(told, "{'id':2,'order':'2.00000000000000000000'"));
    told = CHANGE(in, "keyed", "[{'id':2,'label':'deux'}]");
    assert_non_null(strstr(told, "'label':'deux','grade':'2'"));
}

static void columns_that_hold_no_null_refuse_it(void **state)
{
    struct instance *in = *state;

    assert_string_equal(REFUSED_MAKE(in, "keyed", "[{'label':'one'},{'grade':null}]"),
                        "0 grade required, 1 grade null");
    const char *told = MAKE(in, "keyed", "[{'label':null,'grade':1},{'grade':1}]");
    assert_non_null(strstr(told, "'label':'','grade':'1'"));
    assert_string_equal(REFUSED_CHANGE(in, "keyed", "[{'id':1,'grade':null}]"), "0 grade null");
}

static void passwords_are_hashed_and_told_as_true(void **state)
{
    struct instance *in = *state;

    const char *told = MAKE(in, "keyed", "[{'grade':1,'word':'secret'},{'grade':1}]");
    assert_non_null(strstr(told, "'word':true"));
    assert_non_null(strstr(told, "'word':null"));
    const struct change *change = in->commit->changes[0];
    unsigned word = shape_column(&change->table->shape, STR("word"))->index;
    assert_str(change->after[word].text, "**********");
    told = CHANGE(in, "keyed", "[{'id':1,'word':true}]");
    assert_non_null(strstr(told, "'word':true"));
    assert_false(column_set_has(&in->commit->changes[0]->changed, word));
    assert_non_null(strstr(CHANGE(in, "keyed", "[{'id':1,'word':null}]"), "'word':null"));
}

static void values_that_are_unique_stay_so(void **state)
{
    struct instance *in = *state;

    MAKE(in, "plain", "[{'code':'a'},{'code':'b'},{},{}]");
    assert_string_equal(REFUSED_MAKE(in, "plain", "[{'code':'c'},{'code':'c'}]"),
                        GRID_CONSTRAINT_BROKEN ": code");
    assert_string_equal(REFUSED_MAKE(in, "plain", "[{'code':'a'}]"),
                        GRID_CONSTRAINT_BROKEN ": code");
    assert_string_equal(REFUSED_CHANGE(in, "plain", "[{'id':1,'code':'b'}]"),
                        GRID_CONSTRAINT_BROKEN ": code");
    CHANGE(in, "plain", "[{'id':1,'code':'a'},{'id':3,'code':'d'}]");
}

/* ---- updating ---- */

static void rows_that_are_not_there_refuse_all(void **state)
{
    struct instance *in = *state;

    MAKE(in, "plain", "[{'code':'a'}]");
    assert_string_equal(
        REFUSED_CHANGE(in, "plain", "[{'id':7,'size':1},{'id':1,'size':1},{'id':9}]"),
        GRID_NO_ROW ": 7, 9");
    assert_string_equal(REFUSED_CHANGE(in, "plain", "[{'id':1,'size':1},{'id':1,'size':2}]"),
                        GRID_ROWS_TWICE ": ");
    assert_string_equal(GET(in, "plain", 1),
                        "{'id':1,'order':'1.00000000000000000000','code':'a','size':'7'}");
    assert_string_equal(
        refusal(in, (struct deed){.kind = DEED_DELETE, .table = "plain", IDS_(1, 2)}),
        GRID_NO_ROW ": 2");
    assert_string_equal(
        refusal(in, (struct deed){.kind = DEED_DELETE, .table = "plain", IDS_(1, 1)}),
        GRID_ROWS_TWICE ": ");
    assert_string_equal(refusal(in, (struct deed){.kind = DEED_GET, .table = "plain", IDS_(1, 2)}),
                        GRID_NO_ROW ": 2");
}

static void equal_values_are_told_too(void **state)
{
    struct instance *in = *state;

    MAKE(in, "plain", "[{'code':'a'}]");
    CHANGE(in, "plain", "[{'id':1,'code':'a'}]");
    assert_int_equal(in->commit->count, 1);
    const struct change *change = in->commit->changes[0];
    const struct note *note = news_find(in->commit, change->operation);
    assert_non_null(note);
    assert_int_equal(note->kind, NOTE_PLAIN);
    assert_true(column_set_has(note->fields, 0)); /* "code" */
    assert_false(column_set_has(note->fields, 1));
    assert_false(
        column_set_has(&change->changed, shape_column(&change->table->shape, STR("code"))->index));
    assert_true(column_set_has(&change->submitted,
                               shape_column(&change->table->shape, STR("code"))->index));
}

static void an_update_of_nothing_is_a_change(void **state)
{
    struct instance *in = *state;

    MAKE(in, "plain", "[{'code':'a'}]");
    CHANGE(in, "plain", "[{'id':1}]");
    assert_int_equal(in->commit->count, 1);
    assert_non_null(news_find(in->commit, 0)->fields);
}

static void images_before_are_of_the_same_moment(void **state)
{
    struct instance *in = *state;
    unsigned size;

    MAKE(in, "plain", "[{'code':'a','size':1},{'code':'b','size':2}]");
    CHANGE(in, "plain", "[{'id':2,'size':3},{'id':1,'size':4}]");
    const struct change *first = in->commit->changes[0], *second = in->commit->changes[1];
    size = shape_column(&first->table->shape, STR("size"))->index;
    assert_int_equal(first->key.value.integer, 2);
    assert_int_equal(first->before[size].integer, 2);
    assert_int_equal(first->after[size].integer, 3);
    assert_int_equal(second->before[size].integer, 1);
    assert_int_equal(second->after[size].integer, 4);
}

static void two_hundred_rows_go_in_one_batch(void **state)
{
    struct instance *in = *state;
    struct buf b;
    int64_t ids[200];

    buf_init(&b, SIZE_MAX);
    for (int i = 0; i < 200; i++)
        buf_printf(&b, "%s{'code':'c%d'}", i > 0 ? "," : "[", i);
    buf_put_char(&b, ']');
    MAKE(in, "plain", text_of(in, &b));
    assert_int_equal(in->commit->count, 200);
    buf_init(&b, SIZE_MAX);
    for (int i = 0; i < 200; i++)
        buf_printf(&b, "%s{'id':%d,'size':%d}", i > 0 ? "," : "[", 200 - i, i % 3);
    buf_put_char(&b, ']');
    CHANGE(in, "plain", text_of(in, &b));
    assert_int_equal(in->commit->count, 200);
    assert_int_equal(in->commit->operations, 200);
    assert_int_equal(in->commit->changes[0]->key.value.integer, 200);
    for (int i = 0; i < 200; i++)
        ids[i] = i + 1;
    deed(in, (struct deed){.kind = DEED_DELETE, .table = "plain", .ids = ids, .count = 200});
    size_t gone = 0;
    for (size_t i = 0; i < in->commit->count; i++)
        gone += !in->commit->changes[i]->table->system;
    assert_int_equal(gone, 200);
    assert_string_equal(refusal(in, (struct deed){.kind = DEED_GET, .table = "plain", IDS_(1)}),
                        GRID_NO_ROW ": 1");
}

/* ---- order ---- */

static void rows_are_made_one_after_another_before_a_row(void **state)
{
    struct instance *in = *state;

    MAKE(in, "plain", "[{},{}]");
    const char *told = MAKE_BEFORE(in, "plain", 2, "[{},{}]");
    assert_non_null(strstr(told, "{'id':3,'order':'1.50000000000000000000'"));
    assert_non_null(strstr(told, "{'id':4,'order':'1.6666666666666667"));
    const struct note *note = news_find(in->commit, 0);
    assert_int_equal(note->kind, NOTE_BEFORE);
    assert_int_equal(note->row, 2);
    told = MAKE_BEFORE(in, "plain", 1, "[{}]");
    assert_non_null(strstr(told, "'order':'0.50000000000000000000'"));
    told = MAKE(in, "plain", "[{}]");
    assert_non_null(strstr(told, "'order':'3.00000000000000000000'"));
    assert_string_equal(
        refusal(in,
                (struct deed){.kind = DEED_CREATE, .table = "plain", .json = "[{}]", .before = 77}),
        GRID_NO_ROW ": 77");
}

static void moving_changes_nothing_but_the_order(void **state)
{
    struct instance *in = *state;

    MAKE(in, "plain", "[{'code':'a'},{'code':'b'},{'code':'c'}]");
    assert_string_equal(MOVE(in, "plain", 3, 2),
                        "{'id':3,'order':'1.50000000000000000000','code':'c','size':'7'}");
    assert_int_equal(in->commit->count, 1);
    const struct change *change = in->commit->changes[0];
    for (unsigned i = 0; i < change->table->shape.count; i++)
        assert_int_equal(column_set_has(&change->changed, i),
                         i == table_hidden(change->table, HIDDEN_ORDER)->index);
    assert_int_equal(news_find(in->commit, change->operation)->kind, NOTE_MOVED);
    assert_non_null(strstr(MOVE(in, "plain", 1, 0), "'order':'4.00000000000000000000'"));
    assert_string_equal(refusal(in, (struct deed){.kind = DEED_MOVE, .table = "plain", IDS_(9)}),
                        GRID_NO_ROW ": 9");
    assert_string_equal(
        refusal(in, (struct deed){.kind = DEED_MOVE, .table = "plain", IDS_(1), .before = 9}),
        GRID_NO_ROW ": 9");
}

/* Two rows so close that nothing fits between them. */
static int crowd(struct tx *tx, void *context)
{
    const struct table *t = catalogue_table(tx->catalogue, STR("plain"));
    const struct value one = value_integer(2);
    const struct assignment close = {table_hidden(t, HIDDEN_ORDER), value_real(nextafter(1, 2))};
    (void)context;
    return store_update(tx->store, &t->shape, &close, 1,
                        expr_test(tx->arena, table_key(t), OP_EQ, &one, 1), tx->now_ms, NULL, NULL);
}

static int crowd_and_note(struct tx *tx, void *context)
{
    const struct table *t = catalogue_table(tx->catalogue, STR("plain"));
    struct item_key key;
    int rc = crowd(tx, context);
    /* A commit without a change keeps nothing. */
    return rc == 0 ? items_create(tx, t, json_of(context, "{}"), &key) : rc;
}

static void a_table_without_room_is_numbered_anew(void **state)
{
    struct instance *in = *state;

    MAKE(in, "plain", "[{'code':'a'},{'code':'b'},{'code':'c'}]");
    assert_int_equal(write_as(in, NULL, crowd_and_note, in), 0);
    assert_string_equal(MOVE(in, "plain", 3, 2),
                        "{'id':3,'order':'1.50000000000000000000','code':'c','size':'7'}");
    size_t renumbered = 0;
    for (const struct note *n = in->commit->news->notes; n; n = n->next)
        if (n->kind == NOTE_RENUMBERED) {
            renumbered++;
            assert_true(n->operation < in->commit->changes[0]->operation);
        }
    assert_int_equal(renumbered, 1);
    assert_non_null(strstr(GET(in, "plain", 2), "'order':'2.00000000000000000000'"));
    assert_non_null(strstr(GET(in, "plain", 4), "'order':'4.00000000000000000000'"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_simplest_fraction_lies_between),
        cmocka_unit_test(fractions_end_at_ten_millions),
#define GRID_TEST(name) cmocka_unit_test_setup_teardown(name, grid_setup, instance_teardown)
        GRID_TEST(places_are_told_with_twenty_digits),
        GRID_TEST(rows_are_told_byte_by_byte),
        GRID_TEST(rows_of_a_batch_that_get_the_same_are_one_operation),
        GRID_TEST(what_is_not_given_gets_its_default),
        GRID_TEST(all_mistakes_of_a_batch_are_told_with_their_places),
        GRID_TEST(rows_with_other_keys_have_numbers),
        GRID_TEST(columns_that_hold_no_null_refuse_it),
        GRID_TEST(passwords_are_hashed_and_told_as_true),
        GRID_TEST(values_that_are_unique_stay_so),
        GRID_TEST(rows_that_are_not_there_refuse_all),
        GRID_TEST(equal_values_are_told_too),
        GRID_TEST(an_update_of_nothing_is_a_change),
        GRID_TEST(images_before_are_of_the_same_moment),
        GRID_TEST(two_hundred_rows_go_in_one_batch),
        GRID_TEST(rows_are_made_one_after_another_before_a_row),
        GRID_TEST(moving_changes_nothing_but_the_order),
        GRID_TEST(a_table_without_room_is_numbered_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
