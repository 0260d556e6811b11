#include "unit/model/memory.h"

#include "base/text.h"
#include "model/identity/identity.h"
#include "model/items/payload.h"
#include "model/password.h"

/* Payloads: what a client sends becomes values of columns, or is refused. */

static int read_item(struct memory *m, unsigned table, enum change_kind kind, const char *json,
                     struct payload *p)
{
    const struct table *t = &m->tables[table];
    m->problem = (struct problem){0};
    return payload_read(
        &m->tx, t,
        principal_grant(m->principal, t, kind == CHANGE_CREATE ? ACTION_CREATE : ACTION_UPDATE),
        kind, memory_json(m, json), p);
}

/* The values as "title=a views=5 body=-", in the order of the columns. */
static const char *values_of(struct memory *m, unsigned table, enum change_kind kind,
                             const char *json)
{
    struct payload p = {0};
    struct buf b;
    if (read_item(m, table, kind, json, &p) != 0)
        fail_msg("%s: %.*s", json, STR_ARG(m->problem.reason));
    buf_init(&b, SIZE_MAX);
    for (size_t i = 0; i < p.count; i++) {
        const struct assignment *a = &p.assignments[i];
        if (i > 0)
            buf_put_char(&b, ' ');
        buf_put_str(&b, a->column->name);
        buf_put_char(&b, '=');
        if (a->value.kind == VALUE_TEXT)
            buf_put_str(&b, a->value.text);
        else if (value_is_null(&a->value))
            buf_put_char(&b, '-');
        else
            json_put_double(&b,
                            a->value.kind == VALUE_REAL ? a->value.real : (double)a->value.integer);
    }
    struct str text = arena_str(m->arena, buf_str(&b));
    buf_deinit(&b);
    return arena_z(m->arena, text);
}

static void refused(struct memory *m, unsigned table, enum change_kind kind, const char *json,
                    enum problem_kind problem, const char *reason)
{
    struct payload p = {0};
    if (read_item(m, table, kind, json, &p) != REFUSED)
        fail_msg("%s is taken", json);
    assert_int_equal(m->problem.kind, problem);
    if (!str_contains(m->problem.reason, str_of(reason)))
        fail_msg("%s: %.*s", json, STR_ARG(m->problem.reason));
    assert_null(p.assignments);
}

/* The fields and types of the violations: "title:required views:gt". */
static void violates(struct memory *m, unsigned table, enum change_kind kind, const char *json,
                     const char *expected)
{
    struct payload p = {0};
    struct str told = STR("");
    if (read_item(m, table, kind, json, &p) != REFUSED)
        fail_msg("%s is taken", json);
    assert_int_equal(m->problem.kind, PROBLEM_FAILED_VALIDATION);
    for (const struct violation *v = m->problem.violations; v; v = v->next)
        told = arena_printf(m->arena, "%.*s%s%.*s:%.*s", STR_ARG(told), told.len ? " " : "",
                            STR_ARG(v->field), STR_ARG(v->type));
    assert_text(m, told, expected);
}

static void values_take_the_type_of_their_column(void **state)
{
    struct memory *m = *state;
    assert_string_equal(
        values_of(m, ARTICLES, CHANGE_CREATE,
                  "{'title':5,'views':'7','rating':1.005,'published':'true','day':'2024-01-02',"
                  "'meta':{'a':[1]},'tags':['x','y'],'author':'3','body':{'a':1}}"),
        "title=5 body={\"a\":1} views=7 rating=1.01 published=1 day=2024-01-02 "
        "meta={\"a\":[1]} tags=x,y author=3");
    assert_string_equal(values_of(m, ARTICLES, CHANGE_CREATE, "{'id':null,'views':null}"),
                        "views=-");
    assert_string_equal(values_of(m, ARTICLES, CHANGE_CREATE, "{'id':'9'}"), "id=9");
    assert_string_equal(values_of(m, ARTICLES, CHANGE_CREATE, "{}"), "");
}

static void values_that_do_not_fit_are_refused_by_name(void **state)
{
    struct memory *m = *state;
    refused(m, ARTICLES, CHANGE_CREATE, "{'views':'many'}", PROBLEM_INVALID_PAYLOAD, "\"views\"");
    refused(m, ARTICLES, CHANGE_CREATE, "{'views':{}}", PROBLEM_INVALID_PAYLOAD, "\"views\"");
    refused(m, ARTICLES, CHANGE_CREATE, "{'views':[1]}", PROBLEM_INVALID_PAYLOAD, "\"views\"");
    refused(m, ARTICLES, CHANGE_CREATE, "{'day':'x'}", PROBLEM_INVALID_PAYLOAD,
            "Invalid Date format in field \"day\"");
    refused(m, ARTICLES, CHANGE_CREATE, "{'guid':'x'}", PROBLEM_INVALID_PAYLOAD, "\"guid\"");
    refused(m, ARTICLES, CHANGE_CREATE, "{'views':2147483648}", PROBLEM_VALUE_OUT_OF_RANGE, "");
    assert_text(m, m->problem.collection, "articles");
    assert_text(m, m->problem.field, "views");
    assert_text(m, m->problem.value, "2147483648");
    refused(m, ARTICLES, CHANGE_CREATE, "{'rating':1000}", PROBLEM_VALUE_OUT_OF_RANGE, "");
}

static void texts_fit_up_to_their_length(void **state)
{
    struct memory *m = *state;
    values_of(m, ARTICLES, CHANGE_CREATE, "{'title':'1234567890123456789'}");
    values_of(m, ARTICLES, CHANGE_CREATE, "{'title':'12345678901234567890'}");
    refused(m, ARTICLES, CHANGE_CREATE, "{'title':'123456789012345678901'}", PROBLEM_VALUE_TOO_LONG,
            "");
    assert_text(m, m->problem.field, "title");
    assert_text(m, m->problem.value, "123456789012345678901");
}

static void an_item_has_to_be_an_object(void **state)
{
    struct memory *m = *state;
    static const char *const payloads[] = {"[]", "null", "5", "'a'", "true", "[{}]"};
    for (size_t i = 0; i < COUNT_OF(payloads); i++)
        refused(m, ARTICLES, CHANGE_CREATE, payloads[i], PROBLEM_INVALID_PAYLOAD, "object");
}

static void nested_items_are_not_supported_yet(void **state)
{
    struct memory *m = *state;
    refused(m, ARTICLES, CHANGE_CREATE, "{'author':{'name':'Ann'}}", PROBLEM_INVALID_PAYLOAD,
            "not supported yet");
    refused(m, ARTICLES, CHANGE_CREATE, "{'author':[1]}", PROBLEM_INVALID_PAYLOAD,
            "not supported yet");
    assert_string_equal(values_of(m, ARTICLES, CHANGE_UPDATE, "{'author':null}"), "author=-");
}

static void admins_may_send_what_is_no_field(void **state)
{
    struct memory *m = *state;
    assert_string_equal(
        values_of(m, ARTICLES, CHANGE_CREATE, "{'nothing':1,'rowcast_order':5,'views':1}"),
        "views=1");
}

static void others_may_send_permitted_fields_only(void **state)
{
    struct memory user;
    (void)state;
    memory_open(&user, "[{'collection':'articles','action':'create','fields':['title','views']},"
                       "{'collection':'articles','action':'update','fields':['*']}]");
    assert_string_equal(values_of(&user, ARTICLES, CHANGE_CREATE, "{'title':'a'}"), "title=a");
    refused(&user, ARTICLES, CHANGE_CREATE, "{'body':'a'}", PROBLEM_FORBIDDEN, "\"body\"");
    refused(&user, ARTICLES, CHANGE_CREATE, "{'nothing':'a'}", PROBLEM_FORBIDDEN, "\"nothing\"");
    refused(&user, ARTICLES, CHANGE_UPDATE, "{'nothing':'a'}", PROBLEM_FORBIDDEN, "\"nothing\"");
    refused(&user, ARTICLES, CHANGE_UPDATE, "{'rowcast_order':1}", PROBLEM_FORBIDDEN,
            "\"rowcast_order\"");
    memory_close(&user);
}

static void presets_lie_under_what_is_sent(void **state)
{
    struct memory user;
    struct payload p;
    (void)state;
    memory_open(&user, "[{'collection':'articles','action':'create','fields':['title'],"
                       "'presets':{'status':'new','views':1,'owner':'$CURRENT_USER'}},"
                       "{'collection':'articles','action':'create','fields':['body','title'],"
                       "'presets':{'views':2,'title':'preset','at':'$NOW'}}]");
    assert_string_equal(values_of(&user, ARTICLES, CHANGE_CREATE, "{'title':'a'}"),
                        "title=a status=new views=2 at=2024-01-02T03:04:05.678Z "
                        "owner=" MEMORY_USER);
    assert_int_equal(read_item(&user, ARTICLES, CHANGE_CREATE, "{'title':'a'}", &p), 0);
    assert_true(column_set_has(&p.submitted, VIEWS));
    assert_false(column_set_has(&p.permitted_check, VIEWS));
    assert_true(column_set_has(&p.permitted_check, TITLE));
    refused(&user, ARTICLES, CHANGE_CREATE, "{'views':9}", PROBLEM_FORBIDDEN, "\"views\"");
    memory_close(&user);
}

static void required_fields_and_rules_are_told_together(void **state)
{
    struct memory *m = *state;
    violates(m, AUTHORS, CHANGE_CREATE, "{}", "name:required");
    violates(m, AUTHORS, CHANGE_CREATE, "{'name':null}", "name:nnull");
    violates(m, AUTHORS, CHANGE_UPDATE, "{'name':null}", "name:nnull");
    values_of(m, AUTHORS, CHANGE_UPDATE, "{}");
    values_of(m, ARTICLES, CHANGE_CREATE, "{}"); /* the status has a default */
    violates(m, ARTICLES, CHANGE_CREATE, "{'status':null}", "status:nnull");
    m->fields[AUTHORS][AUTHOR_BOSS].validation = memory_json(m, "{'boss':{'_lt':10,'_gt':5}}");
    violates(m, AUTHORS, CHANGE_CREATE, "{'boss':20}", "name:required boss:lt");
    m->fields[AUTHORS][AUTHOR_BOSS].validation = memory_json(m, "{'boss':{'_like':1}}");
    refused(m, AUTHORS, CHANGE_CREATE, "{'boss':20}", PROBLEM_INVALID_PAYLOAD, "_like");
}

static void every_rule_of_the_permissions_has_to_hold(void **state)
{
    struct memory user;
    (void)state;
    memory_open(&user, "[{'collection':'articles','action':'create','fields':['*'],"
                       "'validation':{'title':{'_nnull':true}},'presets':{'views':3}},"
                       "{'collection':'articles','action':'create','fields':['*'],"
                       "'validation':{'views':{'_lt':5},'owner':{'_eq':'$CURRENT_USER'}}}]");
    values_of(&user, ARTICLES, CHANGE_CREATE, "{'title':'a','owner':'" MEMORY_USER "'}");
    violates(&user, ARTICLES, CHANGE_CREATE, "{'title':null,'views':5,'owner':'x'}",
             "title:nnull views:lt owner:eq");
    memory_close(&user);
}

static void keys_of_text_are_required_and_uuids_made(void **state)
{
    struct memory *m = *state;
    struct payload p;
    violates(m, WORDS, CHANGE_CREATE, "{'rank':1}", "word:required");
    assert_string_equal(values_of(m, WORDS, CHANGE_CREATE, "{'word':'a'}"), "word=a");
    static const char *const without[] = {"{'text':'a'}", "{'text':'a','id':null}",
                                          "{'text':'a','id':''}"};
    for (size_t i = 0; i < COUNT_OF(without); i++) {
        assert_int_equal(read_item(m, NOTES, CHANGE_CREATE, without[i], &p), 0);
        assert_ptr_equal(p.assignments[0].column, &m->columns[NOTES][NOTE_ID]);
        assert_true(text_is_uuid(p.assignments[0].value.text));
    }
    assert_string_equal(values_of(m, NOTES, CHANGE_UPDATE, "{'text':'a'}"),
                        "text=a changed=2024-01-02T03:04:05.678Z");
}

static void stamps_override_what_is_sent(void **state)
{
    struct memory user;
    struct payload p;
    (void)state;
    memory_open(&user, "[{'collection':'notes','action':'create','fields':['*']},"
                       "{'collection':'notes','action':'update','fields':['*']}]");
    const char *id = "22222222-2222-4222-8222-222222222222";
    assert_string_equal(
        values_of(
            &user, NOTES, CHANGE_CREATE,
            arena_printf(user.arena, "{'id':'%s','made':'2000-01-01','maker':'%s'}", id, id).at),
        arena_printf(user.arena, "id=%s made=2024-01-02T03:04:05.678Z maker=" MEMORY_USER, id).at);
    assert_int_equal(read_item(&user, NOTES, CHANGE_CREATE, "{'text':'a'}", &p), 0);
    assert_true(column_set_has(&p.submitted, NOTE_TEXT));
    assert_false(column_set_has(&p.submitted, NOTE_MADE));
    assert_string_equal(
        values_of(&user, NOTES, CHANGE_UPDATE, "{'made':'2000-01-01','changed':'2000-01-01'}"),
        "made=2000-01-01T00:00:00.000Z changed=2024-01-02T03:04:05.678Z");
    memory_close(&user);
}

static struct str password_of(struct memory *m, const char *json)
{
    struct payload p;
    assert_int_equal(read_item(m, ARTICLES, CHANGE_UPDATE, json, &p), 0);
    assert_int_equal(p.count, 1);
    assert_ptr_equal(p.assignments[0].column, &m->columns[ARTICLES][PASSWORD]);
    return value_is_null(&p.assignments[0].value) ? STR_NULL : p.assignments[0].value.text;
}

static void passwords_are_hashed(void **state)
{
    struct memory *m = *state;
    struct str hash = password_of(m, "{'password':'open sesame'}");
    assert_true(password_verify(&m->settings, hash, STR("open sesame")));
    assert_false(password_verify(&m->settings, hash, STR("open")));
    assert_true(password_verify(&m->settings, password_of(m, "{'password':123}"), STR("123")));
    assert_null(password_of(m, "{'password':null}").at);
    assert_null(password_of(m, "{'password':''}").at);
    refused(m, ARTICLES, CHANGE_UPDATE, "{'password':{}}", PROBLEM_INVALID_PAYLOAD, "\"password\"");
    refused(m, ARTICLES, CHANGE_UPDATE, "{'password':true}", PROBLEM_INVALID_PAYLOAD,
            "\"password\"");
}

static void a_hash_that_was_prepared_is_used(void **state)
{
    struct memory *m = *state;
    struct payload p;
    const struct table *articles = &m->tables[ARTICLES];
    json_t *list = memory_json(m, "[{'password':'a'},{'title':'x'},{'password':'a'}]");
    assert_true(payload_needs_preparing(articles, list));
    assert_int_equal(payload_prepare(&m->tx, articles, list), 0);
    assert_non_null(m->tx.prepared->next);
    assert_null(m->tx.prepared->next->next);
    m->settings.argon2_passes = 0; /* nothing can be hashed now */
    assert_int_equal(payload_read(&m->tx, articles,
                                  principal_grant(m->principal, articles, ACTION_CREATE),
                                  CHANGE_CREATE, json_array_get(list, 2), &p),
                     0);
    assert_ptr_equal(p.assignments[0].value.text.at, m->tx.prepared->hash.at);
}

static void few_payloads_need_preparing(void **state)
{
    struct memory *m = *state;
    static const char *const without[] = {"{}",
                                          "[]",
                                          "null",
                                          "5",
                                          "[1,{}]",
                                          "{'password':null}",
                                          "{'password':''}",
                                          "{'title':'a'}",
                                          "{'password':{}}"};
    for (size_t i = 0; i < COUNT_OF(without); i++)
        assert_false(payload_needs_preparing(&m->tables[ARTICLES], memory_json(m, without[i])));
    assert_true(payload_needs_preparing(&m->tables[ARTICLES], memory_json(m, "{'password':1}")));
    assert_false(payload_needs_preparing(&m->tables[AUTHORS], memory_json(m, "{'password':'a'}")));
}

static void nobody_makes_us_hash_without_end(void **state)
{
    struct memory *m = *state;
    struct memory user;
    json_t *list = memory_json(m, "[]");
    for (int i = 0; i < 100; i++)
        json_array_append_new(list, json_pack("{s:s}", "password", "a"));
    assert_int_equal(payload_prepare(&m->tx, &m->tables[ARTICLES], list), 0);
    m->tx.prepared = NULL;
    json_array_append_new(list, json_pack("{s:s}", "password", "a"));
    assert_refused(m, payload_prepare(&m->tx, &m->tables[ARTICLES], list), PROBLEM_INVALID_PAYLOAD,
                   "At most 100");
    memory_open(&user, "[{'collection':'articles','action':'read','fields':['*']}]");
    assert_int_equal(payload_prepare(&user.tx, &user.tables[ARTICLES], list), 0);
    assert_null(user.tx.prepared);
    memory_close(&user);
}

static void tokens_are_kept_as_digests(void **state)
{
    struct memory *m = *state;
    char hex[SHA256_HEX_SIZE];
    text_sha256_hex(STR("token"), hex);
    m->fields[ARTICLES][BODY].special = SPECIAL_TOKEN;
    assert_string_equal(values_of(m, ARTICLES, CHANGE_CREATE, "{'body':'token'}"),
                        arena_printf(m->arena, "body=%s", hex).at);
    assert_string_equal(values_of(m, ARTICLES, CHANGE_CREATE, "{'body':''}"), "body=-");
    assert_string_equal(values_of(m, ARTICLES, CHANGE_CREATE, "{'body':null}"), "body=-");
}

/* Whatever comes is taken, or refused. */
static void no_shape_of_json_does_harm(void **state)
{
    uint64_t seed = 2;
    size_t taken = 0, refusals = 0;
    (void)state;
    for (int i = 0; i < 4000; i++) {
        struct memory m;
        struct payload p;
        memory_open(&m, NULL);
        const struct table *t = &m.tables[i % 2 ? ARTICLES : NOTES];
        json_t *json = memory_any_json(&seed, 3);
        arena_on_free(m.arena, json_release, json);
        int rc = payload_read(&m.tx, t, principal_grant(m.principal, t, ACTION_CREATE),
                              i % 4 < 2 ? CHANGE_CREATE : CHANGE_UPDATE, json, &p);
        assert_in_range(rc, 0, REFUSED);
        *(rc ? &refusals : &taken) += 1;
        memory_close(&m);
    }
    assert_in_range(taken, 100, SIZE_MAX);
    assert_in_range(refusals, 100, SIZE_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        memory_test(values_take_the_type_of_their_column),
        memory_test(values_that_do_not_fit_are_refused_by_name),
        memory_test(texts_fit_up_to_their_length),
        memory_test(an_item_has_to_be_an_object),
        memory_test(nested_items_are_not_supported_yet),
        memory_test(admins_may_send_what_is_no_field),
        memory_test(others_may_send_permitted_fields_only),
        memory_test(presets_lie_under_what_is_sent),
        memory_test(required_fields_and_rules_are_told_together),
        memory_test(every_rule_of_the_permissions_has_to_hold),
        memory_test(keys_of_text_are_required_and_uuids_made),
        memory_test(stamps_override_what_is_sent),
        memory_test(passwords_are_hashed),
        memory_test(a_hash_that_was_prepared_is_used),
        memory_test(few_payloads_need_preparing),
        memory_test(nobody_makes_us_hash_without_end),
        memory_test(tokens_are_kept_as_digests),
        cmocka_unit_test(no_shape_of_json_does_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
