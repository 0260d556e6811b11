#include "check.h"

#include "store/driver.h"

/* The text of statements, by SQLite's dialect, and what PostgreSQL's says otherwise. */

static const struct column columns[] = {
    {.name = {"id", 2},
     .type = TYPE_INTEGER,
     .index = 0,
     .primary_key = true,
     .auto_increment = true},
    {.name = {"na\"me", 5}, .type = TYPE_STRING, .index = 1, .nullable = true},
};
static const struct shape shape = {{"t", 1}, columns, 2, 0};

static const char *sql_of(struct statement *st)
{
    assert_false(st->invalid);
    buf_put_char(&st->sql, '\0');
    assert_false(st->sql.failed);
    return st->sql.at;
}

static const struct expr *list_of(struct arena *a, size_t count)
{
    struct value values[64];
    for (size_t i = 0; i < count; i++)
        values[i] = INTEGER((int64_t)i);
    return expr_test(a, &columns[0], OP_IN, values, count);
}

static void check_select(const struct select *select, const char *expected, size_t binds)
{
    struct statement st = {0};
    statement_start(&st, sqlite_driver.dialect, &shape, 0);
    render_select(&st, select);
    assert_string_equal(sql_of(&st), expected);
    assert_int_equal(st.bind_count, binds);
    statement_deinit(&st);
}

static void a_select_names_columns_and_ends_ties_by_key(void **state)
{
    (void)state;
    const struct order by_name[] = {{.column = &columns[1], .descending = true}};
    const struct order by_key[] = {{.column = &columns[0], .descending = true},
                                   {.column = &columns[1]}};
    check_select(&(struct select){.shape = &shape, .limit = -1},
                 "SELECT \"id\",\"na\"\"me\" FROM \"t\" ORDER BY \"t\".\"id\"", 0);
    check_select(&(struct select){.shape = &shape, .limit = 5, .orders = by_name, .order_count = 1},
                 "SELECT \"id\",\"na\"\"me\" FROM \"t\" "
                 "ORDER BY \"t\".\"na\"\"me\" DESC,\"t\".\"id\" LIMIT ?",
                 1);
    check_select(
        &(struct select){
            .shape = &shape, .limit = -1, .offset = 3, .orders = by_key, .order_count = 2},
        "SELECT \"id\",\"na\"\"me\" FROM \"t\" ORDER BY \"t\".\"id\" DESC LIMIT -1 OFFSET ?", 1);
}

static void postgres_is_told_types_and_where_nulls_go(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    const struct value two[] = {INTEGER(1), REAL(2.5)}, name = TEXT("\xc3\x84");
    const struct expr *among = expr_test(a, &columns[0], OP_IN, two, 2);
    const struct expr *one = expr_test(a, &columns[0], OP_IN, two, 1);
    const struct expr *named = expr_test(a, &columns[1], OP_ICONTAINS, &name, 1);
    const struct order orders[] = {{.column = &columns[1], .descending = true},
                                   {.column = &columns[0], .descending = true}};
    const struct expr *wheres[] = {expr_and(a, among, named), one};
    static const char *const expected[] = {
        "(\"id\" = ANY($1::numeric[]) AND "
        "strpos(lower(\"na\"\"me\" COLLATE \"C.utf8\"), $2::text) > 0)",
        "\"id\" = $1::int8",
    };
    for (size_t i = 0; i < COUNT_OF(wheres); i++) {
        const struct select select = {.shape = &shape,
                                      .limit = 9,
                                      .where = wheres[i],
                                      .orders = orders,
                                      .order_count = 2,
                                      .lock = true};
        struct statement st = {0};
        char text[512];
        snprintf(text, sizeof(text),
                 "SELECT \"id\"::text COLLATE \"C\",\"na\"\"me\"::text COLLATE \"C\" FROM \"t\" "
                 "WHERE %s ORDER BY \"t\".\"na\"\"me\" DESC NULLS LAST,\"t\".\"id\" DESC "
                 "LIMIT $%d::int8 FOR UPDATE",
                 expected[i], i == 0 ? 3 : 2);
        statement_start(&st, postgres_driver.dialect, &shape, 0);
        render_select(&st, &select);
        assert_string_equal(sql_of(&st), text);
        assert_int_equal(st.once, i == 0); /* planned for the list that it has */
        statement_deinit(&st);
    }
    arena_free(a);
}

static void a_mask_hides_an_output(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    const struct value one = INTEGER(1);
    const struct output outputs[] = {{&columns[1], expr_test(a, &columns[0], OP_NEQ, &one, 1)}};
    check_select(
        &(struct select){.shape = &shape, .limit = -1, .outputs = outputs, .output_count = 1},
        "SELECT (CASE WHEN NOT (\"id\" = ?) THEN \"na\"\"me\" END) FROM \"t\" "
        "ORDER BY \"t\".\"id\"",
        1);
    arena_free(a);
}

/* Each table within has a name of its own, that of the table outside too. */
static void columns_of_other_tables_are_told_with_their_table(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    const struct value one = INTEGER(1);
    const struct expr *id = expr_test(a, &columns[0], OP_EQ, &one, 1);
    const struct subselect inner = {&shape, &columns[1], id};
    const struct expr *named = expr_among(a, &columns[1], &inner, true);
    const struct subselect outer = {&shape, &columns[0], expr_and(a, named, id)};
    check_select(
        &(struct select){.shape = &shape,
                         .limit = -1,
                         .where = expr_and(a, id, expr_among(a, &columns[0], &outer, false))},
        "SELECT \"id\",\"na\"\"me\" FROM \"t\" WHERE "
        "(\"id\" IN (SELECT rowcast_1.\"id\" FROM \"t\" AS rowcast_1 WHERE "
        "((rowcast_1.\"na\"\"me\" NOT IN (SELECT rowcast_2.\"na\"\"me\" FROM \"t\" AS rowcast_2 "
        "WHERE rowcast_2.\"na\"\"me\" IS NOT NULL AND rowcast_2.\"id\" = ?) "
        "AND rowcast_1.\"na\"\"me\" IS NOT NULL) AND rowcast_1.\"id\" = ?)) AND \"id\" = ?) ORDER "
        "BY \"t\".\"id\"",
        3);
    arena_free(a);
}

static void postgres_joins_what_exists(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    const struct subselect inner = {&shape, &columns[1], NULL};
    const struct subselect outer = {&shape, &columns[1], expr_among(a, &columns[1], &inner, false)};
    struct statement st = {0};
    statement_start(&st, postgres_driver.dialect, &shape, 0);
    render_delete(&st, expr_among(a, &columns[1], &outer, true), false);
    assert_string_equal(
        sql_of(&st),
        "DELETE FROM \"t\" WHERE (NOT EXISTS (SELECT 1 FROM \"t\" AS rowcast_1 "
        "WHERE rowcast_1.\"na\"\"me\" = \"t\".\"na\"\"me\" "
        "AND EXISTS (SELECT 1 FROM \"t\" AS rowcast_2 "
        "WHERE rowcast_2.\"na\"\"me\" = rowcast_1.\"na\"\"me\")) AND \"na\"\"me\" IS NOT NULL)");
    statement_deinit(&st);
    arena_free(a);
}

static void other_ways_to_sort_are_told_by_each_store(void **state)
{
    (void)state;
    static const int64_t ranks[] = {3, 1};
    const struct order_through through = {.junction = &shape,
                                          .near = &columns[0],
                                          .far = &columns[0],
                                          .target = &shape,
                                          .target_key = &columns[0],
                                          .output = &columns[1]};
    const struct order orders[] = {
        {.column = &columns[1], .folded = true},
        {.column = &columns[0], .ranks = ranks, .rank_count = 2, .descending = true},
        {.through = &through},
    };
    const struct select select = {
        .shape = &shape, .limit = -1, .orders = orders, .order_count = COUNT_OF(orders)};
    check_select(&select,
                 "SELECT \"id\",\"na\"\"me\" FROM \"t\" ORDER BY "
                 "rowcast_fold(\"t\".\"na\"\"me\"),\"t\".\"na\"\"me\","
                 "rowcast_rank(\"t\".\"id\", ?) DESC,"
                 "(SELECT group_concat(rowcast_text, ', ') FROM "
                 "(SELECT rowcast_fold(rowcast_2.\"na\"\"me\") AS rowcast_text "
                 "FROM \"t\" AS rowcast_1 JOIN \"t\" AS rowcast_2 "
                 "ON rowcast_2.\"id\" = rowcast_1.\"id\" "
                 "WHERE rowcast_1.\"id\" = \"t\".\"id\" ORDER BY rowcast_2.\"id\") "
                 "AS rowcast_texts),\"t\".\"id\"",
                 1);
}

/* So that a hundred lengths of lists do not push all else out of the prepared statements. */
static void lists_are_told_in_few_lengths(void **state)
{
    (void)state;
    static const struct {
        size_t count, binds;
    } cases[] = {{1, 1}, {2, 2}, {3, 4}, {4, 4}, {5, 8}, {16, 16}, {17, 1}, {64, 1}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct arena *a = arena_new();
        struct statement st = {0};
        statement_start(&st, sqlite_driver.dialect, &shape, 0);
        render_delete(&st, list_of(a, cases[i].count), false);
        assert_int_equal(st.bind_count, cases[i].binds);
        statement_deinit(&st);
        arena_free(a);
    }
}

static void a_chain_of_conditions_becomes_a_balanced_tree(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    const struct expr *items[4];
    for (size_t i = 0; i < 4; i++)
        items[i] = expr_test(a, &columns[i % 2], i < 2 ? OP_NULL : OP_NNULL, NULL, 0);
    struct statement st = {0};
    statement_start(&st, sqlite_driver.dialect, &shape, 0);
    render_count(&st, expr_all(a, EXPR_OR, items, 4));
    assert_string_equal(sql_of(&st),
                        "SELECT count(*) FROM \"t\" WHERE ((\"id\" IS NULL OR \"na\"\"me\" IS NULL)"
                        " OR (\"id\" IS NOT NULL OR \"na\"\"me\" IS NOT NULL))");
    statement_deinit(&st);
    arena_free(a);
}

static void the_deepest_condition_comes_first(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    const struct expr *x = expr_test(a, &columns[0], OP_NULL, NULL, 0);
    const struct expr *y = expr_test(a, &columns[1], OP_NULL, NULL, 0);
    struct statement st = {0};
    statement_start(&st, sqlite_driver.dialect, &shape, 0);
    render_delete(&st, expr_and(a, y, expr_or(a, expr_and(a, x, y), x)), false);
    assert_string_equal(sql_of(&st),
                        "DELETE FROM \"t\" WHERE (((\"id\" IS NULL AND \"na\"\"me\" IS NULL) OR "
                        "\"id\" IS NULL) AND \"na\"\"me\" IS NULL)");
    statement_deinit(&st);
    arena_free(a);
}

static void writes_bind_every_value(void **state)
{
    (void)state;
    struct statement st = {0};
    const struct value name = TEXT("it's");
    const struct value *values[] = {NULL, &name};
    statement_start(&st, sqlite_driver.dialect, &shape, 0);
    render_insert(&st, values, true);
    assert_string_equal(
        sql_of(&st), "INSERT INTO \"t\" (\"na\"\"me\") VALUES (?) RETURNING \"id\",\"na\"\"me\"");

    values[1] = NULL;
    statement_start(&st, sqlite_driver.dialect, &shape, 0);
    render_insert(&st, values, false);
    assert_string_equal(sql_of(&st), "INSERT INTO \"t\" DEFAULT VALUES");

    const struct assignment assignments[] = {{&columns[1], name}, {&columns[0], INTEGER(1)}};
    statement_start(&st, sqlite_driver.dialect, &shape, 0);
    render_update(&st, assignments, 2, &expr_false, false);
    assert_string_equal(sql_of(&st), "UPDATE \"t\" SET \"na\"\"me\"=?,\"id\"=? WHERE FALSE");

    statement_start(&st, sqlite_driver.dialect, &shape, 0);
    render_update(&st, NULL, 0, &expr_true, true);
    assert_string_equal(sql_of(&st),
                        "UPDATE \"t\" SET \"id\"=\"id\" RETURNING \"id\",\"na\"\"me\"");
    statement_deinit(&st);
}

/* Texts are kept by the table's name: each must still be that of the table as it is, and of what is
 * given. */
static void the_text_of_an_insert_follows_its_table(void **state)
{
    (void)state;
    const struct column whole[] = {{.name = STR("a"), .type = TYPE_INTEGER},
                                   {.name = STR("b"), .type = TYPE_INTEGER, .index = 1}};
    const struct column renamed[] = {whole[0], {.name = STR("c"), .index = 1}};
    const struct column texts[] = {whole[0], {.name = STR("c"), .type = TYPE_UUID, .index = 1}};
    const struct value one = INTEGER(1), two = INTEGER(2);
    const struct {
        struct shape shape;
        const struct value *values[2];
        bool returning;
        const char *sql;
    } inserts[] = {
        {{STR("t"), whole, 2, 0}, {&one, &two}, false, "(\"a\",\"b\") VALUES ($1::int8,$2::int8)"},
        {{STR("t"), whole, 2, 0}, {NULL, &two}, false, "(\"b\") VALUES ($1::int8)"},
        {{STR("t"), whole, 1, 0}, {&one}, false, "(\"a\") VALUES ($1::int8)"},
        {{STR("t"), renamed, 2, 0}, {NULL, &two}, false, "(\"c\") VALUES ($1::text)"},
        {{STR("t"), texts, 2, 0}, {NULL, &two}, false, "(\"c\") VALUES ($1::uuid)"},
        {{STR("t"), whole, 1, 0},
         {&one},
         true,
         "(\"a\") VALUES ($1::int8) RETURNING \"a\"::text COLLATE \"C\""},
    };
    struct statement st = {0};
    for (size_t i = 0; i < 2 * COUNT_OF(inserts); i++) { /* each new, then kept */
        const struct value *const *values = inserts[i / 2].values;
        const struct shape *its = &inserts[i / 2].shape;
        statement_start(&st, postgres_driver.dialect, its, 0);
        render_insert(&st, values, inserts[i / 2].returning);
        assert_string_equal(sql_of(&st) + strlen("INSERT INTO \"t\" "), inserts[i / 2].sql);
        assert_int_equal(st.bind_count, (values[0] != NULL) + (values[1] != NULL));
        assert_int_equal(st.binds[0].value.integer, values[0] ? 1 : 2);
        assert_ptr_equal(st.binds[0].column, &its->columns[values[0] ? 0 : 1]);
        assert_int_equal(st.output_count, inserts[i / 2].returning ? its->count : 0);
        assert_true(st.writes);
    }
    for (int64_t i = 0; i < 1000; i++) { /* more tables than texts are kept of */
        char name[16];
        snprintf(name, sizeof(name), "t%d", (int)i % 600);
        const struct shape its = {str_of(name), whole, 1, 0};
        statement_start(&st, postgres_driver.dialect, &its, 0);
        render_insert(&st, inserts[2].values, false);
        assert_memory_equal(sql_of(&st) + strlen("INSERT INTO \""), name, strlen(name));
    }
    statement_deinit(&st);
}

static void a_table_declares_types_constraints_and_references(void **state)
{
    (void)state;
    const struct reference author = {STR("people"), STR("id"), ON_DELETE_SET_NULL};
    const struct column all[] = {
        {.name = STR("id"),
         .type = TYPE_BIG_INTEGER,
         .index = 0,
         .auto_increment = true,
         .primary_key = true},
        {.name = STR("title"),
         .type = TYPE_STRING,
         .index = 1,
         .length_max = 20,
         .default_value = TEXT("it's")},
        {.name = STR("any"), .type = TYPE_HASH, .index = 2, .nullable = true, .unique = true},
        {.name = STR("price"),
         .type = TYPE_DECIMAL,
         .index = 3,
         .precision = 8,
         .scale = 2,
         .nullable = true,
         .default_value = REAL(1.5)},
        {.name = STR("author"),
         .type = TYPE_INTEGER,
         .index = 4,
         .nullable = true,
         .reference = &author},
        {.name = STR("open"), .type = TYPE_BOOLEAN, .index = 5, .default_value = INTEGER(1)},
    };
    const struct shape table = {STR("t"), all, COUNT_OF(all), 0};
    struct statement st = {0};
    statement_start(&st, sqlite_driver.dialect, &table, 0);
    render_create_table(&st, table.name);
    assert_string_equal(sql_of(&st),
                        "CREATE TABLE \"t\" (\"id\" integer PRIMARY KEY AUTOINCREMENT, "
                        "\"title\" varchar(20) NOT NULL DEFAULT 'it''s', \"any\" varchar "
                        "CONSTRAINT \"t.any\" UNIQUE, "
                        "\"price\" float(8,2) DEFAULT 1.5, "
                        "\"author\" integer REFERENCES \"people\"(\"id\") ON DELETE SET NULL, "
                        "\"open\" boolean NOT NULL DEFAULT TRUE)");
    statement_start(&st, sqlite_driver.dialect, &table, 0);
    render_create_index(&st, &all[4]);
    assert_string_equal(sql_of(&st), "CREATE INDEX \"t.author\" ON \"t\"(\"author\")");
    assert_true(column_has_index(&all[4]));
    assert_false(column_has_index(&all[2]));
    statement_deinit(&st);
}

static void a_name_with_nul_is_refused(void **state)
{
    (void)state;
    static const struct str names[] = {{"a\0b", 3}, {"", 0}};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct statement st = {0};
        statement_start(&st, sqlite_driver.dialect, &shape, 0);
        statement_put_name(&st, names[i]);
        assert_true(st.invalid);
        statement_deinit(&st);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_select_names_columns_and_ends_ties_by_key),
        cmocka_unit_test(postgres_is_told_types_and_where_nulls_go),
        cmocka_unit_test(a_mask_hides_an_output),
        cmocka_unit_test(columns_of_other_tables_are_told_with_their_table),
        cmocka_unit_test(postgres_joins_what_exists),
        cmocka_unit_test(other_ways_to_sort_are_told_by_each_store),
        cmocka_unit_test(lists_are_told_in_few_lengths),
        cmocka_unit_test(a_chain_of_conditions_becomes_a_balanced_tree),
        cmocka_unit_test(the_deepest_condition_comes_first),
        cmocka_unit_test(writes_bind_every_value),
        cmocka_unit_test(the_text_of_an_insert_follows_its_table),
        cmocka_unit_test(a_table_declares_types_constraints_and_references),
        cmocka_unit_test(a_name_with_nul_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
