/*
 * What the ends must agree on for every text: folding of each code point, the order of bytes, and
 * the canonical texts that operators on text see in columns that hold none.
 */

#include "ends.h"

#include "base/clock.h"
#include "base/text.h"
#include "dice.h"

uint64_t dice_seed = 1;

static int with_arena(void **state)
{
    *state = arena_new();
    return 0;
}

static int free_arena(void **state)
{
    arena_free(*state);
    return 0;
}

/* ---- code points ---- */

enum { SURROGATE_FIRST = 0xd800, SURROGATE_LAST = 0xdfff, POINT_MAX = 0x10ffff };

static bool is_character(uint32_t point)
{
    return point > 0 && point <= POINT_MAX && (point < SURROGATE_FIRST || point > SURROGATE_LAST);
}

static void put_point(struct buf *b, uint32_t point)
{
    if (point < 0x80) {
        buf_put_char(b, (char)point);
        return;
    }
    int tail = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
    static const uint8_t marks[] = {0, 0xc0, 0xe0, 0xf0};
    buf_put_char(b, (char)(marks[tail] | point >> (6 * tail)));
    while (tail-- > 0)
        buf_put_char(b, (char)(0x80 | (point >> (6 * tail) & 0x3f)));
}

static struct str next_character(struct str *rest)
{
    struct str character = {rest->at, text_utf8_sequence(rest->at, rest->len)};
    *rest = str_skip(*rest, character.len);
    return character;
}

static struct str take_folded_by_server(PGconn *db, PGresult **result_out)
{
    static const char sql[] = "SELECT string_agg(lower(chr(c) COLLATE \"C.utf8\"), '' ORDER BY c)"
                              " FROM generate_series(1, 1114111) c"
                              " WHERE c NOT BETWEEN 55296 AND 57343";
    PGresult *result = PQexec(db, sql);
    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        fail_msg("PostgreSQL: %s", PQerrorMessage(db));
    *result_out = result;
    return (struct str){PQgetvalue(result, 0, 0), (size_t)PQgetlength(result, 0, 0)};
}

static void every_code_point_folds_alike(void **state)
{
    (void)state;
    if (!*database_server())
        skip();
    PGconn *db = PQconnectdb(database_server());
    if (PQstatus(db) != CONNECTION_OK)
        fail_msg("PostgreSQL: %s", PQerrorMessage(db));
    PQsetClientEncoding(db, "UTF8");
    PGresult *result;
    struct str theirs = take_folded_by_server(db, &result);
    struct buf points, folded;
    buf_init(&points, SIZE_MAX);
    buf_init(&folded, SIZE_MAX);
    for (uint32_t point = 1; point <= POINT_MAX; point++)
        if (is_character(point))
            put_point(&points, point);
    text_put_folded(&folded, buf_str(&points));

    struct str ours = buf_str(&folded);
    size_t differing = 0;
    for (uint32_t point = 1; point <= POINT_MAX; point++) {
        if (!is_character(point) || str_equal(next_character(&ours), next_character(&theirs)))
            continue;
        print_error("U+%04X folds otherwise\n", point);
        differing++;
    }
    assert_int_equal(differing, 0);
    assert_int_equal(ours.len, 0);
    assert_int_equal(theirs.len, 0);
    buf_deinit(&points);
    buf_deinit(&folded);
    PQclear(result);
    PQfinish(db);
}

/* ---- the order of texts ---- */

static const struct column words_columns[] = {
    {.name = STR_INIT("id"), .type = TYPE_INTEGER, .index = 0, .primary_key = true},
    {.name = STR_INIT("word"), .type = TYPE_TEXT, .index = 1, .indexed = true},
};
static const struct shape words = {STR_INIT("words"), words_columns, COUNT_OF(words_columns), 0};

static struct str random_word(struct arena *a)
{
    static const uint32_t ranges[] = {0x80, 0x250, 0x3000, 0x10000, POINT_MAX + 1};
    struct buf b;
    buf_init(&b, SIZE_MAX);
    for (size_t count = below(4); count > 0;) {
        uint32_t point = (uint32_t)below(PICK(ranges));
        if (!is_character(point))
            continue;
        put_point(&b, point);
        count--;
    }
    struct str word = arena_str(a, b.len ? buf_str(&b) : STR(""));
    buf_deinit(&b);
    return word;
}

static int compare_words(const void *left, const void *right)
{
    return str_compare(*(const struct str *)left, *(const struct str *)right);
}

struct sorted {
    const struct str *words;
    size_t at;
};

static int meet_word(void *context, const struct value *row)
{
    struct sorted *sorted = context;
    return !str_equal(row[0].text, sorted->words[sorted->at++]);
}

static void texts_are_in_the_order_of_their_bytes(void **state)
{
    enum { WORDS = 500 };
    struct str list[WORDS];
    const struct order order = {.column = &words_columns[1]};
    const struct output output = {.column = &words_columns[1]};
    const struct select all = {.shape = &words,
                               .outputs = &output,
                               .output_count = 1,
                               .orders = &order,
                               .order_count = 1,
                               .limit = -1};
    for (size_t i = 0; i < WORDS; i++)
        list[i] = random_word(*state);
    create_in_ends(&words);
    begin(STORE_WRITE);
    for (size_t i = 0; i < WORDS; i++) {
        const struct assignment word[] = {{&words_columns[0], value_integer((int64_t)i)},
                                          {&words_columns[1], value_text(list[i])}};
        for (size_t k = 0; k < end_count; k++)
            assert_int_equal(store_insert(ends[k].store, &words, word, 2, NULL, NULL), 0);
    }
    qsort(list, WORDS, sizeof(*list), compare_words);
    for (size_t k = 0; k < end_count; k++) {
        struct sorted sorted = {.words = list};
        assert_int_equal(store_select(ends[k].store, &all, meet_word, &sorted), 0);
        assert_int_equal(sorted.at, WORDS);
    }
    commit();
    drop_in_ends(&words);
}

/* ---- canonical texts ---- */

static const struct column moments_columns[] = {
    {.name = STR_INIT("id"), .type = TYPE_INTEGER, .index = 0, .primary_key = true},
    {.name = STR_INIT("date"), .type = TYPE_DATE, .index = 1},
    {.name = STR_INIT("time"), .type = TYPE_TIME, .index = 2},
    {.name = STR_INIT("dateTime"), .type = TYPE_DATE_TIME, .index = 3},
    {.name = STR_INIT("timestamp"), .type = TYPE_TIMESTAMP, .index = 4},
    {.name = STR_INIT("uuid"), .type = TYPE_UUID, .index = 5},
};
enum { MOMENT_COLUMNS = COUNT_OF(moments_columns) };
static const struct shape moments = {STR_INIT("moments"), moments_columns, MOMENT_COLUMNS, 0};

static void make_moments(struct arena *a, int64_t ms, struct value *row)
{
    static void (*const write[MOMENT_COLUMNS])(int64_t ms, char *text_out) = {
        NULL, clock_write_date, clock_write_time, clock_write_date_time, clock_write_timestamp};
    for (size_t i = 1; i < MOMENT_COLUMNS - 1; i++) {
        char text[CLOCK_TEXT_MAX];
        write[i](ms, text);
        row[i] = value_text(arena_str(a, str_of(text)));
    }
    uint64_t high = dice_bits(), low = dice_bits();
    row[MOMENT_COLUMNS - 1] = value_text(
        arena_printf(a, "%08x-%04x-%04x-%04x-%012llx", (unsigned)(high >> 32),
                     (unsigned)(high >> 16 & 0xffff), (unsigned)(high & 0xffff),
                     (unsigned)(low >> 48), (unsigned long long)(low & UINT64_C(0xffffffffffff))));
}

/* No form that is wrong begins with the right one and ends with it too. */
static const struct expr *shows(struct arena *a, const struct column *c, const struct value *text)
{
    const enum operator ops[] = {OP_STARTS_WITH, OP_ENDS_WITH, OP_CONTAINS, OP_ISTARTS_WITH, OP_EQ};
    const struct expr *all[COUNT_OF(ops)];
    for (size_t i = 0; i < COUNT_OF(ops); i++)
        all[i] = expr_test(a, c, ops[i], text, 1);
    return expr_all(a, EXPR_AND, all, COUNT_OF(ops));
}

static void check_moments(const struct end *end, struct arena *a, const struct value *row)
{
    for (size_t i = 1; i < MOMENT_COLUMNS; i++) {
        const struct expr *is = expr_test(a, &moments_columns[0], OP_EQ, &row[0], 1);
        const struct select select = {
            .shape = &moments, .where = expr_and(a, is, shows(a, &moments_columns[i], &row[i]))};
        int64_t count = 0;
        assert_int_equal(store_count(end->store, &select, &count), 0);
        if (count != 1)
            fail_msg("%s shows %.*s as another text", end->name, STR_ARG(row[i].text));
    }
}

static void moments_and_uuids_show_their_canonical_texts(void **state)
{
    enum { MOMENTS = 60 };
    const int64_t special[] = {
        CLOCK_MS_MIN, CLOCK_MS_MIN + 1,     CLOCK_MS_MAX, CLOCK_MS_MAX - 999, 0,
        -1,           INT64_C(951782400000) /* 2000-02-29 */};
    create_in_ends(&moments);
    begin(STORE_WRITE);
    for (size_t i = 0; i < MOMENTS; i++) {
        struct value row[MOMENT_COLUMNS] = {value_integer((int64_t)i)};
        struct assignment assignments[MOMENT_COLUMNS];
        int64_t any = CLOCK_MS_MIN + (int64_t)below((size_t)(CLOCK_MS_MAX - CLOCK_MS_MIN));
        make_moments(*state, i < COUNT_OF(special) ? special[i] : any, row);
        for (size_t c = 0; c < MOMENT_COLUMNS; c++)
            assignments[c] = (struct assignment){&moments_columns[c], row[c]};
        for (size_t k = 0; k < end_count; k++) {
            struct store *s = ends[k].store;
            assert_int_equal(store_insert(s, &moments, assignments, MOMENT_COLUMNS, NULL, NULL), 0);
            check_moments(&ends[k], *state, row);
        }
    }
    commit();
    drop_in_ends(&moments);
}

#define test_with_arena(test) cmocka_unit_test_setup_teardown(test, with_arena, free_arena)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_point_folds_alike),
        test_with_arena(texts_are_in_the_order_of_their_bytes),
        test_with_arena(moments_and_uuids_show_their_canonical_texts),
    };
    return cmocka_run_group_tests(tests, open_ends, close_ends);
}
