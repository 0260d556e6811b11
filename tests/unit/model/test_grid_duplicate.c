#include "unit/model/making.h"

#include "model/instance.h"
#include "model/items/records.h"
#include "model/progress.h"
#include "model/schema/schema.h"

/* Duplicates of tables among others of their application, and of whole applications. */

#define TEST(name) static void name(void **state)

static int duplicate_application(struct tx *tx, struct wanted *w)
{
    return grid_application_duplicate(tx, w->id, &w->made);
}

static int duplicate_table(struct tx *tx, struct wanted *w)
{
    return grid_table_duplicate(tx, w->id, STR_NULL, &w->made);
}

static int64_t link_to(struct instance *in, int64_t from, const char *name, int64_t to)
{
    return add(
        in, from,
        arena_z(in->arena,
                arena_printf(in->arena, "{'name':'%s','type':'link_row','link_row_table_id':%d}",
                             name, (int)to)));
}

/* The table of that name in an application. */
static int64_t table_in(struct instance *in, int64_t application, const char *name)
{
    size_t count;
    const struct grid_table *const *tables = grid_tables(now(in), application, &count);

    for (size_t i = 0; i < count; i++)
        if (str_equal(tables[i]->name, str_of(name)))
            return tables[i]->id;
    fail_msg("no table %s", name);
    return 0;
}

TEST(a_duplicate_has_the_next_free_name)
{
    struct instance *in = *state;
    int64_t id = table(in, "T", "['A']", "[['x']]");

    int64_t second = WANT(.call = duplicate_table, .id = id);
    int64_t third = WANT(.call = duplicate_table, .id = id);
    assert_str(grid_table(now(in), second)->name, "T 2");
    assert_str(grid_table(now(in), third)->name, "T 3");
    int64_t of_second = WANT(.call = duplicate_table, .id = second);
    assert_str(grid_table(now(in), of_second)->name, "T 2 2");
    assert_rows(third, "1 x");
}

TEST(links_between_the_tables_of_an_application_lead_to_the_duplicates)
{
    struct instance *in = *state;
    int64_t goods = table(in, "Goods", "['Name']", "[['pen'],['ink']]");
    int64_t orders = table(in, "Orders", "['Name']", "[['one'],['two']]");
    size_t count;

    link_to(in, orders, "Goods", goods);
    link_to(in, orders, "After", orders);
    assert_int_equal(put(in, orders, 1, "{'Goods':['pen','ink'],'After':['two']}"), 0);
    assert_int_equal(put(in, orders, 2, "{'Goods':['ink']}"), 0);
    int64_t made = WANT(.call = duplicate_application, .id = place.database);
    const struct application *application = catalogue_application(now(in), made);
    assert_int_equal(application->workspace->id, place.workspace);
    grid_tables(now(in), made, &count);
    assert_int_equal(count, 2);
    int64_t goods_copy = table_in(in, made, "Goods"), orders_copy = table_in(in, made, "Orders");
    assert_string_equal(fields(in, goods_copy), fields(in, goods));
    assert_string_equal(fields(in, orders_copy), fields(in, orders));
    assert_string_equal(rows(in, orders_copy), "1 one|pen, ink|two / 2 two|ink|");
    assert_string_equal(rows(in, goods_copy), rows(in, goods));
    const struct grid_field *link = grid_field(now(in), field(in, orders_copy, "Goods"));
    assert_int_equal(link->link->target->id, goods_copy);
    assert_int_equal(link->link->related->id, field(in, goods_copy, "Orders"));
    assert_int_equal(grid_field(now(in), field(in, orders_copy, "After"))->link->target->id,
                     orders_copy);
    /* The originals know nothing of it. */
    assert_int_equal(put(in, orders_copy, 1, "{'Goods':[]}"), 0);
    assert_string_equal(rows(in, orders), "1 one|pen, ink|two / 2 two|ink|");
    assert_fields(goods, "Name text* | Orders link_row");
}

TEST(what_lies_in_the_trash_is_not_duplicated)
{
    struct instance *in = *state;
    int64_t kept = table(in, "Kept", "['Name']", "[]"), gone = table(in, "Gone", "['Name']", "[]");
    size_t count;

    WANT(.call = field_delete, .id = add(in, kept, "{'name':'Old','type':'text'}"));
    WANT(.call = table_delete, .id = gone);
    int64_t made = WANT(.call = duplicate_application, .id = place.database);
    grid_tables(now(in), made, &count);
    assert_int_equal(count, 1);
    assert_fields(table_in(in, made, "Kept"), "Name text*");
}

/* ---- columns that others made ---- */

static int make_reference(struct tx *tx, struct wanted *w)
{
    struct instance *in = w->in;
    struct str collection, name;
    const struct value *row;
    static const char *const tables[] = {"many", "one"};

    int rc = schema_create_collection(tx,
                                      quoted(in, "{'collection':'one','fields':[{'field':'name',"
                                                 "'type':'string'}]}"),
                                      &collection);
    if (rc == 0)
        rc = schema_create_collection(
            tx,
            quoted(in, "{'collection':'many','fields':[{'field':'title','type':'string'},"
                       "{'field':'of','type':'integer'},{'field':'up','type':'integer'}]}"),
            &collection);
    if (rc == 0)
        rc = schema_create_relation(
            tx,
            quoted(in, "{'collection':'many','field':'of','related_collection':'one',"
                       "'schema':{'on_delete':'CASCADE'}}"),
            &collection, &name);
    if (rc == 0)
        rc = schema_create_relation(
            tx, quoted(in, "{'collection':'many','field':'up','related_collection':'many'}"),
            &collection, &name);
    for (size_t i = 0; i < COUNT_OF(tables) && rc == 0; i++) {
        const struct assignment placed =
            record_set(SYSTEM_COLLECTIONS, "rowcast_application", value_integer(place.database));
        rc = record_find(tx, SYSTEM_COLLECTIONS, "collection", str_of(tables[i]), &row);
        if (rc == 0)
            rc = record_update(tx, SYSTEM_COLLECTIONS, row, &placed, 1);
    }
    return rc == 0 ? tx_follow(tx) : rc;
}

TEST(references_lead_to_the_duplicates_too)
{
    struct instance *in = *state;

    AUTO(principal_unref) struct principal *system = principal_system(now(in));
    struct wanted w = {.call = make_reference};
    assert_int_equal(ask_as(in, system, &w), 0);
    int64_t one = table_in(in, place.database, "one"), many = table_in(in, place.database, "many");
    assert_int_equal(put(in, one, 0, "{'name':'a'}"), 0);
    assert_int_equal(put(in, one, 0, "{'name':'b'}"), 0);
    assert_int_equal(put(in, many, 0, "{'title':'x','of':[2]}"), 0);
    assert_int_equal(put(in, many, 0, "{'title':'y','of':[1],'up':[1]}"), 0);
    int64_t made = WANT(.call = duplicate_application, .id = place.database);
    int64_t copy = table_in(in, made, "many"), target = table_in(in, made, "one");
    assert_string_equal(rows(in, copy), rows(in, many));
    const struct grid_table *t = grid_table(now(in), copy);
    const struct column *of = shape_column(&t->table->shape, STR("of"));
    const struct column *up = shape_column(&t->table->shape, STR("up"));
    assert_int_equal(catalogue_relation(now(in), of)->one->id, target);
    assert_int_equal(catalogue_relation(now(in), of)->on_delete, ON_DELETE_CASCADE);
    assert_int_equal(catalogue_relation(now(in), up)->one->id, copy);
    assert_str(of->reference->table, arena_z(in->arena, grid_table(now(in), target)->table->name));
    /* One table alone keeps what it refers to, but for itself. */
    copy = WANT(.call = duplicate_table, .id = many);
    t = grid_table(now(in), copy);
    of = shape_column(&t->table->shape, STR("of"));
    up = shape_column(&t->table->shape, STR("up"));
    assert_int_equal(catalogue_relation(now(in), of)->one->id, one);
    assert_int_equal(catalogue_relation(now(in), up)->one->id, copy);
    assert_string_equal(rows(in, copy), rows(in, many));
}

TEST(names_of_applications_are_numbered)
{
    struct instance *in = *state;
    int64_t second = WANT(.call = duplicate_application, .id = place.database);
    int64_t third = WANT(.call = duplicate_application, .id = place.database);
    const char *name = arena_z(in->arena, catalogue_application(now(in), place.database)->name);

    assert_str(catalogue_application(now(in), second)->name,
               arena_printf(in->arena, "%s 2", name).at);
    assert_str(catalogue_application(now(in), third)->name,
               arena_printf(in->arena, "%s 3", name).at);
    assert_refused_as(in, place.eve, WORKSPACE_NOT_MEMBER, .call = duplicate_application,
                      .id = place.database);
    assert_refused(in, WORKSPACE_NO_APPLICATION, .call = duplicate_application, .id = 99999);
}

#define AT(test) cmocka_unit_test_setup_teardown(test, making_setup, making_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        AT(a_duplicate_has_the_next_free_name),
        AT(links_between_the_tables_of_an_application_lead_to_the_duplicates),
        AT(what_lies_in_the_trash_is_not_duplicated),
        AT(references_lead_to_the_duplicates_too),
        AT(names_of_applications_are_numbered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
