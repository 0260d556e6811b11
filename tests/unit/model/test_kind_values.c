#include "unit/model/kinds.h"

#include "model/password.h"

/* Cells of each kind: what is accepted, how it comes back, how people see it. */

struct case_ {
    const char *sent;     /* JSON */
    const char *expected; /* what comes back, or the code of the mistake */
};

static const char *outcome(struct kinds_world *w, const struct grid_field *f, const char *sent)
{
    struct value cell;
    struct kind_mistake mistake = {.code = NULL};
    w->problem = (struct problem){.kind = PROBLEM_NONE};
    int rc = kind_read(&w->tx, f, kinds_json(w, sent), &cell, &mistake);
    if (rc == KIND_MISTAKEN) {
        assert_true(mistake.sentence.len > 0);
        return mistake.code;
    }
    if (rc == KIND_KEPT)
        return "kept";
    if (rc == REFUSED)
        return arena_printf(w->arena, "%.*s: %.*s", STR_ARG(w->problem.reason),
                            STR_ARG(w->problem.value))
            .at;
    assert_int_equal(rc, 0);
    assert_int_equal(type_check(f->column, &cell), 0);
    return kinds_told(w, f, &cell, kind_write);
}

static void check(struct kinds_world *w, enum kind_id id, const char *settings,
                  const struct case_ *cases, size_t count)
{
    struct grid_field f = kinds_field(w, id, settings);
    for (size_t i = 0; i < count; i++) {
        const char *got = outcome(w, &f, cases[i].sent);
        if (strcmp(got, cases[i].expected) != 0)
            fail_msg("%s (%s): %s gave %s instead of %s", kinds[id].name, settings ? settings : "",
                     cases[i].sent, got, cases[i].expected);
    }
}
#define CHECK(w, id, settings, ...)                                                                \
    do {                                                                                           \
        static const struct case_ list[] = {__VA_ARGS__};                                          \
        check((w), (id), (settings), list, COUNT_OF(list));                                        \
    } while (0)

static const char *repeat(struct kinds_world *w, const char *what, size_t count, const char *tail)
{
    struct buf b;
    buf_init(&b, SIZE_MAX);
    buf_put_char(&b, '"');
    for (size_t i = 0; i < count; i++)
        buf_put_str(&b, str_of(what));
    buf_put_str(&b, str_of(tail));
    buf_put_char(&b, '"');
    const char *text = arena_z(w->arena, buf_str(&b));
    buf_deinit(&b);
    return text;
}

static void texts_take_numbers_and_truth_values_as_text(void **state)
{
    CHECK(*state, KIND_TEXT, NULL, {"'a'", "'a'"}, {"' a '", "' a '"}, {"12.5", "'12.5'"},
          {"true", "'true'"}, {"null", "''"}, {"''", "''"}, {"[1]", "invalid"}, {"{}", "invalid"});
}

static void urls_follow_the_pattern(void **state)
{
    struct kinds_world *w = *state;
    CHECK(w, KIND_URL, NULL, {"'https://a'", "'https://a'"}, {"'a.b'", "'a.b'"},
          {"'a.'", "invalid"}, {"'.b'", "'.b'"}, {"'//b'", "'//b'"}, {"'ab'", "invalid"},
          {"'a.b c'", "invalid"}, {"'a.b '", "invalid"}, {"''", "''"}, {"null", "''"},
          {"'a/b'", "invalid"}, {"'a.\xc2\xa0'", "invalid"}, {"[]", "invalid"});
    struct grid_field f = kinds_field(w, KIND_URL, NULL);
    assert_string_not_equal(outcome(w, &f, repeat(w, "x", 255, ".y")), "invalid");
    assert_string_equal(outcome(w, &f, repeat(w, "x", 256, ".y")), "invalid");
}

static void e_mails_follow_the_pattern(void **state)
{
    struct kinds_world *w = *state;
    CHECK(w, KIND_EMAIL, NULL, {"'a@b'", "'a@b'"},
          {"'\xc3\xa4.1_+@\xd0\xb4'", "'\xc3\xa4.1_+@\xd0\xb4'"}, {"'a@'", "invalid"},
          {"'@b'", "invalid"}, {"'a@b@c'", "invalid"}, {"'a b@c'", "invalid"},
          {"'a,@c'", "invalid"}, {"''", "''"}, {"'a@b\\n'", "invalid"});
    struct grid_field f = kinds_field(w, KIND_EMAIL, NULL);
    assert_string_not_equal(outcome(w, &f, repeat(w, "x", 252, "@y")), "max_length");
    assert_string_equal(outcome(w, &f, repeat(w, "x", 253, "@y")), "max_length");
}

static void phone_numbers_follow_the_pattern(void **state)
{
    struct kinds_world *w = *state;
    CHECK(w, KIND_PHONE_NUMBER, NULL, {"'+1 (2) 3-4/5;n=X#*._,'", "'+1 (2) 3-4/5;n=X#*._,'"},
          {"'12a'", "invalid"}, {"123", "'123'"}, {"''", "''"}, {"'1\\n'", "invalid"});
    struct grid_field f = kinds_field(w, KIND_PHONE_NUMBER, NULL);
    assert_string_not_equal(outcome(w, &f, repeat(w, "1", 100, "")), "max_length");
    assert_string_equal(outcome(w, &f, repeat(w, "1", 101, "")), "max_length");
}

static void whole_numbers_keep_all_their_digits(void **state)
{
    CHECK(*state, KIND_NUMBER, "{'number_negative':true}", {"5", "'5'"}, {"'5'", "'5'"},
          {"'+5'", "'5'"}, {"'5.0'", "'5'"}, {"5.0", "'5'"}, {"'1e3'", "'1000'"}, {"null", "null"},
          {"9223372036854775807", "'9223372036854775807'"},
          {"'-9223372036854775808'", "'-9223372036854775808'"},
          {"'9223372036854775808'", "max_value"}, {"'-9223372036854775809'", "min_value"},
          {"'99999999999999999999'", "max_digits"}, {"'1e100000'", "max_digits"},
          {"5.5", "max_decimal_places"}, {"''", "invalid"}, {"'a'", "invalid"}, {"true", "invalid"},
          {"'1 2'", "invalid"}, {"'NaN'", "invalid"}, {"'.'", "invalid"}, {"'-0'", "'0'"},
          {"[1]", "invalid"});
    CHECK(*state, KIND_NUMBER, NULL, {"0", "'0'"}, {"-1", "min_value"}, {"'-0.0'", "'0'"});
}

static void decimals_have_exactly_their_places(void **state)
{
    CHECK(*state, KIND_NUMBER, "{'number_decimal_places':2}", {"12.30", "'12.30'"},
          {"'12.30'", "'12.30'"}, {"12", "'12.00'"}, {"0.1", "'0.10'"}, {"'.5'", "'0.50'"},
          {"'12.300'", "'12.30'"}, {"'12.345'", "max_decimal_places"}, {"-0.5", "min_value"},
          {"9999999999999.99", "'9999999999999.99'"}, {"'10000000000000'", "max_whole_digits"},
          {"'1234567890123456'", "max_digits"}, {"'12345678901234.56'", "max_digits"});
    CHECK(*state, KIND_NUMBER, "{'number_decimal_places':10,'number_negative':true}",
          {"-0.0000000001", "'-0.0000000001'"}, {"99999.9999999999", "'99999.9999999999'"},
          {"'100000'", "max_whole_digits"}, {"0.00000000001", "max_decimal_places"});
}

static void numbers_are_read_as_they_are_shown(void **state)
{
    CHECK(*state, KIND_NUMBER,
          "{'number_decimal_places':2,'number_negative':true,'number_separator':'PERIOD_COMMA',"
          "'number_prefix':'$ ','number_suffix':' each'}",
          {"'1,23'", "'1.23'"}, {"'1.234,5'", "'1234.50'"}, {"'1.23'", "'1.23'"},
          {"'-$ 1.234.567,00 each'", "'-1234567.00'"}, {"'$ -1,5'", "'-1.50'"},
          {"'1.2345,6'", "invalid"}, {"'1234,5'", "'1234.50'"}, {"'1,2,3'", "invalid"},
          {"'12.34.567'", "invalid"});
}

static void ratings_lie_between_zero_and_their_maximum(void **state)
{
    CHECK(*state, KIND_RATING, "{'max_value':3}", {"0", "0"}, {"3", "3"}, {"'2'", "2"},
          {"4", "max_value"}, {"-1", "min_value"}, {"1.5", "invalid"}, {"'x'", "invalid"},
          {"null", "0"}, {"1e30", "max_value"}, {"false", "invalid"});
}

static void booleans_take_the_usual_spellings(void **state)
{
    CHECK(*state, KIND_BOOLEAN, NULL, {"true", "true"}, {"false", "false"}, {"'t'", "true"},
          {"'Y'", "true"}, {"'yes'", "true"}, {"'on'", "true"}, {"1", "true"}, {"'1'", "true"},
          {"'checked'", "true"}, {"'f'", "false"}, {"'n'", "false"}, {"'NO'", "false"},
          {"'off'", "false"}, {"0", "false"}, {"'unchecked'", "false"}, {"null", "null"},
          {"2", "invalid"}, {"'maybe'", "invalid"}, {"''", "invalid"}, {"[]", "invalid"});
}

static void days_are_read_in_many_forms(void **state)
{
    CHECK(*state, KIND_DATE, NULL, {"'2025-10-01'", "'2025-10-01'"}, {"null", "null"},
          {"''", "null"}, {"'2025-10-01T23:30:00Z'", "'2025-10-01'"},
          {"'2025-10-01T23:30:00-05:00'", "'2025-10-02'"}, {"'01/10/2025'", "'2025-10-01'"},
          {"'1.10.2025'", "'2025-10-01'"}, {"'10/13/2025'", "'2025-10-13'"},
          {"'2025/10/01'", "'2025-10-01'"}, {"'1 October 2025'", "'2025-10-01'"},
          {"'Oct 1st, 2025'", "'2025-10-01'"}, {"'Wed, 1 Oct 2025 10:00'", "'2025-10-01'"},
          {"'1-10-25'", "'2025-10-01'"}, {"'2025 Oct 1'", "'2025-10-01'"},
          {"'2025-02-29'", "invalid"}, {"'30/02/2025'", "invalid"}, {"'x'", "invalid"},
          {"5", "invalid"}, {"'2025-10'", "invalid"}, {"'1 2 3 4'", "invalid"},
          {"'October'", "invalid"}, {"[]", "invalid"});
    CHECK(*state, KIND_DATE, "{'date_format':'US'}", {"'10/01/2025'", "'2025-10-01'"},
          {"'13/10/2025'", "'2025-10-13'"});
}

static void moments_are_told_in_utc(void **state)
{
    CHECK(*state, KIND_DATE, "{'date_include_time':true}",
          {"'2025-10-01T12:00:00Z'", "'2025-10-01T12:00:00Z'"},
          {"'2025-10-01T12:00:00.5Z'", "'2025-10-01T12:00:00.500000Z'"},
          {"'2025-10-01T12:00:00+02:00'", "'2025-10-01T10:00:00Z'"},
          {"'2025-10-01'", "'2025-10-01T00:00:00Z'"},
          {"'01/10/2025 14:05'", "'2025-10-01T14:05:00Z'"},
          {"'1 Oct 2025 2:05 pm'", "'2025-10-01T14:05:00Z'"},
          {"'1/10/2025 12am'", "'2025-10-01T00:00:00Z'"},
          {"'1/10/2025 14:05:06.25 +0200'", "'2025-10-01T12:05:06.250000Z'"},
          {"'1/10/2025 13 pm'", "invalid"}, {"'1/10/2025 25:00'", "invalid"},
          {"'1/10/2025 10:00 10:00'", "invalid"});
    CHECK(*state, KIND_DATE, "{'date_include_time':true,'date_force_timezone':'Europe/Amsterdam'}",
          {"'2025-10-01T12:00:00Z'", "'2025-10-01T12:00:00Z'"},
          {"'2025-10-01 12:00'", "'2025-10-01T10:00:00Z'"},
          {"'01/10/2025 14:00'", "'2025-10-01T12:00:00Z'"},
          {"'01/12/2025 14:00'", "'2025-12-01T13:00:00Z'"});
}

static void durations_are_rounded_to_what_is_shown(void **state)
{
    static const struct {
        const char *format, *sent, *expected, *text;
    } rows[] = {
        {"h:mm", "3723", "3720", "1:02"},
        {"h:mm", "30", "60", "0:01"},
        {"h:mm", "-3723", "-3720", "-1:02"},
        {"h:mm", "'1:02'", "3720", "1:02"},
        {"h:mm", "'1:02:03'", "3720", "1:02"},
        {"h:mm", "'90'", "5400", "1:30"},
        {"h:mm", "'1d 2h 3m 4s'", "93780", "26:03"},
        {"h:mm:ss", "'1:02:03'", "3723", "1:02:03"},
        {"h:mm:ss", "'2:03'", "123", "0:02:03"},
        {"h:mm:ss", "'90'", "90", "0:01:30"},
        {"h:mm:ss", "1.5", "2", "0:00:02"},
        {"h:mm:ss.s", "'1:02:03.5'", "3723.5", "1:02:03.5"},
        {"h:mm:ss.s", "0.15", "0.2", "0:00:00.2"},
        {"h:mm:ss.ss", "0.155", "0.16", "0:00:00.16"},
        {"h:mm:ss.sss", "0.0005", "0.001", "0:00:00.001"},
        {"h:mm:ss.sss", "12", "12", "0:00:12.000"},
        {"d h", "93784", "93600", "1d 2h"},
        {"d h", "'2'", "7200", "0d 2h"},
        {"d h", "'1d 2:03'", "93600", "1d 2h"},
        {"d h", "'1d'", "86400", "1d 0h"},
        {"d h:mm", "'1d 2:03'", "93780", "1d 2:03"},
        {"d h:mm", "'5'", "300", "0d 0:05"},
        {"d h:mm:ss", "'1d 2:03'", "86523", "1d 0:02:03"},
        {"d h:mm:ss", "'1d 1:02:03'", "90123", "1d 1:02:03"},
        {"d h mm", "'1d 2h 3m'", "93780", "1d 2h 03m"},
        {"d h mm", "'1:30'", "120", "0d 0h 02m"},
        {"d h mm ss", "'2h'", "7200", "0d 2h 00m 00s"},
        {"d h mm ss", "'-1d 4S'", "-86404", "-1d 0h 00m 04s"},
        {"h:mm:ss", "999999999999", "999999999999", "277777777:46:39"},
        {"h:mm:ss", "1000000000000", "invalid", NULL},
        {"h:mm", "'1h 1d'", "invalid", NULL},
        {"h:mm", "'1:2:3:4'", "invalid", NULL},
        {"h:mm", "'abc'", "invalid", NULL},
        {"h:mm", "''", "invalid", NULL},
        {"h:mm", "'1x'", "invalid", NULL},
        {"h:mm", "true", "invalid", NULL},
        {"h:mm", "null", "null", NULL},
    };
    struct kinds_world *w = *state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct grid_field f =
            kinds_field(w, KIND_DURATION,
                        arena_printf(w->arena, "{'duration_format':'%s'}", rows[i].format).at);
        const char *got = outcome(w, &f, rows[i].sent);
        if (strcmp(got, rows[i].expected) != 0)
            fail_msg("%s: %s gave %s instead of %s", rows[i].format, rows[i].sent, got,
                     rows[i].expected);
        struct value cell;
        struct kind_mistake m;
        if (!rows[i].text)
            continue;
        assert_int_equal(kind_read(&w->tx, &f, kinds_json(w, rows[i].sent), &cell, &m), 0);
        assert_string_equal(kinds_told(w, &f, &cell, kind_put_text), rows[i].text);
    }
}

/* As a number of days each of these is one, as seconds none. */
static void durations_past_all_numbers_are_none(void **state)
{
    static const char *const units[] = {"d", "h", ":00:00", "d 1:00:00"};
    static const char *const formats[] = {"h:mm:ss", "h:mm", "d h", "h:mm:ss.sss"};
    struct kinds_world *w = *state;
    char zeros[309];

    memset(zeros, '0', sizeof(zeros) - 1);
    zeros[sizeof(zeros) - 1] = '\0';
    for (size_t i = 0; i < COUNT_OF(formats); i++) {
        struct str settings = arena_printf(w->arena, "{'duration_format':'%s'}", formats[i]);
        struct grid_field f = kinds_field(w, KIND_DURATION, settings.at);
        for (size_t k = 0; k < COUNT_OF(units); k++)
            assert_string_equal(
                outcome(w, &f, arena_printf(w->arena, "'1%s%s'", zeros, units[k]).at), "invalid");
    }
}

/* Others may have made the column a float, and put anything into it. */
static void durations_that_are_too_long_are_shown_as_the_longest(void **state)
{
    struct kinds_world *w = *state;
    struct grid_field f = kinds_field(w, KIND_DURATION, "{'duration_format':'h:mm:ss'}");
    const struct value most = value_real(1e300), least = value_real(-1e300);

    assert_string_equal(kinds_told(w, &f, &most, kind_put_text), "277777777:46:40");
    assert_string_equal(kinds_told(w, &f, &least, kind_put_text), "-277777777:46:40");
}

#define OPTIONS                                                                                    \
    "{'select_options':[{'id':3,'value':'Open','color':'red'},{'id':5,'value':'A, B','color':"     \
    "'blue'},{'id':8,'value':'3','color':'gray'}]}"
#define OPEN "{'id':3,'value':'Open','color':'red'}"
#define AB "{'id':5,'value':'A, B','color':'blue'}"
#define THREE "{'id':8,'value':'3','color':'gray'}"

static void options_go_by_id_or_name(void **state)
{
    CHECK(*state, KIND_SINGLE_SELECT, OPTIONS, {"3", OPEN}, {"'Open'", OPEN}, {"'3'", THREE},
          {"'5'", AB}, {"null", "null"}, {"''", "null"}, {"787", "no such option: 787"},
          {"'Closed'", "no such option: Closed"}, {"true", "no such option: true"});
    CHECK(*state, KIND_MULTIPLE_SELECT, OPTIONS, {"[3,'A, B',3]", "[" OPEN "," AB "]"},
          {"'5,Open'", "[" AB "," OPEN "]"}, {"'\\\"A, B\\\", 3'", "[" AB "," THREE "]"},
          {"[]", "[]"}, {"''", "[]"}, {"null", "[]"}, {"[9]", "no such option: 9"},
          {"3", "not_a_list"}, {"{}", "not_a_list"}, {"[null]", "no such option: null"});
}

static void collaborators_are_members(void **state)
{
    CHECK(*state, KIND_MULTIPLE_COLLABORATORS, NULL,
          {"[{'id':5},{'id':3}]", "[{'id':5,'name':'Bob, Ltd.'},{'id':3,'name':'Ann'}]"},
          {"[{'id':3},{'id':3}]", "[{'id':3,'name':'Ann'}]"}, {"[]", "[]"}, {"null", "[]"},
          {"[{'id':4}]", "invalid"}, {"[{}]", "invalid"}, {"['Ann']", "invalid"},
          {"'Ann'", "not_a_list"});
}

static void who_made_a_row_is_told_while_a_member(void **state)
{
    struct kinds_world *w = *state;
    struct grid_field f = kinds_field(w, KIND_CREATED_BY, NULL);
    struct value ann = value_text(STR(ANN));
    struct value other = value_text(STR("99999999-9999-4999-8999-999999999999"));
    assert_string_equal(kinds_told(w, &f, &ann, kind_write), "{'id':3,'name':'Ann'}");
    assert_string_equal(kinds_told(w, &f, &ann, kind_put_text), "Ann");
    assert_string_equal(kinds_told(w, &f, &ann, kind_write_history), "3");
    assert_string_equal(kinds_told(w, &f, &other, kind_write), "null");
    assert_string_equal(outcome(w, &f, "3"), "read_only");
}

static void passwords_are_hashed_before_and_never_told(void **state)
{
    struct kinds_world *w = *state;
    struct grid_field f = kinds_field(w, KIND_PASSWORD, NULL);
    json_t *plain = kinds_json(w, "'secret'"), *sent_back = kinds_json(w, "true");
    struct value cell;
    struct kind_mistake m;

    assert_true(kind_needs_preparing(&f, plain));
    assert_false(kind_needs_preparing(&f, sent_back));
    assert_int_equal(kind_prepare(&w->tx, &f, plain), 0);
    assert_ptr_equal(w->tx.prepared->plain, plain);
    assert_int_equal(kind_read(&w->tx, &f, plain, &cell, &m), 0);
    assert_true(str_equal(cell.text, w->tx.prepared->hash));
    assert_true(password_verify(&w->settings, cell.text, STR("secret")));
    assert_string_equal(kinds_told(w, &f, &cell, kind_write), "true");
    assert_string_equal(kinds_told(w, &f, &cell, kind_put_text), "");
    CHECK(w, KIND_PASSWORD, NULL, {"null", "null"}, {"''", "null"}, {"true", "kept"},
          {"'$argon2id$v=19$m=1$a$b'", "kept"}, {"'**********'", "kept"}, {"false", "invalid"},
          {"5", "invalid"}, {"'new'", "true"});
}

/* ---- columns of others ---- */

static void cells_fit_columns_that_others_made(void **state)
{
    struct kinds_world *w = *state;
    static const struct {
        struct column column;
        const char *sent, *expected;
    } rows[] = {
        {{.type = TYPE_STRING, .length_max = 3, .nullable = true},
         "'\xc3\xa4\xc3\xb6\xc3\xbc'",
         "'\xc3\xa4\xc3\xb6\xc3\xbc'"},
        {{.type = TYPE_STRING, .length_max = 3, .nullable = true}, "'abcd'", "max_length"},
        {{.type = TYPE_TIME, .nullable = true}, "'10:11'", "'10:11:00'"},
        {{.type = TYPE_TIME, .nullable = true}, "'late'", "invalid"},
        {{.type = TYPE_TIME, .nullable = true}, "''", "''"},
        {{.type = TYPE_TIME, .nullable = false}, "''", "null"},
        {{.type = TYPE_JSON, .nullable = true}, "'{\\\"a\\\": 1}'", "'{\\'a\\':1}'"},
        {{.type = TYPE_JSON, .nullable = true}, "'{a'", "invalid"},
        {{.type = TYPE_JSON, .nullable = true}, "null", "''"},
        {{.type = TYPE_CSV, .nullable = true}, "'a,b'", "'a,b'"},
        {{.type = TYPE_UUID, .nullable = true}, "'x'", "invalid"},
        {{.type = TYPE_UUID, .nullable = true}, "'" ANN "'", "'" ANN "'"},
        {{.type = TYPE_INTEGER, .nullable = true}, "2147483647", "'2147483647'"},
        {{.type = TYPE_INTEGER, .nullable = true}, "2147483648", "max_value"},
        {{.type = TYPE_INTEGER, .nullable = true}, "-2147483649", "min_value"},
        {{.type = TYPE_INTEGER, .nullable = false}, "null", "null"},
        {{.type = TYPE_DECIMAL, .nullable = true}, "12345.67891", "'12345.67891'"},
        {{.type = TYPE_DECIMAL, .nullable = true}, "123456", "max_whole_digits"},
        {{.type = TYPE_DECIMAL, .precision = 15, .scale = 12, .nullable = true},
         "123.5",
         "'123.5000000000'"},
        {{.type = TYPE_FLOAT, .nullable = true}, "0.1", "'0.1000000000'"},
        {{.type = TYPE_FLOAT, .nullable = true}, "12345678.1", "'12345678.1000000000'"},
        {{.type = TYPE_DATE, .nullable = true}, "'2025-10-01'", "'2025-10-01'"},
        {{.type = TYPE_DATE_TIME, .nullable = true},
         "'2025-10-01T10:00:00Z'",
         "'2025-10-01T10:00:00Z'"},
        {{.type = TYPE_TIMESTAMP, .nullable = true},
         "'2025-10-01T10:00:00.25Z'",
         "'2025-10-01T10:00:00.250000Z'"},
        {{.type = TYPE_BOOLEAN, .nullable = true}, "'yes'", "true"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct grid_field f = kinds_shown(w, rows[i].column, 0);
        const char *got = outcome(w, &f, rows[i].sent);
        if (strcmp(got, rows[i].expected) != 0)
            fail_msg("%s: %s gave %s instead of %s", types[rows[i].column.type].name, rows[i].sent,
                     got, rows[i].expected);
    }
}

/* ---- text ---- */

static void cells_are_shown_as_people_read_them(void **state)
{
    struct kinds_world *w = *state;
    static const struct {
        enum kind_id kind;
        const char *settings, *sent, *text;
    } rows[] = {
        {KIND_NUMBER,
         "{'number_decimal_places':2,'number_negative':true,'number_prefix':'$','number_suffix':'x'"
         ",'number_separator':'COMMA_PERIOD'}",
         "-1234567.5", "-$1,234,567.50x"},
        {KIND_NUMBER, "{'number_separator':'SPACE_COMMA'}", "123", "123"},
        {KIND_NUMBER, "{'number_decimal_places':1,'number_separator':'SPACE_COMMA'}", "1234.5",
         "1 234,5"},
        {KIND_RATING, NULL, "3", "3"},
        {KIND_BOOLEAN, NULL, "false", "false"},
        {KIND_DATE, NULL, "'2025-10-01'", "01/10/2025"},
        {KIND_DATE, "{'date_format':'US'}", "'2025-10-01'", "10/01/2025"},
        {KIND_DATE, "{'date_format':'ISO'}", "'2025-10-01'", "2025-10-01"},
        {KIND_DATE, "{'date_include_time':true}", "'2025-10-01T14:05:59Z'", "01/10/2025 14:05"},
        {KIND_DATE, "{'date_include_time':true,'date_time_format':'12'}", "'2025-10-01T00:05:00Z'",
         "01/10/2025 12:05 AM"},
        {KIND_DATE,
         "{'date_include_time':true,'date_time_format':'12','date_show_tzinfo':true,'date_force_"
         "timezone':'America/New_York'}",
         "'2025-10-01T16:05:00Z'", "01/10/2025 12:05 PM -04:00"},
        {KIND_SINGLE_SELECT, OPTIONS, "5", "A, B"},
        {KIND_MULTIPLE_SELECT, OPTIONS, "[3,5]", "Open, \"A, B\""},
        {KIND_MULTIPLE_COLLABORATORS, NULL, "[{'id':3},{'id':5}]", "Ann, \"Bob, Ltd.\""},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct grid_field f = kinds_field(w, rows[i].kind, rows[i].settings);
        struct value cell, again;
        struct kind_mistake m;
        assert_int_equal(kind_read(&w->tx, &f, kinds_json(w, rows[i].sent), &cell, &m), 0);
        const char *text = kinds_told(w, &f, &cell, kind_put_text);
        assert_string_equal(text, rows[i].text);
        again = kind_parse(w->arena, &f, str_of(text));
        assert_string_equal(kinds_told(w, &f, &again, kind_put_text), rows[i].text);
    }
}

static void false_is_empty_and_zero_is_not(void **state)
{
    struct kinds_world *w = *state;
    struct grid_field boolean = kinds_field(w, KIND_BOOLEAN, NULL);
    struct grid_field rating = kinds_field(w, KIND_RATING, NULL);
    struct grid_field text = kinds_field(w, KIND_TEXT, NULL);
    struct grid_field select = kinds_field(w, KIND_SINGLE_SELECT, OPTIONS);
    assert_true(kind_is_empty(&boolean, &(struct value){VALUE_INTEGER, .integer = 0}));
    assert_false(kind_is_empty(&boolean, &(struct value){VALUE_INTEGER, .integer = 1}));
    assert_false(kind_is_empty(&rating, &(struct value){VALUE_INTEGER, .integer = 0}));
    assert_true(kind_is_empty(&text, &(struct value){VALUE_TEXT, .text = STR("")}));
    assert_false(kind_is_empty(&text, &(struct value){VALUE_TEXT, .text = STR(" ")}));
    assert_true(kind_is_empty(&select, &(struct value){VALUE_INTEGER, .integer = 4}));
    assert_false(kind_is_empty(&select, &(struct value){VALUE_INTEGER, .integer = 3}));
    assert_true(kind_is_empty(&select, &(struct value){VALUE_NULL, .integer = 3}));
}

/* ---- history ---- */

static void history_tells_ids_and_what_they_stood_for(void **state)
{
    struct kinds_world *w = *state;
    struct grid_field f = kinds_field(w, KIND_MULTIPLE_SELECT, OPTIONS);
    struct value before = value_text(STR("3")), after = value_text(STR("3,5"));
    struct buf b;

    assert_string_equal(kinds_told(w, &f, &after, kind_write_history), "[3,5]");
    assert_string_equal(kinds_told(w, &f, &(struct value){.kind = VALUE_NULL}, kind_write_history),
                        "[]");
    buf_init(&b, SIZE_MAX);
    kind_put_history_metadata(&b, &f, &before, &after);
    buf_put_char(&b, '\0');
    assert_string_equal(b.at, "\"id\":31,\"type\":\"multiple_select\",\"select_options\":{"
                              "\"3\":{\"id\":3,\"value\":\"Open\",\"color\":\"red\"},"
                              "\"5\":{\"id\":5,\"value\":\"A, B\",\"color\":\"blue\"}}");
    buf_clear(&b);
    f = kinds_field(w, KIND_NUMBER, "{'number_decimal_places':2}");
    kind_put_history_metadata(&b, &f, NULL, NULL);
    buf_put_char(&b, '\0');
    assert_string_equal(b.at, "\"id\":31,\"type\":\"number\",\"number_decimal_places\":2,"
                              "\"number_negative\":false,\"number_prefix\":\"\","
                              "\"number_suffix\":\"\",\"number_separator\":\"\"");
    buf_deinit(&b);
}

/* ---- what is told is taken back ---- */

static uint64_t dice(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return *seed >> 20;
}

/* JSON that the kind may or may not take. */
static json_t *any_json(struct kinds_world *w, enum kind_id id, uint64_t *seed)
{
    static const int64_t ids[] = {3, 5, 8};
    uint64_t n = dice(seed);
    json_t *list;
    switch (id) {
    case KIND_DATE:
        return json_string(arena_printf(w->arena, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
                                        1 + (int)(n % 9998), 1 + (int)(dice(seed) % 12),
                                        1 + (int)(dice(seed) % 28), (int)(dice(seed) % 24),
                                        (int)(dice(seed) % 60), (int)(dice(seed) % 60),
                                        (int)(dice(seed) % 1000))
                               .at);
    case KIND_DURATION:
        return json_real((double)(int64_t)(n % 2000000000) / 1000 - 500000);
    case KIND_NUMBER:
        return json_string(arena_printf(w->arena, "%s%lld.%lld", n & 1 ? "-" : "",
                                        (long long)(dice(seed) % 1000000000),
                                        (long long)(dice(seed) % 100000))
                               .at);
    case KIND_RATING:
        return json_integer((json_int_t)(n % 11));
    case KIND_BOOLEAN:
        return json_boolean(n & 1);
    case KIND_SINGLE_SELECT:
        return json_integer(ids[n % 3]);
    case KIND_MULTIPLE_SELECT:
        list = json_array();
        for (size_t i = 0; i < n % 4; i++)
            json_array_append_new(list, json_integer(ids[dice(seed) % 3]));
        return list;
    case KIND_MULTIPLE_COLLABORATORS:
        list = json_array();
        for (size_t i = 0; i < n % 3; i++)
            json_array_append_new(list, json_pack("{s:i}", "id", dice(seed) & 1 ? 3 : 5));
        return list;
    case KIND_EMAIL:
    case KIND_URL:
        return json_string(
            arena_printf(w->arena, "%s@b.%lld", n & 1 ? "\xc3\xa4" : "a", (long long)n % 1000).at);
    case KIND_PHONE_NUMBER:
        return json_integer((json_int_t)n);
    default:
        return json_string(arena_printf(w->arena, " \"%lld\",\xf0\x9f\x98\x80\n", (long long)n).at);
    }
}

/* What was written of a cell, as a client sends it back: objects of options by their ids. */
static json_t *sent_back(struct kinds_world *w, const char *told, enum kind_id id)
{
    json_t *json;
    assert_int_equal(json_read_in(w->arena, str_of(told), &json, NULL), 0);
    if (id == KIND_SINGLE_SELECT && json_is_object(json))
        return json_object_get(json, "id");
    if (id == KIND_MULTIPLE_SELECT) {
        json_t *ids = json_array(), *item;
        size_t index;
        arena_on_free(w->arena, json_release, ids);
        json_array_foreach(json, index, item)
        {
            json_array_append(ids, json_object_get(item, "id"));
        }
        return ids;
    }
    return json;
}

static void cells_survive_being_told_and_sent_back(void **state)
{
    struct kinds_world *w = *state;
    static const struct {
        enum kind_id kind;
        const char *settings;
    } fields[] = {
        {KIND_TEXT, NULL},
        {KIND_LONG_TEXT, NULL},
        {KIND_URL, NULL},
        {KIND_EMAIL, NULL},
        {KIND_PHONE_NUMBER, NULL},
        {KIND_NUMBER, "{'number_decimal_places':5,'number_negative':true}"},
        {KIND_NUMBER, "{'number_decimal_places':5}"},
        {KIND_RATING, "{'max_value':10}"},
        {KIND_BOOLEAN, NULL},
        {KIND_DATE, NULL},
        {KIND_DATE, "{'date_include_time':true}"},
        {KIND_DATE, "{'date_include_time':true,'date_force_timezone':'Europe/Amsterdam'}"},
        {KIND_DATE, "{'date_force_timezone':'Asia/Tokyo'}"},
        {KIND_DURATION, "{'duration_format':'h:mm:ss.sss'}"},
        {KIND_DURATION, "{'duration_format':'d h'}"},
        {KIND_SINGLE_SELECT, OPTIONS},
        {KIND_MULTIPLE_SELECT, OPTIONS},
        {KIND_MULTIPLE_COLLABORATORS, NULL},
    };
    uint64_t seed = 5;
    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        struct grid_field f = kinds_field(w, fields[i].kind, fields[i].settings);
        unsigned taken = 0;
        for (int round = 0; round < 200; round++) {
            json_t *sent = any_json(w, fields[i].kind, &seed);
            struct value cell, again;
            struct kind_mistake m;
            arena_on_free(w->arena, json_release, sent);
            if (kind_read(&w->tx, &f, sent, &cell, &m) != 0)
                continue;
            taken++;
            struct buf b;
            buf_init(&b, SIZE_MAX);
            kind_write(&b, &f, &cell);
            const char *told = arena_z(w->arena, buf_str(&b));
            buf_deinit(&b);
            int rc = kind_read(&w->tx, &f, sent_back(w, told, fields[i].kind), &again, &m);
            if (rc != 0 || !value_equal(&cell, &again))
                fail_msg("%s: %s is not what it was", f.kind->name, told);
        }
        assert_true(taken > 50);
    }
}

/* Whatever is written becomes a cell that fits, and what is shown of it is read as the same. */
static void any_text_is_a_cell_or_none(void **state)
{
    static const char letters[] = "0123456789:-/., dhmsTZ+ABpam\"eOctOpen$x";
    static const struct {
        enum kind_id kind;
        const char *settings;
    } fields[] = {
        {KIND_TEXT, NULL},
        {KIND_URL, NULL},
        {KIND_EMAIL, NULL},
        {KIND_PHONE_NUMBER, NULL},
        {KIND_NUMBER, NULL},
        {KIND_NUMBER, "{'number_decimal_places':3,'number_negative':true,'number_prefix':'$',"
                      "'number_suffix':'x','number_separator':'PERIOD_COMMA'}"},
        {KIND_RATING, NULL},
        {KIND_BOOLEAN, NULL},
        {KIND_DATE, NULL},
        {KIND_DATE, "{'date_include_time':true,'date_format':'US','date_time_format':'12'}"},
        {KIND_DATE, "{'date_include_time':true,'date_format':'ISO','date_show_tzinfo':true,"
                    "'date_force_timezone':'Europe/Amsterdam'}"},
        {KIND_DURATION, NULL},
        {KIND_DURATION, "{'duration_format':'h:mm:ss.ss'}"},
        {KIND_DURATION, "{'duration_format':'d h mm ss'}"},
        {KIND_SINGLE_SELECT, OPTIONS},
        {KIND_MULTIPLE_SELECT, OPTIONS},
        {KIND_MULTIPLE_COLLABORATORS, NULL},
    };
    struct kinds_world *w = *state;
    uint64_t seed = 11;
    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        struct grid_field f = kinds_field(w, fields[i].kind, fields[i].settings);
        for (int round = 0; round < 1000; round++) {
            char text[24];
            size_t length = dice(&seed) % sizeof(text);
            for (size_t at = 0; at < length; at++)
                text[at] = letters[dice(&seed) % (sizeof(letters) - 1)];
            struct value cell = kind_parse(w->arena, &f, (struct str){text, length});
            assert_int_equal(type_check(f.column, &cell), 0);
            const char *shown = kinds_told(w, &f, &cell, kind_put_text);
            struct value again = kind_parse(w->arena, &f, str_of(shown));
            if (strcmp(kinds_told(w, &f, &again, kind_put_text), shown) != 0)
                fail_msg("%s: \"%.*s\" is shown as \"%s\", which is read as something else",
                         f.kind->name, (int)length, text, shown);
        }
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, kinds_setup, kinds_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(texts_take_numbers_and_truth_values_as_text),
        TEST(urls_follow_the_pattern),
        TEST(e_mails_follow_the_pattern),
        TEST(phone_numbers_follow_the_pattern),
        TEST(whole_numbers_keep_all_their_digits),
        TEST(decimals_have_exactly_their_places),
        TEST(numbers_are_read_as_they_are_shown),
        TEST(ratings_lie_between_zero_and_their_maximum),
        TEST(booleans_take_the_usual_spellings),
        TEST(days_are_read_in_many_forms),
        TEST(moments_are_told_in_utc),
        TEST(durations_are_rounded_to_what_is_shown),
        TEST(durations_past_all_numbers_are_none),
        TEST(durations_that_are_too_long_are_shown_as_the_longest),
        TEST(options_go_by_id_or_name),
        TEST(collaborators_are_members),
        TEST(who_made_a_row_is_told_while_a_member),
        TEST(passwords_are_hashed_before_and_never_told),
        TEST(cells_fit_columns_that_others_made),
        TEST(cells_are_shown_as_people_read_them),
        TEST(false_is_empty_and_zero_is_not),
        TEST(history_tells_ids_and_what_they_stood_for),
        TEST(cells_survive_being_told_and_sent_back),
        TEST(any_text_is_a_cell_or_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
