#include "unit/model/core.h"

#include <sqlite3.h>
#include <sys/stat.h>

#include "model/copy/internal.h"
#include "model/identity/identity.h"
#include "store/files.h"

/*
 * An instance with something of everything, taken to the store of the tests, to a file, and back.
 * JSON is written with ' for " to be read easily.
 */

static json_t *quoted(struct instance *in, const char *text)
{
    char *copy = arena_alloc(in->arena, strlen(text) + 1);
    for (size_t i = 0; text[i]; i++)
        copy[i] = text[i] == '\'' ? '"' : text[i];
    return json_of(in, copy);
}

/* ---- what is copied ---- */

static const char *const collections[] = {
    "{'collection':'every_type','schema':{},'fields':["
    "{'field':'id','type':'integer','schema':{'is_primary_key':true,'has_auto_increment':true}},"
    "{'field':'a_string','type':'string','schema':{'max_length':20,'is_unique':true}},"
    "{'field':'a_text','type':'text'},"
    "{'field':'an_integer','type':'integer','schema':{'is_indexed':true,'default_value':7}},"
    "{'field':'a_big','type':'bigInteger'},"
    "{'field':'a_float','type':'float'},"
    "{'field':'a_decimal','type':'decimal','schema':{'numeric_precision':12,'numeric_scale':3}},"
    "{'field':'a_boolean','type':'boolean','schema':{'is_nullable':false,'default_value':true}},"
    "{'field':'a_date','type':'date'},{'field':'a_time','type':'time'},"
    "{'field':'a_date_time','type':'dateTime'},{'field':'a_timestamp','type':'timestamp'},"
    "{'field':'a_uuid','type':'uuid'},{'field':'a_json','type':'json'},"
    "{'field':'a_csv','type':'csv'},{'field':'a_hash','type':'hash'}]}",
    "{'collection':'Trees','schema':{},'fields':["
    "{'field':'id','type':'uuid','meta':{'special':['uuid']},'schema':{'is_primary_key':true}},"
    "{'field':'height','type':'float'}]}",
    "{'collection':'words','schema':{},'fields':["
    "{'field':'word','type':'string','schema':{'is_primary_key':true}},"
    "{'field':'order','type':'integer'}]}",
    "{'collection':'left','schema':{},'fields':["
    "{'field':'id','type':'integer','schema':{'is_primary_key':true,'has_auto_increment':true}},"
    "{'field':'right','type':'integer'}]}",
    "{'collection':'right','schema':{},'fields':["
    "{'field':'id','type':'integer','schema':{'is_primary_key':true,'has_auto_increment':true}},"
    "{'field':'left','type':'integer'},{'field':'above','type':'integer'}]}",
    "{'collection':'empty','schema':{},'fields':["
    "{'field':'id','type':'bigInteger','schema':{'is_primary_key':true,"
    "'has_auto_increment':true}}]}",
    "{'collection':'a_folder','schema':null,'meta':{}}",
};
/* left ◄──► right, and right ──► itself */
static const char *const relations[] = {
    "{'collection':'left','field':'right','related_collection':'right','schema':{}}",
    ("{'collection':'right','field':'left','related_collection':'left',"
     "'schema':{'on_delete':'CASCADE'}}"),
    "{'collection':'right','field':'above','related_collection':'right','schema':{}}",
};
static const struct {
    const char *collection, *row;
} items[] = {
    {"every_type",
     "{'a_string':'\u00e4\U0001f600','a_text':'','an_integer':-2147483648,"
     "'a_big':'9223372036854775807','a_float':0.1,'a_decimal':'123456789.125','a_boolean':false,"
     "'a_date':'0001-01-01','a_time':'23:59:59','a_date_time':'2024-02-29T00:00:00',"
     "'a_timestamp':'2024-01-02T03:04:05.678+02:00',"
     "'a_uuid':'11111111-1111-4111-8111-11111111111A','a_json':{'b':[1,2.50,null],'a':'\u00e9'},"
     "'a_csv':['x','y z',''],'a_hash':'secret'}"},
    {"every_type", "{}"},
    {"every_type",
     "{'a_string':' ','a_text':'line\\nline\\\\','an_integer':2147483647,"
     "'a_big':'-9223372036854775808','a_float':-1.7976931348623157e308,'a_decimal':-0.001,"
     "'a_date':'9999-12-31','a_time':'00:00:00','a_json':'null','a_csv':[]}"},
    {"every_type", "{'a_float':5e-324,'a_decimal':0,'a_json':[]}"},
    {"Trees", "{'id':'22222222-2222-4222-8222-222222222222','height':1.5}"},
    {"Trees", "{'height':null}"},
    {"words", "{'word':'Z','order':1}"},
    {"words", "{'word':'a','order':2}"},
    {"words", "{'word':'','order':3}"},
    {"words", "{'word':'\u00e4','order':null}"},
    {"left", "{'id':5}"},
    {"right", "{'id':50,'left':5,'above':50}"},
    {"left", "{'right':50}"},
};

static struct {
    const char *collection, *body;
    struct item_key key;
} plan;

static int create_collection(struct instance *in, struct tx *tx)
{
    struct str name;
    return schema_create_collection(tx, quoted(in, plan.body), &name);
}

static int create_relation(struct instance *in, struct tx *tx)
{
    struct str collection, field;
    return schema_create_relation(tx, quoted(in, plan.body), &collection, &field);
}

static int create_item(struct instance *in, struct tx *tx)
{
    const struct table *table = catalogue_table(tx->catalogue, str_of(plan.collection));
    assert_non_null(table);
    return items_create(tx, table, quoted(in, plan.body), &plan.key);
}

static int delete_item(struct instance *in, struct tx *tx)
{
    const struct table *table = catalogue_table(tx->catalogue, str_of(plan.collection));
    (void)in;
    return items_delete(tx, table, &plan.key, 1);
}

static int link_left(struct instance *in, struct tx *tx)
{
    const struct table *table = catalogue_table(tx->catalogue, STR("left"));
    struct item_key key;
    assert_int_equal(items_key(tx, table, json_of(in, "5"), &key), 0);
    return items_update(tx, table, &key, 1, quoted(in, "{'right':50}"));
}

static int create_user(struct instance *in, struct tx *tx)
{
    struct str id;
    (void)in;
    return identity_user_create(tx,
                                &(struct new_user){.email = STR("ann@example.com"),
                                                   .password = STR("a password"),
                                                   .token = STR("a token of hers")},
                                &id);
}

static void plan_for(const char *collection, const char *body)
{
    plan.collection = collection;
    plan.body = body;
}

static void done(struct instance *in, enum writer_kind kind,
                 int (*act)(struct instance *in, struct tx *tx), const char *collection,
                 const char *body)
{
    plan_for(collection, body);
    int rc = run(in, kind, act);
    if (rc != 0)
        fail_msg("%s: %d %.*s", body, rc, STR_ARG(in->problem.reason));
}

static int populated_setup(void **state)
{
    instance_setup(state);
    struct instance *in = *state;
    for (size_t i = 0; i < COUNT_OF(collections); i++)
        done(in, WRITER_SCHEMA, create_collection, NULL, collections[i]);
    for (size_t i = 0; i < COUNT_OF(relations); i++)
        done(in, WRITER_SCHEMA, create_relation, NULL, relations[i]);
    for (size_t i = 0; i < COUNT_OF(items); i++)
        done(in, WRITER_ROWS, create_item, items[i].collection, items[i].row);
    assert_int_equal(run(in, WRITER_ROWS, link_left), 0);
    assert_int_equal(run(in, WRITER_ROWS, create_user), 0);
    /* The highest key is that of a row that is no more. */
    plan_for("every_type", "{}");
    assert_int_equal(run(in, WRITER_ROWS, create_item), 0);
    assert_int_equal(run(in, WRITER_ROWS, delete_item), 0);
    return 0;
}

#define test_populated(test)                                                                       \
    cmocka_unit_test_setup_teardown(test, populated_setup, instance_teardown)
#define test_fresh(test) cmocka_unit_test_setup_teardown(test, instance_setup, instance_teardown)

/* ---- copying ---- */

/* A file, whatever the store of the tests is. */
static void make_file(struct database *d)
{
    *d = (struct database){0};
    snprintf(d->folder, sizeof(d->folder), "/tmp/rowcast-unit-XXXXXX");
    assert_non_null(mkdtemp(d->folder));
    snprintf(d->file, sizeof(d->file), "%s/db", d->folder);
    d->settings = (struct store_settings){.client = STORE_SQLITE, .filename = str_of(d->file)};
}

static struct copy copy_of(struct instance *in, const struct database *from,
                           const struct database *to)
{
    return (struct copy){.from = from->settings, .to = to->settings, .arena = in->arena};
}

static struct copy copied(struct instance *in, const struct database *from,
                          const struct database *to)
{
    struct copy copy = copy_of(in, from, to);
    int rc = model_copy(&copy);
    if (rc != 0)
        fail_msg("%d: %.*s: %.*s %s", rc, STR_ARG(copy.subject), STR_ARG(copy.reason),
                 rc < 0 ? fault_text() : "");
    return copy;
}

static void refused(struct instance *in, const struct database *from, const struct database *to,
                    const char *words)
{
    struct copy copy = copy_of(in, from, to);
    int rc = model_copy(&copy);
    if (rc != COPY_REFUSED || !strstr(arena_z(in->arena, copy.reason), words))
        fail_msg("%d: %.*s %s", rc, STR_ARG(copy.reason), rc < 0 ? fault_text() : "");
}

/* ---- what a database holds ---- */

static int put_row(void *context, const struct value *row)
{
    struct buf *b = context;
    size_t count = b->max; /* lent: the number of columns */
    b->max = SIZE_MAX;
    for (size_t i = 0; i < count; i++)
        value_put_key(b, &row[i]);
    buf_put_char(b, '\n');
    b->max = count;
    return 0;
}

static void put_table(struct store *s, const struct shape *shape, struct buf *b)
{
    struct select select = {.shape = shape, .limit = -1};
    buf_printf(b, "-- %.*s\n", STR_ARG(shape->name));
    b->max = shape->count;
    assert_int_equal(store_select(s, &select, put_row, b), 0);
    b->max = SIZE_MAX;
}

/* All rows of all tables, but for the state, and the counters. */
static struct str contents(struct instance *in, const struct database *d)
{
    AUTO(catalogue_unref) struct catalogue *c = model_catalogue(in->model);
    struct store *s;
    struct buf b;
    buf_init(&b, SIZE_MAX);
    assert_int_equal(store_open(&d->settings, STORE_READ, &s), 0);
    for (unsigned which = 0; which < SYSTEM_TABLE_COUNT; which++)
        if (which != SYSTEM_STATE)
            put_table(s, &system_table(which)->shape, &b);
    for (size_t i = 0; i < c->table_count; i++) {
        const struct shape *shape = &c->tables[i]->shape;
        int64_t key = 0;
        if (c->tables[i]->system)
            continue;
        put_table(s, shape, &b);
        if (shape->columns[shape->key].auto_increment)
            assert_int_equal(store_last_key(s, shape, &key), 0);
        buf_printf(&b, "-- %lld\n", (long long)key);
    }
    store_close(s);
    struct str text = arena_str(in->arena, buf_str(&b));
    buf_deinit(&b);
    return text;
}

static void assert_same(struct instance *in, const struct database *there)
{
    struct str here = contents(in, &in->database);
    assert_string_equal(here.at, contents(in, there).at);
}

static bool has_table(const struct database *d, const char *name)
{
    struct store *s;
    bool there;
    assert_int_equal(store_open(&d->settings, STORE_READ, &s), 0);
    assert_int_equal(store_table_exists(s, str_of(name), &there), 0);
    store_close(s);
    return there;
}

static struct journal_state state_in(struct instance *in, const struct database *d)
{
    struct journal_state state;
    struct store *s;
    assert_int_equal(store_open(&d->settings, STORE_READ, &s), 0);
    assert_int_equal(journal_state_read(s, in->arena, &state), 0);
    store_close(s);
    return state;
}

static void report(void *context, struct str finding)
{
    (void)context;
    fail_msg("%.*s", STR_ARG(finding));
}

/* ---- copies ---- */

static void assert_forked(struct instance *in, const struct database *there, struct copy copy)
{
    struct journal_state here = state_of(in), other = state_in(in, there);
    assert_false(str_equal(here.epoch, other.epoch));
    assert_true(str_equal(copy.epoch, other.epoch));
    assert_int_equal(here.head, other.head);
    assert_int_equal(here.commits, other.commits);
    assert_int_equal(here.catalogue_version, other.catalogue_version);
    assert_int_equal(here.format, other.format);
}

static void a_copy_holds_all_of_it_in_a_history_of_its_own(void **state)
{
    struct instance *in = *state;
    struct database there;

    database_make(&there);
    struct copy copy = copied(in, &in->database, &there);
    assert_same(in, &there);
    assert_forked(in, &there, copy);
    assert_int_equal(copy.tables, SYSTEM_TABLE_COUNT - 1 + COUNT_OF(collections) - 1);
    database_drop(&there);
}

/* Into a file and out of it, on a store that may be another. */
static void a_copy_of_a_copy_is_the_same(void **state)
{
    struct instance *in = *state;
    struct database file, there;

    make_file(&file);
    database_make(&there);
    copied(in, &in->database, &file);
    assert_same(in, &file);
    copied(in, &file, &there);
    assert_same(in, &there);
    database_drop(&file);
    database_drop(&there);
}

static void a_copy_goes_on_where_it_was_copied(void **state)
{
    struct instance *in = *state, there = {.arena = in->arena};
    struct model_check check;

    database_make(&there.database);
    copied(in, &in->database, &there.database);
    instance_start(&there);
    plan_for("every_type", "{}");
    assert_int_equal(run(&there, WRITER_ROWS, create_item), 0);
    assert_int_equal(plan.key.value.integer, 6); /* 5 is gone */
    assert_int_equal(state_of(&there).head, state_of(in).head + 1);
    plan_for("right", "{'left':99}");
    assert_int_equal(run(&there, WRITER_ROWS, create_item), REFUSED);
    plan_for("every_type", "{'a_string':' '}");
    assert_int_equal(run(&there, WRITER_ROWS, create_item), REFUSED);
    assert_int_equal(model_check(there.model, in->arena, report, NULL, &check), 0);
    instance_stop(&there);
    database_drop(&there.database);
}

static void what_is_not_committed_is_not_copied(void **state)
{
    struct instance *in = *state;
    struct database there;
    int64_t head = state_of(in).head;

    database_make(&there);
    assert_int_equal(writer_begin(in->writer, WRITER_ROWS), 0);
    plan_for("words", "{'word':'late'}");
    assert_int_equal(run_in_batch(in, create_item), 0);
    copied(in, &in->database, &there);
    writer_rollback(in->writer);
    assert_int_equal(state_in(in, &there).head, head);
    assert_same(in, &there);
    database_drop(&there);
}

static void an_instance_of_nothing_can_be_copied(void **state)
{
    struct instance *in = *state;
    struct database there;

    database_make(&there);
    copied(in, &in->database, &there);
    assert_same(in, &there);
    database_drop(&there);
}

/* ---- refusals ---- */

static void a_target_with_an_instance_is_refused_and_stays_as_it_is(void **state)
{
    struct instance *in = *state, there = {.arena = in->arena};

    database_make(&there.database);
    instance_start(&there);
    struct journal_state before = state_of(&there);
    refused(in, &in->database, &there.database, "in use by another rowcast process");
    instance_stop(&there);
    refused(in, &in->database, &there.database, "holds an instance already");
    assert_string_equal(before.epoch.at, state_in(in, &there.database).epoch.at);
    assert_false(has_table(&there.database, "words"));
    database_drop(&there.database);
}

static void an_instance_is_not_copied_onto_itself(void **state)
{
    struct instance *in = *state;
    struct str before = contents(in, &in->database);

    instance_stop(in);
    refused(in, &in->database, &in->database, "holds an instance already");
    instance_start(in);
    assert_string_equal(before.at, contents(in, &in->database).at);
}

static void a_target_with_a_table_of_the_name_is_refused_and_stays_as_it_is(void **state)
{
    struct instance *in = *state;
    struct database there;
    struct store *s;
    const struct column id = {.name = STR("id"), .type = TYPE_INTEGER, .primary_key = true};
    const struct shape words = {.name = STR("words"), .columns = &id, .count = 1};

    database_make(&there);
    assert_int_equal(store_open(&there.settings, STORE_WRITE, &s), 0);
    assert_int_equal(store_begin(s, STORE_SCHEMA), 0);
    assert_int_equal(store_create_table(s, &words), 0);
    assert_int_equal(store_commit(s), 0);
    store_close(s);
    refused(in, &in->database, &there, "has a table \"words\" already");
    assert_true(has_table(&there, "words"));
    assert_false(has_table(&there, "rowcast_state"));
    database_drop(&there);
}

static void a_source_that_is_none_is_a_fault_and_no_target_is_made(void **state)
{
    struct instance *in = *state;
    struct database nothing, there;
    struct store *s;

    make_file(&nothing);
    make_file(&there);
    struct copy copy = copy_of(in, &nothing, &there);
    assert_true(model_copy(&copy) < 0);
    assert_string_equal(copy.subject.at, "the source");
    assert_int_not_equal(access(nothing.file, F_OK), 0);

    assert_int_equal(store_open(&nothing.settings, STORE_WRITE, &s), 0); /* a file of no tables */
    store_close(s);
    assert_true(model_copy(&copy) < 0);
    assert_int_not_equal(access(there.file, F_OK), 0);
    database_drop(&nothing);
    database_drop(&there);
}

static void a_target_that_cannot_be_opened_is_a_fault(void **state)
{
    struct instance *in = *state;
    struct database there = {
        .settings = {.client = STORE_SQLITE, .filename = STR("/tmp/nowhere-at-all/db")}};
    struct copy copy = copy_of(in, &in->database, &there);

    assert_true(model_copy(&copy) < 0);
    assert_string_equal(copy.subject.at, "the target");
    there.settings = (struct store_settings){
        .client = STORE_POSTGRES,
        .connection = STR("host=/tmp/nowhere-at-all password=hunter2 dbname=x")};
    copy = copy_of(in, &in->database, &there);
    assert_true(model_copy(&copy) < 0);
    assert_null(strstr(fault_text(), "hunter2"));
}

/* ---- what another program has put into a file ---- */

static void damage(const struct database *d, const char *sql)
{
    sqlite3 *db;
    char *message = NULL;
    assert_int_equal(sqlite3_open(d->file, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s: %s", sql, message);
    sqlite3_close(db);
}

static void hear(void *context, const struct copy_note *note)
{
    buf_printf(context, "%s %.*s %lld%s;", note->step == COPY_WRITTEN ? "w" : "c",
               STR_ARG(note->table), (long long)note->rows, note->finished ? "" : " so far");
}

static void each_table_is_told_of_when_it_is_written_and_compared(void **state)
{
    struct instance *in = *state;
    struct database file, there;
    struct buf heard;

    make_file(&file);
    database_make(&there);
    copied(in, &in->database, &file);
    damage(&file, "WITH RECURSIVE n(i) AS (SELECT 5 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)"
                  "INSERT INTO words (word, \"order\") SELECT 'w' || i, i FROM n;"
                  "INSERT INTO left (id) SELECT \"order\" + 100 FROM words WHERE \"order\" > 3;");
    buf_init(&heard, SIZE_MAX);
    struct copy copy = copy_of(in, &file, &there);
    copy.note = hear;
    copy.context = &heard;
    assert_int_equal(model_copy(&copy), 0);
    buf_put_char(&heard, '\0');
    assert_non_null(strstr(heard.at, "w rowcast_users 1;"));
    assert_non_null(strstr(heard.at, "w empty 0;"));
    assert_non_null(strstr(heard.at, "c empty 0;"));
    assert_non_null(strstr(heard.at, "w left 99998;"));
    assert_non_null(strstr(heard.at, "w words 100000 so far;w words 100000;"));
    assert_non_null(strstr(heard.at, "c words 100000 so far;c words 100000;"));
    assert_null(strstr(heard.at, "left 99998 so far"));
    buf_deinit(&heard);
    database_drop(&file);
    database_drop(&there);
}

/* A file with the instance, and what is done to it; the copy of that is refused with these words
 * and leaves nothing. */
static void refused_after(struct instance *in, const char *sql, const char *words)
{
    struct database file, there;

    make_file(&file);
    database_make(&there);
    copied(in, &in->database, &file);
    damage(&file, sql);
    refused(in, &file, &there, words);
    if (database_on_postgres())
        assert_false(has_table(&there, "rowcast_users"));
    else
        assert_int_not_equal(access(there.file, F_OK), 0);
    database_drop(&file);
    database_drop(&there);
}

#define NAME_63 "n23456789012345678901234567890123456789012345678901234567890123"

static void what_the_target_cannot_hold_is_named(void **state)
{
    struct instance *in = *state;

    refused_after(in, "UPDATE every_type SET a_string = '123456789012345678901' WHERE id = 2",
                  "table \"every_type\", row 2: the value of column \"a_string\" is too long");
    refused_after(in, "UPDATE every_type SET a_big = 1, an_integer = 2147483648 WHERE id = 3",
                  "column \"an_integer\" is too long, out of range");
    refused_after(in, "UPDATE words SET word = CAST(x'61ff' AS TEXT) WHERE word = 'a'",
                  "column \"word\" is too long, out of range, or of a wrong kind");
    refused_after(in,
                  "ALTER TABLE words RENAME TO " NAME_63 "4;"
                  "UPDATE rowcast_fields SET collection = '" NAME_63 "4' WHERE collection = "
                  "'words';"
                  "UPDATE rowcast_collections SET collection = '" NAME_63 "4' WHERE collection = "
                  "'words'",
                  "table \"" NAME_63 "4\": the name is longer than the 63 bytes");
    refused_after(in,
                  "ALTER TABLE words RENAME \"order\" TO " NAME_63 "4;"
                  "UPDATE rowcast_fields SET field = '" NAME_63 "4' WHERE field = 'order'",
                  "table \"words\", column \"" NAME_63 "4\": the name is longer");
    if (!database_on_postgres()) /* where it is text like any other */
        return;
    refused_after(in, "UPDATE every_type SET a_json = '{no json' WHERE id = 4",
                  "table \"every_type\", row 4: the value of column \"a_json\"");
}

#define ODD_NAME "B\u00e4ume \"gro\u00df\" \U0001f333"

/* Names that no client can give, but a database can hold. */
static void names_are_quoted_and_may_have_any_letters(void **state)
{
    struct instance *in = *state, odd = {.arena = in->arena};
    struct database there;

    make_file(&odd.database);
    database_make(&there);
    copied(in, &in->database, &odd.database);
    damage(&odd.database,
           "ALTER TABLE every_type RENAME a_text TO \"B\u00e4ume \"\"gro\u00df\"\" \U0001f333\";"
           "ALTER TABLE every_type RENAME TO \"B\u00e4ume \"\"gro\u00df\"\" \U0001f333\";"
           "UPDATE rowcast_fields SET field = '" ODD_NAME "' WHERE field = 'a_text';"
           "UPDATE rowcast_fields SET collection = '" ODD_NAME "' WHERE collection = 'every_type';"
           "UPDATE rowcast_collections SET collection = '" ODD_NAME "' WHERE collection = "
           "'every_type'");
    instance_start(&odd);
    copied(&odd, &odd.database, &there);
    assert_same(&odd, &there);
    assert_true(has_table(&there, ODD_NAME));
    instance_stop(&odd);
    database_drop(&odd.database);
    database_drop(&there);
}

static void rows_that_refer_to_nothing_are_refused(void **state)
{
    struct instance *in = *state;

    refused_after(in, "PRAGMA foreign_keys = OFF; UPDATE \"right\" SET above = 99",
                  "refer to rows that are not there");
}

/* A secret's key is no text for a message. */
static void what_a_message_tells_is_no_secret(void **state)
{
    struct instance *in = *state;

    refused_after(in,
                  "INSERT INTO rowcast_sessions (token, user, expires, ip) VALUES"
                  " ('hunter2', NULL, '2030-01-01T00:00:00.000Z', zeroblob(0) || x'ff')",
                  "table \"rowcast_sessions\", a row: the value of column \"ip\"");
}

/* ---- comparing ---- */

static const struct column pair_columns[] = {
    {.name = STR_INIT("id"), .type = TYPE_INTEGER, .index = 0, .primary_key = true},
    {.name = STR_INIT("text"), .type = TYPE_TEXT, .index = 1, .nullable = true},
};
static const struct shape pair = {STR_INIT("pair"), pair_columns, 2, 0};

struct sides {
    struct database database[2];
    struct store *store[2];
    struct arena *arena;
};

static int sides_setup(void **state)
{
    struct sides *s = MEM_NEW(struct sides);
    s->arena = arena_new();
    for (unsigned i = 0; i < 2; i++) {
        if (i == 0)
            make_file(&s->database[i]);
        else
            database_make(&s->database[i]);
        assert_int_equal(store_open(&s->database[i].settings, STORE_WRITE, &s->store[i]), 0);
        assert_int_equal(store_begin(s->store[i], STORE_SCHEMA), 0);
        assert_int_equal(store_create_table(s->store[i], &pair), 0);
    }
    *state = s;
    return 0;
}

static int sides_teardown(void **state)
{
    struct sides *s = *state;
    for (unsigned i = 0; i < 2; i++) {
        store_close(s->store[i]);
        database_drop(&s->database[i]);
    }
    arena_free(s->arena);
    mem_free(s);
    return 0;
}

#define test_sides(test) cmocka_unit_test_setup_teardown(test, sides_setup, sides_teardown)

static void put(struct sides *s, unsigned side, int64_t id, struct value text)
{
    const struct assignment row[] = {{&pair_columns[0], value_integer(id)},
                                     {&pair_columns[1], text}};
    assert_int_equal(store_append(s->store[side], &pair, row, 2), 0);
}

static void take(struct sides *s, unsigned side, int64_t id)
{
    const struct value key = value_integer(id);
    assert_int_equal(store_delete(s->store[side], &pair,
                                  expr_test(s->arena, &pair_columns[0], OP_EQ, &key, 1), 0, NULL,
                                  NULL),
                     0);
}

/* Even keys from 2 on both sides. */
static void fill_sides(struct sides *s, int64_t count, struct value text)
{
    for (int64_t id = 1; id <= count; id++)
        for (unsigned side = 0; side < 2; side++)
            put(s, side, 2 * id, text);
}

static void count_one(void *context)
{
    ++*(int64_t *)context;
}

static int64_t same_rows(struct sides *s)
{
    struct difference difference;
    int64_t count = 0;
    assert_int_equal(
        compare_tables(s->store[0], s->store[1], &pair, s->arena, count_one, &count, &difference),
        0);
    return count;
}

static void assert_differs(struct sides *s, int64_t key, const struct column *column)
{
    for (unsigned from = 0; from < 2; from++) {
        struct difference difference = {0};
        assert_int_equal(compare_tables(s->store[from], s->store[1 - from], &pair, s->arena, NULL,
                                        NULL, &difference),
                         COMPARE_DIFFERS);
        assert_int_equal(difference.key.integer, key);
        assert_ptr_equal(difference.column, column);
    }
}

static void the_same_rows_are_the_same_below_at_and_above_a_batch(void **state)
{
    struct sides *s = *state;

    assert_int_equal(same_rows(s), 0);
    for (int64_t count = 1; count <= 1501; count++) {
        for (unsigned side = 0; side < 2; side++)
            put(s, side, count, count % 3 ? value_text(STR("x")) : value_null());
        if (count == 1 || count % 500 == 499 || count % 500 <= 1)
            assert_int_equal(same_rows(s), count);
    }
}

static void a_row_that_is_on_one_side_only_is_found_wherever_it_is(void **state)
{
    struct sides *s = *state;
    static const int64_t odd[] = {1, 3, 501, 999, 1001, 1003, 2001, 2003};

    fill_sides(s, 1000, value_text(STR("x")));
    assert_int_equal(same_rows(s), 1000);
    for (size_t i = 0; i < COUNT_OF(odd); i++)
        for (unsigned side = 0; side < 2; side++) {
            put(s, side, odd[i], value_null());
            assert_differs(s, odd[i], NULL);
            take(s, side, odd[i]);
        }
    assert_int_equal(store_delete(s->store[0], &pair, &expr_true, 0, NULL, NULL), 0);
    assert_differs(s, 2, NULL);
}

static void a_value_that_differs_is_found_with_its_column(void **state)
{
    static const struct {
        struct value one, other;
    } pairs[] = {
        {{VALUE_TEXT, .text = STR_INIT("a")}, {VALUE_TEXT, .text = STR_INIT("A")}},
        {{VALUE_TEXT, .text = STR_INIT("a")}, {VALUE_TEXT, .text = STR_INIT("a ")}},
        {{VALUE_TEXT, .text = STR_INIT("")}, {VALUE_NULL, .integer = 0}},
    };
    struct sides *s = *state;

    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        put(s, 0, 7, pairs[i].one);
        put(s, 1, 7, pairs[i].other);
        assert_differs(s, 7, &pair_columns[1]);
        take(s, 0, 7);
        take(s, 1, 7);
    }
}

/* Their sum is far above what a batch holds. */
static void large_rows_make_small_batches(void **state)
{
    enum { SIZE = 300000 };
    static char text[SIZE];
    struct sides *s = *state;

    memset(text, 'x', SIZE);
    fill_sides(s, 20, value_text((struct str){text, SIZE}));
    assert_int_equal(same_rows(s), 20);
    put(s, 0, 41, value_text((struct str){text, SIZE}));
    put(s, 1, 41, value_text((struct str){text, SIZE - 1}));
    assert_differs(s, 41, &pair_columns[1]);
}

/* ---- backups ---- */

static int back_up(struct instance *in, const char *path, struct copy *copy_out)
{
    *copy_out = (struct copy){.from = in->database.settings,
                              .to = {.client = STORE_SQLITE, .filename = str_of(path)},
                              .arena = in->arena};
    return model_backup(copy_out);
}

static bool lies_there(const char *path, const char *ending)
{
    char name[96];
    snprintf(name, sizeof(name), "%s%s", path, ending);
    return access(name, F_OK) == 0;
}

static void a_backup_is_one_file_with_all_of_it_in_a_history_of_its_own(void **state)
{
    struct instance *in = *state;
    struct database there;
    struct copy copy;
    struct stat status;

    make_file(&there);
    assert_int_equal(back_up(in, there.file, &copy), 0);
    assert_int_equal(stat(there.file, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_false(lies_there(there.file, "-wal") || lies_there(there.file, "-shm") ||
                 lies_there(there.file, "-lock"));
    assert_same(in, &there);
    assert_forked(in, &there, copy);
    database_drop(&there); /* and nothing else was in the folder */
}

static void a_backup_takes_the_name_of_nothing_else(void **state)
{
    struct instance *in = *state;
    struct database there;
    struct copy copy;

    make_file(&there);
    assert_int_equal(symlink("nowhere", there.file), 0);
    assert_int_equal(back_up(in, there.file, &copy), COPY_REFUSED); /* also not of a dead link */
    unlink(there.file);
    assert_int_equal(back_up(in, there.file, &copy), 0);
    struct journal_state before = state_in(in, &there);
    assert_int_equal(back_up(in, there.file, &copy), COPY_REFUSED);
    assert_non_null(strstr(copy.reason.at, "is there already"));
    assert_string_equal(state_in(in, &there).epoch.at, before.epoch.at);
    database_drop(&there);
}

static void what_is_no_instance_is_not_backed_up(void **state)
{
    struct instance *in = *state;
    struct database nothing, there;
    struct store *s;

    make_file(&nothing);
    make_file(&there);
    struct copy copy = copy_of(in, &nothing, &there);
    assert_true(model_backup(&copy) < 0);
    assert_int_not_equal(access(nothing.file, F_OK), 0);
    assert_int_equal(store_open(&nothing.settings, STORE_WRITE, &s), 0);
    store_close(s);
    assert_true(model_backup(&copy) < 0);
    database_drop(&nothing);
    database_drop(&there);
}

static void an_instance_gets_a_new_epoch_when_nobody_writes(void **state)
{
    struct instance *in = *state;
    struct journal_state before = state_of(in);
    struct str epoch;

    assert_int_equal(model_renew_epoch(&in->database.settings, in->arena, &epoch), STORE_LOCKED);
    instance_stop(in);
    assert_int_equal(model_renew_epoch(&in->database.settings, in->arena, &epoch), 0);
    instance_start(in);
    struct journal_state after = state_of(in);
    assert_string_equal(after.epoch.at, epoch.at);
    assert_string_not_equal(after.epoch.at, before.epoch.at);
    assert_int_equal(after.head, before.head);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_populated(a_copy_holds_all_of_it_in_a_history_of_its_own),
        test_populated(a_copy_of_a_copy_is_the_same),
        test_populated(a_copy_goes_on_where_it_was_copied),
        test_populated(what_is_not_committed_is_not_copied),
        test_fresh(an_instance_of_nothing_can_be_copied),
        test_populated(each_table_is_told_of_when_it_is_written_and_compared),
        test_populated(a_target_with_an_instance_is_refused_and_stays_as_it_is),
        test_populated(an_instance_is_not_copied_onto_itself),
        test_populated(a_target_with_a_table_of_the_name_is_refused_and_stays_as_it_is),
        test_fresh(a_source_that_is_none_is_a_fault_and_no_target_is_made),
        test_fresh(a_target_that_cannot_be_opened_is_a_fault),
        test_populated(what_the_target_cannot_hold_is_named),
        test_populated(names_are_quoted_and_may_have_any_letters),
        test_populated(rows_that_refer_to_nothing_are_refused),
        test_populated(what_a_message_tells_is_no_secret),
        test_sides(the_same_rows_are_the_same_below_at_and_above_a_batch),
        test_sides(a_row_that_is_on_one_side_only_is_found_wherever_it_is),
        test_sides(a_value_that_differs_is_found_with_its_column),
        test_sides(large_rows_make_small_batches),
        test_fresh(an_instance_gets_a_new_epoch_when_nobody_writes),
    };
    const struct CMUnitTest of_files[] = {
        test_populated(a_backup_is_one_file_with_all_of_it_in_a_history_of_its_own),
        test_fresh(a_backup_takes_the_name_of_nothing_else),
        test_fresh(what_is_no_instance_is_not_backed_up),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return database_on_postgres() ? failed : failed + cmocka_run_group_tests(of_files, NULL, NULL);
}
