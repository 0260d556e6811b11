#ifndef TESTS_UNIT_SERVER_HEARD_H
#define TESTS_UNIT_SERVER_HEARD_H

/* What is printed to standard error, and files to read, for the tests of the command line. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char heard[1 << 14];
static int heard_before;
static FILE *heard_file;

static inline void listen_begin(void)
{
    fflush(stderr);
    heard_before = dup(STDERR_FILENO);
    heard_file = tmpfile();
    assert_non_null(heard_file);
    dup2(fileno(heard_file), STDERR_FILENO);
}

static inline void listen_end(void)
{
    fflush(stderr);
    dup2(heard_before, STDERR_FILENO);
    close(heard_before);
    rewind(heard_file);
    heard[fread(heard, 1, sizeof(heard) - 1, heard_file)] = '\0';
    fclose(heard_file);
}

static inline void assert_heard(const char *words)
{
    if (!strstr(heard, words))
        fail_msg("\"%s\" was not said, but: %s", words, heard);
}

/* Each test program works in a folder of its own. */
static inline int enter_folder(void **state)
{
    static char folder[] = "/tmp/rowcast-unit-XXXXXX";
    *state = mkdtemp(folder);
    return *state && chdir(folder) == 0 ? 0 : -1;
}

static inline int leave_folder(void **state)
{
    return chdir("/") == 0 && rmdir(*state) == 0 ? 0 : -1;
}

static inline void write_file(const char *name, const char *bytes, size_t size)
{
    FILE *file = fopen(name, "we");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

#endif
