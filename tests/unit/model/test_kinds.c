#include "unit/model/kinds.h"

#include "base/text.h"

/* Settings of fields, the columns they are kept in and derived from, and fields that change kind.
 */

static json_t *read_settings(struct kinds_world *w, enum kind_id id, const char *body,
                             const struct kind_settings *before, int64_t *next)
{
    json_t *settings = NULL;
    w->problem = (struct problem){.kind = PROBLEM_NONE};
    int rc = kind_read_settings(&w->tx, &kinds[id], kinds_json(w, body), before, next, &settings);
    assert_int_equal(rc == 0, settings != NULL);
    return settings;
}

/* What was refused, "key code" with commas between; or the word. */
static const char *refusal(struct kinds_world *w)
{
    struct str told = STR("");
    if (w->problem.kind != PROBLEM_FAILED_VALIDATION)
        return arena_printf(w->arena, "%.*s: %.*s", STR_ARG(w->problem.reason),
                            STR_ARG(w->problem.value))
            .at;
    for (const struct violation *v = w->problem.violations; v; v = v->next) {
        assert_int_equal(v->item, -1);
        told = arena_printf(w->arena, "%.*s%s%.*s %.*s", STR_ARG(told), told.len ? ", " : "",
                            STR_ARG(v->field), STR_ARG(v->type));
    }
    return told.at;
}

static const char *single(struct kinds_world *w, const json_t *json)
{
    char *text = (char *)(uintptr_t)json_text(w->arena, json).at;
    for (char *at = text; *at; at++)
        if (*at == '"')
            *at = '\'';
    return text;
}

static void settings_are_told_in_order_with_their_defaults(void **state)
{
    struct kinds_world *w = *state;
    static const struct {
        enum kind_id kind;
        const char *expected;
    } rows[] = {
        {KIND_TEXT, "{'text_default':''}"},
        {KIND_LONG_TEXT, "{'long_text_enable_rich_text':false}"},
        {KIND_URL, "{}"},
        {KIND_NUMBER, "{'number_decimal_places':0,'number_negative':false,'number_prefix':'',"
                      "'number_suffix':'','number_separator':'','number_default':null}"},
        {KIND_RATING, "{'max_value':5,'color':'dark-orange','style':'star'}"},
        {KIND_BOOLEAN, "{'boolean_default':false}"},
        {KIND_DATE, "{'date_format':'EU','date_include_time':false,'date_time_format':'24',"
                    "'date_show_tzinfo':false,'date_force_timezone':null}"},
        {KIND_CREATED_ON, "{'date_format':'EU','date_include_time':false,'date_time_format':'24',"
                          "'date_show_tzinfo':false,'date_force_timezone':null}"},
        {KIND_DURATION, "{'duration_format':'h:mm'}"},
        {KIND_SINGLE_SELECT, "{'select_options':[],'single_select_default':null}"},
        {KIND_MULTIPLE_SELECT, "{'select_options':[],'multiple_select_default':null}"},
        {KIND_MULTIPLE_COLLABORATORS, "{'notify_user_when_added':false}"},
        {KIND_UUID, "{}"},
        {KIND_PASSWORD, "{'allow_endpoint_authentication':false}"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int64_t next = 1;
        json_t *settings = read_settings(w, rows[i].kind, "{'name':'x','unknown':1}", NULL, &next);
        assert_string_equal(single(w, settings), rows[i].expected);
        struct kind_settings decoded = kind_settings_decode(w->arena, &kinds[rows[i].kind], NULL);
        assert_string_equal(single(w, decoded.json), rows[i].expected);
    }
}

static void settings_out_of_bounds_are_refused(void **state)
{
    struct kinds_world *w = *state;
    static const struct {
        enum kind_id kind;
        const char *body, *expected; /* NULL: it is taken */
    } rows[] = {
        {KIND_TEXT, "{'text_default':5}", NULL},
        {KIND_TEXT, "{'text_default':null}", "text_default null"},
        {KIND_TEXT, "{'text_default':[]}", "text_default invalid"},
        {KIND_LONG_TEXT, "{'long_text_enable_rich_text':'x'}",
         "long_text_enable_rich_text invalid"},
        {KIND_NUMBER, "{'number_decimal_places':10}", NULL},
        {KIND_NUMBER, "{'number_decimal_places':11}", "number_decimal_places max_value"},
        {KIND_NUMBER, "{'number_decimal_places':-1}", "number_decimal_places min_value"},
        {KIND_NUMBER, "{'number_decimal_places':'a'}", "number_decimal_places invalid"},
        {KIND_NUMBER, "{'number_prefix':'1234567890'}", NULL},
        {KIND_NUMBER, "{'number_prefix':'12345678901'}", "number_prefix max_length"},
        {KIND_NUMBER, "{'number_separator':'DOT'}", "number_separator invalid_choice"},
        {KIND_NUMBER, "{'number_default':-1}", "number_default min_value"},
        {KIND_NUMBER, "{'number_default':'x'}", "number_default invalid"},
        {KIND_NUMBER, "{'number_default':null}", NULL},
        {KIND_NUMBER, "{'number_default':'9223372036854775808'}", "number_default max_digits"},
        {KIND_NUMBER, "{'number_decimal_places':11,'number_negative':3}",
         "number_decimal_places max_value, number_negative invalid"},
        {KIND_RATING, "{'max_value':1}", NULL},
        {KIND_RATING, "{'max_value':0}", "max_value min_value"},
        {KIND_RATING, "{'max_value':11,'style':'sun'}",
         "max_value max_value, style invalid_choice"},
        {KIND_DATE, "{'date_format':'JP'}", "date_format invalid_choice"},
        {KIND_DATE, "{'date_time_format':12}", NULL},
        {KIND_DATE, "{'date_force_timezone':'Europe/Amsterdam'}", NULL},
        {KIND_DATE, "{'date_force_timezone':null}", NULL},
        {KIND_DATE, "{'date_force_timezone':'Mars/Base'}", "date_force_timezone invalid_choice"},
        {KIND_DATE, "{'date_force_timezone':'../../etc/passwd'}",
         "date_force_timezone invalid_choice"},
        {KIND_DURATION, "{'duration_format':'d'}", "duration_format invalid_choice"},
        {KIND_SINGLE_SELECT, "{'select_options':{}}", "select_options not_a_list"},
        {KIND_SINGLE_SELECT, "{'select_options':[1]}", "select_options invalid"},
        {KIND_SINGLE_SELECT, "{'select_options':[{'color':'x'}]}", "select_options required"},
        {KIND_SINGLE_SELECT, "{'select_options':[{'value':' '}]}", "select_options blank"},
        {KIND_SINGLE_SELECT, "{'single_select_default':5}", "option of another field: 5"},
        {KIND_SINGLE_SELECT, "{'single_select_default':'x'}", "single_select_default invalid"},
        {KIND_MULTIPLE_SELECT, "{'multiple_select_default':5}",
         "multiple_select_default not_a_list"},
        {KIND_MULTIPLE_SELECT, "{'multiple_select_default':[7]}", "option of another field: 7"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int64_t next = 1;
        json_t *settings = read_settings(w, rows[i].kind, rows[i].body, NULL, &next);
        if (!rows[i].expected && !settings)
            fail_msg("%s: %s", rows[i].body, refusal(w));
        if (rows[i].expected && (settings || strcmp(refusal(w), rows[i].expected) != 0))
            fail_msg("%s: %s instead of %s", rows[i].body, settings ? "taken" : refusal(w),
                     rows[i].expected);
    }
}

static void number_defaults_have_the_fields_places(void **state)
{
    struct kinds_world *w = *state;
    int64_t next = 1;
    json_t *settings = read_settings(
        w, KIND_NUMBER, "{'number_decimal_places':2,'number_default':12.5}", NULL, &next);
    struct kind_settings s = kind_settings_decode(w->arena, &kinds[KIND_NUMBER], settings);
    assert_true(str_equal(json_get_str(s.json, "number_default"), STR("12.50")));
    assert_true(s.initial.kind == VALUE_REAL && s.initial.real == 12.5);
    settings = read_settings(w, KIND_NUMBER, "{'number_decimal_places':0}", &s, &next);
    s = kind_settings_decode(w->arena, &kinds[KIND_NUMBER], settings);
    assert_true(str_equal(json_get_str(s.json, "number_default"), STR("13")));
    assert_true(s.initial.kind == VALUE_INTEGER && s.initial.integer == 13);
}

static void options_are_replaced_by_what_is_sent(void **state)
{
    struct kinds_world *w = *state;
    int64_t next = 100;
    json_t *settings = read_settings(
        w, KIND_SINGLE_SELECT,
        "{'select_options':[{'value':'a','color':'red'},{'id':-1,'value':'b','color':'x'},"
        "{'upsert_id':-7,'value':'c'}],'single_select_default':-1}",
        NULL, &next);
    assert_int_equal(next, 103);
    assert_string_equal(single(w, settings),
                        "{'select_options':[{'id':100,'value':'a','color':'red'},"
                        "{'id':101,'value':'b','color':'x'},"
                        "{'id':102,'value':'c','color':'light-cyan'}],"
                        "'single_select_default':101}");

    /* Known ones are changed, others made, those left out go, and so does a default of them. */
    struct kind_settings before =
        kind_settings_decode(w->arena, &kinds[KIND_SINGLE_SELECT], settings);
    assert_int_equal(before.initial.integer, 101);
    settings = read_settings(w, KIND_SINGLE_SELECT,
                             "{'select_options':[{'id':102,'value':'C','color':'blue'},"
                             "{'id':102,'value':'again','color':'blue'},"
                             "{'id':55,'value':'d','color':'x'}]}",
                             &before, &next);
    assert_string_equal(single(w, settings),
                        "{'select_options':[{'id':102,'value':'C','color':'blue'},"
                        "{'id':103,'value':'again','color':'blue'},"
                        "{'id':104,'value':'d','color':'x'}],'single_select_default':null}");

    /* A select of the other kind keeps them as they are. */
    settings = read_settings(w, KIND_MULTIPLE_SELECT, "{'multiple_select_default':[102,100]}",
                             &before, &next);
    struct kind_settings several =
        kind_settings_decode(w->arena, &kinds[KIND_MULTIPLE_SELECT], settings);
    assert_int_equal(several.choice_count, 3);
    assert_int_equal(several.choices[0].id, 100);
    assert_true(str_equal(several.initial.text, STR("102,100")));
    assert_int_equal(next, 105);

    read_settings(w, KIND_SINGLE_SELECT,
                  "{'select_options':[{'id':100,'value':'a'}],'single_select_default':101}",
                  &before, &next);
    assert_string_equal(refusal(w), "option of another field: 101");
}

static void what_is_stored_badly_is_the_default(void **state)
{
    struct kinds_world *w = *state;
    struct kind_settings s = kind_settings_decode(
        w->arena, &kinds[KIND_NUMBER],
        kinds_json(w, "{'number_decimal_places':99,'number_negative':true,'number_suffix':7}"));
    assert_int_equal(s.decimals, 0);
    assert_true(s.negative);
    s = kind_settings_decode(
        w->arena, &kinds[KIND_TEXT],
        kinds_json(w, "{'field_constraints':[{'type_name':'unique_with_empty'}]}"));
    assert_true(s.unique);
    s = kind_settings_decode(w->arena, &kinds[KIND_LINK_ROW], kinds_json(w, "{'table':5}"));
    assert_true(s.several);
    assert_int_equal(json_object_size(s.json), 0);
}

/* ---- columns ---- */

static void each_kind_has_its_column(void **state)
{
    struct kinds_world *w = *state;
    static const struct {
        enum kind_id kind;
        const char *settings;
        int type; /* -1: none */
        unsigned precision, scale;
        const char *special;
    } rows[] = {
        {KIND_TEXT, NULL, TYPE_TEXT, 0, 0, NULL},
        {KIND_EMAIL, NULL, TYPE_STRING, 0, 0, NULL},
        {KIND_NUMBER, NULL, TYPE_BIG_INTEGER, 0, 0, NULL},
        {KIND_NUMBER, "{'number_decimal_places':3}", TYPE_DECIMAL, 15, 3, NULL},
        {KIND_RATING, NULL, TYPE_INTEGER, 0, 0, NULL},
        {KIND_BOOLEAN, NULL, TYPE_BOOLEAN, 0, 0, "cast-boolean"},
        {KIND_DATE, NULL, TYPE_DATE, 0, 0, NULL},
        {KIND_DATE, "{'date_include_time':true}", TYPE_TIMESTAMP, 0, 0, "cast-timestamp"},
        {KIND_DURATION, NULL, TYPE_DECIMAL, 15, 3, NULL},
        {KIND_SINGLE_SELECT, NULL, TYPE_INTEGER, 0, 0, NULL},
        {KIND_MULTIPLE_SELECT, NULL, TYPE_CSV, 0, 0, "cast-csv"},
        {KIND_MULTIPLE_COLLABORATORS, NULL, TYPE_CSV, 0, 0, "cast-csv"},
        {KIND_LINK_ROW, NULL, -1, 0, 0, NULL},
        {KIND_CREATED_ON, NULL, -1, 0, 0, NULL},
        {KIND_LAST_MODIFIED_BY, NULL, -1, 0, 0, NULL},
        {KIND_AUTONUMBER, NULL, TYPE_BIG_INTEGER, 0, 0, NULL},
        {KIND_UUID, NULL, TYPE_UUID, 0, 0, "uuid"},
        {KIND_PASSWORD, NULL, TYPE_HASH, 0, 0, "hash,conceal"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct kind *kind = &kinds[rows[i].kind];
        struct kind_settings s = kind_settings_decode(
            w->arena, kind, rows[i].settings ? kinds_json(w, rows[i].settings) : NULL);
        struct column c;
        const char *special = NULL;
        bool own = kind_column(kind, &s, &c, &special);
        assert_int_equal(own, rows[i].type >= 0);
        if (!own)
            continue;
        assert_int_equal(c.type, rows[i].type);
        assert_int_equal(c.precision, rows[i].precision);
        assert_int_equal(c.scale, rows[i].scale);
        assert_true(c.nullable);
        assert_int_equal(c.secret, rows[i].kind == KIND_PASSWORD);
        assert_true(kind_fits(kind, &c));
        assert_int_equal(type_check(&c, &c.default_value), 0);
        assert_true(str_equal(str_of(special), str_of(rows[i].special)));
        assert_ptr_equal(kind_find(str_of(kind->name)), kind);
    }
}

static void columns_of_others_are_shown_as_what_they_hold(void **state)
{
    struct kinds_world *w = *state;
    static const struct {
        enum type_id type;
        unsigned special;
        enum kind_id kind;
    } rows[] = {
        {TYPE_STRING, 0, KIND_TEXT},
        {TYPE_TEXT, 0, KIND_LONG_TEXT},
        {TYPE_INTEGER, 0, KIND_NUMBER},
        {TYPE_INTEGER, SPECIAL_CAST_BOOLEAN, KIND_BOOLEAN},
        {TYPE_BIG_INTEGER, 0, KIND_NUMBER},
        {TYPE_FLOAT, 0, KIND_NUMBER},
        {TYPE_DECIMAL, 0, KIND_NUMBER},
        {TYPE_BOOLEAN, SPECIAL_CAST_BOOLEAN, KIND_BOOLEAN},
        {TYPE_DATE, 0, KIND_DATE},
        {TYPE_TIME, 0, KIND_TEXT},
        {TYPE_TIME, SPECIAL_DATE_CREATED, KIND_TEXT},
        {TYPE_DATE_TIME, 0, KIND_DATE},
        {TYPE_TIMESTAMP, 0, KIND_DATE},
        {TYPE_TIMESTAMP, SPECIAL_DATE_CREATED, KIND_CREATED_ON},
        {TYPE_TIMESTAMP, SPECIAL_DATE_UPDATED, KIND_LAST_MODIFIED},
        {TYPE_UUID, 0, KIND_TEXT},
        {TYPE_UUID, SPECIAL_UUID, KIND_UUID},
        {TYPE_UUID, SPECIAL_USER_CREATED, KIND_CREATED_BY},
        {TYPE_UUID, SPECIAL_USER_UPDATED, KIND_LAST_MODIFIED_BY},
        {TYPE_JSON, SPECIAL_CAST_JSON, KIND_LONG_TEXT},
        {TYPE_CSV, SPECIAL_CAST_CSV, KIND_LONG_TEXT},
        {TYPE_HASH, SPECIAL_HASH, KIND_PASSWORD},
        {TYPE_STRING, SPECIAL_CONCEAL, KIND_PASSWORD},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct grid_field f =
            kinds_shown(w, (struct column){.type = rows[i].type}, rows[i].special);
        if (f.kind->id != rows[i].kind)
            fail_msg("%s is shown as %s", types[rows[i].type].name, f.kind->name);
        assert_true(kind_fits(f.kind, f.column));
    }
    struct grid_field f = kinds_shown(w, (struct column){.type = TYPE_DECIMAL}, 0);
    assert_int_equal(f.settings.decimals, DECIMAL_SCALE);
    assert_true(f.settings.negative);
    f = kinds_shown(w, (struct column){.type = TYPE_TIMESTAMP}, 0);
    assert_true(f.settings.time);
    f = kinds_shown(
        w, (struct column){.type = TYPE_INTEGER, .primary_key = true, .auto_increment = true}, 0);
    assert_int_equal(f.kind->id, KIND_AUTONUMBER);
    assert_false(kind_fits(&kinds[KIND_SINGLE_SELECT], &(struct column){.type = TYPE_DECIMAL}));
}

/* ---- changing kind ---- */

#define OPTIONS                                                                                    \
    "{'select_options':[{'id':3,'value':'Open','color':'red'},{'id':5,'value':'A, B','color':"     \
    "'blue'},{'id':8,'value':'7','color':'gray'}]}"
#define OTHER_IDS                                                                                  \
    "{'select_options':[{'id':30,'value':'Open','color':'red'},{'id':50,'value':'A, B','color':"   \
    "'blue'}]}"
#define TIMED "{'date_include_time':true}"
#define DOLLARS                                                                                    \
    "{'number_decimal_places':2,'number_negative':true,'number_prefix':'$','number_separator':"    \
    "'PERIOD_COMMA'}"

static const struct conversion {
    enum kind_id from;
    const char *from_settings;
    const char *cell; /* as JSON that the field takes */
    enum kind_id to;
    const char *to_settings;
    const char *expected; /* as it is told */
} conversions[] = {
    /* text → … */
    {KIND_TEXT, NULL, "' a '", KIND_LONG_TEXT, NULL, "' a '"},
    {KIND_TEXT, NULL, "''", KIND_LONG_TEXT, NULL, "''"},
    {KIND_TEXT, NULL, "'a.b'", KIND_URL, NULL, "'a.b'"},
    {KIND_TEXT, NULL, "'ab'", KIND_URL, NULL, "''"},
    {KIND_TEXT, NULL, "' a@b '", KIND_EMAIL, NULL, "'a@b'"},
    {KIND_TEXT, NULL, "'+1'", KIND_PHONE_NUMBER, NULL, "'+1'"},
    {KIND_TEXT, NULL, "'call me'", KIND_PHONE_NUMBER, NULL, "''"},
    {KIND_TEXT, NULL, "'12.345'", KIND_NUMBER, "{'number_decimal_places':2}", "'12.35'"},
    {KIND_TEXT, NULL, "'-5'", KIND_NUMBER, NULL, "null"},
    {KIND_TEXT, NULL, "'five'", KIND_NUMBER, NULL, "null"},
    {KIND_TEXT, NULL, "'9.99'", KIND_NUMBER, NULL, "'10'"},
    {KIND_TEXT, NULL, "'n'", KIND_NUMBER, NULL, "null"},
    {KIND_TEXT, NULL, "'$1.234,5'", KIND_NUMBER, DOLLARS, "'1234.50'"},
    {KIND_TEXT, NULL, "'3'", KIND_RATING, NULL, "3"},
    {KIND_TEXT, NULL, "'30'", KIND_RATING, NULL, "5"},
    {KIND_TEXT, NULL, "'-3'", KIND_RATING, NULL, "0"},
    {KIND_TEXT, NULL, "'Yes'", KIND_BOOLEAN, NULL, "true"},
    {KIND_TEXT, NULL, "'perhaps'", KIND_BOOLEAN, NULL, "false"},
    {KIND_TEXT, NULL, "'01/10/2025'", KIND_DATE, NULL, "'2025-10-01'"},
    {KIND_TEXT, NULL, "'01/10/2025'", KIND_DATE, "{'date_format':'US'}", "'2025-01-10'"},
    {KIND_TEXT, NULL, "'soon'", KIND_DATE, NULL, "null"},
    {KIND_TEXT, NULL, "'1:02'", KIND_DURATION, NULL, "3720"},
    {KIND_TEXT, NULL, "'Open'", KIND_SINGLE_SELECT, OPTIONS,
     "{'id':3,'value':'Open','color':'red'}"},
    {KIND_TEXT, NULL, "'open'", KIND_SINGLE_SELECT, OPTIONS, "null"},
    {KIND_TEXT, NULL, "'A, B'", KIND_MULTIPLE_SELECT, OPTIONS,
     "[{'id':5,'value':'A, B','color':'blue'}]"},
    {KIND_TEXT, NULL, "'Open,7,x'", KIND_MULTIPLE_SELECT, OPTIONS,
     "[{'id':3,'value':'Open','color':'red'},{'id':8,'value':'7','color':'gray'}]"},
    {KIND_TEXT, NULL, "'Ann, BOB@example.com'", KIND_MULTIPLE_COLLABORATORS, NULL,
     "[{'id':3,'name':'Ann'},{'id':5,'name':'Bob, Ltd.'}]"},
    {KIND_TEXT, NULL, "'x'", KIND_UUID, NULL, "null"},
    {KIND_TEXT, NULL, "'x'", KIND_PASSWORD, NULL, "null"},
    {KIND_TEXT, NULL, "'7'", KIND_AUTONUMBER, NULL, "null"},
    /* … → text */
    {KIND_NUMBER, DOLLARS, "-1234.5", KIND_TEXT, NULL, "'-$1.234,50'"},
    {KIND_BOOLEAN, NULL, "true", KIND_TEXT, NULL, "'true'"},
    {KIND_DATE, NULL, "'2025-10-01'", KIND_TEXT, NULL, "'01/10/2025'"},
    {KIND_DURATION, "{'duration_format':'d h'}", "93600", KIND_TEXT, NULL, "'1d 2h'"},
    {KIND_SINGLE_SELECT, OPTIONS, "3", KIND_LONG_TEXT, NULL, "'Open'"},
    {KIND_MULTIPLE_SELECT, OPTIONS, "[3,8]", KIND_TEXT, NULL, "'Open, 7'"},
    {KIND_MULTIPLE_COLLABORATORS, NULL, "[{'id':3}]", KIND_TEXT, NULL, "'Ann'"},
    {KIND_SINGLE_SELECT, OPTIONS, "null", KIND_TEXT, NULL, "''"},
    {KIND_RATING, NULL, "4", KIND_PHONE_NUMBER, NULL, "'4'"},
    {KIND_PASSWORD, NULL, "'secret'", KIND_TEXT, NULL, "''"},
    /* numbers among each other */
    {KIND_NUMBER, DOLLARS, "12.5", KIND_NUMBER, NULL, "'13'"},
    {KIND_NUMBER, DOLLARS, "-12.5", KIND_NUMBER, NULL, "null"},
    {KIND_NUMBER, NULL, "12345678", KIND_NUMBER, "{'number_decimal_places':10}", "null"},
    {KIND_NUMBER, NULL, "3", KIND_NUMBER, DOLLARS, "'3.00'"},
    {KIND_NUMBER, NULL, "30", KIND_RATING, NULL, "5"},
    {KIND_NUMBER, DOLLARS, "-1", KIND_RATING, NULL, "0"},
    {KIND_NUMBER, DOLLARS, "2.5", KIND_RATING, NULL, "3"},
    {KIND_NUMBER, NULL, "2", KIND_BOOLEAN, NULL, "true"},
    {KIND_NUMBER, NULL, "0", KIND_BOOLEAN, NULL, "false"},
    {KIND_NUMBER, NULL, "90", KIND_DURATION, "{'duration_format':'h:mm:ss'}", "90"},
    {KIND_RATING, "{'max_value':10}", "7", KIND_RATING, NULL, "5"},
    {KIND_RATING, NULL, "4", KIND_NUMBER, NULL, "'4'"},
    {KIND_BOOLEAN, NULL, "true", KIND_NUMBER, DOLLARS, "'1.00'"},
    {KIND_BOOLEAN, NULL, "true", KIND_RATING, NULL, "1"},
    {KIND_DURATION, NULL, "3720", KIND_NUMBER, NULL, "'3720'"},
    {KIND_DURATION, "{'duration_format':'h:mm:ss'}", "3723", KIND_DURATION, NULL, "3720"},
    {KIND_NUMBER, NULL, "7", KIND_SINGLE_SELECT, OPTIONS, "{'id':8,'value':'7','color':'gray'}"},
    /* dates */
    {KIND_DATE, NULL, "'2025-10-01'", KIND_DATE, TIMED, "'2025-10-01T00:00:00Z'"},
    {KIND_DATE, NULL, "'2025-10-01'", KIND_DATE,
     "{'date_include_time':true,'date_force_timezone':'Europe/Amsterdam'}",
     "'2025-09-30T22:00:00Z'"},
    {KIND_DATE, TIMED, "'2025-10-01T23:30:00Z'", KIND_DATE, NULL, "'2025-10-01'"},
    {KIND_DATE, TIMED, "'2025-10-01T23:30:00Z'", KIND_DATE,
     "{'date_force_timezone':'Europe/Amsterdam'}", "'2025-10-02'"},
    {KIND_DATE, NULL, "'2025-10-01'", KIND_NUMBER, NULL, "null"},
    {KIND_DATE, "{'date_force_timezone':'Asia/Tokyo'}", "'2025-10-01'", KIND_DATE,
     "{'date_force_timezone':'America/New_York'}", "'2025-10-01'"},
    /* options */
    {KIND_SINGLE_SELECT, OPTIONS, "3", KIND_MULTIPLE_SELECT, OPTIONS,
     "[{'id':3,'value':'Open','color':'red'}]"},
    {KIND_SINGLE_SELECT, OPTIONS, "5", KIND_SINGLE_SELECT, OTHER_IDS,
     "{'id':50,'value':'A, B','color':'blue'}"},
    {KIND_MULTIPLE_SELECT, OPTIONS, "[8,5,3]", KIND_SINGLE_SELECT, OTHER_IDS,
     "{'id':50,'value':'A, B','color':'blue'}"},
    {KIND_MULTIPLE_SELECT, OPTIONS, "[8,5,3]", KIND_MULTIPLE_SELECT, OTHER_IDS,
     "[{'id':50,'value':'A, B','color':'blue'},{'id':30,'value':'Open','color':'red'}]"},
    {KIND_MULTIPLE_SELECT, OPTIONS, "[8]", KIND_SINGLE_SELECT, OTHER_IDS, "null"},
    {KIND_SINGLE_SELECT, OPTIONS, "3", KIND_SINGLE_SELECT,
     "{'select_options':[{'id':3,'value':'Renamed','color':'red'}]}",
     "{'id':3,'value':'Renamed','color':'red'}"},
    {KIND_MULTIPLE_COLLABORATORS, NULL, "[{'id':5}]", KIND_MULTIPLE_COLLABORATORS,
     "{'notify_user_when_added':true}", "[{'id':5,'name':'Bob, Ltd.'}]"},
};

static void cells_are_kept_where_they_convert(void **state)
{
    struct kinds_world *w = *state;
    for (size_t i = 0; i < COUNT_OF(conversions); i++) {
        const struct conversion *c = &conversions[i];
        struct grid_field before = kinds_field(w, c->from, c->from_settings);
        struct grid_field after = kinds_field(w, c->to, c->to_settings);
        struct value cell;
        struct kind_mistake m;
        if (kind_read(&w->tx, &before, kinds_json(w, c->cell), &cell, &m) != 0)
            fail_msg("%s does not take %s", before.kind->name, c->cell);
        struct value converted = kind_convert(w->arena, &before, &after, &cell);
        assert_int_equal(type_check(after.column, &converted), 0);
        const char *told = kinds_told(w, &after, &converted, kind_write);
        if (strcmp(told, c->expected) != 0)
            fail_msg("%s %s → %s: %s instead of %s", before.kind->name, c->cell, after.kind->name,
                     told, c->expected);
    }
}

static void stamps_convert_to_dates_and_collaborators(void **state)
{
    struct kinds_world *w = *state;
    struct grid_field created = kinds_field(w, KIND_CREATED_ON, TIMED);
    struct grid_field maker = kinds_field(w, KIND_CREATED_BY, NULL);
    struct grid_field date = kinds_field(w, KIND_DATE, NULL);
    struct grid_field people = kinds_field(w, KIND_MULTIPLE_COLLABORATORS, NULL);
    struct value at = value_text(STR("2025-10-01T12:00:00.000Z")), ann = value_text(STR(ANN));
    struct value day = kind_convert(w->arena, &created, &date, &at);
    struct value list = kind_convert(w->arena, &maker, &people, &ann);
    assert_string_equal(kinds_told(w, &created, &at, kind_write), "'2025-10-01T12:00:00Z'");
    assert_string_equal(kinds_told(w, &date, &day, kind_write), "'2025-10-01'");
    assert_string_equal(kinds_told(w, &people, &list, kind_write), "[{'id':3,'name':'Ann'}]");
}

static void options_that_are_missing_are_made(void **state)
{
    struct kinds_world *w = *state;
    static const char *const cells[] = {"'Open'", "'new, Open, \\\"x, y\\\"'", "'new'", "''",
                                        "' '"};
    struct grid_field before = kinds_field(w, KIND_TEXT, NULL);
    struct grid_field after = kinds_field(w, KIND_MULTIPLE_SELECT, OPTIONS);
    struct kind_names names = {.arena = w->arena};
    int64_t next = 20;

    for (size_t i = 0; i < COUNT_OF(cells); i++) {
        struct value cell;
        struct kind_mistake m;
        assert_int_equal(kind_read(&w->tx, &before, kinds_json(w, cells[i]), &cell, &m), 0);
        kind_collect_choices(&names, &before, &after, &cell);
    }
    assert_int_equal(names.count, 2);
    json_t *settings = kind_new_choices(after.settings.json, &names, &next);
    arena_on_free(w->arena, json_release, settings);
    after.settings = kind_settings_decode(w->arena, after.kind, settings);
    map_deinit(&names.seen);
    assert_int_equal(next, 22);
    assert_int_equal(after.settings.choice_count, 5);
    assert_true(str_equal(settings_choice(&after.settings, 20)->value, STR("new")));
    assert_true(str_equal(settings_choice(&after.settings, 21)->value, STR("x, y")));

    struct value cell = value_text(STR("new, Open, \"x, y\""));
    struct value converted = kind_convert(w->arena, &before, &after, &cell);
    assert_true(str_equal(converted.text, STR("20,3,21")));
}

static void some_kinds_cannot_be_primary(void **state)
{
    struct kinds_world *w = *state;
    struct grid_field plain = kinds_field(w, KIND_LONG_TEXT, NULL);
    struct grid_field rich = kinds_field(w, KIND_LONG_TEXT, "{'long_text_enable_rich_text':true}");
    struct grid_field password = kinds_field(w, KIND_PASSWORD, NULL);
    assert_true(kind_may_be_primary(plain.kind, &plain.settings));
    assert_false(kind_may_be_primary(rich.kind, &rich.settings));
    assert_false(kind_may_be_primary(password.kind, &password.settings));
}

static void directus_is_told_the_options(void **state)
{
    struct kinds_world *w = *state;
    struct grid_field one = kinds_field(w, KIND_SINGLE_SELECT, OTHER_IDS);
    struct grid_field several = kinds_field(w, KIND_MULTIPLE_SELECT, OTHER_IDS);
    assert_string_equal(single(w, kind_interface_options(w->arena, one.kind, &one.settings)),
                        "{'choices':[{'text':'Open','value':30},{'text':'A, B','value':50}]}");
    assert_string_equal(
        single(w, kind_interface_options(w->arena, several.kind, &several.settings)),
        "{'choices':[{'text':'Open','value':'30'},{'text':'A, B','value':'50'}]}");
    assert_null(kind_interface_options(w->arena, &kinds[KIND_TEXT], &one.settings));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, kinds_setup, kinds_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(settings_are_told_in_order_with_their_defaults),
        TEST(settings_out_of_bounds_are_refused),
        TEST(number_defaults_have_the_fields_places),
        TEST(options_are_replaced_by_what_is_sent),
        TEST(what_is_stored_badly_is_the_default),
        TEST(each_kind_has_its_column),
        TEST(columns_of_others_are_shown_as_what_they_hold),
        TEST(cells_are_kept_where_they_convert),
        TEST(stamps_convert_to_dates_and_collaborators),
        TEST(options_that_are_missing_are_made),
        TEST(some_kinds_cannot_be_primary),
        TEST(directus_is_told_the_options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
