#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/fault.h"
#include "base/str.h"

#include <errno.h>
#include <pthread.h>

static void a_fault_is_the_negative_of_its_number(void **state)
{
    (void)state;
    assert_int_equal(FAULT(EIO), -EIO);
    assert_int_equal(FAULT_BECAUSE(ENOSPC, "disk %d", 3), -ENOSPC);
}

static void the_text_names_the_place_the_reason_and_the_words(void **state)
{
    (void)state;
    fault_raise(EIO, "../some/src/elsewhere/src/store/sqlite.c", 42, "cannot %s", "read");
    assert_string_equal(fault_text(), "store/sqlite.c:42: Input/output error: cannot read");
    fault_raise(EIO, "plain.c", 7, NULL);
    assert_string_equal(fault_text(), "plain.c:7: Input/output error");
}

static void the_words_may_quote_the_fault_before(void **state)
{
    (void)state;
    fault_raise(EIO, "a.c", 1, "first");
    fault_raise(EPIPE, "b.c", 2, "after: %s", fault_text());
    assert_string_equal(fault_text(),
                        "b.c:2: Broken pipe: after: a.c:1: Input/output error: first");
}

static void long_words_are_cut(void **state)
{
    (void)state;
    fault_raise(EIO, "a.c", 1, "%05000d", 1);
    assert_in_range(strlen(fault_text()), 400, 1023);
    assert_true(str_starts_with(str_of(fault_text()), STR("a.c:1: Input/output error: 000")));
}

static void *raise_elsewhere(void *unused)
{
    (void)unused;
    assert_string_equal(fault_text(), "");
    fault_raise(EPIPE, "there.c", 2, NULL);
    return NULL;
}

static void each_thread_has_its_own(void **state)
{
    (void)state;
    pthread_t thread;

    fault_raise(EIO, "here.c", 1, NULL);
    assert_int_equal(pthread_create(&thread, NULL, raise_elsewhere, NULL), 0);
    pthread_join(thread, NULL);
    assert_string_equal(fault_text(), "here.c:1: Input/output error");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fault_is_the_negative_of_its_number),
        cmocka_unit_test(the_text_names_the_place_the_reason_and_the_words),
        cmocka_unit_test(the_words_may_quote_the_fault_before),
        cmocka_unit_test(long_words_are_cut),
        cmocka_unit_test(each_thread_has_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
