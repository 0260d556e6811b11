#include "unit/model/memory.h"

#include "model/items/query.h"

/* Queries: what is selected, for whom. */

static int parse(struct memory *m, const char *query, struct query *q)
{
    return query_parse(&m->tx, &m->tables[ARTICLES], query ? memory_json(m, query) : NULL, q);
}

static struct query parsed(struct memory *m, const char *query)
{
    struct query q = {0};
    if (parse(m, query, &q) != 0)
        fail_msg("%s: %.*s", query, STR_ARG(m->problem.reason));
    return q;
}

static void refused(struct memory *m, const char *query, enum problem_kind kind, const char *reason)
{
    struct query q = {0};
    assert_int_equal(parse(m, query, &q), REFUSED);
    assert_int_equal(m->problem.kind, kind);
    if (!str_contains(m->problem.reason, str_of(reason)))
        fail_msg("%s: %.*s", query, STR_ARG(m->problem.reason));
    assert_null(q.table);
}

static const char *fields_of(struct memory *m, const char *query)
{
    struct query q = parsed(m, query);
    struct str names = STR("");
    for (size_t i = 0; i < q.output_count; i++) {
        names = arena_printf(m->arena, "%.*s%s%.*s", STR_ARG(names), i ? " " : "",
                             STR_ARG(q.outputs[i].column->name));
        assert_true(column_set_has(&q.fields, q.outputs[i].column->index));
    }
    return names.at;
}

static const char *sort_of(struct memory *m, const char *query)
{
    struct query q = parsed(m, query);
    struct str names = STR("");
    for (size_t i = 0; i < q.order_count; i++)
        names = arena_printf(m->arena, "%.*s%s%s%.*s", STR_ARG(names), i ? " " : "",
                             q.orders[i].descending ? "-" : "", STR_ARG(q.orders[i].column->name));
    return names.at;
}

#define ALL_FIELDS                                                                                 \
    "id title body status views big rating score published day at clock guid meta tags owner "     \
    "author editor password"

static void without_fields_all_but_hidden_ones_are_read(void **state)
{
    struct memory *m = *state;
    static const char *const queries[] = {NULL,
                                          "null",
                                          "{}",
                                          "{'fields':null}",
                                          "{'fields':''}",
                                          "{'fields':[]}",
                                          "{'fields':'*'}",
                                          "{'fields':['*']}"};
    for (size_t i = 0; i < COUNT_OF(queries); i++)
        assert_string_equal(fields_of(m, queries[i]), ALL_FIELDS);
}

static void fields_keep_their_order_and_come_once(void **state)
{
    struct memory *m = *state;
    assert_string_equal(fields_of(m, "{'fields':'views, id ,title,,id'}"), "views id title");
    assert_string_equal(fields_of(m, "{'fields':['views','id,title','id']}"), "views id title");
    assert_string_equal(fields_of(m, "{'fields':{'0':'views','1':'id'}}"), "views id");
    struct query q = parsed(m, "{'fields':['views','*']}");
    assert_text(m, q.outputs[0].column->name, "views");
    assert_int_equal(q.output_count, 19);
}

static void fields_that_are_no_fields_are_refused(void **state)
{
    struct memory *m = *state;
    refused(m, "{'fields':'nothing'}", PROBLEM_FORBIDDEN, "\"nothing\"");
    refused(m, "{'fields':['rowcast_order']}", PROBLEM_FORBIDDEN, "\"rowcast_order\"");
    refused(m, "{'fields':['author.name']}", PROBLEM_INVALID_QUERY, "not supported yet");
    refused(m, "{'fields':'*.*'}", PROBLEM_INVALID_QUERY, "not supported yet");
    refused(m, "{'fields':['year(day)']}", PROBLEM_INVALID_QUERY, "not supported yet");
    refused(m, "{'fields':5}", PROBLEM_INVALID_QUERY, "list of names");
    refused(m, "{'fields':[5]}", PROBLEM_INVALID_QUERY, "list of names");
    refused(m, "{'fields':{'a':{}}}", PROBLEM_INVALID_QUERY, "list of names");
    refused(m, "[]", PROBLEM_INVALID_QUERY, "has to be an object");
}

static void only_permitted_fields_are_read(void **state)
{
    struct memory user;
    struct query q;
    (void)state;
    memory_open(&user, "[{'collection':'articles','action':'read','fields':['title','views']}]");
    assert_string_equal(fields_of(&user, "{}"), "title views");
    refused(&user, "{'fields':'title,body'}", PROBLEM_FORBIDDEN, "\"body\"");
    refused(&user, "{'sort':'body'}", PROBLEM_FORBIDDEN, "\"body\"");
    refused(&user, "{'filter':{'body':'a'}}", PROBLEM_FORBIDDEN, "\"body\"");
    assert_string_equal(sort_of(&user, "{}"), "title");
    assert_refused(&user, query_parse(&user.tx, &user.tables[AUTHORS], NULL, &q), PROBLEM_FORBIDDEN,
                   "\"authors\"");
    memory_close(&user);
}

static void rows_without_a_field_are_not_read(void **state)
{
    struct memory user;
    (void)state;
    memory_open(&user, "[{'collection':'articles','action':'read','fields':[]}]");
    refused(&user, "{}", PROBLEM_FORBIDDEN, "\"articles\"");
    refused(&user, "{'fields':'*'}", PROBLEM_FORBIDDEN, "\"articles\"");
    memory_close(&user);
}

static void what_makes_no_sense_is_told_before_what_is_forbidden(void **state)
{
    static const char *const queries[] = {"{'limit':-2}", "{'offset':-1}", "{'page':'x'}",
                                          "{'meta':'nope'}"};
    struct memory user;
    struct query q = {0};
    (void)state;
    memory_open(&user, "[]");
    refused(&user, "{'limit':1}", PROBLEM_FORBIDDEN, "\"articles\"");
    for (size_t i = 0; i < COUNT_OF(queries); i++) {
        assert_int_equal(parse(&user, queries[i], &q), REFUSED);
        assert_int_equal(user.problem.kind, PROBLEM_INVALID_QUERY);
    }
    memory_close(&user);
}

static void the_rule_is_in_the_condition(void **state)
{
    struct memory user;
    (void)state;
    memory_open(&user, "[{'collection':'articles','action':'read','fields':['id','title'],"
                       "'permissions':{'status':'published'}},"
                       "{'collection':'articles','action':'read','fields':['*'],"
                       "'permissions':{'views':{'_gt':5}}}]");
    struct value row[ARTICLE_COLUMNS] = {[STATUS] = value_text(STR("published")),
                                         [VIEWS] = value_integer(1),
                                         [TITLE] = value_text(STR("a"))};
    struct query q = parsed(&user, "{'filter':{'title':'a'}}");
    assert_true(expr_matches(q.where, row, 0));
    assert_true(expr_matches(q.filter, row, 0));
    row[STATUS] = value_text(STR("draft"));
    assert_false(expr_matches(q.where, row, 0));
    assert_true(expr_matches(q.filter, row, 0));
    q = parsed(&user, "{'fields':'title,views','sort':'views'}");
    assert_null(q.outputs[0].mask);
    assert_non_null(q.outputs[1].mask);
    assert_ptr_equal(q.orders[0].mask, q.outputs[1].mask);
    memory_close(&user);
}

static void sort_takes_lists_and_directions(void **state)
{
    struct memory *m = *state;
    assert_string_equal(sort_of(m, "{}"), "id");
    assert_string_equal(sort_of(m, "{'sort':'-views, title'}"), "-views title");
    assert_string_equal(sort_of(m, "{'sort':['title','- views','-title']}"), "title -views");
    assert_string_equal(sort_of(m, "{'sort':''}"), "id");
    refused(m, "{'sort':'-'}", PROBLEM_FORBIDDEN, "");
    refused(m, "{'sort':'author.name'}", PROBLEM_INVALID_QUERY, "not supported yet");
    refused(m, "{'sort':'password'}", PROBLEM_INVALID_QUERY, "cannot be sorted by");
    refused(m, "{'sort':7}", PROBLEM_INVALID_QUERY, "list of names");
    m->tables[ARTICLES].sort_field = STR("views");
    assert_string_equal(sort_of(m, "{}"), "views");
}

static void limits_have_a_default_and_a_maximum(void **state)
{
    struct memory *m = *state;
    assert_int_equal(parsed(m, "{}").limit, 100);
    assert_int_equal(parsed(m, "{'limit':''}").limit, 100);
    assert_int_equal(parsed(m, "{'limit':0}").limit, 0);
    assert_int_equal(parsed(m, "{'limit':'7'}").limit, 7);
    assert_int_equal(parsed(m, "{'limit':7.0}").limit, 7);
    assert_int_equal(parsed(m, "{'limit':-1}").limit, -1);
    refused(m, "{'limit':-2}", PROBLEM_INVALID_QUERY, "greater than or equal to -1");
    refused(m, "{'limit':1.5}", PROBLEM_INVALID_QUERY, "integer");
    refused(m, "{'limit':'x'}", PROBLEM_INVALID_QUERY, "integer");
    refused(m, "{'limit':true}", PROBLEM_INVALID_QUERY, "integer");
    refused(m, "{'limit':[]}", PROBLEM_INVALID_QUERY, "integer");
    refused(m, "{'limit':1e30}", PROBLEM_INVALID_QUERY, "integer");
    m->settings.query_limit_max = 50;
    assert_int_equal(parsed(m, "{}").limit, 50);
    assert_int_equal(parsed(m, "{'limit':-1}").limit, 50);
    assert_int_equal(parsed(m, "{'limit':49}").limit, 49);
    assert_int_equal(parsed(m, "{'limit':50}").limit, 50);
    refused(m, "{'limit':51}", PROBLEM_INVALID_QUERY, "less than or equal to 50");
    m->settings.query_limit_default = -1;
    assert_int_equal(parsed(m, "{}").limit, 50);
}

static void a_page_wins_over_an_offset(void **state)
{
    struct memory *m = *state;
    assert_int_equal(parsed(m, "{'offset':20}").offset, 20);
    assert_int_equal(parsed(m, "{'limit':10,'page':3}").offset, 20);
    assert_int_equal(parsed(m, "{'limit':10,'page':'3','offset':5}").offset, 20);
    assert_int_equal(parsed(m, "{'limit':10,'page':0,'offset':5}").offset, 5);
    assert_int_equal(parsed(m, "{'limit':-1,'page':3}").offset, 0);
    assert_int_equal(parsed(m, "{'page':9223372036854775807}").offset, INT64_MAX);
    refused(m, "{'offset':-1}", PROBLEM_INVALID_QUERY, "\"offset\"");
    refused(m, "{'page':-1}", PROBLEM_INVALID_QUERY, "\"page\"");
}

static void a_filter_may_be_text(void **state)
{
    struct memory *m = *state;
    assert_int_equal(parsed(m, "{'filter':'{\\'views\\':1}'}").filter->kind, EXPR_TEST);
    assert_int_equal(parsed(m, "{'filter':''}").filter->kind, EXPR_TRUE);
    refused(m, "{'filter':'{'}", PROBLEM_INVALID_QUERY, "Invalid JSON");
    refused(m, "{'filter':'5'}", PROBLEM_INVALID_QUERY, "object");
    refused(m, "{'filter':[]}", PROBLEM_INVALID_QUERY, "object");
}

static bool found(struct memory *m, const char *term, const struct value *row)
{
    struct str query = arena_printf(m->arena, "{'search':'%s'}", term);
    return expr_matches(parsed(m, query.at).where, row, 0);
}

static void search_looks_into_texts_numbers_and_uuids(void **state)
{
    struct memory *m = *state;
    struct value row[ARTICLE_COLUMNS] = {[TITLE] = value_text(STR("Hello")),
                                         [VIEWS] = value_integer(42),
                                         [RATING] = value_real(1.5),
                                         [GUID] = value_text(STR(MEMORY_USER)),
                                         [DAY] = value_text(STR("2024-01-02")),
                                         [PASSWORD] = value_text(STR("secret"))};
    assert_true(found(m, "hELL", row));
    assert_true(found(m, "42", row));
    assert_true(found(m, "1.5", row));
    assert_true(found(m, MEMORY_USER, row));
    assert_true(found(m, "", row));
    assert_false(found(m, "4", row));
    assert_false(found(m, "2024", row));
    assert_false(found(m, "secret", row));
    assert_false(found(m, "11111111", row));
    row[VIEWS] = value_integer(-5);
    assert_false(found(m, "4294967291", row)); /* out of the column's range, not wrapped */
    m->fields[ARTICLES][TITLE].searchable = false;
    assert_false(found(m, "hello", row));
    refused(m, "{'search':{}}", PROBLEM_INVALID_QUERY, "\"search\"");
    assert_true(expr_matches(parsed(m, "{'search':42}").where,
                             (struct value[ARTICLE_COLUMNS]){[VIEWS] = value_integer(42)}, 0));
}

static void search_stays_within_what_is_readable(void **state)
{
    struct memory user;
    (void)state;
    memory_open(&user, "[{'collection':'articles','action':'read','fields':['id','day']},"
                       "{'collection':'articles','action':'read','fields':['title'],"
                       "'permissions':{'published':true}}]");
    struct value row[ARTICLE_COLUMNS] = {
        [TITLE] = value_text(STR("Hello")), [BODY] = value_text(STR("World"))};
    assert_false(found(&user, "world", row));
    assert_false(found(&user, "hello", row));
    row[PUBLISHED] = value_integer(1);
    assert_true(found(&user, "hello", row));
    assert_int_equal(parsed(&user, "{'search':'x'}").where->kind, EXPR_TEST);
    memory_close(&user);
    memory_open(&user, "[{'collection':'articles','action':'read','fields':['day']}]");
    assert_int_equal(parsed(&user, "{'search':'x'}").where->kind, EXPR_FALSE);
    memory_close(&user);
}

static void meta_knows_two_counters(void **state)
{
    struct memory *m = *state;
    assert_int_equal(parsed(m, "{}").meta, 0);
    assert_int_equal(parsed(m, "{'meta':'total_count'}").meta, QUERY_TOTAL_COUNT);
    assert_int_equal(parsed(m, "{'meta':['filter_count']}").meta, QUERY_FILTER_COUNT);
    assert_int_equal(parsed(m, "{'meta':'*'}").meta, QUERY_TOTAL_COUNT | QUERY_FILTER_COUNT);
    assert_int_equal(parsed(m, "{'meta':'total_count,filter_count'}").meta,
                     QUERY_TOTAL_COUNT | QUERY_FILTER_COUNT);
    refused(m, "{'meta':'rows'}", PROBLEM_INVALID_QUERY, "\"rows\"");
    refused(m, "{'meta':true}", PROBLEM_INVALID_QUERY, "\"meta\"");
}

static void keys_of_later_are_refused_unless_empty(void **state)
{
    struct memory *m = *state;
    static const char *const keys[] = {"aggregate", "groupBy", "group", "deep", "alias"};
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        refused(m, arena_printf(m->arena, "{'%s':{'a':'b'}}", keys[i]).at, PROBLEM_INVALID_QUERY,
                "not supported yet");
        refused(m, arena_printf(m->arena, "{'%s':'a'}", keys[i]).at, PROBLEM_INVALID_QUERY,
                "not supported yet");
        parsed(m, arena_printf(m->arena, "{'%s':{}}", keys[i]).at);
        parsed(m, arena_printf(m->arena, "{'%s':[]}", keys[i]).at);
        parsed(m, arena_printf(m->arena, "{'%s':null}", keys[i]).at);
    }
    parsed(m, "{'export':'csv','anything':1}");
}

static void keys_restrict_a_query(void **state)
{
    struct memory *m = *state;
    const struct item_key keys[] = {{value_integer(1), false}, {value_integer(2), true}};
    struct value row[ARTICLE_COLUMNS] = {[ID] = value_integer(2)};
    struct query q = parsed(m, "{}");
    query_restrict(&m->tx, &q, keys, 2);
    assert_int_equal(q.limit, 2);
    assert_true(expr_matches(q.where, row, 0));
    row[ID] = value_integer(3);
    assert_false(expr_matches(q.where, row, 0));
    assert_false(expr_matches(q.filter, row, 0));
    q = parsed(m, "{'limit':1}");
    query_restrict(&m->tx, &q, keys, 2);
    assert_int_equal(q.limit, 1);
    query_restrict(&m->tx, &q, NULL, 0);
    assert_int_equal(q.where->kind, EXPR_FALSE);
}

static void rows_are_written_without_secrets(void **state)
{
    struct memory *m = *state;
    struct query q = parsed(m, "{'fields':'id,title,password,published,meta,tags,big,views'}");
    const struct value row[] = {value_integer(1),
                                value_text(STR("a \"b\"")),
                                value_text(STR("$argon2id$x")),
                                value_integer(0),
                                value_text(STR("{\"a\":1}")),
                                value_text(STR("x,y")),
                                value_integer(INT64_MAX),
                                value_null()};
    struct buf b;
    buf_init(&b, SIZE_MAX);
    query_write_row(&b, &q, row);
    assert_text(m, buf_str(&b),
                "{\"id\":1,\"title\":\"a \\\"b\\\"\",\"password\":\"**********\","
                "\"published\":false,\"meta\":{\"a\":1},\"tags\":[\"x\",\"y\"],"
                "\"big\":\"9223372036854775807\",\"views\":null}");
    buf_clear(&b);
    q = parsed(m, "{'fields':'password'}");
    query_write_row(&b, &q, (struct value[]){value_null()});
    assert_text(m, buf_str(&b), "{\"password\":null}");
    buf_deinit(&b);
}

/* Whatever comes is taken, or refused with a kind and words. */
static void no_shape_of_json_does_harm(void **state)
{
    uint64_t seed = 1;
    size_t taken = 0, refusals = 0;
    (void)state;
    for (int i = 0; i < 4000; i++) {
        struct memory m;
        struct query q;
        const struct expr *x;
        memory_open(&m, i % 2 ? NULL
                              : "[{'collection':'articles','action':'read',"
                                "'fields':['id','title','views','day'],"
                                "'permissions':{'owner':'$CURRENT_USER'}}]");
        json_t *json = memory_any_json(&seed, 6);
        json_t *payload = memory_any_json(&seed, 3);
        arena_on_free(m.arena, json_release, json);
        arena_on_free(m.arena, json_release, payload);
        const struct grant *grant = principal_grant(m.principal, &m.tables[ARTICLES], ACTION_READ);
        int results[] = {
            query_parse(&m.tx, &m.tables[ARTICLES], json, &q),
            filter_compile(&m.tx, m.principal, &m.tables[ARTICLES], json, FILTER_QUERY, grant, &x),
            filter_compile(&m.tx, m.principal, &m.tables[ARTICLES], json, FILTER_RULE, NULL, &x),
            filter_validate(&m.tx, &m.tables[ARTICLES], json, payload),
        };
        for (size_t r = 0; r < COUNT_OF(results); r++) {
            assert_in_range(results[r], 0, REFUSED);
            *(results[r] ? &refusals : &taken) += 1;
        }
        memory_close(&m);
    }
    assert_in_range(taken, 500, SIZE_MAX);
    assert_in_range(refusals, 500, SIZE_MAX);
}

/* A filter whose condition is so deep. It takes half as many objects, since the members of each are
 * an `and`. */
static const char *filter_of_depth(struct memory *m, unsigned depth)
{
    struct str filter = STR("{'title':'a'}");
    for (unsigned i = 0; i < depth; i += 2)
        filter = arena_printf(m->arena, "{%s'_or':[{'title':'c'},%.*s]}",
                              i + 1 < depth ? "'status':'b'," : "", STR_ARG(filter));
    return arena_printf(m->arena, "{'filter':%.*s}", STR_ARG(filter)).at;
}

static void a_condition_is_no_deeper_than_the_store_can_take(void **state)
{
    struct memory *m = *state;
    for (unsigned depth = EXPR_DEPTH_MAX - 3; depth < EXPR_DEPTH_MAX; depth++)
        assert_int_equal(parsed(m, filter_of_depth(m, depth)).where->depth, depth);
    refused(m, filter_of_depth(m, EXPR_DEPTH_MAX), PROBLEM_INVALID_QUERY, "too deep");
    refused(m, filter_of_depth(m, EXPR_DEPTH_MAX + 1), PROBLEM_INVALID_QUERY, "too deep");
}

static void keys_are_no_level_too_much(void **state)
{
    struct memory *m = *state;
    const struct item_key key = {.value = value_integer(7)};
    struct query q = parsed(m, filter_of_depth(m, EXPR_DEPTH_MAX - 1));
    query_restrict(&m->tx, &q, &key, 1);
    assert_int_equal(q.where->depth, EXPR_DEPTH_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        memory_test(without_fields_all_but_hidden_ones_are_read),
        memory_test(fields_keep_their_order_and_come_once),
        memory_test(fields_that_are_no_fields_are_refused),
        memory_test(only_permitted_fields_are_read),
        memory_test(rows_without_a_field_are_not_read),
        memory_test(what_makes_no_sense_is_told_before_what_is_forbidden),
        memory_test(the_rule_is_in_the_condition),
        memory_test(sort_takes_lists_and_directions),
        memory_test(limits_have_a_default_and_a_maximum),
        memory_test(a_page_wins_over_an_offset),
        memory_test(a_filter_may_be_text),
        memory_test(search_looks_into_texts_numbers_and_uuids),
        memory_test(search_stays_within_what_is_readable),
        memory_test(meta_knows_two_counters),
        memory_test(keys_of_later_are_refused_unless_empty),
        memory_test(keys_restrict_a_query),
        memory_test(a_condition_is_no_deeper_than_the_store_can_take),
        memory_test(keys_are_no_level_too_much),
        memory_test(rows_are_written_without_secrets),
        cmocka_unit_test(no_shape_of_json_does_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
