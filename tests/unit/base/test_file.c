#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/file.h"

static char folder[] = "/tmp/rowcast-unit-XXXXXX";

static int enter(void **state)
{
    (void)state;
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int leave(void **state)
{
    (void)state;
    return chdir("/") == 0 && rmdir(folder) == 0 ? 0 : -1;
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void assert_content(const char *path, const char *expected)
{
    char text[16] = "";
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    assert_in_range(fread(text, 1, sizeof(text) - 1, file), 0, sizeof(text) - 1);
    fclose(file);
    assert_string_equal(text, expected);
}

static void a_file_and_its_folder_can_be_synced(void **state)
{
    char absolute[64];
    (void)state;
    write_file("x", "x");
    assert_int_equal(file_sync("x"), 0);
    assert_int_equal(file_sync_folder("x"), 0);
    assert_int_equal(file_sync_folder("./x"), 0);
    snprintf(absolute, sizeof(absolute), "%s/x", folder);
    assert_int_equal(file_sync_folder(absolute), 0);
    assert_int_equal(file_sync_folder("/x"), 0);
    unlink("x");
}

static void what_is_not_there_is_a_fault_that_names_it(void **state)
{
    (void)state;
    assert_true(file_sync("x") < 0);
    assert_non_null(strstr(fault_text(), "cannot open x"));
    assert_true(file_sync_folder("nowhere/x") < 0);
    assert_non_null(strstr(fault_text(), "nowhere"));
    assert_true(file_publish("x", "y") < 0);
    assert_non_null(strstr(fault_text(), "cannot make y"));
}

static void a_file_gets_a_name_that_is_free(void **state)
{
    (void)state;
    assert_int_equal(mkdir("sub", 0700), 0);
    write_file("x", "new");
    assert_int_equal(file_publish("x", "sub/y"), 0);
    assert_int_not_equal(access("x", F_OK), 0);
    assert_content("sub/y", "new");
    unlink("sub/y");
    rmdir("sub");
}

static void a_name_that_is_taken_stays_whose_it_is(void **state)
{
    (void)state;
    write_file("x", "new");
    write_file("y", "old");
    assert_int_equal(file_publish("x", "y"), FILE_EXISTS);
    assert_content("x", "new");
    assert_content("y", "old");
    unlink("x");
    unlink("y");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_and_its_folder_can_be_synced),
        cmocka_unit_test(what_is_not_there_is_a_fault_that_names_it),
        cmocka_unit_test(a_file_gets_a_name_that_is_free),
        cmocka_unit_test(a_name_that_is_taken_stays_whose_it_is),
    };
    return cmocka_run_group_tests(tests, enter, leave);
}
