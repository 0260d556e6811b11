#include "unit/model/grid.h"
#include "unit/model/older.h"

#include "model/items/rows.h"
#include "model/workspace/workspace.h"

/* ---- looking ---- */

static const struct catalogue *now(struct instance *in)
{
    struct catalogue *c = model_catalogue(in->model);
    const struct catalogue *kept = c;
    catalogue_unref(c); /* the model holds it until the next change */
    return kept;
}

static const struct table *table_named(struct instance *in, const char *name)
{
    return catalogue_table(now(in), str_of(name));
}

static const struct grid_table *grid_named(struct instance *in, const char *name)
{
    const struct table *t = table_named(in, name);
    return t ? grid_table_of(now(in), t) : NULL;
}

static const struct grid_field *field_named(struct instance *in, const char *table,
                                            const char *name)
{
    return grid_table_field_named(grid_named(in, table), str_of(name));
}

/* The cells of all rows in a column, by key, with commas between. */
struct listing {
    const char *table;
    struct str column;
    struct buf text;
};

static int put_cell(void *context, const struct value *row)
{
    struct listing *l = context;
    if (l->text.len > 0)
        buf_put_char(&l->text, ',');
    switch (row[0].kind) {
    case VALUE_NULL:
        buf_put_lit(&l->text, "-");
        break;
    case VALUE_INTEGER:
        buf_put_int(&l->text, row[0].integer);
        break;
    case VALUE_REAL:
        buf_printf(&l->text, "%g", row[0].real);
        break;
    case VALUE_TEXT:
        buf_put_str(&l->text, row[0].text);
    }
    return 0;
}

static int list_cells(struct tx *tx, void *context)
{
    struct listing *l = context;
    const struct table *t = catalogue_table(tx->catalogue, str_of(l->table));
    const struct column *order = table_hidden(t, HIDDEN_ORDER);
    const struct output output = {.column = shape_column(&t->shape, l->column)};
    const struct order by = {.column = order};
    const struct select select = {.shape = &t->shape,
                                  .outputs = &output,
                                  .output_count = 1,
                                  .orders = &by,
                                  .order_count = 1,
                                  .limit = -1};
    assert_non_null(output.column);
    return store_select(tx->store, &select, put_cell, l);
}

static const char *cells(struct instance *in, const char *table, struct str column)
{
    struct listing l = {.table = table, .column = column};
    buf_init(&l.text, SIZE_MAX);
    assert_int_equal(read_as(in, NULL, list_cells, &l), 0);
    return text_of(in, &l.text);
}

static const char *hidden_cells(struct instance *in, const char *table, enum hidden which)
{
    return cells(in, table, hidden_column(which)->name);
}

/* ---- changing rows that describe tables ---- */

static struct {
    enum system_table which;
    const char *column, *value;   /* of which row */
    const char *column2, *value2; /* NULL: one column tells */
    const char *set;
    struct value to;
} mark;

static int act_mark(struct instance *in, struct tx *tx)
{
    const struct expr *where =
        system_test(tx->arena, mark.which, mark.column, OP_EQ, value_text(str_of(mark.value)));
    struct system_rows rows;
    (void)in;
    if (mark.column2)
        where = expr_and(tx->arena, where,
                         system_test(tx->arena, mark.which, mark.column2, OP_EQ,
                                     value_text(str_of(mark.value2))));
    assert_int_equal(system_rows(tx->store, tx->arena, mark.which, where, NULL, &rows), 0);
    assert_int_equal(rows.count, 1);
    const struct assignment assignment = record_set(mark.which, mark.set, mark.to);
    return record_update(tx, mark.which, rows.at[0], &assignment, 1);
}

static void mark_table(struct instance *in, const char *table, const char *set, struct value to)
{
    mark.which = SYSTEM_COLLECTIONS;
    mark.column = "collection";
    mark.value = table;
    mark.column2 = NULL;
    mark.set = set;
    mark.to = to;
    assert_int_equal(run(in, WRITER_SCHEMA, act_mark), 0);
}

static void mark_field(struct instance *in, const char *table, const char *field, const char *set,
                       struct value to)
{
    mark.which = SYSTEM_FIELDS;
    mark.column = "collection";
    mark.value = table;
    mark.column2 = "field";
    mark.value2 = field;
    mark.set = set;
    mark.to = to;
    assert_int_equal(run(in, WRITER_SCHEMA, act_mark), 0);
}

static void mark_named(struct instance *in, enum system_table which, const char *name,
                       const char *set, struct value to)
{
    mark.which = which;
    mark.column = "name";
    mark.value = name;
    mark.column2 = NULL;
    mark.set = set;
    mark.to = to;
    assert_int_equal(run(in, WRITER_SCHEMA, act_mark), 0);
}

/* ---- schema ---- */

static const char *asked_body, *asked_collection, *asked_field;

static int act_create_field(struct instance *in, struct tx *tx)
{
    struct str name;
    return schema_create_field(tx, str_of(asked_collection), json_of(in, asked_body), &name);
}

static int act_update_field(struct instance *in, struct tx *tx)
{
    return schema_update_field(tx, str_of(asked_collection), str_of(asked_field),
                               json_of(in, asked_body));
}

static int act_create_collection(struct instance *in, struct tx *tx)
{
    struct str name;
    return schema_create_collection(tx, json_of(in, asked_body), &name);
}

static int act_delete_collection(struct instance *in, struct tx *tx)
{
    (void)in;
    return schema_delete_collection(tx, str_of(asked_collection));
}

static int ask_field(struct instance *in, const char *table, const char *body)
{
    asked_collection = table;
    asked_body = body;
    return run(in, WRITER_SCHEMA, act_create_field);
}

static const char *shown;

static int show(struct tx *tx, void *context)
{
    struct instance *in = context;
    struct buf b;
    buf_init(&b, SIZE_MAX);
    int rc = schema_write_collections(tx, &b);
    if (rc == 0)
        rc = schema_write_fields(tx, STR_NULL, &b);
    if (rc == 0)
        rc = schema_write_relations(tx, STR_NULL, &b);
    shown = text_of(in, &b);
    return rc;
}

static const char *schema_text(struct instance *in)
{
    assert_int_equal(read_as(in, NULL, show, in), 0);
    return shown;
}

/* ---- what is derived ---- */

static void tables_made_by_other_means_are_in_the_default_application(void **state)
{
    struct instance *in = *state;
    const struct grid_table *t = grid_named(in, "people");
    size_t count;

    assert_non_null(t);
    assert_int_equal(t->id, t->table->id);
    assert_str(t->name, "people");
    assert_int_equal(t->application->id, DEFAULT_APPLICATION);
    assert_false(t->placed);
    const struct grid_table *const *list = grid_tables(now(in), DEFAULT_APPLICATION, &count);
    assert_int_equal(count, 4); /* junctions are none of them */
    assert_str(list[0]->name, "projects");
    assert_str(list[1]->name, "people");
    grid_tables(now(in), DEFAULT_APPLICATION + 1, &count);
    assert_int_equal(count, 0);
    assert_null(grid_table_of(now(in), table_named(in, "work")));
    assert_null(grid_table_of(now(in), system_table(SYSTEM_USERS)));
    assert_null(grid_table(now(in), 987654));

    mark_table(in, "people", "rowcast_label", value_text(STR("Our people")));
    mark_table(in, "people", "rowcast_order", value_integer(0));
    list = grid_tables(now(in), DEFAULT_APPLICATION, &count);
    assert_str(list[0]->name, "Our people");
}

static void fields_are_derived_from_columns(void **state)
{
    struct instance *in = *state;
    const struct grid_table *t = grid_named(in, "people");

    assert_null(grid_table_field_named(t, STR("id"))); /* a whole number: the row's own */
    assert_ptr_equal(t->primary, &t->fields[0]);
    assert_str(t->primary->name, "name");
    assert_true(t->primary->primary);
    assert_int_equal(t->primary->kind->id, KIND_TEXT);
    assert_false(t->primary->read_only);
    assert_int_equal(field_named(in, "people", "age")->kind->id, KIND_NUMBER);
    for (size_t i = 0; i < t->field_count; i++) {
        assert_ptr_equal(grid_field(now(in), t->fields[i].id), &t->fields[i]);
        assert_ptr_equal(t->fields[i].table, t);
    }
    const struct grid_field *key = field_named(in, "keyed", "id 2"); /* "id" is the row's integer */
    assert_int_equal(key->kind->id, KIND_UUID);
    assert_true(key->read_only);

    mark_field(in, "people", "age", "rowcast_primary", value_integer(1));
    assert_str(grid_named(in, "people")->primary->name, "age");
    mark_field(in, "people", "age", "rowcast_order", value_integer(-1));
    mark_field(in, "people", "age", "rowcast_primary", value_integer(0));
    assert_str(grid_named(in, "people")->primary->name, "age");
}

static void a_table_of_a_key_alone_shows_it(void **state)
{
    struct instance *in = *state;

    asked_body = "{\"collection\":\"bare\"}";
    assert_int_equal(run(in, WRITER_SCHEMA, act_create_collection), 0);
    const struct grid_table *t = grid_named(in, "bare");
    assert_int_equal(t->field_count, 1);
    assert_str(t->primary->name, "id 2");
    assert_true(t->primary->read_only);
}

static void names_that_meet_are_told_apart(void **state)
{
    struct instance *in = *state;

    mark_field(in, "people", "name", "rowcast_label", value_text(STR("age")));
    assert_ptr_equal(field_named(in, "people", "age"), grid_named(in, "people")->primary);
    assert_non_null(field_named(in, "people", "age 2"));
}

static void links_lead_to_their_tables_and_back(void **state)
{
    struct instance *in = *state;
    const struct grid_field *boss = field_named(in, "people", "boss");
    const struct grid_field *works = field_named(in, "people", "works");
    const struct grid_field *staff = field_named(in, "projects", "staff");
    size_t count;

    assert_int_equal(boss->kind->id, KIND_LINK_ROW);
    assert_ptr_equal(boss->link->target, grid_named(in, "people"));
    assert_null(boss->link->junction);
    assert_ptr_equal(works->link->target, grid_named(in, "projects"));
    assert_ptr_equal(works->link->junction, table_named(in, "work"));
    assert_str(works->link->near->name, "near");
    assert_ptr_equal(works->link->related, staff);
    assert_ptr_equal(staff->link->related, works);
    assert_null(works->column);
    const struct grid_field *const *to = grid_links_to(now(in), grid_named(in, "people"), &count);
    assert_int_equal(count, 3); /* boss, friends, staff */
    assert_ptr_equal(to[0], boss);
    grid_links_to(now(in), grid_named(in, "plain"), &count);
    assert_int_equal(count, 0);
    const struct grid_field *of = grid_junction_field(now(in), table_named(in, "work"));
    assert_true(of == works || of == staff);
    assert_null(grid_junction_field(now(in), table_named(in, "people")));
}

static int act_make_stamps(struct instance *in, struct tx *tx)
{
    static const char *const names[] = {"created_on", "last_modified", "created_by",
                                        "last_modified_by", "nonsense"};
    const struct value *row;
    (void)in;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const struct assignment assignments[] = {
            record_set(SYSTEM_FIELDS, "collection", value_text(STR("people"))),
            record_set(SYSTEM_FIELDS, "field", value_text(str_of(names[i]))),
            record_set(SYSTEM_FIELDS, "rowcast_kind", value_text(str_of(names[i]))),
        };
        assert_int_equal(record_create(tx, SYSTEM_FIELDS, assignments, COUNT_OF(assignments), &row),
                         0);
    }
    return 0;
}

static void fields_without_a_column_show_hidden_ones(void **state)
{
    struct instance *in = *state;

    assert_int_equal(run(in, WRITER_SCHEMA, act_make_stamps), 0);
    const struct table *people = table_named(in, "people");
    const struct grid_field *f = field_named(in, "people", "last_modified");
    assert_ptr_equal(f->column, table_hidden(people, HIDDEN_UPDATED_ON));
    assert_true(f->read_only);
    assert_ptr_equal(field_named(in, "people", "created_by")->column,
                     table_hidden(people, HIDDEN_CREATED_BY));
    assert_null(field_named(in, "people", "nonsense"));
    assert_null(table_field(people, STR("created_on")));
    assert_null(strstr(schema_text(in), "created_on'"));
    /* Its name is taken all the same. */
    assert_int_equal(ask_field(in, "people", "{\"field\":\"Created_On\",\"type\":\"string\"}"),
                     REFUSED);
}

static void a_kind_that_the_column_does_not_hold_any_more_is_derived_anew(void **state)
{
    struct instance *in = *state;

    mark_field(in, "people", "age", "rowcast_kind", value_text(STR("number")));
    assert_int_equal(field_named(in, "people", "age")->kind->id, KIND_NUMBER);
    mark_field(in, "people", "age", "rowcast_kind", value_text(STR("date")));
    assert_int_equal(field_named(in, "people", "age")->kind->id, KIND_NUMBER);
    mark_field(in, "people", "name", "rowcast_kind", value_text(STR("long_text")));
    assert_int_equal(field_named(in, "people", "name")->kind->id, KIND_LONG_TEXT);
}

/* ---- hidden columns ---- */

static void hidden_columns_are_filled_and_shown_nowhere(void **state)
{
    struct instance *in = *state;

    assert_null(table_hidden(table_named(in, "people"), HIDDEN_NUMBER));
    assert_non_null(table_hidden(table_named(in, "keyed"), HIDDEN_NUMBER));
    assert_null(table_hidden(system_table(SYSTEM_USERS), HIDDEN_ORDER));
    assert_null(strstr(schema_text(in), "rowcast_"));

    create(in, "keyed", "{'label':'a','grade':1}");
    create(in, "keyed", "{'label':'b','grade':1}");
    assert_string_equal(hidden_cells(in, "keyed", HIDDEN_ORDER), "1,2");
    assert_string_equal(hidden_cells(in, "keyed", HIDDEN_NUMBER), "1,2");
    assert_string_equal(hidden_cells(in, "keyed", HIDDEN_CREATED_BY), "-,-");
    assert_int_equal(strlen(hidden_cells(in, "keyed", HIDDEN_CREATED_ON)), 49);
    assert_int_equal(strlen(hidden_cells(in, "keyed", HIDDEN_UPDATED_ON)), 49);
    assert_int_equal(try_create(in, NULL, "keyed", "{'label':'c','grade':1,'rowcast_order':9}"), 0);
    assert_string_equal(hidden_cells(in, "keyed", HIDDEN_ORDER), "1,2,3");
}

static void changes_are_stamped_with_who_made_them(void **state)
{
    struct instance *in = *state;
    struct str id = user_with(in, STR_NULL, "ann@example.com");
    struct str rights = policy(in, "'admin_access':true");

    attach_user(in, id, rights);
    AUTO(principal_unref) struct principal *ann = principal_by_id(in, id);
    assert_int_equal(try_create(in, ann, "people", "{'name':'Bob'}"), 0);
    assert_string_equal(hidden_cells(in, "people", HIDDEN_CREATED_BY), arena_z(in->arena, id));
    assert_string_equal(hidden_cells(in, "people", HIDDEN_UPDATED_BY), arena_z(in->arena, id));
    assert_int_equal(try_update(in, ann, "people", STR("1"), "{'name':'Bob'}"), 0);
    assert_string_equal(hidden_cells(in, "people", HIDDEN_UPDATED_BY), arena_z(in->arena, id));
    assert_int_equal(strlen(hidden_cells(in, "people", HIDDEN_UPDATED_ON)), 24);
}

static struct {
    const char *table;
    struct value order;
} given;

static int act_insert_at(struct instance *in, struct tx *tx)
{
    const struct table *t = catalogue_table(tx->catalogue, str_of(given.table));
    const struct assignment assignments[] = {
        {table_hidden(t, HIDDEN_ORDER), given.order},
    };
    const struct value *row;
    (void)in;
    int rc = rows_insert(tx, t, assignments, COUNT_OF(assignments), &row);
    if (rc != 0)
        return rc;
    assert_true(value_equal(&row[assignments[0].column->index], &given.order));
    const struct item_key key = {.value = row[t->shape.key]};
    commit_record(tx, commit_operation(tx), CHANGE_CREATE, t, &key, NULL, row, NULL);
    return 0;
}

static void counting_goes_on_behind_what_is_given_and_after_a_start(void **state)
{
    struct instance *in = *state;

    create(in, "plain", "{'code':'a'}");
    given.table = "plain";
    given.order = value_real(0.5);
    assert_int_equal(run(in, WRITER_ROWS, act_insert_at), 0);
    create(in, "plain", "{'code':'b'}");
    assert_string_equal(hidden_cells(in, "plain", HIDDEN_ORDER), "0.5,1,2");
    given.order = value_real(6.25);
    assert_int_equal(run(in, WRITER_ROWS, act_insert_at), 0);
    create(in, "plain", "{'code':'c'}");
    assert_string_equal(hidden_cells(in, "plain", HIDDEN_ORDER), "0.5,1,2,6.25,8");
    instance_stop(in);
    instance_start(in);
    create(in, "plain", "{'code':'d'}");
    assert_string_equal(hidden_cells(in, "plain", HIDDEN_ORDER), "0.5,1,2,6.25,8,9");
    given.order = value_real(1e300); /* past what is told apart: no reason to refuse anything */
    assert_int_equal(run(in, WRITER_ROWS, act_insert_at), 0);
    create(in, "plain", "{'code':'e'}");
}

static void autonumbers_and_uuids_come_by_themselves(void **state)
{
    struct instance *in = *state;

    assert_int_equal(ask_field(in, "plain", "{\"field\":\"ticket\",\"type\":\"bigInteger\"}"), 0);
    assert_int_equal(ask_field(in, "plain", "{\"field\":\"mark\",\"type\":\"uuid\"}"), 0);
    mark_field(in, "plain", "ticket", "rowcast_kind", value_text(STR("autonumber")));
    mark_field(in, "plain", "mark", "rowcast_kind", value_text(STR("uuid")));
    create(in, "plain", "{'code':'a'}");
    create(in, "plain", "{'code':'b','ticket':7}");
    create(in, "plain", "{'code':'c'}");
    assert_string_equal(cells(in, "plain", STR("ticket")), "1,7,8");
    assert_int_equal(strlen(cells(in, "plain", STR("mark"))), 3 * 36 + 2);
    assert_true(field_named(in, "plain", "ticket")->read_only);
    /* Nobody ends the count for all others. */
    create(in, "plain", "{'code':'d','ticket':9223372036854775807}");
    create(in, "plain", "{'code':'e'}");
}

/* ---- the trash ---- */

static void a_trashed_field_keeps_its_column_out_of_sight(void **state)
{
    struct instance *in = *state;

    create(in, "people", "{'name':'Ann','age':40}");
    mark_field(in, "people", "age", "rowcast_trashed", value_integer(1));
    assert_null(field_named(in, "people", "age"));
    assert_null(strstr(schema_text(in), "'age'"));
    assert_int_equal(try_create(in, NULL, "people", "{'name':'Bob','age':3}"), 0);
    assert_string_equal(cells(in, "people", STR("age")), "40,-");
    assert_int_equal(ask_field(in, "people", "{\"field\":\"age\",\"type\":\"string\"}"), REFUSED);
    asked_collection = "people";
    asked_field = "age";
    asked_body = "{\"type\":\"string\"}";
    assert_int_equal(run(in, WRITER_SCHEMA, act_update_field), REFUSED);
    /* Altering other columns leaves it alone. */
    asked_field = "name";
    asked_body = "{\"type\":\"text\"}";
    assert_int_equal(run(in, WRITER_SCHEMA, act_update_field), 0);
    assert_int_equal(ask_field(in, "people", "{\"field\":\"city\",\"type\":\"string\"}"), 0);
    mark_field(in, "people", "age", "rowcast_trashed", value_integer(0));
    assert_non_null(field_named(in, "people", "age"));
    assert_string_equal(cells(in, "people", STR("age")), "40,-");
    assert_string_equal(hidden_cells(in, "people", HIDDEN_ORDER), "1,2");
}

static void a_trashed_table_is_not_there_and_its_name_stays_taken(void **state)
{
    struct instance *in = *state;

    create(in, "projects", "{'title':'Sea'}");
    mark_table(in, "projects", "rowcast_trashed", value_integer(1));
    assert_null(table_named(in, "projects"));
    assert_non_null(catalogue_trashed_table(now(in), STR("projects")));
    assert_null(strstr(schema_text(in), "'projects'"));
    assert_null(field_named(in, "people", "works")); /* its other end is not there */
    assert_non_null(field_named(in, "people", "friends"));
    asked_body = "{\"collection\":\"projects\"}";
    assert_int_equal(run(in, WRITER_SCHEMA, act_create_collection), REFUSED);
    asked_collection = "projects";
    assert_int_equal(run(in, WRITER_SCHEMA, act_delete_collection), REFUSED);
    mark_table(in, "projects", "rowcast_trashed", value_integer(0));
    assert_non_null(field_named(in, "people", "works"));
    assert_string_equal(cells(in, "projects", STR("title")), "Sea");
}

static void columns_of_trashed_tables_let_go_of_what_is_deleted(void **state)
{
    struct instance *in = *state;

    mark_table(in, "work", "rowcast_trashed", value_integer(1));
    asked_collection = "projects";
    assert_int_equal(run(in, WRITER_SCHEMA, act_delete_collection), 0);
    mark_table(in, "work", "rowcast_trashed", value_integer(0));
    const struct table *work = table_named(in, "work");
    assert_null(table_field(work, STR("far"))->column->reference);
    assert_non_null(table_field(work, STR("near"))->column->reference);
}

static void what_an_application_or_a_workspace_holds_goes_with_it(void **state)
{
    struct instance *in = *state;
    const struct workspace *w = catalogue_workspace(now(in), DEFAULT_WORKSPACE);
    const char *workspace = arena_z(in->arena, w->name);
    const char *application = arena_z(in->arena, w->applications[0]->name);

    mark_table(in, "people", "rowcast_application", value_integer(DEFAULT_APPLICATION));
    mark_named(in, SYSTEM_APPLICATIONS, application, "trashed", value_integer(1));
    assert_null(catalogue_application(now(in), DEFAULT_APPLICATION));
    assert_null(table_named(in, "people"));
    assert_non_null(table_named(in, "projects")); /* nobody placed it there */
    assert_null(grid_named(in, "projects"));
    mark_named(in, SYSTEM_APPLICATIONS, application, "trashed", value_integer(0));
    assert_non_null(grid_named(in, "people"));
    mark_named(in, SYSTEM_WORKSPACES, workspace, "trashed", value_integer(1));
    assert_null(catalogue_workspace(now(in), DEFAULT_WORKSPACE));
    assert_null(table_named(in, "people"));
    mark_named(in, SYSTEM_WORKSPACES, workspace, "trashed", value_integer(0));
    assert_non_null(grid_named(in, "people"));
    mark_table(in, "people", "rowcast_application", value_integer(77)); /* gone for good */
    assert_non_null(table_named(in, "people"));
    assert_null(grid_named(in, "people"));
}

/* ---- members ---- */

static struct str joined;
static int64_t joined_workspace;

static int join(struct tx *tx, void *context)
{
    struct account account;
    struct str *user = context;
    const struct value *row;
    int rc = account_ensure(tx, *user, &account);
    const struct assignment member[] = {
        record_set(SYSTEM_MEMBERS, "workspace", value_integer(joined_workspace)),
        record_set(SYSTEM_MEMBERS, "account", value_integer(account.id)),
        record_set(SYSTEM_MEMBERS, "user", value_text(*user)),
        record_set(SYSTEM_MEMBERS, "role", value_text(STR("MEMBER"))),
        record_set(SYSTEM_MEMBERS, "order", value_integer(1)),
        record_set(SYSTEM_MEMBERS, "created_on", value_text(STR("2026-01-01T00:00:00.000Z"))),
    };
    return rc == 0 ? record_create(tx, SYSTEM_MEMBERS, member, COUNT_OF(member), &row) : rc;
}

static struct principal *member_of(struct instance *in, int64_t workspace, const char *email)
{
    joined = user_with(in, STR_NULL, email);
    joined_workspace = workspace;
    assert_int_equal(write_as(in, NULL, join, &joined), 0);
    return principal_by_id(in, joined);
}

static int64_t found_id;
static int find(struct tx *tx, void *context)
{
    const struct grid_table *t;
    const struct grid_field *f;
    (void)context;
    int rc = grid_find(tx, found_id, &t);
    return rc == 0 ? grid_find_field(tx, t->primary->id, &f) : rc;
}

static void members_see_and_change_all_rows_of_their_tables(void **state)
{
    struct instance *in = *state;
    struct str stranger_id = user_with(in, STR_NULL, "eve@example.com");
    AUTO(principal_unref)
    struct principal *bob = member_of(in, DEFAULT_WORKSPACE, "bob@example.com");
    AUTO(principal_unref)
    struct principal *dan = member_of(in, DEFAULT_WORKSPACE, "dan@example.com");
    AUTO(principal_unref) struct principal *ann = principal_by_id(in, bob->user);
    AUTO(principal_unref) struct principal *eve = principal_by_id(in, stranger_id);
    const struct table *people = table_named(in, "people");

    const struct grant *grant = principal_grant(ann, people, ACTION_READ);
    assert_non_null(grant);
    assert_true(grant->unconditional && grant->all_fields);
    assert_str(grant->class_key, "*");
    assert_ptr_equal(grant, principal_grant(dan, people, ACTION_READ)); /* compiled once */
    assert_non_null(principal_grant(ann, table_named(in, "work"), ACTION_DELETE));
    assert_null(principal_grant(ann, people, ACTION_SHARE));
    assert_null(principal_grant(ann, system_table(SYSTEM_POLICIES), ACTION_READ));
    assert_null(principal_grant(eve, people, ACTION_READ));

    assert_int_equal(try_create(in, ann, "people", "{'name':'Cid'}"), 0);
    assert_int_equal(try_update(in, ann, "people", STR("1"), "{'name':'Cyd'}"), 0);
    assert_int_equal(try_delete(in, ann, "people", STR("1")), 0);
    assert_int_equal(try_create(in, eve, "people", "{'name':'Cid'}"), REFUSED);

    found_id = people->id;
    assert_int_equal(read_as(in, ann, find, NULL), 0);
    assert_int_equal(read_as(in, eve, find, NULL), REFUSED);
    assert_str(in->problem.reason, WORKSPACE_NOT_MEMBER);
    found_id = 987654;
    assert_int_equal(read_as(in, ann, find, NULL), REFUSED);
    assert_str(in->problem.reason, GRID_NO_TABLE);
}

/* Policies of workspaces are no rows, and no client is told of them. */
static void membership_is_none_of_the_policies_that_are_told(void **state)
{
    struct instance *in = *state;
    AUTO(principal_unref)
    struct principal *bob = member_of(in, DEFAULT_WORKSPACE, "bob@example.com");
    size_t rows = rows_where(in, SYSTEM_POLICIES, NULL, STR_NULL).count;

    assert_int_equal(now(in)->policy_count, rows);
    assert_true(bob->policy_count > 0);
    const json_t *told =
        principal_substitute(bob, in->arena, quoted(in, "{'id':{'_in':'$CURRENT_POLICIES'}}"), 0);
    assert_null(strstr(arena_z(in->arena, json_text(in->arena, told)), "workspace:"));
}

/* ---- an older instance ---- */

static void rows_of_format_2_are_numbered_by_their_keys(void **state)
{
    struct instance *in = *state;

    create(in, "plain", "{'code':'b'}");
    create(in, "plain", "{'code':'a'}");
    create(in, "keyed", "{'id':'bbbbbbbb-0000-4000-8000-000000000000','label':'b','grade':1}");
    create(in, "keyed", "{'id':'aaaaaaaa-0000-4000-8000-000000000000','label':'a','grade':1}");
    const struct journal_state before = state_of(in);
    instance_stop(in);
    tamper(in, make_format_2);
    instance_start(in);
    const struct journal_state after = state_of(in);
    assert_int_equal(after.format, 3);
    assert_int_equal(after.commits, before.commits);
    assert_string_equal(cells(in, "plain", STR("code")), "b,a");
    assert_string_equal(cells(in, "keyed", STR("label")), "a,b");
    assert_string_equal(hidden_cells(in, "keyed", HIDDEN_ORDER), "1,2");
    assert_string_equal(hidden_cells(in, "keyed", HIDDEN_NUMBER), "1,2");
    assert_string_equal(hidden_cells(in, "keyed", HIDDEN_CREATED_ON), "-,-");
    create(in, "keyed", "{'label':'c','grade':1}");
    assert_string_equal(hidden_cells(in, "keyed", HIDDEN_NUMBER), "1,2,3");
    assert_non_null(grid_named(in, "people"));
}

#define grid_test(name) cmocka_unit_test_setup_teardown(name, grid_setup, instance_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        grid_test(tables_made_by_other_means_are_in_the_default_application),
        grid_test(fields_are_derived_from_columns),
        grid_test(a_table_of_a_key_alone_shows_it),
        grid_test(names_that_meet_are_told_apart),
        grid_test(links_lead_to_their_tables_and_back),
        grid_test(fields_without_a_column_show_hidden_ones),
        grid_test(a_kind_that_the_column_does_not_hold_any_more_is_derived_anew),
        grid_test(hidden_columns_are_filled_and_shown_nowhere),
        grid_test(changes_are_stamped_with_who_made_them),
        grid_test(counting_goes_on_behind_what_is_given_and_after_a_start),
        grid_test(autonumbers_and_uuids_come_by_themselves),
        grid_test(a_trashed_field_keeps_its_column_out_of_sight),
        grid_test(a_trashed_table_is_not_there_and_its_name_stays_taken),
        grid_test(columns_of_trashed_tables_let_go_of_what_is_deleted),
        grid_test(what_an_application_or_a_workspace_holds_goes_with_it),
        grid_test(members_see_and_change_all_rows_of_their_tables),
        grid_test(membership_is_none_of_the_policies_that_are_told),
        grid_test(rows_of_format_2_are_numbered_by_their_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
