#include "unit/model/memory.h"

#include "model/items/items.h"

/* Items in a database: what is read, what changes, and what the commit says of it. */

/* ---- help ---- */

/* As the writer runs a request: what was refused is undone, and the transaction goes on. */
static int undo_refused(struct memory *m, int rc)
{
    assert_int_equal(rc == 0 ? store_release(m->tx.store) : store_rollback_to(m->tx.store), 0);
    return rc;
}

static int create(struct memory *m, unsigned table, const char *json)
{
    struct item_key key;
    assert_int_equal(store_savepoint(m->tx.store), 0);
    return undo_refused(m, items_create(&m->tx, &m->tables[table], memory_json(m, json), &key));
}

static void created(struct memory *m, unsigned table, const char *json)
{
    if (create(m, table, json) != 0)
        fail_msg("%s: %.*s", json, STR_ARG(m->problem.reason));
}

static struct item_key *keys_of(struct memory *m, unsigned table, const char *json, size_t *count)
{
    const json_t *list = memory_json(m, json);
    struct item_key *keys = ARENA_ARRAY(m->arena, struct item_key, json_array_size(list) + 1);
    *count = json_array_size(list);
    for (size_t i = 0; i < *count; i++)
        assert_int_equal(items_key(&m->tx, &m->tables[table], json_array_get(list, i), &keys[i]),
                         0);
    return keys;
}

static int update(struct memory *m, unsigned table, const char *keys, const char *json)
{
    size_t count;
    struct item_key *list = keys_of(m, table, keys, &count);
    assert_int_equal(store_savepoint(m->tx.store), 0);
    return undo_refused(m,
                        items_update(&m->tx, &m->tables[table], list, count, memory_json(m, json)));
}

static int delete_items(struct memory *m, unsigned table, const char *keys)
{
    size_t count;
    struct item_key *list = keys_of(m, table, keys, &count);
    assert_int_equal(store_savepoint(m->tx.store), 0);
    return undo_refused(m, items_delete(&m->tx, &m->tables[table], list, count));
}

/* The table as an admin sees it, as JSON without its brackets. */
static const char *rows_of(struct memory *m, unsigned table, const char *query)
{
    struct query q;
    struct buf b;
    struct tx tx = m->tx;
    AUTO(principal_unref) struct principal *admin = principal_system(&m->catalogue);
    tx.principal = admin;
    buf_init(&b, SIZE_MAX);
    assert_int_equal(query_parse(&tx, &m->tables[table], memory_json(m, query), &q), 0);
    assert_int_equal(items_write_list(&tx, &q, &b), 0);
    struct str text = arena_str(m->arena, buf_str(&b));
    buf_deinit(&b);
    return arena_z(m->arena, text);
}

#define assert_rows(m, table, query, expected)                                                     \
    assert_string_equal(rows_of((m), (table), (query)), (expected))

/*
 * The commit's changes from the one at `from` on: "0 update articles "3" title views;", operation,
 * kind, table, key, and the columns that changed (updates only).
 */
static const char *changes_from(struct memory *m, size_t from)
{
    static const char *const kinds[] = {"create", "update", "delete"};
    const struct commit *c = m->tx.commit;
    struct buf b;
    buf_init(&b, SIZE_MAX);
    for (size_t i = from; i < c->count; i++) {
        const struct change *change = c->changes[i];
        buf_printf(&b, "%u %s %.*s ", change->operation, kinds[change->kind],
                   STR_ARG(change->table->name));
        item_key_write(&b, table_key(change->table), &change->key);
        for (unsigned k = 0; change->kind == CHANGE_UPDATE && k < change->table->shape.count; k++)
            if (column_set_has(&change->changed, k))
                buf_printf(&b, " %.*s", STR_ARG(change->table->fields[k].name));
        buf_put_char(&b, ';');
    }
    struct str text = arena_str(m->arena, buf_str(&b));
    buf_deinit(&b);
    return arena_z(m->arena, text);
}

static const struct change *last_change(struct memory *m)
{
    return m->tx.commit->changes[m->tx.commit->count - 1];
}

/* Gives the tables some rows as an admin, then hands over to a user with these permissions. */
static void fill(struct memory *m)
{
    created(m, AUTHORS, "{'name':'Ann'}");
    created(m, AUTHORS, "{'name':'Bob','boss':1}");
    created(m, ARTICLES, "{'title':'one','views':1,'author':1,'editor':1}");
    created(m, ARTICLES, "{'title':'two','views':2,'author':2,'editor':1}");
    created(m, ARTICLES,
            "{'title':'three','views':3,'author':2,'editor':2,"
            "'owner':'" MEMORY_USER "'}");
}

static void open_as_user(struct memory *m, const char *permissions)
{
    memory_open(m, permissions);
    memory_store(m);
    const struct principal *user = m->tx.principal;
    AUTO(principal_unref) struct principal *admin = principal_system(&m->catalogue);
    m->tx.principal = admin;
    fill(m);
    m->tx.principal = user;
}

/* ---- create ---- */

static void a_created_item_is_recorded_as_it_is_stored(void **state)
{
    struct memory *m = *state;
    struct item_key key;
    assert_int_equal(items_create(&m->tx, &m->tables[ARTICLES],
                                  memory_json(m, "{'title':'four','password':'x'}"), &key),
                     0);
    assert_int_equal(key.value.integer, 4);
    assert_false(key.text);
    assert_string_equal(changes_from(m, 5), "5 create articles 4;");
    const struct change *change = last_change(m);
    assert_null(change->before);
    assert_text(m, change->after[STATUS].text, "draft");
    assert_text(m, change->after[PASSWORD].text, "**********");
    assert_true(column_set_has(&change->submitted, TITLE));
    assert_false(column_set_has(&change->submitted, STATUS));
    assert_rows(m, ARTICLES, "{'filter':{'id':4},'fields':'title,status,password'}",
                "[{\"title\":\"four\",\"status\":\"draft\",\"password\":\"**********\"}]");
}

static void what_the_store_refuses_is_told_by_name(void **state)
{
    struct memory *m = *state;
    assert_refused(m, create(m, ARTICLES, "{'title':'one'}"), PROBLEM_NOT_UNIQUE, "");
    assert_text(m, m->problem.collection, "articles");
    assert_text(m, m->problem.field, "title");
    assert_text(m, m->problem.value, "one");
    assert_refused(m, create(m, ARTICLES, "{'id':1}"), PROBLEM_NOT_UNIQUE, "");
    assert_text(m, m->problem.field, "id");
    assert_refused(m, create(m, ARTICLES, "{'author':99}"), PROBLEM_INVALID_FOREIGN_KEY, "");
    assert_text(m, m->problem.field, "author");
    assert_text(m, m->problem.value, "99");
    assert_refused(m, update(m, ARTICLES, "[1]", "{'author':99,'editor':98}"),
                   PROBLEM_INVALID_FOREIGN_KEY, "");
    assert_null(m->problem.field.at);
    assert_int_equal(m->tx.commit->count, 5);
}

static void creating_needs_a_rule(void **state)
{
    struct memory user;
    (void)state;
    open_as_user(&user, "[{'collection':'articles','action':'create','fields':['title'],"
                        "'presets':{'owner':'$CURRENT_USER'}}]");
    assert_refused(&user, create(&user, AUTHORS, "{'name':'Eve'}"), PROBLEM_FORBIDDEN,
                   "collection \"authors\"");
    assert_refused(&user, create(&user, ARTICLES, "{'views':1}"), PROBLEM_FORBIDDEN, "\"views\"");
    created(&user, ARTICLES, "{'title':'four'}");
    assert_rows(&user, ARTICLES, "{'filter':{'title':'four'},'fields':'owner'}",
                "[{\"owner\":\"" MEMORY_USER "\"}]");
    assert_true(column_set_has(&last_change(&user)->submitted, OWNER));
    memory_close(&user);
}

/* ---- update ---- */

static void an_update_of_many_is_one_operation_in_the_order_of_the_keys(void **state)
{
    struct memory *m = *state;
    assert_int_equal(update(m, ARTICLES, "['3',1,3]", "{'views':3}"), 0);
    assert_string_equal(changes_from(m, 5), "5 update articles \"3\";5 update articles 1 views;");
    const struct change *change = last_change(m);
    assert_int_equal(change->before[VIEWS].integer, 1);
    assert_int_equal(change->after[VIEWS].integer, 3);
    assert_text(m, change->after[TITLE].text, "one");
    assert_true(column_set_has(&change->submitted, VIEWS));
    assert_rows(m, ARTICLES, "{'fields':'views'}", "[{\"views\":3},{\"views\":2},{\"views\":3}]");
}

static void an_empty_update_does_nothing(void **state)
{
    struct memory *m = *state;
    assert_int_equal(update(m, ARTICLES, "[1]", "{}"), 0);
    assert_int_equal(update(m, ARTICLES, "[1]", "{'id':1}"), 0);
    assert_int_equal(update(m, ARTICLES, "[]", "{'views':9}"), 0);
    assert_int_equal(m->tx.commit->count, 5);
    created(m, NOTES, "{'id':'" MEMORY_USER "','text':'a'}");
    assert_int_equal(update(m, NOTES, "['" MEMORY_USER "']", "{}"), 0);
    assert_rows(m, NOTES, "{'fields':'changed'}", "[{\"changed\":null}]");
}

static void a_key_cannot_be_changed(void **state)
{
    struct memory *m = *state;
    assert_refused(m, update(m, ARTICLES, "[1]", "{'id':9}"), PROBLEM_INVALID_PAYLOAD,
                   "primary key");
    assert_refused(m, update(m, ARTICLES, "[1,2]", "{'id':1,'views':5}"), PROBLEM_INVALID_PAYLOAD,
                   "primary key");
    assert_int_equal(update(m, ARTICLES, "[1]", "{'id':'1','views':5}"), 0);
    assert_string_equal(changes_from(m, 5), "5 update articles 1 views;");
}

static void an_update_is_all_or_nothing(void **state)
{
    struct memory *m = *state;
    assert_refused(m, update(m, ARTICLES, "[1,99]", "{'views':7}"), PROBLEM_FORBIDDEN,
                   "\"update\" for collection \"articles\"");
    assert_rows(m, ARTICLES, "{'filter':{'views':7}}", "[]");
    assert_int_equal(m->tx.commit->count, 5);
}

static void every_row_of_an_update_has_to_match_a_rule(void **state)
{
    struct memory user;
    (void)state;
    open_as_user(&user, "[{'collection':'articles','action':'update','fields':['*'],"
                        "'permissions':{'owner':'$CURRENT_USER'}},"
                        "{'collection':'articles','action':'update','fields':['views'],"
                        "'permissions':{'title':'two'}}]");
    assert_int_equal(update(&user, ARTICLES, "[3]", "{'title':'3','views':30}"), 0);
    assert_int_equal(update(&user, ARTICLES, "[2,3]", "{'views':20}"), 0);
    assert_refused(&user, update(&user, ARTICLES, "[1]", "{'views':10}"), PROBLEM_FORBIDDEN,
                   "\"update\"");
    assert_refused(&user, update(&user, ARTICLES, "[3,1]", "{'views':10}"), PROBLEM_FORBIDDEN,
                   "\"update\"");
    assert_refused(&user, update(&user, ARTICLES, "[2]", "{'body':'b'}"), PROBLEM_FORBIDDEN,
                   "field(s) \"body\"");
    assert_refused(&user, update(&user, ARTICLES, "[3,2]", "{'body':'b'}"), PROBLEM_FORBIDDEN,
                   "field(s) \"body\"");
    assert_refused(&user, update(&user, AUTHORS, "[1]", "{'name':'b'}"), PROBLEM_FORBIDDEN,
                   "collection \"authors\"");
    assert_rows(&user, ARTICLES, "{'fields':'title,views,body'}",
                "[{\"title\":\"one\",\"views\":1,\"body\":null},"
                "{\"title\":\"two\",\"views\":20,\"body\":null},"
                "{\"title\":\"3\",\"views\":20,\"body\":null}]");
    memory_close(&user);
}

static void batches_are_bounded(void **state)
{
    struct memory *m = *state;
    m->settings.batch_mutation_max = 2;
    assert_int_equal(update(m, ARTICLES, "[1]", "{'views':7}"), 0);
    assert_int_equal(update(m, ARTICLES, "[1,2]", "{'views':7}"), 0);
    assert_refused(m, update(m, ARTICLES, "[1,2,3]", "{'views':7}"), PROBLEM_INVALID_PAYLOAD,
                   "Exceeded max batch mutation limit of 2");
    assert_refused(m, delete_items(m, ARTICLES, "[1,2,3]"), PROBLEM_INVALID_PAYLOAD, "limit of 2");
}

static void more_keys_than_a_statement_takes_are_updated(void **state)
{
    struct memory *m = *state;
    enum { MANY = 2500 };
    struct item_key *keys = ARENA_ARRAY(m->arena, struct item_key, MANY);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(
            items_create(&m->tx, &m->tables[AUTHORS], memory_json(m, "{'name':'x'}"), &keys[i]), 0);
    size_t before = m->tx.commit->count;
    assert_int_equal(
        items_update(&m->tx, &m->tables[AUTHORS], keys, MANY, memory_json(m, "{'name':'y'}")), 0);
    assert_int_equal(m->tx.commit->count, before + MANY);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(m->tx.commit->changes[before + (size_t)i]->key.value.integer,
                         keys[i].value.integer);
    assert_int_equal(items_delete(&m->tx, &m->tables[AUTHORS], keys, MANY), 0);
    assert_rows(m, AUTHORS, "{'filter':{'name':{'_in':['x','y']}}}", "[]");
}

/* ---- delete ---- */

static void a_delete_is_recorded_with_the_rows_as_they_were(void **state)
{
    struct memory *m = *state;
    assert_int_equal(delete_items(m, ARTICLES, "['2',1]"), 0);
    assert_string_equal(changes_from(m, 5), "5 delete articles \"2\";5 delete articles 1;");
    assert_text(m, last_change(m)->before[TITLE].text, "one");
    assert_null(last_change(m)->after);
    assert_rows(m, ARTICLES, "{'fields':'title'}", "[{\"title\":\"three\"}]");
}

static void admins_may_delete_what_is_not_there(void **state)
{
    struct memory *m = *state;
    assert_int_equal(delete_items(m, ARTICLES, "[99]"), 0);
    assert_int_equal(m->tx.commit->count, 5);
    assert_int_equal(m->tx.commit->operations, 5);
    assert_int_equal(delete_items(m, ARTICLES, "[99,1]"), 0);
    assert_string_equal(changes_from(m, 5), "5 delete articles 1;");
}

static void others_may_delete_what_a_rule_lets_them(void **state)
{
    struct memory user;
    (void)state;
    open_as_user(&user, "[{'collection':'articles','action':'delete',"
                        "'permissions':{'views':{'_lt':3}}}]");
    assert_refused(&user, delete_items(&user, ARTICLES, "[1,3]"), PROBLEM_FORBIDDEN, "\"delete\"");
    assert_refused(&user, delete_items(&user, ARTICLES, "[1,99]"), PROBLEM_FORBIDDEN, "\"delete\"");
    assert_refused(&user, delete_items(&user, AUTHORS, "[1]"), PROBLEM_FORBIDDEN, "\"authors\"");
    assert_int_equal(delete_items(&user, ARTICLES, "[1,2]"), 0);
    assert_rows(&user, ARTICLES, "{'fields':'id'}", "[{\"id\":3}]");
    memory_close(&user);
}

/* ---- effects ---- */

static void references_are_cleared_in_operations_that_follow(void **state)
{
    struct memory *m = *state;
    created(m, AUTHORS, "{'name':'Cid','boss':2}");
    created(m, ARTICLES, "{'title':'four','author':3,'editor':1}");
    size_t from = m->tx.commit->count;
    assert_int_equal(delete_items(m, ARTICLES, "[1]"), 0); /* nothing else of author 1 cascades */
    assert_int_equal(delete_items(m, AUTHORS, "['1']"), 0);
    assert_string_equal(changes_from(m, from),
                        "7 delete articles 1;8 delete authors \"1\";"
                        "9 update articles 2 editor;9 update articles 4 editor;"
                        "10 update authors 2 boss;");
    assert_true(column_set_is_empty(&last_change(m)->submitted));
    assert_int_equal(last_change(m)->before[AUTHOR_BOSS].integer, 1);
    assert_rows(m, ARTICLES, "{'fields':'id,editor'}",
                "[{\"id\":2,\"editor\":null},{\"id\":3,\"editor\":2},{\"id\":4,\"editor\":null}]");
    assert_rows(m, AUTHORS, "{'fields':'id,boss'}",
                "[{\"id\":2,\"boss\":null},{\"id\":3,\"boss\":2}]");
}

static void cascades_follow_from_table_to_table(void **state)
{
    struct memory *m = *state;
    created(m, NOTES, "{'id':'00000000-0000-4000-8000-000000000001','text':'a','article':2}");
    created(m, NOTES, "{'id':'00000000-0000-4000-8000-000000000002','text':'b','article':1}");
    size_t from = m->tx.commit->count;
    assert_int_equal(delete_items(m, AUTHORS, "[2]"), 0);
    assert_string_equal(changes_from(m, from),
                        "7 delete authors 2;8 delete articles 2;8 delete articles 3;"
                        "9 delete notes \"00000000-0000-4000-8000-000000000001\";");
    assert_text(m, last_change(m)->before[NOTE_TEXT].text, "a");
    assert_rows(m, ARTICLES, "{'fields':'id'}", "[{\"id\":1}]");
    assert_rows(m, NOTES, "{'fields':'text'}", "[{\"text\":\"b\"}]");
}

/* A database in which this column refers in another way. */
static void open_with_reference(struct memory *m, unsigned table, unsigned column,
                                const struct reference *reference)
{
    memory_open(m, NULL);
    m->columns[table][column].reference = reference;
    for (size_t i = 0; i < m->catalogue.relation_count; i++)
        if (m->relations[i].column == &m->columns[table][column])
            m->relations[i].on_delete = reference->on_delete;
    memory_store(m);
    fill(m);
}

static void cascades_in_a_circle_end(void **state)
{
    struct memory m;
    (void)state;
    open_with_reference(&m, AUTHORS, AUTHOR_BOSS, &to_author);
    assert_int_equal(update(&m, AUTHORS, "[1]", "{'boss':2}"), 0);
    size_t from = m.tx.commit->count;
    assert_int_equal(delete_items(&m, AUTHORS, "[1]"), 0);
    assert_string_equal(changes_from(&m, from),
                        "6 delete authors 1;7 delete articles 1;7 delete articles 2;"
                        "7 delete articles 3;8 delete authors 2;");
    assert_rows(&m, AUTHORS, "{}", "[]");
    assert_rows(&m, ARTICLES, "{}", "[]");
    memory_close(&m);
}

static void a_row_that_is_still_needed_is_not_deleted(void **state)
{
    struct memory *m = *state;
    created(m, NOTES, "{'text':'a','blocks':1}");
    assert_refused(m, delete_items(m, ARTICLES, "[1]"), PROBLEM_INVALID_FOREIGN_KEY, "");
    assert_rows(m, ARTICLES, "{'filter':{'id':1},'fields':'id'}", "[{\"id\":1}]");
}

/* A note that blocks its own article goes with it: the article's delete is not held up. */
static void what_goes_along_holds_nothing_up(void **state)
{
    struct memory *m = *state;
    created(m, NOTES, "{'text':'a','article':1,'blocks':1}");
    assert_int_equal(delete_items(m, ARTICLES, "[1]"), 0);
    assert_rows(m, NOTES, "{}", "[]");
}

/* Two references of one row are cleared one after the other; the images fit together. */
static void images_of_a_row_that_is_cleared_twice_follow_each_other(void **state)
{
    struct memory m;
    (void)state;
    open_with_reference(&m, ARTICLES, AUTHOR, &to_editor);
    size_t from = m.tx.commit->count;
    assert_int_equal(delete_items(&m, AUTHORS, "[1]"), 0);
    assert_string_equal(changes_from(&m, from),
                        "5 delete authors 1;6 update articles 1 author;"
                        "7 update articles 1 editor;7 update articles 2 editor;"
                        "8 update authors 2 boss;");
    const struct change *first = m.tx.commit->changes[from + 1];
    const struct change *second = m.tx.commit->changes[from + 2];
    assert_int_equal(first->before[EDITOR].integer, 1);
    assert_int_equal(first->after[EDITOR].integer, 1);
    assert_true(value_is_null(&first->after[AUTHOR]));
    assert_true(value_is_null(&second->before[AUTHOR]));
    assert_int_equal(second->before[EDITOR].integer, 1);
    assert_true(value_is_null(&second->after[EDITOR]));
    assert_rows(&m, ARTICLES, "{'fields':'author,editor'}",
                "[{\"author\":null,\"editor\":null},{\"author\":2,\"editor\":null},"
                "{\"author\":2,\"editor\":2}]");
    memory_close(&m);
}

/* Foreign keys are off while tables are rebuilt: the effects come about all the same. */
static void effects_do_not_wait_for_the_stores_own_actions(void **state)
{
    struct memory *m = *state;
    assert_int_equal(store_commit(m->tx.store), 0);
    assert_int_equal(store_begin(m->tx.store, STORE_SCHEMA), 0);
    assert_int_equal(delete_items(m, AUTHORS, "[1]"), 0);
    assert_rows(m, ARTICLES, "{'fields':'id,author,editor'}",
                "[{\"id\":2,\"author\":2,\"editor\":null},"
                "{\"id\":3,\"author\":2,\"editor\":2}]");
    assert_int_equal(store_commit(m->tx.store), 0); /* checks the references */
}

/* ---- read ---- */

static void reading_honours_rows_and_fields_of_the_rules(void **state)
{
    struct memory user;
    struct query q;
    struct buf b;
    int64_t count;
    (void)state;
    open_as_user(&user, "[{'collection':'articles','action':'read','fields':['id','title'],"
                        "'permissions':{'views':{'_lt':3}}},"
                        "{'collection':'articles','action':'read','fields':['*'],"
                        "'permissions':{'views':{'_gt':1}}}]");
    buf_init(&b, SIZE_MAX);
    assert_int_equal(
        query_parse(&user.tx, &user.tables[ARTICLES],
                    memory_json(&user, "{'fields':'title,views','limit':2,'sort':'-id',"
                                       "'filter':{'id':{'_gt':1}}}"),
                    &q),
        0);
    assert_int_equal(items_write_list(&user.tx, &q, &b), 0);
    assert_text(&user, buf_str(&b),
                "[{\"title\":\"three\",\"views\":3},{\"title\":\"two\",\"views\":2}]");
    assert_int_equal(items_count(&user.tx, &q, QUERY_FILTER_COUNT, &count), 0);
    assert_int_equal(count, 2);
    assert_int_equal(items_count(&user.tx, &q, QUERY_TOTAL_COUNT, &count), 0);
    assert_int_equal(count, 3);
    buf_clear(&b);
    assert_int_equal(query_parse(&user.tx, &user.tables[ARTICLES],
                                 memory_json(&user, "{'fields':'title,views','limit':1}"), &q),
                     0);
    assert_int_equal(items_write_one(&user.tx, &q, &b), 0);
    assert_text(&user, buf_str(&b), "{\"title\":\"one\",\"views\":null}");
    buf_deinit(&b);
    memory_close(&user);
}

static void one_item_that_is_not_there_is_forbidden(void **state)
{
    struct memory *m = *state;
    struct query q;
    struct buf b;
    const struct item_key key = {.value = value_integer(99)};
    buf_init(&b, SIZE_MAX);
    assert_int_equal(query_parse(&m->tx, &m->tables[ARTICLES], NULL, &q), 0);
    query_restrict(&m->tx, &q, &key, 1);
    assert_refused(m, items_write_one(&m->tx, &q, &b), PROBLEM_FORBIDDEN, "\"read\"");
    assert_int_equal(b.len, 0);
    buf_deinit(&b);
}

static void an_answer_past_its_ceiling_is_refused(void **state)
{
    struct memory *m = *state;
    struct query q;
    struct buf b;
    const char *whole = rows_of(m, ARTICLES, "{'fields':'title'}");
    assert_int_equal(
        query_parse(&m->tx, &m->tables[ARTICLES], memory_json(m, "{'fields':'title'}"), &q), 0);
    for (size_t less = 0; less <= 2; less++) {
        buf_init(&b, strlen(whole) - less);
        int rc = items_write_list(&m->tx, &q, &b);
        if (less == 0)
            assert_int_equal(rc, 0);
        else
            assert_refused(m, rc, PROBLEM_INVALID_QUERY, "larger than");
        buf_deinit(&b);
    }
}

static void keys_that_can_be_none_are_forbidden(void **state)
{
    struct memory *m = *state;
    struct item_key key;
    static const char *const never[] = {"'x'", "1.5", "null", "true", "[]", "{}", "''", "'1e99'"};
    for (size_t i = 0; i < COUNT_OF(never); i++)
        assert_refused(m, items_key(&m->tx, &m->tables[ARTICLES], memory_json(m, never[i]), &key),
                       PROBLEM_FORBIDDEN, "");
    assert_refused(m, items_key_text(&m->tx, &m->tables[NOTES], STR("7"), &key), PROBLEM_FORBIDDEN,
                   "");
    assert_refused(m, items_key_text(&m->tx, &m->tables[WORDS], STR("\xff"), &key),
                   PROBLEM_FORBIDDEN, "");
    assert_int_equal(items_key_text(&m->tx, &m->tables[ARTICLES], STR("7"), &key), 0);
    assert_true(key.text);
    assert_int_equal(key.value.integer, 7);
    assert_int_equal(items_key(&m->tx, &m->tables[ARTICLES], memory_json(m, "7"), &key), 0);
    assert_false(key.text);
}

static void tables_are_found_by_those_who_may(void **state)
{
    struct memory user;
    const struct table *table = NULL;
    (void)state;
    memory_open(&user, "[{'collection':'articles','action':'read','fields':['id']}]");
    assert_int_equal(items_table(&user.tx, STR("articles"), ACTION_READ, &table), 0);
    assert_ptr_equal(table, &user.tables[ARTICLES]);
    assert_refused(&user, items_table(&user.tx, STR("articles"), ACTION_CREATE, &table),
                   PROBLEM_FORBIDDEN, "\"articles\"");
    assert_refused(&user, items_table(&user.tx, STR("authors"), ACTION_READ, &table),
                   PROBLEM_FORBIDDEN, "\"authors\"");
    assert_refused(&user, items_table(&user.tx, STR("nothing"), ACTION_READ, &table),
                   PROBLEM_FORBIDDEN, "\"nothing\"");
    memory_close(&user);
}

static void a_query_selects_keys(void **state)
{
    struct memory *m = *state;
    struct query q;
    struct item_key *keys;
    size_t count;
    assert_int_equal(query_parse(&m->tx, &m->tables[ARTICLES],
                                 memory_json(m, "{'filter':{'views':{'_gt':1}},'sort':'-views'}"),
                                 &q),
                     0);
    assert_int_equal(items_keys(&m->tx, &q, &keys, &count), 0);
    assert_int_equal(count, 2);
    assert_int_equal(keys[0].value.integer, 3);
    assert_int_equal(keys[1].value.integer, 2);
}

static void a_singleton_is_created_once_and_then_updated(void **state)
{
    struct memory *m = *state;
    struct item_key key;
    assert_int_equal(items_upsert_singleton(&m->tx, &m->tables[WORDS],
                                            memory_json(m, "{'word':'a','rank':1}"), &key),
                     0);
    assert_int_equal(
        items_upsert_singleton(&m->tx, &m->tables[WORDS], memory_json(m, "{'rank':2}"), &key), 0);
    assert_text(m, key.value.text, "a");
    assert_string_equal(changes_from(m, 5), "5 create words \"a\";6 update words \"a\" rank;");
    assert_rows(m, WORDS, "{}", "[{\"word\":\"a\",\"rank\":2}]");
}

/* ---- */

static int open_with_rows(void **state)
{
    struct memory *m = calloc(1, sizeof(*m));
    memory_open(m, NULL);
    memory_store(m);
    fill(m);
    *state = m;
    return 0;
}

static int close_memory(void **state)
{
    memory_close(*state);
    free(*state);
    return 0;
}

#define test(name) cmocka_unit_test_setup_teardown(name, open_with_rows, close_memory)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(a_created_item_is_recorded_as_it_is_stored),
        test(what_the_store_refuses_is_told_by_name),
        test(creating_needs_a_rule),
        test(an_update_of_many_is_one_operation_in_the_order_of_the_keys),
        test(an_empty_update_does_nothing),
        test(a_key_cannot_be_changed),
        test(an_update_is_all_or_nothing),
        test(every_row_of_an_update_has_to_match_a_rule),
        test(batches_are_bounded),
        test(more_keys_than_a_statement_takes_are_updated),
        test(a_delete_is_recorded_with_the_rows_as_they_were),
        test(admins_may_delete_what_is_not_there),
        test(others_may_delete_what_a_rule_lets_them),
        test(references_are_cleared_in_operations_that_follow),
        test(cascades_follow_from_table_to_table),
        test(cascades_in_a_circle_end),
        test(a_row_that_is_still_needed_is_not_deleted),
        test(what_goes_along_holds_nothing_up),
        test(effects_do_not_wait_for_the_stores_own_actions),
        test(images_of_a_row_that_is_cleared_twice_follow_each_other),
        test(reading_honours_rows_and_fields_of_the_rules),
        test(one_item_that_is_not_there_is_forbidden),
        test(an_answer_past_its_ceiling_is_refused),
        test(keys_that_can_be_none_are_forbidden),
        test(tables_are_found_by_those_who_may),
        test(a_query_selects_keys),
        test(a_singleton_is_created_once_and_then_updated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
