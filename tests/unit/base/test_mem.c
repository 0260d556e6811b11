#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"

#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

static void memory_comes_zeroed(void **state)
{
    (void)state;
    unsigned char *bytes = mem_alloc(4096);
    uint32_t *numbers = MEM_ARRAY(uint32_t, 100);

    for (size_t i = 0; i < 4096; i++)
        assert_int_equal(bytes[i], 0);
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(numbers[i], 0);
    mem_free(bytes);
    mem_free(numbers);
}

static void a_request_for_nothing_is_an_object_of_its_own(void **state)
{
    (void)state;
    void *a = mem_alloc(0), *b = mem_alloc_raw(0), *c = mem_alloc_array(8, 0);

    assert_non_null(a);
    assert_non_null(b);
    assert_non_null(c);
    assert_ptr_not_equal(a, b);
    mem_free(a);
    mem_free(b);
    mem_free(c);
    mem_free(NULL);
}

static void resizing_keeps_what_was_there(void **state)
{
    (void)state;
    char *text = mem_resize(NULL, 3);

    memcpy(text, "abc", 3);
    text = mem_resize(text, 100000);
    assert_memory_equal(text, "abc", 3);
    text = mem_resize(text, 1);
    assert_int_equal(text[0], 'a');
    mem_free(text);
}

/* Runs the action in a process of its own, quietly; true if that did not end well. */
static bool dies(void (*action)(void))
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        close(STDERR_FILENO);
        action();
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

static void ask_for_too_many(void)
{
    void *volatile at = mem_alloc_array(SIZE_MAX / 2, 3);
    mem_free(at);
}

static void ask_for_few(void)
{
    void *volatile at = mem_alloc_array(3, 3);
    mem_free(at);
}

static void an_impossible_size_ends_the_process(void **state)
{
    (void)state;
    assert_false(dies(ask_for_few));
    assert_true(dies(ask_for_too_many));
    assert_true(dies(mem_exhausted));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_comes_zeroed),
        cmocka_unit_test(a_request_for_nothing_is_an_object_of_its_own),
        cmocka_unit_test(resizing_keeps_what_was_there),
        cmocka_unit_test(an_impossible_size_ends_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
