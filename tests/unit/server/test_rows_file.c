#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/rows_file.h"

#include "unit/server/heard.h"

static struct arena *arena;
static struct rows_file file;

static int begin(void **state)
{
    (void)state;
    arena = arena_new();
    file = (struct rows_file){0};
    return 0;
}

static int end(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static int read_bytes(const char *name, const char *bytes, size_t size)
{
    write_file(name, bytes, size);
    listen_begin();
    int rc = rows_file_read(arena, name, &file);
    listen_end();
    unlink(name);
    return rc;
}

static int read_text(const char *name, const char *text)
{
    return read_bytes(name, text, strlen(text));
}

static void assert_rows(const char *json)
{
    struct str text = json_text(arena, file.rows);
    assert_string_equal(text.at, json);
}

static void assert_refused(const char *name, const char *text, const char *words)
{
    assert_int_equal(read_text(name, text), ROWS_FILE_BAD);
    assert_heard(name);
    assert_heard(words);
}

static void a_csv_file_gives_rows_of_text(void **state)
{
    (void)state;
    assert_int_equal(read_text("a.csv", "id,name\n1,\"a, \"\"b\"\"\"\n004,\n"), 0);
    assert_rows("[{\"id\":\"1\",\"name\":\"a, \\\"b\\\"\"},{\"id\":\"004\",\"name\":null}]");
    assert_int_equal(file.name_count, 2);
    assert_string_equal(file.names[1], "name");
}

static void
a_csv_file_may_lack_the_last_line_end_have_a_mark_and_end_lines_as_windows_does(void **state)
{
    (void)state;
    assert_int_equal(read_text("a.csv", "\xef\xbb\xbfid\r\n1\r\n\r\n2"), 0);
    assert_rows("[{\"id\":\"1\"},{\"id\":\"2\"}]");
}

static void each_row_knows_the_line_where_it_begins(void **state)
{
    (void)state;
    assert_int_equal(read_text("a.csv", "\nid,x\n\"1\n\n2\",a\n\n  \n3,\"b\nc\"\n4,d\n"), 0);
    assert_int_equal(json_array_size(file.rows), 3);
    assert_int_equal(file.lines[0], 3);
    assert_int_equal(file.lines[1], 8);
    assert_int_equal(file.lines[2], 10);
    assert_string_equal(rows_file_place(&file, arena, 1).at, "line 8");
}

static void names_alone_are_a_csv_file_without_rows(void **state)
{
    (void)state;
    assert_int_equal(read_text("a.csv", "id,name"), 0);
    assert_rows("[]");
    assert_int_equal(file.name_count, 2);
}

static void what_is_wrong_in_a_csv_file_is_said_with_its_line(void **state)
{
    (void)state;
    assert_refused("a.csv", "", "line 1: there is no line of names");
    assert_refused("a.csv", "\n\n", "there is no line of names");
    assert_refused("a.csv", "a,\n1,2\n", "line 1: a name is empty");
    assert_refused("a.csv", "\na,a\n1,2\n", "line 2: a name is there twice");
    assert_refused("a.csv", "a,b\n1,2\n1\n", "line 3: fewer cells");
    assert_refused("a.csv", "a,b\n1,2,3\n", "line 2: more cells");
    assert_refused("a.csv", "a,b\n1,2\n\"x\ny\",3,4\n", "line 3: more cells");
    assert_refused("a.csv", "a,b\n1,\"x\"y\n", "line 2: a quote");
    assert_refused("a.csv", "a,b\n1,2\n3,\"x\n4,5\n", "line 3: the row's quotes do not end");
    assert_refused("a.csv", "a,b\n1,\xff\n", "line 2: this is not UTF-8");
    assert_refused("a.csv", "a,\xc3\n1,2\n", "line 1: this is not UTF-8");
}

static void a_nul_is_no_text(void **state)
{
    (void)state;
    assert_int_equal(read_bytes("a.csv", "a\nx\0y\n", 6), ROWS_FILE_BAD);
    assert_heard("line 2");
    assert_int_equal(read_bytes("a.json", "[{\"a\":\"x\0\"}]", 12), ROWS_FILE_BAD);
    assert_refused("a.json", "[{\"a\":\"\\u0000\"}]", "line 1");
}

static void a_cell_may_be_huge(void **state)
{
    enum { SIZE = 3 * 1000 * 1000 };
    static char text[SIZE + 8] = "a,b\n1,";
    (void)state;
    memset(text + 6, 'x', SIZE);
    assert_int_equal(read_text("a.csv", text), 0);
    struct str cell = json_get_str(json_array_get(file.rows, 0), "b");
    assert_int_equal(cell.len, SIZE);
}

static void a_json_file_is_a_list_or_an_object_with_one_list(void **state)
{
    (void)state;
    assert_int_equal(read_text("a.json", "[{\"a\":1},{\"b\":[1]}]"), 0);
    assert_rows("[{\"a\":1},{\"b\":[1]}]");
    assert_int_equal(file.name_count, 0);
    assert_string_equal(rows_file_place(&file, arena, 1).at, "item 2");
    assert_int_equal(read_text("a.json", "\xef\xbb\xbf {\"title\":\"x\",\"3166-1\":[{\"a\":1}]}"),
                     0);
    assert_rows("[{\"a\":1}]");
    assert_int_equal(read_text("a.json", "[]"), 0);
    assert_rows("[]");
}

static void what_is_wrong_in_a_json_file_is_said(void **state)
{
    (void)state;
    assert_refused("a.json", "", "line 1");
    assert_refused("a.json", "[{\"a\":1},\n{\"a\":}]", "line 2");
    assert_refused("a.json", "[{\"a\":1,\n\"a\":2}]", "line 2: duplicate object key");
    assert_refused("a.json", "[{\"a\":1},2]", "item 2: this is no object");
    assert_refused("a.json", "{\"a\":[],\"b\":[]}", "more than one");
    assert_refused("a.json", "{\"a\":1}", "no list");
    assert_refused("a.json", "[{\"a\":\"\xff\"}]", "line 1");
    assert_refused("a.json", "[] x", "line 1");
    assert_refused("a.json", "[{\"a\":99999999999999999999}]", "line 1");
}

static void the_name_tells_the_kind_and_else_the_first_byte(void **state)
{
    (void)state;
    assert_int_equal(read_text("a.csv", "[a\n1\n"), 0);
    assert_rows("[{\"[a\":\"1\"}]");
    assert_int_equal(read_text("rows", "  [{\"a\":1}]"), 0);
    assert_rows("[{\"a\":1}]");
    assert_int_equal(read_text("rows", "a\n1\n"), 0);
    assert_rows("[{\"a\":\"1\"}]");
}

static void a_file_that_cannot_be_read_is_named(void **state)
{
    (void)state;
    listen_begin();
    int missing = rows_file_read(arena, "nowhere.csv", &file);
    int folder = rows_file_read(arena, "/tmp", &file);
    listen_end();
    assert_int_equal(missing, ROWS_FILE_BAD);
    assert_int_equal(folder, ROWS_FILE_BAD);
    assert_heard("nowhere.csv: No such file");
    assert_heard("/tmp: Is a directory");
}

static void a_pipe_is_a_file(void **state)
{
    (void)state;
    int ends[2], before = dup(STDIN_FILENO);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "a\n1\n", 4), 4);
    close(ends[1]);
    dup2(ends[0], STDIN_FILENO);
    close(ends[0]);
    int rc = rows_file_read(arena, "/dev/stdin", &file);
    dup2(before, STDIN_FILENO);
    close(before);
    assert_int_equal(rc, 0);
    assert_rows("[{\"a\":\"1\"}]");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(a_csv_file_gives_rows_of_text),
        TEST(a_csv_file_may_lack_the_last_line_end_have_a_mark_and_end_lines_as_windows_does),
        TEST(each_row_knows_the_line_where_it_begins),
        TEST(names_alone_are_a_csv_file_without_rows),
        TEST(what_is_wrong_in_a_csv_file_is_said_with_its_line),
        TEST(a_nul_is_no_text),
        TEST(a_cell_may_be_huge),
        TEST(a_json_file_is_a_list_or_an_object_with_one_list),
        TEST(what_is_wrong_in_a_json_file_is_said),
        TEST(the_name_tells_the_kind_and_else_the_first_byte),
        TEST(a_file_that_cannot_be_read_is_named),
        TEST(a_pipe_is_a_file),
    };
    return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
